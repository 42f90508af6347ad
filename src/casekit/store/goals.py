"""Queries on goals over many cases. They read clear columns and go page by page along a key."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from sqlalchemy import bindparam, select, text

from casekit.record.tables import ROWS
from casekit.store.shelf import Shelf
from casekit.store.tables import PROJECTED, STREAMS
from casekit.store.tasks import among, beyond, numbered

_GOALS = PROJECTED["goals"]
DUE = ROWS["goals"].index("due")
_OPEN = text("goals.status != 'reached'")  # written out, so that the partial index serves


@frozen
class Filter:
    """Which goals a list shows. Empty members filter nothing.

    Attributes:
        types: Case types.
        owners: Roles that answer for them.
        due_before: Only those whose first instant that is too late has come by then.
    """

    types: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    due_before: str | None = None


@frozen
class Mark:
    """The last goal of a page: when its time is over, and which it is."""

    due: str | None
    sid: int
    goal: str


def page(shelf: Shelf, wanted: Filter, after: Mark | None, size: int, *, dated: bool) -> list[tuple[Any, ...]]:
    """Goals of open cases that are not reached, those with a day in its order, or those without: as of tasks, then the row."""
    shape = ("goals", len(wanted.types), len(wanted.owners), wanted.due_before is None, after is None, dated)
    prepared = shelf.statements.get(shape, _page, wanted, after is None, dated)
    values: dict[str, Any] = {"tenant": shelf.tenant, "size": size, "before": wanted.due_before}
    if after is not None:
        values |= {"due": after.due, "sid": after.sid, "goal": after.goal}
    values |= numbered("type", wanted.types) | numbered("owner", wanted.owners)
    return shelf.connection.rows(prepared, values)


def _page(wanted: Filter, first: bool, dated: bool) -> Any:
    t = _GOALS.c
    case = (STREAMS.c.tenant == t.tenant) & (STREAMS.c.sid == t.sid)
    where: list[Any] = [t.tenant == bindparam("tenant"), _OPEN, t.due.is_not(None) if dated else t.due.is_(None)]
    where.append(STREAMS.c.closed.is_(None))
    if wanted.types:
        where.append(among("type", STREAMS.c.type, len(wanted.types)))
    if wanted.owners:
        where.append(among("owner", t.owner, len(wanted.owners)))
    if wanted.due_before is not None:
        where.append(t.due <= bindparam("before", type_=t.due.type))
    order: list[Any] = [*([t.due] if dated else []), t.sid, t.goal]
    if not first:
        where.append(beyond([(column, bindparam(column.name, type_=column.type)) for column in order]))
    columns = (t.sid, STREAMS.c.uuid, STREAMS.c.type, STREAMS.c.number, *(t[name] for name in ROWS["goals"]))
    return select(*columns).select_from(_GOALS.join(STREAMS, case)).where(*where).order_by(*order).limit(bindparam("size"))
