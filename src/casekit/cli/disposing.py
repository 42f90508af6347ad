"""Keeping and destroying: what is due, disposal lists, holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.face import DONE, REFUSED
from casekit.cli.options import CaseRef

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.disposals import DisposalList, Due
    from casekit.desk.holds import Hold

Types = Annotated[tuple[str, ...], Parameter(name="--case-type", help="Only cases of this case type; repeatable.")]
ListId = Annotated[str, Parameter(name="LIST", help="The list, such as D-1.")]
HoldName = Annotated[str, Parameter(name="NAME", help="What the hold is called: no person's name, for refusals say it.")]


def list_due(
    *,
    case_type: Types = (),
    on: Annotated[str, Parameter(name="--on", help="What is due on that day. Default: today.")] = "",
    everything: Annotated[bool, Parameter(name="--all", help="Every closed case for which there is a rule, due or not.")] = False,
    common: Everywhere = HERE,
) -> int:
    """Shows the closed cases whose time is over, each with rule, days and holds; the oldest first."""
    with common.seat() as seat:
        found = seat.due_for_disposal(case_type, on=on or None, everything=everything)
    return common.face.give({"due": found}, lambda out: _show_due(out, found))


def retention(case: CaseRef, /, *, common: Everywhere = HERE) -> int:
    """Shows how long a case is kept, rule by rule, and what holds it."""
    with common.seat() as seat:
        found = seat.retention(case)

    def words(out: Console) -> None:
        from casekit.cli.looks import facts, indented

        rows = [(name, getattr(found, name)) for name in ("standing", "rule", "end", "base", "until", "citation")]
        out.print(facts([(name, value) for name, value in [*rows, ("held by", ", ".join(found.holds))] if value]))
        out.print(indented(facts([(part.rule, part.why) for part in found.parts])))

    return common.face.give(found, words)


def propose(
    cases: Annotated[tuple[str, ...], Parameter(name="CASE", help="Cases, by id or number. Default: all that may be destroyed.")] = (),
    /,
    *,
    common: Everywhere = HERE,
) -> int:
    """Proposes a list of cases to be destroyed. What is due for a review is on it only where it is named."""
    with common.seat() as seat:
        return _give(common, seat.propose_disposal(cases))


def approve(name: ListId, /, *, common: Everywhere = HERE) -> int:
    """Approves a list that somebody else has proposed."""
    with common.seat() as seat:
        return _give(common, seat.approve_disposal(name))


def withdraw(name: ListId, /, *, common: Everywhere = HERE) -> int:
    """Takes back a list: what waits on it is not destroyed by it."""
    with common.seat() as seat:
        return _give(common, seat.withdraw_disposal(name))


def run(name: ListId, /, *, common: Everywhere = HERE) -> int:
    """Destroys what waits on an approved list, for good; exit code 1 where something is in the way of a case."""
    from casekit.cli.looks import show_objections

    with common.seat() as seat:
        done = seat.run_disposal(name)

    def words(out: Console) -> None:
        out.print(f"{len(done.disposed)} cases are gone, {len(done.kept)} were kept.")
        for kept in done.kept:
            show_objections(out, str(kept.number or kept.case), kept.objections)
        if not done.complete:
            out.print("Copies of what was destroyed may still lie in the files: a reader was in the way. Run the list again.")

    return common.face.give(done, words, REFUSED if done.kept else DONE)


def get(
    name: Annotated[str, Parameter(name="LIST", help="The list, such as D-1. Default: which lists there are.")] = "",
    /,
    *,
    common: Everywhere = HERE,
) -> int:
    """Shows a disposal list, and what became of each case on it; without a name, which lists there are."""
    from casekit.cli.looks import table

    with common.seat() as seat:
        if name:
            return _give(common, seat.disposal(name))
        found = seat.disposals()
    columns = ("list", "status", "cases", "proposed by", "approved by")
    rows = [[one.id, one.status, len(one.cases), one.proposed_by, one.approved_by] for one in found]
    shown = table(columns, rows, right=("cases",)) if rows else "There are no disposal lists."
    return common.face.give({"lists": found}, lambda out: out.print(shown))


def place(
    name: HoldName,
    /,
    *,
    case: Annotated[tuple[str, ...], Parameter(name="--case", help="A case that it covers; repeatable.")] = (),
    party: Annotated[tuple[str, ...], Parameter(name="--party", help="A party that it covers, with all its cases; repeatable.")] = (),
    case_type: Annotated[tuple[str, ...], Parameter(name="--case-type", help="A case type that it covers; repeatable.")] = (),
    opened_from: Annotated[str, Parameter(name="--opened-from", help="Of case types: only cases opened on that day or later.")] = "",
    opened_until: Annotated[str, Parameter(name="--opened-until", help="Of case types: only cases opened on that day or before.")] = "",
    reason: Annotated[str, Parameter(name="--reason", help="Why; sealed.")],
    authority: Annotated[str, Parameter(name="--authority", help="Who or what demands it; sealed.")] = "",
    common: Everywhere = HERE,
) -> int:
    """Places a legal hold: what it covers is not deleted by anybody until it is lifted."""
    days = {"opened_from": opened_from, "opened_until": opened_until}
    with common.seat() as seat:
        held = seat.place_hold(name, cases=case, parties=party, types=case_type, **days, reason=reason, authority=authority)
    return common.face.give({"hold": held}, lambda out: _show_holds(out, [held]))


def lift(
    name: HoldName,
    /,
    *,
    reason: Annotated[str, Parameter(name="--reason", help="Why; sealed.")],
    common: Everywhere = HERE,
) -> int:
    """Lifts a hold; that it stood stays on record."""
    with common.seat() as seat:
        held = seat.lift_hold(name, reason=reason)

    def words(out: Console) -> None:
        _show_holds(out, [held])
        for one in held.stopped:
            out.print(f"It had stopped {one.command} {one.what}, asked for by {one.by}: ask again.")

    return common.face.give({"hold": held}, words)


def list_holds(*, common: Everywhere = HERE) -> int:
    """Shows the holds, those that were lifted too."""
    with common.seat() as seat:
        found = seat.holds()
    return common.face.give({"holds": found}, lambda out: _show_holds(out, found))


def _give(common: Everywhere, found: DisposalList) -> int:
    def words(out: Console) -> None:
        from casekit.cli.looks import facts, indented, table

        rows = [("status", found.status), ("proposed", f"{found.proposed} by {found.proposed_by}")]
        rows += [("approved", f"{found.approved} by {found.approved_by}")] if found.approved else []
        rows += [("withdrawn by", found.withdrawn_by)] if found.withdrawn_by else []
        out.print(f"Disposal list {found.id}")
        out.print(indented(facts(rows)))
        cases = [[one.number or one.case, one.type, one.rule, one.until or "", one.became] for one in found.cases]
        out.print(table(("case", "type", "rule", "kept until", "became"), cases))

    return common.face.give(found, words)


def _show_due(out: Console, found: Sequence[Due]) -> None:
    from casekit.cli.looks import table

    if not found:
        out.print("Nothing is due.")
        return
    columns = ("case", "type", "closed", "rule", "kept until", "then", "standing", "held by")
    rows: list[list[Any]] = [
        [one.number or one.case, one.type, one.closed, one.rule, one.until or "", one.end, one.standing, ", ".join(one.holds)]
        for one in found
    ]
    out.print(table(columns, rows))


def _show_holds(out: Console, found: Sequence[Hold]) -> None:
    from casekit.cli.looks import table

    if not found:
        out.print("There are no holds.")
        return
    rows = [[one.name, _covered(one), one.placed[:10], one.by, one.reason, one.authority, one.lifted or ""] for one in found]
    out.print(table(("hold", "covers", "placed", "by", "reason", "authority", "lifted"), rows))


def _covered(hold: Hold) -> str:
    scope = hold.scope
    parts = [f"{len(several)} {word}" for word, several in (("cases", scope.cases), ("parties", scope.parties)) if several]
    days = f" opened {scope.opened_from or '…'} to {scope.opened_until or '…'}" if scope.opened_from or scope.opened_until else ""
    return "; ".join([*parts, *([", ".join(scope.types) + days] if scope.types else [])])


__all__ = ["approve", "get", "lift", "list_due", "list_holds", "place", "propose", "retention", "run", "withdraw"]
