"""Who may do what: deny by default, grants by role, from plugins alone until an edition says otherwise."""

from __future__ import annotations

from collections.abc import Iterable

from casekit.model.actor import Actor
from casekit.plugins.catalogue import EVERY, Catalogue

CORE = {
    "case.open": "open a case",
    "case.read": "read a case",
    "case.do": "bring about an event of the lifecycle",
    "case.change": "change the data of a case",
    "case.assess": "have a case assessed",
    "case.plan": "see the options for a case",
    "case.rectify": "put data or facts of a case right that were wrong",
    "case.choose": "choose an option",
    "case.close": "close a case",
    "case.approve": "approve what a requirement asks to be approved, beside the permission that it asks for",
    "item.work": "start, complete, enable or disable an item of a plan",
    "plan.change": "put items into a plan, move, skip, reopen, suspend or terminate them",
    "item.override": "skip what is required, with a reason",
    "goal.set": "set goals of a case, or give them up",
    "case.review": "record a review of a case",
    "case.classify": "say how confidential a case or a document is",
    "level.confidential": "see what is confidential; a desk may name other levels, each with a permission of its own",
    "level.secret": "see what is secret",
    "case.role": "give a party a role in a case, or take it",
    "case.link": "link a case to another one, or take a link away",
    "case.export": "take a case out",
    "case.import": "bring in a case that was taken out elsewhere",
    "party.write": "add, change or merge parties",
    "party.rectify": "put details of a party right that were wrong",
    "party.read": "read and find parties",
    "party.erase": "erase a party",
    "party.access": "hand out to a person what is held of them",
    "note.add": "add a note",
    "message.record": "record a message or an attempt at one",
    "document.add": "file a document",
    "document.read": "read a document",
    "document.status": "say what has become of a document",
    "fact.note": "note a fact",
    "ledger.charge": "charge",
    "ledger.pay": "record a payment",
    "ledger.reverse": "take a posting back",
    "journal.read": "read the journal",
    "journal.verify": "verify the journal",
    "checkpoint.make": "make and sign a checkpoint",
    "checkpoint.rotate": "change the key that signs checkpoints, or the name of the log",
    "report.read": "see reports",
    "import.run": "import a log",
    "store.keep": "back the store up, restore it, and look after its keys, its settings and its files",
    "desk.due": "let due clocks speak and deliver the outbox",
    "clock.extend": "give a deadline more time, or let a case go by the present calendars",
    "clock.confirm": "confirm a new date of a deadline, or keep the one there is",
    "disposal.read": "see how long cases are kept, disposal lists and what is left of what was destroyed",
    "disposal.propose": "propose a list of cases to be destroyed, or take one back",
    "disposal.approve": "approve a list that somebody else has proposed",
    "disposal.run": "destroy what is on an approved list",
    "hold.read": "see holds",
    "hold.place": "place a hold, so that nothing it covers is deleted",
    "hold.lift": "lift a hold",
    "case.resume": "say what becomes of an imported case's clocks",
}
"""The core's permissions and what they allow. A transition may ask for one of its own beside."""


MOST_KNOWN = 10_000
"""Answers that are kept: roles come from hosts, and nobody knows how many sets of them."""


class Grants:
    """The grants of one desk."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._known: dict[tuple[frozenset[str], str, str | None], bool] = {}
        self._by_role: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        for roles, plugin in catalogue.declared.roles:
            for role, granted in roles.items():
                self._by_role.setdefault(role, []).append((granted, plugin.handles))

    @property
    def roles(self) -> tuple[str, ...]:
        """All roles that are granted anything."""
        return tuple(sorted(self._by_role))

    def allowed(self, actor: Actor, permission: str, case_type: str | None = None) -> bool:
        """Whether one of the actor's roles has a permission; for a case type, where one is named."""
        asked = (actor.roles, permission, case_type)
        known = self._known.get(asked)
        if known is None:
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
            known = self._known[asked] = any(self._grants(role, permission, case_type) for role in actor.roles)
        return known

    def who(self, permissions: Iterable[str], case_type: str | None = None) -> tuple[str, ...]:
        """Roles that have all of the permissions."""
        wanted = tuple(permissions)
        return tuple(role for role in self.roles if all(self._grants(role, p, case_type) for p in wanted))

    def readable(self, actor: Actor, types: Iterable[str], *more: str) -> tuple[str, ...] | None:
        """The case types whose cases the actor may read, and has the further permissions for; None: all, known here or not."""
        wanted = ("case.read", *more)
        if all(self.everywhere(actor, permission) for permission in wanted):
            return None
        return tuple(t for t in types if all(self.allowed(actor, permission, t) for permission in wanted))

    def everywhere(self, actor: Actor, permission: str) -> bool:
        """Whether one of the actor's roles has a permission for all case types, known here or not."""
        granted_by = (pair for role in actor.roles for pair in self._by_role.get(role, ()))
        return any(EVERY in handles and _covers(granted, permission) for granted, handles in granted_by)

    def _grants(self, role: str, permission: str, case_type: str | None) -> bool:
        return any(
            _covers(granted, permission)
            for granted, handles in self._by_role.get(role, ())
            if case_type is None or case_type in handles or EVERY in handles
        )


def _covers(granted: Iterable[str], permission: str) -> bool:
    return any(g in (permission, "*") or (g.endswith(".*") and permission.startswith(g[:-1])) for g in granted)
