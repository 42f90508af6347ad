"""A journal of one case, made for the tests by a writer of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from hashlib import sha256
from typing import Any

from casekit.record.fold import fold
from casekit.record.tables import listed
from casekit.record.verify import Stream

TENANT, CASE = "main", "01932f9a-7c00-7000-8000-000000000001"
WHEN = {"at": "2026-11-24T14:00:00.000000Z", "zone": "UTC"}
SEALED = {CASE: "v1.00112233445566ff.AAECAwQFBgcICQoL.PCC-ereBsXPkMbWxk4UXHvf271GCWzUTWkWY4O"}

ROW = {"kind": "task", "state": "active", "stage": "", "who": "clerk", "at": WHEN["at"], "started": WHEN["at"]}
OPENING: list[dict[str, Any]] = [
    {"c": "open", "stream": "case", "set": {"type": "t", "opened": WHEN["at"], "time": WHEN["at"], "zone": "UTC"}},
    {"c": "data", "set": {"claimed": "10.00 EUR", "why": 1}, "sealed": {CASE: {"fields": ["text"], "envelope": SEALED[CASE]}}},
    {"c": "machine", "set": {"active": ["open"], "wake": WHEN["at"]}},
]
GOAL = {"measure": "paid", "want": "at-least", "target": "1.00 EUR", "set": WHEN["at"]}
EVERY: list[list[dict[str, Any]]] = [
    OPENING,
    [{"c": "role", "role": "debtor", "party": "p1", "set": {"share": 1}}, {"c": "role", "role": "debtor", "party": "p2"}],
    [{"c": "posting", "kind": "charge", "component": "fee", "minor": 500, "currency": "EUR", **WHEN, "sealed": SEALED}],
    [{"c": "posting", "kind": "reversal", "minor": 500, "currency": "EUR", **WHEN, "day": "2026-11-24", "reverses": "3.0"}],
    [{"c": "totals", "set": {"paid": "1.00 EUR"}}, {"c": "head", "set": {"number": "C-1"}}],
    [{"c": "fact", "key": "income", "value": "2100.00 EUR", **WHEN, "latest": {"value": "2100.00 EUR"}}],
    [{"c": "fact", "key": "income", **WHEN, "sealed": SEALED}],
    [{"c": "message", "party": "p1", "role": "debtor", "direction": "out", "via": "phone", "outcome": "busy", **WHEN, "sealed": SEALED}],
    [
        {
            "c": "document", "document": "d1", "version": 1, "kind": "letter", "direction": "out", "media": "text/plain", "size": 3,
            "digest": "ab" * 32, "count": 1, "sealed": SEALED,
        }
    ],
    [{"c": "clock", "id": "answer", "instance": "1", "row": {"status": "running", "started": WHEN["at"]}, "live": {"status": "running"}}],
    [],
    [{"c": "clock", "id": "answer", "instance": "1", "row": {"status": "met", "started": WHEN["at"], "ended": WHEN["at"]}}],
    [{"c": "role", "role": "debtor", "party": "p2", "end": True}],
    [
        {"c": "item", "id": "call", "instance": "1", "row": ROW, "live": {"state": "active", "at": WHEN["at"]}, "sealed": SEALED},
        {"c": "item", "id": "visit", "instance": "1", "row": ROW, "live": {"state": "active", "at": WHEN["at"]}},
    ],
    [{"c": "item", "id": "call", "instance": "1", "row": {**ROW, "state": "completed", "ended": WHEN["at"]}, "sealed": SEALED}],
    [{"c": "head", "set": {"goals": {"paid": GOAL, "rooms": {**GOAL, "target": 3}}}}],
    [{"c": "head", "set": {"goals": {"paid": {**GOAL, "by": "2026-12-24", "due": "d", "status": "reached", "since": "s"}}}}],
    [{"c": "head", "set": {"links": {"parent": ["c2"], "related": ["c3"]}, "standings": {"letter": {"d1": "read", "d2": "lost"}}}}],
    [{"c": "head", "set": {"links": {"parent": ["c2"]}, "standings": {"letter": {"d1": "kept"}}}}],
    [{"c": "head", "set": {"levels": {"": {"level": "secret"}, "d1": {"level": "confidential", "ground": "security"}}}}],
    [{"c": "head", "set": {"levels": {"d1": {"level": "secret"}}}}],
    [
        {"c": "head", "set": {"standings": {"letter": {"d1": "kept", "d3": "new"}}}},  # d1 stands as it stood, in both
        {"c": "head", "set": {"levels": {"d1": {"level": "secret"}, "d2": {"level": "secret"}}}},
    ],
    [{"c": "data", "set": {}, "unset": ["why"]}, {"c": "machine", "set": {"wake": None, "category": "closed", "outcome": "done"}}],
    [{"c": "head", "set": {"closed": WHEN["at"]}, "unset": ["number"]}],
]  # fmt: skip
"""Every change of the vocabulary, in entries of one case."""


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def written(entries: Iterable[list[dict[str, Any]]], *, minutes: Iterable[int] | None = None, **columns: Any) -> Stream:
    """The stream that these entries make: entries, head and rows, hashed by hand as the page on formats says."""
    head: dict[str, Any] | None = None
    previous, made = bytes(32), []
    rows: dict[str, dict[tuple[Any, ...], tuple[Any, ...]]] = {}
    times = iter(minutes or range(1000))
    for n, changes in enumerate(entries, start=1):
        head, wrote = fold(head, deepcopy(changes), n)
        for table, key, row in wrote:
            rows.setdefault(table, {}).pop(key, None)
            if row is not None:
                rows[table][key] = row
        minute = next(times)
        header = {
            "v": 1, "n": n, "recorded": f"2026-11-24T{15 + minute // 60}:{minute % 60:02}:00.000000Z", "effective": WHEN["at"],
            "zone": "UTC", "day": None, "actor": "user:lee", "kind": "do", "command": f"c{n}", "spoke": "{}",
            "state": sha256(canonical(head).encode()).hexdigest(), **columns,
        }  # fmt: skip
        body = canonical({"about": {}, "changes": changes})
        hashed = canonical({**header, "tenant": TENANT, "stream": CASE})
        previous = sha256(previous + hashed.encode() + sha256(body.encode()).digest()).digest()
        made.append((*(header | {"state": bytes.fromhex(header["state"])}).values(), body, previous))
    assert head is not None
    projected = {table: list(kept.values()) for table, kept in rows.items() if kept}
    return Stream(TENANT, CASE, "case", len(made), head["version"], previous, made[-1][2], canonical(head), listed(head), made, projected)
