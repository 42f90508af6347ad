"""What is to be reached in a case, and how far it has come."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen

Want = Literal["at-least", "at-most", "exactly"]


@frozen
class Goal:
    """What is to be reached.

    Attributes:
        key: Its key within the case.
        measure: Expression over the case (``fact('income.monthly')``, ``balance``).
        target: What it is to come to, canonical or as a Python value.
        want: ``at-least``, ``at-most`` or ``exactly``.
        by: Day until whose end it is to be reached; empty: none.
        owner: Role that answers for it; empty: nobody in particular.
        title: What people read; sealed with the case.
    """

    key: str
    measure: str
    target: Any
    want: Want = "at-least"
    by: str = field(default="", converter=str)
    owner: str = ""
    title: str = ""


@frozen(slots=False)
class Progress:
    """How far a goal has come.

    Attributes:
        goal: The goal, its title opened; empty where that is erased.
        set: Since when it is one (canonical instant).
        value: What the measure comes to, canonical; None: not known.
        reached: True, False, or None where it can't be known.
        missed: Whether its day is over and it is not reached.
        at: As of when (canonical instant).
    """

    goal: Goal
    set: str
    value: Any
    reached: bool | None
    missed: bool
    at: str
