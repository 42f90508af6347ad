"""Pictures of a case and its deadlines as other calendars read them: what the desk knows, made ready for drawing.

Nothing personal gets into a picture by itself: it shows ids, states, dates and what the case type says. The words of
objections and the titles of a case's own items are opened where the reader asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from casekit.decisions.clock_story import ClockStory
from casekit.decisions.compiled import Compiled
from casekit.decisions.explain import Explanation, Road
from casekit.decisions.instances import named
from casekit.decisions.itemwhy import Why
from casekit.decisions.orders import BLOCKED
from casekit.desk import asking, cases, deadlines, plans
from casekit.desk.planvalues import Branch, PlanItem, PlanView
from casekit.desk.turn import Turn
from casekit.errors import BadInput
from casekit.model.answers import Objection
from casekit.model.judged import Judged
from casekit.pictures.graph import Graph
from casekit.pictures.ical import Deadline, of_clock, of_item
from casekit.pictures.plan import Instance, LivePlan, plan_graph
from casekit.pictures.states import Live, Standing, state_graph
from casekit.pictures.timeline import Life, Timeline, timeline
from casekit.pictures.writing import FORMATS, written

KINDS = ("states", "plan", "deadlines")


def of_type(definition: Compiled, kind: str) -> Graph:
    """A picture of a case type.

    Raises:
        BadInput: no such kind, or one that only a case has.
    """
    if kind == "states":
        return state_graph(definition)
    if kind == "plan":
        return plan_graph(definition.says, definition.planning)
    what = "only a case has deadlines" if kind == "deadlines" else f"{kind!r} is no kind of picture"
    raise BadInput.at("kind", what, "take states or plan")


def of_case(turn: Turn, kind: str, at: str, texts: bool) -> Graph | Timeline:
    """A picture of a case.

    Raises:
        BadInput: no such kind.
    """
    if kind == "states":
        return state_graph(turn.definition, _live(turn, at, texts))
    if kind == "plan":
        view = _plan(turn)
        live = LivePlan(_name(turn), turn.file.zone, tuple(_instances(turn, view, texts)), view.suspended)
        return plan_graph(turn.definition.says, turn.run.plan.planning if turn.run.planned else turn.definition.planning, live)
    if kind == "deadlines":
        says = turn.definition.says
        title = f"{says.title} ({says.key} {says.version}): deadlines of case {_name(turn)}"
        return timeline(title, turn.file.zone, at, lives(turn, at), _instances(turn, _plan(turn), texts))
    raise BadInput.at("kind", f"{kind!r} is no kind of picture", "take one of " + ", ".join(KINDS))


def lives(turn: Turn, at: str) -> list[Life]:
    """The clocks that had started by a moment, with what entries left of them until then."""
    return [Life(story, tuple(one for one in told if one.at <= at)) for story, told in deadlines.lives(turn, at)]


def deadlines_of(turn: Turn, texts: bool) -> list[Deadline]:
    """The deadlines of a case that have, or had, a date."""
    says, case, zone = turn.definition.says, turn.stream.uuid, turn.file.zone
    name, words = f"{says.title} {_name(turn)}", (says.title,)
    found = [of_clock(case, name, life, words) for life in lives(turn, turn.effective.at)]
    found += [of_item(case, name, item, zone, words) for item in _instances(turn, _plan(turn), texts)]
    return [one for one in found if one is not None]


def _name(turn: Turn) -> str:
    number: str = turn.stream.head.get("number") or turn.stream.uuid
    return number


def _plan(turn: Turn) -> PlanView:
    return plans.view(turn.desk, turn.file, turn.run)


def _live(turn: Turn, at: str, texts: bool) -> Live:
    definition = turn.definition
    ways: dict[str, Standing] = {}
    remedies = asking.remedies_of(turn)
    for event in definition.ways:
        if event in definition.fired:
            ways |= _standings(definition, asking.explain_event(turn, event, {}, remedies), texts)
    stories: tuple[ClockStory, ...] = deadlines.every(turn, at)
    return Live(_name(turn), definition.active(turn.stream.head["machine"]["active"]), ways, stories)


def _standings(definition: Compiled, said: Explanation, texts: bool) -> dict[str, Standing]:
    """How each way that listens to an event stands, where the case is in a state of it."""
    found = {}
    for road in said.roads:
        if not road.here:
            continue
        lacking = [f"permission {p}" for p in said.lacking if p in (cases.DO.permission, road.allow)]
        blocked, unknown = [*_blocked(definition, road, texts), *lacking], [*_unknown(road)]
        wanted = [name for name, field in definition.says.transitions[road.transition].form.items() if field.required]
        if blocked:
            found[road.transition] = Standing("blocked", (*blocked, *unknown))
        elif unknown:
            found[road.transition] = Standing("unknown", tuple(unknown))
        else:
            found[road.transition] = Standing("possible", (f"with {', '.join(wanted)}",) if wanted else ())
    return found


def _blocked(definition: Compiled, road: Road, texts: bool) -> Iterator[str]:
    if road.when is not None and road.when.value is False:
        yield "its condition does not hold"
    yield from (_words(definition, judged, texts) for judged in road.requires if judged.met is False)
    yield from (str(objection) if texts else _named(objection) for objection in road.objections)


def _named(objection: Objection) -> str:
    """An objection without its words, for they may name people; one of the core about an item says which."""
    item = objection.args.get("key") if objection.rule == BLOCKED else None
    return f"{objection.rule}: {item}" if item else objection.rule


def _words(definition: Compiled, judged: Judged, texts: bool) -> str:
    """A requirement that is not met: in the words of the case type; those of a plugin only where texts are opened."""
    own = judged.key in definition.requirements
    return f"{judged.key}: {judged.unmet}" if judged.unmet and (own or texts) else judged.key


def _unknown(road: Road) -> Iterator[str]:
    if road.when is not None and road.when.value is None:
        yield "its condition can't be judged" + _without(road.when.missing)
    yield from (f"{judged.key} can't be judged{_without(judged.missing)}" for judged in road.requires if judged.met is None)


def _without(missing: tuple[str, ...]) -> str:
    return f" without {', '.join(missing)}" if missing else ""


def _instances(turn: Turn, view: PlanView, texts: bool) -> list[Instance]:
    """All that ever was in the plan of a case, the oldest first."""
    live = [_instance(turn, branch.item, texts, branch) for branch in _branches(view.items)]
    ended = [_instance(turn, item, texts) for item in view.ended]
    return sorted([*live, *ended], key=lambda one: (one.at, one.item, one.name))


def _branches(branches: Iterable[Branch]) -> Iterator[Branch]:
    for branch in branches:
        yield branch
        yield from _branches(branch.inner)


def _instance(turn: Turn, item: PlanItem, texts: bool, branch: Branch | None = None) -> Instance:
    # A title that does not come from the case type is sealed with the case.
    known = turn.definition.planning.pieces.get(item.item)
    title = known.says.title if known is not None else item.title or "" if texts else ""
    return Instance(
        item=item.item,
        name=item.name,
        title=title,
        state=item.state,
        stage=item.stage,
        at=item.at,
        ended=item.ended,
        due=item.due,
        overdue=branch.overdue if branch else False,
        blocks=tuple(_waits(branch.why)) if branch else (),
        n=item.n,
        kind=item.kind,
    )


def _waits(why: Why) -> Iterator[str]:
    for place, waiting in enumerate(why.waits):
        word = "or waits" if place else "waits"
        yield from (f"{word} for {event}" for event in waiting.missing)
        if waiting.when is not None and waiting.when.value is not True:
            yield f"{word} until [{waiting.when.text}] holds"
    for blocker in why.blockers:
        required = " and required" if blocker.why == "required" else ""
        yield f"blocked by {named(blocker.item, blocker.instance)}, which is {blocker.state}{required}"
    if why.rests:
        yield f"rests with {why.rests}"


__all__ = ["FORMATS", "KINDS", "deadlines_of", "of_case", "of_type", "written"]
