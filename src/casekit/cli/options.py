"""Options that several commands share, each with its line of help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

CaseRef = Annotated[str, Parameter(name="CASE", help="The case: its id or its number.")]
Data = Annotated[tuple[str, ...], Parameter(name="--data", help="A value, as name=value; lists and maps as JSON. Repeatable.")]
DataFile = Annotated[Path | None, Parameter(name="--data-file", help="A JSON file with a map of values; --data lies over it.")]
Fields = Annotated[tuple[str, ...], Parameter(name="--field", help="A field of the event's form, as name=value. Repeatable.")]
Reason = Annotated[str, Parameter(name="--reason", help="Why, in words; sealed with the case.")]
Key = Annotated[str, Parameter(name="--key", help="Idempotency key: the same command twice is done once.")]
Since = Annotated[str, Parameter(name="--effective", help="Since when it holds: a day, or an instant with its zone. Default: now.")]
Observed = Annotated[bool, Parameter(name="--observed", help="It has happened outside: it is recorded whatever the rules say.")]
Out = Annotated[Path | None, Parameter(name="--out", help="The file to write to.")]
