"""Verify: the journal of a tenant against itself, and every table against the journal.

The pure part is ``record.verify``; here the store is read for it. What lies beside the record is held to it in
:mod:`casekit.desk.beside`, the log of entries and its checkpoints in :mod:`casekit.desk.logcheck`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casekit.desk.beside import Beside, Found
from casekit.desk.logcheck import Given, LogCheck, read_given
from casekit.desk.work import Work
from casekit.errors import StoreFailed
from casekit.record.checkpoint import Leaf
from casekit.record.tables import ROWS
from casekit.record.verify import Report, Stream, Wrong, check
from casekit.store import auditing, leaves, reading
from casekit.store.shelf import Shelf, snapshot

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

BATCH = 500
_LOWEST = -(2**63)


def verify(desk: Desk, tenant: str, against: str | Path = "", keys: Sequence[str | Path] = ()) -> Report:
    """Checks everything that a tenant's record holds. It needs no plugin, and erased persons do not disturb it.

    A store that can't be read to its end is wrong, not an error: the report says how far it came.

    Args:
        desk: The desk.
        tenant: Whose record.
        against: A checkpoint that somebody holds: a file, or the text itself. Everything that it saw must still be there.
        keys: The public keys to trust for it, or files of them.

    Raises:
        BadInput: what is held is no checkpoint of this log, or is not signed by a key that is known.
    """
    shelf = desk.shelf(tenant)
    given = read_given(shelf, against, keys) if against else None
    return _carefully(desk.work(shelf), lambda work: _read(work, given))


def verify_copy(work: Work, *, keys: bool = True) -> Report:
    """The same for a copy of a store, which may be older than what was signed since.

    Args:
        work: On the copy.
        keys: Whether the keyring is at hand; without it everything is checked but what only that can tell.
    """
    return _carefully(work, lambda one: _read(one, None, keys=keys, copy=True))


def _carefully(work: Work, read: Callable[[Work], Report]) -> Report:
    report = read(work)
    if any(not w.table for w in report.wrong) and work.shelf.sqlite:
        # Damaged bytes may be no text any more: read all the same, they show where the damage is.
        with auditing.lossless(work.shelf):
            report = read(Work(work.shelf, work.now))
    return report


def _read(work: Work, given: Given | None, *, keys: bool = True, copy: bool = False) -> Report:
    report = Report(against=given.said if given is not None else None)
    try:
        with snapshot(work.shelf):
            _check(report, Beside(work, keys=keys), LogCheck(work.shelf, given, copy=copy))
            report.wrong += [Wrong("", None, what, "database") for what in auditing.damage(work.shelf)]
    except (StoreFailed, UnicodeError) as wrong:
        report.wrong.append(Wrong("", None, f"the store can't be read any further: {wrong}", ""))
    return report


def _check(report: Report, beside: Beside, log: LogCheck) -> None:
    for stream, found, of_stream in _streams(beside.shelf):
        report.streams += 1
        report.entries += len(stream.entries)
        wrong = check(stream) or log.check(stream, of_stream) or beside.check(stream, found)
        if wrong is not None:
            report.wrong.append(wrong)
    report.wrong += [*beside.rest(), *log.rest()]
    report.against = log.said()


def _streams(shelf: Shelf) -> Iterator[tuple[Stream, Found, Sequence[Leaf]]]:
    after = _LOWEST
    while page := reading.all_streams(shelf, after, BATCH):
        first, last = page[0][0], page[-1][0]
        entries = _grouped(reading.between(shelf, "entries", first, last))
        rows = {table: _grouped(reading.between(shelf, table, first, last)) for table in ROWS}
        search = _grouped(auditing.found_between(shelf, first, last))
        keys = {row[0]: row for row in reading.keys_of(shelf, [row[1] for row in page])}
        taken = leaves.leaves_of(shelf, [row[1] for row in page])
        for sid, uuid, kind, n, version, hash_, recorded, head, *listed in page:
            of_stream = {table: grouped[sid] for table, grouped in rows.items() if sid in grouped}
            journal = [_bytes(e) for e in entries.get(sid, ())]
            stream = Stream(shelf.tenant, uuid, kind, n, version, bytes(hash_), recorded, head, tuple(listed), journal, of_stream)
            beside = Found({(field, bytes(digest)) for field, digest in search.get(sid, ())}, keys.get(uuid))
            yield stream, beside, taken.get(uuid, ())
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


__all__ = ["verify", "verify_copy"]
