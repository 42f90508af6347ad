"""Diagrams of any case type: everything is in each form, nothing breaks out, nothing lies on anything else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import homecare
from casekit import BadInput
from casekit.decisions.compiled import Compiled
from casekit.decisions.scxml import read_scxml
from casekit.definition.casetype import CaseType, State, Transition
from casekit.pictures import placing
from casekit.pictures.boxes import blocks
from casekit.pictures.graph import Graph
from casekit.pictures.placing import Box, placed
from casekit.pictures.plan import plan_graph
from casekit.pictures.states import Live, Standing, state_graph
from casekit.pictures.text import clean
from casekit.pictures.writing import written
from pictures.charts import HOSTILE, case_types, compiled, dot_texts, mermaid_texts, read_dot, squeezed, svg_elements, svg_texts

ROOT = Path(__file__).parents[2]
READ = {"svg": svg_texts, "dot": dot_texts, "mermaid": mermaid_texts}
MANY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def both(definition: Compiled) -> tuple[Graph, Graph]:
    return state_graph(definition), plan_graph(definition.says, definition.planning)


@pytest.mark.parametrize("form", READ)
@MANY
@given(case_types())
def test_every_state_way_clock_and_item_is_in_each_form(form: str, case_type: CaseType) -> None:
    definition = compiled(case_type)
    states, plan = (squeezed(READ[form](written(graph, form))) for graph in both(definition))
    for path in definition.chart.nodes:
        assert squeezed(path) in states
    for key, says in case_type.transitions.items():
        assert key in states
        assert squeezed(f"[{says.when}]") in states if says.when else True
        assert squeezed(f"requires {', '.join(says.requires)}") in states if says.requires else True
    for key in case_type.clocks:
        assert f"clock{key}" in states
    for key, item in case_type.plan.items():
        assert key in plan
        assert squeezed(item.title) in plan
        for event in (event for sentry in (*item.entry, *item.exit) for event in sentry.on):
            assert event.rpartition(".")[0] in plan


@MANY
@given(case_types())
def test_no_title_breaks_out_of_an_svg(case_type: CaseType) -> None:
    for graph in both(compiled(case_type)):
        for found in svg_elements(written(graph, "svg")):
            assert found.tag in {"svg", "title", "desc", "g", "rect", "circle", "path", "polygon", "text"}
            assert not [name for name in found.attrib if name.startswith("on") or "href" in name or name == "style"]


@MANY
@given(case_types())
def test_no_title_breaks_out_of_a_dot_text(case_type: CaseType) -> None:
    for graph in both(compiled(case_type)):
        read = read_dot(written(graph, "dot"))
        leaves = [node for node in graph.nodes if node.id not in graph.within]
        assert len(read.nodes()) == len(leaves) + len(graph.anchors)
        assert all(re.fullmatch(r"n\d+", name) for name in read.nodes())
        assert len(read.edges()) == len(graph.edges)


@MANY
@given(case_types())
def test_nothing_lies_on_anything_else(case_type: CaseType) -> None:
    for graph in both(compiled(case_type)):
        found = placed(graph, *blocks(graph))
        for node in graph.nodes:
            box = found.boxes[node.id]
            assert box.x >= -0.2
            assert box.y >= -0.2
            assert box.x + box.width <= found.width + 0.3
            assert box.y + box.height <= found.height + 0.3
            if node.inside:
                assert _holds(found.boxes[node.inside], box)
            for other in graph.within[node.inside]:
                assert other is node or not _meet(box, found.boxes[other.id])
        assert len(found.paths) == len(graph.edges)
        for edge, path in zip(graph.edges, found.paths, strict=True):
            if graph.routes[graph.edges.index(edge)].head == edge.target:
                assert _near(found.boxes[edge.target], path.tip)


def _holds(outer: Box, inner: Box) -> bool:
    across = outer.x <= inner.x + 0.2 and inner.x + inner.width <= outer.x + outer.width + 0.2
    return across and outer.y <= inner.y + 0.2 and inner.y + inner.height <= outer.y + outer.height + 0.2


def _meet(one: Box, other: Box) -> bool:
    apart = one.x + one.width <= other.x + 0.2 or other.x + other.width <= one.x + 0.2
    return not (apart or one.y + one.height <= other.y + 0.2 or other.y + other.height <= one.y + 0.2)


def _near(box: Box, spot: tuple[float, float]) -> bool:
    return box.x - 3 <= spot[0] <= box.x + box.width + 3 and box.y - 3 <= spot[1] <= box.y + box.height + 3


@given(st.sampled_from(HOSTILE) | st.text())
def test_what_is_shown_is_one_line_of_what_can_be_shown(text: str) -> None:
    shown = clean(text)
    assert shown == " ".join(shown.split(" "))
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert clean(shown) == shown
    assert clean("a\x00b\u202ec") == "a\ufffdb\ufffdc"


SCRIPT = """
import sys, hashlib
sys.path.insert(0, "tests")
import homecare
from casekit.decisions.compiled import compile_type
from casekit.pictures.states import state_graph
from casekit.pictures.plan import plan_graph
from casekit.pictures.writing import written
from casekit_debt_collection.casetype import DEBT_CASE
for case_type in (DEBT_CASE, homecare.CARE):
    made = compile_type(case_type, "0" * 64, rules=None)
    for graph in (state_graph(made), plan_graph(made.says, made.planning)):
        for form in ("svg", "mermaid", "dot"):
            print(hashlib.sha256(written(graph, form).encode()).hexdigest())
"""


def test_the_same_in_every_process() -> None:
    seeds = ("0", "1", "4242")
    runs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in seeds
    ]
    assert len(runs[0].split()) == 12
    assert runs[0] == runs[1] == runs[2]


def test_a_way_is_marked_at_the_states_that_are_active_only() -> None:
    states = {"a": State("A", "open"), "b": State("B", "open"), "c": State("C", "closed", outcome="c")}
    definition = compiled(CaseType("x.y", "1", "X", "a", states, {"end": Transition(("a", "b"), "c")}))
    live = Live("X-1", frozenset({"b"}), {"end": Standing("possible")})
    graph = state_graph(definition, live)
    assert {edge.source: edge.sign for edge in graph.edges if edge.kind == "way"} == {"a": "", "b": "possible"}
    assert {node.id: node.sign for node in graph.nodes if node.key} == {"a": "", "b": "now", "c": ""}


def test_a_line_between_a_state_and_what_lies_in_it_begins_at_a_point_within() -> None:
    inner = {"u": State("U"), "v": State("V")}
    ways = {"down": Transition("a", "a.v"), "up": Transition("a.v", "a"), "again": Transition("a", "a"), "out": Transition("a", "b")}
    states = {"a": State("A", "open", "u", inner), "b": State("B", "open")}
    graph = state_graph(compiled(CaseType("x.y", "1", "X", "a", states, ways)))
    routes = {route.edge.key: (route.tail, route.head, route.clip_tail, route.clip_head) for route in graph.routes if route.edge.key}
    assert routes == {
        "down": (" a", "a.v", "", ""),
        "up": ("a.v", " a", "", ""),
        "again": (" a", " a", "", ""),
        "out": ("a.u", "b", "a", ""),
    }


def test_a_line_that_the_router_gives_up_is_straight_from_border_to_border(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"a": State("A", "open"), "b": State("B", "open")}
    graph = state_graph(compiled(CaseType("x.y", "1", "X", "a", states, {"go": Transition("a", "b", title="Go on")})))
    whole = placed(graph, *blocks(graph))
    laid_out = placing._laid_out

    def given_up(text: str) -> bytes:
        found = json.loads(laid_out(text))
        for edge in found["edges"]:
            edge.pop("pos")
        return json.dumps(found).encode()

    monkeypatch.setattr(placing, "_laid_out", given_up)
    found = placed(graph, *blocks(graph))
    assert (whole.lost, found.lost) == (0, 2)
    assert found.boxes == whole.boxes
    for edge, path in zip(graph.edges, found.paths, strict=True):
        assert _near(found.boxes[edge.source], path.points[0])
        assert _near(found.boxes[edge.target], path.tip)
        assert path.label is not None
    assert "Go on" in svg_texts(written(graph, "svg"))


def test_the_same_from_many_threads() -> None:
    graph = state_graph(compiled(homecare.CARE))
    with ThreadPoolExecutor(4) as threads:
        drawn = set(threads.map(lambda _: written(graph, "svg"), range(24)))
    assert drawn == {written(graph, "svg")}


def _files() -> list[Path]:
    folder = os.environ.get("CASEKIT_TEST_DATA", "")
    return sorted((Path(folder) / "scxml").glob("test*.*")) if folder else []


@pytest.mark.skipif(not _files(), reason="CASEKIT_TEST_DATA names no folder with the W3C's files")
def test_the_w3cs_charts_are_drawn_whole() -> None:
    drawn = 0
    for file in _files():
        definition = compiled(read_scxml(file.read_bytes(), file.name, resources=lambda _: "123").case_type)
        for form, read in READ.items():
            text = squeezed(read(written(state_graph(definition), form)))
            assert [path for path in definition.chart.nodes if squeezed(path) not in text] == []
        drawn += 1
    assert drawn == len(_files())


def test_without_the_library_an_svg_is_refused_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    graph = state_graph(compiled(CaseType("x.y", "1", "X", "a", {"a": State("A", "open")})))
    with pytest.raises(BadInput, match=r"install casekit\[pictures\]"):
        written(graph, "svg")
    assert written(graph, "mermaid").startswith("stateDiagram-v2")
    assert written(graph, "dot").startswith("digraph")
    with pytest.raises(BadInput, match="no form of a picture"):
        written(graph, "png")


def test_a_graph_too_large_for_a_picture_is_refused_by_its_size() -> None:
    states = {f"s{i}": State(f"S{i}", "open") for i in range(1600)}
    graph = state_graph(compiled(CaseType("x.y", "1", "X", "s0", states)))
    with pytest.raises(BadInput, match="1601 nodes and 1 edges are too many"):
        written(graph, "svg")
