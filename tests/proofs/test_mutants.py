"""P8: the verifier itself is tested by breaking it: almost every mutant is told from the real one by what it is asked."""

from __future__ import annotations

import os
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
SECONDS = 3
"""Time of the processor for all questions to one mutant: many times what the real one takes."""

EQUIVALENT: dict[str, str] = {}
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
    tried = every if times(20) > len(every) or "CASEKIT_MUTANTS" in os.environ else dice.sample(every, times(20))
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
    killed = len(tried) - len(survivors)
    figure(
        f"P8 mutants of {name.removeprefix('casekit.')}: {len(tried)} of {count} tried, {killed} told ({killed / len(tried):.0%}), "
        f"{len(survivors) - len(unknown)} that are no different, {len(unknown)} survive"
    )
    assert not unknown, "\n".join(unknown)
