"""A store that has seen everything, others to restore into, and what is in them, seen from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import frozen

from casekit import Desk, builtin
from casekit.desk.keeping import Keeper
from casekit.store.tables import METADATA
from proofs import office
from servers import Server, dsn

Tables = dict[str, list[tuple[Any, ...]]]


@frozen
class Filled:
    """A store with an office in it."""

    desk: Desk
    office: office.Office
    keeper: Keeper
    url: str
    folder: Path


def rows(url: str) -> Tables:
    """Every row of every table, in one order on both engines."""
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(dsn(url))
    with closing(connection):
        found = {name: connection.execute(f"SELECT {columns(name)} FROM {name}").fetchall() for name in METADATA.tables}
    return {name: sorted(map(plain, several), key=repr) for name, several in found.items()}


def columns(table: str) -> str:
    return ", ".join(c.name for c in METADATA.tables[table].c)


def plain(row: Any) -> tuple[Any, ...]:
    return tuple(bytes(cell) if isinstance(cell, (bytes, memoryview)) else cell for cell in row)


def operator(desk: Desk) -> Keeper:
    return desk.keeper("user:ops", roles={"admin"})


def auditor(desk: Desk) -> list[Any]:
    return desk.seat("test:auditor", roles={"auditor"}).verify().wrong


@pytest.fixture
def filled(open_store: Callable[..., Desk], clock: Any, store_url: str, tmp_path: Path) -> Iterator[Filled]:
    desk = open_store(plugins=PLUGINS, documents=tmp_path / "documents")
    found = office.fill(desk, clock)
    yield Filled(desk, found, operator(desk), store_url, tmp_path)
    assert auditor(desk) == []


PLUGINS: tuple[Any, ...] = (*office.PLUGINS, builtin)


@pytest.fixture
def another(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """URLs of further stores, that do not exist yet, on this engine or on the one that is named."""
    made: list[tuple[Server, str]] = []

    def one(name: str, on: str = engine) -> str:
        if on == "sqlite":
            (tmp_path / name).mkdir(exist_ok=True)
            return f"sqlite:///{tmp_path}/{name}/store.db"
        server: Server = request.getfixturevalue("server")
        made.append((server, server.create()))
        return made[-1][1]

    yield one
    for server, url in made:
        server.drop(url)
