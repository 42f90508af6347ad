from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit.definition.casetype import Book, CaseType, Clock, Requirement, Role, State, Total, Transition, role
from casekit.definition.fields import Field, field
from casekit.definition.load import canonical, canonical_text, digest, read_case_type, structure
from casekit.definition.maprules import CaseRule, ImportMap
from casekit.errors import BadInput
from casekit.model.money import Money
from drawn import changed, values_of

LEAST: dict[str, Any] = {"key": "a.case", "version": "1.0", "title": "A", "initial": "open", "states": {"open": {"category": "open"}}}


def problems(value: Any, record: Any = CaseType) -> dict[str, tuple[str, str]]:
    with pytest.raises(BadInput) as wrong:
        structure(value, record, "case.json")
    return {p.where: (p.what, p.do) for p in wrong.value.problems}


@pytest.mark.parametrize(
    ("change", "where", "says"),
    [
        ({"key": 1}, "/key", "1 is no text"),
        ({"title": None}, "/title", "None is no text"),
        ({"states": []}, "/states", "[] is no map"),
        ({"states": {"open": "x"}}, "/states/open", "'x' is no map"),
        ({"states": {"open": {"category": "ajar"}}}, "/states/open/category", "'ajar' is not allowed"),
        ({"states": {"open": {"states": {"deep": {"order": "1"}}}}}, "/states/open/states/deep/order", "'1' is no integer"),
        ({"states": {"open": {"order": True}}}, "/states/open/order", "True is no integer"),
        ({"transitions": {"go": {}}}, "/transitions/go/source", "is missing"),
        ({"transitions": {"go": {"source": "open", "do": [{}, {"set": 1}]}}}, "/transitions/go/do/1/set", "1 is no map"),
        ({"transitions": {"go": {"source": ["open", 1]}}}, "/transitions/go/source/1", "1 is no text"),
        ({"transitions": {"go": {"source": 1}}}, "/transitions/go/source", "1 is no list"),
        ({"transitions": {"go": {"source": "open", "internal": 1}}}, "/transitions/go/internal", "1 is no true or false"),
        ({"data": {"sum": {"schema": []}}}, "/data/sum/schema", "[] is no map"),
        ({"data": {"sum": {"personal": "no"}}}, "/data/sum/personal", "'no' is no true or false"),
        ({"roles": {"debtor": {"max": "1"}}}, "/roles/debtor/max", "'1' is no integer"),
        ({"roles": {"debtor": {"kinds": ["cat"]}}}, "/roles/debtor/kinds/0", "'cat' is not allowed"),
        ({"guards": {"pay": [1]}}, "/guards/pay/0", "1 is no text"),
        ({"ledger": {"order": "random"}}, "/ledger/order", "'random' is not allowed"),
        ({"overlay": {"/states": "open"}}, "/overlay//states", "'open' is not allowed"),
        ({"colour": "red"}, "/colour", "no such field"),
        ({"clocks": {"answer": {"amonut": "P1D"}}}, "/clocks/answer/amonut", "no such field"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(change: dict[str, Any], where: str, says: str) -> None:
    found = problems({**LEAST, **change})

    assert f"case.json: {where}" in found
    what, do = found[f"case.json: {where}"]
    assert says in what
    assert do


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = problems({"key": 1, "version": 2, "colour": 3, "states": {"a": {"order": "x"}}})

    assert set(found) == {f"case.json: /{p}" for p in ("key", "version", "colour", "title", "initial", "states/a/order")}


@pytest.mark.parametrize("value", [None, [], "text", 1, True])
def test_what_is_no_map_is_no_case_type(value: Any) -> None:
    assert problems(value)


def test_files_are_named_and_broken_ones_place_the_break(tmp_path: Path) -> None:
    good, bad, double = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "double.json"
    good.write_text(json.dumps(LEAST))
    bad.write_text('{"key": "a",\n "version": }')
    double.write_text('{"key": "a", "key": "b"}')

    assert read_case_type(good) == read_case_type(LEAST)
    for file, says in ((bad, "line 2 column 13"), (double, "'key' stands twice"), (tmp_path / "none.json", "can't be read")):
        with pytest.raises(BadInput, match=says) as wrong:
            read_case_type(file)
        assert str(file) in wrong.value.problems[0].where


def test_the_two_front_ends_give_one_record() -> None:
    in_python = CaseType(
        key="a.case",
        version="1.0",
        title="A",
        initial="open",
        states={"open": State(category="open"), "done": State(category="closed", outcome="paid")},
        transitions={"finish": Transition("open", "done", requires="a.paid")},
        data={"amount": field(Money, report=True)},
        roles={"debtor": role(1, "person")},
        clocks={"answer": Clock("P14D", start="at('open')", warn="-P3D")},
        requirements={"a.paid": Requirement("paid >= amount")},
        totals={"paid": Total("payment")},
        ledger=Book("EUR", "fee"),
    )
    in_json = {
        **LEAST,
        "states": {"open": {"category": "open"}, "done": {"category": "closed", "outcome": "paid"}},
        "transitions": {"finish": {"source": "open", "target": "done", "requires": ["a.paid"]}},
        "data": {"amount": {"schema": {"type": "string", "format": "money"}, "report": True}},
        "roles": {"debtor": {"min": 1, "max": 1, "kinds": ["person"]}},
        "clocks": {"answer": {"amount": "P14D", "start": "at('open')", "warn": "-P3D"}},
        "requirements": {"a.paid": {"when": "paid >= amount"}},
        "totals": {"paid": {"kinds": ["payment"]}},
        "ledger": {"currency": "EUR", "components": "fee"},
    }

    assert read_case_type(in_json) == in_python
    assert digest(read_case_type(in_json)) == digest(in_python)


def test_the_digest_is_that_of_the_canonical_text() -> None:
    """The address that this definition has for ever: a change here changes every published definition's address."""
    made = read_case_type(LEAST)
    text = '{"initial":"open","key":"a.case","states":{"open":{"category":"open","order":1}},"title":"A","version":"1.0"}'

    assert canonical_text(made) == text
    assert digest(made) == sha256(text.encode()).hexdigest() == "b06e77dd817a763211873aac8342bd75ab1db67dd56b11918e84b96c91083842"


def shuffled(value: Any, how: Any) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        how.shuffle(keys)
        return {key: shuffled(value[key], how) for key in keys}
    return [shuffled(v, how) for v in value] if isinstance(value, list) else value


@given(values_of(CaseType), st.randoms())
def test_a_definition_reads_back_from_its_canonical_form_in_any_order(value: dict[str, Any], how: Any) -> None:
    record = structure(value, CaseType, "x")
    written = canonical(record)

    assert structure(written, CaseType, "x") == record
    assert digest(structure(shuffled(written, how), CaseType, "x")) == digest(record)


@given(values_of(ImportMap))
def test_a_map_reads_back_from_its_canonical_form(value: dict[str, Any]) -> None:
    record = structure(value, ImportMap, "x")

    assert structure(canonical(record), ImportMap, "x") == record


def with_defaults(record: Any) -> Any:
    """The record as JSON with every default written out."""
    if attrs.has(type(record)):
        return {a.name: with_defaults(getattr(record, a.name)) for a in attrs.fields(type(record))}
    if isinstance(record, dict):
        return {k: with_defaults(v) for k, v in record.items()}
    return [with_defaults(v) for v in record] if isinstance(record, tuple) else record


@given(values_of(CaseType))
def test_defaults_written_out_change_no_digest(value: dict[str, Any]) -> None:
    record = structure(value, CaseType, "x")

    assert digest(structure(with_defaults(record), CaseType, "x")) == digest(record)


@given(values_of(ImportMap))
def test_nothing_that_has_its_default_is_written(value: dict[str, Any]) -> None:
    record = structure(value, ImportMap, "x")
    written = canonical(record)

    assert {a.name for a in attrs.fields(ImportMap) if a.name in written} == {
        a.name
        for a in attrs.fields(ImportMap)
        if a.default is attrs.NOTHING
        or getattr(record, a.name) != (a.default.factory() if isinstance(a.default, attrs.Factory) else a.default)
    }
    assert ("case" in written) == (record.case != CaseRule())


@given(changed(CaseType))
def test_a_defect_is_bad_input_and_never_anything_else(value: Any) -> None:
    try:
        structure(value, CaseType, "x")
    except BadInput as wrong:
        assert all(p.where.startswith("x: ") and p.what and p.do for p in wrong.problems)  # noqa: PT017 - either way is right


def test_order_comes_from_the_place_and_so_does_the_address() -> None:
    one = {**LEAST, "data": {"a": {"schema": {"type": "integer"}}, "b": {"schema": {"type": "integer"}}}}
    other = {**LEAST, "data": dict(reversed(one["data"].items()))}

    assert digest(read_case_type(one)) != digest(read_case_type(other))
    assert read_case_type(one).data["b"].order == 2


def test_a_role_counts_exactly_or_from_to() -> None:
    assert role(2) == Role(2, 2)
    assert role((1, None), ("person", "staff")) == Role(1, None, ("person", "staff"))


def test_a_float_in_a_definition_is_refused_where_it_stands() -> None:
    made = structure({**LEAST, "data": {"a": {"schema": {"multipleOf": 0.5}}}}, CaseType, "x")

    with pytest.raises(BadInput, match="/data/a/schema/multipleOf"):
        digest(made)
    assert Field({"type": "integer"}).personal is None
