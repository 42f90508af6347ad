from __future__ import annotations

import json
from copy import deepcopy
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import journal
from casekit.record.bundle import packed, unpacked, verify_bundle
from drawn import JSON, places

STREAM = journal.written(journal.EVERY)
TEXT = '{"key":"t"}'
BUNDLE: dict[str, Any] = {
    "format": 1,
    "tenant": journal.TENANT,
    "case": STREAM.uuid,
    "exported": journal.WHEN["at"],
    "streams": [packed(STREAM)],
    "definitions": {sha256(TEXT.encode()).hexdigest(): TEXT},
    "readable": {},
}
PROVED = [path for path in places(BUNDLE) if path[0] in ("streams", "definitions")]


def test_a_bundle_goes_through_json_and_still_verifies() -> None:
    bundle = json.loads(json.dumps(BUNDLE))

    assert unpacked(journal.TENANT, bundle["streams"][0]) == STREAM
    report = verify_bundle(bundle)
    assert (report.ok, report.streams, report.entries) == (True, 1, len(journal.EVERY))


@given(st.sampled_from(PROVED), JSON)
def test_whatever_was_changed_is_found_and_nothing_crashes(path: tuple[Any, ...], value: Any) -> None:
    bundle = deepcopy(BUNDLE)
    holder: Any = bundle
    for key in path[:-1]:
        holder = holder[key]
    there = holder[path[-1]]
    same = (type(there) is type(value) and there == value) or (path == ("definitions",) and value == {})
    holder[path[-1]] = value

    assert verify_bundle(bundle).ok == same


@given(st.sampled_from([p for p in PROVED if p[-1] != "definitions" and p[0] == "streams"]))
def test_whatever_was_taken_away_is_found(path: tuple[Any, ...]) -> None:
    bundle = deepcopy(BUNDLE)
    holder: Any = bundle
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]

    assert not verify_bundle(bundle).ok


def test_what_was_added_is_found() -> None:
    for path in (["streams", 0], ["streams", 0, "entries", 2], ["streams", 0, "listed"], ["streams", 0, "rows", "facts", 0]):
        bundle = deepcopy(BUNDLE)
        holder: Any = bundle
        for key in path:
            holder = holder[key]
        holder["note"] = "as good as proved"

        assert not verify_bundle(bundle).ok


@pytest.mark.parametrize("bundle", [{}, {"streams": []}, [], None, {"streams": 1, "definitions": {}, "tenant": "main"}])
def test_what_is_no_bundle_is_said_to_be_none(bundle: Any) -> None:
    assert not verify_bundle(bundle).ok
