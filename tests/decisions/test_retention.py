"""How long a case is kept: periods against another calendar, base dates against a reading of their own, and which rule wins."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any

import pytest
from attrs import evolve
from dateutil.relativedelta import relativedelta
from hypothesis import example, given
from hypothesis import strategies as st

import leases
from casekit import BadInput
from casekit.decisions.check import check
from casekit.decisions.retention import Kept, Noted, Schedule, last_day, schedule, still_binding
from casekit.definition.retention import BASES, Retention

days = st.dates(date(1900, 1, 1), date(2500, 12, 31))
amounts = st.tuples(st.integers(0, 120), st.integers(0, 30), st.integers(0, 60), st.integers(0, 500)).filter(any)


def text(amount: tuple[int, int, int, int]) -> str:
    return "P" + "".join(f"{count}{letter}" for count, letter in zip(amount, "YMWD", strict=True) if count)


@given(days, amounts)
@example(date(2024, 2, 29), (1, 0, 0, 0))
@example(date(2023, 1, 31), (0, 1, 0, 0))
@example(date(2024, 1, 31), (0, 1, 0, 0))
@example(date(2023, 2, 28), (1, 0, 0, 0))
@example(date(2023, 8, 31), (0, 6, 0, 1))
def test_a_period_ends_where_another_calendar_says(begun: date, amount: tuple[int, int, int, int]) -> None:
    years, months, weeks, more = amount
    oracle = begun + relativedelta(years=years, months=months) + relativedelta(weeks=weeks, days=more)
    assert last_day(begun.isoformat(), text(amount)) == oracle.isoformat()


@given(days, amounts)
@example(date(2024, 2, 10), (1, 0, 0, 0))
def test_a_period_from_the_end_of_a_month_or_year(begun: date, amount: tuple[int, int, int, int]) -> None:
    years, months, weeks, more = amount
    step = relativedelta(years=years, months=months)
    of_year = date(begun.year, 12, 31) + step + timedelta(weeks=weeks, days=more)
    assert last_day(begun.isoformat(), text(amount), "year") == of_year.isoformat()
    of_month = begun + relativedelta(day=31) + step + timedelta(weeks=weeks, days=more)
    expected = of_month + relativedelta(day=31)
    assert last_day(begun.isoformat(), text(amount), "month") == expected.isoformat()
    assert expected.day == calendar.monthrange(expected.year, expected.month)[1]


CLOSED = "2024-02-29"

BY_KIND: dict[str, tuple[Retention, dict[str, Any], str | None]] = {
    "closed": (Retention("P1Y"), {}, CLOSED),
    "term": (Retention("P1Y", "term", term="P1M"), {}, "2024-03-29"),
    "noted": (
        Retention("P1Y", "noted", "f"),
        {"facts": {"f": [Noted("2020-01-01", "2030-05-05"), Noted("2021-01-01", "2022-05-05")]}},
        "2022-05-05",
    ),
    "field": (Retention("P1Y", "field", "d"), {"data": {"d": "2019-12-31"}}, "2019-12-31"),
    "related": (
        Retention("P1Y", "related", "c"),
        {"data": {"c": ["A-1", "A-2"]}, "cases": {"A-1": "2025-03-01", "A-2": "2023-03-01"}},
        "2025-03-01",
    ),
    "parent": (Retention("P1Y", "parent", "c"), {"data": {"c": "A-1"}, "cases": {"A-1": "2025-03-01"}}, "2025-03-01"),
    "decided": (Retention("P1Y", "decided", "f"), {"facts": {"f": [Noted("2020-01-01"), Noted("2022-07-01")]}}, "2022-07-01"),
    "expires": (
        Retention("P1Y", "expires", "f"),
        {"facts": {"f": [Noted("2020-01-01", "2030-05-05"), Noted("2021-01-01", "2022-05-05")]}},
        "2030-05-05",
    ),
    "object": (
        Retention("P1Y", "object", "o/*/until"),
        {"data": {"o": [{"until": "2026-01-31"}, {"until": "2027-01-31"}]}},
        "2027-01-31",
    ),
}


def test_every_kind_of_base_date_is_tried() -> None:
    assert set(BY_KIND) == set(BASES)


@pytest.mark.parametrize("kind", BASES)
def test_a_base_date_is_read_where_it_stands(kind: str) -> None:
    rule, known, expected = BY_KIND[kind]
    found = schedule({"r": rule}, Kept(CLOSED, **known), "2026-06-01")
    assert (found.base, found.rule) == (expected, "r")
    assert found.until == (date.fromisoformat(str(expected)) + relativedelta(years=1)).isoformat()
    assert str(expected) in found.parts[0].why


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("noted", {}),
        ("noted", {"facts": {"f": [Noted("2020-01-01", "2020-01-01"), Noted("2021-01-01", None)]}}),
        ("field", {"data": {"d": None}}),
        ("related", {"data": {"c": []}}),
        ("related", {"data": {"c": ["A-1", "A-2"]}, "cases": {"A-1": "2020-01-01", "A-2": None}}),
        ("related", {"data": {"c": ["A-1", "A-9"]}, "cases": {"A-1": "2020-01-01"}}),
        ("parent", {"data": {"c": "A-9"}}),
        ("decided", {}),
        ("expires", {"facts": {"f": [Noted("2020-01-01", "2020-01-01"), Noted("2020-01-01", None)]}}),
        ("object", {"data": {"o": [{"until": "2020-01-31"}, {}]}}),
        ("object", {"data": {}}),
    ],
)
def test_a_base_date_that_has_not_come_is_waited_for(kind: str, known: dict[str, Any]) -> None:
    rules = {"r": BY_KIND[kind][0], "short": Retention("P1D")}
    found = schedule(rules, Kept(CLOSED, **known), "2400-01-01")
    assert (found.standing, found.rule, found.until) == ("waiting", "r", None)


rule = st.builds(
    Retention,
    period=amounts.map(text),
    counted=st.sampled_from(["", "month", "year"]),
    end=st.sampled_from(["destroy", "review"]),
    outcomes=st.sampled_from([(), ("won",), ("lost",)]),
    documents=st.sampled_from([(), ("plan",), ("plan", "letter")]),
    statutory=st.booleans(),
)
rules = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), rule, max_size=4)


@given(rules, days, days, st.sampled_from(["won", "lost"]), st.sets(st.sampled_from(["plan", "letter"])))
def test_the_longest_of_those_that_apply_wins(some: dict[str, Retention], closed: date, today: date, outcome: str, files: set[str]) -> None:
    found = schedule(some, Kept(closed.isoformat(), outcome, documents=frozenset(files)), today.isoformat())
    ends = {
        key: last_day(closed.isoformat(), one.period, one.counted)
        for key, one in some.items()
        if (not one.outcomes or outcome in one.outcomes) and (not one.documents or set(one.documents) & files)
    }
    assert {part.rule for part in found.parts} == set(some)
    assert {part.rule for part in found.parts if part.applies} == set(ends)
    if not ends:
        assert found == Schedule("no-rule", parts=found.parts)
        return
    assert found.until == max(ends.values())
    assert (found.standing == "due") == (today.isoformat() > max(ends.values()))
    longest = [key for key, end in ends.items() if end == found.until]
    assert found.rule in longest
    assert found.end == ("review" if any(some[key].end == "review" for key in longest) else "destroy")
    binding = {part.rule for part in still_binding(found, today.isoformat())}
    assert binding == {key for key, end in ends.items() if some[key].statutory and today.isoformat() <= end}
    kept = schedule({**some, "e": Retention(end="keep")}, Kept(closed.isoformat(), outcome), today.isoformat())
    assert (kept.standing, kept.rule, kept.until) == ("keep", "e", None)
    assert schedule(some, Kept(None, outcome), today.isoformat()) == Schedule("open")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Retention(), "write it as P10Y"),
        (Retention("PT1H"), "can't be counted in days"),
        (Retention("-P1D"), "can't be counted in days"),
        (Retention("P0D"), "can't be counted in days"),
        (Retention("P1Y", end="keep"), "has no period"),
        (Retention("P1Y", of="ends"), "nothing is read"),
        (Retention("P1Y", term="P1M"), "nothing goes on"),
        (Retention("P1Y", "term"), "term"),
        (Retention("P1Y", "field", "nothing"), "no field of the data"),
        (Retention("P1Y", "noted", "nothing"), "no fact"),
        (Retention("P1Y", "field", "story"), "is personal"),
        (Retention("P1Y", "field", "rooms"), "is no day"),
        (Retention("P1Y", "object", "ends/*"), "no path into"),
        (Retention("P1Y", "parent", "others"), "names several cases"),
        (Retention("P1Y", "related", "rooms/x"), "no field of the data"),
        (Retention("P1Y", outcomes="lost"), "no case ends as"),
        (Retention("P1Y", documents="map"), "no kind of document"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: Retention, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        check(evolve(leases.LEASE, retention={"r": wrong}))
    assert "/retention/r" in str(refused.value)


@pytest.mark.parametrize(
    "right",
    [
        Retention("P1Y", "object", "rooms/*/until"),
        Retention("P1Y", "related", "others"),
        Retention("P1Y", "parent", "parent"),
        Retention("P1Y", "decided", "permit"),
        Retention("P1Y", "expires", "permit"),
        Retention("P1Y", "noted", "handed-over"),
        Retention("P1Y", "term", term="P2M"),
        Retention(end="keep"),
    ],
)
def test_a_rule_that_makes_sense_is_taken(right: Retention) -> None:
    check(evolve(leases.LEASE, retention={"r": right}))
