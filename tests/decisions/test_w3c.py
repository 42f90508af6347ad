"""The W3C's own tests of SCXML: read by the importer, run by the machine, each in three ways.

The files lie outside the repository. A file passes where the machine comes to rest in the state ``pass``.
"""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from casekit.decisions.check import check
from casekit.decisions.compiled import compile_type
from casekit.decisions.machine import Effect, Run, World
from casekit.decisions.scxml import FromScxml, read_scxml
from casekit.definition.casetype import ENDED, CaseType
from casekit.definition.load import canonical, digest, structure
from casekit.model.time import from_micros, micros

NUMBERS = [
    "144",
    "145",
    "147",
    "148",
    "149",
    "158",
    "159",
    "176",
    "179",
    "189",
    "198",
    "200",
    "205",
    "279",
    "287",
    "294",
    "309",
    "310",
    "318",
    "319",
    "321",
    "323",
    "324",
    "330",
    "331",
    "333",
    "335",
    "337",
    "339",
    "348",
    "351",
    "352",
    "355",
    "364",
    "372",
    "375",
    "376",
    "377",
    "378",
    "387",
    "388",
    "396",
    "399",
    "402",
    "403a",
    "403b",
    "403c",
    "404",
    "405",
    "406",
    "407",
    "409",
    "411",
    "412",
    "413",
    "416",
    "417",
    "419",
    "421",
    "423",
    "495",
    "503",
    "504",
    "505",
    "506",
    "527",
    "529",
    "533",
    "550",
    "551",
    "552",
    "570",
    "576",
    "580",
]
START = micros("2026-01-01T00:00:00.000000Z")


def permuted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: permuted(inner) for key, inner in reversed(value.items())}
    return [permuted(inner) for inner in value] if isinstance(value, list) else value


class Session:
    """Runs a case type as SCXML has it: a queue of events from outside, and a clock that only moves where nothing else does.

    Attributes:
        way: ``straight``: the snapshot is handed on as it is; ``json``: as text, between every event; ``permuted``: likewise,
            with the keys of every map turned round, those of the definition too.
        machine: The snapshot.
        events: Events that came in from outside, with the seconds after which they did.
    """

    def __init__(self, read: FromScxml, way: str) -> None:
        case_type = read.case_type
        if way == "permuted":
            case_type = structure(permuted(json.loads(json.dumps(canonical(case_type)))), CaseType, "permuted")
            assert digest(case_type) == digest(read.case_type)
        check(case_type)
        self.definition, self.way = compile_type(case_type, digest(case_type)), way
        self.data: Any = dict(read.data)
        self.machine: Any = {"active": [], "category": "open", "cycle": 1, "clocks": {}, "memory": {}, "totals": {}, "history": {}}
        self.now, self.sent = 0, 0
        self.queue: deque[tuple[str, dict[str, Any]]] = deque()
        self.waiting: list[tuple[int, int, str, str, dict[str, Any]]] = []
        self.events: list[tuple[str, float]] = []

    def play(self) -> str:
        """Runs to the end, or until nothing can happen any more; gives the active leaves."""
        self.step(lambda run: run.enter())
        while self.machine["category"] not in ENDED and "wake" in self.machine and len(self.events) < 100:
            self.now = (micros(self.machine["wake"]) - START) // 1000
            self.events.append(("wake", self.now / 1000))
            self.step(lambda _: None)
        while self.machine["category"] not in ENDED and (self.queue or self.waiting) and len(self.events) < 100:
            if not self.queue:
                self.waiting.sort()
                due, _, _, event, fields = self.waiting.pop(0)
                self.now = max(self.now, due)
                self.queue.append((event, fields))
            event, fields = self.queue.popleft()
            self.events.append((event, self.now / 1000))
            self.step(lambda run, event=event, fields=fields: run.take(run.enabled(event, fields), fields))
        return " ".join(self.machine["active"])

    def step(self, deed: Any) -> None:
        self.machine, self.data = self.restored(self.machine), self.restored(self.data)
        run = Run(self.definition, self.machine, World(data=self.data), from_micros(START + self.now * 1000))
        run.tick()
        deed(run)
        run.settle()
        self.machine, self.data = run.machine, {**self.data, **run.data}
        for effect in run.effects:
            self.hear(effect)

    def restored(self, value: Any) -> Any:
        if self.way == "straight":
            return value
        value = json.loads(json.dumps(value))
        return permuted(value) if self.way == "permuted" else value

    def hear(self, effect: Effect) -> None:
        args = effect.args
        if effect.run == "cancel":
            self.waiting = [entry for entry in self.waiting if entry[2] != args["id"]]
            return
        fields = {name.removeprefix("event."): value for name, value in args.items() if name.startswith("event.")}
        self.sent += 1
        if args.get("delay"):
            self.waiting.append((self.now + args["delay"], self.sent, args.get("id", ""), args["event"], fields))
        else:
            self.queue.append((args["event"], fields))


@pytest.fixture(scope="session")
def folder() -> Path:
    named = os.environ.get("CASEKIT_TEST_DATA")
    path = Path(named or ".") / "scxml"
    if not named or not path.is_dir():
        why = f"{path} is not there" if named else "CASEKIT_TEST_DATA names no folder with scxml/"
        if os.environ.get("CI"):
            pytest.fail(f"the W3C's files are not run: {why}")
        pytest.skip(f"the W3C's files are not run: {why}")
    return path


def read_file(folder: Path, number: str, sends: Any) -> FromScxml:
    # One file takes a value from beside it, "a value that's legal for the datamodel in question".
    return read_scxml((folder / f"test{number}.scxml").read_bytes(), f"test{number}.scxml", resources=lambda _: "123", sends=sends)


@pytest.mark.parametrize("way", ["straight", "json", "permuted"])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_file_of_the_w3c_ends_in_pass(folder: Path, number: str, way: str) -> None:
    """What is sent goes into a queue outside, so that the snapshot is taken between every two events."""
    assert Session(read_file(folder, number, "effects"), way).play() == "pass"


@pytest.mark.parametrize("way", ["straight", "json", "permuted"])
@pytest.mark.parametrize("number", NUMBERS)
def test_with_clocks_of_its_own_it_ends_in_pass_too(folder: Path, number: str, way: str) -> None:
    """What is sent is raised by the case itself, after everything else or when a clock is due: as on a desk."""
    session = Session(read_file(folder, number, "clocks"), way)
    assert session.play() == "pass"
    assert (session.sent, session.waiting) == (0, [])


def test_all_files_are_run(folder: Path) -> None:
    assert sorted(path.name for path in folder.glob("*.scxml")) == sorted(f"test{number}.scxml" for number in NUMBERS)
    assert len(NUMBERS) == 74
