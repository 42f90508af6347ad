"""The tables, as SQLAlchemy Core. Tenant is in every key.

``streams`` holds the heads; ``entries`` the journal; the tables named in ``record.tables.ROWS`` are its
projection. The rest is beside the record: keys and search rows (so that erasing can delete them), idempotency
and outbox (pointers only), definitions, sequences, and the log of all entries (``leaves``) with its checkpoints.
Leaves name streams by UUID and know no foreign key: they stay when a stream is disposed of.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from casekit.record.entry import COLUMNS
from casekit.record.tables import KEYS, LISTED, ROWS

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_INTEGER = BigInteger().with_variant(Integer(), "sqlite")  # STRICT knows INTEGER only, and it has 64 bits
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")  # bytes decide the order, on both
_INTEGERS = {"sid", "n", "i", "v", "version", "minor", "size", "value", "attempts", "place"}
_BYTES = {"hash", "state", "wrapped", "hmac", "key_hmac", "request_hmac", "peaks"}


def _column(name: str, optional: bool = False) -> Column[Any]:
    kind: Any = _INTEGER if name in _INTEGERS else LargeBinary() if name in _BYTES else _TEXT
    return Column(name, kind, nullable=optional)


_NARROW = {
    "levels",
    "links",
    "roles",
    "standings",
    "postings",
    "clocks",
    "data_keys",
    "search",
    "idempotency",
    "outbox",
    "sequences",
    "leaves",
}
"""Tables whose rows stay far below a quarter of a page: clustered by their key on SQLite."""


def _table(name: str, columns: tuple[Column[Any], ...], key: tuple[str, ...], *more: Any) -> Table:
    return Table(
        name,
        METADATA,
        Column("tenant", _TEXT, nullable=False),
        *columns,
        PrimaryKeyConstraint("tenant", *key),
        *more,
        sqlite_strict=True,
        sqlite_with_rowid=name not in _NARROW,
    )


def _of_stream() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant", "sid"], ["streams.tenant", "streams.sid"])


_OPTIONAL_LISTED = set(LISTED) - {"type", "opened"}

STREAMS = _table(
    "streams",
    (
        _column("sid"),
        _column("uuid"),
        _column("kind"),
        _column("n"),
        _column("version"),
        _column("hash"),
        _column("recorded"),
        _column("head"),
        *(Column(name, _TEXT, nullable=name in _OPTIONAL_LISTED) for name in LISTED),
    ),
    ("sid",),
    UniqueConstraint("tenant", "uuid"),
)

ENTRIES = _table(
    "entries",
    (_column("sid"), *(_column(name, optional=name == "day") for name in COLUMNS)),
    ("sid", "n"),
    _of_stream(),
)

_OPTIONAL = {
    "facts": {"day", "value", "sealed"},
    "postings": {"day", "reverses", "sealed"},
    "messages": {"party", "role", "day", "sealed"},
    "documents": {"sealed"},
    "clocks": {"started", "due", "breached", "ended"},
    "tasks": {"started", "due", "ended", "source", "sealed"},
    "goals": {"day", "due", "since"},
    "links": set[str](),
    "standings": set[str](),
    "levels": set[str](),
    "roles": set[str](),
}

PROJECTED: dict[str, Table] = {
    name: _table(
        name,
        (
            _column("sid"),
            *(
                Column(c, _TEXT, nullable=True) if (name, c) == ("facts", "value") else _column(c, optional=c in _OPTIONAL[name])
                for c in columns
            ),
        ),
        ("sid", *KEYS[name]),
        _of_stream(),
    )
    for name, columns in ROWS.items()
}

DATA_KEYS = _table("data_keys", (_column("owner"), _column("id"), _column("kek"), _column("wrapped")), ("owner",))
SEARCH = _table("search", (_column("field"), _column("hmac"), _column("sid")), ("field", "hmac", "sid"), _of_stream())
IDEMPOTENCY = _table(
    "idempotency",
    (_column("key_hmac"), _column("request_hmac"), _column("sid"), _column("n"), _column("recorded")),
    ("key_hmac",),
    _of_stream(),
)
OUTBOX = _table(
    "outbox",
    (_column("sid"), _column("n"), _column("attempts"), _column("next_at", True), _column("done"), _column("error", True)),
    ("sid", "n"),
    _of_stream(),
)
DEFINITIONS = _table(
    "definitions",
    (_column("digest"), _column("kind"), _column("name"), Column("version", _TEXT, nullable=False), _column("body")),
    ("digest",),
)
SEQUENCES = _table("sequences", (_column("name"), _column("value")), ("name",))
LEAVES = _table(
    "leaves",
    (_column("place"), _column("stream"), _column("n"), _column("hash")),
    ("place",),
    UniqueConstraint("tenant", "stream", "n"),
)
CHECKPOINTS = _table("checkpoints", (_column("size"), _column("note"), _column("peaks")), ("size",))
META = Table("meta", METADATA, Column("name", _TEXT, primary_key=True), Column("value", _TEXT, nullable=False), sqlite_strict=True)

_open = STREAMS.c.closed.is_(None) & (STREAMS.c.kind == "case")
_case = STREAMS.c.kind == "case"
Index("ix_streams_open", STREAMS.c.tenant, STREAMS.c.type, STREAMS.c.state, STREAMS.c.sid, sqlite_where=_open, postgresql_where=_open)
Index("ix_streams_cases", STREAMS.c.tenant, STREAMS.c.sid, sqlite_where=_case, postgresql_where=_case)
_named = STREAMS.c.kind == "log"
Index("uq_streams_log", STREAMS.c.tenant, STREAMS.c.type, unique=True, sqlite_where=_named, postgresql_where=_named)
_numbered = STREAMS.c.number.is_not(None)
Index("uq_streams_number", STREAMS.c.tenant, STREAMS.c.number, unique=True, sqlite_where=_numbered, postgresql_where=_numbered)
_waking = STREAMS.c.wake.is_not(None)
Index("ix_streams_wake", STREAMS.c.tenant, STREAMS.c.wake, STREAMS.c.sid, sqlite_where=_waking, postgresql_where=_waking)
Index("ix_roles_party", PROJECTED["roles"].c.tenant, PROJECTED["roles"].c.party)
_tasks = PROJECTED["tasks"]
_to_do = (_tasks.c.kind == "task") & _tasks.c.status.in_(("active", "enabled"))
_work = (_tasks.c.tenant, _tasks.c.who, _tasks.c.due, _tasks.c.sid)
Index("ix_tasks_work", *_work, sqlite_where=_to_do, postgresql_where=_to_do)
_goals = PROJECTED["goals"]
_to_reach = _goals.c.status != "reached"
_by_owner = (_goals.c.tenant, _goals.c.owner, _goals.c.due, _goals.c.sid)
Index("ix_goals_work", *_by_owner, sqlite_where=_to_reach, postgresql_where=_to_reach)
Index("ix_links_other", PROJECTED["links"].c.tenant, PROJECTED["links"].c.other)
_addressed = PROJECTED["messages"].c.party.is_not(None)
Index(
    "ix_messages_party",
    PROJECTED["messages"].c.tenant,
    PROJECTED["messages"].c.party,
    PROJECTED["messages"].c.at,
    sqlite_where=_addressed,
    postgresql_where=_addressed,
)
