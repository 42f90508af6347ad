"""The road-traffic fines: the real log to the cent, and the project's own, in which each rule is broken once."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from casekit import Desk, Money, Seat
from casekit.store import reading

FINES = Path(__file__).parents[2] / "examples" / "traffic_fines"
MAP = FINES / "map.toml"
KEY = "traffic.fine"


@pytest.fixture(scope="session")
def real() -> Path:
    """The real log, where there is one."""
    folder = os.environ.get("CASEKIT_TEST_DATA")
    path = Path(folder or "", "logs", "roadtraffic100traces.xes")
    if folder and path.is_file():
        return path
    why = f"{path} is not there" if folder else "CASEKIT_TEST_DATA names no folder with logs/roadtraffic100traces.xes"
    if os.environ.get("CI"):
        pytest.fail(f"the real log can't be imported: {why}")
    pytest.skip(f"the real log is not imported: {why}")


def test_the_real_log_comes_to_its_figures(seat: Seat, real: Path) -> None:
    imported = seat.import_log(real, MAP)

    assert (imported.cases, imported.events, imported.new, imported.accepted) == (100, 390, 390, 390)
    assert (imported.nonconforming, imported.unknown) == ((), 0)
    load = seat.report_caseload()[KEY]
    assert load["cases"] == 100
    assert load["sums"] == {"levied": "7766.30 EUR", "paid": "2968.03 EUR", "outstanding": "4798.27 EUR"}
    assert load["categories"] == {"resolved": 39, "closed": 36, "open": 25}
    assert load["outcomes"] == {"paid": 39, "credit-collection": 36}
    assert load["states"] == {"paid": 39, "collection": 36, "sent": 17, "penalized": 8}


def test_who_is_paid_in_full_owes_nothing_and_all_others_do(seat: Seat, real: Path) -> None:
    seat.import_log(real, MAP)

    owed: Counter[tuple[str, bool]] = Counter()
    for listed in seat.cases(size=100).cases:
        owed[listed.state, bool(seat.case(listed.id).totals["outstanding"])] += 1
    assert owed == {("paid", False): 39, ("collection", True): 36, ("sent", True): 17, ("penalized", True): 8}


def test_every_real_penalty_comes_sixty_days_after_the_notification(desk: Desk, seat: Seat, real: Path) -> None:
    seat.import_log(real, MAP)

    rows = desk.shelf("main").connection.execute("SELECT status, started, due, breached FROM clocks").fetchall()
    assert len(rows) == 57  # one for each notification; none was met in time, and each penalty came at once
    assert {row[0] for row in rows} == {"breached"}
    assert all(due == breached for _, _, due, breached in rows)


def test_a_second_import_of_the_real_log_records_nothing(desk: Desk, seat: Seat, real: Path) -> None:
    first = seat.import_log(real, MAP)
    entries = seat.verify().entries

    second = seat.import_log(real, MAP)

    assert (second.cases, second.events, second.new, second.accepted) == (100, 390, 0, 0)
    assert second.loss == first.loss
    assert seat.verify().entries == entries
    assert reading.outbox(desk.shelf("main")) == []


def test_the_real_loss_adds_up(seat: Seat, real: Path) -> None:
    loss = seat.import_log(real, MAP).loss

    kept = {name: (found.mapped, found.raw, found.dropped) for name, found in loss.items()}
    assert kept["concept:name"] == (490, 0, 0)
    assert kept["lifecycle:transition"] == (0, 0, 390)
    assert kept["totalPaymentAmount"] == (0, 158, 0)
    assert kept["amount"] == (157, 0, 0)
    assert sum(sum(counts) for counts in kept.values()) == Path(real).read_text(encoding="utf-8").split("<trace>", 1)[1].count("key=")


def test_the_broken_log_names_each_rule_once(seat: Seat) -> None:
    imported = seat.import_log(FINES / "broken.xes", MAP)

    assert (imported.cases, imported.events, imported.new, imported.accepted) == (7, 34, 34, 28)
    named = [(found.case, found.event, found.reason.partition(":")[0]) for found in imported.nonconforming]
    assert named == [
        ("E1002", "Send for Credit Collection", "fine.penalty"),
        ("E1003", "Send for Credit Collection", "fine.balance"),
        ("E1004", "Payment", "fine.within-balance"),
        ("E1005", "Send for Credit Collection", "fine.no-appeal"),
        ("E1006", "Appeal to Judge", "casekit.import.unknown-event"),
        ("E1007", "Add penalty", "casekit.state"),
    ]


def test_what_breaks_a_rule_is_recorded_and_leaves_the_state(seat: Seat) -> None:
    seat.import_log(FINES / "broken.xes", MAP)

    clean, *broken = (seat.case(listed.id) for listed in reversed(seat.cases(size=10).cases))
    assert (clean.state, clean.totals["outstanding"]) == ("collection", Money("61.00", "EUR"))
    assert [case.state for case in broken] == ["notified", "paid", "paid", "appeal.forwarded", "penalized", "sent"]
    # What was paid beyond the balance is on the ledger, and so is a penalty that came too early.
    assert broken[2].totals["outstanding"] == Money("-5.50", "EUR")
    assert broken[5].totals["outstanding"] == Money("161.50", "EUR")
    said = [happening for happening in seat.timeline(broken[2]) if happening.objections]
    assert [(s.kind, s.effective, s.objections[0].rule) for s in said] == [("pay", "2011-06-28", "fine.within-balance")]


def test_a_penalty_before_the_sixty_days_breaks_the_rule(seat: Seat, tmp_path: Path) -> None:
    log = (FINES / "broken.xes").read_text(encoding="utf-8")
    early = tmp_path / "early.xes"
    early.write_text(log.replace("2011-06-20T00:00:00.000+02:00", "2011-06-18T00:00:00.000+02:00"), encoding="utf-8")

    [first, *_] = seat.import_log(early, MAP).nonconforming

    assert (first.case, first.event) == ("E1001", "Add penalty")
    assert first.reason.startswith("fine.time-to-pay: ")


def test_a_payment_beyond_the_balance_is_refused_where_it_is_asked_for(seat: Seat) -> None:
    from casekit import Refused

    seat.import_log(FINES / "broken.xes", MAP)
    sent = next(listed for listed in seat.cases(size=10).cases if listed.state == "sent")
    with pytest.raises(Refused, match="More is paid than is owed"):
        seat.pay(sent.id, "200.00 EUR")
