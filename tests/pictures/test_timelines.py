"""Timelines of any kind: every word is in each form, nothing breaks out, and the axis is one that people can read."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casekit.model.time import from_micros, local, micros
from casekit.pictures.axis import MOST, ticks
from casekit.pictures.text import fitted, folded, width
from casekit.pictures.timeline import Bar, Point, Timeline, Track
from casekit.pictures.writing import written
from pictures.charts import TITLES, dot_texts, mermaid_texts, squeezed, svg_elements, svg_texts

READ = {"svg": svg_texts, "dot": dot_texts, "mermaid": mermaid_texts}
FIRST, LAST = micros("1990-01-01T00:00:00.000000Z"), micros("2090-01-01T00:00:00.000000Z")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia")
INSTANTS = st.integers(FIRST, LAST).map(from_micros)
SPANS = st.sampled_from([0, 1, 3_600, 86_400, 30 * 86_400, 365 * 86_400, 20 * 365 * 86_400]).map(lambda seconds: seconds * 1_000_000)
SIGNS = st.sampled_from(["running", "paused", "breached", "over"])
KINDS = st.sampled_from(["started", "warned", "warns", "was due", "due", "breached", "ended", "moved"])


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    start, span = micros(draw(INSTANTS)), draw(SPANS)
    moments = st.integers(start, start + span).map(from_micros)
    tracks = []
    for place in range(draw(st.integers(0, 4))):
        ends = draw(st.lists(st.tuples(moments, moments), max_size=3))
        bars = tuple(Bar(min(pair), max(pair), draw(SIGNS), f"running (because {place})") for pair in ends)
        points = tuple(
            sorted((Point(draw(moments), draw(KINDS), f"due {place}") for _ in range(draw(st.integers(0, 5)))), key=lambda p: p.at)
        )
        tracks.append(Track(f"clock {place}", draw(TITLES), f"standing {place}", draw(SIGNS), bars, points, tuple(map(_sorted, ends))))
    about = ("As of now.", *(f"{track.title}." for track in tracks))
    return Timeline(
        f"Deadlines {draw(TITLES)}",
        about,
        draw(st.sampled_from(ZONES)),
        draw(moments),
        from_micros(start),
        from_micros(start + span),
        tuple(tracks),
    )


def _sorted(pair: tuple[str, str]) -> tuple[str, str]:
    return min(pair), max(pair)


@pytest.mark.parametrize("form", READ)
@settings(max_examples=30)
@given(timelines())
def test_every_word_is_in_each_form(form: str, line: Timeline) -> None:
    shown = squeezed(READ[form](written(line, form)))
    for track in line.tracks:
        for words in (track.title, track.key, track.standing, *(bar.words for bar in track.bars), *(point.words for point in track.points)):
            assert squeezed(words) in shown
    assert squeezed(line.title) in shown


@settings(max_examples=30)
@given(timelines())
def test_nothing_breaks_out_of_an_svg_or_lies_outside_it(line: Timeline) -> None:
    picture = written(line, "svg")
    broad, high = (float(ET.fromstring(picture).attrib[name]) for name in ("width", "height"))
    for found in svg_elements(picture):
        assert found.tag in {"svg", "title", "desc", "g", "rect", "circle", "line", "text"}
        assert not [name for name in found.attrib if name.startswith("on") or "href" in name or name == "style"]
        for name, most in (
            ("x", broad),
            ("x1", broad),
            ("x2", broad),
            ("cx", broad),
            ("y", high),
            ("y1", high),
            ("y2", high),
            ("cy", high),
        ):
            assert 0 <= float(found.get(name, "0")) <= most


@given(INSTANTS, st.integers(3_600, 60 * 365 * 86_400), st.sampled_from(ZONES))
def test_an_axis_has_few_marks_at_full_hours_days_or_months(start: str, span: int, zone: str) -> None:
    end = from_micros(micros(start) + span * 1_000_000)
    marks = ticks(start, end, zone)
    assert len(marks) <= MOST + 2
    assert [at for at, _ in marks] == sorted({at for at, _ in marks})
    for at, words in marks:
        assert start <= at <= end
        wall = local(at, zone)
        # A wall time that a change of the clock skips is moved: the mark stays, at the moment that comes next.
        assert wall.minute == 0 or zone in ("Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")
        assert words.startswith((f"{wall:%m-%d %H}", f"{wall:%Y-%m}")) or wall.hour in (0, 1, 2, 3, 23)
    if span >= 4 * 3_600:
        assert marks


def test_marks_at_the_change_to_summer_time() -> None:
    marks = ticks("2026-03-28T20:00:00.000000Z", "2026-03-29T06:00:00.000000Z", "Europe/Berlin")
    assert [(at[11:16], words) for at, words in marks[:6]] == [
        ("20:00", "03-28 21:00"),
        ("21:00", "03-28 22:00"),
        ("22:00", "03-28 23:00"),
        ("23:00", "03-29 00:00"),
        ("00:00", "03-29 01:00"),
        ("01:00", "03-29 03:00"),
    ]


@given(st.text(), st.integers(1, 60))
def test_lines_are_no_longer_than_asked_and_lose_nothing(text: str, length: int) -> None:
    lines = folded(text, length)
    assert all(0 < len(line) <= length for line in lines)
    assert squeezed("".join(lines)) == squeezed(text)


@given(st.text(), st.floats(20, 400))
def test_lines_are_no_broader_than_there_is_room(text: str, room: float) -> None:
    lines = fitted(text, 11, room)
    assert all(width(line, 11) <= room for line in lines)
    assert squeezed("".join(lines)) == squeezed(text)


def test_broad_signs_count_as_broad() -> None:
    assert width("日本", 10) > width("MM", 10) > width("aa", 10) > width("ii", 10) > 0
    assert width("e\u0301", 10) == width("e", 10)
