"""The command bus: the one way in.

Load → authorise → let due clocks speak → decide, asking the plugins on a frozen view → write, where the
stream is still as it was read. After one conflict the whole is done again inside the lock. What a command
decides is written down as results; a refusal is an entry of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field, frozen

from casekit.__about__ import __version__
from casekit.decisions.compiled import Compiled
from casekit.decisions.instances import ItemChange
from casekit.decisions.machine import Run
from casekit.decisions.requirements import Judged, judge
from casekit.definition.casetype import ENDED
from casekit.desk.casefile import CaseFile
from casekit.desk.library import log
from casekit.desk.permissions import CORE
from casekit.desk.sealing import seal_for
from casekit.desk.timeline import answer_again
from casekit.desk.values import Done
from casekit.desk.work import Stream, Work, new_uuid
from casekit.errors import BadInput, Denied, KeyReused, PluginFailed, Refused, Stale
from casekit.model.actor import Actor
from casekit.model.answers import Objection
from casekit.model.canonical import Json, encode, plain
from casekit.model.ledger import Posting
from casekit.model.money import Money
from casekit.model.time import Effective, effective
from casekit.plugins.catalogue import Asked, check_rule, guarded
from casekit.plugins.declared import Need
from casekit.plugins.view import Command, View
from casekit.store import reading
from casekit.store.shelf import Shelf, Taken, writing
from casekit.store.writing import IDEMPOTENCY, Conflict

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

_T = TypeVar("_T")

CLOCK = "system:clock"
"""The actor of entries that clocks write."""


@frozen
class Spec:
    """A command of the core.

    Attributes:
        name: Its name, which is the kind of its entries.
        permission: What the actor needs; must be one of the core's.
    """

    name: str
    permission: str

    def __attrs_post_init__(self) -> None:
        if self.permission not in CORE:
            raise TypeError(f"the command {self.name!r} declares no permission of the core")


@define
class Call:
    """A command as it was given.

    Attributes:
        spec: Which command.
        actor: Who gives it.
        args: Its arguments, for the idempotency digest; canonical but for amounts.
        key: Idempotency key; empty: none.
        effective: Since when it holds; None: from now.
        observed: Whether it has happened outside and can't be refused.
        reason: Why, in words.
        version: Version of the case that the caller has seen; None: any.
        force: Of an observed event: whether the move is made even where the lifecycle does not allow it.
        about: Further clear members of the entry's ``about``.
        sealed: Further members that are sealed with the case, canonical.
        digest: Keyed digest of ``key``; empty: not worked out yet.
    """

    spec: Spec
    actor: Actor
    args: Mapping[str, Any] = field(factory=dict)
    key: str = ""
    effective: date | datetime | str | Effective | None = None
    observed: bool = False
    reason: str = ""
    version: int | None = None
    force: bool = False
    about: Json = field(factory=dict)
    sealed: Json = field(factory=dict)
    digest: bytes = b""


class Turn:
    """One command on one case, being decided.

    Attributes:
        call, work, stream, definition: What it is about.
        file: The case as decisions see it.
        effective: Since when it holds.
        now: Case time of the step.
        run: The macrostep.
        changes: What will be written.
        objections: What rules have against it.
        unknown: Rules that could not be judged.
        accepted: Of an observed command: whether the lifecycle allowed it.
        made: Id of what the command makes.
    """

    def __init__(self, desk: Desk, call: Call, work: Work, stream: Stream, definition: Compiled, when: Effective) -> None:
        self.desk, self.call, self.work, self.stream, self.definition = desk, call, work, stream, definition
        self.file = CaseFile(work, stream, definition)
        self.effective = when
        head = stream.head
        self.now = max(head["time"], when.at)
        late = when.at < self.now and _any_breached(head)
        world = self.file.world(when.at if late else None, ledger=late)
        if definition.termed:
            world.calendars, world.counts = desk.library.calendars.of(work.shelf, head)
        self.run = Run(definition, head["machine"], world, self.now)
        self.changes: list[Json] = []
        self.objections: list[Objection] = []
        self.unknown: list[str] = []
        self.spoke: dict[str, str] = {}
        self.accepted = True
        self.made = ""
        self._views: dict[tuple[Need, ...] | None, View] = {}

    @property
    def n(self) -> int:
        """The n that its entry will have."""
        return self.stream.n + 1

    @property
    def at(self) -> Json:
        """Effective time as a change carries it."""
        when: Json = {"at": self.effective.at, "zone": self.effective.zone}
        if self.effective.day:
            when["day"] = self.effective.day
        return when

    @property
    def goes_on(self) -> bool:
        """Whether the change is made: nothing objects, or it has happened anyway."""
        return self.call.observed or not self.objections

    def change(self, **change: Any) -> str:
        """Writes a change down; gives the id that its row will have."""
        self.changes.append(change)
        return f"{self.n}.{len(self.changes) - 1}"

    def view(self, needs: tuple[Need, ...] | None = None) -> View:
        """The case file as it was before this command: whole, or what a guard with those needs sees of it."""
        found = self._views.get(needs)
        if found is None:
            found = self._views[needs] = self.file.view(self.now, needs)
        return found

    def postings(self) -> tuple[Posting, ...]:
        """The ledger, with what this command has posted so far."""
        own = [
            Posting(f"{self.n}.{i}", c["kind"], c["component"], Money.of_minor(c["minor"], c["currency"]), c["at"], c.get("reverses"))
            for i, c in enumerate(self.changes)
            if c["c"] == "posting"
        ]
        return (*self.file.postings(), *own)

    def require(self, keys: Collection[str], fields: Mapping[str, Any]) -> bool:
        """Judges requirements; whether none of them is broken."""
        if not keys:
            return True
        self.run.inputs.event = fields
        own = self.definition.requirements
        if all(key in own and own[key][1].holds(self.run.inputs) for key in keys):
            return True  # nothing to be explained
        judged = judge(self.definition, keys, self.run.inputs, self.foreign(keys))
        broken = [j for j in judged if j.met is False or j.failed]
        unknown = [j for j in judged if j.met is None and not j.failed]
        self.objections += [j.objection() for j in broken]
        self.unknown += [j.key for j in unknown]
        if not self.call.observed:
            self.objections += [j.objection() for j in unknown]
        return not broken

    def foreign(self, keys: Iterable[str]) -> dict[str, Judged]:
        """What plugins say to requirements that are theirs."""
        found = {}
        for key in keys:
            if key in self.definition.foreign:
                found[key] = self._ask_rule(key)
        return found

    def guard(self, command: str, fields: Mapping[str, Any], **values: Any) -> None:
        """Asks the case type's guards and the plugins' about a command."""
        self.require(self.definition.says.guards.get(command, ()), fields)
        if self.asked("casekit_before"):
            self.ask("casekit_before", command=Command(command, values, self.effective.at, self.call.actor.name))

    def asked(self, hook: str) -> list[Asked]:
        """Who answers a hook for this case."""
        return self.desk.catalogue.implementations(hook, self.definition.says.key)

    def ask(self, hook: str, **arguments: Any) -> None:
        """Asks the guards of one hook."""
        for asked in self.asked(hook):
            self.spoke[asked.plugin.name] = asked.plugin.version
            if objections := guarded(asked, view=self.view(asked.needs), **arguments):
                self.objections += objections

    def post(self, kind: Any, component: str, amount: Any, reverses: str | None = None, sealed: Any = None) -> Posting:
        """Writes a posting and counts it."""
        known = self.postings() if reverses is not None else ()
        taken_back = next((p for p in known if p.id == reverses), None) if reverses is not None else None
        change: Json = {"c": "posting", "kind": kind, "component": component, "minor": amount.minor, "currency": amount.currency, **self.at}
        if reverses is not None:
            change["reverses"] = reverses
        if sealed:
            change["sealed"] = sealed
        self.made = self.change(**change)
        posting = Posting(self.made, kind, component, amount, self.effective.at, reverses)
        if self.run.world.postings is not None:
            self.run.world.postings = (*self.run.world.postings, posting)
        self.run.post(posting, taken_back)
        return posting

    def finish(self, recorded: str, command: str, onto: Stream | None = None) -> None:
        """Lets the machine come to rest and appends the entry; ``onto`` a stream other than the one decided on, when it opens."""
        run = self.run
        run.settle()
        if run.data:
            form = self.desk.library.form(self.definition, "change", self.definition.says.data, complete=False)
            kept = form.read({k: v for k, v in run.data.items() if v is not None}, "data")
            self.change(c="data", set=kept, unset=sorted(k for k, v in run.data.items() if v is None))
        self.changes += machine_changes(self.stream.head, run, self.now)
        about = self._about()
        self.work.append(
            onto or self.stream,
            self.call.spec.name,
            self.changes,
            about,
            actor=self.call.actor.name,
            effective=self.effective,
            recorded=recorded,
            command=command,
            spoke=self.spoke,
        )
        run.let_go()

    def refuse(self, recorded: str, command: str) -> None:
        """Appends the refusal."""
        about = {"command": self.call.spec.name, **self._about()}
        self.work.append(
            self.stream,
            "refused",
            [],
            about,
            actor=self.call.actor.name,
            effective=Effective(recorded, self.file.zone),
            recorded=recorded,
            command=command,
            spoke=self.spoke,
        )
        self.run.let_go()

    def _ask_rule(self, key: str) -> Judged:
        found = self.desk.catalogue.declared.requirements.get(key)
        if found is None:
            return Judged(key, None, "The plugin that judges this is not installed.", failed="the plugin is not installed")
        rule, plugin = found
        self.spoke[plugin.name] = plugin.version
        said = (rule.unmet, rule.citation, rule.remedy, None, plugin.name, plugin.version)
        try:
            return Judged(key, check_rule(rule, self.view(rule.needs)), *said)
        except PluginFailed as wrong:
            return Judged(key, None, *said, str(wrong))

    def _about(self) -> Json:
        about = dict(self.call.about)
        if self.run.happened:
            about["events"] = list(self.run.happened)
        if self.run.effects:
            about["effects"] = [{"run": e.run, "args": e.args} for e in self.run.effects]
        if self.unknown:
            about["unknown"] = sorted(set(self.unknown))
        if self.call.observed:
            about["observed"] = True
        if not self.accepted:
            about["nonconforming"] = True
        sealed = dict(self.call.sealed)
        if self.call.reason:
            sealed["reason"] = plain(self.call.reason, "reason")
        if self.objections:
            about["objections"] = [clear(o) for o in self.objections]
            sealed["objections"] = [words(o) for o in self.objections]
        if sealed:
            about["sealed"] = seal_for(self.work, self.stream.uuid, self.file.touched, "about", sealed)
        return about


def clear(objection: Objection) -> Json:
    """What of an objection stands in the clear: which rule, by whom and until when, never a plugin's prose."""
    found = {"rule": objection.rule, "plugin": objection.plugin, "version": objection.version}
    if objection.allowed_at:
        found["allowed_at"] = objection.allowed_at
    return found


def words(objection: Objection) -> Json:
    """What of an objection is sealed: whatever its author wrote, which may tell of persons."""
    said = {"words": objection.words, "args": dict(objection.args), "citation": objection.citation, "remedy": objection.remedy}
    return {name: plain(value) for name, value in said.items()}


class Bus:
    """Takes commands on cases."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

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
        again = self._answered(shelf, call)
        if again is not None:
            return again
        try:
            if batch is not None:
                turn, entries, refusal = self._decide(batch, call, case, decide, locked=False)
            else:
                turn, entries, refusal = self.transact(shelf, lambda work, locked: self._decide(work, call, case, decide, locked=locked))
        except Denied as denied:
            self.log_denied(call.actor, call.spec.name, denied, case, batch)
            raise
        except Taken:
            again = self._answered(shelf, call)
            if again is None:
                raise
            return again
        if refusal is not None:
            raise refusal
        value = self.desk.case_left(turn.work, turn.stream, turn.definition)
        return Done(value, tuple(entries), value.due, turn.made, tuple(turn.objections), tuple(turn.unknown), turn.accepted)

    def transact(self, shelf: Shelf, once: Callable[[Work, bool], _T]) -> _T:
        """Does something in a transaction of its own; after one conflict, again inside the lock."""
        work = self.desk.work(shelf)
        try:
            result = once(work, False)
            work.flush()
        except (Conflict, Taken):
            work = self.desk.work(shelf)
            with writing(shelf) as connection:
                result = once(work, True)
                work.flush(connection)
        self.desk.library.published(work)
        return result

    def tick(self, work: Work, stream: Stream, definition: Compiled, upto: str, recorded: str, *, held: bool = False) -> list[int]:
        """Lets clocks speak that are due by an instant, an entry for each due instant; gives the entries.

        ``held``: also on a case whose clocks are not swept yet, as an import does between the events of a log.
        """
        entries = []
        while (held or not stream.head.get("held")) and (wake := stream.head["machine"].get("wake")) is not None and wake <= upto:
            call = Call(TICK, Actor(CLOCK, frozenset(), work.shelf.tenant), observed=True)
            turn = Turn(self.desk, call, work, stream, definition, Effective(wake, stream.head["zone"]))
            turn.run.tick()
            turn.finish(recorded, new_uuid())
            entries.append(stream.n)
        return entries

    def _decide(
        self, work: Work, call: Call, case: str, decide: Callable[[Turn], None], *, locked: bool
    ) -> tuple[Turn, list[int], Refused | None]:
        recorded = work.now()
        stream = work.stream(case, "case", locked=locked)
        head = stream.head
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

    def _answered(self, shelf: Shelf, call: Call) -> Done | None:
        known = self.answer_of(shelf, call)
        if known is None:
            return None
        return answer_again(self.desk, shelf, *known)


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


def _any_breached(head: Json) -> bool:
    return any(state["status"] == "breached" for instances in head["machine"]["clocks"].values() for state in instances.values())


def item_change(change: ItemChange) -> Json:
    """What became of an instance of a plan item, as a change."""
    item: Json = {"c": "item", "id": change.item, "instance": change.instance, "row": change.row}
    if change.live is not None:
        item["live"] = change.live
    if change.sealed:
        item["sealed"] = change.sealed
    return item


_PARTS = ("active", "category", "outcome", "cycle", "history", "memory", "wake", "ledger")


def machine_changes(head: Json, run: Run, now: str) -> list[Json]:
    """What the run has changed of the machine, as changes."""
    before, after = head["machine"], run.machine
    changes: list[Json] = []
    parts = {name: value for name in _PARTS if (value := after.get(name)) is not (known := before.get(name)) and value != known}
    if parts:
        changes.append({"c": "machine", "set": parts})
    if after["totals"] is not before["totals"]:
        sums = {name: value for name, value in after["totals"].items() if before["totals"].get(name) != value}
        if sums:
            changes.append({"c": "totals", "set": sums})
    for change in run.clocks.changes.values():
        clock: Json = {"c": "clock", "id": change.clock, "instance": change.instance, "row": change.row}
        if change.live is not None:
            clock["live"] = change.live
        changes.append(clock)
    changes += [item_change(change) for change in run.item_changes()]
    over = after["category"] in ENDED
    more: Json = {"time": now} if now != head["time"] else {}
    if over and "closed" not in head:
        more["closed"] = now
    gone = ["closed"] if "closed" in head and not over else []
    if more or gone:
        changes.append({"c": "head", "set": more, **({"unset": gone} if gone else {})})
    return changes
