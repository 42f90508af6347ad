"""Goals as rows. Stores that have goals already get the rows of them from their journals, by the fold itself."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations

from casekit.record.fold import fold
from casekit.store.migrations.first import INTEGER, TEXT

_COLUMNS = ("goal", "n", "measure", "want", "target", "day", "owner", "at", "due", "status", "since")
_OPTIONAL = ("day", "due", "since")


def upgrade(op: Operations) -> None:
    """Creates the table and its index, and fills it."""
    op.create_table(
        "goals",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("sid", INTEGER, nullable=False),
        *(sa.Column(name, INTEGER if name == "n" else TEXT, nullable=name in _OPTIONAL) for name in _COLUMNS),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_goals_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "goal", name="pk_goals"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    open_ = sa.text("status != 'reached'")
    op.create_index("ix_goals_work", "goals", ["tenant", "owner", "due", "sid"], unique=False, sqlite_where=open_, postgresql_where=open_)
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    with_goals = sa.text("SELECT tenant, sid FROM streams WHERE kind = 'case' AND head LIKE '%\"goals\":%'")
    for tenant, sid in connection.execute(with_goals).all():
        _fill_one(connection, tenant, sid)


def _fill_one(connection: sa.Connection, tenant: str, sid: int) -> None:
    bodies = sa.text("SELECT n, body FROM entries WHERE tenant = :tenant AND sid = :sid ORDER BY n")
    head: dict[str, Any] | None = None
    kept: dict[tuple[Any, ...], tuple[Any, ...] | None] = {}
    for n, body in connection.execute(bodies, {"tenant": tenant, "sid": sid}).all():
        head, written = fold(head, json.loads(body)["changes"], n)
        kept |= {key: row for table, key, row in written if table == "goals"}
    names = ", ".join(_COLUMNS)
    values = ", ".join(f":{name}" for name in _COLUMNS)
    insert = sa.text(f"INSERT INTO goals (tenant, sid, {names}) VALUES (:tenant, :sid, {values})")  # noqa: S608 - names of our own
    for row in kept.values():
        if row is not None:
            connection.execute(insert, {"tenant": tenant, "sid": sid, **dict(zip(_COLUMNS, row, strict=True))})
