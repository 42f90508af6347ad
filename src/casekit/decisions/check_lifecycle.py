"""Whether the lifecycle of a case type makes sense: its states, its transitions, and what they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from casekit.decisions.compiled import INTERNAL, inner, rules_named
from casekit.definition.casetype import ALWAYS, CATEGORIES, ENDED, Action, CaseType, State, Transition

ID = re.compile(r"[a-z][a-z0-9_]*(-[a-z0-9_]+)*")
Found = Iterator[tuple[str, str, str]]
"""Path, what is wrong there, what to do."""


def problems(case_type: CaseType) -> Found:
    """Everything that is wrong with states and transitions."""
    dotted = [path for path in _names(case_type.states, "/states") if "." in path]
    for path in dotted:
        yield path, "a name with a dot would be a path", "use lower-case letters, digits, '_' and '-'"
    if dotted:
        return
    states = flat(case_type.states)
    yield from _initial(case_type.initial, "", states, "/initial")
    for path, state in states.items():
        yield from _state(path, state, states)
    yield from _silent(case_type.states, "", set())
    yield from _transitions(case_type, states)
    reached = _reached(case_type, states)
    for path in states:
        if path not in reached:
            yield _at(path), "no transition leads here", "add one, or take the state away"


def flat(states: Mapping[str, State]) -> dict[str, State]:
    """All states by full path, in document order."""
    return dict(_flat(states, ""))


def _flat(states: Mapping[str, State], above: str) -> Iterator[tuple[str, State]]:
    for name, state in states.items():
        yield above + name, state
        yield from _flat(state.states, f"{above}{name}.")


def _names(states: Mapping[str, State], above: str) -> Iterator[str]:
    for name, state in states.items():
        yield f"{above}/{name}"
        yield from _names(state.states, f"{above}/{name}/states")


def _at(path: str) -> str:
    return "/states/" + path.replace(".", "/states/")


def _around(path: str) -> list[str]:
    """The states around one, outermost first."""
    parts = path.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def _state(path: str, state: State, states: Mapping[str, State]) -> Found:
    at = _at(path)
    name = at.rpartition("/states/")[2]
    if not ID.fullmatch(name):
        yield at, f"{name!r} can't be a name here", "use lower-case letters, digits, '_' and '-'"
    if state.category and state.category not in CATEGORIES:
        yield f"{at}/category", f"{state.category!r} is no category", "use one of " + ", ".join(CATEGORIES)
    yield from _actions([*state.on_enter, *state.on_exit, *state.on_initial], at)
    if state.history:
        yield from _history(path, state, states)
        return
    yield from _final(path, state, states)
    regions = {name: inside for name, inside in state.states.items() if not inside.history}
    if state.parallel:
        if len(regions) < 2:
            yield f"{at}/parallel", "a parallel state has two regions or more", "add one, or say parallel: false"
        if state.initial or state.on_initial:
            yield f"{at}/initial", "a parallel state enters all its regions", "leave initial and on_initial out"
    elif state.states:
        yield from _initial(state.initial, path, states, f"{at}/initial")
    elif state.initial or state.on_initial:
        yield f"{at}/initial", "there are no inner states", "leave it out, or add them"
    ended = state.category in ENDED
    if ended and any(states[above].parallel for above in _around(path)):
        yield f"{at}/category", "a region can't end the case", "lead to a state outside the parallel one"


def _history(path: str, state: State, states: Mapping[str, State]) -> Found:
    at, above = _at(path), _around(path)
    if not above:
        yield at, "a history stands within the state whose past it is", "put it there"
        return
    if state.states or state.parallel or state.final or state.on_exit or state.on_initial or state.category or state.outcome:
        yield at, "a history is no state", "say its title, its default (initial) and on_enter only"
    if not state.initial:
        yield f"{at}/initial", "a history without default", "say where it leads while nothing is remembered"
        return
    yield from _initial(state.initial, above[-1], states, f"{at}/initial")
    inside = [other for other in states if other.startswith(f"{above[-1]}.")]
    if any(_category(other, states) in ENDED for other in inside):
        yield at, "a history would lead back into a state that is over, past what every closing needs", "keep ended states out of it"


def _final(path: str, state: State, states: Mapping[str, State]) -> Found:
    at, above = _at(path), _around(path)
    if state.final and state.states:
        yield f"{at}/final", "a final state has no inner states", "take them away, or say final: false"
    if state.final and above and states[above[-1]].parallel:
        yield f"{at}/final", "a region is no final state", "put the final state within the region"
    if state.done and not state.final:
        yield f"{at}/done", "only a final state raises a done event", "say final: true"


def _category(path: str, states: Mapping[str, State]) -> str:
    return next((states[p].category for p in (path, *reversed(_around(path))) if states[p].category), "")


def _silent(states: Mapping[str, State], above: str, covered: set[str]) -> Found:
    """Leaves that leave the category of the case open; within a parallel state one region that always says it is enough."""
    for name, state in states.items():
        path = f"{above}{name}"
        if state.category or state.history or path in covered:
            continue
        if not state.states:
            yield f"{_at(path)}/category", "is missing", "use one of " + ", ".join(CATEGORIES)
        if state.parallel:
            says = [region for region, inside in state.states.items() if not list(_silent({region: inside}, f"{path}.", set()))]
            covered = covered | ({f"{path}.{region}" for region in state.states} if says else set())
        yield from _silent(state.states, f"{path}.", covered)


def _initial(names: str, path: str, states: Mapping[str, State], at: str) -> Found:
    paths = inner(path, names)
    here = [name.removeprefix(f"{path}." if path else "") for name in states if not path or name.startswith(f"{path}.")]
    for name in paths or ("",):
        if name not in states:
            yield at, f"{name.removeprefix(f'{path}.')!r} is no state here", "use one of " + ", ".join(here)
            return
    yield from _together(paths, states, at)


def _together(paths: tuple[str, ...], states: Mapping[str, State], at: str) -> Found:
    """States that are entered together must lie in different regions."""
    for i, one in enumerate(paths):
        for other in paths[i + 1 :]:
            shared = [above for above in _around(one) if above in _around(other)]
            if one == other or one in _around(other) or other in _around(one) or not shared or not states[shared[-1]].parallel:
                yield at, f"{one!r} and {other!r} can't be active together", "name states in different regions of a parallel state"


def _actions(actions: Iterable[Action], at: str) -> Found:
    for action in actions:
        if action.otherwise and not action.when:
            yield at, "an action without condition has no otherwise", "say when"
        if action.args and not (action.run or action.emit or action.start):
            yield at, "arguments of nothing", "say run, emit or start"
        if action.after and not action.emit:
            yield at, "nothing comes after", "say which event (emit)"
        yield from _actions([*action.do, *action.otherwise], at)


def _transitions(case_type: CaseType, states: Mapping[str, State]) -> Found:
    for key, transition in case_type.transitions.items():
        at = f"/transitions/{key}"
        targets = tuple((transition.target or "").split())
        for name, state in [*(("source", s) for s in transition.source), *(("target", t) for t in targets)]:
            if state not in states:
                yield f"{at}/{name}", f"{state!r} is no state", "use a full path: " + ", ".join(states)
            elif name == "source" and states[state].history:
                yield f"{at}/source", f"{state!r} is a history, and a case is never in it", "name a state"
        if transition.target is not None and not targets:
            yield f"{at}/target", "is empty", "name a state, or leave it out"
        if all(target in states for target in targets):
            yield from _together(targets, states, f"{at}/target")
        if not transition.source:
            yield f"{at}/source", "is empty", "say from which states"
        yield from _actions(transition.do, at)
        yield from _event(case_type, transition, transition.on or key, at, states)


def _ends(transition: Transition, states: Mapping[str, State]) -> bool:
    """Whether a case that takes it is over."""
    targets = (transition.target or "").split()
    if len(targets) != 1 or targets[0] not in states:
        return False
    path = targets[0]
    while (state := states.get(path)) is not None and state.initial and not state.history and len(state.initial.split()) == 1:
        path = f"{path}.{state.initial}"
    return path in states and _category(path, states) in ENDED


def _event(case_type: CaseType, transition: Transition, event: str, at: str, states: Mapping[str, State]) -> Found:
    if event == ALWAYS and not transition.when:
        yield f"{at}/when", "a transition without event needs a condition", "say when it is taken"
    done = event.removeprefix("done.state.") if event.startswith("done.state.") else ""
    if event == ALWAYS or INTERNAL.fullmatch(event):
        if transition.allow or (transition.form and not done) or transition.reason:
            yield at, f"nobody fires {event!r}: it has no permission, form or reason", "leave them out"
        for rule in (*transition.requires, *(case_type.closing if _ends(transition, states) else ())):
            for foreign in sorted(rules_named(case_type, rule)):
                yield (
                    f"{at}/requires",
                    f"nobody fires {event!r}, so no plugin is asked for {foreign!r}",
                    "require only what this case type says",
                )
    if done and not _can_be_done(done, states):
        yield f"{at}/on", f"{done!r} is never done", "give it a final state, or each of its regions"
    kinds = {**case_type.documents, **{f"{kind}.{status}": status for kind, d in case_type.documents.items() for status in d.statuses}}
    for prefix, names in (("clock", case_type.clocks), ("fact", case_type.facts), ("document", kinds)):
        name = event.removeprefix(f"{prefix}.")
        name = name.rpartition(".")[0] if prefix == "clock" else name
        if event.startswith(f"{prefix}.") and INTERNAL.fullmatch(event) and names and name not in names:
            yield f"{at}/on", f"no {prefix} {name!r}", "name one of this case type: " + ", ".join(names)


def _can_be_done(path: str, states: Mapping[str, State]) -> bool:
    state = states.get(path)
    if state is None:
        return False
    if state.parallel:
        return all(_can_be_done(f"{path}.{name}", states) for name, region in state.states.items() if not region.history)
    return any(child.final for child in state.states.values())


def actions_of(case_type: CaseType) -> Iterator[Action]:
    """Every action of a case type, those within others among them."""
    waiting = [action for transition in case_type.transitions.values() for action in transition.do]
    for state in flat(case_type.states).values():
        waiting += [*state.on_enter, *state.on_exit, *state.on_initial]
    while waiting:
        action = waiting.pop()
        yield action
        waiting += [*action.do, *action.otherwise]


def unreachable(case_type: CaseType) -> list[str]:
    """Paths of the states that nothing leads to."""
    states = flat(case_type.states)
    reached = _reached(case_type, states)
    return [path for path in states if path not in reached]


def _reached(case_type: CaseType, states: Mapping[str, State]) -> set[str]:
    # A state is entered as a target or as an initial state; those around it are reached with it, but not their initial
    # states. With a parallel state its regions are entered, also where only one of them was named. A shallow history
    # leads back to every state beside it that was reached, and there to the initial one.
    entered: set[str] = set()
    reached: set[str] = set()
    shallow: set[str] = set()
    waiting = list(inner("", case_type.initial))
    while waiting:
        path = waiting.pop()
        if path in entered or path not in states:
            continue
        entered.add(path)
        around = _around(path)
        reached.update((path, *around))
        shallow |= set(around[-1:]) if states[path].history == "shallow" else set()
        waiting += _entered_with(path, states[path], states)
        for above in around:
            if states[above].parallel:
                waiting += [region for region in _regions(above, states[above]) if region != path and region not in around]
        waiting += [other for other in reached if other.rpartition(".")[0] in shallow]
        taken = [t for t in case_type.transitions.values() if t.target and any(s in reached for s in t.source)]
        waiting += [target for t in taken for target in (t.target or "").split()]
    return reached


def _entered_with(path: str, state: State, states: Mapping[str, State]) -> tuple[str, ...]:
    if state.parallel:
        return tuple(_regions(path, state))
    within = _around(path)[-1] if state.history and _around(path) else path
    return tuple(name for name in inner(within, state.initial) if name in states)


def _regions(path: str, state: State) -> list[str]:
    return [f"{path}.{name}" for name, region in state.states.items() if not region.history]
