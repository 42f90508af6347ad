"""A forger who can write everything in a store and knows all that casekit knows, but for the signing key.

A store is taken out as rows, changed in memory so that every chain, head and table fits again, and put back: what is
left to find is only what the record was before.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import psycopg
from attrs import define, field

from casekit.model.canonical import decode, encode
from casekit.record.checkpoint import leaf_data
from casekit.record.entry import COLUMNS, START, header, link, state_digest
from casekit.record.fold import Unfoldable, branch, fold
from casekit.record.merkle import Frontier, leaf_hash
from casekit.record.tables import LISTED, ROWS, listed
from casekit.store.tables import METADATA
from servers import dsn

Row = dict[str, Any]
Image = dict[str, list[Row]]
"""A store: table → rows."""

OLD = "2026-11-25T10:00:00.000000Z"
"""When the office opened: older than any checkpoint."""


def taken_out(engine: str, url: str, folder: Path) -> Image:
    """Everything that a store holds."""
    with closing(_connect(engine, url, folder)) as connection:
        return {name: _rows(connection, name) for name in METADATA.tables}


def put_back(engine: str, url: str, folder: Path, image: Image) -> None:
    """Puts other rows in the place of all that a store holds."""
    with closing(_connect(engine, url, folder)) as connection:
        mark = "?" if engine == "sqlite" else "%s"
        connection.execute("PRAGMA foreign_keys=OFF" if engine == "sqlite" else "SET session_replication_role = replica")
        connection.execute("BEGIN")
        for name, rows in image.items():
            connection.execute(f"DELETE FROM {name}")
            columns = [c.name for c in METADATA.tables[name].c]
            statement = f"INSERT INTO {name} VALUES ({', '.join([mark] * len(columns))})"
            if rows:
                connection.cursor().executemany(statement, [[row[c] for c in columns] for row in rows])
        connection.execute("COMMIT")


def _connect(engine: str, url: str, folder: Path) -> Any:
    if engine == "sqlite":
        return sqlite3.connect(folder / "store.db", isolation_level=None)
    return psycopg.connect(dsn(url), autocommit=True)


def _rows(connection: Any, table: str) -> list[Row]:
    columns = [c.name for c in METADATA.tables[table].c]
    return [dict(zip(columns, row, strict=True)) for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()]


@define
class Found:
    """What a forgery should be named by, where the log of entries still tells the truth.

    Attributes:
        stream: UUID of the stream.
        n: The first entry that is not what it was.
    """

    stream: str
    n: int


@define
class Forger:
    """One forgery.

    Attributes:
        image: The store, changed as one goes on.
        dice: What it chooses by.
        size: How many leaves the checkpoint saw that somebody holds.
        kinds: Kinds of streams that it lays hands on.
        put_in: Forged entries that the log is to be made to tell of: (stream, n).
    """

    image: Image
    dice: random.Random
    size: int
    kinds: tuple[str, ...] = ("case", "party", "log")
    put_in: list[tuple[str, int]] = field(factory=list)

    @classmethod
    def of(cls, image: Image, dice: random.Random, size: int) -> Forger:
        return cls(deepcopy(image), dice, size)

    def head(self, uuid: str) -> Row:
        return next(row for row in self.image["streams"] if row["uuid"] == uuid)

    def entries(self, uuid: str) -> list[Row]:
        sid = self.head(uuid)["sid"]
        return sorted((row for row in self.image["entries"] if row["sid"] == sid), key=lambda row: row["n"])

    def seen(self, uuid: str) -> int:
        """How many entries of a stream the checkpoint saw."""
        return sum(leaf["stream"] == uuid and leaf["place"] < self.size for leaf in self.image["leaves"])

    def victims(self, least: int = 1, kinds: tuple[str, ...] = ()) -> list[str]:
        """Streams of which the checkpoint saw so many entries; the log that tells of checkpoints is left to other forgeries."""
        return [
            row["uuid"]
            for row in self.image["streams"]
            if row["kind"] in (kinds or self.kinds) and row["type"] != "checkpoints" and self.seen(row["uuid"]) >= least
        ]

    # What is done to a stream; everything fits again afterwards.

    def write(self, uuid: str, entries: list[Row]) -> None:
        """Chains entries anew, and rewrites head and tables by them."""
        row = self.head(uuid)
        head: Any = None
        previous, state, rows = START, b"", {}
        for n, entry in enumerate(entries, start=1):
            before = head["version"] if head is not None else 0
            head, wrote = fold(branch(head), decode(entry["body"])["changes"], n)
            if head["version"] != before:
                state = state_digest(encode(head))
            for table, key, one in wrote:
                rows.setdefault(table, {})[key] = one
            entry |= {"sid": row["sid"], "n": n, "state": state}
            previous = entry["hash"] = link(previous, header(row["tenant"], uuid, *(entry[c] for c in COLUMNS[:11])), entry["body"])
        self.drop_rows(row["sid"], ("entries", *ROWS))
        self.image["entries"] += entries
        for table, written in rows.items():
            fresh = [one for one in written.values() if one is not None]
            self.image[table] += [{"tenant": row["tenant"], "sid": row["sid"], **dict(zip(ROWS[table], one, strict=True))} for one in fresh]
        said = {"n": len(entries), "version": head["version"], "hash": previous, "recorded": entries[-1]["recorded"], "head": encode(head)}
        row |= said | dict(zip(LISTED, listed(head), strict=True))
        self.image["outbox"] = [one for one in self.image["outbox"] if one["sid"] != row["sid"] or one["n"] <= len(entries)]
        self.image["idempotency"] = [one for one in self.image["idempotency"] if one["sid"] != row["sid"] or one["n"] <= len(entries)]

    def drop_rows(self, sid: int, tables: tuple[str, ...]) -> None:
        for table in tables:
            self.image[table] = [row for row in self.image[table] if row["sid"] != sid]

    def cut(self) -> Found:
        """The tail of a stream, head and all."""
        uuid = self.dice.choice(self.victims(2))
        keep = self.dice.randrange(1, self.seen(uuid))
        self.write(uuid, self.entries(uuid)[:keep])
        return Found(uuid, keep + 1)

    def rewrite(self) -> Found:
        """One entry, and every hash after it."""
        uuid = self.dice.choice(self.victims())
        entries = self.entries(uuid)
        place = self.dice.randrange(self.seen(uuid))
        entry = entries[place]
        how = self.dice.choice(["actor", "kind", "command", "about"])
        if how == "about":
            body = decode(entry["body"])
            entry["body"] = encode({**body, "about": {**body["about"], "said": "nothing"}})
        else:
            entry[how] = f"{entry[how]}x"
        self.write(uuid, entries)
        return Found(uuid, place + 1)

    def fork(self) -> Found:
        """Another history from an entry on: what followed is gone, and something else is there."""
        uuid = self.dice.choice(self.victims(2))
        entries = self.entries(uuid)
        keep = self.dice.randrange(1, self.seen(uuid))
        other = [deepcopy(entries[self.dice.randrange(keep)]) for _ in range(self.dice.randrange(1, 4))]
        for entry in other:
            entry |= {
                "recorded": entries[-1]["recorded"],
                "command": "forked",
                "kind": "refused",
                "body": encode({"about": {}, "changes": []}),
            }
        self.write(uuid, [*entries[:keep], *other])
        return Found(uuid, keep + 1)

    def swap(self) -> Found:
        """Two entries of a stream change places."""
        tried = self.victims(3)
        self.dice.shuffle(tried)
        for uuid in tried:
            for place in self.dice.sample(range(1, self.seen(uuid) - 1), self.seen(uuid) - 2):
                entries = self.entries(uuid)
                a, b = entries[place], entries[place + 1]
                a["recorded"], b["recorded"] = b["recorded"], a["recorded"]
                a["effective"], b["effective"] = min(a["effective"], a["recorded"]), min(b["effective"], b["recorded"])
                entries[place : place + 2] = [b, a]
                kept = deepcopy(self.image)
                try:
                    self.write(uuid, entries)
                except (Unfoldable, KeyError):
                    self.image = kept
                    continue
                return Found(uuid, place + 1)
        raise AssertionError("no two entries can change places")

    def remove(self) -> Found:
        """A stream, with everything that belongs to it."""
        uuid = self.dice.choice(self.victims(kinds=("party", "log")))
        self.take_away(uuid)
        return Found(uuid, 1)

    def take_away(self, uuid: str) -> None:
        sid = self.head(uuid)["sid"]
        self.drop_rows(sid, ("entries", *ROWS, "search", "outbox", "idempotency", "streams"))
        self.image["data_keys"] = [row for row in self.image["data_keys"] if row["owner"] != uuid]

    def insert_stream(self) -> Found:
        """A log that was always there: its entries say they are as old as the office."""
        row = deepcopy(next(r for r in self.image["streams"] if r["kind"] == "log" and r["type"] == "definitions"))
        entries = deepcopy(self.entries(row["uuid"]))[: self.dice.randrange(1, 3)]
        row |= {
            "sid": min(r["sid"] for r in self.image["streams"]) - self.dice.randrange(1, 9),
            "uuid": f"01932f9a-7c00-7000-8000-{self.dice.randrange(16**12):012x}",
        }
        name = f"denied/2026-11-{self.dice.randrange(10, 20)}"
        for n, entry in enumerate(entries):
            opening = [{"c": "open", "stream": "log", "set": {"name": name, "opened": OLD}}] if n == 0 else []
            entry |= {
                "recorded": OLD,
                "effective": OLD,
                "kind": "denied",
                "body": encode({"about": {}, "changes": [*opening, {"c": "log"}]}),
            }
        self.image["streams"].append(row)
        self.write(row["uuid"], entries)
        self.put_in += [(row["uuid"], n) for n in range(1, len(entries) + 1)]
        return Found(row["uuid"], 1)

    def insert_entry(self) -> Found:
        """An entry between two others, that changes nothing but was never there."""
        uuid = self.dice.choice(self.victims(2))
        entries = self.entries(uuid)
        place = self.dice.randrange(1, self.seen(uuid))
        forged = deepcopy(entries[place - 1])
        forged |= {"command": "put-in", "kind": "refused", "body": encode({"about": {}, "changes": []})}
        self.write(uuid, [*entries[:place], forged, *entries[place:]])
        self.put_in.append((uuid, len(entries) + 1))
        return Found(uuid, place + 1)

    def append_entry(self) -> Found:
        """An entry at the end of a stream that says it was recorded long ago."""
        entry = {uuid: self.entries(uuid)[-1] for uuid in self.victims() if self.seen(uuid) == len(self.entries(uuid))}
        early = sorted(entry, key=lambda uuid: entry[uuid]["recorded"])
        uuid = self.dice.choice(early[: max(1, len(early) // 3)])
        entries = self.entries(uuid)
        forged = deepcopy(entries[-1]) | {"command": "added", "kind": "refused", "body": encode({"about": {}, "changes": []})}
        self.write(uuid, [*entries, forged])
        self.put_in.append((uuid, len(entries) + 1))
        return Found(uuid, len(entries) + 1)

    # What is done to the log of entries.

    def retake(self) -> None:
        """Makes the log of entries anew, so that it tells of what is there now; what was put in is told of somewhere early."""
        there = {(row["uuid"], entry["n"]): entry["hash"] for row in self.image["streams"] for entry in self.entries(row["uuid"])}
        order = [(leaf["stream"], leaf["n"]) for leaf in sorted(self.image["leaves"], key=lambda leaf: leaf["place"])]
        order = [one for one in order if one in there]
        for stream, n in self.put_in:
            behind = max((i for i, one in enumerate(order) if one[0] == stream), default=0)
            order.insert(self.dice.randint(behind + 1, max(behind + 1, min(self.size, len(order)))), (stream, n))
        tenant = self.image["streams"][0]["tenant"]
        self.image["leaves"] = [
            {"tenant": tenant, "place": place, "stream": stream, "n": n, "hash": there[stream, n]}
            for place, (stream, n) in enumerate(order)
        ]
        self.peaks()

    def shuffle(self) -> None:
        """Two leaves of different streams change places in the log."""
        leaves = {leaf["place"]: leaf for leaf in self.image["leaves"]}
        while True:
            a, b = (leaves[self.dice.randrange(self.size)] for _ in range(2))
            if a["stream"] != b["stream"]:
                break
        a["place"], b["place"] = b["place"], a["place"]
        self.image["leaves"].sort(key=lambda leaf: leaf["place"])
        for stream in (a["stream"], b["stream"]):
            mine = [leaf for leaf in self.image["leaves"] if leaf["stream"] == stream]
            told = sorted((leaf["n"], leaf["hash"]) for leaf in mine)
            for leaf, (n, hash_) in zip(mine, told, strict=True):
                leaf |= {"n": n, "hash": hash_}
        self.peaks()

    def peaks(self) -> None:
        """Makes the peaks of the store's checkpoints fit the log."""
        frontier, at = Frontier(), {}
        for leaf in self.image["leaves"]:
            frontier.add(leaf_hash(leaf_data(leaf["stream"], leaf["n"], leaf["hash"])))
            at[frontier.size] = frontier.packed()
        self.image["checkpoints"] = [row | {"peaks": at[row["size"]]} for row in self.image["checkpoints"] if row["size"] in at]

    def forget(self) -> None:
        """Takes the store's own checkpoints away, and the desk log that tells of them."""
        self.image["checkpoints"] = []
        row = next(row for row in self.image["streams"] if row["type"] == "checkpoints")
        self.drop_rows(row["sid"], ("entries", "streams"))
        self.image["leaves"] = [leaf for leaf in self.image["leaves"] if leaf["stream"] != row["uuid"]]
        for place, leaf in enumerate(self.image["leaves"]):
            leaf["place"] = place


FORGERIES: Mapping[str, Callable[[Forger], Found]] = {
    "cut": Forger.cut,
    "rewrite": Forger.rewrite,
    "fork": Forger.fork,
    "re-order": Forger.swap,
    "remove a stream": Forger.remove,
    "insert a stream": Forger.insert_stream,
    "insert an entry": Forger.insert_entry,
    "append an old entry": Forger.append_entry,
}
"""What is done to streams."""


def chosen(dice: random.Random) -> Iterator[str]:
    """The forgeries in turn, each round in another order."""
    while True:
        yield from dice.sample(list(FORGERIES), len(FORGERIES))
