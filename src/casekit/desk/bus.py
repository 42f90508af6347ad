"""The command bus: the one way in.

Load → authorise → let due clocks speak → decide, asking the plugins on a frozen view → write, where the
stream is still as it was read. After one conflict the whole is done again inside the lock. What a command
decides is written down as results; a refusal is an entry of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeVar

from casekit.__about__ import __version__
from casekit.decisions.compiled import Compiled
from casekit.desk.library import log
from casekit.desk.timeline import answer_again
from casekit.desk.turn import Call, Spec, Turn
from casekit.desk.values import Done
from casekit.desk.work import Stream, TooWide, Work, new_uuid
from casekit.errors import BadInput, Conflict, Denied, KeyReused, Refused, Stale
from casekit.model.actor import Actor
from casekit.model.answers import Objection
from casekit.model.canonical import Json, encode, plain
from casekit.model.time import Effective, effective
from casekit.store import reading
from casekit.store.shelf import Shelf, Taken, queued, writing
from casekit.store.writing import IDEMPOTENCY

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


_T = TypeVar("_T")

COOLING = 1.0
"""Seconds for which a case stays hot after a conflict."""

MOST_HOT = 1000
"""Cases of which that is remembered."""

ATTEMPTS = 12
"""How often a command is decided inside the lock before a conflict is told."""

CLOCK = "system:clock"
"""The actor of entries that clocks write."""


class Bus:
    """Takes commands on cases."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._clocks: dict[str, Actor] = {}
        self._hot: dict[str, float] = {}

    def on_case(self, call: Call, case: str, decide: Callable[[Turn], None], batch: Work | None = None) -> Done:
        """Gives a command to a case.

        Args:
            call: The command.
            case: UUID of the case.
            decide: Decides on a turn: adds changes, or objections.
            batch: The transaction to take part in; None: one of its own.

        Raises:
            Refused: an asked command met objections; the refusal is on the journal.
            Denied: the actor has no permission.
            Stale: the case has changed since the caller read it.
            KeyReused: the idempotency key came with another request.
            BadInput: something is not valid; nothing was written.
        """
        shelf = self.desk.shelf(call.actor.tenant)

        def once(work: Work, locked: bool) -> tuple[Turn, list[int], Refused | None]:
            return self._decide(work, call, case, decide, locked=locked)

        def act() -> Done | Refused:
            try:
                turn, entries, refusal = once(batch, False) if batch is not None else self.transact(shelf, once, hot=case)
            except Denied as denied:
                self.log_denied(call.actor, call.spec.name, denied, case, batch)
                raise
            if refusal is not None:
                return refusal  # it is written: that is no failure, and nobody need look for another's answer
            value = self.desk.case_left(turn.work, turn.stream, turn.definition)
            return Done(value, tuple(entries), value.due, turn.made, tuple(turn.objections), tuple(turn.unknown), turn.accepted)

        found = self.keyed(shelf, call, act, lambda uuid, n: answer_again(self.desk, call.actor, shelf, uuid, n))
        if isinstance(found, Refused):
            raise found
        return found

    def keyed(self, shelf: Shelf, call: Call, act: Callable[[], _T], answer: Callable[[str, int], _T]) -> _T:
        """Does what has not been done under the call's idempotency key; otherwise gives the first answer.

        Another may have done it while this one was at it: then what came of trying (it was too late, it is not possible
        any more, the key was taken) means nothing, and the other's answer stands.

        Raises:
            KeyReused: the key came with another request.
        """
        known = self.answer_of(shelf, call)
        if known is None:
            try:
                return act()
            except Denied:
                raise  # it is in the log, and nobody else's doing
            except (BadInput, Conflict, Refused, Taken) as wrong:
                known = None if isinstance(wrong, KeyReused) else self.answer_of(shelf, call)
                if known is None:
                    raise
        return answer(*known)

    def transact(self, shelf: Shelf, once: Callable[[Work, bool], _T], *, inside: bool = False, hot: str = "") -> _T:
        """Does something in a transaction of its own; after one conflict, again inside the lock.

        Where a rule asks about other cases, the transaction is serializable, and such transactions go one at a time: beside
        each other, most would fail. In a host's transaction it is done once.

        Args:
            shelf: Where.
            once: What is done; told whether it is inside the lock.
            inside: Whether it must be inside the lock from the beginning.
            hot: The case that it is about: where several have just been in each other's way on it, it is inside from
                the beginning on PostgreSQL, where the lock is that case's alone.

        Raises:
            Conflict: another was in the way, again and again; or in a host's transaction.
        """
        if shelf.joined:
            return self._once_joined(shelf, once)
        serial = False
        if not inside and (shelf.sqlite or time.monotonic() > self._hot.get(hot, 0.0)):
            work = self.desk.work(shelf)
            work.wide = False
            try:
                result = once(work, False)
                work.flush()
            except (Conflict, Taken) as wrong:
                serial = isinstance(wrong, TooWide)
                if hot and not serial:
                    self._heat(hot)
            else:
                self.desk.library.published(work)
                return result
        return self._inside(shelf, once, serial=serial)

    def _heat(self, case: str) -> None:
        if len(self._hot) >= MOST_HOT:
            self._hot.clear()
        self._hot[case] = time.monotonic() + COOLING

    def _inside(self, shelf: Shelf, once: Callable[[Work, bool], _T], *, serial: bool) -> _T:
        taken = False
        for left in reversed(range(ATTEMPTS)):
            work = self.desk.work(shelf)
            work.wide = serial or shelf.sqlite
            try:
                with queued(shelf, serial), writing(shelf, serial=serial) as connection:
                    result = once(work, True)
                    work.flush(connection)
            except (Conflict, Taken) as wrong:
                serial = serial or isinstance(wrong, TooWide)
                if not left or (taken and isinstance(wrong, Taken)):
                    raise  # a key that stays taken is another's
                taken = isinstance(wrong, Taken)
            else:
                self.desk.library.published(work)
                return result
        raise AssertionError

    def _once_joined(self, shelf: Shelf, once: Callable[[Work, bool], _T]) -> _T:
        work = self.desk.work(shelf)
        work.wide = shelf.serial
        try:
            with writing(shelf) as connection:
                result = once(work, True)
                work.flush(connection)
        except Taken as wrong:
            raise Conflict(f"{wrong} (roll the host's transaction back, and try again)") from wrong
        return result

    def tick(self, work: Work, stream: Stream, definition: Compiled, upto: str, recorded: str, *, held: bool = False) -> list[int]:
        """Lets clocks speak that are due by an instant, an entry for each due instant; gives the entries.

        ``held``: also on a case whose clocks are not swept yet, as an import does between the events of a log.
        """
        entries: list[int] = []
        call = Call(TICK, self._clock_of(work.shelf.tenant), observed=True)
        while (held or not stream.head.get("held")) and (wake := stream.head["machine"].get("wake")) is not None and wake <= upto:
            turn = Turn(self.desk, call, work, stream, definition, Effective(wake, stream.head["zone"]))
            turn.run.tick()
            turn.write(recorded, new_uuid())
            entries.append(stream.n)
        return entries

    def _clock_of(self, tenant: str) -> Actor:
        """Who acts where clocks speak."""
        found = self._clocks.get(tenant)
        if found is None:
            found = self._clocks[tenant] = Actor(CLOCK, frozenset(), tenant)
        return found

    def _decide(
        self, work: Work, call: Call, case: str, decide: Callable[[Turn], None], *, locked: bool
    ) -> tuple[Turn, list[int], Refused | None]:
        recorded = work.now()
        stream = work.stream(case, "case", locked=locked)
        head = stream.head
        self.desk.levels.demand(call.actor, head, case)
        self.demand(call.actor, call.spec.permission, head["type"])
        definition = self.desk.library.pinned(work.shelf, head["definition"])
        when = resolve(call.effective, recorded, head["zone"])
        seen = head["version"]
        command = new_uuid()
        entries = self.tick(work, stream, definition, max(head["time"], when.at), recorded)
        turn = Turn(self.desk, call, work, stream, definition, when)
        refusal: Refused | None = None
        if call.version is not None and call.version != seen:
            turn.objections.append(_stale(call.version, seen))
            refusal = Stale(turn.objections)
        else:
            decide(turn)
            if turn.objections and not call.observed:
                refusal = Refused(turn.objections)
        if refusal is None:
            turn.finish(recorded, command)
        else:
            turn.refuse(recorded, command)
        entries.append(stream.n)
        self.remember(work, call, stream)
        return turn, entries, refusal

    def authorise(self, call: Call, case_type: str | None, case: str = "", batch: Work | None = None) -> None:
        """Refuses an actor without the permission of a command; the attempt goes to the desk log of the day.

        Raises:
            Denied: it lacks the permission.
        """
        try:
            self.demand(call.actor, call.spec.permission, case_type)
        except Denied as denied:
            self.log_denied(call.actor, call.spec.name, denied, case, batch)
            raise

    def demand(self, actor: Actor, permission: str, case_type: str | None = None) -> None:
        """Refuses an actor without a permission. It writes nothing, so that it can be asked within a transaction.

        Raises:
            Denied: it lacks the permission.
        """
        if self.desk.grants.allowed(actor, permission, case_type):
            return
        who = self.desk.grants.who((permission,), case_type)
        words = "{actor} has no permission {permission}."
        remedy = "take one of the roles " + ", ".join(who) if who else "no role has it: install the plugin that grants it"
        args = {"actor": actor.name, "permission": permission}
        raise Denied([Objection("casekit.permission", words, args, remedy=remedy, plugin="casekit", version=__version__)])

    def log_denied(self, actor: Actor, command: str, denied: Denied, case: str = "", batch: Work | None = None) -> None:
        """Writes a denied attempt into the desk log of the day; within a batch, as part of it."""
        shelf = self.desk.shelf(actor.tenant)
        permission = denied.objections[0].args["permission"]
        about: Json = {"command": command, "permission": permission, "roles": sorted(actor.roles)}
        if case:
            about["case"] = case

        def once(work: Work, locked: bool) -> None:  # noqa: ARG001 - the shape that transact asks for
            recorded = work.now()
            log(work, f"denied/{recorded[:10]}", "denied", about, actor=actor.name, recorded=recorded, command=new_uuid())

        if batch is None:
            self.transact(shelf, once)
        else:
            once(batch, True)

    def request_of(self, shelf: Shelf, call: Call) -> bytes:
        """The keyed digest of a request."""
        when = str(call.effective) if call.effective is not None else ""
        request = [call.spec.name, call.actor.name, call.args, when, call.observed, call.reason]
        try:
            return shelf.vault.idempotency(encode(request))
        except (TypeError, ValueError):  # values that JSON does not have, or that are not valid: said in words
            return shelf.vault.idempotency(encode(plain(request)))

    def answer_of(self, shelf: Shelf, call: Call) -> tuple[str, int] | None:
        """Stream and n of the first answer to a call with an idempotency key.

        Raises:
            KeyReused: the key came with another request.
        """
        if not call.key:
            return None
        known = reading.answered(shelf, self._key_of(shelf, call))
        if known is None:
            return None
        request, uuid, n = known
        if request != self.request_of(shelf, call):
            raise KeyReused.at("key", f"{call.key!r} came before, with another request", "use a fresh key for another request")
        return uuid, n

    def remember(self, work: Work, call: Call, stream: Stream) -> None:
        """Writes the idempotency key beside the entry."""
        if call.key:
            digest = self._key_of(work.shelf, call)
            if digest in work.keyed:
                raise KeyReused.at("key", f"{call.key!r} came before in this batch", "use a fresh key for each command of a batch")
            work.keyed.add(digest)
            row = (work.shelf.tenant, digest, self.request_of(work.shelf, call), stream.sid, stream.n, stream.recorded)
            work.add(IDEMPOTENCY, row)

    def _key_of(self, shelf: Shelf, call: Call) -> bytes:
        if not call.digest:
            call.digest = shelf.vault.idempotency(f"{call.actor.name}\0{call.key}")
        return call.digest


TICK = Spec("tick", "desk.due")


def resolve(when: date | datetime | str | Effective | None, recorded: str, zone: str) -> Effective:
    """Since when a command holds.

    Raises:
        BadInput: it lies later than now: nothing can be recorded before it holds.
    """
    if when is None:
        return Effective(recorded, zone)
    found = when if isinstance(when, Effective) else effective(when, zone)
    if found.at > recorded:
        raise BadInput.at("effective", f"{found} is later than now ({recorded})", "record it when it has happened")
    return found


def _stale(seen: int, version: int) -> Objection:
    words = "The case has changed: you have seen version {seen}, it is at {version}."
    return Objection("casekit.stale", words, {"seen": seen, "version": version}, remedy="read the case again", plugin="casekit")
