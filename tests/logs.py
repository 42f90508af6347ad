"""Logs of the tests' own, and what it takes to import them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from attrs import define, field

from casekit import Desk, Seat
from casekit.desk.importing import Imported
from casekit.store.tables import METADATA

ORDER: dict[str, Any] = {
    "key": "lab.order",
    "version": "1.0",
    "title": "Order",
    "zone": "Europe/Rome",
    "initial": "open",
    "states": {
        "open": {"category": "open"},
        "packed": {"category": "open"},
        "gone": {"category": "closed", "outcome": "gone"},
    },
    "transitions": {
        "pack": {
            "source": "open",
            "target": "packed",
            "form": {
                "weight": {"schema": {"type": "integer", "maximum": 100}},
                "by": {"schema": {"type": "string"}, "personal": True},
            },
        },
        "ship": {"source": ["packed"], "target": "gone", "requires": ["lab.paid"]},
        "mark": {"source": ["open", "packed"], "requires": ["lab.red"]},
    },
    "data": {
        "size": {"schema": {"type": "integer", "maximum": 100}},
        "who": {"schema": {"type": "string"}, "personal": True},
    },
    "facts": {
        "colour": {"schema": {"type": "string", "maxLength": 8}, "personal": False},
        "taste": {"schema": {"type": "string"}, "personal": True},
    },
    "clocks": {"wait": {"amount": "P14D", "start": "at('packed')", "stop": "balance <= 0", "warn": ["-P4D"]}},
    "requirements": {
        "lab.paid": {"when": "balance <= 0", "unmet": "Something is owed."},
        "lab.red": {"when": "fact('colour') == 'red'", "unmet": "It is not red."},
        "lab.small": {"when": "event.amount <= balance", "unmet": "Too much."},
    },
    "guards": {"pay": ["lab.small"]},
    "ledger": {"currency": "EUR", "components": ["price", "fee"]},
    "totals": {
        "charged": {"kinds": ["charge"], "report": True, "order": 1},
        "paid": {"kinds": ["payment"], "report": True, "order": 2},
        "balance": {"of": "charged - paid", "report": True, "order": 3},
    },
}

MAP = """
case_type = "order.json"
source = "lab"
currency = "EUR"

[time]
zone = "Europe/Rome"

[case]
key = "concept:name"
data = { who = "customer" }

[attributes]
drop = ["noise"]

[events.Ordered]
open = true
data = { size = "size" }
charges = [{ component = "price", amount = "price" }]

[events.Priced]
charges = [{ component = "price", amount = "price", replace = true }]

[events.Packed]
do = "pack"
form = { weight = "weight", by = "packer" }

[events.Paid]
pay = { amount = "amount" }

[events.Shipped]
do = "ship"

[events."Paid and shipped"]
do = "ship"
pay = { amount = "amount" }

[events.Marked]
do = "mark"

[events."Seen and marked"]
do = "mark"
facts = { colour = "colour", taste = "taste" }

[events.Written]
note = "text"

[events.Resized]
data = { size = "size" }

[events.Nothing]
"""

KINDS = {int: "int", float: "float", bool: "boolean", str: "string"}


def event(name: str, time: str, **attributes: Any) -> str:
    """An event in XES. Amounts come as texts, and are written as floats."""
    said = [f'<string key="concept:name" value="{name}"/>'] if name else []
    said += [f'<date key="time:timestamp" value="{time}"/>'] if time else []
    for key, value in attributes.items():
        kind = "float" if key in ("price", "amount") else KINDS[type(value)]
        said.append(f'<{kind} key="{key.replace("__", ":")}" value="{value}"/>')
    return f"<event>{''.join(said)}</event>\n"


def trace(name: str, *events: str, **attributes: str) -> str:
    said = [f'<string key="concept:name" value="{name}"/>'] if name else []
    said += [f'<string key="{key}" value="{value}"/>' for key, value in attributes.items()]
    return f"<trace>{''.join(said)}\n{''.join(events)}</trace>\n"


def log(*traces: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<log>\n{"".join(traces)}</log>\n'


def day(number: int) -> str:
    """Midnight in Rome of a day in March 2011, in winter time."""
    return f"2011-03-{number:02}T00:00:00.000+01:00"


@define
class Lab:
    """A folder with case type, map and log, and a seat to import them from."""

    seat: Seat
    folder: Path
    order: dict[str, Any] = field(factory=lambda: deepcopy(ORDER))
    map: str = MAP

    def write(self, *traces: str, name: str = "log.xes") -> Path:
        (self.folder / "order.json").write_text(json.dumps(self.order), encoding="utf-8")
        (self.folder / "map.toml").write_text(self.map, encoding="utf-8")
        path = self.folder / name
        path.write_text(log(*traces), encoding="utf-8")
        return path

    def run(self, *traces: str, **how: Any) -> Imported:
        return self.seat.import_log(self.write(*traces), self.folder / "map.toml", **how)

    @property
    def cases(self) -> list[Any]:
        """The cases in the order of their making."""
        return [self.seat.case(listed.id) for listed in reversed(self.seat.cases(size=100).cases)]


def everything(desk: Desk, tenant: str = "main") -> Mapping[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    shelf = desk.shelf(tenant)
    found = {}
    for table in METADATA.sorted_tables:
        columns = ", ".join(column.name for column in table.c)
        rows = shelf.connection.execute(f"SELECT {columns} FROM {table.name} ORDER BY {columns}").fetchall()
        found[table.name] = [tuple(row) for row in rows]
    return found
