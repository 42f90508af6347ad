"""Queries of verification: what lies beside the journal, and what belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select

from casekit.store.shelf import Shelf
from casekit.store.sql import Prepared
from casekit.store.tables import (
    CHECKPOINTS,
    DATA_KEYS,
    DEFINITIONS,
    ENTRIES,
    IDEMPOTENCY,
    LEAVES,
    META,
    OUTBOX,
    PROJECTED,
    SEARCH,
    SEQUENCES,
    STREAMS,
)

OF_STREAMS: dict[str, Table] = {"entries": ENTRIES, **PROJECTED, "search": SEARCH, "idempotency": IDEMPOTENCY, "outbox": OUTBOX}
"""Tables whose rows belong to a stream, by name."""

OF_TENANTS: dict[str, Table] = {
    "data_keys": DATA_KEYS,
    "definitions": DEFINITIONS,
    "sequences": SEQUENCES,
    "leaves": LEAVES,
    "checkpoints": CHECKPOINTS,
}
"""Tables whose rows belong to a tenant, by name."""

POINTERS: dict[str, Table] = {"idempotency": IDEMPOTENCY, "outbox": OUTBOX}
"""Tables that point to an entry, by name."""


def strays(shelf: Shelf, table: str) -> list[tuple[int, int]]:
    """Rows of a table that belong to no stream of the tenant: sid, how many."""
    prepared = shelf.statements.get(("strays", table), _strays, OF_STREAMS[table], shelf.sqlite)
    return [(sid, count) for sid, count in shelf.connection.rows(prepared, {"tenant": shelf.tenant})]


def outsiders(shelf: Shelf, table: str) -> list[str]:
    """Tenants that rows of a table name, and who have no stream; on PostgreSQL see :func:`hidden`."""
    if not shelf.sqlite:
        return []
    prepared = shelf.statements.get(("outsiders", table), _outsiders, OF_TENANTS[table])
    return [row[0] for row in shelf.connection.rows(prepared, {})]


def hidden(shelf: Shelf) -> list[tuple[str, str, str, int]]:
    """Rows of no tenant that row-level security hides from every one: table, the tenant that they name, sid (empty where the
    table has none), how many. PostgreSQL only.
    """
    if shelf.sqlite:
        return []
    asked = "SELECT place, named, coalesce(stream::text, ''), count FROM casekit_nobodys() ORDER BY 1, 2, 3"
    return [(table, named, sid, count) for table, named, sid, count in shelf.connection.execute(asked).fetchall()]


def ownerless(shelf: Shelf) -> list[str]:
    """Owners of data keys who are no stream of the tenant."""
    return [row[0] for row in shelf.connection.rows(shelf.statements.get("ownerless", _ownerless), {"tenant": shelf.tenant})]


def pointing_nowhere(shelf: Shelf, table: str) -> list[tuple[int, int]]:
    """Rows that point to an entry which is not there, or not of that time: sid, n."""
    prepared = shelf.statements.get(("pointing nowhere", table), _pointing_nowhere, POINTERS[table])
    return [(sid, n) for sid, n in shelf.connection.rows(prepared, {"tenant": shelf.tenant})]


def found_between(shelf: Shelf, first: int, last: int) -> list[tuple[Any, ...]]:
    """Search rows for a range of streams: sid, field, keyed digest."""
    prepared = shelf.statements.get("found between", _found_between)
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant, "first": first, "last": last})


def definitions(shelf: Shelf) -> list[tuple[str, str, str, str, str]]:
    """All definitions: digest, kind, name, version, body."""
    columns = [c for c in DEFINITIONS.c if c.name != "tenant"]
    prepared = shelf.statements.get("definitions", lambda: select(*columns).where(_mine(DEFINITIONS)).order_by(DEFINITIONS.c.digest))
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant})


def sequences(shelf: Shelf) -> dict[str, int]:
    """Sequences: name → the last value drawn."""
    prepared = shelf.statements.get("sequences", lambda: select(SEQUENCES.c.name, SEQUENCES.c.value).where(_mine(SEQUENCES)))
    return dict(shelf.connection.rows(prepared, {"tenant": shelf.tenant}))


def meta(shelf: Shelf) -> dict[str, str]:
    """What the store says of itself."""
    return dict(shelf.connection.rows(shelf.statements.get("all meta", lambda: select(META.c.name, META.c.value)), {}))


def damage(shelf: Shelf) -> list[str]:
    """What the database itself finds wrong with its files: broken pages, indexes that differ from their tables.

    SQLite only; on PostgreSQL, data checksums and ``pg_amcheck`` are the server's own.
    """
    if not shelf.sqlite:
        return []
    found = [str(row[0]) for row in shelf.connection.rows(Prepared("PRAGMA integrity_check", (), {}), {})]
    return [] if found == ["ok"] else found


@contextmanager
def lossless(shelf: Shelf) -> Iterator[None]:
    """Reads texts that are no UTF-8 all the same, their odd bytes written out, so that what holds them can be named."""
    driver = shelf.connection.driver
    before = driver.text_factory
    driver.text_factory = _text
    try:
        yield
    finally:
        driver.text_factory = before


def _text(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")


def _mine(table: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = table.c.tenant == bindparam("tenant", type_=table.c.tenant.type)
    return found


def _nobodys(table: Table) -> ColumnElement[bool]:
    streams = STREAMS.alias("others")
    return ~select(streams.c.sid).where(streams.c.tenant == table.c.tenant).exists()


def _strays(table: Table, nobodys: bool) -> Any:
    same = and_(STREAMS.c.tenant == table.c.tenant, STREAMS.c.sid == table.c.sid)
    found = select(table.c.sid, func.count()).select_from(table.outerjoin(STREAMS, same))
    whose = _mine(table) | _nobodys(table) if nobodys else _mine(table)
    return found.where(whose, STREAMS.c.sid.is_(None)).group_by(table.c.sid)


def _outsiders(table: Table) -> Any:
    return select(table.c.tenant).where(_nobodys(table)).distinct()


def _ownerless() -> Any:
    same = and_(STREAMS.c.tenant == DATA_KEYS.c.tenant, STREAMS.c.uuid == DATA_KEYS.c.owner)
    return select(DATA_KEYS.c.owner).select_from(DATA_KEYS.outerjoin(STREAMS, same)).where(_mine(DATA_KEYS), STREAMS.c.sid.is_(None))


def _pointing_nowhere(table: Table) -> Any:
    same = and_(ENTRIES.c.tenant == table.c.tenant, ENTRIES.c.sid == table.c.sid, ENTRIES.c.n == table.c.n)
    wrong: ColumnElement[bool] = ENTRIES.c.n.is_(None)
    if "recorded" in table.c:
        wrong = or_(wrong, ENTRIES.c.recorded != table.c.recorded)
    return select(table.c.sid, table.c.n).select_from(table.outerjoin(ENTRIES, same)).where(_mine(table), wrong)


def _found_between() -> Any:
    where = (_mine(SEARCH), SEARCH.c.sid >= bindparam("first"), SEARCH.c.sid <= bindparam("last"))
    return select(SEARCH.c.sid, SEARCH.c.field, SEARCH.c.hmac).where(*where)
