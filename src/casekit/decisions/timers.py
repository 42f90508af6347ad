"""Clocks made ready for deciding: conditions and durations loaded, tables of amounts put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from attrs import frozen

from casekit.decisions.conditions import Expression
from casekit.definition.casetype import CaseType, Clock, Signal
from casekit.errors import BadInput
from casekit.model.time import Duration, duration

PERCENT = re.compile(r"([1-9]\d{0,3})%")
"""A part of a clock's amount, such as ``75%``."""


@frozen
class Mark:
    """When a clock says something: an offset from its due instant, or a part of its amount.

    Attributes:
        offset: The offset; None: it is a part.
        percent: The part, in percent.
        says: As it is written, with its event and addressee.
    """

    offset: Duration | None
    percent: int
    says: Signal


@frozen
class Row:
    """A row of a clock's table of amounts, loaded.

    Attributes:
        name: Key of the service level, or place in the clock's own table; empty: the clock's only amount.
        amount: As it is written; empty: no target.
        length: The same as a duration; of kind ``counted`` it is not looked at.
        calendar: Key of the calendar; empty: none.
        when: Its condition, or None.
    """

    name: str
    amount: str
    length: Duration | None
    calendar: str
    when: Expression | None


@frozen
class Terms:
    """What a clock has beyond one amount that runs from its start by the calendar of the case.

    Attributes:
        rows: Its table of amounts, in order.
        warn, escalate: When it speaks, before and after.
        reset: Condition that ends the running instance and starts a new one.
        offset: What is added to its anchor.
        addressed: Whether a warning or escalation has an event or an addressee of its own.
    """

    rows: tuple[Row, ...]
    warn: tuple[Mark, ...]
    escalate: tuple[Mark, ...]
    reset: Expression | None
    offset: Duration | None
    addressed: bool


@frozen
class Timer:
    """A clock, its conditions and durations loaded.

    Attributes:
        terms: None: a plain clock, one amount or day, and nothing else.
    """

    id: str
    says: Clock
    amount: Duration | None
    warn: tuple[Duration, ...]
    start: Expression | None
    stop: Expression | None
    pause: Expression | None
    cancel: Expression | None
    terms: Terms | None = None


Load = Callable[[str, str], Expression | None]
"""Loads a condition, given its text and path."""
Note = Callable[[str, str, str], None]
"""Notes a problem: path, what, what to do."""


def timer(id_: str, case_type: CaseType, load: Load, note: Note) -> Timer:
    """A clock of a case type, ready."""
    says, path = case_type.clocks[id_], f"/clocks/{id_}"
    start, stop, pause, cancel = (load(getattr(says, name), f"{path}/{name}") for name in ("start", "stop", "pause", "cancel"))
    amount = _length(says.amount, f"{path}/amount", note)
    if is_plain(id_, case_type):
        warn = [_length(signal_of(text).at, f"{path}/warn/{i}", note) for i, text in enumerate(says.warn)]
        return Timer(id_, says, amount, tuple(w for w in warn if w is not None), start, stop, pause, cancel)
    terms = Terms(
        rows=tuple(_rows(id_, case_type, load, note)),
        warn=_marks(says.warn, f"{path}/warn", note),
        escalate=_marks(says.escalate, f"{path}/escalate", note),
        reset=load(says.reset, f"{path}/reset"),
        offset=_length(says.anchor.offset, f"{path}/anchor/offset", note) if says.anchor else None,
        addressed=any(isinstance(signal, Signal) for signal in (*says.warn, *says.escalate)),
    )
    return Timer(id_, says, amount, (), start, stop, pause, cancel, terms)


_RICH = ("calendar", "count", "amounts", "anchor", "reset", "start_is_run_condition", "escalate", "speaks")


def is_plain(id_: str, case_type: CaseType) -> bool:
    """Whether a clock is one amount or day, and nothing else: such clocks keep little in the head."""
    says = case_type.clocks[id_]
    return not (
        any(getattr(says, name) for name in _RICH)
        or (says.occurrence, says.on_change, says.reopen) != ("each", "keep", "new")
        or any(isinstance(text, Signal) or text.endswith("%") for text in says.warn)
        or any(id_ in level.targets for level in case_type.sla.values())
    )


def calendars_of(case_type: CaseType) -> frozenset[str]:
    """Keys of the calendars that the clocks of a case type go by."""
    named = [key for clock in case_type.clocks.values() for key in (clock.calendar, clock.speaks, *(row.calendar for row in clock.amounts))]
    named += [target.calendar for level in case_type.sla.values() for target in level.targets.values()]
    return frozenset(named) - {""}


def counts_of(case_type: CaseType) -> frozenset[str]:
    """Keys of the rules of counting that the clocks of a case type go by."""
    return frozenset(clock.count for clock in case_type.clocks.values()) - {""}


def anchors_of(case_type: CaseType) -> frozenset[str]:
    """What the clocks of a case type count from and its head must remember: ``state:``, ``event:`` or ``clock:`` and a name."""
    anchors = [clock.anchor for clock in case_type.clocks.values() if clock.anchor is not None]
    return frozenset(f"{kind}:{name}" for a in anchors for kind in ("state", "event", "clock") if (name := getattr(a, kind)))


def _rows(id_: str, case_type: CaseType, load: Load, note: Note) -> Iterable[Row]:
    says = case_type.clocks[id_]
    levels = sorted(case_type.sla.items(), key=lambda item: item[1].order)
    if any(id_ in level.targets for _, level in levels):
        for key, level in levels:
            target, path = level.targets.get(id_), f"/sla/{key}"
            amount = target.amount if target else ""
            calendar = (target.calendar if target else "") or says.calendar
            length = _length(amount, f"{path}/targets/{id_}/amount", note)
            yield Row(key, amount, length, calendar, load(level.when, f"{path}/when"))
    elif says.amounts:
        for place, row in enumerate(says.amounts):
            path = f"/clocks/{id_}/amounts/{place}"
            length = _length(row.amount, f"{path}/amount", note)
            yield Row(str(place + 1), row.amount, length, row.calendar or says.calendar, load(row.when, f"{path}/when"))
    else:
        yield Row("", says.amount, _length(says.amount, f"/clocks/{id_}/amount", lambda *_: None), says.calendar, None)


def signal_of(said: str | Signal) -> Signal:
    """A warning or an escalation with everything that it says."""
    return said if isinstance(said, Signal) else Signal(said)


def _marks(texts: Iterable[str | Signal], path: str, note: Note) -> tuple[Mark, ...]:
    found = []
    for i, said in enumerate(texts):
        says = signal_of(said)
        part = PERCENT.fullmatch(says.at)
        offset = None if part else _length(says.at.removeprefix("+"), f"{path}/{i}", note)
        if part or offset is not None:
            found.append(Mark(offset, int(part[1]) if part else 0, says))
    return tuple(found)


def _length(text: str, path: str, note: Note) -> Duration | None:
    if not text:
        return None
    try:
        return duration(text)
    except BadInput as wrong:
        for problem in wrong.problems:
            note(path, problem.what, problem.do)
        return None


__all__ = ["PERCENT", "Mark", "Row", "Terms", "Timer", "anchors_of", "calendars_of", "counts_of", "is_plain", "signal_of", "timer"]
