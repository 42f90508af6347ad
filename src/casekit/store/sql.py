"""SQL written by SQLAlchemy Core once, run on the driver's own cursor ever after.

Everything that casekit says to a database goes through :meth:`Connection.execute` and
:meth:`Connection.executemany`: one place to record, to count, to let fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import ClauseElement
from sqlalchemy.engine import Dialect

Values = tuple[Any, ...]


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


def prepare(statement: ClauseElement, dialect: Dialect) -> Prepared:
    """The statement, compiled for a dialect whose parameters are positional."""
    compiled = statement.compile(dialect=dialect)
    order = tuple(getattr(compiled, "positiontup", None) or ())
    return Prepared(str(compiled), order, {name: value for name, value in compiled.params.items() if value is not None})


class Connection:
    """A driver connection in autocommit; transactions are begun and ended in so many words.

    Attributes:
        driver: The DBAPI connection.
        tape: Where it is a list, every statement is written down: text, parameters, whether many.
    """

    __slots__ = ("driver", "tape")

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.tape: list[tuple[str, Any, bool]] | None = None

    def execute(self, text: str, values: Values = ()) -> Any:
        """Runs one statement; gives the cursor."""
        if self.tape is not None:
            self.tape.append((text, values, False))
        return self.driver.execute(text, values) if values else self.driver.execute(text)

    def executemany(self, text: str, rows: Sequence[Values]) -> None:
        """Runs one statement once for each row."""
        if self.tape is not None:
            self.tape.append((text, rows, True))
        self.driver.cursor().executemany(text, rows)

    def rows(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Any]:
        """All rows of a query."""
        found: list[Any] = self.execute(prepared.text, prepared.bind(values)).fetchall()
        return found

    def row(self, prepared: Prepared, values: Mapping[str, Any]) -> Any:
        """The first row of a query, or None."""
        return self.execute(prepared.text, prepared.bind(values)).fetchone()


class Statements:
    """Statements of one dialect, compiled when first wanted."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._known: dict[Any, Prepared] = {}

    def get(self, shape: Any, build: Callable[..., ClauseElement], *args: Any) -> Prepared:
        """The statement of that shape; ``build(*args)`` writes it when it is wanted for the first time."""
        known = self._known.get(shape)
        if known is None:
            known = self._known[shape] = prepare(build(*args), self.dialect)
        return known
