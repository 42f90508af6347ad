"""Pictures and calendars on the command line."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import icalendar

from casekit.cli.commands import COMMANDS
from commandline import Run


def test_a_case_type_is_drawn(casekit: Run, tmp_path: Path) -> None:
    said = casekit("type", "picture", "test.dispute")
    assert (said.code, said.err) == (0, "")
    assert ET.fromstring(said.out).tag == "{http://www.w3.org/2000/svg}svg"
    assert casekit("type", "picture", "test.dispute", "--format", "mermaid").out.startswith("stateDiagram-v2\n")
    assert casekit("type", "picture", "test.dispute", "--kind", "plan", "--format", "dot").out.startswith("digraph {\n")
    file = tmp_path / "dispute.svg"
    written = casekit("type", "picture", "test.dispute", "--out", file, "--json")
    assert written.json == {"type": "test.dispute", "kind": "states", "format": "svg", "file": str(file)}
    assert file.read_text(encoding="utf-8") == said.out
    assert casekit("type", "picture", "test.dispute", "--json").json["text"] == said.out


def test_a_case_is_drawn_and_its_dates_go_to_a_calendar(casekit: Run, case: str, tmp_path: Path) -> None:
    for kind in ("states", "plan", "deadlines"):
        said = casekit("case", "picture", case, "--kind", kind)
        assert (said.code, said.err) == (0, "")
        assert ET.fromstring(said.out) is not None
    assert "now here" in casekit("case", "picture", case, "--format", "dot").out
    listed = casekit("case", "deadlines", case, "--json").json["deadlines"]
    everywhere = casekit("deadlines", "--json").json["deadlines"]
    assert listed == everywhere
    assert [one["key"] for one in listed] == [one["clock"] + ".1" for one in casekit("case", "clocks", case, "--json").json["clocks"]]
    assert casekit("case", "deadlines", case).code == 0
    file = tmp_path / "dates.ics"
    assert casekit("deadlines", "--case-type", "test.dispute", "--ics", "--out", file).code == 0
    assert len(icalendar.Calendar.from_ical(file.read_bytes()).walk("VEVENT")) == len(listed) >= 1
    assert casekit("case", "deadlines", case, "--ics").out.startswith("BEGIN:VCALENDAR\r\n")


def test_what_makes_no_sense_is_bad_input(casekit: Run, case: str) -> None:
    for arguments, words in (
        (("type", "picture", "no.type"), "is not known here"),
        (("type", "picture", "test.dispute", "--kind", "deadlines"), "only a case has deadlines"),
        (("type", "picture", "test.dispute", "--format", "png"), "take one of svg, mermaid, dot"),
        (("case", "picture", case, "--kind", "people"), "take one of states, plan, deadlines"),
        (("case", "picture", case, "--at", "2026-01-01"), "shows the case as it is now"),
        (("case", "deadlines", case, "--out", "x"), "add --ics"),
        (("case", "picture", "D-9999"), "there is no case"),
    ):
        said = casekit(*arguments)
        assert said.code == 2, arguments
        assert words in " ".join(said.err.split()), said.err
    assert {"type picture", "case picture", "case deadlines", "deadlines"} <= set(COMMANDS)
