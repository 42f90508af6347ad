"""Work lists of goals: what is not reached over many cases, by the day until which it is to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casekit.desk.casefile import CaseFile
from casekit.desk.caseloop import title_of
from casekit.desk.loopvalues import GoalPage, ListedGoal
from casekit.desk.work import Work
from casekit.errors import BadInput
from casekit.model.canonical import decode
from casekit.model.goals import Goal
from casekit.store import goals


def page(work: Work, types: Sequence[str], owners: Sequence[str], due_before: str | None, after: str | None, size: int) -> GoalPage:
    """One page: first the goals that have a day, then those that have none.

    Raises:
        BadInput: ``after`` is no mark of a page.
    """
    mark = None if after is None else _mark(after)
    wanted = goals.Filter(tuple(types), tuple(owners), due_before)
    rows: list[tuple[Any, ...]] = []
    if mark is None or mark.due is not None:
        rows = goals.page(work.shelf, wanted, mark, size + 1, dated=True)
    if len(rows) <= size and due_before is None:
        rest = mark if mark is not None and mark.due is None else None
        rows += goals.page(work.shelf, wanted, rest, size + 1 - len(rows), dated=False)
    more = _said(rows[size - 1]) if len(rows) > size else None
    rows = rows[:size]
    work.load([row[1] for row in rows])
    now = work.now()
    return GoalPage(tuple(_listed(work, row, now) for row in rows), more)


def _listed(work: Work, row: tuple[Any, ...], now: str) -> ListedGoal:
    _, uuid, type_, number, key, _, measure, want, target, day, owner, at, due, status, since = row
    stream = work.stream(uuid, "case")
    record = stream.head.get("goals", {}).get(key, {})
    goal = Goal(key, measure, decode(target), want, day or "", owner, title_of(CaseFile(work, stream, None), key, record))
    return ListedGoal(uuid, type_, number, goal, at, status, since, due, due is not None and due <= now)


def _said(row: tuple[Any, ...]) -> str:
    return "/".join((row[4 + goals.DUE] or "", str(row[0]), row[4]))


def _mark(after: str) -> goals.Mark:
    due, *rest = after.split("/")
    if len(rest) != 2 or not rest[0].isdigit():
        raise BadInput.at("after", f"{after!r} is no mark of a page", "give what the page before says as more")
    return goals.Mark(due or None, int(rest[0]), rest[1])
