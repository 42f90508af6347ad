"""A case as it was, on either axis of time.

``as_of`` asks what was known then: the entries recorded by that instant. ``effective`` asks what held then, as
known now: case time never runs back, so the state is a prefix of the chain; facts and postings go by their own
effective instants, over everything known. A day means the end of that day in the zone of the case.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from attrs import evolve, frozen

from casekit.decisions import totals
from casekit.decisions.compiled import Compiled
from casekit.desk.casefile import Rows
from casekit.desk.righted import laid_over
from casekit.desk.work import Stream, Work
from casekit.errors import NotFound
from casekit.model.canonical import Json, decode, encode
from casekit.model.ledger import Posting
from casekit.model.money import Money
from casekit.model.time import day_after, day_start, effective, from_micros, micros
from casekit.record.entry import START
from casekit.record.fold import fold
from casekit.store import reading

Moment = date | datetime | str
_BODY, _RECORDED, _HASH = 11, 2, 12


@frozen
class Asked:
    """Which past is asked for, as canonical instants; None: that axis is not cut."""

    as_of: str | None
    effective: str | None


def asked(as_of: Moment | None, effective_: Moment | None, zone: str) -> Asked:
    """The moments asked for, in the zone of the case."""
    return Asked(_end(as_of, zone), _end(effective_, zone))


def rewound(work: Work, stream: Stream, cut: Asked) -> tuple[Stream, Rows]:
    """The case and its rows as they were; for an effective moment, with the case data that was put right for it since.

    Raises:
        NotFound: the case was not open, or not known, at that moment.
    """
    entries = reading.entries_of(work.shelf, stream.sid, recorded=cut.as_of)
    rows: dict[str, list[tuple[Any, ...]]] = {}
    head: Json | None = None
    prefix = 0
    for n, entry in enumerate(entries, start=1):
        head, written = fold(head, decode(entry[_BODY])["changes"], n)
        for table, _, row in written:
            if row is not None:
                rows.setdefault(table, []).append(row)
        if cut.effective is None or head["time"] <= cut.effective:
            prefix = n
    if not prefix:
        raise NotFound.at("case", f"{stream.uuid} was not open at that moment", "ask for a later one")
    then = at(stream, entries[:prefix])
    if cut.effective is None:
        return then, rows
    return laid_over(work, then, entries[prefix:], cut.effective), _held(rows, cut.effective, prefix)


def at(stream: Stream, entries: list[tuple[Any, ...]]) -> Stream:
    """The stream as a prefix of its entries left it."""
    head: Json | None = None
    for n, entry in enumerate(entries, start=1):
        head, _ = fold(head, decode(entry[_BODY])["changes"], n)
    assert head is not None
    last = entries[-1] if entries else None
    n = len(entries)
    return Stream(
        stream.sid, stream.uuid, stream.kind, n, n, last[_HASH] if last else START, last[_RECORDED] if last else "", head, encode(head)
    )


def as_known_now(stream: Stream, rows: Rows, definition: Compiled, moment: str) -> Stream:
    """The case with facts and totals as they held at an effective moment, over everything known now."""
    head = dict(stream.head)
    head["facts"] = _latest(rows)
    currency = head.get("currency")
    if currency:
        sums = totals.at(definition, _postings(rows), currency, moment)
        head["machine"] = {**head["machine"], "totals": sums}
    return evolve(stream, head=head)


def _held(rows: Rows, moment: str, prefix: int) -> Rows:
    places = {"facts": 3, "postings": 6, "messages": 7}
    held = {table: [row for row in rows.get(table, ()) if row[place] <= moment] for table, place in places.items()}
    tasks = [row for row in rows.get("tasks", ()) if row[2] <= prefix]
    return {**held, "tasks": tasks, "documents": [row for row in rows.get("documents", ()) if row[0] <= prefix]}


def _latest(rows: Rows) -> Json:
    found: Json = {}
    for n, i, key, at_, _, _, value, sealed in sorted(rows.get("facts", ()), key=lambda row: (row[3], row[0], row[1])):
        kept: Json = {"id": f"{n}.{i}", "at": at_}
        if value is not None:
            kept["value"] = decode(value)
        elif sealed is not None:
            kept["sealed"] = decode(sealed)
        found[key] = kept
    return found


def _postings(rows: Rows) -> list[Posting]:
    return [
        Posting(f"{n}.{i}", kind, component, Money.of_minor(minor, currency), at_, reverses)
        for n, i, kind, component, minor, currency, at_, _, _, reverses, _ in rows.get("postings", ())
    ]


def _end(moment: Moment | None, zone: str) -> str | None:
    if moment is None:
        return None
    when = effective(moment, zone)
    return when.at if when.day is None else from_micros(micros(day_start(day_after(when.day), zone)) - 1)
