"""Queries for figures over all cases of a tenant. They read clear columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, select

from casekit.store.shelf import Shelf
from casekit.store.sight import NOTHING, Sight, visible
from casekit.store.tables import PROJECTED, STREAMS

_CLOCKS = PROJECTED["clocks"]


def clocks(shelf: Shelf, sight: Sight = NOTHING) -> list[tuple[Any, ...]]:
    """Every instance of every clock of the cases that may be seen, case by case: sid, type and head of the case; clock, status, started, ended."""
    return shelf.connection.rows(
        shelf.statements.get(("figures of clocks", sight.shape), _clocks, sight), {"tenant": shelf.tenant, **sight.binds}
    )


def _clocks(sight: Sight) -> Any:
    columns = (STREAMS.c.sid, STREAMS.c.type, STREAMS.c.head, _CLOCKS.c.clock, _CLOCKS.c.status, _CLOCKS.c.started, _CLOCKS.c.ended)
    joined = STREAMS.join(_CLOCKS, and_(_CLOCKS.c.tenant == STREAMS.c.tenant, _CLOCKS.c.sid == STREAMS.c.sid))
    where = (STREAMS.c.tenant == bindparam("tenant"), STREAMS.c.kind == "case", visible(sight))
    return select(*columns).select_from(joined).where(*where).order_by(STREAMS.c.sid, _CLOCKS.c.clock, _CLOCKS.c.instance)


__all__ = ["clocks"]
