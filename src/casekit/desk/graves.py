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


def tombstones(shelf: Shelf) -> Mapping[str, Tombstone]:
    """Every tombstone of a tenant, by the UUID of its case."""
    head = reading.log_of(shelf, DISPOSALS)
    if head is None:
        return {}
    known = shelf.whole.told.get(DISPOSALS)
    if known is not None and known[0] == head.hash and not shelf.joined:
        found: Mapping[str, Tombstone] = known[1]
        return found
    read = {one.case: one for entry in reading.entries_of(shelf, head.sid) for one in _read(entry)}
    if not shelf.joined:
        shelf.whole.told[DISPOSALS] = (head.hash, read)
    return read


def _read(entry: tuple[object, ...]) -> Iterator[Tombstone]:
    about: Json = decode(str(entry[11]))["about"]
    for said in about.get("streams", ()):
        yield Tombstone(
            case=said["stream"],
            number=said.get("number"),
            type=said["type"],
            list=about["list"],
            rule=said["rule"],
            citation=said["citation"],
            base=said["base"],
            until=said["until"],
            closed=said["closed"],
            entries=said["n"],
            hash=said["hash"],
            contents=tuple(said["contents"]),
            disposed=str(entry[2]),
            by=str(entry[6]),
            proposed=about["proposed"],
            approved=about["approved"],
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
