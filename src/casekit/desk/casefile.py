"""A case as decisions see it: read only as far as it is wanted, opened only where it is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from attrs import evolve

from casekit.decisions.compiled import Compiled
from casekit.decisions.machine import World
from casekit.definition.fields import Field, read
from casekit.desk import caseloop
from casekit.desk.linked import Standing
from casekit.desk.righted import again, superseded
from casekit.desk.sealing import opened
from casekit.desk.work import Stream, Work
from casekit.model.canonical import Json, decode
from casekit.model.ledger import PaymentOrder, Policy, Posting
from casekit.model.money import Money
from casekit.model.time import add, duration, moment
from casekit.plugins.contained import loose
from casekit.plugins.declared import Need
from casekit.plugins.view import Document, Fact, LiveItem, Message, Other, Person, RunningClock, Touched, Values, View
from casekit.record.tables import ROWS
from casekit.store import reading

DETAILS = ("name", "phone", "email", "address", "born", "ref")
"""What is known of a party and sealed with its own key."""


Rows = Mapping[str, list[tuple[Any, ...]]]
"""Projected table → rows, in the order of ``tables.ROWS``."""


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class CaseFile:
    """One case within a transaction, or as it was.

    Args:
        work: The transaction.
        stream: The case.
        definition: Its case type; None: it can't be had, and values stay canonical.
        past: Its rows as they were at the moment asked for; None: as they are, pending ones included.

    Attributes:
        touched: Owners whose personal values were looked at so far.
    """

    def __init__(self, work: Work, stream: Stream, definition: Compiled | None, past: Rows | None = None) -> None:
        self.work = work
        self._past = past
        self.stream = stream
        self.definition = definition
        self.touched: Touched = set()
        self._data: Values | None = None
        self._sealed = stream.head["sealed"]
        self._opened: dict[str, Json] = {}

    @property
    def data(self) -> Values:
        """Case data as Python values."""
        if self._data is None:
            head = self.stream.head
            fields: Mapping[str, Field] = self.definition.says.data if self.definition else {}
            self._sealed = dict(self._sealed)  # copies: what was given out stays as it was when a batch goes on
            sealed = {name: owner for owner, record in self._sealed.items() for name in record["fields"]}
            self._data = Values(dict(head["data"]), fields, sealed, self.open_data, self.touched)
        return self._data

    @property
    def zone(self) -> str:
        """The zone of the case."""
        zone: str = self.stream.head["zone"]
        return zone

    def world(self, since: str | None = None, *, ledger: bool = False) -> World:
        """What the machine may look at."""
        head = self.stream.head
        return World(
            data=_Canonical(self) if head["sealed"] else head["data"],
            facts=_Latest(self),
            parties=head["parties"],
            documents=head["documents"],
            zone=self.zone,
            postings=self.postings() if ledger else None,
            since=since,
            approvals=head.get("approvals", _NOTHING),
            standings=head.get("standings", _NOTHING),
            linked=Standing(self.work, self.stream.uuid),
        )

    def view(self, now: str, needs: Iterable[Need] | None = None) -> View:
        """What plugins see at a moment; ``needs`` None: everything. Each part is loaded when it is first looked at.

        What a guard reads of other streams goes into the versions that are checked again before the commit.
        """
        return _Loading(self, now, None if needs is None else {need.what: need for need in needs})

    def whole(self, now: str) -> View:
        """The view with every part of it loaded: it stays as it is, whatever becomes of the case."""
        return evolve(self.view(now))

    def latest(self) -> Mapping[str, Any]:
        """The latest value of each fact, as Python has it."""
        return _Typed(_Latest(self), self.definition.says.facts if self.definition else {})

    def parties(self) -> tuple[Person, ...]:
        """The parties of the case, in order of role."""
        members = [(role, uuid) for role, uuids in sorted(self.stream.head["parties"].items()) for uuid in sorted(uuids)]
        loaded = load_parties(self.work, [uuid for _, uuid in members])
        return tuple(person(self.work, loaded[uuid], role, self.touched) for role, uuid in members)

    def clocks(self) -> tuple[RunningClock, ...]:
        """Clocks that run, rest or were breached."""
        return tuple(
            RunningClock(clock, instance, state["status"], state["started"], state.get("due"), loose(state.get("args", {})))
            for clock, instances in sorted(self.stream.head["machine"]["clocks"].items())
            for instance, state in sorted(instances.items())
        )

    def items(self) -> tuple[LiveItem, ...]:
        """Plan items that have not ended."""
        return tuple(
            LiveItem(item, instance, state["state"], state.get("in", ""), state.get("due"), "overdue" in state)
            for item, instances in sorted(self.stream.head["machine"]["items"].items())
            for instance, state in sorted(instances.items(), key=lambda pair: int(pair[0]))
        )

    def facts(self, since: str | None = None) -> tuple[Fact, ...]:
        """Facts in order of effect; those that were put right are left out, for what is right stands in their place."""
        recorded = self._recorded()
        rows = self.rows("facts", since)
        if again(rows):
            wrong = superseded(rows, self._rectifying())
            rows = [row for row in rows if (row[0], row[1]) not in wrong]
        self.work.load_keys({owner for row in rows if row[7] for owner in decode(row[7])})
        return tuple(sorted((self._fact(row, recorded[row[0]]) for row in rows), key=lambda f: (f.at, _place(f.id))))

    def postings(self) -> tuple[Posting, ...]:
        """The ledger, in order of record."""
        rows = self.rows("postings")
        return tuple(
            Posting(f"{n}.{i}", kind, comp, Money.of_minor(minor, cur), at, rev) for n, i, kind, comp, minor, cur, at, _, _, rev, _ in rows
        )

    def messages(self, since: str | None = None, *, texts: bool = True) -> tuple[Message, ...]:
        """Messages in order of time; their texts only where they are wanted."""
        rows = self.rows("messages", since)
        if texts:
            self.work.load_keys((self.stream.uuid,))
        found = []
        for n, i, party, role, direction, via, outcome, at, _, _, sealed in rows:
            text = self.open("message", decode(sealed)).get("text") if texts and sealed else None
            found.append(Message(f"{n}.{i}", direction, via, outcome, at, role, party, text))
        return tuple(sorted(found, key=lambda m: (m.at, _place(m.id))))

    def documents(self) -> tuple[Document, ...]:
        """All versions of all documents."""
        recorded = self._recorded()
        rows = self.rows("documents")
        self.work.load_keys((self.stream.uuid,))
        kinds = self.definition.says.documents if self.definition else {}
        said = self.stream.head.get("standings", _NOTHING)
        first = {kind: document.statuses[0] for kind, document in kinds.items() if document.statuses}
        return tuple(
            Document(
                doc,
                version,
                kind,
                direction,
                media,
                size,
                recorded[n],
                self.open("document", decode(sealed)).get("name") if sealed else None,
                n,
                said.get(kind, _NOTHING).get(doc, first.get(kind, "")),
            )
            for n, _, doc, version, kind, direction, media, size, _, sealed in rows
        )

    def open(self, path: str, sealed: Mapping[str, str]) -> Json:
        """What envelopes of this case hold; marks their owners as looked at."""
        self.work.load_keys(sealed)
        self.touched.update(sealed)
        return opened(self.work.key, self.work.shelf.tenant, self.stream.uuid, path, sealed)

    def rows(self, table: str, since: str | None = None) -> list[tuple[Any, ...]]:
        """Rows of the case that are only ever added, those pending included; ``since``: those effective at or after it."""
        at = ROWS[table].index("at") if since is not None else 0
        if self._past is not None:
            return [row for row in self._past.get(table, ()) if since is None or row[at] >= since]
        stored = reading.rows_of(self.work.shelf, table, self.stream.sid, since=since) if self.stream.base else []
        pending = [row for name, _, row in self.stream.rows if name == table and row is not None]
        return [*stored, *(row for row in pending if since is None or row[at] >= since)]

    def _recorded(self) -> dict[int, str]:
        """When each entry was recorded, by n."""
        stored = reading.recorded_of(self.work.shelf, self.stream.sid) if self.stream.base else {}
        return stored | self.stream.times

    def open_data(self, owner: str) -> Json:
        """The personal case data of one owner, canonical; empty once erased."""
        if owner not in self._opened:
            record = self._sealed[owner]
            if "open" in record:  # a past that was put right since: it is made of several envelopes
                return dict(record["open"])
            self.work.load_keys((owner,))
            envelope = record["envelope"]
            self._opened[owner] = opened(self.work.key, self.work.shelf.tenant, self.stream.uuid, "data", {owner: envelope})
        return self._opened[owner]

    def _rectifying(self) -> set[int]:
        """The entries that put something right, by n."""
        stored = reading.entries_of_kind(self.work.shelf, self.stream.sid, "rectify") if self.stream.base else []
        return {*stored, *self.stream.rectified}

    def _fact(self, row: tuple[Any, ...], recorded: str) -> Fact:
        n, i, key, at, _, day, value, sealed = row
        inside = self.open(f"fact/{key}", decode(sealed)) if sealed else {}
        known = decode(value) if value is not None else inside.get("value")
        fields = self.definition.says.facts if self.definition else {}
        typed = read(known, fields[key].schema) if known is not None and key in fields else known
        return Fact(f"{n}.{i}", key, typed, at, day, recorded, inside.get("source"))


class _Loading(View):
    """A view that loads its parts when they are first looked at: most guards look at a few.

    It is good for one decision: what it loads later, it loads from the case as it then is.
    """

    __slots__ = ("_file", "_wanted")

    def __init__(self, file: CaseFile, now: str, wanted: Mapping[str, Need] | None) -> None:
        put = object.__setattr__
        put(self, "_file", file)
        put(self, "_wanted", wanted)
        put(self, "now", now)

    @property  # type: ignore[misc]
    def __class__(self) -> type[View]:  # type: ignore[override]
        """A view like any other: it compares with others, and ``evolve`` makes a plain one of it."""
        return View

    def __getattr__(self, name: str) -> Any:
        load = _PARTS.get(name)
        if load is None:
            raise AttributeError(f"a view has no {name!r}")
        need: Need | None = None
        if name in _NEEDED and self._wanted is not None:
            need = self._wanted.get(_NEEDED[name])
            if need is None and name != "others":
                load = _nothing
        value = load(self._file, self.now, need)
        object.__setattr__(self, name, value)
        return value


def _nothing(_file: CaseFile, _now: str, _need: Need | None) -> tuple[Any, ...]:
    return ()


def _totals(file: CaseFile) -> dict[str, Money]:
    return {name: Money.parse(value) for name, value in file.stream.head["machine"]["totals"].items() if value is not None}


def _active(file: CaseFile) -> frozenset[str]:
    leaves = file.stream.head["machine"]["active"]
    return file.definition.active(leaves) if file.definition else frozenset(leaves)


def _policy(file: CaseFile) -> Policy:
    book = file.definition.says.ledger if file.definition else None
    return Policy(book.components, PaymentOrder(book.order), book.citation) if book else Policy()


def _postings(file: CaseFile, since: str | None) -> tuple[Posting, ...]:
    return tuple(p for p in file.postings() if since is None or p.at >= since)


_NEEDED = {
    "parties": "parties",
    "facts": "facts",
    "postings": "postings",
    "messages": "messages",
    "filed": "documents",
    "others": "cases",
    "past_clocks": "",
    "past_items": "",
}
"""Part of a view → what a guard must declare to need so as to see it; empty: no guard sees it."""

_PARTS: Mapping[str, Callable[[CaseFile, str, Need | None], Any]] = {
    "id": lambda file, _now, _need: file.stream.uuid,
    "type": lambda file, _now, _need: file.stream.head["type"],
    "number": lambda file, _now, _need: file.stream.head.get("number"),
    "zone": lambda file, _now, _need: file.zone,
    "opened": lambda file, _now, _need: file.stream.head["opened"],
    "active": lambda file, _now, _need: _active(file),
    "category": lambda file, _now, _need: file.stream.head["machine"]["category"],
    "data": lambda file, _now, _need: file.data,
    "totals": lambda file, _now, _need: _totals(file),
    "latest": lambda file, _now, _need: file.latest(),
    "parties": lambda file, _now, _need: file.parties(),
    "facts": lambda file, now, need: file.facts(_since(need, now, file.zone)),
    "postings": lambda file, now, need: _postings(file, _since(need, now, file.zone)),
    "policy": lambda file, _now, _need: _policy(file),
    "currency": lambda file, _now, _need: file.stream.head.get("currency", ""),
    "messages": lambda file, now, need: file.messages(_since(need, now, file.zone), texts=need is None),
    "filed": lambda file, _now, _need: file.documents(),
    "clocks": lambda file, _now, _need: file.clocks(),
    "items": lambda file, _now, _need: file.items(),
    "completed": lambda file, _now, _need: frozenset(file.stream.head["machine"]["memory"].get("plan", {}).get("done", ())),
    "goals": lambda file, now, _need: caseloop.goals(file, now),
    "reviewed": lambda file, _now, _need: caseloop.mark(file.stream.head.get("review")),
    "chosen": lambda file, _now, _need: caseloop.mark(file.stream.head.get("choice")),
    "past_clocks": lambda file, _now, _need: caseloop.past_clocks(file),
    "past_items": lambda file, _now, _need: caseloop.past_items(file),
    "choice": lambda file, _now, _need: file.stream.head.get("choice", {}).get("option"),
    "others": lambda file, _now, need: _Others(file) if need else {},
}
"""Part of a view → what loads it; ``need`` is what a guard declared, None where the whole file is asked for."""


class _Others(Mapping[str, tuple[Other, ...]]):
    """Other cases by party, looked up when a guard asks for one; what this transaction has done to them included."""

    __slots__ = ("_file", "_found")

    def __init__(self, file: CaseFile) -> None:
        self._file = file
        self._found: dict[str, tuple[Other, ...]] = {}

    def __getitem__(self, party: str) -> tuple[Other, ...]:
        if party not in self._found:
            self._found[party] = self._look(party)
        return self._found[party]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _look(self, party: str) -> tuple[Other, ...]:
        work = self._file.work
        work.demand_wide()
        stream = load_parties(work, [party])[party]
        same = {party, stream.uuid, *stream.head.get("took", ())}
        stored = [uuid for one in sorted(same) for uuid in reading.cases_of_party(work.shelf, one)]
        known = {uuid for uuid, other in work.streams.items() if other.kind == "case" and other.head}
        work.load(stored)
        found = (work.stream(uuid, "case") for uuid in {*stored, *known} - {self._file.stream.uuid})
        return tuple(_other(other, roles) for other in sorted(found, key=lambda s: s.sid) if (roles := _roles(other.head, same)))


def _roles(head: Json, parties: set[str]) -> tuple[str, ...]:
    return tuple(sorted(role for role, members in head["parties"].items() if parties & set(members)))


def _other(stream: Stream, roles: tuple[str, ...]) -> Other:
    head = stream.head
    machine = head["machine"]
    state, category = " ".join(machine["active"]), machine["category"]
    where = (head["opened"], head.get("closed"), loose(head["data"]))
    return Other(stream.uuid, head["type"], head.get("number"), roles, state, category, *where)


class _Canonical(Mapping[str, Any]):
    """Case data as conditions read it; sealed values are opened when one of them asks."""

    __slots__ = ("_clear", "_file")

    def __init__(self, file: CaseFile) -> None:
        self._clear: Mapping[str, Any] = file.stream.head["data"]
        self._file = file

    def __getitem__(self, name: str) -> Any:
        return self._clear[name] if name in self._clear else self._file.data.raw(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.data)

    def __len__(self) -> int:
        return len(self._file.data)


class _Latest(Mapping[str, Any]):
    """The latest value of each fact, canonical; sealed ones are opened when they are read."""

    def __init__(self, file: CaseFile) -> None:
        self._file = file

    def __getitem__(self, key: str) -> Any:
        fact = self._file.stream.head["facts"][key]
        if "value" in fact:
            return fact["value"]
        return self._file.open(f"fact/{key}", fact["sealed"])["value"]

    def __iter__(self) -> Iterator[str]:
        for key, fact in self._file.stream.head["facts"].items():
            if "value" in fact or "value" in self._file.open(f"fact/{key}", fact["sealed"]):
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Typed(Mapping[str, Any]):
    """Canonical values as Python has them."""

    def __init__(self, raw: Mapping[str, Any], fields: Mapping[str, Field]) -> None:
        self._raw, self._fields = raw, fields

    def __getitem__(self, key: str) -> Any:
        value = loose(self._raw[key])
        return read(value, self._fields[key].schema) if key in self._fields else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def load_parties(work: Work, uuids: Iterable[str]) -> dict[str, Stream]:
    """Parties by the UUID that was asked for; a merged party gives the one that it was merged into."""
    found: dict[str, Stream] = {}
    wanted = list(uuids)
    work.load(wanted)
    for uuid in wanted:
        stream = work.stream(uuid, "party")
        while "merged" in stream.head:
            stream = work.stream(stream.head["merged"], "party")
        found[uuid] = stream
        if stream.base and stream.n == stream.base:
            work.rows.read[stream.sid] = stream.n
    return found


def person(work: Work, stream: Stream, role: str, touched: Touched | None = None) -> Person:
    """A party as others see it; its details are opened when they are looked at."""
    head = stream.head
    sealed = head.get("sealed")

    def open_details(owner: str) -> Json:
        work.load_keys((owner,))
        return opened(work.key, work.shelf.tenant, stream.uuid, "party", {owner: sealed["envelope"]}) if sealed else {}

    names = dict.fromkeys(sealed["fields"], stream.uuid) if sealed else {}
    details = Values({}, {}, names, open_details, touched)
    return Person(stream.uuid, role, head["kind"], head.get("zone"), head.get("language"), details)


def _since(need: Need | None, now: str, zone: str) -> str | None:
    if need is None or not need.window:
        return None
    length = duration(need.window)
    moment(now)
    return add(now, type(length)(-length.months, -length.days, -length.micros), zone)


def _place(identity: str) -> tuple[int, ...]:
    return tuple(int(part) for part in identity.split("."))
