"""The proofs: what casekit promises, tried many times over, each with its figure at the end of the run.

Each proof runs in its small form; CASEKIT_PROOFS=full runs the full one, a number multiplies the counts of the small.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from conftest import TestClock
from figures import FIGURES


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says what a proof came to."""
    return request.config.stash[FIGURES].append


@pytest.fixture
def full() -> bool:
    """Whether this is the full form, in which figures must be reached, too."""
    return os.environ.get("CASEKIT_PROOFS") == "full"


@pytest.fixture
def times(full: bool) -> Callable[..., int]:
    """How often a proof is tried: the count of its small form, as CASEKIT_PROOFS has it; ten times as often in full, or ``full``."""
    said = os.environ.get("CASEKIT_PROOFS", "1")

    def count(small: int, *, full: int = 0) -> int:
        if said == "full":
            return full or 10 * small
        return max(1, round(small * float(said)))

    return count


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Chance that can be had again: CASEKIT_SEED is told where a proof fails."""
    seed = int(os.environ.get("CASEKIT_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
    print(f"CASEKIT_SEED={seed}")  # noqa: T201 - pytest shows it where the test fails
    return random.Random(f"{seed} {request.node.name}")


class Ticking(TestClock):
    """A clock that goes on by a second each time somebody looks at it: no two entries are of one moment."""

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Ticking:
    return Ticking()
