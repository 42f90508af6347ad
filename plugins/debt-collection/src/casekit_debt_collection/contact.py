"""May this person be contacted about this debt, this way, at this moment, and if not, from when on?

Regulation F does not say yes or no everywhere: outside the hours contact is prohibited, but too many calls raise
a *presumption*. A verdict keeps the two apart. Days are the days of the place where the person is; where it is not
clear which of several places that is, contact must be in order in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from attrs import evolve, field, frozen

from casekit.sdk import BadInput, Finding, Objection, Verdict, at_wall_time, instant, local, moment

from .parameters import CONTACT

TIMED = frozenset({"phone", "visit", "email", "sms"})
"""Channels that reach somebody at a time of day; an electronic message counts when it is sent. A letter and what lies
in a portal are read when the person chooses."""

UNCONNECTED = frozenset({"busy", "not-in-service"})
"""Outcomes of calls that did not connect to the number; all others did, also where nobody answered (12 CFR 1006.14(b)(3)(ii))."""

_WORDS = {
    "debt.zone-unknown": "Which time it is where the debtor is, is not known.",
    "debt.calling-hours": "It is {time} in {zone}: contact is open after {opens} and before {closes}.",
    "debt.call-frequency": "{count} calls were placed within {days} days: one more is presumed a violation.",
    "debt.call-after-conversation": "There was a conversation on {day}: a call before {until} is presumed a violation.",
}
_TICK = timedelta(microseconds=1)


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


def _sorted(instants: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(instants))


@frozen
class Contact:
    """A contact that somebody has in mind, and what came before it.

    Attributes:
        at: When (canonical instant).
        zones: IANA zones in which the person may be; empty: nobody knows.
        via: Channel.
        placed: Instants of calls placed to the person about the debt that connected.
        spoken: Instants of telephone conversations with the person about it, whoever called.
        connects: Whether a call connects, or may; one that is known not to does not count.
        days: Zone in which days are counted where ``zones`` is empty.
    """

    at: str
    zones: tuple[str, ...] = field(default=(), converter=_each)
    via: str = "phone"
    placed: tuple[str, ...] = field(default=(), converter=_sorted)
    spoken: tuple[str, ...] = field(default=(), converter=_sorted)
    connects: bool = True
    days: str = "UTC"


def objections(contact: Contact) -> list[Objection]:
    """Everything that stands against a contact; each names the moment from which *all* of it is gone, where there is one."""
    found = dict(_found(contact))
    upto = allowed_at(contact) if found and "debt.zone-unknown" not in found else None
    return [_objection(rule, args, upto) for rule, args in found.items()]


def verdict(contact: Contact) -> Verdict:
    """The answer to *may I?*: ``prohibited``, ``presumed_violation`` or ``presumed_compliant``, with what weighs beside."""
    against = tuple(objections(contact))
    factors = tuple(_factors(contact))
    if not against:
        return Verdict("presumed_compliant", citation=CONTACT.frequency, factors=factors)
    first = against[0]
    outcome = "presumed_violation" if all(o.rule.startswith("debt.call-") for o in against) else "prohibited"
    return Verdict(outcome, first.rule, first.citation, first.allowed_at, against, factors)


def allowed_at(contact: Contact) -> str | None:
    """The first moment from the contact's own on at which no rule objects; None: waiting does not help."""
    if not any(True for _ in _found(contact)):
        return contact.at
    return next((at for at in _moments(contact) if not any(True for _ in _found(evolve(contact, at=at)))), None)


def calculate(
    at: datetime,
    zones: Iterable[str] = (),
    via: str = "phone",
    calls: Iterable[datetime] = (),
    conversations: Iterable[datetime] = (),
) -> Verdict:
    """The verdict without a case.

    Raises:
        BadInput: a zone that does not exist.
    """
    named = tuple(zones)
    for zone in named:
        local(instant(at), zone)
    return verdict(Contact(instant(at), named, via, map(instant, calls), map(instant, conversations)))


def known_zone(zone: str | None) -> bool:
    """Whether a zone is named, and exists."""
    if not zone:
        return False
    try:
        at_wall_time(datetime(2000, 1, 1), zone)  # noqa: DTZ001 - a wall time is what the function takes
    except BadInput:
        return False
    return True


_Args = Mapping[str, object]


def _found(contact: Contact) -> Iterator[tuple[str, _Args]]:
    """The rules that object, with their arguments; each once, for the first zone in which it does."""
    if contact.via in TIMED:
        if not contact.zones:
            yield "debt.zone-unknown", {}
        closed = next((zone for zone in contact.zones if not _open(contact.at, zone)), None)
        if closed is not None:
            yield "debt.calling-hours", _hours(contact.at, closed)
    if contact.via == "phone" and contact.connects:
        zones = contact.zones or (contact.days,)
        often = max(_within(contact, zone) for zone in zones)
        if often >= CONTACT.calls:
            yield "debt.call-frequency", {"count": often, "days": CONTACT.days}
        paused = [(day, zone) for zone in zones if (day := _spoken_on(contact, zone)) is not None]
        if paused:
            day = max(day for day, _ in paused)
            yield "debt.call-after-conversation", {"day": day, "until": day + timedelta(days=CONTACT.days)}


def _objection(rule: str, args: _Args, upto: str | None) -> Objection:
    citation = {"debt.call-frequency": CONTACT.frequency, "debt.call-after-conversation": CONTACT.conversation}.get(rule, CONTACT.hours)
    remedy = "find out where the debtor is, and set the zone" if rule == "debt.zone-unknown" else ""
    if not remedy and upto is None:
        remedy = "find out where the debtor is: no moment suits all the places"
    return Objection(rule, _WORDS[rule], args, citation, upto, remedy or "wait until it is allowed")


def _open(at: str, zone: str) -> bool:
    return CONTACT.opens < local(at, zone).time() < CONTACT.closes


def _hours(at: str, zone: str) -> _Args:
    time, opens, closes = (f"{t:%H:%M}" for t in (local(at, zone), CONTACT.opens, CONTACT.closes))
    return {"time": time, "zone": zone, "opens": opens, "closes": closes}


def _within(contact: Contact, zone: str) -> int:
    """The most calls placed within any run of consecutive days that the contact's day belongs to."""
    today = local(contact.at, zone).date()
    days = [local(at, zone).date() for at in contact.placed]
    firsts = [today - timedelta(days=back) for back in range(CONTACT.days)]
    return max(sum(first <= day < first + timedelta(days=CONTACT.days) for day in days) for first in firsts)


def _spoken_on(contact: Contact, zone: str) -> date | None:
    """The day of the last conversation before the contact, where its period still runs; that day is the first of it."""
    before = [local(at, zone).date() for at in contact.spoken if at <= contact.at]
    if not before or local(contact.at, zone).date() >= before[-1] + timedelta(days=CONTACT.days):
        return None
    return before[-1]


def _moments(contact: Contact) -> list[str]:
    """The moments at which something may open: the first one after opening, each day in each zone.

    Days begin and end while contact is closed, so that nothing opens in between; after the last call or
    conversation and the days that it counts for, nothing changes any more.
    """
    last = max((contact.at, *contact.placed, *contact.spoken))
    found = set()
    for zone in contact.zones:
        day, end = local(contact.at, zone).date(), local(last, zone).date() + timedelta(days=CONTACT.days + 2)
        while day <= end:
            found.add(instant(at_wall_time(datetime.combine(day, CONTACT.opens), zone) + _TICK))
            day += timedelta(days=1)
    return sorted(at for at in found if at > contact.at)


def _factors(contact: Contact) -> Iterator[Finding]:
    """What may rebut a presumption of compliance, though it breaks no figure."""
    if contact.via != "phone" or not contact.placed:
        return
    gap = moment(contact.at) - moment(max((at for at in contact.placed if at <= contact.at), default=contact.placed[0]))
    if timedelta(0) <= gap <= timedelta(minutes=CONTACT.rapid_minutes):
        words = "The last call was placed within {minutes} minutes before."
        yield Finding("debt.rapid-calls", words, (), {"minutes": CONTACT.rapid_minutes}, CONTACT.rapid)
