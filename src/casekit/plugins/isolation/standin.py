"""An object that stands for a plugin in another process: it has the plugin's hooks, and each call of one goes there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any

from casekit.definition.calendars import Calendar, read_calendar
from casekit.definition.casetype import CaseType
from casekit.definition.counts import Counts
from casekit.definition.fields import Field
from casekit.definition.load import structure
from casekit.errors import BadInput, PluginFailed
from casekit.plugins.declared import Calculator, CalendarSource, Need, Plugin, Rule, hookimpl
from casekit.plugins.isolation.forms import unpack
from casekit.plugins.isolation.keeper import Crew
from casekit.plugins.isolation.limits import Limits


class StandIn:
    """A plugin in another process.

    Args:
        place: Where the plugin is found.
        limits: What it may use.

    Raises:
        PluginFailed: it can't be loaded.
        BadInput: what it declares makes no sense.
    """

    def __init__(self, place: str, limits: Limits) -> None:
        self.crew = Crew(place, limits, place)
        said = self.crew.declared()
        try:
            self.PLUGIN = structure(said["says"], Plugin, "PLUGIN")
            self._hooks(said)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise BadInput.at(
                place, f"declares what makes no sense ({type(wrong).__name__}: {wrong})", "run it in process to see"
            ) from None

    def _hooks(self, said: Mapping[str, Any]) -> None:
        declare = {
            "casekit_case_types": [structure(one, CaseType, "casekit_case_types") for one in said["case_types"]],
            "casekit_counts": [structure(one, Counts, "casekit_counts") for one in said["counts"]],
            "casekit_calendars": [self._calendar(*one) for one in said["calendars"]],
            "casekit_requirements": [self._rule(one) for one in said["requirements"]],
            "casekit_calculators": [self._calculator(one) for one in said["calculators"]],
            "casekit_importers": [],  # the worker has seen to it that there are none
            "casekit_roles": dict(said["roles"][0]) if said["roles"] else {},
        }
        for hook, about in said["hooks"].items():
            call = _giving(declare[hook]) if hook in declare else self._asking("hook", hook, tuple(about["args"]))
            call.__name__ = hook
            setattr(self, hook, hookimpl(needs=_needs(about["needs"]))(call))

    def _asking(self, what: str, name: str, args: tuple[str, ...]) -> Callable[..., Any]:
        crew = self.crew

        def ask(**arguments: Any) -> Any:
            answer = crew.ask(what, name, arguments)
            try:
                return unpack(answer)
            except BadInput as wrong:
                raise PluginFailed(f"answered what makes no sense: {wrong}") from wrong

        ask.__signature__ = Signature([Parameter(arg, Parameter.KEYWORD_ONLY) for arg in args])  # type: ignore[attr-defined]
        return ask

    def _rule(self, said: dict[str, Any]) -> Rule:
        ask = self._asking("rule", said["key"], ("view",))
        return Rule(**{**said, "check": lambda view: ask(view=view), "needs": _needs(said["needs"])})

    def _calculator(self, said: dict[str, Any]) -> Calculator:
        inputs = {name: structure(field, Field, f"casekit_calculators/{name}") for name, field in said["inputs"].items()}
        return Calculator(**{**said, "inputs": inputs, "function": self._asking("calculate", said["key"], tuple(inputs))})

    def _calendar(self, key: str, title: str, said: Any) -> Calendar | CalendarSource:
        if said is not None:
            return read_calendar(said, "casekit_calendars")
        crew = self.crew

        def build(first: int, last: int) -> Calendar:
            return read_calendar(crew.ask("build", key, {"first": first, "last": last}), "casekit_calendars")

        return CalendarSource(key, title, build)


def _giving(records: Any) -> Callable[..., Any]:
    return lambda: records


def _needs(said: list[dict[str, Any]]) -> tuple[Need, ...]:
    return tuple(structure(one, Need, "needs") for one in said)
