"""P20: the wheel that is installed is the one that was built, and it says of what it is made."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from casekit import __about__
from commandline import ROOT

EXTRAS = frozenset({"calendar-export", "fast", "holidays", "pictures", "postgresql"})
PROJECTS = (ROOT, *(path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))))


def built(source: Path, target: Path) -> Path:
    """The wheel of a project."""
    said = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target], cwd=source, capture_output=True, check=False
    )
    assert said.returncode == 0, said.stderr.decode()
    return next(target.glob("*.whl"))


def elsewhere(source: Path, target: Path) -> Path:
    """The same files in another folder, in another order, of another time, more private."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=source, capture_output=True, check=True
    )
    for name in sorted(filter(None, files.stdout.decode().split("\0")), reverse=True):
        if (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)
            os.utime(target / name, (1_000_000_000, 1_000_000_000))
            (target / name).chmod(0o600)
    return target


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_two_builds_are_identical_to_the_bit(project: Path, tmp_path: Path, figure: Callable[[str], None]) -> None:
    one = built(project, tmp_path / "one")
    two = built(elsewhere(project, tmp_path / "copy"), tmp_path / "two")
    digests = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in (one, two)}
    assert len(digests) == 1
    figure(f"P20 wheel: {one.name} built twice, identical")


def test_the_bill_of_materials_lists_what_is_installed_and_nothing_else(tmp_path: Path, figure: Callable[[str], None]) -> None:
    wheel = built(ROOT, tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        bill = json.loads(archive.read(f"casekit-{__about__.__version__}.dist-info/sboms/casekit.cdx.json"))
    listed = {(canonicalize_name(c["name"]), c["version"]) for c in bill["components"]}
    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", __about__.__version__)
    assert listed == installed("casekit", EXTRAS)
    figure(f"P20 bill of materials: {len(listed)} packages listed, the same installed")


def installed(name: str, extras: frozenset[str]) -> set[tuple[str, str]]:
    """Every package that one asks for, and that those ask for, here and now: name, version."""
    found: dict[str, str] = {}
    todo = [(name, extras)]
    seen = set()
    while todo:
        asked, wanted = todo.pop()
        for text in distribution(asked).requires or ():
            needs = Requirement(text)
            if needs.marker is None or any(needs.marker.evaluate({"extra": extra}) for extra in {"", *wanted}):
                key = (canonicalize_name(needs.name), frozenset(needs.extras))
                found[key[0]] = distribution(needs.name).version
                todo += [] if key in seen else [key]
                seen.add(key)
    return set(found.items())
