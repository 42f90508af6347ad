"""Requirements of every kind, said as data: what each asks, three-valued logic against brute force, what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit.decisions.conditions import Inputs
from casekit.decisions.requirements import judge
from casekit.definition.casetype import CaseType, Clock, DocumentKind, State, Transition, role
from casekit.definition.fields import field
from casekit.definition.load import canonical, digest, structure
from casekit.definition.plan import Item, Sentry
from casekit.definition.requirements import Requirement, described
from casekit.errors import BadInput
from casekit.model.judged import Judged

KINDS: Mapping[str, Requirement] = {
    "item": Requirement(item="write"),
    "item-active": Requirement(item="write", status="active"),
    "milestone": Requirement(milestone="agreed"),
    "document": Requirement(document="letter", count=2),
    "party": Requirement(party="surety", count=2),
    "field": Requirement(field="amount"),
    "field-fits": Requirement(field="amount", when="amount > 10"),
    "fact": Requirement(field="fact:heating"),
    "met": Requirement(clock="answer"),
    "not-running": Requirement(clock="answer", status="not-running"),
    "breached": Requirement(clock="answer", status="breached"),
    "approval": Requirement(approval="case.release", count=2),
    "condition": Requirement("amount > 10"),
    "all": Requirement(all=("field", Requirement(document="letter"))),
    "any": Requirement(any=("field", Requirement(document="letter"))),
    "none": Requirement(none=("field", Requirement(document="letter"))),
    "two": Requirement(n_of=("field", Requirement(document="letter"), "met"), count=2),
    "rule": Requirement(all=("plugin.rule",)),
    "asked": Requirement("meets('field') and meets('document')"),
}


def case_type(requirements: Mapping[str, Requirement], **more: Any) -> CaseType:
    known: dict[str, Any] = {
        "data": {"amount": field(int)} | {name: field(bool) for name in "abcd"},
        "facts": {"heating": field(str, enum=("gas", "oil"))},
        "roles": {"surety": role((0, 3))},
        "states": {"open": State("Open", "open"), "over": State("Over", "closed", outcome="done")},
        "transitions": {"end": Transition("open", "over", requires=tuple(requirements))},
        "plan": {"write": Item(title="Write it"), "agreed": Item("milestone", entry=(Sentry("write.completed"),))},
        "clocks": {"answer": Clock("P14D", start="at('open')", stop="known(amount)")},
        "documents": {"letter": DocumentKind("Letter"), "photo": DocumentKind("Photo")},
    }
    return CaseType("needs", "1", "Needs", "open", requirements=requirements, **(known | more))


def judged(
    build: Any, requirements: Mapping[str, Requirement], inputs: Inputs, foreign: Mapping[str, Judged] | None = None
) -> dict[str, Judged]:
    made = build(case_type(requirements), ("plugin.rule",))
    return {found.key: found for found in judge(made, requirements, inputs, foreign or {})}


def actors(*names: str) -> dict[str, Any]:
    return {name: {"at": "", "entry": 1} for name in names}


RIGHT: list[tuple[str, bool | None, dict[str, Any]]] = [
    ("item", False, {}),
    ("item", True, {"done": {"write": ["1"]}}),
    ("item", False, {"items": {"write": {"1": {"state": "active"}}}}),
    ("item-active", True, {"items": {"write": {"1": {"state": "active"}}}}),
    ("item-active", False, {"items": {"write": {"1": {"state": "suspended"}}}, "done": {"write": ["1"]}}),
    ("milestone", False, {}),
    ("milestone", True, {"done": {"agreed": ["1"]}}),
    ("document", False, {"documents": {"letter": 1, "photo": 5}}),
    ("document", True, {"documents": {"letter": 2}}),
    ("party", False, {"parties": {"surety": ["x"]}}),
    ("party", True, {"parties": {"surety": ["x", "y", "z"]}}),
    ("field", False, {}),
    ("field", True, {"data": {"amount": 0}}),
    ("field-fits", None, {}),
    ("field-fits", False, {"data": {"amount": 10}}),
    ("field-fits", True, {"data": {"amount": 11}}),
    ("fact", False, {}),
    ("fact", True, {"facts": {"heating": "gas"}}),
    ("met", False, {"clocks": {"answer": {"1": {"status": "running"}}}}),
    ("met", True, {"ended": {"answer": ["met"]}}),
    ("not-running", False, {"clocks": {"answer": {"1": {"status": "breached"}, "2": {"status": "running"}}}}),
    ("not-running", True, {"clocks": {"answer": {"1": {"status": "paused"}}}}),
    ("not-running", True, {}),
    ("breached", True, {"ended": {"answer": ["breached"]}}),
    ("breached", True, {"clocks": {"answer": {"1": {"status": "breached"}}}}),
    ("breached", False, {"ended": {"answer": ["cancelled"]}}),
    ("approval", False, {"approvals": {"approval": {"case.release": actors("user:a")}}}),
    ("approval", True, {"approvals": {"approval": {"case.release": actors("user:a", "user:b")}}}),
    # Another permission's and another requirement's do not count.
    ("approval", False, {"approvals": {"approval": {"case.other": actors("user:a", "user:b")}, "x": {"case.release": actors("a", "b")}}}),
    ("condition", None, {}),
    ("condition", True, {"data": {"amount": 11}}),
    ("all", False, {"data": {"amount": 1}}),
    ("all", True, {"data": {"amount": 1}, "documents": {"letter": 1}}),
    ("any", True, {"data": {"amount": 1}}),
    ("any", False, {}),
    ("none", True, {}),
    ("none", False, {"documents": {"letter": 1}}),
    ("two", False, {"data": {"amount": 1}}),
    ("two", True, {"data": {"amount": 1}, "ended": {"answer": ["met"]}}),
    ("rule", None, {}),
    ("asked", False, {"data": {"amount": 1}}),
    ("asked", True, {"data": {"amount": 1}, "documents": {"letter": 2}}),
]


@pytest.mark.parametrize(("key", "met", "there"), RIGHT)
def test_each_kind_asks_what_it_says(build: Any, key: str, met: bool | None, there: dict[str, Any]) -> None:
    inputs = Inputs(**there)
    made = build(case_type(KINDS), ("plugin.rule",))
    assert made.requirements[key].holds(inputs) is met
    found = judge(made, (key,), inputs, {})[0]
    assert (found.met, found.key) == (met, key)
    assert "{" not in found.text, "every argument of the words is there"


def test_a_plugin_s_answer_counts_within_a_tree(build: Any) -> None:
    for met in (True, False, None):
        rule = Judged("rule", met, "The rule is not met.", key="plugin.rule", missing=() if met else ("claimed",))
        found = judged(build, KINDS, Inputs(), {"plugin.rule": rule})["rule"]
        assert (found.met, found.parts) == (met, (rule,))
        assert found.missing == (() if met else ("claimed",))


def test_a_rule_that_could_not_be_asked_shuts_what_rests_on_it(build: Any) -> None:
    broken = Judged("rule", None, "The rule is not met.", key="plugin.rule", failed="ZeroDivisionError")
    found = judged(build, KINDS, Inputs(), {"plugin.rule": broken})["rule"]
    assert (found.met, found.failed) == (None, "ZeroDivisionError")
    assert found.objection().reason == "The rule could not be asked: ZeroDivisionError"


def test_an_answer_says_what_there_is_and_what_there_must_be(build: Any) -> None:
    found = judged(build, KINDS, Inputs(documents={"letter": 1}, clocks={"answer": {"1": {"status": "paused"}}}))
    said = {key: (one.actual, one.needed, one.text) for key, one in found.items()}
    assert said["document"] == (1, 2, "2 of Letter must be on file: there are 1.")
    assert said["item"] == ("not there", "completed", "Write it must be completed: it is not there.")
    assert said["approval"] == (0, 2, "2 with the permission case.release must approve: 0 have.")
    assert said["met"][:2] == ("paused", "met")
    assert said["two"] == (1, 2, "2 of these 3 must be met: 1 are.")
    assert found["all"].missing == ("amount",)
    assert found["condition"].missing == ("amount",)


# --- three-valued logic ---------------------------------------------------------------------------------------------------

LEAVES = st.sampled_from("abcd")
Shape = Any


def shapes() -> st.SearchStrategy[Shape]:
    leaf = LEAVES.map(lambda name: ("leaf", name))
    return st.recursive(
        leaf,
        lambda inner: st.tuples(
            st.sampled_from(["all", "any", "none", "n_of"]), st.lists(inner, min_size=1, max_size=3), st.integers(1, 3)
        ),
        max_leaves=7,
    )


def requirement(shape: Shape) -> Requirement:
    if shape[0] == "leaf":
        return Requirement(f"{shape[1]}")
    kind, inner, count = shape
    parts = tuple(requirement(one) for one in inner)
    return Requirement(**{kind: parts}, **({"count": min(count, len(parts))} if kind == "n_of" else {}))


def plainly(shape: Shape, world: Mapping[str, bool]) -> bool:
    """Two-valued, by counting: the other way to say what the logic means."""
    if shape[0] == "leaf":
        return world[shape[1]]
    kind, inner, count = shape
    met = sum(plainly(one, world) for one in inner)
    return {"all": met == len(inner), "any": met >= 1, "none": met == 0, "n_of": met >= min(count, len(inner))}[kind]


def leaf_by_leaf(shape: Shape, world: Mapping[str, bool | None]) -> bool | None:
    """Kleene's tables: of each node, what all completions of its parts' values would give."""
    if shape[0] == "leaf":
        return world[shape[1]]
    kind, inner, count = shape
    values = [leaf_by_leaf(one, world) for one in inner]
    completions = product(*([value] if value is not None else [True, False] for value in values))
    least = min(count, len(inner))
    says = {"all": all, "any": any, "none": lambda v: not any(v), "n_of": lambda v: sum(v) >= least}[kind]
    answers = {bool(says(one)) for one in completions}
    return answers.pop() if len(answers) == 1 else None


@given(shapes(), st.fixed_dictionaries({name: st.sampled_from([True, False, None]) for name in "abcd"}))
def test_logic_is_kleene_s(build: Any, shape: Shape, world: dict[str, bool | None]) -> None:
    says = requirement(shape)
    if not any(plainly(shape, dict(zip("abcd", v, strict=True))) for v in product([True, False], repeat=4)):
        with pytest.raises(BadInput, match="never be met"):
            build(case_type({"x": says}))
        return
    made = build(case_type({"x": says}))
    inputs = Inputs(data={name: value for name, value in world.items() if value is not None})
    met = made.requirements["x"].holds(inputs)
    assert met is leaf_by_leaf(shape, world)
    assert judge(made, ("x",), inputs, {})[0].met is met
    if met is not None:
        unknown = [name for name in "abcd" if world[name] is None]
        for values in product([True, False], repeat=len(unknown)):
            assert plainly(shape, {**world, **dict(zip(unknown, values, strict=True))}) is met  # type: ignore[dict-item]


# --- as data --------------------------------------------------------------------------------------------------------------


def test_python_and_json_are_one(build: Any) -> None:
    made = case_type(KINDS)
    text = json.dumps(canonical(made))
    again = structure(json.loads(text), CaseType, "x")
    assert digest(again) == digest(made)
    assert again.requirements == made.requirements
    assert canonical(KINDS["two"]) == {"n_of": ["field", {"document": "letter"}, "met"], "count": 2}
    # What was said before there were kinds has the canonical form that it had.
    assert canonical(Requirement("amount > 10", "Too small.")) == {"when": "amount > 10", "unmet": "Too small."}
    assert described(KINDS["two"]) == "2 of (field, document letter, met)"


WRONG: list[tuple[Mapping[str, Requirement], str, str]] = [
    ({"x": Requirement()}, "/requirements/x", "says nothing"),
    ({"x": Requirement(item="write", document="letter")}, "/requirements/x", "2 things"),
    ({"x": Requirement(item="fly")}, "/requirements/x/item", "fly"),
    ({"x": Requirement(milestone="write")}, "/requirements/x/milestone", "write"),
    ({"x": Requirement(document="map")}, "/requirements/x/document", "map"),
    ({"x": Requirement(party="judge")}, "/requirements/x/party", "judge"),
    ({"x": Requirement(field="colour")}, "/requirements/x/field", "colour"),
    ({"x": Requirement(field="fact:rent")}, "/requirements/x/field", "fact:rent"),
    ({"x": Requirement(clock="sun")}, "/requirements/x/clock", "sun"),
    ({"x": Requirement(approval="Everyone")}, "/requirements/x/approval", "no permission"),
    ({"x": Requirement(approval="case.release", over="colour")}, "/requirements/x/over", "colour"),
    ({"x": Requirement("amount > 1", over="amount")}, "/requirements/x/over", "covers nothing"),
    ({"x": Requirement("amount > 'a'")}, "/requirements/x/when", "compares"),
    ({"x": Requirement(all=("y",))}, "/requirements/x", "'y'"),
    ({"x": Requirement(any=(Requirement(none=(Requirement(item="fly"),)),))}, "/requirements/x/any/0/none/0/item", "fly"),
    ({"x": Requirement(item="write", status="met")}, "/requirements/x/status", "'met'"),
    ({"x": Requirement(document="letter", status="active")}, "/requirements/x/status", "'active'"),
    ({"x": Requirement(item="write", count=2)}, "/requirements/x/count", "no count"),
    ({"x": Requirement(document="letter", count=0)}, "/requirements/x/count", "0"),
    ({"x": Requirement(n_of=("y",), count=2), "y": Requirement("a")}, "/requirements/x/count", "2 can never be met"),
    ({"x": Requirement(party="surety", count=4)}, "/requirements/x/count", "4 can never be met"),
    ({"x": Requirement(all=("y", Requirement(none=("y",)))), "y": Requirement("a")}, "/requirements/x", "never be met"),
    ({"x": Requirement(item="agreed", status="active")}, "/requirements/x", "a milestone is never active"),
    ({"x": Requirement(any=(Requirement(item="agreed", status="active"),))}, "/requirements/x", "never be met"),
    ({"x": Requirement(all=("x",))}, "/requirements/x", "x -> x"),
    ({"x": Requirement(all=("y",)), "y": Requirement(any=("z",)), "z": Requirement(none=("x",))}, "/requirements/x", "x -> y -> z -> x"),
    ({"x": Requirement("meets('y')"), "y": Requirement(all=("x", Requirement("a")))}, "/requirements/x", "x -> y -> x"),
    ({"x": Requirement("meets('nothing')")}, "/requirements/x/when", "nothing"),
    ({"x": Requirement("meets('y')"), "y": Requirement(any=("plugin.rule", Requirement("a")))}, "/requirements/x/when", "plugin's rule"),
]


@pytest.mark.parametrize(("requirements", "where", "what"), WRONG)
def test_a_requirement_that_makes_no_sense_is_refused_where_it_stands(
    build: Any, requirements: Mapping[str, Requirement], where: str, what: str
) -> None:
    with pytest.raises(BadInput) as wrong:
        build(case_type(requirements), ("plugin.rule",))
    assert any(problem.where.endswith(where) and what in problem.what for problem in wrong.value.problems), str(wrong.value)


def test_a_clock_that_is_never_met_is_no_requirement(build: Any) -> None:
    clocks = {"answer": Clock("P1D", start="at('open')"), "idle": Clock(kind="fixed", due="day", start="")}
    data = {"day": field(str, format="date", personal=False)}
    for says, what in ((Requirement(clock="answer"), "no stop condition"), (Requirement(clock="idle", status="breached"), "never starts")):
        with pytest.raises(BadInput, match=what):
            build(case_type({"x": says}, clocks=clocks, data=data))


def test_what_nobody_fires_rests_on_no_plugin_however_deep(build: Any) -> None:
    always = {
        "end": Transition("open", "over"),
        "slip": Transition("open", "over", on="always", when="known(amount)", requires="x"),
    }
    requirements = {"x": Requirement(any=("y",)), "y": Requirement(any=("plugin.rule", Requirement("a")))}
    with pytest.raises(BadInput, match=r"no plugin is asked for 'plugin\.rule'"):
        build(case_type(requirements, transitions=always), ("plugin.rule",))


def test_items_and_clocks_ask_requirements_by_meets(play: Any) -> None:
    requirements = {"ready": Requirement(all=(Requirement(field="amount"), Requirement(any=(Requirement("a"), Requirement("b")))))}
    plan = {"write": Item(entry=(Sentry(when="meets('ready')"),)), "agreed": Item("milestone", entry=(Sentry("write.completed"),))}
    clocks = {"answer": Clock("P14D", start="meets('ready')", stop="done('write')")}
    case = play(case_type(requirements, plan=plan, clocks=clocks)).open()
    assert (case.items["write.1"], case.machine["clocks"]) == ("available", {})
    case.set(amount=1)
    assert case.items["write.1"] == "available"
    case.set(b=True)
    assert (case.items["write.1"], list(case.machine["clocks"])) == ("active", ["answer"])
