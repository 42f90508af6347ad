"""What every question of a seat begins with: who asks, may they, and which case is meant, now or as it was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from casekit.desk import asking
from casekit.desk.casefile import Rows
from casekit.desk.door import text
from casekit.desk.graves import told_if_disposed
from casekit.desk.levels import CASE
from casekit.desk.past import Asked, Moment, as_known_now, asked, rewound
from casekit.desk.traces import cases_of
from casekit.desk.turn import Call, Spec, Turn
from casekit.desk.values import Case, Done
from casekit.desk.work import Stream, Work
from casekit.errors import BadInput, NotFound
from casekit.model.actor import Actor
from casekit.plugins.view import Person
from casekit.store import reading
from casekit.store.sight import Sight

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

CaseRef = Case | Done | str
"""A case: a value (a command on it asks for just that version), or its id or human number (any version)."""
PartyRef = Person | str
"""A party: a value, or its id."""

READ = Spec("read", "case.read")
LARGEST_PAGE = 500


def case_id(desk: Desk, actor: Actor, case: CaseRef) -> str:
    """UUID of a case, named by a value, its id, its human number, or ``source/trace`` where it was imported.

    Raises:
        NotFound: there is no such case, or none that the actor may see.
    """
    if isinstance(case, Done):
        return case.case.id
    if isinstance(case, Case):
        return case.id
    if len(case) == 36 and case.count("-") == 4:
        return case
    shelf = desk.shelf(actor.tenant)
    found = reading.numbered(shelf, case, desk.levels.sight(actor, desk.library.types))
    source, slash, trace = case.partition("/")
    if found is None and slash:
        found = cases_of(shelf, source, [trace]).get(trace)
        if found is not None and not desk.levels.sees_case(actor, desk.work(shelf).stream(found, "case").head):
            found = None
    if found is None:
        raise NotFound.at("case", f"there is no case {case}", "check the number or id, the tenant and the store")
    return found


def party_id(party: PartyRef) -> str:
    """UUID of a party."""
    if isinstance(party, Person):
        return party.id
    text("party", party)
    return party


class Asking:
    """A seat, as far as it only asks.

    Attributes:
        desk: The desk.
        actor: Who asks.
    """

    def __init__(self, desk: Desk, actor: Actor, batch: Work | None = None) -> None:
        self.desk = desk
        self.actor = actor
        self._batch = batch

    def _at(self, turn: Turn, at: Moment | None) -> str:
        return asked(at, None, turn.file.zone).as_of or turn.effective.at

    def _readable(self, types: Iterable[str], size: int) -> tuple[str, ...] | None:
        """The case types to list, empty: all; None: there is nothing that the actor may read."""
        if not 1 <= size <= LARGEST_PAGE:
            raise BadInput.at("size", f"{size} on a page", f"ask for 1 to {LARGEST_PAGE}")
        readable = self.desk.grants.readable(self.actor, self.desk.library.types)
        if readable is None:
            return tuple(types)
        if not readable:
            self._may(READ)
        named = tuple(types)
        return tuple(t for t in readable if not named or t in named) or None

    def _may(self, spec: Spec, case_type: str | None = None, case: str = "") -> None:
        self.desk.bus.authorise(Call(spec, self.actor), case_type, case, self._batch)

    def _work(self) -> Work:
        return self._batch or self.desk.work(self.desk.shelf(self.actor.tenant))

    def _id(self, case: CaseRef) -> str:
        with told_if_disposed(self.desk, self.actor, case if isinstance(case, str) else ""):
            return case_id(self.desk, self.actor, case)

    def _turn(self, spec: Spec, case: CaseRef) -> Turn:
        uuid = self._id(case)
        with told_if_disposed(self.desk, self.actor, uuid):
            return asking.turn_for(self.desk, self.actor, spec, uuid, self._batch)

    def _read(self, case: CaseRef, spec: Spec) -> tuple[Work, Stream]:
        work = self._work()
        uuid = self._id(case)
        with told_if_disposed(self.desk, self.actor, uuid):
            stream = work.stream(uuid, "case")
            self.desk.levels.demand(self.actor, stream.head, stream.uuid)
        self._may(spec, stream.head["type"], stream.uuid)
        if CASE in stream.head.get("levels", ()):
            self.desk.reads.tell(self.actor, stream.uuid, spec.name, batch=self._batch is not None)
        return work, stream

    @property
    def _sight(self) -> Sight:
        """Which confidential cases the actor may see."""
        return self.desk.levels.sight(self.actor, self.desk.library.types)

    def _then(self, case: CaseRef, as_of: Moment | None, effective: Moment | None) -> tuple[Work, Stream, Rows | None]:
        work, stream = self._read(case, READ)
        cut = asked(as_of, effective, stream.head["zone"])
        if cut == Asked(None, None):
            return work, stream, None
        then, rows = rewound(work, stream, cut)
        if cut.effective is not None:
            then = as_known_now(then, rows, self.desk.library.pinned(work.shelf, then.head["definition"]), cut.effective)
        return work, then, rows
