"""A case type with retention rules of every kind, for tests of disposal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from casekit.sdk import CaseType, DocumentKind, Plugin, Retention, State, Transition, field, hookimpl, role

PLUGIN = Plugin("leases", api=1, handles=("lease.case",), version="1.0")

LEASE = CaseType(
    key="lease.case",
    version="1.0",
    title="Lease",
    initial="open",
    zone="Europe/Berlin",
    number="L-{year}-{seq:04}",
    data={
        "ends": field(date),
        "others": field(list, personal=False),
        "parent": field(str, personal=False),
        "rooms": field(
            {
                "type": "array",
                "items": {"type": "object", "properties": {"until": {"type": "string", "format": "date"}}, "additionalProperties": False},
            }
        ),
        "story": field(str, personal=True),
    },
    facts={"handed-over": field(date), "permit": field(date)},
    roles={"tenant": role((0, None))},
    states={
        "open": State("Open", category="open"),
        "over": State("Over", category="closed", outcome="over"),
        "sued": State("Sued", category="closed", outcome="sued"),
        "famous": State("Famous", category="closed", outcome="famous"),
        "odd": State("Odd", category="closed", outcome="odd"),
        "early": State("Early", category="closed", outcome="early"),
    },
    transitions={
        "end": Transition("open", "over"),
        "sue": Transition("open", "sued"),
        "shine": Transition("open", "famous"),
        "wonder": Transition("open", "odd"),
        "hurry": Transition("open", "early"),
        "reopen": Transition(("over", "sued", "odd"), "open"),
    },
    documents={"letter": DocumentKind("Letter"), "photo": DocumentKind("Photo")},
    retention={
        "lease.plain": Retention("P1Y", outcomes="over", citation="house rule 7", authority="the board"),
        "lease.photos": Retention("P2Y", outcomes="over", documents="photo"),
        "lease.court": Retention("P3Y", counted="year", outcomes="sued", statutory=True, citation="§ 195 BGB"),
        "lease.fame": Retention(end="keep", outcomes="famous"),
        "lease.early": Retention("P1D", base="field", of="ends", outcomes="early"),
        "lease.odd": Retention("P1M", outcomes="odd", end="review"),
    },
)


@hookimpl
def casekit_case_types() -> list[CaseType]:
    return [LEASE]


@hookimpl
def casekit_roles() -> Mapping[str, list[str]]:
    return {
        "clerk": ["case.*", "party.*", "note.*", "fact.*", "document.*", "journal.*", "checkpoint.*", "desk.due"],
        "archivist": ["disposal.*", "case.read"],
        "admin": ["*"],
        "counsel": ["hold.*"],
        "auditor": ["journal.verify"],
        "stranger": ["note.add"],
    }
