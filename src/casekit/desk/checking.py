"""Verify: the journal of a tenant against itself, and every table against the journal.

The pure part is ``record.verify``; here the store is read for it. What lies beside the record is held to it in
:mod:`casekit.desk.beside`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from casekit.desk.beside import Beside, Found
from casekit.desk.work import Work
from casekit.errors import StoreFailed
from casekit.record.tables import ROWS
from casekit.record.verify import Report, Stream, Wrong, check
from casekit.store import auditing, reading
from casekit.store.shelf import Shelf, snapshot

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

BATCH = 500
_LOWEST = -(2**63)


def verify(desk: Desk, tenant: str) -> Report:
    """Checks everything that a tenant's record holds. It needs no plugin, and erased persons do not disturb it.

    A store that can't be read to its end is wrong, not an error: the report says how far it came.
    """
    return verify_work(desk.work(desk.shelf(tenant)))


def verify_work(work: Work, *, keys: bool = True) -> Report:
    """The same for any shelf. Without its keys everything is checked but what only they can tell."""
    shelf = work.shelf
    report = _read(work, keys)
    if any(not w.table for w in report.wrong) and shelf.sqlite:
        # Damaged bytes may be no text any more: read all the same, they show where the damage is.
        with auditing.lossless(shelf):
            report = _read(Work(shelf, work.now), keys)
    return report


def _read(work: Work, keys: bool) -> Report:
    report = Report()
    try:
        with snapshot(work.shelf):
            _check(work, report, keys)
            report.wrong += [Wrong("", None, what, "database") for what in auditing.damage(work.shelf)]
    except (StoreFailed, UnicodeError) as wrong:
        report.wrong.append(Wrong("", None, f"the store can't be read any further: {wrong}", ""))
    return report


def _check(work: Work, report: Report, keys: bool) -> None:
    beside = Beside(work, keys=keys)
    for stream, found in _streams(work.shelf):
        report.streams += 1
        report.entries += len(stream.entries)
        wrong = check(stream) or beside.check(stream, found)
        if wrong is not None:
            report.wrong.append(wrong)
    report.wrong += beside.rest()


def _streams(shelf: Shelf) -> Iterator[tuple[Stream, Found]]:
    after = _LOWEST
    while page := reading.all_streams(shelf, after, BATCH):
        first, last = page[0][0], page[-1][0]
        entries = _grouped(reading.between(shelf, "entries", first, last))
        rows = {table: _grouped(reading.between(shelf, table, first, last)) for table in ROWS}
        search = _grouped(auditing.found_between(shelf, first, last))
        keys = {row[0]: row for row in reading.keys_of(shelf, [row[1] for row in page if row[2] != "log"])}
        for sid, uuid, kind, n, version, hash_, recorded, head, *listed in page:
            of_stream = {table: grouped[sid] for table, grouped in rows.items() if sid in grouped}
            journal = [_bytes(e) for e in entries.get(sid, ())]
            stream = Stream(shelf.tenant, uuid, kind, n, version, bytes(hash_), recorded, head, tuple(listed), journal, of_stream)
            yield stream, Found({(field, bytes(digest)) for field, digest in search.get(sid, ())}, keys.get(uuid))
        after = last


def _grouped(rows: list[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row[1:])
    return found


def _bytes(entry: tuple[Any, ...]) -> tuple[Any, ...]:
    """An entry with its digests as bytes, whatever the driver gave."""
    if type(entry[10]) is bytes and type(entry[12]) is bytes:
        return entry
    return (*entry[:10], _raw(entry[10]), entry[11], _raw(entry[12]))


def _raw(value: Any) -> Any:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else value


__all__ = ["verify", "verify_work"]
