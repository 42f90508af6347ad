"""The how-to on tenants, as it stands: its Python on both engines, its commands on a server with the roles that it names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

import pages
from servers import Server, dsn

PAGE = (pages.HOWTO / "tenants.md").read_text(encoding="utf-8")


def test_the_page_does_what_it_says(tmp_path: Path, store_url: str) -> None:
    there: dict[str, Any] = {"folder": tmp_path, "url": store_url, "__name__": "tenants"}
    pages.run("tenants.md", there)
    there["desk"].close()


@pytest.mark.parametrize("engine", ["postgresql"])
def test_its_commands_run_as_the_roles_that_it_names(server: Server, engine: str, tmp_path: Path) -> None:
    (said,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    database = make_url(server.create())
    server.drop(database.render_as_string(hide_password=False))
    with psycopg.connect(dsn(server.url), autocommit=True) as above:
        above.execute("DROP ROLE IF EXISTS casekit_owner, casekit_app")
        for statement in said.replace("DATABASE record", f"DATABASE {database.database}").strip().split("\n"):
            above.execute(statement.encode())
    url = make_url(server.url).set(database=database.database)
    owner, app = (
        url.set(username=f"casekit_{who}", password=secret).render_as_string(hide_password=False)
        for who, secret in (("owner", "one secret"), ("app", "another secret"))
    )
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    script = f'set -euo pipefail\ncasekit() {{ {sys.executable} -m casekit "$@"; }}\n' + "\n".join(blocks)
    kept = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    there = {"OWNER": owner, "APP": app, "CASEKIT_KEYS": str(tmp_path / "keys"), "CASEKIT_DURABILITY": "relaxed"}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=kept | there, capture_output=True, text=True, check=False)
    with psycopg.connect(dsn(server.url), autocommit=True) as above:
        above.execute(f"DROP DATABASE {database.database} WITH (FORCE)".encode())
        above.execute("DROP ROLE casekit_owner, casekit_app")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "casekit_app may work with" in done.stdout
    assert done.stdout.count("Maria Silva") >= 2
    assert "casekit_app works with tables that it does not own" in " ".join(done.stdout.split())
    assert "forced on every table that belongs to tenants" in " ".join(done.stdout.split())
