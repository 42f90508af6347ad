"""What a seat may ask about the loop of planning: a fresh look, the rounds so far, goals over many cases."""

from __future__ import annotations

from collections.abc import Iterable

from casekit.desk import reviews, worklist
from casekit.desk.casefile import CaseFile
from casekit.desk.door import checked
from casekit.desk.looking import Asking, CaseRef
from casekit.desk.loopvalues import GoalPage, Look, Round
from casekit.desk.past import Moment
from casekit.desk.rounds import rounds
from casekit.desk.turn import Spec
from casekit.model.time import effective as effective_
from casekit.store.worklists import Filter

READ_ROUNDS = Spec("read-rounds", "case.read")


@checked
class LoopQuestions(Asking):
    """The questions of a seat about the loop; :class:`casekit.desk.questions.Questions` are made of them and others."""

    def look(self, case: CaseRef) -> Look:
        """What a review would find now, and which adjustments are proposed; nothing is recorded.

        Args:
            case: Where: a value, an id or a human number.

        Raises:
            PluginFailed: a plugin failed.
        """
        return reviews.look(self._turn(reviews.LOOK, case), [])

    def rounds(self, case: CaseRef) -> tuple[Round, ...]:
        """The rounds of the loop, from the opening on: what was set, chosen, worked and reviewed, and the plan that each left."""
        work, stream = self._read(case, READ_ROUNDS)
        definition = self.desk.library.pinned(work.shelf, stream.head["definition"])
        return rounds(work, stream, CaseFile(work, stream, definition))

    def open_goals(
        self,
        owner: str | Iterable[str] = (),
        *,
        types: Iterable[str] = (),
        due_before: Moment | None = None,
        after: str | None = None,
        size: int = 50,
    ) -> GoalPage:
        """A page of the goals that are not reached, on open cases that the actor may read, the soonest due first.

        How a goal stands is as the last entry of its case left it; :meth:`goals` works it out anew.

        Args:
            owner: Only goals of this role, or of these; none: of any.
            types: Only on cases of these types.
            due_before: Only goals whose time is over before then, an instant or a day (UTC): now, for those that are overdue.
            after: ``more`` of the page before.
            size: Goals on the page, at most 500.
        """
        roles = (owner,) if isinstance(owner, str) and owner else tuple(owner)
        before = None if due_before is None else effective_(due_before, "UTC").at
        wanted = self._readable(types, size)
        return GoalPage() if wanted is None else worklist.goals(self._work(), Filter(wanted, roles, before, self._sight), after, size)
