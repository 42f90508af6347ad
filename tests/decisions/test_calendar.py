"""Business time: known answers, what must always hold, and two calculators that know nothing of ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import businesstimedelta
import numpy as np
import pytest
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from casekit.decisions.calendar import Working, add_business, business_between
from casekit.decisions.opening import Opening
from casekit.decisions.steps import words
from casekit.definition.calendars import ALL_DAY, WEEKDAYS, Calendar, DayException, HolidaySet, week
from casekit.errors import BadInput
from casekit.model.time import at_wall_time, from_micros, instant, local, micros

HOUR = 3_600_000_000
LUNCH = ("09:00-12:30", "13:30-17:30")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Santiago",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "America/Havana",
    "Atlantic/Azores",
]


def at(text: str, zone: str = "America/New_York") -> str:
    return instant(at_wall_time(datetime.fromisoformat(text), zone))


def office(hours: Any = "09:00-17:00", zone: str = "America/New_York", days: str = "mon-fri", **more: Any) -> Working:
    return Working(Calendar("office", "1", hours=week(hours, days), zone=zone, **more))


NY = office()


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        pytest.param("2026-03-06 16:00", "PT4H", "2026-03-09 12:00", id="BT-04: over the night in which the clocks go forward"),
        pytest.param("2026-03-06 16:00", "PT8H", "2026-03-09 16:00", id="lifecycle: eight hours over the same night"),
        pytest.param("2026-03-02 09:00", "PT8H", "2026-03-02 17:00", id="a full day ends when the office closes"),
        pytest.param("2026-03-02 09:00", "PT8H0.000001S", "2026-03-03 09:00:00.000001", id="and a moment more is the next morning"),
        pytest.param("2026-03-07 12:00", "PT1H", "2026-03-09 10:00", id="on a Saturday time begins on Monday"),
        pytest.param("2026-03-07 12:00", "PT0S", "2026-03-09 09:00", id="nothing, on a Saturday, is Monday's opening"),
        pytest.param("2026-03-09 10:00", "-PT2H", "2026-03-06 16:00", id="counted back over the weekend"),
        pytest.param("2026-03-09 10:00", "-PT1H", "2026-03-09 09:00", id="counted back to the opening"),
        pytest.param("2026-03-06 16:00", "P1D", "2026-03-09 16:00", id="a day is a working day, not 24 open hours"),
        pytest.param("2026-03-06 17:00", "P1D", "2026-03-09 17:00", id="the moment of closing belongs to its day"),
        pytest.param("2026-03-07 12:00", "P1D", "2026-03-10 09:00", id="from Saturday a day begins on Monday"),
        pytest.param("2026-03-09 17:00", "-P1D", "2026-03-06 17:00", id="a day back"),
        pytest.param("2026-03-06 16:00", "P1DT2H", "2026-03-10 10:00", id="days first, then hours"),
    ],
)
def test_known_answers(start: str, amount: str, due: str) -> None:
    assert add_business(at(start), amount, NY) == at(due)


def test_bt_07_a_pause_holds_what_was_left() -> None:
    paused, resumed = at("2026-03-02 15:00"), at("2026-03-03 11:00")
    left = 8 * HOUR - business_between(at("2026-03-02 09:00"), paused, NY)
    assert business_between(paused, resumed, NY) == 4 * HOUR
    assert add_business(resumed, f"PT{left // HOUR}H", NY) == at("2026-03-03 13:00")


def test_bt_01_networkdays() -> None:
    def between(*holidays: str) -> int:
        sets = {"x": HolidaySet(dict.fromkeys(holidays, "x"))}
        return office(holidays=sets).working_days("2012-10-01", "2013-03-01")

    assert (between(), between("2012-11-22"), between("2012-11-22", "2012-12-04", "2013-01-21")) == (110, 109, 107)


def test_bt_02_workday() -> None:
    def after(*holidays: str) -> str:
        sets = {"x": HolidaySet(dict.fromkeys(holidays, "x"))}
        return add_business(at("2008-10-01 12:00"), "P151D", office(holidays=sets))

    assert after() == at("2009-04-30 12:00")
    assert after("2008-11-26", "2008-12-04", "2009-01-21") == at("2009-05-05 12:00")


def test_round_the_clock_loses_no_minute() -> None:
    always = office(ALL_DAY, days="mon-sun")
    start = at("2026-03-01 00:00")
    assert add_business(start, "PT720H", always) == from_micros(micros(start) + 720 * HOUR)
    assert business_between(start, from_micros(micros(start) + 720 * HOUR), always) == 720 * HOUR


def test_lunch_is_closed() -> None:
    lunch = office(LUNCH)
    assert add_business(at("2026-03-02 12:00"), "PT1H", lunch) == at("2026-03-02 14:00")
    assert not lunch.is_open(at("2026-03-02 12:30"))
    assert lunch.next_open(at("2026-03-02 12:45")) == at("2026-03-02 13:30")
    assert lunch.last_open(at("2026-03-02 12:45")) == at("2026-03-02 12:30")


def test_a_day_later_in_the_lunch_break_is_the_last_open_moment_before_it() -> None:
    short = office("09:00-17:00", exceptions={"2026-03-09": DayException(("09:00-12:30", "13:30-14:00"), "short day")})
    assert add_business(at("2026-03-06 13:00"), "P1D", short) == at("2026-03-09 12:30")
    assert add_business(at("2026-03-06 16:00"), "P1D", short) == at("2026-03-09 14:00")


def test_a_twice_hour_counts_twice_and_a_skipped_one_not_at_all() -> None:
    night = office("01:00-03:00", days="mon-sun")
    assert business_between(at("2026-11-01 00:00"), at("2026-11-02 00:00"), night) == 3 * HOUR
    assert business_between(at("2026-03-08 00:00"), at("2026-03-09 00:00"), night) == 1 * HOUR


def test_only_the_half_of_a_twice_hour_that_the_interval_names() -> None:
    # 01:30 to 02:30 in the night to 2026-11-01: 01:30-02:00 daylight time, then 01:30-02:30 standard time.
    night = office("01:30-02:30", days="mon-sun")
    assert business_between(at("2026-11-01 00:00"), at("2026-11-02 00:00"), night) == 3 * HOUR // 2


def test_a_day_that_a_zone_skipped_has_no_time() -> None:
    samoa = office("09:00-17:00", "Pacific/Apia", "mon-sun")
    assert business_between(at("2011-12-29 00:00", "Pacific/Apia"), at("2012-01-01 00:00", "Pacific/Apia"), samoa) == 16 * HOUR
    assert add_business(at("2011-12-29 12:00", "Pacific/Apia"), "P1D", samoa) == at("2011-12-31 12:00", "Pacific/Apia")


def test_exceptions_win_over_holidays_and_weekly_hours() -> None:
    sets = {"us": HolidaySet({"2026-07-03": "Independence Day (observed)", "2026-12-25": "Christmas Day"})}
    said = {"2026-07-03": DayException("10:00-11:00", "half crew"), "2026-07-04": DayException("10:00-12:00"), "2026-07-06": DayException()}
    calendar = office(holidays=sets, exceptions=said)
    assert business_between(at("2026-07-03 00:00"), at("2026-07-04 00:00"), calendar) == HOUR
    assert business_between(at("2026-07-04 00:00"), at("2026-07-07 00:00"), calendar) == 2 * HOUR
    assert not calendar.works("2026-12-25")
    assert calendar.works("2026-12-24")


def test_days_say_why_they_counted_or_did_not() -> None:
    sets = {"us": HolidaySet({"2026-07-03": "Independence Day (observed)"}, last="2026-07-05")}
    calendar = office(holidays=sets, exceptions={"2026-07-06": DayException("12:00-13:00", "stocktaking")})
    start = at("2026-07-02 16:00")
    said = [words(s, "America/New_York") for s in calendar.explain(start, add_business(start, "PT3H", calendar))]
    assert said == [
        "Thu 2026-07-02 16:00 EDT to Thu 2026-07-02 17:00 EDT: PT1H counted",
        "Fri 2026-07-03 00:00 EDT to Sat 2026-07-04 00:00 EDT: closed (Independence Day (observed))",
        "Sat 2026-07-04 00:00 EDT to Sun 2026-07-05 00:00 EDT: outside the weekly hours",
        "Sun 2026-07-05 00:00 EDT to Mon 2026-07-06 00:00 EDT: outside the weekly hours",
        "Mon 2026-07-06: it is not known which days are holidays (us covers all to 2026-07-05)",
        "Mon 2026-07-06 12:00 EDT to Mon 2026-07-06 13:00 EDT: PT1H counted (stocktaking)",
        "Tue 2026-07-07: it is not known which days are holidays (us covers all to 2026-07-05)",
        "Tue 2026-07-07 09:00 EDT to Tue 2026-07-07 10:00 EDT: PT1H counted",
    ]


@pytest.mark.parametrize("amount", ["PT9999999H", "P999999D", "-P999999D", "-PT9999999H"])
def test_what_runs_too_far_is_refused_at_once(amount: str) -> None:
    with pytest.raises(BadInput, match=r"calendar office: .*(400 years|1 to 9999)"):
        add_business(at("2026-03-02 09:00"), amount, NY)


def test_beyond_the_year_9999_is_refused() -> None:
    for amount in ("P2000D", "PT16000H"):
        with pytest.raises(BadInput, match=r"calendar office: the date lies outside the years 1 to 9999"):
            add_business("9995-01-04T15:00:00.000000Z", amount, NY)
    with pytest.raises(BadInput, match="edge of the years"):
        add_business("9999-12-31T15:00:00.000000Z", "PT1H", NY)


def test_months_are_no_business_time() -> None:
    with pytest.raises(BadInput, match="no months"):
        add_business(at("2026-03-02 09:00"), "P1M", NY)


def test_a_calendar_that_opens_on_single_days_ends() -> None:
    sitting = Working(Calendar("court", "1", exceptions={"2026-03-02": DayException("09:00-12:00", "sitting")}))
    assert add_business("2026-01-01T00:00:00.000000Z", "PT1H", sitting) == "2026-03-02T10:00:00.000000Z"
    for amount in ("PT4H", "P2D", "-PT4H"):
        with pytest.raises(BadInput, match="calendar court"):
            add_business("2026-03-02T09:00:00.000000Z", amount, sitting)


def test_holidays_that_are_not_stored_yet_are_asked_for() -> None:
    with pytest.raises(BadInput, match=r"calendar desk: /uses: the holidays of us.observed are not stored in it"):
        Working(Calendar("desk", "1", hours=week(), uses="us.observed"))


def test_many_open_exceptions_count_beside_few_weekly_hours() -> None:
    said = {(date(2026, 1, 1) + timedelta(days=n)).isoformat(): DayException(ALL_DAY) for n in range(365 * 8)}
    calendar = Working(Calendar("busy", "1", hours={"mon": ("09:00-09:01",)}, exceptions=said))
    assert add_business("2026-01-01T00:00:00.000000Z", "PT60000H", calendar) == "2032-11-05T00:00:00.000000Z"


def test_threads_share_a_calendar() -> None:
    shared = office()

    def ask(_: int) -> list[str]:
        return [add_business(f"{year}-01-05T15:00:00.000000Z", "PT4000H", shared) for year in range(1990, 2030)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert answers == [answers[0]] * 8


def test_memory_is_bounded() -> None:
    opening = Opening(NY.calendar)
    for year in range(1, 1500):
        opening.year(year)
    assert len(opening._years) <= 1024


# Properties, over calendars that a person might write.

clocks = st.integers(0, 24 * 4).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")


@st.composite
def days_of_hours(draw: Any) -> tuple[str, ...]:
    edges = sorted(draw(st.sets(clocks, min_size=2, max_size=6)))
    return tuple(f"{a}-{b}" for a, b in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: Any) -> Working:
    open_days = draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1))
    near = st.dates(date(2025, 1, 1), date(2027, 12, 31)).map(date.isoformat)
    closed = draw(st.sets(near, max_size=8))
    special = draw(st.dictionaries(near, days_of_hours() | st.just(()), max_size=4))
    return Working(
        Calendar(
            "any",
            "1",
            hours={day: draw(days_of_hours()) for day in open_days},
            zone=draw(st.sampled_from(ZONES)),
            holidays={"x": HolidaySet(dict.fromkeys(closed, "x"))},
            exceptions={day: DayException(hours) for day, hours in special.items()},
        )
    )


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)).map(instant)  # noqa: DTZ001
amounts = st.integers(1, 400 * HOUR)


def seconds(amount: int) -> str:
    return f"PT{amount // 1_000_000}.{amount % 1_000_000:06}S"


@settings(deadline=None)
@given(calendars(), moments, amounts)
def test_what_was_added_lies_between(calendar: Working, start: str, amount: int) -> None:
    due = add_business(start, seconds(amount), calendar)
    assert business_between(start, due, calendar) == amount
    before = add_business(start, f"-{seconds(amount)}", calendar)
    assert business_between(before, start, calendar) == amount


@settings(deadline=None)
@given(calendars(), moments, amounts)
def test_it_never_lands_in_closed_time(calendar: Working, start: str, amount: int) -> None:
    due = micros(add_business(start, seconds(amount), calendar))
    assert calendar.is_open(from_micros(due - 1))
    before = add_business(start, f"-{seconds(amount)}", calendar)
    assert calendar.is_open(before)


@settings(deadline=None)
@given(calendars(), moments, amounts)
def test_there_and_back(calendar: Working, start: str, amount: int) -> None:
    opened = calendar.next_open(start)
    there = add_business(opened, seconds(amount), calendar)
    assert add_business(there, f"-{seconds(amount)}", calendar) == opened
    closed = calendar.last_open(start)
    back = add_business(closed, f"-{seconds(amount)}", calendar)
    assert add_business(back, seconds(amount), calendar) == closed


@settings(deadline=None)
@given(calendars(), moments, amounts, amounts, st.integers(0, 5), st.integers(0, 5))
def test_more_is_never_earlier(calendar: Working, start: str, one: int, other: int, days: int, more: int) -> None:
    less, greater = sorted((one, other))
    assert add_business(start, seconds(less), calendar) <= add_business(start, seconds(greater), calendar)
    assert add_business(start, f"P{days}D", calendar) <= add_business(start, f"P{days + more}D", calendar)


@settings(deadline=None)
@given(calendars(), moments, moments, st.integers(-20, 20))
def test_later_is_never_due_earlier(calendar: Working, one: str, other: str, days: int) -> None:
    earlier, later = sorted((one, other))
    sign, count = ("-" if days < 0 else ""), abs(days)
    for amount in (f"{sign}P{count}D", f"{sign}PT{count + 1}H"):
        assert add_business(earlier, amount, calendar) <= add_business(later, amount, calendar)


@settings(deadline=None)
@given(calendars(), moments, moments, moments)
def test_stretches_add_up(calendar: Working, a: str, b: str, c: str) -> None:
    assert business_between(a, b, calendar) + business_between(b, c, calendar) == business_between(a, c, calendar)


@settings(deadline=None)
@given(calendars(), moments, st.integers(0, 40 * HOUR))
def test_the_explanation_counts_what_was_counted(calendar: Working, start: str, amount: int) -> None:
    due = add_business(start, seconds(amount), calendar)
    said = [s for s in calendar.explain(start, due) if s.rule in ("open", "open-exception")]
    assert sum(micros(s.end) - micros(s.start) for s in said) == amount


# Oracles.


def nights(zone: str) -> list[datetime]:
    """Noons before each change of the offset, found with nothing but the zone."""
    noons = [datetime(2011, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(366 * 16)]
    offsets = [noon.astimezone(ZoneInfo(zone)).utcoffset() for noon in noons]
    return [noon for noon, one, other in zip(noons, offsets, offsets[1:], strict=False) if one != other]


def minutes_of(noon: datetime, hours: int, zone: str, spans: list[tuple[int, int]]) -> int:
    """Open minutes, looked at one by one."""
    found = 0
    for minute in range(hours * 60):
        wall = (noon + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
        found += any(a <= wall.hour * 60 + wall.minute < b for a, b in spans)
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_minute_by_minute_over_every_change_of_the_clocks(zone: str) -> None:
    calendar = office(("00:00-00:15", "01:30-02:45", "23:30-24:00"), zone, "mon-sun")
    for noon in (nights(zone) or [datetime(2024, 2, 28, 12, tzinfo=UTC)])[-6:]:
        found = minutes_of(noon, 36, zone, [(0, 15), (90, 165), (1410, 1440)])
        assert business_between(instant(noon), instant(noon + timedelta(hours=36)), calendar) == found * HOUR // 60, noon


def test_a_zone_that_changed_its_mind_within_a_week() -> None:
    noon, zone = datetime(2000, 10, 6, 12, tzinfo=UTC), "America/Recife"
    calendar = office("09:00-17:00", zone, "mon-sun")
    for hours in (36, 120, 240):
        found = minutes_of(noon, hours, zone, [(540, 1020)])
        assert business_between(instant(noon), instant(noon + timedelta(hours=hours)), calendar) == found * HOUR // 60


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Sydney", "Asia/Kolkata"]),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
    st.integers(1, 300 * 60),
)
def test_businesstimedelta_agrees(zone: str, wall: datetime, minutes: int) -> None:
    calendar = office(zone=zone)
    rule = businesstimedelta.WorkDayRule(start_time=time(9), end_time=time(17), working_days=[0, 1, 2, 3, 4], tz=pytz.timezone(zone))
    rules = businesstimedelta.Rules([rule])
    start = wall.replace(second=0, microsecond=0, tzinfo=UTC)
    theirs = start + businesstimedelta.BusinessTimeDelta(rules, hours=minutes // 60, seconds=minutes % 60 * 60)
    ours = add_business(instant(start), f"PT{minutes}M", calendar)
    assert business_between(instant(theirs.astimezone(UTC)), ours, calendar) == 0


@settings(deadline=None)
@given(
    st.sets(st.sampled_from(range(7)), min_size=1),
    st.sets(st.dates(date(2024, 1, 1), date(2026, 12, 31)), max_size=30),
    st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    st.integers(0, 250),
)
def test_numpy_agrees_on_working_days(weekdays: set[int], closed: set[date], start: date, days: int) -> None:
    calendar = Working(
        Calendar(
            "np",
            "1",
            hours={WEEKDAYS[n]: ALL_DAY for n in weekdays},
            holidays={"x": HolidaySet({d.isoformat(): "x" for d in closed})},
        )
    )
    theirs = np.busdaycalendar([n in weekdays for n in range(7)], sorted(closed))
    last = start + timedelta(days=days)
    assert calendar.working_days(start.isoformat(), last.isoformat()) == np.busday_count(start, last + timedelta(days=1), busdaycal=theirs)
    first = np.busday_offset(start, 0, roll="forward", busdaycal=theirs)
    moved = np.busday_offset(first, days, busdaycal=theirs).item()
    ours = add_business(f"{start}T12:00:00.000000Z", f"P{days}D", calendar) if days else calendar.next_open(f"{start}T12:00:00.000000Z")
    assert local(ours, "UTC").date() == moved
