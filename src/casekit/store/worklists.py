"""Queries on what waits over many cases: tasks to be done, goals to be reached. They read clear columns and go page by page
along a key.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, Table, and_, bindparam, or_, select, text

from casekit.record.tables import KEYS, ROWS
from casekit.store.shelf import Shelf
from casekit.store.sight import NOTHING, Sight, visible
from casekit.store.tables import PROJECTED, STREAMS


@frozen
class Mark:
    """The last row of a page: when it is due, the case, and which it is."""

    due: str | None
    sid: int
    key: tuple[str, ...]


@frozen(eq=False)
class Worklist:
    """What is listed.

    Attributes:
        name: The table that has it.
        waits: What its rows look like while they wait; written out, so that the partial index serves.
        role: The column with the role that answers for it.
        before: How its ``due`` compares with the instant before which it is asked for.
        outlives: Whether rows wait on in cases that are closed, and must be left out.
    """

    name: str
    waits: str
    role: str
    before: Callable[[Any, Any], Any]
    outlives: bool

    @property
    def table(self) -> Table:
        """Its table."""
        return PROJECTED[self.name]

    def mark(self, row: tuple[Any, ...]) -> Mark:
        """Where a row of a page stands."""
        columns = ROWS[self.name]
        return Mark(row[4 + columns.index("due")], row[0], tuple(row[4 + columns.index(key)] for key in KEYS[self.name]))


TASKS = Worklist("tasks", "tasks.kind = 'task' AND tasks.status IN ('active', 'enabled')", "who", operator.lt, outlives=False)
"""Tasks, by the moment until which they are to be done."""
GOALS = Worklist("goals", "goals.status != 'reached'", "owner", operator.le, outlives=True)
"""Goals that are not reached; their ``due`` is the first instant that is too late."""


@frozen
class Filter:
    """Which rows a list shows. Empty members filter nothing.

    Attributes:
        types: Case types.
        roles: Roles that answer for them.
        due_before: Only what is due before that instant.
        sight: Which confidential cases it may show.
    """

    types: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    due_before: str | None = None
    sight: Sight = NOTHING


def page(shelf: Shelf, which: Worklist, wanted: Filter, after: Mark | None, size: int, *, dated: bool) -> list[tuple[Any, ...]]:
    """What has a due moment, the soonest first, or what has none: sid, uuid, type and number of the case, then the row."""
    shape = (which.name, len(wanted.types), len(wanted.roles), wanted.due_before is None, after is None, dated, wanted.sight.shape)
    prepared = shelf.statements.get(("worklist", *shape), _page, which, wanted, after is None, dated)
    values: dict[str, Any] = {"tenant": shelf.tenant, "size": size, "before": wanted.due_before, **wanted.sight.binds}
    if after is not None:
        values |= {"due": after.due, "sid": after.sid, **dict(zip(KEYS[which.name], after.key, strict=True))}
    for name, several in (("type", wanted.types), ("role", wanted.roles)):
        values |= {f"{name}{i}": value for i, value in enumerate(several)}
    return shelf.connection.rows(prepared, values)


def _page(which: Worklist, wanted: Filter, first: bool, dated: bool) -> Any:
    t = which.table.c
    where: list[Any] = [t.tenant == bindparam("tenant"), text(which.waits), t.due.is_not(None) if dated else t.due.is_(None)]
    where.append(visible(wanted.sight))
    if which.outlives:
        where.append(STREAMS.c.closed.is_(None))
    if wanted.types:
        where.append(_among("type", STREAMS.c.type, wanted.types))
    if wanted.roles:
        where.append(_among("role", t[which.role], wanted.roles))
    if wanted.due_before is not None:
        where.append(which.before(t.due, bindparam("before", type_=t.due.type)))
    order: list[Any] = [*([t.due] if dated else []), t.sid, *(t[key] for key in KEYS[which.name])]
    if not first:
        where.append(_beyond([(column, bindparam(column.name, type_=column.type)) for column in order]))
    case = (STREAMS.c.tenant == t.tenant) & (STREAMS.c.sid == t.sid)
    columns = (t.sid, STREAMS.c.uuid, STREAMS.c.type, STREAMS.c.number, *(t[name] for name in ROWS[which.name]))
    return select(*columns).select_from(which.table.join(STREAMS, case)).where(*where).order_by(*order).limit(bindparam("size"))


def _among(name: str, column: Any, values: Sequence[str]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.in_([bindparam(f"{name}{i}", type_=column.type) for i in range(len(values))])
    return found


def _beyond(pairs: list[tuple[Any, Any]]) -> ColumnElement[bool]:
    """Rows that come after a mark, column by column."""
    (column, value), *rest = pairs
    return or_(column > value, and_(column == value, _beyond(rest))) if rest else column > value
