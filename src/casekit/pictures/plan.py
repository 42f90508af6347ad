"""The picture of a plan: stages, tasks, milestones and listeners, and the events that open and end them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import field, frozen

from casekit.decisions.items import Criterion, Piece, Planning
from casekit.definition.casetype import CaseType
from casekit.pictures.graph import Edge, Graph, Line, Node, Sign
from casekit.pictures.moments import said, said_due

ENDS = ("completed", "terminated", "skipped", "replaced")
_SIGNS: Mapping[str, Sign] = {"active": "now", "enabled": "possible", "suspended": "paused"}


@frozen
class Instance:
    """An instance of an item, as a picture shows it.

    Attributes:
        item, name: Its item, and what commands call it.
        title: What people read, of an item of the case's own; empty: it is not opened, or the case type says it.
        state: Its state, or how it ended.
        stage: The stage instance in which it lies; empty: the plan itself.
        at, ended, due: Canonical instants; ``ended``, ``due`` None: not so.
        overdue: Whether its due moment has passed.
        blocks: What it waits for, or is blocked by, in words.
        n: The entry that last changed it.
        kind: What it is.
    """

    item: str
    name: str
    title: str
    state: str
    stage: str
    at: str
    ended: str | None
    due: str | None
    overdue: bool = False
    blocks: tuple[str, ...] = ()
    n: int = 0
    kind: str = "task"


@frozen
class LivePlan:
    """The plan of a case.

    Attributes:
        name: What the case is called: its number or id.
        zone: Zone in which moments are said.
        instances: All that ever were in it, the oldest first.
        suspended: Whether it rests as a whole.
    """

    name: str
    zone: str
    instances: tuple[Instance, ...] = field(factory=tuple)
    suspended: bool = False


def plan_graph(says: CaseType, planning: Planning, live: LivePlan | None = None) -> Graph:
    """The picture of the plan of a case type; or of a case, whose own items are in its planning."""
    return _Picture(says, planning, live).graph()


class _Picture:
    def __init__(self, says: CaseType, planning: Planning, live: LivePlan | None) -> None:
        self.says, self.planning, self.live = says, planning, live
        self.known: dict[str, list[Instance]] = {}
        for one in live.instances if live else ():
            self.known.setdefault(one.item, []).append(one)
        self.events: dict[str, None] = {}

    def graph(self) -> Graph:
        name = f"{self.says.title} ({self.says.key} {self.says.version})"
        title = f"{name}: plan" if self.live is None else f"{name}: plan of case {self.live.name}"
        edges = tuple(edge for piece in self.planning.pieces.values() for edge in self._edges(piece))
        items = [self._node(piece) for piece in self.planning.pieces.values()]
        nodes = (*items, *(Node(_event(event), "event", event) for event in self.events))
        if not nodes:
            nodes = (Node("none", "note", "This case type has no plan"),)
        return Graph(title, (*self._about(items),), nodes, edges)

    def _node(self, piece: Piece) -> Node:
        found = self.known.get(piece.id, [])
        live = [one for one in found if one.state not in ENDS]
        sign: Sign = next((_SIGNS[one.state] for one in live if one.state in _SIGNS), "")
        title = piece.says.title or next((one.title for one in reversed(found) if one.title), "")
        lines = [*self._states(piece, found), *(Line(line) for line in _terms(piece))]
        return Node(piece.id, piece.says.kind, title, piece.id, self._around(piece, live), _over(sign, found, live), tuple(lines))

    def _around(self, piece: Piece, live: list[Instance]) -> str:
        """The stage in which it is drawn: an item that was moved, or that the case has of its own, where it now lies."""
        if len({one.stage.rpartition(".")[0] for one in live}) == 1:
            stage = live[0].stage.rpartition(".")[0]
            if stage != piece.id and (not stage or piece.id not in self.planning.pieces[stage].chain):
                return stage
        return piece.says.stage

    def _states(self, piece: Piece, found: list[Instance]) -> Iterator[Line]:
        if self.live is None:
            return
        if not found:
            yield Line("not in the plan" if piece.says.discretionary else "not yet in the plan", "over")
        for one in found:
            name = f"{one.name}: " if len(found) > 1 else ""
            ended = f" {said(one.ended, self.live.zone)}" if one.ended else ""
            due = f", due {said_due(one.due, self.live.zone)}" if one.due and not one.ended else ""
            late = ", overdue" if one.overdue and not one.ended else ""
            sign: Sign = "breached" if late else "over" if one.ended else _SIGNS.get(one.state, "unknown")
            yield Line(f"{name}{one.state}{ended}{due}{late}", sign)
            yield from (Line(reason, "blocked" if reason.startswith("blocked") else "unknown") for reason in one.blocks)

    def _edges(self, piece: Piece) -> Iterator[Edge]:
        for criterion in piece.entry:
            yield from self._sentry(piece, criterion, "opens", "entry")
        for criterion in piece.exit:
            yield from self._sentry(piece, criterion, "ends" if criterion.says.how == "terminate" else criterion.says.how, "exit")

    def _sentry(self, piece: Piece, criterion: Criterion, word: str, kind: str) -> Iterator[Edge]:
        lines = [Line(f"[{criterion.says.when}]")] if criterion.says.when else []
        if len(criterion.parts) > 1:
            lines.append(Line("together with: " + ", ".join(criterion.parts)))
        if not criterion.says.memory:
            lines.append(Line("all within one step"))
        for part in criterion.parts or ("its condition",):
            item, _, how = part.rpartition(".")
            known = item in self.planning.pieces
            source = item if known else _event(part)
            if not known:
                self.events.setdefault(part)
            words = f"{word} when {how}" if known else word
            yield Edge(source, piece.id, "entry" if kind == "entry" else "exit", words, f"{piece.id} {criterion.key}", "", tuple(lines))

    def _about(self, items: list[Node]) -> Iterator[str]:
        yield f"{len(items)} items."
        if self.live is not None and self.live.suspended:
            yield "The plan rests as a whole."
        for node in items:
            if self.live is not None:
                yield f"{node.key}: {'; '.join(line.words for line in node.lines if line.sign) or 'no state'}."


def _terms(piece: Piece) -> Iterator[str]:
    says = piece.says
    for word, rule in (("required", says.required), ("started by a person", says.manual), ("completes by itself", says.auto_complete)):
        if rule:
            yield word if rule is True else f"{word} [{rule}]"
    if says.repeat:
        yield (
            "comes again"
            + (f", at most {says.repeat.max}" if says.repeat.max else "")
            + (f" [{says.repeat.when}]" if says.repeat.when else "")
        )
    if says.discretionary:
        yield "offered: someone may plan it in"
    if piece.local:
        yield "an item of this case"
    if says.due:
        yield f"due {says.due.after} after {says.due.of or 'it came'}"
    yield from (f"{word} {value}" for word, value in (("work of", says.who), ("permission", says.allow)) if value)


def _over(sign: Sign, found: list[Instance], live: list[Instance]) -> Sign:
    if any(one.overdue for one in live):
        return "breached"
    return sign or ("over" if found and not live else "")


def _event(name: str) -> str:
    return f"event {name}"
