"""Contact rules, against the examples of the regulation's own commentary (their weekdays are those of 2020)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import casekit_debt_collection
from casekit.sdk import BadInput, Message, Money, Person, View, at_wall_time, instant, local, moment
from casekit.testing import a_message, a_person, a_view, only
from casekit_debt_collection import guards
from casekit_debt_collection.casetype import DEBT_CASE
from casekit_debt_collection.contact import Contact, allowed_at, calculate, objections, verdict

EASTERN, MOUNTAIN, PACIFIC = "America/New_York", "America/Denver", "America/Los_Angeles"
MARIA = a_person("debtor", zone=EASTERN)
SHOP = a_person("creditor", kind="organisation")


def at(text: str, zone: str = EASTERN) -> str:
    """``2020-04-01 10:00``, as people there say it."""
    return instant(at_wall_time(datetime.fromisoformat(text), zone))


def rules(contact: Contact) -> list[str]:
    return [o.rule for o in objections(contact)]


def call(
    when: str, *, placed: tuple[str, ...] = (), spoken: tuple[str, ...] = (), zones: tuple[str, ...] = (EASTERN,), connects: bool = True
) -> Contact:
    return Contact(at(when), zones, placed=[at(p) for p in placed], spoken=[at(s) for s in spoken], connects=connects)


def days(month: int, first: int, last: int, clock: str = "10:00") -> tuple[str, ...]:
    return tuple(f"2020-{month:02}-{day:02} {clock}" for day in range(first, last + 1))


# Seven within seven days


def test_comment_1_i_seven_calls_in_seven_days_and_one_on_the_eighth() -> None:
    assert rules(call("2020-04-07 10:00", placed=days(4, 1, 6))) == []
    assert rules(call("2020-04-08 10:00", placed=days(4, 1, 7))) == []


def test_comment_ii_1_i_the_eighth_call_in_seven_days_is_presumed_a_violation() -> None:
    placed = ("2020-04-01 10:00", *(f"2020-04-{day} {clock}" for day in ("02", "03", "06") for clock in ("10:00", "15:00")))
    said = verdict(call("2020-04-07 10:00", placed=placed))
    assert (said.outcome, said.rule, said.citation) == ("presumed_violation", "debt.call-frequency", "12 CFR 1006.14(b)(2)(i)(A)")
    assert said.allowed_at == instant(moment(at("2020-04-08 08:00")) + timedelta(microseconds=1))
    assert said.objections[0].args == {"count": 7, "days": 7}


def test_seven_calls_on_one_day_rest_until_the_eighth_day() -> None:
    placed = tuple(f"2020-04-03 {hour:02}:00" for hour in range(9, 16))
    for day in range(3, 10):
        assert rules(call(f"2020-04-{day:02} 20:00", placed=placed)) == ["debt.call-frequency"], day
    assert rules(call("2020-04-10 08:01", placed=placed)) == []


def test_the_window_slides_and_is_no_calendar_week() -> None:
    placed = (*days(4, 1, 1), *days(4, 6, 6), *(f"2020-04-07 {h:02}:00" for h in range(9, 14)))
    assert rules(call("2020-04-07 20:00", placed=placed)) == ["debt.call-frequency"]
    assert rules(call("2020-04-08 10:00", placed=placed)) == [], "the call of the first day has left"


def test_days_are_days_and_not_spans_of_hours() -> None:
    placed = tuple(f"2020-04-01 20:5{minute}" for minute in range(7))
    assert rules(call("2020-04-07 20:00", placed=placed)) == ["debt.call-frequency"], "the seventh day"
    assert rules(call("2020-04-08 08:01", placed=placed)) == [], "after six and a half times 24 hours, the eighth day"


def test_a_call_entered_late_counts_with_those_after_it() -> None:
    assert rules(call("2020-04-03 10:00", placed=days(4, 4, 9))) == []
    assert rules(call("2020-04-03 10:00", placed=(*days(4, 4, 9), "2020-04-09 11:00"))) == ["debt.call-frequency"]
    assert rules(call("2020-04-03 10:00", placed=days(4, 4, 10))) == []


# Seven days after a conversation


def test_comment_1_ii_the_day_of_a_conversation_is_the_first() -> None:
    spoken = ("2020-08-13 14:00",)
    assert rules(call("2020-08-13 13:00", spoken=spoken)) == [], "before it"
    for day in range(13, 20):
        assert rules(call(f"2020-08-{day} 15:00", spoken=spoken)) == ["debt.call-after-conversation"], day
    assert rules(call("2020-08-20 08:01", spoken=spoken)) == []


def test_comment_ii_1_ii_conversation_on_friday_no_call_before_friday() -> None:
    placed, spoken = ("2020-08-11 10:00", "2020-08-14 10:00"), ("2020-08-14 10:00",)
    said = verdict(call("2020-08-17 10:00", placed=placed, spoken=spoken))
    assert (said.outcome, said.citation) == ("presumed_violation", "12 CFR 1006.14(b)(2)(i)(B)")
    assert said.objections[0].args == {"day": date(2020, 8, 14), "until": date(2020, 8, 21)}
    assert said.allowed_at is not None
    assert local(said.allowed_at, EASTERN).date() == date(2020, 8, 21)


def test_the_last_conversation_counts() -> None:
    assert rules(call("2020-08-15 10:00", spoken=("2020-08-01 10:00",))) == []
    assert rules(call("2020-08-15 10:00", spoken=("2020-08-01 10:00", "2020-08-10 10:00"))) == ["debt.call-after-conversation"]


def test_a_call_that_does_not_connect_is_no_call() -> None:
    assert rules(call("2020-08-15 10:00", placed=days(8, 9, 15, "09:00"), spoken=("2020-08-14 10:00",), connects=False)) == []


def test_only_calls_are_counted() -> None:
    for via in ("sms", "email", "visit", "letter", "portal"):
        assert (
            rules(Contact(at("2020-04-07 10:00"), (EASTERN,), via, [at(d) for d in days(4, 1, 7, "09:00")], [at("2020-04-06 10:00")])) == []
        )


# Hours


@pytest.mark.parametrize(
    ("clock", "open_"),
    [
        ("07:59:59.999999", False),
        ("08:00:00", False),
        ("08:00:00.000001", True),
        ("12:00:00", True),
        ("20:59:59.999999", True),
        ("21:00:00", False),
        ("23:30:00", False),
        ("00:00:00", False),
    ],
)
def test_both_ends_of_the_day_are_closed(clock: str, open_: bool) -> None:
    assert rules(call(f"2026-11-24 {clock}")) == ([] if open_ else ["debt.calling-hours"])


@pytest.mark.parametrize(("other", "opens"), [(PACIFIC, "11:00"), (MOUNTAIN, "10:00")])
def test_comment_2_conflicting_places_must_all_be_open(other: str, opens: str) -> None:
    zones = (EASTERN, other)
    assert rules(call(f"2026-11-24 {opens}:00", zones=zones)) == ["debt.calling-hours"]
    assert rules(call(f"2026-11-24 {opens}:01", zones=zones)) == []
    assert rules(call("2026-11-24 20:59:59", zones=zones)) == []
    assert rules(call("2026-11-24 21:00:00", zones=zones)) == ["debt.calling-hours"]


def test_an_unknown_place_is_said_and_waiting_does_not_help() -> None:
    (said,) = objections(Contact(at("2026-11-24 12:00")))
    assert (said.rule, said.allowed_at, said.citation[:22]) == ("debt.zone-unknown", None, "12 CFR 1006.6(b)(1)(i)")
    assert "zone" in said.remedy


def test_a_letter_needs_no_hour() -> None:
    assert rules(Contact(at("2026-11-24 23:00"), (), "letter")) == []


def test_places_that_are_never_open_together_have_no_moment() -> None:
    everywhere = ("America/Los_Angeles", "Europe/Rome", "Asia/Tokyo")
    (said,) = objections(Contact(at("2026-11-24 12:00"), everywhere))
    assert (said.rule, said.allowed_at) == ("debt.calling-hours", None)


@pytest.mark.parametrize(
    ("asked", "zone", "expected"),
    [
        ("2026-03-07 22:00", EASTERN, "2026-03-08T12:00:00.000001Z"),  # the night of the change to summer time: EDT opens at 12:00 UTC
        ("2026-03-06 22:00", EASTERN, "2026-03-07T13:00:00.000001Z"),
        ("2026-10-31 22:00", EASTERN, "2026-11-01T13:00:00.000001Z"),  # the night of the change back: EST opens at 13:00 UTC
        ("2026-10-30 22:00", EASTERN, "2026-10-31T12:00:00.000001Z"),
        ("2026-11-24 05:00", EASTERN, "2026-11-24T13:00:00.000001Z"),
        ("2026-03-07 22:00", "America/Phoenix", "2026-03-08T15:00:00.000001Z"),  # no summer time there
        ("2026-11-24 22:00", "Pacific/Honolulu", "2026-11-25T18:00:00.000001Z"),
    ],
)
def test_the_next_morning_there(asked: str, zone: str, expected: str) -> None:
    assert allowed_at(Contact(at(asked, zone), (zone,))) == expected


def test_hours_and_frequency_together_give_one_moment() -> None:
    contact = call("2026-10-28 22:30", placed=tuple(f"2026-10-2{d} 1{d}:00" for d in range(2, 8)), spoken=("2026-10-26 10:00",))
    found = objections(contact)
    assert [o.rule for o in found] == ["debt.calling-hours", "debt.call-after-conversation"]
    # 26 October is the first day, 1 November the seventh; on 2 November winter time holds.
    assert {o.allowed_at for o in found} == {"2026-11-02T13:00:00.000001Z"}
    assert verdict(contact).outcome == "prohibited"


def test_two_calls_in_rapid_succession_weigh_though_they_break_no_figure() -> None:
    said = verdict(call("2020-04-07 10:04", placed=("2020-04-07 10:00",)))
    assert (said.outcome, [f.rule for f in said.factors]) == ("presumed_compliant", ["debt.rapid-calls"])
    assert not verdict(call("2020-04-07 10:06", placed=("2020-04-07 10:00",))).factors


# Properties: over many zones and years, the answer is the first moment and not another one.

ZONES = st.sampled_from(
    [
        EASTERN,
        MOUNTAIN,
        PACIFIC,
        "America/Phoenix",
        "America/Anchorage",
        "Pacific/Honolulu",
        "America/Puerto_Rico",
        "Pacific/Guam",
        "Europe/Rome",
    ]
)
MOMENTS = st.integers(0, 9 * 365 * 86_400_000).map(lambda ms: instant(datetime(2021, 12, 1, tzinfo=UTC) + timedelta(milliseconds=ms)))
BACK = st.lists(st.timedeltas(timedelta(0), timedelta(days=9)), max_size=12)


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    now = draw(MOMENTS)
    zones = tuple(draw(st.lists(ZONES, min_size=1, max_size=2, unique=True)))
    placed, spoken = ([instant(moment(now) - gap) for gap in draw(BACK)] for _ in range(2))
    return Contact(now, zones, placed=placed, spoken=spoken[:1] if draw(st.booleans()) else ())


@given(contacts())
@settings(max_examples=300, deadline=None)
def test_from_then_on_and_not_a_microsecond_before(contact: Contact) -> None:
    upto = allowed_at(contact)
    if upto is None:
        assert len(contact.zones) == 2, "one zone opens every day"
        return
    assert upto >= contact.at
    assert rules(evolve_at(contact, upto)) == []
    if upto > contact.at:
        assert rules(evolve_at(contact, instant(moment(upto) - timedelta(microseconds=1)))) != []


@given(contacts(), st.integers(0, 9 * 24 * 4))
@settings(max_examples=200, deadline=None)
def test_nothing_is_allowed_in_between(contact: Contact, quarters: int) -> None:
    upto = allowed_at(contact)
    probe = instant(moment(contact.at) + timedelta(minutes=15 * quarters))
    if upto is not None and probe < upto:
        assert rules(evolve_at(contact, probe)) != []


@given(contacts(), BACK)
@settings(max_examples=200, deadline=None)
def test_more_calls_never_allow_more(contact: Contact, more: list[timedelta]) -> None:
    added = Contact(
        contact.at, contact.zones, placed=[*contact.placed, *(instant(moment(contact.at) - gap) for gap in more)], spoken=contact.spoken
    )
    assert set(rules(contact)) <= set(rules(added))
    before, after = allowed_at(contact), allowed_at(added)
    assert before is None or after is None or before <= after


@given(contacts())
@settings(max_examples=200, deadline=None)
def test_the_count_is_that_of_a_plain_calendar(contact: Contact) -> None:
    """The rule read naively: look at each seven days that the call would belong to, and count."""
    broken = False
    for zone in contact.zones:
        today = local(contact.at, zone).date()
        calls = [local(p, zone).date() for p in contact.placed] + [today]
        broken |= any(
            sum(0 <= (day - first).days < 7 for day in calls) > 7 for first in (today - timedelta(days=back) for back in range(7))
        )
    assert ("debt.call-frequency" in rules(contact)) == broken


def evolve_at(contact: Contact, when: str) -> Contact:
    return Contact(when, contact.zones, contact.via, contact.placed, contact.spoken, contact.connects)


# The calculator


def test_the_calculator_needs_no_case() -> None:
    there = ZoneInfo(EASTERN)
    calls = [datetime(2020, 4, day, 10, tzinfo=there) for day in range(1, 8)]
    said = calculate(datetime(2020, 4, 7, 12, tzinfo=there), [EASTERN], calls=calls)
    assert (said.outcome, said.rule) == ("presumed_violation", "debt.call-frequency")
    assert calculate(datetime(2020, 4, 8, 12, tzinfo=there), [EASTERN], calls=calls).outcome == "presumed_compliant"


def test_the_calculator_refuses_a_zone_that_does_not_exist() -> None:
    with pytest.raises(BadInput, match="America/Nowhere"):
        calculate(datetime(2026, 11, 24, 12, tzinfo=UTC), ["America/Nowhere"])


# The guard on a case


def case(messages: list[Message], *, people: tuple[Person, ...] = (MARIA, SHOP), now: str = "2020-04-07 10:00", **more: object) -> View:
    return a_view(DEBT_CASE, data={"principal": Money("1840.00", "USD")}, parties=people, messages=messages, now=at(now), **more)  # type: ignore[arg-type]


def against(view: View, message: Message) -> list[str]:
    return [o.rule for o in casekit_debt_collection.casekit_before_message(only(view, guards.BEFORE_MESSAGE), message)]


def planned(when: str = "2020-04-07 10:00", to: Person = MARIA, via: str = "phone") -> Message:
    return a_message(at(when), to=to, via=via, outcome="planned")


def six(outcome: str = "no-answer", to: Person = MARIA) -> list[Message]:
    return [a_message(at(day), to=to, outcome=outcome) for day in days(4, 1, 6)]


@pytest.mark.parametrize("outcome", ["no-answer", "voicemail", "voicemail-full", "dropped", "ringless-voicemail"])
def test_what_connects_counts(outcome: str) -> None:
    seventh = a_message(at("2020-04-06 11:00"), to=MARIA, outcome=outcome)
    assert against(case([*six(), seventh]), planned()) == ["debt.call-frequency"]


@pytest.mark.parametrize("outcome", ["busy", "not-in-service"])
def test_what_does_not_connect_does_not_count(outcome: str) -> None:
    seventh = a_message(at("2020-04-06 11:00"), to=MARIA, outcome=outcome)
    assert against(case([*six(), seventh]), planned()) == []
    assert against(case([*six(), *six()]), a_message(at("2020-04-07 10:00"), to=MARIA, outcome=outcome)) == []


def test_texts_do_not_count() -> None:
    assert against(case([*six(), a_message(at("2020-04-06 11:00"), to=MARIA, via="sms", outcome="sent")]), planned()) == []


def test_a_conversation_that_the_debtor_began_counts() -> None:
    talk = a_message(at("2020-04-06 11:00"), to=MARIA, direction="in", outcome="conversation")
    assert against(case([talk]), planned()) == ["debt.call-after-conversation"]


def test_calls_of_the_debtor_are_not_placed_by_the_collector() -> None:
    missed = a_message(at("2020-04-06 11:00"), to=MARIA, direction="in", outcome="voicemail")
    assert against(case([*six(), missed]), planned()) == []


def test_each_debtor_has_calls_of_their_own() -> None:
    joao = a_person("debtor", id="00000000-0000-0000-0000-0000000000aa", zone=EASTERN)
    view = case([*six(), *six(to=joao)], people=(MARIA, joao, SHOP))
    assert against(view, planned()) == []
    assert against(view, planned(to=joao)) == []
    unsaid = Message("", "out", "phone", "planned", at("2020-04-07 10:00"), "debtor", None)
    assert against(view, unsaid) == ["debt.call-frequency"], "where nobody says whom, it may be either"


def test_the_creditor_may_be_called_at_any_time() -> None:
    assert against(case(six(to=SHOP) * 2), planned("2020-04-07 23:00", to=SHOP)) == []
    assert against(case(six(to=SHOP) * 2), planned()) == [], "and calls to the creditor are none to the debtor"


def test_what_comes_in_is_not_guarded() -> None:
    assert against(case(six()), a_message(at("2020-04-07 23:00"), to=MARIA, direction="in", outcome="conversation")) == []


def test_hours_are_those_of_the_debtor_and_not_of_the_case() -> None:
    away = a_person("debtor", zone=PACIFIC)
    assert against(case([], people=(away, SHOP)), planned("2020-04-07 10:59", to=away)) == ["debt.calling-hours"]
    assert against(case([], people=(away, SHOP)), planned("2020-04-07 23:59", to=away)) == []


def test_a_further_zone_must_be_open_too() -> None:
    view = case([], facts={"contact.zone": PACIFIC})
    assert against(view, planned("2020-04-07 10:59")) == ["debt.calling-hours"]
    assert against(view, planned("2020-04-07 11:01")) == []


@pytest.mark.parametrize("zone", [None, "America/Nowhere"])
def test_a_zone_that_is_not_known_or_none_is_said(zone: str | None) -> None:
    lost = a_person("debtor", zone=zone)
    assert against(case([], people=(lost, SHOP)), planned(to=lost)) == ["debt.zone-unknown"]
    assert against(case([], people=(lost, SHOP)), planned(to=lost, via="letter")) == []


@pytest.mark.parametrize(("state", "rule"), [("disputed", "debt.disputed"), ("ceased", "debt.ceased")])
def test_a_halt_stops_every_channel(state: str, rule: str) -> None:
    for via in ("phone", "email", "letter"):
        assert against(case([], state=state), planned(via=via)) == [rule]


def test_a_call_that_lies_far_back_is_not_judged_by_half_of_what_was_around_it() -> None:
    far = planned("2020-03-30 10:00")
    assert against(case(six()), far) == ["debt.recorded-late"]
    assert against(case(six()), planned("2020-04-01 11:00")) == []


@given(
    st.lists(st.tuples(st.integers(0, 14 * 24 * 60), st.sampled_from(["no-answer", "busy", "conversation"])), max_size=20),
    st.integers(0, 7 * 24 * 60),
)
@settings(max_examples=100, deadline=None)
def test_the_window_of_the_guard_holds_all_that_the_rule_reaches(earlier: list[tuple[int, str]], late: int) -> None:
    now = moment(at("2026-11-03 20:00"))  # winter time has begun two days before
    calls = [a_message(now - timedelta(minutes=back), to=MARIA, outcome=outcome) for back, outcome in earlier]
    view = case(calls, now="2026-11-03 20:00")
    message = a_message(now - timedelta(minutes=late), to=MARIA, outcome="planned")
    assert against(view, message) == [o.rule for o in guards.before_message(view, message)]
