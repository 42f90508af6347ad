"""Bad input: one readable error with the place and what to do, and not one row is different afterwards."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from casekit import BadInput, Desk
from casekit.desk import importing
from logs import MAP, Lab, day, event, everything, log, trace

GOOD = trace("A", event("Ordered", day(1), price="30.0"), event("Packed", day(2), weight=7))


def last(*events: str, **attributes: Any) -> str:
    """A log whose last trace is wrong, after one that is not."""
    return log(GOOD, trace("Z", event("Ordered", day(1), price="30.0"), *events, **attributes))


LOGS: dict[str, tuple[str, str, str]] = {
    "not XML": ("<log><trace>", ":1", "not well-formed XML"),
    "no XES": ("<html></html>", ":1", "not XES"),
    "an entity": ('<!DOCTYPE log [<!ENTITY a "b">]><log/>', ":1", "DOCTYPE"),
    "cut off": (log(GOOD)[:-40], ":", "not well-formed XML"),
    "an amount that is none": (last(event("Paid", day(2), amount="1e3")), ":9: attribute 'amount'", "no plain number"),
    "an amount in words": (last(event("Paid", day(2), amount="12,50")), ":9", "which is no float"),
    "too many decimals": (last(event("Paid", day(2), amount="1.005")), ":9: attribute 'amount'", "more decimals"),
    "a negative amount": (last(event("Paid", day(2), amount="-3.0")), ":9: attribute 'amount'", "less than nothing"),
    "another currency": (last(event("Paid", day(2), text="x").replace("</event>", '<string key="amount" value="3.00 USD"/></event>')),
                         ":9: attribute 'amount'", "the ledger is kept in EUR"),
    "no time": (last(event("Packed", "")), ":9", "has no 'time:timestamp'"),
    "no such time": (last(event("Packed", "2011-02-30T00:00:00+01:00")), ":9", "is no time"),
    "a time to come": (last(event("Packed", "2031-03-01T00:00:00+01:00")), ":9", "later than now"),
    "a value beyond its field": (last(event("Resized", day(2), size=101)), ":9: /size", "101 is greater than the maximum"),
    "a form's value beyond its field": (last(event("Packed", day(2), weight=101)), ":9: /weight", "101 is greater than the maximum"),
    "a fact beyond its field": (last(event("Seen and marked", day(2), colour="ultramarine")), ":9: /colour", "is too long"),
    "a value of another kind": (last(event("Resized", day(2), size="big")), ":9: attribute 'size'", "no plain number"),
    "a trace twice": (log(GOOD, GOOD), ":7", "'A' stands twice; it came before at"),
    "a trace without a name": (log(GOOD, GOOD.replace('<string key="concept:name" value="A"/>', "")), ":7", "no 'concept:name', which identifies it"),
    "a key that can't be sorted": (last(event("Nothing", day(2), **{"\N{GRINNING FACE}": "x"})), ":9: attribute", "can't be a key"),
}  # fmt: skip


@pytest.fixture
def before(lab: Lab, desk: Desk) -> Any:
    """The store with one case in it, row for row."""
    lab.run(trace("first", event("Ordered", day(1), price="1.0")))
    return everything(desk)


@pytest.mark.parametrize("name", LOGS)
def test_a_bad_log_changes_nothing(lab: Lab, desk: Desk, before: Any, name: str) -> None:
    text, where, what = LOGS[name]
    path = lab.write()
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BadInput) as wrong:
        lab.seat.import_log(path, lab.folder / "map.toml")

    [problem] = wrong.value.problems
    assert problem.where.startswith(f"{path}{where}")
    assert what in problem.what
    assert problem.do
    assert everything(desk) == before


MAPS: dict[str, tuple[str, str, str, str]] = {
    "not TOML": ('source = "lab"', "source = lab", "map.toml", "not TOML"),
    "an unknown word": ("[time]", "[tyme]", "map.toml: /tyme", "no such field"),
    "an unknown transition": ('do = "ship"', 'do = "shipp"', "map.toml: /events/Shipped/do", "no transition 'shipp'"),
    "an unknown field": ("who = ", "whom = ", "map.toml: /case/data/whom", "no field 'whom'"),
    "an unknown component": ('component = "price"', 'component = "toll"', "map.toml: /events/Ordered/charges/0/component", "no component"),
    "an unknown currency": ('currency = "EUR"', 'currency = "EUX"', "map.toml: /currency", "EUX"),
    "an unknown zone": ('zone = "Europe/Rome"', 'zone = "Mars/Rome"', "map.toml: /time/zone", "no IANA time zone"),
    "no case type": ("order.json", "orders.json", "orders.json", "can't be read"),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_bad_map_changes_nothing(lab: Lab, desk: Desk, before: Any, name: str) -> None:
    says, instead, where, what = MAPS[name]
    lab.map = MAP.replace(says, instead)

    with pytest.raises(BadInput) as wrong:
        lab.run(GOOD)

    assert any(where in p.where and what in p.what for p in wrong.value.problems), wrong.value
    assert everything(desk) == before


def _no_personal(order: dict[str, Any]) -> None:
    del order["data"]["who"]["personal"]


def _beyond_data(order: dict[str, Any]) -> None:
    order["requirements"]["lab.paid"]["when"] = "case.__class__"


def _no_state(order: dict[str, Any]) -> None:
    order["transitions"]["ship"]["target"] = "away"


TYPES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a text that does not say whether it is personal": (_no_personal, "order.json: /data/who/personal"),
    "a condition that reaches beyond declared data": (_beyond_data, "order.json: /requirements/lab.paid/when"),
    "a state that is not there": (_no_state, "order.json: /transitions/ship/target"),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_bad_case_type_changes_nothing(lab: Lab, desk: Desk, before: Any, name: str) -> None:
    spoil, where = TYPES[name]
    lab.order["version"] = "2.0"
    spoil(lab.order)

    with pytest.raises(BadInput) as wrong:
        lab.run(GOOD)

    assert any(where in p.where for p in wrong.value.problems), wrong.value
    assert everything(desk) == before


def test_a_case_type_that_is_no_json_names_the_line(lab: Lab, desk: Desk, before: Any) -> None:
    path = lab.write(GOOD)
    (lab.folder / "order.json").write_text(json.dumps(lab.order, indent=1)[:-30], encoding="utf-8")

    with pytest.raises(BadInput, match="not JSON"):
        lab.seat.import_log(path, lab.folder / "map.toml")
    assert everything(desk) == before


def test_a_published_version_with_another_text_is_refused(lab: Lab, desk: Desk, before: Any) -> None:
    lab.order["title"] = "Another"
    with pytest.raises(BadInput, match="raise the version"):
        lab.run(GOOD)
    assert everything(desk) == before


def test_a_file_that_is_not_there_or_is_damaged(lab: Lab, desk: Desk, before: Any) -> None:
    path = lab.write(GOOD)
    with pytest.raises(BadInput, match="can't be read"):
        lab.seat.import_log(path.with_name("no.xes"), lab.folder / "map.toml")
    with pytest.raises(BadInput, match="can't be read"):
        lab.seat.import_log(path, path.with_name("no.toml"))
    path.write_bytes(gzip.compress(path.read_bytes())[:-20])
    with pytest.raises(BadInput, match="damaged or breaks off"):
        lab.seat.import_log(path, lab.folder / "map.toml")
    with pytest.raises(BadInput, match="no plugin reads 'csv'"):
        lab.seat.import_log(path, lab.folder / "map.toml", format="csv")
    assert everything(desk) == before


def test_every_problem_is_named_up_to_a_limit(lab: Lab, desk: Desk, before: Any) -> None:
    bad = [trace(f"T{i}", event("Ordered", day(1), price="-1.0")) for i in range(30)]
    with pytest.raises(BadInput) as wrong:
        lab.run(GOOD, *bad)

    assert len(wrong.value.problems) == importing.SAID
    assert len({p.where for p in wrong.value.problems}) == importing.SAID
    assert everything(desk) == before


def test_a_trace_that_no_longer_begins_as_it_did_is_refused(lab: Lab, desk: Desk) -> None:
    lab.run(GOOD)
    before = everything(desk)
    slipped_in = trace("A", event("Ordered", day(1), price="30.0"), event("Nothing", day(1)), event("Packed", day(2), weight=7))

    with pytest.raises(BadInput, match="are not those that were imported before") as wrong:
        lab.run(trace("B", event("Ordered", day(1))), slipped_in)

    assert wrong.value.problems[0].where.endswith("log.xes:6")
    assert everything(desk) == before


def test_a_map_that_does_not_fit_the_version_of_a_running_case(lab: Lab, desk: Desk) -> None:
    lab.run(GOOD)
    before = everything(desk)
    lab.order["version"] = "2.0"
    lab.order["transitions"]["lose"] = {"source": ["packed"], "target": "gone"}
    lab.map = MAP + '\n[events.Lost]\ndo = "lose"\n'

    with pytest.raises(
        BadInput, match=r"for cases of version 1\.0 of lab\.order\): /events/Lost/do: the case type has no transition 'lose'"
    ):
        lab.run(GOOD.replace("</trace>", event("Lost", day(3)) + "</trace>"))
    assert everything(desk) == before
    assert lab.run(GOOD.replace('value="A"', 'value="new"').replace("</trace>", event("Lost", day(3)) + "</trace>")).accepted == 3


def test_a_ledger_whose_currency_nobody_says(lab: Lab, desk: Desk, before: Any) -> None:
    lab.order["version"] = "2.0"
    lab.order["ledger"]["currency"] = ""
    lab.order["requirements"]["lab.paid"]["when"] = "paid == charged"
    lab.order["clocks"]["wait"]["stop"] = "paid == charged"
    lab.order["data"]["worth"] = {"schema": {"type": "string", "format": "money"}}
    with pytest.raises(BadInput, match="the currency of its ledger is not known"):
        lab.run(GOOD)

    lab.map = MAP.replace('data = { size = "size" }\ncharges', 'data = { worth = "worth" }\ncharges')
    worth = event("Ordered", day(1), price="30.0", worth="9.00 USD")
    with pytest.raises(BadInput, match=r"event 1 says 30\.00 EUR, and the ledger is kept in USD"):
        lab.run(trace("A", worth))
    assert everything(desk) == before

    lab.map = lab.map.replace('currency = "EUR"', "")
    assert lab.run(trace("A", event("Ordered", day(1), worth="9.00 USD"))).accepted == 1
    assert lab.cases[-1].currency == "USD"


def test_nothing_is_made_where_map_or_case_type_are_bad(open_store: Callable[..., Desk], tmp_path: Path) -> None:
    """Not even an empty store."""
    from casekit import builtin

    fresh = tmp_path / "fresh"
    fresh.mkdir()
    desk = open_store(
        plugins=[builtin], store=f"sqlite:///{fresh}/a.db", keys=fresh / "keys", clock=lambda: datetime(2026, 11, 25, tzinfo=UTC)
    )
    lab = Lab(desk.seat("user:lee", roles={"admin"}), tmp_path)
    lab.map = MAP.replace('do = "ship"', 'do = "shipp"')
    with pytest.raises(BadInput):
        lab.run(GOOD)
    assert list(fresh.iterdir()) == []
