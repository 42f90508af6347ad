"""Questions about a case; they leave no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.face import DONE, REFUSED
from casekit.cli.options import CaseRef, Fields
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.model.answers import Verdict


def assess(case: CaseRef, /, *, common: Everywhere = HERE) -> int:
    """Says what there is to find in a case: what, why, by which rule and plugin version."""
    with common.seat() as seat:
        findings = seat.assess(case)

        def words(out: Console) -> None:
            from casekit.cli.looks import show_findings

            show_findings(out, findings)
            if not findings:
                out.print("Nothing was found.")

        return common.face.give({"findings": findings}, words)


def options(case: CaseRef, /, *, common: Everywhere = HERE) -> int:
    """Shows the ways to go on, side by side; a person chooses."""
    with common.seat() as seat:
        found = seat.options(case)

        def words(out: Console) -> None:
            from casekit.cli.pages import show_options

            show_options(out, found)

        return common.face.give(found, words)


def check(
    case: CaseRef,
    what: Annotated[str, Parameter(name="WHAT", help="An event of the lifecycle, or: contact.")],
    /,
    *,
    to: Annotated[str, Parameter(name="--to", help="Of contact: the role of whom it goes to.")] = "",
    via: Annotated[str, Parameter(name="--via", help="Of contact: phone, email, sms, letter, visit or portal.")] = "",
    party: Annotated[str, Parameter(name="--party", help="Of contact: which party, where several play the role.")] = "",
    field: Fields = (),
    common: Everywhere = HERE,
) -> int:
    """Asks whether something may be done now; exit code 1 where it is refused."""
    from casekit.cli.values import typed
    from casekit.cli.working import form_of, says_of

    with common.desk() as desk, common.seat_at(desk) as seat:
        if what == "contact":
            about: dict[str, Any] = {name: value for name, value in (("to", to), ("via", via), ("party", party)) if value}
        else:
            about = typed(field, form_of(says_of(desk, seat, case), what), "--field")
        verdict = seat.check(case, what, **about)
        code = REFUSED if verdict.outcome == "refused" else DONE
        return common.face.give(verdict, lambda out: show_verdict(out, what, verdict), code)


def explain(
    case: CaseRef,
    event: Annotated[str, Parameter(name="EVENT", help="The event; none: closing.")] = "",
    /,
    *,
    outcome: Annotated[str, Parameter(name="--outcome", help="Without an event: closing with this outcome.")] = "",
    item: Annotated[str, Parameter(name="--item", help="Instead: why this item of the plan is where it is.")] = "",
    clock: Annotated[str, Parameter(name="--clock", help="Instead: why this clock runs, or does not.")] = "",
    who: Annotated[
        bool, Parameter(name="--who", help="Only who could: each permission that it takes, and the roles that have it.")
    ] = False,
    field: Fields = (),
    common: Everywhere = HERE,
) -> int:
    """Shows everything in the way of an event, of closing, of an item or a clock, and who could."""
    named = [name for name, given in (("EVENT", event), ("--outcome", outcome), ("--item", item), ("--clock", clock)) if given]
    if len(named) > 1:
        raise BadInput.at(" and ".join(named), "two questions at once", "ask about one of them")
    with common.desk() as desk, common.seat_at(desk) as seat:
        if event:
            from casekit.cli.values import typed
            from casekit.cli.working import form_of, says_of

            found = seat.explain(case, event, **typed(field, form_of(says_of(desk, seat, case), event), "--field"))
        elif item:
            found = seat.explain_item(case, item)
        elif clock:
            found = seat.explain_running(case, clock)
        else:
            found = seat.explain_closing(case, outcome)

    def words(out: Console) -> None:
        from casekit.cli.looks import show_lines
        from casekit.cli.trees import show_explanation

        if who:
            show_lines(out, found.who_lines())
        else:
            show_explanation(out, found)

    answer = {"needs": found.needs, "grants": found.grants, "who": found.who, "lacking": found.lacking} if who else found
    return common.face.give(answer, words)


def show_verdict(out: Console, what: str, verdict: Verdict) -> None:
    """A verdict with all its reasons."""
    from rich.text import Text

    from casekit.cli.looks import exact, said, show_findings, show_objections

    style = "bold red" if verdict.outcome == "refused" else "bold green"
    line = Text(f"{said(what)}: {said(verdict.outcome)}", style)
    if verdict.allowed_at:
        line.append(", allowed from ", "not bold").append(exact(verdict.allowed_at) or "")
    out.print(line)
    if verdict.objections:
        show_objections(out, "Objections", verdict.objections)
    show_findings(out, verdict.factors)
    if verdict.asked:
        out.print(Text("asked: " + ", ".join(f"{name} {version}" for name, version in verdict.asked.items()), "dim"))
