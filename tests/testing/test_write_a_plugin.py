"""The how-to for plugin authors, done as it says: its blocks are written to files, its tests run, its script runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-plugin.md"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == PAGE.read_text(encoding="utf-8").count("```python"), "every block says which file it is"
    for name, text in blocks:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def run(package: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(package / "src"), "PYTHONWARNINGS": "error"}
    done = subprocess.run([sys.executable, *arguments], cwd=package, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tests_of_the_page_pass(package: Path) -> None:
    said = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) > 20, "the inherited ones are among them"


def test_the_script_of_the_page_runs(package: Path) -> None:
    said = run(package, "try_it.py")
    assert "1500.00 GBP is claimed of a deposit of 1200.00 GBP." in said
    assert "tenancy.both-heard" in said
    assert "tenancy-rounds.quiet tenancy-rounds 1.0" in said
    assert "tenancy.letter: No decision letter is on file" in said
