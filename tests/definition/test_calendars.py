"""Calendars and rules of counting as data: one canonical form, and every error with its place."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from casekit.definition.calendars import ALL_DAY, Calendar, DayException, HolidaySet, check_calendar, read_calendar, resolved, week
from casekit.definition.counts import Count, Counts, Extra, check_counts, read_counts
from casekit.definition.load import canonical_text, digest, structure
from casekit.errors import BadInput
from casekit.model.canonical import parse

SUPPORT = Calendar(
    "support-eu",
    "3",
    "Support desk",
    week(("09:00-12:30", "13:30-24:00")),
    "Europe/Rome",
    {"it": HolidaySet({"2026-04-25": "Festa della Liberazione"}, first="2026-01-01", last="2026-12-31", citation="L. 260/1949")},
    {"2026-12-24": DayException("09:00-12:30", "Christmas Eve"), "2026-08-14": DayException(reason="works outing")},
)


def test_json_and_python_give_one_digest() -> None:
    text = canonical_text(SUPPORT)
    read = read_calendar(parse(text, "support.json"))
    assert read == SUPPORT
    assert digest(read) == digest(SUPPORT)
    assert json.loads(text)["hours"]["mon"] == ["09:00-12:30", "13:30-24:00"]


def test_a_day_more_is_another_digest() -> None:
    more = attrs.evolve(SUPPORT.holidays["it"], days={**SUPPORT.holidays["it"].days, "2026-06-02": "Festa della Repubblica"})
    assert digest(attrs.evolve(SUPPORT, holidays={"it": more})) != digest(SUPPORT)


@pytest.mark.parametrize(
    ("said", "where", "what"),
    [
        ({}, "/hours", "no open hours"),
        ({"hours": {"mon": []}, "exceptions": {"2026-01-01": {"hours": []}}}, "/hours", "no open hours"),
        ({"hours": {"mon": ["09:00-17:00"]}, "zone": "Europe/Nowhere"}, "/zone", "no IANA time zone"),
        ({"hours": {"monday": ["09:00-17:00"]}}, "/hours/monday", "is no weekday"),
        ({"hours": {"mon": ["9-17"]}}, "/hours/mon", "'9-17' is no interval"),
        ({"hours": {"mon": ["09:00-09:00"]}}, "/hours/mon", "ends before it begins"),
        ({"hours": {"mon": ["22:00-06:00"]}}, "/hours/mon", "split what runs over midnight"),
        ({"hours": {"mon": ["09:00-24:01"]}}, "/hours/mon", "is no time of the day"),
        ({"hours": {"mon": ["09:60-10:00"]}}, "/hours/mon", "is no time of the day"),
        ({"hours": {"mon": ["24:00-24:00"]}}, "/hours/mon", "is no time of the day"),
        ({"hours": {"mon": ["13:00-17:00", "09:00-13:30"]}}, "/hours/mon", "'09:00-13:30' and '13:00-17:00' overlap"),
        ({"hours": {"mon": "09:00-17:00"}, "exceptions": {"2026-02-30": {}}}, "/exceptions/2026-02-30", "is no day"),
        ({"hours": {"mon": "09:00-17:00"}, "exceptions": {"2026-02-03": {"hours": "x"}}}, "/exceptions/2026-02-03/hours", "is no interval"),
        (
            {"hours": {"mon": "09:00-17:00"}, "holidays": {"x": {"days": {"2026-1-1": "New Year"}}}},
            "/holidays/x/days/2026-1-1",
            "is no day",
        ),
        (
            {"hours": {"mon": "09:00-17:00"}, "holidays": {"x": {"days": {"2025-12-25": "C"}, "first": "2026-01-01"}}},
            "/holidays/x/days/2025-12-25",
            "lies outside",
        ),
        (
            {"hours": {"mon": "09:00-17:00"}, "holidays": {"x": {"days": {}, "first": "2026-01-01", "last": "2025-01-01"}}},
            "/holidays/x",
            "is before its first",
        ),
    ],
)
def test_what_is_no_calendar_is_named_with_its_place(said: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_calendar({"key": "support-eu", "version": "3", **said})
    assert [p.where for p in refused.value.problems] == [f"calendar support-eu: {where}"]
    assert what in str(refused.value)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        check_calendar(Calendar("x", "1", hours={"mon": ("a",), "day": ALL_DAY}, zone="?"))
    assert len(refused.value.problems) == 3


def test_touching_intervals_do_not_overlap() -> None:
    check_calendar(Calendar("x", "1", hours={"mon": ("09:00-12:00", "12:00-17:00")}))


def test_a_calendar_takes_the_holidays_of_those_that_it_uses() -> None:
    law = Calendar("us.observed", "1", hours=week(), holidays={"us": HolidaySet({"2026-07-03": "Independence Day"})})
    mine = attrs.evolve(SUPPORT, uses="us.observed")
    stored = resolved(mine, {"us.observed": law})
    assert stored.holidays.keys() == {"it", "us"}
    assert stored.uses == ()
    with pytest.raises(BadInput, match=r"calendar support-eu: /uses: there is no calendar 'us.observed'"):
        resolved(mine, {})


def test_weekly_hours_by_range() -> None:
    assert list(week("09:00-17:00", "tue-thu")) == ["tue", "wed", "thu"]
    assert list(week(days="sat")) == ["sat"]
    with pytest.raises(BadInput, match="no range of weekdays"):
        week(days="monday")


RULE = Count("x.answer", "1", amount="P14D", roll="forward", extra=Extra(3, "mail"), then=Count("x.more", "1", amount="P1M"))


def test_a_rule_has_one_canonical_form() -> None:
    assert structure(json.loads(canonical_text(RULE)), Count, "rule") == RULE


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({}, "counts: is no list"),
        ([{"key": "x"}], "/version: is missing"),
        ([{"key": "x", "version": "1", "roll": "sideways"}], "/roll: 'sideways' is not allowed"),
        ([{"key": "x", "version": "1", "amount": "P1DT1H"}], "count x: /amount: 'P1DT1H' is not a period in one unit"),
        ([{"key": "x", "version": "1", "effective_from": "2026"}], "count x: /effective_from: '2026' is no day"),
        ([{"key": "x", "version": "1", "extra": {"days": 0, "service": ["mail"]}}], "count x: /extra/days: 0 adds nothing"),
        (
            [{"key": "x", "version": "1", "then": {"key": "y", "version": "1", "amount": "two"}}],
            "count x: /then/amount: 'two' is no duration",
        ),
        (
            [{"key": "x", "version": "1"}, {"key": "x", "version": "2", "effective_from": "2026-01-01"}],
            "count x: 1 and 2 are in force on one day",
        ),
    ],
)
def test_what_is_no_rule_is_named(said: Any, what: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_counts(said)
    assert what in str(refused.value)


def test_the_version_of_a_day() -> None:
    rule = Counts("x", [Count("x", "1", effective_to="2009-11-30"), Count("x", "2", effective_from="2009-12-01")])
    assert [rule.on(d).version for d in ("1990-01-01", "2009-11-30", "2009-12-01", "2026-01-01")] == ["1", "1", "2", "2"]
    with pytest.raises(BadInput, match=r"count x: is not in force on 2009-11-30 \(its versions are 2 \(2009-12-01 to now\)\)"):
        Counts("x", [rule.versions[1]]).on("2009-11-30")
    with pytest.raises(BadInput, match="holds a version of 'x'"):
        check_counts(Counts("y", rule.versions))
