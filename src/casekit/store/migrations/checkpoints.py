"""The log of all entries, and its checkpoints. A step is never changed once it has been released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from casekit.store.migrations.first import BYTES, INTEGER, TEXT


def upgrade(op: Operations) -> None:
    """Creates the tables ``leaves`` and ``checkpoints``."""
    op.create_table(
        "leaves",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("place", INTEGER, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("n", INTEGER, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "place", name="pk_leaves"),
        sa.UniqueConstraint("tenant", "stream", "n", name="uq_leaves_tenant_stream_n"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoints",
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("peaks", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "size", name="pk_checkpoints"),
        sqlite_strict=True,
    )
