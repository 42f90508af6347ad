"""What a debtor has and needs: income, expenses, assets, other debts, and what is left a month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from casekit.sdk import Finding, Money, View, local

from .days import days_after
from .parameters import OVERSHADOWING, VALIDATION

NEEDED = ("income.monthly", "expense.housing", "expense.living")
"""Facts without which nobody can say what is left a month."""

INCOME = ("income.monthly", "income.other")
EXPENSES = ("expense.housing", "expense.living", "expense.other", "debt.monthly")
ASSETS = ("asset.savings", "asset.other")
FURTHER = ("income.other", "expense.other", "debt.monthly", "asset.savings", "asset.other", "debt.total")


@frozen
class Means:
    """What is known of the means of a debtor.

    Attributes:
        income, expenses: A month, as far as they are known.
        disposable: What is left a month; None where it can't be known.
        assets: As far as they are known; None: nothing is.
        missing: Needed facts that are not known.
        used: Facts that the figures rest on.
    """

    income: Money
    expenses: Money
    disposable: Money | None
    assets: Money | None
    missing: tuple[str, ...]
    used: tuple[str, ...]


def means(view: View) -> Means:
    """What the facts of a case come to. A fact in another currency than the ledger's counts as not known."""
    known = {key: value for key in dict.fromkeys((*NEEDED, *FURTHER)) if (value := figure(view, key)) is not None}
    missing = tuple(key for key in NEEDED if key not in known)
    income, expenses = _sum(view, known, INCOME), _sum(view, known, EXPENSES)
    used = tuple(key for key in (*INCOME, *EXPENSES) if key in known)
    assets = _sum(view, known, ASSETS) if any(key in known for key in ASSETS) else None
    return Means(income, expenses, None if missing else income - expenses, assets, missing, used)


def findings(view: View) -> Iterator[Finding]:
    """What there is to find about the means of the debtor, and about the validation of the debt."""
    known = means(view)
    for key in known.missing:
        words = "What is left a month is not known: {fact} is missing."
        yield Finding("debt.means-missing", words, (f"fact:{key}",), {"fact": key})
    if known.disposable is not None:
        yield from _left(view, known)
    if known.assets is not None:
        inputs = _paths(key for key in ASSETS if figure(view, key) is not None)
        yield Finding("debt.assets", "Assets of {assets} are known.", inputs, {"assets": known.assets})
    total = figure(view, "debt.total")
    if total is not None:
        yield Finding("debt.other-debts", "{total} is owed to others.", ("fact:debt.total",), {"total": total})
    unsaid = [key for key in FURTHER if figure(view, key) is None]
    if unsaid:
        words = "Not counted, because nobody has said: {facts}."
        yield Finding("debt.means-unsaid", words, _paths(unsaid), {"facts": ", ".join(unsaid)})
    yield from _validation(view)


def _left(view: View, known: Means) -> Iterator[Finding]:
    left = known.disposable
    assert left is not None
    args = {"income": known.income, "expenses": known.expenses, "left": left}
    words = "{income} comes in a month and {expenses} is needed: {left} is left."
    yield Finding("debt.disposable-income", words, _paths(known.used), args)
    balance = view.totals.get("balance")
    if left.minor <= 0:
        yield Finding("debt.nothing-left", "Nothing is left a month: no instalment can be paid from income.", _paths(known.used), args)
    elif balance is not None and balance.minor > 0:
        months = -(-balance.minor // left.minor)
        words = "With all that is left, {balance} takes {months} months."
        yield Finding("debt.months-to-pay", words, (*_paths(known.used), "balance"), {"balance": balance, "months": months})


def _validation(view: View) -> Iterator[Finding]:
    """Whether the notice was sent in time, and whether the time to dispute still runs."""
    spoken = [m for m in view.messages if m.role != "creditor" and m.outcome in ("conversation", "delivered", "received", "sent")]
    if spoken and not view.documents("validation-notice"):
        first = local(spoken[0].at, view.zone).date()
        until = days_after(first, VALIDATION.notice_days)
        words = "The debtor was first reached on {first}; the validation notice must be sent by {until}, and is not on file."
        yield Finding("debt.notice-missing", words, (), {"first": first, "until": until}, VALIDATION.notice)
    ends = view.data.get("validation_ends")
    if ends is not None and view.today <= ends:
        words = "The validation period runs until {ends}: nothing may overshadow the right to dispute."
        yield Finding("debt.validation-runs", words, ("validation_ends",), {"ends": ends}, OVERSHADOWING)


def figure(view: View, key: str) -> Money | None:
    """A fact as an amount of the ledger's currency; None: not known so."""
    value = view.latest.get(key)
    return value if isinstance(value, Money) and value.currency == view.currency else None


def _sum(view: View, known: dict[str, Money], keys: Iterable[str]) -> Money:
    return sum((known[key] for key in keys if key in known), Money.zero(view.currency))


def _paths(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"fact:{key}" for key in keys)
