"""What a seat does about how long cases are kept: lists and their approval, disposal, holds."""

from __future__ import annotations

from collections.abc import Iterable

from casekit.desk import disposals, holds
from casekit.desk.door import checked
from casekit.desk.ledger import write_ledger
from casekit.desk.looking import Asking, CaseRef, PartyRef, party_id
from casekit.desk.turn import Call, Spec
from casekit.errors import BadInput, StoreFailed


@checked
class Retaining(Asking):
    """The commands of a seat about keeping and destroying; each is a transaction of its own."""

    def propose_disposal(self, cases: Iterable[CaseRef] = ()) -> disposals.DisposalList:
        """Proposes a list of cases to be destroyed.

        Args:
            cases: Which; none: all that are due, may be destroyed, are not held and on no list yet. What is due for a
                review is destroyed only where it is named.
        """
        named = [self._id(case) for case in cases]
        return disposals.propose(self.desk, self._own(disposals.PROPOSE), named)

    def approve_disposal(self, list: str) -> disposals.DisposalList:  # noqa: A002 - the field's word
        """Approves a list; never by the person who has proposed it."""
        return disposals.approve(self.desk, self._own(disposals.APPROVE), list)

    def withdraw_disposal(self, list: str) -> disposals.DisposalList:  # noqa: A002 - the field's word
        """Takes back a list: what waits on it is not destroyed by it."""
        return disposals.withdraw(self.desk, self._own(disposals.PROPOSE), list)

    def run_disposal(self, list: str) -> disposals.Disposal:  # noqa: A002 - the field's word
        """Destroys what waits on an approved list, where nothing is in the way by now; the rest is refused, each with its reasons."""
        return disposals.run(self.desk, self._own(disposals.RUN), list)

    def place_hold(
        self,
        name: str,
        *,
        cases: Iterable[CaseRef] = (),
        parties: Iterable[PartyRef] = (),
        types: Iterable[str] = (),
        opened_from: str = "",
        opened_until: str = "",
        reason: str,
        authority: str = "",
    ) -> holds.Hold:
        """Places a legal hold: what it covers is not deleted by anybody, for no reason, until it is lifted.

        Args:
            name: What it is called, in the clear: no person's name.
            cases: Cases.
            parties: Parties: they, and every case in which they ever have a part.
            types: Case types: all their cases, those still to come too.
            opened_from, opened_until: Of ``types``: only cases opened between these days.
            reason: Why; sealed.
            authority: Who or what demands it: a court, a file number; sealed.
        """
        days = (str(opened_from), str(opened_until))
        scope = holds.Scope(tuple(self._id(c) for c in cases), tuple(party_id(p) for p in parties), tuple(types), *days)
        placed = holds.place(self.desk, self._own(holds.PLACE, reason), name, scope, authority)
        self._tell()
        return placed

    def lift_hold(self, name: str, *, reason: str) -> holds.Hold:
        """Lifts a hold; that it stood stays on record."""
        lifted = holds.lift(self.desk, self._own(holds.LIFT, reason), name)
        self._tell()
        return lifted

    def _own(self, spec: Spec, reason: str = "") -> Call:
        if self._batch is not None:
            raise BadInput.at("batch", "keeping and destroying is done by itself", "end the batch first")
        return Call(spec, self.actor, reason=reason)

    def _tell(self) -> None:
        try:
            write_ledger(self.desk, self.desk.shelf(self.actor.tenant))
        except (StoreFailed, BadInput):
            return  # the hold stands; only a backup that is restored would not know of it


__all__ = ["Retaining"]
