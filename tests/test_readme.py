"""What the README shows runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", *(str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").rglob("*.md")))]


def test_the_first_look_runs(tmp_path: Path) -> None:
    pytest.importorskip("casekit_debt_collection", reason="the debt plugin is not installed here")
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block
    ran = subprocess.run([sys.executable, "-c", block[1]], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert "2100.00 USD comes in a month" in ran.stdout
    assert ("\nallowed None\n" in ran.stdout) != ("\nrefused 2" in ran.stdout)
    assert (tmp_path / "acme.db.keys").exists()
    program = Path(sys.executable).parent / "casekit"
    subprocess.run([program, "verify", "--store", "sqlite:///acme.db"], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_points_to_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / page).parent / target).exists(), target
