"""Keys: one data key per owner, wrapped in the store, and the keyring outside it that unwraps them.

An owner is a party or a case. Its data key is a row of the store, wrapped by the keyring's current key; without
that row its envelopes stay shut for ever, which is what erasing does. The keyring is a file of its own, mode
0600, that never lies in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from casekit.errors import StoreFailed
from casekit.model.canonical import decode, encode
from casekit.record.envelope import associated, pack, parts
from casekit.store.private import put, put_new, sync

KeyRow = tuple[str, str, str, bytes]
"""A row of ``data_keys``: owner, id, id of the wrapping key, wrapped key."""


@frozen
class Keyring:
    """The keys outside the store.

    Attributes:
        current: Id of the key that wraps new data keys.
        keys: Id → 32 bytes; older ones stay until they are destroyed.
        index: Root of the keys for search and idempotency; it outlives rotation.
        retired: Id of an older key → the instant since which nothing new is wrapped with it.
    """

    current: str
    keys: Mapping[str, bytes]
    index: bytes
    retired: Mapping[str, str] = field(factory=dict)

    @property
    def check(self) -> str:
        """What a store keeps so as to know its own keyring again."""
        return hmac.new(self.index, b"casekit keyring", hashlib.sha256).hexdigest()


def read_keyring(path: Path) -> Keyring:
    """The keyring in a file.

    Raises:
        StoreFailed: it can't be read or is none.
    """
    try:
        content = path.read_bytes()
    except OSError as wrong:
        raise StoreFailed(f"{path}: the keyring can't be read: {wrong.strerror} (say where it is: --keys or CASEKIT_KEYS)") from None
    return parse_keyring(content, str(path))


def parse_keyring(content: bytes, where: str) -> Keyring:
    """The keyring in the content of a file.

    Raises:
        StoreFailed: it is none.
    """
    try:
        read = json.loads(content)
        keys = {name: b64decode(key) for name, key in read["keys"].items()}
        ring = Keyring(read["current"], keys, b64decode(read["index"]), dict(read.get("retired", {})))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreFailed(f"{where}: this is no keyring (restore it from where the keys are kept)") from None
    if read.get("v") != 1 or ring.current not in keys or any(len(k) != 32 for k in (*keys.values(), ring.index)):
        raise StoreFailed(f"{where}: the keyring is damaged or of a later version (restore it from where the keys are kept)")
    return ring


def keyring_text(ring: Keyring) -> str:
    """The content of a keyring's file."""
    made: dict[str, Any] = {
        "v": 1,
        "current": ring.current,
        "keys": {name: b64encode(key).decode() for name, key in ring.keys.items()},
        "index": b64encode(ring.index).decode(),
    }
    return json.dumps(made | ({"retired": dict(ring.retired)} if ring.retired else {}), indent=1)


def make_keyring(path: Path) -> Keyring:
    """A new keyring in a file that only its owner reads; where there is one already, that one. Its name is durable."""
    if path.exists():
        ring = read_keyring(path)
        with suppress(OSError):  # it may lie where we can't write, and then nobody made it just now
            sync(path.parent)
        return ring
    current = os.urandom(8).hex()
    keep_keyring(path, Keyring(current, {current: os.urandom(32)}, os.urandom(32)))
    return read_keyring(path)


def keep_keyring(path: Path, ring: Keyring) -> None:
    """Writes a keyring into a file of its own; where there is a file already, that one stays as it is.

    Raises:
        StoreFailed: it can't be written there.
    """
    try:
        put_new(path, keyring_text(ring).encode())
    except OSError as wrong:
        raise StoreFailed(f"{path}: no keyring can be made there: {wrong.strerror} (name another place: --keys or CASEKIT_KEYS)") from None


def replace_keyring(path: Path, ring: Keyring, *, wipe: bool = False) -> None:
    """Puts a keyring in the place of another, at once: whoever reads it has the one or the other, whole.

    Args:
        path: Its file.
        ring: The keyring.
        wipe: Whether the bytes of the old file are overwritten, as far as :func:`casekit.store.private.put` can.

    Raises:
        StoreFailed: it can't be written: the one or the other is there.
    """
    try:
        put(path, keyring_text(ring).encode(), wipe=wipe)
    except OSError as wrong:
        raise StoreFailed(
            f"{path}: the keyring can't be replaced: {wrong.strerror} (check rights and disk space, then try again)"
        ) from None


class Vault:
    """What one tenant may lock and unlock with a keyring.

    Args:
        ring: The keyring.
        tenant: Whose keys.
        file: Where the keyring lies: it is read again once it has changed there, for another process may have
            rotated it. None: it stays what it is.
    """

    def __init__(self, ring: Keyring, tenant: str, file: Path | None = None) -> None:
        self.tenant = tenant
        self._file = file
        self._seen = _stamp(file)
        self._take(ring)
        self._search = hmac.new(_derived(ring.index, f"search/{tenant}"), digestmod="sha256")
        self._idempotency = hmac.new(_derived(ring.index, f"idempotency/{tenant}"), digestmod="sha256")
        self._open: dict[KeyRow, Key] = {}

    def refresh(self) -> None:
        """Takes in the keyring anew where its file has changed.

        Raises:
            StoreFailed: another keyring lies there now, or none.
        """
        seen = _stamp(self._file)
        if self._file is None or seen == self._seen:
            return
        ring = read_keyring(self._file)
        if ring.check != self.ring.check:
            raise StoreFailed(f"{self._file}: another keyring lies there now (put the right one back)")
        self._seen = seen
        self._take(ring)

    def _take(self, ring: Keyring) -> None:
        self.ring = ring
        self._wrapping = {name: AESGCM(key) for name, key in ring.keys.items()}

    def new(self, owner: str) -> tuple[Key, KeyRow]:
        """A fresh data key for an owner, and its row."""
        self.refresh()
        bare, name = os.urandom(32), os.urandom(8).hex()
        row = self.wrap(owner, name, bare)
        key = self._open[row] = Key(name, AESGCM(bare))
        return key, row

    def unlock(self, row: KeyRow) -> Key:
        """The data key of a row.

        Raises:
            StoreFailed: the keyring lacks the key that wrapped it, or the row was tampered with.
        """
        known = self._open.get(row)
        if known is None:
            if len(self._open) > 100_000:
                self._open.clear()
            known = self._open[row] = Key(row[1], AESGCM(self.bare(row)))
        return known

    def bare(self, row: KeyRow) -> bytes:
        """The 32 bytes of a data key. Raises as :meth:`unlock` does."""
        owner, name, kek, wrapped = row
        if kek not in self._wrapping:
            self.refresh()
        try:
            return self._wrapping[kek].decrypt(wrapped[:12], wrapped[12:], f"{self.tenant}/{owner}/{name}".encode())
        except KeyError:
            raise StoreFailed(f"the keyring lacks the key {kek} that wraps the keys of this store (use the right --keys)") from None
        except InvalidTag:
            raise StoreFailed(f"the data key of {owner} does not fit the keyring: its row was changed") from None

    def wrap(self, owner: str, name: str, bare: bytes) -> KeyRow:
        """The row of a data key, wrapped with the current key."""
        nonce, current = os.urandom(12), self.ring.current
        wrapped = nonce + self._wrapping[current].encrypt(nonce, bare, f"{self.tenant}/{owner}/{name}".encode())
        return owner, name, current, wrapped

    def rewrap(self, row: KeyRow) -> KeyRow:
        """The row of the same data key, wrapped with the current key. Raises as :meth:`unlock` does."""
        return self.wrap(row[0], row[1], self.bare(row))

    def search(self, field: str, value: str) -> bytes:
        """The keyed digest by which a sealed value is found."""
        return _digest(self._search, f"{field}\0{value}")

    def idempotency(self, text: str) -> bytes:
        """The keyed digest of an idempotency key or of a request."""
        return _digest(self._idempotency, text)


class Key:
    """An open data key."""

    __slots__ = ("_cipher", "id")

    def __init__(self, name: str, cipher: AESGCM) -> None:
        self.id = name
        self._cipher = cipher

    def seal(self, value: Any, where: bytes) -> str:
        """The envelope of a canonical value, bound to its place."""
        return self.seal_text(encode(value), where)

    def seal_text(self, text: str, where: bytes) -> str:
        """The envelope of a text, bound to its place."""
        nonce = os.urandom(12)
        return pack(self.id, nonce, self._cipher.encrypt(nonce, text.encode(), where))

    def open(self, envelope: str, where: bytes) -> Any:
        """The value in an envelope; None where the envelope was sealed by an earlier, destroyed key.

        Raises:
            StoreFailed: the envelope was changed or belongs elsewhere.
        """
        key, nonce, ciphertext = parts(envelope)
        if key != self.id:
            return None
        try:
            return decode(self._cipher.decrypt(nonce, ciphertext, where).decode())
        except InvalidTag:
            raise StoreFailed(f"an envelope at {where.decode()} was changed or belongs elsewhere (run verify)") from None

    def seal_bytes(self, content: bytes, where: bytes) -> bytes:
        """Sealed bytes: nonce, ciphertext, tag."""
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, content, where)

    def open_bytes(self, content: bytes, where: bytes) -> bytes:
        """The bytes that were sealed.

        Raises:
            StoreFailed: they were changed or belong elsewhere.
        """
        try:
            return self._cipher.decrypt(content[:12], content[12:], where)
        except InvalidTag:
            raise StoreFailed(f"the content at {where.decode()} was changed or belongs elsewhere") from None


def place(tenant: str, stream: str, path: str) -> bytes:
    """Where an envelope belongs."""
    return associated(tenant, stream, path)


def by_owner(rows: Iterable[KeyRow], vault: Vault) -> dict[str, Key]:
    """Owner → open key."""
    return {row[0]: vault.unlock(row) for row in rows}


def _stamp(file: Path | None) -> tuple[int, int, int] | None:
    """What tells one content of a file from the next."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _digest(keyed: hmac.HMAC, text: str) -> bytes:
    """The keyed digest of a text; ``keyed`` has taken in its key once, and is not changed."""
    digesting = keyed.copy()
    digesting.update(text.encode())
    return digesting.digest()


def _derived(root: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(root)
