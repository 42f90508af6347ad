"""The records of an import map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field as attr
from attrs import frozen


@frozen
class CaseRule:
    """Which case a trace is.

    Attributes:
        key: Trace attribute that identifies the trace; empty: the trace's own id.
        data: Field of case data → trace attribute, known from the opening on.
    """

    key: str = ""
    data: Mapping[str, str] = attr(factory=dict)


@frozen
class TimeRule:
    """When an event held.

    Attributes:
        attribute: Event attribute with the time.
        zone: IANA zone in which times are read; empty: the offset in the text decides.
        precision: ``auto``: midnight is that day, any other time an instant; ``day``: always the day;
            ``instant``: never, unless the text is a day alone.
    """

    attribute: str = "time:timestamp"
    zone: str = ""
    precision: Literal["auto", "day", "instant"] = "auto"


@frozen
class ActorRule:
    """Who acted.

    Attributes:
        attribute: Event attribute with the name of who acted; empty: nobody is named. The name stays in the
            journal in clear, for ever: map a pseudonym only.
        prefix: Kind of actor: the actor becomes ``prefix:name``.
    """

    attribute: str = "org:resource"
    prefix: str = "log"


@frozen
class AttributeRule:
    """What happens to an attribute that no rule maps.

    Attributes:
        default: ``raw``: kept as it stands, sealed with the case; ``drop``: left out.
        drop: Attributes that are left out in any case.
    """

    default: Literal["raw", "drop"] = "raw"
    drop: tuple[str, ...] = ()


@frozen
class ChargeRule:
    """A charge that an event makes.

    Attributes:
        component: What it is for.
        amount: Event attribute with the amount.
        replace: Whether the charges that stand for this component are reversed first.
    """

    component: str
    amount: str
    replace: bool = False


@frozen
class PayRule:
    """A payment that an event makes.

    Attributes:
        amount: Event attribute with the amount.
    """

    amount: str


@frozen
class EventRule:
    """What an event of one name becomes; a rule that says nothing knows the event and changes nothing.

    Attributes:
        open: Whether it opens the case; its ``data`` is then the data at opening.
        may_open: Whether a trace may begin with it as well as go on with it; its ``data`` is then the data at opening.
        do: Event of the lifecycle that it is.
        force: Whether the move is made even where the lifecycle does not allow it.
        data: Field of case data → event attribute.
        form: Field of the transition's form → event attribute.
        facts: Fact key → event attribute.
        charges: Charges, in order.
        pay: The payment.
        note: Event attribute whose text is kept as a note; empty: none.
    """

    open: bool = False
    may_open: bool = False
    do: str = ""
    force: bool = False
    data: Mapping[str, str] = attr(factory=dict)
    form: Mapping[str, str] = attr(factory=dict)
    facts: Mapping[str, str] = attr(factory=dict)
    charges: tuple[ChargeRule, ...] = ()
    pay: PayRule | None = None
    note: str = ""


@frozen
class ImportMap:
    """What a log means in a case type.

    Attributes:
        case_type: Path of the case type's file, relative to the map's own.
        calendars: Paths of files of calendars that its clocks go by, relative to the map's own.
        source: Name of the log's source; an imported event's identity is source, trace and ordinal.
        currency: Currency of amounts that are bare numbers; empty: each amount names its own (``35.00 EUR``).
        case, time, actor, attributes: Rules for all events.
        events: Name of an event → its rule.
    """

    case_type: str
    source: str
    events: Mapping[str, EventRule]
    currency: str = ""
    case: CaseRule = attr(factory=CaseRule)
    time: TimeRule = attr(factory=TimeRule)
    actor: ActorRule = attr(factory=ActorRule)
    attributes: AttributeRule = attr(factory=AttributeRule)
    calendars: tuple[str, ...] = ()
