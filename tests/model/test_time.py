from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casekit.errors import BadInput
from casekit.model.time import (
    Duration,
    Effective,
    add,
    at_wall_time,
    day_after,
    day_start,
    duration,
    effective,
    from_micros,
    instant,
    local,
    micros,
    moment,
)

ZONES = (
    "UTC", "Europe/Rome", "America/New_York", "America/Sao_Paulo", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Pacific/Apia", "Africa/Casablanca", "Asia/Beirut",
)  # fmt: skip
zones = st.sampled_from(ZONES)
moments = st.datetimes(datetime(1900, 1, 2), datetime(2200, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
days = st.dates(date(1900, 1, 2), date(2200, 12, 30))


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_an_instant_has_one_text_of_one_width(at: datetime, offset: int) -> None:
    text = instant(at)

    assert len(text) == 27
    assert moment(text) == at
    assert instant(at.astimezone(timezone(timedelta(minutes=offset)))) == text
    assert from_micros(micros(text)) == text


@given(moments, moments)
def test_instants_compare_as_texts(a: datetime, b: datetime) -> None:
    assert (instant(a) < instant(b)) == (a < b)
    assert (micros(instant(a)) < micros(instant(b))) == (a < b)


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-24", "2026-11-24T14:00:00Z", "2026-11-24T14:00:00.000000", "2026-11-24T14:00:00.000000+00:00",
        "2026-13-24T14:00:00.000000Z", "2026-02-30T14:00:00.000000Z", "2026-11-24T24:00:00.000000Z", "0000-11-24T14:00:00.000000Z",
        "2026-11-24 14:00:00.000000Z", "2026-11-24T14:00:00.000000Z\n", "２０２６-11-24T14:00:00.000000Z",
    ],
)  # fmt: skip
def test_only_the_canonical_instant_is_read(text: str) -> None:
    with pytest.raises(BadInput):
        moment(text)


def test_a_moment_without_a_zone_is_no_instant() -> None:
    with pytest.raises(BadInput, match="no zone"):
        instant(datetime(2026, 11, 24))  # noqa: DTZ001


def first_of(day: date, zone: str) -> datetime:
    """The first quarter of an hour that a wall clock shows on or after a day, found by walking there."""
    at = datetime.combine(day, datetime.min.time(), UTC) - timedelta(hours=27)
    while at.astimezone(ZoneInfo(zone)).date() < day:
        at += timedelta(minutes=15)
    return at


@given(st.dates(date(1990, 1, 1), date(2037, 12, 30)), zones)
@example(date(2018, 11, 4), "America/Sao_Paulo")  # no midnight on that day
@example(date(2026, 11, 1), "America/Havana")  # midnight twice
@example(date(2011, 12, 30), "Pacific/Apia")  # no such day there
@example(date(2022, 3, 27), "Asia/Beirut")
def test_a_day_begins_with_its_first_instant(day: date, zone: str) -> None:
    assert moment(day_start(day.isoformat(), zone)) == first_of(day, zone)


@given(days, zones)
def test_a_day_stays_a_day(day: date, zone: str) -> None:
    held = effective(day, zone)

    assert held.day == day.isoformat()
    assert effective(day.isoformat(), zone) == held
    assert str(held) == day.isoformat()


@given(moments, zones)
def test_a_moment_read_in_another_zone_is_the_same_moment(at: datetime, zone: str) -> None:
    assert effective(at, zone) == effective(at.astimezone(ZoneInfo(zone)).isoformat(), zone) == Effective(instant(at), zone)
    assert local(instant(at), zone).astimezone(UTC) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-24T14:00:00", "2026-W48-2", "20261124", "2026-11-31", "24.11.2026"])
def test_what_is_neither_a_day_nor_an_instant_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        effective(text, "UTC")


@pytest.mark.parametrize("day", ["20261124", "2026-W48-2", "2026-11-31", "", "2026-11-24T00:00"])
def test_a_day_has_one_text(day: str) -> None:
    with pytest.raises(BadInput):
        day_start(day, "UTC")


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 300])
def test_a_zone_that_is_none_is_bad_input(zone: str) -> None:
    with pytest.raises(BadInput, match="IANA"):
        effective(date(2026, 11, 24), zone)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("P14D", Duration(days=14)), ("-P3D", Duration(days=-3)), ("P2W", Duration(days=14)), ("P1Y2M", Duration(months=14)),
        ("PT36H", Duration(micros=36 * 3_600_000_000)), ("PT0.5S", Duration(micros=500_000)), ("PT1M", Duration(micros=60_000_000)),
        ("P1M", Duration(months=1)), ("P1DT1H", Duration(days=1, micros=3_600_000_000)), ("P0D", Duration()),
    ],
)  # fmt: skip
def test_durations_say_months_days_and_exact_time(text: str, meant: Duration) -> None:
    assert duration(text) == meant


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "14D", "P1DT", "P-1D", "P1.5D", "PT1", "P1H", "p1d", "P1D ", "P1D\n", "PT0.1234567S", "P٣D"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        duration(text)


def oracle(at: datetime, days_: int, zone: str) -> datetime:
    """The same wall time that many days later by datetime's own arithmetic, which counts on the wall clock."""
    return (at.astimezone(ZoneInfo(zone)) + timedelta(days=days_)).astimezone(UTC)


@given(moments, st.integers(-400, 400), zones)
def test_days_count_on_the_wall_clock(at: datetime, count: int, zone: str) -> None:
    assert moment(add(instant(at), Duration(days=count), zone)) == oracle(at, count, zone)


@given(moments, st.integers(-(10**12), 10**12), zones)
def test_hours_count_exactly(at: datetime, count: int, zone: str) -> None:
    assert moment(add(instant(at), Duration(micros=count), zone)) == at + timedelta(microseconds=count)


@given(days, st.integers(-600, 600))
def test_months_keep_the_day_or_take_the_last(day: date, count: int) -> None:
    came = local(add(day_start(day.isoformat(), "UTC"), Duration(months=count), "UTC"), "UTC").date()

    assert (came.year * 12 + came.month) - (day.year * 12 + day.month) == count
    assert came.day == min(day.day, calendar.monthrange(came.year, came.month)[1])


@pytest.mark.parametrize(
    ("at", "by", "zone", "comes"),
    [
        ("2026-03-28T01:30:00.000000Z", "P1D", "Europe/Rome", "2026-03-29T01:30:00.000000Z"),  # 02:30 does not exist: 03:30
        ("2026-03-28T01:30:00.000000Z", "PT24H", "Europe/Rome", "2026-03-29T01:30:00.000000Z"),
        ("2026-10-24T12:00:00.000000Z", "P1D", "Europe/Rome", "2026-10-25T13:00:00.000000Z"),  # a day of 25 hours
        ("2026-10-24T00:30:00.000000Z", "P1D", "Europe/Rome", "2026-10-25T00:30:00.000000Z"),  # 02:30 twice: the first
        ("2026-01-31T00:00:00.000000Z", "P1M", "UTC", "2026-02-28T00:00:00.000000Z"),
        ("2024-02-29T00:00:00.000000Z", "P1Y", "UTC", "2025-02-28T00:00:00.000000Z"),
        ("2026-01-31T00:00:00.000000Z", "P1M1D", "UTC", "2026-03-01T00:00:00.000000Z"),  # months first, then days
    ],
)
def test_known_deadlines(at: str, by: str, zone: str, comes: str) -> None:
    assert add(at, duration(by), zone) == comes


def test_a_skipped_time_moves_forward_and_a_double_one_is_the_first() -> None:
    skipped = at_wall_time(datetime(2026, 3, 29, 2, 30), "Europe/Rome")  # noqa: DTZ001
    double = at_wall_time(datetime(2026, 10, 25, 2, 30), "Europe/Rome")  # noqa: DTZ001

    assert local(instant(skipped), "Europe/Rome").hour == 3
    assert instant(double) == "2026-10-25T00:30:00.000000Z"


@pytest.mark.parametrize("by", [Duration(months=12 * 8000), Duration(days=3_000_000), Duration(micros=10**18), Duration(months=-12 * 3000)])
def test_beyond_the_calendar_is_bad_input(by: Duration) -> None:
    with pytest.raises(BadInput, match="1 to 9999"):
        add("2026-11-24T14:00:00.000000Z", by, "Europe/Rome")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_or_bad_input(day: str, zone: str) -> None:
    try:
        at = day_start(day, zone)
        local(at, zone)
        add(at, Duration(days=-1 if day > "5" else 1), zone)
        effective(day + "T23:59:59-12:00", zone)
    except BadInput:
        pass


def test_the_day_after_the_last_is_bad_input() -> None:
    assert day_after("2026-12-31") == "2027-01-01"
    with pytest.raises(BadInput):
        day_after("9999-12-31")
