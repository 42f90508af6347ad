"""What a person does to a running deadline: more time, with the computed date kept beside; other versions of calendars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from casekit.decisions import reckoning
from casekit.decisions.calendar import Working
from casekit.decisions.proposals import looked_at, propose
from casekit.decisions.timers import Row, Timer
from casekit.definition.counts import Counts
from casekit.errors import BadInput
from casekit.model.canonical import Json
from casekit.model.time import Duration

if TYPE_CHECKING:
    from casekit.decisions.machine import Run


def instance_of(run: Run, clock: str, instance: str) -> str:
    """The instance that is meant: the one named, or the only one that runs or rests.

    Raises:
        BadInput: there is no such clock or instance, or several could be meant.
    """
    says = run.definition.says
    if clock not in says.clocks:
        raise BadInput.at("clock", f"{says.key} has no clock {clock!r}", "its clocks are: " + (", ".join(says.clocks) or "none"))
    alive = {name: state for name, state in run.clocks.live.get(clock, {}).items() if state["status"] in ("running", "paused")}
    if instance and instance not in alive:
        raise BadInput.at(f"clock {clock}", f"no instance {instance!r} runs", "running are: " + (", ".join(sorted(alive)) or "none"))
    if not instance and len(alive) != 1:
        raise BadInput.at(
            f"clock {clock}", f"{len(alive)} instances run", "name one: " + (", ".join(sorted(alive)) or "none can be extended")
        )
    return instance or next(iter(alive))


def extend(run: Run, clock: str, instance: str, to: str, by: Duration | None, entry: int) -> tuple[str | None, str | None]:
    """Gives an instance another due instant, or more time; gives the date before and after, where there are any.

    Args:
        run: The run.
        clock, instance: Which one; see :func:`instance_of`.
        to: The new due instant; empty: ``by`` says it.
        by: How much longer, on the clock's own calendar.
        entry: The entry that does it.

    Raises:
        BadInput: it has no due instant, it rests and only an instant was given, or the new one has passed.
    """
    timer, state = run.definition.timer(clock), run.clocks.live[clock][instance]
    on = _measure(timer, state, run)
    if state["status"] == "paused":
        if by is None or "left" not in state:
            raise BadInput.at(
                f"clock {clock}", "it rests, and has no date that could be set", "give more time (by), or let it run on first"
            )
        until = on.add(run.now, by)
        more = on.between(run.now, until)
        longer = {**state, "left": state["left"] + more, "extended": entry}
        run.clocks.put(clock, instance, _longer(longer, more, _given(timer, state, run.now, until, run)))
        return None, None
    before = state.get("due")
    if before is None:
        raise BadInput.at(f"clock {clock}", "it has no due instant", "there is nothing to extend")
    due = to or (on.add(before, by) if by is not None else before)
    if due <= run.now or due == before:
        raise BadInput.at(f"clock {clock}", f"{due} is no later time for it", "give an instant that lies ahead and is not the present one")
    new = {name: value for name, value in state.items() if name not in ("due", "warn", "marks")}
    new |= {"due": due, "computed": state.get("computed", before), "extended": entry}
    new = _longer(new, on.between(before, due), _given(timer, state, before, due, run))
    run.clocks.put(clock, instance, new | _warnings(timer, new, run))
    run.raise_(f"clock.{clock}.moved")
    return before, due


def adopt(run: Run, calendars: Mapping[str, Working], counts: Mapping[str, Counts]) -> None:
    """Goes on with other versions of calendars and rules. What has run was measured by the earlier ones and stays so."""
    cycles = run.clocks.cycles
    stand = []
    for timer in run.definition.timers:
        for instance, state in sorted(run.clocks.live.get(timer.id, {}).items()):
            if timer.terms is not None and cycles is not None and state["status"] in ("running", "paused"):
                stand.append((timer, instance, state, cycles.used(timer, state)))
    run.world.calendars, run.world.counts = calendars, counts
    for timer, instance, state, used in stand:
        if timer.says.kind == "counted":
            follows = timer.says.on_change != "keep" and "calendar" in timer.says.changes and state["status"] == "running"
            if follows:
                propose(run, timer, instance, state, *_basis(timer, state), state.get("would", {}).get("why", "calendar"))
        elif timer.says.on_change != "keep" and "calendar" in timer.says.changes and cycles is not None:
            cycles.recompute(timer, instance, state, used=used)
        elif any(state.get(name) != value for name, value in used.items()):
            run.clocks.put(timer.id, instance, {**state, **used})


def _basis(timer: Timer, state: Json) -> tuple[Row | None, str]:
    """By which row and anchor an instance is counted: those of a proposal that waits, else its own."""
    row, anchor = looked_at(state) if "would" in state else (state.get("row", ""), state["anchor"])
    return reckoning.row_of(timer, {"row": row}), anchor


def _measure(timer: Timer, state: Json, run: Run) -> reckoning.Measure:
    return reckoning.measure(timer, reckoning.calendar_of(timer, state), run.world)


def _given(timer: Timer, state: Json, before: str, after: str, run: Run) -> int:
    return reckoning.given(timer, before, after, run.world, reckoning.calendar_of(timer, state))


def _longer(state: Json, more: int, given: int) -> Json:
    return {**state, "total": state["total"] + more, "more": state.get("more", 0) + given} if "total" in state else state


def _warnings(timer: Timer, state: Json, run: Run) -> Json:
    if timer.terms is not None and run.clocks.cycles is not None:
        return run.clocks.cycles.warnings(timer, state)
    warn = [at for at in run.clocks.warnings(timer, state["due"]) if run.now < at < state["due"]]
    return {"warn": warn} if warn else {}
