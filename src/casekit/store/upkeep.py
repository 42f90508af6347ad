"""What is taken away: outbox rows that were heard, keys that are destroyed, and what is left of them in the files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, update

from casekit.store.shelf import Shelf
from casekit.store.sql import PATIENCE, Connection
from casekit.store.tables import DATA_KEYS, OUTBOX, SEARCH


def heard(shelf: Shelf, connection: Connection, rows: Sequence[tuple[int, int]]) -> None:
    """Takes outbox rows away, by sid and n."""
    if rows:
        prepared = shelf.statements.get("heard", lambda: delete(OUTBOX).where(*_row()))
        connection.executemany(prepared.text, [prepared.bind(_named(shelf, sid, n)) for sid, n in rows])


def postpone(shelf: Shelf, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Lets outbox rows wait: sid, n, attempts, next_at, done, error of each."""
    if rows:
        changing = ("attempts", "next_at", "done", "error")
        values = {name: bindparam(f"new_{name}", type_=OUTBOX.c[name].type) for name in changing}
        prepared = shelf.statements.get("postpone", lambda: update(OUTBOX).where(*_row()).values(values))
        connection.executemany(
            prepared.text,
            [
                prepared.bind(_named(shelf, row[0], row[1]) | {f"new_{name}": v for name, v in zip(changing, row[2:], strict=True)})
                for row in rows
            ],
        )


def destroy(shelf: Shelf, connection: Connection, owners: Iterable[str], sids: Iterable[int]) -> None:
    """Deletes data keys by owner, and the search rows of streams."""
    keys = shelf.statements.get("destroy", lambda: delete(DATA_KEYS).where(_of(DATA_KEYS), DATA_KEYS.c.owner == bindparam("owner")))
    for owner in owners:
        connection.execute(keys.text, keys.bind({"tenant": shelf.tenant, "owner": owner}))
    rows = shelf.statements.get("unfind", lambda: delete(SEARCH).where(_of(SEARCH), SEARCH.c.sid == bindparam("sid")))
    for sid in sids:
        connection.execute(rows.text, rows.bind({"tenant": shelf.tenant, "sid": sid}))


def sweep_residue(shelf: Shelf) -> bool:
    """Empties the write-ahead log, so that what was deleted is gone from the files too; False where a reader keeps it.

    SQLite overwrites deleted rows (``secure_delete``); the log would still hold them. PostgreSQL keeps them until
    it vacuums; what they hold is wrapped by the keyring, and rotating that makes the erasure final there.
    """
    if not shelf.sqlite:
        shelf.connection.execute("VACUUM data_keys")
        return True
    connection = shelf.connection
    connection.execute(f"PRAGMA busy_timeout={int(1000 * PATIENCE)}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute("PRAGMA busy_timeout=0")
    return not busy


def _row() -> tuple[Any, ...]:
    return (
        and_(
            _of(OUTBOX),
            OUTBOX.c.sid == bindparam("at_sid", type_=OUTBOX.c.sid.type),
            OUTBOX.c.n == bindparam("at_n", type_=OUTBOX.c.n.type),
        ),
    )


def _of(table: Any) -> Any:
    return table.c.tenant == bindparam("tenant", type_=table.c.tenant.type)


def _named(shelf: Shelf, sid: int, n: int) -> dict[str, Any]:
    return {"tenant": shelf.tenant, "at_sid": sid, "at_n": n}
