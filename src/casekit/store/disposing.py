"""Taking a whole stream away, and the lists that this needs: closed cases, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select

from casekit.errors import Conflict
from casekit.record.checkpoint import Leaf
from casekit.store import leaves
from casekit.store.shelf import Shelf
from casekit.store.sql import Connection
from casekit.store.tables import DATA_KEYS, ENTRIES, IDEMPOTENCY, OUTBOX, PROJECTED, SEARCH, STREAMS

_OF_IT = (OUTBOX, IDEMPOTENCY, SEARCH, *PROJECTED.values(), ENTRIES)
"""Tables with rows of a stream, those that point to an entry first."""


def take_away(shelf: Shelf, connection: Connection, sid: int, uuid: str) -> None:
    """Deletes a stream: its entries, rows, key, answers and what waits in the outbox. Its leaves stay.

    Raises:
        Conflict: it is gone already.
    """
    values = {"tenant": shelf.tenant, "gone": sid}
    for table in _OF_IT:
        rows = shelf.statements.get(("take away", table.name), _delete, table, table.c.sid)
        connection.execute(rows.text, rows.bind(values))
    keys = shelf.statements.get("take away key", _delete, DATA_KEYS, DATA_KEYS.c.owner)
    connection.execute(keys.text, keys.bind({"tenant": shelf.tenant, "gone": uuid}))
    head = shelf.statements.get("take away head", _delete, STREAMS, STREAMS.c.sid)
    if connection.execute(head.text, head.bind(values)).rowcount != 1:
        raise Conflict("a stream was taken away in between")


def take_in_whole(shelf: Shelf, connection: Connection, sid: int, uuid: str) -> None:
    """Takes everything into the log that it has not of a stream: its leaves are what is left to prove it by.

    Raises:
        Taken: another takes entries in at the same time.
    """
    known = leaves.leaves_of(shelf, [uuid]).get(uuid, [])
    place = leaves.size(shelf)
    fresh = leaves.untaken(shelf, [(sid, uuid, len(known))])
    if fresh:
        leaves.put(shelf, connection, [Leaf(place + i, uuid, n, hash_) for i, (_, n, hash_) in enumerate(fresh)])


def closed_cases(shelf: Shelf, types: Sequence[str], after: int, size: int) -> list[tuple[int, str]]:
    """Closed cases of these types in the order of their making, from behind a sid on: sid, UUID."""
    prepared = shelf.statements.get(("closed cases", len(types)), _closed, len(types))
    values: dict[str, Any] = {"tenant": shelf.tenant, "after": after, "size": size, **{f"type{i}": one for i, one in enumerate(types)}}
    return [(sid, uuid) for sid, uuid in shelf.connection.rows(prepared, values)]


def vacuum(shelf: Shelf) -> None:
    """On PostgreSQL: what was deleted leaves the tables (their pages are used again; the server's log is the server's)."""
    for table in (*_OF_IT, DATA_KEYS, STREAMS):
        shelf.connection.execute(f"VACUUM {table.name}")


def _delete(table: Any, by: Any) -> Any:
    mine = table.c.tenant == bindparam("tenant", type_=table.c.tenant.type)
    return delete(table).where(mine, by == bindparam("gone", type_=by.type))


def _closed(count: int) -> Any:
    where = [
        STREAMS.c.tenant == bindparam("tenant", type_=STREAMS.c.tenant.type),
        STREAMS.c.kind == "case",
        STREAMS.c.closed.is_not(None),
        STREAMS.c.sid > bindparam("after", type_=STREAMS.c.sid.type),
        STREAMS.c.type.in_([bindparam(f"type{i}", type_=STREAMS.c.type.type) for i in range(count)]),
    ]
    return select(STREAMS.c.sid, STREAMS.c.uuid).where(*where).order_by(STREAMS.c.sid).limit(bindparam("size"))
