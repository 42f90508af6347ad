"""A timeline as SVG: bars and numbered marks on one axis, with every moment in words beneath."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casekit.model.time import from_micros, micros
from casekit.pictures.axis import ticks
from casekit.pictures.moments import said, seconds
from casekit.pictures.text import fitted, width
from casekit.pictures.timeline import Bar, Point, Timeline, Track
from casekit.pictures.xml import COLOURS, INK, PAPER, QUIET, RULE, Attributes, document, element, text, titled

WIDTH, SIDE, TOP = 1180.0, 24.0, 84.0
_LANE, _BAR, _LINE = 17.0, 16.0, 15.0
_ROOM = WIDTH - 2 * SIDE
_SHAPES: Mapping[str, Attributes] = {
    "running": {"stroke-width": 1.2},
    "paused": {"stroke-width": 1.2, "stroke-dasharray": "5 3"},
    "breached": {"stroke-width": 3.0},
    "over": {"stroke-width": 1.2, "stroke-dasharray": "1 3"},
}
_LEGEND = (
    "Solid: running. Dashed: paused. Heavy: breached. Dotted: over. Numbers stand at moments, filled once they have passed;"
    " a square is a due date. A grey strip: outside the hours of its calendar."
)


def timeline_svg(line: Timeline) -> str:
    """The timeline as an SVG document."""
    return _Drawing(line).document()


class _Drawing:
    def __init__(self, line: Timeline) -> None:
        self.line = line
        # Room at both ends; a single moment gets an hour on each side.
        first, last = micros(line.start), micros(line.end)
        room = max((last - first) // 40, 3_600_000_000 if first == last else 60_000_000)
        self.start, self.end = from_micros(first - room), from_micros(last + room)
        self.span = seconds(self.start, self.end)
        self.titles = fitted(line.title, 15 * 1.08, _ROOM)
        self.top = TOP + 20 * max(len(self.titles) - 1, 0)

    def document(self) -> str:
        drawn, foot = [], self.top
        for track in self.line.tracks:
            lines, foot = self._track(track, foot)
            drawn += lines
        if not self.line.tracks:
            drawn.append(text("No deadline had started.", SIDE, foot + 12, {"font-size": 13}))
            foot += 30
        legend = [text(row, SIDE, foot + 18 + 14 * i, {"font-size": 11, "fill": QUIET}) for i, row in enumerate(fitted(_LEGEND, 11, _ROOM))]
        head = [text(row, SIDE, 30 + 20 * i, {"font-size": 15, "font-weight": "bold"}) for i, row in enumerate(self.titles)]
        high = foot + 24 + 14 * len(legend)
        return document(WIDTH, high, self.line.title, self.line.about, [*head, *self._axis(foot), *drawn, *legend])

    def _x(self, at: str) -> float:
        return SIDE + (WIDTH - 2 * SIDE) * seconds(self.start, at) / self.span

    def _axis(self, foot: float) -> Iterator[str]:
        zone, y = self.line.zone, self.top - 22
        yield element("line", {"x1": SIDE, "y1": y, "x2": WIDTH - SIDE, "y2": y, "stroke": INK})
        for at, words in ticks(self.start, self.end, zone):
            x = self._x(at)
            yield element("line", {"x1": x, "y1": y, "x2": x, "y2": foot, "stroke": "#d8dee4"})
            yield text(words, x, y - 5, {"font-size": 11, "fill": QUIET, "text-anchor": "middle"})
        x = self._x(self.line.now)
        yield element(
            "line", {"x1": x, "y1": y, "x2": x, "y2": foot, "stroke": COLOURS["now"][0], "stroke-width": 1.5, "stroke-dasharray": "8 3"}
        )
        anchor = "end" if x > WIDTH / 2 else "start"
        yield text(f"now: {said(self.line.now, zone)}", x + (-4 if anchor == "end" else 4), y + 14, {
            "font-size": 11, "fill": COLOURS["now"][0], "text-anchor": anchor,
        })  # fmt: skip

    def _track(self, track: Track, top: float) -> tuple[list[str], float]:
        drawn, top = self._head(track, top)
        lanes = self._lanes(track.points)
        bar = top + 28 + _LANE * (max(lanes, default=0) + 1)
        drawn += [self._closed(stretch, bar + _BAR) for stretch in track.closed]
        drawn += [self._bar(one, bar) for one in track.bars]
        for place, (point, lane) in enumerate(zip(track.points, lanes, strict=True), start=1):
            drawn.append(self._point(point, place, bar, lane))
        foot = bar + _BAR + 8
        for row in fitted("; ".join(f"{place} {point.words}" for place, point in enumerate(track.points, start=1)), 11, _ROOM):
            foot += _LINE
            drawn.append(text(row, SIDE, foot - 3, {"font-size": 11}))
        rule = element("line", {"x1": SIDE, "y1": foot + 6, "x2": WIDTH - SIDE, "y2": foot + 6, "stroke": RULE, "stroke-width": 0.5})
        return [*drawn, rule], foot + 8

    def _head(self, track: Track, top: float) -> tuple[list[str], float]:
        """Title and standing, beside each other where there is room; and where the last line of them begins."""
        title = fitted(track.title, 13 * 1.08, _ROOM) or [track.key]
        standing = f"{track.key}: {track.standing}" if track.title else track.standing
        drawn = []
        for row in title:
            drawn.append(text(row, SIDE, top + 18, {"font-size": 13, "font-weight": "bold"}))
            top += 18
        x = SIDE + width(title[-1], 13) * 1.08 + 10
        rows = [standing] if x + width(standing, 12) <= WIDTH - SIDE else fitted(standing, 12, _ROOM)
        x, top = (x, top - 18) if len(title) == 1 and rows == [standing] else (SIDE, top)
        for row in rows:
            drawn.append(text(row, x, top + 18, {"font-size": 12, "fill": COLOURS[track.sign][0]}))
            top += 18
        return drawn, top - 18

    def _lanes(self, points: tuple[Point, ...]) -> list[int]:
        """For each mark, how high it stands, so that none covers another."""
        found: list[int] = []
        last: list[float] = []
        for point in points:
            x = self._x(point.at)
            lane = next((i for i, end in enumerate(last) if x - end >= _LANE), len(last))
            last[lane:] = [x, *last[lane + 1 :]]
            found.append(lane)
        return found

    def _bar(self, bar: Bar, top: float) -> str:
        ink, paper = COLOURS[bar.sign]
        x, broad = self._x(bar.start), max(self._x(bar.end) - self._x(bar.start), 1.5)
        shape = element("rect", {"x": x, "y": top, "width": broad, "height": _BAR, "fill": paper, "stroke": ink, **_SHAPES[bar.sign]})
        zone = self.line.zone
        told = titled([f"{bar.words}: {said(bar.start, zone)} to {said(bar.end, zone)}"])
        fits = width(bar.words, 11) + 8 <= broad
        return element("g", {}, told + shape + (text(bar.words, x + 4, top + 12, {"font-size": 11, "fill": ink}) if fits else ""))

    def _closed(self, stretch: tuple[str, str], top: float) -> str:
        x, end = self._x(max(stretch[0], self.start)), self._x(min(stretch[1], self.end))
        return element("rect", {"x": x, "y": top + 1, "width": max(end - x, 0.5), "height": 4, "fill": RULE})

    def _point(self, point: Point, place: int, bar: float, lane: int) -> str:
        x, y = self._x(point.at), bar - 11 - _LANE * lane
        ink = COLOURS["breached"][0] if point.kind == "breached" else INK
        passed = point.at <= self.line.now
        stem = element("line", {"x1": x, "y1": y, "x2": x, "y2": bar + _BAR, "stroke": ink, "stroke-width": 1})
        look: Attributes = {"fill": ink if passed else PAPER, "stroke": ink}
        if point.kind in ("due", "was due"):
            mark = element("rect", {"x": x - 7.5, "y": y - 7.5, "width": 15, "height": 15, **look})
        else:
            mark = element("circle", {"cx": x, "cy": y, "r": 8, **look})
        shown: Attributes = {"font-size": 10, "text-anchor": "middle", "fill": PAPER if passed else ink}
        return element("g", {}, titled([point.words]) + stem + mark + text(str(place), x, y + 3.5, shown))
