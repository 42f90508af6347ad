"""What a person in the record may ask for: that what is wrong is put right."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Data, DataFile, Key, Since
from casekit.cli.parties import NONE, Details, PartyId, give_people
from casekit.cli.working import give_done, says_of
from casekit.errors import BadInput

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
        more = {"reason": reason, "asked_by": asked_by, "key": key, "effective": effective or None}
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
