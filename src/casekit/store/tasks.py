"""Queries on tasks over many cases. They read clear columns and go page by page along a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, and_, bindparam, or_, select, text

from casekit.record.tables import ROWS
from casekit.store.shelf import Shelf
from casekit.store.tables import PROJECTED, STREAMS

_TASKS = PROJECTED["tasks"]
DUE = ROWS["tasks"].index("due")
_OPEN = text("tasks.kind = 'task' AND tasks.status IN ('active', 'enabled')")  # written out, so that the partial index serves


@frozen
class Filter:
    """Which tasks a list shows. Empty members filter nothing.

    Attributes:
        types: Case types.
        who: Roles that work on them.
        due_before: Only what is due before that instant.
    """

    types: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    due_before: str | None = None


@frozen
class Mark:
    """The last task of a page: when it is due, and which it is."""

    due: str | None
    sid: int
    item: str
    instance: str


def page(shelf: Shelf, wanted: Filter, after: Mark | None, size: int, *, dated: bool) -> list[tuple[Any, ...]]:
    """Open tasks with a due moment, the soonest first, or those without: sid, uuid, type and number of the case, then the row."""
    shape = ("tasks", len(wanted.types), len(wanted.who), wanted.due_before is None, after is None, dated)
    prepared = shelf.statements.get(shape, _page, wanted, after is None, dated)
    values: dict[str, Any] = {"tenant": shelf.tenant, "size": size, "before": wanted.due_before}
    if after is not None:
        values |= {"due": after.due, "sid": after.sid, "item": after.item, "instance": after.instance}
    values |= numbered("type", wanted.types) | numbered("who", wanted.who)
    return shelf.connection.rows(prepared, values)


def numbered(name: str, values: Sequence[str]) -> dict[str, str]:
    """Values by the names under which :func:`among` binds them."""
    return {f"{name}{i}": value for i, value in enumerate(values)}


def among(name: str, column: Any, count: int) -> ColumnElement[bool]:
    """Whether a column is one of several values."""
    found: ColumnElement[bool] = column.in_([bindparam(f"{name}{i}", type_=column.type) for i in range(count)])
    return found


def _page(wanted: Filter, first: bool, dated: bool) -> Any:
    t = _TASKS.c
    where: list[Any] = [t.tenant == bindparam("tenant"), _OPEN, t.due.is_not(None) if dated else t.due.is_(None)]
    if wanted.types:
        where.append(among("type", STREAMS.c.type, len(wanted.types)))
    if wanted.who:
        where.append(among("who", t.who, len(wanted.who)))
    if wanted.due_before is not None:
        where.append(t.due < bindparam("before", type_=t.due.type))
    order: list[Any] = [*([t.due] if dated else []), t.sid, t.item, t.instance]
    if not first:
        where.append(beyond([(column, bindparam(column.name, type_=column.type)) for column in order]))
    case = (STREAMS.c.tenant == t.tenant) & (STREAMS.c.sid == t.sid)
    columns = (t.sid, STREAMS.c.uuid, STREAMS.c.type, STREAMS.c.number, *(t[name] for name in ROWS["tasks"]))
    return select(*columns).select_from(_TASKS.join(STREAMS, case)).where(*where).order_by(*order).limit(bindparam("size"))


def beyond(pairs: list[tuple[Any, Any]]) -> ColumnElement[bool]:
    """Rows that come after a mark, column by column."""
    (column, value), *rest = pairs
    return or_(column > value, and_(column == value, beyond(rest))) if rest else column > value
