"""A plan made ready for deciding: conditions loaded, events looked up by who listens, stages in order.

Built with its case type and shared by all threads. Items that a case has of its own are laid over it by
:func:`extended`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from attrs import Factory, evolve, frozen

from casekit.decisions.conditions import Expression, Scope, load
from casekit.definition.casetype import CaseType
from casekit.definition.load import canonical_text, structure
from casekit.definition.plan import Due, Item, Sentry
from casekit.definition.requirements import within
from casekit.errors import BadInput, Problem
from casekit.model.canonical import parse
from casekit.model.time import Duration, duration

WORDS = ("started", "completed", "terminated", "skipped", "enabled", "disabled", "suspended", "resumed", "reopened", "overdue")
"""What an item says of itself."""
LISTENING = ("listener", "timer")
"""Kinds that wait for something and then occur."""
WAITS = ("available", "waiting")
"""States in which an item waits for its entry."""

_ALIASES = {"occurred": "completed", "reached": "completed"}
_ASKED = re.compile(r"""(?:done|active|milestone)\(\s*\\?['"]([^'"\\]+)""")


@frozen(eq=False)
class Criterion:
    """A sentry, ready.

    Attributes:
        says: The record.
        key: Under which it is remembered (``entry.0``).
        parts: Events by the names under which they are heard.
        same: Of each part: whether it comes from the same stage, so that it counts only within one instance of it.
        when: Its condition, or None.
    """

    says: Sentry
    key: str
    parts: tuple[str, ...]
    same: tuple[bool, ...]
    when: Expression | None


Rule = Expression | bool
"""Yes, no, or a condition."""


@frozen(eq=False)
class Piece:
    """An item, ready.

    Attributes:
        id, says: Its key and record.
        chain: The stages around it, outermost first.
        entry, exit: Its sentries.
        hears: Whether an entry waits for an event.
        required, manual, auto_complete: Its rules.
        again: Condition of its repetition, or None.
        after: Offset of its due moment, or None.
        of: What the offset counts from: empty, ``opened``, ``data:field`` or an event.
        local: Whether the case has it of its own.
    """

    id: str
    says: Item
    chain: tuple[str, ...]
    entry: tuple[Criterion, ...]
    exit: tuple[Criterion, ...]
    hears: bool
    required: Rule
    manual: Rule
    auto_complete: Rule
    again: Expression | None
    after: Duration | None
    of: str
    local: bool = False

    def event(self, word: str) -> str:
        """The internal event that the lifecycle hears."""
        if self.says.kind == "milestone" and word == "completed":
            return f"milestone.{self.id}"
        return f"{'stage' if self.says.kind == 'stage' else 'item'}.{self.id}.{word}"


@frozen(eq=False)
class Place:
    """Where an event is listened for: a part of a sentry of an item, at its entry or exit."""

    item: str
    entry: bool
    criterion: Criterion
    part: int
    same: bool


@frozen(eq=False)
class Planning:
    """A plan, ready.

    Attributes:
        pieces: Item → piece, stages before what lies in them.
        within: Stage (empty: the plan itself) → items that come with it, in order.
        offered: Stage → items that someone may plan into it.
        listeners: Event → where it is listened for.
        stages: Stages, innermost first.
        opening, leaving: Items with entry rules to look at (all but listeners), and those with exits.
        dated: Items with a due moment.
        references: Events whose last moment is kept, for due moments count from them.
        listening: Listeners and timers at which neither the lifecycle nor a condition looks.
        public: Items at which one of them does.
        scope: What conditions of items may name; those of a case's own items as well.
    """

    pieces: Mapping[str, Piece]
    within: Mapping[str, tuple[str, ...]]
    offered: Mapping[str, tuple[str, ...]]
    listeners: Mapping[str, tuple[Place, ...]]
    stages: tuple[str, ...]
    opening: tuple[str, ...]
    leaving: tuple[str, ...]
    dated: tuple[str, ...]
    references: frozenset[str]
    listening: tuple[str, ...]
    public: frozenset[str]
    scope: Scope = Factory(Scope)


def event_named(text: str, items: Iterable[str]) -> str:
    """The name under which a sentry's event is heard."""
    known = items if isinstance(items, (set, frozenset, dict)) else set(items)
    bare = re.sub(r"^(item|stage|milestone)\.", "", text)
    if bare in known and (bare == text or text.startswith("milestone.")):
        return f"{bare}.completed"
    item, _, word = bare.rpartition(".")
    return f"{item}.{_ALIASES.get(word, word)}" if item in known else text


def load_planning(case_type: CaseType, scope: Scope, where: str, problems: list[Problem]) -> Planning:
    """The plan of a case type; what is wrong with its conditions and durations is added to ``problems``."""
    items = case_type.plan
    pieces = {key: _Loader(key, items, scope, f"{where}: /plan/{key}", problems).piece() for key in _outside_in(items)}
    return _planning(pieces, _public(case_type) if items else frozenset(), scope)


@lru_cache(maxsize=512)
def extended(planning: Planning, local: str) -> Planning:
    """The plan with the items that a case has of its own, as canonical JSON (item → ``says``: its record).

    Raises:
        BadInput: one of them makes no sense.
    """
    added: dict[str, Item] = {key: structure(record["says"], Item, key) for key, record in parse(local, "plan").items()}
    items = {**{key: piece.says for key, piece in planning.pieces.items()}, **added}
    problems: list[Problem] = []
    pieces = dict(planning.pieces)
    milestones = {key for key, item in added.items() if item.kind == "milestone"}
    scope = evolve(planning.scope, items=planning.scope.items | set(added), milestones=planning.scope.milestones | milestones)
    for key in _outside_in(items):
        if key in added:
            pieces[key] = evolve(_Loader(key, items, scope, f"plan/{key}", problems).piece(), local=True)
    if problems:
        raise BadInput(problems)
    # What a condition of the case's own looks at is no orphan.
    public = planning.public | (set(_ASKED.findall(local)) & set(items))
    return evolve(_planning({key: pieces[key] for key in _outside_in(items)}, public, scope), scope=planning.scope)


class _Loader:
    """Loads one item, and collects what is wrong with it."""

    def __init__(self, key: str, items: Mapping[str, Item], scope: Scope, at: str, problems: list[Problem]) -> None:
        self.key, self.items, self.says, self.at, self.problems = key, items, items[key], at, problems
        self.scope = evolve(scope, counter=True)

    def piece(self) -> Piece:
        says = self.says
        entry = tuple(self._criterion(s, f"entry.{i}") for i, s in enumerate(says.entry))
        return Piece(
            id=self.key,
            says=says,
            chain=tuple(reversed(tuple(_around(self.key, self.items)))),
            entry=entry,
            exit=tuple(self._criterion(s, f"exit.{i}") for i, s in enumerate(says.exit)),
            hears=any(criterion.parts for criterion in entry),
            required=self._rule(says.required, "required"),
            manual=self._rule(says.manual, "manual"),
            auto_complete=self._rule(says.auto_complete, "auto_complete"),
            again=self._condition(says.repeat.when, "repeat/when") if says.repeat else None,
            after=self._length(says.due) if says.due else None,
            of=self._reference(says.due),
        )

    def _criterion(self, says: Sentry, key: str) -> Criterion:
        parts = tuple(event_named(text, self.items) for text in says.on)
        same = tuple(self._same(part) for part in parts)
        return Criterion(says, key, parts, same, self._condition(says.when, f"{key.replace('.', '/')}/when"))

    def _same(self, part: str) -> bool:
        other = self.items.get(part.rpartition(".")[0])
        return other is not None and bool(self.says.stage) and other.stage == self.says.stage

    def _rule(self, says: bool | str, path: str) -> Rule:
        if isinstance(says, bool):
            return says
        found = self._condition(says, path)
        return False if found is None else found

    def _condition(self, text: str, path: str) -> Expression | None:
        if not text:
            return None
        try:
            return load(text, self.scope, f"{self.at}/{path}")
        except BadInput as wrong:
            self.problems += wrong.problems
            return None

    def _length(self, due: Due) -> Duration | None:
        try:
            return duration(due.after)
        except BadInput as wrong:
            self.problems += [Problem(f"{self.at}/due/after", p.what, p.do) for p in wrong.problems]
            return None

    def _reference(self, due: Due | None) -> str:
        if due is None or not due.of or due.of == "opened" or due.of.startswith("data:"):
            return due.of if due else ""
        return event_named(due.of, self.items)


def _planning(pieces: Mapping[str, Piece], public: frozenset[str], scope: Scope) -> Planning:
    within: dict[str, list[str]] = {}
    offered: dict[str, list[str]] = {}
    listeners: dict[str, list[Place]] = {}
    for key, piece in sorted(pieces.items(), key=lambda pair: pair[1].says.order):
        if not piece.local:
            (offered if piece.says.discretionary else within).setdefault(piece.says.stage, []).append(key)
        for event, place in _places(piece):
            listeners.setdefault(event, []).append(place)
    stages = sorted((key for key, p in pieces.items() if p.says.kind == "stage"), key=lambda key: -len(pieces[key].chain))
    dated = tuple(key for key, p in pieces.items() if p.after is not None)
    references = {pieces[key].of for key in dated} - {"", "opened"}
    return Planning(
        pieces=pieces,
        within=_frozen(within),
        offered=_frozen(offered),
        listeners={event: tuple(places) for event, places in listeners.items()},
        stages=tuple(stages),
        opening=tuple(key for key, p in pieces.items() if p.says.kind not in LISTENING),
        leaving=tuple(key for key, p in pieces.items() if p.exit),
        dated=dated,
        references=frozenset(of for of in references if not of.startswith("data:")),
        listening=tuple(key for key, p in pieces.items() if p.says.kind in LISTENING and key not in public),
        public=public,
        scope=scope,
    )


def _frozen(lists: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(found) for key, found in lists.items()}


def _places(piece: Piece) -> Iterator[tuple[str, Place]]:
    for entry, criteria in ((True, piece.entry), (False, piece.exit)):
        for criterion in criteria:
            for part, event in enumerate(criterion.parts):
                yield event, Place(piece.id, entry, criterion, part, criterion.same[part])


def _around(key: str, items: Mapping[str, Item]) -> Iterator[str]:
    """The stages around an item, innermost first; one that lies within itself ends it."""
    seen = {key}
    at = items[key].stage
    while at and at in items and at not in seen:
        yield at
        seen.add(at)
        at = items[at].stage


def _outside_in(items: Mapping[str, Item]) -> list[str]:
    """Items in order, each stage before what lies in it, what lies in it before the next one."""

    def place(key: str) -> list[tuple[int, str]]:
        return [(items[at].order, at) for at in reversed([key, *_around(key, items)])]

    return sorted(items, key=place)


def asked_for(case_type: CaseType) -> frozenset[str]:
    """Items that a condition or a requirement of the case type looks at."""
    said = [part for says in case_type.requirements.values() for _, part in within(says)]
    named = {name for part in said for name in (part.item, part.milestone) if name}
    return frozenset({*_ASKED.findall(canonical_text(case_type)), *named})


def _public(case_type: CaseType) -> frozenset[str]:
    """Items that the lifecycle listens to, or that a condition looks at."""
    named = set(asked_for(case_type))
    for key, transition in case_type.transitions.items():
        event = event_named(transition.on or key, case_type.plan)
        named.add(event.rpartition(".")[0])
    named |= {event_named(item.due.of, case_type.plan).rpartition(".")[0] for item in case_type.plan.values() if item.due and item.due.of}
    return frozenset(named & set(case_type.plan))
