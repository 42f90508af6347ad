"""What stands against closing a debt case, all of it at once; and the rule that a dispute is answered."""

from __future__ import annotations

from collections.abc import Iterator

from casekit.sdk import Need, Objection, Rule, View

from .means import means
from .parameters import DISPUTES

LETTERS = {"paid": "paid-letter", "settled": "settlement-letter"}
"""Outcome → the letter that the debtor gets with it."""

ANSWERS = ("verification", "judgment")


def dispute_answered(view: View) -> bool | None:
    """Whether verification or a judgment went out after the last dispute on file.

    None where the case is disputed, and no dispute is on file to answer.
    """
    disputes = view.documents("dispute")
    if not disputes:
        return None if view.at("disputed") else True
    answers = [d.at for kind in ANSWERS for d in view.documents(kind)]
    return any(at > disputes[-1].at for at in answers)


DISPUTE_ANSWERED = Rule(
    "debt.dispute-answered",
    dispute_answered,
    "A dispute in writing is not answered.",
    DISPUTES,
    "file the dispute, and then the verification or the judgment that was sent",
    (Need("documents"),),
)


def objections(view: View, outcome: str) -> Iterator[Objection]:
    """What stands against closing with an outcome."""
    if outcome == "paid":
        yield from _balance(view)
    if outcome in LETTERS:
        yield from _letter(view, LETTERS[outcome])
    if outcome == "uncollectable":
        yield from _means(view)
    if outcome != "withdrawn" and dispute_answered(view) is not True:
        rule = DISPUTE_ANSWERED
        yield Objection(rule.key, rule.unmet, {}, rule.citation, remedy=rule.remedy)
    yield from _promises(view, outcome)


def _balance(view: View) -> Iterator[Objection]:
    balance = view.totals.get("balance")
    if balance is None or balance.minor > 0:
        words = "{balance} is still owed." if balance is not None else "What is owed is not known."
        yield Objection("debt.balance-left", words, {"balance": balance} if balance is not None else {}, remedy="record the payments")


def _letter(view: View, kind: str) -> Iterator[Objection]:
    if not view.documents(kind):
        yield Objection(f"debt.{kind}", "No {kind} is on file.", {"kind": kind}, remedy=f"send it, and add it as a {kind}")


def _means(view: View) -> Iterator[Objection]:
    missing = means(view).missing
    if missing:
        words = "That nothing can be got is not shown: {facts} is not known."
        yield Objection("debt.means-unknown", words, {"facts": ", ".join(missing)}, remedy="note the facts")


def _promises(view: View, outcome: str) -> Iterator[Objection]:
    balance = view.totals.get("balance")
    still = [c for c in view.clocks if c.id == "promise"]
    if still and outcome != "uncollectable" and balance is not None and balance.minor > 0:
        words = "{count} promised instalments are not settled."
        yield Objection("debt.open-promises", words, {"count": len(still)}, remedy="give the arrangement up, or have it paid")
