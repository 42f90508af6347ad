from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from casekit.definition.casetype import CaseType, State
from casekit.definition.fields import field
from casekit.errors import BadInput, PluginFailed
from casekit.model.answers import Finding, Objection
from casekit.plugins import catalogue as room
from casekit.plugins import contained
from casekit.plugins.catalogue import Catalogue, call_with, check_rule, collect, guarded
from casekit.plugins.declared import Calculator, Importer, Need, Plugin, Rule, hookimpl

VIEW: Any = object()


def module(name: str = "odd", /, **members: Any) -> ModuleType:
    made = ModuleType(f"casekit_{name}")
    made.PLUGIN = Plugin(name, api=1, handles="*", version="1.0")  # type: ignore[attr-defined]
    for key, value in members.items():
        setattr(made, key, value)
    return made


def hook(name: str, function: Callable[..., Any], **how: Any) -> Any:
    function.__name__ = name
    return hookimpl(**how)(function) if how else hookimpl(function)


def assess(answer: Any) -> Any:
    return hook("casekit_assess", lambda view: answer() if callable(answer) else answer)


GOOD = module("good", casekit_assess=assess([Finding("good.found", "found")]))


def only(*modules: Any, **how: Any) -> Catalogue:
    return Catalogue([*modules], installed=False, **how)


def reason(made: Catalogue, name: str = "odd") -> str:
    """Why a plugin is in quarantine; and that the good one still answers."""
    assert [p.says.name for p in made.broken if p.says.name == name] == [name]
    assert name not in made.versions()
    for hook_name in room.specs.FAMILIES:
        assert name not in [a.plugin.name for a in made.implementations(hook_name, "any")]
    for group in ("case_types", "requirements", "calculators", "importers"):
        assert name not in [plugin.name for _, plugin in getattr(made.declared, group).values()]
    assert [a.plugin.name for a in made.implementations("casekit_assess", "any")] == ["good"]
    return next(p.broken for p in made.broken if p.says.name == name)


def boom() -> Any:
    raise RuntimeError("no database")


def bare(name: str) -> Any:
    def function() -> Any:
        return []

    function.__name__ = name
    return function


async def waits(view: Any) -> Any:
    return []


BROKEN = [
    (module(PLUGIN=None), "which plugin it is"),
    (module(PLUGIN=Plugin("odd", api=2, handles="*")), "level 2"),
    (module(casekit_unheard=hook("casekit_unheard", lambda: [*()])), "no such hook"),
    (module(casekit_case_types=bare("casekit_case_types")), "not marked as a hook"),
    (module(casekit_case_types=hook("casekit_case_types", boom)), "RuntimeError: no database"),
    (module(casekit_case_types=hook("casekit_case_types", lambda: [1])), "returned a int"),
    (module(casekit_case_types=hook("casekit_case_types", lambda: None)), "NoneType"),
    (module(casekit_requirements=hook("casekit_requirements", lambda: ["x"])), "returned a str"),
    (module(casekit_roles=hook("casekit_roles", lambda: 3)), "int"),
    (module(casekit_assess=hook("casekit_assess", lambda case: [])), "casekit_assess\\(case\\).*no such argument"),
    (module(casekit_assess=hook("casekit_assess", lambda view, more=1: [])), "more"),
    (module(casekit_assess=hook("casekit_assess", lambda view=None: [])), "would never be given"),
    (module(casekit_assess=hook("casekit_assess", lambda *views: [])), "views"),
    (module(casekit_assess=hook("casekit_assess", lambda **any_: [])), "any_"),
    (module(casekit_assess=hook("casekit_assess", waits)), "plain functions"),
    (module(casekit_assess=hook("casekit_assess", lambda view: [], needs=(Need("facts"),))), "only guards declare needs"),
    # A plugin that fails late must leave nothing behind of what it had registered before.
    (module(casekit_assess=assess([]), casekit_calculators=hook("casekit_calculators", boom)), "no database"),
]


@pytest.mark.parametrize(("broken", "says"), BROKEN, ids=[says for _, says in BROKEN])
def test_a_broken_plugin_is_quarantined_whole_and_the_rest_goes_on(broken: Any, says: str) -> None:
    import re

    found = reason(only(broken, GOOD), "casekit_odd" if broken.PLUGIN is None else "odd")

    assert re.search(says, found), found


def test_a_module_that_can_not_be_imported_is_named_with_its_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "casekit_bad_import.py").write_text("import a_module_that_is_not_there\n")
    (tmp_path / "casekit_bad_exit.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    points = [
        EntryPoint("odd", "casekit_bad_import", room.GROUP),
        EntryPoint("rude", "casekit_bad_exit", room.GROUP),
        EntryPoint("gone", "casekit_bad_import:nothing", room.GROUP),
    ]
    monkeypatch.setattr(room, "entry_points", lambda group: points)
    made = Catalogue([GOOD])

    assert "a_module_that_is_not_there" in reason(made)
    assert "SystemExit" in reason(made, "rude")
    assert "a_module_that_is_not_there" in reason(made, "gone")


def test_installed_plugins_are_found_by_their_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from casekit.sdk import Plugin, hookimpl\nPLUGIN = Plugin('fresh', api=1)\n@hookimpl\ndef casekit_roles():\n    return {'clerk': ['case.*']}\n"
    (tmp_path / "casekit_fresh.py").write_text(source)
    folder = tmp_path / "casekit_fresh-2.5.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: casekit-fresh\nVersion: 2.5\n")
    (folder / "entry_points.txt").write_text("[casekit.plugins]\nfresh = casekit_fresh\n")
    monkeypatch.syspath_prepend(tmp_path)
    made = Catalogue()

    fresh = next(p for p in made.loaded if p.says.name == "fresh")
    assert (fresh.says.version, fresh.source, fresh.hooks) == ("2.5", "casekit-fresh 2.5 (casekit_fresh)", ("casekit_roles",))
    assert made.versions()["fresh"] == "2.5"
    sys.modules.pop("casekit_fresh", None)


def declares(name: str, group: str, record: Any) -> ModuleType:
    return module(name, **{f"casekit_{group}": hook(f"casekit_{group}", lambda: [record])})


RECORDS = {
    "case_types": CaseType("one.key", "1", "T", "open", {"open": State(category="open")}),
    "requirements": Rule("one.key", lambda _: True),
    "calculators": Calculator("one.key", "T", lambda: 1, {}),
    "importers": Importer("one.key", "T", lambda _path, _tell: iter(())),
}


@pytest.mark.parametrize("group", RECORDS)
def test_two_plugins_that_claim_one_key_are_both_named_and_both_out(group: str) -> None:
    first, second = declares("first", group, RECORDS[group]), declares("second", group, RECORDS[group])
    made = only(first, second, GOOD)

    for name in ("first", "second"):
        found = reason(made, name)
        assert "'one.key' is claimed by first 1.0 and second 1.0" in found
    assert "one.key" not in getattr(made.declared, group)


def test_a_key_of_another_kind_is_no_conflict() -> None:
    made = only(*(declares(name, group, RECORDS[group]) for name, group in zip("abcd", RECORDS, strict=True)))

    assert made.broken == ()
    assert [getattr(made.declared, group)["one.key"][1].name for group in RECORDS] == list("abcd")


def test_two_plugins_of_one_name_the_second_is_out() -> None:
    made = only(GOOD, module("good"))

    assert "'good' is taken by casekit_good" in made.broken[0].broken
    assert [a.plugin.name for a in made.implementations("casekit_assess", "any")] == ["good"]


def test_a_required_plugin_that_is_missing_or_broken_stops_the_start() -> None:
    with pytest.raises(BadInput) as wrong:
        only(GOOD, module(casekit_roles=hook("casekit_roles", boom)), required=("good", "odd", "absent"))

    assert {p.where: p.what for p in wrong.value.problems} == {
        "plugin odd": "RuntimeError: no database",
        "plugin absent": "is not installed",
    }


def test_a_plugin_is_asked_for_the_case_types_that_it_handles() -> None:
    mine = module("mine", casekit_assess=assess([]))
    mine.PLUGIN = Plugin("mine", api=1, handles=("a.case", "b.case"), version="1")  # type: ignore[attr-defined]
    none = module("none", casekit_assess=assess([]))
    none.PLUGIN = Plugin("none", api=1, version="1")  # type: ignore[attr-defined]
    made = only(none, mine, GOOD)

    assert [a.plugin.name for a in made.implementations("casekit_assess", "a.case")] == ["good", "mine"]
    assert [a.plugin.name for a in made.implementations("casekit_assess", "c.case")] == ["good"]


def asked(function: Callable[..., Any]) -> Any:
    made = only(module(casekit_assess=hook("casekit_assess", function)))
    assert not made.broken
    return made.implementations("casekit_assess", "any")[0]


def test_answers_are_stamped_with_who_gave_them() -> None:
    found = collect(asked(lambda view: iter([Finding("a.b", "x", plugin="liar")])), Finding, view=VIEW)

    assert [(f.rule, f.plugin, f.version) for f in found] == [("a.b", "odd", "1.0")]
    assert collect(asked(lambda view: None), Finding, view=VIEW) == []


def generator() -> Iterator[Finding]:
    yield Finding("a.b", "x")
    raise ZeroDivisionError("half way")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (boom, "raised RuntimeError: no database"),
        (generator, "raised ZeroDivisionError: half way"),
        (lambda: ["text"], "answered a str, not a Finding"),
        (lambda: [Objection("a.b", "x")], "answered a Objection"),
        (lambda: 3, "raised TypeError"),
        (lambda: [Finding("Not A Key", "x")], "failed: rule"),
        (lambda: (_ for _ in ()).throw(RecursionError()), "RecursionError"),
    ],
)
def test_a_plugin_that_decides_and_fails_is_named_with_its_hook(answer: Any, says: str) -> None:
    with pytest.raises(PluginFailed) as wrong:
        collect(asked(lambda view: answer()), Finding, view=VIEW)

    assert "odd 1.0: casekit_assess " in str(wrong.value)
    assert says in str(wrong.value)


@pytest.mark.parametrize("answer", [boom, lambda: ["text"], lambda: 3, lambda: [Finding("a.b", "x")]])
def test_a_guard_that_fails_objects(answer: Any) -> None:
    guard = module(casekit_before=hook("casekit_before", lambda view, command: answer()))
    found = guarded(only(guard).implementations("casekit_before", "any")[0], view=VIEW, command=None)

    assert [(o.rule, o.plugin, o.version) for o in found] == [("casekit.guard-failed", "odd", "1.0")]
    assert "odd 1.0: casekit_before" in found[0].reason


def test_a_guard_that_is_content_says_nothing() -> None:
    guard = module(casekit_before=hook("casekit_before", lambda view: None))

    assert guarded(only(guard).implementations("casekit_before", "any")[0], view=VIEW, command=None) == []


def test_what_a_guard_needs_is_known() -> None:
    needs = (Need("messages", window="P7D"), Need("facts", key="income"))
    guard = module(casekit_before=hook("casekit_before", lambda view: None, needs=needs))

    assert only(guard).implementations("casekit_before", "any")[0].needs == needs


@pytest.mark.parametrize("met", [True, False, None])
def test_a_rule_answers_true_false_or_unknown(met: Any) -> None:
    assert check_rule(Rule("a.b", lambda _: met), VIEW) is met


@pytest.mark.parametrize(
    ("check", "says"), [(boom, "raised TypeError"), (lambda _: boom(), "no database"), (lambda _: 1, "answered a int")]
)
def test_a_rule_that_fails_is_named(check: Any, says: str) -> None:
    with pytest.raises(PluginFailed, match="a.b.*" + says):
        check_rule(Rule("a.b", check), VIEW)


@pytest.mark.parametrize(
    "function",
    [
        lambda amount: amount,
        lambda *, amount: amount,
        lambda amount, other=0: amount + other,
        lambda **values: values["amount"],
        partial(lambda rate, amount: amount * rate, 1),
    ],
)
def test_functions_get_the_arguments_that_they_name(function: Any) -> None:
    assert call_with(function, {"amount": 3, "unheard": 4} if "values" not in str(function) else {"amount": 3}) == 3


def test_a_callable_object_is_called_like_a_function() -> None:
    class Doubles:
        def __call__(self, amount: int) -> int:
            return 2 * amount

    assert call_with(Doubles(), {"amount": 3, "more": 1}) == 6
    assert Calculator("a.b", "A", Doubles(), {"amount": field(int)}).inputs["amount"].order == 1


def test_a_hook_that_takes_long_is_told_of(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contained, "SLOW", 0.01)
    made = only(module(casekit_assess=hook("casekit_assess", lambda view: time.sleep(0.02))))
    one = made.implementations("casekit_assess", "any")[0]

    caplog.set_level("WARNING", "casekit.plugins")
    monkeypatch.setattr(logging.getLogger("casekit.plugins"), "disabled", False)  # whoever reads a logging file before us may have
    assert collect(one, Finding, view=VIEW) == []
    [(said, (often, longest))] = made.watch.slow.items()
    assert (said, often, longest >= 0.02) == ("odd 1.0: casekit_assess", 1, True)
    assert "took 0.0 s" in caplog.text
    assert made.watch.failed == {}


def test_an_answer_is_made_anew_of_plain_values() -> None:
    class Odd(Finding):
        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment]

    args = {"a": [1, {"b": 2}]}
    [found] = collect(asked(lambda view: [Odd("a.b", "x", args=args)]), Finding, view=VIEW)
    args["a"].append(3)

    assert type(found) is Finding
    assert found.args == {"a": [1, {"b": 2}]}


def test_a_hook_that_decides_or_guards_can_not_use_the_desk() -> None:
    with pytest.raises(PluginFailed, match="uses the desk"):
        collect(asked(lambda view: contained.demand_outside()), Finding, view=VIEW)
    contained.demand_outside()  # and outside of one, it can
