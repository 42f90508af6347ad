"""P8: mutants of the queries and checks that read a store for the verifier, told by what they say of attacked stores."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casekit import BadInput, Desk, StoreFailed, open_desk
from casekit.desk import checking
from casekit.model.canonical import decode, encode
from casekit.record.note import PLAIN, TIMED, Note, PublicKey, Signature, timed_message
from casekit.store.tables import METADATA
from proofs import asked, office
from proofs.forger import FORGERIES, Forger, put_back, taken_out
from proofs.mutants import Mutant, TooLong, at_most, mutants
from proofs.test_flips import attacks

SECONDS = 60
_ON_POSTGRESQL = "on PostgreSQL it fails each time that a record is verified, which every test there ends with"
_WALLED = "on PostgreSQL row-level security hides those rows from any such query, and hidden() tells of them"
_HIDDEN = "return [(table, named, sid, count) for table, named, sid, count in shelf.connection.execute(asked).fetchall()]"
_WHOSE = "_mine(table) | _nobodys(table)"
_REMEMBERED = "remembered = self._signing.last(shelf.tenant) if self._signing is not None and not copy else None"
_DO = 'do = "give the log\'s public key (--key), or a checkpoint that it has signed" if keys else "say which key to trust: --key"'
_DONE = "\"give the log's public key (--key), or a checkpoint that it has signed\" if {} else 'say which key to trust: --key'"
_DISPOSED = "disposed = tuple(uuid for uuid, of_it in self._orphans.items() if uuid in self._graves and of_it[0].at < size)"
ELSEWHERE: dict[str, str] = {
    "store.auditing.damage: if not shelf.sqlite:… -> if False:…  [if not shelf.sqlite:]": _ON_POSTGRESQL,
    "store.auditing.damage: return [] -> return None  [return []]": _ON_POSTGRESQL,
    "store.auditing.outsiders: if not shelf.sqlite:… -> if False:…  [if not shelf.sqlite:]": _WALLED,
    "store.auditing.outsiders: return [] -> return None  [return []]": _ON_POSTGRESQL,
    "store.auditing.hidden: if shelf.sqlite:… -> if True:…  [if shelf.sqlite:]": "the flips on PostgreSQL tell it: rows of nobody",
    f"store.auditing.hidden: {_HIDDEN} -> return None  [{_HIDDEN}]": _ON_POSTGRESQL,
    f"store.auditing._strays: {_WHOSE} if nobodys else _mine(table) -> {_WHOSE} if True else _mine(table)  "
    f"[whose = {_WHOSE} if nobodys else _mine(table)]": _WALLED,
    f"desk.logcheck.read_given: {_DONE.format('keys')} -> {_DONE.format('True')}  [{_DO}]": "words only",
    f"desk.logcheck.read_given: {_DONE.format('keys')} -> {_DONE.format('False')}  [{_DO}]": "words only",
    f"desk.logcheck.LogCheck.said: of_it[0].at < size -> of_it[0].at <= size  [{_DISPOSED}]": (
        "the leaf behind a checkpoint never begins a stream that can be disposed of: what is new is taken in by age of the stream, "
        "and the desk log that tells of checkpoints comes before all that is younger"
    ),
    "desk.logcheck._other: [evolve(key, kind=TIMED)] if key.kind == PLAIN else [] -> [evolve(key, kind=TIMED)] if True else []  "
    "[return [evolve(key, kind=TIMED)] if key.kind == PLAIN else []]": "a timed key is then there twice",
    "desk.logcheck._graves: continue -> pass  [continue]": "nothing follows it in the loop",
    f"desk.logcheck.LogCheck.__init__: self._signing is not None and (not copy) -> self._signing is not None  [{_REMEMBERED}]": (
        "of copies, which backups and restores verify: a backup that is older than what was signed since is restored in their tests"
    ),
}
"""Mutants that these stores can't tell, each with what does, or with the reason why nothing can."""


@frozen
class Place:
    """A store that was attacked, and with which checkpoint it is held against.

    Attributes:
        folder: Where it lies.
        against, keys: As ``verify`` takes them.
    """

    folder: Path
    against: str | Path = ""
    keys: tuple[str | Path, ...] = ()

    def desk(self, clock: Any) -> Desk:
        return open_desk(store=f"sqlite:///{self.folder}/store.db", plugins=office.PLUGINS, installed=False, clock=clock)


def says(place: Place, clock: Any) -> Any:
    """What verification says of a store, without the words."""
    with place.desk(clock) as desk:
        seat = desk.seat("test:auditor", roles={"auditor"})
        try:
            report = seat.verify(against=place.against, keys=place.keys)
        except BadInput as wrong:
            return [problem.where for problem in wrong.problems]
        except StoreFailed:
            return "the keys that sign can't be read"
        first = [re.findall(r"leaf \d+", wrong.what) for wrong in report.wrong if wrong.table == "checkpoint"]  # words, but what they name
        return asked.plain([report.streams, report.entries, report.wrong, report.against, first])


@pytest.fixture
def places(tmp_path: Path, clock: Any) -> list[Place]:
    """A whole store, and many that were attacked."""
    made = Maker(tmp_path, clock)
    return [*made.whole(), *made.attacked(), *made.damaged(), *made.forged(), *made.odd()]


class Maker:
    """Makes the stores."""

    def __init__(self, folder: Path, clock: Any) -> None:
        self.folder, self.count = folder, 0
        self.kept = folder / "kept"
        self.kept.mkdir()
        with Place(self.kept).desk(clock) as desk:
            self.office = office.fill(desk, clock)
            lee = desk.seat("user:lee", roles={"clerk"})
            clock.forward(days=1)
            lee.note(self.office.cases["plain"], "held")
            self.held = lee.checkpoint()
            self.key = lee.checkpoint_key()
            clock.forward(days=1)
            lee.note(self.office.cases["plain"], "later")
            self.late = lee.party("person", name="Late One").id
            lee.checkpoint()
            self.turned = lee.rotate_signing()
            lee.party("person", name="Last One", phone="0301234")
        self.image = taken_out("sqlite", "", self.kept)

    def copy(self, against: str | Path = "", keys: tuple[str | Path, ...] = (), *, signing: bool = True) -> Place:
        self.count += 1
        folder = self.folder / str(self.count)
        shutil.copytree(self.kept, folder)
        if not signing:
            (folder / "store.db.keys.signing").unlink()
        return Place(folder, against, keys)

    def whole(self) -> Iterator[Place]:
        yield self.copy(self.held.note)
        yield self.copy()
        yield self.copy(self.held.note, (self.key,))
        yield self.copy(self.held.note, signing=False)
        yield self.copy(signing=False)
        yield self.copy(self.turned.note, (self.key,), signing=False)
        for text in ("words\n", self.held.note.replace("\n", "\n9", 1), str(self.folder / "nowhere")):
            yield self.copy(text)
        yield self.copy(self.held.note, ("words",))
        yield from self.brought()

    def brought(self) -> Iterator[Place]:
        """Checkpoints and keys from files, of witnesses, and of another log."""
        for name, content in (("note", self.held.note), ("keys", f"# ours\n\n{self.key}\n"), ("bare", "# nobody's\n\n")):
            (self.folder / name).write_text(content)
        (self.folder / "odd").write_bytes(b"\xff")
        yield self.copy(self.folder / "note")
        yield self.copy(self.folder / "bare")
        yield self.copy(str(self.folder / "note"), (self.folder / "keys",))
        for keys in ("odd", "bare"):
            yield self.copy(self.held.note, (str(self.folder / keys),))
        note, private = Note.parse(self.held.note), Ed25519PrivateKey.from_private_bytes(bytes(32))
        public = private.public_key().public_bytes_raw()
        witness, other = PublicKey("witness", TIMED, public), PublicKey("other/main", PLAIN, public)
        for seconds in (5, 4_000_000_000):
            seen = Signature(witness.name, witness.id, seconds.to_bytes(8) + private.sign(timed_message(note.text, seconds)))
            cosigned = str(Note(note.text, (*note.signatures, seen)))
            yield self.copy(cosigned, (str(witness),))
            yield self.copy(cosigned, (str(witness), self.key))
        text = note.text.replace(self.held.origin, other.name)
        theirs = str(Note(text, (Signature(other.name, other.id, private.sign(text.encode())),)))
        yield self.copy(theirs, (str(other),))
        yield self.copy(theirs, (str(other),), signing=False)
        for signing in (True, False):
            bare = self.copy(theirs, (str(other),), signing=signing)
            empty = {name: [] for name in self.image}
            put_back("sqlite", "", bare.folder, {**empty, "meta": self.image["meta"]})
            yield bare

    def attacked(self) -> Iterator[Place]:
        long = self.office.cases["long"]
        sid = f"(SELECT sid FROM streams WHERE uuid = '{long}')"
        more = dict(attacks(self.office))
        for table in METADATA.tables:
            columns = [c.name for c in METADATA.tables[table].c]
            for tenant in ("other", "main"):
                if "sid" in columns and table != "streams":
                    said = ", ".join({"tenant": f"'{tenant}'", "sid": "7", "key_hmac": "randomblob(32)"}.get(c, c) for c in columns)
                    more[f"{table} of nobody in {tenant}"] = (f"INSERT INTO {table} SELECT {said} FROM {table} LIMIT 2",)
            if table not in ("meta", "streams") and "sid" not in columns:
                said = ", ".join({"tenant": "'other'"}.get(c, c) for c in columns)
                more[f"{table} of another"] = (f"INSERT INTO {table} SELECT {said} FROM {table} LIMIT 1",)
        more |= {
            "a key of nobody": ("INSERT INTO data_keys SELECT tenant, 'nobody', id, kek, wrapped FROM data_keys LIMIT 1",),
            "a pointer beyond": (f"UPDATE outbox SET n = n + 90 WHERE sid = {sid}",),
            "an answer beyond": ("UPDATE idempotency SET n = n + 90",),
            "an answer of another time": ("UPDATE idempotency SET recorded = '2026-01-01T00:00:00.000000Z'",),
            "another keyring": ("UPDATE meta SET value = 'x'",),
            "a leaf of a later entry": (f"UPDATE leaves SET n = n + 90 WHERE stream = '{long}' AND n = 3",),
            "no leaf": (f"DELETE FROM leaves WHERE stream = '{long}' AND n = 3",),
            "a leaf before": ("UPDATE leaves SET place = -1 WHERE place = 0",),
            "no first leaf": ("DELETE FROM leaves WHERE place = 0",),
            "a leaf of nobody": ("UPDATE leaves SET stream = 'x' WHERE place = 5",),
            "the last leaf of nobody": ("UPDATE leaves SET stream = 'x' WHERE place = (SELECT max(place) FROM leaves)",),
            "no leaves": ("DELETE FROM leaves",),
            "a leaf with another hash": ("UPDATE leaves SET hash = zeroblob(32) WHERE place = 5",),
            "other peaks": ("UPDATE checkpoints SET peaks = zeroblob(length(peaks))",),
            "another size": ("UPDATE checkpoints SET size = size + 1",),
            "one checkpoint less": ("DELETE FROM checkpoints WHERE size = (SELECT min(size) FROM checkpoints)",),
            "no checkpoints": ("DELETE FROM checkpoints",),
            "another note": ("UPDATE checkpoints SET note = (SELECT note FROM checkpoints ORDER BY size LIMIT 1)",),
            "words for a note": ("UPDATE checkpoints SET note = 'words'",),
            "one signature less": ("UPDATE checkpoints SET note = replace(note, '/main ', '/mein ')",),
            "one signature of another": (
                f"UPDATE checkpoints SET note = note || '— x AAAAAAA=' || char(10) WHERE size = {self.held.size}",
            ),
            "another root": ("UPDATE checkpoints SET note = replace(note, 'A', 'B')",),
        }
        for name, statements in more.items():
            for against, signing in (
                ((self.held.note, True), ("", False)) if "leaf" in name or "checkpoint" in name or "note" in name else (("", True),)
            ):
                place = self.copy(against, signing=signing)
                with closing(sqlite3.connect(place.folder / "store.db", isolation_level=None)) as connection:
                    changed = sum(connection.execute(statement).rowcount for statement in statements)
                assert changed, f"{name}: nothing was attacked"
                yield place

    def damaged(self) -> Iterator[Place]:
        """An index that differs from its table, and a text that is none."""
        uuid = self.office.cases["plain"].encode()
        with closing(sqlite3.connect(self.kept / "store.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw = (self.kept / "store.db").read_bytes()
        at = raw.find(b"main" + uuid)
        while at >= 0:
            place = self.copy()
            (place.folder / "store.db").write_bytes(raw[: at + 30] + bytes([raw[at + 30] ^ 1]) + raw[at + 31 :])
            yield place
            at = raw.find(b"main" + uuid, at + 1)
        for table, column in (("entries", "actor"), ("streams", "uuid"), ("leaves", "stream"), ("checkpoints", "note")):
            place = self.copy(self.held.note)
            with closing(sqlite3.connect(place.folder / "store.db", isolation_level=None)) as connection:
                where = f"rowid = (SELECT min(rowid) FROM {table})" if table != "leaves" else "place = 3"
                connection.execute(f"UPDATE {table} SET {column} = CAST(x'ff41' AS TEXT) WHERE {where}")
            yield place

    def forged(self) -> Iterator[Place]:
        """What a forger leaves who knows everything but the key: held against the checkpoint, with the key and without."""
        dice = random.Random(7)
        for grade in range(3):
            for kind in FORGERIES.values():
                forger = Forger.of(self.image, dice, self.held.size)
                kind(forger)
                if grade:
                    forger.retake()
                if grade == 2:
                    forger.forget()
                for against, keys, signing in ((self.held.note, (self.key,), False), ("", (), True)):
                    place = self.copy(against, keys, signing=signing)
                    put_back("sqlite", "", place.folder, forger.image)
                    yield place

    def odd(self) -> Iterator[Place]:
        """Graves that fit and that don't, and a key file that can't be read."""
        place = self.copy(self.held.note)
        (place.folder / "store.db.keys.signing").write_text("{}")
        yield place
        yield self.copy(self.held.note.replace("casekit-", "another-"), signing=False)
        place = self.copy()
        (place.folder / "store.db.keys.signing").write_text("{}")
        yield place
        forger = Forger.of(self.image, random.Random(5), self.held.size)
        forger.rewrite()
        forger.retake()
        place = self.copy(self.turned.note)
        put_back("sqlite", "", place.folder, forger.image)
        yield place
        yield from self.told_otherwise()
        forger = Forger.of(self.image, random.Random(3), self.held.size)
        gone = forger.remove()
        later = Forger.of(self.image, random.Random(3), self.turned.size)
        later.take_away(self.late)
        leaf = next(leaf for leaf in self.image["leaves"] if leaf["stream"] == self.late)
        yield self.buried(later, [{"stream": self.late, "n": 1, "hash": leaf["hash"].hex()}])
        told = [leaf for leaf in self.image["leaves"] if leaf["stream"] == gone.stream]
        for n, hash_ in ((len(told), told[-1]["hash"]), (len(told), bytes(32)), (0, bytes(32)), ("x", bytes(32)), (len(told), None)):
            grave = {"stream": gone.stream, "n": n, "hash": hash_.hex() if hash_ is not None else 5}
            for listed in ([grave], [{"stream": "other"}, grave], []):
                yield self.buried(forger, listed)
        yield from self.graves_of_nothing()

    def graves_of_nothing(self) -> Iterator[Place]:
        """The desk log tells of the end of a stream that is still there, and of one that never was."""
        whole = Forger.of(self.image, random.Random(3), self.held.size)
        told: dict[str, list[Any]] = {}
        for leaf in self.image["leaves"]:
            told.setdefault(leaf["stream"], []).append(leaf)
        here = next(row["uuid"] for row in self.image["streams"] if row["kind"] == "party" and len(told.get(row["uuid"], ())) == row["n"])
        grave = {"stream": here, "n": len(told[here]), "hash": told[here][-1]["hash"].hex()}
        yield self.buried(whole, [grave])
        yield self.buried(whole, [{**grave, "stream": "01932f9a-7c00-7000-8000-0000000000aa"}])

    def told_otherwise(self) -> Iterator[Place]:
        """The desk log tells something else of a checkpoint than there is: another root, size or key, or none that can be read."""
        first = next(row for row in self.image["streams"] if row["type"] == "checkpoints")["uuid"]
        for changed in (
            {"root": "00"},
            {"origin": "x"},
            {"size": 3},
            {"keys": "x"},
            {"keys": ["x", self.key]},
            {"keys": [7]},
            {"keys": None},
        ):
            for signing in (True, False):
                forger = Forger.of(self.image, random.Random(1), self.held.size)
                entries = forger.entries(first)
                for entry in entries:
                    body = decode(entry["body"])
                    if body["about"].get("size") == self.held.size:
                        entry["body"] = encode({**body, "about": {**body["about"], **changed}})
                forger.write(first, entries)
                place = self.copy(self.held.note, (self.key,) if signing else (), signing=signing)
                put_back("sqlite", "", place.folder, forger.image)
                yield place

    def buried(self, forger: Forger, graves: list[Any]) -> Place:
        again = Forger.of(forger.image, random.Random(1), self.held.size)
        log = next(row for row in again.image["streams"] if row["type"] == "definitions")
        entries = [dict(entry) for entry in again.entries(log["uuid"])[:1]]
        opening = {"c": "open", "stream": "log", "set": {"name": "disposals", "opened": entries[0]["recorded"]}}
        late = "2027-01-01T00:00:00.000000Z"
        entries[0] |= {
            "recorded": late,
            "kind": "dispose",
            "body": encode({"about": {"streams": graves}, "changes": [opening, {"c": "log"}]}),
        }
        again.image["streams"].append({**log, "sid": 9, "uuid": "01932f9a-7c00-7000-8000-00000000dead"})
        again.write("01932f9a-7c00-7000-8000-00000000dead", entries)
        place = self.copy(self.held.note)
        put_back("sqlite", "", place.folder, again.image)
        return place


@contextmanager
def in_place(real: ModuleType, made: ModuleType) -> Iterator[None]:
    """Lets a mutant stand in for the real module."""
    holders = (real, checking) if real.__name__.endswith("logcheck") else (real,)
    kept = [(holder, dict(vars(holder))) for holder in holders]
    for holder, names in kept:
        for name in names:
            if name in vars(made) and getattr(names[name], "__module__", "") == real.__name__:
                setattr(holder, name, getattr(made, name))
    try:
        yield
    finally:
        for holder, names in kept:
            for name, value in names.items():
                setattr(holder, name, value)


def survives(mutant: Mutant, places: list[Place], right: list[Any], clock: Any) -> bool:
    try:
        with at_most(SECONDS), in_place(import_module(mutant.module), mutant.made()):
            return all(says(place, clock) == said for place, said in zip(places, right, strict=True))
    except TooLong:
        return False
    except Exception:  # noqa: BLE001 - verification must not crash, whatever is in a store
        return False


@pytest.mark.parametrize("name", ["casekit.store.auditing", "casekit.desk.logcheck"])
def test_mutants_of_what_reads_the_store_are_told(
    name: str, places: list[Place], clock: Any, dice: random.Random, times: Callable[[int], int], figure: Callable[[str], None]
) -> None:
    right = [says(place, clock) for place in places]
    assert right[0][2] == right[1][2] == []
    every = list(mutants(name))
    tried = every if times(1) >= 10 else dice.sample(every, times(5))
    survivors = [mutant for mutant in tried if survives(mutant, places, right, clock)]
    unknown = [mutant.name for mutant in survivors if mutant.name not in ELSEWHERE]
    figure(
        f"P8 mutants of {name.removeprefix('casekit.')}: {len(tried)} of {len(every)} tried on {len(places)} stores, "
        f"{len(tried) - len(survivors)} told, {len(survivors) - len(unknown)} known to be no different here, {len(unknown)} survive"
    )
    assert not unknown, "\n".join(unknown)
