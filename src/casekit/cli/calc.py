"""Calculators of plugins, from the command line; their inputs are options by the names that they declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.values import value
from casekit.errors import BadInput, Problem

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.definition.fields import Field
    from casekit.plugins.declared import Calculator


def calc(
    name: Annotated[str, Parameter(name="NAME", help="The calculator. None: which there are.")] = "",
    /,
    *,
    common: Everywhere = HERE,
    **inputs: Annotated[str, Parameter(help="An input of the calculator, as --its-name value; lists and maps as JSON.")],
) -> int:
    """Uses a plugin's calculator; no store is needed."""
    with common.desk() as desk:
        known = {key: calculator for key, (calculator, _) in sorted(desk.catalogue.declared.calculators.items())}
        if not name:
            return common.face.give({"calculators": [_about(c) for c in known.values()]}, lambda out: _list(out, known))
        if name not in known:
            raise BadInput.at("calc", f"there is no calculator {name!r}", f"those there are: {', '.join(known) or 'none'}")
        result = desk.calculate(name, _read(known[name], inputs))
        answer = {"calculator": name, "result": result, "citation": known[name].citation}
        return common.face.give(answer, lambda out: _result(out, known[name], result))


def _read(calculator: Calculator, inputs: Mapping[str, str]) -> dict[str, Any]:
    names = {name.replace("_", "-"): name for name in calculator.inputs}
    found: dict[str, Any] = {}
    problems = []
    for given, text in inputs.items():
        name = names.get(given.replace("_", "-"))
        if name is None:
            options = ", ".join(f"--{option}" for option in names)
            problems.append(Problem(f"--{given}", f"{calculator.key} has no such input", f"its inputs are {options or 'none'}"))
            continue
        found[name] = value(text, calculator.inputs[name].schema, f"--{given}")
    for option, name in names.items():
        if calculator.inputs[name].required and name not in found:
            problems.append(Problem(f"--{option}", "is missing", _hint(calculator.inputs[name])))
    if problems:
        raise BadInput(problems)
    return found


def _about(calculator: Calculator) -> dict[str, Any]:
    return {
        "key": calculator.key,
        "title": calculator.title,
        "citation": calculator.citation,
        "inputs": {
            "type": "object",
            "properties": {name: dict(field.schema) for name, field in calculator.inputs.items()},
            "required": [name for name, field in calculator.inputs.items() if field.required],
            "additionalProperties": False,
        },
    }


def _list(out: Console, known: Mapping[str, Calculator]) -> None:
    from rich.text import Text

    from casekit.cli.looks import facts, indented

    if not known:
        out.print("No plugin brings a calculator.")
    for calculator in known.values():
        title = Text(calculator.key, "bold")
        title.append(f"  {calculator.title}", "not bold")
        out.print(title)
        rows = [(f"--{name.replace('_', '-')}", _hint(field)) for name, field in calculator.inputs.items()]
        rows += [("citation", calculator.citation)] if calculator.citation else []
        out.print(indented(facts(rows)))


def _result(out: Console, calculator: Calculator, result: Any) -> None:
    from casekit.cli.looks import facts, said, table
    from casekit.cli.shapes import shape
    from casekit.model.answers import Verdict

    if isinstance(result, Verdict):
        from casekit.cli.questions import show_verdict

        show_verdict(out, calculator.key, result)
        return
    found = shape(result)
    if isinstance(found, dict):
        flat = {name: inner for name, inner in found.items() if not _rows(inner)}
        out.print(facts(flat.items()))
        for name, inner in found.items():
            if _rows(inner):
                out.print()
                out.print(name)
                out.print(table(list(inner[0]), [list(row.values()) for row in inner]))
    elif _rows(found):
        out.print(table(list(found[0]), [list(row.values()) for row in found]))
    else:
        out.print(said(found))
    if calculator.citation:
        out.print(said(calculator.citation), style="dim")


def _rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) and list(v) == list(value[0]) for v in value)


def _hint(field: Field) -> str:
    from casekit.definition.fields import kind_of

    kind = kind_of(field.schema)
    enum = field.schema.get("enum")
    words = " | ".join(map(str, enum)) if enum else _KINDS.get(kind, "JSON")
    return f"{words}{'' if field.required else ' (may be left out)'}{' – ' + field.title if field.title else ''}"


_KINDS = {
    "money": "an amount such as 1840.00 USD",
    "date": "a day such as 2026-11-24",
    "date-time": "an instant such as 2026-11-24T14:00:00Z",
    "decimal": "a decimal such as 1.5",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}
