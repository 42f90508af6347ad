"""A small office that has seen everything: every kind of stream, entry, row and answer, in a store of a few pages."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import frozen

import tenancy
from casekit import Case, Denied, Desk, Refused, Seat
from casekit.sdk import Plugin, Recorded, hookimpl


class Deaf:
    """A plugin that can't hear: its outbox rows wait. It can keep a secret."""

    PLUGIN = Plugin("deaf", api=1, handles=("tenancy.dispute",), version="1.0")

    @staticmethod
    @hookimpl
    def casekit_roles() -> Mapping[str, list[str]]:
        return {"counsel": ["level.confidential"]}

    @staticmethod
    @hookimpl
    def casekit_recorded(recorded: Recorded) -> None:
        raise RuntimeError(f"can't hear of {recorded.case}")


PLUGINS = (tenancy, Deaf)


@frozen
class Office:
    """What there is.

    Attributes:
        people: Name → party id.
        cases: What it is → case id.
    """

    people: Mapping[str, str]
    cases: Mapping[str, str]


def fill(desk: Desk, clock: Any) -> Office:
    """Lets a day in an office pass."""
    lee = desk.seat("user:lee", roles={"clerk"})
    people = _people(lee)
    long = _long_case(desk, lee, people, clock)
    over = _closed_case(lee, people)
    lee.run_due()
    _after(lee, long)
    cases = {"long": long, "over": over, "plain": _plain_case(lee, people)}
    _link(lee, cases)
    _quiet_case(desk, people)
    lee.export(long)
    lee.access_export(people["maria"])
    lee.checkpoint()
    return Office(people, cases)


def _people(lee: Seat) -> dict[str, str]:
    maria = lee.party("person", name="Maria Silva", phone="+49 30 555 0142", born="1990-04-01", zone="Europe/Berlin", language="pt-BR")
    lee.change_party(maria, phone="+49 30 555 0199", address="Lindenweg 3", reason="she has moved")
    lee.rectify_party(maria, born="1990-04-02", reason="as her passport says", asked_by=maria)
    twin = lee.party("person", name="M. Silva", email="maria@example.org")
    lee.merge_parties(twin, maria, reason="one and the same")
    shop = lee.party("organisation", key="shop", name="Haus GmbH", ref="crm:2207")
    staff = lee.party("staff", name="Kim")
    gone = lee.party("person", name="Otto Gone", phone="0401234")
    return {"maria": maria.id, "shop": shop.id, "kim": staff.id, "gone": gone.id}


def _long_case(desk: Desk, lee: Seat, people: Mapping[str, str], clock: Any) -> str:
    case = lee.open(
        "tenancy.dispute",
        data={"deposit": "900.00 EUR", "claimed": "120.50 EUR", "story": "a stain", "health": "asthma", "reference": "A 7", "kind": "flat"},
        parties={"tenant": people["maria"], "landlord": people["shop"]},
        key="crm-4711",
    ).id
    lee.note(case, "she called")
    lee.note_fact(case, "rent", "250.00 EUR", source="lease", effective="2026-11-01")
    lee.note_fact(case, "heating", "gas")
    lee.give_role(case, "handler", people["kim"])
    lee.change(case, {"rooms": 3, "story": "two stains"}, unset=["claimed"], reason="seen on site")
    wrong = lee.note_fact(case, "rent", "520.00 EUR", effective="2026-11-02").id
    lee.rectify_fact(case, wrong, "250.00 EUR", reason="digits swapped", asked_by=people["maria"])
    lee.rectify(case, {"health": "none"}, reason="of somebody else", effective="2026-11-25")
    lee.charge(case, "damage", "30.00 EUR", note="a door")
    paid = lee.pay(case, "100.00 EUR", note="by transfer", key="bank-1")
    lee.reverse(case, paid.id, note="sent back")
    letter = lee.document(case, "letter", b"Dear Ms Silva", name="letter.txt")
    lee.document(case, "letter", b"Dear Ms Silva, once more", name="letter.txt", document=letter.id)
    lee.message(case, direction="out", via="letter", outcome="sent", to="tenant", text="please answer")
    lee.message(case, direction="in", via="phone", outcome="conversation", to="tenant", text="I will pay", effective="2026-11-25")
    refused(lee, case)
    with suppress(Denied):
        desk.seat("user:eve", roles={"reader"}).do(case, "answer")
    lee.item(case, "add", "ring", own={"kind": "task", "due": {"after": "P90D"}, "who": "clerk"}, title="Ring her brother")
    lee.item(case, "add", "visit", own={"kind": "stage", "required": True})
    lee.item(case, "add", "look", stage="visit", own={"kind": "task", "entry": [{"on": ["payment"]}]})
    lee.item(case, "complete", "ring")
    lee.set_goal(case, "paid", "paid", "900.00 EUR", title="All of it", by="2026-12-31", owner="clerk")
    lee.set_goal(case, "rooms", "rooms", 3, want="exactly")
    lee.review(case, "She is on her own.")
    lee.approve(case, "tenancy.checked", reason="seen twice")
    lee.choose(case, "two-halves", reason="keeps her home")
    clock.forward(days=12)
    lee.run_due()
    lee.do(case, "resume", observed=True)
    return case


def refused(lee: Seat, case: str) -> None:
    """A payment that a rule refuses."""
    with suppress(Refused):
        lee.pay(case, "5000.00 EUR", key="bank-2")


def _closed_case(lee: Seat, people: Mapping[str, str]) -> str:
    case = lee.open(
        "tenancy.dispute",
        data={"deposit": "70.00 EUR", "story": "short"},
        parties={"tenant": people["gone"], "landlord": people["shop"]},
    ).id
    lee.document(case, "photo", b"\x89PNG", name="stain.png")
    lee.document(case, "letter", b"We agree.")
    lee.do(case, "answer", {"tone": "angry"})
    lee.do(case, "withdraw")
    lee.erase(people["gone"])
    return case


def _after(lee: Seat, case: str) -> None:
    lee.pay(case, "450.00 EUR", effective="2026-12-03")
    lee.take_role(case, "handler", lee.find_parties(name="Kim")[0])


def _link(lee: Seat, cases: Mapping[str, str]) -> None:
    lee.link(cases["plain"], "parent", cases["long"], reason="one flat")
    lee.link(cases["plain"], "follow-up", cases["over"])
    lee.unlink(cases["plain"], "follow-up", cases["over"])
    photo = lee.document(cases["plain"], "photo", b"\x89PNG", name="door.png")
    lee.document_status(cases["plain"], photo.id, "accepted", reason="sharp enough")


def _quiet_case(desk: Desk, people: Mapping[str, str]) -> None:
    """A confidential case, and somebody who reads it."""
    kim = desk.seat("user:kim", roles={"clerk", "counsel"})
    case = kim.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": people["shop"], "landlord": people["shop"]}).id
    kim.classify(case, "confidential", reason="he is known in town")
    kim.case(case)


def _plain_case(lee: Seat, people: Mapping[str, str]) -> str:
    case: Case = lee.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": people["maria"], "landlord": people["shop"]})
    return case.id
