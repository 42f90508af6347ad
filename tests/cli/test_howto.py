"""The how-to, as it stands: its blocks run one after the other, each of its commands must do what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from casekit.cli.commands import COMMANDS, GLOBALS
from commandline import ROOT

HOWTO = ROOT / "docs" / "how-to" / "command-line.md"


def test_the_how_to_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", HOWTO.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 8
    script = f'set -euo pipefail\ncasekit() {{ {sys.executable} -m casekit "$@"; }}\n' + "\n".join(blocks)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {"PATH": path, "CASEKIT_EXAMPLES": str(ROOT / "examples"), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "The journal is whole" in done.stdout
    assert '"new": 0' in (tmp_path / "import.json").read_text()


def test_the_how_to_names_every_global_option() -> None:
    text = HOWTO.read_text(encoding="utf-8")
    assert [name for name in GLOBALS if f"`{name}" not in text] == []
    assert {"verify", "erase", "run-due", "export"} <= {c for c in COMMANDS if f"casekit {c}" in text}


def test_the_how_to_lists_every_command_that_there_is_and_no_other() -> None:
    listed = dict(re.findall(r"^\| `([a-z -]+)` \| (.*) \|$", HOWTO.read_text(encoding="utf-8").split("## Every command")[1], re.MULTILINE))
    assert listed == {name: words for name, (_, words) in COMMANDS.items()}
