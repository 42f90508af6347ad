"""The record of a requirement: something that must hold, said as data."""

from __future__ import annotations

from typing import Any

from attrs import field as attr
from attrs import frozen

ITEM_STATUS = ("completed", "active")
CLOCK_STATUS = ("met", "not-running", "breached")


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _parts(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, (str, Requirement)) else tuple(value)


@frozen
class Requirement:
    """Something that must hold. It says one thing: a condition, one of the kinds below, or what it is put together from.

    The logic is three-valued: what rests on data that is absent is unknown, and unknown is not met.

    Attributes:
        when: Condition that meets it; beside ``field``, what must hold of its value.
        unmet: Words for when it does not hold; empty: those of its kind.
        citation: Law, contract or policy.
        remedy: Words for what would meet it.
        item: Plan item that must have the ``status``: ``completed`` (the default) or ``active``.
        milestone: Milestone that must be reached.
        document: Kind of document of which ``count`` must be on file; with a ``status``, must have that.
        party: Role that ``count`` parties must play.
        field: Field of case data, or ``fact:`` and the key of a fact, that must be known.
        clock: Clock that must have the ``status``: ``met`` (the default: an instance was), ``not-running`` (none runs;
            one that rests or was breached does not), or ``breached`` (one is, or was).
        approval: Permission with which ``count`` different actors must have approved this requirement.
        linked: Relation: every case that stands in it to this one must have ended (``parent``: all cases that are part of it).
        all: Requirements that must all be met. A part is a requirement of its own, or the key of one: of this case type
            or of a plugin.
        any: Requirements of which one must be met.
        none: Requirements of which none may be met.
        n_of: Requirements of which ``count`` must be met.
        status: Of ``item``, ``clock`` and ``document``.
        count: Of ``document``, ``party``, ``approval`` and ``n_of``.
        over: Of ``approval``: what it approves (fields, totals, ``fact:key``, ``document:kind``). As soon as one of them
            changes, approvals lapse.
    """

    when: str = ""
    unmet: str = ""
    citation: str = ""
    remedy: str = ""
    item: str = ""
    milestone: str = ""
    document: str = ""
    party: str = ""
    field: str = ""
    clock: str = ""
    approval: str = ""
    linked: str = ""
    all: tuple[Requirement | str, ...] = attr(default=(), converter=_parts)
    any: tuple[Requirement | str, ...] = attr(default=(), converter=_parts)
    none: tuple[Requirement | str, ...] = attr(default=(), converter=_parts)
    n_of: tuple[Requirement | str, ...] = attr(default=(), converter=_parts)
    status: str = ""
    count: int = 1
    over: tuple[str, ...] = attr(default=(), converter=_names)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it says; one that makes sense says one thing."""
        said = tuple(name for name in KINDS if getattr(self, name))
        return tuple(name for name in said if name != "when") if "field" in said else said

    @property
    def parts(self) -> tuple[Requirement | str, ...]:
        """What it is put together from; none: it stands for itself."""
        return (*self.all, *self.any, *self.none, *self.n_of)


KINDS = ("when", "item", "milestone", "document", "party", "field", "clock", "approval", "linked", "all", "any", "none", "n_of")
"""Kinds of requirement, by the field that says it."""
COUNTED = ("document", "party", "approval", "n_of")
"""Kinds that have a count."""


def references(requirement: Requirement) -> tuple[str, ...]:
    """Keys of the requirements that one is put together from, those within its parts included."""
    found: list[str] = []
    for part in requirement.parts:
        found += (part,) if isinstance(part, str) else references(part)
    return tuple(dict.fromkeys(found))


def within(requirement: Requirement, at: str = "") -> tuple[tuple[str, Requirement], ...]:
    """A requirement and those written out within it, each with its path."""
    found = [(at, requirement)]
    for name in ("all", "any", "none", "n_of"):
        for place, part in enumerate(getattr(requirement, name)):
            if not isinstance(part, str):
                found += within(part, f"{at}/{name}/{place}")
    return tuple(found)


def described(requirement: Requirement | str) -> str:
    """A requirement in one line."""
    if isinstance(requirement, str):
        return requirement
    kind = next(iter(requirement.kinds), "when")
    if requirement.parts:
        inner = ", ".join(map(described, requirement.parts))
        return f"{requirement.count} of ({inner})" if kind == "n_of" else f"{kind} of ({inner})"
    if kind == "when":
        return requirement.when
    more = f" {requirement.status}" if requirement.status else f" {requirement.count} times" if requirement.count > 1 else ""
    return f"{kind} {getattr(requirement, kind)}{more}" + (f" where {requirement.when}" if requirement.when else "")
