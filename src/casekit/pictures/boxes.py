"""How large each node and each label of a graph is, and what stands in it: the same for who places and for who draws."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from casekit.pictures.graph import PSEUDO, Edge, Graph, Line, Node, Sign
from casekit.pictures.text import clean, cut, folded, width

TITLE, SMALL = 13.0, 11.0
"""Sizes of type."""
GAP = 4.0
"""Between two lines."""
PAD = 10.0
"""Between a border and what stands in it."""
DOT = 16.0
"""Across a start; a history is half as much larger."""
_LONG, _MOST = 40, 4
_LABEL = 34


@frozen
class Row:
    """A line of text as it is drawn.

    Attributes:
        words: The text; it fits.
        size: Size of its type.
        strong: Whether it is heavy.
        sign: How what it speaks of stands.
        quiet: Whether it stands back.
    """

    words: str
    size: float = SMALL
    strong: bool = False
    sign: Sign = ""
    quiet: bool = False


@frozen
class Block:
    """Lines of text with their extent."""

    rows: tuple[Row, ...]
    width: float
    height: float


def node_block(node: Node) -> Block:
    """What stands in a node, or at the head of one that has others in it."""
    if node.kind in PSEUDO:
        letter = {"history": "H", "deep-history": "H*"}.get(node.kind, "")
        across = DOT * 1.5 if letter else DOT
        return Block((Row(letter, strong=True),) if letter else (), across, across)
    title = clean(node.title) or clean(node.key)
    rows = [Row(line, TITLE, strong=True) for line in folded(title, _LONG - 8)]
    if clean(node.key) != title and node.kind != "junction":
        rows += [Row(line, quiet=True) for line in folded(node.key, _LONG)]
    word = {"parallel": "all of these at once", "final": "ends here"}.get(node.kind, "")
    rows += [Row(f"({word or node.kind})", quiet=True)] if node.kind not in ("state", "note", "junction") else []
    return _block([*rows, *_rows(node.lines, _LONG)], PAD)


def edge_block(edge: Edge) -> Block:
    """What stands at an edge."""
    rows = [Row(line, SMALL, strong=True, sign=edge.sign) for line in cut(folded(edge.title, _LABEL), _MOST)]
    return _block([*rows, *_rows(edge.lines, _LABEL)], 3.0)


def height_of(rows: Iterable[Row]) -> float:
    """How high lines of text stand together."""
    return sum(row.size + GAP for row in rows)


def _rows(lines: Iterable[Line], length: int) -> list[Row]:
    return [Row(words, sign=line.sign) for line in lines for words in cut(folded(line.words, length), _MOST)]


def _block(rows: list[Row], pad: float) -> Block:
    if not rows:
        return Block((), 0.0, 0.0)
    broad = max(width(row.words, row.size) * (1.08 if row.strong else 1.0) for row in rows)
    return Block(tuple(rows), round(broad + 2 * pad, 1), round(height_of(rows) - GAP + 2 * pad, 1))


def blocks(graph: Graph) -> tuple[dict[str, Block], tuple[Block, ...]]:
    """The block of each node by id, and of each edge in order."""
    return {node.id: node_block(node) for node in graph.nodes}, tuple(edge_block(edge) for edge in graph.edges)
