"""``python -m benchmarks``: measures, prints the table, writes it to bench-results/. Missed floors are shown, not failed."""

from __future__ import annotations

import argparse
import importlib.abc
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class _Hidden(importlib.abc.MetaPathFinder):
    """Makes the parts of the extra ``fast`` look as if they were not installed."""

    def find_spec(self, fullname: str, _path: Any = None, _target: Any = None) -> None:
        """Refuses them; leaves everything else to others."""
        if fullname.split(".", maxsplit=1)[0] in ("orjson", "jsonschema_rs"):
            raise ModuleNotFoundError(f"{fullname} is hidden", name=fullname)


def main() -> None:
    """Measures what was asked for."""
    options = _options()
    if options.without_fast:
        sys.meta_path.insert(0, _Hidden())
    sys.path.insert(0, str(ROOT / "tests"))
    from benchmarks.running import run

    with tempfile.TemporaryDirectory(prefix="casekit-bench-", dir=options.folder or ROOT) as name:
        fsync = _fsync(Path(name))
        figures, facts = run(options.lines, options.rounds, Path(name), quiet=options.without_fast)
    if options.without_fast:
        from benchmarks.figures import rows

        print(json.dumps([rows(f) for f in figures]))
        return
    from rich.console import Console

    from benchmarks.figures import Figure, keep, say

    facts["fsync"] = fsync
    plain = {} if options.fast_only else {f["line"]: Figure(**f) for f in _without_fast(options)}
    say(Console(width=None if sys.stdout.isatty() else 170), facts, figures, plain)
    print("written to", keep(ROOT / "bench-results", facts, figures, plain))


def _options() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    reader.add_argument("lines", nargs="*", help="only lines whose key holds one of these texts (sqlite.open, bulk, postgresql)")
    reader.add_argument("--rounds", type=int, default=3, help="rounds of which the best counts (3)")
    reader.add_argument("--folder", default="", help="where the stores lie: a folder on the disk to be measured")
    reader.add_argument("--fast-only", action="store_true", help="leave out the second pass, without the extra fast")
    reader.add_argument("--without-fast", action="store_true", help="measure as if the extra fast were not installed, and print JSON alone")
    return reader.parse_args()


def _without_fast(options: argparse.Namespace) -> list[dict[str, Any]]:
    how = [sys.executable, "-m", "benchmarks", "--without-fast", "--rounds", str(options.rounds), *options.lines]
    if options.folder:
        how += ["--folder", options.folder]
    done = subprocess.run(how, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _fsync(folder: Path) -> int:
    """Microseconds that the disk takes to make 8 KiB durable, the best of some."""
    best = float("inf")
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(50):
            file.write(bytes(8192))
            file.flush()
            begun = perf_counter()
            os.fsync(file.fileno())
            best = min(best, perf_counter() - begun)
    return round(best * 1e6)


if __name__ == "__main__":
    main()
