"""The keyring: shown by ids, rotated, old keys destroyed, sealed for an escrow, recovered, drilled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.face import DONE, REFUSED
from casekit.cli.sealing import PassphraseFile, PrivateFile, RecipientFile, opens, seals
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.custody import Keys

Escrow = Annotated[Path, Parameter(name="ESCROW", help="The file that keys escrow has made.")]


def show(*, common: Everywhere = HERE) -> int:
    """Shows which keys the keyring has, by id, and how much each wraps; never a key."""
    with common.keeper() as keeper:
        keys = keeper.keys()
    return common.face.give({"keys": keys}, lambda out: _shown(out, keys), REFUSED if keys.lacking else DONE)


def rotate(*, common: Everywhere = HERE) -> int:
    """Makes a new outer key and wraps everything with it; cut off, the next rotation goes on. Old keys stay."""
    with common.keeper() as keeper:
        done = keeper.rotate()

    def words(out: Console) -> None:
        from casekit.cli.looks import facts, indented

        out.print("The rotation that was cut off is finished." if done.resumed else "Rotated.")
        out.print(indented(facts([("current", done.current), ("older", done.older), ("rewrapped", done.rewrapped)])))
        out.print("Make a new escrow and a new backup now; then an older key can go: casekit keys destroy KEY")

    return common.face.give({"rotated": done}, words)


def destroy(
    key: Annotated[str, Parameter(name="KEY", help="The id of an older key, as keys show names it.")],
    /,
    *,
    at_once: Annotated[bool, Parameter(name="--at-once", help="Nobody else is at work on the store: do not wait ten minutes.")] = False,
    common: Everywhere = HERE,
) -> int:
    """Destroys an older key: what it wraps in older backups can't be opened any more."""
    with common.keeper() as keeper:
        keeper.destroy_key(key, at_once=at_once)
    words = f"{key} is destroyed. Backups and escrows that were made before the rotation should go too."
    return common.face.give({"destroyed": key}, lambda out: out.print(words))


def escrow(
    file: Annotated[Path, Parameter(name="FILE", help="The file to make.")],
    /,
    *,
    passphrase: PassphraseFile = None,
    recipient: RecipientFile = None,
    common: Everywhere = HERE,
) -> int:
    """Writes the keyring, sealed, into a new file: for a safe, or for whoever else is to keep it."""
    by = seals(passphrase, recipient)
    if by is None:
        raise BadInput.at("--passphrase", "it is not said under what to seal it", "say --passphrase FILE or --recipient FILE")
    with common.keeper() as keeper:
        keys = keeper.escrow(file, by)
    answer = {"file": str(file), "keys": sorted({keys.current, *keys.older})}
    return common.face.give(answer, lambda out: out.print(f"Sealed into {file}. Prove it now: casekit keys drill {file}"))


def recover(escrow: Escrow, /, *, passphrase: PassphraseFile = None, private_key: PrivateFile = None, common: Everywhere = HERE) -> int:
    """Makes a keyring of an escrow where the store expects it; never over one that is there."""
    by = opens(passphrase, private_key)
    if by is None:
        raise BadInput.at("--passphrase", "it is not said what opens it", "say --passphrase FILE or --private-key FILE")
    with common.keeper() as keeper:
        file = keeper.recover(escrow, by)
    return common.face.give({"file": str(file)}, lambda out: out.print(f"The keyring lies in {file}"))


def drill(escrow: Escrow, /, *, passphrase: PassphraseFile = None, private_key: PrivateFile = None, common: Everywhere = HERE) -> int:
    """Proves that an escrow opens this store, without the keyring and without changing anything."""
    by = opens(passphrase, private_key)
    if by is None:
        raise BadInput.at("--passphrase", "it is not said what opens it", "say --passphrase FILE or --private-key FILE")
    with common.keeper() as keeper:
        found = keeper.drill(escrow, by)

    def words(out: Console) -> None:
        if found.opens:
            out.print(f"The escrow opens this store: all {found.keys} data keys.")
        else:
            out.print(
                f"The escrow opens {found.keys} data keys, and not those of {', '.join(found.shut)} (make a new one: casekit keys escrow)"
            )

    return common.face.give({"opens": found.opens, "keys": found.keys, "shut": found.shut}, words, DONE if found.opens else REFUSED)


def _shown(out: Console, keys: Keys) -> None:
    from casekit.cli.looks import facts, indented, table

    out.print(indented(facts([("keyring", keys.file), ("lacking", keys.lacking)])))
    rows = [(keys.current, "current", keys.wraps.get(keys.current, 0))]
    rows += [(name, f"out of use since {since}" if since else "out of use", keys.wraps.get(name, 0)) for name, since in keys.older.items()]
    out.print(indented(table(("key", "", "data keys"), rows, right=("data keys",))))
