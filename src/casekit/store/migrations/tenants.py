"""Row-level security on PostgreSQL. A step is never changed once it has been released.

On SQLite each tenant has a file of its own, and there is nothing to do.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from casekit.store.fence import NAMES, POLICY, SETTING

FENCED = (
    "checkpoints",
    "clocks",
    "data_keys",
    "definitions",
    "documents",
    "entries",
    "facts",
    "goals",
    "idempotency",
    "leaves",
    "messages",
    "outbox",
    "postings",
    "roles",
    "search",
    "sequences",
    "streams",
    "tasks",
)


def upgrade(op: Operations) -> None:
    """Fences every table that belongs to tenants, and makes the function that names them."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in FENCED:
        fence(op, table)
    for table in ("streams", "data_keys"):
        op.execute(sa.text(f"DROP POLICY IF EXISTS casekit_names ON {table}"))
        op.execute(sa.text(f"CREATE POLICY casekit_names ON {table} FOR SELECT TO CURRENT_USER USING ({_setting(NAMES)} = 'yes')"))
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    op.execute(
        sa.text(
            "CREATE OR REPLACE FUNCTION casekit_tenants() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER"  # noqa: S608 - names of our own
            f" SET search_path = {schema}, pg_temp AS $$ BEGIN"
            f" PERFORM set_config('{NAMES}', 'yes', true);"
            " RETURN QUERY SELECT tenant FROM streams UNION SELECT tenant FROM data_keys;"
            f" PERFORM set_config('{NAMES}', '', true); END $$"
        )
    )
    op.execute(sa.text("REVOKE ALL ON FUNCTION casekit_tenants() FROM PUBLIC"))


def fence(op: Operations, table: str) -> None:
    """Fences a table. Whichever later step makes one that belongs to tenants calls this for it."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(sa.text(f"DROP POLICY IF EXISTS {POLICY} ON {table}"))
    op.execute(sa.text(f"CREATE POLICY {POLICY} ON {table} USING (tenant = {_setting(SETTING)})"))
    op.execute(sa.text(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"))


def _setting(name: str) -> str:
    """Its value, asked for once in a statement and not for each row; NULL where it was never set."""
    return f"(SELECT current_setting('{name}', true))"
