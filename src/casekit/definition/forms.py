"""Values checked against fields: a fast accept path, and jsonschema as the reference and the source of words.

A form is built once per case type and place. Where the extra ``fast`` is installed, jsonschema-rs says yes;
only its no is asked again of jsonschema, which then says why. A test holds both to the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from casekit.definition.fields import DECIMAL, Field, ordered
from casekit.definition.patterns import compiled
from casekit.definition.schemas import formats_in, unfit
from casekit.errors import BadInput, Problem
from casekit.model.canonical import plain
from casekit.model.money import parse
from casekit.model.time import day, moment


def _holds(read: Callable[[str], Any]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if not isinstance(value, str):
            return True
        try:
            read(value)
        except BadInput:
            return False
        return True

    return check


_DECIMAL = re.compile(DECIMAL)
_CURRENCY = re.compile(r" [A-Z]{3}\$")


def _is_decimal(value: object) -> bool:
    return not isinstance(value, str) or _DECIMAL.fullmatch(value) is not None


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compiled(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Reference: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


FORMATS: Mapping[str, Callable[[object], bool]] = {
    "money": _holds(parse),
    "date": _holds(day),
    "date-time": _holds(moment),
    "decimal": _is_decimal,
}
"""Formats that are asserted; every other format is a note to people."""

_SAID = {
    "money": "an amount such as 1840.00 USD",
    "date": "a day such as 2026-11-24",
    "date-time": "an instant such as 2026-11-24T14:00:00.000000Z",
    "decimal": "a decimal such as 1.5",
}


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

    Raises:
        BadInput: a field's schema uses what a field may not.
    """

    def __init__(self, fields: Mapping[str, Field], *, complete: bool = True) -> None:
        self.fields = ordered(fields)
        problems = [Problem(f"{name}/schema{path}", what, do) for name, f in self.fields.items() for path, what, do in unfit(f.schema)]
        if problems:
            raise BadInput(problems)
        self.schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: dict(f.schema) for name, f in self.fields.items()},
            "required": [name for name, f in self.fields.items() if f.required and complete],
            "additionalProperties": False,
        }
        self.reference = _Reference(self.schema, format_checker=_checker(), registry=Registry())
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
    # It knows formats of its own, which the reference takes as notes: here they are notes too.
    formats = dict.fromkeys(formats_in(schema), lambda _: True) | dict(FORMATS)
    try:
        built = jsonschema_rs.Draft202012Validator(schema, formats=formats, validate_formats=True)
    except jsonschema_rs.ValidationError:
        return None  # a pattern that only the reference reads
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
    if error.validator == "pattern" and _CURRENCY.fullmatch(schema["pattern"]) and schema.get("format") == "money":
        return Problem(f"{where}{path}", f"{error.instance!r} is of another currency", f"give it in {schema['pattern'].strip(' $')}")
    if error.validator in ("pattern", "format"):
        wanted = _SAID.get(schema.get("format", ""), f"a text that fits {schema.get('pattern', schema.get('format'))}")
        return Problem(f"{where}{path}", f"{error.instance!r} does not fit", f"write {wanted}")
    if error.validator == "enum":
        return Problem(
            f"{where}{path}", f"{error.instance!r} is not one of the values allowed", "use " + ", ".join(map(str, schema["enum"]))
        )
    return Problem(f"{where}{path}", error.message, f"see the field's {error.validator}")
