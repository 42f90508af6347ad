"""What every plugin promises, held by this one on the case files that matter to it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest

import casekit_debt_collection
from casekit.sdk import Command, Message, Money, Recorded, RunningClock, View
from casekit.testing import PluginTests, a_message, a_person, a_view
from casekit_debt_collection.casetype import DEBT_CASE

USD = "USD"
MARIA = a_person("debtor", zone="America/New_York", name="Maria Silva")
SHOP = a_person("creditor", kind="organisation", name="Corner Shop")
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


def usd(amount: str) -> Money:
    return Money(amount, USD)


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
