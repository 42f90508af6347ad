"""Commands and questions on the plan of a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from casekit.decisions import orders
from casekit.decisions.compiled import Way
from casekit.decisions.instances import CHOSEN
from casekit.decisions.items import Piece
from casekit.decisions.itemwhy import Why, why
from casekit.decisions.machine import Run
from casekit.desk.casefile import CaseFile
from casekit.desk.planvalues import Branch, PlanItem, PlanView
from casekit.desk.sealing import seal_for
from casekit.desk.turn import Spec, Turn
from casekit.errors import BadInput
from casekit.model.answers import Objection, Option, Task
from casekit.model.canonical import Json, decode, plain
from casekit.store import reading

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

WORK = Spec("item", "item.work")
CHANGE = Spec("item", "plan.change")
READ = Spec("plan", "case.read")
EXPLAIN = Spec("explain-item", "case.read")

WORKING = frozenset({"start", "complete", "enable", "disable"})
"""Commands that work on an item; the others change the plan."""

OVERRIDE = "item.override"
OPTION_BLOCKS = "never"
"""What an option asks for is work to do: it does not keep the case from being closed."""


@frozen
class Order:
    """A command on an item.

    Attributes:
        action: What is done.
        item: The item, or one instance of it; empty: the plan as a whole (suspend, resume).
        stage: Where it moves, or where an item of the case's own lies.
        own: Of ``add``: record of an item of the case's own, as JSON; None: one that the case type offers.
        title: Of an item of the case's own: what people read; sealed with the case.
    """

    action: str
    item: str = ""
    stage: str = ""
    own: Mapping[str, Any] | None = None
    title: str = ""


def spec_of(action: str) -> Spec:
    """The command that an action is given by."""
    return WORK if action in WORKING else CHANGE


def give(turn: Turn, order: Order) -> None:
    """Decides on a command on the plan.

    Raises:
        BadInput: no such command, item or stage, or a record that makes no sense.
        Denied: the actor has no permission for this item.
    """
    if order.action not in orders.ACTIONS:
        raise BadInput.at("action", f"{order.action!r} is no command on an item", "use one of " + ", ".join(orders.ACTIONS))
    turn.call.about |= {"action": order.action, **({"item": order.item} if order.item else {})}
    if order.item:
        _permit(turn, order)
    fields = {"item": order.item, "action": order.action}
    turn.guard("item", fields, **fields)
    if not turn.goes_on:
        return
    against = _given(turn, order)
    turn.objections += against
    turn.accepted = turn.accepted and not against


def put_in(turn: Turn, option: Option) -> None:
    """Puts what an option asks for into the plan; what an earlier choice put there and is not done makes room."""
    if not option.plan and not turn.run.planned:
        return
    plan = turn.run.plan
    orders.replace(plan)
    source = f"{CHOSEN}{option.key}@{turn.n}"
    for task in option.plan:
        turn.objections += _put(turn, task, source)


def against_closing(run: Run, way: Way) -> list[Objection]:
    """What of the plan keeps a way from closing the case."""
    return [orders.blocked(None, blocker) for blocker in run.plan.blockers(way)] if run.planned else []


def view(desk: Desk, file: CaseFile, run: Run) -> PlanView:
    """The plan of a case: a tree of what lives, and what has ended."""
    plan = run.plan
    rows = {(row.item, row.instance): row for row in items_of(file)}
    could = _Could(desk, file.stream.head["type"])
    over = run.machine["category"] in ("closed", "cancelled")
    offered = [] if over or plan.suspended else [i for s, items in plan.planning.offered.items() for i in items if _takes(plan, s)]
    blockers = run.plan.whole() if not over else ()
    return PlanView(
        items=tuple(_branches(run, rows, could, "")),
        ended=tuple(row for row in rows.values() if row.ended is not None),
        offered=tuple(offered),
        blockers=tuple(orders.blocked(None, blocker) for blocker in blockers),
        suspended=plan.suspended,
    )


def items_of(file: CaseFile) -> list[PlanItem]:
    """All instances that ever were in the plan of a case, in the order of their coming."""
    rows = {(row[0], row[1]): row for row in file.rows("tasks")}
    pieces = file.definition.planning.pieces if file.definition else {}
    authors = Authors(file)
    items = [authors.of(item_of(file, row, pieces)) for row in rows.values()]
    return sorted(items, key=lambda item: (item.at, item.item, int(item.instance)))


def item_of(file: CaseFile, row: tuple[Any, ...], pieces: Mapping[str, Piece]) -> PlanItem:
    """An instance from its row, its words opened."""
    item, instance, n, kind, state, stage, who, at, started, due, ended, source, sealed = row
    title: str | None = pieces[item].says.title if item in pieces else ""
    if sealed:
        title = file.open("item", decode(sealed)).get("title")
    return PlanItem(item, instance, kind, title, state, stage, who, at, started, due, ended, source or "", n)


class Authors:
    """Who put items into a plan, and why, from the entries that their sources name."""

    def __init__(self, file: CaseFile) -> None:
        self._file = file
        self._known: dict[int, tuple[str, str | None]] = {}

    def of(self, item: PlanItem) -> PlanItem:
        """The item with its author and the reason that was given."""
        n = item.source.rpartition("@")[2]
        if not n.isdigit():
            return item
        if int(n) not in self._known:
            self._known[int(n)] = self._read(int(n))
        author, reason = self._known[int(n)]
        return evolve(item, author=author, reason=reason)

    def _read(self, n: int) -> tuple[str, str | None]:
        work, stream = self._file.work, self._file.stream
        entry = reading.entry_of(work.shelf, stream.sid, n)
        if entry is None:  # it waits to be written
            return "", None
        sealed = decode(entry[11])["about"].get("sealed")
        return entry[6], self._file.open("about", sealed).get("reason") if sealed else None


def _permit(turn: Turn, order: Order) -> None:
    if turn.call.observed or (order.action == "add" and order.own is not None):
        return
    says = orders.find(turn.run.plan, order.item)[0].says
    needed = says.allow if order.action in WORKING else says.discretionary.allow if order.action == "add" and says.discretionary else ""
    if needed:
        turn.desk.bus.demand(turn.call.actor, needed, turn.definition.says.key)


def _given(turn: Turn, order: Order) -> list[Objection]:
    plan = turn.run.plan
    if not order.item:
        return _whole(turn, order.action)
    if order.action == "add":
        against, turn.made = orders.add(
            plan, order.item, stage=order.stage, own=order.own, source=f"added@{turn.n}", sealed=_words(turn, order.title)
        )
        return against
    override = bool(turn.call.reason) and turn.desk.grants.allowed(turn.call.actor, OVERRIDE, turn.definition.says.key)
    return orders.give(plan, order.action, order.item, stage=order.stage, override=override or turn.call.observed)


def _whole(turn: Turn, action: str) -> list[Objection]:
    if action not in ("suspend", "resume"):
        raise BadInput.at("item", "is missing", "say which item; only suspend and resume go for the plan as a whole")
    return orders.suspend_all(turn.run.plan) if action == "suspend" else orders.resume_all(turn.run.plan)


def _put(turn: Turn, task: Task, source: str) -> list[Objection]:
    """One task of an option: an item that the case type offers, or one of the case's own."""
    plan = turn.run.plan
    known = turn.definition.planning.pieces.get(task.id)
    if known is not None and (known.says.discretionary is None or plan.each(task.id)):
        return []  # it is in the plan already
    if known is not None:
        return orders.add(plan, task.id, source=source)[0]
    own: Json = {"kind": "task", "blocks": OPTION_BLOCKS}
    if task.due:
        own["due"] = {"after": task.due, **({"of": f"{task.after}.completed"} if task.after else {})}
    if task.after:
        own["entry"] = [{"on": [f"{task.after}.completed"]}]
    return orders.add(plan, task.id, own=own, source=source, sealed=_words(turn, task.title))[0]


def _words(turn: Turn, title: str) -> Json | None:
    if not title:
        return None
    return dict(seal_for(turn.work, turn.stream.uuid, turn.file.touched, "item", {"title": plain(title, "title")}))


def needs_of(piece: Piece) -> tuple[str, ...]:
    """Permissions that working on an item takes."""
    return tuple(dict.fromkeys((WORK.permission, *([piece.says.allow] if piece.says.allow else []))))


def _takes(plan: Any, stage: str) -> bool:
    return not stage or any(state["state"] == "active" for _, state in plan.each(stage))


class _Could:
    """Roles that could work on an item, asked once for each permission."""

    def __init__(self, desk: Desk, case_type: str) -> None:
        self._desk, self._type = desk, case_type
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, piece: Piece) -> tuple[str, ...]:
        needs = needs_of(piece)
        if needs not in self._known:
            self._known[needs] = self._desk.grants.who(needs, self._type)
        return self._known[needs]


def _branches(run: Run, rows: Mapping[tuple[str, str], PlanItem], could: _Could, stage: str) -> Iterator[Branch]:
    for piece, instance, state in run.plan.within(stage):
        row = rows.get((piece.id, instance))
        if row is None:
            continue
        reasons = why(run.plan, piece)
        assert isinstance(reasons, tuple)
        inner = tuple(_branches(run, rows, could, f"{piece.id}.{instance}")) if piece.says.kind == "stage" else ()
        yield Branch(row, "overdue" in state, _this(reasons, instance), could.of(piece), inner)


def _this(reasons: Iterable[Why], instance: str) -> Why:
    return next(one for one in reasons if one.instance == instance)
