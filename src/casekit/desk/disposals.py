"""Disposal: which cases are due, a list of them, a second person who approves it, and the destruction itself.

A list is proposed by one person and approved by another; then it is run, case by case, each in a transaction of its own in
which holds and rules are looked at once more. What is left is a tombstone in the desk log ``disposals``, and the leaves
of the log of entries, so that checkpoints stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, field, frozen

from casekit.__about__ import __version__
from casekit.decisions.retention import Part, Schedule, day_of
from casekit.desk.graves import DISPOSALS, Tombstone, tombstones
from casekit.desk.holds import Covering, alone, objection, patiently, refuse
from casekit.desk.ledger import RESTORE, write_ledger
from casekit.desk.levels import level_of
from casekit.desk.library import log
from casekit.desk.retention import closed_on, schedule_of
from casekit.desk.turn import Call, Spec
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput, NotFound, Refused, StoreFailed
from casekit.model.actor import Actor
from casekit.model.answers import Objection
from casekit.model.canonical import Json, decode
from casekit.store import reading
from casekit.store.disposing import closed_cases, take_away, take_in_whole, vacuum
from casekit.store.shelf import Shelf
from casekit.store.sql import Connection
from casekit.store.upkeep import sweep_residue

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

READ = Spec("read-disposals", "disposal.read")
PROPOSE = Spec("propose_disposal", "disposal.propose")
APPROVE = Spec("approve_disposal", "disposal.approve")
RUN = Spec("dispose", "disposal.run")

FOUR_EYES = "casekit.four-eyes"
"""The rule that somebody else approves."""

PAGE = 200

Status = Literal["proposed", "approved", "withdrawn", "done"]


@frozen
class Due:
    """A closed case, and how long it is kept.

    Attributes:
        case, number, type: Which.
        closed: Day on which it was closed.
        standing, end, rule, base, until: As of :class:`casekit.decisions.retention.Schedule`.
        citation: Of the rule that wins.
        parts: What each rule says.
        holds: Names of the holds that cover it.
        level: Its level of confidentiality; empty: ordinary.
    """

    case: str
    number: str | None
    type: str
    closed: str | None
    standing: str
    end: str
    rule: str
    base: str | None
    until: str | None
    citation: str = ""
    parts: tuple[Part, ...] = ()
    holds: tuple[str, ...] = ()
    level: str = ""


@frozen
class Listed:
    """A case on a disposal list.

    Attributes:
        case, number, type, rule, base, until, end: As it was proposed.
        became: ``waiting``, or ``disposed``.
        disposed: When it was.
        level: Its level of confidentiality; empty: ordinary. Who may not see it does not find it on the list.
    """

    case: str
    number: str | None
    type: str
    rule: str
    base: str | None
    until: str | None
    end: str
    became: str = "waiting"
    disposed: str | None = None
    level: str = ""


@frozen
class DisposalList:
    """A disposal list.

    Attributes:
        id: What it is called: ``D-`` and the number of the entry that proposed it.
        status: proposed, approved, withdrawn, or done: nothing waits any more.
        proposed, proposed_by: When and by whom.
        approved, approved_by: When and by whom; None and empty: nobody has.
        withdrawn_by: Who has withdrawn it.
        cases: What is on it.
    """

    id: str
    status: Status
    proposed: str
    proposed_by: str
    approved: str | None = None
    approved_by: str = ""
    withdrawn_by: str = ""
    cases: tuple[Listed, ...] = ()


@frozen
class Kept:
    """A case on a list that was not disposed of.

    Attributes:
        case, number: Which.
        objections: Why; they stand in the journal of the case.
    """

    case: str
    number: str | None
    objections: tuple[Objection, ...]


@frozen
class Disposal:
    """What running a list did.

    Attributes:
        list: The list.
        disposed: Cases that are gone.
        kept: Cases that were refused, each with its reasons.
        complete: Whether no copy of what was destroyed is left in the database's files, its contents are gone and the
            ledger tells of it; else run the list again.
    """

    list: str
    disposed: tuple[str, ...]
    kept: tuple[Kept, ...] = field(default=())
    complete: bool = True


def due(desk: Desk, actor: Actor, types: Iterable[str] = (), *, on: str = "", everything: bool = False) -> tuple[Due, ...]:
    """The closed cases that are due, the oldest first; those under a hold too, with its name.

    Args:
        desk, actor: Who asks.
        types: Only of these case types.
        on: The day on which it is asked; empty: now.
        everything: Every closed case for which a rule is known, due or not.
    """
    shelf = desk.shelf(actor.tenant)
    work = desk.work(shelf)
    covering = Covering.of(work)
    known = (_due(desk, work, case, covering, on) for case in _closed(desk, actor, work, tuple(types)))
    return tuple(one for one in known if one.standing == "due" or (everything and one.rule))


def explain(desk: Desk, actor: Actor, case: str) -> Due:
    """How long one case is kept, rule by rule, and what holds it."""
    work = desk.work(desk.shelf(actor.tenant))
    stream = work.stream(case, "case")
    desk.levels.demand(actor, stream.head, case)
    return _due(desk, work, stream, Covering.of(work), "")


def propose(desk: Desk, call: Call, cases: Iterable[str]) -> DisposalList:
    """Proposes a list of cases that are due; none named: all that may be destroyed.

    Raises:
        Refused: a case that was named is held, not due, or to be kept.
        BadInput: nothing is due.
    """
    desk.bus.authorise(call, None)
    shelf = desk.shelf(call.actor.tenant)
    named = tuple(dict.fromkeys(cases))
    with alone(shelf) as connection:
        work = desk.work(shelf)
        covering = Covering.of(work)
        chosen = [_seen(desk, call.actor, work, uuid) for uuid in named] or _closed(desk, call.actor, work, ())
        streams = {stream.uuid: stream for stream in chosen}
        found = [_due(desk, work, stream, covering, "") for stream in streams.values()]
        waiting = {case for one in _lists(shelf) if one.status in ("proposed", "approved") for case in _waiting(one)}
        for one in found:
            desk.bus.demand(call.actor, PROPOSE.permission, one.type)
        refused = {one.case: _in_the_way(one) for one in found}
        if named:
            _check_named([one for one in found if not refused[one.case]], waiting)
        else:
            found = [one for one in found if not refused[one.case] and one.end == "destroy" and one.case not in waiting]
        if not found:
            raise BadInput.at("cases", "nothing is due that is not held and on no list yet", "see which are due: disposal list")
        objections = [(one.case, refused[one.case]) for one in found if refused[one.case]]
        for case, several in objections:
            refuse(work, streams[case], PROPOSE.name, several, call.actor.name)
        if not objections:
            about = {"cases": [_entered(one) for one in found]}
            log(work, DISPOSALS, "propose", about, actor=call.actor.name, recorded=work.now(), command=new_uuid())
            made = f"D-{work.log(DISPOSALS).n}"
        work.flush(connection)
    if objections:
        raise Refused([objection for _, several in objections for objection in several])
    return get(desk, call.actor, made)


def approve(desk: Desk, call: Call, name: str) -> DisposalList:
    """Approves a list: by another person than the one who proposed it.

    Raises:
        Refused: it is the same person.
        BadInput: there is no such list, or it does not wait to be approved.
    """
    desk.bus.authorise(call, None)
    with alone(desk.shelf(call.actor.tenant)) as connection:
        work = desk.work(desk.shelf(call.actor.tenant))
        found = _list(work.shelf, name)
        if found.status != "proposed":
            raise BadInput.at("list", f"{name} is {found.status}", "approve one that is proposed")
        same = found.proposed_by == call.actor.name
        kind, about = ("refused", {"list": name, "rule": FOUR_EYES}) if same else ("approve", {"list": name})
        log(work, DISPOSALS, kind, about, actor=call.actor.name, recorded=work.now(), command=new_uuid())
        work.flush(connection)
    if same:
        said = "{actor} has proposed this list, and somebody else must approve it."
        remedy = "ask another person with the permission disposal.approve"
        raise Refused([Objection(FOUR_EYES, said, {"actor": call.actor.name}, remedy=remedy, plugin="casekit", version=__version__)])
    return get(desk, call.actor, name)


def withdraw(desk: Desk, call: Call, name: str) -> DisposalList:
    """Takes back a list, approved or not: what waits on it is not disposed of by it.

    Raises:
        BadInput: there is no such list, or nothing waits on it.
    """
    desk.bus.authorise(call, None)
    with alone(desk.shelf(call.actor.tenant)) as connection:
        work = desk.work(desk.shelf(call.actor.tenant))
        found = _list(work.shelf, name)
        if found.status not in ("proposed", "approved"):
            raise BadInput.at("list", f"{name} is {found.status}", "nothing is to be done")
        log(work, DISPOSALS, "withdraw", {"list": name}, actor=call.actor.name, recorded=work.now(), command=new_uuid())
        work.flush(connection)
    return get(desk, call.actor, name)


def get(desk: Desk, actor: Actor, name: str) -> DisposalList:
    """A list, and what became of each case on it.

    Raises:
        BadInput: there is no such list.
    """
    return _shown(desk, actor, _list(desk.shelf(actor.tenant), name))


def lists(desk: Desk, actor: Actor) -> tuple[DisposalList, ...]:
    """All lists, the latest first."""
    return tuple(_shown(desk, actor, one) for one in reversed(_lists(desk.shelf(actor.tenant))))


def run(desk: Desk, call: Call, name: str) -> Disposal:
    """Disposes of what waits on an approved list. What was done stands, wherever it is cut off; running it again goes on.

    Raises:
        BadInput: there is no such list, or nobody has approved it.
    """
    desk.bus.authorise(call, None)
    shelf = desk.shelf(call.actor.tenant)
    shelf.demand_own("disposing")
    found = _list(shelf, name)
    if found.status not in ("approved", "done"):
        raise BadInput.at("list", f"{name} is {found.status}", "let another person approve it first")
    disposed, kept = [], []
    for one in found.cases:
        if one.became == "waiting":
            refused = patiently(partial(_dispose, desk, call, name, one))
            if refused is None:
                disposed.append(one.case)
            elif refused:
                kept.append(Kept(one.case, one.number, tuple(refused)))
    return Disposal(name, tuple(disposed), tuple(kept), _finish(desk, shelf, name))


def again(work: Work, connection: Connection, about: Json, mark: str) -> bool:
    """Disposes once more, where a restored backup does not know of it; whether there was anything to do."""
    wanted = [said for said in about["streams"] if reading.head_of(work.shelf, said["stream"]) is not None]
    if not wanted:
        return False
    streams = [work.stream(said["stream"], "case", locked=True) for said in wanted]
    # The copy may be older than what was disposed of: its tombstone says what it had here.
    left = [{**said, "n": s.n, "hash": s.hash.hex()} for said, s in zip(wanted, streams, strict=True)]
    told = {**about, "streams": left, "again": mark}
    log(work, DISPOSALS, "dispose", told, actor=RESTORE, recorded=work.now(), command=new_uuid())
    for stream in streams:
        take_in_whole(work.shelf, connection, stream.sid, stream.uuid)
        take_away(work.shelf, connection, stream.sid, stream.uuid)
    work.flush(connection)
    return True


def remove_contents(shelf: Shelf, name: str = "") -> bool:
    """Takes away what is left of the contents of documents of cases that are gone, by a list or by any; whether nothing is."""
    wanted = [digest for one in tombstones(shelf).values() for digest in one.contents if not name or one.list == name]
    try:
        for digest in wanted:
            shelf.files.path(digest).unlink(missing_ok=True)
    except (OSError, BadInput):
        return False
    return True


def _dispose(desk: Desk, call: Call, name: str, one: Listed) -> list[Objection] | None:
    """Destroys one case, or says why not; None: it is gone. Empty: it was gone before, or the list is not approved any more."""
    shelf = desk.shelf(call.actor.tenant)
    with alone(shelf) as connection:
        work = desk.work(shelf)
        found = _list(shelf, name)
        if found.status != "approved" or one.case in tombstones(shelf):
            return []
        stream = work.stream(one.case, "case", locked=True)
        objections = _against(desk, work, stream, one)
        if objections:
            refuse(work, stream, RUN.name, objections, call.actor.name, list=name)
            work.flush(connection)
            return objections
        take_in_whole(shelf, connection, stream.sid, stream.uuid)
        now = schedule_of(desk, work, stream)
        about = {"list": name, "proposed": found.proposed_by, "approved": found.approved_by, "streams": [_left(work, stream, now)]}
        log(work, DISPOSALS, RUN.name, about, actor=call.actor.name, recorded=work.now(), command=new_uuid())
        take_away(shelf, connection, stream.sid, stream.uuid)
        work.flush(connection)
    return None


def _against(desk: Desk, work: Work, stream: Stream, one: Listed) -> list[Objection]:
    """What has come in the way since the list was approved."""
    held = Covering.of(work).over_case(stream)
    found = [objection(held)] if held else []
    now = schedule_of(desk, work, stream, firm=True)
    if now.standing != "due" or (now.rule, now.until, now.end) != (one.rule, one.until, one.end):
        found.append(_not_due(now, stream.uuid))
    return found


def _left(work: Work, stream: Stream, found: Schedule) -> Json:
    head = stream.head
    winner = next(part for part in found.parts if part.rule == found.rule)
    return {
        "stream": stream.uuid,
        "n": stream.n,
        "hash": stream.hash.hex(),
        "type": head["type"],
        "number": head.get("number"),
        "closed": closed_on(head),
        "rule": found.rule,
        "citation": winner.citation,
        "base": found.base,
        "until": found.until,
        **({"level": level_of(head)} if level_of(head) else {}),
        "contents": sorted({row[8] for row in reading.rows_of(work.shelf, "documents", stream.sid)}),
    }


def _finish(desk: Desk, shelf: Shelf, name: str) -> bool:
    """What is left to do once cases are gone: their contents, the residue in the files, the ledger."""
    complete = remove_contents(shelf, name)
    try:
        if not shelf.sqlite:
            vacuum(shelf)
        complete = sweep_residue(shelf) and complete
        write_ledger(desk, shelf)
    except (StoreFailed, BadInput):
        return False
    return complete


def _closed(desk: Desk, actor: Actor, work: Work, types: tuple[str, ...]) -> Iterator[Stream]:
    """Closed cases that the actor may read."""
    known = desk.grants.readable(actor, desk.library.types)
    wanted = tuple(desk.library.types) if known is None else known
    if types:
        wanted = tuple(one for one in types if one in wanted)
    after = -(2**63)
    while wanted and (page := closed_cases(work.shelf, wanted, after, PAGE)):
        heads = reading.heads_of(work.shelf, [uuid for _, uuid in page])
        after = page[-1][0]
        found = (_as_read(heads[uuid]) for _, uuid in page if uuid in heads)
        yield from (stream for stream in found if desk.levels.sees_case(actor, stream.head))


def _seen(desk: Desk, actor: Actor, work: Work, case: str) -> Stream:
    """A case that an actor may see."""
    stream = work.stream(case, "case")
    desk.levels.demand(actor, stream.head, case)
    return stream


def _shown(desk: Desk, actor: Actor, one: DisposalList) -> DisposalList:
    """A list without the cases that an actor may not see."""
    return evolve(one, cases=tuple(c for c in one.cases if not c.level or desk.levels.sees(actor, c.type, c.level)))


def _as_read(head: reading.Head) -> Stream:
    return Stream(head.sid, head.uuid, head.kind, head.n, head.n, bytes(head.hash), head.recorded, decode(head.text), head.text)


def _due(desk: Desk, work: Work, case: Stream, covering: Covering, on: str) -> Due:
    head = case.head
    found = schedule_of(desk, work, case, on or day_of(work.now(), head["zone"]))
    winner = next((part for part in found.parts if part.rule == found.rule), None)
    said = (found.standing, found.end, found.rule, found.base, found.until, winner.citation if winner else "", found.parts)
    return Due(case.uuid, head.get("number"), head["type"], closed_on(head), *said, covering.over_case(case), level_of(head))


def _in_the_way(one: Due) -> list[Objection]:
    found = [objection(one.holds)] if one.holds else []
    if one.standing != "due":
        found.append(_not_due(one, one.number or one.case))
    return found


def _check_named(found: list[Due], waiting: set[str]) -> None:
    """Refuses what is on a list already."""
    listed = [one.number or one.case for one in found if one.case in waiting]
    if listed:
        raise BadInput.at("cases", f"on a list already: {', '.join(listed)}", "run that, or withdraw it")


def _not_due(found: Schedule | Due, case: str) -> Objection:
    words = "The case {case} is not due: {standing}."
    what = {
        "open": "it is open",
        "no-rule": "no rule says how long it is kept",
        "keep": f"it is kept for ever ({found.rule})",
        "waiting": f"the day from which {found.rule} counts has not come",
        "running": f"it is kept until {found.until} ({found.rule})",
        "due": f"it is due now by {found.rule} since {found.until}, which is not what was approved",
    }[found.standing]
    return Objection(
        "casekit.dispose-not-due",
        words,
        {"case": case, "standing": what},
        remedy="wait, or propose it anew",
        plugin="casekit",
        version=__version__,
    )


def _entered(one: Due) -> Json:
    said = {
        "case": one.case,
        "number": one.number,
        "type": one.type,
        "rule": one.rule,
        "base": one.base,
        "until": one.until,
        "end": one.end,
        "level": one.level or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _waiting(one: DisposalList) -> list[str]:
    return [case.case for case in one.cases if case.became == "waiting"]


def _list(shelf: Shelf, name: str) -> DisposalList:
    for one in _lists(shelf):
        if one.id == name:
            return one
    raise NotFound.at("list", f"there is no disposal list {name}", "see which there are: disposal get")


def _lists(shelf: Shelf) -> list[DisposalList]:
    """All lists, the oldest first, as the desk log tells of them."""
    head = reading.log_of(shelf, DISPOSALS)
    found: dict[str, DisposalList] = {}
    for entry in reading.entries_of(shelf, head.sid) if head is not None else ():
        n, recorded, actor, kind, about = entry[1], entry[2], entry[6], entry[7], decode(entry[11])["about"]
        if kind == "propose":
            found[f"D-{n}"] = DisposalList(f"D-{n}", "proposed", recorded, actor, cases=tuple(_read(one) for one in about["cases"]))
        elif kind == "approve" and about["list"] in found:
            found[about["list"]] = evolve(found[about["list"]], status="approved", approved=recorded, approved_by=actor)
        elif kind == "withdraw" and about["list"] in found:
            found[about["list"]] = evolve(found[about["list"]], status="withdrawn", withdrawn_by=actor)
    gone = tombstones(shelf)
    return [_with(one, gone) for one in found.values()]


def _read(said: Json) -> Listed:
    return Listed(
        said["case"],
        said.get("number"),
        said["type"],
        said["rule"],
        said.get("base"),
        said.get("until"),
        said["end"],
        level=said.get("level", ""),
    )


def _with(one: DisposalList, gone: Any) -> DisposalList:
    cases = tuple(evolve(c, became="disposed", disposed=gone[c.case].disposed) if c.case in gone else c for c in one.cases)
    done = one.status == "approved" and all(c.became == "disposed" for c in cases)
    return evolve(one, cases=cases, status="done" if done else one.status)


__all__ = [
    "APPROVE",
    "PROPOSE",
    "RUN",
    "Disposal",
    "DisposalList",
    "Due",
    "Kept",
    "Listed",
    "Tombstone",
    "again",
    "approve",
    "due",
    "explain",
    "get",
    "lists",
    "propose",
    "remove_contents",
    "run",
    "withdraw",
]
