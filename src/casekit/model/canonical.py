"""Canonical JSON: one text for one value.

Keys sorted, no blanks, no floats, integers within 53 bits, UTF-8 as it is. For these values stdlib ``json``,
orjson and RFC 8785 give the same bytes; what would make them differ is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from casekit.errors import BadInput
from casekit.model.money import LARGEST, Money
from casekit.model.time import instant

Json = dict[str, Any]
"""A JSON object as Python holds it."""


def _stdlib(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _fast() -> tuple[Callable[[Any], str], Callable[[str], Any]]:
    try:
        import orjson
    except ImportError:
        return _stdlib, json.loads
    option = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER

    def dumps(value: Any) -> str:
        return orjson.dumps(value, option=option).decode()

    return dumps, orjson.loads


encode, decode = _fast()
"""``encode(value)`` gives the canonical text of a value that :func:`plain` has passed; ``decode`` reads it back."""


DEEPEST = 100
"""How many maps and lists may stand in one another: every reader takes that much."""


def plain(value: Any, where: str = "", depth: int = 0) -> Any:
    """The value as canonical JSON may hold it: money, days, instants and decimals become their texts.

    Args:
        value: The value.
        where: What names its place in an error.
        depth: How many maps and lists it stands in.

    Raises:
        BadInput: a float, an integer beyond 53 bits, a lone surrogate, a key that is no text or sorts differently
            elsewhere, a type that JSON does not have, or more than 100 levels; names the place.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _text(value, where)
    if value is None or kind is bool:
        return value
    if kind is int:
        if not -LARGEST <= value <= LARGEST:
            raise BadInput.at(where, "an integer is beyond 53 bits", "keep such a number as text")
        return value
    if depth >= DEEPEST:
        raise BadInput.at(where, f"nested deeper than {DEEPEST} levels", "flatten it")
    if kind is dict or isinstance(value, Mapping):
        return _plain_members(value, where, depth + 1)
    if kind in (list, tuple):
        return [plain(v, f"{where}/{i}", depth + 1) for i, v in enumerate(value)]
    return _typed(value, where)


def _plain_members(value: Mapping[Any, Any], where: str, depth: int) -> Json:
    found: Json = {}
    for key, member in value.items():
        name = key if type(key) is str and key.isascii() else _key(key, where)
        kind = type(member)
        # Most members are texts as they should be: their place need not be named.
        if kind is str and member.isascii():
            found[name] = member
        elif kind is Money:
            found[name] = str(member)
        else:
            found[name] = plain(member, f"{where}/{key}", depth)
    return found


def _typed(value: Any, where: str) -> str:
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, datetime):
        try:
            return instant(value)
        except BadInput as wrong:
            raise BadInput.at(where, wrong.problems[0].what, wrong.problems[0].do) from None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, float):
        raise BadInput.at(where, f"{value!r} is a float, and floats are not exact", "give text, an integer, Money or a Decimal")
    raise BadInput.at(where, f"a {type(value).__name__} has no JSON form", "give text, numbers, lists or maps")


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadInput.at(where, "the text holds half of a character (a lone surrogate)", "repair its encoding") from None
    return value


def _key(key: Any, where: str) -> str:
    if type(key) is not str or (not key.isascii() and max(key) >= "\ud800"):
        raise BadInput.at(where, f"{key!r} can't be a key", "use a text without characters beyond U+D7FF")
    return key


def parse(text: str | bytes, where: str) -> Any:
    """A JSON text from outside, exactly: floats, double keys and NaN are refused.

    Raises:
        BadInput: not JSON, or one of these; names line and column where the text breaks off.
    """

    def no_float(number: str) -> Any:
        raise BadInput.at(where, f"{number} is a number with a fraction or exponent", 'write it as text, such as "1.5"')

    def once(pairs: list[tuple[str, Any]]) -> Json:
        found = dict(pairs)
        if len(found) != len(pairs):
            double = next(k for i, (k, _) in enumerate(pairs) if k in {p[0] for p in pairs[:i]})
            raise BadInput.at(where, f"the key {double!r} stands twice in one map", "keep one of the two")
        return found

    def integer(digits: str) -> int:
        if len(digits) > 17:
            raise BadInput.at(where, f"{digits[:17]}... is beyond 53 bits", "keep such a number as text")
        return int(digits)

    try:
        read = json.loads(text, parse_float=no_float, parse_constant=no_float, parse_int=integer, object_pairs_hook=once)
    except (json.JSONDecodeError, UnicodeDecodeError) as wrong:
        raise BadInput.at(where, f"not JSON: {wrong}", "check it with a JSON formatter") from None
    except RecursionError:
        raise BadInput.at(where, "nested too deep", "flatten it") from None
    return plain(read, where)
