"""Deadlines as iCalendar (RFC 5545), written by the ``icalendar`` library (``casekit[calendar-export]``).

What falls due is an event, what somebody has to do is a to-do. Each has one identity for its whole life, and a
sequence number that rises when its date has moved, so that a calendar that has read it once follows it. Nothing in it
is personal but what the caller puts in ``summary`` and ``note``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid5

from attrs import frozen

from casekit.__about__ import __version__
from casekit.errors import BadInput
from casekit.model.time import local, moment
from casekit.pictures.moments import last_day, said_due
from casekit.pictures.plan import ENDS, Instance
from casekit.pictures.text import clean
from casekit.pictures.timeline import UNMOVED, Life

if TYPE_CHECKING:
    import icalendar

Status = Literal["open", "done", "off"]
_DAYS = ("fixed", "counted")
"""Kinds of clock that say days, whatever their amount."""
_OFF = ("cancelled", "withdrawn", "reset", "terminated", "skipped", "replaced")


@frozen
class Deadline:
    """A date that somebody has to keep.

    Attributes:
        case: UUID of the case.
        key: What commands call it; with the case, its identity.
        task: Whether somebody has to do it; else it falls due.
        summary: What people read.
        note: More of it.
        due: The first instant that is too late; None: it has no date now.
        last: Its date before that, where it has none now.
        whole_day: Whether the end of a day, as a due instant, means that day; a period in hours that happens to end then
            does not.
        zone: Zone of the case.
        status: open, done, or off (cancelled, withdrawn, resting).
        sequence: How often it has changed in a way that matters.
        changed: When it did so last (canonical instant).
        ended: When it was done.
        warns: When its warnings come.
        categories: Words to filter by.
    """

    case: str
    key: str
    task: bool
    summary: str
    note: str
    due: str | None
    last: str | None
    whole_day: bool
    zone: str
    status: Status
    sequence: int
    changed: str
    ended: str | None = None
    warns: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def uid(self) -> str:
        """Its identity, the same for ever and in every store: a UUID (RFC 7986)."""
        return str(uuid5(UUID(self.case), f"{'item' if self.task else 'clock'}/{self.key}"))


def of_clock(case: str, name: str, life: Life, categories: tuple[str, ...]) -> Deadline | None:
    """A clock's deadline; None where it never had a date."""
    story = life.story
    moves = [move for move in story.moves if move.why not in UNMOVED]
    dates = [at for move in moves for at in (move.old, move.new) if at]
    if story.due is None and not dates:
        return None
    ended = bool(life.said) and life.said[-1].live is None
    off = story.status in _OFF or story.due is None
    changes = [*(move.at for move in moves), *([life.said[-1].at] if ended else [])]
    live = life.said[-1].live or {}
    title = story.title or story.clock
    return Deadline(
        case=case,
        key=f"{story.clock}.{story.instance}",
        task=False,
        summary=f"{title}{_aside(story.status)}: {name}",
        note=_note(life),
        due=story.due,
        last=dates[-1] if dates else None,
        whole_day=story.kind in _DAYS or "T" not in story.amount,
        zone=story.zone,
        status="off" if off else "done" if ended else "open",
        sequence=max(len(moves) - 1, 0) + ended + (story.status == "withdrawn"),
        changed=max(changes),
        ended=life.said[-1].at if ended else None,
        warns=tuple(live.get("warn", ())),
        categories=categories,
    )


def _aside(status: str) -> str:
    return "" if status == "running" else f" ({status})"


def _note(life: Life) -> str:
    story = life.story
    lines = [f"Clock {story.clock} {story.instance}: {story.status}."]
    lines += [f"Due before {said_due(story.due, story.zone)}."] if story.due else []
    lines += [f"{story.amount}{f' on {story.calendar}' if story.calendar else ''}."] if story.amount else []
    lines += [story.citation] if story.citation else []
    moved = [move for move in story.moves if move.why not in ("started", *UNMOVED) and move.new]
    return "\n".join(lines + [f"{move.why}: {said_due(move.new, story.zone)}" for move in moved if move.new])


def of_item(case: str, name: str, item: Instance, zone: str, categories: tuple[str, ...]) -> Deadline | None:
    """An item's deadline; None where it has no date."""
    if item.due is None:
        return None
    done, over = item.state == "completed", item.state in ENDS
    return Deadline(
        case=case,
        key=item.name,
        task=True,
        summary=f"{item.title or item.name}: {name}",
        note=f"Item {item.name} of the plan: {item.state}.",
        due=item.due,
        last=None,
        whole_day=True,
        zone=zone,
        status="done" if done else "off" if over else "open",
        sequence=item.n,
        changed=item.ended or item.at,
        ended=item.ended,
        categories=categories,
    )


def calendar_text(title: str, deadlines: Iterable[Deadline]) -> bytes:
    """The deadlines as one iCalendar object; the same deadlines give the same bytes.

    Raises:
        BadInput: the library is not installed.
    """
    try:
        import icalendar
    except ImportError as wrong:
        what = f"iCalendar text needs a library that is not here: {wrong}"
        raise BadInput.at("calendar", what, "install casekit[calendar-export]") from None
    found = icalendar.Calendar()
    found.add("prodid", f"-//casekit//casekit {__version__}//EN")
    found.add("version", "2.0")
    found.add("calscale", "GREGORIAN")
    found.add("x-wr-calname", clean(title))
    known = sorted(deadlines, key=lambda one: (one.due or one.last or "", one.uid))
    for deadline in known:
        found.add_component(_component(icalendar, deadline))
    years = [moment(at).year for one in known for at in (one.due, one.last, *one.warns) if at]
    if years:
        # Zones say their offsets for the years that are asked for, not for the whole of their history.
        found.add_missing_timezones(first_date=date(max(min(years) - 1, 1), 1, 1), last_date=date(min(max(years) + 2, 9999), 1, 1))
    written: bytes = found.to_ical()
    return written


def _component(library: Any, deadline: Deadline) -> icalendar.Component:
    made: icalendar.Component = library.Todo() if deadline.task else library.Event()
    made.add("uid", deadline.uid)
    made.add("dtstamp", moment(deadline.changed).replace(microsecond=0))
    made.add("last-modified", moment(deadline.changed).replace(microsecond=0))
    made.add("sequence", deadline.sequence)
    made.add("summary", clean(deadline.summary))
    made.add("description", "\n".join(clean(line) for line in deadline.note.splitlines()))
    if deadline.categories:
        made.add("categories", list(deadline.categories))
    when = _when(deadline)
    if deadline.task:
        _to_do(made, deadline, when)
    else:
        made.add("dtstart", when)
        made.add("transp", "TRANSPARENT")
        made.add("status", "CANCELLED" if deadline.status == "off" else "CONFIRMED")
    if deadline.status == "open":
        for at in deadline.warns:
            made.add_component(_alarm(library, deadline, at))
    return made


def _to_do(made: icalendar.Component, deadline: Deadline, when: date | datetime) -> None:
    made.add("due", when)
    made.add("status", {"open": "NEEDS-ACTION", "done": "COMPLETED", "off": "CANCELLED"}[deadline.status])
    if deadline.status == "done" and deadline.ended:
        made.add("completed", moment(deadline.ended).replace(microsecond=0))


def _alarm(library: Any, deadline: Deadline, at: str) -> icalendar.Component:
    made: icalendar.Component = library.Alarm()
    made.add("action", "DISPLAY")
    made.add("description", clean(deadline.summary))
    made.add("trigger", moment(at).replace(microsecond=0), parameters={"VALUE": "DATE-TIME"})
    return made


def _when(deadline: Deadline) -> date | datetime:
    """Its day, or its moment in the zone of the case."""
    at = deadline.due or deadline.last
    assert at is not None
    day = last_day(at, deadline.zone) if deadline.whole_day else None
    if day is None:
        return local(at, deadline.zone).replace(microsecond=0)
    return date.fromisoformat(day)
