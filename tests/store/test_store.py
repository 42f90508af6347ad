"""Where a store is, what keeps it: URLs, tables, keyring, lock, guarded writes."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert

from casekit import BadInput, Desk, Seat, StoreFailed, open_desk
from casekit.model.time import Effective
from casekit.store.engine import HEAD, read_url
from casekit.store.keys import Vault, make_keyring, read_keyring
from casekit.store.lock import FairLock
from casekit.store.migrations import STEPS
from casekit.store.tables import META, METADATA
from casekit.store.writing import Conflict


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("casekit.db", "no store URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://host/db", "not in mysql"),
        ("postgresql://host", "names no database"),
        ("", "no store URL"),
    ],
)
def test_a_malformed_url_is_refused_in_words(said: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read_url(said)


def test_a_store_that_is_no_database_is_bad_input_and_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database at all, only words that somebody wrote down once")
    desk = open_desk(store=f"sqlite:///{file}", installed=False)

    with pytest.raises(BadInput, match="can't be opened"):
        desk.seat("user:a", roles={"admin"}).verify()

    assert file.read_text().startswith("no database")


def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    desk = open_desk(store=f"sqlite:///{tmp_path}/no/such/folder.db")

    with pytest.raises(BadInput, match="can't be opened"):
        desk.seat("user:a", roles={"admin"}).verify()


def test_the_version_table_of_another_program_is_left_alone(open_store: Callable[..., Desk], store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0000a')")

    with pytest.raises(BadInput, match="another program"):
        open_store().ready()

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [("0000a",)]
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_knows(desk: Desk) -> None:
    engine = desk.shelf("main").engine

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [d for d in compare_metadata(context, METADATA) if d[0] != "remove_table" or d[1].name != "alembic_version"]

    assert differences == []


def test_tables_are_strict_and_commits_are_durable(open_store: Callable[..., Desk], engine: str) -> None:
    connection = open_store().shelf("main").connection
    if engine == "sqlite":
        pragmas = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert connection.execute("PRAGMA secure_delete").fetchone()[0] == 1
        tables = [row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'") if "alembic" not in row[0]]
        assert len(tables) == len(METADATA.tables)
        assert all("STRICT" in sql for sql in tables)
        assert all("tenant" in sql for sql in tables if "TABLE meta" not in sql)


def test_the_keyring_is_private_and_known_again(tmp_path: Path, seat: Seat) -> None:
    seat.party("person", name="Ada Lovelace")
    keys = tmp_path / "keys"

    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert "Ada Lovelace" not in keys.read_text()  # three letters alone stand in base64 by chance
    assert read_keyring(keys) == read_keyring(keys)


@pytest.mark.parametrize("damage", ["gone", "another", "broken", "short"])
def test_a_wrong_keyring_is_refused_at_once(tmp_path: Path, open_store: Callable[..., Desk], damage: str) -> None:
    first = open_store()
    ada = first.seat("user:lee", roles={"clerk"}).party("person", name="Ada")
    first.close()
    keys = tmp_path / "keys"
    kept = keys.read_bytes()
    keys.unlink()
    if damage == "another":
        make_keyring(keys)
    elif damage == "broken":
        keys.write_text("{")
    elif damage == "short":
        ring = json.loads(kept)
        keys.write_text(json.dumps({**ring, "index": "AAAA"}))

    with pytest.raises(StoreFailed, match="keyring"):
        _ = open_store().seat("user:lee", roles={"clerk"}).get_party(ada).name

    keys.write_bytes(kept)
    assert open_store().seat("user:lee", roles={"clerk"}).get_party(ada).name == "Ada"


def test_two_processes_that_make_a_keyring_get_the_same_one(tmp_path: Path) -> None:
    rings: list[Any] = []
    threads = [threading.Thread(target=lambda: rings.append(make_keyring(tmp_path / "keys"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(rings) == 8
    assert all(ring == rings[0] for ring in rings)


def test_desks_that_meet_at_a_new_store_agree_on_its_keyring(open_store: Callable[..., Desk], tmp_path: Path) -> None:
    first, second = open_store().shelf("main"), open_store().shelf("main")
    ring = make_keyring(tmp_path / "keys")

    with ThreadPoolExecutor(1) as threads:
        with first.transaction() as connection:
            write = first.statements.get("new meta", lambda: insert(META))
            connection.execute(write.text, write.bind({"name": "keyring", "value": ring.check}))
            waiting = threads.submit(lambda: second.vault.ring.check)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)  # it found no row, and its own waits for the first one's commit
        assert waiting.result(timeout=10) == ring.check


def test_an_envelope_opens_only_where_it_was_written(tmp_path: Path) -> None:
    vault = Vault(make_keyring(tmp_path / "keys"), "main")
    key, row = vault.new("owner")
    sealed = key.seal({"name": "Ada"}, b"main/stream/party")

    assert vault.unlock(row).open(sealed, b"main/stream/party") == {"name": "Ada"}
    with pytest.raises(StoreFailed, match="changed or belongs elsewhere"):
        key.open(sealed, b"main/other/party")
    with pytest.raises(StoreFailed, match="does not fit the keyring"):
        Vault(vault.ring, "other").unlock(row)


def test_the_lock_is_handed_on_in_order_and_knows_its_owner() -> None:
    lock = FairLock()
    order: list[int] = []
    lock.__enter__()
    with pytest.raises(StoreFailed, match="already writing"):
        lock.__enter__()
    threads = []
    for i in range(5):
        thread = threading.Thread(target=lambda i=i: _enter(lock, order, i))
        thread.start()
        threads.append(thread)
        while len(lock._waiting) <= i:
            pass
    lock.__exit__(None, None, None)
    for thread in threads:
        thread.join()

    assert order == [0, 1, 2, 3, 4]


def _enter(lock: FairLock, order: list[int], i: int) -> None:
    with lock:
        order.append(i)


@pytest.mark.parametrize("others", [0, 1, 2])
def test_a_write_set_on_an_old_head_changes_nothing(seat: Seat, desk: Desk, others: int) -> None:
    """Also where it changes further streams, which are as they were."""
    parties = [seat.party("person", name=f"Ada {i}") for i in range(others + 1)]
    old = desk.work(desk.shelf("main"))
    now = desk.now()
    change = [{"c": "head", "set": {"zone": "Europe/Berlin"}}]
    for party in parties:
        stream = old.stream(party.id, "party")
        old.append(stream, "party", change, {}, actor="user:a", effective=Effective(now, "UTC"), recorded=now, command="x", spoke={})
    seat.change_party(parties[others // 2], zone="Europe/Rome")

    with pytest.raises(Conflict):
        old.flush()

    assert [seat.get_party(party).zone for party in parties].count("Europe/Berlin") == 0


def test_a_sequence_draws_without_gaps_even_where_writers_race(open_store: Callable[..., Desk]) -> None:
    numbers: list[str | None] = []
    ready = threading.Barrier(4)

    def work() -> None:
        desk = open_store()
        seat = desk.seat("user:lee", roles={"clerk"})
        ready.wait()
        party = seat.party("person", name="Ada")
        asked = {"data": {"deposit": "1.00 EUR"}, "parties": {"tenant": party, "landlord": party}}
        numbers.extend(seat.open("tenancy.dispute", **asked).number for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(str(n) for n in numbers) == [f"T-2026-{n:05}" for n in range(1, 41)]


def test_writers_of_one_case_lose_nothing(open_store: Callable[..., Desk]) -> None:
    desk = open_store()
    seat = desk.seat("user:lee", roles={"clerk"})
    party = seat.party("person", name="Ada")
    case = seat.open("tenancy.dispute", data={"deposit": "100.00 EUR"}, parties={"tenant": party, "landlord": party})

    def work() -> None:
        own = open_store()
        for _ in range(15):
            own.seat("user:kim", roles={"clerk"}).pay(case.id, "0.10 EUR")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    after = seat.case(case.id)
    assert (str(after.totals["paid"]), after.n) == ("6.00 EUR", 61)
    assert desk.seat("user:a", roles={"auditor"}).verify().ok


def test_one_key_from_many_writers_has_one_effect(open_store: Callable[..., Desk]) -> None:
    desk = open_store()
    seat = desk.seat("user:lee", roles={"clerk"})
    party = seat.party("person", name="Ada")
    case = seat.open("tenancy.dispute", data={"deposit": "100.00 EUR"}, parties={"tenant": party, "landlord": party})
    answers: list[tuple[int, ...]] = []
    ready = threading.Barrier(4)

    def work() -> None:
        own = open_store().seat("user:lee", roles={"clerk"})
        ready.wait()
        answers.extend(own.pay(case.id, "1.00 EUR", key=f"k{i}").entries for i in range(8))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert str(seat.case(case.id).totals["paid"]) == "8.00 EUR"
    assert len(answers) == 32
    assert len(set(answers)) == 8


def test_tenants_do_not_see_each_other(open_store: Callable[..., Desk]) -> None:
    desk = open_store()
    one, two = (desk.seat("user:lee", roles={"clerk"}, tenant=name) for name in ("one", "two"))
    ada = one.party("person", name="Ada", ref="7")

    with pytest.raises(BadInput, match="there is no party"):
        two.get_party(ada)
    assert two.find_parties(name="Ada") == ()
    assert [r.verify().streams for r in (one, two)] == [1, 0]


def test_the_version_of_the_tables_is_that_of_the_last_step() -> None:
    assert list(STEPS)[-1] == HEAD == max(STEPS)
