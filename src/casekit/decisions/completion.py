"""When a stage, or the plan, is complete, and everything that keeps it from being so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from casekit.decisions.items import Piece, Rule
from casekit.model.canonical import Json

if TYPE_CHECKING:
    from casekit.decisions.instances import Instances


@frozen
class Blocker:
    """One item that stands in the way.

    Attributes:
        item, instance: Which one.
        state: Its state.
        why: ``active``: it is being worked on; ``required``: nothing is complete without it.
        title: What people read.
        who: Role of those who work on it.
    """

    item: str
    instance: str
    state: str
    why: str
    title: str = ""
    who: str = ""


@frozen
class Completion:
    """Whether a stage, or the plan, could be completed, and whether it completes by itself.

    Attributes:
        blockers: Everything in the way; none: it is completable by hand.
        by_itself: Whether it completes now, without anyone asking.
    """

    blockers: tuple[Blocker, ...]
    by_itself: bool


def completes(plan: Instances, stage: str, *, auto: bool) -> bool:
    """Whether an instance of a stage completes by itself: :func:`judge`, up to the first thing that it finds."""
    if not auto and _offers(plan, stage):
        return False
    for piece, _, state in plan.within(stage):
        why, idle = _stands(plan, piece, state, stage)
        if why or (idle and not auto):
            return False
    return True


def judge(plan: Instances, stage: str, *, auto: bool) -> Completion:
    """Looks at everything that lies in an instance of a stage (empty: in the plan itself), in order.

    Whatever has ended, or never blocks, does not count. What is active blocks; so does what is required. What is
    still open and optional keeps the stage from completing by itself, unless it completes automatically.
    """
    blockers, should = [], auto or not _offers(plan, stage)
    for piece, instance, state in plan.within(stage):
        why, idle = _stands(plan, piece, state, stage)
        if why:
            blockers.append(Blocker(piece.id, instance, state["state"], why, piece.says.title, piece.says.who))
        should = should and (auto or not idle)
    return Completion(tuple(blockers), should and not blockers)


def _offers(plan: Instances, stage: str) -> bool:
    """Whether there is work that someone may still plan in; into a stage of the case's own, always."""
    item = stage.rpartition(".")[0] if stage else ""
    return item in plan.planning.offered or (bool(item) and plan.planning.pieces[item].local)


def _stands(plan: Instances, piece: Piece, state: Json, stage: str) -> tuple[str, bool]:
    """What of an item stands in the way (empty: nothing), and whether it is optional work that is still open."""
    blocks = piece.says.blocks
    if blocks == "never":
        return "", False
    completed = stage in plan.memory.get("done", {}).get(piece.id, ())
    if blocks == "until-first" and completed:
        return "", False
    now = state.get("was", state["state"])
    if now == "active":
        return "active", False
    if holds(plan, piece.required, state):
        # Of what is simply required and comes again, once is enough; a condition says how often.
        once = completed and piece.says.repeat is not None and piece.required is True
        return ("", True) if once else ("required", False)
    if blocks == "when-active":
        return "", False
    return "", now in ("available", "enabled")


def holds(plan: Instances, rule: Rule, state: Json) -> bool:
    """Whether a rule of an item holds for one of its instances."""
    if isinstance(rule, bool):
        return rule
    plan.run.inputs.counter = state.get("round", 1)
    return rule.holds(plan.run.inputs) is True
