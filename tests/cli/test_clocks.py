"""Deadlines on the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
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
    (story,) = casekit("case", "explain-clock", case, "first-response", "--at", "2040-01-01", "--json").json["clocks"]
    assert (story["breached"], story["status"]) == (True, "breached")
    assert story["elapsed"]["running"] > story["open"]["running"] > 0
    assert story["due"] > story["computed"]
    refused = casekit("case", "explain-clock", case, "none")
    assert (refused.code, "has no clock 'none'" in refused.err) == (2, True)


COURT = {"key": "court", "version": "1", "hours": {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri")}, "zone": "UTC"}
APPEAL = {
    "key": "appeal",
    "version": "1",
    "title": "Appeal",
    "initial": "open",
    "data": {"decided": {"schema": {"type": "string", "format": "date"}, "personal": False}},
    "states": {"open": {"title": "Open", "category": "open"}},
    "clocks": {
        "file": {
            "amount": "P14D",
            "kind": "counted",
            "count": "us.frbp-9006",
            "calendar": "court",
            "start": "known(decided)",
            "anchor": {"field": "decided"},
            "on_change": "recompute",
            "warn": [{"at": "-P2D", "to": "clerk", "working": True}],
        }
    },
    "roles": {"clerk": {"title": "Clerk"}},
}


def test_a_legal_date_that_would_move_is_kept_or_confirmed(program: Run, tmp_path: Path) -> None:
    court, appeal = tmp_path / "court.json", tmp_path / "appeal.json"
    court.write_text(json.dumps(COURT))
    appeal.write_text(json.dumps(APPEAL))

    def casekit(*arguments: object) -> Said:
        return program(*arguments, "--store", f"sqlite:///{tmp_path}/cli.db", "--type", appeal, "--calendar", court)

    today = datetime.now(UTC).date()
    first = today + timedelta(days=7 - today.weekday())  # a Monday: two weeks later is one, too
    case = casekit("case", "open", "appeal", "--data", f"decided={first}", "--json").json["case"]["id"]
    casekit("case", "change", case, "--data", f"decided={first + timedelta(days=1)}")
    (story,) = casekit("case", "clocks", case, "--json").json["clocks"]
    assert (story["day"], story["would"]["day"]) == (str(first + timedelta(days=14)), str(first + timedelta(days=15)))
    assert "confirm or keep" in casekit("case", "clocks", case).out

    assert casekit("case", "keep-clock", case, "file").code == 2  # why?
    assert casekit("case", "keep-clock", case, "file", "--reason", "the first letter counts").code == 0
    assert casekit("case", "confirm-clock", case, "file", "--reason", "x").code == 2  # nothing is proposed any more
    # The court could not be reached on the last day: another version of its calendar says so.
    court.write_text(json.dumps({**COURT, "version": "2", "closures": {str(first + timedelta(days=14)): "flood"}}))
    assert casekit("case", "adopt-calendars", case).code == 0
    assert casekit("case", "confirm-clock", case, "file", "--reason", "notice of the court").code == 0
    said = casekit("case", "explain-clock", case, "file").out
    for words in ("the office is inaccessible (flood)", "the new date was confirmed", "the date was kept, and not", "for clerk"):
        assert words in said
    assert casekit("case", "clocks", case, "--json").json["clocks"][0]["day"] == str(first + timedelta(days=15))


def test_without_its_calendar_a_case_type_is_named_as_bad(program: Run, tmp_path: Path) -> None:
    said = program("case", "list", "--store", f"sqlite:///{tmp_path}/cli.db", "--type", HELPDESK / "ticket.json")
    assert said.code == 2
    assert "there is no calendar 'helpdesk.office'" in " ".join(said.err.split())
