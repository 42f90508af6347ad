"""Rules of counting as data: how the law turns an event and a number of days into a last day.

A rule is dated, names its source, and says what could not be verified. The amount belongs to the deadline: a
rule may carry one (Regulation F's five days) or leave it to whoever counts (FRCP 6(a) counts any).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Literal

from attrs import field as attr
from attrs import frozen

from casekit.definition.load import structure
from casekit.errors import BadInput, Problem
from casekit.model.time import Duration, day, duration

Roll = Literal["none", "direction", "forward", "backward"]
Skip = Literal["none", "non_working"]
Trigger = Literal["excluded", "included"]


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@frozen
class ShortPeriod:
    """Another way of counting for short periods.

    Attributes:
        max_days: Longest period, in days, that is short.
        skip: Which days a short period leaves out.
    """

    max_days: int
    skip: Skip = "non_working"


@frozen
class Extra:
    """Days that are added after the period would otherwise end: the period ends and rolls first, then every one of
    these days counts, then the end rolls again.

    Attributes:
        days: How many.
        service: Ways of service that bring them (``mail``); whoever counts says how it was served.
        citation: Law.
    """

    days: int
    service: tuple[str, ...] = attr(converter=_texts)
    citation: str = ""


@frozen
class Reading:
    """Another way to read the same rule, given beside the rule's own answer.

    Attributes:
        why: The reason for reading it so.
        citation: Who reads it so.
        trigger_day: As of the rule, where it differs.
        roll: As of the rule, where it differs.
        shift: Days by which the end moves before it rolls (``before the 120th day``: -1).
        unit: Only for periods stated in this unit; empty: for all.
    """

    why: str = ""
    citation: str = ""
    trigger_day: Trigger | Literal[""] = ""
    roll: Roll | Literal[""] = ""
    shift: int = 0
    unit: Literal["", "days", "months", "hours"] = ""


@frozen
class Count:
    """A rule of counting.

    Attributes:
        key: Public name (``us.frcp-6a``).
        version: Version of the text.
        title: What people read.
        amount: ISO 8601 period in one unit (``P14D``, ``P3W``, ``P18M``, ``PT72H``), with a minus sign counted back
            from the event; empty: whoever counts says it.
        trigger_day: Whether the day of the event counts. A period of months from an included day ends the day before
            the day with the same number (BGB § 188(2)).
        trigger_hour: Of periods in hours: whether the hour of the event counts (from the very moment) or counting
            begins with the next full hour.
        skip: Whether only working days count.
        short_period: Another way for short periods.
        min_working_days: How many working days a period of at least that many days contains at least.
        roll: Where an end on a day that is no working day goes: nowhere, on in the direction of counting, or always
            forward or backward.
        roll_hours: The same for the end of a period in hours; it keeps its time of day.
        retroactive: Whether the end of a period counted backward rolls at all.
        month_end: A month without that day ends on its last day.
        day_end: When the last day ends: at ``24:00``, or when the calendar's office closes on it.
        closures: Whether a day on which the office was inaccessible moves an end that falls on it to the first
            accessible working day after, also of a backward period.
        tolled: Which days a pause takes out of the period: those that it covers whole, or every one that it touches.
            Of a period in hours it is the very time.
        begins: Whether the period begins with the event, or with the end of the year in which it was (BGB § 199(1)).
        extra: Days that the way of service adds, of forward periods.
        then: Count that begins on the last day of this one; neither is in hours.
        readings: Other readings, by key.
        citation: Law.
        source: Text that was read.
        effective_from, effective_to: Days between which the rule is in force; empty: no limit.
        verified_on: Day on which the source was read; empty: never.
        unverified: What could not be verified.
    """

    key: str
    version: str
    title: str = ""
    amount: str = ""
    trigger_day: Trigger = "excluded"
    trigger_hour: Literal["counted", "excluded"] = "counted"
    skip: Skip = "none"
    short_period: ShortPeriod | None = None
    min_working_days: int = 0
    roll: Roll = "none"
    roll_hours: Roll = "none"
    retroactive: Literal["rolled", "kept"] = "rolled"
    month_end: Literal["clamp"] = "clamp"
    day_end: Literal["24:00", "office_close"] = "24:00"
    closures: Literal["none", "forward"] = "none"
    tolled: Literal["whole", "touched"] = "whole"
    begins: Literal["event", "year_end"] = "event"
    extra: Extra | None = None
    then: Count | None = None
    readings: Mapping[str, Reading] = attr(factory=dict)
    citation: str = ""
    source: str = ""
    effective_from: str = ""
    effective_to: str = ""
    verified_on: str = ""
    unverified: str = ""


def _versions(value: Iterable[Count]) -> tuple[Count, ...]:
    return tuple(value)


@frozen
class Counts:
    """A rule through the years: its dated versions.

    Attributes:
        key: Public name of the rule.
        versions: The versions; no day lies in two of them.
    """

    key: str
    versions: tuple[Count, ...] = attr(converter=_versions)

    def on(self, when: str) -> Count:
        """The version that is in force on a day.

        Raises:
            BadInput: none is; names the rule, the day and what there is.
        """
        for rule in self.versions:
            if rule.effective_from <= when and (not rule.effective_to or when <= rule.effective_to):
                return rule
        there = ", ".join(f"{r.version} ({r.effective_from or 'ever'} to {r.effective_to or 'now'})" for r in self.versions)
        raise BadInput.at(f"count {self.key}", f"is not in force on {when}", f"its versions are {there}")


def period(text: str, where: str) -> Duration:
    """The period that a text says.

    Raises:
        BadInput: no duration, nothing at all, or more than one unit; names the rule.
    """
    try:
        found = duration(text)
    except BadInput as wrong:
        raise BadInput.at(where, wrong.problems[0].what, wrong.problems[0].do) from None
    if [found.months, found.days, found.micros].count(0) != 2:
        raise BadInput.at(where, f"{text!r} is not a period in one unit", "count in days, weeks, months, years or hours, such as P14D")
    return found


def read_counts(value: Any, where: str = "counts") -> tuple[Counts, ...]:
    """Rules of counting from a parsed JSON list of versions, checked and put together by key.

    Raises:
        BadInput: every problem found, each with its path; two versions of a rule that are in force on one day.
    """
    if not isinstance(value, list):
        raise BadInput.at(where, "is no list", "give a list of rules")
    found: dict[str, list[Count]] = {}
    for place, said in enumerate(value):
        rule = structure(said, Count, f"{where}: /{place}")
        found.setdefault(rule.key, []).append(rule)
    books = tuple(Counts(key, sorted(versions, key=lambda rule: rule.effective_from)) for key, versions in found.items())
    for book in books:
        check_counts(book)
    return books


def check_counts(counts: Counts) -> None:
    """Holds a rule and its versions against what they must be.

    Raises:
        BadInput: a version is malformed, has another key, or is in force on a day on which the one before still is.
    """
    for rule in counts.versions:
        check_count(rule)
        if rule.key != counts.key:
            raise BadInput.at(f"count {counts.key}", f"holds a version of {rule.key!r}", "give all versions the one key")
    for earlier, later in pairwise(counts.versions):
        if not earlier.effective_to or later.effective_from <= earlier.effective_to:
            both = f"{earlier.version} and {later.version}"
            raise BadInput.at(
                f"count {counts.key}", f"{both} are in force on one day", "give the earlier its effective_to, and put it first"
            )


def check_count(rule: Count) -> None:
    """Holds a rule against what it must be.

    Raises:
        BadInput: every problem found, each with the rule's key.
    """
    problems = [Problem(f"count {rule.key}: {p.where}", p.what, p.do) for p in _problems(rule)]
    if problems:
        raise BadInput(problems)


def _problems(rule: Count) -> Iterable[Problem]:
    if rule.amount:
        try:
            period(rule.amount, "/amount")
        except BadInput as wrong:
            yield wrong.problems[0]
    for name in ("effective_from", "effective_to", "verified_on"):
        try:
            day(getattr(rule, name) or "2000-01-01")
        except BadInput as wrong:
            yield Problem(f"/{name}", wrong.problems[0].what, wrong.problems[0].do)
    if rule.extra is not None and rule.extra.days < 1:
        yield Problem("/extra/days", f"{rule.extra.days} adds nothing", "say how many days, or leave extra out")
    if rule.min_working_days < 0 or (rule.short_period is not None and rule.short_period.max_days < 1):
        yield Problem("/min_working_days, /short_period", "a number of days can't be negative or empty", "use 1 or more")
    if rule.then is not None:
        yield from _problems_of_what_follows(rule, rule.then)


def _problems_of_what_follows(rule: Count, following: Count) -> Iterable[Problem]:
    if not following.amount:
        yield Problem("/then/amount", "is missing", "what follows must say how long it is")
    if "T" in rule.amount or "T" in following.amount:
        yield Problem("/then", "one period in hours can't follow another", "count both in days, weeks, months or years")
    yield from (Problem(f"/then{p.where}", p.what, p.do) for p in _problems(following))
