"""Whatever is personal or free text is found nowhere in a store by one who lacks the keys.

A marker of its own stands in every such field of every command, in every answer of a plugin, in every refusal and
failure. Then everything that a store holds is searched for each of them, in every spelling.
"""

from __future__ import annotations

import hashlib
import inspect
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

import tenancy
from casekit import BadInput, CasekitError, Desk, Refused, Seat, builtin
from logs import Lab, day, event, trace
from proofs.gossip import Gossip
from servers import dsn

CLEAR = {
    "party.kind": "one of four words",
    "party.zone": "an IANA zone, clear by design",
    "party.language": "a language tag, clear by design",
    "change_party.party": "an id",
    "merge_parties.party": "an id",
    "merge_parties.into": "an id",
    "erase.party": "an id",
    "rectify_party.party": "an id",
    "rectify_party.asked_by": "an id",
    "rectify.unset": "fields of the definition",
    "rectify.asked_by": "an id",
    "rectify_fact.fact": "an id",
    "rectify_fact.asked_by": "an id",
    "access_export.party": "an id",
    "access_export.looked": "yes or no",
    "access_export.redact": "words that are taken out of what is given: they are not kept",
    "access_export.staff": "yes or no",
    "classify.level": "a level of the desk, or refused",
    "classify.document": "an id, or refused",
    "classify.ground": "one of four words",
    "open.case_type": "the key of a definition",
    "open.parties": "roles and ids",
    "open.zone": "an IANA zone",
    "do.event": "an event of the definition",
    "change.unset": "fields of the definition",
    "item.action": "a word of the core",
    "item.item": "a key, checked as such, or refused",
    "item.stage": "a key of the plan, or refused",
    "item.own": "keys, offsets and conditions in words of the case type; a title or other words in it are refused",
    "set_goal.owner": "a role of those who work here",
    "approve.requirement": "a requirement of the definition, or refused",
    "approve.withdraw": "yes or no",
    "adjust.adjustment": "the key of an adjustment, checked as a rule key is",
    "choose.option": "the key of an option, checked as a rule key is",
    "close.outcome": "an outcome of the definition",
    "give_role.role": "a role of the definition",
    "link.relation": "one of five words",
    "link.other": "a case, or refused",
    "unlink.relation": "one of five words",
    "unlink.other": "a case, or refused",
    "document_status.document": "an id",
    "document_status.status": "a status of the definition",
    "give_role.party": "an id",
    "take_role.role": "a role of the definition",
    "take_role.party": "an id",
    "message.direction": "in or out",
    "message.via": "a channel",
    "message.outcome": "one of twelve words",
    "message.to": "a role of the definition",
    "message.party": "an id",
    "note_fact.fact": "a fact of the definition",
    "document.kind": "a kind of the definition",
    "document.media": "a media type",
    "document.direction": "in, out or internal",
    "document.document": "an id",
    "pay.amount": "money is clear",
    "charge.component": "a component of the definition",
    "charge.amount": "money is clear",
    "reverse.posting": "an id",
    "resume.clocks": "one of three words",
    "adopt_calendars.reason": "of cases with calendars only: the words of a reason are one function for all commands",
    "adopt_calendars.key": "the same: a key is one keyed digest for all commands",
    "confirm_clock.reason": "of counted clocks only: the words of a reason are one function for all commands",
    "confirm_clock.key": "the same: a key is one keyed digest for all commands",
    "keep_clock.reason": "of counted clocks only: the words of a reason are one function for all commands",
    "keep_clock.key": "the same: a key is one keyed digest for all commands",
    "resume.reason": "of imported cases only: the words of a reason are one function for all commands",
    "run_due.now": "an instant",
    "import_bundle.bundle": "what another store held, sealed there: it is taken over as it is, and its own proof forbids a change",
    "import_bundle.opens": "a passphrase or a private key: it opens, and is not kept",
    "checkpoint.origin": "the name of an installation's log, which is there to be shown around",
    "place_hold.name": "the name of a hold, clear by design: refusals say it, and how it is spelled is checked",
    "place_hold.cases": "ids or numbers",
    "place_hold.parties": "ids",
    "place_hold.types": "case types",
    "place_hold.opened_from": "a day",
    "place_hold.opened_until": "a day",
    "lift_hold.name": "the name of a hold that stands",
    "propose_disposal.cases": "ids or numbers",
    "approve_disposal.list": "the id of a list",
    "withdraw_disposal.list": "the id of a list",
    "run_disposal.list": "the id of a list",
    "import_log.file": "a path; what an import keeps is proved with the importer",
    "import_log.map": "a path",
    "import_log.format": "the key of a format",
    "import_log.live_from": "an instant",
    "import_log.progress": "a function",
}
"""Parameters of commands that hold nothing personal and no free text, each with the reason."""

EVERYWHERE = {"case", "effective", "observed", "force"}
"""Parameters of many commands: which case, since when, how."""

QUESTIONS = {name for name, _ in inspect.getmembers(Seat.__mro__[1], inspect.isfunction)}


class Marks:
    """Markers by the place where they were put."""

    def __init__(self) -> None:
        self.planted: dict[str, list[str]] = {}

    def __call__(self, where: str) -> str:
        found = self.planted.setdefault(where, [])
        digest = hashlib.sha256(f"{where} {len(found)}".encode()).hexdigest()
        found.append(f"Mq{digest[:5]}Zü{digest[5:11]}")
        return found[-1]

    def put(self, where: str, value: str) -> str:
        """A marker that must look like something: a phone number, a day, an amount."""
        self.planted.setdefault(where, []).append(value)
        return value


def spellings(marker: str) -> Iterator[bytes]:
    """How a marker might stand somewhere: encodings, cases, base64 at each alignment, hex, digests without a key."""
    bare = "".join(c for c in marker if c.isdigit())
    texts = {marker, marker.lower(), marker.upper(), marker.casefold(), " ".join(marker.split()), *([bare] if len(bare) > 7 else [])}
    for text in texts:
        for raw in (text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("latin-1", "replace")):
            yield raw
            yield raw.hex().encode()
            yield raw.hex().upper().encode()
            for shift in range(3):
                whole = b64encode(b"\0" * shift + raw)
                inside = whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
                yield inside
                yield inside.replace(b"+", b"-").replace(b"/", b"_")
        yield text.encode("unicode_escape")
        yield text.encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00")
        for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5):
            yield digest(text.encode()).digest()
            yield digest(text.encode()).hexdigest().encode()


def held(engine: str, url: str, folder: Path) -> dict[str, bytes]:
    """Everything that a store holds, by where it lies; the keyring alone is left out."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "keys"]
    found = {str(path.relative_to(folder)): pages(path) for path in files}
    found["names of files"] = " ".join(map(str, files)).encode()
    return found | (rows_of_postgresql(url) if engine == "postgresql" else rows_of_sqlite(folder / "store.db"))


def pages(path: Path) -> bytes:
    """What a file holds; of a write-ahead log each page once, however often it was written."""
    raw = path.read_bytes()
    if not path.name.endswith("-wal"):
        return raw
    size = 24 + int.from_bytes(raw[8:12])
    frames = {raw[at + 24 : at + size] for at in range(32, len(raw), size)}
    return raw[:32] + b"".join(frames)


def rows_of_sqlite(path: Path) -> dict[str, bytes]:
    """The tables, for a long value lies in the file in pieces."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: joined(connection.execute(f"SELECT * FROM {table}")) for table in tables}


def rows_of_postgresql(url: str) -> dict[str, bytes]:
    with psycopg.connect(dsn(url), autocommit=True) as connection:
        tables = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return {table: joined(connection.execute(f"SELECT * FROM {table}".encode())) for table in tables}


def joined(rows: Iterable[Iterable[Any]]) -> bytes:
    return b"\n".join(v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row)


def leaks(marks: Marks, store: dict[str, bytes]) -> list[str]:
    """Which markers were found, and where."""
    found = []
    everything = b"\n".join(store.values())
    for where, markers in marks.planted.items():
        for marker in markers:
            seen = [spelling for spelling in set(spellings(marker)) if spelling in everything]
            places = {place for spelling in seen for place, raw in store.items() if spelling in raw}
            found += [f"{where}: {marker!r} in {place}" for place in sorted(places)]
    return found


@contextmanager
def turned_away() -> Iterator[None]:
    """A command that is refused, denied or not valid."""
    with pytest.raises(CasekitError):
        yield


def plant(desk: Desk, mark: Marks, gossip: Gossip, clock: Any) -> str:
    """Every command with a marker in every field; gives the case."""
    lee = desk.seat("user:lee", roles={"clerk"})
    maria, shop = _parties(lee, mark)
    case = lee.open(
        "tenancy.dispute",
        data={"deposit": "900.00 EUR", "story": mark("open.data"), "health": mark("open.data")},
        parties={"tenant": maria, "landlord": shop},
        key=mark("open.key"),
    ).id
    other = lee.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": maria, "landlord": shop}).id
    _commands(lee, case, other, mark)
    _refusals(lee, case, mark, gossip, (maria, shop))
    _not_valid(desk, lee, case, mark)
    _answers(lee, case, mark, gossip)
    lee.run_due()
    lee.access_export(maria, looked=True)
    _ending(lee, case, mark)
    lee.place_hold("a-suit", cases=[case], reason=mark("place_hold.reason"), authority=mark("place_hold.authority"))
    lee.place_hold("all-of-them", types=["tenancy.dispute"], reason=mark("place_hold.reason"))
    lee.lift_hold("a-suit", reason=mark("lift_hold.reason"))
    return case


def _parties(lee: Seat, mark: Marks) -> tuple[str, str]:
    maria = lee.party(
        "person",
        key=mark("party.key"),
        name=mark("party.name"),
        phone=mark.put("party.phone", "+49 30 7719 3551 88"),
        email=mark("party.email") + "@example.org",
        address=mark("party.address"),
        born=mark.put("party.born", "1931-07-19"),
        ref=mark("party.ref"),
    )
    lee.change_party(maria, name=mark("change_party.name"), address=mark("change_party.address"), reason=mark("change_party.reason"))
    lee.change_party(
        maria,
        phone=mark.put("change_party.phone", "+49 40 6618 2443 77"),
        email=mark("change_party.email"),
        born=mark.put("change_party.born", "1932-09-23"),
        ref=mark("change_party.ref"),
    )
    details = {"address": mark("rectify_party.address"), "ref": mark("rectify_party.ref")}
    lee.rectify_party(maria, reason=mark("rectify_party.reason"), asked_by=maria, **details)
    twin = lee.party("person", name=mark("party.name"))
    lee.merge_parties(twin, maria, reason=mark("merge_parties.reason"))
    return maria.id, lee.party("organisation", name=mark("party.name")).id


def _commands(lee: Seat, case: str, other: str, mark: Marks) -> None:
    lee.note(case, mark("note.text"), key=mark("note.key"))
    lee.note_fact(
        case,
        "rent",
        mark.put("note_fact.value", "73519.13 EUR"),
        source=mark("note_fact.source"),
        key=mark("note_fact.key"),
        effective="2026-11-01",
    )
    lee.note_fact(case, "rent", mark.put("note_fact.value", "73520.17 EUR"), source=mark("note_fact.source"), effective="2026-10-01")
    lee.note_fact(case, "heating", "gas", source=mark("note_fact.source"))
    lee.change(case, {"story": mark("change.data"), "health": mark("change.data")}, reason=mark("change.reason"), key=mark("change.key"))
    wrong = lee.note_fact(case, "rent", mark.put("note_fact.value", "73523.29 EUR"), effective="2026-11-02").id
    fixed = {"reason": mark("rectify_fact.reason"), "source": mark("rectify_fact.source"), "key": mark("rectify_fact.key")}
    lee.rectify_fact(case, wrong, mark.put("rectify_fact.value", "73524.31 EUR"), **fixed)
    right = {"story": mark("rectify.data"), "health": mark("rectify.data")}
    lee.rectify(case, right, reason=mark("rectify.reason"), key=mark("rectify.key"), effective="2026-11-03")
    lee.charge(case, "damage", "30.00 EUR", note=mark("charge.note"), key=mark("charge.key"))
    paid = lee.pay(case, "100.00 EUR", note=mark("pay.note"), key=mark("pay.key"))
    lee.reverse(case, paid.id, note=mark("reverse.note"), key=mark("reverse.key"))
    content = mark("document.content").encode()
    made = lee.document(case, "letter", content, name=mark("document.name") + ".txt", key=mark("document.key"))
    lee.document(case, "letter", mark("document.content").encode("utf-16-le"), name=mark("document.name"), document=made.id)
    for direction in ("in", "out"):
        said = {"direction": direction, "via": "letter", "outcome": "sent", "to": "tenant"}
        lee.message(case, **said, text=mark("message.text"), key=mark("message.key"))
    staff = lee.party("staff", name=mark("party.name"))
    lee.give_role(case, "handler", staff, key=mark("give_role.key"))
    lee.take_role(case, "handler", staff, key=mark("take_role.key"))
    lee.link(case, "related", other, reason=mark("link.reason"), key=mark("link.key"))
    lee.unlink(case, "related", other, reason=mark("unlink.reason"), key=mark("unlink.key"))
    photo = lee.document(case, "photo", mark("document.content").encode())
    lee.document_status(case, photo.id, "accepted", reason=mark("document_status.reason"), key=mark("document_status.key"))
    own = {"kind": "task", "due": {"after": "P9D"}}
    lee.item(case, "add", "ring", own=own, title=mark("item.title"), reason=mark("item.reason"), key=mark("item.key"))
    lee.item(case, "complete", "ring", reason=mark("item.reason"))
    lee.set_goal(case, "paid", "paid", "900.00 EUR", title=mark("set_goal.title"), reason=mark("set_goal.reason"), key=mark("set_goal.key"))
    lee.review(case, mark("review.text"), key=mark("review.key"))
    lee.drop_goal(case, "paid", reason=mark("drop_goal.reason"), key=mark("drop_goal.key"))
    lee.classify(case, "normal", reason=mark("classify.reason"), key=mark("classify.key"))
    lee.approve(case, "tenancy.checked", reason=mark("approve.reason"), key=mark("approve.key"))
    lee.approve(case, "tenancy.checked", withdraw=True, reason=mark("approve.reason"))
    running = next(clock for clock in lee.file(case).clocks if clock.status == "running")
    more = {"reason": mark("extend.reason"), "authority": mark("extend.authority"), "key": mark("extend.key")}
    lee.extend(case, running.id, instance=running.instance, by="P5D", **more)


def _refusals(lee: Seat, case: str, mark: Marks, gossip: Gossip, people: tuple[str, str]) -> None:
    """Every command, objected to by a guard that tells all it knows, and by one that fails; asked and observed."""
    for how in ("object", "fail"):
        gossip.on = {how}
        with turned_away():
            lee.note(case, mark("note.text"), key=mark("note.key"))
        with turned_away():
            lee.do(case, "answer", {"tone": mark("do.fields")}, reason=mark("do.reason"), key=mark("do.key"))
        with turned_away():
            lee.change(case, {"story": mark("change.data")}, reason=mark("change.reason"))
        with turned_away():
            lee.note_fact(case, "rent", mark.put("note_fact.value", "73521.19 EUR"), source=mark("note_fact.source"))
        with turned_away():
            lee.document(case, "letter", mark("document.content").encode(), name=mark("document.name"))
        with turned_away():
            lee.message(case, direction="in", via="phone", outcome="conversation", to="tenant", text=mark("message.text"))
        for command in (lee.pay, lambda *a, **k: lee.charge(a[0], "damage", a[1], **k)):
            with turned_away():
                command(case, "1.00 EUR", note=mark("pay.note"))
        with turned_away():
            lee.choose(case, "decision", reason=mark("choose.reason"))
        with turned_away():
            data = {"deposit": "1.00 EUR", "story": mark("open.data")}
            lee.open("tenancy.dispute", data=data, parties={"tenant": people[0], "landlord": people[1]}, key=mark("open.key"))
        lee.pay(case, "1.00 EUR", note=mark("pay.note"), observed=True)
        lee.message(case, direction="out", via="sms", outcome="sent", to="tenant", text=mark("message.text"), observed=True)
        lee.note_fact(case, "rent", mark.put("note_fact.value", "73522.23 EUR"), observed=True)
    gossip.on = {"message", "transition"}
    with turned_away():
        lee.message(case, direction="out", via="phone", outcome="conversation", to="tenant", text=mark("message.text"))
    with turned_away():
        lee.do(case, "answer", {"tone": mark("do.fields")}, reason=mark("do.reason"))
    for close in ("close", "fail close"):
        gossip.on = {close}
        with turned_away():
            lee.close(case, "decided", reason=mark("close.reason"), key=mark("close.key"))
        lee.close(case, "decided", reason=mark("close.reason"), observed=True)
    gossip.on = set()


def _not_valid(desk: Desk, lee: Seat, case: str, mark: Marks) -> None:
    """What is not valid or not allowed leaves nothing: not even what it said."""
    trainee = desk.seat("user:trainee", roles={"trainee"})
    calls: list[Callable[[], Any]] = [
        lambda: trainee.do(case, "answer", {"tone": mark("do.fields")}, reason=mark("do.reason"), key=mark("do.key")),
        lambda: trainee.note(case, mark("note.text"), key=mark("note.key")),
        lambda: trainee.open("tenancy.dispute", data={"story": mark("open.data")}, key=mark("open.key")),
        lambda: trainee.find_parties(name=mark("find.name")),
        lambda: trainee.party("person", name=mark("party.name")),
        lambda: lee.do(case, mark("do.event")),
        lambda: lee.do(case, "answer", {mark("do.field"): "x"}),
        lambda: lee.note_fact(case, mark("note_fact.fact"), "x"),
        lambda: lee.change(case, {mark("change.field"): "x"}),
        lambda: lee.close(case, mark("close.outcome")),
        lambda: lee.choose(case, mark("choose.option")),
        lambda: lee.approve(case, mark("approve.requirement")),
        lambda: lee.item(case, "add", "own", own={"kind": "task", "entry": [{"when": f"reference == '{mark('item.own')}'"}]}),
        lambda: lee.adjust(case, mark("adjust.adjustment")),
        lambda: lee.classify(case, mark("classify.level"), reason="x"),
        lambda: lee.classify(case, "normal", reason="x", document=mark("classify.document")),
        lambda: lee.item(case, mark("item.action"), "ring"),
        lambda: lee.item(case, "complete", mark("item.item")),
        lambda: lee.item(case, "move", "ring", stage=mark("item.stage")),
        lambda: lee.item(case, "add", "x", own={"title": mark("item.own")}),
        lambda: lee.set_goal(case, mark("set_goal.goal"), "paid", "1.00 EUR"),
        lambda: lee.set_goal(case, "a", mark("set_goal.measure"), "1.00 EUR"),
        lambda: lee.set_goal(case, "a", "paid", mark("set_goal.target")),
        lambda: lee.set_goal(case, "a", "paid", "1.00 EUR", want=mark("set_goal.want")),  # type: ignore[arg-type]
        lambda: lee.set_goal(case, "a", "paid", "1.00 EUR", by=mark("set_goal.by")),
        lambda: lee.drop_goal(case, mark("drop_goal.goal")),
        lambda: lee.extend(case, mark("extend.clock"), by="P1D", reason="x"),
        lambda: lee.extend(case, "answer", instance=mark("extend.instance"), by="P1D", reason="x"),
        lambda: lee.extend(case, "answer", by=mark("extend.by"), reason="x"),
        lambda: lee.extend(case, "answer", to=mark("extend.to"), reason="x"),
        lambda: lee.confirm_clock(case, mark("confirm_clock.clock"), reason="x"),
        lambda: lee.confirm_clock(case, "answer", instance=mark("confirm_clock.instance"), reason="x"),
        lambda: lee.keep_clock(case, mark("keep_clock.clock"), reason="x"),
        lambda: lee.keep_clock(case, "answer", instance=mark("keep_clock.instance"), reason="x"),
        lambda: lee.give_role(case, mark("give_role.role"), mark("give_role.party")),
        lambda: lee.give_role(case, "handler", mark("give_role.party")),
        lambda: lee.take_role(case, "tenant", mark("take_role.party")),
        lambda: lee.message(case, direction="in", via="phone", outcome="conversation", party=mark("message.party"), text="x"),
        lambda: lee.message(case, direction="in", via=mark("message.via"), outcome="conversation"),
        lambda: lee.message(case, direction="in", via="phone", outcome=mark("message.outcome")),
        lambda: lee.message(case, direction="in", via="phone", outcome="conversation", to=mark("message.to")),
        lambda: lee.document(case, mark("document.kind"), b"x"),
        lambda: lee.document(case, "letter", b"x", media=mark("document.media")),
        lambda: lee.document(case, "letter", b"x", document=mark("document.document")),
        lambda: lee.charge(case, mark("charge.component"), "1.00 EUR"),
        lambda: lee.reverse(case, mark("reverse.posting")),
        lambda: lee.pay(case, mark("pay.amount")),
        lambda: lee.case(mark("case")),
        lambda: lee.party(mark("party.kind"), name="x"),
        lambda: lee.party("person", language=mark("party.language")),
        lambda: lee.party("person", zone=mark("party.zone")),
        lambda: lee.party("person", **{mark("party.detail"): "x"}),
        lambda: lee.pay(case, "1.00 EUR", key=mark("pay.key"), effective=mark("pay.effective")),
    ]
    for call in calls:
        with turned_away():
            call()
    seen = lee.case(case)
    lee.note_fact(case, "heating", "oil")
    with pytest.raises(Refused):
        lee.change(seen, {"story": mark("change.data")}, reason=mark("change.reason"))


def _answers(lee: Seat, case: str, mark: Marks, gossip: Gossip) -> None:
    gossip.on = {"plan"}
    assert next(f.rule for f in lee.assess(case)) == "gossip.found"
    lee.choose(case, lee.options(case)["talk"].key, reason=mark("choose.reason"), key=mark("choose.key"))
    gossip.on = {"review"}
    lee.review(case, mark("review.text"))
    lee.adjust(case, "gossip.talk", reason=mark("adjust.reason"), key=mark("adjust.key"))
    gossip.on = {"review", "object"}
    for command in (lambda: lee.review(case, mark("review.text")), lambda: lee.adjust(case, "gossip.talk", reason=mark("adjust.reason"))):
        with turned_away():
            command()
    gossip.on = set()


def _ending(lee: Seat, case: str, mark: Marks) -> None:
    lee.do(case, "answer", {"tone": mark("do.fields")}, reason=mark("do.reason"), key=mark("do.key"))
    lee.document(case, "photo", mark("document.content").encode(), name=mark("document.name"))
    with pytest.raises(BadInput):
        lee.close(case, "decided", fields={mark("close.fields"): "x"})
    lee.close(case, "decided", reason=mark("close.reason"), key=mark("close.key"))


def test_every_parameter_of_every_command_is_planted_or_clear_for_a_reason() -> None:
    """A new command, or a new parameter, must be thought of here."""
    known = set(CLEAR) | {"open.data", "open.key"}
    source = inspect.getsource(inspect.getmodule(plant) or object())
    for name, command in inspect.getmembers(Seat, inspect.isfunction):
        if name.startswith("_") or name in QUESTIONS:
            continue
        for parameter in list(inspect.signature(command).parameters.values())[1:]:
            place = f"{name}.{parameter.name}"
            if parameter.name in EVERYWHERE or place in known or parameter.kind is parameter.VAR_KEYWORD:
                continue
            assert f'mark("{place}")' in source or f'mark.put("{place}"' in source, f"nothing is planted in {place}"


def test_markers_are_found_nowhere_without_the_keys(
    engine: str, store_url: str, tmp_path: Path, open_store: Callable[..., Desk], clock: Any, figure: Callable[[str], None]
) -> None:
    mark = Marks()
    gossip = Gossip(mark)
    desk = open_store(plugins=[tenancy, gossip])
    case = plant(desk, mark, gossip, clock)

    store = held(engine, store_url, tmp_path)
    _with_keys(desk, case, mark)
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    desk.close()
    store |= {f"{place}, closed": raw for place, raw in held(engine, store_url, tmp_path).items() if raw != store.get(place)}
    found = leaks(mark, store)

    count = sum(len(markers) for markers in mark.planted.values())
    size = sum(map(len, store.values()))
    figure(f"P-markers ({engine}): {count} markers in {len(mark.planted)} places, {len(found)} found in {size:,} bytes")
    assert not found, "\n".join(found)


LOOKED = ("look.words", "look.args", "look.citation", "look.adjustment", "look.because", "adjust.reason")


def _with_keys(desk: Desk, case: str, mark: Marks) -> None:
    """With the keys they are all there: they were planted, and not lost."""
    said = str(desk.seat("user:lee", roles={"clerk"}).export(case)["readable"])
    places = ["note.text", "open.data", "change.data", "pay.note", "message.text", "document.name", "do.reason", "before.note.words"]
    for place in (
        *places,
        "before.pay.failed",
        "before.pay.citation",
        "before_message.args",
        "close.failed",
        "choose.reason",
        "do.fields",
        *LOOKED,
    ):
        assert any(marker in said for marker in mark.planted[place]), f"{place} was never written"


def test_markers_in_a_log_are_found_nowhere_either(
    engine: str, store_url: str, tmp_path: Path, open_store: Callable[..., Desk], clock: Any, figure: Callable[[str], None]
) -> None:
    mark = Marks()
    desk = open_store(plugins=[builtin])
    lee = desk.seat("user:lee", roles={"admin"})
    (tmp_path / "log").mkdir()
    lab = Lab(lee, tmp_path / "log")
    traced = trace(
        mark("trace.name"),
        event("Ordered", day(1), price="30.0", org__resource=mark("event.resource"), raw=mark("event.raw")),
        event("Packed", day(2), weight=7, packer=mark("event.form"), lifecycle__transition=mark("event.lifecycle")),
        event("Seen and marked", day(3), colour="blue", taste=mark("event.fact")),
        event("Written", day(4), text=mark("event.note")),
        event("Shipped", day(5), carrier=mark("event.nonconforming")),
        event("Nothing", day(6), noise=mark("event.dropped"), raw=mark("event.raw")),
        customer=mark("trace.data"),
        raw=mark("trace.raw"),
    )
    done = lab.run(traced)
    assert (done.cases, len(done.nonconforming)) == (1, 2)
    case = lee.cases().cases[0].id
    said = str(lee.export(case)["readable"])
    places = ("event.fact", "event.note", "trace.data")
    assert [place for place in places if mark.planted[place][0] not in said] == []

    store = {place: raw for place, raw in held(engine, store_url, tmp_path).items() if not place.startswith("log/")}
    found = leaks(mark, store)
    count = sum(len(markers) for markers in mark.planted.values())
    figure(f"P-markers of a log ({engine}): {count} markers in {len(mark.planted)} places, {len(found)} found")
    assert not found, "\n".join(found)


def test_the_search_finds_what_is_in_the_clear(
    engine: str, store_url: str, tmp_path: Path, open_store: Callable[..., Desk], clock: Any
) -> None:
    mark = Marks()
    desk = open_store()
    lee = desk.seat("user:lee", roles={"clerk"})
    who = lee.party("person", name="x").id
    data = {"deposit": "1.00 EUR", "reference": mark("reference")}
    lee.open("tenancy.dispute", data=data, parties={"tenant": who, "landlord": who})

    assert leaks(mark, held(engine, store_url, tmp_path))


@pytest.mark.parametrize("marker", ["Mq1a2b3Zü4c5d6e7"])
@pytest.mark.parametrize(
    "written",
    [
        lambda m: m.encode(),
        lambda m: m.casefold().encode(),
        lambda m: m.encode("utf-16-le"),
        lambda m: m.encode().hex().encode(),
        lambda m: b64encode(f'{{"name":"{m}"}}'.encode()),
        lambda m: b64encode(f'{{"name": "{m}"}}'.encode()),
        lambda m: b64encode(f'{{ "name": "{m}"}}'.encode()),
        lambda m: hashlib.sha256(m.casefold().encode()).digest(),
        lambda m: m.encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00"),
    ],
)
def test_every_spelling_is_searched_for(marker: str, written: Callable[[str], bytes]) -> None:
    assert any(spelling in b"..." + written(marker) + b"..." for spelling in spellings(marker))
