"""Why an item of a plan is where it is: what it waits for, what blocks it, what it can be given now."""

from __future__ import annotations

from attrs import frozen

from casekit.decisions.completion import Blocker, judge
from casekit.decisions.conditions import Explained
from casekit.decisions.instances import named
from casekit.decisions.items import WAITS, Criterion, Piece
from casekit.decisions.orders import LEGAL
from casekit.decisions.planning import Plan
from casekit.model.canonical import Json


@frozen
class Waiting:
    """One sentry that has not fired.

    Attributes:
        heard, missing: Events of it that were heard, and that were not.
        when: Its condition, explained; None: it has none.
    """

    heard: tuple[str, ...]
    missing: tuple[str, ...]
    when: Explained | None

    def lines(self) -> list[str]:
        """In words, one thought to a line."""
        found = [f"waits for {event}" for event in self.missing] + [f"has heard {event}" for event in self.heard]
        if self.when is not None and self.when.value is not True:
            found += self.when.lines()
        return found


@frozen
class Why:
    """Why one instance is in its state.

    Attributes:
        item, instance: Which one.
        state: Its state.
        waits: The sentries of which one must fire for it to open; none: it has opened, or waits for a person.
        blockers: Of a stage: what keeps it from being completed.
        can: Commands that are legal now.
        rests: With what it rests; empty: it does not.
    """

    item: str
    instance: str
    state: str
    waits: tuple[Waiting, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    can: tuple[str, ...] = ()
    rests: str = ""

    def lines(self) -> list[str]:
        """In words, one thought to a line."""
        found = [f"{named(self.item, self.instance)} is {self.state}" + (f" with {self.rests}" if self.rests else "")]
        for i, waiting in enumerate(self.waits):
            found += [f"  {'or ' if i else ''}{line}" for line in waiting.lines()]
        found += [f"  blocked by {named(b.item, b.instance)}, which is {b.state} ({b.why})" for b in self.blockers]
        return [*found, *([f"  it can be given: {', '.join(self.can)}"] if self.can else [])]


@frozen
class Absence:
    """Why no instance of an item lives.

    Attributes:
        item: Which item.
        reason: ``ended`` (it was there), ``stage`` (its stage is not active), ``offered`` (someone must plan it in),
            ``not-again`` (it does not come again after a reopening).
        stage: The stage that it needs; empty: none.
    """

    item: str
    reason: str
    stage: str = ""

    def lines(self) -> list[str]:
        """In words."""
        words = {
            "ended": f"{self.item} has ended",
            "stage": f"{self.item} is not in the plan: its stage {self.stage} is not active",
            "offered": f"{self.item} is not in the plan: someone must plan it in",
            "not-again": f"{self.item} is not in the plan: it does not come again",
        }
        return [words[self.reason]]


def why(plan: Plan, piece: Piece) -> tuple[Why, ...] | Absence:
    """Why an item is where it is: each live instance of it, or why there is none."""
    live = plan.each(piece.id)
    if live:
        return tuple(_why(plan, piece, instance, state) for instance, state in live)
    if plan.memory.get("made", {}).get(piece.id):
        return Absence(piece.id, "ended")
    inactive = [stage for stage in piece.chain if not any(state["state"] == "active" for _, state in plan.each(stage))]
    if inactive:
        return Absence(piece.id, "stage", inactive[0])
    return Absence(piece.id, "offered" if piece.says.discretionary else "not-again")


def legal(plan: Plan, piece: Piece, state: Json) -> tuple[str, ...]:
    """The commands that an instance in a state can be given."""
    if plan.suspended or plan.run.machine["category"] in ("closed", "cancelled"):
        return ()
    listens = ("available",) if piece.says.kind == "listener" else LEGAL["complete"]
    return tuple(action for action, states in LEGAL.items() if state["state"] in (listens if action == "complete" else states))


def _why(plan: Plan, piece: Piece, instance: str, state: Json) -> Why:
    name, now = named(piece.id, instance), state["state"]
    waits = tuple(_waiting(plan, name, state, criterion) for criterion in piece.entry) if state.get("was", now) in WAITS else ()
    blockers = judge(plan, name, auto=True).blockers if piece.says.kind == "stage" and now == "active" else ()
    return Why(piece.id, instance, now, waits, blockers, legal(plan, piece, state), state.get("by", ""))


def _waiting(plan: Plan, name: str, state: Json, criterion: Criterion) -> Waiting:
    seen = plan.seen(name, criterion)
    plan.run.inputs.counter = state.get("round", 1)
    return Waiting(
        tuple(event for i, event in enumerate(criterion.parts) if i in seen),
        tuple(event for i, event in enumerate(criterion.parts) if i not in seen),
        criterion.when.explain(plan.run.inputs) if criterion.when else None,
    )
