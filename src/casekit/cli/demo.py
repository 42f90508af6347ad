"""The demo: one collection case played from start to end through the public door, on a store of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from casekit.cli.commands import GLOBALS
from casekit.cli.everywhere import everywhere_option


def demo(
    *,
    store: Annotated[str, everywhere_option("--store")] = "",
    keys: Annotated[Path | None, everywhere_option("--keys", "CASEKIT_KEYS")] = None,
    documents: Annotated[Path | None, everywhere_option("--documents")] = None,
    tenant: Annotated[str, everywhere_option("--tenant")] = "main",
    examples: Annotated[Path | None, Parameter(help="The folder of examples. Default: that of the source tree.")] = None,
    json: Annotated[bool, Parameter(help=GLOBALS["--json"])] = False,
) -> int:
    """Plays one collection case readably, from intake to the verified journal; then imports a small log.

    It runs on a temporary store unless --store names another; CASEKIT_STORE does not count here.
    """
    from casekit import open_desk
    from casekit.cli.demo_story import Story
    from casekit.cli.demo_teller import StageClock, Teller

    teller, clock = Teller(json=json), StageClock()
    with _place(store, keys) as (url, keyring):
        required = ("debt-collection",)
        with open_desk(store=url, keys=keyring, documents=documents, required=required, clock=clock) as desk:
            Story(desk, clock, teller, tenant, examples or EXAMPLES).play()
    return teller.end()


EXAMPLES = Path(__file__).parents[3] / "examples"


@contextmanager
def _place(store: str, keys: Path | None) -> Iterator[tuple[str, Path | None]]:
    """The store that was named, or a temporary one that is gone afterwards."""
    if store:
        yield store, keys
        return
    with tempfile.TemporaryDirectory(prefix="casekit-demo-") as folder:
        yield f"sqlite:///{folder}/demo.db", None
