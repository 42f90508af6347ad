"""Checkpoints on the command line; and the how-to on them, as it stands."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from commandline import ROOT, Run

HOWTO = ROOT / "docs" / "how-to" / "checkpoints.md"


def test_the_how_to_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", HOWTO.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    script = f'set -euo pipefail\ncasekit() {{ {sys.executable} -m casekit "$@"; }}\n' + "\n".join(blocks)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={"PATH": path, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("It still holds everything that the checkpoint") == 2
    monday = json.loads((tmp_path / "monday.json").read_text())
    assert monday["ok"] is False
    assert "the stream is gone: the log took in 1 of its entries" in done.stdout
    assert {wrong["n"] for wrong in monday["wrong"]} == {1}
    assert json.loads((tmp_path / "turn.json").read_text())["wrong"] == monday["wrong"]
    assert (tmp_path / "turn.note").read_text().count("— casekit-") == 4


def test_a_checkpoint_goes_to_a_file_to_the_byte(casekit: Run, case: str, tmp_path: Path) -> None:
    file = tmp_path / "kept.note"
    said = casekit("checkpoint", "make", "--out", file)
    again = casekit("checkpoint", "make", "--json").json["checkpoint"]

    assert said.code == 0
    assert f"written to {file}" in said.out
    assert file.read_text() == again["note"]
    assert (again["fresh"], again["size"]) == (False, casekit("checkpoint", "list", "--json").json["checkpoints"][0]["size"])
    assert casekit("checkpoint", "get", again["size"]).out == again["note"]
    assert casekit("checkpoint", "get", 99).code == 2
    assert casekit("checkpoint", "make", "--out", tmp_path / "no" / "folder").code == 2


def test_verify_against_says_on_whose_word(casekit: Run, case: str, tmp_path: Path, store: Path) -> None:
    file = tmp_path / "kept.note"
    casekit("checkpoint", "make", "--out", file)
    key = casekit("checkpoint", "key").out.strip()
    casekit("note", case, "later")

    given = casekit("verify", "--against", file, "--key", key, "--json").json
    assert (given["ok"], given["against"]["trust"], given["against"]["signed_by"]) == (True, "given", [key])
    assert "who wrote the store" not in casekit("verify", "--against", file).out
    Path(f"{store}.keys.signing").unlink()
    assert "who wrote the store could have signed this too" in casekit("verify", "--against", file).out
    assert casekit("verify", "--key", key).code == 2
    assert casekit("verify", "--against", tmp_path / "nothing").code == 2
    assert casekit("checkpoint", "make").code == 2


def test_verify_against_names_what_was_cut(casekit: Run, case: str, tmp_path: Path, store: Path) -> None:
    file = tmp_path / "kept.note"
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        before = connection.execute("SELECT * FROM streams WHERE number = ?", [case]).fetchone()
        sid, stream = before[1:3]
        casekit("note", case, "one")
        casekit("checkpoint", "make", "--out", file)
        for table in ("outbox", "entries"):
            connection.execute(f"DELETE FROM {table} WHERE sid = ? AND n = 2", [sid])
        connection.execute("DELETE FROM clocks WHERE sid = ? AND n = 2", [sid])
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(f"REPLACE INTO streams VALUES ({', '.join('?' * len(before))})", before)

    found = casekit("verify", "--against", file, "--json")
    assert found.code == 1
    assert (found.json["first_wrong"]["stream"], found.json["first_wrong"]["n"]) == (stream, 2)
    assert "it was cut since" in casekit("verify", "--against", file).out


def test_run_due_makes_checkpoints_where_it_is_told_to(casekit: Run, case: str) -> None:
    assert casekit("run-due", "--json").json["checkpoint"] == 0
    assert casekit("run-due", "--checkpoints", "PT1H", "--json").json["checkpoint"] > 0
    assert casekit("run-due", "--checkpoints", "PT1H", "--json").json["checkpoint"] == 0
    assert casekit("run-due", "--checkpoints", "hourly").code == 2
