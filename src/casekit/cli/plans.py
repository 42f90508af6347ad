"""The plan of a case, its items, and work lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Key, Observed, Reason, Since
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.planvalues import Branch, PlanView, TaskPage


def show(
    case: CaseRef,
    /,
    *,
    item: Annotated[str, Parameter(name="--item", help="Only this item: why it is where it is, and who could work on it.")] = "",
    as_of: Annotated[str, Parameter(name="--as-of", help="As it was known then: a day or an instant.")] = "",
    rounds: Annotated[bool, Parameter(name="--rounds", help="Every round so far: what was set, chosen, done and found.")] = False,
    common: Everywhere = HERE,
) -> int:
    """Shows the plan of a case: what lives, what blocks, what has ended."""
    from casekit.cli.looks import show_lines

    if sum(map(bool, (item, as_of, rounds))) > 1:
        raise BadInput.at("case plan", "--item, --as-of and --rounds ask for different things", "leave all but one of them out")
    with common.seat() as seat:
        if rounds:
            from casekit.cli.loop import show_rounds

            told = seat.rounds(case)
            return common.face.give({"rounds": told}, lambda out: show_rounds(out, told))
        if item:
            found = seat.explain_item(case, item)
            return common.face.give(found, lambda out: show_lines(out, found.lines()))
        plan = seat.plan(case, as_of=as_of or None)
        return common.face.give(plan, lambda out: _shown(out, plan))


def item(
    case: CaseRef,
    action: Annotated[
        str,
        Parameter(name="ACTION", help="start, complete, terminate, enable, disable, skip, suspend, resume, move, reopen or add."),
    ],
    named: Annotated[str, Parameter(name="ITEM", help="The item, or one instance of it (letter.2). None: the plan as a whole.")] = "",
    /,
    *,
    stage: Annotated[str, Parameter(name="--stage", help="Where to move it, or where an item of the case's own lies.")] = "",
    kind: Annotated[str, Parameter(name="--kind", help="Of an item of the case's own: task, milestone, stage, listener or timer.")] = "",
    title: Annotated[str, Parameter(name="--title", help="Of an item of the case's own: what people read; sealed.")] = "",
    due: Annotated[str, Parameter(name="--due", help="Of an item of the case's own: when it is due, from now (P7D).")] = "",
    who: Annotated[str, Parameter(name="--who", help="Of an item of the case's own: the role that works on it.")] = "",
    after: Annotated[tuple[str, ...], Parameter(name="--after", help="Of an item of the case's own: what it waits for. Repeatable.")] = (),
    required: Annotated[bool, Parameter(name="--required", help="Of an item of the case's own: nothing is complete without it.")] = False,
    reason: Reason = "",
    key: Key = "",
    effective: Since = "",
    observed: Observed = False,
    common: Everywhere = HERE,
) -> int:
    """Gives a command on an item of the plan."""
    from casekit.cli.working import give_done

    own: dict[str, Any] | None = {"kind": kind} if kind else None
    more = {"due": due and {"after": due}, "who": who, "entry": after and [{"on": [event]} for event in after], "required": required}
    given = {name: value for name, value in more.items() if value}
    if own is None and (given or title):
        raise BadInput.at("--kind", "is missing", "say what kind of item it is; one that the case type offers has its own record")
    with common.seat() as seat:
        done = seat.item(
            case,
            action,
            named,
            stage=stage,
            own=own and {**own, **given},
            title=title,
            reason=reason,
            key=key,
            effective=effective or None,
            observed=observed,
        )
        return give_done(common, done)


def list_tasks(
    *,
    who: Annotated[tuple[str, ...], Parameter(name="--who", help="Only tasks of this role; repeatable.")] = (),
    case_type: Annotated[tuple[str, ...], Parameter(name="--case-type", help="Only on cases of this type; repeatable.")] = (),
    due_before: Annotated[str, Parameter(name="--due-before", help="Only tasks that are due before this day or instant.")] = "",
    after: Annotated[str | None, Parameter(name="--after", help="Go on from an earlier page.")] = None,
    size: Annotated[int, Parameter(name="--size", help="Tasks on a page.")] = 50,
    common: Everywhere = HERE,
) -> int:
    """Lists tasks that wait to be done, the soonest due first."""
    with common.seat() as seat:
        page = seat.tasks(who, types=case_type, due_before=due_before or None, after=after, size=size)
        return common.face.give(page, lambda out: _listed(out, page))


def _listed(out: Console, page: TaskPage) -> None:
    from casekit.cli.looks import table

    rows = [
        (t.number or t.case, t.task.name, t.task.title, t.task.who, t.task.state, t.task.due) for t in (listed for listed in page.tasks)
    ]
    out.print(table(("case", "task", "title", "who", "state", "due"), rows))
    if page.more:
        out.print(f"There are more: --after {page.more}")


def _shown(out: Console, plan: PlanView) -> None:
    from casekit.cli.looks import heading, indented, show_objections, table

    if plan.suspended:
        out.print("The plan rests: casekit case item CASE resume lets it go on.")
    out.print(indented(table(("item", "title", "state", "who", "due", "waits for"), list(_rows(plan.items, 0)))))
    if plan.blockers:
        show_objections(out, "In the way of closing", plan.blockers)
    if plan.offered:
        out.print(f"May be added: {', '.join(plan.offered)}")
    if plan.ended:
        heading(out, "Ended")
        ended = [(item.name, item.title, item.state, item.ended, item.source, item.author, item.reason) for item in plan.ended]
        out.print(indented(table(("item", "title", "how", "when", "source", "by", "because"), ended)))


def _rows(branches: Iterable[Branch], depth: int) -> Iterator[tuple[Any, ...]]:
    for branch in branches:
        found = branch.item
        waits = " or ".join(", ".join(waiting.missing) or "its condition" for waiting in branch.why.waits)
        due = f"{found.due} (overdue)" if branch.overdue else found.due
        yield f"{'  ' * depth}{found.name}", found.title, found.state, found.who, due, waits
        yield from _rows(branch.inner, depth + 1)
