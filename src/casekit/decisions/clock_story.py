"""How a deadline came about and why it moved: told from the journal, for any moment.

The head keeps what a clock needs to go on; its history is in the entries. So an answer here is computed from the
states that entries left, with the calendars that were pinned then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from casekit.decisions.counting import said as said_reading
from casekit.decisions.machine import World
from casekit.decisions.steps import Step, exact, words
from casekit.model.canonical import Json


@frozen
class Said:
    """What one entry left of an instance.

    Attributes:
        n: The entry.
        instance: Which instance.
        at: Case time of the entry.
        actor, kind: Who did what.
        events: What happened in it.
        effects: Effects that it asked for.
        row: What lists show of the instance then.
        live: Its state in the head; None once it has left.
        world: Zone, calendars and rules that the case went by then.
    """

    n: int
    instance: str
    at: str
    actor: str
    kind: str
    events: tuple[str, ...]
    effects: tuple[Json, ...]
    row: Json
    live: Json | None
    world: World


@frozen
class Interval:
    """A stretch in the life of a clock.

    Attributes:
        status: running, paused or breached.
        start, end: Canonical instants.
        elapsed: Microseconds by the calendar on the wall.
        open: Microseconds in which the clock's calendar was open; None: it goes by none.
        why: Of a pause: the condition that held.
    """

    status: str
    start: str
    end: str
    elapsed: int
    open: int | None
    why: str = ""


@frozen
class Move:
    """A change of the due instant.

    Attributes:
        n: The entry that did it.
        at: When.
        actor, kind: Who did what.
        why: started, paused, resumed, extended, anchor, amount, calendar, confirmed or changed; ``proposed`` and ``kept``
            have moved nothing: the new date waited for someone, or was not taken.
        old, new: Due instants; None: there is none.
    """

    n: int
    at: str
    actor: str
    kind: str
    why: str
    old: str | None
    new: str | None


@frozen
class Choice:
    """A row of the table that gave a clock its amount.

    Attributes:
        name: Key of the service level, or place in the clock's table.
        when: Its condition; empty: always.
        taken: Whether it is the one; those before it did not fit when the clock started.
    """

    name: str
    when: str
    taken: bool


@frozen
class ReadAs:
    """One reading of the law.

    Attributes:
        name: What makes it; empty: the rule as it is written.
        day: Last day.
        at: First instant that is too late.
        why, citation: Its reason, and what it rests on.
        used: Whether the clock goes by it: the earliest is the one by which nobody is late.
    """

    name: str
    day: str
    at: str
    why: str
    citation: str
    used: bool


@frozen
class Would:
    """A new date that waits for someone to confirm it, or to keep the one there is.

    Attributes:
        why: anchor, amount or calendar: what has changed.
        at: Since when it waits.
        due, day: The new date; None: there would be none.
        steps: How it was computed.
    """

    why: str
    at: str
    due: str | None
    day: str | None
    steps: tuple[Step, ...]


@frozen
class Spoken:
    """A warning or an escalation.

    Attributes:
        at: When.
        word: warned or escalated.
        mark: Which one, as the case type writes it; empty: not kept.
        to: Role whom it is for; empty: nobody in particular.
        n: The entry in which it was said; None: it lies ahead.
    """

    at: str
    word: str
    mark: str
    to: str
    n: int | None


@frozen
class ClockStory:
    """Everything about one instance of a clock, as of a moment.

    Attributes:
        clock, instance, title, kind, citation: Which one.
        at: The moment asked about.
        status: running, paused, breached, met, cancelled, withdrawn or reset; empty: it had not started.
        started, anchor: Since when it runs, and from when it counts (a day or an instant).
        amount: Its amount; empty: none.
        table: The rows that were looked at, in order.
        calendar: Key and version of its calendar; empty: none.
        due: When it is due; None: it rests, or has no target.
        computed: What would be due had nobody extended it; None: nobody has.
        day: Last day, of a counted clock.
        readings: Every reading of the law, where it has several; the earliest first.
        would: The new date that waits for someone; None: none does.
        spoken: Its warnings and escalations, those ahead among them.
        unsettled: Why it has no date although it has an amount.
        breached: Whether it is breached at that moment, whoever has looked at it since.
        ran, left: Microseconds used up and left, on its own calendar; ``left`` None: it has no target.
        if_resumed: Of a clock that rests: when it would be due, were it to run on at that moment.
        intervals: Its life so far.
        elapsed: Microseconds by status, by the calendar on the wall.
        open: Microseconds by status in which its calendar was open; empty: it goes by none.
        moves: Every change of its date.
        steps: How the date was computed.
        zone: Zone in which words say instants.
    """

    clock: str
    instance: str
    title: str
    kind: str
    citation: str
    at: str
    status: str
    started: str | None
    anchor: str | None
    amount: str
    table: tuple[Choice, ...]
    calendar: str
    due: str | None
    computed: str | None
    day: str | None
    readings: tuple[ReadAs, ...]
    would: Would | None
    spoken: tuple[Spoken, ...]
    unsettled: str
    breached: bool
    ran: int
    left: int | None
    if_resumed: str | None
    intervals: tuple[Interval, ...]
    elapsed: Mapping[str, int]
    open: Mapping[str, int]
    moves: tuple[Move, ...]
    steps: tuple[Step, ...]
    zone: str

    def lines(self) -> list[str]:
        """All of it in words, one part a line."""

        def said(when: str | None) -> str:
            return _said(when, self.zone)

        head = f"{self.title or self.clock} {self.instance}: {self.status or 'not started'}"
        due = f", due {said(self.due)}" if self.due else f", would be due {said(self.if_resumed)} if it ran on" if self.if_resumed else ""
        waits = f", would move to {said(self.would.due) or 'no date'}: confirm or keep" if self.would is not None else ""
        found = [head + due + (" (breached)" if self.breached and self.status != "breached" else "") + waits]
        found += [f"  {line}" for line in _amounts(self)]
        found += [f"  {words(step, self.zone)}" for step in self.steps]
        found += [f"  {_read(reading)}" for reading in self.readings]
        if self.would is not None:
            found.append(f"  it would move to {said(self.would.due) or 'no date'} ({_MOVED[self.would.why]}): confirm it, or keep the date")
            found += [f"    {words(step, self.zone)}" for step in self.would.steps]
        found += [f"  {_speech(spoken, self.zone)}" for spoken in self.spoken]
        if self.computed is not None:
            found.append(f"  by computation it would be due {said(self.computed)}")
        found += [f"  entry {m.n}, {m.actor}: {_MOVED[m.why]}: {said(m.old) or 'none'} -> {said(m.new) or 'none'}" for m in self.moves]
        return found + [f"  {_interval(i, self.zone)}" for i in self.intervals]


_MOVED = {
    "started": "it started",
    "paused": "it was paused",
    "resumed": "it ran on",
    "extended": "it was extended",
    "anchor": "what it counts from has moved",
    "amount": "another amount applies",
    "calendar": "it goes by another version of its calendar",
    "changed": "it was changed",
    "proposed": "a new date waits to be confirmed",
    "confirmed": "the new date was confirmed",
    "kept": "the date was kept, and not",
}


def _amounts(story: ClockStory) -> Iterable[str]:
    if story.amount:
        calendar = f" on {story.calendar}" if story.calendar else ""
        yield f"{story.amount}{calendar}" + (f" [{story.citation}]" if story.citation else "")
    elif story.status and story.kind != "fixed":
        yield "no target: it is measured, and never due"
    if story.unsettled:
        yield f"no date: {story.unsettled}"
    for row in story.table:
        condition = row.when or "always"
        yield f"{row.name}: {condition}: " + ("the first that fits" if row.taken else "did not fit when it started")


def _read(reading: ReadAs) -> str:
    kept = "goes by" if reading.used else "read otherwise"
    words_ = said_reading(reading.name, reading.why, reading.citation) if reading.name else "as the rule is written"
    return f"{kept}: last day {reading.day} ({words_})"


def _speech(spoken: Spoken, zone: str) -> str:
    when = _said(spoken.at, zone)
    told = f"{when}: will be {spoken.word}" if spoken.n is None else f"entry {spoken.n}, {when}: {spoken.word}"
    return told + (f", {spoken.mark}" if spoken.mark else "") + (f", for {spoken.to}" if spoken.to else "")


def _interval(found: Interval, zone: str) -> str:
    counted = "" if found.open is None else f", {exact(found.open)} in open hours"
    why = f" ({found.why})" if found.why else ""
    return f"{_said(found.start, zone)} to {_said(found.end, zone)}: {found.status}{why}, {exact(found.elapsed)}{counted}"


def _said(when: str | None, zone: str) -> str:
    return words(Step("at", when, when), zone) if when else ""


__all__ = ["Choice", "ClockStory", "Interval", "Move", "ReadAs", "Said", "Spoken", "Would"]
