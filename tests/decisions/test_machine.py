"""The machine: which way an event takes, in which order states are left and entered, when it comes to rest."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casekit.decisions.machine import LIMIT, World
from casekit.definition.casetype import ALWAYS, Action, Book, CaseType, Clock, Requirement, State, Total, Transition
from casekit.definition.fields import field
from casekit.definition.load import digest
from casekit.errors import BadInput, Livelock
from casekit.model.money import Money


def said(text: str) -> tuple[Action, ...]:
    """An effect that says where the case passed by."""
    return (Action(run="say", args={"what": f"'{text}'"}),)


def state(name: str, states: dict[str, State] | None = None, initial: str = "", **more: Any) -> State:
    return State(name, more.pop("category", "open"), initial, states or {}, on_enter=said(f"+{name}"), on_exit=said(f"-{name}"), **more)


NESTED = CaseType(
    key="nested",
    version="1",
    title="Nested",
    initial="a",
    states={
        "a": state("a", {"b": state("b", {"c": state("c"), "d": state("d")}, "c"), "e": state("e")}, "b"),
        "f": state("f", {"g": state("g")}, "g"),
        "z": state("z", category="closed", outcome="done"),
        "void": state("void", category="cancelled"),
    },
    transitions={
        "sibling": Transition("a.b.c", "a.b.d", do=said("*")),
        "either": Transition(("a", "a.b.c"), "a.e", do=said("*")),
        "up": Transition("a.b", "a.e", do=said("*")),
        "out": Transition("a", "f", do=said("*")),
        "inner": Transition("a.b", "a.b.d", do=said("*")),
        "inner-kept": Transition("a.b", "a.b.d", internal=True, do=said("*")),
        "outer": Transition("a.b.c", "a", do=said("*")),
        "self": Transition("a.b.c", "a.b.c", do=said("*")),
        "self-kept": Transition("a.b.c", "a.b.c", internal=True, do=said("*")),
        "self-compound": Transition("a.b", "a.b", do=said("*")),
        "still": Transition("a", None, do=said("*")),
        "deep": Transition("f", "a.b.d", do=said("*")),
        "end": Transition(("a", "f"), "z", do=said("*")),
        "again": Transition("z", "a", do=said("*")),
        "annul": Transition("z", "void"),
    },
)


def passed(case: Any) -> str:
    return " ".join(args["what"] for _, args in case.log[-1][2])


@pytest.mark.parametrize(
    ("event", "ends", "order"),
    [
        ("sibling", "a.b.d", "-c * +d"),
        ("up", "a.e", "-c -b * +e"),
        ("either", "a.e", "-c -b * +e"),  # taken from the innermost of its sources
        ("out", "f.g", "-c -b -a * +f +g"),
        ("inner", "a.b.d", "-c -b * +b +d"),
        ("inner-kept", "a.b.d", "-c * +d"),
        ("outer", "a.b.c", "-c -b -a * +a +b +c"),
        ("self", "a.b.c", "-c * +c"),
        ("self-kept", "a.b.c", "-c * +c"),  # a source without inner states is left and entered, as in SCXML
        ("self-compound", "a.b.c", "-c -b * +b +c"),
        ("still", "a.b.c", "*"),
        ("end", "z", "-c -b -a * +z"),
    ],
)
def test_states_are_left_from_within_and_entered_from_without(play: Any, event: str, ends: str, order: str) -> None:
    case = play(NESTED).open()
    assert (case.state, passed(case)) == ("a.b.c", "+a +b +c")
    case.do(event)
    assert (case.state, passed(case)) == (ends, order)


def test_leaving_for_a_deep_state_enters_all_around_it(play: Any) -> None:
    case = play(NESTED).open().do("out").do("deep")
    assert (case.state, passed(case)) == ("a.b.d", "-g -f * +a +b +d")


def test_a_forced_way_keeps_what_is_around_both(play: Any, build: Any) -> None:
    definition = build(NESTED)
    case = play(definition).open().do("up")
    case.step(case.now, lambda run: run.take(definition.ways["sibling"][0], {}))  # from a.e, where it is not taken from
    assert (case.state, passed(case)) == ("a.b.d", "-e * +b +d")


def test_closing_says_the_outcome_and_reopening_begins_a_new_cycle(play: Any) -> None:
    case = play(NESTED).open().do("end")
    assert [case.machine[name] for name in ("category", "outcome", "cycle")] == ["closed", "done", 1]
    case.do("annul")  # over in another way, and not open again
    assert [case.machine[name] for name in ("category", "outcome", "cycle")] == ["cancelled", None, 1]
    case = play(NESTED).open().do("end").do("again")
    assert [case.machine[name] for name in ("category", "outcome", "cycle")] == ["open", None, 2]


def test_category_and_outcome_are_those_of_the_nearest_state_that_says_one(play: Any) -> None:
    inner = {"x": State("X"), "y": State("Y", "resolved", outcome="won")}
    states = {"o": State("O", "waiting-party", "x", inner, outcome="lost")}
    case = play(CaseType("t", "1", "T", "o", states, {"go": Transition("o.x", "o.y")})).open()
    assert (case.machine["category"], case.machine["outcome"]) == ("waiting-party", "lost")
    case.do("go")
    assert (case.machine["category"], case.machine["outcome"]) == ("resolved", "won")


# --- which way ------------------------------------------------------------------------------------------------------


def simple(transitions: dict[str, Transition], **more: Any) -> CaseType:
    states = {"a": State("A", "open", "i", {"i": State("I"), "j": State("J")}), "b": State("B", "open"), "c": State("C", "closed")}
    more = {"data": {"n": field(int), "flag": field(bool), "sum": field(Money)}, **more}
    # Nothing is unreachable: a way that is never taken leads to each state.
    paths = {f"to-{p.replace('.', '-')}": Transition("a", p, on="never") for p in ("a.i", "a.j", "b", "c")}
    return CaseType("t", "1", "T", "a", states, {**transitions, **paths}, **more)


def test_the_innermost_source_goes_first_and_then_the_order(play: Any) -> None:
    first = simple(
        {
            "outer": Transition("a", "c", on="go"),
            "inner": Transition("a.i", "b", on="go", when="flag"),
            "second": Transition("a.i", "a.j", on="go"),
        }
    )
    assert play(first, flag=True).open().do("go").state == "b"
    assert play(first, flag=False).open().do("go").state == "a.j"
    assert play(first).open().do("go").state == "a.j"  # unknown is not met
    ordered = attrs.evolve(
        first, transitions={k: attrs.evolve(t, order=2 if k == "inner" else 3 if k == "outer" else 1) for k, t in first.transitions.items()}
    )
    assert play(ordered, flag=True).open().do("go").state == "a.j"


def test_an_event_that_nothing_listens_to_here_finds_no_way(play: Any) -> None:
    case = play(simple({"go": Transition("b", "c"), "guarded": Transition("a", "c", when="n > 0")}), n=0).open()
    assert case.run(case.now).select("go", {}) is None
    assert case.run(case.now).select("guarded", {}) is None
    assert case.run(case.now).select("unheard-of", {}) is None


def test_conditions_see_the_form_and_actions_write_data(play: Any) -> None:
    form = {"by": field(int)}
    act = (
        Action(set={"n": "n + event.by", "flag": "n > 5"}),
        Action(set={"sum": "money('1.00 EUR') * n"}, run="told", args={"n": "n", "x": "flag"}),
    )
    case = play(simple({"add": Transition("a", None, form=form, when="event.by > 0", do=act)}), n=3).open()
    case.do("add", by=4)
    # One action after the other: within one, each expression sees what the one before it has set.
    assert case.log[-1][1:3] == ({"n": 7, "flag": True, "sum": "7.00 EUR"}, [("told", {"n": 7, "x": True})])
    assert case.run(case.now).select("add", {"by": 0}) is None
    assert case.run(case.now).select("add", {}) is None


def test_an_unknown_value_unsets_a_field(play: Any) -> None:
    case = play(simple({"go": Transition("a", None, do=(Action(set={"n": "n + 1"}),))})).open().do("go")
    assert case.log[-1][1] == {"n": None}


def test_an_event_that_an_action_raises_comes_in_the_same_step(play: Any) -> None:
    ways = {"go": Transition("a.i", "a.j", form={"by": field(int)}, do=(Action(emit="next"),)), "next": Transition("a.j", "b")}
    case = play(simple(ways)).open().do("go", by=1)
    assert case.state == "b"


# --- coming to rest -------------------------------------------------------------------------------------------------


def test_eventless_ways_go_first_then_internal_events_in_order(play: Any) -> None:
    ways = {
        "go": Transition("a.i", "a.j", do=(Action(emit="first"), Action(emit="second"))),
        "first": Transition("a.j", None, do=(Action(set={"n": "1"}),)),
        "auto": Transition("a.j", "b", on=ALWAYS, when="n == 1"),
        "second": Transition("b", "c"),
        "too-late": Transition("a.j", "c", on="second"),
    }
    case = play(simple(ways)).open().do("go")
    assert case.log[-1][0] == ["transition.go", "first", "transition.first", "transition.auto", "second", "transition.second"]
    assert case.state == "c"


def test_a_way_that_nobody_fires_needs_its_requirements_too(play: Any) -> None:
    ways = {
        "auto": Transition("a", "b", on=ALWAYS, when="flag", requires=("rich",)),
        "set": Transition("a", None, do=(Action(set={"n": "9"}),)),
    }
    case = play(simple(ways, requirements={"rich": Requirement("n > 5")}), flag=True).open()
    assert case.state == "a.i"
    assert case.do("set").state == "b"
    emitted = {"go": Transition("a", None, do=(Action(emit="next"),)), "next": Transition("a", "b", requires=("rich",))}
    case = play(simple(emitted, requirements={"rich": Requirement("n > 5")}), n=1).open().do("go")
    assert (case.state, case.happened) == ("a.i", ["transition.go", "next"])
    assert play(simple(emitted, requirements={"rich": Requirement("n > 5")}), n=9).open().do("go").state == "b"


def test_a_way_that_nobody_fires_closes_only_where_every_closing_may(play: Any) -> None:
    ways = {"auto": Transition("a", "c", on=ALWAYS, when="flag"), "set": Transition("a", None, do=(Action(set={"n": "9"}),))}
    case = play(simple(ways, requirements={"rich": Requirement("n > 5")}, closing=("rich",)), flag=True).open()
    assert case.state == "a.i"
    assert case.do("set").state == "c"


def test_what_never_comes_to_rest_is_named_and_changes_nothing(play: Any) -> None:
    ways = {
        "ping": Transition("a", "b", on=ALWAYS, when="flag"),
        "pong": Transition("b", "a", on=ALWAYS, when="flag"),
        "start": Transition("a", None, do=(Action(set={"flag": "True"}),)),
    }
    case = play(simple(ways), flag=False).open()
    before = json.dumps(case.machine)
    with pytest.raises(Livelock, match=r"ping -> pong -> ping|pong -> ping -> pong") as found:
        case.do("start")
    assert sorted(found.value.cycle[:2]) == ["ping", "pong"]
    assert json.dumps(case.machine) == before
    assert case.world.data == {"flag": False}


def test_internal_events_that_never_end_are_a_livelock(play: Any) -> None:
    ways = {"go": Transition("a", None, do=(Action(emit="tock"),)), "tock": Transition("a", None, do=(Action(emit="tock"),))}
    with pytest.raises(Livelock, match="tock"):
        play(simple(ways)).open().do("go")


def test_many_steps_that_end_are_no_livelock(play: Any) -> None:
    count = (LIMIT - 10) // 2
    ways = {"more": Transition("a", None, on=ALWAYS, when=f"n < {count}", do=(Action(set={"n": "n + 1"}),))}
    assert play(simple(ways), n=0).open().world.data["n"] == count


# --- postings -------------------------------------------------------------------------------------------------------


def test_a_posting_counts_at_once_and_raises_its_event(play: Any) -> None:
    ledger = {
        "totals": {"owed": Total(("charge",)), "paid": Total(("payment",)), "open": Total(of="owed - paid")},
        "ledger": Book("EUR", ("fee",)),
    }
    ways = {"payment": Transition("a", "b", when="open <= 0"), "undone": Transition("b", "a", on="reversal", when="open > 0")}
    case = play(simple(ways, **ledger)).open().post("charge", "5.00 EUR", component="fee").post("payment", "3.00 EUR")
    assert (case.state, case.machine["totals"]) == ("a.i", {"owed": "5.00 EUR", "paid": "3.00 EUR", "open": "2.00 EUR"})
    assert case.post("payment", "2.00 EUR").state == "b"
    assert case.post("reversal", "3.00 EUR", reverses="2.0").state == "a.i"
    assert case.machine["ledger"] == {"charged": 500, "paid": 200, "currency": "EUR"}


def test_a_posting_in_another_currency_is_never_added_up(play: Any) -> None:
    case = play(simple({}, ledger=Book("EUR", ("fee",)))).open().post("charge", "5.00 EUR", component="fee")
    with pytest.raises(BadInput, match="USD"):
        case.post("payment", "5.00 USD")


# --- the same result, however it is kept -----------------------------------------------------------------------------

WHOLE = CaseType(
    key="whole",
    version="1",
    title="Whole",
    initial="work",
    data={"n": field(int), "until": field(date)},
    states={
        "work": State("Work", "open", "draft", {"draft": State("Draft", on_exit=said("-draft")), "sent": State("Sent", "waiting-party")}),
        "paid": State("Paid", "resolved", outcome="paid"),
        "over": State("Over", "closed", outcome="given-up"),
    },
    transitions={
        "send": Transition("work.draft", "work.sent", form={"until": field(date)}, do=(Action(set={"until": "event.until"}),)),
        "recall": Transition("work.sent", "work.draft", do=(Action(set={"n": "n + 1"}, emit="recalled"),)),
        "recalled": Transition("work", None, do=(Action(run="tell", args={"n": "n"}),)),
        "settled": Transition("work", "paid", on=ALWAYS, when="open <= 0 and owed > 0"),
        "unsettled": Transition("paid", "work", on=ALWAYS, when="open > 0"),
        "late": Transition("work.sent", "work.draft", on="clock.reply.breached"),
        "give-up": Transition("work", "over", on="clock.patience.breached"),
        "reopen": Transition("over", "work"),
    },
    clocks={
        "reply": Clock("P14D", start="at('work.sent')", stop="paid > 0", pause="n == 1", cancel="at('work.draft')", warn=("-P10D", "-P3D")),
        "patience": Clock("P90D", start="at('work')", stop="at('paid')"),
        "until": Clock(kind="fixed", due="until", start="known(until)", stop="at('paid')", warn="-P1D"),
    },
    totals={"owed": Total(("charge",)), "paid": Total(("payment",)), "open": Total(of="owed - paid")},
    ledger=Book("EUR", ("fee",)),
)

deeds = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["send", "recall", "reopen", "tick"]), st.integers(0, 40 * 86_400)),
        st.tuples(st.sampled_from(["charge", "payment"]), st.integers(0, 20 * 86_400), st.integers(1, 500)),
        st.tuples(st.just("late"), st.integers(1, 30 * 86_400), st.integers(1, 500)),
    ),
    max_size=12,
)


def played(case: Any, script: list[Any]) -> Any:
    from casekit.model.time import from_micros, micros

    case.open()
    for word, seconds, *rest in script:
        at = from_micros(micros(case.now) + seconds * 10**6)
        match word:
            case "charge" | "payment":
                case.post(word, str(Money.of_minor(rest[0], "EUR")), at, component="fee" if word == "charge" else "")
            case "late":
                case.post("payment", str(Money.of_minor(rest[0], "EUR")), from_micros(micros(case.now) - seconds * 10**6), late=True)
            case "tick":
                case.tick(at)
            case _ if case.tick(at).run(at).select(word, {"until": at[:10]}):
                case.do(word, at, **({"until": at[:10]} if word == "send" else {}))
    return case


@settings(deadline=None, max_examples=60)
@given(deeds)
def test_kept_as_json_or_with_other_key_order_it_comes_to_the_same(play: Any, turned: Any, script: list[Any]) -> None:
    straight = played(play(WHOLE, restore="straight", n=0), script)
    for other in (play(WHOLE, n=0), play(WHOLE, restore="permuted", n=0), play(turned(WHOLE), restore="permuted", n=0)):
        played(other, script)
        assert other.log == straight.log
        assert other.machine == straight.machine
        assert other.world.data == straight.world.data


def test_another_key_order_is_another_text_and_the_same_digest(turned: Any) -> None:
    assert digest(turned(WHOLE)) == digest(WHOLE)
    assert list(turned(WHOLE).transitions) != list(WHOLE.transitions)


def test_the_world_stays_as_it_was(build: Any) -> None:
    world = World(data={"n": 0})
    assert attrs.asdict(world) == attrs.asdict(World(data={"n": 0}))
    assert build(NESTED).active(("a.b.c",)) == {"a", "a.b", "a.b.c"}
