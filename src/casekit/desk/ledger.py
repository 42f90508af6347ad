"""The ledger beside the keyring: what was erased, disposed of and held, so that a restored backup learns of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casekit.store import reading
from casekit.store.erasures import Line, append, ledger_beside
from casekit.store.shelf import Shelf

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

LOGS = ("erasures", "disposals", "holds")
"""The desk logs of which the ledger has every entry."""

TELLING = frozenset({"erase", "dispose", "place", "lift"})
"""Kinds of entries that a restore acts on; the others only lead from one to the next."""

RESTORE = "system:restore"
"""The actor of what is made good."""


def write_ledger(desk: Desk, shelf: Shelf) -> None:
    """Brings the ledger beside the keyring up to date.

    Raises:
        StoreFailed: it can't be written.
        BadInput: what lies there is no ledger.
    """
    if desk.store.keys is not None:
        append(ledger_beside(desk.store.keys), ledger_lines(shelf))


def ledger_lines(shelf: Shelf) -> list[Line]:
    """What the ledger says of a tenant."""
    found = []
    for name in LOGS:
        stream = reading.log_of(shelf, name)
        if stream is not None:
            rows = reading.entries_of(shelf, stream.sid)
            found += [Line(shelf.tenant, stream.uuid, (*e[:10], bytes(e[10]), e[11], bytes(e[12]))) for e in rows]
    return found
