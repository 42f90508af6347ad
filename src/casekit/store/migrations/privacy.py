"""Levels of confidentiality, as rows. Stores from before have none: what has no row is ordinary."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from casekit.store.migrations.first import INTEGER, TEXT


def upgrade(op: Operations) -> None:
    """Creates the table ``levels``."""
    op.create_table(
        "levels",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("sid", INTEGER, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("n", INTEGER, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("ground", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_levels_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "what", name="pk_levels"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
