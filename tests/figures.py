"""What the proofs of a run came to, a line each: kept with the run, and handed on where several processes share it."""

from __future__ import annotations

import pytest

FIGURES = pytest.StashKey[list[str]]()
