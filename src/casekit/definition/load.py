"""Case types as JSON: reading with every error and its path, writing in canonical form, the digest.

The canonical form leaves out what has its default, so that a later version of casekit with more fields
computes the same digest for the same definition.
"""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs

from casekit.definition.casetype import CaseType
from casekit.errors import BadInput, Problem
from casekit.model.canonical import Json, encode, parse, plain

R = TypeVar("R")


def canonical(record: Any) -> Any:
    """The canonical JSON value of a record: defaults left out, tuples as lists."""
    if attrs.has(type(record)):
        found: Json = {}
        for attribute in attrs.fields(type(record)):
            value = getattr(record, attribute.name)
            if not _is_default(attribute, value):
                found[attribute.name] = canonical(value)
        return found
    if isinstance(record, Mapping):
        return {key: canonical(value) for key, value in record.items()}
    if isinstance(record, (tuple, list)):
        return [canonical(value) for value in record]
    return record


def canonical_text(record: Any) -> str:
    """The canonical JSON text of a record."""
    return encode(plain(canonical(record)))


def digest(record: Any) -> str:
    """SHA-256 (hex) of the canonical text: the record's content address."""
    return hashlib.sha256(canonical_text(record).encode()).hexdigest()


def read_case_type(source: Path | str | Mapping[str, Any], where: str = "") -> CaseType:
    """A case type from a JSON file or from its parsed JSON.

    Raises:
        BadInput: every problem found, each with file and path.
    """
    if isinstance(source, Mapping):
        return structure(source, CaseType, where or "case type")
    path = Path(source)
    try:
        text = path.read_bytes()
    except OSError as wrong:
        raise BadInput.at(str(source), f"can't be read: {wrong.strerror}", "check the path") from None
    return structure(parse(text, str(path)), CaseType, str(path))


def structure(value: Any, record: type[R], where: str) -> R:
    """The record that a JSON value says.

    Raises:
        BadInput: every problem found, each as ``where: /path``.
    """
    problems: list[Problem] = []
    built = _build(value, record, f"{where}: ", problems)
    if problems:
        raise BadInput(problems)
    return typing.cast("R", built)


def _is_default(attribute: Any, value: Any) -> bool:
    default = attribute.default
    if default is attrs.NOTHING:
        return False
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    return bool(value == default and type(value) is type(default))


@cache
def hints(record: type) -> dict[str, Any]:
    """The types of a record's fields, resolved."""
    return typing.get_type_hints(record)


def _build(value: Any, wanted: Any, where: str, problems: list[Problem]) -> Any:
    origin = get_origin(wanted)
    if wanted is Any:
        return value
    if attrs.has(wanted):
        return _record(value, wanted, where, problems)
    if origin is typing.Literal:
        if value not in get_args(wanted):
            problems.append(Problem(where, f"{value!r} is not allowed", "use one of " + ", ".join(map(repr, get_args(wanted)))))
        return value
    if origin in (Union, types.UnionType):
        return _union(value, get_args(wanted), where, problems)
    if origin is tuple:
        return _sequence(value, get_args(wanted)[0], where, problems)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(value, get_args(wanted)[1], where, problems)
    if type(value) is not wanted:
        problems.append(Problem(where, f"{value!r} is no {_SAID[wanted]}", f"give a {_SAID[wanted]}"))
    return value


_SAID = {str: "text", int: "integer", bool: "true or false"}


def says_text(wanted: Any) -> bool:
    """Whether a member of a list may be a text, so that one alone may stand for the list."""
    return wanted is str or (get_origin(wanted) in (Union, types.UnionType) and str in get_args(wanted))


def _record(value: Any, record: type, where: str, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        problems.append(Problem(where, f"{value!r} is no map", f"give the fields of a {record.__name__.lower()}"))
        return None
    fields = attrs.fields_dict(record)
    known = set(fields)
    problems += [
        Problem(f"{where}/{key}", "no such field", "fields here are " + ", ".join(sorted(known))) for key in value if key not in known
    ]
    before = len(problems)
    built = {name: _build(value[name], hints(record)[name], f"{where}/{name}", problems) for name in fields if name in value}
    for name, attribute in fields.items():
        if attribute.default is attrs.NOTHING and name not in value:
            problems.append(Problem(f"{where}/{name}", "is missing", "say it"))
    return record(**built) if len(problems) == before else None


def _union(value: Any, options: tuple[Any, ...], where: str, problems: list[Problem]) -> Any:
    if value is None and type(None) in options:
        return None
    literals = tuple(a for o in options if get_origin(o) is typing.Literal for a in get_args(o))
    if literals:
        return _build(value, typing.Literal[literals], where, problems)
    named = [option for option in options if option is not type(None)]
    records = [option for option in named if attrs.has(option)] if isinstance(value, Mapping) else []
    return _build(value, next((option for option in named if type(value) is option), (records or named)[0]), where, problems)


def _sequence(value: Any, member: Any, where: str, problems: list[Problem]) -> Any:
    if isinstance(value, str) and says_text(member):
        return (value,)
    if not isinstance(value, (list, tuple)):
        problems.append(Problem(where, f"{value!r} is no list", "give a list"))
        return ()
    return tuple(_build(v, member, f"{where}/{i}", problems) for i, v in enumerate(value))


def _mapping(value: Any, member: Any, where: str, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        problems.append(Problem(where, f"{value!r} is no map", "give a map keyed by id"))
        return {}
    return {key: _build(v, member, f"{where}/{key}", problems) for key, v in value.items()}
