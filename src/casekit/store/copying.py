"""A tenant's tables, copied as they are at one moment: out of a running store, and into an empty one.

A copy is always a file of SQLite, whichever engine the store is on: it has the same tables under the same
constraints, and whatever can verify a store can verify a copy. A copy holds no residue: what was deleted from the
store is not in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Table, make_url

from casekit.errors import BadInput, StoreFailed
from casekit.store.engine import bring_up, open_engine
from casekit.store.places import read_only
from casekit.store.private import sync
from casekit.store.shelf import Shelf, snapshot
from casekit.store.sql import Connection
from casekit.store.tables import METADATA

BATCH = 1000

_TABLES: Sequence[Table] = METADATA.sorted_tables
"""Every table, those that others point to in front."""


def copy_out(shelf: Shelf, tenants: Sequence[tuple[str, Path]]) -> None:
    """Copies the tables of several tenants into new files, each as it is at one moment; on PostgreSQL at the same one.

    Args:
        shelf: A shelf of the store: on SQLite the tenant's own, and then it is the only one.
        tenants: Each with the file to make.

    Raises:
        StoreFailed: the store can't be read, or the file can't be written.
    """
    if shelf.sqlite:
        ((_, path),) = tenants
        shelf.connection.execute("VACUUM INTO ?", (str(path),))
        sync(path)
        return
    for _, path in tenants:
        _empty(path)
    with snapshot(shelf) as connection:
        for tenant, path in tenants:
            connection.tell(tenant)
            _fill(connection, tenant, path)
            sync(path)


def copy_in(connection: Connection, files: Mapping[str, Path]) -> None:
    """Copies the tables of files into an empty store on PostgreSQL, within the transaction that is open.

    Args:
        connection: Where.
        files: Tenant → file.

    Raises:
        StoreFailed: the store does not take them.
    """
    seen: set[tuple[Any, ...]] = set()
    for tenant, path in files.items():
        connection.tell(tenant)
        with closing(read_only(path)) as source:
            for table in _TABLES:
                rows = source.execute(f"SELECT {_columns(table)} FROM {table.name}")  # noqa: S608 - names of our own tables
                fresh = (row for row in rows if "tenant" in table.c or not _twice(row, seen))
                _take(connection, table, fresh)


def close_up(path: Path) -> None:
    """Makes one file of a database that was open: nothing beside it is needed to read it.

    Raises:
        BadInput: somebody else is at work on it.
        StoreFailed: it can't be written.
    """
    try:
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as wrong:
        if "locked" in str(wrong):
            raise BadInput.at("store", f"somebody is at work on {path}", "end every program that has it open, then try again") from None
        raise StoreFailed(f"{path}: it can't be closed: {wrong} (check rights and disk space)") from wrong
    except sqlite3.Error as wrong:
        raise StoreFailed(f"{path}: it can't be closed: {wrong} (check rights and disk space)") from wrong


def _twice(row: tuple[Any, ...], seen: set[tuple[Any, ...]]) -> bool:
    known = row in seen
    seen.add(row)
    return known


def _empty(path: Path) -> None:
    engine = open_engine(make_url("sqlite://").set(database=str(path)))
    try:
        bring_up(engine)
    finally:
        engine.dispose()


def _fill(connection: Connection, tenant: str, path: Path) -> None:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as target:
            target.execute("PRAGMA foreign_keys=OFF")
            target.execute("BEGIN")
            for table in _TABLES:
                places = ", ".join("?" * len(table.c))
                for rows in _read(connection, table, tenant):
                    target.executemany(f"INSERT INTO {table.name} VALUES ({places})", rows)  # noqa: S608 - our own tables
            target.execute("COMMIT")
    except sqlite3.Error as wrong:
        raise StoreFailed(f"{path}: the copy can't be written: {wrong} (check rights and disk space)") from wrong
    close_up(path)


def _read(connection: Connection, table: Table, tenant: str) -> Iterator[list[Any]]:
    """The rows of a tenant, read piece by piece: the server keeps the rest."""
    where, values = (" WHERE tenant = %s", (tenant,)) if "tenant" in table.c else ("", ())
    with _failing(connection), connection.driver.cursor(name="casekit_copy") as cursor:
        cursor.execute(f"SELECT {_columns(table)} FROM {table.name}{where}", values)  # noqa: S608 - our own tables
        while rows := cursor.fetchmany(BATCH):
            yield rows


def _take(connection: Connection, table: Table, rows: Iterator[tuple[Any, ...]]) -> None:
    """Rows in, as inserts: where row-level security binds, PostgreSQL takes no COPY."""
    statement = f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({', '.join(['%s'] * len(table.c))})"  # noqa: S608 - our own tables
    while batch := list(islice(rows, BATCH)):
        connection.executemany(statement, batch)


@contextmanager
def _failing(connection: Connection) -> Iterator[None]:
    try:
        yield
    except connection.errors as wrong:
        raise StoreFailed(f"the store failed: {str(wrong).strip().splitlines()[0]} (check disk space, rights and server)") from wrong


def _columns(table: Table) -> str:
    return ", ".join(c.name for c in table.c)
