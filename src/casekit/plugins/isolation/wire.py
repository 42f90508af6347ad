"""Messages over a pipe: a length of four bytes, then JSON. Both sides distrust each other."""

from __future__ import annotations

import socket
import struct
from time import monotonic
from typing import Any

from casekit.errors import CasekitError
from casekit.model.canonical import decode, encode

_LENGTH = struct.Struct("!I")


class Broken(CasekitError):
    """The other side is gone, is late, or says what makes no sense; in words."""

    code = "isolation"


class Late(Broken):
    """The other side is late."""


class Channel:
    """One end of a pipe.

    Args:
        pipe: A connected socket.
        most: Bytes of a message that is received, at most.
    """

    def __init__(self, pipe: socket.socket, most: int) -> None:
        self._pipe, self._most = pipe, most

    def close(self) -> None:
        """Closes this end."""
        self._pipe.close()

    @property
    def stirs(self) -> bool:
        """Whether there is something to be received, or the other side is gone, though nothing was asked."""
        self._pipe.settimeout(0)
        try:
            self._pipe.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def send(self, message: Any, until: float | None = None) -> None:
        """Sends a message.

        Raises:
            Broken: the other side is gone, or does not listen until then.
            TypeError: it has no JSON form.
        """
        text = encode(message).encode()
        try:
            self._pipe.settimeout(_left(until))
            self._pipe.sendall(_LENGTH.pack(len(text)) + text)
        except TimeoutError:
            raise Late("does not listen") from None
        except OSError:
            raise Broken("is gone") from None

    def receive(self, until: float | None = None) -> Any:
        """The next message.

        Raises:
            Broken: the other side is gone, says nothing until then, or says what is too long or no JSON.
        """
        (length,) = _LENGTH.unpack(self._bytes(_LENGTH.size, until))
        if length > self._most:
            raise Broken(f"answered {length} bytes where {self._most} are allowed")
        text = self._bytes(length, until)
        try:
            return decode(text.decode())
        except (ValueError, RecursionError):
            raise Broken("answered what is no JSON") from None

    def _bytes(self, count: int, until: float | None) -> bytes:
        found = bytearray()
        try:
            while len(found) < count:
                self._pipe.settimeout(_left(until))
                more = self._pipe.recv(min(count - len(found), 1 << 16))
                if not more:
                    raise Broken("is gone")
                found += more
        except TimeoutError:
            raise Late("says nothing") from None
        except OSError:
            raise Broken("is gone") from None
        return bytes(found)


def _left(until: float | None) -> float | None:
    return None if until is None else max(until - monotonic(), 0.0001)
