"""A backup is the store of one moment, proved; what comes back from it is that store, row by row."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casekit import BadInput, Denied, Desk, StoreFailed
from casekit.store.keys import make_keyring
from keeping.conftest import PLUGINS, Filled, auditor, operator, rows

Another = Callable[..., str]
BESIDE = {"keeping"}
"""Desk logs that tell of the backup and of the restore themselves."""


def journal(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows but those that tell of keeping itself."""
    found = rows(url)
    own = {row[1] for row in found["streams"] if row[3] == "log" and row[9] in BESIDE}
    return {name: [row for row in several if name in NO_STREAM or row[at(name)] not in own] for name, several in found.items()}


NO_STREAM = ("data_keys", "definitions", "sequences", "meta", "leaves", "checkpoints")


def at(table: str) -> int:
    """Where the stream's integer stands in a row."""
    return {"search": 3, "idempotency": 3}.get(table, 1)


def restored(open_store: Callable[..., Desk], filled: Filled, url: str, backup: Path, **how: Any) -> Desk:
    desk = open_store(store=url, plugins=PLUGINS, documents=filled.folder / f"documents of {url[-9:].replace('/', '-')}")
    operator(desk).restore(backup, **how)
    return desk


@pytest.mark.parametrize("onto", ["sqlite", "postgresql"])
def test_what_comes_back_is_the_store_row_by_row_on_either_engine(
    filled: Filled, open_store: Callable[..., Desk], another: Another, onto: str
) -> None:
    before = journal(filled.url)
    filled.keeper.back_up(filled.folder / "backup")
    url = another("back", onto)

    desk = restored(open_store, filled, url, filled.folder / "backup")

    assert journal(url) == before
    assert all(before.values()), "every table has something in it"
    assert auditor(desk) == []
    lee = desk.seat("user:lee", roles={"clerk"})
    case = filled.office.cases["long"]
    letter = next(d for d in lee.file(case).documents() if d.kind == "letter")
    assert lee.read_document(case, letter.id)[0] == b"Dear Ms Silva, once more"
    assert lee.get_party(filled.office.people["maria"]).name == "Maria Silva"
    assert lee.pay(case, "1.00 EUR").entries


def test_a_backup_holds_no_key_and_its_folder_is_private(filled: Filled) -> None:
    made = filled.keeper.back_up(filled.folder / "backup")
    folder = Path(made.folder)

    keys = json.loads((filled.folder / "keys").read_text())["keys"].values()
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not (folder / "keys").exists()
    assert not [key for key in keys if key.encode() in everything]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() == made.digest
    for name, said in made.manifest.files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == said.sha256
    documents = [path for path in (folder / "documents").rglob("*") if path.is_file()]
    assert len(documents) == made.manifest.tenants["main"].documents == 5
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in documents)


def test_a_backup_with_its_keys_opens_by_itself(filled: Filled, open_store: Callable[..., Desk], another: Another) -> None:
    filled.keeper.back_up(filled.folder / "backup", keys=True)
    assert stat.S_IMODE((filled.folder / "backup" / "keys").stat().st_mode) == 0o600
    url, keys = another("back"), filled.folder / "elsewhere"
    desk = open_store(store=url, plugins=PLUGINS, keys=keys, documents=filled.folder / "d")

    assert operator(desk).restore(filled.folder / "backup", keys=True).keys == "here"

    assert keys.read_bytes() == (filled.folder / "keys").read_bytes()
    assert desk.seat("user:lee", roles={"clerk"}).get_party(filled.office.people["maria"]).name == "Maria Silva"


def test_writers_go_on_meanwhile_and_every_backup_is_of_one_moment(
    filled: Filled, open_store: Callable[..., Desk], another: Another
) -> None:
    stop, done = threading.Event(), []
    lee = filled.desk.seat("user:lee", roles={"clerk"})
    case = filled.office.cases["plain"]

    def write() -> None:
        while not stop.is_set():
            done.append(lee.document(case, "letter", f"letter {len(done)}".encode(), name="l.txt"))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        made = [filled.keeper.back_up(filled.folder / f"backup {i}") for i in range(3)]
    finally:
        stop.set()
        thread.join()

    counts = [m.manifest.tenants["main"].documents for m in made]
    assert len(done) > 3
    assert counts == sorted(counts)
    assert all(m.manifest.whole for m in made)
    url = another("back")
    restored(open_store, filled, url, filled.folder / "backup 1")
    assert len(set(rows(url)["documents"])) >= counts[1]


def test_every_file_of_a_backup_that_was_changed_or_lost_is_refused(
    filled: Filled, open_store: Callable[..., Desk], another: Another
) -> None:
    filled.keeper.back_up(filled.folder / "backup")
    dice, url = random.Random(7), another("back")
    desk = open_store(store=url, plugins=PLUGINS, documents=filled.folder / "d")
    names = [path.relative_to(filled.folder / "backup") for path in (filled.folder / "backup").rglob("*") if path.is_file()]
    assert len(names) == 7
    for name in names:
        for damage in ("bit", "gone", "short"):
            tried = filled.folder / "tried"
            shutil.rmtree(tried, ignore_errors=True)
            shutil.copytree(filled.folder / "backup", tried)
            raw = bytearray((tried / name).read_bytes())
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
            if damage == "gone":
                (tried / name).unlink()
            else:
                (tried / name).write_bytes(raw if damage == "bit" else raw[: len(raw) // 2])
            if name.name == "manifest.json" and damage == "bit" and same_manifest(filled.folder / "backup", tried):
                continue
            with pytest.raises((BadInput, StoreFailed)):
                operator(desk).restore(tried)
            assert desk.store.tenants() == (), f"{name} {damage}"


def same_manifest(one: Path, other: Path) -> bool:
    """Whether a changed manifest says the same of what is checked: a blank, a moment, a name."""
    texts = [(folder / "manifest.json").read_bytes() for folder in (one, other)]
    try:
        read = [json.loads(text) for text in texts]
    except ValueError:
        return False
    return all(said.get(name) == read[0].get(name) for said in read for name in ("files", "tenants", "keyring", "keys", "casekit-backup"))


def test_a_record_that_is_not_whole_is_not_backed_up_but_on_demand(
    filled: Filled, open_store: Callable[..., Desk], another: Another
) -> None:
    desk, folder = filled.desk, filled.folder
    digest = next(iter(rows(filled.url)["documents"]))[-2]
    path = desk.shelf("main").files.path(digest)
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(BadInput, match="missing"):
        filled.keeper.back_up(folder / "backup")
    assert not (folder / "backup").exists()
    assert [p for p in folder.iterdir() if p.name.startswith(".")] == []

    made = filled.keeper.back_up(folder / "backup", damaged=True)
    assert [(tenant, wrong.table) for tenant, wrong in made.wrong] == [("main", "documents")]
    url = another("back")
    with pytest.raises(BadInput, match="can't be read"):
        restored(open_store, filled, url, folder / "backup")
    assert restored(open_store, filled, url, folder / "backup", damaged=True).store.tenants() == ("main",)
    path.write_bytes(kept)


def test_an_empty_place_or_none(filled: Filled) -> None:
    filled.keeper.back_up(filled.folder / "backup")
    with pytest.raises(StoreFailed, match="something already"):
        filled.keeper.back_up(filled.folder / "backup")
    before = rows(filled.url)
    with pytest.raises(BadInput, match="there is a store"):
        filled.keeper.restore(filled.folder / "backup")
    with pytest.raises(BadInput, match="the backup has not all of them"):
        filled.keeper.restore(filled.folder / "backup", force=True)
    assert rows(filled.url) == before


def test_force_replaces_a_store_that_has_nothing_newer(filled: Filled, open_store: Callable[..., Desk], another: Another) -> None:
    filled.keeper.back_up(filled.folder / "older")
    url = another("back")
    older = restored(open_store, filled, url, filled.folder / "older")
    forget(older)  # what tells of the restore itself
    filled.desk.seat("user:lee", roles={"clerk"}).note(filled.office.cases["long"], "later")
    filled.keeper.back_up(filled.folder / "newer")
    expected = rows(filled.url)["entries"]

    operator(older).restore(filled.folder / "newer", force=True)

    assert auditor(older) == []
    assert [row for row in rows(url)["entries"] if row[9] not in ("restore", "backup")] == [row for row in expected if row[9] != "backup"]


def forget(desk: Desk) -> None:
    connection = desk.shelf("main").connection
    sid = connection.execute("SELECT sid FROM entries WHERE kind = 'restore'").fetchone()[0]
    connection.execute(f"DELETE FROM entries WHERE sid = {sid}")
    connection.execute(f"DELETE FROM streams WHERE sid = {sid}")


def test_a_backup_that_is_older_than_a_checkpoint_is_restored_and_says_so(
    filled: Filled, open_store: Callable[..., Desk], another: Another
) -> None:
    admin = filled.desk.seat("user:root", roles={"admin"})
    admin.checkpoint()
    filled.keeper.back_up(filled.folder / "older")
    filled.desk.seat("user:lee", roles={"clerk"}).note(filled.office.cases["long"], "later")
    admin.checkpoint()
    there = filled.folder / "there"  # a copy that lives beside the original has a folder of keys of its own
    there.mkdir()
    for path in filled.folder.glob("keys*"):
        if path.is_file():
            shutil.copy(path, there)
    desk = open_store(store=another("back"), plugins=PLUGINS, keys=there / "keys", documents=filled.folder / "d")

    assert operator(desk).restore(filled.folder / "older").behind == ("main",)

    assert any("was cut" in wrong.what for wrong in auditor(desk)), "who holds the keys that sign is told what is missing"
    desk.seat("user:root", roles={"admin"}).checkpoint(origin="example.com/after-the-fire")
    assert auditor(desk) == []
    filled.keeper.back_up(filled.folder / "newer")


def test_every_tenant_comes_along(filled: Filled, open_store: Callable[..., Desk], another: Another) -> None:
    acme = filled.desk.seat("user:lee", roles={"clerk"}, tenant="acme")
    ada = acme.party("person", name="Ada Acme")
    made = filled.keeper.back_up(filled.folder / "backup")
    assert sorted(made.manifest.tenants) == ["acme", "main"]
    url = another("back")

    desk = restored(open_store, filled, url, filled.folder / "backup")

    assert desk.store.tenants() == ("acme", "main")
    assert desk.seat("user:lee", roles={"clerk"}, tenant="acme").get_party(ada).name == "Ada Acme"
    assert rows(url)["sequences"] == rows(filled.url)["sequences"]


def test_a_copy_put_aside_is_no_tenant(filled: Filled) -> None:
    if filled.url.startswith("sqlite"):
        shutil.copy(filled.folder / "store.db", filled.folder / "store.old.db")
        (filled.folder / "store.text.db").write_text("no database")
        assert filled.desk.store.tenants() == ("main",)


def test_without_its_keys_it_says_so_at_once(filled: Filled, open_store: Callable[..., Desk], another: Another) -> None:
    filled.keeper.back_up(filled.folder / "backup")
    keys = filled.folder / "not here"
    desk = open_store(store=another("back"), plugins=PLUGINS, keys=keys, documents=filled.folder / "d")
    with pytest.raises(BadInput, match="the keyring of the backup is not here"):
        operator(desk).restore(filled.folder / "backup")
    assert desk.store.tenants() == ()
    make_keyring(keys)
    with pytest.raises(BadInput, match="not the keyring of the backup"):
        operator(desk).restore(filled.folder / "backup")
    keys.unlink()

    assert operator(desk).restore(filled.folder / "backup", locked=True).keys == "missing"

    lee = desk.seat("user:lee", roles={"clerk"})
    assert lee.case(filled.office.cases["long"]).totals["paid"]
    with pytest.raises(StoreFailed, match="the keyring of this store is not there"):
        lee.note(filled.office.cases["long"], "x")
    assert not keys.exists(), "no new keyring is made for a store that has one"


def test_only_who_may_keep_the_store_does(filled: Filled) -> None:
    with pytest.raises(Denied):
        filled.desk.keeper("user:lee", roles={"clerk"}).back_up(filled.folder / "backup")
    assert not (filled.folder / "backup").exists()
    assert any(row[9] == "denied/2026-12-07" for row in rows(filled.url)["streams"])


@pytest.mark.parametrize("name", ["../../evil", "Main", "a/b", "", "x" * 41])
def test_a_manifest_that_names_other_places_is_none(filled: Filled, name: str) -> None:
    filled.keeper.back_up(filled.folder / "backup")
    path = filled.folder / "backup" / "manifest.json"
    said = json.loads(path.read_text())
    for group, file in (("tenants", name), ("files", f"store.{name}.db")):
        changed = {**said, group: {**said[group], file: next(iter(said[group].values()))}}
        path.write_text(json.dumps(changed))
        with pytest.raises(BadInput, match="no manifest"):
            operator(filled.desk).restore(filled.folder / "backup", force=True)
