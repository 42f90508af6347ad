"""Regions, histories, final states: each test names the rule that it holds to, SCXML's where there is one."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from casekit.decisions.check import check
from casekit.definition.casetype import ALWAYS, Action, CaseType, Clock, Requirement, State, Transition
from casekit.definition.fields import field
from casekit.definition.load import canonical, digest, read_case_type
from casekit.errors import BadInput, Livelock


def said(text: str) -> tuple[Action, ...]:
    return (Action(run="say", args={"what": f"'{text}'"}),)


def state(name: str, states: dict[str, State] | None = None, initial: str = "", **more: Any) -> State:
    return State(name, more.pop("category", ""), initial, states or {}, on_enter=said(f"+{name}"), on_exit=said(f"-{name}"), **more)


def passed(case: Any) -> str:
    return " ".join(args["what"] for _, args in case.log[-1][2])


def tracks(transitions: dict[str, Transition], **more: Any) -> CaseType:
    """A hold track beside a main track, and a state for what is over."""
    hold = {"off": state("off"), "on": state("on", category="waiting-third")}
    main = {"draft": state("draft"), "sent": state("sent", category="waiting-party"), "done": state("done", category="resolved")}
    work = {"hold": state("hold", hold, "off"), "main": state("main", main, "draft", category="open")}
    states = {"work": state("work", work, parallel=True), "over": state("over", category="closed", outcome="over")}
    paths = ("work.hold.on", "work.main.sent", "work.main.done", "over", "work")
    ways = {f"to-{p.replace('.', '-')}": Transition(("work", "over"), p, on="never") for p in paths}
    return CaseType("tracks", "1", "Tracks", "work", states, {**transitions, **ways}, data={"n": field(int), "flag": field(bool)}, **more)


# --- regions --------------------------------------------------------------------------------------------------------


def test_entering_a_parallel_state_enters_every_region_in_document_order(play: Any) -> None:
    case = play(tracks({})).open()
    assert passed(case) == "+work +hold +off +main +draft"
    assert case.machine["active"] == ["work.hold.off", "work.main.draft"]


def test_leaving_a_parallel_state_leaves_deepest_first_in_reverse_document_order(play: Any) -> None:
    case = play(tracks({"end": Transition("work", "over", do=said("*"))})).open().do("end")
    assert passed(case) == "-draft -main -off -hold -work * +over"
    assert (case.machine["category"], case.machine["outcome"]) == ("closed", "over")


def test_an_event_moves_every_region_that_listens_and_each_by_its_own_way(play: Any) -> None:
    ways = {
        "stop": Transition("work.hold.off", "work.hold.on", on="call", do=said("1")),
        "send": Transition("work.main.draft", "work.main.sent", on="call", do=said("2")),
    }
    case = play(tracks(ways)).open().do("call")
    # All that is left is left first, then the transitions in document order of their regions, then all is entered.
    assert passed(case) == "-draft -off 1 2 +on +sent"
    assert case.happened == ["transition.stop", "transition.send"]
    assert case.state == "work.hold.on,work.main.sent"


def test_a_region_that_does_not_listen_stays_as_it_is(play: Any) -> None:
    case = play(tracks({"stop": Transition("work.hold.off", "work.hold.on")})).open().do("stop")
    assert (case.state, passed(case)) == ("work.hold.on,work.main.draft", "-off +on")


def test_of_two_ways_in_conflict_the_one_that_comes_first_in_document_order_is_taken(play: Any) -> None:
    ways = {
        "out-1": Transition("work.hold.off", "over", on="go"),
        "out-2": Transition("work.main.draft", "work.main.sent", on="go"),
    }
    case = play(tracks(ways)).open().do("go")
    assert (case.state, case.happened) == ("over", ["transition.out-1"])


def test_of_two_ways_in_conflict_the_one_from_the_inner_state_is_taken(play: Any) -> None:
    # The hold track has none of its own, so it takes the outer one; that of the main track lies deeper, and wins.
    ways = {"out": Transition("work", "over", on="go"), "inner": Transition("work.main.draft", "work.main.sent", on="go")}
    case = play(tracks(ways)).open().do("go")
    assert (case.state, case.happened) == ("work.hold.off,work.main.sent", ["transition.inner"])


def test_a_way_that_several_leaves_have_in_common_is_taken_once(play: Any) -> None:
    case = play(tracks({"count": Transition("work", None, do=(Action(set={"n": "n + 1"}),))}), n=0).open().do("count")
    assert (case.world.data["n"], case.happened) == (1, ["transition.count"])


def test_a_target_in_another_region_leaves_and_enters_the_whole_parallel_state(play: Any) -> None:
    case = play(tracks({"stop": Transition("work.hold.off", "work.hold.on"), "jump": Transition("work.main.draft", "work.hold.off")}))
    case.open().do("stop").do("jump")
    # The innermost compound state around source and target is the root, for a parallel state is none (SCXML 3.13).
    assert passed(case) == "-draft -main -on -hold -work +work +hold +off +main +draft"


def test_several_targets_are_entered_together_and_the_other_regions_by_default(play: Any) -> None:
    ways = {
        "end": Transition("work", "over"),
        "back": Transition("over", "work.hold.on work.main.sent"),
        "half": Transition("over", "work.main.done"),
    }
    case = play(tracks(ways)).open().do("end").do("back")
    assert (case.state, passed(case)) == ("work.hold.on,work.main.sent", "-over +work +hold +on +main +sent")
    assert case.do("end").do("half").state == "work.hold.off,work.main.done"


def test_a_case_may_begin_in_several_states(play: Any) -> None:
    assert play(attrs.evolve(tracks({}), initial="work.hold.on work.main.sent")).open().state == "work.hold.on,work.main.sent"


def test_conditions_see_the_configuration_as_it_is_at_that_moment(play: Any) -> None:
    tell = (Action(when="at('work.main')", emit="in-main", otherwise=(Action(emit="not-in-main"),)),)
    case_type = tracks({"end": Transition("work", "over", do=tell)})
    work = case_type.states["work"]
    inner = {**work.states, "hold": attrs.evolve(work.states["hold"], on_exit=tell, on_enter=tell)}
    case_type = attrs.evolve(case_type, states={**case_type.states, "work": attrs.evolve(work, states=inner)})
    case = play(case_type).open()
    assert case.log[-1][0] == ["not-in-main"]  # the main track is entered after the hold track
    case.do("end")
    assert case.log[-1][0] == ["transition.end", "not-in-main", "not-in-main"]  # left before it, and before the deeds of the way


def test_what_a_way_does_sees_neither_what_it_has_left_nor_what_it_will_enter(play: Any) -> None:
    tell = tuple(Action(when=f"at('{path}')", emit=path) for path in ("a", "b", "c"))
    states = {"a": State("A", "open"), "b": State("B", "open"), "c": State("C", "open", on_enter=tell)}
    ways = {"go": Transition("a", "b", do=tell), "on": Transition("b", "c", do=tell)}
    case = play(CaseType("t", "1", "T", "a", states, ways)).open().do("go")
    assert case.log[-1][0] == ["transition.go"]
    assert case.do("on").log[-1][0] == ["transition.on", "c"]


def test_an_internal_way_keeps_a_compound_source_and_leaves_a_parallel_one(play: Any) -> None:
    ways = {
        "kept": Transition("work.main", "work.main.sent", internal=True),
        "left": Transition("work", "work.main.sent", internal=True),
    }
    case = play(tracks(ways)).open().do("kept")
    assert passed(case) == "-draft +sent"
    assert passed(case.do("left")) == "-sent -main -off -hold -work +work +hold +off +main +sent"


def test_requirements_hold_back_one_region_and_not_the_other(play: Any) -> None:
    ways = {
        "auto-1": Transition("work.hold.off", "work.hold.on", on=ALWAYS, when="flag", requires="rich"),
        "auto-2": Transition("work.main.draft", "work.main.sent", on=ALWAYS, when="flag"),
    }
    case = play(tracks(ways, requirements={"rich": Requirement("n > 5")}), flag=True, n=1).open()
    assert case.state == "work.hold.off,work.main.sent"


def test_an_endless_change_between_regions_is_named(play: Any) -> None:
    ways = {
        "ping": Transition("work.hold.off", "work.hold.on", on=ALWAYS, when="at('work.main.draft')"),
        "pang": Transition("work.main.draft", "work.main.sent", on=ALWAYS, when="at('work.hold.on')"),
        "pong": Transition("work.hold.on", "work.hold.off", on=ALWAYS, when="at('work.main.sent')"),
        "pung": Transition("work.main.sent", "work.main.draft", on=ALWAYS, when="at('work.hold.off')"),
    }
    case = play(tracks(ways))
    before = json.dumps(case.machine)
    with pytest.raises(Livelock) as found:
        case.open()
    assert set(found.value.cycle) == {"ping", "pang", "pong", "pung"}
    assert json.dumps(case.machine) == before


def test_a_forced_way_is_taken_from_the_region_that_is_nearest_to_its_target(play: Any, build: Any) -> None:
    definition = build(tracks({"done": Transition("work.main.sent", "work.main.done")}))
    case = play(definition).open()
    case.step(case.now, lambda run: run.take(definition.ways["done"][0], {}))
    assert (case.state, passed(case)) == ("work.hold.off,work.main.done", "-draft +done")


def test_clocks_of_one_region_run_on_while_another_one_moves(play: Any) -> None:
    ways = {
        "stop": Transition("work.hold.off", "work.hold.on"),
        "late": Transition("work.main.draft", "work.main.sent", on="clock.reply.breached"),
    }
    clocks = {
        "reply": Clock("P14D", start="at('work.main.draft')", pause="at('work.hold.on')"),
        "held": Clock("P1D", start="at('work.hold.on')"),
    }
    case = play(tracks(ways, clocks=clocks)).open("2026-01-01T00:00:00.000000Z").do("stop", "2026-01-05T00:00:00.000000Z")
    assert case.machine["clocks"]["reply"]["1"]["status"] == "paused"
    assert case.machine["clocks"]["held"]["1"]["due"] == "2026-01-06T00:00:00.000000Z"
    assert case.tick("2026-03-01T00:00:00.000000Z").state == "work.hold.on,work.main.draft"


# --- category and outcome -------------------------------------------------------------------------------------------


def test_the_category_is_that_of_the_first_region_that_says_one(play: Any) -> None:
    ways = {
        "stop": Transition("work.hold.off", "work.hold.on"),
        "go": Transition("work.hold.on", "work.hold.off"),
        "send": Transition("work.main.draft", "work.main.sent"),
    }
    case = play(tracks(ways)).open()
    assert case.machine["category"] == "open"  # the hold track is silent while it is off
    assert case.do("send").machine["category"] == "waiting-party"
    assert case.do("stop").machine["category"] == "waiting-third"
    assert case.do("go").machine["category"] == "waiting-party"


def test_where_no_region_says_a_category_it_is_that_of_the_state_around_them(play: Any) -> None:
    regions = {"a": State("A", states={"x": State("X")}, initial="x"), "b": State("B", outcome="b")}
    case = play(CaseType("t", "1", "T", "p", {"p": State("P", "resolved", states=regions, parallel=True, outcome="p")})).open()
    assert (case.machine["category"], case.machine["outcome"]) == ("resolved", "b")


# --- histories ------------------------------------------------------------------------------------------------------


def remembering(kind: Any) -> CaseType:
    """A state of two levels that can be left and come back to."""
    inner = {
        "back": State("Back", initial="idle", history=kind, on_enter=said("first")),
        "idle": state("idle"),
        "busy": state("busy", {"one": state("one"), "two": state("two")}, "one"),
    }
    states = {"work": state("work", inner, "idle", category="open"), "held": state("held", category="waiting-third")}
    ways = {
        "begin": Transition("work.idle", "work.busy"),
        "on": Transition("work.busy.one", "work.busy.two"),
        "hold": Transition("work", "held"),
        "resume": Transition("held", "work.back"),
    }
    return CaseType("remembering", "1", "Remembering", "work", states, ways)


@pytest.mark.parametrize("restore", ["json", "straight", "permuted"])
@pytest.mark.parametrize(("kind", "ends"), [("shallow", "work.busy.one"), ("deep", "work.busy.two")])
def test_a_history_leads_back_to_where_the_case_was(play: Any, kind: Any, ends: str, restore: str) -> None:
    case = play(remembering(kind), restore=restore).open().do("begin").do("on").do("hold")
    assert case.machine["history"] == {"work.back": ["work.busy" if kind == "shallow" else "work.busy.two"]}
    assert case.do("resume").state == ends
    assert "first" not in passed(case)


def test_a_history_that_remembers_nothing_leads_to_its_default_and_does_what_it_says(play: Any) -> None:
    case_type = attrs.evolve(remembering("deep"), initial="held")
    case = play(case_type).open().do("resume")
    assert (case.state, passed(case)) == ("work.idle", "-held +work first +idle")


def test_a_way_back_to_where_the_case_is_now_remembers_before_it_leads_there(play: Any) -> None:
    case_type = remembering("deep")
    case_type = attrs.evolve(case_type, transitions={**case_type.transitions, "again": Transition("work", "work.back")})
    case = play(case_type).open().do("begin").do("on").do("again")
    assert (case.state, passed(case)) == ("work.busy.two", "-two -busy -work +work +busy +two")


def test_a_deep_history_over_regions_brings_every_region_back(play: Any) -> None:
    work = tracks({}).states["work"]
    job = State("Job", "open", "work", {"work": work, "past": State("Past", history="deep", initial="work")})
    ways = {
        "stop": Transition("job.work.hold.off", "job.work.hold.on"),
        "send": Transition("job.work.main.draft", "job.work.main.sent"),
        "done": Transition("job.work.main.sent", "job.work.main.done"),
        "leave": Transition("job", "away"),
        "back": Transition("away", "job.past"),
    }
    case = play(CaseType("t", "1", "T", "job", {"job": job, "away": State("Away", "waiting-party")}, ways)).open()
    case.do("stop").do("send").do("leave")
    assert case.machine["history"] == {"job.past": ["job.work.hold.on", "job.work.main.sent"]}
    assert case.do("back").state == "job.work.hold.on,job.work.main.sent"


# --- final states ---------------------------------------------------------------------------------------------------


def test_a_state_is_done_when_its_final_state_is_entered_and_a_parallel_one_when_every_region_is(play: Any) -> None:
    regions = {
        name: State(name, states={"todo": State("Todo"), "ready": State("Ready", final=True, done={"by": f"'{name}'"})}, initial="todo")
        for name in ("a", "b")
    }
    states = {"p": State("P", "open", states=regions, parallel=True), "over": State("Over", "closed")}
    ways = {
        "a": Transition("p.a.todo", "p.a.ready"),
        "b": Transition("p.b.todo", "p.b.ready"),
        "heard": Transition(
            "p", None, on="done.state.p.a", form={"by": field(str, personal=False)}, do=(Action(run="tell", args={"by": "event.by"}),)
        ),
        "end": Transition("p", "over", on="done.state.p"),
    }
    case = play(CaseType("t", "1", "T", "p", states, ways)).open().do("b")
    assert case.log[-1][0] == ["transition.b", "done.state.p.b"]
    case.do("a")
    assert case.log[-1][0] == ["transition.a", "done.state.p.a", "transition.heard", "done.state.p", "transition.end"]
    assert case.log[-1][2] == [("tell", {"by": "a"})]
    assert case.state == "over"


def test_a_done_event_comes_after_what_entering_the_final_state_does(play: Any) -> None:
    inner = {"x": State("X"), "y": State("Y", final=True, on_enter=(Action(emit="entered"),))}
    case = play(CaseType("t", "1", "T", "s", {"s": State("S", "open", "x", inner)}, {"go": Transition("s.x", "s.y")})).open().do("go")
    assert case.happened == ["transition.go", "entered", "done.state.s"]


# --- what actions can say -------------------------------------------------------------------------------------------


def test_what_is_done_on_the_way_to_an_initial_state_is_left_out_where_another_one_is_named(play: Any) -> None:
    inner = {"x": state("x"), "y": state("y")}
    states = {"s": state("s", inner, "x", category="open", on_initial=said("default")), "t": state("t", category="open")}
    ways = {"out": Transition("s", "t"), "in": Transition("t", "s"), "named": Transition("t", "s.y")}
    case = play(CaseType("t", "1", "T", "s", states, ways)).open()
    assert passed(case) == "+s default +x"
    assert passed(case.do("out").do("named")) == "-t +s +y"
    assert passed(case.do("out").do("in")) == "-t +s default +x"


def test_an_action_may_depend_on_a_condition_and_what_is_unknown_does_not_hold(play: Any) -> None:
    act = Action(when="n > 1", set={"n": "0"}, do=said("more") + said("still"), otherwise=(Action(set={"n": "9"}),))
    case_type = tracks({"go": Transition("work", None, do=(act, Action(unset="flag")))})
    case = play(case_type, n=5, flag=True).open().do("go")
    assert (case.log[-1][1], passed(case)) == ({"n": 0, "flag": None}, "more still")
    assert play(case_type).open().do("go").world.data == {"n": 9, "flag": None}


def test_an_internal_event_carries_what_the_action_gives_it(play: Any) -> None:
    form = {"by": field(int)}
    ways = {
        "go": Transition("work.main.draft", None, do=(Action(emit="next", args={"by": "n + 1"}),)),
        "next": Transition("work.main.draft", "work.main.sent", form=form, when="event.by == 4", do=(Action(set={"n": "event.by"}),)),
    }
    assert play(tracks(ways), n=3).open().do("go").world.data["n"] == 4
    assert play(tracks(ways), n=2).open().do("go").state == "work.hold.off,work.main.draft"


# --- definitions ----------------------------------------------------------------------------------------------------


def test_the_new_fields_leave_the_digest_of_an_older_case_type_alone() -> None:
    old = CaseType(
        "t", "1", "T", "a", {"a": State("A", "open", on_enter=said("x")), "b": State("B", "closed")}, {"go": Transition("a", "b")}
    )
    assert "parallel" not in json.dumps(canonical(old))
    assert digest(old) == "8e87d6c6b74ee6755b21d4a021e4d60849f4aa853db0cefb63dcfc166870985b"


def test_a_case_type_with_regions_is_read_from_its_json_again() -> None:
    for case_type in (tracks({}), remembering("deep")):
        again = read_case_type(json.loads(json.dumps(canonical(case_type))))
        assert (again, digest(again)) == (case_type, digest(case_type))


def planted(**changes: Any) -> CaseType:
    work = tracks({}).states["work"]
    return attrs.evolve(tracks({}), states={**tracks({}).states, "work": attrs.evolve(work, **changes)})


LONE = {"main": State("Main", "open")}
PAIR = {"a": State("A", "open"), "b": State("B", "open")}
PAST = {"x": State("X", "open"), "past": State("Past", history="deep", initial="x")}


@pytest.mark.parametrize(
    ("case_type", "where", "what"),
    [
        (CaseType("t", "1", "T", "p", {"p": State("P", states=LONE, parallel=True)}), "/states/p/parallel", "two regions"),
        (CaseType("t", "1", "T", "p", {"p": State("P", states=PAIR, parallel=True, initial="a")}), "/states/p/initial", "all its regions"),
        (CaseType("t", "1", "T", "p", {"p": State("P", initial="x", states={**PAST, "past": State(history="deep")})}), "/states/p/states/past/initial", "without default"),
        (CaseType("t", "1", "T", "p", {"p": State("P", initial="x", states=PAST), "h": State(history="deep", initial="p")}), "/states/h", "within the state"),
        (CaseType("t", "1", "T", "p", {"p": State("P", initial="x", states={**PAST, "past": State(history="deep", initial="y")})}), "/states/p/states/past/initial", "no state here"),
        (CaseType("t", "1", "T", "p", {"p": State("P", initial="x", states={**PAST, "z": State("Z", "closed")})}), "/states/p/states/past", "is over"),
        (CaseType("t", "1", "T", "p", {"p": State("P", initial="x", states={**PAST, "past": State(history="deep", initial="x", final=True)})}), "/states/p/states/past", "no state"),
        (CaseType("t", "1", "T", "p", {"p": State("P", states={"a": State("A", "closed"), "b": State("B", "open")}, parallel=True)}), "/states/p/states/a/category", "can't end"),
        (CaseType("t", "1", "T", "p", {"p": State("P", states={"a": State("A"), "b": State("B")}, parallel=True)}), "/states/p/states/a/category", "is missing"),
        (CaseType("t", "1", "T", "p", {"p": State("P", states={"a": State("A", "open", final=True), "b": State("B")}, parallel=True)}), "/states/p/states/a/final", "within the region"),
        (CaseType("t", "1", "T", "p", {"p": State("P", "open", states={"a": State("A")}, initial="a", final=True)}), "/states/p/final", "no inner states"),
        (CaseType("t", "1", "T", "p", {"p": State("P", "open", done={"x": "1"})}), "/states/p/done", "only a final state"),
        (CaseType("t", "1", "T", "p", {"p": State("P", "open", initial="x", states={"x.y": State("X")})}), "/states/p/states/x.y", "dot"),
        (CaseType("t", "1", "T", "p", {"p": State("P", "open", initial="X", states={"X": State("X")})}), "/states/p/states/X", "can't be a name"),
        (tracks({"x": Transition("work", "work.main.sent work.main.done")}), "/transitions/x/target", "together"),
        (tracks({"x": Transition("work", "work.main.sent over")}), "/transitions/x/target", "together"),
        (tracks({"x": Transition("work", "work.main work.main.done")}), "/transitions/x/target", "together"),
        (tracks({"x": Transition("work", "work.main.sent work.nowhere")}), "/transitions/x/target", "no state"),
        (tracks({"x": Transition("work", " ")}), "/transitions/x/target", "is empty"),
        (attrs.evolve(tracks({}), initial="work.main.sent work.main.done"), "/initial", "together"),
        (tracks({"x": Transition("work", None, on="done.state.work.main")}), "/transitions/x/on", "never done"),
        (tracks({"x": Transition("work", None, on="done.state.nowhere")}), "/transitions/x/on", "never done"),
        (tracks({"x": Transition("work", None, do=(Action(otherwise=said("x")),))}), "/transitions/x", "no otherwise"),
        (tracks({"x": Transition("work", None, do=(Action(when="flag", do=(Action(args={"x": "1"}),)),))}), "/transitions/x", "arguments of nothing"),
        (attrs.evolve(remembering("deep"), transitions={**remembering("deep").transitions, "x": Transition("work.back", "held")}), "/transitions/x/source", "never in it"),
        (planted(states={**tracks({}).states["work"].states, "extra": State("Extra", states={"in": State("In"), "lost": State("Lost")}, initial="in")}), "/states/work/states/extra/states/lost", "no transition leads here"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named(case_type: CaseType, where: str, what: str) -> None:
    with pytest.raises(BadInput) as found:
        check(case_type)
    key = case_type.key
    assert any(p.where == f"{key}: {where}" and what in p.what + p.do for p in found.value.problems), found.value


def test_a_silent_region_is_enough_where_another_one_always_says_the_category() -> None:
    check(tracks({}))


def test_reachability_follows_regions_and_histories() -> None:
    # Only by way of the history is the first inner state of a state ever entered that every other way enters past it.
    inner = {
        "past": State(history="shallow", initial="b"),
        "a": State("A", initial="x", states={"x": State("X"), "y": State("Y")}),
        "b": State("B"),
    }
    states = {"s": State("S", "open", "a.y", inner), "t": State("T", "open")}
    ways = {"out": Transition("s", "t"), "back": Transition("t", "s.past")}
    check(CaseType("t", "1", "T", "s", states, ways))
    with pytest.raises(BadInput, match=r"/states/s/states/a/states/x: no transition leads here"):
        check(
            CaseType(
                "t",
                "1",
                "T",
                "s",
                {**states, "s": attrs.evolve(states["s"], states={**inner, "past": State(history="deep", initial="b")})},
                ways,
            )
        )
