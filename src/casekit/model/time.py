"""Instants, days, durations: one text for each, and the arithmetic between them.

An *instant* is UTC with six decimals, ``2026-11-24T14:00:00.000000Z``: of fixed width, so that instants
compare as texts, in Python and in SQL alike. A *day* is ``2026-11-24`` in a zone; it counts as its first
instant there and stays a day. Durations are ISO 8601: ``P14D`` counts calendar days at the same local
time, ``PT36H`` exact time.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from attrs import frozen

from casekit.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MIDNIGHT = time()
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DURATION = re.compile(
    r"(-?)P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})(?:\.(\d{1,6}))?S)?)?",
    re.ASCII,
)


def instant(moment: datetime) -> str:
    """The canonical text of a moment.

    Raises:
        BadInput: the datetime has no zone, or lies outside the years 1 to 9999 in UTC.
    """
    if moment.tzinfo is None:
        raise BadInput.at("time", f"{moment.isoformat()} has no zone", "give an aware datetime")
    if moment.tzinfo is not UTC:
        moment = _moved(moment, UTC)
    parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % parts  # noqa: UP031 - twice as fast as isoformat or an f-string


def moment(text: str) -> datetime:
    """The moment that a canonical text says, in UTC.

    Raises:
        BadInput: not an instant of the canonical form.
    """
    if not _INSTANT.fullmatch(text):
        raise BadInput.at("time", f"{text!r} is no instant", "write it as 2026-11-24T14:00:00.000000Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError as wrong:
        raise BadInput.at("time", f"{text!r} is no instant: {wrong}", "check month, day and hour") from None


def day(text: str) -> date:
    """The day that a canonical text says.

    Raises:
        BadInput: not a day of the form ``2026-11-24``.
    """
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except (ValueError, TypeError):
        pass
    raise BadInput.at("day", f"{text!r} is no day", "write it as 2026-11-24")


@lru_cache(maxsize=256)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone.

    Raises:
        BadInput: no zone of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput.at("zone", f"{name!r} is no IANA time zone", "use a name such as Europe/Rome") from None


@lru_cache(maxsize=16384)
def day_start(text: str, zone: str) -> str:
    """The first instant of a day in a zone (00:00, or the first time that exists there on that day).

    Raises:
        BadInput: no day, no zone, or outside the years 1 to 9999.
    """
    return instant(at_wall_time(datetime.combine(day(text), _MIDNIGHT), zone))


def at_wall_time(local: datetime, zone: str) -> datetime:
    """The instant of a wall-clock time in a zone; a time that a zone skips moves forward, an ambiguous one is the first."""
    return _moved(local.replace(tzinfo=zone_named(zone), fold=0), UTC)


def local(at: str, zone: str) -> datetime:
    """An instant as wall-clock time in a zone (aware)."""
    return _moved(moment(at), zone_named(zone))


def _moved(at: datetime, zone: tzinfo) -> datetime:
    try:
        return at.astimezone(zone)
    except OverflowError:
        raise BadInput.at("time", f"{at.isoformat()} lies outside the years 1 to 9999 in {zone}", "check the year") from None


def micros(text: str) -> int:
    """An instant as microseconds since 1970 (UTC)."""
    return (moment(text) - EPOCH) // _MICROSECOND


def from_micros(value: int) -> str:
    """The instant that many microseconds after 1970 (UTC)."""
    try:
        return instant(EPOCH + timedelta(microseconds=value))
    except OverflowError:
        raise BadInput.at("time", "the date lies outside the years 1 to 9999", "use a shorter duration") from None


@frozen
class Duration:
    """An ISO 8601 duration: calendar months and days, then exact time.

    Attributes:
        months: Calendar months (years are twelve), clamped to the month's end.
        days: Calendar days at the same local time.
        micros: Exact microseconds, counted last.
    """

    months: int = 0
    days: int = 0
    micros: int = 0


@lru_cache(maxsize=4096)
def duration(text: str) -> Duration:
    """The duration that an ISO 8601 text says (``P14D``, ``PT36H``, ``-P3D``).

    Raises:
        BadInput: not a duration, or one without any part.
    """
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        raise BadInput.at("duration", f"{text!r} is no duration", "write it as P14D or PT36H (ISO 8601)")
    sign = -1 if match[1] else 1
    years, months, weeks, days, hours, minutes, seconds = (int(g or 0) for g in match.group(2, 3, 4, 5, 6, 7, 8))
    part = int((match[9] or "").ljust(6, "0"))
    exact = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + part
    return Duration(sign * (years * 12 + months), sign * (weeks * 7 + days), sign * exact)


def add(at: str, amount: Duration, zone: str) -> str:
    """The instant a duration later: months and days on the zone's calendar, then exact time.

    A month without that day gives its last day; a local time that does not exist moves forward.
    """
    try:
        if amount.months or amount.days:
            # Arithmetic within one zone is arithmetic of its wall clock; the fold is that of the start.
            here = moment(at) if zone == "UTC" else local(at, zone)
            wall = _add_months(here, amount.months) + timedelta(days=amount.days)
            base = _second(wall) if here.fold else wall.astimezone(UTC)
        else:
            base = moment(at)
        return instant(base + timedelta(microseconds=amount.micros) if amount.micros else base)
    except (OverflowError, ValueError):
        raise BadInput.at("duration", "the date lies outside the years 1 to 9999", "use a shorter duration") from None


def _second(wall: datetime) -> datetime:
    """The second instant of a wall-clock time, where there are two; the only one, or the one that a skipped time moves to."""
    found = wall.replace(fold=1).astimezone(UTC)
    back = found.astimezone(wall.tzinfo)
    return found if back.replace(tzinfo=None) == wall.replace(tzinfo=None) else wall.replace(fold=0).astimezone(UTC)


def day_after(text: str) -> str:
    """The next day's text."""
    try:
        return (day(text) + timedelta(days=1)).isoformat()
    except OverflowError:
        raise BadInput.at("day", f"{text} has no day after it", "check the year") from None


@frozen
class Effective:
    """When something held, in the world: an instant, or a day that stays a day.

    Attributes:
        at: Canonical instant; of a day, its first instant in the zone.
        zone: IANA zone in which it is read.
        day: The day, where only the day is known; else None.
    """

    at: str
    zone: str
    day: str | None = None

    def __str__(self) -> str:
        return self.day or self.at


def effective(when: date | datetime | str, zone: str) -> Effective:
    """What a caller means by a date (a day), a datetime or the text of either.

    Raises:
        BadInput: a naive datetime, or a text that is neither.
    """
    if isinstance(when, str):
        when = _read(when)
    if isinstance(when, datetime):
        zone_named(zone)
        return Effective(instant(when), zone)
    text = when.isoformat()
    return Effective(day_start(text, zone), zone, text)


def _read(text: str) -> date | datetime:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput.at("time", f"{text!r} is neither a day nor an instant", "write 2026-11-24 or 2026-11-24T14:00:00Z") from None
    if read.tzinfo is None:
        raise BadInput.at("time", f"{text!r} has no zone", "end it with Z or an offset such as +01:00")
    return read


def _add_months(wall: datetime, months: int) -> datetime:
    if not months:
        return wall
    index = wall.year * 12 + wall.month - 1 + months
    year, month = divmod(index, 12)
    day = min(wall.day, _month_length(year, month + 1))
    return wall.replace(year=year, month=month + 1, day=day)


def _month_length(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1) if (year, month) != (9999, 12) else date(9999, 12, 31)
    return (following - timedelta(days=1)).day if (year, month) != (9999, 12) else 31
