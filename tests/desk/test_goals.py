"""Goals and reviews: progress from what is known, each round on record; on both engines, verified afterwards."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from casekit import BadInput, Money, Refused, Seat
from casekit.model.money import Money as ModelMoney

PEOPLE = {"tenant": "person", "landlord": "organisation"}


@pytest.fixture
def case(seat: Seat) -> Any:
    parties = {role: seat.party(kind, name=f"The {role}") for role, kind in PEOPLE.items()}
    return seat.open("tenancy.dispute", data={"deposit": Money("900.00", "EUR"), "rooms": 2}, parties=parties)


def test_progress_comes_from_what_is_known(seat: Seat, case: Any, clock: Any) -> None:
    assert Money is ModelMoney
    seat.set_goal(
        case, "rent-down", "fact('rent')", Money("500.00", "EUR"), want="at-most", by="2026-12-24", owner="handler", title="Less for Eve"
    )
    seat.set_goal(case.id, "paid", "paid", "900.00 EUR")
    seat.set_goal(case.id, "rooms", "rooms", 3, want="exactly")
    assert [(p.goal.key, p.value, p.reached, p.missed) for p in seat.goals(case.id)] == [
        ("paid", "0.00 EUR", False, False),
        ("rent-down", None, None, False),
        ("rooms", 2, False, False),
    ]
    seat.note_fact(case.id, "rent", Money("480.00", "EUR"))
    [rent] = [p for p in seat.goals(case.id) if p.goal.key == "rent-down"]
    assert (rent.value, rent.reached, rent.goal.title, rent.goal.owner) == ("480.00 EUR", True, "Less for Eve", "handler")
    assert "Eve" not in str(seat.journal(case.id))
    clock.forward(days=40)
    assert [p.missed for p in seat.goals(case.id)] == [False, False, False]
    seat.note_fact(case.id, "rent", Money("700.00", "EUR"))
    assert [p.goal.key for p in seat.goals(case.id) if p.missed] == ["rent-down"]
    assert [p.goal.key for p in seat.goals(case.id, as_of=date(2026, 11, 26))] == ["paid", "rent-down", "rooms"]


def test_a_goal_is_worded_anew_or_given_up(seat: Seat, case: Any) -> None:
    seat.set_goal(case, "paid", "paid", "900.00 EUR")
    seat.set_goal(case.id, "paid", "paid", "400.00 EUR")
    assert [p.goal.target for p in seat.goals(case.id)] == ["400.00 EUR"]
    seat.drop_goal(case.id, "paid", reason="settled")
    assert seat.goals(case.id) == ()
    assert [h.title for h in seat.timeline(case.id)][-3:] == [
        "paid: paid at-least 900.00 EUR",
        "paid: paid at-least 400.00 EUR",
        "paid given up",
    ]
    with pytest.raises(BadInput):
        seat.drop_goal(case.id, "paid")


@pytest.mark.parametrize(
    ("goal", "measure", "target", "how"),
    [
        ("No Key", "paid", "1.00 EUR", {}),
        ("a", "nothing", 1, {}),
        ("a", "paid", 5, {}),
        ("a", "paid", "much", {}),
        ("a", "rooms", "three", {}),
        ("a", "rooms", 3, {"want": "about"}),
        ("a", "rooms", 3, {"by": "soon"}),
        ("a", "story", "anything", {"want": "exactly"}),
    ],
)
def test_a_goal_that_makes_no_sense_is_bad_input(seat: Seat, case: Any, goal: str, measure: str, target: Any, how: Any) -> None:
    with pytest.raises(BadInput):
        seat.set_goal(case, goal, measure, target, **how)
    assert seat.case(case.id).n == case.n


def test_each_round_is_on_record(seat: Seat, case: Any) -> None:
    seat.set_goal(case, "rooms", "rooms", 2)
    done = seat.review(case.id, "Eve is better off")
    assert done.case.version == case.version + 2
    seat.review(case.id)
    rounds = [h for h in seat.timeline(case.id) if h.kind == "review"]
    assert [(h.text, h.events) for h in rounds] == [("Eve is better off", ("reviewed",)), (None, ("reviewed",))]
    said = [entry["body"] for entry in seat.journal(case.id) if entry["kind"] == "review"]
    assert '"findings":[{"plugin":"tenancy","rule":"tenancy.no-rent","version":"1.0"}]' in said[0]
    assert '"goals":[{"goal":"rooms","missed":false,"reached":true}]' in said[0]
    assert '"round":2' in said[1]


def test_choosing_planning_reviewing_and_choosing_again(seat: Seat, case: Any) -> None:
    """Assess, plan, work, review, adjust: what was planned in each round stays readable."""
    seat.choose(case, "decision")
    plan = {b.item.name: b.item.state for b in seat.plan(case.id).items}
    assert plan == {"hear.1": "active", "write.1": "available"}
    with pytest.raises(Refused, match="can't be given"):
        seat.item(case.id, "complete", "write")
    seat.item(case.id, "complete", "hear")
    seat.review(case.id, "heard")
    seat.choose(case.id, "decision")
    view = seat.plan(case.id)
    assert [(e.name, e.state) for e in view.ended] == [("hear.1", "completed"), ("write.1", "replaced")]
    assert {b.item.name for b in view.items} == {"hear.2", "write.2"}
