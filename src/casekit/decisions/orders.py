"""What a person may do to a plan: commands on its items, each legal in some states and refused in the others.

A refused command changes nothing. Whether the person may give it at all is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from casekit.decisions.completion import Blocker, holds, judge
from casekit.decisions.instances import CHOSEN, named, parted
from casekit.decisions.items import LISTENING, WORDS, Piece, event_named, extended
from casekit.decisions.plancheck import repeat_problems
from casekit.decisions.planning import Plan
from casekit.definition.load import canonical_text
from casekit.errors import BadInput, Problem
from casekit.model.answers import Objection
from casekit.model.canonical import Json, encode, parse

Action = Literal["start", "complete", "terminate", "enable", "disable", "skip", "suspend", "resume", "move", "reopen", "add"]
ACTIONS: tuple[Action, ...] = get_args(Action)

_LIVE = ("available", "waiting", "enabled", "disabled", "active")
LEGAL: Mapping[str, tuple[str, ...]] = {
    "start": ("enabled",),
    "complete": ("active",),
    "terminate": (*_LIVE, "suspended"),
    "enable": ("disabled",),
    "disable": ("enabled",),
    "skip": _LIVE,
    "suspend": _LIVE,
    "resume": ("suspended",),
    "move": _LIVE,
}
"""Command → states in which an item can be given it. A listener occurs (``complete``) while it is available."""

_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_EXACT = re.compile(r"-?\d[\d.]*( [A-Z]{3})?|\d{4}-\d\d-\d\d")
"""Amounts, numbers and days."""
BLOCKED = "casekit.plan-blocked"
"""Rule of what keeps a stage, or the case, from being completed."""
_KEY = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
OWN_KINDS = ("task", "milestone", "stage", "timer", "listener")
"""Kinds of items that a case may have of its own."""


def find(plan: Plan, name: str) -> tuple[Piece, str]:
    """The item that is meant, and which instance of it; empty: none in particular.

    Raises:
        BadInput: there is no such item in the plan of this case.
    """
    pieces = plan.planning.pieces
    if name in pieces:
        return pieces[name], ""
    item, instance = parted(name)
    if item in pieces and instance.isdigit():
        return pieces[item], instance
    raise BadInput.at("item", f"there is no item {name!r} in this plan", "its items are: " + (", ".join(pieces) or "none"))


def give(plan: Plan, action: str, name: str, *, stage: str = "", override: bool = False) -> list[Objection]:
    """Gives a command on an item; what stands against it, in which case nothing has changed.

    Args:
        plan: The plan of the run.
        action: One of :data:`ACTIONS` but ``add``.
        name: The item, or one instance of it (``letter.2``).
        stage: Of ``move``: where to; empty: into the plan itself.
        override: Of ``skip``: whether what is required may be skipped.

    Raises:
        BadInput: no such item, command or stage.
    """
    if action not in ACTIONS or action == "add":
        raise BadInput.at("action", f"{action!r} is no command on an item", "use one of " + ", ".join(ACTIONS))
    piece, wanted = find(plan, name)
    against = _whole(plan, piece.id)
    if against:
        return against
    if action == "reopen":
        return _reopen(plan, piece)
    instance = _legal(plan, piece, wanted, action)
    if instance is None:
        return [_illegal(plan, piece, wanted, action)]
    return _GIVEN[action](plan, piece, instance, stage) if action != "skip" else _skip(plan, piece, instance, override=override)


def add(
    plan: Plan, name: str, *, stage: str = "", own: Mapping[str, Any] | None = None, source: str = "", sealed: Json | None = None
) -> tuple[list[Objection], str]:
    """Puts an item into the plan: one that the case type offers, or one of the case's own.

    Args:
        plan: The plan of the run.
        name: Its key.
        stage: Where it lies; of an offered item, that is said by its case type.
        own: Its record as JSON, where it is the case's own: kind, entry, exit, required, manual, due, who, allow.
        source: What put it there.
        sealed: Words about it, sealed.

    Returns:
        What stands against it, and the instance's name.

    Raises:
        BadInput: no such item or stage, or a record that makes no sense.
    """
    against = _whole(plan, name)
    if own is None:
        piece = find(plan, name)[0]
        stage = piece.says.stage
        if not piece.local and piece.says.discretionary is None:
            words = "{item} comes into the plan by itself: nobody puts it there."
            against.append(_objection("casekit.item-not-offered", words, piece, remedy="reopen it, or add an item of the case's own"))
    parent = _stage_instance(plan, stage)
    if parent is None:
        against.append(_not_active(name, stage))
    if against or parent is None:
        return against, ""
    if own is not None:
        _take_in(plan, name, {**own, **({"stage": stage} if stage else {})}, source, sealed)
    more: Json = {"source": source} if source else {}
    return [], named(name, plan.create(name, parent, **more))


def suspend_all(plan: Plan) -> list[Objection]:
    """The whole plan rests, and with it every clock of the case."""
    if plan.suspended or not plan.awake:
        return [Objection("casekit.plan-state", "The plan can't be suspended: it rests, or there is none.", plugin="casekit")]
    for piece, instance, _ in list(plan.within("")):
        plan.suspend(piece.id, instance, "case")
    plan.remember("suspended", True)
    return []


def resume_all(plan: Plan) -> list[Objection]:
    """The plan goes on where it was; due moments and clocks have moved by the time that it rested."""
    if not plan.suspended:
        return [Objection("casekit.plan-state", "The plan does not rest: there is nothing to resume.", plugin="casekit")]
    plan.remember("suspended", None)
    for piece, instance, _ in list(plan.within("")):
        plan.resume(piece.id, instance, "case")
    return []


def replace(plan: Plan) -> None:
    """What an earlier choice put into the plan and is not done makes room for another; lists keep it as replaced."""
    for item in list(plan.live):
        for instance, state in plan.each(item):
            if state.get("source", "").startswith(CHOSEN):
                plan.terminate(item, instance, "replaced")
    known = plan.memory.get("local", {})
    gone = [item for item, record in known.items() if record.get("source", "").startswith(CHOSEN) and not plan.each(item)]
    if gone:
        rest = {item: record for item, record in known.items() if item not in gone}
        plan.remember("local", rest)
        plan.use(extended(plan.run.definition.planning, encode(rest)))


def blocked(piece: Piece | None, blocker: Blocker) -> Objection:
    """One item that keeps a stage, or the case (``piece`` None), from being completed."""
    words = {"active": "{item} is not done: it is {state}.", "required": "{item} is required and not done: it is {state}."}[blocker.why]
    args = {"item": blocker.title or blocker.item, "state": blocker.state, "key": named(blocker.item, blocker.instance)}
    if piece is not None:
        args["stage"] = piece.says.title or piece.id
    remedy = f"complete {blocker.item}" + (f" ({blocker.who})" if blocker.who else "")
    return Objection(BLOCKED, words, args, remedy=remedy, plugin="casekit")


def _start(plan: Plan, piece: Piece, instance: str, _: str) -> list[Objection]:
    plan.start(piece.id, instance)
    return []


def _complete(plan: Plan, piece: Piece, instance: str, _: str) -> list[Objection]:
    if piece.says.kind == "stage":
        found = judge(plan, named(piece.id, instance), auto=True).blockers
        if found:
            return [blocked(piece, blocker) for blocker in found]
    plan.complete(piece.id, instance)
    return []


def _terminate(plan: Plan, piece: Piece, instance: str, _: str) -> list[Objection]:
    plan.terminate(piece.id, instance)
    return []


def _skip(plan: Plan, piece: Piece, instance: str, *, override: bool) -> list[Objection]:
    if holds(plan, piece.required, plan.live[piece.id][instance]) and not override:
        words = "{item} is required: it can't be skipped."
        return [
            _objection("casekit.item-required", words, piece, remedy="someone with the permission item.override skips it, and says why")
        ]
    plan.terminate(piece.id, instance, "skipped")
    return []


def _turn(state: str, word: str) -> Any:
    def turned(plan: Plan, piece: Piece, instance: str, _: str) -> list[Objection]:
        plan.turn(piece.id, instance, state, word)
        return []

    return turned


def _suspend(plan: Plan, piece: Piece, instance: str, _: str) -> list[Objection]:
    plan.suspend(piece.id, instance)
    return []


def _resume(plan: Plan, piece: Piece, instance: str, _: str) -> list[Objection]:
    by = plan.live[piece.id][instance]["by"]
    if by != named(piece.id, instance):
        return [_objection("casekit.item-state", "{item} rests with {by}.", piece, {"by": by}, f"resume {by}")]
    plan.resume(piece.id, instance)
    return []


def _move(plan: Plan, piece: Piece, instance: str, stage: str) -> list[Objection]:
    if stage and find(plan, stage)[0].says.kind != "stage":
        raise BadInput.at("stage", f"{stage!r} is no stage", "name a stage of this plan, or none")
    parent = _stage_instance(plan, stage)
    if parent is None:
        return [_not_active(piece.id, stage)]
    at, own = parent, named(piece.id, instance)
    while at and at != own:
        at = (plan.known(at) or {}).get("in", "")
    if at == own:
        return [_objection("casekit.item-state", "{item} can't lie within itself.", piece)]
    kept = {k: v for k, v in plan.live[piece.id][instance].items() if k != "in"}
    plan.put(piece.id, instance, {**kept, **({"in": parent} if parent else {})})
    return []


def _reopen(plan: Plan, piece: Piece) -> list[Objection]:
    live = plan.each(piece.id)
    parent = _stage_instance(plan, piece.says.stage)
    if [state for _, state in live if state["state"] != "waiting"] or not plan.memory.get("made", {}).get(piece.id):
        state = live[0][1]["state"] if live else "not in the plan yet"
        return [_objection("casekit.item-state", "{item} can't be reopened: it is {state}.", piece, {"state": state})]
    if parent is None:
        return [_not_active(piece.id, piece.says.stage)]
    done = plan.memory.get("done", {}).get(piece.id, ())
    plan.add_to("done", piece.id, sorted({*done} - {parent, "-"}))
    instance = plan.create(piece.id, parent)
    if piece.says.kind in ("task", "stage"):
        plan.forget_entry(named(piece.id, instance))
        plan.start(piece.id, instance)
    plan.emit(piece.id, plan.live[piece.id][instance], "reopened")
    return []


_GIVEN: Mapping[str, Any] = {
    "start": _start,
    "complete": _complete,
    "terminate": _terminate,
    "enable": _turn("enabled", "enabled"),
    "disable": _turn("disabled", "disabled"),
    "suspend": _suspend,
    "resume": _resume,
    "move": _move,
}


def _whole(plan: Plan, item: str) -> list[Objection]:
    """What stands against any command on an item."""
    if plan.suspended:
        words = "The plan of this case rests: {item} can't be touched."
        return [Objection("casekit.plan-state", words, {"item": item}, remedy="resume the plan", plugin="casekit")]
    if plan.run.machine["category"] in ("closed", "cancelled"):
        words = "The case is over: {item} can't be touched."
        return [Objection("casekit.plan-state", words, {"item": item}, remedy="reopen the case", plugin="casekit")]
    return []


def _legal(plan: Plan, piece: Piece, wanted: str, action: str) -> str | None:
    states = ("available",) if action == "complete" and piece.says.kind == "listener" else LEGAL[action]
    for instance, state in plan.each(piece.id):
        if wanted in ("", instance) and state["state"] in states:
            return instance
    return None


def _illegal(plan: Plan, piece: Piece, wanted: str, action: str) -> Objection:
    states = [state["state"] for instance, state in plan.each(piece.id) if wanted in ("", instance)]
    known = ", ".join(states) or ("ended" if plan.memory.get("made", {}).get(piece.id) else "not in the plan yet")
    allowed = ("available",) if action == "complete" and piece.says.kind == "listener" else LEGAL[action]
    words = "{item} can't be given {action}: it is {state}."
    return _objection(
        "casekit.item-state", words, piece, {"action": action, "state": known}, f"that takes an item that is {', '.join(allowed)}"
    )


def _stage_instance(plan: Plan, stage: str) -> str | None:
    """The active instance of a stage that takes what is put into it; empty: the plan itself; None: there is none."""
    if not stage:
        return ""
    piece, wanted = find(plan, stage)
    active = [i for i, state in plan.each(piece.id) if state["state"] == "active" and wanted in ("", i)]
    return named(piece.id, active[-1]) if active else None


def _not_active(item: str, stage: str) -> Objection:
    words, args = "{item} can't come into {stage}: that stage is not active.", {"item": item, "stage": stage}
    return Objection("casekit.stage-not-active", words, args, remedy=f"open the stage {stage} first", plugin="casekit")


def _objection(rule: str, words: str, piece: Piece, args: Mapping[str, Any] | None = None, remedy: str = "") -> Objection:
    about = {"item": (piece.says.title or piece.id) if not piece.local else piece.id, **(args or {})}
    return Objection(rule, words, about, remedy=remedy, plugin="casekit")


def _take_in(plan: Plan, name: str, own: Mapping[str, Any], source: str, sealed: Json | None) -> None:
    """Takes an item of the case's own into its plan.

    Raises:
        BadInput: its key is taken, or it makes no sense.
    """
    taken = plan.planning.pieces.get(name)
    if taken is not None and (not taken.local or plan.each(name)):
        raise BadInput.at("item", f"there is an item {name!r} in this plan already", "choose another key")
    if own.get("title"):
        raise BadInput.at("title", "would stand in the clear", "say it beside the record: it is sealed with the case")
    if not _KEY.fullmatch(name):
        raise BadInput.at("item", f"{name!r} is no key", "use lower-case words joined by '.' or '-'")
    record: Json = {"says": dict(own), **({"source": source} if source else {}), **({"sealed": sealed} if sealed else {})}
    known = {**plan.memory.get("local", {}), name: record}
    planning = extended(plan.run.definition.planning, encode(known))
    _check_own(planning.pieces[name], planning.pieces)
    _check_words(plan, planning.pieces[name], planning.pieces)
    plan.remember("local", known)
    plan.use(planning)


def _check_own(piece: Piece, pieces: Mapping[str, Piece]) -> None:
    says = piece.says
    if says.kind not in OWN_KINDS or (says.stage and (says.stage not in pieces or pieces[says.stage].says.kind != "stage")):
        raise BadInput.at("stage", f"{says.stage!r} is no stage of this plan", "name one that is, or none")
    for criterion in (*piece.entry, *piece.exit):
        for text in criterion.says.on:
            item, _, word = event_named(text, pieces).rpartition(".")
            if item in pieces and word not in WORDS:
                raise BadInput.at("entry", f"{text!r} never happens", "an item says: " + ", ".join(WORDS))
    for name, word in (("who", says.who), ("allow", says.allow)):
        if word and not _KEY.fullmatch(word):
            raise BadInput.at(name, f"{word!r} is no key", "use lower-case words joined by '.' or '-'")
    if says.kind in LISTENING and piece.entry:
        raise BadInput.at("entry", f"a {says.kind} has no entry", "leave it out")
    if says.kind == "timer" and piece.after is None:
        raise BadInput.at("due", "a timer without a due moment never occurs", "say when it is due")
    problems = [Problem(f"own{path}", what, do) for path, what, do in repeat_problems(says, "")]
    if problems:
        raise BadInput(problems)


def _check_words(plan: Plan, piece: Piece, pieces: Mapping[str, Piece]) -> None:
    """The conditions of a case's own items stand in the clear: they say only what the case type says, amounts and days."""
    says = piece.says
    rules = [rule for rule in (says.required, says.manual, says.auto_complete) if isinstance(rule, str)]
    texts = [*rules, says.repeat.when if says.repeat else "", *(criterion.says.when for criterion in (*piece.entry, *piece.exit))]
    quoted = {one or other for text in texts for one, other in _QUOTED.findall(text)}
    strange = sorted(word for word in quoted if word not in pieces and not _EXACT.fullmatch(word)) if quoted else []
    known = _strings(parse(canonical_text(plan.run.definition.says), "case type")) if strange else set()
    for word in strange:
        if word not in known:
            raise BadInput.at("own", f"{word!r} would stand in the clear", "use words of the case type in a condition, amounts and days")


def _strings(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        inner = [_strings(part) for part in value.values()]
        return {*value, *(word for words in inner for word in words)} | {f"{a}.{b}" for a in value for b in _inner_states(value[a])}
    return {word for part in value for word in _strings(part)} if isinstance(value, list) else set()


def _inner_states(value: Any) -> set[str]:
    """Dotted paths within a state."""
    states = value.get("states") if isinstance(value, dict) else None
    return {path for name, state in (states or {}).items() for path in (name, *(f"{name}.{inner}" for inner in _inner_states(state)))}
