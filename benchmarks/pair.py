"""A desk and a bare driver, each on a store of its own, taking turns with the same statements."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Barrier
from time import perf_counter
from typing import Any

from sqlalchemy.engine import make_url

from benchmarks.raw import Bare, Tape
from benchmarks.sample import ACTOR, SINCE, TYPE, data, person, plugins
from casekit import Desk, Money, Seat, builtin, open_desk
from casekit.plugins.view import Person
from casekit.store import writing

Batch = Callable[[], Callable[[int], Any]]
"""Prepares a batch, unmeasured; gives what is measured, called with 0, 1, 2 …"""


class Pair:
    """A desk on a fresh store, its statements on tape, and a bare connection to another store that gets them too.

    Attributes:
        desk, seat: The desk, and a seat of somebody who may do everything.
        folder: Where both may keep files.
        twin: Store URL of the other store.
    """

    def __init__(self, url: str, twin: str, folder: Path) -> None:
        self.folder = folder
        self.twin = twin
        self.desk: Desk = open_desk(store=url, keys=folder / "keys", plugins=[*plugins(), builtin], installed=False)
        self.seat: Seat = self.desk.seat(ACTOR.name, roles=ACTOR.roles)
        self.bare = Bare(make_url(twin) if twin.startswith("sqlite") else make_url(twin).set(drivername="postgresql+psycopg"))
        self._tape: Tape = []
        self.desk.shelf("main").connection.tape = self._tape
        self._made = 0

    def close(self) -> None:
        """Closes both."""
        self.desk.close()
        self.bare.close()

    def catch_up(self) -> float:
        """Lets the bare driver do what the desk did since; gives the seconds that it took."""
        seconds = self.bare.play(self._tape)
        self._tape.clear()
        return seconds

    def race(self, batch: Batch, count: int, batches: int) -> tuple[float, float]:
        """Seconds per operation, desk and bare, batch by batch in turn.

        Of each the best batch counts: whatever else runs on the machine only ever slows one down.
        """
        mine, bare = [], []
        for _ in range(batches):
            do = batch()
            self.catch_up()
            gc.collect()
            gc.freeze()  # what the harness itself holds is not the desk's to be looked through again and again
            begun = perf_counter()
            for i in range(count):
                do(i)
            mine.append((perf_counter() - begun) / count)
            bare.append(self.catch_up() / count)
        return min(mine), min(bare)

    def crowd(self, do: Callable[[], Any], readers: int, each: int, batches: int) -> tuple[float, float]:
        """Seconds per operation, desk and bare, of several threads that do the same at the same time; the best batch counts.

        What they say to the database goes to one tape, in the order in which it was said.
        """
        mine, bare = [], []
        ready = Barrier(readers)

        def work(_: int) -> None:
            self.desk.shelf("main").connection.tape = self._tape
            ready.wait()
            for _ in range(each):
                do()

        with ThreadPoolExecutor(readers) as pool:
            for _ in range(batches):
                self.catch_up()
                begun = perf_counter()
                list(pool.map(work, range(readers)))
                mine.append((perf_counter() - begun) / (readers * each))
                bare.append(self.catch_up() / (readers * each))
        return min(mine), min(bare)

    def same(self) -> bool:
        """Whether both stores hold as many rows."""
        self.catch_up()
        return self.bare.counts() == Bare.counted(self.desk.shelf("main").connection.driver)

    def numbers(self, count: int) -> range:
        """Numbers that were not used before."""
        self._made += count
        return range(self._made - count, self._made)

    def persons(self, count: int) -> list[Person]:
        """New persons, all in one transaction."""
        details = [person(i) for i in self.numbers(count)]
        with self.seat.batch() as batch:
            return [batch.party("person", **said) for said in details]

    def opened(self, count: int, events: int = 0, *, among: list[Person] | None = None, since: datetime = SINCE) -> list[str]:
        """New cases, all in one transaction, each with so many further events."""
        return self.opening(count, events, among=among, since=since)()

    def opening(
        self, count: int, events: int = 0, *, among: list[Person] | None = None, since: datetime = SINCE
    ) -> Callable[[], list[str]]:
        """What :meth:`opened` does, prepared."""
        people = self.persons(20) if among is None else among
        given = [data(i) for i in self.numbers(count)]
        parties = [{"debtor": people[i % len(people)], "creditor": people[(i + 1) % len(people)]} for i in range(count)]
        return lambda: self._open_all(given, lambda _, i: parties[i], events, since)

    def opening_with_persons(self, count: int) -> Callable[[], list[str]]:
        """What opens new cases of two new persons each, all in one transaction."""
        given = [data(i) for i in self.numbers(count)]
        people = [person(i) for i in self.numbers(2 * count)]

        def both(batch: Seat, i: int) -> dict[str, Person]:
            return {"debtor": batch.party("person", **people[2 * i]), "creditor": batch.party("person", **people[2 * i + 1])}

        return lambda: self._open_all(given, both, 0, SINCE)

    def _open_all(self, given: list[dict[str, Any]], parties: Callable[[Seat, int], Any], events: int, since: datetime) -> list[str]:
        made = []
        with self.seat.batch() as batch:
            for i, values in enumerate(given):
                case = batch.open(TYPE, data=values, parties=parties(batch, i), effective=since, observed=True).id
                for happen in EVENTS[:events]:
                    happen(batch, case)
                made.append(case)
        return made


def _pay(seat: Seat, case: str) -> Any:
    return seat.pay(case, Money.of_minor(2500, "USD"), effective=SINCE, observed=True)


def _do(event: str) -> Callable[[Seat, str], Any]:
    return lambda seat, case: seat.do(case, event, effective=SINCE, observed=True)


def _fact(key: str, value: Any) -> Callable[[Seat, str], Any]:
    return lambda seat, case: seat.note_fact(case, key, value, effective=SINCE, observed=True)


EVENTS: tuple[Callable[[Seat, str], Any], ...] = (
    _do("talk"),
    _pay,
    _fact("income.monthly", Money.of_minor(210_000, "USD")),
    lambda seat, case: seat.note(case, "rang back, wants to pay by the end of the month", effective=SINCE),
    _pay,
    _do("leave"),
    _fact("employer", "Harbour Mills, Pier 9"),
    _pay,
    _do("talk"),
)
"""Nine events of a case, as an import brings them."""


@contextmanager
def row_by_row() -> Iterator[None]:
    """Lets the desk write statement by statement where it would write everything as one."""
    kept, writing.AT_ONCE = writing.AT_ONCE, 0
    try:
        yield
    finally:
        writing.AT_ONCE = kept


__all__ = ["EVENTS", "Batch", "Pair", "row_by_row"]
