from __future__ import annotations

from datetime import date

import attrs
import pytest

from casekit.errors import BadInput
from casekit.model.actor import Actor
from casekit.model.answers import Finding, Objection, Option, Promise, Task, Verdict, rendered, signed
from casekit.model.money import Money


def test_words_become_text_with_their_arguments() -> None:
    finding = Finding("debt.over", "{claimed} is claimed, {deposit} was paid", args={"claimed": Money("2.00", "EUR"), "deposit": "1"})

    assert str(finding) == finding.text == "2.00 EUR is claimed, 1 was paid"


@pytest.mark.parametrize(
    ("words", "text"),
    [("{missing} stays", "{missing} stays"), ("{a} {a}", "1 1"), ("{a.__class__} {0} {} {{a}}", "{a.__class__} {0} {} {1}"), ("%s", "%s")],
)
def test_words_reach_nothing_but_their_arguments(words: str, text: str) -> None:
    assert rendered(words, {"a": 1}) == text


def test_an_argument_is_not_read_as_words() -> None:
    assert rendered("{a} {b}", {"a": "{b}", "b": 2}) == "{b} 2"


@pytest.mark.parametrize("key", ["", "Debt", "debt.", ".debt", "debt..x", "debt sent", "debt_sent", "débt"])
def test_a_rule_key_is_lower_case_words(key: str) -> None:
    for make in (lambda: Finding(key, "x"), lambda: Objection(key, "x"), lambda: Option(key, "x")):
        with pytest.raises(BadInput):
            make()


def test_an_objection_says_all_that_it_knows() -> None:
    objection = Objection("debt.hours", "It is {local} there", {"local": "07:10"}, "Reg X", "2026-11-24T13:00:00.000000Z", "call later")

    text = "debt.hours: It is 07:10 there; [Reg X]; allowed from 2026-11-24T13:00:00.000000Z; to do: call later"
    assert str(objection) == text


def test_signing_changes_nothing_but_the_stamp() -> None:
    option = Option("a", "A", plan=(Task("t"),), promises=(Promise(date(2026, 1, 1), Money("1.00", "EUR")),), because="why")
    stamped = signed(option, "debt", "1.0")

    assert (stamped.plugin, stamped.version) == ("debt", "1.0")
    assert attrs.evolve(stamped, plugin="", version="") == option
    assert option.because == ("why",)
    assert Finding("a", "b", inputs="one").inputs == ("one",)
    assert signed(Finding("a", "b"), "debt", "1.0").signed_by == "debt 1.0"


def test_answers_do_not_change() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Verdict("allowed").outcome = "refused"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["user:lee", "system:clock", "log:561", "user:a.b_c@d+e-f"])
def test_actors_are_named_kind_and_id(name: str) -> None:
    assert Actor(name, {"clerk"}).roles == frozenset({"clerk"})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "lee", ":lee", "user:", "User:lee", "user:lee smith", "user:" + "x" * 101, "user:lee\n"])
def test_what_names_no_actor_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        Actor(name)


@pytest.mark.parametrize("tenant", ["", "Acme", "a/b", "../x", "-a", "a" * 41, "acme\n"])
def test_what_names_no_tenant_is_refused(tenant: str) -> None:
    with pytest.raises(BadInput):
        Actor("user:lee", tenant=tenant)
