"""What can be contained of a plugin in the process of the desk: how it ends, what it answers, how long it takes, what it reaches.

What can't be – a process that is ended, a lock on the interpreter that is not let go, memory without end, what is patched in
other modules – takes a process of its own: :mod:`casekit.plugins.isolation`.
"""

from __future__ import annotations

import logging
import threading
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import islice
from time import perf_counter
from typing import Any, Union, get_args, get_origin

import attrs
from attrs import define, field

from casekit.definition.load import hints
from casekit.errors import BadInput, CasekitError
from casekit.model.canonical import DEEPEST, plain
from casekit.model.money import Money

MOST = 1000
"""Answers that one hook may give to one question."""

LARGEST = 100_000
"""Values within all answers to one question."""

LONGEST = 1_000_000
"""Characters within all answers to one question."""

SLOW = 1.0
"""Seconds after which it is told that a hook took long."""

_log = logging.getLogger("casekit.plugins")


class _Here(threading.local):
    plugin = ""


_here = _Here()


@define
class Watch:
    """What was seen of the plugins of a desk since it opened.

    Attributes:
        slow: Plugin and hook → how often it took longer than ``SLOW``, and the longest time in seconds.
        failed: Plugin and hook → how often it failed.
    """

    slow: dict[str, tuple[int, float]] = field(factory=dict)
    failed: dict[str, int] = field(factory=dict)

    def over(self, said: Callable[[], str], plugin: str) -> _Over:
        """Watches over one call: while it lasts, this thread may not use the desk; one that takes long is told of."""
        return _Over(self, said, plugin)

    def note(self, said: str, took: float, *, failed: bool) -> None:
        """Writes down what was seen of a call."""
        if failed:
            self.failed[said] = self.failed.get(said, 0) + 1
        if took > SLOW:
            often, longest = self.slow.get(said, (0, 0.0))
            self.slow[said] = (often + 1, max(longest, took))
            _log.warning("%s took %.1f s: whoever waits for it waits as long (isolate the plugin to have it stopped)", said, took)


class _Over:
    """One call that is watched."""

    __slots__ = ("_before", "_plugin", "_said", "_start", "_watch")

    def __init__(self, watch: Watch, said: Callable[[], str], plugin: str) -> None:
        self._watch, self._said, self._plugin = watch, said, plugin

    def __enter__(self) -> None:
        self._before, _here.plugin = _here.plugin, self._plugin
        self._start = perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None) -> None:
        _here.plugin = self._before
        took = perf_counter() - self._start
        if kind is not None or took > SLOW:
            self._watch.note(self._said(), took, failed=kind is not None)


def demand_outside() -> None:
    """Refuses what a hook that decides or guards must not do.

    Raises:
        BadInput: this thread is within such a hook.
    """
    if _here.plugin:
        raise BadInput.at(
            f"plugin {_here.plugin}",
            "a hook that decides or guards uses the desk",
            "such hooks see their view, and answer; to act, hear of what was recorded (casekit_recorded)",
        )


def told(wrong: BaseException) -> str:
    """An error in words, whatever its class makes of that."""
    try:
        name, words = str(type.__getattribute__(type(wrong), "__name__")), str(wrong)
    except BaseException as worse:
        if isinstance(worse, KeyboardInterrupt):
            raise
        name, words = "an error", "that can't be shown"
    return f"{name}: {words[:500]}"


def taken(answered: Any, most: int = MOST) -> list[Any]:
    """Everything that a hook answers.

    Raises:
        BadInput: more than is sensible; or whatever the hook raises.
    """
    if answered is None or answered is False:
        return []
    answers = iter(answered)
    found = list(islice(answers, most + 1))
    if len(found) > most:
        with suppress(Exception):
            getattr(answers, "close", bool)()
        raise BadInput.at("answer", f"more than {most} answers", "answer what a person can read")
    return found


def loose(value: Any) -> Any:
    """The value, its maps and lists copied: what is done to it is done to the copy."""
    kind = type(value)
    if kind is dict:
        return {name: loose(inner) for name, inner in value.items()}
    if kind is list:
        return [loose(inner) for inner in value]
    return value


def vetted(answers: Iterable[Any], where: str = "answer") -> list[Any]:
    """Answers made anew, of the classes that they claim and of plain values only: nothing of a plugin's own stays in them.

    Raises:
        BadInput: a field of another type than promised, a value without JSON form, a circle, or too much of it.
    """
    size = _Size(where)
    return [size.record(answer, next(k for k in type(answer).__mro__ if k.__module__.startswith("casekit.model."))) for answer in answers]


def demand_plain(record: Any, where: str) -> None:
    """Refuses a declared record that holds what no definition holds: then looking at it may do anything.

    Raises:
        BadInput: a value of a class of its own, a circle, or too much of it.
    """
    _look(record, _Size(where), 0)


def _look(value: Any, size: _Size, depth: int) -> None:
    kind = type(value)
    size.count(len(value) if kind is str else 0)
    if depth > DEEPEST:
        raise size.wrong(f"is nested deeper than {DEEPEST} levels, or turns in a circle")
    if kind in (dict, types.MappingProxyType):
        inner: Iterable[Any] = [*value.keys(), *value.values()]
    elif kind in (tuple, list, frozenset, set):
        inner = value
    elif kind.__module__.startswith("casekit.") and attrs.has(kind):
        inner = [object.__getattribute__(value, attribute.name) for attribute in attrs.fields(kind)]
    elif kind in _PLAIN or kind is str or callable(value) or isinstance(value, Enum):
        return
    else:
        raise size.wrong(f"holds {_a(value)}, which no definition holds")
    for one in inner:
        _look(one, size, depth + 1)


class _Size:
    """What has been seen of answers so far."""

    def __init__(self, where: str) -> None:
        self.where, self.values, self.letters = where, 0, 0

    def record(self, value: Any, kind: type, depth: int = 0) -> Any:
        if not isinstance(value, kind):
            raise self.wrong(f"holds {_a(value)}, not a {kind.__name__}")
        if depth > DEEPEST:
            raise self.wrong(f"is nested deeper than {DEEPEST} levels")
        return kind(**{name: check(self, object.__getattribute__(value, name), depth + 1) for name, check in _checks(kind)})

    def count(self, letters: int = 0) -> None:
        self.values += 1
        self.letters += letters
        if self.values > LARGEST or self.letters > LONGEST:
            raise self.wrong("is larger than anybody can read")

    def text(self, value: Any, _depth: int) -> str:
        if type(value) is not str:
            raise self.wrong(f"holds {_a(value)} where a text belongs")
        self.count(len(value))
        return str(plain(value, self.where))

    def any(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self.text(value, depth)
        self.count()
        if kind in _PLAIN:
            plain(value, self.where)
            return value
        if depth > DEEPEST:
            raise self.wrong(f"is nested deeper than {DEEPEST} levels, or turns in a circle")
        if kind in (list, tuple):
            return kind(self.any(inner, depth + 1) for inner in value)
        if isinstance(value, Mapping):
            return self.members(value, depth, _Size.any)
        plain(value, self.where)  # says what is wrong with it
        raise self.wrong(f"holds {_a(value)}, which has no JSON form")

    def members(self, value: Any, depth: int, check: _Check) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.wrong(f"holds {_a(value)} where a map belongs")
        pairs = list(islice(value.items(), LARGEST + 1))
        return {self.text(name, depth): check(self, inner, depth + 1) for name, inner in pairs}

    def wrong(self, what: str) -> CasekitError:
        return BadInput.at(self.where, what, "answer as the hook promises")


_Check = Callable[[_Size, Any, int], Any]
_PLAIN = frozenset({type(None), bool, int, Money, date, datetime, Decimal, float})


def _a(value: Any) -> str:
    return f"a {type.__getattribute__(type(value), '__name__')}"


@cache
def _checks(record: type) -> tuple[tuple[str, _Check], ...]:
    return tuple((name, _check_of(wanted)) for name, wanted in hints(record).items() if name in attrs.fields_dict(record))


def _check_of(wanted: Any) -> _Check:
    """What checks, and copies, a value of a declared type."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return _Size.any
    if wanted is str:
        return _Size.text
    if attrs.has(wanted) and wanted is not Money:
        return lambda size, value, depth: size.record(value, wanted, depth)
    if origin is tuple:
        return _several(_check_of(inner[0]))
    if origin in (Union, types.UnionType):
        (one,) = (option for option in inner if option is not type(None))
        check = _check_of(one)
        return lambda size, value, depth: None if value is None else check(size, value, depth)
    if origin is typing.Literal:
        return _one_of(inner)
    if origin is not None and issubclass(origin, Mapping):
        of = _check_of(inner[1])
        return lambda size, value, depth: size.members(value, depth, of)
    return _exactly(wanted)


def _several(check: _Check) -> _Check:
    def several(size: _Size, value: Any, depth: int) -> tuple[Any, ...]:
        if type(value) is not tuple:
            raise size.wrong(f"holds {_a(value)} where a tuple belongs")
        size.count()
        return tuple(check(size, one, depth) for one in value)

    return several


def _one_of(allowed: tuple[Any, ...]) -> _Check:
    def one_of(size: _Size, value: Any, depth: int) -> Any:
        if size.text(value, depth) not in allowed:
            raise size.wrong(f"holds {value!r}, which is none of {', '.join(allowed)}")
        return value

    return one_of


def _exactly(wanted: Any) -> _Check:
    def exactly(size: _Size, value: Any, _depth: int) -> Any:
        size.count()
        if type(value) is not wanted:
            raise size.wrong(f"holds {_a(value)}, not a {wanted.__name__}")
        return plain(value, size.where) if wanted is int else value

    return exactly
