"""Random small statecharts, run here and by python-statemachine: after every event both are in the same states, by the same way.

Charts are drawn around what python-statemachine 3.2 does otherwise than the standard: it sorts siblings by element,
counts document order wrongly where states are nested (put right below), takes a deep ``initial`` for the default of the
states around it, does what a transition does twice where it leads to a history that remembers nothing, and takes the
whole for ended where a top-level parallel state is done.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytest
from hypothesis import Phase, assume, event, given, reject, settings
from hypothesis import strategies as st

from casekit.decisions.check import check
from casekit.decisions.compiled import compile_type
from casekit.decisions.machine import Run, World
from casekit.decisions.scxml import read_scxml
from casekit.definition.load import digest
from casekit.errors import BadInput

processor = pytest.importorskip("statemachine.io.scxml.processor", reason="python-statemachine is not installed")

EVENTS = ("e1", "e2", "e3")
TURNS = 4
"""How often a chart moves by itself, all in all: neither side is asked about endless ones."""


class Drawn:
    """A chart as it is drawn: an element per state, with its id; ids are their places in document order."""

    def __init__(self, draw: Any) -> None:
        self.draw, self.states, self.histories, self.above = draw, [], [], {}
        self.kinds: dict[str, str] = {}
        self.inner: dict[str, list[str]] = {}
        self.body = self.siblings("", 0)

    def siblings(self, above: str, depth: int) -> list[str]:
        """Inner states; plain ones first, then final ones, then parallel ones: the oracle takes no other order."""
        kinds = ["atomic", "atomic", "compound", "parallel"] if depth < 3 and len(self.states) < 8 else ["atomic"]
        kinds += ["final"] if above and self.kinds[above] == "compound" else []
        drawn = self.draw(st.lists(st.sampled_from(kinds), min_size=2, max_size=3))
        drawn.sort(key=["atomic", "compound", "final", "parallel"].index)
        return [self.state(above, kind, depth) for kind in drawn]

    def state(self, above: str, kind: str, depth: int) -> str:
        id_ = f"s{len(self.states)}"
        self.states.append(id_)
        self.above[id_], self.kinds[id_], self.inner[id_] = above, kind, []
        if kind in ("compound", "parallel"):
            self.inner[id_] = self.siblings(id_, depth + 1)
        if kind == "compound":
            for deep in self.draw(st.lists(st.booleans(), max_size=1)):
                self.histories.append((f"h{len(self.histories)}", id_, "deep" if deep else "shallow"))
        return id_

    def text(self) -> str:
        states = "".join(self.element(id_) for id_ in self.body)
        data = '<datamodel><data id="T" expr="0"/><data id="N" expr="0"/></datamodel>'
        return f'<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="python">{data}{states}</scxml>'

    def element(self, id_: str) -> str:
        kind, number = self.kinds[id_], self.states.index(id_) + 1
        name = kind if kind in ("parallel", "final") else "state"
        initial = ""
        if kind == "compound" and self.draw(st.booleans()):
            initial = f' initial="{self.draw(st.sampled_from(self.inner[id_]))}"'
        raised = f'<raise event="{self.draw(st.sampled_from(("i1", "i2")))}"/>' if self.draw(st.integers(0, 3)) == 0 else ""
        doing = f"<onentry>{trace(number)}{raised}</onentry><onexit>{trace(number)}</onexit>"
        ways = "" if kind == "final" else "".join(self.transition(id_) for _ in range(self.draw(st.integers(0, 2))))
        back = "".join(
            f'<history id="{h}" type="{how}"><transition target="{self.draw(st.sampled_from(self.inner[id_]))}"/></history>'
            for h, above, how in self.histories
            if above == id_
        )
        return f'<{name} id="{id_}"{initial}>{doing}{ways}{back}{"".join(self.element(child) for child in self.inner[id_])}</{name}>'

    def descendants(self, id_: str) -> list[str]:
        return [found for child in self.inner[id_] for found in (child, *self.descendants(child))]

    def transition(self, source: str) -> str:
        heard = self.draw(st.sampled_from([*EVENTS, *EVENTS, "i1", "i2", "done.state." + self.draw(st.sampled_from(self.states)), ""]))
        own = heard == "" or not heard.startswith("e")
        # What a chart does by itself, it does a few times only.
        limit, count = (f' cond="N &lt; {TURNS}"', '<assign location="N" expr="N + 1"/>') if own else ("", "")
        target, kind = self.target(source, back=not own), ""
        if self.inner[source] and self.draw(st.integers(0, 3)) == 0:  # the oracle takes no other internal one
            target, kind = f' target="{self.draw(st.sampled_from(self.descendants(source)))}"', ' type="internal"'
        name = f' event="{heard}"' if heard else ""
        doing = "" if target.startswith(' target="h') else trace(18) + count
        return f"<transition{name}{limit}{target}{kind}>{doing}</transition>"

    def target(self, source: str, *, back: bool) -> str:
        histories = [h for h, _, _ in self.histories] if back else []
        choice = self.draw(st.sampled_from(["one", "one", "one", "inner", "none", "history", "two"]))
        if choice == "none":
            return ""
        if choice == "inner" and self.inner[source]:
            return f' target="{self.draw(st.sampled_from(self.descendants(source)))}"'
        if choice == "history" and histories:
            return f' target="{self.draw(st.sampled_from(histories))}"'
        parallel = [id_ for id_ in self.states if self.kinds[id_] == "parallel"]
        if choice == "two" and parallel:
            regions = self.inner[self.draw(st.sampled_from(parallel))]
            return f' target="{" ".join(self.draw(st.sampled_from([r, *self.descendants(r)])) for r in regions[:2])}"'
        return f' target="{self.draw(st.sampled_from(self.states))}"'


def trace(number: int) -> str:
    """Writes down that the way led by here: the digits of one number."""
    return f'<assign location="T" expr="T * 20 + {number}"/>'


@st.composite
def charts(draw: Any) -> str:
    return Drawn(draw).text()


class Ours:
    def __init__(self, text: str) -> None:
        read = read_scxml(text, "drawn", sends="effects")
        check(read.case_type)
        self.definition = compile_type(read.case_type, digest(read.case_type))
        self.data = dict(read.data)
        self.machine: Any = {"active": [], "category": "open", "cycle": 1, "clocks": {}, "memory": {}, "totals": {}, "history": {}}
        self.step(lambda run: run.enter())

    def step(self, deed: Any) -> tuple[list[str], list[int]]:
        self.data["t"] = 0
        run = Run(self.definition, self.machine, World(data=self.data), "2026-01-01T00:00:00.000000Z")
        deed(run)
        run.settle()
        self.machine, self.data = run.machine, {**self.data, **run.data}
        self.now = [path.rpartition(".")[2] for path in self.machine["active"]]
        return self.now, digits(self.data["t"])

    def hear(self, name: str) -> tuple[list[str], list[int]]:
        return self.step(lambda run: run.take(run.enabled(name, {}), {}))


class Theirs:
    def __init__(self, text: str) -> None:
        machine = processor.SCXMLProcessor()
        machine.parse_scxml("drawn", text)
        in_order(next(iter(machine.scs.values())).states)
        self.session = machine.start()

    def hear(self, name: str) -> tuple[list[str], list[int]]:
        self.session.model.T = 0
        self.session.send(name)
        return self.now(), digits(self.session.model.T)

    def now(self) -> list[str]:
        return sorted((s.id for s in self.session.configuration if not s.states), key=lambda id_: int(id_[1:]))


def in_order(states: Any) -> None:
    """Its states in document order, which it gets wrong where states lie within states."""
    for state in states:
        if state.id[1:].isdigit():
            state.document_order = 1 + int(state.id[1:])
        in_order(state.states)


def digits(number: int) -> list[int]:
    found: list[int] = []
    while number:
        number, digit = divmod(number, 20)
        found.insert(0, digit)
    return found


@settings(deadline=None, max_examples=150, phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink])
@given(charts(), st.lists(st.sampled_from(EVENTS), min_size=1, max_size=5))
def test_both_come_to_the_same_states_by_the_same_way(text: str, events: list[str]) -> None:
    logging.disable(logging.CRITICAL)
    try:
        ours = Ours(text)
    except BadInput as wrong:
        assume(not any("exact" in p.what for p in wrong.problems))  # a trace too long for one number
        raise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Theirs(text)
        assert ours.now == theirs.now(), text
        for name in events:
            assume(not theirs.session.is_terminated)
            try:
                found = ours.hear(name)
            except BadInput:
                reject()
            assert found == theirs.hear(name), (name, text)
    event("parallel" if "<parallel" in text else "plain")
    event("history" if "<history" in text else "no history")
