"""A store, and each tenant's shelf in it: connections, statements, lock, keys, documents."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from threading import get_ident
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from casekit.errors import BadInput, Conflict, StoreFailed
from casekit.store.engine import bring_up, open_engine, read_url, tenant_url
from casekit.store.files import Files
from casekit.store.keys import Vault, make_keyring, read_keyring
from casekit.store.lock import lock_of
from casekit.store.places import restoring, tenants_at
from casekit.store.signing import signing_beside
from casekit.store.sql import Connection, Statements, Taken, failed
from casekit.store.tables import META


class Store:
    """Where the record is. Thread-safe; opening one touches nothing until a shelf is used.

    Args:
        url: ``sqlite:///file.db`` or ``postgresql://user@host/database``.
        keys: The keyring's file; on SQLite, ``file.db.keys`` where none is named.
        documents: Folder of document contents; on SQLite ``file.db.documents`` where none is named.

    Attributes:
        url: Where it is.
        keys, documents: Where the keyring and the documents are; None: nobody has said so (PostgreSQL only).
    """

    def __init__(self, url: str, keys: str | Path | None = None, documents: str | Path | None = None) -> None:
        self.url = read_url(url)
        self.keys = Path(keys) if keys else self._beside(".keys")
        self.documents = Path(documents) if documents else self._beside(".documents") or self._by_keys()
        self._shelves: dict[str, Shelf] = {}
        self._opening = threading.Lock()

    @property
    def restoring(self) -> bool:
        """Whether a restore into this place was begun and not finished: until it is, nobody works here."""
        return self.url.get_backend_name() == "sqlite" and restoring(self.url).exists()

    def shelf(self, tenant: str) -> Shelf:
        """A tenant's shelf, its tables brought up to date.

        Raises:
            BadInput: the place can't be reached or is no database.
            StoreFailed: the store was written by a later casekit, or is being restored.
        """
        found = self._shelves.get(tenant)
        if found is None:
            with self._opening:
                found = self._shelves.get(tenant)
                if found is None:
                    if self.restoring:
                        raise StoreFailed(f"{self.url.database}: a restore was not finished (run it again, with --force)")
                    found = self._shelves[tenant] = Shelf(tenant_url(self.url, tenant), tenant, self.keys, self.documents)
        return found

    def tenants(self) -> tuple[str, ...]:
        """Everyone who has a record here.

        Raises:
            BadInput: the store can't be reached.
        """
        return tenants_at(self.url)

    def close(self) -> None:
        """Closes every connection."""
        for shelf in self._shelves.values():
            shelf.close()
        self._shelves.clear()

    def _beside(self, suffix: str) -> Path | None:
        return Path(str(self.url.database) + suffix) if self.url.get_backend_name() == "sqlite" else None

    def _by_keys(self) -> Path | None:
        return self.keys.with_name(self.keys.name + ".documents") if self.keys else None


class Shelf:
    """One tenant's part of a store.

    Attributes:
        tenant, url, engine, sqlite: Whose, where, on which engine.
        statements: Its statements, compiled once.
        lock: The write lock of its file; None on PostgreSQL.
        whole: The shelf outside of any host's transaction: itself, where it is in none.
        joined: Whether it lies in a host's transaction.
        serial: Whether its write transactions are as if no other ran beside them, without more being said.
        told: What was read of desk logs so far, by name: sid of the log, and its entries.
        hosted: Threads in which a host's transaction that was joined is still open.
    """

    def __init__(self, url: URL, tenant: str, keys: Path | None, documents: Path | None) -> None:
        self.tenant = tenant
        self.url = url
        self.engine: Engine = open_engine(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        bring_up(self.engine)
        self.statements = Statements(self.engine.dialect, tenant)
        self.whole: Shelf = self
        self.joined = False
        self.serial = self.sqlite
        self.hosted: set[int] = set()
        self.told: dict[str, tuple[int, tuple[Any, ...]]] = {}
        self.lock = lock_of(str(url.database)) if self.sqlite else None
        self._keys = keys
        self._folder = documents
        self._here = threading.local()
        self._lent: list[Any] = []

    @property
    def connection(self) -> Connection:
        """This thread's connection; a fresh one where the last is broken.

        Raises:
            StoreFailed: the database can't be reached.
        """
        found: Connection | None = getattr(self._here, "connection", None)
        if found is None or found.broken:
            found = self._here.connection = self._connect(found)
        return found

    def _connect(self, broken: Connection | None) -> Connection:
        dbapi: Any = self.engine.dialect.dbapi
        if broken is not None:
            self._give_back([self._here.lent])
        try:
            lent = self.engine.raw_connection()
        except (DBAPIError, dbapi.Error) as wrong:
            raise failed(getattr(wrong, "orig", None) or wrong) from wrong
        self._lent.append(lent)
        self._here.lent = lent
        made = Connection(lent.driver_connection, dbapi.Error, "" if self.sqlite else self.tenant)
        if self.sqlite:
            made.execute("PRAGMA busy_timeout=0")  # it waits by itself, and more fairly
        return made

    def _give_back(self, several: list[Any]) -> None:
        for lent in several:
            self._lent.remove(lent)
            lent.driver_connection.close()
            lent.invalidate()

    @cached_property
    def vault(self) -> Vault:
        """What locks and unlocks this tenant's personal data.

        Raises:
            StoreFailed: no keyring, or not the one that this store was written with.
        """
        check = self.connection.row(self.statements.get("meta", _read_meta), {"wanted": "keyring"})
        if self._keys is None:
            raise BadInput.at("keys", "a store on PostgreSQL needs a keyring outside it", "say where: --keys FILE or CASEKIT_KEYS")
        if check is None:
            ring = make_keyring(self._keys)
            with suppress(Taken), self.transaction() as connection:  # taken: another desk was first, and what it wrote is read
                if connection.row(self.statements.get("meta", _read_meta), {"wanted": "keyring"}) is None:
                    write = self.statements.get("new meta", lambda: insert(META))
                    connection.execute(write.text, write.bind({"name": "keyring", "value": ring.check}))
            return self.vault
        if not self._keys.exists():
            raise StoreFailed(f"{self._keys}: the keyring of this store is not there (restore it, or say where it is: --keys)")
        ring = read_keyring(self._keys)
        if ring.check != check[0]:
            raise StoreFailed(f"{self._keys}: this is not the keyring that the store was written with (use the right --keys)")
        return Vault(ring, self.tenant, self._keys)

    @property
    def signing(self) -> Path:
        """Where the keys that sign checkpoints lie: beside the keyring.

        Raises:
            BadInput: no keyring was named.
        """
        if self._keys is None:
            raise BadInput.at("keys", "a store on PostgreSQL needs a keyring outside it", "say where: --keys FILE or CASEKIT_KEYS")
        return signing_beside(self._keys)

    @cached_property
    def files(self) -> Files:
        """Contents of documents."""
        if self._folder is None:
            raise BadInput.at("documents", "no folder for documents was named", "name one when the desk is opened")
        return Files(self._folder / self.tenant)

    def demand_free(self) -> None:
        """Refuses a thread that has joined a host's transaction: on a connection beside it, it could wait for itself.

        Raises:
            StoreFailed: the transaction is still open.
        """
        if get_ident() in self.hosted:
            raise StoreFailed(
                "this thread has joined a host's transaction that is still open "
                "(give the command within desk.join, or end the transaction first)"
            )

    def demand_own(self, what: str) -> None:
        """Refuses what can't be part of a host's transaction.

        Raises:
            BadInput: the shelf lies in one.
        """
        if self.joined:
            raise BadInput.at("join", f"{what} can't be part of a host's transaction", "do it on the desk itself, once that is over")

    @contextmanager
    def transaction(self, *, serial: bool = False) -> Iterator[Connection]:
        """A write transaction; ``serial``: on PostgreSQL, as if no other ran beside it (on SQLite none does).

        Raises:
            Conflict: serial, and another was in the way.
        """
        self.demand_free()
        connection = self.connection
        if self.lock is not None:
            self.lock.__enter__()
        try:
            connection.begin("BEGIN IMMEDIATE" if self.sqlite else "BEGIN ISOLATION LEVEL SERIALIZABLE" if serial else "BEGIN")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
        finally:
            connection.told = False
            if self.lock is not None:
                self.lock.__exit__(None, None, None)

    def close(self) -> None:
        """Closes every connection of every thread."""
        self._give_back(list(self._lent))
        self._here = threading.local()
        self.engine.dispose()


def writing(shelf: Shelf, *, serial: bool = False) -> AbstractContextManager[Connection]:
    """A write transaction: all of it, or nothing. In a host's transaction it is a savepoint.

    Args:
        shelf: Where.
        serial: Whether on PostgreSQL it must be as if no other ran beside it.

    Raises:
        StoreFailed: the database refused to write or to commit, or the keyring is not at hand.
        Conflict: another transaction was in the way.
    """
    _ = shelf.vault  # made, where there is none, in a transaction of its own
    return shelf.transaction(serial=serial)


@contextmanager
def queued(shelf: Shelf, wanted: bool) -> Iterator[None]:
    """On PostgreSQL, where it is wanted, one after the other: before a transaction begins, so that it sees what the last one did."""
    if shelf.sqlite or not wanted:
        yield
        return
    key = int.from_bytes(hashlib.sha256(f"casekit {shelf.tenant}".encode()).digest()[:8], signed=True)
    connection = shelf.connection
    connection.execute(f"SELECT pg_advisory_lock({key})")
    try:
        yield
    finally:
        _unlock(connection, key)


def _unlock(connection: Connection, key: int) -> None:
    """Gives the lock back. Where that fails, its connection goes, and the lock with it: what was committed stands all the same."""
    if connection.broken:
        return
    try:
        connection.execute(f"SELECT pg_advisory_unlock({key})")
    except StoreFailed:
        connection.broken = True
        with suppress(Exception):  # the server ends what has lost its other end
            connection.driver.close()


@contextmanager
def snapshot(shelf: Shelf) -> Iterator[Connection]:
    """Several reads of one moment.

    Raises:
        BadInput: the shelf lies in a host's transaction, whose moment is its own.
    """
    shelf.demand_own("what reads the record at one moment")
    connection = shelf.connection
    try:
        connection.begin("BEGIN" if shelf.sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection
    finally:
        connection.told = False
        _roll_back(connection)  # nothing was written


def _roll_back(connection: Connection) -> None:
    try:
        connection.execute("ROLLBACK")
    except (StoreFailed, Conflict) as wrong:
        # Where no transaction was open, BEGIN itself failed, or the failure has ended it.
        if "no transaction" not in str(wrong):
            connection.broken = True


def _read_meta() -> Any:
    from sqlalchemy import bindparam

    return select(META.c.value).where(META.c.name == bindparam("wanted"))


__all__ = ["Shelf", "Store", "Taken", "queued", "snapshot", "writing"]
