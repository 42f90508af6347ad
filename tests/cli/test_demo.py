"""The demo, as somebody sees it who has just cloned the project."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from commandline import Run


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Scene → what was done and what came back, from a run of the real program."""
    command = [sys.executable, "-m", "casekit", "demo", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path_factory.mktemp("demo"))
    assert done.stderr == ""
    return {scene["title"]: [step for step in scene["steps"] if "did" in step] for scene in json.loads(done.stdout)["scenes"]}


def _answer(steps: list[dict[str, Any]], did: str) -> Any:
    return next(step["answer"] for step in steps if did in step["did"])


def test_the_assessment_gives_reasons(scenes: dict[str, list[dict[str, Any]]]) -> None:
    findings = {f["rule"]: f for f in _answer(scenes["Assessment"], "lee: assess")}
    left = findings["debt.disposable-income"]
    assert left["args"]["left"] == "510.00 USD"
    assert "fact:income.monthly = 2100.00 USD" in left["because"]
    assert left["plugin"] == "debt-collection"


def test_the_call_is_refused_with_the_next_moment_and_then_made(scenes: dict[str, list[dict[str, Any]]]) -> None:
    steps = scenes["A phone call"]
    assert _answer(steps, "may I call")["outcome"] == "refused"
    refused = _answer(steps, "all the same")["refused"]
    assert [(o["rule"], o["allowed_at"]) for o in refused] == [("debt.calling-hours", "2026-03-03T16:00:00.000001Z")]
    assert _answer(steps, "record the call")["accepted"] is True


def test_three_options_are_compared_each_exact_to_the_cent(scenes: dict[str, list[dict[str, Any]]]) -> None:
    options = _answer(scenes["Options"], "lee: options")["options"]
    assert sorted(len(o["promises"]) for o in options) == [4, 6, 12]
    for option in options:
        assert sum(int(p["amount"].split()[0].replace(".", "")) for p in option["promises"]) == 184000


def test_a_broken_promise_is_found_and_judged_again_on_late_knowledge(scenes: dict[str, list[dict[str, Any]]]) -> None:
    found = _answer(scenes["A broken promise"], "where is the case")
    assert (found["state"], "clock.promise.breached" in found["events"]) == ("arrangement.behind", True)
    late = scenes["A payment that came in time, recorded late"]
    after = _answer(late, "where is the case")
    assert (after["state"], "clock.promise.withdrawn" in after["events"]) == ("arrangement.keeping", True)
    assert _answer(late, "what did we know")["state"] == "arrangement.behind"


def test_the_closing_is_refused_with_everything_that_is_missing_and_then_made(scenes: dict[str, list[dict[str, Any]]]) -> None:
    rules = {o["rule"] for o in _answer(scenes["A closing refused"], "close as paid")["refused"]}
    assert rules == {"casekit.state", "debt.balance-left", "debt.paid-letter", "debt.open-promises"}
    closed = _answer(scenes["The closing"], "close as paid")["case"]
    assert (closed["outcome"], closed["totals"]["balance"]) == ("paid", "0.00 USD")


def test_the_journal_is_whole_before_and_after_the_erasure(scenes: dict[str, list[dict[str, Any]]]) -> None:
    assert _answer(scenes["The timeline, and the proof"], "verify")["ok"] is True
    erased = scenes["A person erased"]
    assert _answer(erased, "her case")["cases"][0]["names"]["debtor"] == ["erased"]
    assert _answer(erased, "verify")["ok"] is True


def test_the_small_log_comes_in_and_figures_stand_side_by_side(scenes: dict[str, list[dict[str, Any]]]) -> None:
    steps = scenes["A log of another system"]
    imported = _answer(steps, "import xes")
    assert imported["new"] == imported["accepted"] + len(imported["nonconforming"])
    assert len(imported["nonconforming"]) >= 5
    assert set(_answer(steps, "report caseload")) == {"debt.case", "traffic.fine"}
    assert _answer(steps, "verify")["ok"] is True


def test_it_is_readable_and_quick(program: Run) -> None:
    began = time.perf_counter()
    said = program("demo")
    assert time.perf_counter() - began < 60
    assert said.code == 0
    for words in (
        "Maria Silva",
        "510.00 USD is left",
        "allowed from",
        "instalments-6",
        "arrangement.behind",
        "The journal is whole",
        "fine.penalty",
    ):
        assert words in said.out
    assert "Traceback" not in said.err


def test_it_can_be_kept_and_looked_at(program: Run, store_url: str, tmp_path: Path) -> None:
    where = ("--store", store_url, "--keys", tmp_path / "keys", "--json")
    assert program("demo", *where).code == 0
    assert program("verify", *where).json["ok"] is True
    again = program("demo", *where)
    assert again.code == 0
    imported = next(step["answer"] for step in again.json["scenes"][-1]["steps"] if "import xes" in step.get("did", ""))
    assert imported["new"] == 0


def test_the_store_of_the_environment_is_left_alone(program: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEKIT_STORE", f"sqlite:///{tmp_path}/mine.db")
    assert program("demo", "--json").code == 0
    assert list(tmp_path.iterdir()) == []
