"""Work lists: the tasks that wait to be done over many cases, by due moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from casekit.desk.casefile import CaseFile
from casekit.desk.plans import item_of
from casekit.desk.planvalues import Listed, TaskPage
from casekit.desk.work import Work
from casekit.errors import BadInput
from casekit.store import tasks

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


def page(
    work: Work, desk: Desk, types: Sequence[str], who: Sequence[str], due_before: str | None, after: str | None, size: int
) -> TaskPage:
    """One page: first what is due at some moment, then what is not.

    Raises:
        BadInput: ``after`` is no mark of a page.
    """
    mark = None if after is None else _mark(after)
    wanted = tasks.Filter(tuple(types), tuple(who), due_before)
    rows: list[tuple[Any, ...]] = []
    if mark is None or mark.due is not None:
        rows = tasks.page(work.shelf, wanted, mark, size + 1, dated=True)
    if len(rows) <= size and due_before is None:
        rest = mark if mark is not None and mark.due is None else None
        rows += tasks.page(work.shelf, wanted, rest, size + 1 - len(rows), dated=False)
    more = _said(rows[size - 1]) if len(rows) > size else None
    rows = rows[:size]
    work.load([row[1] for row in rows])
    return TaskPage(tuple(_listed(work, desk, row) for row in rows), more)


def _listed(work: Work, desk: Desk, row: tuple[Any, ...]) -> Listed:
    _, uuid, type_, number, *task = row
    stream = work.stream(uuid, "case")
    definition = desk.library.pinned(work.shelf, stream.head["definition"])
    file = CaseFile(work, stream, definition)
    return Listed(uuid, type_, number, item_of(file, tuple(task), definition.planning.pieces))


def _said(row: tuple[Any, ...]) -> str:
    due = row[4 + tasks.DUE]
    return "/".join((due or "", str(row[0]), row[4], row[5]))


def _mark(after: str) -> tasks.Mark:
    due, *rest = after.split("/")
    if len(rest) != 3 or not rest[0].isdigit():
        raise BadInput.at("after", f"{after!r} is no mark of a page", "give what the page before says as more")
    return tasks.Mark(due or None, int(rest[0]), rest[1], rest[2])
