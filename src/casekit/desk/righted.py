"""What was put right since: which facts count, which case data held at an earlier moment, and since when a wrong value did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from casekit.desk.sealing import opened
from casekit.desk.work import Stream, Work
from casekit.errors import BadInput
from casekit.model.canonical import Json, decode
from casekit.model.time import Effective
from casekit.store import reading

_EFFECTIVE, _ZONE, _DAY, _KIND, _BODY = 3, 4, 5, 7, 11


@frozen
class Known:
    """What is on file of something, and since when.

    Attributes:
        value: The canonical value; None: it is erased, or there is none.
        since: Since when it is said to hold.
    """

    value: Any
    since: Effective


def again(rows: list[tuple[Any, ...]]) -> bool:
    """Whether facts of one key were noted for one moment more than once."""
    return len(rows) > 1 and len({(row[2], row[3]) for row in rows}) < len(rows)


def superseded(rows: Iterable[tuple[Any, ...]], rectifying: Iterable[int]) -> set[tuple[int, int]]:
    """Which facts were put right: earlier ones of the same key and moment as a fact of a rectifying entry; as (n, i)."""
    fixing = set(rectifying)
    if not fixing:
        return set()
    known = list(rows)
    latest = {(row[2], row[3]): row[0] for row in sorted(known, key=lambda row: row[0]) if row[0] in fixing}
    return {(row[0], row[1]) for row in known if row[0] < latest.get((row[2], row[3]), 0)}


def since_of_data(work: Work, stream: Stream, names: Iterable[str]) -> Effective:
    """Since when values that are to be put right were said to hold.

    Raises:
        BadInput: not all since one moment.
    """
    found = {name: known.since for name, known in _origins(work, stream, names).items()}
    moments = {since.at for since in found.values()}
    if len(moments) > 1:
        what = "; ".join(f"{name} since {since}" for name, since in sorted(found.items()))
        raise BadInput.at("effective", f"these values do not hold since one moment: {what}", "put them right one by one, or say since when")
    if not found:
        return Effective(stream.head["opened"], stream.head["zone"])
    return next(iter(found.values()))


def laid_over(work: Work, stream: Stream, later: Iterable[tuple[Any, ...]], moment: str) -> Stream:
    """A case as a prefix of its entries left it, with what later entries have put right for that moment.

    Args:
        work: Gives the keys.
        stream: The case then.
        later: The entries that follow.
        moment: What is asked for (canonical instant).
    """
    fixes = [entry for entry in later if entry[_KIND] == "rectify" and entry[_EFFECTIVE] <= moment]
    for entry in fixes:
        said = decode(entry[_BODY])
        names = set(said["about"].get("rectified", {}).get("data", ()))
        for change in said["changes"]:
            if names and change["c"] == "data":
                _lay(work, stream, change, names)
    return stream


def _lay(work: Work, stream: Stream, change: Json, names: set[str]) -> None:
    head = stream.head
    head["data"] = {**head["data"], **{name: value for name, value in change.get("set", {}).items() if name in names}}
    for name in set(change.get("unset", ())) & names:
        head["data"].pop(name, None)
    sealed = dict(head["sealed"])
    for owner, record in change.get("sealed", {}).items():
        then = sealed.get(owner, {"fields": []})
        inside = then["open"] if "open" in then else _inside(work, stream, owner, then.get("envelope"))
        right = _inside(work, stream, owner, record["envelope"])
        whole = {name: value for name, value in inside.items() if name not in names}
        whole |= {name: value for name, value in right.items() if name in names}
        sealed[owner] = {"fields": sorted({*(set(then["fields"]) - names), *(set(record["fields"]) & names)}), "open": whole}
    head["sealed"] = sealed


def _inside(work: Work, stream: Stream, owner: str, envelope: str | None) -> Json:
    if envelope is None:
        return {}
    work.load_keys((owner,))
    return opened(work.key, work.shelf.tenant, stream.uuid, "data", {owner: envelope})


def _origins(work: Work, stream: Stream, names: Iterable[str]) -> dict[str, Known]:
    """Which entry brought the value that each field has now, by what changed it last."""
    wanted = set(names)
    found: dict[str, Known] = {}
    for entry in reading.entries_of(work.shelf, stream.sid):
        when = Effective(entry[_EFFECTIVE], entry[_ZONE], entry[_DAY])
        for change in decode(entry[_BODY])["changes"]:
            if change["c"] == "data":
                _follow(work, stream, change, wanted, when, found)
    return {name: known for name, known in found.items() if known.value is not None}


def _follow(work: Work, stream: Stream, change: Json, wanted: set[str], when: Effective, found: dict[str, Known]) -> None:
    values = dict(change.get("set", {}))
    for owner, record in change.get("sealed", {}).items():
        if wanted & set(record["fields"]):
            values |= _inside(work, stream, owner, record["envelope"])
    values |= dict.fromkeys(change.get("unset", ()))
    for name in wanted & set(values):
        if name not in found or found[name].value != values[name]:
            found[name] = Known(values[name], when)
