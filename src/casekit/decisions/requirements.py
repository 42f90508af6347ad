"""Requirements judged, all of them at once: met, not met, or not known because data is missing; each as one tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve

from casekit.decisions.conditions import Explained, Expression, Inputs
from casekit.decisions.needs import Ready, standing_of
from casekit.definition.casetype import ENDED, CaseType
from casekit.model.judged import Act, Judged, Remedy
from casekit.model.links import RELATIONS

if TYPE_CHECKING:
    from casekit.decisions.compiled import Compiled

__all__ = ["Act", "Judged", "Judging", "Remedy", "judge"]

_MEETS = re.compile(r"meets\('([^']*)'\)|meets\(\"([^\"]*)\"\)")


def judge(definition: Compiled, keys: Iterable[str], inputs: Inputs, foreign: Mapping[str, Judged]) -> list[Judged]:
    """Every requirement, in the order in which they are named; ``foreign`` holds what plugins have judged.

    One that nobody has judged is not met: a rule whose plugin is gone must not wave anything through.
    """
    inputs.foreign = foreign
    judging = Judging(definition, inputs)
    return [judging.requirement(key) for key in dict.fromkeys(keys)]


class Judging:
    """Judges parts of a case type, as one tree each; what a tree rests on is looked at once more, nothing is remembered."""

    def __init__(self, definition: Compiled, inputs: Inputs) -> None:
        self.definition, self.inputs = definition, inputs

    def requirement(self, key: str) -> Judged:
        """A requirement by its key."""
        ready = self.definition.requirements.get(key)
        return self._rule(key) if ready is None else self.ready(ready, key)

    def ready(self, ready: Ready, key: str = "") -> Judged:
        """A requirement, or a part of one; ``key`` is that of a whole one."""
        if ready.code == "rule":
            return self._rule(ready.name)
        if ready.code == "requirement":
            return self.requirement(ready.name)
        found = self._leaf(ready) if not ready.inner else self._joined(ready)
        says = ready.says
        return evolve(found, key=key, unmet=says.unmet, citation=says.citation, remedy=says.remedy)

    def expression(self, expression: Expression) -> Judged:
        """A condition, part by part."""
        return self.explained(expression.explain(self.inputs), test=True)

    def explained(self, said: Explained, *, test: bool = False) -> Judged:
        """The explanation of a condition as a tree; a requirement that it asks for is judged within it."""
        test = test or isinstance(said.value, bool)
        parts = tuple(self.explained(part) for part in said.parts)
        asked = _MEETS.fullmatch(said.text)
        if asked:
            parts = (self.requirement(asked[1] or asked[2]),)
            missing = parts[0].missing if said.value is None else ()
            return Judged("expression", said.value, _HOLDS, {"condition": said.text}, missing=missing, parts=parts)
        if not test:
            return Judged(
                "value", None if said.value is None else True, _HOLDS, {"condition": said.text}, "", said.missing, said.value, parts=parts
            )
        return Judged("expression", said.value, _HOLDS, {"condition": said.text}, missing=said.missing, parts=parts)

    def _leaf(self, ready: Ready) -> Judged:
        met = ready.holds(self.inputs)
        if ready.code == "expression":
            assert ready.when is not None
            parts = () if met else (self.expression(ready.when),)
            missing = parts[0].missing if parts and met is None else ()
            return Judged("expression", met, _HOLDS, {"condition": ready.when.text}, missing=missing, parts=parts)
        if ready.code == "field":
            return self._field(ready, met)
        words, actual, needed = self._stands(ready)
        args = {"name": ready.name, "title": _title(self.definition.says, ready), "actual": actual, "needed": needed}
        return Judged(ready.code, met, words, args, actual=actual, needed=needed)  # type: ignore[arg-type]

    def _stands(self, ready: Ready) -> tuple[str, Any, Any]:
        """Words, what there is, what there must be."""
        inputs, name, count = self.inputs, ready.name, ready.says.count
        if ready.code in ("item", "milestone"):
            live = [state["state"] for state in inputs.items.get(name, {}).values()]
            actual = "completed" if inputs.done.get(name) and ready.says.status != "active" else ", ".join(live) or "not there"
            words = "{title} must be {needed}: it is {actual}." if ready.code == "item" else "The milestone {title} must be reached."
            return words, actual, ready.says.status or "completed"
        if ready.code == "clock":
            live = [state["status"] for state in inputs.clocks.get(name, {}).values()]
            actual = ", ".join((*live, *inputs.ended.get(name, ()))) or "not started"
            return "The clock {title} must be {needed}: it is {actual}.", actual, ready.says.status or "met"
        if ready.code == "document" and ready.says.status:
            words = f"{{needed}} of {{title}} must be {ready.says.status}: {{actual}} are."
            return words, standing_of(self.definition.says, ready.says)(inputs), count
        if ready.code == "linked":
            categories = inputs.linked.get(name, ())
            words = f"Every case that {RELATIONS[name][0]} this one must have ended: {{actual}} of {{needed}} have."
            return words, sum(category in ENDED for category in categories), len(categories)
        if ready.code == "document":
            return "{needed} of {title} must be on file: there are {actual}.", inputs.documents.get(name, 0), count
        if ready.code == "party":
            return "{needed} must be {title}: there are {actual}.", len(inputs.parties.get(name, ())), count
        given = len(inputs.approvals.get(ready.key, {}).get(name, ()))
        return "{needed} with the permission {name} must approve: {actual} have.", given, count

    def _field(self, ready: Ready, met: bool | None) -> Judged:
        name = ready.name
        held = self.inputs.facts if name.startswith("fact:") else self.inputs.data
        known = held.get(name.removeprefix("fact:")) is not None
        args = {"name": name, "title": _title(self.definition.says, ready)}
        if not known:
            return Judged("field", met, "{title} must be known.", args, missing=(name,), actual="unknown", needed="known")
        if ready.when is None:
            return Judged("field", met, "{title} must be known.", args, actual="known", needed="known")
        args["condition"] = ready.when.text
        inner = () if met else (self.expression(ready.when),)
        missing = inner[0].missing if inner and met is None else ()
        return Judged(
            "field",
            met,
            "{title} must fit: {condition}.",
            args,
            missing=missing,
            actual="known",
            needed=ready.when.text,
            parts=inner,
        )

    def _joined(self, ready: Ready) -> Judged:
        parts = tuple(self.ready(part) for part in ready.inner)
        met = ready.holds(self.inputs)
        wanted = ready.code != "none"
        missing = () if met else tuple(dict.fromkeys(name for part in parts if part.met is not wanted for name in part.missing))
        count = sum(part.met is True for part in parts)
        needed = {"all": len(parts), "any": 1, "none": 0, "n_of": ready.says.count}[ready.code]
        args = {"actual": count, "needed": needed, "of": len(parts)}
        # Where it is not known for a rule that could not be asked, it could not be asked itself.
        failed = next((part.failed for part in parts if part.failed), "") if met is None else ""
        return Judged(ready.code, met, _JOINED[ready.code], args, "", missing, count, needed, parts=parts, failed=failed)  # type: ignore[arg-type]

    def _rule(self, key: str) -> Judged:
        said = self.inputs.foreign.get(key)
        if said is not None:
            found: Judged = said
            return found
        failed, remedy = "no plugin here answers it", "install the plugin that brings the rule"
        return Judged("rule", None, "The rule is not met.", key=key, failed=failed, remedy=remedy)


_HOLDS = "The condition does not hold: {condition}"
_JOINED: Mapping[str, str] = {
    "all": "All {of} of these must be met: {actual} are.",
    "any": "One of these {of} must be met: {actual} are.",
    "none": "None of these {of} may be met: {actual} are.",
    "n_of": "{needed} of these {of} must be met: {actual} are.",
}


def _title(case_type: CaseType, ready: Ready) -> str:
    """What people read of what a requirement is about."""
    name = ready.name
    if ready.code == "field" and name.startswith("fact:"):
        return case_type.facts[name[5:]].title or name
    groups: Mapping[str, Mapping[str, Any]] = {
        "item": case_type.plan,
        "milestone": case_type.plan,
        "document": case_type.documents,
        "party": case_type.roles,
        "clock": case_type.clocks,
        "field": case_type.data,
    }
    record = groups.get(ready.code, {}).get(name)
    return getattr(record, "title", "") or name
