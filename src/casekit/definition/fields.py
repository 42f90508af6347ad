"""Fields of a form: a JSON Schema, and what casekit must know beyond it.

Every text field says whether it is personal, for what is personal is sealed before it is written, for ever.
Money, days, instants, decimals and enumerations are clear unless marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
from attrs import frozen

from casekit.errors import BadInput
from casekit.model.money import Money, decimals

MONEY = r"^-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,4})? [A-Z]{3}$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
DECIMAL = r"^-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?$"

_TYPES: Mapping[Any, Mapping[str, Any]] = {
    Money: {"type": "string", "format": "money"},
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    Decimal: {"type": "string", "format": "decimal"},
}

CLEAR_FORMATS = frozenset({"money", "date", "date-time", "decimal"})
"""Formats of text that is clear unless it is marked personal."""


@frozen
class Field:
    """One field of case data, of a fact or of a form.

    Attributes:
        schema: JSON Schema (draft 2020-12) of the value.
        title: What people read.
        personal: Whether it is sealed. Must be said for text without an enumeration; never changes afterwards.
        owner: Role whose party owns a personal value; empty: the case owns it.
        report: Whether reports sum it up.
        required: Whether a form without it is refused. Of case data: whether a case opens without it.
        order: Place in the form.
        joint: Of a fact: whether it is of all who play the role of its owner together. Each of them can be erased, and it
            stays readable for the others.
    """

    schema: Mapping[str, Any]
    title: str = ""
    personal: bool | None = None
    owner: str = ""
    report: bool = False
    required: bool = False
    order: int = 0
    joint: bool = False


def field(
    kind: Any = str,
    *,
    enum: Sequence[str] = (),
    currency: str = "",
    items: Any = None,
    title: str = "",
    personal: bool | None = None,
    owner: str = "",
    report: bool = False,
    required: bool = False,
    joint: bool = False,
    **schema: Any,
) -> Field:
    """A field of a Python type (Money, str, int, bool, date, datetime, Decimal, list) or of a JSON Schema.

    Args:
        kind: The type, or a JSON Schema as a mapping.
        enum: The only texts allowed.
        currency: The only currency allowed, of Money.
        items: Of a list: the type or schema of its members.
        title: What people read.
        personal: Whether it is sealed.
        owner: Role whose party owns a personal value.
        report: Whether reports sum it up.
        required: Whether a form without it is refused.
        joint: Of a fact: whether it is of all who play the owner's role together.
        schema: Further keywords of JSON Schema (``minimum=0``, ``maxLength=80``).
    """
    built: dict[str, Any] = dict(_schema(kind, items))
    if enum:
        built["enum"] = list(enum)
    if currency:
        decimals(currency)  # refuses what is none
        built["pattern"] = f" {currency}$"
    built.update(schema)
    return Field(built, title, personal, owner, report, required, joint=joint)


def _schema(kind: Any, items: Any) -> Mapping[str, Any]:
    if isinstance(kind, Mapping):
        return kind
    if kind is list:
        return {"type": "array", "items": dict(_schema(str if items is None else items, None))}
    try:
        return _TYPES[kind]
    except (KeyError, TypeError):
        raise BadInput.at(
            "field", f"{kind!r} is no type of a field", "use Money, str, int, bool, date, datetime, Decimal, list or a JSON Schema"
        ) from None


def kind_of(schema: Mapping[str, Any]) -> str:
    """The kind of value that conditions and readers see: money, date, date-time, decimal, string, integer, boolean, other."""
    kind = schema.get("type")
    if kind == "string":
        form = schema.get("format", "")
        return form if form in CLEAR_FORMATS else "string"
    return kind if kind in ("integer", "boolean") else "other"


def free_text(schema: Any) -> bool:
    """Whether the schema, or any part of it, admits text without an enumeration."""
    if not isinstance(schema, Mapping):
        return bool(schema)
    if "enum" in schema or "const" in schema:
        return False
    kind = schema.get("type", ("string", "array", "object"))
    kinds = (kind,) if isinstance(kind, str) else kind
    if "string" in kinds and schema.get("format") not in CLEAR_FORMATS:
        return True
    parts: list[Any] = []
    if "array" in kinds:
        parts += [schema.get("items", True), *schema.get("prefixItems", ())]
    if "object" in kinds:
        if schema.get("additionalProperties", True) is not False:
            return True  # a name that nobody has declared is a text as well
        parts += schema.get("properties", {}).values()
    return any(free_text(part) for part in parts)


def read(value: Any, schema: Mapping[str, Any]) -> Any:
    """A stored value as Python has it: money as Money, days as dates, instants as datetimes, decimals as Decimals."""
    kind = schema.get("type")
    if kind == "string":
        return _READ[schema["format"]](value) if schema.get("format") in _READ else value
    if kind == "array":
        first, rest = schema.get("prefixItems", ()), schema.get("items", True)
        return [_part(v, first[i] if i < len(first) else rest) for i, v in enumerate(value)]
    if kind == "object" and "properties" in schema:
        inner = schema["properties"]
        return {k: _part(v, inner.get(k)) for k, v in value.items()}
    return value


def _part(value: Any, schema: Any) -> Any:
    return read(value, schema) if isinstance(schema, Mapping) else value


_READ = {
    "money": Money.parse,
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
    "decimal": Decimal,
}


def ordered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Records with ``order`` set from their place where none of them says it."""
    if any(f.order for f in fields.values()):
        return dict(fields)
    return {key: attrs.evolve(f, order=place) for place, (key, f) in enumerate(fields.items(), start=1)}
