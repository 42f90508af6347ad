"""What one transaction writes, and the writing of it.

Everything is collected first and written in one short burst. Heads are guarded: each changed stream is
updated only where its ``n`` is still the one that was read, and where that fails nothing is written. On
PostgreSQL a small write set goes as one statement whose inserts depend on the guarded update.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define, field
from sqlalchemy import BindParameter, Table, and_, bindparam, case, delete, func, insert, literal, or_, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite

from casekit.errors import Conflict
from casekit.record.fold import Row
from casekit.store.shelf import Shelf, writing
from casekit.store.sql import Connection
from casekit.store.tables import DATA_KEYS, DEFINITIONS, ENTRIES, IDEMPOTENCY, OUTBOX, PROJECTED, SEARCH, SEQUENCES, STREAMS

AT_ONCE = 40
"""The largest number of rows that PostgreSQL gets as one statement."""

_REWRITTEN = {"clocks", "goals", "levels", "links", "roles", "search", "standings", "tasks"}
"""Tables in which a row may come again: of a clock, goal, link, role or plan item it then stands anew, of a search row it stands already."""

_HEAD = tuple(c.name for c in STREAMS.c)
_GUARDED = (*_HEAD, "at_tenant", "at_sid", "before")
"""Names of the values of a guarded update, in their order."""

_CHANGING = tuple(name for name in _HEAD if name not in ("tenant", "sid", "uuid", "kind"))


@define
class WriteSet:
    """The rows of one transaction, tenant and stream in front of each.

    Attributes:
        new: Rows of ``streams`` to insert.
        changed: Rows of ``streams`` to update, each with the ``n`` that was read.
        entries: Rows of ``entries``.
        projected: Table → key within the table → row, or None to take it away.
        others: Further rows: keys, search, idempotency, outbox, definitions.
        taken: Table → keys of rows to take away, without the tenant.
        read: Streams that decisions rest on: sid → the ``n`` that was read.
    """

    new: list[tuple[Any, ...]] = field(factory=list)
    changed: list[tuple[tuple[Any, ...], int]] = field(factory=list)
    entries: list[tuple[Any, ...]] = field(factory=list)
    projected: dict[str, dict[tuple[Any, ...], tuple[Any, ...] | None]] = field(factory=dict)
    others: dict[Table, list[tuple[Any, ...]]] = field(factory=dict)
    taken: dict[Table, list[tuple[Any, ...]]] = field(factory=dict)
    read: dict[int, int] = field(factory=dict)

    def project(self, tenant: str, sid: int, rows: Iterable[Row]) -> None:
        """Takes in what ``fold`` wrote for a stream; of several rows with one key the last one stands."""
        for table, key, row in rows:
            self.projected.setdefault(table, {})[(sid, *key)] = None if row is None else (tenant, sid, *row)

    def add(self, table: Table, row: tuple[Any, ...]) -> None:
        """A further row."""
        self.others.setdefault(table, []).append(row)

    def take(self, table: Table, key: tuple[Any, ...]) -> None:
        """A row beside the record that is nothing but its key is taken away; nothing happens where it is not there."""
        self.taken.setdefault(table, []).append(key)
        if table in self.others:
            self.others[table] = [row for row in self.others[table] if row[1:] != key]

    def inserts(self) -> list[tuple[Table, list[tuple[Any, ...]]]]:
        """Rows to insert, table by table, in the order that foreign keys ask for."""
        found = [(STREAMS, self.new), (ENTRIES, self.entries)]
        for name, rows in self.projected.items():
            found.append((PROJECTED[name], [row for row in rows.values() if row is not None]))
        found += self.others.items()
        return [(table, rows) for table, rows in found if rows]

    def gone(self) -> list[tuple[Table, list[tuple[Any, ...]]]]:
        """Keys of rows to take away, table by table."""
        found = [*self.taken.items()]
        found += [(PROJECTED[name], [key for key, row in rows.items() if row is None]) for name, rows in self.projected.items()]
        return [(table, keys) for table, keys in found if keys]


def write(shelf: Shelf, what: WriteSet) -> None:
    """Writes everything in one transaction.

    Raises:
        Conflict: a stream that was read has changed; nothing was written.
        StoreFailed: the database failed; nothing was written.
    """
    if _fits_at_once(shelf, what) and not shelf.joined:
        shelf.demand_free()
        _keys_still_wrapped(shelf, what)
        _write_at_once(shelf, shelf.connection, what)
        return
    with writing(shelf) as connection:
        write_within(shelf, connection, what)


def write_within(shelf: Shelf, connection: Connection, what: WriteSet) -> None:
    """Writes everything within a transaction that is open.

    Raises:
        Conflict: a stream that was read has changed; the transaction must be rolled back.
    """
    _keys_still_wrapped(shelf, what)
    if _fits_at_once(shelf, what):
        _write_at_once(shelf, connection, what)  # the fewer round trips, the shorter others wait for the row
        return
    statements = shelf.statements
    guard = statements.lay("guarded update", lambda: _GUARDED, _guarded_update)
    changed = [guard.bind((*row, row[0], row[1], before)) for row, before in sorted(what.changed, key=lambda c: c[0][1])]
    if changed and _met(connection, guard.text, changed) != len(changed):
        raise Conflict("a stream has changed in between")
    if what.read:
        _recheck(shelf, connection, what.read)
    for table, keys in what.gone():
        prepared = statements.get(("delete", table.name), _delete, table)
        names = _key_names(table)
        for key in keys:
            connection.execute(prepared.text, prepared.bind(dict(zip(names, (shelf.tenant, *key), strict=True))))
    for table, rows in what.inserts():
        prepared = statements.get(("insert", table.name), _insert, table, shelf.sqlite)
        if len(rows) == 1:
            connection.execute(prepared.text, rows[0])
        else:
            connection.executemany(prepared.text, rows)


def draw(shelf: Shelf, connection: Connection, name: str, count: int = 1) -> int:
    """The first of ``count`` next values of a sequence, drawn within the open transaction: no gaps."""
    prepared = shelf.statements.get("draw", _draw, shelf.sqlite)
    values = {"tenant": shelf.tenant, "name": name, "value": count, "count": count}
    last: int = connection.execute(prepared.text, prepared.bind(values)).fetchone()[0]
    return last - count + 1


def _keys_still_wrapped(shelf: Shelf, what: WriteSet) -> None:
    """No data key is written that was wrapped with a key which has been destroyed since."""
    rows = what.others.get(DATA_KEYS)
    if rows:
        shelf.vault.refresh()
        if any(row[3] not in shelf.vault.ring.keys for row in rows):
            raise Conflict("the keyring has changed in between")


def _met(connection: Connection, text: str, rows: list[tuple[Any, ...]]) -> int:
    """Runs a statement for each row; gives how many rows of the table it has met."""
    if len(rows) > 1:
        return connection.executemany(text, rows)
    met: int = connection.execute(text, rows[0]).rowcount
    return met


def _recheck(shelf: Shelf, connection: Connection, read: dict[int, int]) -> None:
    sids = sorted(read)
    prepared = shelf.statements.get(("recheck", len(sids), shelf.sqlite), _read_again, len(sids), shelf.sqlite)
    found = connection.rows(prepared, {"tenant": shelf.tenant, **{f"sid{i}": sid for i, sid in enumerate(sids)}})
    if dict(found) != read:
        raise Conflict("a party has changed in between")


def _fits_at_once(shelf: Shelf, what: WriteSet) -> bool:
    if shelf.sqlite or len(what.changed) > 1 or what.gone():
        return False
    return sum(len(rows) for _, rows in what.inserts()) <= AT_ONCE


def _write_at_once(shelf: Shelf, connection: Connection, what: WriteSet) -> None:
    inserts = what.inserts()
    sizes = [(table, len(rows)) for table, rows in inserts]
    guarded, read = bool(what.changed), sorted(what.read.items())
    shape = ("at once", guarded, len(read), *((table.name, count) for table, count in sizes))
    prepared = shelf.statements.lay(shape, lambda: _names_at_once(sizes, guarded, len(read)), _at_once, sizes, guarded, len(read))
    values = [value for _, rows in inserts for row in rows for value in row]
    if guarded:
        row, before = what.changed[0]
        values += (*row, row[0], row[1], before)
    if read:
        values.append(shelf.tenant)
        values += (value for pair in read for value in pair)
    if not connection.execute(prepared.text, prepared.bind(tuple(values))).fetchone()[0]:
        raise Conflict("a stream has changed in between")


def _names_at_once(sizes: list[tuple[Table, int]], guarded: bool, read: int) -> list[str]:
    """Names of the values of a statement that writes all at once, in their order."""
    names = [_bound(table, i, c) for table, count in sizes for i in range(count) for c in range(len(table.c))]
    if guarded:
        names += _GUARDED
    if read:
        names += ["read_tenant", *(name for i in range(read) for name in (f"read_sid{i}", f"read_n{i}"))]
    return names


def _bound(table: Table, row: int, column: int) -> str:
    return f"{table.name}_{row}_{column}"


def _at_once(sizes: list[tuple[Table, int]], guarded: bool, read: int) -> Any:
    """Inserts that happen only if the streams read are as they were, and the guarded update has found its row.

    Streams that were read are locked first, in one order: nobody changes them until the statement is through.
    """
    unchanged = None if not read else select(func.count()).select_from(_still_there(read)).scalar_subquery() == read
    holds = unchanged
    guard = None
    if guarded:
        update_ = _guarded_update() if unchanged is None else _guarded_update().where(unchanged)
        guard = update_.returning(literal(1).label("one")).cte("guard")
        holds = select(guard.c.one).exists()
    parts = [_insert_if(table, count, holds) for table, count in sizes]
    counted: Any = select(literal(1)) if holds is None else select(case((holds, 1), else_=0))
    return counted.add_cte(*parts)


def _insert_if(table: Table, count: int, holds: Any) -> Any:
    lines = []
    for i in range(count):
        line = select(*(bindparam(_bound(table, i, c), type_=column.type) for c, column in enumerate(table.c)))
        lines.append(line if holds is None else line.where(holds))
    source = lines[0] if len(lines) == 1 else union_all(*lines)
    written = postgresql.insert(table).from_select([c.name for c in table.c], source)
    if table.name in _REWRITTEN:
        written = _over(written, table)
    return written.returning(literal(1)).cte(f"into_{table.name}")


def _still_there(count: int) -> Any:
    """The streams that were read and have not changed, locked."""
    sid, n = STREAMS.c.sid, STREAMS.c.n
    same = [and_(sid == bindparam(f"read_sid{i}", type_=sid.type), n == bindparam(f"read_n{i}", type_=n.type)) for i in range(count)]
    found = select(sid).where(STREAMS.c.tenant == bindparam("read_tenant"), or_(*same)).order_by(sid)
    return found.with_for_update(read=True).cte("still_there")


def _guarded_update() -> Any:
    table = STREAMS
    where = and_(table.c.tenant == bindparam("at_tenant"), table.c.sid == bindparam("at_sid"), table.c.n == bindparam("before"))
    return update(table).where(where).values({name: bindparam(name, type_=table.c[name].type) for name in _CHANGING})


def _insert(table: Table, on_sqlite: bool) -> Any:
    values: dict[str, Any] = {c.name: bindparam(c.name) for c in table.c}
    if table.name not in _REWRITTEN:
        return insert(table).values(values)
    dialect: Any = sqlite if on_sqlite else postgresql
    return _over(dialect.insert(table).values(values), table)


def _over(statement: Any, table: Table) -> Any:
    keys = [c.name for c in table.primary_key]
    rest = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest) if rest else statement.on_conflict_do_nothing()


def _key_names(table: Table) -> tuple[str, ...]:
    return tuple(c.name for c in table.primary_key)


def _delete(table: Table) -> Any:
    return delete(table).where(and_(*(c == bindparam(c.name) for c in table.primary_key)))


def _draw(on_sqlite: bool) -> Any:
    dialect: Any = sqlite if on_sqlite else postgresql
    new = dialect.insert(SEQUENCES).values({c.name: bindparam(c.name) for c in SEQUENCES.c})
    more = SEQUENCES.c.value + bindparam("count", type_=SEQUENCES.c.value.type)
    return new.on_conflict_do_update(index_elements=["tenant", "name"], set_={"value": more}).returning(SEQUENCES.c.value)


def _read_again(count: int, on_sqlite: bool) -> Any:
    sids: list[BindParameter[Any]] = [bindparam(f"sid{i}", type_=STREAMS.c.sid.type) for i in range(count)]
    found = select(STREAMS.c.sid, STREAMS.c.n).where(STREAMS.c.tenant == bindparam("tenant"), STREAMS.c.sid.in_(sids))
    return found if on_sqlite else found.with_for_update(read=True)


__all__ = ["DATA_KEYS", "DEFINITIONS", "IDEMPOTENCY", "OUTBOX", "SEARCH", "Conflict", "WriteSet", "draw", "write", "write_within"]
