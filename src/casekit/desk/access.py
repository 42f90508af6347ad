"""What is held about one person, over all cases, put together for that person (Art. 15 GDPR), and the record that it was given.

Nothing of others goes out: their details are taken out of every text, values that are theirs are withheld, and a text
that somebody wrote waits until a person has looked at it. What is withheld is listed, with the reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from casekit.desk.accesscase import CaseTelling
from casekit.desk.accesspage import page
from casekit.desk.accessvalues import FORMAT, Access, AccessExport, CaseHeld, Step, Told, Withheld
from casekit.desk.accesswords import Wording
from casekit.desk.casefile import DETAILS, load_parties
from casekit.desk.levels import CASE
from casekit.desk.library import log
from casekit.desk.redacting import Redactor, texts
from casekit.desk.sealing import layers
from casekit.desk.turn import Call, Spec
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput
from casekit.model.canonical import Json, decode
from casekit.store import reading
from casekit.store.shelf import snapshot

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

ACCESS = Spec("access-export", "party.access")
DISCLOSURES = "disclosures"
"""The desk log of what was handed out: to whom it was about, who did it, when, and a digest of it."""

_RECORDED, _EFFECTIVE, _DAY, _ACTOR, _KIND, _BODY = 2, 3, 5, 6, 7, 11
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GROUND = "It is confidential: {ground}."
GONE = "The person has been erased: nothing personal can be read any more. What is left are entries that name nobody."


def hand_out(desk: Desk, call: Call, party: str, *, looked: bool, redact: Mapping[str, Iterable[str]], staff: bool) -> AccessExport:
    """Puts everything together, and writes into the desk log that it was handed out.

    Args:
        desk: The desk.
        call: Who asks.
        party: Of whom.
        looked: Whether a person has looked at every text.
        redact: Id of a text → words to take out of it; none: the whole text.
        staff: Whether members of staff are named by their actors' names.

    Raises:
        BadInput: there is no such party, it is no person, or a mark is on a text that is not there.
    """
    desk.bus.authorise(call, None)
    shelf = desk.shelf(call.actor.tenant)
    shelf.demand_own("what is handed out")
    work = desk.work(shelf)
    stream = load_parties(work, [party])[party]
    if stream.head["kind"] not in ("person", "staff"):
        raise BadInput.at("party", f"{party} is a {stream.head['kind']}", "only persons may ask what is held of them")
    with snapshot(shelf):
        made, cases = _Gathering(desk, call, work, stream, staff).told(looked, redact)
    _disclose(desk, call, made, cases)
    return made


def recipients(desk: Desk, call: Call, party: str) -> tuple[Told, ...]:
    """Who has been told what is held of a person: whom to tell of what was put right (Art. 19 GDPR)."""
    desk.bus.authorise(call, None)
    work = desk.work(desk.shelf(call.actor.tenant))
    stream = load_parties(work, [party])[party]
    made, _ = _Gathering(desk, call, work, stream, staff=True).told(looked=False, redact={})
    return made.answer.recipients


class _Gathering:
    def __init__(self, desk: Desk, call: Call, work: Work, stream: Stream, staff: bool) -> None:
        self.desk, self.call, self.work, self.stream, self.staff = desk, call, work, stream, staff
        self.took = tuple(stream.head.get("took", ()))
        self.mine = {stream.uuid, *self.took}

    def told(self, looked: bool, redact: Mapping[str, Iterable[str]]) -> tuple[AccessExport, list[str]]:
        """The export, and the cases that it tells of."""
        erased = self.stream.head.get("erased")
        streams, withheld = ([], [Withheld("everything", GONE)]) if erased else self._cases()
        wording = Wording(self.work, self.mine, self._redactor(streams), looked, redact)
        history = () if erased else tuple(self._history(wording))
        tellings = [
            CaseTelling(
                wording, case, self.desk.library.pinned(self.work.shelf, case.head["definition"]).says, self._who, self._papers(case)
            )
            for case in streams
        ]
        cases = tuple(telling.told() for telling in tellings)
        wording.demand_met()
        answer = Access(
            format=FORMAT,
            made=self.work.now(),
            party=self.stream.uuid,
            merged=self.took,
            kind=self.stream.head["kind"],
            erased=erased,
            complete=not wording.look,
            details={} if erased else self._details(),
            history=history,
            cases=cases,
            recipients=(*(r for t in tellings for r in t.recipients), *self._disclosed({c.uuid for c in streams}), *self._listeners(cases)),
            sources=tuple(s for t in tellings for s in t.sources),
            withheld=(*withheld, *wording.withheld),
        )
        files = {name: content for telling in tellings for name, content in telling.files.items()}
        return AccessExport(answer, page(answer), files, wording.look), [case.uuid for case in streams]

    def _cases(self) -> tuple[list[Stream], list[Withheld]]:
        """Every case that ever named the person, and what this actor may not hand out of them."""
        found, withheld = [], []
        uuids = [uuid for one in sorted(self.mine) for uuid in reading.cases_naming(self.work.shelf, one)]
        self.work.load(uuids)
        for uuid in dict.fromkeys(uuids):
            case = self.work.stream(uuid, "case")
            if not self.desk.levels.sees_case(self.call.actor, case.head):
                continue  # for whoever asks here, there is no such case
            ground = case.head.get("levels", {}).get(CASE, {}).get("ground")
            if ground:
                withheld.append(Withheld(f"the case {case.head.get('number') or case.uuid}", _GROUND.format(ground=ground)))
            elif self.desk.grants.allowed(self.call.actor, self.call.spec.permission, case.head["type"]):
                found.append(case)
            else:
                withheld.append(Withheld("a case", "Another office must answer for it."))
        return found, withheld

    def _papers(self, case: Stream) -> dict[str, str]:
        """Documents of a case that are not given, with the reason; none: they are not told of."""
        hidden = self.desk.levels.hidden(self.call.actor, case.head)
        levels = case.head.get("levels", {})
        grounds = {what: _GROUND.format(ground=said["ground"]) for what, said in levels.items() if what != CASE and "ground" in said}
        return {**grounds, **dict.fromkeys(hidden, "")}

    def _details(self) -> dict[str, str]:
        head = self.stream.head
        inside = _opened(self.work, self.stream, head.get("sealed"))
        return {**{name: inside[name] for name in DETAILS if name in inside}, **{n: head[n] for n in ("zone", "language") if n in head}}

    def _history(self, wording: Wording) -> Iterator[Step]:
        streams = [self.stream, *(self.work.stream(uuid, "party") for uuid in self.took)]
        for stream in streams:
            for entry in reading.entries_of(self.work.shelf, stream.sid):
                said = decode(entry[_BODY])
                place = f"party/{stream.uuid}/{entry[1]}"
                own, _, _ = wording.opened(stream.uuid, "about", said["about"].get("sealed", {}))
                details = {
                    name: text for c in said["changes"] for name, text in _opened(self.work, stream, c.get("set", {}).get("sealed")).items()
                }
                words = [*wording.several(place, own)]
                about = "; ".join(f"{name}: {text}" for name, text in sorted(details.items()))
                since = entry[_DAY] or entry[_EFFECTIVE]
                yield Step(entry[1], entry[_RECORDED], since, self._who(entry[_ACTOR]), entry[_KIND], about, tuple(words))

    def _redactor(self, cases: list[Stream]) -> Redactor:
        """What is known of everybody else in these cases, today or ever."""
        others = _everyone(self.work, cases, self.mine)
        known: set[str] = set()
        names: set[str] = set()
        for stream in others:
            for entry in reading.entries_of(self.work.shelf, stream.sid):
                for change in decode(entry[_BODY])["changes"]:
                    inside = _opened(self.work, stream, change.get("set", {}).get("sealed"))
                    known |= set(inside.values())
                    if stream.head["kind"] in ("person", "staff") and "name" in inside:
                        names.add(inside["name"])
        for case in cases:
            known |= set(self._theirs(case))
        own = {text for stream in (self.stream, *(self.work.stream(u, "party") for u in self.took)) for text in self._ever(stream)}
        return Redactor(known, names, own)

    def _ever(self, stream: Stream) -> Iterator[str]:
        for entry in reading.entries_of(self.work.shelf, stream.sid):
            for change in decode(entry[_BODY])["changes"]:
                yield from _opened(self.work, stream, change.get("set", {}).get("sealed")).values()

    def _theirs(self, case: Stream) -> Iterator[str]:
        """Values in a case that are sealed with others."""
        for entry in reading.entries_of(self.work.shelf, case.sid):
            for change in decode(entry[_BODY])["changes"]:
                if change["c"] not in ("data", "fact") or not change.get("sealed"):
                    continue
                path = "data" if change["c"] == "data" else f"fact/{change['key']}"
                sealed = {owner: e["envelope"] if isinstance(e, dict) else e for owner, e in change["sealed"].items()}
                told = list(layers(self.work, case.uuid, path, sealed))
                own = {text for owners, inside in told if owners <= self.mine for text in texts(inside)}
                for owners, inside in told:
                    if owners - self.mine - {case.uuid}:
                        yield from (text for text in texts(inside) if text not in own)

    def _who(self, actor: str) -> str:
        return actor if self.staff or actor.startswith("system:") else "staff"

    def _disclosed(self, cases: set[str]) -> Iterator[Told]:
        stream = reading.log_of(self.work.shelf, DISCLOSURES)
        for entry in reading.entries_of(self.work.shelf, stream.sid) if stream is not None else ():
            about = decode(entry[_BODY])["about"]
            if about.get("party") in self.mine or cases & set(about.get("cases", ())):
                yield Told(self._who(entry[_ACTOR]), f"{entry[_KIND]}, handed out", entry[_RECORDED])

    def _listeners(self, cases: tuple[CaseHeld, ...]) -> Iterator[Told]:
        for case in cases:
            for asked in self.desk.catalogue.implementations("casekit_recorded", case.type):
                what = f"every entry, as it is stored (plugin version {asked.plugin.version})"
                yield Told(f"plugin {asked.plugin.name}", what, "", case.number or case.id)


def _everyone(work: Work, cases: list[Stream], mine: set[str]) -> list[Stream]:
    """Every party that these cases ever named, and whoever these were merged into or took; not the person."""
    wanted = {uuid for case in cases for entry in reading.entries_of(work.shelf, case.sid) for uuid in _UUID.findall(entry[_BODY])}
    found: dict[str, Stream] = {}
    while wanted:
        work.load(sorted(wanted))
        fresh = [work.streams[uuid] for uuid in sorted(wanted) if uuid in work.streams and work.streams[uuid].kind == "party"]
        found |= {stream.uuid: stream for stream in fresh}
        wanted = {uuid for s in fresh for uuid in (*s.head.get("took", ()), s.head.get("merged")) if uuid} - set(found)
    return [stream for uuid, stream in found.items() if uuid not in mine]


def _opened(work: Work, stream: Stream, sealed: Json | None) -> Json:
    if not sealed:
        return {}
    found: Json = {}
    for _, inside in layers(work, stream.uuid, "party", {stream.uuid: sealed["envelope"]}):
        found |= inside
    return found


def _disclose(desk: Desk, call: Call, made: AccessExport, cases: list[str]) -> None:
    digest = hashlib.sha256(made.text.encode()).hexdigest()
    about: Json = {
        "party": made.answer.party,
        "cases": cases,
        "digest": digest,
        "complete": made.answer.complete,
        "documents": len(made.files),
    }
    disclose(desk, call, about)


def disclose(desk: Desk, call: Call, about: Mapping[str, Any]) -> None:
    """Writes into the desk log that something is handed out; what can't be written is not handed out."""

    def once(work: Work, locked: bool) -> None:  # noqa: ARG001 - the shape that transact asks for
        log(work, DISCLOSURES, call.spec.name, about, actor=call.actor.name, recorded=work.now(), command=new_uuid())

    desk.bus.transact(desk.shelf(call.actor.tenant), once)
