"""Deadlines of a case: what they are, how they came about, and more time for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Key, Reason

if TYPE_CHECKING:
    from rich.console import Console

At = Annotated[str, Parameter(name="--at", help="The moment asked about: a day, or an instant with its zone. Default: now.")]
Clock = Annotated[str, Parameter(name="CLOCK", help="The clock, as the case type names it.")]
Instance = Annotated[str, Parameter(name="--instance", help="Which instance, where there are several.")]


def clocks(case: CaseRef, /, *, at: At = "", common: Everywhere = HERE) -> int:
    """Shows every deadline that had started by a moment: when it is due, whether it is breached, what is used up."""
    with common.seat() as seat:
        found = seat.clocks(case, at=at or None)

    def words(out: Console) -> None:
        from casekit.cli.looks import show_lines

        for story in found:
            show_lines(out, story.lines()[:1])
        if not found:
            out.print("No clock had started.")

    return common.face.give({"clocks": found}, words)


def explain_clock(case: CaseRef, clock: Clock, /, *, instance: Instance = "", at: At = "", common: Everywhere = HERE) -> int:
    """Shows how the date of a deadline was computed, day by day, why it moved and which entry moved it."""
    with common.seat() as seat:
        found = seat.explain_clock(case, clock, instance, at=at or None)

    def words(out: Console) -> None:
        from casekit.cli.looks import show_lines

        for story in found:
            show_lines(out, story.lines())
        if not found:
            out.print("It has not started.")

    return common.face.give({"clocks": found}, words)


def extend(
    case: CaseRef,
    clock: Clock,
    /,
    *,
    to: Annotated[str, Parameter(name="--to", help="The new due instant, or the last day.")] = "",
    by: Annotated[str, Parameter(name="--by", help="Instead: how much longer, such as P14D, on the clock's own calendar.")] = "",
    authority: Annotated[str, Parameter(name="--authority", help="Who or what allows it; sealed with the case.")] = "",
    instance: Instance = "",
    reason: Reason = "",
    key: Key = "",
    common: Everywhere = HERE,
) -> int:
    """Gives a running deadline more time; the date that was computed stays beside the new one."""
    from casekit.cli.working import give_done

    with common.seat() as seat:
        done = seat.extend(case, clock, to=to or None, by=by, reason=reason, authority=authority, instance=instance, key=key)
        return give_done(common, done)


def confirm_clock(
    case: CaseRef, clock: Clock, /, *, instance: Instance = "", reason: Reason = "", key: Key = "", common: Everywhere = HERE
) -> int:
    """Takes the new date that is proposed for a legal deadline; the reason is sealed with the case."""
    from casekit.cli.working import give_done

    with common.seat() as seat:
        return give_done(common, seat.confirm_clock(case, clock, reason=reason, instance=instance, key=key))


def keep_clock(
    case: CaseRef, clock: Clock, /, *, instance: Instance = "", reason: Reason = "", key: Key = "", common: Everywhere = HERE
) -> int:
    """Keeps the date of a legal deadline although another one is proposed; the reason is sealed with the case."""
    from casekit.cli.working import give_done

    with common.seat() as seat:
        return give_done(common, seat.keep_clock(case, clock, reason=reason, instance=instance, key=key))


def adopt_calendars(case: CaseRef, /, *, reason: Reason = "", key: Key = "", common: Everywhere = HERE) -> int:
    """Lets a case go on by the present versions of its calendars; what has run was measured by the earlier ones and stays."""
    from casekit.cli.working import give_done

    with common.seat() as seat:
        return give_done(common, seat.adopt_calendars(case, reason=reason, key=key))


def figures(*, common: Everywhere = HERE) -> int:
    """Shows how the deadlines of all cases ended, and how long they took, in hours by the wall and by the office."""
    with common.seat() as seat:
        report = seat.report_clocks()

    def words(out: Console) -> None:
        from casekit.cli.looks import heading, indented, table
        from casekit.decisions.steps import exact

        for case_type, clocks in report.items():
            heading(out, case_type)
            rows = []
            for clock, found in clocks.items():
                states = ", ".join(f"{count} {state}" for state, count in found["states"].items())
                lengths = [exact(found[name][of]) if name in found else "" for name in ("elapsed", "open") for of in ("mean", "median")]
                rows.append((found["title"] or clock, states, *lengths))
            out.print(indented(table(("clock", "", "mean", "median", "mean in open hours", "median in open hours"), rows)))
        if not report:
            out.print("No clock had started.")

    return common.face.give(report, words)
