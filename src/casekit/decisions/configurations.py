"""Where a case can be: the states that are active together, as far as conditions tell them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from casekit.definition.casetype import ENDED, CaseType, State

MOST = 4096
"""Configurations that are looked at; a case type with more of them, as far as the conditions in question tell, is not."""

_ASKED = re.compile(r"at\('([^']*)'\)")


def configurations(case_type: CaseType, conditions: Iterable[str]) -> tuple[frozenset[str], ...] | None:
    """Every set of active states of a case that is not over, cut down to those that the conditions ask about.

    Regions of a parallel state are independent here: a set that no case ever reaches may be among them, none that one
    reaches is missing. None: there are more than :data:`MOST`.
    """
    asked = frozenset(name for text in conditions for name in _ASKED.findall(text))
    found: set[frozenset[str]] = set()
    for name, state in case_type.states.items():
        inside = _inside(name, state, asked, "")
        if inside is None or len(found) + len(inside) > MOST:
            return None
        found |= inside
    return tuple(sorted(found, key=sorted))


def _inside(path: str, state: State, asked: frozenset[str], category: str) -> set[frozenset[str]] | None:
    """The sets in which a state is active; empty: it is over, or no state."""
    category = state.category or category
    if state.history:
        return set()
    own = asked & {path}
    if not state.states:
        return set() if category in ENDED else {own}
    children = [_inside(f"{path}.{name}", inner, asked, category) for name, inner in _states(state.states).items()]
    together: set[frozenset[str]] = {frozenset()} if state.parallel else set()
    for child in children:
        if child is None or len(together) * len(child) > MOST:
            return None
        together = {one | other for one in together for other in child} if state.parallel else together | child
    return {one | own for one in together}


def _states(states: Mapping[str, State]) -> dict[str, State]:
    return {name: state for name, state in states.items() if not state.history}
