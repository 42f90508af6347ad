"""The records of deadlines: clocks, the tables that give them their amounts, service levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from attrs import field as attr
from attrs import frozen

Trigger = Literal["amount", "anchor", "calendar"]
TRIGGERS: tuple[Trigger, ...] = ("amount", "anchor", "calendar")


@frozen
class Signal:
    """A warning or an escalation with an event or an addressee of its own.

    Attributes:
        at: Offset from the due instant, or part of the amount, on the clock's own calendar, as of ``warn`` and ``escalate``.
        emit: Internal event that is raised beside ``clock.<id>.warned`` or ``clock.<id>.escalated``; empty: none.
        to: Role whom it is for; empty: nobody in particular.
        working: Of kind ``counted``: whether days of the offset are working days of the clock's calendar.
    """

    at: str
    emit: str = ""
    to: str = ""
    working: bool = False


def _names(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, (str, Signal)) else tuple(value)


@frozen
class Anchor:
    """From when on a clock counts, where that is not the moment at which it starts. One of the four is given.

    Attributes:
        field: Field of case data with a day or an instant; the clock waits until it is known, and counts from then even
            if that lies in the past.
        state: State (full path): from when it was entered last.
        event: Transition (``transition.<key>``) or internal event (``payment``): from when it came last.
        clock: Another clock: from when it is, or was, due.
        offset: ISO 8601, added on the clock's own calendar (``-P3D``); empty: none.
    """

    field: str = ""
    state: str = ""
    event: str = ""
    clock: str = ""
    offset: str = ""


@frozen
class Amount:
    """A row of an ordered table of amounts: the first whose condition holds when the clock starts is taken.

    Attributes:
        amount: ISO 8601 duration; empty: the clock runs and is measured, and is never due.
        when: Condition; empty: always.
        calendar: Calendar in place of the clock's own; empty: its own.
    """

    amount: str = ""
    when: str = ""
    calendar: str = ""


def _amounts(value: Iterable[Amount]) -> tuple[Amount, ...]:
    return tuple(value)


@frozen
class Clock:
    """A running deadline.

    Its conditions are looked at in one order: cancel, stop, reset, pause and resume, start. What is not known starts,
    stops and pauses nothing.

    Attributes:
        amount: ISO 8601 duration. Of kind ``business`` hours count open time and days are working days; of kind
            ``counted`` a period in one unit, with a minus sign counted back from the anchor, empty: the rule's own.
        start: Condition under which it starts; it starts once each time the condition becomes true. Empty: actions start it.
        stop: Condition that meets it.
        pause: Condition during which it does not run. What is left is counted on its own calendar; of kind ``counted`` the
            days of the pause do not count, and the period ends on none of them.
        cancel: Condition that ends it without a verdict.
        warn: Offsets from the due instant (``-P3D``, ``-PT2H``) or parts of the amount (``75%``), on its own calendar; a
            :class:`Signal` says who is to hear of it.
        kind: ``elapsed``: an amount from its start; ``fixed``: due when ``due`` says; ``business``: an amount of open
            time of ``calendar``; ``counted``: as the rule ``count`` counts, with the working days of ``calendar``.
        due: Of kind ``fixed``: field of case data with a day or instant; empty: each instance brings its own.
        each: Whether many run side by side (one per promise).
        title: What people read.
        citation: Law or contract that it comes from.
        order: Place in which clocks of one instant are judged.
        calendar: Key of the calendar, of kinds ``business`` and ``counted``.
        count: Key of the rule of counting, of kind ``counted``; the version in force on the day of the anchor counts.
        service: Of kind ``counted``: field of case data that says how it was served.
        amounts: Ordered table in place of ``amount``; where no row fits, the clock has no target.
        anchor: From when on it counts; None: from its start.
        reset: Condition; each time it becomes true the running instance ends and a new one starts.
        start_is_run_condition: Whether ``start`` must go on holding: where it no longer does the clock is cancelled, and
            where it holds, and neither stop nor cancel does, one runs.
        occurrence: ``each``: every start begins an instance of its own; ``once``: only the first; ``sequential``: none
            begins while one runs or rests. Instances are numbered.
        escalate: Offsets after the due instant (``+P1D``) or parts of the amount from 100% on, or signals likewise; they
            end with the stop condition.
        on_change: What becomes of a running clock when its row of the table, its anchor or its calendar changes: it
            keeps its date, is recomputed (what has run stays counted) or restarts. Of kind ``counted`` a new date is
            proposed, and a person confirms it or keeps the one there is.
        changes: To which of these changes ``on_change`` applies.
        reopen: Whether an instance that starts after one has ended counts anew, or goes on from what that one had used.
        emit: Event that is raised when it is due. Such a clock is an alarm and no deadline: it has fired then, and is over.
        speaks: Calendar in whose open hours warnings and escalations are said: warnings before, escalations after;
            empty: at any hour.
    """

    amount: str = ""
    start: str = ""
    stop: str = ""
    pause: str = ""
    cancel: str = ""
    warn: tuple[str | Signal, ...] = attr(default=(), converter=_names)
    kind: Literal["elapsed", "fixed", "business", "counted"] = "elapsed"
    due: str = ""
    each: bool = False
    title: str = ""
    citation: str = ""
    order: int = 0
    calendar: str = ""
    count: str = ""
    service: str = ""
    amounts: tuple[Amount, ...] = attr(default=(), converter=_amounts)
    anchor: Anchor | None = None
    reset: str = ""
    start_is_run_condition: bool = False
    occurrence: Literal["each", "once", "sequential"] = "each"
    escalate: tuple[str | Signal, ...] = attr(default=(), converter=_names)
    on_change: Literal["keep", "recompute", "restart"] = "keep"
    changes: tuple[Trigger, ...] = attr(default=TRIGGERS, converter=_names)
    reopen: Literal["new", "continue"] = "new"
    speaks: str = ""
    emit: str = ""


@frozen
class Target:
    """What a policy asks of one clock.

    Attributes:
        amount: As of :class:`Clock`; empty: measured, never due.
        calendar: Calendar in place of the clock's own; empty: its own.
    """

    amount: str = ""
    calendar: str = ""


@frozen
class ServiceLevel:
    """A service level: targets for clocks, for the cases that it fits.

    Policies are an ordered table. When a clock starts, the first policy whose condition holds gives its target, which
    stays as it is unless the clock's ``on_change`` says otherwise; a clock that this policy does not name has none.

    Attributes:
        targets: Clock → target. The clocks that policies name have no amount of their own.
        when: Condition; empty: always.
        title: What people read.
        citation: Contract that it comes from.
        order: Place in the table.
    """

    targets: Mapping[str, Target]
    when: str = ""
    title: str = ""
    citation: str = ""
    order: int = 0
