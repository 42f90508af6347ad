"""P11: a failing, slow or lying plugin never corrupts a case.

Every kind of hostility that the page on isolation lists, in every hook (in the small form: in some of them), in each mode that the page says contains it. After
each one the desk serves on, other plugins have been heard, and the record is whole.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import tenancy
from casekit import BadInput, Conflict, Desk, Limits, PluginFailed, Refused, open_desk
from casekit.model.time import instant
from casekit.plugins import specs
from casekit.plugins.catalogue import check_rule
from casekit.plugins.isolation.keeper import NURSERY, Crew
from casekit.testing import a_view
from proofs import hostile

PAGE = Path(__file__).parents[2] / "docs/how-to/isolate-plugins.md"
KINDS = {
    key: trusted == "contained"
    for key, trusted in re.findall(r"^\| .* \| `([a-z-]+)` \| (contained|–) \| contained \|$", PAGE.read_text(), re.MULTILINE)
}
"""Kind of hostility → whether it is contained in process, as the page says."""

ENDLESS = ("sleep", "slow-generator", "spin", "regex", "deadlock", "swallow", "deaf")
"""Kinds that end only when they are killed."""

NEVER_RUN = {("slow-generator", hook) for hook in ("casekit_recorded", "rule", "calculator")}
"""Where nobody goes through what is answered, so that it never begins."""

DECLARED = [hook for hook, family in specs.FAMILIES.items() if family == "declare"]
ASKED = [hook for hook, family in specs.FAMILIES.items() if family != "declare"] + ["rule", "calculator"]
LIMITS = Limits(seconds=0.15, memory=700_000_000, start=30)
GRACE = 0.25
VIEW = a_view(tenancy.DISPUTE, data={"deposit": "900.00 EUR"})


class Hostilities:
    """A desk with a witness and the hostile plugin, and one question for each hook."""

    def __init__(self, desk: Desk, order: Path, clock: Any) -> None:
        self.desk, self.order, self.clock = desk, order, clock
        self.lee = desk.seat("user:lee", roles={"clerk"})
        people = [self.lee.party("person", name=name).id for name in ("Ada", "Bo")]
        data = {"deposit": "900.00 EUR", "story": "a stain"}
        self.case = self.lee.open("tenancy.dispute", data=data, parties={"tenant": people[0], "landlord": people[1]}).id
        self.waits = False
        hostile.SEATS[:] = [self.lee, self.case]

    def be(self, kind: str, hook: str) -> None:
        self.order.write_text(f"{kind} {hook}")

    def ask(self, hook: str) -> str:
        """Asks the question whose hook it is; gives what came: answered or failed."""
        return str(getattr(self, f"_{hook.removeprefix('casekit_')}")())

    def _findings(self, found: Any, witness: str) -> str:
        rules = [finding.rule for finding in found]
        assert witness in rules, rules
        return "failed" if "casekit.plugin-failed" in rules else "answered"

    def _assess(self) -> str:
        return self._findings(self.lee.assess(self.case), "tenancy.no-rent")

    def _plan(self) -> str:
        found = self.lee.options(self.case)
        assert "decision" in found.items
        return self._findings(found.findings, "tenancy.no-rent")

    def _review(self) -> str:
        return self._findings(self.lee.look(self.case).findings, "tenancy.no-rent")

    def _close(self) -> str:
        try:
            self.lee.close(self.case, "withdrawn")
        except PluginFailed as wrong:
            assert "hostile" in str(wrong)  # noqa: PT017
            return "failed"
        except Refused as refused:
            assert "tenancy.letter" in [o.rule for o in refused.objections]  # noqa: PT017
            return "answered"
        raise AssertionError

    def _refusal(self, ask: Callable[[], Any], witness: str = "") -> str:
        try:
            ask()
        except Refused as refused:
            rules = [o.rule for o in refused.objections]
            assert not witness or witness in rules
            return "failed" if "casekit.guard-failed" in rules else "answered"
        assert not witness
        return "answered"

    def _before(self) -> str:
        return self._refusal(lambda: self.lee.note(self.case, "x"))

    def _before_transition(self) -> str:
        return self._refusal(lambda: self.lee.do(self.case, "decide", reason="enough"), "tenancy.letter")

    def _before_message(self) -> str:
        sent = {"direction": "out", "via": "letter", "outcome": "sent", "to": "tenant", "text": "x"}
        since = instant(self.clock.now - timedelta(days=7) + timedelta(minutes=1))
        often = len([m for m in self.lee.file(self.case).messages if m.at >= since]) >= 2
        return self._refusal(lambda: self.lee.message(self.case, **sent), "tenancy.often" if often else "")

    def _recorded(self) -> str:
        self.lee.note(self.case, "hear this")
        before = len(tenancy.heard)
        worked = self.lee.run_due()
        assert len(tenancy.heard) > before
        self.waits = True
        return "failed" if worked.failed else "answered"

    def _rule(self) -> str:
        rule, _ = self.desk.catalogue.declared.requirements["hostile.rule"]
        try:
            check_rule(rule, VIEW)
        except PluginFailed:
            return "failed"
        return "answered"

    def _calculator(self) -> str:
        try:
            self.desk.calculate("hostile.calc", {"n": 1})
        except PluginFailed:
            return "failed"
        return "answered"

    def serves(self) -> None:
        """A plugin that behaves again is heard again, commands are done, and what could not be told is told."""
        self.be("none", "none")
        found = {finding.rule: finding.text for finding in self.lee.assess(self.case)}
        assert {"hostile.fine", "tenancy.no-rent"} <= set(found), found
        self.lee.note(self.case, "and on")
        if self.waits:
            self.clock.forward(days=4)
            assert self.lee.run_due().failed == 0
            self.waits = False

    def whole(self) -> int:
        return len(self.desk.seat("test:auditor", roles={"auditor"}).verify().wrong)


@contextmanager
def timed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How long questions took whose worker was killed for being late."""
    late: list[float] = []
    ask = Crew.ask

    def watched(self: Crew, *args: Any) -> Any:
        start = time.monotonic()
        try:
            return ask(self, *args)
        except PluginFailed as wrong:
            if "took longer" in str(wrong):
                late.append(time.monotonic() - start)
            raise

    monkeypatch.setattr(Crew, "ask", watched)
    yield late


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says what the hostile plugin does, and a module of its own that brings it to a worker."""
    path = tmp_path / "order"
    path.write_text("none none")
    monkeypatch.setenv(hostile.ORDER, str(path))
    monkeypatch.setenv(hostile.ORDER + "_STORE", f"sqlite:///{tmp_path}/elsewhere.db")
    said = f"import os\nos.environ[{hostile.ORDER!r}] = {str(path)!r}\nos.environ[{hostile.ORDER + '_STORE'!r}] = 'sqlite:///{tmp_path}/elsewhere.db'\n"
    (tmp_path / "brought.py").write_text(said + "from proofs.hostile import *\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(tenancy, "heard", [])
    return path


def test_the_page_lists_what_is_tried() -> None:
    assert list(KINDS) == list(hostile.TRICKS)
    assert len(KINDS) >= 40
    assert set(DECLARED) | set(ASKED) >= set(specs.FAMILIES)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_in_process(
    engine: str,
    open_store: Callable[..., Desk],
    order: Path,
    clock: Any,
    full: bool,
    dice: random.Random,
    figure: Callable[[str], None],
) -> None:
    there = Hostilities(open_store(plugins=[tenancy, hostile]), order, clock)
    came: Counter[str] = Counter()
    for kind in (kind for kind, trusted in KINDS.items() if trusted):
        for hook in ASKED if full else dice.sample(ASKED, 4 if engine == "sqlite" else 1):
            there.be(kind, hook)
            if kind == "keyboard-interrupt":
                with pytest.raises(KeyboardInterrupt):
                    there.ask(hook)
                came["interrupted"] += 1
            else:
                came[_asked(there, kind, hook)] += 1
            there.serves()
        assert there.whole() == 0
    for kind in (kind for kind, trusted in KINDS.items() if trusted and kind != "keyboard-interrupt"):
        for hook in DECLARED if full else dice.sample(DECLARED, 1):
            came[_declared(kind, hook, order, {"plugins": [tenancy, hostile]})] += 1
    figure(f"P11 hostile plugins in process ({engine}): {sum(KINDS.values())} kinds in {came.total()} hooks; {dict(came)}; 0 corrupt")
    assert came["failed"] > came["answered"] > 0
    assert came["quarantined"] > came["loaded"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_isolated(
    engine: str,
    open_store: Callable[..., Desk],
    order: Path,
    clock: Any,
    full: bool,
    dice: random.Random,
    figure: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = Hostilities(open_store(plugins=[tenancy], isolated={"brought": LIMITS}), order, clock)
    hostile.SEATS.clear()
    assert not there.desk.catalogue.broken
    came: Counter[str] = Counter()
    endless = 0
    kinds = list(KINDS) if full or engine == "sqlite" else [*dice.sample(list(KINDS), 20), "spin"]
    with timed(monkeypatch) as late:
        for kind in kinds:
            for hook in ASKED if full else dice.sample(ASKED, 2 if engine == "sqlite" else 1):
                there.be(kind, hook)
                came[_asked(there, kind, hook)] += 1
                endless += kind in ENDLESS and (kind, hook) not in NEVER_RUN
                there.serves()
            assert there.whole() == 0, kind
    short = {"plugins": [tenancy], "isolated": {"brought": evolve(LIMITS, start=0.5)}}
    for kind in kinds:
        hooks = [*DECLARED, "import"]
        for hook in hooks if full else dice.sample(hooks, 1):
            came[_declared(kind, hook, order, short)] += 1
    worst = max(late)
    figure(
        f"P11 hostile plugins isolated ({engine}): {len(kinds)} kinds in {came.total()} hooks; {dict(came)}; 0 corrupt; "
        f"{len(late)} killed for being late, at most {(worst - LIMITS.seconds) * 1000:.0f} ms after their limit"
    )
    assert worst <= LIMITS.seconds + GRACE
    assert len(late) >= endless
    assert not (order.parent / "order.pickled").exists()
    assert "casekit_hostile" not in str(there.desk.catalogue.broken)


def _asked(there: Hostilities, kind: str, hook: str) -> str:
    try:
        return there.ask(hook)
    except Conflict:
        assert kind == "conflict"  # taken for what it says: the command is decided again, and given up
        return "failed"
    except BaseException as wrong:
        raise AssertionError(f"{kind} in {hook}: {type(wrong).__name__}") from wrong


def _declared(kind: str, hook: str, order: Path, how: dict[str, Any]) -> str:
    """Opens a desk; gives what became of the plugin. Nothing of it may stand in the way of the others."""
    order.write_text(f"{kind} {hook}")
    try:
        with open_desk(store=f"sqlite:///{order.parent}/unused.db", installed=False, **how) as desk:
            order.write_text("none none")
            assert "tenancy.dispute" in desk.library.types
            return "quarantined" if desk.catalogue.broken else "loaded"
    except BadInput as wrong:
        raise AssertionError(f"{kind} in {hook}: {wrong}") from wrong


def test_the_nursery_comes_back() -> None:
    import os
    import signal

    pid, pipe = NURSERY.fork(1 << 30)
    os.kill(NURSERY._end.peek()[2][1].pid, signal.SIGKILL)
    NURSERY.reap(pid)
    pipe.close()
    again, pipe = NURSERY.fork(1 << 30)
    assert again != pid
    NURSERY.reap(again)
    pipe.close()
