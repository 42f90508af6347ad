"""Commands that add to a case file: notes, messages, facts, documents, postings."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Collection
from typing import Any

from casekit.definition.fields import Field, read
from casekit.desk import levels
from casekit.desk.casefile import CaseFile, load_parties
from casekit.desk.sealing import Sealed, seal
from casekit.desk.turn import Spec, Turn
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput
from casekit.model.canonical import Json, plain
from casekit.model.ledger import Posting
from casekit.model.money import Money
from casekit.model.time import Effective
from casekit.plugins.view import Message
from casekit.store.keys import place

NOTE = Spec("note", "note.add")
MESSAGE = Spec("message", "message.record")
FACT = Spec("fact", "fact.note")
DOCUMENT = Spec("document", "document.add")
STATUS = Spec("document-status", "document.status")
PAY = Spec("pay", "ledger.pay")
CHARGE = Spec("charge", "ledger.charge")
REVERSE = Spec("reverse", "ledger.reverse")

VIA = ("phone", "email", "sms", "letter", "visit", "portal")
"""Channels."""

OUTCOMES = (
    "sent",
    "delivered",
    "undelivered",
    "received",
    "conversation",
    "no-answer",
    "busy",
    "not-in-service",
    "voicemail",
    "voicemail-full",
    "ringless-voicemail",
    "dropped",
)
"""What became of a message or of an attempt at one."""

PLANNED = "planned"
"""Outcome of a message that is only being asked about."""

_MEDIA = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")
_KIND = re.compile(r"[a-z][a-z0-9_]*(-[a-z0-9_]+)*")
LARGEST_DOCUMENT = 64 * 1024 * 1024
"""Bytes that one version of a document may have."""


def note(turn: Turn, text: str) -> None:
    """Decides on a note: words that the case owns."""
    if not text.strip():
        raise BadInput.at("note", "is empty", "write something")
    turn.call.sealed["text"] = plain(text, "note")
    turn.guard("note", {})


def message(turn: Turn, role: str, party: str, direction: str, via: str, outcome: str, text: str) -> None:
    """Decides on a message, or on an attempt at one."""
    asked = asked_message(turn, role, party, direction, via, outcome)
    turn.call.about |= {"via": via, "direction": direction}
    guard_message(turn, asked)
    if not turn.goes_on:
        return
    change: Json = {"c": "message", "direction": direction, "via": via, "outcome": outcome, **turn.at}
    if asked.party:
        change["party"] = asked.party
    if role:
        change["role"] = role
    if text:
        change["sealed"] = _with_case(turn, "message", {"text": text})
    turn.made = turn.change(**change)
    turn.run.raise_(f"message.{direction}")


def guard_message(turn: Turn, asked: Message) -> None:
    """Everything that stands against a message."""
    fields = {"role": asked.role or "", "direction": asked.direction, "via": asked.via, "outcome": asked.outcome}
    turn.guard("message", fields, **fields, party=asked.party)
    turn.ask("casekit_before_message", message=asked)


def asked_message(turn: Turn, role: str, party: str, direction: str, via: str, outcome: str) -> Message:
    """The message that guards are asked about.

    Raises:
        BadInput: an unknown role, channel, direction or outcome, nobody in that role, or a party that does not play it.
        NotFound: there is no such party.
    """
    for name, value, known in (("direction", direction, ("in", "out")), ("via", via, VIA), ("outcome", outcome, (*OUTCOMES, PLANNED))):
        if value not in known:
            raise BadInput.at(f"message/{name}", f"{value!r} is not known", "use one of " + ", ".join(known))
    members = turn.stream.head["parties"]
    if role and role not in members:
        raise BadInput.at(
            "message/to", f"nobody plays the role {role!r} in this case", "roles filled are " + (", ".join(members) or "none")
        )
    if not party and role:
        if len(members[role]) > 1:
            raise BadInput.at("message/party", f"{len(members[role])} parties play the role {role!r}", "name the party")
        party = next(iter(members[role]))
    elif party:
        if role and party not in members[role]:
            raise BadInput.at("message/party", f"{party} does not play the role {role!r}", "name one who does, or leave the role out")
        turn.work.stream(party, "party")
    return Message("", direction, via, outcome, turn.effective.at, role or None, party or None)


def fact(turn: Turn, key: str, value: Any, source: str, command: str = "fact") -> None:
    """Decides on a fact; ``command``: as what guards are asked about it."""
    fields = turn.definition.says.facts
    if key not in fields:
        known = ", ".join(sorted(fields)) or "none"
        raise BadInput.at(f"fact/{key}", f"{turn.definition.says.key} has no such fact", f"its facts are: {known}")
    form = turn.desk.library.form(turn.definition, f"fact {key}", {"value": _plain_field(fields[key])})
    canonical = form.read({"value": value}, f"fact/{key}")["value"]
    turn.call.about["key"] = key
    turn.guard(command, {"key": key}, key=key, value=read(canonical, fields[key].schema))
    if not turn.goes_on:
        return
    turn.made = _put_fact(turn, key, fields[key], canonical, fact_change(turn, key, fields[key], canonical, source))
    turn.run.raise_(f"fact.{key}")


def fact_again(turn: Turn, key: str, value: Any, when: Effective) -> str:
    """The fact that a command has noted, at a further moment too; gives its id."""
    field = turn.definition.says.facts[key]
    change = fact_change(turn, key, field, value, "")
    for name in ("at", "zone", "day"):
        change.pop(name, None)
    change |= {"at": when.at, "zone": when.zone, **({"day": when.day} if when.day else {})}
    return _put_fact(turn, key, field, value, change)


def _put_fact(turn: Turn, key: str, field: Field, canonical: Any, change: Json) -> str:
    """Writes a fact down; where it is the latest known, the head keeps it."""
    latest = turn.stream.head["facts"].get(key)
    if latest is None or latest["at"] <= change["at"]:
        kept: Json = {"at": change["at"]}
        if "value" in change:
            kept["value"] = change["value"]
        else:
            owners = _owners_of(turn, field)
            kept["sealed"] = {owner: e for owner, e in change["sealed"].items() if owner in owners}
        change["latest"] = kept
        if turn.run.inputs.approvals and turn.run.inputs.facts.get(key) != canonical:
            turn.run.touch(f"fact:{key}")
        turn.run.inputs.facts = turn.run.world.facts = _laid_over(turn.run.inputs.facts, key, canonical)
    return turn.change(**change)


def fact_change(turn: Turn, key: str, field: Field, canonical: Any, source: str) -> Json:
    """A fact as a change: a personal value sealed with its owner, the source with the case."""
    change: Json = {"c": "fact", "key": key, **turn.at}
    path = f"fact/{key}"
    case = turn.stream.uuid
    inside: dict[str, Json] = {}
    if field.personal:
        for owner in _owners_of(turn, field):
            inside.setdefault(owner, {})["value"] = canonical
    else:
        change["value"] = canonical
    if source:
        inside.setdefault(case, {})["source"] = source
    if inside:
        change["sealed"] = {owner: seal(turn.work, case, owner, path, values, makes=owner == case) for owner, values in inside.items()}
    return change


def document(turn: Turn, kind: str, content: bytes, name: str, media: str, direction: str, document_id: str) -> None:
    """Decides on a document, or on a further version of one. Its content is kept before the entry is written."""
    kinds = turn.definition.says.documents
    if kind not in kinds if kinds else not _KIND.fullmatch(kind):
        known = "kinds are " + ", ".join(kinds) if kinds else "use lower-case letters, digits, '_' and '-'"
        raise BadInput.at("document/kind", f"{kind!r} is no kind of document here", known)
    wanted = kinds[kind].direction if kinds else ""
    direction = direction or wanted or "internal"
    if direction not in ("in", "out", "internal") or (wanted and direction != wanted):
        raise BadInput.at("document/direction", f"{direction!r} does not fit", f"use {wanted or 'in, out or internal'}")
    media = media or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if not _MEDIA.fullmatch(media):
        raise BadInput.at("document/media", f"{media!r} is no media type", "write it as application/pdf")
    if not content or len(content) > LARGEST_DOCUMENT:
        raise BadInput.at("document", f"{len(content)} bytes", f"a document has 1 to {LARGEST_DOCUMENT} bytes")
    count = turn.stream.head["documents"].get(kind, 0)
    version = _next_version(turn, kind, document_id) if document_id else 1
    turn.call.about |= {"kind": kind, "version": version}
    turn.guard("document", {"kind": kind, "direction": direction}, kind=kind, direction=direction)
    if not turn.goes_on:
        return
    document_id = document_id or new_uuid()
    digest = _keep(turn, document_id, version, content)
    counted = count + (version == 1)
    change: Json = {"c": "document", "document": document_id, "version": version, "kind": kind, "direction": direction}
    change |= {"media": media, "size": len(content), "digest": digest, "count": counted}
    if name:
        change["sealed"] = _with_case(turn, "document", {"name": name})
    turn.change(**change)
    _stand(turn, kind, document_id, "")
    turn.made = document_id
    if version == 1 and kinds and kinds[kind].level:
        turn.changes += levels.change(turn.stream.head, {document_id: kinds[kind].level}, turn.desk.levels.names[0])
    turn.run.inputs.documents = turn.run.world.documents = {**turn.stream.head["documents"], kind: counted}
    turn.run.touch(f"document:{kind}")
    turn.run.raise_(f"document.{kind}")


def document_status(turn: Turn, document_id: str, status: str) -> None:
    """Decides on what has become of a document.

    Raises:
        BadInput: there is no such document, its kind has no such status, or it has it already.
    """
    hidden = turn.desk.levels.hidden(turn.call.actor, turn.stream.head)
    kind = next((str(row[4]) for row in turn.file.rows("documents") if row[2] == document_id and document_id not in hidden), "")
    if not kind:
        raise BadInput.at("document", f"there is no document {document_id} in this case", "see the timeline for those on file")
    says = turn.definition.says.documents.get(kind)
    statuses = says.statuses if says else ()
    if status not in statuses:
        do = "use one of " + ", ".join(statuses) if statuses else "its case type must name them"
        raise BadInput.at("document/status", f"{status!r} is no status of a document {kind!r}", do)
    before = turn.stream.head.get("standings", {}).get(kind, {}).get(document_id, statuses[0])
    if status == before:
        raise BadInput.at("document/status", f"it is {status} already", "nothing is to be done")
    turn.call.about |= {"kind": kind, "document": document_id, "status": status}
    turn.guard("document-status", {"kind": kind, "status": status}, kind=kind, document=document_id, status=status)
    if turn.goes_on:
        _stand(turn, kind, document_id, "" if status == statuses[0] else status)
        turn.run.touch(f"document:{kind}")
        turn.run.raise_(f"document.{kind}.{status}")


def _stand(turn: Turn, kind: str, document_id: str, status: str) -> None:
    """Writes down the status of a document; empty: the first that its kind has."""
    said = turn.stream.head.get("standings", {})
    mine = {name: value for name, value in said.get(kind, {}).items() if name != document_id} | ({document_id: status} if status else {})
    left = {name: documents for name, documents in {**said, kind: mine}.items() if documents}
    if left != said:
        turn.change(c="head", **({"set": {"standings": left}} if left else {"unset": ["standings"]}))
        turn.run.inputs.standings = turn.run.world.standings = left


def pay(turn: Turn, amount: Money, note_: str) -> None:
    """Decides on a payment."""
    _posting(turn, "pay", "payment", "", amount, note_)


def charge(turn: Turn, component: str, amount: Money, note_: str) -> None:
    """Decides on a charge."""
    book = turn.definition.says.ledger
    if book is None or component not in book.components:
        known = ", ".join(book.components) if book else "none: this case type has no ledger"
        raise BadInput.at("component", f"{component!r} can't be charged here", f"components are: {known}")
    _posting(turn, "charge", "charge", component, amount, note_)


def reverse(turn: Turn, posting_id: str, note_: str) -> None:
    """Decides on taking back a whole earlier posting."""
    postings = turn.file.postings()
    found = next((p for p in postings if p.id == posting_id), None)
    if found is None or found.kind == "reversal":
        known = ", ".join(p.id for p in postings if p.kind != "reversal") or "none"
        raise BadInput.at("posting", f"{posting_id!r} is no charge or payment of this case", f"its postings are: {known}")
    if any(p.reverses == posting_id for p in postings):
        raise BadInput.at("posting", f"{posting_id} was taken back already", "nothing is to be done")
    if turn.effective.at < found.at:
        raise BadInput.at(
            "effective", f"{turn.effective} lies before the posting itself ({found.at})", "take it back from then on, not before"
        )
    turn.guard("reverse", {"amount": str(found.amount), "kind": found.kind}, posting=posting_id, amount=found.amount, kind=found.kind)
    if turn.goes_on:
        turn.post("reversal", found.component, found.amount, posting_id, _note(turn, note_))


def standing(turn: Turn, component: str) -> list[Posting]:
    """Charges of a component that were not taken back, those of this very command among them."""
    postings = turn.postings()
    gone = {p.reverses for p in postings}
    return [p for p in postings if p.kind == "charge" and p.component == component and p.id not in gone]


def _posting(turn: Turn, command: str, kind: str, component: str, amount: Money, note_: str) -> None:
    currency = turn.stream.head.get("currency")
    if turn.definition.says.ledger is None or not currency:
        raise BadInput.at("amount", f"{turn.definition.says.key} has no ledger", "its case type must say one")
    if not isinstance(amount, Money):
        raise BadInput.at("amount", f"{amount!r} is no money", f"write it as 10.00 {currency}")
    if amount.currency != currency:
        raise BadInput.at("amount", f"{amount} on a ledger in {currency}", "convert it at a dated rate first")
    if amount.minor <= 0:
        raise BadInput.at("amount", f"a {kind} of {amount}", "amounts are positive; take one back by reversing it")
    fields = {"amount": str(amount), **({"component": component} if component else {})}
    turn.guard(command, fields, amount=amount, **({"component": component} if component else {}))
    if turn.goes_on:
        turn.post(kind, component, amount, None, _note(turn, note_))


def _note(turn: Turn, text: str) -> Sealed | None:
    return _with_case(turn, "posting", {"note": text}) if text else None


def _with_case(turn: Turn, path: str, value: Json) -> Sealed:
    case = turn.stream.uuid
    return {case: seal(turn.work, case, case, path, plain(value), makes=True)}


def _owners_of(turn: Turn, field: Field) -> list[str]:
    """Who owns a personal value: of those who play the role the first, of a joint one all; the case where nobody plays it."""
    members = turn.stream.head["parties"].get(field.owner, {})
    uuids = sorted({load_parties(turn.work, [member])[member].uuid for member in members})
    return (uuids if field.joint else uuids[:1]) or [turn.stream.uuid]


def _plain_field(field: Field) -> Field:
    return Field(field.schema, field.title, field.personal, required=True)


def _laid_over(facts: Any, key: str, value: Any) -> Json:
    return {**dict(facts), key: value}


def _next_version(turn: Turn, kind: str, document_id: str) -> int:
    hidden = turn.desk.levels.hidden(turn.call.actor, turn.stream.head)
    rows = [row for row in turn.file.rows("documents") if row[2] == document_id and row[2] not in hidden]
    if not rows:
        raise BadInput.at("document", f"there is no document {document_id} in this case", "check the id, or leave it out for a new one")
    if rows[-1][4] != kind:
        raise BadInput.at("document/kind", f"{document_id} is a {rows[-1][4]}", "a further version is of the same kind")
    return max(int(row[3]) for row in rows) + 1


def _keep(turn: Turn, document_id: str, version: int, content: bytes) -> str:
    case = turn.stream.uuid
    key = turn.work.key(case) or turn.work.make_key(case)
    sealed = key.seal_bytes(content, place(turn.work.shelf.tenant, case, f"document/{document_id}/{version}"))
    return turn.work.shelf.files.put(sealed)


def content_of(file: CaseFile, document_id: str, version: int | None, hidden: Collection[str] = ()) -> tuple[bytes, str]:
    """The content of a version of a document, the latest where none is named, and its media type.

    Raises:
        BadInput: there is no such document or version, or it is erased.
    """
    work, stream = file.work, file.stream
    rows = [row for row in file.rows("documents") if row[2] == document_id and row[2] not in hidden]
    row = next((r for r in reversed(rows) if version is None or r[3] == version), None)
    if row is None:
        raise BadInput.at("document", f"there is no document {document_id} of version {version or 1}", "see the timeline for those on file")
    content = opened_content(work, stream, {"document": row[2], "version": row[3], "digest": row[8]})
    if content is None:
        raise BadInput.at("document", f"{document_id} is erased", "its key was destroyed with the last person of the case")
    return content, row[6]


def opened_content(work: Work, stream: Stream, said: Json) -> bytes | None:
    """The content of a document by what was recorded of it (``document``, ``version``, ``digest``); None: it is erased."""
    key = work.key(stream.uuid)
    if key is None:
        return None
    where = place(work.shelf.tenant, stream.uuid, f"document/{said['document']}/{said['version']}")
    return key.open_bytes(work.shelf.files.get(said["digest"]), where)
