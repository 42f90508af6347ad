"""A desk with leases, and those who keep and destroy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen

import leases
from casekit import Desk, Seat, builtin
from keeping.conftest import another


@frozen
class Office:
    """The desk, and everyone at it."""

    desk: Desk
    clerk: Seat
    first: Seat
    second: Seat
    counsel: Seat

    def closed(self, event: str = "end", **data: object) -> str:
        """A case that is over, of a tenant of its own."""
        otto = self.clerk.party("person", name="Otto Gone")
        case = self.clerk.open("lease.case", data=data, parties={"tenant": otto}, key=f"k{len(self.clerk.cases(size=500).cases)}")
        self.clerk.note(case.id, "he called")
        self.clerk.document(case.id, "letter", b"Dear Otto", name="letter.txt")
        self.clerk.do(case.id, event)
        return case.id

    def approved(self, *cases: str) -> str:
        """A list that was proposed and approved."""
        made = self.first.propose_disposal(cases)
        return self.second.approve_disposal(made.id).id


__all__ = ["another"]

PLUGINS = (leases, builtin)


def office_of(desk: Desk) -> Office:
    seat = desk.seat
    return Office(
        desk,
        seat("user:lee", roles={"clerk"}),
        seat("user:ann", roles={"archivist"}),
        seat("user:bob", roles={"archivist"}),
        seat("user:law", roles={"counsel"}),
    )


@pytest.fixture
def office(open_store: Callable[..., Desk], tmp_path: Path) -> Iterator[Office]:
    found = office_of(open_store(plugins=PLUGINS, documents=tmp_path / "documents"))
    yield found
    assert found.desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
