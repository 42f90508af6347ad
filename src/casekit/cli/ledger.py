"""Payments, charges, reversals."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Key, Observed, Since
from casekit.cli.working import give_done

Amount = Annotated[str, Parameter(name="AMOUNT", help="The amount, as 1840.00 USD.")]
NoteText = Annotated[str, Parameter(name="--note", help="What it says beside; sealed with the case.")]


def pay(
    case: CaseRef,
    amount: Amount,
    /,
    *,
    note: NoteText = "",
    key: Key = "",
    effective: Since = "",
    observed: Observed = False,
    common: Everywhere = HERE,
) -> int:
    """Records a payment."""
    from casekit.model.money import Money

    money = Money.parse(amount)
    with common.seat() as seat:
        return give_done(common, seat.pay(case, money, note=note, key=key, effective=effective or None, observed=observed))


def charge(
    case: CaseRef,
    component: Annotated[str, Parameter(name="COMPONENT", help="What it is for.")],
    amount: Amount,
    /,
    *,
    note: NoteText = "",
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Charges something."""
    from casekit.model.money import Money

    money = Money.parse(amount)
    with common.seat() as seat:
        return give_done(common, seat.charge(case, component, money, note=note, key=key, effective=effective or None))


def reverse(
    case: CaseRef,
    posting: Annotated[str, Parameter(name="POSTING", help="The id of the charge or payment, as case show has it.")],
    /,
    *,
    note: NoteText = "",
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Takes a whole charge or payment back."""
    with common.seat() as seat:
        return give_done(common, seat.reverse(case, posting, note=note, key=key, effective=effective or None))
