"""Writes the JSON Schemas of this folder anew from the records: ``make schemas``."""

from __future__ import annotations

import json
from inspect import getdoc
from pathlib import Path
from typing import Any

from casekit.decisions.explain import Explanation
from casekit.definition.calendars import Calendar
from casekit.definition.casetype import CaseType
from casekit.definition.counts import Count
from casekit.definition.maprules import ImportMap
from casekit.definition.schema import DRAFT, schema_of
from casekit.desk.accessvalues import FORMAT as ACCESS_FORMAT
from casekit.desk.accessvalues import Access
from casekit.record import bundle
from casekit.record.entry import FORMAT, Entry
from casekit.record.tables import LISTED, ROWS

FOLDER = Path(__file__).parent
HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
INSTANT = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"}
CELL = {"type": ["string", "integer", "null"]}
PLACES = {"type": "integer", "minimum": 1}


def entry() -> dict[str, Any]:
    """An entry of the journal, digests in hexadecimal."""
    made = schema_of(Entry, "An entry of the journal")
    properties = made["properties"]
    properties["v"] |= {"const": FORMAT}
    properties["n"] |= PLACES
    for name in ("recorded", "effective"):
        properties[name] |= INSTANT
    return made


def row(columns: tuple[str, ...]) -> dict[str, Any]:
    """A row of a table: every column, none else."""
    return {"type": "object", "properties": dict.fromkeys(columns, CELL), "required": list(columns), "additionalProperties": False}


def export() -> dict[str, Any]:
    """An export bundle: what verifies, and what people read."""
    stream = {
        "stream": {"type": "string"},
        "kind": {"enum": ["case", "party", "log"]},
        "n": PLACES,
        "version": PLACES,
        "hash": HEX,
        "recorded": INSTANT,
        "head": {"type": "string", "description": "The head, as canonical JSON text."},
        "listed": row(LISTED),
        "entries": {"type": "array", "items": {"$ref": "#/$defs/Entry"}},
        "rows": {
            "type": "object",
            "properties": {table: {"type": "array", "items": row(columns)} for table, columns in ROWS.items()},
            "additionalProperties": False,
        },
    }
    properties = {
        "format": {"const": bundle.FORMAT},
        "tenant": {"type": "string"},
        "case": {"type": "string", "description": "UUID of the case."},
        "exported": INSTANT,
        "streams": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Stream"}},
        "definitions": {
            "type": "object",
            "description": "Digest → canonical text of the case type and of the edition.",
            "propertyNames": HEX,
            "additionalProperties": {"type": "string"},
        },
        "contents": {
            "type": "object",
            "description": "Digest → content of a document in base64, sealed as it lies in the store.",
            "propertyNames": HEX,
            "additionalProperties": {"type": "string", "contentEncoding": "base64"},
        },
        "keys": {"type": "object", "description": "An escrow with the data keys of the owners; absent where none was asked for."},
        "readable": {"type": "object", "description": "What people read of the case today; it proves nothing."},
    }
    inner = entry()
    del inner["$schema"]
    return {
        "$schema": DRAFT,
        "title": "An export bundle",
        "description": "A case and its parties with their entries and rows. Bodies, heads and envelopes are the texts as they were stored.",
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in ("contents", "keys")],
        "additionalProperties": False,
        "$defs": {
            "Entry": inner,
            "Stream": {"type": "object", "properties": stream, "required": list(stream), "additionalProperties": False},
        },
    }


def schemas() -> dict[str, dict[str, Any]]:
    """File name → schema."""
    return {
        "case-type.schema.json": schema_of(CaseType, "A case type"),
        "calendar.schema.json": schema_of(Calendar, "A calendar"),
        "count.schema.json": schema_of(Count, "A rule of counting"),
        "import-map.schema.json": schema_of(ImportMap, "An import map"),
        "journal-entry.schema.json": entry(),
        "explanation.schema.json": explanation(),
        "export-bundle.schema.json": export(),
        "access-export.schema.json": access(),
    }


def access() -> dict[str, Any]:
    """What a person is told about what is held of them."""
    made = schema_of(Access, "What is held of a person")
    made["properties"]["format"] |= {"const": ACCESS_FORMAT}
    made["properties"]["made"] |= INSTANT
    return made


def explanation() -> dict[str, Any]:
    """What explains an event, a closing, an item or a clock, as the command line and HTTP give it."""
    made = schema_of(Explanation, "An explanation")
    judged = made["$defs"]["Judged"]
    judged["properties"]["met"] = {"enum": [True, False, "unknown"], "description": "Whether it is so."}
    judged["properties"]["text"] = {"type": "string", "description": "The words with their arguments."}
    for name in ("possible", "denied", "not_possible"):
        words = " ".join((getdoc(getattr(Explanation, name)) or "").split())
        made["properties"][name] = {"type": "boolean", "description": words}
    objection = {name: {"type": "string"} for name in ("rule", "reason", "citation", "plugin", "remedy")}
    objection["allowed_at"] = {"anyOf": [INSTANT, {"type": "null"}]}  # type: ignore[dict-item]
    made["$defs"]["Objection"] = {
        "type": "object",
        "properties": objection,
        "required": sorted(objection),
        "additionalProperties": False,
    }
    for name, shape in (("Judged", judged), ("Explanation", made)):
        shape["required"] = sorted(shape["properties"]) if name == "Explanation" else ["code", "met", "words", "text"]
    return made


def text(schema: dict[str, Any]) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text(schema), encoding="utf-8")
