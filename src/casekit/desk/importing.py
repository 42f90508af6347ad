"""Logs of other systems as cases: read whole and checked, then recorded a hundred cases at a time.

The identity of an imported event is its source, its trace and its ordinal there. One idempotency key per trace
leads to its case, and the head of the case says how many of its events are on record; so a second run records
nothing, a run that was interrupted goes on where it stopped, and a log that has grown at the end of a case
continues it. A trace's id may name a person or a plate: it is kept as a keyed digest, and sealed with the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from casekit.decisions.compiled import Compiled
from casekit.definition.casetype import ENDED
from casekit.definition.load import read_case_type
from casekit.definition.maps import check_map, read_map
from casekit.desk.importing_steps import Loss, Names, Step, Steps, Trail
from casekit.desk.importing_turns import IMPORT, call_of, go_on_by, leave, open_by
from casekit.desk.opening import Opening
from casekit.desk.traces import cases_of, digest_of
from casekit.desk.turn import Call, Turn
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput, Problem
from casekit.model.actor import Actor
from casekit.model.canonical import Json, encode
from casekit.model.log import LogTrace
from casekit.model.time import effective, from_micros, micros
from casekit.plugins.declared import Importer
from casekit.store.shelf import Shelf, writing
from casekit.store.writing import IDEMPOTENCY

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

AT_ONCE = 100
"""Cases that one transaction takes in."""

KEPT = 50_000
"""Events up to which a log that was checked stays in memory; a longer one is read again."""

SAID = 20
"""Problems that are named before the check of a log gives up."""

Progress = Callable[[int, int], None]


@frozen
class Nonconforming:
    """An event that was recorded although something speaks against it.

    Attributes:
        case: Id of its trace.
        event: Its name.
        reason: Rule and words of everything that speaks against it.
    """

    case: str
    event: str
    reason: str


@frozen
class Imported:
    """What an import did.

    Attributes:
        cases: Traces read.
        events: Events read.
        new: Events recorded in this run.
        accepted: Of these, events that nothing speaks against.
        nonconforming: The others, in the order of the log.
        unknown: Of the accepted, events with a rule that could not be judged because data is missing.
        loss: Attribute → what became of its occurrences, over all that was read.
    """

    cases: int
    events: int
    new: int
    accepted: int
    nonconforming: tuple[Nonconforming, ...]
    unknown: int
    loss: Mapping[str, Loss]


def run(
    desk: Desk,
    actor: Actor,
    file: str | Path,
    map_path: str | Path,
    *,
    format_key: str = "xes",
    live_from: date | datetime | str | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Imports a log.

    Args:
        desk: The desk.
        actor: Who imports; needs the permission ``import.run`` for the case type.
        file: The log.
        map_path: The map, which names its case type.
        format_key: The importer that reads the log.
        live_from: From when on what happened is told to those who listen: earlier events never reach the outbox.
            None: from now on, so nothing of the log does.
        progress: Called now and then with how much is done, and how much there is to do: twice the bytes of the
            file, once to check it and once to record it.

    Raises:
        BadInput: map, case type or log can't be read or make no sense, or the log differs in what is on record
            already; nothing was written.
        Denied: the actor may not import.
    """
    importing = _Importing(desk, actor, file, map_path, format_key, live_from, progress)
    return importing.run()


@define
class _Result:
    """What was recorded so far."""

    new: int = 0
    unknown: int = 0
    nonconforming: list[Nonconforming] = field(factory=list)

    def add(self, other: _Result) -> None:
        self.new += other.new
        self.unknown += other.unknown
        self.nonconforming += other.nonconforming


class _Importing:
    """One run over one log."""

    def __init__(
        self,
        desk: Desk,
        actor: Actor,
        file: str | Path,
        map_path: str | Path,
        format_key: str,
        live_from: date | datetime | str | None,
        progress: Progress | None,
    ) -> None:
        self.desk, self.actor, self.file, self.progress = desk, actor, Path(file), progress
        self.map = Path(map_path)
        desk.bus.authorise(Call(IMPORT, actor), None)  # before anybody learns from it which files there are
        self.rules = read_map(self.map)
        self.definition = self._definition()
        desk.bus.authorise(Call(IMPORT, actor), self.definition.says.key)
        self.format = _format(desk, format_key)
        self.shelf: Shelf = desk.shelf(actor.tenant)
        self.shelf.demand_own("an import")
        self.now: str = desk.work(self.shelf).now()
        zone = self.rules.time.zone or self.definition.says.zone
        self.live_from = self.now if live_from is None else effective(live_from, zone).at
        self.zone = zone
        self.cases = self.events = self._size = 0
        self._fitting = {self.definition.digest}

    def run(self) -> Imported:
        """Checks the whole log, then records what of it is new."""
        steps = self._steps()
        kept = self._check(steps)
        result = _Result()
        trails = iter(kept) if kept is not None else map(self._steps().trail, self._traces(part=1))
        done = 0
        for batch in _batches(trails):
            result.add(self._record(batch))
            done += len(batch)
            if self.progress is not None and kept is not None:
                self.progress(self._size + self._size * done // len(kept), 2 * self._size)
        failed = result.nonconforming
        return Imported(self.cases, self.events, result.new, result.new - len(failed), tuple(failed), result.unknown, steps.loss())

    def _definition(self) -> Compiled:
        path = self.map.parent / self.rules.case_type
        case_type = read_case_type(path)
        check_map(self.rules, case_type, str(self.map))
        for calendar in self.rules.calendars:
            self.desk.add_calendar(self.map.parent / calendar)
        return self.desk.library.add(case_type, str(path), current=False)

    def _steps(self) -> Steps:
        return Steps(str(self.file), self.rules, self.definition, self.now)

    def _traces(self, part: int) -> Iterator[LogTrace]:
        """The traces of the file; both readings of it count as half of what there is to do."""

        def told(read: int, size: int) -> None:
            self._size = size
            if self.progress is not None:
                self.progress(part * size + read, 2 * size)

        return self.format.read(self.file, told)

    def _check(self, steps: Steps) -> list[Trail] | None:
        """Reads the whole log; gives its trails, or None where there are too many to be kept.

        Raises:
            BadInput: what is wrong with it, up to :data:`SAID` problems.
        """
        names, problems = Names(), list[Problem]()
        kept: list[Trail] | None = []

        def read() -> Iterator[Trail]:
            for trace in self._traces(part=0):
                try:
                    trail = steps.trail(trace)
                    names.take(trail)
                except BadInput as wrong:
                    problems.extend(wrong.problems)
                    if len(problems) >= SAID:
                        return
                    continue
                yield trail

        for batch in _batches(read()):
            self.cases += len(batch)
            self.events += sum(len(trail.steps) for trail in batch)
            problems += self._changed(batch)
            if kept is not None:
                kept += batch
                kept = kept if self.events <= KEPT else None
        if problems:
            raise BadInput(problems[:SAID])
        return kept

    def _changed(self, batch: Sequence[Trail]) -> Iterator[Problem]:
        """Traces that no longer begin with the events that are on record of them."""
        known_cases = self._known(self.desk.work(self.shelf), batch)
        for trail in batch:
            if trail.id not in known_cases:
                continue
            head = known_cases[trail.id].head
            self._fits(head["definition"])
            known = head["imported"]
            if known["events"] <= len(trail.steps) and known["seen"] != self._seen(trail, known["events"]):
                what = f"the first {known['events']} events of {trail.id!r} are not those that were imported before"
                yield Problem(trail.where, what, "take the trace out, or import the log under another source name: source in the map")

    def _fits(self, digest: str) -> None:
        """Refuses a map that does not fit the version of the case type that a running case is pinned to.

        Raises:
            BadInput: what that version does not know.
        """
        if digest not in self._fitting:
            says = self.desk.library.pinned(self.shelf, digest).says
            check_map(self.rules, says, f"{self.map} (for cases of version {says.version} of {says.key})")
            self._fitting.add(digest)

    def _known(self, work: Work, batch: Sequence[Trail]) -> dict[str, Stream]:
        """The cases of traces that are on record, by the trace's id."""
        found = cases_of(self.shelf, self.rules.source, [trail.id for trail in batch])
        work.load(list(found.values()))
        return {trace: work.streams[uuid] for trace, uuid in found.items()}

    def _seen(self, trail: Trail, count: int) -> str:
        """A keyed digest of what the first events were, and when."""
        said = [[step.name, str(step.when)] for step in trail.steps[:count]]
        return self.shelf.vault.idempotency(encode(said)).hex()[:32]

    def _record(self, batch: Sequence[Trail]) -> _Result:
        """Records what is new in some traces, in one transaction."""

        def once(work: Work) -> _Result:
            result = _Result()
            known = self._known(work, batch)
            for trail in batch:
                self._continue(work, trail, known.get(trail.id), result)
            return result

        if not self.definition.says.number:
            return self.desk.bus.transact(self.shelf, lambda work, _: once(work))
        work = self.desk.work(self.shelf)
        with writing(self.shelf) as connection:  # numbers are drawn inside, so that there are no gaps
            result = once(work)
            work.flush(connection)
        self.desk.library.published(work)
        return result

    def _continue(self, work: Work, trail: Trail, stream: Stream | None, result: _Result) -> None:
        """Records the events of a trace that are not on record."""
        done = 0 if stream is None else stream.head["imported"]["events"]
        steps = trail.steps[done:]
        if not steps:
            return
        recorded = work.now()
        hold = stream is None or _is_held(stream.head)
        imported: Json = {"source": self.rules.source, "events": len(trail.steps), "seen": self._seen(trail, len(trail.steps))}
        for step in steps:
            mark = imported if step is steps[-1] else None
            if stream is None:
                stream, turn = self._open(work, trail, step, mark)
            else:
                turn = self._go_on(work, stream, step, recorded, mark, hold=hold)
            _count(trail, step, turn, result)

    def _open(self, work: Work, trail: Trail, step: Step, mark: Json | None) -> tuple[Stream, Turn]:
        call = call_of(step, self.rules.source, self.actor, opens=True)
        call.sealed["trace"] = trail.id
        if trail.raw:
            call.sealed["trace_raw"] = trail.raw
        opening = Opening(self.desk, call, self.definition.says.key, {**trail.data, **step.data}, {}, self.zone, {})
        opening.definition, opening.complete = self.definition, False

        def then(turn: Turn) -> None:
            open_by(turn, step)
            if mark is not None:
                leave(turn, mark, hold=True)

        opening.then = then
        work.live = step.when.at >= self.live_from
        stream, turn = opening.begin(work, opening.drawn(work))
        key = (work.shelf.tenant, digest_of(self.shelf, self.rules.source, trail.id), self._request(trail), stream.sid, 1, stream.recorded)
        work.add(IDEMPOTENCY, key)
        return stream, turn

    def _request(self, trail: Trail) -> bytes:
        return self.shelf.vault.idempotency(encode(["import", self.rules.source, trail.id]))

    def _go_on(self, work: Work, stream: Stream, step: Step, recorded: str, mark: Json | None, *, hold: bool) -> Turn:
        definition = self.desk.library.pinned(self.shelf, stream.head["definition"])
        self._tick(work, stream, definition, max(stream.head["time"], step.when.at), recorded)
        work.live = step.when.at >= self.live_from
        turn = Turn(self.desk, call_of(step, self.rules.source, self.actor, opens=False), work, stream, definition, step.when)
        go_on_by(turn, step)
        if mark is not None:
            leave(turn, mark, hold=hold)
        turn.finish(recorded, new_uuid())
        return turn

    def _tick(self, work: Work, stream: Stream, definition: Compiled, upto: str, recorded: str) -> None:
        """Lets the clocks speak that were due between two events; before ``live_from`` nobody is told."""
        wake = stream.head["machine"].get("wake")
        if wake is None or wake > upto:
            return
        work.live = False
        quiet = from_micros(micros(self.live_from) - 1)
        self.desk.bus.tick(work, stream, definition, min(upto, quiet), recorded, held=True)
        work.live = True
        self.desk.bus.tick(work, stream, definition, upto, recorded, held=True)


def _is_held(head: Json) -> bool:
    """Whether a case that a log goes on with is held at its end: it was, it was over, or nothing has ever fallen due in it."""
    untouched = bool(head["imported"].get("idle")) and not head["machine"]["clocks"]
    return untouched or bool(head.get("held")) or head["machine"]["category"] in ENDED


def _format(desk: Desk, key: str) -> Importer:
    importers = desk.catalogue.declared.importers
    if key not in importers:
        raise BadInput.at("format", f"no plugin reads {key!r}", "formats are: " + (", ".join(sorted(importers)) or "none"))
    return importers[key][0]


def _batches(trails: Iterable[Trail]) -> Iterator[list[Trail]]:
    rest = iter(trails)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch


def _count(trail: Trail, step: Step, turn: Turn, result: _Result) -> None:
    result.new += 1
    if turn.objections:
        reason = "; ".join(f"{objection.rule}: {objection.reason}" for objection in turn.objections)
        result.nonconforming.append(Nonconforming(trail.id, step.name, reason))
    elif turn.unknown:
        result.unknown += 1
