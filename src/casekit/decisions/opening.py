"""When a calendar is open: by day, and by year as a table of cumulative open time.

Open is an instant whose local time lies in an interval of its local day. So an hour that a zone has twice
counts twice, and one that it skips not at all. Years here are UTC years, for only in UTC does a later year
never begin before an earlier one has ended.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TypeVar

from attrs import frozen

from casekit.definition.calendars import DAY, WEEKDAYS, Calendar, check_calendar, intervals
from casekit.errors import BadInput
from casekit.model.time import EPOCH, zone_named

EPOCH_DAY = date(1970, 1, 1).toordinal()
FIRST, LAST = date(1, 1, 2).toordinal() - EPOCH_DAY, date(9999, 12, 30).toordinal() - EPOCH_DAY
"""Days, counted from 1970, between which every zone stays within the years 1 to 9999."""

_HOLD = 1024
"""Years, and days, that one calendar keeps in memory."""
_PROBE = DAY
"""How far apart the offsets of a zone are looked at; none changes twice within that time (the nearest two
lie a week apart: Recife, October 2000)."""
_MEAN_YEAR = 31_556_952_000_000

_T = TypeVar("_T")
Hours = tuple[tuple[int, int], ...]


@frozen
class Segments:
    """The open time of a stretch: begin, end and open time before, of each piece, in microseconds.

    Attributes:
        starts, ends: Of each open piece, since 1970 UTC, in order.
        before: Open time before each piece.
        total: Open time in all.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]
    total: int

    def elapsed(self, at: int) -> int:
        """Open time before an instant."""
        place = bisect_right(self.starts, at) - 1
        return 0 if place < 0 else self.before[place] + min(at, self.ends[place]) - self.starts[place]

    def earliest(self, open_time: int) -> int:
        """The first instant before which there was that much open time; more than none, and no more than all."""
        place = bisect_left(self.before, open_time) - 1
        return self.starts[place] + open_time - self.before[place]

    def latest(self, open_time: int) -> int:
        """The last instant before which there was that much open time; less than all."""
        place = bisect_right(self.before, open_time) - 1
        return self.starts[place] + open_time - self.before[place]


def day_number(when: date) -> int:
    """Days since 1970."""
    return when.toordinal() - EPOCH_DAY


def date_of(number: int) -> date:
    """The day of that number."""
    return date.fromordinal(number + EPOCH_DAY)


class Opening:
    """A calendar's open hours, checked; safe to share between threads.

    Args:
        calendar: The calendar, its holiday sets stored in it.

    Raises:
        BadInput: the calendar is not what it must be; names it and every problem.
    """

    def __init__(self, calendar: Calendar) -> None:
        check_calendar(calendar)
        if calendar.uses:
            what = f"the holidays of {', '.join(calendar.uses)} are not stored in it"
            raise BadInput.at(f"calendar {calendar.key}: /uses", what, "store them with casekit.definition.calendars.resolved")
        self.calendar = calendar
        self._zone = zone_named(calendar.zone)
        self._weekly: tuple[Hours, ...] = tuple(intervals(calendar.hours.get(name, ())) for name in WEEKDAYS)
        self._special: dict[int, Hours] = {}
        self._why: dict[int, str] = {}
        for holidays in calendar.holidays.values():
            for when, name in holidays.days.items():
                number = day_number(date.fromisoformat(when))
                self._special[number], self._why[number] = (), name
        self._excepted = {day_number(date.fromisoformat(when)): e for when, e in calendar.exceptions.items()}
        for number, exception in self._excepted.items():
            self._special[number], self._why[number] = intervals(exception.hours), exception.reason
        self.weekly_time = sum(end - begin for hours in self._weekly for begin, end in hours)
        # Doubled, for a zone may have each of these hours twice.
        self.special_time = 2 * sum(end - begin for hours in self._special.values() for begin, end in hours)
        self.final_year = 9999 if self.weekly_time else max(date_of(n).year for n, hours in self._special.items() if hours)
        self._years: dict[int, Segments] = {}
        self._days: dict[int, tuple[int, ...]] = {}
        self._of_day: dict[int, Segments] = {}

    def hours(self, number: int) -> Hours:
        """Open intervals of a day, in microseconds of its clock face."""
        special = self._special.get(number)
        return self.weekly(number) if special is None else special

    def weekly(self, number: int) -> Hours:
        """Open intervals of a day's weekday, whatever the day itself is."""
        return self._weekly[(number + 3) % 7]

    def why(self, number: int) -> tuple[str, str]:
        """Rule and reason of a day's hours: ``exception``, ``holiday`` or ``weekly``."""
        if number in self._excepted:
            return "exception", self._why[number]
        return ("holiday", self._why[number]) if number in self._why else ("weekly", "")

    def uncovered(self, number: int) -> str:
        """Why it is not known whether a day is a holiday; empty: it is known."""
        when = date_of(number).isoformat()
        sets = self.calendar.holidays.items()
        return "; ".join(
            f"{key} covers {s.first or 'all'} to {s.last or 'all'}" for key, s in sets if when < s.first or (s.last and when > s.last)
        )

    def year(self, year: int) -> Segments:
        """The open time of a UTC year."""
        found = self._years.get(year)
        return _keep(self._years, year, self._segments(_year_start(year), _year_start(year + 1))) if found is None else found

    def working_days(self, year: int) -> tuple[int, ...]:
        """The days of a year that have open hours, in order."""
        found = self._days.get(year)
        if found is not None:
            return found
        begin, end = max(FIRST, day_number(date(year, 1, 1))), min(LAST, day_number(date(year, 12, 31)))
        return _keep(self._days, year, tuple(number for number in range(begin, end + 1) if self.hours(number)))

    def of_day(self, number: int) -> Segments:
        """The open time of a local day."""
        found = self._of_day.get(number)
        return _keep(self._of_day, number, self._one_day(number)) if found is None else found

    def _one_day(self, number: int) -> Segments:
        # A local day begins and ends within a day of the UTC day of the same number, in every zone.
        near = [
            (max(begin, number * DAY - shift), min(end, (number + 1) * DAY - shift), shift)
            for begin, end, shift in self._offsets((number - 1) * DAY, (number + 2) * DAY)
        ]
        return _table(piece for begin, end, shift in near for piece in self._pieces(begin, end, shift))

    def local_day(self, at: int) -> int:
        """The local day of an instant."""
        return (at + self._offset(at)) // DAY

    def _segments(self, begin: int, end: int) -> Segments:
        return _table(piece for one in self._offsets(begin, end) for piece in self._pieces(*one))

    def _pieces(self, begin: int, end: int, shift: int) -> Iterator[tuple[int, int]]:
        for number in range((begin + shift) // DAY, (end + shift - 1) // DAY + 1):
            midnight = number * DAY - shift
            for opens, closes in self.hours(number):
                piece = max(begin, midnight + opens), min(end, midnight + closes)
                if piece[0] < piece[1]:
                    yield piece

    def _offsets(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Stretches of one offset from UTC: begin, end, offset in microseconds."""
        begin, end = max(begin, FIRST * DAY), min(end, (LAST + 1) * DAY)
        since, shift = begin, self._offset(begin)
        for probe in range(begin + _PROBE, end + _PROBE, _PROBE):
            probed = min(probe, end - 1)
            now = self._offset(probed)
            if now != shift:
                change = self._change(probed - _PROBE, probed, shift)
                yield since, change, shift
                since, shift = change, now
        yield since, end, shift

    def _change(self, before: int, after: int, shift: int) -> int:
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if self._offset(middle) == shift else (before, middle)
        return after

    def _offset(self, at: int) -> int:
        here = (EPOCH + timedelta(microseconds=at)).astimezone(self._zone).utcoffset()
        assert here is not None
        return (here.days * 86_400 + here.seconds) * 1_000_000


def _year_start(year: int) -> int:
    before = year - 1
    number = before * 365 + before // 4 - before // 100 + before // 400 + 1 - EPOCH_DAY
    return min(max(number, FIRST), LAST + 1) * DAY


def year_of(at: int) -> int:
    """The UTC year of an instant."""
    if _NEAR[0] <= at < _NEAR[-1]:
        return _NEAR_FIRST - 1 + bisect_right(_NEAR, at)
    year = 1970 + at // _MEAN_YEAR
    if at < _year_start(year):
        return year - 1
    return year + 1 if at >= _year_start(year + 1) else year


_NEAR_FIRST = 1900
_NEAR = tuple(_year_start(year) for year in range(_NEAR_FIRST, 2101))


def _table(pieces: Iterator[tuple[int, int]]) -> Segments:
    starts: list[int] = []
    ends: list[int] = []
    for begin, end in pieces:
        if ends and ends[-1] == begin:
            ends[-1] = end
        else:
            starts.append(begin)
            ends.append(end)
    before = [0]
    for begin, end in zip(starts, ends, strict=True):
        before.append(before[-1] + end - begin)
    return Segments(tuple(starts), tuple(ends), tuple(before[:-1]), before[-1])


def _keep(kept: dict[int, _T], key: int, made: _T) -> _T:
    """Keeps what was made of a year or day; where two threads made the same, either will do."""
    if len(kept) >= _HOLD:
        kept.clear()
    kept[key] = made
    return made


__all__ = ["EPOCH_DAY", "FIRST", "LAST", "Hours", "Opening", "Segments", "date_of", "day_number", "year_of"]
