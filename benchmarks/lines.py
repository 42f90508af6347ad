"""The lines of the table: what is measured, and what must hold."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from attrs import frozen

from benchmarks.deadlines import LOG, business, helpdesk, plan_step, poll, sweep, timed
from benchmarks.pair import Pair, row_by_row
from benchmarks.sample import SINCE, TYPE, data, log, person
from casekit import Money
from casekit.decisions.machine import Run, World
from casekit.model.canonical import decode, encode

FINES = Path(__file__).resolve().parent.parent / "examples" / "traffic_fines" / "map.toml"


@frozen
class Line:
    """One line of the table.

    Attributes:
        key: What picks it (``sqlite.open``).
        title: What people read.
        measure: Given a pair, gives seconds per operation of the desk and of the bare driver (None: there is no raw).
        unit: Operations that one measured step counts for.
        floor: The least ratio to raw; None: it is measured in another way.
        at_most: The most microseconds that an operation may take.
        at_least: The least number of ``many`` in a second.
        many: What ``at_least`` counts.
        growth: How many times the second figure the first may be at most: they are then two sizes of one thing, and no driver.
        rounds: The most rounds that it is worth; None: as many as are asked for.
    """

    key: str
    title: str
    measure: Callable[[Pair], tuple[float, float | None]]
    floor: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    many: int = 1
    growth: float | None = None
    rounds: int | None = None

    @property
    def engine(self) -> str:
        """Which engine it runs on."""
        return self.key.split(".")[0]


def _open(pair: Pair, count: int = 20, batches: int = 8) -> tuple[float, float]:
    def batch() -> Callable[[int], Any]:
        people = pair.persons(10)
        given = [data(i) for i in pair.numbers(count)]
        first = pair.numbers(0).stop

        def do(i: int) -> Any:
            both = {"debtor": people[i % 10], "creditor": people[(i + 1) % 10]}
            return pair.seat.open(TYPE, data=given[i], parties=both, key=f"open {first} {i}")

        return do

    return pair.race(batch, count, batches)


def _open_with_persons(pair: Pair, count: int = 10, batches: int = 8) -> tuple[float, float]:
    def batch() -> Callable[[int], Any]:
        numbers = pair.numbers(2 * count)
        given = [data(i) for i in numbers[:count]]
        people = [person(i) for i in numbers]

        def do(i: int) -> Any:
            both = {"debtor": pair.seat.party("person", **people[2 * i]), "creditor": pair.seat.party("person", **people[2 * i + 1])}
            return pair.seat.open(TYPE, data=given[i], parties=both, key=f"new {numbers[i]}")

        return do

    return pair.race(batch, count, batches)


def _on_cases(op: Callable[[Pair, str, str], Any], pair: Pair, count: int = 20, batches: int = 8) -> tuple[float, float]:
    def batch() -> Callable[[int], Any]:
        ids = pair.opened(count)
        return lambda i: op(pair, ids[i], f"on {ids[i]}")

    return pair.race(batch, count, batches)


def _talk(pair: Pair, case: str, key: str) -> Any:
    return pair.seat.do(case, "talk", key=key)


def _pay(pair: Pair, case: str, key: str) -> Any:
    return pair.seat.pay(case, Money.of_minor(2500, "USD"), key=key, effective=SINCE + timedelta(hours=1))


def _rowwise(measure: Callable[[Pair], tuple[float, float]], pair: Pair) -> tuple[float, float]:
    """The desk as it is, against the statements that it would run one by one."""
    mine = measure(pair)[0]
    with row_by_row():
        return mine, measure(pair)[1]


def _timeline(pair: Pair) -> tuple[float, float]:
    ids = pair.opened(20, 9)
    return pair.race(lambda: lambda i: pair.seat.timeline(ids[i % 20]), 100, 5)


def _read(pair: Pair) -> tuple[float, float]:
    """One reader: each read of a confidential case waits for a commit of its own."""
    ids = _confidential(pair)
    return pair.race(lambda: lambda i: pair.seat.case(ids[i % 20]), 50, 5)


def _read_together(pair: Pair, readers: int = 16) -> tuple[float, float]:
    """Many readers, who share commits."""
    ids = _confidential(pair)
    return pair.crowd(lambda: pair.seat.case(ids[0]), readers, 25, 5)


def _confidential(pair: Pair) -> list[str]:
    ids = pair.opened(20)
    for case in ids:
        pair.seat.classify(case, "confidential", reason="for the line")
    pair.seat.case(ids[0])
    return ids


def _list(pair: Pair, *, names: bool) -> tuple[float, float]:
    pair.opened(200, among=pair.persons(100))
    return pair.race(lambda: lambda _: pair.seat.cases(names=names), 50, 5)


def _bulk(pair: Pair, events: int) -> tuple[float, float]:
    people = pair.persons(50)
    pair.opened(1, among=people)
    return _a_hundred(pair, lambda: pair.opening(100, events, among=people))


def _bulk_new(pair: Pair) -> tuple[float, float]:
    pair.opened(1)
    return _a_hundred(pair, lambda: pair.opening_with_persons(100))


def _import(pair: Pair) -> tuple[float, float]:
    def batch() -> Callable[[int], Any]:
        file = pair.folder / "log.xes"
        file.write_text(log(pair.numbers(300)), encoding="utf-8")
        return lambda _: _conforming(pair.seat.import_log(file, FINES))

    mine, bare = pair.race(batch, 1, 3)
    return mine / 300, bare / 300


def _conforming(imported: Any) -> None:
    assert (imported.new, imported.nonconforming) == (3000, ()), imported


def _a_hundred(pair: Pair, prepare: Callable[[], Callable[[], Any]]) -> tuple[float, float]:
    def batch() -> Callable[[int], Any]:
        prepared = prepare()
        return lambda _: prepared()

    mine, bare = pair.race(batch, 1, 6)
    return mine / 100, bare / 100


def _step(pair: Pair) -> tuple[float, None]:
    definition = pair.desk.library.current(TYPE)
    work_head = _head_of(pair)
    text = encode(work_head["machine"])
    now = "2026-03-05T10:00:00.000000Z"
    world = World(data=work_head["data"], parties=work_head["parties"], zone="UTC")

    def once() -> str:
        run = Run(definition, decode(text), world, now)
        way = run.select("talk", {})
        assert way is not None
        run.take(way, {})
        run.settle()
        return encode(run.machine)

    assert '"talks.asked"' in once()
    return timed(once, 25), None


def _head_of(pair: Pair) -> Any:
    uuid = pair.opened(1)[0]
    return pair.desk.work(pair.desk.shelf("main")).stream(uuid, "case").head


def _verify(pair: Pair) -> tuple[float, None]:
    people = pair.persons(50)
    for _ in range(4):
        pair.opened(100, 9, among=people)
    gc.collect()
    begun = perf_counter()
    report = pair.seat.verify()
    seconds = perf_counter() - begun
    assert report.ok, report.wrong
    return seconds / report.entries, None


_REAL = Line("sqlite.helpdesk", "import of the help desk's log, whole", helpdesk, at_most=15_000_000, rounds=1)

LINES = (
    Line("sqlite.open", "open, persons known", _open, floor=0.50),
    Line("sqlite.open-new", "two new persons, then open: three commands", _open_with_persons, floor=0.50),
    Line("sqlite.transition", "transition", partial(_on_cases, _talk), floor=0.50),
    Line("sqlite.payment", "payment, back-dated", partial(_on_cases, _pay)),
    Line("sqlite.timeline", "timeline of 10 entries, as objects", _timeline, floor=0.40),
    Line("sqlite.read", "read of a confidential case, one reader", _read, floor=0.20),
    Line("sqlite.read-together", "read of a confidential case, sixteen readers", _read_together, floor=0.30),
    Line("sqlite.list", "list of 50, clear columns", partial(_list, names=False), floor=0.50),
    Line("sqlite.list-names", "list of 50, names opened", partial(_list, names=True), at_most=1500),
    Line("sqlite.bulk-open", "bulk, 100 cases at once: opens, a case", partial(_bulk, events=0), floor=0.40),
    Line("sqlite.bulk-new", "bulk: two new persons and an open", _bulk_new, floor=0.40),
    Line("sqlite.bulk-nine", "bulk: opens with nine events each, a case", partial(_bulk, events=9), floor=0.28, at_least=8000, many=10),
    Line("sqlite.import", "import of a log, ten events a case, a case", _import, floor=0.28, at_least=8000, many=10),
    *((_REAL,) if LOG.is_file() else ()),
    Line("sqlite.step", "step with restore, two levels", _step, at_most=25),
    Line("sqlite.verify", "verify, an entry", _verify, at_least=30_000),
    Line("sqlite.due", "sweep over 100,000 running clocks, a clock", partial(sweep, clocks=100_000), floor=0.30, rounds=1),
    Line("sqlite.poll", "idle sweep over 1,000,000 clocks (raw: over 10,000)", poll, growth=1.3, rounds=1),
    Line("sqlite.plan-step", "step with restore, a plan of ten items", plan_step, at_most=100),
    Line("sqlite.business", "business time over ten years, a date", business, at_most=20),
    Line("postgresql.open", "open, persons known", _open, floor=0.65),
    Line("postgresql.transition", "transition", partial(_on_cases, _talk), floor=0.90),
    Line("postgresql.transition-rows", "transition, raw statement by statement", partial(_rowwise, partial(_on_cases, _talk))),
    Line("postgresql.read", "read of a confidential case, one reader", _read, floor=0.20),
    Line("postgresql.read-together", "read of a confidential case, sixteen readers", _read_together, floor=0.30),
    Line("postgresql.payment", "payment, back-dated", partial(_on_cases, _pay), floor=0.70),
    Line("postgresql.payment-rows", "payment, raw statement by statement", partial(_rowwise, partial(_on_cases, _pay))),
    Line("postgresql.open-rows", "open, raw statement by statement", partial(_rowwise, _open)),
    Line("postgresql.due", "sweep over 10,000 running clocks, a clock", partial(sweep, clocks=10_000), floor=0.30, rounds=1),
    Line("postgresql.poll", "idle sweep over 1,000,000 clocks (raw: over 10,000)", poll, growth=1.3, rounds=1),
)
