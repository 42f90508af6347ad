"""Why not: everything that stands between a case and an event, and who could bring it about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from casekit.decisions.compiled import Compiled, Way
from casekit.decisions.conditions import Explained
from casekit.decisions.machine import Run
from casekit.decisions.requirements import Judged, judge
from casekit.model.answers import Objection


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

    @property
    def open(self) -> bool:
        """Whether nothing but permission stands in the way."""
        guard = self.when is None or self.when.value is True
        return self.here and guard and not self.objections and all(r.met for r in self.requires)


@frozen
class Explanation:
    """Everything about one event on one case.

    Attributes:
        event: The event.
        state: Active leaf states.
        roads: The transitions that listen to it; none: the case type does not know the event.
        needs: Permissions that it takes.
        lacking: Those that the actor does not have.
        who: Roles that have all of them.
        possible: Whether the actor could do it now.
    """

    event: str
    state: tuple[str, ...]
    roads: tuple[Road, ...]
    needs: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    who: tuple[str, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether the actor could do it now."""
        return not self.lacking and any(road.open for road in self.roads)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The explanation in words, one thought to a line."""
        found = [f"{self.event}: {'possible' if self.possible else 'not possible'} (the case is in {', '.join(self.state)})"]
        if not self.roads:
            found.append("  this case type has no such event")
        for road in self.roads:
            found += [f"  {line}" for line in _road_lines(road)]
        if self.lacking:
            found.append(f"  you lack the permission {', '.join(self.lacking)}; roles that have it: {', '.join(self.who) or 'none'}")
        return found


def roads(definition: Compiled, run: Run, event: str, fields: Mapping[str, Any], foreign: Mapping[str, Judged]) -> list[Road]:
    """The transitions that listen to an event, each with everything that stands in its way as far as the core knows.

    ``foreign`` is what plugins have judged.
    """
    run.inputs.event = fields
    here = {way.key for way in run.candidates(event)}
    return [_road(definition, run, way, way.key in here, foreign) for way in definition.ways.get(event, ())]


def _road(definition: Compiled, run: Run, way: Way, here: bool, foreign: Mapping[str, Judged]) -> Road:
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
    )


def _road_lines(road: Road) -> list[str]:
    name = f"{road.transition} ({road.title})" if road.title else road.transition
    found = [f"{'open' if road.open else 'closed'}: {name}"]
    if not road.here:
        found.append(f"  it is taken from {', '.join(road.source)}")
    if road.when is not None and road.when.value is not True:
        found += [f"  {line}" for line in road.when.lines()]
    for judged in road.requires:
        if judged.met is not True:
            found.append(f"  {judged.objection()}")
            found += [f"    {line}" for line in (judged.because.lines() if judged.because else ())]
    return found + [f"  {objection}" for objection in road.objections]
