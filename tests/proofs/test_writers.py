"""P4: no update is lost or silently overwritten. P5: a rule over several cases holds under concurrency.

Eight processes work on one store. What each of them was told is held against the journal: every effect stands there
once, at the place that was named; no two saw the same count; and rules that read other cases were never outrun.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from casekit import Seat
from proofs import crowd
from proofs.crowd import QUOTA, Crew, Worker, crew

WRITERS = 8
CASES = 50


def together(workers: list[Worker], job: str, **how: Any) -> list[Any]:
    """Sets several to the same work at the same time; gives what came of it."""
    for worker in workers:
        worker.ask(job, **how)
    return [worker.answer() for worker in workers]


def journal(seat: Seat, case: str) -> dict[int, tuple[str, Any]]:
    """n → command and the form that was filled in for it."""
    return {entry["n"]: (entry["kind"], json.loads(entry["body"])["about"].get("fields")) for entry in seat.journal(case)}


def check_history(seat: Seat, cases: list[str], found: list[dict[str, Any]]) -> list[str]:
    """What the histories of the clients and the journal do not agree on."""
    journals = {case: journal(seat, case) for case in cases}
    wrong = [f"{case}: entries are missing" for case, entries in journals.items() if sorted(entries) != list(range(1, len(entries) + 1))]
    told: Counter[str] = Counter()
    counted: dict[str, list[int]] = {case: [] for case in cases}
    for one in found:
        told.update(mark for _, _, mark in one["marks"])
        wrong += [f"{case}/{n}: {mark} is not there" for case, n, mark in one["marks"] if journals[case].get(n) != ("do", {"mark": mark})]
        for case, n, count in one.get("counts", ()):
            counted[case].append(count)
            if journals[case].get(n) != ("change", None):
                wrong.append(f"{case}/{n}: the count {count} is not there")
    stand = Counter(fields["mark"] for entries in journals.values() for kind, fields in entries.values() if kind == "do")
    wrong += [f"{mark} was told {told[mark]} times, and stands {stand[mark]} times" for mark in told | stand if told[mark] != stand[mark]]
    wrong += [f"{mark} stands {times} times" for mark, times in stand.items() if times != 1]
    return wrong + [said for case in cases for said in _counter(seat, case, counted[case])]


def _counter(seat: Seat, case: str, counts: list[int]) -> Iterator[str]:
    """Read, raise, write: whoever was outrun raised what another had raised already."""
    if sorted(counts) != list(range(1, len(counts) + 1)):
        yield f"{case}: counts were lost or seen twice: {sorted(counts)[:20]}"
    stands = seat.case(case).data.get("count", 0)
    if stands != len(counts):
        yield f"{case}: the counter stands at {stands}, {len(counts)} were told"


def at(took: list[float], share: float) -> float:
    """A percentile, in milliseconds."""
    return 1000 * sorted(took)[min(len(took) - 1, int(share * len(took)))]


def test_no_update_is_lost(
    engine: str, store_url: str, tmp_path: Path, times: Callable[..., int], full: bool, figure: Callable[[str], None]
) -> None:
    count = times(1000)
    with crowd.desk_at(str(tmp_path), store_url) as desk:
        seat = crowd.clerk(desk)
        cases = [seat.open("crowd.case").id for _ in range(CASES)]
        with crew(tmp_path, store_url, WRITERS) as workers:
            began = time.monotonic()
            found = together(workers.workers, "turn", cases=cases, count=count)
            seconds = time.monotonic() - began
        wrong = check_history(seat, cases, found)
        assert seat.verify().wrong == []

    took = [t for one in found for t in one["took"]]
    p50, p99, worst = at(took, 0.5), at(took, 0.99), 1000 * max(took)
    done = sum(len(one["marks"]) + len(one["counts"]) for one in found)
    figure(
        f"P4 writers ({engine}): {WRITERS} × {count} effects on {CASES} cases, {done / seconds:.0f}/s, {len(wrong)} anomalies; "
        f"{sum(one['stale'] for one in found)} stale; p50 {p50:.1f} ms, p99 {p99:.0f} ms, max {worst:.0f} ms"
    )
    assert wrong == []
    assert done == WRITERS * count
    if full and engine == "sqlite":
        assert p99 < 500
        assert worst < 2000


def test_one_hot_case(
    engine: str, store_url: str, tmp_path: Path, times: Callable[..., int], full: bool, figure: Callable[[str], None]
) -> None:
    count = times(100)
    with crowd.desk_at(str(tmp_path), store_url) as desk:
        seat = crowd.clerk(desk)
        case = seat.open("crowd.case").id
        with crew(tmp_path, store_url, WRITERS) as workers:
            warm = together(workers.workers, "hot", case=case, count=2, mark="warm")
            began = time.monotonic()
            found = together(workers.workers, "hot", case=case, count=count, mark="hot")
            rate = WRITERS * count / (time.monotonic() - began)
        wrong = check_history(seat, [case], [*warm, *found])
        assert seat.verify().wrong == []

    figure(f"P4 hot case ({engine}): {WRITERS} × {count} events on one case, {rate:.0f}/s, {len(wrong)} anomalies")
    assert wrong == []
    assert sum(len(one["marks"]) for one in found) == WRITERS * count
    if full and engine == "postgresql":
        assert rate >= 300


class Race:
    """A setting for one try, and whether it broke the rule."""

    def __init__(self, seat: Seat, kind: str, i: int) -> None:
        self.seat, self.kind = seat, kind
        if kind == "quota":
            self.party = seat.party("staff", name=f"H{i}").id
            self.cases = [seat.open("crowd.case", parties={"handler": self.party} if j < QUOTA - 1 else {}).id for j in range(QUOTA + 2)]
        elif kind == "last":
            self.party = seat.party("organisation", name=f"T{i}").id
            self.cases = [seat.open("crowd.case", parties={"owner": self.party}).id for _ in range(2)]
        else:
            self.party = seat.party("organisation", name=f"O{i}").id

    def job(self, i: int) -> dict[str, Any]:
        """What the i-th worker does."""
        if self.kind == "quota":
            if i % 2:
                return {"command": "open", "args": ["crowd.case"], "more": {"parties": {"handler": self.party}}}
            return {"command": "give_role", "args": [self.cases[QUOTA - 1 + i // 2 % 3], "handler", self.party], "more": {}}
        if self.kind == "last":
            return {"command": "do", "args": [self.cases[i % 2], "leave"], "more": {}}
        return {"command": "open", "args": ["crowd.case"], "more": {"parties": {"owner": self.party}, "data": {"reference": "A 7"}}}

    def violated(self) -> bool:
        """Whether what the rule forbids stands."""
        cases = self.seat.cases(party=self.party).cases
        open_cases = [case for case in cases if not case.closed]
        if self.kind == "quota":
            return len(open_cases) > QUOTA
        if self.kind == "last":
            return not open_cases
        return len(cases) > 1


def run_races(seat: Seat, workers: Crew, tries: int, dice: random.Random) -> tuple[int, Counter[str]]:
    """Lets so many races be run; gives how many broke the rule, and what came of the commands."""
    violated, came = 0, Counter[str]()
    for i in range(tries):
        race = Race(seat, ("quota", "last", "twice")[i % 3], i)
        racing = dice.sample(workers.workers, 4)
        for j, worker in enumerate(racing):
            worker.ask("give", **race.job(j))
        came.update(worker.answer()[0] for worker in racing)
        violated += race.violated()
    return violated, came


def test_a_rule_over_several_cases_holds(
    engine: str, store_url: str, tmp_path: Path, times: Callable[..., int], dice: random.Random, figure: Callable[[str], None]
) -> None:
    tries = times(500, full=10_000)
    with crowd.desk_at(str(tmp_path), store_url) as desk:
        seat = crowd.clerk(desk)
        with crew(tmp_path, store_url, WRITERS) as workers:
            began = time.monotonic()
            violated, came = run_races(seat, workers, tries, dice)
            seconds = time.monotonic() - began
        assert seat.verify().wrong == []

    figure(
        f"P5 write skew ({engine}): {tries} tries of quota, last one and duplicate, four writers each, {violated} violations; "
        f"{came['refused']} refused, {came['conflict']} gave up; {seconds / tries * 1000:.0f} ms a try"
    )
    assert violated == 0
    assert came["conflict"] == 0
    assert set(came) <= {"done", "case", "refused", "bad-input"}, json.dumps(came)
    assert came["refused"] > tries


def test_without_the_lock_the_rule_is_broken(engine: str, store_url: str, tmp_path: Path, dice: random.Random) -> None:
    """The proof bites: writers who take for granted what they read elsewhere break the rule soon."""
    with crowd.desk_at(str(tmp_path), store_url) as desk, crew(tmp_path, store_url, WRITERS, careless=True) as workers:
        violated, _ = run_races(crowd.clerk(desk), workers, 60, dice)

    assert violated > 0
