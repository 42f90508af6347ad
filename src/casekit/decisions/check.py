"""Whether a case type makes sense: names that exist, states that can be reached, fields that say
whether they are personal. Everything that is wrong is said at once, each with its path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from keyword import iskeyword

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError

from casekit.decisions.compiled import GUARDED, INTERNAL
from casekit.decisions.grammar import RESERVED
from casekit.decisions.plancheck import Found, plan_problems
from casekit.definition.casetype import ALWAYS, CATEGORIES, ENDED, PARTY_KINDS, Book, CaseType, Clock, State, Total, Transition
from casekit.definition.fields import Field, free_text, kind_of
from casekit.definition.schemas import unfit
from casekit.errors import BadInput, Problem
from casekit.model.money import decimals
from casekit.model.time import zone_named

_ID = re.compile(r"[a-z][a-z0-9_]*(-[a-z0-9_]+)*")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_KEY = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
_NUMBER = re.compile(r"[A-Za-z0-9 ./_-]*(\{year\}|\{seq(:0\d{1,2})?\}|[A-Za-z0-9 ./_-])*")


def check(case_type: CaseType, where: str = "") -> None:
    """Refuses a case type that makes no sense.

    Raises:
        BadInput: everything that is wrong with it.
    """
    prefix = f"{where or case_type.key}: "
    problems = [Problem(prefix + path, what, do) for path, what, do in _problems(case_type)]
    if problems:
        raise BadInput(problems)


def _problems(case_type: CaseType) -> Found:
    yield from _names(case_type)
    yield from _settings(case_type)
    yield from _roles(case_type)
    yield from _readable("/data", case_type.data)
    for group in ("data", "facts"):
        yield from _fields(getattr(case_type, group), f"/{group}", case_type.roles)
    states = dict(_flat(case_type.states, ""))
    yield from _states(case_type.states, "/states", case_type.initial, inherited="")
    yield from _transitions(case_type, states)
    yield from _reachable(case_type, states)
    yield from plan_problems(case_type, states)
    for id_, clock in case_type.clocks.items():
        yield from _clock(case_type, clock, f"/clocks/{id_}")
    yield from _book(case_type)


def _names(case_type: CaseType) -> Found:
    if not _KEY.fullmatch(case_type.key):
        yield "/key", f"{case_type.key!r} is no key", "use lower-case words joined by '.' or '-'"
    if not case_type.version:
        yield "/version", "is empty", "say which version this is"
    for group in ("states", "transitions", "roles", "plan", "clocks", "documents"):
        for name in sorted(n for n in getattr(case_type, group) if not _ID.fullmatch(n)):
            yield f"/{group}/{name}", f"{name!r} can't be a name here", "use lower-case letters, digits, '_' and '-'"
    for group in ("facts", "requirements"):
        for name in sorted(n for n in getattr(case_type, group) if not _KEY.fullmatch(n)):
            yield f"/{group}/{name}", f"{name!r} is no key", "use lower-case words joined by '.' or '-'"
    yield from _readable("/totals", case_type.totals)
    for name in sorted({*case_type.data} & {*case_type.totals}):
        yield f"/totals/{name}", "a field of the data has the same name", "rename one of the two"


def _readable(path: str, names: Collection[str]) -> Found:
    """What conditions call by its bare name must be one word to them, and no word of their own."""
    for name in names:
        if not _WORD.fullmatch(name):
            yield (
                f"{path}/{name}",
                f"{name!r} can't be a name here",
                "use lower-case letters, digits and '_', so that conditions can read it",
            )
        elif name in RESERVED or iskeyword(name):
            yield f"{path}/{name}", f"{name!r} means something else in a condition", "choose another name"


def _settings(case_type: CaseType) -> Found:
    for command in case_type.guards:
        if command not in GUARDED:
            yield f"/guards/{command}", "no such command can be guarded", "use one of " + ", ".join(GUARDED)
    if not _NUMBER.fullmatch(case_type.number) or (case_type.number and "{seq" not in case_type.number):
        yield "/number", f"{case_type.number!r} is no pattern", "write it like D-{year}-{seq:05}"
    try:
        zone_named(case_type.zone)
    except BadInput as wrong:
        yield "/zone", wrong.problems[0].what, wrong.problems[0].do
    for path, lock in case_type.overlay.items():
        if lock not in ("free", "tighten", "locked"):
            yield f"/overlay/{path}", f"{lock!r} is no lock", "use free, tighten or locked"


def _roles(case_type: CaseType) -> Found:
    for name, role in case_type.roles.items():
        if role.min < 0 or (role.max is not None and role.max < max(role.min, 1)):
            yield f"/roles/{name}", f"{role.min} to {role.max} parties can't be", "say at least 0, and at most no less than at least"
        for kind in role.kinds:
            if kind not in PARTY_KINDS:
                yield f"/roles/{name}/kinds", f"{kind!r} is no kind of party", "use one of " + ", ".join(PARTY_KINDS)


def _fields(fields: Mapping[str, Field], path: str, roles: Collection[str]) -> Found:
    for name, field in fields.items():
        at = f"{path}/{name}"
        try:
            Draft202012Validator.check_schema(dict(field.schema), format_checker=FormatChecker(formats=()))
        except SchemaError as wrong:
            inner = "".join(f"/{part}" for part in wrong.absolute_path)
            yield f"{at}/schema{inner}", wrong.message, "write it as JSON Schema, draft 2020-12"
            continue
        for part, what, do in unfit(field.schema):
            yield f"{at}/schema{part}", what, do
        if _number(field.schema):
            yield f"{at}/schema", "a number with a fraction is not exact", "use type integer, or a string of format decimal or money"
        if field.personal is None and free_text(field.schema):
            yield f"{at}/personal", "a text without an enumeration must say whether it is personal", "add personal: true or false"
        if field.owner and not field.personal:
            yield f"{at}/owner", "only a personal field has an owner", "mark it personal"
        if field.owner and field.owner not in roles:
            yield f"{at}/owner", f"no role {field.owner!r}", "name a role of this case type"
        if field.report and (field.personal or kind_of(field.schema) not in ("money", "integer")):
            yield f"{at}/report", "can't be summed up in the clear", "report money or integers that are not personal"


def _number(schema: object) -> bool:
    if isinstance(schema, Mapping):
        kind = schema.get("type")
        return (
            kind == "number" or (isinstance(kind, list) and "number" in kind) or any(_number(v) for k, v in schema.items() if k != "enum")
        )
    return isinstance(schema, (list, tuple)) and any(_number(v) for v in schema)


def _states(states: Mapping[str, State], path: str, initial: str, inherited: str) -> Found:
    if initial not in states:
        yield f"{path.removesuffix('/states')}/initial", f"{initial!r} is no state here", "use one of " + ", ".join(states)
    for name, state in states.items():
        at = f"{path}/{name}"
        category = state.category or inherited
        if state.category and state.category not in CATEGORIES:
            yield f"{at}/category", f"{state.category!r} is no category", "use one of " + ", ".join(CATEGORIES)
        if not category and not state.states:
            yield f"{at}/category", "is missing", "use one of " + ", ".join(CATEGORIES)
        if state.states:
            yield from _states(state.states, f"{at}/states", state.initial, category)
        elif state.initial:
            yield f"{at}/initial", "there are no inner states", "leave it out, or add them"


def _flat(states: Mapping[str, State], above: str) -> Iterator[tuple[str, State]]:
    for name, state in states.items():
        yield above + name, state
        yield from _flat(state.states, f"{above}{name}.")


def _transitions(case_type: CaseType, states: Mapping[str, State]) -> Found:
    for key, transition in case_type.transitions.items():
        at = f"/transitions/{key}"
        targets = [] if transition.target is None else [("target", transition.target)]
        for name, state in [*(("source", s) for s in transition.source), *targets]:
            if state not in states:
                yield f"{at}/{name}", f"{state!r} is no state", "use a full path: " + ", ".join(states)
        if not transition.source:
            yield f"{at}/source", "is empty", "say from which states"
        yield from _event(case_type, transition, transition.on or key, at)
        yield from _readable(f"{at}/form", transition.form)
        yield from _fields(transition.form, f"{at}/form", case_type.roles)


def _ends(case_type: CaseType, target: str | None) -> bool:
    """Whether a case that gets there is over."""
    states, category = dict(_flat(case_type.states, "")), ""
    parts = (target or "").split(".")
    for path in (".".join(parts[: i + 1]) for i in range(len(parts))):
        category = (states[path].category if path in states else "") or category
    while target in states and states[target].initial:
        target = f"{target}.{states[target].initial}"
        category = (states[target].category if target in states else "") or category
    return category in ENDED


def _event(case_type: CaseType, transition: Transition, event: str, at: str) -> Found:
    if event == ALWAYS and not transition.when:
        yield f"{at}/when", "a transition without event needs a condition", "say when it is taken"
    if event == ALWAYS or INTERNAL.fullmatch(event):
        if transition.allow or transition.form or transition.reason:
            yield at, f"nobody fires {event!r}: it has no permission, form or reason", "leave them out"
        for rule in (*transition.requires, *(case_type.closing if _ends(case_type, transition.target) else ())):
            if rule not in case_type.requirements:
                yield (
                    f"{at}/requires",
                    f"nobody fires {event!r}, so no plugin is asked for {rule!r}",
                    "require only what this case type says",
                )
    for prefix, names in (("clock", case_type.clocks), ("fact", case_type.facts), ("document", case_type.documents)):
        name = event.removeprefix(f"{prefix}.")
        name = name.rpartition(".")[0] if prefix == "clock" else name
        if event.startswith(f"{prefix}.") and INTERNAL.fullmatch(event) and names and name not in names:
            yield f"{at}/on", f"no {prefix} {name!r}", "name one of this case type: " + ", ".join(names)


def _reachable(case_type: CaseType, states: Mapping[str, State]) -> Found:
    # A state is entered as a target or as an initial state; those around it are reached with it, but not their initial states.
    entered: set[str] = set()
    reached: set[str] = set()
    waiting = [case_type.initial]
    while waiting:
        path = waiting.pop()
        if path in entered or path not in states:
            continue
        entered.add(path)
        reached.update(".".join(path.split(".")[: i + 1]) for i in range(path.count(".") + 1))
        if states[path].initial:
            waiting.append(f"{path}.{states[path].initial}")
        waiting += [t.target for t in case_type.transitions.values() if t.target and any(s in reached for s in t.source)]
    for path in states:
        if path not in reached:
            yield "/states/" + path.replace(".", "/states/"), "no transition leads here", "add one, or take the state away"


def _clock(case_type: CaseType, clock: Clock, at: str) -> Found:
    yield from _elapsed(clock, at) if clock.kind == "elapsed" else _fixed(case_type, clock, at)
    if clock.each:
        if clock.start or clock.stop:
            yield at, "instances of an each clock bring their own start and are met by payment", "leave start and stop out"
        if case_type.ledger is None:
            yield at, "instances of an each clock are met by payment, and there is no ledger", "add a ledger"
    elif not clock.start:
        yield f"{at}/start", "is missing", "say under which condition it starts"
    for i, text in enumerate(clock.warn):
        if not text.startswith("-"):
            yield f"{at}/warn/{i}", f"{text!r} does not lie before the due instant", "write it like -P3D"


def _elapsed(clock: Clock, at: str) -> Found:
    if not clock.amount:
        yield f"{at}/amount", "is missing", "say how long it runs, such as P14D"
    elif clock.amount.startswith("-") or not re.search("[1-9]", clock.amount):
        yield f"{at}/amount", f"{clock.amount!r} is no time at all", "say how long it runs, such as P14D"
    if clock.due or clock.each:
        yield at, "an elapsed clock has neither due nor each", "use kind fixed"


def _fixed(case_type: CaseType, clock: Clock, at: str) -> Found:
    field = case_type.data.get(clock.due)
    if clock.amount:
        yield f"{at}/amount", "a fixed clock has no amount", "leave it out"
    if clock.due and (field is None or kind_of(field.schema) not in ("date", "date-time") or field.personal):
        yield f"{at}/due", f"{clock.due!r} is no clear field with a day or an instant", "name one"
    if bool(clock.due) == clock.each:
        yield at, "a fixed clock has either a due field or each", "say one of the two"


def _book(case_type: CaseType) -> Found:
    book = case_type.ledger
    if book is None:
        if case_type.totals:
            yield "/totals", "there is no ledger to sum", "add a ledger"
        return
    if book.currency:
        try:
            decimals(book.currency)
        except BadInput as wrong:
            yield "/ledger/currency", wrong.problems[0].what, wrong.problems[0].do
    elif not any(kind_of(f.schema) == "money" and not f.personal for f in case_type.data.values()):
        yield "/ledger/currency", "is missing, and no clear field holds money", "say it"
    for component in book.opening:
        if component not in book.components:
            yield f"/ledger/opening/{component}", "no such component", "use one of " + ", ".join(book.components)
    yield from _totals(case_type.totals, book)


def _totals(totals: Mapping[str, Total], book: Book) -> Found:
    for name, total in totals.items():
        if bool(total.kinds) == bool(total.of):
            yield f"/totals/{name}", "sums either kinds of posting or other totals", "say kinds, or of"
        for component in total.components:
            if component not in book.components:
                yield f"/totals/{name}/components", f"no component {component!r}", "use one of " + ", ".join(book.components)
