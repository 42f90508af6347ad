"""Case types: which are known, what they say, whether a file of one is in order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.errors import BadInput, Problem

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.definition.casetype import CaseType, State
    from casekit.definition.fields import Field


def list_types(*, common: Everywhere = HERE) -> int:
    """Lists the case types known here."""
    with common.desk() as desk:
        providers = {key: f"{plugin.name} {plugin.version}" for key, (_, plugin) in desk.catalogue.declared.case_types.items()}
        found = [
            {"key": key, "version": c.says.version, "title": c.says.title, "digest": c.digest, "from": providers.get(key, "a file")}
            for key, c in sorted(desk.library.types.items())
        ]

    def words(out: Console) -> None:
        from casekit.cli.looks import table

        columns = ("key", "version", "title", "from")
        out.print(table(columns, [[entry[name] for name in columns] for entry in found]) if found else "No case type is known here.")

    return common.face.give({"types": found}, words)


def show(key: Annotated[str, Parameter(name="TYPE", help="The case type.")], /, *, common: Everywhere = HERE) -> int:
    """Shows a case type; with --json its canonical form, which can be read again from a file."""
    from casekit.definition.load import canonical

    with common.desk() as desk:
        compiled = desk.library.current(key)
    answer = {"digest": compiled.digest, "type": canonical(compiled.says)}
    return common.face.give(answer, lambda out: _show(out, compiled.says, compiled.digest))


def check(
    files: Annotated[tuple[Path, ...], Parameter(name="FILE", help="JSON files of case types.")],
    /,
    *,
    common: Everywhere = HERE,
) -> int:
    """Checks case types: every problem with its path; exit code 2 where there is one. What may surprise is said beside."""
    from casekit.decisions.plancheck import remarks
    from casekit.definition.load import read_case_type

    if not files:
        raise BadInput.at("casekit type check", "no file is named", "name the JSON files of case types")
    problems: list[Problem] = []
    found: list[dict[str, Any]] = []
    with common.desk() as desk:
        for file in files:
            try:
                compiled = desk.library.add(read_case_type(file), str(file))
            except BadInput as wrong:
                problems += wrong.problems
            else:
                says = compiled.says
                aside = [{"where": where, "what": what} for where, what in remarks(says)]
                found.append({"file": str(file), "key": says.key, "version": says.version, "digest": compiled.digest, "remarks": aside})
    if problems:
        raise BadInput(problems)

    def words(out: Console) -> None:
        from casekit.cli.looks import table

        columns = ("file", "key", "version", "digest")
        out.print(table(columns, [[entry[name] for name in columns] for entry in found]))
        for entry in found:
            for remark in entry["remarks"]:
                out.print(f"{entry['file']} {remark['where']}: {remark['what']}")

    return common.face.give({"types": found}, words)


def _show(out: Console, says: CaseType, digest: str) -> None:
    from rich.text import Text

    from casekit.cli.looks import facts, heading, indented, table
    from casekit.definition.requirements import described

    out.print(Text(f"{says.key} {says.version}  {says.title}", "bold"))
    out.print(indented(facts([("digest", digest), ("begins in", says.initial), ("zone", says.zone), ("numbers", says.number)])))
    events = [
        (t.on or key, ", ".join(t.source), t.target, t.when, ", ".join(t.requires), t.allow, ", ".join(t.form))
        for key, t in says.transitions.items()
    ]
    clocks = [(key, c.amount or c.due or "each its own", c.start, c.stop, c.pause, c.citation) for key, c in says.clocks.items()]
    rules = [(key, described(r), r.unmet, r.citation) for key, r in says.requirements.items()]
    totals = [(key, t.of or f"{', '.join(t.kinds)} {', '.join(t.components)}".strip(), t.report) for key, t in says.totals.items()]
    sections: list[tuple[str, tuple[str, ...], list[Any]]] = [
        ("States", ("state", "title", "category", "outcome"), list(_states(says.states))),
        ("Events", ("event", "from", "to", "when", "requires", "permission", "form"), events),
        ("Data", ("field", "kind", "title", "marks"), _fields(says.data)),
        ("Facts", ("fact", "kind", "title", "marks"), _fields(says.facts)),
        ("Roles", ("role", "at least", "at most", "kinds"), [(key, r.min, r.max, r.kinds) for key, r in says.roles.items()]),
        ("Clocks", ("clock", "due", "start", "stop", "pause", "citation"), clocks),
        ("Rules", ("rule", "holds when", "else", "citation"), rules),
        ("Totals", ("total", "of", "reported"), totals),
        (
            "Documents",
            ("kind", "title", "direction", "statuses"),
            [(key, d.title, d.direction, ", ".join(d.statuses)) for key, d in says.documents.items()],
        ),
    ]
    for title, columns, rows in sections:
        if rows:
            heading(out, title)
            out.print(indented(table(columns, rows)))
    if says.closing:
        heading(out, "Every closing needs")
        out.print(indented(", ".join(says.closing)))


def _states(states: Mapping[str, State], above: str = "", category: str = "") -> Any:
    for key, state in states.items():
        path = f"{above}.{key}" if above else key
        here = state.category or category
        yield path, state.title, here, state.outcome
        yield from _states(state.states, path, here)


def _fields(fields: Mapping[str, Field]) -> list[tuple[Any, ...]]:
    from casekit.definition.fields import kind_of

    found = []
    for name, field in fields.items():
        marks = [mark for mark, is_so in (("required", field.required), ("personal", field.personal), ("reported", field.report)) if is_so]
        enum = field.schema.get("enum")
        found.append((name, " | ".join(map(str, enum)) if enum else kind_of(field.schema), field.title, ", ".join(marks)))
    return found
