"""Conditions: three-valued logic against an independent reference, explanations, refusals, and nothing beyond the grammar."""

from __future__ import annotations

import ast
import operator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casekit.decisions.conditions import Expression, Inputs, Scope, load
from casekit.decisions.grammar import DEEPEST, LONGEST
from casekit.errors import BadInput, Problem
from casekit.model.canonical import plain
from casekit.model.money import Money
from casekit.model.time import instant

WHERE = "fine.json: /transitions/pay/when"
SCOPE = Scope(
    data={
        "price": "money",
        "limit": "money",
        "status": "string",
        "born": "date",
        "heard_at": "date-time",
        "rate": "decimal",
        "i": "integer",
        "j": "integer",
        "p": "boolean",
        "q": "boolean",
        "r": "boolean",
        "tags": "other",
    },
    totals={"paid": "money"},
    facts={"income.monthly": "money", "phone": "string"},
    event={
        "amount": "money",
        "when": "date",
        "count": "integer",
        "rate": "decimal",
        "sure": "boolean",
        "at": "date-time",
        "word": "string",
    },
    states=frozenset({"open", "open.heard"}),
    clocks=frozenset({"answer"}),
    roles=frozenset({"debtor"}),
    documents=frozenset({"letter"}),
)


def made(text: str, want: str = "boolean", scope: Scope = SCOPE) -> Expression:
    return load(text, scope, WHERE, want)


def holds(text: str, **inputs: Any) -> bool | None:
    return made(text).holds(Inputs(**inputs))


# --- three-valued logic, against a reference that knows numbers only -----------------------------------------------

_SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_SUMS = {"+": operator.add, "-": operator.sub, "*": operator.mul}

integers = st.recursive(
    st.one_of(
        st.sampled_from(["i", "j"]).map(lambda n: ("read", n)),
        st.integers(0, 4).map(lambda n: ("written", n)),
    ),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from([*_SUMS]), inner, inner),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner),
        st.tuples(st.just("minus"), inner),
    ),
    max_leaves=5,
)
booleans = st.recursive(
    st.one_of(
        st.sampled_from(["p", "q", "r"]).map(lambda n: ("read", n)),
        st.booleans().map(lambda b: ("written", b)),
        st.tuples(st.just("compare"), integers, st.lists(st.tuples(st.sampled_from([*_SIGNS]), integers), min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["in", "not in"]), integers, st.lists(st.integers(-4, 4), min_size=1, max_size=3)),
        integers.map(lambda i: ("known", i)),
    ),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4)),
        st.tuples(st.just("not"), inner),
        st.tuples(st.just("if"), inner, inner, inner),
    ),
    max_leaves=12,
)


def written(tree: Any) -> str:  # noqa: C901 - one line for each kind of part
    match tree:
        case ("read", name):
            return str(name)
        case ("written", value):
            return repr(value)
        case ("compare", first, rest):
            return "(" + written(first) + "".join(f" {sign} {written(right)}" for sign, right in rest) + ")"
        case ("in" | "not in" as sign, left, values):
            return f"({written(left)} {sign} ({', '.join(map(repr, values))},))"
        case ("known", inner):
            return f"known({written(inner)})"
        case ("and" | "or" as word, inner):
            return "(" + f" {word} ".join(map(written, inner)) + ")"
        case ("not", inner):
            return f"(not {written(inner)})"
        case ("if", test, then, other):
            return f"({written(then)} if {written(test)} else {written(other)})"
        case ("minus", inner):
            return f"(-{written(inner)})"
        case ("min" | "max" as word, left, right):
            return f"{word}({written(left)}, {written(right)})"
        case (sign, left, right):
            return f"({written(left)} {sign} {written(right)})"
    raise AssertionError(tree)


def number(tree: Any, known: dict[str, Any]) -> int | None:
    match tree:
        case ("read", name):
            return known.get(name)  # type: ignore[no-any-return]
        case ("written", value):
            return int(value)
        case ("minus", inner):
            value = number(inner, known)
            return None if value is None else -value
        case (word, left, right):
            first, second = number(left, known), number(right, known)
            if first is None or second is None:
                return None
            return {**_SUMS, "min": min, "max": max}[word](first, second)  # type: ignore[operator, no-any-return]
    raise AssertionError(tree)


def truth(tree: Any, known: dict[str, Any]) -> float:
    """Kleene's strong logic in numbers: true 1, false 0, unknown one half; and is min, or is max, not is 1 - x."""
    match tree:
        case ("read" | "written", what):
            value = known.get(what) if tree[0] == "read" else what
            return 0.5 if value is None else float(value)
        case ("compare", first, rest):
            pairs, left = [], number(first, known)
            for sign, right_tree in rest:
                right = number(right_tree, known)
                pairs.append(0.5 if left is None or right is None else float(_SIGNS[sign](left, right)))
                left = right
            return min(pairs)
        case ("in" | "not in" as sign, left_tree, values):
            left = number(left_tree, known)
            return 0.5 if left is None else float((left in values) == (sign == "in"))
        case ("known", inner):
            return float(number(inner, known) is not None)
        case ("and", inner):
            return min(truth(t, known) for t in inner)
        case ("or", inner):
            return max(truth(t, known) for t in inner)
        case ("not", inner):
            return 1 - truth(inner, known)
        case ("if", test, then, other):
            asked = truth(test, known)
            return 0.5 if asked == 0.5 else truth(then if asked else other, known)
    raise AssertionError(tree)


cases = st.fixed_dictionaries(
    {},
    optional={**{n: st.one_of(st.none(), st.integers(-4, 4)) for n in "ij"}, **{n: st.one_of(st.none(), st.booleans()) for n in "pqr"}},
)


@given(booleans, cases)
def test_logic_is_kleenes(tree: Any, known: dict[str, Any]) -> None:
    assert made(written(tree)).holds(Inputs(data=known)) is {1.0: True, 0.0: False, 0.5: None}[truth(tree, known)]


@given(booleans, cases)
def test_an_explanation_agrees_with_the_judgement_and_names_what_is_missing(tree: Any, known: dict[str, Any]) -> None:
    inputs = Inputs(data=known)
    condition = made(written(tree))
    explained = condition.explain(inputs)
    assert explained.value is condition.holds(inputs)
    assert bool(explained.missing) is (explained.value is None)
    assert all(known.get(name) is None and name in "ijpqr" for name in explained.missing)
    assert len(explained.lines()) == _parts(explained)


def _parts(explained: Any) -> int:
    return 1 + sum(map(_parts, explained.parts))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("p and q", None),
        ("p and False", False),
        ("p or q", None),
        ("p or True", True),
        ("not p", None),
        ("p == p", None),
        ("i < 1", None),
        ("1 < 0 < i", False),
        ("i in (1, 2)", None),
        ("True if p else True", None),
        ("known(p)", False),
    ],
)
def test_unknown_is_neither_false_nor_true(text: str, value: bool | None) -> None:
    assert holds(text) is value


# --- values ---------------------------------------------------------------------------------------------------------

cents = st.integers(-(10**9), 10**9)


@given(cents, cents, st.integers(-1000, 1000))
def test_money_is_what_money_says(a: int, b: int, times: int) -> None:
    price, limit = Money.of_minor(a, "EUR"), Money.of_minor(b, "EUR")
    inputs = Inputs(data={"price": str(price), "limit": str(limit), "i": times})
    for text, wanted in {
        "price + limit": price + limit,
        "price - limit": price - limit,
        "price * i": price * times,
        "i * price": price * times,
        "-price": -price,
        "min(price, limit, 0)": min(price, limit, Money.zero("EUR")),
        "max(0, price - limit)": max(Money.zero("EUR"), price - limit),
        "price if price > limit else limit": max(price, limit),
        "price + money('0.01 EUR')": price + Money("0.01", "EUR"),
    }.items():
        assert made(text, "money").canonical(inputs) == str(wanted), text
    for sign, apply in _SIGNS.items():
        assert made(f"price {sign} limit").holds(inputs) is apply(price, limit)
        assert made(f"price {sign} 0").holds(inputs) is apply(a, 0)
        assert made(f"0 {sign} price").holds(inputs) is apply(0, a)
    assert made("price in (money('1.00 EUR'), 0)").holds(inputs) is (a in (100, 0))


decimals = st.builds(lambda n, e: format(Decimal(n).scaleb(-e), "f"), st.integers(-(10**8), 10**8), st.integers(0, 6))


@given(decimals, decimals, st.integers(-100, 100))
def test_decimals_are_exact(a: str, b: str, i: int) -> None:
    inputs = Inputs(data={"rate": a, "i": i})
    for sign, apply in _SUMS.items():
        value = made(f"rate {sign} decimal('{b}')", "decimal").canonical(inputs)
        assert Fraction(value) == apply(Fraction(a), Fraction(b))
        assert plain(Decimal(value)) == value
        assert not value.startswith("-0") or Fraction(value) != 0
        assert Fraction(made(f"i {sign} rate", "decimal").canonical(inputs)) == apply(Fraction(i), Fraction(a))
    for sign, compare in _SIGNS.items():
        assert made(f"rate {sign} i").holds(inputs) is compare(Fraction(a), i)


@given(st.integers(-2_200_000_000, 7_200_000_000), st.sampled_from(["America/New_York", "Pacific/Apia", "Europe/Rome", "UTC"]))
def test_today_is_the_day_in_the_zone_of_the_case(seconds: int, zone: str) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    inputs = Inputs(now=instant(at), zone=zone)
    today = at.astimezone(ZoneInfo(zone)).date()
    assert made("today", "date").canonical(inputs) == today.isoformat()
    assert made("now", "date-time").canonical(inputs) == instant(at)
    assert made("today >= day('2026-03-01')").holds(inputs) is (today >= datetime(2026, 3, 1, tzinfo=UTC).date())


def test_without_a_time_today_is_unknown() -> None:
    assert made("today", "date").canonical(Inputs()) is None
    assert made("now", "date-time").explain(Inputs()).missing == ("now",)


def test_states_clocks_parties_and_documents_are_counted_where_they_are() -> None:
    live = {"answer": {"1": {"status": "running"}, "2": {"status": "paused"}}}
    inputs: dict[str, Any] = {
        "active": frozenset({"open", "open.heard"}),
        "clocks": live,
        "ended": {"answer": ["met", "withdrawn"]},
        "parties": {"debtor": ["a", "b"]},
        "documents": {"letter": 3},
    }
    for text in (
        "at('open')",
        "at('open.heard')",
        "running('answer')",
        "paused('answer')",
        "not breached('answer')",
        "met('answer')",
        "withdrawn('answer')",
        "parties('debtor') == 2",
        "documents('letter') == 3",
    ):
        assert holds(text, **inputs) is True, text
        assert holds(text) is (text.startswith("not")), text  # nothing there: false, and not unknown
    assert holds("breached('answer')", clocks={"answer": {"1": {"status": "breached"}}}) is True
    assert holds("breached('answer')", ended={"answer": ["breached"]}) is True
    assert holds("breached('answer')", ended={"answer": ["met"]}, clocks=live) is False


def test_two_currencies_are_an_error_and_not_an_answer() -> None:
    inputs = Inputs(data={"price": "1.00 USD", "limit": "1.00 EUR"})
    for text in ("price < limit", "price in (money('1.00 EUR'),)", "min(price, limit) > 0", "price + limit > 0"):
        with pytest.raises(BadInput, match=r"1\.00 .* can't be set against an amount in"):
            made(text).holds(inputs)
    explained = made("p or price < limit").explain(inputs)  # a question does not fail
    assert explained.value is None
    assert explained.missing == ("1.00 EUR can't be set against an amount in USD",)


def test_what_grows_too_large_to_be_exact_is_an_error() -> None:
    for text, data in {
        "i * i > 0": {"i": 2**40},
        "price * i > 0": {"price": "9000000000000.00 EUR", "i": 1000},
        "rate * rate > 0": {"rate": "12345678901234567890"},
        "price + price > 0": {"price": "90000000000000.00 EUR"},
    }.items():
        with pytest.raises(BadInput):
            made(text).holds(Inputs(data=data))


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("event.amount > 0", {"amount": 5}),
        ("event.amount > 0", {"amount": "lots"}),
        ("event.amount > 0", {"amount": ["1.00 EUR"]}),
        ("event.when < today", {"when": "24.11.2026"}),
        ("event.when < today", {"when": "2026-11-24\n"}),
        ("event.at < now", {"at": "2026-11-24"}),
        ("event.count > 0", {"count": "1"}),
        ("event.count > 0", {"count": True}),
        ("event.rate > 0", {"rate": "1,5"}),
        ("event.rate > 0", {"rate": "NaN"}),
        ("event.sure", {"sure": 1}),
        ("event.word == 'x'", {"word": 1}),
    ],
)
def test_an_event_field_that_does_not_fit_is_bad_input(text: str, event: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        holds(text, event=event, now="2026-01-01T00:00:00.000000Z")
    assert holds(text, now="2026-01-01T00:00:00.000000Z") is None


def test_only_what_is_asked_for_is_read() -> None:
    class Sealed(dict[str, Any]):
        read: tuple[str, ...] = ()

        def get(self, name: str, default: Any = None) -> Any:
            self.read += (name,)
            return super().get(name, default)

    data = Sealed(p=False, q=True, status="x")
    assert holds("p and q and status == 'x'", data=data) is False
    assert data.read == ("p",)


# --- explanations ---------------------------------------------------------------------------------------------------


def test_an_explanation_shows_each_part_with_its_value() -> None:
    condition = made("at('open') and (price - paid <= limit or fact('income.monthly') > money('100.00 EUR')) and not event.sure")
    data, totals = {"price": "9.00 EUR", "limit": "2.00 EUR"}, {"paid": "1.00 EUR"}
    explained = condition.explain(Inputs(data=data, totals=totals, active=frozenset({"open"}), event={"sure": False}))
    assert explained.lines() == [
        "at('open') and (price - paid <= limit or fact('income.monthly') > money('100.00 EUR')) and not event.sure: unknown",
        "  at('open'): true",
        "  price - paid <= limit or fact('income.monthly') > money('100.00 EUR'): unknown",
        "    price - paid <= limit: false",
        "      price - paid: 8.00 EUR",
        "        price: 9.00 EUR",
        "        paid: 1.00 EUR",
        "      limit: 2.00 EUR",
        "    fact('income.monthly') > money('100.00 EUR'): unknown",
        "      fact('income.monthly'): unknown",
        "  not event.sure: true",
        "    event.sure: false",
    ]
    assert explained.missing == ("fact:income.monthly",)


def test_a_condition_over_several_lines_and_in_other_scripts_reads_the_same() -> None:
    condition = made("  status == 'Grüße'\n\tor status == '日本' or i\n > 0 ")
    assert [part.text for part in condition.explain(Inputs()).parts] == ["status == 'Grüße'", "status == '日本'", "i  > 0"]
    assert condition.holds(Inputs(data={"status": "日本"})) is True


# --- refusals -------------------------------------------------------------------------------------------------------

REFUSED = [
    ("", "is empty"),
    (" \n", "is empty"),
    ("p" + " " * LONGEST, f"more than {LONGEST} characters"),
    ("not " * 60 + "p", f"more than {DEEPEST} deep"),
    ("(" * 300 + "p" + ")" * 300, "bre|deep"),
    ("i" + " + i" * 80 + " > 0", "deep"),
    ("p and", "breaks off"),
    ("p q", "breaks off"),
    ("p = q", "'=' at character 3"),
    ("p := q", "':' at character 3"),
    ("lambda: p", "':' at character 7"),
    ("i / j == 1", "'/' at character 3"),
    ("i % 2 == 0", "'%' at character 3"),
    ("i ** 9 > 0", "only . - and"),
    ("1.5 < 2", "'1.5' at character 1"),
    ("1e9 < 2", "'1e9' at character 1"),
    ("0x10 < 2", "'0x10' at character 1"),
    ("007 < 2", "breaks off"),
    ("99999999999999999 > i", "too large to be exact"),
    ("status == 'a\\x41'", "at character 11"),
    ("status == 'a", "at character 11"),
    ("status == b'a'", "'b' at character 11"),
    ("status == f'{p}'", "'f' at character 11"),
    ("status == '''a'''", "at character 11"),
    ("stätus == 'a'", "at character 3"),
    ("p # q", "'#' at character 3"),
    ("tags[0] == 1", r"'\[' at character 5"),
    ("{p}", "'{' at character 1"),
    ("\x00", "at character 1"),
    ("\ud800", "lone surrogate"),
    ("nothing", "'nothing' is no field and no total here"),
    ("at", "asked with brackets"),
    ("None", "'None' can't stand"),
    ("...", "can't stand|breaks off"),
    ("status is None", "can't stand in a condition"),
    ("event", "is no field and no total"),
    ("event.other", "'event.other' is no field of an event"),
    ("event.__class__", "is no field of an event"),
    ("status.upper", "'status.upper' can't stand"),
    ("event.when.year", "can't stand"),
    ("().__class__", "can't stand"),
    ("status.upper()", "can't be asked"),
    ("open('x')", "can't be asked"),
    ("__import__('os')", "can't be asked"),
    ("at('open')('open')", "can't be asked"),
    ("known(x=p)", "'=' at character 8"),
    ("max(i, j, **p) > 0", "can't be asked"),
    ("known()", "asks about one thing"),
    ("known(p, q)", "asks about one thing"),
    ("known(nothing)", "is no field"),
    ("known(*tags)", "can't stand"),
    ("at('nowhere')", "names a state that is not declared"),
    ("at(status)", "takes one text that is written out"),
    ("at('open', 'open')", "takes one text that is written out"),
    ("running('nothing')", "names a clock that is not declared"),
    ("met('nothing')", "names a clock that is not declared"),
    ("parties('nobody') > 0", "names a role that is not declared"),
    ("documents('nothing') > 0", "names a kind of document that is not declared"),
    ("fact('nothing') > 0", "names a fact that is not declared"),
    ("price > money('1 EUR')", "'1 EUR' is not written out"),
    ("price > money('1.00 XXX')", "'XXX' is no ISO 4217 code"),
    ("born > day('2026-02-30')", "'2026-02-30' is no day"),
    ("rate > decimal('1e5')", "'1e5' is no decimal"),
    ("p for p in tags", "can't stand|breaks off"),
    ("(p for q in tags)", "can't stand"),
    ("(p, q)", "can't stand"),
    ("p if q", "breaks off"),
    ("await p", "can't stand|breaks off"),
    ("(yield)", "can't stand|breaks off"),
    ("+i > 0", "'.i' can't stand"),
    ("i in tags", "is no list of values"),
    ("i in (1)", "is no list of values"),
    ("i in ()", "is no list of values"),
    ("i in (1, j)", "'j' is not written out"),
    ("i in (1,) == p", "can't stand"),
    ("p in (1,)", "compares a test with an integer"),
    ("status in ('a', 1)", "compares a text with an integer"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[f"{i}" for i in range(len(REFUSED))])
def test_what_is_not_of_the_grammar_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as wrong:
        made(text)
    assert [problem.where for problem in wrong.value.problems] == [WHERE]
    assert all(problem.do for problem in wrong.value.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("price", "'price' is money, and a test is wanted here"),
        ("price and p", "'price' is money, and a test"),
        ("not i", "'i' is an integer, and a test"),
        ("p if i else q", "'i' is an integer, and a test"),
        ("price > 5", "compares money with an integer"),
        ("price > rate", "compares money with a decimal"),
        ("price > i", "compares money with an integer"),
        ("born > heard_at", "compares a day with an instant"),
        ("born > '2026-01-01'", "compares a day with a text"),
        ("status == 1", "compares a text with an integer"),
        ("p == 1", "compares a test with an integer"),
        ("status < 'b'", "puts a text in an order"),
        ("p < q", "puts a test in an order"),
        ("tags == tags", "compares lists or maps"),
        ("price * price > 0", "joins money and money"),
        ("price * rate > 0", "joins money and a decimal"),
        ("price + i > 0", "joins money and an integer"),
        ("price + 0 > 0", "joins money and an integer"),
        ("born + i > born", "joins a day and an integer"),
        ("status + status == 'aa'", "joins a text and a text"),
        ("-status == 'a'", "takes a text from nothing"),
        ("min(price) > 0", "two values or more"),
        ("min(price, i) > 0", "two values or more of one kind"),
        ("min(status, status) == 'a'", "of one kind that has an order"),
        ("(price if p else i) > 0", "is money or an integer"),
    ],
)
def test_kinds_that_do_not_go_together_are_refused_when_it_loads(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        made(text)


@pytest.mark.parametrize(
    ("text", "want", "words"),
    [
        ("price", "boolean", "is money, and a test is wanted here"),
        ("0", "money", r"write money\('0.00 EUR'\)"),
        ("rate", "integer", "is a decimal, and an integer is wanted"),
        ("today", "date-time", "is a day, and an instant is wanted"),
        ("i", "money", "is an integer, and money is wanted"),
    ],
)
def test_what_is_wanted_is_said(text: str, want: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        made(text, want)


def test_an_integer_will_do_for_a_decimal_and_becomes_its_text() -> None:
    assert made("i + 1", "decimal").canonical(Inputs(data={"i": 1})) == "2"
    assert made("tags", "any").canonical(Inputs(data={"tags": [1]})) == [1]


def test_what_is_written_in_the_clear_may_not_rest_on_what_is_personal() -> None:
    scope = Scope(data={"name": "string", "i": "integer"}, facts={"phone": "string"}, event={"word": "string"})
    sealed = Scope(scope.data, {}, scope.facts, scope.event, sealed=frozenset({"name", "fact:phone", "event.word"}))
    for text in ("name", "fact('phone')", "event.word", "i if known(name) else 0"):
        load(text, scope, WHERE, "any")
        with pytest.raises(BadInput, match="is personal, and what this comes to is written in the clear"):
            load(text, sealed, WHERE, "any")


def test_a_scope_without_time_has_no_today() -> None:
    with pytest.raises(BadInput, match="'today' is no field"):
        load("today", Scope(time=False), WHERE, "any")


def test_without_declared_kinds_any_document_may_be_named() -> None:
    assert load("documents('x') == 0", Scope(), WHERE).holds(Inputs()) is True


# --- nothing but the grammar ----------------------------------------------------------------------------------------

_NODES = (
    ast.Expression | ast.Constant | ast.Name | ast.Attribute | ast.BoolOp | ast.UnaryOp | ast.IfExp | ast.BinOp | ast.Compare | ast.Call
    | ast.Tuple | ast.Load | ast.And | ast.Or | ast.Not | ast.USub | ast.Add | ast.Sub | ast.Mult | ast.cmpop
)  # fmt: skip
_WORDS = {
    *SCOPE.data, *SCOPE.totals, "event", "today", "now", "at", "running", "paused", "breached", "met", "withdrawn", "known", "fact",
    "parties", "documents", "money", "day", "decimal", "min", "max",
}  # fmt: skip

python = st.recursive(
    st.sampled_from(
        [
            *SCOPE.data,
            "event",
            "today",
            "at",
            "known",
            "__import__",
            "self",
            "0",
            "1",
            "-7",
            "1.5",
            "1e400",
            "0b1",
            "10**10",
            "'a'",
            '"b"',
            "b'c'",
            "f'{i}'",
            "r'd'",
            "None",
            "True",
            "...",
            "9" * 5000,
            "'\\N{BULLET}'",
            "'%s'",
            "'open'",
            "'answer'",
            "1j",
            "__name__",
            "ｉ",
        ]
    ),
    lambda inner: st.one_of(
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^", "and", "or", "<", "==", "is", "in"]),
            inner,
        ),
        st.builds("({} {})".format, st.sampled_from(["not", "-", "+", "~", "await", "yield", "lambda:", "lambda x:", "*"]), inner),
        st.builds("{}({})".format, inner, inner),
        st.builds("{}(**{})".format, inner, inner),
        st.builds("{}(x={}, *{})".format, inner, inner, inner),
        st.builds("{}[{}:{}]".format, inner, inner, inner),
        st.builds("{}.{}".format, inner, st.sampled_from(["amount", "__class__", "upper()", "x"])),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{} for {} in {}]".format, inner, inner, inner),
        st.builds("({}, {})".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
        st.builds("({} := {})".format, inner, inner),
        st.builds("{}('{}')".format, st.sampled_from(["at", "met", "fact", "money", "day", "decimal"]), inner),
    ),
    max_leaves=15,
)
soup = st.lists(
    st.sampled_from(
        [
            *SCOPE.data,
            "event",
            ".",
            "amount",
            "at",
            "(",
            ")",
            "'open'",
            "known",
            "and",
            "or",
            "not",
            "in",
            "<",
            "==",
            "+",
            "-",
            "*",
            ",",
            "0",
            "1",
            "if",
            "else",
            "money",
            "'1.00 EUR'",
            "min",
            "max",
            "today",
            "day",
            "'2026-01-01'",
            "True",
            "is",
            "lambda",
            "fact",
            "\n",
        ]
    ),
    max_size=25,
).map(" ".join)


@settings(deadline=5000, max_examples=400)
@given(st.one_of(python, soup, booleans.map(written), st.text(max_size=60)), st.sampled_from(["boolean", "money", "integer", "any"]))
@example("(" * 1990, "any")
@example("-" * 1999 + "1", "any")
@example("i if p else " * 160 + "i", "any")
@example("i<" * 900 + "i", "any")
@example("f(" * 600 + ")" * 600, "any")
@example("not " * 499 + "p", "any")
@example("p and " * 300 + "p", "any")
@example("max(" * 400 + "i" + ")" * 400, "any")
@example("i in (" + "1," * 900 + ")", "any")
@example("event." + "x." * 900 + "x", "any")
def test_any_text_either_loads_or_is_bad_input_and_holds_nothing_else(text: str, want: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        expression = made(text, want)
    except BadInput as wrong:
        problems = wrong.problems
    assert {problem.where for problem in problems} <= {WHERE}
    if problems:
        return
    tree = ast.parse(" ".join(text.split()), mode="eval")
    for node in ast.walk(tree):
        assert isinstance(node, _NODES), ast.dump(node)
        assert not isinstance(node, ast.Is | ast.IsNot)
        assert not isinstance(node, ast.Name) or node.id in _WORDS
        assert not isinstance(node, ast.Constant) or type(node.value) in (str, int, bool)
    full = Inputs(
        data={"price": "1.00 EUR", "limit": "2.00 USD", "status": "a", "born": "2026-01-01", "i": 2, "j": -3, "p": True, "rate": "0.50"},
        event={"amount": "3.00 EUR"},
        now="2026-01-01T00:00:00.000000Z",
    )
    for inputs in (Inputs(), full):
        explained = expression.explain(inputs)
        try:
            value = expression.canonical(inputs)
        except BadInput:
            continue
        assert plain(value) == value
        assert explained.value == value or expression.kind == "decimal"
