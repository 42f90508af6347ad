"""Taking a case out: its streams as they are stored, and beside them what can be read of it today."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from casekit.desk.casefile import CaseFile, person
from casekit.desk.loopvalues import Review
from casekit.desk.timeline import timeline
from casekit.desk.turn import Spec
from casekit.desk.work import Stream, Work
from casekit.model.canonical import Json, decode, encode, plain
from casekit.record.bundle import FORMAT, packed
from casekit.record.tables import LISTED, ROWS
from casekit.record.verify import Stream as Stored
from casekit.store import reading
from casekit.store.escrow import Passphrase, Recipient, seal
from casekit.store.shelf import snapshot

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

EXPORT = Spec("export", "case.export")

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def bundle(desk: Desk, work: Work, case: Stream, *, contents: bool = True, keys: Passphrase | Recipient | None = None) -> Json:
    """The bundle of a case: what verifies (``streams``, ``definitions``, ``contents``), and what people read
    (``readable``).

    Args:
        desk: The desk.
        work: A transaction that only reads.
        case: The case.
        contents: Whether the contents of its documents come with it, sealed as they are.
        keys: Under what the data keys of its owners come with it; None: they do not.
    """
    definition = desk.library.pinned(work.shelf, case.head["definition"])
    file = CaseFile(work, case, definition)
    with snapshot(work.shelf):
        stored = _stored(work, case)
        streams = [stored, *(_stored(work, party) for party in _everyone(work, stored))]
        texts = {address: reading.definition(work.shelf, address) for address in _pinned(case.head)}
    more: Json = {"contents": _contents(work, stored)} if contents else {}
    if keys is not None:
        more["keys"] = _keys(work, streams, keys)
    return {
        **more,
        "format": FORMAT,
        "tenant": work.shelf.tenant,
        "case": case.uuid,
        "exported": work.now(),
        "streams": [packed(stream) for stream in streams],
        "definitions": {address: text for address, text in texts.items() if text is not None},
        "readable": _readable(work, file),
    }


def _everyone(work: Work, case: Stored) -> list[Stream]:
    """Every party that the case ever named, and whoever these were merged into or took."""
    found: dict[str, Stream] = {}
    wanted = {uuid for entry in case.entries for uuid in _UUID.findall(entry[11])} - {case.uuid}
    while wanted:
        work.load(sorted(wanted))
        fresh = [work.streams[uuid] for uuid in sorted(wanted) if uuid in work.streams and work.streams[uuid].kind == "party"]
        found |= {stream.uuid: stream for stream in fresh}
        also = {uuid for s in fresh for uuid in (*s.head.get("took", ()), s.head.get("merged")) if uuid}
        wanted = also - set(found)
    return list(found.values())


def _contents(work: Work, case: Stored) -> Json:
    digests = sorted({row[8] for row in case.rows.get("documents", ())})
    return {digest: b64encode(work.shelf.files.get(digest)).decode() for digest in digests}


def _keys(work: Work, streams: list[Stored], by: Passphrase | Recipient) -> Json:
    """The data keys of all owners who have one, sealed."""
    rows = reading.keys_of(work.shelf, [stream.uuid for stream in streams])
    bare = {row[0]: [row[1], b64encode(work.shelf.vault.bare(row)).decode()] for row in rows}
    sealed: Json = decode(seal(encode(bare).encode(), {"what": "keys of a case", "case": streams[0].uuid}, by))
    return sealed


def _pinned(head: Json) -> list[str]:
    """Addresses of all definitions that a case goes by."""
    calendars = [address for group in ("calendars", "counts") for address in head.get(group, {}).values()]
    return [head["definition"], head["edition"], *calendars]


def _stored(work: Work, stream: Stream) -> Stored:
    shelf = work.shelf
    row = reading.stream_row(shelf, stream.sid)
    _, uuid, kind, n, version, hash_, recorded, head, *listed = row
    assert len(listed) == len(LISTED)
    entries = [(*e[:10], bytes(e[10]), e[11], bytes(e[12])) for e in reading.entries_of(shelf, stream.sid)]
    rows = {table: [tuple(row) for row in reading.rows_of(shelf, table, stream.sid)] for table in ROWS}
    return Stored(
        shelf.tenant,
        uuid,
        kind,
        n,
        version,
        bytes(hash_),
        recorded,
        head,
        tuple(listed),
        entries,
        {table: found for table, found in rows.items() if found},
    )


def _readable(work: Work, file: CaseFile) -> Json:
    head = file.stream.head
    machine = head["machine"]
    return {
        "type": head["type"],
        "number": head.get("number"),
        "state": " ".join(machine["active"]),
        "category": machine["category"],
        "outcome": machine.get("outcome"),
        "opened": head["opened"],
        "closed": head.get("closed"),
        "totals": machine["totals"],
        "data": plain(dict(file.data)),
        "parties": [_party(work, role, uuid) for role, members in sorted(head["parties"].items()) for uuid in sorted(members)],
        "timeline": [_happening(h) for h in timeline(work, file.stream)],
    }


def _party(work: Work, role: str, uuid: str) -> Json:
    found = person(work, work.stream(uuid, "party"), role)
    return {"id": found.id, "role": role, "kind": found.kind, "zone": found.zone, "language": found.language, **dict(found.details)}


def _happening(happening: Any) -> Json:
    return {
        "n": happening.n,
        "recorded": happening.recorded,
        "effective": happening.effective,
        "actor": happening.actor,
        "kind": happening.kind,
        "title": happening.title,
        "text": happening.text,
        "fields": dict(happening.fields),
        "events": list(happening.events),
        "objections": [{"rule": o.rule, "reason": o.reason, "citation": o.citation} for o in happening.objections],
        "changes": [dict(change) for change in happening.changes],
        **({"before": dict(happening.before)} if happening.before else {}),
        **({} if happening.review is None else {"review": _review(happening.review)}),
    }


def _review(review: Review) -> Json:
    return {
        "round": review.round,
        "findings": [{"rule": f.rule, "text": f.text, "citation": f.citation, "because": list(f.because)} for f in review.findings],
        "adjustments": [{"key": a.key, "text": a.text, "because": list(a.because)} for a in review.adjustments],
    }
