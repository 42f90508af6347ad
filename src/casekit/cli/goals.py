"""Goals: set and given up, shown for a case, listed over many."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Key, Reason
from casekit.errors import BadInput
from casekit.model.goals import Want

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.loopvalues import GoalPage, ListedGoal
    from casekit.model.goals import Goal as Wanted
    from casekit.model.goals import Progress

Goal = Annotated[str, Parameter(name="GOAL", help="Its key within the case.")]


def set_goal(
    case: CaseRef,
    goal: Goal,
    measure: Annotated[str, Parameter(name="MEASURE", help="An expression over the case, such as balance or fact('income.monthly').")],
    target: Annotated[str, Parameter(name="TARGET", help="What it is to come to: money, a number, a day, true or false.")],
    /,
    *,
    want: Annotated[Want, Parameter(name="--want", help="at-least, at-most or exactly.")] = "at-least",
    by: Annotated[str, Parameter(name="--by", help="The day until whose end it is to be reached.")] = "",
    owner: Annotated[str, Parameter(name="--owner", help="The role that answers for it.")] = "",
    title: Annotated[str, Parameter(name="--title", help="What people read; sealed with the case.")] = "",
    reason: Reason = "",
    key: Key = "",
    common: Everywhere = HERE,
) -> int:
    """Sets a goal of a case, or words it anew."""
    from casekit.cli.working import give_done

    more: dict[str, Any] = {"want": want, "by": by, "owner": owner, "title": title, "reason": reason, "key": key}
    with common.seat() as seat:
        return give_done(common, seat.set_goal(case, goal, measure, _target(target), **more))


def drop(case: CaseRef, goal: Goal, /, *, reason: Reason = "", key: Key = "", common: Everywhere = HERE) -> int:
    """Gives a goal up."""
    from casekit.cli.working import give_done

    with common.seat() as seat:
        return give_done(common, seat.drop_goal(case, goal, reason=reason, key=key))


def show(
    case: CaseRef,
    /,
    *,
    as_of: Annotated[str, Parameter(name="--as-of", help="As it was known then: a day or an instant.")] = "",
    common: Everywhere = HERE,
) -> int:
    """Shows the goals of a case, each with how far it has come, and as of when."""
    with common.seat() as seat:
        found = seat.goals(case, as_of=as_of or None)

    def words(out: Console) -> None:
        if found:
            show_goals(out, found)
        else:
            out.print("No goal is set.")

    return common.face.give({"goals": found}, words)


def list_goals(
    *,
    owner: Annotated[tuple[str, ...], Parameter(name="--owner", help="Only goals of this role; repeatable.")] = (),
    case_type: Annotated[tuple[str, ...], Parameter(name="--case-type", help="Only on cases of this type; repeatable.")] = (),
    overdue: Annotated[bool, Parameter(name="--overdue", help="Only goals whose day is over.")] = False,
    due_before: Annotated[str, Parameter(name="--due-before", help="Only goals whose day is over by this day or instant.")] = "",
    after: Annotated[str | None, Parameter(name="--after", help="Go on from an earlier page.")] = None,
    size: Annotated[int, Parameter(name="--size", help="Goals on a page.")] = 50,
    common: Everywhere = HERE,
) -> int:
    """Lists goals that are not reached on open cases, the soonest due first, as their last entries left them."""
    if overdue and due_before:
        raise BadInput.at("--overdue", "means --due-before now", "leave one of the two out")
    with common.desk() as desk, common.seat_at(desk) as seat:
        before = desk.now() if overdue else due_before or None
        page = seat.open_goals(owner, types=case_type, due_before=before, after=after, size=size)
        return common.face.give(page, lambda out: _listed(out, page))


def show_goals(out: Console, goals: Iterable[Progress]) -> None:
    """Goals with how far they have come."""
    from casekit.cli.looks import indented, table, text

    words = {True: "reached", False: "not yet", None: "not known"}
    several = list(goals)
    rows = [(_named(p.goal), _what(p.goal), p.value, "missed" if p.missed else words[p.reached], p.goal.by, p.goal.owner) for p in several]
    out.print(indented(table(("goal", "what", "now", "stands", "by", "owner"), rows)))
    out.print(indented(text(f"as of {max(p.at for p in several)}", "dim")))


def _listed(out: Console, page: GoalPage) -> None:
    from casekit.cli.looks import table

    rows = [(g.number or g.case, _named(g.goal), _what(g.goal), _by(g), g.goal.owner, g.status, g.since) for g in page.goals]
    out.print(table(("case", "goal", "what", "by", "owner", "stands", "since"), rows))
    if page.more:
        out.print(f"There are more: --after {page.more}")


def _named(goal: Wanted) -> str:
    return f"{goal.key}\n{goal.title}" if goal.title else goal.key


def _what(goal: Wanted) -> str:
    return f"{goal.measure} {goal.want} {goal.target}"


def _by(listed: ListedGoal) -> str:
    return f"{listed.goal.by} (overdue)" if listed.overdue else listed.goal.by


def _target(text: str) -> Any:
    """The target as a number or a truth where it looks like one, else as it stands."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?[0-9]{1,16}", text) else text
