"""How an engine is set: what a promise of durability rests on, and is not casekit's own doing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from attrs import frozen
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from casekit.errors import BadInput
from casekit.store.engine import open_engine
from casekit.store.places import read_only, sqlite_file
from casekit.store.shelf import Shelf

SQLITE_LEAST = (3, 37)
"""STRICT tables came with it."""

POSTGRESQL_LEAST = 130000


@frozen
class Setting:
    """One setting of an engine.

    Attributes:
        name: As the engine has it.
        found: Its value.
        wanted: What it should be; empty: any.
        good: Whether it will do.
        needed: Whether a promise falls with it; else it is worth knowing.
    """

    name: str
    found: str
    wanted: str
    good: bool
    needed: bool = True


def version_at(url: URL, tenant_file: URL) -> str | None:
    """Version of the tables at a place, without making or changing anything; None: there are none.

    Raises:
        BadInput: the place can't be reached.
    """
    path = sqlite_file(tenant_file)
    if path is not None:
        try:
            with closing(read_only(path)) as connection:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.Error:
            return None
        return None if row is None else str(row[0])
    engine = open_engine(url)
    try:
        return _version(engine)
    except DBAPIError as wrong:
        raise BadInput.at(
            "store", f"it can't be opened: {str(wrong.orig).strip().splitlines()[0]}", "check path, rights and server"
        ) from wrong
    finally:
        engine.dispose()


def settings(shelf: Shelf) -> list[Setting]:
    """The settings of the engine that a shelf is on."""
    return _of_sqlite(shelf) if shelf.sqlite else _of_postgresql(shelf)


def server_time(shelf: Shelf) -> str | None:
    """What the server's clock says (canonical instant); None: it is this machine's."""
    if shelf.sqlite:
        return None
    asked = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return str(shelf.connection.execute(asked).fetchone()[0])


def last_recorded(shelf: Shelf) -> str | None:
    """When the youngest entry of a tenant was recorded."""
    found = shelf.connection.execute(f"SELECT max(recorded) FROM streams WHERE tenant = {_place(shelf)}", (shelf.tenant,))  # noqa: S608
    row = found.fetchone()
    return None if row is None or row[0] is None else str(row[0])


def held_cases(shelf: Shelf) -> int:
    """How many imported cases wait for somebody to say what becomes of their clocks."""
    asked = (
        f"SELECT count(*) FROM streams WHERE tenant = {_place(shelf)} AND kind = 'case' AND closed IS NULL AND head LIKE {_place(shelf)}"  # noqa: S608
    )
    return int(shelf.connection.execute(asked, (shelf.tenant, '%"held":true%')).fetchone()[0])


def _place(shelf: Shelf) -> str:
    return "?" if shelf.sqlite else "%s"


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if connection.exec_driver_sql("SELECT to_regclass('alembic_version') IS NULL").scalar():
            return None
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


def _of_sqlite(shelf: Shelf) -> list[Setting]:
    def pragma(name: str) -> Any:
        return shelf.connection.execute(f"PRAGMA {name}").fetchone()[0]

    wanted = {"journal_mode": ("wal",), "synchronous": (2, 3), "foreign_keys": (1,), "secure_delete": (1,)}
    words = {"journal_mode": "wal", "synchronous": "2 (FULL) or 3", "foreign_keys": "1", "secure_delete": "1"}
    found = {name: pragma(name) for name in wanted}
    version = sqlite3.sqlite_version
    return [
        Setting("version", version, f"{SQLITE_LEAST[0]}.{SQLITE_LEAST[1]} or later", sqlite3.sqlite_version_info >= SQLITE_LEAST),
        *(Setting(name, str(found[name]), words[name], found[name] in good) for name, good in wanted.items()),
    ]


def _of_postgresql(shelf: Shelf) -> list[Setting]:
    def show(name: str) -> str:
        return str(shelf.connection.execute(f"SHOW {name}").fetchone()[0])

    number = int(show("server_version_num"))
    sync = show("synchronous_commit")
    return [
        Setting("version", show("server_version"), "13 or later", number >= POSTGRESQL_LEAST),
        *(Setting(name, value := show(name), "on", value == "on") for name in ("fsync", "full_page_writes")),
        Setting("synchronous_commit", sync, "on, local or more", sync != "off"),
        Setting("server_encoding", value := show("server_encoding"), "UTF8", value == "UTF8"),
        Setting("data_checksums", value := show("data_checksums"), "on", value == "on", needed=False),
    ]
