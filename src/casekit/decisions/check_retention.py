"""Whether retention rules make sense: periods that can be counted, base dates that can be read and are never erased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casekit.decisions.plancheck import Found
from casekit.definition.casetype import CaseType, State
from casekit.definition.fields import Field, free_text, kind_of
from casekit.definition.retention import Retention
from casekit.errors import BadInput
from casekit.model.time import duration

_OF_FACTS = ("noted", "decided", "expires")
_OF_CASES = ("related", "parent")


def check_retention(case_type: CaseType) -> Found:
    """What is wrong with the retention rules of a case type."""
    outcomes = set(_outcomes(case_type.states))
    for key, rule in case_type.retention.items():
        at = f"/retention/{key}"
        yield from _period(rule, at)
        yield from _base(case_type, rule, at)
        for outcome in sorted(set(rule.outcomes) - outcomes):
            yield f"{at}/outcomes", f"no case ends as {outcome!r}", "those that there are: " + (", ".join(sorted(outcomes)) or "none")
        for kind in rule.documents:
            if case_type.documents and kind not in case_type.documents:
                yield f"{at}/documents", f"no kind of document {kind!r}", "those that there are: " + ", ".join(case_type.documents)


def _outcomes(states: Mapping[str, State]) -> Iterator[str]:
    for state in states.values():
        if state.outcome:
            yield state.outcome
        yield from _outcomes(state.states)


def _period(rule: Retention, at: str) -> Found:
    if rule.end == "keep":
        if rule.period or rule.of or rule.term or rule.counted:
            yield at, "what is kept for ever has no period", "leave period, of, term and counted out"
        return
    for name in ("period", "term") if rule.base == "term" else ("period",):
        text = getattr(rule, name)
        try:
            found = duration(text)
        except BadInput as wrong:
            yield f"{at}/{name}", wrong.problems[0].what, "write it as P10Y or P6M"
            continue
        if found.micros or found.months < 0 or found.days < 0 or found == duration("P0D"):
            yield f"{at}/{name}", f"{text} can't be counted in days", "say whole days, weeks, months or years, one at least"


def _base(case_type: CaseType, rule: Retention, at: str) -> Found:
    if rule.term and rule.base != "term":
        yield f"{at}/term", f"counted from {rule.base}, nothing goes on", "leave it out, or count from term"
    if rule.end == "keep":
        return
    if rule.base in ("closed", "term"):
        if rule.of:
            yield f"{at}/of", f"counted from {rule.base}, nothing is read", "leave it out"
        return
    if rule.base in _OF_CASES and not rule.of:
        return
    fields: Mapping[str, Field] = case_type.facts if rule.base in _OF_FACTS else case_type.data
    name = rule.of.split("/")[0] if rule.base == "object" else rule.of
    if name not in fields:
        what = "fact" if rule.base in _OF_FACTS else "field of the data"
        yield f"{at}/of", f"no {what} {name!r}", "those that there are: " + (", ".join(sorted(fields)) or "none")
        return
    yield from _readable(rule, fields[name], f"{at}/of")


def _readable(rule: Retention, field: Field, at: str) -> Found:
    """A base date that is sealed would be gone with a person, and the case never due."""
    if rule.base != "decided" and (field.personal or (field.personal is None and free_text(field.schema))):
        yield at, f"{rule.of} is personal: once a person is erased, nobody could tell how long the case is kept", "name one that is not"
    if rule.base in ("noted", "field", "expires") and kind_of(field.schema) != "date":
        yield at, f"{rule.of} is no day", "name one of format date"
    kind = field.schema.get("type")
    if rule.base in _OF_CASES and kind not in ("string", "array"):
        yield at, f"{rule.of} names no case", "name a text, or a list of texts: ids or numbers of cases"
    if rule.base == "parent" and kind == "array":
        yield at, f"{rule.of} names several cases, and a case has one parent", "count from related, or name a text"
    if rule.base == "object" and kind not in ("array", "object"):
        yield at, f"there is no path into {rule.of}", "name a list or a map, such as leases/*/until"


__all__ = ["check_retention"]
