"""A timeline as a Mermaid Gantt chart, and as DOT."""

from __future__ import annotations

from collections.abc import Iterator

from casekit.model.time import local
from casekit.pictures import dot, mermaid
from casekit.pictures.moments import said
from casekit.pictures.timeline import Bar, Point, Timeline, Track
from casekit.pictures.xml import COLOURS

_TAGS = {"running": "active, ", "paused": "done, ", "breached": "crit, ", "over": "done, "}


def timeline_mermaid(line: Timeline) -> str:
    """The timeline as a Mermaid Gantt chart; moments are said in the zone of the case."""
    return "\n".join(_gantt(line)) + "\n"


def _gantt(line: Timeline) -> Iterator[str]:
    yield "gantt"
    yield f"    accTitle: {mermaid.quoted(line.title)}"
    yield f"    accDescr: {mermaid.quoted(' '.join(line.about))}"
    yield "    dateFormat YYYY-MM-DDTHH:mm:ss"
    yield "    axisFormat %Y-%m-%d %H:%M"
    yield "    todayMarker off"
    yield "    section asked about"
    yield f"    as of {mermaid.quoted(said(line.now, line.zone))} :milestone, {_wall(line.now, line)}, 0d"
    for track in line.tracks:
        # What people wrote never stands first, for a Gantt chart reads its own words there; states and moments are ours.
        yield f"    section deadline {mermaid.quoted(f'{track.title} ({track.key})' if track.title else track.key)}"
        yield f"    {mermaid.quoted(track.standing)} :milestone, {_wall(line.now, line)}, 0d"
        yield from (f"    {mermaid.quoted(b.words)} :{_TAGS[b.sign]}{_wall(b.start, line)}, {_wall(b.end, line)}" for b in track.bars)
        yield from (f"    {mermaid.quoted(point.words)} :{_tag(point)}{_wall(point.at, line)}, 0d" for point in track.points)


def _tag(point: Point) -> str:
    return "crit, milestone, " if point.kind == "breached" else "milestone, "


def _wall(at: str, line: Timeline) -> str:
    return local(at, line.zone).replace(tzinfo=None).isoformat(timespec="seconds")


def timeline_dot(line: Timeline) -> str:
    """The timeline as a DOT digraph: for each deadline a chain of what happened and what is to come."""
    return "\n".join(_digraph(line)) + "\n"


def _digraph(line: Timeline) -> Iterator[str]:
    yield "digraph {"
    yield f"  label={dot.quoted(line.title)}; tooltip={dot.block(line.about)}; labelloc=t; labeljust=l;"
    yield '  node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="Helvetica", fontsize=11];'
    yield '  graph [fontname="Helvetica", fontsize=11];'
    for place, track in enumerate(line.tracks):
        yield from _chain(f"t{place}", track, line)
    if not line.tracks:
        yield '  none [label="No deadline had started.", shape=plain];'
    yield "}"


def _chain(name: str, track: Track, line: Timeline) -> Iterator[str]:
    label = dot.block([track.title or track.key, f"{track.key}: {track.standing}"])
    yield f"  subgraph cluster_{name} {{ label={label}; color={dot.quoted(COLOURS[track.sign][0])};"
    parts: list[Bar | Point] = sorted([*track.bars, *track.points], key=_when)
    for place, part in enumerate(parts):
        yield f"    {name}_{place} {dot.attributes(_bar(part, line) if isinstance(part, Bar) else _point(part, line))};"
        if place:
            yield f"    {name}_{place - 1} -> {name}_{place};"
    if not parts:
        yield f'    {name}_0 [label="", shape=point];'
    yield "  }"


def _bar(bar: Bar, line: Timeline) -> dict[str, str]:
    ink, paper = COLOURS[bar.sign]
    words = dot.block([bar.words, f"{said(bar.start, line.zone)} to {said(bar.end, line.zone)}"])
    return {"label": words, "color": dot.quoted(ink), "fillcolor": dot.quoted(paper)}


def _point(point: Point, line: Timeline) -> dict[str, str]:
    style = {} if point.at <= line.now else {"style": '"filled,dashed"'}
    return {"label": dot.block([point.words]), "shape": "ellipse", **style}


def _when(part: Bar | Point) -> str:
    return part.start if isinstance(part, Bar) else part.at
