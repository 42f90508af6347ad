"""Moments in words, in the zone of who reads them: to the minute, which is as fine as a picture can be."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from casekit.model.time import local, moment

_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MICROSECOND = timedelta(microseconds=1)


def said(at: str, zone: str) -> str:
    """An instant as a clock on a wall there shows it."""
    wall = local(at, zone)
    return f"{_day(wall)} {wall.hour:02}:{wall.minute:02} {wall.tzname() or zone}"


def said_due(at: str, zone: str) -> str:
    """The first instant that is too late; where that is the end of a day, 24:00 of that day."""
    wall = local(at, zone)
    return f"{_day(wall - _MICROSECOND)} 24:00 {wall.tzname() or zone}" if wall.time() == time() else said(at, zone)


def last_day(at: str, zone: str) -> str | None:
    """The day whose end an instant is; None: it is not the end of a day there."""
    wall = local(at, zone)
    return (wall - _MICROSECOND).date().isoformat() if wall.time() == time() else None


def seconds(start: str, end: str) -> float:
    """Seconds from one instant to another."""
    return (moment(end) - moment(start)).total_seconds()


def _day(wall: datetime) -> str:
    return f"{_NAMES[wall.weekday()]} {wall.date().isoformat()}"
