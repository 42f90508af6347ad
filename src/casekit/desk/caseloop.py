"""What a case file says of the loop of planning: goals, what has ended, where the last choice and review stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casekit.decisions.goals import in_order, standing
from casekit.decisions.machine import Run
from casekit.model.canonical import Json
from casekit.model.goals import Progress
from casekit.plugins.past import Mark, PastClock, PastItem

if TYPE_CHECKING:
    from casekit.desk.casefile import CaseFile


def goals(file: CaseFile, now: str) -> tuple[Progress, ...]:
    """The goals of a case, each with how far it had come at a moment, in the order in which they were set."""
    known = file.stream.head.get("goals")
    if not known or file.definition is None:
        return ()
    run = Run(file.definition, file.stream.head["machine"], file.world(), now)
    return tuple(in_order(standing(run, key, record, title_of(file, key, record)) for key, record in known.items()))


def title_of(file: CaseFile, goal: str, record: Json) -> str:
    """The title of a goal, opened; empty where there is none or it is erased."""
    return (file.open(f"goal/{goal}", record["sealed"]).get("title") or "") if "sealed" in record else ""


def mark(said: Json | None) -> Mark | None:
    """Where the last review or choice stands."""
    return None if said is None else Mark(said["entry"], said["at"])


def past_clocks(file: CaseFile) -> tuple[PastClock, ...]:
    """Clocks that have ended, in order of ending."""
    rows = {row[:2]: row for row in file.rows("clocks")}
    found = [
        PastClock(clock, one, status, started, due, breached, ended, n)
        for clock, one, n, status, started, due, breached, ended in rows.values()
        if ended is not None
    ]
    return tuple(sorted(found, key=lambda c: (c.ended, c.n, c.id, c.instance)))


def past_items(file: CaseFile) -> tuple[PastItem, ...]:
    """Plan items that have ended, in order of ending."""
    rows = {row[:2]: row for row in file.rows("tasks")}
    found = [PastItem(row[0], row[1], row[4], row[9], row[10], row[11] or "", row[2]) for row in rows.values() if row[10] is not None]
    return tuple(sorted(found, key=lambda i: (i.ended, i.n, i.id, int(i.instance))))
