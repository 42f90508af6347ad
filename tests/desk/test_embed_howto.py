"""The how-to on embedding, as it stands: its blocks run one after the other, on both engines, and print what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pages
from casekit.store.tables import METADATA


def test_the_page_does_what_it_says(tmp_path: Path, store_url: str) -> None:
    there: dict[str, Any] = {"folder": tmp_path, "url": store_url, "__name__": "embed"}
    pages.run("embed.md", there)
    there["desk"].close()
    there["engine"].dispose()


def test_the_names_that_are_taken_are_names_of_tables() -> None:
    page = (pages.HOWTO / "embed.md").read_text(encoding="utf-8")
    said = re.findall(r"`(\w+)`", page[page.index("The record's tables") :].split("need others")[0])
    assert {*said} - {"alembic_version"} <= set(METADATA.tables)
