"""Bad input: exit code 2, one readable error with its place and what to do, nothing written."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commandline import DISPUTE, FINES, Run

LOG = FINES / "broken.xes"
MAP = FINES / "map.toml"


def _entries(casekit: Run) -> tuple[int, int]:
    report = casekit("verify", "--json").json
    return report["streams"], report["entries"]


COMMANDS = [
    ("pay", "CASE", "12.00"),
    ("pay", "CASE", "12.00 USD"),
    ("pay", "CASE", "0.00 EUR"),
    ("pay", "CASE", "12.001 EUR"),
    ("pay", "CASE", "-5.00 EUR"),
    ("charge", "CASE", "tips", "5.00 EUR"),
    ("reverse", "CASE", "9.9"),
    ("pay", "nobody", "12.00 EUR"),
    ("case", "open", "no.such.type"),
    ("case", "open", "test.dispute"),
    ("case", "open", "test.dispute", "--data", "deposit", "--party", "tenant=TENANT"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--data", "deposit=6.00 EUR", "--party", "tenant=TENANT"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--data", "rooms=two", "--party", "tenant=TENANT"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--data", "furnished=perhaps", "--party", "tenant=TENANT"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--data", "defects=[", "--party", "tenant=TENANT"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--data", "colour=red", "--party", "tenant=TENANT"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--party", "tenant=nobody"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--party", "lodger=TENANT"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--party", "tenant=TENANT", "--zone", "Moon/Crater"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--party", "tenant=TENANT", "--effective", "2026-13-01"),
    ("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--party", "tenant=TENANT", "--effective", "2999-01-01"),
    ("case", "do", "CASE", "fly"),
    ("case", "do", "CASE", "answer"),
    ("case", "do", "CASE", "answer", "--field", "rooms=-2"),
    ("case", "do", "CASE", "answer", "--field", "rooms=2", "--force"),
    ("case", "close", "CASE", "lost"),
    ("case", "choose", "CASE", "no-such-option"),
    ("case", "change", "CASE"),
    ("case", "change", "CASE", "--unset", "deposit"),
    ("case", "resume", "CASE", "confirm"),
    ("case", "list", "--size", "0"),
    ("case", "list", "--size", "many"),
    ("case", "show", "CASE", "--as-of", "yesterday"),
    ("case", "role", "CASE", "lodger", "TENANT"),
    ("fact", "CASE", "shoe.size", "43"),
    ("fact", "CASE", "people.living", "several"),
    ("note", "CASE", "  "),
    ("message", "CASE", "--via", "pigeon", "--to", "tenant"),
    ("message", "CASE", "--via", "phone", "--to", "lodger"),
    ("document", "add", "CASE", "letter", "/no/such/file"),
    ("document", "add", "CASE", "painting", "FILE"),
    ("document", "get", "CASE", "nothing"),
    ("party", "add", "ghost", "--name", "X"),
    ("party", "add", "person", "--name", "X", "--zone", "Moon/Crater"),
    ("party", "change", "TENANT"),
    ("party", "change", "TENANT", "--unset", "hat"),
    ("party", "find"),
    ("party", "show", "nobody"),
    ("party", "merge", "TENANT", "TENANT"),
    ("erase", "nobody"),
    ("run-due", "--now", "soon"),
    ("run-due", "--now", "2026-11-25T10:00:00"),
    ("note", "CASE", "x", "--as", "lee"),
    ("note", "CASE", "x", "--tenant", "Not A Tenant"),
    ("calc", "no.such.calculator"),
    ("type", "show", "no.such.type"),
    ("export", "nobody"),
    ("export", "CASE", "--passphrase", "/no/such/file"),
    ("export", "CASE", "--recipient", "FILE"),
    ("case", "import", "/no/such/file"),
    ("case", "import", "FILE"),
    ("backup", "/"),
    ("restore", "/no/such/folder"),
    ("fsck", "--remove-orphans", "--grace", "0"),
    ("erasures", "--out", "/no/such/folder/ledger"),
    ("keys", "destroy", "nonsense"),
    ("keys", "escrow", "escrow"),
    ("keys", "escrow", "escrow", "--passphrase", "SHORT"),
    ("keys", "drill", "FILE", "--private-key", "FILE"),
    ("keys", "recover", "FILE", "--passphrase", "FILE", "--private-key", "FILE"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_bad_input_is_told_and_writes_nothing(casekit: Run, case: str, tenant_of: str, command: tuple[str, ...]) -> None:
    before = _entries(casekit)
    named = {
        "CASE": case,
        "TENANT": tenant_of,
        "tenant=TENANT": f"tenant={tenant_of}",
        "lodger=TENANT": f"lodger={tenant_of}",
        "FILE": DISPUTE,
        "SHORT": Path(__file__).parents[1] / "cli" / "short.txt",
    }
    arguments = [named.get(part, part) for part in command]
    said = casekit(*arguments, "--json")
    assert said.code == 2, said
    assert set(said.json) == {"errors"}
    assert said.json["errors"]
    assert all(set(e) == {"where", "what", "do"} and e["where"] and e["what"] and e["do"] for e in said.json["errors"]), said.json
    plain = casekit(*arguments)
    assert (plain.code, plain.out) == (2, "")
    assert plain.err.strip()
    assert "Traceback" not in plain.err
    assert _entries(casekit) == before


UNPARSED = [
    ("nonsense",),
    ("case",),
    ("case", "fly"),
    ("case", "show"),
    ("case", "show", "a", "b"),
    ("case", "show", "a", "--nonsense"),
    ("case", "show", "a", "--as-of"),
    ("import", "xes", "log.xes"),
    ("case", "resume", "a", "perhaps"),
    (),
]


@pytest.mark.parametrize("command", UNPARSED, ids=lambda c: " ".join(c) or "nothing")
def test_what_can_t_be_parsed_has_the_same_shape(program: Run, command: tuple[str, ...]) -> None:
    said = program(*command, "--json")
    assert (said.code, said.err) == (2, "")
    assert [set(e) for e in said.json["errors"]] == [{"where", "what", "do"}]
    assert said.json["errors"][0]["where"].startswith("casekit")


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite:///", "sqlite:///:memory:", "mysql://u@h/d", "postgresql://u@h", "sqlite:////no/such/folder/x.db", "://"]
)
def test_a_malformed_store_url(program: Run, url: str) -> None:
    said = program("case", "list", "--store", url, "--json")
    assert said.code == 2
    assert said.json["errors"][0]["where"] == "store"
    assert program("case", "list", "--store", url).code == 2


def test_a_server_that_is_not_there(program: Run, tmp_path: Path) -> None:
    said = program("case", "list", "--store", "postgresql://casekit@127.0.0.1:1/none", "--keys", tmp_path / "keys", "--json")
    assert said.code == 2
    assert said.json["errors"][0]["where"] == "store"


def test_another_keyring_than_the_store_s_own(casekit: Run, case: str, tmp_path: Path) -> None:
    said = casekit("case", "show", case, "--keys", tmp_path / "none", "--json")
    assert said.code == 2
    assert "keyring" in said.json["errors"][0]["what"]


BROKEN_LOGS: dict[str, bytes] = {
    "no-xml.xes": b"hello",
    "cut.xes": LOG.read_bytes()[:-40],
    "other.xes": b"<html><body/></html>",
    "bad-time.xes": LOG.read_bytes().replace(b"2012-11-26T00:00:00.000+01:00", b"tomorrow"),
    "bad.xes.gz": b"\x1f\x8b\x08\x00nonsense",
    "cut.xes.gz": gzip.compress(LOG.read_bytes())[:-60],
}


@pytest.mark.parametrize("name", BROKEN_LOGS)
def test_a_malformed_log(casekit: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BROKEN_LOGS[name])
    said = casekit("import", "xes", tmp_path / name, "--map", MAP, "--json")
    assert said.code == 2
    assert name in said.json["errors"][0]["where"]
    assert casekit("case", "list", "--json").json["cases"] == []


BROKEN_MAPS: dict[str, Callable[[str], str]] = {
    "no TOML": lambda text: text + "\n[[[",
    "an unknown key": lambda text: text + "\n[nonsense]\na = 1\n",
    "no case type": lambda text: text.replace('case_type = "fine.json"', 'case_type = "nowhere.json"'),
    "an unknown zone": lambda text: text.replace("Europe/Rome", "Moon/Crater"),
    "an unknown component": lambda text: text.replace('component = "fine"', 'component = "fun"'),
}


@pytest.mark.parametrize("fault", BROKEN_MAPS)
def test_a_malformed_map(casekit: Run, tmp_path: Path, fault: str) -> None:
    before = MAP.read_text()
    (tmp_path / "fine.json").write_bytes((FINES / "fine.json").read_bytes())
    broken = tmp_path / "map.toml"
    broken.write_text(BROKEN_MAPS[fault](before))
    assert broken.read_text() != before
    said = casekit("import", "xes", LOG, "--map", broken, "--json")
    assert said.code == 2
    assert all(e["where"] and e["what"] and e["do"] for e in said.json["errors"])
    assert casekit("case", "list", "--json").json["cases"] == []


def test_files_that_are_not_there(casekit: Run) -> None:
    assert casekit("import", "xes", "nowhere.xes", "--map", MAP).code == 2
    assert casekit("import", "xes", LOG, "--map", "nowhere.toml").code == 2
    assert casekit("type", "check", "nowhere.json").code == 2
    assert casekit("type", "list", "--type", "nowhere.json").code == 2
    assert casekit("case", "open", "test.dispute", "--data-file", "nowhere.json").code == 2


BROKEN_TYPES: dict[str, tuple[tuple[str, ...], object, str]] = {
    "a condition beyond declared data": (("transitions", "decide", "when"), "salary > 0", "salary"),
    "a condition that is code": (("transitions", "decide", "when"), "__import__('os').system('true') == 0", "decide"),
    "a text field that does not say whether it is personal": (("data", "story"), {"schema": {"type": "string"}}, "story"),
    "a target that is no state": (("transitions", "decide", "target"), "nowhere", "nowhere"),
    "an initial state that is none": (("initial",), "nowhere", "nowhere"),
    "a category that is none": (("states", "open", "category"), "sleepy", "category"),
    "a field that is none": (("colour",), "red", "colour"),
    "a requirement that is none": (("closing",), ["test.none"], "test.none"),
    "a duration that is none": (("clocks", "answer", "amount"), "two weeks", "two weeks"),
    "an unknown zone": (("zone",), "Moon/Crater", "Moon/Crater"),
}


@pytest.mark.parametrize("fault", BROKEN_TYPES)
def test_a_malformed_definition_is_refused_with_file_and_path(program: Run, tmp_path: Path, fault: str) -> None:
    path, value, named = BROKEN_TYPES[fault]
    says = json.loads(DISPUTE.read_text())
    place = says
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(says))
    said = program("type", "check", broken, "--json")
    assert said.code == 2, said
    assert any(named in f"{e['where']} {e['what']}" for e in said.json["errors"]), said.json
    assert all("broken.json" in e["where"] for e in said.json["errors"]), said.json
    store = tmp_path / "none.db"
    assert program("case", "list", "--store", f"sqlite:///{store}", "--type", broken).code == 2
    assert not store.exists()


def test_json_that_is_none(program: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"key": "a.b",\n "version": 1.5,}')
    said = program("type", "check", broken, "--json")
    assert said.code == 2
    assert "broken.json" in said.json["errors"][0]["where"]
