"""Legal holds: what is held is not deleted, by nobody and for no reason, until the hold is lifted.

They stand in the desk log ``holds``: which, what it covers, who placed and who lifted it. Who is about to delete looks
there in the same transaction; placing, lifting and deleting go one at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve, frozen

from casekit.__about__ import __version__
from casekit.desk.library import log
from casekit.desk.sealing import opened, seal_for
from casekit.desk.turn import Call, Spec, clear, words
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput, Conflict
from casekit.model.answers import Objection
from casekit.model.canonical import Json, decode
from casekit.model.time import Effective, effective
from casekit.store import reading
from casekit.store.shelf import Shelf, Taken, queued, writing
from casekit.store.sql import Connection

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

PLACE = Spec("place_hold", "hold.place")
LIFT = Spec("lift_hold", "hold.lift")
READ = Spec("read-holds", "hold.read")
LOG = "holds"
"""The desk log of holds."""

FEW = 3
"""Cases and parties up to which the words about a hold are sealed with them; of more, with the log itself."""

ATTEMPTS = 12
"""How often a deletion is tried before a conflict is told."""

_T = TypeVar("_T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", re.ASCII)


@frozen
class Scope:
    """What a hold covers: everything that is named, now and as long as it stands.

    Attributes:
        cases: UUIDs of cases.
        parties: UUIDs of parties: they themselves, and every case in which they have, or ever had, a part.
        types: Case types: all their cases, and those still to be opened.
        opened_from, opened_until: Of ``types``: only cases that were opened on these days (UTC) or between them; empty: no limit.
    """

    cases: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    opened_from: str = ""
    opened_until: str = ""


@frozen
class Stopped:
    """A deletion that a hold has stopped.

    Attributes:
        command: ``erase``, ``dispose`` or ``keys.destroy``.
        what: UUID of the party or case, or the id of the key.
        at, by: When, and who wanted it.
    """

    command: str
    what: str
    at: str
    by: str


@frozen
class Hold:
    """A hold.

    Attributes:
        name: What it is called.
        scope: What it covers.
        placed, by: When it was placed, and who did.
        reason, authority: Why, and who or what demands it; empty where that can't be opened any more.
        lifted, lifted_by, lift_reason: When it was lifted, who did and why; None and empty: it stands.
        stopped: What it has stopped: to be asked for again once it is lifted.
    """

    name: str
    scope: Scope
    placed: str
    by: str
    reason: str = ""
    authority: str = ""
    lifted: str | None = None
    lifted_by: str = ""
    lift_reason: str = ""
    stopped: tuple[Stopped, ...] = ()


def place(desk: Desk, call: Call, name: str, scope: Scope, authority: str) -> Hold:
    """Places a hold.

    Raises:
        BadInput: the name was used before, or nothing is covered, or something that is not there.
    """
    desk.bus.authorise(call, None)
    shelf = desk.shelf(call.actor.tenant)
    _check(name, scope, call.reason)
    with alone(shelf) as connection:
        work = desk.work(shelf)
        if name in standing(shelf, lifted=True):
            raise BadInput.at("hold", f"there has been a hold {name} before", "give it another name")
        _load(desk, work, scope)
        said: Json = {"hold": name, **_said(scope)}
        _note(work, call, "place", said, {"reason": call.reason, "authority": authority}, scope)
        work.flush(connection)
    return next(one for one in read(desk, shelf) if one.name == name)


def lift(desk: Desk, call: Call, name: str) -> Hold:
    """Lifts a hold.

    Raises:
        BadInput: no such hold stands.
    """
    desk.bus.authorise(call, None)
    shelf = desk.shelf(call.actor.tenant)
    if not call.reason:
        raise BadInput.at("reason", "a hold is not lifted without one", "say why")
    with alone(shelf) as connection:
        work = desk.work(shelf)
        found = standing(shelf).get(name)
        if found is None:
            names = ", ".join(sorted(standing(shelf))) or "none"
            raise BadInput.at("hold", f"no hold {name} stands", f"those that stand are: {names}")
        _load(desk, work, found.scope, there=False)
        _note(work, call, "lift", {"hold": name}, {"reason": call.reason}, found.scope)
        work.flush(connection)
    return next(one for one in read(desk, shelf) if one.name == name)


@contextmanager
def alone(shelf: Shelf) -> Iterator[Connection]:
    """A write transaction beside which nobody places or lifts a hold, erases or disposes of anything.

    Raises:
        BadInput: the shelf lies in a host's transaction: whether that commits nobody knows.
    """
    shelf.demand_own("holding and deleting")
    with queued(shelf, True), writing(shelf) as connection:
        yield connection


def patiently(once: Callable[[], _T]) -> _T:
    """Deletes something that others are at work on: whoever was in the way is through at the next try, or the one after.

    Raises:
        Conflict: another was in the way again and again.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            return once()
        except (Conflict, Taken):
            if not left:
                raise
    raise AssertionError


def standing(shelf: Shelf, *, lifted: bool = False) -> dict[str, Hold]:
    """The holds that stand, by name, without their words; ``lifted``: those that were lifted, too."""
    head = reading.log_of(shelf, LOG)
    found: dict[str, Hold] = {}
    for entry in reading.entries_of(shelf, head.sid) if head is not None else ():
        about = decode(entry[11])["about"]
        if entry[7] == "place":
            found[about["hold"]] = Hold(about["hold"], _scope(about), entry[2], entry[6])
        elif entry[7] == "lift" and about["hold"] in found:
            found[about["hold"]] = evolve(found[about["hold"]], lifted=entry[2], lifted_by=entry[6])
        elif entry[7] == "refused":
            stopped = Stopped(about["command"], about["what"], entry[2], entry[6])
            found |= {name: evolve(found[name], stopped=(*found[name].stopped, stopped)) for name in about["holds"] if name in found}
    return found if lifted else {name: hold for name, hold in found.items() if hold.lifted is None}


def read(desk: Desk, shelf: Shelf) -> tuple[Hold, ...]:
    """All holds with their words, the oldest first."""
    head, work = reading.log_of(shelf, LOG), desk.work(shelf)
    found = standing(shelf, lifted=True)
    for entry in reading.entries_of(shelf, head.sid) if head is not None else ():
        about = decode(entry[11])["about"]
        if entry[7] not in ("place", "lift"):
            continue
        said = opened(work.key, shelf.tenant, head.uuid, "about", about["sealed"]) if head and "sealed" in about else {}
        hold = found[about["hold"]]
        if entry[7] == "place":
            found[hold.name] = evolve(hold, reason=said.get("reason", ""), authority=said.get("authority", ""))
        else:
            found[hold.name] = evolve(hold, lift_reason=said.get("reason", ""))
    return tuple(found.values())


@frozen
class Covering:
    """The holds that stand, as they are asked case by case.

    Attributes:
        work: The transaction.
        holds: Those that stand.
        people: All parties that any of them names.
    """

    work: Work
    holds: Mapping[str, Hold]
    people: frozenset[str] = frozenset()

    @classmethod
    def of(cls, work: Work) -> Covering:
        """The holds of this moment."""
        holds = standing(work.shelf)
        return cls(work, holds, frozenset(party for hold in holds.values() for party in hold.scope.parties))

    def over_case(self, case: Stream) -> tuple[str, ...]:
        """Names of the holds that cover a case."""
        if not self.holds:
            return ()
        people = one_with(self.work, _parties(self.work, case)) if self.people else frozenset()
        return tuple(name for name, hold in self.holds.items() if _covers(hold.scope, case) or not people.isdisjoint(hold.scope.parties))

    def over_owner(self, owner: str) -> tuple[str, ...]:
        """Names of the holds that cover whoever owns a data key: a case, or a party itself or by one of its cases."""
        there = reading.head_of(self.work.shelf, owner) if self.holds else None
        if there is None or there.kind == "log":
            return ()
        if there.kind == "case":
            return self.over_case(self.work.stream(owner, "case"))
        cases = reading.cases_of_party(self.work.shelf, owner)
        found = [*self.over_party([owner]), *(name for uuid in cases for name in self.over_case(self.work.stream(uuid, "case")))]
        return tuple(dict.fromkeys(found))

    def over_party(self, parties: Iterable[str]) -> tuple[str, ...]:
        """Names of the holds that cover one of these parties itself."""
        people = one_with(self.work, parties) if self.people else frozenset()
        return tuple(name for name, hold in self.holds.items() if not people.isdisjoint(hold.scope.parties))


def _covers(scope: Scope, case: Stream) -> bool:
    if case.uuid in scope.cases:
        return True
    opened_on = case.head["opened"][:10]
    return case.head["type"] in scope.types and (scope.opened_from or opened_on) <= opened_on <= (scope.opened_until or opened_on)


def _parties(work: Work, case: Stream) -> set[str]:
    """Everyone who has, or ever had, a part in a case."""
    found = {party for members in case.head["parties"].values() for party in members}
    found |= {row[2] for row in reading.rows_of(work.shelf, "messages", case.sid) if row[2]}
    for entry in reading.entries_of(work.shelf, case.sid):
        found |= {change["party"] for change in decode(entry[11])["changes"] if change["c"] == "role"}
    return found


def one_with(work: Work, parties: Iterable[str]) -> frozenset[str]:
    """These parties, those that they were merged into, and those merged into them."""
    found: set[str] = set()
    ahead = list(parties)
    while ahead:
        uuid = ahead.pop()
        if uuid in found:
            continue
        found.add(uuid)
        there = reading.head_of(work.shelf, uuid)
        if there is not None and there.kind == "party":
            head = decode(there.text)
            ahead += [*head.get("took", ()), *([head["merged"]] if "merged" in head else [])]
    return frozenset(found)


def objection(names: Iterable[str]) -> Objection:
    """Why what is held can't be deleted."""
    held = ", ".join(sorted(set(names)))
    said = "It is held: {holds}. What is held is not deleted."
    return Objection("casekit.hold", said, {"holds": held}, remedy="wait until the hold is lifted", plugin="casekit", version=__version__)


def refuse(work: Work, stream: Stream, command: str, objections: list[Objection], actor: str, **about: Any) -> None:
    """Writes the refusal of a deletion down, on the stream that was to be deleted: which rule, and which holds, in the clear.
    The log of holds tells of it as well, so that it can be asked for again.
    """
    recorded, uuid = work.now(), new_uuid()
    held = sorted({name for o in objections if o.rule == "casekit.hold" for name in o.args["holds"].split(", ")})
    said: Json = {"command": command, "objections": [clear(o) for o in objections], **about, **({"holds": held} if held else {})}
    if work.key(stream.uuid) is not None:  # none is made: what was shut stays shut
        said["sealed"] = seal_for(work, stream.uuid, (), "about", {"objections": [words(o) for o in objections]})
    work.append(
        stream,
        "refused",
        [],
        said,
        actor=actor,
        effective=Effective(recorded, stream.head.get("zone", "UTC")),
        recorded=recorded,
        command=uuid,
        spoke={},
    )
    if held:
        stopped(work, held, command, stream.uuid, actor, recorded, uuid)


def stopped(work: Work, holds: list[str], command: str, what: str, actor: str, recorded: str, uuid: str) -> None:
    """Writes into the log of holds what they have stopped."""
    log(work, LOG, "refused", {"holds": holds, "command": command, "what": what}, actor=actor, recorded=recorded, command=uuid)


def again(work: Work, actor: str, kind: str, about: Json, mark: str) -> bool:
    """Places or lifts once more what a restored backup does not know of; whether there was anything to do."""
    known = standing(work.shelf, lifted=True)
    name = about["hold"]
    if (kind == "place" and name in known) or (kind == "lift" and (name not in known or known[name].lifted is not None)):
        return False
    said = {key: value for key, value in about.items() if key != "sealed"}
    log(work, LOG, kind, {**said, "again": mark}, actor=actor, recorded=work.now(), command=new_uuid())
    return True


def _check(name: str, scope: Scope, reason: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadInput.at("hold", f"{name!r} can't be the name of a hold", "use letters, digits, '.', '_' and '-'; no person's name")
    if not reason:
        raise BadInput.at("reason", "a hold is not placed without one", "say why")
    if not (scope.cases or scope.parties or scope.types):
        raise BadInput.at("hold", "it covers nothing", "name cases, parties or case types")
    if (scope.opened_from or scope.opened_until) and not scope.types:
        raise BadInput.at("hold", "days of opening limit case types, and none is named", "name one, or leave the days out")
    for text in (scope.opened_from, scope.opened_until):
        if text and effective(text, "UTC").day is None:
            raise BadInput.at("hold", f"{text} is no day", "write it as 2026-11-24")


def _load(desk: Desk, work: Work, scope: Scope, *, there: bool = True) -> None:
    """Loads what a hold covers, with its keys; ``there``: all of it must be."""
    work.load([*scope.cases, *scope.parties])
    if not there:
        return
    for kind, several in (("case", scope.cases), ("party", scope.parties)):
        for uuid in several:
            work.stream(uuid, kind)
    for name in scope.types:
        if name not in desk.library.types and not reading.page(work.shelf, reading.Filter((name,)), None, 1):
            known = ", ".join(sorted(desk.library.types)) or "none"
            raise BadInput.at("hold", f"there is no case type {name}", f"those known here are: {known}")


def _note(work: Work, call: Call, kind: str, about: Json, said: Mapping[str, str], scope: Scope) -> None:
    """One more entry on the log of holds. Its words go with whom they are about, where that is not many."""
    few = [*scope.cases, *scope.parties]
    own = work.log(LOG)
    owners = few if len(few) <= FEW and all(uuid in work.streams and work.key(uuid) is not None for uuid in few) else []
    sealed = seal_for(work, own.uuid, owners, "about", {name: text for name, text in said.items() if text})
    log(work, LOG, kind, {**about, "sealed": sealed}, actor=call.actor.name, recorded=work.now(), command=new_uuid())


def _said(scope: Scope) -> Json:
    parts = {"cases": list(scope.cases), "parties": list(scope.parties), "types": list(scope.types)}
    days = {"opened_from": scope.opened_from, "opened_until": scope.opened_until}
    return {name: value for name, value in {**parts, **days}.items() if value}


def _scope(about: Json) -> Scope:
    cases, parties, types = (tuple(about.get(name, ())) for name in ("cases", "parties", "types"))
    return Scope(cases, parties, types, about.get("opened_from", ""), about.get("opened_until", ""))


__all__ = [
    "LOG",
    "READ",
    "Covering",
    "Hold",
    "Scope",
    "again",
    "alone",
    "lift",
    "objection",
    "one_with",
    "patiently",
    "place",
    "read",
    "refuse",
    "standing",
    "stopped",
]
