"""The export bundle: a case and its parties with their entries and rows, as one JSON value.

Whoever holds one can verify it with this room alone: neither a store nor a key nor a plugin is needed. Digests
are hex; bodies, heads and envelopes are the texts as they were stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
        "entries": [
            {name: value.hex() if name in _DIGESTS else value for name, value in zip(COLUMNS, entry, strict=True)}
            for entry in stream.entries
        ],
        "rows": {table: [dict(zip(ROWS[table], row, strict=True)) for row in rows] for table, rows in stream.rows.items()},
    }


def unpacked(tenant: str, said: Mapping[str, Any]) -> Stream:
    """The stream that a bundle holds.

    Raises:
        KeyError, ValueError: a member is missing, or a digest is no hex.
    """
    return Stream(
        tenant,
        said["stream"],
        said["kind"],
        said["n"],
        said["version"],
        bytes.fromhex(said["hash"]),
        said["recorded"],
        said["head"],
        tuple(said["listed"][name] for name in LISTED),
        [tuple(bytes.fromhex(e[name]) if name in _DIGESTS else e[name] for name in COLUMNS) for e in said["entries"]],
        {table: [tuple(row[name] for name in ROWS[table]) for row in rows] for table, rows in said["rows"].items()},
    )


def verify_bundle(bundle: Mapping[str, Any]) -> Report:
    """Checks every stream of a bundle, and that its definitions are what their addresses say."""
    report = Report()
    for said in bundle["streams"]:
        report.streams += 1
        report.entries += len(said["entries"])
        try:
            wrong = check(unpacked(bundle["tenant"], said))
        except (KeyError, ValueError, TypeError) as broken:
            wrong = Wrong(str(said.get("stream")), None, f"it can't be read: {type(broken).__name__} {broken}", "streams")
        if wrong is not None:
            report.wrong.append(wrong)
    for digest, text in bundle["definitions"].items():
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            report.wrong.append(Wrong("", None, "the text is not the one that its address says", "definitions", digest, "body"))
    return report
