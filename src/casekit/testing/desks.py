"""A real desk for tests: a store of its own in a folder, and a clock that stands still until it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casekit.errors import BadInput

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


class StandingClock:
    """A clock that shows the same moment until it is moved. It never goes back.

    Args:
        now: The moment that it shows first.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now.astimezone(UTC)

    def __call__(self) -> datetime:
        """The moment that it shows."""
        return self.now

    def go_on(self, **length: float) -> None:
        """Moves it on by a length (``days=3, hours=2``)."""
        self.go_to(self.now + timedelta(**length))

    def go_to(self, moment: datetime) -> None:
        """Moves it on to a moment.

        Raises:
            BadInput: it lies before what the clock shows.
        """
        if moment < self.now:
            raise BadInput.at("clock", f"{moment} lies before {self.now}", "a clock goes forward only")
        self.now = moment.astimezone(UTC)


def a_desk(folder: Path, *plugins: Any, clock: StandingClock | None = None, case_types: tuple[Any, ...] = ()) -> Desk:
    """A desk on a fresh SQLite store in a folder, with these plugins and none of those installed.

    Args:
        folder: An empty folder (pytest's ``tmp_path``).
        plugins: Modules or objects with a ``PLUGIN`` and hooks.
        clock: Its clock; None: the machine's.
        case_types: Further case types.
    """
    from casekit import builtin, open_desk

    modules = [p for p in (builtin, *plugins) if hasattr(p, "PLUGIN")]
    return open_desk(store=f"sqlite:///{folder / 'desk.db'}", plugins=modules, installed=False, case_types=case_types, clock=clock)
