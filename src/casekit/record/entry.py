"""The journal entry and the hash that chains it.

Format 1. The hash of an entry is SHA-256 over: the 32 raw bytes of the previous hash (32 zero bytes before
the first entry), the header as canonical JSON, and the 32 raw bytes of SHA-256 over the body text as stored.
The header is one object with the keys ``actor command day effective kind n recorded spoke state stream tenant
v zone``; ``state`` is the SHA-256 (hex) of the canonical text of the stream's head after the entry.
"""

from __future__ import annotations

from hashlib import sha256

from attrs import fields, frozen

from casekit.model.canonical import encode

FORMAT = 1
"""The format version that this casekit writes."""

START = bytes(32)
"""What stands for the hash before the first entry of a stream."""


@frozen
class Entry:
    """One entry of a stream, as it is stored.

    Attributes:
        v: Format version.
        n: Place in the stream, from 1.
        recorded: When the shell recorded it (canonical instant); never runs back within a stream.
        effective: Since when it holds in the world (canonical instant); never after ``recorded``.
        zone: IANA zone in which ``effective`` is read.
        day: The day, where only the day is known; else None.
        actor: Who acted, pseudonymous.
        kind: Name of the command, or ``refused``.
        command: UUID of the command; entries of several streams share it.
        spoke: Canonical JSON: plugin → version, of those that were asked.
        state: SHA-256 of the head's canonical text after this entry.
        body: Canonical JSON: ``changes`` (results, which :func:`casekit.record.fold.fold` applies) and ``about``.
        hash: The link.
    """

    v: int
    n: int
    recorded: str
    effective: str
    zone: str
    day: str | None
    actor: str
    kind: str
    command: str
    spoke: str
    state: bytes
    body: str
    hash: bytes


COLUMNS: tuple[str, ...] = tuple(attribute.name for attribute in fields(Entry))
"""Columns of an entry, in the order in which tuples of them stand."""


def header(  # noqa: PLR0917 - the columns of an entry, in their order
    tenant: str,
    stream: str,
    v: int,
    n: int,
    recorded: str,
    effective: str,
    zone: str,
    day: str | None,
    actor: str,
    kind: str,
    command: str,
    spoke: str,
    state: bytes,
) -> str:
    """The canonical header text of an entry."""
    return encode(
        {
            "actor": actor,
            "command": command,
            "day": day,
            "effective": effective,
            "kind": kind,
            "n": n,
            "recorded": recorded,
            "spoke": spoke,
            "state": state.hex(),
            "stream": stream,
            "tenant": tenant,
            "v": v,
            "zone": zone,
        }
    )


def link(previous: bytes, head: str, body: str) -> bytes:
    """The hash of an entry: previous hash, header text, SHA-256 of the body text."""
    return sha256(previous + head.encode() + sha256(body.encode()).digest()).digest()


def state_digest(head_text: str) -> bytes:
    """SHA-256 of a head's canonical text."""
    return sha256(head_text.encode()).digest()
