"""Clocks: when they start, rest, speak and end, against an independent calendar; late ticks and late payments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casekit.definition.casetype import ALWAYS, Action, Book, CaseType, Clock, State, Total, Transition
from casekit.definition.fields import field
from casekit.model.time import from_micros, instant, micros, moment

START = "2026-01-01T00:00:00.000000Z"
DAY = 86_400_000_000


def after(days: float, start: str = START) -> str:
    return from_micros(micros(start) + int(days * DAY))


def kind(clock: Clock | None = None, *, other: dict[str, Clock] | None = None, **more: Any) -> CaseType:
    """Two states to go to and fro between, flags to set, a ledger, and clocks."""
    flags = {name: field(bool) for name in ("on", "stopped", "paused", "gone")}
    ways = {
        "go": Transition("idle", "busy"),
        "back": Transition("busy", "idle"),
        "close": Transition(("idle", "busy"), "over"),
        "reopen": Transition("over", "busy"),
        **{name: Transition(("idle", "busy"), None, form={"to": field(bool)}, do=(Action(set={name: "event.to"}),)) for name in flags},
        "dated": Transition(("idle", "busy"), None, form={"to": field(date)}, do=(Action(set={"until": "event.to"}),)),
        "timed": Transition(("idle", "busy"), None, form={"to": field(datetime)}, do=(Action(set={"until_at": "event.to"}),)),
        **more.pop("transitions", {}),
    }
    states = {"idle": State("Idle", "open"), "busy": State("Busy", "open"), "over": State("Over", "closed"), **more.pop("states", {})}
    return CaseType(
        key="clocked",
        version="1",
        title="Clocked",
        initial="idle",
        states=states,
        transitions=ways,
        data={**flags, "until": field(date), "until_at": field(datetime)},
        clocks={**({"c": clock} if clock else {}), **(other or {})},
        totals={"owed": Total(("charge",)), "paid": Total(("payment",)), "open": Total(of="owed - paid")},
        ledger=Book("EUR", ("fee",)),
        **more,
    )


def live(case: Any, clock: str = "c", instance: str = "1") -> Any:
    return case.machine["clocks"].get(clock, {}).get(instance)


def ended(case: Any, clock: str = "c") -> Any:
    return case.machine["memory"].get("ended", {}).get(clock, [])


def spoken(case: Any) -> list[str]:
    return [event for event in case.happened if event.startswith("clock.")]


BUSY = Clock("P14D", start="at('busy')", stop="stopped", pause="paused", cancel="gone")

# --- beginning, and being due -----------------------------------------------------------------------------------------


def calendar(at: str, days: int, zone: str) -> str:
    """The same wall-clock time so many days later: by trying each offset that the zone has around then."""
    zoned = ZoneInfo(zone)
    here = moment(at).astimezone(zoned)
    wall = here.replace(tzinfo=None) + timedelta(days=days)
    offsets = sorted(
        {(wall.replace(tzinfo=UTC) + timedelta(hours=h)).astimezone(zoned).utcoffset() for h in range(-36, 37, 6)}, reverse=True
    )
    exact = [u for off in offsets if (u := wall.replace(tzinfo=UTC) - off).astimezone(zoned).replace(tzinfo=None) == wall]  # type: ignore[operator]
    if not exact:  # the wall skips this time: read by the offset before the change, it lies after it
        return instant(wall.replace(tzinfo=UTC) - offsets[-1])  # type: ignore[operator]
    return instant(exact[min(here.fold, len(exact) - 1)])


@settings(deadline=None)
@given(
    st.integers(0, 2 * 365 * 1440), st.integers(1, 400), st.sampled_from(["America/New_York", "Europe/Rome", "Australia/Lord_Howe", "UTC"])
)
@example(87 * 1440 + 75, 1, "Europe/Rome")  # 2026-03-29 02:15 does not exist there
@example(297 * 1440 + 15, 1, "Europe/Rome")
@example(297 * 1440 + 45, 364, "Europe/Rome")
@example(66 * 1440 + 450, 1, "America/New_York")
def test_days_are_counted_on_the_calendar_of_the_zone(play: Any, minutes: int, days: int, zone: str) -> None:
    at = from_micros(micros(START) + minutes * 60_000_000)
    case = play(kind(Clock(f"P{days}D", start="at('busy')", warn=("-P1D", "-PT1H"))), zone=zone).open().do("go", at)
    state = live(case)
    assert state["started"] == at
    assert state["due"] == calendar(at, days, zone)
    warnings = {calendar(state["due"], -1, zone), from_micros(micros(state["due"]) - 3_600_000_000)}
    assert state.get("warn", []) == sorted(w for w in warnings if w > at)
    assert case.machine["wake"] == min([*state.get("warn", []), state["due"]])


def test_exact_time_is_exact_over_a_change_of_the_clocks(play: Any) -> None:
    # 72 hours from Friday 2007-11-02 10:23 in New York end on Monday at 09:23, for the clocks go back on Sunday.
    start = instant(datetime(2007, 11, 2, 10, 23, tzinfo=ZoneInfo("America/New_York")))
    case = play(kind(Clock("PT72H", start="at('busy')")), zone="America/New_York")
    case.now = start
    case.open(start).do("go")
    assert moment(live(case)["due"]).astimezone(ZoneInfo("America/New_York")).isoformat() == "2007-11-05T09:23:00-05:00"


def test_it_starts_once_each_time_its_condition_becomes_true(play: Any) -> None:
    case = play(kind(BUSY)).open()
    assert live(case) is None
    case.do("go", after(1))
    assert live(case)["started"] == after(1)
    case.do("stopped", after(2), to=True)
    assert (live(case), ended(case), spoken(case)) == (None, ["met"], ["clock.c.met"])
    case.do("stopped", after(3), to=False)
    assert live(case, instance="2") is None  # still busy: it does not start again
    case.do("back", after(4)).do("go", after(5))
    assert live(case, instance="2")["started"] == after(5)


def test_unknown_starts_stops_and_pauses_nothing(play: Any) -> None:
    case = play(kind(Clock("P1D", start="on", stop="stopped", pause="paused", cancel="gone"))).open()
    assert case.machine["clocks"] == {}
    case.do("on", to=True)
    assert live(case)["status"] == "running"


def test_an_amount_of_months_ends_on_the_last_day_of_a_shorter_one(play: Any) -> None:
    case = play(kind(Clock("P1M", start="at('busy')"))).open().do("go", "2026-01-31T12:00:00.000000Z")
    assert live(case)["due"] == "2026-02-28T12:00:00.000000Z"


# --- fixed clocks -----------------------------------------------------------------------------------------------------

UNTIL = Clock(kind="fixed", due="until", start="at('busy')", stop="stopped")


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("UTC", "2026-03-30T00:00:00.000000Z"),
        ("Europe/Rome", "2026-03-29T22:00:00.000000Z"),
        ("America/New_York", "2026-03-30T04:00:00.000000Z"),
    ],
)
def test_a_day_ends_with_its_last_instant_in_the_zone(play: Any, zone: str, due: str) -> None:
    case = play(kind(UNTIL), zone=zone, until="2026-03-29").open().do("go")
    assert live(case)["due"] == due
    case.tick(from_micros(micros(due) - 1))
    assert live(case)["status"] == "running"
    case.tick(due)
    assert live(case)["status"] == "breached"


def test_an_instant_is_due_as_it_stands(play: Any) -> None:
    case = play(kind(Clock(kind="fixed", due="until_at", start="at('busy')")), until_at=after(3)).open().do("go")
    assert live(case)["due"] == after(3)


def test_a_fixed_clock_waits_until_its_day_is_known(play: Any) -> None:
    case = play(kind(UNTIL)).open().do("go", after(1))
    assert case.machine["clocks"] == {}
    case.do("dated", after(2), to="2026-01-10")
    assert live(case) == {"status": "running", "started": after(2), "due": after(10)}


def test_what_was_due_before_it_started_is_breached_when_it_starts(play: Any) -> None:
    case = play(kind(UNTIL, transitions={"late": Transition("busy", "idle", on="clock.c.breached")}), until="2026-01-02").open()
    case.do("go", after(20))
    assert case.machine["wake"] == after(20)
    case.tick(after(30))
    assert live(case)["breached"] == after(20)  # case time never runs back to the third of January
    assert case.state == "idle"


# --- speaking ---------------------------------------------------------------------------------------------------------


def test_warnings_come_before_the_breach_and_each_once(play: Any) -> None:
    clock = Clock("P14D", start="at('busy')", warn=("-P3D", "-P10D", "-P20D"))
    case = play(kind(clock)).open().do("go")
    for day in range(1, 16):
        before = len(spoken(case))
        case.tick(after(day))
        new = spoken(case)[before:]
        assert new == {4: ["clock.c.warned"], 11: ["clock.c.warned"], 14: ["clock.c.breached"]}.get(day, [])
    assert live(case) == {"status": "breached", "started": START, "due": after(14), "breached": after(14), "warned": 2}
    assert "wake" not in case.machine


def test_clocks_of_one_instant_speak_in_their_order(play: Any) -> None:
    first = Clock("P2D", start="at('busy')", order=2)
    case = play(kind(first, other={"b": Clock("P2D", start="at('busy')", order=1)})).open().do("go").tick(after(2))
    assert spoken(case) == ["clock.b.breached", "clock.c.breached"]


def test_one_breach_may_end_another_clock_and_start_a_third(play: Any) -> None:
    ways = {"give-up": Transition("busy", "idle", on="clock.c.breached")}
    other = {"long": Clock("P20D", start="at('busy')", cancel="at('idle')"), "rest": Clock("P5D", start="at('idle')", cancel="at('busy')")}
    case = play(kind(Clock("P14D", start="at('busy')"), other=other, transitions=ways)).open().do("go").tick(after(100))
    assert spoken(case) == ["clock.c.breached", "clock.rest.breached"]
    assert ended(case, "long") == ["cancelled"]
    assert live(case, "rest", "2")["breached"] == after(19)


def test_an_event_at_the_due_instant_comes_too_late_and_one_before_in_time(play: Any) -> None:
    in_time = play(kind(BUSY)).open().do("go").do("stopped", from_micros(micros(after(14)) - 1), to=True)
    assert (live(in_time), ended(in_time)) == (None, ["met"])
    late = play(kind(BUSY)).open().do("go").do("stopped", after(14), to=True)
    assert (live(late)["status"], ended(late)) == ("breached", [])


# --- resting ----------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(1, 5 * 1440), min_size=1, max_size=9))
def test_paused_time_does_not_count(play: Any, minutes: list[int]) -> None:
    """Running and paused by turns: what ran adds up to the amount, to the microsecond."""
    case = play(kind(Clock("PT120H", start="at('busy')", pause="paused"))).open().do("go")
    ran = 0
    for turn, length in enumerate(minutes):
        paused = turn % 2 == 1
        span = length * 60_000_000
        if not paused and ran + span >= 120 * 3_600_000_000:
            break
        case.do("paused", from_micros(micros(case.now) + span), to=not paused)
        ran += 0 if paused else span
        left = 120 * 3_600_000_000 - ran
        state = live(case)
        if paused:
            assert (state["status"], micros(state["due"]) - micros(case.now)) == ("running", left)
        else:
            assert state == {"status": "paused", "started": START, "left": left}
            assert "wake" not in case.machine


def test_a_warning_is_not_said_again_after_a_rest_nor_one_that_never_had_its_time(play: Any) -> None:
    clock = Clock("P10D", start="at('busy')", pause="paused", warn=("-P20D", "-P8D", "-P3D"))
    case = play(kind(clock)).open().do("go")
    assert live(case)["warn"] == [after(2), after(7)]
    case.tick(after(3)).do("paused", after(4), to=True).do("paused", after(104), to=False)
    assert live(case) == {"status": "running", "started": START, "due": after(110), "warned": 1, "warn": [after(107)]}
    case.tick(after(200))
    assert spoken(case) == ["clock.c.warned", "clock.c.warned", "clock.c.breached"]


def test_a_rest_into_a_longer_day_says_nothing_in_the_past(play: Any) -> None:
    # A day before the due instant lies 25 hours before it where the clocks go back, and 24 and a half are left.
    clock = Clock("PT48H", start="at('busy')", pause="paused", warn="-P1D")
    case = play(kind(clock), zone="Europe/Rome").open().do("go", "2026-06-01T00:00:00.000000Z")
    case.do("paused", "2026-06-01T23:30:00.000000Z", to=True).do("paused", "2026-10-24T20:00:00.000000Z", to=False)
    assert (live(case)["due"], live(case)["warn"]) == ("2026-10-25T20:30:00.000000Z", ["2026-10-24T20:00:00.000000Z"])


def test_a_clock_that_rests_can_be_met_and_cancelled(play: Any) -> None:
    for event, how in (("stopped", "met"), ("gone", "cancelled")):
        case = play(kind(BUSY)).open().do("go").do("paused", after(1), to=True).do(event, after(200), to=True)
        assert (live(case), ended(case)) == (None, [how])


def test_cancelling_goes_before_stopping_and_has_no_verdict(play: Any) -> None:
    case = play(kind(BUSY), stopped=True).open().do("gone", to=True).do("go", after(1))
    assert (ended(case), spoken(case)) == (["cancelled"], [])


# --- the end of a case ------------------------------------------------------------------------------------------------


def test_closing_cancels_what_runs_keeps_what_was_breached_and_reopening_starts_anew(play: Any) -> None:
    case = play(kind(BUSY, other={"long": Clock("P60D", start="at('busy') or at('idle')")})).open().do("go").tick(after(20)).do("close")
    assert case.machine["clocks"] == {}
    assert (ended(case), ended(case, "long")) == (["breached"], ["cancelled"])
    assert "wake" not in case.machine
    case.tick(after(300)).do("reopen", after(400))
    assert live(case, "c", "2")["due"] == after(414)
    assert live(case, "long", "2")["due"] == after(460)


# --- a clock for each promise -----------------------------------------------------------------------------------------

PROMISE = Clock(kind="fixed", each=True, cancel="gone")


def promised(play: Any, *promises: tuple[str, int], zone: str = "UTC", restore: str = "json", **more: Any) -> Any:
    case = play(kind(PROMISE, **more), zone=zone, restore=restore).open().post("charge", "100.00 EUR", component="fee")

    def choose(run: Any) -> None:
        for i, (day, through) in enumerate(promises):
            run.clocks.open("c", f"9.{i}", day, {"through": through})

    case.step(case.now, choose)
    return case


def test_a_promise_is_kept_by_the_payments_up_to_its_day(play: Any) -> None:
    case = promised(play, ("2026-01-10", 4000), ("2026-01-20", 8000))
    assert live(case, "c", "9.0")["due"] == after(10)
    case.post("payment", "30.00 EUR", after(3))
    assert live(case, "c", "9.0")["status"] == "running"
    case.post("payment", "10.00 EUR", after(9.9))
    assert (live(case, "c", "9.0"), live(case, "c", "9.1")["status"]) == (None, "running")
    case.tick(after(30))
    assert spoken(case) == ["clock.c.met", "clock.c.breached"]
    assert live(case, "c", "9.1")["breached"] == after(20)


def test_a_payment_that_is_recorded_late_withdraws_the_breach(play: Any) -> None:
    ways = {"broken": Transition("idle", "busy", on="clock.c.breached"), "mended": Transition("busy", "idle", on="clock.c.withdrawn")}
    case = promised(play, ("2026-01-10", 4000), transitions=ways).tick(after(15))
    assert case.state == "busy"
    case.post("payment", "39.99 EUR", after(9), late=True)
    assert live(case, "c", "9.0")["status"] == "breached"
    case.post("payment", "0.01 EUR", after(10), late=True)  # the due instant itself is too late
    assert live(case, "c", "9.0")["status"] == "breached"
    case.post("payment", "0.01 EUR", from_micros(micros(after(10)) - 1), late=True)
    assert (live(case, "c", "9.0"), ended(case), case.state) == (None, ["withdrawn"], "idle")
    assert case.log[-1][3] == [
        ("c", "9.0", {"status": "withdrawn", "ended": after(15), "started": START, "due": after(10), "breached": after(10)}, None)
    ]


def test_a_payment_after_the_day_withdraws_nothing_even_with_a_late_one(play: Any) -> None:
    case = promised(play, ("2026-01-10", 4000)).tick(after(15)).post("payment", "40.00 EUR", after(16))
    assert live(case, "c", "9.0")["status"] == "breached"
    case.post("payment", "1.00 EUR", after(5), late=True)
    assert live(case, "c", "9.0")["status"] == "breached"


@pytest.mark.parametrize(("taken_back", "status"), [(8, "breached"), (9.5, "breached"), (10, "withdrawn"), (12, "withdrawn")])
def test_what_was_taken_back_before_the_day_was_over_does_not_count(play: Any, taken_back: float, status: str) -> None:
    case = promised(play, ("2026-01-10", 4000)).post("payment", "5.00 EUR", after(2)).tick(after(15))
    case.post("reversal", "5.00 EUR", after(taken_back), late=True, reverses="2.0")
    case.post("payment", "35.00 EUR", after(9), late=True)
    state = live(case, "c", "9.0")
    assert (state["status"] if state else ended(case)[0]) == status


def test_the_day_of_a_promise_ends_in_the_zone_of_the_case(play: Any) -> None:
    case = promised(play, ("2026-01-10", 4000), zone="America/New_York")
    assert live(case, "c", "9.0")["due"] == "2026-01-11T05:00:00.000000Z"


def test_promises_of_one_day_speak_in_their_order_however_they_are_kept(play: Any) -> None:
    two = ("2026-01-10", 4000), ("2026-01-10", 8000)
    kept, turned = (promised(play, *two, restore=restore).tick(after(15)) for restore in ("json", "permuted"))
    assert [row[1] for row in kept.log[-1][3]] == ["9.0", "9.1"]
    assert turned.log == kept.log


def test_all_promises_can_be_cancelled_by_hand_and_by_condition(play: Any) -> None:
    case = promised(play, ("2026-01-10", 4000), ("2026-01-20", 8000))
    case.step(case.now, lambda run: run.clocks.cancel("c"))
    assert (case.machine["clocks"], ended(case)) == ({}, ["cancelled"])
    other = promised(play, ("2026-01-10", 4000), ("2026-01-20", 8000)).do("gone", to=True)
    assert (other.machine["clocks"], ended(other)) == ({}, ["cancelled"])


# --- judged again -----------------------------------------------------------------------------------------------------

PAID = Clock("P14D", start="at('busy')", stop="open <= 0")


def test_the_ledger_is_judged_as_it_stood_when_the_clock_was_due(play: Any) -> None:
    case = play(kind(PAID)).open().post("charge", "10.00 EUR", component="fee").do("go").tick(after(20))
    assert live(case)["status"] == "breached"
    case.post("charge", "5.00 EUR", after(18), component="fee", late=True)  # after the clock was due: nothing to it
    case.post("payment", "10.00 EUR", after(13), late=True)
    assert (live(case), ended(case)) == (None, ["withdrawn"])


def test_a_payment_at_the_due_instant_is_too_late_beside_one_before_it(play: Any) -> None:
    case = play(kind(PAID)).open().post("charge", "10.00 EUR", component="fee").do("go").tick(after(20))
    case.post("payment", "6.00 EUR", after(14), late=True).post("payment", "4.00 EUR", after(5), late=True)
    assert live(case)["status"] == "breached"
    case.post("payment", "6.00 EUR", after(13), late=True)
    assert ended(case) == ["withdrawn"]


def test_an_event_that_held_from_the_due_instant_on_is_too_late(play: Any) -> None:
    case = play(kind(Clock("P14D", start="at('busy')", stop="stopped"))).open().do("go").tick(after(20))
    case.step(case.now, lambda run: run.take(run.select("stopped", {"to": True}), {"to": True}), late=after(14))
    assert (live(case)["status"], ended(case)) == ("breached", [])


def test_a_late_record_that_is_not_why_withdraws_nothing(play: Any) -> None:
    """What came about after the due instant must not count as in time because something else is recorded late."""
    case = play(kind(Clock("P14D", start="at('busy')", stop="stopped"))).open().do("go").do("stopped", after(20), to=True)
    assert live(case)["status"] == "breached"
    case.post("payment", "1.00 EUR", after(5), late=True)
    assert (live(case)["status"], ended(case)) == ("breached", [])


def test_an_event_that_is_recorded_late_withdraws_the_breach(play: Any) -> None:
    case = play(kind(Clock("P14D", start="at('busy')", stop="stopped"))).open().do("go").tick(after(20))
    case.step(case.now, lambda run: run.take(run.select("stopped", {"to": True}), {"to": True}), late=after(5))
    assert (live(case), ended(case), spoken(case)[-1]) == (None, ["withdrawn"], "clock.c.withdrawn")


def test_without_anything_late_a_breach_stands(play: Any) -> None:
    case = play(kind(PAID)).open().post("charge", "10.00 EUR", component="fee").do("go").tick(after(20)).post("payment", "10.00 EUR")
    assert live(case)["status"] == "breached"


# --- late ticks -------------------------------------------------------------------------------------------------------

LOOPS = kind(
    Clock("P3D", start="at('busy')", stop="stopped", pause="paused", warn=("-P1D", "-PT6H")),
    other={
        "rest": Clock("PT50H", start="at('idle')", cancel="at('busy')", warn="-PT1H"),
        "long": Clock("P30D", start="at('busy') or at('idle')", pause="at('idle')", warn=("-P20D", "-P10D")),
        "until": Clock(kind="fixed", due="until", start="known(until)", warn="-P7D"),
    },
    transitions={
        "tired": Transition("busy", "idle", on="clock.c.breached"),
        "rested": Transition("idle", "busy", on="clock.rest.breached"),
        "bored": Transition("idle", None, on="clock.rest.warned", do=(Action(set={"on": "True"}),)),
        "worn-out": Transition(("idle", "busy"), "over", on="clock.long.breached"),
        "unpaused": Transition("busy", None, on=ALWAYS, when="paused and breached('until')", do=(Action(set={"paused": "False"}),)),
    },
)
setups = st.tuples(
    st.sampled_from(["idle", "busy"]), st.booleans(), st.one_of(st.none(), st.integers(0, 80)), st.sampled_from(["UTC", "Europe/Rome"])
)


@settings(deadline=None, max_examples=60)
@given(setups, st.lists(st.integers(1, 120 * 1440), max_size=12), st.integers(1, 200 * 1440))
def test_a_late_tick_is_a_punctual_tick(play: Any, setup: Any, ticks: list[int], end: int) -> None:
    first, paused, until, zone = setup

    def started() -> Any:
        case = play(LOOPS, zone=zone, paused=paused, **({} if until is None else {"until": after(until)[:10]})).open(
            "2026-02-20T00:00:00.000000Z"
        )
        return case.do("go") if first == "busy" else case

    late, often, punctual = started(), started(), started()
    last = from_micros(micros(late.now) + end * 60_000_000)
    late.tick(last)
    for tick in sorted(ticks):
        often.tick(min(from_micros(micros(late.now) - end * 60_000_000 + tick * 60_000_000), last))
    often.tick(last)
    while (wake := punctual.machine.get("wake")) is not None and wake <= last:
        punctual.tick(wake)
    for other in (often, punctual):
        assert other.machine == late.machine
        assert other.world.data == late.world.data
        assert other.happened == late.happened
        assert _last_words(other) == _last_words(late)


def _last_words(case: Any) -> dict[tuple[str, str], Any]:
    return {(clock, instance): row for step in case.log for clock, instance, row, _ in step[3]}


def test_a_tick_that_comes_years_late_is_no_livelock(play: Any) -> None:
    ways = {"tired": Transition("busy", "idle", on="clock.c.breached"), "rested": Transition("idle", "busy", on="clock.rest.breached")}
    loop = kind(Clock("P1D", start="at('busy')"), other={"rest": Clock("P1D", start="at('idle')", cancel="at('busy')")}, transitions=ways)
    case = play(loop).open().tick(after(1500))
    assert len([e for e in case.happened if e == "transition.tired"]) == 750
