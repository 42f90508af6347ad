from __future__ import annotations

import os
from pathlib import Path

import pytest

from casekit.cli import main
from commandline import DISPUTE, Run, Said


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CASEKIT_") and not name.startswith("CASEKIT_TEST")]:
        monkeypatch.delenv(name)


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, with nothing added to its arguments, and as wide as where nobody looks."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the SQLite store of a test will be."""
    return tmp_path / "cli.db"


@pytest.fixture
def casekit(program: Run, store: Path) -> Run:
    """Runs a command on a store of its own, the type ``test.dispute`` at hand."""

    def run(*arguments: object) -> Said:
        return program(*arguments, "--store", f"sqlite:///{store}", "--type", DISPUTE)

    return run


@pytest.fixture
def tenant_of(casekit: Run) -> str:
    """A party who can be the tenant of a dispute."""
    details = ["--name", "Maria Silva", "--phone", "+1 212 555 0142", "--ref", "crm:7", "--zone", "America/New_York"]
    found: str = casekit("party", "add", "person", *details, "--json").json["party"]["id"]
    return found


@pytest.fixture
def case(casekit: Run, tenant_of: str) -> str:
    """The number of an open dispute over 500.00 EUR."""
    opened = casekit("case", "open", "test.dispute", "--data", "deposit=500.00 EUR", "--party", f"tenant={tenant_of}", "--json")
    found: str = opened.json["case"]["number"]
    return found
