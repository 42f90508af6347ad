"""The how-to on embedding, as it stands: its blocks run one after the other, on both engines, and print what it says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

from casekit.store.tables import METADATA

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "embed.md").read_text(encoding="utf-8")


def test_the_page_does_what_it_says(tmp_path: Path, store_url: str) -> None:
    there: dict[str, Any] = {"folder": tmp_path, "url": store_url, "__name__": "embed"}
    printed = ""
    for kind, block in re.findall(r"```(python|text)\n(.*?)```", PAGE, re.DOTALL):
        if kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block, "embed.md", "exec", dont_inherit=True), there)  # its annotations are what they are in a host
            printed = out.getvalue()
        else:
            assert printed == block
    there["desk"].close()
    there["engine"].dispose()


def test_the_names_that_are_taken_are_names_of_tables() -> None:
    said = re.findall(r"`(\w+)`", PAGE[PAGE.index("The record's tables") :].split("need others")[0])
    assert {*said} - {"alembic_version"} <= set(METADATA.tables)
