"""A backup on disk: what lies where in its folder, and the manifest by which it is checked.

manifest.json           what there is, with sizes and SHA-256 digests
store.db                the tables of the tenant ``main``; ``store.TENANT.db`` those of another
documents/TENANT/       contents of documents, each under its own digest
keys                    the keyring, only where somebody has asked for it
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from casekit.errors import BadInput, Problem, StoreFailed
from casekit.model.actor import TENANT
from casekit.store.durable import digest_of
from casekit.store.private import write_private

FORMAT = 1
MANIFEST = "manifest.json"
KEYS = "keys"
DOCUMENTS = "documents"


@frozen
class TenantIn:
    """What a backup holds of a tenant.

    Attributes:
        file: Name of the file with its tables.
        streams, entries: How many.
        recorded: When the last entry was recorded.
        documents: How many contents.
        listed: SHA-256 over the sorted digests of these contents, each with a line feed behind it.
    """

    file: str
    streams: int
    entries: int
    recorded: str
    documents: int
    listed: str


@frozen
class FileIn:
    """Size and SHA-256 of a file."""

    size: int
    sha256: str


@frozen
class Manifest:
    """What a backup says of itself.

    Attributes:
        made: When.
        by: Version of casekit.
        version: Version of the tables.
        engine: The engine that the store was on.
        keyring: What tells its keyring from others; empty where nothing was ever sealed.
        keys: Whether the keyring is in it.
        whole: Whether the record was found whole.
        tenants: Tenant → what there is of it.
        files: Every file but the manifest and the contents of documents.
    """

    made: str
    by: str
    version: str
    engine: str
    keyring: str
    keys: bool
    whole: bool
    tenants: Mapping[str, TenantIn]
    files: Mapping[str, FileIn]


def table_file(tenant: str) -> str:
    """Name of the file with a tenant's tables."""
    return "store.db" if tenant == "main" else f"store.{tenant}.db"


def listing(digests: Iterable[str]) -> str:
    """The digest over a set of digests."""
    return hashlib.sha256("".join(f"{digest}\n" for digest in sorted(digests)).encode()).hexdigest()


def described(folder: Path, names: Iterable[str]) -> dict[str, FileIn]:
    """Sizes and digests of files."""
    return {name: FileIn(*digest_of(folder / name)) for name in names}


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Writes the manifest; gives its digest, by which the whole backup is known again."""
    content = (json.dumps({"casekit-backup": FORMAT, **asdict(manifest)}, indent=1, sort_keys=True) + "\n").encode()
    write_private(folder / MANIFEST, content)
    return hashlib.sha256(content).hexdigest()


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest of a backup, and its digest.

    Raises:
        BadInput: there is none, or it is of a later version.
    """
    path, do = folder / MANIFEST, "name the folder that casekit backup has made"
    try:
        content = path.read_bytes()
        said = json.loads(content)
        if said.pop("casekit-backup") != FORMAT:
            raise BadInput.at(str(path), "the backup is of a later version", "use the newer casekit")
        tenants = {name: TenantIn(**inside) for name, inside in said.pop("tenants").items()}
        files = {name: FileIn(**inside) for name, inside in said.pop("files").items()}
        read = Manifest(tenants=tenants, files=files, **said)
    except OSError as wrong:
        raise BadInput.at(str(path), f"can't be read: {wrong.strerror}", do) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput.at(str(path), "this is no manifest of a backup", do) from None
    if not all(map(TENANT.fullmatch, tenants)) or not set(files) <= {KEYS, *map(table_file, tenants)}:
        raise BadInput.at(str(path), "this is no manifest of a backup: it names files that none has", do)
    return read, hashlib.sha256(content).hexdigest()


def check_files(folder: Path, manifest: Manifest) -> None:
    """Whether every file of a backup is what its manifest says.

    Raises:
        BadInput: every file that is missing or changed.
    """
    problems = [problem for name, said in sorted(manifest.files.items()) if (problem := _wrong(folder / name, said))]
    for tenant, inside in sorted(manifest.tenants.items()):
        if inside.file not in manifest.files:
            problems.append(Problem(str(folder / MANIFEST), f"the tables of {tenant} are not among its files", "use another backup"))
    if problems:
        raise BadInput(problems)


def _wrong(path: Path, said: FileIn) -> Problem | None:
    try:
        size, digest = digest_of(path)
    except OSError as wrong:
        return Problem(str(path), f"can't be read: {wrong.strerror}", "use another backup")
    if (size, digest) != (said.size, said.sha256):
        return Problem(str(path), "it is not the file that the manifest tells of", "use another backup")
    return None


def contents_in(folder: Path, tenant: str) -> set[str]:
    """Digests of the contents that lie in a folder of documents, by their names.

    Raises:
        StoreFailed: the folder can't be read.
    """
    try:
        return {path.name for path in (folder / tenant).glob("??/*") if len(path.name) == 64}
    except OSError as wrong:
        raise StoreFailed(f"{folder}: it can't be read: {wrong.strerror} (check the rights)") from wrong


def as_json(manifest: Manifest) -> dict[str, Any]:
    """A manifest as JSON."""
    return asdict(manifest)
