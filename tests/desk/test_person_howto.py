"""The how-to on answering a person, as it stands: its blocks run one after the other, on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pages


def test_the_page_on_confidentiality_does_what_it_says(tmp_path: Path, store_url: str) -> None:
    pages.run("keep-things-confidential.md", {"folder": tmp_path, "url": store_url, "__name__": "levels"})


def test_the_page_does_what_it_says(tmp_path: Path, store_url: str) -> None:
    there: dict[str, Any] = {"folder": tmp_path, "url": store_url, "__name__": "person"}
    pages.run("answer-a-person.md", there)
    assert {path.name for path in (tmp_path / "for-maria").iterdir()} >= {"index.html", "data.json"}
