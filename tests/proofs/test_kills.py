"""P1: a command that came back survives the death of its process, and of the database's.

A writer says of each command that it was done, and is killed at a moment of chance. Then everything that it said is
looked for in the record: no command that was acknowledged may be missing, and at most one that was not may be there.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from attrs import define, field

from casekit import Desk
from proofs import writer
from servers import dsn

BATCH = 25
"""Kills between two looks at the record."""


@define
class Acked:
    """What the writer was told.

    Attributes:
        commands: Stream, n and document of each command that came back.
        interrupted: How often a command was cut off: each may or may not have been done.
        refused: How many were refused, which is on the journal too.
        lost: What came back and is not there.
        extra: How many are there that did not come back.
    """

    commands: list[tuple[str, int, str]] = field(factory=list)
    interrupted: int = 0
    refused: int = 0
    lost: list[str] = field(factory=list)
    extra: int = 0

    def hear(self, line: str) -> None:
        word, *more = line.split()
        if word == "done":
            self.commands.append((more[0], int(more[1]), more[2]))
        elif word == "failed":
            self.interrupted += 1
        else:
            assert word == "refused", line
            self.refused += 1


@contextmanager
def zygote(folder: Path, url: str, dice: random.Random) -> Iterator[subprocess.Popen[str]]:
    """A process that forks writers, warm."""
    program = [sys.executable, writer.__file__, str(folder), url, str(dice.random())]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": ""})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def rounds(process: subprocess.Popen[str], acked: Acked, count: int, dice: random.Random) -> None:
    """Starts a writer, lets it write for a while, kills it; and again."""
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(count):
        process.stdin.write("0\n")
        process.stdin.flush()
        pid = int(process.stdout.readline().split()[1])
        for _ in range(dice.randrange(1, 7)):
            acked.hear(process.stdout.readline())
        time.sleep(dice.uniform(0.0, 0.01))
        os.kill(pid, signal.SIGKILL)
        acked.interrupted += 1
        for line in iter(process.stdout.readline, f"end {pid}\n"):
            assert line, "the writer's parent is gone"
            acked.hear(line)


def undisturbed(process: subprocess.Popen[str], acked: Acked) -> None:
    """Lets a writer write some commands, so that there are cases."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("20\n")
    process.stdin.flush()
    pid = int(process.stdout.readline().split()[1])
    for line in iter(process.stdout.readline, f"end {pid}\n"):
        acked.hear(line)


def look(desk: Desk, acked: Acked) -> None:
    """Looks for everything that came back: in the journal, and documents in their folder."""
    shelf = desk.shelf("main")
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    there = {(row[0], row[1]) for row in shelf.connection.execute(f"SELECT s.uuid, e.n {_JOINED}").fetchall()}
    acked.lost += [f"{stream} {n}" for stream, n, _ in acked.commands if (stream, n) not in there]
    lee = desk.seat("user:lee", roles={"clerk"})
    for stream, n, document in acked.commands:
        if document != "-":
            id_, name = document.split(":")
            if lee.read_document(stream, id_)[0] != writer.content(name):
                acked.lost.append(f"{stream} {n}: its document")
    done = shelf.connection.execute(f"SELECT count(DISTINCT e.command) {_JOINED}").fetchone()[0]
    acked.extra = done - len(acked.commands) - acked.refused


_JOINED = "FROM entries e JOIN streams s ON s.tenant = e.tenant AND s.sid = e.sid"


def test_commands_that_came_back_survive_the_death_of_their_process(
    engine: str,
    store_url: str,
    tmp_path: Path,
    times: Callable[[int], int],
    dice: random.Random,
    figure: Callable[[str], None],
) -> None:
    kills = times(200 if engine == "sqlite" else 50)
    acked = Acked()
    with zygote(tmp_path, store_url, dice) as process, writer.desk_at(str(tmp_path), store_url) as desk:
        undisturbed(process, acked)
        for done in range(0, kills, BATCH):
            rounds(process, acked, min(BATCH, kills - done), dice)
            look(desk, acked)

    figure(
        f"P1 kills ({engine}): {kills} SIGKILLs, {len(acked.commands)} commands came back, {len(acked.lost)} lost; "
        f"{acked.extra} done without coming back, at most one a kill"
    )
    assert acked.lost == []
    assert 0 <= acked.extra <= acked.interrupted
    assert len(acked.commands) > 2 * kills, "the writers were killed before they wrote anything"


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_writer_goes_on_after_its_backend_was_ended(
    engine: str,
    store_url: str,
    tmp_path: Path,
    times: Callable[[int], int],
    dice: random.Random,
    figure: Callable[[str], None],
) -> None:
    ended = times(5)
    acked = Acked()
    with zygote(tmp_path, store_url, dice) as process, writer.desk_at(str(tmp_path), store_url) as desk:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("0\n")
        process.stdin.flush()
        pid = int(process.stdout.readline().split()[1])
        with psycopg.connect(dsn(store_url), autocommit=True) as other:
            for _ in range(ended):
                before = len(acked.commands)
                while len(acked.commands) < before + 5:
                    acked.hear(process.stdout.readline())
                time.sleep(dice.uniform(0.0, 0.02))
                found = other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
                ).fetchall()
                assert found
                before = acked.interrupted
                while acked.interrupted == before:
                    acked.hear(process.stdout.readline())
        os.kill(pid, signal.SIGKILL)
        acked.interrupted += 1
        for line in iter(process.stdout.readline, f"end {pid}\n"):
            acked.hear(line)
        look(desk, acked)

    figure(
        f"P1 backends (postgresql): {ended} ended, {acked.interrupted - 1} commands failed, {len(acked.commands)} came back, "
        f"{len(acked.lost)} lost"
    )
    assert acked.lost == []
    assert 0 <= acked.extra <= acked.interrupted
