"""Commands that move a case: do, change, choose, close, role, resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import CaseRef, Data, DataFile, Fields, Key, Observed, Reason, Since
from casekit.errors import BadInput

if TYPE_CHECKING:
    from casekit.definition.casetype import CaseType
    from casekit.definition.fields import Field
    from casekit.desk.desk import Desk
    from casekit.desk.seat import Seat
    from casekit.desk.values import Done


def do(
    case: CaseRef,
    event: Annotated[str, Parameter(name="EVENT", help="The event of the lifecycle.")],
    /,
    *,
    field: Fields = (),
    reason: Reason = "",
    key: Key = "",
    effective: Since = "",
    observed: Observed = False,
    force: Annotated[bool, Parameter(name="--force", help="With --observed: move even where the lifecycle does not allow it.")] = False,
    common: Everywhere = HERE,
) -> int:
    """Brings about an event of the lifecycle."""
    from casekit.cli.values import typed

    if force and not observed:
        raise BadInput.at("--force", "goes with --observed only", "leave it out, or say --observed")
    with common.desk() as desk, common.seat_at(desk) as seat:
        fields = typed(field, form_of(says_of(desk, seat, case), event), "--field")
        done = seat.do(case, event, fields, reason=reason, key=key, effective=effective or None, observed=observed, force=force)
        return give_done(common, done)


def change(
    case: CaseRef,
    /,
    *,
    data: Data = (),
    data_file: DataFile = None,
    unset: Annotated[tuple[str, ...], Parameter(name="--unset", help="A field to empty; repeatable.")] = (),
    reason: Reason = "",
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Changes the data of a case."""
    from casekit.cli.values import typed

    with common.desk() as desk, common.seat_at(desk) as seat:
        values = typed(data, says_of(desk, seat, case).data, "--data", data_file)
        if not values and not unset:
            raise BadInput.at("--data", "nothing to change is given", "say --data name=value or --unset name")
        return give_done(common, seat.change(case, values, unset=unset, reason=reason, key=key, effective=effective or None))


def role(
    case: CaseRef,
    named: Annotated[str, Parameter(name="ROLE", help="The role.")],
    party: Annotated[str, Parameter(name="PARTY", help="The id of the party.")],
    /,
    *,
    end: Annotated[bool, Parameter(name="--end", help="Take the role instead of giving it.")] = False,
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Gives a party a role in a case, or takes it."""
    with common.seat() as seat:
        return give_done(common, (seat.take_role if end else seat.give_role)(case, named, party, key=key, effective=effective or None))


def choose(
    case: CaseRef,
    option: Annotated[str, Parameter(name="OPTION", help="The key of the option, as case options shows it.")],
    /,
    *,
    reason: Reason = "",
    key: Key = "",
    common: Everywhere = HERE,
) -> int:
    """Chooses one of the options: its promises run from now on."""
    with common.seat() as seat:
        return give_done(common, seat.choose(case, option, reason=reason, key=key))


def approve(
    case: CaseRef,
    requirement: Annotated[str, Parameter(name="REQUIREMENT", help="The requirement that asks to be approved.")],
    /,
    *,
    withdraw: Annotated[bool, Parameter(name="--withdraw", help="Take your own approval back instead.")] = False,
    reason: Reason = "",
    key: Key = "",
    effective: Since = "",
    common: Everywhere = HERE,
) -> int:
    """Approves what a requirement asks to be approved; it counts once for each actor."""
    with common.seat() as seat:
        return give_done(common, seat.approve(case, requirement, withdraw=withdraw, reason=reason, key=key, effective=effective or None))


def close(
    case: CaseRef,
    outcome: Annotated[str, Parameter(name="OUTCOME", help="What came out.")],
    /,
    *,
    field: Fields = (),
    reason: Reason = "",
    key: Key = "",
    effective: Since = "",
    observed: Observed = False,
    common: Everywhere = HERE,
) -> int:
    """Closes a case with an outcome."""
    from casekit.cli.values import typed

    with common.desk() as desk, common.seat_at(desk) as seat:
        fields = typed(field, _closing_form(says_of(desk, seat, case)), "--field")
        done = seat.close(case, outcome, fields=fields, reason=reason, key=key, effective=effective or None, observed=observed)
        return give_done(common, done)


def resume(
    case: CaseRef,
    clocks: Annotated[Literal["confirm", "cancel", "keep"], Parameter(name="CLOCKS", help="What becomes of its running clocks.")],
    /,
    *,
    reason: Reason = "",
    common: Everywhere = HERE,
) -> int:
    """Lets an imported case run on: its clocks are confirmed, cancelled or kept."""
    with common.seat() as seat:
        return give_done(common, seat.resume(case, clocks, reason=reason))


def give_done(common: Everywhere, done: Done) -> int:
    """Says what a command did."""
    from casekit.cli.pages import show_done

    return common.face.give(done, lambda out: show_done(out, done))


def says_of(desk: Desk, seat: Seat, case: str) -> CaseType:
    """The case type that a case is pinned to."""
    return desk.library.pinned(desk.shelf(seat.actor.tenant), seat.case(case).definition).says


def form_of(says: CaseType, event: str) -> Mapping[str, Field]:
    """The fields that may come with an event."""
    found: dict[str, Field] = {}
    for name, transition in says.transitions.items():
        if (transition.on or name) == event:
            found.update(transition.form)
    return found


def _closing_form(says: CaseType) -> Mapping[str, Field]:
    found: dict[str, Field] = {}
    for transition in says.transitions.values():
        found.update(transition.form)
    return found
