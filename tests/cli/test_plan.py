"""Plans in the terminal: what lives and what blocks, commands on items, work lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from commandline import Run

TYPE: dict[str, Any] = {
    "key": "home.case",
    "version": "1",
    "title": "Home",
    "initial": "open",
    "number": "H-{seq:03}",
    "states": {"open": {"category": "open"}, "over": {"category": "closed", "outcome": "done"}},
    "transitions": {"finish": {"source": ["open"], "target": "over"}},
    "plan": {
        "visit": {"title": "Visit", "required": True, "who": "nurse", "due": {"after": "P7D"}},
        "offer": {"kind": "stage", "entry": [{"on": ["visit.completed"]}]},
        "draft": {"title": "Write it", "stage": "offer", "who": "office"},
        "extra": {"title": "Ask", "stage": "offer", "discretionary": {}},
    },
}


@pytest.fixture
def planned(casekit: Run, tmp_path: Path) -> Any:
    """The command line with a case type that has a plan, and a case of it."""
    file = tmp_path / "home.json"
    file.write_text(json.dumps(TYPE), encoding="utf-8")

    def run(*arguments: str) -> Any:
        return casekit(*arguments, "--type", str(file))

    assert run("case", "open", "home.case").code == 0
    return run


def test_the_plan_of_a_case_and_what_is_in_the_way(planned: Any) -> None:
    shown = planned("case", "plan", "H-001")
    assert (shown.code, "visit.1" in shown.out, "In the way of closing" in shown.out) == (0, True, True)
    said = planned("case", "plan", "H-001", "--json").json
    assert [(b["item"]["item"], b["item"]["state"]) for b in said["items"]] == [("visit", "active"), ("offer", "available")]
    assert planned("case", "do", "H-001", "finish").code == 1
    why = planned("case", "plan", "H-001", "--item", "offer")
    assert "waits for visit.completed" in why.out


def test_items_are_worked_and_added(planned: Any) -> None:
    assert planned("case", "item", "H-001", "complete", "visit").code == 0
    assert planned("case", "item", "H-001", "complete", "visit").code == 1
    assert planned("case", "item", "H-001", "add", "extra", "--json").json["id"] == "extra.1"
    own = ("--kind", "task", "--title", "Ring Jim", "--stage", "offer", "--due", "P2D", "--who", "nurse", "--after", "draft.completed")
    assert planned("case", "item", "H-001", "add", "ring", *own).code == 0
    assert planned("case", "item", "H-001", "complete", "draft").code == 0
    listed = planned("task", "list", "--json").json
    assert [(t["task"]["item"], t["task"]["title"]) for t in listed["tasks"]] == [("ring", "Ring Jim"), ("extra", "Ask")]
    assert [t["task"]["item"] for t in planned("task", "list", "--who", "nurse", "--json").json["tasks"]] == ["ring"]
    assert "Ring Jim" in planned("task", "list").out
    assert planned("case", "review", "H-001", "all is well").code == 0
    assert planned("case", "item", "H-001", "suspend").code == 0
    assert "The plan rests" in planned("case", "plan", "H-001").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("case", "item", "H-001", "fly", "visit"),
        ("case", "item", "H-001", "complete", "nothing"),
        ("case", "item", "H-001", "complete"),
        ("case", "item", "H-001", "add", "ring", "--title", "x"),
        ("case", "plan", "H-001", "--item", "visit", "--as-of", "2026-01-01"),
        ("task", "list", "--size", "0"),
    ],
)
def test_what_is_not_valid_is_said(planned: Any, arguments: tuple[str, ...]) -> None:
    assert planned(*arguments).code == 2
