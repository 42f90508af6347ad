"""Approving what a requirement asks to be approved, and taking that back."""

from __future__ import annotations

from casekit.decisions.approvals import with_approval, without_approval
from casekit.decisions.compiled import rests_on
from casekit.desk.turn import Spec, Turn
from casekit.errors import BadInput

APPROVE = Spec("approve", "case.approve")


def approve(turn: Turn, requirement: str, *, withdraw: bool) -> None:
    """Decides on an approval: it counts with each of the permissions that the requirement asks for and the actor has.

    Raises:
        BadInput: no such requirement, it asks for no approval, it was approved by this actor already, or (to take it
            back) was not.
        Denied: the actor has none of the permissions.
    """
    asked = _asked(turn, requirement)
    actor, key = turn.call.actor, turn.definition.says.key
    turn.call.about["requirement"] = requirement
    given = turn.run.inputs.approvals
    mine = [permission for permission, actors in given.get(requirement, {}).items() if actor.name in actors]
    if withdraw:
        if not mine:
            raise BadInput.at("requirement", f"{actor.name} has not approved {requirement}", "nothing is to be done")
        turn.call.about["withdrawn"] = True
    else:
        may = [permission for permission in asked if turn.desk.grants.allowed(actor, permission, key)]
        if not may:
            turn.desk.bus.demand(actor, asked[0], key)
        if set(may) <= set(mine):
            raise BadInput.at("requirement", f"{actor.name} has approved {requirement} already", "nothing is to be done")
    turn.guard("approve", {"requirement": requirement}, requirement=requirement, withdraw=withdraw)
    if not turn.goes_on:
        return
    if withdraw:
        turn.run.inputs.approvals = without_approval(given, requirement, actor.name)
        turn.run.raise_(f"approval.{requirement}.withdrawn")
    else:
        mark = {"at": turn.effective.at, "entry": turn.n}
        turn.run.inputs.approvals = with_approval(given, requirement, may, actor.name, mark)
        turn.run.raise_(f"approval.{requirement}")


def _asked(turn: Turn, requirement: str) -> tuple[str, ...]:
    """The permissions with which a requirement asks to be approved, in order."""
    definition = turn.definition
    asked = definition.approved.get(requirement)
    if asked:
        return tuple(sorted(asked))
    if requirement in definition.says.requirements:
        inner = ", ".join(key for key in rests_on(definition.says, requirement) if key in definition.approved)
        do = f"approve what it rests on: {inner}" if inner else "nothing is to be approved"
        raise BadInput.at("requirement", f"{requirement!r} asks for no approval of its own", do)
    known = ", ".join(sorted(definition.approved)) or "none"
    raise BadInput.at(
        "requirement", f"{definition.says.key} has no requirement {requirement!r}", f"those that ask for an approval are: {known}"
    )
