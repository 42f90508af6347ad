"""What the verifier is asked, so that a mutant of it shows: whole things, and every way of breaking them.

Each question takes the modules to ask and gives an answer that can be compared; the words of an answer don't count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from types import ModuleType
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import journal
from casekit.record import checkpoint, merkle, note
from casekit.record.entry import COLUMNS, header, link, state_digest
from casekit.record.tables import KEYS, LISTED, ROWS
from casekit.record.verify import Stream
from journal import EVERY, OPENING, WHEN
from proofs.mutants import TooLong

Question = Callable[[ModuleType], Any]

WHOLE = journal.written(EVERY)
HEAD = ("n", "version", "hash", "recorded", "head", "kind")


def answer(ask: Question, module: ModuleType) -> Any:
    """What a module says, or how it fails."""
    try:
        return plain(ask(module))
    except TooLong:
        raise
    except Exception as wrong:  # noqa: BLE001 - a crash is an answer too
        return type(wrong).__name__


def plain(value: Any) -> Any:
    """An answer as values that compare, without the words in it."""
    if attrs.has(type(value)):
        return [plain(getattr(value, a.name)) for a in attrs.fields(type(value)) if a.name != "what"]
    if isinstance(value, Mapping):
        return [[plain(k), plain(v)] for k, v in value.items()]
    if isinstance(value, (list, tuple)) or hasattr(value, "__next__"):
        return [plain(one) for one in value]
    return value


def other(value: Any) -> Any:
    """Another value of the same type."""
    if value is None:
        return "x"
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return value + 1 if isinstance(value, int) else f"{value}x"


# record.verify and record.fold


def of_verify() -> Iterator[Question]:
    """Streams, each as it was or with one thing done to it."""
    for stream in (WHOLE, *streams()):
        yield lambda m, s=stream: m.check(s)
    several = [attrs.evolve(WHOLE, version=99), WHOLE, attrs.evolve(WHOLE, entries=WHOLE.entries[:-1])]
    yield lambda m: (m.verify(several), m.verify(several).ok)
    yield lambda m: (m.verify([WHOLE, WHOLE]), m.verify([WHOLE]).ok)


def streams() -> Iterator[Stream]:
    """Streams with something wrong, and some with nothing."""
    entries = WHOLE.entries
    for n, entry in enumerate(entries):
        for c in range(len(COLUMNS)):
            yield with_entries([*entries[:n], (*entry[:c], other(entry[c]), *entry[c + 1 :]), *entries[n + 1 :]])
        yield with_entries([*entries[:n], *entries[n + 1 :]])
        yield with_entries([*entries[:n], entry, *entries[n:]])
        yield with_entries([(entry[0], -3, *entry[2:]), *entries[:n], *entries[n + 1 :]])
        yield journal.written(EVERY[: n + 1])
        yield attrs.evolve(WHOLE, n=n, hash=entries[n - 1][12] if n else WHOLE.hash)
    yield from bad_types()
    yield from heads()
    yield from rows()
    yield from lies()
    yield with_entries([])


def with_entries(entries: list[tuple[Any, ...]]) -> Stream:
    return attrs.evolve(WHOLE, entries=entries)


def bad_types() -> Iterator[Stream]:
    for c in range(len(COLUMNS)):
        for value in (b"\xff", 1.5, [], "\ud800", None):
            entry = WHOLE.entries[3]
            yield with_entries([*WHOLE.entries[:3], (*entry[:c], value, *entry[c + 1 :]), *WHOLE.entries[4:]])
    for n in ("x", None, 1.0, len(EVERY) + 1, 0, -1, len(EVERY) - 1, 2):
        yield attrs.evolve(WHOLE, n=n)
        yield attrs.evolve(WHOLE, n=n, hash=WHOLE.entries[1][12])


def heads() -> Iterator[Stream]:
    for column in HEAD:
        yield attrs.evolve(WHOLE, **{column: other(getattr(WHOLE, column))})
    for place, value in enumerate(WHOLE.listed):
        yield attrs.evolve(WHOLE, listed=(*WHOLE.listed[:place], other(value), *WHOLE.listed[place + 1 :]))
    yield attrs.evolve(WHOLE, listed=WHOLE.listed[:-1])
    for column in ("head", "hash"):
        yield attrs.evolve(WHOLE, **{column: None})


def rows() -> Iterator[Stream]:
    for table, there in WHOLE.rows.items():
        for i, row in enumerate(there):
            for c in range(len(row)):
                changed = (*row[:c], other(row[c]), *row[c + 1 :])
                yield attrs.evolve(WHOLE, rows={**WHOLE.rows, table: [*there[:i], changed, *there[i + 1 :]]})
            yield attrs.evolve(WHOLE, rows={**WHOLE.rows, table: [*there[:i], *there[i + 1 :]]})
            yield attrs.evolve(WHOLE, rows={**WHOLE.rows, table: [*there, row]})
        yield attrs.evolve(WHOLE, rows={name: several for name, several in WHOLE.rows.items() if name != table})
    yield attrs.evolve(WHOLE, rows={**WHOLE.rows, "roles": [*WHOLE.rows["roles"], ("debtor", "p2", 2)]})
    yield attrs.evolve(WHOLE, rows={**WHOLE.rows, "postings": WHOLE.rows["postings"][::-1]})
    facts = WHOLE.rows["facts"]
    for odd in ((*facts[0], "more"), facts[0][:-1], (*facts[0][:-1], "x", "more")):
        yield attrs.evolve(WHOLE, rows={**WHOLE.rows, "facts": [odd, *facts[1:]]})
    bare = journal.written(EVERY[:1])
    for table, columns in ROWS.items():
        yield attrs.evolve(bare, rows={table: [tuple(1 if c in ("n", "i") else "x" for c in columns)]})
        yield attrs.evolve(bare, rows={table: []})
    assert set(KEYS) == set(ROWS)
    assert len(WHOLE.listed) == len(LISTED)


def lies() -> Iterator[Stream]:
    """Chains that fit, of entries that break a promise."""
    count = len(EVERY)
    yield journal.written(EVERY, v=2)
    yield journal.written(EVERY, v=0)
    yield journal.written(EVERY, minutes=[*range(count - 1), 3])
    yield journal.written(EVERY, minutes=[5] * count)
    yield journal.written(EVERY, effective="2027-01-01T00:00:00.000000Z")
    yield journal.written([EVERY[0]], effective="2026-11-24T15:00:00.000000Z")
    yield journal.written(EVERY, state="00" * 32)
    bodies = [entry[11] for entry in WHOLE.entries]
    for body in ("", "{}", "[]", "null", "1", '{"changes":1}', '{"changes":[1]}', '{"changes":null}', "[" * 5000, '{"changes":[{}]}'):
        for place in (0, 4):
            yield rechained([*bodies[:place], body, *bodies[place + 1 :]])
    for changes in FORGED:
        yield rechained([*bodies[:6], json.dumps({"changes": changes}), *bodies[7:]])
        yield rechained([json.dumps({"changes": changes}), *bodies[1:]])
    opening = deepcopy(EVERY[:1])
    for name in ("type", "opened"):
        less = deepcopy(opening)
        del less[0][0]["set"][name]
        yield unlisted(less)


FORGED: list[list[Any]] = [
    [{"c": "log"}],
    [{"c": "open", "stream": "case", "set": {}}],
    [{"c": "open", "stream": "gone", "set": {}}],
    [{"c": "open", "stream": "log", "set": {"name": "x", "opened": WHEN["at"]}}, {"c": "log"}],
    [{"c": "unheard"}],
    [{"c": "role", "role": "nobody", "party": "p9", "end": True}],
    [{"c": "head", "set": {"version": 7}}],
    [{"c": "fact", "key": "x", "value": 1, "latest": {}}],
]


def rechained(bodies: list[str]) -> Stream:
    """A history rewritten as a whole, by someone who knows how to hash and not what a state is."""
    previous, entries = bytes(32), []
    for entry, body in zip(WHOLE.entries, bodies, strict=True):
        previous = link(previous, header(WHOLE.tenant, WHOLE.uuid, *entry[:11]), body)
        entries.append((*entry[:11], body, previous))
    return attrs.evolve(WHOLE, entries=entries, hash=previous)


def unlisted(entries: list[list[Any]]) -> Stream:
    """A chain whose head no list can show."""
    from casekit.record.fold import fold

    head, _ = fold(None, deepcopy(entries[0]), 1)
    text = journal.canonical(head)
    entry = (*WHOLE.entries[0][:10], state_digest(text), journal.canonical({"about": {}, "changes": entries[0]}))
    hash_ = link(bytes(32), header(WHOLE.tenant, WHOLE.uuid, *entry[:11]), entry[11])
    return attrs.evolve(WHOLE, entries=[(*entry, hash_)], n=1, version=1, hash=hash_, head=text, rows={})


def of_fold() -> Iterator[Question]:
    """Changes of every kind, one after the other and each alone; and those that fit nowhere."""

    def run(m: ModuleType, entries: list[list[Any]]) -> Any:
        head, wrote, kept = None, [], []
        for n, changes in enumerate(entries, start=1):
            kept.append(m.branch(head))
            head, rows_ = m.fold(head, deepcopy(changes), n)
            wrote.append(rows_)
            assert journal.canonical(head) is not None
        return journal.canonical(head), [journal.canonical(k) for k in kept], wrote

    for count in range(len(EVERY) + 1):
        yield lambda m, c=count: run(m, EVERY[:c])
    for changes in [*FORGED, *EVERY[1:]]:
        yield lambda m, c=changes: run(m, [EVERY[0], c])
        yield lambda m, c=changes: run(m, [c])
    party = [{"c": "open", "stream": "party", "set": {"kind": "person", "opened": WHEN["at"]}}]
    desk = [{"c": "open", "stream": "log", "set": {"name": "x", "opened": WHEN["at"]}}, {"c": "log"}]
    bare: list[Any] = [
        {"c": "document", **EVERY[8][0], "sealed": {}},
        {"c": "item", "id": "i", "instance": "1", "row": {**journal.ROW}, "live": {"state": "active"}},
        {"c": "clock", "id": "a", "instance": "1", "row": {"status": "met"}},
        {"c": "data", "set": {"a": 1}, "unset": ["claimed"]},
        {"c": "machine", "set": {"outcome": None, "category": "open"}},
        {"c": "totals", "set": {"paid": None}},
        {"c": "role", "role": "r", "party": "p"},
        {"c": "message", "direction": "in", "via": "phone", "outcome": "busy", **WHEN},
    ]
    goals = {"paid": journal.GOAL, "rooms": {**journal.GOAL, "target": 3}}
    again = {**goals, "paid": {**journal.GOAL, "by": "2026-12-24"}}
    for entries in (
        [OPENING, [{"c": "head", "set": {"goals": goals}}], [{"c": "head", "set": {"goals": again}}], [{"c": "head", "unset": ["goals"]}]],
        [party],
        [party, [{"c": "head", "set": {"x": 1}, "unset": ["kind"]}]],
        [desk],
        [desk, [{"c": "log"}]],
        [party, [{"c": "log"}]],
    ):
        yield lambda m, e=entries: run(m, e)
    clock: dict[str, Any] = {"c": "clock", "id": "answer", "row": {"status": "running", "started": None}, "live": {"status": "running"}}
    ended = {name: value for name, value in clock.items() if name != "live"}
    yield lambda m: run(
        m, [EVERY[0], [{**clock, "instance": "1"}, {**clock, "instance": "2"}], [{**ended, "instance": "1"}], [{**ended, "instance": "2"}]]
    )
    role = {"c": "role", "role": "debtor"}
    yield lambda m: run(m, [EVERY[0], EVERY[1], [{**role, "party": "p1", "end": True}], [{**role, "party": "p2", "end": True}]])
    yield lambda m: run(m, [EVERY[0], [EVERY[1][0], EVERY[7][0]], [EVERY[7][0], EVERY[1][0]], [EVERY[2][0], EVERY[6][0]]])
    yield lambda m: run(m, [[{"c": "head", "stream": "case", "set": {}}]])
    goal = {"measure": "paid", "want": "at-least", "target": "1.00 EUR", "set": WHEN["at"]}
    reached = {**goal, "status": "reached", "since": WHEN["at"]}
    sets: list[dict[str, Any]] = [{"a": goal, "b": goal}, {"a": goal, "b": reached}, {"b": goal}]
    told = [[{"c": "head", "set": {"goals": several}}] for several in sets]
    yield lambda m: run(m, [EVERY[0], *told, [{"c": "head", "unset": ["goals"]}]])
    yield lambda m: [m.touches_head({"c": kind, "latest": {}}) for kind in ("message", "posting", "fact", "head")]
    for one in bare:
        yield lambda m, c=one: run(m, [EVERY[0], [c]])
        yield lambda m, c=one: m.touches_head(c)
        yield lambda m, c=one: run(m, [EVERY[0], [{k: v for k, v in c.items() if k != next(reversed(c))}]])
    yield lambda m: [m.touches_head(change) for changes in EVERY for change in changes]
    yield unshared


def unshared(m: ModuleType) -> Any:
    """A branch is not touched by what is folded into the other."""
    head = None
    found = []
    for n, changes in enumerate(EVERY, start=1):
        copy = m.branch(head)
        before = journal.canonical(head)
        copy, _ = m.fold(copy, deepcopy(changes), n)
        found.append(journal.canonical(head) == before)
        head = copy
    return found


# record.merkle, note, checkpoint, held

MANY = [merkle.leaf_hash(bytes([i])) for i in range(40)]
LEAVES = MANY[:13]


def of_merkle() -> Iterator[Question]:
    yield lambda m: [m.EMPTY, m.leaf_hash(b"x"), m.node_hash(b"x", b"y"), m.leaf_hash(b""), m.root([])]
    for size in range(len(LEAVES) + 1):
        yield lambda m, s=size: (m.root(LEAVES[:s]), grown(m, s))
        for at in range(-1, size + 2):
            yield lambda m, s=size, i=at: m.inclusion(LEAVES[:s], i)
            yield lambda m, s=size, i=at: m.consistency(LEAVES[:s], i)
    yield from of_proofs()
    yield from of_forged_proofs()


def of_proofs() -> Iterator[Question]:
    """Proofs that are right; then some that give the right hash for a tree of another size.

    What counts is that the size is the one that was said.
    """
    yield lambda m: m.included(LEAVES[1], 0, 1, [LEAVES[0]], merkle.root(LEAVES[:2]))
    yield lambda m: m.included(LEAVES[0], 0, 2, [], LEAVES[0])
    yield lambda m: m.consistent(1, 2, [], LEAVES[0], LEAVES[0])
    yield lambda m: m.consistent(2, 4, [merkle.EMPTY, merkle.EMPTY], merkle.root(LEAVES[:2]), merkle.root(LEAVES[:4]))
    for size in (13, 14, 21, 30, 33, 40):
        whole = merkle.root(MANY[:size])
        for at in range(size):
            proof, beginning = merkle.inclusion(MANY[:size], at), merkle.consistency(MANY[:size], at + 1)
            first = merkle.root(MANY[: at + 1])
            yield lambda m, a=at, s=size, p=proof, w=whole: m.included(MANY[a], a, s, p, w)
            yield lambda m, a=at, s=size, p=beginning, f=first, w=whole: m.consistent(a + 1, s, p, f, w)


def of_forged_proofs() -> Iterator[Question]:
    """Proofs with something added, left out or turned round, and for other places than theirs."""
    for size in (7, 1, 2, 3, 4, 6, 8, 11):
        whole = merkle.root(LEAVES[:size])
        for at in range(size):
            proof = merkle.inclusion(LEAVES[:size], at)
            for tried in tampered(proof):
                for place in {at, at ^ 1, size, -1}:
                    yield lambda m, a=at, p=place, s=size, t=tried, w=whole: m.included(LEAVES[a], p, s, t, w)
            yield lambda m, a=at, s=size, p=proof, w=whole: [
                m.included(LEAVES[a], a, s, p, merkle.EMPTY),
                m.included(merkle.EMPTY, a, s, p, w),
            ]
        for before in range(1, size + 1):
            proof = merkle.consistency(LEAVES[:size], before)
            first = merkle.root(LEAVES[:before])
            for tried in tampered(proof):
                for b in {before, before + 1, before - 1, 0, size + 1}:
                    yield lambda m, b=b, s=size, t=tried, f=first, w=whole: m.consistent(b, s, t, f, w)
            yield lambda m, b=before, s=size, p=proof, f=first, w=whole: [
                m.consistent(b, s, p, w, f),
                m.consistent(b, s, p, f, f),
                m.consistent(b, s, p, w, w),
            ]


def tampered(proof: list[bytes]) -> list[list[bytes]]:
    return [proof, [*proof, merkle.EMPTY], [merkle.EMPTY, *proof], proof[1:], proof[:-1], proof[::-1], []]


def grown(m: ModuleType, size: int) -> Any:
    frontier = m.Frontier()
    for hashed in LEAVES[:size]:
        frontier.add(hashed)
    packed = frontier.packed()
    again = m.Frontier.unpacked(size, packed)
    again.add(merkle.EMPTY)
    wrong = []
    for raw in (packed + b"x", packed[1:], packed + merkle.EMPTY, b""):
        try:
            wrong.append(plain(m.Frontier.unpacked(size, raw)))
        except ValueError:
            wrong.append("no")
    return frontier.size, frontier.peaks, again.root(), wrong


PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
OURS, WITNESS, STRANGER = (
    note.PublicKey("log", note.PLAIN, PUBLIC),
    note.PublicKey("w", note.TIMED, PUBLIC),
    note.PublicKey("x", note.PLAIN, bytes(32)),
)
TEXT = "log\n3\n" + "A" * 43 + "=\n"
SIGNED = note.Signature("log", OURS.id, PRIVATE.sign(TEXT.encode()))
SEEN = note.Signature("w", WITNESS.id, (77).to_bytes(8) + PRIVATE.sign(note.timed_message(TEXT, 77)))
ODD = note.Signature("x", STRANGER.id, bytes(64))


def of_note() -> Iterator[Question]:
    good = str(note.Note(TEXT, (SIGNED, SEEN, ODD)))
    texts: list[Any] = [
        good,
        good.encode(),
        TEXT,
        TEXT + "\n",
        good[:-1],
        "\x01" + good,
        "\t" + good,
        " " + good,
        b"\xff" + good.encode(),
        "\ud800" + good,
    ]
    texts += [
        good + "more\n",
        "a\n\nb\n\n" + str(SIGNED),
        "\n\n" + str(SIGNED),
        "\n" + str(SIGNED),
        "",
        b"",
        "x\n\n" + str(SIGNED) * 100,
        "x\n\n" + str(SIGNED) * 101,
    ]
    line = str(SIGNED)
    texts += [
        "x\n\n" + changed
        for changed in (
            line.replace("— ", "- "), line.replace(" log ", " l+g "), line.replace(" log ", " l g "), line.replace(" log ", " l\x7fg "), line.replace(" log ", "  "),
            "— log AAAAAAA=x", "log AAAAAAA=\n", "— log AAAAAAA=\n", "— log AAAA\n", "— log AAAAAA==\n", "— log AAAAAAAA\n", "— log AAAAAAB=\n", "— log\n", "— log !!!!\n", "— log \n", "—  AAAAAAA=\n", "— l\u00a0g AAAAAAA=\n",
        )
    ]  # fmt: skip
    for text in texts:
        yield lambda m, t=text: (m.Note.parse(t), str(m.Note.parse(t)))
    for key in (OURS, WITNESS, STRANGER):
        said = str(key)
        bad = [
            said,
            said[1:],
            said[:-1],
            said + "A",
            said.replace("+", "-", 1),
            f" {said}\n",
            said.replace(key.id.hex(), "00000000"),
            "+".join(["a b", *said.split("+", 2)[1:]]),
        ]
        bad += [
            str(note.PublicKey(key.name, 2, key.key)),
            str(note.PublicKey(key.name, 1, key.key[:31])),
            str(note.PublicKey("", 1, key.key)),
            str(note.PublicKey("a b", 1, key.key)),
        ]
        for text in bad:
            yield lambda m, t=text: (m.PublicKey.parse(t), str(m.PublicKey.parse(t)), m.PublicKey.parse(t).id)
        for raw in (SIGNED.raw, SEEN.raw, SEEN.raw[:-1], bytes(64), bytes(72), b"", other(SEEN.raw)):
            yield lambda m, k=key, r=raw: m.PublicKey(k.name, k.kind, k.key).holds(TEXT, r)
    for signatures in ((SIGNED,), (SEEN,), (ODD,), (SIGNED, SEEN, ODD), (SIGNED, SIGNED), (ODD, SIGNED), ()):
        for keys in ((OURS,), (WITNESS,), (STRANGER,), (OURS, WITNESS), (OURS, STRANGER), (note.PublicKey("log", 1, bytes(32)),), ()):
            for text in (TEXT, TEXT + "x\n"):
                yield lambda m, s=signatures, k=keys, t=text: m.proved(
                    m.Note(t, tuple(m.Signature(*attrs.astuple(one)) for one in s)), [m.PublicKey(*attrs.astuple(one)) for one in k]
                )
    yield lambda m: [m.named(name) for name in ("", "a", "a b", "a+b", "a\x1fb", "a\u2003b", "a\x7fb", "\x1f", "a\x00")]
    yield lambda m: [m.exact(coded) for coded in ("", "AA==", "AAA=", "AAAA")]
    for coded in ("AB==", "A", "AA=", "AA", "A A=", "AAB="):
        yield lambda m, c=coded: m.exact(c)


ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


def of_checkpoint() -> Iterator[Question]:
    texts = [
        f"log\n1\n{ROOT}\n",
        f"log\n0\n{ROOT}\nmore\nand more\n",
        f"log\n1\n{ROOT}",
        f"log\n1\n{ROOT}\n\n",
        f"\n1\n{ROOT}\n",
        f"log\n01\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
    ]
    texts += [f"log\n{size}\n{ROOT}\n" for size in (2**63 - 1, 2**63, 10**18, 10**19, " 1", "1 ", "", "x")]
    texts += [
        "log\n1\n",
        "log\n1\nAAAA\n",
        f"log\n1\n{ROOT[:-2]}J=\n",
        f"log\n1\n{ROOT}\n\nmore\n",
        "",
        "\n\n\n",
        f"log\n1\n{'A' * 44}\n",
        f"log\n1\n{'A' * 42}==\n",
    ]
    for text in texts:
        yield lambda m, t=text: (m.Checkpoint.parse(t), str(m.Checkpoint.parse(t)))
    leaf = ("01932f9a-7c00-7000-8000-000000000001", 3, bytes(range(32)))
    yield lambda m: [m.leaf_data(*leaf), m.Leaf(5, *leaf).data, m.Leaf(5, *leaf).hashed]


def of_held() -> Iterator[Question]:
    streams_ = {
        uuid: attrs.evolve(WHOLE, uuid=uuid, entries=entries)
        for uuid, entries in (("a", WHOLE.entries), ("b", WHOLE.entries[:5]), ("c", WHOLE.entries[:1]))
    }
    told = list(taken(streams_))
    half, size = len(told) // 2, len(told)
    right = [seen(told, n) for n in (0, 3, half, size)]
    wrong = checkpoint.Checkpoint("log", half, merkle.EMPTY)
    beyond = checkpoint.Checkpoint("log", size + 1, merkle.EMPTY)
    early, late = "2026-11-24T15:05:00.000000Z", "2027-01-01T00:00:00.000000Z"
    logs = {
        "whole": told,
        "none": [],
        "gap": [*told[:4], *told[5:]],
        "starts late": told[1:],
        "before": [attrs.evolve(told[0], at=-2), attrs.evolve(told[0], at=-1), *told],
        "short": told[:half],
        "changed": [*told[:1], attrs.evolve(told[1], hash=merkle.EMPTY), *told[2:]],
        "twice": [*told[:4], told[3], *told[4:]],
        "changed late": [*told[: half - 1], attrs.evolve(told[half - 1], hash=merkle.EMPTY), *told[half:]],
    }
    for leaves in logs.values():
        yield lambda m, le=leaves: m.walk(iter(le), [0, 3, half, size, size + 1])
        yield lambda m, le=leaves: m.walk(iter(le), [])
        for one in (*right, wrong, beyond):
            yield lambda m, le=leaves, c=one: marks(m, m.walk(le, [0, 3, half, size, size + 1]), c, [*right, wrong])
            yield lambda m, le=leaves, c=one: marks(m, m.walk(le, [0, 3, half, size, size + 1]), c, [])
            yield lambda m, le=leaves, c=one: marks(m, m.walk(le, [half, size, size + 1]), c, right[1:])
    for uuid, stream in streams_.items():
        mine = [leaf for leaf in told if leaf.stream == uuid]
        for proved in (0, mine[-1].at, mine[-1].at + 1, mine[0].at, size):
            for leaves in variants(mine):
                yield lambda m, s=stream, le=leaves, p=proved: m.against(s, le, p, [])
                yield lambda m, le=leaves, p=proved, u=uuid: le and m.gone(le, p, {"z": m.Grave(1, b"")})
                for n, hash_ in (
                    (len(mine), mine[-1].hash),
                    (len(mine), merkle.EMPTY),
                    (len(mine) - 1, merkle.EMPTY),
                    (len(mine) + 1, merkle.EMPTY),
                    (1, mine[0].hash),
                ):
                    yield lambda m, le=leaves, p=proved, u=uuid, n=n, h=hash_: le and m.gone(le, p, {u: m.Grave(n, h)})
            for cut in (1, len(stream.entries) - 1):
                short = attrs.evolve(stream, entries=stream.entries[:cut])
                yield lambda m, s=short, le=mine, p=proved: m.against(s, le, p, [])
        for before in ("", early, late, WHOLE.entries[0][2], WHOLE.entries[1][2]):
            for one in right:
                yield lambda m, s=stream, le=mine, c=one, b=before: m.against(s, le, size, [m.Held(c, b)])
                yield lambda m, s=stream, le=mine[:1], c=one, b=before: m.against(s, le, size, [m.Held(c, ""), m.Held(c, b)])
                yield lambda m, s=stream, c=one, b=before: m.against(s, [], size, [m.Held(c, b)])
    yield from of_graves()


def of_graves() -> Iterator[Question]:
    for there, leaves in ((), ()), (("a",), ()), ((), ("a",)), (("a",), ("a",)), (("b",), ("c",)):
        yield lambda m, t=there, le=leaves: list(m.buried({"a": m.Grave(3, b""), "c": m.Grave(1, b"")}, t, le))


def taken(streams_: Mapping[str, Stream]) -> Iterator[checkpoint.Leaf]:
    """A log of streams, taken in in two goes."""
    at = 0
    for first, last in ((0, 3), (3, 99)):
        for uuid, stream in streams_.items():
            for entry in stream.entries[first:last]:
                yield checkpoint.Leaf(at, uuid, entry[1], entry[12])
                at += 1


def seen(leaves: list[checkpoint.Leaf], size: int) -> checkpoint.Checkpoint:
    return checkpoint.Checkpoint("log", size, merkle.root([leaf.hashed for leaf in leaves[:size]]))


def variants(mine: list[checkpoint.Leaf]) -> Iterator[list[checkpoint.Leaf]]:
    yield mine
    yield []
    yield mine[:1]
    yield mine[1:]
    yield [*mine, attrs.evolve(mine[-1], at=mine[-1].at + 9, n=len(mine) + 1)]
    yield [*mine[:-1], attrs.evolve(mine[-1], hash=merkle.EMPTY)]
    yield [attrs.evolve(mine[0], hash=merkle.EMPTY), *mine[1:]]
    yield [attrs.evolve(mine[0], n=2), *mine[1:]]


def marks(m: ModuleType, log: Any, one: checkpoint.Checkpoint, others: list[checkpoint.Checkpoint]) -> Any:
    """What is said of a checkpoint, and which leaf the words name."""
    wrong = m.fallen(log, m.Held(one), others)
    said = "" if wrong is None else wrong.what
    return m.stands(log, one), m.proved_upto(log, [*others, one]), wrong, said
