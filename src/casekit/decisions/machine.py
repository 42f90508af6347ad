"""The pure step: definition, snapshot and an event give the next snapshot and what happened on the way.

A run is one macrostep in the making. First the clocks that are due by then tick, in due order, each to
quiescence; then comes the event; then eventless transitions and clock conditions, until nothing moves. A run
changes no input: it works on a copy of the snapshot and on an overlay of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from attrs import define, field

from casekit.decisions import totals
from casekit.decisions.approvals import lapsed
from casekit.decisions.calendar import Working
from casekit.decisions.chart import ROOT, Deed, Move, Passage
from casekit.decisions.clocks import Clocks
from casekit.decisions.compiled import Compiled, Way
from casekit.decisions.conditions import Inputs
from casekit.decisions.instances import ItemChange
from casekit.decisions.planning import Plan
from casekit.definition.casetype import ENDED
from casekit.definition.counts import Counts
from casekit.errors import BadInput, Livelock
from casekit.model.canonical import Json
from casekit.model.ledger import Posting

_NOTHING: Mapping[str, Any] = MappingProxyType({})
LIMIT = 1000
"""Microsteps within one macrostep, after which it is a livelock."""


@define
class World:
    """What a run may look at beside the snapshot. Nothing in it is changed.

    Attributes:
        data: Case data as canonical values; sealed ones are opened when they are read; absent is unknown.
        facts: Latest value of each fact, likewise.
        parties: Role → parties.
        documents: Kind → number on file.
        standings: Kind → document → status, of those that have another status than the first.
        linked: Relation → categories of the cases that stand in it to this one; looked up when it is read.
        zone: IANA zone of the case.
        postings: The ledger, where a clock must be judged again; else None.
        since: Effective instant of what is being recorded, where it lies before case time: clocks that were
            breached after it are judged again.
        calendars: Business time, by the key that clocks know it by; of the versions that the case is pinned to.
        counts: Rules of counting, likewise.
        approvals: Requirement → permission → actor → when and by which entry they approved.
    """

    data: Mapping[str, Any] = field(factory=dict)
    facts: Mapping[str, Any] = field(factory=dict)
    parties: Mapping[str, Collection[str]] = field(factory=dict)
    documents: Mapping[str, int] = field(factory=dict)
    zone: str = "UTC"
    postings: tuple[Posting, ...] | None = None
    since: str | None = None
    calendars: Mapping[str, Working] = field(factory=dict)
    counts: Mapping[str, Counts] = field(factory=dict)
    approvals: Mapping[str, Mapping[str, Mapping[str, Any]]] = _NOTHING
    standings: Mapping[str, Mapping[str, str]] = _NOTHING
    linked: Mapping[str, Collection[str]] = _NOTHING


@define
class Effect:
    """A named effect for the outbox.

    Attributes:
        run: Its name.
        args: Its arguments, canonical.
    """

    run: str
    args: Json


class Run:
    """One macrostep.

    Args:
        definition: The case type, compiled.
        snapshot: The machine part of the head; it is not changed.
        world: What conditions see.
        now: Case time of the step (canonical instant), not before the snapshot's last.

    Attributes:
        machine: The snapshot as it stands.
        data: Fields that deeds have set, canonical.
        happened: Transitions taken (``transition.<key>``) and internal events, in order.
        effects: Effects asked for.
    """

    def __init__(self, definition: Compiled, snapshot: Mapping[str, Any], world: World, now: str) -> None:
        self.definition = definition
        self.world = world
        self.now = now
        self.machine: Json = {**snapshot, "memory": dict(snapshot["memory"])}
        self.data: Json = {}
        self.happened: list[str] = []
        self.effects: list[Effect] = []
        self._queue: list[tuple[str, Mapping[str, Any]]] = []
        self._later: list[tuple[str, Mapping[str, Any]]] = []
        self._event: Mapping[str, Any] = _NOTHING
        self._left = LIMIT
        self._recent: list[str] = []
        self.inputs = Inputs(
            data=world.data,
            totals=snapshot["totals"],
            facts=world.facts,
            event={},
            active=definition.active(snapshot["active"]),
            clocks=snapshot["clocks"],
            ended=snapshot["memory"].get("ended", {}),
            parties=world.parties,
            documents=world.documents,
            now=now,
            zone=world.zone,
            approvals=world.approvals,
            standings=world.standings,
            linked=world.linked,
        )
        planned = definition.planning.pieces or "plan" in snapshot["memory"]
        self._plan = Plan(self) if planned else None
        self.clocks = Clocks(self)

    @property
    def plan(self) -> Plan:
        """The plan of the case; a case without one gets it here."""
        if self._plan is None:
            self._plan = Plan(self)
        return self._plan

    @property
    def planned(self) -> bool:
        """Whether the case has a plan."""
        return self._plan is not None

    @property
    def rests(self) -> bool:
        """Whether the case rests as a whole."""
        return self._plan is not None and self._plan.suspended

    def item_changes(self) -> list[ItemChange]:
        """What became of plan items."""
        return [] if self._plan is None else self._plan.changes

    def enter(self) -> None:
        """Enters the initial state: what opening a case does."""
        self._arrive(self.definition.chart.landing(self.definition.chart.nodes[ROOT].initial))

    def tick(self) -> None:
        """Lets every clock speak that is due by now, in due order, each to quiescence, and comes to rest."""
        end, last = self.now, ""
        moment = self.machine.get("wake")
        while moment is not None and moment <= end:
            if moment != last:
                # Each instant is a macrostep of its own: a tick that comes years late is no livelock.
                self._left, self._recent, last = LIMIT, [], moment
            self.now = self.inputs.now = moment
            self.clocks.speak(moment)
            if self._plan is not None:
                self._plan.speak(moment)
            self.settle()
            moment = self.machine.get("wake")
        if last != end:  # conditions may look at the time
            self.now = self.inputs.now = end
            self.settle()

    def next_due(self) -> str | None:
        """The next instant at which a clock or an item of the plan has something to say."""
        clock = self.clocks.next_due()
        if self._plan is None:
            return clock
        item = self._plan.next_due()
        return item if clock is None or (item is not None and item < clock) else clock

    def post(self, posting: Posting, taken_back: Posting | None = None) -> None:
        """Counts a posting into the totals and raises its internal event."""
        ledger = _counted(self.machine.get("ledger"), posting, taken_back)
        known = self.machine["totals"]
        if not self.definition.totals.keys() <= known.keys():
            known = {**totals.nothing(self.definition, posting.amount.currency), **known}
        self.machine["totals"] = self.inputs.totals = totals.posted(self.definition, known, posting, taken_back)
        if self.inputs.approvals:
            self.touch(*(name for name, value in self.machine["totals"].items() if known.get(name) != value))
        self.machine["ledger"] = ledger
        self.raise_(posting.kind)

    def raise_(self, event: str, fields: Mapping[str, Any] | None = None, *, after: bool = False) -> None:
        """Puts an internal event into the queue, or into the one that is looked at when everything else is at rest."""
        (self._later if after else self._queue).append((event, fields or _NOTHING))

    def ask(self, effect: str, **args: Any) -> None:
        """Asks for an effect."""
        self.effects.append(Effect(effect, args))

    def touch(self, *names: str) -> None:
        """Something has changed that approvals may cover: those that do lapse."""
        if self.inputs.approvals:
            self.inputs.approvals, lost = lapsed(self.inputs.approvals, self.definition.approved, names)
            for requirement in lost:
                self.raise_(f"approval.{requirement}.lapsed")

    def candidates(self, event: str) -> tuple[Way, ...]:
        """The ways for an event from the active states, innermost source first, then in order; conditions apart.

        Of several regions, those of the first come first; a way that several leaves have in common comes once.
        """
        leading, active = self.definition.leading, self.machine["active"]
        if len(active) == 1:
            return leading[active[0]].get(event, ())
        return tuple(dict.fromkeys(way for leaf in active for way in leading[leaf].get(event, ())))

    def enabled(self, event: str, fields: Mapping[str, Any]) -> tuple[Way, ...]:
        """The ways that an event takes: in each region the first candidate whose condition holds, without those that
        another one forestalls; none where it finds no way.
        """
        self.inputs.event = fields
        return self._first(event, _holds)

    def select(self, event: str, fields: Mapping[str, Any]) -> Way | None:
        """The first of the ways that an event takes."""
        return next(iter(self.enabled(event, fields)), None)

    def take(self, ways: Way | Iterable[Way], fields: Mapping[str, Any]) -> None:
        """Takes transitions together: leaves, innermost state first; does; enters, outermost first.

        One that the lifecycle does not allow here (an observed event that is forced) is taken from the active state
        that is nearest to its target.
        """
        chosen = (ways,) if isinstance(ways, Way) else tuple(ways)
        for way in chosen:
            self.count(way.key)
            self.happened.append(f"transition.{way.key}")
            if self._plan is not None:
                self._plan.stirred = True
                self._plan.hear(way.event)
        move = self.definition.chart.move(self.machine["active"], chosen, self.machine.get("history") or _NOTHING)
        self._event = self.inputs.event = fields
        self._pass(move.leaving)
        self.inputs.active = move.between
        for way in chosen:
            self._do(way.do)
        if move.remembered:
            history = self.machine.get("history", {})
            self.machine["history"] = {**history, **{name: list(states) for name, states in move.remembered.items()}}
        self._arrive(move)
        self.inputs.event = _NOTHING

    def settle(self) -> None:
        """Internal events, eventless transitions, the plan and clock conditions, until nothing moves.

        Raises:
            Livelock: they never come to rest; names the cycle.
        """
        self.inputs.event = _NOTHING
        while True:
            if self._eventless():
                continue
            if self._queue:
                self._hear(*self._queue.pop(0))
                continue
            if self._plan is not None and self._plan.step():
                continue
            if not self.clocks.judge():
                if not self._later:
                    break
                self._hear(*self._later.pop(0))
                continue
            self.count("clocks")
            if self._plan is not None:
                self._plan.stirred = True
        self._at_rest()

    def _at_rest(self) -> None:
        if self._plan is not None:
            self._plan.rest()
        self.machine["clocks"] = self.clocks.live
        wake = self.next_due()
        if wake is None:
            self.machine.pop("wake", None)
        else:
            self.machine["wake"] = wake

    def let_go(self) -> None:
        """Ends the run: it, its clocks and its plan hold on to each other, and many runs are made. Nothing can be asked of it any more."""
        del self.clocks
        self._plan = None

    def _eventless(self) -> bool:
        ways = self._first("always", self._free)
        if ways:
            self.take(ways, self._event)
        return bool(ways)

    def _free(self, way: Way, inputs: Inputs) -> Any:
        return (way.when is None or way.when.holds(inputs)) and self._met(way)

    def _hear(self, event: str, fields: Mapping[str, Any]) -> None:
        """Takes an internal event out of the queue."""
        self.count(event)
        self.happened.append(event)
        if self._plan is not None:
            self._plan.hear(event)
        ways = self.enabled(event, fields)
        self._event = fields
        met = [way for way in ways if self._met(way)]
        self.inputs.event = _NOTHING
        if met:
            self.take(met, fields)

    def _first(self, event: str, test: Callable[[Way, Inputs], Any]) -> tuple[Way, ...]:
        """The optimal set: per leaf the first way that passes the test, and of those in conflict one."""
        leading, active, inputs = self.definition.leading, self.machine["active"], self.inputs
        ways: tuple[Way, ...] = ()
        for leaf in active:
            for way in leading[leaf].get(event, ()):
                if test(way, inputs):
                    ways = ways if way in ways else (*ways, way)
                    break
        return ways if len(ways) < 2 else self.definition.chart.compatible(active, ways, self.machine.get("history") or _NOTHING)

    def _met(self, way: Way) -> bool:
        """Whether the requirements of a way that nobody fires are met; those of plugins can't be asked here."""
        own = self.definition.requirements
        return all(key in own and own[key].holds(self.inputs) for key in way.needs) and not (self._plan and self._plan.blockers(way))

    def _arrive(self, move: Move) -> None:
        machine = self.machine
        over = machine["category"] in ENDED
        machine["active"] = list(move.leaves)
        machine["category"] = move.category
        machine["outcome"] = move.outcome or None
        if over and move.category not in ENDED:
            machine["cycle"] += 1
            self._begin_anew()
        if self.definition.anchors and self.clocks.cycles is not None:
            self.clocks.cycles.entered(move.entered)
        if self._plan is not None:
            for path in move.entered:
                self._plan.hear(f"state.enter:{path}")
        self._pass(move.entering)
        self.inputs.active = move.active

    def _begin_anew(self) -> None:
        """What was approved was the case as it then ended."""
        for requirement in self.inputs.approvals:
            self.raise_(f"approval.{requirement}.lapsed")
        if self.inputs.approvals:
            self.inputs.approvals = _NOTHING

    def _pass(self, passages: Iterable[Passage]) -> None:
        for passage in passages:
            self.inputs.active = passage.active
            self._do(passage.deeds)
            for event, fields in passage.dones:
                self.raise_(event, {name: e.canonical(self.inputs) for name, e in fields})

    def _do(self, deeds: Iterable[Deed]) -> None:
        for deed in deeds:
            if deed.when is not None and not deed.when.holds(self.inputs):
                self._do(deed.otherwise)
                continue
            for name, expression in deed.set:
                value = None if expression is None else expression.canonical(self.inputs)
                if self.inputs.approvals and self.inputs.data.get(name) != value:
                    self.touch(name)
                self.data[name] = value
                self.inputs.data = _Overlay(self.data, self.world.data)
            if deed.emit or deed.run or deed.start:
                args = {name: e.canonical(self.inputs) for name, e in deed.args}
                if deed.emit:
                    self.raise_(deed.emit, args, after=deed.after)
                if deed.run:
                    self.effects.append(Effect(deed.run, args))
                if deed.start:
                    self.clocks.begin(deed.start, args)
            for clock in deed.cancel:
                self.clocks.cancel(clock)
            self._do(deed.do)

    def count(self, what: str) -> None:
        """One microstep more.

        Raises:
            Livelock: there were too many of them; names the cycle.
        """
        self._left -= 1
        self._recent.append(what)
        if self._left < 0:
            raise Livelock(_cycle(self._recent))


def _holds(way: Way, inputs: Inputs) -> Any:
    return way.when is None or way.when.holds(inputs)


class _Overlay(Mapping[str, Any]):
    """Data with what the run has set laid over it; a field set to None is unknown."""

    def __init__(self, over: Mapping[str, Any], under: Mapping[str, Any]) -> None:
        self.over, self.under = over, under

    def __getitem__(self, name: str) -> Any:
        return self.over[name] if name in self.over else self.under[name]

    def __iter__(self) -> Any:
        yield from {*self.over, *self.under}

    def __len__(self) -> int:
        return len({*self.over, *self.under})


def _counted(ledger: Json | None, posting: Posting, taken_back: Posting | None) -> Json:
    """What the ledger comes to, in minor units, kept in the head."""
    known = ledger or {"charged": 0, "paid": 0, "currency": posting.amount.currency}
    if posting.amount.currency != known["currency"]:
        raise BadInput.at("amount", f"{posting.amount} on a ledger in {known['currency']}", "convert it at a dated rate first")
    counted, sign = (posting, 1) if taken_back is None else (taken_back, -1)
    name = "charged" if counted.kind == "charge" else "paid"
    return {**known, name: known[name] + sign * counted.amount.minor}


def _cycle(recent: list[str]) -> tuple[str, ...]:
    for length in range(1, 51):
        if recent[-length:] == recent[-2 * length : -length]:
            return (*recent[-length:], recent[-length])
    return tuple(recent[-20:])
