"""The plugin at work: real cases on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import casekit_debt_collection
from casekit import BadInput, Desk, Refused, Seat
from casekit.sdk import Money, local, moment
from casekit.testing import StandingClock, a_desk

EASTERN = "America/New_York"


def usd(amount: str) -> Money:
    return Money(amount, "USD")


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(datetime(2026, 11, 24, 15, tzinfo=UTC))


@pytest.fixture
def desk(tmp_path: Path, clock: StandingClock) -> Iterator[Desk]:
    with a_desk(tmp_path, casekit_debt_collection, clock=clock) as opened:
        assert not opened.catalogue.broken
        yield opened


@pytest.fixture
def lee(desk: Desk) -> Seat:
    return desk.seat("user:lee", roles={"collector"})


@pytest.fixture
def boss(desk: Desk) -> Seat:
    return desk.seat("user:mo", roles={"supervisor"})


@pytest.fixture
def case(lee: Seat) -> str:
    maria = lee.party("person", name="Maria Silva", phone="+1 212 555 0142", zone=EASTERN)
    shop = lee.party("organisation", name="Corner Shop", ref="crm:2207")
    return lee.open("debt.case", key="crm-4711", data={"principal": usd("1840.00")}, parties={"debtor": maria, "creditor": shop}).id


def refused(call: object, *args: object, **more: object) -> list[str]:
    with pytest.raises(Refused) as refusal:
        call(*args, **more)  # type: ignore[operator]
    return [o.rule for o in refusal.value.objections]


def test_a_new_case_owes_its_principal(lee: Seat, case: str) -> None:
    opened = lee.case(case)
    assert (opened.state, opened.category, opened.number) == ("intake", "open", "D-2026-00001")
    assert opened.totals == {"levied": usd("1840.00"), "paid": usd("0.00"), "balance": usd("1840.00")}


def test_nothing_is_no_debt(lee: Seat) -> None:
    maria, shop = lee.party("person", name="M"), lee.party("organisation", name="S")
    assert refused(lee.open, "debt.case", data={"principal": usd("0.00")}, parties={"debtor": maria, "creditor": shop}) == [
        "debt.nothing-owed"
    ]


def test_from_means_to_a_choice(lee: Seat, case: str) -> None:
    assert refused(lee.do, case, "assess") == ["debt.means-known"]
    for fact, value in (("income.monthly", "2100.00"), ("expense.housing", "1100.00"), ("expense.living", "700.00")):
        lee.note_fact(case, fact, usd(value), source="payslip", effective=date(2026, 10, 31))
    found = {f.rule: f for f in lee.assess(case)}
    assert found["debt.disposable-income"].because == (
        "fact:income.monthly = 2100.00 USD",
        "fact:expense.housing = 1100.00 USD",
        "fact:expense.living = 700.00 USD",
    )
    assert lee.do(case, "assess").case.state == "assessed"
    options = lee.options(case)
    assert list(options.items) == ["instalments-6", "instalments-7", "instalments-12"]
    chosen = lee.choose(case, options["instalments-7"], reason="keeps her rent safe").case
    assert (chosen.state, chosen.category) == ("arrangement.keeping", "waiting-party")
    promises = [c for c in lee.file(case).clocks if c.id == "promise"]
    assert len(promises) == 7
    [confirm] = [listed.task for listed in lee.tasks().tasks]
    assert (confirm.title, confirm.due) == ("Confirm the arrangement in writing", chosen.due)
    assert lee.item(case, "complete", "confirm").due == "2026-12-25T05:00:00.000000Z", "the end of the first day in New York"


def test_a_broken_promise_is_found_and_a_payment_in_time_takes_it_back(lee: Seat, boss: Seat, clock: StandingClock, case: str) -> None:
    lee.choose(case, "instalments-12")
    lee.item(case, "complete", "confirm")
    clock.go_to(datetime(2026, 12, 25, 4, 59, 59, tzinfo=UTC))
    assert boss.run_due().cases == 0, "the day is not over in New York"
    clock.go_to(datetime(2026, 12, 25, 5, tzinfo=UTC))
    assert boss.run_due().cases == 1
    assert boss.run_due().entries == 0, "and only once"
    assert (lee.case(case).state, lee.case(case).category) == ("arrangement.behind", "open")
    clock.go_on(days=3)
    late = lee.pay(case, usd("153.33"), effective=date(2026, 12, 24)).case
    assert late.state == "arrangement.keeping"
    events = [e for h in lee.timeline(case) for e in h.events]
    assert events.count("clock.promise.breached") == 1
    assert events.count("clock.promise.withdrawn") == 1
    assert lee.case(case, as_of=date(2026, 12, 26)).state == "arrangement.behind", "what was known then stays"
    assert boss.verify().ok


@pytest.mark.parametrize(("amount", "when"), [("153.33", date(2026, 12, 25)), ("153.32", date(2026, 12, 24))])
def test_too_late_or_too_little_takes_nothing_back(lee: Seat, boss: Seat, clock: StandingClock, case: str, amount: str, when: date) -> None:
    lee.choose(case, "instalments-12")
    clock.go_to(datetime(2026, 12, 28, tzinfo=UTC))
    boss.run_due()
    assert lee.pay(case, usd(amount), effective=when).case.state == "arrangement.behind"
    assert refused(boss.do, case, "assess") == ["casekit.state"]
    assert lee.do(case, "reinstate", reason="she called").case.state == "arrangement.keeping"


def test_one_of_two_broken_promises_mended_is_not_enough(lee: Seat, boss: Seat, clock: StandingClock, case: str) -> None:
    lee.choose(case, "instalments-12")
    clock.go_to(datetime(2027, 1, 26, tzinfo=UTC))
    boss.run_due()
    assert lee.pay(case, usd("153.33"), effective=date(2026, 12, 24)).case.state == "arrangement.behind"
    assert lee.pay(case, usd("153.33"), effective=date(2027, 1, 24)).case.state == "arrangement.keeping"


def test_a_call_too_late_in_the_day_is_refused_and_the_next_moment_named(lee: Seat, clock: StandingClock, case: str) -> None:
    clock.go_to(datetime(2026, 11, 25, 3, 30, tzinfo=UTC))  # 22:30 there
    said = lee.check(case, "contact", to="debtor", via="phone")
    assert (said.outcome, [o.rule for o in said.objections]) == ("refused", ["debt.calling-hours"])
    assert said.allowed_at == "2026-11-25T13:00:00.000001Z"
    assert refused(lee.message, case, direction="out", via="phone", outcome="no-answer", to="debtor") == ["debt.calling-hours"]
    assert not lee.file(case).messages
    clock.go_to(moment(said.allowed_at))
    assert lee.check(case, "contact", to="debtor", via="phone").outcome == "allowed"


def test_the_eighth_call_and_the_call_after_a_talk(lee: Seat, clock: StandingClock, case: str) -> None:
    for _ in range(7):
        lee.message(case, direction="out", via="phone", outcome="no-answer", to="debtor")
        clock.go_on(minutes=30)
    said = lee.check(case, "contact", to="debtor", via="phone")
    assert [o.rule for o in said.objections] == ["debt.call-frequency"]
    assert said.allowed_at is not None
    assert local(said.allowed_at, EASTERN).date() == date(2026, 12, 1)
    assert lee.check(case, "contact", to="debtor", via="email").outcome == "allowed"
    lee.message(case, direction="in", via="phone", outcome="conversation", to="debtor", text="asks for time")
    said = lee.check(case, "contact", to="debtor", via="phone")
    assert [o.rule for o in said.objections] == ["debt.call-frequency", "debt.call-after-conversation"]
    happened = lee.message(case, direction="out", via="phone", outcome="conversation", to="debtor", observed=True)
    assert [o.rule for o in happened.objections] == ["debt.call-frequency", "debt.call-after-conversation"]


def test_paid_is_resolved_and_a_reversal_opens_it_again(lee: Seat, boss: Seat, case: str) -> None:
    assert refused(lee.pay, case, usd("1840.01")) == ["debt.beyond-balance"]
    paid = lee.pay(case, usd("1840.00"))
    assert (paid.case.state, paid.case.category, paid.case.closed) == ("paid", "resolved", None)
    again = boss.reverse(case, paid.id).case
    assert (again.state, again.totals["balance"]) == ("assessed", usd("1840.00"))


def test_the_last_instalment_keeps_the_last_promise(lee: Seat, case: str) -> None:
    lee.choose(case, "instalments-6")
    lee.pay(case, usd("1840.00"))
    file = lee.file(case)
    assert file.at("paid")
    assert not file.clocks
    events = [e for h in lee.timeline(case) for e in h.events]
    assert events.count("clock.promise.met") == 6


def test_closing_says_everything_that_is_missing(lee: Seat, case: str) -> None:
    lee.choose(case, "instalments-12")
    lee.document(case, "dispute", b"I do not owe this.", name="dispute.txt")
    said = refused(lee.close, case, "paid")
    assert said == ["casekit.state", "debt.balance-left", "debt.paid-letter", "debt.dispute-answered", "debt.open-promises"]
    assert not lee.explain_closing(case, "paid").possible


def test_closing_as_paid(lee: Seat, boss: Seat, case: str) -> None:
    lee.choose(case, "instalments-12")
    lee.pay(case, usd("1840.00"))
    assert refused(lee.close, case, "paid") == ["debt.paid-letter"]
    lee.document(case, "paid-letter", b"You owe nothing any more.", name="paid.txt")
    closed = lee.close(case, "paid").case
    assert (closed.state, closed.category, closed.outcome, closed.due) == ("closed.paid", "closed", "paid", None)
    assert boss.verify().ok


def test_a_settlement_paid_in_time(lee: Seat, clock: StandingClock, case: str) -> None:
    assert refused(lee.do, case, "settle") == ["debt.settlement-terms"]
    for amount in ("0.00", "1840.00", "2000.00"):
        fields = {"amount": usd(amount), "by": date(2026, 12, 31)}
        assert refused(lee.do, case, "settle", fields) == ["debt.settlement-amount"]
    assert refused(lee.do, case, "settle", {"amount": usd("900.00"), "by": date(2026, 11, 23)}) == ["debt.settlement-day"]
    lee.pay(case, usd("40.00"))
    agreed = lee.do(case, "settle", {"amount": usd("900.00"), "by": date(2026, 12, 31)}).case
    assert (agreed.state, agreed.data["settled_through"]) == ("settling", usd("940.00"))
    assert refused(lee.close, case, "settled") == ["casekit.state", "debt.settlement-paid", "debt.settlement-letter"]
    clock.go_on(days=2)
    assert lee.pay(case, usd("900.00")).case.state == "settled"
    lee.document(case, "settlement-letter", b"Settled.", name="settled.txt")
    closed = lee.close(case, "settled").case
    assert (closed.outcome, closed.totals["balance"]) == ("settled", usd("900.00"))


def test_a_settlement_missed_and_paid_in_time_after_all(lee: Seat, boss: Seat, clock: StandingClock, case: str) -> None:
    lee.do(case, "settle", {"amount": usd("900.00"), "by": date(2026, 12, 31)})
    clock.go_to(datetime(2027, 1, 1, 5, tzinfo=UTC))
    boss.run_due()
    assert lee.case(case).state == "assessed"
    clock.go_on(days=1)
    assert lee.pay(case, usd("900.00"), effective=date(2026, 12, 31)).case.state == "settled"


def test_a_dispute_pauses_promises_until_it_is_answered(lee: Seat, boss: Seat, clock: StandingClock, case: str) -> None:
    lee.choose(case, "instalments-12")
    clock.go_to(datetime(2026, 12, 20, 15, tzinfo=UTC))
    assert lee.do(case, "dispute").case.state == "disputed"
    assert lee.check(case, "contact", to="debtor", via="phone").allowed_at is None
    assert refused(lee.choose, case, "instalments-6") == ["debt.disputed"]
    assert refused(lee.do, case, "verify") == ["debt.dispute-answered"], "nobody knows which dispute"
    lee.document(case, "dispute", b"I do not owe this.", name="d.txt")
    assert refused(lee.do, case, "verify") == ["debt.dispute-answered"]
    clock.go_to(datetime(2027, 1, 10, 15, tzinfo=UTC))
    boss.run_due()
    assert lee.case(case).state == "disputed", "no promise is broken while collection rests"
    lee.document(case, "verification", b"Here is the contract.", name="v.txt")
    assert lee.do(case, "verify").case.state == "arrangement.keeping"
    first = min(c.due for c in lee.file(case).clocks if c.id == "promise" and c.due)
    assert first == "2027-01-15T05:00:00.000000Z", "what was left on the day of the dispute is left again"


def test_an_unanswered_dispute_is_breached_in_the_open(lee: Seat, boss: Seat, clock: StandingClock, case: str) -> None:
    lee.do(case, "dispute")
    clock.go_on(days=31)
    boss.run_due()
    events = [e for h in lee.timeline(case) for e in h.events]
    assert events.count("clock.verification.warned") == 2
    assert events.count("clock.verification.breached") == 1


def test_a_request_to_cease(lee: Seat, boss: Seat, case: str) -> None:
    lee.do(case, "cease")
    assert refused(lee.message, case, direction="out", via="letter", outcome="sent", to="debtor") == ["debt.ceased"]
    lee.document(case, "remedies-notice", b"We may sue.", name="n.txt")
    with pytest.raises(Refused):
        lee.do(case, "lift", reason="she wrote that we may call again")
    assert boss.do(case, "lift", reason="she wrote that we may call again").case.state == "assessed"


def test_proposing_needs_the_notice_and_waits_for_an_answer(lee: Seat, boss: Seat, clock: StandingClock, case: str) -> None:
    assert refused(lee.do, case, "propose") == ["debt.notice-filed"]
    lee.document(case, "validation-notice", b"You have the right to dispute.", name="n.txt")
    assert refused(lee.do, case, "notify", {"ends": date(2026, 12, 24)}) == ["debt.validation-short"]
    assert lee.do(case, "notify", {"ends": date(2027, 1, 1)}).case.data["validation_ends"] == date(2027, 1, 1)
    assert lee.do(case, "propose").case.state == "proposing"
    clock.go_on(days=31)
    boss.run_due()
    assert lee.case(case).state == "assessed"


def test_fees_need_an_agreement(lee: Seat, case: str) -> None:
    assert refused(lee.charge, case, "fee", usd("25.00")) == ["debt.authorised-amount"]
    lee.document(case, "agreement", b"Fees may be charged.", name="a.txt")
    assert lee.charge(case, "fee", usd("25.00")).case.totals["balance"] == usd("1865.00")


def test_payments_meet_interest_then_principal_then_fees(lee: Seat, case: str) -> None:
    lee.document(case, "agreement", b"Interest and fees.", name="a.txt")
    lee.charge(case, "fee", usd("25.00"))
    lee.charge(case, "interest", usd("10.00"))
    lee.pay(case, usd("1000.00"))
    open_ = lee.file(case).allocation().open
    assert open_ == {"fee": usd("25.00"), "interest": usd("0.00"), "principal": usd("850.00")}


def test_writing_off_needs_the_means_and_a_supervisor(lee: Seat, boss: Seat, case: str) -> None:
    assert refused(boss.close, case, "uncollectable", reason="no income") == ["debt.means-unknown"]
    for fact in ("income.monthly", "expense.housing", "expense.living"):
        lee.note_fact(case, fact, usd("0.00"))
    assert refused(lee.close, case, "uncollectable", reason="no income") == ["casekit.permission"]
    assert boss.close(case, "uncollectable", reason="no income").case.outcome == "uncollectable"
    assert boss.do(case, "reopen", reason="she found work").case.state == "assessed"


def test_the_caseload_reports_the_sums(lee: Seat, case: str) -> None:
    lee.pay(case, usd("40.00"))
    report = lee.report_caseload()["debt.case"]
    assert report["states"] == {"intake": 1}
    assert report["sums"] == {"principal": "1840.00 USD", "levied": "1840.00 USD", "paid": "40.00 USD", "balance": "1800.00 USD"}


def test_the_means_are_not_readable_once_she_is_erased(lee: Seat, boss: Seat, case: str) -> None:
    lee.note_fact(case, "income.monthly", usd("2100.00"))
    lee.pay(case, usd("1840.00"))
    lee.document(case, "paid-letter", b"You owe nothing.", name="p.txt")
    lee.close(case, "paid")
    debtor = lee.file(case).party("debtor")
    assert debtor is not None
    boss.erase(debtor.id)
    assert "income.monthly" not in lee.file(case).latest
    assert boss.verify().ok


def means(seat: Seat, case: str, income: str, day: date = date(2026, 10, 31)) -> None:
    for fact, value in (("income.monthly", income), ("expense.housing", "1100.00"), ("expense.living", "700.00")):
        seat.note_fact(case, fact, usd(value), source="payslip", effective=day)


def test_the_loop_from_means_to_a_longer_arrangement(lee: Seat, boss: Seat, clock: StandingClock, case: str) -> None:
    """Assess, choose, set the goal, review, adjust; every round stays on record, and what was found with its version."""
    means(lee, case, "2100.00")
    lee.choose(case, "instalments-7")
    look = lee.look(case)
    assert [a.key for a in look.adjustments] == ["debt.set-goal"]
    lee.adjust(case, look["debt.set-goal"])
    [goal] = lee.goals(case)
    assert (goal.goal.key, goal.goal.by, goal.goal.owner, goal.reached) == ("paid-off", "2027-06-24", "handler", False)
    assert lee.look(case).adjustments == ()
    lee.pay(case, usd("262.85"))
    clock.go_to(datetime(2027, 1, 26, 12, tzinfo=UTC))
    boss.run_due()
    lee.note_fact(case, "income.monthly", usd("1900.00"), source="new job")
    lee.review(case, "She works less.")
    [_, *_, last] = lee.timeline(case)
    assert last.review is not None
    found = {f.rule: (f.text, f.signed_by) for f in last.review.findings}
    version = casekit_debt_collection.PLUGIN.name
    assert found["debt.instalments-kept"][0] == "1 of 7 instalments were kept."
    assert found["debt.instalments-missed"][0] == "1 instalments were missed, the first was due by 2027-01-24."
    assert found["debt.means-changed"][0] == "income.monthly was 2100.00 USD when the arrangement was chosen, and is 1900.00 USD."
    assert found["debt.out-of-reach"][0] == "An instalment takes 262.90 USD a month, and 100.00 USD is left."
    assert found["debt.paid-since"][0] == "262.85 USD was paid so far."
    assert all(signed.startswith(f"{version} ") for _, signed in found.values())
    assert [(a.key, a.option) for a in last.review.adjustments] == [("debt.replan", "instalments-16")]
    assert "1900" not in str(lee.journal(case)[-1]["body"]), "what she earns is sealed with her"

    done = lee.adjust(case, "debt.replan", reason="what she can pay").case
    assert (done.state, len([c for c in lee.file(case).clocks if c.id == "promise"])) == ("arrangement.keeping", 16)
    [first, second] = lee.rounds(case)
    assert [(s.kind, s.title) for s in first.steps] == [
        ("choose", "instalments-7"),
        ("adjust", "debt.set-goal: sets paid-off"),
        ("review", "round 1"),
    ]
    assert [(s.kind, s.title, s.text) for s in second.steps] == [("adjust", "debt.replan: chooses instalments-16", "what she can pay")]
    assert (first.review is not None, second.review) == (True, None)
    assert [(i.name, i.state) for i in first.items] == [("confirm.1", "active")], "the plan of the first round, as it was left"
    assert [(i.name, i.state) for i in second.items] == [("confirm.1", "replaced"), ("confirm.2", "active")]
    assert boss.verify().ok


def test_an_adjustment_is_taken_as_it_was_shown_or_not_at_all(lee: Seat, case: str) -> None:
    means(lee, case, "1900.00")
    lee.choose(case, "instalments-12")
    shown = lee.look(case)["debt.replan"]
    assert shown.option == "instalments-19"
    means(lee, case, "1950.00", date(2026, 11, 23))
    assert refused(lee.adjust, case, shown) == ["casekit.adjustment-changed"]
    assert lee.look(case)["debt.replan"].option == "instalments-13"
    lee.do(case, "dispute")
    with pytest.raises(BadInput, match="not proposed now"):
        lee.adjust(case, "debt.replan")


def test_what_is_known_later_of_an_earlier_day_is_no_change_of_means(lee: Seat, case: str) -> None:
    means(lee, case, "2100.00")
    lee.choose(case, "instalments-12")
    lee.note_fact(case, "income.monthly", usd("1000.00"), effective=date(2026, 9, 30))
    assert "debt.means-changed" not in {f.rule for f in lee.look(case).findings}
