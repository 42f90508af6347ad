"""Importing logs of events, with a progress bar beside and a report of everything that was found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere

if TYPE_CHECKING:
    from rich.console import Console


def xes(
    file: Annotated[Path, Parameter(name="FILE", help="The log, .xes or .xes.gz.")],
    /,
    *,
    map_file: Annotated[Path, Parameter(name="--map", help="The map (TOML): which event becomes what.")],
    live_from: Annotated[str, Parameter(name="--live-from", help="From when plugins hear of the cases. Default: now.")] = "",
    common: Everywhere = HERE,
) -> int:
    """Imports an event log; the same log twice is there once."""
    with common.seat() as seat, progress() as tell:
        imported = seat.import_log(file, map_file, format="xes", live_from=live_from or None, progress=tell)
    return common.face.give(imported, lambda out: show_imported(out, imported))


@contextmanager
def progress() -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, where that is a terminal; gives what is to be told how much is done and in all."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from casekit.cli.looks import console

    columns = (TextColumn("Importing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(sys.stderr), transient=True) as bar:
        task = bar.add_task("import", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show_imported(out: Console, imported: Any) -> None:
    """What an import did, what did not fit, and what became of each attribute."""
    from casekit.cli.looks import facts, heading, indented, table
    from casekit.cli.shapes import shape

    found = shape(imported)
    out.print(facts((name, found[name]) for name in ("cases", "events", "new", "accepted", "unknown")))
    if found["nonconforming"]:
        heading(out, f"Recorded as observed, against the rules: {len(found['nonconforming'])}")
        rows = [(event["case"], event["event"], event["reason"]) for event in found["nonconforming"]]
        out.print(indented(table(("case", "event", "reason"), rows)))
    if found["loss"]:
        heading(out, "Attributes")
        lost = [(name, counts["mapped"], counts["raw"], counts["dropped"]) for name, counts in sorted(found["loss"].items())]
        out.print(indented(table(("attribute", "mapped", "kept raw", "dropped"), lost, right=("mapped", "kept raw", "dropped"))))
