"""The catalogue: which plugins there are, what they declare, and how they are asked.

Every plugin is loaded alone and checked; one that can't be loaded, breaks a signature or claims a key that is
taken is quarantined whole, and everything else goes on. Implementations are called one by one, so that one
that raises is known by name and does not silence the others.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, TypeVar

import pluggy
from attrs import define, evolve, field, frozen

from casekit.definition.calendars import Calendar, check_calendar
from casekit.definition.casetype import CaseType
from casekit.definition.counts import Counts, check_counts
from casekit.errors import BadInput, CasekitError, Conflict, PluginFailed, Problem, StoreFailed
from casekit.model.answers import Adjustment, Finding, Objection, Option, signed
from casekit.model.judged import Judged
from casekit.plugins import specs
from casekit.plugins.declared import API, PROJECT, Calculator, CalendarSource, Importer, Need, Plugin, Rule
from casekit.plugins.view import View

EVERY = "*"
"""Case type of a plugin that handles them all."""

GROUP = "casekit.plugins"
"""Entry-point group in which distributions announce their plugins."""

_KEYED: Mapping[str, tuple[type, ...]] = {
    "case_types": (CaseType,),
    "requirements": (Rule,),
    "calculators": (Calculator,),
    "importers": (Importer,),
    "calendars": (Calendar, CalendarSource),
    "counts": (Counts,),
}
"""What plugins declare by key: group → its records."""

_A = TypeVar("_A", Finding, Objection, Option, Adjustment)
_R = TypeVar("_R")


@frozen
class Loaded:
    """A plugin in the catalogue.

    Attributes:
        says: Its own record, version filled in.
        source: Distribution and module, or where else it came from.
        hooks: Hooks that it implements.
        broken: Why it is in quarantine; empty: it is not.
    """

    says: Plugin
    source: str
    hooks: tuple[str, ...] = ()
    broken: str = ""


@define
class Declared:
    """What the plugins that work have declared, by key, each with its provider."""

    case_types: dict[str, tuple[CaseType, Plugin]] = field(factory=dict)
    requirements: dict[str, tuple[Rule, Plugin]] = field(factory=dict)
    calculators: dict[str, tuple[Calculator, Plugin]] = field(factory=dict)
    importers: dict[str, tuple[Importer, Plugin]] = field(factory=dict)
    calendars: dict[str, tuple[Calendar | CalendarSource, Plugin]] = field(factory=dict)
    counts: dict[str, tuple[Counts, Plugin]] = field(factory=dict)
    roles: list[tuple[Mapping[str, tuple[str, ...]], Plugin]] = field(factory=list)


@frozen
class Asked:
    """One implementation of a hook, ready to be called.

    Attributes:
        plugin: Whose it is.
        call: The function; called with keyword arguments by name.
        needs: What it reads beyond the head of the case.
    """

    plugin: Plugin
    call: Callable[..., Any]
    needs: tuple[Need, ...]

    @property
    def said(self) -> str:
        """Plugin, version and hook, as errors name them."""
        return f"{self.plugin.name} {self.plugin.version}: {getattr(self.call, '__name__', 'hook')}"


class Catalogue:
    """The plugins of one desk.

    Args:
        modules: Plugins beside those installed: modules or objects with a ``PLUGIN`` and hooks.
        installed: Whether installed distributions are looked for.
        required: Names of plugins without which the desk must not start.

    Raises:
        BadInput: a required plugin is missing or broken.
    """

    def __init__(self, modules: Iterable[Any] = (), *, installed: bool = True, required: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(specs)
        self.loaded: list[Loaded] = []
        self.declared = Declared()
        self._found: list[tuple[Plugin, dict[str, Any]]] = []
        self._implementations: dict[str, list[Asked]] = {name: [] for name in specs.FAMILIES}
        self._answering: dict[tuple[str, str], list[Asked]] = {}
        found = [*(_installed() if installed else ()), *((module, _name(module)) for module in modules)]
        for what, source in found:
            self._load(what, source)
        self._resolve_conflicts()
        self._demand(required)

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins that work, by name."""
        return tuple(sorted((p.says for p in self.loaded if not p.broken), key=lambda p: p.name))

    @property
    def broken(self) -> tuple[Loaded, ...]:
        """The plugins in quarantine, each with the reason."""
        return tuple(p for p in self.loaded if p.broken)

    def versions(self) -> dict[str, str]:
        """Plugin → version, of those that work."""
        return {plugin.name: plugin.version for plugin in self.plugins}

    def implementations(self, hook: str, case_type: str) -> list[Asked]:
        """Who answers a hook for a case type, by name of plugin."""
        known = self._answering.get((hook, case_type))
        if known is None:
            handling = (case_type, EVERY)
            known = [a for a in self._implementations[hook] if not set(handling).isdisjoint(a.plugin.handles)]
            self._answering[(hook, case_type)] = known
        return known

    def listeners(self, case_type: str) -> list[Asked]:
        """Who wants to hear of what was recorded."""
        return self.implementations("casekit_recorded", case_type)

    def quarantine(self, name: str, reason: str) -> None:
        """Takes a plugin out, whole, with what it declared."""
        self.loaded = [evolve(p, broken=reason) if p.says.name == name else p for p in self.loaded]
        self._answering.clear()
        for hook, asked in self._implementations.items():
            self._implementations[hook] = [a for a in asked if a.plugin.name != name]
        for group in _KEYED:
            kept = {key: pair for key, pair in getattr(self.declared, group).items() if pair[1].name != name}
            setattr(self.declared, group, kept)
        self.declared.roles = [pair for pair in self.declared.roles if pair[1].name != name]

    def _load(self, what: Any, source: str) -> None:
        name = what.name if isinstance(what, EntryPoint) else getattr(getattr(what, "PLUGIN", None), "name", source)
        try:
            version = what.dist.version if isinstance(what, EntryPoint) and what.dist else ""
            module = what.load() if isinstance(what, EntryPoint) else what
            says = self._check(module, version)
            implemented = self._register(module, says)
            declared = _declared(module, implemented)
        except (Exception, SystemExit) as wrong:  # noqa: BLE001 - a plugin may fail in any way, and the desk goes on
            self.loaded.append(Loaded(Plugin(str(name)), source, broken=f"{type(wrong).__name__}: {wrong}"))
            return
        for hook, asked in implemented.items():
            self._implementations[hook] = sorted((*self._implementations[hook], asked), key=lambda a: a.plugin.name)
        self.loaded.append(Loaded(says, source, tuple(implemented)))
        self._found.append((says, declared))

    def _check(self, module: Any, version: str) -> Plugin:
        says = getattr(module, "PLUGIN", None)
        if not isinstance(says, Plugin):
            raise BadInput.at("PLUGIN", "the module does not say which plugin it is", "add PLUGIN = Plugin('name', api=1)")
        if says.api != API:
            raise BadInput.at("PLUGIN.api", f"written for hook level {says.api}", f"this casekit has level {API}")
        twin = next((p for p in self.loaded if p.says.name == says.name and not p.broken), None)
        if twin is not None:
            raise BadInput.at("PLUGIN.name", f"{says.name!r} is taken by {twin.source}", "remove one of the two")
        return evolve(says, version=says.version or version or "0")

    def _register(self, module: Any, says: Plugin) -> dict[str, Asked]:
        own = _hooks_of(module)
        for name, function in own.items():
            _check_signature(name, function)
        self._manager.register(module, says.name)
        implemented = {}
        for name in own:
            for found in getattr(self._manager.hook, name).get_hookimpls():
                if found.plugin is module:
                    implemented[name] = Asked(says, found.function, getattr(found.function, "casekit_needs", ()))
        return implemented

    def _resolve_conflicts(self) -> None:
        """A key that two plugins claim belongs to neither: both are named, both are quarantined."""
        for (group, key), claimants in self._claims().items():
            if len(claimants) > 1:
                names = " and ".join(f"{p.name} {p.version}" for p in claimants)
                for plugin in claimants:
                    self.quarantine(plugin.name, f"the {group[:-1].replace('_', ' ')} {key!r} is claimed by {names} (remove one of them)")
        out = {p.says.name for p in self.broken}
        for says, declared in self._found:
            if says.name not in out:
                for group in _KEYED:
                    getattr(self.declared, group).update({record.key: (record, says) for record in declared.get(group, ())})
                if "roles" in declared:
                    self.declared.roles.append((declared["roles"], says))

    def _claims(self) -> dict[tuple[str, str], list[Plugin]]:
        claims: dict[tuple[str, str], list[Plugin]] = {}
        for says, declared in self._found:
            for group in _KEYED:
                for record in declared.get(group, ()):
                    claims.setdefault((group, record.key), []).append(says)
        return claims

    def _demand(self, required: Iterable[str]) -> None:
        there = {p.name for p in self.plugins}
        why = {p.says.name: p.broken for p in self.broken}
        problems = [
            Problem(f"plugin {name}", why.get(name, "is not installed"), "install or repair it: this desk requires it")
            for name in required
            if name not in there
        ]
        if problems:
            raise BadInput(problems)


def collect(asked: Asked, kind: type[_A], **arguments: Any) -> list[_A]:
    """What one implementation answers, checked and stamped.

    Raises:
        PluginFailed: it raised, or answered something else than promised; names plugin and hook.
    """
    return collect_any(asked, (kind,), **arguments)


def collect_any(asked: Asked, kinds: tuple[type[Any], ...], **arguments: Any) -> list[Any]:
    """As :func:`collect`, of a hook that may answer in several kinds."""
    try:
        answered = call_with(asked.call, arguments)
        if not answered:
            return []
        answered = list(answered)
    except (StoreFailed, Conflict):
        raise  # what a plugin looks at is read when it looks: that the store fails is not its fault
    except CasekitError as wrong:
        raise PluginFailed(f"{asked.said} failed: {wrong}") from wrong
    except Exception as wrong:
        raise PluginFailed(f"{asked.said} raised {type(wrong).__name__}: {wrong}") from wrong
    for answer in answered:
        if not isinstance(answer, kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise PluginFailed(f"{asked.said} answered a {type(answer).__name__}, not a {wanted}")
    return [signed(answer, asked.plugin.name, asked.plugin.version) for answer in answered]


def guarded(asked: Asked, **arguments: Any) -> list[Objection]:
    """What one guard objects; a guard that fails objects (it fails closed)."""
    try:
        return collect(asked, Objection, **arguments)
    except PluginFailed as wrong:
        return [
            Objection(
                "casekit.guard-failed",
                "A guard could not be asked: {failed}",
                {"failed": str(wrong)},
                remedy="repair or remove the plugin",
                plugin=asked.plugin.name,
                version=asked.plugin.version,
            )
        ]


def check_rule(rule: Rule, view: View) -> bool | Judged | None:
    """What a plugin's requirement says of a case.

    Raises:
        PluginFailed: it raised, or answered neither true, false, None nor a tree of its own.
    """
    try:
        met = rule.check(view)
    except (StoreFailed, Conflict):
        raise
    except Exception as wrong:
        raise PluginFailed(f"the check of {rule.key} raised {type(wrong).__name__}: {wrong}") from wrong
    if met is not None and not isinstance(met, (bool, Judged)):
        raise PluginFailed(f"the check of {rule.key} answered a {type(met).__name__}, not true, false, None or a Judged")
    return met


def call_with(function: Callable[..., _R], arguments: Mapping[str, Any]) -> _R:
    """Calls a function with those of the arguments that it names; with all, where it takes any."""
    names = _named(function)
    if names is None or names == tuple(arguments):
        return function(**arguments)
    return function(**{name: arguments[name] for name in names if name in arguments})


@lru_cache(maxsize=4096)
def _named(function: Callable[..., Any]) -> tuple[str, ...] | None:
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))


def _installed() -> Iterator[tuple[EntryPoint, str]]:
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"
        yield point, f"{distribution} ({point.value})"


def _declared(module: Any, hooks: Collection[str]) -> dict[str, Any]:
    declared: dict[str, Any] = {}
    for group, kinds in _KEYED.items():
        if f"casekit_{group}" in hooks:
            records = list(getattr(module, f"casekit_{group}")())
            wrong = next((r for r in records if not isinstance(r, kinds)), None)
            if wrong is not None:
                wanted = " or ".join(kind.__name__ for kind in kinds)
                raise BadInput.at(f"casekit_{group}", f"returned a {type(wrong).__name__}", f"return {wanted} records")
            declared[group] = records
    for calendar in declared.get("calendars", ()):
        if isinstance(calendar, Calendar):
            check_calendar(calendar)
    for counts in declared.get("counts", ()):
        check_counts(counts)
    if "casekit_roles" in hooks:
        declared["roles"] = {str(role): tuple(grants) for role, grants in dict(module.casekit_roles()).items()}
    return declared


def _name(module: Any) -> str:
    return module.__name__ if isinstance(module, ModuleType) else type(module).__name__


def _hooks_of(module: Any) -> dict[str, Any]:
    own = {name: getattr(module, name) for name in dir(module) if name.startswith("casekit_")}
    found = {}
    for name, function in own.items():
        if not callable(function):
            continue
        if name not in specs.FAMILIES:
            raise BadInput.at(name, "there is no such hook", "hooks are " + ", ".join(specs.FAMILIES))
        if not hasattr(function, f"{PROJECT}_impl"):
            raise BadInput.at(name, "is not marked as a hook", "put @hookimpl above it")
        found[name] = function
    return found


def _check_signature(name: str, function: Any) -> None:
    allowed = tuple(inspect.signature(getattr(specs, name)).parameters)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in allowed:
            raise BadInput.at(
                f"{name}({parameter.name})", "the hook has no such argument", "its arguments are " + (", ".join(allowed) or "none")
            )
        if parameter.default is not inspect.Parameter.empty:
            raise BadInput.at(f"{name}({parameter.name})", "an argument with a default would never be given", "take the default away")
    if inspect.iscoroutinefunction(function):
        raise BadInput.at(name, "hooks are plain functions", "take async away")
    if getattr(function, "casekit_needs", ()) and specs.FAMILIES[name] != "guard":
        raise BadInput.at(name, "only guards declare needs: this hook sees the whole case file", "leave needs out")


__all__ = ["Asked", "Catalogue", "Declared", "Loaded", "call_with", "check_rule", "collect", "collect_any", "guarded"]
