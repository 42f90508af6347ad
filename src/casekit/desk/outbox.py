"""The outbox: listeners hear of every entry after it stands, in the order of its case, at least once.

A row is a pointer to an entry. It leaves the outbox once every listener has heard of it; where one raises, the
row waits, with growing pauses, and so do the later entries of that case.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from traceback import format_tb
from typing import TYPE_CHECKING, Any

from attrs import evolve

from casekit.model.canonical import decode
from casekit.model.time import add, duration
from casekit.plugins import contained
from casekit.plugins.catalogue import call_with
from casekit.plugins.view import Recorded
from casekit.store import reading
from casekit.store.reading import Head
from casekit.store.shelf import Shelf, writing
from casekit.store.upkeep import heard, postpone

if TYPE_CHECKING:
    from casekit.desk.desk import Desk
    from casekit.plugins.catalogue import Asked

BATCH = 200
MORE = 20
"""Rounds of a sweep beyond those for what waited when it began: listeners that answer each entry with another would never
let it end. The next sweep goes on."""
LONGEST = 12
"""Doublings of the pause: a minute at first, never beyond three days."""

_log = logging.getLogger("casekit.outbox")


def deliver(desk: Desk, shelf: Shelf, now: str) -> tuple[int, int]:
    """Tells listeners what waits for them; gives how many entries all of them have heard, and how many must wait."""
    delivered = failed = 0
    moved, rounds = True, reading.count_outbox(shelf) // BATCH + MORE
    while moved and rounds > 0:  # what listeners themselves have recorded meanwhile is told in a further pass
        moved, after = False, (0, 0)
        while rounds > 0 and (rows := reading.waiting(shelf, now, after, BATCH)):
            after = rows[-1][0], rows[-1][1]
            told, put_off = _round(desk, shelf, rows, now)
            delivered, failed, moved, rounds = delivered + told, failed + put_off, True, rounds - 1
    return delivered, failed


def _round(desk: Desk, shelf: Shelf, rows: list[tuple[Any, ...]], now: str) -> tuple[int, int]:
    untold = {row[0]: row[4] for row in rows if _listening(desk, row[5], row[3].split())}
    streams = {head.sid: head for head in reading.heads_of(shelf, list(untold.values())).values()}
    done: list[tuple[int, int]] = []
    waits: list[tuple[Any, ...]] = []
    blocked: set[int] = set()
    for sid, n, attempts, told, _, _ in rows:
        if sid in blocked:
            continue
        heard_by, errors = _tell(desk, shelf, streams[sid], n, set(told.split())) if sid in streams else (set(), [])
        if not errors:
            done.append((sid, n))
            continue
        blocked.add(sid)
        pause = duration(f"PT{60 * 2 ** min(attempts, LONGEST)}S")
        waits.append((sid, n, attempts + 1, add(now, pause, "UTC"), " ".join(sorted(heard_by)), "; ".join(errors)))
    with writing(shelf) as connection:
        heard(shelf, connection, done)
        postpone(shelf, connection, waits)
    return len(done), len(waits)


def _tell(desk: Desk, shelf: Shelf, head: Head, n: int, told: set[str]) -> tuple[set[str], list[str]]:
    kept = decode(head.text)
    listeners = _listening(desk, kept["type"], told)
    if not listeners:
        return told, []
    entry = reading.entry_of(shelf, head.sid, n)
    if entry is None:
        return told, []  # the case was disposed of just now, and nothing waits any more
    about = decode(entry[11])["about"]
    named = (head.uuid, kept["type"], n, entry[7], entry[3], entry[2], " ".join(kept["machine"]["active"]))
    recorded = Recorded(*named, tuple(about.get("events", ())), tuple(about.get("effects", ())))
    errors = []
    for asked in listeners:
        wrong = _call(asked, recorded)
        if wrong:
            errors.append(wrong)
        else:
            told.add(asked.plugin.name)
    return told, errors


def _listening(desk: Desk, case_type: str, told: Collection[str]) -> list[Asked]:
    """Who wants to hear of an entry, and has not yet."""
    return [asked for asked in desk.catalogue.listeners(case_type) if asked.plugin.name not in told]


def _call(asked: Asked, recorded: Recorded) -> str:
    """What went wrong, without its words: they may say more than an outbox may hold. The log has them."""
    try:
        call_with(asked.call, {"recorded": evolve(recorded, effects=tuple(contained.loose(dict(e)) for e in recorded.effects))})
    except KeyboardInterrupt:
        raise  # somebody wants the program to end: the entry is told again
    except BaseException as wrong:  # noqa: BLE001 - a listener may fail in any way, and is told again
        where = "".join(format_tb(wrong.__traceback__)[-5:])
        words = (asked.plugin.name, asked.plugin.version, recorded.case, recorded.n, contained.told(wrong))
        _log.error("%s %s could not hear of %s/%s: %s\n%s", *words, where)
        return f"{asked.plugin.name} {asked.plugin.version} raised {contained.told(wrong).partition(':')[0]}"
    return ""
