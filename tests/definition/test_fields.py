from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from casekit.definition.fields import Field, field, free_text, kind_of, ordered, read
from casekit.errors import BadInput
from casekit.model.money import Money


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (field(Money), "money"), (field(date), "date"), (field(datetime), "date-time"), (field(Decimal), "decimal"),
        (field(str), "string"), (field(int), "integer"), (field(bool), "boolean"), (field(list), "other"), (field(str, enum="ab"), "string"),
        (field({"type": ["string", "null"]}), "other"), (field({"type": "string", "format": "email"}), "string"),
    ],
)  # fmt: skip
def test_fields_say_their_kind(made: Field, kind: str) -> None:
    assert kind_of(made.schema) == kind


@pytest.mark.parametrize("kind", [float, object, "string", None, [], Money("1.00", "EUR")])
def test_what_is_no_type_of_a_field_is_refused(kind: Any) -> None:
    with pytest.raises(BadInput, match="no type of a field"):
        field(kind)


def test_a_currency_must_be_one() -> None:
    with pytest.raises(BadInput, match="ISO 4217"):
        field(Money, currency="XXX")


SECRET = [
    True,
    {},
    {"type": "string"},
    {"type": "string", "pattern": "^[A-Z]{2}$"},
    {"type": "string", "format": "email"},
    {"type": ["integer", "string"]},
    {"type": "array"},
    {"type": "array", "items": {"type": "string"}},
    {"type": "array", "items": False, "prefixItems": [{"type": "string"}]},
    {"type": "array", "prefixItems": [{"type": "integer"}]},
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {"type": "object", "properties": {"a": {"type": "array", "items": {}}}, "additionalProperties": False},
    {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    {"format": "money"},
    {"minimum": 3},
]
CLEAR = [
    False,
    {"type": "integer"},
    {"type": ["integer", "boolean", "null"]},
    {"type": "string", "enum": ["a", "b"]},
    {"const": "a"},
    {"enum": [1, "a"]},
    {"type": "string", "format": "money"},
    {"type": "string", "format": "date-time"},
    {"type": "array", "items": {"type": "string", "format": "date"}},
    {"type": "array", "items": False, "prefixItems": [{"type": "integer"}]},
    {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}}, "additionalProperties": False},
    {"type": "object", "additionalProperties": False},
]


@pytest.mark.parametrize("schema", SECRET, ids=str)
def test_where_a_person_can_write_words_the_field_must_say_so(schema: Any) -> None:
    assert free_text(schema)


@pytest.mark.parametrize("schema", CLEAR, ids=str)
def test_where_only_declared_values_fit_nothing_need_be_said(schema: Any) -> None:
    assert not free_text(schema)


def test_stored_values_are_read_as_python_has_them() -> None:
    schema = {
        "type": "object",
        "properties": {
            "amount": field(Money).schema,
            "days": field(list, items=date).schema,
            "pair": {"type": "array", "prefixItems": [field(Decimal).schema], "items": False},
            "at": field(datetime).schema,
            "free": True,
        },
    }
    stored = {
        "amount": "1.00 EUR", "days": ["2026-11-24"], "pair": ["1.50", "x"], "at": "2026-11-24T14:00:00.000000Z", "free": "2026-11-24",
        "more": [1],
    }  # fmt: skip

    assert read(stored, schema) == {
        "amount": Money("1.00", "EUR"), "days": [date(2026, 11, 24)], "pair": [Decimal("1.50"), "x"],
        "at": datetime(2026, 11, 24, 14, tzinfo=UTC), "free": "2026-11-24", "more": [1],
    }  # fmt: skip


def test_order_is_the_place_unless_it_is_said() -> None:
    places = {key: f.order for key, f in ordered({"b": field(int), "a": field(int)}).items()}
    said = {key: f.order for key, f in ordered({"b": Field({}, order=5), "a": field(int)}).items()}

    assert places == {"b": 1, "a": 2}
    assert said == {"b": 5, "a": 0}
