"""Goals, reviews, adjustments and rounds in the terminal, with the debt-collection plugin at work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("casekit_debt_collection")

TODAY = datetime.now(UTC).date()


@pytest.fixture
def debt(casekit: Any) -> str:
    """A debt of 1,840.00 USD that is paid in twelve instalments, though the debtor has less than that."""
    maria = casekit("party", "add", "person", "--name", "Maria Silva", "--json").json["party"]["id"]
    shop = casekit("party", "add", "organisation", "--name", "Corner Shop", "--json").json["party"]["id"]
    people = ("--party", f"debtor={maria}", "--party", f"creditor={shop}")
    number: str = casekit("case", "open", "debt.case", "--data", "principal=1840.00 USD", *people, "--json").json["case"]["number"]
    for fact, value in (("income.monthly", "1900.00 USD"), ("expense.housing", "1100.00 USD"), ("expense.living", "700.00 USD")):
        assert casekit("fact", number, fact, value).code == 0
    assert casekit("case", "choose", number, "instalments-12", "--reason", "she insists").code == 0
    return number


def test_the_loop_by_command(casekit: Any, debt: str) -> None:
    look = casekit("case", "look", debt)
    assert look.code == 0
    for words in ("debt.out-of-reach", "An instalment takes 153.37 USD a month, and 100.00 USD is left.", "Proposed", "debt.replan"):
        assert words in look.out
    said = casekit("case", "look", debt, "--json").json
    assert [(a["key"], a["option"]) for a in said["adjustments"]] == [("debt.replan", "instalments-19"), ("debt.set-goal", "")]
    assert casekit("case", "adjust", debt, "debt.set-goal").code == 0
    assert casekit("case", "review", debt, "She can't keep it.").code == 0
    assert casekit("case", "adjust", debt, "debt.replan", "--reason", "what she can pay").code == 0
    assert casekit("case", "adjust", debt, "debt.replan").code == 2

    told = casekit("case", "plan", debt, "--rounds")
    for words in (
        "Round 1, entries 1 to 7",
        "choose instalments-12",
        "review round 1",
        "She can't keep it.",
        "adjust debt.replan",
        "Round 2",
    ):
        assert words in told.out
    assert "debt.out-of-reach" in told.out
    rounds = casekit("case", "plan", debt, "--rounds", "--json").json["rounds"]
    assert [[step["kind"] for step in found["steps"]] for found in rounds] == [["choose", "adjust", "review"], ["adjust"]]
    assert [item["state"] for item in rounds[1]["items"]] == ["replaced", "active"]
    timeline = casekit("case", "show", debt).out
    assert "review round 1" in timeline
    assert "She can't keep it." in timeline


def test_goals_by_command(casekit: Any, debt: str) -> None:
    late, soon = str(TODAY - timedelta(days=3)), str(TODAY + timedelta(days=9))
    assert casekit("goal", "set", debt, "half", "balance", "920.00 USD", "--want", "at-most", "--by", late, "--owner", "handler").code == 0
    assert casekit("goal", "set", debt, "earns", "known(fact('income.monthly'))", "true", "--want", "exactly").code == 0
    assert casekit("goal", "set", debt, "letters", "documents('letter')", "1", "--by", soon, "--title", "Write to Maria").code == 0
    shown = casekit("goal", "show", debt)
    for words in ("balance at-most 920.00 USD", "1840.00 USD", "missed", "reached", "Write to Maria", "as of"):
        assert words in shown.out
    stand = {g["goal"]["key"]: (g["value"], g["reached"], g["missed"]) for g in casekit("goal", "show", debt, "--json").json["goals"]}
    assert stand == {"half": ("1840.00 USD", False, True), "earns": (True, True, False), "letters": (0, False, False)}

    def listed(*how: str) -> list[str]:
        return [g["goal"]["key"] for g in casekit("goal", "list", *how, "--json").json["goals"]]

    assert listed() == ["half", "letters"]
    assert listed("--overdue") == ["half"]
    assert listed("--owner", "handler") == ["half"]
    assert listed("--due-before", str(TODAY + timedelta(days=30))) == ["half", "letters"]
    assert "(overdue)" in casekit("goal", "list").out
    first = casekit("goal", "list", "--size", "1", "--json").json
    assert listed("--after", first["more"]) == ["letters"]
    assert casekit("goal", "drop", debt, "half", "--reason", "settled").code == 0
    assert listed() == ["letters"]
    assert [g["goal"]["key"] for g in casekit("goal", "show", debt, "--as-of", str(TODAY + timedelta(days=2)), "--json").json["goals"]] == [
        "earns",
        "letters",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("goal", "set", "{}", "half", "nothing", "1"),
        ("goal", "set", "{}", "half", "balance", "1"),
        ("goal", "set", "{}", "half", "balance", "1.00 USD", "--want", "about"),
        ("goal", "set", "{}", "half", "balance", "1.00 USD", "--by", "soon"),
        ("goal", "drop", "{}", "half"),
        ("goal", "list", "--overdue", "--due-before", "2026-01-01"),
        ("goal", "list", "--size", "0"),
        ("goal",),
        ("case", "adjust", "{}", "nothing"),
        ("case", "plan", "{}", "--rounds", "--item", "confirm"),
    ],
)
def test_what_is_not_valid_is_said(casekit: Any, debt: str, arguments: tuple[str, ...]) -> None:
    said = casekit(*(argument.format(debt) for argument in arguments))
    assert (said.code, said.out) == (2, "")
    assert said.err


def test_a_case_without_a_loop_says_so(casekit: Any, case: str) -> None:
    assert "No goal is set." in casekit("goal", "show", case).out
    assert "No goal was set" in casekit("case", "plan", case, "--rounds").out
    assert "Nothing was found." in casekit("case", "look", case).out
