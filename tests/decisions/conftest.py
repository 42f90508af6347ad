"""A case played through the pure step alone: what a desk does with it, without a store."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest

from casekit.decisions import orders
from casekit.decisions.check import check
from casekit.decisions.compiled import Compiled, compile_type
from casekit.decisions.machine import Run, World
from casekit.definition.casetype import CaseType
from casekit.definition.load import digest
from casekit.model.ledger import Posting
from casekit.model.money import Money

FIRST = "2026-01-01T00:00:00.000000Z"
EMPTY: Mapping[str, Any] = {"active": [], "category": "", "outcome": None, "cycle": 1, "clocks": {}, "memory": {}, "totals": {}}


def build(case_type: CaseType, rules: tuple[str, ...] = ()) -> Compiled:
    """The case type, checked and compiled as a desk does it."""
    check(case_type)
    return compile_type(case_type, digest(case_type), rules)


class Play:
    """One case. Every step starts from a JSON text, and what went in is compared afterwards: a step changes no input.

    Attributes:
        log: Per step: what happened, what was set, which effects were asked for, which clocks changed.
        machine: The snapshot.
    """

    def __init__(
        self, definition: Compiled, *, zone: str = "UTC", restore: str = "json", calendars: Any = None, counts: Any = None, **data: Any
    ) -> None:
        self.definition, self.restore = definition, restore
        self.world = World(data=data, zone=zone, calendars=calendars or {}, counts=counts or {})
        self.snapshot: Any = None
        self.machine: Any = copy.deepcopy(dict(EMPTY))
        self.postings: list[Posting] = []
        self.now = FIRST
        self.log: list[tuple[Any, ...]] = []
        self.rows: dict[str, dict[str, Any]] = {}

    @property
    def state(self) -> str:
        return ",".join(self.machine["active"])

    @property
    def happened(self) -> list[str]:
        return [event for step in self.log for event in step[0]]

    def restored(self) -> Any:
        match self.restore:
            case "json":
                return json.loads(json.dumps(self.machine))
            case "permuted":
                return _permuted(json.loads(json.dumps(self.machine)))
            case _:
                return self.machine

    def run(self, at: str, since: str | None = None) -> Run:
        """A run at a moment, after clocks that were due by then."""
        world = attrs.evolve(self.world, since=since, postings=tuple(self.postings) if since else None)
        self.snapshot = self.restored()
        return Run(self.definition, self.snapshot, world, at)

    def step(self, at: str, deed: Callable[[Run], None], late: str | None = None) -> Run:
        """Ticks, acts, settles; ``late``: the effective instant of what is recorded."""
        if late is None:
            self.now = max(self.now, at)
        run = self.run(self.now, late)
        before = copy.deepcopy((self.snapshot, dict(self.world.data)))
        run.tick()
        deed(run)
        run.settle()
        assert (self.snapshot, dict(self.world.data)) == before
        self.machine = run.machine
        self.world.data = {**self.world.data, **run.data}
        rows = [(c.clock, c.instance, c.row, c.live) for c in run.clocks.changes.values()]
        items = {f"{c.item}.{c.instance}": (c.row, c.live, c.sealed) for c in run.plan.changes}
        self.log.append((run.happened, run.data, [(e.run, e.args) for e in run.effects], rows, items))
        self.rows |= {name: row for name, (row, _, _) in items.items()}
        self.check_items({name: live for name, (_, live, _) in items.items()})
        return run

    def check_items(self, changed: Mapping[str, Any]) -> None:
        """No instance is both live and ended, and each change says what the head has."""
        live = {f"{item}.{n}": state for item, instances in self.machine.get("items", {}).items() for n, state in instances.items()}
        for name, state in changed.items():
            assert live.get(name) == state, name
        for name, row in self.rows.items():
            assert ("ended" in row) == (name not in live), name
            assert "ended" in row or row["state"] == live[name]["state"], name
        assert set(live) <= set(self.rows)

    # --- the plan

    @property
    def items(self) -> dict[str, str]:
        """Live instance → state, in the order of their making."""
        return {name: row["state"] for name, row in self.rows.items() if "ended" not in row}

    @property
    def ended(self) -> dict[str, str]:
        """Ended instance → how."""
        return {name: row["state"] for name, row in self.rows.items() if "ended" in row}

    def give(self, action: str, item: str, at: str = "", **how: Any) -> Play:
        """A command on an item that is legal."""
        against = self.refused(action, item, at, **how)
        assert against == [], [str(objection) for objection in against]
        return self

    def refused(self, action: str, item: str, at: str = "", **how: Any) -> list[Any]:
        """What stands against a command on an item; where anything does, the snapshot is as it was."""
        self.tick(at or self.now)
        before, against = copy.deepcopy(self.machine), []

        def deed(run: Run) -> None:
            if action == "add":
                against.extend(orders.add(run.plan, item, **how)[0])
            else:
                against.extend(orders.give(run.plan, action, item, **how))

        self.step(self.now, deed)
        assert not against or self.machine == before
        return against

    def plan(self, deed: Callable[[Any], Any], at: str = "") -> Play:
        """Something done to the plan as a whole."""
        self.step(at or self.now, lambda run: deed(run.plan))
        return self

    def set(self, at: str = "", **data: Any) -> Play:
        """Case data changes."""
        self.world.data = {**self.world.data, **data}
        return self.tick(at or self.now)

    def open(self, at: str = FIRST) -> Play:
        self.step(at, lambda run: run.enter())
        return self

    def do(self, event: str, at: str = "", **fields: Any) -> Play:
        def deed(run: Run) -> None:
            ways = run.enabled(event, fields)
            assert ways, f"{event} finds no way from {run.machine['active']}"
            run.take(ways, fields)

        self.step(at or self.now, deed)
        return self

    def tick(self, at: str) -> Play:
        self.step(at, lambda _: None)
        return self

    def post(self, kind: Any, amount: str, at: str = "", *, component: str = "", late: bool = False, reverses: str | None = None) -> Play:
        at = at or self.now
        posting = Posting(f"{len(self.postings) + 1}.0", kind, component, Money.parse(amount), at, reverses)
        back = next((p for p in self.postings if p.id == reverses), None)

        def deed(run: Run) -> None:
            if run.world.postings is not None:
                run.world.postings = (*run.world.postings, posting)
            run.post(posting, back)

        self.step(at, deed, at if late else None)
        self.postings.append(posting)
        return self


def _permuted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _permuted(inner) for key, inner in reversed(value.items())}
    return [_permuted(inner) for inner in value] if isinstance(value, list) else value


def turned(case_type: CaseType) -> CaseType:
    """The same case type with the keys of every map in another order."""

    def turn(value: Any) -> Any:
        if attrs.has(type(value)):
            return attrs.evolve(value, **{a.name: turn(getattr(value, a.name)) for a in attrs.fields(type(value))})
        return {k: turn(v) for k, v in reversed(value.items())} if isinstance(value, Mapping) else value

    changed: CaseType = turn(case_type)
    return changed


@pytest.fixture(scope="session", name="build")
def _build() -> Callable[..., Compiled]:
    return build


@pytest.fixture(scope="session", name="play")
def _play() -> Callable[..., Play]:
    """``play(case_type, zone=…, restore=…, **data)``: a case of that type, not yet opened."""

    def play(case_type: CaseType | Compiled, **how: Any) -> Play:
        return Play(case_type if isinstance(case_type, Compiled) else build(case_type), **how)

    return play


@pytest.fixture(scope="session", name="turned")
def _turned() -> Callable[[CaseType], CaseType]:
    return turned
