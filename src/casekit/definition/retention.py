"""The record of a retention rule: how long a case is kept, counted from when, and what happens then."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field as attr
from attrs import frozen

Base = Literal["closed", "term", "noted", "field", "related", "parent", "decided", "expires", "object"]
BASES: tuple[Base, ...] = ("closed", "term", "noted", "field", "related", "parent", "decided", "expires", "object")
"""What a period may be counted from."""

End = Literal["destroy", "review", "keep"]


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@frozen
class Retention:
    """How long a case is kept. Where several rules apply to a case, the longest wins.

    Attributes:
        period: How long, in days, weeks, months or years (``P10Y``); empty only where the case is kept for ever.
        base: The day that it is counted from. ``closed``: on which the case was closed. ``term``: that day and ``term``.
            ``noted``: the day that the latest known fact ``of`` says. ``field``: that of the case data ``of``. ``related``:
            the latest closing of the cases that it is linked to otherwise than as a part, or that the field ``of`` names, by
            id or number. ``parent``: the closing of the case that it is part of, or that the field ``of`` names. ``decided``: the latest day since which a fact ``of`` holds. ``expires``: the latest day
            that any fact ``of`` ever said. ``object``: the latest day at the path ``of`` in the case data
            (``leases/*/until``).
        of: Where that day is read; of ``closed`` and ``term`` empty, of ``related`` and ``parent`` where links say it.
        term: Of ``term``: how long matters go on after the closing.
        counted: From which day on the period runs: that day itself, or the end of its month or year.
        end: What happens once it is over: the case may be destroyed, somebody looks at it, or it is kept for ever.
        outcomes: Only cases that ended so; empty: all.
        documents: Only cases with one of these kinds of document on file; empty: all.
        statutory: Whether law asks for it: until it is over, the persons of the case can't be erased.
        citation: Law, contract or schedule.
        authority: Who has set it.
        order: Place among the rules.
    """

    period: str = ""
    base: Base = "closed"
    of: str = ""
    term: str = ""
    counted: Literal["", "month", "year"] = ""
    end: End = "destroy"
    outcomes: tuple[str, ...] = attr(default=(), converter=_names)
    documents: tuple[str, ...] = attr(default=(), converter=_names)
    statutory: bool = False
    citation: str = ""
    authority: str = ""
    order: int = 0
