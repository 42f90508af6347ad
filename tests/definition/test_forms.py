from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from casekit.definition import forms
from casekit.definition.casetype import CaseType, State
from casekit.definition.fields import Field, field
from casekit.definition.forms import Form
from casekit.definition.patterns import compiled
from casekit.errors import BadInput
from casekit.model.money import Money

FIELDS = {
    "amount": field(Money, currency="EUR"),
    "income": field(Money),
    "day": field(date),
    "at": field(datetime),
    "rate": field({"type": "string", "format": "decimal"}),
    "rooms": field(int, minimum=1),
    "kind": field(str, enum=("flat", "house"), required=True),
    "code": field(str, pattern="^[A-Z]{2}$", personal=False),
    "address": field({"type": "object", "properties": {"zip": {"type": "string"}}, "required": ["zip"], "additionalProperties": False}),
}
FORM = Form(FIELDS)


def refused(values: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(BadInput) as wrong:
        FORM.read({"kind": "flat"} | values, "data")
    return {p.where: f"{p.what}; {p.do}" for p in wrong.value.problems}


def test_values_come_back_in_canonical_form() -> None:
    given_ = {
        "kind": "flat", "amount": Money("1.00", "EUR"), "day": date(2026, 11, 24), "at": datetime(2026, 11, 24, 14, tzinfo=UTC), "rooms": 2,
    }  # fmt: skip

    assert FORM.read(given_, "data") == {
        "kind": "flat", "amount": "1.00 EUR", "day": "2026-11-24", "at": "2026-11-24T14:00:00.000000Z", "rooms": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "where", "says"),
    [
        ({"amount": "1.00 USD"}, "data/amount", "another currency; give it in EUR"),
        ({"income": "1.0 USD"}, "data/income", "write an amount such as"),
        ({"income": "1.00 XXX"}, "data/income", "write an amount such as"),
        ({"day": "20261124"}, "data/day", "write a day such as"),
        ({"day": "2026-W48-2"}, "data/day", "write a day such as"),
        ({"day": "2026-02-30"}, "data/day", "write a day such as"),
        ({"at": "2026-11-24T14:00:00Z"}, "data/at", "write an instant such as"),
        ({"rate": "NaN"}, "data/rate", "write a decimal such as"),
        ({"rate": "1e5"}, "data/rate", "write a decimal such as"),
        ({"rooms": 0}, "data/rooms", "minimum"),
        ({"rooms": "2"}, "data/rooms", "type"),
        ({"rooms": True}, "data/rooms", "type"),
        ({"kind": "tent"}, "data/kind", "use flat, house"),
        ({"code": "AB\n"}, "data/code", "does not fit"),
        ({"address": {}}, "data/address/zip", "is missing"),
        ({"address": {"zip": "1", "x": 1}}, "data/address", "additionalProperties"),
        ({"colour": "red"}, "data/colour", "no such field; fields here are amount, income"),
        ({"rooms": 1.5}, "data/rooms", "float"),
    ],
)
def test_what_does_not_fit_is_said_with_its_path(values: dict[str, Any], where: str, says: str) -> None:
    problems = refused(values)

    assert list(problems) == [where]
    assert says in problems[where]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert set(refused({"rooms": 0, "day": "x", "kind": "tent"})) == {"data/rooms", "data/day", "data/kind"}


def test_a_required_field_may_wait_where_the_form_is_not_complete() -> None:
    assert Form(FIELDS, complete=False).read({}, "data") == {}
    with pytest.raises(BadInput, match="data/kind: is missing"):
        FORM.read({}, "data")


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"$ref": "http://127.0.0.1:9/a.json"}, "schema/\\$ref"), ({"items": {"$ref": "#"}}, "schema/items/\\$ref"),
        ({"$id": "urn:a"}, "schema/\\$id"), ({"patternProperties": {"^a": True}}, "schema/patternProperties"),
        ({"anyOf": [{"pattern": "("}]}, "schema/anyOf/0/pattern"), ({"properties": {"p": {"pattern": "\\pL"}}}, "schema/properties/p/pattern"),
    ],
)  # fmt: skip
def test_a_field_stands_alone_and_reads_alike_everywhere(schema: dict[str, Any], says: str) -> None:
    from casekit.decisions.check import check

    made = CaseType("a", "1", "A", "open", {"open": State(category="open")}, data={"f": Field(schema, personal=True)})
    with pytest.raises(BadInput, match=says):
        Form({"f": Field(schema)})
    with pytest.raises(BadInput, match="/data/f/" + says):
        check(made)


def test_without_the_fast_path_the_answers_are_the_same() -> None:
    code = (
        "import sys; sys.modules['jsonschema_rs'] = None\n"
        "from casekit.definition.fields import field\n"
        "from casekit.definition.forms import Form\n"
        "form = Form({'n': field(int)})\n"
        "assert form.accepts == form.reference.is_valid\n"
        "assert form.read({'n': 1}, 'x') == {'n': 1}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Both validators, over schemas and values made at random.

names = st.sampled_from(["a", "b", "c"])
texts = st.text(st.sampled_from("ab1 é٣\n\u2028\ufeff_-.$[&"), max_size=4) | st.sampled_from(
    ["1.00 EUR", "2026-11-24", "2026-11-24T14:00:00.000000Z", "1.5", "01.00 EUR", "2026-1-1", "x@y.z"]
)
leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.integers(-(2**53) + 1, 2**53 - 1) | texts
values = st.recursive(leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v, max_size=3), max_leaves=6)
atoms = st.sampled_from(
    [
        "a",
        "b",
        "1",
        "é",
        "_",
        " ",
        ".",
        "\\d",
        "\\D",
        "\\w",
        "\\W",
        "\\s",
        "\\S",
        "[ab]",
        "[^a]",
        "[\\d_]",
        "[^\\w]",
        "[a-c&]",
        "\\.",
        "\\n",
        "\\$",
        "\\u00e9",
        "\\x61",
        "[\\]]",
        "[[]",
        "[-a]",
        "\\-",
    ]
)
patterns = st.recursive(
    atoms,
    lambda p: (
        st.tuples(p, p).map("".join)
        | st.tuples(st.sampled_from(["(", "(?:"]), p, st.just(")"), st.sampled_from(["", "*", "+", "?", "{2}", "{0,1}", "{1,}", "*?"])).map(
            "".join
        )
        | st.tuples(p, p).map("|".join).map("(?:{})".format)
    ),
    max_leaves=4,
).flatmap(lambda p: st.sampled_from([p, f"^{p}", f"{p}$", f"^{p}$", f"^(?:{p})$"]))
kinds = st.sampled_from(["string", "integer", "boolean", "null", "array", "object"])


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": kinds | st.lists(kinds, min_size=1, max_size=3, unique=True),
            "enum": st.lists(leaves, min_size=1, max_size=3),
            "const": leaves,
            "format": st.sampled_from([*forms.FORMATS, "email", "uri", "uuid", "unheard-of"]),
            "pattern": patterns,
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(0, 5),
            "minimum": st.integers(-3, 3),
            "exclusiveMaximum": st.integers(-3, 3),
            "multipleOf": st.integers(1, 3),
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "contains": inner,
            "minItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "properties": st.dictionaries(names, inner, max_size=2),
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": inner,
            "dependentRequired": st.dictionaries(names, st.lists(names, max_size=2, unique=True), max_size=1),
            "propertyNames": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    )


any_schema = st.recursive(st.booleans() | schemas(st.booleans()), schemas, max_leaves=4).filter(lambda s: isinstance(s, dict))


@given(any_schema, st.lists(values, min_size=1, max_size=6))
def test_both_validators_say_the_same(schema: dict[str, Any], drawn: list[Any]) -> None:
    form = Form({"f": Field(schema)})
    assume(form.accepts != form.reference.is_valid)
    for value in drawn:
        assert form.accepts({"f": value}) == form.reference.is_valid({"f": value}), value


@given(patterns, st.lists(texts, min_size=1, max_size=8))
def test_patterns_mean_the_same_in_both(pattern: str, drawn: list[str]) -> None:
    form = Form({"f": field(str, pattern=pattern)})
    assume(form.accepts != form.reference.is_valid)
    for text in drawn:
        assert form.accepts({"f": text}) == (compiled(pattern).search(text) is not None), text


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "[",
        "[]",
        "[^]",
        "a{",
        "a{x}",
        "}",
        "]",
        "a**",
        "a{2,1}",
        "[z-a]",
        "\\",
        "\\p{L}",
        "\\bx",
        "\\Z",
        "\\1",
        "[\\D]",
        "(?P<n>a)",
        "(?i)a",
        "(?#x)",
        "a++",
        "a*+",
        "a{1}+",
        "\\0",
        "\\_",
        "(?<n>a)",
        "(?>a)",
        "a(?=b)",
        "(?!a)",
        "(?<=a)b",
    ],
)
def test_what_the_dialects_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput):
        compiled(pattern)


@given(st.text(st.sampled_from("ab\\[]^$.|?*+(){}-,1dDwWsSbBpZ&~:=!<>\n"), max_size=8))
def test_any_text_is_a_pattern_or_bad_input(text: str) -> None:
    try:
        made = compiled(text)
    except BadInput:
        return
    assert isinstance(made, re.Pattern)
