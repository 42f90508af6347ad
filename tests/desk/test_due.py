"""Sweeps over many cases: page by page, each clock once, whoever else sweeps, and past a case that is broken; on both engines."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest

from casekit import Desk, Seat
from casekit.desk import due, outbox
from casekit.sdk import CaseType, Clock, Plugin, Recorded, State, Transition, field, hookimpl
from casekit.store import reading

OPENED = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)

LETTER = CaseType(
    key="due.letter",
    version="1",
    title="Letter",
    initial="sent",
    data={"circular": field(bool), "heard": field(str, personal=True)},
    states={
        "sent": State("Sent", "open"),
        "late": State("Late", "waiting-party"),
        "back": State("Sent back", "waiting-party"),
        "done": State("Answered", "closed", outcome="answered"),
    },
    transitions={
        "answer": Transition(("sent", "late"), "done"),
        "fall-due": Transition("sent", "late", on="clock.answer.breached"),
        "gone": Transition("late", "done", on="always", when="heard == 'moved'"),
        "there": Transition("late", "back", on="always", when="circular"),
        "and-back": Transition("back", "late", on="always", when="circular"),
    },
    clocks={
        "answer": Clock("P14D", start="at('sent')", stop="at('done')", warn=("-P3D",)),
        "remind": Clock("P7D", start="at('late')", stop="at('done')"),
    },
)
"""Due after fourteen days, warned of three days before; reminded seven days later. A circular one never comes to rest once due."""


def brings(heard: Callable[[Recorded], None] | None = None) -> Any:
    """A plugin with a clerk who may do everything; ``heard`` is told what was recorded."""
    plugin = SimpleNamespace(
        PLUGIN=Plugin("due", handles=("due.letter",), version="1"),
        casekit_roles=hookimpl(_roles),
    )
    if heard is not None:
        plugin.casekit_recorded = hookimpl(_listener(heard))
    return plugin


def _roles() -> dict[str, list[str]]:
    return {"clerk": ["*"]}


def _listener(heard: Callable[[Recorded], None]) -> Callable[..., None]:
    def casekit_recorded(recorded: Recorded) -> None:
        heard(recorded)

    return casekit_recorded


@pytest.fixture
def desk(open_store: Callable[..., Desk], clock: Any) -> Any:
    """A desk on 1 November 2026, its batches small; its record is verified afterwards."""
    clock.now = OPENED
    opened = open_store(plugins=[brings()], case_types=[LETTER])
    yield opened
    assert opened.seat("test:auditor", roles={"clerk"}).verify().wrong == []


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "BATCH", 5)
    monkeypatch.setattr(outbox, "BATCH", 4)


def letters(seat: Seat, count: int, *, apart: timedelta = timedelta(), circular: tuple[int, ...] = ()) -> list[str]:
    with seat.batch() as batch:
        return [
            batch.open("due.letter", data={"circular": i in circular}, effective=OPENED - i * apart, observed=True).id for i in range(count)
        ]


def spoken(seat: Seat, case: str) -> list[tuple[str, Any]]:
    """What clocks have written: since when it holds, and what it says."""
    return [(entry["effective"], json.loads(entry["body"])) for entry in seat.journal(case) if entry["kind"] == "tick"]


def test_many_that_wake_at_one_instant_are_all_worked_off(desk: Desk, clock: Any) -> None:
    seat = desk.seat("user:lee", roles={"clerk"})
    cases = letters(seat, 23)
    clock.forward(days=15)

    worked = seat.run_due()

    assert (worked.cases, worked.entries, worked.broken) == (23, 46, 0)
    assert {seat.case(case).state for case in cases} == {"late"}
    assert seat.run_due() == due.Worked()


def test_a_sweep_opens_what_is_sealed_where_a_condition_asks(desk: Desk, clock: Any) -> None:
    seat = desk.seat("user:lee", roles={"clerk"})
    cases = [seat.open("due.letter", data={"heard": heard}).id for heard in ("moved", "is in", "moved")]
    clock.forward(days=15)

    assert seat.run_due().broken == 0

    assert [seat.case(case).state for case in cases] == ["done", "late", "done"]


def test_a_late_sweep_leaves_what_punctual_ones_would_have_left(desk: Desk, clock: Any) -> None:
    late, punctual = (desk.seat("user:lee", roles={"clerk"}, tenant=name) for name in ("main", "other"))
    pairs = list(zip(*(letters(seat, 12, apart=timedelta(hours=31)) for seat in (late, punctual)), strict=True))
    for _ in range(24):
        clock.forward(days=1)
        punctual.run_due()

    assert late.run_due().cases == 12

    for one, other in pairs:
        assert spoken(late, one) == spoken(punctual, other)
        assert len(spoken(late, one)) == 3
        heads = [desk.work(desk.shelf(tenant)).stream(case, "case").head for tenant, case in (("main", one), ("other", other))]
        assert heads[0]["machine"] == heads[1]["machine"]
        assert heads[0]["time"] == heads[1]["time"]


def test_one_broken_case_stops_no_other(desk: Desk, clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    seat = desk.seat("user:lee", roles={"clerk"})
    cases = letters(seat, 13, apart=timedelta(minutes=1), circular=(3, 12))
    clock.forward(days=22)

    with caplog.at_level(logging.ERROR, "casekit.due"):
        worked = seat.run_due()

    assert (worked.cases, worked.broken) == (13, 2)
    assert worked.entries == 11 * 3 + 2
    assert [seat.case(case).state for case in cases].count("late") == 11
    for circular in (cases[3], cases[12]):
        assert seat.case(circular).state == "sent"
        assert [body["about"]["events"] for _, body in spoken(seat, circular)] == [["clock.answer.warned"]]
        assert [circular in said and "there -> and-back" in said for said in caplog.messages].count(True) == 1

    letters(seat, 1)
    again = seat.run_due()
    assert (again.cases, again.entries, again.broken) == (1, 3, 2)


@pytest.mark.parametrize("busy", [False, True], ids=["alone", "beside commands"])
def test_sweeps_at_the_same_time_let_no_clock_speak_twice(open_store: Callable[..., Desk], clock: Any, busy: bool) -> None:
    clock.now = OPENED
    desks = [open_store(plugins=[brings()], case_types=[LETTER]) for _ in range(3)]
    seats = [desk.seat(f"user:{i}", roles={"clerk"}) for i, desk in enumerate(desks)]
    cases = letters(seats[0], 40)
    clock.forward(days=22)
    together = Barrier(3)

    def sweep(seat: Seat) -> int:
        together.wait()
        return seat.run_due().entries

    def note(seat: Seat) -> int:
        together.wait()
        return sum(len(seat.note(case, "seen").entries) - 1 for case in cases[::3]) if busy else 0

    with ThreadPoolExecutor(3) as threads:
        work = [threads.submit(sweep, seats[0]), threads.submit(sweep, seats[1]), threads.submit(note, seats[2])]
        written = sum(done.result(timeout=120) for done in work)

    assert [Counter(at for at, _ in spoken(seats[0], case)).most_common(1)[0][1] for case in cases] == [1] * 40
    assert sum(len(spoken(seats[0], case)) for case in cases) == written == 120
    assert seats[0].run_due().entries == 0
    assert desks[0].seat("test:auditor", roles={"clerk"}).verify().wrong == []


def test_listeners_hear_of_every_entry_once_and_in_order(open_store: Callable[..., Desk], clock: Any) -> None:
    clock.now = OPENED
    heard: list[tuple[str, int]] = []
    deaf: list[str] = []

    def hear(recorded: Recorded) -> None:
        if recorded.case in deaf:
            raise RuntimeError("not now")
        heard.append((recorded.case, recorded.n))

    desk = open_store(plugins=[brings(hear)], case_types=[LETTER])
    seat = desk.seat("user:lee", roles={"clerk"})
    cases = letters(seat, 9)
    deaf.append(cases[4])
    clock.forward(days=15)

    worked = seat.run_due()

    assert (worked.delivered, worked.failed) == (8 * 3, 1)
    assert sorted(heard) == sorted((case, n) for case in cases if case not in deaf for n in (1, 2, 3))
    assert all([n for c, n in heard if c == case] == [1, 2, 3] for case in cases if case not in deaf)

    deaf.clear()
    clock.forward(hours=1)
    assert (seat.run_due().delivered, heard[-3:]) == (3, [(cases[4], n) for n in (1, 2, 3)])


def test_what_a_listener_records_is_heard_in_the_same_run(open_store: Callable[..., Desk], clock: Any) -> None:
    """Also on a case that comes before the one it was told of."""
    clock.now = OPENED
    heard: list[tuple[str, int]] = []

    def hear(recorded: Recorded) -> None:
        heard.append((recorded.case, recorded.n))
        if recorded.case == cases[-1] and recorded.n == 1:
            seat.note(cases[0], "the last one has come in")

    desk = open_store(plugins=[brings(hear)], case_types=[LETTER])
    seat = desk.seat("user:lee", roles={"clerk"})
    cases = letters(seat, 7)

    assert seat.run_due().delivered == 8
    assert heard[-1] == (cases[0], 2)


def test_the_question_what_is_due_is_answered_by_an_index(desk: Desk, engine: str) -> None:
    """However many clocks run: no row is read that is not due, and none is sorted."""
    shelf = desk.shelf("main")
    letters(desk.seat("user:lee", roles={"clerk"}), 300, apart=timedelta(minutes=7))
    shelf.connection.execute("ANALYZE")
    prepared = shelf.statements.get("due", reading._due)
    values = prepared.bind({"tenant": "main", "now": desk.now(), "wake": "", "sid": 0, "size": 100})

    if engine == "sqlite":
        plan = [row[3] for row in shelf.connection.execute(f"EXPLAIN QUERY PLAN {prepared.text}", values)]
        assert any("ix_streams_wake (tenant=? AND (wake,sid)>(?,?) AND wake<?)" in step for step in plan), plan
        assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in plan), plan
        return
    plan = [row[0] for row in shelf.connection.execute(f"EXPLAIN {prepared.text}", values)]
    assert any("Index Scan using ix_streams_wake on streams" in step for step in plan), plan
    assert not any("Sort" in step or "Seq Scan on streams" in step for step in plan), plan
