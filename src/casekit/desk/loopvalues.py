"""What the desk gives back about goals, reviews and rounds: frozen values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from casekit.desk.planvalues import PlanItem
from casekit.model.answers import Adjustment, Finding
from casekit.model.goals import Goal, Progress

if TYPE_CHECKING:
    from casekit.desk.values import Happening


@frozen(slots=False)
class Look:
    """What a fresh look at a case comes to.

    Attributes:
        findings: What was found, by assessment and review, sorted by plugin and rule.
        goals: The goals, each with how far it has come.
        adjustments: What is proposed, sorted by plugin and key; a person takes it, or leaves it.
    """

    findings: tuple[Finding, ...]
    goals: tuple[Progress, ...]
    adjustments: tuple[Adjustment, ...]

    def __getitem__(self, key: str) -> Adjustment:
        """An adjustment by its key.

        Raises:
            KeyError: it is not proposed.
        """
        found = next((adjustment for adjustment in self.adjustments if adjustment.key == key), None)
        if found is None:
            raise KeyError(key)
        return found


@frozen
class Stood:
    """How a goal stood when it was looked at.

    Attributes:
        goal: Its key.
        reached: True, False, or None where it could not be known.
        missed: Whether its day was over and it was not reached.
    """

    goal: str
    reached: bool | None
    missed: bool


@frozen(slots=False)
class Review:
    """A review as it stands on record, its words opened where that is still possible.

    Attributes:
        round: Its number, from 1.
        findings: What was found, each with rule, plugin and version.
        goals: How the goals stood.
        adjustments: What was proposed, each with plugin and version.
    """

    round: int
    findings: tuple[Finding, ...]
    goals: tuple[Stood, ...]
    adjustments: tuple[Adjustment, ...]


@frozen(slots=False)
class Round:
    """One round of the loop: from the opening, or the entry after a review, to the review that ends it.

    Attributes:
        number: From 1.
        first, last: Its entries.
        since, until: When the first and the last of them were recorded.
        steps: The entries that set goals, chose, changed or worked the plan, took adjustments or reviewed, in order.
        items: The plan at its end: what lived then, and what had ended in this round, in order of coming.
        review: The review that ends it; None: it goes on.
    """

    number: int
    first: int
    last: int
    since: str
    until: str
    steps: tuple[Happening, ...]
    items: tuple[PlanItem, ...]
    review: Review | None


@frozen(slots=False)
class ListedGoal:
    """A goal in a list over many cases, as the last entry of its case left it.

    Attributes:
        case: UUID of the case.
        type, number: Its case type and human number.
        goal: The goal, its title opened; empty where that is erased.
        set: Since when it is one.
        status: ``open`` (it is known not to be reached), ``unknown``, or ``reached``.
        since: Since when it stands so; None: it was not looked at yet.
        due: The first instant that is too late; None: it has no day.
        overdue: Whether that has come, and it is not reached.
    """

    case: str
    type: str
    number: str | None
    goal: Goal
    set: str
    status: str
    since: str | None
    due: str | None
    overdue: bool


@frozen(slots=False)
class GoalPage:
    """One page of goals over many cases.

    Attributes:
        goals: By the day until which they are to be reached, those without one last.
        more: What asks for the next page; None: this is the last.
    """

    goals: tuple[ListedGoal, ...] = field(factory=tuple)
    more: str | None = None
