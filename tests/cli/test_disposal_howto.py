"""The how-to on keeping and disposing, as it stands, and what its commands give to programs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from casekit.cli.commands import COMMANDS
from commandline import ROOT

HOWTO = ROOT / "docs" / "how-to" / "keep-and-dispose.md"


def test_the_how_to_runs(tmp_path: Path) -> None:
    text = HOWTO.read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 6
    lines = [f'set -euo pipefail\ncommand_casekit() {{ {sys.executable} -m casekit "$@"; }}\n', *blocks]
    kept = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "COLUMNS": "200"}
    done = subprocess.run(["bash", "-c", "\n".join(lines)], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "It still holds everything that the checkpoint of" in done.stdout
    assert re.search(r"L-001 .*2020-02-29 .*lease.plain .*2023-02-28 .*gone-v-us", done.stdout)
    assert re.search(r"L-002 .*lease.suit .*2030-12-31", done.stdout)
    assert "1 cases are gone, 0 were kept" in done.stdout
    assert "0 cases are gone, 1 were kept" in done.stdout
    assert "somebody else must approve it" in done.stderr
    assert "It is held: gone-v-us" in done.stderr
    assert "the case L-001 was disposed of" in done.stderr
    wanted = [name for name in COMMANDS if name.startswith(("disposal ", "hold ")) and name != "disposal withdraw"]
    assert [name for name in wanted if f"casekit {name}" not in text] == []
