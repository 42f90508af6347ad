"""Links between cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Key, Reason
from casekit.cli.working import give_done

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from casekit.desk.values import Link

Relation = Annotated[str, Parameter(name="RELATION", help="parent, follow-up, duplicate, contributes or related.")]
Other = Annotated[str, Parameter(name="OTHER", help="The other case: its number or id.")]


def link(
    case: CaseRef,
    relation: Relation,
    other: Other,
    /,
    *,
    end: Annotated[bool, Parameter(name="--end", help="Take the link away.")] = False,
    reason: Reason = "",
    key: Key = "",
    common: Everywhere = HERE,
) -> int:
    """Says how a case stands to another one: its parent, what it follows up, what it duplicates."""
    with common.seat() as seat:
        command = seat.unlink if end else seat.link
        return give_done(common, command(case, relation, other, reason=reason, key=key))


def show(case: CaseRef, /, *, common: Everywhere = HERE) -> int:
    """Shows how a case stands to others, and others to it."""
    with common.seat() as seat:
        found = seat.links(case)

    def words(out: Console) -> None:
        if found:
            show_links(out, found)
        else:
            out.print("It is linked to no other case.")

    return common.face.give({"links": found}, words)


def show_links(out: Console, found: Iterable[Link]) -> None:
    """A table of links."""
    from casekit.cli.looks import indented, table

    rows = [(link.words, link.number or link.case, link.type, link.state, link.category) for link in found]
    out.print(indented(table(("it", "case", "type", "state", "category"), rows)))
