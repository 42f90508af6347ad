"""One case from opening to erasure, by the command line alone, on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commandline import DISPUTE, Run


def test_a_case_from_opening_to_erasure(program: Run, store_url: str, tmp_path: Path) -> None:  # noqa: PLR0915 - one life
    def run(*arguments: object, code: int = 0) -> Any:
        said = program(*arguments, "--store", store_url, "--keys", tmp_path / "keys", "--type", DISPUTE, "--json")
        assert said.code == code, said
        return said.json

    maria = run("party", "add", "person", "--name", "Maria Silva", "--ref", "crm:7")["party"]["id"]
    assert run("party", "find", "--ref", "CRM:7")["parties"] == [run("party", "show", maria)["party"]]
    other = run("party", "add", "person", "--name", "M. Silva")["party"]["id"]
    assert run("party", "merge", other, maria)["party"]["id"] == maria
    run("party", "change", maria, "--email", "maria@example.org", "--reason", "she wrote")

    data = ["--data", "deposit=500.00 EUR", "--data", "rooms=3", "--data", "furnished=yes", "--data", 'defects=["door", "lamp"]']
    opened = run("case", "open", "test.dispute", *data, "--party", f"tenant={maria}", "--key", "crm-4711")["case"]
    again = run("case", "open", "test.dispute", *data, "--party", f"tenant={maria}", "--key", "crm-4711")["case"]
    assert again["id"] == opened["id"]
    assert (opened["state"], opened["data"]["rooms"], opened["data"]["furnished"]) == ("open", 3, True)
    case = opened["number"]

    run("case", "do", case, "answer", "--field", "rooms=2", "--field", "agrees=no")
    run("case", "change", case, "--data", "rooms=4", "--unset", "furnished")
    run("fact", case, "people.living", "3", "--source", "her word", "--effective", "2026-01-31")
    run("note", case, "She rang twice.")
    run("message", case, "--via", "phone", "--to", "tenant", "--outcome", "conversation", "--text", "About the door.")
    half = run("pay", case, "200.00 EUR", "--note", "half")
    assert half["case"]["totals"]["outstanding"] == "300.00 EUR"
    assert run("reverse", case, half["id"])["case"]["totals"]["outstanding"] == "500.00 EUR"
    assert run("charge", case, "costs", "20.00 EUR")["case"]["totals"]["outstanding"] == "520.00 EUR"

    refused = run("case", "close", case, "decided", code=1)["refused"]
    assert {o["rule"] for o in refused} == {"test.paid", "test.letter"}
    assert run("case", "check", case, "decide", code=1)["outcome"] == "refused"
    assert run("case", "check", case, "contact", "--to", "tenant")["outcome"] == "allowed"
    assert run("case", "explain", case)["possible"] is False

    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Maria")
    filed = run("document", "add", case, "letter", letter)["id"]
    got = tmp_path / "got.txt"
    assert run("document", "get", case, filed, "--out", got)["media"] == "text/plain"
    assert got.read_text() == "Dear Maria"
    letter.write_text("Dear Ms Silva")
    assert run("document", "add", case, "letter", letter, "--document", filed)["id"] == filed
    assert run("document", "get", case, filed, "--version", "1")["content"] == "RGVhciBNYXJpYQ=="
    assert run("document", "get", case, filed)["size"] == 13
    run("pay", case, "520.00 EUR")
    assert run("case", "explain", case, "decide")["possible"] is True
    assert run("case", "close", case, "decided")["case"]["outcome"] == "decided"

    shown = run("case", "show", case)
    assert [h["kind"] for h in shown["timeline"]][:3] == ["open", "do", "change"]
    assert shown["file"]["facts"][0] | {"recorded": ""} == {
        "id": "4.0",
        "key": "people.living",
        "value": 3,
        "at": "2026-01-30T23:00:00.000000Z",
        "day": "2026-01-31",
        "recorded": "",
        "source": "her word",
    }
    before = run("case", "show", case, "--as-of", shown["timeline"][0]["recorded"])
    assert (before["case"]["state"], len(before["timeline"])) == ("open", 1)
    assert [e["n"] for e in run("journal", case)["entries"]] == [h["n"] for h in shown["timeline"]]
    assert [c["number"] for c in run("case", "list", "--category", "closed", "--party", maria, "--names")["cases"]] == [case]
    assert run("case", "list", "--open")["cases"] == []
    sums = {"deposit": "500.00 EUR", "levied": "520.00 EUR", "outstanding": "0.00 EUR", "paid": "520.00 EUR"}
    assert run("report", "caseload")["test.dispute"]["sums"] == sums
    assert run("export", case)["readable"]["number"] == case

    assert run("erase", maria)["shut"] == [opened["id"]]
    assert "Maria" not in str(run("case", "show", case))
    assert run("run-due")["failed"] == 0
    assert run("verify")["ok"] is True


def test_what_is_due_is_found_once_at_the_moment_that_is_named(casekit: Run, case: str) -> None:
    later = "2030-01-01T00:00:00Z"
    assert casekit("run-due", "--now", later, "--json").json["entries"] == 1
    assert casekit("run-due", "--now", later, "--json").json["entries"] == 0
    events = casekit("case", "show", case, "--json").json["timeline"][-1]["events"]
    assert "clock.answer.breached" in events
