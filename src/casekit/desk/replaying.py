"""What was deleted or held after a backup was made is deleted and held again when it comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from casekit.desk import disposals, erasure, holds
from casekit.desk.ledger import RESTORE, ledger_lines
from casekit.desk.work import Work
from casekit.model.canonical import decode
from casekit.store.erasures import Line
from casekit.store.shelf import Shelf
from casekit.store.sql import Connection


def replay(shelf: Shelf, now: Callable[[], str], lines: Iterable[Line]) -> int:
    """Does once more what a ledger tells and this copy does not know; gives how many deletions there were to make good.

    It needs no keys, and no rule objects: it was done, and only this copy does not know of it. A party or a case that
    the backup has not seen yet is passed over.
    """
    known = {line.hash for line in ledger_lines(shelf)}
    made = 0
    for line in sorted(lines, key=lambda line: (line.entry[2], line.entry[1])):
        if line.tenant == shelf.tenant and line.hash not in known:
            with shelf.transaction() as connection:
                made += _again(shelf, Work(shelf, now), connection, line)
    return made


def _again(shelf: Shelf, work: Work, connection: Connection, line: Line) -> bool:
    kind, about, mark = line.entry[7], decode(line.entry[11])["about"], line.hash.hex()
    if kind == "erase":
        return erasure.again(shelf, work, connection, about, mark)
    if kind == "dispose":
        return disposals.again(work, connection, about, mark)
    if kind in ("place", "lift") and holds.again(work, RESTORE, kind, about, mark):
        work.flush(connection)
    return False


__all__ = ["replay"]
