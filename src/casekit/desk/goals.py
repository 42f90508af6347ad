"""Goals of a case: what is to be reached, by when, who answers for it.

How far one has come is worked out when it is asked for. Whether it is reached stands in the head as well, as the
last entry left it, so that lists over many cases need not open each.
"""

from __future__ import annotations

import re

from casekit.decisions.goals import end_of, test_of
from casekit.desk.sealing import seal_for
from casekit.desk.turn import Spec, Turn
from casekit.errors import BadInput
from casekit.model.canonical import Json, plain
from casekit.model.goals import Goal
from casekit.model.time import day as day_of

GOAL = Spec("goal", "goal.set")

_KEY = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
MOST = 50
"""Goals of one case: its head carries them."""


def put(turn: Turn, goal: Goal) -> None:
    """Decides on a goal: a new one, or another wording of one.

    Raises:
        BadInput: its key, measure, target or day make no sense.
    """
    record = _record(turn, goal)
    turn.guard("goal", {}, goal=goal.key)
    if turn.goes_on:
        turn.call.about |= {"key": goal.key, "goal": {name: value for name, value in record.items() if name not in ("sealed", "due")}}
        turn.goals = {**turn.goals, goal.key: record}


def drop(turn: Turn, key: str) -> None:
    """Decides on giving a goal up.

    Raises:
        BadInput: there is no such goal.
    """
    check_known(turn, key)
    turn.guard("goal", {}, goal=key)
    if turn.goes_on:
        turn.call.about |= {"key": key, "dropped": True}
        turn.goals = {name: record for name, record in turn.goals.items() if name != key}


def check_known(turn: Turn, key: str) -> None:
    """Refuses a goal that the case does not have."""
    if key not in turn.goals:
        raise BadInput.at("goal", f"there is no goal {key!r}", "goals are: " + (", ".join(turn.goals) or "none"))


def _record(turn: Turn, goal: Goal) -> Json:
    if not _KEY.fullmatch(goal.key):
        raise BadInput.at("goal", f"{goal.key!r} is no key", "use lower-case words joined by '.' or '-'")
    if goal.owner and not _KEY.fullmatch(goal.owner):
        raise BadInput.at("owner", f"{goal.owner!r} is no role", "use lower-case words joined by '.' or '-'")
    if goal.key not in turn.goals and len(turn.goals) >= MOST:
        raise BadInput.at("goal", f"a case has at most {MOST} goals", "drop one first")
    target = plain(goal.target, "target")
    test_of(turn.definition.says, goal.measure, goal.want, target)
    record: Json = {"measure": goal.measure, "want": goal.want, "target": target, "set": turn.effective.at}
    if goal.by:
        record |= {"by": goal.by, "due": end_of(day_of(goal.by).isoformat(), turn.file.zone)}
    if goal.owner:
        record["owner"] = goal.owner
    if goal.title:
        words = {"title": plain(goal.title, "title")}
        record["sealed"] = dict(seal_for(turn.work, turn.stream.uuid, turn.file.touched, f"goal/{goal.key}", words))
    return record
