"""The sealed envelope's form: ``v1.keyid.nonce.ciphertext``, the last two in base64url without padding.

AES-256-GCM; the associated data is ``tenant/stream/path``, so that an envelope opens only where it was
written. Which key opens it, and whether that key still exists, is the key store's business; the record only
carries envelopes and never needs one open.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64

from attrs import frozen

_FORM = re.compile(r"v1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})")
_URLSAFE = bytes.maketrans(b"+/", b"-_")


@frozen
class Envelope:
    """A sealed text.

    Attributes:
        key: Id of the data key (16 hex digits).
        nonce: 12 bytes, never used twice with one key.
        ciphertext: With the 16-byte tag at its end.
    """

    key: str
    nonce: bytes
    ciphertext: bytes

    def __str__(self) -> str:
        return pack(self.key, self.nonce, self.ciphertext)


def pack(key: str, nonce: bytes, ciphertext: bytes) -> str:
    """The text of an envelope."""
    text = b2a_base64(nonce + ciphertext, newline=False).translate(_URLSAFE).decode().rstrip("=")
    # 12 bytes are 16 letters, and no padding
    return f"v1.{key}.{text[:16]}.{text[16:]}"


def unpack(text: str) -> Envelope:
    """The envelope that a text says.

    Raises:
        ValueError: not the text of an envelope of version 1.
    """
    return Envelope(*parts(text))


def parts(text: str) -> tuple[str, bytes, bytes]:
    """Key id, nonce and ciphertext of the envelope that a text says.

    Raises:
        ValueError: not the text of an envelope of version 1.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not an envelope of version 1")
    key, nonce, ciphertext = match.groups()
    sealed = a2b_base64((nonce + ciphertext).replace("-", "+").replace("_", "/") + "=" * (-len(ciphertext) % 4))
    return key, sealed[:12], sealed[12:]


def associated(tenant: str, stream: str, path: str) -> bytes:
    """The associated data that binds an envelope to its place."""
    return f"{tenant}/{stream}/{path}".encode()
