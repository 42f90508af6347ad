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
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
from attrs import define, evolve, field, frozen

from casekit.definition.calendars import Calendar, check_calendar
from casekit.definition.casetype import CaseType
from casekit.definition.counts import Counts, check_counts
from casekit.errors import BadInput, CasekitError, Conflict, PluginFailed, Problem, StoreFailed
from casekit.model.answers import Adjustment, Finding, Objection, Option, signed
from casekit.model.judged import Judged
from casekit.plugins import specs
from casekit.plugins.contained import Watch, demand_plain, taken, told, vetted
from casekit.plugins.declared import API, PROJECT, Calculator, CalendarSource, Importer, Need, Plugin, Rule
from casekit.plugins.view import View

if TYPE_CHECKING:
    from casekit.plugins.isolation.limits import Limits

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

MOST_DECLARED = 10_000
"""Records that one plugin may declare of a kind."""

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
        isolated: Whether it runs in processes of its own.
    """

    says: Plugin
    source: str
    hooks: tuple[str, ...] = ()
    broken: str = ""
    isolated: bool = False


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
        watch: Gets what is seen of it.
    """

    plugin: Plugin
    call: Callable[..., Any]
    needs: tuple[Need, ...]
    watch: Watch = field(factory=Watch, eq=False, repr=False)

    @property
    def said(self) -> str:
        """Plugin, version and hook, as errors name them."""
        return f"{self.plugin.name} {self.plugin.version}: {getattr(self.call, '__name__', 'hook')}"

    @property
    def names(self) -> tuple[str, ...]:
        """The arguments that it names."""
        return _named(self.call) or ()


class Catalogue:
    """The plugins of one desk.

    Args:
        modules: Plugins beside those installed: modules or objects with a ``PLUGIN`` and hooks.
        installed: Whether installed distributions are looked for.
        required: Names of plugins without which the desk must not start.
        isolated: Plugins that run in processes of their own, by name or by place, each with its limits.

    Raises:
        BadInput: a required plugin is missing or broken.

    Attributes:
        watch: What was seen of the plugins since.
    """

    def __init__(
        self,
        modules: Iterable[Any] = (),
        *,
        installed: bool = True,
        required: Iterable[str] = (),
        isolated: Mapping[str, Limits] | None = None,
    ) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(specs)
        self.loaded: list[Loaded] = []
        self.declared = Declared()
        self.watch = Watch()
        self._stand_ins: dict[str, Any] = {}
        self._found: list[tuple[Plugin, dict[str, Any]]] = []
        self._implementations: dict[str, list[Asked]] = {name: [] for name in specs.FAMILIES}
        self._answering: dict[tuple[str, str], list[Asked]] = {}
        found = [*(_installed() if installed else ()), *((module, _name(module)) for module in modules)]
        for what, source in apart(found, isolated or {}):
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

    def asked_of(self, hook: str) -> Asked:
        """The first that implements a hook, whatever it handles."""
        return self._implementations[hook][0]

    def close(self) -> None:
        """Ends the processes of isolated plugins; they start again if they are asked again."""
        for stand_in in self._stand_ins.values():
            stand_in.crew.close()

    def quarantine(self, name: str, reason: str) -> None:
        """Takes a plugin out, whole, with what it declared."""
        if name in self._stand_ins:
            self._stand_ins.pop(name).crew.close()
        self.loaded = [evolve(p, broken=reason) if p.says.name == name else p for p in self.loaded]
        self._answering.clear()
        for hook, asked in self._implementations.items():
            self._implementations[hook] = [a for a in asked if a.plugin.name != name]
        for group in _KEYED:
            kept = {key: pair for key, pair in getattr(self.declared, group).items() if pair[1].name != name}
            setattr(self.declared, group, kept)
        self.declared.roles = [pair for pair in self.declared.roles if pair[1].name != name]

    def _load(self, what: Any, source: str) -> None:
        point = what.point if isinstance(what, Apart) else what
        name = source
        try:
            name = point.name if isinstance(point, EntryPoint) else _called(what, source)
            version = point.dist.version if isinstance(point, EntryPoint) and point.dist else ""
            module = self._stand_in(what) if isinstance(what, Apart) else what.load() if isinstance(what, EntryPoint) else what
            says = self._check(module, version)
            implemented = self._register(module, says)
            declared = _declared(module, implemented)
        except KeyboardInterrupt:
            raise  # somebody wants the program to end
        except BaseException as wrong:  # noqa: BLE001 - a plugin may fail in any way, and the desk goes on
            if isinstance(what, Apart) and what.name in self._stand_ins:
                self._stand_ins.pop(what.name).crew.close()
            self.loaded.append(Loaded(Plugin(name), source, broken=told(wrong), isolated=isinstance(what, Apart)))
            return
        for hook, asked in implemented.items():
            self._implementations[hook] = sorted((*self._implementations[hook], asked), key=lambda a: a.plugin.name)
        if isinstance(what, Apart):
            self._stand_ins[says.name] = module
        self.loaded.append(Loaded(says, source, tuple(implemented), isolated=isinstance(what, Apart)))
        self._found.append((says, declared))

    def _stand_in(self, what: Apart) -> Any:
        from casekit.plugins.isolation.standin import StandIn

        return StandIn(what.place, what.limits)

    def _check(self, module: Any, version: str) -> Plugin:
        says = getattr(module, "PLUGIN", None)
        if not isinstance(says, Plugin):
            raise BadInput.at("PLUGIN", "the module does not say which plugin it is", "add PLUGIN = Plugin('name', api=1)")
        if {type(text) for text in (says.name, says.version, says.title, *says.handles)} != {str} or not says.name:
            raise BadInput.at("PLUGIN", "its name, version, title and case types are not all texts", "use plain texts")
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
                    implemented[name] = Asked(says, found.function, getattr(found.function, "casekit_needs", ()), self.watch)
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
        with asked.watch.over(lambda: asked.said, asked.plugin.name):
            answered = taken(call_with(asked.call, arguments))
            if not answered:
                return []
            _check_kinds(answered, kinds)
            answers = vetted(answered)
    except (StoreFailed, Conflict, KeyboardInterrupt):
        raise  # what a plugin looks at is read when it looks: that the store fails is not its fault, and Ctrl-C is the user's
    except PluginFailed as wrong:
        raise PluginFailed(f"{asked.said} {wrong}") from wrong
    except CasekitError as wrong:
        raise PluginFailed(f"{asked.said} failed: {told(wrong).partition(': ')[2]}") from wrong
    except BaseException as wrong:
        raise PluginFailed(f"{asked.said} raised {told(wrong)}") from wrong
    return [signed(answer, asked.plugin.name, asked.plugin.version) for answer in answers]


def _check_kinds(answers: Iterable[Any], kinds: tuple[type[Any], ...]) -> None:
    for kind in map(type, answers):
        if not issubclass(kind, kinds):
            wanted = " or ".join(one.__name__ for one in kinds)
            raise PluginFailed(f"answered a {kind.__name__}, not a {wanted}")


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
        with _RULES.over(lambda: f"the check of {rule.key}", rule.key):
            met = rule.check(view)
            if type(met) is Judged:
                return vetted([met])[0]  # type: ignore[no-any-return]
    except (StoreFailed, Conflict, KeyboardInterrupt):
        raise
    except PluginFailed as wrong:
        raise PluginFailed(f"the check of {rule.key} {wrong}") from wrong
    except BaseException as wrong:
        raise PluginFailed(f"the check of {rule.key} raised {told(wrong)}") from wrong
    if met is not None and type(met) is not bool:
        raise PluginFailed(f"the check of {rule.key} answered a {type(met).__name__}, not true, false, None or a Judged")
    return met


_RULES = Watch()
"""What was seen of requirements in code."""


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
    declared: dict[str, Any] = {
        group: _records(f"casekit_{group}", getattr(module, f"casekit_{group}")(), kinds)
        for group, kinds in _KEYED.items()
        if f"casekit_{group}" in hooks
    }
    for calendar in declared.get("calendars", ()):
        if isinstance(calendar, Calendar):
            check_calendar(calendar)
    for counts in declared.get("counts", ()):
        check_counts(counts)
    if "casekit_roles" in hooks:
        grants = {str(role): tuple(taken(_list(grants), MOST_DECLARED)) for role, grants in dict(module.casekit_roles()).items()}
        if any(type(grant) is not str for given in grants.values() for grant in given):
            raise BadInput.at("casekit_roles", "a permission is no text", "use plain texts")
        declared["roles"] = grants
    return declared


def _records(hook: str, given: Any, kinds: tuple[type, ...]) -> list[Any]:
    """What was declared, each a record of the promised kind that holds what such records hold."""
    records = taken(_list(given), MOST_DECLARED)
    for kind in map(type, records):
        if not issubclass(kind, kinds):
            raise BadInput.at(hook, f"returned a {kind.__name__}", f"return {' or '.join(one.__name__ for one in kinds)} records")
    if any(type(r.key) is not str for r in records):
        raise BadInput.at(hook, "a key is no text", "use plain texts")
    for record in records:
        demand_plain(record, hook)
    return records


def _list(declared: Any) -> Any:
    """What was declared; nothing at all is no list."""
    return iter(declared)


@frozen
class Apart:
    """A plugin that is to run in processes of its own.

    Attributes:
        name: As the installation names it.
        place: ``package.module`` or ``package.module:object``.
        limits: What it may use.
        point: Its entry point, or the object that was given; None: it is known by its place only.
    """

    name: str
    place: str
    limits: Limits
    point: Any = None


def apart(found: Iterable[tuple[Any, str]], isolated: Mapping[str, Limits]) -> Iterator[tuple[Any, str]]:
    """The plugins found, those that are to be isolated marked, and those that are known by their place only."""
    named: set[str] = set()
    for what, source in found:
        names = (what.name,) if isinstance(what, EntryPoint) else (_called(what, source), _place(what))
        limits = next((isolated[name] for name in names if name in isolated), None)
        if limits is None and isinstance(what, EntryPoint) and not what.value.startswith("casekit."):
            limits = isolated.get(EVERY)
        named |= set(names)
        if limits is None:
            yield what, source
        else:
            yield Apart(names[0], what.value if isinstance(what, EntryPoint) else _place(what), limits, what), source
    for name, limits in isolated.items():
        if name not in named and name != EVERY:
            yield Apart(name, name, limits), name


def _place(what: Any) -> str:
    if isinstance(what, ModuleType):
        return what.__name__
    return f"{getattr(what, '__module__', '')}:{getattr(what, '__qualname__', type(what).__qualname__)}"


def _called(what: Any, source: str) -> str:
    """How a plugin calls itself, where that can be had."""
    point = what.point if isinstance(what, Apart) else what
    try:
        name = getattr(getattr(point, "PLUGIN", None), "name", source)
    except Exception:  # noqa: BLE001 - a plugin may fail in any way
        return source
    return name if type(name) is str else source


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
