"""Whether requirements make sense: one kind each, names that exist, counts that can be, nothing that rests on itself or
can never be met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product

from casekit.decisions.compiled import asked_by, rests_on
from casekit.decisions.plancheck import Found
from casekit.definition.casetype import CaseType
from casekit.definition.requirements import CLOCK_STATUS, COUNTED, ITEM_STATUS, KINDS, Requirement, within
from casekit.model.links import RELATIONS

_PERMISSION = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+")
MOST_LEAVES = 10
"""Leaves up to which a requirement is tried with everything that they could be."""


def check_requirements(case_type: CaseType) -> Found:
    """What is wrong with the requirements of a case type."""
    for key, says in case_type.requirements.items():
        at = f"/requirements/{key}"
        found = [problem for path, part in within(says) for problem in _one(case_type, part, at + path)]
        yield from found
        if key in rests_on(case_type, key):
            ring = " -> ".join(_ring(case_type, key))
            yield at, f"it rests on itself: {ring}", "let one of them stand for itself"
        elif not found and not any(inner in rests_on(case_type, inner) for inner in rests_on(case_type, key)):
            yield from _met_never(case_type, says, at)


def _one(case_type: CaseType, says: Requirement, at: str) -> Found:
    kinds = says.kinds
    if len(kinds) != 1:
        what = f"says {len(kinds)} things: {', '.join(kinds)}" if kinds else "says nothing"
        yield at, what, "say one of " + ", ".join(KINDS) + "; join several by all, any, none or n_of"
        return
    kind = kinds[0]
    yield from _names(case_type, says, kind, at)
    yield from _status(case_type, says, kind, at)
    if says.count != 1 and kind not in COUNTED:
        yield f"{at}/count", f"a requirement of kind {kind} has no count", "leave it out; " + ", ".join(COUNTED) + " have one"
    most = _most(case_type, says, kind)
    if says.count < 1 or (most is not None and says.count > most):
        yield f"{at}/count", f"{says.count} can never be met", f"say 1 to {most}" if most is not None else "say at least 1"
    if says.over and kind != "approval":
        yield f"{at}/over", f"a requirement of kind {kind} covers nothing", "leave it out, or ask for an approval"


def _most(case_type: CaseType, says: Requirement, kind: str) -> int | None:
    if kind == "n_of":
        return len(says.n_of)
    role = case_type.roles.get(says.party) if kind == "party" else None
    return None if role is None else role.max


def _names(case_type: CaseType, says: Requirement, kind: str, at: str) -> Found:
    groups = {"item": case_type.plan, "clock": case_type.clocks, "party": case_type.roles, "document": case_type.documents}
    words = {"item": "item of the plan", "clock": "clock", "party": "role", "document": "kind of document"}
    name = str(getattr(says, kind))
    if kind in groups and name not in groups[kind] and (kind != "document" or case_type.documents):
        yield f"{at}/{kind}", f"no {words[kind]} {name!r}", "those of this case type are: " + (", ".join(groups[kind]) or "none")
    milestones = [key for key, item in case_type.plan.items() if item.kind == "milestone"]
    if kind == "milestone" and name not in milestones:
        yield f"{at}/milestone", f"no milestone {name!r}", "those of this case type are: " + (", ".join(milestones) or "none")
    if kind == "approval" and not _PERMISSION.fullmatch(name):
        yield f"{at}/approval", f"{name!r} is no permission", "use lower-case words joined by '.', such as case.release"
    if kind == "field" and not _known(case_type, name):
        yield f"{at}/field", f"no field {name!r}", "name a field of the data, or fact: and the key of a fact"
    if kind == "linked" and name not in RELATIONS:
        yield f"{at}/linked", f"{name!r} is no relation between cases", "use one of " + ", ".join(RELATIONS)
    for covered in says.over:
        if not _known(case_type, covered) and covered not in case_type.totals and not _document(case_type, covered):
            yield f"{at}/over", f"no field {covered!r}", "name fields, totals, fact:key or document:kind of this case type"


def _known(case_type: CaseType, name: str) -> bool:
    return name[5:] in case_type.facts if name.startswith("fact:") else name in case_type.data


def _document(case_type: CaseType, name: str) -> bool:
    return name.startswith("document:") and (name[9:] in case_type.documents or not case_type.documents)


def _status(case_type: CaseType, says: Requirement, kind: str, at: str) -> Found:
    document = case_type.documents.get(says.document)
    allowed = {"item": ITEM_STATUS, "clock": CLOCK_STATUS, "document": document.statuses if document else ()}.get(kind, ())
    if says.status and says.status not in allowed:
        do = f"use one of {', '.join(allowed)}" if allowed else "leave it out: an item, a clock or a kind of document with statuses has one"
        yield f"{at}/status", f"{says.status!r} is no status for a requirement of kind {kind}", do


def _never(case_type: CaseType, says: Requirement) -> tuple[str, str] | None:
    """Why a leaf can never be met, and what to do; None: it may be."""
    if says.clock in case_type.clocks:
        clock = case_type.clocks[says.clock]
        starts = clock.start or clock.each or clock.start_is_run_condition
        if says.status != "not-running" and not starts:
            return f"the clock {says.clock} never starts", "say when it starts"
        if says.status in ("", "met") and not clock.stop and not clock.each:
            return f"the clock {says.clock} is never met: it has no stop condition", "give it one, or ask for another status"
    if says.item in case_type.plan and says.status == "active" and case_type.plan[says.item].kind in ("milestone", "listener", "timer"):
        return f"a {case_type.plan[says.item].kind} is never active", "ask for completed"
    return None


def _met_never(case_type: CaseType, says: Requirement, at: str) -> Found:
    never = _never(case_type, says)
    if never is not None:
        yield at, f"it can never be met: {never[0]}", never[1]
    elif not _possible(case_type, says):
        yield at, "it can never be met: its parts contradict each other, or can't be met themselves", "take one of them away"


def _possible(case_type: CaseType, says: Requirement) -> bool:
    """Whether there is anything for which the requirement is met, its leaves taken as they stand."""
    leaves = tuple(dict.fromkeys(_leaves(case_type, says)))
    if len(leaves) > MOST_LEAVES:
        return True
    fixed = {leaf: (False,) if not isinstance(leaf, str) and _never(case_type, leaf) else (True, False) for leaf in leaves}
    return any(_met(case_type, says, dict(zip(leaves, values, strict=True))) for values in product(*fixed.values()))


def _leaves(case_type: CaseType, says: Requirement | str) -> Iterator[Requirement | str]:
    if isinstance(says, str):
        inner = case_type.requirements.get(says)
        yield from (says,) if inner is None else _leaves(case_type, inner)
    elif says.parts:
        for part in says.parts:
            yield from _leaves(case_type, part)
    else:
        yield _bare(says)


def _bare(says: Requirement) -> Requirement:
    """A leaf without its words: two that ask for the same are one."""
    names = ("when", "item", "milestone", "document", "party", "field", "clock", "approval", "linked", "status", "count")
    return Requirement(**{name: getattr(says, name) for name in names})


def _met(case_type: CaseType, says: Requirement | str, values: Mapping[Requirement | str, bool]) -> bool:
    if isinstance(says, str):
        inner = case_type.requirements.get(says)
        return values[says] if inner is None else _met(case_type, inner, values)
    if not says.parts:
        return values[_bare(says)]
    met = sum(_met(case_type, part, values) for part in says.parts)
    return {"all": met == len(says.parts), "any": met > 0, "none": met == 0, "n_of": met >= says.count}[says.kinds[0]]


def _ring(case_type: CaseType, key: str) -> list[str]:
    """A way from a requirement back to itself."""
    ways: list[list[str]] = [[key]]
    for way in ways:
        for name in asked_by(case_type.requirements[way[-1]]):
            if name == key:
                return [*way, key]
            if name in case_type.requirements and name not in way:
                ways.append([*way, name])
    return [key]
