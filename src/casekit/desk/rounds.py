"""The rounds of a case: assess, set goals, choose, work, review, adjust, each as it stands on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field

from casekit.decisions.items import Piece
from casekit.desk.casefile import CaseFile
from casekit.desk.loopvalues import Round
from casekit.desk.plans import Authors, item_of
from casekit.desk.planvalues import PlanItem
from casekit.desk.timeline import happening, owners
from casekit.desk.values import Happening
from casekit.desk.work import Stream, Work
from casekit.model.canonical import Json, decode
from casekit.record.fold import Row, fold
from casekit.store import reading

STEPS = frozenset({"goal", "choose", "item", "adjust", "review"})
"""Commands that belong to the loop."""

_N, _RECORDED, _KIND, _BODY, _ENDED = 1, 2, 7, 11, 10


def rounds(work: Work, stream: Stream, file: CaseFile) -> tuple[Round, ...]:
    """The rounds of a case, the last of which goes on; none where nothing of the loop was ever done."""
    work.load_keys({stream.uuid, *owners(stream.head)})
    entries = reading.entries_of(work.shelf, stream.sid)
    if not any(entry[_KIND] in STEPS for entry in entries):
        return ()
    pieces = file.definition.planning.pieces if file.definition else {}
    head: Json | None = None
    kept = _Kept(file, pieces, Authors(file))
    found = []
    for number, part in enumerate(_parted(entries), start=1):
        steps = []
        for entry in part:
            head, written = fold(head, decode(entry[_BODY])["changes"], entry[_N])
            kept.take(written)
            if entry[_KIND] in STEPS:
                steps.append(happening(work, stream, entry))
        found.append(_round(number, part, steps, kept.items(since=part[0][_N])))
    return tuple(found)


def _parted(entries: Sequence[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """The entries, cut after each review."""
    part: list[tuple[Any, ...]] = []
    for entry in entries:
        part.append(entry)
        if entry[_KIND] == "review":
            yield part
            part = []
    if part:
        yield part


def _round(number: int, part: Sequence[tuple[Any, ...]], steps: Sequence[Happening], items: tuple[PlanItem, ...]) -> Round:
    first, last = part[0], part[-1]
    review = steps[-1].review if last[_KIND] == "review" else None
    return Round(number, first[_N], last[_N], first[_RECORDED], last[_RECORDED], tuple(steps), items, review)


@define
class _Kept:
    """The rows of plan items, as the entries so far leave them."""

    file: CaseFile
    pieces: Mapping[str, Piece]
    authors: Authors
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = field(factory=dict)

    def take(self, written: Sequence[Row]) -> None:
        self.rows |= {key: row for table, key, row in written if table == "tasks" and row is not None}

    def items(self, since: int) -> tuple[PlanItem, ...]:
        """What lives, and what has ended since an entry."""
        rows = [row for row in self.rows.values() if row[_ENDED] is None or row[2] >= since]
        found = [self.authors.of(item_of(self.file, row, self.pieces)) for row in rows]
        return tuple(sorted(found, key=lambda item: (item.at, item.item, int(item.instance))))
