"""The how-to, as it stands: its commands run, its map is one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from casekit.definition.load import structure
from casekit.definition.maprules import ImportMap

ROOT = Path(__file__).parents[2]
HOWTO = (ROOT / "docs" / "how-to" / "import-a-log.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", HOWTO, re.DOTALL | re.MULTILINE)


def test_its_commands_run(tmp_path: Path) -> None:
    start = f'set -euo pipefail\nexamples={ROOT / "examples"}\ncasekit() {{ {sys.executable} -m casekit "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-c", start + "\n".join(blocks("bash"))],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fine.within-balance" in done.stdout


def test_its_map_is_one() -> None:
    [text] = blocks("toml")
    read = structure(tomllib.loads(text), ImportMap, "map.toml")
    assert read.events["Written off"].force
    assert read.case.data == {"plate": "plate"}
