"""Pictures and calendars of real cases: what stands in them, what never does, and what other people's readers make of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest

import homecare
from casekit import BadInput, Denied, Desk, Seat, builtin
from casekit.desk import asking, pictures
from casekit.pictures.timeline import timeline
from casekit.pictures.xml import COLOURS, QUIET, RULE
from casekit.sdk import (
    Anchor,
    Calendar,
    CaseType,
    Clock,
    Count,
    Counts,
    Objection,
    Plugin,
    Requirement,
    State,
    Transition,
    field,
    hookimpl,
    week,
)
from pictures.charts import dot_texts, mermaid_texts, squeezed, svg_elements, svg_texts

READ = {"svg": svg_texts, "dot": dot_texts, "mermaid": mermaid_texts}
SECRET = "Mrs Gray of Mill Lane"

PARALLEL = CaseType(
    key="claim.case",
    version="1",
    title="Claim",
    initial="work",
    zone="Europe/Berlin",
    number="K-{seq}",
    data={"ok": field(bool), "served": field(date), "said": field(str, personal=True)},
    states={
        "work": State(
            "In work",
            parallel=True,
            category="open",
            states={
                "main": State(
                    "Main",
                    initial="assess",
                    states={"assess": State("Assess"), "decide": State("Decide"), "was": State(history="deep", initial="assess")},
                ),
                "hold": State("Hold", initial="no", states={"no": State("Free"), "yes": State("On hold")}),
            },
        ),
        "closed": State("Closed", "closed", outcome="decided"),
    },
    transitions={
        "decide": Transition("work.main.assess", "work.main.decide", when="ok"),
        "finish": Transition("work", "closed", requires=("claim.ok",), allow="claim.finish"),
        "settle": Transition("work.main.decide", "closed"),
        "hold": Transition("work.hold.no", "work.hold.yes"),
        "free": Transition("work.hold.yes", "work.hold.no"),
        "note": Transition("work", None, form={"words": field(str, personal=True, required=True)}),
        "reopen": Transition("closed", "work.main.was"),
    },
    clocks={
        "answer": Clock("P14D", start="at('work')", pause="at('work.hold.yes')", warn=("-P3D",), title="Answer"),
        "appeal": Clock(
            "P10D",
            kind="counted",
            count="claim.days",
            calendar="days",
            anchor=Anchor(field="served"),
            start="known(served)",
            title="Appeal",
        ),
    },
    requirements={"claim.ok": Requirement("ok", unmet="It is not known to be in order.")},
)
DAYS = Calendar("days", "1", hours=week("00:00-24:00"), zone="Europe/Berlin")


class Claims:
    """Brings the calendar and the rule, and objects to every closing in words that nobody may read in a picture."""

    PLUGIN = Plugin("claims", api=1, handles=("claim.case",), version="1.0")

    @staticmethod
    @hookimpl
    def casekit_counts() -> Any:
        return [Counts("claim.days", (Count("claim.days", "1", citation="House rules"),))]

    @staticmethod
    @hookimpl
    def casekit_calendars() -> Any:
        return [DAYS]

    @staticmethod
    @hookimpl
    def casekit_roles() -> Any:
        return {"clerk": ["case.read", "case.open", "case.do", "case.change"], "reader": ["case.read"], "stranger": []}

    @staticmethod
    @hookimpl
    def casekit_close(view: Any, outcome: str) -> Iterator[Objection]:
        yield Objection("claim.told", SECRET, remedy="ask")


@pytest.fixture
def engine() -> str:
    """A picture asks the questions that are tested on both engines, and writes nothing."""
    return "sqlite"


@pytest.fixture
def desk(open_store: Callable[..., Desk]) -> Iterator[Desk]:
    opened = open_store(plugins=[builtin, homecare, Claims()], case_types=[PARALLEL])
    yield opened
    assert opened.seat("test:auditor", roles={"auditor"}).verify().wrong == []


@pytest.fixture
def lee(desk: Desk) -> Seat:
    return desk.seat("user:lee", roles={"admin"})


@pytest.mark.parametrize("form", READ)
def test_a_live_chart_says_what_is_active_what_is_in_the_way_and_which_clocks_run(lee: Seat, desk: Desk, clock: Any, form: str) -> None:
    case = lee.open("claim.case", data={"ok": False}).id
    lee.do(case, "hold")
    clock.forward(days=1)
    before = lee.journal(case)
    shown = squeezed(READ[form](lee.picture(case, "states", form)))
    for words in (
        "decide [ok] blocked: its condition does not hold",
        "requires claim.ok",
        "blocked: claim.ok: It is not known to be in order.",
        "blocked: claim.told",
        "free possible",
        "on note possible: with words",
        "answer 1: paused, would be due Thu 2026-12-10 11:00 CET",
        "clock answer rests here",
        "Active: work, work.main, work.main.assess, work.hold, work.hold.yes.",
        "K-1",
    ):
        assert squeezed(words) in shown, words
    assert lee.journal(case) == before
    reader = desk.seat("user:ann", roles={"reader"})
    assert squeezed("blocked: permission claim.finish") in squeezed(READ[form](reader.picture(case, "states", form)))
    with pytest.raises(Denied):
        desk.seat("user:eve", roles={"stranger"}).picture(case, "states", form)


@pytest.mark.parametrize("form", READ)
def test_words_of_plugins_and_titles_of_own_items_are_opened_on_purpose_only(lee: Seat, form: str) -> None:
    claim = lee.open("claim.case", data={"said": SECRET}).id
    care = lee.open("care.case", data={"start": date(2026, 12, 24)}).id
    lee.item(care, "add", "shop", own={"kind": "task", "due": {"after": "P2D"}}, title=SECRET)
    secret = squeezed(SECRET)
    for case, kind in ((claim, "states"), (care, "plan"), (care, "deadlines")):
        assert secret not in squeezed(READ[form](lee.picture(case, kind, form)))
        assert secret in squeezed(READ[form](lee.picture(case, kind, form, texts=True)))
    assert SECRET.encode() not in lee.export_deadlines()
    assert SECRET.encode() in lee.export_deadlines(texts=True)
    assert {one.summary for one in lee.deadlines(care)} == {
        "answer: Help at home C-0001", "Visit at home: Help at home C-0001", "shop.1: Help at home C-0001"
    }  # fmt: skip


@pytest.mark.parametrize("form", READ)
def test_a_plan_says_how_each_item_stands_and_what_it_waits_for(lee: Seat, clock: Any, form: str) -> None:
    case = lee.open("care.case", data={"start": date(2026, 12, 24)}).id
    lee.item(case, "complete", "visit")
    clock.forward(days=4)
    lee.run_due()
    shown = squeezed(READ[form](lee.picture(case, "plan", form)))
    for words in (
        "completed Wed 2026-11-25 11:00 CET",
        "active, due Sat 2026-11-28 11:00 CET, overdue",
        "waits for draft.completed",
        "blocked by draft.1, which is active",
        "opens when completed",
        "not in the plan",
    ):
        assert squeezed(words) in shown, words


@pytest.mark.parametrize("form", READ)
def test_a_timeline_says_what_ran_rested_moved_and_was_kept(lee: Seat, clock: Any, form: str) -> None:
    case = lee.open("claim.case").id
    clock.forward(days=2)
    lee.do(case, "hold")
    clock.forward(days=3)
    lee.do(case, "free")
    lee.extend(case, "answer", by="P5D", reason="ill")
    clock.forward(days=14)
    shown = squeezed(READ[form](lee.picture(case, "deadlines", form)))
    for words in (
        "answer 1",
        "running, due Thu 2026-12-17 11:00 CET",
        "started Wed 2026-11-25 11:00 CET",
        "paused Fri 2026-11-27 11:00 CET: it has no date until it runs on",
        "paused (at('work.hold.yes'))",
        "ran on Mon 2026-11-30 11:00 CET: due Sat 2026-12-12 11:00 CET",
        "extended Mon 2026-11-30 11:00 CET: due Thu 2026-12-17 11:00 CET",
        "was due Wed 2026-12-09 11:00 CET, until entry 2",
        "warned Mon 2026-12-14 11:00 CET",
    ):
        assert squeezed(words) in shown, words
    late = squeezed(READ[form](lee.picture(case, "deadlines", form, at="2026-12-20")))
    assert squeezed("breached Thu 2026-12-17 11:00 CET") in late
    early = squeezed(READ[form](lee.picture(case, "deadlines", form, at="2026-11-28")))
    assert squeezed("ran on") not in early
    assert squeezed("would be due") in early


@pytest.mark.parametrize("form", READ)
def test_how_a_deadline_ended_is_said(lee: Seat, clock: Any, form: str) -> None:
    case = lee.open("care.case").id
    clock.forward(days=2)
    lee.do(case, "withdraw")
    clock.forward(days=2)
    shown = squeezed(READ[form](lee.picture(case, "deadlines", form)))
    assert squeezed("cancelled Fri 2026-11-27 11:00 CET") in shown
    assert squeezed("running") in shown
    assert only(lee.export_deadlines(case))["status"] == "CANCELLED"


def test_what_makes_no_sense_is_refused_by_name(lee: Seat, desk: Desk) -> None:
    case = lee.open("claim.case").id
    for ask, words in (
        (lambda: lee.picture(case, "people"), "take one of states, plan, deadlines"),
        (lambda: lee.picture(case, "states", "png"), "take one of svg, mermaid, dot"),
        (lambda: lee.picture(case, "states", at="2026-11-25"), "shows the case as it is now"),
        (lambda: desk.picture("claim.case", "deadlines"), "only a case has deadlines"),
        (lambda: desk.picture("no.type"), "is not known here"),
    ):
        with pytest.raises(BadInput, match=words):
            ask()


def test_what_lies_outside_office_hours_is_shown_as_such(open_store: Callable[..., Desk], clock: Any) -> None:
    clock.now = datetime(2026, 12, 4, 15, 0, tzinfo=UTC)  # a Friday, 16:00 in Berlin
    office = Calendar("office", "1", hours=week("09:00-17:00"), zone="Europe/Berlin")
    kind = CaseType(
        "help.ticket", "1", "Ticket", "new", {"new": State("New", "open")}, zone="Europe/Berlin",
        clocks={"answer": Clock("PT3H", kind="business", calendar="office", start="at('new')")},
    )  # fmt: skip
    seat = open_store(plugins=[builtin], case_types=[kind], calendars=[office]).seat("user:lee", roles={"admin"})
    case = seat.open("help.ticket").id
    clock.forward(hours=1)
    lives = pictures.lives(seat._turn(asking.EXPLAIN, case), clock.now.strftime("%Y-%m-%dT%H:%M:%S.000000Z"))
    (track,) = timeline("x", "Europe/Berlin", "2026-12-04T16:00:00.000000Z", lives).tracks
    assert track.closed == (("2026-12-04T16:00:00.000000Z", "2026-12-07T08:00:00.000000Z"),)
    strips = [found.attrib for found in svg_elements(seat.picture(case, "deadlines")) if found.get("height") == "4"]
    assert len(strips) == 1


def read(text: bytes) -> icalendar.Calendar:
    """An iCalendar text, after a look at the rules of RFC 5545 that a reader by itself forgives."""
    assert text.endswith(b"\r\n")
    lines = text.split(b"\r\n")[:-1]
    assert all(len(line) <= 75 for line in lines)
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    found = icalendar.Calendar.from_ical(text)
    assert isinstance(found, icalendar.Calendar)
    assert (found["version"], found["prodid"].startswith("-//casekit//")) == ("2.0", True)
    parts = [one for one in found.walk() if one.name in ("VEVENT", "VTODO")]
    assert len({one["uid"] for one in parts}) == len(parts)
    zones = {str(zone["tzid"]) for zone in found.walk("VTIMEZONE")}
    for one in parts:
        assert {"UID", "DTSTAMP", "SEQUENCE", "SUMMARY"} <= set(one)
        assert one["dtstamp"].dt.tzinfo is not None
        when = one["dtstart" if one.name == "VEVENT" else "due"]
        assert "TZID" not in when.params or when.params["TZID"] in zones
    assert len(re.findall(rb"TRIGGER", text)) == len(re.findall(rb"TRIGGER;VALUE=DATE-TIME:\d{8}T\d{6}Z", text))
    return found


def only(text: bytes, kind: str = "VEVENT") -> Any:
    (found,) = read(text).walk(kind)
    return found


def test_a_calendar_follows_a_deadline_through_its_life(lee: Seat, clock: Any) -> None:
    case = lee.open("claim.case").id
    first = only(lee.export_deadlines(case))
    assert first["dtstart"].dt == datetime(2026, 12, 9, 10, 0, tzinfo=UTC)
    assert first["dtstart"].params["TZID"] == "Europe/Berlin"
    assert [alarm["trigger"].dt for alarm in first.walk("VALARM")] == [datetime(2026, 12, 6, 10, 0, tzinfo=UTC)]
    assert (first["sequence"], first["status"]) == (0, "CONFIRMED")
    assert first["dtstamp"].dt == first["last-modified"].dt == datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
    assert lee.export_deadlines(case) == lee.export_deadlines(case)

    clock.forward(days=1)
    assert only(lee.export_deadlines(case)) == first  # a day in which nothing has happened changes nothing
    lee.do(case, "hold")
    rests = only(lee.export_deadlines(case))
    assert (rests["uid"], rests["sequence"], rests["status"]) == (first["uid"], 1, "CANCELLED")
    clock.forward(days=1)
    lee.do(case, "free")
    runs = only(lee.export_deadlines(case))
    assert (runs["uid"], runs["sequence"], runs["status"]) == (first["uid"], 2, "CONFIRMED")
    assert runs["dtstart"].dt == datetime(2026, 12, 10, 10, 0, tzinfo=UTC)
    lee.extend(case, "answer", to="2027-04-01T10:00:00+02:00", reason="agreed")
    moved = only(lee.export_deadlines(case))
    assert (moved["uid"], moved["sequence"]) == (first["uid"], 3)
    assert moved["dtstart"].dt == datetime(2027, 4, 1, 8, 0, tzinfo=UTC)
    assert moved["dtstart"].dt.utcoffset() == timedelta(hours=2)
    lee.extend(case, "answer", to="2027-04-03", reason="agreed again")
    assert only(lee.export_deadlines(case))["dtstart"].dt == date(2027, 4, 3)


def test_a_day_is_a_date_and_what_is_over_is_said(lee: Seat, clock: Any) -> None:
    case = lee.open("claim.case", data={"served": date(2026, 11, 25), "ok": True}).id
    events = {str(one["summary"]): one for one in read(lee.export_deadlines(case)).walk("VEVENT")}
    appeal = events["Appeal: Claim K-1"]
    assert appeal["dtstart"].dt == date(2026, 12, 5)
    assert appeal["dtstart"].params["VALUE"] == "DATE"
    clock.forward(days=20)
    lee.run_due()
    later = {str(one["summary"]): one for one in read(lee.export_deadlines(case)).walk("VEVENT")}
    assert set(later) == {"Appeal (breached): Claim K-1", "Answer (breached): Claim K-1"}
    assert later["Appeal (breached): Claim K-1"]["uid"] == appeal["uid"]
    assert not [alarm for one in later.values() for alarm in one.walk("VALARM")]


def test_what_is_to_be_done_is_a_to_do(lee: Seat) -> None:
    case = lee.open("care.case", data={"start": date(2026, 12, 24)}).id
    visit = only(lee.export_deadlines(case), "VTODO")
    assert (visit["due"].dt, visit["status"]) == (date(2026, 12, 17), "NEEDS-ACTION")
    lee.item(case, "complete", "visit")
    done = {str(one["uid"]): one for one in read(lee.export_deadlines(case)).walk("VTODO")}
    assert done[str(visit["uid"])]["status"] == "COMPLETED"
    assert done[str(visit["uid"])]["sequence"] > visit["sequence"]


def test_all_cases_of_a_seat_are_those_that_it_may_read(lee: Seat, desk: Desk) -> None:
    cases = [lee.open("claim.case").id for _ in range(3)]
    lee.open("care.case", data={"start": date(2026, 12, 24)})
    assert {one.case for one in lee.deadlines(types=["claim.case"])} == set(cases)
    assert len({one.case for one in lee.deadlines()}) == 4
    with pytest.raises(Denied):
        desk.seat("user:eve", roles={"stranger"}).deadlines()


def test_without_the_library_a_calendar_is_refused(lee: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    case = lee.open("claim.case").id
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(BadInput, match=r"install casekit\[calendar-export\]"):
        lee.export_deadlines(case)


def _light(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_light(one), _light(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_words_can_be_read_and_lines_be_seen() -> None:
    """WCAG 2.2: 1.4.3 for words, 1.4.11 for lines."""
    assert round(_contrast("#000000", "#ffffff"), 2) == 21
    for sign, (ink, paper) in COLOURS.items():
        assert min(_contrast(ink, "#ffffff"), _contrast(ink, paper)) >= 4.5, sign
        assert all(_contrast(other, paper) >= 4.5 for other in (COLOURS[""][0], QUIET)), sign
    assert _contrast(RULE, "#ffffff") >= 3
