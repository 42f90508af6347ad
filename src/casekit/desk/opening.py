"""Opening a case: its data, its parties, its number, what is charged and which clocks start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from casekit.decisions import totals
from casekit.decisions.machine import Run
from casekit.definition.casetype import CaseType
from casekit.desk import levels
from casekit.desk.bus import resolve
from casekit.desk.cases import check_roles, data_change
from casekit.desk.library import log
from casekit.desk.timeline import answer_again
from casekit.desk.turn import Call, Spec, Turn, clear
from casekit.desk.values import Done
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput, Denied, Refused
from casekit.model.answers import Objection
from casekit.model.canonical import Json
from casekit.model.ledger import Posting
from casekit.model.money import Money
from casekit.model.time import Effective, zone_named
from casekit.plugins.catalogue import guarded
from casekit.plugins.view import Command
from casekit.record.fold import fold
from casekit.store.writing import draw

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

OPEN = Spec("open", "case.open")

_SEQ = re.compile(r"\{seq(?::(0\d{1,2}))?\}")
Parties = Mapping[str, Sequence[str]]
"""Role → UUIDs of parties."""


class Opening:
    """A case being opened.

    Args:
        desk: The desk.
        call: The command; its args hold data and parties.
        type_key: Which case type.
        data: Case data, canonical.
        parties: Who plays which role.
        zone: The case's own zone; empty: that of the case type.
        more: Further members of the head.

    Attributes:
        definition: What the case is pinned to.
        complete: Whether required fields must be there; an import reports those that are not, and opens the case.
        then: What else happens in the opening entry, once the initial state is entered.
    """

    def __init__(self, desk: Desk, call: Call, type_key: str, data: Json, parties: Parties, zone: str, more: Json) -> None:
        self.desk, self.call, self.data, self.more = desk, call, data, more
        self.definition = desk.library.current(type_key)
        self.parties = [(role, party) for role, given in parties.items() for party in given]
        self.zone = zone or self.definition.says.zone
        zone_named(self.zone)
        self.complete = True
        self.then: Callable[[Turn], None] | None = None

    def run(self, batch: Work | None = None) -> Done:
        """Opens it; in a transaction of its own, or within the batch."""
        shelf = self.desk.shelf(self.call.actor.tenant)

        def act() -> Done:
            self.desk.bus.authorise(self.call, self.definition.says.key, batch=batch)
            return self._run(batch)

        try:
            return self.desk.bus.keyed(shelf, self.call, act, lambda uuid, n: answer_again(self.desk, self.call.actor, shelf, uuid, n))
        except Denied:
            raise
        except Refused as refused:
            self._log_refused(refused.objections, batch)
            raise

    def _run(self, batch: Work | None) -> Done:
        if batch is not None:
            return self.within(batch, self.drawn(batch))
        numbered = bool(self.definition.says.number)
        if numbered:
            self._form()  # before the lock, inside which the number is drawn: no gaps, and none twice
        shelf = self.desk.shelf(self.call.actor.tenant)
        return self.desk.bus.transact(shelf, lambda work, _: self.within(work, self.drawn(work)), inside=numbered)

    def within(self, work: Work, number: str) -> Done:
        """Opens it within a transaction."""
        stream, turn = self.begin(work, number)
        self.desk.bus.remember(work, self.call, stream)
        case = self.desk.case_left(work, stream, self.definition)
        return Done(case, (1,), case.due, objections=tuple(turn.objections), unknown=tuple(turn.unknown))

    def begin(self, work: Work, number: str) -> tuple[Stream, Turn]:
        """Appends the opening entry; gives the new stream and what was decided."""
        recorded = work.now()
        command = new_uuid()
        when = resolve(self.call.effective, recorded, self.zone)
        says = self.definition.says
        self.desk.library.publish(work, self.definition, recorded, command)
        stream = work.new("case")
        changes = self._first(work, stream, when, number)
        draft = Stream(stream.sid, stream.uuid, "case", 0, 0, stream.hash, "", _folded(changes), "")
        turn = Turn(self.desk, self.call, work, draft, self.definition, when)
        turn.changes = changes
        self._guard(turn)
        if turn.objections and not self.call.observed:
            raise Refused(turn.objections)
        self._charge(turn.run, changes, when)
        turn.run.happened.append(f"opened.{says.key}")
        turn.run.enter()
        if self.then is not None:
            self.then(turn)
        turn.finish(recorded, command, onto=stream)
        return stream, turn

    def drawn(self, batch: Work) -> str:
        """The next human number, drawn within the open transaction; empty where the type has none."""
        if not self.definition.says.number:
            return ""
        name, pattern = self._sequence(batch)
        return _number(pattern, draw(batch.shelf, batch.shelf.connection, name))

    def _sequence(self, work: Work) -> tuple[str, str]:
        """Name of the sequence and the pattern with its year filled in: each year counts anew."""
        says = self.definition.says
        when = resolve(self.call.effective, work.now(), self.zone)
        return sequence_of(says.number, when.day or when.at)

    def _form(self) -> Json:
        part = "open" if self.complete else "change"
        form = self.desk.library.form(self.definition, part, self.definition.says.data, complete=self.complete)
        return form.check(self.data, "data")

    def _first(self, work: Work, stream: Stream, when: Effective, number: str) -> list[Json]:
        says = self.definition.says
        values = self._form()
        head: Json = {"type": says.key, "definition": self.definition.digest, "edition": self.desk.library.edition}
        head |= {"opened": when.at, "time": when.at, "zone": self.zone, **self.desk.library.calendars.pins(self.definition), **self.more}
        if number:
            head["number"] = number
        if currency := _currency(says, values):
            head["currency"] = currency
        roles = check_roles(work, says, self.parties)
        owners = dict(reversed(roles))
        changes: list[Json] = [{"c": "open", "stream": "case", "set": head}]
        data = data_change(work, stream.uuid, says.data, values, owners, {})
        if data:
            changes.append(data)
        changes += levels.change({}, {levels.CASE: says.level}, self.desk.levels.names[0])
        changes += [{"c": "role", "role": role, "party": party} for role, party in roles]
        if currency and says.totals:
            changes.append({"c": "totals", "set": totals.nothing(self.definition, currency)})
        return changes

    def _guard(self, turn: Turn) -> None:
        asked = self._asked()
        if not asked:
            return
        command = Command("open", turn.file.data, turn.effective.at, self.call.actor.name)
        for one in asked:
            turn.spoke[one.plugin.name] = one.plugin.version
            turn.objections += guarded(one, view=turn.view(one.needs, one.plugin.name), command=command)

    def _asked(self) -> list[Any]:
        return self.desk.catalogue.implementations("casekit_before", self.definition.says.key)

    def _charge(self, run: Run, changes: list[Json], when: Effective) -> None:
        """What the case type charges on opening."""
        for component, expression in self.definition.opening:
            text = expression.canonical(run.inputs)
            if text is None:
                continue
            amount = Money.parse(text)
            if not amount:
                continue
            if amount.minor < 0:
                raise BadInput.at(f"ledger/opening/{component}", f"{amount} can't be charged", "charge positive amounts")
            place: Json = {"at": when.at, "zone": when.zone, **({"day": when.day} if when.day else {})}
            change = {"c": "posting", "kind": "charge", "component": component, "minor": amount.minor, "currency": amount.currency, **place}
            changes.append(change)
            run.post(Posting(f"1.{len(changes) - 1}", "charge", component, amount, when.at))

    def _log_refused(self, objections: Iterable[Objection], batch: Work | None) -> None:
        """A case that was never opened has no stream: its refusal goes to the desk log, without words."""
        actor = self.call.actor
        about: dict[str, object] = {"command": "open", "type": self.definition.says.key, "objections": [clear(o) for o in objections]}

        def once(work: Work, locked: bool) -> None:  # noqa: ARG001 - the shape that transact asks for
            recorded = work.now()
            log(work, f"denied/{recorded[:10]}", "refused", about, actor=actor.name, recorded=recorded, command=new_uuid())

        if batch is None:
            self.desk.bus.transact(self.desk.shelf(actor.tenant), once)
        else:
            once(batch, True)


def _folded(changes: list[Json]) -> Json:
    return fold(None, changes, 1)[0]


def _currency(says: CaseType, values: Json) -> str:
    if says.ledger is None:
        return ""
    if says.ledger.currency:
        return says.ledger.currency
    for name, field in says.data.items():
        if field.schema.get("format") == "money" and name in values:
            return str(values[name])[-3:]
    raise BadInput.at("data", "no amount of money is given, so the currency of the ledger is not known", "give one")


def sequence_of(number: str, day: str) -> tuple[str, str]:
    """Name of the sequence that numbers a case of that day, and the pattern with its year filled in."""
    pattern = number.replace("{year}", day[:4])
    return _SEQ.sub("#", pattern), pattern


def _number(pattern: str, value: int) -> str:
    return _SEQ.sub(lambda m: format(value, m[1] or "d"), pattern)
