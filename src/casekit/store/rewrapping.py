"""Wrapping data keys anew: a few at a time, each time in a transaction, so that a crash leaves old rows and new ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import bindparam, func, select, update

from casekit.store.shelf import Shelf, writing
from casekit.store.sql import Connection
from casekit.store.tables import DATA_KEYS

BATCH = 1000


def wrapped_by(shelf: Shelf) -> dict[str, int]:
    """Id of a wrapping key → how many of the tenant's data keys it wraps."""
    prepared = shelf.statements.get("wrapped by", _wrapped_by)
    return dict(shelf.connection.rows(prepared, {"tenant": shelf.tenant}))


def rows_after(shelf: Shelf, owner: str) -> list[tuple[str, str, str, bytes]]:
    """Rows of data keys behind an owner, in their order, so many at a time."""
    prepared = shelf.statements.get("keys after", _rows_after)
    rows = shelf.connection.rows(prepared, {"tenant": shelf.tenant, "after": owner, "size": BATCH})
    return [(found, name, kek, bytes(wrapped)) for found, name, kek, wrapped in rows]


def rewrap(shelf: Shelf) -> int:
    """Wraps all of a tenant's data keys with the keyring's current key; gives how many were wrapped with another.

    Raises:
        StoreFailed: a row does not open, or the database failed: what is wrapped anew stays so, the rest is as it was.
    """
    prepared = shelf.statements.get("rewrap", _rewrap)
    made, after = 0, ""
    while True:
        with writing(shelf) as connection:
            rows = rows_after(shelf, after)
            for row in rows:
                if row[2] != shelf.vault.ring.current:
                    owner, name, kek, wrapped = shelf.vault.rewrap(row)
                    values = {"tenant": shelf.tenant, "at": owner, "named": name, "kek": kek, "wrapped": wrapped}
                    made += connection.execute(prepared.text, prepared.bind(values)).rowcount
        if not rows:
            return made
        after = rows[-1][0]


@contextmanager
def nobody_makes_keys(shelves: list[Shelf]) -> Iterator[Connection]:
    """While the block runs, nobody else writes a data key: one transaction on each file, or one lock on PostgreSQL."""
    first, *rest = shelves
    with writing(first) as connection:
        if not first.sqlite:
            connection.execute("LOCK TABLE data_keys IN SHARE ROW EXCLUSIVE MODE")
            yield connection
            return
        if not rest:
            yield connection
            return
        with nobody_makes_keys(rest):
            yield connection


def _wrapped_by() -> Any:
    counted = select(DATA_KEYS.c.kek, func.count()).where(DATA_KEYS.c.tenant == bindparam("tenant"))
    return counted.group_by(DATA_KEYS.c.kek).order_by(DATA_KEYS.c.kek)


def _rows_after() -> Any:
    columns = (DATA_KEYS.c.owner, DATA_KEYS.c.id, DATA_KEYS.c.kek, DATA_KEYS.c.wrapped)
    where = (DATA_KEYS.c.tenant == bindparam("tenant"), DATA_KEYS.c.owner > bindparam("after"))
    return select(*columns).where(*where).order_by(DATA_KEYS.c.owner).limit(bindparam("size"))


def _rewrap() -> Any:
    where = (DATA_KEYS.c.tenant == bindparam("tenant"), DATA_KEYS.c.owner == bindparam("at"), DATA_KEYS.c.id == bindparam("named"))
    values = {name: bindparam(name, type_=DATA_KEYS.c[name].type) for name in ("kek", "wrapped")}
    return update(DATA_KEYS).where(*where).values(values)
