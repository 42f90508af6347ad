"""Writes the software bill of materials anew: ``make sbom``. It lists what an installation with every extra holds.

An environment of its own gets casekit with its extras as ``constraints.txt`` pins them; cyclonedx-py reads it. What may
change without a change of what is installed (links, the tool's own description) is left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from casekit.__about__ import __version__

FILE = Path(__file__).parent / "casekit.cdx.json"
ROOT = FILE.parents[1]
EXTRAS = ("calendar-export", "fast", "holidays", "pictures", "postgresql")


def read(python: Path) -> dict[str, Any]:
    """What cyclonedx-py says of an environment."""
    asked = ["environment", "--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "--of", "JSON", python]
    said = subprocess.run([Path(sys.executable).parent / "cyclonedx-py", *asked], check=True, capture_output=True)  # noqa: S603 - our own
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def lean(found: dict[str, Any]) -> dict[str, Any]:
    """The same without links, and without the tool's description of itself; with the version of casekit."""
    for component in found["components"]:
        component.pop("externalReferences", None)
    found["metadata"]["tools"] = {
        "components": [{k: tool[k] for k in ("type", "name", "version")} for tool in found["metadata"]["tools"]["components"]]
    }
    found["metadata"]["component"]["version"] = __version__
    return found


def main() -> None:
    """Writes the file."""
    uv = Path(sys.executable).parent / "uv"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([uv, "venv", "-q", "-p", sys.executable, folder], check=True)  # noqa: S603 - our own
        wanted = f"{ROOT}[{','.join(EXTRAS)}]"
        pins = ROOT / "constraints.txt"
        subprocess.run([uv, "pip", "install", "-q", "-p", folder, "-c", pins, "-b", pins, wanted], check=True)  # noqa: S603 - our own
        found = lean(read(Path(folder) / "bin" / "python"))
    FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
