"""Opening, showing and listing cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Data, DataFile, Key, Observed, Since

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.values import Case, Happening
    from casekit.plugins.view import View


def open_case(
    kind: Annotated[str, Parameter(name="TYPE", help="The case type.")],
    /,
    *,
    data: Data = (),
    data_file: DataFile = None,
    party: Annotated[tuple[str, ...], Parameter(name="--party", help="Who plays a role, as role=party-id. Repeatable.")] = (),
    zone: Annotated[str, Parameter(name="--zone", help="The case's own IANA zone.")] = "",
    key: Key = "",
    effective: Since = "",
    observed: Observed = False,
    common: Everywhere = HERE,
) -> int:
    """Opens a case of a case type."""
    from casekit.cli.values import pairs, typed

    roles: dict[str, list[str]] = {}
    for role, someone in pairs(party, "--party"):
        roles.setdefault(role, []).append(someone)
    with common.desk() as desk:
        values = typed(data, desk.library.current(kind).says.data, "--data", data_file)
        with common.seat_at(desk) as seat:
            case = seat.open(kind, data=values, parties=roles, key=key, zone=zone, effective=effective or None, observed=observed)
            return common.face.give({"case": case}, lambda out: _opened(out, case))


def show(
    case: CaseRef,
    /,
    *,
    as_of: Annotated[str, Parameter(name="--as-of", help="What was known then: a day or an instant.")] = "",
    effective: Annotated[str, Parameter(name="--effective", help="What held then, as known now.")] = "",
    common: Everywhere = HERE,
) -> int:
    """Shows a case, its file and its timeline."""
    with common.seat() as seat:
        then = {"as_of": as_of or None, "effective": effective or None}
        found = seat.case(case, **then)
        file = seat.file(case, **then)
        timeline = tuple(h for h in seat.timeline(case) if h.n <= found.n)
        answer = {"case": found, "file": _file(file), "timeline": timeline}
        return common.face.give(answer, lambda out: _shown(out, found, file, timeline))


def list_cases(
    *,
    case_type: Annotated[tuple[str, ...], Parameter(name="--case-type", help="Only cases of this type; repeatable.")] = (),
    state: Annotated[str, Parameter(name="--state", help="Only cases in this state.")] = "",
    category: Annotated[str, Parameter(name="--category", help="Only cases in states of this category.")] = "",
    only_open: Annotated[bool, Parameter(name="--open", help="Only cases that are not closed or cancelled.")] = False,
    party: Annotated[str, Parameter(name="--party", help="Only cases in which this party plays a role.")] = "",
    names: Annotated[bool, Parameter(name="--names", help="Open the names of the parties.")] = False,
    after: Annotated[str | None, Parameter(name="--after", help="Go on from an earlier page.")] = None,
    size: Annotated[int, Parameter(name="--size", help="Cases on a page.")] = 50,
    common: Everywhere = HERE,
) -> int:
    """Lists cases, newest first."""
    with common.seat() as seat:
        page = seat.cases(case_type, state=state, category=category, open=only_open, party=party, names=names, after=after, size=size)

        def words(out: Console) -> None:
            from casekit.cli.pages import show_cases

            show_cases(out, page.cases)
            if page.more:
                out.print(f"There are more: --after {page.more}")

        return common.face.give(page, words)


def _opened(out: Console, case: Case) -> None:
    from casekit.cli.pages import show_case

    show_case(out, case)


def _shown(out: Console, case: Case, file: View, timeline: tuple[Happening, ...]) -> None:
    from casekit.cli.looks import heading
    from casekit.cli.pages import show_case, show_file, show_timeline

    show_case(out, case)
    show_file(out, file)
    heading(out, "Timeline")
    show_timeline(out, timeline)


def _file(file: View) -> dict[str, Any]:
    """What of the view is not in the case itself."""
    return {
        "parties": file.parties,
        "facts": file.facts,
        "postings": file.postings,
        "balance": file.balance() if file.currency else None,
        "messages": file.messages,
        "documents": file.filed,
        "clocks": file.clocks,
        "choice": file.choice,
    }
