from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit.errors import BadInput
from casekit.model.ledger import PaymentOrder, Policy, Posting, allocate, balance, effective_postings
from casekit.model.money import Money

COMPONENTS = ("cost", "interest", "principal", "odd")
POLICIES = [Policy(("cost", "interest", "principal"), order) for order in PaymentOrder]


def at(hour: int) -> str:
    return f"2026-11-{1 + hour // 24:02}T{hour % 24:02}:00:00.000000Z"


@st.composite
def ledgers(draw: st.DrawFn) -> list[Posting]:
    """Charges, payments and reversals as they come to be known: in any effective order, some at one instant."""
    postings: list[Posting] = []
    for n in range(1, draw(st.integers(0, 14)) + 1):
        left = [p for p in postings if p.kind != "reversal" and p.id not in {r.reverses for r in postings}]
        kind = draw(st.sampled_from(["charge", "charge", "payment", "payment", *(["reversal"] if left else [])]))
        if kind == "reversal":
            gone = draw(st.sampled_from(left))
            postings.append(Posting(f"{n}.0", "reversal", gone.component, gone.amount, at(draw(st.integers(0, 60))), gone.id))
        else:
            component = draw(st.sampled_from(COMPONENTS)) if kind == "charge" else ""
            amount = Money.of_minor(draw(st.integers(1, 500)), "EUR")
            postings.append(Posting(f"{n}.0", kind, component, amount, at(draw(st.integers(0, 60)))))  # type: ignore[arg-type]
    return postings


moments = st.none() | st.integers(0, 60).map(at)


@given(ledgers(), moments)
def test_a_balance_is_what_stands(postings: list[Posting], when: str | None) -> None:
    known = [p for p in postings if when is None or p.at <= when]
    gone = {p.reverses for p in known if p.kind == "reversal"}
    expected = sum({"charge": 1, "payment": -1, "reversal": 0}[p.kind] * p.amount.minor for p in known if p.id not in gone)

    assert balance(postings, "EUR", when).minor == expected


@given(ledgers(), moments, st.sampled_from(POLICIES))
def test_charged_less_paid_is_open_to_the_cent(postings: list[Posting], when: str | None, policy: Policy) -> None:
    found = allocate(postings, policy, "EUR", when)

    assert found.open == {c: found.charged[c] - found.paid[c] for c in found.charged}
    assert all(m.minor >= 0 for m in (*found.open.values(), *found.paid.values(), found.credit))
    owed = sum(m.minor for m in found.open.values())
    assert owed - found.credit.minor == balance(postings, "EUR", when).minor
    assert not (owed and found.credit), "money waits while something is open"


@given(ledgers(), moments, st.sampled_from(POLICIES))
def test_every_payment_is_laid_out_whole_or_waits(postings: list[Posting], when: str | None, policy: Policy) -> None:
    found = allocate(postings, policy, "EUR", when)

    payments = {p.id: p.amount.minor for p in effective_postings(postings, when) if p.kind == "payment"}
    spent = {payment: sum(m.minor for m in parts.values()) for payment, parts in found.by_payment.items()}
    by_component: dict[str, int] = defaultdict(int)
    for parts in found.by_payment.values():
        for component, part in parts.items():
            by_component[component] += part.minor
    assert spent.keys() == payments.keys()
    assert all(spent[p] <= payments[p] for p in payments)
    assert sum(payments.values()) - sum(spent.values()) == found.credit.minor
    assert by_component == {c: m.minor for c, m in found.paid.items() if m}


@given(ledgers(), st.permutations(range(14)), st.sampled_from(POLICIES))
def test_the_order_in_which_postings_are_read_does_not_matter(postings: list[Posting], order: list[int], policy: Policy) -> None:
    shuffled = [postings[i] for i in order if i < len(postings)]

    assert allocate(shuffled, policy, "EUR") == allocate(postings, policy, "EUR")
    assert balance(shuffled, "EUR") == balance(postings, "EUR")


def posting(n: int, kind: str, component: str, minor: int, hour: int, reverses: str | None = None) -> Posting:
    return Posting(f"{n}.0", kind, component, Money.of_minor(minor, "EUR"), at(hour), reverses)  # type: ignore[arg-type]


def test_two_orders_of_payment_differ_as_the_law_means_them() -> None:
    """Old principal against new cost: across the debt, cost goes first; by age, the principal."""
    postings = [
        posting(1, "charge", "principal", 1000, 0),
        posting(2, "charge", "cost", 300, 1),
        posting(3, "payment", "", 500, 2),
    ]
    across, by_age = (allocate(postings, policy, "EUR").open for policy in POLICIES)

    assert {c: m.minor for c, m in across.items()} == {"cost": 0, "principal": 800}
    assert {c: m.minor for c, m in by_age.items()} == {"cost": 300, "principal": 500}


def test_a_payment_in_advance_waits_for_the_next_charge() -> None:
    postings = [posting(1, "payment", "", 500, 0), posting(2, "charge", "cost", 300, 1)]

    assert allocate(postings, POLICIES[0], "EUR", at(0)).credit.minor == 500
    assert allocate(postings, POLICIES[0], "EUR").credit.minor == 200


def test_a_reversal_holds_from_its_own_time_on() -> None:
    postings = [posting(1, "charge", "cost", 300, 0), posting(2, "payment", "", 300, 1), posting(3, "reversal", "", 300, 5, "2.0")]

    assert balance(postings, "EUR", at(4)).minor == 0
    assert balance(postings, "EUR", at(5)).minor == 300


def test_postings_of_one_entry_stand_in_their_order_beyond_nine() -> None:
    postings = [Posting(f"1.{i}", "charge", "cost", Money.of_minor(i + 1, "EUR"), at(0)) for i in range(12)]

    assert [p.id for p in effective_postings(reversed(postings))] == [f"1.{i}" for i in range(12)]


@pytest.mark.parametrize("minor", [0, -1])
def test_amounts_are_positive(minor: int) -> None:
    with pytest.raises(BadInput, match="positive"):
        posting(1, "charge", "cost", minor, 0)


def test_a_ledger_of_two_currencies_has_no_balance() -> None:
    with pytest.raises(BadInput, match="two currencies"):
        balance([posting(1, "charge", "cost", 1, 0)], "USD")
