"""P18: deadlines are right, whatever the clock does.

Beside the desk stands an oracle that counts in whole seconds since 1970, with a calendar of its own and nothing of casekit's;
of a zone it asks one thing only: how far it is from UTC at an instant. Then the desk's clock goes forward in steps, back by an
hour and ahead by a year, and each deadline must have spoken once, for its own instant, and not a moment early.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from casekit import Seat, open_desk
from casekit.sdk import Calendar, CaseType, Clock, DayException, HolidaySet, Plugin, State, add, duration, field, hookimpl
from conftest import TestClock

ZONES = [
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Africa/Cairo", "Africa/Casablanca", "America/New_York", "America/Havana",
    "America/Santiago", "America/Sao_Paulo", "America/St_Johns", "America/Phoenix", "Asia/Beirut", "Asia/Kathmandu", "Asia/Kolkata",
    "Asia/Tokyo", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Apia", "Pacific/Chatham",
]  # fmt: skip
"""Changes at midnight, of half an hour, on Fridays, twice a year around Ramadan, a zone that skipped a day; and calm ones."""

HOURS = ((9 * 3600, 12 * 3600 + 1800), (13 * 3600, 17 * 3600))
HOLIDAYS = ("2024-12-25", "2024-12-26", "2025-01-01", "2025-04-21", "2025-12-25", "2026-01-01", "2026-12-25", "2027-01-01", "2028-02-29")
SHORT = ("2024-12-24", "2026-12-24")
DAY = 86400
QUARTER = 900

# The oracle


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, on the Gregorian calendar."""
    year -= month <= 2
    era, within = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + within * 365 + within // 4 - within // 100 + of_year - 719468


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day."""
    era, of_era = divmod(days + 719468, 146097)
    within = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * within + within // 4 - within // 100)
    part = (5 * of_year + 2) // 153
    month = part + 3 if part < 10 else part - 9
    return within + era * 400 + (month <= 2), month, of_year - (153 * part + 2) // 5 + 1


def text_of(days: int) -> str:
    return "{:04}-{:02}-{:02}".format(*date_of(days))


@lru_cache(maxsize=1 << 18)
def offset(zone: str, at: int) -> int:
    """Seconds by which a zone is ahead of UTC at an instant: all that is asked of the database of zones."""
    found = datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset()
    assert found is not None
    return int(found.total_seconds())


def instants(zone: str, wall: int) -> list[int]:
    """The instants at which a zone's clocks show a time, none, one or two."""
    offsets = {offset(zone, wall + hours * 3600) for hours in range(-30, 31, 2)}
    return sorted(wall - one for one in offsets if offset(zone, wall - one) == one)


def instant_of(zone: str, wall: int, *, second: bool = False) -> int:
    """The instant of a wall-clock time; one that is skipped moves forward by as much as is skipped."""
    found = instants(zone, wall)
    if found:
        return found[-1] if second else found[0]
    before = max(at for at in range(wall - 30 * 3600, wall + 30 * 3600, QUARTER) if at + offset(zone, at) < wall)
    return wall - offset(zone, before)


def later(zone: str, at: int, months: int, days: int) -> int:
    """Months and days later, at the same time of day; a month without that day gives its last."""
    wall = at + offset(zone, at)
    second = len(found := instants(zone, wall)) == 2 and at == found[1]
    day, time = divmod(wall, DAY)
    year, month, of_month = date_of(day)
    index = year * 12 + month - 1 + months
    year, month = index // 12, index % 12 + 1
    length = days_of(year + month // 12, month % 12 + 1, 1) - days_of(year, month, 1)
    return instant_of(zone, (days_of(year, month, min(of_month, length)) + days) * DAY + time, second=second)


def is_open(at: int, zone: str) -> bool:
    day, time = divmod(at + offset(zone, at), DAY)
    text = text_of(day)
    if text in HOLIDAYS or (day + 3) % 7 > 4:  # 1970-01-01 was a Thursday
        return False
    return any(begin <= time < end for begin, end in (HOURS[:1] if text in SHORT else HOURS))


def open_later(at: int, zone: str, quarters: int) -> int:
    """So many open quarters of an hour later."""
    while quarters:
        quarters -= is_open(at, zone)
        at += QUARTER
    return at


# What it is held against

OFFICES = {"rome": "Europe/Rome", "york": "America/New_York", "chatham": "Pacific/Chatham"}


class Office:
    """Calendars, and a case type with amounts of a round's own."""

    PLUGIN = Plugin("deadlines", api=1, handles="*", version="1.0")

    def __init__(self, dice: random.Random) -> None:
        self.days, self.months, self.hours = (
            dice.choice([1, 7, 14, 30, 90, 154, 364]),
            dice.choice([1, 3, 6, 12, 24]),
            dice.randint(1, 9000),
        )
        self.quarters, self.office = dice.randint(1, 200), dice.choice(list(OFFICES))
        self.more = dice.randint(1, 40)

    @hookimpl
    def casekit_calendars(self) -> list[Calendar]:
        days = HolidaySet(dict.fromkeys(HOLIDAYS, "holiday"), first="2020-01-01", last="2032-12-31")
        closed = {day: DayException("09:00-12:30", "Eve") for day in SHORT}
        hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-12:30", "13:00-17:00"))
        return [
            Calendar(key, "1", "Office", hours=hours, zone=zone, holidays={"all": days}, exceptions=closed) for key, zone in OFFICES.items()
        ]

    @hookimpl
    def casekit_case_types(self) -> list[CaseType]:
        clocks = {
            "days": Clock(f"P{self.days}D", start="at('open')"),
            "months": Clock(f"P{self.months}M{self.more}DT5H", start="at('open')"),
            "exact": Clock(f"PT{self.hours}H", start="at('open')"),
            "fixed": Clock(kind="fixed", due="by", start="known(by)"),
            "open": Clock(f"PT{self.quarters * 15}M", kind="business", calendar=self.office, start="at('open')"),
        }
        return [CaseType("deadlines.case", "1", "T", "open", {"open": State(category="open")}, data={"by": field(date)}, clocks=clocks)]

    @hookimpl
    def casekit_roles(self) -> dict[str, list[str]]:
        return {"clerk": ["case.*", "journal.*", "desk.due", "clock.*"]}

    def due(self, zone: str, at: int, by: int) -> dict[str, int]:
        """When each clock is due, by the oracle."""
        return {
            "days": later(zone, at, 0, self.days),
            "months": later(zone, at, self.months, self.more) + 5 * 3600,
            "exact": at + self.hours * 3600,
            "fixed": instant_of(zone, (by + 1) * DAY),
            "open": open_later(at, OFFICES[self.office], self.quarters),
        }


def canonical(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def starts(dice: random.Random) -> int:
    """A moment, on a quarter of an hour: often one at which clocks change or a year or a leap February ends."""
    year = dice.choice([2024, 2025, 2026, 2027])
    day = days_of(year, *dice.choice([(3, 1), (2, 28), (12, 24), (12, 31), (4, 25)])) + dice.randint(-1, 1)
    if dice.random() < 0.6:
        zone = dice.choice(ZONES)
        hours = range(days_of(year, 1, 1) * DAY, days_of(year + 1, 1, 1) * DAY, 6 * 3600)
        changes = [at for at in hours if offset(zone, at) != offset(zone, at + 6 * 3600)]
        if changes:
            return dice.choice(changes) - dice.choice([0, 14, 90, 154]) * DAY + dice.randrange(48) * QUARTER
    return day * DAY + dice.randrange(96) * QUARTER


def fired(lee: Seat, case: str) -> list[tuple[str, str]]:
    """Which clocks have spoken, each with the instant that it spoke for."""
    spoke = [(event, entry["effective"]) for entry in lee.journal(case) for event in json.loads(entry["body"])["about"].get("events", ())]
    return [(event.split(".")[1], at) for event, at in spoke if event.startswith("clock.") and event.endswith(".breached")]


def test_deadlines_are_what_an_oracle_says_and_speak_once(
    tmp_path: Path, times: Callable[..., int], dice: random.Random, figure: Callable[[str], None]
) -> None:
    rounds = times(2_000, full=50_000) // (len(ZONES) * 5)
    came: Counter[str] = Counter()
    wrong: list[str] = []
    for n in range(rounds):
        office, clock, start = Office(dice), TestClock(), starts(dice)
        clock.now = datetime.fromtimestamp(start, UTC)
        desk = open_desk(store=f"sqlite:///{tmp_path}/{n}.db", plugins=[office], installed=False, clock=clock)
        lee = desk.seat("user:lee", roles={"clerk"})
        cases: dict[str, dict[str, str]] = {}
        for zone in ZONES:
            by = start // DAY + dice.randint(2, 400)
            case = lee.open("deadlines.case", data={"by": text_of(by)}, zone=zone).id
            cases[case] = {name: canonical(at) for name, at in office.due(zone, start, by).items()}
            for running in lee.file(case).clocks:
                came["deadlines"] += 1
                if running.due != cases[case][running.id]:
                    wrong.append(
                        f"{running.id} of {zone} from {canonical(start)}: {running.due}, not {cases[case][running.id]} ({vars(office)})"
                    )
        wrong += sweeps(lee, clock, cases, dice, came)
        desk.close()
    figure(
        f"P18 deadlines: {came['deadlines']} in {len(ZONES)} zones, {came['sweeps']} sweeps with {came['back']} jumps back and {came['ahead']} ahead; "
        f"{len(wrong)} wrong, early, missed or twice"
    )
    assert wrong == [], wrong[:5]
    assert came["deadlines"] == rounds * len(ZONES) * 5


def sweeps(lee: Seat, clock: TestClock, cases: dict[str, dict[str, str]], dice: random.Random, came: Counter[str]) -> list[str]:
    """Lets time pass; gives what spoke wrongly."""
    wrong: list[str] = []
    dues = sorted({at for due in cases.values() for at in due.values()})
    for due in sorted(dice.sample(dues, min(3, len(dues)))):
        for shift in (-1, 0):
            clock.now = max(clock.now, datetime.fromisoformat(due) + timedelta(microseconds=shift))
            wrong += swept(lee, clock.now, cases, came)
        clock.forward(hours=-1)
        came["back"] += 1
        wrong += swept(lee, clock.now + timedelta(hours=1), cases, came)
        clock.forward(hours=1)
    clock.forward(days=366)
    came["ahead"] += 1
    wrong += swept(lee, clock.now, cases, came)
    clock.now = datetime.fromisoformat(dues[-1])
    return wrong + swept(lee, clock.now, cases, came, latest=True)


def swept(lee: Seat, upto: datetime, cases: dict[str, dict[str, str]], came: Counter[str], *, latest: bool = False) -> list[str]:
    """Sweeps, and compares what has spoken with what was due by then."""
    lee.run_due()
    came["sweeps"] += 1
    wrong = []
    for case, due in cases.items():
        now = upto.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        wanted = sorted((name, at) for name, at in due.items() if latest or at <= now)
        if sorted(fired(lee, case)) != wanted:
            wrong.append(f"by {now}: {sorted(fired(lee, case))}, not {wanted}")
    return wrong


def test_the_second_of_two_hours_does_not_lead_back_into_a_skipped_one() -> None:
    """02:30 in Berlin on 25 October, the second one, and 154 days: 02:30 on 28 March is skipped, and moves forward."""
    for start in ("2026-10-25T00:30:00.000000Z", "2026-10-25T01:30:00.000000Z"):
        at = int(datetime.fromisoformat(start).timestamp())
        assert (
            add(start, duration("P154D"), "Europe/Berlin") == canonical(later("Europe/Berlin", at, 0, 154)) == "2027-03-28T01:30:00.000000Z"
        )


def test_the_oracle_knows_its_calendar() -> None:
    days = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(-200_000, 200_000, 97)]
    for at in days:
        number = (at - datetime(1970, 1, 1, tzinfo=UTC)).days
        assert date_of(number) == (at.year, at.month, at.day)
        assert days_of(at.year, at.month, at.day) == number
    # Berlin, 2026: 02:30 is skipped on 29 March, and comes twice on 25 October.
    assert canonical(instant_of("Europe/Berlin", days_of(2026, 3, 29) * DAY + 9000)) == "2026-03-29T01:30:00.000000Z"
    assert [canonical(at) for at in instants("Europe/Berlin", days_of(2026, 10, 25) * DAY + 9000)] == [
        "2026-10-25T00:30:00.000000Z",
        "2026-10-25T01:30:00.000000Z",
    ]
