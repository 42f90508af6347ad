"""The JSON form of what the desk gives back."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs


def shape(value: Any) -> Any:
    """A value of the desk as JSON: records as maps, money, days, instants and decimals as their texts."""
    if value is None or isinstance(value, (str, int)):
        return value
    known = _KNOWN.get(type(value).__name__)
    if known is not None and attrs.has(type(value)):
        return shape(known(value))
    if attrs.has(type(value)):
        return {a.name: shape(getattr(value, a.name)) for a in attrs.fields(type(value)) if not a.name.startswith("_")}
    if isinstance(value, Mapping):
        return {str(key): shape(inner) for key, inner in value.items()}
    if isinstance(value, AbstractSet):
        return sorted(shape(inner) for inner in value)
    if isinstance(value, (list, tuple)):
        return [shape(inner) for inner in value]
    return _text(value)


def _text(value: Any) -> Any:
    from casekit.model.canonical import plain

    if isinstance(value, Enum):
        return shape(value.value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (date, Decimal)):
        return plain(value)
    return str(value)


def _objection(value: Any) -> dict[str, Any]:
    return {
        "rule": value.rule,
        "reason": value.reason,
        "citation": value.citation,
        "allowed_at": value.allowed_at,
        "plugin": value.plugin,
        "remedy": value.remedy,
    }


def _finding(value: Any) -> dict[str, Any]:
    return {
        "rule": value.rule,
        "text": value.text,
        "because": value.because,
        "inputs": value.inputs,
        "args": value.args,
        "citation": value.citation,
        "plugin": value.plugin,
        "version": value.version,
    }


def _option(value: Any) -> dict[str, Any]:
    return {
        "key": value.key,
        "text": value.text,
        "promises": value.promises,
        "plan": value.plan,
        "args": value.args,
        "because": value.because,
        "plugin": value.plugin,
        "version": value.version,
    }


def _adjustment(value: Any) -> dict[str, Any]:
    return {
        "key": value.key,
        "text": value.text,
        "option": value.option,
        "goals": value.goals,
        "drop": value.drop,
        "args": value.args,
        "because": value.because,
        "plugin": value.plugin,
        "version": value.version,
    }


def _options(value: Any) -> dict[str, Any]:
    return {"findings": value.findings, "options": list(value)}


def _judged(value: Any) -> dict[str, Any]:
    """A tree: what is not known says so, for ``null`` would read as nothing at all."""
    plainly = {a.name: getattr(value, a.name) for a in attrs.fields(type(value))}
    return {**plainly, "met": "unknown" if value.met is None else value.met, "text": value.text}


def _explanation(value: Any) -> dict[str, Any]:
    plainly = {a.name: getattr(value, a.name) for a in attrs.fields(type(value))}
    return {**plainly, "possible": value.possible, "denied": value.denied, "not_possible": value.not_possible}


_KNOWN = {
    "Judged": _judged,
    "Explanation": _explanation,
    "Objection": _objection,
    "Finding": _finding,
    "Option": _option,
    "Options": _options,
    "Adjustment": _adjustment,
}
