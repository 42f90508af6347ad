"""Erasing a person: the key is destroyed, and with it everything that was ever sealed for them.

Rows and chain stay whole, for they hold envelopes only. Text that a case owns, because several people are in it,
is listed; its key dies with the last person of the case.

Each erasure is also written into a ledger beside the keyring. A store that comes back from an older backup is
erased again by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from casekit.__about__ import __version__
from casekit.decisions.retention import day_of, still_binding
from casekit.desk.casefile import load_parties
from casekit.desk.holds import Covering, alone, objection, patiently, refuse
from casekit.desk.ledger import RESTORE, write_ledger
from casekit.desk.library import log
from casekit.desk.retention import schedule_of
from casekit.desk.turn import Call, Spec
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput, Refused, StoreFailed
from casekit.model.actor import Actor
from casekit.model.answers import Objection
from casekit.model.canonical import Json
from casekit.model.time import Effective
from casekit.store import reading
from casekit.store.shelf import Shelf
from casekit.store.sql import Connection
from casekit.store.upkeep import destroy, sweep_residue

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

ERASE = Spec("erase", "party.erase")
ERASURES = "erasures"
"""The desk log of erasures."""


@frozen
class Erased:
    """What an erasure did.

    Attributes:
        party: UUID of the party, and of those that were merged into it.
        cases: Cases whose own text could mention the person: it stays readable, for others are in it.
        shut: Cases whose own text can't be read any more, because this was their last person.
        complete: Whether no copy of the destroyed keys is left in the database's files, and the ledger of erasures
            tells of it. A reader that is still at work on SQLite keeps the first from being so, a full disk the
            second: erase again, or run it once the reader is gone.
    """

    party: tuple[str, ...]
    cases: tuple[str, ...]
    shut: tuple[str, ...]
    complete: bool


def erase(desk: Desk, call: Call, party: str) -> Erased:
    """Erases a party.

    Raises:
        Refused: it is held, it plays a role in an open case (every such case is named), or law asks for a case of it
            to be kept; the refusal is on the journal of the party.
        BadInput: there is no such party, or it is no person.
    """
    desk.bus.authorise(call, None)
    shelf = desk.shelf(call.actor.tenant)
    shelf.demand_own("erasing")
    erased, objections = patiently(lambda: _erase(desk, shelf, call, party))
    if objections:
        raise Refused(objections)
    complete = _swept(shelf)
    try:
        write_ledger(desk, shelf)
    except (StoreFailed, BadInput):
        complete = False  # the erasure stands; only a backup that is restored would not know of it
    return evolve(erased, complete=complete)


def _erase(desk: Desk, shelf: Shelf, call: Call, party: str) -> tuple[Erased, list[Objection]]:
    """Erases, or writes down why not."""
    work = desk.work(shelf)
    with alone(shelf) as connection:
        streams = _persons(work, party)
        cases = [work.stream(uuid, "case", locked=True) for stream in streams for uuid in reading.cases_of_party(shelf, stream.uuid)]
        objections = _objections(desk, call.actor, work, streams, cases)
        gone, shut, listed = {stream.uuid for stream in streams}, list[str](), list[str]()
        if objections:
            refuse(work, streams[0], ERASE.name, objections, call.actor.name)
            work.flush(connection)
        else:
            shut = sorted({c.uuid for c in cases if not _living(work, c, gone)})
            listed = sorted({c.uuid for c in cases} - set(shut))
            _record(work, call.actor.name, streams, shut, listed, {})
            work.flush(connection)
            destroy(shelf, connection, [*gone, *shut], [stream.sid for stream in streams])
    return Erased(tuple(s.uuid for s in streams), tuple(listed), tuple(shut), complete=False), objections


def again(shelf: Shelf, work: Work, connection: Connection, about: Json, mark: str) -> bool:
    """Erases once more, where a restored backup does not know of it; whether there was anything to do."""
    there = reading.heads_of(shelf, [*about["parties"], *about["shut"]])
    streams = [work.stream(uuid, "party", locked=True) for uuid in about["parties"] if uuid in there]
    shut = [uuid for uuid in about["shut"] if uuid in there and there[uuid].key is not None]
    if not shut and all("erased" in stream.head for stream in streams):
        return False
    listed = [uuid for uuid in about["listed"] if reading.head_of(shelf, uuid) is not None]
    _record(work, RESTORE, streams, shut, listed, {"again": mark})
    work.flush(connection)
    destroy(shelf, connection, [*(s.uuid for s in streams), *shut], [stream.sid for stream in streams])
    return True


def _swept(shelf: Shelf) -> bool:
    try:
        return sweep_residue(shelf)
    except StoreFailed:
        return False  # the erasure stands; only what the files still hold of the key is not swept


def _persons(work: Work, party: str) -> list[Stream]:
    """The party and everyone who was merged into it."""
    found = [work.stream(party, "party", locked=True)]
    while "merged" in found[0].head:
        found = [work.stream(found[0].head["merged"], "party", locked=True)]
    for stream in found:
        found += [work.stream(uuid, "party", locked=True) for uuid in stream.head.get("took", ())]
    if found[0].head["kind"] not in ("person", "staff"):
        raise BadInput.at("party", f"{party} is a {found[0].head['kind']}", "only persons are erased")
    return found


def _living(work: Work, case: Stream, gone: set[str]) -> bool:
    """Whether another person of the case is not erased."""
    rows = reading.rows_of(work.shelf, "messages", case.sid)
    parties = {uuid for members in case.head["parties"].values() for uuid in members} | {row[2] for row in rows if row[2]}
    loaded = load_parties(work, sorted(parties - gone))
    work.rows.read.clear()
    return any(s.head["kind"] == "person" and "erased" not in s.head and s.uuid not in gone for s in loaded.values())


def _record(work: Work, actor: str, streams: list[Stream], shut: list[str], listed: list[str], more: Mapping[str, str]) -> None:
    recorded, command = work.now(), new_uuid()
    for stream in streams:
        if "erased" in stream.head:
            continue
        unset = [name for name in ("sealed", "zone", "language") if name in stream.head]
        changes = [{"c": "head", "set": {"erased": recorded}, "unset": unset}]
        work.append(
            stream,
            "erase",
            changes,
            {},
            actor=actor,
            effective=Effective(recorded, "UTC"),
            recorded=recorded,
            command=command,
            spoke={},
        )
    about = {"parties": [s.uuid for s in streams], "shut": shut, "listed": listed, **more}
    log(work, ERASURES, "erase", about, actor=actor, recorded=recorded, command=command)


def _objections(desk: Desk, actor: Actor, work: Work, streams: list[Stream], cases: list[Stream]) -> list[Objection]:
    """What is in the way: a hold before everything else, an open case, a law by which a case is to be kept."""
    found = []
    covering = Covering.of(work)
    held = [*covering.over_party(s.uuid for s in streams), *(name for case in cases for name in covering.over_case(case))]
    if held:
        found.append(objection(held))
    open_cases = sorted({_called(desk, actor, c) for c in cases if "closed" not in c.head})
    if open_cases:
        found.append(_open(open_cases))
    found += [kept for case in cases if "closed" in case.head for kept in _kept_by_law(desk, actor, work, case)]
    return found


def _kept_by_law(desk: Desk, actor: Actor, work: Work, case: Stream) -> Iterable[Objection]:
    today = day_of(work.now(), case.head["zone"])
    for part in still_binding(schedule_of(desk, work, case, today), today):
        words = "The case {case} is to be kept by law until {until}, and the person with it."
        args = {"case": _called(desk, actor, case), "until": part.until or "a day that is not known yet"}
        remedy = "wait until then"
        citation = part.citation or part.rule
        yield Objection("casekit.erase-retained", words, args, citation, remedy=remedy, plugin="casekit", version=__version__)


def _called(desk: Desk, actor: Actor, case: Stream) -> str:
    """What a case is called; of one that the actor may not see only that there is one: to be silent would be to allow it."""
    seen = desk.levels.sees_case(actor, case.head)
    return str(case.head.get("number") or case.uuid) if seen else "one that you may not see"


def _open(cases: list[str]) -> Objection:
    words = "The person has a part in a case that is open: {cases}."
    return Objection("casekit.erase-open", words, {"cases": ", ".join(cases)}, remedy="close these cases first", plugin="casekit")
