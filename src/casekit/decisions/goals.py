"""What a goal comes to: its measure, and the test whether it has come to its target. Pure over a run's inputs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from casekit.decisions.compiled import Compiled, scope_of
from casekit.decisions.conditions import Expression, load
from casekit.decisions.machine import Run
from casekit.definition.casetype import CaseType
from casekit.errors import BadInput
from casekit.model.canonical import Json
from casekit.model.goals import Goal, Progress, Want
from casekit.model.time import day_after, day_start

_SIGNS = {"at-least": ">=", "at-most": "<=", "exactly": "=="}
_LITERAL = {"money": "money('{}')", "date": "day('{}')", "decimal": "decimal('{}')", "integer": "{}", "boolean": "{}"}
"""Kinds of target and how each is written out. No texts: a goal stands in the clear, and a text might be personal."""

_KNOWN: dict[tuple[str, str, str, Any], tuple[Expression, Expression]] = {}
MOST_KNOWN = 2_000
"""Goals that are kept ready: those of one kind of case are worded alike."""


def test_of(says: CaseType, measure: str, want: str, target: Any) -> tuple[Expression, Expression]:
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


def end_of(day: str, zone: str) -> str:
    """The first instant that is too late for a goal that is to be reached by a day."""
    return day_start(day_after(day), zone)


def standing(run: Run, key: str, record: Json, title: str = "") -> Progress:
    """How far one goal has come, at the moment of a run."""
    goal = Goal(key, record["measure"], record["target"], record["want"], record.get("by", ""), record.get("owner", ""), title)
    measure, test = _ready(run.definition, goal)
    reached = test.holds(run.inputs)
    over = bool(goal.by) and end_of(goal.by, run.world.zone) <= run.now
    return Progress(goal, record["set"], measure.canonical(run.inputs), reached, over and reached is not True, run.now)


def reached(run: Run, record: Json) -> bool | None:
    """Whether a goal is reached; None: it can't be known."""
    goal = Goal("", record["measure"], record["target"], record["want"])
    return _ready(run.definition, goal)[1].holds(run.inputs)


def in_order(found: Iterable[Progress]) -> list[Progress]:
    """Goals in the order in which they were set."""
    return sorted(found, key=lambda p: (p.set, p.goal.key))


def _ready(definition: Compiled, goal: Goal) -> tuple[Expression, Expression]:
    place = (definition.digest, goal.measure, goal.want, (type(goal.target).__name__, goal.target))
    known = _KNOWN.get(place)
    if known is None:
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[place] = test_of(definition.says, goal.measure, goal.want, goal.target)
    return known
