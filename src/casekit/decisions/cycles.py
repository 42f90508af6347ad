"""Clocks with terms: how their instances begin, rest, move, speak and are counted anew.

The plain ones need none of this, and stay as quick as they were (:mod:`casekit.decisions.clocks`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from casekit.decisions import proposals, reckoning
from casekit.decisions.timers import Timer
from casekit.errors import BadInput
from casekit.model.canonical import Json
from casekit.model.time import micros

if TYPE_CHECKING:
    from casekit.decisions.clocks import Clocks
    from casekit.decisions.machine import Run

_OF_A_DUE = ("due", "computed", "warn", "marks", "escalate", "unsettled")
OF_A_TARGET = (*_OF_A_DUE, "row", "calendar", "amount", "total", "opens", "day", "rule", "readings")


class Cycles:
    """The instances of clocks with terms, within one run."""

    def __init__(self, run: Run, clocks: Clocks) -> None:
        self._run, self._clocks = run, clocks
        self._looked = 0
        self._entered: set[str] = set()

    def entered(self, states: Iterable[str]) -> None:
        """Takes note of states that were entered."""
        self._entered.update(states)

    def remember(self) -> None:
        """Notes when states were entered and events came that clocks count from."""
        run, names = self._run, self._run.definition.anchors
        if not names:
            return
        new = run.happened[self._looked :]
        self._looked = len(run.happened)
        seen = {f"event:{event}" for event in new} | {f"state:{path}" for path in self._entered}
        self._entered.clear()
        since = dict.fromkeys(sorted(seen & names), run.now)
        for clock in {name.removeprefix("clock:") for name in names if name.startswith("clock:")}:
            dues = [state["due"] for _, state in sorted(self._clocks.live.get(clock, {}).items()) if "due" in state]
            if dues:
                since[f"clock:{clock}"] = dues[-1]
        known = run.machine["memory"].get("since", {})
        if any(known.get(name) != at for name, at in since.items()):
            run.machine["memory"]["since"] = {**known, **since}

    def start(self, timer: Timer, holds: bool) -> bool:
        """Begins an instance, where one is to begin; whether anything moved."""
        memory = self._run.machine["memory"]
        before = memory.get("started", {}).get(timer.id) or {"on": False, "count": 0}
        wanted = holds and (not before["on"] or (timer.says.start_is_run_condition and self._vacant(timer)))
        begins = wanted and self._may_begin(timer, before["count"])
        state = self._begun(timer) if begins else None
        if begins and state is None:
            return False  # what it counts from is not known yet
        if holds == before["on"] and state is None:
            return False
        memory["started"] = {**memory.get("started", {}), timer.id: {"on": holds, "count": before["count"] + (state is not None)}}
        if state is not None:
            self._clocks.put(timer.id, str(before["count"] + 1), state)
        return True

    def begin(self, timer: Timer, instance: str, more: Json) -> bool:
        """Begins an instance that an action starts; whether it did."""
        if not self._may_begin(timer, int(instance) - 1):
            return False
        state = self._begun(timer)
        if state is not None:
            self._clocks.put(timer.id, instance, state | more)
        return state is not None

    def _vacant(self, timer: Timer) -> bool:
        """Whether a clock that must run while its start condition holds does not, and nothing ends it."""
        inputs = self._run.inputs
        ends = (timer.stop, timer.cancel)
        return not self._clocks.live.get(timer.id) and not any(end is not None and end.holds(inputs) for end in ends)

    def _may_begin(self, timer: Timer, count: int) -> bool:
        if timer.says.start_is_run_condition and not self._vacant(timer):
            return False
        if timer.says.occurrence == "once":
            return not count
        running = any(state["status"] != "breached" for state in self._clocks.live.get(timer.id, {}).values())
        return timer.says.occurrence == "each" or not running

    def _begun(self, timer: Timer, anchor: str | None = None) -> Json | None:
        run = self._run
        memory = run.machine["memory"]
        if anchor is None:
            anchor = self._anchor(timer)
        if anchor is None:
            return None
        state: Json = {"status": "running", "started": run.now, "anchor": anchor, "since": self._instant(anchor)}
        target = reckoning.targeted(timer, reckoning.chosen(timer, run.inputs), anchor, run.world, run.inputs)
        if timer.says.kind == "fixed" and "total" not in target:
            return None
        carried = memory.get("carried", {}).get(timer.id, 0) if timer.says.reopen == "continue" else 0
        if carried:
            state |= {"ran": carried, "since": max(state["since"], run.now)}
        if self._resets(timer):
            state["reset"] = True
        return self.due(timer, state | target)

    def _anchor(self, timer: Timer) -> str | None:
        run = self._run
        return reckoning.anchored(timer, run.world, run.inputs, run.machine["memory"].get("since", {}), run.now)

    def _instant(self, anchor: str) -> str:
        return reckoning.first_instant(anchor, self._run.world.zone)

    def due(self, timer: Timer, state: Json) -> Json:
        """The state with its due instant and warnings, where it has a target."""
        world = self._run.world
        state = {name: value for name, value in state.items() if name not in ("due", "warn", "marks")}
        try:
            due = reckoning.due_of(timer, state, world)
        except BadInput as wrong:
            return {**state, "unsettled": str(wrong.problems[0])}
        if due is None:
            return state
        state["due"] = due
        if "more" in state:  # what an actor gave lies beyond what was computed
            state["computed"] = self._computed(timer, state)
        return state | self.warnings(timer, state)

    def _computed(self, timer: Timer, state: Json) -> str | None:
        world = self._run.world
        if timer.says.kind == "counted":
            return reckoning.later(timer, state["due"], -state["more"], world.zone)
        return reckoning.due_of(timer, {**state, "total": state["total"] - state["more"]}, world)

    def warnings(self, timer: Timer, state: Json) -> Json:
        """When an instance with a due instant warns from now on, as the head keeps it."""
        assert timer.terms is not None
        found = reckoning.spoken(timer, timer.terms.warn, state, self._run.world)
        return _said("warn", timer, [(at, place) for at, place in found if self._run.now < at < state["due"]])

    def judge(self, timer: Timer, instance: str, state: Json) -> bool | None:
        """What comes between stopping and resting: counting anew, and what a change makes of it; None: nothing of the kind."""
        assert timer.terms is not None
        held = self._resets(timer)
        if held and not state.get("reset"):
            self._again(timer, instance, state)
            return True
        if not held and state.get("reset"):
            self._clocks.put(timer.id, instance, {name: value for name, value in state.items() if name != "reset"})
            return True
        counted = timer.says.kind == "counted"
        if timer.says.on_change != "keep" and state["status"] != "breached" and not (counted and state["status"] == "paused"):
            return self._follow(timer, instance, state)
        return None

    def _resets(self, timer: Timer) -> bool:
        reset = timer.terms.reset if timer.terms is not None else None
        return reset is not None and reset.holds(self._run.inputs) is True

    def _again(self, timer: Timer, instance: str, state: Json) -> None:
        self._clocks.end(timer.id, instance, "breached" if state["status"] == "breached" else "reset")
        self._begin_next(timer, None if timer.says.anchor is not None else self._run.now)

    def _begin_next(self, timer: Timer, anchor: str | None) -> None:
        memory = self._run.machine["memory"]
        state = self._begun(timer, anchor)
        if state is None:
            return
        known = memory["started"][timer.id]
        memory["started"] = {**memory["started"], timer.id: {**known, "count": known["count"] + 1}}
        self._clocks.put(timer.id, str(known["count"] + 1), state)

    def _follow(self, timer: Timer, instance: str, state: Json) -> bool | None:
        """What becomes of an instance whose row or anchor is another now."""
        run, changes = self._run, timer.says.changes
        row = reckoning.chosen(timer, run.inputs)
        known = proposals.looked_at(state)
        other_row = "amount" in changes and (row.name if row else "") != known[0]
        if "amount" in changes and timer.says.kind == "fixed":
            said = run.inputs.data.get(timer.says.due)
            target = reckoning.targeted(timer, row, state["anchor"], run.world, run.inputs)
            other_row = said is not None and target["total"] != state["total"] - state.get("more", 0)
        moved = self._anchor(timer) if "anchor" in changes and timer.says.anchor is not None else None
        other_anchor = moved is not None and moved != known[1]
        if not other_row and not other_anchor:
            return None
        if timer.says.kind == "counted":
            row = row if "amount" in changes else reckoning.row_of(timer, state)
            proposals.propose(run, timer, instance, state, row, moved or state["anchor"])
            return True
        self.recompute(timer, instance, state, moved if other_anchor else None, row_too=other_row)
        return True

    def recompute(
        self, timer: Timer, instance: str, state: Json, anchor: str | None = None, *, row_too: bool = False, used: Json | None = None
    ) -> None:
        """Computes an instance anew, as the clock's ``on_change`` says; raises ``clock.<id>.moved`` where its date moves.

        Args:
            timer, instance, state: Which one.
            anchor: Its new anchor; None: as it is.
            row_too: Whether its row of the table is chosen anew.
            used: What it has used up so far; None: it is measured now.
        """
        run = self._run
        row = reckoning.chosen(timer, run.inputs) if row_too else reckoning.row_of(timer, state)
        kept = {name: value for name, value in state.items() if name not in OF_A_TARGET}
        if timer.says.on_change == "restart":
            kept |= {"anchor": anchor or (run.now if timer.says.anchor is None else state["anchor"]), "since": run.now, "ran": 0}
        elif anchor is None:
            kept |= used if used is not None else self.used(timer, state)
        else:
            kept |= self._anchored_anew(timer, state, anchor)
        kept |= reckoning.targeted(timer, row, kept["anchor"], run.world, run.inputs)
        if "more" in kept and "total" in kept:
            kept["total"] += kept["more"]
        new = self.due(timer, {**kept, "moved": run.now}) if state["status"] == "running" else _left(kept)
        if "more" in state and "due" in state and "due" in new:
            new["due"] = state["due"]  # what an actor has set stays
        self._clocks.put(timer.id, instance, new)
        if new.get("due") != state.get("due"):
            run.raise_(f"clock.{timer.id}.moved")

    def used(self, timer: Timer, state: Json) -> Json:
        """What an instance has used up, as the head keeps it."""
        if state["status"] != "running":
            return {"ran": state.get("ran", 0)}
        now = self._run.now
        return {"ran": reckoning.ran(timer, state, self._run.world, now), "since": max(now, state["since"])}

    def _anchored_anew(self, timer: Timer, state: Json, anchor: str) -> Json:
        """Another anchor adds or takes away what lies between it and the one before."""
        old, new = self._instant(state["anchor"]), self._instant(anchor)
        if state.get("ran", 0) == 0 and state.get("since") == old:
            return {"anchor": anchor, "since": new}
        on = reckoning.measure(timer, reckoning.calendar_of(timer, state), self._run.world)
        return {"anchor": anchor, "ran": max(state.get("ran", 0) + on.between(new, old), 0)}

    def rest(self, timer: Timer, instance: str, state: Json, *, paused: bool) -> bool:
        """Lets an instance rest, or run on: what it has used up is kept, counted on its own calendar."""
        if timer.says.kind == "counted":
            return self._rest_counted(timer, instance, state, paused=paused)
        now, world = self._run.now, self._run.world
        if paused and state["status"] == "running":
            used = reckoning.ran(timer, state, world, now)
            kept = {name: value for name, value in state.items() if name not in ("due", "computed", "warn", "since")}
            unsaid = {"unsaid": len(state["warn"])} if state.get("warn") else {}
            new = {
                **kept,
                "status": "paused",
                "ran": used,
                "rests": now,
                **unsaid,
                **({"began": state["since"]} if now < state["since"] else {}),
            }
            if "total" in state:
                new["left"] = state["total"] - used
            self._clocks.put(timer.id, instance, new)
            return True
        if not paused and state["status"] == "paused":
            kept = {name: value for name, value in state.items() if name not in ("left", "rests", "unsaid", "began")}
            resumed = {**kept, "status": "running", "since": max(now, state.get("began", now)), "moved": now}
            self._clocks.put(timer.id, instance, self._resumed(timer, resumed, state.get("unsaid", 0)))
            return True
        return False

    def _rest_counted(self, timer: Timer, instance: str, state: Json, *, paused: bool) -> bool:
        """Lets a period that the law counts rest, or run on: it is counted anew, without the days on which it rested."""
        run = self._run
        if paused and state["status"] == "running":
            waits = ("would", "asked") if "would" in state else ()  # it is asked again when it runs on
            kept = {name: value for name, value in state.items() if name not in ("due", "computed", "warn", *waits)}
            if "warn" in state:
                kept["unsaid"] = len(state["warn"])
            if "due" in state:
                kept["left"] = micros(state["due"]) - micros(run.now)
            self._clocks.put(
                timer.id, instance, {**kept, "status": "paused", "rests": run.now, "ran": reckoning.run_so_far(state, run.now)}
            )
            return True
        if not paused and state["status"] == "paused":
            row = reckoning.row_of(timer, state)
            names = ("left", "rests", "unsaid", "ran", *OF_A_TARGET)
            kept = {name: value for name, value in state.items() if name not in names or name == "marks"}
            rests = [*state.get("tolled", ()), [state["rests"], run.now]]
            new = {**kept, "status": "running", "tolled": rests, "since": self._instant(state["anchor"]), "moved": run.now}
            new |= reckoning.targeted(timer, row, state["anchor"], run.world, run.inputs, rests)
            new |= reckoning.with_more(timer, new, run.world)
            self._clocks.put(timer.id, instance, self._resumed(timer, new, state.get("unsaid", 0)))
            return True
        return False

    def _resumed(self, timer: Timer, state: Json, unsaid: int) -> Json:
        assert timer.terms is not None
        marks = state.get("marks")
        new = self.due(timer, state)
        new.pop("warn", None)
        new.pop("marks", None)
        if unsaid and "due" in new:
            found = reckoning.spoken(timer, timer.terms.warn, new, self._run.world)
            left = [mark for mark in found if mark[1] in marks] if marks is not None else found[len(found) - unsaid :]
            new |= _said("warn", timer, [(max(at, self._run.now), place) for at, place in left])
        return new

    def breached(self, timer: Timer, state: Json) -> Json:
        """A breached instance with the escalations that lie ahead of it."""
        assert timer.terms is not None
        found = reckoning.spoken(timer, timer.terms.escalate, state, self._run.world, after=True)
        return state | _said("escalate", timer, found)

    def stopped_late(self, timer: Timer, instance: str, state: Json) -> bool:
        """Notes that a breached instance was met after all, which ends its escalations."""
        if "stopped" in state or timer.stop is None or not timer.stop.holds(self._run.inputs):
            return False
        kept = {name: value for name, value in state.items() if name not in ("escalate", "marks")}
        self._clocks.put(timer.id, instance, {**kept, "stopped": self._run.now})
        return True

    def carry(self, timer: Timer, state: Json) -> None:
        """Keeps what an ended instance has used up, for the one that goes on from it."""
        if timer.says.reopen != "continue":
            return
        used = reckoning.ran(timer, state, self._run.world, self._run.now) if "since" in state else state.get("ran", 0)
        memory = self._run.machine["memory"]
        memory["carried"] = {**memory.get("carried", {}), timer.id: used}


def _left(state: Json) -> Json:
    """A resting instance with what is left of its amount."""
    kept = {name: value for name, value in state.items() if name not in ("left", "since")}
    return {**kept, "left": max(state["total"] - state.get("ran", 0), 0)} if "total" in state else kept


def _said(name: str, timer: Timer, found: list[tuple[str, int]]) -> Json:
    """Moments at which a clock speaks, as the head keeps them: which mark each is only where that matters."""
    if not found:
        return {}
    addressed = timer.terms is not None and timer.terms.addressed
    return {name: [at for at, _ in found], **({"marks": [place for _, place in found]} if addressed else {})}
