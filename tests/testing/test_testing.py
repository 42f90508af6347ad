"""What plugin authors inherit must find what is wrong, not only pass what is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from casekit.errors import BadInput, PluginFailed
from casekit.sdk import (
    Book,
    Calculator,
    CaseType,
    Finding,
    Money,
    Need,
    Objection,
    Option,
    Plugin,
    Posting,
    Rule,
    State,
    Total,
    Transition,
    field,
    hookimpl,
)
from casekit.testing import PluginTests, StandingClock, a_desk, a_document, a_message, a_person, a_view, only

LOAN = CaseType(
    key="loan.case",
    version="1",
    title="Loan",
    initial="open",
    data={"principal": field(Money, required=True), "secret": field(str, personal=True)},
    facts={"income.monthly": field(Money)},
    states={
        "open": State("Open", category="open", initial="new", states={"new": State("New"), "old": State("Old")}),
        "done": State("Done", category="closed", outcome="done"),
    },
    transitions={"age": Transition("open.new", "open.old"), "end": Transition("open", "done")},
    totals={"levied": Total("charge"), "paid": Total("payment"), "balance": Total(of="levied - paid")},
    ledger=Book(components=("principal",), opening={"principal": "principal"}),
    zone="America/New_York",
)
USD = Money("100.00", "USD")


# Views


def test_a_view_is_a_case_as_it_was_opened() -> None:
    view = a_view(LOAN, data={"principal": USD}, facts={"income.monthly": "5.00 USD"}, now=date(2026, 11, 24))
    assert (view.active, view.category, view.currency) == (frozenset({"open", "open.new"}), "open", "USD")
    assert view.totals == {"levied": USD, "paid": Money("0.00", "USD"), "balance": USD}
    assert view.latest == {"income.monthly": Money("5.00", "USD")}
    assert view.now == "2026-11-24T05:00:00.000000Z", "a day begins where the case is"
    assert view.balance() == USD


def test_a_view_counts_its_ledger_up_to_now() -> None:
    paid = [Posting(f"{i}.0", "payment", "", Money("30.00", "USD"), f"2026-11-2{i}T12:00:00.000000Z") for i in (3, 5)]
    view = a_view(LOAN, data={"principal": USD}, postings=paid, now="2026-11-24T15:00:00.000000Z")
    assert view.totals["balance"] == Money("70.00", "USD")


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"data": {}}, "principal"),
        ({"data": {"principal": 5}}, "principal"),
        ({"state": "nowhere"}, "state"),
        ({"facts": {"x": 1}}, "facts/x"),
    ],
)
def test_a_view_that_no_case_could_have_is_refused(more: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput, match=where):
        a_view(LOAN, **({"data": {"principal": USD}} | more))


def test_only_what_is_needed_is_seen() -> None:
    near, far = (a_message(day, to=a_person("debtor")) for day in ("2026-11-20", "2026-11-10"))
    view = a_view(LOAN, data={"principal": USD}, messages=[far, near], documents=["letter"], now=date(2026, 11, 24))
    seen = only(view, (Need("messages", window="P7D"),))
    assert (seen.messages, seen.filed, seen.postings) == ((near,), (), ())
    assert seen.totals == view.totals
    assert only(view, (Need("messages"), Need("documents"))).messages == (far, near)
    assert a_document("letter", at=date(2026, 1, 1)).at == "2026-01-01T00:00:00.000000Z"


# The base class


def plugin(**hooks: Callable[..., Any]) -> Any:
    @hookimpl
    def casekit_case_types() -> list[CaseType]:
        return [LOAN]

    marked = {name: hook if hasattr(hook, "casekit_impl") else hookimpl(hook) for name, hook in hooks.items()}
    return SimpleNamespace(PLUGIN=Plugin("loan", handles=("loan.case",)), **{"casekit_case_types": casekit_case_types} | marked)


def inherited_by(module: Any) -> PluginTests:
    class Inherited(PluginTests):
        plugin = module

        def views(self) -> list[Any]:
            messages = [a_message(day) for day in ("2026-11-01", "2026-11-23")]
            return [a_view(LOAN, data={"principal": USD}, messages=messages, documents=["letter"])]

    return Inherited()


def every(tests: PluginTests) -> Iterator[tuple[str, Callable[[], None]]]:
    return ((name, getattr(tests, name)) for name in dir(tests) if name.startswith("test_"))


def failing(tests: PluginTests) -> set[str]:
    found = set()
    for name, test in every(tests):
        try:
            test()
        except (AssertionError, BadInput, PluginFailed, AttributeError, TypeError):
            found.add(name)
    return found


def test_a_good_plugin_passes() -> None:
    def casekit_assess(view: Any) -> Iterator[Finding]:
        yield Finding("loan.owed", "{balance} is owed.", ("balance",), {"balance": view.totals["balance"]})

    assert failing(inherited_by(plugin(casekit_assess=casekit_assess))) == set()


def test_a_hook_that_answers_differently_is_found() -> None:
    asked: list[int] = []

    def casekit_assess(view: Any) -> Iterator[Finding]:
        asked.append(1)
        yield Finding("loan.asked", "Asked {count} times.", (), {"count": len(asked)})

    assert failing(inherited_by(plugin(casekit_assess=casekit_assess))) == {"test_hooks_are_pure"}


def test_a_hook_that_changes_the_file_is_found() -> None:
    def casekit_assess(view: Any) -> list[Finding]:
        view.latest["seen"] = True
        return []

    assert "test_hooks_are_pure" in failing(inherited_by(plugin(casekit_assess=casekit_assess)))


def test_an_answer_of_the_wrong_kind_is_found() -> None:
    def casekit_close(view: Any, outcome: str) -> list[Any]:
        return [Finding("loan.x", "x")]

    assert failing(inherited_by(plugin(casekit_close=casekit_close))) == {"test_answers_can_be_kept", "test_hooks_are_pure"}


@pytest.mark.parametrize(
    "objection", [Objection("other.rule", "x"), Objection("loan.x", "{amount} is missing"), Objection("loan.x", "{a}", {"a": 1.5})]
)
def test_an_answer_that_can_not_be_kept_is_found(objection: Objection) -> None:
    def casekit_close(view: Any, outcome: str) -> list[Objection]:
        return [objection]

    found = failing(inherited_by(plugin(casekit_close=casekit_close)))
    assert "test_answers_can_be_kept" in found
    assert found <= {"test_answers_can_be_kept", "test_hooks_are_pure"}


def test_two_options_of_one_key_are_found() -> None:
    def casekit_plan(view: Any) -> list[Option]:
        return [Option("same", "x"), Option("same", "y")]

    assert failing(inherited_by(plugin(casekit_plan=casekit_plan))) == {"test_options_are_told_apart"}


@pytest.mark.parametrize(("needs", "found"), [((), True), ((Need("messages", window="P7D"),), False), ((Need("messages"),), False)])
def test_a_guard_that_reads_more_than_it_says_is_found(needs: tuple[Need, ...], found: bool) -> None:
    @hookimpl(needs=needs)
    def casekit_before_message(view: Any, message: Any) -> Iterator[Objection]:
        yield Objection("loan.count", "{count}", {"count": len(view.messages)})

    assert failing(inherited_by(plugin(casekit_before_message=casekit_before_message))) == (
        {"test_guards_declare_what_they_read"} if found else set()
    )


def test_a_rule_that_reads_more_than_it_says_is_found() -> None:
    def casekit_requirements() -> list[Rule]:
        return [Rule("loan.letter", lambda view: bool(view.documents("letter")))]

    assert failing(inherited_by(plugin(casekit_requirements=casekit_requirements))) == {"test_guards_declare_what_they_read"}


def test_a_calculator_that_does_not_say_what_is_personal_is_found() -> None:
    def casekit_calculators() -> list[Calculator]:
        return [Calculator("loan.name", "x", str, {"name": field(str)})]

    assert failing(inherited_by(plugin(casekit_calculators=casekit_calculators))) == {"test_calculators_say_what_they_take"}


def test_a_signature_that_no_hook_has_is_found() -> None:
    def casekit_assess(view: Any, now: Any) -> list[Finding]:
        return []

    assert "test_it_loads" in failing(inherited_by(plugin(casekit_assess=casekit_assess)))


def test_a_case_type_that_makes_no_sense_is_found() -> None:
    def casekit_case_types() -> list[CaseType]:
        return [evolve(LOAN, initial="nowhere")]

    found = failing(inherited_by(plugin(casekit_case_types=casekit_case_types)))
    assert found == {"test_case_types_make_sense"}


def test_a_plugin_that_does_not_handle_its_own_is_found() -> None:
    module = plugin()
    module.PLUGIN = Plugin("loan")
    assert failing(inherited_by(module)) == {"test_it_handles_what_it_brings"}


# The desk


def test_a_desk_on_a_clock_that_stands(tmp_path: Path) -> None:
    clock = StandingClock(datetime(2026, 11, 24, 15, tzinfo=UTC))
    with a_desk(tmp_path, plugin(), clock=clock) as desk:
        admin = desk.seat("user:ada", roles={"admin"})
        assert admin.open("loan.case", data={"principal": USD}).opened == "2026-11-24T15:00:00.000000Z"
        clock.go_on(days=1)
        assert admin.open("loan.case", data={"principal": USD}).opened == "2026-11-25T15:00:00.000000Z"
    with pytest.raises(BadInput, match="forward"):
        clock.go_to(datetime(2026, 11, 24, tzinfo=UTC))
