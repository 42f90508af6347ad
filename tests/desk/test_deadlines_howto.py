"""The how-to on deadlines, as it stands: its blocks run one after the other, and print what it says."""

from __future__ import annotations

from pathlib import Path

import pages


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    pages.run("deadlines.md", {"folder": tmp_path})
