"""Signed notes (C2SP signed-note): a text, and lines with the signatures of those who vouch for it.

Two kinds of signature are read: plain Ed25519 over the text, and the timestamped cosignature of a witness (C2SP
tlog-cosignature). Others, and those of keys that nobody has named, are kept as they are and prove nothing.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Self

from attrs import frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PLAIN, TIMED = 1, 4
"""Kinds of signature: Ed25519 over the text; the same with a time, over text and time."""

_DASH = "\N{EM DASH} "
_MOST = 100
"""The largest number of signatures that are read."""


class Malformed(ValueError):
    """What is no note, no key or no checkpoint; says why."""


class Unproved(ValueError):
    """A note that nobody known has signed, or whose signature is not right."""


@frozen
class PublicKey:
    """A key that signatures are checked with.

    Attributes:
        name: Whose it is; no blanks, no plus sign.
        kind: What it signs: :data:`PLAIN` or :data:`TIMED`.
        key: 32 bytes.
    """

    name: str
    kind: int
    key: bytes

    @property
    def id(self) -> bytes:
        """Four bytes by which a signature says whose it is; they prove nothing."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.key).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that a text says (``name+id+base64``).

        Raises:
            Malformed: it is none, or its id does not fit.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise Malformed("a public key reads name+id+key")
        name, said, coded = parts
        raw = exact(coded)
        if not named(name) or len(raw) != 33 or raw[0] not in (PLAIN, TIMED):
            raise Malformed("it is no public key of a kind that is known here")
        found = cls(name, raw[0], raw[1:])
        if found.id.hex() != said:
            raise Malformed("the id of the public key does not fit the key")
        return found

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether the key has signed that text."""
        message = text.encode()
        if self.kind == TIMED:
            message, signature = timed_message(text, _time(signature)), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@frozen
class Signature:
    """One signature line.

    Attributes:
        name: Whose it says it is.
        id: Id of the key.
        raw: The signature itself.
    """

    name: str
    id: bytes
    raw: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {b64encode(self.id + self.raw).decode()}\n"


@frozen
class Signed:
    """A signature that was checked.

    Attributes:
        key: Whose it is.
        time: Of a timed one, when it was made, in seconds since 1970; None: it does not say.
    """

    key: PublicKey
    time: int | None


@frozen
class Note:
    """A text with signatures, as it was read: nothing is checked.

    Attributes:
        text: What is signed, its last newline with it.
        signatures: The signature lines, in order.
    """

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))

    @classmethod
    def parse(cls, given: str | bytes) -> Self:
        """The note that a file says.

        Raises:
            Malformed: it is none.
        """
        try:
            said = given.decode() if isinstance(given, bytes) else given
            said.encode()
        except UnicodeError:
            raise Malformed("it is not UTF-8") from None
        if any(letter < " " and letter != "\n" for letter in said):
            raise Malformed("there are control characters in it")
        text, _, lines = said.rpartition("\n\n")
        if not text or not lines.endswith("\n"):
            raise Malformed("a signed note is a text, an empty line, and lines of signatures")
        several = lines[:-1].split("\n")
        if len(several) > _MOST:
            raise Malformed(f"there are more than {_MOST} signatures")
        return cls(text + "\n", tuple(_signature(line) for line in several))


def proved(note: Note, keys: Iterable[PublicKey]) -> tuple[Signed, ...]:
    """Which of the keys have signed a note; one at least.

    Raises:
        Unproved: none has, or a signature of one of them is not right.
    """
    known = {(key.name, key.id): key for key in keys}
    found: dict[PublicKey, Signed] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.id))
        if key is None:
            continue
        if not key.holds(note.text, signature.raw):
            raise Unproved(f"the signature of {key.name} does not fit the text: it was changed")
        found.setdefault(key, Signed(key, _time(signature.raw) if key.kind == TIMED else None))
    if not found:
        by = ", ".join(sorted({f"{s.name}+{s.id.hex()}" for s in note.signatures}))
        raise Unproved(f"it is signed by {by}, and none of these keys is known")
    return tuple(found.values())


def timed_message(text: str, time: int) -> bytes:
    """What a timed signature is over."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def named(name: str) -> bool:
    """Whether this may be the name of a key."""
    return bool(name) and "+" not in name and not any(letter.isspace() or letter < " " for letter in name)


def exact(coded: str) -> bytes:
    """Base64 in the one way to write it.

    Raises:
        Malformed: it is none, or the same bytes could be written otherwise.
    """
    try:
        raw = b64decode(coded)
    except ValueError:
        raise Malformed(f"{coded!r} is no base64") from None
    if b64encode(raw).decode() != coded:
        raise Malformed(f"{coded!r} is base64 that could be written otherwise")
    return raw


def _time(signature: bytes) -> int:
    return int.from_bytes(signature[:8])


def _signature(line: str) -> Signature:
    name, _, coded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not named(name):
        raise Malformed(f"{line!r} is no line of a signature")
    raw = exact(coded)
    if len(raw) < 5:
        raise Malformed(f"the signature of {name} is too short")
    return Signature(name, raw[:4], raw[4:])
