"""For the persons in the record: they are told what is held of them, what is wrong is put right, and not everybody sees everything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Data, DataFile, Key, Since
from casekit.cli.parties import NONE, Details, PartyId, give_people
from casekit.cli.working import give_done, says_of
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.accessvalues import AccessExport

Why = Annotated[str, Parameter(name="--reason", help="What was wrong, and how that is known; sealed.")]
AskedBy = Annotated[str, Parameter(name="--asked-by", help="The id of the party who asked for it.")]


def rectify_case(
    case: CaseRef,
    /,
    *,
    reason: Why,
    data: Data = (),
    data_file: DataFile = None,
    unset: Annotated[tuple[str, ...], Parameter(name="--unset", help="A field about which nothing is known; repeatable.")] = (),
    fact: Annotated[str, Parameter(name="--fact", help="Instead: the wrong fact and what is right, as ID=VALUE.")] = "",
    source: Annotated[str, Parameter(name="--source", help="Of a fact: where what is right comes from; sealed.")] = "",
    asked_by: AskedBy = "",
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Puts data or a fact of a case right that was wrong. The record keeps both, and since when each was said to hold."""
    from casekit.cli import values

    if bool(fact) == bool(data or data_file or unset):
        raise BadInput.at("casekit case rectify", "it takes case data or one fact", "say --data, --data-file, --unset, or --fact")
    with common.desk() as desk, common.seat_at(desk) as seat:
        says = says_of(desk, seat, case)
        more: dict[str, Any] = {"reason": reason, "asked_by": asked_by, "key": key, "effective": effective or None}
        if not fact:
            return give_done(common, seat.rectify(case, values.typed(data, says.data, "--data", data_file), unset=unset, **more))
        wrong, text = next(iter(values.pairs((fact,), "--fact")))
        name = next((f.key for f in seat.file(case).facts if f.id == wrong), "")
        right = values.value(text, says.facts[name].schema, f"fact {name}") if name in says.facts else text
        return give_done(common, seat.rectify_fact(case, wrong, right, source=source, **more))


def rectify_party(
    party: PartyId,
    /,
    *,
    reason: Why,
    details: Details = NONE,
    unset: Annotated[tuple[str, ...], Parameter(name="--unset", help="A detail to take away; repeatable.")] = (),
    asked_by: AskedBy = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Puts details of a party right that were wrong. The record keeps both; nobody is found by what was wrong any more."""
    right = {**details.given, **dict.fromkeys(unset)}
    with common.seat() as seat:
        person = seat.rectify_party(party, reason=reason, asked_by=asked_by, effective=effective or None, **right)
        return give_people(common, [person], "party")


def classify(
    case: CaseRef,
    level: Annotated[str, Parameter(name="LEVEL", help="normal, confidential or secret.")],
    /,
    *,
    reason: Annotated[str, Parameter(name="--reason", help="Why, in words; sealed with the case.")],
    document: Annotated[str, Parameter(name="--document", help="The id of the document, where it is about one.")] = "",
    ground: Annotated[
        str,
        Parameter(
            name="--ground", help="Why the person may not have it either: legal-privilege, investigation, rights-of-others, security."
        ),
    ] = "",
    key: Key = "",
    common: Everywhere = HERE,
) -> int:
    """Says how confidential a case is, or one of its documents. Who may not see it, for them it does not exist."""
    with common.seat() as seat:
        return give_done(common, seat.classify(case, level, reason=reason, document=document, ground=ground, key=key))


def access(
    party: PartyId,
    /,
    *,
    out: Annotated[Path, Parameter(name="--out", help="The folder to write to, new or empty.")],
    looked: Annotated[bool, Parameter(name="--looked", help="Somebody has looked at every text; else they are withheld.")] = False,
    redact: Annotated[
        tuple[str, ...], Parameter(name="--redact", help="A text to withhold, as ID, or words to take out of it, as ID=WORDS; repeatable.")
    ] = (),
    look: Annotated[Path | None, Parameter(name="--look", help="Write the texts that wait for a look to this file, by id.")] = None,
    staff: Annotated[bool, Parameter(name="--staff", help="Name members of staff by their actors' names.")] = False,
    common: Everywhere = HERE,
) -> int:
    """Hands out what is held of a person: a page, the same as JSON, and the documents. The desk log says that it was."""
    import json

    from casekit.cli.values import write_bytes

    marks: dict[str, list[str]] = {}
    for mark in redact:
        name, _, words = mark.partition("=")
        marks.setdefault(name, []).append(words)
    with common.seat() as seat:
        made = seat.access_export(party, looked=looked, redact=marks, staff=staff)
    files = made.write(out)
    if look is not None:
        write_bytes(look, (json.dumps(made.look, ensure_ascii=False, indent=1) + "\n").encode())
    answer = {"party": made.answer.party, "complete": made.answer.complete, "folder": str(out), "files": [str(f) for f in files]}
    answer |= {"look": sorted(made.look), "withheld": made.answer.withheld}
    return common.face.give(answer, lambda face: _handed(face, made, out))


def recipients(party: PartyId, /, *, common: Everywhere = HERE) -> int:
    """Who has been told what is held of a person: whom to tell when it was put right or erased."""
    with common.seat() as seat:
        found = seat.recipients(party)

    def words(face: Console) -> None:
        from casekit.cli.looks import table

        face.print(table(("who", "what", "when", "case"), [(r.who, r.what, r.when, r.case) for r in found]) if found else "Nobody.")

    return common.face.give({"recipients": found}, words)


def _handed(face: Console, made: AccessExport, out: Path) -> None:
    face.print(f"Written to {out}: {1 + 1 + len(made.files)} files. It stands in the desk log that this was handed out.")
    if made.look:
        face.print(f"A draft: {len(made.look)} texts wait for a look (--look FILE writes them); then say --looked.")
    if made.answer.withheld:
        face.print(f"{len(made.answer.withheld)} things are withheld; the page says which, and why.")
