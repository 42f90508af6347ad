"""What is measured of deadlines: the sweep, the idle poll, business time, a step of a plan, a log with office hours."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.pair import Pair
from benchmarks.sample import SINCE
from casekit import Seat, builtin, open_desk
from casekit.decisions.calendar import Working
from casekit.decisions.machine import Run, World
from casekit.model.canonical import decode, encode
from casekit.model.time import duration, instant
from casekit.sdk import Calendar, CaseType, HolidaySet, Item, Repeat, Sentry, State, Transition, field, week

HELPDESK = Path(__file__).resolve().parent.parent / "examples" / "helpdesk" / "map.toml"
LOG = Path(os.environ.get("CASEKIT_TEST_DATA", ""), "logs", "helpdesk.xes.gz")
"""A real log of 4,580 tickets; its line is left out where it is not there."""

_SLICE = 1000
_APART = timedelta(days=100)


def sweep(pair: Pair, clocks: int) -> tuple[float, float]:
    """``run_due`` over a store of so many running clocks, two to a case: each is breached, and one of the two warns before.

    A sweep works off a thousand cases, ten transactions, while the others wait; then the bare driver does the same. All
    sweeps count, not the best of them: as the store fills with entries, so does the other. Per clock.
    """
    people = pair.persons(50)
    sinces = [SINCE - (k + 1) * _APART for k in range(clocks // (2 * _SLICE))]
    for since in sinces:
        for _ in range(_SLICE // 100):
            pair.opened(100, among=people, since=since)
            pair.catch_up()
    pair.seat.run_due(sinces[-1])  # nothing is due: what the openings left in the outbox goes
    pair.catch_up()
    mine = bare = 0.0
    for since in reversed(sinces):
        gc.collect()
        gc.freeze()
        begun = perf_counter()
        worked = pair.seat.run_due(since + timedelta(days=91))
        mine += perf_counter() - begun
        bare += pair.catch_up()
        if (worked.cases, worked.entries, worked.delivered) != (_SLICE, 3 * _SLICE, 3 * _SLICE):
            raise RuntimeError(f"the sweep did something else: {worked}")
    return mine / clocks, bare / clocks


def poll(pair: Pair, large: int = 1_000_000, small: int = 10_000) -> tuple[float, float]:
    """``run_due`` where nothing is due: on a store with so many running clocks, and on a small one, in turns.

    The rows of the cases are written by SQL, with empty heads: a poll reads none of them.
    """
    with open_desk(store=pair.twin, keys=pair.folder / "keys-of-twin", plugins=[builtin], installed=False) as other:
        twin = other.seat("user:bench", roles={"admin"})
        for seat, count in ((pair.seat, large), (twin, small)):
            seat.desk.shelf("main").connection.tape = None
            _fill(seat, count)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(30):
            for seat, found in zip((pair.seat, twin), times, strict=True):
                found.append(timed(seat.run_due, 50, 1))
        return min(times[0]), min(times[1])


_FILL = """
INSERT INTO streams (tenant, sid, uuid, kind, n, version, hash, recorded, head, type, state, category, opened, wake)
WITH RECURSIVE i (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM i WHERE k < {count})
SELECT 'main', k, CAST(k AS TEXT), 'case', 1, 1, {hash}, '{now}', '{{}}', 'bench.debt', 'open', 'open', '{now}',
    '2999-01-01T00:00:00.' || substr(CAST(1000000 + (CAST(k AS BIGINT) * 7919) % 1000000 AS TEXT), 2) || 'Z' FROM i
"""


def _fill(seat: Seat, count: int) -> None:
    shelf = seat.desk.shelf("main")
    zero = "zeroblob(32)" if shelf.sqlite else "decode(repeat('00', 32), 'hex')"
    shelf.connection.execute(_FILL.format(count=count, hash=zero, now=seat.desk.now()))
    shelf.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)" if shelf.sqlite else "CHECKPOINT")
    shelf.connection.execute("ANALYZE")


PLANNED = CaseType(
    key="bench.plan",
    version="1.0",
    title="Plan",
    initial="open",
    states={"open": State("Open", "open"), "work": State("At work", "open"), "done": State("Done", "closed", outcome="done")},
    transitions={"begin": Transition("open", "work"), "finish": Transition(("open", "work"), "done")},
    data={"n": field(int)},
    plan={
        "verify": Item(required=True),
        "letter": Item(entry=(Sentry("verify.completed", when="n > 0"),), repeat=Repeat(3)),
        "contact": Item("stage", entry=(Sentry("verify.completed"),)),
        "call": Item(stage="contact", due="P3D"),
        "visit": Item(stage="contact", manual=True),
        "agreed": Item("milestone", entry=(Sentry("call.completed"),)),
        "stop": Item("listener"),
        "check": Item(exit=(Sentry("stop"),)),
        "late": Item("timer", due="P9D"),
        "escalate": Item(entry=(Sentry("late"),)),
    },
)


def plan_step(pair: Pair) -> tuple[float, None]:
    """Restore a case with a plan of ten items, complete the one that others wait for, come to rest, write down."""
    definition = pair.desk.add_case_type(PLANNED)
    case = pair.seat.open(PLANNED.key, data={"n": 1}, effective=SINCE, observed=True)
    text = encode(pair.desk.work(pair.desk.shelf("main")).stream(case.id, "case").head["machine"])
    world, now = World(data={"n": 1}), instant(SINCE + timedelta(hours=1))

    def once() -> Run:
        run = Run(definition, decode(text), world, now)
        run.plan.complete("verify", "1")
        run.settle()
        encode(run.machine)
        encode([change.row for change in run.item_changes()])
        return run

    opened = {change.item for change in once().item_changes()}
    if not {"verify", "letter", "contact", "call", "visit"} <= opened:
        raise RuntimeError(f"the step did something else: {opened}")
    return timed(once, 25), None


def business(_pair: Pair) -> tuple[float, None]:
    """Dates some ten years apart, on a calendar that has seen those years: the dearest of hours, days and measuring."""
    fixed = ("01-01", "01-06", "04-25", "05-01", "06-02", "08-15", "11-01", "12-08", "12-25", "12-26")
    days = {f"{year}-{day}": "closed" for year in range(2010, 2040) for day in fixed}
    hours = week(("09:00-13:00", "14:00-18:00"))
    holidays = {"it": HolidaySet(days, first="2010-01-01", last="2039-12-31")}
    office = Working(Calendar("bench.office", "1", "Office", hours=hours, zone="Europe/Rome", holidays=holidays))
    starts = [instant(datetime(2012, 1, 2, 8, tzinfo=UTC) + timedelta(hours=370 * i)) for i in range(100)]
    in_hours, in_days = duration("PT20000H"), duration("P2500D")
    ends = [office.add(start, in_hours) for start in starts]
    if not all(
        9.5 < (date.fromisoformat(e[:10]) - date.fromisoformat(s[:10])).days / 365.25 < 10.5 for s, e in zip(starts, ends, strict=True)
    ):
        raise RuntimeError("these dates are not ten years apart")
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: [office.add(start, in_hours) for start in starts],
        lambda: [office.add(start, in_days) for start in starts],
        lambda: [office.between(start, end) for start, end in zip(starts, ends, strict=True)],
    )
    return max(timed(kind, 1) for kind in kinds) / len(starts), None


def helpdesk(pair: Pair) -> tuple[float, float]:
    """The whole log of a help desk, clocks in office hours."""
    begun = perf_counter()
    imported = pair.seat.import_log(LOG, HELPDESK)
    mine = perf_counter() - begun
    if imported.cases != 4580:
        raise RuntimeError(f"the import did something else: {imported}")
    return mine, pair.catch_up()


def timed(once: Callable[[], Any], count: int, batches: int = 40) -> float:
    """Seconds that one run takes, in the best of some batches: short ones, so that most of them are undisturbed."""
    gc.collect()
    return min(_batch(once, count) for _ in range(batches))


def _batch(once: Callable[[], Any], count: int) -> float:
    begun = perf_counter()
    for _ in range(count):
        once()
    return (perf_counter() - begun) / count
