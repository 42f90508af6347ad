"""Answers that rest on several owners: one envelope around the other, so that erasing any one shuts it."""

from __future__ import annotations

from typing import Any

import pytest

from casekit import Desk
from casekit.desk.sealing import opened, seal_for

CASE, MARIA, JOHN = "00-case", "11-maria", "22-john"
VALUES: list[Any] = [{}, {"text": "late"}, {"owner": MARIA, "envelope": "v1.text"}, {"list": [1, "a"]}]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("owners", [(), (CASE,), (MARIA,), (MARIA, JOHN), (JOHN, CASE, MARIA)])
def test_any_one_of_the_owners_shuts_it(desk: Desk, owners: tuple[str, ...], value: Any) -> None:
    work = desk.work(desk.shelf("main"))
    for owner in (MARIA, JOHN):
        work.make_key(owner)
    sealed = seal_for(work, CASE, owners, "about", value)
    keys = dict(work.keys)
    shutting = set(owners) - {CASE} or {CASE}

    assert opened(keys.get, "main", CASE, "about", sealed) == value
    for gone in (CASE, MARIA, JOHN):
        left = {owner: key for owner, key in keys.items() if owner != gone}
        assert opened(left.get, "main", CASE, "about", sealed) == ({} if gone in shutting else value)
