"""The cases that say how they stand to one case, as decisions and questions look for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from casekit.desk.work import Stream, Work
from casekit.store import reading


def standing_to(work: Work, uuid: str) -> list[tuple[str, Stream]]:
    """The cases that say how they stand to this one, in the order of their making; what this transaction has done included."""
    work.load(reading.linked_to(work.shelf, uuid))
    known = sorted((s for s in work.streams.values() if s.kind == "case" and s.head), key=lambda s: s.sid)
    return [(relation, other) for other in known for relation, others in other.head.get("links", {}).items() if uuid in others]


class Standing(Mapping[str, Collection[str]]):
    """Relation → categories of the cases that stand in it to one case; looked up when it is first asked for.

    A decision that asks is made where nobody can change those cases meanwhile (:meth:`Work.demand_wide`).
    """

    __slots__ = ("_found", "_uuid", "_work")

    def __init__(self, work: Work, uuid: str) -> None:
        self._work, self._uuid = work, uuid
        self._found: dict[str, list[str]] | None = None

    def __getitem__(self, relation: str) -> Collection[str]:
        return self._look()[relation]

    def __iter__(self) -> Iterator[str]:
        return iter(self._look())

    def __len__(self) -> int:
        return len(self._look())

    def _look(self) -> dict[str, list[str]]:
        if self._found is None:
            self._work.demand_wide()
            self._found = {}
            for relation, other in standing_to(self._work, self._uuid):
                self._found.setdefault(relation, []).append(other.head["machine"]["category"])
        return self._found
