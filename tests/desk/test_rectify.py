"""Rectification: what was wrong is put right, and the record says what was believed when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tenancy
from casekit import BadInput, Denied, Desk, Money, Seat, open_desk
from casekit.sdk import Person


@pytest.fixture
def people(seat: Seat) -> dict[str, Person]:
    return {
        "tenant": seat.party("person", name="Maria Sliva", phone="+49 30 555 0142", born="1990-04-01"),
        "landlord": seat.party("organisation", name="Haus GmbH"),
    }


@pytest.fixture
def case(seat: Seat, people: dict[str, Person], clock: Any) -> str:
    data = {"deposit": "900.00 EUR", "rooms": 2, "story": "a stain", "health": "asthma"}
    return seat.open("tenancy.dispute", data=data, parties=people, effective="2026-11-01").id


def test_the_right_value_holds_since_the_wrong_one_did_and_both_are_known(seat: Seat, case: str, people: Any, clock: Any) -> None:
    clock.forward(days=1)
    before = clock.now
    seat.change(case, {"story": "two stains"})
    clock.forward(days=1)

    done = seat.rectify(case, {"health": "none", "rooms": 3}, reason="a mix-up of two files", asked_by=people["tenant"])

    assert (done.case.data["health"], done.case.data["rooms"]) == ("none", 3)
    then = seat.case(case, as_of=before)
    assert (then.data["health"], then.data["rooms"]) == ("asthma", 2), "what was believed"
    held = seat.case(case, effective="2026-11-01")
    assert (held.data["health"], held.data["rooms"], held.data["story"]) == ("none", 3, "a stain"), "what held"
    both = seat.case(case, as_of=before, effective="2026-11-01")
    assert both.data["health"] == "asthma", "what was believed then about that day"
    told = seat.timeline(case)[-1]
    assert (told.kind, told.title, told.effective, told.text) == ("rectify", "health, rooms", "2026-11-01", "a mix-up of two files")
    assert told.before == {"health": "asthma", "rooms": 2}
    raw = seat.journal(case)[-1]
    assert f'"asked_by":"{people["tenant"].id}"' in raw["body"]
    assert "asthma" not in raw["body"]
    assert "mix-up" not in raw["body"]


def test_a_value_that_came_later_holds_since_then(seat: Seat, case: str, clock: Any) -> None:
    clock.forward(days=1)
    changed = clock.now
    seat.change(case, {"rooms": 5})
    clock.forward(days=1)
    seat.rectify(case, {"rooms": 4}, reason="counted again")
    assert seat.case(case, effective="2026-11-10").data["rooms"] == 2
    assert seat.case(case, effective=changed).data["rooms"] == 4
    assert seat.timeline(case)[-1].effective == changed.isoformat(timespec="microseconds").replace("+00:00", "Z")
    clock.forward(days=1)
    seat.rectify(case, {"rooms": 6}, reason="counted once more")
    assert seat.case(case, effective=changed).data["rooms"] == 6


def test_values_of_several_moments_are_put_right_one_by_one(seat: Seat, case: str, clock: Any) -> None:
    clock.forward(days=1)
    seat.change(case, {"rooms": 5})
    n = seat.case(case).n
    with pytest.raises(BadInput, match="do not hold since one moment: deposit since 2026-11-01; rooms since"):
        seat.rectify(case, {"rooms": 4, "deposit": "800.00 EUR"}, reason="typo")
    assert seat.case(case).n == n
    seat.rectify(case, {"rooms": 4, "deposit": "800.00 EUR"}, reason="typo", effective="2026-11-03")
    assert seat.case(case, effective="2026-11-02").data["deposit"] == Money("900.00", "EUR")
    assert seat.case(case, effective="2026-11-03").data["rooms"] == 4


def test_what_is_not_known_after_all_is_not_known_then_either(seat: Seat, case: str) -> None:
    seat.rectify(case, unset=["health"], reason="of somebody else")
    assert "health" not in seat.case(case).data
    assert "health" not in seat.case(case, effective="2026-11-20").data
    assert seat.case(case, effective="2026-11-20").data["story"] == "a stain"


def test_a_fact_that_was_put_right_counts_no_more(seat: Seat, case: str, clock: Any) -> None:
    wrong = seat.note_fact(case, "rent", "500.00 EUR", source="lease", effective="2026-11-05").id
    seat.note_fact(case, "heating", "gas", effective="2026-11-05")
    clock.forward(days=1)
    before = clock.now
    clock.forward(days=1)

    done = seat.rectify_fact(case, wrong, Money("450.00", "EUR"), reason="read the wrong line", source="lease, page 2")

    rents = [f for f in seat.file(case).facts if f.key == "rent"]
    assert [(f.value, f.day, f.source, f.id) for f in rents] == [(Money("450.00", "EUR"), "2026-11-05", "lease, page 2", done.id)]
    assert seat.file(case).latest["rent"] == Money("450.00", "EUR")
    assert seat.file(case, as_of=before).latest["rent"] == Money("500.00", "EUR")
    assert [f.value for f in seat.file(case, as_of=before).facts if f.key == "rent"] == [Money("500.00", "EUR")]
    assert seat.file(case, effective="2026-11-06").latest["rent"] == Money("450.00", "EUR")
    told = seat.timeline(case)[-1]
    assert (told.kind, told.title, told.before) == ("rectify", f"rent ({wrong})", {"rent": "500.00 EUR"})


def test_a_fact_that_held_earlier_than_was_noted(seat: Seat, case: str) -> None:
    seat.note_fact(case, "rent", "400.00 EUR", effective="2026-11-02")
    wrong = seat.note_fact(case, "rent", "500.00 EUR", effective="2026-11-10").id
    seat.rectify_fact(case, wrong, "450.00 EUR", reason="letter found", effective="2026-11-05")
    held = {day: str(seat.file(case, effective=f"2026-11-{day}").latest["rent"]) for day in ("02", "05", "09", "10", "20")}
    assert held == {"02": "400.00 EUR", "05": "450.00 EUR", "09": "450.00 EUR", "10": "450.00 EUR", "20": "450.00 EUR"}
    with pytest.raises(BadInput, match="lies after the fact that was wrong"):
        seat.rectify_fact(case, wrong, "450.00 EUR", reason="x", effective="2026-11-20")
    with pytest.raises(BadInput, match=r"there is no fact 99\.0 in this case"):
        seat.rectify_fact(case, "99.0", "450.00 EUR", reason="x")


def test_an_older_fact_that_is_put_right_leaves_the_latest(seat: Seat, case: str) -> None:
    wrong = seat.note_fact(case, "heating", "gas", effective="2026-11-02").id
    seat.note_fact(case, "heating", "gas", effective="2026-11-10")
    seat.rectify_fact(case, wrong, "oil", reason="the old boiler")
    assert seat.file(case).latest["heating"] == "gas"
    assert seat.file(case, effective="2026-11-03").latest["heating"] == "oil"


def test_within_a_batch_the_right_fact_counts_at_once(seat: Seat, case: str) -> None:
    with seat.batch() as batch:
        wrong = batch.note_fact(case, "rent", "500.00 EUR", effective="2026-11-05").id
        batch.rectify_fact(case, wrong, "450.00 EUR", reason="typo")
        batch.rectify(case, {"rooms": 9}, reason="typo")
    assert [str(f.value) for f in seat.file(case).facts] == ["450.00 EUR"]
    assert seat.case(case, effective="2026-11-02").data["rooms"] == 9


def test_a_detail_that_was_wrong_finds_nobody_any_more(seat: Seat, people: dict[str, Person], desk: Desk) -> None:
    maria = people["tenant"]
    fixed = seat.rectify_party(maria, name="Maria Silva", born=None, reason="as her passport says", asked_by=maria, effective="2026-11-20")
    assert (fixed.name, "born" in fixed.details) == ("Maria Silva", False)
    assert seat.find_party(name="Maria Sliva") is None
    assert seat.find_party(name="maria silva") == fixed
    assert seat.find_party(phone="+49 30 555 0142") == fixed
    for wrong, what in (({"name": "Maria Silva"}, "on file like this already"), ({}, "nothing to put right"), ({"nose": "x"}, "no such")):
        with pytest.raises(BadInput, match=what):
            seat.rectify_party(maria, reason="x", **wrong)
    with pytest.raises(BadInput, match="reason"):
        seat.rectify_party(maria, reason=" ", name="Mia")


def test_a_rectification_says_why_and_is_allowed(desk: Desk, seat: Seat, case: str, people: Any) -> None:
    with pytest.raises(BadInput, match="reason"):
        seat.rectify(case, {"rooms": 3}, reason="")
    with pytest.raises(BadInput, match="nothing to put right"):
        seat.rectify(case, reason="x")
    with pytest.raises(BadInput):
        seat.rectify(case, {"rooms": 3}, reason="x", asked_by="0199aaaa-0000-7000-8000-000000000000")
    reader = desk.seat("user:eve", roles={"reader"})
    with pytest.raises(Denied):
        reader.rectify(case, {"rooms": 3}, reason="x")
    with pytest.raises(Denied):
        reader.rectify_party(people["tenant"], name="x", reason="x")


def test_sent_twice_under_a_key_it_has_one_effect(seat: Seat, case: str) -> None:
    first = seat.rectify(case, {"rooms": 3}, reason="x", key="k")
    again = seat.rectify(case, {"rooms": 3}, reason="x", key="k")
    assert (again.again, again.entries) == (True, first.entries)


def test_the_words_of_a_rectification_go_with_the_person(seat: Seat, desk: Desk, case: str, people: dict[str, Person]) -> None:
    seat.rectify(case, {"health": "none"}, reason="her doctor wrote")
    seat.document(case, "letter", b"x")
    seat.do(case, "withdraw")
    seat.erase(people["tenant"])
    told = next(h for h in seat.timeline(case) if h.kind == "rectify")
    assert (told.text, dict(told.before)) == (None, {})


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(1, 99)), min_size=1, max_size=6),
    asked=st.integers(0, 9),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_held_is_what_was_said_last_for_that_moment(shared: Callable[[], tuple[Seat, Any]], steps: Any, asked: int) -> None:
    """Against a plain model: changes hold from their moment on, rectifications lie over all that was recorded before."""
    seat, clock = shared()
    who = seat.party("person", name="A").id
    day = dt.date(2026, 1, 1)
    clock.now = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    case = seat.open("tenancy.dispute", data={"deposit": "1.00 EUR", "rooms": 100}, parties={"tenant": who, "landlord": who}).id
    model: list[tuple[str, dt.date, int]] = [("change", day, 100)]
    for number, (rectified, back, value) in enumerate(steps, start=1):
        clock.now += dt.timedelta(days=1)
        today = day + dt.timedelta(days=number)
        if rectified:
            since = max(day, today - dt.timedelta(days=back))
            moment = clock.now - (today - since)
            seat.rectify(case, {"rooms": value}, reason="x", effective=moment)
            model.append(("rectify", since, value))
        else:
            seat.change(case, {"rooms": value})
            model.append(("change", today, value))
    wanted = day + dt.timedelta(days=min(asked, len(steps)))
    expected = [value for kind, since, value in model if since <= wanted][-1]
    assert seat.case(case, effective=wanted).data["rooms"] == expected


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], tuple[Seat, Any]]]:
    from conftest import TestClock

    folder, clock = tmp_path_factory.mktemp("shared"), TestClock()
    with open_desk(store=f"sqlite:///{folder}/s.db", plugins=[tenancy], installed=False, clock=clock) as desk:
        yield lambda: (desk.seat("user:lee", roles={"clerk"}), clock)
        assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []


def test_within_a_batch_nobody_is_found_by_what_was_wrong(seat: Seat) -> None:
    with seat.batch() as batch:
        bo = batch.party("person", name="Bo", phone="0301")
        batch.change_party(bo, phone="0302")
        batch.rectify_party(bo, phone="0303", reason="a slip")
        batch.rectify_party(bo, phone="0304", reason="another")
        batch.change_party(bo, phone="0303")
    assert [len(seat.find_parties(phone=f"030{i}")) for i in (1, 2, 3, 4)] == [1, 0, 1, 1]
