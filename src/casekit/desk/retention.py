"""How long cases are kept: what the pure decision needs, read from the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from casekit.decisions.retention import Kept, Noted, Schedule, day_of, named_cases, needed, schedule
from casekit.definition.retention import Retention
from casekit.desk.graves import tombstone_of
from casekit.desk.work import Stream, Work
from casekit.model.canonical import decode
from casekit.store import reading

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


def schedule_of(desk: Desk, work: Work, case: Stream, today: str = "") -> Schedule:
    """How long a case is kept by the rules of the case type that it is pinned to.

    Args:
        desk, work: Where.
        case: The case.
        today: The day on which it is asked, in the zone of the case; empty: now.
    """
    rules = desk.library.pinned(work.shelf, case.head["definition"]).says.retention
    return schedule(rules, _kept(work, case, rules), today or day_of(work.now(), case.head["zone"]))


def closed_on(head: Mapping[str, Any]) -> str | None:
    """The day on which a case was closed, in its zone; None: it is open."""
    return day_of(head["closed"], head["zone"]) if "closed" in head else None


def _kept(work: Work, case: Stream, rules: Mapping[str, Retention]) -> Kept:
    head = case.head
    facts, fields = needed(rules)
    return Kept(
        closed=closed_on(head),
        outcome=head["machine"].get("outcome") or "",
        data=head["data"],
        facts=_facts(work, case, facts) if facts else {},
        documents=frozenset(kind for kind, count in head["documents"].items() if count),
        cases=_others(work, [named for name in fields for named in named_cases(head["data"].get(name))]),
    )


def _facts(work: Work, case: Stream, wanted: frozenset[str]) -> dict[str, list[Noted]]:
    """What was noted of some facts, in the order of since when it holds; what is sealed stays so."""
    found: dict[str, list[Noted]] = {}
    rows = [row for row in reading.rows_of(work.shelf, "facts", case.sid) if row[2] in wanted]
    for _, _, key, at, zone, day, value, _ in sorted(rows, key=lambda row: (row[3], row[0], row[1])):
        found.setdefault(key, []).append(Noted(day or day_of(at, zone), None if value is None else json.loads(value)))
    return found


def _others(work: Work, named: list[str]) -> dict[str, str | None]:
    """When other cases were closed; one that was disposed of had been."""
    found: dict[str, str | None] = {}
    for name in dict.fromkeys(named):
        uuid = name if len(name) == 36 and name.count("-") == 4 else reading.numbered(work.shelf, name)
        there = reading.head_of(work.shelf, uuid) if uuid else None
        if there is not None and there.kind == "case":
            found[name] = closed_on(decode(there.text))
        elif (grave := tombstone_of(work.shelf, name)) is not None and grave.closed:
            found[name] = grave.closed
    return found


__all__ = ["closed_on", "schedule_of"]
