"""A case type made ready for deciding: conditions loaded, paths resolved, ways looked up by event.

Built once per case-type digest and shared by all threads; nothing in it changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import takewhile
from typing import Any, TypeVar

from attrs import Factory, evolve, frozen
from attrs import field as attr

from casekit.decisions.chart import Chart, Deed, Kind, Node
from casekit.decisions.conditions import Expression, Inputs, Scope, load
from casekit.decisions.items import Planning, load_planning
from casekit.decisions.needs import Load, Ready, load_requirements, rules_of
from casekit.decisions.parts import Read
from casekit.decisions.timers import Timer, anchors_of, calendars_of, counts_of, is_plain, timer
from casekit.definition.casetype import ALWAYS, ENDED, Action, CaseType, State, Total, Transition
from casekit.definition.fields import Field, kind_of
from casekit.definition.requirements import Requirement, references, within
from casekit.errors import BadInput, Problem

GUARDED: Mapping[str, Mapping[str, str]] = {
    "pay": {"amount": "money"},
    "charge": {"amount": "money", "component": "string"},
    "reverse": {"amount": "money", "kind": "string"},
    "message": {"role": "string", "direction": "string", "via": "string", "outcome": "string"},
    "document": {"kind": "string", "direction": "string"},
    "document-status": {"kind": "string", "status": "string"},
    "link": {"relation": "string"},
    "fact": {"key": "string"},
    "change": {},
    "rectify": {},
    "classify": {"level": "string"},
    "choose": {"option": "string"},
    "extend": {"clock": "string"},
    "confirm-clock": {"clock": "string"},
    "keep-clock": {"clock": "string"},
    "item": {"item": "string", "action": "string"},
    "approve": {"requirement": "string"},
}
"""Core commands that a case type may guard → what its conditions see of them as ``event.<field>``."""

INTERNAL = re.compile(
    r"payment|charge|reversal|chosen|fact\..+|document\..+|message\.(in|out)|done\.state\..+|clock\..+\.(warned|breached|escalated|moved|would-move|met|withdrawn)"
    r"|milestone\..+|(item|stage)\..+\.(started|completed|terminated|skipped|overdue)|plan\.completed|reviewed|approval\..+|(un)?linked\..+"
)
"""Events that the core raises by itself."""

_T = TypeVar("_T")


@frozen(eq=False)
class Way:
    """A transition, its conditions loaded.

    Attributes:
        key: Its key.
        event: The event that it listens to.
        says: The record.
        when: Its condition, or None.
        do: Its deeds.
        ends: Whether it leads into a state that is over.
        outcome: What came out then; empty where it does not end.
        needs: Requirements that it must meet: its own, and those of every closing where it ends.
        targets: The states that it leads to.
        source: The state from which it is taken, where that is settled: in ``leading``, not in ``ways``.
    """

    key: str
    event: str
    says: Transition
    when: Expression | None
    do: tuple[Deed, ...]
    ends: bool
    outcome: str
    needs: tuple[str, ...]
    targets: tuple[str, ...] = ()
    source: str = ""

    @property
    def internal(self) -> bool:
        """Whether a source that contains all targets is kept."""
        return self.says.internal


@frozen
class Compiled:
    """A case type, ready.

    Attributes:
        says: The record.
        digest: Its content address.
        chart: The states: what transitions leave and enter.
        nodes: State path → state, without histories.
        ways: Event → ways in order; ``always`` among them.
        fired: Events that someone may fire: not those that the core raises by itself, and not ``always``.
        timers: Clocks in order.
        requirements: Key → requirement, of the case type's own.
        totals: Name → record and, where it has one, expression, in order.
        opening: Component → expression of what is charged on opening.
        foreign: Requirement keys that a plugin must answer.
        asks: Requirement of the case type's own → those of plugins that it rests on, where there are any.
        approved: Requirement → permission → what an approval of it covers.
        leading: Leaf state → event → the ways that may be taken from there: innermost source first, then in order.
        planning: The plan, its conditions loaded.
        calendars, counts: Keys of the calendars and rules of counting that its clocks go by.
        anchors: What clocks count from and the head must remember: ``state:``, ``event:`` or ``clock:`` and a name.
        termed: Whether any clock has terms.
        nothing: Currency → every total at zero, worked out when it is first wanted.
    """

    says: CaseType
    digest: str
    chart: Chart
    nodes: Mapping[str, Node]
    ways: Mapping[str, tuple[Way, ...]]
    fired: frozenset[str]
    timers: tuple[Timer, ...]
    requirements: Mapping[str, Ready]
    totals: Mapping[str, tuple[Total, Expression | None]]
    opening: tuple[tuple[str, Expression], ...]
    foreign: frozenset[str]
    leading: Mapping[str, Mapping[str, tuple[Way, ...]]]
    planning: Planning
    calendars: frozenset[str] = frozenset()
    counts: frozenset[str] = frozenset()
    anchors: frozenset[str] = frozenset()
    termed: bool = False
    asks: Mapping[str, frozenset[str]] = Factory(dict)
    approved: Mapping[str, Mapping[str, frozenset[str]]] = Factory(dict)
    nothing: dict[str, dict[str, str]] = attr(factory=dict, repr=False)

    @property
    def always(self) -> tuple[Way, ...]:
        """Eventless transitions, in order."""
        return self.ways.get(ALWAYS, ())

    def timer(self, clock: str) -> Timer:
        """The clock of that name."""
        return next(t for t in self.timers if t.id == clock)

    def active(self, leaves: Iterable[str]) -> frozenset[str]:
        """The active states with all their ancestors."""
        return self.chart.active(leaves)


def compile_type(case_type: CaseType, digest: str, rules: Collection[str] | None = (), where: str = "") -> Compiled:
    """The case type, ready for deciding.

    Args:
        case_type: The record; its structure was checked by :func:`casekit.decisions.check.check`.
        digest: Its content address.
        rules: Requirement keys that plugins bring; None: any key is taken to be one (a case's plugin may be gone).
        where: File or plugin, for messages.

    Raises:
        BadInput: every condition, duration or name that is wrong, each with its path.
    """
    return _Loader(case_type, where or case_type.key).compiled(digest, rules)


class _Loader:
    """Loads the parts of one case type, and collects what is wrong with them."""

    def __init__(self, case_type: CaseType, where: str) -> None:
        self.type = case_type
        self.where = where
        self.problems: list[Problem] = []
        self.paths = tuple(_paths(case_type.states))
        self.tests: dict[str, Read] = dict.fromkeys(case_type.requirements, _not_yet)
        self.scope = evolve(_scope(case_type, frozenset(path for path, state in self.paths if not state.history)), requirements=self.tests)
        self.scope = evolve(self.scope, unasked=frozenset(key for key in case_type.requirements if rules_named(case_type, key)))
        self._events: dict[str, dict[str, str]] | None = None
        self.seen = _seen(t.form for t in case_type.transitions.values())

    def compiled(self, digest: str, rules: Collection[str] | None) -> Compiled:
        foreign = self._foreign(rules)
        states = {path: self._node(place, path, state) for place, (path, state) in enumerate(self.paths)}
        chart = Chart(states, inner("", self.type.initial))
        ways = self._ways(chart)
        nodes = {path: node for path, node in states.items() if node.kind != "history"}
        # A way that is taken from several states is one for each of them, the same for all leaves in it.
        requirements = load_requirements(self.type, self.tests, self._loads)
        taken = {event: [evolve(way, source=path) for way in known for path in way.says.source] for event, known in ways.items()}
        built = Compiled(
            says=self.type,
            digest=digest,
            chart=chart,
            nodes=nodes,
            ways=ways,
            fired=frozenset(event for event in ways if event != ALWAYS and not INTERNAL.fullmatch(event)),
            timers=tuple(self._timer(id_) for id_, _ in _in_order(self.type.clocks)),
            calendars=calendars_of(self.type),
            counts=counts_of(self.type),
            anchors=anchors_of(self.type),
            termed=not all(is_plain(id_, self.type) for id_ in self.type.clocks),
            requirements=requirements,
            asks={key: rules for key in requirements if (rules := rules_of(requirements, [key]))},
            approved=_approved(self.type),
            totals={name: (total, self._total(name, total)) for name, total in _in_order(self.type.totals)},
            opening=self._opening(),
            foreign=foreign,
            leading={path: _leading(node, taken) for path, node in nodes.items() if not node.children},
            planning=load_planning(self.type, self.scope, self.where, self.problems),
        )
        if self.problems:
            raise BadInput(list(dict.fromkeys(self.problems)))
        return built

    def load(self, text: str, path: str, event: Mapping[str, str] | None = None) -> Any:
        """The condition, or None where there is none or where it is wrong (and noted as such)."""
        if not text:
            return None
        return self._try(lambda: load(text, evolve(self.scope, event=event or {}), f"{self.where}: {path}"))

    def written(self, text: str, path: str, form: Mapping[str, Field], want: str) -> Any:
        """An expression whose value is written down in the clear: it may rest on nothing that is personal."""
        groups = (("", self.type.data), ("fact:", self.type.facts), ("event.", form))
        sealed = frozenset(f"{prefix}{name}" for prefix, fields in groups for name, f in fields.items() if f.personal)
        scope = evolve(self.scope, event=kinds(form), sealed=sealed)
        return self._try(lambda: load(text, scope, f"{self.where}: {path}", want))

    def _try(self, read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except BadInput as wrong:
            self.problems += wrong.problems
            return None

    def _foreign(self, rules: Collection[str] | None) -> frozenset[str]:
        named = [(f"/transitions/{key}/requires", r) for key, t in self.type.transitions.items() for r in t.requires]
        named += [(f"/guards/{command}", r) for command, keys in self.type.guards.items() for r in keys]
        named += [("/closing", r) for r in self.type.closing]
        named += [(f"/requirements/{key}", r) for key, says in self.type.requirements.items() for r in references(says)]
        own = self.type.requirements
        for path, key in named:
            if key not in own and rules is not None and key not in rules:
                known = ", ".join(sorted({*own, *rules})) or "none"
                self.problems.append(Problem(f"{self.where}: {path}", f"no requirement {key!r}", f"those known are: {known}"))
        return frozenset(key for _, key in named if key not in own)

    def _node(self, place: int, path: str, state: State) -> Node:
        chain = _chain(path)
        at = "/states/" + path.replace(".", "/states/")
        inside = [(f"{path}.{name}", bool(inner.history)) for name, inner in _in_order(state.states)]
        deeds = {name: self._deeds(getattr(state, name), f"{at}/{name}", self.seen) for name in ("on_enter", "on_exit", "on_initial")}
        return Node(
            path=path,
            place=place,
            kind=_kind(state),
            chain=chain,
            within=frozenset(chain),
            children=tuple(name for name, history in inside if not history),
            histories=tuple(name for name, history in inside if history),
            initial=inner(".".join(chain[-2:-1]) if state.history else path, state.initial),
            deep=state.history == "deep",
            category=state.category,
            outcome=state.outcome,
            done=self._expressions(state.done, f"{at}/done", self.seen),
            **deeds,
        )

    def _ways(self, chart: Chart) -> dict[str, tuple[Way, ...]]:
        found: dict[str, list[Way]] = {}
        for key, says in _in_order(self.type.transitions):
            event = says.on or key
            when = self.load(says.when, f"/transitions/{key}/when", kinds(says.form))
            deeds = self._deeds(says.do, f"/transitions/{key}/do", says.form)
            targets = tuple((says.target or "").split())
            there = chart.landing(targets) if targets and all(target in chart.nodes for target in targets) else None
            ends = there is not None and there.category in ENDED
            needs = (*says.requires, *(self.type.closing if ends else ()))
            outcome = there.outcome if there and ends else ""
            found.setdefault(event, []).append(Way(key, event, says, when, deeds, ends, outcome, needs, targets))
        return {event: tuple(ways) for event, ways in found.items()}

    def _deeds(self, actions: Iterable[Action], path: str, form: Mapping[str, Field]) -> tuple[Deed, ...]:
        return tuple(self._deed(action, f"{path}/{i}", form) for i, action in enumerate(actions))

    def _deed(self, action: Action, path: str, form: Mapping[str, Field]) -> Deed:
        changes: list[tuple[str, Expression | None]] = []
        for at, name, text in [*(("set", *item) for item in action.set.items()), *(("unset", name, None) for name in action.unset)]:
            field = self.type.data.get(name)
            if field is None or field.personal:
                what = "no such field" if field is None else "a personal field is never set by an expression"
                self.problems.append(Problem(f"{self.where}: {path}/{at}/{name}", what, "set a clear field of the case's data"))
            elif text is None:
                changes.append((name, None))
            else:
                changes.append((name, self.written(text, f"{path}/set/{name}", form, kind_of(field.schema))))
        return Deed(
            tuple(changes),
            action.emit,
            action.run,
            self._expressions(action.args, f"{path}/args", form),
            self.load(action.when, f"{path}/when", kinds(form)),
            self._deeds(action.do, f"{path}/do", form),
            self._deeds(action.otherwise, f"{path}/otherwise", form),
            action.after,
            action.start,
            action.cancel,
        )

    def _expressions(self, texts: Mapping[str, str], path: str, form: Mapping[str, Field]) -> tuple[tuple[str, Expression], ...]:
        return tuple((name, self.written(text, f"{path}/{name}", form, "any")) for name, text in texts.items())

    def _timer(self, id_: str) -> Timer:
        def note(path: str, what: str, do: str) -> None:
            self.problems.append(Problem(f"{self.where}: {path}", what, do))

        return timer(id_, self.type, self.load, note)

    def _loads(self, key: str) -> Load:
        """What loads the conditions of a requirement: they see the events that it is asked about."""
        if self._events is None:
            self._events = self._seen_by_requirements()
        event = self._events.get(key)
        return lambda text, path: self.load(text, path, event)

    def _seen_by_requirements(self) -> dict[str, dict[str, str]]:
        """What a requirement may see of the events that it is asked about: the fields of all of them, where they are of one kind."""
        asked = [(key, kinds(t.form)) for t in self.type.transitions.values() for key in t.requires]
        asked += [(key, dict(GUARDED.get(command, {}))) for command, keys in self.type.guards.items() for key in keys]
        asked += [(inner, fields) for key, fields in asked for inner in rests_on(self.type, key)]
        seen: dict[str, dict[str, str]] = {}
        for key, fields in asked:
            known = seen.setdefault(key, {})
            known |= {name: kind if known.get(name, kind) == kind else "mixed" for name, kind in fields.items()}
        return {key: {name: kind for name, kind in fields.items() if kind != "mixed"} for key, fields in seen.items()}

    def _total(self, name: str, total: Total) -> Expression | None:
        if not total.of:
            return None
        # Totals are computed in order, so that one can rest on those before it only.
        before = takewhile(lambda other: other != name, (key for key, _ in _in_order(self.type.totals)))
        scope = Scope(totals=dict.fromkeys(before, "money"), documents=frozenset(), time=False)
        return self._try(lambda: load(total.of, scope, f"{self.where}: /totals/{name}/of", "money"))

    def _opening(self) -> tuple[tuple[str, Expression], ...]:
        book = self.type.ledger
        texts = book.opening.items() if book else ()
        loaded = [(component, self.written(text, f"/ledger/opening/{component}", {}, "money")) for component, text in texts]
        return tuple((component, expression) for component, expression in loaded if expression is not None)


def rests_on(case_type: CaseType, key: str) -> tuple[str, ...]:
    """The requirements of a case type that one of them rests on, however deep: named as parts, or asked for by ``meets``."""
    found: dict[str, None] = {}
    waiting = [key]
    while waiting:
        says = case_type.requirements.get(waiting.pop())
        for name in () if says is None else asked_by(says):
            if name in case_type.requirements and name not in found:
                found[name] = None
                waiting.append(name)
    return tuple(found)


def rules_named(case_type: CaseType, key: str) -> frozenset[str]:
    """The requirements that no case type says, and so a plugin must, on which one rests; itself, where it is one."""
    if key not in case_type.requirements:
        return frozenset({key})
    own = [case_type.requirements[name] for name in (key, *rests_on(case_type, key))]
    return frozenset(name for says in own for name in references(says) if name not in case_type.requirements)


def asked_by(says: Requirement) -> tuple[str, ...]:
    """The requirements that one names: as parts of it, or by ``meets`` in its conditions."""
    texts = [part.when for _, part in within(says) if part.when]
    return (*references(says), *(name for text in texts for name in MEETS.findall(text)))


MEETS = re.compile(r"""\bmeets\(\s*['"]([^'"]*)""")
"""Finds what a condition asks for by ``meets``."""


def _approved(case_type: CaseType) -> dict[str, dict[str, frozenset[str]]]:
    found: dict[str, dict[str, frozenset[str]]] = {}
    for key, says in case_type.requirements.items():
        for _, part in within(says):
            if part.approval:
                known = found.setdefault(key, {})
                known[part.approval] = known.get(part.approval, frozenset()) | set(part.over)
    return found


def _not_yet(_: Inputs) -> None:
    """Stands for the test of a requirement while its case type is compiled."""
    return


def inner(path: str, names: str) -> tuple[str, ...]:
    """Full paths of states that are named from within another one; that of the whole is empty."""
    return tuple(f"{path}.{name}" if path else name for name in names.split())


def kinds(fields: Mapping[str, Field]) -> dict[str, str]:
    """The kind of each field, as conditions know it."""
    return {name: kind_of(f.schema) for name, f in fields.items()}


def scope_of(case_type: CaseType) -> Scope:
    """What conditions of a case type may name."""
    return _scope(case_type, frozenset(path for path, _ in _paths(case_type.states)))


def _scope(case_type: CaseType, states: frozenset[str]) -> Scope:
    return Scope(
        data=kinds(case_type.data),
        totals=dict.fromkeys(case_type.totals, "money"),
        facts=kinds(case_type.facts),
        event={},
        states=states,
        clocks=frozenset(case_type.clocks),
        roles=frozenset(case_type.roles),
        documents=frozenset(case_type.documents) or None,
        items=frozenset(case_type.plan),
        milestones=frozenset(key for key, item in case_type.plan.items() if item.kind == "milestone"),
    )


def _kind(state: State) -> Kind:
    if state.history:
        return "history"
    return "parallel" if state.parallel else "compound" if state.states else "final" if state.final else "atomic"


def _seen(forms: Iterable[Mapping[str, Field]]) -> dict[str, Field]:
    """What states may see of the events that lead to them: the fields of all of them, where they are of one kind."""
    found: dict[str, Field] = {}
    mixed: set[str] = set()
    for form in forms:
        for name, said in form.items():
            known = found.setdefault(name, said)
            mixed |= {name} if kind_of(known.schema) != kind_of(said.schema) else set()
            found[name] = said if said.personal else known
    return {name: field for name, field in found.items() if name not in mixed}


def _leading(leaf: Node, taken: Mapping[str, Iterable[Way]]) -> dict[str, tuple[Way, ...]]:
    found = {event: tuple(way for path in reversed(leaf.chain) for way in ways if way.source == path) for event, ways in taken.items()}
    return {event: known for event, known in found.items() if known}


def _in_order(records: Mapping[str, _T]) -> list[tuple[str, _T]]:
    return sorted(records.items(), key=lambda item: item[1].order)  # type: ignore[attr-defined]


def _paths(states: Mapping[str, State], above: str = "") -> Iterable[tuple[str, State]]:
    for name, state in _in_order(states):
        path = f"{above}{name}"
        yield path, state
        yield from _paths(state.states, f"{path}.")


def _chain(path: str) -> tuple[str, ...]:
    parts = path.split(".")
    return tuple(".".join(parts[: i + 1]) for i in range(len(parts)))
