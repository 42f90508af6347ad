"""How a story is told: from what entries left of an instance, with the calendars that the case went by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from casekit.decisions import reckoning
from casekit.decisions.clock_story import Choice, ClockStory, Interval, Move, ReadAs, Said, Spoken, Would
from casekit.decisions.conditions import Inputs
from casekit.decisions.counting import Counted
from casekit.decisions.machine import World
from casekit.decisions.steps import Step, exact
from casekit.decisions.timers import Timer
from casekit.errors import BadInput
from casekit.model.canonical import Json
from casekit.model.time import Duration, micros


def tell(timer: Timer, instance: str, said: Sequence[Said], at: str, inputs: Inputs) -> ClockStory:
    """The story of an instance.

    Args:
        timer: The clock.
        instance: Which instance.
        said: What entries left of it, in order; those after ``at`` are left out.
        at: The moment asked about.
        inputs: The case as conditions see it now: of a counted clock, how it was served.
    """
    known = [one for one in said if one.at <= at]
    state = _state(known)
    last = known[-1] if known else None
    world = last.world if last else World()
    status = last.row["status"] if last else ""
    due = last.row.get("due") if last else None
    breached = status == "breached" or (status == "running" and due is not None and due <= at)
    live = status in ("running", "paused")
    intervals = tuple(_intervals(timer, known, at))
    basis = _basis(known)
    answer = _counted(timer, state, basis, inputs) if timer.says.kind == "counted" and state else None
    used = _ran(timer, state, world, at) if timer.terms is not None else sum(i.elapsed for i in intervals if i.status == "running")
    return ClockStory(
        clock=timer.id,
        instance=instance,
        title=timer.says.title,
        kind=timer.says.kind,
        citation=timer.says.citation,
        at=at,
        status="breached" if breached else status,
        started=last.row.get("started") if last else None,
        anchor=state.get("anchor", last.row.get("started") if last else None),
        amount=state.get("amount", timer.says.amount if timer.terms is None else ""),
        table=_table(timer, state),
        calendar=_calendar(timer, state, world),
        due=due,
        computed=state.get("computed"),
        day=state.get("day"),
        readings=tuple(_readings(state, answer)),
        would=_would(timer, state, world, inputs) if "would" in state else None,
        spoken=tuple(_spoken(timer, known, state, at)),
        unsettled=state.get("unsettled", ""),
        breached=breached,
        ran=used,
        left=_left(state, due, used, at) if live else None,
        if_resumed=_if_resumed(timer, state, world, at, inputs) if status == "paused" else None,
        intervals=intervals,
        elapsed=_sums((i.status, i.elapsed) for i in intervals),
        open=_sums((i.status, i.open) for i in intervals if i.open is not None),
        moves=tuple(_moves(known)),
        steps=tuple(_steps(timer, known, state, due, answer)) if due else (),
        zone=world.zone,
    )


def _state(known: Sequence[Said]) -> Json:
    """The last state of an instance that stood in the head."""
    return next((one.live for one in reversed(known) if one.live is not None), {})


def _left(state: Json, due: str | None, used: int, at: str) -> int | None:
    if "total" in state and "day" not in state:
        found: int = state["total"] - used
    elif due is not None:
        found = micros(due) - micros(at)
    elif "left" in state:
        found = state["left"]
    else:
        return None
    return max(found, 0)


def _ran(timer: Timer, state: Json, world: World, at: str) -> int:
    if timer.says.kind == "counted" and "since" in state and state["status"] == "running":
        return reckoning.run_so_far(state, min(at, state.get("due", at)))
    if "since" in state and state["status"] == "running":
        return reckoning.ran(timer, state, world, min(at, state.get("due", at)))
    found: int = state.get("ran", 0)
    return found


def _if_resumed(timer: Timer, state: Json, world: World, at: str, inputs: Inputs) -> str | None:
    if "left" not in state:
        return None
    if timer.says.kind == "counted":
        answer = _counted(timer, {**state, "tolled": [*state.get("tolled", ()), [state["rests"], at]]}, world, inputs)
        return reckoning.later(timer, answer.safe.at, state.get("more", 0), world.zone) if isinstance(answer, Counted) else None
    on = reckoning.measure(timer, reckoning.calendar_of(timer, state), world)
    return on.add(at, Duration(micros=state["left"]))


def _table(timer: Timer, state: Json) -> tuple[Choice, ...]:
    rows = timer.terms.rows if timer.terms is not None else ()
    found = []
    for row in rows if len(rows) > 1 or (rows and rows[0].name) else ():
        taken = row.name == state.get("row")
        found.append(Choice(row.name, row.when.text if row.when is not None else "", taken))
        if taken:
            break
    return tuple(found)


def _calendar(timer: Timer, state: Json, world: World) -> str:
    if timer.says.kind not in ("business", "counted"):
        return ""
    key = reckoning.calendar_of(timer, state)
    working = world.calendars.get(key)
    return f"{key} {working.calendar.version}" if working is not None else key


def _intervals(timer: Timer, known: Sequence[Said], at: str) -> Iterable[Interval]:
    for place, one in enumerate(known):
        if one.live is None:
            return
        start = one.at if place else min(one.at, one.live.get("since", one.at))
        end = known[place + 1].at if place + 1 < len(known) else at
        if end <= start:
            continue
        status = one.row["status"]
        working = one.world.calendars.get(reckoning.calendar_of(timer, one.live)) if timer.says.kind == "business" else None
        counted = working.between(start, end) if working is not None else None
        yield Interval(status, start, end, micros(end) - micros(start), counted, timer.says.pause if status == "paused" else "")


def _basis(known: Sequence[Said]) -> World:
    """The calendars and rules by which the present target of an instance was computed."""
    world, before = World(), None
    for one in known:
        target = one.live and [one.live.get(name) for name in ("anchor", "row", "day", "rule", "tolled", "total")]
        if target is not None and target != before:
            world, before = one.world, target
    return world


def _counted(timer: Timer, state: Json, world: World, inputs: Inputs) -> Counted | str:
    """A period counted anew, with all its steps and readings; a text: why it can't be."""
    calendar = reckoning.calendar_of(timer, state)
    try:
        return reckoning.counted(timer, state.get("amount", ""), calendar, state["anchor"], world, inputs, state.get("tolled", ()))
    except BadInput as wrong:
        return str(wrong.problems[0])


def _readings(state: Json, answer: Counted | str | None) -> Iterable[ReadAs]:
    told = {due.reading: due for due in answer.readings} if isinstance(answer, Counted) else {}
    for place, (name, day, at) in enumerate(state.get("readings", ())):
        due = told.get(name)
        yield ReadAs(name, day, at, due.why if due else "", due.citation if due else "", used=not place)


def _would(timer: Timer, state: Json, world: World, inputs: Inputs) -> Would:
    would = state["would"]
    answer = _counted(timer, {**state, **would}, world, inputs)
    steps = answer.safe.steps if isinstance(answer, Counted) else ()
    return Would(would["why"], would["at"], would.get("due"), would.get("day"), steps)


def _spoken(timer: Timer, known: Sequence[Said], state: Json, at: str) -> Iterable[Spoken]:
    """What was said, as far as it had an addressee or an event, and what lies ahead."""
    for one in known:
        for effect in one.effects:
            word, args = effect["run"].removeprefix("clock."), effect["args"]
            if word in ("warned", "escalated") and args.get("clock") == timer.id and args.get("instance") == one.instance:
                yield Spoken(one.at, word, args["at"], args.get("to", ""), one.n)
    if timer.terms is None or not known or known[-1].live is None:
        return
    late = state["status"] == "breached"
    name, word, marks = ("escalate", "escalated", timer.terms.escalate) if late else ("warn", "warned", timer.terms.warn)
    ahead: list[str] = state.get(name, [])
    for when, place in zip(ahead, state.get("marks", [None] * len(ahead)), strict=True):
        if when > at:
            says = marks[place].says if place is not None else None
            yield Spoken(when, word, says.at if says else "", says.to if says else "", None)


def _stretch(one: Said) -> tuple[Any, ...]:
    """What stays the same as long as a stretch goes on."""
    return one.row["status"], one.world, (one.live or {}).get("calendar")


def _moves(known: Sequence[Said]) -> Iterable[Move]:
    before: Said | None = None
    for one in known:
        old, new = before.row.get("due") if before else None, one.row.get("due")
        yield from _proposals(before, one)
        changed = old != new and (before is None or one.row["status"] in ("running", "paused"))
        if changed or (before is None and one.live is not None):
            yield Move(one.n, one.at, one.actor, one.kind, _why(before, one), old, new)
        before = one


def _proposals(before: Said | None, one: Said) -> Iterable[Move]:
    """Dates that waited for someone, and dates that were not taken."""
    was, now = ((said.live or {}).get("would", {}) if said else {} for said in (before, one))
    if "why" in now and was.get("due") != now.get("due"):
        yield Move(one.n, one.at, one.actor, one.kind, "proposed", one.row.get("due"), now.get("due"))
    if "why" in was and not now and one.kind == "keep-clock":
        yield Move(one.n, one.at, one.actor, one.kind, "kept", one.row.get("due"), was.get("due"))


def _why(before: Said | None, one: Said) -> str:
    if before is None:
        return "started"
    if one.kind == "confirm-clock" and "would" in (before.live or {}):
        return "confirmed"
    was, now = before.live or {}, one.live or {}
    if now.get("extended") == one.n:
        return "extended"
    if was.get("status") != now.get("status"):
        return {"paused": "paused", "running": "resumed"}.get(now.get("status", ""), "changed")
    for why, name in (("anchor", "anchor"), ("amount", "row")):
        if was.get(name) != now.get(name):
            return why
    return "calendar" if before.world.calendars != one.world.calendars else "changed"


def _steps(timer: Timer, known: Sequence[Said], state: Json, due: str, answer: Counted | str | None) -> Iterable[Step]:
    anchor: str = state["anchor"] if "anchor" in state else known[0].row["started"]
    if timer.says.anchor is not None:
        yield Step("anchored", anchor, anchor, note=_anchor_said(timer))
    computed: str = state.get("computed") or due
    if isinstance(answer, Counted):
        yield from answer.safe.steps
    elif answer is not None:
        yield Step("unsettled", anchor, anchor, note=answer)
    else:
        yield from _counted_time(timer, known, state, anchor, computed)
    if computed != due:
        yield Step("extended", computed, due, note=f"entry {state['extended']}")


def _anchor_said(timer: Timer) -> str:
    anchor = timer.says.anchor
    assert anchor is not None
    named = anchor.field or anchor.state or anchor.event or f"clock {anchor.clock}"
    return f"{named} {anchor.offset}".strip()


def _counted_time(timer: Timer, known: Sequence[Said], state: Json, anchor: str, due: str) -> Iterable[Step]:
    """Stretch by stretch, and of office hours day by day."""
    if timer.says.kind == "fixed":
        yield Step("said", due, due, note=timer.says.due or "what was agreed")
        return
    zone = known[-1].world.zone
    running: list[Said] = []
    for one in known:
        before = running[-1] if running else None
        same = before is not None and _stretch(before) == _stretch(one)
        if one.live is not None and one.row["status"] in ("running", "paused") and not same:
            running.append(one)
    start, last = reckoning.first_instant(anchor, zone), running[-1] if running else known[-1]
    for place, one in enumerate(running):
        begun = start if not place else one.at
        end = due if one is last else running[place + 1].at
        if end <= begun:
            continue
        if one.row["status"] == "paused":
            yield Step("paused", begun, end, exact(micros(end) - micros(begun)), timer.says.pause)
            continue
        working = one.world.calendars.get(reckoning.calendar_of(timer, one.live or {})) if timer.says.kind == "business" else None
        if working is not None:
            yield from working.explain(begun, end)
        else:
            yield Step(
                "added", begun, end, state.get("amount", timer.says.amount) if len(running) == 1 else exact(micros(end) - micros(begun))
            )


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, value in pairs:
        found[name] = found.get(name, 0) + value
    return found


__all__ = ["tell"]
