"""Figures of the law, as dated data: which, since when, where they stand, when somebody last looked."""

from __future__ import annotations

from datetime import date, time

from attrs import frozen


@frozen
class ContactRules:
    """What Regulation F says in numbers about reaching a consumer.

    Attributes:
        opens, closes: Contact is open after the one and before the other, local time where the consumer is. The rule
            speaks of *before* 8 and *after* 9, the Act of *after* 8 and *before* 9; read together at their
            strictest, the two instants themselves are closed.
        calls: Calls that may be placed to one person about one debt within ``days`` consecutive days.
        days: Length of that period, and of the pause after a conversation, whose day is the first.
        rapid_minutes: Two calls closer than this weigh against the collector.
        effective_from: First day on which these figures are in force.
        source: Where they were read.
        verified_on: When.
    """

    opens: time
    closes: time
    calls: int
    days: int
    rapid_minutes: int
    effective_from: date
    source: str
    verified_on: date

    hours: str = "12 CFR 1006.6(b)(1)(i); 15 U.S.C. 1692c(a)(1)"
    frequency: str = "12 CFR 1006.14(b)(2)(i)(A)"
    conversation: str = "12 CFR 1006.14(b)(2)(i)(B)"
    rapid: str = "12 CFR 1006, Supplement I, comment 14(b)(2)(i)-2.i"


@frozen
class ValidationRules:
    """What Regulation F says in numbers about the validation of debts.

    Attributes:
        notice_days: Days after the initial communication within which the notice must be sent.
        receipt_days: Days after sending, not counting Saturdays, Sundays and statutory holidays, on which receipt may be assumed.
        dispute_days: Days after receipt on which the validation period ends.
        effective_from, source, verified_on: As of :class:`ContactRules`.
    """

    notice_days: int
    receipt_days: int
    dispute_days: int
    effective_from: date
    source: str
    verified_on: date

    notice: str = "12 CFR 1006.34(a)(1)"
    period: str = "12 CFR 1006.34(b)(5)"


_SOURCE = "eCFR, Title 12, Part 1006, with Supplement I"

CONTACT = ContactRules(
    opens=time(8),
    closes=time(21),
    calls=7,
    days=7,
    rapid_minutes=5,
    effective_from=date(2021, 11, 30),
    source=_SOURCE,
    verified_on=date(2026, 11, 25),
)

VALIDATION = ValidationRules(
    notice_days=5,
    receipt_days=5,
    dispute_days=30,
    effective_from=date(2021, 11, 30),
    source=_SOURCE,
    verified_on=date(2026, 11, 25),
)

DISPUTES = "12 CFR 1006.38(d)(2)"
CEASE = "12 CFR 1006.6(c)"
AMOUNTS = "12 CFR 1006.22(b)"
OVERSHADOWING = "12 CFR 1006.38(b)"

PAYMENT_ORDER = (
    "United States rule: interest that is due before principal (Connecticut v. Jackson, N.Y. Ch. 1814); "
    "the agreement, State law or the debtor's direction may say otherwise"
)

LONGEST_PLAN = 60
"""Instalments beyond which the plugin does not offer a plan: a policy, not a law."""
