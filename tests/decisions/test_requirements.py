"""Requirements and why not: every unmet reason at once, what is unknown apart from what is false, who could."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from casekit.decisions.conditions import Inputs
from casekit.decisions.explain import Explanation, Road, obstacles_of, roads
from casekit.decisions.requirements import judge
from casekit.definition.casetype import CaseType, Requirement, State, Transition, role
from casekit.definition.fields import field
from casekit.model.answers import Objection
from casekit.model.judged import Judged
from casekit.model.money import Money

FORM = {"reason": field(str, enum=("paid", "error"))}
DEPOSIT = CaseType(
    key="deposit",
    version="1",
    title="Deposit",
    initial="open",
    data={"deposit": field(Money), "claimed": field(Money), "heard": field(bool)},
    roles={"tenant": role(1), "landlord": role(1)},
    states={"open": State("Open", "open"), "decided": State("Decided", "closed", outcome="decided"), "void": State("Void", "cancelled")},
    transitions={
        "decide": Transition(
            "open", "decided", title="Decide", requires=("both-heard", "covered", "insured"), allow="tenancy.decide", form=FORM
        ),
        "void": Transition("open", "void", on="decide", form=FORM, when="event.reason == 'error' and claimed > deposit"),
        "correct": Transition("decided", None, requires=("covered",)),
        "remind": Transition("open", None),
    },
    requirements={
        "both-heard": Requirement("heard and parties('landlord') > 0", "Not both were heard.", "Act § 1", "hear the landlord"),
        "covered": Requirement("claimed <= deposit", "More is claimed than there is."),
        "whole": Requirement("known(claimed)"),
    },
    closing=("whole", "covered"),
)
INSURED = Judged(
    "rule",
    False,
    "The rule is not met.",
    key="insured",
    unmet="Nobody is insured.",
    citation="Policy 7",
    remedy="ask the insurer",
    plugin="insurer",
    version="2.0",
)


def definition(build: Any) -> Any:
    return build(DEPOSIT, ("insured",))


def test_every_requirement_is_judged_and_none_hides_another(build: Any) -> None:
    inputs = Inputs(data={"deposit": "1.00 EUR", "claimed": "2.00 EUR", "heard": False}, parties={"landlord": ["x"]})
    keys = ("both-heard", "covered", "insured", "whole", "covered")
    judged = judge(definition(build), keys, inputs, {"insured": INSURED})
    assert [(j.key, j.met) for j in judged] == [("both-heard", False), ("covered", False), ("insured", False), ("whole", True)]
    assert judged[0].parts[0].lines() == [
        "heard and parties('landlord') > 0: false",
        "  heard: false",
        "  parties('landlord') > 0: true",
        "    parties('landlord'): 1",
    ]
    assert judged[3].parts == ()
    assert [str(j.objection()) for j in judged[:3]] == [
        "both-heard: Not both were heard; [Act § 1]; to do: hear the landlord",
        "covered: More is claimed than there is.",
        "insured: Nobody is insured; [Policy 7]; to do: ask the insurer",
    ]
    assert [(j.objection().plugin, j.objection().version) for j in judged[1:3]] == [("casekit", ""), ("insurer", "2.0")]


def test_what_is_missing_is_unknown_and_not_unmet(build: Any) -> None:
    judged = judge(definition(build), ("both-heard", "covered"), Inputs(data={"deposit": "1.00 EUR"}), {})
    assert [(j.key, j.met) for j in judged] == [("both-heard", False), ("covered", None)]  # no landlord: false, heard or not
    objection = judged[1].objection()
    assert objection.args == {"missing": "claimed"}
    assert objection.reason == "It can't be known whether this holds: More is claimed than there is. Missing: claimed."


def test_a_requirement_without_words_says_its_condition(build: Any) -> None:
    judged = judge(definition(build), ("whole",), Inputs(), {})
    assert judged[0].objection().reason == "The condition does not hold: known(claimed)"


def test_a_rule_whose_plugin_is_gone_waves_nothing_through(build: Any) -> None:
    judged = judge(definition(build), ("insured",), Inputs(), {})
    assert judged[0].met is None
    assert judged[0].objection().reason == "The rule could not be asked: no plugin here answers it"
    failed = attrs.evolve(INSURED, met=None, failed="ZeroDivisionError")
    assert failed.objection().reason == "The rule could not be asked: ZeroDivisionError"


# --- why not ------------------------------------------------------------------------------------------------------------


def asked(play: Any, event: str, *, fields: dict[str, Any] | None = None, **data: Any) -> Any:
    case = play(_definition, **data).open()
    run = case.run(case.now)
    return roads(_definition, run, event, fields or {}, {"insured": INSURED})


def explanation(event: str, *found: Road) -> Explanation:
    return Explanation("event", event, ("open",), Judged("all", None, ""), found, obstacles=obstacles_of(found))


_definition: Any = None


@pytest.fixture(autouse=True)
def _ready(build: Any) -> None:
    global _definition  # noqa: PLW0603 - built once
    _definition = _definition or definition(build)


def test_every_road_is_shown_with_everything_in_its_way(play: Any) -> None:
    decide, void = asked(play, "decide", deposit="1.00 EUR", claimed="2.00 EUR")
    assert (decide.transition, decide.here, decide.open, decide.when) == ("decide", True, False, None)
    # What the transition requires, then what every closing requires; nothing twice.
    assert [(j.key, j.met) for j in decide.requires] == [("both-heard", False), ("covered", False), ("insured", False), ("whole", True)]
    assert void.when is not None
    assert (void.when.value, void.when.missing) == (None, ("event.reason",))


def test_a_road_is_open_when_nothing_is_in_its_way(play: Any) -> None:
    void = asked(play, "decide", fields={"reason": "error"}, deposit="1.00 EUR", claimed="2.00 EUR")[1]
    assert not void.open, "what every closing requires stands in its way"
    void = attrs.evolve(void, requires=())
    assert void.open
    assert not attrs.evolve(void, objections=(Objection("x.y", "No."),)).open
    assert not attrs.evolve(void, here=False).open
    assert [road.open for road in asked(play, "remind")] == [True]


def test_closing_rules_stand_before_ends_only(play: Any) -> None:
    assert [j.key for j in asked(play, "correct")[0].requires] == ["covered"]
    assert asked(play, "remind")[0].requires == ()
    decide, void, correct, remind = (way for event in ("decide", "correct", "remind") for way in _definition.ways[event])
    assert [way.ends for way in (decide, void, correct, remind)] == [True, True, False, False]
    assert [way.outcome for way in (decide, void, correct)] == ["decided", "", ""]


def test_unknown_and_false_are_told_apart_and_the_place_as_well(play: Any) -> None:
    correct = asked(play, "correct")[0]
    text = str(explanation("correct", correct))
    assert text.splitlines() == [
        "correct: not possible (the case is in open)",
        "  closed: correct",
        "    it is taken from decided",
        "    covered: It can't be known whether this holds: More is claimed than there is. Missing: claimed, deposit.",
        "      claimed <= deposit: unknown",
        "        claimed: unknown",
        "        deposit: unknown",
    ]


def test_an_explanation_says_who_could(play: Any) -> None:
    decide = asked(play, "decide", heard=True, deposit="2.00 EUR", claimed="1.00 EUR")[0]
    road = attrs.evolve(decide, requires=())
    may = explanation("decide", road)
    assert may.possible
    assert str(may).splitlines() == ["decide: possible (the case is in open)", "  open: decide (Decide)"]
    not_he = attrs.evolve(may, lacking=("tenancy.decide",), who=("judge", "registrar"), obstacles=("permission",))
    assert (not_he.possible, not_he.denied, not_he.not_possible) == (False, True, False)
    assert str(not_he).splitlines()[-1] == "  you lack the permission tenancy.decide; roles that have it: judge, registrar"
    nobody = attrs.evolve(not_he, who=())
    assert str(nobody).endswith("roles that have it: none")


def test_an_event_that_the_case_type_does_not_know(play: Any) -> None:
    assert asked(play, "fly") == []


def test_asking_changes_nothing(play: Any) -> None:
    case = play(_definition, claimed="1.00 EUR").open()
    before = case.restored()
    run = case.run(case.now)
    roads(_definition, run, "decide", {"reason": "error"}, {})
    assert run.machine == before
    assert (run.happened, run.effects, run.data) == ([], [], {})
