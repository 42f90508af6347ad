"""What is due: clocks of many cases, worked off in batches; and what becomes of an imported case's clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import frozen

from casekit.desk import outbox
from casekit.desk.bus import TICK, Bus
from casekit.desk.turn import Call, Spec, Turn
from casekit.desk.work import Work
from casekit.errors import BadInput, Conflict
from casekit.model.actor import Actor
from casekit.model.time import moment
from casekit.store import reading
from casekit.store.shelf import Shelf, Taken

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

RESUME = Spec("resume", "case.resume")
BATCH = 100
"""Cases in one transaction."""

Resumption = Literal["confirm", "cancel", "keep"]


@frozen
class Worked:
    """What a sweep did.

    Attributes:
        cases: Cases whose clocks spoke.
        entries: Entries that they wrote.
        delivered: Outbox entries that every listener has heard.
        failed: Outbox entries that will be told again, because a listener raised.
    """

    cases: int = 0
    entries: int = 0
    delivered: int = 0
    failed: int = 0


def run_due(desk: Desk, actor: Actor, now: str | None = None) -> Worked:
    """Lets every clock speak that is due, then delivers the outbox. Doing it twice does nothing more.

    Args:
        desk: The desk.
        actor: Who sweeps.
        now: Canonical instant up to which clocks are due; None: the present. One that lies ahead of the desk's clock
            is believed: what it finds is recorded at that instant.

    Raises:
        Denied: the actor may not sweep.
    """
    desk.bus.authorise(Call(TICK, actor), None)
    shelf = desk.shelf(actor.tenant)
    shelf.demand_own("working off what is due")
    if now is not None:
        moment(now)
    present = desk.now()
    upto = now or present
    recorded = max(upto, present)
    swept = entries = 0
    while waiting := reading.due(shelf, upto, BATCH):
        cases, written = _sweep(desk, shelf, waiting, upto, recorded)
        swept, entries = swept + cases, entries + written
    delivered, failed = outbox.deliver(desk, shelf, recorded)
    return Worked(swept, entries, delivered, failed)


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


def _sweep(desk: Desk, shelf: Shelf, cases: list[str], upto: str, recorded: str) -> tuple[int, int]:
    """One batch in one transaction; where another was faster, case by case."""
    work = desk.work(shelf)
    try:
        written = sum(_tick(desk.bus, work, case, upto, recorded) for case in cases)
        work.flush()
    except (Conflict, Taken):
        written = sum(
            desk.bus.transact(shelf, lambda own, locked, case=case: _tick(desk.bus, own, case, upto, recorded, locked=locked))  # type: ignore[misc]
            for case in cases
        )
    return len(cases), written


def _tick(bus: Bus, work: Work, case: str, upto: str, recorded: str, *, locked: bool = False) -> int:
    stream = work.stream(case, "case", locked=locked)
    definition = bus.desk.library.pinned(work.shelf, stream.head["definition"])
    return len(bus.tick(work, stream, definition, upto, recorded))
