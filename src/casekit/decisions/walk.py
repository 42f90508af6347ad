"""One walk from an event to a last day, by one reading of one rule, with every step written down."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta

from attrs import field, frozen

from casekit.decisions.calendar import SPAN, Working
from casekit.decisions.opening import FIRST, LAST, date_of, day_number
from casekit.decisions.steps import Step, exact
from casekit.definition.counts import Count
from casekit.errors import BadInput
from casekit.model.time import Duration, at_wall_time, day_after, day_start, from_micros, instant, local, micros, moment

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HOUR = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)
_FARTHEST = SPAN * 366


@frozen
class Setting:
    """What a walk goes by, beside its rule.

    Attributes:
        working: The calendar.
        zone: IANA zone of days.
        without: Holiday sets of the calendar that do not count.
        closures: Days on which the office was inaccessible → reason.
        service: How it was served; empty: not said, or not served.
        close_base: Whether a closure also moves the end to which days for the way of service are added.
        shift: Days by which the end moves before it rolls.
        tolled: Stretches in which the period rested, in order; of periods counted forward.
    """

    working: Working
    zone: str
    without: frozenset[str] = frozenset()
    closures: Mapping[str, str] = field(factory=dict)
    service: str = ""
    close_base: bool = True
    shift: int = 0
    tolled: tuple[tuple[str, str], ...] = ()


class Walk:
    """A walk by one rule.

    Args:
        rule: The rule, as one reading has it.
        amount: The period; its sign is the direction.
        setting: Calendar and circumstances.

    Raises:
        BadInput: as of :func:`casekit.decisions.counting.count`.
    """

    def __init__(self, rule: Count, amount: Duration, setting: Setting) -> None:
        self._rule, self._amount, self._setting = rule, amount, setting
        self._sign = -1 if min(amount.months, amount.days, amount.micros) < 0 else 1
        self.steps: list[Step] = []
        rests = setting.tolled if self._sign > 0 and not amount.micros else ()
        self._tolled = _days_of(rests, setting.zone, rule.tolled)
        self._barred = [*self._tolled, *(_ends_of(rests, setting.zone))]

    def to_day(self, start: int) -> int:
        """The last day, counted from the day of the event."""
        rule = self._rule
        included = rule.trigger_day == "included"
        if rule.begins == "year_end":
            closes = day_number(date(date_of(start).year, 12, 31))
            self._note("year-end", start, closes)
            start = closes
        self._note("trigger-included" if included else "trigger-excluded", start, start)
        end = self._months(start, included) if self._amount.months else self._days(start, included)
        end = self._contained(start, included, self._running(self._rolled(end)))
        extra = rule.extra if rule.extra is not None and self._setting.service in rule.extra.service and self._sign > 0 else None
        if extra is None or self._setting.close_base:
            end = self._accessible(end)
        if extra is None:
            return end
        self._note("extra", end, end + extra.days, f"P{extra.days}D", extra.citation)
        return self._accessible(self._running(self._roll(end + extra.days, rule.roll)))

    def to_instant(self, at: str) -> str:
        """The end of a period in hours."""
        begun = moment(at)
        if self._rule.trigger_hour == "excluded":
            here = local(at, self._setting.zone)
            into = timedelta(minutes=here.minute, seconds=here.second, microseconds=here.microsecond)
            begun += _HOUR - into if self._sign > 0 else -into
        self.steps.append(Step("trigger-moment" if instant(begun) == at else "trigger-hour-excluded", at, instant(begun)))
        try:
            ended = self._rested(instant(begun), instant(begun + timedelta(microseconds=self._amount.micros)))
        except OverflowError:
            raise self._beyond() from None
        self.steps.append(Step("hours", instant(begun), ended, exact(abs(self._amount.micros))))
        # A period that ends at midnight has ended with the day before.
        wall = local(instant(moment(ended) - _INSTANT), self._setting.zone)
        last = day_number(wall.date())
        moved = self._accessible(self._roll(last, self._rule.roll_hours))
        if moved == last:
            return ended
        there = wall.replace(tzinfo=None) + timedelta(days=moved - last) + _INSTANT
        return instant(at_wall_time(there, self._setting.zone))

    def _rested(self, begun: str, ended: str) -> str:
        """The end of a period in hours, later by what it rested."""
        for start, end in self._setting.tolled if self._sign > 0 else ():
            if begun < end and start < ended:
                rest = micros(end) - micros(max(start, begun))
                self.steps.append(Step("tolled", max(start, begun), end, exact(rest)))
                ended = from_micros(micros(ended) + rest)
        return ended

    def day_end(self, last: int) -> str:
        """The first instant that is too late."""
        text = self._text(last)
        if self._rule.day_end == "office_close":
            closes = self._setting.working.closes(text)
            if closes is not None:
                self.steps.append(Step("office-close", text, closes))
                return closes
        end = day_start(day_after(text), self._setting.zone)
        self.steps.append(Step("day-end", text, end))
        return end

    def _days(self, start: int, included: bool) -> int:
        rule, days = self._rule, abs(self._amount.days)
        short = rule.short_period
        skip = short.skip if short is not None and days <= short.max_days else rule.skip
        if skip == "non_working":
            return self._working_days(start, days, included)
        end = self._inside(start + self._sign * (days - 1 if included else days))
        first = start if included else start + self._sign
        self._note("every-day", first, end, f"P{days}D")
        return self._made_up(first, end)

    def _months(self, start: int, included: bool) -> int:
        begun = date_of(start)
        year, month = divmod(begun.year * 12 + begun.month - 1 + self._amount.months, 12)
        if not 1 <= year <= 9999:
            raise self._beyond()
        longest = monthrange(year, month + 1)[1]
        clamped = begun.day > longest
        end = day_number(date(year, month + 1, min(begun.day, longest)))
        if included and not (clamped and self._sign > 0):
            end -= self._sign
        self._note("month-end" if clamped else "months", start, self._inside(end), f"P{abs(self._amount.months)}M")
        return self._made_up(start if included else start + self._sign, end)

    def _made_up(self, first: int, end: int) -> int:
        """The end, later by a day for each day of the period that does not count; it never is one of them."""
        raw = end
        owed = 0
        for begun, ended in self._tolled:
            days = min(ended, end) - max(begun, first) + 1
            if days > 0:
                self._note("tolled", max(begun, first), min(ended, end), f"P{days}D")
                owed += days
        while owed:
            end = self._inside(end + 1)
            owed -= not self._tolling(end)
        if end != raw:
            self._note("made-up", raw, end, f"P{end - raw}D")
        return end

    def _tolling(self, number: int) -> bool:
        return any(begun <= number <= ended for begun, ended in self._tolled)

    def _running(self, end: int) -> int:
        """The first day from one on at whose end the period does not rest: none ends before it has run again."""
        begun, rolls = end, self._rule.roll in ("direction", "forward")
        while any(first <= end <= last for first, last in self._barred) or (end != begun and rolls and self._closed(end)):
            end = self._inside(end + 1)
        if end != begun:
            self._note("rests", begun, end)
        return end

    def _working_days(self, start: int, wanted: int, included: bool) -> int:
        counted, run, number = 0, 0, start - (self._sign if included else 0)
        while counted < wanted:
            number = self._inside(number + self._sign)
            if abs(number - start) > _FARTHEST:
                raise self._wrong(
                    f"more than {SPAN} years of days were counted", "use a shorter period, or a calendar with more working days"
                )
            why = "paused" if self._tolling(number) else self._closed(number)
            if why:
                self._flush(number - self._sign, run)
                self._note("skipped", number, number, note=why)
            else:
                counted += 1
            run = 0 if why else run + 1
        self._flush(number, run)
        return number

    def _flush(self, last: int, run: int) -> None:
        if run:
            self._note("counted", last - self._sign * (run - 1), last, f"P{run}D")

    def _rolled(self, end: int) -> int:
        shift = self._setting.shift
        if shift:
            self._note("shifted", end, self._inside(end + shift), f"{'-' if shift < 0 else ''}P{abs(shift)}D")
        return self._roll(end + shift, self._rule.roll)

    def _roll(self, end: int, how: str) -> int:
        if how == "none" or (self._sign < 0 and self._rule.retroactive == "kept"):
            return end
        direction = {"direction": self._sign, "forward": 1, "backward": -1}[how]
        return self._onward(end, direction, "roll")

    def _onward(self, end: int, direction: int, rule: str) -> int:
        """The first working day from a day on; each day that is none is a step."""
        begun = end
        while why := self._closed(end):
            following = self._inside(end + direction)
            self._note(rule, end, following, note=why)
            end = following
            if abs(end - begun) > _FARTHEST:
                raise self._wrong(f"there is no working day within {SPAN} years", "use a calendar with working days")
        return end

    def _contained(self, start: int, included: bool, end: int) -> int:
        least = self._rule.min_working_days
        if not least or (self._amount.days and abs(self._amount.days) < least):
            return end
        first = start if included else start + self._sign
        there = 0
        for number in range(first, end + self._sign, self._sign):
            there += not self._closed(number) and not self._tolling(number)
            if there == least:
                return end
        begun = end
        while there < least:
            end = self._onward(self._inside(end + self._sign), self._sign, "roll")
            there += 1
        self._note("min-working-days", begun, end, f"P{least}D")
        return end

    def _accessible(self, end: int) -> int:
        if self._rule.closures == "none":
            return end
        while (reason := self._setting.closures.get(self._text(end))) is not None:
            following = self._inside(end + 1)
            self._note("closure", end, following, note=reason or "closed")
            end = self._onward(following, 1, "roll")
        return end

    def _closed(self, number: int) -> str:
        """Why a day is no working day; empty: it is one."""
        calendar = self._setting.working.calendar
        text = self._text(number)
        exception = calendar.exceptions.get(text)
        if exception is not None:
            return "" if exception.hours else exception.reason or "closed"
        for key, holidays in calendar.holidays.items():
            if text in holidays.days and key not in self._setting.without:
                return holidays.days[text]
        return "" if self._setting.working.opening.weekly(number) else _WEEKDAYS[(number + 3) % 7]

    def _note(self, rule: str, start: int, end: int, amount: str = "", note: str = "") -> None:
        self.steps.append(Step(rule, self._text(start), self._text(end), amount, note))

    def _text(self, number: int) -> str:
        return date_of(number).isoformat()

    def _inside(self, number: int) -> int:
        if not FIRST < number < LAST:
            raise self._beyond()
        return number

    def _beyond(self) -> BadInput:
        return self._wrong("the date lies outside the years 1 to 9999", "use a shorter period")

    def _wrong(self, what: str, do: str) -> BadInput:
        return BadInput.at(f"count {self._rule.key}", what, do)


def _days_of(rests: tuple[tuple[str, str], ...], zone: str, how: str) -> list[tuple[int, int]]:
    """The days, first and last, that stretches take out of a period: those they cover, or all that they touch; each once."""
    found: list[tuple[int, int]] = []
    for begun, ended in rests:
        if begun >= ended:
            continue
        first, last = (day_number(local(at, zone).date()) for at in (begun, ended))
        starts = [day_start(date_of(number).isoformat(), zone) for number in (first, last)]
        # A stretch that ends with the first instant of a day has left that day alone.
        last -= how == "whole" or ended == starts[1]
        first += how == "whole" and begun != starts[0]
        first = max(first, found[-1][1] + 1 if found else first)
        if first <= last:
            found.append((first, last))
    return found


def _ends_of(rests: tuple[tuple[str, str], ...], zone: str) -> list[tuple[int, int]]:
    """The days, first and last, at whose end a period rests."""
    spans = [[day_number(local(at, zone).date()) for at in rest] for rest in rests]
    return [(first, last - 1) for first, last in spans if first < last]
