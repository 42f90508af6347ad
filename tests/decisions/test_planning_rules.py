"""The nine rules of a plan, each by its name."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from casekit.decisions.completion import judge
from casekit.decisions.orders import LEGAL
from casekit.definition.casetype import ALWAYS, Transition
from casekit.definition.plan import Discretionary, Item, Repeat, Sentry
from casekit.errors import BadInput
from plans import on, planned

# --- rule 1: the macrostep


def test_rule_1_lifecycle_first_then_the_plan_then_what_the_plan_says(play: Any) -> None:
    ways = {
        "go": Transition("work", "done", on="milestone.ready"),
        "pass": Transition("open", "work", on="now"),
    }
    plan = {"look": Item(entry=on("state.enter:work")), "ready": Item("milestone", entry=on("look.completed"))}
    case = play(planned(plan, ways)).open()
    assert case.items == {"look.1": "available", "ready.1": "available"}
    case.do("now")
    assert case.items == {"look.1": "active", "ready.1": "available"}
    case.give("complete", "look")
    # The task completes, the milestone is reached in the same step, and the lifecycle hears of it.
    assert case.state == "done"
    assert case.log[-1][0] == ["item.look.completed", "milestone.ready", "transition.go", "plan.completed"]


def test_rule_1_a_stage_that_completes_is_heard_by_the_lifecycle(play: Any) -> None:
    plan = {"talk": Item("stage"), "call": Item(stage="talk")}
    case = play(planned(plan, {"on": Transition("open", "work", on="stage.talk.completed")})).open().give("complete", "call")
    assert (case.state, case.ended) == ("work", {"call.1": "completed", "talk.1": "completed"})


# --- rule 2: sentries


def test_rule_2_all_events_and_the_condition_at_that_moment(play: Any) -> None:
    plan = {"a": Item(), "b": Item(), "c": Item(entry=on("a.completed", "b.completed", when="n > 1"))}
    case = play(planned(plan), n=0).open().give("complete", "a")
    assert case.items["c.1"] == "available"
    case.give("complete", "b")
    assert case.items["c.1"] == "available"  # all was heard, the condition does not hold
    case.set(n=2)
    assert case.items == {"c.1": "active"}  # what was heard is remembered, the condition is looked at again


def test_rule_2_the_condition_is_not_remembered(play: Any) -> None:
    plan = {"a": Item(), "c": Item(entry=on("a.completed", when="n > 1"))}
    case = play(planned(plan), n=2).open().set(n=0).give("complete", "a")
    assert case.items == {"c.1": "available"}


def test_rule_2_without_memory_all_must_come_within_one_step(play: Any) -> None:
    plan = {
        "a": Item(),
        "b": Item(entry=on("a.completed"), repeat=Repeat()),
        "kept": Item(entry=on("a.completed", "state.enter:work")),
        "lost": Item(entry=on("a.completed", "state.enter:work", memory=False)),
        "one": Item(entry=on("a.completed", when="flag", memory=False)),
    }
    case = play(planned(plan), flag=False).open().give("complete", "a").do("begin").set(flag=True)
    assert {name: state for name, state in case.items.items() if name[0] != "b"} == {
        "kept.1": "active",
        "lost.1": "available",
        "one.1": "available",
    }


def test_rule_2_only_what_came_since_the_item_did(play: Any) -> None:
    plan = {"a": Item(), "s": Item("stage", entry=on("state.enter:work")), "t": Item(stage="s", entry=on("a.completed"))}
    case = play(planned(plan)).open().give("complete", "a").do("begin")
    assert case.items == {"s.1": "active", "t.1": "available"}


def test_rule_2_a_sentry_with_a_condition_alone_looks_at_every_change(play: Any) -> None:
    plan = {"a": Item(entry=(Sentry(when="n > 1"),), exit=(Sentry(when="n > 5"),))}
    case = play(planned(plan)).open()
    assert case.items == {"a.1": "available"}  # unknown is not true
    assert case.set(n=1).items == {"a.1": "available"}
    assert case.set(n=2).items == {"a.1": "active"}
    assert case.set(n=6).ended == {"a.1": "terminated"}


# --- rule 3: the same step


def test_rule_3_what_comes_in_a_step_sees_all_that_happened_in_it(play: Any) -> None:
    plan = {
        "a": Item(),
        "s": Item("stage", entry=on("a.completed")),
        "inner": Item("stage", stage="s", entry=on("a.completed")),
        "leaf": Item(stage="inner", entry=on("a.completed")),
        "later": Item(stage="inner", entry=on("b.completed")),
        "b": Item(stage="inner"),
    }
    case = play(planned(plan)).open().give("complete", "a")
    assert case.items == {"s.1": "active", "inner.1": "active", "leaf.1": "active", "later.1": "available", "b.1": "active"}


# --- rule 4: exits first, entries any of


def test_rule_4_exits_come_before_entries(play: Any) -> None:
    plan = {"a": Item(), "b": Item(entry=on("a.completed"), exit=on("a.completed"))}
    case = play(planned(plan)).open().give("complete", "a")
    assert case.ended == {"a.1": "completed", "b.1": "terminated"}
    assert "started" not in case.rows["b.1"]


def test_rule_4_what_an_opening_says_ends_another_before_that_opens(play: Any) -> None:
    """In whichever order they stand: an exit comes first also where entry and exit hear the very same event."""
    for first, second in (("a", "b"), ("b", "a")):
        own = {"a": Item(entry=on("state.enter:work")), "b": Item(entry=on("a.started"), exit=on("a.started"))}
        case = play(planned({key: own[key] for key in (first, second)})).open().do("begin")
        assert (case.items, case.ended, "started" in case.rows["b.1"]) == ({"a.1": "active"}, {"b.1": "terminated"}, False)
    around = {
        "a": Item(entry=on("state.enter:work")),
        "s": Item("stage", exit=on("a.started")),
        "b": Item(stage="s", entry=on("a.started")),
    }
    case = play(planned(around)).open().do("begin")
    assert ("started" in case.rows["b.1"], case.ended) == (False, {"b.1": "terminated", "s.1": "terminated"})


def test_rule_4_any_entry_opens(play: Any) -> None:
    plan = {"a": Item(), "b": Item(), "c": Item(entry=(Sentry("a.completed"), Sentry("b.completed", when="flag")))}
    assert play(planned(plan)).open().give("complete", "a").items == {"b.1": "active", "c.1": "active"}
    assert play(planned(plan), flag=True).open().give("complete", "b").items == {"a.1": "active", "c.1": "active"}
    assert play(planned(plan), flag=False).open().give("complete", "b").items == {"a.1": "active", "c.1": "available"}


# --- rule 5: repetition


def test_rule_5_without_an_event_the_next_comes_when_one_is_completed(play: Any) -> None:
    case = play(planned({"a": Item(repeat=Repeat(3))})).open()
    for n in (1, 2, 3):
        assert case.items == {f"a.{n}": "active"}
        case.give("complete", "a")
    assert (case.items, list(case.ended.values())) == ({}, ["completed"] * 3)


def test_rule_5_as_long_as_its_condition_holds(play: Any) -> None:
    case = play(planned({"a": Item(repeat=Repeat(when="n < 5"))}), n=0).open().give("complete", "a")
    assert case.items == {"a.2": "active"}
    case.set(n=5).give("complete", "a")
    assert case.items == {}


def test_rule_5_with_an_event_the_next_waits_from_the_opening_on(play: Any) -> None:
    case = play(planned({"a": Item(), "b": Item(entry=on("state.enter:work"), repeat=Repeat(2))})).open().do("begin")
    assert case.items == {"a.1": "active", "b.1": "active", "b.2": "waiting"}  # what opened the first is not heard by the second
    case.do("back").do("begin")
    assert case.items == {"a.1": "active", "b.1": "active", "b.2": "active"}  # at most two
    case.do("back").do("begin")
    assert case.items == {"a.1": "active", "b.1": "active", "b.2": "active"}


def test_rule_5_the_counter_is_seen_by_required_and_by_repeat(play: Any) -> None:
    """A task that people start, that comes again and again, and that is required three times."""
    plan = {
        "s": Item("stage", auto_complete=True),
        "other": Item(stage="s", manual=True),
        "a": Item(stage="s", manual=True, required="counter() <= 3", repeat=Repeat(when="counter() < 9")),
    }
    case = play(planned(plan)).open()
    for n in (1, 2, 3):
        assert case.items[f"a.{n}"] == "enabled"
        case.give("start", "a").give("complete", "a")
    assert case.ended["s.1"] == "completed"  # the fourth is open, but nobody needs it
    assert case.ended["a.4"] == case.ended["other.1"] == "terminated"


# --- rule 6: completion


SIX: list[tuple[Item, dict[str, Any], list[str], bool]] = [
    # the one item of a stage, what was done to it, what blocks, whether the stage would complete by itself
    (Item(), {}, ["active"], False),
    (Item(blocks="never"), {}, [], True),
    (Item(blocks="never", required=True), {}, [], True),
    (Item(manual=True), {}, [], False),
    (Item(manual=True, blocks="when-active"), {}, [], True),
    (Item(manual=True, blocks="when-active", required=True), {}, ["required"], False),
    (Item(entry=on("never")), {}, [], False),
    (Item(entry=on("never"), blocks="when-active"), {}, [], True),
    (Item(entry=on("never"), required=True), {}, ["required"], False),
    (Item(entry=on("never"), required="n > 1"), {"n": 1}, [], False),
    (Item(entry=on("never"), required="n > 1"), {"n": 2}, ["required"], False),
    (Item("milestone", entry=on("never")), {}, [], False),
    (Item("milestone", entry=on("never"), required=True), {}, ["required"], False),
]


@pytest.mark.parametrize(("item", "data", "blocks", "by_itself"), SIX)
def test_rule_6_what_blocks_and_what_only_stays_open(play: Any, item: Item, data: Any, blocks: list[str], by_itself: bool) -> None:
    plan = {"s": Item("stage"), "x": attrs.evolve(item, stage="s"), "held": Item(stage="s")}
    case = play(planned(plan), **data).open()  # held keeps the stage from completing before we look
    run = case.run(case.now)
    del run.plan._own("held")["1"]
    found = judge(run.plan, "s.1", auto=False)
    assert ([b.why for b in found.blockers], found.by_itself) == (blocks, by_itself)
    assert judge(run.plan, "s.1", auto=True).by_itself == (not blocks)


def test_rule_6_all_blockers_are_named(play: Any) -> None:
    plan = {
        "s": Item("stage"),
        "a": Item(stage="s", title="Call"),
        "b": Item(stage="s", manual=True, required=True),
        "c": Item(stage="s", manual=True),
        "d": Item(stage="s"),
    }
    case = play(planned(plan)).open()
    against = case.refused("complete", "s")
    assert [(o.rule, o.args["key"]) for o in against] == [("casekit.plan-blocked", f"{x}.1") for x in "abd"]
    case.give("complete", "a").give("start", "b").give("complete", "b").give("complete", "d")
    assert case.items == {"s.1": "active", "c.1": "enabled"}  # completable by hand, not by itself
    case.give("complete", "s")
    assert case.ended == {"a.1": "completed", "b.1": "completed", "d.1": "completed", "c.1": "terminated", "s.1": "completed"}


def test_rule_6_until_first(play: Any) -> None:
    plan = {"s": Item("stage"), "a": Item(stage="s", repeat=Repeat(), blocks="until-first"), "b": Item(stage="s")}
    case = play(planned(plan)).open().give("complete", "b")
    assert case.items == {"s.1": "active", "a.1": "active"}
    case.give("complete", "a")
    assert case.ended["s.1"] == "completed"
    assert case.ended["a.2"] == "terminated"


def test_rule_6_offered_work_keeps_a_stage_open_unless_it_completes_automatically(play: Any) -> None:
    plan = {"s": Item("stage"), "a": Item(stage="s"), "d": Item(stage="s", discretionary=Discretionary())}
    assert play(planned(plan)).open().give("complete", "a").items == {"s.1": "active"}
    plan["s"] = Item("stage", auto_complete=True)
    assert play(planned(plan)).open().give("complete", "a").items == {}


def test_rule_6_the_closing_asks_the_plan_and_cancelling_does_not(play: Any) -> None:
    plan = {"a": Item(required=True, entry=on("never")), "b": Item()}
    way = {"over": Transition("open", "done", on=ALWAYS, when="flag")}
    case = play(planned(plan, way)).open()
    run = case.run(case.now)
    ways = run.definition.ways
    assert [(b.item, b.why) for b in run.plan.blockers(ways["finish"][0])] == [("a", "required"), ("b", "active")]
    assert run.plan.blockers(ways["drop"][0]) == ()
    assert run.plan.blockers(ways["begin"][0]) == ()
    assert case.set(flag=True).state == "open"  # what nobody fires waits for the plan
    case.give("complete", "b").give("skip", "a", override=True)
    assert case.state == "done"


# --- rule 7


@pytest.mark.parametrize(("deed", "how"), [("complete", "completed"), ("terminate", "terminated")])
def test_rule_7_what_has_not_ended_is_terminated_with_its_stage(play: Any, deed: str, how: str) -> None:
    plan = {
        "s": Item("stage"),
        "inner": Item("stage", stage="s", blocks="never"),
        "leaf": Item(stage="inner"),
        "open": Item(stage="s", manual=True),
        "wait": Item(stage="s", entry=on("never"), repeat=Repeat()),
        "heard": Item(entry=on("leaf.terminated")),
    }
    case = play(planned(plan)).open().give(deed, "s")
    assert case.ended == {"leaf.1": "terminated", "inner.1": "terminated", "open.1": "terminated", "wait.1": "terminated", "s.1": how}
    assert case.items == {"heard.1": "active"}


def test_rule_7_a_case_that_is_over_has_nothing_left(play: Any) -> None:
    plan = {"s": Item("stage"), "a": Item(stage="s"), "b": Item(manual=True)}
    case = play(planned(plan)).open().do("drop")
    assert (case.machine["items"], set(case.ended.values())) == ({}, {"terminated"})
    assert "seen" not in case.machine["memory"]["plan"]


# --- rule 8


def test_rule_8_listeners_that_nobody_hears_are_terminated(play: Any) -> None:
    plan = {
        "s": Item("stage"),
        "a": Item(stage="s", exit=on("stop")),
        "stop": Item("listener", stage="s"),
        "late": Item("timer", stage="s", due="P9D"),
        "b": Item(stage="s", entry=on("late")),
    }
    case = play(planned(plan)).open()
    assert case.items == {"s.1": "active", "a.1": "active", "stop.1": "available", "late.1": "available", "b.1": "available"}
    case.give("complete", "a")
    assert case.ended == {"a.1": "completed", "stop.1": "terminated"}  # the timer is still waited for
    case.give("skip", "b")
    assert case.items == {}  # and now nobody waits: the stage is complete


def test_rule_8_a_listener_that_something_still_to_come_will_hear_stays(play: Any) -> None:
    plan = {
        "stop": Item("listener"),
        "s": Item("stage", entry=on("state.enter:work")),
        "a": Item(stage="s", exit=on("stop")),
        "x": Item(),
    }
    case = play(planned(plan)).open().give("complete", "x")
    assert case.items == {"stop.1": "available", "s.1": "available"}
    case.do("begin").give("complete", "a")
    assert case.ended["stop.1"] == "terminated"


def test_rule_8_a_listener_that_the_lifecycle_or_a_condition_hears_stays(play: Any) -> None:
    plan = {"stop": Item("listener"), "seen": Item("listener"), "x": Item(), "y": Item(exit=(Sentry(when="done('seen')"),))}
    case = play(planned(plan, {"quit": Transition("open", "dropped", on="item.stop.completed")})).open()
    case.give("complete", "x").give("complete", "y")
    assert case.items == {"stop.1": "available", "seen.1": "available"}
    assert case.give("complete", "stop").state == "dropped"


# --- rule 9


def situations(play: Any) -> dict[str, Any]:
    plan = {
        "a": Item(manual=True),
        "s": Item("stage"),
        "keep": Item(stage="s"),
        "m": Item("milestone", entry=on("never")),
        "l": Item("listener"),
        "x": Item(exit=on("l")),
        "w": Item(entry=on("state.enter:work"), repeat=Repeat()),
    }
    case = lambda: play(planned(plan)).open()  # noqa: E731
    return {
        "available": (case(), "m"),
        "waiting": (case().do("begin").give("complete", "w"), "w.2"),
        "enabled": (case(), "a"),
        "disabled": (case().give("disable", "a"), "a"),
        "active": (case().give("start", "a"), "a"),
        "suspended": (case().give("start", "a").give("suspend", "a"), "a"),
        "ended": (case().give("start", "a").give("complete", "a"), "a"),
        "not in": (case().give("skip", "s"), "keep"),
    }


@pytest.mark.parametrize("action", LEGAL)
@pytest.mark.parametrize("state", ["available", "waiting", "enabled", "disabled", "active", "suspended", "ended"])
def test_rule_9_what_is_not_legal_is_refused_and_changes_nothing(play: Any, action: str, state: str) -> None:
    case, item = situations(play)[state]
    against = case.refused(action, item)  # compares the snapshot
    if state in LEGAL[action]:
        assert against == []
    else:
        assert [o.rule for o in against] == ["casekit.item-state"]
        assert against[0].args["state"] == state


def test_rule_9_names_that_are_none_are_bad_input(play: Any) -> None:
    case = play(planned({"a": Item()})).open()
    for action, item in (("complete", "b"), ("complete", "a.x"), ("fly", "a"), ("add", "zzz")):
        with pytest.raises(BadInput):
            case.refused(action, item)
    assert case.refused("complete", "a.7")[0].args["state"] == "ended"
