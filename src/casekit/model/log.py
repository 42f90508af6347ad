"""Event logs as records: what a log of another system says, trace by trace, before any map gives it a meaning.

Values stay the texts of the file. A text becomes money, a day or a number only where a map asks for it, and
then exactly: a float never stands in between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from attrs import frozen

from casekit.errors import BadInput

LogKind = Literal["string", "date", "int", "float", "boolean", "id", "list", "container"]
LOG_KINDS: tuple[LogKind, ...] = ("string", "date", "int", "float", "boolean", "id", "list", "container")
"""Kinds of attribute (IEEE 1849). A list or container has members instead of a value."""

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,12}))?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_WRITE = "write it as 2005-03-23T00:00:00.000+01:00"


@frozen
class LogAttribute:
    """One attribute of a log, trace or event.

    Attributes:
        key: Name, unique within its log, trace or event (``concept:name``).
        kind: How the file says that the value is to be read.
        value: Text of the value, exactly as in the file; empty for a list or container.
        children: Members of a list or container; attributes nested in any other.
    """

    key: str
    kind: LogKind
    value: str
    children: tuple[LogAttribute, ...] = ()


@frozen
class LogEvent:
    """One event of a trace.

    Attributes:
        name: What happened (``concept:name``); empty where the file does not say.
        time: When (``time:timestamp``), text as in the file; None where it does not say.
        attributes: All attributes by key, name and time included.
        line: Line of the file on which the event begins, from 1.
    """

    name: str
    time: str | None
    attributes: Mapping[str, LogAttribute]
    line: int


@frozen
class LogTrace:
    """One case of a log: its events in the order of the file.

    Attributes:
        id: ``concept:name`` of the trace; where it has none, its ordinal in the file, from 1.
        attributes: Attributes of the trace itself, by key.
        events: Its events.
        line: Line of the file on which the trace begins, from 1.
    """

    id: str
    attributes: Mapping[str, LogAttribute]
    events: tuple[LogEvent, ...]
    line: int


@frozen
class LogHeader:
    """What a log says about itself before its first trace.

    Attributes:
        attributes: Attributes of the log, by key.
        extensions: Prefix of keys → address of the extension that explains them.
        classifiers: Name of a classifier → the keys that it reads, as in the file.
    """

    attributes: Mapping[str, LogAttribute]
    extensions: Mapping[str, str]
    classifiers: Mapping[str, str]


def log_time(text: str, where: str) -> date | datetime:
    """The time that a text of a log says: ``2005-03-23T00:00:00.000+01:00``, or a day alone.

    Digits beyond microseconds are cut. Where the text has no offset, the datetime has no zone.

    Raises:
        BadInput: no such time; names ``where``.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise BadInput.at(where, f"{text!r} is no time", _WRITE)
    day, clock, part, offset = match.groups()
    try:
        if clock is None:
            return date.fromisoformat(day)
        return datetime.fromisoformat(f"{day}T{clock}.{(part or '')[:6]:0<6}{offset or ''}")
    except ValueError as wrong:
        raise BadInput.at(where, f"{text!r} is no time: {wrong}", _WRITE) from None
