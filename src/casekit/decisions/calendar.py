"""Business time: adding, measuring and explaining it, to the microsecond.

A duration in time (``PT8H``) counts open time. A duration in days (``P1D``) counts working days, and keeps the
time of day: one business day, not 24 open hours. Forward, a deadline falls on the first instant by which the
time has passed (the close of a day, not the opening of the next); backward, on the last.

The API takes and gives canonical instants; build one :class:`Working` per calendar version and keep it, for it
remembers the years it has seen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime, time, timedelta

from casekit.decisions.opening import FIRST, LAST, Opening, Segments, date_of, day_number, year_of
from casekit.decisions.steps import Step, exact
from casekit.definition.calendars import DAY, Calendar
from casekit.errors import BadInput
from casekit.model.time import EPOCH, Duration, at_wall_time, day, duration, from_micros, micros, zone_named

_MICROSECOND = timedelta(microseconds=1)

SPAN = 400
"""Years that one computation may run over: more is an error of input, and would only take time."""


class Working:
    """Business time on one calendar; safe to share between threads.

    Args:
        calendar: The calendar, its holiday sets stored in it.

    Raises:
        BadInput: the calendar is not what it must be; names it and every problem.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.opening = Opening(calendar)
        self._zone = zone_named(calendar.zone)

    def add(self, at: str, amount: Duration) -> str:
        """The instant when that much business time has passed, counted back where the amount is negative.

        Days are counted first. An instant at which the calendar is closed counts as the next (counted back: the last)
        open one. A day on which that time of day is closed gives the last open instant before, or its opening.

        Raises:
            BadInput: months (they are not business time), more than 400 years, or a date beyond the year 9999.
        """
        if amount.months:
            raise self._wrong("a business duration has no months", "say it in days or hours, or use a rule of counting")
        now = self._within(micros(at), at)
        if amount.days:
            now = self._add_days(now, amount.days)
        if amount.micros > 0:
            now = self._forward(now, amount.micros)
        elif amount.micros < 0:
            now = self._backward(now, -amount.micros)
        elif not amount.days:
            now = self._next_open(now)
        return from_micros(now)

    def between(self, start: str, end: str) -> int:
        """Open microseconds from one instant to another; negative where the end comes first.

        Raises:
            BadInput: more than 400 years apart.
        """
        begin, stop = self._within(micros(start), start), self._within(micros(end), end)
        if begin > stop:
            return -self._elapsed(stop, begin)
        return self._elapsed(begin, stop)

    def is_open(self, at: str) -> bool:
        """Whether the calendar is open at an instant; at the moment of closing it is not."""
        now = self._within(micros(at), at)
        return self._is_open(now)

    def next_open(self, at: str) -> str:
        """The instant itself where the calendar is open, else the next opening.

        Raises:
            BadInput: it never opens again within 400 years.
        """
        return from_micros(self._next_open(self._within(micros(at), at)))

    def last_open(self, at: str) -> str:
        """The instant itself where the calendar is open just before it, else the last closing before.

        Raises:
            BadInput: it was not open in the 400 years before.
        """
        return from_micros(self._last_open(self._within(micros(at), at)))

    def works(self, when: str) -> bool:
        """Whether a day has open hours."""
        return bool(self.opening.hours(self._numbered(when)))

    def working_days(self, first: str, last: str) -> int:
        """How many days from the first to the last, both included, have open hours.

        Raises:
            BadInput: no days, or more than 400 years apart.
        """
        begin, end = self._numbered(first), self._numbered(last)
        if end < begin:
            return 0
        years = range(date_of(begin).year, date_of(end).year + 1)
        self._bounded(len(years) - 1)
        tables = [self.opening.working_days(year) for year in years]
        return sum(map(len, tables)) - bisect_left(tables[0], begin) - (len(tables[-1]) - bisect_right(tables[-1], end))

    def closes(self, when: str) -> str | None:
        """The instant at which a day's open hours end; None: it has none."""
        ends = self.opening.of_day(self._numbered(when)).ends
        return from_micros(ends[-1]) if ends else None

    def explain(self, start: str, end: str) -> tuple[Step, ...]:
        """Day by day what was counted from one instant to a later one, and why the rest was not.

        Raises:
            BadInput: more than 400 years apart.
        """
        begin, stop = self._within(micros(start), start), self._within(micros(end), end)
        self._bounded(year_of(max(stop, begin)) - year_of(begin))
        steps: list[Step] = []
        for number in range(self.opening.local_day(begin), self.opening.local_day(max(begin, stop - 1)) + 1):
            steps += self._explained(number, begin, stop)
        return tuple(steps)

    def _explained(self, number: int, begin: int, stop: int) -> list[Step]:
        zone, when = self.calendar.zone, date_of(number)
        edges = [at_wall_time(_midnight(number + extra), zone) for extra in (0, 1)]
        first, last = max(begin, _micros(edges[0])), min(stop, _micros(edges[1]))
        rule, note = self.opening.why(number)
        unknown = self.opening.uncovered(number)
        steps = [Step("not-covered", when.isoformat(), when.isoformat(), note=unknown)] if unknown else []
        table = self.opening.of_day(number)
        opened = "open-exception" if rule == "exception" else "open"
        inside = [(max(s, first), min(e, last)) for s, e in zip(table.starts, table.ends, strict=True) if s < last and e > first]
        if not inside and first < last:
            closed = "closed-weekly" if rule == "weekly" else "closed"
            return [*steps, Step(closed, from_micros(first), from_micros(last), note=note or ("" if rule == "weekly" else rule))]
        return [
            *steps,
            *(Step(opened, from_micros(s), from_micros(e), exact(e - s), note if rule == "exception" else "") for s, e in inside),
        ]

    def _add_days(self, at: int, days: int) -> int:
        opening = self.opening
        # The moment of closing still belongs to its day, in both directions.
        now = at if self._is_open(at) or self._is_open(at - 1) else self._next_open(at) if days > 0 else self._last_open(at)
        today = opening.local_day(now if self._is_open(now) else now - 1)
        number = self._working_day(today, days)
        table = opening.of_day(number)
        while not table.starts:  # a zone skipped that day's hours, or the day
            number = self._working_day(number, 1 if days > 0 else -1)
            table = opening.of_day(number)
        wall = (EPOCH + timedelta(microseconds=now)).astimezone(self._zone).replace(tzinfo=None)
        moved = wall + timedelta(days=number - today)
        return _clamped(table, _micros(at_wall_time(moved, self.calendar.zone)))

    def _working_day(self, today: int, days: int) -> int:
        """The working day that many working days after (or before) a working day."""
        year = began = date_of(today).year
        table = self.opening.working_days(year)
        place = bisect_left(table, today) + days
        first, last = self._limits(began)
        while place >= len(table):
            place -= len(table)
            year += 1
            if year > last:
                raise self._beyond(year, began)
            table = self.opening.working_days(year)
        while place < 0:
            year -= 1
            if year < first:
                raise self._beyond(year, began)
            table = self.opening.working_days(year)
            place += len(table)
        return table[place]

    def _elapsed(self, begin: int, end: int) -> int:
        first, last = year_of(begin), year_of(end)
        if first != last:
            self._bounded(last - first)
        whole = sum(self.opening.year(year).total for year in range(first, last))
        return whole + self.opening.year(last).elapsed(end) - self.opening.year(first).elapsed(begin)

    def _forward(self, at: int, amount: int) -> int:
        self._possible(amount)
        year = began = year_of(at)
        table = self.opening.year(year)
        wanted = amount + table.elapsed(at)
        last = self._limits(began)[1]
        while wanted > table.total:
            wanted -= table.total
            year += 1
            if year > last:
                raise self._beyond(year, began)
            table = self.opening.year(year)
        return table.earliest(wanted)

    def _backward(self, at: int, amount: int) -> int:
        self._possible(amount)
        year = began = year_of(at)
        table = self.opening.year(year)
        wanted = table.elapsed(at) - amount
        first = self._limits(began)[0]
        while wanted < 0:
            year -= 1
            if year < first:
                raise self._beyond(year, began)
            table = self.opening.year(year)
            wanted += table.total
        return table.latest(wanted)

    def _is_open(self, at: int) -> bool:
        table = self.opening.year(year_of(at))
        place = bisect_right(table.starts, at) - 1
        return place >= 0 and at < table.ends[place]

    def _next_open(self, at: int) -> int:
        if self._is_open(at):
            return at
        return self._forward(at, 1) - 1

    def _last_open(self, at: int) -> int:
        return self._backward(at, 1) + 1

    def _possible(self, amount: int) -> None:
        """Refuses at once what no walk over the years could end in time."""
        if amount > self.opening.weekly_time * 53 * SPAN + self.opening.special_time:
            raise self._wrong(f"the duration runs over more than {SPAN} years", "use a shorter duration")

    def _bounded(self, years: int) -> None:
        if years > SPAN:
            raise self._wrong(f"{years} years are more than one computation may run over", f"ask for at most {SPAN} years")

    def _limits(self, began: int) -> tuple[int, int]:
        """The first and last year that a walk may reach."""
        return max(1, began - SPAN), min(began + SPAN, self.opening.final_year)

    def _beyond(self, year: int, began: int) -> BadInput:
        if not 1 <= year <= 9999:
            return self._wrong("the date lies outside the years 1 to 9999", "use a shorter duration")
        if abs(year - began) > SPAN:
            return self._wrong(f"the duration runs over more than {SPAN} years", "use a shorter duration")
        return self._wrong(f"the calendar is never open after {self.opening.final_year}", "give it weekly hours, or a later version")

    def _within(self, at: int, text: str) -> int:
        if not FIRST * DAY < at < (LAST + 1) * DAY:
            raise self._wrong(f"{text} lies at the edge of the years 1 to 9999", "check the year")
        return at

    def _numbered(self, when: str) -> int:
        number = day_number(day(when))
        self._within(number * DAY + 1, when)
        return number

    def _wrong(self, what: str, do: str) -> BadInput:
        return BadInput.at(f"calendar {self.calendar.key}", what, do)


def add_business(at: str, amount: str | Duration, working: Working) -> str:
    """The instant when an ISO 8601 duration (``PT8H``, ``P2D``, ``-PT2H``) of business time has passed.

    Raises:
        BadInput: no duration, or as of :meth:`Working.add`.
    """
    return working.add(at, duration(amount) if isinstance(amount, str) else amount)


def business_between(start: str, end: str, working: Working) -> int:
    """Open microseconds from one instant to another; as of :meth:`Working.between`."""
    return working.between(start, end)


def _clamped(table: Segments, at: int) -> int:
    place = bisect_right(table.starts, at) - 1
    return table.starts[0] if place < 0 else min(at, table.ends[place])


def _midnight(number: int) -> datetime:
    return datetime.combine(date_of(number), time())


def _micros(at: datetime) -> int:
    return (at - EPOCH) // _MICROSECOND
