"""How long a case is kept: pure over what is known of it, explained rule by rule.

The longest wins: whoever keeps for ever before everybody else, then a rule whose base date has not come yet (nobody
knows that it is not the longest), then the one whose last day is the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from attrs import field, frozen

from casekit.definition.retention import Retention
from casekit.errors import BadInput
from casekit.model.time import add, day, duration, local

Standing = Literal["open", "no-rule", "keep", "waiting", "running", "due"]


@frozen
class Noted:
    """One fact that is on file.

    Attributes:
        since: Day since which it holds, in the zone of the case.
        value: Its value; None: sealed.
    """

    since: str
    value: Any = None


@frozen
class Kept:
    """What retention rests on.

    Attributes:
        closed: Day on which the case was closed, in its zone; None: it is open.
        outcome: What came out.
        data: Case data in the clear.
        facts: Fact → all that was ever noted of it, in the order of since when it holds.
        documents: Kinds of document that are on file.
        parents, related: Ids of the cases that it is linked to: as a part of them, or otherwise.
        cases: Id or number of another case → the day on which it was closed; None: it is open. One that is not here is not known.
    """

    closed: str | None
    outcome: str = ""
    data: Mapping[str, Any] = field(factory=dict)
    facts: Mapping[str, Sequence[Noted]] = field(factory=dict)
    documents: frozenset[str] = frozenset()
    cases: Mapping[str, str | None] = field(factory=dict)
    parents: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


@frozen
class Part:
    """What one rule says of a case.

    Attributes:
        rule: Its key.
        applies: Whether it is about this case.
        why: How it comes to what it says, in words.
        end: What happens once it is over.
        base: The day that it counts from; None: it has not come, or does not matter.
        until: The last day on which the case is kept; None: for ever, or not known.
        citation, authority: Where the rule comes from.
        statutory: Whether law asks for it.
    """

    rule: str
    applies: bool
    why: str
    end: str
    base: str | None = None
    until: str | None = None
    citation: str = ""
    authority: str = ""
    statutory: bool = False


@frozen
class Schedule:
    """How long a case is kept.

    Attributes:
        standing: ``open`` (nothing runs yet), ``no-rule``, ``keep`` (for ever), ``waiting`` (the base date has not come),
            ``running``, or ``due``.
        end: What happens then: destroy, review or keep; empty where no rule applies.
        rule: Key of the rule that wins; empty where none does.
        base: The day that it counts from.
        until: The last day on which the case is kept.
        parts: Every rule, and what it says.
    """

    standing: Standing
    end: str = ""
    rule: str = ""
    base: str | None = None
    until: str | None = None
    parts: tuple[Part, ...] = ()


def schedule(rules: Mapping[str, Retention], kept: Kept, today: str) -> Schedule:
    """How long a case is kept, and why.

    Args:
        rules: Those of its case type.
        kept: What is known of it.
        today: The day on which it is asked, in the zone of the case.
    """
    if kept.closed is None:
        return Schedule("open")
    parts = tuple(_part(key, rule, kept) for key, rule in sorted(rules.items(), key=lambda one: (one[1].order, one[0])))
    applying = [part for part in parts if part.applies]
    if not applying:
        return Schedule("no-rule", parts=parts)
    winner = max(applying, key=_length)
    standing: Standing = "keep" if winner.end == "keep" else "waiting" if winner.until is None else "running"
    if winner.until is not None and today > winner.until:
        standing = "due"
    return Schedule(standing, winner.end, winner.rule, winner.base, winner.until, parts)


def still_binding(found: Schedule, today: str) -> tuple[Part, ...]:
    """The rules of law by which a closed case must be kept still."""
    return tuple(p for p in found.parts if p.statutory and p.applies and (p.until is None or today <= p.until))


def needed(rules: Mapping[str, Retention]) -> tuple[frozenset[str], frozenset[str]]:
    """Facts that the rules read, and fields that name other cases."""
    facts = {rule.of for rule in rules.values() if rule.base in ("noted", "decided", "expires")}
    return frozenset(facts), frozenset(rule.of for rule in rules.values() if rule.base in ("related", "parent"))


def named_cases(value: Any) -> list[str]:
    """The cases that a field names."""
    several = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in several if isinstance(one, str) and one]


def last_day(base: str, period: str, counted: str = "") -> str:
    """The last day of a period: months and years end on the same day of the month, or on its last where it has none.

    Args:
        base: The day that is counted from; it is not part of the period.
        period: How long.
        counted: ``month`` or ``year``: the period runs from the end of the month or year that the day is in.

    Raises:
        BadInput: it ends after the year 9999.
    """
    begun = day(base)
    if counted == "year":
        begun = date(begun.year, 12, 31)
    elif counted == "month":
        begun = _month_end(begun)
    ends = add(f"{begun.isoformat()}T00:00:00.000000Z", duration(period), "UTC")[:10]
    return _month_end(day(ends)).isoformat() if counted == "month" else ends


def _month_end(begun: date) -> date:
    following = date(begun.year + begun.month // 12, begun.month % 12 + 1, 1) if (begun.year, begun.month) != (9999, 12) else None
    return date.fromordinal(following.toordinal() - 1) if following is not None else date(9999, 12, 31)


def _length(part: Part) -> tuple[int, str, bool]:
    """How long a rule keeps; of two that keep as long, the one after which somebody looks."""
    if part.end == "keep":
        return 2, "", False
    return (1, "", False) if part.until is None else (0, part.until, part.end == "review")


def _part(key: str, rule: Retention, kept: Kept) -> Part:
    def says(why: str, base: str | None = None, until: str | None = None, *, applies: bool = True) -> Part:
        return Part(key, applies, why, rule.end, base, until, rule.citation, rule.authority, rule.statutory)

    apart = _apart(rule, kept)
    if apart:
        return says(apart, applies=False)
    if rule.end == "keep":
        return says("it is kept for ever")
    base, why = _BASES[rule.base](rule, kept)
    if base is None:
        return says(why)
    try:
        until = last_day(base, rule.period, rule.counted)
    except BadInput:
        return says(f"{why}; {rule.period} after that ends beyond the year 9999", base)
    begins = f" from the end of that {rule.counted}" if rule.counted else ""
    return says(f"{why}; {rule.period} after that{begins}: kept until {until}", base, until)


def _apart(rule: Retention, kept: Kept) -> str:
    """Why a rule is not about a case; empty: it is."""
    if rule.outcomes and kept.outcome not in rule.outcomes:
        return f"it is about cases that ended as {', '.join(rule.outcomes)}; this one ended as {kept.outcome or 'nothing'}"
    if rule.documents and not kept.documents.intersection(rule.documents):
        return f"it is about cases with a {' or a '.join(rule.documents)} on file"
    return ""


_Found = tuple[str | None, str]
"""The base date, and how it was found; None: it has not come."""


def _closed(rule: Retention, kept: Kept) -> _Found:
    del rule
    return kept.closed, f"closed on {kept.closed}"


def _term(rule: Retention, kept: Kept) -> _Found:
    assert kept.closed is not None
    try:
        found = last_day(kept.closed, rule.term)
    except BadInput:
        return None, f"closed on {kept.closed}, and {rule.term} after that is beyond the year 9999"
    return found, f"closed on {kept.closed}, and it goes on for {rule.term}: {found}"


def _noted(rule: Retention, kept: Kept) -> _Found:
    facts = kept.facts.get(rule.of, ())
    found = _day_in(facts[-1].value) if facts else None
    return (found, f"{rule.of} says {found}") if found else (None, f"the day of {rule.of} is not known yet")


def _field(rule: Retention, kept: Kept) -> _Found:
    found = _day_in(kept.data.get(rule.of))
    return (found, f"{rule.of} is {found}") if found else (None, f"{rule.of} is not known")


def _related(rule: Retention, kept: Kept) -> _Found:
    linked = kept.parents if rule.base == "parent" else kept.related
    where = rule.of or "links"
    named = named_cases(kept.data.get(rule.of)) if rule.of else list(linked)
    if not named:
        return None, f"{where} names no case" if rule.of else "it is not linked to such a case"
    for other in named:
        if kept.cases.get(other) is None:
            return None, f"the case {other} is {'open' if other in kept.cases else 'not known here'}"
    found = max(str(kept.cases[other]) for other in named)
    return found, f"the last of the cases in {where} was closed on {found}"


def _decided(rule: Retention, kept: Kept) -> _Found:
    found = max((fact.since for fact in kept.facts.get(rule.of, ())), default=None)
    return found, f"{rule.of} holds since {found}" if found else f"there is no {rule.of}"


def _expires(rule: Retention, kept: Kept) -> _Found:
    days = [_day_in(fact.value) for fact in kept.facts.get(rule.of, ())]
    if not days or None in days:
        return None, f"nobody knows when {rule.of} ends" if days else f"there is no {rule.of}"
    found = max(d for d in days if d)
    return found, f"the last {rule.of} ends on {found}"


def _object(rule: Retention, kept: Kept) -> _Found:
    days = [_day_in(value) for value in _at(kept.data, rule.of.split("/"))]
    if not days or None in days:
        return None, f"a day at {rule.of} is not known" if days else f"there is nothing at {rule.of}"
    found = max(d for d in days if d)
    return found, f"the last day at {rule.of} is {found}"


_BASES = {
    "closed": _closed,
    "term": _term,
    "noted": _noted,
    "field": _field,
    "related": _related,
    "parent": _related,
    "decided": _decided,
    "expires": _expires,
    "object": _object,
}


def _at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """Every value at a path; ``*`` stands for every member. A member that lacks it gives None."""
    if not path:
        yield value
        return
    first, rest = path[0], path[1:]
    if first == "*":
        inner: Iterable[Any] = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
        for one in inner:
            yield from _at(one, rest)
    elif isinstance(value, Mapping) and first in value:
        yield from _at(value[first], rest)
    elif value is not None:
        yield None


def _day_in(value: Any) -> str | None:
    """The day that a value says; None: it says none."""
    try:
        return day(value).isoformat() if isinstance(value, str) else None
    except BadInput:
        return None


def day_of(at: str, zone: str) -> str:
    """The day in a zone on which an instant lies."""
    return local(at, zone).date().isoformat()


__all__ = [
    "Kept",
    "Noted",
    "Part",
    "Schedule",
    "day_of",
    "last_day",
    "named_cases",
    "needed",
    "schedule",
    "still_binding",
]
