"""Who is erased can't be read any more, not even by one who holds the keyring and every byte that is left."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from casekit import Desk, Refused
from casekit.errors import StoreFailed
from casekit.store.keys import Key, place, read_keyring
from casekit.store.tables import METADATA
from proofs import office
from servers import dsn

ENVELOPE = re.compile(r"v1\.[0-9a-f]{16}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{22,}")
PATHS = ("party", "data", "about", "fact/rent", "message", "posting", "document", "fact/heating")
SECRETS = ("Otto Gone", "0401234", "diabetes", "777.13 EUR")


def tables(engine: str, url: str, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    if engine == "sqlite":
        with closing(sqlite3.connect(folder / "store.db")) as connection:
            return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in METADATA.tables}
    with psycopg.connect(dsn(url), autocommit=True) as connection:
        return {name: connection.execute(f"SELECT * FROM {name}".encode()).fetchall() for name in METADATA.tables}


def keys_left(desk: Desk, rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, Key]:
    """Every data key that the keyring still opens, by id."""
    vault = desk.shelf("main").vault
    return {key.id: key for _, *row in rows["data_keys"] for key in [vault.unlock(tuple(row))]}


def readable(rows: dict[str, list[tuple[Any, ...]]], keys: dict[str, Key], tenant: str = "main") -> list[str]:
    """Every envelope that can be opened, wherever it stands, tried with its key in every place; those inside others too."""
    texts = {str(value) for table in rows.values() for row in table for value in row if isinstance(value, str)}
    streams = [row[2] for row in rows["streams"]]
    found, waiting = [], sorted({e for text in texts for e in ENVELOPE.findall(text)})
    while waiting:
        envelope = waiting.pop()
        key = keys.get(envelope.split(".")[1])
        inside = None if key is None else opened(key, envelope, [place(tenant, uuid, path) for uuid in streams for path in PATHS])
        if inside is not None:
            found.append(inside)
            waiting += ENVELOPE.findall(inside)
    return found


def opened(key: Key, envelope: str, places: list[bytes]) -> str | None:
    for where in places:
        try:
            return str(key.open(envelope, where))
        except StoreFailed:
            continue
    return None


def opened_case(desk: Desk) -> str:
    """A person with something in every place, in a case with another person; gives the person."""
    lee = desk.seat("user:lee", roles={"clerk"})
    otto = lee.party("person", name="Otto Gone", phone="0401234")
    other = lee.party("person", name="Ada Stays")
    data = {"deposit": "70.00 EUR", "story": "they quarrel", "health": "diabetes"}
    case = lee.open("tenancy.dispute", data=data, parties={"tenant": otto, "landlord": other}).id
    lee.note_fact(case, "rent", "777.13 EUR")
    lee.change(case, {"health": "diabetes, worse"})
    letter = {"direction": "out", "via": "letter", "outcome": "sent", "to": "tenant", "text": "please"}
    for _ in range(2):
        lee.message(case, **letter)
    with pytest.raises(Refused, match="Otto Gone"):
        lee.message(case, **letter)
    lee.document(case, "letter", b"We agree.")
    lee.do(case, "withdraw")
    return otto.id


def test_nothing_of_an_erased_person_can_be_opened(
    engine: str, store_url: str, tmp_path: Path, open_store: Callable[..., Desk], clock: Any, figure: Callable[[str], None]
) -> None:
    desk = open_store(plugins=office.PLUGINS)
    lee = desk.seat("user:lee", roles={"clerk"})
    otto = opened_case(desk)
    before = tables(engine, store_url, tmp_path)
    known = "\n".join(readable(before, keys_left(desk, before)))
    assert all(secret in known for secret in (*SECRETS, "they quarrel"))
    wrapped = [row[4] for row in before["data_keys"] if row[1] == otto]
    digests = [row[2] for row in before["search"] if row[3] == next(s[1] for s in before["streams"] if s[2] == otto)]
    assert len(wrapped) == 1
    assert len(digests) == 2

    erased = lee.erase(otto)

    assert erased.complete
    assert read_keyring(tmp_path / "keys") == desk.shelf("main").vault.ring
    after = tables(engine, store_url, tmp_path)
    left = "\n".join(readable(after, keys_left(desk, after)))
    for secret in SECRETS:
        assert secret not in left, secret
    assert "they quarrel" in left, "what the case owns stays while somebody is in it"
    assert not [row for row in after["search"] if bytes(row[2]) in map(bytes, digests)]
    residue = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert not [secret for secret in (*wrapped, *digests) if bytes(secret) in residue], "the key is in the files still"
    assert len(after["entries"]) == len(before["entries"]) + 2
    assert set(before["entries"]) < set(after["entries"]), "the journal stays as it was, to the byte"
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    figure(f"P15 erasure ({engine}): {len(readable(after, keys_left(desk, after)))} envelopes still open, none of the person's")
