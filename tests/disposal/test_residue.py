"""Nothing of what was destroyed is left in the files; what is in the way is said, and the next run goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from casekit import NotFound
from casekit.desk import disposals
from casekit.store import upkeep
from casekit.store.files import Files
from disposal.conftest import Office
from keeping.conftest import rows

SECRET = "rent was owed for 7719 weeks"


def keyed(office: Office, store_url: str) -> tuple[str, list[bytes], list[str]]:
    """A case, and what must be gone with it: its wrapped key, its envelopes' text, the links of its entries."""
    case = office.closed(story=SECRET)
    tables = rows(store_url)
    sid = next(row[1] for row in tables["streams"] if row[2] == case)
    key = next(bytes(row[4]) for row in tables["data_keys"] if row[1] == case)
    envelopes = [str(row[-2]) for row in tables["entries"] if row[1] == sid and "v1." in str(row[-2])]
    return case, [key, *[text.split('"v1.')[1].split('"')[0].encode() for text in envelopes]], [row[-2] for row in tables["documents"]]


def test_nothing_is_left_in_the_files(office: Office, clock: Any, engine: str, store_url: str, tmp_path: Path) -> None:
    case, secrets, contents = keyed(office, store_url)
    assert len(secrets) >= 3
    clock.forward(days=366)
    assert office.second.run_disposal(office.approved(case)).complete
    if engine == "sqlite":
        files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name.startswith("store.db")}
        assert "store.db" in files
        assert [name for name, raw in files.items() for secret in secrets if secret in raw] == []
    assert contents
    assert not [path for path in tmp_path.rglob("*") if path.name in contents]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_reader_in_the_way_is_said_and_the_next_run_ends_it(
    office: Office, clock: Any, engine: str, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, secrets, _ = keyed(office, store_url)
    clock.forward(days=366)
    name = office.approved(case)
    monkeypatch.setattr(upkeep, "PATIENCE", 0.2)
    with closing(sqlite3.connect(tmp_path / "store.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM streams").fetchone()
        done = office.second.run_disposal(name)
        assert (done.disposed, done.complete) == ((case,), False)
    again = office.second.run_disposal(name)
    assert (again.disposed, again.complete) == ((), True)
    files = [path for path in tmp_path.iterdir() if path.name.startswith("store.db") and path.is_file()]
    assert not [path for path in files for secret in secrets if secret in path.read_bytes()]


def test_what_a_crash_leaves_in_the_folder_goes_with_the_next_run(
    office: Office, clock: Any, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = office.closed(), office.closed()
    clock.forward(days=366)
    name = office.approved()
    real, count = disposals._dispose, [0]

    def dies(*args: Any) -> Any:
        count[0] += 1
        if count[0] == 2:
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as during:
        during.setattr(disposals, "_dispose", dies)
        with pytest.raises(KeyboardInterrupt):
            office.second.run_disposal(name)
    assert len([path for path in (tmp_path / "documents").rglob("*/??/*") if path.is_file()]) == 2
    assert [one.became for one in office.first.disposal(name).cases] == ["disposed", "waiting"]
    assert office.desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []

    done = office.second.run_disposal(name)

    assert (done.disposed, done.complete) == ((second,), True)
    assert [path for path in (tmp_path / "documents").rglob("*/??/*") if path.is_file()] == []
    with pytest.raises(NotFound):
        office.clerk.case(first)


def test_a_folder_that_can_not_be_swept_is_said(office: Office, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = office.closed()
    clock.forward(days=366)
    name = office.approved(case)
    with monkeypatch.context() as during:
        during.setattr(Files, "path", lambda *_: tmp_path)  # a folder can't be unlinked
        assert not office.second.run_disposal(name).complete
    assert office.second.run_disposal(name).complete


def test_every_statement_of_a_disposal_may_fail(office: Office, clock: Any, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """P3: whatever fails while a case goes, all of it is there afterwards, or nothing; and the next run ends it."""
    case = office.closed()
    clock.forward(days=366)
    name = office.approved(case)
    before = rows(store_url)
    shelf = office.desk.shelf("main")
    connection: Any = shelf.connection
    fails = 0
    for k in range(1, 200):
        left = [k]

        def execute(*args: Any, left: list[int] = left, real: Any = connection.execute) -> Any:
            left[0] -= 1
            if not left[0] and "ROLLBACK" not in args[0] and "unlock" not in args[0]:
                raise OSError("the disk is gone")
            return real(*args)

        with monkeypatch.context() as during:
            during.setattr(type(connection), "execute", lambda self, *args: execute(*args))
            try:
                office.second.run_disposal(name)
            except OSError:
                fails += 1
        if rows(store_url) != before:
            break
    assert fails > 10
    assert office.second.run_disposal(name).complete
    assert office.first.tombstones()[0].case == case
