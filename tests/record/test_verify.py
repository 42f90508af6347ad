from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

import journal
from casekit.record.entry import COLUMNS, link
from casekit.record.tables import LISTED, ROWS
from casekit.record.verify import Stream, Wrong, check, verify
from journal import EVERY, OPENING

WHOLE = journal.written(EVERY)
N = len(EVERY)


def flipped(value: Any, at: int) -> Any:
    """The value with one bit of one character or byte, or one unit, changed; something where nothing was."""
    if value is None:
        return "x"
    if isinstance(value, bytes):
        place = at % len(value)
        return value[:place] + bytes([value[place] ^ 1 << at % 8]) + value[place + 1 :]
    if isinstance(value, int):
        return value + 1
    if value == "":
        return "x"
    place = at % len(value)
    return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]


def with_entry(n: int, /, **columns: Any) -> Stream:
    entries = list(WHOLE.entries)
    changed = dict(zip(COLUMNS, entries[n - 1], strict=True)) | columns
    entries[n - 1] = tuple(changed.values())
    return evolve(WHOLE, entries=entries)


def test_what_was_written_stands() -> None:
    assert check(WHOLE) is None
    report = verify([WHOLE, WHOLE])

    assert (report.ok, report.streams, report.entries) == (True, 2, 2 * N)


@given(st.integers(1, N), st.sampled_from(COLUMNS), st.integers(0, 10_000))
def test_a_changed_entry_is_named(n: int, column: str, at: int) -> None:
    value = WHOLE.entries[n - 1][COLUMNS.index(column)]
    wrong = check(with_entry(n, **{column: flipped(value, at)}))

    assert wrong is not None
    assert (wrong.stream, wrong.n, wrong.table) == (WHOLE.uuid, n, "entries")


@given(st.integers(1, N - 1))
def test_a_missing_entry_is_named(n: int) -> None:
    wrong = check(evolve(WHOLE, entries=[*WHOLE.entries[: n - 1], *WHOLE.entries[n:]]))

    assert wrong is not None
    assert wrong.n == n
    assert "missing" in wrong.what


@given(st.permutations(range(N)).filter(lambda order: order != sorted(order)))
def test_entries_in_another_order_are_found(order: list[int]) -> None:
    wrong = check(evolve(WHOLE, entries=[WHOLE.entries[i] for i in order]))

    assert wrong is not None
    assert wrong.n == next(i for i, place in enumerate(order) if i != place) + 1


def test_a_cut_tail_is_found_by_the_head_it_left() -> None:
    wrong = check(evolve(WHOLE, entries=WHOLE.entries[:-1]))

    assert wrong == Wrong(WHOLE.uuid, N, f"entry {N} is missing: the head tells of {N}")


def test_an_entry_that_the_head_does_not_know_is_found() -> None:
    shorter = journal.written(EVERY[:-1])
    wrong = check(evolve(shorter, entries=WHOLE.entries))

    assert wrong == Wrong(WHOLE.uuid, N, f"the head knows no entry {N}")


@given(st.integers(1, N), st.integers(-(2**63), 0))
def test_an_entry_that_was_moved_before_the_first_is_named(n: int, to: int) -> None:
    entry = WHOLE.entries[n - 1]
    rest = [e for e in WHOLE.entries if e is not entry]
    wrong = check(evolve(WHOLE, entries=[(entry[0], to, *entry[2:]), *rest]))

    assert wrong is not None
    assert (wrong.n, wrong.table) == (n, "entries")


def test_an_entry_put_in_between_is_found() -> None:
    twin = WHOLE.entries[4]
    wrong = check(evolve(WHOLE, entries=[*WHOLE.entries[:5], twin, *WHOLE.entries[5:]]))

    assert wrong is not None
    assert wrong.n == 6


def test_entries_of_another_stream_or_tenant_are_found() -> None:
    for other in (evolve(WHOLE, uuid=WHOLE.uuid[:-1] + "2"), evolve(WHOLE, tenant="acme")):
        wrong = check(other)

        assert wrong is not None
        assert wrong.n == 1


def test_a_stream_without_entries_is_wrong() -> None:
    wrong = check(evolve(WHOLE, entries=[]))

    assert wrong is not None
    assert wrong.n == 1


HEAD = ("n", "version", "hash", "recorded", "head", "kind")


@given(st.sampled_from(HEAD + LISTED), st.integers(0, 10_000))
def test_a_changed_head_names_table_row_and_column(column: str, at: int) -> None:
    if column in HEAD:
        changed = evolve(WHOLE, **{column: flipped(getattr(WHOLE, column), at)})
    else:
        place = LISTED.index(column)
        said = flipped(WHOLE.listed[place], at)
        changed = evolve(WHOLE, listed=(*WHOLE.listed[:place], said, *WHOLE.listed[place + 1 :]))
    wrong = check(changed)

    assert wrong is not None
    assert (wrong.table, wrong.row, wrong.column, wrong.n) == ("streams", WHOLE.uuid, column, N)


@st.composite
def cells(draw: st.DrawFn) -> tuple[str, int, str]:
    table = draw(st.sampled_from(sorted(WHOLE.rows)))
    return table, draw(st.integers(0, len(WHOLE.rows[table]) - 1)), draw(st.sampled_from(ROWS[table]))


@given(cells(), st.integers(0, 10_000))
def test_a_changed_row_names_table_row_column_and_who_wrote_it(cell: tuple[str, int, str], at: int) -> None:
    from casekit.record.tables import KEYS

    table, number, column = cell
    rows = list(WHOLE.rows[table])
    place = ROWS[table].index(column)
    row = rows[number]
    rows[number] = (*row[:place], flipped(row[place], at), *row[place + 1 :])
    wrong = check(evolve(WHOLE, rows={**WHOLE.rows, table: rows}))

    assert wrong is not None
    assert wrong.table == table
    if column in KEYS[table]:  # a row that nobody wrote, or one that stands where another should
        assert wrong.what == "no entry wrote this row" or wrong.column
    else:
        assert wrong.column == column
        assert wrong.n == (row[ROWS[table].index("n")] if "n" in ROWS[table] else None)


@given(cells())
def test_a_row_that_is_missing_or_doubled_is_named(cell: tuple[str, int, str]) -> None:
    table, number, _ = cell
    rows = list(WHOLE.rows[table])
    gone = check(evolve(WHOLE, rows={**WHOLE.rows, table: rows[:number] + rows[number + 1 :]}))
    twice = check(evolve(WHOLE, rows={**WHOLE.rows, table: [*rows, rows[number]]}))

    assert gone is not None
    assert (gone.table, gone.what) == (table, "the row is missing")
    assert gone.n == rows[number][ROWS[table].index("n")]
    assert twice is not None
    assert (twice.table, twice.what) == (table, "no entry wrote this row")


def test_a_row_that_was_taken_away_must_stay_away() -> None:
    back = [*WHOLE.rows["roles"], ("debtor", "p2", 2)]

    assert check(evolve(WHOLE, rows={**WHOLE.rows, "roles": back})) == Wrong(
        WHOLE.uuid, None, "no entry wrote this row", "roles", "debtor.p2"
    )


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: journal.written(EVERY, v=2), "format 2"),
        (lambda: journal.written(EVERY, minutes=[*range(N - 1), 3]), "before the entry before it"),
        (lambda: journal.written(EVERY, effective="2027-01-01T00:00:00.000000Z"), "after it was recorded"),
        (lambda: journal.written(EVERY, state="00" * 32), "state"),
    ],
)
def test_a_chain_that_fits_but_breaks_a_promise_is_found(made: Callable[[], Stream], says: str) -> None:
    wrong = check(made())

    assert wrong is not None
    assert says in wrong.what


def rechained(bodies: list[str]) -> Stream:
    """A history rewritten as a whole, by someone who knows how to hash."""
    from casekit.record.entry import header

    previous, entries = bytes(32), []
    for entry, body in zip(WHOLE.entries, bodies, strict=False):
        previous = link(previous, header(WHOLE.tenant, WHOLE.uuid, *entry[:11]), body)
        entries.append((*entry[:11], body, previous))
    return evolve(WHOLE, entries=entries, hash=previous)


@given(
    st.integers(0, N - 1),
    st.sampled_from(["", "{}", "[]", "null", "1", '{"changes":1}', '{"changes":[1]}', '{"changes":null}', "[" * 5000, '{"changes":[{}]}'])
    | st.recursive(
        st.none() | st.integers(-9, 9) | st.sampled_from(["machine", "open", "case"]),
        lambda v: st.lists(v, max_size=2) | st.dictionaries(st.sampled_from(["c", "set", "stream", "version", "data"]), v, max_size=3),
    ).map(lambda change: json.dumps({"changes": [change]})),
)
def test_a_forged_body_is_found_whatever_it_says(place: int, body: str) -> None:
    bodies = [e[11] for e in WHOLE.entries]
    if json.loads(bodies[place])["changes"] != (json.loads(body) if body[:1] == '{"c' else {}):
        bodies[place] = body
        wrong = check(rechained(bodies))

        assert wrong is not None
        assert wrong.n == place + 1


@pytest.mark.parametrize("column", range(11))
@pytest.mark.parametrize("value", [b"\xff", 1.5, [], "\ud800"])
def test_columns_of_another_type_are_found(column: int, value: Any) -> None:
    wrong = check(with_entry(3, **{COLUMNS[column]: value}))

    assert wrong is not None
    assert wrong.n == 3


def test_a_head_that_can_not_be_listed_is_wrong_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    opening = deepcopy(OPENING[:1])
    del opening[0]["set"]["type"]
    monkeypatch.setattr(journal, "listed", lambda _: (None,) * len(LISTED))
    wrong = check(journal.written([opening]))

    assert wrong is not None
    assert wrong.n == 1
    assert "type" in wrong.what


def test_one_wrong_stream_does_not_hide_the_next() -> None:
    report = verify([with_entry(2, kind="x"), WHOLE, evolve(WHOLE, n=99)])

    assert [w.table for w in report.wrong] == ["entries", "streams"]
    assert not report.ok
