"""Contents of documents: a folder in which each sealed content lies under its own digest.

A content is there, whole and durable, before the entry that names it is committed. What no entry names (a
command failed in between) is rubbish, not a loss.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from casekit.errors import StoreFailed
from casekit.store.private import sync

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Files:
    """Sealed contents by digest (SHA-256, hex)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._durable: set[Path] = set()

    def put(self, sealed: bytes) -> str:
        """Keeps a sealed content, durably; gives its digest."""
        digest = hashlib.sha256(sealed).hexdigest()
        path = self.path(digest)
        draft = path.with_name(f".{digest}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            self._make(path.parent)
            with draft.open("wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
            sync(path.parent)
        except OSError as wrong:
            with suppress(OSError):
                draft.unlink()
            raise StoreFailed(f"{path}: the document can't be kept: {wrong.strerror}") from wrong
        return digest

    def get(self, digest: str) -> bytes:
        """The sealed content.

        Raises:
            StoreFailed: it is not there, or it is not what its digest says.
        """
        path = self.path(digest)
        try:
            sealed = path.read_bytes()
        except OSError as wrong:
            raise StoreFailed(f"{path}: the document can't be read: {wrong.strerror} (restore it from a backup)") from None
        if hashlib.sha256(sealed).hexdigest() != digest:
            raise StoreFailed(f"{path}: the document was changed (restore it from a backup)")
        return sealed

    def path(self, digest: str) -> Path:
        """Where a content lies."""
        if not _DIGEST.fullmatch(digest):
            raise StoreFailed(f"{digest!r} is no address of a document (run verify)")
        return self.folder / digest[:2] / digest

    def _make(self, folder: Path) -> None:
        """Makes a folder, and its name durable: once in a process, for whoever made it may have died before it was."""
        if folder in self._durable:
            return
        made = [part for part in (folder, *folder.parents) if not part.is_dir()]
        folder.mkdir(parents=True, exist_ok=True)
        for part in dict.fromkeys((folder, self.folder, *made)):
            sync(part.parent)
        with suppress(PermissionError):  # a folder that an administrator has made, in one that we may not read
            sync(self.folder.parent.parent)
        self._durable.add(folder)
