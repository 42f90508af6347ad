"""Calculators, case types and plugins, by the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from commandline import DISPUTE, FINES, Run

INSTALMENTS = ("calc", "debt.instalments", "--amount", "100.00 USD", "--count", "3", "--first-due", "2026-01-31")


def test_a_calculator_needs_no_store(program: Run, tmp_path: Path) -> None:
    store = tmp_path / "none.db"
    said = program(*INSTALMENTS, "--json", "--store", f"sqlite:///{store}")
    assert said.code == 0
    assert said.json["result"] == [
        {"due": "2026-01-31", "amount": "33.33 USD"},
        {"due": "2026-02-28", "amount": "33.33 USD"},
        {"due": "2026-03-31", "amount": "33.34 USD"},
    ]
    assert not store.exists()
    assert "33.34 USD" in program(*INSTALMENTS).out


def test_a_calculator_reads_instants_and_lists(program: Run) -> None:
    asked = ("calc", "debt.contact", "--at", "2026-11-24T15:59:00Z", "--zones", '["America/Los_Angeles"]')
    verdict = program(*asked, "--json").json["result"]
    assert (verdict["rule"], verdict["allowed_at"]) == ("debt.calling-hours", "2026-11-24T16:00:00.000001Z")
    assert "debt.calling-hours" in program(*asked).out
    called = program(
        "calc", "debt.contact", "--at", "2026-11-24T18:00:00Z", "--calls", '["2026-11-24T17:58:00Z"]', "--zones", '["UTC"]', "--json"
    )
    assert [f["rule"] for f in called.json["result"]["factors"]] == ["debt.rapid-calls"]


def test_inputs_that_are_missing_or_unknown_are_all_named(program: Run) -> None:
    said = program("calc", "debt.instalments", "--amount", "100.00 USD", "--cont", "3", "--json")
    assert said.code == 2
    assert {e["where"] for e in said.json["errors"]} == {"--cont", "--count", "--first-due"}


def test_inputs_that_do_not_fit(program: Run) -> None:
    assert program(*INSTALMENTS[:3], "100", *INSTALMENTS[4:], "--json").code == 2
    assert program(*INSTALMENTS[:5], "0", *INSTALMENTS[6:], "--json").code == 2
    assert program(*INSTALMENTS[:5], "three", *INSTALMENTS[6:], "--json").code == 2


def test_calculators_are_listed_with_the_schema_of_their_inputs(program: Run) -> None:
    known = {c["key"]: c for c in program("calc", "--json").json["calculators"]}
    assert known["debt.instalments"]["inputs"]["required"] == ["amount", "count", "first_due"]
    assert "--first-due" in program("calc").out


def test_a_case_type_that_is_shown_can_be_read_again(casekit: Run, program: Run, tmp_path: Path) -> None:
    shown = casekit("type", "show", "test.dispute", "--json").json
    again = tmp_path / "again.json"
    again.write_text(json.dumps(shown["type"]))
    checked = program("type", "check", again, FINES / "fine.json", "--json").json["types"]
    assert [t["key"] for t in checked] == ["test.dispute", "traffic.fine"]
    assert checked[0]["digest"] == shown["digest"]


def test_checking_a_type_says_what_may_surprise(casekit: Run, program: Run, tmp_path: Path) -> None:
    says = casekit("type", "show", "test.dispute", "--json").json["type"]
    says["plan"] = {"a": {}, "s": {"kind": "stage"}, "b": {"stage": "s", "entry": [{"on": "a"}]}}
    file = tmp_path / "deaf.json"
    file.write_text(json.dumps(says))
    asked = ("type", "check", file, FINES / "fine.json")

    deaf, fine = program(*asked, "--json").json["types"]
    assert [remark["where"] for remark in deaf["remarks"]] == ["/plan/b/entry/0/on"]
    assert fine["remarks"] == []
    assert "deaf.json /plan/b/entry/0/on: 'a' comes from outside the stage 's'" in " ".join(program(*asked).out.split())


def test_types_say_where_they_come_from(casekit: Run) -> None:
    known = {t["key"]: t["from"] for t in casekit("type", "list", "--json").json["types"]}
    assert known["test.dispute"] == "a file"
    assert known["debt.case"].startswith("debt-collection")


def test_plugins_are_listed_with_what_they_bring(program: Run) -> None:
    known = {p["name"]: p for p in program("plugin", "list", "--json").json["plugins"]}
    assert known["debt-collection"]["brings"]["case_types"] == ["debt.case"]
    assert "casekit_before_message" in known["debt-collection"]["hooks"]
    assert known["casekit-builtin"]["brings"]["importers"] == ["xes"]
    assert all(p["broken"] == "" for p in known.values())


def test_the_doctor_makes_no_store(program: Run, tmp_path: Path) -> None:
    store = tmp_path / "none.db"
    said = program("plugin", "doctor", "--store", f"sqlite:///{store}", "--json")
    assert (said.code, said.json["ok"]) == (0, True)
    assert not store.exists()


def test_the_doctor_names_what_waits_and_what_failed(casekit: Run, case: str, store: Path) -> None:
    casekit("note", case, "x")
    well = casekit("plugin", "doctor", "--json").json
    assert (well["ok"], well["waiting"] >= 2) == (True, True)
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE outbox SET attempts = 3, error = 'loud 1.0 raised ValueError' WHERE n = 2")
    connection.close()
    ill = casekit("plugin", "doctor", "--json")
    assert (ill.code, ill.json["ok"]) == (1, False)
    assert [(f["n"], f["attempts"], f["error"]) for f in ill.json["failing"]] == [(2, 3, "loud 1.0 raised ValueError")]
    assert "loud 1.0" in casekit("plugin", "doctor").out


def test_a_file_that_repeats_a_plugin_s_type_with_other_words_is_refused(program: Run, tmp_path: Path) -> None:
    says = json.loads(DISPUTE.read_text())
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text(json.dumps(says))
    two.write_text(json.dumps({**says, "title": "Another title"}))
    said = program("type", "list", "--type", one, "--type", two, "--json")
    assert said.code == 2
    assert "two.json" in said.json["errors"][0]["where"]


SCXML = """<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" initial="a">
<datamodel><data id="n" src="first.txt"/></datamodel>
<state id="a"><transition event="go" cond="n == 3" target="z"/></state>
<final id="z"/></scxml>"""


def test_a_lifecycle_comes_in_from_scxml_and_is_a_case_type_like_any_other(program: Run, tmp_path: Path) -> None:
    document, written = tmp_path / "it.scxml", tmp_path / "it.json"
    document.write_text(SCXML)
    (tmp_path / "first.txt").write_text("3")
    said = program("type", "import", document, "--key", "my.type", "--out", written, "--json").json
    assert (said["data"], said["type"]["key"]) == ({"n": 3}, "my.type")
    assert json.loads(written.read_text()) == said["type"]
    assert program("type", "check", written, "--json").json["types"][0]["key"] == "my.type"
    assert "my.type" in program("type", "import", document, "--key", "my.type").out


def test_scxml_beyond_the_subset_is_refused_with_its_line_and_nothing_is_written(program: Run, tmp_path: Path) -> None:
    document, written = tmp_path / "it.scxml", tmp_path / "it.json"
    for text, where in (
        (SCXML.replace('<final id="z"/>', '<final id="z"><invoke/></final>'), "line 4: <invoke>"),
        (SCXML.replace("first.txt", "../secret"), "it.scxml"),
        ("no", "line 1"),
    ):
        document.write_text(text)
        said = program("type", "import", document, "--out", written, "--json")
        assert said.code == 2
        assert where in said.json["errors"][0]["where"]
        assert not written.exists()
    assert program("type", "import", tmp_path / "none.scxml", "--json").code == 2
