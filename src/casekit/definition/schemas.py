"""What of JSON Schema a field may use: what every validator reads alike, and what stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from casekit.definition.patterns import compiled
from casekit.errors import BadInput

_ONE = (
    "items",
    "additionalProperties",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "dependentSchemas")
_REFUSED = {
    "$ref": "write the schema out where it is used",
    "$dynamicRef": "write the schema out where it is used",
    "$id": "leave it out: a field's schema stands alone",
    "$schema": "leave it out: fields are of draft 2020-12",
    "$anchor": "leave it out: a field's schema stands alone",
    "$dynamicAnchor": "leave it out: a field's schema stands alone",
    "$defs": "write the schema out where it is used",
    "$vocabulary": "leave it out: fields are of draft 2020-12",
    "patternProperties": "name the properties",
}


def parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas that stand directly in a schema, each with its path."""
    for key in _ONE:
        if key in schema:
            yield f"/{key}", schema[key]
    for key in _MANY:
        for i, part in enumerate(schema.get(key, ())):
            yield f"/{key}/{i}", part
    for key in _NAMED:
        for name, part in schema.get(key, {}).items():
            yield f"/{key}/{name}", part


def unfit(schema: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """What a field may not use, of a schema that is one by the standard: path, what is wrong, what to do."""
    if not isinstance(schema, Mapping):
        return
    for key in _REFUSED.keys() & schema.keys():
        yield f"{path}/{key}", "can't be used in a field", _REFUSED[key]
    if isinstance(schema.get("pattern"), str):
        try:
            compiled(schema["pattern"])
        except BadInput as wrong:
            yield f"{path}/pattern", wrong.problems[0].what, wrong.problems[0].do
    for at, part in parts(schema):
        yield from unfit(part, path + at)


def formats_in(schema: Any) -> set[str]:
    """The formats that a schema names."""
    if not isinstance(schema, Mapping):
        return set()
    own = {schema["format"]} if isinstance(schema.get("format"), str) else set()
    return own.union(*(formats_in(part) for _, part in parts(schema)))
