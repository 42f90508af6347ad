"""P15, the part of backups: who is erased stays erased when an older backup comes back, and for good once a key is gone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from casekit import BadInput, Desk, StoreFailed
from casekit.store import erasures
from casekit.store.erasures import ledger_beside
from casekit.store.keys import Key, Vault, read_keyring
from casekit.store.tables import METADATA
from keeping.conftest import PLUGINS, auditor, operator, rows
from proofs.test_erasure import SECRETS, opened_case, readable

Another = Callable[..., str]


@pytest.fixture
def desk(open_store: Callable[..., Desk], tmp_path: Path) -> Desk:
    return open_store(plugins=PLUGINS, documents=tmp_path / "documents")


def keys(ring: Path, tables: dict[str, list[tuple[Any, ...]]]) -> dict[str, Key]:
    """Every data key that a keyring opens, of those in the tables."""
    vault, found = Vault(read_keyring(ring), "main"), {}
    for _, *row in tables["data_keys"]:
        if row[2] in vault.ring.keys:
            key = vault.unlock(tuple(row))  # type: ignore[arg-type]
            found[key.id] = key
    return found


def of_file(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in METADATA.tables}


def text_of(tables: dict[str, list[tuple[Any, ...]]], ring: Path) -> str:
    return "\n".join(readable(tables, keys(ring, tables)))


def test_an_older_backup_that_is_restored_is_erased_again(
    engine: str, desk: Desk, open_store: Callable[..., Desk], another: Another, store_url: str, tmp_path: Path
) -> None:
    otto = opened_case(desk)
    operator(desk).back_up(tmp_path / "older")
    assert all(secret in text_of(of_file(tmp_path / "older" / "store.db"), tmp_path / "keys") for secret in SECRETS)
    desk.seat("user:lee", roles={"clerk"}).erase(otto)
    url = another("back")
    back = open_store(store=url, plugins=PLUGINS, documents=tmp_path / "d")

    done = operator(back).restore(tmp_path / "older")

    assert (done.erased, done.ledgers) == (1, (str(tmp_path / "keys.erasures"),))
    left = text_of(rows(url), tmp_path / "keys")
    assert not [secret for secret in SECRETS if secret in left]
    assert "they quarrel" in left, "the other person of the case stays"
    assert auditor(back) == []
    log = next(row for row in rows(url)["streams"] if row[3] == "log" and row[9] == "erasures")
    said = json.loads(next(row[-2] for row in rows(url)["entries"] if row[1] == log[1]))["about"]
    assert said["parties"] == [otto]
    assert bytes.fromhex(said["again"]) in [row[-1] for row in rows(store_url)["entries"]]
    with pytest.raises(BadInput, match="has been erased"):
        back.seat("user:lee", roles={"clerk"}).change_party(otto, name="Otto again")


def test_whoever_was_erased_while_their_case_was_open_in_the_backup_is_erased_all_the_same(
    desk: Desk, open_store: Callable[..., Desk], another: Another, tmp_path: Path
) -> None:
    lee = desk.seat("user:lee", roles={"clerk"})
    otto, shop = lee.party("person", name="Otto Gone", phone="0401234"), lee.party("organisation", name="Haus")
    case = lee.open("tenancy.dispute", data={"deposit": "70.00 EUR", "story": "q"}, parties={"tenant": otto, "landlord": shop}).id
    lee.document(case, "letter", b"We agree.")
    operator(desk).back_up(tmp_path / "older")
    later = lee.party("person", name="Came Later")
    lee.do(case, "withdraw")
    assert lee.erase(otto).shut == (case,)
    lee.erase(later)  # the backup knows nothing of her
    url = another("back")
    back = open_store(store=url, plugins=PLUGINS, documents=tmp_path / "d")

    assert operator(back).restore(tmp_path / "older").erased == 1

    assert "Otto Gone" not in text_of(rows(url), tmp_path / "keys")
    assert auditor(back) == []
    clerk = back.seat("user:lee", roles={"clerk"})
    assert clerk.case(case).category == "open"
    clerk.note(case, "goes on")
    assert clerk.pay(case, "1.00 EUR").entries
    assert auditor(back) == []


def test_after_a_rotation_and_the_end_of_the_old_key_no_older_backup_opens_the_erased(
    desk: Desk, open_store: Callable[..., Desk], another: Another, tmp_path: Path, store_url: str
) -> None:
    otto = opened_case(desk)
    keeper = operator(desk)
    keeper.back_up(tmp_path / "older", keys=False)
    desk.seat("user:lee", roles={"clerk"}).erase(otto)
    old = keeper.rotate().older[0]
    assert "Otto Gone" in text_of(of_file(tmp_path / "older" / "store.db"), tmp_path / "keys"), "rotation alone is not enough"
    keeper.destroy_key(old, at_once=True)

    assert text_of(of_file(tmp_path / "older" / "store.db"), tmp_path / "keys") == ""
    assert "they quarrel" in text_of(rows(store_url), tmp_path / "keys")
    url = another("back")
    back = open_store(store=url, plugins=PLUGINS, documents=tmp_path / "d")
    with pytest.raises(BadInput, match=f"the keyring lacks {old}"):
        operator(back).restore(tmp_path / "older")
    assert operator(back).restore(tmp_path / "older", locked=True).keys == "missing"
    assert text_of(rows(url), tmp_path / "keys") == ""
    keeper.back_up(tmp_path / "newer")
    assert "Otto Gone" not in text_of(of_file(tmp_path / "newer" / "store.db"), tmp_path / "keys")


def test_a_backup_holds_no_residue_of_the_erased(desk: Desk, tmp_path: Path, store_url: str) -> None:
    otto = opened_case(desk)
    wrapped = next(bytes(row[4]) for row in rows(store_url)["data_keys"] if row[1] == otto)
    reader = sqlite3.connect(tmp_path / "store.db") if store_url.startswith("sqlite") else None
    if reader is not None:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM streams").fetchone()  # the log can't be emptied while he reads
    assert desk.seat("user:lee", roles={"clerk"}).erase(otto).complete == (reader is None)
    operator(desk).back_up(tmp_path / "backup")
    assert wrapped not in b"".join(path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file())
    if reader is not None:
        reader.close()


def test_a_ledger_from_elsewhere_is_taken_and_a_changed_one_is_not(
    desk: Desk, open_store: Callable[..., Desk], another: Another, tmp_path: Path
) -> None:
    otto = opened_case(desk)
    operator(desk).back_up(tmp_path / "older")
    desk.seat("user:lee", roles={"clerk"}).erase(otto)
    assert operator(desk).erasures(tmp_path / "ledger") == (tmp_path / "ledger", 1)
    (tmp_path / "keys.erasures").unlink()
    changed = (tmp_path / "ledger").read_text().replace(otto, "01a212f1-1ffa-7774-9ecb-aff7e6b6d92c")
    (tmp_path / "changed").write_text(changed)
    (tmp_path / "words").write_text("no ledger\n")
    url = another("back")
    back = open_store(store=url, plugins=PLUGINS, documents=tmp_path / "d")
    for name, what in (("changed", "does not follow"), ("words", "no line of a ledger")):
        with pytest.raises(BadInput, match=what):
            operator(back).restore(tmp_path / "older", erasures=(tmp_path / name,))
    with pytest.raises(StoreFailed, match="can't be read"):
        operator(back).restore(tmp_path / "older", erasures=(tmp_path / "nothing",))
    assert back.store.tenants() == ()

    assert operator(back).restore(tmp_path / "older", erasures=(tmp_path / "ledger",)).erased == 1
    assert (tmp_path / "keys.erasures").exists(), "and the ledger of the new store tells of it"


def test_an_erasure_is_incomplete_while_the_ledger_can_t_be_written(desk: Desk, tmp_path: Path) -> None:
    otto = opened_case(desk)
    (tmp_path / "keys.erasures").mkdir()
    lee = desk.seat("user:lee", roles={"clerk"})
    assert not lee.erase(otto).complete
    assert any(f.about == "ledger of erasures of main" and f.level == "wrong" for f in operator(desk).examine())
    (tmp_path / "keys.erasures").rmdir()
    assert operator(desk).erasures() == (ledger_beside(tmp_path / "keys"), 1)
    assert all(f.level == "good" for f in operator(desk).examine() if f.about.startswith("ledger"))


def test_a_line_that_a_crash_has_torn_comes_again(desk: Desk, tmp_path: Path) -> None:
    otto = opened_case(desk)
    desk.seat("user:lee", roles={"clerk"}).erase(otto)
    path = tmp_path / "keys.erasures"
    whole = path.read_bytes()
    for cut in range(0, len(whole), 97):
        path.write_bytes(whole[:cut])
        if cut > len('{"entry"'):
            with pytest.raises(BadInput, match="line 1: the line is torn"):
                erasures.read(path)
        operator(desk).erasures()
        assert path.read_bytes() == whole
    path.unlink()
    operator(desk).erasures()
    assert path.read_bytes() == whole
