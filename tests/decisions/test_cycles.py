"""Clocks with terms: office hours, counting, anchors, tables, cycles, change; late ticks give what punctual ones gave."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from casekit.builtin.counting import counting_rules
from casekit.decisions.calendar import Working
from casekit.decisions.check import check
from casekit.decisions.extending import extend
from casekit.decisions.machine import Run
from casekit.definition.calendars import Calendar, HolidaySet, week
from casekit.definition.casetype import Action, Amount, Anchor, CaseType, Clock, Role, ServiceLevel, Signal, State, Target, Transition
from casekit.definition.counts import Count, Counts
from casekit.definition.fields import field
from casekit.definition.load import canonical, structure
from casekit.errors import BadInput
from casekit.model.time import duration, from_micros, instant, micros, moment

NEW_YORK = Working(Calendar("ny", "1", hours=week("09:00-17:00"), zone="America/New_York"))
ROME = Working(
    Calendar(
        "rome",
        "1",
        hours=week(("09:00-13:00", "14:00-18:00")),
        zone="Europe/Rome",
        holidays={"it": HolidaySet({"2026-04-06": "Pasquetta", "2026-06-02": "Festa della Repubblica"})},
    )
)
ALWAYS_OPEN = Working(Calendar("round", "1", hours=week(days="mon-sun"), zone="Europe/Rome"))
CALENDARS = {"ny": NEW_YORK, "rome": ROME, "round": ALWAYS_OPEN}
RULES = {rule.key: rule for rule in counting_rules()}

FLAGS = ("stopped", "paused", "gone", "renewed", "high")


def kind(clock: Clock | None = None, **more: Any) -> CaseType:
    """Two states, flags to set, days to set; one clock ``c`` and others."""
    ways = {
        "go": Transition("idle", "busy"),
        "back": Transition("busy", "idle"),
        "again": Transition("busy", "busy"),
        "close": Transition(("idle", "busy"), "over"),
        "reopen": Transition("over", "busy"),
        **{name: Transition(("idle", "busy"), None, form={"to": field(bool)}, do=(Action(set={name: "event.to"}),)) for name in FLAGS},
        "dated": Transition(("idle", "busy"), None, form={"to": field(date)}, do=(Action(set={"hearing": "event.to"}),)),
        "timed": Transition(("idle", "busy"), None, form={"to": field(datetime)}, do=(Action(set={"since": "event.to"}),)),
        **more.pop("transitions", {}),
    }
    return CaseType(
        key="termed",
        version="1",
        title="Termed",
        initial="idle",
        states={"idle": State("Idle", "open"), "busy": State("Busy", "open"), "over": State("Over", "closed")},
        transitions=ways,
        data={
            **{name: field(bool) for name in FLAGS},
            "hearing": field(date),
            "since": field(datetime),
            "served": field(str, personal=False),
        },
        clocks={**({"c": clock} if clock else {}), **more.pop("other", {})},
        **more,
    )


def at(text: str, zone: str = "America/New_York") -> str:
    return instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def live(case: Any, instance: str = "1", clock: str = "c") -> Any:
    return case.machine["clocks"].get(clock, {}).get(instance)


def ended(case: Any, clock: str = "c") -> Any:
    return case.machine["memory"].get("ended", {}).get(clock, [])


def spoken(case: Any) -> list[str]:
    return [event for event in case.happened if event.startswith("clock.")]


@pytest.fixture
def run(play: Any) -> Any:
    def started(case_type: CaseType, first: str, **more: Any) -> Any:
        return play(case_type, **{"calendars": CALENDARS, "counts": RULES, "zone": "America/New_York", **more}).open(first)

    return started


OFFICE = Clock("PT8H", start="at('busy')", stop="stopped", pause="paused", cancel="gone", kind="business", calendar="ny")

# --- office hours -----------------------------------------------------------------------------------------------------


def test_office_hours_over_a_weekend_in_which_the_clocks_change(run: Any) -> None:
    # BT-04, and eight hours from Friday 16:00: the Sunday between has 23 hours.
    for amount, due in (("PT4H", "2026-03-09T12:00"), ("PT8H", "2026-03-09T16:00")):
        clock = Clock(amount, start="at('busy')", kind="business", calendar="ny")
        case = run(kind(clock), at("2026-03-06T15:00")).do("go", at("2026-03-06T16:00"))
        assert live(case)["due"] == at(due)


def test_a_pause_counts_in_the_clocks_own_hours(run: Any) -> None:
    # BT-07: from Monday 09:00, 8 hours; paused Monday 15:00 to Tuesday 11:00, which are four hours of the office.
    case = run(kind(OFFICE), at("2026-03-02T09:00")).do("go")
    case.do("paused", at("2026-03-02T15:00"), to=True)
    assert (live(case)["status"], live(case)["left"], "wake" in case.machine) == ("paused", 2 * 3_600_000_000, False)
    case.do("paused", at("2026-03-03T11:00"), to=False)
    assert live(case)["due"] == at("2026-03-03T13:00")


def test_a_pause_outside_hours_costs_nothing_and_saves_nothing(run: Any) -> None:
    case = run(kind(OFFICE), at("2026-03-06T13:00")).do("go")
    due = live(case)["due"]
    case.do("paused", at("2026-03-06T18:00"), to=True).do("paused", at("2026-03-08T23:00"), to=False)
    assert live(case)["due"] == due == at("2026-03-09T13:00")


def test_a_warning_two_hours_before_lies_in_the_office_not_in_the_night(run: Any) -> None:
    # Due Monday 10:00; two hours of the office before that is Friday 16:00, not Monday 08:00.
    clock = Clock(
        "PT2H", start="at('busy')", kind="business", calendar="ny", warn=("-PT2H", "-PT90M", "50%"), escalate=("PT1H", "+P1D", "200%")
    )
    case = run(kind(clock), at("2026-03-06T12:00")).do("go", at("2026-03-06T16:00"))
    assert live(case)["warn"] == [at("2026-03-06T16:30"), at("2026-03-06T17:00")]
    case.tick(at("2026-03-09T10:00"))
    assert live(case)["escalate"] == [at("2026-03-09T11:00"), at("2026-03-09T12:00"), at("2026-03-10T10:00")]
    case.tick(at("2026-03-20T10:00"))
    assert spoken(case) == ["clock.c.warned"] * 2 + ["clock.c.breached"] + ["clock.c.escalated"] * 3
    assert (live(case)["escalated"], "wake" in case.machine) == (3, False)


def test_a_signal_has_its_own_event_and_addressee_on_the_clocks_own_calendar(run: Any) -> None:
    # Due Monday 10:00; "two hours before" is Friday 16:00, "a working day after" is Tuesday 10:00.
    clock = Clock(
        "PT10H",
        start="at('busy')",
        kind="business",
        calendar="ny",
        warn=("-PT3H", Signal("-PT2H", emit="hurry", to="lead"), Signal("75%", to="clerk")),
        escalate=(Signal("+P1D", emit="shout", to="head"), "150%"),
    )
    heard = {"hurried": Transition("busy", None, on="hurry", do=(Action(set={"high": "True"}),))}
    staff = {name: Role() for name in ("lead", "clerk", "head")}
    case = run(kind(clock, transitions=heard, roles=staff), at("2026-03-05T12:00")).do("go", at("2026-03-05T16:00"))
    assert live(case)["due"] == at("2026-03-09T10:00")

    def asked() -> list[Any]:
        return [(run_, args["to"], args["at"]) for _, _, effects, _, _ in case.log for run_, args in effects]

    assert live(case)["warn"] == [at("2026-03-06T15:00"), at("2026-03-06T15:30"), at("2026-03-06T16:00")]
    case.tick(at("2026-03-06T15:30"))
    assert asked() == [("clock.warned", "clerk", "75%")]
    case.do("paused", to=True)
    assert case.world.data.get("high") is None
    case.tick(at("2026-03-06T16:00"))
    assert (asked()[1:], case.world.data["high"]) == ([("clock.warned", "lead", "-PT2H")], True)
    case.tick(at("2026-03-10T10:00"))
    assert asked()[2:] == [("clock.escalated", "head", "+P1D")]
    assert case.happened[-2:] == ["clock.c.escalated", "shout"]
    assert (live(case)["escalated"], "escalate" in live(case), "marks" in live(case)) == (2, False, False)


def test_after_a_rest_the_signals_left_are_those_that_were_not_given(run: Any) -> None:
    # By parts they come in another order than by offset once the clock has rested: each still goes to its own addressee.
    clock = evolve(OFFICE, warn=(Signal("-PT3H", to="lead"), Signal("50%", to="clerk")), reset="", amount="PT8H")
    staff = {name: Role() for name in ("lead", "clerk")}
    case = run(kind(clock, roles=staff), at("2026-03-02T09:00")).do("go").tick(at("2026-03-02T13:30"))
    case.do("paused", to=True).do("paused", at("2026-03-03T10:00"), to=False)
    assert (live(case)["warn"], live(case)["marks"]) == ([at("2026-03-03T10:30")], [0])
    case.tick(at("2026-03-03T11:00"))
    assert [args["to"] for _, _, effects, _, _ in case.log for _, args in effects] == ["clerk", "lead"]


def test_working_days_before_a_last_day_are_those_of_the_courts_calendar(run: Any) -> None:
    # Last day Tuesday 7 April; Pasquetta is the Monday. Two days before begins Monday, two working days before Friday.
    rules = {"r": Counts("r", (Count("r", "1"),))}
    marks = (Signal("-P2D", to="lead"), Signal("-P2D", to="clerk", working=True))
    days = Working(Calendar("days", "1", hours=week(), zone="Europe/Rome", holidays={"it": HolidaySet({"2026-04-06": "Pasquetta"})}))
    clock = Clock("P14D", start="at('busy')", kind="counted", count="r", calendar="days", warn=marks)
    staff = {name: Role() for name in ("lead", "clerk")}
    where = {"calendars": {"days": days}, "counts": rules, "zone": "Europe/Rome"}
    case = run(kind(clock, roles=staff), at("2026-03-24T10:00", "Europe/Rome"), **where).do("go")
    assert live(case)["day"] == "2026-04-07"
    assert live(case)["warn"] == [at("2026-04-03T00:00", "Europe/Rome"), at("2026-04-06T00:00", "Europe/Rome")]
    assert live(case)["marks"] == [1, 0]


ALARM = kind(
    Clock("PT2H", emit="ring", kind="business", calendar="ny"),
    other={"plain": Clock("P1D", emit="dong")},
    transitions={
        "set": Transition(
            ("idle", "busy"),
            None,
            form={"note": field(int)},
            do=(Action(start="c", args={"note": "event.note"}), Action(start="plain", emit="later", after=True), Action(emit="now")),
        ),
        "off": Transition(("idle", "busy"), None, do=(Action(cancel=("c", "plain")),)),
        "heard": Transition("idle", "busy", on="ring", when="event.note == 7", form={"note": field(int)}),
    },
)


def test_an_alarm_is_started_by_an_action_raises_its_event_and_is_over(run: Any) -> None:
    case = run(ALARM, at("2026-03-06T16:00")).do("set", note=6)
    assert case.happened == ["transition.set", "now", "later"]  # what comes after waits for the rest
    case.do("set", at("2026-03-06T16:30"), note=7)
    assert [live(case, n)["due"] for n in ("1", "2")] == [at("2026-03-09T10:00"), at("2026-03-09T10:30")]
    case.tick(at("2026-03-09T10:00"))
    assert (case.machine["active"], sorted(case.machine["clocks"]["c"]), ended(case)) == (["idle"], ["2"], ["fired"])
    assert ended(case, "plain") == ["fired"]
    case.tick(at("2026-03-10T10:00"))
    assert (case.machine["active"], "wake" in case.machine, spoken(case)) == (["busy"], False, [])


def test_an_alarm_is_cancelled_by_an_action(run: Any) -> None:
    case = run(ALARM, at("2026-03-06T16:00")).do("set", note=7).do("set", note=7).do("off").tick(at("2026-04-06T16:00"))
    assert (case.machine["active"], ended(case), ended(case, "plain")) == (["idle"], ["cancelled"], ["cancelled"])


def test_actions_name_clocks_that_wait_for_them() -> None:
    for clocks, path, what in (
        ({}, "/clocks/c", "no such clock"),
        ({"c": Clock("P1D", start="high")}, "/clocks/c", "starts by itself"),
    ):
        with pytest.raises(BadInput) as refused:
            check(kind(other=clocks, transitions={"set": Transition("idle", None, do=(Action(start="c"),))}))
        assert any(p.where.endswith(path) and what in p.what for p in refused.value.problems), refused.value.problems
    with pytest.raises(BadInput, match="nothing comes after"):
        check(kind(transitions={"set": Transition("idle", None, do=(Action(after=True, set={"high": "True"}),))}))


def test_an_escalation_ends_when_the_clock_is_met_after_all(run: Any) -> None:
    clock = Clock("PT2H", start="at('busy')", stop="stopped", kind="business", calendar="ny", escalate=("PT1H", "P1D"))
    case = run(kind(clock), at("2026-03-02T09:00")).do("go").do("stopped", at("2026-03-02T13:00"), to=True).tick(at("2026-04-01T09:00"))
    assert spoken(case) == ["clock.c.breached", "clock.c.escalated"]
    assert (live(case)["status"], live(case)["stopped"]) == ("breached", at("2026-03-02T13:00"))


def test_what_would_be_said_at_night_is_said_in_the_hours_that_speak(run: Any) -> None:
    clock = Clock("PT20H", start="at('busy')", warn="-PT1H", escalate="PT1H", speaks="ny")
    case = run(kind(clock), at("2026-03-02T09:00")).do("go")  # due Tuesday 05:00
    assert live(case)["warn"] == [at("2026-03-02T17:00")]
    case.tick(at("2026-03-03T05:00"))
    assert live(case)["escalate"] == [at("2026-03-03T09:00")]


def test_one_working_day_is_not_24_hours_and_round_the_clock_is(run: Any) -> None:
    for amount, calendar, due in (("P1D", "ny", "2026-03-09T11:00"), ("PT24H", "round", "2026-03-07T11:00")):
        case = run(kind(Clock(amount, start="at('busy')", kind="business", calendar=calendar)), at("2026-03-06T11:00")).do("go")
        assert live(case)["due"] == at(due)


# --- counted ----------------------------------------------------------------------------------------------------------


def court() -> Working:
    from casekit.builtin.holidays import calendar_sources

    return Working(next(source for source in calendar_sources() if source.key == "us.court").build(2005, 2028))


@pytest.mark.parametrize(
    ("amount", "event", "day"),
    [
        ("P10D", "2007-08-22", "2007-09-04"),  # BR-01, committee note 2009: Saturday, Sunday, Labor Day
        ("P14D", "2026-01-05", "2026-01-20"),  # BR-04
        ("P14D", "2024-12-11", "2024-12-26"),
        ("P14D", "2026-10-28", "2026-11-12"),
        ("P70D", "2026-03-02", "2026-05-11"),  # BR-07
        ("P90D", "2026-03-02", "2026-06-01"),
        ("P120D", "2026-03-02", "2026-06-30"),
        ("P180D", "2026-03-02", "2026-08-31"),
    ],
)
def test_a_period_is_counted_as_the_rule_says(run: Any, amount: str, event: str, day: str) -> None:
    pytest.importorskip("holidays")
    rules = {"frbp": Counts("frbp", (Count("frbp", "1", roll="direction", closures="forward"),))}
    clock = Clock(amount, start="known(hearing)", kind="counted", count="frbp", calendar="court", anchor=Anchor(field="hearing"))
    case = run(kind(clock), at(f"{event}T08:00"), calendars={"court": court()}, counts=rules, hearing=event)
    assert live(case)["day"] == day
    assert live(case)["due"] == instant(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/New_York")) + timedelta(days=1))


def test_the_earliest_reading_counts_and_the_others_are_shown(run: Any) -> None:
    doubtful = HolidaySet({"2026-07-03": "Independence Day (observed)"}, doubtful="observed days")
    calendar = Working(Calendar("court", "1", hours=week(), zone="America/New_York", holidays={"observed": doubtful}))
    rules = {"r": Counts("r", (Count("r", "1", roll="forward"),))}
    clock = Clock("P14D", start="at('busy')", kind="counted", count="r", calendar="court", warn=("-P3D",))
    case = run(kind(clock), at("2026-06-19T10:00"), calendars={"court": calendar}, counts=rules).do("go")
    assert live(case)["due"] == at("2026-07-04T00:00")
    assert live(case)["readings"] == [["", "2026-07-03", at("2026-07-04T00:00")], ["observed", "2026-07-06", at("2026-07-07T00:00")]]
    assert live(case)["warn"] == [at("2026-07-01T00:00")]


def test_days_before_a_hearing_are_counted_back_and_would_move_with_it(run: Any) -> None:
    rules = {"r": Counts("r", (Count("r", "1", roll="direction"),))}
    clock = Clock(
        "-P10D", start="at('busy')", kind="counted", count="r", calendar="ny", anchor=Anchor(field="hearing"), on_change="recompute"
    )
    case = run(kind(clock), at("2026-01-05T10:00"), counts=rules).do("go")
    assert live(case) is None  # nobody knows the day yet
    case.do("dated", at("2026-01-06T10:00"), to="2026-03-04")
    assert live(case)["day"] == "2026-02-20"  # ten days before is Sunday the 22nd; counted back it ends on Friday
    case.do("dated", at("2026-01-07T10:00"), to="2026-04-20")
    assert (live(case)["day"], live(case)["would"]["day"]) == ("2026-02-20", "2026-04-10")
    assert spoken(case) == ["clock.c.would-move"]


def test_a_rule_that_is_not_in_force_gives_no_date_and_says_why(run: Any) -> None:
    rules = {"r": Counts("r", (Count("r", "1", effective_from="2030-01-01"),))}
    case = run(kind(Clock("P5D", start="at('busy')", kind="counted", count="r", calendar="ny")), at("2026-01-05T10:00"), counts=rules).do(
        "go"
    )
    assert live(case)["status"] == "running"
    assert "due" not in live(case)
    assert "not in force on 2026-01-05" in live(case)["unsettled"]


# --- from when --------------------------------------------------------------------------------------------------------


def test_it_counts_from_what_it_is_anchored_to(run: Any) -> None:
    first = at("2026-01-05T10:00")
    clocks = {
        "state": Clock("P2D", start="paused", anchor=Anchor(state="busy")),
        "event": Clock("P2D", start="paused", anchor=Anchor(event="transition.renewed")),
        "field": Clock("P2D", start="paused", anchor=Anchor(field="since")),
        "other": Clock("P2D", start="paused", anchor=Anchor(clock="state", offset="-P1D")),
    }
    case = run(kind(other=clocks), first).do("go", at("2026-01-06T10:00")).do("again", at("2026-01-07T10:00"))
    case.do("renewed", at("2026-01-08T10:00"), to=True).do("paused", at("2026-01-08T12:00"), to=True)
    assert live(case, clock="field") is None
    case.do("timed", at("2026-01-08T13:00"), to=at("2026-01-01T10:00"))
    dues = {clock: live(case, clock=clock)["due"] for clock in clocks}
    assert dues == {
        "state": at("2026-01-09T10:00"),
        "event": at("2026-01-10T10:00"),
        "field": at("2026-01-03T10:00"),
        "other": at("2026-01-10T10:00"),
    }
    case.tick(at("2026-01-08T13:00"))
    assert live(case, clock="field")["breached"] == at("2026-01-08T13:00")  # its time had passed before it started


# --- how long ---------------------------------------------------------------------------------------------------------

TABLE = Clock(
    start="at('busy')",
    pause="paused",
    kind="business",
    calendar="ny",
    amounts=(Amount("PT2H", when="high"), Amount("PT4H", when="known(hearing)", calendar="round"), Amount("PT8H")),
)


def test_the_first_row_that_fits_counts_and_stays(run: Any) -> None:
    first = at("2026-03-02T09:00")
    case = run(kind(TABLE), first).do("go")
    assert (live(case)["row"], live(case)["due"]) == ("3", at("2026-03-02T17:00"))
    case.do("high", at("2026-03-02T10:00"), to=True)
    assert live(case)["due"] == at("2026-03-02T17:00")
    night = run(kind(TABLE), at("2026-03-02T20:00"), hearing="2026-05-05").do("go")
    assert (live(night)["row"], live(night)["calendar"], live(night)["due"]) == ("2", "round", at("2026-03-03T00:00"))


def test_where_no_row_fits_it_is_measured_and_never_due(run: Any) -> None:
    clock = Clock(
        start="at('busy')", stop="stopped", pause="paused", kind="business", calendar="ny", amounts=(Amount("PT2H", when="high"),)
    )
    case = run(kind(clock), at("2026-03-02T09:00")).do("go")
    assert "due" not in live(case)
    case.do("paused", at("2026-03-02T12:00"), to=True)
    assert (live(case)["ran"], "left" in live(case)) == (3 * 3_600_000_000, False)
    case.do("paused", at("2026-03-02T13:00"), to=False).do("stopped", at("2026-06-02T12:00"), to=True)
    assert (ended(case), spoken(case)) == (["met"], ["clock.c.met"])


@pytest.mark.parametrize(("policy", "due"), [("keep", "17:00"), ("recompute", "11:00"), ("restart", "12:00")])
def test_another_row_keeps_recomputes_or_restarts(run: Any, policy: Any, due: str) -> None:
    case = run(kind(evolve(TABLE, on_change=policy)), at("2026-03-02T09:00")).do("go").do("high", at("2026-03-02T10:00"), to=True)
    assert live(case)["due"] == at(f"2026-03-02T{due}")
    assert spoken(case) == ([] if policy == "keep" else ["clock.c.moved"])


def test_a_restart_with_an_anchor_comes_to_rest(run: Any) -> None:
    clock = evolve(TABLE, on_change="restart", anchor=Anchor(field="since"))
    case = run(kind(clock), at("2026-03-02T09:00"), since=at("2026-03-02T08:00")).do("go").do("high", at("2026-03-02T10:00"), to=True)
    assert live(case)["due"] == at("2026-03-02T12:00")


def test_a_fixed_day_that_moves_takes_the_clock_along(run: Any) -> None:
    clock = Clock(kind="fixed", due="hearing", start="at('busy')", on_change="recompute", warn="-P1D")
    case = run(kind(clock), at("2026-03-02T09:00"), hearing="2026-03-10").do("go")
    case.do("dated", at("2026-03-03T09:00"), to="2026-03-20")
    assert (live(case)["due"], live(case)["warn"]) == (at("2026-03-21T00:00"), [at("2026-03-20T00:00")])


def test_what_an_actor_gave_is_kept_beside_what_is_computed(run: Any) -> None:
    clock = evolve(TABLE, on_change="recompute")
    case = run(kind(clock), at("2026-03-02T09:00")).do("go")
    case.step(case.now, lambda r: extend(r, "c", "1", "", duration("PT4H"), 7))
    assert (live(case)["due"], live(case)["computed"]) == (at("2026-03-03T13:00"), at("2026-03-02T17:00"))
    case.do("high", at("2026-03-02T10:00"), to=True)
    assert (live(case)["due"], live(case)["computed"]) == (at("2026-03-03T13:00"), at("2026-03-02T11:00"))
    case.do("paused", at("2026-03-02T10:30"), to=True).do("paused", at("2026-03-03T09:00"), to=False)
    assert (live(case)["due"], live(case)["computed"]) == (at("2026-03-03T13:30"), at("2026-03-03T09:30"))


def test_a_target_that_is_used_up_already_is_breached_when_it_changes(run: Any) -> None:
    case = run(kind(evolve(TABLE, on_change="recompute")), at("2026-03-02T09:00")).do("go").do("high", at("2026-03-02T15:00"), to=True)
    assert case.machine["wake"] == at("2026-03-02T15:00")
    case.tick(at("2026-03-02T15:00"))
    assert live(case)["breached"] == at("2026-03-02T15:00")


def test_a_resting_clock_follows_a_change_too(run: Any) -> None:
    case = run(kind(evolve(TABLE, on_change="recompute")), at("2026-03-02T09:00")).do("go").do("paused", at("2026-03-02T10:00"), to=True)
    case.do("high", at("2026-03-02T16:00"), to=True)
    assert live(case)["left"] == 3_600_000_000
    case.do("paused", at("2026-03-03T09:00"), to=False)
    assert live(case)["due"] == at("2026-03-03T10:00")


def test_service_levels_are_an_ordered_table_over_clocks(run: Any) -> None:
    levels = {
        "gold": ServiceLevel({"c": Target("PT1H"), "d": Target("PT4H")}, when="high"),
        "night": ServiceLevel({"c": Target("PT4H", "round")}, when="known(hearing)"),
        "rest": ServiceLevel({"c": Target("PT8H"), "d": Target("PT40H")}),
    }
    clocks = {name: Clock(start="at('busy')", kind="business", calendar="ny") for name in ("c", "d")}
    first = at("2026-03-02T09:00")

    def dues(**data: Any) -> list[Any]:
        case = run(kind(other=clocks, sla=levels), first, **data).do("go").do("high", at("2026-03-02T09:30"), to=True)
        return [(live(case, clock=name)["row"], live(case, clock=name).get("due")) for name in ("c", "d")]

    assert dues() == [("rest", at("2026-03-02T17:00")), ("rest", at("2026-03-06T17:00"))]
    assert dues(high=True, hearing="2026-05-05") == [("gold", at("2026-03-02T10:00")), ("gold", at("2026-03-02T13:00"))]
    assert dues(hearing="2026-05-05") == [("night", at("2026-03-02T13:00")), ("night", None)]


# --- cycles -----------------------------------------------------------------------------------------------------------


def test_reset_ends_the_cycle_and_begins_the_next_once_for_each_time_it_becomes_true(run: Any) -> None:
    case = run(kind(Clock("P2D", start="at('busy')", stop="stopped", reset="renewed")), at("2026-03-02T09:00")).do("go")
    case.do("renewed", at("2026-03-03T09:00"), to=True)
    assert (live(case), live(case, "2")["due"], ended(case)) == (None, at("2026-03-05T09:00"), ["reset"])
    case.tick(at("2026-03-04T09:00")).do("renewed", at("2026-03-04T10:00"), to=False).do("renewed", at("2026-03-04T11:00"), to=True)
    assert live(case, "3")["due"] == at("2026-03-06T11:00")
    case.do("renewed", at("2026-03-04T12:00"), to=False).do("stopped", at("2026-03-04T13:00"), to=True)
    case.do("renewed", at("2026-03-04T14:00"), to=True)
    assert (case.machine["clocks"], ended(case)) == ({}, ["met", "reset"])  # nothing runs that it could renew


def test_of_one_instant_cancel_goes_before_stop_and_stop_before_reset(run: Any) -> None:
    clock = Clock("P2D", start="at('busy')", stop="stopped", reset="stopped", cancel="high", pause="stopped")
    case = run(kind(clock), at("2026-03-02T09:00")).do("go").do("stopped", at("2026-03-03T09:00"), to=True)
    assert (case.machine["clocks"], ended(case)) == ({}, ["met"])
    both = {"both": Transition("busy", None, do=(Action(set={"stopped": "True", "high": "True"}),))}
    case = run(kind(clock, transitions=both), at("2026-03-02T09:00")).do("go").do("both", at("2026-03-03T09:00"))
    assert ended(case) == ["cancelled"]


def test_as_a_run_condition_the_start_must_go_on_holding(run: Any) -> None:
    clock = Clock("P2D", start="high", stop="stopped", start_is_run_condition=True, occurrence="sequential")
    case = run(kind(clock), at("2026-03-02T09:00")).do("high", to=True)
    case.do("high", at("2026-03-02T10:00"), to=False)
    assert (case.machine["clocks"], ended(case)) == ({}, ["cancelled"])
    case.do("stopped", at("2026-03-02T11:00"), to=True).do("high", at("2026-03-02T12:00"), to=True)
    assert case.machine["clocks"] == {}  # it may not start while it is stopped
    case.do("stopped", at("2026-03-02T13:00"), to=False)
    assert live(case, "2")["due"] == at("2026-03-04T13:00")
    case.tick(at("2026-04-01T09:00"))
    assert (list(case.machine["clocks"]["c"]), spoken(case)) == (["2"], ["clock.c.breached"])
    case.do("high", at("2026-04-01T10:00"), to=False)
    assert (case.machine["clocks"], ended(case)) == ({}, ["breached", "cancelled"])


@pytest.mark.parametrize(("occurrence", "instances"), [("each", ["1", "2"]), ("once", ["1"]), ("sequential", ["1"])])
def test_how_often_it_occurs(run: Any, occurrence: Any, instances: list[str]) -> None:
    case = run(kind(Clock("P9D", start="at('busy')", stop="stopped", occurrence=occurrence)), at("2026-03-02T09:00"))
    case.do("go").do("back", at("2026-03-03T09:00")).do("go", at("2026-03-04T09:00"))
    assert list(case.machine["clocks"]["c"]) == instances
    case.do("stopped", at("2026-03-05T09:00"), to=True).do("stopped", at("2026-03-05T09:00"), to=False)
    case.do("back", at("2026-03-06T09:00")).do("go", at("2026-03-07T09:00"))
    assert list(case.machine["clocks"].get("c", {})) == {"each": ["3"], "once": [], "sequential": ["2"]}[occurrence]


def test_reopened_it_goes_on_from_what_it_had_used(run: Any) -> None:
    for reopen, due in (("new", "2026-03-12T09:00"), ("continue", "2026-03-11T12:00")):
        clock = Clock("P2D", start="at('busy')", stop="stopped", kind="business", calendar="ny", reopen=reopen)  # type: ignore[arg-type]
        case = run(kind(clock), at("2026-03-02T09:00")).do("go").do("close", at("2026-03-02T14:00"))
        case.do("reopen", at("2026-03-10T09:00"))
        assert live(case, "2")["due"] == at(due)


@pytest.mark.parametrize(("cancel", "how"), [("", "met"), ("at('over')", "cancelled")])
def test_what_the_end_of_a_case_meets_is_met(run: Any, cancel: str, how: str) -> None:
    clock = evolve(OFFICE, stop="at('over')", cancel=cancel)
    case = run(kind(clock, other={"d": Clock("P1D", start="at('busy')")}), at("2026-03-02T09:00")).do("go").do("close")
    assert (ended(case), ended(case, "d")) == ([how], ["cancelled"])


# --- refused ----------------------------------------------------------------------------------------------------------

BAD = {
    "calendar": (Clock("PT1H", start="at('busy')", kind="business"), "/clocks/c/calendar", "is missing"),
    "months": (Clock("P1M", start="at('busy')", kind="business", calendar="ny"), "/clocks/c/amount", "has months"),
    "nothing": (Clock("PT0H", start="at('busy')", kind="business", calendar="ny"), "/clocks/c/amount", "is no time at all"),
    "two": (Clock("P1D", start="at('busy')", amounts=(Amount("P2D"),)), "/clocks/c", "said 2 times"),
    "count": (Clock("P1D", start="at('busy')", kind="counted", calendar="ny"), "/clocks/c/count", "is missing"),
    "units": (
        Clock("P1MT1H", start="at('busy')", kind="counted", calendar="ny", count="r"),
        "/clocks/c/amount",
        "not a period in one unit",
    ),
    "rest": (
        Clock("-P1D", start="at('busy')", kind="counted", calendar="ny", count="r", pause="paused"),
        "/clocks/c/pause",
        "can't rest",
    ),
    "after": (Clock("P1D", start="at('busy')", warn="P1D"), "/clocks/c/warn/0", "does not lie before"),
    "all": (Clock("P1D", start="at('busy')", warn="100%"), "/clocks/c/warn/0", "does not lie before"),
    "early": (Clock("P1D", start="at('busy')", escalate="-P1D"), "/clocks/c/escalate/0", "lies before"),
    "mute": (Clock("P1D", start="at('busy')", speaks="ny"), "/clocks/c/speaks", "says nothing"),
    "anchors": (Clock("P1D", start="at('busy')", anchor=Anchor(field="since", state="busy")), "/clocks/c/anchor", "field and state"),
    "anchor": (Clock("P1D", start="at('busy')", anchor=Anchor(clock="c")), "/clocks/c/anchor/clock", "no other clock"),
    "row": (Clock(start="at('busy')", amounts=(Amount("P1D"), Amount("P2D"))), "/clocks/c/amounts/1", "never reached"),
    "pause": (Clock("P1D", start="at('busy')", pause="at('busy') or at('idle')"), "/clocks/c/pause", "in every state"),
    "always": (Clock("P1D", start="high", pause="True"), "/clocks/c/pause", "in every state"),
    "stop": (Clock("P1D", start="high", stop="at('idle')", pause="not at('idle')"), "/clocks/c/pause", "in every state"),
    "from": (Clock("P1D", start="high", pause="high"), "/clocks/c/pause", "from the moment"),
    "never": (Clock("P1D", start="at('idle') and at('busy')"), "/clocks/c/start", "where it could start"),
    "over": (Clock("P1D", start="at('over')"), "/clocks/c/start", "where it could start"),
    "on": (
        Clock("P1D", start="at('busy')", kind="counted", calendar="ny", count="r", reopen="continue"),
        "/clocks/c/reopen",
        "does not go on",
    ),
    "whom": (Clock("P1D", start="at('busy')", warn=Signal("-PT1H", to="nobody")), "/clocks/c/warn/0/to", "is no role"),
    "core": (
        Clock("P1D", start="at('busy')", escalate=("P1D", Signal("P2D", emit="payment"))),
        "/clocks/c/escalate/1/emit",
        "can't be raised",
    ),
    "working": (Clock("P1D", start="at('busy')", warn=Signal("-PT1H", working=True)), "/clocks/c/warn/0/working", "only days"),
    "alarm": (Clock("P1D", start="at('busy')", emit="ring", escalate="P1D"), "/clocks/c/emit", "is over when it is due"),
    "own": (Clock("P1D", start="at('busy')", emit="clock.c.met"), "/clocks/c/emit", "can't be raised"),
    "unstarted": (Clock("P1D"), "/clocks/c/start", "is missing"),
    "late": (Clock("P1D", start="at('busy')", warn=Signal("P1D", to="lead")), "/clocks/c/warn/0", "does not lie before"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_is_refused_by_name(name: str) -> None:
    clock, path, what = BAD[name]
    with pytest.raises(BadInput) as refused:
        check(kind(clock))
    assert any(problem.where.endswith(path) and what in problem.what for problem in refused.value.problems), refused.value.problems


def test_a_pause_that_leaves_a_state_to_run_in_is_fine() -> None:
    check(kind(Clock("P1D", start="high", pause="at('busy')")))
    check(kind(Clock("P1D", start="high", pause="not running('c')", stop="stopped")))


def test_the_table_of_levels_is_checked(build: Any) -> None:
    with pytest.raises(BadInput) as refused:
        check(kind(Clock("P1D", start="high"), sla={"a": ServiceLevel({"c": Target("P1D"), "x": Target("P1D")}), "b": ServiceLevel({})}))
    found = {problem.where.removeprefix("termed: "): problem.what for problem in refused.value.problems}
    assert set(found) == {"/clocks/c", "/sla/a/targets/x", "/sla/b"}
    with pytest.raises(BadInput, match="/sla/a/when"):
        build(kind(Clock(start="high"), sla={"a": ServiceLevel({"c": Target("P1D")}, when="nonsense")}))


def test_it_survives_json_and_plain_clocks_keep_their_digest() -> None:
    rich = kind(
        TABLE, sla={"a": ServiceLevel({"d": Target("P1D")}, when="high")}, other={"d": Clock(start="high", anchor=Anchor(state="busy"))}
    )
    text = json.loads(json.dumps(canonical(rich)))
    assert structure(text, CaseType, "") == rich
    assert canonical(Clock("P14D", start="at('busy')")) == {"amount": "P14D", "start": "at('busy')"}


# --- a slow oracle ----------------------------------------------------------------------------------------------------


def open_at(when: datetime, calendar: Calendar) -> bool:
    here = when.astimezone(ZoneInfo(calendar.zone))
    if any(here.date().isoformat() in s.days for s in calendar.holidays.values()):
        return False
    hours = calendar.hours.get(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[here.weekday()], ())
    return any(h[:5] <= here.strftime("%H:%M") < h[6:] for h in hours)


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(["ny", "rome"]),
    st.integers(0, 60 * 1440),
    st.integers(1, 30 * 60),
    st.lists(st.integers(1, 3 * 1440), max_size=6),
)
def test_minute_by_minute_it_comes_to_the_same(play: Any, calendar: str, first: int, minutes: int, turns: list[int]) -> None:
    """Only minutes in which the office is open and the clock does not rest are used up."""
    clock = Clock(f"PT{minutes}M", start="at('busy')", pause="paused", kind="business", calendar=calendar)
    begun = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=first)
    case = play(kind(clock), calendars=CALENDARS, zone="UTC").open(instant(begun)).do("go")
    now, used, rests = begun, 0, False
    changes = [begun + timedelta(minutes=sum(turns[: i + 1])) for i in range(len(turns))]
    while used < minutes:
        if changes and now == changes[0]:
            changes.pop(0)
            rests = not rests
            case.do("paused", instant(now), to=rests)
        if rests and not changes:
            break
        used += not rests and open_at(now, CALENDARS[calendar].calendar)
        now += timedelta(minutes=1)
    if rests:
        assert live(case)["left"] == (minutes - used) * 60_000_000
    else:
        assert live(case)["due"] == instant(now)


# --- late ticks -------------------------------------------------------------------------------------------------------

LOOPS = kind(
    Clock(
        "PT20H",
        start="at('busy')",
        stop="stopped",
        pause="paused",
        warn=("75%", Signal("-PT3H", emit="hurry", to="lead")),
        escalate=(Signal("P1D", to="lead"),),
        kind="business",
        calendar="rome",
    ),
    other={
        "rest": Clock("P2D", start="at('idle')", cancel="at('busy')", kind="business", calendar="ny", warn="50%"),
        "long": Clock("P30D", start="at('busy') or at('idle')", pause="at('idle')", warn=("-P20D", "25%"), occurrence="once", speaks="ny"),
        "hear": Clock(
            "-P7D", start="known(hearing)", kind="counted", count="r", calendar="rome", anchor=Anchor(field="hearing"), warn="-P2D"
        ),
        "law": Clock(
            start="known(hearing)",
            pause="paused",
            kind="counted",
            count="r",
            calendar="rome",
            amounts=(Amount("P9D", when="high"), Amount("P30D")),
            on_change="recompute",
            warn=(Signal("-P2D", to="lead", working=True), Signal("50%", emit="half")),
        ),
        "ring": Clock("PT30H", emit="rang", kind="business", calendar="ny", warn=Signal("50%", to="lead")),
        "dong": Clock("P3D", emit="donged", pause="paused"),
        "after": Clock("PT6H", start="breached('hear')", anchor=Anchor(clock="hear", offset="P1D"), kind="business", calendar="round"),
        "level": Clock(
            start="at('busy')",
            start_is_run_condition=True,
            reset="breached('c')",
            kind="business",
            calendar="round",
            amounts=(Amount("PT5H", when="high"), Amount("PT50H")),
            on_change="recompute",
        ),
    },
    transitions={
        "tired": Transition("busy", "idle", on="clock.c.breached"),
        "rested": Transition("idle", "busy", on="clock.rest.breached"),
        "bored": Transition("idle", None, on="clock.rest.warned", do=(Action(set={"high": "True"}),)),
        "worn-out": Transition(("idle", "busy"), "over", on="clock.long.breached"),
        "woken": Transition(
            ("idle", "busy"), None, on="clock.c.escalated", do=(Action(set={"paused": "False", "high": "False"}, start="ring"),)
        ),
        "relaxed": Transition("busy", None, on="clock.level.breached", do=(Action(set={"paused": "True"}),)),
        "hurried": Transition(("idle", "busy"), None, on="hurry", do=(Action(set={"paused": "False"}),)),
        "halved": Transition(("idle", "busy"), None, on="half", do=(Action(set={"high": "True"}),)),
        "rang-out": Transition(("idle", "busy"), None, on="rang", do=(Action(start="dong"), Action(set={"high": "False"}))),
        "donged-out": Transition(("idle", "busy"), None, on="donged", do=(Action(set={"paused": "False"}), Action(start="ring"))),
        "asked": Transition("idle", None, on="clock.law.would-move", do=(Action(set={"paused": "True"}),)),
        "unpaused": Transition(("idle", "busy"), None, on="clock.after.breached", do=(Action(set={"paused": "False"}),)),
    },
)
LOOPS = evolve(LOOPS, roles={"lead": Role()})
COUNTS = {"r": Counts("r", (Count("r", "1", roll="direction"),))}


@settings(deadline=None, max_examples=40)
@given(
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.integers(1, 80)),
    st.sampled_from(["UTC", "Europe/Rome", "America/New_York"]),
    st.lists(st.integers(1, 120 * 1440), max_size=10),
    st.integers(1, 150 * 1440),
)
def test_a_late_tick_is_a_punctual_tick(
    play: Any, busy: bool, paused: bool, days: int | None, zone: str, ticks: list[int], end: int
) -> None:
    first = "2026-02-20T09:30:00.000000Z"
    hearing = {} if days is None else {"hearing": (moment(first) + timedelta(days=days)).date().isoformat()}

    def started(restore: str = "json") -> Any:
        case = play(LOOPS, zone=zone, restore=restore, calendars=CALENDARS, counts=COUNTS, paused=paused, **hearing).open(first)
        return case.do("go") if busy else case

    late, often, punctual = started(), started("permuted"), started()
    last = from_micros(micros(first) + end * 60_000_000)
    late.tick(last)
    for tick in sorted(ticks):
        often.tick(min(from_micros(micros(first) + tick * 60_000_000), last))
    often.tick(last)
    while (wake := punctual.machine.get("wake")) is not None and wake <= last:
        punctual.tick(wake)
    for other in (often, punctual):
        assert other.machine == late.machine
        assert other.world.data == late.world.data
        assert other.happened == late.happened


def test_nothing_in_a_run_outlives_the_years_of_a_calendar(run: Any) -> None:
    from casekit.definition.calendars import DayException

    short = Working(Calendar("short", "1", exceptions={"2026-03-02": DayException("09:00-17:00")}))
    clock = Clock("PT4H", start="at('busy')", pause="paused", kind="business", calendar="short")
    case = run(kind(clock), "2026-03-02T14:00:00.000000Z", calendars={"short": short}).do("go")
    assert "never open after 2026" in live(case)["unsettled"]
    case.do("paused", to=True).do("paused", "2026-03-05T14:00:00.000000Z", to=False)
    assert isinstance(case.run(case.now), Run)
