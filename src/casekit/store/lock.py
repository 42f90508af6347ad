"""The in-process write lock of a SQLite file: first come, first served, and it knows its owner.

SQLite's own wait is unfair: under eight writers one may wait for seconds. And a thread that takes a plain
lock twice through two doors hangs for ever; this one says so.
"""

from __future__ import annotations

from collections import deque
from threading import Event, Lock, get_ident
from types import TracebackType
from typing import Self

from casekit.errors import StoreFailed


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
                raise StoreFailed("this thread is already writing to this store (end the first transaction before the second)")
            turn = Event()
            self._waiting.append((me, turn))
        turn.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._guard:
            if self._waiting:
                self._owner, turn = self._waiting.popleft()
                turn.set()
            else:
                self._owner = None
