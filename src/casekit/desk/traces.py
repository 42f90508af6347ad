"""Where a trace of an imported log lies: a keyed digest leads to its case, for a trace's id may name a person."""

from __future__ import annotations

from collections.abc import Iterable

from casekit.store import reading
from casekit.store.shelf import Shelf


def digest_of(shelf: Shelf, source: str, trace: str) -> bytes:
    """The key under which the case of a trace is found."""
    return shelf.vault.idempotency(f"import\0{source}\0{trace}")


def cases_of(shelf: Shelf, source: str, traces: Iterable[str]) -> dict[str, str]:
    """Trace → UUID of its case, of those that were imported."""
    digests = {digest_of(shelf, source, trace): trace for trace in traces}
    return {digests[digest]: uuid for digest, uuid in reading.answered_all(shelf, list(digests)).items()}
