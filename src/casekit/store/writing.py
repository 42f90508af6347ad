"""What one transaction writes, and the writing of it.

Everything is collected first and written in one short burst. Heads are guarded: each changed stream is
updated only where its ``n`` is still the one that was read, and where that fails nothing is written. On
PostgreSQL a small write set goes as one statement whose inserts depend on the guarded update.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field
from sqlalchemy import BindParameter, Table, and_, bindparam, delete, func, insert, literal, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite

from casekit.errors import CasekitError
from casekit.record.fold import Row
from casekit.store.shelf import Shelf, writing
from casekit.store.sql import Connection
from casekit.store.tables import DATA_KEYS, DEFINITIONS, ENTRIES, IDEMPOTENCY, OUTBOX, PROJECTED, SEARCH, SEQUENCES, STREAMS

AT_ONCE = 40
"""The largest number of rows that PostgreSQL gets as one statement."""

_REWRITTEN = {"clocks", "roles", "search", "tasks"}
"""Tables in which a row may come again: of a clock, role or plan item it then stands anew, of a search row it stands already."""

_HEAD = tuple(c.name for c in STREAMS.c)
_CHANGING = tuple(name for name in _HEAD if name not in ("tenant", "sid", "uuid", "kind"))


class Conflict(CasekitError):
    """A stream that was read has changed in between."""

    code = "conflict"


@define
class WriteSet:
    """The rows of one transaction, tenant and stream in front of each.

    Attributes:
        new: Rows of ``streams`` to insert.
        changed: Rows of ``streams`` to update, each with the ``n`` that was read.
        entries: Rows of ``entries``.
        projected: Table → key within the table → row, or None to take it away.
        others: Further rows: keys, search, idempotency, outbox, definitions.
        read: Streams that decisions rest on: sid → the ``n`` that was read.
    """

    new: list[tuple[Any, ...]] = field(factory=list)
    changed: list[tuple[tuple[Any, ...], int]] = field(factory=list)
    entries: list[tuple[Any, ...]] = field(factory=list)
    projected: dict[str, dict[tuple[Any, ...], tuple[Any, ...] | None]] = field(factory=dict)
    others: dict[Table, list[tuple[Any, ...]]] = field(factory=dict)
    read: dict[int, int] = field(factory=dict)

    def project(self, tenant: str, sid: int, rows: Iterable[Row]) -> None:
        """Takes in what ``fold`` wrote for a stream; of several rows with one key the last one stands."""
        for table, key, row in rows:
            self.projected.setdefault(table, {})[(sid, *key)] = None if row is None else (tenant, sid, *row)

    def add(self, table: Table, row: tuple[Any, ...]) -> None:
        """A further row."""
        self.others.setdefault(table, []).append(row)

    def inserts(self) -> list[tuple[Table, list[tuple[Any, ...]]]]:
        """Rows to insert, table by table, in the order that foreign keys ask for."""
        found = [(STREAMS, self.new), (ENTRIES, self.entries)]
        for name, rows in self.projected.items():
            found.append((PROJECTED[name], [row for row in rows.values() if row is not None]))
        found += self.others.items()
        return [(table, rows) for table, rows in found if rows]

    def gone(self) -> list[tuple[Table, list[tuple[Any, ...]]]]:
        """Keys of projected rows to take away, table by table."""
        found = [(PROJECTED[name], [key for key, row in rows.items() if row is None]) for name, rows in self.projected.items()]
        return [(table, keys) for table, keys in found if keys]


def write(shelf: Shelf, what: WriteSet) -> None:
    """Writes everything in one transaction.

    Raises:
        Conflict: a stream that was read has changed; nothing was written.
        StoreFailed: the database failed; nothing was written.
    """
    if _fits_at_once(shelf, what):
        _write_at_once(shelf, what)
        return
    with writing(shelf) as connection:
        write_within(shelf, connection, what)


def write_within(shelf: Shelf, connection: Connection, what: WriteSet) -> None:
    """Writes everything within a transaction that is open.

    Raises:
        Conflict: a stream that was read has changed; the transaction must be rolled back.
    """
    statements = shelf.statements
    guard = statements.get("guarded update", _guarded_update)
    for row, before in sorted(what.changed, key=lambda c: c[0][1]):
        values = dict(zip(_HEAD, row, strict=True)) | {"at_tenant": row[0], "at_sid": row[1], "before": before}
        if connection.execute(guard.text, guard.bind(values)).rowcount != 1:
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


def _recheck(shelf: Shelf, connection: Connection, read: Mapping[int, int]) -> None:
    sids = sorted(read)
    prepared = shelf.statements.get(("recheck", len(sids), shelf.sqlite), _read_again, len(sids), shelf.sqlite)
    found = connection.rows(prepared, {"tenant": shelf.tenant, **{f"sid{i}": sid for i, sid in enumerate(sids)}})
    if dict(found) != dict(read):
        raise Conflict("a party has changed in between")


def _fits_at_once(shelf: Shelf, what: WriteSet) -> bool:
    if shelf.sqlite or len(what.changed) > 1 or what.read or what.gone():
        return False
    return sum(len(rows) for _, rows in what.inserts()) <= AT_ONCE


def _write_at_once(shelf: Shelf, what: WriteSet) -> None:
    inserts = what.inserts()
    shape = ("at once", bool(what.changed), *((table.name, len(rows)) for table, rows in inserts))
    prepared = shelf.statements.get(shape, _at_once, inserts, bool(what.changed))
    values: dict[str, Any] = {}
    for table, rows in inserts:
        for i, row in enumerate(rows):
            values.update({_bound(table, i, c): v for c, v in enumerate(row)})
    if what.changed:
        row, before = what.changed[0]
        values.update(zip(_HEAD, row, strict=True))
        values.update(at_tenant=row[0], at_sid=row[1], before=before)
    written = shelf.connection.execute(prepared.text, prepared.bind(values)).fetchone()[0]
    if not written:
        raise Conflict("a stream has changed in between")


def _bound(table: Table, row: int, column: int) -> str:
    return f"{table.name}_{row}_{column}"


def _at_once(inserts: list[tuple[Table, list[tuple[Any, ...]]]], guarded: bool) -> Any:
    guard = _guarded_update().returning(literal(1).label("one")).cte("guard") if guarded else None
    parts = []
    for table, rows in inserts:
        lines = []
        for i in range(len(rows)):
            line = select(*(bindparam(_bound(table, i, c), type_=column.type) for c, column in enumerate(table.c)))
            lines.append(line if guard is None else line.where(select(guard.c.one).exists()))
        source = lines[0] if len(lines) == 1 else union_all(*lines)
        written = postgresql.insert(table).from_select([c.name for c in table.c], source)
        if table.name in _REWRITTEN:
            written = _over(written, table)
        parts.append(written.returning(literal(1)).cte(f"into_{table.name}"))
    counted = select(literal(1)) if guard is None else select(func.count()).select_from(guard)
    return counted.add_cte(*parts)


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
