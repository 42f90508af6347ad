"""P15: who is erased can't be found any more in anything that is held, in clear text or with every key that is left.

Many persons, each with a marker in every field; some are erased, the others must stay. Searched are the database, its write-ahead log
and free pages, outbox, search index, documents, logs of the program, exports made afterwards, the folder for temporary files and the
key store; then an older backup, restored, and without the key that wrapped it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

import tenancy
from casekit import Desk, Money, Seat
from casekit.sdk import field
from casekit.store.keys import Key, Vault, read_keyring
from casekit.store.tables import METADATA
from conftest import TestClock
from keeping.conftest import operator
from keeping.conftest import rows as rows_at
from proofs import office
from proofs.test_erasure import ENVELOPE, keys_left, opened, tables
from proofs.test_markers import Marks, held, spellings

HOUSEHOLD = evolve(
    tenancy.DISPUTE,
    key="tenancy.household",
    number="H-{seq:05}",
    facts={**tenancy.DISPUTE.facts, "means": field(Money, personal=True, owner="tenant", joint=True)},
)


@frozen
class Subject:
    """A person, their markers, and what shows that they are there."""

    party: str
    case: str
    marks: Marks

    @property
    def markers(self) -> list[str]:
        return [marker for several in self.marks.planted.values() for marker in several]


def subject(desk: Desk, number: int) -> Subject:
    """A person with a marker in every field, in a closed case with others in it."""
    lee, mark = desk.seat("user:lee", roles={"clerk"}), Marks()
    place = lambda name: f"{number}.{name}"  # noqa: E731 - markers of different persons differ
    other = lee.party("person", name=f"Stays {number}")
    details = {name: mark(place(name)) for name in ("name", "email", "address", "ref")}
    person = lee.party("person", **details, phone=mark.put(place("phone"), f"+49 171 {number:07} 88"), key=f"person {number}")
    lee.change_party(person, name=mark(place("name")), reason=mark(place("reason")))
    lee.rectify_party(person, address=mark(place("address")), reason=mark(place("reason")))
    data = {"deposit": "70.00 EUR", "story": f"they quarrel {number}", "health": mark(place("health"))}
    case = lee.open("tenancy.dispute", data=data, parties={"tenant": person, "landlord": other}, key=f"case {number}").id
    lee.change(case, {"health": mark(place("health"))})
    amount = f"9{number:05}.37 EUR"
    wrong = lee.note_fact(case, "rent", mark.put(place("rent"), amount)).id
    lee.rectify_fact(case, wrong, mark.put(place("rent"), amount.replace(".37", ".73")), reason="digits")
    lee.document(case, "letter", f"We agree {number}".encode())
    lee.do(case, "withdraw")
    return Subject(person.id, case, mark)


def leaked(markers: list[str], store: dict[str, bytes]) -> list[str]:
    """Which markers are there, in any spelling. It goes through what is held once, whatever is looked for."""
    begins: dict[bytes, list[tuple[bytes, str]]] = {}
    for marker in markers:
        for spelling in set(spellings(marker)):
            begins.setdefault(spelling[:_LEAST], []).append((spelling, marker))
    assert min(map(len, begins)) == _LEAST
    found = set()
    for raw in set(store.values()):
        for at in range(len(raw) - _LEAST + 1):
            for spelling, marker in begins.get(raw[at : at + _LEAST], ()):
                if raw.startswith(spelling, at):
                    found.add(marker)
    return sorted(found)


_LEAST = 8
"""Bytes by which what is looked for begins."""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files lie where they are searched."""
    (tmp_path / "temporary").mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path / "temporary"))


def test_many_are_erased_and_nothing_of_them_is_left(
    engine: str,
    store_url: str,
    tmp_path: Path,
    open_store: Callable[..., Desk],
    clock: Any,
    times: Callable[..., int],
    figure: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    desk = open_store(plugins=office.PLUGINS, documents=tmp_path / "documents")
    lee = desk.seat("user:lee", roles={"clerk"})
    everybody = [subject(desk, number) for number in range(times(5, full=100) + 2)]
    gone, stay = everybody[:-2], everybody[-2:]
    lee.run_due()
    before = tables(engine, store_url, tmp_path)
    known = "\n".join(opened_all(desk, before))
    assert all(marker in known for one in everybody for marker in one.markers)
    sids = {row[2]: row[1] for row in before["streams"]}
    secrets = [bytes(row[4]) for row in before["data_keys"] if row[1] in {one.party for one in gone}]
    secrets += [bytes(row[2]) for row in before["search"] if row[3] in {sids[one.party] for one in gone}]

    complete = [lee.erase(one.party).complete for one in gone]

    assert all(complete)
    after = tables(engine, store_url, tmp_path)
    left = opened_all(desk, after)
    exported = {f"export {i}": str(lee.export(one.case)).encode() for i, one in enumerate(gone)}
    exported |= {f"access {i}": lee.access_export(one.party).text.encode() for i, one in enumerate(gone)}
    store = held(engine, store_url, tmp_path) | exported | {"log": caplog.text.encode(), "opened": "\n".join(left).encode()}
    store["key store"] = (tmp_path / "keys").read_bytes()
    found = [marker for one in gone for marker in leaked(one.markers, store)]
    raw = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    residue = [secret for secret in secrets if secret in raw] if engine == "sqlite" else []
    text = "\n".join(left)
    assert not found
    assert not residue
    assert all(marker in text for one in stay for marker in one.markers), "the others are whole"
    assert sum(f"they quarrel {i}" in text for i in range(len(everybody))) == len(everybody), "what the case owns stays for the other"
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    count = sum(len(one.markers) for one in gone)
    figure(
        f"P15 residue ({engine}): {len(gone)} persons erased, {count} markers and {len(secrets)} keys and digests searched in"
        f" {sum(map(len, store.values())):,} bytes of {len(store)} places: {len(found)} and {len(residue)} found; {len(stay)} others whole"
    )


PATHS = ("party", "data", "about", "fact/rent", "fact/heating", "fact/means", "message", "posting", "document")


def opened_all(desk: Desk, rows: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    """Whatever the keys that are left can open: each envelope in the place where its entry says that it stands."""
    return opened_with(keys_left(desk, rows), rows)


def opened_with(keys: dict[str, Key], rows: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    from casekit.store.keys import place

    streams = {row[1]: row[2] for row in rows["streams"]}
    bodies = [(streams[row[1]], str(row[-2])) for row in rows["entries"]] + [(row[2], str(row[8])) for row in rows["streams"]]
    waiting, found, seen = [(uuid, e) for uuid, body in bodies for e in ENVELOPE.findall(body)], [], set()
    while waiting:
        uuid, envelope = waiting.pop()
        key = keys.get(envelope.split(".")[1])
        if key is None or envelope in seen:
            continue
        seen.add(envelope)
        inside = opened(key, envelope, [place("main", uuid, path) for path in PATHS])
        if inside is not None:
            found.append(inside)
            waiting += [(uuid, e) for e in ENVELOPE.findall(inside)]
    return found


def test_an_older_backup_is_erased_when_it_comes_back_and_shut_once_its_key_is_gone(
    engine: str,
    tmp_path: Path,
    open_store: Callable[..., Desk],
    clock: Any,
    times: Callable[..., int],
    figure: Callable[[str], None],
) -> None:
    desk = open_store(plugins=office.PLUGINS, documents=tmp_path / "documents")
    everybody = [subject(desk, number) for number in range(times(3, full=20) + 1)]
    gone, stays = everybody[:-1], everybody[-1]
    keeper = operator(open_store(plugins=[*office.PLUGINS, _builtin()], documents=tmp_path / "documents"))
    keeper.back_up(tmp_path / "older", keys=False)
    lee = desk.seat("user:lee", roles={"clerk"})
    for one in gone:
        assert lee.erase(one.party).complete
    back = open_store(
        store=f"sqlite:///{tmp_path}/back/store.db", plugins=[*office.PLUGINS, _builtin()], documents=tmp_path / "back" / "documents"
    )
    (tmp_path / "back").mkdir()
    assert operator(back).restore(tmp_path / "older").erased == len(gone)
    came = rows_at(f"sqlite:///{tmp_path}/back/store.db")
    text = "\n".join(opened_all(back, came))
    assert not [marker for one in gone for marker in one.markers if marker in text]
    assert all(marker in text for marker in stays.markers)

    old = keeper.rotate().older[0]
    kept = _of_file(tmp_path / "older" / "store.db")
    assert leaked(gone[0].markers, {"opened": "\n".join(opened_with(_keys(tmp_path / "keys", kept), kept)).encode()}), (
        "rotation is not enough"
    )
    keeper.destroy_key(old, at_once=True)
    shut = "\n".join(opened_with(_keys(tmp_path / "keys", kept), kept))
    assert not [marker for one in gone for marker in one.markers if marker in shut]
    figure(f"P15 backups ({engine}): {len(gone)} erased stay erased in a backup that comes back; with its key gone, it opens nothing")


def _builtin() -> Any:
    from casekit import builtin

    return builtin


def _of_file(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in METADATA.tables}


def _keys(ring: Path, rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, Key]:
    vault = Vault(read_keyring(ring), "main")
    return {key.id: key for _, *row in rows["data_keys"] if row[2] in vault.ring.keys for key in [vault.unlock(tuple(row))]}


@pytest.fixture
def house(open_store: Callable[..., Desk]) -> tuple[Desk, str, list[str]]:
    """Two in one household, with what is of both, what is of one, and what the case owns."""
    desk = open_store(case_types=[HOUSEHOLD], plugins=[_Household])
    lee = desk.seat("user:lee", roles={"clerk"})
    both = [lee.party("person", name=name).id for name in ("Ada", "Bo")]
    shop = lee.party("organisation", name="Haus").id
    data = {"deposit": "70.00 EUR", "story": "they quarrel"}
    case = lee.open("tenancy.household", data=data, parties={"tenant": both, "landlord": shop}).id
    lee.note_fact(case, "means", "2100.00 EUR", source="their papers")
    lee.note_fact(case, "rent", "500.00 EUR")
    lee.document(case, "letter", b"We agree.")
    lee.do(case, "withdraw")
    return desk, case, both


class _Household:
    PLUGIN = evolve(tenancy.PLUGIN, handles=("tenancy.household",))


for _hook in ("roles", "requirements"):
    setattr(_Household, f"casekit_{_hook}", staticmethod(getattr(tenancy, f"casekit_{_hook}")))


@pytest.mark.parametrize("first", [0, 1])
def test_what_is_of_two_stays_readable_for_the_other(house: tuple[Desk, str, list[str]], first: int) -> None:
    desk, case, both = house
    lee = desk.seat("user:lee", roles={"clerk"})
    owner = both.index(min(both))

    lee.erase(both[first])

    facts = {fact.key: fact.value for fact in lee.file(case).facts}
    assert facts["means"] == Money("2100.00", "EUR"), "what is of both"
    assert (facts["rent"] is None) == (first == owner), "what is of one"
    assert lee.case(case).data["story"] == "they quarrel"
    assert lee.file(case).latest["means"] == Money("2100.00", "EUR")
    told = lee.access_export(both[1 - first], looked=True).answer.cases[0]
    means = next(item for item in told.items if item.name == "means")
    assert (means.value, means.withheld) == ("2100.00 EUR", "")
    assert lee.erase(both[1 - first]).shut == (case,)
    facts = {fact.key: fact.value for fact in lee.file(case).facts}
    assert facts == {"means": None, "rent": None}
    assert "story" not in lee.case(case).data
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []


def test_what_is_of_two_is_told_to_each_and_withheld_from_nobody(house: tuple[Desk, str, list[str]]) -> None:
    desk, _, both = house
    lee: Seat = desk.seat("user:lee", roles={"clerk"})
    for one in both:
        items = {item.name: item for item in lee.access_export(one, looked=True).answer.cases[0].items if item.kind == "fact"}
        assert (items["means"].value, items["means"].withheld) == ("2100.00 EUR", "")
    rents = [
        next(item for item in lee.access_export(one, looked=True).answer.cases[0].items if item.name == "rent").value
        for one in sorted(both)
    ]
    assert rents == ["500.00 EUR", None]


def test_while_a_reader_is_at_work_an_erasure_says_that_it_is_not_complete(tmp_path: Path, clock: TestClock) -> None:
    from casekit import open_desk

    with open_desk(store=f"sqlite:///{tmp_path}/s.db", plugins=[tenancy], installed=False, clock=clock) as desk:
        person = subject(desk, 1)
        lee = desk.seat("user:lee", roles={"clerk"})
        wrapped = next(bytes(row[4]) for row in _of_file(tmp_path / "s.db")["data_keys"] if row[1] == person.party)
        files = lambda: b"".join(path.read_bytes() for path in tmp_path.glob("s.db*") if path.is_file())  # noqa: E731
        with closing(sqlite3.connect(tmp_path / "s.db")) as reader, pytest.MonkeyPatch.context() as patch:
            patch.setattr("casekit.store.upkeep.PATIENCE", 0.2)
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM streams").fetchone()
            assert not lee.erase(person.party).complete
            assert wrapped in files(), "what it says is so"
            assert not lee.erase(person.party).complete
        assert lee.erase(person.party).complete
        assert wrapped not in files()
        assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
