"""What every plugin promises, held by this one on the case files that matter to it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from attrs import evolve

import casekit_debt_collection
from casekit.sdk import Command, Fact, Goal, Mark, Message, Money, PastClock, Posting, Progress, Recorded, RunningClock, View
from casekit.testing import PluginTests, a_message, a_person, a_view
from casekit_debt_collection.casetype import DEBT_CASE

USD = "USD"
MARIA = a_person("debtor", zone="America/New_York", name="Maria Silva")
SHOP = a_person("creditor", kind="organisation", name="Corner Shop")
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


def usd(amount: str) -> Money:
    return Money(amount, USD)


def arranged(means: Mapping[str, Money], promise: RunningClock) -> View:
    """An arrangement at work: one instalment kept, one missed, one to come; the means have shrunk since."""
    at = "2026-10-20T00:00:00.000000Z"
    kept = PastClock("promise", "9.0", "met", at, "2026-11-01T04:00:00.000000Z", None, "2026-10-30T15:00:00.000000Z", 11)
    to_come = evolve(promise, instance="9.2", status="running", due="2026-12-20T05:00:00.000000Z")
    missed = Progress(Goal("paid-off", "balance", "0.00 USD", "at-most", "2026-11-01", "handler"), at, "1840.00 USD", False, True, at)
    known = [Fact(f"2.{i}", key, value, at) for i, (key, value) in enumerate(means.items())]
    return a_view(
        DEBT_CASE,
        data={"principal": usd("1840.00")},
        parties=[MARIA, SHOP],
        facts=[*known, Fact("12.0", "income.monthly", usd("1990.00"), "2026-11-20T00:00:00.000000Z")],
        state="arrangement",
        clocks=[evolve(c, args={"amount": "306.66 USD", "through": 1}) for c in (promise, to_come)],
        now=NOW,
        choice="instalments-6",
        chosen=Mark(9, at),
        reviewed=Mark(11, at),
        past_clocks=[kept],
        goals=[missed],
        postings=[Posting("12.1", "payment", "", usd("5.00"), "2026-11-20T00:00:00.000000Z")],
    )


def test_a_review_says_all_that_there_is_to_say() -> None:
    means = {"income.monthly": usd("2100.00"), "expense.housing": usd("1100.00"), "expense.living": usd("800.00")}
    promise = RunningClock("promise", "9.1", "breached", "2026-11-01T00:00:00.000000Z", "2026-11-20T05:00:00.000000Z")
    answers = list(casekit_debt_collection.casekit_review(arranged(means, promise), ()))
    assert [str(answer) for answer in answers] == [
        "5.00 USD was paid since the last review.",
        "The goal paid-off was not reached by 2026-11-01.",
        "1 of 3 instalments were kept.",
        "1 instalments were missed, the first was due by 2026-11-19.",
        "income.monthly was 2100.00 USD when the arrangement was chosen, and is 1990.00 USD.",
        "An instalment takes 306.66 USD a month, and 90.00 USD is left.",
        "Pay 1835.00 USD in 21 instalments instead",
        "Have everything paid by 2026-12-19, as the arrangement says",
    ]


class TestDebtCollection(PluginTests):
    plugin = casekit_debt_collection
    prefix = "debt."
    calculations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "debt.instalments": {"amount": usd("1840.00"), "count": 12, "first_due": date(2026, 12, 31)},
        "debt.contact": {"at": NOW, "zones": ["America/New_York"], "calls": [NOW - timedelta(hours=h) for h in range(1, 9)]},
        "debt.validation-period": {"sent": date(2026, 11, 20)},
    }

    def views(self) -> Iterable[View]:
        data = {"principal": usd("1840.00"), "account": "...4711"}
        means = {"income.monthly": usd("2100.00"), "expense.housing": usd("1100.00"), "expense.living": usd("800.00")}
        calls = [a_message(NOW - timedelta(days=d, hours=1), to=MARIA) for d in range(20)]
        promise = RunningClock("promise", "9.1", "breached", "2026-11-01T00:00:00.000000Z", "2026-11-20T05:00:00.000000Z")
        yield a_view(DEBT_CASE, data=data, parties=[MARIA, SHOP], now=NOW)
        yield a_view(DEBT_CASE, data=data, parties=[MARIA, SHOP], facts=means, messages=calls, documents=["agreement"], now=NOW)
        yield a_view(DEBT_CASE, data=data, parties=[MARIA, SHOP], facts=means, state="arrangement", clocks=[promise], now=NOW)
        yield arranged(means, promise)
        yield a_view(DEBT_CASE, data=data, parties=[MARIA, SHOP], state="disputed", documents=["dispute", "paid-letter"], now=NOW)
        yield a_view(DEBT_CASE, data=data, parties=[a_person("debtor")], state="ceased", now=NOW)

    def commands(self) -> Iterable[Command]:
        at = "2026-11-24T15:00:00.000000Z"
        for name, args in (
            ("open", {"principal": usd("0.00")}),
            ("pay", {"amount": usd("1840.01")}),
            ("charge", {"amount": usd("5.00"), "component": "fee"}),
            ("choose", {"option": "instalments-12"}),
            ("note", {}),
        ):
            yield Command(name, args, at, "user:lee")

    def messages(self) -> Iterable[Message]:
        for hours in (0, 14):
            for via in ("phone", "email", "letter"):
                yield a_message(NOW + timedelta(hours=hours), via=via, outcome="planned", to=MARIA)
        yield a_message(NOW - timedelta(days=9), to=MARIA)
        yield a_message(NOW, to=SHOP)


def test_a_broken_promise_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    at = "2026-11-24T05:00:00.000000Z"
    recorded = Recorded(
        "0198", "debt.case", 12, "tick", at, at, "arrangement.behind", ("clock.promise.breached", "transition.fallen-behind")
    )
    with caplog.at_level(logging.INFO, logger="casekit_debt_collection"):
        casekit_debt_collection.casekit_recorded(recorded)
    assert caplog.messages == [f"clock.promise.breached case=0198 entry=12 at={at} state=arrangement.behind"]


def test_nothing_is_said_of_anything_else(caplog: pytest.LogCaptureFixture) -> None:
    at = "2026-11-24T05:00:00.000000Z"
    with caplog.at_level(logging.DEBUG):
        casekit_debt_collection.casekit_recorded(Recorded("0198", "debt.case", 12, "pay", at, at, "paid", ("payment",)))
    assert not caplog.messages
