"""Calendars and rules of counting that plugins bring."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from casekit.plugins.catalogue import Catalogue
from casekit.plugins.declared import CalendarSource
from casekit.sdk import Calendar, Count, Counts, Plugin, hookimpl, week


def plugin(name: str, calendars: Any = (), counts: Any = ()) -> ModuleType:
    made = ModuleType(f"casekit_{name}")

    @hookimpl
    def casekit_calendars() -> Any:
        return calendars

    @hookimpl
    def casekit_counts() -> Any:
        return counts

    for member, value in {"PLUGIN": Plugin(name), "casekit_calendars": casekit_calendars, "casekit_counts": casekit_counts}.items():
        setattr(made, member, value)
    return made


OFFICE = Calendar("office", "1", hours=week("09:00-17:00"))
ANSWER = Counts("answer", [Count("answer", "1", amount="P14D")])


def test_calendars_sources_and_rules_are_declared_with_their_provider() -> None:
    source = CalendarSource("law", "Law", lambda first, last: OFFICE)
    declared = Catalogue([plugin("one", [OFFICE, source], [ANSWER])], installed=False).declared
    assert {key: said.name for key, (_, said) in declared.calendars.items()} == {"office": "one", "law": "one"}
    assert declared.counts["answer"][0] is ANSWER


@pytest.mark.parametrize(
    ("calendars", "counts", "why"),
    [
        ([Calendar("never", "1")], (), "calendar never: /hours: the calendar has no open hours"),
        (["office"], (), "casekit_calendars: returned a str (return Calendar or CalendarSource records)"),
        ((), [Count("bare", "1")], "casekit_counts: returned a Count (return Counts records)"),
        ((), [Counts("two", [Count("two", "1"), Count("two", "2")])], "count two: 1 and 2 are in force on one day"),
    ],
)
def test_what_is_malformed_puts_the_plugin_aside(calendars: Any, counts: Any, why: str) -> None:
    catalogue = Catalogue([plugin("odd", calendars, counts), plugin("good", [OFFICE])], installed=False)
    assert [(p.says.name, why in p.broken) for p in catalogue.broken] == [("odd", True)]
    assert list(catalogue.declared.calendars) == ["office"]


def test_a_key_that_two_claim_belongs_to_neither() -> None:
    catalogue = Catalogue([plugin("one", [OFFICE]), plugin("two", [OFFICE])], installed=False)
    assert [p.broken for p in catalogue.broken] == ["the calendar 'office' is claimed by one 0 and two 0 (remove one of them)"] * 2
