"""The statechart of a case type: what transitions leave and enter, and in which order.

The algorithm is that of SCXML (W3C Recommendation, appendix D). It looks at states only, never at data, so what
comes out for one configuration and one set of transitions is worked out once and remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol, TypeVar

from attrs import define, field, frozen

from casekit.decisions.conditions import Expression

Kind = Literal["atomic", "compound", "parallel", "final", "history"]
History = Mapping[str, Sequence[str]]
"""History state → the states that it leads back to."""

ROOT = ""
"""Path of the state around all others."""
_MANY = 4096
"""Plans, and choices between transitions, that are remembered."""


@frozen
class Deed:
    """An action, its expressions loaded; of ``set``, None takes the value away."""

    set: tuple[tuple[str, Expression | None], ...]
    emit: str
    run: str
    args: tuple[tuple[str, Expression], ...]
    when: Expression | None = None
    do: tuple[Deed, ...] = ()
    otherwise: tuple[Deed, ...] = ()
    after: bool = False
    start: str = ""
    cancel: tuple[str, ...] = ()


@frozen(eq=False)
class Node:
    """A state with its place.

    Attributes:
        path: Full dotted path.
        place: Its place in document order.
        kind: What it is.
        chain: Paths from the outermost state to this one.
        within: The same, as a set: what is active when this is the only leaf.
        children: Inner states in document order, histories apart.
        histories: Histories among the inner states.
        initial: States that are entered with it, where none other is named; of a history: where it leads by default.
        deep: Of a history: whether it remembers the innermost states.
        category, outcome: Its own; empty: it says none.
        on_enter, on_exit, on_initial: Deeds.
        done: Of a final state: field of the done event → expression.
    """

    path: str
    place: int
    kind: Kind
    chain: tuple[str, ...]
    within: frozenset[str]
    children: tuple[str, ...] = ()
    histories: tuple[str, ...] = ()
    initial: tuple[str, ...] = ()
    deep: bool = False
    category: str = ""
    outcome: str = ""
    on_enter: tuple[Deed, ...] = ()
    on_exit: tuple[Deed, ...] = ()
    on_initial: tuple[Deed, ...] = ()
    done: tuple[tuple[str, Expression], ...] = ()

    @property
    def parent(self) -> str:
        """Path of the state around it."""
        return self.chain[-2] if len(self.chain) > 1 else ROOT


class Edge(Protocol):
    """What the chart must know of a transition."""

    @property
    def source(self) -> str:
        """The state from which it is taken; empty: the one nearest to its target."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The states that it leads to."""

    @property
    def internal(self) -> bool:
        """Whether a source that contains all targets is kept."""


E = TypeVar("E", bound=Edge)
_V = TypeVar("_V")


@frozen(eq=False)
class Passage:
    """One state on the way, where there is something to do.

    Attributes:
        active: What is active then.
        deeds: What is done.
        dones: Done events that are raised afterwards, each with its fields.
    """

    active: frozenset[str]
    deeds: tuple[Deed, ...]
    dones: tuple[tuple[str, tuple[tuple[str, Expression], ...]], ...] = ()


@frozen(eq=False)
class Move:
    """What a set of transitions does to a configuration.

    Attributes:
        leaving: States that are left, innermost first, as far as they do something.
        between: What is active once they are left.
        entering: States that are entered, outermost first, likewise.
        leaves: Active leaves afterwards, in document order.
        active: All that is active afterwards.
        remembered: History state → what it leads back to from now on.
        category, outcome: Those of the configuration afterwards.
        entered: All states that are entered, outermost first.
    """

    leaving: tuple[Passage, ...]
    between: frozenset[str]
    entering: tuple[Passage, ...]
    leaves: tuple[str, ...]
    active: frozenset[str]
    remembered: Mapping[str, tuple[str, ...]]
    category: str
    outcome: str
    entered: tuple[str, ...]


@define
class _Entry:
    """The states that are entered, as they are gathered."""

    states: set[str] = field(factory=set)
    by_default: set[str] = field(factory=set)
    deeds: dict[str, tuple[Deed, ...]] = field(factory=dict)


class Chart:
    """The states of one case type.

    Args:
        nodes: Path → state, histories among them, in document order.
        initial: States in which a case begins.
    """

    def __init__(self, nodes: Mapping[str, Node], initial: tuple[str, ...]) -> None:
        top = tuple(path for path, node in nodes.items() if len(node.chain) == 1)
        root = Node(ROOT, -1, "compound", (), frozenset(), top, (), initial)
        self.nodes: Mapping[str, Node] = {ROOT: root, **nodes}
        self._remembers = any(node.kind == "history" for node in nodes.values())
        self._moves: dict[tuple[object, ...], Move] = {}
        self._choices: dict[tuple[object, ...], tuple[int, ...]] = {}

    def active(self, leaves: Iterable[str]) -> frozenset[str]:
        """The active states with all their ancestors."""
        found: frozenset[str] = frozenset()
        for leaf in leaves:
            found = self.nodes[leaf].within | found if found else self.nodes[leaf].within
        return found

    def landing(self, targets: Iterable[str]) -> Move:
        """What is entered with those states from outside, while nothing is remembered."""
        key = ("landing", *targets)
        found = self._moves.get(key)
        if found is None:
            entry = _Entry()
            self._aim(entry, tuple(targets), ROOT, {})
            found = _remembered(self._moves, key, self._planned(frozenset(), [], entry, {}))
        return found

    def move(self, leaves: Sequence[str], edges: tuple[Edge, ...], history: History) -> Move:
        """What transitions that don't conflict do to a configuration."""
        key = (tuple(leaves), edges, self._known(history))
        found = self._moves.get(key)
        if found is None:
            found = _remembered(self._moves, key, self._move(leaves, edges, history))
        return found

    def compatible(self, leaves: Sequence[str], edges: tuple[E, ...], history: History) -> tuple[E, ...]:
        """Those of the enabled transitions that are taken: of two that would leave a common state, the one whose source lies
        deeper, else the first.
        """
        key = (tuple(leaves), edges, self._known(history))
        found = self._choices.get(key)
        if found is None:
            found = _remembered(self._choices, key, tuple(map(edges.index, self._compatible(leaves, edges, history))))
        return tuple(edges[place] for place in found)

    def _known(self, history: History) -> tuple[object, ...]:
        return tuple((name, tuple(states)) for name, states in sorted(history.items())) if self._remembers else ()

    def _compatible(self, leaves: Sequence[str], edges: tuple[E, ...], history: History) -> list[E]:
        active = self.active(leaves)
        kept: list[E] = []
        for edge in edges:
            left = self._left(active, leaves, edge, history)
            against = [other for other in kept if left & self._left(active, leaves, other, history)]
            source = self._source(leaves, edge)
            if all(self._inside(source, self._source(leaves, other)) for other in against):
                kept = [other for other in kept if other not in against] + [edge]
        return kept

    def _move(self, leaves: Sequence[str], edges: tuple[Edge, ...], history: History) -> Move:
        active = self.active(leaves)
        gone: set[str] = set()
        for edge in edges:
            gone |= self._left(active, leaves, edge, history)
        left = sorted((self.nodes[path] for path in gone), key=lambda node: node.place, reverse=True)
        remembered = {name: self._recalled(self.nodes[name], active) for node in left for name in node.histories}
        history = {**history, **remembered}
        entry = _Entry()
        for edge in edges:
            if edge.targets:
                self._aim(entry, edge.targets, self._domain(leaves, edge, history).path, history)
        return self._planned(active, left, entry, remembered)

    def _planned(self, active: frozenset[str], left: list[Node], entry: _Entry, remembered: Mapping[str, tuple[str, ...]]) -> Move:
        leaving = []
        for node in left:
            if node.on_exit:
                leaving.append(Passage(active, node.on_exit))
            active -= {node.path}
        between, entering = active, []
        entered = sorted((self.nodes[path] for path in entry.states), key=lambda node: node.place)
        for node in entered:
            active |= {node.path}
            first = node.on_initial if node.path in entry.by_default else ()
            deeds = (*node.on_enter, *first, *entry.deeds.get(node.path, ()))
            dones = self._dones(node, active) if node.kind == "final" else ()
            if deeds or dones:
                entering.append(Passage(active, deeds, dones))
        ends = sorted((self.nodes[path] for path in active if not self.nodes[path].children), key=lambda node: node.place)
        root = self.nodes[ROOT]
        category, outcome = self._said(root, active, "category"), self._said(root, active, "outcome")
        leaves = tuple(node.path for node in ends)
        went = tuple(node.path for node in entered)
        return Move(tuple(leaving), between, tuple(entering), leaves, active, remembered, category, outcome, went)

    def _source(self, leaves: Sequence[str], edge: Edge) -> Node:
        """Its source; one that is forced is taken from the active leaf that is nearest to its target."""
        if edge.source:
            return self.nodes[edge.source]
        target = self.nodes[edge.targets[0]].within if edge.targets else frozenset()
        return self.nodes[max(leaves, key=lambda leaf: len(self.nodes[leaf].within & target))]

    def _domain(self, leaves: Sequence[str], edge: Edge, history: History) -> Node:
        """The innermost compound state around source and targets: what is active within it is left."""
        source = self._source(leaves, edge)
        targets = self._meant(edge.targets, history)
        if edge.internal and source.kind == "compound" and all(self._inside(target, source) for target in targets):
            return source
        for path in reversed(source.chain[:-1]):
            around = self.nodes[path]
            if around.kind == "compound" and all(self._inside(target, around) for target in targets):
                return around
        return self.nodes[ROOT]

    def _meant(self, targets: Iterable[str], history: History) -> list[Node]:
        """The targets, with what histories lead to in their place."""
        found: list[Node] = []
        for path in targets:
            node = self.nodes[path]
            found += self._meant(history.get(path) or node.initial, history) if node.kind == "history" else [node]
        return found

    def _left(self, active: frozenset[str], leaves: Sequence[str], edge: Edge, history: History) -> set[str]:
        if not edge.targets or not leaves:
            return set()
        domain = self._domain(leaves, edge, history)
        return {path for path in active if self._inside(self.nodes[path], domain)}

    def _inside(self, node: Node, around: Node) -> bool:
        return node is not around and (around.path == ROOT or around.path in node.within)

    def _recalled(self, history: Node, active: frozenset[str]) -> tuple[str, ...]:
        around = self.nodes[history.parent]
        if not history.deep:
            return tuple(child for child in around.children if child in active)
        inner = [self.nodes[path] for path in active if not self.nodes[path].children and self._inside(self.nodes[path], around)]
        return tuple(node.path for node in sorted(inner, key=lambda node: node.place))

    def _aim(self, entry: _Entry, targets: Iterable[str], domain: str, history: History) -> None:
        for path in targets:
            self._down(entry, self.nodes[path], history)
        for target in self._meant(targets, history):
            self._up(entry, target, domain, history)

    def _down(self, entry: _Entry, node: Node, history: History) -> None:
        """A state is entered with what lies in it; in place of a history, what that leads to."""
        if node.kind == "history":
            known = history.get(node.path)
            if not known:
                entry.deeds[node.parent] = node.on_enter
            self._aim(entry, known or node.initial, node.parent, history)
            return
        entry.states.add(node.path)
        if node.kind == "compound":
            entry.by_default.add(node.path)
            self._aim(entry, node.initial, node.path, history)
        elif node.kind == "parallel":
            self._regions(entry, node, history)

    def _up(self, entry: _Entry, node: Node, domain: str, history: History) -> None:
        """The states around one that is entered, as far as the domain, are entered with it."""
        for path in reversed(node.chain[:-1]):
            if path == domain:
                break
            entry.states.add(path)
            if self.nodes[path].kind == "parallel":
                self._regions(entry, self.nodes[path], history)

    def _regions(self, entry: _Entry, parallel: Node, history: History) -> None:
        for path in parallel.children:
            region = self.nodes[path]
            if not any(self._inside(self.nodes[other], region) for other in entry.states):
                self._down(entry, region, history)

    def _dones(self, final: Node, active: frozenset[str]) -> tuple[tuple[str, tuple[tuple[str, Expression], ...]], ...]:
        if len(final.chain) == 1:
            return ()
        found: list[tuple[str, tuple[tuple[str, Expression], ...]]] = [(f"done.state.{final.parent}", final.done)]
        above = self.nodes[self.nodes[final.parent].parent]
        if above.kind == "parallel" and self._over(above, active):
            found.append((f"done.state.{above.path}", ()))
        return tuple(found)

    def _over(self, node: Node, active: frozenset[str]) -> bool:
        """Whether a state is done: its final state is active, or each of its regions is done."""
        if node.kind == "parallel":
            return all(self._over(self.nodes[path], active) for path in node.children)
        return any(path in active and self.nodes[path].kind == "final" for path in node.children)

    def _said(self, node: Node, active: frozenset[str], what: Literal["category", "outcome"]) -> str:
        """What the first active state within says, in document order of regions, else the state itself."""
        inner = (self._said(self.nodes[path], active, what) for path in node.children if path in active)
        found: str = next((said for said in inner if said), "") or getattr(node, what)
        return found


def _remembered(table: dict[tuple[object, ...], _V], key: tuple[object, ...], value: _V) -> _V:
    """Keeps what was worked out; a table that has grown too large begins anew."""
    if len(table) >= _MANY:
        table.clear()
    table[key] = value
    return value
