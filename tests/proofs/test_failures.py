"""P3: a command that fails changes nothing, wherever it fails, and the next one works."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import define, field

from casekit import CasekitError, Denied, Desk, Refused, Seat
from casekit.desk import due
from casekit.errors import StoreFailed
from casekit.store.shelf import Shelf
from casekit.store.tables import METADATA
from servers import dsn

Digests = dict[str, str]
State = dict[str, Any]


class Faults:
    """Counts calls, and lets some of them fail: the k-th, or all from the k-th on."""

    def __init__(self) -> None:
        self.at = 0
        self.ever_after = False
        self.count = 0

    def arm(self, at: int, *, ever_after: bool = False) -> None:
        self.at, self.ever_after, self.count = at, ever_after, 0

    def hit(self) -> bool:
        """Whether this call fails."""
        self.count += 1
        return bool(self.at) and (self.count >= self.at if self.ever_after else self.count == self.at)


class Driver:
    """A driver's connection whose statements fail when they are told to."""

    def __init__(self, real: Any, faults: Faults, error: type[Exception]) -> None:
        self.real, self.faults, self.error = real, faults, error

    def execute(self, *args: Any) -> Any:
        self._maybe()
        return self.real.execute(*args)

    def cursor(self) -> Any:
        return Cursor(self)

    def _maybe(self) -> None:
        if self.faults.hit():
            raise self.error("disk I/O error")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Cursor:
    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.rowcount = -1

    def executemany(self, *args: Any) -> None:
        self.driver._maybe()
        cursor = self.driver.real.cursor()
        cursor.executemany(*args)
        self.rowcount = cursor.rowcount


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Statements of every connection that a shelf opens from now on."""
    found = Faults()
    connect = Shelf._connect

    def connected(shelf: Shelf, broken: Any) -> Any:
        connection = connect(shelf, broken)
        connection.driver = Driver(connection.driver, found, connection.errors.__subclasses__()[0])
        return connection

    monkeypatch.setattr(Shelf, "_connect", connected)
    return found


class Tables:
    """What is in every table, row by row, seen from outside."""

    def __init__(self, engine: str, url: str, folder: Path) -> None:
        self.connection: Any
        if engine == "sqlite":
            self.connection = sqlite3.connect(folder / "store.db", isolation_level=None)
        else:
            self.connection = psycopg.connect(dsn(url), autocommit=True)

    def digests(self) -> Digests:
        found = {}
        for name in METADATA.tables:
            rows = sorted(map(repr, self.connection.execute(f"SELECT * FROM {name}").fetchall()))
            found[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
        return found

    def close(self) -> None:
        self.connection.close()


def denied(desk: Desk, state: State) -> None:
    with suppress(Denied):
        desk.seat("user:eve", roles={"reader"}).do(state["case"], "answer")


def refused(command: Callable[[], Any]) -> None:
    with suppress(Refused):
        command()


def commands(desk: Desk, lee: Seat, state: State) -> dict[str, Callable[[], Any]]:
    """Every kind of command, in an order in which each of them can be done."""
    case = lambda: state["case"]  # noqa: E731

    def party() -> None:
        state["one"] = lee.party("person", name="One", phone="030 1", key="one").id

    def opened() -> None:
        data = {"deposit": "900.00 EUR", "story": "a stain", "health": "asthma"}
        state["case"] = lee.open("tenancy.dispute", data=data, parties={"tenant": state["one"], "landlord": state["shop"]}, key="c").id

    def kept(name: str, command: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            state[name] = command().id

        return run

    return {
        "party": party,
        "party again": lambda: state.update(shop=lee.party("organisation", name="Haus", ref="x").id),
        "change party": lambda: lee.change_party(state["one"], phone="030 2", reason="moved"),
        "twin": lambda: state.update(twin=lee.party("person", name="Twin").id),
        "merge": lambda: lee.merge_parties(state["twin"], state["one"]),
        "staff": lambda: state.update(kim=lee.party("staff", name="Kim").id),
        "open": opened,
        "note": lambda: lee.note(case(), "she called", key="note"),
        "fact": lambda: lee.note_fact(case(), "rent", "250.00 EUR", source="lease"),
        "role": lambda: lee.give_role(case(), "handler", state["kim"]),
        "role taken": lambda: lee.take_role(case(), "handler", state["kim"]),
        "change": lambda: lee.change(case(), {"story": "two stains", "rooms": 2}, reason="seen"),
        "charge": lambda: lee.charge(case(), "damage", "30.00 EUR", note="door"),
        "pay": kept("paid", lambda: lee.pay(case(), "100.00 EUR", key="pay")),
        "reverse": lambda: lee.reverse(case(), state["paid"]),
        "document": kept("letter", lambda: lee.document(case(), "letter", b"Dear Ms Silva", name="l.txt")),
        "document again": lambda: lee.document(case(), "letter", b"once more", document=state["letter"]),
        "message": lambda: lee.message(case(), direction="out", via="letter", outcome="sent", to="tenant", text="please"),
        "refusal": lambda: refused(lambda: lee.pay(case(), "5000.00 EUR", key="too much")),
        "denial": lambda: denied(desk, state),
        "choose": lambda: lee.choose(case(), "two-halves"),
        "observed": lambda: lee.do(case(), "resume", observed=True),
        "do": lambda: lee.do(case(), "answer", {"tone": "angry"}),
        "photo": lambda: lee.document(case(), "photo", b"\x89PNG"),
        "close": lambda: lee.close(case(), "decided", reason="enough"),
        "erase": lambda: lee.erase(state["one"]),
    }


@define
class Tried:
    """What was tried, and what went wrong."""

    failures: int = 0
    wrong: list[str] = field(factory=list)


def until_it_works(name: str, command: Callable[[], Any], faults: Faults, tables: Tables, tried: Tried, *, ever_after: bool) -> None:
    """Lets a command fail at its first call, its second … until it comes through."""
    before = tables.digests()
    for k in range(1, 200):
        faults.arm(k, ever_after=ever_after)
        try:
            command()
        except CasekitError as wrong:
            failed, said = True, isinstance(wrong, StoreFailed)
        except Exception as wrong:  # noqa: BLE001 - the very thing that must not be
            failed, said = True, False
            tried.wrong.append(f"{name}, call {k}: {type(wrong).__name__} {wrong}")
        else:
            failed = said = False
        happened = faults.count >= k
        faults.arm(0)
        if not happened:
            return
        tried.failures += 1
        if failed and not said:
            tried.wrong.append(f"{name}, call {k}: it was not said that the store failed")
        after = tables.digests()
        if failed and after != before:
            tried.wrong.append(f"{name}, call {k}: changed {[t for t in before if before[t] != after[t]]}")
        if after != before:
            return  # done, in spite of the failure: after the commit nothing may be undone
    tried.wrong.append(f"{name}: never came through")


@pytest.mark.parametrize("ever_after", [False, True], ids=["once", "for good"])
def test_every_statement_failing(
    engine: str,
    ever_after: bool,
    store_url: str,
    tmp_path: Path,
    open_store: Callable[..., Desk],
    faults: Faults,
    figure: Callable[[str], None],
) -> None:
    desk = open_store()
    lee = desk.seat("user:lee", roles={"clerk"})
    lee.party("person", name="the first, so that there is a keyring")
    tried = Tried()
    with closing(Tables(engine, store_url, tmp_path)) as tables:
        for name, command in commands(desk, lee, {}).items():
            until_it_works(name, command, faults, tables, tried, ever_after=ever_after)

    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    mode = "for good" if ever_after else "once"
    figure(f"P3 statements ({engine}, {mode}): {tried.failures} failures in 26 commands, {len(tried.wrong)} with a trace")
    assert tried.wrong == []


def test_a_sweep_that_is_cut_off_leaves_whole_batches(
    desk: Desk, clock: Any, faults: Faults, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None], engine: str
) -> None:
    """The store fails at the first statement, the second … and for good: what was swept until then is whole hundreds (here: threes)."""
    monkeypatch.setattr(due, "BATCH", 3)
    lee = desk.seat("user:lee", roles={"clerk"})
    people = {"tenant": lee.party("person", name="One"), "landlord": lee.party("organisation", name="Haus")}
    cut = Counter[int]()
    for k in range(1, 200):
        with lee.batch() as batch:
            cases = [batch.open("tenancy.dispute", data={"deposit": "900.00 EUR"}, parties=people).id for _ in range(7)]
        clock.forward(days=15)
        faults.arm(k, ever_after=True)
        with suppress(StoreFailed):
            lee.run_due()
        happened = faults.count >= k
        faults.arm(0)
        breached = [case for case in cases if lee.file(case).clocks[0].status == "breached"]
        cut[len(breached)] += 1
        lee.run_due()
        assert {lee.file(case).clocks[0].status for case in cases} == {"breached"}
        assert {len(lee.journal(case)) for case in cases} == {3}
        if not happened:
            break

    figure(f"P3 sweep ({engine}): cut off at {cut.total() - 1} statements, cases swept then: {sorted(cut)}")
    assert set(cut) == {0, 3, 6, 7}


@contextmanager
def failing_files(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls on files fail as they do on a broken disk."""
    with monkeypatch.context() as patched:
        for module, name in ((os, "fsync"), (os, "rename"), (os, "open"), (os, "mkdir"), (os, "link"), (os, "unlink"), (io, "open")):
            patched.setattr(module, name, _failing(getattr(module, name), faults))
        yield


def _failing(real: Callable[..., Any], faults: Faults) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if faults.hit():
            raise OSError(errno.EIO, "Input/output error")
        return real(*args, **kwargs)

    return call


def test_every_call_on_files_failing(
    engine: str,
    store_url: str,
    tmp_path: Path,
    open_store: Callable[..., Desk],
    monkeypatch: pytest.MonkeyPatch,
    figure: Callable[[str], None],
) -> None:
    faults, tried, state = Faults(), Tried(), {}
    desk = open_store()
    lee = desk.seat("user:lee", roles={"clerk"})
    desk.shelf("main")
    with closing(Tables(engine, store_url, tmp_path)) as tables:
        for name, command in commands(desk, lee, state).items():
            if name in ("party", "document", "document again", "photo"):
                with failing_files(faults, monkeypatch):
                    until_it_works(name, command, faults, tables, tried, ever_after=False)
            if name == "party" or name not in ("document", "document again", "photo"):
                command()
    contents = [p for p in (tmp_path).rglob("*") if p.is_file() and p.suffix == "" and p.name != "keys"]

    assert tried.failures > 12
    figure(f"P3 files ({engine}): {tried.failures} failures at the keyring and 3 documents, {len(tried.wrong)} with a trace")
    assert tried.wrong == []
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    assert [p.name for p in contents if p.name != hashlib.sha256(p.read_bytes()).hexdigest()] == [], "no half content, no draft"
    beside = ["keys", "keys.erasures"] if engine == "sqlite" else ["keys", "keys.documents", "keys.erasures"]
    assert sorted(p.name for p in tmp_path.glob("keys*")) == beside


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_full_disk_at_ten_sizes(engine: str, tmp_path: Path, open_store: Callable[..., Desk], figure: Callable[[str], None]) -> None:
    desk = open_store(store=f"sqlite:///{tmp_path}/store.db")  # on PostgreSQL its statement fails, as above
    lee = desk.seat("user:lee", roles={"clerk"})
    people = [lee.party("person", name="One").id, lee.party("organisation", name="Haus").id]
    case = lee.open("tenancy.dispute", data={"deposit": "900.00 EUR"}, parties={"tenant": people[0], "landlord": people[1]}).id
    connection = desk.shelf("main").connection
    full = 0
    with closing(Tables(engine, "", tmp_path)) as tables:
        for size in range(10):
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + size}")
            before = tables.digests()
            for i in range(200):
                try:
                    lee.note(case, "x" * (500 + 700 * (i % 7)))
                except StoreFailed:
                    full += 1
                    break
                before = tables.digests()
            assert tables.digests() == before
            connection.execute("PRAGMA max_page_count = 1000000")
            lee.pay(case, "1.00 EUR")
            assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    assert full == 10
    figure(f"P3 disk full: {full} sizes, 0 with a trace")
