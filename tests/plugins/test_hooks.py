"""The hooks' one template: promise, when, returns, if it raises, since, and an example that runs as it stands."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from casekit import sdk
from casekit.definition.casetype import CaseType, State
from casekit.model.goals import Goal, Progress
from casekit.model.money import Money
from casekit.plugins import specs
from casekit.plugins.catalogue import Catalogue, call_with
from casekit.plugins.declared import Plugin
from casekit.plugins.view import Command, Message, Recorded, View

ROOT = Path(__file__).parents[2]
HOOKS = sorted(specs.FAMILIES)
AT = "2026-11-24T14:00:00.000000Z"
told: list[str] = []

VIEW = View(
    id="1",
    type="tenancy.dispute",
    number=None,
    zone="UTC",
    opened=AT,
    now=AT,
    active=frozenset({"decided"}),
    category="open",
    data={"claimed": Money("2.00", "EUR"), "deposit": Money("1.00", "EUR")},
    totals={},
    latest={},
    messages=(Message("1.0", "out", "phone", "busy", AT),) * 7,
    goals=(Progress(Goal("paid", "balance", 0), AT, None, None, True, AT),),
)
ASKED: dict[str, dict[str, Any]] = {
    "casekit_assess": {"view": VIEW},
    "casekit_plan": {"view": VIEW, "findings": ()},
    "casekit_review": {"view": VIEW, "findings": ()},
    "casekit_close": {"view": VIEW, "outcome": "decided"},
    "casekit_before": {"view": VIEW, "command": Command("pay", {}, AT, "user:lee")},
    "casekit_before_transition": {"view": VIEW, "event": "decide", "fields": {}},
    "casekit_before_message": {"view": VIEW, "message": Message("", "out", "phone", "", AT)},
    "casekit_recorded": {"recorded": Recorded("1", "t", 1, "tick", AT, AT, "open", ("clock.answer.breached",))},
}
AROUND = {
    "DISPUTE": CaseType("tenancy.dispute", "1", "T", "open", {"open": State(category="open")}),
    "interest": lambda deposit: deposit,
    "read_xes": lambda path, tell: iter(()),
    "notify": told.append,
}


def words(hook: str) -> str:
    said = inspect.getdoc(getattr(specs, hook))
    assert said
    return said


def example(hook: str) -> ModuleType:
    """The example in the docstring, as a plugin's module."""
    made = ModuleType("casekit_example")
    vars(made).update({name: getattr(sdk, name) for name in sdk.__all__}, **AROUND)
    exec(textwrap.dedent(words(hook).split("Example::")[1]), vars(made))
    made.PLUGIN = Plugin("example", api=1, handles="*", version="1")  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_says_all_that_its_author_must_know(hook: str) -> None:
    said = words(hook)
    order = [said.index(part) for part in ("When: ", "Returns: ", "If it raises: ", "Since: 1.", "Example::")]

    assert order == sorted(order)
    assert re.match(r"[A-Z].*\.$", said.splitlines()[0])
    if inspect.signature(getattr(specs, hook)).parameters:
        assert "Arguments: " in " ".join(said.split())


@pytest.mark.parametrize("hook", HOOKS)
def test_every_example_is_a_plugin_that_loads_and_answers(hook: str) -> None:
    made = Catalogue([example(hook)], installed=False)

    assert made.broken == ()
    asked = made.implementations(hook, "any")[0]
    answered = call_with(asked.call, ASKED.get(hook, {}))
    if hook == "casekit_recorded":
        assert told == ["1"]
    else:
        assert list(answered)


def test_the_families_are_the_hooks_and_each_has_one_policy() -> None:
    defined = {name for name in vars(specs) if name.startswith("casekit_")}

    assert defined == set(specs.FAMILIES)
    assert set(specs.FAMILIES.values()) == {"declare", "decide", "guard", "notice"}


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_used_by_a_plugin_that_ships(hook: str) -> None:
    shipped = [*(ROOT / "src/casekit/builtin").rglob("*.py"), *(ROOT / "plugins").glob("*/src/**/*.py")]

    assert any(f"def {hook}(" in path.read_text(encoding="utf-8") for path in shipped)


def test_the_door_of_plugin_authors_is_light() -> None:
    code = (
        "import sys, casekit.sdk\n"
        "heavy = {'sqlalchemy', 'jsonschema', 'jsonschema_rs', 'alembic', 'cryptography', 'rich', 'cyclopts', 'psycopg', 'referencing'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert found.stdout == "[]\n"


def test_all_that_the_door_promises_is_there_and_documented() -> None:
    for name in sdk.__all__:
        said = getattr(sdk, name)
        if inspect.isclass(said) or inspect.isfunction(said):
            assert said.__doc__, name
