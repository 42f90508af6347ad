"""The how-to on pictures, as it stands: its blocks run one after the other, and print what it says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "pictures.md"


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    there: dict[str, Any] = {"folder": tmp_path}
    printed = ""
    for kind, block in re.findall(r"```(python|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(block, there)
            printed = out.getvalue()
        else:
            assert printed == block
