"""The plan of a run: what opens, what ends, what completes, until nothing moves.

In each round exits come before entries, entries before completion, inner stages before outer ones. An item that comes
into the plan sees all that has happened in the step; the next of a repeating one sees what comes after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casekit.decisions.completion import Blocker, completes, holds, judge
from casekit.decisions.instances import CHOSEN, Instances, named, parted
from casekit.decisions.items import WAITS, Criterion, Piece
from casekit.definition.casetype import ENDED
from casekit.model.canonical import Json
from casekit.model.time import micros

if TYPE_CHECKING:
    from casekit.decisions.compiled import Way

_SAID = frozenset({"completed", "skipped", "overdue"})
"""What the lifecycle and the timeline always hear; the rest only where a transition listens for it."""


class Plan(Instances):
    """The plan of one run."""

    def step(self) -> bool:
        """Lets everything open, end and complete that can; whether anything moved."""
        if self.run.machine["category"] in ENDED:
            return self._end_all()
        if self.suspended:
            return False
        if not self.stirred or not self.awake:
            return False
        self.stirred = False
        moved = self.memory.get("cycle") != self.run.machine["cycle"] and self._begin()
        while self._exits() or self._entries() or self._completes() or self._orphans():
            moved = True
        return self._dates() or moved

    @property
    def suspended(self) -> bool:
        """Whether the case rests as a whole: its plan and its clocks."""
        return bool(self.memory.get("suspended"))

    def next_due(self) -> str | None:
        """The next moment at which an item occurs or is overdue."""
        if self.suspended:
            return None
        moments = [m for item in self.planning.dated for _, state in self.each(item) if (m := self._speaks(item, state)) is not None]
        return min(moments, default=None)

    def speak(self, moment: str) -> None:
        """Timers occur and items become overdue, those of one moment in order."""
        for item in self.planning.dated if not self.suspended else ():
            for instance, state in self.each(item):
                if self._speaks(item, state) != moment:
                    continue
                if self.planning.pieces[item].says.kind == "timer":
                    self.complete(item, instance)
                else:
                    self.put(item, instance, {**state, "overdue": True})
                    self.emit(item, state, "overdue")

    def blockers(self, way: Way) -> tuple[Blocker, ...]:
        """What of the plan keeps a way from closing the case as completed; a way that cancels it asks for nothing."""
        if not self.awake or not way.ends:
            return ()
        machine = self.run.machine
        end = self.run.definition.chart.move(machine["active"], (way,), machine.get("history") or {})
        return self.whole() if end.category == "closed" else ()

    def whole(self) -> tuple[Blocker, ...]:
        """What keeps the plan itself from being complete."""
        return judge(self, "", auto=True).blockers if self.awake else ()

    def create(self, item: str, stage: str, *, waiting: bool = False, **more: Any) -> str:
        """A fresh instance; gives its number."""
        made = self.memory.get("made", {}).get(item, 0) + 1
        self.add_to("made", item, made)
        instance = str(made)
        state: Json = {"state": "waiting" if waiting else "available", "at": self.run.now, **more}
        if stage:
            state["in"] = stage
        piece = self.planning.pieces[item]
        if piece.after is not None and (due := self.due_moment(piece, state)) is not None:
            state["due"] = due
        self.put(item, instance, state)
        if not waiting and (piece.hears or piece.exit):
            self.replay(item, instance)
        return instance

    def open(self, item: str, instance: str) -> None:
        """The entry of an instance has fired: a milestone is reached, the rest starts, or waits for a person to start it."""
        piece, state = self.planning.pieces[item], self.live[item][instance]
        self.forget_entry(named(item, instance))
        if piece.says.kind == "milestone":
            self.complete(item, instance)
        elif holds(self, piece.manual, state):
            self.turn(item, instance, "enabled", "enabled")
        else:
            self.start(item, instance)

    def start(self, item: str, instance: str) -> None:
        """An instance becomes active; a stage brings what lies in it."""
        state = self.live[item][instance]
        self.put(item, instance, {**state, "state": "active", "started": self.run.now})
        self.emit(item, state, "started")
        if self.planning.pieces[item].says.kind == "stage":
            for inner in self.planning.within.get(item, ()):
                self.create(inner, named(item, instance))

    def turn(self, item: str, instance: str, state: str, word: str) -> None:
        """An instance goes into another state and says so."""
        known = self.live[item][instance]
        self.put(item, instance, {**known, "state": state})
        self.emit(item, known, word)

    def complete(self, item: str, instance: str) -> None:
        """An instance is completed; whatever lies in it and has not ended is terminated. It may come again."""
        self._end_within(named(item, instance))
        state = self.take_away(item, instance, "completed")
        stage = state.get("in", "")
        known = self.memory.get("done", {}).get(item, ())
        if stage not in known:
            self.add_to("done", item, sorted([*known, stage]))
        self._ended(item, instance, state, "completed")
        piece = self.planning.pieces[item]
        if piece.says.repeat and not piece.hears and self._again(piece, state) and self._below(piece, state):
            self.create(item, stage, round=state.get("round", 1) + 1)

    def terminate(self, item: str, instance: str, how: str = "terminated") -> None:
        """An instance ends without being completed, with everything in it; ``how`` is what lists say of it."""
        self._end_within(named(item, instance))
        state = self.take_away(item, instance, how)
        self._ended(item, instance, state, "terminated")
        if how == "skipped":
            self.emit(item, state, "skipped")

    def suspend(self, item: str, instance: str, by: str = "") -> None:
        """An instance rests, with everything in it; its due moment rests with it. ``by``: with what it rests."""
        by = by or named(item, instance)
        for piece, inner, _ in list(self.within(named(item, instance))):
            self.suspend(piece.id, inner, by)
        state = self.live[item][instance]
        if state["state"] == "suspended":
            return
        kept = {k: v for k, v in state.items() if k != "due"}
        self.put(item, instance, {**kept, "state": "suspended", "was": state["state"], "since": self.run.now, "by": by})
        self.emit(item, state, "suspended")

    def resume(self, item: str, instance: str, by: str = "") -> None:
        """An instance goes on where it was, with everything that rested with it; its due moment has moved by that time."""
        by = by or named(item, instance)
        state = self.live[item][instance]
        if state.get("by") == by:
            rested = state.get("rested", 0) + micros(self.run.now) - micros(state["since"])
            kept = {k: v for k, v in state.items() if k not in ("was", "since", "by", "rested")}
            self.put(item, instance, {**kept, "state": state["was"], **({"rested": rested} if rested else {})})
            self.emit(item, state, "resumed")
        for piece, inner, _ in list(self.within(named(item, instance))):
            self.resume(piece.id, inner, by)

    def emit(self, item: str, state: Json, word: str) -> None:
        """An item says what became of it, to the plan and to the lifecycle."""
        event = f"{item}.{word}"
        self.run.count(event)
        self.hear(event, state.get("in", ""))
        said = self.planning.pieces[item].event(word)
        if word in _SAID or said in self.run.definition.ways:
            self.run.raise_(said)

    def fired(self, piece: Piece, instance: str, state: Json, criteria: tuple[Criterion, ...]) -> Criterion | None:
        """The first sentry that fires for an instance."""
        inputs = self.run.inputs
        for criterion in criteria:
            if criterion.parts and len(self.seen(named(piece.id, instance), criterion)) < len(criterion.parts):
                continue  # not all of it was heard
            if criterion.when is not None:
                inputs.counter = state.get("round", 1)
                if criterion.when.holds(inputs) is not True:
                    continue
            return criterion
        return None

    def _begin(self) -> bool:
        """A cycle of the case begins: everything comes that comes by itself."""
        cycle = self.run.machine["cycle"]
        self.remember("cycle", cycle)
        if cycle == 1 or "opened" not in self.memory:
            self.remember("opened", self.run.now)
        self.remember("over", None)
        pieces = self.planning.pieces
        anew = {key for key, piece in pieces.items() if cycle == 1 or piece.says.on_reopen == "anew"}
        self.remember("done", {item: where for item, where in self.memory.get("done", {}).items() if item not in anew})
        for item in self.planning.within.get("", ()):
            if item in anew:
                self.create(item, "")
        return True

    def _exits(self) -> bool:
        moved = False
        for item in self.planning.leaving:
            if item not in self.live:
                continue
            piece = self.planning.pieces[item]
            for instance, state in self.each(item):
                if state["state"] == "suspended" or instance not in self.live.get(item, ()):
                    continue
                criterion = self.fired(piece, instance, state, piece.exit)
                moved = (criterion is not None and self._exit(piece, instance, state, criterion)) or moved
        return moved

    def _exit(self, piece: Piece, instance: str, state: Json, criterion: Criterion) -> bool:
        how, item = criterion.says.how, piece.id
        if how == "complete" and piece.says.kind == "stage" and judge(self, named(item, instance), auto=True).blockers:
            return False
        if how != "terminate" and state["state"] == "active":
            self.complete(item, instance)
            return True
        self.terminate(item, instance)
        if state["state"] == "available" and piece.hears and piece.says.repeat and self._below(piece, state):
            self.create(item, state.get("in", ""), waiting=True, round=state.get("round", 1) + 1)
        return True

    def _entries(self) -> bool:
        moved = False
        for item in self.planning.opening:
            for instance, state in self.each(item) if item in self.live else ():
                if state["state"] in WAITS and instance in self.live.get(item, ()):
                    moved = self._enter(self.planning.pieces[item], instance, state) or moved
                    if moved and self.planning.leaving:
                        return True  # what one says by opening may end another before that opens
        return moved

    def _enter(self, piece: Piece, instance: str, state: Json) -> bool:
        if piece.entry and self.fired(piece, instance, state, piece.entry) is None:
            return False
        if piece.says.repeat and piece.hears:
            if not self._again(piece, state):
                return False
            if self._below(piece, state):
                self.create(piece.id, state.get("in", ""), waiting=True, round=state.get("round", 1) + 1)
        self.open(piece.id, instance)
        return True

    def _again(self, piece: Piece, state: Json) -> bool:
        return piece.again is None or holds(self, piece.again, state)

    def _below(self, piece: Piece, state: Json) -> bool:
        """Whether one more may come, in a stage that still lives."""
        repeat, stage = piece.says.repeat, state.get("in", "")
        assert repeat is not None
        return (repeat.max is None or state.get("round", 1) < repeat.max) and (not stage or self.known(stage) is not None)

    def _completes(self) -> bool:
        for item in self.planning.stages:
            if item not in self.live:
                continue
            piece = self.planning.pieces[item]
            for instance, state in self.each(item):
                name = named(item, instance)
                if state["state"] == "active" and completes(self, name, auto=holds(self, piece.auto_complete, state)):
                    self.complete(item, instance)
                    return True
        return self._over()

    def _over(self) -> bool:
        """The plan itself is complete once, until something comes into it again."""
        over = bool(self.memory.get("made")) and completes(self, "", auto=False) and not self._chosen()
        if over == bool(self.memory.get("over")):
            return False
        self.remember("over", over or None)
        if over:
            self.run.raise_("plan.completed")
        return over

    def _chosen(self) -> bool:
        """Whether work is left that an option asked for: it keeps no case open, but a plan with work in it is not complete."""
        return any(state.get("source", "").startswith(CHOSEN) for _, _, state in self.within(""))

    def _orphans(self) -> bool:
        """Listeners that nobody can hear any more are terminated."""
        moved = False
        for item in self.planning.listening:
            for instance, state in self.each(item):
                if state["state"] != "suspended" and not self._heard_of(item, state):
                    self.terminate(item, instance)
                    moved = True
        return moved

    def _heard_of(self, item: str, state: Json) -> bool:
        places = [p for word in ("completed", "terminated") for p in self.planning.listeners.get(f"{item}.{word}", ())]
        return any(self._could_hear(p.item, entry=p.entry, stage=state.get("in", "") if p.same else None) for p in places)

    def _could_hear(self, item: str, *, entry: bool, stage: str | None) -> bool:
        """Whether an item that lives, or may still come, waits for something; ``stage``: within one instance of it."""
        for _, state in self.each(item):
            if stage in (None, state.get("in", "")) and (not entry or state.get("was", state["state"]) in WAITS):
                return True
        chain = self.planning.pieces[item].chain
        if any(self._may_be_planned(key) for key in (*chain, item)):
            return True
        return stage is None and any(self._may_begin(around) for around in chain)

    def _may_be_planned(self, item: str) -> bool:
        piece = self.planning.pieces[item]
        return piece.says.discretionary is not None and (not piece.chain or bool(self.each(piece.chain[-1])))

    def _may_begin(self, stage: str) -> bool:
        """Whether a stage may still bring what lies in it."""
        says = self.planning.pieces[stage].says
        return any(says.repeat or state.get("was", state["state"]) != "active" for _, state in self.each(stage))

    def _dates(self) -> bool:
        """Due moments follow what they count from."""
        for item in self.planning.dated:
            piece = self.planning.pieces[item]
            for instance, state in self.each(item):
                if state["state"] == "suspended" or ("due" in state and piece.of in ("", "opened") and "rested" not in state):
                    continue
                due = self.due_moment(piece, state)
                if due != state.get("due"):
                    self._date(item, instance, state, due)
        return False

    def _date(self, item: str, instance: str, state: Json, due: str | None) -> None:
        late = due is not None and due <= self.run.now
        kept = {k: v for k, v in state.items() if k != "due" and (k != "overdue" or late)}
        self.put(item, instance, {**kept, **({} if due is None else {"due": due})})

    def _speaks(self, item: str, state: Json) -> str | None:
        """When an instance has something to say: what was due before it came speaks when it comes."""
        timer = self.planning.pieces[item].says.kind == "timer"
        if "due" not in state or "overdue" in state or state["state"] not in (("available",) if timer else ("active", "enabled")):
            return None
        due, since = state["due"], state.get("started", state["at"])
        return str(max(due, since))

    def _end_within(self, name: str) -> None:
        item, _ = parted(name)
        if self.planning.pieces[item].says.kind == "stage":
            for piece, instance, _ in list(self.within(name)):
                self.terminate(piece.id, instance)

    def _ended(self, item: str, instance: str, state: Json, word: str) -> None:
        """What was completed within a stage that has ended was completed once and for all."""
        name = named(item, instance)
        if self.planning.pieces[item].says.kind == "stage":
            for inner, where in list(self.memory.get("done", {}).items()):
                if name in where:
                    self.add_to("done", inner, sorted({*where, "-"} - {name}))
        self.emit(item, state, word)

    def _end_all(self) -> bool:
        """A case that is over has nothing left to do; reopening it brings the plan anew."""
        moved = bool(self.live)
        for item, instances in sorted(self.live.items()):
            for instance in sorted(instances):
                self.take_away(item, instance, "terminated")
        for name in ("seen", "suspended"):
            if name in self.memory:
                self.remember(name, None)
        return moved
