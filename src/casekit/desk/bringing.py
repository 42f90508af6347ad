"""Bringing a case in that was taken out elsewhere: the same streams, the same entries, the same hashes.

What the bundle proves is taken over as it is; nothing is decided anew and no plugin is asked. What is sealed opens only
where the keys come with the bundle, or are here already; else it stays shut, and the desk log ``imports`` says so.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casekit.decisions.compiled import compile_type
from casekit.definition.calendars import Calendar
from casekit.definition.casetype import CaseType
from casekit.definition.counts import Counts
from casekit.definition.load import structure
from casekit.desk.beside import findable, sealed_by_itself
from casekit.desk.graves import tombstones
from casekit.desk.library import log
from casekit.desk.opening import sequence_of
from casekit.desk.turn import Call, Spec
from casekit.desk.work import Stream, Work, new_sid, new_uuid
from casekit.errors import BadInput, Problem, StoreFailed
from casekit.model.actor import Actor
from casekit.model.canonical import Json, decode
from casekit.record.bundle import unpacked, verify_bundle
from casekit.record.fold import fold
from casekit.record.verify import Stream as Stored
from casekit.store import auditing, reading
from casekit.store.escrow import Holder, Passphrase, unseal
from casekit.store.keys import Key
from casekit.store.shelf import writing
from casekit.store.sql import Connection
from casekit.store.upkeep import destroy
from casekit.store.writing import DATA_KEYS, DEFINITIONS, SEARCH, draw

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

IMPORT = Spec("import_bundle", "case.import")
LOG = "imports"
"""The desk log of cases that were brought in, and of whom no key came with them."""


@frozen
class Brought:
    """What came in.

    Attributes:
        case: UUID of the case.
        streams: Streams that are new here, or have gone on since they were here.
        entries: How many entries came in; 0: all of it was here.
        documents: How many contents came in.
        locked: Owners of what is sealed whose keys are not here: what is sealed for them can't be opened.
    """

    case: str
    streams: tuple[str, ...]
    entries: int
    documents: int
    locked: tuple[str, ...]


@define
class _Bringing:
    """One bundle on its way in."""

    desk: Desk
    actor: Actor
    work: Work
    streams: list[Stored]
    definitions: Mapping[str, str]
    contents: Mapping[str, bytes]
    keys: Mapping[str, tuple[str, bytes]]
    exported: str
    recorded: str
    command: str = field(factory=new_uuid)
    come: list[str] = field(factory=list)
    entries: int = 0
    unlocked: list[str] = field(factory=list)
    locked: list[str] = field(factory=list)

    @property
    def case(self) -> Stored:
        """The case."""
        return next(stream for stream in self.streams if stream.kind == "case")

    def check(self) -> None:
        """Refuses what the store can't take, before anything is written."""
        head = decode(self.case.head)
        problems = [*self._foreign(), *self._definitions(head), *self._people(head), *self._number(head), *self._lacking()]
        if problems:
            raise BadInput(problems)

    def _foreign(self) -> Iterator[Problem]:
        """Streams that are here with another history."""
        gone = tombstones(self.work.shelf)
        for stream in self.streams:
            if stream.uuid in gone:
                yield Problem(stream.uuid, "the case was disposed of here", "it can't be brought back: that it is gone was approved")
            here = reading.head_of(self.work.shelf, stream.uuid, locked=True)
            if here is not None and not self._of_one_history(here, stream):
                what = f"the {stream.kind} is here with another history"
                yield Problem(stream.uuid, what, "one of the two was changed: verify both stores")

    def _of_one_history(self, here: reading.Head, stream: Stored) -> bool:
        if here.n <= stream.n:
            return bool(bytes(here.hash) == stream.entries[here.n - 1][12])
        entry = reading.entry_of(self.work.shelf, here.sid, stream.n)
        return entry is not None and bytes(entry[12]) == stream.hash

    def _definitions(self, head: Json) -> Iterator[Problem]:
        for address, kind in _pinned(head).items():
            text = self.definitions.get(address) or reading.definition(self.work.shelf, address)
            if text is None:
                yield Problem(f"definitions {address[:12]}", f"the {kind} of the case is neither in the bundle nor here", _AGAIN)
                continue
            try:
                name, version = _named(text, kind, address)
            except _NONE as wrong:
                yield Problem(f"definitions {address[:12]}", f"this is no {kind}: {wrong}", _AGAIN)
                continue
            if kind == "case-type" and reading.published(self.work.shelf, name, version) not in (None, address):
                what = f"version {version} of {name} was published here with another text"
                yield Problem(f"definitions {address[:12]}", what, "the case can't go by both: bring it into another store")

    def _people(self, head: Json) -> Iterator[Problem]:
        """Everyone who plays a role or had a message, and whoever is one person with them."""
        wanted = {uuid for members in head["parties"].values() for uuid in members}
        wanted |= {row[2] for row in self.case.rows.get("messages", ()) if row[2]}
        for party in (decode(stream.head) for stream in self.streams if stream.kind == "party"):
            wanted |= {*party.get("took", ()), *([party["merged"]] if "merged" in party else [])}
        for uuid in sorted(wanted - {stream.uuid for stream in self.streams}):
            if reading.head_of(self.work.shelf, uuid) is None:
                yield Problem(uuid, "a party of the case is neither in the bundle nor here", _AGAIN)

    def _number(self, head: Json) -> Iterator[Problem]:
        if (number := head.get("number")) is None:
            return
        if reading.numbered(self.work.shelf, number) not in (None, self.case.uuid):
            yield Problem(
                f"number {number}", "another case has it here", "the two stores number their cases alike: bring it into another store"
            )
        if self._sequence(head) is None:
            yield Problem(f"number {number}", "it is none that its case type gives", _AGAIN)

    def _lacking(self) -> Iterator[Problem]:
        for row in self.case.rows.get("documents", ()):
            if row[8] not in self.contents:
                try:
                    self.work.shelf.files.get(row[8])
                except StoreFailed:
                    yield Problem(f"document {row[2]} version {row[3]}", "its content is neither in the bundle nor here", _AGAIN)

    def _sequence(self, head: Json) -> tuple[str, int] | None:
        """The sequence that gave the case its number, and where it stood then."""
        text = self.definitions.get(head["definition"]) or reading.definition(self.work.shelf, head["definition"])
        first = self.case.entries[0]
        name, pattern = sequence_of(decode(text or "{}").get("number", ""), first[5] or first[3])
        parts = [re.escape(part) for part in name.split("#")]
        match = re.fullmatch(r"(\d+)".join(parts), head["number"], re.ASCII) if pattern else None
        return None if match is None else (name, int(match[1]))

    def bring(self, connection: Connection) -> None:
        """Takes everything in."""
        for stream in self.streams:
            self._stream(stream)
        for owner in self.streams:
            self._key(owner, connection)
        head = decode(self.case.head)
        for address, kind in _pinned(head).items():
            self._define(address, kind)
        if head.get("number") is not None and (drawn := self._sequence(head)) is not None:
            name, value = drawn
            behind = value - auditing.sequences(self.work.shelf).get(name, 0)
            if behind > 0:
                draw(self.work.shelf, connection, name, behind)
        if self.come or self.unlocked:
            about: Json = {"case": self.case.uuid, "streams": self.come, "locked": self.locked, "exported": self.exported}
            about |= {"unlocked": self.unlocked} if self.unlocked else {}
            log(self.work, LOG, "import", about, actor=self.actor.name, recorded=self.recorded, command=self.command)

    def _stream(self, stream: Stored) -> None:
        here = reading.head_of(self.work.shelf, stream.uuid, locked=True)
        base = 0 if here is None else here.n
        if base >= stream.n:
            return
        sid = new_sid() if here is None else here.sid
        head: Json | None = None if here is None else decode(here.text)
        tenant = self.work.shelf.tenant
        for entry in stream.entries[base:]:
            head, written = fold(head, decode(entry[11])["changes"], entry[1])
            self.work.rows.entries.append((tenant, sid, *entry))
            self.work.rows.project(tenant, sid, written)
        assert head is not None
        self.work.streams[stream.uuid] = Stream(
            sid, stream.uuid, stream.kind, stream.n, base, stream.hash, stream.recorded, head, stream.head
        )
        self.come.append(stream.uuid)
        self.entries += stream.n - base

    def _key(self, stream: Stored, connection: Connection) -> None:
        """Takes in the data key of an owner, and makes a party findable; or says that the key is not here."""
        pending = self.work.streams.get(stream.uuid)
        here = reading.head_of(self.work.shelf, stream.uuid)
        head = pending.head if pending is not None else decode(here.text) if here is not None else {}
        if here is not None and here.key is not None:
            key: Key | None = self.work.shelf.vault.unlock(here.key)
        elif stream.kind == "party" and head.get("sealed") is None:
            return  # erased, here or there
        else:
            key = self._taken(stream)
        if key is not None and stream.kind == "party":
            self._index(stream, here, key, connection)
        if key is None and (stream.kind == "party" or sealed_by_itself(stream)):
            self.locked.append(stream.uuid)

    def _index(self, stream: Stored, here: reading.Head | None, key: Key, connection: Connection) -> None:
        """Makes a party findable by what its longer history says, the one here or the one brought in; by nothing that was put right since."""
        shelf = self.work.shelf
        if here is not None:
            destroy(shelf, connection, (), (here.sid,))
            if here.n > stream.n:
                stream = evolve(stream, entries=tuple(reading.entries_of(shelf, here.sid)))
        sid = here.sid if here is not None else self.work.streams[stream.uuid].sid
        for name, digest in findable(shelf, stream, key):
            self.work.add(SEARCH, (shelf.tenant, name, digest, sid))

    def _taken(self, stream: Stored) -> Key | None:
        if stream.uuid not in self.keys:
            return None
        name, bare = self.keys[stream.uuid]
        self.work.add(DATA_KEYS, (self.work.shelf.tenant, *self.work.shelf.vault.wrap(stream.uuid, name, bare)))
        self.unlocked.append(stream.uuid)
        return Key(name, AESGCM(bare))

    def _define(self, address: str, kind: str) -> None:
        if reading.definition(self.work.shelf, address) is not None:
            return
        text = self.definitions[address]
        name, version = _named(text, kind, address)
        self.work.add(DEFINITIONS, (self.work.shelf.tenant, address, kind, name, version, text))
        about = {"digest": address, "kind": kind, "name": name, "version": version}
        log(self.work, "definitions", "publish", about, actor=self.actor.name, recorded=self.recorded, command=self.command)


_AGAIN = "take the case out again, whole: casekit export"


def bring_in(desk: Desk, actor: Actor, bundle: Mapping[str, Any], by: Passphrase | Holder | None = None) -> Brought:
    """Brings a case in.

    Args:
        desk: On the store that takes it.
        actor: Who.
        bundle: As :meth:`Seat.export` gave it.
        by: What opens the keys that came with it.

    Raises:
        BadInput: it does not prove itself, it is of another tenant, something here contradicts it, or it is not whole.
    """
    report = verify_bundle(bundle)
    if not report.ok:
        where = [Problem(f"{w.stream or 'bundle'} {w.n or ''}".strip(), w.what, "use the bundle as it was taken out") for w in report.wrong]
        raise BadInput(where)
    if bundle["tenant"] != actor.tenant:
        what = f"the case is of the tenant {bundle['tenant']!r}, and its hashes say so"
        raise BadInput.at("tenant", what, f"bring it into a store of that tenant: --tenant {bundle['tenant']}")
    streams = [unpacked(bundle["tenant"], said) for said in bundle["streams"]]
    if [stream.kind for stream in streams].count("case") != 1 or any(stream.kind == "log" for stream in streams):
        raise BadInput.at("streams", "a bundle holds one case and its parties", _AGAIN)
    case = next(stream for stream in streams if stream.kind == "case")
    desk.bus.authorise(Call(IMPORT, actor), case.listed[0])
    return _written(desk, actor, bundle, streams, _keys(bundle, by))


def _written(desk: Desk, actor: Actor, bundle: Mapping[str, Any], streams: list[Stored], keys: Mapping[str, tuple[str, bytes]]) -> Brought:
    shelf = desk.shelf(actor.tenant)
    shelf.demand_own("bringing a case in")
    contents = {digest: b64decode(text) for digest, text in bundle.get("contents", {}).items()}
    with writing(shelf) as connection:
        work = desk.work(shelf)
        bringing = _Bringing(desk, actor, work, streams, bundle["definitions"], contents, keys, bundle["exported"], work.now())
        bringing.check()
        placed = _placed(bringing)
        bringing.bring(connection)
        work.flush(connection)
    desk.library.published(work)
    return Brought(bundle["case"], tuple(bringing.come), bringing.entries, placed, tuple(bringing.locked))


def _placed(bringing: _Bringing) -> int:
    """Keeps the contents of documents that are not here, before the rows that name them."""
    files, placed = bringing.work.shelf.files, 0
    for row in bringing.case.rows.get("documents", ()):
        if row[8] in bringing.contents:
            try:
                files.get(row[8])
            except StoreFailed:
                files.put(bringing.contents[row[8]])
                placed += 1
    return placed


def _keys(bundle: Mapping[str, Any], by: Passphrase | Holder | None) -> dict[str, tuple[str, bytes]]:
    """Owner → id and bytes of the data keys that came with a bundle."""
    if by is None:
        return {}
    if "keys" not in bundle:
        raise BadInput.at("keys", "no keys came with the bundle", "take the case out with its keys, or leave out what opens them")
    head, content = unseal(bundle["keys"], "keys", by)
    if (head.get("what"), head.get("case")) != ("keys of a case", bundle["case"]):
        raise BadInput.at("keys", "they are not those of this case", _AGAIN)
    return {owner: (name, b64decode(bare)) for owner, (name, bare) in json.loads(content).items()}


_NONE = (BadInput, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What a text raises that is no definition."""


def _named(text: str, kind: str, address: str) -> tuple[str, str]:
    """Name and version under which a definition is published. Raises one of :data:`_NONE` where it is none."""
    says, where = decode(text), f"definitions {address[:12]}"
    if kind == "case-type":
        case_type = structure(says, CaseType, where)
        compile_type(case_type, address, rules=None)
        return case_type.key, case_type.version
    if kind == "calendar":
        calendar = structure(says, Calendar, where)
        return calendar.key, calendar.version
    if kind == "count":
        counts = structure(says, Counts, where)
        return counts.key, counts.versions[-1].version
    return "installed", address[:12]


def _pinned(head: Json) -> dict[str, str]:
    """Address of each definition that the head of a case names → its kind."""
    found = {head["definition"]: "case-type", head["edition"]: "edition"}
    found |= dict.fromkeys(head.get("calendars", {}).values(), "calendar")
    return found | dict.fromkeys(head.get("counts", {}).values(), "count")


__all__ = ["Brought", "bring_in"]
