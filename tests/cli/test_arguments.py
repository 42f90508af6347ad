"""Arguments: global options on either side of the command, values by the kind of their field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit import BadInput
from casekit.cli.commands import globals_last
from casekit.cli.values import pairs, typed, value
from casekit.definition.fields import field
from commandline import Run

WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_whole_numbers_come_back(number: int) -> None:
    assert value(str(number), field(int).schema, "x") == number


@given(WORD)
def test_text_is_taken_as_it_is(text: str) -> None:
    assert value(text, field(str, personal=False).schema, "x") == text


@given(st.lists(WORD))
def test_lists_come_as_json(texts: list[str]) -> None:
    assert value(json.dumps(texts), field(list, personal=False).schema, "x") == texts


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_come_with_any_offset(at: datetime) -> None:
    assert value(at.isoformat(), field(datetime).schema, "x") == at
    assert value(json.dumps([at.isoformat()]), field(list, items=datetime).schema, "x") == [at]


@pytest.mark.parametrize("text", ["true", "yes", "TRUE"])
def test_truth(text: str) -> None:
    assert value(text, field(bool).schema, "x") is True


@pytest.mark.parametrize(
    ("kind", "text"),
    [(int, "1.0"), (int, ""), (int, "one"), (bool, "1"), (bool, ""), (list, "a,b"), (datetime, "soon"), (datetime, "2026-11-24T14:00:00")],
)
def test_texts_that_are_no_value_of_their_field(kind: Any, text: str) -> None:
    schema = field(list, personal=False).schema if kind is list else field(kind).schema
    with pytest.raises(BadInput) as wrong:
        value(text, schema, "--data x")
    assert wrong.value.problems[0].where == "--data x"


@given(st.lists(st.tuples(st.text("abc", min_size=1), WORD)))
def test_pairs_split_at_the_first_sign(named: list[tuple[str, str]]) -> None:
    assert pairs([f"{name}={text}" for name, text in named], "--data") == named


def test_what_is_given_by_name_lies_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "data.json"
    file.write_text('{"rooms": 2, "story": "from the file"}')
    fields = {"rooms": field(int), "story": field(str, personal=True)}
    assert typed(["rooms=3"], fields, "--data", file) == {"rooms": 3, "story": "from the file"}
    file.write_text("[1]")
    with pytest.raises(BadInput):
        typed([], fields, "--data", file)


GLOBAL = st.one_of(
    st.just(["--json"]),
    st.builds(lambda o, v: [o, v], st.sampled_from(["--store", "--as", "--role", "--type"]), st.text("ab:", min_size=1)),
    st.builds(lambda o, v: [f"{o}={v}"], st.sampled_from(["--store", "--keys"]), st.text("ab:", min_size=1)),
)


@given(st.lists(GLOBAL, max_size=4), st.lists(st.sampled_from(["case", "show", "x", "--as-of", "2026-01-01"]), min_size=1))
def test_global_options_may_stand_before_the_command(before: list[list[str]], command: list[str]) -> None:
    if command[0].startswith("--"):
        command = ["case", *command]
    flat = [part for option in before for part in option]
    assert globals_last([*flat, *command]) == [*command, *flat]
    assert globals_last([*flat, *command, "--", "--json"]) == [*command, *flat, "--", "--json"]


def test_both_places_do_the_same(program: Run, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/x.db"
    one = program("--store", store, "--json", "party", "add", "person", "--name", "Ann", "--ref", "a:1")
    assert one.code == 0
    two = program("party", "find", "--ref", "a:1", "--json", f"--store={store}")
    assert two.json["parties"][0]["id"] == one.json["party"]["id"]


def test_the_environment_stands_in_for_options(program: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEKIT_STORE", f"sqlite:///{tmp_path}/env.db")
    monkeypatch.setenv("CASEKIT_KEYS", str(tmp_path / "env.keys"))
    assert program("party", "add", "person", "--name", "Ann").code == 0
    assert (tmp_path / "env.db").exists()
    assert (tmp_path / "env.keys").exists()
    assert program("case", "list", "--store", f"sqlite:///{tmp_path}/other.db", "--keys", tmp_path / "other.keys").code == 0
