"""The doctor says what a promise rests on, and changes nothing; fsck holds documents against the record."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from casekit import BadInput, Desk
from casekit.desk import health
from casekit.desk.health import Sign
from casekit.store import engine as engines
from keeping.conftest import PLUGINS, Filled, operator, rows


@define
class Sick:
    """A plugin that can't be loaded: it asks for an interface that there is not."""

    PLUGIN: Any = None


def level(found: tuple[Sign, ...], about: str) -> list[str]:
    return [one.level for one in found if one.about == about]


def test_a_store_as_it_should_be(filled: Filled, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(filled.url)
    found = filled.keeper.examine()
    wrong = {one.about for one in found if one.level == "wrong"}
    assert rows(filled.url) == before
    if engine == "sqlite":
        assert wrong == {"outbox of main"}, "the deaf plugin of the office has failed"
        assert level(found, "sqlite synchronous") == level(found, "sqlite secure_delete") == ["good"]
        return
    # The server of the tests is set to be quick: a power cut would cost it what it has acknowledged.
    assert wrong == {"outbox of main", *(f"postgresql {name}" for name in ("fsync", "full_page_writes", "synchronous_commit"))}
    assert "CASEKIT_DURABILITY=relaxed" in next(one.do for one in found if one.about == "postgresql fsync")
    monkeypatch.setenv(health.RELAXED, "relaxed")
    relaxed = filled.keeper.examine()
    assert {one.about for one in relaxed if one.level == "wrong"} == {"outbox of main"}
    assert level(relaxed, "postgresql fsync") == ["note"]


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("pragma", "weaker"),
    [
        ("synchronous=FULL", "synchronous=NORMAL"),
        ("secure_delete=ON", "secure_delete=OFF"),
        ("foreign_keys=ON", "foreign_keys=OFF"),
        ("journal_mode=WAL", "journal_mode=DELETE"),
    ],
)
def test_weaker_settings_are_refused_unless_somebody_has_said_so_in_writing(
    filled: Filled, open_store: Callable[..., Desk], engine: str, pragma: str, weaker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.desk.close()
    monkeypatch.setattr(engines, "PRAGMAS", tuple(one.replace(pragma, weaker) for one in engines.PRAGMAS))
    about = f"sqlite {weaker.split('=', maxsplit=1)[0]}"
    keeper = operator(open_store(plugins=PLUGINS))
    assert level(keeper.examine(), about) == ["wrong"]
    monkeypatch.setenv(health.RELAXED, "yes")
    assert level(keeper.examine(), about) == ["wrong"], "only the word itself counts"
    monkeypatch.setenv(health.RELAXED, "relaxed")
    assert level(keeper.examine(), about) == ["note"]


def test_keys_that_others_may_read_or_that_are_not_there(filled: Filled) -> None:
    path = filled.folder / "keys"
    path.chmod(0o640)
    assert level(filled.keeper.examine(), "keyring rights") == ["wrong"]
    path.chmod(0o600)
    assert level(filled.keeper.examine(), "keyring rights") == ["good"]
    kept = path.read_bytes()
    path.write_text("{")
    assert level(filled.keeper.examine(), "keyring") == ["wrong"]
    path.unlink()
    assert level(filled.keeper.examine(), "keyring") == ["wrong"]
    path.write_bytes(kept)


def test_a_clock_that_runs_behind_the_record(filled: Filled, clock: Any) -> None:
    assert level(filled.keeper.examine(), "clock") == ["good"]
    clock.forward(days=-1)
    assert level(filled.keeper.examine(), "clock") == ["wrong"]
    clock.forward(days=1)


def test_a_plugin_in_quarantine_and_a_disk_that_is_full(filled: Filled, open_store: Callable[..., Desk], monkeypatch: Any) -> None:
    desk = open_store(plugins=[*PLUGINS, Sick()])
    assert any(one.level == "wrong" and one.about.startswith("plugin ") for one in operator(desk).examine())
    monkeypatch.setattr(health, "NONE_LEFT", 2**60)
    assert "wrong" in level(filled.keeper.examine(), "space for the documents")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_tables_of_another_version_are_looked_at_and_not_changed(filled: Filled, open_store: Callable[..., Desk], engine: str) -> None:
    filled.desk.close()
    with sqlite3.connect(filled.folder / "store.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    found = operator(open_store(plugins=PLUGINS)).examine()
    assert level(found, "tables of main") == ["note"]
    with sqlite3.connect(filled.folder / "store.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert level(operator(open_store(plugins=PLUGINS)).examine(), "tables of main") == ["wrong"]
    with sqlite3.connect(filled.folder / "store.db") as connection:
        connection.execute(f"UPDATE alembic_version SET version_num = '{engines.HEAD}'")
    connection.close()


def test_where_there_is_no_store_none_is_made(open_store: Callable[..., Desk], tmp_path: Path, engine: str) -> None:
    desk = open_store(plugins=PLUGINS)
    assert level(operator(desk).examine(), "store") == ["note"]
    assert desk.store.tenants() == ()
    assert not (tmp_path / "store.db").exists()
    for command in (lambda: operator(desk).back_up(tmp_path / "b"), operator(desk).rotate, operator(desk).check_contents):
        with pytest.raises(BadInput, match="there is no store"):
            command()


def test_documents_that_are_missing_changed_or_named_by_nothing(filled: Filled) -> None:
    files = filled.desk.shelf("main").files
    named = sorted({row[-2] for row in rows(filled.url)["documents"]})
    found = filled.keeper.check_contents()
    assert (found.ok, found.checked, found.orphans, found.young) == (True, 5, (), 0)
    kept = {digest: files.path(digest).read_bytes() for digest in named}
    files.path(named[0]).unlink()
    files.path(named[1]).write_bytes(kept[named[1]][:-1])
    old, young = files.path(files.put(b"old")), files.path(files.put(b"young"))
    draft = old.with_name(f".{old.name}.123.abcd")
    draft.write_bytes(b"half of a")
    for path in (old, draft):
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))

    found = filled.keeper.check_contents()

    assert [one.digest for one in found.missing] == [named[0]]
    assert [one.digest for one in found.changed] == [named[1]]
    assert found.missing[0].cases[0] in filled.office.cases.values()
    assert sorted(one.file for one in found.orphans) == sorted(map(str, (old, draft)))
    assert (found.ok, found.young, found.removed) == (False, 1, 0)
    assert old.exists(), "nothing is removed unless somebody says so"

    with pytest.raises(BadInput, match="an hour at least"):
        filled.keeper.check_contents(grace=0, remove=True)
    assert filled.keeper.check_contents(remove=True).removed == 2
    assert (old.exists(), draft.exists(), young.exists()) == (False, False, True)
    for digest, content in kept.items():
        files.path(digest).write_bytes(content)
    assert filled.keeper.check_contents().ok
