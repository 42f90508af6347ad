"""Approvals: who has approved what, and when that lapses.

They stand in the head of the case, by requirement, permission and actor, and do not grow with its age.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

Given = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Requirement → permission → actor → ``at`` and ``entry``."""


def with_approval(given: Given, requirement: str, permissions: Iterable[str], actor: str, mark: Mapping[str, Any]) -> Given:
    """The approvals with one more: that of an actor, with each of these permissions."""
    known = dict(given.get(requirement, {}))
    for permission in permissions:
        known[permission] = {**known.get(permission, {}), actor: dict(mark)}
    return {**given, requirement: known}


def without_approval(given: Given, requirement: str, actor: str) -> Given:
    """The approvals without that of an actor."""
    known = given.get(requirement, {})
    rest = {permission: {name: mark for name, mark in actors.items() if name != actor} for permission, actors in known.items()}
    return _tidy({**given, requirement: rest})


def lapsed(given: Given, covered: Mapping[str, Mapping[str, frozenset[str]]], changed: Collection[str]) -> tuple[Given, tuple[str, ...]]:
    """The approvals that still stand once something has changed, and the requirements that lost some; the same object,
    where none did.

    Args:
        given: The approvals.
        covered: Requirement → permission → what an approval covers.
        changed: What has changed: fields, totals, ``fact:key``, ``document:kind``.
    """
    kept: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    lost = []
    for requirement, by_permission in given.items():
        covers = covered.get(requirement, {})
        standing = {p: actors for p, actors in by_permission.items() if covers.get(p, frozenset()).isdisjoint(changed)}
        if len(standing) < len(by_permission):
            lost.append(requirement)
        kept[requirement] = standing
    return (_tidy(kept), tuple(lost)) if lost else (given, ())


def _tidy(given: Given) -> Given:
    """Without what is empty."""
    found = {key: {p: actors for p, actors in by.items() if actors} for key, by in given.items()}
    return {key: by for key, by in found.items() if by}
