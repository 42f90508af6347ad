"""Reviews: a fresh look at a case, what it comes to, and the changes that a person takes from it.

A look leaves no trace. A review writes down what was found, by which rule and version, how far the goals have come and
which adjustments were proposed, and says so to lifecycle and plan. An adjustment is taken as one command.
"""

from __future__ import annotations

from typing import Any

from casekit.desk import asking, caseloop, cases, goals
from casekit.desk.loopvalues import Look
from casekit.desk.turn import Spec, Turn
from casekit.errors import BadInput, PluginFailed
from casekit.model.answers import Adjustment, Finding, Objection
from casekit.model.canonical import Json, plain
from casekit.model.goals import Goal

LOOK = Spec("look", "case.assess")
REVIEW = Spec("review", "case.review")
ADJUST = Spec("adjust", "case.review")


def look(turn: Turn, failed: list[Finding] | None = None) -> Look:
    """What a review would find and propose now, sorted by plugin and rule.

    Args:
        turn: The case.
        failed: Gets a finding for each plugin that could not be asked; None: the first such one ends it.

    Raises:
        PluginFailed: a plugin failed, two adjustments have one key, or one names an option that is not offered.
    """
    assessed = asking.assess(turn, failed)
    findings, proposed = list(assessed), dict[str, Adjustment]()
    for asked in turn.asked("casekit_review"):
        for answer in asking.kept(asked, (Finding, Adjustment), failed, view=turn.view(of=asked.plugin.name), findings=assessed):
            if isinstance(answer, Finding):
                findings.append(asking.because(turn, answer))
            elif answer.key in proposed:
                raise PluginFailed(f"the adjustment {answer.key!r} is proposed by {proposed[answer.key].plugin} and by {answer.plugin}")
            else:
                proposed[answer.key] = answer
    _check_offered(turn, proposed)
    findings += (one for one in failed or () if one not in findings)
    in_order = sorted(proposed.values(), key=lambda a: (a.plugin, a.key))
    standings = caseloop.goals(turn.file, turn.run.now)
    return Look(tuple(sorted(findings, key=lambda f: (f.plugin, f.rule))), standings, tuple(in_order))


def review(turn: Turn, text: str) -> None:
    """Decides on a review: one more round of looking at the case, with what was found and how far its goals have come.

    Raises:
        PluginFailed: a plugin that assesses or reviews failed.
    """
    before = turn.stream.head.get("review", {}).get("round", 0)
    turn.guard("review", {}, round=before + 1)
    if not turn.goes_on:
        return
    found = look(turn)
    turn.spoke |= {finding.plugin: finding.version for finding in found.findings}
    turn.spoke |= {asked.plugin.name: asked.plugin.version for asked in turn.asked("casekit_review")}
    turn.call.about |= {"round": before + 1, **_clear(found)}
    turn.call.sealed |= {**_sealed(found), **({"text": plain(text, "text")} if text else {})}
    turn.change(c="head", set={"review": {"round": before + 1, "at": turn.effective.at, "entry": turn.n}})
    turn.run.raise_("reviewed")


def adjust(turn: Turn, wanted: Adjustment | str) -> None:
    """Decides on taking an adjustment: it must be proposed now, and be the one that was seen.

    Raises:
        BadInput: it is not proposed.
        Denied: the actor may not do what it asks for.
    """
    key = wanted if isinstance(wanted, str) else wanted.key
    offered = {adjustment.key: adjustment for adjustment in look(turn).adjustments}
    for adjustment in offered.values():
        turn.spoke[adjustment.plugin] = adjustment.version
    if key not in offered:
        raise BadInput.at("adjustment", f"{key!r} is not proposed now", "take one of " + (", ".join(offered) or "none"))
    found = offered[key]
    if not isinstance(wanted, str) and _figures(found) != _figures(wanted):
        words = "The adjustment {key} is not the one that was shown: the case has changed since."
        turn.objections.append(
            Objection("casekit.adjustment-changed", words, {"key": key}, remedy="look at the case again", plugin="casekit")
        )
        return
    _take(turn, found)


def _take(turn: Turn, adjustment: Adjustment) -> None:
    for permission, asked in ((goals.GOAL, adjustment.goals or adjustment.drop), (cases.CHOOSE, adjustment.option)):
        if asked:
            turn.desk.bus.demand(turn.call.actor, permission.permission, turn.definition.says.key)
    for goal in adjustment.goals:
        goals.put(turn, goal)
    for key in adjustment.drop:
        goals.drop(turn, key)
    if adjustment.option:
        asking.choose(turn, adjustment.option)
    if turn.goes_on:
        # What the parts have said of themselves gives way to the whole.
        for name in ("goal", "dropped"):
            turn.call.about.pop(name, None)
        turn.call.about |= {"key": adjustment.key, **_what(adjustment)}
        turn.call.sealed["adjustment"] = _words(adjustment)


def _check_offered(turn: Turn, proposed: dict[str, Adjustment]) -> None:
    naming = [adjustment for adjustment in proposed.values() if adjustment.option]
    if not naming:
        return
    offered = asking.options(turn).items
    for adjustment in naming:
        if adjustment.option not in offered:
            raise PluginFailed(f"{adjustment.signed_by} proposes the option {adjustment.option!r}, which is not offered")


def _clear(found: Look) -> Json:
    """What of a review stands in the clear: which rules by whom, how goals stand, what is proposed; never prose."""
    return {
        "findings": [{"rule": f.rule, "plugin": f.plugin, "version": f.version} for f in found.findings],
        "goals": [{"goal": p.goal.key, "reached": p.reached, "missed": p.missed} for p in found.goals],
        "adjustments": [{"key": a.key, "plugin": a.plugin, "version": a.version, **_what(a)} for a in found.adjustments],
    }


def _sealed(found: Look) -> Json:
    said: Json = {"findings": [_finding(f) for f in found.findings]}
    if found.adjustments:
        said["adjustments"] = [_words(a) for a in found.adjustments]
    return said


def _finding(found: Finding) -> Json:
    said: Json = {"words": found.words, "args": dict(found.args), "because": list(found.because), "inputs": list(found.inputs)}
    return {name: plain(value) for name, value in {**said, "citation": found.citation}.items()}


def _words(adjustment: Adjustment) -> Json:
    """What of an adjustment is sealed: its author's prose, and the goals that it words."""
    said = {"words": adjustment.words, "args": dict(adjustment.args), "because": list(adjustment.because)}
    return plain({**said, "goals": [_goal(goal) for goal in adjustment.goals]})  # type: ignore[no-any-return]


def _what(adjustment: Adjustment) -> Json:
    """What taking an adjustment does, by keys."""
    found: Json = {"option": adjustment.option} if adjustment.option else {}
    if adjustment.goals:
        found["sets"] = [goal.key for goal in adjustment.goals]
    if adjustment.drop:
        found["drops"] = list(adjustment.drop)
    return found


def _goal(goal: Goal) -> Json:
    said = {"key": goal.key, "measure": goal.measure, "target": goal.target, "want": goal.want}
    return {**said, "by": goal.by, "owner": goal.owner, "title": goal.title}


def _figures(adjustment: Adjustment) -> tuple[Any, ...]:
    goals_ = [_goal(goal) for goal in adjustment.goals]
    return adjustment.key, adjustment.option, adjustment.drop, plain(goals_), plain(dict(adjustment.args))
