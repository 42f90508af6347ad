"""P8: the verifier itself is tested by breaking it: almost every mutant is told from the real one by what it is asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from proofs import asked
from proofs.mutants import Mutant, TooLong, at_most, mutants, run

PURE: dict[str, Callable[[], Iterator[asked.Question]]] = {
    "casekit.record.verify": asked.of_verify,
    "casekit.record.fold": asked.of_fold,
    "casekit.record.merkle": asked.of_merkle,
    "casekit.record.note": asked.of_note,
    "casekit.record.checkpoint": asked.of_checkpoint,
    "casekit.record.held": asked.of_held,
}
SECONDS = 2
"""Time of the processor for all questions to one mutant: many times what the real one takes."""

_VERSION = 'version = head["version"] if head is not None else 0'
_NONE = "if head is None or last is None:"
_BOTH = "both are None or neither is"
_ROWS = "if table not in expected and table not in stream.rows:"
_WHAT = 'what = "the log has taken in another entry than the stream has" if there else "the log tells of an entry that is not there"'
_WORDS = "'the log has taken in another entry than the stream has' if {} else 'the log tells of an entry that is not there'"
EQUIVALENT: dict[str, str] = {
    f"record.verify.check: head['version'] if head is not None else 0 -> head['version'] if False else 0  [{_VERSION}]": (
        "the state is then digested after every entry, not only after those that change it"
    ),
    "record.verify.check: if head['version'] != version:… -> if True:…  [if head[\"version\"] != version:  # only then has the head changed]": (
        "the same"
    ),
    f"record.verify.check: head is None or last is None -> head is None and last is None  [{_NONE}]": _BOTH,
    f"record.verify.check: head is None or last is None -> head is None  [{_NONE}]": _BOTH,
    f"record.verify.check: head is None or last is None -> last is None  [{_NONE}]": _BOTH,
    "record.verify._out_of_order: 1 -> 2  [place = next(i for i in range(1, len(stream.entries) + 1) if i not in there)]": (
        "of so many places one at least is free, for one entry stands before the first"
    ),
    "record.verify._cut: type(stream.n) is not int or stream.n == there -> type(stream.n) is not int  "
    "[if type(stream.n) is not int or stream.n == there:]": "where they are equal, neither of the two cases that follow is met",
    "record.verify._cut: stream.n > there -> stream.n >= there  [if stream.n > there and stream.hash != last[12]:]": (
        "where they are equal, it has returned"
    ),
    "record.verify._cut: 0 < stream.n < there -> 0 < stream.n <= there  "
    "[if 0 < stream.n < there and stream.hash == stream.entries[stream.n - 1][12]:]": "where they are equal, it has returned",
    f"record.verify._wrong_row: {_ROWS}… -> if False:…  [{_ROWS}]": "nothing is wanted of such a table and nothing is there: it is only skipped",
    "record.verify._wrong_row: continue -> pass  [continue]": "the same",
    "record.fold.fold: changed or change['c'] not in _ADDS_A_ROW or touches_head(change) -> changed or touches_head(change)  "
    '[changed = changed or change["c"] not in _ADDS_A_ROW or touches_head(change)]': "touches_head asks the same first",
    "record.note.named: letter < ' ' -> letter <= ' '  "
    '[return bool(name) and "+" not in name and not any(letter.isspace() or letter < " " for letter in name)]': "a blank is a blank already",
    "record.merkle.included: not place & 1 and place -> not place & 1  [while not place & 1 and place:]": (
        "where the place is 0 here the last is too, and then it has returned"
    ),
    "record.merkle.consistent: not place & 1 and place -> not place & 1  [while not place & 1 and place:]": "the same",
    f"record.held.against: {_WORDS.format('there')} -> {_WORDS.format('True')}  [{_WHAT}]": "words only",
    f"record.held.against: {_WORDS.format('there')} -> {_WORDS.format('False')}  [{_WHAT}]": "words only",
}
"""Mutants that no question can tell from the real one, each with the reason."""


@pytest.mark.parametrize("name", PURE)
def test_mutants_of_the_pure_verifier_are_told(
    name: str, dice: random.Random, times: Callable[[int], int], figure: Callable[[str], None]
) -> None:
    questions = list(PURE[name]())
    real = import_module(name)
    answers = [asked.answer(ask, real) for ask in questions]
    assert [asked.answer(ask, run(name)) for ask in questions] == answers, "a module made anew must answer as the real one"
    every = list(mutants(name))
    tried = every if times(1) >= 10 else dice.sample(every, min(len(every), times(20)))
    survivors = [mutant for mutant in tried if survives(mutant, questions, answers)]
    tell(name, tried, len(every), survivors, figure)


def survives(mutant: Mutant, questions: list[asked.Question], answers: list[Any]) -> bool:
    """Whether a mutant answers every question as the real one does."""
    try:
        with at_most(SECONDS):
            made = mutant.made()
            return all(asked.answer(ask, made) == right for ask, right in zip(questions, answers, strict=True))
    except TooLong:
        return False
    except Exception:  # noqa: BLE001 - it can't even be imported
        return False


def tell(name: str, tried: list[Mutant], count: int, survivors: list[Mutant], figure: Callable[[str], None]) -> None:
    unknown = [mutant.name for mutant in survivors if mutant.name not in EQUIVALENT]
    same = len(survivors) - len(unknown)
    killed = len(tried) - len(survivors)
    figure(
        f"P8 mutants of {name.removeprefix('casekit.')}: {len(tried)} of {count} tried, {killed} told, {same} no different from the real one, "
        f"{len(unknown)} survive: {killed / (len(tried) - same):.0%} of those that differ"
    )
    assert not unknown, "\n".join(unknown)
