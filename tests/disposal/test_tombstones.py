"""What verify says of tombstones, of streams that went without one, and of what is there still; and of restored backups."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from casekit import BadInput, Desk
from casekit.errors import Disposed
from casekit.model.canonical import decode, encode
from casekit.record.verify import Wrong
from disposal.conftest import PLUGINS, Office, office_of
from keeping.conftest import operator
from proofs.forger import Forger, Image, Row, put_back, taken_out

Stored = Callable[[Callable[[Image], None]], list[Wrong]]


def of(image: Image, table: str, uuid: str) -> Row:
    return next(row for row in image[table] if row["uuid"] == uuid)


@pytest.fixture
def gone(office: Office, clock: Any) -> str:
    """A case that was disposed of, beside one that was not."""
    case, _ = office.closed(), office.closed()
    office.clerk.checkpoint()
    clock.forward(days=366)
    office.second.run_disposal(office.approved(case))
    return case


@pytest.fixture
def stored(office: Office, engine: str, store_url: str, tmp_path: Path) -> Stored:
    """What verify says once a store was changed; it is put back afterwards."""

    def changed(change: Callable[[Image], None]) -> list[Wrong]:
        before = taken_out(engine, store_url, tmp_path)
        forged = deepcopy(before)
        change(forged)
        put_back(engine, store_url, tmp_path, forged)
        try:
            return office.desk.seat("test:auditor", roles={"auditor"}).verify().wrong
        finally:
            put_back(engine, store_url, tmp_path, before)

    return changed


def drop(image: Image, uuid: str) -> None:
    """Takes a stream away, whole, as a disposal would."""
    sid = of(image, "streams", uuid)["sid"]
    for name, rows in image.items():
        image[name] = [row for row in rows if row.get("sid") != sid and row.get("owner") != uuid]


def test_a_stream_that_went_without_a_tombstone_is_missed(office: Office, gone: str, stored: Stored) -> None:
    other = office.clerk.cases().cases[0].id

    def change(image: Image) -> None:
        drop(image, other)

    assert any(w.stream == other and "the stream is gone" in w.what for w in stored(change))


def retold(image: Image, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrites the tombstone by somebody who can write everything but the leaves: every chain fits again."""
    forger = Forger(image, random.Random(1), 0)
    log = next(row["uuid"] for row in image["streams"] if row["kind"] == "log" and row["type"] == "disposals")
    entries = forger.entries(log)
    for entry in entries:
        body = decode(entry["body"])
        if "streams" in body["about"]:
            change(body["about"]["streams"][0])
            entry["body"] = encode(body)
    forger.write(log, entries)


LIES: tuple[tuple[str, Callable[[dict[str, Any]], None], str], ...] = (
    ("fewer entries", lambda s: s.update(n=s["n"] - 1), "it is not the stream that was disposed of"),
    ("more entries", lambda s: s.update(n=s["n"] + 1), "what it was can't be proved"),
    ("another hash", lambda s: s.update(hash="00" * 32), "it is not the stream that was disposed of"),
    ("another stream", lambda s: s.update(stream="01932f9a-7c00-7000-8000-00000000ffff"), "nothing proves that it ever was"),
)


def test_a_tombstone_that_tells_something_else_is_found(gone: str, stored: Stored) -> None:
    for how, change, said in LIES:
        wrong = stored(lambda image, change=change: retold(image, change))
        assert any(said in w.what for w in wrong), how


def test_a_tombstone_that_is_taken_away_is_found(gone: str, stored: Stored) -> None:
    def change(image: Image) -> None:
        drop(image, next(row["uuid"] for row in image["streams"] if row["kind"] == "log" and row["type"] == "disposals"))

    assert any(w.stream == gone for w in stored(change))


def test_what_is_there_still_is_found(office: Office, clock: Any, engine: str, store_url: str, tmp_path: Path, stored: Stored) -> None:
    case = office.closed()
    office.clerk.checkpoint()
    clock.forward(days=366)
    name = office.approved(case)
    before = taken_out(engine, store_url, tmp_path)
    office.second.run_disposal(name)
    sid = of(before, "streams", case)["sid"]

    def back(*tables: str) -> Callable[[Image], None]:
        def change(image: Image) -> None:
            for table in tables:
                image[table] += [row for row in before[table] if sid == row.get("sid") or case == row.get("owner")]

        return change

    everything = [name for name in before if any(sid == row.get("sid") or case == row.get("owner") for row in before[name])]
    assert {"streams", "entries", "data_keys", "documents", "idempotency", "roles"} <= set(everything)
    assert any(w.stream == case for w in stored(back(*everything)))
    assert any("is here still, or again" in w.what for w in stored(back("streams", "entries", "roles", "documents", "data_keys")))
    for table in everything:
        wrong = stored(back(table))
        assert any(table in (w.table, "streams") for w in wrong), table


def test_an_older_backup_is_disposed_and_held_again(
    office: Office, clock: Any, open_store: Callable[..., Desk], another: Callable[..., str], tmp_path: Path
) -> None:
    case, kept = office.closed(), office.closed()
    clock.forward(days=366)
    bundle = office.desk.seat("user:ops", roles={"admin"}).export(case)
    operator(office.desk).back_up(tmp_path / "older")
    office.second.run_disposal(office.approved(case))
    office.counsel.place_hold("late", cases=[kept], reason="a suit")
    url = another("back")
    back = open_store(store=url, plugins=PLUGINS, documents=tmp_path / "d")

    done = operator(back).restore(tmp_path / "older")

    assert (done.erased, done.wrong) == (1, ())
    there = office_of(back)
    with pytest.raises(Disposed):
        there.clerk.case(case)
    assert [stone.case for stone in there.first.tombstones()] == [case]
    assert len(list((tmp_path / "d").rglob("*/??/*"))) == 1, "the contents of the case are gone too"
    assert [d.holds for d in there.first.due_for_disposal()] == [("late",)]
    assert back.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    for desk in (back, office.desk):
        with pytest.raises(BadInput, match="was disposed of"):
            desk.seat("user:ops", roles={"admin"}).import_bundle(bundle)


def test_the_key_of_the_log_of_holds_is_looked_after(office: Office, stored: Stored) -> None:
    office.counsel.place_hold("inquiry", types=["lease.case"], reason="a letter of the court")
    assert office.counsel.holds()[0].reason == "a letter of the court"

    def log(image: Image) -> str:
        return next(str(row["uuid"]) for row in image["streams"] if row["kind"] == "log" and row["type"] == "holds")

    def change(image: Image) -> None:
        key = next(row for row in image["data_keys"] if row["owner"] == log(image))
        key["wrapped"] = bytes(len(key["wrapped"]))

    def lose(image: Image) -> None:
        image["data_keys"] = [row for row in image["data_keys"] if row["owner"] != log(image)]

    for forged, said in ((change, "does not fit the keyring"), (lose, "the key is gone, and no erasure says so")):
        wrong = stored(forged)
        assert [w.table for w in wrong] == ["data_keys"]
        assert said in wrong[0].what
