"""Clocks: when they start, rest, speak and end, and when one that was breached is judged again.

A clock that runs, rests or was breached lives in the head; one that was met or cancelled has left it. Clock
conditions are looked at in one order: cancel, stop, reset, pause and resume, start. A clock starts once each time
its start condition becomes true. Where an amount in days is paused, what is left is counted exactly. What only
clocks with terms do (other calendars, anchors, tables, cycles) stands in :mod:`casekit.decisions.cycles`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve

from casekit.decisions import totals
from casekit.decisions.conditions import Inputs
from casekit.decisions.cycles import Cycles
from casekit.decisions.timers import Timer
from casekit.definition.casetype import ENDED
from casekit.model.canonical import Json
from casekit.model.ledger import effective_postings
from casekit.model.time import add, day_after, day_start, from_micros, micros

if TYPE_CHECKING:
    from casekit.decisions.machine import Run


@define
class Change:
    """What became of an instance of a clock.

    Attributes:
        clock, instance: Which one.
        row: What lists show of it: status, started, due, breached, ended.
        live: Its state in the head; None once it has left.
    """

    clock: str
    instance: str
    row: Json
    live: Json | None


class Clocks:
    """The clocks of one run.

    Attributes:
        live: Clock → instance → state, as the head will have it.
        changes: What changed, the last word on each instance.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.live: dict[str, dict[str, Json]] = run.machine["clocks"]
        self._copied = False
        self.changes: dict[tuple[str, str], Change] = {}
        self._stood = self._stopped_late()
        self.cycles = Cycles(run, self) if run.definition.termed else None

    def next_due(self) -> str | None:
        """The next instant at which a clock has something to say."""
        first: str | None = None
        for instances in self.live.values():
            for state in instances.values():
                moment = _next(state)
                if moment is not None and (first is None or moment < first):
                    first = moment
        return first

    def speak(self, moment: str) -> None:
        """Warnings and breaches of one instant, in order of clocks."""
        for timer in self._run.definition.timers:
            for instance, state in sorted(self.live.get(timer.id, {}).items()):
                if _next(state) != moment:
                    continue
                if state["status"] == "breached":
                    self._escalate(timer, instance, state)
                    continue
                warnings = state.get("warn", [])
                if warnings and warnings[0] <= moment:
                    new = {**state, "warned": state.get("warned", 0) + 1, "warn": warnings[1:]}
                    if "marks" in state:
                        new["marks"] = state["marks"][1:]
                    self.put(timer.id, instance, new)
                    self._say(timer, instance, state, "warned")
                if "due" in state and state["due"] <= moment and timer.says.emit:
                    self.end(timer.id, instance, "fired")
                    self._run.raise_(timer.says.emit, state.get("fields"), after=True)
                elif "due" in state and state["due"] <= moment:
                    kept = {k: v for k, v in self.live[timer.id][instance].items() if k not in ("warn", "marks")}
                    breached = {**kept, "status": "breached", "breached": moment}
                    self.put(timer.id, instance, self.cycles.breached(timer, breached) if self.cycles and timer.terms else breached)
                    self._run.raise_(f"clock.{timer.id}.breached")

    def _escalate(self, timer: Timer, instance: str, state: Json) -> None:
        rest = state["escalate"][1:]
        new = {**state, "escalated": state.get("escalated", 0) + 1, "escalate": rest}
        if "marks" in state:
            new["marks"] = state["marks"][1:]
        self.put(timer.id, instance, new if rest else {k: v for k, v in new.items() if k not in ("escalate", "marks")})
        self._say(timer, instance, state, "escalated")

    def _say(self, timer: Timer, instance: str, state: Json, word: str) -> None:
        """Raises the event of a warning or an escalation, and what it has of its own: an event, an addressee."""
        self._run.raise_(f"clock.{timer.id}.{word}")
        if "marks" not in state or timer.terms is None:
            return
        marks = timer.terms.warn if word == "warned" else timer.terms.escalate
        says = marks[state["marks"][0]].says
        if says.emit:
            self._run.raise_(says.emit)
        if says.emit or says.to:
            named = {name: text for name, text in (("to", says.to), ("emit", says.emit)) if text}
            self._run.ask(f"clock.{word}", clock=timer.id, instance=instance, at=says.at, due=state["due"], **named)

    def judge(self) -> bool:
        """Looks at every clock's conditions once; whether anything moved."""
        if self._run.machine["category"] in ENDED:
            return self._end_all()
        moved = False
        inputs = self._run.inputs
        if self.cycles is not None:
            self.cycles.remember()
        for timer in self._run.definition.timers:
            instances = self.live.get(timer.id)
            if instances:
                for instance, state in sorted(instances.items()):
                    moved = self._judge_one(timer, instance, state) or moved
            if timer.start is not None:
                holds = timer.start.holds(inputs) is True
                moved = (self.cycles.start(timer, holds) if self.cycles and timer.terms else self._start(timer, holds)) or moved
        return moved

    def open(self, clock: str, instance: str, due_day: str, args: Json) -> None:
        """Opens an instance of an ``each`` clock: due at the end of a day, kept when paid through."""
        zone = self._run.world.zone
        due = day_start(day_after(due_day), zone)
        timer = self._run.definition.timer(clock)
        self._begin(timer, instance, due, {"args": args})

    def begin(self, clock: str, fields: Json) -> None:
        """Starts an instance of a clock that actions start; ``fields`` are those of the event that it raises."""
        timer = self._run.definition.timer(clock)
        memory = self._run.machine["memory"]
        count = memory.get("started", {}).get(clock, {}).get("count", 0) + 1
        more: Json = {"fields": fields} if fields else {}
        if self.cycles is not None and timer.terms is not None:
            if not self.cycles.begin(timer, str(count), more):
                return
        elif (due := self._due(timer)) is not None:
            self._begin(timer, str(count), due, more)
        else:
            return
        memory["started"] = {**memory.get("started", {}), clock: {"on": False, "count": count}}

    def cancel(self, clock: str) -> None:
        """Ends every instance of a clock without a verdict."""
        for instance in sorted(self.live.get(clock, {})):
            self.end(clock, instance, "cancelled")

    def _end_all(self) -> bool:
        """An ended case has no clocks: what was breached stays so, what the ending meets is met, the rest is cancelled;
        reopening starts them anew.
        """
        moved = bool(self.live)
        for clock, instances in sorted(self.live.items()):
            for instance, state in sorted(instances.items()):
                self.end(clock, instance, self._verdict(clock, state))
        memory = self._run.machine["memory"]
        if any(known["on"] for known in memory.get("started", {}).values()):
            memory["started"] = {name: {**known, "on": False} for name, known in memory["started"].items()}
        return moved

    def _verdict(self, clock: str, state: Json) -> str:
        """How an instance ends with its case. Cancelling goes before stopping here, too."""
        if state["status"] == "breached":
            return "breached"
        timer = self._run.definition.timer(clock)
        cancelled = timer.cancel is not None and timer.cancel.holds(self._run.inputs)
        return "met" if not cancelled and self._stopped(timer, state, None) else "cancelled"

    def _judge_one(self, timer: Timer, instance: str, state: Json) -> bool:
        inputs = self._run.inputs
        if timer.cancel is not None and timer.cancel.holds(inputs):
            self.end(timer.id, instance, "cancelled")
            return True
        if timer.says.start_is_run_condition and timer.start is not None and timer.start.holds(inputs) is False:
            self.end(timer.id, instance, "breached" if state["status"] == "breached" else "cancelled")
            return True
        if state["status"] == "breached":
            if self._late(state) and (timer.id, instance) not in self._stood and self._stopped(timer, state, state["due"]):
                self.end(timer.id, instance, "withdrawn")
                return True
            return self.cycles is not None and timer.terms is not None and self._termed(self.cycles, timer, instance, state)
        if self._stopped(timer, state, None):
            self.end(timer.id, instance, "met")
            return True
        if self.cycles is not None and timer.terms is not None:
            return self._termed(self.cycles, timer, instance, state)
        paused = self._run.rests or (timer.pause is not None and timer.pause.holds(inputs) is True)
        return (paused or timer.pause is not None or state["status"] == "paused") and self._rest(timer, instance, state, paused)

    def _termed(self, cycles: Cycles, timer: Timer, instance: str, state: Json) -> bool:
        """What goes on with an instance that was neither cancelled nor stopped in time."""
        if (moved := cycles.judge(timer, instance, state)) is not None:
            return moved
        if state["status"] == "breached":
            return cycles.stopped_late(timer, instance, state)
        # What the law counts goes on although the case rests.
        rests = self._run.rests and timer.says.kind != "counted"
        paused = rests or (timer.pause is not None and timer.pause.holds(self._run.inputs) is True)
        return cycles.rest(timer, instance, state, paused=paused)

    def _stopped_late(self) -> set[tuple[str, str]]:
        """Breached instances whose stop condition held already before this run: too late, and what is recorded now is not why."""
        if self._run.world.since is None:
            return set()
        breached = [
            (timer, instance, state)
            for timer in self._run.definition.timers
            for instance, state in self.live.get(timer.id, {}).items()
            if state["status"] == "breached" and self._late(state)
        ]
        return {(timer.id, instance) for timer, instance, state in breached if self._stopped(timer, state, state["due"])}

    def _late(self, state: Json) -> bool:
        """Whether what is being recorded held before the clock was breached."""
        since = self._run.world.since
        return since is not None and since < state["due"]

    def _stopped(self, timer: Timer, state: Json, at: str | None) -> bool:
        args = state.get("args", {})
        if "through" in args:
            through: int = args["through"]
            return self._paid(at) >= through
        if timer.stop is None:
            return False
        return timer.stop.holds(self._run.inputs if at is None else self._as_of(at)) is True

    def _paid(self, at: str | None) -> int:
        run = self._run
        if at is None or run.world.postings is None:
            paid: int = run.machine.get("ledger", {}).get("paid", 0)
            return paid
        # Strictly before the due instant: it is the first one that is too late.
        before = [p for p in run.world.postings if p.at < at]
        return sum(p.amount.minor for p in effective_postings(before) if p.kind == "payment")

    def _as_of(self, at: str) -> Inputs:
        """What conditions would have seen at an instant, as far as the ledger goes, over all that is known."""
        run = self._run
        now = run.inputs
        sums = now.totals
        if run.world.postings is not None and "ledger" in run.machine:
            sums = totals.at(run.definition, [p for p in run.world.postings if p.at < at], run.machine["ledger"]["currency"], at)
        return evolve(now, totals=sums, event={}, now=at)

    def _rest(self, timer: Timer, instance: str, state: Json, paused: bool) -> bool:
        now = self._run.now
        if paused and state["status"] == "running":
            kept = {k: v for k, v in state.items() if k not in ("due", "computed", "warn")}
            left, unsaid = micros(state["due"]) - micros(now), len(state.get("warn", ()))
            self.put(timer.id, instance, {**kept, "status": "paused", "left": left, **({"unsaid": unsaid} if unsaid else {})})
            return True
        if not paused and state["status"] == "paused":
            due = from_micros(micros(now) + state["left"])
            kept = {k: v for k, v in state.items() if k not in ("left", "unsaid")}
            # A day over a change of the clocks is longer or shorter than what was left of it: nothing is said in the past.
            warn = [max(w, now) for w in self.warnings(timer, due)[len(timer.warn) - state.get("unsaid", 0) :]]
            self.put(timer.id, instance, {**kept, "status": "running", "due": due, **({"warn": warn} if warn else {})})
            return True
        return False

    def _start(self, timer: Timer, holds: bool) -> bool:
        memory = self._run.machine["memory"]
        before = memory.get("started", {}).get(timer.id)
        if holds == bool(before and before["on"]):
            return False
        count = before["count"] if before else 0
        due = self._due(timer) if holds else None
        if holds and due is None:
            return False  # a fixed clock whose day is not known yet
        memory["started"] = {**memory.get("started", {}), timer.id: {"on": holds, "count": count + holds}}
        if holds and due is not None:
            self._begin(timer, str(count + 1), due, {})
        return True

    def _due(self, timer: Timer) -> str | None:
        zone = self._run.world.zone
        if timer.amount is not None:
            return add(self._run.now, timer.amount, zone)
        day = self._run.inputs.data.get(timer.says.due)
        return None if day is None else day_start(day_after(day), zone) if len(day) == 10 else day

    def _begin(self, timer: Timer, instance: str, due: str, more: Json) -> None:
        state: Json = {"status": "running", "started": self._run.now, "due": due, **more}
        warn = [w for w in self.warnings(timer, due) if w > self._run.now]
        if warn:
            state["warn"] = warn
        self.put(timer.id, instance, state)

    def warnings(self, timer: Timer, due: str) -> list[str]:
        """When a plain clock warns of a due instant."""
        return sorted(add(due, offset, self._run.world.zone) for offset in timer.warn)

    def put(self, clock: str, instance: str, state: Json) -> None:
        """Writes an instance down."""
        live = self._own(clock)
        live[instance] = state
        row = {name: state.get(name) for name in ("status", "started", "due", "breached")}
        if "stopped" in state:
            row["ended"] = state["stopped"]  # too late, but met after all
        self.changes[(clock, instance)] = Change(clock, instance, row, state)

    def end(self, clock: str, instance: str, how: str) -> None:
        """Takes an instance out of the head: met, cancelled, breached, withdrawn, reset."""
        live = self._own(clock)
        state = live.pop(instance)
        if self.cycles is not None and (timer := self._run.definition.timer(clock)).terms is not None:
            self.cycles.carry(timer, state)
        if not live:
            del self.live[clock]
        memory = self._run.machine["memory"]
        ended = {name: list(ways) for name, ways in memory.get("ended", {}).items()}
        if how not in ended.setdefault(clock, []):
            ended[clock] = sorted([*ended[clock], how])
        memory["ended"] = self._run.inputs.ended = ended
        row = {
            "status": how,
            "ended": state.get("stopped", self._run.now),
            **{name: state.get(name) for name in ("started", "due", "breached")},
        }
        self.changes[(clock, instance)] = Change(clock, instance, row, None)
        if how in ("met", "withdrawn"):
            self._run.raise_(f"clock.{clock}.{how}")

    def _own(self, clock: str) -> dict[str, Json]:
        """The clock's instances, in a copy that this run may change."""
        if not self._copied:
            self.live = {name: dict(instances) for name, instances in self.live.items()}
            self._run.inputs.clocks = self.live
            self._copied = True
        return self.live.setdefault(clock, {})


def _next(state: Json) -> str | None:
    first: str | None
    if state["status"] == "running":
        warnings = state.get("warn")
        first = state.get("due")
        if warnings and (first is None or warnings[0] < first):
            first = warnings[0]
    elif state["status"] == "breached" and state.get("escalate"):
        first = state["escalate"][0]
    else:
        return None
    # What was due before it started, or before it was moved, speaks then: case time never runs back.
    floor: str = state.get("breached") or state.get("moved") or state["started"]
    return first and max(first, floor)
