from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from casekit.errors import BadInput
from casekit.model import canonical
from casekit.model.canonical import decode, encode, parse, plain
from casekit.model.money import LARGEST, Money

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
keys = st.text(st.characters(max_codepoint=0xD7FF), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12) | st.binary(max_size=3) | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=6) | st.integers(), inner, max_size=4),
    max_leaves=12,
)
CONTROLS = {"all of them": "".join(map(chr, range(0x20))) + '"\\/\x7f\x80\u2028\u2029\ufeff\uffff\U0001f600'}


@given(values)
@example(CONTROLS)
def test_three_writers_give_the_same_bytes(value: Any) -> None:
    text = canonical._stdlib(plain(value))

    assert text == encode(plain(value))
    assert text.encode() == orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    assert text.encode() == rfc8785.dumps(value)


@given(values)
@example(CONTROLS)
def test_what_is_written_is_read_back(value: Any) -> None:
    text = encode(plain(value))

    assert decode(text) == value
    assert parse(text, "here") == value
    assert encode(plain(decode(text))) == text


@given(anything)
def test_whatever_passes_is_the_same_everywhere_and_the_rest_is_bad_input(value: Any) -> None:
    try:
        passed = plain(value, "there")
    except BadInput as refused:
        assert refused.problems[0].where.startswith("there")  # noqa: PT017 - either way is right
        return

    assert canonical._stdlib(passed).encode() == rfc8785.dumps(passed) == encode(passed).encode()


def test_values_with_a_text_of_their_own_become_it() -> None:
    value = {
        "money": Money("1840.00", "USD"),
        "day": date(2026, 11, 24),
        "instant": datetime(2026, 11, 24, 14, tzinfo=UTC),
        "decimal": Decimal("1.50"),
        "small": Decimal("1E-7"),
        "pair": (1, 2),
    }

    assert plain(value) == {
        "money": "1840.00 USD",
        "day": "2026-11-24",
        "instant": "2026-11-24T14:00:00.000000Z",
        "decimal": "1.50",
        "small": "0.0000001",
        "pair": [1, 2],
    }


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": [1, 1.5]}, "/a/1"), ({"a": {"b": float("nan")}}, "/a/b"), ({"n": 2**53}, "/n"), ({"n": -(2**53)}, "/n"),
        ({"t": "\ud800"}, "/t"), ({1: 2}, ""), ({"\U0001f600": 1}, ""), ({"\uffff": 1}, ""), ({"s": {1, 2}}, "/s"), ({"b": b"x"}, "/b"),
        ({"d": Decimal("NaN")}, "/d"), ({"t": datetime(2026, 11, 24)}, "/t"),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_what_would_differ_elsewhere_is_refused_with_its_place(value: Any, where: str) -> None:
    with pytest.raises(BadInput) as refused:
        plain(value, "form")

    assert refused.value.problems[0].where == "form" + where


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1 column 2"), ('{"a": 1.0}', "fraction"), ('{"a": 1e3}', "fraction"), ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "Infinity"), ('{"a": 1, "a": 2}', "'a' stands twice"), ('{"x": {"b": 1, "c": 2, "b": 3}}', "'b' stands twice"),
        ('["\\ud800"]', "surrogate"), ("9007199254740992", "53 bits"), ("", "not JSON"), ("[" * 100_000, "deep"), (b"\xff", "not JSON"),
        ("9" * 5000, "53 bits"), ("[" * 101 + "]" * 101, "deep"), ('{"a":' * 101 + "1" + "}" * 101, "deep"),
    ],
)  # fmt: skip
def test_json_from_outside_is_read_exactly_or_refused(text: str | bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        parse(text, "file.json")

    assert refused.value.problems[0].where.startswith("file.json")


def test_a_hundred_levels_are_written_and_read_by_everyone() -> None:
    value: Any = 1
    for _ in range(canonical.DEEPEST):
        value = [value]

    assert decode(encode(plain(value))) == json.loads(canonical._stdlib(value)) == value


@given(values)
def test_python_without_orjson_writes_the_same(value: Any) -> None:
    assert json.loads(encode(plain(value))) == value


def test_the_slow_path_is_taken_without_orjson() -> None:
    code = (
        "import sys; sys.modules['orjson'] = None\n"
        "from casekit.model import canonical\n"
        "assert canonical.encode is canonical._stdlib\n"
        "assert canonical.decode(canonical.encode({'b': 1, 'a': 'é'})) == {'a': 'é', 'b': 1}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
