"""Whether the clocks of a case type make sense: what their kind needs is there, what it can't use is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from casekit.decisions.check_lifecycle import actions_of, flat
from casekit.decisions.compiled import INTERNAL
from casekit.decisions.conditions import Expression, Inputs, Scope, load
from casekit.decisions.configurations import configurations
from casekit.decisions.timers import PERCENT, signal_of
from casekit.definition.casetype import CaseType, Clock, Signal, State
from casekit.definition.clocks import TRIGGERS
from casekit.definition.counts import period
from casekit.definition.fields import kind_of
from casekit.errors import BadInput
from casekit.model.time import Duration, duration

Found = Iterator[tuple[str, str, str]]
EVENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([-.][A-Za-z0-9_]+)*")
"""Names of events that a case type makes up."""

_STATES_ONLY = re.compile(r"(?:at\('[^']*'\)|True|False|and|or|not|[() ])*")


def check_clocks(case_type: CaseType) -> Found:
    """Everything that is wrong with the clocks of a case type: path, what, what to do."""
    states = flat(case_type.states)
    yield from _by_actions(case_type)
    for id_, clock in case_type.clocks.items():
        at = f"/clocks/{id_}"
        levels = [key for key, level in case_type.sla.items() if id_ in level.targets]
        yield from _KINDS[clock.kind](case_type, clock, at, bool(levels))
        yield from _instances(case_type, clock, at)
        yield from _speaking(case_type, clock, at)
        yield from _anchor(case_type, clock, at, states)
        yield from _changing(clock, at)
        yield from _lifeless(clock, at, case_type)
    yield from _levels(case_type)


def _instances(case_type: CaseType, clock: Clock, at: str) -> Found:
    if clock.each:
        if clock.start or clock.stop:
            yield at, "instances of an each clock bring their own start and are met by payment", "leave start and stop out"
        if case_type.ledger is None:
            yield at, "instances of an each clock are met by payment, and there is no ledger", "add a ledger"
        for name in ("calendar", "amounts", "anchor", "reset", "start_is_run_condition", "escalate", "speaks"):
            if getattr(clock, name):
                yield f"{at}/{name}", "an each clock has none", "leave it out"
    elif not clock.start and not any(f"/clocks/{action.start}" == at for action in actions_of(case_type)):
        yield f"{at}/start", "is missing", "say under which condition it starts, or let an action start it"
    if clock.emit:
        if INTERNAL.fullmatch(clock.emit) or not EVENT.fullmatch(clock.emit):
            yield f"{at}/emit", f"{clock.emit!r} can't be raised here", "use a name of your own, of letters, digits, '_', '-' and '.'"
        if clock.each or clock.escalate:
            yield f"{at}/emit", "an alarm is over when it is due", "leave each and escalate out"


def _by_actions(case_type: CaseType) -> Found:
    """Clocks that actions start and cancel."""
    for action in actions_of(case_type):
        for id_ in (*((action.start,) if action.start else ()), *action.cancel):
            if id_ not in case_type.clocks:
                yield (
                    f"/clocks/{id_}",
                    "an action names it, and there is no such clock",
                    "name one of " + (", ".join(case_type.clocks) or "none"),
                )
        clock = case_type.clocks.get(action.start)
        if clock is not None and (clock.start or clock.each):
            yield f"/clocks/{action.start}", "it starts by itself and by an action", "say one of the two"


def _elapsed(_case_type: CaseType, clock: Clock, at: str, leveled: bool) -> Found:
    yield from _amounts(clock, at, leveled)
    if clock.due or clock.each:
        yield at, f"an {clock.kind} clock has neither due nor each", "use kind fixed"
    if clock.calendar or clock.count:
        yield at, "an elapsed clock goes by no calendar and no rule of counting", "use kind business or counted"


def _business(case_type: CaseType, clock: Clock, at: str, leveled: bool) -> Found:
    yield from _amounts(clock, at, leveled)
    if not clock.calendar:
        yield f"{at}/calendar", "is missing", "name the calendar whose open time counts"
    if clock.due or clock.each or clock.count:
        yield at, "a business clock has neither due, each nor count", "leave them out"
    for path, text in _lengths(case_type, clock, at):
        if (found := _read(text)) is not None and found.months:
            yield path, f"{text!r} has months, and no business time is as long as a month", "say it in days or hours"


def _counted(case_type: CaseType, clock: Clock, at: str, _leveled: bool) -> Found:
    for name in ("count", "calendar"):
        if not getattr(clock, name):
            yield f"{at}/{name}", "is missing", "a counted clock names its rule of counting and its calendar"
    if clock.due or clock.each:
        yield at, "a counted clock has neither due nor each", "use kind fixed"
    if clock.reopen == "continue":
        yield f"{at}/reopen", "a period that the law counts does not go on from an earlier one", "let it rest (pause), or leave it out"
    for path, text in _lengths(case_type, clock, at):
        if clock.pause and text.startswith("-"):
            yield f"{at}/pause", f"{text!r} is counted back from an event, and can't rest", "leave pause out"
        if text:
            try:
                period(text, path)
            except BadInput as wrong:
                yield path, wrong.problems[0].what, wrong.problems[0].do
    service = case_type.data.get(clock.service)
    if clock.service and (service is None or service.personal or kind_of(service.schema) != "string"):
        yield f"{at}/service", f"{clock.service!r} is no clear field with a text", "name the field that says how it was served"


def _fixed(case_type: CaseType, clock: Clock, at: str, leveled: bool) -> Found:
    field = case_type.data.get(clock.due)
    if clock.amount:
        yield f"{at}/amount", "a fixed clock has no amount", "leave it out"
    if clock.due and (field is None or kind_of(field.schema) not in ("date", "date-time") or field.personal):
        yield f"{at}/due", f"{clock.due!r} is no clear field with a day or an instant", "name one"
    if bool(clock.due) == clock.each:
        yield at, "a fixed clock has either a due field or each", "say one of the two"
    if leveled or clock.amounts or clock.anchor is not None or clock.calendar or clock.count:
        yield at, "a fixed clock is due when its field says", "leave amounts, anchor, calendar, count and service level out"


_KINDS = {"elapsed": _elapsed, "business": _business, "counted": _counted, "fixed": _fixed}


def _amounts(clock: Clock, at: str, leveled: bool) -> Found:
    given = [name for name in ("amount", "amounts") if getattr(clock, name)] + (["sla"] if leveled else [])
    if not given:
        yield f"{at}/amount", "is missing", "say how long it runs, such as P14D"
    elif len(given) > 1:
        yield at, f"its amount is said {len(given)} times: {', '.join(given)}", "say it once"
    texts = [("amount", clock.amount)] + [(f"amounts/{i}/amount", row.amount) for i, row in enumerate(clock.amounts)]
    for name, text in texts:
        yield from _nothing(f"{at}/{name}", text)
    for i, row in enumerate(clock.amounts[:-1]):
        if not row.when:
            yield f"{at}/amounts/{i + 1}", "is never reached: the row before it always fits", "put it before, or take it away"
    if clock.kind == "elapsed":
        for i, row in enumerate(clock.amounts):
            if row.calendar:
                yield f"{at}/amounts/{i}/calendar", "an elapsed clock goes by no calendar", "use kind business"


def _nothing(path: str, text: str) -> Found:
    if text and (text.startswith("-") or not re.search("[1-9]", text)):
        yield path, f"{text!r} is no time at all", "say how long it runs, such as P14D"


def _lengths(case_type: CaseType, clock: Clock, at: str) -> Iterable[tuple[str, str]]:
    """Every amount and offset of a clock, with its path."""
    yield f"{at}/amount", clock.amount
    yield from ((f"{at}/amounts/{i}/amount", row.amount) for i, row in enumerate(clock.amounts))
    id_ = at.removeprefix("/clocks/")
    yield from ((f"/sla/{key}/targets/{id_}/amount", s.targets[id_].amount) for key, s in case_type.sla.items() if id_ in s.targets)
    if clock.kind == "business":
        yield from ((path, says.at) for path, says in _signals(clock, at) if not says.at.endswith("%"))
        if clock.anchor is not None:
            yield f"{at}/anchor/offset", clock.anchor.offset


def _signals(clock: Clock, at: str) -> Iterable[tuple[str, Signal]]:
    """Warnings and escalations, with their paths."""
    for name in ("warn", "escalate"):
        yield from ((f"{at}/{name}/{i}", signal_of(said)) for i, said in enumerate(getattr(clock, name)))


def _speaking(case_type: CaseType, clock: Clock, at: str) -> Found:
    for path, says in _signals(clock, at):
        if clock.each and says.at != "" and (says.emit or says.to or says.working):
            yield path, "an each clock has plain warnings only", "write it as a text, such as -P3D"
        if says.to and says.to not in case_type.roles:
            yield (
                f"{path}/to",
                f"{says.to!r} is no role",
                "name one of " + (", ".join(case_type.roles) or "none: the case type has no roles"),
            )
        if says.emit and (INTERNAL.fullmatch(says.emit) or not EVENT.fullmatch(says.emit)):
            yield (
                f"{path}/emit",
                f"{says.emit!r} can't be raised here",
                "use a name of your own, of letters, digits, '_', '-' and '.'",
            )
        length = _read(says.at)
        if says.working and (clock.kind != "counted" or length is None or not length.days):
            yield f"{path}/working", "only days of a counted clock are working days or not", "leave it out, or say days, such as -P2D"
    yield from _before_and_after(clock, at)


def _before_and_after(clock: Clock, at: str) -> Found:
    for i, text in enumerate(signal_of(said).at for said in clock.warn):
        part = PERCENT.fullmatch(text)
        if part is not None and int(part[1]) < 100:
            continue
        if part is not None or not text.startswith("-"):
            yield f"{at}/warn/{i}", f"{text!r} does not lie before the due instant", "write it like -P3D or 75%"
    for i, text in enumerate(signal_of(said).at for said in clock.escalate):
        part = PERCENT.fullmatch(text)
        if (part is not None and int(part[1]) < 100) or text.startswith("-"):
            yield f"{at}/escalate/{i}", f"{text!r} lies before the due instant", "write it like +P1D or 150%, or make it a warning"
    if clock.speaks and not (clock.warn or clock.escalate):
        yield f"{at}/speaks", "the clock says nothing", "add warnings or escalations, or leave it out"


def _anchor(case_type: CaseType, clock: Clock, at: str, states: Mapping[str, State]) -> Found:
    anchor = clock.anchor
    if anchor is None:
        return
    given = [name for name in ("field", "state", "event", "clock") if getattr(anchor, name)]
    if len(given) != 1:
        yield f"{at}/anchor", f"says {' and '.join(given) or 'nothing'}", "name one: a field, a state, an event or a clock"
    field = case_type.data.get(anchor.field)
    if anchor.field and (field is None or field.personal or kind_of(field.schema) not in ("date", "date-time")):
        yield f"{at}/anchor/field", f"{anchor.field!r} is no clear field with a day or an instant", "name one"
    if anchor.state and anchor.state not in states:
        yield f"{at}/anchor/state", f"{anchor.state!r} is no state", "use a full path: " + ", ".join(states)
    key = anchor.event.removeprefix("transition.")
    if anchor.event.startswith("transition.") and key not in case_type.transitions:
        yield f"{at}/anchor/event", f"there is no transition {key!r}", "name one of " + ", ".join(case_type.transitions)
    if anchor.clock and (anchor.clock not in case_type.clocks or at == f"/clocks/{anchor.clock}"):
        yield f"{at}/anchor/clock", f"{anchor.clock!r} is no other clock", "name another clock of this case type"


def _changing(clock: Clock, at: str) -> Found:
    for name in clock.changes:
        if name not in TRIGGERS:
            yield f"{at}/changes", f"{name!r} is no change", "use " + ", ".join(TRIGGERS)
    if clock.on_change == "keep" and clock.changes != TRIGGERS:
        yield f"{at}/changes", "the clock keeps its date whatever changes", "say on_change: recompute or restart, or leave it out"


def _levels(case_type: CaseType) -> Found:
    for key, level in case_type.sla.items():
        for id_, target in level.targets.items():
            path = f"/sla/{key}/targets/{id_}"
            if id_ not in case_type.clocks:
                yield path, f"there is no clock {id_!r}", "name one of " + (", ".join(case_type.clocks) or "none")
                continue
            yield from _nothing(f"{path}/amount", target.amount)
            if target.calendar and case_type.clocks[id_].kind == "elapsed":
                yield f"{path}/calendar", "an elapsed clock goes by no calendar", "use kind business"
    levels = sorted(case_type.sla.items(), key=lambda item: item[1].order)
    for (key, level), (following, _) in pairwise(levels):
        if not level.when:
            yield f"/sla/{following}", f"is never reached: {key!r} before it always fits", "put it before, or take it away"


def _lifeless(clock: Clock, at: str, case_type: CaseType) -> Found:
    """A clock that can never start, and a pause that holds wherever it could be alive. Told from what rests on states alone."""
    if clock.pause and clock.pause == clock.start:
        yield f"{at}/pause", "it rests from the moment at which it starts", "pause it under another condition"
        return
    names = ("start", "stop", "pause", "cancel")
    texts = {name: text for name in names if (text := getattr(clock, name)) and _STATES_ONLY.fullmatch(text.strip())}
    places = configurations(case_type, tuple(texts.values())) if texts else None
    if places is None:
        return  # too many of them to look at
    scope = Scope(states=frozenset(flat(case_type.states)))
    try:
        loaded = {name: load(text, scope, "clock") for name, text in texts.items()}
    except BadInput:
        return  # said elsewhere
    seen = [Inputs(active=place) for place in places]
    if "start" in loaded and not any(loaded["start"].holds(inputs) for inputs in seen):
        yield f"{at}/start", "no case is ever where it could start", "say states that can be active together"
    if not clock.pause or not all(name in loaded for name in ("stop", "pause", "cancel") if getattr(clock, name)):
        return
    alive = [inputs for inputs in seen if _lives(inputs, loaded, whole=clock.start_is_run_condition)]
    if alive and all(loaded["pause"].holds(inputs) for inputs in alive):
        yield f"{at}/pause", "it rests in every state in which it could run, so it is never due", "pause it in some of them only"


def _lives(inputs: Inputs, loaded: Mapping[str, Expression], *, whole: bool) -> bool:
    ended = any(name in loaded and loaded[name].holds(inputs) for name in ("stop", "cancel"))
    return not ended and (not whole or "start" not in loaded or loaded["start"].holds(inputs) is not False)


def _read(text: str) -> Duration | None:
    try:
        return duration(text.removeprefix("+")) if text else None
    except BadInput:
        return None  # said when it is loaded
