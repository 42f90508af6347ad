"""Deadlines on the command line."""

from __future__ import annotations

from pathlib import Path

from commandline import ROOT, Run, Said

HELPDESK = ROOT / "examples" / "helpdesk"


def test_a_deadline_is_shown_explained_and_extended(program: Run, tmp_path: Path) -> None:
    def casekit(*arguments: object) -> Said:
        at_hand = ["--type", HELPDESK / "ticket.json", "--calendar", HELPDESK / "office.json"]
        return program(*arguments, "--store", f"sqlite:///{tmp_path}/cli.db", *at_hand)

    opened = casekit("case", "open", "helpdesk.ticket", "--data", "service_level=Value 3", "--json")
    case = opened.json["case"]["id"]

    shown = casekit("case", "clocks", case, "--json").json["clocks"]
    assert [(clock["clock"], clock["status"], clock["table"][-1]["name"]) for clock in shown] == [
        ("first-response", "running", "silver"),
        ("resolution", "running", "silver"),
    ]
    extended = casekit("case", "extend", case, "first-response", "--by", "P3D", "--reason", "staff is ill", "--json")
    assert extended.code == 0, extended
    said = casekit("case", "explain-clock", case, "first-response")
    assert said.code == 0, said
    for words in ("silver: service_level == 'Value 3'", " counted", "it was extended", "by computation it would be due"):
        assert words in said.out
    refused = casekit("case", "explain-clock", case, "none")
    assert (refused.code, "has no clock 'none'" in refused.err) == (2, True)


def test_without_its_calendar_a_case_type_is_named_as_bad(program: Run, tmp_path: Path) -> None:
    said = program("case", "list", "--store", f"sqlite:///{tmp_path}/cli.db", "--type", HELPDESK / "ticket.json")
    assert said.code == 2
    assert "there is no calendar 'helpdesk.office'" in " ".join(said.err.split())
