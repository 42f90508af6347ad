"""Calendars as data: weekly hours, holidays with their days, exceptions.

A calendar version holds the very days on which it is closed, not only the name of a list, so that a date
computed with it stays explainable when the list has moved on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import attrs
from attrs import field as attr
from attrs import frozen

from casekit.definition.load import structure
from casekit.errors import BadInput, Problem
from casekit.model.time import day, zone_named

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Keys of weekly hours."""

DAY = 86_400_000_000
"""Microseconds of a day on the clock face."""

ALL_DAY = ("00:00-24:00",)
"""Open round the clock; ``00:00-23:59`` would close for a minute each midnight."""

_MINUTE = 60_000_000
_INTERVAL = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _hours(value: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    return {weekday: _texts(intervals) for weekday, intervals in value.items()}


@frozen
class HolidaySet:
    """Days on which a calendar is closed, and where they come from.

    Attributes:
        days: Day → name.
        title: What people read.
        first, last: Days between which all holidays are known; outside, an answer says that they are not. Empty: no limit.
        forward_only: Whether the days count only for periods measured after an event (state holidays, FRCP 6(a)(6)(C)).
        doubtful: Why it is open whether the days count in law; counting then gives a reading with and one without them.
        source: Where the days were taken from.
        citation: Law that makes them holidays.
        verified_on: Day on which the source was compared with the law; empty: never.
        unverified: What could not be verified.
    """

    days: Mapping[str, str]
    title: str = ""
    first: str = ""
    last: str = ""
    forward_only: bool = False
    doubtful: str = ""
    source: str = ""
    citation: str = ""
    verified_on: str = ""
    unverified: str = ""


@frozen
class DayException:
    """A day that goes its own way: weekly hours and holidays do not touch it.

    Attributes:
        hours: Intervals of that day; empty: closed.
        reason: What people read.
    """

    hours: tuple[str, ...] = attr(default=(), converter=_texts)
    reason: str = ""


@frozen
class Calendar:
    """When an office is open, or which days the law calls working days.

    Attributes:
        key: Public name (``support-eu``).
        version: Version of the text; a published version never changes.
        title: What people read.
        hours: Weekday (``mon`` … ``sun``) → intervals such as ``09:00-12:30``; an interval may end at ``24:00``. A
            weekday that is left out is closed.
        zone: IANA zone of its hours and days.
        holidays: Holiday sets by key.
        exceptions: Day → what holds on it instead.
        closures: Day → why the office could not be reached on it. It stays a working day: it moves only a period that would
            end on it, by rules that say so (FRCP 6(a)(3)). A closure that becomes known is a new version.
        uses: Calendars whose holiday sets and closures belong to this one too; :func:`resolved` copies them in.
        citation: Law, contract or policy that it comes from.
    """

    key: str
    version: str
    title: str = ""
    hours: Mapping[str, tuple[str, ...]] = attr(factory=dict, converter=_hours)
    zone: str = "UTC"
    holidays: Mapping[str, HolidaySet] = attr(factory=dict)
    exceptions: Mapping[str, DayException] = attr(factory=dict)
    closures: Mapping[str, str] = attr(factory=dict)
    uses: tuple[str, ...] = attr(default=(), converter=_texts)
    citation: str = ""


def week(hours: str | Iterable[str] = ALL_DAY, days: str = "mon-fri") -> dict[str, tuple[str, ...]]:
    """Weekly hours, the same on each day from ``mon-fri`` or ``mon-sun``.

    Raises:
        BadInput: no weekdays of that name.
    """
    first, _, last = days.partition("-")
    if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
        raise BadInput.at("days", f"{days!r} is no range of weekdays", "write it as mon-fri")
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return {weekday: _texts(hours) for weekday in WEEKDAYS[begin : end + 1]}


def read_calendar(value: Mapping[str, Any], where: str = "calendar") -> Calendar:
    """A calendar from its parsed JSON, checked.

    Raises:
        BadInput: every problem found, each with its path.
    """
    found: Calendar = structure(value, Calendar, where)
    check_calendar(found)
    return found


def resolved(calendar: Calendar, others: Mapping[str, Calendar]) -> Calendar:
    """The calendar with the holiday sets and closures of those that it uses stored in it; its own win over theirs.

    Raises:
        BadInput: it uses a calendar that is not there; names both.
    """
    sets: dict[str, HolidaySet] = {}
    closures: dict[str, str] = {}
    for key in calendar.uses:
        if key not in others:
            raise BadInput.at(
                f"calendar {calendar.key}: /uses", f"there is no calendar {key!r}", "name one of " + ", ".join(sorted(others))
            )
        sets.update(others[key].holidays)
        closures.update(others[key].closures)
    return attrs.evolve(calendar, uses=(), holidays={**sets, **calendar.holidays}, closures={**closures, **calendar.closures})


def interval(text: str) -> tuple[int, int]:
    """Begin and end of an interval, in microseconds of the clock face since midnight.

    Raises:
        BadInput: not of the form ``09:00-12:30``, no such time, or an end that is not after the begin.
    """
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise BadInput.at("hours", f"{text!r} is no interval", "write it as 09:00-12:30")
    hours_from, from_, hours_to, to = map(int, match.groups())
    begin, end = (hours_from * 60 + from_) * _MINUTE, (hours_to * 60 + to) * _MINUTE
    if from_ > 59 or to > 59 or begin >= DAY or end > DAY:
        raise BadInput.at("hours", f"{text!r} is no time of the day", "use 00:00 to 24:00")
    if end <= begin:
        raise BadInput.at(
            "hours", f"{text!r} ends before it begins", "split what runs over midnight: 22:00-24:00, and 00:00-06:00 on the next day"
        )
    return begin, end


def intervals(texts: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """The intervals of a day, in order.

    Raises:
        BadInput: one is malformed, or two overlap.
    """
    found = sorted((interval(text), text) for text in texts)
    for (earlier, one), (later, other) in pairwise(found):
        if later[0] < earlier[1]:
            raise BadInput.at("hours", f"{one!r} and {other!r} overlap", "make one interval of the two")
    return tuple(times for times, _ in found)


def check_calendar(calendar: Calendar) -> None:
    """Holds a calendar against what it must be.

    Raises:
        BadInput: every problem found, each with the calendar's key and path: an unknown zone, malformed or
            overlapping intervals, a day that is none, holidays outside their own range, no open hours at all.
    """
    problems = [Problem(f"calendar {calendar.key}: {path}", p.what, p.do) for path, p in _problems(calendar)]
    if problems:
        raise BadInput(problems)


def _problems(calendar: Calendar) -> Iterable[tuple[str, Problem]]:
    try:
        zone_named(calendar.zone)
    except BadInput as wrong:
        yield "/zone", wrong.problems[0]
    for weekday, texts in calendar.hours.items():
        if weekday not in WEEKDAYS:
            yield f"/hours/{weekday}", Problem("", "is no weekday", "use " + ", ".join(WEEKDAYS))
        yield from _bad_hours(f"/hours/{weekday}", texts)
    for when, exception in calendar.exceptions.items():
        yield from _bad_day(f"/exceptions/{when}", when)
        yield from _bad_hours(f"/exceptions/{when}/hours", exception.hours)
    for when in calendar.closures:
        yield from _bad_day(f"/closures/{when}", when)
    for key, holidays in calendar.holidays.items():
        yield from _bad_set(f"/holidays/{key}", holidays)
    if not any(calendar.hours.values()) and not any(e.hours for e in calendar.exceptions.values()):
        yield (
            "/hours",
            Problem(
                "", "the calendar has no open hours, so no time could ever pass on it", 'give it some, such as {"mon": ["09:00-17:00"]}'
            ),
        )


def _bad_hours(path: str, texts: tuple[str, ...]) -> Iterable[tuple[str, Problem]]:
    try:
        intervals(texts)
    except BadInput as wrong:
        yield path, wrong.problems[0]


def _bad_day(path: str, text: str) -> Iterable[tuple[str, Problem]]:
    try:
        day(text)
    except BadInput as wrong:
        yield path, wrong.problems[0]


def _bad_set(path: str, holidays: HolidaySet) -> Iterable[tuple[str, Problem]]:
    said = [text for text in (holidays.first, holidays.last, holidays.verified_on) if text]
    wrong = [found for text in (*holidays.days, *said) for found in _bad_day(f"{path}/days/{text}", text)]
    if wrong:
        yield from wrong
        return
    if holidays.first and holidays.last and holidays.last < holidays.first:
        yield path, Problem("", f"its last day {holidays.last} is before its first {holidays.first}", "swap the two")
    outside = [d for d in holidays.days if d < holidays.first or (holidays.last and d > holidays.last)]
    for text in outside:
        yield f"{path}/days/{text}", Problem("", f"lies outside {holidays.first} to {holidays.last}", "widen first and last")
