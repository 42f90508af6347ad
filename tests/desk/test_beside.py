"""What lies beside the record: the search index, keys, contents; and what may stand in the clear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casekit import BadInput, Desk, NotFound, Objection, Seat
from casekit.sdk import Task


def test_a_detail_that_comes_back_is_found_again(seat: Seat) -> None:
    maria = seat.party("person", name="Maria Silva", phone="030 1")
    seat.change_party(maria, phone="030 2")
    seat.change_party(maria, phone="030-1", name="MARIA  Silva")

    assert seat.find_party(phone="030 1", name="maria silva") == seat.get_party(maria)


def test_a_message_is_of_a_party_that_there_is(seat: Seat) -> None:
    one, two = seat.party("person", name="One"), seat.party("person", name="Two")
    case = seat.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": one, "landlord": one}).id
    said: dict[str, Any] = {"direction": "in", "via": "phone", "outcome": "conversation"}

    with pytest.raises(NotFound):
        seat.message(case, **said, party="01932f9a-7c00-7000-8000-000000000001")
    with pytest.raises(BadInput, match="does not play the role 'tenant'"):
        seat.message(case, **said, party=two, to="tenant")
    assert seat.message(case, **said, party=two).entries == (2,), "somebody who has no role in it may call"


@pytest.mark.parametrize(
    "made",
    [
        lambda: Objection("a", "b", allowed_at="soon"),
        lambda: Task("Call Maria Silva"),
        lambda: Task("call", due="tomorrow"),
        lambda: Task("call", after="Maria Silva"),
    ],
)
def test_what_stands_in_the_clear_of_an_answer_has_a_form(made: Callable[[], Any]) -> None:
    with pytest.raises(BadInput):
        made()


def test_a_content_that_is_gone_or_changed_is_named(desk: Desk, seat: Seat, tmp_path: Path) -> None:
    who = seat.party("person", name="One")
    case = seat.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": who, "landlord": who}).id
    seat.document(case, "letter", b"We agree.")
    (content,) = [p for p in tmp_path.rglob("*") if p.is_file() and len(p.name) == 64]
    auditor = desk.seat("test:auditor", roles={"auditor"})
    kept = content.read_bytes()

    content.write_bytes(kept[:-1] + b"\0")
    assert [(w.stream, w.n, w.table, w.column) for w in auditor.verify().wrong] == [(case, 2, "documents", "digest")]
    content.unlink()
    assert "can't be read" in auditor.verify().wrong[0].what
    content.write_bytes(kept)


def test_a_desk_serves_more_threads_than_a_pool_would(desk: Desk, seat: Seat) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    who = seat.party("person", name="One")
    case = seat.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": who, "landlord": who}).id
    together = Barrier(20, timeout=60)

    def read(_: int) -> int:
        together.wait()
        return seat.case(case).n

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(read, range(20))) == [1] * 20
