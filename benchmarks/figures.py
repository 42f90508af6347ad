"""What was measured, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from attrs import frozen
from rich.console import Console
from rich.table import Table

from benchmarks.lines import Line

PARTS = ("casekit", "SQLAlchemy", "psycopg", "cryptography", "jsonschema", "jsonschema-rs", "orjson", "attrs", "pluggy")


@frozen
class Figure:
    """One line, measured.

    Attributes:
        line: Key of the line.
        engine: Engine.
        title: What was done.
        casekit, raw: Microseconds, best of the rounds; raw None: there is none.
        ratio: Raw over casekit.
        floor: What must hold, in words.
        verdict: ``holds``, ``misses``, or empty where nothing is asked.
    """

    line: str
    engine: str
    title: str
    casekit: float
    raw: float | None
    ratio: float | None
    floor: str
    verdict: str


def figure(line: Line, rounds: Sequence[tuple[float, float | None]]) -> Figure:
    """What the rounds of a line come to: the best of each side."""
    mine = min(r[0] for r in rounds) * 1e6
    raws = [r[1] for r in rounds if r[1] is not None]
    raw = min(raws) * 1e6 if raws else None
    ratio = None if raw is None else raw / mine
    asked, met = [], []
    if line.floor is not None and ratio is not None:
        asked.append(f"≥ {line.floor:.2f}")
        met.append(ratio >= line.floor)
    if line.at_most is not None:
        asked.append(f"≤ {line.at_most:,.0f} µs")
        met.append(mine <= line.at_most)
    if line.at_least is not None:
        rate = line.many * 1e6 / mine
        asked.append(f"≥ {line.at_least:,.0f}/s (is {rate:,.0f})")
        met.append(rate >= line.at_least)
    if line.growth is not None and raw is not None:
        asked.append(f"≤ {line.growth:.1f} × (is {mine / raw:.2f})")
        met.append(mine <= line.growth * raw)
    verdict = ("holds" if all(met) else "misses") if met else ""
    return Figure(line.key, line.engine, line.title, mine, raw, ratio, ", ".join(asked), verdict)


def table(figures: Iterable[Figure], plain: dict[str, Figure]) -> Table:
    """The table; ``plain`` holds the same lines without the extra ``fast``."""
    shown = Table(title="casekit beside the bare driver (best of the rounds)", title_justify="left")
    for name in ("operation", "casekit µs", "raw µs", "ratio", "floor", ""):
        shown.add_column(name, justify="left" if name in ("operation", "floor", "") else "right")
    if plain:
        shown.add_column("without fast: µs", justify="right")
        shown.add_column("ratio", justify="right")
    engine = ""
    for found in figures:
        if found.engine != engine:
            engine = found.engine
            shown.add_section()
            shown.add_row(f"[bold]{engine}[/bold]")
        cells = [found.title, f"{found.casekit:,.1f}", _number(found.raw, ".1f"), _number(found.ratio, ".2f"), found.floor, found.verdict]
        other = plain.get(found.line)
        if plain:
            cells += [f"{other.casekit:,.1f}" if other else "", _number(other.ratio if other else None, ".2f")]
        shown.add_row(*cells, style="red" if found.verdict == "misses" else None)
    return shown


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "processor": _processor(),
        "load": round(os.getloadavg()[0], 2),
        "sqlite": sqlite3.sqlite_version,
        "parts": {name: found for name in PARTS if (found := _version(name))},
    }


def say(console: Console, facts: dict[str, Any], figures: list[Figure], plain: dict[str, Figure]) -> None:
    """Prints table and machine."""
    console.print(table(figures, plain))
    console.print(
        f"{facts['python']}, {facts['system']}, {facts['processors']} processors ({facts['processor']}), load {facts['load']}, "
        f"SQLite {facts['sqlite']}"
        + (f", PostgreSQL {facts['postgresql']}" if "postgresql" in facts else "")
        + f", fsync {facts['fsync']} µs"
    )
    console.print(", ".join(f"{name} {number}" for name, number in facts["parts"].items()))
    missed = [found.line for found in figures if found.verdict == "misses"]
    console.print("Every floor holds." if not missed else "Misses: " + ", ".join(missed))


def keep(folder: Path, facts: dict[str, Any], figures: list[Figure], plain: dict[str, Figure]) -> Path:
    """Writes everything as JSON; gives the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{facts['when'].replace(':', '')[:17]}.json"
    said = {"machine": facts, "figures": [rows(f) for f in figures], "without_fast": [rows(f) for f in plain.values()]}
    path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def rows(found: Figure) -> dict[str, Any]:
    """A figure as JSON has it."""
    return {name: getattr(found, name) for name in Figure.__annotations__}


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, "," + form)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
