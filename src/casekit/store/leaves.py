"""The log of all entries: what it has not taken in yet, its leaves, its checkpoints.

Nothing here is on a command's path: what is new is found by comparing heads with leaves, and leaves are numbered here.
A sequence would number what was rolled back, and out of the order of commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ARRAY, and_, bindparam, func, insert, select, true, union_all

from casekit.record.checkpoint import Leaf
from casekit.store.shelf import Shelf
from casekit.store.sql import Connection
from casekit.store.tables import CHECKPOINTS, ENTRIES, LEAVES, STREAMS

Grown = tuple[int, str, int]
"""A stream with entries that the log has not taken in: sid, UUID, entries taken in so far."""

AT_ONCE = 100
"""The largest number of streams whose new entries are read at once."""

_NOWHERE = -(2**63)
"""A sid that no stream has."""

PAGE = 5000
"""Leaves that are read at once."""


def size(shelf: Shelf) -> int:
    """How many leaves the log has."""
    prepared = shelf.statements.get("log size", lambda: select(func.max(LEAVES.c.place)).where(_mine(LEAVES)))
    last = shelf.connection.row(prepared, {"tenant": shelf.tenant})[0]
    return 0 if last is None else last + 1


def grown(shelf: Shelf, after: int, count: int) -> list[Grown]:
    """Streams with entries that the log has not taken in, in the order of their making, from behind a sid on."""
    prepared = shelf.statements.get("grown", _grown)
    return [tuple(row) for row in shelf.connection.rows(prepared, {"tenant": shelf.tenant, "after": after, "size": count})]


def untaken(shelf: Shelf, streams: Sequence[Grown]) -> list[tuple[int, int, bytes]]:
    """Entries of streams that the log has not taken in, stream by stream in order: sid, n, hash."""
    count = next(size_ for size_ in (1, 10, AT_ONCE) if size_ >= len(streams))  # few statements for all counts
    prepared = shelf.statements.get(("untaken", count), _untaken, count, shelf.sqlite)
    values: dict[str, Any] = {"tenant": shelf.tenant}
    padded = [*streams, *[(_NOWHERE, "", 0)] * (count - len(streams))]
    for i, (sid, _, taken) in enumerate(padded):
        values |= {f"sid{i}": sid, f"n{i}": taken}
    return sorted((sid, n, bytes(hash_)) for sid, n, hash_ in shelf.connection.rows(prepared, values))


def put(shelf: Shelf, connection: Connection, leaves: Sequence[Leaf]) -> None:
    """Adds leaves to the log.

    Raises:
        Taken: another has taken the same entries in.
    """
    if shelf.sqlite:
        prepared = shelf.statements.get("new leaf", lambda: insert(LEAVES).values({c.name: bindparam(c.name) for c in LEAVES.c}))
        connection.executemany(prepared.text, [(shelf.tenant, leaf.at, leaf.stream, leaf.n, leaf.hash) for leaf in leaves])
        return
    several = shelf.statements.get("new leaves", _new)
    columns = {"place": [one.at for one in leaves], "stream": [one.stream for one in leaves], "n": [one.n for one in leaves]}
    values = several.bind({"tenant": shelf.tenant, "hash": [one.hash for one in leaves], **columns})
    connection.execute(several.text, values)


def _raw(value: object) -> bytes:
    """What a column of bytes holds; in damaged files it may be of another kind, and then it is none of the log's."""
    return bytes(value) if isinstance(value, (bytes, memoryview)) else repr(value).encode("utf-8", "surrogateescape")


def leaves(shelf: Shelf, first: int = -(2**63)) -> Iterator[Leaf]:
    """The log, leaf by leaf, from a place on."""
    prepared = shelf.statements.get("leaves", _leaves)
    while rows := shelf.connection.rows(prepared, {"tenant": shelf.tenant, "first": first, "size": PAGE}):
        for place, stream, n, hash_ in rows:
            yield Leaf(place, stream, n, _raw(hash_))
        first = rows[-1][0] + 1


def leaves_of(shelf: Shelf, uuids: Sequence[str]) -> dict[str, list[Leaf]]:
    """The leaves that tell of streams, by UUID, in the order of their places."""
    prepared = shelf.statements.get(("leaves of", len(uuids)), _leaves_of, len(uuids))
    values = {"tenant": shelf.tenant, **{f"stream{i}": uuid for i, uuid in enumerate(uuids)}}
    return _by_stream(shelf.connection.rows(prepared, values))


def orphans(shelf: Shelf) -> dict[str, list[Leaf]]:
    """Leaves that tell of what is no stream (any more), by UUID, in the order of their places."""
    return _by_stream(shelf.connection.rows(shelf.statements.get("orphans", _orphans), {"tenant": shelf.tenant}))


def checkpoints(shelf: Shelf) -> list[tuple[int, str, bytes]]:
    """All checkpoints, the smallest first: size, note, packed peaks."""
    columns = (CHECKPOINTS.c.size, CHECKPOINTS.c.note, CHECKPOINTS.c.peaks)
    prepared = shelf.statements.get("checkpoints", lambda: select(*columns).where(_mine(CHECKPOINTS)).order_by(CHECKPOINTS.c.size))
    return [(size_, note, _raw(peaks)) for size_, note, peaks in shelf.connection.rows(prepared, {"tenant": shelf.tenant})]


def last_checkpoint(shelf: Shelf) -> tuple[int, str, bytes] | None:
    """The latest checkpoint: size, note, packed peaks."""
    row = shelf.connection.row(shelf.statements.get("last checkpoint", _last_checkpoint), {"tenant": shelf.tenant})
    return None if row is None else (row[0], row[1], bytes(row[2]))


def _by_stream(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Leaf]]:
    found: dict[str, list[Leaf]] = {}
    for place, stream, n, hash_ in rows:
        found.setdefault(stream, []).append(Leaf(place, stream, n, _raw(hash_)))
    return found


def _mine(table: Any) -> Any:
    return table.c.tenant == bindparam("tenant", type_=table.c.tenant.type)


def _new() -> Any:
    """On PostgreSQL all at once, column by column: as many statements take several times as long."""
    columns = [c for c in LEAVES.c if c.name != "tenant"]
    rows = func.unnest(*(bindparam(c.name, type_=ARRAY(c.type)) for c in columns)).table_valued(*(c.name for c in columns)).render_derived()
    tenant = bindparam("tenant", type_=LEAVES.c.tenant.type)
    return insert(LEAVES).from_select([c.name for c in LEAVES.c], select(tenant, *(rows.c[c.name] for c in columns)))


def _grown() -> Any:
    taken = func.coalesce(
        select(func.max(LEAVES.c.n)).where(LEAVES.c.tenant == STREAMS.c.tenant, LEAVES.c.stream == STREAMS.c.uuid).scalar_subquery(), 0
    )
    where = (_mine(STREAMS), STREAMS.c.sid > bindparam("after", type_=STREAMS.c.sid.type), STREAMS.c.n > taken)
    return select(STREAMS.c.sid, STREAMS.c.uuid, taken).where(*where).order_by(STREAMS.c.sid).limit(bindparam("size"))


def _untaken(count: int, on_sqlite: bool) -> Any:
    """The streams as rows, joined: neither engine finds its way through a hundred alternatives.

    PostgreSQL reads the whole journal for each hundred streams where it has no statistics yet, unless it is made to look
    up stream by stream: what is ordered within is not flattened into a join.
    """
    sid, n = ENTRIES.c.sid, ENTRIES.c.n
    rows = [select(bindparam(f"sid{i}", type_=sid.type).label("sid"), bindparam(f"n{i}", type_=n.type).label("n")) for i in range(count)]
    wanted = (rows[0] if count == 1 else union_all(*rows)).cte("wanted")
    same = and_(_mine(ENTRIES), sid == wanted.c.sid, n > wanted.c.n)
    if on_sqlite:
        return select(sid, n, ENTRIES.c.hash).join_from(wanted, ENTRIES, same)
    each = select(sid, n, ENTRIES.c.hash).where(same).order_by(n).lateral("each")
    return select(each.c.sid, each.c.n, each.c.hash).select_from(wanted).join(each, true())


_LEAF = (LEAVES.c.place, LEAVES.c.stream, LEAVES.c.n, LEAVES.c.hash)


def _leaves() -> Any:
    where = (_mine(LEAVES), LEAVES.c.place >= bindparam("first", type_=LEAVES.c.place.type))
    return select(*_LEAF).where(*where).order_by(LEAVES.c.place).limit(bindparam("size"))


def _leaves_of(count: int) -> Any:
    streams = [bindparam(f"stream{i}", type_=LEAVES.c.stream.type) for i in range(count)]
    return select(*_LEAF).where(_mine(LEAVES), LEAVES.c.stream.in_(streams)).order_by(LEAVES.c.place)


def _orphans() -> Any:
    same = and_(STREAMS.c.tenant == LEAVES.c.tenant, STREAMS.c.uuid == LEAVES.c.stream)
    found = select(*_LEAF).select_from(LEAVES.outerjoin(STREAMS, same)).where(_mine(LEAVES), STREAMS.c.sid.is_(None))
    return found.order_by(LEAVES.c.place)


def _last_checkpoint() -> Any:
    columns = (CHECKPOINTS.c.size, CHECKPOINTS.c.note, CHECKPOINTS.c.peaks)
    return select(*columns).where(_mine(CHECKPOINTS)).order_by(CHECKPOINTS.c.size.desc()).limit(1)
