"""What a seat may ask about how long cases are kept: what is due, lists, what is left of what was destroyed, holds."""

from __future__ import annotations

from collections.abc import Iterable

from casekit.desk import disposals, holds
from casekit.desk.door import checked
from casekit.desk.graves import Tombstone, may_know, tombstones
from casekit.desk.looking import Asking, CaseRef
from casekit.desk.past import Moment
from casekit.model.time import effective as effective_


@checked
class RetentionQuestions(Asking):
    """The questions of a seat about keeping and destroying; :class:`casekit.desk.questions.Questions` are made of them and others."""

    def due_for_disposal(
        self, types: Iterable[str] = (), *, on: Moment | None = None, everything: bool = False
    ) -> tuple[disposals.Due, ...]:
        """The closed cases that may be destroyed or are to be looked at, the oldest first, with rule, days and holds.

        Args:
            types: Only of these case types.
            on: The day on which it is asked; today, where none is given.
            everything: Every closed case for which there is a rule, due or not.
        """
        self._may(disposals.READ)
        day = "" if on is None else (effective_(on, "UTC").day or effective_(on, "UTC").at[:10])
        return disposals.due(self.desk, self.actor, types, on=day, everything=everything)

    def retention(self, case: CaseRef) -> disposals.Due:
        """How long a case is kept, rule by rule, and what holds it."""
        _, stream = self._read(case, disposals.READ)
        return disposals.explain(self.desk, self.actor, stream.uuid)

    def disposal(self, list: str) -> disposals.DisposalList:  # noqa: A002 - the field's word
        """A list, and what became of each case on it."""
        self._may(disposals.READ)
        return disposals.get(self.desk, self.actor, list)

    def disposals(self) -> tuple[disposals.DisposalList, ...]:
        """All lists, the latest first."""
        self._may(disposals.READ)
        return disposals.lists(self.desk, self.actor)

    def tombstones(self) -> tuple[Tombstone, ...]:
        """What is left of the cases that were disposed of, in that order."""
        self._may(disposals.READ)
        return tuple(one for one in tombstones(self.desk.shelf(self.actor.tenant)).values() if may_know(self.desk, self.actor, one))

    def holds(self) -> tuple[holds.Hold, ...]:
        """All holds, those that were lifted too, the oldest first."""
        self._may(holds.READ)
        return holds.read(self.desk, self.desk.shelf(self.actor.tenant))


__all__ = ["RetentionQuestions"]
