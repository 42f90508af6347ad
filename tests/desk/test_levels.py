"""Confidentiality: who may not see something, for them it does not exist; who may, leaves a trace before they are answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import evolve

import tenancy
from casekit import BadInput, CasekitError, Denied, Desk, NotFound, Seat, StoreFailed
from casekit.sdk import DocumentKind, Plugin, hookimpl
from casekit.store import reading, shelf


class Offices:
    """Who may see what."""

    PLUGIN = Plugin("offices", api=1, handles=("tenancy.dispute",))

    @staticmethod
    @hookimpl
    def casekit_roles() -> dict[str, list[str]]:
        return {"judge": ["level.confidential"], "chief": ["level.secret"], "other": ["case.read", "level.secret"]}


@pytest.fixture
def desk(open_store: Callable[..., Desk]) -> Iterator[Desk]:
    opened = open_store(plugins=[tenancy, Offices])
    yield opened
    assert opened.seat("test:auditor", roles={"auditor"}).verify().wrong == []


def seat_of(desk: Desk, *roles: str) -> Seat:
    return desk.seat(f"user:{'-'.join(roles)}", roles=set(roles))


@pytest.fixture
def chief(desk: Desk) -> Seat:
    return seat_of(desk, "clerk", "chief")


@pytest.fixture
def clerk(desk: Desk) -> Seat:
    return seat_of(desk, "clerk")


def opened(seat: Seat) -> str:
    who = seat.party("person", name="Maria Silva").id
    case = seat.open("tenancy.dispute", data={"deposit": "900.00 EUR", "story": "s"}, parties={"tenant": who, "landlord": who}).id
    seat.set_goal(case, "paid", "paid", "900.00 EUR")
    seat.item(case, "add", "ring", own={"kind": "task", "due": {"after": "P9D"}, "who": "clerk"})
    return case


def entries(desk: Desk, log: str) -> list[tuple[Any, ...]]:
    store = desk.shelf("main")
    stream = reading.log_of(store, log)
    return [] if stream is None else reading.entries_of(store, stream.sid)


def reads(desk: Desk) -> list[dict[str, Any]]:
    return [{**json.loads(entry[11])["about"], "by": entry[6]} for entry in entries(desk, "reads/2026-11-25")]


def said(ask: Callable[[], Any]) -> Any:
    """What is answered, whatever it is."""
    try:
        return ask()
    except CasekitError as wrong:
        return type(wrong), str(wrong)


ABSENT = "0199aaaa-0000-7000-8000-000000000000"

COMMANDS: dict[str, Callable[[Seat, str], Any]] = {
    "do": lambda s, c: s.do(c, "answer"),
    "change": lambda s, c: s.change(c, {"rooms": 2}),
    "choose": lambda s, c: s.choose(c, "decision"),
    "item": lambda s, c: s.item(c, "complete", "ring"),
    "set_goal": lambda s, c: s.set_goal(c, "x", "paid", "1.00 EUR"),
    "drop_goal": lambda s, c: s.drop_goal(c, "paid"),
    "review": lambda s, c: s.review(c, "x"),
    "adjust": lambda s, c: s.adjust(c, "x"),
    "close": lambda s, c: s.close(c, "decided"),
    "approve": lambda s, c: s.approve(c, "tenancy.checked"),
    "give_role": lambda s, c: s.give_role(c, "handler", ABSENT),
    "take_role": lambda s, c: s.take_role(c, "tenant", ABSENT),
    "note": lambda s, c: s.note(c, "x"),
    "message": lambda s, c: s.message(c, direction="in", via="phone", outcome="sent", to="tenant"),
    "note_fact": lambda s, c: s.note_fact(c, "heating", "gas"),
    "document": lambda s, c: s.document(c, "letter", b"x"),
    "pay": lambda s, c: s.pay(c, "1.00 EUR"),
    "charge": lambda s, c: s.charge(c, "damage", "1.00 EUR"),
    "reverse": lambda s, c: s.reverse(c, "1.0"),
    "resume": lambda s, c: s.resume(c, "keep"),
    "extend": lambda s, c: s.extend(c, "answer", by="P1D", reason="x"),
    "confirm_clock": lambda s, c: s.confirm_clock(c, "answer", reason="x"),
    "keep_clock": lambda s, c: s.keep_clock(c, "answer", reason="x"),
    "adopt_calendars": lambda s, c: s.adopt_calendars(c),
    "rectify": lambda s, c: s.rectify(c, {"rooms": 1}, reason="x"),
    "rectify_fact": lambda s, c: s.rectify_fact(c, "2.0", "gas", reason="x"),
    "classify": lambda s, c: s.classify(c, "normal", reason="x"),
    "link": lambda s, c: s.link(c, "related", ABSENT),
    "unlink": lambda s, c: s.unlink(c, "related", ABSENT),
    "document_status": lambda s, c: s.document_status(c, ABSENT, "accepted"),
}
QUESTIONS: dict[str, Callable[[Seat, str], Any]] = {
    "case": lambda s, c: s.case(c),
    "file": lambda s, c: s.file(c, as_of="2026-11-25"),
    "timeline": lambda s, c: s.timeline(c),
    "read_document": lambda s, c: s.read_document(c, ABSENT),
    "journal": lambda s, c: s.journal(c),
    "export": lambda s, c: s.export(c),
    "assess": lambda s, c: s.assess(c),
    "options": lambda s, c: s.options(c),
    "check": lambda s, c: s.check(c, "answer"),
    "explain": lambda s, c: s.explain(c, "answer"),
    "explain_closing": lambda s, c: s.explain_closing(c),
    "explain_item": lambda s, c: s.explain_item(c, "ring"),
    "explain_running": lambda s, c: s.explain_running(c, "answer"),
    "clocks": lambda s, c: s.clocks(c),
    "explain_clock": lambda s, c: s.explain_clock(c, "answer"),
    "plan": lambda s, c: s.plan(c),
    "goals": lambda s, c: s.goals(c),
    "look": lambda s, c: s.look(c),
    "rounds": lambda s, c: s.rounds(c),
    "links": lambda s, c: s.links(c),
    "retention": lambda s, c: s.retention(c),
    "picture": lambda s, c: s.picture(c, "states", "mermaid"),
    "deadlines": lambda s, c: s.deadlines(c),
    "export_deadlines": lambda s, c: s.export_deadlines(c),
}


def test_every_command_and_question_on_a_case_is_tried() -> None:
    import inspect

    takes_case = {
        name
        for name, method in inspect.getmembers(Seat, inspect.isfunction)
        if not name.startswith("_") and "case" in inspect.signature(method).parameters
    }
    assert set(COMMANDS) | set(QUESTIONS) == takes_case


@pytest.mark.parametrize("by", ["id", "number", "value"])
def test_what_may_not_be_seen_does_not_exist(desk: Desk, chief: Seat, clerk: Seat, by: str) -> None:
    case = opened(chief)
    value = chief.classify(case, "secret", reason="the minister's flat").case
    ref: Any = {"id": case, "number": value.number, "value": value}[by]
    absent: Any = {"id": ABSENT, "number": "T-2026-99999", "value": evolve(value, id=ABSENT)}[by]
    before = chief.case(case).n
    denied = entries(desk, "denied/2026-11-25")
    for name, ask in {**COMMANDS, **QUESTIONS}.items():
        found, missing = (said(lambda a=ask, r=r: a(clerk, r)) for r in (ref, absent))
        assert found[0] is NotFound, name
        assert found[1] == missing[1].replace(str(getattr(absent, "id", absent)), str(getattr(ref, "id", ref))), name
    assert chief.case(case).n == before
    assert entries(desk, "denied/2026-11-25") == denied, "a denial would say that there is something"


def everything(seat: Seat) -> tuple[Any, ...]:
    """All that is asked over many cases."""
    return (
        seat.cases(),
        seat.cases(state="open", party=seat.cases().cases[-1].id),
        seat.cases(open=True, names=True, size=1),
        seat.tasks(),
        seat.tasks("clerk", due_before="2027-01-01"),
        seat.open_goals(),
        seat.report_caseload(),
        seat.report_clocks(),
        seat.deadlines(),
        seat.undelivered(),
    )


def test_lists_counts_and_reports_leave_it_out(desk: Desk, chief: Seat, clerk: Seat) -> None:
    opened(chief)
    lists = everything(clerk)
    case = chief.open(
        "tenancy.dispute", data={"deposit": "77.00 EUR"}, parties=dict.fromkeys(("tenant", "landlord"), chief.party("person"))
    )
    assert everything(clerk) != lists
    chief.classify(case.id, "confidential", reason="x")
    assert everything(clerk)[:-1] == lists[:-1]
    assert {u.case for u in clerk.undelivered()} == {u.case for u in lists[-1]}
    judge = seat_of(desk, "clerk", "judge")
    assert len(judge.cases().cases) == 2
    chief.classify(case.id, "secret", reason="x")
    assert len(judge.cases().cases) == 1
    assert everything(judge)[:-1] == lists[:-1]
    assert len(chief.cases().cases) == 2
    chief.classify(case.id, "normal", reason="it is out")
    assert len(clerk.cases().cases) == 2


def test_who_may_see_a_level_sees_those_below_it(desk: Desk, chief: Seat) -> None:
    case = opened(chief)
    chief.classify(case, "confidential", reason="x")
    assert seat_of(desk, "clerk", "judge").case(case).id == case
    assert seat_of(desk, "clerk", "chief").case(case).id == case
    with pytest.raises(Denied, match=r"level\.secret"):
        seat_of(desk, "clerk", "judge").classify(case, "secret", reason="x")
    for wrong, what in (({"level": "cosmic"}, "no level here"), ({"level": "secret", "ground": "spite"}, "no ground")):
        with pytest.raises(BadInput, match=what):
            chief.classify(case, **wrong, reason="x")
    with pytest.raises(BadInput, match="reason"):
        chief.classify(case, "secret", reason=" ")


def test_a_desk_that_names_other_levels_does_not_show_what_it_does_not_know(
    open_store: Callable[..., Desk], desk: Desk, chief: Seat
) -> None:
    case = opened(chief)
    chief.classify(case, "secret", reason="x")
    other = open_store(plugins=[tenancy, Offices], levels=("open", "closed"))
    with pytest.raises(NotFound):
        seat_of(other, "clerk", "chief").case(case)
    with pytest.raises(BadInput, match="no ordered set"):
        open_store(levels=("open", "open"))


def test_a_document_that_may_not_be_seen_does_not_exist(desk: Desk, chief: Seat, clerk: Seat) -> None:
    case = opened(chief)
    secret = chief.document(case, "letter", b"to our lawyer", name="a.txt").id
    plain = chief.document(case, "photo", b"a stain").id
    chief.classify(case, "confidential", reason="words of a lawyer", document=secret, ground="legal-privilege")
    assert [d.id for d in clerk.file(case).filed] == [plain]
    assert [d.id for d in clerk.file(case, as_of="2026-11-25").filed] == [plain]
    assert {d.id for d in chief.file(case).filed} == {secret, plain}
    assert "lawyer" not in str(clerk.timeline(case))
    assert secret not in str(clerk.timeline(case))
    assert secret in str(chief.timeline(case))
    for ask in (
        lambda d: clerk.read_document(case, d),
        lambda d: clerk.document(case, "letter", b"x", document=d),
        lambda d: clerk.classify(case, "normal", reason="x", document=d),
    ):
        assert said(lambda a=ask: a(secret)) == (BadInput, said(lambda a=ask: a(ABSENT))[1].replace(ABSENT, secret))
    for whole in (clerk.journal, clerk.export):
        with pytest.raises(Denied, match=r"level\.confidential"):
            whole(case)
    assert chief.read_document(case, secret)[0] == b"to our lawyer"
    assert [r for r in reads(desk) if r.get("document") == secret] == [
        {"case": case, "question": "read-document", "document": secret, "by": "user:clerk-chief"}
    ]


def test_a_kind_of_document_and_a_kind_of_case_have_a_level_from_the_start(open_store: Callable[..., Desk]) -> None:
    kinds = {**tenancy.DISPUTE.documents, "opinion": DocumentKind("Opinion", "in", level="confidential", statuses=("draft", "final"))}
    type_ = evolve(tenancy.DISPUTE, key="tenancy.secret", level="secret", documents=kinds)

    class Typed(Offices):
        PLUGIN = Plugin("offices", api=1, handles=("tenancy.dispute", "tenancy.secret"))

        @staticmethod
        @hookimpl
        def casekit_roles() -> dict[str, list[str]]:
            return {"all": ["case.*", "document.*", "party.*", "tenancy.*", "level.secret"], "few": ["case.*", "document.*", "party.*"]}

    desk = open_store(plugins=[tenancy, Typed], case_types=[type_])
    seat, few = seat_of(desk, "all"), seat_of(desk, "few")
    who = seat.party("person", name="x")
    case = few.open("tenancy.secret", data={"deposit": "1.00 EUR"}, parties={"tenant": who, "landlord": who})
    with pytest.raises(NotFound):
        few.case(case.id)
    opinion = seat.document(case.id, "opinion", b"x").id
    seat.document(case.id, "opinion", b"y", document=opinion)
    assert seat.document_status(case.id, opinion, "final").entries
    assert seat.classify(case.id, "normal", reason="x").entries
    assert few.file(case.id).filed == ()
    assert [h.kind for h in few.timeline(case.id)] == ["open", "classify"]
    assert [h.kind for h in seat.timeline(case.id)] == ["open", "document", "document", "document-status", "classify"]
    with pytest.raises(BadInput, match="no level here"):
        desk.add_case_type(evolve(type_, version="2.0", level="cosmic"))


def test_a_read_is_on_record_before_it_is_answered(desk: Desk, chief: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(chief)
    chief.case(case)
    assert reads(desk) == [], "what is ordinary leaves no trace"
    chief.classify(case, "confidential", reason="x")
    for ask in ("case", "timeline", "explain_closing", "assess"):
        getattr(chief, ask)(case)
    by = {"case": case, "by": "user:clerk-chief"}
    assert reads(desk) == [{**by, "question": question} for question in ("read", "read", "explain", "assess")]
    chief.cases()
    chief.report_caseload()
    assert len(reads(desk)) == 4, "a list leaves none"
    with pytest.raises(Denied):
        seat_of(desk, "other").assess(case)
    assert len(reads(desk)) == 4
    with chief.batch() as batch, pytest.raises(BadInput, match="on record"):
        batch.case(case)

    def no_space(*_: Any, **__: Any) -> Any:
        raise StoreFailed("no space")

    monkeypatch.setattr("casekit.desk.reads.writing", no_space)
    with pytest.raises(StoreFailed, match="no space"):
        chief.case(case)
    monkeypatch.undo()
    assert chief.case(case).id == case


def test_reads_of_many_share_a_commit(desk: Desk, chief: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(chief)
    chief.classify(case, "confidential", reason="x")
    commits: list[int] = []
    slow = threading.Event()

    def counted(*args: Any, **how: Any) -> Any:
        commits.append(1)
        if len(commits) == 1:
            slow.wait(5)
        return shelf.writing(*args, **how)

    monkeypatch.setattr("casekit.desk.reads.writing", counted)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(chief.case(case).id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    while sum(map(len, desk.reads._waiting.values())) < 7:
        slow.wait(0.01)
    slow.set()
    for thread in threads:
        thread.join()
    assert found == [case] * 8
    assert (len(commits), len(reads(desk))) == (2, 8), "one for who came first, one for all who came meanwhile"
    commits.clear()
    opened_too = [opened(chief) for _ in range(3)]
    for one in opened_too:
        chief.classify(one, "secret", reason="x")
    chief.deadlines()
    assert (len(commits), len(reads(desk))) == (1, 12)


def test_who_reads_in_a_hosts_transaction_is_told_to_do_it_elsewhere(desk: Desk, chief: Seat, store_url: str) -> None:
    from sqlalchemy import create_engine

    from casekit import prepare

    case = opened(chief)
    chief.classify(case, "confidential", reason="x")
    engine = create_engine(store_url)
    prepare(engine)
    with engine.connect() as connection, connection.begin(), desk.join(connection) as joined:
        with pytest.raises(BadInput, match="on record"):
            seat_of(joined, "clerk", "chief").case(case)
        assert seat_of(joined, "clerk", "chief").note(case, "x").entries
    engine.dispose()


def test_the_access_stream_is_in_the_log_of_entries_and_verified(desk: Desk, chief: Seat) -> None:
    case = opened(chief)
    chief.classify(case, "confidential", reason="x")
    chief.case(case)
    made = chief.checkpoint()
    chief.case(case)
    assert desk.seat("test:auditor", roles={"auditor"}).verify(against=made.note).wrong == []
    store = desk.shelf("main")
    stream = reading.log_of(store, "reads/2026-11-25")
    assert stream is not None
    with store.transaction() as connection:
        connection.execute(f"UPDATE entries SET body = replace(body, 'read', 'seen') WHERE sid = {stream.sid} AND n = 1")
    report = desk.seat("test:auditor", roles={"auditor"}).verify(against=made.note)
    assert [(wrong.stream, wrong.n) for wrong in report.wrong] == [(stream.uuid, 1)]
    with store.transaction() as connection:
        connection.execute(f"UPDATE entries SET body = replace(body, 'seen', 'read') WHERE sid = {stream.sid} AND n = 1")


def test_the_person_is_told_what_is_withheld_and_on_what_ground(desk: Desk, chief: Seat, clerk: Seat) -> None:
    who = chief.party("person", name="Maria")
    cases = [chief.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": who, "landlord": who}) for _ in range(3)]
    letter = chief.document(cases[0].id, "letter", b"advice", name="advice.txt").id
    chief.classify(cases[0].id, "confidential", reason="x", document=letter, ground="legal-privilege")
    chief.classify(cases[1].id, "secret", reason="x", ground="investigation")
    chief.classify(cases[2].id, "secret", reason="x")
    made = chief.access_export(who, looked=True)
    assert [c.id for c in made.answer.cases] == [cases[0].id, cases[2].id]
    assert sorted(w.why for w in made.answer.withheld) == ["It is confidential: investigation.", "It is confidential: legal-privilege."]
    assert made.files == {}
    less = clerk.access_export(who, looked=True)
    assert [c.id for c in less.answer.cases] == [cases[0].id]
    assert letter not in less.text
    assert "advice" not in less.text
    assert cases[1].number not in less.text
