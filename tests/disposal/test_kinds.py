"""The nine kinds of base date, from what is really on file; recomputed whenever that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

import leases
from casekit import Desk
from casekit.definition.casetype import State, Transition
from casekit.definition.retention import BASES, Retention
from disposal.conftest import PLUGINS, Office, office_of

OF = {
    "noted": "handed-over",
    "field": "ends",
    "related": "others",
    "parent": "parent",
    "decided": "permit",
    "expires": "permit",
    "object": "rooms/*/until",
}

KINDS = evolve(
    leases.LEASE,
    version="2.0",
    states={"open": State("Open", category="open"), **{kind: State(kind, category="closed", outcome=kind) for kind in BASES}},
    transitions={
        **{f"to-{kind}": Transition("open", kind) for kind in BASES},
        "reopen": Transition(BASES, "open"),
    },
    retention={
        f"by.{kind}": Retention("P1M", kind, of=OF.get(kind, ""), term="P1D" if kind == "term" else "", outcomes=kind) for kind in BASES
    },
)


@pytest.fixture
def kinds(open_store: Callable[..., Desk]) -> Office:
    return office_of(open_store(plugins=PLUGINS, case_types=[KINDS]))


def test_base_dates_are_read_from_the_case(kinds: Office, clock: Any) -> None:
    clerk, others = kinds.clerk, []
    for day in ("2026-03-01", "2026-02-28"):
        other = clerk.open("lease.case", effective="2026-01-01")
        clerk.do(other.id, "to-closed", effective=day)
        others.append(other)
    rooms = [{"until": "2026-05-31"}, {"until": "2026-06-30"}]
    data = {"ends": "2025-12-31", "others": [others[0].id, others[1].number], "parent": others[1].number, "rooms": rooms}
    expected = {
        "closed": "2026-10-25",
        "term": "2026-10-26",
        "noted": "2026-07-02",
        "field": "2025-12-31",
        "related": "2026-03-01",
        "parent": "2026-02-28",
        "decided": "2026-05-05",
        "expires": "2030-01-01",
        "object": "2026-06-30",
    }
    found = {}
    for kind in BASES:
        case = clerk.open("lease.case", data=data, effective="2026-01-01").id
        for fact, value, since in (
            ("handed-over", "2026-07-02", "2026-07-03"),
            ("handed-over", "2026-07-01", "2026-07-01"),
            ("permit", "2030-01-01", "2026-04-04"),
            ("permit", "2027-01-01", "2026-05-05"),
        ):
            clerk.note_fact(case, fact, value, effective=since)
        clerk.do(case, f"to-{kind}", effective="2026-10-24T22:30:00Z")  # the 25th in Berlin, and the clocks go back that night
        found[kind] = kinds.first.retention(case).base
    assert found == expected


def test_a_date_moves_with_what_it_rests_on(kinds: Office, clock: Any) -> None:
    clerk = kinds.clerk
    other = clerk.open("lease.case")
    case = clerk.open("lease.case", data={"others": [str(other.number)]}).id
    clerk.do(case, "to-related")
    assert (kinds.first.retention(case).standing, kinds.first.retention(case).base) == ("waiting", None)
    clerk.do(other.id, "to-closed")
    assert kinds.first.retention(case).base == "2026-11-25"
    clerk.do(other.id, "reopen")
    assert kinds.first.retention(case).standing == "waiting"
    clock.forward(days=10)
    clerk.do(other.id, "to-closed")
    assert kinds.first.retention(case).until == "2027-01-05"
    clock.forward(days=60)
    kinds.second.run_disposal(kinds.approved(other.id))
    assert kinds.first.retention(case).base == "2026-12-05", "what was disposed of counts with the day on which it was closed"
    clerk.do(case, "reopen")
    assert kinds.first.retention(case).standing == "open"


def test_links_say_which_cases_it_rests_on(open_store: Callable[..., Desk], clock: Any) -> None:
    rules = {
        "by.parent": Retention("P1M", "parent", outcomes="parent"),
        "by.related": Retention("P1M", "related", outcomes="related"),
    }
    office = office_of(open_store(plugins=PLUGINS, case_types=[evolve(KINDS, version="2.1", retention=rules)]))
    whole, part, before, after = (office.clerk.open("lease.case").id for _ in range(4))
    office.clerk.link(part, "parent", whole)
    office.clerk.link(part, "follow-up", before)
    office.clerk.link(after, "follow-up", part)
    office.clerk.do(part, "to-parent")
    assert office.first.retention(part).standing == "waiting"
    clock.forward(days=1)
    office.clerk.do(whole, "to-closed")
    assert office.first.retention(part).base == "2026-11-26"
    office.clerk.do(part, "reopen")
    office.clerk.do(part, "to-related")
    office.clerk.do(before, "to-closed")
    assert office.first.retention(part).standing == "waiting"
    clock.forward(days=1)
    office.clerk.do(after, "to-closed")
    assert office.first.retention(part).base == "2026-11-27"
    clock.forward(days=60)
    assert office.second.run_disposal(office.approved(part)).disposed == (part,)
    assert office.desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []


def test_a_new_version_of_the_rules_leaves_cases_alone(office: Office, open_store: Callable[..., Desk], clock: Any) -> None:
    case = office.closed()
    longer = evolve(leases.LEASE, version="3.0", retention={"lease.plain": Retention("P9Y", outcomes="over")})
    later = office_of(open_store(plugins=PLUGINS, case_types=[longer]))
    assert later.first.retention(case).until == "2027-11-25"
    new = later.clerk.open("lease.case").id
    later.clerk.do(new, "end")
    assert later.first.retention(new).until == "2035-11-25"
