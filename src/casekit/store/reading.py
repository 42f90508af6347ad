"""Queries. Lists read clear columns and go page by page along a key; nothing sorts by what is sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, tuple_

from casekit.record.entry import COLUMNS
from casekit.record.tables import LISTED, ROWS
from casekit.store.keys import KeyRow
from casekit.store.shelf import Shelf
from casekit.store.sight import NOTHING, Sight, visible
from casekit.store.tables import DATA_KEYS, DEFINITIONS, ENTRIES, IDEMPOTENCY, OUTBOX, PROJECTED, SEARCH, STREAMS


@frozen
class Head:
    """A stream as its head row has it.

    Attributes:
        sid, uuid, kind: Which stream.
        n, version: Entries so far, changes so far.
        hash: The last link.
        recorded: When the last entry was recorded.
        text: The head as canonical text.
        key: The wrapped data key that the stream owns; None: it has none (erased, or never made).
    """

    sid: int
    uuid: str
    kind: str
    n: int
    version: int
    hash: bytes
    recorded: str
    text: str
    key: KeyRow | None


_HEAD = (STREAMS.c.sid, STREAMS.c.uuid, STREAMS.c.kind, STREAMS.c.n, STREAMS.c.version, STREAMS.c.hash, STREAMS.c.recorded, STREAMS.c.head)


def head_of(shelf: Shelf, uuid: str, *, locked: bool = False) -> Head | None:
    """The stream with that UUID. ``locked`` keeps others from changing it until the transaction ends."""
    locked = locked and not shelf.sqlite
    prepared = shelf.statements.get(("head", locked), _head, STREAMS.c.uuid, locked)
    row = shelf.connection.row(prepared, {"tenant": shelf.tenant, "wanted": uuid})
    return None if row is None else _with_key(row)


def log_of(shelf: Shelf, name: str) -> Head | None:
    """The desk log of that name."""
    prepared = shelf.statements.get("log head", lambda: _head(STREAMS.c.type).where(STREAMS.c.kind == "log"))
    row = shelf.connection.row(prepared, {"tenant": shelf.tenant, "wanted": name})
    return None if row is None else _with_key(row)


def numbered(shelf: Shelf, number: str, sight: Sight | None = None) -> str | None:
    """UUID of the case with that human number, as far as ``sight`` goes; None: whatever its level."""
    prepared = shelf.statements.get(("number", sight and sight.shape), _numbered, sight)
    row = shelf.connection.row(prepared, {"tenant": shelf.tenant, "number": number, **(sight.binds if sight else {})})
    return None if row is None else str(row[0])


def heads_of(shelf: Shelf, uuids: Sequence[str], *, locked: bool = False) -> dict[str, Head]:
    """Streams by UUID. ``locked`` keeps others from changing them until the transaction ends."""
    if not uuids:
        return {}
    locked = locked and not shelf.sqlite
    prepared = shelf.statements.get(("heads", len(uuids), locked), _heads, len(uuids), locked)
    rows = shelf.connection.rows(prepared, {"tenant": shelf.tenant, **_numbered_binds("uuid", uuids)})
    return {row[1]: _with_key(row) for row in rows}


def keys_of(shelf: Shelf, owners: Iterable[str]) -> list[KeyRow]:
    """Wrapped data keys of owners; an erased owner has none."""
    wanted = sorted(set(owners))
    if not wanted:
        return []
    prepared = shelf.statements.get(("keys", len(wanted)), _keys, len(wanted))
    rows: list[KeyRow] = shelf.connection.rows(prepared, {"tenant": shelf.tenant, **_numbered_binds("owner", wanted)})
    return rows


def entries_of(shelf: Shelf, sid: int, *, after: int = 0, upto: int = 2**53, recorded: str | None = None) -> list[tuple[Any, ...]]:
    """Entries of a stream in order, each in the order of ``entry.COLUMNS``; ``recorded`` gives those known at that instant."""
    prepared = shelf.statements.get(("entries", recorded is not None), _entries, recorded is not None)
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant, "sid": sid, "after": after, "upto": upto, "known": recorded})


def entry_of(shelf: Shelf, sid: int, n: int) -> tuple[Any, ...] | None:
    """One entry of a stream."""
    found = entries_of(shelf, sid, after=n - 1, upto=n)
    return found[0] if found else None


def rows_of(shelf: Shelf, table: str, sid: int, *, since: str | None = None) -> list[tuple[Any, ...]]:
    """Projected rows of a stream in the order of ``tables.ROWS``; ``since``: those effective at or after it."""
    prepared = shelf.statements.get(("rows", table, since is not None), _rows, table, since is not None)
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant, "sid": sid, "since": since})


def recorded_of(shelf: Shelf, sid: int) -> dict[int, str]:
    """When each entry of a stream was recorded."""
    prepared = shelf.statements.get(
        "recorded", lambda: select(ENTRIES.c.n, ENTRIES.c.recorded).where(_tenant(ENTRIES), ENTRIES.c.sid == bindparam("sid"))
    )
    return dict(shelf.connection.rows(prepared, {"tenant": shelf.tenant, "sid": sid}))


def entries_of_kind(shelf: Shelf, sid: int, kind: str) -> list[int]:
    """Entries of a stream that are of a kind, by n."""
    prepared = shelf.statements.get("entries of kind", _entries_of_kind)
    return [row[0] for row in shelf.connection.rows(prepared, {"tenant": shelf.tenant, "sid": sid, "kind": kind})]


def found_by(shelf: Shelf, digests: Sequence[tuple[str, bytes]]) -> list[int]:
    """Streams whose sealed field has that value, by its keyed digest."""
    prepared = shelf.statements.get(("search", len(digests)), _search, len(digests))
    values: dict[str, Any] = {"tenant": shelf.tenant}
    for i, (field, digest) in enumerate(digests):
        values |= {f"field{i}": field, f"digest{i}": digest}
    return [row[0] for row in shelf.connection.rows(prepared, values)]


def uuids_of(shelf: Shelf, sids: Sequence[int]) -> list[str]:
    """UUIDs of streams, in the order of their making."""
    if not sids:
        return []
    prepared = shelf.statements.get(("uuids", len(sids)), _uuids, len(sids))
    return [row[0] for row in shelf.connection.rows(prepared, {"tenant": shelf.tenant, **_numbered_binds("sid", sids)})]


def answered(shelf: Shelf, digest: bytes) -> tuple[bytes, str, int] | None:
    """Request digest, stream UUID and n of the command that first came with an idempotency key."""
    prepared = shelf.statements.get("idempotency", _answered)
    row = shelf.connection.row(prepared, {"tenant": shelf.tenant, "digest": digest})
    return None if row is None else (bytes(row[0]), row[1], row[2])


def answered_all(shelf: Shelf, digests: Sequence[bytes]) -> dict[bytes, str]:
    """Idempotency key's digest → UUID of the stream that it points to, of those that are known."""
    if not digests:
        return {}
    prepared = shelf.statements.get(("all idempotency", len(digests)), _answered_all, len(digests))
    rows = shelf.connection.rows(prepared, {"tenant": shelf.tenant, **_numbered_binds("digest", digests)})
    return {bytes(digest): uuid for digest, uuid in rows}


def cases_of_party(shelf: Shelf, party: str) -> list[str]:
    """UUIDs of the cases in which a party plays a role, or ever had a message."""
    prepared = shelf.statements.get("cases of party", _cases_of_party)
    return [row[0] for row in shelf.connection.rows(prepared, {"tenant": shelf.tenant, "party": party})]


def linked_to(shelf: Shelf, case: str) -> list[str]:
    """UUIDs of the cases that say how they stand to this one, in the order of their making."""
    prepared = shelf.statements.get("linked to", _linked_to)
    return [row[0] for row in shelf.connection.rows(prepared, {"tenant": shelf.tenant, "other": case})]


def cases_naming(shelf: Shelf, party: str) -> list[str]:
    """UUIDs of all cases of which an entry ever named a party. It reads the whole journal: for what is asked rarely."""
    prepared = shelf.statements.get("cases naming", _cases_naming)
    return [row[0] for row in shelf.connection.rows(prepared, {"tenant": shelf.tenant, "party": f"%{party}%"})]


@frozen
class Filter:
    """Which cases a list shows. Empty members filter nothing.

    Attributes:
        types: Case types.
        state: Active leaf states, as ``streams.state`` has them.
        category: Category of the state.
        open: Only cases that are not closed.
        party: UUID of a party that plays a role.
        sight: Which confidential cases it may show.
    """

    types: tuple[str, ...] = ()
    state: str = ""
    category: str = ""
    open: bool = False
    party: str = ""
    sight: Sight = NOTHING


LIST = ("sid", "uuid", "version", *(name for name in LISTED if name not in ("merged", "wake")))
"""Columns of a list of cases."""


def page(shelf: Shelf, wanted: Filter, before: int | None, size: int) -> list[tuple[Any, ...]]:
    """One page of cases, newest first, in the order of :data:`LIST`; ``before`` is the last sid of the page before."""
    shape = (
        "page",
        len(wanted.types),
        bool(wanted.state),
        bool(wanted.category),
        wanted.open,
        bool(wanted.party),
        before is None,
        wanted.sight.shape,
    )
    prepared = shelf.statements.get(shape, _page, wanted, before is None)
    values = {
        "tenant": shelf.tenant,
        "state": wanted.state,
        "category": wanted.category,
        "party": wanted.party,
        "before": before,
        "size": size,
        **_numbered_binds("type", wanted.types),
        **wanted.sight.binds,
    }
    return shelf.connection.rows(prepared, values)


def members_of(shelf: Shelf, sids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Parties of cases, for a page: sid of the case, role, UUID and head of the party, then its key row (None once erased)."""
    if not sids:
        return []
    prepared = shelf.statements.get(("members", len(sids)), _members, len(sids))
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant, **_numbered_binds("sid", sids)})


def tally(shelf: Shelf, sight: Sight = NOTHING) -> list[tuple[Any, ...]]:
    """Head texts of all cases that may be seen with their type, in the order of their making: what a caseload report sums."""
    prepared = shelf.statements.get(("tally", sight.shape), _tally, sight)
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant, **sight.binds})


def due(shelf: Shelf, now: str, after: tuple[str, int], size: int) -> list[tuple[str, Head]]:
    """Cases that have something due, the longest waiting first, each with the instant at which it wakes, and without its key.

    ``after``: instant and sid of the last one of the page before; ``("", 0)`` begins.
    """
    prepared = shelf.statements.get("due", _due)
    wake, sid = after
    rows = shelf.connection.rows(prepared, {"tenant": shelf.tenant, "now": now, "wake": wake, "sid": sid, "size": size})
    return [(wakes, _with_key((*head, None, None, None, None))) for wakes, *head in rows]


def waiting(shelf: Shelf, now: str, after: tuple[int, int], size: int) -> list[tuple[Any, ...]]:
    """Outbox rows whose turn has come, oldest first: sid, n, attempts, done, UUID and type of the stream.

    ``after``: sid and n of the last row of the page before; ``(0, 0)`` begins.
    """
    prepared = shelf.statements.get("waiting", _waiting)
    sid, n = after
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant, "now": now, "sid": sid, "n": n, "size": size})


def outbox(shelf: Shelf) -> list[tuple[Any, ...]]:
    """All outbox rows: sid, n, attempts, next_at, done, error."""
    prepared = shelf.statements.get("outbox", _outbox)
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant})


def count_outbox(shelf: Shelf) -> int:
    """How many outbox rows there are."""
    row = shelf.connection.row(shelf.statements.get("count outbox", _count_outbox), {"tenant": shelf.tenant})
    return int(row[0]) if row else 0


def definition(shelf: Shelf, digest: str) -> str | None:
    """The canonical text of a definition."""
    prepared = shelf.statements.get("definition", _definition)
    row = shelf.connection.row(prepared, {"tenant": shelf.tenant, "digest": digest})
    return None if row is None else str(row[0])


def published(shelf: Shelf, name: str, version: str) -> str | None:
    """Digest of the case type that was published under a name and version."""
    prepared = shelf.statements.get("published", _published)
    row = shelf.connection.row(prepared, {"tenant": shelf.tenant, "name": name, "version": version})
    return None if row is None else str(row[0])


def all_streams(shelf: Shelf, after: int, size: int) -> list[tuple[Any, ...]]:
    """Head rows for verification: sid, uuid, kind, n, version, hash, recorded, head, then ``tables.LISTED``."""
    prepared = shelf.statements.get("all streams", _all_streams)
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant, "after": after, "size": size})


def stream_row(shelf: Shelf, sid: int) -> tuple[Any, ...]:
    """The head row of a stream, in the order of :func:`all_streams`."""
    prepared = shelf.statements.get("stream row", _stream_row)
    found: tuple[Any, ...] = tuple(shelf.connection.row(prepared, {"tenant": shelf.tenant, "sid": sid}))
    return found


def between(shelf: Shelf, table: str, first: int, last: int) -> list[tuple[Any, ...]]:
    """All rows of a table for a range of streams, sid in front."""
    prepared = shelf.statements.get(("between", table), _between, table)
    return shelf.connection.rows(prepared, {"tenant": shelf.tenant, "first": first, "last": last})


def _tenant(table: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = table.c.tenant == bindparam("tenant")
    return found


def _numbered_binds(name: str, values: Sequence[Any]) -> dict[str, Any]:
    return {f"{name}{i}": value for i, value in enumerate(values)}


def _binds(name: str, count: int, column: Any) -> list[Any]:
    return [bindparam(f"{name}{i}", type_=column.type) for i in range(count)]


def _head(by: Any, locked: bool = False) -> Any:
    found = _keyed().where(_tenant(STREAMS), by == bindparam("wanted"))
    return found.with_for_update(of=STREAMS) if locked else found


def _numbered(sight: Sight | None) -> Any:
    found = select(STREAMS.c.uuid).where(_tenant(STREAMS), STREAMS.c.number == bindparam("number"))
    return found if sight is None else found.where(visible(sight))


def _heads(count: int, locked: bool) -> Any:
    found = _keyed().where(_tenant(STREAMS), STREAMS.c.uuid.in_(_binds("uuid", count, STREAMS.c.uuid)))
    # In the order in which a write set changes them: two who want the same ones wait for each other, never in a ring.
    return found.order_by(STREAMS.c.sid).with_for_update(of=STREAMS) if locked else found


def _keyed() -> Any:
    key = and_(DATA_KEYS.c.tenant == STREAMS.c.tenant, DATA_KEYS.c.owner == STREAMS.c.uuid)
    return select(*_HEAD, DATA_KEYS.c.owner, DATA_KEYS.c.id, DATA_KEYS.c.kek, DATA_KEYS.c.wrapped).select_from(
        STREAMS.outerjoin(DATA_KEYS, key)
    )


def _with_key(row: Sequence[Any]) -> Head:
    sid, uuid, kind, n, version, hash_, recorded, text, owner, name, kek, wrapped = row
    return Head(sid, uuid, kind, n, version, hash_, recorded, text, None if owner is None else (owner, name, kek, wrapped))


def _keys(count: int) -> Any:
    columns = (DATA_KEYS.c.owner, DATA_KEYS.c.id, DATA_KEYS.c.kek, DATA_KEYS.c.wrapped)
    return select(*columns).where(_tenant(DATA_KEYS), DATA_KEYS.c.owner.in_(_binds("owner", count, DATA_KEYS.c.owner)))


def _entries(known: bool) -> Any:
    columns = [ENTRIES.c[name] for name in COLUMNS]
    where = [_tenant(ENTRIES), ENTRIES.c.sid == bindparam("sid"), ENTRIES.c.n > bindparam("after"), ENTRIES.c.n <= bindparam("upto")]
    if known:
        where.append(ENTRIES.c.recorded <= bindparam("known"))
    return select(*columns).where(*where).order_by(ENTRIES.c.n)


def _entries_of_kind() -> Any:
    where = (_tenant(ENTRIES), ENTRIES.c.sid == bindparam("sid"), ENTRIES.c.kind == bindparam("kind", type_=ENTRIES.c.kind.type))
    return select(ENTRIES.c.n).where(*where).order_by(ENTRIES.c.n)


def _rows(name: str, since: bool) -> Any:
    table = PROJECTED[name]
    where = [_tenant(table), table.c.sid == bindparam("sid")]
    if since:
        where.append(table.c.at >= bindparam("since"))
    columns = ROWS[name]
    return select(*(table.c[c] for c in columns)).where(*where).order_by(*(c for c in table.primary_key if c.name not in ("tenant", "sid")))


def _search(count: int) -> Any:
    pairs = [
        and_(
            SEARCH.c.field == bindparam(f"field{i}", type_=SEARCH.c.field.type),
            SEARCH.c.hmac == bindparam(f"digest{i}", type_=SEARCH.c.hmac.type),
        )
        for i in range(count)
    ]
    found = select(SEARCH.c.sid).where(_tenant(SEARCH), or_(*pairs))
    return found.group_by(SEARCH.c.sid).having(func.count() == count).order_by(SEARCH.c.sid)


def _uuids(count: int) -> Any:
    return select(STREAMS.c.uuid).where(_tenant(STREAMS), STREAMS.c.sid.in_(_binds("sid", count, STREAMS.c.sid))).order_by(STREAMS.c.sid)


def _answered() -> Any:
    same = and_(STREAMS.c.tenant == IDEMPOTENCY.c.tenant, STREAMS.c.sid == IDEMPOTENCY.c.sid)
    found = select(IDEMPOTENCY.c.request_hmac, STREAMS.c.uuid, IDEMPOTENCY.c.n).join(STREAMS, same)
    return found.where(_tenant(IDEMPOTENCY), IDEMPOTENCY.c.key_hmac == bindparam("digest", type_=IDEMPOTENCY.c.key_hmac.type))


def _answered_all(count: int) -> Any:
    same = and_(STREAMS.c.tenant == IDEMPOTENCY.c.tenant, STREAMS.c.sid == IDEMPOTENCY.c.sid)
    known = IDEMPOTENCY.c.key_hmac.in_(_binds("digest", count, IDEMPOTENCY.c.key_hmac))
    return select(IDEMPOTENCY.c.key_hmac, STREAMS.c.uuid).join(STREAMS, same).where(_tenant(IDEMPOTENCY), known)


def _cases_of_party() -> Any:
    roles, messages = PROJECTED["roles"], PROJECTED["messages"]
    party = bindparam("party", type_=roles.c.party.type)
    inside = select(roles.c.sid).where(_tenant(roles), roles.c.party == party)
    written = select(messages.c.sid).where(_tenant(messages), messages.c.party == party)
    return select(STREAMS.c.uuid).where(_tenant(STREAMS), STREAMS.c.sid.in_(inside.union(written))).order_by(STREAMS.c.sid)


def _linked_to() -> Any:
    links = PROJECTED["links"]
    inside = select(links.c.sid).where(_tenant(links), links.c.other == bindparam("other", type_=links.c.other.type))
    return select(STREAMS.c.uuid).where(_tenant(STREAMS), STREAMS.c.sid.in_(inside)).order_by(STREAMS.c.sid)


def _cases_naming() -> Any:
    named = select(ENTRIES.c.sid).where(_tenant(ENTRIES), ENTRIES.c.body.like(bindparam("party", type_=ENTRIES.c.body.type)))
    return select(STREAMS.c.uuid).where(_tenant(STREAMS), STREAMS.c.kind == "case", STREAMS.c.sid.in_(named)).order_by(STREAMS.c.sid)


def _page(wanted: Filter, first: bool) -> Any:
    where = [_tenant(STREAMS), STREAMS.c.kind == "case", visible(wanted.sight)]
    if wanted.types:
        where.append(STREAMS.c.type.in_(_binds("type", len(wanted.types), STREAMS.c.type)))
    if wanted.state:
        where.append(STREAMS.c.state == bindparam("state"))
    if wanted.category:
        where.append(STREAMS.c.category == bindparam("category"))
    if wanted.open:
        where.append(STREAMS.c.closed.is_(None))
    if wanted.party:
        roles = PROJECTED["roles"]
        inside = select(roles.c.sid).where(_tenant(roles), roles.c.party == bindparam("party", type_=roles.c.party.type))
        where.append(STREAMS.c.sid.in_(inside))
    if not first:
        where.append(STREAMS.c.sid < bindparam("before"))
    return select(*(STREAMS.c[name] for name in LIST)).where(*where).order_by(STREAMS.c.sid.desc()).limit(bindparam("size"))


def _members(count: int) -> Any:
    roles = PROJECTED["roles"]
    party = and_(STREAMS.c.tenant == roles.c.tenant, STREAMS.c.uuid == roles.c.party)
    key = and_(DATA_KEYS.c.tenant == roles.c.tenant, DATA_KEYS.c.owner == roles.c.party)
    columns = (
        roles.c.sid,
        roles.c.role,
        STREAMS.c.uuid,
        STREAMS.c.head,
        DATA_KEYS.c.owner,
        DATA_KEYS.c.id,
        DATA_KEYS.c.kek,
        DATA_KEYS.c.wrapped,
    )
    found = select(*columns).select_from(roles).join(STREAMS, party).outerjoin(DATA_KEYS, key)
    return found.where(_tenant(roles), roles.c.sid.in_(_binds("sid", count, roles.c.sid))).order_by(
        roles.c.sid, roles.c.role, STREAMS.c.sid
    )


def _tally(sight: Sight) -> Any:
    where = (_tenant(STREAMS), STREAMS.c.kind == "case", visible(sight))
    return select(STREAMS.c.type, STREAMS.c.head).where(*where).order_by(STREAMS.c.sid)


def _due() -> Any:
    wake, sid = STREAMS.c.wake, STREAMS.c.sid
    further = tuple_(wake, sid) > tuple_(bindparam("wake", type_=wake.type), bindparam("sid", type_=sid.type))
    where = (_tenant(STREAMS), wake.is_not(None), wake <= bindparam("now"), further)
    return select(wake, *_HEAD).where(*where).order_by(wake, sid).limit(bindparam("size"))


def _waiting() -> Any:
    turn = or_(OUTBOX.c.next_at.is_(None), OUTBOX.c.next_at <= bindparam("now", type_=OUTBOX.c.next_at.type))
    columns = (OUTBOX.c.sid, OUTBOX.c.n, OUTBOX.c.attempts, OUTBOX.c.done, STREAMS.c.uuid, STREAMS.c.type)
    same = and_(STREAMS.c.tenant == OUTBOX.c.tenant, STREAMS.c.sid == OUTBOX.c.sid)
    further = tuple_(OUTBOX.c.sid, OUTBOX.c.n) > tuple_(bindparam("sid", type_=OUTBOX.c.sid.type), bindparam("n", type_=OUTBOX.c.n.type))
    earlier = OUTBOX.alias("earlier")
    blocked = select(earlier.c.n).where(
        earlier.c.tenant == OUTBOX.c.tenant,
        earlier.c.sid == OUTBOX.c.sid,
        earlier.c.n < OUTBOX.c.n,
        earlier.c.next_at > bindparam("now", type_=OUTBOX.c.next_at.type),
    )
    found = select(*columns).join_from(OUTBOX, STREAMS, same).where(_tenant(OUTBOX), further, turn, ~blocked.exists())
    return found.order_by(OUTBOX.c.sid, OUTBOX.c.n).limit(bindparam("size"))


def _outbox() -> Any:
    return select(*(c for c in OUTBOX.c if c.name != "tenant")).where(_tenant(OUTBOX)).order_by(OUTBOX.c.sid, OUTBOX.c.n)


def _count_outbox() -> Any:
    return select(func.count()).select_from(OUTBOX).where(_tenant(OUTBOX))


def _definition() -> Any:
    return select(DEFINITIONS.c.body).where(_tenant(DEFINITIONS), DEFINITIONS.c.digest == bindparam("digest"))


def _published() -> Any:
    where = (_tenant(DEFINITIONS), DEFINITIONS.c.kind == "case-type")
    named = (DEFINITIONS.c.name == bindparam("name"), DEFINITIONS.c.version == bindparam("version"))
    return select(DEFINITIONS.c.digest).where(*where, *named)


def _all_streams() -> Any:
    columns = (*_HEAD, *(STREAMS.c[name] for name in LISTED))
    where = (_tenant(STREAMS), STREAMS.c.sid > bindparam("after"))
    return select(*columns).where(*where).order_by(STREAMS.c.sid).limit(bindparam("size"))


def _stream_row() -> Any:
    columns = (*_HEAD, *(STREAMS.c[name] for name in LISTED))
    return select(*columns).where(_tenant(STREAMS), STREAMS.c.sid == bindparam("sid"))


def _between(name: str) -> Any:
    table, columns = (ENTRIES, COLUMNS) if name == "entries" else (PROJECTED[name], ROWS[name])
    where = (_tenant(table), table.c.sid >= bindparam("first"), table.c.sid <= bindparam("last"))
    return select(table.c.sid, *(table.c[c] for c in columns)).where(*where).order_by(*(c for c in table.primary_key if c.name != "tenant"))
