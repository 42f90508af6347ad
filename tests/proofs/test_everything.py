"""P10: every command, in any order, with whatever may happen on the way: the tables are what the journal says.

Hypothesis gives commands, faults of the store, processes that are killed in the middle of a command, clocks that jump, plugins
that fail, desks that are closed and opened. After every step the whole record is verified.
"""

from __future__ import annotations

import inspect
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import tenancy
from casekit import BadInput, CasekitError, Desk, PluginFailed, Refused, Seat, open_desk
from casekit.sdk import Command, Finding, Objection, Plugin, Recorded, View, hookimpl
from casekit.store.shelf import Shelf
from proofs.conftest import Ticking
from proofs.crowd import PLUGINS, Crew, crew
from proofs.test_failures import Driver, Faults
from proofs.test_keys import KINDS, Request
from proofs.test_keys import Desk as Requests

WITHOUT_KEY = ("change_party", "merge_parties", "erase", "resume", "run_due", "checkpoint", "rotate_signing", "import_bundle")
"""Commands that take no key, each with a rule of its own."""

DID: Counter[str] = Counter()
"""What was done, over all runs."""

FAULTS = Faults()


class Moody:
    """A plugin that fails in every hook while it is in the mood."""

    PLUGIN = Plugin("moody", api=1, handles=("tenancy.dispute",), version="1.0")
    mood = False

    @staticmethod
    def fail() -> None:
        if Moody.mood:
            raise RuntimeError("not today")

    @staticmethod
    @hookimpl
    def casekit_assess(view: View) -> list[Finding]:
        Moody.fail()
        return [Finding("moody.fine", "All is well.")]

    @staticmethod
    @hookimpl
    def casekit_before(view: View, command: Command) -> list[Objection]:
        Moody.fail()
        return []

    @staticmethod
    @hookimpl
    def casekit_close(view: View, outcome: str) -> list[Objection]:
        Moody.fail()
        return []

    @staticmethod
    @hookimpl
    def casekit_recorded(recorded: Recorded) -> None:
        Moody.fail()


class Everything(RuleBasedStateMachine):
    """All commands on one store."""

    which = st.integers(0, 99)
    kinds = st.sampled_from([kind for kind in KINDS if kind not in ("party", "open")])

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="casekit-everything-"))
        self.url = f"sqlite:///{self.folder}/store.db"
        self.clock = Ticking()
        self.crew: Crew | None = None
        self.count = 0
        self.desk: Desk
        self.lee: Seat
        self.open()
        self.people = [self.lee.party("person", name=name).id for name in ("Ada", "Bo", "Chi")]
        self.cases = [self.opened(self.people[0], self.people[1]) for _ in range(2)]

    def opened(self, one: str, two: str) -> str:
        data = {"deposit": "900.00 EUR", "story": "a stain"}
        return self.lee.open("tenancy.dispute", data=data, parties={"tenant": one, "landlord": two}).id

    def case(self, which: int) -> str:
        return self.cases[which % len(self.cases)]

    def person(self, which: int) -> str:
        return self.people[which % len(self.people)]

    def open(self) -> None:
        how: dict[str, Any] = {"keys": self.folder / "keys", "documents": self.folder / "documents", "installed": False}
        how |= {"plugins": [tenancy, Moody, PLUGINS["crowd"]], "clock": self.clock}
        self.desk = open_desk(store=self.url, **how)
        self.lee = self.desk.seat("user:lee", roles={"clerk", "admin"})

    def teardown(self) -> None:
        FAULTS.arm(0)
        Moody.mood = False
        self.desk.close()
        self.stack.close()
        shutil.rmtree(self.folder)

    def request(self, case: str, kind: str) -> Request:
        """A command of a kind on a case; what it needs is prepared, as far as that can be."""
        there = Requests.__new__(Requests)
        there.seat, there.people = self.lee, self.people[-2:]
        there.kim = self.lee.find_parties(name="Kim")[0].id if self.lee.find_parties(name="Kim") else self.lee.party("staff", name="Kim").id
        command, args, more, *_ = getattr(there, f"_{kind}")(case)
        self.count += 1
        if command == "document":
            args = [args[0], args[1].encode()]
        return Request(command, [case, *args], {**more, "key": f"k{self.count}"})

    def give(self, request: Request) -> Any:
        return getattr(self.lee, request.command)(*request.args, **request.more)

    def tries(self, what: str, deed: Callable[[], Any]) -> Any:
        """Does something that may fail, in casekit's own words."""
        DID[what] += 1
        try:
            return deed()
        except CasekitError as wrong:
            DID[f"{what}: {type(wrong).__name__}"] += 1
            return None

    @rule(name=st.sampled_from(["Ada", "Bo", "Chi"]), kind=st.sampled_from(["person", "organisation"]))
    def party(self, name: str, kind: str) -> None:
        DID["party"] += 1
        self.people.append(self.lee.party(kind, name=name, phone="0301234").id)

    @rule(one=which, two=which)
    def opens(self, one: int, two: int) -> None:
        case = self.tries("open", lambda: self.opened(self.person(one), self.person(two)))
        self.cases += [case] if case else []

    @rule(which=which, kind=kinds, again=st.booleans())
    def gives(self, which: int, kind: str, again: bool) -> None:
        case = self.case(which)
        request = self.tries("prepare", lambda: self.request(case, kind))
        if request is None:
            return
        before = self.lee.case(case).n
        done = self.tries(request.command, lambda: self.give(request))
        if again and done is not None:
            assert self.give(request).again
        assert self.lee.case(case).n >= before + (done is not None)

    @rule(which=which, kind=kinds, at=st.integers(1, 12), ever=st.booleans())
    def gives_to_a_store_that_fails(self, which: int, kind: str, at: int, ever: bool) -> None:
        case = self.case(which)
        request = self.tries("prepare", lambda: self.request(case, kind))
        if request is None:
            return
        FAULTS.arm(at, ever_after=ever)
        try:
            self.tries("faulty store", lambda: self.give(request))
        finally:
            FAULTS.arm(0)
        self.desk.close()
        self.open()

    @rule(which=which, kind=kinds, after=st.sampled_from([0.0, 0.001, 0.003, 0.006, 0.01]))
    def gives_and_is_killed(self, which: int, kind: str, after: float) -> None:
        case = self.case(which)
        if DID["killed"] >= DID["kills"]:
            return
        if self.crew is None:
            self.crew = self.stack.enter_context(crew(self.folder, self.url, 1))
        request = self.tries("prepare", lambda: self.request(case, kind))
        if request is None:
            return
        args = [arg.decode() if isinstance(arg, bytes) else arg for arg in request.args]
        worker = self.crew.workers[0]
        worker.ask("give", command=request.command, args=args, more=request.more)
        time.sleep(after)
        worker.kill()
        acked = worker.answer()
        self.crew.replace(worker)
        DID["killed"] += 1
        if acked is not None and acked[0] == "done":
            assert self.give(request).again

    @rule(which=which, kind=kinds)
    def gives_to_a_moody_plugin(self, which: int, kind: str) -> None:
        case = self.case(which)
        request = self.tries("prepare", lambda: self.request(case, kind))
        if request is None:
            return
        Moody.mood = True
        before = self.lee.case(case).version
        try:
            with pytest.raises((Refused, PluginFailed, BadInput)):
                self.give(request)
            assert "casekit.plugin-failed" in [f.rule for f in self.lee.assess(case)]
            self.lee.run_due()
        finally:
            Moody.mood = False
        DID["moody plugin"] += 1
        assert self.lee.case(case).version >= before

    @rule(person=which, phone=st.sampled_from(["0401", "0402"]))
    def change_party(self, person: int, phone: str) -> None:
        self.tries("change_party", lambda: self.lee.change_party(self.person(person), phone=phone))

    @rule(one=which, other=which)
    def merge_parties(self, one: int, other: int) -> None:
        self.tries("merge_parties", lambda: self.lee.merge_parties(self.person(one), self.person(other)))

    @rule(person=which)
    def erase(self, person: int) -> None:
        self.tries("erase", lambda: self.lee.erase(self.person(person)))

    @rule(which=which)
    def resume(self, which: int) -> None:
        case = self.case(which)
        self.tries("resume", lambda: self.lee.resume(case, "confirm"))

    @rule()
    def checkpoint(self) -> None:
        self.tries("checkpoint", self.lee.checkpoint)

    @rule()
    def rotate_signing(self) -> None:
        self.tries("rotate_signing", self.lee.rotate_signing)

    @rule(which=which)
    def import_bundle(self, which: int) -> None:
        case = self.case(which)
        bundle = self.tries("export", lambda: self.lee.export(case))
        if bundle is not None:
            self.tries("import_bundle", lambda: self.lee.import_bundle(bundle))

    @rule()
    def run_due(self) -> None:
        DID["run_due"] += 1
        assert self.lee.run_due().broken == 0

    @rule(by=st.sampled_from([{"hours": -1}, {"days": 366}, {"days": 15}, {"minutes": -1}]))
    def the_clock_jumps(self, by: dict[str, float]) -> None:
        DID["clock back" if min(by.values()) < 0 else "clock ahead"] += 1
        self.clock.forward(**by)
        assert self.lee.run_due().broken == 0
        assert self.lee.run_due().entries == 0

    @rule()
    def come_back(self) -> None:
        DID["reopened"] += 1
        self.desk.close()
        self.open()

    @invariant()
    def the_record_is_whole(self) -> None:
        DID["steps"] += 1
        assert self.desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []


def test_every_command_has_its_rule() -> None:
    """Commands with a key come from the proof of keys, which fails where one is missing; the others are named here."""
    commands = {name: function for name, function in vars(Seat).items() if not name.startswith("_") and callable(function)}
    without = {name for name, function in commands.items() if "key" not in inspect.signature(function).parameters}
    # batch is a way of giving commands, and import_log gives many: both have proofs of their own.
    assert without - {"batch", "import_log"} == set(WITHOUT_KEY)
    assert all(hasattr(Everything, name) for name in WITHOUT_KEY)


def test_whatever_happens(times: Callable[..., int], figure: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    connect = Shelf._connect

    def connected(shelf: Shelf, broken: Any) -> Any:
        connection = connect(shelf, broken)
        connection.driver = Driver(connection.driver, FAULTS, connection.errors.__subclasses__()[0])
        return connection

    monkeypatch.setattr(Shelf, "_connect", connected)
    runs = times(8, full=150)
    DID.clear()
    DID["kills"] = times(6, full=300)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    how = settings(max_examples=runs, stateful_step_count=30, deadline=None, suppress_health_check=checks, print_blob=True)
    run_state_machine_as_test(Everything, settings=settings(how, database=None) if os.environ.get("CI") else how)
    kinds = {name for name in DID if ":" not in name}
    figure(
        f"P10 everything: {runs} runs, {DID['steps']} steps, {len(kinds)} kinds of them, {DID['killed']} processes killed, "
        f"{DID['faulty store: StoreFailed']} faults of the store, {DID['moody plugin']} failures of a plugin, "
        f"{DID['clock back']} clocks back and {DID['clock ahead']} ahead; 0 differences"
    )
    assert DID["killed"] > 0
    assert DID["faulty store"] > 0
