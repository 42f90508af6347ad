"""What tests share: a fresh store on each engine, a desk with a clock that tests move, and a last look at the record.

After every test that opened a desk, its whole record is verified: replay equals tables, whatever the test did.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import tenancy
from casekit import Desk, Seat, open_desk
from figures import FIGURES
from servers import NoServer, Server, postgresql

# A shared machine may be slow at any moment: what a test finds counts, not how long it took.
hypothesis.settings.register_profile("casekit", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("casekit")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # one of several processes: it hands its figures on
        session.config.workeroutput["figures"] = session.config.stash[FIGURES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[FIGURES] += getattr(node, "workeroutput", {}).get("figures", ())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[FIGURES]:
        terminalreporter.section("proofs")
        for line in sorted(config.stash[FIGURES]):
            terminalreporter.write_line(line)


class TestClock:
    """A clock that stands still until a test moves it."""

    __test__ = False

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Moves it: ``days=1``, ``hours=2`` …"""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; where there is none, the tests that want one say so, and under CI they fail."""
    try:
        with postgresql() as started:
            yield started
    except NoServer as wrong:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL: {wrong}")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Which engine a test runs on: each in turn."""
    return str(request.param)


@pytest.fixture
def store_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a store that does not exist yet."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    server: Server = request.getfixturevalue("server")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def open_store(store_url: str, tmp_path: Path, clock: TestClock) -> Iterator[Callable[..., Desk]]:
    """Opens desks on one store, with the tenancy plugin alone where nothing else is said."""
    opened: list[Desk] = []

    def open_one(**how: Any) -> Desk:
        how = {"store": store_url, "keys": tmp_path / "keys", "plugins": [tenancy], "installed": False, "clock": clock} | how
        opened.append(open_desk(**how))
        return opened[-1]

    yield open_one
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(open_store: Callable[..., Desk]) -> Iterator[Desk]:
    """A desk on a fresh store. Its record is verified when the test is over."""
    opened = open_store()
    yield opened
    report = opened.seat("test:auditor", roles={"auditor"}).verify()
    assert report.wrong == []


@pytest.fixture
def seat(desk: Desk) -> Seat:
    """A clerk who may do everything that the tenancy plugin knows."""
    return desk.seat("user:lee", roles={"clerk"})
