"""What a seat may ask to be drawn, and to be handed to a calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from casekit.desk.door import checked
from casekit.desk.looking import LARGEST_PAGE, Asking, CaseRef
from casekit.desk.past import Moment
from casekit.desk.turn import Spec
from casekit.errors import BadInput
from casekit.store import reading

if TYPE_CHECKING:
    from casekit.pictures.ical import Deadline

PICTURE = Spec("picture", "case.read")


@checked
class PictureQuestions(Asking):
    """The questions of a seat for pictures; :class:`casekit.desk.questions.Questions` are made of them and others."""

    def picture(
        self,
        case: CaseRef,
        kind: str = "states",
        format: str = "svg",  # noqa: A002 - the field's word
        *,
        at: Moment | None = None,
        texts: bool = False,
    ) -> str:
        """A picture of a case: the same case, at the same moment, gives the same text.

        Args:
            case: Which one: a value, an id or a human number.
            kind: ``states`` (what is active, what each way is blocked by, which clocks run), ``plan`` (what its items wait
                for), or ``deadlines`` (an axis of time: what ran, rested, was due, moved).
            format: ``svg``, ``mermaid`` or ``dot``. An SVG of states or of a plan takes ``casekit[pictures]``.
            at: Of ``deadlines``: as of :meth:`clocks`.
            texts: Whether texts that are sealed, or come from plugins, are opened: titles of the case's own items, words
                of objections. Without, a picture holds nothing personal.

        Raises:
            BadInput: no such kind or format; ``at`` for another kind; or the library that places a graph is not there.
        """
        from casekit.desk import pictures  # drawing is loaded where something is drawn

        if at is not None and kind != "deadlines":
            raise BadInput.at("at", f"a picture of kind {kind} shows the case as it is now", "leave it out, or take deadlines")
        turn = self._turn(PICTURE, case)
        return pictures.written(pictures.of_case(turn, kind, self._at(turn, at), texts), format)

    def deadlines(self, case: CaseRef | None = None, *, types: Iterable[str] = (), texts: bool = False) -> tuple[Deadline, ...]:
        """The dates that somebody has to keep: clocks, and items of plans that are due, with those that are over.

        Args:
            case: Of which case; None: of all open cases that the actor may read, one after the other.
            types: Of all cases: only these case types.
            texts: Whether titles of a case's own items are opened; they are sealed.
        """
        from casekit.desk import pictures

        known = [case] if case is not None else self._open(types)
        with self.desk.reads.together():
            return tuple(one for ref in known for one in pictures.deadlines_of(self._turn(PICTURE, ref), texts))

    def export_deadlines(self, case: CaseRef | None = None, *, types: Iterable[str] = (), texts: bool = False) -> bytes:
        """The same deadlines as iCalendar (RFC 5545): what falls due is an event, what is to be done a to-do.

        An identity stays for ever, and its sequence number rises when the date moves: a calendar that reads the text
        again follows. It takes ``casekit[calendar-export]``.

        Raises:
            BadInput: the library is not installed.
        """
        from casekit.pictures.ical import calendar_text

        found = self.deadlines(case, types=types, texts=texts)
        return calendar_text(f"Deadlines {self.actor.tenant}" if case is None else "Deadlines of a case", found)

    def _open(self, types: Iterable[str]) -> Iterator[str]:
        wanted, before = self._readable(types, LARGEST_PAGE), None
        while wanted is not None:
            rows = reading.page(self._work().shelf, reading.Filter(wanted, open=True, sight=self._sight), before, LARGEST_PAGE)
            yield from (row[1] for row in rows)
            if len(rows) < LARGEST_PAGE:
                return
            before = rows[-1][0]
