"""Deadlines on a desk: pinned calendars, extensions, and how a date came about; on both engines."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from casekit import BadInput, Denied, Desk, Seat, builtin
from casekit.decisions.scxml import read_scxml
from casekit.sdk import (
    Calendar,
    CaseType,
    Clock,
    Count,
    Counts,
    HolidaySet,
    Plugin,
    ServiceLevel,
    Signal,
    State,
    Target,
    Transition,
    field,
    hookimpl,
    role,
    week,
)

OFFICE = Calendar(
    "office", "1", "Office", hours=week("09:00-17:00"), zone="Europe/Rome", holidays={"it": HolidaySet({"2026-12-08": "Immacolata"})}
)
HELP = CaseType(
    key="help.ticket",
    version="1",
    title="Ticket",
    initial="new",
    zone="Europe/Rome",
    data={"urgent": field(bool), "hearing": field(str, format="date", personal=False)},
    states={
        "new": State("New", "open"),
        "working": State("Working", "open"),
        "waiting": State("Waiting", "waiting-party"),
        "done": State("Done", "closed", outcome="solved"),
    },
    transitions={
        "take": Transition(("new", "waiting"), "working"),
        "wait": Transition("working", "waiting"),
        "resolve": Transition(("working", "waiting"), "done"),
    },
    clocks={
        "resolution": Clock(
            title="Resolution", start="at('new')", stop="at('done')", pause="at('waiting')", kind="business", calendar="office", warn="75%"
        ),
        "answer": Clock(
            "P3D", start="at('new')", stop="at('done')", kind="counted", count="help.days", calendar="office", on_change="recompute"
        ),
    },
    sla={
        "gold": ServiceLevel({"resolution": Target("PT4H")}, when="urgent", title="Gold"),
        "rest": ServiceLevel({"resolution": Target("PT16H")}, title="Everybody else"),
    },
)
RULE = Counts("help.days", (Count("help.days", "1", skip="non_working", citation="House rules"),))


def plugin(*, calendars: bool = True) -> Any:
    """A plugin that brings the calendar and the rule."""

    class Brings:
        PLUGIN = Plugin("help", api=1, handles=("help.ticket",))

        @staticmethod
        @hookimpl
        def casekit_counts() -> Any:
            return [RULE]

        @staticmethod
        @hookimpl
        def casekit_calendars() -> Any:
            return [OFFICE] if calendars else []

    return Brings()


@pytest.fixture
def helped(open_store: Callable[..., Desk], clock: Any) -> tuple[Desk, Seat]:
    """A desk for tickets, on Friday 4 December 2026, 15:00 in Rome."""
    clock.now = datetime(2026, 12, 4, 14, 0, tzinfo=UTC)
    desk = open_store(plugins=[builtin, plugin()], case_types=[HELP])
    return desk, desk.seat("user:lee", roles={"admin"})


def opened(seat: Seat, **data: Any) -> str:
    return seat.open("help.ticket", data=data).id


def rome(day: int, hour: int, minute: int = 0) -> str:
    return f"2026-12-{day:02}T{hour - 1:02}:{minute:02}:00.000000Z"


def test_a_case_is_pinned_to_its_calendars_and_explains_itself_without_them(
    helped: tuple[Desk, Seat], open_store: Callable[..., Desk], clock: Any
) -> None:
    _, seat = helped
    case = opened(seat)
    head = json.loads(seat.journal(case)[0]["body"])["changes"][0]["set"]
    assert set(head["calendars"]) == {"office"}
    assert set(head["counts"]) == {"help.days"}

    bare = open_store(plugins=[builtin]).seat("user:kim", roles={"admin"})  # neither plugin nor case type nor calendar
    clock.forward(hours=1)
    (story,) = bare.explain_clock(case, "resolution")
    assert (story.due, story.calendar) == (rome(9, 15), "office 1")
    assert [(s.rule, s.note) for s in story.steps if s.rule == "closed"] == [("closed", "Immacolata")]
    assert bare.explain_clock(case, "answer")[0].day == "2026-12-10"
    assert set(head["calendars"].values()) < set(bare.export(case)["definitions"])
    assert bare.do(case, "take").case.state == "working"


def test_a_case_type_without_its_calendar_is_refused_by_name(open_store: Callable[..., Desk]) -> None:
    with pytest.raises(BadInput) as refused:
        open_store(plugins=[builtin, plugin(calendars=False)], case_types=[HELP])
    assert [(p.where, p.what) for p in refused.value.problems] == [
        ("help.ticket: /clocks/resolution/calendar", "there is no calendar 'office'"),
        ("help.ticket: /clocks/answer/calendar", "there is no calendar 'office'"),
    ]
    desk = open_store(plugins=[builtin, plugin(calendars=False)], case_types=[HELP], calendars=[OFFICE])
    assert "help.ticket" in desk.library.types


def test_a_calendar_comes_from_a_file_and_its_version_never_changes(open_store: Callable[..., Desk], tmp_path: Any) -> None:
    file = tmp_path / "office.json"
    file.write_text('{"key": "office", "version": "1", "hours": {"mon": ["09:00-17:00"]}}')
    desk = open_store(plugins=[builtin, plugin(calendars=False)], calendars=[file])
    with pytest.raises(BadInput, match="raise the version"):
        desk.add_calendar(OFFICE)
    file.write_text('{"key": "office", "version": "2", "hours": {}}')
    with pytest.raises(BadInput, match="no open hours"):
        desk.add_calendar(file)
    with pytest.raises(BadInput, match="check the path"):
        desk.add_calendar(tmp_path / "none.json")


def test_the_first_level_that_fits_is_told_with_those_that_did_not(helped: tuple[Desk, Seat]) -> None:
    _, seat = helped
    plain, urgent = opened(seat), opened(seat, urgent=True)
    (story,) = seat.explain_clock(plain, "resolution")
    assert [(row.name, row.when, row.taken) for row in story.table] == [("gold", "urgent", False), ("rest", "", True)]
    assert seat.explain_clock(urgent, "resolution")[0].due == rome(7, 11)
    seat.change(plain, {"urgent": True})
    assert seat.explain_clock(plain, "resolution")[0].due == rome(9, 15)  # the target stays what it was


def test_every_move_names_its_entry_and_the_days_between(helped: tuple[Desk, Seat], clock: Any) -> None:
    _, seat = helped
    case = opened(seat)
    seat.do(case, "take")
    clock.now = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)  # Monday 10:00: three hours are used up
    seat.do(case, "wait")
    clock.now = datetime(2026, 12, 9, 9, 0, tzinfo=UTC)
    seat.do(case, "take")
    (story,) = seat.explain_clock(case, "resolution")
    assert [(m.why, m.old, m.new) for m in story.moves] == [
        ("started", None, rome(9, 15)),
        ("paused", rome(9, 15), None),
        ("resumed", None, rome(10, 15)),
    ]
    assert [m.n for m in story.moves] == [1, 3, 4]
    assert (story.ran, story.left) == (3 * 3_600_000_000, 13 * 3_600_000_000)
    assert [(i.status, i.elapsed // 3_600_000_000, (i.open or 0) // 3_600_000_000) for i in story.intervals] == [
        ("running", 67, 3),
        ("paused", 48, 8),
    ]
    assert story.elapsed["paused"] == 48 * 3_600_000_000
    assert story.open == {"running": 3 * 3_600_000_000, "paused": 8 * 3_600_000_000}
    said = "\n".join(story.lines())
    assert "outside the weekly hours" in said
    assert "paused, at('waiting')" in said
    assert "entry 4, user:lee: it ran on: none -> Thu 2026-12-10 15:00 CET" in said


def test_figures_have_both_durations(helped: tuple[Desk, Seat], clock: Any) -> None:
    desk, seat = helped
    late, quick, running = (opened(seat) for _ in range(3))
    for case in (late, quick):
        seat.do(case, "take")
    clock.now = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)  # Monday 10:00: 67 hours, three of them in the office
    seat.do(quick, "resolve")
    clock.now = datetime(2026, 12, 10, 9, 0, tzinfo=UTC)
    seat.run_due()
    seat.do(late, "resolve")
    found = seat.report_clocks()["help.ticket"]["resolution"]
    hour = 3_600_000_000
    assert found["states"] == {"breached": 2, "met": 1}  # what closing a case meets is met
    assert found["elapsed"] == {"of": 2, "mean": (67 + 139) * hour // 2, "median": 67 * hour}
    # Until Thursday 10:00: three hours by Monday 10:00, seven more that day, none on the holiday, eight, and one.
    assert found["open"] == {"of": 2, "mean": (3 + 3 + 7 + 8 + 1) * hour // 2, "median": 3 * hour}
    assert "open" not in seat.report_clocks()["help.ticket"]["answer"]
    with pytest.raises(Denied):
        desk.seat("user:kim").report_clocks()
    assert seat.case(running).state == "new"


def test_breached_is_answered_for_any_moment_whoever_has_swept(helped: tuple[Desk, Seat], clock: Any) -> None:
    _, seat = helped
    case = opened(seat)
    due = datetime(2026, 12, 9, 14, 0, tzinfo=UTC)

    def asked(at: datetime) -> tuple[str, bool]:
        (story,) = seat.explain_clock(case, "resolution", at=at)
        return story.status, story.breached

    ask = [datetime(2026, 12, 4, 13, 0, tzinfo=UTC), datetime(2026, 12, 9, 13, 59, 59, tzinfo=UTC), due]
    before = [asked(at) for at in ask]
    assert before == [("", False), ("running", False), ("breached", True)]
    clock.now = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
    seat.run_due()
    seat.do(case, "take")
    assert [asked(at) for at in ask] == before
    seat.do(case, "resolve")
    assert [asked(at) for at in ask] == before
    assert {story.clock: story.status for story in seat.clocks(case)} == {"resolution": "breached", "answer": "breached"}


def test_an_extension_keeps_the_computed_date_and_says_who_and_why(helped: tuple[Desk, Seat], clock: Any) -> None:
    _, seat = helped
    case = opened(seat)
    done = seat.extend(case, "resolution", by="PT8H", reason="the part is on its way", authority="clause 4")
    assert seat.explain_clock(case, "resolution")[0].due == rome(10, 15)
    seat.extend(case, "answer", to="2026-12-20", reason="they asked")
    (answer,) = seat.explain_clock(case, "answer")
    assert (answer.due, answer.computed) == (
        rome(21, 1).replace("T00", "T23").replace("-21T", "-20T"),
        rome(11, 1).replace("-11T00", "-10T23"),
    )
    entry = json.loads(seat.journal(case)[-1]["body"])["about"]
    assert (entry["clock"], entry["to"]) == ("answer", answer.due)
    assert "clause 4" not in str(seat.journal(case))  # words are sealed
    assert done.case.due is not None
    seat.do(case, "take")
    clock.now = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)
    seat.do(case, "wait")
    seat.extend(case, "resolution", by="PT1H", reason="still")
    clock.now = datetime(2026, 12, 9, 9, 0, tzinfo=UTC)
    seat.do(case, "take")
    assert seat.explain_clock(case, "resolution")[0].due == rome(11, 16)


def test_what_can_not_be_extended_is_refused_and_nothing_is_written(helped: tuple[Desk, Seat]) -> None:
    desk, seat = helped
    case = opened(seat)
    for wrong, match in (
        ({"clock": "none", "by": "PT1H", "reason": "x"}, "has no clock"),
        ({"clock": "resolution", "by": "PT1H", "reason": ""}, "say why"),
        ({"clock": "resolution", "reason": "x"}, "one of the two"),
        ({"clock": "resolution", "to": "2026-12-01", "reason": "x"}, "lies ahead"),
        ({"clock": "resolution", "by": "PT1H", "instance": "7", "reason": "x"}, "no instance '7'"),
    ):
        with pytest.raises(BadInput, match=match):
            seat.extend(case, **wrong)
    with pytest.raises(Denied):
        desk.seat("user:kim", roles={"auditor"}).extend(case, "resolution", by="PT1H", reason="x")
    assert seat.case(case).n == 1


def test_present_calendars_are_adopted_and_what_has_run_stays_counted(helped: tuple[Desk, Seat], clock: Any) -> None:
    desk, seat = helped
    case = opened(seat)
    with pytest.raises(BadInput, match="present ones already"):
        seat.adopt_calendars(case)
    more = HolidaySet({"2026-12-08": "Immacolata", "2026-12-09": "Works outing"})
    desk.add_calendar(evolve(OFFICE, version="2", holidays={"it": more}))
    clock.now = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)
    before = seat.explain_clock(case, "resolution")[0].due
    seat.adopt_calendars(case)
    (kept,), (waits,) = seat.explain_clock(case, "resolution"), seat.explain_clock(case, "answer")
    assert kept.due == before  # its on_change is to keep
    # A legal date does not move by itself: what was counted by the calendar before is still explained by it.
    assert (waits.day, waits.moves[-1].why, waits.would.why, waits.would.day) == ("2026-12-10", "proposed", "calendar", "2026-12-11")
    assert [any(step.note == "Works outing" for step in steps) for steps in (waits.steps, waits.would.steps)] == [False, True]
    assert desk.library.types["help.ticket"].digest == seat.case(case).definition
    assert seat.verify().ok


def test_a_person_confirms_or_keeps_a_legal_date_and_says_why(helped: tuple[Desk, Seat], clock: Any) -> None:
    desk, seat = helped
    case, other = opened(seat), opened(seat)
    desk.add_calendar(evolve(OFFICE, version="2", holidays={}))
    for one in (case, other):
        seat.adopt_calendars(one)
    about = json.loads(seat.journal(case)[-1]["body"])["about"]
    dates = {"from": rome(11, 1).replace("-11T00", "-10T23"), "to": rome(10, 1).replace("-10T00", "-09T23")}
    assert about["events"] == ["clock.answer.would-move"]
    assert about["effects"] == [{"run": "deadline.would_move", "args": {"clock": "answer", "instance": "1", "why": "calendar", **dates}}]
    (story,) = [s for s in seat.clocks(case) if s.would]
    assert story.lines()[0].endswith("due Fri 2026-12-11 00:00 CET, would move to Thu 2026-12-10 00:00 CET: confirm or keep")

    for wrong, match in (({"reason": ""}, "say why"), ({"reason": "x", "instance": "2"}, "no new date of '2'")):
        with pytest.raises(BadInput, match=match):
            seat.confirm_clock(case, "answer", **wrong)
    with pytest.raises(BadInput, match="0 new dates are proposed"):
        seat.confirm_clock(case, "resolution", reason="x")
    with pytest.raises(Denied):
        desk.seat("user:kim", roles={"auditor"}).keep_clock(case, "answer", reason="x")
    clock.forward(hours=1)
    seat.confirm_clock(case, "answer", reason="the office is open after all")
    seat.keep_clock(other, "answer", reason="it was promised")
    stories = [seat.explain_clock(one, "answer")[0] for one in (case, other)]
    assert [(s.due, s.would) for s in stories] == [(dates["to"], None), (dates["from"], None)]
    assert [(m.why, m.actor) for s in stories for m in s.moves[1:]] == [
        ("proposed", "user:lee"),
        ("confirmed", "user:lee"),
        ("proposed", "user:lee"),
        ("kept", "user:lee"),
    ]
    assert [any(step.note == "Immacolata" for step in s.steps) for s in stories] == [False, True]
    assert "it was promised" not in str(seat.journal(other))
    assert seat.verify().ok


def test_whoever_listens_hears_of_a_warning_and_whom_it_is_for(open_store: Callable[..., Desk], clock: Any) -> None:
    heard: list[Any] = []

    class Listens:
        PLUGIN = Plugin("pager", api=1, handles=("help.ticket",))

        @staticmethod
        @hookimpl
        def casekit_recorded(recorded: Any) -> None:
            heard.extend((recorded.n, effect["run"], effect["args"].get("to"), effect["args"].get("at")) for effect in recorded.effects)

    warn = (Signal("-PT2H", emit="hurry", to="lead"), "50%")
    resolution = evolve(HELP.clocks["resolution"], warn=warn, escalate=Signal("P1D", to="lead"), pause="")
    called = evolve(HELP, clocks={"resolution": resolution}, roles={"lead": role((0, 1))})
    clock.now = datetime(2026, 12, 4, 14, 0, tzinfo=UTC)
    seat = open_store(plugins=[builtin, plugin(), Listens()], case_types=[called]).seat("user:lee", roles={"admin"})
    case = opened(seat)
    (story,) = seat.explain_clock(case, "resolution")
    assert [(s.at, s.word, s.mark, s.to, s.n) for s in story.spoken] == [
        (rome(7, 15), "warned", "50%", "", None),
        (rome(9, 13), "warned", "-PT2H", "lead", None),
    ]
    clock.now = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
    seat.run_due()
    assert heard == [(3, "clock.warned", "lead", "-PT2H"), (5, "clock.escalated", "lead", "P1D")]
    (story,) = seat.explain_clock(case, "resolution")
    assert [(s.at, s.word, s.to, s.n) for s in story.spoken] == [(rome(9, 13), "warned", "lead", 3), (rome(10, 15), "escalated", "lead", 5)]
    assert "  entry 5, Thu 2026-12-10 15:00 CET: escalated, P1D, for lead" in story.lines()


def test_a_legal_period_rests_and_says_which_days_did_not_count(open_store: Callable[..., Desk], clock: Any) -> None:
    clock.now = datetime(2026, 12, 4, 14, 0, tzinfo=UTC)
    answer = evolve(HELP.clocks["answer"], pause="at('waiting')")
    rests = evolve(HELP, clocks={"answer": answer}, sla={})
    seat = open_store(plugins=[builtin, plugin()], case_types=[rests]).seat("user:lee", roles={"admin"})
    case = opened(seat)
    seat.do(case, "take")
    clock.now = datetime(2026, 12, 7, 7, 0, tzinfo=UTC)
    seat.do(case, "wait")
    clock.now = datetime(2026, 12, 10, 7, 0, tzinfo=UTC)
    (story,) = seat.explain_clock(case, "answer")
    assert (story.status, story.due, story.if_resumed) == ("paused", None, rome(12, 1).replace("-12T00", "-11T23"))
    seat.do(case, "take")
    (story,) = seat.explain_clock(case, "answer")
    # Three working days from Friday: the 7th (only touched) and the 10th count, the 9th does not, nor does the holiday; then the 11th.
    assert (story.day, story.due) == ("2026-12-11", rome(12, 1).replace("-12T00", "-11T23"))
    assert [(s.start, s.note) for s in story.steps if s.rule == "skipped"] == [
        ("2026-12-05", "Saturday"),
        ("2026-12-06", "Sunday"),
        ("2026-12-08", "paused"),
        ("2026-12-09", "paused"),
    ]
    assert [m.why for m in story.moves] == ["started", "paused", "resumed"]
    # From Friday 15:00 to Monday 08:00 it ran; 40 hours are left of it, to the end of Friday.
    assert (story.ran, story.left) == (65 * 3_600_000_000, 40 * 3_600_000_000)


def test_readings_say_why_what_they_rest_on_and_which_one_is_used(open_store: Callable[..., Desk], clock: Any) -> None:
    clock.now = datetime(2026, 12, 4, 14, 0, tzinfo=UTC)
    doubtful = HolidaySet({"2026-12-09": "Bridge day"}, doubtful="only offices close", citation="decree 7")
    court = evolve(OFFICE, holidays={"it": OFFICE.holidays["it"], "bridge": doubtful})
    seat = open_store(plugins=[builtin, plugin(calendars=False)], case_types=[], calendars=[court])
    seat.library.add(evolve(HELP, sla={}, clocks={"answer": HELP.clocks["answer"]}), "here")
    lee = seat.seat("user:lee", roles={"admin"})
    (story,) = lee.explain_clock(opened(lee), "answer")
    assert [(r.name, r.day, r.why, r.citation, r.used) for r in story.readings] == [
        ("", "2026-12-10", "", "", True),
        ("bridge", "2026-12-11", "only offices close", "decree 7", False),
    ]
    assert "  goes by: last day 2026-12-10 (as the rule is written)" in story.lines()
    assert "  read otherwise: last day 2026-12-11 (bridge: only offices close [decree 7])" in story.lines()


def test_what_an_scxml_document_sends_later_fires_on_a_desk(open_store: Callable[..., Desk], clock: Any) -> None:
    document = """<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" initial="asked">
      <state id="asked"><onentry><send event="silence" delay="172800s" id="wait"/><send event="filed"/></onentry>
        <onexit><cancel sendid="wait"/></onexit>
        <transition event="filed"/><transition event="reply" target="answered"/><transition event="silence" target="reminded"/></state>
      <state id="answered"><transition event="ask" target="asked"/></state>
      <final id="reminded"/></scxml>"""
    read = read_scxml(document, "letters.scxml", key="letters")
    desk = open_store(plugins=[builtin], case_types=[read.case_type])
    seat = desk.seat("user:lee", roles={"admin"})
    silent, quick = seat.open("letters").id, seat.open("letters").id
    assert json.loads(seat.journal(silent)[0]["body"])["about"]["events"][-2:] == ["filed", "transition.asked-t1"]
    clock.forward(days=1)
    seat.do(quick, "reply")
    clock.forward(days=1)
    assert seat.run_due().cases == 1
    assert (seat.case(silent).state, seat.case(quick).state) == ("reminded", "answered")
    assert [story.status for case in (silent, quick) for story in seat.clocks(case)] == ["fired", "cancelled"]
    seat.do(quick, "ask")
    clock.forward(days=3)
    seat.run_due()
    assert seat.case(quick).state == "reminded"
    assert seat.verify().ok


def test_plain_clocks_have_a_story_too(seat: Seat, clock: Any) -> None:
    party = seat.party("person", name="Maria Silva", ref="crm:7")
    case = seat.open("tenancy.dispute", data={"deposit": "900.00 EUR", "claimed": "1.00 EUR"}, parties={"tenant": party, "landlord": party})
    clock.forward(days=4)
    (story,) = seat.clocks(case)
    assert (story.due, story.ran, story.left) == ("2026-12-09T10:00:00.000000Z", 4 * 86_400_000_000, 10 * 86_400_000_000)
    seat.extend(case.id, story.clock, by="P2D", reason="holidays")
    (story,) = seat.explain_clock(case, story.clock)
    assert (story.due, story.computed) == ("2026-12-11T10:00:00.000000Z", "2026-12-09T10:00:00.000000Z")
    assert [step.rule for step in story.steps] == ["added", "extended"]
