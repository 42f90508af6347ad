"""Pictures of case types and cases, and deadlines as other calendars read them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Out
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.seat import Seat
    from casekit.pictures.ical import Deadline

Format = Annotated[str, Parameter(name="--format", help="svg, mermaid or dot.")]
Texts = Annotated[bool, Parameter(name="--texts", help="Open what is sealed: titles of the case's own items, words of objections.")]
Ics = Annotated[bool, Parameter(name="--ics", help="As iCalendar text (RFC 5545).")]


def draw_type(
    key: Annotated[str, Parameter(name="TYPE", help="The case type.")],
    /,
    *,
    kind: Annotated[str, Parameter(name="--kind", help="states or plan.")] = "states",
    form: Format = "svg",
    out: Out = None,
    common: Everywhere = HERE,
) -> int:
    """Draws a case type: its states and what leads from one to another, or its plan."""
    with common.desk() as desk:
        picture = desk.picture(key, kind, form)
    return _give(common, picture, {"type": key, "kind": kind, "format": form}, out)


def draw_case(
    case: CaseRef,
    /,
    *,
    kind: Annotated[str, Parameter(name="--kind", help="states, plan or deadlines.")] = "states",
    form: Format = "svg",
    at: Annotated[str, Parameter(name="--at", help="Of deadlines: the moment asked about, a day or an instant with its zone.")] = "",
    texts: Texts = False,
    out: Out = None,
    common: Everywhere = HERE,
) -> int:
    """Draws a case: where it is and what is in the way, its plan, or its deadlines on an axis of time."""
    with common.seat() as seat:
        picture = seat.picture(case, kind, form, at=at or None, texts=texts)
    return _give(common, picture, {"case": case, "kind": kind, "format": form}, out)


def case_deadlines(case: CaseRef, /, *, ics: Ics = False, texts: Texts = False, out: Out = None, common: Everywhere = HERE) -> int:
    """Lists the dates of a case that somebody has to keep, or writes them for a calendar."""
    with common.seat() as seat:
        return _dates(common, seat, case, (), ics, texts, out)


def all_deadlines(
    *,
    case_type: Annotated[tuple[str, ...], Parameter(name="--case-type", help="Only on cases of this type; repeatable.")] = (),
    ics: Ics = False,
    texts: Texts = False,
    out: Out = None,
    common: Everywhere = HERE,
) -> int:
    """Lists the dates of all open cases that you may read, or writes them for a calendar."""
    with common.seat() as seat:
        return _dates(common, seat, None, case_type, ics, texts, out)


def _dates(common: Everywhere, seat: Seat, case: str | None, types: tuple[str, ...], ics: bool, texts: bool, out: Path | None) -> int:
    if ics:
        written = seat.export_deadlines(case, types=types, texts=texts).decode()
        return _give(common, written, {"case": case, "format": "ics"}, out)
    if out is not None:
        raise BadInput.at("--out", "a list is not written to a file", "add --ics, or take --json and redirect it")
    found = sorted(seat.deadlines(case, types=types, texts=texts), key=lambda one: (one.due is None, one.due or "", one.case, one.key))
    return common.face.give({"deadlines": found}, lambda face: _listed(face, found))


def _listed(out: Console, found: list[Deadline]) -> None:
    from casekit.cli.looks import table

    rows = [(one.due, one.summary, one.key, one.status, one.sequence) for one in found]
    out.print(table(("due", "what", "key", "status", "moved"), rows) if rows else "No date is known here.")


def _give(common: Everywhere, text: str, about: dict[str, str | None], out: Path | None) -> int:
    """Writes text to a file, or to standard output as it is."""
    from casekit.cli.values import write_bytes

    if out is not None:
        write_bytes(out, text.encode())
        return common.face.give({**about, "file": str(out)}, lambda face: face.print(f"Written to {out}"))
    if common.json:
        return common.face.give({**about, "text": text}, lambda _: None)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    return 0
