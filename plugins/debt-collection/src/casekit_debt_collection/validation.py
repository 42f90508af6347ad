"""The validation period: when a notice may be taken as received, and until when the debtor may dispute."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from .days import business_days_after, days_after
from .parameters import VALIDATION


@frozen
class Period:
    """A validation period.

    Attributes:
        received: When the notice was received, or may be taken as received.
        ends: Last day of the period; it is not moved where it falls on a holiday.
        citation: Its rule.
    """

    received: date
    ends: date
    citation: str = VALIDATION.period


def period(sent: date, received: date | None = None) -> Period:
    """The validation period of a notice, by the day on which it was sent or, where that is known, received."""
    at = received or business_days_after(sent, VALIDATION.receipt_days)
    return Period(at, days_after(at, VALIDATION.dispute_days))
