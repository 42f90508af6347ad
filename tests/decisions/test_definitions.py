"""Case types that make no sense: each planted defect is named with its path, all of them at once, and a sound one passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casekit.decisions.check import check
from casekit.decisions.compiled import compile_type
from casekit.definition.casetype import (
    ALWAYS,
    Action,
    Book,
    CaseType,
    Clock,
    DocumentKind,
    Requirement,
    Role,
    State,
    Total,
    Transition,
    role,
)
from casekit.definition.fields import Field, field
from casekit.definition.load import canonical, digest, structure
from casekit.errors import BadInput
from casekit.model.money import Money

SOUND = CaseType(
    key="sound.case",
    version="1.0",
    title="Sound",
    initial="open",
    states={
        "open": State("Open", "open", "new", {"new": State("New"), "heard": State("Heard", on_enter=(Action(set={"heard_on": "today"}),))}),
        "done": State("Done", "closed", outcome="done"),
    },
    transitions={
        "hear": Transition("open.new", "open.heard", form={"fee": field(Money), "word": field(str, personal=True)}, when="event.fee > 0"),
        "finish": Transition(
            "open", "done", requires=("paid-up", "plugin.rule"), allow="sound.finish", do=(Action(run="tell", args={"n": "n"}),)
        ),
        "auto": Transition("open", "done", on=ALWAYS, when="n > 9", requires="paid-up"),
        "answered": Transition("open", None, on="clock.answer.met"),
        "noted": Transition("open", None, on="fact.income.monthly"),
        "filed": Transition("open", None, on="document.letter"),
    },
    data={
        "n": field(int, report=True),
        "price": field(Money, currency="EUR"),
        "heard_on": field(date),
        "due_at": field(datetime),
        "name": field(str, personal=True, owner="debtor"),
        "tags": field(list, items={"type": "string", "enum": ["a", "b"]}),
    },
    facts={"income.monthly": field(Money)},
    roles={"debtor": role((1, 3)), "clerk": role(kind="staff")},
    clocks={
        "answer": Clock("P14D", start="at('open')", stop="at('open.heard')", warn=("-P3D",)),
        "fixed": Clock(kind="fixed", due="due_at", start="known(due_at)"),
        "promise": Clock(kind="fixed", each=True),
    },
    requirements={"paid-up": Requirement("open_sum <= 0"), "guarded": Requirement("event.amount > 0 and parties('debtor') > 0")},
    guards={"pay": ("guarded",), "charge": ("guarded",)},
    closing=("paid-up",),
    totals={"owed": Total(("charge",), ("fee",)), "paid": Total(("payment",)), "open_sum": Total(of="owed - paid")},
    ledger=Book("EUR", ("fee",), opening={"fee": "price"}),
    documents={"letter": DocumentKind("Letter", "out")},
    number="S-{year}-{seq:05}",
    zone="Europe/Rome",
    overlay={"/clocks/answer/amount": "tighten"},
)
RULES = ("plugin.rule",)


def whole(case_type: CaseType) -> None:
    check(case_type, "sound.json")
    compile_type(case_type, digest(case_type), RULES, "sound.json")


def test_a_sound_case_type_passes_in_both_forms() -> None:
    whole(SOUND)
    read = structure(canonical(SOUND), CaseType, "sound.json")
    whole(read)
    assert digest(read) == digest(SOUND)


Change = Callable[[CaseType], CaseType]


def put(group: str, **records: Any) -> Change:
    """Records laid over those of a group; ``None`` takes one away. ``a__b`` stands for a name that Python can't write."""

    def change(case_type: CaseType) -> CaseType:
        known = {**getattr(case_type, group), **{_NAMES.get(name, name): record for name, record in records.items()}}
        kept = {name: record for name, record in known.items() if record is not None}
        return attrs.evolve(case_type, **{group: kept})

    return change


def but(**values: Any) -> Change:
    return lambda case_type: attrs.evolve(case_type, **values)


def on(group: str, name: str, **values: Any) -> Change:
    """One record of a group, changed."""
    return lambda case_type: put(group, **{name: attrs.evolve(getattr(case_type, group)[name], **values)})(case_type)


_NAMES = {"hyphened_name": "hyphened-name", "keyword": "class", "big": "Big", "odd_key": "odd_key", "spaced": "two words"}
STATES = dict(SOUND.states)

CHECKED: list[tuple[Change, str, str]] = [
    (but(key="Sound Case"), "/key", "is no key"),
    (but(version=""), "/version", "is empty"),
    (but(number="S-{year}"), "/number", "is no pattern"),
    (but(number="S-{month}-{seq}"), "/number", "is no pattern"),
    (but(zone="Mars/Olympus"), "/zone", "is no IANA time zone"),
    (but(overlay={"/x": "loose"}), "/overlay//x", "is no lock"),
    (but(initial="nowhere"), "/initial", "is no state here"),
    (but(guards={"open": ("paid-up",)}), "/guards/open", "no such command"),
    (put("states", big=State("Big", "open")), "/states/Big", "can't be a name here"),
    (put("states", lone=State("Lone", "open")), "/states/lone", "no transition leads here"),
    (put("states", done=State("Done", outcome="done")), "/states/done/category", "is missing"),
    (put("states", done=State("Done", "finished")), "/states/done/category", "is no category"),  # type: ignore[arg-type]
    (put("states", done=State("Done", "closed", "inner")), "/states/done/initial", "there are no inner states"),
    (on("states", "open", initial="gone"), "/states/open/initial", "is no state here"),
    (on("transitions", "hear", source="open.old"), "/transitions/hear/source", "'open.old' is no state"),
    (on("transitions", "hear", source=("open.new", "new")), "/transitions/hear/source", "'new' is no state"),
    (on("transitions", "noted", source=()), "/transitions/noted/source", "is empty"),
    (on("transitions", "finish", target="heard"), "/transitions/finish/target", "'heard' is no state"),
    (on("transitions", "auto", when=""), "/transitions/auto/when", "needs a condition"),
    (on("transitions", "auto", allow="x"), "/transitions/auto", "nobody fires 'always'"),
    (on("transitions", "auto", requires=("plugin.rule",)), "/transitions/auto/requires", "no plugin is asked"),
    (on("transitions", "noted", reason=True), "/transitions/noted", "nobody fires 'fact.income.monthly'"),
    (on("transitions", "noted", on="fact.income"), "/transitions/noted/on", "no fact 'income'"),
    (on("transitions", "filed", on="document.note"), "/transitions/filed/on", "no document 'note'"),
    (on("transitions", "answered", on="clock.reply.met"), "/transitions/answered/on", "no clock 'reply'"),
    (on("transitions", "hear", form={"fee": field(Money), "now": field(date)}), "/transitions/hear/form/now", "something else"),
    (
        on("transitions", "hear", form={"fee": field(Money), "word": field(str)}),
        "/transitions/hear/form/word/personal",
        "whether it is personal",
    ),
    (put("data", hyphened_name=field(int)), "/data/hyphened-name", "can't be a name here"),
    (put("data", keyword=field(int)), "/data/class", "something else"),
    (put("data", today=field(date)), "/data/today", "something else"),
    (put("data", text=field(str)), "/data/text/personal", "whether it is personal"),
    (put("data", many=field(list, items=str)), "/data/many/personal", "whether it is personal"),
    (put("data", mine=field(int, owner="debtor")), "/data/mine/owner", "only a personal field"),
    (put("data", mine=field(str, personal=True, owner="nobody")), "/data/mine/owner", "no role 'nobody'"),
    (put("data", when=field(date, report=True)), "/data/when/report", "summed up"),
    (put("data", wage=field(Money, personal=True, report=True)), "/data/wage/report", "summed up"),
    (put("data", half=Field({"type": "number"})), "/data/half/schema", "not exact"),
    (put("data", half=Field({"type": "array", "items": {"type": ["null", "number"]}})), "/data/half/schema", "not exact"),
    (put("data", odd=Field({"type": "strange"})), "/data/odd/schema/type", "is not valid"),
    (put("facts", odd_key=field(int)), "/facts/odd_key", "is no key"),
    (put("facts", text=field(str)), "/facts/text/personal", "whether it is personal"),
    (put("roles", big=Role()), "/roles/Big", "can't be a name"),
    (put("roles", none=role((2, 1))), "/roles/none", "2 to 1 parties"),
    (put("roles", none=role((0, 0))), "/roles/none", "0 to 0 parties"),
    (put("roles", none=role(kind="robot")), "/roles/none/kinds", "'robot' is no kind of party"),
    (put("documents", big=DocumentKind()), "/documents/Big", "can't be a name"),
    (put("requirements", odd_key=Requirement("n > 0")), "/requirements/odd_key", "is no key"),
    (on("clocks", "answer", amount=""), "/clocks/answer/amount", "is missing"),
    (on("clocks", "answer", amount="-P1D"), "/clocks/answer/amount", "no time at all"),
    (on("clocks", "answer", amount="PT0S"), "/clocks/answer/amount", "no time at all"),
    (on("clocks", "answer", due="due_at"), "/clocks/answer", "neither due nor each"),
    (on("clocks", "answer", start=""), "/clocks/answer/start", "is missing"),
    (on("clocks", "answer", warn=("P3D",)), "/clocks/answer/warn/0", "does not lie before"),
    (on("clocks", "fixed", amount="P1D"), "/clocks/fixed/amount", "no amount"),
    (on("clocks", "fixed", due="n"), "/clocks/fixed/due", "no clear field"),
    (on("clocks", "fixed", due="nothing"), "/clocks/fixed/due", "no clear field"),
    (on("clocks", "fixed", due=""), "/clocks/fixed", "either a due field or each"),
    (on("clocks", "promise", start="n > 0"), "/clocks/promise", "bring their own start"),
    (put("totals", n=Total(("charge",))), "/totals/n", "the same name"),
    (put("totals", hyphened_name=Total(("charge",))), "/totals/hyphened-name", "can't be a name"),
    (put("totals", both=Total(("charge",), of="owed")), "/totals/both", "say kinds, or of"),
    (put("totals", none=Total()), "/totals/none", "say kinds, or of"),
    (put("totals", tax=Total(("charge",), ("tax",))), "/totals/tax/components", "no component 'tax'"),
    (but(ledger=Book("EUX", ("fee",))), "/ledger/currency", "is no ISO 4217 code"),
    (but(ledger=Book("EUR", ("fee",), opening={"tax": "price"})), "/ledger/opening/tax", "no such component"),
]

LOADED: list[tuple[Change, str, str]] = [
    (on("transitions", "hear", when="event.tip > 0"), "/transitions/hear/when", "'event.tip' is no field"),
    (on("transitions", "auto", when="event.fee > 0"), "/transitions/auto/when", "'event.fee' is no field"),
    (on("transitions", "finish", requires=("paid-up", "plugin.gone")), "/transitions/finish/requires", "no requirement 'plugin.gone'"),
    (on("transitions", "finish", do=(Action(), Action(set={"m": "1"}))), "/transitions/finish/do/1/set/m", "no such field"),
    (on("transitions", "finish", do=(Action(set={"name": "'x'"}),)), "/transitions/finish/do/0/set/name", "never set by an expression"),
    (on("transitions", "finish", do=(Action(set={"n": "price"}),)), "/transitions/finish/do/0/set/n", "an integer is wanted"),
    (on("transitions", "finish", do=(Action(set={"n": ""}),)), "/transitions/finish/do/0/set/n", "is empty"),
    (on("transitions", "finish", do=(Action(run="x", args={"who": "name"}),)), "/transitions/finish/do/0/args/who", "is personal"),
    (
        on("transitions", "hear", do=(Action(run="x", args={"word": "event.word"}),)),
        "/transitions/hear/do/0/args/word",
        "is personal",
    ),
    (
        put("states", open=attrs.evolve(STATES["open"], on_exit=(Action(set={"n": "m"}),))),
        "/states/open/on_exit/0/set/n",
        "'m' is no field",
    ),
    (
        put(
            "states",
            open=attrs.evolve(STATES["open"], states={**STATES["open"].states, "heard": State("H", on_enter=(Action(set={"n": "m"}),))}),
        ),
        "/states/open/states/heard/on_enter/0/set/n",
        "'m' is no field",
    ),
    (on("clocks", "answer", amount="14 days"), "/clocks/answer/amount", "is no duration"),
    (on("clocks", "answer", warn=("-P1D", "-3D")), "/clocks/answer/warn/1", "is no duration"),
    (on("clocks", "answer", start="at('new')"), "/clocks/answer/start", "names a state"),
    (on("clocks", "answer", stop="n"), "/clocks/answer/stop", "a test is wanted"),
    (on("clocks", "answer", pause="met('it')"), "/clocks/answer/pause", "names a clock"),
    (on("clocks", "answer", cancel="and"), "/clocks/answer/cancel", "breaks off"),
    (put("requirements", odd=Requirement("")), "/requirements/odd/when", "is empty"),
    (put("requirements", odd=Requirement("event.fee > 0")), "/requirements/odd/when", "'event.fee' is no field"),
    (
        on("requirements", "guarded", when="event.component == 'fee' and event.direction == 'in'"),
        "/requirements/guarded/when",
        "event.direction",
    ),
    (but(guards={**SOUND.guards, "reverse": ("gone",)}), "/guards/reverse", "no requirement 'gone'"),
    (but(closing=("gone",)), "/closing", "no requirement 'gone'"),
    (on("totals", "open_sum", of="owed - later"), "/totals/open_sum/of", "'later' is no field"),
    (on("totals", "open_sum", of="owed - open_sum"), "/totals/open_sum/of", "'open_sum' is no field"),
    (on("totals", "open_sum", of="price"), "/totals/open_sum/of", "'price' is no field"),
    (on("totals", "open_sum", of="owed if today > day('2026-01-01') else paid"), "/totals/open_sum/of", "'today' is no field"),
    (on("totals", "open_sum", of="owed * documents('letter')"), "/totals/open_sum/of", "names a kind of document"),
    (on("totals", "owed", kinds=(), components=(), of="paid"), "/totals/owed/of", "'paid' is no field"),  # it is computed after owed
    (but(ledger=Book("EUR", ("fee",), opening={"fee": "n"})), "/ledger/opening/fee", "money is wanted"),
    (but(ledger=Book("EUR", ("fee",), opening={"fee": ""})), "/ledger/opening/fee", "is empty"),
]


def _ids(rows: list[tuple[Change, str, str]]) -> list[str]:
    return [f"{path} {words}" for _, path, words in rows]


@pytest.mark.parametrize(("change", "path", "words"), CHECKED, ids=_ids(CHECKED))
def test_a_planted_defect_is_named_with_its_path(change: Change, path: str, words: str) -> None:
    with pytest.raises(BadInput) as wrong:
        check(change(SOUND), "sound.json")
    found = [p for p in wrong.value.problems if p.where == f"sound.json: {path}"]
    assert any(words in p.what or words in p.do for p in found), wrong.value
    assert all(p.do for p in found)


@pytest.mark.parametrize(("change", "path", "words"), LOADED, ids=_ids(LOADED))
def test_a_condition_that_makes_no_sense_is_named_with_its_path(change: Change, path: str, words: str) -> None:
    broken = change(SOUND)
    with pytest.raises(BadInput) as wrong:
        compile_type(broken, digest(broken), RULES, "sound.json")
    assert {p.where for p in wrong.value.problems} == {f"sound.json: {path}"}
    assert any(words in p.what or words in p.do for p in wrong.value.problems), wrong.value


def _apart(rows: list[tuple[Change, str, str]]) -> st.SearchStrategy[list[tuple[Change, str, str]]]:
    """Defects in different records."""
    return st.lists(st.sampled_from(rows), min_size=2, max_size=5, unique_by=lambda row: row[1].split("/")[1:3][-1])


@settings(deadline=None, max_examples=60)
@given(_apart([row for row in LOADED if not row[1].startswith(("/guards", "/totals"))]))
def test_all_that_is_wrong_is_said_at_once(planted: list[tuple[Change, str, str]]) -> None:
    broken = SOUND
    for change, _, _ in planted:
        broken = change(broken)
    with pytest.raises(BadInput) as wrong:
        compile_type(broken, digest(broken), RULES, "sound.json")
    named = {p.where for p in wrong.value.problems}
    assert {f"sound.json: {path}" for _, path, _ in planted} == named


def test_all_that_is_wrong_with_names_and_records_is_said_at_once() -> None:
    broken = SOUND
    for change in (
        but(version="", zone="x"),
        put("data", text=field(str)),
        on("clocks", "answer", amount=""),
        on("transitions", "noted", source=()),
    ):
        broken = change(broken)
    with pytest.raises(BadInput) as wrong:
        check(broken)
    assert {p.where for p in wrong.value.problems} == {
        f"sound.case: {path}" for path in ("/version", "/zone", "/data/text/personal", "/clocks/answer/amount", "/transitions/noted/source")
    }


def test_a_ledger_is_needed_for_totals_and_promises_and_its_currency_must_be_known() -> None:
    without = attrs.evolve(SOUND, ledger=None)
    with pytest.raises(BadInput) as wrong:
        check(without)
    assert {p.where for p in wrong.value.problems} == {"sound.case: /totals", "sound.case: /clocks/promise"}
    with pytest.raises(BadInput, match="no clear field holds money"):
        check(put("data", price=None)(attrs.evolve(SOUND, ledger=Book("", ("fee",)))))
    check(attrs.evolve(SOUND, ledger=Book("", ("fee",))))  # the currency is that of the price


def test_any_rule_is_taken_to_be_a_plugins_where_none_are_listed() -> None:
    built = compile_type(SOUND, digest(SOUND), None)
    assert built.foreign == {"plugin.rule"}
    with pytest.raises(BadInput, match=r"no requirement 'plugin.rule'.*those known are"):
        compile_type(SOUND, digest(SOUND), ())


def test_what_the_core_raises_by_itself_nobody_fires() -> None:
    ways = {e: Transition("open", None, on=e) for e in ("payment", "reversal", "chosen", "message.in", "clock.answer.breached")}
    built = compile_type(put("transitions", **{e.replace(".", "_"): way for e, way in ways.items()})(SOUND), "", RULES)
    assert built.fired == {"hear", "finish"}
    assert {*ways, ALWAYS, "clock.answer.met", "fact.income.monthly", "document.letter"} <= set(built.ways)


def test_a_requirement_sees_of_its_events_what_is_of_one_kind_in_all() -> None:
    mixed = put("transitions", tip=Transition("open", None, requires="odd", form={"amount": field(int)}))(SOUND)
    mixed = put("transitions", fee=Transition("open", None, requires="odd", form={"amount": field(Money)}))(mixed)
    with pytest.raises(BadInput, match=r"'event\.amount' is no field"):
        compile_type(put("requirements", odd=Requirement("event.amount > 0"))(mixed), "", RULES)


def test_documents_of_any_kind_may_be_named_where_none_are_declared() -> None:
    free = but(documents={}, transitions={**SOUND.transitions, "filed": Transition("open", None, on="document.anything")})(SOUND)
    whole(free)
    compile_type(put("requirements", odd=Requirement("documents('x') > 0"))(free), "", RULES)


def test_an_initial_state_is_reached_however_the_state_around_it_is() -> None:
    inner = {"b": State("B", "open", "c", {"c": State("C"), "d": State("D")}), "e": State("E", "open")}
    states = {"a": State("A", "open", "b", inner)}
    ways = {"first": Transition("a", "a.b.d"), "up": Transition("a.b", "a.e")}
    check(CaseType("nested", "1", "Nested", "a", states, ways))
    # Entered only at d, the initial state of b is never reached.
    with pytest.raises(BadInput, match="/states/a/states/b/states/c: no transition leads here"):
        check(CaseType("nested", "1", "Nested", "a", {"a": attrs.evolve(states["a"], initial="e")}, ways))


def test_only_a_fact_that_has_an_owner_is_joint() -> None:
    fine = field(str, personal=True, owner="debtor", joint=True)
    check(attrs.evolve(SOUND, facts={**SOUND.facts, "means": fine}))
    for group, wrong in (("data", fine), ("facts", field(str, personal=True, joint=True))):
        with pytest.raises(BadInput, match="only a fact that has an owner can be joint"):
            check(attrs.evolve(SOUND, **{group: {**getattr(SOUND, group), "means": wrong}}))
