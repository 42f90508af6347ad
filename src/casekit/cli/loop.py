"""The loop of planning: a fresh look, reviews, adjustments, and the rounds so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Key, Reason, Since

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.loopvalues import Look, Review, Round
    from casekit.model.answers import Adjustment


def look(case: CaseRef, /, *, common: Everywhere = HERE) -> int:
    """Says what a review would find now, how far the goals have come, and which changes are proposed."""
    with common.seat() as seat:
        found = seat.look(case)
    return common.face.give(found, lambda out: show_look(out, found))


def review(
    case: CaseRef,
    text: Annotated[str, Parameter(name="TEXT", help="What was seen, in words; sealed with the case.")] = "",
    /,
    *,
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Records that a case was looked at again: findings, goals, and words."""
    from casekit.cli.working import give_done

    with common.seat() as seat:
        return give_done(common, seat.review(case, text, key=key, effective=effective or None))


def adjust(
    case: CaseRef,
    adjustment: Annotated[str, Parameter(name="ADJUSTMENT", help="Its key, as case look says it.")],
    /,
    *,
    reason: Reason = "",
    key: Key = "",
    common: Everywhere = HERE,
) -> int:
    """Takes a change that a review proposes: its goals are set or given up, its option is chosen."""
    from casekit.cli.working import give_done

    with common.seat() as seat:
        return give_done(common, seat.adjust(case, adjustment, reason=reason, key=key))


def show_look(out: Console, found: Look) -> None:
    """What a fresh look comes to."""
    from casekit.cli.goals import show_goals
    from casekit.cli.looks import heading, show_findings

    show_findings(out, found.findings)
    if not found.findings:
        out.print("Nothing was found.")
    if found.goals:
        heading(out, "Goals")
        show_goals(out, found.goals)
    _proposed(out, found.adjustments)


def show_rounds(out: Console, rounds: Iterable[Round]) -> None:
    """The rounds of a case, one after the other."""
    from casekit.cli.looks import heading, indented, table, text
    from casekit.cli.pages import show_timeline

    shown = False
    for found in rounds:
        heading(out, f"Round {found.number}, entries {found.first} to {found.last}")
        out.print(indented(text(f"{found.since} to {found.until}", "dim")))
        show_timeline(out, found.steps)
        if found.items:
            items = [(i.name, i.title, i.state, i.due, i.source, i.author) for i in found.items]
            out.print(indented(table(("item", "title", "then", "due", "source", "by"), items)))
        if found.review:
            _reviewed(out, found.review)
        shown = True
    if not shown:
        out.print("No goal was set, nothing chosen, planned or reviewed.")


def _reviewed(out: Console, review: Review) -> None:
    from casekit.cli.looks import heading, indented, show_findings, table

    heading(out, "Found")
    show_findings(out, review.findings)
    if review.goals:
        words = {True: "reached", False: "open", None: "unknown"}
        goals = [(stood.goal, "missed" if stood.missed else words[stood.reached]) for stood in review.goals]
        out.print(indented(table(("goal", "stood"), goals)))
    _proposed(out, review.adjustments)


def _proposed(out: Console, adjustments: Iterable[Adjustment]) -> None:
    from rich.text import Text

    from casekit.cli.looks import facts, heading, indented, said

    several = list(adjustments)
    if not several:
        return
    heading(out, "Proposed")
    for adjustment in several:
        line = Text(f"{adjustment.key}  ", "bold")
        line.append(said(adjustment.text), "not bold")
        out.print(indented(line))
        more = [("chooses", adjustment.option), ("sets", [goal.key for goal in adjustment.goals]), ("gives up", adjustment.drop)]
        more += [("because", "; ".join(adjustment.because)), ("says", adjustment.signed_by)]
        out.print(indented(facts((name, value) for name, value in more if value), 4))
