"""The export bundle: a case and its parties with their entries and rows, as one JSON value.

Whoever holds one can verify it with this room alone: neither a store nor a key nor a plugin is needed. Digests
are hex; bodies, heads and envelopes are the texts as they were stored.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casekit.model.canonical import Json
from casekit.record.entry import COLUMNS
from casekit.record.tables import LISTED, ROWS
from casekit.record.verify import Report, Stream, Wrong, check

FORMAT = 1
"""The bundle format that this casekit writes."""

_DIGESTS = ("state", "hash")


def packed(stream: Stream) -> Json:
    """A stream as a bundle holds it."""
    return {
        "stream": stream.uuid,
        "kind": stream.kind,
        "n": stream.n,
        "version": stream.version,
        "hash": stream.hash.hex(),
        "recorded": stream.recorded,
        "head": stream.head,
        "listed": dict(zip(LISTED, stream.listed, strict=True)),
        "entries": [entry_members(entry) for entry in stream.entries],
        "rows": {table: [dict(zip(ROWS[table], row, strict=True)) for row in rows] for table, rows in stream.rows.items()},
    }


def unpacked(tenant: str, said: Mapping[str, Any]) -> Stream:
    """The stream that a bundle holds.

    Raises:
        KeyError, ValueError, TypeError, AttributeError: a member is missing, one is there that proves nothing, or a
            digest is no hex.
    """
    uuid, kind, n, version, hash_, recorded, head, listed, entries, rows = _cells(said, _STREAM)
    return Stream(
        tenant,
        uuid,
        kind,
        n,
        version,
        bytes.fromhex(hash_),
        recorded,
        head,
        _cells(listed, LISTED),
        [entry_cells(entry) for entry in entries],
        {table: [_cells(row, ROWS[table]) for row in found] for table, found in rows.items()},
    )


_STREAM = ("stream", "kind", "n", "version", "hash", "recorded", "head", "listed", "entries", "rows")


def entry_members(entry: Sequence[Any]) -> Json:
    """An entry as a bundle holds it."""
    return {name: value.hex() if name in _DIGESTS else value for name, value in zip(COLUMNS, entry, strict=True)}


def entry_cells(said: Mapping[str, Any]) -> tuple[Any, ...]:
    """The entry that a bundle holds, in the order of ``entry.COLUMNS``. Raises as :func:`unpacked` does."""
    cells = zip(COLUMNS, _cells(said, COLUMNS), strict=True)
    return tuple(bytes.fromhex(cell) if name in _DIGESTS else cell for name, cell in cells)


def _cells(said: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    if len(said) != len(names):
        raise ValueError(f"its members should be {', '.join(names)}")
    return tuple(said[name] for name in names)


_BROKEN = (KeyError, ValueError, TypeError, AttributeError)


def verify_bundle(bundle: Mapping[str, Any]) -> Report:
    """Checks every stream of a bundle, that its case is among them, and that definitions and contents are what their
    addresses say.

    What is no bundle is reported as wrong, whatever it is.
    """
    report = Report()
    try:
        for wrong in _wrong(bundle, report):
            report.wrong.append(wrong)
    except _BROKEN as broken:
        report.wrong.append(Wrong("", None, f"this is no bundle: {type(broken).__name__} {broken}", "bundle"))
    return report


def _wrong(bundle: Mapping[str, Any], report: Report) -> Iterator[Wrong]:
    if bundle["format"] != FORMAT:
        yield Wrong("", None, f"format {bundle['format']} is not known here (this casekit reads format {FORMAT})", "bundle")
        return
    for said in bundle["streams"]:
        report.streams += 1
        try:
            stream = unpacked(bundle["tenant"], said)
            report.entries += len(stream.entries)
            wrong = check(stream)
        except _BROKEN as broken:
            wrong = Wrong(str(said.get("stream")), None, f"it can't be read: {type(broken).__name__} {broken}", "streams")
        if wrong is not None:
            yield wrong
    if bundle["case"] not in [said["stream"] for said in bundle["streams"]]:
        yield Wrong(str(bundle["case"]), None, "the case is not among the streams", "bundle")
    for digest, text in bundle["definitions"].items():
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            yield Wrong("", None, "the text is not the one that its address says", "definitions", digest, "body")
    for digest, content in bundle.get("contents", {}).items():
        if hashlib.sha256(b64decode(content, validate=True)).hexdigest() != digest:
            yield Wrong("", None, "the content is not the one that its address says", "documents", digest, "digest")
