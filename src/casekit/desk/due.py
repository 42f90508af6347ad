"""What is due: clocks of many cases, worked off in batches; and what becomes of an imported case's clocks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from attrs import define, field, frozen

from casekit.desk import checkpoints, outbox
from casekit.desk.bus import TICK
from casekit.desk.turn import Call, Spec, Turn
from casekit.desk.work import Stream, Work
from casekit.errors import BadInput, CasekitError, Conflict, StoreFailed
from casekit.model.actor import Actor
from casekit.model.time import moment
from casekit.store import reading
from casekit.store.reading import Head
from casekit.store.shelf import Shelf, Taken, writing

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

RESUME = Spec("resume", "case.resume")
BATCH = 100
"""Cases in one transaction."""

_log = logging.getLogger("casekit.due")

Resumption = Literal["confirm", "cancel", "keep"]


@frozen
class Worked:
    """What a sweep did.

    Attributes:
        cases: Cases whose clocks spoke.
        entries: Entries that they wrote.
        delivered: Outbox entries that every listener has heard.
        failed: Outbox entries that will be told again, because a listener raised.
        broken: Cases that could not be worked; the log ``casekit.due`` names each, with its reason.
        checkpoint: Size of the checkpoint that was made; 0: none was due.
    """

    cases: int = 0
    entries: int = 0
    delivered: int = 0
    failed: int = 0
    broken: int = 0
    checkpoint: int = 0


def run_due(desk: Desk, actor: Actor, now: str | None = None) -> Worked:
    """Lets every clock speak that is due, then delivers the outbox, then makes a checkpoint where one is due.

    Doing it twice does nothing more.

    Cases are worked off a hundred at a time, each hundred in a transaction of its own, so what a crash leaves is
    whole. A case that can't be worked stops no other: it is logged with its reason, counted as ``broken``, and tried
    again at the next sweep. Several sweeps at the same time are safe: a clock speaks once.

    Args:
        desk: The desk.
        actor: Who sweeps.
        now: Canonical instant up to which clocks are due; None: the present. One that lies ahead of the desk's clock
            is believed: what it finds is recorded at that instant.

    Raises:
        Denied: the actor may not sweep.
        StoreFailed: the store failed; what was worked off before stands.
    """
    desk.bus.authorise(Call(TICK, actor), None)
    shelf = desk.shelf(actor.tenant)
    shelf.demand_own("working off what is due")
    if now is not None:
        moment(now)
    present = desk.now()
    upto = now or present
    sweep = _Sweep(desk, shelf, upto, max(upto, present))
    after = ("", 0)
    while page := reading.due(shelf, upto, after, BATCH):
        last, head = page[-1]
        after = (last, head.sid)
        sweep.work_off([found for _, found in page])
    delivered, failed = outbox.deliver(desk, shelf, sweep.recorded)
    made = checkpoints.if_due(desk, actor, desk.checkpoints) if desk.checkpoints else None
    return Worked(sweep.cases, sweep.entries, delivered, failed, sweep.broken, made.size if made is not None else 0)


def resume(turn: Turn, what: Resumption) -> None:
    """Decides on the clocks of an imported case: they run on (what is past due speaks at the next sweep), are
    cancelled, or stay as the import left them, unswept.

    Raises:
        BadInput: the case is not held, or the word is not known.
    """
    if what not in ("confirm", "cancel", "keep"):
        raise BadInput.at("clocks", f"{what!r} is not known", "use confirm, cancel or keep")
    if not turn.stream.head.get("held"):
        raise BadInput.at("case", f"{turn.stream.uuid} is not held: its clocks are swept already", "nothing is to be done")
    turn.call.about["clocks"] = what
    if what == "keep":
        return
    turn.change(c="head", unset=["held"])
    if what == "cancel":
        for clock in list(turn.run.clocks.live):
            turn.run.clocks.cancel(clock)


@define
class _Sweep:
    """One run over everything that is due.

    Attributes:
        desk, shelf: Where.
        upto: Up to which instant clocks are due.
        recorded: When what they say is recorded.
        cases, entries, broken: What was done so far.
        stuck: Broken cases that spoke before they broke: they wake later now, and are met again.
    """

    desk: Desk
    shelf: Shelf
    upto: str
    recorded: str
    cases: int = 0
    entries: int = 0
    broken: int = 0
    stuck: set[str] = field(factory=set)

    def work_off(self, heads: list[Head]) -> None:
        """One batch in one transaction; where a case is broken, one by one."""
        met = [head for head in heads if head.uuid not in self.stuck]
        written = self._together(met)
        if written is None:
            for head in met:
                self._alone(head.uuid)
            return
        self.cases += len(written)
        self.entries += sum(written)

    def _together(self, heads: list[Head]) -> list[int] | None:
        """Entries of each case; where another was faster, inside the lock. None: one of them is broken, nothing was written."""
        try:
            try:
                return self._batch(heads)
            except (Conflict, Taken):
                return self._batch_locked([head.uuid for head in heads])
        except StoreFailed:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one case must not stop the others
            return None

    def _batch(self, heads: list[Head]) -> list[int]:
        """Entries of each case that had something to say."""
        work = self.desk.work(self.shelf)
        written = [self._tick(work, work.take(head, keyed=False)) for head in heads]
        work.flush()
        return written

    def _batch_locked(self, uuids: list[str]) -> list[int]:
        work = self.desk.work(self.shelf)
        with writing(self.shelf) as connection:
            work.load(uuids, locked=True)
            written = [self._tick(work, stream) for stream in list(work.streams.values())]
            work.flush(connection)
        return [count for count in written if count]

    def _alone(self, uuid: str) -> None:
        """One case, each instant in a transaction of its own: what a punctual sweep would have done before it broke stands."""
        worked = 0
        try:
            while more := self.desk.bus.transact(self.shelf, lambda work, locked: self._next(work, uuid, locked=locked)):
                worked += more
        except StoreFailed:
            raise
        except Exception as wrong:  # noqa: BLE001 - as above: it is said, and the others go on
            _log.error("the clocks of case %s could not be worked: %s", uuid, wrong, exc_info=not isinstance(wrong, CasekitError))
            self.broken += 1
            self.stuck |= {uuid} if worked else set()
        self.cases += bool(worked)
        self.entries += worked

    def _next(self, work: Work, uuid: str, *, locked: bool) -> int:
        stream = work.stream(uuid, "case", locked=locked)
        wake = stream.head["machine"].get("wake")
        return self._tick(work, stream, wake) if wake is not None and wake <= self.upto else 0

    def _tick(self, work: Work, stream: Stream, upto: str = "") -> int:
        definition = self.desk.library.pinned(self.shelf, stream.head["definition"])
        return len(self.desk.bus.tick(work, stream, definition, upto or self.upto, self.recorded))
