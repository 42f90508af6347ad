"""The timeline of a case: its entries as people read them, personal values opened where that is still possible."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from casekit.desk.past import at
from casekit.desk.reviewed import reviewed
from casekit.desk.sealing import opened
from casekit.desk.values import Done, Happening
from casekit.desk.work import Stream, Work
from casekit.errors import Refused, Stale
from casekit.model.actor import Actor
from casekit.model.answers import Objection
from casekit.model.canonical import Json, decode
from casekit.model.links import RELATIONS
from casekit.model.money import render
from casekit.record.entry import COLUMNS
from casekit.store import reading
from casekit.store.shelf import Shelf

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

_TITLES = ("event", "key", "option", "item", "kind", "outcome", "role", "requirement")
"""What an entry may be about, in the order of what says most."""

ERASED = "The words are erased."


def timeline(work: Work, stream: Stream, hidden: Collection[str] = ()) -> tuple[Happening, ...]:
    """The entries of a case in order, but those that are about hidden documents."""
    work.load_keys({stream.uuid, *owners(stream.head)})
    entries = (entry for entry in reading.entries_of(work.shelf, stream.sid) if not hidden or not _about_one(decode(entry[11]), hidden))
    return tuple(happening(work, stream, entry) for entry in entries)


def _about_one(said: Json, hidden: Collection[str]) -> bool:
    """Whether an entry is about one of some documents."""
    documents = {change["document"] for change in said["changes"] if change["c"] == "document"}
    return any(document in hidden for document in (*documents, said["about"].get("document")))


def owners(head: Mapping[str, Any]) -> list[str]:
    """The parties of a case, who own what is sealed in it."""
    return [party for members in head["parties"].values() for party in members]


def happening(work: Work, stream: Stream, entry: tuple[Any, ...]) -> Happening:
    """One entry as people read it."""
    _, n, recorded, effective, _, day, actor, kind, _, spoke, _, body, _ = entry
    said = decode(body)
    about: Json = said["about"]
    changes: list[Json] = said["changes"]
    words = _about_words(work, stream, about)
    return Happening(
        n,
        recorded,
        day or effective,
        actor,
        kind,
        titled(kind, about, changes),
        tuple([_open_change(work, stream, change) if "sealed" in change else change for change in changes]),
        tuple(about.get("events", ())),
        _objections(about, words) if "objections" in about else (),
        words.get("text") or words.get("reason"),
        _spoken(spoke),
        {**about.get("fields", {}), **words.get("fields", {})} if "fields" in about or "fields" in words else _NONE,
        reviewed(about, words) if kind == "review" else None,
        words.get("before", _NONE),
    )


_NONE: Mapping[str, Any] = MappingProxyType({})


@lru_cache(maxsize=1024)
def _spoken(text: str) -> Mapping[str, str]:
    """Plugin → version; most entries of a case say the same."""
    return MappingProxyType(decode(text))


def journal(shelf: Shelf, sid: int) -> tuple[Json, ...]:
    """The entries of a stream as they are stored: digests in hex, bodies as their texts."""
    return tuple(raw(entry) for entry in reading.entries_of(shelf, sid))


def raw(entry: tuple[Any, ...]) -> Json:
    """One entry as it is stored, digests in hex."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in zip(COLUMNS, entry, strict=True)}


def answer_again(desk: Desk, actor: Actor, shelf: Shelf, uuid: str, n: int) -> Done:
    """The answer that a command gave when it first came.

    Raises:
        Refused: it was refused, with the same objections.
    """
    work = desk.work(shelf)
    stream = work.stream(uuid, "case")
    desk.levels.demand(actor, stream.head, uuid)
    entries = reading.entries_of(shelf, stream.sid, upto=n)
    then = at(stream, entries)
    last = entries[-1]
    said = decode(last[11])
    about: Json = said["about"]
    work.load_keys({uuid, *owners(then.head)})
    objections = _objections(about, _about_words(work, then, about))
    if last[7] == "refused":
        raise (Stale if any(o.rule == "casekit.stale" for o in objections) else Refused)(objections)
    definition = desk.library.pinned(shelf, then.head["definition"])
    case = desk.case_value(work, then, definition)
    unknown = tuple(about.get("unknown", ()))
    return Done(case, (n,), case.due, _made(n, about, said["changes"]), objections, unknown, not about.get("nonconforming"), again=True)


def _made(n: int, about: Json, changes: Iterable[Json]) -> str:
    for i, change in enumerate(changes):
        if change["c"] == "item" and about.get("action") == "add" and change["id"] == about["item"]:
            return f"{change['id']}.{change['instance']}"
        if change["c"] == "document":
            return str(change["document"])
        if change["c"] in ("fact", "message", "posting"):
            return f"{n}.{i}"
    return ""


def _about_words(work: Work, stream: Stream, about: Json) -> Json:
    return opened(work.key, work.shelf.tenant, stream.uuid, "about", about["sealed"]) if "sealed" in about else {}


def _objections(about: Json, words: Json) -> tuple[Objection, ...]:
    clear = about.get("objections", ())
    said = words.get("objections") or [{"words": ERASED, "args": {}, "citation": "", "remedy": ""}] * len(clear)
    return tuple(
        Objection(c["rule"], s["words"], s["args"], s["citation"], c.get("allowed_at"), s["remedy"], c["plugin"], c["version"])
        for c, s in zip(clear, said, strict=True)
    )


def _open_change(work: Work, stream: Stream, change: Json) -> Json:
    """The change with what is sealed in it laid open; takes over the one it is given."""
    sealed = change.pop("sealed")
    tenant, uuid = work.shelf.tenant, stream.uuid
    if change["c"] == "data":
        envelopes = {owner: record["envelope"] for owner, record in sealed.items()}
        change.setdefault("set", {}).update(opened(work.key, tenant, uuid, "data", envelopes))
        return change
    path = f"fact/{change['key']}" if change["c"] == "fact" else change["c"]
    change.update(opened(work.key, tenant, uuid, path, sealed))
    return change


def _goal(about: Json) -> str:
    if about.get("dropped"):
        return f"{about['key']} given up"
    goal = about["goal"]
    by = f" by {goal['by']}" if "by" in goal else ""
    return f"{about['key']}: {goal['measure']} {goal['want']} {goal['target']}{by}"


def _adjustment(about: Json) -> str:
    """What was taken, and what it does: its key alone says nothing to people."""
    done = [f"chooses {about['option']}"] if "option" in about else []
    done += [f"{word} {', '.join(about[name])}" for name, word in (("sets", "sets"), ("drops", "gives up")) if name in about]
    return f"{about['key']}: {'; '.join(done)}"


def _rectified(about: Json) -> str:
    """What was put right."""
    said = about["rectified"]
    return f"{about['key']} ({said['fact']})" if "fact" in said else ", ".join(said["data"])


_WORDED: Mapping[str, Callable[[Json], str]] = {
    "adjust": _adjustment,
    "classify": lambda about: f"{about.get('document', 'the case')} {about['level']}",
    "document-status": lambda about: f"{about['kind']} {about['status']}",
    "goal": _goal,
    "item": lambda about: f"{about['action']} {about.get('item', 'the plan')}",
    "link": lambda about: (
        f"{'no longer ' if 'ended' in about else ''}{RELATIONS[about['relation']][0]} {about.get('number', about['other'])}"
    ),
    "rectify": _rectified,
    "review": lambda about: f"round {about['round']}",
}
"""Commands whose entries are called by more than one word."""


def titled(kind: str, about: Json, changes: list[Json]) -> str:
    """What an entry was about."""
    if kind == "refused":
        return " ".join(str(about[name]) for name in ("command", "event", "outcome", "key", "via") if name in about)
    if kind in _WORDED:
        return _WORDED[kind](about)
    for name in _TITLES:
        if name in about:
            return str(about[name])
    if "via" in about:
        return f"{about['via']} {about['direction']}"
    posted = next((c for c in changes if c["c"] == "posting"), None) if kind != "open" else None
    if posted is not None:
        return f"{posted['component']} {render(posted['minor'], posted['currency'])}".strip()
    return ", ".join(dict.fromkeys(event for event in about.get("events", ()) if event.startswith("clock.")))
