"""SQL written by SQLAlchemy Core once, run on the driver's own cursor ever after.

Everything that casekit says to a database goes through :meth:`Connection.execute` and
:meth:`Connection.executemany`: one place to record, to count, to let fail. What the driver raises is said as
:class:`casekit.errors.StoreFailed`, so that a caller never needs to know which driver it is.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import frozen
from sqlalchemy import ClauseElement
from sqlalchemy.engine import Dialect

from casekit.errors import CasekitError, Conflict, StoreFailed
from casekit.store.fence import TELL, gated, telling, untold

Values = tuple[Any, ...]
_T = TypeVar("_T")

PATIENCE = 60.0
"""Seconds after which a process no longer waits for another that writes."""

_PAUSE = (0.0003, 0.0015)
"""Seconds between two looks, at least and at most."""


class Taken(StoreFailed):
    """A key that must be unique was taken in between (an idempotency key, a number, a log's name)."""


def failed(wrong: Exception) -> CasekitError:
    """The driver's error, as casekit says it."""
    text = (str(wrong).strip().splitlines() or [type(wrong).__name__])[0]
    if type(wrong).__name__ in ("SerializationFailure", "DeadlockDetected"):
        return Conflict(f"another transaction was in the way: {text} (roll back, and try again)")
    if type(wrong).__name__ in ("IntegrityError", "UniqueViolation"):
        return Taken(f"written by another at the same time: {text}")
    return StoreFailed(f"the store failed, and nothing was changed: {text} (check disk space, rights and server)")


def busy(wrong: Exception) -> bool:
    """Whether SQLite says that another process is writing, or repairing the file: it has done nothing, and may be asked again."""
    return getattr(wrong, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY)


def patiently(act: Callable[[], _T], wrong: Exception) -> _T:
    """Does what SQLite was too busy to do, as soon as it is not.

    SQLite's own wait looks less and less often, so whoever came last is served first, and one may wait for seconds. Where all
    look alike often, at moments of chance, each has the same chance of the next turn.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(random.uniform(*_PAUSE))  # noqa: S311 - a pause, not a secret
        try:
            return act()
        except Exception as again:
            if not busy(again):
                raise
            wrong = again
    raise wrong


@frozen
class Prepared:
    """A statement's text, and how its parameters are laid out.

    Attributes:
        text: SQL in the driver's own parameter style, positional.
        order: Name of each parameter, in order.
        fixed: Parameters that the compiler made by itself (a ``LIMIT`` has one more than it shows).
    """

    text: str
    order: tuple[str, ...]
    fixed: Mapping[str, Any]

    def bind(self, values: Mapping[str, Any]) -> Values:
        """The parameters of one run."""
        fixed = self.fixed
        return tuple([values[name] if name in values else fixed[name] for name in self.order])


@frozen
class Laid:
    """A statement whose values come in one row, in an order that was agreed when it was compiled.

    Attributes:
        text: SQL.
        places: Where each parameter stands in the row, the compiler's own behind it.
        own: What the compiler added by itself.
    """

    text: str
    places: tuple[int, ...]
    own: Values

    def bind(self, row: Values) -> Values:
        """The parameters of one run."""
        whole = row + self.own
        return tuple([whole[place] for place in self.places])


def laid(prepared: Prepared, names: Sequence[str]) -> Laid:
    """A prepared statement for rows in the order of those names."""
    own = tuple(name for name in prepared.fixed if name not in names)
    place = {name: i for i, name in enumerate((*names, *own))}
    return Laid(prepared.text, tuple(place[name] for name in prepared.order), tuple(prepared.fixed[name] for name in own))


def prepare(statement: ClauseElement, dialect: Dialect) -> Prepared:
    """The statement, compiled for a dialect whose parameters are positional."""
    compiled = statement.compile(dialect=dialect)
    order = tuple(getattr(compiled, "positiontup", None) or ())
    return Prepared(str(compiled), order, {name: value for name, value in compiled.params.items() if value is not None})


class Connection:
    """A driver connection in autocommit; transactions are begun and ended in so many words.

    Args:
        driver: The DBAPI connection.
        errors: The root of what the driver raises.
        tenant: On PostgreSQL, whose rows it is to see; empty: nobody's, or row-level security does not matter.

    Attributes:
        broken: Whether it can't be used any more: the server has closed it, or a transaction could not be ended.
        tape: Where it is a list, every statement is written down: text, parameters, whether many.
        told: Whether a transaction is open in which it has been said whose rows are seen.
    """

    __slots__ = ("broken", "driver", "errors", "tape", "tenant", "told")

    def __init__(self, driver: Any, errors: type[Exception], tenant: str = "") -> None:
        self.driver = driver
        self.errors = errors
        self.tenant = tenant
        self.broken = False
        self.told = False
        self.tape: list[tuple[str, Any, bool]] | None = None

    def execute(self, text: str, values: Values = ()) -> Any:
        """Runs one statement; gives the cursor.

        Raises:
            StoreFailed: the database failed; ``Taken``: a unique key is there already.
            Conflict: PostgreSQL has ended the transaction, for it could not be had beside another.
        """
        if self.tape is not None:
            self.tape.append((text, values, False))
        try:
            if self.tenant and not self.told and untold(text):
                return self._telling(lambda: self.driver.execute(text, values) if values else self.driver.execute(text))
            return self.driver.execute(text, values) if values else self.driver.execute(text)
        except self.errors as wrong:
            if busy(wrong):
                return self._patiently(text, values, wrong)
            raise self._failed(wrong) from wrong

    def executemany(self, text: str, rows: Sequence[Values]) -> int:
        """Runs one statement once for each row; gives how many rows of the table it has met. Raises as :meth:`execute` does."""
        if self.tape is not None:
            self.tape.append((text, rows, True))
        try:
            cursor = self.driver.cursor()
            if self.tenant and not self.told and untold(text):
                self._telling(lambda: cursor.executemany(text, rows))
            else:
                cursor.executemany(text, rows)
            met: int = cursor.rowcount
        except self.errors as wrong:
            raise self._failed(wrong) from wrong
        return met

    def begin(self, how: str) -> None:
        """Begins a transaction, and says whose rows it sees. Raises as :meth:`execute` does."""
        self.execute(f"{how}; {telling(self.tenant)}" if self.tenant else how)
        self.told = True

    def tell(self, tenant: str) -> None:
        """Says whose rows the open transaction sees from now on. Raises as :meth:`execute` does."""
        self.execute(telling(tenant))

    def rows(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Any]:
        """All rows of a query. Raises as :meth:`execute` does."""
        cursor = self.execute(prepared.text, prepared.bind(values))
        try:
            found: list[Any] = cursor.fetchall()
        except self.errors as wrong:
            raise self._failed(wrong) from wrong
        return found

    def row(self, prepared: Prepared, values: Mapping[str, Any]) -> Any:
        """The first row of a query, or None. Raises as :meth:`execute` does."""
        cursor = self.execute(prepared.text, prepared.bind(values))
        try:
            return cursor.fetchone()
        except self.errors as wrong:
            raise self._failed(wrong) from wrong

    def _telling(self, act: Callable[[], _T]) -> _T:
        """Does something in the transaction in which it is said whose rows are seen, and in one round trip."""
        if self.tape is not None:
            self.tape.insert(-1, (TELL, (self.tenant,), False))
        with self.driver.pipeline():
            self.driver.execute(TELL, (self.tenant,))
            return act()

    def _patiently(self, text: str, values: Values, wrong: Exception) -> Any:
        try:
            return patiently(lambda: self.driver.execute(text, values), wrong)
        except self.errors as after:
            raise self._failed(after) from after

    def _failed(self, wrong: Exception) -> CasekitError:
        self.broken = self.broken or bool(getattr(self.driver, "closed", False))
        return failed(wrong)


class Statements:
    """Statements of one dialect for one tenant, compiled when first wanted. Each says by itself whose rows it sees, where it can."""

    def __init__(self, dialect: Dialect, tenant: str = "") -> None:
        self.dialect = dialect
        self.tenant = tenant
        self._known: dict[Any, Prepared] = {}
        self._laid: dict[Any, Laid] = {}

    def get(self, shape: Any, build: Callable[..., ClauseElement], *args: Any) -> Prepared:
        """The statement of that shape; ``build(*args)`` writes it when it is wanted for the first time."""
        known = self._known.get(shape)
        if known is None:
            known = self._known[shape] = prepare(gated(build(*args), self.tenant, self.dialect), self.dialect)
        return known

    def lay(self, shape: Any, names: Callable[[], Sequence[str]], build: Callable[..., ClauseElement], *args: Any) -> Laid:
        """The statement of that shape for rows in the order of ``names()``."""
        known = self._laid.get(shape)
        if known is None:
            known = self._laid[shape] = laid(prepare(gated(build(*args), self.tenant, self.dialect), self.dialect), names())
        return known
