"""JSON Schemas of records: what :func:`casekit.definition.load.structure` reads, said for editors and other tools.

Made from the records themselves, so that the two can't drift: what a schema accepts, ``structure`` reads, and
what it refuses, ``structure`` refuses.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from inspect import getdoc
from typing import Any, Union, get_args, get_origin

import attrs

from casekit.definition.load import hints, says_text
from casekit.model.canonical import Json

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_SCALARS: Mapping[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    Any: {},
}
"""Python type → schema. Bytes are digests, in hexadecimal."""


def schema_of(record: type, title: str) -> Json:
    """The JSON Schema (draft 2020-12) of a record and of all records within it."""
    defined: Json = {}
    root = _record(record, defined)
    return {"$schema": DRAFT, "title": title, **root, **({"$defs": dict(sorted(defined.items()))} if defined else {})}


def _record(record: type, defined: Json) -> Json:
    said = _attributes(record)
    fields = attrs.fields(record)
    properties = {}
    for attribute in fields:
        inner = _schema(hints(record)[attribute.name], defined)
        words = said.get(attribute.name)
        properties[attribute.name] = {**inner, "description": words} if words else inner
    required = [a.name for a in fields if a.default is attrs.NOTHING]
    return {
        "description": (getdoc(record) or "").split("\n\n")[0].replace("\n", " "),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _schema(wanted: Any, defined: Json) -> Json:
    if wanted in _SCALARS:
        return dict(_SCALARS[wanted])
    if attrs.has(wanted):
        return _reference(wanted, defined)
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (Union, types.UnionType):
        return _union(inner, defined)
    if origin is tuple:
        members = {"type": "array", "items": _schema(inner[0], defined)}
        return {"anyOf": [{"type": "string"}, members]} if says_text(inner[0]) else members
    values = _schema(inner[1], defined)
    return {"type": "object", **({"additionalProperties": values} if values else {})}


def _union(inner: tuple[Any, ...], defined: Json) -> Json:
    return {"anyOf": [{"type": "null"} if part is type(None) else _schema(part, defined) for part in inner]}


def _reference(record: type, defined: Json) -> Json:
    name = record.__name__
    if name not in defined:
        defined[name] = {}  # its place is taken: states hold states
        defined[name] = _record(record, defined)
    return {"$ref": f"#/$defs/{name}"}


_ATTRIBUTE = re.compile(r"^    ([a-z_]+(?:, [a-z_]+)*): (.*(?:\n {8}.*)*)", re.MULTILINE)


def _attributes(record: type) -> dict[str, str]:
    """What the docstring says of each attribute."""
    _, _, said = (getdoc(record) or "").partition("Attributes:\n")
    return {name: " ".join(match[2].split()) for match in _ATTRIBUTE.finditer(said) for name in match[1].split(", ")}
