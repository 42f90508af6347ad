"""Plugins in processes of their own: what they see, what they declare, what is opened for them, and how they come to be isolated."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import fields

import pages
import tenancy
from casekit import BadInput, Desk, Limits, PluginFailed, Refused
from casekit.desk.casefile import CaseFile
from casekit.plugins.catalogue import Catalogue
from casekit.plugins.isolation import read_limits
from casekit.plugins.isolation.keeper import PARTS
from casekit.plugins.isolation.wire import Broken
from casekit.plugins.view import View


def life(desk: Desk) -> tuple[str, list[Any]]:
    """A short life of a case, with every hook that tenancy has; gives the case and what came of each question."""
    lee = desk.seat("user:lee", roles={"clerk"})
    people = [lee.party("person", name=name).id for name in ("Ada", "Bo")]
    data = {"deposit": "900.00 EUR", "story": "a stain"}
    case = lee.open("tenancy.dispute", data=data, parties={"tenant": people[0], "landlord": people[1]}).id
    came: list[Any] = [lee.assess(case), lee.options(case)]
    lee.note_fact(case, "rent", "250.00 EUR")
    lee.choose(case, "two-halves")
    came += [lee.assess(case), lee.look(case).findings, lee.goals(case)]
    for _ in range(3):
        try:
            lee.message(case, direction="out", via="letter", outcome="sent", to="tenant", text="please")
        except Refused as refused:
            came.append(refused.objections)
    with pytest.raises(Refused) as closing:
        lee.close(case, "decided", reason="enough")
    came += [closing.value.objections, desk.calculate("tenancy.half", {"amount": "9.01 EUR"}), lee.run_due().failed]
    return case, came


def test_it_says_what_it_says_in_process(open_store: Callable[..., Desk], tmp_path: Path) -> None:
    here = life(open_store(store=f"sqlite:///{tmp_path}/here.db"))
    desk = open_store(plugins=[], isolated=["tenancy"])
    apart = life(desk)

    assert desk.catalogue.loaded[0].isolated
    assert apart[1] == here[1]
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []


def test_what_it_does_not_look_at_is_not_opened(open_store: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    desk = open_store(plugins=[], isolated=["tenancy"])
    case, _ = life(desk)
    opened: list[str] = []
    open_data = CaseFile.open_data

    def watched(self: CaseFile, owner: str) -> Any:
        opened.append(owner)
        return open_data(self, owner)

    monkeypatch.setattr(CaseFile, "open_data", watched)
    lee = desk.seat("user:lee", roles={"clerk"})
    lee.assess(case)
    assert opened == []
    with pytest.raises(Refused, match="a stain"):  # the objection tells the story, and is sealed like it
        lee.close(case, "decided", reason="enough")
    assert set(opened) == {case}


def test_names_places_and_everything(tmp_path: Path) -> None:
    by_name = Catalogue([tenancy], installed=False, isolated=read_limits({"tenancy": Limits(seconds=1)}))
    by_place = Catalogue(installed=False, isolated=read_limits(["proofs.office:Deaf", "nowhere.at.all"]))
    every = Catalogue(isolated=read_limits("*"))

    assert [(p.says.name, p.isolated) for p in by_name.loaded] == [("tenancy", True)]
    assert [(p.says.name, p.isolated, bool(p.broken)) for p in by_place.loaded] == [("deaf", True, False), ("nowhere.at.all", True, True)]
    assert {p.says.name: p.isolated for p in every.loaded if not p.says.name.startswith("casekit")} or every.loaded
    assert not next(p for p in every.loaded if p.source.startswith("casekit ")).isolated
    with pytest.raises(BadInput, match="requires"):
        Catalogue(installed=False, required=["nowhere"], isolated=read_limits(["nowhere"]))
    for catalogue in (by_name, by_place, every):
        catalogue.close()


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"memory": -1}, {"answer": "much"}, {"workers": True}])
def test_limits_are_numbers_above_zero(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="no limit"):
        Limits(**wrong)


def test_a_quarantined_plugin_takes_its_processes_along() -> None:
    catalogue = Catalogue(installed=False, isolated={"tenancy": Limits()})
    crew = catalogue._stand_ins["tenancy"].crew
    pid = crew._idle[0].pid
    catalogue.quarantine("tenancy", "no more")

    assert crew._idle == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_threads_share_its_workers(open_store: Callable[..., Desk]) -> None:
    desk = open_store(plugins=[], isolated={"tenancy": Limits(workers=2)})
    case, _ = life(desk)
    wrong: list[BaseException] = []

    def ask() -> None:
        try:
            with desk.seat("user:lee", roles={"clerk"}) as lee:
                for _ in range(10):
                    assert [f.rule for f in lee.assess(case)] == ["tenancy.high-deposit"]
        except BaseException as error:  # noqa: BLE001
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(desk.catalogue._stand_ins["tenancy"].crew._idle) <= 2


def test_a_worker_that_died_at_rest_is_replaced(open_store: Callable[..., Desk]) -> None:
    desk = open_store(plugins=[], isolated=["tenancy"])
    case, _ = life(desk)
    for worker in desk.catalogue._stand_ins["tenancy"].crew._idle:
        os.kill(worker.pid, signal.SIGKILL)
    assert desk.seat("user:lee", roles={"clerk"}).assess(case)


def test_every_part_of_a_view_can_be_asked_for() -> None:
    assert {a.name for a in fields(View)} == PARTS
    assert issubclass(PluginFailed, Exception)
    assert str(Broken("is gone")) == "is gone"


def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pages.run("isolate-plugins.md", {"__name__": "isolate"})
