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


def schedule_of(desk: Desk, work: Work, case: Stream, today: str = "", *, firm: bool = False) -> Schedule:
    """How long a case is kept by the rules of the case type that it is pinned to.

    Args:
        desk, work: Where.
        case: The case.
        today: The day on which it is asked, in the zone of the case; empty: now.
        firm: Whether something is about to be written on it: then other cases that it rests on must still be as they are.
    """
    rules = desk.library.pinned(work.shelf, case.head["definition"]).says.retention
    return schedule(rules, _kept(work, case, rules, firm=firm), today or day_of(work.now(), case.head["zone"]))


def closed_on(head: Mapping[str, Any]) -> str | None:
    """The day on which a case was closed, in its zone; None: it is open."""
    return day_of(head["closed"], head["zone"]) if "closed" in head else None


def _kept(work: Work, case: Stream, rules: Mapping[str, Retention], *, firm: bool) -> Kept:
    head = case.head
    facts, fields = needed(rules)
    parents, related = _linked(work, case) if "" in fields else ((), ())
    named = [one for name in fields for one in named_cases(head["data"].get(name))]
    return Kept(
        closed=closed_on(head),
        outcome=head["machine"].get("outcome") or "",
        data=head["data"],
        facts=_facts(work, case, facts) if facts else {},
        documents=frozenset(kind for kind, count in head["documents"].items() if count),
        cases=_others(work, [*named, *parents, *related], firm=firm),
        parents=parents,
        related=related,
    )


def _facts(work: Work, case: Stream, wanted: frozenset[str]) -> dict[str, list[Noted]]:
    """What was noted of some facts, in the order of since when it holds; what is sealed stays so."""
    found: dict[str, list[Noted]] = {}
    rows = [row for row in reading.rows_of(work.shelf, "facts", case.sid) if row[2] in wanted]
    for _, _, key, at, zone, day, value, _ in sorted(rows, key=lambda row: (row[3], row[0], row[1])):
        found.setdefault(key, []).append(Noted(day or day_of(at, zone), None if value is None else json.loads(value)))
    return found


def _linked(work: Work, case: Stream) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The case that this one is part of, and those to which it is linked otherwise, whoever says so."""
    own: Mapping[str, list[str]] = case.head.get("links", {})
    related = [other for relation, others in own.items() if relation != "parent" for other in others]
    for other in reading.heads_of(work.shelf, reading.linked_to(work.shelf, case.uuid)).values():
        said = decode(other.text).get("links", {})
        related += [other.uuid for relation, others in said.items() if relation != "parent" and case.uuid in others]
    return tuple(own.get("parent", ())), tuple(dict.fromkeys(related))


def _others(work: Work, named: list[str], *, firm: bool) -> dict[str, str | None]:
    """When other cases were closed; one that was disposed of had been."""
    found: dict[str, str | None] = {}
    for name in dict.fromkeys(named):
        uuid = name if len(name) == 36 and name.count("-") == 4 else reading.numbered(work.shelf, name)
        there = reading.head_of(work.shelf, uuid) if uuid else None
        if there is not None and there.kind == "case":
            found[name] = closed_on(decode(there.text))
            if firm:
                work.rows.read[there.sid] = there.n
        elif (grave := tombstone_of(work.shelf, name)) is not None and grave.closed:
            found[name] = grave.closed
    return found


__all__ = ["closed_on", "schedule_of"]
