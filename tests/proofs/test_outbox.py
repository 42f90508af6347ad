"""P7: events leave at least once, in the order of their case, and none is skipped.

Writers write alone, in batches and in transactions of a host that stay open for a while, some of which are taken
back; so entries of several cases come to stand in another order than the one in which they were made. Meanwhile
relays tell a listener, and are killed. The listener drops what it has heard before; what is left must be the journal.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from casekit import Seat
from proofs import crowd
from proofs.crowd import crew

CASES = 24
WRITERS = 3
RELAYS = 2


def heard_of(file: Path) -> tuple[dict[str, list[int]], int]:
    """Case → entries in the order in which they were first heard of; and how often something was heard again."""
    found: dict[str, list[int]] = {}
    again = 0
    for line in file.read_text().splitlines():
        case, n = line.split()
        entries = found.setdefault(case, [])
        if int(n) in entries:
            again += 1
        else:
            entries.append(int(n))
    return found, again


def stands(seat: Seat, cases: list[str]) -> dict[str, list[int]]:
    """Case → entries that listeners must hear of."""
    return {case: [entry["n"] for entry in seat.journal(case) if entry["kind"] != "refused"] for case in cases}


def told(heard: Path, dice: random.Random) -> None:
    """Waits until relays are telling, for they are to be killed while they do."""
    size, until = heard.stat().st_size, time.monotonic() + 2
    while heard.stat().st_size == size and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(dice.uniform(0, 0.02))


def test_events_leave_at_least_once_and_in_order(
    engine: str, store_url: str, tmp_path: Path, times: Callable[..., int], dice: random.Random, figure: Callable[[str], None]
) -> None:
    events = times(2000)
    heard = tmp_path / "heard"
    heard.touch()
    kills = 0
    with crowd.desk_at(str(tmp_path), store_url) as desk, crew(tmp_path, store_url, WRITERS + RELAYS) as workers:
        seat = crowd.clerk(desk)
        cases = [seat.open("crowd.case").id for _ in range(CASES)]
        writers = workers.workers[:WRITERS]
        done = 0
        while done < events:
            share = min(40, max(1, (events - done) // WRITERS))
            for writer in writers:
                writer.ask("write", cases=cases, count=share, url=store_url)
            for i in range(WRITERS, WRITERS + RELAYS):
                workers.workers[i].ask("relay", heard=str(heard))
            told(heard, dice)
            relays = workers.workers[WRITERS:]
            dying = relays if dice.random() < 0.5 else [dice.choice(relays)]
            for relay in dying:
                relay.kill()
            kills += len(dying)
            done += sum(writer.answer() for writer in writers)
            for relay in relays:
                relay.answer()
            for relay in dying:
                workers.replace(relay)
        workers.workers[-1].ask("relay", heard=str(heard))
        workers.workers[-1].answer()
        wanted = stands(seat, cases)
        assert seat.undelivered() == ()
        assert seat.verify().wrong == []

    found, again = heard_of(heard)
    missing = sum(len(set(entries) - set(found.get(case, ()))) for case, entries in wanted.items())
    ghosts = sum(len(set(entries) - set(wanted.get(case, ()))) for case, entries in found.items())
    disordered = sum(entries != sorted(entries) for entries in found.values())
    figure(
        f"P7 outbox ({engine}): {sum(map(len, wanted.values()))} events, {kills} relays killed, {again} heard again; "
        f"{missing} missing, {ghosts} of what was taken back, {disordered} cases out of order"
    )
    assert (missing, ghosts, disordered) == (0, 0, 0)
    assert again > 0, "no relay was killed between telling and taking away"
    assert sum(map(len, wanted.values())) >= events
