"""The JSON documents that programs rely on: their shapes to the letter, and nothing beside them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from commandline import FINES, Run

OBJECTION = {"rule", "reason", "citation", "allowed_at", "plugin", "remedy"}


def test_a_refusal_names_every_objection(casekit: Run, case: str) -> None:
    casekit("case", "do", case, "answer", "--field", "rooms=1")
    said = casekit("case", "close", case, "decided", "--json")
    assert (said.code, set(said.json), said.err) == (1, {"refused"}, "")
    assert all(set(objection) == OBJECTION for objection in said.json["refused"])
    first = said.json["refused"][0]
    assert first == {
        "rule": "test.paid",
        "reason": "The deposit is not paid back.",
        "citation": "Rental Act, section 7",
        "allowed_at": None,
        "plugin": "casekit",
        "remedy": "record the payment",
    }


def test_bad_input_says_where_what_and_what_to_do(casekit: Run, case: str) -> None:
    said = casekit("pay", case, "12,5 EUR", "--json")
    assert (said.code, said.err) == (2, "")
    assert said.json == {"errors": [{"where": "amount", "what": "'12,5 EUR' is no amount of money", "do": "write it as 1840.00 USD"}]}


def test_every_problem_of_one_input_is_named(casekit: Run, tenant_of: str) -> None:
    said = casekit(
        "case", "open", "test.dispute", "--data", "deposit=500", "--data", "rooms=-1", "--party", f"tenant={tenant_of}", "--json"
    )
    assert said.code == 2
    assert {e["where"] for e in said.json["errors"]} == {"data/deposit", "data/rooms"}


def test_verify_says_what_it_saw(casekit: Run, case: str) -> None:
    assert case
    said = casekit("verify", "--json")
    assert (said.code, set(said.json)) == (0, {"ok", "streams", "entries", "first_wrong"})
    assert (said.json["ok"], said.json["first_wrong"], said.json["streams"] >= 2) == (True, None, True)


def test_verify_names_the_entry_that_is_wrong(casekit: Run, case: str, store: Path) -> None:
    casekit("note", case, "one")
    casekit("note", case, "two")
    uuid = casekit("case", "show", case, "--json").json["case"]["id"]
    with sqlite3.connect(store) as connection:
        changed = connection.execute("UPDATE entries SET actor = 'user:eve' WHERE n = 3").rowcount
    connection.close()
    assert changed == 1
    said = casekit("verify", "--json")
    assert (said.code, said.json["ok"]) == (1, False)
    assert (said.json["first_wrong"]["stream"], said.json["first_wrong"]["n"]) == (uuid, 3)
    assert casekit("verify").code == 1


def test_verify_names_the_table_and_column_that_differ(casekit: Run, case: str, store: Path) -> None:
    casekit("pay", case, "20.00 EUR")
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE postings SET minor = 2001 WHERE n = 2")
    connection.close()
    wrong = casekit("verify", "--json").json["first_wrong"]
    assert (wrong["table"], wrong["column"], wrong["n"]) == ("postings", "minor", 2)


def test_an_import_counts_what_it_read_and_recorded(casekit: Run) -> None:
    first = casekit("import", "xes", FINES / "broken.xes", "--map", FINES / "map.toml", "--json")
    assert (first.code, first.err) == (0, "")
    found = first.json
    assert set(found) == {"cases", "events", "new", "accepted", "nonconforming", "unknown", "loss"}
    assert found["new"] == found["events"] == found["accepted"] + len(found["nonconforming"])
    assert all(set(event) == {"case", "event", "reason"} for event in found["nonconforming"])
    rules = ("fine.penalty", "fine.balance", "fine.within-balance", "fine.no-appeal", "casekit.import.unknown-event", "casekit.state")
    reasons = [event["reason"] for event in found["nonconforming"]]
    assert sorted(reason.split(":")[0] for reason in reasons) == sorted(rules)
    assert all(set(counts) == {"mapped", "raw", "dropped"} for counts in found["loss"].values())
    second = casekit("import", "xes", FINES / "broken.xes", "--map", FINES / "map.toml", "--json").json
    assert (second["new"], second["events"]) == (0, found["events"])


def test_the_caseload_counts_and_sums_per_case_type(casekit: Run, case: str) -> None:
    casekit("pay", case, "120.00 EUR")
    figures = casekit("report", "caseload", "--json").json["test.dispute"]
    assert figures == {
        "title": "Deposit dispute",
        "cases": 1,
        "states": {"open": 1},
        "categories": {"open": 1},
        "outcomes": {},
        "sums": {"deposit": "500.00 EUR", "levied": "500.00 EUR", "outstanding": "380.00 EUR", "paid": "120.00 EUR"},
    }


def test_reading_a_document_without_a_file_gives_it_within_the_document(casekit: Run, case: str, tmp_path: Path) -> None:
    (tmp_path / "scan.bin").write_bytes(bytes(range(256)))
    filed = casekit("document", "add", case, "letter", tmp_path / "scan.bin", "--json").json["id"]
    got = casekit("document", "get", case, filed, "--json").json
    assert got["size"] == 256
    assert got["content"].startswith("AAECAwQF")


QUESTIONS = [
    ("case", "list"),
    ("case", "show", "CASE"),
    ("case", "assess", "CASE"),
    ("case", "options", "CASE"),
    ("case", "explain", "CASE", "answer"),
    ("case", "check", "CASE", "answer", "--field", "rooms=1"),
    ("party", "find", "--ref", "crm:7"),
    ("journal", "CASE"),
    ("verify",),
    ("export", "CASE"),
    ("doctor",),
    ("fsck",),
    ("keys", "show"),
    ("erasures",),
    ("report", "caseload"),
    ("type", "list"),
    ("type", "show", "test.dispute"),
    ("plugin", "list"),
    ("plugin", "doctor"),
    ("calc",),
    ("run-due",),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_with_json_there_is_one_document_and_nothing_else(casekit: Run, case: str, question: tuple[str, ...]) -> None:
    arguments = [case if part == "CASE" else part for part in question]
    said = casekit(*arguments, "--json")
    assert (said.code, said.err) == (0, "")
    assert isinstance(said.json, dict)
    plain = casekit(*arguments)
    assert plain.code == 0
    assert plain.out.strip()


def test_questions_leave_no_trace(casekit: Run, case: str) -> None:
    before = casekit("verify", "--json").json["entries"]
    for question in QUESTIONS:
        if question[0] not in ("run-due", "export"):  # what is handed out is written down
            casekit(*[case if part == "CASE" else part for part in question], "--json")
    assert casekit("verify", "--json").json["entries"] == before
