"""Values from the command line: ``name=value`` texts become what the field is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casekit.errors import BadInput

if TYPE_CHECKING:
    from casekit.definition.fields import Field

_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def pairs(given: Iterable[str], where: str) -> list[tuple[str, str]]:
    """The names and texts of ``name=value`` texts.

    Raises:
        BadInput: one has no ``=`` or no name.
    """
    found = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadInput.at(where, f"{text!r} is not of the form name=value", f"write {where} name=value")
        found.append((name, value))
    return found


def typed(given: Iterable[str], fields: Mapping[str, Field], where: str, file: Path | None = None) -> dict[str, Any]:
    """Named values as their fields want them: those of a JSON file, and over them those given by name.

    Raises:
        BadInput: a text that is no value of its field, a name given twice, a file that is no JSON map.
    """
    found = read_map(file) if file else {}
    named: dict[str, Any] = {}
    for name, text in pairs(given, where):
        if name in named:
            raise BadInput.at(f"{where} {name}", "is given twice", "give it once; a list as JSON")
        named[name] = value(text, fields[name].schema, f"{where} {name}") if name in fields else text
    return {**found, **named}


def value(text: str, schema: Mapping[str, Any], where: str) -> Any:
    """A text as the value that a schema wants: whole numbers, yes and no, instants, JSON for lists and maps, else text.

    Raises:
        BadInput: it is none.
    """
    kind = schema.get("type")
    if kind == "string":
        return moment_of(text, where) if schema.get("format") == "date-time" else text
    if kind == "boolean":
        if text.lower() not in _TRUTH:
            raise BadInput.at(where, f"{text!r} is neither true nor false", "write true or false")
        return _TRUTH[text.lower()]
    if kind == "integer":
        try:
            return int(text)
        except ValueError:
            raise BadInput.at(where, f"{text!r} is no whole number", "write digits only") from None
    from casekit.model.canonical import parse

    read = parse(text, where)
    items = schema.get("items", {})
    if isinstance(read, list) and items.get("format") == "date-time":
        return [moment_of(member, where) if isinstance(member, str) else member for member in read]
    return read


def moment_of(text: str, where: str) -> datetime:
    """An instant, with whatever offset it is written.

    Raises:
        BadInput: it is none, or has no zone.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput.at(where, f"{text!r} is no instant", "write 2026-11-24T14:00:00Z") from None
    if found.tzinfo is None:
        raise BadInput.at(where, f"{text!r} has no zone", "end it with Z or an offset such as +01:00")
    return found


def read_map(file: Path) -> dict[str, Any]:
    """The map in a JSON file.

    Raises:
        BadInput: the file can't be read, or holds something else.
    """
    from casekit.model.canonical import parse

    read = parse(read_bytes(file), str(file))
    if not isinstance(read, dict):
        raise BadInput.at(str(file), "holds no map", 'write {"name": value}')
    return read


def read_bytes(file: Path) -> bytes:
    """The content of a file.

    Raises:
        BadInput: it can't be read.
    """
    try:
        return file.read_bytes()
    except OSError as wrong:
        raise BadInput.at(str(file), f"can't be read: {wrong.strerror}", "check the path") from None


def write_bytes(file: Path, content: bytes) -> None:
    """Writes a file.

    Raises:
        BadInput: it can't be written.
    """
    try:
        file.write_bytes(content)
    except OSError as wrong:
        raise BadInput.at(str(file), f"can't be written: {wrong.strerror}", "check the path") from None
