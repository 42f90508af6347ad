"""A desk and a bare driver, each on a store of its own, taking turns with the same statements."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy.engine import make_url

from benchmarks.raw import Bare, Tape
from benchmarks.sample import ACTOR, SINCE, TYPE, data, person, plugins
from casekit import Desk, Money, Seat, open_desk
from casekit.desk import cases, parties, records
from casekit.desk.bus import Call, Spec, Turn
from casekit.desk.work import Work
from casekit.model.canonical import plain
from casekit.model.time import effective
from casekit.plugins.view import Person
from casekit.store import writing

Batch = Callable[[], Callable[[int], Any]]
"""Prepares a batch, unmeasured; gives what is measured, called with 0, 1, 2 …"""


class Pair:
    """A desk on a fresh store, its statements on tape, and a bare connection to another store that gets them too.

    Attributes:
        desk, seat: The desk, and a seat of somebody who may do everything.
    """

    def __init__(self, url: str, twin: str, folder: Path) -> None:
        self.desk: Desk = open_desk(store=url, keys=folder / "keys", plugins=plugins(), installed=False)
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
        """Seconds per operation, desk and bare, batch by batch in turn: the best batch of each, for other work on the machine only ever slows one down."""
        mine, bare = [], []
        for _ in range(batches):
            do = batch()
            self.catch_up()
            gc.collect()
            begun = perf_counter()
            for i in range(count):
                do(i)
            mine.append((perf_counter() - begun) / count)
            bare.append(self.catch_up() / count)
        return min(mine), min(bare)

    def same(self) -> bool:
        """Whether both stores hold as many rows, to the last entry."""
        driver = self.desk.shelf("main").connection.driver
        self.catch_up()
        return self.bare.counts() == Bare.counted(driver)

    def numbers(self, count: int) -> range:
        """Numbers that were not used before."""
        self._made += count
        return range(self._made - count, self._made)

    def persons(self, count: int) -> list[Person]:
        """New persons, all in one transaction."""
        return self._at_once(lambda work: [self._person(work, i) for i in self.numbers(count)])

    def opened(self, count: int, events: int = 0, *, among: list[Person] | None = None) -> list[str]:
        """New cases, all in one transaction in the batch form of the bus, each with so many further events."""
        known = self.persons(20) if among is None else among
        numbers = self.numbers(count)
        return self._at_once(lambda work: [self._case(work, i, [known[i % len(known)], known[(i + 1) % len(known)]], events) for i in numbers])

    def opened_with_persons(self, count: int) -> list[str]:
        """New cases of two new persons each, all in one transaction."""
        numbers = self.numbers(count)
        return self._at_once(lambda work: [self._case(work, i, [self._person(work, i), self._person(work, -i)], 0) for i in numbers])

    def _at_once(self, make: Callable[[Work], list[Any]]) -> list[Any]:
        return self.desk.bus.transact(self.desk.shelf("main"), lambda work, _: make(work))

    def _person(self, work: Work, i: int) -> Person:
        return parties.add(self.desk, Call(parties.PARTY, ACTOR), "person", person(i), work)

    def _case(self, work: Work, i: int, both: list[Person], events: int) -> str:
        given = {"debtor": [both[0].id], "creditor": [both[1].id]}
        args = {"type": TYPE, "data": plain(data(i)), "parties": given}
        call = Call(cases.OPEN, ACTOR, args, effective=HELD, observed=True)
        case = cases.Opening(self.desk, call, TYPE, data(i), given, "", {}).run(work).case.id
        for spec, decide in EVENTS[:events]:
            self.desk.bus.on_case(Call(spec, ACTOR, {"case": case}, effective=HELD, observed=True), case, decide, work)
        return case


def _pay(cents: int) -> Callable[[Turn], None]:
    return lambda turn: records.pay(turn, Money.of_minor(cents, "USD"), "")


def _fact(key: str, value: Any) -> Callable[[Turn], None]:
    return lambda turn: records.fact(turn, key, value, "")


def _do(event: str) -> Callable[[Turn], None]:
    return lambda turn: cases.do(turn, event, {})


HELD = effective(SINCE, "UTC")
"""Since when it all holds; an import resolves each time once, too."""

EVENTS: tuple[tuple[Spec, Callable[[Turn], None]], ...] = (
    (cases.DO, _do("talk")),
    (records.PAY, _pay(2500)),
    (records.FACT, _fact("income.monthly", "2100.00 USD")),
    (records.NOTE, lambda turn: records.note(turn, "rang back, wants to pay by the end of the month")),
    (records.PAY, _pay(2500)),
    (cases.DO, _do("leave")),
    (records.FACT, _fact("employer", "Harbour Mills, Pier 9")),
    (records.PAY, _pay(2500)),
    (cases.DO, _do("talk")),
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
