"""What the journal projects into tables: their names, their columns, what a head gives to lists.

The store builds its tables from these names, ``fold`` fills them, ``verify`` compares them: one list for all
three. Every projected row also carries tenant and stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROWS: Mapping[str, tuple[str, ...]] = {
    "roles": ("role", "party", "n"),
    "facts": ("n", "i", "key", "at", "zone", "day", "value", "sealed"),
    "postings": ("n", "i", "kind", "component", "minor", "currency", "at", "zone", "day", "reverses", "sealed"),
    "messages": ("n", "i", "party", "role", "direction", "via", "outcome", "at", "zone", "day", "sealed"),
    "documents": ("n", "i", "document", "version", "kind", "direction", "media", "size", "digest", "sealed"),
    "clocks": ("clock", "instance", "n", "status", "started", "due", "breached", "ended"),
    "tasks": ("item", "instance", "n", "kind", "status", "stage", "who", "at", "started", "due", "ended", "source", "sealed"),
    "goals": ("goal", "n", "measure", "want", "target", "day", "owner", "at", "due", "status", "since"),
    "links": ("relation", "other", "n"),
    "standings": ("document", "n", "kind", "status"),
    "levels": ("what", "n", "level", "ground"),
}
"""Projected table → its columns beside tenant and stream."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "roles": ("role", "party"),
    "facts": ("n", "i"),
    "postings": ("n", "i"),
    "messages": ("n", "i"),
    "documents": ("n", "i"),
    "clocks": ("clock", "instance"),
    "tasks": ("item", "instance"),
    "goals": ("goal",),
    "links": ("relation", "other"),
    "standings": ("document",),
    "levels": ("what",),
}
"""Projected table → the columns that tell its rows apart within a stream."""

LISTED = ("type", "number", "state", "category", "outcome", "opened", "closed", "wake", "merged")
"""What lists read of a stream's head, beside tenant, uuid, kind, n, version, hash and head."""


def listed(head: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a head gives to the list columns, in the order of :data:`LISTED`.

    Of a party, ``type`` is its kind and ``closed`` the instant of its erasure; of a desk log, ``type`` is its
    name.
    """
    return _GIVES[head["stream"]](head)


def _case(head: Mapping[str, Any]) -> tuple[Any, ...]:
    machine = head["machine"]
    return (
        head["type"],
        head.get("number"),
        " ".join(machine["active"]),
        machine["category"],
        machine.get("outcome"),
        head["opened"],
        head.get("closed"),
        None if head.get("held") else machine.get("wake"),
        None,
    )


def _party(head: Mapping[str, Any]) -> tuple[Any, ...]:
    return (head["kind"], None, None, None, None, head["opened"], head.get("erased"), None, head.get("merged"))


def _log(head: Mapping[str, Any]) -> tuple[Any, ...]:
    return (head["name"], None, None, None, None, head["opened"], None, None, None)


_GIVES = {"case": _case, "party": _party, "log": _log}
