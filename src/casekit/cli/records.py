"""What is added to a case file: notes, messages, facts, documents."""

from __future__ import annotations

import sys
from base64 import b64encode
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Key, Observed, Out, Reason, Since
from casekit.cli.working import give_done, says_of


def note(
    case: CaseRef,
    text: Annotated[str, Parameter(name="TEXT", help="The words; sealed with the case.")],
    /,
    *,
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Writes a note on a case."""
    with common.seat() as seat:
        return give_done(common, seat.note(case, text, key=key, effective=effective or None))


def message(
    case: CaseRef,
    /,
    *,
    via: Annotated[str, Parameter(name="--via", help="phone, email, sms, letter, visit or portal.")],
    direction: Annotated[str, Parameter(name="--direction", help="in or out.")] = "out",
    outcome: Annotated[str, Parameter(name="--outcome", help="What became of it: sent, conversation, no-answer …")] = "sent",
    to: Annotated[str, Parameter(name="--to", help="The role of whom it goes to or comes from.")] = "",
    party: Annotated[str, Parameter(name="--party", help="Which party, where several play the role.")] = "",
    text: Annotated[str, Parameter(name="--text", help="Its text; sealed with the case.")] = "",
    key: Key = "",
    effective: Since = "",
    observed: Observed = False,
    common: Everywhere = HERE,
) -> int:
    """Records a message, or an attempt at one; guards are asked first."""
    with common.seat() as seat:
        done = seat.message(
            case,
            direction=direction,
            via=via,
            outcome=outcome,
            to=to,
            party=party,
            text=text,
            key=key,
            effective=effective or None,
            observed=observed,
        )
        return give_done(common, done)


def fact(
    case: CaseRef,
    name: Annotated[str, Parameter(name="FACT", help="The key of the fact.")],
    value: Annotated[str, Parameter(name="VALUE", help="Its value; lists and maps as JSON.")],
    /,
    *,
    source: Annotated[str, Parameter(name="--source", help="Where it comes from; sealed with the case.")] = "",
    key: Key = "",
    effective: Since = "",
    observed: Observed = False,
    common: Everywhere = HERE,
) -> int:
    """Notes a fact."""
    from casekit.cli import values

    with common.desk() as desk, common.seat_at(desk) as seat:
        known = says_of(desk, seat, case).facts
        read = values.value(value, known[name].schema, f"fact {name}") if name in known else value
        done = seat.note_fact(case, name, read, source=source, key=key, effective=effective or None, observed=observed)
        return give_done(common, done)


def add_document(
    case: CaseRef,
    kind: Annotated[str, Parameter(name="KIND", help="The kind of document.")],
    file: Annotated[Path, Parameter(name="FILE", help="The file with its content.")],
    /,
    *,
    name: Annotated[str, Parameter(name="--name", help="Its name; sealed. Default: that of the file.")] = "",
    media: Annotated[str, Parameter(name="--media", help="Its media type. Default: by its name.")] = "",
    direction: Annotated[str, Parameter(name="--direction", help="in, out or internal.")] = "",
    document: Annotated[str, Parameter(name="--document", help="The id of a document of which this is a further version.")] = "",
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Files a document, or a further version of one."""
    from casekit.cli.values import read_bytes

    content = read_bytes(file)
    with common.seat() as seat:
        done = seat.document(
            case,
            kind,
            content,
            name=name or file.name,
            media=media,
            direction=direction,
            document=document,
            key=key,
            effective=effective or None,
        )
        return give_done(common, done)


def document_status(
    case: CaseRef,
    document: Annotated[str, Parameter(name="DOCUMENT", help="The id of the document.")],
    status: Annotated[str, Parameter(name="STATUS", help="One of the statuses that its kind has.")],
    /,
    *,
    reason: Reason = "",
    key: Key = "",
    common: Everywhere = HERE,
) -> int:
    """Says what has become of a document."""
    with common.seat() as seat:
        return give_done(common, seat.document_status(case, document, status, reason=reason, key=key))


def get_document(
    case: CaseRef,
    document: Annotated[str, Parameter(name="DOCUMENT", help="The id of the document.")],
    /,
    *,
    version: Annotated[int | None, Parameter(name="--version", help="Which version. Default: the latest.")] = None,
    out: Out = None,
    common: Everywhere = HERE,
) -> int:
    """Gets the content of a document: into a file, or to standard output (base64 with --json)."""
    from casekit.cli.values import write_bytes

    with common.seat() as seat:
        content, media = seat.read_document(case, document, version)
    about = {"document": document, "media": media, "size": len(content)}
    if out is not None:
        write_bytes(out, content)
        return common.face.give({**about, "file": str(out)}, lambda face: face.print(f"{len(content)} bytes of {media} written to {out}"))
    if common.json:
        return common.face.give({**about, "content": b64encode(content).decode()}, lambda _: None)
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    return 0
