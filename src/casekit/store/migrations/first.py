"""The first tables. A step is never changed once it has been released: what comes later is a step of its own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()


def upgrade(op: Operations) -> None:
    """Creates every table and index."""
    _data_keys(op)
    _definitions(op)
    _meta(op)
    _sequences(op)
    _streams(op)
    _clocks(op)
    _documents(op)
    _entries(op)
    _facts(op)
    _idempotency(op)
    _messages(op)
    _outbox(op)
    _postings(op)
    _roles(op)
    _search(op)
    _tasks(op)


def _column(name: str, kind: sa.types.TypeEngine[Any], *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=optional)


def _data_keys(op: Operations) -> None:
    op.create_table(
        "data_keys",
        _column("tenant", TEXT),
        _column("owner", TEXT),
        _column("id", TEXT),
        _column("kek", TEXT),
        _column("wrapped", BYTES),
        sa.PrimaryKeyConstraint("tenant", "owner", name="pk_data_keys"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _definitions(op: Operations) -> None:
    op.create_table(
        "definitions",
        _column("tenant", TEXT),
        _column("digest", TEXT),
        _column("kind", TEXT),
        _column("name", TEXT),
        _column("version", TEXT),
        _column("body", TEXT),
        sa.PrimaryKeyConstraint("tenant", "digest", name="pk_definitions"),
        sqlite_strict=True,
    )


def _meta(op: Operations) -> None:
    op.create_table(
        "meta", _column("name", TEXT), _column("value", TEXT), sa.PrimaryKeyConstraint("name", name="pk_meta"), sqlite_strict=True
    )


def _sequences(op: Operations) -> None:
    op.create_table(
        "sequences",
        _column("tenant", TEXT),
        _column("name", TEXT),
        _column("value", INTEGER),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_sequences"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _streams(op: Operations) -> None:
    op.create_table(
        "streams",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("uuid", TEXT),
        _column("kind", TEXT),
        _column("n", INTEGER),
        _column("version", INTEGER),
        _column("hash", BYTES),
        _column("recorded", TEXT),
        _column("head", TEXT),
        _column("type", TEXT),
        _column("number", TEXT, optional=True),
        _column("state", TEXT, optional=True),
        _column("category", TEXT, optional=True),
        _column("outcome", TEXT, optional=True),
        _column("opened", TEXT),
        _column("closed", TEXT, optional=True),
        _column("wake", TEXT, optional=True),
        _column("merged", TEXT, optional=True),
        sa.PrimaryKeyConstraint("tenant", "sid", name="pk_streams"),
        sa.UniqueConstraint("tenant", "uuid", name="uq_streams_tenant_uuid"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_streams_cases",
        "streams",
        ["tenant", "sid"],
        unique=False,
        sqlite_where=sa.text("kind = 'case'"),
        postgresql_where=sa.text("kind = 'case'"),
    )
    op.create_index(
        "ix_streams_open",
        "streams",
        ["tenant", "type", "state", "sid"],
        unique=False,
        sqlite_where=sa.text("closed IS NULL AND kind = 'case'"),
        postgresql_where=sa.text("closed IS NULL AND kind = 'case'"),
    )
    op.create_index(
        "ix_streams_wake",
        "streams",
        ["tenant", "wake", "sid"],
        unique=False,
        sqlite_where=sa.text("wake IS NOT NULL"),
        postgresql_where=sa.text("wake IS NOT NULL"),
    )
    op.create_index(
        "uq_streams_log",
        "streams",
        ["tenant", "type"],
        unique=True,
        sqlite_where=sa.text("kind = 'log'"),
        postgresql_where=sa.text("kind = 'log'"),
    )
    op.create_index(
        "uq_streams_number",
        "streams",
        ["tenant", "number"],
        unique=True,
        sqlite_where=sa.text("number IS NOT NULL"),
        postgresql_where=sa.text("number IS NOT NULL"),
    )


def _clocks(op: Operations) -> None:
    op.create_table(
        "clocks",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("clock", TEXT),
        _column("instance", TEXT),
        _column("n", INTEGER),
        _column("status", TEXT),
        _column("started", TEXT, optional=True),
        _column("due", TEXT, optional=True),
        _column("breached", TEXT, optional=True),
        _column("ended", TEXT, optional=True),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_clocks_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "clock", "instance", name="pk_clocks"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _documents(op: Operations) -> None:
    op.create_table(
        "documents",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("n", INTEGER),
        _column("i", INTEGER),
        _column("document", TEXT),
        _column("version", INTEGER),
        _column("kind", TEXT),
        _column("direction", TEXT),
        _column("media", TEXT),
        _column("size", INTEGER),
        _column("digest", TEXT),
        _column("sealed", TEXT, optional=True),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_documents_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "n", "i", name="pk_documents"),
        sqlite_strict=True,
    )


def _entries(op: Operations) -> None:
    op.create_table(
        "entries",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("v", INTEGER),
        _column("n", INTEGER),
        _column("recorded", TEXT),
        _column("effective", TEXT),
        _column("zone", TEXT),
        _column("day", TEXT, optional=True),
        _column("actor", TEXT),
        _column("kind", TEXT),
        _column("command", TEXT),
        _column("spoke", TEXT),
        _column("state", BYTES),
        _column("body", TEXT),
        _column("hash", BYTES),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_entries_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "n", name="pk_entries"),
        sqlite_strict=True,
    )


def _facts(op: Operations) -> None:
    op.create_table(
        "facts",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("n", INTEGER),
        _column("i", INTEGER),
        _column("key", TEXT),
        _column("at", TEXT),
        _column("zone", TEXT),
        _column("day", TEXT, optional=True),
        _column("value", TEXT, optional=True),
        _column("sealed", TEXT, optional=True),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_facts_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "n", "i", name="pk_facts"),
        sqlite_strict=True,
    )


def _idempotency(op: Operations) -> None:
    op.create_table(
        "idempotency",
        _column("tenant", TEXT),
        _column("key_hmac", BYTES),
        _column("request_hmac", BYTES),
        _column("sid", INTEGER),
        _column("n", INTEGER),
        _column("recorded", TEXT),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_idempotency_streams"),
        sa.PrimaryKeyConstraint("tenant", "key_hmac", name="pk_idempotency"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _messages(op: Operations) -> None:
    op.create_table(
        "messages",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("n", INTEGER),
        _column("i", INTEGER),
        _column("party", TEXT, optional=True),
        _column("role", TEXT, optional=True),
        _column("direction", TEXT),
        _column("via", TEXT),
        _column("outcome", TEXT),
        _column("at", TEXT),
        _column("zone", TEXT),
        _column("day", TEXT, optional=True),
        _column("sealed", TEXT, optional=True),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_messages_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "n", "i", name="pk_messages"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_messages_party",
        "messages",
        ["tenant", "party", "at"],
        unique=False,
        sqlite_where=sa.text("party IS NOT NULL"),
        postgresql_where=sa.text("party IS NOT NULL"),
    )


def _outbox(op: Operations) -> None:
    op.create_table(
        "outbox",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("n", INTEGER),
        _column("attempts", INTEGER),
        _column("next_at", TEXT, optional=True),
        _column("done", TEXT),
        _column("error", TEXT, optional=True),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_outbox_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "n", name="pk_outbox"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _postings(op: Operations) -> None:
    op.create_table(
        "postings",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("n", INTEGER),
        _column("i", INTEGER),
        _column("kind", TEXT),
        _column("component", TEXT),
        _column("minor", INTEGER),
        _column("currency", TEXT),
        _column("at", TEXT),
        _column("zone", TEXT),
        _column("day", TEXT, optional=True),
        _column("reverses", TEXT, optional=True),
        _column("sealed", TEXT, optional=True),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_postings_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "n", "i", name="pk_postings"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _roles(op: Operations) -> None:
    op.create_table(
        "roles",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("role", TEXT),
        _column("party", TEXT),
        _column("n", INTEGER),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_roles_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "role", "party", name="pk_roles"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_roles_party", "roles", ["tenant", "party"], unique=False)


def _search(op: Operations) -> None:
    op.create_table(
        "search",
        _column("tenant", TEXT),
        _column("field", TEXT),
        _column("hmac", BYTES),
        _column("sid", INTEGER),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_search_streams"),
        sa.PrimaryKeyConstraint("tenant", "field", "hmac", "sid", name="pk_search"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _tasks(op: Operations) -> None:
    op.create_table(
        "tasks",
        _column("tenant", TEXT),
        _column("sid", INTEGER),
        _column("item", TEXT),
        _column("instance", TEXT),
        _column("n", INTEGER),
        _column("kind", TEXT),
        _column("status", TEXT),
        _column("stage", TEXT),
        _column("who", TEXT),
        _column("at", TEXT),
        _column("started", TEXT, optional=True),
        _column("due", TEXT, optional=True),
        _column("ended", TEXT, optional=True),
        _column("source", TEXT, optional=True),
        _column("sealed", TEXT, optional=True),
        sa.ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"], name="fk_tasks_streams"),
        sa.PrimaryKeyConstraint("tenant", "sid", "item", "instance", name="pk_tasks"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "ix_tasks_work",
        "tasks",
        ["tenant", "who", "due", "sid"],
        unique=False,
        sqlite_where=sa.text("kind = 'task' AND status IN ('active', 'enabled')"),
        postgresql_where=sa.text("kind = 'task' AND status IN ('active', 'enabled')"),
    )
