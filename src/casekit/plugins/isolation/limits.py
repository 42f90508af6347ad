"""What an isolated plugin may use, and how a desk is told which plugins are isolated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from casekit.errors import BadInput

EVERY = "*"
"""All installed plugins but those of casekit itself."""


def _positive(_: object, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise BadInput.at(f"isolated/{attribute.name}", f"{value!r} is no limit", "give a number above 0")


@frozen
class Limits:
    """What a worker may use.

    Attributes:
        seconds: For one question, the time in which the desk looks something up for it included. A worker that is not back
            by then is killed at once.
        memory: Bytes of address space of a worker; 300 MB of them may be taken by Python and what the plugin imports.
        answer: Bytes of one answer.
        start: Seconds for loading the plugin, and for what it declares.
        workers: How many workers of one plugin there are at most; who finds them all at work waits.
    """

    seconds: float = field(default=2.0, validator=_positive)
    memory: int = field(default=1 << 30, validator=_positive)
    answer: int = field(default=1_000_000, validator=_positive)
    start: float = field(default=20.0, validator=_positive)
    workers: int = field(default=2, validator=_positive)


def read_limits(isolated: Iterable[str] | Mapping[str, Limits]) -> dict[str, Limits]:
    """Plugin → its limits.

    Args:
        isolated: Names of plugins, or places where they are found (``package.module``, ``package.module:object``); ``*``
            for all installed ones. With limits of their own, or with the usual ones.

    Raises:
        BadInput: a name that is none.
    """
    if isinstance(isolated, str):
        isolated = isolated.replace(",", " ").split()
    pairs = isolated.items() if isinstance(isolated, Mapping) else ((name, Limits()) for name in isolated)
    found: dict[str, Limits] = {}
    for name, limits in pairs:
        if not isinstance(name, str) or not name.strip() or not isinstance(limits, Limits):
            raise BadInput.at("isolated", f"{name!r} is no plugin", "name plugins, or give a map of names and Limits")
        found[name] = limits
    return found
