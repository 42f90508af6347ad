"""Why an item of a plan is not open, and why a clock does not run, as the tree that answers everything else."""

from __future__ import annotations

from collections.abc import Iterator

from casekit.decisions.conditions import Expression, Inputs
from casekit.decisions.instances import named
from casekit.decisions.items import WAITS, Criterion, Piece
from casekit.decisions.itemwhy import Absence, Why, why
from casekit.decisions.machine import Run
from casekit.decisions.parts import Read, clock_is
from casekit.decisions.remedies import Remedies
from casekit.decisions.requirements import Judging
from casekit.decisions.timers import Timer
from casekit.model.canonical import Json
from casekit.model.judged import Judged

OPEN = ("active", "enabled")
"""States in which an item can be worked on."""


def item_tree(run: Run, piece: Piece, instance: str, remedies: Remedies) -> Judged:
    """Whether an item can be worked on; what it waits for; of a stage that is open, what blocks it."""
    plan = run.plan
    live = [(name, state) for name, state in plan.each(piece.id) if instance in ("", name)]
    states = [state["state"] for _, state in live]
    listens = piece.says.kind in ("listener", "timer")
    wanted = ("available",) if listens else OPEN
    met = any(state in wanted for state in states)
    found = why(plan, piece)
    actual = ", ".join(states) or (found.reason if isinstance(found, Absence) else "ended")
    parts = (*_absent(found, run), *(part for name, state in live for part in _instance(run, piece, name, state)))
    helps = () if met or piece.says.kind == "milestone" else remedies.search(_is_open(piece.id, instance, wanted))
    if piece.says.kind == "milestone" and not plan.memory.get("done", {}).get(piece.id):
        helps = remedies.search(lambda inputs: bool(inputs.done.get(piece.id)))
    blocked = tuple(_blockers(found, instance, remedies))
    title = piece.says.title or piece.id
    args = {"name": piece.id, "title": title, "actual": actual}
    words = "{title} must be open: it is {actual}."
    return Judged("item", met, words, args, "", (), actual, " or ".join(wanted), helps, (*parts, *blocked))


def _is_open(item: str, instance: str, wanted: tuple[str, ...]) -> Read:
    def holds(inputs: Inputs) -> bool:
        return any(state["state"] in wanted for name, state in inputs.items.get(item, {}).items() if instance in ("", name))

    return holds


def _absent(found: tuple[Why, ...] | Absence, run: Run) -> Iterator[Judged]:
    if isinstance(found, Absence) and found.stage:
        states = ", ".join(state["state"] for _, state in run.plan.each(found.stage)) or "not there"
        title = run.plan.planning.pieces[found.stage].says.title or found.stage
        args = {"name": found.stage, "title": title, "actual": states}
        yield Judged("item", False, "The stage {title} must be active: it is {actual}.", args, "", (), states, "active")


def _instance(run: Run, piece: Piece, instance: str, state: Json) -> Iterator[Judged]:
    name = named(piece.id, instance)
    if state["state"] in WAITS and piece.entry:
        sentries = tuple(_sentry(run, name, state, criterion) for criterion in piece.entry)
        met = any(sentry.met for sentry in sentries)
        words = "One of {of} sentries of {name} must fire." if len(sentries) > 1 else "The sentry of {name} must fire."
        yield Judged("any", met, words, {"of": len(sentries), "name": name}, parts=sentries)
    if state["state"] == "suspended":
        yield Judged("item", False, "{name} rests with {by}.", {"name": name, "by": state["by"]}, actual="suspended", needed=state["was"])


def _sentry(run: Run, name: str, state: Json, criterion: Criterion) -> Judged:
    seen = run.plan.seen(name, criterion)
    heard = tuple(
        Judged("event", i in seen, "{event} must be heard.", {"event": event}, actual="heard" if i in seen else "not heard", needed="heard")
        for i, event in enumerate(criterion.parts)
    )
    run.inputs.counter = state.get("round", 1)
    guard = () if criterion.when is None else (Judging(run.definition, run.inputs).expression(criterion.when),)
    parts = (*heard, *guard)
    values = [part.met for part in parts]
    met = False if False in values else None if None in values else True
    missing = tuple(name for part in guard if part.met is not True for name in part.missing)
    return Judged("all", met, "All {of} of these must come about.", {"of": len(parts)}, "", missing, parts=parts)


def _blockers(found: tuple[Why, ...] | Absence, instance: str, remedies: Remedies) -> Iterator[Judged]:
    for one in () if isinstance(found, Absence) else found:
        for blocker in one.blockers if instance in ("", one.instance) else ():
            name = named(blocker.item, blocker.instance)
            args = {"name": name, "title": blocker.title or blocker.item, "actual": blocker.state, "why": blocker.why}
            words = "{title} keeps it from being complete: it is {actual}."
            helps = remedies.search(_gone(blocker.item, blocker.instance))
            yield Judged("item", False, words, args, "", (), blocker.state, "completed", helps)


def _gone(item: str, instance: str) -> Read:
    return lambda inputs: instance not in inputs.items.get(item, {})


def clock_tree(run: Run, timer: Timer, remedies: Remedies) -> Judged:
    """Whether a clock runs: its conditions, in the order in which they are looked at."""
    live = run.inputs.clocks.get(timer.id, {})
    states = [state["status"] for _, state in sorted(live.items())]
    ended = list(run.inputs.ended.get(timer.id, ()))
    running = "running" in states
    actual = ", ".join(states or ended) or "not started"
    due = min((state["due"] for state in live.values() if state.get("due")), default=None)
    args = {"name": timer.id, "title": timer.says.title or timer.id, "actual": actual, "due": due}
    words = "The clock {title} must run: it is {actual}." if not due else "The clock {title} must run: it is {actual}, due {due}."
    helps = () if running else remedies.search(clock_is(timer.id, "running"))
    return Judged("clock", running, words, args, "", (), actual, "running", helps, tuple(_conditions(run, timer, bool(live))))


def _conditions(run: Run, timer: Timer, live: bool) -> Iterator[Judged]:
    judging = Judging(run.definition, run.inputs)
    if run.rests:
        yield Judged("state", False, "The case rests as a whole.", actual="suspended", needed="resumed")
    reset = timer.terms.reset if timer.terms is not None else None
    for name, condition in (("cancel", timer.cancel), ("stop", timer.stop), ("reset", reset), ("pause", timer.pause)):
        if condition is not None and (live or name != "reset"):
            yield _none(name, condition, judging)
    if timer.start is not None:
        tree = judging.expression(timer.start)
        args = {"condition": timer.start.text}
        yield Judged("all", tree.met, "It starts when: {condition}", args, "", tree.missing if not tree.met else (), parts=(tree,))
    for field in (timer.says.due, timer.says.anchor.field if timer.says.anchor else ""):
        if field:
            known = run.inputs.data.get(field) is not None
            missing = () if known else (field,)
            yield Judged("field", known, "{name} must be known: it counts from there.", {"name": field}, "", missing)


def _none(name: str, condition: Expression, judging: Judging) -> Judged:
    tree = judging.expression(condition)
    said = {"cancel": "cancelled", "stop": "met", "reset": "reset", "pause": "paused"}[name]
    met = None if tree.met is None else not tree.met
    args = {"how": said, "condition": condition.text}
    # What is not known ends and pauses nothing.
    return Judged("none", True if met is None else met, "It is {how} when: {condition}", args, "", (), parts=(tree,))
