"""Restoring: a backup becomes a store again, proved, and erased of whoever was erased since."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from casekit.desk.backing import copy_of, tenant_in
from casekit.desk.checking import verify_copy
from casekit.desk.disposals import remove_contents
from casekit.desk.keeper import allowed, noted
from casekit.desk.ledger import write_ledger
from casekit.desk.replaying import replay
from casekit.desk.work import Work
from casekit.errors import BadInput, Problem, StoreFailed
from casekit.model.actor import Actor
from casekit.record.verify import Wrong
from casekit.store.copying import close_up
from casekit.store.durable import copied
from casekit.store.erasures import Line, ledger_beside
from casekit.store.erasures import read as read_ledger
from casekit.store.keys import keep_keyring, read_keyring
from casekit.store.manifest import DOCUMENTS, KEYS, Manifest, check_files, contents_in, listing, read_manifest, table_file
from casekit.store.places import read_only, restoring
from casekit.store.placing import Placing, keks_of
from casekit.store.signing import read_signing, signing_beside

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


@frozen
class Restored:
    """What a restore did.

    Attributes:
        digest: SHA-256 of the backup's manifest.
        manifest: What the backup says of itself.
        erased: How many erasures and disposals were made good.
        ledgers: The ledgers that said so. Where there is none, nobody knows who was erased since.
        documents: How many contents were placed.
        behind: Tenants of whom a checkpoint was signed that this backup is too old to know: ``verify`` will say so.
        keys: ``here``: the keyring opens what is sealed; ``partly``: it lacks keys, and what they wrap stays shut;
            ``missing``: nothing that is sealed can be opened, and nothing can be written.
        wrong: What is wrong with the record, where a damaged one was asked for.
    """

    digest: str
    manifest: Manifest
    erased: int
    ledgers: tuple[str, ...]
    documents: int
    behind: tuple[str, ...]
    keys: str
    wrong: tuple[tuple[str, Wrong], ...]


@frozen
class How:
    """How a backup is restored.

    Attributes:
        erasures: Ledgers of erasures beside the one that lies with the keyring.
        keys: Whether the keyring in the backup is put where the store expects its own.
        locked: Whether it is restored without the keys that open it.
        damaged: Whether a record that is not whole is restored all the same.
        force: Whether a store that is there already, and holds nothing newer, is replaced.
    """

    erasures: tuple[Path, ...] = ()
    keys: bool = False
    locked: bool = False
    damaged: bool = False
    force: bool = False


def restore(desk: Desk, actor: Actor, folder: str | Path, how: How) -> Restored:
    """Makes a store of a backup, where the desk's store is to be.

    Raises:
        BadInput: it is no backup, it is damaged, its keys are not here, or there is a store already.
        StoreFailed: it can't be written. What was there before is there still, and nothing else.
    """
    allowed(desk, actor)
    folder = Path(folder)
    manifest, digest = read_manifest(folder)
    check_files(folder, manifest)
    _check_contents(folder, manifest, damaged=how.damaged)
    _check_place(desk, manifest, force=how.force)
    keys = _keys(desk, folder, manifest, how)
    lines, ledgers = _ledgers(desk, how.erasures)
    with _draft(desk) as draft:
        erased, wrong = _prepared(desk, folder, manifest, draft, _ring(desk, folder, how), keys, lines)
        if wrong and not how.damaged:
            raise BadInput([Problem(f"{tenant} {w.stream} {w.n or ''}".strip(), w.what, "use another backup") for tenant, w in wrong[:20]])
        behind = tuple(tenant for tenant in manifest.tenants if _behind(desk, tenant, draft))
        placed = _place(desk, folder, manifest, draft, how)
    _tell(desk, actor, digest, erased, keys)
    return Restored(digest, manifest, erased, ledgers, placed, behind, keys, tuple(wrong))


def _check_contents(folder: Path, manifest: Manifest, *, damaged: bool) -> None:
    for tenant, inside in manifest.tenants.items():
        there = contents_in(folder / DOCUMENTS, tenant)
        if not damaged and (listing(there), len(there)) != (inside.listed, inside.documents):
            where = str(folder / DOCUMENTS / tenant)
            raise BadInput.at(where, f"these are not the {inside.documents} documents that the manifest tells of", "use another backup")


def _check_place(desk: Desk, manifest: Manifest, *, force: bool) -> None:
    """Whether there is a store already, or a file where one should be."""
    url = desk.store.url
    if force:
        return
    taken = list(desk.store.tenants())
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        names = [f"{path.stem}.{tenant}{path.suffix}" if tenant != "main" else path.name for tenant in manifest.tenants]
        taken += [found.name for name in names for found in sorted(path.parent.glob(f"{name}*")) if found.name in (name, f"{name}-wal")]
        taken += [restoring(url).name] if restoring(url).exists() else []
    if taken:
        where = url.render_as_string(hide_password=True)
        do = "name an empty place; --force replaces a store that has no entry which the backup lacks"
        raise BadInput.at("store", f"there is a store at {where} already: {', '.join(dict.fromkeys(taken))}", do)


def _keys(desk: Desk, folder: Path, manifest: Manifest, how: How) -> str:
    """Whether the keys of the backup are here, or come with it."""
    place = desk.store.keys
    if not manifest.keyring:
        return "here"
    if how.keys and not manifest.keys:
        raise BadInput.at(str(folder), "the keyring is not in this backup", "get it from where the keys are kept: casekit keys recover")
    if how.keys and place is None:
        raise BadInput.at("keys", "it is not said where the keyring is to lie", "say where: --keys FILE or CASEKIT_KEYS")
    source = _ring(desk, folder, how)
    found = None if source is None else read_keyring(source)
    if found is not None and found.check != manifest.keyring:
        raise BadInput.at(str(source), "this is not the keyring of the backup", "say where the right one is, or is to lie: --keys")
    keks = set().union(*(keks_of(folder / inside.file) for inside in manifest.tenants.values()))
    lacking = sorted(keks - set(found.keys if found else ()))
    if found is not None and not lacking:
        return "here"
    if not how.locked:
        raise _shut(place, lacking if found else [])
    return "partly" if found is not None and set(lacking) < keks else "missing"


def _ring(desk: Desk, folder: Path, how: How) -> Path | None:
    """The keyring that the store will have: the one that is there, else the one that comes with the backup."""
    if desk.store.keys is not None and desk.store.keys.exists():
        return desk.store.keys
    return folder / KEYS if how.keys else None


def _shut(place: Path | None, lacking: list[str]) -> BadInput:
    if lacking:
        what = f"the keyring lacks {', '.join(lacking)}: what these keys wrap in the backup can't be opened any more"
    else:
        what = "the keyring of the backup is not here: nothing that is sealed could be opened, and nothing written"
    do = "put the keyring there (casekit keys recover), or say --without-keys: the record comes back, what is sealed stays shut"
    return BadInput.at(str(place or "keys"), what, do)


def _ledgers(desk: Desk, given: Iterable[Path]) -> tuple[list[Line], tuple[str, ...]]:
    beside = ledger_beside(desk.store.keys) if desk.store.keys is not None else None
    paths = [*([beside] if beside is not None and beside.exists() else []), *given]
    return [line for path in paths for line in read_ledger(path)], tuple(str(path) for path in paths)


@contextmanager
def _draft(desk: Desk) -> Iterator[Path]:
    """A folder to prepare the tables in, on the disk of the store where that is a file."""
    path = Path(str(desk.store.url.database)) if desk.store.url.get_backend_name() == "sqlite" else None
    try:
        draft = Path(tempfile.mkdtemp(prefix=".casekit-restore-", dir=None if path is None else path.parent))
    except OSError as wrong:
        raise StoreFailed(f"nothing can be written beside the store: {wrong.strerror} (check path, rights and disk space)") from wrong
    try:
        yield draft
    except OSError as wrong:
        raise StoreFailed(f"the store can't be restored: {wrong} (check rights and disk space)") from wrong
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _prepared(
    desk: Desk, folder: Path, manifest: Manifest, draft: Path, ring: Path | None, keys: str, lines: list[Line]
) -> tuple[int, list[tuple[str, Wrong]]]:
    """Copies the tables, brings them up to date, erases once more, and proves the result."""
    for tenant, inside in manifest.tenants.items():
        if inside.file != table_file(tenant) or copied(folder / inside.file, draft / inside.file) != manifest.files[inside.file].sha256:
            raise BadInput.at(str(folder / inside.file), "it is not the file that the manifest tells of", "use another backup")
        if evolve(tenant_in(draft, tenant, set()), documents=inside.documents, listed=inside.listed) != inside:
            raise BadInput.at(str(folder / inside.file), "it holds not what the manifest tells of", "use another backup")
    erased, wrong = 0, []
    with closing(copy_of(draft, ring, folder / DOCUMENTS)) as store:
        for tenant in manifest.tenants:
            shelf = store.shelf(tenant)
            erased += replay(shelf, desk.now, lines)
            wrong += [(tenant, one) for one in verify_copy(Work(shelf, desk.now), keys=keys == "here").wrong]
    for inside in manifest.tenants.values():
        close_up(draft / inside.file)
    return erased, wrong


def _behind(desk: Desk, tenant: str, draft: Path) -> bool:
    """Whether more was signed for a tenant's log than these tables hold of it."""
    path = None if desk.store.keys is None else signing_beside(desk.store.keys)
    last = read_signing(path).last(tenant) if path is not None and path.exists() else None
    if last is None:
        return False
    with closing(read_only(draft / table_file(tenant))) as tables:
        return bool(tables.execute("SELECT count(*) FROM leaves").fetchone()[0] < last.size)


def _place(desk: Desk, folder: Path, manifest: Manifest, draft: Path, how: How) -> int:
    placing = Placing(desk.store.url, {tenant: draft / table_file(tenant) for tenant in manifest.tenants})
    with placing.undone_if_it_fails():
        if how.keys and desk.store.keys is not None and not desk.store.keys.exists():
            placing.made(desk.store.keys)
            keep_keyring(desk.store.keys, read_keyring(folder / KEYS))
        placed = 0
        if any(inside.documents for inside in manifest.tenants.values()):
            if desk.store.documents is None:
                raise BadInput.at("documents", "no folder for documents was named", "say where they are to lie: --documents")
            placed = placing.contents(folder / DOCUMENTS, Path(os.path.abspath(desk.store.documents)))  # noqa: PTH100
        if desk.store.url.get_backend_name() == "sqlite":
            placing.files()
        else:
            placing.database()
    return placed


def _tell(desk: Desk, actor: Actor, digest: str, erased: int, keys: str) -> None:
    """Writes into log and ledger what was done; without its keys the store takes nothing."""
    for tenant in desk.store.tenants():
        remove_contents(desk.shelf(tenant))
    if keys == "missing":
        return
    noted(desk, actor, "restore", {"digest": digest, "erased": erased})
    for tenant in desk.store.tenants():
        write_ledger(desk, desk.shelf(tenant))


__all__ = ["How", "Restored", "restore"]
