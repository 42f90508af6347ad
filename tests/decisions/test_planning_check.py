"""Plans that make no sense are refused, each defect with its path; plans that do are not."""

from __future__ import annotations

from typing import Any

import pytest

from casekit.decisions.check import check
from casekit.decisions.compiled import compile_type
from casekit.decisions.plancheck import remarks
from casekit.definition.casetype import Transition
from casekit.definition.load import canonical, digest, read_case_type
from casekit.definition.plan import Discretionary, Due, Item, Repeat, Sentry
from casekit.errors import BadInput
from plans import on, planned

A = {"a": Item(), "s": Item("stage"), "m": Item("milestone", entry=on("a")), "l": Item("listener"), "x": Item(exit=on("l"))}

DEFECTS: list[tuple[dict[str, Item], str, str]] = [
    ({"b": Item("step")}, "/plan/b/kind", "no kind"),  # type: ignore[arg-type]
    ({"B": Item()}, "/plan/B", "can't be a name"),
    ({"b": Item(stage="nowhere")}, "/plan/b/stage", "no stage"),
    ({"b": Item(stage="a")}, "/plan/b/stage", "no stage"),
    ({"b": Item("stage", stage="c"), "c": Item("stage", stage="b")}, "/plan/b/stage", "within itself"),
    ({"b": Item(entry=on("never-heard-of"))}, "/plan/b/entry/0/on", "never occurs"),
    ({"b": Item(entry=on("a.flown"))}, "/plan/b/entry/0/on", "never occurs"),
    ({"b": Item(entry=on("m.started"))}, "/plan/b/entry/0/on", "a milestone does not say"),
    ({"b": Item(entry=on("l.started"))}, "/plan/b/entry/0/on", "a listener does not say"),
    ({"b": Item(entry=on("a.overdue"))}, "/plan/b/entry/0/on", "no due moment"),
    ({"b": Item(entry=on("state.enter:home"))}, "/plan/b/entry/0/on", "no state"),
    ({"b": Item(entry=on("clock.gone.breached"))}, "/plan/b/entry/0/on", "no clock"),
    ({"b": Item(entry=on("b.completed"))}, "/plan/b/entry/0/on", "from the item itself"),
    ({"b": Item(exit=on("b.completed"), repeat=Repeat())}, "/plan/b/exit/0/on", "from the item itself"),
    ({"b": Item(stage="s", entry=on("s.completed"))}, "/plan/b/entry/0/on", "has ended with that stage"),
    ({"b": Item(entry=on("c")), "c": Item(entry=on("b.completed"))}, "/plan/b/entry", "can never open: it waits for c"),
    ({"b": Item(entry=on("c"), required=True), "c": Item(entry=on("b"))}, "/plan/b/entry", "and it is required"),
    ({"t": Item("stage", entry=on("u")), "u": Item(stage="t")}, "/plan/u/entry", "its stage 't' can't be reached"),
    ({"b": Item(entry=(Sentry(),))}, "/plan/b/entry/0", "says nothing"),
    ({"b": Item(entry=on("a", how="complete"))}, "/plan/b/entry/0/how", "only an exit"),
    ({"b": Item("timer"), "c": Item(entry=on("b"))}, "/plan/b/due", "never occurs"),
    ({"b": Item("listener", due=Due("P1D")), "c": Item(entry=on("b"))}, "/plan/b/due", "never due"),
    ({"b": Item("listener", entry=on("a")), "c": Item(entry=on("b"))}, "/plan/b/entry", "no entry"),
    ({"b": Item("listener")}, "/plan/b", "nobody hears"),
    ({"b": Item(auto_complete=True)}, "/plan/b/auto_complete", "nothing in it"),
    ({"b": Item(repeat=Repeat(0))}, "/plan/b/repeat/max", "never"),
    ({"b": Item("milestone", repeat=Repeat())}, "/plan/b/repeat", "for ever"),
    ({"b": Item(due=Due("P1D", "data:n"))}, "/plan/b/due/of", "no clear field"),
    ({"b": Item(due=Due("P1D", "gone.completed"))}, "/plan/b/due/of", "never occurs"),
    ({"b": Item(due=Due("soon"))}, "/plan/b/due/after", "no duration"),
    ({"b": Item(entry=(Sentry("a", "zzz > 1"),))}, "/plan/b/entry/0/when", "no field"),
    ({"b": Item(required="done('zzz')")}, "/plan/b/required", "not declared"),
    ({"b": Item(manual="n")}, "/plan/b/manual", "a test is wanted"),
    ({"b": Item(repeat=Repeat(when="counter(1) < 2"))}, "/plan/b/repeat/when", "counter()"),
]


def taken_in(case_type: Any) -> None:
    """What a desk does with a case type."""
    check(case_type)
    compile_type(case_type, digest(case_type))


@pytest.mark.parametrize(("more", "path", "said"), DEFECTS)
def test_a_defect_is_named_with_its_path(more: dict[str, Item], path: str, said: str) -> None:
    case_type = planned({**A, **more})
    with pytest.raises(BadInput) as wrong:
        taken_in(case_type)
    assert any(p.where == f"planned: {path}" and said in p.what + p.do for p in wrong.value.problems), str(wrong.value)


def test_all_defects_are_named_at_once() -> None:
    with pytest.raises(BadInput) as wrong:
        check(planned({"b": Item(stage="nowhere"), "c": Item(entry=on("never-heard-of")), "d": Item("timer")}))
    assert {p.where for p in wrong.value.problems} >= {"planned: /plan/b/stage", "planned: /plan/c/entry/0/on", "planned: /plan/d/due"}


@pytest.mark.parametrize(
    ("on_", "said"),
    [("milestone.gone", "no milestone"), ("stage.a.completed", "no stage"), ("item.s.completed", "is a stage")],
)
def test_a_transition_on_an_item_that_is_none(on_: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check(planned(A, {"go": Transition("open", "work", on=on_)}))


def test_counter_stands_in_plans_only() -> None:
    case_type = planned(A, {"go": Transition("open", "work", when="counter() > 1")})
    with pytest.raises(BadInput, match="can't be asked here"):
        compile_type(case_type, digest(case_type))


SENSE: list[dict[str, Item]] = [
    A,
    {"a": Item(), "c": Item(entry=(Sentry("a"), Sentry("c.completed")), repeat=Repeat())},
    {"s": Item("stage"), "b": Item(stage="s"), "c": Item(entry=on("s.terminated"))},
    {"b": Item(entry=on("never")), "d": Item(discretionary=Discretionary("x"), entry=on("b.skipped"))},
    {"c": Item(entry=on("message.in")), "d": Item(entry=on("payment"), due=Due("-P1D", "data:day"))},
    {"b": Item("listener"), "c": Item(entry=(Sentry(when="done('b')"),))},
    {"b": Item("timer", due="P1D", repeat=Repeat()), "c": Item(entry=on("b"), repeat=Repeat(when="counter() < 3"))},
]


@pytest.mark.parametrize("plan", SENSE)
def test_a_plan_that_makes_sense_is_not_refused(plan: dict[str, Item]) -> None:
    taken_in(planned(plan))


def test_an_entry_across_the_border_of_its_stage_is_remarked() -> None:
    plan = {
        **A,
        "in": Item(stage="s"),
        "b": Item(stage="s", entry=on("a")),
        "c": Item(stage="s", entry=on("in")),
        "d": Item(entry=on("in")),
    }
    assert [path for path, _ in remarks(planned(plan))] == ["/plan/b/entry/0/on"]


def test_a_plan_goes_through_json_and_back_and_leaves_other_digests_alone() -> None:
    plan = {
        **A,
        "b": Item(
            "stage", "B", entry=(Sentry(("a", "m"), "n > 1", memory=False),), required="n > 2", manual=True, repeat=Repeat(2, "flag")
        ),
        "t": Item(stage="b", due="P2D", discretionary=Discretionary("x"), blocks="until-first", who="clerk", on_reopen="never"),
        "u": Item(exit=on("a", how="force-complete"), due=Due("-P2D", "data:day"), auto_complete=False),
    }
    case_type = planned(plan)
    said: Any = canonical(case_type)
    again = read_case_type(said)
    assert again == case_type
    assert digest(again) == digest(case_type)
    assert "plan" not in canonical(planned({}))
    with pytest.raises(BadInput, match="/plan/b/required"):
        read_case_type({**said, "plan": {"b": {"required": 3}}})
