"""The how-to on linked cases, as it stands: its blocks run one after the other, and print what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pages


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    there: dict[str, Any] = {"folder": tmp_path}
    pages.run("linked-cases.md", there)
    assert there["lee"].case(there["estate"]).outcome == "settled"
    there["desk"].close()
