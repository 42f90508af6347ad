"""A map held against its case type, before anything is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casekit.definition.casetype import ALWAYS, CaseType, Transition
from casekit.definition.fields import Field
from casekit.definition.logvalues import value_kind
from casekit.definition.maprules import EventRule, ImportMap
from casekit.errors import BadInput, Problem


def check_map(rules: ImportMap, case_type: CaseType, where: str) -> None:
    """Whether the case type knows all that the map names.

    Args:
        rules: The map.
        case_type: Its case type.
        where: What problems name, such as the map's file.

    Raises:
        BadInput: every problem found, each as ``where: /path``.
    """
    if problems := [Problem(f"{where}: {place}", what, do) for place, what, do in _problems(rules, case_type)]:
        raise BadInput(problems)


_Found = Iterator[tuple[str, str, str]]


def _problems(rules: ImportMap, case_type: CaseType) -> _Found:
    book = case_type.ledger
    if book and book.currency and rules.currency and book.currency != rules.currency:
        yield "/currency", f"is {rules.currency}, and the ledger of {case_type.key} is kept in {book.currency}", f"say {book.currency}"
    yield from _fields("/case/data", rules.case.data, case_type.data, "field")
    yield from _leaks("/case", rules.case.data, case_type.data, {rules.case.key or "concept:name": "identifies the case"})
    for name, rule in rules.events.items():
        yield from _event(f"/events/{name}", rule, rules, case_type)


def _event(place: str, rule: EventRule, rules: ImportMap, case_type: CaseType) -> _Found:
    yield from _fields(f"{place}/data", rule.data, case_type.data, "field")
    yield from _fields(f"{place}/facts", rule.facts, case_type.facts, "fact")
    if rule.do:
        yield from _transition(place, rule, case_type)
    if rule.open or rule.may_open:
        yield from _opening(place, rule, rules, case_type)
    yield from _postings(place, rule, case_type)
    filled = (
        ("data", rule.data, case_type.data),
        ("facts", rule.facts, case_type.facts),
        ("form", rule.form, _form(_taken(rule, case_type))),
    )
    clear = {rules.actor.attribute: "names the actor"}
    for _, fields, known in filled:
        clear |= {a: f"fills {key!r}, which is not sealed" for key, a in fields.items() if key in known and not known[key].personal}
    for part, fields, known in filled:
        yield from _leaks(f"{place}/{part}", fields, known, clear)


def _fields(place: str, fields: Mapping[str, str], known: Mapping[str, Field], word: str) -> _Found:
    for key in fields:
        if key not in known:
            yield f"{place}/{key}", f"the case type has no {word} {key!r}", _choose(known)
        elif value_kind(known[key].schema) == "other":
            yield f"{place}/{key}", "no text of a log can fill it", "map text, a number, true or false, money, a day or an instant"
        elif known[key].personal and known[key].owner:
            yield (
                f"{place}/{key}",
                f"it belongs to the party {known[key].owner!r}, and a log brings no parties",
                "map to a field that the case owns, or leave the attribute raw",
            )


def _leaks(place: str, fields: Mapping[str, str], known: Mapping[str, Field], clear: Mapping[str, str]) -> _Found:
    """Attributes whose text would be sealed in one place and stand in clear in another (attribute → where)."""
    for key, attribute in fields.items():
        if key in known and known[key].personal and attribute in clear:
            yield f"{place}/{key}", f"is personal, and its attribute {attribute!r} also {clear[attribute]}", "map it to one of the two"


def _taken(rule: EventRule, case_type: CaseType) -> list[Transition]:
    return [t for key, t in case_type.transitions.items() if rule.do and rule.do != ALWAYS and (t.on or key) == rule.do]


def _form(taken: list[Transition]) -> dict[str, Field]:
    return {key: field for t in taken for key, field in t.form.items()}


def _transition(place: str, rule: EventRule, case_type: CaseType) -> _Found:
    taken = _taken(rule, case_type)
    if not taken:
        events = {t.on or key for key, t in case_type.transitions.items()} - {ALWAYS}
        yield f"{place}/do", f"the case type has no transition {rule.do!r}", _choose(events)
        return
    form = _form(taken)
    yield from _fields(f"{place}/form", rule.form, form, "field of that form")
    for key in form:
        if key not in rule.form and all(key in t.form and t.form[key].required for t in taken):
            yield f"{place}/form", f"the transition {rule.do!r} needs {key!r}", "map it to an attribute"


def _opening(place: str, rule: EventRule, rules: ImportMap, case_type: CaseType) -> _Found:
    for key, field in case_type.data.items():
        if field.required and key not in rule.data and key not in rules.case.data:
            yield f"{place}/data", f"a case does not open without {key!r}", "map it to an attribute here, or under [case]"
    for index, charge in enumerate(rule.charges):
        if case_type.ledger and charge.component in case_type.ledger.opening and not charge.replace:
            yield (
                f"{place}/charges/{index}",
                f"the case type charges {charge.component!r} by itself when a case opens",
                "remove this charge, or say replace = true",
            )


def _postings(place: str, rule: EventRule, case_type: CaseType) -> _Found:
    if (rule.pay or rule.charges) and case_type.ledger is None:
        yield f"{place}/{'pay' if rule.pay else 'charges'}", "the case type has no ledger", "give it one, or remove this"
        return
    for index, charge in enumerate(rule.charges):
        components = case_type.ledger.components if case_type.ledger else ()
        if charge.component not in components:
            yield f"{place}/charges/{index}/component", f"the ledger has no component {charge.component!r}", _choose(components)


def _choose(known: Mapping[str, object] | set[str] | tuple[str, ...]) -> str:
    return "use one of " + ", ".join(sorted(known)) if known else "the case type has none"
