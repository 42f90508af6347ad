"""Guards that read other cases: what they see, and that nothing is written on what may have changed since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import create_engine

import casekit
import tenancy
from casekit import Conflict, Desk, Refused, Seat
from casekit.sdk import Command, Need, Objection, Other, Plugin, View, hookimpl
from casekit.testing import a_view

seen: list[tuple[Other, ...]] = []


class Neighbours:
    """A landlord has at most two open cases."""

    PLUGIN = Plugin("neighbours", api=1, handles=("tenancy.dispute",), version="1.0")

    @staticmethod
    @hookimpl(needs=(Need("parties"), Need("cases")))
    def casekit_before(view: View, command: Command) -> Iterator[Objection]:
        landlord = view.party("landlord")
        if command.name not in ("open", "note", "do") or landlord is None:
            return
        others = view.others[landlord.id]
        seen.append(others)
        held = sum(not other.closed and "landlord" in other.roles for other in others)
        if command.name == "open" and held >= 2:
            yield Objection("neighbours.many", "The landlord has {held} cases.", {"held": held})


class Sly:
    """As above, but it hushes up what goes wrong."""

    PLUGIN = Plugin("sly", api=1, handles=("tenancy.dispute",), version="1.0")
    asked = 0

    @staticmethod
    @hookimpl(needs=(Need("parties"), Need("cases")))
    def casekit_before(view: View, command: Command) -> list[Objection]:
        Sly.asked += 1
        with suppress(Exception):
            return [Objection("sly.no", "No.")] if command.name == "note" and len(view.others[view.parties[0].id]) > 0 else []
        return []


@pytest.fixture
def watched(open_store: Callable[..., Desk]) -> Iterator[Desk]:
    seen.clear()
    opened = open_store(plugins=[tenancy, Neighbours])
    yield opened
    assert opened.seat("test:auditor", roles={"auditor"}).verify().wrong == []


@pytest.fixture
def lee(watched: Desk) -> Seat:
    return watched.seat("user:lee", roles={"clerk"})


def opened(seat: Seat, landlord: str, tenant: str = "") -> str:
    parties = {"tenant": tenant or seat.party("person", name="Ada").id, "landlord": landlord}
    return seat.open("tenancy.dispute", data={"deposit": "5.00 EUR", "reference": "A 7", "story": "secret"}, parties=parties).id


def test_a_guard_sees_other_cases_of_a_party(lee: Seat) -> None:
    shop = lee.party("organisation", name="Shop").id
    first, second = opened(lee, shop), opened(lee, shop)
    lee.note(second, "look")

    [other] = seen[-1]
    number = lee.case(first).number
    assert (other.id, other.type, other.number, other.roles) == (first, "tenancy.dispute", number, ("landlord",))
    assert (other.state, other.category, other.closed) == ("open", "open", None)
    assert other.data == {"deposit": "5.00 EUR", "reference": "A 7"}, "what is personal is not shown"


def test_the_rule_holds_one_after_the_other_in_a_batch_and_for_merged_parties(lee: Seat, engine: str) -> None:
    shop = lee.party("organisation", name="Shop").id
    opened(lee, shop)
    if engine == "sqlite":
        with pytest.raises(Refused, match="has 2 cases"), lee.batch() as batch:  # noqa: PT012
            opened(batch, shop)
            opened(batch, shop)
        assert len(lee.cases().cases) == 1
    else:
        with pytest.raises(Conflict, match="by itself"), lee.batch() as batch:
            opened(batch, shop)
    twin = lee.party("organisation", name="Shop again").id
    last = opened(lee, twin)
    lee.merge_parties(twin, shop)
    with pytest.raises(Refused, match="has 2 cases"):
        opened(lee, shop)
    lee.document(last, "letter", b"Dear Ada")
    lee.close(last, "withdrawn")
    opened(lee, shop)


def test_only_commands_whose_guard_looks_pay_for_it(lee: Seat, watched: Desk) -> None:
    case = opened(lee, lee.party("organisation", name="Shop").id)
    connection = watched.shelf("main").connection
    connection.tape = []
    lee.pay(case, "1.00 EUR")
    paid, connection.tape = connection.tape, []
    lee.note(case, "look")
    noted, connection.tape = connection.tape, None

    begun = [text.partition(";")[0] for text, _, _ in noted if text.startswith("BEGIN")]
    assert begun == ["BEGIN IMMEDIATE" if watched.shelf("main").sqlite else "BEGIN ISOLATION LEVEL SERIALIZABLE"]
    assert not any("SERIALIZABLE" in text for text, _, _ in paid)


def test_a_guard_that_hushes_up_is_asked_again_inside(open_store: Callable[..., Desk]) -> None:
    desk = open_store(plugins=[tenancy, Sly])
    lee = desk.seat("user:lee", roles={"clerk"})
    ada = lee.party("person", name="Ada").id
    opened(lee, ada, ada)
    case = opened(lee, ada, ada)
    Sly.asked = 0
    with pytest.raises(Refused, match=r"No\."):
        lee.note(case, "look")

    assert Sly.asked == 2
    assert [h.kind for h in lee.timeline(case)] == ["open", "refused"]


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_host_answers_for_it_with_a_serializable_transaction(lee: Seat, watched: Desk, store_url: str) -> None:
    case = opened(lee, lee.party("organisation", name="Shop").id)
    for level, well in (("READ COMMITTED", False), ("REPEATABLE READ", False), ("SERIALIZABLE", True)):
        host = casekit.prepare(create_engine(store_url, isolation_level=level))
        with host.connect() as connection, watched.join(connection) as joined:
            clerk = joined.seat("user:lee", roles={"clerk"})
            if well:
                clerk.note(case, "look")
            else:
                with pytest.raises(Conflict, match="make that SERIALIZABLE"):
                    clerk.note(case, "look")
            connection.commit()
        host.dispose()

    assert [h.kind for h in lee.timeline(case)] == ["open", "note"]


def test_questions_look_without_a_lock(lee: Seat) -> None:
    shop = lee.party("organisation", name="Shop").id
    case = opened(lee, shop)
    opened(lee, shop)
    seen.clear()

    assert lee.check(case, "answer").outcome == "allowed"
    assert [len(others) for others in seen] == [1]


def test_a_test_gives_a_guard_other_cases() -> None:
    other = Other("1", "tenancy.dispute", None, ("landlord",), "open", "open", "2026-11-01T00:00:00.000000Z", None, {})
    view = a_view(tenancy.DISPUTE, data={"deposit": "5.00 EUR"}, others={"x": [other]})

    assert view.others["x"] == (other,)
    assert a_view(tenancy.DISPUTE, data={"deposit": "5.00 EUR"}).others == {}
