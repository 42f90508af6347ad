"""The traces of a log under a map, ready to be recorded: every text turned into its value, or refused with file and line.

Nothing here touches a store, so a whole log can be looked through before anything of it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from casekit.decisions.compiled import Compiled
from casekit.definition.casetype import ALWAYS
from casekit.definition.fields import Field
from casekit.definition.forms import Form
from casekit.definition.maps import ChargeRule, EventRule, ImportMap, actor_of, amount, value, when
from casekit.errors import BadInput
from casekit.model.canonical import Json, plain
from casekit.model.log import LogAttribute, LogEvent, LogTrace
from casekit.model.money import Money
from casekit.model.time import Effective

NAME = "concept:name"
"""Attribute that names an event, and a trace; the reader has looked at it already."""


@define
class Loss:
    """What became of an attribute, by occurrences.

    Attributes:
        mapped: It was looked at by a rule.
        raw: It was kept as it stands, sealed with the case.
        dropped: It was left out.
    """

    mapped: int = 0
    raw: int = 0
    dropped: int = 0


@define
class Step:
    """One event of a trace, its texts turned into values.

    Attributes:
        ordinal: Place in its trace, from 1.
        name: Name of the event.
        rule: What the map says of it; None: the map does not know it.
        when: Since when it holds.
        actor: Who acted; None: the log names nobody.
        data, form: Fields, canonical.
        facts: Fact → value, canonical.
        charges: Component, amount, and whether it replaces what stands.
        pay: Payment; None: none.
        note: Text of a note; empty: none.
        raw: Attributes that are kept as they are.
    """

    ordinal: int
    name: str
    rule: EventRule | None
    when: Effective
    actor: str | None
    data: Json
    form: Json
    facts: Json
    charges: tuple[tuple[str, Money, bool], ...]
    pay: Money | None
    note: str
    raw: Json


@frozen
class Trail:
    """One trace, ready to be recorded.

    Attributes:
        id: What identifies it in its source.
        where: File and line on which it begins.
        data: Case data that the trace itself gives, canonical.
        raw: Attributes of the trace that are kept as they are.
        steps: Its events.
    """

    id: str
    where: str
    data: Json
    raw: Json
    steps: list[Step]


@define
class _Fate:
    """What becomes of an attribute under a rule, and how often it came.

    Attributes:
        what: ``mapped``, ``raw`` or ``dropped``.
        count: Occurrences.
    """

    what: str
    count: int = 0


@frozen
class _Plan:
    """A rule of the map with what it looks at.

    Attributes:
        rule: The rule; None: for events that the map does not know.
        looks: Attributes that it maps, those of every event among them.
        data, form, facts: Target, attribute and field of each, in order.
        forms: Forms of the case data, of the transition's fields and of the facts, to check the values by.
        fates: What becomes of each attribute that has come so far.
    """

    rule: EventRule | None
    looks: frozenset[str]
    data: tuple[tuple[str, str, Field], ...] = ()
    form: tuple[tuple[str, str, Field], ...] = ()
    facts: tuple[tuple[str, str, Field], ...] = ()
    forms: tuple[Form, Form, Form] | None = None
    fates: dict[str, _Fate] = field(factory=dict)


class Steps:
    """Makes trails of traces, and counts what becomes of their attributes.

    Args:
        file: Name of the log, for messages.
        rules: The map.
        definition: Its case type.

        now: The shell's present (canonical instant): nothing holds later.
    """

    def __init__(self, file: str, rules: ImportMap, definition: Compiled, now: str) -> None:
        self._now = now
        self._file, self._rules, self._says = file, rules, definition.says
        self._book = definition.says.ledger.currency if definition.says.ledger else ""
        self._always = frozenset(name for name in (NAME, rules.time.attribute, rules.actor.attribute) if name)
        self._plans = {name: self._plan(rule, definition) for name, rule in rules.events.items()}
        self._unknown = _Plan(None, self._always)
        self._case = _named(rules.case.data, definition.says.data)
        self._case_form = Form({name: f for name, _, f in self._case}, complete=False)
        self._trace = _Plan(None, frozenset((rules.case.key or NAME, *rules.case.data.values())))
        self._times: dict[str, Effective] = {}

    def trail(self, trace: LogTrace) -> Trail:
        """A trace, ready to be recorded.

        Raises:
            BadInput: a text that says no such value as the map asks for; names file and line.
        """
        where = f"{self._file}:{trace.line}"
        data = self._values(self._case, trace.attributes, where, self._case_form)
        raw = self._kept(trace.attributes, self._trace, where)
        steps = [self._step(event, i) for i, event in enumerate(trace.events, start=1)]
        self._one_currency(data, steps, where)
        return Trail(plain(self._id(trace, where), where), where, data, raw, steps)

    def _id(self, trace: LogTrace, where: str) -> str:
        key = self._rules.case.key
        if not key:
            return trace.id
        found = trace.attributes.get(key)
        if found is None or not found.value.strip():
            raise BadInput.at(where, f"the trace has no {key!r}, which identifies it", "give it one, or name another: [case] key")
        return found.value

    def _step(self, event: LogEvent, ordinal: int) -> Step:
        where = f"{self._file}:{event.line}"
        plan = self._plans.get(event.name, self._unknown)
        attributes = event.attributes
        held = self._when(attributes, where)
        actor = attributes.get(self._rules.actor.attribute)
        named = actor_of(self._rules, actor.value) if actor is not None else None
        raw = self._kept(attributes, plan, where)
        rule = plan.rule
        if rule is None or plan.forms is None:
            return Step(ordinal, plain(event.name, where), rule, held, named, {}, {}, {}, (), None, "", raw)
        return Step(
            ordinal=ordinal,
            name=event.name,
            rule=rule,
            when=held,
            actor=named,
            data=self._values(plan.data, attributes, where, plan.forms[0]) if plan.data else {},
            form=self._values(plan.form, attributes, where, plan.forms[1]) if plan.form else {},
            facts=self._values(plan.facts, attributes, where, plan.forms[2]) if plan.facts else {},
            charges=tuple(c for charge in rule.charges if (c := self._charge(charge, attributes, where)) is not None),
            pay=self._amount(rule.pay.amount, attributes, where) if rule.pay else None,
            note=plain(_note(rule, attributes), where) if rule.note else "",
            raw=raw,
        )

    def _when(self, attributes: Mapping[str, LogAttribute], where: str) -> Effective:
        time = attributes.get(self._rules.time.attribute)
        if time is None:
            raise BadInput.at(
                where, f"the event has no {self._rules.time.attribute!r}", "say when it was, or name another: [time] attribute"
            )
        found = self._times.get(time.value)
        if found is None:
            found = when(self._rules, time.value, where)
            if found.at > self._now:
                raise BadInput.at(where, f"{time.value} lies later than now ({self._now})", "import what has happened")
            if len(self._times) > 100_000:
                self._times.clear()
            self._times[time.value] = found
        return found

    def _values(self, wanted: tuple[tuple[str, str, Field], ...], attributes: Mapping[str, LogAttribute], where: str, form: Form) -> Json:
        found = {name: value(self._rules, attributes[a], f.schema, where) for name, a, f in wanted if a in attributes}
        return form.read(found, f"{where}: ") if found else found

    def _charge(self, rule: ChargeRule, attributes: Mapping[str, LogAttribute], where: str) -> tuple[str, Money, bool] | None:
        charged = self._amount(rule.amount, attributes, where)
        return None if charged is None else (rule.component, charged, rule.replace)

    def _amount(self, name: str, attributes: Mapping[str, LogAttribute], where: str) -> Money | None:
        """The amount; None where the attribute is absent or says nothing, zero."""
        attribute = attributes.get(name)
        if attribute is None:
            return None
        place = f"{where}: attribute {name!r}"
        found = amount(attribute.value, self._rules.currency, place)
        if found.minor < 0:
            raise BadInput.at(place, f"{found} is less than nothing", "correct it, or leave the attribute raw")
        if self._book and found.currency != self._book:
            raise BadInput.at(place, f"{found}, and the ledger is kept in {self._book}", "convert it at a dated rate first")
        return found if found.minor else None

    def _one_currency(self, data: Json, steps: list[Step], where: str) -> None:
        """A ledger without a currency of its own takes that of the first money at opening; all amounts must be in it."""
        if self._says.ledger is None or self._book or not steps:
            return
        opening = {**data, **steps[0].data}
        money = (name for name, f in self._says.data.items() if f.schema.get("format") == "money" and name in opening)
        first = next(money, None)
        if first is None:
            raise BadInput.at(
                where, "no amount of money opens this case, so the currency of its ledger is not known", "map one at the opening"
            )
        wanted = opening[first][-3:]
        for step in steps:
            for found in (*(m for _, m, _ in step.charges), *((step.pay,) if step.pay else ())):
                if found.currency != wanted:
                    raise BadInput.at(where, f"event {step.ordinal} says {found}, and the ledger is kept in {wanted}", "convert it first")

    def loss(self) -> dict[str, Loss]:
        """What became of each attribute, over all traces so far."""
        found: dict[str, Loss] = {}
        for plan in (self._trace, self._unknown, *self._plans.values()):
            for name, fate in plan.fates.items():
                counted = found.setdefault(name, Loss())
                setattr(counted, fate.what, getattr(counted, fate.what) + fate.count)
        return dict(sorted(found.items()))

    def _kept(self, attributes: Mapping[str, LogAttribute], plan: _Plan, where: str) -> Json:
        """What is kept raw; all attributes are counted. Those nested in one that is mapped stand for themselves, as ``outer/inner``."""
        raw: Json = {}
        bare = True
        for name, attribute in attributes.items():
            fate = plan.fates.get(name) or self._fate(name, plan)
            fate.count += 1
            if fate.what == "raw":
                raw[name] = _raw(attribute)
                bare = bare and attribute.value.isascii() and name.isascii() and not attribute.children
            elif fate.what == "mapped" and attribute.children:
                raw |= self._kept({f"{name}/{child.key}": child for child in attribute.children}, plan, where)
        return raw if bare else plain(raw, f"{where}: attribute")

    def _fate(self, name: str, plan: _Plan) -> _Fate:
        rules = self._rules.attributes
        dropped = rules.default == "drop" or name in rules.drop
        fate = plan.fates[name] = _Fate("mapped" if name in plan.looks else "dropped" if dropped else "raw")
        return fate

    def _plan(self, rule: EventRule, definition: Compiled) -> _Plan:
        says = definition.says
        ways = definition.ways.get(rule.do, ()) if rule.do and rule.do != ALWAYS else ()
        asked = {name: f for way in ways for name, f in way.says.form.items()}
        parts = (_named(rule.data, says.data), _named(rule.form, asked), _named(rule.facts, says.facts))
        amounts = (*(c.amount for c in rule.charges), *((rule.pay.amount,) if rule.pay else ()), *((rule.note,) if rule.note else ()))
        looks = self._always | {attribute for part in parts for _, attribute, _ in part} | set(amounts)
        forms = tuple(Form({name: f for name, _, f in part}, complete=False) for part in parts)
        return _Plan(rule, looks, *parts, forms=(forms[0], forms[1], forms[2]))


def _named(fields: Mapping[str, str], known: Mapping[str, Field]) -> tuple[tuple[str, str, Field], ...]:
    return tuple((name, attribute, known[name]) for name, attribute in fields.items())


def _raw(attribute: LogAttribute) -> Any:
    """An attribute as it stands: a text alone, or its kind with its text or members."""
    if attribute.children or attribute.kind in ("list", "container"):
        members = [{child.key: _raw(child)} for child in attribute.children]
        return {attribute.kind: attribute.value, "members": members}
    return attribute.value if attribute.kind == "string" else {attribute.kind: attribute.value}


def _note(rule: EventRule, attributes: Mapping[str, LogAttribute]) -> str:
    found = attributes.get(rule.note)
    return found.value if found is not None and found.value.strip() else ""


@define
class Names:
    """Trace ids seen so far, so that none stands twice in one log."""

    _seen: dict[str, str] = field(factory=dict)

    def take(self, trail: Trail) -> None:
        """Takes note of a trace.

        Raises:
            BadInput: its id came before.
        """
        before = self._seen.setdefault(trail.id, trail.where)
        if before != trail.where:
            what = f"the trace {trail.id!r} stands twice; it came before at {before}"
            raise BadInput.at(trail.where, what, "join the two, or name an attribute that tells them apart: [case] key")
