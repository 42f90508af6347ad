"""The records of a plan: stages, tasks, milestones and listeners, and what opens and ends them.

A plan is a map of items keyed by id; an item says in which stage it lies. Status words and permissions belong to
the lifecycle, work to do to the plan, dates to clocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from attrs import field as attr
from attrs import frozen

ItemKind = Literal["stage", "task", "milestone", "listener", "timer"]
ITEM_KINDS: tuple[ItemKind, ...] = ("stage", "task", "milestone", "listener", "timer")

Blocks = Literal["always", "when-active", "never", "until-first"]
Exit = Literal["terminate", "complete", "force-complete"]


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@frozen
class Sentry:
    """What opens an item (entry) or ends it (exit): all events heard, and the condition true at that moment.

    Attributes:
        on: Events that must all have been heard since the item came into the plan: ``item.event`` (``verify.completed``,
            ``contact.terminated``), a milestone or listener by its id, ``state.enter:path``, or any event of the case.
        when: Condition that must hold when the last of them is heard, or later; without ``on``: as soon as it holds.
        memory: Whether what was heard is remembered; no: all of it must come within one step.
        how: Of an exit: ``terminate``; ``complete`` (of a stage: as soon as nothing blocks it); ``force-complete``
            (whatever blocks it).
    """

    on: tuple[str, ...] = attr(default=(), converter=_names)
    when: str = ""
    memory: bool = True
    how: Exit = "terminate"


@frozen
class Repeat:
    """How often an item comes again.

    With an event in its entry, the next one waits from the moment on at which one is opened; without, the next one
    comes when one is completed.

    Attributes:
        max: How many there are at most within one stage; None: without limit.
        when: Condition for one more; ``counter()`` counts from 1. Where the entry hears an event, an instance for which
            it does not hold is not opened.
    """

    max: int | None = None
    when: str = ""


@frozen
class Due:
    """When an item is due: an offset from a reference. Where the reference moves, what is not done moves with it.

    Attributes:
        after: ISO 8601 offset (``P7D``, ``-P2D``).
        of: ``opened`` (the case), ``data:field`` (a clear day or instant), ``state.enter:path``, ``item.event``; empty: the
            moment at which the item came into the plan.
    """

    after: str
    of: str = ""


def _due(value: Any) -> Due | None:
    return Due(value) if isinstance(value, str) else value


@frozen
class Discretionary:
    """An item that is not there until someone plans it in.

    Attributes:
        allow: Permission to do so.
    """

    allow: str = ""


def _sentries(value: Iterable[Sentry]) -> tuple[Sentry, ...]:
    return tuple(value)


@frozen
class Item:
    """One item of a plan.

    Attributes:
        kind: ``stage``; ``task``; ``milestone`` (reached as soon as it opens); ``listener`` (occurs when a person says so);
            ``timer`` (occurs when it is due).
        title: What people read.
        stage: The stage in which it lies; empty: the plan itself.
        entry: Sentries of which one must fire for it to open; none: it opens with its stage.
        exit: Sentries of which one ends it; judged before those of entry.
        required: Whether its stage, or the case, can't be completed without it: yes, no, or a condition.
        manual: Whether a person starts it once it is open: yes, no, or a condition.
        repeat: How often it comes again; None: it does not.
        auto_complete: Of a stage: whether it completes while optional items are still open: yes, no, or a condition.
        blocks: Whether it keeps its stage from completing: ``always`` (while active, or open and not auto-completed),
            ``when-active``, ``never``, ``until-first`` (until it was completed once).
        discretionary: Whether it comes into the plan only when someone puts it there.
        due: When it is due; of a timer: when it occurs.
        who: Role of those who work on it.
        allow: Permission to work on it.
        on_reopen: When a closed case is reopened: comes ``anew``, or ``never`` again.
        order: Place among its siblings.
    """

    kind: ItemKind = "task"
    title: str = ""
    stage: str = ""
    entry: tuple[Sentry, ...] = attr(default=(), converter=_sentries)
    exit: tuple[Sentry, ...] = attr(default=(), converter=_sentries)
    required: bool | str = False
    manual: bool | str = False
    repeat: Repeat | None = None
    auto_complete: bool | str = False
    blocks: Blocks = "always"
    discretionary: Discretionary | None = None
    due: Due | None = attr(default=None, converter=_due)
    who: str = ""
    allow: str = ""
    on_reopen: Literal["anew", "never"] = "anew"
    order: int = 0
