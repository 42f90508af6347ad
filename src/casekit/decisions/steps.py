"""Steps of a computation with dates: data first, words when somebody reads them."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from casekit.model.time import day, local


@frozen
class Step:
    """One step on the way to a date.

    Attributes:
        rule: What was applied, a key of :data:`WORDS`.
        start, end: From where to where: days, or canonical instants.
        amount: What it counted, ISO 8601 (``P10D``, ``PT8H``); empty: nothing.
        note: Name of a holiday, reason of an exception, citation.
    """

    rule: str
    start: str
    end: str
    amount: str = ""
    note: str = ""


WORDS: Mapping[str, str] = {
    "trigger-excluded": "{start}: the day of the event does not count",
    "trigger-included": "{start}: the day of the event is the first day",
    "trigger-moment": "{start}: counting begins at once",
    "trigger-hour-excluded": "{start}: the hour of the event does not count, counting begins {end}",
    "counted": "{start} to {end}: {amount} counted",
    "every-day": "{start} to {end}: {amount}, every day counted",
    "months": "{start} to {end}: {amount} by the calendar",
    "month-end": "{start} to {end}: {amount}; the month has no such day, so it ends on its last",
    "hours": "{start} to {end}: {amount}, every hour counted",
    "skipped": "{start}: {note}, does not count",
    "shifted": "{start} to {end}: {amount}",
    "roll": "{start}: {note}, so the period goes on to {end}",
    "min-working-days": "{start} to {end}: the period must contain {amount} of working days",
    "closure": "{start}: the office is inaccessible ({note}), so the period goes on to {end}",
    "year-end": "{start}: the period begins with the end of the year, {end}",
    "tolled": "{start} to {end}: paused, {amount} does not count",
    "rests": "{start}: the period rests at its end, so it goes on to {end}",
    "made-up": "{start} to {end}: {amount} later for the days that did not count",
    "extra": "{start} to {end}: {amount} added for the way of service",
    "day-end": "{start}: the day ends at {end}",
    "office-close": "{start}: the office closes at {end}",
    "not-covered": "{start}: it is not known which days are holidays ({note})",
    "open": "{start} to {end}: {amount} counted",
    "open-exception": "{start} to {end}: {amount} counted ({note})",
    "closed": "{start} to {end}: closed ({note})",
    "closed-weekly": "{start} to {end}: outside the weekly hours",
    "at": "{start}",
    "anchored": "{start}: counted from {note}",
    "added": "{start} to {end}: {amount}",
    "said": "{start}: as {note} says",
    "paused": "{start} to {end}: paused, {note}",
    "extended": "{start} to {end}: extended, {note}",
    "unsettled": "{start}: it can't be counted, {note}",
}
"""Rule → words, over the step's fields."""

_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def words(step: Step, zone: str = "UTC") -> str:
    """The step as a reader has it: days with their weekday, instants as local time of the zone.

    Raises:
        BadInput: no such zone.
    """
    text = WORDS[step.rule].format(start=_said(step.start, zone), end=_said(step.end, zone), amount=step.amount, note=step.note)
    return f"{text} ({step.note})" if step.note and "{note}" not in WORDS[step.rule] else text


def _said(when: str, zone: str) -> str:
    if len(when) == 10:
        return f"{_NAMES[day(when).weekday()]} {when}"
    at = local(when, zone)
    # Seconds and fractions only where there are some: most dates fall on a full minute.
    timespec = "minutes" if not at.second and not at.microsecond else "seconds" if not at.microsecond else "microseconds"
    return f"{_NAMES[at.weekday()]} {at.replace(tzinfo=None).isoformat(' ', timespec)} {at.tzname() or zone}"


def exact(micros: int) -> str:
    """Exact time as ISO 8601, in hours, minutes and seconds."""
    sign, rest = ("-", -micros) if micros < 0 else ("", micros)
    seconds, part = divmod(rest, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    fraction = f".{part:06}".rstrip("0") if part else ""
    parts = [f"{hours}H" if hours else "", f"{minute}M" if minute else "", f"{second}{fraction}S" if second or part else ""]
    return f"{sign}PT{''.join(parts) or '0S'}"
