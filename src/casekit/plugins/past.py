"""What a view says of what is over: clocks and plan items that have ended, and places in the record."""

from __future__ import annotations

from attrs import frozen


@frozen
class PastClock:
    """A clock of the case that has ended.

    Attributes:
        id, instance: Which clock.
        status: How it ended: met, breached, cancelled or withdrawn (kept after all, as was known later).
        started, due, breached, ended: Canonical instants; None: not so.
        n: The entry that ended it.
    """

    id: str
    instance: str
    status: str
    started: str | None
    due: str | None
    breached: str | None
    ended: str
    n: int


@frozen
class PastItem:
    """An instance of a plan item that has ended.

    Attributes:
        id, instance: Which one.
        status: How it ended: completed, terminated, skipped or replaced.
        due: Canonical instant; None: it had none.
        ended: Canonical instant.
        source: What had put it there; empty: the case type.
        n: The entry that ended it.
    """

    id: str
    instance: str
    status: str
    due: str | None
    ended: str
    source: str
    n: int


@frozen
class Mark:
    """A place in the record of a case.

    Attributes:
        n: The entry.
        at: Its effective instant.
    """

    n: int
    at: str
