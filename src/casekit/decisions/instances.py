"""The instances of a plan in one run: what lives in the head, what sentries remember, what has changed.

A live instance stands in the head under its item and its number; one that has ended leaves it. Nothing that came in
is changed: what is written to is copied first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define

from casekit.decisions.items import WAITS, Piece, Place, Planning, extended
from casekit.model.canonical import Json, encode
from casekit.model.time import add, day_after, day_start, from_micros, micros

if TYPE_CHECKING:
    from casekit.decisions.machine import Run

CHOSEN = "option:"
"""How the source of an item begins that came with an option."""

_ROW = ("at", "started", "due", "source")
_NOTHING: Mapping[str, Any] = {}


@define
class ItemChange:
    """What became of an instance of a plan item.

    Attributes:
        item, instance: Which one.
        row: What lists show of it.
        live: Its state in the head; None once it has left.
        sealed: Words that came with it, sealed; None: none.
    """

    item: str
    instance: str
    row: Json
    live: Json | None
    sealed: Json | None


def _number(found: tuple[str, Json]) -> int:
    return int(found[0])


def named(item: str, instance: str) -> str:
    """What an instance is called by what lies in it."""
    return f"{item}.{instance}"


def parted(name: str) -> tuple[str, str]:
    """Item and number of a named instance."""
    item, _, instance = name.rpartition(".")
    return item, instance


class Instances:
    """The instances of one run.

    Attributes:
        planning: The plan, with the items that the case has of its own.
        live: Item → number → state, as the head will have it.
        memory: What is remembered beside: numbers given, what was completed where, events heard, moments.
        awake: Whether there is any plan at all.
        stirred: Whether anything has happened that the plan has not looked at yet.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        machine = run.machine
        self.live: dict[str, dict[str, Json]] = machine.get("items") or {}
        self.memory: Json = machine["memory"].get("plan") or {}
        self.stirred = True
        self._copied = False
        self._owned: set[str] = set()
        self._touched: dict[tuple[str, str], Json | ItemChange] = {}
        self._heard: list[tuple[str, str]] = []
        self._brief: dict[str, dict[str, list[int]]] = {}
        self.planning: Planning = run.definition.planning
        if "local" in self.memory:
            self.planning = extended(self.planning, encode(self.memory["local"]))
        self.use(self.planning)

    def use(self, planning: Planning) -> None:
        """Goes by a plan from now on: that of the case type, or one with items of the case's own."""
        self.planning = planning
        self.awake = bool(planning.pieces)
        if self.awake:
            self.run.inputs.items = self.live
            self.run.inputs.done = self.memory.get("done", _NOTHING)

    def each(self, item: str) -> list[tuple[str, Json]]:
        """The live instances of an item, the oldest first; what is done meanwhile does not disturb it."""
        found = self.live.get(item)
        if not found:
            return []
        return list(found.items()) if len(found) == 1 else sorted(found.items(), key=_number)

    def within(self, stage: str) -> Iterator[tuple[Piece, str, Json]]:
        """The live instances that lie in an instance of a stage (empty: in the plan itself), in order; to look at only."""
        live = self.live
        for item, piece in self.planning.pieces.items():
            found = live.get(item)
            if found:
                for instance, state in found.items() if len(found) == 1 else sorted(found.items(), key=_number):
                    if state.get("in", "") == stage:
                        yield piece, instance, state

    @property
    def changes(self) -> list[ItemChange]:
        """What changed, the last word on each instance."""
        return [
            last if isinstance(last, ItemChange) else ItemChange(item, instance, self._row(item, last), last, self._sealed(item))
            for (item, instance), last in self._touched.items()
        ]

    def _row(self, item: str, state: Json, how: str = "") -> Json:
        says = self.planning.pieces[item].says
        row = {"kind": says.kind, "state": how or state["state"], "stage": state.get("in", ""), "who": says.who}
        return {**row, **{name: state[name] for name in _ROW if name in state}, **({"ended": self.run.now} if how else {})}

    def _sealed(self, item: str) -> Json | None:
        """Words about an item of the case's own."""
        found: Json | None = self.memory.get("local", _NOTHING).get(item, _NOTHING).get("sealed")
        return found

    def known(self, name: str) -> Json | None:
        """The state of an instance, by its name; None: it does not live."""
        item, instance = parted(name)
        return self.live.get(item, {}).get(instance)

    def remember(self, name: str, value: Any) -> None:
        """Writes into the memory; an empty value leaves it."""
        if not self._owned:
            self.memory = dict(self.memory)
            self.run.machine["memory"]["plan"] = self.memory
        self._owned.add(name)
        if value:
            self.memory[name] = value
        else:
            self.memory.pop(name, None)
        if name == "done":
            self.run.inputs.done = self.memory.get("done", _NOTHING)

    def add_to(self, name: str, key: str, value: Any) -> None:
        """Writes one key of a map in the memory; an empty value takes it away."""
        if name not in self._owned or name not in self.memory:
            self.remember(name, {**self.memory.get(name, _NOTHING), key: value})
        known = self.memory[name]
        if value:
            known[key] = value
        else:
            del known[key]
            if not known:
                self.remember(name, None)

    def put(self, item: str, instance: str, state: Json) -> None:
        """A new state of a live instance."""
        self._own(item)[instance] = state
        self._touched[(item, instance)] = state

    def take_away(self, item: str, instance: str, how: str) -> Json:
        """An instance ends and leaves the head; gives its last state."""
        live = self._own(item)
        state = live.pop(instance)
        if not live:
            del self.live[item]
        name = named(item, instance)
        if name in self.memory.get("seen", _NOTHING):
            self.add_to("seen", name, None)
        self._brief.pop(name, None)
        row = self._row(item, state, how)
        self._touched[(item, instance)] = ItemChange(item, instance, row, None, self._sealed(item))
        return state

    def hear(self, event: str, stage: str = "") -> None:
        """Something has happened: whoever waits for it takes note. ``stage``: where, if it was an item that says so."""
        if not self.awake:
            return
        self._heard.append((event, stage))
        if event in self.planning.references:
            self.add_to("at", event, self.run.now)
            self.stirred = True
        for place in self.planning.listeners.get(event, ()):
            self.stirred = True
            for instance, state in self.each(place.item):
                self._note(place, instance, state, stage)

    def replay(self, item: str, instance: str) -> None:
        """An instance takes note of what has happened in this step before it came."""
        state = self.live[item][instance]
        for event, stage in self._heard:
            for place in self.planning.listeners.get(event, ()):
                if place.item == item:
                    self._note(place, instance, state, stage)

    def rest(self) -> None:
        """The step is over: what was heard in it is heard no more."""
        self._heard, self._brief, self.stirred = [], {}, True

    def seen(self, name: str, criterion: Any) -> list[int]:
        """The parts of a sentry that an instance has heard."""
        noted = self.memory.get("seen", _NOTHING) if criterion.says.memory else self._brief
        found: list[int] = noted.get(name, _NOTHING).get(criterion.key, [])
        return found

    def forget_entry(self, name: str) -> None:
        """An instance that has opened waits for its entry no more."""
        noted = self.memory.get("seen", _NOTHING).get(name)
        if noted:
            self.add_to("seen", name, {key: parts for key, parts in noted.items() if not key.startswith("entry")})
        self._brief.pop(name, None)

    def due_moment(self, piece: Piece, state: Json) -> str | None:
        """When an instance is due, with the time that it rested; None: not known yet."""
        assert piece.after is not None
        zone = self.run.world.zone
        base = self._base(piece, state)
        if base is None:
            return None
        if len(base) == 10:
            base = day_start(day_after(base), zone)
        due = add(base, piece.after, zone)
        return from_micros(micros(due) + state["rested"]) if "rested" in state else due

    def _base(self, piece: Piece, state: Json) -> str | None:
        found: str | None
        if not piece.of:
            found = state["at"]
        elif piece.of == "opened":
            found = self.memory.get("opened")
        elif piece.of.startswith("data:"):
            found = self.run.inputs.data.get(piece.of[5:])
        else:
            found = self.memory.get("at", _NOTHING).get(piece.of)
        return found

    def _note(self, place: Place, instance: str, state: Json, stage: str) -> None:
        if place.same and state.get("in", "") != stage:
            return
        if place.entry and state.get("was", state["state"]) not in WAITS:
            return
        name, key = named(place.item, instance), place.criterion.key
        parts = self.seen(name, place.criterion)
        if place.part in parts:
            return
        if place.criterion.says.memory:
            noted = self.memory.get("seen", _NOTHING).get(name, _NOTHING)
            self.add_to("seen", name, {**noted, key: sorted([*parts, place.part])})
        else:
            self._brief.setdefault(name, {})[key] = [*parts, place.part]

    def _own(self, item: str) -> dict[str, Json]:
        """The item's instances, in a copy that this run may change."""
        if not self._copied:
            self.live = {name: dict(instances) for name, instances in self.live.items()}
            self.run.inputs.items = self.run.machine["items"] = self.live
            self._copied = True
        return self.live.setdefault(item, {})
