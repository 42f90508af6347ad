"""Parties: added, shown, found, changed, merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from attrs import asdict, frozen
from cyclopts import Group, Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import Key, Reason
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.plugins.view import Person

PartyId = Annotated[str, Parameter(name="PARTY", help="The id of the party.")]


@Parameter(name="*", group=Group("Details"))
@frozen
class Details:
    """What may be known of a party.

    Attributes:
        name, phone, email, address, born, ref, zone, language: As on the command line; empty: not given.
    """

    name: Annotated[str, Parameter(name="--name", help="Its name.")] = ""
    phone: Annotated[str, Parameter(name="--phone", help="Its phone number.")] = ""
    email: Annotated[str, Parameter(name="--email", help="Its mail address.")] = ""
    address: Annotated[str, Parameter(name="--address", help="Where it lives or sits.")] = ""
    born: Annotated[str, Parameter(name="--born", help="Day of birth, as 1980-02-29.")] = ""
    ref: Annotated[str, Parameter(name="--ref", help="Its reference elsewhere, such as crm:2207.")] = ""
    zone: Annotated[str, Parameter(name="--zone", help="Its own IANA zone.")] = ""
    language: Annotated[str, Parameter(name="--language", help="Its language, such as en or pt-BR.")] = ""

    @property
    def given(self) -> dict[str, Any]:
        """Those that were given."""
        return {name: value for name, value in asdict(self).items() if value}


NONE = Details()


def add(
    kind: Annotated[str, Parameter(name="KIND", help="person, organisation, unit or staff.")],
    /,
    *,
    details: Details = NONE,
    key: Key = "",
    common: Everywhere = HERE,
) -> int:
    """Adds a party; what is personal is sealed with its own key."""
    with common.seat() as seat:
        return give_people(common, [seat.party(kind, key=key, **details.given)], "party")


def show(party: PartyId, /, *, common: Everywhere = HERE) -> int:
    """Shows a party."""
    with common.seat() as seat:
        return give_people(common, [seat.get_party(party)], "party")


def find(
    *,
    name: Annotated[str, Parameter(name="--name", help="Its whole name; case does not matter.")] = "",
    phone: Annotated[str, Parameter(name="--phone", help="Its phone number; only digits matter.")] = "",
    email: Annotated[str, Parameter(name="--email", help="Its mail address.")] = "",
    ref: Annotated[str, Parameter(name="--ref", help="Its reference elsewhere.")] = "",
    common: Everywhere = HERE,
) -> int:
    """Finds the parties that have all of these details."""
    given = {key: value for key, value in (("name", name), ("phone", phone), ("email", email), ("ref", ref)) if value}
    if not given:
        raise BadInput.at("casekit party find", "nothing to find by is given", "say --name, --phone, --email or --ref")
    with common.seat() as seat:
        return give_people(common, seat.find_parties(**given), "parties")


def change(
    party: PartyId,
    /,
    *,
    details: Details = NONE,
    unset: Annotated[tuple[str, ...], Parameter(name="--unset", help="A detail to take away; repeatable.")] = (),
    reason: Reason = "",
    common: Everywhere = HERE,
) -> int:
    """Changes the details of a party."""
    changed = {**details.given, **dict.fromkeys(unset)}
    if not changed:
        raise BadInput.at("casekit party change", "nothing to change is given", "say what is new, or --unset a detail")
    with common.seat() as seat:
        return give_people(common, [seat.change_party(party, reason=reason, **changed)], "party")


def merge(
    party: PartyId,
    into: Annotated[str, Parameter(name="INTO", help="The id of the party that it becomes.")],
    /,
    *,
    reason: Reason = "",
    common: Everywhere = HERE,
) -> int:
    """Makes one party of two: the first is from now on read as the second."""
    with common.seat() as seat:
        return give_people(common, [seat.merge_parties(party, into, reason=reason)], "party")


def give_people(common: Everywhere, people: Sequence[Person], word: str) -> int:
    """Says who is meant, or who was found."""

    def words(out: Console) -> None:
        from casekit.cli.pages import show_people

        show_people(out, people)
        if not people:
            out.print("No such party.")

    known = [{name: value for name, value in _person(p).items() if name != "role"} for p in people]
    return common.face.give({word: known if word == "parties" else known[0]}, words)


def _person(person: Person) -> dict[str, Any]:
    return asdict(person, recurse=False)
