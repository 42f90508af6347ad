"""Verify a stream: chain, fold, state digests, and every projected row against what the journal says.

Pure over what the store reads. It needs no key, no plugin and no definition: an envelope is text to it.
What it can't see by itself: a tail that was cut together with its head, and a history rewritten as a whole.
Both need a checkpoint kept elsewhere (:mod:`casekit.record.held`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from casekit.model.canonical import Json, decode, encode
from casekit.record.entry import FORMAT, START, header, link, state_digest
from casekit.record.fold import Unfoldable, fold
from casekit.record.tables import KEYS, LISTED, ROWS, listed


@frozen
class Stream:
    """A stream as it was read from the store.

    Attributes:
        tenant, uuid, kind: Which stream it is.
        n, version, hash, recorded, head: What its head row says (``head`` as text).
        listed: The list columns of its head row, in the order of ``tables.LISTED``.
        entries: In order of n, each in the order of ``entry.COLUMNS``.
        rows: Projected table → rows, in the order of ``tables.ROWS``.
    """

    tenant: str
    uuid: str
    kind: str
    n: int
    version: int
    hash: bytes
    recorded: str
    head: str
    listed: tuple[Any, ...]
    entries: Sequence[tuple[Any, ...]]
    rows: Mapping[str, Sequence[tuple[Any, ...]]]


@frozen
class Wrong:
    """The first thing that is wrong with a stream.

    Attributes:
        stream: UUID of the stream.
        n: The entry that is wrong, or that wrote the row which differs; None where no entry wrote it.
        what: What is wrong, in words.
        table, row, column: The place, where it is a table that differs.
    """

    stream: str
    n: int | None
    what: str
    table: str = "entries"
    row: str = ""
    column: str = ""


@frozen
class Against:
    """The checkpoint that a record was held against.

    Attributes:
        origin, size: What it says: which log, and how many entries it had.
        made: When it was made, where it says so (canonical instant, whole seconds).
        signed_by: Public keys whose signatures were found right.
        trust: Where these keys were known from: ``given``, ``signing`` (the file beside the keyring) or ``store``: then
            who wrote the store could have written the checkpoint too.
        later: How many entries the log has beyond it.
        disposed: Streams that it saw and that were disposed of, by UUID.
    """

    origin: str
    size: int
    made: str | None
    signed_by: tuple[str, ...]
    trust: str
    later: int = 0
    disposed: tuple[str, ...] = ()


@define
class Report:
    """What a verification saw.

    Attributes:
        streams, entries: How many were checked.
        wrong: What is wrong, one per stream at most, in the order found.
        against: The checkpoint that the record was held against; None: none.
    """

    streams: int = 0
    entries: int = 0
    wrong: list[Wrong] = field(factory=list)
    against: Against | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def verify(streams: Iterable[Stream]) -> Report:
    """Checks every stream; one wrong stream does not end the check of the others."""
    report = Report()
    for stream in streams:
        report.streams += 1
        report.entries += len(stream.entries)
        wrong = check(stream)
        if wrong is not None:
            report.wrong.append(wrong)
    return report


_UNREADABLE = (Unfoldable, KeyError, ValueError, TypeError, AttributeError, RecursionError)
"""What a text raises that is no body or no head, however it was forged."""


def check(stream: Stream) -> Wrong | None:
    """The first thing that is wrong with a stream, or None."""
    head: Json | None = None
    last: tuple[Any, ...] | None = None
    state = b""
    rows: dict[str, dict[tuple[Any, ...], tuple[int, tuple[Any, ...]]]] = {}
    for place, entry in enumerate(stream.entries, start=1):
        if entry[1] != place:
            return _out_of_order(stream, entry[1], place)
        what = _broken(stream, entry, last)
        if what:
            return Wrong(stream.uuid, place, what)
        try:
            version = head["version"] if head is not None else 0
            head, written = fold(head, decode(entry[11])["changes"], place)
            if head["version"] != version:  # only then has the head changed
                state = state_digest(encode(head))
        except _UNREADABLE as wrong:
            return Wrong(stream.uuid, place, f"the body can't be folded: {wrong}")
        if state != entry[10]:
            return Wrong(stream.uuid, place, "the state after it is not the one that it recorded", column="state")
        for table, key, row in written:
            rows.setdefault(table, {})[key] = (place, row) if row is not None else _GONE
        last = entry
    if head is None or last is None:
        return Wrong(stream.uuid, 1, "entry 1 is missing: the stream has none")
    try:
        return _cut(stream) or _wrong_head(stream, head, last[12]) or _wrong_row(stream, rows)
    except _UNREADABLE as wrong:
        return Wrong(stream.uuid, last[1], f"the journal tells of no head that can be listed: {type(wrong).__name__} {wrong}")


_GONE: tuple[int, tuple[Any, ...]] = (0, ())


def _out_of_order(stream: Stream, n: Any, place: int) -> Wrong:
    """An entry that does not follow; one before the first is a later one that has lost its place."""
    if type(n) is int and n < 1:
        there = {entry[1] for entry in stream.entries}
        place = next(i for i in range(1, len(stream.entries) + 1) if i not in there)
    return Wrong(stream.uuid, place, f"entry {place} is missing: in its place is {n}")


def _cut(stream: Stream) -> Wrong | None:
    """Whether the head tells of more entries than there are, or was left behind by them."""
    there, last = len(stream.entries), stream.entries[-1]
    if type(stream.n) is not int or stream.n == there:
        return None
    if stream.n > there and stream.hash != last[12]:
        return Wrong(stream.uuid, there + 1, f"entry {there + 1} is missing: the head tells of {stream.n}")
    if 0 < stream.n < there and stream.hash == stream.entries[stream.n - 1][12]:
        return Wrong(stream.uuid, stream.n + 1, f"the head knows no entry {stream.n + 1}")
    return None


def _broken(stream: Stream, entry: tuple[Any, ...], last: tuple[Any, ...] | None) -> str:
    v, _, recorded, effective = entry[:4]
    if v != FORMAT:
        return f"format {v} is not known here (this casekit reads format {FORMAT})"
    try:
        previous = START if last is None else last[12]
        if link(previous, header(stream.tenant, stream.uuid, *entry[:11]), entry[11]) != entry[12]:
            return "its hash does not fit its content and the entry before it"
        backwards = last is not None and recorded < last[2]
        ahead = effective > recorded
    except (TypeError, ValueError, AttributeError):
        return "its columns are not of the types that an entry has"
    if backwards:
        return "it was recorded before the entry before it"
    return "it holds from a time after it was recorded" if ahead else ""


def _wrong_head(stream: Stream, head: Json, last: bytes) -> Wrong | None:
    last_n = len(stream.entries)
    expected = (stream.kind, last_n, head["version"], last, stream.entries[-1][2], encode(head), *listed(head))
    found = (head["stream"], stream.n, stream.version, stream.hash, stream.recorded, stream.head, *stream.listed)
    for column, says, should in zip(("kind", "n", "version", "hash", "recorded", "head", *LISTED), found, expected, strict=True):
        if says != should:
            return Wrong(
                stream.uuid, last_n, f"the table says {_short(says)}, the journal {_short(should)}", "streams", stream.uuid, column
            )
    return None


def _wrong_row(stream: Stream, expected: Mapping[str, Mapping[tuple[Any, ...], tuple[int, tuple[Any, ...]]]]) -> Wrong | None:
    for table, columns in ROWS.items():
        if table not in expected and table not in stream.rows:
            continue
        wanted = {key: row for key, row in expected.get(table, {}).items() if row is not _GONE}
        places = tuple(columns.index(column) for column in KEYS[table])
        for row in stream.rows.get(table, ()):
            key = tuple([row[p] for p in places])
            n, should = wanted.pop(key, (None, None))
            if should is None:
                return Wrong(stream.uuid, None, "no entry wrote this row", table, _name(key))
            if row != should:
                at = next(i for i, (a, b) in enumerate(zip(row, should, strict=True)) if a != b)
                what = f"the table says {_short(row[at])}, the journal {_short(should[at])}"
                return Wrong(stream.uuid, n, what, table, _name(key), columns[at])
        if wanted:
            key, (n, _) = next(iter(wanted.items()))
            return Wrong(stream.uuid, n, "the row is missing", table, _name(key))
    return None


def _name(key: tuple[Any, ...]) -> str:
    return ".".join(map(str, key))


def _short(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
