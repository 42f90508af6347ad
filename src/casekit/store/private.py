"""Small files that only their owner reads: keys. They are whole under their name, or not there, and durable once written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def put_new(path: Path, content: bytes) -> None:
    """Writes a file; where there is one already, that one stays.

    Raises:
        OSError: it can't be written; nothing is left behind.
    """
    with _drafted(path, content) as draft:
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()


def put(path: Path, content: bytes, *, wipe: bool = False) -> None:
    """Puts a file in the place of the one that is there, at once: whoever reads has the one or the other, whole.

    Args:
        path: Its name.
        content: Its bytes.
        wipe: Whether the bytes of the old one are overwritten. A file system that journals contents, and a disk that
            moves its blocks, may keep a copy all the same.

    Raises:
        OSError: it can't be written: the one or the other is there.
    """
    old = os.open(path, os.O_WRONLY) if wipe else -1
    try:
        with _drafted(path, content) as draft:
            draft.replace(path)
        if wipe:
            os.write(old, os.urandom(os.fstat(old).st_size))
            os.fsync(old)
    finally:
        if wipe:
            os.close(old)


def write_private(path: Path, content: bytes) -> None:
    """Writes a new file, durably but for its name.

    Raises:
        OSError: it can't be written, or there is one already.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Makes the content of a file durable, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _drafted(path: Path, content: bytes) -> Iterator[Path]:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(8).hex()}")
    try:
        write_private(draft, content)
        yield draft
        sync(path.parent)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
