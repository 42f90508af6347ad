"""What there is at a place where a store may be, without making or changing anything there."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from glob import escape
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from casekit.errors import BadInput
from casekit.store.engine import open_engine

_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def sqlite_file(url: URL) -> Path | None:
    """The file of a store on SQLite."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def tenants_at(url: URL) -> tuple[str, ...]:
    """Everyone who has a record there, in order; nobody where there is no store.

    Raises:
        BadInput: the place can't be reached.
    """
    path = sqlite_file(url)
    return _in_files(path) if path is not None else _in_database(url)


def restoring(url: URL) -> Path:
    """The file that stands beside a store on SQLite while tables are placed there."""
    return Path(f"{url.database}.restoring")


def read_only(path: Path) -> sqlite3.Connection:
    """A SQLite file, opened for reading alone."""
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None)


def is_database(path: Path) -> bool:
    """Whether a file is one of SQLite's.

    SQLite itself is asked. A file of its must not be opened by other means in a process that has it open: closing it
    takes away the locks that SQLite holds on it, and then another process may take itself for the last one and do away
    with the log that this one writes to.
    """
    try:
        if not path.is_file() or not path.stat().st_size:
            return False
        with closing(read_only(path)) as connection:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.DatabaseError as wrong:
        return "not a database" not in str(wrong)  # damaged, or locked: whoever opens it will say so
    except OSError:
        return False
    return True


def _in_files(path: Path) -> tuple[str, ...]:
    found = ["main"] if is_database(path) else []
    for other in path.parent.glob(f"{escape(path.stem)}.*{escape(path.suffix)}"):
        name = other.name[len(path.stem) + 1 : len(other.name) - len(path.suffix)]
        if _TENANT.fullmatch(name) and name != "main" and is_database(other) and _is_of(other, name):
            found.append(name)
    return tuple(sorted(found))


def _is_of(path: Path, tenant: str) -> bool:
    """Whether a file holds the record of a tenant, and of no other: a copy that somebody has put aside does not."""
    try:
        with closing(read_only(path)) as connection:
            return connection.execute("SELECT 1 FROM streams WHERE tenant <> ? LIMIT 1", (tenant,)).fetchone() is None
    except sqlite3.Error:
        return True  # damaged, or not begun: whoever opens it will say so


def _in_database(url: URL) -> tuple[str, ...]:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            if connection.exec_driver_sql("SELECT to_regclass('streams') IS NULL").scalar():
                return ()
            fenced = connection.exec_driver_sql("SELECT to_regprocedure('casekit_tenants()') IS NOT NULL").scalar()
            named = "casekit_tenants() AS tenant" if fenced else "(SELECT tenant FROM streams UNION SELECT tenant FROM data_keys) AS t"
            rows = connection.exec_driver_sql(f"SELECT tenant FROM {named} ORDER BY 1").all()  # noqa: S608 - names of our own
            return tuple(str(row[0]) for row in rows)
    except DBAPIError as wrong:
        where = url.render_as_string(hide_password=True)
        reason = str(wrong.orig).strip().splitlines()[0]
        raise BadInput.at("store", f"{where} can't be opened: {reason}", "check path, rights and server") from wrong
    finally:
        engine.dispose()
