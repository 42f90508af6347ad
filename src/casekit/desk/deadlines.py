"""Deadlines: more time with reason and authority, present versions of calendars, and how a date came about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from casekit.decisions.clock_story import ClockStory, Said
from casekit.decisions.clock_telling import tell
from casekit.decisions.extending import adopt, extend, instance_of
from casekit.decisions.machine import World
from casekit.decisions.proposals import confirm, instance_with, keep
from casekit.desk.turn import Spec, Turn
from casekit.desk.work import new_uuid
from casekit.errors import BadInput
from casekit.model.canonical import Json, decode, plain
from casekit.model.time import day_after, day_start, duration, effective
from casekit.record.entry import COLUMNS
from casekit.store import reading

EXTEND = Spec("extend", "clock.extend")
CONFIRM = Spec("confirm-clock", "clock.confirm")
KEEP = Spec("keep-clock", "clock.confirm")
ADOPT = Spec("adopt-calendars", "clock.extend")


def lengthen(turn: Turn, clock: str, instance: str, to: date | datetime | str | None, by: str, authority: str) -> None:
    """Decides on more time for a running deadline.

    Raises:
        BadInput: no reason, not exactly one of ``to`` and ``by``, or as of :func:`casekit.decisions.extending.extend`.
    """
    if not turn.call.reason:
        raise BadInput.at("reason", "is missing", "say why the deadline moves")
    if (to is None) == (not by):
        raise BadInput.at("to, by", "say one of the two", "give the new due date (to), or how much longer (by), such as P14D")
    named = instance_of(turn.run, clock, instance)
    turn.guard("extend", {"clock": clock}, clock=clock, instance=named)
    if not turn.goes_on:
        return
    before, after = extend(turn.run, clock, named, _until(to, turn.file.zone), duration(by) if by else None, turn.n)
    turn.call.about |= {"clock": clock, "instance": named, **{k: v for k, v in (("from", before), ("to", after), ("by", by)) if v}}
    if authority:
        turn.call.sealed["authority"] = plain(authority, "authority")


def answer(turn: Turn, clock: str, instance: str, *, takes: bool) -> None:
    """Decides on a proposed new date: takes it, or keeps the one there is.

    Raises:
        BadInput: no reason, or no new date waits for someone.
    """
    if not turn.call.reason:
        raise BadInput.at("reason", "is missing", "say why the deadline moves, or why it stays")
    named = instance_with(turn.run, clock, instance)
    turn.guard(turn.call.spec.name, {"clock": clock}, clock=clock, instance=named)
    if not turn.goes_on:
        return
    before, after = (confirm if takes else keep)(turn.run, clock, named)
    turn.call.about |= {"clock": clock, "instance": named, **{k: v for k, v in (("from", before), ("to", after)) if v}}


def _until(to: date | datetime | str | None, zone: str) -> str:
    """The first instant that is too late: of a day, the end of it."""
    if to is None:
        return ""
    found = effective(to, zone)
    return found.at if found.day is None else day_start(day_after(found.day), zone)


def adopt_calendars(turn: Turn) -> None:
    """Lets a case go on by the present versions of its calendars and rules; each clock does as its ``on_change`` says.

    Raises:
        BadInput: it goes by them already, or its clocks go by none.
    """
    library, head = turn.desk.library, turn.stream.head
    pins = library.calendars.pins(turn.definition)
    moved = {group: known for group, known in pins.items() if head.get(group) != known}
    if not moved:
        raise BadInput.at("calendars", "the case goes by the present ones already", "nothing is to be done")
    library.publish(turn.work, turn.definition, turn.work.now(), new_uuid())
    turn.change(c="head", set=moved)
    adopt(turn.run, *library.calendars.of(turn.work.shelf, {**head, **moved}))


def stories(turn: Turn, clock: str, instance: str, at: str) -> tuple[ClockStory, ...]:
    """The story of the instances of a clock, as of a moment.

    Raises:
        BadInput: the case type has no such clock, or it has no such instance.
    """
    definition = turn.definition
    if clock not in definition.says.clocks:
        known = ", ".join(definition.says.clocks) or "none"
        raise BadInput.at("clock", f"{definition.says.key} has no clock {clock!r}", f"its clocks are: {known}")
    told = {name: said for (key, name), said in _said(turn).items() if key == clock}
    if instance and instance not in told:
        raise BadInput.at(f"clock {clock}", f"there is no instance {instance!r}", "instances are: " + (", ".join(told) or "none"))
    timer = definition.timer(clock)
    wanted = [instance] if instance else list(told)
    return tuple(tell(timer, name, told[name], at, turn.run.inputs) for name in wanted)


def every(turn: Turn, at: str) -> tuple[ClockStory, ...]:
    """The stories of all instances of all clocks that had started by a moment, in order of clocks."""
    return tuple(story for story, _ in lives(turn, at))


def lives(turn: Turn, at: str) -> tuple[tuple[ClockStory, tuple[Said, ...]], ...]:
    """The same stories, each with everything that entries left of its instance, those after the moment among them."""
    told = _said(turn)
    order = {timer.id: place for place, timer in enumerate(turn.definition.timers)}
    found = [(tell(turn.definition.timer(key), name, told[key, name], at, turn.run.inputs), tuple(told[key, name])) for key, name in told]
    return tuple(sorted((life for life in found if life[0].status), key=lambda life: order[life[0].clock]))


def _said(turn: Turn) -> dict[tuple[str, str], list[Said]]:
    """What entries left of each instance, those included that a question lets its clocks speak first."""
    found: dict[tuple[str, str], list[Said]] = {}
    time, pins = "", dict[str, Any]()
    world = World(zone=turn.file.zone)
    for n, effective_at, actor, kind, body in _entries(turn):
        time = max(time, effective_at)
        events, effects = (tuple(body["about"].get(name, ())) for name in ("events", "effects"))
        for change in body["changes"]:
            if new := _pins(change):
                pins |= new
                calendars, counts = turn.desk.library.calendars.of(turn.work.shelf, pins)
                world = World(zone=turn.file.zone, calendars=calendars, counts=counts)
            if change["c"] == "clock":
                said = Said(n, change["instance"], time, actor, kind, events, effects, change["row"], change.get("live"), world)
                found.setdefault((change["id"], change["instance"]), []).append(said)
    return found


def _pins(change: Json) -> Json:
    """What a change pins the case to."""
    if change["c"] not in ("open", "head"):
        return {}
    return {name: known for name, known in change.get("set", {}).items() if name in ("calendars", "counts")}


_PLACES = tuple(COLUMNS.index(name) for name in ("n", "effective", "actor", "kind", "body"))


def _entries(turn: Turn) -> Iterable[tuple[int, str, str, str, Json]]:
    """The entries of a case, those included that the question itself has brought about."""
    sid = turn.stream.sid
    pending = [row[2:] for row in turn.work.rows.entries if row[1] == sid]
    for row in (*reading.entries_of(turn.work.shelf, sid), *pending):
        n, effective_at, actor, kind, body = (row[place] for place in _PLACES)
        yield n, effective_at, actor, kind, decode(body)
