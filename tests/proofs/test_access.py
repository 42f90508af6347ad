"""What is held of a person is handed out to them whole, and nothing of anybody else.

A marker of its own stands in every field of the person and of everyone else in their cases. Of the person, all are handed
out; of the others, none, in whatever spelling, packing or encoding.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from casekit import BadInput, Denied, Desk, Refused, Seat
from casekit.desk.accessvalues import AccessExport
from casekit.desk.accesswords import WAITS
from commandline import ROOT
from proofs import office
from proofs.test_markers import Marks, spellings

SCHEMA = Draft202012Validator(json.loads((ROOT / "schemas" / "access-export.schema.json").read_text(encoding="utf-8")))


def handed(made: AccessExport) -> dict[str, bytes]:
    """Everything that is handed out, by file; what is packed, unpacked too."""
    SCHEMA.validate(json.loads(made.text))
    files = {"page": made.page.encode(), "data": made.text.encode(), **made.files}
    names = {"names of files": " ".join(made.files).encode()}
    return files | names


def found(markers: list[str], files: dict[str, bytes]) -> set[str]:
    """Which of the markers were handed out, in whatever spelling."""
    everything = b"\n".join(files.values())
    return {marker for marker in markers if any(spelling in everything for spelling in spellings(marker))}


def all_of(marks: Marks) -> list[str]:
    return [marker for several in marks.planted.values() for marker in several]


def details(mark: Marks, who: str, digits: str) -> dict[str, str]:
    return {
        "name": mark(f"{who}.name"),
        "phone": mark.put(f"{who}.phone", f"+49 30 7719 3551 {digits}"),
        "email": mark(f"{who}.email") + "@example.org",
        "address": mark(f"{who}.address"),
        "born": mark.put(f"{who}.born", f"19{digits}-07-19"),
        "ref": mark(f"{who}.ref"),
    }


def packed(text: str) -> list[tuple[str, bytes, str]]:
    """A text in the files in which it might come."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("word/document.xml", f"<w:t>{text}</w:t>")
    stream = b"%PDF-1.4\n1 0 obj << /Filter /FlateDecode >> stream\n" + zlib.compress(f"({text}) Tj".encode()) + b"\nendstream"
    return [
        ("a.txt", f"She wrote: {text}.".encode(), "text/plain"),
        ("b.bin", b"..." + b64encode(f"x{text}".encode()) + b"...", "application/octet-stream"),
        ("c.bin", text.encode().hex().encode(), "application/octet-stream"),
        ("d.docx", archive.getvalue(), "application/zip"),
        ("e.pdf", stream, "application/pdf"),
        ("f.txt", text.encode("utf-16-le"), "text/plain"),
        ("g.txt", b64encode(text.encode()), "text/plain"),
    ]


def filled(desk: Desk, clock: Any, mine: Marks, theirs: Marks) -> tuple[str, str]:
    """A person in a case with three others, everything about everybody somewhere; gives the person and the case."""
    lee = desk.seat("user:lee", roles={"clerk"})
    old = lee.party("person", **details(mine, "subject", "31"))
    lee.change_party(old, name=mine("subject.name"), address=mine("subject.address"), reason=mine("subject.reason"))
    lee.rectify_party(old, email=mine("subject.email"), reason=mine("rectify.reason"), asked_by=old)
    person = lee.party("person", name=mine("subject.name"), ref=mine("subject.ref"))
    lee.merge_parties(old, person, reason=mine("merge.reason"))
    landlord = lee.party("person", **details(theirs, "landlord", "44"))
    lee.change_party(landlord, name=theirs("landlord.name") + " " + theirs("landlord.name"))
    kim = lee.party("staff", **details(theirs, "staff", "57"))
    data = {"deposit": "900.00 EUR", "story": mine("data"), "health": mine("data"), "reference": mine("clear data")}
    case = lee.open("tenancy.dispute", data=data, parties={"tenant": old, "landlord": landlord}, effective="2026-11-01").id
    lee.give_role(case, "handler", kim)
    lee.take_role(case, "handler", kim)
    _case(lee, case, mine, theirs)
    lee.rectify(case, {"health": mine("rectify.data")}, reason=mine("rectify.reason"))
    _others_case(lee, theirs, landlord.id)
    return old.id, case


def _case(lee: Seat, case: str, mine: Marks, theirs: Marks) -> None:
    others = all_of(theirs)
    lee.note(case, mine("note") + " said of " + ", ".join(others))
    rent = mine.put("fact", "73519.13 EUR")
    wrong = lee.note_fact(case, "rent", rent, source=mine("source") + f" by {others[0].upper()}", effective="2026-11-02").id
    lee.rectify_fact(case, wrong, mine.put("fact", "73520.17 EUR"), reason=mine("rectify.reason"))
    lee.change(case, {"story": mine("data") + f" {others[0]}"}, reason=mine("reason"))
    lee.pay(case, "100.00 EUR", note=mine("posting"))
    for to, via in (("tenant", "letter"), ("landlord", "email")):
        lee.message(case, direction="out", via=via, outcome="sent", to=to, text=mine("message") + f" {others[1]}")
    with pytest.raises(Refused):
        lee.message(case, direction="out", via="phone", outcome="conversation", to="tenant", text=mine("lost with the refusal"))
    mine.planted.pop("lost with the refusal")
    lee.set_goal(case, "paid", "paid", "900.00 EUR", title=mine("goal"))
    lee.review(case, mine("review"))
    lee.item(case, "add", "ring", own={"kind": "task", "due": {"after": "P9D"}}, title=mine("task"))
    lee.choose(case, "two-halves", reason=mine("choice"))
    lee.do(case, "answer", {"tone": mine("form")})
    lee.document(case, "letter", f"Dear {mine('document')}".encode(), name=mine("document name") + ".txt")
    for text in (others[0], others[1], others[-1]):
        for name, content, media in packed(text):
            lee.document(case, "photo", content, name=name, media=media)


def _others_case(lee: Seat, theirs: Marks, landlord: str) -> None:
    """A case in which the person has no part."""
    ada = lee.party("person", **details(theirs, "stranger", "62")).id
    case = lee.open(
        "tenancy.dispute",
        data={"deposit": "1.00 EUR", "story": theirs("other case"), "health": theirs("other case")},
        parties={"tenant": ada, "landlord": landlord},
    ).id
    lee.note(case, theirs("other case"))


def test_all_of_the_person_is_handed_out_and_nothing_of_others(
    engine: str, open_store: Callable[..., Desk], clock: Any, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    desk = open_store(plugins=office.PLUGINS)
    mine, theirs = Marks(), Marks()
    person, _ = filled(desk, clock, mine, theirs)
    lee = desk.seat("user:lee", roles={"clerk"})

    made = lee.access_export(person, looked=True)

    files = handed(made)
    missing = set(all_of(mine)) - found(all_of(mine), files)
    leaked = found(all_of(theirs), files)
    size = sum(map(len, files.values()))
    figure(
        f"Access ({engine}): {len(all_of(mine))} markers of the person, {len(missing)} missing;"
        f" {len(all_of(theirs))} of {4} others, {len(leaked)} handed out, in {size:,} bytes of {len(files)} files"
    )
    assert not missing
    assert not leaked, [(place, marker) for marker in leaked for place in files if found([marker], {place: files[place]})]
    assert "user:lee" not in made.text
    assert made.answer.complete
    assert not made.look
    assert len(made.files) == 1 + 3, "the letter, and three texts with something taken out"
    assert sum("A file of" in w.why or "a file of this kind" in w.why for w in made.answer.withheld) == 18
    written = made.write(tmp_path / "out")
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    assert (tmp_path / "out" / "index.html").read_text(encoding="utf-8") == made.page
    with pytest.raises(BadInput, match="something in this folder"):
        made.write(tmp_path / "out")
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []


def test_before_somebody_has_looked_no_text_goes_out(open_store: Callable[..., Desk], clock: Any) -> None:
    desk = open_store()
    mine, theirs = Marks(), Marks()
    person, _ = filled(desk, clock, mine, theirs)

    made = desk.seat("user:lee", roles={"clerk"}).access_export(person)

    files = handed(made)
    assert not found(all_of(theirs), files)
    texts = ("note", "message", "document", "reason", "source", "review", "goal", "task", "form", "document name")
    assert not found([marker for place in texts for marker in mine.planted[place]], files)
    own = ("subject.name", "subject.phone", "subject.email", "subject.address", "subject.born", "subject.ref", "clear data", "fact")
    assert not {marker for place in own for marker in mine.planted[place]} - found(all_of(mine), files)
    assert not made.answer.complete
    assert not made.files
    waiting = "\n".join(made.look.values())
    assert all(marker in waiting for place in texts if place != "document" for marker in mine.planted[place])
    assert WAITS.partition("'")[0] in made.text
    assert made.look.keys() >= {word.id for step in made.answer.cases[0].steps for word in step.words if word.withheld == WAITS}


def test_what_a_person_marks_is_taken_out(open_store: Callable[..., Desk], clock: Any) -> None:
    desk = open_store()
    lee = desk.seat("user:lee", roles={"clerk"})
    person = lee.party("person", name="Maria Silva")
    case = lee.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": person, "landlord": lee.party("organisation")})
    lee.note(case.id, "Her son  Pete rang; so did PETE's wife.")
    lee.note(case.id, "A neighbour, Mr Brown, complains.")
    letter = lee.document(case.id, "letter", b"Pete was seen.", name="x.txt").id
    notes = {text: name for name, text in lee.access_export(person).look.items()}
    first, second = notes["Her son  Pete rang; so did PETE's wife."], notes["A neighbour, Mr Brown, complains."]
    marks = {first: ["Pete"], second: (), f"{case.number}/document/{letter}/1": ["pete"]}

    made = lee.access_export(person, looked=True, redact=marks)

    assert "Her son  █████ rang; so did █████'s wife." in made.text
    assert b"Brown" not in b"".join(handed(made).values())
    assert [content.decode() for content in made.files.values()] == ["█████ was seen."]
    assert any(w.what.startswith(second) and "withheld it" in w.why for w in made.answer.withheld)
    with pytest.raises(BadInput, match="there is no text T-9"):
        lee.access_export(person, looked=True, redact={"T-9": ["x"]})


def test_what_was_handed_out_stands_in_the_desk_log_and_tells_whom_to_tell(open_store: Callable[..., Desk], clock: Any) -> None:
    desk = open_store(plugins=office.PLUGINS)
    mine, theirs = Marks(), Marks()
    person, case = filled(desk, clock, mine, theirs)
    lee = desk.seat("user:lee", roles={"clerk"})
    lee.export(case)
    first = lee.access_export(person, looked=True)
    second = lee.access_export(person, looked=True, staff=True)
    assert [(r.who, r.what) for r in first.answer.recipients if "handed" in r.what] == [("staff", "export, handed out")]
    assert [r.who for r in second.answer.recipients if "handed" in r.what] == ["user:lee", "user:lee"]
    told = lee.recipients(person)
    assert ("landlord", "a message by email") in {(r.who, r.what) for r in told}
    assert not [r for r in told if r.who == "tenant"]
    assert {"plugin deaf", "plugin tenancy"} <= {r.who for r in told}
    assert [r.what for r in told].count("access-export, handed out") == 2
    with pytest.raises(Denied):
        desk.seat("user:eve", roles={"reader"}).access_export(person)


def test_a_merged_person_is_the_other_and_an_erased_one_is_said_to_be(open_store: Callable[..., Desk], clock: Any) -> None:
    desk = open_store()
    lee = desk.seat("user:lee", roles={"clerk"})
    twin, maria = lee.party("person", name="M. Silva", ref="old:1"), lee.party("person", name="Maria Silva")
    shop = lee.party("organisation", name="Haus GmbH")
    case = lee.open("tenancy.dispute", data={"deposit": "1.00 EUR", "health": "asthma"}, parties={"tenant": twin, "landlord": shop}).id
    lee.merge_parties(twin, maria)
    by_both = [lee.access_export(who, looked=True).answer for who in (twin.id, maria.id)]
    assert [a.party for a in by_both] == [maria.id, maria.id]
    assert [a.merged for a in by_both] == [(twin.id,), (twin.id,)]
    assert [len(a.cases) for a in by_both] == [1, 1]
    assert "old:1" in str(by_both[0].history)
    assert "asthma" in str(by_both[0].cases[0].items)
    lee.document(case, "letter", b"x")
    lee.do(case, "withdraw")
    lee.erase(maria)
    gone = lee.access_export(twin)
    assert gone.answer.erased == lee.access_export(maria).answer.erased
    assert (gone.answer.cases, gone.answer.details, gone.answer.history) == ((), {}, ())
    assert "nothing personal can be read any more" in gone.page
    with pytest.raises(BadInput, match="only persons"):
        lee.access_export(shop)


def test_somebody_whose_role_has_ended_still_learns_of_the_case(open_store: Callable[..., Desk], clock: Any) -> None:
    desk = open_store()
    lee = desk.seat("user:lee", roles={"clerk"})
    maria, bo, shop = (lee.party("person", name=name) for name in ("Maria", "Bo", "Haus"))
    case = lee.open("tenancy.dispute", data={"deposit": "1.00 EUR", "health": "asthma"}, parties={"tenant": [maria], "landlord": shop}).id
    lee.give_role(case, "tenant", bo)
    lee.take_role(case, "tenant", maria)
    made = lee.access_export(maria, looked=True).answer
    assert [c.roles for c in made.cases] == [("tenant",)]
    assert [item.value for item in made.cases[0].items if item.name == "health"] == ["asthma"]
    hers = lee.access_export(bo, looked=True)
    assert "asthma" not in hers.text
    assert [item.withheld for item in hers.answer.cases[0].items if item.name == "health"] == [
        "It rests on what is held of another person."
    ]


def test_the_page_is_a_page_whatever_stands_in_it(open_store: Callable[..., Desk], clock: Any) -> None:
    desk = open_store()
    lee = desk.seat("user:lee", roles={"clerk"})
    evil = "<script>alert(1)</script>\u202e\"'&"
    person = lee.party("person", name=evil, address=evil)
    case = lee.open(
        "tenancy.dispute", data={"deposit": "1.00 EUR", "story": evil, "reference": evil}, parties={"tenant": person, "landlord": person}
    )
    lee.note(case.id, evil)
    lee.document(case.id, "letter", evil.encode(), name=f"../../{evil}.html", media="text/html")
    made = lee.access_export(person, looked=True)
    assert "<script" not in made.page
    assert "\u202e" not in made.page
    assert made.page.count("&lt;script&gt;") >= 5
    assert list(made.files) == [f"documents/{case.number}-3-letter-v1.html.txt"]
