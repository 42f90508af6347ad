"""A command on a case while it is being decided: what is asked, who is asked, and what becomes of it.

A turn touches nothing: it gathers changes and objections. The bus writes them, or drops them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from casekit.decisions.compiled import Compiled
from casekit.decisions.instances import ItemChange
from casekit.decisions.machine import Run
from casekit.decisions.requirements import judge
from casekit.definition.casetype import ENDED
from casekit.desk.casefile import CaseFile
from casekit.desk.permissions import CORE
from casekit.desk.sealing import seal_for
from casekit.desk.standings import judged
from casekit.desk.work import Stream, Work
from casekit.errors import PluginFailed
from casekit.model.actor import Actor
from casekit.model.answers import Objection
from casekit.model.canonical import Json, plain
from casekit.model.judged import Judged
from casekit.model.ledger import Posting
from casekit.model.money import Money
from casekit.model.time import Effective
from casekit.plugins.catalogue import Asked, check_rule, guarded
from casekit.plugins.contained import loose
from casekit.plugins.declared import Need
from casekit.plugins.view import Command, View

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


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
        goals: The goals of the case, as the command leaves them.
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
        self.goals: Mapping[str, Json] = head.get("goals", _NO_GOALS)
        self._views: dict[tuple[str, tuple[Need, ...] | None], View] = {}

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

    def view(self, needs: tuple[Need, ...] | None = None, of: str = "") -> View:
        """The case file as it was before this command: whole, or what a guard with those needs sees of it.

        Each plugin has one of its own: what it does to its view by force, no other sees.
        """
        found = self._views.get((of, needs))
        if found is None:
            found = self._views[of, needs] = self.file.view(self.now, needs)
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
        if all(key in own and own[key].holds(self.run.inputs) for key in keys):
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
        """What plugins say to requirements that are theirs, or on which requirements of the case type rest."""
        wanted: dict[str, None] = {}
        for key in keys:
            if key in self.definition.foreign:
                wanted[key] = None
            for rule in sorted(self.definition.asks.get(key, ())):
                wanted[rule] = None
        return {key: self._ask_rule(key) for key in wanted}

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
            if objections := guarded(
                asked, view=self.view(asked.needs, asked.plugin.name), **{name: own(value) for name, value in arguments.items()}
            ):
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
        self.run.settle()
        self.write(recorded, command, onto)

    def write(self, recorded: str, command: str, onto: Stream | None = None) -> None:
        """Appends the entry of a machine that has come to rest."""
        run = self.run
        if run.data:
            form = self.desk.library.form(self.definition, "change", self.definition.says.data, complete=False)
            kept = form.read({k: v for k, v in run.data.items() if v is not None}, "data")
            self.change(c="data", set=kept, unset=sorted(k for k, v in run.data.items() if v is None))
        self.changes += machine_changes(self.stream.head, run, self.now)
        if self.goals or "goals" in self.stream.head:
            self._goals()
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

    def _goals(self) -> None:
        """Writes down the goals of the case, where the command or how they stand has changed them."""
        self.goals = judged(self.goals, self.run, self.file)
        if not self.goals:
            self.change(c="head", unset=["goals"])
        elif self.goals != self.stream.head.get("goals"):
            self.change(c="head", set={"goals": self.goals})

    def _ask_rule(self, key: str) -> Judged:
        found = self.desk.catalogue.declared.requirements.get(key)
        words = "The rule is not met."
        if found is None:
            return Judged(
                "rule", None, words, key=key, failed="the plugin is not installed", remedy="install the plugin that brings the rule"
            )
        rule, plugin = found
        self.spoke[plugin.name] = plugin.version
        said: Json = {"key": key, "unmet": rule.unmet, "citation": rule.citation, "remedy": rule.remedy}
        said |= {"plugin": plugin.name, "version": plugin.version}
        try:
            answer = check_rule(rule, self.view(rule.needs, plugin.name))
        except PluginFailed as wrong:
            return Judged("rule", None, words, **said, failed=str(wrong))
        if not isinstance(answer, Judged):
            return Judged("rule", answer, words, **said)
        return evolve(answer, **{**said, "unmet": answer.unmet or rule.unmet})

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


def own(value: Any) -> Any:
    """An argument as one plugin gets it: what it does to a map or list in it, no other sees, nor the core."""
    return evolve(value, args=loose(value.args)) if isinstance(value, Command) else loose(value)


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


_NO_GOALS: Mapping[str, Json] = MappingProxyType({})

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
    if run.inputs.approvals is not run.world.approvals:
        if run.inputs.approvals:
            more["approvals"] = run.inputs.approvals
        else:
            gone.append("approvals")
    if more or gone:
        changes.append({"c": "head", "set": more, **({"unset": gone} if gone else {})})
    return changes
