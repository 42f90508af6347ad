"""How answers look on a terminal: calm tables, plain words, nothing that a stored text could smuggle in."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from casekit.errors import Problem
from casekit.model.money import Money

if TYPE_CHECKING:
    from casekit.model.answers import Finding, Objection

NOTHING = "–"
WIDTH = 120
"""Columns of what is not written to a terminal."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}Z")


def console(file: IO[str] | None = None) -> Console:
    """Where words go: standard output, unless another file is named."""
    target = file or sys.stdout
    width = None if target.isatty() or os.environ.get("COLUMNS") else WIDTH
    return Console(file=target, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def said(value: Any) -> str:
    """A value in words: control characters made visible, instants to the second."""
    if value is None or value == "":
        return NOTHING
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {said(inner)}" for key, inner in value.items()) or NOTHING
    if isinstance(value, (list, tuple, set, frozenset)):
        inner = sorted(map(said, value)) if isinstance(value, (set, frozenset)) else map(said, value)
        return ", ".join(inner) or NOTHING
    return _INSTANT.sub(r"\1Z", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def text(value: Any, style: str = "") -> Text:
    """A value as text for the console."""
    return Text(said(value), style)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = ()) -> Table:
    """A table; the columns named in ``right``, and all amounts, stand to the right."""
    built = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    to_right = set(right)
    for column in columns:
        # What people copy stands on one line.
        whole = column in ("case", "id")
        built.add_column(column, justify="right" if column in to_right else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        built.add_row(*(cell if isinstance(cell, Text) else _cell(cell) for cell in row))
    return built


def facts(rows: Iterable[tuple[str, Any]]) -> Table:
    """Names with their values, below each other."""
    built = Table(box=None, show_header=False, pad_edge=False)
    built.add_column(style="dim", no_wrap=True)
    built.add_column(overflow="fold")
    for name, value in rows:
        built.add_row(name, value if isinstance(value, Text) else said(value))
    return built


def heading(out: Console, words: str) -> None:
    """A heading with air above it."""
    out.print()
    out.print(Text(words, "bold"))


def indented(thing: Any, by: int = 2) -> Padding:
    """Something moved to the right."""
    return Padding(thing, (0, 0, 0, by), expand=False)


def show_lines(out: Console, lines: Iterable[str]) -> None:
    """Lines that say by their indentation what belongs to what; where one is folded, it keeps it."""
    for line in lines:
        words = line.lstrip(" ")
        out.print(indented(text(words), len(line) - len(words)))


def show_problems(out: Console, problems: Iterable[Problem]) -> None:
    """What is wrong with the input: where, what, what to do."""
    for problem in problems:
        line = Text()
        if problem.where:
            line.append(f"{said(problem.where)}: ", "bold red")
        line.append(said(problem.what))
        out.print(line)
        if problem.do:
            out.print(indented(text(problem.do, "dim")))


def show_objections(out: Console, title: str, objections: Iterable[Objection]) -> None:
    """What stands against something: rule, reason, citation, from when it is allowed, what would help."""
    found = list(objections)
    out.print(Text(f"{title}: {len(found)} {'reason' if len(found) == 1 else 'reasons'}", "bold red"))
    for objection in found:
        line = Text(f"{objection.rule}  ", "bold")
        line.append(said(objection.reason), "not bold")
        out.print(indented(line))
        more: list[tuple[str, Any]] = [("citation", objection.citation), ("allowed from", exact(objection.allowed_at))]
        more += [("to do", objection.remedy)]
        more.append(("says", f"{objection.plugin} {objection.version}".strip()))
        out.print(indented(facts((name, value) for name, value in more if value), 4))


def show_findings(out: Console, findings: Iterable[Finding]) -> None:
    """What was found, with what it rests on and who says so."""
    for finding in findings:
        line = Text(f"{finding.rule}  ", "bold")
        line.append(said(finding.text), "not bold")
        out.print(indented(line))
        more = [("because", "; ".join(finding.because)), ("citation", finding.citation), ("says", finding.signed_by)]
        out.print(indented(facts((name, value) for name, value in more if value), 4))


def exact(at: str | None) -> Text | None:
    """The first moment of something, to the microsecond where it has any: a second too early is refused."""
    return None if at is None else Text(at.replace(".000000Z", "Z"))


def _cell(value: Any) -> Text:
    return Text(said(value), justify="right") if isinstance(value, Money) else Text(said(value))
