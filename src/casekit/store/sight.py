"""Which confidential cases a question may see. It is part of the query: what it leaves out is not read."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, and_, bindparam, exists, not_, or_, select

from casekit.store.tables import PROJECTED, STREAMS

_LEVELS = PROJECTED["levels"]


@frozen
class Sight:
    """What somebody may see of confidential cases; by default nothing. Cases without a level are seen by everybody who may read.

    Attributes:
        everywhere: Levels that they may see in every case type.
        pairs: Case type and level, beside these.
    """

    everywhere: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """What a prepared statement depends on."""
        return len(self.everywhere), len(self.pairs)

    @property
    def binds(self) -> dict[str, Any]:
        """Parameters of :func:`visible`."""
        found: dict[str, Any] = {f"level{i}": level for i, level in enumerate(self.everywhere)}
        for i, (case_type, level) in enumerate(self.pairs):
            found |= {f"level_of{i}": level, f"type_of{i}": case_type}
        return found

    def sees(self, case_type: str, level: str) -> bool:
        """The same, of one case."""
        return level in self.everywhere or (case_type, level) in self.pairs


NOTHING = Sight()


def visible(sight: Sight) -> ColumnElement[bool]:
    """Whether a case is ordinary, or of a level that may be seen."""
    t = _LEVELS.c
    levels = [bindparam(f"level{i}", type_=t.level.type) for i in range(len(sight.everywhere))]
    pairs = [
        and_(
            STREAMS.c.type == bindparam(f"type_of{i}", type_=STREAMS.c.type.type), t.level == bindparam(f"level_of{i}", type_=t.level.type)
        )
        for i in range(len(sight.pairs))
    ]
    seen = [*([t.level.in_(levels)] if levels else []), *pairs]
    hidden = [t.tenant == STREAMS.c.tenant, t.sid == STREAMS.c.sid, t.what == "", *([not_(or_(*seen))] if seen else [])]
    return not_(exists(select(t.sid).where(*hidden).correlate(STREAMS)))


__all__ = ["NOTHING", "Sight", "visible"]
