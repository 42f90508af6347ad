"""Goals of a case, and the rounds in which it is looked at again.

A goal is a measure over what is known of the case, a target, a day and an owner. How far it has come is worked out
when it is asked for; a review writes it down, with what the assessment finds, and says so to lifecycle and plan.
"""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

from attrs import frozen

from casekit.decisions.compiled import scope_of
from casekit.decisions.conditions import Expression, load
from casekit.decisions.machine import Run
from casekit.definition.casetype import CaseType
from casekit.desk import asking
from casekit.desk.casefile import CaseFile
from casekit.desk.sealing import seal_for
from casekit.desk.turn import Spec, Turn
from casekit.errors import BadInput
from casekit.model.canonical import Json, plain
from casekit.model.time import day as day_of
from casekit.model.time import day_after, day_start

GOAL = Spec("goal", "goal.set")
REVIEW = Spec("review", "case.review")

Want = Literal["at-least", "at-most", "exactly"]
_SIGNS = {"at-least": ">=", "at-most": "<=", "exactly": "=="}
_LITERAL = {"money": "money('{}')", "date": "day('{}')", "decimal": "decimal('{}')", "integer": "{}", "boolean": "{}"}
"""Kinds of target and how each is written out. No texts: a goal stands in the clear, and a text might be personal."""
_KEY = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
MOST = 50
"""Goals of one case: its head carries them."""


@frozen
class Goal:
    """What is to be reached.

    Attributes:
        key: Its key within the case.
        measure: Expression over the case (``fact('income.monthly')``, ``balance``).
        target: What it is to come to, canonical.
        want: ``at-least``, ``at-most`` or ``exactly``.
        by: Day until whose end it is to be reached; empty: none.
        owner: Role that answers for it; empty: nobody in particular.
        title: What people read; sealed with the case.
    """

    key: str
    measure: str
    target: Any
    want: Want = "at-least"
    by: str = ""
    owner: str = ""
    title: str = ""


@frozen(slots=False)
class Progress:
    """How far a goal has come.

    Attributes:
        goal: The goal, its title opened; None where that is erased.
        set: Since when it is one (canonical instant).
        value: What the measure comes to now, canonical; None: not known.
        reached: True, False, or None where it can't be known.
        missed: Whether its day is over and it is not reached.
    """

    goal: Goal
    set: str
    value: Any
    reached: bool | None
    missed: bool


def put(turn: Turn, goal: Goal) -> None:
    """Decides on a goal: a new one, or another wording of one.

    Raises:
        BadInput: its key, measure, target or day make no sense.
    """
    known = dict(turn.stream.head.get("goals", {}))
    if not _KEY.fullmatch(goal.key):
        raise BadInput.at("goal", f"{goal.key!r} is no key", "use lower-case words joined by '.' or '-'")
    if goal.owner and not _KEY.fullmatch(goal.owner):
        raise BadInput.at("owner", f"{goal.owner!r} is no role", "use lower-case words joined by '.' or '-'")
    if goal.key not in known and len(known) >= MOST:
        raise BadInput.at("goal", f"a case has at most {MOST} goals", "drop one first")
    if goal.by:
        day_of(goal.by)
    target = plain(goal.target, "target")
    _test(turn.definition.says, goal.measure, goal.want, target)
    record: Json = {"measure": goal.measure, "want": goal.want, "target": target, "set": turn.effective.at}
    record |= {name: value for name, value in (("by", goal.by), ("owner", goal.owner)) if value}
    if goal.title:
        words = {"title": plain(goal.title, "title")}
        record["sealed"] = dict(seal_for(turn.work, turn.stream.uuid, turn.file.touched, f"goal/{goal.key}", words))
    turn.guard("goal", {}, goal=goal.key)
    if turn.goes_on:
        turn.call.about |= {"key": goal.key, "goal": {name: value for name, value in record.items() if name != "sealed"}}
        turn.change(c="head", set={"goals": {**known, goal.key: record}})


def drop(turn: Turn, key: str) -> None:
    """Decides on giving a goal up.

    Raises:
        BadInput: there is no such goal.
    """
    known = dict(turn.stream.head.get("goals", {}))
    if key not in known:
        raise BadInput.at("goal", f"there is no goal {key!r}", "goals are: " + (", ".join(known) or "none"))
    turn.guard("goal", {}, goal=key)
    if turn.goes_on:
        del known[key]
        turn.call.about |= {"key": key, "dropped": True}
        turn.change(c="head", **({"set": {"goals": known}} if known else {"unset": ["goals"]}))


def review(turn: Turn, text: str) -> None:
    """Decides on a review: one more round of looking at the case, with what was found and how far its goals have come.

    Raises:
        PluginFailed: a plugin that assesses failed.
    """
    before = turn.stream.head.get("review", {}).get("round", 0)
    turn.guard("review", {}, round=before + 1)
    if not turn.goes_on:
        return
    found = asking.assess(turn)
    turn.spoke |= {finding.plugin: finding.version for finding in found}
    states = [{"goal": p.goal.key, "reached": p.reached, "missed": p.missed} for p in progress(turn.file, turn.run)]
    turn.call.about |= {"round": before + 1, "goals": states, "findings": [{"rule": f.rule, "plugin": f.plugin} for f in found]}
    said = {"findings": [plain({"words": f.words, "args": dict(f.args), "because": list(f.because)}) for f in found]}
    turn.call.sealed |= {**said, **({"text": plain(text, "text")} if text else {})}
    turn.change(c="head", set={"review": {"round": before + 1, "at": turn.effective.at, "entry": turn.n}})
    turn.run.raise_("reviewed")


def progress(file: CaseFile, run: Run) -> list[Progress]:
    """How far the goals of a case have come, in the order in which they were set."""
    goals = file.stream.head.get("goals", {})
    return sorted((_progress(file, run, key, record) for key, record in goals.items()), key=lambda p: (p.set, p.goal.key))


def _progress(file: CaseFile, run: Run, key: str, record: Json) -> Progress:
    title = file.open(f"goal/{key}", record["sealed"]).get("title") if "sealed" in record else ""
    goal = Goal(key, record["measure"], record["target"], record["want"], record.get("by", ""), record.get("owner", ""), title or "")
    measure, test = _test(run.definition.says, goal.measure, goal.want, goal.target)
    reached = test.holds(run.inputs)
    over = bool(goal.by) and day_start(day_after(goal.by), file.zone) <= run.now
    return Progress(goal, record["set"], measure.canonical(run.inputs), reached, over and reached is not True)


def _test(says: CaseType, measure: str, want: str, target: Any) -> tuple[Expression, Expression]:
    """The measure and the test whether it has come to its target.

    Raises:
        BadInput: the measure is no expression over the case, or the target is not of its kind.
    """
    if want not in get_args(Want):
        raise BadInput.at("want", f"{want!r} is not known", "use one of " + ", ".join(get_args(Want)))
    scope = scope_of(says)
    found = load(measure, scope, "measure", "any")
    shape = _LITERAL.get(found.kind)
    if shape is None:
        raise BadInput.at("measure", f"{measure!r} has no target that can be written down", "measure money, numbers, days or tests")
    if found.kind in ("integer", "boolean") and type(target) is not {"integer": int, "boolean": bool}[found.kind]:
        raise BadInput.at("target", f"{target!r} is no {found.kind}", "give one")
    return found, load(f"({measure}) {_SIGNS[want]} {shape.format(target)}", scope, "target")
