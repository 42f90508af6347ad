"""Backups: a copy of a running store that has proved itself before it has its name."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from casekit.__about__ import __version__
from casekit.desk.checking import verify_copy
from casekit.desk.keeper import allowed, noted, tenants_of
from casekit.desk.work import Work
from casekit.errors import BadInput, Problem, StoreFailed
from casekit.model.actor import Actor
from casekit.record.verify import Wrong
from casekit.store import auditing
from casekit.store.copying import close_up, copy_out
from casekit.store.durable import copied, fresh_folder
from casekit.store.engine import HEAD
from casekit.store.keys import keyring_text
from casekit.store.manifest import DOCUMENTS, KEYS, Manifest, TenantIn, described, listing, table_file, write_manifest
from casekit.store.places import read_only
from casekit.store.private import write_private
from casekit.store.shelf import Shelf, Store

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


@frozen
class BackedUp:
    """What a backup holds.

    Attributes:
        folder: Where it is.
        digest: SHA-256 of its manifest: whoever notes it elsewhere knows the backup again.
        manifest: What it says of itself.
        wrong: What is wrong with the record, where a damaged one was asked for.
        noted: Whether the store's desk log tells of it.
    """

    folder: str
    digest: str
    manifest: Manifest
    wrong: tuple[tuple[str, Wrong], ...]
    noted: bool


def back_up(desk: Desk, actor: Actor, folder: str | Path, *, keys: bool = False, damaged: bool = False) -> BackedUp:
    """Makes a backup in a folder that does not exist yet; others go on working meanwhile.

    Args:
        desk: On the store.
        actor: Who.
        folder: Where.
        keys: Whether the keyring goes with it: whoever gets hold of the backup then reads everything.
        damaged: Whether a record that is not whole is kept as it is, better than nothing.

    Raises:
        BadInput: there is no store, or its record is not whole; nothing was made.
        StoreFailed: it can't be read or written; nothing was made.
    """
    allowed(desk, actor)
    tenants = tenants_of(desk)
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - no symbolic link is followed
    with fresh_folder(folder) as draft:
        _tables(desk, tenants, draft)
        inside = {tenant: _contents(desk.shelf(tenant), draft, damaged=damaged) for tenant in tenants}
        wrong = tuple((tenant, one) for tenant in tenants for one in _proved(desk, tenant, draft))
        if wrong and not damaged:
            raise BadInput([_problem(tenant, one) for tenant, one in wrong[:20]])
        names = [table_file(tenant) for tenant in tenants]
        if keys:
            write_private(draft / KEYS, keyring_text(desk.shelf(tenants[0]).vault.ring).encode())
            names.append(KEYS)
        manifest = _manifest(desk, draft, inside, names, keys=keys, whole=not wrong)
        digest = write_manifest(draft, manifest)
    told = noted(desk, actor, "backup", {"digest": digest, "keys": keys, "whole": not wrong})
    return BackedUp(str(folder), digest, manifest, wrong, told)


def _tables(desk: Desk, tenants: tuple[str, ...], draft: Path) -> None:
    if desk.store.url.get_backend_name() == "sqlite":
        for tenant in tenants:
            copy_out(desk.shelf(tenant), [(tenant, draft / table_file(tenant))])
    else:
        copy_out(desk.shelf(tenants[0]), [(tenant, draft / table_file(tenant)) for tenant in tenants])


def _contents(shelf: Shelf, draft: Path, *, damaged: bool) -> set[str]:
    """Copies the contents that the copied tables name: none can be missing, for each was there before its row."""
    with closing(read_only(draft / table_file(shelf.tenant))) as tables:
        named = {row[0] for row in tables.execute("SELECT DISTINCT digest FROM documents")}
    kept = set()
    for digest in sorted(named):
        source = shelf.files.path(digest)
        target = draft / DOCUMENTS / shelf.tenant / digest[:2] / digest
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            found = copied(source, target)
        except FileNotFoundError:
            found = ""
        if found == digest:
            kept.add(digest)
        elif not damaged:
            what = "is missing" if not found else "was changed"
            raise BadInput.at(str(source), f"the document {what}", "restore it from a backup, or back up what there is: --damaged")
    return kept


def copy_of(folder: Path, keys: Path | None, documents: Path | None = None) -> Store:
    """The copied tables in a folder as a store."""
    return Store(f"sqlite:///{folder / table_file('main')}", keys, documents or folder / DOCUMENTS)


def _proved(desk: Desk, tenant: str, draft: Path) -> list[Wrong]:
    """What verification finds wrong with the copy of a tenant's tables."""
    store = copy_of(draft, desk.store.keys)
    try:
        report = verify_copy(Work(store.shelf(tenant), desk.now))
    finally:
        store.close()
    close_up(draft / table_file(tenant))
    return report.wrong


def _manifest(desk: Desk, draft: Path, inside: dict[str, set[str]], names: list[str], *, keys: bool, whole: bool) -> Manifest:
    rings = {tenant: auditing.meta(desk.shelf(tenant)).get("keyring", "") for tenant in inside}
    found = {check for check in rings.values() if check}
    if len(found) > 1:
        raise StoreFailed("the tenants of this store are sealed with several keyrings (back them up one by one, each with its own --keys)")
    return Manifest(
        made=desk.now(),
        by=__version__,
        version=HEAD,
        engine=desk.store.url.get_backend_name(),
        keyring=found.pop() if found else "",
        keys=keys,
        whole=whole,
        tenants={tenant: tenant_in(draft, tenant, contents) for tenant, contents in inside.items()},
        files=described(draft, names),
    )


def tenant_in(draft: Path, tenant: str, contents: set[str]) -> TenantIn:
    """What the copied tables in a folder, and these contents, are."""
    with closing(read_only(draft / table_file(tenant))) as tables:
        streams, recorded = tables.execute("SELECT count(*), max(recorded) FROM streams").fetchone()
        (entries,) = tables.execute("SELECT count(*) FROM entries").fetchone()
    return TenantIn(table_file(tenant), streams, entries, recorded or "", len(contents), listing(contents))


def _problem(tenant: str, wrong: Wrong) -> Problem:
    where = " ".join(str(part) for part in (tenant, wrong.stream, wrong.n, wrong.table, wrong.row, wrong.column) if part not in ("", None))
    return Problem(where, f"the record is not whole: {wrong.what}", "restore it, or back up what there is: --damaged")
