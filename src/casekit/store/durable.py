"""Files and folders that are there whole, and stay, or are not there at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from casekit.errors import StoreFailed
from casekit.store.private import sync

_PIECE = 1 << 20


def digest_of(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def copied(source: Path, target: Path) -> str:
    """Copies a file into a new one, durably but for its name; gives the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as there, target.open("xb") as here:
        while piece := there.read(_PIECE):
            digest.update(piece)
            here.write(piece)
        here.flush()
        os.fsync(here.fileno())
    return digest.hexdigest()


@contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """A folder that comes to be when the block is through: until then it is a draft beside it, and goes if it fails.

    Raises:
        StoreFailed: there is something already, or the folder can't be made.
    """
    if path.exists() or path.is_symlink():
        raise StoreFailed(f"{path}: there is something already (name a folder that does not exist yet)")
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    placed = draft
    try:
        draft.mkdir(mode=0o700, parents=True)
        yield draft
        sync_tree(draft)
        draft.rename(path)
        placed = path
        with suppress(PermissionError):  # a folder that an administrator has made, in one that we may not read
            sync(path.parent)
    except OSError as wrong:
        shutil.rmtree(placed, ignore_errors=True)
        raise StoreFailed(f"{path}: it can't be written: {wrong.strerror or wrong} (check rights and disk space)") from wrong
    except BaseException:
        shutil.rmtree(placed, ignore_errors=True)
        raise


def sync_tree(folder: Path) -> None:
    """Makes the names in a folder, and in those within it, durable."""
    for part, _, _ in os.walk(folder):
        sync(Path(part))
