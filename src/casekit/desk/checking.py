"""Verify: the journal of a tenant against itself, and every table against the journal.

The pure part is ``record.verify``; here the store is read for it, and what lies beside the record is held to it:
definitions to their digests, rows to their streams, the search index to the envelopes that it was made from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from casekit.desk.parties import FOUND_BY, normalised
from casekit.desk.sealing import opened
from casekit.desk.work import Work
from casekit.errors import StoreFailed
from casekit.model.canonical import decode
from casekit.record.tables import ROWS
from casekit.record.verify import Report, Stream, Wrong, check
from casekit.store import reading
from casekit.store.shelf import Shelf, snapshot

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

BATCH = 500


def verify(desk: Desk, tenant: str) -> Report:
    """Checks everything that a tenant's record holds. It needs no plugin, and erased persons do not disturb it."""
    shelf = desk.shelf(tenant)
    report = Report()
    work = desk.work(shelf)
    pinned: set[str] = set()
    with snapshot(shelf):
        for stream, found in _streams(shelf):
            report.streams += 1
            report.entries += len(stream.entries)
            wrong = check(stream) or (_index(work, stream, found) if stream.kind == "party" else None)
            if wrong is not None:
                report.wrong.append(wrong)
            elif stream.kind == "case":
                head = decode(stream.head)
                pinned |= {head["definition"], head["edition"]}
        report.wrong += _strays(shelf)
        report.wrong += _definitions(shelf, pinned)
    return report


def _streams(shelf: Shelf) -> Iterator[tuple[Stream, set[tuple[str, bytes]]]]:
    after = 0
    while page := reading.all_streams(shelf, after, BATCH):
        first, last = page[0][0], page[-1][0]
        entries = _grouped(reading.between(shelf, "entries", first, last))
        rows = {table: _grouped(reading.between(shelf, table, first, last)) for table in ROWS}
        search = _grouped(reading.found_between(shelf, first, last))
        for sid, uuid, kind, n, version, hash_, recorded, head, *listed in page:
            of_stream = {table: grouped[sid] for table, grouped in rows.items() if sid in grouped}
            stream = Stream(
                shelf.tenant,
                uuid,
                kind,
                n,
                version,
                bytes(hash_),
                recorded,
                head,
                tuple(listed),
                [_bytes(e) for e in entries.get(sid, ())],
                of_stream,
            )
            yield stream, {(field, bytes(digest)) for field, digest in search.get(sid, ())}
        after = last


def _grouped(rows: list[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for sid, *row in rows:
        found.setdefault(sid, []).append(tuple(row))
    return found


def _bytes(entry: tuple[Any, ...]) -> tuple[Any, ...]:
    """An entry with its digests as bytes, whatever the driver gave."""
    return (*entry[:10], _raw(entry[10]), entry[11], _raw(entry[12]))


def _raw(value: Any) -> Any:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else value


def _index(work: Work, stream: Stream, found: set[tuple[str, bytes]]) -> Wrong | None:
    """Whether a party is found by what it holds; details that it once had may still find it."""
    head = decode(stream.head)
    sealed = head.get("sealed")
    if sealed is None:
        return Wrong(stream.uuid, stream.n, "an erased party is still in the search index", "search", stream.uuid) if found else None
    try:
        inside = opened(work.key, work.shelf.tenant, stream.uuid, "party", {stream.uuid: sealed["envelope"]})
    except (StoreFailed, ValueError) as wrong:
        return Wrong(stream.uuid, stream.n, f"what is sealed can't be opened: {wrong}", "data_keys", stream.uuid, "wrapped")
    if not inside and sealed["fields"]:
        return Wrong(stream.uuid, stream.n, "the key is gone, and no erasure says so", "data_keys", stream.uuid)
    for name, value in inside.items():
        plain = normalised(name, value) if name in FOUND_BY else ""
        if plain and (name, work.shelf.vault.search(name, plain)) not in found:
            return Wrong(stream.uuid, stream.n, f"the party can't be found by its {name}", "search", stream.uuid, "hmac")
    return None


def _strays(shelf: Shelf) -> list[Wrong]:
    """Rows that belong to no stream."""
    return [
        Wrong("", None, f"{count} rows belong to no stream of this tenant", table)
        for table in ("entries", *ROWS)
        if (count := reading.strays(shelf, table))
    ]


def _definitions(shelf: Shelf, pinned: set[str]) -> list[Wrong]:
    """Whether every definition is what its address says, and every one that a case is pinned to is there."""
    texts = reading.definitions(shelf)
    wrong = [
        Wrong("", None, "the text is not the one that its address says", "definitions", digest, "body")
        for digest, text in texts.items()
        if hashlib.sha256(text.encode()).hexdigest() != digest
    ]
    return wrong + [Wrong("", None, "a case is pinned to it, and it is missing", "definitions", d) for d in sorted(pinned - set(texts))]


__all__ = ["verify"]
