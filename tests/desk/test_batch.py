"""Several commands in one transaction: all of them, or none."""

from __future__ import annotations

import pytest

from casekit import Denied, Desk, KeyReused, Refused, Seat


def test_a_batch_is_written_as_a_whole(seat: Seat) -> None:
    with seat.batch() as batch:
        ada = batch.party("person", name="Ada")
        first = batch.open("tenancy.dispute", data={"deposit": "5.00 EUR", "story": "one"}, parties={"tenant": ada, "landlord": ada})
        second = batch.change(first, {"story": "two"}).case
        batch.pay(second, "2.00 EUR")
        batch.open("tenancy.dispute", data={"deposit": "7.00 EUR"}, parties={"tenant": ada, "landlord": ada})

    assert [c.number for c in seat.cases().cases] == ["T-2026-00002", "T-2026-00001"]
    assert str(seat.case(first.id).totals["balance"]) == "3.00 EUR"
    assert (first.data["story"], second.data["story"]) == ("one", "two"), "what was given out stays as it was"


def test_a_batch_that_raises_writes_nothing(seat: Seat) -> None:
    with pytest.raises(ZeroDivisionError), seat.batch() as batch:  # noqa: PT012
        batch.party("person", name="Ada")
        _ = 1 / 0

    assert seat.find_parties(name="Ada") == ()
    assert seat.verify().streams == 0


def test_a_refusal_that_is_caught_stands_with_the_rest(seat: Seat) -> None:
    with seat.batch() as batch:
        ada = batch.party("person", name="Ada")
        case = batch.open("tenancy.dispute", data={"deposit": "5.00 EUR"}, parties={"tenant": ada, "landlord": ada})
        with pytest.raises(Refused, match="More is paid"):
            batch.pay(case, "6.00 EUR")
        batch.pay(case, "1.00 EUR")

    assert [h.kind for h in seat.timeline(case)] == ["open", "refused", "pay"]


def test_a_denied_attempt_is_on_record_whether_the_batch_stands_or_not(desk: Desk, seat: Seat) -> None:
    reader = desk.seat("user:reader", roles={"reader"})
    with reader.batch() as batch, pytest.raises(Denied):
        batch.party("person", name="Ada")
    with pytest.raises(Denied), reader.batch() as batch:
        batch.party("person", name="Ada")

    log = desk.work(desk.shelf("main")).log("denied/2026-11-25")
    assert log.n == 2


def test_a_key_serves_one_command_of_a_batch(seat: Seat) -> None:
    with pytest.raises(KeyReused, match="in this batch"), seat.batch() as batch:  # noqa: PT012
        batch.party("person", name="Ada", key="k")
        batch.party("person", name="Ada", key="k")
