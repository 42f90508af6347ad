"""Plans that change on the way: what rests, what is put in, skipped, reopened. Each test names its rule."""

from __future__ import annotations

from typing import Any

import pytest

from casekit.decisions import orders
from casekit.decisions.calendar import Working
from casekit.definition.calendars import Calendar, week
from casekit.definition.casetype import Clock
from casekit.definition.counts import Count, Counts
from casekit.definition.plan import Item, Repeat, Sentry
from plans import on, planned


def day(n: int, hour: int = 0) -> str:
    return f"2026-01-{n:02}T{hour:02}:00:00.000000Z"


# --- sentries: several, each with several events


def test_rule_2_each_of_several_sentries_keeps_its_own_memory(play: Any) -> None:
    """What one has heard does not help another; and each instance of a repeating item hears for itself."""
    plan = {x: Item() for x in "abcd"} | {"t": Item(entry=(Sentry(("a.completed", "b.completed")), Sentry(("c.completed", "d.completed"))))}
    case = play(planned(plan)).open().give("complete", "a").give("complete", "c")
    assert case.items["t.1"] == "available"
    assert case.give("complete", "d").items["t.1"] == "active"


def test_rule_2_an_exit_that_was_heard_while_resting_is_remembered(play: Any) -> None:
    plan = {"a": Item(), "s": Item("stage", exit=on("a.completed")), "x": Item(stage="s")}
    case = play(planned(plan)).open().give("suspend", "s").give("complete", "a")
    assert case.items == {"s.1": "suspended", "x.1": "suspended"}
    assert case.give("resume", "s").ended == {"a.1": "completed", "s.1": "terminated", "x.1": "terminated"}


# --- rest


def test_a_timer_in_a_stage_that_rests_does_not_occur(play: Any) -> None:
    plan = {"s": Item("stage"), "t": Item("timer", stage="s", due="P3D"), "x": Item(stage="s", entry=on("t")), "k": Item(stage="s")}
    case = play(planned(plan)).open().give("suspend", "s", day(2))
    case.do("begin", day(9))
    assert set(case.items.values()) == {"suspended"}
    case.give("resume", "s", day(11))
    assert (case.rows["t.1"]["due"], case.items["x.1"]) == (day(13), "available")
    case.do("back", day(13))
    assert (case.ended, case.items["x.1"]) == ({"t.1": "completed"}, "active")


@pytest.mark.parametrize("kind", ["elapsed", "business"])
def test_a_clock_may_rest_with_an_item_or_a_stage(play: Any, kind: Any) -> None:
    """Clocks of the case rest with what their pause names; the rest of the plan goes on."""
    office = {"office": Working(Calendar("office", "1", hours=week(days="mon-sun"), zone="UTC"))}
    more: dict[str, Any] = {"kind": "business", "calendar": "office"} if kind == "business" else {}
    clocks = {"answer": Clock("P9D", start="at('open')", pause="suspended('s')", **more)}
    plan = {"s": Item("stage"), "x": Item(stage="s"), "y": Item()}
    case = play(planned(plan, clocks=clocks), calendars=office).open().give("suspend", "s", day(2))
    assert (case.machine["clocks"]["answer"]["1"]["status"], case.items["y.1"]) == ("paused", "active")
    case.give("resume", "s", day(6))
    live = case.machine["clocks"]["answer"]["1"]
    assert (live["status"], live["due"]) == ("running", day(14))


def test_a_case_that_rests_rests_its_business_clocks_and_not_what_the_law_counts(play: Any) -> None:
    """Four days of rest, two of them working days: the office's clock moves by them, the period of law stays."""
    calendars = {"office": Working(Calendar("office", "1", hours=week("09:00-17:00"), zone="UTC"))}
    counts = {"law": Counts("law", [Count("law", "1", amount="P14D")])}
    clocks = {
        "office": Clock("PT16H", kind="business", calendar="office", start="at('open')"),
        "law": Clock(kind="counted", count="law", calendar="office", start="at('open')"),
        "plain": Clock("P9D", start="at('open')"),
    }
    case = play(planned({"a": Item()}, clocks=clocks), calendars=calendars, counts=counts).open(day(1, 9))  # a Thursday
    before = {name: case.machine["clocks"][name]["1"]["due"] for name in clocks}
    assert before == {"office": day(2, 17), "law": before["law"], "plain": day(10, 9)}
    case.plan(orders.suspend_all, day(2, 9))
    live = case.machine["clocks"]
    assert {name: live[name]["1"]["status"] for name in clocks} == {"office": "paused", "law": "running", "plain": "paused"}
    assert (live["law"]["1"]["due"], case.machine["wake"]) == (before["law"], before["law"])
    case.plan(orders.resume_all, day(6, 9))
    live = case.machine["clocks"]
    assert {name: live[name]["1"]["due"] for name in clocks} == {"office": day(6, 17), "law": before["law"], "plain": day(14, 9)}
    case.plan(orders.suspend_all, day(6, 13))
    case.do("begin", day(7, 13))
    assert case.machine["clocks"]["office"]["1"]["status"] == "paused", "a case that moves on while it rests goes on resting"
    case.plan(orders.resume_all, day(8, 9))
    assert case.machine["clocks"]["office"]["1"]["due"] == day(8, 13)


def test_a_clock_that_starts_while_the_case_rests_rests_from_its_start(play: Any) -> None:
    calendars = {"office": Working(Calendar("office", "1", hours=week("09:00-17:00"), zone="UTC"))}
    clocks = {
        "plain": Clock("P9D", start="at('work')"),
        "office": Clock("PT8H", kind="business", calendar="office", start="at('work')"),
    }
    case = play(planned({"a": Item()}, clocks=clocks), calendars=calendars).open(day(1, 9)).plan(orders.suspend_all, day(2, 9))
    case.do("begin", day(5, 9))
    assert {name: case.machine["clocks"][name]["1"]["status"] for name in clocks} == {"plain": "paused", "office": "paused"}
    case.plan(orders.resume_all, day(7, 9))
    assert {name: case.machine["clocks"][name]["1"]["due"] for name in clocks} == {"plain": day(16, 9), "office": day(7, 17)}


# --- skipped


def test_what_is_skipped_takes_what_lies_in_it_with_it(play: Any) -> None:
    plan = {
        "s": Item("stage", repeat=Repeat(2)),
        "x": Item(stage="s"),
        "heard": Item(entry=on("s.skipped")),
        "not": Item(entry=on("s.completed")),
    }
    case = play(planned(plan)).open().give("skip", "s")
    assert (case.ended, case.items) == ({"x.1": "terminated", "s.1": "skipped"}, {"heard.1": "active", "not.1": "available"})


def test_what_was_skipped_or_replaced_may_be_reopened(play: Any) -> None:
    case = play(planned({"a": Item(), "b": Item()})).open().give("skip", "a").give("reopen", "a")
    assert case.items == {"b.1": "active", "a.2": "active"}


# --- put in


def test_what_someone_put_in_comes_once_and_not_again_with_the_case(play: Any) -> None:
    """A case that begins anew begins with the plan of its type: what was put in was for then."""
    case = play(planned({"k": Item()})).open().give("add", "ring", own={"kind": "task"}, source="added@2")
    case.give("complete", "k").give("complete", "ring").do("finish").do("reopen")
    assert (case.items, case.machine["cycle"]) == ({"k.2": "active"}, 2)
    case.give("add", "ring", own={"kind": "task"}, source="added@9")
    assert case.items == {"k.2": "active", "ring.2": "active"}


def test_a_stage_that_comes_again_does_not_bring_what_was_put_into_it(play: Any) -> None:
    case = play(planned({"s": Item("stage", repeat=Repeat(2)), "x": Item(stage="s")})).open()
    case.give("add", "ring", own={"kind": "task"}, stage="s").give("complete", "ring").give("complete", "x")
    assert case.items == {"s.2": "active", "x.2": "active"}


def test_what_is_put_in_keeps_its_source_through_all_that_becomes_of_it(play: Any) -> None:
    plan = {"s": Item("stage"), "x": Item(stage="s")}
    case = play(planned(plan)).open().give("add", "ring", own={"kind": "task", "due": {"after": "P9D"}}, source="added@2")
    for action, more in (("move", {"stage": "s"}), ("suspend", {}), ("resume", {}), ("complete", {})):
        case.give(action, "ring", **more)
        assert case.rows["ring.1"]["source"] == "added@2", action


# --- reopened


def test_a_case_that_is_reopened_keeps_what_was_and_counts_anew(play: Any) -> None:
    clocks = {"answer": Clock("P9D", start="at('open')", stop="at('done')")}
    plan = {"a": Item(required=True, due="P2D"), "b": Item(entry=on("a.completed"))}
    case = play(planned(plan, clocks=clocks)).open().give("complete", "a", day(2)).give("complete", "b", day(3)).do("finish", day(4))
    case.do("reopen", day(10))
    assert case.machine["cycle"] == 2
    assert case.ended == {"a.1": "completed", "b.1": "completed"}, "what was done stays on record"
    assert case.items == {"a.2": "active", "b.2": "available"}, "and is to be done again"
    assert (case.rows["a.1"]["due"], case.rows["a.2"]["due"]) == (day(3), day(12))
    assert case.machine["clocks"]["answer"] == {"2": {"status": "running", "started": day(10), "due": day(19)}}
    assert case.refused("reopen", "a")[0].args["state"] == "active"
