"""A graph as Mermaid text, for pages that draw it by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from casekit.pictures.graph import ANCHOR, Graph, Node
from casekit.pictures.placing import numbers
from casekit.pictures.text import clean

_PLAIN = frozenset(" .,()/'=+!?")
_WORDS = {"parallel": "all of these at once", "final": "ends here", "history": "H", "deep-history": "H*"}


def quoted(text: str) -> str:
    """Any text as Mermaid shows it and never reads it: what could mean something is written as its number."""
    shown = clean(text)
    return "".join(
        char if char.isalnum() or char in _PLAIN or _lone(shown, place) else f"#{ord(char)};" for place, char in enumerate(shown)
    )


def _lone(text: str, place: int) -> bool:
    """Whether there is a dash that stands alone: two of them mean something."""
    return text[place] == "-" and "-" not in (text[place - 1 : place], text[place + 1 : place + 2]) and place > 0


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid state diagram."""
    return "\n".join(_Diagram(graph).lines()) + "\n"


class _Diagram:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.numbers = numbers(graph)

    def lines(self) -> Iterator[str]:
        yield "stateDiagram-v2"
        yield f"    accTitle: {quoted(self.graph.title)}"
        yield f"    accDescr: {quoted(' '.join(self.graph.about))}"
        yield from self._within("", 1)
        yield from (f"    {line}" for line in self._edges())
        yield "    classDef now fill:#dbe9ff,stroke:#0a3d91,stroke-width:3px,color:#1b1f24"
        for node in self.graph.nodes:
            if node.sign == "now" and node.id not in self.graph.within:
                yield f"    class {self._name(node.id)} now"

    def _within(self, around: str, depth: int) -> Iterator[str]:
        pad = "    " * depth
        parallel = bool(around) and self.graph.by_id[around].kind == "parallel"
        for place, node in enumerate(inner for inner in self.graph.within.get(around, ()) if inner.kind != "initial"):
            if parallel and place:
                yield f"{pad}--"
            yield from self._node(node, depth)
        # A start is written where it lies, and belongs to no line but this.
        for edge in self.graph.edges:
            source = self.graph.by_id[edge.source]
            if source.kind == "initial" and source.inside == around:
                yield f"{pad}[*] --> {self._name(edge.target)}"

    def _node(self, node: Node, depth: int) -> Iterator[str]:
        pad, name = "    " * depth, self._name(node.id)
        if node.id not in self.graph.within:
            yield from self._leaf(name, [*_head(node), *(line.words for line in node.lines)], pad)
            return
        # The head of a state with others in it has room for one line; the rest of what is said of it stands beside.
        head = [*_head(node), *(line.words for line in node.lines if line.sign == "now")]
        rest = [line.words for line in node.lines if line.sign != "now"]
        about = list(self._leaf(f"{name}about", [f"of {clean(node.title) or node.key}", *rest], "")) if rest else []
        if node.kind == "parallel":
            yield from (f"{pad}{line}" for line in about)
            about = []
        yield f'{pad}state "{quoted(", ".join(head))}" as {name} {{'
        yield from (f"{pad}    {line}" for line in about)
        if node.id in self.graph.anchors:
            yield f'{pad}    state "any of {quoted(node.key)}" as {self._name(ANCHOR + node.id)}'
        yield from self._within(node.id, depth + 1)
        yield f"{pad}}}"

    def _leaf(self, name: str, told: list[str], pad: str) -> Iterator[str]:
        yield f'{pad}state "{quoted(told[0])}" as {name}'
        yield from (f"{pad}{name} : {quoted(line)}" for line in told[1:])

    def _edges(self) -> Iterator[str]:
        for route in self.graph.routes:
            edge = route.edge
            if self.graph.by_id[edge.source].kind == "initial":
                continue
            tail, head = route.clip_tail or route.tail, route.clip_head or route.head
            label = _joined([edge.title, *(line.words for line in edge.lines)])
            yield f"{self._name(tail)} --> {self._name(head)}" + (f" : {label}" if label else "")

    def _name(self, node: str) -> str:
        return f"s{self.numbers[node]}"


def _head(node: Node) -> list[str]:
    title = clean(node.title)
    words = [title or node.key or node.kind, *([node.key] if node.key and title and node.kind != "junction" else [])]
    kind = _WORDS.get(node.kind, "" if node.kind in ("state", "note", "junction") else node.kind)
    return [*words, f"({kind})"] if kind else words


def _joined(words: Iterable[str]) -> str:
    return "<br/>".join(quoted(word) for word in words if word)
