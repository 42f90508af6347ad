"""A graph as DOT text, for Graphviz and what reads its language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from casekit.pictures.boxes import Block, edge_block, node_block
from casekit.pictures.graph import ANCHOR, PSEUDO, Graph, Node, NodeKind, Route
from casekit.pictures.placing import numbers
from casekit.pictures.text import clean
from casekit.pictures.xml import COLOURS, QUIET

_SHAPES: Mapping[NodeKind, str] = {
    "initial": "point",
    "history": "circle",
    "deep-history": "circle",
    "milestone": "hexagon",
    "event": "plain",
    "note": "note",
}
_LINES = {"blocked": "dashed", "unknown": "dotted", "possible": "bold"}


def quoted(text: str) -> str:
    """Any text as a string of DOT, on one line."""
    return '"' + escaped(text) + '"'


def escaped(text: str) -> str:
    """Any text within a string of DOT: neither its end, nor one of its escapes, nor an entity."""
    return clean(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')


def block(lines: Iterable[str]) -> str:
    """Lines, set to the left, as a string of DOT."""
    return '"' + "".join(f"{escaped(line)}\\l" for line in lines) + '"'


def attributes(said: Mapping[str, str]) -> str:
    """Attributes, their values written already."""
    return "[" + ", ".join(f"{name}={value}" for name, value in said.items()) + "]"


def dot(graph: Graph) -> str:
    """The graph as a DOT digraph."""
    return "\n".join(_Writer(graph).lines()) + "\n"


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.numbers = numbers(graph)

    def lines(self) -> Iterator[str]:
        yield "digraph {"
        yield f"  label={quoted(self.graph.title)}; tooltip={block(self.graph.about)}; labelloc=t; labeljust=l; compound=true;"
        yield '  node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="Helvetica", fontsize=11];'
        yield '  edge [fontname="Helvetica", fontsize=10]; graph [fontname="Helvetica", fontsize=11];'
        yield from self._within("", "  ")
        yield from (f"  {self._edge(route)}" for route in self.graph.routes)
        yield "}"

    def _within(self, around: str, pad: str) -> Iterator[str]:
        for node in self.graph.within.get(around, ()):
            number = self.numbers[node.id]
            if node.id not in self.graph.within:
                yield f"{pad}n{number} {attributes(self._said(node))};"
                continue
            style = "bold" if node.sign == "now" else "dashed" if node.kind == "parallel" else "solid"
            yield f"{pad}subgraph cluster{number} {{ label={_rows(node_block(node))}; style={style}; color={quoted(_ink(node))};"
            if node.id in self.graph.anchors:
                yield f'{pad}  n{self.numbers[ANCHOR + node.id]} [shape=circle, label="", width=0.1, tooltip={quoted(f"any of {node.key}")}];'
            yield from self._within(node.id, pad + "  ")
            yield f"{pad}}}"

    def _said(self, node: Node) -> dict[str, str]:
        ink, paper = COLOURS[node.sign]
        said = {"label": _rows(node_block(node)) if node.kind not in PSEUDO else quoted(_letter(node))}
        # Lines are broken and cut to size; who points at it is told all of it.
        said["tooltip"] = block([node.title, node.key, *(line.words for line in node.lines)])
        if node.kind in _SHAPES:
            said["shape"] = _SHAPES[node.kind]
        if node.kind == "final":
            said["peripheries"] = "2"
        if node.kind in ("junction", "timer", "listener"):
            said["style"] = '"rounded,filled,dashed"'
        if node.kind != "initial":
            said |= {"fillcolor": quoted(paper), "color": quoted(ink)}
        if node.sign == "now":
            said["penwidth"] = "3"
        return said

    def _edge(self, route: Route) -> str:
        edge = route.edge
        told = [edge.title, *(line.words for line in edge.lines)] if edge.title or edge.lines else []
        said = {"label": _rows(edge_block(edge)), "tooltip": block(told)} if told else {}
        said["color"] = quoted(COLOURS[edge.sign][0] if edge.sign else QUIET)
        style = _LINES.get(edge.sign, "dashed" if edge.kind == "exit" else "")
        said |= {"style": style} if style else {}
        said |= {"ltail": f"cluster{self.numbers[route.clip_tail]}"} if route.clip_tail else {}
        said |= {"lhead": f"cluster{self.numbers[route.clip_head]}"} if route.clip_head else {}
        return f"n{self.numbers[route.tail]} -> n{self.numbers[route.head]} {attributes(said)};"


def _rows(found: Block) -> str:
    return block(row.words for row in found.rows)


def _letter(node: Node) -> str:
    return {"history": "H", "deep-history": "H*"}.get(node.kind, "")


def _ink(node: Node) -> str:
    return COLOURS[node.sign][0]
