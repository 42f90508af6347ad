"""Questions to the rules: what is there to find, which options are there, may I, why not. They leave no trace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve

from casekit.__about__ import __version__
from casekit.decisions import explain, orders
from casekit.decisions.explain import Explanation, Obstacle, Road, tree_of
from casekit.decisions.itemwhy import why
from casekit.decisions.remedies import Remedies
from casekit.decisions.whytrees import clock_tree, item_tree
from casekit.desk import cases, plans, records
from casekit.desk.bus import resolve
from casekit.desk.levels import CASE
from casekit.desk.turn import Call, Spec, Turn
from casekit.desk.values import Options
from casekit.errors import BadInput, Denied, PluginFailed
from casekit.model.actor import Actor
from casekit.model.answers import Finding, Objection, Option, Verdict
from casekit.model.canonical import plain
from casekit.model.judged import Judged
from casekit.plugins.catalogue import Asked, collect_any

if TYPE_CHECKING:
    from casekit.desk.desk import Desk
    from casekit.desk.work import Work

ASSESS = Spec("assess", "case.assess")
PLAN = Spec("options", "case.plan")
CHECK = Spec("check", "case.read")
EXPLAIN = Spec("explain", "case.read")

FAILED = "casekit.plugin-failed"
"""Rule of the finding that a plugin could not be asked."""


def turn_for(desk: Desk, actor: Actor, spec: Spec, case: str, batch: Work | None = None) -> Turn:
    """A turn that is never written: the case now, its due clocks having spoken.

    Args:
        desk, actor, spec, case: Who asks what, and of which case.
        batch: The batch in which it is asked: a denied attempt is written down in it. The case is read as it stands.

    Raises:
        NotFound: there is no such case.
        Denied: the actor may not ask.
    """
    call = Call(spec, actor)
    work = desk.work(desk.shelf(actor.tenant))
    recorded = work.now()
    stream = work.stream(case, "case")
    desk.levels.demand(actor, stream.head, case)
    desk.bus.authorise(call, stream.head["type"], case, batch)
    if CASE in stream.head.get("levels", ()):
        desk.reads.tell(actor, case, spec.name)
    definition = desk.library.pinned(work.shelf, stream.head["definition"])
    when = resolve(None, recorded, stream.head["zone"])
    desk.bus.tick(work, stream, definition, max(stream.head["time"], when.at), recorded)
    return Turn(desk, call, work, stream, definition, when)


def assess(turn: Turn, failed: list[Finding] | None = None) -> tuple[Finding, ...]:
    """What plugins find, sorted by plugin and rule, each with the values that it rests on.

    Args:
        turn: The case.
        failed: Gets a finding for each plugin that could not be asked, which stands among those of the others. None: what
            is decided rests on the findings of all, and the first that fails ends it.

    Raises:
        PluginFailed: one of them failed.
    """
    found: list[Finding] = []
    for asked in turn.desk.catalogue.implementations("casekit_assess", turn.definition.says.key):
        found += kept(asked, (Finding,), failed, view=turn.view(of=asked.plugin.name))
    found += failed or ()
    return tuple(because(turn, finding) for finding in sorted(found, key=lambda f: (f.plugin, f.rule)))


def kept(asked: Asked, kinds: tuple[type[Any], ...], failed: list[Finding] | None, **arguments: Any) -> list[Any]:
    """What one plugin answers; where it fails and that is gathered, nothing.

    Raises:
        PluginFailed: it failed, and that is not gathered.
    """
    try:
        return collect_any(asked, kinds, **arguments)
    except PluginFailed as wrong:
        if failed is None:
            raise
        words = "{plugin} could not be asked, so something may be missing here: {failed}"
        failed.append(
            Finding(FAILED, words, args={"plugin": asked.plugin.name, "failed": str(wrong)}, plugin="casekit", version=__version__)
        )
        return []


def because(turn: Turn, finding: Finding) -> Finding:
    """The finding with the values that it rests on."""
    return evolve(finding, because=finding.because or tuple(f"{path} = {_value(turn, path)}" for path in finding.inputs))


def options(turn: Turn, failed: list[Finding] | None = None) -> Options:
    """Which ways there are to go on, sorted by plugin and key.

    Args:
        turn: The case.
        failed: Gets a finding for each plugin that could not be asked; None: the first such one ends it.

    Raises:
        PluginFailed: a plugin failed, or two options have one key.
    """
    findings = assess(turn, failed)
    found: dict[str, Option] = {}
    for asked in turn.desk.catalogue.implementations("casekit_plan", turn.definition.says.key):
        answered = kept(asked, (Option,), failed, view=turn.view(of=asked.plugin.name), findings=findings)
        for option in sorted(answered, key=_in_order):
            if option.key in found:
                raise PluginFailed(f"the option {option.key!r} is offered by {found[option.key].plugin} and by {option.plugin}")
            found[option.key] = option
    return Options((*findings, *(one for one in failed or () if one not in findings)), found)


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
        if not turn.desk.discreet:
            given = plain(dict(fields), event)
            cases.stand_against(turn, turn.run.enabled(event, given), given)
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


def explain_event(turn: Turn, event: str, fields: Mapping[str, Any], remedies: Remedies | None = None) -> Explanation:
    """Everything in the way of an event, and who could bring it about; ``remedies`` are shared by several questions.

    Raises:
        BadInput: the case type has no such event.
    """
    definition = turn.definition
    if event not in definition.fired:
        known = ", ".join(sorted(definition.fired)) or "none"
        raise BadInput.at("event", f"{definition.says.key} has no event {event!r}", f"its events are: {known}")
    remedies = remedies or remedies_of(turn)
    found = _roads(turn, [event], fields, remedies)
    return _answer(turn, "event", event, cases.DO, found, tree_of(found, turn.run, remedies))


def explain_closing(turn: Turn, outcome: str) -> Explanation:
    """Everything in the way of closing, with one outcome or with any, and who could.

    Raises:
        BadInput: no event closes the case so.
    """
    ways = cases.closing_ways(turn, outcome or None)
    remedies = remedies_of(turn)
    roads = [r for r in _roads(turn, dict.fromkeys(w.event for w in ways), {}, remedies) if r.transition in {w.key for w in ways}]
    # Of each outcome, what counts is the way that closing would take.
    goes = {cases.closing_way(turn, one, {}).key for one in dict.fromkeys(w.outcome for w in ways)}
    found = [evolve(road, taken=road.taken and road.transition in goes) for road in roads]
    open_ = [road for road in found if road.taken and road.open]
    shown = open_[:1] or found
    return _answer(turn, "closing", outcome, cases.CLOSE, shown, tree_of(shown, turn.run, remedies), roads=found)


def explain_item(turn: Turn, item: str) -> Explanation:
    """Why an item is where it is, and who could work on it.

    Raises:
        BadInput: the plan has no such item.
    """
    piece, instance = orders.find(turn.run.plan, item)
    found = why(turn.run.plan, piece)
    if isinstance(found, tuple) and instance:
        found = tuple(one for one in found if one.instance == instance)
    tree = item_tree(turn.run, piece, instance, remedies_of(turn))
    against: tuple[Obstacle, ...] = () if tree.met else ("state",)
    return _finished(turn, Explanation("item", item, _state(turn), tree, (), found, plans.needs_of(piece), obstacles=against))


def explain_running(turn: Turn, clock: str) -> Explanation:
    """Why a clock runs, or does not: its conditions in the order in which they are looked at.

    Raises:
        BadInput: the case type has no such clock.
    """
    if clock not in turn.definition.says.clocks:
        known = ", ".join(turn.definition.says.clocks) or "none"
        raise BadInput.at("clock", f"{turn.definition.says.key} has no clock {clock!r}", f"its clocks are: {known}")
    tree = clock_tree(turn.run, turn.definition.timer(clock), remedies_of(turn))
    against: tuple[Obstacle, ...] = () if tree.met else ("state",)
    return _finished(turn, Explanation("clock", clock, _state(turn), tree, obstacles=against))


def remedies_of(turn: Turn) -> Remedies:
    """What finds remedies for a case as it stands."""
    key, grants = turn.definition.says.key, turn.desk.grants
    return Remedies(turn.run, lambda permissions: grants.who(permissions, key))


def _roads(turn: Turn, events: Iterable[str], fields: Mapping[str, Any], remedies: Remedies) -> list[Road]:
    given = plain(dict(fields), "event")
    known = dict.fromkeys(events)
    foreign = turn.foreign(dict.fromkeys(need for event in known for way in turn.definition.ways[event] for need in way.needs))
    found = []
    for event in known:
        roads = explain.roads(turn.definition, turn.run, event, given, foreign)
        for road in roads:
            helped = explain.helped(turn.definition, road.requires, remedies)
            found.append(evolve(road, requires=helped, objections=tuple(_against(turn, event, road, fields))))
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


def _answer(
    turn: Turn,
    subject: Literal["event", "closing"],
    name: str,
    spec: Spec,
    found: list[Road],
    tree: Judged,
    *,
    roads: list[Road] | None = None,
) -> Explanation:
    asked = [road for road in found if road.taken] or [road for road in found if road.here] or found
    needs = tuple(dict.fromkeys([spec.permission, *(road.allow for road in asked if road.allow)]))
    shown = tuple(found if roads is None else roads)
    return _finished(turn, Explanation(subject, name, _state(turn), tree, shown, None, needs, obstacles=explain.obstacles_of(found)))


def _finished(turn: Turn, found: Explanation) -> Explanation:
    """The explanation with who could; permission is judged last, beside what is so."""
    key, grants = turn.definition.says.key, turn.desk.grants
    lacking = tuple(p for p in found.needs if not grants.allowed(turn.call.actor, p, key))
    obstacles = (*found.obstacles, "permission") if lacking else found.obstacles
    who = grants.who(found.needs, key) if found.needs else ()
    known = {permission: grants.who((permission,), key) for permission in found.needs}
    answer = evolve(found, lacking=lacking, obstacles=obstacles, who=who, grants=known)
    return explain.kept_back(answer) if turn.desk.discreet else answer


def _state(turn: Turn) -> tuple[str, ...]:
    return tuple(turn.run.machine["active"])


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
