"""Erasing a person: the key is destroyed, and with it everything that was ever sealed for them.

Rows and chain stay whole, for they hold envelopes only. Text that a case owns, because several people are in it,
is listed; its key dies with the last person of the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from casekit.desk.casefile import load_parties
from casekit.desk.library import log
from casekit.desk.turn import Call, Spec
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput, Refused, StoreFailed
from casekit.model.answers import Objection
from casekit.model.time import Effective
from casekit.store import reading
from casekit.store.shelf import writing
from casekit.store.upkeep import destroy, sweep_residue

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

ERASE = Spec("erase", "party.erase")


@frozen
class Erased:
    """What an erasure did.

    Attributes:
        party: UUID of the party, and of those that were merged into it.
        cases: Cases whose own text could mention the person: it stays readable, for others are in it.
        shut: Cases whose own text can't be read any more, because this was their last person.
        complete: Whether no copy of the destroyed keys is left in the database's files. A reader that is still at
            work on SQLite keeps it from being so: erase again, or run it once the reader is gone.
    """

    party: tuple[str, ...]
    cases: tuple[str, ...]
    shut: tuple[str, ...]
    complete: bool


def erase(desk: Desk, call: Call, party: str) -> Erased:
    """Erases a party.

    Raises:
        Refused: it plays a role in an open case; every such case is named.
        BadInput: there is no such party, or it is no person.
    """
    desk.bus.authorise(call, None)
    shelf = desk.shelf(call.actor.tenant)
    shelf.demand_own("erasing")
    work = desk.work(shelf)
    with writing(shelf) as connection:
        streams = _persons(work, party)
        cases = [work.stream(uuid, "case", locked=True) for stream in streams for uuid in reading.cases_of_party(shelf, stream.uuid)]
        open_cases = sorted({c.head.get("number") or c.uuid for c in cases if "closed" not in c.head})
        objections = [_objection(open_cases)] if open_cases else []
        if not objections:
            gone = {stream.uuid for stream in streams}
            shut = sorted({c.uuid for c in cases if not _living(work, c, gone)})
            _record(work, call, streams, shut, sorted({c.uuid for c in cases} - set(shut)))
            work.flush(connection)
            destroy(shelf, connection, [*gone, *shut], [stream.sid for stream in streams])
    if objections:
        raise Refused(objections)
    try:
        complete = sweep_residue(shelf)
    except StoreFailed:
        complete = False  # the erasure stands; only what the files still hold of the key is not swept
    return Erased(tuple(s.uuid for s in streams), tuple(sorted({c.uuid for c in cases} - set(shut))), tuple(shut), complete)


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


def _record(work: Work, call: Call, streams: list[Stream], shut: list[str], listed: list[str]) -> None:
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
            actor=call.actor.name,
            effective=Effective(recorded, "UTC"),
            recorded=recorded,
            command=command,
            spoke={},
        )
    about = {"parties": [s.uuid for s in streams], "shut": shut, "listed": listed}
    log(work, "erasures", "erase", about, actor=call.actor.name, recorded=recorded, command=command)


def _objection(cases: list[str]) -> Objection:
    words = "The person has a part in a case that is open: {cases}."
    return Objection("casekit.erase-open", words, {"cases": ", ".join(cases)}, remedy="close these cases first", plugin="casekit")
