"""One transaction: the streams that it touches, in memory, and what it will write.

Nothing reaches the store before :meth:`Work.flush`; dropping a work leaves no trace. One command is a work
with one entry, a batch one with many, and a case may change several times in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

import uuid_utils
from attrs import define, field
from sqlalchemy import Table

from casekit.errors import BadInput, Conflict, NotFound
from casekit.model.canonical import Json, decode, encode
from casekit.model.time import Effective
from casekit.record.entry import FORMAT, START, header, link, state_digest
from casekit.record.fold import Row, fold
from casekit.record.tables import listed
from casekit.store import reading
from casekit.store.keys import Key, KeyRow
from casekit.store.shelf import Shelf
from casekit.store.sql import Connection
from casekit.store.writing import DATA_KEYS, OUTBOX, WriteSet, write, write_within

_EPOCH_MS = 1_577_836_800_000  # 2020-01-01, so that 41 bits of milliseconds last until 2089


class TooWide(Conflict):
    """A rule reads other cases in a transaction that can't answer for them."""


class _Ids:
    """Integer ids that grow with time: milliseconds, then 22 bits that begin anywhere in their lower half."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._last = 0

    def next(self) -> int:
        with self._guard:
            fresh = (time.time_ns() // 1_000_000 - _EPOCH_MS) << 22
            if fresh > self._last:
                fresh |= int.from_bytes(os.urandom(3)) >> 3
            self._last = max(fresh, self._last + 1)
            return self._last


_ids = _Ids()


def new_sid() -> int:
    """A fresh integer by which a stream is known in its store."""
    return _ids.next()


def new_uuid() -> str:
    """A fresh UUIDv7."""
    return str(uuid_utils.uuid7())


def absent(kind: str, uuid: str) -> BadInput:
    """That there is no such stream, or none for this reader: the words are the same."""
    return NotFound.at(kind, f"there is no {kind} {uuid}", "check the id, the tenant and the store")


@define
class Stream:
    """A stream within a transaction.

    Attributes:
        sid, uuid, kind: Which one.
        n: Entries so far, those pending included.
        base: Entries in the store; 0: it is new.
        hash: The last link.
        recorded: When the last entry was recorded.
        head: The head after the last entry; empty before the first.
        text: Its canonical text.
        state: SHA-256 of that text; empty: not worked out yet.
        rows: Projected rows that wait to be written, in order.
        times: When each pending entry was recorded, by n.
        rectified: Pending entries that put something right, by n.
    """

    sid: int
    uuid: str
    kind: str
    n: int
    base: int
    hash: bytes
    recorded: str
    head: Json
    text: str
    state: bytes = b""
    rows: list[Row] = field(factory=list)
    times: dict[int, str] = field(factory=dict)
    rectified: list[int] = field(factory=list)


@define
class Work:
    """What one transaction is doing.

    Attributes:
        shelf: Where it will write.
        now: Reads the shell's clock (canonical instant).
        live: Whether what it records goes to the outbox.
        streams: Streams touched so far, by UUID.
        keys: Data keys opened or made so far, by owner; None: there is none (erased, or never made).
        wrapped: Data keys that came with their streams and were not wanted yet, by owner.
        rows: The rows that wait to be written.
        keyed: Digests of the idempotency keys used in it.
        wide: Whether other cases may be read for a decision: not where it is written on what has been read before.
        strayed: Whether somebody has tried all the same: then nothing is written, whatever became of the trying.
    """

    shelf: Shelf
    now: Any
    live: bool = True
    streams: dict[str, Stream] = field(factory=dict)
    keys: dict[str, Key | None] = field(factory=dict)
    wrapped: dict[str, KeyRow] = field(factory=dict)
    rows: WriteSet = field(factory=WriteSet)
    keyed: set[bytes] = field(factory=set)
    wide: bool = True
    strayed: bool = False

    def demand_wide(self) -> None:
        """Refuses to read other cases for a decision, where nobody can tell whether they stay as they are.

        Raises:
            TooWide: the decision must be made in a transaction that can.
        """
        self.strayed = self.strayed or not self.wide
        if self.strayed:
            raise TooWide(
                "a rule reads other cases, and this transaction can't answer for them "
                "(give the command by itself; in a host's transaction, make that SERIALIZABLE)"
            )

    def stream(self, uuid: str, kind: str, *, locked: bool = False) -> Stream:
        """The stream, loaded when it is first asked for.

        Raises:
            NotFound: there is none, or it is of another kind.
        """
        found = self.streams.get(uuid)
        if found is None:
            read = reading.head_of(self.shelf, uuid, locked=locked)
            if read is None:
                raise absent(kind, uuid)
            found = self.take(read)
        if found.kind != kind:
            raise absent(kind, uuid)
        return found

    def log(self, name: str) -> Stream:
        """The desk log of that name; new where there is none."""
        for stream in self.streams.values():
            if stream.kind == "log" and stream.head.get("name", name) == name:
                return stream
        read = reading.log_of(self.shelf, name)
        return self.new("log") if read is None else self.take(read)

    def new(self, kind: str) -> Stream:
        """A stream that does not exist yet."""
        stream = Stream(_ids.next(), new_uuid(), kind, 0, 0, START, "", {}, "")
        self.streams[stream.uuid] = stream
        self.keys[stream.uuid] = None  # nobody has made one yet, and the store need not be asked
        return stream

    def load(self, uuids: Sequence[str], *, locked: bool = False) -> None:
        """Loads several streams with their keys at once."""
        wanted = [uuid for uuid in dict.fromkeys(uuids) if uuid not in self.streams]
        for read in reading.heads_of(self.shelf, wanted, locked=locked).values():
            self.take(read)

    def append(
        self,
        stream: Stream,
        kind: str,
        changes: list[Json],
        about: Json,
        *,
        actor: str,
        effective: Effective,
        recorded: str,
        command: str,
        spoke: dict[str, str],
    ) -> int:
        """One more entry on a stream; gives its n. The changes are canonical."""
        tenant = self.shelf.tenant
        n = stream.n + 1
        recorded = max(recorded, stream.recorded)
        before = stream.head.get("version")
        stream.head, written = fold(stream.head or None, changes, n)
        if stream.head["version"] != before:
            stream.text, stream.state = encode(stream.head), b""
        body = encode({"about": about, "changes": changes})
        state = stream.state = stream.state or state_digest(stream.text)
        spoken = encode(spoke) if spoke else "{}"
        columns = (FORMAT, n, recorded, effective.at, effective.zone, effective.day, actor, kind, command, spoken, state)
        stream.hash = link(stream.hash, header(tenant, stream.uuid, *columns), body)
        stream.n, stream.recorded = n, recorded
        self.rows.entries.append((tenant, stream.sid, *columns, body, stream.hash))
        self.rows.project(tenant, stream.sid, written)
        stream.rows += written
        stream.times[n] = recorded
        if kind == "rectify":
            stream.rectified.append(n)
        if self.live and stream.kind == "case" and kind != "refused":
            self.add(OUTBOX, (tenant, stream.sid, n, 0, None, "", None))
        return n

    def add(self, table: Table, row: tuple[Any, ...]) -> None:
        """A row beside the record."""
        self.rows.add(table, row)

    def key(self, owner: str) -> Key | None:
        """The data key of an owner; None where there is none."""
        if owner not in self.keys:
            self.load_keys((owner,))
        return self.keys[owner]

    def load_keys(self, owners: Iterable[str]) -> None:
        """Opens the data keys of several owners at once."""
        wanted = [owner for owner in owners if owner not in self.keys]
        found = {owner: self.wrapped.pop(owner) for owner in wanted if owner in self.wrapped}
        found |= {row[0]: row for row in reading.keys_of(self.shelf, [owner for owner in wanted if owner not in found])}
        for owner in wanted:
            self.keys[owner] = self.shelf.vault.unlock(found[owner]) if owner in found else None

    def make_key(self, owner: str) -> Key:
        """A fresh data key for an owner who has none."""
        key, row = self.shelf.vault.new(owner)
        self.keys[owner] = key
        self.add(DATA_KEYS, (self.shelf.tenant, *row))
        return key

    def flush(self, connection: Connection | None = None) -> None:
        """Writes everything, in a transaction of its own or within the one given.

        Raises:
            Conflict: a stream has changed since it was read; nothing was written.
            StoreFailed: the store failed; nothing was written.
        """
        if self.strayed:
            self.demand_wide()
        for stream in self.streams.values():
            if stream.n > stream.base:
                self._head_row(stream)
        if connection is None:
            write(self.shelf, self.rows)
        else:
            write_within(self.shelf, connection, self.rows)

    def _head_row(self, stream: Stream) -> None:
        head = stream.head
        columns = (stream.sid, stream.uuid, stream.kind, stream.n, head["version"], stream.hash, stream.recorded, stream.text)
        row = (self.shelf.tenant, *columns, *listed(head))
        if stream.base:
            self.rows.changed.append((row, stream.base))
        else:
            self.rows.new.append(row)
        self.rows.read.pop(stream.sid, None)

    def take(self, read: reading.Head, *, keyed: bool = True) -> Stream:
        """A stream that was read already; ``keyed``: with its key, where it has one. Else the key is read when it is wanted."""
        stream = Stream(read.sid, read.uuid, read.kind, read.n, read.n, bytes(read.hash), read.recorded, decode(read.text), read.text)
        self.streams[read.uuid] = stream
        if read.key is not None:
            self.wrapped[read.uuid] = read.key
        elif keyed:
            self.keys.setdefault(read.uuid, None)
        return stream
