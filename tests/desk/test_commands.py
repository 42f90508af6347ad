"""Commands from end to end, on both engines: what they do, what they refuse, what they leave behind."""

from __future__ import annotations

from typing import Any

import pytest

from casekit import BadInput, Denied, Desk, KeyReused, Money, NotFound, Refused, Seat, Stale
from casekit.desk.values import Case


@pytest.fixture
def case(seat: Seat) -> Case:
    """A fresh dispute over a deposit of 900 euros."""
    tenant = seat.party("person", name="Maria Silva", phone="+49 30 555 0142", zone="Europe/Berlin")
    landlord = seat.party("organisation", name="Haus GmbH", ref="crm:2207")
    return seat.open(
        "tenancy.dispute",
        data={"deposit": Money("900.00", "EUR"), "claimed": "120.50 EUR", "story": "a stain", "health": "asthma", "reference": "A 7"},
        parties={"tenant": tenant, "landlord": landlord},
    )


def test_opening_charges_numbers_and_starts_clocks(seat: Seat, case: Case) -> None:
    assert case.number == "T-2026-00001"
    assert case.totals == {"charged": Money("900.00", "EUR"), "paid": Money("0.00", "EUR"), "balance": Money("900.00", "EUR")}
    assert case.data["story"] == "a stain"
    # Two weeks at the same local time, three days before which it warns.
    assert case.due == "2026-12-06T10:00:00.000000Z"
    assert seat.file(case).clocks[0].due == "2026-12-09T10:00:00.000000Z"


def test_a_key_sent_twice_opens_one_case(seat: Seat, case: Case) -> None:
    landlord = seat.find_party(ref="CRM:2207")
    assert landlord is not None
    asked = {"data": {"deposit": "10.00 EUR"}, "parties": {"tenant": landlord, "landlord": landlord}, "key": "crm-4711"}
    first = seat.open("tenancy.dispute", **asked)

    again = seat.open("tenancy.dispute", **asked)

    assert again == first
    assert first.number == "T-2026-00002"
    with pytest.raises(KeyReused, match="another request"):
        seat.open("tenancy.dispute", **{**asked, "data": {"deposit": "11.00 EUR"}})


def test_a_command_sent_twice_gives_the_same_answer_and_so_does_a_refusal(seat: Seat, case: Case) -> None:
    paid = seat.pay(case.id, "100.00 EUR", key="p1")
    seat.pay(case.id, "1.00 EUR")

    again = seat.pay(case.id, "100.00 EUR", key="p1")

    assert again.again
    assert (again.case, again.id, again.entries) == (paid.case, paid.id, paid.entries)
    with pytest.raises(Refused) as first:
        seat.pay(case.id, "5000.00 EUR", key="p2")
    n = seat.case(case.id).n
    with pytest.raises(Refused) as second:
        seat.pay(case.id, "5000.00 EUR", key="p2")
    assert second.value.objections == first.value.objections
    assert seat.case(case.id).n == n


def test_a_stale_case_value_is_refused_and_an_id_is_not(seat: Seat, case: Case) -> None:
    seat.note_fact(case, "heating", "gas")

    with pytest.raises(Stale, match="you have seen version 1, it is at 2"):
        seat.note_fact(case, "heating", "oil")

    assert seat.note_fact(case.id, "heating", "oil").case.version == 3


def test_a_refusal_changes_nothing_but_its_own_entry(seat: Seat, case: Case) -> None:
    with pytest.raises(Refused) as refused:
        seat.close(case, "decided", reason="enough")

    assert {o.rule for o in refused.value.objections} == {"tenancy.both-heard", "tenancy.letter", "tenancy.photo"}
    after = seat.case(case.id)
    assert (after.version, after.n) == (case.version, case.n + 1)
    told = seat.timeline(case)[-1]
    assert told.kind == "refused"
    assert [str(o) for o in told.objections] == [str(o) for o in refused.value.objections]


def test_the_whole_way_to_a_closing(seat: Seat, case: Case) -> None:
    seat.do(case, "answer", {"tone": "angry"})
    assert seat.timeline(case)[-1].fields == {"tone": "angry"}
    seat.document(case.id, "letter", b"Dear Ms Silva", name="letter.txt")
    seat.document(case.id, "photo", b"\x89PNG", name="stain.png")

    done = seat.close(case.id, "decided", reason="both were heard")

    assert (done.case.state, done.case.category, done.case.outcome) == ("decided", "closed", "decided")
    assert done.case.closed == done.case.time
    assert done.due is None
    assert seat.timeline(case)[-1].text == "both were heard"
    reopened = seat.do(done.case, "resume").case
    assert (reopened.state, reopened.closed, reopened.outcome) == ("open", None, None)
    assert reopened.due is not None


def test_paying_everything_resolves_and_a_later_charge_opens_again(seat: Seat, case: Case) -> None:
    assert seat.pay(case.id, "900.00 EUR").case.state == "paid"

    with pytest.raises(Refused, match="It is paid"):
        seat.charge(case.id, "damage", "5.00 EUR")
    assert seat.charge(case.id, "deposit", "5.00 EUR").case.state == "open"


def test_a_reversal_takes_a_payment_back(seat: Seat, case: Case) -> None:
    paid = seat.pay(case.id, "900.00 EUR")

    back = seat.reverse(case.id, paid.id, note="returned by the bank").case

    assert (back.state, back.totals["paid"], back.totals["balance"]) == ("open", Money("0.00", "EUR"), Money("900.00", "EUR"))
    with pytest.raises(BadInput, match="taken back already"):
        seat.reverse(case.id, paid.id)


def test_an_observed_payment_beyond_the_balance_is_recorded_with_what_the_rule_objects_to(seat: Seat, case: Case) -> None:
    with pytest.raises(Refused, match="More is paid than is owed"):
        seat.pay(case.id, "900.01 EUR")

    done = seat.pay(case.id, "900.01 EUR", observed=True)

    assert [o.rule for o in done.objections] == ["tenancy.not-too-much"]
    assert done.case.totals["balance"] == Money("-0.01", "EUR")


def test_an_observed_event_that_the_lifecycle_does_not_allow_leaves_the_state_unless_forced(seat: Seat, case: Case) -> None:
    stays = seat.do(case, "resume", observed=True)
    assert (stays.accepted, stays.case.state, stays.case.version) == (False, "open", case.version)
    assert stays.objections[0].rule == "casekit.state"

    moved = seat.do(case.id, "decide", observed=True, force=True)
    assert (moved.accepted, moved.case.state) == (False, "decided")


def test_deny_by_default(desk: Desk, case: Case) -> None:
    nobody = desk.seat("user:nobody")
    reader = desk.seat("user:reader", roles={"reader"})
    trainee = desk.seat("user:trainee", roles={"trainee"})

    with pytest.raises(Denied, match=r"no permission case\.read.*clerk"):
        nobody.case(case)
    with pytest.raises(Denied, match=r"case\.do"):
        reader.do(case, "answer")
    with pytest.raises(Denied, match=r"tenancy\.answer"):
        trainee.do(case, "answer")

    why = trainee.explain(case, "answer")
    assert (why.possible, why.lacking, why.who) == (False, ("tenancy.answer",), ("clerk",))
    assert reader.case(case).n == case.n, "a denied attempt stands in the desk log, not in the case"


def test_options_choice_promises_and_a_late_payment(seat: Seat, case: Case, clock: Any) -> None:
    options = seat.options(case)
    assert list(options.items) == ["decision", "two-halves"]
    chosen = seat.choose(case, options["two-halves"], reason="keeps her home")
    assert chosen.case.state == "talks.waiting"
    assert [c.args for c in seat.file(case).clocks if c.id == "promise"] == [
        {"amount": "450.00 EUR", "through": 45000},
        {"amount": "450.00 EUR", "through": 90000},
    ]

    clock.forward(days=12)
    assert seat.run_due().cases == 1
    assert seat.case(case.id).state == "talks.behind"
    assert seat.run_due() == type(seat.run_due())(), "a second sweep does nothing"

    late = seat.pay(case.id, "450.00 EUR", effective="2026-12-03")
    assert late.case.state == "talks.waiting"
    assert "clock.promise.withdrawn" in seat.timeline(case)[-1].events


def test_an_option_whose_figures_have_changed_is_not_chosen(seat: Seat, case: Case) -> None:
    shown = seat.options(case)["two-halves"]
    now = seat.pay(case, "100.00 EUR").case

    with pytest.raises(Refused, match="not the one that was shown"):
        seat.choose(now, shown)


def test_both_times(seat: Seat, case: Case, clock: Any) -> None:
    clock.forward(days=5)
    seat.note_fact(case, "rent", "400.00 EUR", effective="2026-11-26")
    clock.forward(days=5)
    seat.pay(case.id, "100.00 EUR", effective="2026-11-27")
    seat.note_fact(case.id, "rent", "300.00 EUR", effective="2026-11-25")

    assert seat.case(case.id, effective="2026-11-26").totals["paid"] == Money("0.00", "EUR")
    assert seat.case(case.id, effective="2026-11-27").totals["paid"] == Money("100.00", "EUR")
    assert seat.case(case.id, as_of="2026-12-01").totals["paid"] == Money("0.00", "EUR")
    assert seat.file(case.id).latest["rent"] == Money("400.00", "EUR"), "an older fact that came later does not stand in its way"
    assert seat.file(case.id, effective="2026-11-25").latest["rent"] == Money("300.00", "EUR")
    assert "rent" not in seat.file(case.id, effective="2026-11-25", as_of="2026-12-01").latest
    with pytest.raises(NotFound):
        seat.case(case.id, effective="2026-11-01")


def test_findings_name_what_they_rest_on(seat: Seat, case: Case) -> None:
    assert [f.rule for f in seat.assess(case)] == ["tenancy.no-rent"]
    seat.note_fact(case, "rent", "250.00 EUR", source="lease")

    finding = seat.assess(case.id)[0]

    assert finding.text == "The deposit is more than three rents of 250.00 EUR."
    assert finding.because == ("deposit = 900.00 EUR", "fact:rent = 250.00 EUR")
    assert finding.signed_by == "tenancy 1.0"


def test_messages_are_guarded_and_check_asks_the_same(seat: Seat, case: Case) -> None:
    for _ in range(2):
        seat.message(case.id, direction="out", via="letter", outcome="sent", to="tenant", text="please answer")

    verdict = seat.check(case.id, "contact", to="tenant", via="phone")
    assert (verdict.outcome, verdict.rule) == ("refused", "tenancy.often")
    assert verdict.objections[0].reason == "Maria Silva was written to twice within a week."
    with pytest.raises(Refused) as refused:
        seat.message(case.id, direction="out", via="phone", outcome="conversation", to="tenant")
    assert refused.value.objections == verdict.objections


def test_parties_change_merge_and_are_found(seat: Seat, case: Case) -> None:
    maria = seat.find_party(name="maria  SILVA")
    assert maria is not None
    twin = seat.party("person", name="M. Silva", email="maria@example.org")

    seat.merge_parties(twin, maria)

    assert seat.get_party(twin).id == maria.id
    assert seat.find_party(email="MARIA@example.org") == seat.get_party(maria)
    changed = seat.change_party(maria, phone=None, email="m@example.org")
    assert dict(changed.details) == {"name": "Maria Silva", "email": "m@example.org"}
    assert seat.find_parties(name="nobody") == ()


def test_erasing(desk: Desk, seat: Seat, case: Case) -> None:
    maria = seat.find_party(name="Maria Silva")
    assert maria is not None
    with pytest.raises(Refused, match="T-2026-00001"):
        seat.erase(maria)
    seat.document(case, "letter", b"We agree.")
    seat.do(case.id, "withdraw")

    erased = seat.erase(maria)

    assert erased.shut == (case.id,), "she was the only person of the case"
    assert erased.complete
    assert seat.find_parties(name="Maria Silva") == ()
    after = seat.case(case.id)
    assert set(after.data) == {"deposit", "claimed", "reference"}
    assert seat.cases(names=True).cases[0].names == {"landlord": ("Haus GmbH",), "tenant": ("erased",)}
    assert desk.seat("user:a", roles={"auditor"}).verify().ok
    with pytest.raises(BadInput, match="erased"):
        seat.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": maria, "landlord": maria})


def test_text_of_a_case_with_two_persons_lives_until_the_last_is_erased(seat: Seat) -> None:
    one, two = seat.party("person", name="One"), seat.party("person", name="Two")
    case = seat.open("tenancy.dispute", data={"deposit": "1.00 EUR"}, parties={"tenant": [one, two], "landlord": one})
    seat.note(case, "they quarrel")
    seat.document(case.id, "letter", b"We agree.")
    seat.do(case.id, "withdraw")

    first = seat.erase(one)
    assert (first.cases, first.shut) == ((case.id,), ())
    assert seat.timeline(case)[1].text == "they quarrel"

    second = seat.erase(two)
    assert second.shut == (case.id,)
    assert seat.timeline(case)[1].text is None


def test_documents_are_read_back_in_every_version(seat: Seat, case: Case) -> None:
    made = seat.document(case.id, "photo", b"first", name="stain.png")
    seat.document(case.id, "photo", b"second", name="stain.png", document=made.id)

    assert seat.read_document(case.id, made.id) == (b"second", "image/png")
    assert seat.read_document(case.id, made.id, 1) == (b"first", "image/png")
    assert [d.name for d in seat.file(case.id).documents("photo")] == ["stain.png", "stain.png"]
    with pytest.raises(BadInput, match="no kind of document"):
        seat.document(case.id, "tape", b"x")


def test_changing_data_and_roles(seat: Seat, case: Case) -> None:
    changed = seat.change(case, {"rooms": 3, "story": "two stains"}, unset=["claimed"], reason="seen on site").case
    assert dict(changed.data)["story"] == "two stains"
    assert ("claimed" in changed.data, changed.data["health"]) == (False, "asthma")

    handler = seat.party("staff", name="Lee")
    seat.give_role(changed, "handler", handler)
    with pytest.raises(BadInput, match="at most 1"):
        seat.give_role(case.id, "handler", seat.party("staff", name="Kim"))
    seat.take_role(case.id, "handler", handler)
    with pytest.raises(BadInput, match="can't play it"):
        seat.give_role(case.id, "handler", seat.find_parties(name="Maria Silva")[0])
    with pytest.raises(BadInput, match="at least 1 must stay"):
        seat.take_role(case.id, "landlord", seat.find_parties(ref="crm:2207")[0])


@pytest.mark.parametrize(
    ("what", "place"),
    [
        (lambda s, c: s.open("no.such", data={}), "case type"),
        (lambda s, c: s.open("tenancy.dispute", data={"deposit": 9.5}, parties={}), "data/deposit"),
        (lambda s, c: s.open("tenancy.dispute", data={"deposit": "9 EUR"}, parties={}), "data/deposit"),
        (lambda s, c: s.open("tenancy.dispute", data={"deposit": "9.00 EUR", "rooms": 0}, parties={}), "data/rooms"),
        (lambda s, c: s.open("tenancy.dispute", data={"deposit": "9.00 EUR"}, parties={}), "parties/tenant"),
        (lambda s, c: s.open("tenancy.dispute", data={"deposit": "9.00 EUR", "colour": "red"}), "data/colour"),
        (lambda s, c: s.do(c, "explode"), "event"),
        (lambda s, c: s.do(c, "answer", {"loud": True}), "answer/loud"),
        (lambda s, c: s.pay(c, "0.00 EUR"), "amount"),
        (lambda s, c: s.pay(c, "1.00 USD"), "amount"),
        (lambda s, c: s.pay(c, "1,00 EUR"), "amount"),
        (lambda s, c: s.note(c, "   "), "note"),
        (lambda s, c: s.note_fact(c, "weather", "fine"), "fact/weather"),
        (lambda s, c: s.note_fact(c, "heating", "coal"), "fact/heating"),
        (lambda s, c: s.message(c, direction="out", via="pigeon", outcome="sent"), "message/via"),
        (lambda s, c: s.message(c, direction="out", via="phone", outcome="sent", to="judge"), "message/to"),
        (lambda s, c: s.pay(c, "1.00 EUR", effective="2030-01-01"), "effective"),
        (lambda s, c: s.pay(c, "1.00 EUR", effective="yesterday"), "time"),
        (lambda s, c: s.close(c, "won"), "outcome"),
        (lambda s, c: s.choose(c, "thirds"), "option"),
        (lambda s, c: s.case("T-2026-00009"), "case"),
        (lambda s, c: s.case("00000000-0000-7000-8000-000000000000"), "case"),
        (lambda s, c: s.get_party("00000000-0000-7000-8000-000000000000"), "party"),
        (lambda s, c: s.party("robot", name="R"), "party/kind"),
        (lambda s, c: s.party("person", shoe="42"), "party/shoe"),
        (lambda s, c: s.party("person", name="x", zone="Mars/Base"), "zone"),
    ],
)
def test_bad_input_says_where_and_writes_nothing(seat: Seat, case: Case, what: Any, place: str) -> None:
    before = (seat.verify().streams, seat.case(case.id).n)

    with pytest.raises(BadInput) as wrong:
        what(seat, case)

    assert any(p.where.startswith(place) for p in wrong.value.problems), wrong.value.problems
    assert all(p.what and p.do for p in wrong.value.problems)
    assert (seat.verify().streams, seat.case(case.id).n) == before


def test_lists_go_page_by_page(seat: Seat, case: Case) -> None:
    maria = seat.find_parties(name="Maria Silva")[0]
    for i in range(5):
        seat.open("tenancy.dispute", data={"deposit": f"{i + 1}.00 EUR"}, parties={"tenant": maria, "landlord": maria})

    first = seat.cases(size=4)
    rest = seat.cases(size=4, after=first.more)

    assert [c.number for c in (*first.cases, *rest.cases)] == [f"T-2026-0000{n}" for n in (6, 5, 4, 3, 2, 1)]
    assert rest.more is None
    assert len(seat.cases(party=maria).cases) == 6
    assert len(seat.cases(state="paid").cases) == 0


def test_the_caseload_sums_what_is_reportable(seat: Seat, case: Case) -> None:
    seat.pay(case, "100.00 EUR")

    report = seat.report_caseload()["tenancy.dispute"]

    assert report["sums"] == {"deposit": "900.00 EUR", "charged": "900.00 EUR", "paid": "100.00 EUR", "balance": "800.00 EUR"}
    assert (report["cases"], report["states"], report["categories"]) == (1, {"open": 1}, {"open": 1})


@pytest.mark.parametrize("event", ["clock.promise.breached", "chosen", "always"])
def test_what_the_core_raises_by_itself_nobody_fires(seat: Seat, case: Case, event: str) -> None:
    with pytest.raises(BadInput, match=rf"has no event '{event}' \(its events are: answer, decide, resume, withdraw\)"):
        seat.do(case, event)


def test_a_plan_is_not_complete_before_the_work_that_was_chosen_is_done(seat: Seat, case: Case) -> None:
    # The case type plans nothing by itself: all that is in the plan came with the option.
    seat.choose(case.id, "decision")
    assert "plan.completed" not in seat.timeline(case.id)[-1].events
    seat.item(case.id, "complete", "hear")
    assert "plan.completed" not in seat.timeline(case.id)[-1].events
    seat.item(case.id, "complete", "write")
    assert seat.timeline(case.id)[-1].events[-1] == "plan.completed"
