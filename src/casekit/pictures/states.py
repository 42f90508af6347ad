"""The state diagram of a case type; with a live case, what is active, what blocks each way, which clocks run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from attrs import field, frozen

from casekit.decisions.chart import ROOT, Node
from casekit.decisions.clock_story import ClockStory
from casekit.decisions.compiled import Compiled, Way
from casekit.definition.casetype import ALWAYS, Clock, State
from casekit.pictures.graph import Edge, Graph, Line, NodeKind, Sign
from casekit.pictures.graph import Node as Drawn
from casekit.pictures.moments import said_due

_AT = re.compile(r"""\bat\(\s*(['"])(.*?)\1\s*\)""")
_NOT = re.compile(r"""\bnot\s+at\(\s*(['"])(.*?)\1\s*\)""")
CLOCKS = "clocks"
"""Id of the node with the clocks that belong to no state."""


@frozen
class Standing:
    """How a way out of an active state stands.

    Attributes:
        sign: possible, blocked, or unknown.
        reasons: What stands in the way, or what is not known.
    """

    sign: Sign
    reasons: tuple[str, ...] = ()


@frozen
class Live:
    """A case as its diagram shows it.

    Attributes:
        name: What the case is called: its number or id.
        active: Active states with those around them.
        ways: Transition → how it stands; those that nobody can bring about are left out.
        clocks: The clocks that have started, as of one moment.
    """

    name: str
    active: frozenset[str]
    ways: Mapping[str, Standing] = field(factory=dict)
    clocks: tuple[ClockStory, ...] = ()


def state_graph(definition: Compiled, live: Live | None = None) -> Graph:
    """The state diagram of a case type, or of a case of it."""
    return _Diagram(definition, live).graph()


class _Diagram:
    def __init__(self, definition: Compiled, live: Live | None) -> None:
        self.definition = definition
        self.live = live
        self.says = dict(_states(definition))
        self.clocks = _placed(definition)
        self.told: dict[str, list[ClockStory]] = {}
        for story in live.clocks if live else ():
            self.told.setdefault(story.clock, []).append(story)

    def graph(self) -> Graph:
        says = self.definition.says
        name = f"{says.title} ({says.key} {says.version})"
        title = f"{name}: states" if self.live is None else f"{name}: case {self.live.name}"
        nodes, edges = (*self._nodes(), *self._junctions()), (*self._starts(), *self._ways())
        return Graph(title, (*self._about(nodes, edges),), nodes, edges)

    def _nodes(self) -> Iterator[Drawn]:
        chart = self.definition.chart
        if chart.nodes[ROOT].initial:
            yield Drawn(_start(ROOT), "initial")
        for path, says in self.says.items():
            node = chart.nodes[path]
            yield self._node(node, says)
            if node.kind == "compound" and node.initial:
                yield Drawn(_start(path), "initial", inside=path)
        if lines := tuple(self._lines_of(CLOCKS)):
            yield Drawn(CLOCKS, "note", "Clocks", lines=lines)

    def _node(self, node: Node, says: State) -> Drawn:
        inside = node.parent
        if node.kind == "history":
            return Drawn(node.path, "deep-history" if node.deep else "history", says.title, node.path, inside)
        active = self._is_active(node.path)
        ends = node.kind == "final" or (not node.children and bool(node.outcome))
        kind: NodeKind = "parallel" if node.kind == "parallel" else "final" if ends else "state"
        lines = [Line("now here", "now")] if active else []
        lines += [Line(f"{word}: {value}") for word, value in (("category", node.category), ("outcome", node.outcome)) if value]
        lines += [*self._inner(node.path), *self._lines_of(node.path)]
        return Drawn(node.path, kind, says.title, node.path, inside, "now" if active else "", tuple(lines))

    def _inner(self, path: str) -> Iterator[Line]:
        """What is done in a state without leaving it."""
        for way in self._every():
            if not way.targets and path in way.says.source:
                sign, words = self._stands(way, path)
                yield Line(f"on {_named(way)}", sign)
                yield from _lines(way, sign, words)

    def _lines_of(self, place: str) -> Iterator[Line]:
        for clock, word in self.clocks.get(place, ()):
            says = self.definition.says.clocks[clock]
            if word != "starts":
                yield Line(f"clock {clock} {word} here")
                continue
            yield Line(f"clock {clock}: {_wanted(clock, says, self.definition)}")
            yield from _told(self.told.get(clock, ()))

    def _starts(self) -> Iterator[Edge]:
        nodes = self.definition.chart.nodes
        yield from (Edge(_start(ROOT), target, "initial") for target in nodes[ROOT].initial)
        for path in self.says:
            node = nodes[path]
            if node.kind in ("compound", "history"):
                source = path if node.kind == "history" else _start(path)
                yield from (Edge(source, target, "initial") for target in node.initial)

    def _junctions(self) -> Iterator[Drawn]:
        """Ways that are taken from many states: each is one node that names them, for lines from all of them hide the rest."""
        for way in self._every():
            if _is_junction(way):
                active = next((source for source in way.says.source if self._is_active(source)), "")
                sign, words = self._stands(way, active)
                lines = [Line(f"from {', '.join(way.says.source)}"), *_lines(way, sign, words)]
                yield Drawn(_junction(way), "junction", _named(way), way.key, "", sign, tuple(lines))

    def _ways(self) -> Iterator[Edge]:
        for way in self._every():
            if _is_junction(way):
                signs = {self._stands(way, source)[0] for source in way.says.source if self._is_active(source)}
                yield from (Edge(_junction(way), target, "way", key=way.key, sign=next(iter(signs), "")) for target in way.targets)
                continue
            for source in way.says.source:
                sign, words = self._stands(way, source)
                lines = tuple(_lines(way, sign, words))
                for place, target in enumerate(way.targets):
                    yield Edge(source, target, "way", _named(way), way.key, sign, lines if not place else (Line("at the same time"),))

    def _is_active(self, path: str) -> bool:
        return self.live is not None and path in self.live.active

    def _every(self) -> Iterator[Way]:
        order = {key: place for place, key in enumerate(self.definition.says.transitions)}
        yield from sorted((way for ways in self.definition.ways.values() for way in ways), key=lambda way: order[way.key])

    def _stands(self, way: Way, source: str) -> tuple[Sign, tuple[str, ...]]:
        if self.live is None or not self._is_active(source) or way.key not in self.live.ways:
            return "", ()
        standing = self.live.ways[way.key]
        if not standing.reasons:
            return standing.sign, (standing.sign,)
        return standing.sign, tuple(f"{standing.sign}: {reason}" for reason in standing.reasons)

    def _about(self, nodes: Iterable[Drawn], edges: Iterable[Edge]) -> Iterator[str]:
        shown = [node for node in nodes if node.kind not in ("initial", "note", "junction")]
        yield f"{len(shown)} states, {len({edge.key for edge in edges if edge.kind == 'way'})} transitions between them."
        if self.live is None:
            return
        yield f"Active: {', '.join(node.key for node in shown if node.sign == 'now') or 'none'}."
        for way in self._every():
            active = next((source for source in way.says.source if self._is_active(source)), "")
            sign, words = self._stands(way, active)
            if sign:
                yield f"{_named(way)}: {'; '.join(words).removesuffix('.')}."
        yield from (f"Clock {line.words}." for stories in self.told.values() for line in _told(stories))


def _states(definition: Compiled) -> Iterator[tuple[str, State]]:
    """Every state and history by path, in document order."""
    for path in definition.chart.nodes:
        if path != ROOT:
            first, *rest = path.split(".")
            says = definition.says.states[first]
            for name in rest:
                says = says.states[name]
            yield path, says


_MANY = 3
"""From so many states on, a way is drawn as a node of its own."""


def _is_junction(way: Way) -> bool:
    return bool(way.targets) and len(way.says.source) >= _MANY


def _junction(way: Way) -> str:
    return f"way {way.key}"


def _start(path: str) -> str:
    return f"start of {path}"


def _named(way: Way) -> str:
    event = "" if way.event == ALWAYS else way.event
    words = " ".join(dict.fromkeys(part for part in (event or "by itself", f"({way.key})" if way.key != event else "") if part))
    return f"{words}: {way.says.title}" if way.says.title else words


def _terms(way: Way) -> Iterator[str]:
    """What a way asks for."""
    if way.says.when:
        yield f"[{way.says.when}]"
    if way.needs:
        yield f"requires {', '.join(way.needs)}"
    if way.says.allow:
        yield f"permission {way.says.allow}"


def _lines(way: Way, sign: Sign, words: Iterable[str]) -> list[Line]:
    return [*(Line(line) for line in _terms(way)), *(Line(line, sign) for line in words)]


def _placed(definition: Compiled) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """State (or ``clocks``) → the clocks that start, rest or are met there, and which of the three."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for clock, says in sorted(definition.says.clocks.items(), key=lambda item: item[1].order):
        begun = _at(says.start, definition) or ([says.anchor.state] if says.anchor and says.anchor.state in definition.nodes else [])
        places = [(place, "starts") for place in begun or [CLOCKS]]
        places += [(place, "rests") for place in _at(says.pause, definition)] + [(place, "is met") for place in _at(says.stop, definition)]
        for place, word in dict.fromkeys(places):
            found[place] = (*found.get(place, ()), (clock, word))
    return found


def _at(condition: str, definition: Compiled) -> list[str]:
    """The states in which a condition asks to be."""
    unwanted = {match[2] for match in _NOT.finditer(condition)}
    named = [match[2] for match in _AT.finditer(condition)]
    return [state for state in dict.fromkeys(named) if state in definition.nodes and state not in unwanted]


def _wanted(clock: str, says: Clock, definition: Compiled) -> str:
    """What a clock asks for, in short."""
    words = [says.title] if says.title else []
    amount = says.amount or (f"day of {says.due}" if says.due else "")
    if not amount:
        rows = [row.amount for row in says.amounts] + [p.targets[clock].amount for p in definition.says.sla.values() if clock in p.targets]
        amount = " or ".join(dict.fromkeys(row or "no target" for row in rows)) or "each its own day"
    words.append(amount)
    if says.calendar:
        words.append(f"on {says.calendar}")
    return ", ".join(words)


_LIVE: Mapping[str, Sign] = {"running": "running", "paused": "paused", "breached": "breached"}


def _told(stories: Iterable[ClockStory]) -> Iterator[Line]:
    """How the instances of a clock stand: each that lives, and how many ended how."""
    ended: dict[str, int] = {}
    for story in stories:
        if story.status not in _LIVE:
            ended[story.status] = ended.get(story.status, 0) + 1
            continue
        due = f", due {said_due(story.due, story.zone)}" if story.due else ""
        due = due or (f", would be due {said_due(story.if_resumed, story.zone)}" if story.if_resumed else "")
        yield Line(f"{story.clock} {story.instance}: {story.status}{due}", _LIVE[story.status])
    yield from (Line(f"{status}: {count}", "over") for status, count in sorted(ended.items()))
