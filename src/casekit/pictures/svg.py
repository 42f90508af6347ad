"""A graph as SVG: places from Graphviz, words and lines from here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import hypot

from casekit.pictures.boxes import GAP, PAD, Block, blocks
from casekit.pictures.graph import ANCHOR, PSEUDO, Edge, Graph, Node
from casekit.pictures.placing import Box, Path, Placed, Spot, placed
from casekit.pictures.xml import COLOURS, INK, PAPER, QUIET, RULE, Attributes, document, element, number, text, titled

MARGIN = 16.0
_HEAD = 28.0
_DASHES = {"blocked": "7 4", "unknown": "2 3"}
_SHAPES = {"milestone": 16.0, "listener": 22.0, "timer": 22.0, "junction": 14.0, "task": 4.0}
"""How round the corners of a kind of node are; the others 8."""


def svg(graph: Graph) -> str:
    """The graph as an SVG document.

    Raises:
        BadInput: the library that places it is not installed, or it is too large for one picture.
    """
    sizes, labels = blocks(graph)
    return _Drawing(graph, placed(graph, sizes, labels), sizes, labels).document()


class _Drawing:
    def __init__(self, graph: Graph, places: Placed, nodes: dict[str, Block], labels: tuple[Block, ...]) -> None:
        self.graph, self.places, self.nodes, self.labels = graph, places, nodes, labels

    def document(self) -> str:
        from casekit.pictures.text import width

        broad = max(self.places.width, width(self.graph.title, 15)) + 2 * MARGIN
        high = self.places.height + _HEAD + 2 * MARGIN
        head = text(self.graph.title, MARGIN, MARGIN + 14, {"font-size": 15, "font-weight": "bold"})
        moved = element("g", {"transform": f"translate({number(MARGIN)} {number(MARGIN + _HEAD)})"}, "\n".join(["", *self._all(), ""]))
        return document(broad, high, self.graph.title, self.graph.about, [head, moved])

    def _all(self) -> Iterator[str]:
        yield from (self._node(node) for node in self.graph.nodes)
        yield from (self._anchor(self.places.boxes[ANCHOR + node]) for node in self.graph.anchors)
        lines = list(zip(self.graph.edges, self.places.paths, self.labels, strict=True))
        yield from (self._edge(edge, path) for edge, path, _ in lines)
        # Labels stand above all lines, so that none is struck through.
        yield from (self._label(edge, path.label, block) for edge, path, block in lines if path.label and block.rows)

    def _node(self, node: Node) -> str:
        box, block = self.places.boxes[node.id], self.nodes[node.id]
        told = titled([node.title, node.key, *(line.words for line in node.lines)])
        if node.kind in PSEUDO:
            return element("g", {}, told + self._pseudo(node, box, block))
        group = node.id in self.graph.within
        ink, paper = COLOURS[node.sign]
        shape: Attributes = {
            "fill": PAPER if group else paper,
            "stroke": ink if node.sign == "now" else RULE if group else INK,
            "stroke-width": 3.0 if node.sign == "now" else 1.2,
            **({"stroke-dasharray": "6 4"} if node.kind in ("note", "event", "junction", "parallel") else {}),
        }
        drawn = [self._frame(box, 0.0, node, shape)]
        if node.kind == "final":
            drawn.append(self._frame(box, 4.0, node, {"fill": "none", "stroke": shape["stroke"], "stroke-width": 1.0}))
        return element("g", {}, told + "".join([*drawn, *_rows(block, box.x, box.y, PAD)]))

    def _frame(self, box: Box, inset: float, node: Node, shape: Attributes) -> str:
        size: Attributes = {"x": box.x + inset, "y": box.y + inset, "width": box.width - 2 * inset, "height": box.height - 2 * inset}
        return element("rect", {**size, "rx": _SHAPES.get(node.kind, 8.0), **shape})

    def _pseudo(self, node: Node, box: Box, block: Block) -> str:
        x, y = box.x + box.width / 2, box.y + box.height / 2
        dark = node.kind == "initial"
        circle = element("circle", {"cx": x, "cy": y, "r": box.width / 2 - 1, "fill": INK if dark else PAPER, "stroke": INK})
        words = (text(row.words, x, y + 4, {"font-size": row.size, "text-anchor": "middle"}) for row in block.rows)
        return circle + "".join(words)

    def _anchor(self, box: Box) -> str:
        x, y = box.x + box.width / 2, box.y + box.height / 2
        return element("circle", {"cx": x, "cy": y, "r": 3.5, "fill": PAPER, "stroke": QUIET})

    def _edge(self, edge: Edge, path: Path) -> str:
        ink = COLOURS[edge.sign][0] if edge.sign else INK if edge.kind == "initial" else QUIET
        first, *rest = [f"{number(x)} {number(y)}" for x, y in path.points]
        line: Attributes = {"d": f"M{first} C{' '.join(rest)}", "fill": "none", "stroke": ink, "stroke-width": 2.2 if edge.sign else 1.3}
        dashes = _DASHES.get(edge.sign, "6 3" if edge.kind == "exit" else "")
        drawn = element("path", {**line, **({"stroke-dasharray": dashes} if dashes else {})}) + _arrow(path.points[-1], path.tip, ink)
        return element("g", {}, titled([edge.title, edge.key, *(found.words for found in edge.lines)]) + drawn)

    def _label(self, edge: Edge, middle: Spot, block: Block) -> str:
        x, y = middle[0] - block.width / 2, middle[1] - block.height / 2
        paper: Attributes = {"fill": PAPER, "fill-opacity": "0.7", "rx": 3}
        ground = element("rect", {"x": x, "y": y, "width": block.width, "height": block.height, **paper})
        told = titled([edge.title, *(line.words for line in edge.lines)])
        return element("g", {}, told + ground + "".join(_rows(block, x, y, 3.0)))


def _rows(block: Block, x: float, y: float, pad: float) -> Iterable[str]:
    foot = y + pad
    for row in block.rows:
        foot += row.size
        ink = COLOURS[row.sign][0] if row.sign else QUIET if row.quiet else INK
        weight: Attributes = {"font-weight": "bold"} if row.strong or row.sign == "now" else {}
        yield text(row.words, x + pad, foot - 1.5, {"font-size": row.size, "fill": ink, **weight})
        foot += GAP


def _arrow(start: Spot, tip: Spot, ink: str) -> str:
    dx, dy = tip[0] - start[0], tip[1] - start[1]
    length = hypot(dx, dy) or 1.0
    dx, dy = dx / length, dy / length
    back = (tip[0] - 9 * dx, tip[1] - 9 * dy)
    wings = ((back[0] - 4 * dy, back[1] + 4 * dx), (back[0] + 4 * dy, back[1] - 4 * dx))
    points = " ".join(f"{number(x)},{number(y)}" for x, y in (tip, *wings))
    return element("polygon", {"points": points, "fill": ink})
