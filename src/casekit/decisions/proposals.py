"""Legal periods do not move by themselves: a new date is proposed, and a person confirms it or keeps the one there is.

What was looked at last is remembered, so that one change is proposed once; a proposal that a later change takes back
goes with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casekit.decisions import reckoning
from casekit.decisions.timers import Row, Timer
from casekit.errors import BadInput
from casekit.model.canonical import Json

if TYPE_CHECKING:
    from casekit.decisions.machine import Run

_PROPOSED = ("total", "row", "calendar", "amount", "day", "rule", "readings", "unsettled")


def looked_at(state: Json) -> tuple[str, str]:
    """Row and anchor of an instance as they were looked at last."""
    if "asked" in state:
        row, anchor = state["asked"]
        return row, anchor
    return state.get("row", ""), state["anchor"]


def propose(run: Run, timer: Timer, instance: str, state: Json, row: Row | None, anchor: str, why: str = "") -> None:
    """Proposes the date that an instance would have by a row and an anchor, where it is another one.

    Raises the event ``clock.<id>.would-move`` and asks for the effect ``deadline.would_move``. A change that leaves the
    date as it is needs nobody's word.
    """
    cycles = run.clocks.cycles
    assert cycles is not None
    # Another version of the calendar asks nothing about row and anchor: what was answered about them stands.
    asked = {"asked": [row.name if row is not None else "", anchor]} if why != "calendar" else _part(state, "asked")
    plain = {name: value for name, value in state.items() if name not in (*_PROPOSED, "would", "asked")}
    target = {"anchor": anchor, "since": reckoning.first_instant(anchor, run.world.zone)}
    target |= reckoning.targeted(timer, row, anchor, run.world, run.inputs, state.get("tolled", ()))
    target |= reckoning.with_more(timer, {**target, **_part(state, "more")}, run.world)
    new = cycles.due(timer, plain | target | {"ran": 0})
    if "unsettled" in new:
        target["unsettled"] = new["unsettled"]
    if "more" in state and "due" in state and "due" in new:
        new["due"] = state["due"]  # what an actor has set stays
    if "due" not in state or new.get("due") == state["due"]:
        kept = {name: value for name, value in new.items() if name != "ran"}
        run.clocks.put(timer.id, instance, kept | (asked if why == "calendar" else {}))
        if new.get("due") != state.get("due"):
            run.raise_(f"clock.{timer.id}.moved")
        return
    if not why:
        why = "anchor" if anchor != state["anchor"] else "amount"
    would: Json = {"why": why, "at": run.now, **target, **({"due": new["due"]} if "due" in new else {})}
    before = state.get("would", {})
    run.clocks.put(timer.id, instance, {**state, "would": would, **asked})
    if before.get("due") != would.get("due"):
        run.raise_(f"clock.{timer.id}.would-move")
        run.ask("deadline.would_move", clock=timer.id, instance=instance, why=why, **_dates(state.get("due"), would.get("due")))


def instance_with(run: Run, clock: str, instance: str) -> str:
    """The instance whose new date waits for someone: the one named, or the only one.

    Raises:
        BadInput: there is no such clock, none waits, or several do.
    """
    says = run.definition.says
    if clock not in says.clocks:
        raise BadInput.at("clock", f"{says.key} has no clock {clock!r}", "its clocks are: " + (", ".join(says.clocks) or "none"))
    waiting = sorted(name for name, state in run.clocks.live.get(clock, {}).items() if "would" in state)
    if instance and instance not in waiting:
        raise BadInput.at(f"clock {clock}", f"no new date of {instance!r} is proposed", "proposed is: " + (", ".join(waiting) or "none"))
    if not instance and len(waiting) != 1:
        raise BadInput.at(
            f"clock {clock}", f"{len(waiting)} new dates are proposed", "name one: " + (", ".join(waiting) or "there is none")
        )
    return instance or waiting[0]


def confirm(run: Run, clock: str, instance: str) -> tuple[str | None, str | None]:
    """Gives an instance the date that was proposed; one that was breached by the old date runs again."""
    cycles, state = run.clocks.cycles, run.clocks.live[clock][instance]
    assert cycles is not None
    answered = ("would",) if state["would"]["why"] == "calendar" else ("would", "asked")
    gone = (*_PROPOSED, *answered, "ran", "computed", "breached", "escalate", "escalated", "marks", "stopped")
    kept = {name: value for name, value in state.items() if name not in gone}
    target = {name: value for name, value in state["would"].items() if name not in ("why", "at", "due")}
    new = cycles.due(run.definition.timer(clock), {**kept, **target, "status": "running", "moved": run.now})
    run.clocks.put(clock, instance, new)
    run.raise_(f"clock.{clock}.moved")
    return state.get("due"), new.get("due")


def keep(run: Run, clock: str, instance: str) -> tuple[str | None, str | None]:
    """Keeps the date of an instance; the same change is not proposed again."""
    state = run.clocks.live[clock][instance]
    run.clocks.put(clock, instance, {name: value for name, value in state.items() if name != "would"})
    return state.get("due"), state["would"].get("due")


def _part(state: Json, name: str) -> Json:
    return {name: state[name]} if name in state else {}


def _dates(before: str | None, after: str | None) -> Json:
    return {name: date for name, date in (("from", before), ("to", after)) if date is not None}
