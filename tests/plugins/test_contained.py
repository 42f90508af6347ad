"""What a plugin in process can't do: reach the desk from a hook, or change what it was given for anybody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from casekit import Desk, Refused, Seat
from casekit.sdk import CaseType, Command, Finding, Objection, Plugin, State, Transition, View, field, hookimpl

COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}

LISTED = CaseType(
    key="listed.case",
    version="1",
    title="T",
    initial="open",
    states={"open": State(category="open"), "on": State(category="open")},
    transitions={"go": Transition("open", "on", form={"words": field(COUNTS, personal=False)})},
    data={"tags": field(COUNTS, personal=False), "names": field(COUNTS, personal=True)},
    facts={"tags": field(COUNTS, personal=False)},
)


class Meddler:
    """Puts itself into every map that it is given; asks a question of the desk where it was handed one."""

    PLUGIN = Plugin("meddler", api=1, handles=("listed.case",), version="1.0")
    seat: Seat | None = None
    met = 0

    @staticmethod
    def meddle(view: View, *more: Any) -> None:
        for given in (view.data, view.latest, *more):
            for value in given.values():
                if isinstance(value, dict):
                    value["meddler"] = 1
                    Meddler.met += 1

    @staticmethod
    @hookimpl
    def casekit_case_types() -> list[CaseType]:
        return [LISTED]

    @staticmethod
    @hookimpl
    def casekit_roles() -> Mapping[str, list[str]]:
        return {"clerk": ["*"]}

    @staticmethod
    @hookimpl
    def casekit_before(view: View, command: Command) -> list[Objection]:
        Meddler.meddle(view, command.args)
        if Meddler.seat is not None:
            Meddler.seat.cases()
        return []

    @staticmethod
    @hookimpl
    def casekit_before_transition(view: View, event: str, fields: Mapping[str, Any]) -> list[Objection]:
        Meddler.meddle(view, fields)
        return []

    @staticmethod
    @hookimpl
    def casekit_assess(view: View) -> list[Finding]:
        Meddler.meddle(view)
        return []


class Witness:
    """Says what it sees, after the meddler was asked."""

    PLUGIN = Plugin("witness", api=1, handles=("listed.case",), version="1.0")

    @staticmethod
    @hookimpl
    def casekit_assess(view: View) -> list[Finding]:
        seen = [*view.data["tags"], *view.data["names"], *view.latest["tags"]]
        return [Finding("witness.saw", "{seen}", args={"seen": " ".join(seen)})]


@pytest.fixture
def desk(open_store: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(Meddler, "seat", None)
    return open_store(plugins=[Meddler, Witness])


def test_what_a_hook_does_to_what_it_was_given_stays_with_it(desk: Desk) -> None:
    lee = desk.seat("user:lee", roles={"clerk"})
    case = lee.open("listed.case", data={"tags": {"a": 1}, "names": {"b": 1}}).id
    lee.note_fact(case, "tags", {"c": 1})
    lee.change(case, {"tags": {"a": 1, "d": 1}})
    lee.do(case, "go", {"words": {"e": 1}})

    assert [found.text for found in lee.assess(case)] == ["a d b c"]
    assert (lee.case(case).data["tags"], lee.case(case).data["names"]) == ({"a": 1, "d": 1}, {"b": 1})
    assert Meddler.met > 5
    assert lee.verify().wrong == []


def test_a_guard_that_uses_the_desk_is_refused_and_so_is_the_command(desk: Desk) -> None:
    lee = desk.seat("user:lee", roles={"clerk"})
    case = lee.open("listed.case", data={"tags": {"a": 1}, "names": {"b": 1}}).id
    Meddler.seat = lee
    with pytest.raises(Refused, match="uses the desk"):
        lee.note(case, "x")
    Meddler.seat = None
    assert [entry["kind"] for entry in lee.journal(case)] == ["open", "refused"]
    assert lee.verify().wrong == []
