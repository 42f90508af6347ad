"""What stands against commands, events and messages on a debt case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from casekit.sdk import Command, Message, Money, Need, Objection, View, add, duration

from . import contact, validation
from .contact import Contact
from .parameters import AMOUNTS, CEASE, DISPUTES, VALIDATION

BEFORE_MESSAGE = (Need("parties"), Need("messages", window="P15D"))
"""A call is judged by seven days on either side of it, in the debtor's own zone; one that is recorded late lies back
up to ``_LATE``. Fifteen days of the case's zone hold both."""

_LATE = duration("-P7D")
_HALTED = {
    "disputed": Objection(
        "debt.disputed",
        "The debt is disputed in writing: collection rests until verification was sent.",
        citation=DISPUTES,
        remedy="file the verification that was sent, then do verify",
    ),
    "ceased": Objection(
        "debt.ceased",
        "The debtor has refused to pay or asked to be left alone, in writing.",
        citation=CEASE,
        remedy="what 1006.6(c)(2) still allows goes out as a document: termination-notice or remedies-notice",
    ),
}


def halts(view: View) -> Iterator[Objection]:
    """What a dispute or a request to cease has against going on."""
    yield from (objection for state, objection in _HALTED.items() if view.at(state))


def before(view: View, command: Command) -> Iterator[Objection]:
    """What stands against a command: nothing to collect, more than is owed, a debt that rests."""
    if command.name == "open":
        yield from _opening(command.args.get("principal"))
    elif command.name == "pay":
        yield from _payment(view, command.args["amount"])
    elif command.name in ("charge", "choose"):
        yield from halts(view)


def before_transition(view: View, event: str, fields: Mapping[str, Any]) -> Iterator[Objection]:
    """What stands against an event: a validation period cut short, a settlement that is none."""
    if event == "notify":
        earliest = validation.period(view.today).ends
        ends = fields.get("ends")
        if ends is not None and ends < earliest:
            words = "The validation period can't end on {ends}: a notice that is sent today may be disputed until {earliest}."
            args = {"ends": ends, "earliest": earliest}
            yield Objection("debt.validation-short", words, args, VALIDATION.period, remedy="name the later day in the notice")
    elif event == "settle":
        yield from _settlement(view, fields)


def before_message(view: View, message: Message) -> Iterator[Objection]:
    """What stands against reaching the debtor: a halt, the hour where the debtor is, the frequency of calls."""
    if message.direction != "out" or not _reaches_debtor(view, message):
        return
    yield from halts(view)
    counts = message.via == "phone" and message.outcome not in contact.UNCONNECTED
    if counts and message.at < add(view.now, _LATE, view.zone):
        words = "The call lies more than a week back: the calls around it can't all be seen."
        yield Objection("debt.recorded-late", words, remedy="record it as observed: it has happened")
        return
    yield from contact.objections(planned(view, message))


def planned(view: View, message: Message) -> Contact:
    """The contact that a message to the debtor would be, with what came before it."""
    calls = [m for m in view.messages if m.via == "phone" and _with_same(view, m, message)]
    return Contact(
        message.at,
        _zones(view, message),
        message.via,
        placed=[m.at for m in calls if m.direction == "out" and m.outcome not in contact.UNCONNECTED],
        spoken=[m.at for m in calls if m.outcome == "conversation"],
        connects=message.outcome not in contact.UNCONNECTED,
        days=view.zone,
    )


def _opening(principal: Money | None) -> Iterator[Objection]:
    if principal is not None and principal.minor <= 0:
        yield Objection("debt.nothing-owed", "{principal} is nothing to collect.", {"principal": principal}, remedy="give what is owed")


def _payment(view: View, amount: Money) -> Iterator[Objection]:
    balance = view.totals.get("balance")
    if balance is not None and balance.currency == amount.currency and amount > balance:
        words = "{amount} is more than is owed: {balance}."
        remedy = "accept what is owed and give back the rest, or record the payment as observed"
        yield Objection("debt.beyond-balance", words, {"amount": amount, "balance": balance}, AMOUNTS, remedy=remedy)


def _settlement(view: View, fields: Mapping[str, Any]) -> Iterator[Objection]:
    amount, by, balance = fields.get("amount"), fields.get("by"), view.totals.get("balance")
    if amount is None or by is None:
        words = "A settlement says how much is still to be paid, and by when."
        yield Objection("debt.settlement-terms", words, remedy="give amount and by")
    if amount is not None and balance is not None and (amount.currency != balance.currency or not 0 < amount.minor < balance.minor):
        words = "A settlement of {amount} does not lie between nothing and the {balance} that is owed."
        yield Objection("debt.settlement-amount", words, {"amount": amount, "balance": balance}, remedy="agree on a part of the balance")
    if by is not None and by < view.today:
        yield Objection("debt.settlement-day", "{by} is over.", {"by": by}, remedy="give a day to come")


def _reaches_debtor(view: View, message: Message) -> bool:
    """Whether a message goes to the debtor, or to somebody of whom that is not known."""
    if message.role:
        return message.role not in ("creditor", "handler")
    roles = {p.role for p in view.parties if p.id == message.party}
    return not roles or "debtor" in roles


def _with_same(view: View, earlier: Message, asked: Message) -> bool:
    """Whether an earlier message was with the person asked about, or may have been."""
    if not _reaches_debtor(view, earlier):
        return False
    return earlier.party is None or asked.party is None or earlier.party == asked.party


def _zones(view: View, message: Message) -> tuple[str, ...]:
    """The zones in which the person may be; empty where one of them is not known."""
    people = [p for p in view.parties if p.id == message.party] or [p for p in view.parties if p.role == "debtor"]
    further = view.latest.get("contact.zone")
    zones = [person.zone for person in people] + ([further] if further else [])
    return tuple(dict.fromkeys(str(z) for z in zones)) if zones and all(contact.known_zone(z) for z in zones) else ()
