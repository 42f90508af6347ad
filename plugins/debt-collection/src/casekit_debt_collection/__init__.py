"""Debt collection: means, instalments to compare, contact rules, promises, closing.

Pure hooks over one frozen view; the rules stand in the modules beside, with their citations.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from casekit.sdk import (
    Adjustment,
    Calculator,
    CaseType,
    Command,
    Finding,
    Message,
    Money,
    Objection,
    Option,
    Plugin,
    Recorded,
    Rule,
    View,
    field,
    hookimpl,
)

from . import closing, contact, guards, instalments, means, review, validation
from .casetype import DEBT_CASE
from .parameters import CONTACT, VALIDATION

PLUGIN = Plugin("debt-collection", api=1, handles=("debt.case",), title="Debt collection")

_log = logging.getLogger(__name__)

_COLLECTOR = (
    "case.open",
    "case.read",
    "case.do",
    "case.change",
    "case.assess",
    "case.plan",
    "case.choose",
    "case.review",
    "goal.set",
    "case.close",
    "case.role",
    "party.write",
    "party.read",
    "item.work",
    "plan.change",
    "note.add",
    "message.record",
    "document.*",
    "fact.note",
    "ledger.charge",
    "ledger.pay",
    "journal.read",
    "report.read",
    "debt.notify",
    "debt.assess",
    "debt.propose",
    "debt.arrange",
    "debt.settle",
    "debt.halt",
    "debt.close",
)


@hookimpl
def casekit_case_types() -> Iterable[CaseType]:
    """The debt case."""
    return [DEBT_CASE]


@hookimpl
def casekit_requirements() -> Iterable[Rule]:
    """That a dispute is answered: in code, for it is about which document came after which."""
    return [closing.DISPUTE_ANSWERED]


@hookimpl
def casekit_calculators() -> Iterable[Calculator]:
    """Instalments, the contact verdict and the validation period, without a case."""
    return [
        Calculator(
            "debt.instalments",
            "An amount in equal instalments, month by month",
            instalments.calculate,
            {
                "amount": field(Money, title="What is owed", required=True),
                "count": field(int, title="Number of instalments", required=True, minimum=1),
                "first_due": field(date, title="Day of the first one", required=True),
            },
            citation="12 CFR 1006.22(b): no cent more than is owed",
        ),
        Calculator(
            "debt.contact",
            "May a consumer be contacted about a debt, and from when on",
            contact.calculate,
            {
                "at": field(datetime, title="When", required=True),
                "zones": field(list, items=str, personal=False, title="IANA zones in which the person may be"),
                "via": field(str, enum=("phone", "visit", "email", "sms", "letter", "portal"), title="Channel"),
                "calls": field(list, items=datetime, title="Calls placed about the debt that connected"),
                "conversations": field(list, items=datetime, title="Telephone conversations about it, whoever called"),
            },
            citation=f"{CONTACT.hours}; 12 CFR 1006.14(b)(2)",
        ),
        Calculator(
            "debt.validation-period",
            "Until when a validation notice may be disputed",
            validation.period,
            {
                "sent": field(date, title="Day on which it was sent", required=True),
                "received": field(date, title="Day on which it was received, where that is known"),
            },
            citation=VALIDATION.period,
        ),
    ]


@hookimpl
def casekit_roles() -> Mapping[str, Iterable[str]]:
    """Collectors work cases; supervisors also write off, give back, lift, reopen, take back and erase."""
    return {
        "collector": _COLLECTOR,
        "supervisor": (
            "case.*",
            "item.*",
            "plan.*",
            "goal.*",
            "party.*",
            "note.*",
            "message.*",
            "document.*",
            "fact.*",
            "ledger.*",
            "journal.*",
            "report.*",
            "import.*",
            "desk.*",
            "debt.*",
        ),
    }


@hookimpl
def casekit_assess(view: View) -> Iterable[Finding]:
    """The debtor's means, and where the validation of the debt stands."""
    return means.findings(view)


@hookimpl
def casekit_plan(view: View, findings: tuple[Finding, ...]) -> Iterable[Option]:  # noqa: ARG001 - the figures come from the view
    """Three numbers of instalments to compare."""
    return instalments.options(view)


@hookimpl
def casekit_review(view: View, findings: tuple[Finding, ...]) -> Iterable[Finding | Adjustment]:  # noqa: ARG001 - as of planning
    """How the arrangement goes, and a longer one where the means have shrunk."""
    return review.answers(view)


@hookimpl
def casekit_close(view: View, outcome: str) -> Iterable[Objection]:
    """Everything that is missing."""
    return closing.objections(view, outcome)


@hookimpl
def casekit_before(view: View, command: Command) -> Iterable[Objection]:
    """Nothing beyond what is owed; no collection of a debt that rests."""
    return guards.before(view, command)


@hookimpl
def casekit_before_transition(view: View, event: str, fields: Mapping[str, Any]) -> Iterable[Objection]:
    """No validation period cut short, no settlement that is none."""
    return guards.before_transition(view, event, fields)


@hookimpl(needs=guards.BEFORE_MESSAGE)
def casekit_before_message(view: View, message: Message) -> Iterable[Objection]:
    """The debtor's hours, the frequency of calls, a dispute or a request to cease."""
    return guards.before_message(view, message)


@hookimpl
def casekit_recorded(recorded: Recorded) -> None:
    """Says in the log that a promise was broken, or kept after all: a line that a host can alert on."""
    for event in ("clock.promise.breached", "clock.promise.withdrawn"):
        if event in recorded.events:
            _log.info("%s case=%s entry=%d at=%s state=%s", event, recorded.case, recorded.n, recorded.at, recorded.state)
