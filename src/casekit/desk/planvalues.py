"""What the desk gives back about plans: frozen values."""

from __future__ import annotations

from attrs import field, frozen

from casekit.decisions.itemwhy import Why
from casekit.model.answers import Objection


@frozen(slots=False)
class PlanItem:
    """An instance of a plan item, as it stands or as it ended.

    Attributes:
        item, instance: Which one.
        kind: stage, task, milestone, listener or timer.
        title: What people read; None where it is erased.
        state: available, waiting, enabled, disabled, active, suspended; or how it ended: completed, terminated,
            skipped, replaced.
        stage: Name of the stage instance in which it lies; empty: the plan itself.
        who: Role of those who work on it.
        at, started, due, ended: Canonical instants; None: not so.
        source: What put it there; empty: the case type.
        n: The entry that last changed it.
        author: Who put it there; empty: the case type.
        reason: Why, in the author's words; None: none was given, or it is erased.
    """

    item: str
    instance: str
    kind: str
    title: str | None
    state: str
    stage: str
    who: str
    at: str
    started: str | None
    due: str | None
    ended: str | None
    source: str
    n: int
    author: str = ""
    reason: str | None = None

    @property
    def name(self) -> str:
        """What commands call it."""
        return f"{self.item}.{self.instance}"


@frozen(slots=False)
class Branch:
    """A live item with what lies in it.

    Attributes:
        item: The item.
        overdue: Whether its due moment has passed.
        why: What it waits for, what blocks it, what it can be given.
        could: Roles that have the permissions to work on it.
        inner: What lies in it.
    """

    item: PlanItem
    overdue: bool
    why: Why
    could: tuple[str, ...]
    inner: tuple[Branch, ...] = ()


@frozen(slots=False)
class PlanView:
    """The plan of a case.

    Attributes:
        items: What lives, stages with what lies in them.
        ended: What has ended, the oldest first: earlier plans stay readable here.
        offered: Items that may be planned in now.
        blockers: What of the plan keeps the case from being closed as completed.
        suspended: Whether the case rests as a whole.
    """

    items: tuple[Branch, ...]
    ended: tuple[PlanItem, ...]
    offered: tuple[str, ...]
    blockers: tuple[Objection, ...]
    suspended: bool = False


@frozen(slots=False)
class Listed:
    """A task in a work list.

    Attributes:
        case: UUID of the case.
        type, number: Its case type and human number.
        task: The task.
    """

    case: str
    type: str
    number: str | None
    task: PlanItem


@frozen(slots=False)
class TaskPage:
    """One page of a work list.

    Attributes:
        tasks: By due moment, those without one last.
        more: What asks for the next page; None: this is the last.
    """

    tasks: tuple[Listed, ...] = field(factory=tuple)
    more: str | None = None
