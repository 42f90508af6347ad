"""The program as a process: how fast it helps, what it imports, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from casekit.cli.commands import COMMANDS, first_page
from commandline import ROOT, Run

PROGRAM = [sys.executable, "-m", "casekit"]
HEAVY = {"sqlalchemy", "alembic", "jsonschema", "cryptography", "rich.table", "casekit.desk.desk"}


def _modules_after(*arguments: str) -> set[str]:
    code = f"import sys; from casekit.cli import main; main({list(arguments)!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_comes_within_a_third_of_a_second() -> None:
    def once() -> float:
        began = time.perf_counter()
        subprocess.run([*PROGRAM, "--help"], capture_output=True, check=True)
        return time.perf_counter() - began

    assert min(once() for _ in range(5)) < 0.3


def test_the_first_page_of_help_imports_next_to_nothing() -> None:
    assert not _modules_after("--help") & (HEAVY | {"cyclopts", "rich"})


@pytest.mark.parametrize("arguments", [("case", "--help"), ("case", "open", "--help"), ("import", "xes", "--help"), ("calc", "--help")])
def test_no_page_of_help_imports_store_or_validator(arguments: tuple[str, ...]) -> None:
    assert not _modules_after(*arguments) & (HEAVY - {"rich.table"})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page_of_help(program: Run, command: str) -> None:
    said = program(*command.split(), "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: casekit {command}")
    assert "--json" in said.out
    assert command.rsplit(maxsplit=1)[-1] in first_page()


def test_the_version_is_that_of_the_package() -> None:
    from casekit import __version__

    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == __version__


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    script = f"{sys.executable} -m casekit type show debt.case --store sqlite:///{tmp_path}/x.db --json | head -c 10"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {script}; true"], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    reader, writer = os.pipe()
    os.close(reader)
    closed = subprocess.run([*PROGRAM, "type", "list", "--json"], stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(writer)
    assert (closed.returncode, closed.stderr) == (141, b"")


def test_ctrl_c_ends_it_quietly(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [*PROGRAM, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert running.stdout is not None
    while b"Intake" not in running.stdout.readline():
        pass
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"Traceback" not in errors


def test_the_installed_program_is_the_module() -> None:
    program = Path(sys.executable).with_name("casekit")
    if not program.exists():
        pytest.fail("casekit is not installed as a program beside this Python: install the project, as make test does")
    one = subprocess.run([program, "--help"], capture_output=True, check=True)
    two = subprocess.run([*PROGRAM, "--help"], capture_output=True, check=True, cwd=ROOT)
    assert one.stdout == two.stdout
