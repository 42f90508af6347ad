"""Instalments: a balance in equal parts, month by month, exact to the cent; and the three ways to compare."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from casekit.sdk import BadInput, Money, Option, Promise, Residual, Task, View

from .days import months_after
from .means import Means, means
from .parameters import LONGEST_PLAN

USUAL = (6, 12, 24)
"""Numbers of instalments that are offered where nothing better is known."""


def schedule(amount: Money, count: int, first_due: date) -> tuple[Promise, ...]:
    """An amount in equal instalments; what can't be split equally comes with the last one.

    Each is due on the day of the month of ``first_due``, or on the last day of a shorter month.

    Raises:
        BadInput: nothing to split, no instalment, or more instalments than cents.
    """
    if amount.minor <= 0:
        raise BadInput.at("amount", f"{amount} can't be paid off", "give what is owed")
    if count < 1:
        raise BadInput.at("count", f"{count} instalments", "give at least one")
    if amount.minor < count:
        raise BadInput.at("count", f"{amount} in {count} instalments leaves some of them empty", "give fewer")
    shares = amount.split(count, Residual.LAST)
    return tuple(Promise(months_after(first_due, i), share) for i, share in enumerate(shares))


def calculate(amount: Money, count: int, first_due: date) -> list[dict[str, Any]]:
    """What :func:`schedule` gives, as rows."""
    return [{"due": promise.due, "amount": promise.amount} for promise in schedule(amount, count, first_due)]


def options(view: View) -> Iterator[Option]:
    """The ways to pay off what is owed: two usual lengths and the one that what is left a month allows."""
    balance = view.totals.get("balance")
    if balance is None or balance.minor <= 0:
        return
    known = means(view)
    for count in counts(balance, known.disposable):
        yield _option(balance, count, months_after(view.today, 1), known)


def counts(balance: Money, disposable: Money | None) -> tuple[int, ...]:
    """Three different numbers of instalments, ascending; fewer where there are not cents enough for them."""
    within_reach = affordable(balance, disposable)
    wanted = [*USUAL[:2], *([within_reach] if within_reach else []), *USUAL[2:]]
    three = list(dict.fromkeys(wanted))[:3]
    return tuple(sorted(n for n in three if n <= balance.minor)) or (1,)


def affordable(balance: Money, disposable: Money | None) -> int | None:
    """Instalments needed where everything that is left a month goes into them; None: unknown, none or too many."""
    if disposable is None or disposable.minor <= 0:
        return None
    count = -(-balance.minor // disposable.minor)
    # The last instalment carries the odd cents, and must be within reach as well.
    while count <= LONGEST_PLAN and count <= balance.minor and balance.split(count, Residual.LAST)[-1] > disposable:
        count += 1
    return count if count <= LONGEST_PLAN else None


def _option(balance: Money, count: int, first_due: date, known: Means) -> Option:
    promises = schedule(balance, count, first_due)
    first, last = promises[0], promises[-1]
    if count == 1:
        words = "All of {total} on {first}"
    elif first.amount == last.amount:
        words = "{count} instalments of {amount}, from {first} to {until}"
    else:
        words = "{count} instalments of {amount}, the last of {last}, from {first} to {until}"
    return Option(
        f"instalments-{count}",
        words,
        plan=(Task("confirm", due="P5D", title="Confirm the arrangement in writing"),),
        promises=promises,
        args={"count": count, "amount": first.amount, "last": last.amount, "total": balance, "first": first.due, "until": last.due},
        because=_because(max(first.amount, last.amount), known),
    )


def _because(dearest: Money, known: Means) -> tuple[str, ...]:
    left = known.disposable
    if left is None:
        return ("Whether it can be paid is not known. Missing: " + ", ".join(known.missing) + ".",)
    if left.minor <= 0:
        return (f"Nothing is left a month ({left}): it can't be paid from income.",)
    if dearest <= left:
        return (f"It takes {dearest} of the {left} that are left a month, and leaves {left - dearest}.",)
    return (f"It takes {dearest} a month, {dearest - left} more than the {left} that are left.",)
