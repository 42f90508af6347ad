"""The loop at the desk: look, review, adjust, rounds, goals over many cases; on both engines, verified afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tenancy
from casekit import BadInput, Denied, Desk, Money, PluginFailed, Refused, Seat
from casekit.sdk import Adjustment, Finding, Goal, Option, Plugin, View, hookimpl

EUR = "EUR"


class Looker:
    """A plugin that answers what a test has laid out for it."""

    def __init__(self, name: str, *answers: Any) -> None:
        self.PLUGIN = Plugin(name, api=1, handles=("tenancy.dispute",), version="2.1")
        self.answers: list[Any] = list(answers)
        self.seen: list[View] = []

    @hookimpl
    def casekit_review(self, view: View, findings: tuple[Finding, ...]) -> Iterator[Any]:
        self.seen.append(view)
        for answer in self.answers:
            if isinstance(answer, Exception):
                raise answer
            yield answer

    @hookimpl
    def casekit_roles(self) -> Mapping[str, list[str]]:
        return {"reviewer": ["case.read", "case.review", "case.assess"]}


GIVE_IN = Adjustment(
    "a.give-in",
    "Give in at {sum}",
    "decision",
    [Goal("calm", "balance", Money("0.00", EUR), "at-most")],
    "paid",
    {"sum": Money("5.00", EUR)},
)


@pytest.fixture
def looker() -> Looker:
    return Looker("alpha")


@pytest.fixture
def desk(open_store: Callable[..., Desk], looker: Looker) -> Iterator[Desk]:
    opened = open_store(plugins=[Looker("zeta", Finding("z.b", "zb"), Finding("z.a", "za")), tenancy, looker])
    yield opened
    assert opened.seat("test:auditor", roles={"auditor"}).verify().wrong == []


@pytest.fixture
def lee(desk: Desk) -> Seat:
    return desk.seat("user:lee", roles={"clerk"})


def a_case(lee: Seat, **data: Any) -> str:
    parties = {"tenant": lee.party("person", name="Eve"), "landlord": lee.party("organisation", name="Haus")}
    return lee.open("tenancy.dispute", data={"deposit": Money("900.00", EUR), "rooms": 2, **data}, parties=parties).id


@pytest.fixture
def case(lee: Seat) -> str:
    return a_case(lee)


# --- the hook


def test_answers_stand_side_by_side_sorted_and_stamped(lee: Seat, case: str, looker: Looker) -> None:
    looker.answers = [Finding("alpha.x", "{n} of them", args={"n": 3}), GIVE_IN]
    lee.set_goal(case, "paid", "paid", "900.00 EUR")
    before = lee.case(case).n
    look = lee.look(case)
    assert [(f.rule, f.plugin, f.version) for f in look.findings] == [
        ("alpha.x", "alpha", "2.1"),
        ("tenancy.no-rent", "tenancy", "1.0"),
        ("z.a", "zeta", "2.1"),
        ("z.b", "zeta", "2.1"),
    ]
    assert [(a.key, a.text, a.signed_by) for a in look.adjustments] == [("a.give-in", "Give in at 5.00 EUR", "alpha 2.1")]
    assert [p.goal.key for p in look.goals] == ["paid"]
    assert lee.case(case).n == before, "a look leaves no trace"


BROKEN = [
    ([RuntimeError("broken")], "alpha 2.1: casekit_review raised RuntimeError: broken"),
    ([Option("a", "an option")], "alpha 2.1: casekit_review answered a Option, not a Finding or Adjustment"),
]
MUDDLED = [
    ([Adjustment("a", "x", drop="g"), Adjustment("a", "y", drop="h")], "'a' is proposed by alpha and by alpha"),
    ([Adjustment("a", "x", "nothing-of-the-kind")], "alpha 2.1 proposes the option 'nothing-of-the-kind', which is not offered"),
]


@pytest.mark.parametrize(("answers", "said"), BROKEN + MUDDLED)
def test_a_command_that_rests_on_a_plugin_that_fails_fails_and_names_it(
    lee: Seat, case: str, looker: Looker, answers: list[Any], said: str
) -> None:
    looker.answers = answers
    before = lee.case(case).n
    for ask in (lambda: lee.review(case, "x"), lambda: lee.adjust(case, "a")):
        with pytest.raises(PluginFailed) as failed:
            ask()
        assert said in str(failed.value)
    assert lee.case(case).n == before, "nothing was recorded"


@pytest.mark.parametrize(("answers", "said"), MUDDLED)
def test_a_look_at_what_makes_no_sense_fails(lee: Seat, case: str, looker: Looker, answers: list[Any], said: str) -> None:
    looker.answers = answers
    with pytest.raises(PluginFailed, match=said):
        lee.look(case)


@pytest.mark.parametrize(("answers", "said"), BROKEN)
def test_a_look_says_who_could_not_be_asked_beside_what_the_others_say(
    lee: Seat, case: str, looker: Looker, answers: list[Any], said: str
) -> None:
    looker.answers = answers
    found = lee.look(case)

    (failed,) = [f for f in found.findings if f.rule == "casekit.plugin-failed"]
    assert failed.plugin == "casekit"
    assert said in failed.text
    assert "tenancy.no-rent" in [f.rule for f in found.findings]


def test_an_adjustment_that_changes_nothing_is_none() -> None:
    with pytest.raises(BadInput, match="changes nothing"):
        Adjustment("a", "x")


def test_the_view_knows_what_has_come_since(lee: Seat, case: str, looker: Looker) -> None:
    lee.note_fact(case, "rent", Money("250.00", EUR))
    lee.choose(case, "decision")
    lee.review(case)
    lee.pay(case, Money("100.00", EUR))
    lee.note_fact(case, "rent", Money("300.00", EUR))
    lee.document(case, "photo", b"x")
    lee.message(case, direction="in", via="phone", outcome="conversation", to="tenant")
    lee.item(case, "complete", "hear")
    lee.do(case, "answer")
    lee.look(case)
    view = looker.seen[-1]
    news = view.since(view.reviewed)
    assert [p.amount for p in news.postings] == [Money("100.00", EUR)]
    assert [f.value for f in news.facts] == [Money("300.00", EUR)]
    assert ([d.kind for d in news.documents], len(news.messages)) == (["photo"], 1)
    assert [(c.id, c.status) for c in news.clocks] == [("answer", "met")]
    assert [(i.id, i.status, i.source.partition("@")[0]) for i in news.items] == [("hear", "completed", "option:decision")]
    assert view.chosen is not None
    assert dict(view.known(view.chosen)) == {"rent": Money("250.00", EUR)}
    assert len(view.since(None).postings) == 2, "without a mark, everything is new"


# --- reviews on record, and what is taken from them


def test_a_review_keeps_what_was_found_by_which_rule_and_version(lee: Seat, case: str, looker: Looker) -> None:
    looker.answers = [Finding("alpha.x", "Eve has {rent}", ("fact:rent",), {"rent": Money("250.00", EUR)}, "§ 1"), GIVE_IN]
    lee.set_goal(case, "paid", "paid", "900.00 EUR", by="2026-11-24")
    lee.review(case, "as ever")
    looker.answers = []
    last = lee.timeline(case)[-1]
    assert (last.title, last.text, last.spoke) == ("round 1", "as ever", {"alpha": "2.1", "tenancy": "1.0", "zeta": "2.1"})
    assert last.review is not None
    first = last.review.findings[0]
    assert (first.rule, first.text, first.citation, first.because, first.signed_by) == (
        "alpha.x", "Eve has 250.00 EUR", "§ 1", ("fact:rent = unknown",), "alpha 2.1",
    )  # fmt: skip
    assert [(s.goal, s.reached, s.missed) for s in last.review.goals] == [("paid", False, True)]
    [kept] = last.review.adjustments
    assert (kept.key, kept.option, kept.drop, [g.key for g in kept.goals], kept.text) == (
        "a.give-in", "decision", ("paid",), ["calm"], "Give in at 5.00 EUR",
    )  # fmt: skip


def test_an_adjustment_is_one_command_with_all_its_parts(lee: Seat, case: str, looker: Looker) -> None:
    looker.answers = [GIVE_IN]
    lee.set_goal(case, "paid", "paid", "900.00 EUR")
    done = lee.adjust(case, lee.look(case)["a.give-in"], reason="for peace", key="k")
    assert ([p.goal.key for p in lee.goals(case)], lee.file(case).choice) == (["calm"], "decision")
    assert {b.item.item for b in lee.plan(case).items} == {"hear", "write"}
    assert len(done.entries) == 1
    last = lee.timeline(case)[-1]
    assert (last.kind, last.title, last.text, "chosen" in last.events) == (
        "adjust",
        "a.give-in: chooses decision; sets calm; gives up paid",
        "for peace",
        True,
    )
    assert lee.adjust(case, "a.give-in", reason="for peace", key="k").again


def test_an_adjustment_that_is_not_proposed_or_has_changed_is_not_taken(lee: Seat, case: str, looker: Looker) -> None:
    lee.set_goal(case, "paid", "paid", "900.00 EUR")
    with pytest.raises(BadInput, match="not proposed now"):
        lee.adjust(case, "a.give-in")
    looker.answers = [GIVE_IN]
    shown = lee.look(case)["a.give-in"]
    looker.answers = [Adjustment("a.give-in", "Give in", drop="paid")]
    with pytest.raises(Refused, match="not the one that was shown"):
        lee.adjust(case, shown)
    assert [p.goal.key for p in lee.goals(case)] == ["paid"]
    looker.answers = [Adjustment("a", "x", drop="gone")]
    with pytest.raises(BadInput, match="no goal 'gone'"):
        lee.adjust(case, "a")


def test_taking_an_adjustment_asks_for_the_permissions_of_its_parts(desk: Desk, lee: Seat, case: str, looker: Looker) -> None:
    looker.answers = [Adjustment("a.goal", "x", goals=[Goal("calm", "balance", "0.00 EUR")]), Adjustment("a.plan", "x", "decision")]
    reviewer = desk.seat("user:rae", roles={"reviewer"})
    reviewer.review(case)
    for key, permission in (("a.goal", "goal.set"), ("a.plan", "case.choose")):
        with pytest.raises(Denied, match=permission):
            reviewer.adjust(case, key)
    assert lee.goals(case) == ()


def test_of_a_review_that_rests_on_someone_who_is_erased_the_rules_stay_and_the_words_go(lee: Seat, case: str, looker: Looker) -> None:
    lee.note_fact(case, "rent", Money("250.00", EUR))

    @hookimpl
    def casekit_review(view: View, findings: Any) -> Iterator[Any]:
        yield Finding("alpha.rent", "She pays {rent}.", args={"rent": view.latest["rent"]})
        yield Adjustment("a.goal", "Have it halved", goals=[Goal("less", "fact('rent')", "125.00 EUR", title="Half for Eve")])

    looker.casekit_review = casekit_review  # type: ignore[method-assign]
    looking = lee.desk.catalogue.implementations("casekit_review", "tenancy.dispute")
    looking[:] = [evolve(asked, call=casekit_review) for asked in looking if asked.plugin.name == "alpha"]
    lee.adjust(case, "a.goal")
    lee.review(case, "as ever")
    assert (lee.goals(case)[0].goal.title, lee.timeline(case)[-1].review.findings[0].text) == ("Half for Eve", "She pays 250.00 EUR.")  # type: ignore[union-attr]
    lee.document(case, "letter", b"x")
    lee.do(case, "withdraw")
    eve = lee.file(case).party("tenant")
    assert eve is not None
    lee.erase(eve)
    [first, _] = lee.rounds(case)
    assert first.review is not None
    [found] = [f for f in first.review.findings if f.rule == "alpha.rent"]
    assert (found.text, found.signed_by) == ("The words are erased.", "alpha 2.1")
    assert [(a.key, a.text, [g.key for g in a.goals]) for a in first.review.adjustments] == [("a.goal", "The words are erased.", ["less"])]
    assert [(p.goal.key, p.goal.title, p.reached) for p in lee.goals(case)] == [("less", "", None)]


# --- rounds


def test_every_round_keeps_its_plan_and_its_steps(lee: Seat, case: str, clock: Any) -> None:
    assert lee.rounds(case) == ()
    lee.note(case, "she called")
    lee.choose(case, "decision", reason="on the papers")
    lee.item(case, "complete", "hear")
    lee.review(case, "heard")
    clock.forward(days=1)
    lee.choose(case, "decision")
    lee.item(case, "add", "ring", own={"kind": "task"}, title="Ring Eve", reason="she asked")
    first, second = lee.rounds(case)
    assert [(s.kind, s.title) for s in first.steps] == [("choose", "decision"), ("item", "complete hear"), ("review", "round 1")]
    assert {i.name: i.state for i in first.items} == {"hear.1": "completed", "write.1": "active"}
    assert (first.first, first.last, first.review is not None, second.review) == (1, 5, True, None)
    assert {i.name: i.state for i in second.items} == {
        "write.1": "replaced",
        "hear.2": "active",
        "write.2": "available",
        "ring.1": "active",
    }
    then = lee.plan(case, as_of=date(2026, 11, 25))
    assert {b.item.name for b in then.items} == {"write.1"}


def test_what_someone_put_into_a_plan_keeps_author_reason_and_source(desk: Desk, lee: Seat, case: str) -> None:
    lee.choose(case, "decision", reason="on the papers")
    desk.seat("user:mo", roles={"clerk"}).item(case, "add", "ring", own={"kind": "task"}, title="Ring Eve", reason="she asked")
    lee.item(case, "complete", "ring")
    view = lee.plan(case)
    items = {i.item: (i.author, i.reason, i.source) for i in (*(b.item for b in view.items), *view.ended)}
    assert items["hear"] == ("user:lee", "on the papers", "option:decision@2")
    assert items["ring"] == ("user:mo", "she asked", "added@3")
    assert "she asked" not in str(lee.journal(case))


# --- goals over many cases


GOALS = {"paid": ("paid", "at-least", "300.00 EUR"), "owed": ("balance", "at-most", "800.00 EUR"), "rooms": ("rooms", "exactly", 3)}
STEP = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(sorted(GOALS)), st.sampled_from(["", "2026-11-24", "2026-12-24"])),
    st.tuples(st.just("drop"), st.sampled_from(sorted(GOALS))),
    st.tuples(st.just("pay"), st.sampled_from(["1.00 EUR", "150.00 EUR", "300.00 EUR"])),
    st.tuples(st.just("reverse")),
    st.tuples(st.just("rooms"), st.sampled_from([2, 3, None])),
    st.tuples(st.just("note")),
)


def give(lee: Seat, case: str, step: tuple[Any, ...], paid: list[str]) -> None:
    known = {p.goal.key for p in lee.goals(case)}
    match step:
        case ("set", key, by):
            measure, want, target = GOALS[key]
            lee.set_goal(case, key, measure, target, want=want, by=by, owner="clerk")  # type: ignore[arg-type]
        case ("drop", key) if key in known:
            lee.drop_goal(case, key)
        case ("pay", amount) if lee.case(case).totals["balance"] >= Money.parse(amount):
            paid.append(lee.pay(case, amount).id)
        case ("reverse",) if paid:
            lee.reverse(case, paid.pop())
        case ("rooms", None):
            lee.change(case, unset=["rooms"])
        case ("rooms", rooms):
            lee.change(case, {"rooms": rooms})
        case _:
            lee.note(case, "nothing")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=12))
def test_the_list_says_what_each_case_would_say_of_itself(lee: Seat, steps: list[Any]) -> None:
    case, paid = a_case(lee), list[str]()
    for step in steps:
        give(lee, case, step, paid)
    listed, after = [], None
    while True:
        page = lee.open_goals(after=after, size=2)
        listed += [g for g in page.goals if g.case == case]
        if (after := page.more) is None:
            break
    said = {True: "reached", False: "open", None: "unknown"}
    asked = {(p.goal, said[p.reached], p.missed) for p in lee.goals(case) if p.reached is not True}
    assert {(g.goal, g.status, g.overdue) for g in listed} == asked
    assert [g.due or "z" for g in listed] == sorted(g.due or "z" for g in listed)


def test_goals_of_an_owner_that_are_overdue_without_opening_a_case(desk: Desk, lee: Seat, case: str, clock: Any) -> None:
    other = a_case(lee)
    lee.set_goal(case, "paid", "paid", "300.00 EUR", by="2026-12-01", owner="clerk", title="Eve pays")
    lee.set_goal(case, "rooms", "rooms", 2, by="2026-12-01", owner="clerk")
    lee.set_goal(other, "paid", "paid", "300.00 EUR", by="2026-12-24", owner="clerk")
    lee.set_goal(other, "talk", "balance", "0.00 EUR", want="at-most", owner="handler")
    assert [(g.case, g.goal.key) for g in lee.open_goals("clerk").goals] == [(case, "paid"), (other, "paid")]
    assert [g.goal.key for g in lee.open_goals(("handler",)).goals] == ["talk"]
    assert lee.open_goals(due_before=clock.now).goals == ()
    clock.forward(days=10)
    [late] = lee.open_goals(due_before=clock.now).goals
    assert (late.goal.title, late.overdue, late.status, late.due) == ("Eve pays", True, "open", "2026-12-01T23:00:00.000000Z")
    lee.pay(case, "300.00 EUR", effective=date(2026, 11, 30))
    assert "goal.paid.reached" in lee.timeline(case)[-1].events
    assert lee.open_goals(due_before=clock.now).goals == ()
    lee.document(other, "letter", b"x")
    lee.do(other, "withdraw")
    assert lee.open_goals().goals == (), "a case that is over asks for nothing"
    assert lee.open_goals(types=("other",)).goals == ()
    with pytest.raises(Denied):
        desk.seat("user:nobody").open_goals()
    for wrong in ({"size": 0}, {"after": "x"}):
        with pytest.raises(BadInput):
            lee.open_goals(**wrong)  # type: ignore[arg-type]


def test_that_a_goal_is_looked_at_seals_nothing_of_the_command(lee: Seat, case: str) -> None:
    """Else the words of every note on a case with such a goal would die with the person whom its measure is about."""
    lee.note_fact(case, "rent", Money("250.00", EUR))
    lee.set_goal(case, "rent", "fact('rent')", "200.00 EUR", want="at-most")
    lee.note(case, "she called")
    assert f'"sealed":{{"{case}":' in lee.journal(case)[-1]["body"]


def test_a_store_that_has_goals_already_gets_rows_of_them(open_store: Callable[..., Desk]) -> None:
    first = open_store()
    lee = first.seat("user:lee", roles={"clerk"})
    case = a_case(lee)
    lee.set_goal(case, "paid", "paid", "300.00 EUR", by="2026-12-01", owner="clerk")
    lee.set_goal(case, "rooms", "rooms", 3)
    lee.set_goal(case, "gone", "rooms", 4)
    lee.drop_goal(case, "gone")
    before = lee.open_goals()
    connection = first.shelf("main").connection
    for table in ("goals", "leaves", "checkpoints", "links", "standings", "levels"):  # all that came later
        connection.execute(f"DROP TABLE {table}")
    connection.execute("UPDATE alembic_version SET version_num = '0001'")
    first.close()
    again = open_store().seat("user:lee", roles={"clerk"})
    assert again.open_goals() == before
    assert len(before.goals) == 2
    assert again.desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
