"""Documents on disk against the record: what is missing, what was changed, what nothing names."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import frozen

from casekit.desk.keeper import allowed, note, tenants_of
from casekit.errors import BadInput, StoreFailed
from casekit.model.actor import Actor
from casekit.store.durable import digest_of
from casekit.store.shelf import Shelf

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

GRACE = 24.0
"""Hours during which a content that nothing names is left alone: a command may be about to name it."""


@frozen
class Content:
    """One content of a document.

    Attributes:
        tenant: Whose.
        digest: Its address.
        file: Where it is, or should be.
        cases: Cases that name it, the first of them.
    """

    tenant: str
    digest: str
    file: str
    cases: tuple[str, ...] = ()


@frozen
class Contents:
    """What was found.

    Attributes:
        checked: How many contents the record names.
        missing: Named, and not there.
        changed: There, and not what their address says.
        orphans: There, named by nothing, and older than the grace time.
        young: How many are named by nothing and younger.
        removed: How many orphans were taken away.
    """

    checked: int
    missing: tuple[Content, ...]
    changed: tuple[Content, ...]
    orphans: tuple[Content, ...]
    young: int
    removed: int

    @property
    def ok(self) -> bool:
        """Whether every content that is named is there and unchanged."""
        return not self.missing and not self.changed


def check_contents(desk: Desk, actor: Actor, *, grace: float = GRACE, remove: bool = False) -> Contents:
    """Holds every tenant's folder of documents against the record.

    Args:
        desk: On the store.
        actor: Who.
        grace: Hours for which a content may be named by nothing.
        remove: Whether orphans are taken away.

    Raises:
        BadInput: a grace time below an hour together with ``remove``: it would take what a command is about to name.
    """
    allowed(desk, actor)
    if remove and grace < 1:
        raise BadInput.at("grace", f"{grace:g} hours", "give an hour at least: a command may be about to name what it has written")
    parts = [_of(desk, actor, desk.shelf(tenant), grace, remove=remove) for tenant in tenants_of(desk)]
    return Contents(
        checked=sum(part.checked for part in parts),
        missing=tuple(one for part in parts for one in part.missing),
        changed=tuple(one for part in parts for one in part.changed),
        orphans=tuple(one for part in parts for one in part.orphans),
        young=sum(part.young for part in parts),
        removed=sum(part.removed for part in parts),
    )


def _of(desk: Desk, actor: Actor, shelf: Shelf, grace: float, *, remove: bool) -> Contents:
    there = _there(shelf)  # before the record is read: what comes later is named by what is read, or young
    named = _named(shelf)
    missing, changed, orphans, young = [], [], [], 0
    for digest, cases in sorted(named.items()):
        path = shelf.files.path(digest)
        one = Content(shelf.tenant, digest, str(path), tuple(sorted(cases)[:5]))
        try:
            if digest_of(path)[1] != digest:
                changed.append(one)
        except OSError:
            missing.append(one)
    for name, age in sorted(there.items()):
        if name not in named and age < grace * 3600:
            young += 1
        elif name not in named:
            orphans.append(Content(shelf.tenant, name, str(shelf.files.folder / _folder(name) / name)))
    removed = _removed(desk, actor, shelf, orphans) if remove and orphans else 0
    return Contents(len(named), tuple(missing), tuple(changed), tuple(orphans), young, removed)


def _there(shelf: Shelf) -> dict[str, float]:
    """Every file in a tenant's folder by name, drafts included, with its age in seconds."""
    if not _has_folder(shelf):
        return {}
    found, now = {}, time.time()
    for path in shelf.files.folder.glob("??/*"):  # names that begin with a dot included
        with suppress(FileNotFoundError):  # a draft that has got its name in between
            found[path.name] = now - path.stat().st_mtime
    return found


def _has_folder(shelf: Shelf) -> bool:
    try:
        return shelf.files.folder.is_dir()
    except BadInput:
        return False


def _named(shelf: Shelf) -> dict[str, set[str]]:
    place = "?" if shelf.sqlite else "%s"
    asked = f"SELECT d.digest, s.uuid FROM documents d JOIN streams s ON s.tenant = d.tenant AND s.sid = d.sid WHERE d.tenant = {place}"  # noqa: S608
    found: dict[str, set[str]] = {}
    for digest, uuid in shelf.connection.execute(asked, (shelf.tenant,)).fetchall():
        found.setdefault(digest, set()).add(uuid)
    return found


def _removed(desk: Desk, actor: Actor, shelf: Shelf, orphans: list[Content]) -> int:
    """Takes orphans away, each once more held against the record."""
    note(desk, shelf.tenant, actor, "orphans", {"removed": len(orphans)})
    named, count = _named(shelf), 0
    for orphan in orphans:
        if orphan.digest not in named:
            path = shelf.files.folder / _folder(orphan.digest) / orphan.digest
            try:
                path.unlink(missing_ok=True)
            except OSError as wrong:
                raise StoreFailed(f"{path}: it can't be taken away: {wrong.strerror} (check the rights)") from wrong
            count += 1
    return count


def _folder(name: str) -> str:
    return name.lstrip(".")[:2]
