"""What would meet a requirement: ways that are computed from the case type, and tried before they are named.

What can be done right here is named outright (a document, a party, a field, an approval). What has to be brought about
(a state, a milestone, a clock that is met) is searched for: every event and every command on the plan that is possible
now is played through the pure step on a copy, then what is possible after that, the shortest ways first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from attrs import evolve, field, frozen

from casekit.decisions import orders
from casekit.decisions.compiled import Way
from casekit.decisions.machine import Run, World
from casekit.decisions.needs import Ready
from casekit.decisions.parts import Inputs, Read
from casekit.definition.casetype import ENDED
from casekit.errors import BadInput, Livelock
from casekit.model.canonical import Json, encode
from casekit.model.judged import Act, Judged, Remedy

DEEPEST = 3
"""Acts in one remedy that is searched for."""
MOST = 400
"""Steps that a search plays at most."""
NAMED = 5
"""Remedies that are named of one thing."""

_COUNTED = re.compile(r"""\b(documents|parties)\(\s*['"]([^'"]+)['"]\s*\)""")

Who = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Roles that have all of some permissions."""


@frozen
class _Spot:
    """Where a search stands: what was done, and what has come of it."""

    run: Run
    acts: tuple[Act, ...] = ()
    blocked: bool = False
    put: Json = field(factory=dict)


class Remedies:
    """Finds remedies for one case as it stands.

    Args:
        run: The case now; it is not changed.
        who: Says who has permissions.
    """

    def __init__(self, run: Run, who: Who = lambda _: ()) -> None:
        self.run, self.who = run, who
        self._spots: list[_Spot] | None = None

    def of(self, ready: Ready, judged: Judged) -> tuple[Remedy, ...]:
        """Ways to meet a leaf that is not met."""
        short = max(1, ready.says.count - (judged.actual if isinstance(judged.actual, int) else 0))
        name = ready.name
        if ready.code == "document" and ready.says.status:
            return self._standing(ready, short)
        if ready.code == "linked":
            return self._one(Act("linked", name, count=judged.needed - judged.actual, permissions=("case.close",)))
        if ready.code == "document":
            return self._one(Act("document", name, count=short, permissions=("document.add",)))
        if ready.code == "party":
            return self._one(Act("party", name, count=short, permissions=("case.role",)))
        if ready.code == "approval":
            return self._one(Act("approval", ready.key, count=short, permissions=("case.approve", name)))
        if ready.code == "field" and ready.when is None:
            fact = name.startswith("fact:")
            return self._one(
                Act("fact" if fact else "field", name.removeprefix("fact:"), permissions=("fact.note" if fact else "case.change",))
            )
        direct = self._on_file(ready) if ready.when is not None else ()
        return direct or self.search(ready.holds)

    def _standing(self, ready: Ready, short: int) -> tuple[Remedy, ...]:
        """Documents that are filed first, where there are too few, and then get the status."""
        name, status = ready.name, ready.says.status
        statuses = self.run.definition.says.documents[name].statuses
        others = self.run.inputs.documents.get(name, 0) - (ready.says.count - short)
        add = short if status == statuses[0] else max(0, short - others)
        acts = [Act("document", name, count=add, permissions=("document.add",))] if add else []
        if status != statuses[0]:
            acts.append(Act("standing", name, status, short, permissions=("document.status",)))
        return (Remedy(tuple(map(self._named, acts))),)

    def _on_file(self, ready: Ready) -> tuple[Remedy, ...]:
        """Documents and parties that a condition counts, where one or a few more of them would meet it."""
        assert ready.when is not None
        inputs = self.run.inputs
        for what, name in _COUNTED.findall(ready.when.text):
            for more in range(1, DEEPEST + 1):
                if what == "documents":
                    put = evolve(inputs, documents={**inputs.documents, name: inputs.documents.get(name, 0) + more})
                    act = Act("document", name, count=more, permissions=("document.add",))
                else:
                    put = evolve(inputs, parties={**inputs.parties, name: [*inputs.parties.get(name, ()), *map(str, range(more))]})
                    act = Act("party", name, count=more, permissions=("case.role",))
                if _true(ready.holds, put):
                    return self._one(act)
        return ()

    def search(self, holds: Read) -> tuple[Remedy, ...]:
        """The shortest ways after which a test holds: where there is one, none that ends the case, and none that something
        else stands in the way of.
        """
        known = [spot for spot in self._reached() if _true(holds, spot.run.inputs)]
        found = [spot for spot in known if spot.run.machine["category"] not in ENDED] or known
        free = [spot for spot in found if not spot.blocked] or found
        shortest = min((len(spot.acts) for spot in free), default=0)
        best = [spot for spot in free if len(spot.acts) == shortest]
        return tuple(Remedy(tuple(map(self._named, spot.acts)), spot.blocked) for spot in best[:NAMED])

    def _one(self, act: Act) -> tuple[Remedy, ...]:
        return (Remedy((self._named(act),)),)

    def _named(self, act: Act) -> Act:
        return evolve(act, who=self.who(act.permissions)) if act.permissions else act

    def _reached(self) -> list[_Spot]:
        """Everything that can be reached in a few acts, each once; found once for all leaves that ask."""
        if self._spots is None:
            self._spots = list(self._walk())
        return self._spots

    def _walk(self) -> Iterator[_Spot]:
        left, seen = MOST, {_print(self.run, {})}
        front = [_Spot(self.run)]
        for _ in range(DEEPEST):
            reached: list[_Spot] = []
            for spot in front:
                for act, deed, blocked in _possible(spot.run):
                    left -= 1
                    if left < 0:
                        return
                    after = _played(spot.run, deed, act.until)
                    if after is None:
                        continue
                    put = {**spot.put, **after.data}
                    mark = _print(after, put)
                    if mark in seen:
                        continue
                    seen.add(mark)
                    reached.append(_Spot(after, (*spot.acts, act), spot.blocked or blocked, put))
                    yield reached[-1]
            # Nobody closes a case so as to go on with it.
            front = [spot for spot in reached if spot.run.machine["category"] not in ENDED]


_Deed = Callable[[Run], bool]
"""Does something within a run; whether it could be done."""


def _possible(run: Run) -> Iterator[tuple[Act, _Deed, bool]]:
    """Acts from here, what each does, and whether something that is required stands in its way."""
    for event in sorted(run.definition.fired):
        ways = _enabled(run, event)
        if ways:
            permissions = tuple(dict.fromkeys(("case.do", *(way.says.allow for way in ways if way.says.allow))))
            fields = tuple(dict.fromkeys(name for way in ways for name, form in way.says.form.items() if form.required))
            yield Act("event", event, fields=fields, permissions=permissions), _fire(ways), not all(_met(run, way) for way in ways)
    if run.planned and run.machine["category"] not in ENDED and not run.plan.suspended:
        yield from _orders(run)
    due = run.next_due()
    if due is not None:
        yield Act("wait", "what is due then", until=max(due, run.now)), lambda _: True, False


def _enabled(run: Run, event: str) -> tuple[Way, ...]:
    try:
        return run.enabled(event, {})
    except BadInput:
        return ()


def _met(run: Run, way: Way) -> bool:
    """Whether nothing that is required stands in the way, as far as it is known."""
    tests = (_true(own.holds, run.inputs) if (own := run.definition.requirements.get(key)) else _asked(run, key) for key in way.needs)
    return all(tests) and not (run.planned and run.plan.blockers(way))


def _asked(run: Run, key: str) -> bool:
    said = run.inputs.foreign.get(key)
    return said is not None and said.met is True


def _fire(ways: tuple[Way, ...]) -> _Deed:
    def deed(run: Run) -> bool:
        run.take(ways, {})
        return True

    return deed


def _orders(run: Run) -> Iterator[tuple[Act, _Deed, bool]]:
    plan = run.plan
    for item, piece in plan.planning.pieces.items():
        more = (piece.says.allow,) if piece.says.allow else ()
        for instance, state in plan.each(item):
            for action, states in (("start", ("enabled",)), ("complete", ("active",)), ("enable", ("disabled",))):
                listens = action == "complete" and piece.says.kind == "listener"
                if state["state"] in (("available",) if listens else states):
                    name = f"{item}.{instance}" if len(plan.each(item)) > 1 else item
                    yield Act("item", name, action, permissions=("item.work", *more)), _give(action, name), False
        offered = piece.says.discretionary
        if offered is not None and not plan.each(item):
            allow = (offered.allow,) if offered.allow else ()
            yield Act("item", item, "add", permissions=("plan.change", *allow)), _add(item), False


def _give(action: str, name: str) -> _Deed:
    return lambda run: not orders.give(run.plan, action, name)


def _add(name: str) -> _Deed:
    return lambda run: not orders.add(run.plan, name)[0]


def _played(run: Run, deed: _Deed, until: str | None) -> Run | None:
    """The case after a deed, or at a later moment; None: it can't be done."""
    world = _world(run)
    after = Run(run.definition, run.machine, world, max(run.now, until or ""))
    after.inputs.foreign = run.inputs.foreign
    try:
        after.tick()
        if not deed(after):
            return None
        after.settle()
    except (BadInput, Livelock):
        return None
    return after


def _world(run: Run) -> World:
    return evolve(run.world, data=run.inputs.data, facts=run.inputs.facts, approvals=run.inputs.approvals, since=None, postings=None)


def _true(holds: Read, inputs: Inputs) -> bool:
    try:
        return holds(inputs) is True
    except BadInput:
        return False


def _print(run: Run, put: Json) -> str:
    """What tells two spots apart: the snapshot, and what deeds have set."""
    return encode([run.machine, dict(run.inputs.approvals), put, run.now])


def attached(judged: Judged, ready: Ready, remedies: Remedies) -> Judged:
    """A tree with the remedies of each leaf that is not met, where meeting it would help."""
    if ready.code == "requirement":
        return attached(judged, remedies.run.definition.requirements[ready.name], remedies)
    if judged.met is True or ready.code in ("rule", "none"):
        return judged
    if ready.inner:
        pairs = zip(judged.parts, ready.inner, strict=True)
        return evolve(judged, parts=tuple(attached(part, inner, remedies) for part, inner in pairs))
    return evolve(judged, remedies=remedies.of(ready, judged))
