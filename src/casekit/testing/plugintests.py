"""What every plugin promises, as tests to inherit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import attrs
from attrs import evolve

from casekit.decisions.check import check
from casekit.decisions.compiled import compile_type
from casekit.definition.casetype import CaseType
from casekit.definition.fields import free_text
from casekit.definition.forms import Form
from casekit.definition.load import canonical_text, digest, structure
from casekit.errors import BadInput
from casekit.model.answers import Adjustment, Finding, Objection, Option
from casekit.model.canonical import decode, plain
from casekit.plugins.catalogue import Asked, Catalogue, call_with, check_rule, collect, collect_any
from casekit.plugins.declared import Need
from casekit.plugins.specs import ANSWERS
from casekit.plugins.view import Command, Message, Recorded, View
from casekit.testing.views import NOW, a_view, only


class PluginTests:
    """Tests that hold for every plugin; a plugin's own tests inherit them.

    Example::

        class TestTenancy(PluginTests):
            plugin = casekit_tenancy

    Attributes:
        plugin: The plugin: a module or object with a ``PLUGIN`` and hooks.
        prefix: What its public keys begin with; empty: the name of the plugin and a point.
        others: Case types of other plugins that this one handles.
        calculations: Calculator → inputs to try it with.
    """

    plugin: ClassVar[Any]
    prefix: ClassVar[str] = ""
    others: ClassVar[tuple[CaseType, ...]] = ()
    calculations: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def views(self) -> Iterable[View]:
        """Case files to ask the hooks about; override it where a case type requires data, and to add those that matter."""
        return [a_view(case_type) for case_type in (*self.case_types(), *self.others)]

    def commands(self) -> Iterable[Command]:
        """Commands to ask ``casekit_before`` about."""
        return [Command("note", {}, NOW, "user:test")]

    def messages(self) -> Iterable[Message]:
        """Messages to ask ``casekit_before_message`` about."""
        return [Message("", "out", via, "planned", NOW) for via in ("phone", "email", "letter")]

    def case_types(self) -> list[CaseType]:
        """The case types that the plugin brings."""
        return [case_type for case_type, _ in self.catalogue().declared.case_types.values()]

    def catalogue(self) -> Catalogue:
        """A catalogue that holds this plugin alone."""
        return Catalogue([self.plugin], installed=False)

    def test_it_loads(self) -> None:
        """Signatures fit, declarations are records, nothing is in quarantine."""
        broken = self.catalogue().broken
        assert not broken, broken[0].broken

    def test_it_handles_what_it_brings(self) -> None:
        """The hooks of a plugin are asked for its own case types, and for those of others that it is tried with."""
        handled = self.plugin.PLUGIN.handles
        assert "*" in handled or {c.key for c in (*self.case_types(), *self.others)} <= set(handled)

    def test_public_keys_begin_alike(self) -> None:
        """Keys of rules, calculators and requirements begin with the plugin's prefix, so that two plugins can't clash."""
        declared = self.catalogue().declared
        own = [*declared.requirements, *declared.calculators]
        own += [key for case_type in self.case_types() for key in case_type.requirements]
        self._prefixed(own)

    def test_case_types_make_sense(self) -> None:
        """Every case type checks and compiles, with the requirements that this plugin brings."""
        rules = self.catalogue().declared.requirements
        for case_type in self.case_types():
            check(case_type)
            compile_type(case_type, digest(case_type), rules)

    def test_case_types_are_json(self) -> None:
        """A case type written as JSON and read again is the same one."""
        for case_type in self.case_types():
            read = structure(decode(canonical_text(case_type)), CaseType, case_type.key)
            assert digest(read) == digest(case_type)

    def test_hooks_are_pure(self) -> None:
        """The same question twice has the same answers, of the promised kind, and leaves the case file as it was."""
        for hook, asked, view, more in self._questions():
            before = as_values(view)
            first = collect_any(asked, ANSWERS[hook], view=view, **more)
            assert first == collect_any(asked, ANSWERS[hook], view=view, **more), f"{hook} answers differently when asked again"
            assert as_values(view) == before, f"{hook} changes the case file"

    def test_answers_can_be_kept(self) -> None:
        """Answers have a JSON form, public keys of the plugin's own, and no argument that their words do not find."""
        for hook, asked, view, more in self._questions():
            answers: list[Any] = collect_any(asked, ANSWERS[hook], view=view, **more)
            for answer in answers:
                plain(dict(answer.args), hook)
                if not isinstance(answer, Option):
                    self._prefixed([answer.key if isinstance(answer, Adjustment) else answer.rule])
                text = answer.reason if isinstance(answer, Objection) else answer.text
                assert "{" not in text, f"{hook}: {text!r} names an argument that is not there"

    def test_options_are_told_apart(self) -> None:
        """The keys of one planning differ, and those of the adjustments of one review."""
        for hook, asked, view, more in self._questions():
            if hook in ("casekit_plan", "casekit_review"):
                answers = collect_any(asked, ANSWERS[hook], view=view, **more)
                keys = [answer.key for answer in answers if not isinstance(answer, Finding)]
                assert len(set(keys)) == len(keys)

    def test_guards_declare_what_they_read(self) -> None:
        """What guards and requirements answer does not depend on parts of the case file that their needs do not name."""
        for hook, asked, view, more in self._questions():
            if hook.startswith("casekit_before"):
                narrow, wide = (collect(asked, Objection, view=v, **more) for v in (only(view, asked.needs), _beside(view, asked.needs)))
                assert narrow == wide, f"{hook} reads what its needs do not name"
        for rule, _ in self.catalogue().declared.requirements.values():
            for view in self.views():
                met, beside = (check_rule(rule, v) for v in (only(view, rule.needs), _beside(view, rule.needs)))
                assert met == beside, f"{rule.key} reads what its needs do not name"

    def test_rules_answer_true_false_or_none(self) -> None:
        """Requirements in code answer in three values, and the same twice."""
        for rule, _ in self.catalogue().declared.requirements.values():
            for view in self.views():
                assert check_rule(rule, view) == check_rule(rule, view)

    def test_calculators_say_what_they_take(self) -> None:
        """Every input of a calculator has a schema that holds, text without an enumeration says whether it is personal, and
        each of ``calculations`` gives the same value twice, with a JSON form.
        """
        calculators = self.catalogue().declared.calculators
        for key, (calculator, _) in calculators.items():
            Form(calculator.inputs)
            for name, field in calculator.inputs.items():
                assert field.personal is not None or not free_text(field.schema), f"{key}: {name} does not say whether it is personal"
        for key, given in self.calculations.items():
            function = calculators[key][0].function
            result = function(**given)
            assert result == function(**given)
            plain(as_values(result), key)

    def test_notices_take_what_is_told_twice(self) -> None:
        """Hearing of the same entry again does no harm."""
        for case_type in (*self.case_types(), *self.others):
            told = Recorded("00000000-0000-0000-0000-000000000001", case_type.key, 1, "open", NOW, NOW, case_type.initial)
            events = tuple(f"clock.{clock}.breached" for clock in case_type.clocks)
            for recorded in (told, evolve(told, events=events)):
                for asked in self.catalogue().listeners(case_type.key):
                    call_with(asked.call, {"recorded": recorded})
                    call_with(asked.call, {"recorded": recorded})

    def _questions(self) -> Iterable[tuple[str, Asked, View, dict[str, Any]]]:
        catalogue = self.catalogue()
        for view in self.views():
            for hook in ANSWERS:
                for asked in catalogue.implementations(hook, view.type):
                    for more in self._arguments(hook, view):
                        yield hook, asked, view, more

    def _arguments(self, hook: str, view: View) -> list[dict[str, Any]]:
        case_type = next(c for c in (*self.case_types(), *self.others) if c.key == view.type)
        if hook in ("casekit_plan", "casekit_review"):
            return [{"findings": ()}]
        if hook == "casekit_close":
            return [{"outcome": outcome} for outcome in sorted(_outcomes(case_type.states))] or [{"outcome": ""}]
        if hook == "casekit_before":
            return [{"command": command} for command in self.commands()]
        if hook == "casekit_before_transition":
            return [{"event": transition.on or key, "fields": {}} for key, transition in case_type.transitions.items()]
        if hook == "casekit_before_message":
            return [{"message": message} for message in self.messages()]
        return [{}]

    def _prefixed(self, keys: Iterable[str]) -> None:
        prefix = self.prefix or f"{self.plugin.PLUGIN.name}."
        for key in keys:
            if not key.startswith(prefix):
                raise BadInput.at(key, f"a public key of {self.plugin.PLUGIN.name} begins with {prefix!r}", "rename it, or set prefix")


def as_values(value: Any) -> Any:
    """A value with its records and enumerations taken apart."""
    if attrs.has(type(value)):
        return {a.name: as_values(getattr(value, a.name)) for a in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): as_values(inner) for key, inner in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [as_values(inner) for inner in value]
    return value


def _beside(view: View, needs: Iterable[Need]) -> View:
    """The whole case file, but of what is needed no more than needed."""
    seen, named = only(view, needs), {need.what for need in needs}
    return evolve(view, **{_ROWS[what]: getattr(seen, _ROWS[what]) for what in named})


_ROWS = {"parties": "parties", "facts": "facts", "messages": "messages", "postings": "postings", "documents": "filed", "cases": "others"}


def _outcomes(states: Mapping[str, Any]) -> set[str]:
    found = {state.outcome for state in states.values() if state.outcome}
    return found.union(*(_outcomes(state.states) for state in states.values())) if states else found
