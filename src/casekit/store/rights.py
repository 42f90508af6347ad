"""Who may do what on PostgreSQL: the owner makes tables, another role works with them, and row-level security binds both."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from casekit.errors import BadInput
from casekit.store.engine import bring_up, open_engine
from casekit.store.fence import POLICY
from casekit.store.shelf import Shelf
from casekit.store.tables import CHECKPOINTS, DEFINITIONS, ENTRIES, LEAVES, METADATA

KEPT = frozenset({CHECKPOINTS.name, DEFINITIONS.name, ENTRIES.name, LEAVES.name})
"""Tables whose rows are never changed: the role that works with them can't."""


@frozen
class Granted:
    """What a role was given.

    Attributes:
        role: Which role.
        schema: Where the tables are.
        tables: Tables that it may work with.
    """

    role: str
    schema: str
    tables: tuple[str, ...]


@frozen
class Rights:
    """How the role that a store is opened as stands to row-level security.

    Attributes:
        role: Which role.
        above: Whether row-level security does not bind it: a superuser, or one with BYPASSRLS.
        owner: Whether it owns the tables, and could take the wall down.
        open: Tables of tenants that are not fenced, or whose fence does not bind their owner.
        views: Views that read the record with the rights of a role whom row-level security does not bind.
    """

    role: str
    above: bool
    owner: bool
    open: tuple[str, ...]
    views: tuple[str, ...]


def grant(url: URL, role: str) -> Granted:
    """Lets a role work with the tables of a store on PostgreSQL; they are made, or brought up to date, before.

    Args:
        url: The store, as its owner.
        role: The role as which desks are to connect. It may read and write rows, and neither change what is recorded nor
            make tables.

    Raises:
        BadInput: the store is on SQLite; there is no such role; it is the owner's own, or row-level security does not bind it.
    """
    if url.get_backend_name() != "postgresql":
        raise BadInput.at("store", "on SQLite there are no roles: each tenant has a file of its own", "use the rights of files")
    engine = open_engine(url)
    try:
        bring_up(engine)
        with engine.connect() as connection:
            _refuse_role(connection, role)
            connection.exec_driver_sql("BEGIN")
            schema = give(connection, role)
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as wrong:
        reason = str(wrong.orig).strip().splitlines()[0]
        raise BadInput.at("store", f"the role can't be granted anything: {reason}", "connect as the owner of the tables") from wrong
    finally:
        engine.dispose()
    return Granted(role, schema, tuple(sorted(METADATA.tables)))


def give(connection: Connection, role: str) -> str:
    """Grants a role what it needs, within the transaction that is open; gives the schema."""
    quote = connection.dialect.identifier_preparer.quote
    who, schema = quote(role), str(connection.exec_driver_sql("SELECT current_schema()").scalar_one())
    said = [f"GRANT USAGE ON SCHEMA {quote(schema)} TO {who}", f"GRANT SELECT ON alembic_version TO {who}"]
    for name in sorted(METADATA.tables):
        rights = "SELECT, INSERT, DELETE" if name in KEPT else "SELECT, INSERT, UPDATE, DELETE"
        said += [f"REVOKE ALL ON {quote(name)} FROM {who}", f"GRANT {rights} ON {quote(name)} TO {who}"]
    said += [f"GRANT EXECUTE ON FUNCTION {function}() TO {who}" for function in ("casekit_tenants", "casekit_nobodys")]
    if int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) >= 170000:
        said.append(f"GRANT MAINTAIN ON data_keys TO {who}")  # what is erased is swept out at once
    for statement in said:
        connection.exec_driver_sql(statement)
    return schema


def rights_of(shelf: Shelf) -> Rights:
    """How the role that a shelf on PostgreSQL is opened as stands to row-level security."""
    asked = shelf.connection.execute(_WHO).fetchone()
    open_ = [row[0] for row in shelf.connection.execute(_OPEN, (_fenced_names(), POLICY)).fetchall()]
    views = [row[0] for row in shelf.connection.execute(_VIEWS, (_fenced_names(),)).fetchall()]
    return Rights(asked[0], asked[1], asked[2], tuple(open_), tuple(views))


def _fenced_names() -> list[str]:
    return sorted(table.name for table in METADATA.sorted_tables if "tenant" in table.c)


def _refuse_role(connection: Connection, role: str) -> None:
    found: Any = connection.execute(text(_ROLE), {"role": role}).first()
    if found is None:
        raise BadInput.at("role", f"there is no role {role!r}", f"make it first: CREATE ROLE {role} LOGIN")
    above, owner = found
    if above:
        raise BadInput.at(
            "role", f"{role!r} is a superuser or has BYPASSRLS: row-level security would not bind it", "name a role that is neither"
        )
    if owner:
        raise BadInput.at("role", f"{role!r} owns the tables, or can act as their owner", "name another role for desks to connect as")


_ROLE = """
SELECT r.rolsuper OR r.rolbypassrls, pg_has_role(r.oid, c.relowner, 'MEMBER')
FROM pg_roles r, pg_class c WHERE r.rolname = :role AND c.oid = to_regclass('streams')
"""

_WHO = """
SELECT current_user::text, r.rolsuper OR r.rolbypassrls, c.relowner = r.oid
FROM pg_roles r, pg_class c WHERE r.rolname = current_user AND c.oid = to_regclass('streams')
"""

_OPEN = """
SELECT c.relname::text FROM pg_class c WHERE c.oid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) name)
AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
    SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %s)) ORDER BY 1
"""

_VIEWS = """
SELECT DISTINCT v.oid::regclass::text FROM pg_class v
JOIN pg_rewrite w ON w.ev_class = v.oid JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
JOIN pg_roles r ON r.oid = v.relowner
WHERE d.refobjid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) name) AND v.relkind IN ('v', 'm')
AND (v.relkind = 'm' OR (r.rolsuper OR r.rolbypassrls)
    AND NOT coalesce(v.reloptions @> ARRAY['security_invoker=true'] OR v.reloptions @> ARRAY['security_invoker=on'], false))
ORDER BY 1
"""

__all__ = ["Granted", "Rights", "grant", "rights_of"]
