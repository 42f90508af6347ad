"""Legal periods as clocks: they rest without the days of the pause, wait before they move, and end where a court can be reached."""

from __future__ import annotations

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
from casekit.decisions.counting import count
from casekit.decisions.extending import adopt, extend
from casekit.decisions.proposals import confirm, instance_with, keep
from casekit.definition.calendars import Calendar, HolidaySet, resolved, week
from casekit.definition.casetype import Action, Amount, Anchor, CaseType, Clock, State, Transition
from casekit.definition.counts import Count, Counts
from casekit.definition.fields import field
from casekit.errors import BadInput
from casekit.model.time import duration, instant, micros

RULES = {rule.key: rule for rule in counting_rules()}
CLOSED = {"2026-03-19": "San Giuseppe", "2026-04-06": "Pasquetta", "2026-05-01": "Festa del lavoro"}
WORKING = Working(Calendar("days", "1", hours=week(), zone="Europe/Rome", holidays={"it": HolidaySet(CLOSED)}))
ROME = "Europe/Rome"


def rome(text: str) -> str:
    return instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ROME)))


def kind(clock: Clock, **more: Any) -> CaseType:
    return CaseType(
        key="legal",
        version="1",
        title="Legal",
        initial="open",
        states={"open": State("Open", "open"), "over": State("Over", "closed")},
        transitions={
            "close": Transition("open", "over"),
            "held": Transition("open", None, form={"to": field(bool)}, do=(Action(set={"held": "event.to"}),)),
            "high": Transition("open", None, form={"to": field(bool)}, do=(Action(set={"high": "event.to"}),)),
            "dated": Transition("open", None, form={"to": field(date)}, do=(Action(set={"served": "event.to"}),)),
            **more,
        },
        data={"held": field(bool), "high": field(bool), "served": field(date)},
        clocks={"c": clock},
    )


def legal(amount: str = "P14D", rule: str = "r", **more: Any) -> Clock:
    return Clock(amount, start="known(served)", pause="held", kind="counted", count=rule, calendar="days", anchor=Anchor("served"), **more)


def rules(**knobs: Any) -> dict[str, Counts]:
    return {"r": Counts("r", (Count("r", "1", **knobs),))}


@pytest.fixture
def run(play: Any) -> Any:
    def started(clock: Clock, served: str = "2026-03-02", counts: Any = None, first: str = "", **more: Any) -> Any:
        world = {"calendars": {"days": WORKING}, "counts": counts or rules(roll="forward"), "zone": ROME}
        return play(kind(clock, **more), **world, served=served).open(first or rome(f"{served}T09:00"))

    return started


def live(case: Any) -> Any:
    return case.machine["clocks"].get("c", {}).get("1")


def spoken(case: Any) -> list[str]:
    return [event for event in case.happened if event.startswith("clock.")]


def last(case: Any) -> str:
    """Last day of the clock: the one that ends at its due instant."""
    return datetime.fromisoformat(live(case)["due"]).astimezone(ZoneInfo(ROME)).date().__sub__(timedelta(days=1)).isoformat()


# --- pauses -----------------------------------------------------------------------------------------------------------


def test_the_days_of_a_pause_do_not_count_and_what_is_left_counts_after_it(run: Any) -> None:
    # Served on Monday the 2nd, 14 days: 3 to 16 March. On the 9th, with the 3rd to the 8th counted, it rests until the 18th.
    case = run(legal()).do("held", rome("2026-03-09T00:00"), to=True)
    assert (live(case)["status"], "due" in live(case), "wake" in case.machine) == ("paused", False, False)
    assert live(case)["left"] == micros(rome("2026-03-17T00:00")) - micros(rome("2026-03-09T00:00"))
    case.do("held", rome("2026-03-18T00:00"), to=False)
    # Eight days were left: 18 to 25 March.
    assert (live(case)["day"], last(case)) == ("2026-03-25", "2026-03-25")
    case.tick(rome("2026-03-26T00:00"))
    assert spoken(case) == ["clock.c.breached"]


@pytest.mark.parametrize(("tolled", "day"), [("whole", "2026-03-17"), ("touched", "2026-03-19")])
def test_a_rule_says_whether_days_that_are_touched_count(run: Any, tolled: Any, day: str) -> None:
    case = run(legal(), counts=rules(tolled=tolled)).do("held", rome("2026-03-09T10:00"), to=True)
    case.do("held", rome("2026-03-11T16:00"), to=False)
    assert live(case)["day"] == day  # the 10th whole; the 9th, 10th and 11th touched


def test_two_pauses_on_one_day_take_it_out_once(run: Any) -> None:
    case = run(legal(), counts=rules(tolled="touched"))
    for hour in (9, 12, 15):
        case.do("held", rome(f"2026-03-09T{hour:02}:00"), to=True).do("held", rome(f"2026-03-09T{hour + 1:02}:00"), to=False)
    assert live(case)["day"] == "2026-03-17"


def test_no_period_ends_while_it_rests(run: Any) -> None:
    # One hour of its last day, into the next: no whole day is taken out, and yet it does not end before it has run again.
    case = run(legal(), counts=rules()).do("held", rome("2026-03-16T23:00"), to=True)
    case.do("held", rome("2026-03-17T01:00"), to=False)
    assert (live(case)["day"], live(case)["status"]) == ("2026-03-17", "running")


def test_a_period_of_months_ends_later_by_the_days_that_do_not_count(run: Any) -> None:
    # Two months from 2 March end on 2 May, a Saturday; ten days on, on the 12th.
    case = run(legal("P2M")).do("held", rome("2026-03-20T00:00"), to=True).do("held", rome("2026-03-30T00:00"), to=False)
    assert live(case)["day"] == "2026-05-12"


def test_a_period_in_hours_rests_to_the_minute(play: Any) -> None:
    clock = Clock("PT72H", start="True", pause="held", kind="counted", count="r", calendar="days")
    case = play(kind(clock), calendars={"days": WORKING}, counts=rules(roll_hours="forward"), zone=ROME).open(rome("2026-03-02T10:00"))
    case.do("held", rome("2026-03-03T10:00"), to=True).do("held", rome("2026-03-03T12:30"), to=False)
    assert live(case)["due"] == rome("2026-03-05T12:30")


def test_limitation_rests_for_the_days_of_a_suspension(run: Any) -> None:
    # BGB §§ 195, 199, 209: claim of 10 March 2026, until the end of 2029; suspended for 30 days, each of them touched.
    case = run(legal("", rule="de.bgb-199"), served="2026-03-10", counts=RULES)
    assert live(case)["day"] == "2029-12-31"
    case.do("held", rome("2027-06-01T12:00"), to=True).do("held", rome("2027-06-30T09:00"), to=False)
    assert live(case)["day"] == "2030-01-30"


def test_warnings_that_were_not_said_are_said_by_the_new_date(run: Any) -> None:
    case = run(legal(warn=("-P12D", "-P3D"))).do("held", rome("2026-03-09T00:00"), to=True).do("held", rome("2026-03-18T00:00"), to=False)
    assert (live(case)["warned"], live(case)["warn"]) == (1, [rome("2026-03-23T00:00")])


def test_more_time_that_an_actor_gave_stays_beside_the_computed_date(run: Any) -> None:
    case = run(legal())
    case.step(case.now, lambda r: extend(r, "c", "1", "", duration("P5D"), 2))
    case.do("held", rome("2026-03-09T00:00"), to=True).do("held", rome("2026-03-18T00:00"), to=False)
    assert (live(case)["due"], live(case)["computed"]) == (rome("2026-03-31T00:00"), rome("2026-03-26T00:00"))


def oracle(served: date, days: int, rests: list[tuple[datetime, datetime]], rule: dict[str, Any]) -> date:
    """Day by day: which days count, and on which it may end."""

    def works(day: date) -> bool:
        return day.weekday() < 5 and day.isoformat() not in CLOSED

    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ROME)).astimezone(UTC)

    def rested(day: date) -> bool:
        begins, ends = midnight(day), midnight(day + timedelta(days=1))
        if rule["tolled"] == "whole":
            return any(start <= begins and ends <= end for start, end in rests)
        return any(start < ends and begins < end for start, end in rests)

    def ends_at_rest(day: date) -> bool:
        close = midnight(day + timedelta(days=1))
        begins = midnight(day)
        touched = rule["tolled"] == "touched" and rested(day)
        return touched or any((start < close <= end) or (start <= begins and close <= end) for start, end in rests)

    day, counted = served, 0
    while counted < days:
        day += timedelta(days=1)
        counted += (rule["skip"] == "none" or works(day)) and not rested(day)
    while ends_at_rest(day) or (rule["roll"] == "forward" and not works(day)):
        day += timedelta(days=1)
    return day


@settings(deadline=None, max_examples=150)
@given(
    st.integers(0, 60),
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(0, 8 * 24), st.integers(1, 9 * 24)), max_size=4),
    st.sampled_from(["whole", "touched"]),
    st.sampled_from(["none", "non_working"]),
    st.sampled_from(["none", "forward"]),
)
def test_day_by_day_it_comes_to_the_same(
    play: Any, first: int, days: int, pauses: list[tuple[int, int]], tolled: Any, skip: Any, roll: Any
) -> None:
    rule = {"tolled": tolled, "skip": skip, "roll": roll}
    served = date(2026, 2, 20) + timedelta(days=first)
    begun = datetime(served.year, served.month, served.day, tzinfo=ZoneInfo(ROME)).astimezone(UTC) + timedelta(hours=9)
    world = {"calendars": {"days": WORKING}, "counts": rules(**rule), "zone": ROME}
    case = play(kind(legal(f"P{days}D")), **world, served=served.isoformat()).open(instant(begun))
    now, rests = begun, list[tuple[datetime, datetime]]()
    for wait, length in pauses:
        now += timedelta(hours=wait)
        if instant(now) >= live(case)["due"]:
            break
        case.do("held", instant(now), to=True)
        rests.append((now, now + timedelta(hours=length)))
        now = rests[-1][1]
        case.do("held", instant(now), to=False)
        assert live(case)["due"] > instant(now)
    assert (live(case)["day"], last(case)) == (oracle(served, days, rests, rule).isoformat(),) * 2


# --- what would move --------------------------------------------------------------------------------------------------


FOLLOWS = legal(on_change="recompute")


def decide(case: Any, deed: Any) -> Any:
    case.step(case.now, lambda r: deed(r, "c", instance_with(r, "c", "")))
    return case


def test_a_legal_date_waits_for_a_person(run: Any) -> None:
    case = run(FOLLOWS).do("dated", rome("2026-03-04T10:00"), to="2026-03-05")
    assert (live(case)["day"], live(case)["would"]["day"], live(case)["would"]["why"]) == ("2026-03-16", "2026-03-20", "anchor")
    assert spoken(case) == ["clock.c.would-move"]
    due = {"from": rome("2026-03-17T00:00"), "to": rome("2026-03-21T00:00")}
    assert case.log[-1][2] == [("deadline.would_move", {"clock": "c", "instance": "1", "why": "anchor", **due})]
    decide(case, confirm)
    assert (live(case)["day"], live(case)["due"], "would" in live(case)) == ("2026-03-20", due["to"], False)
    assert spoken(case) == ["clock.c.would-move", "clock.c.moved"]
    with pytest.raises(BadInput, match="0 new dates"):
        case.step(case.now, lambda r: instance_with(r, "c", ""))


def test_a_date_that_is_kept_is_not_proposed_again_but_another_one_is(run: Any) -> None:
    case = decide(run(FOLLOWS).do("dated", rome("2026-03-04T10:00"), to="2026-03-05"), keep)
    case.do("high", rome("2026-03-05T10:00"), to=True).do("held", rome("2026-03-05T11:00"), to=True)
    case.do("held", rome("2026-03-05T12:00"), to=False)
    assert (live(case)["day"], "would" in live(case)) == ("2026-03-16", False)
    case.do("dated", rome("2026-03-06T10:00"), to="2026-03-06")
    assert live(case)["would"]["day"] == "2026-03-20"
    case.do("dated", rome("2026-03-06T10:00"), to="2026-03-02")  # back to what it was: nothing would move any more
    assert ("would" in live(case), live(case)["day"]) == (False, "2026-03-16")
    assert spoken(case) == ["clock.c.would-move", "clock.c.would-move"]


def test_a_change_that_leaves_the_date_needs_nobodys_word(run: Any) -> None:
    # From Saturday or Sunday, 14 days roll to the same Monday.
    case = run(FOLLOWS, served="2026-03-07").do("dated", rome("2026-03-08T10:00"), to="2026-03-08")
    assert (live(case)["day"], live(case)["anchor"], spoken(case)) == ("2026-03-23", "2026-03-08", [])


def test_a_breach_stands_until_someone_confirms_the_later_date(run: Any) -> None:
    case = run(FOLLOWS).do("dated", rome("2026-03-16T10:00"), to="2026-03-16").tick(rome("2026-03-17T09:00"))
    assert live(case)["status"] == "breached"
    decide(case, confirm)
    assert (live(case)["status"], live(case)["day"], case.machine["wake"]) == ("running", "2026-03-30", rome("2026-03-31T00:00"))


def test_an_earlier_date_that_is_confirmed_too_late_is_breached_at_once(run: Any) -> None:
    case = run(FOLLOWS).do("dated", rome("2026-03-14T10:00"), to="2026-02-20")
    decide(case, confirm)
    assert case.machine["wake"] == rome("2026-03-14T10:00")
    assert live(case.tick(rome("2026-03-14T10:00")))["breached"] == rome("2026-03-14T10:00")


def test_another_row_is_proposed_too(run: Any) -> None:
    clock = evolve(FOLLOWS, amount="", amounts=(Amount("P7D", when="high"), Amount("P14D")))
    case = run(clock).do("high", rome("2026-03-04T10:00"), to=True)
    assert (live(case)["day"], live(case)["would"]["day"], live(case)["would"]["why"]) == ("2026-03-16", "2026-03-09", "amount")


def adopted(case: Any, calendar: Calendar) -> Any:
    """Lets a case go by another version of its calendar."""
    case.step(case.now, lambda r: adopt(r, {"days": Working(calendar)}, r.world.counts))
    case.world.calendars = {"days": Working(calendar)}
    return case


def test_another_calendar_is_proposed_and_what_was_said_about_the_anchor_stands(run: Any) -> None:
    case = decide(run(FOLLOWS).do("dated", rome("2026-03-04T10:00"), to="2026-03-05"), keep)
    more = evolve(WORKING.calendar, version="2", holidays={"it": HolidaySet({**CLOSED, "2026-03-16": "Patron saint"})})
    adopted(case, more)
    assert (live(case)["day"], live(case)["would"]["day"], live(case)["would"]["why"]) == ("2026-03-16", "2026-03-17", "calendar")
    decide(case, confirm).tick(rome("2026-03-16T12:00"))
    assert (live(case)["day"], live(case)["anchor"], "would" in live(case)) == ("2026-03-17", "2026-03-02", False)


def test_a_date_that_nobody_could_compute_is_no_date_to_keep(run: Any) -> None:
    counts = {"r": Counts("r", (Count("r", "1", effective_from="2026-03-04"),))}
    case = run(FOLLOWS, counts=counts)
    assert "due" not in live(case)
    case.do("dated", rome("2026-03-04T10:00"), to="2026-03-05")
    assert (live(case)["day"], "would" in live(case)) == ("2026-03-19", False)


# --- closures ---------------------------------------------------------------------------------------------------------


def test_a_court_that_could_not_be_reached_extends_the_period(run: Any) -> None:
    shut = evolve(WORKING.calendar, version="2", closures={"2026-03-16": "flood", "2026-03-17": "flood"})
    counts = rules(roll="direction", closures="forward")
    assert count("2026-03-02", counts["r"].versions[0], Working(shut), amount="P14D").safe.day == "2026-03-18"
    # It moves nothing in between, and only rules that say so.
    assert count("2026-03-02", counts["r"].versions[0], Working(shut), amount="P15D").safe.day == "2026-03-18"
    assert count("2026-03-02", counts["r"].versions[0], Working(shut), amount="P16D").safe.day == "2026-03-18"
    assert count("2026-03-02", Count("r", "1", roll="forward"), Working(shut), amount="P14D").safe.day == "2026-03-16"
    case = adopted(run(FOLLOWS, counts=counts), shut)
    assert (live(case)["day"], live(case)["would"]["day"]) == ("2026-03-16", "2026-03-18")


def test_a_period_counted_back_is_extended_forward(play: Any) -> None:
    # T-03, committee note 2009 on FRAP 26(a)(5), as a clock on a court's own calendar.
    labor = HolidaySet({"2007-09-03": "Labor Day"})
    court = Calendar("days", "1", hours=week(), zone="America/New_York", holidays={"us": labor}, closures={"2007-08-31": "storm"})
    clock = legal("-P10D", rule="us.frcp-6")
    case_type = kind(evolve(clock, pause="", start="known(served)"))
    counts = {"us.frcp-6": Counts("us.frcp-6", (evolve(RULES["us.frcp-6"].on("2026-01-01"), effective_from=""),))}
    case = play(case_type, calendars={"days": Working(court)}, counts=counts, zone="America/New_York", served="2007-09-11")
    assert live(case.open("2007-08-01T12:00:00.000000Z"))["day"] == "2007-09-04"


def test_closures_come_with_the_calendar_that_is_used_and_are_checked() -> None:
    base = Calendar("base", "1", hours=week(), closures={"2026-03-16": "flood", "2026-03-18": "flood"})
    own = Calendar("own", "1", hours=week(), uses="base", closures={"2026-03-16": "fire"})
    assert resolved(own, {"base": base}).closures == {"2026-03-16": "fire", "2026-03-18": "flood"}
    with pytest.raises(BadInput, match="/closures/2026-02-30"):
        Working(Calendar("own", "1", hours=week(), closures={"2026-02-30": "never"}))


# --- parallel states --------------------------------------------------------------------------------------------------


def tracks(clock: Clock) -> CaseType:
    return CaseType(
        key="tracked",
        version="1",
        title="Tracked",
        initial="on",
        states={
            "on": State(
                "On",
                "open",
                parallel=True,
                states={
                    "main": State("Main", initial="new", states={"new": State("New"), "old": State("Old")}),
                    "hold": State("Hold", initial="free", states={"free": State("Free"), "held": State("Held")}),
                },
            ),
            "over": State("Over", "closed"),
        },
        transitions={
            "age": Transition("on.main.new", "on.main.old"),
            "hold": Transition("on.hold.free", "on.hold.held"),
            "close": Transition("on", "over"),
        },
        clocks={"c": clock},
    )


@pytest.mark.parametrize(
    ("clock", "path"),
    [
        (Clock("P1D", start="at('on.main.new')", pause="at('on.hold.free') or at('on.hold.held')"), "/clocks/c/pause"),
        (Clock("P1D", start="at('on.main.new')", stop="at('on.hold.free')", pause="at('on.hold.held')"), "/clocks/c/pause"),
        (Clock("P1D", start="at('on.main.new') and at('on.main.old')"), "/clocks/c/start"),
        (Clock("P1D", start="at('over')"), "/clocks/c/start"),
    ],
)
def test_a_clock_that_never_runs_is_refused_in_parallel_states_too(clock: Clock, path: str) -> None:
    with pytest.raises(BadInput) as refused:
        check(tracks(clock))
    assert [problem.where for problem in refused.value.problems] == [f"tracked: {path}"]


def test_what_regions_can_do_together_is_fine() -> None:
    check(tracks(Clock("P1D", start="at('on.main.old') and at('on.hold.held')", pause="at('on.hold.free')")))
    check(tracks(Clock("P1D", start="at('on.main.new')", stop="at('on.main.old') and at('on.hold.held')", pause="at('on.hold.held')")))
