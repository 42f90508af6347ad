"""Totals: kept up posting by posting, they are what the whole ledger comes to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casekit.decisions import totals
from casekit.definition.casetype import Book, CaseType, State, Total
from casekit.model.ledger import Posting, balance
from casekit.model.money import Money
from casekit.model.time import from_micros, micros

START = "2026-01-01T00:00:00.000000Z"
BOOKED = CaseType(
    key="booked",
    version="1",
    title="Booked",
    initial="open",
    states={"open": State("Open", "open")},
    ledger=Book("EUR", ("principal", "interest", "fee")),
    totals={
        "owed": Total(("charge",)),
        "costs": Total(("charge",), ("interest", "fee")),
        "paid": Total(("payment",)),
        "turnover": Total(("charge", "payment")),
        "costs_and_paid": Total(("charge", "payment"), ("fee",)),
        "open": Total(of="owed - paid"),
        "credit": Total(of="max(-open, 0)"),
        "capped": Total(of="min(open, money('20.00 EUR')) if open > 0 else money('0.00 EUR')"),
    },
)


def day(count: int) -> str:
    return from_micros(micros(START) + count * 86_400_000_000)


postings = st.lists(
    st.tuples(
        st.sampled_from(["principal", "interest", "fee", "payment", "payment", "reversal"]), st.integers(1, 3000), st.integers(0, 30)
    ),
    max_size=25,
)


def ledger(drawn: list[tuple[str, int, int]]) -> list[Posting]:
    """Postings in order of record; a reversal takes back one that stands, from its own time on or later."""
    book: list[Posting] = []
    gone: set[str | None] = set()
    for what, minor, at in drawn:
        name = f"{len(book) + 1}.0"
        if what == "reversal":
            standing = [p for p in book if p.kind != "reversal" and p.id not in gone]
            if standing:
                back = standing[minor % len(standing)]
                gone.add(back.id)
                book.append(Posting(name, "reversal", back.component, back.amount, max(day(at), back.at), back.id))
        else:
            kind: Any = "payment" if what == "payment" else "charge"
            book.append(Posting(name, kind, "" if kind == "payment" else what, Money.of_minor(minor, "EUR"), day(at)))
    return book


def summed(book: list[Posting], moment: str | None = None) -> dict[str, str]:
    """The totals by hand: over all that is known, what was taken back by then left out."""
    known = [p for p in book if moment is None or p.at <= moment]
    gone = {p.reverses for p in known}
    cents = {"charge": 0, "payment": 0, "interest": 0, "fee": 0, "principal": 0}
    for p in known:
        if p.kind != "reversal" and p.id not in gone:
            cents[p.kind] += p.amount.minor
            if p.component:
                cents[p.component] += p.amount.minor
    open_ = cents["charge"] - cents["payment"]
    minors = {
        "owed": cents["charge"],
        "costs": cents["interest"] + cents["fee"],
        "paid": cents["payment"],
        "turnover": cents["charge"] + cents["payment"],
        "costs_and_paid": cents["fee"] + cents["payment"],
        "open": open_,
        "credit": max(-open_, 0),
        "capped": min(max(open_, 0), 2000),
    }
    return {name: str(Money.of_minor(minor, "EUR")) for name, minor in minors.items()}


@settings(deadline=None)
@given(postings)
def test_kept_up_posting_by_posting_they_are_what_the_ledger_comes_to(build: Any, drawn: list[tuple[str, int, int]]) -> None:
    definition = build(BOOKED)
    book = ledger(drawn)
    running = totals.nothing(definition, "EUR")
    for count, posting in enumerate(book, start=1):
        before = dict(running)
        new = totals.posted(definition, running, posting, next((p for p in book if p.id == posting.reverses), None))
        assert running == before  # what went in stays
        running = new
        assert running == summed(book[:count])
    assert running == totals.at(definition, book, "EUR", day(100))
    assert running["open"] == str(balance(book, "EUR"))


@settings(deadline=None)
@given(postings, st.integers(-1, 31))
def test_as_of_an_instant_they_count_what_had_effect_by_then(build: Any, drawn: list[tuple[str, int, int]], at: int) -> None:
    definition = build(BOOKED)
    book = ledger(drawn)
    assert totals.at(definition, book, "EUR", day(at)) == summed(book, day(at))


@settings(deadline=None, max_examples=40)
@given(postings)
def test_the_head_of_a_case_has_them_after_every_posting(build: Any, play: Any, drawn: list[tuple[str, int, int]]) -> None:
    case = play(build(BOOKED)).open()
    book = ledger(drawn)
    for count, p in enumerate(book, start=1):
        case.post(p.kind, str(p.amount), p.at, component=p.component, reverses=p.reverses)
        assert case.machine["totals"] == summed(book[:count])
        kept = case.machine["ledger"]
        assert kept["charged"] - kept["paid"] == balance(book[:count], "EUR").minor


def test_before_any_posting_derived_totals_are_computed_too(build: Any) -> None:
    definition = build(CaseType("t", "1", "T", "o", {"o": State("O", "open")}, ledger=Book("EUR"), totals={
        "paid": Total(("payment",)),
        "left": Total(of="money('5.00 EUR') - paid"),
    }))  # fmt: skip
    assert totals.nothing(definition, "EUR") == {"paid": "0.00 EUR", "left": "5.00 EUR"}


@pytest.mark.parametrize("currency", ["JPY", "KWD", "EUR"])
def test_zero_is_written_with_the_decimals_of_its_currency(build: Any, currency: str) -> None:
    definition = build(CaseType("t", "1", "T", "o", {"o": State("O", "open")}, ledger=Book(currency), totals={"paid": Total(("payment",))}))
    assert totals.nothing(definition, currency) == {"paid": str(Money.zero(currency))}
