"""Runs lines: rounds, stores, servers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.deadlines import LOG
from benchmarks.figures import Figure, figure, machine
from benchmarks.lines import LINES, Line
from benchmarks.pair import Pair
from servers import NoServer, Server, postgresql

_numbers = count()


def run(wanted: list[str], rounds: int, folder: Path, *, quiet: bool = False) -> tuple[list[Figure], dict[str, Any]]:
    """Measures the lines wanted, each on fresh stores in every round; gives figures and machine."""
    lines = [line for line in LINES if not wanted or any(w in line.key for w in wanted)]
    facts = machine()
    figures = []
    if not quiet and not LOG.is_file():
        print("CASEKIT_TEST_DATA names no folder with the help desk's log, its line is left out", file=sys.stderr)
    with ExitStack() as stack:
        server: Server | None = None
        for line in lines:
            if line.engine == "postgresql" and server is None:
                try:
                    server = stack.enter_context(postgresql(durable=True))
                except NoServer as wrong:
                    print(f"no PostgreSQL, its lines are left out: {wrong}", file=sys.stderr)
                    break
                facts["postgresql"] = _version(server)
            if not quiet:
                print(f"{line.key} …", file=sys.stderr)
            figures.append(figure(line, [_round(line, folder, server) for _ in range(min(rounds, line.rounds or rounds))]))
    return figures, facts


def _round(line: Line, folder: Path, server: Server | None) -> tuple[float, float | None]:
    with _pair(line, folder, server) as pair:
        found = line.measure(pair)
        if line.growth is None and not pair.same():
            raise RuntimeError(f"{line.key}: the two stores differ, so the comparison is none")
        return found


@contextmanager
def _pair(line: Line, folder: Path, server: Server | None) -> Iterator[Pair]:
    here = folder / str(next(_numbers))
    here.mkdir(parents=True)
    if server is None or line.engine == "sqlite":
        pair = Pair(f"sqlite:///{here}/desk.db", f"sqlite:///{here}/bare.db", here)
        try:
            yield pair
        finally:
            pair.close()
            shutil.rmtree(here)
        return
    urls = server.create(), server.create()
    pair = Pair(*urls, here)
    try:
        yield pair
    finally:
        pair.close()
        for url in urls:
            server.drop(url)


def _version(server: Server) -> str:
    import psycopg

    from servers import dsn

    with psycopg.connect(dsn(server.url)) as connection:
        return ".".join(str(connection.info.server_version // 10_000**i % 10_000) for i in (1, 0))
