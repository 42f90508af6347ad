"""The XES reader: real logs, every kind of attribute, every kind of damage, flat memory."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit.builtin.xes import read_header, read_xes
from casekit.errors import BadInput
from casekit.sdk import LogAttribute, LogTrace, log_time

EVENT = '<event><string key="concept:name" value="Pay"/><date key="time:timestamp" value="2005-03-23T00:00:00.000+01:00"/></event>'


def shared(name: str) -> Path:
    folder = os.environ.get("CASEKIT_TEST_DATA")
    if not folder:
        pytest.skip("CASEKIT_TEST_DATA does not name a folder with logs/, so the real logs can't be read")
    return Path(folder, "logs", name)


def written(folder: Path, body: str, root: str = "<log>") -> Path:
    path = folder / "log.xes"
    path.write_text(f"<?xml version='1.0' encoding='UTF-8'?>\n{root}\n{body}\n</log>\n", encoding="utf-8")
    return path


def traces(folder: Path, body: str, root: str = "<log>") -> list[LogTrace]:
    return list(read_xes(written(folder, body, root)))


def test_the_fines_are_read_as_they_stand() -> None:
    log = list(read_xes(shared("roadtraffic100traces.xes")))
    assert len(log) == 100
    assert sum(len(t.events) for t in log) == 390
    first = log[0]
    assert (first.id, first.line) == ("N77802", 1240)
    create = first.events[0]
    assert (create.name, create.time, create.line) == ("Create Fine", "2005-03-23T00:00:00.000+01:00", 1242)
    assert create.attributes["amount"] == LogAttribute("amount", "float", "35.0")
    assert create.attributes["article"] == LogAttribute("article", "int", "157")
    assert len(create.attributes) == 10


def test_the_header_of_the_fines() -> None:
    header = read_header(shared("roadtraffic100traces.xes"))
    assert header.classifiers == {"Event Name": "concept:name"}
    assert header.extensions["concept"] == "http://www.xes-standard.org/concept.xesext"
    total = header.attributes["meta_concept:named_events_total"]
    assert total.value == "561470"
    assert LogAttribute("Appeal to Judge", "int", "555") in total.children


def test_the_gzipped_tickets() -> None:
    seen: list[tuple[int, int]] = []
    path = shared("helpdesk.xes.gz")
    log = read_xes(path, lambda done, size: seen.append((done, size)))
    events = [len(t.events) for t in log]
    assert (len(events), sum(events)) == (4580, 21348)
    assert seen == sorted(seen)
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


def test_gzip_is_told_by_its_bytes_not_by_the_name(tmp_path: Path) -> None:
    plain = written(tmp_path, f"<trace>{EVENT}</trace>")
    packed = tmp_path / "packed.xes"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    misnamed = tmp_path / "plain.xes.gz"
    misnamed.write_bytes(plain.read_bytes())
    assert list(read_xes(packed)) == list(read_xes(misnamed)) == list(read_xes(plain))


@pytest.mark.parametrize("root", ['<log xmlns="http://www.xes-standard.org/">', '<log xes.version="2.0" openxes.version="1.0RC7">'])
def test_a_default_namespace_and_versions_do_not_matter(tmp_path: Path, root: str) -> None:
    [trace] = traces(tmp_path, f"<trace>{EVENT}</trace>", root)
    assert trace.events[0].name == "Pay"


def test_a_prefixed_namespace_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text('<x:log xmlns:x="http://www.xes-standard.org/"><x:trace><x:string key="a" value="b"/></x:trace></x:log>')
    [trace] = read_xes(path)
    assert trace.attributes["a"].value == "b"


def test_what_has_no_name_or_time(tmp_path: Path) -> None:
    first, named, third = traces(
        tmp_path,
        '<trace><event/></trace><trace><event/><string key="concept:name" value="A"/></trace><trace/>',
    )
    assert (first.id, named.id, third.id) == ("1", "A", "3")
    assert (first.events[0].name, first.events[0].time, first.events[0].attributes) == ("", None, {})
    assert third.events == ()


def test_every_kind_keeps_its_text(tmp_path: Path) -> None:
    body = """<trace>
      <string key="s" value=" Via Röma &amp; c. "/><int key="i" value="+007"/><float key="f" value="1.50E3"/><float key="n" value="NaN"/>
      <boolean key="b" value="true"/><id key="u" value="x-1"/><date key="d" value="2005-03-23T09:00:00.1234567Z"/><float key="g" value=".5"/>
    </trace>"""
    [trace] = traces(tmp_path, body)
    assert {k: a.value for k, a in trace.attributes.items()} == {
        "s": " Via Röma & c. ",
        "i": "+007",
        "f": "1.50E3",
        "n": "NaN",
        "b": "true",
        "u": "x-1",
        "d": "2005-03-23T09:00:00.1234567Z",
        "g": ".5",
    }


def test_nested_attributes_lists_and_containers(tmp_path: Path) -> None:
    body = """<trace>
      <string key="outer" value="o"><int key="inner" value="1"><string key="deep" value="d"/></int></string>
      <list key="l"><values><string key="x" value="1"/><string key="x" value="2"/></values></list>
      <container key="c"><boolean key="y" value="0"/></container>
    </trace>"""
    [trace] = traces(tmp_path, body)
    deep = LogAttribute("deep", "string", "d")
    assert trace.attributes["outer"] == LogAttribute("outer", "string", "o", (LogAttribute("inner", "int", "1", (deep,)),))
    assert trace.attributes["l"] == LogAttribute("l", "list", "", (LogAttribute("x", "string", "1"), LogAttribute("x", "string", "2")))
    assert trace.attributes["c"] == LogAttribute("c", "container", "", (LogAttribute("y", "boolean", "0"),))


def test_global_defaults_are_not_applied(tmp_path: Path) -> None:
    body = '<global scope="event"><string key="concept:name" value="DEFAULT"/></global><trace><event/></trace>'
    [trace] = traces(tmp_path, body)
    assert trace.events[0].attributes == {}
    assert read_header(tmp_path / "log.xes").attributes == {}


def test_the_header_is_what_stands_before_the_first_trace(tmp_path: Path) -> None:
    path = written(tmp_path, '<string key="before" value="1"/><trace/><string key="after" value="2"/>')
    assert list(read_header(path).attributes) == ["before"]


def test_the_header_of_a_log_without_traces(tmp_path: Path) -> None:
    path = written(tmp_path, '<string key="only" value="1"/>')
    assert list(read_header(path).attributes) == ["only"]
    assert list(read_xes(path)) == []


@pytest.mark.parametrize(
    ("body", "line", "what"),
    [
        ('<trace>\n<string value="x"/></trace>', 4, "has no key"),
        ('<trace><string key="" value="x"/></trace>', 3, "has no key"),
        ('<trace>\n\n<int key="points"/></trace>', 5, "'points' has no value"),
        ('<trace><int key="points" value="3.0"/></trace>', 3, "no int"),
        ('<trace><int key="points" value="٣"/></trace>', 3, "no int"),
        ('<trace><float key="amount" value="35,0"/></trace>', 3, "no float"),
        ('<trace><boolean key="paid" value="yes"/></trace>', 3, "no boolean"),
        ('<trace><date key="d" value="2005-02-30T00:00:00+01:00"/></trace>', 3, "is no time"),
        ('<trace><date key="d" value="2005-02-03T24:00:00+01:00"/></trace>', 3, "is no time"),
        ('<trace><date key="d" value="yesterday"/></trace>', 3, "is no time"),
        ('<trace>\n<event><id key="a" value="1"/>\n<id key="a" value="2"/></event></trace>', 5, "'a' stands twice in one event"),
        ("<event/>", 3, "outside a trace"),
        ("<trace><trace/></trace>", 3, "<trace> can't stand in <trace>"),
        ("<trace><note/></trace>", 3, "<note> can't stand in <trace>"),
        ("<trace>\n<event></trace>", 4, "not well-formed XML: mismatched tag, column 10"),
        ("<trace>&laughs;</trace>", 3, "not well-formed XML: undefined entity"),
        ('<container key="a">' * 80, 3, "nested deeper"),
    ],
)
def test_damage_is_named_with_its_line(tmp_path: Path, body: str, line: int, what: str) -> None:
    path = written(tmp_path, body)
    with pytest.raises(BadInput) as wrong:
        list(read_xes(path))
    [problem] = wrong.value.problems
    assert problem.where == f"{path}:{line}"
    assert what in problem.what
    assert problem.do


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no element found"),
        ("no XML at all", "not well-formed XML"),
        ("<log><trace>", "no element found"),
        ("<html/>", "not XES: its root is <html>"),
        ('<?xml version="1.0" encoding="klingon"?><log/>', "its encoding can't be read"),
        ('<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><log><string key="k" value="&b;"/></log>', "DOCTYPE"),
        ('<!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>', "DOCTYPE"),
    ],
)
def test_what_is_no_xes_at_all(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "log.xes"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"log\.xes:1: ") as wrong:
        list(read_xes(path))
    assert what in str(wrong.value)


def test_the_header_of_what_is_no_xes(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text("<html/>")
    with pytest.raises(BadInput, match="not XES"):
        read_header(path)


def test_a_file_that_can_not_be_opened(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="can't be read: No such file"):
        list(read_xes(tmp_path / "none.xes"))
    with pytest.raises(BadInput, match="can't be read: Is a directory"):
        list(read_xes(tmp_path))


def many(count: int) -> bytes:
    return b"<log>\n" + b"".join(b'<trace><string key="concept:name" value="%d"/></trace>\n' % i for i in range(count)) + b"</log>"


def test_a_gzip_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "log.xes.gz"
    path.write_bytes(gzip.compress(many(10_000))[:-5000])
    got: list[LogTrace] = []
    with pytest.raises(BadInput, match="damaged or breaks off") as wrong:
        got.extend(read_xes(path))
    assert [t.id for t in got[:3]] == ["0", "1", "2"]
    line = int(wrong.value.problems[0].where.rpartition(":")[2])
    assert len(got) <= line < 10_000


def test_a_gzip_with_a_wrong_checksum(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(many(3)))
    packed[-5] ^= 1
    path = tmp_path / "log.xes.gz"
    path.write_bytes(packed)
    with pytest.raises(BadInput, match="damaged"):
        list(read_xes(path))


def peak(path: Path) -> int:
    tracemalloc.start()
    try:
        for _ in read_xes(path):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_traces(tmp_path: Path) -> None:
    small, large = tmp_path / "small.xes", tmp_path / "large.xes"
    small.write_bytes(many(4_000))
    large.write_bytes(many(40_000))
    assert peak(large) < peak(small) * 1.5


def test_a_reading_may_be_left_early(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_bytes(many(10_000))
    log = read_xes(path)
    assert next(iter(log)).id == "0"
    del log  # an unclosed file would be a warning, and warnings are errors here


def test_times_of_logs() -> None:
    assert log_time("2005-03-23", "here") == date(2005, 3, 23)
    assert log_time("2005-03-23T07:08:09.5+0100", "here") == datetime.fromisoformat("2005-03-23T07:08:09.500000+01:00")
    assert log_time("2005-03-23 07:08:09", "here") == datetime(2005, 3, 23, 7, 8, 9)  # noqa: DTZ001  no zone is the point
    with pytest.raises(BadInput, match="here: "):
        log_time("23/03/2005", "here")


@given(st.datetimes(timezones=st.just(None) | st.timezones()))
def test_every_time_that_python_writes_is_read_as_it_was(moment: datetime) -> None:
    offset = moment.utcoffset()
    if offset is not None and offset.seconds % 60:
        return  # no log writes offsets with seconds
    assert log_time(moment.isoformat(timespec="microseconds"), "here").isoformat() == moment.isoformat()
