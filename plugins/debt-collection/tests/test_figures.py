"""Means, instalments, the validation period: figures with known answers, and what must hold for all of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import casekit_debt_collection
from casekit.sdk import BadInput, Money, Option, View
from casekit.testing import a_document, a_message, a_person, a_view
from casekit_debt_collection.casetype import DEBT_CASE
from casekit_debt_collection.days import business_days_after, months_after, statutory_holidays
from casekit_debt_collection.instalments import calculate, counts, options, schedule
from casekit_debt_collection.means import findings
from casekit_debt_collection.validation import period

MARIA = a_person("debtor", zone="America/New_York")
NEEDED = {"income.monthly": "2100.00 USD", "expense.housing": "1100.00 USD", "expense.living": "700.00 USD"}


def usd(amount: str) -> Money:
    return Money(amount, "USD")


def case(principal: str = "1840.00", facts: dict[str, str] | None = None, **more: object) -> View:
    return a_view(DEBT_CASE, data={"principal": usd(principal)}, facts=facts or {}, parties=[MARIA], now=date(2026, 11, 24), **more)  # type: ignore[arg-type]


def found(view: View) -> dict[str, str]:
    return {f.rule: f.text for f in findings(view)}


# Instalments


def test_the_odd_cents_come_last() -> None:
    promises = schedule(usd("1840.00"), 12, date(2026, 12, 24))
    assert [p.amount for p in promises] == [usd("153.33")] * 11 + [usd("153.37")]
    assert (promises[0].due, promises[-1].due) == (date(2026, 12, 24), date(2027, 11, 24))


def test_three_of_ten_thousand() -> None:
    assert [p.amount for p in schedule(usd("10000.00"), 3, date(2026, 1, 1))] == [usd("3333.33"), usd("3333.33"), usd("3333.34")]


def test_months_end_is_counted_from_the_first_day_and_not_from_the_one_before() -> None:
    days = [p.due for p in schedule(usd("14.00"), 14, date(2023, 12, 31))]
    assert days[:4] == [date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)]
    assert days[4] == date(2024, 4, 30)
    assert days[13] == date(2025, 1, 31)


AMOUNTS = st.integers(1, 10**9).map(lambda minor: Money.of_minor(minor, "USD"))


@given(AMOUNTS, st.integers(1, 120), st.dates(date(2000, 1, 1), date(2090, 1, 1)))
@settings(deadline=None)
def test_instalments_come_to_the_whole_and_none_is_empty(amount: Money, count: int, first: date) -> None:
    if amount.minor < count:
        with pytest.raises(BadInput, match="empty"):
            schedule(amount, count, first)
        return
    promises = schedule(amount, count, first)
    assert sum((p.amount for p in promises), Money.zero("USD")) == amount
    assert len({p.amount for p in promises[:-1]}) <= 1
    assert 0 <= promises[-1].amount.minor - promises[0].amount.minor < count
    assert promises[0].amount.minor > 0
    for i, promise in enumerate(promises):
        month = first.year * 12 + first.month - 1 + i
        assert promise.due.year * 12 + promise.due.month - 1 == month
        assert promise.due.day == first.day or ((promise.due + timedelta(days=1)).day == 1 and promise.due.day < first.day)


@pytest.mark.parametrize(("amount", "count"), [("0.00", 1), ("-5.00", 1), ("5.00", 0), ("5.00", -1), ("0.05", 6)])
def test_what_can_not_be_split_is_refused(amount: str, count: int) -> None:
    with pytest.raises(BadInput):
        calculate(usd(amount), count, date(2026, 12, 24))


# Options


def offered(view: View) -> dict[str, Option]:
    return {option.key: option for option in options(view)}


def test_usual_lengths_where_nothing_is_known() -> None:
    ways = offered(case())
    assert list(ways) == ["instalments-6", "instalments-12", "instalments-24"]
    assert ways["instalments-12"].because == (
        "Whether it can be paid is not known. Missing: income.monthly, expense.housing, expense.living.",
    )
    assert ways["instalments-12"].promises[0].due == date(2026, 12, 24), "a month from today, in the zone of the case"


def test_the_length_that_she_can_afford_is_among_them() -> None:
    ways = offered(case(facts=NEEDED))  # 300 are left: 1840 takes seven months
    assert list(ways) == ["instalments-6", "instalments-7", "instalments-12"]
    assert ways["instalments-6"].because == ("It takes 306.70 USD a month, 6.70 USD more than the 300.00 USD that are left.",)
    assert ways["instalments-7"].because == ("It takes 262.90 USD of the 300.00 USD that are left a month, and leaves 37.10 USD.",)
    assert ways["instalments-7"].text == "7 instalments of 262.85 USD, the last of 262.90 USD, from 2026-12-24 to 2027-06-24"


def test_where_nothing_is_left_it_says_so() -> None:
    ways = offered(case(facts=NEEDED | {"expense.other": "300.00 USD"}))
    assert list(ways) == ["instalments-6", "instalments-12", "instalments-24"]
    assert all("Nothing is left a month (0.00 USD)" in way.because[0] for way in ways.values())


def test_too_small_a_debt_has_fewer_ways() -> None:
    assert list(offered(case("0.13"))) == ["instalments-6", "instalments-12"]
    assert list(offered(case("0.05"))) == ["instalments-1"]


@given(AMOUNTS, st.integers(-(10**6), 10**7))
@settings(deadline=None)
def test_three_ways_that_differ_and_one_within_reach(balance: Money, left: int) -> None:
    disposable = Money.of_minor(left, "USD")
    ways = counts(balance, disposable)
    assert list(ways) == sorted(set(ways))
    assert len(ways) == 3 or balance.minor < 24
    if left > 0 and balance.minor <= left * 30 and balance.minor >= 60:
        dearest = [max(p.amount for p in schedule(balance, n, date(2026, 1, 1))) for n in ways]
        assert min(dearest) <= disposable


# Means


def test_what_is_left_is_found_with_its_reasons() -> None:
    (left,) = [f for f in findings(case(facts=NEEDED)) if f.rule == "debt.disposable-income"]
    assert left.text == "2100.00 USD comes in a month and 1800.00 USD is needed: 300.00 USD is left."
    assert left.inputs == ("fact:income.monthly", "fact:expense.housing", "fact:expense.living")
    assert found(case(facts=NEEDED))["debt.months-to-pay"] == "With all that is left, 1840.00 USD takes 7 months."


def test_other_debts_assets_and_other_income_are_counted() -> None:
    more = {"income.other": "100.00 USD", "debt.monthly": "150.00 USD", "debt.total": "9000.00 USD", "asset.savings": "640.00 USD"}
    texts = found(case(facts=NEEDED | more))
    assert texts["debt.disposable-income"] == "2200.00 USD comes in a month and 1950.00 USD is needed: 250.00 USD is left."
    assert texts["debt.assets"] == "Assets of 640.00 USD are known."
    assert texts["debt.other-debts"] == "9000.00 USD is owed to others."
    assert texts["debt.means-unsaid"] == "Not counted, because nobody has said: expense.other, asset.other."


@pytest.mark.parametrize("gone", sorted(NEEDED))
def test_what_is_missing_is_named_and_nothing_is_made_up(gone: str) -> None:
    view = case(facts={key: value for key, value in NEEDED.items() if key != gone})
    missing = [f for f in findings(view) if f.rule == "debt.means-missing"]
    assert [(f.args["fact"], f.inputs) for f in missing] == [(gone, (f"fact:{gone}",))]
    assert "debt.disposable-income" not in found(view)
    assert all(gone in option.because[0] for option in options(view))


def test_a_fact_in_another_currency_is_not_known() -> None:
    assert "income.monthly" in found(case(facts=NEEDED | {"income.monthly": "2100.00 EUR"}))["debt.means-missing"]


def test_the_notice_that_was_never_sent_is_found() -> None:
    spoke = a_message("2026-11-20T15:00:00Z", to=MARIA, outcome="conversation")
    assert "by 2026-11-25" in found(case(messages=[spoke]))["debt.notice-missing"]
    assert "debt.notice-missing" not in found(case(messages=[spoke], documents=["validation-notice"]))
    assert "debt.notice-missing" not in found(case(messages=[a_message("2026-11-20T15:00:00Z", to=MARIA, outcome="voicemail")]))


def test_while_the_validation_period_runs_it_is_said() -> None:
    for ends, runs in (("2026-11-24", True), ("2026-11-23", False)):
        view = a_view(DEBT_CASE, data={"principal": usd("1.00"), "validation_ends": ends}, now=date(2026, 11, 24))
        assert ("debt.validation-runs" in found(view)) == runs


# The validation period


@pytest.mark.parametrize(
    ("sent", "received", "ends"),
    [
        (date(2021, 12, 1), date(2021, 12, 8), date(2022, 1, 7)),
        (date(2024, 12, 20), date(2024, 12, 30), date(2025, 1, 29)),
        (date(2026, 11, 20), date(2026, 11, 30), date(2026, 12, 30)),
        # A holiday on a Saturday is no holiday on the Friday before: 6103(a) has its own date only.
        (date(2026, 6, 29), date(2026, 7, 6), date(2026, 8, 5)),
        (date(2027, 12, 20), date(2027, 12, 27), date(2028, 1, 26)),
    ],
)
def test_the_validation_period(sent: date, received: date, ends: date) -> None:
    assert (period(sent).received, period(sent).ends) == (received, ends)


def test_a_known_day_of_receipt_counts_as_it_is() -> None:
    assert period(date(2021, 12, 1), date(2021, 12, 3)).ends == date(2022, 1, 2), "a Sunday: the end is not moved"


def test_the_holidays_of_a_year() -> None:
    assert sorted(statutory_holidays(2026)) == [
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
        date(2026, 5, 25),
        date(2026, 6, 19),
        date(2026, 7, 4),
        date(2026, 9, 7),
        date(2026, 10, 12),
        date(2026, 11, 11),
        date(2026, 11, 26),
        date(2026, 12, 25),
    ]
    assert date(2020, 6, 19) not in statutory_holidays(2020), "Juneteenth is one since 2021"


@given(st.dates(date(2021, 6, 20), date(2090, 1, 1)), st.integers(1, 10))
@settings(deadline=None)
def test_business_days_count_one_by_one(day: date, count: int) -> None:
    end = business_days_after(day, count)
    between = [day + timedelta(days=i) for i in range(1, (end - day).days + 1)]
    assert sum(d.weekday() < 5 and d not in statutory_holidays(d.year) for d in between) == count
    assert end.weekday() < 5


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 600))
@settings(deadline=None)
def test_months_after(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


# What a before-hook says of a notice


@pytest.mark.parametrize(("ends", "said"), [("2026-12-31", ["debt.validation-short"]), ("2027-01-01", []), ("", [])])
def test_a_validation_period_is_not_cut_short(ends: str, said: list[str]) -> None:
    view = case(documents=[a_document("validation-notice", at=date(2026, 11, 24), direction="out")])
    # Sent on Tuesday 24 November, Thanksgiving between: received on Wednesday 2 December, thirty days on it is 1 January.
    fields = {"ends": date.fromisoformat(ends)} if ends else {}
    assert [o.rule for o in casekit_debt_collection.casekit_before_transition(view, "notify", fields)] == said
