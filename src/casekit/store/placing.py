"""Putting copied tables where a store is to be: into an empty place, or in place of a store that holds nothing newer."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from casekit.errors import BadInput, Problem, StoreFailed
from casekit.store.copying import copy_in
from casekit.store.durable import digest_of
from casekit.store.engine import tenant_url
from casekit.store.files import Files
from casekit.store.places import read_only, restoring
from casekit.store.private import sync
from casekit.store.shelf import Shelf
from casekit.store.sql import Connection
from casekit.store.tables import METADATA


class Placing:
    """One restore. Whatever it has put somewhere goes again if it fails.

    Args:
        url: Where the store is to be.
        tables: Tenant → file with its tables, on the same disk as the store where that is on SQLite.
    """

    def __init__(self, url: URL, tables: Mapping[str, Path]) -> None:
        self.url = url
        self.tables = tables
        self._made: list[Path] = []

    @contextmanager
    def undone_if_it_fails(self) -> Iterator[None]:
        """Takes away what was placed if the block raises.

        Raises:
            StoreFailed: a file can't be written.
        """
        try:
            yield
        except OSError as wrong:
            self._undo()
            raise StoreFailed(f"the store can't be placed: {wrong} (check rights and disk space)") from wrong
        except BaseException:
            self._undo()
            raise

    def contents(self, source: Path, target: Path) -> int:
        """Puts contents of documents into a folder, each proved by its own digest; gives how many were not there."""
        placed = 0
        for tenant in self.tables:
            there, here = Files(source / tenant), Files(target / tenant)
            for path in sorted((source / tenant).glob("??/*")):
                goal = here.path(path.name)
                if goal.exists() and digest_of(goal)[1] == path.name:
                    continue
                self._made += [] if goal.exists() else [goal]
                here.put(there.get(path.name))
                placed += 1
        return placed

    def made(self, path: Path) -> None:
        """A file that goes again if the restore fails."""
        self._made.append(path)

    def files(self) -> None:
        """Places the tables on SQLite. A marker says that it is not done yet: until it is, nobody works with the store.

        Raises:
            BadInput: the store there holds what the tables lack.
        """
        marker = restoring(self.url)
        self._made += [] if marker.exists() else [marker]
        with marker.open("ab") as file:
            os.fsync(file.fileno())
        sync(marker.parent)
        for tenant, path in self.tables.items():
            goal = Path(str(tenant_url(self.url, tenant).database))
            if goal.exists():
                self._over(tenant, path)
            else:
                self._made.append(goal)
                path.rename(goal)
        sync(marker.parent)
        marker.unlink()
        sync(marker.parent)

    def database(self) -> None:
        """Places the tables on PostgreSQL: all of them, or none.

        Raises:
            BadInput: the store there holds what the tables lack.
        """
        shelf = Shelf(self.url, next(iter(self.tables)), None, None)
        try:
            with shelf.transaction() as connection:
                connection.execute(f"LOCK TABLE {', '.join(METADATA.tables)} IN ACCESS EXCLUSIVE MODE")
                here = [str(row[0]) for row in connection.execute("SELECT casekit_tenants()").fetchall()]
                for tenant in here:
                    connection.tell(tenant)
                    _refuse_newer(_heads(connection), self.tables)
                    for table in reversed(METADATA.sorted_tables):
                        connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of our own tables
                copy_in(connection, self.tables)
        finally:
            shelf.close()

    def _over(self, tenant: str, path: Path) -> None:
        """Replaces the rows of a store that others may have open: in one transaction, so that they see the one or the other."""
        shelf = Shelf(tenant_url(self.url, tenant), tenant, None, None)
        try:
            shelf.connection.execute("ATTACH DATABASE ? AS copied", (str(path),))
            with shelf.transaction() as connection:
                _refuse_newer(_heads(connection), {tenant: path})
                for table in reversed(METADATA.sorted_tables):
                    connection.execute(f"DELETE FROM main.{table.name}")  # noqa: S608 - names of our own tables
                for table in METADATA.sorted_tables:
                    columns = ", ".join(c.name for c in table.c)
                    connection.execute(f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM copied.{table.name}")  # noqa: S608
        finally:
            shelf.close()

    def _undo(self) -> None:
        for path in reversed(self._made):
            with suppress(OSError):
                path.unlink()
            for beside in ("-wal", "-shm"):
                with suppress(OSError):
                    path.with_name(path.name + beside).unlink()


def _heads(connection: Connection) -> list[tuple[str, str, int, bytes]]:
    """Every stream of a store: tenant, UUID, n, last link."""
    found = connection.execute("SELECT tenant, uuid, n, hash FROM streams").fetchall()
    return [(tenant, uuid, n, bytes(hash_)) for tenant, uuid, n, hash_ in found]


def _refuse_newer(heads: list[tuple[str, str, int, bytes]], tables: Mapping[str, Path]) -> None:
    """Refuses to replace a store in which something stands that the tables lack.

    Raises:
        BadInput: the streams in which it stands.
    """
    wrong: list[Problem] = []
    do = "restore into an empty place; whoever wants to lose these entries takes the store away first"
    for tenant, uuid, n, hash_ in heads:
        if tenant not in tables or not _holds(tables[tenant], uuid, n, hash_):
            wrong.append(Problem(f"{tenant} {uuid}", f"the store here has {n} entries of it, and the backup has not all of them", do))
            if len(wrong) == 5:
                break
    if wrong:
        raise BadInput(wrong)


def _holds(path: Path, uuid: str, n: int, hash_: bytes) -> bool:
    with closing(read_only(path)) as tables:
        row: Any = tables.execute(
            "SELECT e.hash FROM streams s JOIN entries e ON e.tenant = s.tenant AND e.sid = s.sid WHERE s.uuid = ? AND e.n = ?", (uuid, n)
        ).fetchone()
    return row is not None and bytes(row[0]) == hash_


def keks_of(path: Path) -> set[str]:
    """Ids of the keys that wrap the data keys in a file of tables."""
    with closing(read_only(path)) as tables:
        try:
            return {row[0] for row in tables.execute("SELECT DISTINCT kek FROM data_keys")}
        except sqlite3.Error as wrong:
            raise BadInput.at(str(path), f"can't be read: {wrong}", "use another backup") from None
