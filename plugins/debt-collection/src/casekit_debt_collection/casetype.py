"""The case type: one debt, from intake to its end."""

from __future__ import annotations

from datetime import date

from casekit.sdk import (
    Action,
    Book,
    CaseType,
    Clock,
    DocumentKind,
    Field,
    Money,
    Requirement,
    State,
    Total,
    Transition,
    field,
    role,
)

from .parameters import AMOUNTS, DISPUTES, PAYMENT_ORDER

WORKING = ("intake", "assessed", "proposing", "arrangement", "settling")
HALTED = ("disputed", "ceased")


def _means(title: str) -> Field:
    return field(Money, title=title, personal=True, owner="debtor")


DATA = {
    "principal": field(Money, title="Principal when the case was placed", report=True, required=True),
    "account": field(str, title="Account, truncated", personal=True, owner="debtor", maxLength=40),
    "reference": field(str, title="The creditor's own reference", personal=True, owner="creditor", maxLength=80),
    "itemization_date": field(date, title="Itemization date"),
    "itemization_kind": field(
        str, title="What the itemization date is", enum=("last-statement", "charge-off", "last-payment", "transaction", "judgment")
    ),
    "validation_ends": field(date, title="Last day of the validation period, as the notice says"),
    "settle_by": field(date, title="Last day to pay the settlement"),
    "settled_through": field(Money, title="Paid in all, once the settlement is paid"),
}

FACTS = {
    "income.monthly": _means("Net income a month"),
    "income.other": _means("Other income a month"),
    "expense.housing": _means("Housing a month"),
    "expense.living": _means("Living a month"),
    "expense.other": _means("Other expenses a month"),
    "asset.savings": _means("Savings"),
    "asset.other": _means("Other assets"),
    "debt.monthly": _means("Paid on other debts a month"),
    "debt.total": _means("Owed to others"),
    "contact.zone": field(str, title="A further time zone in which the debtor may be", personal=True, owner="debtor", maxLength=60),
}

STATES = {
    "intake": State("Intake", category="open"),
    "assessed": State("Means assessed", category="open"),
    "proposing": State("Proposal made", category="waiting-party"),
    "arrangement": State(
        "Paying by arrangement",
        category="waiting-party",
        initial="keeping",
        states={"keeping": State("Keeping to it"), "behind": State("Behind with it", category="open")},
    ),
    "settling": State("Settlement agreed", category="waiting-party"),
    "disputed": State("Disputed in writing", category="open"),
    "ceased": State("Asked in writing to be left alone", category="open"),
    "paid": State("Paid", category="resolved"),
    "settled": State("Settlement paid", category="resolved"),
    "closed": State(
        "Closed",
        category="closed",
        initial="paid",
        states={
            "paid": State("Paid in full", outcome="paid"),
            "settled": State("Settled", outcome="settled"),
            "uncollectable": State("Uncollectable", outcome="uncollectable"),
            "withdrawn": State("Withdrawn", outcome="withdrawn"),
        },
    ),
}

# What happens by itself, as soon as its condition holds.
_BY_ITSELF = {
    "paid-off": Transition((*WORKING, *HALTED), "paid", on="always", when="levied > 0 and balance <= 0", title="Nothing is owed any more"),
    "owed-again": Transition("paid", "assessed", on="always", when="balance > 0", title="Something is owed again"),
    "settlement-reached": Transition("settling", "settled", on="always", when="paid >= settled_through", title="The settlement is paid"),
    "settlement-short": Transition(
        "settled", "settling", on="always", when="paid < settled_through", title="The settlement is not paid after all"
    ),
    "unanswered": Transition("proposing", "assessed", on="clock.answer.breached", title="No answer to the proposal"),
    "arranged": Transition(WORKING, "arrangement", on="chosen", title="An arrangement was chosen"),
    "fallen-behind": Transition("arrangement.keeping", "arrangement.behind", on="clock.promise.breached", title="A promise was broken"),
    "caught-up": Transition(
        "arrangement.behind",
        "arrangement.keeping",
        on="clock.promise.withdrawn",
        when="not breached('promise')",
        title="The promise was kept after all",
    ),
    "settlement-missed": Transition("settling", "assessed", on="clock.settlement.breached", title="The settlement was not paid in time"),
    "settlement-kept": Transition(
        "assessed",
        "settled",
        on="clock.settlement.withdrawn",
        when="paid >= settled_through",
        title="The settlement was paid in time after all",
    ),
}


def _back(
    event: str, source: str, allow: str, title: str, requires: tuple[str, ...] = (), *, reason: bool = False
) -> dict[str, Transition]:
    """The way back from a halt: to the arrangement where one runs, else to the beginning of the work."""
    ways = {
        f"{event}-behind": ("arrangement.behind", "breached('promise')"),
        f"{event}-keeping": ("arrangement.keeping", "running('promise') or paused('promise')"),
        event: ("assessed", ""),
    }
    return {
        key: Transition(source, target, on=event, when=when, requires=requires, allow=allow, title=title, reason=reason)
        for key, (target, when) in ways.items()
    }


_DEEDS = {
    "notify": Transition(
        WORKING,
        None,
        requires=("debt.notice-filed",),
        allow="debt.notify",
        form={"ends": field(date, title="Last day of the validation period, as the notice says", required=True)},
        do=(Action(set={"validation_ends": "event.ends"}),),
        title="Validation notice sent",
    ),
    "assess": Transition("intake", "assessed", requires=("debt.means-known",), allow="debt.assess", title="Means assessed"),
    "propose": Transition(
        ("intake", "assessed"), "proposing", requires=("debt.notice-filed",), allow="debt.propose", title="Proposal made"
    ),
    "decline": Transition("proposing", "assessed", allow="debt.propose", title="Proposal declined"),
    "reinstate": Transition("arrangement.behind", "arrangement.keeping", allow="debt.arrange", reason=True, title="Arrangement goes on"),
    "give-up": Transition("arrangement", "assessed", allow="debt.arrange", reason=True, title="Arrangement given up"),
    "settle": Transition(
        ("intake", "assessed", "proposing", "arrangement"),
        "settling",
        allow="debt.settle",
        form={"amount": field(Money, title="What is still to be paid"), "by": field(date, title="Last day to pay it")},
        do=(Action(set={"settled_through": "paid + event.amount", "settle_by": "event.by"}),),
        title="Settlement agreed",
    ),
    "dispute": Transition((*WORKING, "ceased"), "disputed", allow="debt.halt", title="Disputed in writing"),
    "cease": Transition((*WORKING, "disputed"), "ceased", allow="debt.halt", title="Asked in writing to be left alone, or refused to pay"),
    "close-paid": Transition("paid", "closed.paid", allow="debt.close", title="Close as paid"),
    "close-settled": Transition(
        "settled", "closed.settled", requires=("debt.settlement-paid",), allow="debt.close", title="Close as settled"
    ),
    "write-off": Transition(
        (*WORKING, *HALTED), "closed.uncollectable", allow="debt.write-off", reason=True, title="Close as uncollectable"
    ),
    "withdraw": Transition(
        (*WORKING, *HALTED, "paid", "settled"), "closed.withdrawn", allow="debt.withdraw", reason=True, title="Give back to the creditor"
    ),
    "reopen": Transition("closed", "assessed", allow="debt.reopen", reason=True, title="Reopen"),
}

CLOCKS = {
    "promise": Clock(
        kind="fixed",
        each=True,
        pause="at('disputed')",
        cancel="at('assessed') or at('settling') or at('settled')",
        title="Promised instalment",
    ),
    "answer": Clock("P30D", start="at('proposing')", cancel="not at('proposing')", warn=("-P7D",), title="Answer to the proposal"),
    "verification": Clock(
        "P30D",
        start="at('disputed')",
        stop="not at('disputed')",
        warn=("-P10D", "-P3D"),
        title="Verification of a disputed debt",
        citation=DISPUTES,
    ),
    "settlement": Clock(
        kind="fixed",
        due="settle_by",
        start="at('settling')",
        stop="paid >= settled_through",
        cancel="at('arrangement')",
        warn=("-P3D",),
        title="Payment of the settlement",
    ),
}

REQUIREMENTS = {
    "debt.means-known": Requirement(
        "known(fact('income.monthly')) and known(fact('expense.housing')) and known(fact('expense.living'))",
        "What the debtor earns and needs is not known.",
        remedy="note the facts income.monthly, expense.housing and expense.living",
    ),
    "debt.notice-filed": Requirement(
        "documents('validation-notice') >= 1",
        "No validation notice is on file.",
        citation="12 CFR 1006.34(a)(1)",
        remedy="send it, and add it as a validation-notice",
    ),
    "debt.authorised-amount": Requirement(
        "event.component == 'principal' or documents('agreement') >= 1 or documents('judgment') >= 1",
        "Nothing on file authorises interest or fees.",
        citation=AMOUNTS,
        remedy="add the agreement or the judgment that allows them",
    ),
    "debt.settlement-paid": Requirement(
        "known(settled_through) and paid >= settled_through",
        "The settlement is not paid.",
        remedy="agree on a settlement and record its payment, or close with another outcome",
    ),
}

DOCUMENTS = {
    "agreement": DocumentKind("Agreement that made the debt"),
    "judgment": DocumentKind("Judgment"),
    "validation-notice": DocumentKind("Validation notice", "out"),
    "dispute": DocumentKind("Dispute in writing", "in"),
    "verification": DocumentKind("Verification of the debt", "out"),
    "cease-letter": DocumentKind("Request to cease, or refusal to pay", "in"),
    "termination-notice": DocumentKind("Notice that efforts end", "out"),
    "remedies-notice": DocumentKind("Notice of remedies", "out"),
    "means-proof": DocumentKind("Proof of income or expenses", "in"),
    "settlement-letter": DocumentKind("Settlement letter", "out"),
    "paid-letter": DocumentKind("Letter that the debt is paid", "out"),
    "letter": DocumentKind("Letter"),
}

DEBT_CASE = CaseType(
    key="debt.case",
    version="0.1",
    title="Debt case",
    initial="intake",
    states=STATES,
    transitions={
        **_BY_ITSELF,
        **_back("verify", "disputed", "debt.halt", "Dispute answered", ("debt.dispute-answered",)),
        **_back("lift", "ceased", "debt.lift", "Contact allowed again", reason=True),
        **_DEEDS,
    },
    data=DATA,
    facts=FACTS,
    roles={
        "debtor": role((1, None), ("person", "organisation"), "Debtor"),
        "creditor": role(1, ("person", "organisation"), "Creditor"),
        "handler": role((0, 1), "staff", "Handler"),
    },
    clocks=CLOCKS,
    requirements=REQUIREMENTS,
    guards={"charge": ("debt.authorised-amount",)},
    totals={
        "levied": Total("charge", report=True, title="Levied"),
        "paid": Total("payment", report=True, title="Paid"),
        "balance": Total(of="levied - paid", report=True, title="Balance"),
    },
    ledger=Book(components=("interest", "principal", "fee"), opening={"principal": "principal"}, citation=PAYMENT_ORDER),
    documents=DOCUMENTS,
    number="D-{year}-{seq:05}",
    zone="America/New_York",
    overlay={"/clocks/answer/amount": "tighten", "/clocks/verification/amount": "tighten", "/ledger/order": "locked"},
)
"""One debt of one or more debtors to one creditor."""
