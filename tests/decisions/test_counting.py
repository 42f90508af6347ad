"""Counting by law: answers of committee notes, courts and statutes, each named by its rule; and what must always hold."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from casekit.builtin.counting import counting_rules
from casekit.builtin.holidays import calendar_sources
from casekit.decisions.calendar import Working
from casekit.decisions.counting import Counted, count
from casekit.definition.calendars import ALL_DAY, Calendar, DayException, HolidaySet, week
from casekit.definition.counts import Count, Reading, ShortPeriod
from casekit.errors import BadInput
from casekit.model.time import at_wall_time, instant

RULES = {rule.key: rule for rule in counting_rules()}
SOURCES = {source.key: source for source in calendar_sources()}
_made: dict[str, Working] = {}
NY = "America/New_York"


def on(key: str) -> Working:
    """A calendar of the library, or every day in a zone."""
    if key not in _made:
        calendar = SOURCES[key].build(1997, 2031) if key in SOURCES else Calendar("every-day", "1", hours=week(days="mon-sun"), zone=key)
        _made[key] = Working(calendar)
    return _made[key]


def counted(rule: str, calendar: str, anchor: str, amount: str = "", in_force: str = "2026-01-01", **more: Any) -> Counted:
    return count(anchor, RULES[rule].on(in_force), on(calendar), amount=amount, **more)


def days(answer: Counted) -> list[str]:
    return [due.day for due in answer.readings]


FRCP, FRBP = "us.frcp-6", "us.frbp-9006"


@pytest.mark.parametrize(
    ("rule", "calendar", "anchor", "amount", "last"),
    [
        # Committee notes of 2009, FRAP 26(a)(5) and FRCP 6(a).
        pytest.param(FRCP, "us.court", "2007-08-22", "P10D", ["2007-09-04"], id="T-01 BR-01 6(a)(1)(C): Saturday, Sunday, Labor Day"),
        pytest.param(FRCP, "us.court", "2007-09-11", "-P10D", ["2007-08-31"], id="note 2009 6(a)(5): back from Saturday"),
        pytest.param(FRCP, "us.court", "2007-08-02", "P30D", ["2007-09-04"], id="note 2009 6(a)(5): the same day after 30 days"),
        # Weekends, holidays, states.
        pytest.param(FRCP, "us.court", "2026-06-08", "-P14D", ["2026-05-22"], id="T-07 6(a)(5): back over Memorial Day"),
        pytest.param(FRCP, "us.court.ma", "2026-04-06", "P14D", ["2026-04-21"], id="T-08 6(a)(6)(C): Patriots' Day"),
        pytest.param(FRCP, "us.court.ny", "2026-04-06", "P14D", ["2026-04-20"], id="T-08 6(a)(6)(C): not in New York"),
        pytest.param(FRCP, "us.court.ma", "2026-05-04", "-P14D", ["2026-04-20"], id="T-09 6(a)(6)(C): not counted backward"),
        pytest.param(FRCP, "us.court.ut", "2026-06-24", "P30D", ["2026-07-27"], id="T-10 6(a)(6)(C): Pioneer Day"),
        # Observed days and closings: open in law.
        pytest.param(FRCP, "us.court", "2026-06-19", "P14D", ["2026-07-03", "2026-07-06"], id="T-11 6(a)(6): observed day, forward"),
        pytest.param(FRCP, "us.court", "2026-07-31", "-P28D", ["2026-07-02", "2026-07-03"], id="T-12 6(a)(6): observed day, backward"),
        pytest.param(FRBP, "us.court", "2027-06-04", "P14D", ["2027-06-18", "2027-06-21"], id="T-13 8002: Juneteenth observed"),
        pytest.param(FRBP, "us.court", "2026-12-11", "P14D", ["2026-12-28"], id="T-13 8002: Christmas"),
        pytest.param(FRCP, "us.court", "2007-12-10", "P14D", ["2007-12-24", "2007-12-26"], id="T-14 EO 13453: closing"),
        pytest.param(
            FRCP, "us.court", "2027-12-17", "P14D", ["2027-12-31", "2028-01-03"], id="6103(b): New Year's Day 2028 observed in 2027"
        ),
        # Bankruptcy.
        pytest.param(FRBP, "us.court", "2026-01-05", "P14D", ["2026-01-20"], id="BR-04 9006(a): King's birthday"),
        pytest.param(FRBP, "us.court", "2024-12-11", "P14D", ["2024-12-26"], id="BR-04 9006(a): Christmas"),
        pytest.param(FRBP, "us.court", "2026-10-28", "P14D", ["2026-11-12"], id="BR-04 9006(a): Veterans Day"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P21D", ["2026-03-23"], id="BR-07 2003(a): first day of the meeting"),
        pytest.param(
            "us.bankr.outer-date",
            "us.court",
            "2026-03-02",
            "P40D",
            ["2026-04-10", "2026-04-11", "2026-04-13"],
            id="BR-07 2003(a): last day",
        ),
        pytest.param(FRBP, "us.court", "2026-03-02", "P70D", ["2026-05-11"], id="BR-07 3002(c): claims"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P90D", ["2026-06-01"], id="BR-07 1189(b), T-17: Sunday"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P120D", ["2026-06-30"], id="BR-07"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P180D", ["2026-08-31"], id="BR-07: Saturday"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P60D", ["2026-05-01"], id="T-15 1188(a)"),
        pytest.param(FRBP, "us.court", "2026-05-01", "-P14D", ["2026-04-17"], id="T-15 1188(c)"),
        pytest.param("us.bankr.before-the-day", "us.court", "2026-03-02", "P120D", ["2026-06-29", "2026-06-30"], id="T-15 1121(c)(2)"),
        pytest.param("us.bankr.before-the-day", "us.court", "2026-03-02", "P180D", ["2026-08-28", "2026-08-31"], id="T-15 502(b)(9)"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P300D", ["2026-12-28"], id="T-15 1121(e)(2): Sunday"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P35D", ["2026-04-06"], id="T-16 chapter 12"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P50D", ["2026-04-21"], id="T-16 chapter 13"),
        pytest.param(FRBP, "us.court", "2026-03-02", "P60D", ["2026-05-01"], id="T-16 2003(a): place without regular staff"),
        pytest.param(FRBP, "us.court", "2026-06-30", "P90D", ["2026-09-28"], id="T-16 365(d)(4) extension"),
        pytest.param("us.bankr.look-back", "us.court", "2026-03-02", "-P90D", ["2025-12-02"], id="T-18 547(b)(4)(A)"),
        pytest.param("us.bankr.look-back", "us.court", "2026-03-02", "-P1Y", ["2025-03-02"], id="T-18 547(b)(4)(B): a Sunday stays"),
        pytest.param("us.bankr.look-back", "us.court", "2026-03-02", "-P20D", ["2026-02-10"], id="T-18 503(b)(9)"),
        pytest.param("us.bankr.look-back", "us.court", "2026-03-02", "-P180D", ["2025-09-03"], id="T-18 507(a)(4)"),
        pytest.param(FRBP, "us.court", "2026-04-07", "P60D", ["2026-06-08"], id="T-19 4004(a): Saturday"),
        pytest.param(FRBP, "us.court", "2026-05-27", "P45D", ["2026-07-13"], id="T-20 1129(e): Saturday"),
        pytest.param("us.bankr.months-cap", "us.court", "2026-03-05", "P18M", ["2027-09-05", "2027-09-07"], id="T-21 1121(d)(2)(A)"),
        pytest.param("us.bankr.months-cap", "us.court", "2026-08-31", "P18M", ["2028-02-29"], id="T-21: no 31 February"),
        # Regulation F.
        pytest.param("us.regf.validation", "us.statutory", "2021-12-01", "", ["2022-01-07"], id="DC-19 1006.34(b)(5)"),
        pytest.param("us.regf.validation", "us.statutory", "2024-12-20", "", ["2025-01-29"], id="DC-23 over Christmas"),
        pytest.param("us.regf.validation", "us.statutory", "2026-11-20", "", ["2026-12-30"], id="DC-23 over Thanksgiving"),
        pytest.param("us.regf.validation", "us.statutory", "2026-06-29", "", ["2026-08-05"], id="T-22 the days as they fall"),
        pytest.param("us.regf.validation", "us.observed", "2026-06-29", "", ["2026-08-06"], id="T-22 the wrong set"),
        pytest.param("us.regf.validation", "us.statutory", "2027-12-20", "", ["2028-01-26"], id="T-23 the days as they fall"),
        pytest.param("us.regf.validation", "us.observed", "2027-12-20", "", ["2028-01-27"], id="T-23 the wrong set"),
        pytest.param(
            "us.regf.seven-in-seven", "us.statutory", "2026-08-13", "", ["2026-08-19"], id="comment 14(b)(2)(i)-1.ii: again on Thursday 20"
        ),
        pytest.param(
            "us.regf.seven-in-seven", "us.statutory", "2026-04-01", "", ["2026-04-07"], id="comment 14(b)(2)(i)-1.i: again on the 8th"
        ),
        pytest.param("us.regf.postdated-latest", "us.statutory", "2026-11-30", "", ["2026-11-24"], id="1006.22(c)(1): over Thanksgiving"),
        # Regulation 1182/71.
        pytest.param("eu.1182-71", "eu.nl", "1998-03-12", "P3W", ["1998-04-02"], id="C-171/03 Toeters: 12 March"),
        pytest.param("eu.1182-71", "eu.nl", "1998-03-13", "P3W", ["1998-04-03"], id="C-171/03 Toeters: 13 March"),
        pytest.param("eu.1182-71", "eu.nl", "1998-03-16", "P3W", ["1998-04-06"], id="C-171/03 Toeters: 16 March"),
        pytest.param("eu.1182-71", "eu.be", "2026-01-31", "P1M", ["2026-03-02"], id="Art 3(2)(c), 3(4): month end on a Saturday"),
        pytest.param("eu.1182-71", "eu.be", "2026-03-06", "P2D", ["2026-03-10"], id="Art 3(5): two working days"),
        pytest.param("eu.1182-71", "eu.be", "2026-03-06", "P1D", ["2026-03-09"], id="Art 3(4): one day needs none"),
        pytest.param("eu.1182-71", "eu.be", "2026-04-30", "P2D", ["2026-05-05"], id="Art 3(5): over 1 May and a weekend"),
        pytest.param("eu.1182-71", "eu.be", "2026-05-18", "-P15D", ["2026-05-03"], id="Art 3(4): not for retroactive periods"),
        # BGB.
        pytest.param("de.bgb-286-3", "de", "2026-03-02", "", ["2026-04-01"], id="BGB 286(3): in default from 2 April"),
        pytest.param("de.bgb-286-3", "de", "2026-03-05", "", ["2026-04-04", "2026-04-07"], id="BGB 286(3), 193: Saturday before Easter"),
        pytest.param("de.bgb-187-1-193", "de", "2026-04-10", "P3W", ["2026-05-04"], id="BGB 188(2), 193: 1 May"),
        pytest.param("de.bgb-187-1-193", "de.by", "2025-12-23", "P2W", ["2026-01-07"], id="BGB 193: Epiphany in Bavaria"),
        pytest.param("de.bgb-187-1-193", "de.nw", "2025-12-23", "P2W", ["2026-01-06"], id="BGB 193: no Epiphany in North Rhine-Westphalia"),
        pytest.param("de.bgb-187-1", "de", "2024-01-31", "P1M", ["2024-02-29"], id="BT-12, BGB 188(3)"),
        pytest.param("de.bgb-187-1", "de", "2024-01-31", "P2M", ["2024-03-31"], id="BT-12: from the anchor, never step by step"),
        pytest.param("de.bgb-187-1", "de", "2024-02-29", "P1M", ["2024-03-29"], id="BT-12: step by step it would be two days short"),
        pytest.param("de.bgb-187-2", "de", "2008-05-10", "P18Y", ["2026-05-09"], id="BGB 187(2): of age with the end of the day before"),
        pytest.param("de.bgb-187-2", "de", "2026-03-02", "P1W", ["2026-03-08"], id="BGB 188(2): week from an included day"),
        pytest.param("de.bgb-187-2", "de", "2026-01-31", "P1M", ["2026-02-28"], id="BGB 188(3): month from an included day"),
        pytest.param("de.bgb-187-2", "de", "2026-01-29", "P1M", ["2026-02-28"], id="BGB 188(2): the day before 29 February"),
        pytest.param("de.bgb-199", "de", "2023-03-10", "", ["2026-12-31"], id="BGB 195, 199: the end of the third year"),
        pytest.param("de.bgb-199", "de", "2023-12-31", "", ["2026-12-31"], id="BGB 199(1): the last day of the year is of it"),
        # United Kingdom.
        *(
            pytest.param(f"uk.drs.{rule}", "Europe/London", registered, "", [last], id=f"DC-33 SI 2020/1311 {rule} {registered}")
            for registered, answers in {
                "2026-03-02": ("2026-03-03", "2026-03-22", "2026-03-27", "2026-04-06", "2026-05-01"),
                "2026-12-31": ("2027-01-01", "2027-01-20", "2027-01-25", "2027-02-04", "2027-03-01"),
                "2028-02-28": ("2028-02-29", "2028-03-19", "2028-03-24", "2028-04-03", "2028-04-28"),
            }.items()
            for rule, last in zip(("start", "creditor-request", "midway-closed", "midway-review", "last-day"), answers, strict=True)
        ),
        pytest.param(
            "uk.drs.creditor-review", "Europe/London", "2026-03-02", "", ["2026-04-06"], id="DC-33 reg 18(1): answered by 6 April"
        ),
        pytest.param("uk.drs.next-application", "Europe/London", "2026-05-01", "", ["2027-05-02"], id="SI 2020/1311 reg 24(3)(g)"),
        pytest.param("uk.drs.register-entry", "uk.england-wales", "2026-04-02", "", ["2026-04-07"], id="reg 25(2)(a): over Easter"),
        pytest.param("uk.drs.crisis-last-day", "Europe/London", "2026-03-10", "", ["2026-04-08"], id="SI 2020/1311 reg 32(2)(a)"),
        pytest.param(
            "uk.late-payment.relevant-day", "Europe/London", "2026-03-02", "", ["2026-03-31"], id="1998 Act s.4(2H): a day before Germany"
        ),
        pytest.param("uk.rp-2001", "uk.rp-2001", "2026-12-17", "P5D", ["2026-12-29"], id="SI 2001/341 reg 8(2): short, over Christmas"),
        pytest.param("uk.rp-2001", "uk.rp-2001", "2026-12-10", "P7D", ["2026-12-21"], id="SI 2001/341 reg 8(2): seven days are short"),
        pytest.param("uk.rp-2001", "uk.rp-2001", "2026-12-10", "P8D", ["2026-12-18"], id="SI 2001/341 reg 8(2): eight are not"),
        pytest.param("uk.rp-2001", "uk.rp-2001", "2026-12-14", "P10D", ["2026-12-29"], id="SI 2001/341 reg 8(1): Christmas Eve and on"),
    ],
)
def test_known_answers(rule: str, calendar: str, anchor: str, amount: str, last: list[str]) -> None:
    assert days(counted(rule, calendar, anchor, amount)) == last


@pytest.mark.parametrize(
    ("anchor", "amount", "last"),
    [
        pytest.param("2026-06-04", "P14D", "2026-06-22", id="T-04, FRAP note 1996: Friday to Sunday are added, so Monday"),
        pytest.param("2026-08-06", "P30D", "2026-09-11", id="T-05 6(d): roll, then add, not add, then roll"),
        pytest.param("2026-08-21", "P14D", "2026-09-08", id="T-06 6(d): Labor Day at the end"),
    ],
)
def test_three_days_for_mail(anchor: str, amount: str, last: str) -> None:
    assert days(counted(FRCP, "us.court", anchor, amount, service="mail")) == [last]
    assert days(counted(FRBP, "us.court", anchor, amount, service="mail")) == [last]


def test_electronic_service_added_days_until_december_2016() -> None:
    def last(when: str) -> list[str]:
        return days(counted(FRCP, "us.court", "2016-11-01", "P14D", in_force=when, service="electronic"))

    assert (last("2016-11-30"), last("2016-12-01")) == (["2016-11-18"], ["2016-11-15"])


def test_no_days_for_mail_backward() -> None:
    assert days(counted(FRCP, "us.court", "2026-06-08", "-P14D", service="mail")) == ["2026-05-22"]


def test_before_2009_short_periods_left_weekends_out() -> None:
    assert days(counted(FRCP, "us.statutory", "2007-08-22", "P10D", in_force="2007-08-22")) == ["2007-09-06"]
    assert days(counted(FRCP, "us.statutory", "2007-08-22", "P11D", in_force="2007-08-22")) == ["2007-09-04"]


def test_an_inaccessible_office_moves_the_end_forward_even_of_a_backward_period() -> None:
    # T-03, committee note 2009 on FRAP 26(a)(5).
    assert days(counted(FRCP, "us.court", "2007-09-11", "-P10D", closures={"2007-08-31": "storm"})) == ["2007-09-04"]
    # A closure of any other day moves nothing.
    assert days(counted(FRCP, "us.court", "2007-09-11", "-P10D", closures={"2007-09-07": "storm"})) == ["2007-08-31"]


def test_a_closure_before_the_days_for_mail_has_two_readings() -> None:
    answer = counted(FRCP, "us.court", "2026-03-02", "P14D", service="mail", closures={"2026-03-16": "snow"})
    assert days(answer) == ["2026-03-19", "2026-03-20"]
    assert answer.safe.reading == "closure-of-the-last-day-only"


def at(text: str, zone: str) -> str:
    return instant(at_wall_time(datetime.fromisoformat(text), zone))


@pytest.mark.parametrize(
    ("rule", "calendar", "start", "amount", "end", "more"),
    [
        pytest.param(
            FRCP, "us.court", "2007-11-02 10:23", "PT72H", "2007-11-05 09:23", {}, id="FRCP 6(a)(2): over the end of daylight time"
        ),
        pytest.param(FRCP, "us.court", "2026-03-06 10:23", "PT24H", "2026-03-09 10:23", {}, id="FRCP 6(a)(2)(C): the same time on Monday"),
        pytest.param(FRCP, "us.court", "2026-03-10 10:23", "-PT48H", "2026-03-06 10:23", {}, id="FRCP 6(a)(5): back to Friday"),
        pytest.param(FRCP, "us.court", "2026-03-03 00:00", "PT96H", "2026-03-07 00:00", {}, id="midnight ends Friday"),
        pytest.param(
            FRCP, "us.court", "2026-03-02 10:00", "PT24H", "2026-03-04 10:00", {"closures": {"2026-03-03": "snow"}}, id="FRCP 6(a)(3)(B)"
        ),
        pytest.param("eu.1182-71", "eu.be", "2026-03-06 10:23", "PT48H", "2026-03-08 11:00", {}, id="1182/71 Art 3(1), 3(4): hours stay"),
    ],
)
def test_hours(rule: str, calendar: str, start: str, amount: str, end: str, more: Any) -> None:
    zone = on(calendar).calendar.zone
    answer = counted(rule, calendar, at(start, zone), amount, **more)
    assert answer.safe.at == at(end, zone)


def test_the_last_day_ends_at_midnight_of_the_courts_zone_or_when_the_office_closes() -> None:
    rule = RULES[FRCP].on("2026-01-01")
    court = Working(Calendar("clerk", "1", hours=week("09:00-16:30"), zone=NY))
    assert count("2026-03-02", rule, court, amount="P7D").safe.at == at("2026-03-10 00:00", NY)
    assert count("2026-03-02", rule, court, amount="P7D", zone="America/Los_Angeles").safe.at == at(
        "2026-03-10 00:00", "America/Los_Angeles"
    )
    closes = attrs.evolve(rule, day_end="office_close")
    assert count("2026-03-02", closes, court, amount="P7D").safe.at == at("2026-03-09 16:30", NY)


def test_the_day_of_an_event_is_that_of_the_zone() -> None:
    # 2026-03-03 02:00 UTC is still Monday in New York.
    assert days(counted(FRCP, "us.court", "2026-03-03T02:00:00.000000Z", "P1D")) == ["2026-03-03"]


def test_an_answer_says_how_it_came_about() -> None:
    observed = on("us.court").calendar.holidays["us.observed"]
    assert counted(FRCP, "us.court", "2026-06-19", "P14D").lines()[1:] == [
        "  last day 2026-07-03",
        "    Fri 2026-06-19: the day of the event does not count",
        "    Sat 2026-06-20 to Fri 2026-07-03: P14D, every day counted",
        "    Fri 2026-07-03: the day ends at Sat 2026-07-04 00:00 EDT",
        f"  last day 2026-07-06 (us.observed: {observed.doubtful} [{observed.citation}])",
        "    Fri 2026-06-19: the day of the event does not count",
        "    Sat 2026-06-20 to Fri 2026-07-03: P14D, every day counted",
        "    Fri 2026-07-03: Independence Day (observed), so the period goes on to Sat 2026-07-04",
        "    Sat 2026-07-04: Independence Day, so the period goes on to Sun 2026-07-05",
        "    Sun 2026-07-05: Sunday, so the period goes on to Mon 2026-07-06",
        "    Mon 2026-07-06: the day ends at Tue 2026-07-07 00:00 EDT",
    ]


def test_skipped_days_are_named_one_by_one() -> None:
    steps = counted("us.regf.validation", "us.statutory", "2026-11-20").safe.steps
    assert [(s.start, s.note) for s in steps if s.rule == "skipped"] == [
        ("2026-11-21", "Saturday"),
        ("2026-11-22", "Sunday"),
        ("2026-11-26", "Thanksgiving Day"),
        ("2026-11-28", "Saturday"),
        ("2026-11-29", "Sunday"),
    ]


def test_a_day_beyond_what_the_calendar_knows_is_said() -> None:
    steps = counted(FRCP, "us.statutory", "2031-12-20", "P30D").safe.steps
    assert [s.start for s in steps if s.rule == "not-covered"] == ["2032-01-19"]


RULE = Count("any", "1")
WEEKS = Working(Calendar("weeks", "1", hours=week()))


@pytest.mark.parametrize(
    ("anchor", "rule", "working", "more", "said"),
    [
        ("2026-01-01", RULE, WEEKS, {}, "count any: the rule has no amount of its own"),
        ("2026-01-01", RULE, WEEKS, {"amount": "P1M2D"}, "count any: 'P1M2D' is not a period in one unit"),
        ("2026-01-01", RULE, WEEKS, {"amount": "two weeks"}, "count any: 'two weeks' is no duration"),
        ("2026-01-01", RULE, WEEKS, {"amount": "PT2H"}, "count any: a period in hours can't begin on 2026-01-01 without a time"),
        ("9999-12-01", RULE, WEEKS, {"amount": "P90D"}, "count any: the date lies outside the years 1 to 9999"),
        ("9999-12-01", RULE, WEEKS, {"amount": "P90M"}, "count any: the date lies outside the years 1 to 9999"),
        ("9999-12-01T00:00:00.000000Z", RULE, WEEKS, {"amount": "PT9999H"}, "count any: the date lies outside the years 1 to 9999"),
        ("2026-01-01", attrs.evolve(RULE, skip="non_working"), WEEKS, {"amount": "P999999D"}, "count any: more than 400 years of days"),
        ("2026-13-01", RULE, WEEKS, {"amount": "P1D"}, "'2026-13-01' is no day"),
        ("2026-01-01", RULE, WEEKS, {"amount": "P1D", "zone": "Mars/Base"}, "'Mars/Base' is no IANA time zone"),
        (
            "2026-01-01",
            attrs.evolve(RULE, short_period=ShortPeriod(0)),
            WEEKS,
            {"amount": "P1D"},
            "count any: /min_working_days, /short_period",
        ),
        ("2026-01-01", attrs.evolve(RULE, then=Count("next", "1")), WEEKS, {"amount": "P1D"}, "count any: /then/amount: is missing"),
        (
            "2026-01-01",
            attrs.evolve(RULE, amount="P1D", then=Count("next", "1", amount="PT1H")),
            WEEKS,
            {},
            "count any: /then: one period in hours",
        ),
        (
            "2026-01-01T00:00:00.000000Z",
            attrs.evolve(RULE, then=Count("next", "1", amount="P1D")),
            WEEKS,
            {"amount": "PT1H"},
            "count any: a period in hours can't be followed",
        ),
        ("2026-01-01", RULE, WEEKS, {"amount": "P0D"}, "count any: 'P0D' is not a period in one unit"),
        (
            "2026-01-01",
            attrs.evolve(RULE, roll="forward"),
            Working(Calendar("once", "1", exceptions={"2020-01-01": DayException(ALL_DAY)})),
            {"amount": "P1D"},
            "count any: there is no working day within 400 years",
        ),
        (
            "2026-01-01",
            RULE,
            Working(Calendar("doubts", "1", hours=week(), holidays={str(n): HolidaySet({}, doubtful="?") for n in range(5)})),
            {"amount": "P1D"},
            "count any: the calendar has 5 doubtful holiday sets",
        ),
    ],
)
def test_bad_input_is_named(anchor: str, rule: Count, working: Working, more: Any, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        count(anchor, rule, working, **more)
    assert said in str(refused.value)


# Properties.

anchors = st.dates(date(2000, 1, 1), date(2030, 1, 1)).map(date.isoformat)
holiday_sets = st.sets(st.dates(date(2000, 1, 1), date(2032, 1, 1)).map(date.isoformat), max_size=40)
any_rules = st.builds(
    Count,
    st.just("any"),
    st.just("1"),
    trigger_day=st.sampled_from(["excluded", "included"]),
    skip=st.sampled_from(["none", "non_working"]),
    short_period=st.none() | st.builds(ShortPeriod, st.integers(1, 9)),
    min_working_days=st.integers(0, 3),
    roll=st.sampled_from(["none", "direction", "forward", "backward"]),
    readings=st.dictionaries(
        st.sampled_from(["a", "b"]), st.builds(Reading, shift=st.integers(-2, 2), roll=st.sampled_from(["", "forward"]))
    ),
)


def calendar_of(closed: set[str], doubtful: set[str] = frozenset()) -> Working:  # type: ignore[assignment]
    sets = {"sure": HolidaySet(dict.fromkeys(closed, "x")), "open": HolidaySet(dict.fromkeys(doubtful, "y"), doubtful="who knows")}
    return Working(Calendar("any", "1", hours=week(), holidays=sets))


@given(anchors, any_rules, holiday_sets, holiday_sets, st.integers(1, 60), st.booleans())
def test_readings_differ_and_stand_in_order(anchor: str, rule: Count, closed: set[str], doubtful: set[str], n: int, back: bool) -> None:
    answer = count(anchor, rule, calendar_of(closed, doubtful), amount=f"{'-' if back else ''}P{n}D")
    instants = [due.at for due in answer.readings]
    assert instants == sorted(set(instants))
    assert answer.lines()


@given(anchors, any_rules, holiday_sets, st.integers(1, 60))
def test_one_day_more_is_never_due_earlier(anchor: str, rule: Count, closed: set[str], n: int) -> None:
    # A short-period rule makes a longer period end earlier: that is the law, and why FRCP 6 dropped it.
    plain = attrs.evolve(rule, short_period=None, min_working_days=0, readings={})
    calendar = calendar_of(closed)
    assert count(anchor, plain, calendar, amount=f"P{n}D").safe.day <= count(anchor, plain, calendar, amount=f"P{n + 1}D").safe.day


@given(anchors, any_rules, holiday_sets, st.integers(1, 60), st.booleans())
def test_a_rolled_end_is_a_working_day(anchor: str, rule: Count, closed: set[str], n: int, back: bool) -> None:
    assume(rule.roll != "none")
    calendar = calendar_of(closed)
    answer = count(anchor, attrs.evolve(rule, readings={}), calendar, amount=f"{'-' if back else ''}P{n}D")
    assert calendar.works(answer.safe.day)


@given(anchors, holiday_sets, st.integers(1, 200))
def test_numpy_agrees_on_skipped_days(anchor: str, closed: set[str], n: int) -> None:
    theirs = np.busdaycalendar("1111100", sorted(closed))
    rule = attrs.evolve(RULE, skip="non_working")
    assert count(anchor, rule, calendar_of(closed), amount=f"P{n}D").safe.day == str(
        np.busday_offset(anchor, n, roll="backward", busdaycal=theirs)
    )
    assert count(anchor, rule, calendar_of(closed), amount=f"-P{n}D").safe.day == str(
        np.busday_offset(anchor, -n, roll="forward", busdaycal=theirs)
    )


@given(anchors, holiday_sets, st.integers(1, 200))
def test_numpy_agrees_on_rolled_ends(anchor: str, closed: set[str], n: int) -> None:
    theirs = np.busdaycalendar("1111100", sorted(closed))
    rule = attrs.evolve(RULE, roll="direction")
    for sign, way in ((1, "forward"), (-1, "backward")):
        raw = date.fromisoformat(anchor) + sign * timedelta(days=n)
        ours = count(anchor, rule, calendar_of(closed), amount=f"{'-' if sign < 0 else ''}P{n}D").safe.day
        assert ours == str(np.busday_offset(raw, 0, roll=way, busdaycal=theirs))  # type: ignore[call-overload]


@given(anchors, holiday_sets, st.integers(2, 30))
def test_a_period_contains_the_working_days_it_must(anchor: str, closed: set[str], n: int) -> None:
    rule = RULES["eu.1182-71"].on("2026-01-01")
    calendar = calendar_of(closed)
    last = count(anchor, rule, calendar, amount=f"P{n}D").safe.day
    first = (date.fromisoformat(anchor) + timedelta(days=1)).isoformat()
    assert calendar.working_days(first, last) >= 2
