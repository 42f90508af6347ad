"""Rules of counting that come with casekit. Law is data: they stand in ``law/``, dated, each with its source."""

from __future__ import annotations

import json
from pathlib import Path

from casekit.sdk import Counts, read_counts

_LAW = Path(__file__).with_name("law")


def counting_rules() -> list[Counts]:
    """All rules, from all files."""
    found: list[Counts] = []
    for file in sorted(_LAW.glob("counting-*.json")):
        found += read_counts(json.loads(file.read_bytes()), file.name)
    return found
