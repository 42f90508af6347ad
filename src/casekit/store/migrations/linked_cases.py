"""Links between cases, and where documents stand. A step is never changed once it has been released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from casekit.store.migrations.first import INTEGER, TEXT


def upgrade(op: Operations) -> None:
    """Creates the tables ``links`` and ``standings``; no store has any of either yet."""
    _create(op, "links", ("relation", "other", "n"), ("relation", "other"))
    op.create_index("ix_links_other", "links", ["tenant", "other"], unique=False)
    _create(op, "standings", ("document", "n", "kind", "status"), ("document",))


def _create(op: Operations, name: str, columns: tuple[str, ...], key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("sid", INTEGER, nullable=False),
        *(sa.Column(column, INTEGER if column == "n" else TEXT, nullable=False) for column in columns),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name=f"fk_{name}_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", *key, name=f"pk_{name}"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
