"""Parties: added, changed, found and merged. What is personal in them is sealed with their own key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from casekit.definition.casetype import PARTY_KINDS
from casekit.desk import rectifying
from casekit.desk.bus import resolve
from casekit.desk.casefile import DETAILS, load_parties, person
from casekit.desk.door import text as demand_text
from casekit.desk.sealing import opened, seal
from casekit.desk.turn import Call, Spec
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput
from casekit.model.canonical import Json, decode, plain
from casekit.model.time import zone_named
from casekit.plugins.view import Person
from casekit.store import reading
from casekit.store.writing import SEARCH

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

PARTY = Spec("party", "party.write")
MERGE = Spec("merge", "party.write")
FOUND_BY = ("name", "phone", "email", "ref")
"""Details by which a party can be found: by equality, after normalisation."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def normalised(detail: str, value: str) -> str:
    """The form under which a detail is found: no case, no double blanks; of a phone number the digits alone."""
    if detail == "phone":
        return re.sub(r"[^0-9]", "", value)
    return " ".join(value.split()).casefold()


def add(desk: Desk, call: Call, kind: str, details: Mapping[str, Any], batch: Work | None = None) -> Person:
    """A new party."""
    if kind not in PARTY_KINDS:
        raise BadInput.at("party/kind", f"{kind!r} is no kind of party", "use one of " + ", ".join(PARTY_KINDS))
    clear, inside = _read(details)
    shelf = desk.shelf(call.actor.tenant)

    def once(work: Work, locked: bool) -> Person:  # noqa: ARG001
        recorded = work.now()
        stream = work.new("party")
        work.make_key(stream.uuid)
        when = resolve(call.effective, recorded, clear.get("zone", "UTC"))
        head: Json = {"kind": kind, "opened": when.at, **clear, "sealed": _sealed(work, stream.uuid, inside)}
        _append(work, call, stream, [{"c": "open", "stream": "party", "set": head}], recorded, new_uuid())
        _index(work, stream, inside)
        desk.bus.remember(work, call, stream)
        return person(work, stream, "")

    def act() -> Person:
        desk.bus.authorise(call, None, batch=batch)
        return once(batch, False) if batch is not None else desk.bus.transact(shelf, once)

    return desk.bus.keyed(shelf, call, act, lambda uuid, _: get(desk.work(shelf), uuid))


def change(desk: Desk, call: Call, party: str, details: Mapping[str, Any], batch: Work | None = None) -> Person:
    """New details of a party; None takes one away."""
    gone = {name for name, value in details.items() if value is None}
    clear, inside = _read({name: value for name, value in details.items() if value is not None})
    _known_names(gone)
    desk.bus.authorise(call, None, batch=batch)

    def once(work: Work, locked: bool) -> Person:  # noqa: ARG001
        recorded = work.now()
        stream = _living(work, party)
        known = _details(work, stream)
        whole = {name: value for name, value in {**known, **inside}.items() if name not in gone}
        unset = sorted(gone & {"zone", "language"})
        changed: Json = {"c": "head", "set": {**clear, "sealed": _sealed(work, stream.uuid, whole)}}
        if unset:
            changed["unset"] = unset
        _append(work, call, stream, [changed], recorded, new_uuid())
        _index(work, stream, {name: value for name, value in inside.items() if known.get(name) != value})
        return person(work, stream, "")

    shelf = desk.shelf(call.actor.tenant)
    found: Person = once(batch, False) if batch is not None else desk.bus.transact(shelf, once)
    return found


def rectify(desk: Desk, call: Call, party: str, details: Mapping[str, Any], asked_by: str, batch: Work | None = None) -> Person:
    """Puts details right that were wrong; None takes one away. Nobody is found by what was wrong any more.

    Raises:
        BadInput: no reason, nothing to put right, or a detail that is on file like this already.
    """
    gone = {name for name, value in details.items() if value is None}
    clear, inside = _read({name: value for name, value in details.items() if value is not None})
    _known_names(gone)
    rectifying.demand_reason(call.reason)
    desk.bus.authorise(call, None, batch=batch)

    def once(work: Work, locked: bool) -> Person:  # noqa: ARG001
        recorded = work.now()
        stream = _living(work, party)
        known = _details(work, stream)
        stands: Json = {**known, **{name: stream.head[name] for name in ("zone", "language") if name in stream.head}}
        rectifying.details(stands, {**clear, **inside, **dict.fromkeys(gone)})
        whole = {name: value for name, value in {**known, **inside}.items() if name not in gone}
        changed: Json = {"c": "head", "set": {**clear, "sealed": _sealed(work, stream.uuid, whole)}}
        if unset := sorted(gone & {"zone", "language"}):
            changed["unset"] = unset
        about: Json = {"rectified": {"details": sorted(details)}}
        if asked_by:
            about["asked_by"] = load_parties(work, [asked_by])[asked_by].uuid
        before = {name: stands[name] for name in details if name in stands}
        _append(work, call, stream, [changed], recorded, new_uuid(), about, {"before": before} if before else {})
        _unfind(work, stream, {name: known[name] for name in details if name in known}, whole)
        _index(work, stream, {name: value for name, value in inside.items() if known.get(name) != value})
        return person(work, stream, "")

    shelf = desk.shelf(call.actor.tenant)
    found: Person = once(batch, False) if batch is not None else desk.bus.transact(shelf, once)
    return found


def merge(desk: Desk, call: Call, party: str, into: str, batch: Work | None = None) -> Person:
    """Makes one party of two: the first is from now on read as the second. Both streams say so under one command."""
    desk.bus.authorise(call, None, batch=batch)

    def once(work: Work, locked: bool) -> Person:  # noqa: ARG001
        recorded = work.now()
        gone, stays = _living(work, party), _living(work, into)
        if gone.uuid == stays.uuid:
            raise BadInput.at("party", "a party can't be merged into itself", "name two")
        if gone.head["kind"] != stays.head["kind"]:
            raise BadInput.at("party", f"a {gone.head['kind']} can't become a {stays.head['kind']}", "merge two of one kind")
        command = new_uuid()
        _append(work, call, gone, [{"c": "head", "set": {"merged": stays.uuid}}], recorded, command)
        took = sorted({*stays.head.get("took", ()), gone.uuid})
        _append(work, call, stays, [{"c": "head", "set": {"took": took}}], recorded, command)
        return person(work, stays, "")

    shelf = desk.shelf(call.actor.tenant)
    found: Person = once(batch, False) if batch is not None else desk.bus.transact(shelf, once)
    return found


def get(work: Work, party: str) -> Person:
    """A party; a merged one as the one that it became.

    Raises:
        NotFound: there is none.
    """
    return person(work, load_parties(work, [party])[party], "")


def find(work: Work, details: Mapping[str, str]) -> list[Person]:
    """Parties that have all of these details, the oldest first; merged ones once, as what they became."""
    wrong = [name for name in details if name not in FOUND_BY]
    if wrong or not details:
        raise BadInput.at("party", f"can't be found by {', '.join(wrong) or 'nothing'}", "find by " + ", ".join(FOUND_BY))
    vault = work.shelf.vault
    digests = [(name, vault.search(name, normalised(name, str(value)))) for name, value in sorted(details.items())]
    uuids = reading.uuids_of(work.shelf, reading.found_by(work.shelf, digests))
    streams = {stream.uuid: stream for stream in load_parties(work, uuids).values()}
    return [person(work, stream, "") for stream in streams.values() if "erased" not in stream.head]


def names(work: Work, sids: list[int]) -> list[tuple[int, str, str]]:
    """For a page of cases: sid, role and name of each party; ``erased`` where the name is gone."""
    found = []
    for sid, role, uuid, text, *key_row in reading.members_of(work.shelf, sids):
        work.keys[uuid] = work.shelf.vault.unlock(tuple(key_row)) if key_row[0] is not None else None
        sealed = decode(text).get("sealed")
        inside = opened(work.key, work.shelf.tenant, uuid, "party", {uuid: sealed["envelope"]}) if sealed else {}
        found.append((sid, role, inside.get("name", "erased" if not inside else "")))
    return found


def _read(details: Mapping[str, Any]) -> tuple[Json, dict[str, str]]:
    clear: Json = {}
    inside: dict[str, str] = {}
    for name, value in details.items():
        if name in ("zone", "language"):
            demand_text(f"party/{name}", value)
            clear[name] = value
        elif name in DETAILS:
            text = value.isoformat() if isinstance(value, date) else value
            if not isinstance(text, str) or not text.strip():
                raise BadInput.at(f"party/{name}", f"{value!r} is no text", "give a text, or leave it out")
            inside[name] = str(plain(text, f"party/{name}"))
        else:
            raise BadInput.at(f"party/{name}", "no such detail", "details are " + ", ".join((*DETAILS, "zone", "language")))
    if "zone" in clear:
        zone_named(clear["zone"])
    if "language" in clear and not _LANGUAGE.fullmatch(str(clear["language"])):
        raise BadInput.at("party/language", f"{clear['language']!r} is no language", "use a tag such as en or pt-BR")
    return clear, inside


def _known_names(names: set[str]) -> None:
    unknown = names - set(DETAILS) - {"zone", "language"}
    if unknown:
        raise BadInput.at(f"party/{min(unknown)}", "no such detail", "details are " + ", ".join((*DETAILS, "zone", "language")))


def _living(work: Work, party: str) -> Stream:
    stream = load_parties(work, [party])[party]
    work.rows.read.pop(stream.sid, None)
    if "erased" in stream.head:
        raise BadInput.at("party", f"{party} has been erased", "name another")
    return stream


def _details(work: Work, stream: Stream) -> Json:
    work.load_keys((stream.uuid,))
    sealed = stream.head["sealed"]
    return opened(work.key, work.shelf.tenant, stream.uuid, "party", {stream.uuid: sealed["envelope"]})


def _sealed(work: Work, uuid: str, inside: Mapping[str, str]) -> Json:
    return {"fields": sorted(inside), "envelope": seal(work, uuid, uuid, "party", dict(inside))}


def _index(work: Work, stream: Stream, inside: Mapping[str, str]) -> None:
    for name, value in inside.items():
        if name in FOUND_BY and (plain_value := normalised(name, value)):
            work.add(SEARCH, (work.shelf.tenant, name, work.shelf.vault.search(name, plain_value), stream.sid))


def _unfind(work: Work, stream: Stream, wrong: Mapping[str, str], right: Mapping[str, str]) -> None:
    """Takes away the search rows of what was wrong."""
    for name, value in wrong.items():
        gone = normalised(name, value) if name in FOUND_BY else ""
        if gone and gone != normalised(name, right.get(name, "")):
            work.rows.take(SEARCH, (name, work.shelf.vault.search(name, gone), stream.sid))


def _append(
    work: Work,
    call: Call,
    stream: Stream,
    changes: list[Json],
    recorded: str,
    command: str,
    about: Json | None = None,
    more: Json | None = None,
) -> None:
    when = resolve(call.effective, recorded, "UTC")
    said: Json = dict(about or {})
    sealed = {**(more or {}), **({"reason": call.reason} if call.reason else {})}
    if sealed:
        said["sealed"] = {stream.uuid: seal(work, stream.uuid, stream.uuid, "about", sealed)}
    work.append(stream, call.spec.name, changes, said, actor=call.actor.name, effective=when, recorded=recorded, command=command, spoke={})
