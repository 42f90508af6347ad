"""The how-to on requirements, as it stands: its blocks run one after the other, and print what it says."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import attrs

from casekit.definition.load import structure
from casekit.definition.requirements import Requirement
from casekit.sdk import View

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "requirements.md"


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    there: dict[str, Any] = {"folder": tmp_path}
    printed = ""
    for kind, block in re.findall(r"```(python|text|json)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(block, there)
            printed = out.getvalue()
        elif kind == "json":
            for key, says in json.loads(block).items():
                assert structure(says, Requirement, key) == there["RELEASE"].requirements[key]
        else:
            assert printed == block
    view = attrs.make_class("Seen", ["data"])
    for amount, met in (("1.00", True), ("900.00", False)):
        seen: View = view({"amount": there["Money"](amount, "EUR")})
        assert there["RULE"].check(seen).met is met
    assert there["RULE"].check(view({})).met is None
