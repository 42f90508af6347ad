"""Days: months ahead of a day, and the business days of 5 U.S.C. 6103(a)."""

from __future__ import annotations

from datetime import date, timedelta

from casekit.sdk import add, day_start, duration, local


def months_after(day: date, months: int) -> date:
    """The same day of the month that many months later, or the last day of a shorter month."""
    return local(add(day_start(day.isoformat(), "UTC"), duration(f"P{months}M"), "UTC"), "UTC").date()


def days_after(day: date, days: int) -> date:
    """The day that many calendar days later."""
    return local(add(day_start(day.isoformat(), "UTC"), duration(f"P{days}D"), "UTC"), "UTC").date()


def business_days_after(day: date, days: int) -> date:
    """The day on which that many business days have passed after a day: Saturdays, Sundays and statutory holidays do not count."""
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5 and day not in statutory_holidays(day.year)
    return day


def statutory_holidays(year: int) -> frozenset[date]:
    """The legal public holidays of 5 U.S.C. 6103(a), on their own dates.

    When one falls on a weekend, offices close on another day by 6103(b) and Executive Order 11582; those days are
    not among the holidays *identified in 6103(a)*, to which Regulation F points.
    """
    found = {
        date(year, 1, 1),
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        _last_monday_of_may(year),
        date(year, 7, 4),
        _nth(year, 9, 0, 1),
        _nth(year, 10, 0, 2),
        date(year, 11, 11),
        _nth(year, 11, 3, 4),
        date(year, 12, 25),
    }
    if year >= 2021:
        found.add(date(year, 6, 19))
    return frozenset(found)


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())
