"""The how-to on requirements, as it stands: its blocks run one after the other, and print what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

import pages
from casekit.definition.load import structure
from casekit.definition.requirements import Requirement
from casekit.sdk import View


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    there: dict[str, Any] = {"folder": tmp_path}

    def says_the_same(block: str) -> None:
        for key, says in json.loads(block).items():
            assert structure(says, Requirement, key) == there["RELEASE"].requirements[key]

    pages.run("requirements.md", there, says_the_same)
    view = attrs.make_class("Seen", ["data"])
    for amount, met in (("1.00", True), ("900.00", False)):
        seen: View = view({"amount": there["Money"](amount, "EUR")})
        assert there["RULE"].check(seen).met is met
    assert there["RULE"].check(view({})).met is None
