"""From a rule to a tombstone: what is due, who approves it, what is destroyed, and what holds it up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casekit import BadInput, Denied, NotFound, Refused
from casekit.desk import custody
from casekit.errors import Disposed
from casekit.store.tables import METADATA
from disposal.conftest import Office
from keeping.conftest import operator, rows


def test_a_case_is_destroyed_when_its_time_is_over(office: Office, clock: Any, store_url: str, tmp_path: Path) -> None:
    case = office.closed(story="he owed rent")
    number = office.clerk.case(case).number
    other = office.closed()
    office.clerk.checkpoint()
    older = office.clerk.checkpoint().note
    assert office.first.due_for_disposal() == ()
    clock.forward(days=366)

    found = office.first.due_for_disposal()
    assert [(d.case, d.standing, d.rule, d.base, d.until) for d in found] == [
        (one, "due", "lease.plain", "2026-11-25", "2027-11-25") for one in (case, other)
    ]
    before = rows(store_url)
    contents = {row[-2] for row in before["documents"]}
    done = office.second.run_disposal(office.approved(case))

    assert (done.disposed, done.kept, done.complete) == ((case,), (), True)
    after = rows(store_url)
    sid = next(row[1] for row in before["streams"] if row[2] == case)
    for name, table in METADATA.tables.items():
        if "sid" in table.c:
            at = list(table.c.keys()).index("sid")
            assert not [row for row in after[name] if row[at] == sid], name
    assert case not in {row[1] for row in after["data_keys"]}
    assert len(contents) == 2
    assert len(list((tmp_path / "documents").rglob("*/??/*"))) == 1
    stone = office.first.tombstones()[0]
    journal = [row for row in before["entries"] if row[1] == sid]
    assert (stone.case, stone.number, stone.entries, stone.hash) == (case, number, len(journal), max(journal, key=lambda r: r[3])[-1].hex())
    assert (stone.proposed, stone.approved, stone.by) == ("user:ann", "user:bob", "user:bob")
    report = office.clerk.verify(against=older)
    assert report.wrong == []
    assert report.against is not None
    assert report.against.disposed == (case,)
    for ref in (case, str(number)):
        with pytest.raises(Disposed, match="was disposed of"):
            office.clerk.case(ref)
        with pytest.raises(Disposed):
            office.clerk.note(ref, "still there?")
    with pytest.raises(NotFound, match="there is no case") as said:
        office.desk.seat("user:eve", roles={"stranger"}).note(case, "?")
    assert not isinstance(said.value, Disposed)
    assert office.first.disposal(done.list).status == "done"
    assert office.clerk.open("lease.case").number == "L-2027-0001"


def test_a_hold_keeps_a_case_whatever_else_says(office: Office, clock: Any) -> None:
    case = office.closed()
    clock.forward(days=366)
    name = office.approved(case)
    office.counsel.place_hold("smith-v-us", cases=[case], reason="Smith sues us", authority="LG Berlin 7 O 12/27")

    done = office.first.run_disposal(name)

    assert done.disposed == ()
    assert [o.rule for o in done.kept[0].objections] == ["casekit.hold"]
    last = office.clerk.timeline(case)[-1]
    assert (last.kind, last.title) == ("refused", "dispose")
    assert last.objections[0].reason == "It is held: smith-v-us. What is held is not deleted."
    assert '"holds":["smith-v-us"]' in office.clerk.journal(case)[-1]["body"]
    assert office.first.due_for_disposal()[0].holds == ("smith-v-us",)
    with pytest.raises(Refused, match="It is held"):
        office.first.propose_disposal([case])
    assert office.clerk.timeline(case)[-1].title == "propose_disposal"
    office.counsel.lift_hold("smith-v-us", reason="settled")
    assert office.first.run_disposal(name).disposed == (case,)
    held = office.counsel.holds()[0]
    assert (held.reason, held.lifted_by) == ("", "user:law"), "its words went with the case"


def test_a_hold_keeps_a_person(office: Office, clock: Any) -> None:
    case = office.closed()
    otto = office.clerk.file(case).parties[0].id
    office.counsel.place_hold("otto", parties=[otto], reason="he sues us")
    with pytest.raises(Refused, match=r"casekit\.hold"):
        office.clerk.erase(otto)
    clock.forward(days=366)
    assert office.first.due_for_disposal()[0].holds == ("otto",)
    office.counsel.lift_hold("otto", reason="over")
    office.counsel.place_hold("all", types=["lease.case"], opened_until="2026-11-25", reason="inquiry")
    with pytest.raises(Refused, match="It is held: all"):
        office.clerk.erase(otto)
    office.counsel.lift_hold("all", reason="over")
    assert office.clerk.erase(otto).shut == (case,)


def test_nobody_approves_their_own_list_and_nobody_runs_what_is_not_approved(office: Office, clock: Any) -> None:
    case = office.closed()
    clock.forward(days=366)
    made = office.first.propose_disposal()
    assert [one.case for one in made.cases] == [case]
    with pytest.raises(Refused, match="somebody else must approve"):
        office.first.approve_disposal(made.id)
    with pytest.raises(BadInput, match="is proposed"):
        office.first.run_disposal(made.id)
    with pytest.raises(Denied):
        office.clerk.run_disposal(made.id)
    with pytest.raises(BadInput, match="nothing is due"):
        office.second.propose_disposal()
    assert office.second.withdraw_disposal(made.id).status == "withdrawn"
    with pytest.raises(BadInput, match="is withdrawn"):
        office.second.approve_disposal(made.id)
    assert office.clerk.case(case).state == "over"


def test_what_has_changed_since_the_approval_is_looked_at_again(office: Office, clock: Any) -> None:
    reopened, longer = office.closed(), office.closed()
    clock.forward(days=366)
    name = office.approved()
    office.clerk.do(reopened, "reopen")
    office.clerk.document(longer, "photo", b"a photo")

    done = office.second.run_disposal(name)

    assert done.disposed == ()
    assert [kept.objections[0].args["standing"] for kept in done.kept] == [
        "it is open",
        "it is kept until 2028-11-25 (lease.photos)",
    ]


def test_law_keeps_a_case_and_its_persons(office: Office, clock: Any) -> None:
    case = office.closed("sue")
    otto = office.clerk.file(case).parties[0].id
    with pytest.raises(Refused, match="to be kept by law until 2029-12-31") as said:
        office.clerk.erase(otto)
    assert said.value.objections[0].citation == "§ 195 BGB"
    clock.forward(days=1132)  # 2029-12-31
    assert office.first.due_for_disposal() == ()
    clock.forward(days=1)
    assert [d.case for d in office.first.due_for_disposal()] == [case]
    office.clerk.erase(otto)


def test_what_is_kept_or_reviewed_is_on_no_list_by_itself(office: Office, clock: Any) -> None:
    office.closed("shine")
    odd = office.closed("wonder")
    clock.forward(days=4000)
    assert [(d.case, d.end) for d in office.first.due_for_disposal()] == [(odd, "review")]
    assert [d.standing for d in office.first.due_for_disposal(everything=True)] == ["keep", "due"]
    with pytest.raises(BadInput, match="nothing is due"):
        office.first.propose_disposal()
    assert office.second.run_disposal(office.approved(odd)).disposed == (odd,)


def test_a_key_that_opens_what_is_held_is_not_destroyed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case = office.closed()
    office.counsel.place_hold("suit", cases=[case], reason="a suit")
    keeper = operator(office.desk)
    old = keeper.keys().current
    monkeypatch.setattr(custody, "rewrap", lambda _: 0)  # a rotation that is cut off before it wraps anything anew
    keeper.rotate()
    with pytest.raises(Refused, match="It is held: suit"):
        keeper.destroy_key(old, at_once=True)
    monkeypatch.undo()
    stopped = office.counsel.holds()[0].stopped
    assert [(one.command, one.what, one.by) for one in stopped] == [("keys.destroy", old, "user:ops")]
    assert office.clerk.timeline(case)[1].text == "he called"
    keeper.rotate()
    keeper.destroy_key(old, at_once=True)
    assert office.clerk.timeline(case)[1].text == "he called"


def test_what_a_hold_has_stopped_is_told_when_it_is_lifted(office: Office, clock: Any) -> None:
    case = office.closed()
    otto = office.clerk.file(case).parties[0].id
    clock.forward(days=366)
    name = office.approved(case)
    office.counsel.place_hold("suit", parties=[otto], reason="a suit")
    with pytest.raises(Refused):
        office.clerk.erase(otto)
    office.second.run_disposal(name)
    lifted = office.counsel.lift_hold("suit", reason="settled")
    assert [(one.command, one.what, one.by) for one in lifted.stopped] == [("erase", otto, "user:lee"), ("dispose", case, "user:bob")]
    assert lifted.lift_reason == "settled"


def test_a_hold_covers_whoever_is_one_person_and_whoever_was_in_a_case(office: Office, clock: Any) -> None:
    case = office.closed()
    otto = office.clerk.file(case).parties[0].id
    twin = office.clerk.party("person", name="O. Gone").id
    was_in = office.clerk.open("lease.case", parties={"tenant": twin})
    office.clerk.take_role(was_in.id, "tenant", twin)
    office.clerk.do(was_in.id, "end")
    office.clerk.merge_parties(twin, otto)
    office.counsel.place_hold("suit", parties=[twin], reason="a suit")
    clock.forward(days=366)
    assert [d.holds for d in office.first.due_for_disposal()] == [("suit",), ("suit",)]
    with pytest.raises(Refused, match="It is held"):
        office.clerk.erase(otto)


NONSENSE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": "a b", "types": ["lease.case"], "reason": "r"}, "can't be the name of a hold"),
    ({"name": "a", "reason": "r"}, "it covers nothing"),
    ({"name": "a", "types": ["lease.case"], "reason": ""}, "is not placed without one"),
    ({"name": "a", "types": ["no.type"], "reason": "r"}, "there is no case type"),
    ({"name": "a", "parties": ["01932f9a-7c00-7000-8000-000000000002"], "reason": "r"}, "there is no party"),
    ({"name": "a", "cases": ["L-9999"], "reason": "r"}, "there is no case"),
    ({"name": "a", "types": ["lease.case"], "opened_from": "today", "reason": "r"}, "neither a day"),
    ({"name": "taken", "types": ["lease.case"], "reason": "r"}, "there has been a hold"),
)


def test_a_hold_that_makes_no_sense_is_refused(office: Office) -> None:
    office.counsel.place_hold("taken", types=["lease.case"], reason="r")
    for how, said in NONSENSE:
        with pytest.raises(BadInput, match=said):
            office.counsel.place_hold(**how)
    assert [hold.name for hold in office.counsel.holds()] == ["taken"]
    with pytest.raises(BadInput, match="no hold other stands"):
        office.counsel.lift_hold("other", reason="r")
    with pytest.raises(BadInput, match="keeping and destroying is done by itself"), office.clerk.batch() as batch:
        batch.place_hold("b", types=["lease.case"], reason="r")
