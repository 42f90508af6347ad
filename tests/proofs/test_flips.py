"""P8: any change of what is recorded is detected, and its place is named."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import define, field, frozen

from casekit import CasekitError, Desk, Seat, open_desk
from casekit.record.tables import KEYS, ROWS
from casekit.record.verify import Wrong
from casekit.store import erasures
from casekit.store.tables import METADATA
from proofs import office
from servers import dsn

OUTSIDE = {
    ("outbox", "n"): "which entry is still to be told: a pointer to nowhere is found, one to another entry can't be",
    ("outbox", "attempts"): "how a delivery goes, not what was recorded",
    ("outbox", "next_at"): "how a delivery goes, not what was recorded",
    ("outbox", "done"): "how a delivery goes, not what was recorded",
    ("outbox", "error"): "how a delivery goes, not what was recorded",
    ("idempotency", "sid"): "which entry answers: a pointer to nowhere is found, one to another entry of the same moment can't be",
    ("idempotency", "n"): "which entry answers: a pointer to nowhere is found, one to another entry of the same moment can't be",
    ("idempotency", "key_hmac"): "a keyed digest of a text that the record does not hold: a changed one is a key that never came",
    ("idempotency", "request_hmac"): "a keyed digest of a text that the record does not hold: a changed one refuses the key as reused",
}
"""Columns beside the promise, each with the reason."""


@frozen
class Cell:
    """One value in one row."""

    table: str
    row: dict[str, Any]
    column: str

    @property
    def value(self) -> Any:
        return self.row[self.column]


@define
class Tally:
    """What became of the flips."""

    flips: int = 0
    refused: int = 0
    outside: int = 0
    missed: list[str] = field(factory=list)
    misplaced: list[str] = field(factory=list)


class SQLite:
    """The store's file, written past casekit."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.text_factory = bytes
        self.error = sqlite3.Error

    def rows(self, table: str) -> list[dict[str, Any]]:
        found = self.connection.execute(f"SELECT * FROM {table}")
        names = [d[0].lower() for d in found.description]  # SQLite does not tell Outcome from outcome, flipped in the schema or not
        return [
            {n: _Text(v) if isinstance(v, bytes) and _is_text(table, n) else v for n, v in zip(names, row, strict=True)} for row in found
        ]

    def update(self, table: str, key: dict[str, Any], column: str, value: Any) -> None:
        where = " AND ".join(f"{name} = {_cast(v)}" for name, v in key.items())
        statement = f"UPDATE {table} SET {column} = {_cast(value)} WHERE {where}"
        changed = self.connection.execute(statement, [_bare(v) for v in (value, *key.values())]).rowcount
        assert changed == 1, (table, key, column)

    def close(self) -> None:
        self.connection.close()


class _Text(bytes):
    """Text as its bytes, so that a flipped bit need not be UTF-8 any more."""


def _is_text(table: str, column: str) -> bool:
    return str(METADATA.tables[table].c[column].type).startswith("TEXT")


def _cast(value: Any) -> str:
    return "CAST(? AS TEXT)" if isinstance(value, _Text) else "?"


def _bare(value: Any) -> Any:
    return bytes(value) if isinstance(value, _Text) else value


class PostgreSQL:
    """The store's database, written past casekit by one who may switch foreign keys off."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(dsn(url), autocommit=True)
        self.connection.execute("SET session_replication_role = replica")
        self.error = psycopg.Error

    def rows(self, table: str) -> list[dict[str, Any]]:
        found = self.connection.execute(f"SELECT * FROM {table}".encode())
        names = [d.name for d in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found]

    def update(self, table: str, key: dict[str, Any], column: str, value: Any) -> None:
        where = " AND ".join(f"{name} = %s" for name in key)
        self.connection.execute(f"UPDATE {table} SET {column} = %s WHERE {where}".encode(), [value, *key.values()])

    def close(self) -> None:
        self.connection.close()


def flipped(value: Any, dice: random.Random) -> Any:
    """The value with one bit changed; None where there is none to change."""
    if isinstance(value, int):
        changed = value ^ 1 << dice.randrange(64)
        return changed - 2**64 if changed >= 2**63 else changed
    if isinstance(value, str):
        place = dice.randrange(len(value))
        return value[:place] + chr(ord(value[place]) ^ 1 << dice.randrange(7)) + value[place + 1 :]
    place = dice.randrange(len(value))
    return type(value)(value[:place] + bytes([value[place] ^ 1 << dice.randrange(8)]) + value[place + 1 :])


def cells(store: SQLite | PostgreSQL, dice: random.Random) -> Iterator[Cell]:
    """Cells at random: every table as often as the other, then any row, then any column."""
    kept = {name: store.rows(name) for name in METADATA.tables}
    assert all(kept.values()), f"the office leaves tables empty: {[n for n, rows in kept.items() if not rows]}"
    while True:
        table = dice.choice(list(kept))
        row = dice.choice(kept[table])
        column = dice.choice(list(row))
        if row[column] not in (None, "", b""):
            yield Cell(table, row, column)


def flip(store: SQLite | PostgreSQL, seat: Seat, cell: Cell, value: Any, places: Places, tally: Tally) -> None:
    """Flips a cell, looks whether verification sees it and where, and puts it back."""
    key = {c.name: cell.row[c.name] for c in METADATA.tables[cell.table].primary_key}
    try:
        store.update(cell.table, key, cell.column, value)
    except store.error:
        tally.refused += 1  # the database itself does not take it: a key twice, a byte that is no text
        return
    tally.flips += 1
    try:
        wrong = seat.verify().wrong
    finally:
        moved = {**key, cell.column: value} if cell.column in key else key
        store.update(cell.table, moved, cell.column, cell.value)
    said = f"{cell.table}.{cell.column} of {key}: {cell.value!r} became {value!r}: {wrong[:3]}"
    if (cell.table, cell.column) in OUTSIDE:
        tally.outside += 1
    elif not wrong:
        tally.missed.append(said)
    elif not any(places.names(w, cell, value) for w in wrong):
        tally.misplaced.append(said)


class Places:
    """Where verification should say that a cell is wrong."""

    def __init__(self, store: SQLite | PostgreSQL) -> None:
        self.uuids = {row["sid"]: _str(row["uuid"]) for row in store.rows("streams")}

    def names(self, wrong: Wrong, cell: Cell, value: Any) -> bool:
        """Whether this is the place."""
        uuid = self.uuids.get(cell.row.get("sid", 0), "")
        if cell.table == "entries":
            return (wrong.stream, wrong.n, wrong.table) == (uuid, cell.row["n"], "entries")
        if cell.table == "streams":
            return self._head(wrong, cell, value, uuid)
        if cell.table in ROWS:
            return self._row(wrong, cell, value, uuid)
        if cell.table == "search":
            return wrong.table == "search" and wrong.row in (uuid, str(value))
        if cell.table in ("outbox", "idempotency"):
            return wrong.table == cell.table and wrong.row.split(".")[0] in (str(cell.row["sid"]), str(value))
        if cell.table == "leaves" and cell.column == "tenant":  # what it leaves behind is a gap, or a log too short
            return wrong.table in ("leaves", "checkpoints")
        keys = {
            "data_keys": "owner",
            "definitions": "digest",
            "sequences": "name",
            "meta": "name",
            "leaves": "place",
            "checkpoints": "size",
        }
        key = keys[cell.table]
        named = wrong.row in ("", _str(cell.row[key]), _str(value))
        return wrong.table == cell.table and named and wrong.column in ("", cell.column, key, "value", "body", "note")

    def _head(self, wrong: Wrong, cell: Cell, value: Any, uuid: str) -> bool:
        if cell.column == "uuid":  # the chain is bound to it from its first entry on
            return (wrong.stream, wrong.n) == (_str(value), 1)
        if cell.column in ("sid", "tenant"):  # the rows that it leaves behind belong to nobody
            return (wrong.table, wrong.row) == ("entries", str(cell.row["sid"]))
        return (wrong.stream, wrong.table, wrong.row, wrong.column) == (uuid, "streams", uuid, cell.column)

    def _row(self, wrong: Wrong, cell: Cell, value: Any, uuid: str) -> bool:
        if wrong.table != cell.table or wrong.stream != uuid:
            return False
        keys = KEYS[cell.table]
        was = ".".join(_str(cell.row[k]) for k in keys)
        now = ".".join(_str(value if k == cell.column else cell.row[k]) for k in keys)
        if cell.column in (*keys, "sid", "tenant"):
            return wrong.row in (was, now)
        return (wrong.row, wrong.column) == (was, cell.column)


def _str(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


@pytest.fixture
def filled(open_store: Callable[..., Desk], clock: Any) -> Desk:
    desk = open_store(plugins=office.PLUGINS)
    office.fill(desk, clock)
    return desk


@pytest.fixture
def auditor(filled: Desk) -> Iterator[Seat]:
    seat = filled.seat("test:auditor", roles={"auditor"})
    assert seat.verify().wrong == []
    yield seat
    assert seat.verify().wrong == [], "a flip was not put back"


def test_every_flipped_bit_is_detected_and_its_place_named(
    engine: str,
    auditor: Seat,
    store_url: str,
    tmp_path: Path,
    dice: random.Random,
    times: Callable[[int], int],
    figure: Callable[[str], None],
) -> None:
    count = times(2000 if engine == "sqlite" else 200)
    store = SQLite(tmp_path / "store.db") if engine == "sqlite" else PostgreSQL(store_url)
    tally = Tally()
    with closing(store):
        places = Places(store)
        for cell in cells(store, dice):
            flip(store, auditor, cell, flipped(cell.value, dice), places, tally)
            if tally.flips - tally.outside == count:
                break

    figure(
        f"P8 flips ({engine}): {count} bits, {len(tally.missed)} undetected, {len(tally.misplaced)} named at another place; "
        f"{tally.outside} more outside the promise, {tally.refused} refused by the database"
    )
    assert not tally.missed, "\n".join(tally.missed[:20])
    assert not tally.misplaced, "\n".join(tally.misplaced[:20])


def logical(path: Path) -> Any:
    """Everything that a store's file says and that the promise is about, table by table; the error, where it can't be read."""
    try:
        with closing(SQLite(path)) as store:
            return {
                table: [{name: value for name, value in row.items() if (table, name) not in OUTSIDE} for row in store.rows(table)]
                for table in METADATA.tables
            }
    except sqlite3.Error as wrong:
        return str(wrong)


def test_flips_in_the_files_themselves_are_detected_where_they_change_anything(
    tmp_path: Path, dice: random.Random, times: Callable[[int], int], figure: Callable[[str], None], clock: Any
) -> None:
    kept, tried = tmp_path / "kept", tmp_path / "tried"
    kept.mkdir()
    with open_at(kept, clock) as desk:
        office.fill(desk, clock)
    before = logical(kept / "store.db")
    files = [path for path in sorted(kept.rglob("*")) if path.is_file()]
    count = times(200)
    found = harmless = 0
    for _ in range(count):
        shutil.rmtree(tried, ignore_errors=True)
        shutil.copytree(kept, tried)
        path = dice.choice(files) if dice.random() < 0.5 else kept / "store.db"
        raw = bytearray(path.read_bytes())
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        (tried / path.relative_to(kept)).write_bytes(raw)
        if seen(tried, clock):
            found += 1
            continue
        harmless += 1
        if path.name == "store.db.keys.erasures":  # outside the store: whoever restores reads it, and the doctor does
            assert ledger(tried / path.name) in (None, ledger(path)), "a changed ledger was not seen"
            continue
        assert path.name in ("store.db", "store.db.keys", "store.db.keys.signing"), f"a changed document was not seen: {path.name}"
        assert logical(tried / "store.db") == before, "the store says something else, and verification did not see it"

    figure(f"P8 flips in files: {count} bits, {found} detected, {harmless} without any change of what is said, 0 undetected")


def ledger(path: Path) -> tuple[erasures.Line, ...] | None:
    """What a ledger of erasures says; None: that it was changed."""
    try:
        return erasures.read(path)
    except CasekitError:
        return None


def open_at(folder: Path, clock: Any) -> Desk:
    return open_desk(store=f"sqlite:///{folder}/store.db", plugins=office.PLUGINS, installed=False, clock=clock)


def seen(folder: Path, clock: Any) -> bool:
    """Whether opening or verifying the store there says that something is wrong."""
    try:
        with open_at(folder, clock) as desk:
            return not desk.seat("test:auditor", roles={"auditor"}).verify().ok
    except CasekitError:
        return True


def attacks(office_: office.Office) -> dict[str, tuple[str, ...]]:
    """Changes that somebody makes who can write the database: name → statements."""
    sid = f"(SELECT sid FROM streams WHERE uuid = '{office_.cases['long']}')"
    gone, over = office_.people["gone"], office_.cases["over"]
    kim = f"(SELECT sid FROM streams WHERE uuid = '{office_.people['kim']}')"
    forged = {"sid": "7", "uuid": "'forged'", "number": "'T-2026-00009'"}
    heads = ", ".join(forged.get(column.name, column.name) for column in METADATA.tables["streams"].c)
    copied = "tenant, 7, v, n, recorded, effective, zone, day, actor, kind, command, spoke, state, body, hash"
    return {
        "edit a body": (f"UPDATE entries SET body = replace(body, '45000', '35000') WHERE sid = {sid} AND instr(body, '45000') > 0",),
        "backdate an entry": (f"UPDATE entries SET effective = '2026-11-02T00:00:00.000000Z' WHERE sid = {sid} AND n = 4",),
        "put another actor's name": (f"UPDATE entries SET actor = 'user:kim' WHERE sid = {sid} AND n = 2",),
        "delete from the middle": (f"DELETE FROM entries WHERE sid = {sid} AND n = 5",),
        "cut the tail": (f"DELETE FROM entries WHERE sid = {sid} AND n = (SELECT max(n) FROM entries WHERE sid = {sid})",),
        "change the state in the list": (f"UPDATE streams SET state = 'paid' WHERE sid = {sid}",),
        "change a balance in the head": (f"UPDATE streams SET head = replace(head, '900.00 EUR', '90.00 EUR') WHERE sid = {sid}",),
        "forge a payment": (
            "INSERT INTO postings SELECT tenant, sid, n, 90, 'payment', '', 5, currency, at, zone, day, NULL, NULL FROM postings WHERE n = 1",
        ),
        "take a charge away": (f"DELETE FROM postings WHERE sid = {sid} AND n = 1",),
        "forge a case": (
            f"INSERT INTO streams SELECT {heads} FROM streams WHERE sid = {sid}",
            f"INSERT INTO entries SELECT {copied} FROM entries WHERE sid = {sid}",
        ),
        "swap two entries": (
            f"UPDATE entries SET n = -n WHERE sid = {sid} AND n IN (2, 3)",
            f"UPDATE entries SET n = 5 + n WHERE sid = {sid} AND n < 0",
        ),
        "take a case away": (f"DELETE FROM streams WHERE uuid = '{over}'",),
        "give an erased person a key again": (f"INSERT INTO data_keys SELECT tenant, '{gone}', id, kek, wrapped FROM data_keys LIMIT 1",),
        "destroy a key without an erasure": (f"DELETE FROM data_keys WHERE owner = '{office_.cases['long']}'",),
        "let a person be found by another's name": (f"UPDATE search SET sid = {kim} WHERE field = 'phone' AND sid != {kim}",),
        "change a published case type": ("UPDATE definitions SET body = replace(body, 'P14D', 'P90D') WHERE kind = 'case-type'",),
        "draw a number again": ("UPDATE sequences SET value = value - 1",),
    }


def test_attacks_by_somebody_who_can_write_the_database(tmp_path: Path, clock: Any, figure: Callable[[str], None]) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    with open_at(kept, clock) as desk:
        made = office.fill(desk, clock)
    missed = []
    tried = attacks(made)
    for name, statements in tried.items():
        attacked = tmp_path / "attacked"
        shutil.rmtree(attacked, ignore_errors=True)
        shutil.copytree(kept, attacked)
        with closing(sqlite3.connect(attacked / "store.db", isolation_level=None)) as connection:
            changed = sum(connection.execute(statement).rowcount for statement in statements)
            assert changed >= len(statements), f"{name}: nothing was attacked"
        with open_at(attacked, clock) as desk, suppress(CasekitError):
            if desk.seat("test:auditor", roles={"auditor"}).verify().ok:
                missed.append(name)
    figure(f"P8 attacks: {len(tried)} in SQL, {len(missed)} undetected; what only a checkpoint finds is P9")
    assert not missed


def test_what_only_a_hash_kept_elsewhere_detects(tmp_path: Path, clock: Any) -> None:
    """The limit of a chain: who rolls a whole stream back, head and all, leaves a shorter record that is whole."""
    with open_at(tmp_path, clock) as desk, closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        case = office.fill(desk, clock).cases["plain"]
        head = connection.execute("SELECT * FROM streams WHERE uuid = ?", [case]).fetchone()
        names = [d[0] for d in connection.execute("SELECT * FROM streams LIMIT 0").description]
        desk.seat("user:lee", roles={"clerk"}).note(case, "to be forgotten")
        now = connection.execute("SELECT n FROM streams WHERE uuid = ?", [case]).fetchone()[0]
        for table in ("entries", "outbox"):
            connection.execute(f"DELETE FROM {table} WHERE sid = ? AND n = ?", [head[1], now])
        connection.execute(f"UPDATE streams SET {', '.join(f'{name} = ?' for name in names)} WHERE uuid = ?", [*head, case])

        wrong = desk.seat("test:auditor", roles={"auditor"}).verify().wrong
        assert wrong == []
