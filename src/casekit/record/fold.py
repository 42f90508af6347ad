"""``fold``: the one function that turns entries into heads and rows.

Commands, replay, as-of, verify and import all go through it. It calls no plugin, no condition and no step,
and opens no envelope: an entry holds results, so the record can be read when its authors are gone.

The vocabulary of changes is closed. A change is a map with ``c`` (its name); every other member stands in the
table below as it is.

====================  ==========================================================================================
``open``              ``stream`` (case, party, log) and what the head begins with (``set``)
``head``              members of the head to ``set``, and names to ``unset``; of ``goals`` and ``levels``, a row each
``data``              case data: clear values to ``set``, names to ``unset``, ``sealed`` (owner → envelope, whole)
``machine``           members of the machine snapshot to ``set``
``totals``            declared totals to ``set``
``clock``             ``id``, ``instance``, its ``row``; ``live`` is its state in the head, absent once it has left
``item``              plan item: ``id``, ``instance``, its ``row``; ``live`` as of a clock; ``sealed``: words about it
``role``              ``role``, ``party``, ``set``; or ``end``: true
``fact``              row; ``latest``: what the head keeps of it, where it is the latest known
``posting``           row
``message``           row
``document``          row; ``count``: number on file of that kind
``log``               an entry of a desk log; changes nothing but the version
====================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from casekit.model.canonical import Json, encode

Row = tuple[str, tuple[Any, ...], tuple[Any, ...] | None]
"""A row to write: table, key, the row in the order of ``tables.ROWS``; None takes it away."""


_ADDS_A_ROW = frozenset({"message", "posting", "fact"})
"""Changes that add a row and leave the head alone, but for the latest fact known."""


class Unfoldable(ValueError):
    """A change that the vocabulary does not know, or that does not fit the head."""


def fold(head: Json | None, changes: Iterable[Mapping[str, Any]], n: int) -> tuple[Json, list[Row]]:
    """The head after an entry's changes, and the rows that they write.

    Takes over the head it is given: pass a copy where the old one is still needed (:func:`branch`).

    Args:
        head: The head before, None before the first entry.
        changes: The changes of one entry.
        n: The entry's place in the stream.

    Raises:
        Unfoldable: a change outside the vocabulary, or one that does not fit.
    """
    rows: list[Row] = []
    changed = False
    for i, change in enumerate(changes):
        try:
            if head is None:
                head = _open(change)
            else:
                _FOLD[change["c"]](head, change, n, i, rows)
            changed = changed or change["c"] not in _ADDS_A_ROW or touches_head(change)
        except Unfoldable:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as wrong:
            raise Unfoldable(f"change {i} of entry {n} does not fit: {type(wrong).__name__} {wrong}") from wrong
    if head is None:
        raise Unfoldable(f"entry {n} opens nothing")
    if changed:
        head["version"] += 1
    return head, rows


def touches_head(change: Mapping[str, Any]) -> bool:
    """Whether a change changes the head, and so the version: a message or an older fact only adds a row."""
    kind = change["c"]
    return kind not in _ADDS_A_ROW or (kind == "fact" and "latest" in change)


def branch(head: Json | None) -> Json | None:
    """A copy of a head that fold may take over: what fold writes into is copied, the rest is shared."""
    if head is None:
        return None
    copy = dict(head)
    for name in _BRANCHED:
        if name in copy:
            copy[name] = dict(copy[name])
    if "machine" in copy:
        machine = copy["machine"]
        machine["clocks"] = {clock: dict(instances) for clock, instances in machine["clocks"].items()}
        machine["totals"] = dict(machine["totals"])
        machine["items"] = {item: dict(instances) for item, instances in machine["items"].items()}
    if "parties" in copy:
        copy["parties"] = {role: dict(members) for role, members in copy["parties"].items()}
    return copy


_BRANCHED = ("data", "sealed", "facts", "parties", "documents", "machine")


def _open(change: Mapping[str, Any]) -> Json:
    if change["c"] != "open":
        raise Unfoldable(f"a stream begins with open, not with {change['c']}")
    head: Json = {"stream": change["stream"], "version": 0, **change["set"]}
    if change["stream"] == "case":
        head |= {"data": {}, "sealed": {}, "facts": {}, "parties": {}, "documents": {}}
        head["machine"] = {
            "active": [],
            "category": "open",
            "clocks": {},
            "cycle": 1,
            "history": {},
            "items": {},
            "memory": {},
            "totals": {},
        }
    return head


def _head(head: Json, change: Mapping[str, Any], n: int, _i: int, rows: list[Row]) -> None:
    given, gone = change.get("set", {}), change.get("unset", ())
    for name, spread in _SPREAD.items():
        if name in given or name in gone:
            rows += spread(head.get(name, {}), {} if name in gone else given[name], n)
    head.update(given)
    for name in gone:
        head.pop(name, None)


def _goals(before: Mapping[str, Json], after: Mapping[str, Json], n: int) -> Iterable[Row]:
    """Rows of the goals that are new or say something else than before; those given up are taken away."""
    for key in before:
        if key not in after:
            yield "goals", (key,), None
    for key, said in after.items():
        if said != before.get(key):
            words = (said["measure"], said["want"], encode(said["target"]), said.get("by"), said.get("owner", ""))
            row = (key, n, *words, said["set"], said.get("due"), said.get("status", "unknown"), said.get("since"))
            yield "goals", (key,), row


def _links(before: Mapping[str, list[str]], after: Mapping[str, list[str]], n: int) -> Iterable[Row]:
    """Rows of the links that are new; those that are gone are taken away."""
    old, new = ([(relation, other) for relation, others in links.items() for other in others] for links in (before, after))
    for key in old:
        if key not in new:
            yield "links", key, None
    for key in new:
        if key not in old:
            yield "links", key, (*key, n)


def _standings(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]], n: int) -> Iterable[Row]:
    """Rows of the documents whose status is another than before; one that has the first again has no row."""
    old, new = ({doc: (kind, status) for kind, docs in said.items() for doc, status in docs.items()} for said in (before, after))
    for document in old:
        if document not in new:
            yield "standings", (document,), None
    for document, said in new.items():
        if said != old.get(document):
            yield "standings", (document,), (document, n, *said)


def _levels(before: Mapping[str, Json], after: Mapping[str, Json], n: int) -> Iterable[Row]:
    """Rows of the levels of confidentiality that are new or others than before, by what they are about: the case, a document."""
    for what in before:
        if what not in after:
            yield "levels", (what,), None
    for what, said in after.items():
        if said != before.get(what):
            yield "levels", (what,), (what, n, said["level"], said.get("ground", ""))


_SPREAD: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], int], Iterable[Row]]] = {
    "goals": _goals,
    "levels": _levels,
    "links": _links,
    "standings": _standings,
}
"""Members of a head that are spread out into rows as well, so that they can be found over many cases."""


def _data(head: Json, change: Mapping[str, Any], _n: int, _i: int, _rows: list[Row]) -> None:
    head["data"].update(change.get("set", {}))
    for name in change.get("unset", ()):
        head["data"].pop(name, None)
    head["sealed"].update(change.get("sealed", {}))


def _machine(head: Json, change: Mapping[str, Any], _n: int, _i: int, _rows: list[Row]) -> None:
    machine = head["machine"]
    for name, value in change["set"].items():
        if value is None:
            machine.pop(name, None)
        else:
            machine[name] = value


def _totals(head: Json, change: Mapping[str, Any], _n: int, _i: int, _rows: list[Row]) -> None:
    head["machine"]["totals"].update(change["set"])


def _live(known: Json, change: Mapping[str, Any]) -> tuple[str, str]:
    """Sets the live state of an instance in the head, or takes it out."""
    name, instance = change["id"], change["instance"]
    if "live" in change:
        known.setdefault(name, {})[instance] = change["live"]
    elif name in known:
        known[name].pop(instance, None)
        if not known[name]:
            del known[name]
    return name, instance


def _item(head: Json, change: Mapping[str, Any], n: int, _i: int, rows: list[Row]) -> None:
    item, instance = _live(head["machine"]["items"], change)
    row = change["row"]
    said = (row["kind"], row["state"], row["stage"], row["who"], row["at"], row.get("started"), row.get("due"), row.get("ended"))
    rows.append(("tasks", (item, instance), (item, instance, n, *said, row.get("source"), _sealed(change))))


def _clock(head: Json, change: Mapping[str, Any], n: int, _i: int, rows: list[Row]) -> None:
    clock, instance = _live(head["machine"]["clocks"], change)
    row = change["row"]
    rows.append(
        (
            "clocks",
            (clock, instance),
            (clock, instance, n, row["status"], row["started"], row.get("due"), row.get("breached"), row.get("ended")),
        )
    )


def _role(head: Json, change: Mapping[str, Any], n: int, _i: int, rows: list[Row]) -> None:
    role, party = change["role"], change["party"]
    members = head["parties"].setdefault(role, {})
    if change.get("end"):
        del members[party]
        if not members:
            del head["parties"][role]
        rows.append(("roles", (role, party), None))
    else:
        members[party] = change.get("set", {})
        rows.append(("roles", (role, party), (role, party, n)))


def _fact(head: Json, change: Mapping[str, Any], n: int, i: int, rows: list[Row]) -> None:
    if "latest" in change:
        head["facts"][change["key"]] = {"id": f"{n}.{i}", **change["latest"]}
    value = encode(change["value"]) if "value" in change else None
    row = (n, i, change["key"], *_when(change), value, _sealed(change))
    rows.append(("facts", (n, i), row))


def _posting(_head: Json, change: Mapping[str, Any], n: int, i: int, rows: list[Row]) -> None:
    row = (
        n,
        i,
        change["kind"],
        change.get("component", ""),
        change["minor"],
        change["currency"],
        *_when(change),
        change.get("reverses"),
        _sealed(change),
    )
    rows.append(("postings", (n, i), row))


def _message(_head: Json, change: Mapping[str, Any], n: int, i: int, rows: list[Row]) -> None:
    row = (
        n,
        i,
        change.get("party"),
        change.get("role"),
        change["direction"],
        change["via"],
        change["outcome"],
        *_when(change),
        _sealed(change),
    )
    rows.append(("messages", (n, i), row))


def _document(head: Json, change: Mapping[str, Any], n: int, i: int, rows: list[Row]) -> None:
    head["documents"][change["kind"]] = change["count"]
    row = (
        n,
        i,
        change["document"],
        change["version"],
        change["kind"],
        change["direction"],
        change["media"],
        change["size"],
        change["digest"],
        _sealed(change),
    )
    rows.append(("documents", (n, i), row))


def _log(head: Json, _change: Mapping[str, Any], _n: int, _i: int, _rows: list[Row]) -> None:
    if head["stream"] != "log":
        raise Unfoldable("only a desk log has log changes")


def _when(change: Mapping[str, Any]) -> tuple[str, str, str | None]:
    return change["at"], change["zone"], change.get("day")


def _sealed(change: Mapping[str, Any]) -> str | None:
    return encode(change["sealed"]) if change.get("sealed") else None


_FOLD: Mapping[str, Callable[[Json, Mapping[str, Any], int, int, list[Row]], None]] = {
    "head": _head,
    "data": _data,
    "machine": _machine,
    "totals": _totals,
    "clock": _clock,
    "item": _item,
    "role": _role,
    "fact": _fact,
    "posting": _posting,
    "message": _message,
    "document": _document,
    "log": _log,
}
