"""A graph as it is to be drawn, whoever draws it: what there is, how it stands, and every word that is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal

from attrs import frozen

Sign = Literal["", "now", "over", "possible", "blocked", "unknown", "running", "paused", "breached"]
"""How something stands. The words beside it always say so too: colour is never the only sign."""

NodeKind = Literal[
    "state",
    "parallel",
    "final",
    "initial",
    "history",
    "deep-history",
    "stage",
    "task",
    "milestone",
    "listener",
    "timer",
    "event",
    "junction",
    "note",
]
PSEUDO: frozenset[NodeKind] = frozenset({"initial", "history", "deep-history"})
EdgeKind = Literal["way", "initial", "entry", "exit"]


@frozen
class Line:
    """A line of text.

    Attributes:
        words: What it says; any text.
        sign: How what it speaks of stands.
    """

    words: str
    sign: Sign = ""


@frozen
class Node:
    """Something with a place.

    Attributes:
        id: Its identity within the graph.
        kind: What it is.
        title: What people read.
        key: Its name in the definition; empty: none.
        inside: Id of the node around it; empty: none.
        sign: How it stands.
        lines: What else is said of it.
    """

    id: str
    kind: NodeKind
    title: str = ""
    key: str = ""
    inside: str = ""
    sign: Sign = ""
    lines: tuple[Line, ...] = ()


@frozen
class Edge:
    """A way from one node to another.

    Attributes:
        source, target: Ids of nodes.
        kind: What it is.
        title: What people read.
        key: Its name in the definition; empty: none.
        sign: How it stands.
        lines: What else is said of it.
    """

    source: str
    target: str
    kind: EdgeKind = "way"
    title: str = ""
    key: str = ""
    sign: Sign = ""
    lines: tuple[Line, ...] = ()


@frozen
class Route:
    """Between which nodes an edge is drawn, where a node that has others in it can't be an end.

    Attributes:
        edge: The edge.
        tail, head: Nodes without inner ones; or an anchor, which is the id of a node with a blank before it.
        clip_tail, clip_head: The node around it at whose border the line begins or ends; empty: it is drawn whole.
    """

    edge: Edge
    tail: str
    head: str
    clip_tail: str = ""
    clip_head: str = ""


ANCHOR = " "
"""Stands before the id of a node: a point within it that stands for all of it."""


@frozen(slots=False)
class Graph:
    """What is to be drawn.

    Attributes:
        title: What it is a picture of.
        about: The same and how it stands, in sentences, for those who do not see it.
        nodes: In order, each after the one around it.
        edges: In order.
    """

    title: str
    about: tuple[str, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        """Its nodes by id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def within(self) -> Mapping[str, tuple[Node, ...]]:
        """Id of a node (empty: none) → the nodes that lie in it, in order."""
        found: dict[str, tuple[Node, ...]] = {}
        for node in self.nodes:
            found[node.inside] = (*found.get(node.inside, ()), node)
        return found

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """How each edge is drawn, in order."""
        return tuple(self._route(edge) for edge in self.edges)

    @cached_property
    def anchors(self) -> tuple[str, ...]:
        """Ids of the nodes that need a point within them, in order."""
        ends = {end.removeprefix(ANCHOR) for route in self.routes for end in (route.tail, route.head) if end.startswith(ANCHOR)}
        return tuple(node.id for node in self.nodes if node.id in ends)

    def _route(self, edge: Edge) -> Route:
        source, target = edge.source, edge.target
        # A line can't end at the border of what it lies in: it is drawn to a point within, that stands for the whole.
        tail, clip_tail = self._end(source, self._lies(target, source))
        head, clip_head = self._end(target, self._lies(source, target))
        return Route(edge, tail, head, clip_tail, clip_head)

    def _end(self, node: str, anchored: bool) -> tuple[str, str]:
        if node not in self.within:
            return node, ""
        return (ANCHOR + node, "") if anchored else (self._inner(node), node)

    def _inner(self, node: str) -> str:
        """The node without inner ones that stands for a node in the eyes of whoever places it."""
        while node in self.within:
            inner = self.within[node]
            node = next((one.id for one in inner if one.kind not in PSEUDO), inner[0].id)
        return node

    def _lies(self, node: str, around: str) -> bool:
        """Whether a node is, or lies in, another."""
        return node == around or around in self.around(node)

    def around(self, node: str) -> Iterator[str]:
        """Ids of the nodes around one, innermost first."""
        while inside := self.by_id[node].inside:
            yield inside
            node = inside
