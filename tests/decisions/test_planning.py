"""Plans at work: stages that come again, work across stages, timers, dates that move, rest, reopening, work put in later."""

from __future__ import annotations

from typing import Any

import pytest

from casekit.decisions import orders
from casekit.definition.casetype import CaseType, Clock, State, Transition
from casekit.definition.plan import Discretionary, Due, Item, Repeat, Sentry
from casekit.errors import BadInput, Livelock
from plans import on, planned

FIRST = "2026-01-01T00:00:00.000000Z"


def day(n: int, hour: int = 0) -> str:
    return f"2026-{1 + (n - 1) // 31:02}-{1 + (n - 1) % 31:02}T{hour:02}:00:00.000000Z"


# --- stages


def test_a_repeating_stage_brings_what_lies_in_it_each_time(play: Any) -> None:
    plan = {
        "talk": Item("stage", entry=on("state.enter:work"), repeat=Repeat()),
        "call": Item(stage="talk"),
        "note": Item(stage="talk", entry=on("call.completed")),
    }
    case = play(planned(plan)).open().do("begin").do("back").do("begin")
    assert case.items == {
        "talk.1": "active",
        "call.1": "active",
        "note.1": "available",
        "talk.2": "active",
        "call.2": "active",
        "note.2": "available",
        "talk.3": "waiting",
    }
    # A sentry within a stage hears what happens in its own instance of it.
    case.give("complete", "call.2")
    assert (case.items["note.1"], case.items["note.2"]) == ("available", "active")
    case.give("complete", "note.2")
    assert case.ended["talk.2"] == "completed"
    assert case.items["talk.1"] == "active"


def test_a_stage_that_repeats_without_an_event_comes_again_when_completed(play: Any) -> None:
    plan = {"talk": Item("stage", repeat=Repeat(2)), "call": Item(stage="talk")}
    case = play(planned(plan)).open().give("complete", "call")
    assert (case.items, case.rows["call.2"]["stage"]) == ({"talk.2": "active", "call.2": "active"}, "talk.2")
    case.give("complete", "call")
    assert (case.items, case.happened[-1]) == ({}, "plan.completed")


def test_nested_stages_complete_from_within(play: Any) -> None:
    plan = {"a": Item("stage"), "b": Item("stage", stage="a"), "c": Item("stage", stage="b"), "t": Item(stage="c")}
    case = play(planned(plan)).open().give("complete", "t")
    assert case.log[-1][0] == ["item.t.completed", "stage.c.completed", "stage.b.completed", "stage.a.completed", "plan.completed"]


def test_an_empty_stage_is_complete_at_once(play: Any) -> None:
    assert play(planned({"a": Item("stage")})).open().ended == {"a.1": "completed"}


def test_a_sentry_across_stages_does_not_open_the_stage_around_it(play: Any) -> None:
    plan = {
        "a": Item("stage"),
        "x": Item(stage="a"),
        "b": Item("stage", entry=on("state.enter:work")),
        "y": Item(stage="b", entry=on("x.completed")),
        "keep": Item(),
    }
    case = play(planned(plan)).open().give("complete", "x")
    assert case.items == {"b.1": "available", "keep.1": "active"}  # y has not come, and brings no stage with it
    case.do("begin")
    assert case.items == {"b.1": "active", "y.1": "available", "keep.1": "active"}
    # Across the border it is heard where the stage is active.
    case = play(planned(plan)).open().do("begin").give("complete", "x")
    assert case.items == {"b.1": "active", "y.1": "active", "keep.1": "active"}


@pytest.mark.parametrize(
    ("how", "blocked", "ends"),
    [("terminate", True, "terminated"), ("complete", False, "completed"), ("force-complete", True, "completed")],
)
def test_the_three_ways_in_which_an_exit_ends_a_stage(play: Any, how: Any, blocked: bool, ends: str) -> None:
    plan = {
        "s": Item("stage", exit=on("state.enter:work", how=how)),
        "t": Item(stage="s", required=blocked, manual=True),
        "after": Item(entry=on("s.completed")),
    }
    case = play(planned(plan)).open().do("begin")
    assert case.ended == {"t.1": "terminated", "s.1": ends}
    assert case.items == {"after.1": "active" if ends == "completed" else "available"}


def test_an_exit_that_completes_waits_until_nothing_blocks(play: Any) -> None:
    plan = {"s": Item("stage", exit=on("state.enter:work", how="complete")), "t": Item(stage="s"), "u": Item(stage="s", manual=True)}
    case = play(planned(plan)).open().do("begin")
    assert case.items == {"s.1": "active", "t.1": "active", "u.1": "enabled"}
    case.give("complete", "t")
    assert case.ended == {"t.1": "completed", "u.1": "terminated", "s.1": "completed"}


def test_a_repeating_item_that_never_opened_may_still_come(play: Any) -> None:
    plan = {"a": Item(entry=on("state.enter:work"), exit=on("k.completed"), repeat=Repeat()), "k": Item()}
    case = play(planned(plan)).open().give("complete", "k")
    assert (case.ended, case.items) == ({"k.1": "completed", "a.1": "terminated"}, {"a.2": "waiting"})
    assert case.do("begin").items == {"a.2": "active", "a.3": "waiting"}


def test_manual_activation_may_depend_on_a_condition(play: Any) -> None:
    plan = {"a": Item(manual="n > 1"), "b": Item(manual="n <= 1")}
    assert play(planned(plan), n=1).open().items == {"a.1": "active", "b.1": "enabled"}
    assert play(planned(plan), n=2).open().items == {"a.1": "enabled", "b.1": "active"}


def test_automatic_completion_may_depend_on_a_condition(play: Any) -> None:
    plan = {"s": Item("stage", auto_complete="flag"), "a": Item(stage="s"), "b": Item(stage="s", manual=True)}
    case = play(planned(plan), flag=False).open().give("complete", "a")
    assert case.items == {"s.1": "active", "b.1": "enabled"}
    assert case.set(flag=True).ended["s.1"] == "completed"


def test_a_milestone_that_comes_again(play: Any) -> None:
    plan = {"m": Item("milestone", entry=on("payment"), repeat=Repeat(3)), "t": Item(entry=on("m"), repeat=Repeat())}
    case = play(planned(plan)).open()
    for n in (1, 2, 3):
        case.step(case.now, lambda run: run.raise_("payment"))
        assert case.ended[f"m.{n}"] == "completed"
        assert case.items[f"t.{n}"] == "active"
    case.step(case.now, lambda run: run.raise_("payment"))
    assert "m.4" not in case.rows


def test_a_plan_that_never_comes_to_rest_names_what_goes_round(play: Any) -> None:
    plan = {"s": Item("stage", repeat=Repeat(when="n > 0")), "m": Item("milestone", stage="s", entry=(Sentry(when="n > 0"),))}
    case = play(planned(plan), n=0).open()
    with pytest.raises(Livelock) as caught:
        case.set(n=1)
    assert {"s.completed", "m.completed"} <= set(caught.value.cycle)


# --- timers and dates


def test_a_timer_in_a_stage_counts_from_when_the_stage_opens(play: Any) -> None:
    plan = {
        "s": Item("stage", entry=on("state.enter:work")),
        "late": Item("timer", stage="s", due="P3D"),
        "remind": Item(stage="s", entry=on("late")),
    }
    case = play(planned(plan)).open().do("begin", day(2))
    assert (case.machine["wake"], case.items["remind.1"]) == (day(5), "available")
    case.tick(day(20))
    assert case.items == {"s.1": "active", "remind.1": "active"}
    assert case.rows["remind.1"]["started"] == day(5)  # a late tick gives what a punctual one would have given
    assert "wake" not in case.machine


def test_a_timer_ends_with_its_stage(play: Any) -> None:
    plan = {
        "s": Item("stage", exit=on("state.enter:work")),
        "late": Item("timer", stage="s", due="P3D"),
        "x": Item(stage="s", entry=on("late")),
    }
    case = play(planned(plan)).open().do("begin")
    assert case.ended["late.1"] == "terminated"
    assert "wake" not in case.machine


def test_a_timer_that_comes_again_counts_anew(play: Any) -> None:
    plan = {"hourly": Item("timer", due="PT1H", repeat=Repeat(3)), "look": Item(entry=on("hourly"), repeat=Repeat())}
    case = play(planned(plan)).open().tick(day(1, 2))
    assert [case.rows[f"look.{n}"].get("started") for n in (1, 2, 3)] == [day(1, 1), day(1, 2), None]
    case.tick(day(9))
    assert case.rows["hourly.3"]["ended"] == day(1, 3)
    assert "hourly.4" not in case.rows


def test_what_is_not_done_when_it_is_due_is_overdue_once(play: Any) -> None:
    plan = {"a": Item(due="P2D"), "b": Item(due="P2D"), "esc": Item(entry=on("a.overdue"))}
    case = play(planned(plan)).open().give("complete", "b").tick(day(9))
    assert case.log[-1][0] == ["item.a.overdue"]
    assert case.items == {"a.1": "active", "esc.1": "active"}
    assert case.tick(day(12)).log[-1][0] == []


@pytest.mark.parametrize(
    ("of", "move", "before", "after"),
    [
        ("data:day", lambda case: case.set(day="2026-02-10"), "2026-02-04T00:00:00.000000Z", "2026-02-14T00:00:00.000000Z"),
        ("opened", lambda case: case.set(n=1), day(4), day(4)),
        ("", lambda case: case.set(n=1), day(4), day(4)),
        ("state.enter:work", lambda case: case.do("begin", day(6)), None, day(9)),
        ("first.completed", lambda case: case.give("complete", "first", day(7)), None, day(10)),
    ],
)
def test_a_due_moment_follows_what_it_counts_from(play: Any, of: str, move: Any, before: str | None, after: str) -> None:
    plan = {"first": Item(), "a": Item(due=Due("P3D", of)), "done": Item(due=Due("P3D", of))}
    case = play(planned(plan), day="2026-01-31").open().give("complete", "done")
    held = case.rows["done.1"].get("due")
    assert case.rows["a.1"].get("due") == before
    move(case)
    assert case.rows["a.1"].get("due") == after
    assert case.rows["done.1"].get("due") == held  # what is done does not move
    assert case.machine.get("wake") == after


def test_a_date_that_moves_away_is_not_overdue_any_more(play: Any) -> None:
    case = play(planned({"a": Item(due=Due("-P1D", "data:day"))}), day="2026-01-10").open().tick(day(20))
    assert case.happened == ["item.a.overdue"]
    case.set(day="2026-01-30")
    assert "overdue" not in case.machine["items"]["a"]["1"]
    assert case.tick(day(31)).happened == ["item.a.overdue"] * 2


def test_the_reference_that_comes_again_moves_the_date(play: Any) -> None:
    case = play(planned({"a": Item(due=Due("P3D", "state.enter:work"))})).open().do("begin", day(2)).do("back", day(3)).do("begin", day(4))
    assert case.rows["a.1"]["due"] == day(7)


# --- rest


def test_what_rests_has_no_due_moment_and_goes_on_later(play: Any) -> None:
    plan = {"a": Item(due="P4D")}
    case = play(planned(plan)).open().give("suspend", "a", day(2))
    assert (case.items, "wake" in case.machine, "due" in case.rows["a.1"]) == ({"a.1": "suspended"}, False, False)
    assert [o.args["state"] for o in case.refused("complete", "a")] == ["suspended"]
    case.give("resume", "a", day(10))
    assert (case.items, case.rows["a.1"]["due"]) == ({"a.1": "active"}, day(13))  # four days, of which eight rested
    case.give("suspend", "a", day(11)).give("resume", "a", day(12))
    assert case.rows["a.1"]["due"] == day(14)


def test_a_stage_rests_with_everything_in_it(play: Any) -> None:
    plan = {"s": Item("stage"), "a": Item(stage="s"), "b": Item(stage="s", manual=True), "c": Item(stage="s", entry=on("state.enter:work"))}
    case = play(planned(plan)).open().give("suspend", "b").give("suspend", "s")
    assert set(case.items.values()) == {"suspended"}
    assert case.refused("resume", "a")[0].args["by"] == "s.1"
    case.do("begin")
    assert case.items["c.1"] == "suspended"
    case.give("resume", "s")
    # What was heard meanwhile is remembered; what rested on its own goes on resting.
    assert case.items == {"s.1": "active", "a.1": "active", "b.1": "suspended", "c.1": "active"}
    case.give("resume", "b")
    assert case.items["b.1"] == "enabled"


def test_a_case_rests_as_a_whole_with_its_clocks(play: Any) -> None:
    plan = {"a": Item(due="P4D"), "b": Item()}
    clocks = {"answer": Clock("P9D", start="at('open')")}
    case = play(planned(plan, clocks=clocks)).open().give("suspend", "b", day(2)).plan(orders.suspend_all)
    assert set(case.items.values()) == {"suspended"}
    assert case.machine["clocks"]["answer"]["1"]["status"] == "paused"
    assert "wake" not in case.machine
    assert [o.rule for o in case.refused("resume", "a")] == ["casekit.plan-state"]
    case.plan(orders.resume_all, day(12))
    assert case.items == {"a.1": "active", "b.1": "suspended"}
    assert (case.rows["a.1"]["due"], case.machine["clocks"]["answer"]["1"]["due"]) == (day(15), day(20))


# --- reopening


def test_a_closed_case_that_is_reopened_gets_its_plan_anew(play: Any) -> None:
    plan = {
        "a": Item(),
        "once": Item(on_reopen="never"),
        "m": Item("milestone", entry=on("a.completed")),
        "t": Item(entry=(Sentry(when="milestone('m')"),)),
    }
    case = play(planned(plan)).open().give("complete", "a").give("complete", "once").give("complete", "t").do("finish")
    assert case.items == {}
    case.do("reopen")
    assert case.items == {"a.2": "active", "m.2": "available", "t.2": "available"}
    case.give("complete", "a")
    assert case.items == {"t.2": "active"}
    assert case.ended["once.1"] == "completed"


def test_an_item_that_was_done_is_reopened(play: Any) -> None:
    plan = {
        "s": Item("stage"),
        "a": Item(stage="s", entry=on("state.enter:work")),
        "k": Item(stage="s"),
        "b": Item(entry=(Sentry(when="done('a')"),)),
    }
    case = play(planned(plan), n=0).open().do("begin").give("complete", "a").give("complete", "b")
    case.give("reopen", "a")
    assert case.items == {"s.1": "active", "k.1": "active", "a.2": "active"}
    assert case.refused("reopen", "a")[0].args["state"] == "active"
    case.give("complete", "a").give("complete", "k")
    assert case.ended["s.1"] == "completed"
    assert case.refused("reopen", "a")[0].rule == "casekit.stage-not-active"
    case.give("reopen", "s")
    assert case.items == {"s.2": "active", "a.3": "available", "k.2": "active"}


# --- put in later


OFFERED = {
    "s": Item("stage", entry=on("state.enter:work")),
    "k": Item(stage="s"),
    "visit": Item(stage="s", discretionary=Discretionary("plan.visit"), title="Visit"),
    "extra": Item(discretionary=Discretionary(), entry=on("k.completed")),
}


def test_what_is_offered_comes_when_someone_plans_it_in(play: Any) -> None:
    case = play(planned(OFFERED)).open()
    assert [o.rule for o in case.refused("add", "visit")] == ["casekit.stage-not-active"]
    case.do("begin").give("add", "visit", source="7").give("add", "visit").give("add", "extra")
    assert case.items == {"s.1": "active", "k.1": "active", "visit.1": "active", "visit.2": "active", "extra.1": "available"}
    assert (case.rows["visit.1"]["source"], case.rows["visit.1"]["stage"]) == ("7", "s.1")
    assert [o.rule for o in case.refused("add", "k")] == ["casekit.item-not-offered"]
    case.give("complete", "k")
    assert case.items["extra.1"] == "active"


def test_a_case_has_items_of_its_own(play: Any) -> None:
    case = play(planned(OFFERED)).open().do("begin")
    own = {
        "kind": "task",
        "entry": [{"on": ["k.completed"]}],
        "required": True,
        "due": {"after": "P2D", "of": "k.completed"},
        "who": "agent",
    }
    case.give("add", "ring", own=own, stage="s", source="user", sealed={"case": "v1.x"})
    assert (case.items["ring.1"], case.rows["ring.1"]["stage"], case.rows["ring.1"]["who"]) == ("available", "s.1", "agent")
    case.give("complete", "k", day(3))
    assert (case.items["ring.1"], case.rows["ring.1"]["due"]) == ("active", day(5))
    assert [o.rule for o in case.refused("skip", "ring")] == ["casekit.item-required"]
    assert [b.args["key"] for b in case.refused("complete", "s")] == ["ring.1"]
    with pytest.raises(BadInput, match="already"):
        case.refused("add", "ring", own={"kind": "task"})
    case.give("complete", "ring")
    assert case.log[-1][4]["ring.1"][2] == {"case": "v1.x"}  # its words stay with it
    case.give("complete", "s")
    assert case.items == {}


def test_a_case_s_own_item_may_have_conditions(play: Any) -> None:
    case = play(planned(OFFERED), n=0).open().do("begin")
    own = {"kind": "task", "entry": [{"when": "n > 1 and at('work')"}], "required": "n < 9", "stage": "s"}
    case.give("add", "ring", own=own, stage="s")
    case.give("add", "after", own={"kind": "task", "entry": [{"when": "done('ring')"}]})
    assert case.items["ring.1"] == "available"
    assert [o.rule for o in case.refused("skip", "ring")] == ["casekit.item-required"]
    case.set(n=2)
    assert (case.items["ring.1"], case.items["after.1"]) == ("active", "available")
    case.give("complete", "ring")
    assert case.items["after.1"] == "active"


@pytest.mark.parametrize(
    ("name", "own", "said"),
    [
        ("k", {}, "already"),
        ("Ring", {}, "no key"),
        ("x", {"stage": "k"}, "no stage"),
        ("x", {"stage": "nowhere"}, "no item"),
        ("x", {"entry": [{"on": ["k.flown"]}]}, "never happens"),
        ("x", {"entry": [{"when": "'a' == 'Maria'"}]}, "in the clear"),
        ("x", {"required": "unheard > 1"}, "no field"),
        ("x", {"kind": "milestone", "entry": [{"when": "1 == 1"}], "repeat": {}}, "reached for ever"),
        ("x", {"who": "Ms Gray"}, "no key"),
        ("x", {"title": "Ring Ms Gray"}, "in the clear"),
        ("x", {"kind": "timer"}, "never occurs"),
        ("x", {"kind": "listener", "entry": [{"on": ["k"]}]}, "no entry"),
        ("x", {"colour": "red"}, "no such field"),
        ("x", {"due": {"after": "soon"}}, "no duration"),
    ],
)
def test_an_own_item_that_makes_no_sense_is_bad_input(play: Any, name: str, own: Any, said: str) -> None:
    case = play(planned(OFFERED)).open().do("begin")
    before = case.machine
    with pytest.raises(BadInput, match=said):
        case.refused("add", name, own=own, stage=own.get("stage", ""))
    assert case.machine == before


def test_a_type_without_a_plan_takes_items_of_the_case(play: Any) -> None:
    case = play(planned({})).open()
    assert "plan" not in case.machine["memory"]
    case.give("add", "ring", own={"kind": "task", "due": {"after": "P1D"}})
    assert (case.items, case.machine["wake"]) == ({"ring.1": "active"}, day(2))
    case.give("complete", "ring")
    assert (case.items, case.happened[-2:]) == ({}, ["item.ring.completed", "plan.completed"])


def test_another_choice_makes_room(play: Any) -> None:
    case = play(planned({"k": Item()})).open()
    case.give("add", "one", own={"kind": "task"}, source="option:a").give("add", "two", own={"kind": "task"}, source="option:a")
    case.give("complete", "one").plan(orders.replace).give("add", "one", own={"kind": "task"}, source="option:b")
    assert (case.items, case.ended) == ({"k.1": "active", "one.2": "active"}, {"one.1": "completed", "two.1": "replaced"})
    assert list(case.machine["memory"]["plan"]["local"]) == ["one"]


def test_items_move_between_stages(play: Any) -> None:
    plan = {
        "a": Item("stage"),
        "x": Item(stage="a"),
        "in": Item("stage", stage="a"),
        "y": Item(stage="in"),
        "b": Item("stage"),
        "z": Item(stage="b"),
    }
    case = play(planned(plan)).open().give("move", "x", stage="b")
    assert (case.rows["x.1"]["stage"], case.items["x.1"]) == ("b.1", "active")
    case.give("complete", "z")
    assert case.items["b.1"] == "active"  # x lies in it now
    assert [o.rule for o in case.refused("move", "a", stage="in")] == ["casekit.item-state"]
    case.give("complete", "y")
    assert case.ended["a.1"] == "completed"
    assert [o.rule for o in case.refused("move", "x", stage="a")] == ["casekit.stage-not-active"]
    with pytest.raises(BadInput, match="no stage"):
        case.refused("move", "x", stage="z")
    case.give("move", "x")
    assert case.ended["b.1"] == "completed"


def test_what_is_required_is_skipped_only_with_authority(play: Any) -> None:
    case = play(planned({"a": Item(required=True), "b": Item(entry=on("a.skipped"))})).open()
    assert [o.rule for o in case.refused("skip", "a")] == ["casekit.item-required"]
    case.give("skip", "a", override=True)
    assert (case.ended, case.items) == ({"a.1": "skipped"}, {"b.1": "active"})


# --- conditions


def test_conditions_look_at_the_plan(play: Any) -> None:
    ways = {
        "one": Transition("open", "work", on="go", when="active('a') and not done('a')"),
        "two": Transition("open", "dropped", on="go", when="suspended('a')"),
        "three": Transition("open", "done", on="always", when="milestone('m')"),
    }
    plan = {"a": Item(), "m": Item("milestone", entry=on("a.completed"))}
    assert play(planned(plan, ways)).open().do("go").state == "work"
    assert play(planned(plan, ways)).open().give("suspend", "a").do("go").state == "dropped"
    assert play(planned(plan, ways)).open().give("complete", "a").state == "done"


def test_of_several_instances_the_oldest_is_meant(play: Any) -> None:
    plan = {"a": Item(entry=on("state.enter:work"), repeat=Repeat())}
    case = play(planned(plan), restore="permuted").open()
    for _ in range(10):
        case.do("begin").do("back")
    case.give("complete", "a")
    assert list(case.ended) == ["a.1"]
    assert case.give("complete", "a").ended == {"a.1": "completed", "a.2": "completed"}


def test_plans_hear_every_region(play: Any) -> None:
    tracks = State(
        "At work",
        "open",
        parallel=True,
        states={
            "main": State("Main", initial="doing", states={"doing": State("Doing"), "checking": State("Checking")}),
            "hold": State("Hold", initial="no", states={"no": State("No"), "yes": State("Yes")}),
        },
    )
    case_type = CaseType(
        "tracks",
        "1",
        "Tracks",
        "tracks",
        {"tracks": tracks, "over": State("Over", "closed", outcome="done")},
        {
            "check": Transition("tracks.main.doing", "tracks.main.checking"),
            "stop": Transition("tracks.hold.no", "tracks.hold.yes"),
            "end": Transition("tracks", "over"),
        },
        plan={
            "first": Item(entry=on("state.enter:tracks.main.doing")),
            "look": Item(entry=on("state.enter:tracks.main.checking", "state.enter:tracks.hold.yes")),
            "hold": Item("stage", entry=on("stop")),
            "ask": Item(stage="hold"),
        },
    )
    case = play(case_type).open()
    assert case.items == {"first.1": "active", "look.1": "available", "hold.1": "available"}
    case.do("stop")
    assert case.items == {"first.1": "active", "look.1": "available", "hold.1": "active", "ask.1": "active"}
    case.do("check")
    assert case.items["look.1"] == "active"
    run = case.run(case.now)
    assert [b.item for b in run.plan.blockers(run.definition.ways["end"][0])] == ["first", "look", "hold"]


def test_a_stage_of_the_cases_own_stays_open_for_what_is_put_into_it(play: Any) -> None:
    case = play(planned({})).open().give("add", "talks", own={"kind": "stage"}).give("add", "call", own={"kind": "task"}, stage="talks")
    assert case.items == {"talks.1": "active", "call.1": "active"}
    case.give("complete", "call").give("complete", "talks")
    assert case.items == {}
