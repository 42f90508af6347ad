"""One event of a log as one entry of its case: what the map says it is, judged as something that has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casekit.definition.casetype import ENDED
from casekit.desk import cases, records
from casekit.desk.importing_steps import Step
from casekit.desk.opening import OPEN
from casekit.desk.turn import Call, Spec, Turn
from casekit.model.actor import Actor
from casekit.model.answers import Objection
from casekit.model.canonical import Json

if TYPE_CHECKING:
    from casekit.definition.maps import EventRule

IMPORT = Spec("import", "import.run")
"""An event that no command stands for: one that the map does not know, or knows and gives no meaning."""


def call_of(step: Step, source: str, by: Actor, *, opens: bool) -> Call:
    """The command that an event of a log is taken for. Who imported it stands beside who acted."""
    actor = Actor(step.actor, frozenset(), by.tenant) if step.actor else by
    log: Json = {"source": source, "ordinal": step.ordinal, "by": by.name}
    sealed: Json = {}
    if step.rule is not None:
        log["event"] = step.name
    else:
        sealed["event"] = step.name  # words that nobody has looked at may name a person
    if step.raw:
        sealed["raw"] = step.raw
    force = step.rule is not None and step.rule.force
    spec = OPEN if opens else _spec(step.rule)
    return Call(spec, actor, effective=step.when, observed=True, force=force, about={"log": log}, sealed=sealed)


def _spec(rule: EventRule | None) -> Spec:
    if rule is None:
        return IMPORT
    if rule.do:
        return cases.DO
    if rule.pay:
        return records.PAY
    if rule.charges:
        return records.CHARGE
    if rule.facts:
        return records.FACT
    if rule.data:
        return cases.CHANGE
    return records.NOTE if rule.note else IMPORT


def open_by(turn: Turn, step: Step) -> None:
    """What the event that opens a case brings beside case data; says what the opening lacks."""
    if step.rule is None or not (step.rule.open or step.rule.may_open):
        words = "The trace does not begin with an event that opens a case: it opens here."
        turn.objections.append(Objection("casekit.import.no-opening", words, plugin="casekit"))
    head = turn.stream.head
    sealed = {name for record in head["sealed"].values() for name in record["fields"]}
    missing = [n for n, f in turn.definition.says.data.items() if f.required and n not in head["data"] and n not in sealed]
    if missing:
        words = "The case opens without {fields}."
        turn.objections.append(Objection("casekit.import.incomplete", words, {"fields": ", ".join(missing)}, plugin="casekit"))
    _observe(turn, step)


def go_on_by(turn: Turn, step: Step) -> None:
    """What a later event brings."""
    if step.rule is not None and step.rule.open:
        turn.objections.append(Objection("casekit.import.open-already", "The case is open already.", plugin="casekit"))
    if step.data:
        cases.change(turn, step.data, ())
    _observe(turn, step)


def _observe(turn: Turn, step: Step) -> None:
    """Facts and payment come before the move, which may need them; charges after it, for they follow from it."""
    rule = step.rule
    if rule is None:
        args = {"event": step.name}
        turn.objections.append(
            Objection("casekit.import.unknown-event", "The map does not know the event {event}.", args, plugin="casekit")
        )
        return
    for key, value in step.facts.items():
        records.fact(turn, key, value, "")
    if step.pay is not None:
        records.pay(turn, step.pay, "")
    if rule.do:
        _move(turn, rule.do, step.form)
    for component, amount, replaces in step.charges:
        if replaces:
            _take_back(turn, component)
        records.charge(turn, component, amount, "")
    if step.note:
        records.note(turn, step.note)


def _move(turn: Turn, event: str, given: Json) -> None:
    """The event of the lifecycle. Where it finds no way, what its form held is kept beside the entry."""
    ways = turn.definition.ways[event]
    if given or any(way.says.form for way in ways):
        taken = turn.run.enabled(event, given) or ways[:1]
        form = {name: field for way in taken for name, field in way.says.form.items()}
        fits = {name: value for name, value in given.items() if name in form}
        missing = [name for name, field in form.items() if field.required and name not in fits]
        if missing:
            words = "The form of {event} lacks {fields}."
            args = {"event": event, "fields": ", ".join(missing)}
            turn.objections.append(Objection("casekit.import.incomplete", words, args, plugin="casekit"))
        if missing and not turn.call.force:
            turn.accepted = False
        elif missing:
            turn.call.about["event"] = event
            cases.take(turn, taken, fits)
        else:
            cases.do(turn, event, fits)
        if not turn.accepted and given:
            turn.call.sealed["form"] = given
        return
    cases.do(turn, event, given)


def _take_back(turn: Turn, component: str) -> None:
    """Reverses the charges of a component that stand."""
    for posting in records.standing(turn, component):
        fields = {"amount": str(posting.amount), "kind": posting.kind}
        turn.guard("reverse", fields, posting=posting.id, amount=posting.amount, kind=posting.kind)
        turn.post("reversal", posting.component, posting.amount, posting.id)


def leave(turn: Turn, imported: Json, *, hold: bool) -> None:
    """Notes in the head how far the trace has come; a case that stays open with something that will fall due is held, until
    someone lets it run on. One without is ``idle``: there is nothing to decide, until its log grows.
    """
    turn.run.settle()
    over = turn.run.machine["category"] in ENDED
    waits = bool(turn.run.clocks.live) or turn.run.next_due() is not None
    change: Json = {"imported": imported if waits or over or not hold else {**imported, "idle": True}}
    if hold and waits and not over:
        change["held"] = True
    gone = {"unset": ["held"]} if turn.stream.head.get("held") and "held" not in change else {}
    turn.change(c="head", set=change, **gone)
