"""The built-in calendars against the library they come from, and against the statute where the two differ."""

from __future__ import annotations

import sys
from datetime import date, timedelta

import holidays
import pytest

from casekit.builtin import counting
from casekit.builtin import holidays as builtin
from casekit.definition.calendars import Calendar, check_calendar
from casekit.definition.load import digest
from casekit.errors import BadInput
from casekit.plugins.catalogue import Catalogue
from casekit.plugins.declared import CalendarSource

SOURCES = {source.key: source for source in builtin.calendar_sources()}
FIRST, LAST = 1997, 2040


def made(key: str, first: int = FIRST, last: int = LAST) -> Calendar:
    return SOURCES[key].build(first, last)


def nth(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th weekday of a month; the last one for n = 0."""
    days = [d for k in range(31) if (d := date(year, month, 1) + timedelta(days=k)).month == month and d.weekday() == weekday]
    return days[n - 1]


def statute(year: int) -> set[date]:
    """5 U.S.C. 6103(a), written down once more from its text."""
    by_weekday = {nth(year, 1, 0, 3), nth(year, 2, 0, 3), nth(year, 5, 0, 0), nth(year, 9, 0, 1), nth(year, 10, 0, 2), nth(year, 11, 3, 4)}
    by_date = {date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)}
    return by_weekday | by_date | ({date(year, 6, 19)} if year >= 2021 else set())


def test_statutory_days_are_those_of_the_statute() -> None:
    found = set(map(date.fromisoformat, made("us.statutory").holidays["us.statutory"].days))
    assert found == set().union(*map(statute, range(FIRST, LAST + 1)))


def test_observed_days_are_those_of_the_library() -> None:
    calendar = made("us.observed")
    ours = {d for s in calendar.holidays.values() for d in s.days}
    theirs = holidays.country_holidays("US", years=range(FIRST, LAST + 1), observed=True)
    assert ours == {d.isoformat() for d in theirs if FIRST <= d.year <= LAST}


def test_weekdays_on_which_the_two_sets_differ() -> None:
    observed = made("us.observed", 2021, 2030).holidays["us.observed"].days
    assert sorted(observed) == [
        *("2021-06-18", "2021-07-05", "2021-12-24", "2021-12-31"),
        *("2022-06-20", "2022-12-26", "2023-01-02", "2023-11-10", "2026-07-03"),
        *("2027-06-18", "2027-07-05", "2027-12-24", "2027-12-31", "2028-11-10", "2029-11-12"),
    ]


def test_the_last_year_asked_for_looks_into_the_next() -> None:
    assert "2027-12-31" in made("us.observed", 2027, 2027).holidays["us.observed"].days


def test_a_court_keeps_state_days_forward_only_and_doubts_closings() -> None:
    court = made("us.court.ma")
    state = court.holidays["us.state.ma"]
    assert state.forward_only
    assert not state.doubtful
    assert state.days["2026-04-20"] == "Patriots' Day"
    assert court.holidays["us.executive"].days["2007-12-24"] == "Christmas Eve"
    assert {key for key, s in court.holidays.items() if s.doubtful} == {"us.observed", "us.executive"}
    assert "us.state.ma" not in made("us.court").holidays


def test_half_days_close_no_court() -> None:
    assert "2015-12-24" not in made("us.court").holidays["us.executive"].days


def test_england_germany_and_the_states() -> None:
    assert made("uk.england-wales").holidays["uk.england-wales"].days["2026-12-28"].startswith("Boxing Day")
    assert "2022-09-19" in made("uk.england-wales").holidays["uk.england-wales"].days
    assert "2026-12-24" in made("uk.rp-2001").holidays["uk.rp-2001"].days
    assert made("de").holidays["de"].days["2026-10-03"] == "Tag der Deutschen Einheit"
    assert {"2026-01-06", "2026-06-04"} <= made("de.by").holidays["de.by"].days.keys()
    assert not {"2026-01-06", "2026-06-04"} & made("de").holidays["de"].days.keys()


@pytest.mark.parametrize("key", SOURCES)
def test_every_source_makes_a_sound_calendar_of_its_name(key: str) -> None:
    calendar = made(key, 2024, 2027)
    check_calendar(calendar)
    assert calendar.key == key
    assert calendar.title
    assert any(s.days for s in calendar.holidays.values())
    assert digest(calendar) == digest(made(key, 2024, 2027))


def test_what_the_library_does_not_know_is_not_covered() -> None:
    spain = made("eu.es", 1990, 2030).holidays["eu.es"]
    assert spain.first == f"{holidays.ES.start_year}-01-01"
    with pytest.raises(BadInput, match="holidays ES: no year from 1900 to 1950 is known"):
        made("eu.es", 1900, 1950)


def test_without_the_library_the_calendars_are_known_and_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    sources = builtin.calendar_sources()
    with pytest.raises(BadInput, match=r"install casekit\[holidays\]"):
        sources[0].build(2026, 2027)


def test_they_come_in_by_the_hooks_of_everyone() -> None:
    catalogue = Catalogue(installed=True)
    assert not catalogue.broken
    source, plugin = catalogue.declared.calendars["us.court"]
    assert isinstance(source, CalendarSource)
    assert plugin.name == "casekit-builtin"
    assert catalogue.declared.counts["us.frcp-6"][0].on("2026-01-01").version == "2016"


def test_every_rule_names_its_law_and_what_was_read() -> None:
    for book in counting.counting_rules():
        for rule in book.versions:
            assert rule.citation, rule.key
            assert rule.source or rule.unverified, rule.key
            assert rule.verified_on or rule.unverified, rule.key
