"""A desk for imports: the built-in plugin reads the logs, and the record is verified after every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casekit import Desk, Seat, builtin
from logs import Lab


@pytest.fixture
def desk(open_store: Callable[..., Desk]) -> Iterator[Desk]:
    """A desk with the built-in plugin alone. Its record is verified when the test is over."""
    opened = open_store(plugins=[builtin])
    yield opened
    report = opened.seat("test:auditor", roles={"auditor"}).verify()
    assert report.wrong == []


@pytest.fixture
def seat(desk: Desk) -> Seat:
    return desk.seat("user:lee", roles={"admin"})


@pytest.fixture
def lab(seat: Seat, tmp_path: Path) -> Lab:
    return Lab(seat, tmp_path)
