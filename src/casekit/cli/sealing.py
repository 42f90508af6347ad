"""What seals and opens what is handed on: a passphrase in a file, a public key, a private one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casekit.errors import BadInput

if TYPE_CHECKING:
    from casekit.store.escrow import Holder, Passphrase, Recipient

PassphraseFile = Annotated[
    Path | None, Parameter(name="--passphrase", help="A file whose first line is the passphrase; - for standard input.")
]
RecipientFile = Annotated[Path | None, Parameter(name="--recipient", help="A public key, X25519, in PEM: its holder alone can open it.")]
PrivateFile = Annotated[Path | None, Parameter(name="--private-key", help="The private key for which it was sealed, X25519, in PEM.")]


def seals(passphrase: Path | None, recipient: Path | None) -> Passphrase | Recipient | None:
    """What seals; None where nothing is said."""
    from casekit.cli.values import read_bytes
    from casekit.store.escrow import Recipient

    if passphrase is not None and recipient is not None:
        raise BadInput.at("--recipient", "it can't be sealed both for a recipient and under a passphrase", "say one of the two")
    if recipient is not None:
        return Recipient(read_bytes(recipient))
    return None if passphrase is None else _passphrase(passphrase)


def opens(passphrase: Path | None, private: Path | None) -> Passphrase | Holder | None:
    """What opens; None where nothing is said."""
    from casekit.cli.values import read_bytes
    from casekit.store.escrow import Holder

    if passphrase is not None and private is not None:
        raise BadInput.at("--private-key", "it is opened by a passphrase or by a private key, not by both", "say one of the two")
    if private is not None:
        return Holder(read_bytes(private))
    return None if passphrase is None else _passphrase(passphrase)


def _passphrase(file: Path) -> Passphrase:
    from casekit.cli.values import read_bytes
    from casekit.store.escrow import Passphrase

    raw = sys.stdin.buffer.read() if str(file) == "-" else read_bytes(file)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadInput.at(str(file), "its first line is no text in UTF-8", "write the passphrase into it anew") from None
    return Passphrase(text.split("\n", 1)[0].rstrip("\r"))
