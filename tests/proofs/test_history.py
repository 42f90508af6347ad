"""P9: whoever holds an older checkpoint finds what was cut, rewritten, forked, removed, re-ordered or put in since.

The forger writes the whole store so that it fits in itself, and lacks the signing key alone. Each forgery comes in
three grades: the log of entries is left as it was; it is made to fit; it is made to fit and the store's own
checkpoints are taken away.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from casekit import BadInput, Desk, Seat
from casekit.record.tables import ROWS
from casekit.record.verify import Wrong
from proofs import office
from proofs.forger import FORGERIES, Forger, Found, Image, chosen, put_back, taken_out

GRADES = ("log left", "log made to fit", "checkpoints gone too")


@frozen
class Held:
    """What somebody outside keeps."""

    note: str
    key: str
    size: int


@frozen
class Store:
    """A store with a past, and how to change it behind casekit's back."""

    seat: Seat
    held: Held
    before: Image
    now: Image
    put: Callable[[Image], None]


@pytest.fixture
def store(open_store: Callable[..., Desk], clock: Any, engine: str, store_url: str, tmp_path: Path) -> Store:
    desk = open_store(plugins=office.PLUGINS)
    cases = office.fill(desk, clock).cases
    lee = desk.seat("user:lee", roles={"clerk"})
    before = taken_out(engine, store_url, tmp_path)
    clock.forward(days=1)
    lee.note(cases["plain"], "once more")
    made = lee.checkpoint()
    clock.forward(days=1)
    for words in ("and", "so", "on"):
        lee.note(cases["long"], words)
        lee.party("person", name="Late Comer")
        lee.checkpoint()
    key = lee.checkpoint_key()
    desk.shelf("main").signing.unlink()  # it would remember the last checkpoint: here only the one that is held counts
    now = taken_out(engine, store_url, tmp_path)
    auditor = desk.seat("test:auditor", roles={"auditor"})
    return Store(auditor, Held(made.note, key, made.size), before, now, lambda image: put_back(engine, store_url, tmp_path, image))


def against(store: Store) -> list[Wrong]:
    return store.seat.verify(against=store.held.note, keys=[store.held.key]).wrong


def exactly(wrong: list[Wrong], found: Found) -> bool:
    return any((w.stream, w.n, w.table) == (found.stream, found.n, "entries") for w in wrong)


def test_forgeries_are_found_by_one_who_holds_a_checkpoint(
    engine: str, store: Store, dice: random.Random, times: Callable[[int], int], figure: Callable[[str], None]
) -> None:
    assert against(store) == []
    count, kinds = times(100), chosen(dice)
    tally: Counter[str] = Counter()
    missed, misplaced = [], []
    for number in range(count):
        grade, kind = GRADES[number % 3], next(kinds)
        forger = Forger.of(store.now, dice, store.held.size)
        found = FORGERIES[kind](forger)
        if grade != GRADES[0]:
            forger.retake()
        if grade == GRADES[2]:
            forger.forget()
        store.put(forger.image)
        wrong = against(store)
        tally["alone"] += not store.seat.verify().wrong
        said = f"{kind} ({grade}) at {found}: {wrong[:3]}"
        if not wrong:
            missed.append(said)
        elif grade == GRADES[0]:
            tally["exact"] += exactly(wrong, found)
            if not exactly(wrong, found):
                misplaced.append(said)
        elif not exactly(wrong, found) and not any(w.table == "checkpoint" for w in wrong):
            misplaced.append(said)
    store.put(store.now)
    assert against(store) == []

    figure(
        f"P9 forgeries ({engine}): {count} of {len(FORGERIES)} kinds in {len(GRADES)} grades, {len(missed)} undetected, "
        f"{len(misplaced)} not named right; {tally['alone']} found by nothing but the checkpoint; "
        f"{tally['exact']} of {(count + 2) // 3} with the log left named to the entry"
    )
    assert not missed, "\n".join(missed[:10])
    assert not misplaced, "\n".join(misplaced[:10])
    assert tally["alone"] > count // 4, "the forger is not as good as meant: the chains find it without a checkpoint"


def test_leaves_that_change_places_are_found(engine: str, store: Store, dice: random.Random, times: Callable[[int], int]) -> None:
    for _ in range(times(10)):
        forger = Forger.of(store.now, dice, store.held.size)
        forger.shuffle()
        store.put(forger.image)
        assert any(w.table == "checkpoint" and "not those that the checkpoint saw" in w.what for w in against(store))
    store.put(store.now)


def test_an_older_copy_of_the_store_says_that_it_is_one(store: Store) -> None:
    store.put(store.before)
    wrong = against(store)

    assert store.seat.verify().wrong == []
    assert [(w.table, w.row) for w in wrong] == [("checkpoint", str(store.held.size))]
    assert "the store is an older copy than the checkpoint" in wrong[0].what


def test_a_store_that_forgot_everything_since_the_checkpoint_is_found_by_that(store: Store) -> None:
    """Cut to the very entry that the checkpoint saw last: even the entry that tells of the checkpoint is gone."""
    forger = Forger.of(store.now, random.Random(1), store.held.size)
    for row in list(forger.image["streams"]):
        seen = forger.seen(row["uuid"])
        if seen == 0:
            forger.drop_rows(row["sid"], ("entries", *ROWS, "search", "outbox", "idempotency", "streams"))
            forger.image["data_keys"] = [key for key in forger.image["data_keys"] if key["owner"] != row["uuid"]]
        else:
            forger.write(row["uuid"], forger.entries(row["uuid"])[:seen])
    forger.retake()
    forger.image["checkpoints"] = [row for row in forger.image["checkpoints"] if row["size"] < store.held.size]
    store.put(forger.image)

    assert store.seat.verify().wrong == []
    assert [w.what for w in against(store)] == [
        "the store knows nothing of this checkpoint, which was made of it: what was recorded since was cut"
    ]


def test_two_checkpoints_of_one_size_show_a_fork(store: Store, dice: random.Random) -> None:
    """A store that was forged goes on working and signs on: its checkpoints and the one that is held exclude each other."""
    forger = Forger.of(store.now, dice, store.held.size)
    forger.kinds = ("case",)
    forger.fork()
    forger.retake()
    forger.forget()
    store.put(forger.image)
    lee = store.seat.desk.seat("user:lee", roles={"clerk"})
    made = lee.checkpoint(origin=store.held.note.partition("/main\n")[0])

    assert store.seat.verify().wrong == []
    with pytest.raises(BadInput, match="none of these keys is known"):
        store.seat.verify(against=made.note, keys=[store.held.key])
    assert any(w.table == "checkpoint" for w in against(store))
