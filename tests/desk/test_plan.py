"""Plans at the desk: commands on items, what may be asked about them, work lists; on both engines, verified afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

import homecare
from casekit import BadInput, Denied, Desk, Refused, Seat
from casekit.decisions.itemwhy import Absence


@pytest.fixture
def desk(open_store: Callable[..., Desk]) -> Iterator[Desk]:
    opened = open_store(plugins=[homecare])
    yield opened
    assert opened.seat("test:auditor", roles={"auditor"}).verify().wrong == []


@pytest.fixture
def office(desk: Desk) -> Seat:
    return desk.seat("user:ann", roles={"office"})


@pytest.fixture
def nurse(desk: Desk) -> Seat:
    return desk.seat("user:bo", roles={"nurse"})


def tree(seat: Seat, case: Any, **when: Any) -> dict[str, str]:
    """Live items with their states, inner ones behind their stage."""

    def walk(branches: Any, above: str) -> Iterator[tuple[str, str]]:
        for branch in branches:
            yield above + branch.item.name, branch.item.state
            yield from walk(branch.inner, f"{above}{branch.item.name}/")

    return dict(walk(seat.plan(case, **when).items, ""))


def test_the_work_of_a_case_from_the_first_visit_to_the_closing(office: Seat, nurse: Seat) -> None:
    case = office.open("care.case", data={"start": date(2026, 12, 24)})
    assert tree(office, case) == {"visit.1": "active", "offer.1": "available", "agreed.1": "available", "call.1": "available"}
    with pytest.raises(Refused) as refused:
        office.do(case, "close")
    assert [(o.rule, o.args["key"]) for o in refused.value.objections] == [("casekit.plan-blocked", "visit.1")]
    done = nurse.item(case.id, "complete", "visit")
    assert tree(office, case.id)["offer.1/draft.1"] == "active"
    with pytest.raises(Denied):
        nurse.item(done.case, "complete", "draft")
    office.item(case.id, "complete", "draft")
    done = office.item(case.id, "complete", "sign", key="once")
    assert (done.case.state, office.item(case.id, "complete", "sign", key="once").again) == ("running", True)
    assert office.timeline(case.id)[-1].events == ("item.sign.completed", "milestone.agreed", "transition.run", "clock.answer.met")
    view = office.plan(case.id)
    assert {(e.name, e.state) for e in view.ended} == {(name, "completed") for name in ("visit.1", "draft.1", "sign.1", "agreed.1")}
    assert [o.args["key"] for o in view.blockers] == ["offer.1"]
    office.item(case.id, "complete", "offer")
    closed = office.do(case.id, "close").case
    assert (closed.category, closed.outcome, tree(office, closed)) == ("closed", "agreed", {})


def test_cancelling_does_not_ask_the_plan_and_reopening_brings_it_anew(office: Seat, nurse: Seat) -> None:
    case = office.open("care.case")
    nurse.item(case, "complete", "visit")
    case = office.do(case.id, "withdraw").case
    assert (case.category, tree(office, case)) == ("cancelled", {})
    with pytest.raises(Refused, match="over"):
        office.item(case, "complete", "draft")
    before = office.plan(case).ended
    case = office.do(case.id, "reopen").case
    assert office.plan(case).ended == before, "what was done and ended stays on record"
    assert office.file(case).clocks[0].instance == "2", "a new cycle has a clock of its own"
    assert tree(office, case) == {"visit.2": "active", "offer.2": "available", "agreed.2": "available", "call.2": "available"}


def test_what_is_not_legal_is_refused_and_recorded(office: Seat) -> None:
    case = office.open("care.case")
    with pytest.raises(Refused) as refused:
        office.item(case, "start", "visit")
    assert refused.value.objections[0].reason == "Visit at home can't be given start: it is active."
    last = office.timeline(case)[-1]
    assert (last.kind, last.title, last.objections[0].rule) == ("refused", "item", "casekit.item-state")
    assert office.case(case.id).version == case.version
    for action, item in (("complete", "nothing"), ("fly", "visit"), ("complete", "")):
        with pytest.raises(BadInput):
            office.item(case, action, item)


def test_observed_work_is_recorded_whatever_the_plan_objects_to(office: Seat) -> None:
    case = office.open("care.case")
    done = office.item(case, "complete", "sign", observed=True)
    assert (done.accepted, [o.rule for o in done.objections]) == (False, ["casekit.item-state"])
    assert tree(office, case.id) == tree(office, case.id)


def test_guards_of_the_case_type_and_of_plugins_are_asked(office: Seat) -> None:
    case = office.open("care.case", data={"urgent": False})
    with pytest.raises(Refused, match="without need"):
        office.item(case, "skip", "agreed")
    with pytest.raises(Refused, match="called back"):
        office.item(case, "terminate", "call")


def test_what_is_required_is_skipped_with_permission_and_a_reason(office: Seat, nurse: Seat) -> None:
    case = office.open("care.case", data={"urgent": True})
    for seat, reason in ((nurse, "no time"), (office, "")):
        with pytest.raises(Refused, match="required"):
            seat.item(case, "skip", "visit", reason=reason)
    office.item(case, "skip", "visit", reason="she is in hospital")
    last = office.timeline(case.id)[-1]
    assert (last.text, [e.state for e in office.plan(case.id).ended]) == ("she is in hospital", ["skipped"])


def test_dates_move_with_what_they_count_from(office: Seat, desk: Desk, clock: Any) -> None:
    case = office.open("care.case", data={"start": date(2026, 12, 24)})
    [visit] = [listed.task for listed in office.tasks("nurse").tasks]
    assert (visit.title, visit.due) == ("Visit at home", "2026-12-17T23:00:00.000000Z")
    office.change(case, {"start": date(2026, 12, 10)})
    assert office.tasks("nurse").tasks[0].task.due == "2026-12-03T23:00:00.000000Z"
    assert office.case(case.id).due == "2026-12-03T23:00:00.000000Z"
    clock.forward(days=10)
    assert office.run_due().entries == 1
    assert office.timeline(case.id)[-1].events == ("item.visit.overdue",)
    assert office.plan(case.id).items[0].overdue
    assert office.run_due().entries == 0
    assert [f.text for f in office.assess(case.id)] == ["visit is late: it was due on 2026-12-03T23:00:00.000000Z."]
    office.item(case.id, "complete", "visit")
    assert [f.rule for f in office.assess(case.id)] == ["care.visited"]


def test_a_timer_in_a_stage_speaks_when_it_is_due(office: Seat, nurse: Seat, clock: Any) -> None:
    case = office.open("care.case")
    nurse.item(case, "complete", "visit")
    clock.forward(days=31)
    office.run_due()
    assert tree(office, case.id)["call.1"] == "active"
    assert tree(office, case.id)["call.2"] == "waiting"


def test_choosing_an_option_puts_its_items_into_the_plan(office: Seat) -> None:
    case = office.open("care.case")
    done = office.choose(case, "full")
    now = tree(office, done)
    assert (now["shop.1"], now["cook.1"]) == ("active", "available")
    shop = next(b.item for b in office.plan(done).items if b.item.item == "shop")
    assert (shop.title, shop.due, shop.source) == ("Shop for Mrs Gray", "2026-11-27T10:00:00.000000Z", f"option:full@{done.case.n}")
    office.item(case.id, "complete", "shop")
    again = office.choose(case.id, "half")
    assert again.accepted
    now = tree(office, again)
    assert now["shop.2"] == "active"
    assert "cook.1" not in now
    # The earlier plan stays readable: as rows, and as it was known then.
    ended = {e.name: (e.state, e.source.partition("@")[0]) for e in office.plan(again).ended}
    assert ended == {"shop.1": ("completed", "option:full"), "cook.1": ("replaced", "option:full")}
    assert tree(office, case.id, as_of=None) == now


def test_an_option_may_ask_for_what_the_case_type_offers(office: Seat, nurse: Seat) -> None:
    case = office.open("care.case")
    with pytest.raises(Refused, match="not active"):
        office.choose(case, "more")
    nurse.item(case.id, "complete", "visit")
    office.choose(case.id, "more")
    assert tree(office, case.id)["offer.1/extra.1"] == "active"


def test_the_plan_as_it_was_known_then(office: Seat, clock: Any) -> None:
    case = office.open("care.case")
    office.choose(case, "full")
    clock.forward(days=1)
    then = date(2026, 11, 25)
    office.choose(case.id, "half")
    assert "cook.1" in tree(office, case.id, as_of=then)
    assert "cook.1" not in tree(office, case.id)
    assert office.plan(case.id, as_of=then).ended == ()


def test_items_that_someone_puts_in(office: Seat, nurse: Seat) -> None:
    case = nurse.open("care.case")
    assert nurse.plan(case).offered == ()
    nurse.item(case, "complete", "visit")
    assert nurse.plan(case.id).offered == ("extra",)
    with pytest.raises(Denied):
        office.item(case.id, "add", "extra")
    done = nurse.item(case.id, "add", "extra")
    assert (done.id, tree(nurse, done)["offer.1/extra.1"]) == ("extra.1", "active")
    own = {"kind": "task", "due": {"after": "P1D"}, "who": "nurse", "required": True}
    done = nurse.item(case.id, "add", "ring-son", own=own, stage="offer", title="Ring her son Jim", key="k")
    assert (done.id, nurse.item(case.id, "add", "ring-son", own=own, stage="offer", title="Ring her son Jim", key="k").id) == (
        "ring-son.1",
    ) * 2
    [task] = [listed.task for listed in nurse.tasks("nurse").tasks if listed.task.item == "ring-son"]
    assert task.title == "Ring her son Jim"
    assert "Jim" not in str(office.journal(case.id))  # its words are sealed
    assert [o.args["key"] for o in nurse.plan(done).blockers] == ["offer.1"]
    with pytest.raises(BadInput):
        nurse.item(case.id, "add", "x", own={"kind": "task", "stage": "nowhere"})


def test_a_case_rests_as_a_whole(office: Seat, clock: Any) -> None:
    case = office.open("care.case", data={"start": date(2026, 12, 24)})
    before = office.file(case).clocks[0].due
    done = office.item(case, "suspend", reason="on holiday")
    assert (done.due, office.plan(done).suspended, office.file(done).clocks[0].status) == (None, True, "paused")
    with pytest.raises(Refused, match="rests"):
        office.item(done, "complete", "visit")
    clock.forward(days=10)
    done = office.item(case.id, "resume")
    assert office.plan(done).items[0].item.due == "2026-12-27T23:00:00.000000Z"
    assert (before, office.file(done).clocks[0].due) == ("2027-01-24T10:00:00.000000Z", "2027-02-03T10:00:00.000000Z")


def test_an_item_says_why_it_is_where_it_is_and_who_could(office: Seat, nurse: Seat) -> None:
    case = office.open("care.case")
    said = nurse.explain_item(case, "agreed")
    assert said.lines() == [
        "agreed.1 is available",
        "  waits for sign.completed",
        "  it can be given: terminate, skip, suspend, move",
        "  to do: complete visit [nurse, office], then complete draft [office], then complete sign [nurse, office]",
    ]
    assert isinstance(nurse.explain_item(case, "draft").why, Absence)
    assert nurse.explain_item(case, "draft").lines()[0] == "draft is not in the plan: its stage offer is not active"
    nurse.item(case, "complete", "visit")
    said = nurse.explain_item(case.id, "draft.1")
    assert (said.needs, said.lacking, said.who) == (("item.work", "care.write"), ("care.write",), ("office",))
    assert "  blocked by draft.1, which is active (active)" in nurse.explain_item(case.id, "offer").lines()
    assert nurse.explain_item(case.id, "visit").lines() == ["visit has ended"]
    closing = office.explain_closing(case.id)
    assert [o.rule for road in closing.roads if road.target == "over" for o in road.objections] == ["casekit.plan-blocked"]
    with pytest.raises(BadInput):
        nurse.explain_item(case.id, "nothing")


def test_work_lists_go_page_by_page(office: Seat, nurse: Seat, desk: Desk) -> None:
    days = [None, date(2026, 12, 24), date(2026, 12, 20), None, date(2026, 12, 28), date(2026, 12, 20)]
    cases = [office.open("care.case", data={"start": day} if day else {}) for day in days]
    nurse.item(cases[0], "complete", "visit")  # one of them goes on to the office
    whole = nurse.tasks("nurse")
    dues = [listed.task.due for listed in whole.tasks]
    assert dues == [*sorted(due for due in dues if due), None]
    assert [listed.number for listed in whole.tasks][:2] == ["C-0003", "C-0006"]
    paged, after = [], None
    while True:
        page = nurse.tasks("nurse", size=2, after=after)
        paged += page.tasks
        if page.more is None:
            break
        after = page.more
    assert paged == list(whole.tasks)
    assert [listed.task.item for listed in nurse.tasks(("office",)).tasks] == ["draft"]
    assert len(nurse.tasks().tasks) == 6
    assert {listed.number for listed in nurse.tasks(due_before=date(2026, 12, 15)).tasks} == {"C-0001", "C-0003", "C-0006"}
    assert nurse.tasks(types=("other",)).tasks == ()
    with pytest.raises(Denied):
        desk.seat("user:nobody").tasks()
    for wrong in ({"size": 0}, {"after": "x"}):
        with pytest.raises(BadInput):
            nurse.tasks(**wrong)
