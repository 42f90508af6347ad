"""Whether a plan makes sense: names that exist, events that can occur, items that can be reached and done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from casekit.decisions.check_lifecycle import actions_of
from casekit.decisions.items import LISTENING, WORDS, asked_for, event_named
from casekit.definition.casetype import ALWAYS, CaseType, Signal, State
from casekit.definition.fields import kind_of
from casekit.definition.plan import ITEM_KINDS, Item, Sentry

Found = Iterator[tuple[str, str, str]]
"""Path, what is wrong there, what puts it right."""

_CORE = re.compile(
    r"payment|charge|reversal|chosen|fact\..+|document\..+|message\.(in|out)|done\.state\..+|clock\..+\.(warned|breached|escalated|moved|would-move|met|withdrawn)|plan\.completed|reviewed|approval\..+|(un)?linked\..+"
)
_LEVEL: Mapping[str, frozenset[str]] = {
    "stage": frozenset(WORDS),
    "task": frozenset(WORDS),
    "milestone": frozenset({"completed", "terminated", "skipped", "suspended", "resumed", "reopened"}),
    "listener": frozenset({"completed", "terminated", "skipped", "suspended", "resumed", "reopened"}),
    "timer": frozenset({"completed", "terminated", "skipped", "suspended", "resumed", "reopened"}),
}
"""What an item of a kind can say of itself."""


def plan_problems(case_type: CaseType) -> Found:
    """What is wrong with the plan of a case type."""
    plan, states = case_type.plan, dict(_flat(case_type.states, ""))
    for key, item in plan.items():
        at = f"/plan/{key}"
        yield from _place(plan, key, item, at)
        yield from _shape(item, at)
        yield from _due(case_type, states, item, at)
        for side, sentries in (("entry", item.entry), ("exit", item.exit)):
            for i, sentry in enumerate(sentries):
                yield from _sentry(case_type, states, key, sentry, f"{at}/{side}/{i}", entry=side == "entry")
        yield from _heard_by_nobody(case_type, key, item, at)
    yield from _transitions(case_type)
    yield from _rounds(plan)


def _flat(states: Mapping[str, State], above: str) -> Iterator[tuple[str, State]]:
    for name, state in states.items():
        yield above + name, state
        yield from _flat(state.states, f"{above}{name}.")


def _place(plan: Mapping[str, Item], key: str, item: Item, at: str) -> Found:
    if item.kind not in ITEM_KINDS:
        yield f"{at}/kind", f"{item.kind!r} is no kind of item", "use one of " + ", ".join(ITEM_KINDS)
    if item.stage and (item.stage not in plan or plan[item.stage].kind != "stage"):
        stages = ", ".join(k for k, other in plan.items() if other.kind == "stage") or "none"
        yield f"{at}/stage", f"{item.stage!r} is no stage of this plan", f"its stages are: {stages}"
    around, seen = item.stage, {key}
    while around in plan:
        if around in seen:
            yield f"{at}/stage", f"{key!r} lies within itself", "let one of its stages lie elsewhere"
            break
        seen.add(around)
        around = plan[around].stage


def _shape(item: Item, at: str) -> Found:
    listens = item.kind in LISTENING
    if listens and (item.entry or item.manual):
        yield (
            f"{at}/entry",
            f"a {item.kind} has no entry and no manual start: it waits from the moment on at which its stage opens",
            "leave them out",
        )
    if item.kind == "timer" and item.due is None:
        yield f"{at}/due", "a timer without a due moment never occurs", "say when it is due"
    if item.kind == "listener" and item.due is not None:
        yield f"{at}/due", "a listener is never due", "make it a timer, or leave it out"
    if item.auto_complete and item.kind != "stage":
        yield f"{at}/auto_complete", f"a {item.kind} has nothing in it to complete", "leave it out"
    yield from repeat_problems(item, at)
    yield from _empty(item, at)


def repeat_problems(item: Item, at: str) -> Found:
    """What is wrong with how an item comes again."""
    repeat = item.repeat
    if repeat is None:
        return
    if repeat.max is not None and repeat.max < 1:
        yield f"{at}/repeat/max", f"{repeat.max} times is never", "say at least 1"
    endless = repeat.max is None and not repeat.when
    if item.kind == "milestone" and endless and not any(s.on for s in item.entry):
        yield f"{at}/repeat", "a milestone that hears no event and comes again is reached for ever", "say max, or an event in its entry"


def _empty(item: Item, at: str) -> Found:
    for i, sentry in enumerate(item.entry):
        if sentry.how != "terminate":
            yield f"{at}/entry/{i}/how", "only an exit says how an item ends", "leave it out"
    for side, sentries in (("entry", item.entry), ("exit", item.exit)):
        for i, sentry in enumerate(sentries):
            if not sentry.on and not sentry.when:
                yield f"{at}/{side}/{i}", "a sentry without event and condition says nothing", "say on, or when"


def _due(case_type: CaseType, states: Mapping[str, State], item: Item, at: str) -> Found:
    of = item.due.of if item.due else ""
    if of.startswith("data:"):
        field = case_type.data.get(of[5:])
        if field is None or kind_of(field.schema) not in ("date", "date-time") or field.personal:
            yield f"{at}/due/of", f"{of[5:]!r} is no clear field with a day or an instant", "name one"
    elif of and of != "opened":
        yield from _event(case_type, states, of, f"{at}/due/of")


def _sentry(case_type: CaseType, states: Mapping[str, State], key: str, sentry: Sentry, at: str, *, entry: bool) -> Found:
    for text in sentry.on:
        yield from _event(case_type, states, text, f"{at}/on")
        item, _, word = event_named(text, case_type.plan).rpartition(".")
        if item == key and (not entry or case_type.plan[key].repeat is None):
            yield f"{at}/on", f"{text!r} comes from the item itself, too late for it", "hear another event"
        if entry and item in _stages_around(case_type.plan, key) and word in ("completed", "terminated", "skipped"):
            yield f"{at}/on", f"when {text!r} is heard, {key!r} has ended with that stage", "hear another event"


def _event(case_type: CaseType, states: Mapping[str, State], text: str, at: str) -> Found:
    """Refuses an event that can't occur."""
    plan = case_type.plan
    item, _, word = event_named(text, plan).rpartition(".")
    if item in plan:
        if word not in _LEVEL.get(plan[item].kind, frozenset()) and word != "overdue":
            yield (
                at,
                f"{text!r} never occurs: a {plan[item].kind} does not say {word!r}",
                "it says " + ", ".join(sorted(_LEVEL[plan[item].kind])),
            )
        elif word == "overdue" and plan[item].due is None:
            yield at, f"{text!r} never occurs: {item!r} has no due moment", "give it one, or hear another event"
        return
    if text.startswith("state.enter:"):
        if text[12:] not in states:
            yield at, f"{text[12:]!r} is no state", "use a full path: " + ", ".join(states)
        return
    if text.startswith("clock.") and _CORE.fullmatch(text):
        clock = text[6:].rpartition(".")[0]
        if clock not in case_type.clocks:
            yield at, f"{text!r} never occurs: there is no clock {clock!r}", "clocks are: " + (", ".join(case_type.clocks) or "none")
        return
    if not _CORE.fullmatch(text) and text not in _raised(case_type):
        yield (
            at,
            f"{text!r} never occurs: it is no item, event, transition or emitted event here",
            "known: " + ", ".join(sorted(_raised(case_type))),
        )


def _raised(case_type: CaseType) -> set[str]:
    """Events of the lifecycle that a plan can hear."""
    fired = {t.on or key for key, t in case_type.transitions.items()} - {ALWAYS}
    signals = [s for clock in case_type.clocks.values() for s in (*clock.warn, *clock.escalate) if isinstance(s, Signal)]
    return (
        fired
        | {a.emit for a in actions_of(case_type) if a.emit}
        | {s.emit for s in signals if s.emit}
        | {c.emit for c in case_type.clocks.values() if c.emit}
    )


def _transitions(case_type: CaseType) -> Found:
    """Events of items that transitions listen to."""
    for key, transition in case_type.transitions.items():
        event = transition.on or key
        match = re.fullmatch(r"(item|stage|milestone)\.(.+?)(?:\.([a-z]+))?", event)
        if match is None:
            continue
        prefix, item, word = match.groups()
        kind = {"stage": "stage", "milestone": "milestone"}.get(prefix)
        known = case_type.plan.get(item)
        # An item that options bring has no record here: only what the plan names can be checked.
        if kind is not None and (known is None or known.kind != kind):
            yield f"/transitions/{key}/on", f"{event!r} never occurs: there is no {kind} {item!r}", "name one of the plan"
        elif known is not None and word and prefix == "item" and known.kind == "stage":
            yield f"/transitions/{key}/on", f"{item!r} is a stage", f"hear stage.{item}.{word}"


def _heard_by_nobody(case_type: CaseType, key: str, item: Item, at: str) -> Found:
    if item.kind not in LISTENING:
        return
    heard = {
        event_named(text, case_type.plan).rpartition(".")[0]
        for other in case_type.plan.values()
        for s in (*other.entry, *other.exit)
        for text in s.on
    }
    heard |= {event_named(t.on or k, case_type.plan).rpartition(".")[0] for k, t in case_type.transitions.items()}
    heard |= {event_named(other.due.of, case_type.plan).rpartition(".")[0] for other in case_type.plan.values() if other.due}
    if key not in heard and key not in asked_for(case_type):
        yield at, f"nobody hears this {item.kind}", "let an item or a transition hear it, or take it away"


def _stages_around(plan: Mapping[str, Item], key: str) -> list[str]:
    found: list[str] = []
    at = plan[key].stage
    while at in plan and at not in found:
        found.append(at)
        at = plan[at].stage
    return found


def _rounds(plan: Mapping[str, Item]) -> Found:
    """Items that can never open, because all their entries wait for each other; what is required among them blocks for ever."""
    reached = _reachable(plan)
    for key, item in plan.items():
        if key in reached:
            continue
        waits = sorted({event_named(text, plan).rpartition(".")[0] for s in item.entry for text in s.on} & set(plan) - reached)
        what = f"it waits for {', '.join(waits)}, which wait for it" if waits else f"its stage {item.stage!r} can't be reached"
        if item.required and waits:
            what += ", and it is required"
        yield f"/plan/{key}/entry", f"{key!r} can never open: {what}", "let one of them open by something else"


def remarks(case_type: CaseType) -> list[tuple[str, str]]:
    """What is allowed and may surprise: path and words. An entry that hears what happens outside its stage is deaf while
    its stage is not active, and does not open it.
    """
    found = []
    for key, item in case_type.plan.items():
        for i, sentry in enumerate(item.entry):
            for text in sentry.on:
                other = event_named(text, case_type.plan).rpartition(".")[0]
                if item.stage and other in case_type.plan and item.stage not in (other, *_stages_around(case_type.plan, other)):
                    found.append(
                        (f"/plan/{key}/entry/{i}/on", f"{text!r} comes from outside the stage {item.stage!r}, and does not open it")
                    )
    return found


def _reachable(plan: Mapping[str, Item]) -> set[str]:
    reached: set[str] = set()
    while True:
        more = {key for key, item in plan.items() if key not in reached and _opens(plan, item, reached)}
        if not more:
            return reached
        reached |= more


def _opens(plan: Mapping[str, Item], item: Item, reached: set[str]) -> bool:
    if item.stage in plan and item.stage not in reached:
        return False
    if not item.entry:
        return True
    return any(all(_comes(plan, text, reached) for text in sentry.on) for sentry in item.entry)


def _comes(plan: Mapping[str, Item], text: str, reached: set[str]) -> bool:
    source, _, word = event_named(text, plan).rpartition(".")
    if source not in plan or source in reached:
        return True
    # What has not opened can still be ended, skipped or put to rest where its stage is there.
    stage = plan[source].stage
    return word in ("terminated", "skipped", "suspended", "resumed") and (stage not in plan or stage in reached)
