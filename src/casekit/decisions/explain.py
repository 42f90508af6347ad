"""Why not: everything that stands between a case and an event, a closing, an item or a clock, and who could.

One type answers all of them. What is so (facts) and who may (permissions) stand apart: neither hides the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from attrs import evolve, field, frozen

from casekit.decisions.compiled import Compiled, Way
from casekit.decisions.conditions import Explained
from casekit.decisions.instances import parted
from casekit.decisions.itemwhy import Absence, Why
from casekit.decisions.machine import Run
from casekit.decisions.orders import BLOCKED
from casekit.decisions.remedies import Remedies, attached
from casekit.decisions.requirements import Judging, judge
from casekit.model.answers import Objection
from casekit.model.judged import Judged, Remedy

Obstacle = Literal["state", "guard", "requires", "objection", "hidden", "permission"]
"""What stands in the way, in the order of judgement: permission comes last, so that it hides no fact."""


@frozen
class Road:
    """One transition that listens to the event.

    Attributes:
        transition: Its key.
        title: What people read.
        source, target: From where to where.
        here: Whether the case is in a state from which it can be taken.
        when: Its condition, explained; None: it has none.
        requires: Its requirements, judged.
        objections: What plugins and closing rules have against it.
        allow: The permission that it needs; empty: none of its own.
        event: The event.
        taken: Whether the event would take it now: of several candidates that is the first whose condition holds.
        guard: Its condition as a tree; None: it has none.
        outcome: What comes out where it ends the case.
    """

    transition: str
    title: str
    source: tuple[str, ...]
    target: str | None
    here: bool
    when: Explained | None
    requires: tuple[Judged, ...]
    objections: tuple[Objection, ...] = ()
    allow: str = ""
    event: str = ""
    taken: bool = True
    guard: Judged | None = None
    outcome: str = ""

    @property
    def open(self) -> bool:
        """Whether nothing but permission stands in the way."""
        guard = self.when is None or self.when.value is True
        return self.here and guard and not self.objections and all(r.met for r in self.requires)


@frozen
class Explanation:
    """Everything about one event, closing, item or clock on one case.

    Attributes:
        subject: What was asked about.
        name: The event, the outcome, the item or the clock.
        state: Active leaf states.
        tree: What must hold, as one tree: whether it is so, what is missing, what would help.
        roads: Of an event or closing: the transitions that lead there.
        why: Of an item: each live instance, or why there is none.
        needs: Permissions that it takes.
        lacking: Those that the actor does not have.
        who: Roles that have all of them.
        grants: Permission that it takes → roles that have it.
        obstacles: What stands in the way, in the order of judgement; the last is permission.
        hidden: Whether what is so was kept from an actor who may not do it.
    """

    subject: Literal["event", "closing", "item", "clock"]
    name: str
    state: tuple[str, ...]
    tree: Judged
    roads: tuple[Road, ...] = ()
    why: tuple[Why, ...] | Absence | None = None
    needs: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    grants: Mapping[str, tuple[str, ...]] = field(factory=dict)
    obstacles: tuple[Obstacle, ...] = ()
    hidden: bool = False

    @property
    def possible(self) -> bool:
        """Whether the actor could do it now; of a clock: whether it runs."""
        return not self.obstacles

    @property
    def denied(self) -> bool:
        """Whether the actor may not (who), whatever else."""
        return bool(self.lacking)

    @property
    def not_possible(self) -> bool:
        """Whether it can't be done by anybody as things are (what), whoever asks."""
        return any(obstacle != "permission" for obstacle in self.obstacles)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The explanation in words, one thought to a line."""
        if self.hidden:
            found = [f"{self.name}: {self.tree.text}"]
        elif self.subject == "item":
            found = self._item_lines()
        elif self.subject == "clock":
            found = self.tree.lines()
        else:
            said = "possible" if self.possible else "not possible"
            name = self.name if self.subject == "event" else f"close {self.name}".strip()
            found = [f"{name}: {said} (the case is in {', '.join(self.state)})"]
            found += [f"  {line}" for road in self.roads for line in _road_lines(road)]
            found += [f"  to do: {remedy}" for remedy in self.tree.remedies]
        if self.lacking:
            lacks = f"you lack the permission {', '.join(self.lacking)}; roles that have it: {', '.join(self.who) or 'none'}"
            found.append(lacks if self.subject == "item" else f"  {lacks}")
        return found

    def _item_lines(self) -> list[str]:
        found = self.why.lines() if isinstance(self.why, Absence) else [line for one in self.why or () for line in one.lines()]
        return found + [f"  to do: {remedy}" for remedy in self.tree.remedies]

    def who_lines(self) -> list[str]:
        """Who could: each permission with the roles that have it, and the roles that have all."""
        found = [f"{permission}: {', '.join(roles) or 'no role'}" for permission, roles in self.grants.items()]
        return [*found, f"all of it: {', '.join(self.who) or 'no role'}"]


def roads(definition: Compiled, run: Run, event: str, fields: Mapping[str, Any], foreign: Mapping[str, Judged]) -> list[Road]:
    """The transitions that listen to an event, each with everything that stands in its way as far as the core knows.

    ``foreign`` is what plugins have judged.
    """
    taken = {way.key for way in run.enabled(event, fields)}
    run.inputs.event = fields
    here = {way.key for way in run.candidates(event)}
    return [_road(definition, run, way, way.key in here, foreign, taken=way.key in taken) for way in definition.ways.get(event, ())]


def _road(definition: Compiled, run: Run, way: Way, here: bool, foreign: Mapping[str, Judged], *, taken: bool) -> Road:
    return Road(
        way.key,
        way.says.title,
        way.says.source,
        way.says.target,
        here,
        way.when.explain(run.inputs) if way.when else None,
        tuple(judge(definition, way.needs, run.inputs, foreign)),
        (),
        way.says.allow,
        way.event,
        taken,
        Judging(definition, run.inputs).expression(way.when) if way.when else None,
        way.outcome,
    )


def helped(definition: Compiled, found: Iterable[Judged], remedies: Remedies) -> tuple[Judged, ...]:
    """Requirements with what would meet them."""
    own = definition.requirements
    return tuple(attached(judged, own[judged.key], remedies) if judged.key in own else judged for judged in found)


def tree_of(found: Iterable[Road], run: Run, remedies: Remedies) -> Judged:
    """What must hold for an event: of the roads that it takes, all; where it takes none, those that there are."""
    known = tuple(found)
    taken = [road for road in known if road.taken]
    parts = tuple(_as_tree(road, run, remedies) for road in taken or known)
    if taken:
        met = _all(parts)
        words = "All {of} ways that the event takes must be open." if len(parts) > 1 else "The way that the event takes must be open."
        return Judged("all", met, words, {"of": len(parts)}, "", _missing(parts), parts=parts)
    unknown = any(road.here and road.when is not None and road.when.value is None for road in known)
    leads = frozenset(road.event for road in known)
    ways = frozenset(source for road in known for source in road.source)
    there = remedies.search(lambda inputs: bool(ways & inputs.active)) if not any(road.here for road in known) else ()
    words = "None of the ways of {events} can be taken here."
    return Judged(
        "any", None if unknown else False, words, {"events": ", ".join(sorted(leads))}, "", _missing(parts), remedies=there, parts=parts
    )


def obstacles_of(found: Iterable[Road]) -> tuple[Obstacle, ...]:
    """What stands in the way of an event but permission, in the order of judgement."""
    known = tuple(found)
    taken = [road for road in known if road.taken]
    if not taken:
        return ("guard",) if any(road.here for road in known) else ("state",)
    first: tuple[Obstacle, ...] = ("requires",) if any(r.met is not True for road in taken for r in road.requires) else ()
    return (*first, "objection") if any(road.objections for road in taken) else first


def _as_tree(road: Road, run: Run, remedies: Remedies) -> Judged:
    sources = ", ".join(road.source)
    state = Judged(
        "state",
        road.here,
        "The case must be in {needed}: it is in {actual}.",
        {"needed": sources, "actual": ", ".join(run.machine["active"])},
        actual=", ".join(run.machine["active"]),
        needed=sources,
    )
    guard = () if road.guard is None else (road.guard,)
    against = tuple(_against(objection, remedies) for objection in road.objections)
    parts = (state, *guard, *road.requires, *against)
    args = {"transition": road.transition, "title": road.title or road.transition}
    return Judged("event", _all(parts), "{title} must be open.", args, "", _missing(parts), parts=parts)


def _against(objection: Objection, remedies: Remedies) -> Judged:
    helps: tuple[Remedy, ...] = ()
    if objection.rule == BLOCKED:
        item, instance = parted(str(objection.args["key"]))
        helps = remedies.search(lambda inputs: instance not in inputs.items.get(item, ()))
    return Judged(
        "objection",
        False,
        objection.words,
        objection.args,
        objection.rule,
        remedies=helps,
        citation=objection.citation,
        remedy=objection.remedy,
        plugin=objection.plugin,
        version=objection.version,
    )


def _all(parts: Iterable[Judged]) -> bool | None:
    values = [part.met for part in parts]
    return False if False in values else None if None in values else True


def _missing(parts: Iterable[Judged]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts if part.met is not True for name in part.missing))


HIDDEN = Judged("hidden", None, "What stands in the way is shown to those who may do it.")


def kept_back(explanation: Explanation) -> Explanation:
    """The explanation for one who may not do it, where reasons are not shown to everybody."""
    if not explanation.lacking:
        return explanation
    known: tuple[Obstacle, ...] = ("hidden", "permission")
    return evolve(explanation, tree=HIDDEN, roads=(), why=None, state=(), obstacles=known, hidden=True)


def _road_lines(road: Road) -> list[str]:
    name = f"{road.transition} ({road.title})" if road.title else road.transition
    found = [f"{'open' if road.open else 'closed'}: {name}"]
    if not road.here:
        found.append(f"  it is taken from {', '.join(road.source)}")
    if road.when is not None and road.when.value is not True:
        found += [f"  {line}" for line in road.when.lines()]
    if road.open and not road.taken:
        found.append("  another one is taken before it")
    for judged in road.requires:
        if judged.met is not True:
            found.append(f"  {judged.objection()}")
            found += [f"    to do: {remedy}" for remedy in judged.remedies]
            found += [f"    {line}" for part in judged.parts for line in part.lines()]
    return found + [f"  {objection}" for objection in road.objections]
