"""Work lists: what waits over many cases, page by page. First what is due at some moment, then what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casekit.desk.casefile import CaseFile
from casekit.desk.caseloop import title_of
from casekit.desk.loopvalues import GoalPage, ListedGoal
from casekit.desk.plans import item_of
from casekit.desk.planvalues import Listed, TaskPage
from casekit.desk.work import Work
from casekit.errors import BadInput
from casekit.model.canonical import decode
from casekit.model.goals import Goal
from casekit.record.tables import KEYS
from casekit.store import worklists
from casekit.store.worklists import GOALS, TASKS, Filter, Mark, Worklist

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


def tasks(work: Work, desk: Desk, wanted: Filter, after: str | None, size: int) -> TaskPage:
    """A page of the tasks that wait to be done.

    Raises:
        BadInput: ``after`` is no mark of a page.
    """
    rows, more = _paged(work, TASKS, wanted, after, size)
    return TaskPage(tuple(_task(work, desk, row) for row in rows), more)


def goals(work: Work, wanted: Filter, after: str | None, size: int) -> GoalPage:
    """A page of the goals that are not reached. Raises as :func:`tasks` does."""
    rows, more = _paged(work, GOALS, wanted, after, size)
    now = work.now()
    return GoalPage(tuple(_goal(work, row, now) for row in rows), more)


def _paged(work: Work, which: Worklist, wanted: Filter, after: str | None, size: int) -> tuple[list[tuple[Any, ...]], str | None]:
    """The rows of a page, their cases loaded, and what asks for the next one."""
    mark = None if after is None else _mark(which, after)
    rows: list[tuple[Any, ...]] = []
    if mark is None or mark.due is not None:
        rows = worklists.page(work.shelf, which, wanted, mark, size + 1, dated=True)
    if len(rows) <= size and wanted.due_before is None:
        rest = mark if mark is not None and mark.due is None else None
        rows += worklists.page(work.shelf, which, wanted, rest, size + 1 - len(rows), dated=False)
    more = _said(which.mark(rows[size - 1])) if len(rows) > size else None
    work.load([row[1] for row in rows[:size]])
    return rows[:size], more


def _task(work: Work, desk: Desk, row: tuple[Any, ...]) -> Listed:
    _, uuid, type_, number, *task = row
    stream = work.stream(uuid, "case")
    definition = desk.library.pinned(work.shelf, stream.head["definition"])
    file = CaseFile(work, stream, definition)
    return Listed(uuid, type_, number, item_of(file, tuple(task), definition.planning.pieces))


def _goal(work: Work, row: tuple[Any, ...], now: str) -> ListedGoal:
    _, uuid, type_, number, key, _, measure, want, target, day, owner, at, due, status, since = row
    stream = work.stream(uuid, "case")
    record = stream.head.get("goals", {}).get(key, {})
    goal = Goal(key, measure, decode(target), want, day or "", owner, title_of(CaseFile(work, stream, None), key, record))
    return ListedGoal(uuid, type_, number, goal, at, status, since, due, due is not None and due <= now)


def _said(mark: Mark) -> str:
    return "/".join((mark.due or "", str(mark.sid), *mark.key))


def _mark(which: Worklist, after: str) -> Mark:
    due, *rest = after.split("/")
    if len(rest) != 1 + len(KEYS[which.name]) or not rest[0].isdecimal():
        raise BadInput.at("after", f"{after!r} is no mark of a page", "give what the page before says as more")
    return Mark(due or None, int(rest[0]), tuple(rest[1:]))
