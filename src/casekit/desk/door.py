"""The door of a seat: arguments that are not of the declared kind are refused in words, before anything is looked at.

Embedders hand on what came from outside, and a list where a text belongs is bad input like any other.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from casekit.desk.values import Case, Done
from casekit.errors import BadInput
from casekit.model.answers import Adjustment, Option
from casekit.model.money import Money
from casekit.model.time import Effective
from casekit.plugins.view import Person

_T = TypeVar("_T")
_Check = Callable[[str, Any], None]


def text(where: str, value: Any) -> None:
    """Refuses what is no text, or half a character.

    Raises:
        BadInput: so.
    """
    if not isinstance(value, str):
        raise BadInput.at(where, f"a {type(value).__name__} is no text", "give text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadInput.at(where, "the text holds half of a character (a lone surrogate)", "repair its encoding") from None


def _named(where: str, value: Any) -> None:
    text(where, value)
    if "\0" in value:
        raise BadInput.at(where, "a name holds no NUL", "check it")


def _one_of(words: str, *kinds: type) -> _Check:
    def check(where: str, value: Any) -> None:
        if isinstance(value, str):
            _named(where, value)
        elif not isinstance(value, kinds):
            raise BadInput.at(where, f"a {type(value).__name__} is no {words}", f"give a {words}, or its text")

    return check


def _exactly(words: str, kind: type) -> _Check:
    def check(where: str, value: Any) -> None:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BadInput.at(where, f"a {type(value).__name__} is no {words}", f"give {words}")

    return check


def _members(where: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise BadInput.at(where, f"a {type(value).__name__} is no map", "give names with their values")
    for name in value:
        text(where, name)


def _texts(where: str, value: Any) -> None:
    if isinstance(value, str):
        text(where, value)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            text(where, one)
    elif not isinstance(value, Iterable):
        raise BadInput.at(where, f"a {type(value).__name__} is no list of texts", "give a list of texts")


def _each(check: _Check) -> _Check:
    def each(where: str, value: Any) -> None:
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise BadInput.at(where, f"a {type(value).__name__} is no list", "give a list")
        if isinstance(value, (list, tuple, set, frozenset)):
            for one in value:
                check(where, one)

    return each


def _or_none(check: _Check) -> _Check:
    return lambda where, value: None if value is None else check(where, value)


_MOMENT = _one_of("day or instant", date, Effective)
CHECKS: Mapping[str, _Check | None] = {
    "str": text,
    "str | None": _or_none(text),
    "Want": text,
    "due.Resumption": text,
    "CaseRef": _one_of("case", Case, Done),
    "CaseRef | None": _or_none(_one_of("case", Case, Done)),
    "Iterable[CaseRef]": _each(_one_of("case", Case, Done)),
    "PartyRef": _one_of("party", Person),
    "Iterable[PartyRef]": _each(_one_of("party", Person)),
    "Moment | None": _or_none(_MOMENT),
    "Money | str": _one_of("amount", Money),
    "Option | str": _one_of("option", Option),
    "Adjustment | str": _one_of("adjustment", Adjustment),
    "Mapping[str, Any]": _members,
    "Mapping[str, Any] | None": _or_none(_members),
    "Mapping[str, Iterable[str]] | None": _or_none(_members),
    "Iterable[str]": _texts,
    "str | Iterable[str]": _texts,
    "int": _exactly("whole number", int),
    "int | None": _or_none(_exactly("whole number", int)),
    "bytes": _exactly("bytes", bytes),
    "bool": None,
    "Any": None,
    "str | Path": _one_of("path or text", Path),
    "Iterable[str | Path]": None,
    "Callable[[int, int], None] | None": None,
    "Passphrase | Holder | None": None,
    "Passphrase | Recipient | None": None,
}
"""Annotation of a parameter → what checks its argument; None: nothing is checked here."""


def checked(cls: type[_T]) -> type[_T]:
    """A class whose public methods check their arguments by what they are annotated with."""
    for name, method in list(vars(cls).items()):
        if inspect.isfunction(method) and not name.startswith("_"):
            setattr(cls, name, _checked(method))
    return cls


def _checked(method: Callable[..., Any]) -> Callable[..., Any]:
    parameters = [p for p in list(inspect.signature(method).parameters.values())[1:] if p.kind is not p.VAR_KEYWORD]
    known = {p.name: check for p in parameters if (check := CHECKS[p.annotation]) is not None}
    if not known:
        return method
    order = [(p.name, known.get(p.name)) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    defaults = {p.name: p.default for p in parameters}

    @functools.wraps(method)
    def check_first(self: Any, *args: Any, **more: Any) -> Any:
        for (name, check), value in zip(order, args, strict=False):
            if check is not None and value is not defaults[name]:
                check(name, value)
        for name, value in more.items():
            if name in known and value is not defaults[name]:
                known[name](name, value)
        return method(self, *args, **more)

    return check_first


__all__ = ["CHECKS", "checked", "text"]
