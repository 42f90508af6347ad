from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import journal
from casekit.record.fold import _FOLD, Unfoldable, branch, fold, touches_head
from casekit.record.tables import KEYS, LISTED, ROWS, listed
from journal import CASE, EVERY, OPENING, SEALED, WHEN, canonical

scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "open", "data", "p1", CASE])
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(["a", "set", "c"]), v, max_size=3))
members = sorted({m for entry in EVERY for change in entry for m in change} - {"c"})
forged = st.fixed_dictionaries({"c": st.sampled_from(["open", *_FOLD]) | scalars}, optional=dict.fromkeys(members, values)) | values


def opened() -> dict[str, Any]:
    head, _ = fold(None, deepcopy(OPENING), 1)
    return head


def after(*entries: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Any]]:
    head, rows = opened(), []
    for n, changes in enumerate(entries, start=2):
        head, wrote = fold(head, deepcopy(changes), n)
        rows += wrote
    return head, rows


def test_every_change_of_the_vocabulary_is_in_these_tests() -> None:
    assert {change["c"] for entry in EVERY for change in entry} | {"log"} == {"open", *_FOLD}


def test_a_case_begins_with_all_that_a_head_has() -> None:
    head = opened()

    assert head["machine"] == {
        "active": ["open"], "category": "open", "clocks": {}, "cycle": 1, "history": {}, "items": {}, "memory": {}, "totals": {},
        "wake": WHEN["at"],
    }  # fmt: skip
    assert head["data"] == {"claimed": "10.00 EUR", "why": 1}
    assert head["version"] == 1
    assert listed(head) == ("t", None, "open", "open", None, WHEN["at"], None, WHEN["at"], None)


def test_a_whole_life_gives_this_head_and_these_rows() -> None:
    stream = journal.written(EVERY)
    head = json.loads(stream.head)

    assert head["data"] == {"claimed": "10.00 EUR"}
    assert head["parties"] == {"debtor": {"p1": {"share": 1}}}
    assert head["facts"] == {"income": {"id": "6.0", "value": "2100.00 EUR"}}
    assert head["documents"] == {"letter": 1}
    assert head["machine"]["clocks"] == {}
    assert head["machine"]["items"] == {"visit": {"1": {"state": "active", "at": WHEN["at"]}}}
    assert head["machine"]["totals"] == {"paid": "1.00 EUR"}
    assert "wake" not in head["machine"]
    assert "number" not in head
    assert head["version"] == len(EVERY) - 5  # two postings, an older fact, a message and a refusal changed no head
    at, sealed = WHEN["at"], canonical(SEALED)
    assert stream.rows == {
        "roles": [("debtor", "p1", 2)],
        "postings": [
            (3, 0, "charge", "fee", 500, "EUR", at, "UTC", None, None, sealed),
            (4, 0, "reversal", "", 500, "EUR", at, "UTC", "2026-11-24", "3.0", None),
        ],
        "facts": [(6, 0, "income", at, "UTC", None, '"2100.00 EUR"', None), (7, 0, "income", at, "UTC", None, None, sealed)],
        "messages": [(8, 0, "p1", "debtor", "out", "phone", "busy", at, "UTC", None, sealed)],
        "documents": [(9, 0, "d1", 1, "letter", "out", "text/plain", 3, "ab" * 32, sealed)],
        "clocks": [("answer", "1", 12, "met", at, None, None, at)],
        "tasks": [
            ("visit", "1", 14, "task", "active", "", "clerk", at, at, None, None, None, None),
            ("call", "1", 15, "task", "completed", "", "clerk", at, at, None, at, None, sealed),
        ],
        "goals": [("paid", 17, "paid", "at-least", '"1.00 EUR"', "2026-12-24", "", at, "d", "reached", "s")],
        "links": [("parent", "c2", 18)],
        "standings": [("d1", 19, "letter", "kept"), ("d3", 22, "letter", "new")],
        "levels": [("d1", 21, "secret", ""), ("d2", 22, "secret", "")],
    }


def test_a_goal_that_says_what_it_said_writes_no_row_and_one_given_up_takes_its_row_away() -> None:
    both = {"paid": journal.GOAL, "rooms": {**journal.GOAL, "target": 3}}
    _, rows = after(
        [{"c": "head", "set": {"goals": both}}], [{"c": "head", "set": {"goals": {**both, "paid": {**both["paid"], "by": "x"}}}}]
    )
    assert [(table, key) for table, key, _ in rows] == [("goals", ("paid",)), ("goals", ("rooms",)), ("goals", ("paid",))]
    head, rows = after([{"c": "head", "set": {"goals": both}}], [{"c": "head", "unset": ["goals"]}])
    assert rows[2:] == [("goals", ("paid",), None), ("goals", ("rooms",), None)]
    assert "goals" not in head


def test_links_and_standings_are_taken_away_with_their_rows() -> None:
    head, rows = after(*EVERY[17:19], [{"c": "head", "unset": ["links", "standings"]}])
    assert rows[-2:] == [("links", ("parent", "c2"), None), ("standings", ("d1",), None)]
    assert not {"links", "standings"} & set(head)


def test_rows_have_the_columns_and_keys_that_tables_have() -> None:
    _, rows = after(*EVERY[1:])

    for table, key, row in rows:
        if row is not None:
            assert len(row) == len(ROWS[table])
            assert key == tuple(row[ROWS[table].index(column)] for column in KEYS[table])
    assert {table for table, _, _ in rows} == set(ROWS)
    assert len(listed(opened())) == len(LISTED)


@pytest.mark.parametrize("kind", ["party", "log"])
def test_parties_and_logs_begin_bare(kind: str) -> None:
    head, rows = fold(None, [{"c": "open", "stream": kind, "set": {"kind": "person", "name": "n", "opened": WHEN["at"]}}], 1)

    assert head == {"stream": kind, "version": 1, "kind": "person", "name": "n", "opened": WHEN["at"]}
    assert rows == []
    assert len(listed(head)) == len(LISTED)


def test_a_log_takes_entries_that_change_only_its_version() -> None:
    head, _ = fold(None, [{"c": "open", "stream": "log", "set": {"name": "erasures", "opened": WHEN["at"]}}], 1)
    logged, rows = fold(dict(head), [{"c": "log"}], 2)

    assert logged == {**head, "version": 2}
    assert rows == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([{"c": "rewind"}], "change 0 of entry 2.*rewind"),
        ([{}], "change 0 of entry 2"),
        ([{"c": "totals", "set": {}}, {"c": "open", "stream": "case", "set": {}}], "change 1 of entry 2.*open"),
        ([{"c": "role", "role": "debtor", "party": "nobody", "end": True}], "nobody|debtor"),
        ([{"c": "log"}], "desk log"),
        ([{"c": "data", "set": "ab"}], "change 0"),
        ([{"c": "posting", "kind": "charge"}], "minor"),
        (["open"], "change 0"),
    ],
)
def test_what_the_vocabulary_does_not_know_is_refused_with_its_place(changes: list[Any], says: str) -> None:
    with pytest.raises(Unfoldable, match=says):
        fold(opened(), changes, 2)


@pytest.mark.parametrize("changes", [[], [{"c": "log"}], [{"c": "head", "set": {}}]])
def test_a_stream_begins_with_its_opening(changes: list[Any]) -> None:
    with pytest.raises(Unfoldable):
        fold(None, changes, 1)


@given(st.lists(forged, max_size=4))
def test_a_forged_change_folds_or_is_unfoldable(changes: list[Any]) -> None:
    for head in (None, opened()):
        before = 0 if head is None else head["version"]
        try:
            folded, _ = fold(head, changes, 2)
        except Unfoldable:  # and no other error
            continue
        assert folded["version"] - before in (0, 1)
        assert head is None or folded is head


@given(st.lists(st.sampled_from(EVERY[1:]), max_size=8))
def test_a_branch_leaves_the_head_as_it_was(entries: list[list[dict[str, Any]]]) -> None:
    head, _ = after(*EVERY[1:2], EVERY[9])
    before = canonical(head)
    other = branch(head)

    for n, changes in enumerate(entries, start=4):
        try:
            other, _ = fold(other, deepcopy(changes), n)
        except Unfoldable:
            break  # a role that has ended, say
        other = branch(other) if n % 2 else other
    assert canonical(head) == before


def test_no_head_has_no_branch() -> None:
    assert branch(None) is None


@given(st.lists(st.sampled_from(EVERY[1:8]), max_size=8))
def test_the_version_counts_entries_that_change_the_head(entries: list[list[dict[str, Any]]]) -> None:
    head = opened()
    for n, changes in enumerate(entries, start=2):
        before, version = canonical({**head, "version": 0}), head["version"]
        head, _ = fold(head, deepcopy(changes), n)
        same = canonical({**head, "version": 0}) == before

        assert head["version"] == version + any(map(touches_head, changes))
        assert same or head["version"] > version
