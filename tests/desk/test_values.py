"""What the desk gives out stays as it was, however late it is looked at."""

from __future__ import annotations

import pytest
from attrs import evolve

from casekit import Desk, Money, Seat
from casekit.desk.casefile import CaseFile
from casekit.desk.values import Case
from casekit.plugins.declared import Need
from casekit.plugins.view import View


@pytest.fixture
def case(seat: Seat) -> Case:
    """A fresh dispute over a deposit of 900 euros."""
    tenant = seat.party("person", name="Maria Silva")
    landlord = seat.party("organisation", name="Haus GmbH")
    data = {"deposit": Money("900.00", "EUR"), "story": "a stain"}
    return seat.open("tenancy.dispute", data=data, parties={"tenant": tenant, "landlord": landlord})


def _file(desk: Desk, seat: Seat, case: Case) -> CaseFile:
    work = desk.work(desk.shelf("main"))
    stream = work.stream(case.id, "case")
    return CaseFile(work, stream, desk.library.pinned(work.shelf, stream.head["definition"]))


def test_a_case_that_a_command_leaves_is_the_case_that_is_read(seat: Seat, case: Case) -> None:
    paid = seat.pay(case, "100.00 EUR")

    assert isinstance(paid.case, Case)
    assert paid.case == seat.case(case.id)
    assert paid.due == paid.case.due
    assert repr(paid.case) == repr(seat.case(case.id))
    assert evolve(paid.case, version=7).version == 7
    with pytest.raises(AttributeError, match="colour"):
        paid.case.colour  # type: ignore[attr-defined]  # noqa: B018


def test_a_case_left_in_a_batch_stays_what_it_was(seat: Seat, case: Case) -> None:
    with seat.batch() as batch:
        first = batch.pay(case.id, "100.00 EUR")
        batch.pay(case.id, "300.00 EUR")
        batch.change(case.id, {"story": "no stain at all"})

        assert first.case.totals["paid"] == Money("100.00", "EUR")
        assert first.case.data["story"] == "a stain"
    assert first.case.n == 2
    assert seat.case(case.id).totals["paid"] == Money("400.00", "EUR")


def test_a_file_that_was_read_does_not_change(seat: Seat, case: Case) -> None:
    before = seat.file(case)

    seat.pay(case, "100.00 EUR")
    seat.note_fact(case.id, "heating", "gas")

    assert [p.kind for p in before.postings] == ["charge"]
    assert before.facts == ()
    assert before.totals["paid"] == Money("0.00", "EUR")
    assert before.balance() == Money("900.00", "EUR")


def test_a_view_that_loads_as_it_is_looked_at_is_the_view(desk: Desk, seat: Seat, case: Case) -> None:
    seat.message(case.id, direction="out", via="letter", outcome="sent", to="tenant", text="Dear Maria")
    now = seat.case(case.id).time
    file = _file(desk, seat, case)

    late, whole = file.view(now), file.whole(now)

    assert isinstance(late, View)
    assert (late.id, late.active, late.totals, late.clocks, late.postings) == (
        whole.id,
        whole.active,
        whole.totals,
        whole.clocks,
        whole.postings,
    )
    assert late.messages == whole.messages
    assert late.parties[0].name == whole.parties[0].name == "Haus GmbH"
    assert late.later("2026-12-01T00:00:00.000000Z").now == "2026-12-01T00:00:00.000000Z"
    with pytest.raises(AttributeError, match="colour"):
        late.colour  # type: ignore[attr-defined]  # noqa: B018


def test_a_guard_sees_what_it_declared_to_need_and_nothing_else(desk: Desk, seat: Seat, case: Case) -> None:
    seat.message(case.id, direction="out", via="letter", outcome="sent", to="tenant", text="Dear Maria")
    file = _file(desk, seat, case)
    now = seat.case(case.id).time

    needy, content = file.view(now, (Need("messages"),)), file.view(now, ())

    assert [m.text for m in needy.messages] == [None]
    assert (needy.parties, needy.postings, needy.filed, needy.facts) == ((), (), (), ())
    assert content.messages == ()
    # Only what was looked at is in the versions that are checked again: no party was.
    assert file.work.rows.read == {}
    assert file.touched == set()


def test_a_note_leaves_the_digest_of_the_state_as_it_was(seat: Seat, case: Case) -> None:
    seat.note(case, "rang back")
    seat.pay(case.id, "100.00 EUR")
    seat.note(case.id, "rang again")

    states = [entry["state"] for entry in seat.journal(case.id)]

    assert states[0] == states[1] != states[2] == states[3]
