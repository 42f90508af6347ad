"""A host's engine, made fit, and a host's transaction, joined.

A host keeps its own tables in the database that the record is in, and wants both written together or not at all. On
SQLite the standard driver does not give that: it begins transactions late and by itself, lets a row of a released
savepoint survive the outer rollback, and a transaction that has read before it writes is told "locked" at once. So
the engine is prepared: no transaction but those that SQLAlchemy begins, each taking the write lock when it begins,
first that of this process, which knows its owner, then that of the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from threading import get_ident
from typing import Any

from sqlalchemy import Connection as HostConnection
from sqlalchemy import Engine, event

from casekit.errors import BadInput, Conflict, StoreFailed
from casekit.store.engine import PRAGMAS, read_url
from casekit.store.fence import SETTING, TELL
from casekit.store.files import Files
from casekit.store.keys import Vault
from casekit.store.lock import FairLock, lock_of
from casekit.store.shelf import Shelf
from casekit.store.sql import Connection, busy, failed, patiently

READS = "casekit_reads"
"""Execution option: transactions of this connection only read, and take no write lock on SQLite."""

_DRIVERS = ("pysqlite", "psycopg")
_HERE = "casekit"
_WAIT = next(pragma for pragma in PRAGMAS if "busy_timeout" in pragma)

_WHERE = "SELECT current_database(), to_regclass('streams')::oid::bigint, pg_postmaster_start_time()"


class Host:
    """What casekit keeps of one connection of a host.

    Attributes:
        writes: Whether it is in a transaction that may write from its beginning on (SQLite).
        ends: What is to be done when its transaction ends.
    """

    def __init__(self) -> None:
        self.writes = False
        self.ends: list[Callable[[], None]] = []

    def end(self) -> None:
        """The transaction is over."""
        self.writes = False
        while self.ends:
            self.ends.pop()()


class _Held(sqlite3.Connection):
    """A driver connection that lets go of the write lock when its transaction is over, and not before."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.host = Host()
        self.turn: FairLock = lock_of(_file(self))

    def take(self) -> None:
        """Begins a transaction that may write: when its turn has come."""
        self.turn.__enter__()
        self.host.ends.append(lambda: self.turn.__exit__(None, None, None))
        try:
            self._begin()
        except BaseException:
            self.host.end()
            raise
        self.host.writes = True

    def _begin(self) -> None:
        self.execute("PRAGMA busy_timeout=0")
        try:
            self.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as wrong:
            if not busy(wrong):
                raise
            patiently(lambda: self.execute("BEGIN IMMEDIATE"), wrong)
        finally:
            self.execute(_WAIT)

    def commit(self) -> None:
        if self.host.writes and not self.in_transaction:
            self.host.end()
            raise sqlite3.OperationalError("the transaction has ended before: SQLite rolled it back, or it was ended by hand")
        try:
            super().commit()
        finally:
            self._let_go()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._let_go()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.host.end()

    def _let_go(self) -> None:
        if not self.in_transaction:
            self.host.end()


def prepare(engine: Engine) -> Engine:
    """Makes a host's engine fit for :meth:`Desk.join`; gives it back. Doing it twice does nothing more.

    On SQLite every transaction then takes the write lock when it begins, so that writers queue, and reading before
    writing does no harm; foreign keys hold, what is deleted is overwritten, and commits are durable. Transactions that
    only read say so by an execution option: ``engine.connect().execution_options(casekit_reads=True)``. On
    PostgreSQL casekit only learns when transactions end. Connections that are out at the time stay as they are, so
    prepare an engine before its first use.

    Raises:
        BadInput: the engine is of another database or driver, or asynchronous, or keeps nothing.
    """
    do = "use create_engine with sqlite:///file.db or postgresql+psycopg://user@host/database"
    given: object = engine
    if not isinstance(given, Engine) or engine.dialect.is_async:
        raise BadInput.at("prepare", f"{type(engine).__name__} can't be joined: casekit writes synchronously", do)
    read_url(engine.url.render_as_string(hide_password=False))
    if engine.dialect.driver not in _DRIVERS:
        raise BadInput.at("prepare", f"casekit does not know the driver {engine.dialect.driver}", do)
    if event.contains(engine, "commit", _over):
        return engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _hold)
        event.listen(engine, "begin", _begin)
    event.listen(engine, "connect", _settle)
    for name in ("commit", "rollback"):
        event.listen(engine, name, _over)
    for name in ("checkin", "invalidate"):
        event.listen(engine, name, _given_back)
    engine.dispose()
    return engine


class JoinedShelf(Shelf):
    """A tenant's shelf within a host's transaction: what is written is a savepoint of it.

    Attributes:
        whole: The shelf outside of it.
        serial: Whether the transaction is as if no other ran beside it.
    """

    def __init__(self, whole: Shelf, connection: Connection, *, serial: bool) -> None:
        self.whole = whole
        self.serial = serial
        self.tenant, self.url, self.engine, self.sqlite = whole.tenant, whole.url, whole.engine, whole.sqlite
        self.statements, self.lock, self.hosted = whole.statements, whole.lock, whole.hosted
        self.joined = True
        self.over = False
        self._thread = get_ident()
        self._joined = connection
        self._depth = 0

    @property
    def connection(self) -> Connection:
        """The host's connection.

        Raises:
            StoreFailed: its transaction is over, or this is another thread.
        """
        if self.over:
            raise StoreFailed("what was joined is over (join the next transaction, or use the desk itself)")
        if get_ident() != self._thread:
            raise StoreFailed("another thread has joined this transaction (join in the thread that gives the commands)")
        return self._joined

    @cached_property
    def vault(self) -> Vault:
        """What locks and unlocks this tenant's personal data."""
        return self.whole.vault

    @cached_property
    def files(self) -> Files:
        """Contents of documents."""
        return self.whole.files

    @contextmanager
    def transaction(self, *, serial: bool = False) -> Iterator[Connection]:  # noqa: ARG002 - what it is the host has said
        """A savepoint: what is written in it is gone where it fails, and the host's transaction goes on."""
        connection = self.connection
        name = f"casekit_{self._depth}"
        self._depth += 1
        try:
            connection.begin(f"SAVEPOINT {name}")
            yield connection
            connection.execute(f"RELEASE SAVEPOINT {name}")
        except BaseException:
            with suppress(StoreFailed, Conflict):  # the failure has ended the whole transaction: the host is told by it
                connection.execute(f"ROLLBACK TO SAVEPOINT {name}")
                connection.execute(f"RELEASE SAVEPOINT {name}")
            raise
        finally:
            self._depth -= 1
            connection.told = self._depth > 0

    def close(self) -> None:
        """Ends nothing: the connection is the host's."""
        self.over = True


@contextmanager
def joined(shelf: Shelf, connection: HostConnection) -> Iterator[JoinedShelf]:
    """A shelf in a host's transaction, which is begun where it has not.

    Raises:
        BadInput: the connection can't be joined; says what to do.
        StoreFailed: this thread is in another transaction on this store.
    """
    host = _host(connection)
    serial = _look(shelf, connection, host)
    me = get_ident()
    if me in shelf.hosted and not any(getattr(end, "shelf", None) is shelf for end in host.ends):
        raise StoreFailed("this thread has joined another transaction that is still open (end it first)")
    if shelf.lock is not None:
        shelf.lock.take_over()
    driver: Any = connection.connection.driver_connection
    there = JoinedShelf(shelf, Connection(driver, _errors(connection), "" if shelf.sqlite else shelf.tenant), serial=serial)
    before = "" if shelf.sqlite else _told(connection)
    shelf.hosted.add(me)
    host.ends.append(_End(shelf, me, there))
    try:
        yield there
    finally:
        if not there.over and not shelf.sqlite:
            _tell_again(connection, before)
        there.close()


def _told(connection: HostConnection) -> str:
    """Whose rows the host's transaction sees."""
    return str(connection.exec_driver_sql(f"SELECT coalesce(current_setting('{SETTING}', true), '')").scalar_one())


def _tell_again(connection: HostConnection, before: str) -> None:
    """Leaves the host's transaction seeing what it saw before; where it has failed, its end does so."""
    driver: Any = connection.connection.driver_connection
    with suppress(_errors(connection)):
        driver.execute(TELL, (before,))


class _End:
    """What is done when a transaction that was joined ends."""

    def __init__(self, shelf: Shelf, thread: int, joined: JoinedShelf) -> None:
        self.shelf, self._thread, self._joined = shelf, thread, joined

    def __call__(self) -> None:
        self._joined.close()
        self.shelf.hosted.discard(self._thread)


def _host(connection: HostConnection) -> Host:
    if not isinstance(connection, HostConnection):
        raise BadInput.at(
            "join", f"a {type(connection).__name__} can't be joined", "give a SQLAlchemy Connection; of a session, session.connection()"
        )
    host: Host | None = connection.info.get(_HERE)
    if host is None:
        raise BadInput.at(
            "join", "the connection's engine is not prepared", "call casekit.prepare(engine) once, before its first connection"
        )
    return host


def _look(shelf: Shelf, connection: HostConnection, host: Host) -> bool:
    """Whether the transaction is serializable; refuses one that is of no use."""
    if connection.dialect.name != shelf.engine.dialect.name:
        raise BadInput.at("join", f"the record is not in this {connection.dialect.name} database", "join a connection to the store's own")
    if shelf.sqlite:
        place = connection.exec_driver_sql("PRAGMA database_list").fetchall()[0][2]  # begins, where nothing was
        same = Path(place).resolve() == Path(str(shelf.url.database)).resolve()
        if not host.writes:
            raise BadInput.at(
                "join",
                "the transaction has begun without the write lock, and may have read what is no longer true",
                "end it; join first in a transaction that SQLAlchemy begins, without casekit_reads",
            )
        serial = True
    else:
        if connection.connection.driver_connection.autocommit:  # type: ignore[union-attr]
            raise BadInput.at("join", "the connection is in autocommit: there is no transaction to join", "leave AUTOCOMMIT out")
        place = tuple(connection.exec_driver_sql(_WHERE).one())
        same = place == tuple(shelf.connection.execute(_WHERE).fetchone())
        serial = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one() == "serializable"
    if not same:
        raise BadInput.at("join", f"the record is not in this database: {connection.engine.url!r}", "join a connection to the store's own")
    return serial


def _errors(connection: HostConnection) -> type[Exception]:
    errors: type[Exception] = connection.dialect.loaded_dbapi.Error
    return errors


def _file(driver: sqlite3.Connection) -> str:
    return str(driver.execute("PRAGMA database_list").fetchall()[0][2])


def _hold(_dialect: Any, _record: Any, _args: Any, settings: dict[str, Any]) -> None:
    given = settings.get("factory", sqlite3.Connection)
    settings["factory"] = _Held if given is sqlite3.Connection else type("Held", (_Held, given), {})


def _settle(driver: Any, record: Any) -> None:
    if isinstance(driver, _Held):
        driver.isolation_level = None
        for pragma in PRAGMAS:
            driver.execute(pragma)
        record.info[_HERE] = driver.host
    else:
        record.info[_HERE] = Host()


def _begin(connection: HostConnection) -> None:
    driver: Any = connection.connection.driver_connection
    if not isinstance(driver, _Held):
        return  # it was out when the engine was prepared: as it ever was, and refused by join
    driver.isolation_level = None  # SQLAlchemy puts it back after an isolation level of one connection
    try:
        if connection.get_execution_options().get(READS):
            driver.execute("BEGIN")
        else:
            driver.take()
    except BaseException as wrong:
        connection.close()  # or what comes next on it would run outside of any transaction
        if isinstance(wrong, sqlite3.Error):
            raise failed(wrong) from wrong
        raise


def _over(connection: HostConnection) -> None:
    if connection.dialect.name != "sqlite" and not connection.invalidated and not connection.closed:
        _end_of(connection.info)


def _given_back(_driver: Any, record: Any, *_: Any) -> None:
    _end_of(record.info)


def _end_of(info: Any) -> None:
    host: Host | None = info.get(_HERE)
    if host is not None:
        host.end()


__all__ = ["READS", "Host", "JoinedShelf", "joined", "prepare"]
