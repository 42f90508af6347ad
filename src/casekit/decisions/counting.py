"""Counting as the law does it: from an event and a period to a last day, by every reading that is open.

Where the law is ambiguous (whether an observed holiday is a *legal holiday*, whether a period that ends *before*
the 120th day ends on the 119th), there is one answer for each reading, the earliest first: who keeps the first
keeps them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

import attrs
from attrs import frozen

from casekit.decisions.calendar import Working
from casekit.decisions.opening import date_of, day_number
from casekit.decisions.steps import Step, words
from casekit.decisions.walk import Setting, Walk
from casekit.definition.calendars import HolidaySet
from casekit.definition.counts import Count, Reading, check_count, period
from casekit.errors import BadInput
from casekit.model.time import Duration, day, local, zone_named

_LAST_DAY_ONLY = "an inaccessible office moves only the day on which the period ends at last"
_MOST_DOUBTS = 4
"""Doubtful holiday sets that one calendar may hold: each doubles the readings."""


@frozen
class Due:
    """A last day by one reading.

    Attributes:
        reading: Names of what makes this reading (holiday sets that count, readings of the rule), joined by ``+``;
            empty: the rule as it is written.
        why: Reasons for the reading.
        citation: Who or what it rests on, beside the law of the rule.
        day: The last day, in the zone of the count.
        at: The first instant that is too late; of a period in hours, its end.
        steps: How it came about.
    """

    reading: str
    why: str
    citation: str
    day: str
    at: str
    steps: tuple[Step, ...]


@frozen
class Counted:
    """The answer of a count.

    Attributes:
        rule, version: Which rule was counted by.
        citation: Its law.
        anchor: The event: a day or a canonical instant.
        amount: The period.
        calendar: Key and version of the calendar.
        zone: Zone of the days.
        readings: A last day for each reading that differs, the earliest first.
    """

    rule: str
    version: str
    citation: str
    anchor: str
    amount: str
    calendar: str
    zone: str
    readings: tuple[Due, ...]

    @property
    def safe(self) -> Due:
        """The earliest: a deadline kept by this reading is kept by all."""
        return self.readings[0]

    def lines(self) -> list[str]:
        """Every reading and its steps in words, one a line."""
        found = [f"{self.amount} from {self.anchor} by {self.rule} {self.version} on {self.calendar} [{self.citation}]"]
        for due in self.readings:
            found.append(f"  last day {due.day}" + (f" ({said(due.reading, due.why, due.citation)})" if due.reading else ""))
            found += [f"    {words(step, self.zone)}" for step in due.steps]
        return found


def said(reading: str, why: str, citation: str) -> str:
    """A reading in words: its name, its reasons and what it rests on."""
    return f"{reading}: {why}" + (f" [{citation}]" if citation else "")


def count(
    anchor: str,
    rule: Count,
    working: Working,
    *,
    amount: str = "",
    zone: str = "",
    service: str = "",
    closures: Mapping[str, str] | None = None,
    tolled: Iterable[tuple[str, str]] = (),
) -> Counted:
    """Counts a period from an event.

    Args:
        anchor: The event: a day, or a canonical instant (of a period in hours it must be one).
        rule: The rule.
        working: The calendar whose working days and holidays the law means.
        amount: The period (``P14D``, ``-P10D``, ``P18M``, ``PT72H``); empty: the rule's own.
        zone: Zone of the days (the court's); empty: the calendar's.
        service: How it was served (``mail``), of periods that run from being served; else empty.
        closures: Days on which the office was inaccessible → reason; None: those that the calendar says.
        tolled: Stretches (canonical instants) in which the period rested, in order.

    Raises:
        BadInput: the rule or the period is malformed, an event that is neither day nor instant, a date beyond the
            year 9999, more than 400 years of single days, more than four doubtful holiday sets; names the rule.
    """
    check_count(rule)
    where = f"count {rule.key}"
    if not (amount or rule.amount):
        raise BadInput.at(where, "the rule has no amount of its own, and none was given", "say how long the period is, such as P14D")
    stated = period(amount or rule.amount, where)
    if stated.micros and rule.then is not None:
        raise BadInput.at(where, "a period in hours can't be followed by another", "count in days, weeks, months or years")
    zone = zone or working.calendar.zone
    zone_named(zone)
    start = _started(anchor, zone, stated, where)
    closed = working.calendar.closures if closures is None else closures
    setting = Setting(working, zone, closures=closed, service=service, tolled=tuple(tolled))
    found = [_walked(anchor, start, one, stated, said, names) for one, said, names in _variations(rule, stated, setting, where)]
    calendar = f"{working.calendar.key} {working.calendar.version}"
    return Counted(rule.key, rule.version, rule.citation, anchor, amount or rule.amount, calendar, zone, _distinct(found))


def _started(anchor: str, zone: str, amount: Duration, where: str) -> int | None:
    """The day of the event; None: the period is one of hours, and the instant itself counts."""
    if len(anchor) == 10:
        if amount.micros:
            raise BadInput.at(where, f"a period in hours can't begin on {anchor} without a time", "give an instant")
        return day_number(day(anchor))
    return None if amount.micros else day_number(local(anchor, zone).date())


_Names = dict[str, tuple[str, str]]
"""Name of a part of a reading → its reason and what it rests on."""


def _variations(rule: Count, amount: Duration, setting: Setting, where: str) -> Iterator[tuple[Count, Setting, _Names]]:
    """Every reading: rule, setting, and names with reasons; the plainest come first."""
    backward = min(amount.months, amount.days, amount.micros) < 0
    sets = setting.working.calendar.holidays
    out = frozenset(key for key, holidays in sets.items() if backward and holidays.forward_only)
    doubtful = {key: holidays for key, holidays in sets.items() if holidays.doubtful and key not in out}
    if len(doubtful) > _MOST_DOUBTS:
        raise BadInput.at(where, f"the calendar has {len(doubtful)} doubtful holiday sets", f"settle all but {_MOST_DOUBTS}")
    fits = {"days": amount.days, "months": amount.months, "hours": amount.micros, "": 1}
    others = {"": None, **{key: reading for key, reading in rule.readings.items() if fits[reading.unit]}}
    bases = (True, False) if setting.closures and rule.extra is not None and setting.service in rule.extra.service else (True,)
    for close_base in bases:
        for key, reading in others.items():
            for counting in _subsets(doubtful):
                names: _Names = {key: (reading.why, reading.citation)} if reading else {}
                names |= {name: (holidays.doubtful, holidays.citation) for name, holidays in counting.items()}
                if not close_base:
                    names["closure-of-the-last-day-only"] = (_LAST_DAY_ONLY, "")
                without = out | (doubtful.keys() - counting.keys())
                yield _read(rule, reading), _set(setting, reading, without, close_base), names


def _subsets(sets: Mapping[str, HolidaySet]) -> Iterator[dict[str, HolidaySet]]:
    for size in range(len(sets) + 1):
        for keys in combinations(sets, size):
            yield {key: sets[key] for key in keys}


def _read(rule: Count, reading: Reading | None) -> Count:
    if reading is None:
        return rule
    changed: dict[str, Any] = {}
    if reading.trigger_day:
        changed["trigger_day"] = reading.trigger_day
    if reading.roll:
        changed |= {"roll": reading.roll, "roll_hours": reading.roll}
    return attrs.evolve(rule, **changed)


def _set(setting: Setting, reading: Reading | None, without: frozenset[str], close_base: bool) -> Setting:
    return attrs.evolve(setting, without=without, close_base=close_base, shift=reading.shift if reading else 0)


def _walked(anchor: str, start: int | None, rule: Count, amount: Duration, setting: Setting, names: _Names) -> Due:
    walk = Walk(rule, amount, setting)
    reading, why = "+".join(names), "; ".join(why for why, _ in names.values())
    citation = "; ".join(dict.fromkeys(c for _, c in names.values() if c))
    if start is None:
        at = walk.to_instant(anchor)
        return Due(reading, why, citation, local(at, setting.zone).date().isoformat(), at, tuple(walk.steps))
    last, steps = walk.to_day(start), walk.steps
    following = rule.then
    while following is not None:
        walk = Walk(following, period(following.amount, f"count {following.key}"), attrs.evolve(setting, shift=0))
        last = walk.to_day(last)
        steps += walk.steps
        following = following.then
    walk.steps = []
    at = walk.day_end(last)
    unknown = setting.working.opening.uncovered(last)
    text = date_of(last).isoformat()
    doubt = [Step("not-covered", text, text, note=unknown)] if unknown else []
    return Due(reading, why, citation, text, at, (*steps, *walk.steps, *doubt))


def _distinct(found: Iterable[Due]) -> tuple[Due, ...]:
    """One answer for each instant, the plainest reading of it, the earliest first."""
    kept: dict[str, Due] = {}
    for due in found:
        kept.setdefault(due.at, due)
    return tuple(kept[at] for at in sorted(kept))
