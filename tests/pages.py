"""How-to pages, run as they stand: block after block, each text compared with what the code before it printed."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOWTO = Path(__file__).parents[1] / "docs" / "how-to"


def run(name: str, there: dict[str, Any], reads_json: Callable[[str], None] | None = None) -> None:
    """Runs a page.

    Args:
        name: Its file.
        there: What its code finds, and where its names end up.
        reads_json: Takes blocks of JSON; None: they are passed by.
    """
    printed = ""
    for kind, block in re.findall(r"```(python|text|json)\n(.*?)```", (HOWTO / name).read_text(encoding="utf-8"), re.DOTALL):
        if kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block, name, "exec", dont_inherit=True), there)  # its annotations are what they are in a program
            printed = out.getvalue()
        elif kind == "text":
            assert printed == block
        elif reads_json is not None:
            reads_json(block)
