"""A review read back from its entry: rules and versions from what stands in the clear, words from what was sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casekit.desk.loopvalues import Review, Stood
from casekit.model.answers import Adjustment, Finding
from casekit.model.canonical import Json
from casekit.model.goals import Goal

ERASED = "The words are erased."


def reviewed(about: Json, words: Json) -> Review:
    """The review that an entry records; words that are erased are said to be so."""
    findings = zip(about["findings"], _said(about["findings"], words.get("findings")), strict=True)
    proposed = about.get("adjustments", ())
    adjustments = zip(proposed, _said(proposed, words.get("adjustments")), strict=True)
    return Review(
        about["round"],
        tuple(_finding(clear, said) for clear, said in findings),
        tuple(Stood(goal["goal"], goal["reached"], goal["missed"]) for goal in about["goals"]),
        tuple(_adjustment(clear, said) for clear, said in adjustments),
    )


def _said(clear: Any, words: Any) -> Any:
    return words or [{"words": ERASED, "args": {}, "because": []}] * len(clear)


def _finding(clear: Mapping[str, Any], said: Json) -> Finding:
    return Finding(
        clear["rule"],
        said["words"],
        said.get("inputs", ()),
        said["args"],
        said.get("citation", ""),
        tuple(said["because"]),
        clear["plugin"],
        clear.get("version", ""),
    )


def _adjustment(clear: Mapping[str, Any], said: Json) -> Adjustment:
    goals: list[Goal] = [Goal(**goal) for goal in said.get("goals", ())] or [Goal(key, "", None) for key in clear.get("sets", ())]
    return Adjustment(
        clear["key"],
        said["words"],
        clear.get("option", ""),
        goals,
        tuple(clear.get("drops", ())),
        said["args"],
        tuple(said["because"]),
        clear["plugin"],
        clear["version"],
    )
