"""What is left of what was disposed of: tombstones in the desk log ``disposals``, and the answer to who asks for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

from casekit.errors import Disposed, NotFound
from casekit.model.actor import Actor
from casekit.model.canonical import Json, decode
from casekit.store import reading
from casekit.store.shelf import Shelf

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

DISPOSALS = "disposals"
"""The desk log of disposals: lists that were proposed, approved, withdrawn, and a tombstone for each case that is gone."""


@frozen
class Tombstone:
    """What is left of a case.

    Attributes:
        case, number, type: Which it was.
        list: The disposal list.
        rule, citation: The rule by which it was disposed of.
        base, until: From which day the rule counted, and its last day.
        closed: Day on which the case was closed.
        entries, hash: How many entries it had, and the last link (hex).
        contents: Digests of its documents' contents.
        disposed: When it was disposed of.
        by, proposed, approved: Who did it, who had proposed it, who had approved it.
        level: The level of confidentiality that it had; empty: ordinary.
    """

    case: str
    number: str | None
    type: str
    list: str
    rule: str
    citation: str
    base: str | None
    until: str | None
    closed: str | None
    entries: int
    hash: str
    contents: tuple[str, ...]
    disposed: str
    by: str
    proposed: str
    approved: str
    level: str = ""


@frozen
class Told:
    """An entry of a desk log, as far as it tells something.

    Attributes:
        n, recorded, actor, kind, about: As in the entry.
    """

    n: int
    recorded: str
    actor: str
    kind: str
    about: Json


def told(shelf: Shelf, name: str) -> tuple[Told, ...]:
    """What a desk log tells, entry by entry. It only grows, so what was read once is not read again."""
    head = reading.log_of(shelf, name)
    if head is None:
        return ()
    sid, known = (0, ()) if shelf.joined else shelf.whole.told.get(name, (0, ()))
    if sid != head.sid or len(known) > head.n:
        known = ()
    if len(known) < head.n:
        fresh = reading.entries_of(shelf, head.sid, after=len(known), upto=head.n)
        known = (*known, *(Told(e[1], e[2], e[6], e[7], decode(e[11])["about"]) for e in fresh))
        if not shelf.joined:
            shelf.whole.told[name] = (head.sid, known)
    return known


def tombstones(shelf: Shelf) -> Mapping[str, Tombstone]:
    """Every tombstone of a tenant, by the UUID of its case."""
    return {said["stream"]: _stone(entry, said) for entry in told(shelf, DISPOSALS) for said in entry.about.get("streams", ())}


def _stone(entry: Told, said: Json) -> Tombstone:
    return Tombstone(
        case=said["stream"],
        number=said.get("number"),
        type=said["type"],
        list=entry.about["list"],
        rule=said["rule"],
        citation=said["citation"],
        base=said["base"],
        until=said["until"],
        closed=said["closed"],
        entries=said["n"],
        hash=said["hash"],
        contents=tuple(said["contents"]),
        disposed=entry.recorded,
        by=entry.actor,
        proposed=entry.about["proposed"],
        approved=entry.about["approved"],
        level=said.get("level", ""),
    )


def tombstone_of(shelf: Shelf, case: str) -> Tombstone | None:
    """The tombstone of a case, by its id or number."""
    there = tombstones(shelf)
    return there.get(case) or next((one for one in there.values() if one.number == case), None)


def may_know(desk: Desk, actor: Actor, left: Tombstone) -> bool:
    """Whether an actor could have read the case."""
    seen = not left.level or desk.levels.sees(actor, left.type, left.level)
    return seen and desk.grants.allowed(actor, "case.read", left.type)


@contextmanager
def told_if_disposed(desk: Desk, actor: Actor, case: str) -> Iterator[None]:
    """Says of a case that is not there that it was disposed of, where it was, to whoever could have read it."""
    try:
        yield
    except NotFound as missing:
        left = tombstone_of(desk.shelf(actor.tenant), case)
        if left is None or not may_know(desk, actor, left):
            raise
        what = f"the case {left.number or left.case} was disposed of on {left.disposed[:10]} (list {left.list}, rule {left.rule})"
        raise Disposed.at("case", what, "it can't be brought back; its tombstone stands in the desk log disposals") from missing
