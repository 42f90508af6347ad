"""The how-to on keeping the record, as it stands, and what its commands give to programs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from casekit.cli.commands import COMMANDS
from commandline import ROOT, Run

HOWTO = ROOT / "docs" / "how-to" / "keep-the-record.md"


def test_the_how_to_runs(tmp_path: Path) -> None:
    text = HOWTO.read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 11
    script = f'set -euo pipefail\ncasekit() {{ {sys.executable} -m casekit "$@"; }}\n' + "\n".join(blocks)
    kept = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert done.stdout.count("The journal is whole") == 2
    assert "Nothing new" in done.stdout
    assert "unnamed or erased" in done.stdout
    keeping = [
        name for name in COMMANDS if name.startswith("keys ") or name in ("backup", "restore", "doctor", "fsck", "erasures", "case import")
    ]
    assert [name for name in keeping if f"casekit {name}" not in text] == []


def test_what_programs_get(casekit: Run, case: str, store: Path, tmp_path: Path) -> None:
    made = casekit("backup", tmp_path / "b", "--json").json
    assert set(made) == {"folder", "digest", "manifest", "noted", "wrong", "warnings"}
    assert (made["noted"], made["wrong"], made["warnings"]) == (True, [], [])
    assert set(made["manifest"]["tenants"]["main"]) == {"file", "streams", "entries", "recorded", "documents", "listed"}
    assert casekit("backup", tmp_path / "c", "--with-keys", "--json").json["warnings"]
    assert "reads everything" in casekit("backup", tmp_path / "d", "--with-keys").err

    back = casekit("restore", tmp_path / "b", "--store", f"sqlite:///{tmp_path}/back.db", "--keys", f"{store}.keys", "--json")
    assert back.code == 2, "--store twice"
    examined = casekit("doctor", "--json").json
    assert examined["ok"]
    assert all(set(one) == {"about", "level", "found", "wanted", "do"} for one in examined["findings"])
    store.with_name(f"{store.name}.keys").chmod(0o644)
    assert casekit("doctor", "--json").code == 1
    assert "chmod 600" in casekit("doctor").out


def test_a_restore_without_keys_is_said_by_its_exit_code(program: Run, casekit: Run, case: str, store: Path, tmp_path: Path) -> None:
    casekit("backup", tmp_path / "b")
    there = ("--store", f"sqlite:///{tmp_path}/back.db", "--json")
    refused = program("restore", tmp_path / "b", *there)
    assert refused.code == 2
    assert "keys recover" in refused.json["errors"][0]["do"]
    assert not (tmp_path / "back.db").exists()
    done = program("restore", tmp_path / "b", "--without-keys", *there)
    assert (done.code, done.json["keys"]) == (1, "missing")
    assert any("keys are not here" in warning for warning in done.json["warnings"])
    assert program("doctor", *there).code == 1
