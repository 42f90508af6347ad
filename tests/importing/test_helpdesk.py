"""The help desk of an Italian company: 4,580 tickets, with first response and resolution in office hours."""

from __future__ import annotations

import json
import os
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from casekit import Desk, Seat, builtin, open_desk
from casekit.definition.calendars import read_calendar
from casekit.model.time import moment

HELPDESK = Path(__file__).parents[2] / "examples" / "helpdesk"
MAP = HELPDESK / "map.toml"
KEY = "helpdesk.ticket"


class Imported(NamedTuple):
    """The real log in a store: the desk, a seat, the result, and per case the events with their instants."""

    desk: Desk
    seat: Seat
    result: Any
    events: dict[str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """The real log, imported once, where there is one."""
    folder = os.environ.get("CASEKIT_TEST_DATA")
    path = Path(folder or "", "logs", "helpdesk.xes.gz")
    if not (folder and path.is_file()):
        why = f"{path} is not there" if folder else "CASEKIT_TEST_DATA names no folder with logs/helpdesk.xes.gz"
        if os.environ.get("CI"):
            pytest.fail(f"the real log can't be imported: {why}")
        pytest.skip(f"the real log is not imported: {why}")
    place = tmp_path_factory.mktemp("helpdesk")
    with open_desk(store=f"sqlite:///{place}/store.db", plugins=[builtin], installed=False) as desk:
        seat = desk.seat("user:lee", roles={"admin"})
        result = seat.import_log(path, MAP)
        yield Imported(desk, seat, result, recorded(desk))


def recorded(desk: Desk) -> dict[str, list[tuple[str, str]]]:
    """Case → names of the log's events, with their instants, as the journal has them."""
    select = "SELECT s.uuid, e.effective, e.body FROM entries e JOIN streams s ON s.sid = e.sid WHERE s.kind = 'case' ORDER BY e.sid, e.n"
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for uuid, at, body in desk.shelf("main").connection.execute(select):
        log = json.loads(body)["about"].get("log")
        if log is not None:
            found[uuid].append((log.get("event", ""), at))
    return found


def clocks(desk: Desk, clock: str) -> list[Any]:
    select = "SELECT s.uuid, c.status, c.started, c.due, c.ended FROM clocks c JOIN streams s ON s.sid = c.sid WHERE c.clock = ?"
    return list(desk.shelf("main").connection.execute(select, (clock,)))


def days(start: str, end: str) -> float:
    return (moment(end) - moment(start)) / timedelta(days=1)


def test_every_event_is_recorded_and_ten_are_reported(real: Imported) -> None:
    result = real.result
    assert (result.cases, result.events, result.new) == (4580, 21348, 21348)
    reasons = Counter((n.event, n.reason.partition(":")[0]) for n in result.nonconforming)
    assert reasons == {
        ("VERIFIED", "casekit.import.unknown-event"): 3,
        ("RESOLVED", "casekit.import.unknown-event"): 2,
        ("INVALID", "casekit.import.unknown-event"): 2,
        ("DUPLICATE", "casekit.import.unknown-event"): 1,
        ("Wait", "casekit.import.no-opening"): 1,
        ("Create SW anomaly", "casekit.import.no-opening"): 1,
    }


def test_the_journal_has_the_figures_of_the_log(real: Imported) -> None:
    first = [
        days(events[0][1], next(at for name, at in events if name == "Resolve ticket"))
        for events in real.events.values()
        if any(name == "Resolve ticket" for name, _ in events)
    ]
    assert (len(first), sum(1 for length in first if not length)) == (4569, 2)
    assert (round(statistics.mean(first), 4), round(statistics.median(first), 4)) == (11.1225, 5.9831)
    counts = [Counter(name for name, _ in events) for events in real.events.values()]
    assert sum(1 for count in counts if count["Resolve ticket"] > 1) == 386
    assert sum(1 for count in counts if not count["Closed"]) == 21


@pytest.mark.parametrize(("day", "open_then"), [("2011-01-01", 147), ("2012-01-01", 199), ("2012-07-01", 227), ("2013-01-01", 48)])
def test_so_many_were_open_at_that_instant(real: Imported, day: str, open_then: int) -> None:
    at = f"{day}T00:00:00.000000Z"
    last = {case: max((when for name, when in events if name == "Closed"), default="9") for case, events in real.events.items()}
    assert sum(1 for case, events in real.events.items() if events[0][1] <= at < last[case]) == open_then


def test_the_resolution_clock_measures_what_the_log_says(real: Imported) -> None:
    """Met or breached, each clock ended with the first resolution: its own rows give the same figures."""
    rows = [row for row in clocks(real.desk, "resolution") if row[1] != "cancelled" and row[4] is not None]
    resolved = {case for case, events in real.events.items() if any(name == "Resolve ticket" for name, _ in events)}
    lengths = [days(started, ended) for case, _, started, _, ended in rows if case in resolved]
    assert len(lengths) == 4569
    assert (round(statistics.mean(lengths), 4), round(statistics.median(lengths), 4)) == (11.1225, 5.9831)


def test_the_figures_of_the_clocks_are_those_of_the_log(real: Imported) -> None:
    """By the wall as the log has it; by the office what an hour-by-hour count gives."""
    found = real.seat.report_clocks()[KEY]["resolution"]
    assert sum(found["states"].values()) >= 4580
    rows = [row for row in clocks(real.desk, "resolution") if row[1] in ("met", "breached") and row[4] is not None]
    lengths = sorted(round(days(row[2], row[4]) * 86_400) * 1_000_000 for row in rows)
    assert found["elapsed"]["of"] == found["open"]["of"] == len(rows)
    assert round(found["elapsed"]["mean"] / 86_400_000_000, 3) == round(statistics.mean(lengths) / 86_400_000_000, 3)
    assert 0 < found["open"]["median"] < found["elapsed"]["median"]
    assert round(found["elapsed"]["median"] / 86_400_000_000, 2) == round(lengths[(len(lengths) - 1) // 2] / 86_400_000_000, 2)


def test_every_ticket_has_a_level_and_both_clocks(real: Imported) -> None:
    for clock in ("first-response", "resolution"):
        rows = clocks(real.desk, clock)
        assert len(rows) == 4580
        assert all(row[2] == real.events[row[0]][0][1] for row in rows)  # it counts from the first event


def test_due_dates_agree_with_an_hour_by_hour_count(real: Imported) -> None:
    """First responses that were never paused: as many open minutes lie before the due instant as the level gives."""
    office = read_calendar(json.loads((HELPDESK / "office.json").read_bytes()))
    holidays = {day for holidays in office.holidays.values() for day in holidays.days}
    held = 0
    for case, _, started, due, _ in sorted(row for row in clocks(real.desk, "first-response") if row[3])[::60]:
        changes = json.loads(real.seat.journal(case)[0]["body"])["changes"]
        amount = next((c["live"]["amount"] for c in changes if c["c"] == "clock" and c["id"] == "first-response" and "live" in c), "")
        wanted = {"PT4H": 4 * 3600, "PT8H": 8 * 3600}.get(amount)
        if wanted is not None:
            held += 1
            assert _open_seconds(moment(started), moment(due), holidays) == wanted
    assert held > 5


def _open_seconds(start: datetime, end: datetime, holidays: set[str]) -> int:
    """Hour by hour: the office opens and closes on full hours only."""
    zone, found, at = ZoneInfo("Europe/Rome"), 0, start
    while at < end:
        here = at.astimezone(zone)
        step = min(end, at.replace(minute=0, second=0) + timedelta(hours=1))
        if here.weekday() < 5 and here.date().isoformat() not in holidays and here.hour in (9, 10, 11, 12, 14, 15, 16, 17):
            found += (step - at) // timedelta(seconds=1)
        at = step
    return found


def test_a_date_of_the_log_explains_itself(real: Imported) -> None:
    case = next(case for case, events in real.events.items() if Counter(n for n, _ in events)["Wait"] and len(events) == 6)
    (story,) = real.seat.explain_clock(case, "resolution")
    assert {move.why for move in story.moves} >= {"started", "paused", "resumed"}
    assert story.calendar == "helpdesk.office 1"
    assert story.open["paused"] <= story.elapsed["paused"]
    assert all(line for line in story.lines())
    asked = real.seat.explain_clock(case, "resolution", at=datetime(2009, 1, 1, tzinfo=UTC))
    assert [(s.status, s.breached) for s in asked] == [("", False)]
