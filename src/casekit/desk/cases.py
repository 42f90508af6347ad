"""Commands on the case itself: do, change, choose, close, roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from casekit.decisions.compiled import Way
from casekit.definition.casetype import CaseType
from casekit.definition.fields import Field, read
from casekit.desk import plans
from casekit.desk.casefile import load_parties
from casekit.desk.sealing import seal
from casekit.desk.turn import Spec, Turn
from casekit.desk.work import Work
from casekit.errors import BadInput, PluginFailed, Problem
from casekit.model.answers import Objection, Option
from casekit.model.canonical import Json, plain
from casekit.plugins.catalogue import collect
from casekit.plugins.view import Command

DO = Spec("do", "case.do")
CHANGE = Spec("change", "case.change")
CHOOSE = Spec("choose", "case.choose")
ROLE = Spec("role", "case.role")
CLOSE = Spec("close", "case.close")


def do(turn: Turn, event: str, fields: Mapping[str, Any]) -> None:
    """Decides on an event of the lifecycle.

    Raises:
        BadInput: the case type has no such event, or its form is not filled in rightly.
    """
    definition = turn.definition
    if event not in definition.fired:
        known = ", ".join(sorted(definition.fired)) or "none"
        raise BadInput.at("event", f"{definition.says.key} has no event {event!r}", f"its events are: {known}")
    given = plain(dict(fields), event) if fields else {}
    ways = turn.run.enabled(event, given)
    turn.call.about["event"] = event
    if not ways:
        turn.objections.append(not_here(turn, event))
        turn.accepted = False
        if turn.call.observed and turn.call.force:
            take(turn, definition.ways[event][:1], given)
        return
    consider(turn, ways, given)


def consider(turn: Turn, ways: tuple[Way, ...], given: Json) -> None:
    """Everything that stands against the ways of an event: form, permission, requirements, guards, closing; then takes them.

    They are taken together, one in each region that listens to the event, or not at all.
    """
    event = ways[0].event
    form = {name: field for way in ways for name, field in way.says.form.items()}
    key = " ".join(dict.fromkeys(way.key for way in ways))
    given = turn.desk.library.form(turn.definition, f"form {key}", form).read(given, event)
    for way in ways:
        if way.says.allow and not turn.call.observed:
            turn.desk.bus.demand(turn.call.actor, way.says.allow, turn.definition.says.key)
        if way.says.reason and not turn.call.reason and not turn.call.observed:
            raise BadInput.at(f"{event}/reason", "is missing", "say why")
    before = len(turn.objections)
    stand_against(turn, ways, given)
    if len(turn.objections) > before:
        turn.accepted = False
        if not (turn.call.observed and turn.call.force):
            return
    take(turn, ways, given)


def stand_against(turn: Turn, ways: tuple[Way, ...], given: Json) -> None:
    """What is so that stands against the ways of an event, whoever asks: requirements, guards, closing, the plan."""
    event = ways[0].event
    form = {name: field for way in ways for name, field in way.says.form.items()}
    turn.require(tuple(dict.fromkeys(need for way in ways for need in way.needs)), given)
    if turn.asked("casekit_before") or turn.asked("casekit_before_transition"):
        ask_guards(turn, event, _python(given, form))
    for outcome in dict.fromkeys(way.outcome for way in ways if way.ends):
        ask_closing(turn, outcome)
    for way in ways:
        turn.objections += plans.against_closing(turn.run, way)


def ask_guards(turn: Turn, event: str, fields: Json) -> None:
    """Asks the plugins what stands against an event; ``fields`` are Python values."""
    turn.ask("casekit_before", command=Command("do", {"event": event, **fields}, turn.effective.at, turn.call.actor.name))
    turn.ask("casekit_before_transition", event=event, fields=fields)


def take(turn: Turn, ways: tuple[Way, ...], given: Json) -> None:
    """Takes ways and writes their form down: clear fields in the clear, personal ones sealed with the case."""
    turn.run.take(ways, given)
    if not given:
        return
    sealed = {name for way in ways for name, field in way.says.form.items() if field.personal}
    clear_fields = {n: v for n, v in given.items() if n not in sealed}
    personal = {n: v for n, v in given.items() if n not in clear_fields}
    if clear_fields:
        turn.call.about["fields"] = clear_fields
    if personal:
        turn.call.sealed["fields"] = personal


def not_here(turn: Turn, event: str) -> Objection:
    """Why an event finds no way."""
    candidates = turn.run.candidates(event)
    if not candidates:
        sources = ", ".join(dict.fromkeys(s for way in turn.definition.ways[event] for s in way.says.source))
        args = {"event": event, "state": ", ".join(turn.run.machine["active"]), "sources": sources}
        words = "{event} can't happen in the state {state}: it is taken from {sources}."
        return Objection("casekit.state", words, args, plugin="casekit")
    conditions = "; ".join(dict.fromkeys(way.says.when for way in candidates))
    unknown = any(way.when is not None and way.when.holds(turn.run.inputs) is None for way in candidates)
    words = "It can't be known whether {event} is possible: {condition}." if unknown else "{event} is not possible: it needs {condition}."
    return Objection("casekit.condition", words, {"event": event, "condition": conditions}, plugin="casekit")


def ask_closing(turn: Turn, outcome: str) -> None:
    """Asks the plugins what stands against closing.

    Raises:
        PluginFailed: one of them failed.
    """
    for asked in turn.desk.catalogue.implementations("casekit_close", turn.definition.says.key):
        turn.spoke[asked.plugin.name] = asked.plugin.version
        try:
            turn.objections += collect(asked, Objection, view=turn.view(of=asked.plugin.name), outcome=outcome)
        except PluginFailed as wrong:
            if not turn.call.observed:
                raise
            turn.objections.append(Objection("casekit.plugin-failed", "{failed}", {"failed": str(wrong)}, plugin="casekit"))


def close(turn: Turn, outcome: str, fields: Mapping[str, Any]) -> None:
    """Decides on closing with an outcome: by the transition that leads to it.

    Raises:
        BadInput: no transition leads to that outcome from anywhere, or several do from here.
    """
    way = closing_way(turn, outcome, fields)
    turn.call.about["outcome"] = outcome
    if any(c.key == way.key for c in turn.run.candidates(way.event)):
        do(turn, way.event, fields)
        return
    turn.call.about["event"] = way.event
    turn.objections.append(not_here(turn, way.event))
    turn.require(way.needs, {})
    ask_closing(turn, outcome)
    turn.objections += plans.against_closing(turn.run, way)
    turn.accepted = False


def closing_ways(turn: Turn, outcome: str | None) -> list[Way]:
    """The ways that close a case with an outcome; None: with any.

    Raises:
        BadInput: there is none.
    """
    definition = turn.definition
    ways = [w for event, ways in definition.ways.items() if event in definition.fired for w in ways if w.ends]
    found = [w for w in ways if outcome is None or w.outcome == outcome]
    if not found:
        known = ", ".join(sorted({w.outcome for w in ways})) or "none"
        raise BadInput.at("outcome", f"no event closes a {definition.says.key} with {outcome!r}", f"outcomes are: {known}")
    return found


def closing_way(turn: Turn, outcome: str, fields: Mapping[str, Any]) -> Way:
    """The way by which a case is closed with an outcome: the first that its event takes, else one from here, else any.

    Raises:
        BadInput: there is none.
    """
    ways = closing_ways(turn, outcome)
    given = plain(dict(fields), "fields") if fields else {}
    here = [w for w in ways if any(c.key == w.key for c in turn.run.candidates(w.event))]
    taken = [w for w in here if any(c.key == w.key for c in turn.run.enabled(w.event, given))]
    return (taken or here or ways)[0]


def change(turn: Turn, values: Mapping[str, Any], unset: Iterable[str], command: str = "change") -> None:
    """Decides on new values for case data; ``command``: as what guards are asked about it."""
    says = turn.definition.says
    form = turn.desk.library.form(turn.definition, "change", says.data, complete=False)
    canonical = form.read(values, "data")
    gone = list(unset)
    problems = [Problem(f"data/{name}", "no such field", "fields are " + ", ".join(says.data)) for name in gone if name not in says.data]
    problems += [
        Problem(f"data/{name}", "is required", "give it another value") for name in gone if name in says.data and says.data[name].required
    ]
    if problems:
        raise BadInput(problems)
    turn.guard(command, {}, **_python(canonical, says.data))
    if turn.goes_on:
        owners = {role: next(iter(sorted(members))) for role, members in turn.stream.head["parties"].items()}
        known = {owner: turn.file.open_data(owner) for owner in turn.stream.head["sealed"]}
        written = data_change(turn.work, turn.stream.uuid, says.data, canonical, owners, known, gone)
        if written:
            turn.changes.append(written)
        if turn.run.inputs.approvals:
            before = turn.run.inputs.data
            turn.run.touch(*(name for name, value in canonical.items() if before.get(name) != value), *gone)
        turn.run.inputs.data = {**dict(turn.run.inputs.data), **canonical}
        for name in gone:
            turn.run.inputs.data.pop(name, None)
        turn.run.world.data = turn.run.inputs.data


def choose(turn: Turn, option: Option) -> None:
    """Decides on choosing an option: it is recorded, its promises run, its items go into the plan, ``chosen`` is raised."""
    turn.guard("choose", {"option": option.key}, option=option.key)
    if not turn.goes_on:
        return
    promising = [timer.id for timer in turn.definition.timers if timer.says.each]
    if option.promises and not promising:
        raise BadInput.at("clocks", f"{turn.definition.says.key} has no clock for promises", "add a fixed clock with each: true")
    promises = [{"due": p.due.isoformat(), "amount": str(p.amount)} for p in option.promises]
    chosen: Json = {"option": option.key, "plugin": option.plugin, "version": option.version, "at": turn.effective.at, "entry": turn.n}
    turn.change(c="head", set={"choice": chosen})
    turn.call.about |= {"option": option.key, "promises": promises, "plan": [_task(t) for t in option.plan]}
    titles = {task.id: task.title for task in option.plan if task.title}
    said = {"words": option.words, "args": dict(option.args), "because": list(option.because), "titles": titles}
    turn.call.sealed["option"] = plain(said)
    if promising:
        turn.run.clocks.cancel(promising[0])
        through = turn.run.machine.get("ledger", {}).get("paid", 0)
        for i, promise in enumerate(option.promises, start=1):
            through += promise.amount.minor
            args = {"amount": str(promise.amount), "through": through}
            turn.run.clocks.open(promising[0], f"{turn.n}.{i}", promise.due.isoformat(), args)
    plans.put_in(turn, option)
    turn.run.raise_("chosen")


def set_role(turn: Turn, role: str, party: str, *, end: bool) -> None:
    """Decides on giving a role, or taking it."""
    says = turn.definition.says
    members = turn.stream.head["parties"].get(role, {})
    if end:
        if party not in members:
            raise BadInput.at(f"parties/{role}", f"{party} does not have this role", "name a party that has it")
        if len(members) - 1 < says.roles[role].min:
            raise BadInput.at(f"parties/{role}", f"at least {says.roles[role].min} must stay", "give the role to another first")
        turn.change(c="role", role=role, party=party, end=True)
    else:
        if party in members:
            raise BadInput.at(f"parties/{role}", f"{party} has this role already", "nothing is to be done")
        present = [(r, p) for r, ps in turn.stream.head["parties"].items() for p in ps]
        check_roles(turn.work, says, [*present, (role, party)])
        turn.change(c="role", role=role, party=party)
    turn.guard("role", {}, role=role, party=party)
    rest = {r: dict(ps) for r, ps in turn.stream.head["parties"].items()}
    if end:
        del rest[role][party]
    else:
        rest.setdefault(role, {})[party] = {}
    turn.run.inputs.parties = rest


def check_roles(work: Work, says: CaseType, parties: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parties, each in its role.

    Raises:
        BadInput: an unknown role, too few or too many in one, a kind that can't play it, an erased party.
    """
    given = list(parties)
    problems = [
        Problem(f"parties/{r}", "no such role", "roles are " + (", ".join(says.roles) or "none")) for r, _ in given if r not in says.roles
    ]
    playing = [role for role, _ in given]
    for role, rule in says.roles.items():
        count = playing.count(role)
        if count < rule.min:
            problems.append(Problem(f"parties/{role}", f"{count} given, at least {rule.min} needed", "name who plays it"))
        if rule.max is not None and count > rule.max:
            problems.append(Problem(f"parties/{role}", f"{count} given, at most {rule.max} allowed", "name fewer"))
    if problems:
        raise BadInput(problems)
    loaded = load_parties(work, [party for _, party in given])
    found = []
    for role, party in given:
        head = loaded[party].head
        allowed = says.roles[role].kinds
        if allowed and head["kind"] not in allowed:
            problems.append(Problem(f"parties/{role}", f"a {head['kind']} can't play it", "it is for " + ", ".join(allowed)))
        if "erased" in head:
            problems.append(Problem(f"parties/{role}", "the party has been erased", "name another"))
        found.append((role, loaded[party].uuid))
    if len(set(found)) != len(found):
        problems.append(Problem("parties", "one party twice in one role", "name it once"))
    if problems:
        raise BadInput(problems)
    return found


def data_change(
    work: Work,
    case: str,
    fields: Mapping[str, Field],
    values: Json,
    owners: Mapping[str, str],
    known: Mapping[str, Json],
    unset: Iterable[str] = (),
) -> Json | None:
    """New case data as a change: clear values in the clear, personal ones in one envelope per owner.

    ``known`` is what the envelopes hold already, by owner: an envelope is written anew as a whole.
    """
    gone = set(unset)
    clear_values: Json = {}
    by_owner: dict[str, Json] = {}
    for name, value in values.items():
        if not fields[name].personal:
            clear_values[name] = value
            continue
        owner = owners.get(fields[name].owner, case)
        if owner not in by_owner:
            by_owner[owner] = dict(known.get(owner, {}))
        by_owner[owner][name] = value
    for owner, inside in known.items():
        if gone & set(inside):
            by_owner.setdefault(owner, dict(inside))
    sealed = {}
    for owner, whole in by_owner.items():
        inside = {name: value for name, value in whole.items() if name not in gone or name in values}
        sealed[owner] = {"fields": sorted(inside), "envelope": seal(work, case, owner, "data", inside, makes=owner == case)}
    change: Json = {"c": "data"}
    if clear_values:
        change["set"] = clear_values
    if sealed:
        change["sealed"] = sealed
    clear_gone = sorted(name for name in gone if name in fields and not fields[name].personal)
    if clear_gone:
        change["unset"] = clear_gone
    return change if len(change) > 1 else None


def _python(values: Json, fields: Mapping[str, Field]) -> Json:
    return {name: read(value, fields[name].schema) if name in fields else value for name, value in values.items()}


def _task(task: Any) -> Json:
    """What of a task stands in the clear: its title is a plugin's prose."""
    return {name: value for name in ("id", "due", "after") if (value := getattr(task, name))}
