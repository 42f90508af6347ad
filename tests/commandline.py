"""What tests of the command line share: what a command gave back, and the files that it is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).parents[1]
DISPUTE = ROOT / "tests" / "cli" / "dispute.json"
FINES = ROOT / "examples" / "traffic_fines"


@frozen
class Said:
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as what it must be: one JSON document, and nothing on either side of it."""
        return json.loads(self.out)


Run = Callable[..., Said]
