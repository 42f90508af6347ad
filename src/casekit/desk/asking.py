"""Questions to the rules: what is there to find, which options are there, may I, why not. They leave no trace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve

from casekit.decisions import explain
from casekit.decisions.explain import Explanation, Road
from casekit.desk import cases, plans, records
from casekit.desk.bus import resolve
from casekit.desk.turn import Call, Spec, Turn
from casekit.desk.values import Options
from casekit.errors import BadInput, Denied, PluginFailed
from casekit.model.actor import Actor
from casekit.model.answers import Finding, Objection, Option, Verdict
from casekit.model.canonical import plain
from casekit.plugins.catalogue import collect

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

ASSESS = Spec("assess", "case.assess")
PLAN = Spec("options", "case.plan")
CHECK = Spec("check", "case.read")
EXPLAIN = Spec("explain", "case.read")


def turn_for(desk: Desk, actor: Actor, spec: Spec, case: str) -> Turn:
    """A turn that is never written: the case now, its due clocks having spoken.

    Raises:
        NotFound: there is no such case.
        Denied: the actor may not ask.
    """
    call = Call(spec, actor)
    work = desk.work(desk.shelf(actor.tenant))
    recorded = work.now()
    stream = work.stream(case, "case")
    desk.bus.authorise(call, stream.head["type"], case)
    definition = desk.library.pinned(work.shelf, stream.head["definition"])
    when = resolve(None, recorded, stream.head["zone"])
    desk.bus.tick(work, stream, definition, max(stream.head["time"], when.at), recorded)
    return Turn(desk, call, work, stream, definition, when)


def assess(turn: Turn) -> tuple[Finding, ...]:
    """What plugins find, sorted by plugin and rule, each with the values that it rests on.

    Raises:
        PluginFailed: one of them failed.
    """
    found: list[Finding] = []
    for asked in turn.desk.catalogue.implementations("casekit_assess", turn.definition.says.key):
        found += collect(asked, Finding, view=turn.view())
    return tuple(because(turn, finding) for finding in sorted(found, key=lambda f: (f.plugin, f.rule)))


def because(turn: Turn, finding: Finding) -> Finding:
    """The finding with the values that it rests on."""
    return evolve(finding, because=finding.because or tuple(f"{path} = {_value(turn, path)}" for path in finding.inputs))


def options(turn: Turn) -> Options:
    """Which ways there are to go on, sorted by plugin and key.

    Raises:
        PluginFailed: a plugin failed, or two options have one key.
    """
    findings = assess(turn)
    found: dict[str, Option] = {}
    for asked in turn.desk.catalogue.implementations("casekit_plan", turn.definition.says.key):
        for option in sorted(collect(asked, Option, view=turn.view(), findings=findings), key=_in_order):
            if option.key in found:
                raise PluginFailed(f"the option {option.key!r} is offered by {found[option.key].plugin} and by {option.plugin}")
            found[option.key] = option
    return Options(findings, found)


def choose(turn: Turn, wanted: Option | str) -> None:
    """Decides on choosing an option: it must be offered now, and be the one that was seen.

    Raises:
        BadInput: it is not offered.
    """
    key = wanted if isinstance(wanted, str) else wanted.key
    offered = options(turn)
    for option in offered:
        turn.spoke[option.plugin] = option.version
    if key not in offered.items:
        raise BadInput.at("option", f"{key!r} is not offered now", "choose one of " + (", ".join(offered.items) or "none"))
    option = offered[key]
    if not isinstance(wanted, str) and _figures(option) != _figures(wanted):
        words = "The option {option} is not the one that was shown: the case has changed since."
        turn.objections.append(
            Objection("casekit.option-changed", words, {"option": key}, remedy="look at the options again", plugin="casekit")
        )
        return
    cases.choose(turn, option)


def check_message(turn: Turn, role: str, via: str, party: str) -> Verdict:
    """Whether a message may go out now."""
    asked = records.asked_message(turn, role, party, "out", via, records.PLANNED)
    records.guard_message(turn, asked)
    return verdict(turn)


def check_event(turn: Turn, event: str, fields: Mapping[str, Any]) -> Verdict:
    """Whether an event may be brought about now."""
    try:
        cases.do(turn, event, fields)
    except Denied as denied:
        turn.objections += denied.objections
    return verdict(turn)


def verdict(turn: Turn) -> Verdict:
    """What the objections of a turn come to: refused until the last of them no longer objects."""
    if not turn.objections:
        return Verdict("allowed", asked=dict(turn.spoke))
    moments = [o.allowed_at for o in turn.objections]
    allowed_at = None if None in moments else max(m for m in moments if m is not None)
    first = turn.objections[0]
    return Verdict("refused", first.rule, first.citation, allowed_at, tuple(turn.objections), (), dict(turn.spoke))


def explain_event(turn: Turn, event: str, fields: Mapping[str, Any]) -> Explanation:
    """Everything in the way of an event, and who could bring it about.

    Raises:
        BadInput: the case type has no such event.
    """
    definition = turn.definition
    if event not in definition.ways or event == "always":
        known = ", ".join(sorted(e for e in definition.ways if e != "always")) or "none"
        raise BadInput.at("event", f"{definition.says.key} has no event {event!r}", f"its events are: {known}")
    found = _roads(turn, [event], fields)
    return _explanation(turn, event, cases.DO, found)


def explain_closing(turn: Turn, outcome: str) -> Explanation:
    """Everything in the way of closing, with one outcome or with any, and who could.

    Raises:
        BadInput: no event closes the case so.
    """
    definition = turn.definition
    closing = [w for event, ways in definition.ways.items() if event in definition.fired for w in ways if w.ends]
    keys = {w.key for w in closing if not outcome or w.outcome == outcome}
    if not keys:
        known = ", ".join(sorted({w.outcome for w in closing})) or "none"
        raise BadInput.at("outcome", f"no event closes a {definition.says.key} with {outcome!r}", f"outcomes are: {known}")
    found = [r for r in _roads(turn, dict.fromkeys(w.event for w in closing), {}) if r.transition in keys]
    return _explanation(turn, f"close {outcome}".strip(), cases.CLOSE, found)


def _roads(turn: Turn, events: Iterable[str], fields: Mapping[str, Any]) -> list[Road]:
    says = turn.definition.says
    named = {key for t in says.transitions.values() for key in t.requires} | set(says.closing)
    foreign = turn.foreign(named)
    found = []
    for event in events:
        roads = explain.roads(turn.definition, turn.run, event, plain(dict(fields), event), foreign)
        found += [evolve(road, objections=tuple(_against(turn, event, road, fields))) for road in roads]
    return found


def _against(turn: Turn, event: str, road: Road, fields: Mapping[str, Any]) -> list[Objection]:
    """What plugins have against one road."""
    way = next(w for w in turn.definition.ways[event] if w.key == road.transition)
    before = list(turn.objections)
    turn.objections = []
    cases.ask_guards(turn, way.event, dict(fields))
    if way.ends:
        cases.ask_closing(turn, way.outcome)
        turn.objections += plans.against_closing(turn.run, way)
    found, turn.objections = turn.objections, before
    return found


def _explanation(turn: Turn, event: str, spec: Spec, roads: list[Road]) -> Explanation:
    here = [road for road in roads if road.here] or roads
    needs = tuple(dict.fromkeys([spec.permission, *(road.allow for road in here if road.allow)]))
    actor, key = turn.call.actor, turn.definition.says.key
    grants = turn.desk.grants
    lacking = tuple(p for p in needs if not grants.allowed(actor, p, key))
    return Explanation(event, tuple(turn.stream.head["machine"]["active"]), tuple(roads), needs, lacking, grants.who(needs, key))


def _value(turn: Turn, path: str) -> str:
    view = turn.view()
    name = path.removeprefix("fact:")
    known = view.latest if path.startswith("fact:") else view.totals if name in view.totals else view.data
    value = known.get(name)
    return "unknown" if value is None else str(value)


def _in_order(option: Option) -> list[tuple[str, int]]:
    """Keys as people sort them: ``instalments-4`` before ``instalments-12``."""
    return [(words, int(number or 0)) for words, number in re.findall(r"(\D*)(\d*)", option.key)]


def _figures(option: Option) -> tuple[Any, ...]:
    return option.key, option.plan, option.promises, plain(dict(option.args))
