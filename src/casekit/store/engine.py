"""Where a store is: its URL, its engine, its tables brought up to date."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from casekit.errors import BadInput, StoreFailed
from casekit.store.fence import POLICY
from casekit.store.lock import lock_of

HEAD = "0006"
"""The migration that this casekit's tables correspond to."""

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA busy_timeout=60000",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
)
_upgrading = Lock()


def read_url(said: str) -> URL:
    """The store URL, checked.

    Raises:
        BadInput: no URL, or of a database that casekit does not know.
    """
    do = "use sqlite:///file.db or postgresql://user@host/database"
    try:
        url = make_url(said)
    except (ArgumentError, ValueError):
        raise BadInput.at("store", f"{said!r} is no store URL", do) from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise BadInput.at("store", f"{said!r} names no file: a record that ends with the process is none", do)
        return url
    if url.get_backend_name() == "postgresql":
        if not url.database:
            raise BadInput.at("store", f"{said!r} names no database", do)
        return url.set(drivername="postgresql+psycopg")
    raise BadInput.at("store", f"{said!r}: casekit keeps its record in SQLite or PostgreSQL, not in {url.get_backend_name()}", do)


def tenant_url(url: URL, tenant: str) -> URL:
    """Where a tenant's part of the store is: on SQLite a file of its own, on PostgreSQL the same database."""
    if url.get_backend_name() != "sqlite" or tenant == "main":
        return url
    path = Path(str(url.database))
    return url.set(database=str(path.with_name(f"{path.stem}.{tenant}{path.suffix}")))


def open_engine(url: URL) -> Engine:
    """The engine of a store, in autocommit at the driver; without a pool, for each thread keeps a connection of its own.

    Raises:
        BadInput: the place can't be reached or is no database of casekit's.
    """
    if url.get_backend_name() == "sqlite":
        settings = {"isolation_level": None, "check_same_thread": False, "cached_statements": 512}
        engine = create_engine(url, poolclass=NullPool, connect_args=settings)
        event.listen(engine, "connect", _settle)
    else:
        try:
            engine = create_engine(url, poolclass=NullPool, paramstyle="format", isolation_level="AUTOCOMMIT")
        except ModuleNotFoundError:
            raise BadInput.at("store", "the driver for PostgreSQL is not installed", "install casekit[postgresql]") from None
    return engine


def bring_up(engine: Engine) -> None:
    """Creates the tables, or brings them up to date; nothing happens where they are.

    Raises:
        BadInput: the place can't be reached or is no database.
        StoreFailed: the store was written by a later casekit; ``SameThread``: this thread is writing to it.
    """
    with _upgrading:
        try:
            found = _version(engine)
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise StoreFailed(f"the store is of version {found}, this casekit knows {HEAD} (use the newer casekit)")
            with lock_of(str(engine.url.database)) if engine.dialect.name == "sqlite" else nullcontext():
                _upgrade(engine)
        except (DBAPIError, sqlite3.Error, OSError, UnicodeError) as wrong:  # a damaged schema is no text any more
            reason = str(getattr(wrong, "orig", None) or wrong).strip().splitlines()[0]
            where = engine.url.render_as_string(hide_password=True)
            do = "check path, rights and server"
            if "permission denied" in reason or "must be owner" in reason:
                do = "the tables are made and brought up to date by their owner: casekit store grant ROLE"
            raise BadInput.at("store", f"{where} can't be opened: {reason}", do) from wrong


def _settle(driver: Any, _record: Any) -> None:
    for pragma in PRAGMAS:
        driver.execute(pragma)


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not _there(connection, "alembic_version"):
            return None
        if not _there(connection, "streams"):
            where = engine.url.render_as_string(hide_password=True)
            do = "give that program's Alembic a version_table of its own, or the record a database of its own"
            raise BadInput.at("store", f"{where}: the table alembic_version is another program's", do)
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return None if row is None else str(row[0])


def _there(connection: Connection, table: str) -> bool:
    if connection.dialect.name == "sqlite":
        asked = f"SELECT 1 FROM sqlite_master WHERE name = '{table}'"  # noqa: S608 - names of our own
    else:
        asked = f"SELECT 1 WHERE to_regclass('{table}') IS NOT NULL"
    return connection.exec_driver_sql(asked).first() is not None


def _upgrade(engine: Engine) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    from casekit.store.migrations import STEPS

    with engine.connect() as connection:
        begin = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "BEGIN"
        connection.exec_driver_sql(begin)
        try:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7024113)")
                _force(connection, "NO FORCE")  # a step sees the rows of all tenants
            context = MigrationContext.configure(connection, opts={"transactional_ddl": False})
            context._ensure_version_table()  # noqa: SLF001 - Alembic offers no public way without its command line
            done = context.get_current_revision()
            for revision, upgrade in STEPS.items():
                if done is None or revision > done:
                    upgrade(Operations(context))
            connection.exec_driver_sql("DELETE FROM alembic_version")
            connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
            if engine.dialect.name == "postgresql":
                _force(connection, "FORCE")
                _grant_again(connection)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise


def _force(connection: Connection, how: str) -> None:
    """Lets row-level security bind the owner of the tables, or not, for as long as the transaction has it so."""
    fenced = "SELECT polrelid::regclass::text FROM pg_policy WHERE polname = :policy AND pg_table_is_visible(polrelid)"
    for (table,) in connection.execute(text(fenced), {"policy": POLICY}).all():
        connection.exec_driver_sql(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")


def _grant_again(connection: Connection) -> None:
    """Roles that were let to work with the tables are let to work with those that are new."""
    from casekit.store.rights import give

    roles = (
        "SELECT DISTINCT r.rolname FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee "
        "WHERE c.oid = to_regclass('streams') AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner"
    )
    for (role,) in connection.exec_driver_sql(roles).all():
        give(connection, role)
