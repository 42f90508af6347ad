"""Why not, on the command line: trees, JSON that its schema knows, who could, approvals."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

import homecare
import release
import tenancy
from casekit import Desk
from casekit.cli.shapes import shape
from casekit.cli.trees import show_explanation
from commandline import Run

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[2] / "schemas" / "explanation.schema.json").read_text(encoding="utf-8")))


@pytest.fixture
def desk(open_store: Callable[..., Desk]) -> Desk:
    return open_store(plugins=[release, homecare, tenancy])


@pytest.fixture
def engine() -> str:
    return "sqlite"


def answers(desk: Desk) -> dict[str, Any]:
    """Explanations of every subject, asked by one who may and by one who may not."""
    lee, ann = desk.seat("user:lee", roles={"clerk"}), desk.seat("user:ann", roles={"head", "nurse"})
    case = lee.open("release.case", data={"account": "DE1"}).id
    lee.do(case, "check")
    found = {f"{event}": lee.explain(case, event) for event in ("check", "pay", "drop", "settle", "late", "free")}
    found |= {f"{event}, denied": ann.explain(case, event) for event in ("pay", "settle")}
    found |= {f"closing {outcome}": lee.explain_closing(case, outcome) for outcome in ("", "paid", "void")}
    found |= {f"item {item}": lee.explain_item(case, item) for item in release.RELEASE.plan}
    found |= {f"clock {clock}": lee.explain_running(case, clock) for clock in release.RELEASE.clocks}
    parties = {"tenant": lee.party("person", name="A"), "landlord": lee.party("person", name="B")}
    flat = lee.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties=parties).id
    found |= {f"tenancy {event}": lee.explain(flat, event) for event in ("answer", "decide")}
    help_ = desk.seat("user:bo", roles={"office"}).open("care.case").id
    return found | {f"care {item}": ann.explain_item(help_, item) for item in homecare.CARE.plan}


def test_every_answer_has_the_form_of_its_schema(desk: Desk) -> None:
    for name, found in answers(desk).items():
        wrong = [error.message for error in SCHEMA.iter_errors(json.loads(json.dumps(shape(found))))]
        assert not wrong, name
    said = shape(desk.seat("user:lee", roles={"clerk"}).explain(_case(desk), "drop"))
    assert "unknown" in {part["met"] for part in _parts(said["tree"])}
    for broken in (
        {**said, "possible": "yes"},
        {**said, "tree": {**said["tree"], "met": None}},
        {k: v for k, v in said.items() if k != "who"},
    ):
        assert not SCHEMA.is_valid(broken)


def _case(desk: Desk) -> str:
    return desk.seat("user:lee", roles={"clerk"}).cases(types=("release.case",)).cases[0].id


def _parts(tree: Any) -> list[Any]:
    return [tree, *(one for part in tree["parts"] for one in _parts(part))]


def test_on_a_terminal_it_is_a_tree_and_elsewhere_lines(desk: Desk) -> None:
    for name, found in answers(desk).items():
        for terminal in (True, False):
            out = Console(width=140, force_terminal=terminal, color_system=None, markup=False, file=io.StringIO())
            show_explanation(out, found)
            said = out.file.getvalue()  # type: ignore[attr-defined]
            assert said.strip(), name
            assert ("──" in said) is (terminal and bool(found.tree.parts or found.tree.remedies)), name
            if found.lacking:
                assert "you lack the permission" in said, name


def test_explain_and_approve(program: Run, tmp_path: Path) -> None:
    says = {
        "key": "x.case",
        "version": "1",
        "title": "X",
        "initial": "open",
        "data": {"amount": {"schema": {"type": "integer"}}},
        "states": {"open": {"category": "open"}, "done": {"category": "closed", "outcome": "done"}},
        "transitions": {"end": {"source": ["open"], "target": "done", "requires": ["ready"]}},
        "plan": {"read": {"manual": True, "blocks": "never"}},
        "clocks": {"answer": {"amount": "P14D", "start": "known(amount)", "stop": "at('done')"}},
        "requirements": {"ready": {"all": [{"field": "amount"}, {"approval": "x.release"}], "unmet": "It is not ready."}},
    }
    (tmp_path / "x.json").write_text(json.dumps(says), encoding="utf-8")

    def run(*args: str, code: int = 0) -> Any:
        done = program(*args, "--json", "--store", f"sqlite:///{tmp_path}/cli.db", "--type", tmp_path / "x.json")
        assert done.code == code, done
        return done.json

    case = run("case", "open", "x.case")["case"]["id"]
    found = run("case", "explain", case, "end")
    SCHEMA.validate(found)
    assert (found["possible"], found["denied"], found["not_possible"], found["obstacles"]) == (False, False, True, ["requires"])
    assert run("case", "explain", case)["subject"] == "closing"
    assert run("case", "explain", case, "--item", "read")["tree"]["met"] is True
    clock = run("case", "explain", case, "--clock", "answer")
    assert (clock["tree"]["actual"], clock["tree"]["missing"]) == ("not started", [])
    assert run("case", "explain", case, "end", "--who")["grants"] == {"case.do": ["admin"]}
    run("case", "explain", case, "end", "--item", "read", code=2)
    run("case", "approve", case, "nothing", code=2)
    run("case", "change", case, "--data", "amount=1")
    assert run("case", "approve", case, "ready", "--reason", "seen")["accepted"] is True
    assert run("case", "explain", case, "end")["possible"] is True
    run("case", "approve", case, "ready", "--withdraw")
    assert run("case", "explain", case, "end")["possible"] is False
