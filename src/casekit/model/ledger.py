"""The ledger: append-only postings, and what they come to.

A charge raises what is owed, a payment lowers it, a reversal takes back one whole earlier posting from its
own effective time on. Nothing is ever changed in place, so a balance can be asked *as of* any effective
instant, over whatever was known at the time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Literal

from attrs import define, field, frozen

from casekit.errors import BadInput
from casekit.model.money import Money

Kind = Literal["charge", "payment", "reversal"]
KINDS: tuple[Kind, ...] = ("charge", "payment", "reversal")


@frozen
class Posting:
    """One line of the ledger.

    Attributes:
        id: ``n.i``: entry of the case and place within it.
        kind: charge, payment or reversal.
        component: What a charge is for (principal, interest, fee); empty on a payment.
        amount: Positive.
        at: Effective instant (canonical text).
        reverses: On a reversal, the id of the posting that it takes back.
    """

    id: str
    kind: Kind
    component: str
    amount: Money
    at: str
    reverses: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise BadInput.at("amount", f"a {self.kind} of {self.amount}", "amounts are positive; take one back by a reversal")


class PaymentOrder(Enum):
    """How a payment meets several open charges."""

    BY_COMPONENT = "by-component"
    """All of the first component, oldest first, then all of the second."""
    OLDEST_FIRST = "oldest-first"
    """The oldest charge first; the order of components decides among charges of one instant."""


def _names(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


@frozen
class Policy:
    """In which order payments pay.

    Attributes:
        components: Components in the order in which they are paid. One not named comes last.
        order: Across the whole debt by component, or charge by charge by age.
        citation: Law or contract that says so (``§ 367 BGB``).
    """

    components: tuple[str, ...] = field(default=(), converter=_names)
    order: PaymentOrder = field(default=PaymentOrder.BY_COMPONENT, converter=PaymentOrder)
    citation: str = ""


@frozen
class Allocation:
    """What payments have paid.

    Attributes:
        charged, paid, open: Per component.
        credit: Paid beyond all charges.
        by_payment: Payment id → component → amount.
    """

    charged: Mapping[str, Money]
    paid: Mapping[str, Money]
    open: Mapping[str, Money]
    credit: Money
    by_payment: Mapping[str, Mapping[str, Money]]


def effective_postings(postings: Iterable[Posting], at: str | None = None) -> list[Posting]:
    """The charges and payments that stand at an effective instant, in effective order, without reversed ones."""
    known = [p for p in postings if at is None or p.at <= at]
    gone = {p.reverses for p in known if p.kind == "reversal"}
    standing = [p for p in known if p.kind != "reversal" and p.id not in gone]
    return sorted(standing, key=lambda p: (p.at, _place(p.id)))


def balance(postings: Iterable[Posting], currency: str, at: str | None = None) -> Money:
    """What is owed at an effective instant: charges less payments; negative where more was paid."""
    total = Money.zero(currency)
    for posting in effective_postings(postings, at):
        total += posting.amount if posting.kind == "charge" else -posting.amount
    return total


def allocate(postings: Iterable[Posting], policy: Policy, currency: str, at: str | None = None) -> Allocation:
    """Payments laid against charges under a policy, as of an effective instant.

    Payments meet the charges that stand when they arrive; what exceeds them waits as credit for the next
    charge. Charged less paid is open, per component and in sum, to the cent.
    """
    book = _Book(policy, currency)
    for posting in effective_postings(postings, at):
        if posting.kind == "charge":
            book.charge(posting)
        else:
            book.pay(posting)
    return book.result()


@define
class _Line:
    """A charge or payment and what of it is still open."""

    posting: Posting
    left: int


class _Book:
    """Open charges and waiting credit while postings come in, in effective order."""

    def __init__(self, policy: Policy, currency: str) -> None:
        self.rank = {component: rank for rank, component in enumerate(policy.components)}
        self.by_component = policy.order is PaymentOrder.BY_COMPONENT
        self.currency = currency
        self.charged: dict[str, int] = defaultdict(int)
        self.by_payment: dict[str, dict[str, int]] = {}
        self.open: list[_Line] = []
        self.credit: list[_Line] = []

    def charge(self, posting: Posting) -> None:
        self.charged[posting.component] += posting.amount.minor
        self.open.append(_Line(posting, posting.amount.minor))
        self._settle()

    def pay(self, posting: Posting) -> None:
        self.by_payment[posting.id] = defaultdict(int)
        self.credit.append(_Line(posting, posting.amount.minor))
        self._settle()

    def _settle(self) -> None:
        while self.credit and self.open:
            payment = self.credit[0]
            charge = min(self.open, key=self._turn)
            part = min(payment.left, charge.left)
            self.by_payment[payment.posting.id][charge.posting.component] += part
            payment.left -= part
            charge.left -= part
            if not payment.left:
                self.credit.pop(0)
            if not charge.left:
                self.open.remove(charge)

    def _turn(self, line: _Line) -> tuple[object, ...]:
        posting = line.posting
        rank = self.rank.get(posting.component, len(self.rank))
        place = _place(posting.id)
        return (rank, posting.at, place) if self.by_component else (posting.at, rank, place)

    def result(self) -> Allocation:
        paid: dict[str, int] = defaultdict(int)
        for parts in self.by_payment.values():
            for component, minor in parts.items():
                paid[component] += minor
        return Allocation(
            charged=self._money(self.charged),
            paid=self._money({c: paid[c] for c in self.charged}),
            open=self._money({c: minor - paid[c] for c, minor in self.charged.items()}),
            credit=Money.of_minor(sum(line.left for line in self.credit), self.currency),
            by_payment={payment: self._money(parts) for payment, parts in self.by_payment.items()},
        )

    def _money(self, minors: Mapping[str, int]) -> dict[str, Money]:
        return {component: Money.of_minor(minor, self.currency) for component, minor in sorted(minors.items())}


def _place(identity: str) -> tuple[int, ...]:
    return tuple(int(part) for part in identity.split("."))
