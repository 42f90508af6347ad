"""Figures over all cases. They read clear columns and declared sums only: no envelope is opened."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field

from casekit.desk.turn import Spec
from casekit.model.canonical import Json, decode
from casekit.model.money import parse, render
from casekit.store import reading
from casekit.store.shelf import Shelf
from casekit.store.sight import Sight

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

REPORT = Spec("report", "report.read")


@define
class _Tally:
    title: str
    cases: int = 0
    states: Counter[str] = field(factory=Counter)
    categories: Counter[str] = field(factory=Counter)
    outcomes: Counter[str] = field(factory=Counter)
    money: dict[str, Counter[str]] = field(factory=dict)
    numbers: Counter[str] = field(factory=Counter)


def caseload(desk: Desk, shelf: Shelf, types: tuple[str, ...] | None, sight: Sight) -> Json:
    """Per case type: how many cases by state, category and outcome, and the sums of what is marked reportable.

    A sum is a text such as ``7766.30 EUR``; where cases of one type are kept in several currencies, it is a map of
    currency to such a text. Integers are summed as integers.

    Args:
        desk: The desk.
        shelf: Whose cases.
        types: Case types that the reader may see; None: all.
        sight: Which confidential cases.
    """
    found: dict[str, _Tally] = {}
    fields: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for type_key, text in reading.tally(shelf, sight):
        if types is not None and type_key not in types:
            continue
        head = decode(text)
        tally = found.get(type_key)
        if tally is None:
            tally = found[type_key] = _Tally(_title(desk, shelf, head["definition"]))
        if head["definition"] not in fields:
            fields[head["definition"]] = _reportable(desk, shelf, head["definition"])
        _count(tally, head, fields[head["definition"]])
    return {key: _said(tally) for key, tally in sorted(found.items())}


def _title(desk: Desk, shelf: Shelf, definition: str) -> str:
    return desk.library.pinned(shelf, definition).says.title


def _reportable(desk: Desk, shelf: Shelf, definition: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    says = desk.library.pinned(shelf, definition).says
    return tuple(n for n, f in says.data.items() if f.report), tuple(n for n, t in says.totals.items() if t.report)


def _count(tally: _Tally, head: Json, reportable: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    machine = head["machine"]
    tally.cases += 1
    tally.states[" ".join(machine["active"])] += 1
    tally.categories[machine["category"]] += 1
    if machine.get("outcome"):
        tally.outcomes[machine["outcome"]] += 1
    fields, totals = reportable
    for names, values in ((fields, head["data"]), (totals, machine["totals"])):
        for name in names:
            _add(tally, name, values.get(name))


def _add(tally: _Tally, name: str, value: object) -> None:
    if isinstance(value, int):
        tally.numbers[name] += value
    elif isinstance(value, str):
        minor, currency = parse(value)
        tally.money.setdefault(name, Counter())[currency] += minor


def _said(tally: _Tally) -> Json:
    sums: Json = dict(tally.numbers)
    for name, by_currency in tally.money.items():
        texts = {currency: render(minor, currency) for currency, minor in sorted(by_currency.items())}
        sums[name] = next(iter(texts.values())) if len(texts) == 1 else texts
    return {
        "title": tally.title,
        "cases": tally.cases,
        "states": dict(sorted(tally.states.items())),
        "categories": dict(sorted(tally.categories.items())),
        "outcomes": dict(sorted(tally.outcomes.items())),
        "sums": dict(sorted(sums.items())),
    }


__all__ = ["REPORT", "caseload"]
