from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

import servers


def test_a_server_starts_gives_databases_and_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASEKIT_TEST_PG_URL", raising=False)

    with servers.postgresql() as server:
        first, second = server.create(), server.create()
        with psycopg.connect(servers.dsn(first), autocommit=True) as left_open:
            left_open.execute("CREATE TABLE t (a int)")
            server.drop(first)
        with psycopg.connect(servers.dsn(second)) as other:
            found = other.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        folder = Path(psycopg.conninfo.conninfo_to_dict(servers.dsn(second))["host"])

    assert found == (0,)
    assert not folder.exists()


def test_a_named_server_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.postgresql() as started:
        monkeypatch.setitem(os.environ, "CASEKIT_TEST_PG_URL", servers.dsn(started.url))
        with servers.postgresql() as named:
            assert named.url == started.url


def test_programs_out_of_reach_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASEKIT_TEST_PG_URL", raising=False)
    reached = servers._runs
    monkeypatch.setattr(servers, "_runs", lambda programs, run_as: "site-packages" not in str(programs) and reached(programs, run_as))

    with servers.postgresql() as server, psycopg.connect(servers.dsn(server.url)) as connection:
        where = connection.execute("SHOW data_directory").fetchone()

    assert where is not None
    assert "casekit-pg-" in where[0]
