"""A case that is taken out comes back identical: the same streams, entries, hashes and rows, and nothing by halves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from casekit import BadInput, Denied, Desk, Seat
from casekit.cli.shapes import shape
from casekit.record.tables import ROWS
from casekit.store.escrow import Passphrase
from keeping.conftest import PLUGINS, Filled, auditor, rows

Another = Callable[..., str]
WORDS = Passphrase("six words that were drawn by lot")
PROVED = ("streams", "definitions", "contents")


def sent(bundle: Any) -> Any:
    """As it arrives: through JSON."""
    return json.loads(json.dumps(shape(bundle)))


@pytest.fixture
def target(open_store: Callable[..., Desk], another: Another, tmp_path: Path) -> tuple[Desk, str]:
    """A store of its own, with a keyring of its own."""
    url = another("target")
    return open_store(store=url, plugins=PLUGINS, keys=tmp_path / "target keys", documents=tmp_path / "target documents"), url


def admin(desk: Desk) -> Seat:
    return desk.seat("user:root", roles={"admin"})


def of_streams(url: str, uuids: set[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Everything about some streams, without the integers by which a store knows them."""
    found = rows(url)
    sids = {row[1]: row[2] for row in found["streams"] if row[2] in uuids}
    return {
        table: sorted(((sids[row[1]], *row[2:]) for row in found[table] if row[1] in sids), key=repr)
        for table in ("streams", "entries", *ROWS)
    }


def test_a_case_comes_back_identical_and_opens_with_its_keys(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, url = target
    seat, long = admin(filled.desk), filled.office.cases["long"]
    photo = seat.document(long, "photo", b"a face").id
    seat.document_status(long, photo, "accepted")
    seat.classify(long, "secret", reason="a face", document=photo)
    seat.link(long, "related", filled.office.cases["over"])
    bundle = sent(seat.export(long, keys=WORDS))

    done = admin(desk).import_bundle(bundle, opens=WORDS)

    uuids = {stream["stream"] for stream in bundle["streams"]}
    assert done.locked == ()
    assert of_streams(url, uuids) == of_streams(filled.url, uuids)
    assert all(of_streams(url, uuids)[table] for table in ("streams", "entries", *ROWS))
    assert auditor(desk) == []
    again = admin(desk).export(filled.office.cases["long"])
    assert {name: again[name] for name in PROVED} == {name: bundle[name] for name in PROVED}
    assert sent(again)["readable"] == bundle["readable"]
    lee = desk.seat("user:lee", roles={"clerk"})
    assert [p.id for p in lee.find_parties(phone="+49 30 555 0142")] == [filled.office.people["maria"]], "found by what she once said, too"
    letter = next(d for d in lee.file(filled.office.cases["long"]).documents() if d.kind == "letter")
    assert lee.read_document(filled.office.cases["long"], letter.id, 1)[0] == b"Dear Ms Silva"
    assert [d.kind for d in lee.file(filled.office.cases["long"]).filed if d.kind == "photo"] == [], "what is secret stays so"
    assert lee.pay(filled.office.cases["long"], "1.00 EUR").entries
    assert auditor(desk) == []


def test_without_its_keys_everything_stays_shut_and_the_record_is_whole(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, url = target
    case = filled.office.cases["long"]
    bundle = sent(admin(filled.desk).export(case))
    assert "keys" not in bundle

    done = admin(desk).import_bundle(bundle)

    assert set(done.locked) == {stream["stream"] for stream in bundle["streams"]}
    assert rows(url)["data_keys"] == []
    assert auditor(desk) == []
    lee = desk.seat("user:lee", roles={"clerk"})
    assert lee.case(case).totals == filled.desk.seat("user:lee", roles={"clerk"}).case(case).totals
    assert "Maria Silva" not in json.dumps(shape(lee.export(case)["readable"]))
    assert admin(desk).import_bundle(sent(admin(filled.desk).export(case, keys=WORDS)), opens=WORDS).entries == 0
    assert lee.get_party(filled.office.people["maria"]).name == "Maria Silva"
    lee.note(case, "goes on")
    assert auditor(desk) == []


def test_keys_that_came_later_must_stay(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, _ = target
    case, maria = filled.office.cases["long"], filled.office.people["maria"]
    admin(desk).import_bundle(sent(admin(filled.desk).export(case)))
    admin(desk).import_bundle(sent(admin(filled.desk).export(case, keys=WORDS)), opens=WORDS)
    connection = desk.shelf("main").connection
    connection.execute(f"DELETE FROM data_keys WHERE owner = '{maria}'")
    assert [wrong.what for wrong in auditor(desk)] == ["the key is gone, and no erasure says so"]


def test_the_same_bundle_twice_does_nothing_more_and_a_longer_one_goes_on(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, url = target
    case = filled.office.cases["plain"]
    first = sent(admin(filled.desk).export(case, keys=WORDS))
    admin(desk).import_bundle(first, opens=WORDS)
    before = rows(url)

    assert admin(desk).import_bundle(first, opens=WORDS).entries == 0
    assert rows(url) == before

    lee = filled.desk.seat("user:lee", roles={"clerk"})
    lee.note_fact(case, "rent", "250.00 EUR", source="lease")
    lee.change_party(filled.office.people["maria"], phone="+49 30 777")
    longer = sent(admin(filled.desk).export(case, keys=WORDS))
    assert admin(desk).import_bundle(longer, opens=WORDS).entries == 2
    uuids = {stream["stream"] for stream in longer["streams"]}
    assert of_streams(url, uuids) == of_streams(filled.url, uuids)
    assert admin(desk).import_bundle(first, opens=WORDS).entries == 0, "what is further on here stays"
    assert desk.seat("user:lee", roles={"clerk"}).find_party(phone="+49 30 777") is not None
    assert auditor(desk) == []


def test_another_history_is_refused(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, url = target
    case = filled.office.cases["plain"]
    admin(desk).import_bundle(sent(admin(filled.desk).export(case, keys=WORDS)), opens=WORDS)
    for one in (desk, filled.desk):
        one.seat("user:lee", roles={"clerk"}).note(case, "each goes its own way")
    before = rows(url)
    with pytest.raises(BadInput, match="the case is here with another history"):
        admin(desk).import_bundle(sent(admin(filled.desk).export(case)))
    assert rows(url) == before


def test_a_party_who_was_erased_here_stays_erased(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, url = target
    case = filled.office.cases["plain"]
    bundle = sent(admin(filled.desk).export(case, keys=WORDS))
    admin(desk).import_bundle(bundle, opens=WORDS)
    lee = desk.seat("user:lee", roles={"clerk"})
    lee.document(case, "letter", b"We agree.")
    lee.do(case, "withdraw")
    lee.erase(filled.office.people["maria"])

    assert admin(desk).import_bundle(bundle, opens=WORDS).entries == 0
    assert filled.office.people["maria"] not in {row[1] for row in rows(url)["data_keys"]}
    assert auditor(desk) == []


def test_an_erased_party_goes_along_erased(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, url = target
    done = admin(desk).import_bundle(sent(admin(filled.desk).export(filled.office.cases["over"], keys=WORDS)), opens=WORDS)
    assert filled.office.people["gone"] not in {row[1] for row in rows(url)["data_keys"]}
    assert set(done.locked) == {filled.office.cases["over"]}, "the case's own key had died with its last person"
    assert auditor(desk) == []


def test_numbers_go_on_behind_those_that_came_in(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, _ = target
    bundle = sent(admin(filled.desk).export(filled.office.cases["plain"], keys=WORDS))
    admin(desk).import_bundle(bundle, opens=WORDS)
    lee = desk.seat("user:lee", roles={"clerk"})
    number = bundle["readable"]["number"]
    parties = {"tenant": filled.office.people["maria"], "landlord": filled.office.people["shop"]}
    fresh = lee.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties=parties)
    assert fresh.number is not None
    assert int(fresh.number[-5:]) == int(number[-5:]) + 1
    assert auditor(desk) == []


def test_a_number_that_is_taken_is_refused(filled: Filled, target: tuple[Desk, str]) -> None:
    desk, url = target
    lee = desk.seat("user:lee", roles={"clerk"})
    one, other = lee.party("person", name="One"), lee.party("person", name="Other")
    own = lee.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": one, "landlord": other})
    taken = next(c for c in filled.office.cases.values() if filled.desk.seat("user:lee", roles={"clerk"}).case(c).number == own.number)
    before = rows(url)
    with pytest.raises(BadInput, match="another case has it here"):
        admin(desk).import_bundle(sent(admin(filled.desk).export(taken)))
    assert rows(url) == before


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda b: b.update(tenant="acme"), "hash does not fit"),
        (lambda b: b["streams"][0]["entries"][1].update(actor="user:eve"), "hash does not fit"),
        (lambda b: b["streams"].pop(), "neither in the bundle nor here"),
        (lambda b: b["definitions"].clear(), "neither in the bundle nor here"),
        (lambda b: b["contents"].clear(), "its content is neither in the bundle nor here"),
        (lambda b: b["contents"].update({next(iter(b["contents"])): "AAAA"}), "not the one that its address says"),
        (lambda b: b.update(keys={"casekit-escrow": 1}), "this is no escrow"),
        (lambda b: b.clear(), "no bundle"),
        (lambda b: b.update(format=2), "format 2 is not known"),
        (lambda b: b["streams"].append(b["streams"][0]), "one case"),
    ],
)
def test_what_does_not_prove_itself_changes_nothing(
    filled: Filled, target: tuple[Desk, str], change: Callable[[Any], Any], what: str
) -> None:
    desk, url = target
    bundle = sent(admin(filled.desk).export(filled.office.cases["long"], keys=WORDS))
    desk.shelf("main")
    before = rows(url)
    changed = deepcopy(bundle)
    change(changed)
    with pytest.raises(BadInput, match=what):
        admin(desk).import_bundle(changed, opens=WORDS)
    after = rows(url)
    assert {t: r for t, r in after.items() if t != "meta"} == {t: r for t, r in before.items() if t != "meta"}


def test_who_may_not_may_not(filled: Filled, target: tuple[Desk, str]) -> None:
    bundle = sent(admin(filled.desk).export(filled.office.cases["plain"]))
    with pytest.raises(Denied):
        target[0].seat("user:eve", roles={"reader"}).import_bundle(bundle)
    with pytest.raises(Denied, match=r"store\.keep"):
        filled.desk.seat("user:lee", roles={"clerk"}).export(filled.office.cases["plain"], keys=WORDS)


def test_of_another_tenant(filled: Filled, target: tuple[Desk, str]) -> None:
    bundle = sent(admin(filled.desk).export(filled.office.cases["plain"]))
    with pytest.raises(BadInput, match="is of the tenant 'main'"):
        target[0].seat("user:root", roles={"admin"}, tenant="acme").import_bundle(bundle)


ALONE = """
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sqlalchemy", "cryptography", "jsonschema", "pluggy", "psycopg", "alembic"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from casekit.record.bundle import verify_bundle
report = verify_bundle(json.load(sys.stdin))
print(report.ok, report.streams, report.entries)
"""


def test_a_bundle_verifies_where_there_is_neither_a_database_nor_a_cipher(filled: Filled) -> None:
    bundle = sent(admin(filled.desk).export(filled.office.cases["long"], keys=WORDS))
    for changed, expected in ((False, "True"), (True, "False")):
        if changed:
            bundle["streams"][0]["entries"][3]["body"] = bundle["streams"][0]["entries"][3]["body"].replace("a", "b", 1)
        done = subprocess.run([sys.executable, "-c", ALONE], input=json.dumps(bundle), capture_output=True, text=True, check=False)
        assert done.stdout.split()[:1] == [expected], done.stderr


_WORDS = Passphrase("six words that were drawn by lot")


def test_a_bundle_brings_back_nothing_that_was_put_right_since(
    open_store: Callable[..., Desk], another: Callable[..., str], tmp_path: Path
) -> None:
    """Neither an older bundle here, nor a newer one where the older history is: nobody is found by what was wrong."""
    desk = open_store(plugins=PLUGINS)
    boss = desk.seat("user:boss", roles={"admin"})
    ada = boss.party("person", name="Ada")
    case = boss.open("tenancy.dispute", data={"deposit": "5.00 EUR"}, parties={"tenant": ada, "landlord": ada}).id
    older = json.loads(json.dumps(boss.export(case, keys=_WORDS), default=str))
    boss.rectify_party(ada, reason="misheard", name="Eda")
    newer = json.loads(json.dumps(boss.export(case, keys=_WORDS), default=str))
    boss.import_bundle(older)
    assert (boss.find_parties(name="Ada"), len(boss.find_parties(name="Eda"))) == ((), 1)
    assert boss.verify().wrong == []
    there = open_store(store=another("there"), plugins=PLUGINS, documents=tmp_path / "there")
    with there:
        other = there.seat("user:boss", roles={"admin"})
        for bundle in (older, newer):
            other.import_bundle(bundle, opens=_WORDS)
        assert (other.find_parties(name="Ada"), len(other.find_parties(name="Eda"))) == ((), 1)
        assert other.verify().wrong == []
