"""Where everything of a graph goes: the layout of Graphviz (``casekit[pictures]``), which sees sizes and no word.

The library keeps its state in the process, so one picture is placed at a time. What it is given holds numbers only:
no text of a case type ever reaches its parser, and no font of a machine has a say in what comes out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Lock
from typing import Any

from attrs import frozen

from casekit.errors import BadInput
from casekit.pictures.boxes import Block
from casekit.pictures.graph import Graph, Node, Route

MOST = 1500
"""Nodes and edges of one picture together: placing takes time that grows faster than they do."""
_SHAPE = 1.5
"""How much broader than high a picture had best be: of the two directions that one is taken in which no line is given up,
and which fits the smaller page."""
_INCH = 72.0
_ONE = Lock()

Spot = tuple[float, float]


@frozen
class Box:
    """Where a node is: its upper left corner, and its extent."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Spot:
        """Its middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@frozen
class Path:
    """Where an edge is.

    Attributes:
        points: A start, then three points for each further stretch of the curve.
        tip: Where its arrow ends.
        label: Middle of its label; None: it has none.
    """

    points: tuple[Spot, ...]
    tip: Spot
    label: Spot | None


@frozen
class Placed:
    """Where everything is, y growing downwards.

    Attributes:
        width, height: Extent of the whole.
        boxes: Node → where it is.
        paths: Where the edges are, in order.
        lost: How many of them Graphviz gave up: they are straight, whatever lies in their way.
    """

    width: float
    height: float
    boxes: dict[str, Box]
    paths: tuple[Path, ...]
    lost: int = 0


def placed(graph: Graph, nodes: dict[str, Block], edges: tuple[Block, ...]) -> Placed:
    """Where everything of a graph goes; the same graph is placed the same.

    Raises:
        BadInput: the library is not installed, or the graph is too large for one picture.
    """
    if len(graph.nodes) + len(graph.edges) > MOST:
        count = f"{len(graph.nodes)} nodes and {len(graph.edges)} edges"
        raise BadInput.at("picture", f"{count} are too many for one picture", "take mermaid or dot, and a tool for large graphs")
    both = [_read(graph, json.loads(_laid_out("\n".join(_Source(graph, nodes, edges).lines(way))))) for way in ("TB", "LR")]
    return min(both, key=lambda found: (found.lost, max(found.width / _SHAPE, found.height)))


def _laid_out(text: str) -> bytes:
    try:
        import pygraphviz
    except ImportError as wrong:
        do = "install casekit[pictures], or take mermaid or dot, which other tools place"
        raise BadInput.at("picture", f"an SVG needs a library that is not here: {wrong}", do) from None
    with _ONE:
        found: bytes = pygraphviz.AGraph(string=text).draw(format="json", prog="dot")
    return found


class _Source:
    """The graph as Graphviz reads it: numbers for names, tables of a fixed size for words."""

    def __init__(self, graph: Graph, nodes: dict[str, Block], edges: tuple[Block, ...]) -> None:
        self.graph, self.nodes, self.edges = graph, nodes, edges
        self.numbers = numbers(graph)

    def lines(self, direction: str) -> Iterator[str]:
        yield f"digraph {{ compound=true; rankdir={direction}; nodesep=0.35; ranksep=0.45; labeljust=l;"
        yield 'node [label="", fixedsize=true, shape=box]; edge [label=""];'
        yield from self._within("")
        for place, (route, block) in enumerate(zip(self.graph.routes, self.edges, strict=True)):
            clips = [("ltail", route.clip_tail), ("lhead", route.clip_head)]
            said = [f"id={place}", *(f"{name}=cluster{self.numbers[node]}" for name, node in clips if node)]
            said += [f"label={_sized(block)}"] if block.rows else []
            yield f"n{self.numbers[route.tail]} -> n{self.numbers[route.head]} [{', '.join(said)}];"
        yield "}"

    def _within(self, around: str) -> Iterator[str]:
        for node in self.graph.within.get(around, ()):
            block, number = self.nodes[node.id], self.numbers[node.id]
            if node.id not in self.graph.within:
                yield f"n{number} [{self._size(node, block)}];"
                continue
            yield f"subgraph cluster{number} {{ margin=14; label={_sized(block)};"
            if node.id in self.graph.anchors:
                yield f"n{self.numbers[f' {node.id}']} [shape=circle, width=0.1, height=0.1];"
            yield from self._within(node.id)
            yield "}"

    def _size(self, node: Node, block: Block) -> str:
        shape = "circle" if node.kind in ("initial", "history", "deep-history") else "box"
        return f"shape={shape}, width={block.width / _INCH:.4f}, height={block.height / _INCH:.4f}"


def numbers(graph: Graph) -> dict[str, int]:
    """Node, or point within one → number, the same whatever the ids are made of."""
    names = [node.id for node in graph.nodes] + [f" {node}" for node in graph.anchors]
    return {name: place for place, name in enumerate(names)}


def _sized(block: Block) -> str:
    size = f'FIXEDSIZE="TRUE" WIDTH="{block.width:.0f}" HEIGHT="{block.height:.0f}"'
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0" {size}><TR><TD></TD></TR></TABLE>>'


def _read(graph: Graph, found: dict[str, Any]) -> Placed:
    left, low, right, high = _floats(found["bb"])

    def spot(text: str) -> Spot:
        x, y = _floats(text)
        return round(x - left, 1), round(high - y, 1)

    boxes = {}
    named = {thing["name"]: thing for thing in found["objects"]}
    for name, number in numbers(graph).items():
        if (cluster := named.get(f"cluster{number}")) is not None:
            x0, y0, x1, y1 = _floats(cluster["bb"])
            boxes[name] = Box(round(x0 - left, 1), round(high - y1, 1), round(x1 - x0, 1), round(y1 - y0, 1))
        else:
            node = named[f"n{number}"]
            (x, y), w, h = spot(node["pos"]), float(node["width"]) * _INCH, float(node["height"]) * _INCH
            boxes[name] = Box(round(x - w / 2, 1), round(y - h / 2, 1), round(w, 1), round(h, 1))
    # Graphviz tells edges in an order of its own; each carries the place in which it was read.
    lines = sorted(found.get("edges", ()), key=lambda edge: int(edge["id"]))
    paths = tuple(_path(edge, route, boxes, spot) for edge, route in zip(lines, graph.routes, strict=True))
    return Placed(round(right - left, 1), round(high - low, 1), boxes, paths, sum("pos" not in edge for edge in lines))


def _path(edge: dict[str, Any], route: Route, boxes: dict[str, Box], spot: Any) -> Path:
    label = spot(edge["lp"]) if edge.get("lp") else None
    if "pos" not in edge:
        # Its router gives some lines up: such a line is drawn straight, so that none is missing.
        return _straight(boxes[route.clip_tail or route.tail], boxes[route.clip_head or route.head], label)
    points, tip = [], None
    for part in edge["pos"].split():
        if part.startswith("e,"):
            tip = spot(part[2:])
        elif not part.startswith("s,"):
            points.append(spot(part))
    return Path(tuple(points), tip or points[-1], label)


def _straight(tail: Box, head: Box, label: Spot | None) -> Path:
    start, end = _border(tail, head.middle), _border(head, tail.middle)
    parts = [tuple(round(a + (b - a) * part, 1) for a, b in zip(start, end, strict=True)) for part in (0, 1 / 3, 2 / 3, 0.95)]
    points = tuple((x, y) for x, y in parts)
    half = (round((start[0] + end[0]) / 2, 1), round((start[1] + end[1]) / 2, 1))
    return Path(points, end, label or half)


def _border(box: Box, toward: Spot) -> Spot:
    """Where a line from the middle of a box leaves it."""
    (x, y), (dx, dy) = box.middle, (toward[0] - box.middle[0], toward[1] - box.middle[1])
    parts = [extent / 2 / abs(step) for extent, step in ((box.width, dx), (box.height, dy)) if step]
    part = min([1.0, *parts])
    return round(x + dx * part, 1), round(y + dy * part, 1)


def _floats(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]
