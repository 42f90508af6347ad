"""P19: it runs for long without decay.

Eight writers, plugins that guard and listen, a relay that works off what is due, a checkpoint now and then, and a verifier, all at
the same time. The small form takes some seconds, the full one an hour; CASEKIT_SOAK says another number of seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from attrs import define, field

from casekit import Desk
from proofs import crowd
from proofs.crowd import crew

WRITERS = 8
CASES = 40
WAL, LONG_WAL = 64 << 20, 1 << 30
"""Bytes that the write-ahead log may reach. It can't be worked off while somebody reads, and verifying an hour's record takes long."""


@define
class Seen:
    """What was seen meanwhile."""

    wal: int = 0
    sweeps: int = 0
    verified: int = 0
    wrong: list[str] = field(factory=list)


def p99(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)] * 1000


def watch(desk: Desk, folder: Path, seconds: float) -> Seen:
    """Works off what is due, makes checkpoints, verifies, and looks at the write-ahead log."""
    seen = Seen()
    seat, log = crowd.clerk(desk), folder / "store.db-wal"
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seat.run_due()
        seen.sweeps += 1
        if seen.sweeps % 5 == 1:
            seat.checkpoint()
            seen.wrong += map(str, seat.verify().wrong)
            seen.verified += 1
        seen.wal = max(seen.wal, log.stat().st_size if log.exists() else 0)
        time.sleep(min(1.0, seconds / 20))
    return seen


def test_it_does_not_decay(tmp_path: Path, full: bool, figure: Callable[[str], None]) -> None:
    seconds = float(os.environ.get("CASEKIT_SOAK", "3600" if full else "10"))
    url = f"sqlite:///{tmp_path}/store.db"
    heard = tmp_path / "heard"
    with crowd.desk_at(str(tmp_path), url) as desk, crew(tmp_path, url, WRITERS) as workers:
        seat = crowd.clerk(desk)
        owner = seat.party("person", name="Ada").id
        cases = [seat.open("crowd.case", parties={"owner": owner}).id for _ in range(CASES)]
        for worker in workers.workers:
            worker.ask("soak", cases=cases, seconds=seconds)
        crowd.Crowd.heard = str(heard)
        try:
            seen = watch(desk, tmp_path, seconds)
            answers = [worker.answer() for worker in workers.workers]
            seat.run_due()
        finally:
            crowd.Crowd.heard = ""
        seen.wrong += map(str, seat.verify().wrong)
        journals = {case: seat.journal(case) for case in cases}
        entries = sum(map(len, journals.values()))
        events = {(case, str(entry["n"])) for case in cases for entry in journals[case] if entry["kind"] != "refused"}
        told = {tuple(line.split()) for line in heard.read_text().splitlines()}
        missing = len(events - told)

    took = [one for answer in answers for one in answer["took"]]
    first, last = (p99([took_ for at, took_ in took if begin <= at / seconds < end]) for begin, end in ((0.2, 0.5), (0.7, 1.01)))
    grown = max(answer["held"][-1] / answer["held"][0] - 1 for answer in answers)
    figure(
        f"P19 soak: {seconds:.0f} s, {WRITERS} writers, {len(took)} commands and questions, {entries} entries, {seen.sweeps} sweeps, {seen.verified} "
        f"verifications; p99 {first:.0f} ms, later {last:.0f} ms ({last / first - 1:+.0%}), memory {grown:+.0%}, WAL at most {seen.wal / 2**20:.1f} MB; "
        f"{len(seen.wrong)} violations, {missing} entries not told"
    )
    assert seen.wrong == []
    assert missing == 0
    assert seen.wal < (LONG_WAL if seconds >= 180 else WAL)
    if seconds >= 180:
        assert last < first * 1.2
        assert grown < 0.1
