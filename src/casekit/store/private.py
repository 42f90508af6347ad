"""Small files that only their owner reads: keys. They are whole under their name, or not there, and durable once written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def put_new(path: Path, said: Mapping[str, Any]) -> None:
    """Writes a JSON file; where there is one already, that one stays.

    Raises:
        OSError: it can't be written; nothing is left behind.
    """
    with _drafted(path, said) as draft:
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()


def put(path: Path, said: Mapping[str, Any]) -> None:
    """Puts a JSON file in the place of the one that is there. Raises as :func:`put_new` does."""
    with _drafted(path, said) as draft:
        draft.replace(path)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _drafted(path: Path, said: Mapping[str, Any]) -> Iterator[Path]:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(8).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(said, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        yield draft
        sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
