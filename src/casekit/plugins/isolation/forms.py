"""Python values as JSON that says what they are, and back: only plain values and the records that hooks know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import attrs

from casekit.errors import BadInput
from casekit.model import answers, goals, judged, ledger
from casekit.model.canonical import DEEPEST
from casekit.model.money import Money
from casekit.plugins import past, view

_RECORDS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        *(answers.Finding, answers.Objection, answers.Option, answers.Adjustment, answers.Task, answers.Promise),
        *(goals.Goal, goals.Progress, judged.Judged, judged.Act, judged.Remedy, ledger.Posting, ledger.Policy),
        *(view.Person, view.Fact, view.Message, view.Document, view.RunningClock, view.LiveItem, view.Command),
        *(view.Recorded, view.Other, past.Mark, past.PastClock, past.PastItem),
    )
}

_SIMPLE = frozenset({type(None), bool, int, str})
_TEXTS: Mapping[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    Money: ("money", str, Money.parse),
    date: ("day", date.isoformat, date.fromisoformat),
    datetime: ("instant", datetime.isoformat, datetime.fromisoformat),
    Decimal: ("decimal", str, Decimal),
    ledger.PaymentOrder: ("order", lambda order: str(order.value), ledger.PaymentOrder),
}
_READ = {name: back for name, _, back in _TEXTS.values()}

Keep = Callable[[Mapping[str, Any]], int]
"""Keeps a map whose values are to be asked for one by one, and gives its number."""


def pack(value: Any, keep: Keep | None = None, depth: int = 0) -> Any:
    """A value as JSON.

    Args:
        value: Plain values, and records of the kinds that hooks know.
        keep: What to do with a map that opens its values when they are looked at; None: it is copied.
        depth: How deep it lies.

    Raises:
        BadInput: it holds something else, or turns in a circle.
    """
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if kind in _TEXTS:
        name, text, _ = _TEXTS[kind]
        return {"t": name, "v": text(value)}
    if depth > DEEPEST:
        raise BadInput.at("value", f"nested deeper than {DEEPEST} levels, or in a circle", "flatten it")
    deeper = depth + 1
    if kind in (list, tuple):
        inner = [pack(one, keep, deeper) for one in value]
        return inner if kind is list else {"t": "tuple", "v": inner}
    if kind is frozenset:
        return {"t": "set", "v": sorted(value)}
    if isinstance(value, Mapping):
        if keep is not None and kind not in (dict, MappingProxyType):
            return {"t": "far", "v": keep(value)}
        return {"t": "map", "v": {str(name): pack(inner, keep, deeper) for name, inner in value.items()}}
    if attrs.has(kind):
        name = kind.__name__ if _RECORDS.get(kind.__name__) is kind else "map"
        return {"t": name, "v": {a.name: pack(getattr(value, a.name), keep, deeper) for a in attrs.fields(kind)}}
    raise BadInput.at("value", f"a {kind.__name__} can't leave its process", "use plain values")


def unpack(said: Any, far: Callable[[int], Mapping[str, Any]] | None = None) -> Any:
    """The value that JSON says.

    Args:
        said: The JSON.
        far: Gives the map of a number; None: there are none.

    Raises:
        BadInput: it makes no sense.
    """
    try:
        return _unpack(said, far)
    except BadInput:
        raise
    except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError, RecursionError) as wrong:
        raise BadInput.at("value", f"makes no sense ({type(wrong).__name__})", "answer as the hook promises") from None


def _unpack(said: Any, far: Callable[[int], Mapping[str, Any]] | None) -> Any:
    if type(said) is list:
        return [_unpack(one, far) for one in said]
    if type(said) is not dict:
        return said
    what, value = said["t"], said["v"]
    if what in _READ:
        return _READ[what](value)
    if what == "map":
        return {name: _unpack(inner, far) for name, inner in value.items()}
    if what == "tuple":
        return tuple(_unpack(one, far) for one in value)
    if what == "set":
        return frozenset(value)
    if what == "far" and far is not None:
        return far(value)
    kind = _RECORDS[what]
    return kind(**{name: _unpack(inner, far) for name, inner in value.items()})
