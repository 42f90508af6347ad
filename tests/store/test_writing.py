"""A write set rests on what was read: where that has changed, nothing of it is written. On both engines, in each of its forms."""

from __future__ import annotations

from typing import Any

import pytest

from casekit import Desk, Money, Seat
from casekit.desk.casefile import load_parties
from casekit.desk.opening import OPEN, Opening
from casekit.desk.turn import Call
from casekit.desk.work import Work
from casekit.store import writing
from casekit.store.writing import Conflict


@pytest.fixture(params=["at once", "row by row"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """PostgreSQL writes small sets as one statement, and larger ones row by row; SQLite always does the latter."""
    if request.param == "row by row":
        monkeypatch.setattr(writing, "AT_ONCE", 0)
    return str(request.param)


def _opening(desk: Desk, seat: Seat, parties: dict[str, list[str]]) -> Work:
    """A case opened in memory, its parties read, nothing written."""
    data = {"deposit": "900.00 EUR"}
    opening = Opening(desk, Call(OPEN, seat.actor, {}), "tenancy.dispute", data, parties, "", {})
    work = desk.work(desk.shelf("main"))
    opening.within(work, "")
    return work


@pytest.mark.usefixtures("form")
def test_a_party_that_changed_in_between_keeps_a_case_from_opening(desk: Desk, seat: Seat) -> None:
    tenant, landlord = seat.party("person", name="Maria Silva"), seat.party("organisation", name="Haus GmbH")
    work = _opening(desk, seat, {"tenant": [tenant.id], "landlord": [landlord.id]})
    assert sorted(work.rows.read.values()) == [1, 1]

    seat.change_party(landlord, phone="+49 30 555 0142")

    with pytest.raises(Conflict):
        work.flush()
    assert seat.cases().cases == ()


@pytest.mark.usefixtures("form")
def test_parties_that_stayed_as_they_were_let_it_open(desk: Desk, seat: Seat) -> None:
    tenant, landlord = seat.party("person", name="Maria Silva"), seat.party("organisation", name="Haus GmbH")
    work = _opening(desk, seat, {"tenant": [tenant.id], "landlord": [landlord.id]})

    work.flush()

    assert [listed.state for listed in seat.cases().cases] == ["open"]


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("changed", ["the party", "the case", "nothing"])
def test_a_command_stands_only_on_the_case_and_the_party_that_it_has_read(desk: Desk, seat: Seat, changed: str) -> None:
    tenant, landlord = seat.party("person", name="Maria Silva"), seat.party("organisation", name="Haus GmbH")
    case = seat.open("tenancy.dispute", data={"deposit": Money("900.00", "EUR")}, parties={"tenant": tenant, "landlord": landlord})
    work = desk.work(desk.shelf("main"))
    load_parties(work, [tenant.id])
    stream = work.stream(case.id, "case")
    _note(work, stream)

    if changed == "the party":
        seat.change_party(tenant, phone="+49 30 555 0142")
    elif changed == "the case":
        seat.note(case, "a word in between")

    n = seat.case(case).n
    if changed == "nothing":
        work.flush()
        assert seat.case(case).n == n + 1
    else:
        with pytest.raises(Conflict):
            work.flush()
        assert seat.case(case).n == n


def _note(work: Work, stream: Any) -> None:
    from casekit.model.time import Effective

    when = Effective(work.now(), "UTC")
    work.append(stream, "note", [], {}, actor="user:lee", effective=when, recorded=work.now(), command="c", spoke={})
