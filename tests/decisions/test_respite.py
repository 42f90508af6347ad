"""The Debt Respite Scheme (SI 2020/1311) as clocks of a case: DC-33 and its neighbours, walked day by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from casekit.builtin.counting import counting_rules
from casekit.decisions.calendar import Working
from casekit.definition.calendars import Calendar, week
from casekit.definition.casetype import Action, Anchor, CaseType, Clock, State, Transition
from casekit.definition.fields import field
from casekit.model.time import instant

LONDON = "Europe/London"
EVERY_DAY = Working(Calendar("every-day", "1", hours=week(days="mon-sun"), zone=LONDON))
PROTECTED = "(running('moratorium') and today > registered) or running('crisis') or treated"


def respite(rule: str, field_: str = "registered", **more: Any) -> Clock:
    return Clock(
        start=f"known({field_})", kind="counted", count=f"uk.drs.{rule}", calendar="every-day", anchor=Anchor(field=field_), **more
    )


DEBT = CaseType(
    key="uk.debt",
    version="1",
    title="Debt",
    zone=LONDON,
    initial="open",
    states={"open": State("Open", "open"), "over": State("Over", "closed")},
    transitions={
        "register": Transition("open", None, form={"on": field(date)}, do=(Action(set={"registered": "event.on"}),)),
        "treat": Transition("open", None, do=(Action(set={"treated": "True"}),)),
        "stop": Transition("open", None, form={"on": field(date)}, do=(Action(set={"stopped": "event.on", "treated": "False"}),)),
        "collect": Transition("open", None, when=f"not ({PROTECTED})"),
        "ask": Transition("open", None, when="running('creditor-request')"),
        "review": Transition("open", None, when="not running('midway-closed')", do=(Action(set={"reviewed": "True"}),)),
        "ended": Transition("open", None, on="moratorium-over", do=(Action(set={"ended": "True"}),)),
        "close": Transition("open", "over"),
    },
    data={
        "registered": field(date),
        "stopped": field(date),
        "agreed": field(date),
        "treated": field(bool),
        "reviewed": field(bool),
        "ended": field(bool),
    },
    clocks={
        "moratorium": respite("last-day", emit="moratorium-over"),
        "crisis": respite("crisis-last-day", "stopped", emit="crisis-over"),
        "creditor-request": respite("creditor-request", emit="too-late-to-ask"),
        "midway-closed": respite("midway-closed", emit="review-open"),
        "midway-review": respite("midway-review", stop="reviewed"),
        "answer": Clock(
            "P30D",
            start="known(agreed)",
            pause=PROTECTED,
            kind="counted",
            count="de.bgb-187-1",
            calendar="every-day",
            anchor=Anchor(field="agreed"),
            order=9,
        ),
    },
)
RULES = {rule.key: rule for rule in counting_rules()}


def noon(day: str) -> str:
    return instant(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(LONDON)))


def started(play: Any, registered: str, **data: Any) -> Any:
    case = play(DEBT, calendars={"every-day": EVERY_DAY}, counts=RULES, zone=LONDON, treated=False, **data)
    return case.open(noon(registered)).do("register", on=registered)


def allowed(case: Any, event: str, first: str, days: int) -> list[str]:
    """The days, from a first on, on which an event finds a way at noon."""
    found = []
    for n in range(days):
        day = (date.fromisoformat(first) + timedelta(days=n)).isoformat()
        case.tick(noon(day))
        if case.run(case.now).enabled(event, {}):
            found.append(day)
    return found


@pytest.mark.parametrize(
    ("registered", "start", "ask_to", "review_from", "review_to", "last", "collect"),
    [
        pytest.param("2026-03-02", "2026-03-03", "2026-03-22", "2026-03-28", "2026-04-06", "2026-05-01", "2026-05-02", id="DC-33"),
        pytest.param("2026-12-31", "2027-01-01", "2027-01-20", "2027-01-26", "2027-02-04", "2027-03-01", "2027-03-02", id="over a year"),
        pytest.param("2028-02-28", "2028-02-29", "2028-03-19", "2028-03-25", "2028-04-03", "2028-04-28", "2028-04-29", id="leap day"),
    ],
)
def test_a_breathing_space_day_by_day(
    play: Any, registered: str, start: str, ask_to: str, review_from: str, review_to: str, last: str, collect: str
) -> None:
    case = started(play, registered)
    free = allowed(case, "collect", registered, 70)
    assert free[:2] == [registered, collect]
    assert (date.fromisoformat(free[1]) - date.fromisoformat(start)).days == 60
    case = started(play, registered)
    assert allowed(case, "ask", registered, 70)[-1] == ask_to
    case = started(play, registered)
    assert allowed(case, "review", registered, 70)[0] == review_from
    case = started(play, registered).tick(noon(review_to))
    assert case.machine["clocks"]["midway-review"]["1"]["status"] == "running"
    case.tick(noon(last))
    assert case.machine["clocks"]["midway-review"]["1"]["status"] == "breached"
    assert case.world.data.get("ended") is None
    assert case.tick(noon(collect)).world.data["ended"] is True


def test_a_review_in_time_meets_its_deadline(play: Any) -> None:
    case = started(play, "2026-03-02").do("review", noon("2026-04-06"))
    assert case.machine["memory"]["ended"]["midway-review"] == ["met"]


def test_after_crisis_treatment_thirty_days_begin_with_the_day_on_which_it_stops(play: Any) -> None:
    # SI 2020/1311 reg 32(2)(a): treatment stops on 10 March, the last protected day is 8 April.
    case = started(play, "2025-12-01").do("treat", noon("2026-01-20"))
    assert allowed(case, "collect", "2026-01-21", 48) == []  # no end is known before it stops
    case.do("stop", noon("2026-03-10"), on="2026-03-10")
    assert allowed(case, "collect", "2026-03-10", 40)[0] == "2026-04-09"


def test_another_period_rests_for_the_days_of_the_breathing_space(play: Any) -> None:
    # Thirty days from 20 February: ten have run when the moratorium starts on 3 March, twenty are left from 2 May on.
    case = play(DEBT, calendars={"every-day": EVERY_DAY}, counts=RULES, zone=LONDON, treated=False, agreed="2026-02-20")
    case.open(noon("2026-02-20")).do("register", noon("2026-03-02"), on="2026-03-02").tick(
        instant(datetime(2026, 3, 3, tzinfo=ZoneInfo(LONDON)))
    )
    assert case.machine["clocks"]["answer"]["1"]["status"] == "paused"
    case.tick(noon("2026-05-02"))
    assert case.machine["clocks"]["answer"]["1"]["day"] == "2026-05-21"
