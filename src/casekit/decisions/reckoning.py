"""What a clock with terms comes to: its anchor, its target, its due instant, its warnings, what is left of it.

A clock measures on its own calendar. Of kind ``business`` that is open time, of every other kind exact time, with
days on the calendar of the case's zone. In the head it keeps what ran before the present stretch (``ran``), when
that stretch began (``since``) and what it comes to in all (``total``), in microseconds; so it needs no history.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from casekit.decisions.calendar import Working
from casekit.decisions.counting import Counted, count
from casekit.decisions.timers import Mark, Row, Timer
from casekit.errors import BadInput
from casekit.model.canonical import Json
from casekit.model.time import Duration, add, at_wall_time, day_after, day_start, from_micros, instant, local, micros

if TYPE_CHECKING:
    from casekit.decisions.conditions import Inputs
    from casekit.decisions.machine import World


class Measure(Protocol):
    """How a clock measures time."""

    def add(self, at: str, amount: Duration) -> str:
        """The instant an amount later."""

    def between(self, start: str, end: str) -> int:
        """Microseconds from one instant to another."""


class Exact:
    """Exact time; days and months on the calendar of a zone."""

    def __init__(self, zone: str) -> None:
        self._zone = zone

    def add(self, at: str, amount: Duration) -> str:
        """The instant an amount later."""
        return add(at, amount, self._zone)

    def between(self, start: str, end: str) -> int:
        """Microseconds from one instant to another."""
        return micros(end) - micros(start)


def measure(timer: Timer, calendar: str, world: World) -> Measure:
    """How a clock measures, on a calendar.

    Raises:
        BadInput: the case has no such calendar.
    """
    return business(timer, calendar, world) if timer.says.kind == "business" else Exact(world.zone)


def business(timer: Timer, calendar: str, world: World) -> Working:
    """Business time on a calendar of the case.

    Raises:
        BadInput: the case has no such calendar.
    """
    found = world.calendars.get(calendar)
    if found is None:
        raise BadInput.at(f"clock {timer.id}", f"there is no calendar {calendar!r}", "install the plugin that brings it, or name another")
    return found


def chosen(timer: Timer, inputs: Inputs) -> Row | None:
    """The row of its table that fits: the first whose condition holds."""
    assert timer.terms is not None
    return next((row for row in timer.terms.rows if row.when is None or row.when.holds(inputs) is True), None)


def anchored(timer: Timer, world: World, inputs: Inputs, known: Json, now: str) -> str | None:
    """From when a clock counts: an instant or a day; None: it is not known yet.

    Args:
        timer: The clock.
        world, inputs: What it may look at.
        known: What the head remembers of states, events and clocks.
        now: The present.
    """
    says, terms = timer.says.anchor, timer.terms
    if says is None or terms is None:
        return now
    found: str | None
    if says.field:
        found = inputs.data.get(says.field)
    else:
        named = next(f"{kind}:{name}" for kind in ("state", "event", "clock") if (name := getattr(says, kind)))
        found = known.get(named)
    if found is None or terms.offset is None:
        return found
    return measure(timer, timer.says.calendar, world).add(first_instant(found, world.zone), terms.offset)


def first_instant(when: str, zone: str) -> str:
    """An instant as it is; of a day, its first instant in the zone."""
    return day_start(when, zone) if len(when) == 10 else when


def row_of(timer: Timer, state: Json) -> Row | None:
    """The row of its table that an instance goes by."""
    rows = timer.terms.rows if timer.terms is not None else ()
    return next((row for row in rows if row.name == state.get("row", "")), None)


Rests = Iterable[tuple[str, str]]
"""Stretches in which a period that the law counts rested."""


def targeted(timer: Timer, row: Row | None, anchor: str, world: World, inputs: Inputs, rests: Rests = ()) -> Json:
    """What a row of the table makes of a clock: how long it runs in all, and by which calendar.

    Where the date can't be told (a calendar that never opens again, a rule that is not in force) the clock has no
    target, and says why.
    """
    found: Json = {}
    if row is not None and row.name:
        found["row"] = row.name
    if row is not None and row.calendar and row.calendar != timer.says.calendar:
        found["calendar"] = row.calendar
    if timer.says.kind == "fixed":
        return found | _fixed(timer, anchor, world, inputs)
    if row is None or not (row.amount or timer.says.kind == "counted"):
        return found
    if row.amount:
        found["amount"] = row.amount
    try:
        return found | (
            _counted(timer, row, anchor, world, inputs, rests) if timer.says.kind == "counted" else _run(timer, row, anchor, world)
        )
    except BadInput as wrong:
        return found | {"unsettled": str(wrong.problems[0])}


def _run(timer: Timer, row: Row, anchor: str, world: World) -> Json:
    assert row.length is not None
    begun = first_instant(anchor, world.zone)
    on = measure(timer, row.calendar, world)
    due = on.add(begun, row.length)
    total = on.between(begun, due)
    # A day from the opening is the opening of the next, not the close of the same, though no time lies between.
    return {"total": total, **({"opens": True} if on.add(begun, Duration(micros=total)) != due else {})}


def _fixed(timer: Timer, anchor: str, world: World, inputs: Inputs) -> Json:
    said = inputs.data.get(timer.says.due)
    if said is None:
        return {}
    due = day_start(day_after(said), world.zone) if len(said) == 10 else said
    return {"total": micros(due) - micros(first_instant(anchor, world.zone))}


def _counted(timer: Timer, row: Row, anchor: str, world: World, inputs: Inputs, rests: Rests) -> Json:
    answer = counted(timer, row.amount, row.calendar, anchor, world, inputs, rests)
    safe = answer.safe
    found: Json = {"total": micros(safe.at) - micros(first_instant(anchor, world.zone)), "day": safe.day, "rule": answer.version}
    if len(answer.readings) > 1:
        found["readings"] = [[due.reading, due.day, due.at] for due in answer.readings]
    return found


def counted(timer: Timer, amount: str, calendar: str, anchor: str, world: World, inputs: Inputs, rests: Rests = ()) -> Counted:
    """A period as its rule counts it, by every reading, with every step.

    Raises:
        BadInput: the case has neither rule nor calendar, the rule is not in force, or as of counting.
    """
    says, where = timer.says, f"clock {timer.id}"
    rules, working = world.counts.get(says.count), world.calendars.get(calendar)
    if rules is None or working is None:
        missing = f"rule of counting {says.count!r}" if rules is None else f"calendar {calendar!r}"
        raise BadInput.at(where, f"there is no {missing}", "install the plugin that brings it, or name another")
    day = anchor if len(anchor) == 10 else local(anchor, world.zone).date().isoformat()
    service = (inputs.data.get(says.service) if says.service else None) or ""
    return count(anchor, rules.on(day), working, amount=amount, zone=world.zone, service=service, tolled=rests)


def later(timer: Timer, at: str, more: int, zone: str) -> str:
    """An instant later by what an actor gave: of a period that the law counts by the clock on the wall, for a day is a day."""
    if timer.says.kind != "counted":
        return from_micros(micros(at) + more)
    return instant(at_wall_time(local(at, zone).replace(tzinfo=None) + timedelta(microseconds=more), zone))


def given(timer: Timer, before: str, after: str, world: World, calendar: str) -> int:
    """How much time lies between two due instants, as :func:`later` gives it."""
    if timer.says.kind != "counted":
        return measure(timer, calendar, world).between(before, after)
    wall = [local(at, world.zone).replace(tzinfo=None) for at in (before, after)]
    return (wall[1] - wall[0]) // timedelta(microseconds=1)


def with_more(timer: Timer, state: Json, world: World) -> Json:
    """A counted target with what an actor gave beyond it."""
    if "more" not in state or "total" not in state:
        return {}
    start = micros(first_instant(state["anchor"], world.zone))
    return {"total": micros(later(timer, from_micros(start + state["total"]), state["more"], world.zone)) - start}


def due_of(timer: Timer, state: Json, world: World) -> str | None:
    """When a running clock is due; None: it has no target."""
    if "total" not in state:
        return None
    left = state["total"] - state.get("ran", 0)
    since: str = state["since"]
    if timer.says.kind != "business":
        return from_micros(micros(since) + left)
    # The amount was used up before the present stretch began: only a change of the amount can do that.
    if left < 0:
        return since
    working = business(timer, calendar_of(timer, state), world)
    due = working.add(since, Duration(micros=left))
    return working.next_open(due) if state.get("opens") else due


def calendar_of(timer: Timer, state: Json) -> str:
    """Key of the calendar that an instance goes by."""
    key: str = state.get("calendar", timer.says.calendar)
    return key


def ran(timer: Timer, state: Json, world: World, now: str) -> int:
    """How much of a running clock is used up, in microseconds on its own calendar."""
    before: int = state.get("ran", 0)
    if now <= state["since"]:
        return before
    return before + measure(timer, calendar_of(timer, state), world).between(state["since"], now)


def run_so_far(state: Json, now: str) -> int:
    """How long a period that the law counts has run, in microseconds, without what it rested."""
    rested = sum(micros(end) - micros(start) for start, end in state.get("tolled", ()))
    return max(micros(now) - micros(state["since"]) - rested, 0)


def spoken(timer: Timer, marks: tuple[Mark, ...], state: Json, world: World, *, after: bool = False) -> list[tuple[str, int]]:
    """When a clock that has a due instant says something, in order, each with its place among the marks."""
    on = measure(timer, calendar_of(timer, state), world)
    found = []
    for place, mark in enumerate(marks):
        try:
            if mark.offset is not None:
                by = business(timer, calendar_of(timer, state), world) if mark.says.working else on
                at = by.add(state["due"], mark.offset)
            else:
                left = max(state["total"] * mark.percent // 100 - state.get("ran", 0), 0)
                at = on.add(state["since"], Duration(micros=left))
        except BadInput:
            continue  # beyond what the calendar knows: the due instant itself still speaks
        found.append((_within(timer, at, world, after=after), place))
    return sorted(found)


def _within(timer: Timer, at: str, world: World, *, after: bool) -> str:
    open_hours = world.calendars.get(timer.says.speaks) if timer.says.speaks else None
    if open_hours is None:
        return at
    return open_hours.next_open(at) if after else open_hours.last_open(at)


__all__ = [
    "Exact",
    "Measure",
    "anchored",
    "calendar_of",
    "chosen",
    "counted",
    "due_of",
    "first_instant",
    "given",
    "later",
    "measure",
    "ran",
    "row_of",
    "run_so_far",
    "spoken",
    "targeted",
    "with_more",
]
