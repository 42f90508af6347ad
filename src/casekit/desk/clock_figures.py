"""Figures of deadlines over all cases: how they ended, and how long they took, by the wall and by the office."""

from __future__ import annotations

from collections import Counter
from statistics import median_low
from typing import TYPE_CHECKING, Any

from attrs import define, field

from casekit.model.canonical import Json, decode
from casekit.model.time import micros
from casekit.store import figures
from casekit.store.shelf import Shelf
from casekit.store.sight import Sight

if TYPE_CHECKING:
    from casekit.decisions.calendar import Working
    from casekit.desk.desk import Desk

_VERDICTS = ("met", "breached")


@define
class _Tally:
    title: str
    kind: str
    states: Counter[str] = field(factory=Counter)
    elapsed: list[int] = field(factory=list)
    open: list[int] = field(factory=list)


def clocks(desk: Desk, shelf: Shelf, types: tuple[str, ...] | None, sight: Sight) -> Json:
    """Per case type and clock: instances by status, and how long those took that ended with a verdict.

    ``elapsed`` and ``open`` are whole microseconds from start to end, pauses among them: by the calendar on the wall, and
    within the hours of the clock's own calendar in the version that the case is pinned to. Each has ``mean``, ``median``
    (the lower of two) and ``of``, the number of instances; ``open`` is there for clocks of kind ``business`` only.

    Args:
        desk: The desk.
        shelf: Whose cases.
        types: Case types that the reader may see; None: all.
        sight: Which confidential cases.
    """
    found: dict[str, dict[str, _Tally]] = {}
    last, head = None, Json()
    for sid, case_type, text, clock, status, started, ended in figures.clocks(shelf, sight):
        if types is not None and case_type not in types:
            continue
        if sid != last:
            last, head = sid, decode(text)
        timer = desk.library.pinned(shelf, head["definition"]).timer(clock)
        tally = found.setdefault(case_type, {}).setdefault(clock, _Tally(timer.says.title, timer.says.kind))
        tally.states[status] += 1
        if status in _VERDICTS and started is not None and ended is not None:
            tally.elapsed.append(micros(ended) - micros(started))
            if (working := _working(desk, shelf, head, timer.says)) is not None:
                tally.open.append(working.between(started, ended))
    return {key: {clock: _said(tally) for clock, tally in sorted(several.items())} for key, several in sorted(found.items())}


def _working(desk: Desk, shelf: Shelf, head: Json, says: Any) -> Working | None:
    return desk.library.calendars.of(shelf, head)[0].get(says.calendar) if says.kind == "business" else None


def _said(tally: _Tally) -> Json:
    lengths = {name: _figures(values) for name, values in (("elapsed", tally.elapsed), ("open", tally.open)) if values}
    return {"title": tally.title, "kind": tally.kind, "states": dict(sorted(tally.states.items())), **lengths}


def _figures(values: list[int]) -> Json:
    return {"of": len(values), "mean": sum(values) // len(values), "median": median_low(values)}


__all__ = ["clocks"]
