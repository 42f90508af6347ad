"""Whatever fails while a store is backed up, restored or given new keys: what was there before is there still, whole."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from casekit import CasekitError, Desk
from casekit.store.keys import read_keyring
from keeping.conftest import PLUGINS, Filled, auditor, operator, rows

CALLS = ((os, "fsync"), (os, "rename"), (os, "open"), (os, "mkdir"), (os, "link"), (os, "unlink"), (os, "write"), (io, "open"))


class Faults:
    def __init__(self) -> None:
        self.at = self.count = 0

    def hit(self) -> bool:
        self.count += 1
        return self.count == self.at


@contextmanager
def failing(at: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """The call on a file with that number fails, as on a broken disk."""
    faults = Faults()
    faults.at = at
    with monkeypatch.context() as patched:
        for module, name in CALLS:
            patched.setattr(module, name, refusing(getattr(module, name), faults))
        yield faults


def refusing(real: Callable[..., Any], faults: Faults) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if faults.hit():
            raise OSError(errno.EIO, "Input/output error")
        return real(*args, **kwargs)

    return call


def until_it_works(command: Callable[[], Any], look: Callable[[bool, int], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """Lets a command fail at its first call on a file, its second … until it comes through; looks after each."""
    for k in range(1, 300):
        with failing(k, monkeypatch) as faults:
            try:
                command()
                done = True
            except CasekitError:
                done = False
        look(done, k)
        if faults.count < k:
            return k - 1
    raise AssertionError("it never came through")


def test_a_backup_is_there_whole_or_not_at_all(filled: Filled, monkeypatch: pytest.MonkeyPatch, record_property: Any) -> None:
    before = rows(filled.url)["entries"]
    made = filled.folder / "made"
    made.mkdir()

    def look(done: bool, k: int) -> None:
        there = sorted(path.name for path in made.iterdir())
        assert there in ([], ["backup"]), f"call {k} left {there}"
        if there:
            assert (made / "backup" / "manifest.json").exists()
            shutil.rmtree(made / "backup")
        else:
            assert not done

    failures = until_it_works(lambda: filled.keeper.back_up(made / "backup", keys=True), look, monkeypatch)

    assert failures > 20
    assert [row for row in rows(filled.url)["entries"] if row[9] != "backup"] == before
    record_property("failures", failures)


def test_a_restore_leaves_nothing_or_a_store(
    filled: Filled, open_store: Callable[..., Desk], another: Callable[..., str], monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    filled.keeper.back_up(filled.folder / "backup", keys=True)
    before = rows(filled.url)["entries"]
    place = filled.folder / "place"

    def command() -> None:
        nonlocal url
        desk = open_store(store=url, plugins=PLUGINS, keys=place / "ring", documents=place / "documents")
        operator(desk).restore(filled.folder / "backup", keys=True)
        desk.close()

    def look(done: bool, k: int) -> None:
        nonlocal url
        files = sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())
        desk = open_store(store=url, plugins=PLUGINS, keys=place / "ring", documents=place / "documents")
        if desk.store.tenants():
            assert auditor(desk) == [], f"call {k}"
            assert set(before) - set(rows(url)["entries"]) <= {row for row in before if row[9] == "backup"}
        else:
            assert not done
            assert files == [], f"call {k} left {files}"
        desk.close()
        shutil.rmtree(place)
        place.mkdir()
        url = another("place")

    url = another("place")
    place.mkdir(exist_ok=True)
    assert until_it_works(command, look, monkeypatch) > 20


def test_a_rotation_that_fails_leaves_a_store_that_opens_and_the_next_goes_on(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    lee = filled.desk.seat("user:lee", roles={"clerk"})

    def look(done: bool, k: int) -> None:
        ring = read_keyring(filled.folder / "keys")
        assert {row[3] for row in rows(filled.url)["data_keys"]} <= set(ring.keys), f"call {k}"
        assert lee.get_party(filled.office.people["maria"]).name == "Maria Silva"
        assert [p.name for p in filled.folder.glob("keys.*") if p.name not in ("keys.erasures", "keys.documents", "keys.signing")] == []

    assert until_it_works(filled.keeper.rotate, look, monkeypatch) >= 3
    assert auditor(filled.desk) == []


def test_a_key_that_can_t_be_destroyed_is_there_or_gone_but_never_one_in_use(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    rotated = filled.keeper.rotate()

    def look(done: bool, k: int) -> None:
        ring = read_keyring(filled.folder / "keys")
        assert ring.current == rotated.current
        assert {row[3] for row in rows(filled.url)["data_keys"]} == {rotated.current}

    def command() -> None:
        if rotated.older[0] in read_keyring(filled.folder / "keys").keys:
            filled.keeper.destroy_key(rotated.older[0], at_once=True)

    until_it_works(command, look, monkeypatch)
    assert set(read_keyring(filled.folder / "keys").keys) == {rotated.current}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_restore_that_was_cut_off_is_said_until_it_is_done(filled: Filled, open_store: Callable[..., Desk], engine: str) -> None:
    filled.desk.seat("user:lee", roles={"clerk"}, tenant="acme").party("person", name="Ada")
    filled.keeper.back_up(filled.folder / "backup")
    place = filled.folder / "place"
    place.mkdir()
    shutil.copy(filled.folder / "backup" / "store.db", place / "store.db")  # one tenant is there, the other not yet
    (place / "store.db.restoring").touch()
    desk = open_store(store=f"sqlite:///{place}/store.db", plugins=PLUGINS, documents=place / "documents")
    with pytest.raises(CasekitError, match="a restore was not finished"):
        desk.seat("user:lee", roles={"clerk"}).cases()
    assert next(f for f in operator(desk).examine() if f.about == "restore").level == "wrong"
    with pytest.raises(CasekitError, match="there is a store"):
        operator(desk).restore(filled.folder / "backup")

    operator(desk).restore(filled.folder / "backup", force=True)

    assert desk.store.tenants() == ("acme", "main")
    assert auditor(desk) == []
    assert not (place / "store.db.restoring").exists()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_disk_that_fills_up_while_keys_are_wrapped_anew(filled: Filled, engine: str) -> None:
    connection = filled.desk.shelf("main").connection
    lee = filled.desk.seat("user:lee", roles={"clerk"})
    for i in range(40):
        lee.party("person", name=f"Person {i}")
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    rotated = filled.keeper.rotate()  # rows of one size fit where they stood; its note in the log may not
    connection.execute("PRAGMA max_page_count = 1000000")

    assert {row[3] for row in rows(filled.url)["data_keys"]} == {rotated.current}
    assert sqlite3.connect(filled.folder / "store.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)
