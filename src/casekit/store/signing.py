"""The keys that sign checkpoints: a file of its own beside the keyring, never in the store.

Who can write the store must not be able to sign for it; that is what a checkpoint is for. So the file also remembers
the last checkpoint that was signed for each tenant, and refuses to sign for a store that has fallen behind it.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casekit.errors import StoreFailed
from casekit.record.checkpoint import Checkpoint
from casekit.record.note import PLAIN, TIMED, Note, PublicKey, Signature, named, timed_message
from casekit.store.private import put, put_new


@frozen
class Signing:
    """What is in the file.

    Attributes:
        path: Where it lies.
        origin: What the origins of its logs begin with; the tenant follows.
        seed: The secret half of the current key, 32 bytes.
        former: What they began with before, the latest first.
        retired: Public keys of the past, the latest first, 32 bytes each; their secret halves are gone.
        signed: Tenant → the last checkpoint that was signed for it.
    """

    path: Path
    origin: str
    seed: bytes
    former: tuple[str, ...] = ()
    retired: tuple[bytes, ...] = ()
    signed: Mapping[str, Checkpoint] = {}

    def origin_of(self, tenant: str) -> str:
        """The origin of a tenant's log."""
        return f"{self.origin}/{tenant}"

    def public(self, tenant: str) -> PublicKey:
        """The key that signs for a tenant, as others know it."""
        return PublicKey(self.origin_of(tenant), PLAIN, _public(self.seed))

    def known(self, tenant: str) -> tuple[PublicKey, ...]:
        """Every key that signs or ever signed for a tenant, in both kinds of signature."""
        names = [f"{origin}/{tenant}" for origin in (self.origin, *self.former)]
        keys = (_public(self.seed), *self.retired)
        return tuple(PublicKey(name, kind, key) for name in names for key in keys for kind in (PLAIN, TIMED))

    def sign(self, tenant: str, checkpoint: Checkpoint, time: int, *, before: bytes | None = None) -> Note:
        """The signed checkpoint: by the current key, plain and with the time; also by the one before, where its seed is given."""
        text, name = str(checkpoint), self.origin_of(tenant)
        seeds = [self.seed] if before is None else [self.seed, before]
        return Note(text, tuple(line for seed in seeds for line in _lines(name, seed, text, time)))

    def remember(self, tenant: str, checkpoint: Checkpoint) -> None:
        """Writes down that a checkpoint was signed, and leaves the rest of the file as it is now; durable once it returns."""
        now = read_signing(self.path)
        evolve(now, signed={**now.signed, tenant: checkpoint}).write()

    def last(self, tenant: str) -> Checkpoint | None:
        """The last checkpoint that was signed for a tenant's log under its present origin."""
        found = self.signed.get(tenant)
        return found if found is not None and found.origin == self.origin_of(tenant) else None

    def write(self) -> None:
        """Puts the file in the place of the one that is there; durable once it returns.

        Raises:
            StoreFailed: it can't be written.
        """
        try:
            put(self.path, self.content())
        except OSError as wrong:
            raise StoreFailed(f"{self.path}: the signing keys can't be written: {wrong.strerror} (check disk space and rights)") from None

    def content(self) -> bytes:
        """The content of the file."""
        said = {
            "v": 1,
            "origin": self.origin,
            "former": list(self.former),
            "seed": b64encode(self.seed).decode(),
            "retired": [b64encode(key).decode() for key in self.retired],
            "signed": {tenant: str(checkpoint) for tenant, checkpoint in self.signed.items()},
        }
        return json.dumps(said, indent=1).encode()


def signing_beside(keys: Path) -> Path:
    """Where the signing keys lie: beside the keyring."""
    return keys.with_name(keys.name + ".signing")


def read_signing(path: Path) -> Signing:
    """The signing keys in a file.

    Raises:
        StoreFailed: it can't be read, or holds none.
    """
    try:
        read = json.loads(path.read_bytes())
        signed = {tenant: Checkpoint.parse(text) for tenant, text in read["signed"].items()}
        retired = tuple(map(b64decode, read["retired"]))
        found = Signing(path, read["origin"], b64decode(read["seed"]), tuple(read["former"]), retired, signed)
        right = read["v"] == 1 and all(map(named, (found.origin, *found.former))) and {32} == {*map(len, (found.seed, *retired))}
    except OSError as wrong:
        raise StoreFailed(f"{path}: the signing keys can't be read: {wrong.strerror} (restore them from where keys are kept)") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        right = False
    if not right:
        raise StoreFailed(f"{path}: these are no signing keys (restore them from where keys are kept)")
    return found


def make_signing(path: Path, origin: str = "") -> Signing:
    """New signing keys in a file that only its owner reads; where there is one already, that one.

    Args:
        path: Where.
        origin: What the origins of its logs begin with; a name that nobody else has, where none is given.
    """
    if not path.exists():
        fresh = Signing(path, origin or f"casekit-{os.urandom(8).hex()}", os.urandom(32))
        try:
            put_new(path, fresh.content())
        except OSError as wrong:
            raise StoreFailed(f"{path}: no signing keys can be made there: {wrong.strerror} (check disk space and rights)") from None
    return read_signing(path)


def rotated(signing: Signing) -> Signing:
    """The same with a fresh key; the one before is retired. Nothing is written."""
    return evolve(signing, seed=os.urandom(32), retired=(_public(signing.seed), *signing.retired))


def renamed(signing: Signing, origin: str) -> Signing:
    """The same under another origin: from now on its logs are others. Nothing is written."""
    if origin == signing.origin:
        return signing
    return evolve(signing, origin=origin, former=(signing.origin, *(name for name in signing.former if name != origin)))


def _public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _lines(name: str, seed: bytes, text: str, time: int) -> tuple[Signature, Signature]:
    private, public = Ed25519PrivateKey.from_private_bytes(seed), _public(seed)
    timed = time.to_bytes(8) + private.sign(timed_message(text, time))
    plain = Signature(name, PublicKey(name, PLAIN, public).id, private.sign(text.encode()))
    return plain, Signature(name, PublicKey(name, TIMED, public).id, timed)


__all__ = ["Signing", "make_signing", "read_signing", "renamed", "rotated", "signing_beside"]
