"""Escrow: a keyring sealed for somebody who keeps it elsewhere, under a passphrase or for the holder of a private key.

Both forms are one JSON object whose members, all but ``sealed``, are the associated data of the cipher: whoever changes
one of them has nothing that opens. The primitives are the library's: scrypt, X25519, HKDF-SHA256, ChaCha20-Poly1305.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from casekit.errors import BadInput

FORMAT = 1
SHORTEST = 16
"""Characters of a passphrase: what is kept for years is tried for years."""

_COST = {"n": 2**17, "r": 8, "p": 1}
_HIGHEST = 2**20


@frozen
class Passphrase:
    """Seals and opens by a text that somebody keeps."""

    text: str

    def __attrs_post_init__(self) -> None:
        if len(self.text) < SHORTEST:
            raise BadInput.at("passphrase", f"it has {len(self.text)} characters", f"use {SHORTEST} at least, such as six words by lot")


@frozen
class Recipient:
    """Seals for whoever holds the private key to a public one.

    Attributes:
        pem: The public key, X25519, in PEM.
    """

    pem: bytes


@frozen
class Holder:
    """Opens what was sealed for a recipient.

    Attributes:
        pem: The private key, X25519, in PEM, not encrypted.
    """

    pem: bytes


def seal(content: bytes, what: Mapping[str, str], by: Passphrase | Recipient) -> str:
    """What holds the content, sealed.

    Args:
        content: What to seal.
        what: What it is, in the clear; bound to the content.
        by: Under what.

    Raises:
        BadInput: the public key is none.
    """
    head: dict[str, Any] = {"casekit-escrow": FORMAT, **what}
    if isinstance(by, Passphrase):
        salt = os.urandom(16)
        head |= {"by": "scrypt", "salt": _text(salt), **_COST}
        key = _stretched(by, salt, _COST)
    else:
        public, fresh = _public(by), X25519PrivateKey.generate()
        mine = fresh.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        head |= {"by": "x25519", "for": _text(public.public_bytes(Encoding.Raw, PublicFormat.Raw)), "with": _text(mine)}
        key = _agreed(fresh.exchange(public), head)
    nonce = os.urandom(12)
    head["nonce"] = _text(nonce)
    sealed = ChaCha20Poly1305(key).encrypt(nonce, content, _bound(head))
    return json.dumps(head | {"sealed": _text(sealed)}, indent=1) + "\n"


def unseal(said: str | bytes | Mapping[str, Any], where: str, by: Passphrase | Holder) -> tuple[dict[str, Any], bytes]:
    """What was said in the clear, and the content.

    Raises:
        BadInput: it is no escrow, or this does not open it.
    """
    try:
        head: dict[str, Any] = dict(said if isinstance(said, Mapping) else json.loads(said))
        if head["casekit-escrow"] != FORMAT:
            raise BadInput.at(where, "the escrow is of a later version", "use the newer casekit")
        sealed, nonce = _raw(head.pop("sealed")), _raw(head["nonce"])
        key = _key(head, where, by)
        return head, ChaCha20Poly1305(key).decrypt(nonce, sealed, _bound(head))
    except InvalidTag:
        do = "check the passphrase" if isinstance(by, Passphrase) else "check the private key"
        raise BadInput.at(where, "this does not open it, or it was changed", f"{do}, or use another copy of the escrow") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput.at(where, "this is no escrow", "name the file that casekit keys escrow has made") from None


def _key(head: Mapping[str, Any], where: str, by: Passphrase | Holder) -> bytes:
    if head["by"] == "scrypt":
        if not isinstance(by, Passphrase):
            raise BadInput.at(where, "it was sealed under a passphrase", "say which: --passphrase FILE")
        cost = {name: head[name] for name in _COST}
        if not all(type(value) is int and 0 < value <= _HIGHEST for value in cost.values()) or cost["r"] * cost["p"] > 64:
            raise BadInput.at(where, "it asks for more work than any escrow of casekit's", "use another copy of the escrow")
        return _stretched(by, _raw(head["salt"]), cost)
    if not isinstance(by, Holder):
        raise BadInput.at(where, "it was sealed for the holder of a private key", "say where that is: --key FILE")
    private = _private(by)
    return _agreed(private.exchange(X25519PublicKey.from_public_bytes(_raw(head["with"]))), head)


def _stretched(by: Passphrase, salt: bytes, cost: Mapping[str, int]) -> bytes:
    return Scrypt(salt, 32, n=cost["n"], r=cost["r"], p=cost["p"]).derive(by.text.encode())


def _agreed(shared: bytes, head: Mapping[str, Any]) -> bytes:
    salt = _raw(head["with"]) + _raw(head["for"])
    return HKDF(SHA256(), 32, salt=salt, info=b"casekit escrow 1").derive(shared)


def _bound(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


def _public(by: Recipient) -> X25519PublicKey:
    try:
        found = load_pem_public_key(by.pem)
    except (ValueError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, X25519PublicKey):
        raise BadInput.at("recipient", "this is no public key for X25519 in PEM", "make one: openssl pkey -in private.pem -pubout")
    return found


def _private(by: Holder) -> X25519PrivateKey:
    try:
        found = load_pem_private_key(by.pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, X25519PrivateKey):
        raise BadInput.at(
            "key", "this is no private key for X25519 in PEM, or it is encrypted", "name the one that the escrow was made for"
        )
    return found


def _raw(text: str) -> bytes:
    """The bytes of a text in base64, and of no other text: bits that base64 would pass over are refused.

    Raises:
        ValueError: it is not written as :func:`_text` writes it.
    """
    raw = b64decode(text, validate=True)
    if _text(raw) != text:
        raise ValueError("not canonical base64")
    return raw


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()
