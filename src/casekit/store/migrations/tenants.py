"""Row-level security on PostgreSQL. A step is never changed once it has been released.

On SQLite each tenant has a file of its own, and there is nothing to do.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from casekit.store.fence import NAMES, OVER, POLICY, SETTING

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
    "levels",
    "links",
    "messages",
    "outbox",
    "postings",
    "roles",
    "search",
    "sequences",
    "standings",
    "streams",
    "tasks",
)


def upgrade(op: Operations) -> None:
    """Fences every table that belongs to tenants, and makes the functions that see over the fences."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in FENCED:
        fence(op, table)
    _function(op, "casekit_tenants() RETURNS SETOF text", "", _TENANTS)
    _function(
        op, "casekit_nobodys() RETURNS TABLE (place text, named text, stream bigint, count bigint)", "DECLARE known regclass;", _NOBODYS
    )


def fence(op: Operations, table: str) -> None:
    """Fences a table. Whichever later step makes one that belongs to tenants calls this for it."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for policy in (POLICY, OVER):
        op.execute(sa.text(f"DROP POLICY IF EXISTS {policy} ON {table}"))
    op.execute(sa.text(f"CREATE POLICY {POLICY} ON {table} USING (tenant = {_setting(SETTING)})"))
    op.execute(sa.text(f"CREATE POLICY {OVER} ON {table} FOR SELECT TO CURRENT_USER USING ({_setting(NAMES)} = 'yes')"))
    op.execute(sa.text(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"))


def _setting(name: str) -> str:
    """Its value, asked for once in a statement and not for each row; NULL where it was never set."""
    return f"(SELECT current_setting('{name}', true))"


def _function(op: Operations, name: str, declared: str, body: str) -> None:
    """A function that sees over the fences as the owner does while it runs, and tells no more than it returns."""
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    how = f"LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp"
    begun, ended = (f"PERFORM set_config('{NAMES}', '{value}', true);" for value in ("yes", ""))
    op.get_bind().exec_driver_sql(f"CREATE OR REPLACE FUNCTION {name} {how} AS $$ {declared} BEGIN {begun} {body} {ended} END $$")
    op.get_bind().exec_driver_sql(f"REVOKE ALL ON FUNCTION {name.partition(' ')[0]} FROM PUBLIC")


_TENANTS = "RETURN QUERY SELECT tenant FROM streams UNION SELECT tenant FROM data_keys;"
"""Everyone who has a record here."""

_NOBODYS = (
    f"FOR known IN SELECT polrelid FROM pg_policy WHERE polname = '{POLICY}' AND pg_table_is_visible(polrelid) LOOP"  # noqa: S608 - names of our own
    " RETURN QUERY EXECUTE 'SELECT ' || quote_literal(known::text) || '::text, t.tenant, '"
    " || CASE WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = known AND attname = 'sid') THEN 't.sid' ELSE 'NULL::bigint' END"
    " || ', count(*) FROM ' || known::text"
    " || ' t WHERE NOT EXISTS (SELECT FROM streams s WHERE s.tenant = t.tenant) GROUP BY 2, 3';"
    " END LOOP;"
)
"""Rows that name a tenant who has no stream: no tenant sees them."""
