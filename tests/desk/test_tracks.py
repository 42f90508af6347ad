"""A case type with a hold track beside a main track, on a real desk: both move, what is known is kept, the past is read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from casekit import Denied, Desk, Refused, Seat, builtin
from casekit.definition.casetype import CaseType, Clock, Requirement, State, Transition
from casekit.definition.fields import field

HOLD = {"off": State("Not on hold"), "on": State("On hold", "waiting-third")}
MAIN = {
    "draft": State("Draft"),
    "sent": State("Sent", "waiting-party"),
    "answered": State("Answered", "resolved", final=True),
}
WORK = State(
    "Work",
    parallel=True,
    states={"hold": State("Hold", states=HOLD, initial="off"), "main": State("Main", "open", states=MAIN, initial="draft")},
)
CLAIM = CaseType(
    key="test.claim",
    version="1",
    title="Claim",
    initial="running.work",
    data={"amount": field(int)},
    states={
        "running": State("Running", "open", "work", {"work": WORK, "past": State("Where it was", history="deep", initial="work")}),
        "court": State("Before the court", "waiting-third"),
        "over": State("Over", "closed", outcome="over"),
    },
    transitions={
        "hold": Transition("running.work.hold.off", "running.work.hold.on", form={"why": field(str, personal=True, required=True)}),
        "release": Transition("running.work.hold.on", "running.work.hold.off"),
        "send": Transition("running.work.main.draft", "running.work.main.sent", when="not at('running.work.hold.on')"),
        "answer": Transition("running.work.main.sent", "running.work.main.answered"),
        "pause-main": Transition("running.work.main", None, on="freeze", form={"note": field(str, personal=False)}),
        "pause-hold": Transition(
            "running.work.hold.off", "running.work.hold.on", on="freeze", requires="large", form={"by": field(str, personal=True)}
        ),
        "sue": Transition("running", "court"),
        "back": Transition("court", "running.past"),
        "end": Transition("running", "over", on="done.state.running.work.main", when="amount < 100"),
        "close": Transition(("running", "court"), "over"),
        "reopen": Transition("over", "running.past"),
    },
    clocks={"reply": Clock("P14D", start="at('running.work.main.sent')", pause="at('running.work.hold.on')")},
    requirements={"large": Requirement("amount > 10", unmet="It is too small to be frozen.")},
)


@pytest.fixture
def seat(open_store: Callable[..., Desk]) -> Iterator[Seat]:
    desk = open_store(plugins=[builtin], case_types=[CLAIM])
    yield desk.seat("user:lee", roles={"admin"})
    assert desk.seat("test:auditor", roles={"admin"}).verify().wrong == []


def test_both_tracks_move_and_the_case_says_where_it_is(seat: Seat, clock: Any) -> None:
    case = seat.open("test.claim", data={"amount": 500})
    assert (case.state, case.category) == ("running.work.hold.off running.work.main.draft", "open")
    before = clock.now
    clock.forward(hours=1)
    case = seat.do(case, "send").case
    assert (case.state, case.category) == ("running.work.hold.off running.work.main.sent", "waiting-party")
    due = case.due
    clock.forward(days=2)
    case = seat.do(case, "hold", {"why": "she is ill"}).case
    assert (case.state, case.category, case.due) == ("running.work.hold.on running.work.main.sent", "waiting-third", None)
    clock.forward(days=3)
    case = seat.do(case, "release").case
    assert (case.category, case.due) == ("waiting-party", due and due.replace("-09T", "-12T"))
    # What was known then, and what held then.
    assert seat.case(case.id, as_of=before).state == "running.work.hold.off running.work.main.draft"
    assert seat.case(case.id, effective=before + timedelta(days=3)).state == "running.work.hold.on running.work.main.sent"
    assert [h.events for h in seat.timeline(case)][1:3] == [("transition.send",), ("transition.hold",)]


def test_a_case_comes_back_from_court_to_where_it_was_in_both_tracks(seat: Seat) -> None:
    case = seat.open("test.claim", data={"amount": 500})
    case = seat.do(seat.do(case, "send").case, "hold", {"why": "so"}).case
    case = seat.do(case, "sue").case
    assert (case.state, case.category) == ("court", "waiting-third")
    case = seat.do(case, "back").case
    assert case.state == "running.work.hold.on running.work.main.sent"


def test_an_event_of_both_tracks_is_one_command_and_is_refused_as_a_whole(seat: Seat) -> None:
    small, large = (seat.open("test.claim", data={"amount": amount}) for amount in (5, 50))
    with pytest.raises(Refused, match="too small"):
        seat.do(small, "freeze", {"note": "n", "by": "Lee"})
    assert seat.case(small.id).state == small.state
    done = seat.do(large, "freeze", {"note": "n", "by": "Lee"})
    assert done.case.state == "running.work.hold.on running.work.main.draft"
    entry = seat.journal(large)[-1]
    assert json.loads(entry["body"])["about"]["fields"] == {"note": "n"}
    assert "Lee" not in str(entry)
    assert seat.timeline(large)[-1].events == ("transition.pause-hold", "transition.pause-main")
    with pytest.raises(Refused, match=r"can't happen|not possible"):
        seat.do(done.case, "send")
    assert not seat.explain(done.case, "send").possible


def test_a_done_event_closes_the_case_where_its_condition_holds(seat: Seat) -> None:
    for amount, state in ((50, "over"), (500, "running.work.hold.off running.work.main.answered")):
        case = seat.open("test.claim", data={"amount": amount})
        case = seat.do(seat.do(case, "send").case, "answer").case
        assert case.state == state


def test_closing_and_reopening_lead_back_to_both_tracks(seat: Seat) -> None:
    case = seat.do(seat.open("test.claim", data={"amount": 500}), "send").case
    case = seat.close(case, "over").case
    assert (case.state, case.outcome, case.due) == ("over", "over", None)
    case = seat.do(case, "reopen").case
    assert (case.state, case.closed) == ("running.work.hold.off running.work.main.sent", None)
    assert case.due is not None


def test_an_observed_event_that_is_forced_moves_its_own_track_only(seat: Seat) -> None:
    case = seat.do(seat.open("test.claim", data={"amount": 500}), "hold", {"why": "so"}).case
    done = seat.do(case, "answer", observed=True, force=True)
    assert (done.accepted, done.case.state) == (False, "running.work.hold.on running.work.main.answered")


def test_an_actor_without_the_role_is_denied(open_store: Callable[..., Desk]) -> None:
    desk = open_store(plugins=[builtin], case_types=[CLAIM])
    with pytest.raises(Denied):
        desk.seat("user:eve").open("test.claim", data={"amount": 1})
