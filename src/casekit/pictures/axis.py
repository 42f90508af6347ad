"""Where the marks of an axis of time stand: full hours, days, months or years of a zone, never too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from casekit.model.time import instant, local, zone_named
from casekit.pictures.moments import seconds

MOST = 12
_HOUR, _DAY = 3600, 86400
_STEPS = (1, 2, 3, 6, 12)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 600, 6000)


def ticks(start: str, end: str, zone: str) -> list[tuple[str, str]]:
    """Instants between two others, each with what is written there."""
    span, where = seconds(start, end), zone_named(zone)
    begun, over = local(start, zone).replace(tzinfo=None), local(end, zone).replace(tzinfo=None)
    for hours in _STEPS:
        if span / (hours * _HOUR) <= MOST:
            first = begun.replace(hour=begun.hour // hours * hours, minute=0, second=0, microsecond=0)
            return _marks(_by(first, timedelta(hours=hours)), over, start, end, where, "%m-%d %H:%M")
    first = begun.replace(hour=0, minute=0, second=0, microsecond=0)
    for days in _DAYS:
        if span / (days * _DAY) <= MOST:
            return _marks(_by(first, timedelta(days=days)), over, start, end, where, "%Y-%m-%d")
    months = next((step for step in _MONTHS if span / (step * 30 * _DAY) <= MOST), _MONTHS[-1])
    return _marks(_monthly(first, months), over, start, end, where, "%Y-%m")


def _marks(
    walls: Callable[[], Iterator[datetime]], over: datetime, start: str, end: str, zone: ZoneInfo, pattern: str
) -> list[tuple[str, str]]:
    found = []
    for wall in walls():
        if wall > over:
            break
        at = instant(wall.replace(tzinfo=zone))
        if start <= at <= end:
            # A wall time that the change to summer time leaves out is the one after it.
            found.append((at, local(at, zone.key).strftime(pattern)))
    return list(dict.fromkeys(found))


def _by(first: datetime, step: timedelta) -> Callable[[], Iterator[datetime]]:
    def walls() -> Iterator[datetime]:
        wall = first
        while True:
            yield wall
            wall += step

    return walls


def _monthly(first: datetime, months: int) -> Callable[[], Iterator[datetime]]:
    def walls() -> Iterator[datetime]:
        place = (first.year * 12 + first.month - 1) // months * months
        while place // 12 < 10000:
            if place // 12 >= 1:
                yield datetime(place // 12, place % 12 + 1, 1)  # noqa: DTZ001 - a wall time; its zone comes with it
            place += months

    return walls
