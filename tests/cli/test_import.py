"""Importing by the command line: the words of the report, and what becomes of cases that are still open."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from commandline import FINES, Run

IMPORT = ("import", "xes", FINES / "broken.xes", "--map", FINES / "map.toml")


def test_the_report_names_case_event_and_reason(casekit: Run) -> None:
    shown = casekit(*IMPORT)
    assert shown.code == 0
    assert shown.err.startswith("There was no store at"), "a mistyped name is noticed"
    for words in ("E1002", "Send for Credit Collection", "fine.penalty", "Appeal to Judge", "paymentAmount", "kept raw"):
        assert words in shown.out


def test_an_imported_case_waits_until_somebody_says_what_becomes_of_its_clocks(casekit: Run) -> None:
    assert casekit(*IMPORT).code == 0
    listed = casekit("case", "list", "--open", "--json").json["cases"]
    held = [c["id"] for c in listed if casekit("case", "show", c["id"], "--json").json["case"]["held"]]
    assert held
    assert casekit("run-due", "--json").json["cases"] == 0
    assert "case resume" in casekit("case", "show", held[0]).out
    assert casekit("case", "resume", held[0], "confirm", "--reason", "looked through", "--json").code == 0
    assert casekit("case", "show", held[0], "--json").json["case"]["held"] is False
    assert casekit("case", "resume", held[0], "cancel").code == 2


def test_only_what_came_after_live_from_is_told_to_plugins(casekit: Run) -> None:
    assert casekit(*IMPORT, "--live-from", "1971-01-01").code == 0
    assert casekit("plugin", "doctor", "--json").json["waiting"] > 0


def test_a_log_that_is_imported_unasked_tells_nobody(casekit: Run) -> None:
    assert casekit(*IMPORT).code == 0
    assert casekit("plugin", "doctor", "--json").json["waiting"] == 0


def test_the_progress_bar_goes_to_the_terminal_and_never_to_the_answer(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "casekit", *map(str, IMPORT), "--store", f"sqlite:///{tmp_path}/x.db"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, check=True)
    os.close(terminal)
    drawn = os.read(controller, 100_000)
    os.close(controller)
    assert b"Importing" in drawn
    assert b"Importing" not in done.stdout
    assert b"\x1b" not in done.stdout
