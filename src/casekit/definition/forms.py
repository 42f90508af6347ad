"""Values checked against fields: a fast accept path, and jsonschema as the reference and the source of words.

A form is built once per case type and place. Where the extra ``fast`` is installed, jsonschema-rs says yes;
only its no is asked again of jsonschema, which then says why. A test holds both to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from casekit.definition.fields import Field, ordered
from casekit.errors import BadInput, Problem
from casekit.model.canonical import plain
from casekit.model.money import parse
from casekit.model.time import moment


def _holds(read: Callable[[str], Any]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if not isinstance(value, str):
            return True
        try:
            read(value)
        except (BadInput, ValueError, ArithmeticError):
            return False
        return True

    return check


FORMATS: Mapping[str, Callable[[object], bool]] = {
    "money": _holds(parse),
    "date": _holds(date.fromisoformat),
    "date-time": _holds(moment),
    "decimal": _holds(Decimal),
}
"""Formats that are asserted, beside their patterns."""

_SAID = {"money": "an amount such as 1840.00 USD", "date": "a day such as 2026-11-24", "decimal": "a decimal such as 1.5"}


def _checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name)(check)
    return checker


class Form:
    """Fields that come together.

    Args:
        fields: The fields.
        complete: Whether required fields must be there.
    """

    def __init__(self, fields: Mapping[str, Field], *, complete: bool = True) -> None:
        self.fields = ordered(fields)
        self.schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: dict(f.schema) for name, f in self.fields.items()},
            "required": [name for name, f in self.fields.items() if f.required and complete],
            "additionalProperties": False,
        }
        self.reference = Draft202012Validator(self.schema, format_checker=_checker())
        self.accepts = _fast(self.schema) or self.reference.is_valid

    def read(self, values: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The values in canonical form.

        Raises:
            BadInput: every value that does not fit, each with its path.
        """
        return self.check(plain(values, where), where)

    def check(self, canonical: dict[str, Any], where: str) -> dict[str, Any]:
        """The values, which are in canonical form already.

        Raises:
            BadInput: every value that does not fit, each with its path.
        """
        if not self.accepts(canonical):
            problems = [_problem(error, where, self.fields) for error in self.reference.iter_errors(canonical)]
            if problems:
                raise BadInput(problems)
        return canonical


def _fast(schema: dict[str, Any]) -> Callable[[Any], bool] | None:
    try:
        import jsonschema_rs
    except ImportError:
        return None
    built = jsonschema_rs.Draft202012Validator(schema, formats=dict(FORMATS), validate_formats=True)
    accepts: Callable[[Any], bool] = built.is_valid
    return accepts


def _problem(error: ValidationError, where: str, fields: Mapping[str, Field]) -> Problem:
    path = "".join(f"/{part}" for part in error.absolute_path)
    schema: Any = error.schema
    if error.validator == "additionalProperties" and not error.absolute_path:
        extra = sorted(set(error.instance) - set(fields))  # type: ignore[arg-type]
        return Problem(f"{where}/{extra[0]}" if extra else where, "no such field", "fields here are " + (", ".join(fields) or "none"))
    if error.validator == "required":
        missing = next((name for name in error.validator_value if name not in error.instance), "")  # type: ignore[union-attr, operator]
        return Problem(f"{where}{path}/{missing}", "is missing", "give it")
    if error.validator in ("pattern", "format"):
        wanted = _SAID.get(schema.get("format", ""), f"a text that fits {schema.get('pattern', schema.get('format'))}")
        return Problem(f"{where}{path}", f"{error.instance!r} does not fit", f"write {wanted}")
    if error.validator == "enum":
        return Problem(
            f"{where}{path}", f"{error.instance!r} is not one of the values allowed", "use " + ", ".join(map(str, schema["enum"]))
        )
    return Problem(f"{where}{path}", error.message, f"see the field's {error.validator}")
