"""The in-process write lock of a SQLite file: first come, first served, and it knows its owner.

SQLite's own wait is unfair: under eight writers one may wait for seconds. And a thread that takes a plain
lock twice through two doors hangs for ever; this one says so. There is one lock for each file in a process,
whoever asks for it: a desk, another desk, a host's engine that casekit has prepared.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from threading import Event, Lock, get_ident
from types import TracebackType
from typing import Self

from casekit.errors import StoreFailed
from casekit.store.sql import PATIENCE


class SameThread(StoreFailed):
    """The thread that asks for the lock has it already, through another door."""


class FairLock:
    """A lock that is handed on in the order in which it was asked for."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._waiting: deque[tuple[int, Event]] = deque()
        self._owner: int | None = None

    def __enter__(self) -> Self:
        me = get_ident()
        with self._guard:
            if self._owner is None:
                self._owner = me
                return self
            if self._owner == me:
                raise SameThread("this thread is already writing to this store (end the first transaction before the second)")
            turn = Event()
            self._waiting.append((me, turn))
        if not turn.wait(PATIENCE):
            self._give_up(me, turn)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._guard:
            if self._waiting:
                self._owner, turn = self._waiting.popleft()
                turn.set()
            else:
                self._owner = None

    def take_over(self) -> None:
        """Makes this thread the owner of a lock that is held: a transaction may be handed from thread to thread."""
        with self._guard:
            if self._owner is not None:
                self._owner = get_ident()

    def _give_up(self, me: int, turn: Event) -> None:
        with self._guard:
            if turn.is_set():
                return  # it was handed on at the last moment
            self._waiting.remove((me, turn))
        raise StoreFailed(f"another thread has been writing to this store for {PATIENCE:.0f} seconds (end its transaction)")


_locks: dict[str, FairLock] = {}
_making = Lock()


def lock_of(file: str) -> FairLock:
    """The lock of a SQLite file, the same for all who ask for it in this process."""
    place = str(Path(file).resolve())
    with _making:
        return _locks.setdefault(place, FairLock())
