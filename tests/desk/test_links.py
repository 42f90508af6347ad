"""Cases that stand to each other, and documents of which something becomes; on both engines, verified afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

import tenancy
from casekit import BadInput, Conflict, Denied, Desk, NotFound, Refused, Seat
from casekit.model.links import RELATIONS
from casekit.sdk import CaseType, DocumentKind, Item, Plugin, Requirement, Sentry, State, Transition, hookimpl

ESTATE = CaseType(
    key="estate.case",
    version="1",
    title="Estate",
    initial="open",
    states={
        "open": State(category="open"),
        "checked": State(category="open"),
        "done": State(category="closed", outcome="settled"),
        "off": State(category="cancelled", outcome="dropped"),
    },
    transitions={
        "settle": Transition(source=("open", "checked"), target="done", on="settle"),
        "drop": Transition(source=("open", "checked"), target="off", on="drop"),
        "back": Transition(source=("done",), target="open", on="reopen"),
        "check": Transition(source=("open",), target="checked", on="document.will.accepted", requires=("wills",)),
    },
    documents={"will": DocumentKind("Will", statuses=("received", "accepted", "rejected")), "note": DocumentKind("Note")},
    requirements={
        "parts": Requirement(linked="parent", unmet="A part of the estate is open.", citation="Rule 4"),
        "wills": Requirement(document="will", status="accepted", count=2),
        "no-copy": Requirement(none=(Requirement(linked="duplicate"),)),
    },
    closing=("parts",),
    plan={"heard": Item("milestone", entry=(Sentry("linked.parent"),))},
)


class Estates:
    """The plugin that brings it."""

    PLUGIN = Plugin("estates", api=1, handles=("estate.case",), version="1.0")

    @staticmethod
    @hookimpl
    def casekit_case_types() -> list[CaseType]:
        return [ESTATE]

    @staticmethod
    @hookimpl
    def casekit_roles() -> dict[str, list[str]]:
        return {"clerk": ["case.*", "document.*", "plan.*", "journal.read"]}


@pytest.fixture
def desk(open_store: Callable[..., Desk]) -> Iterator[Desk]:
    opened = open_store(plugins=[tenancy, Estates])
    yield opened
    assert opened.seat("test:auditor", roles={"auditor"}).verify().wrong == []


def opened(seat: Seat) -> str:
    return seat.open("estate.case").id


def linked(seat: Seat, case: str) -> list[tuple[str, bool, str]]:
    return [(link.relation, link.inverse, link.case) for link in seat.links(case)]


def test_both_cases_see_a_link_until_it_is_taken_away(seat: Seat) -> None:
    house, estate, other = (opened(seat) for _ in range(3))
    seat.link(house, "parent", estate, reason="one house of two")
    done = seat.link(house, "related", other)
    assert linked(seat, house) == [("parent", False, estate), ("related", False, other)]
    assert linked(seat, estate) == [("parent", True, house)]
    assert [link.words for link in (*seat.links(house), *seat.links(estate))] == ["is part of", "is related to", "has as its part"]
    assert seat.timeline(house)[1].title == f"is part of {estate}"
    assert "linked.parent" in seat.timeline(house)[1].events
    assert seat.file(house).completed == {"heard"}
    assert seat.case(estate).n == 1  # nothing is written on the other one

    seat.unlink(done, "parent", estate)
    assert linked(seat, house) == [("related", False, other)]
    assert linked(seat, estate) == []
    seat.unlink(house, "related", other)
    assert linked(seat, house) == []
    seat.link(house, "parent", estate)
    assert linked(seat, estate) == [("parent", True, house)]


@pytest.mark.parametrize("relation", RELATIONS)
def test_every_relation_reads_both_ways(seat: Seat, relation: str) -> None:
    one, two = opened(seat), opened(seat)
    seat.link(one, relation, two)
    (said,), (heard,) = seat.links(one), seat.links(two)
    assert (said.words, heard.words) == RELATIONS[relation]
    assert (said.type, said.state, said.category) == ("estate.case", "open", "open")


def test_what_makes_no_sense_is_refused_and_changes_nothing(seat: Seat) -> None:
    house, estate, other = (opened(seat) for _ in range(3))
    seat.link(house, "parent", estate)
    before = seat.case(house).n
    for relation, to, what in (
        ("uncle", other, "no relation"),
        ("related", house, "itself"),
        ("parent", estate, "already"),
        ("parent", other, "part of"),
    ):
        with pytest.raises(BadInput, match=what):
            seat.link(house, relation, to)
    with pytest.raises(BadInput, match="part of itself"):
        seat.link(estate, "parent", house)
    with pytest.raises(BadInput, match="does not say"):
        seat.unlink(house, "related", other)
    with pytest.raises(NotFound):
        seat.link(house, "related", "01932f9a-7c00-7000-8000-000000000001")
    assert (seat.case(house).n, seat.case(estate).n) == (before, 1)


def test_no_ring_however_long(seat: Seat) -> None:
    chain = [opened(seat) for _ in range(6)]
    for part, whole in pairwise(chain):
        seat.link(part, "parent", whole)
    with pytest.raises(BadInput, match="part of itself"):
        seat.link(chain[-1], "parent", chain[0])


def test_a_case_is_not_closed_before_its_parts(seat: Seat) -> None:
    estate, house, car = (opened(seat) for _ in range(3))
    for part in (house, car):
        seat.link(part, "parent", estate)
    with pytest.raises(Refused, match="A part of the estate is open") as refused:
        seat.do(estate, "settle")
    assert [o.citation for o in refused.value.objections] == ["Rule 4"]
    [unmet] = [part for road in seat.explain_closing(estate, "settled").roads for part in road.requires if part.key == "parts"]
    assert (unmet.code, unmet.actual, unmet.needed) == ("linked", 0, 2)
    assert [str(remedy) for remedy in unmet.remedies] == ["close the linked cases (parent) (2) [clerk]"]

    seat.do(house, "settle")
    seat.do(car, "drop")
    assert seat.do(estate, "settle").case.outcome == "settled"
    with pytest.raises(BadInput, match="has ended"):
        seat.link(opened(seat), "parent", estate)
    seat.link(opened(seat), "follow-up", estate)


def test_within_a_batch_a_link_counts_at_once_where_one_can_answer_for_it(seat: Seat, engine: str) -> None:
    estate = opened(seat)
    if engine == "sqlite":
        with seat.batch() as batch:
            house = batch.open("estate.case").id
            batch.link(house, "parent", estate)
            with pytest.raises(Refused):
                batch.do(estate, "settle")
    else:  # no serializable transaction
        with pytest.raises(Conflict, match="reads other cases"), seat.batch() as batch:
            batch.do(estate, "settle")
    assert seat.case(estate).category == "open"


def test_who_may_not_read_the_other_case_learns_nothing_of_it(desk: Desk, seat: Seat) -> None:
    house, dispute = opened(seat), _dispute(seat)
    seat.link(house, "related", dispute)
    with pytest.raises(Denied):
        desk.seat("user:eve", roles={"nobody"}).links(house)
    with pytest.raises(Denied):
        desk.seat("user:eve", roles={"reader"}).link(house, "related", dispute)


def _dispute(seat: Seat) -> str:
    parties = {"tenant": seat.party("person", name="Maria"), "landlord": seat.party("organisation", name="Haus")}
    return seat.open("tenancy.dispute", data={"deposit": "9.00 EUR"}, parties=parties).id


def test_a_part_that_comes_while_the_whole_is_closed_comes_before_it_or_not_at_all(desk: Desk) -> None:
    for _ in range(12):
        seat = desk.seat("user:lee", roles={"clerk"})
        estate, house = opened(seat), opened(seat)
        together = threading.Barrier(2)

        def run(command: str, *args: Any, together: threading.Barrier = together) -> bool:
            here = desk.seat("user:lee", roles={"clerk"})
            together.wait()
            try:
                getattr(here, command)(*args)
            except (Refused, BadInput):
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            made = threads.submit(run, "link", house, "parent", estate), threads.submit(run, "do", estate, "settle")
            well = [one.result(30) for one in made]
        assert sum(well) == 1
        assert (seat.case(estate).closed is None) is well[0]


def test_what_becomes_of_a_document(seat: Seat) -> None:
    case = opened(seat)
    will, copy = (seat.document(case, "will", content).id for content in (b"first", b"second"))
    assert [d.status for d in seat.file(case).filed] == ["received", "received"]
    done = seat.document_status(case, will, "accepted", reason="read and signed")
    assert done.case.state == "open"  # one of two
    assert seat.timeline(case)[-1].title == "will accepted"
    seat.document_status(case, copy, "rejected")
    assert seat.document_status(case, copy, "accepted").case.state == "checked"
    assert [d.status for d in seat.file(case).filed] == ["accepted", "accepted"]

    seat.document(case, "will", b"first, corrected", document=will)
    assert [(d.version, d.status) for d in seat.file(case).filed] == [(1, "received"), (1, "accepted"), (2, "received")]
    seat.document_status(case, copy, "received")
    assert '"standings"' not in seat.journal(case)[-1]["body"].replace('"unset":["standings"]', "")


def test_a_status_that_is_none_is_bad_input(seat: Seat) -> None:
    case = opened(seat)
    will, note = seat.document(case, "will", b"x").id, seat.document(case, "note", b"y").id
    before = seat.case(case).n
    for document, status, what in (
        (will, "lost", "no status"),
        (note, "accepted", "no status"),
        (case, "accepted", "no document"),
        (will, "received", "already"),
    ):
        with pytest.raises(BadInput, match=what):
            seat.document_status(case, document, status)
    assert seat.case(case).n == before


def test_how_it_was_at_a_moment(seat: Seat, clock: Any) -> None:
    case, other = opened(seat), opened(seat)
    will = seat.document(case, "will", b"x").id
    clock.forward(days=1)
    seat.document_status(case, will, "accepted")
    seat.link(case, "related", other)
    assert [d.status for d in seat.file(case, as_of=seat.timeline(case)[1].recorded).filed] == ["received"]
    assert [d.status for d in seat.file(case).filed] == ["accepted"]


def test_remedies_say_what_to_file_and_what_to_look_at(seat: Seat) -> None:
    case = opened(seat)
    seat.document(case, "will", b"x")
    seat.document_status(case, seat.file(case).filed[0].id, "rejected")
    from casekit.decisions.remedies import Remedies
    from casekit.desk.asking import turn_for
    from casekit.desk.looking import READ

    turn = turn_for(seat.desk, seat.actor, READ, case)
    ready = turn.definition.requirements["wills"]
    from casekit.decisions.requirements import Judging

    judged = Judging(turn.definition, turn.run.inputs).ready(ready)
    assert (judged.met, judged.actual, judged.needed, judged.text) == (False, 0, 2, "2 of Will must be accepted: 0 are.")
    assert [str(r) for r in Remedies(turn.run).of(ready, judged)] == ["add a document will, then set a document will to accepted (2)"]


@pytest.mark.parametrize(
    ("requirement", "where"),
    [
        (Requirement(linked="uncle"), "/requirements/r/linked"),
        (Requirement(document="will", status="lost"), "/requirements/r/status"),
        (Requirement(document="note", status="accepted"), "/requirements/r/status"),
        (Requirement(linked="parent", status="closed"), "/requirements/r/status"),
        (Requirement(linked="parent", count=2), "/requirements/r/count"),
    ],
)
def test_a_requirement_that_makes_no_sense_is_refused_by_path(
    open_store: Callable[..., Desk], requirement: Requirement, where: str
) -> None:
    from attrs import evolve

    with pytest.raises(BadInput) as refused:
        open_store(plugins=[tenancy], case_types=[evolve(ESTATE, requirements={**ESTATE.requirements, "r": requirement})])
    assert where in [problem.where.split(": ")[-1] for problem in refused.value.problems]


@pytest.mark.parametrize("statuses", [("a", "a"), ("No Word",), ("",)])
def test_statuses_are_words_and_each_is_there_once(open_store: Callable[..., Desk], statuses: tuple[str, ...]) -> None:
    from attrs import evolve

    kinds = {**ESTATE.documents, "note": DocumentKind("Note", statuses=statuses)}
    with pytest.raises(BadInput, match="can't be statuses"):
        open_store(plugins=[tenancy], case_types=[evolve(ESTATE, documents=kinds)])
