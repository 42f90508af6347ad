"""Whether a case type makes sense: names that exist, states that can be reached, fields that say
whether they are personal. Everything that is wrong is said at once, each with its path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from keyword import iskeyword

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError

from casekit.decisions import check_lifecycle
from casekit.decisions.check_clocks import check_clocks
from casekit.decisions.check_requirements import check_requirements
from casekit.decisions.check_retention import check_retention
from casekit.decisions.compiled import GUARDED
from casekit.decisions.grammar import RESERVED
from casekit.decisions.plancheck import Found, plan_problems
from casekit.definition.casetype import PARTY_KINDS, Book, CaseType, Total
from casekit.definition.fields import Field, free_text, kind_of
from casekit.definition.schemas import unfit
from casekit.errors import BadInput, Problem
from casekit.model.money import decimals
from casekit.model.time import zone_named

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
    yield from check_lifecycle.problems(case_type)
    for key, transition in case_type.transitions.items():
        yield from _readable(f"/transitions/{key}/form", transition.form)
        yield from _fields(transition.form, f"/transitions/{key}/form", case_type.roles)
    yield from plan_problems(case_type)
    yield from check_clocks(case_type)
    yield from check_requirements(case_type)
    yield from check_retention(case_type)
    yield from _book(case_type)


def _names(case_type: CaseType) -> Found:
    if not _KEY.fullmatch(case_type.key):
        yield "/key", f"{case_type.key!r} is no key", "use lower-case words joined by '.' or '-'"
    if not case_type.version:
        yield "/version", "is empty", "say which version this is"
    for group in ("transitions", "roles", "plan", "clocks", "sla", "documents"):
        for name in sorted(n for n in getattr(case_type, group) if not check_lifecycle.ID.fullmatch(n)):
            yield f"/{group}/{name}", f"{name!r} can't be a name here", "use lower-case letters, digits, '_' and '-'"
    for group in ("facts", "requirements", "retention"):
        for name in sorted(n for n in getattr(case_type, group) if not _KEY.fullmatch(n)):
            yield f"/{group}/{name}", f"{name!r} is no key", "use lower-case words joined by '.' or '-'"
    for kind, document in case_type.documents.items():
        wrong = [status for status in document.statuses if not check_lifecycle.ID.fullmatch(status)]
        if wrong or len(set(document.statuses)) != len(document.statuses):
            do = "name each once, in lower-case letters, digits, '_' and '-'"
            yield f"/documents/{kind}/statuses", f"{', '.join(document.statuses)} can't be statuses", do
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
        if field.joint and not (at.startswith("/facts/") and field.owner):
            yield f"{at}/joint", "only a fact that has an owner can be joint", "name its owner, or leave it out"
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
