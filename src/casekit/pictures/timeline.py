"""The deadlines of a case on an axis of time, whoever draws it: what ran, what rested, what was due, said or moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

from attrs import frozen

from casekit.decisions.clock_story import ClockStory, Said
from casekit.pictures.graph import Sign
from casekit.pictures.moments import said, said_due
from casekit.pictures.plan import Instance

PointKind = Literal["started", "warned", "warns", "escalated", "escalates", "was due", "due", "breached", "ended", "moved"]


@frozen
class Bar:
    """A stretch of time.

    Attributes:
        start, end: Canonical instants.
        sign: running, paused, breached or over.
        words: What it was, and why.
    """

    start: str
    end: str
    sign: Sign
    words: str


@frozen
class Point:
    """A moment.

    Attributes:
        at: Canonical instant.
        kind: What it is.
        words: The same in words, with why.
    """

    at: str
    kind: PointKind
    words: str


@frozen
class Track:
    """One deadline.

    Attributes:
        key: What commands call it.
        title: What people read; empty: its key.
        standing: How it stands, in words.
        sign: The same.
        bars: Stretches in order.
        points: Moments in order.
        closed: Stretches outside the hours of its calendar.
    """

    key: str
    title: str
    standing: str
    sign: Sign
    bars: tuple[Bar, ...] = ()
    points: tuple[Point, ...] = ()
    closed: tuple[tuple[str, str], ...] = ()


@frozen
class Timeline:
    """What is to be drawn.

    Attributes:
        title: What it is a picture of.
        about: The same and how it stands, in sentences, for those who do not see it.
        zone: Zone in which moments are said.
        now: The moment asked about.
        start, end: Of the axis.
        tracks: In order.
    """

    title: str
    about: tuple[str, ...]
    zone: str
    now: str
    start: str
    end: str
    tracks: tuple[Track, ...]


@frozen
class Life:
    """A clock with everything that entries left of it, up to the moment of its story."""

    story: ClockStory
    said: tuple[Said, ...]


def timeline(title: str, zone: str, now: str, lives: Sequence[Life], items: Iterable[Instance] = ()) -> Timeline:
    """The timeline of a case: its clocks in their order, then the items of its plan that have a due moment."""
    tracks = (*(_clock(life) for life in lives), *(_item(item, zone, now) for item in items if item.due))
    moments = [now, *(at for track in tracks for at in _moments(track))]
    about = [f"As of {said(now, zone)}.", *(f"{track.title or track.key} ({track.key}): {track.standing}." for track in tracks)]
    return Timeline(title, tuple(about) if tracks else ("No deadline had started.",), zone, now, min(moments), max(moments), tracks)


def _moments(track: Track) -> Iterator[str]:
    for bar in track.bars:
        yield from (bar.start, bar.end)
    yield from (point.at for point in track.points)


def _clock(life: Life) -> Track:
    story = life.story
    due = f", due {said_due(story.due, story.zone)}" if story.due else ""
    resumed = f", would be due {said_due(story.if_resumed, story.zone)}" if story.if_resumed else ""
    sign: Sign = story.status if story.status in ("running", "paused", "breached") else "over"  # type: ignore[assignment]
    bars = tuple(_bars(story))
    points = sorted(_points(life), key=lambda point: point.at)
    counted = [step for step in story.steps if step.rule in ("open", "paused")] if story.kind == "business" else []
    closed = tuple((one.end, other.start) for one, other in pairwise(counted) if one.end < other.start)
    standing = f"{story.status}{due or resumed}"
    return Track(f"{story.clock} {story.instance}", story.title, standing, sign, bars, tuple(points), closed)


def _bars(story: ClockStory) -> Iterator[Bar]:
    """Its stretches, those that only an entry in between had parted put together."""
    whole: list[Bar] = []
    for one in story.intervals:
        sign: Sign = one.status if one.status in ("running", "paused", "breached") else "over"  # type: ignore[assignment]
        bar = Bar(one.start, one.end, sign, f"{one.status}{f' ({one.why})' if one.why else ''}")
        last = whole[-1] if whole else None
        if last is not None and last.end == bar.start and last.words == bar.words:
            whole[-1] = Bar(last.start, bar.end, sign, bar.words)
        else:
            whole.append(bar)
    yield from whole


UNMOVED = ("proposed", "kept")
"""What is told beside the moves of a date, and has moved none."""
_MOVED = {
    "paused": "paused",
    "resumed": "ran on",
    "extended": "extended",
    "anchor": "what it counts from has moved",
    "amount": "another amount applies",
    "calendar": "another version of its calendar",
    "changed": "changed",
    "confirmed": "confirmed",
    "proposed": "a new date waits to be confirmed",
    "kept": "the date was kept",
}
"""Why a date moved → words; the same as those of :class:`casekit.decisions.clock_story.Move`."""


def _points(life: Life) -> Iterator[Point]:
    story, zone = life.story, life.story.zone
    for move in story.moves:
        if move.why == "started":
            yield Point(move.at, "started", f"started {said(move.at, zone)}")
            continue
        if move.why in UNMOVED:
            waits = f": due {said_due(move.new, zone)}" if move.new else ""
            yield Point(move.at, "moved", f"{_MOVED[move.why]} {said(move.at, zone)}{waits}")
            continue
        new = f"due {said_due(move.new, zone)}" if move.new else "it has no date until it runs on"
        yield Point(move.at, "moved", f"{_MOVED.get(move.why, move.why)} {said(move.at, zone)}: {new}")
        if move.old and move.old != story.due:
            yield Point(move.old, "was due", f"was due {said_due(move.old, zone)}, until entry {move.n}")
    yield from _spoken(life)
    if story.due:
        yield Point(story.due, "due", f"due {said_due(story.due, zone)}")
    if story.breached:
        at = story.due or story.at
        yield Point(at, "breached", f"breached {said_due(at, zone)}")
    last = life.said[-1] if life.said else None
    if last is not None and last.live is None:
        yield Point(last.at, "ended", f"{story.status} {said(last.at, zone)}")


def _spoken(life: Life) -> Iterator[Point]:
    """What it has said, and what it is going to say."""
    zone = life.story.zone
    before: Said | None = None
    for one in life.said:
        for word, count in (("warned", "warned"), ("escalated", "escalated")):
            if one.live is not None and one.live.get(count, 0) > ((before.live or {}).get(count, 0) if before is not None else 0):
                yield Point(one.at, "warned" if word == "warned" else "escalated", f"{word} {said(one.at, zone)}")
        before = one
    live = before.live if before is not None and before.live is not None else {}
    for at in live.get("warn", ()):
        yield Point(at, "warns", f"warns {said(at, zone)}")
    for at in live.get("escalate", ()):
        yield Point(at, "escalates", f"escalates {said(at, zone)}")


def _item(item: Instance, zone: str, now: str) -> Track:
    assert item.due is not None
    end = item.ended or max(now, item.at)
    ended = f" {said(item.ended, zone)}" if item.ended else ""
    late = ", overdue" if item.overdue and not item.ended else ""
    due = said_due(item.due, zone)
    bars = (Bar(item.at, end, "over" if item.ended else "breached" if late else "running", item.state),) if end > item.at else ()
    points = [Point(item.at, "started", f"came into the plan {said(item.at, zone)}"), Point(item.due, "due", f"due {due}")]
    points += [Point(item.ended, "ended", f"{item.state}{ended}")] if item.ended else []
    standing = f"{item.state}{ended}, due {due}{late}"
    return Track(item.name, item.title, standing, "over" if item.ended else "breached" if late else "running", bars, tuple(points))
