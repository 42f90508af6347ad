"""Requirements made ready for deciding: names looked up, conditions loaded, one test each.

Built once with the case type. What the hot path asks is ``holds``, a closure over what it reads; the tree that
explains it is walked only when someone asks why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from casekit.decisions import parts
from casekit.decisions.conditions import Expression
from casekit.decisions.parts import Read
from casekit.definition.casetype import CaseType
from casekit.definition.requirements import Requirement

Load = Callable[[str, str], Expression | None]
"""Loads a condition, given its text and path."""


@frozen(eq=False)
class Ready:
    """A requirement, or a part of one, ready.

    Attributes:
        key: Its key, or that of the requirement around it.
        says: The record; of a part that is only named, an empty one.
        code: Its kind: a field of the record, ``expression`` for a condition, ``requirement`` for one of this case type
            that is named, ``rule`` for one of a plugin.
        name: What it is about: the item, the kind of document, … or the requirement that is named.
        holds: Whether it is met; None: not known.
        when: Its condition, or None.
        inner: What it is put together from.
        rules: Requirements of plugins that it rests on.
    """

    key: str
    says: Requirement
    code: str
    name: str
    holds: Read
    when: Expression | None = None
    inner: tuple[Ready, ...] = ()
    rules: frozenset[str] = frozenset()


def load_requirements(case_type: CaseType, tests: dict[str, Read], load: Callable[[str], Load]) -> dict[str, Ready]:
    """The requirements of a case type, those before others that rest on them.

    Args:
        case_type: The record; that no requirement rests on itself was checked.
        tests: Gets the test of each, by key.
        load: Gives what loads the conditions of a requirement, given its key.
    """
    found: dict[str, Ready] = {}
    for key, says in case_type.requirements.items():
        found[key] = _Loader(case_type, key, load(key), tests).ready(says, f"/requirements/{key}")
        tests[key] = found[key].holds
    return found


def rules_of(requirements: Mapping[str, Ready], keys: Iterable[str]) -> frozenset[str]:
    """The requirements of plugins that these requirements rest on, however deep; what is not known here is one itself."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        if key not in requirements:
            found.add(key)
            continue
        found |= requirements[key].rules
        waiting += _named(requirements[key])
    return frozenset(found)


def _named(ready: Ready) -> list[str]:
    inner = [name for part in ready.inner for name in _named(part)]
    return [*inner, ready.name] if ready.code == "requirement" else inner


class _Loader:
    """Loads one requirement."""

    def __init__(self, case_type: CaseType, key: str, load: Load, tests: Mapping[str, Read]) -> None:
        self.type, self.key, self.load, self.tests = case_type, key, load, tests

    def ready(self, says: Requirement | str, at: str) -> Ready:
        if isinstance(says, str):
            return self._named(says)
        kind = next(iter(says.kinds), "when")
        if says.parts:
            return self._joined(says, kind, at)
        when = self.load(says.when or ("" if says.field else " "), f"{at}/when") if kind in ("when", "field") else None
        if kind == "when":
            return Ready(self.key, says, "expression", "", when.holds if when else _unknown, when)
        return Ready(self.key, says, kind, str(getattr(says, kind)), self._test(says, kind, when), when)

    def _named(self, key: str) -> Ready:
        if key in self.type.requirements:
            return Ready(self.key, Requirement(), "requirement", key, parts.looked_up(self.tests, key))
        return Ready(self.key, Requirement(), "rule", key, parts.asked_of_plugin(key), rules=frozenset({key}))

    def _joined(self, says: Requirement, kind: str, at: str) -> Ready:
        inner = tuple(self.ready(part, f"{at}/{kind}/{place}") for place, part in enumerate(getattr(says, kind)))
        tests = [part.holds for part in inner]
        holds = {
            "all": lambda: parts.all_of(tests),
            "any": lambda: parts.any_of(tests),
            "none": lambda: parts.all_of([parts.negated(test) for test in tests]),
            "n_of": lambda: parts.at_least(says.count, tests),
        }[kind]()
        return Ready(self.key, says, kind, "", holds, None, inner, frozenset().union(*(part.rules for part in inner)))

    def _test(self, says: Requirement, kind: str, when: Expression | None) -> Read:
        name, count = str(getattr(says, kind)), says.count
        if kind == "item":
            return parts.item_is(name, "active") if says.status == "active" else parts.item_done(name)
        if kind == "milestone":
            return parts.item_done(name)
        if kind == "document":
            if not says.status:
                return parts.enough_documents(name, count)
            standing = standing_of(self.type, says)
            return lambda inputs: standing(inputs) >= count
        if kind == "linked":
            return parts.all_ended(name)
        if kind == "party":
            return parts.enough_parties(name, count)
        if kind == "approval":
            return parts.enough_approvals(self.key, name, count)
        if kind == "clock":
            return _clock(name, says.status)
        group, _, key = ("facts", "", name[5:]) if name.startswith("fact:") else ("data", "", name)
        return parts.present(parts.stored(group, key, "other"), when.holds if when else None)


def standing_of(case_type: CaseType, says: Requirement) -> Read:
    """How many documents have the status that a requirement asks for."""
    kind = case_type.documents.get(says.document)
    first = kind is not None and kind.statuses[:1] == (says.status,)
    return parts.standing_documents(says.document, says.status, first=first)


def _clock(name: str, status: str) -> Read:
    if status == "breached":
        return parts.clock_is(name, "breached", or_was=True)
    return parts.negated(parts.clock_is(name, "running")) if status == "not-running" else parts.clock_was(name, "met")


def _unknown(_: parts.Inputs) -> None:
    """The test of a condition that could not be loaded: the case type is refused for it."""
    return
