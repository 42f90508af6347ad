"""Bringing in a case that was taken out elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.sealing import PassphraseFile, PrivateFile, opens
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console


def import_case(
    bundle: Annotated[Path, Parameter(name="BUNDLE", help="The file that casekit export has made.")],
    /,
    *,
    passphrase: PassphraseFile = None,
    private_key: PrivateFile = None,
    common: Everywhere = HERE,
) -> int:
    """Brings in a case that was taken out elsewhere: the same history, to the hash. What is sealed opens with its keys."""
    from casekit.cli.values import read_bytes

    by, said = opens(passphrase, private_key), _bundle(read_bytes(bundle), bundle)
    with common.seat() as seat:
        done = seat.import_bundle(said, opens=by)

    def words(out: Console) -> None:
        from casekit.cli.looks import facts, indented

        out.print("The case is here." if done.entries else "Nothing new: all of it was here.")
        rows = [("case", done.case), ("entries", done.entries), ("documents", done.documents), ("without keys", list(done.locked))]
        out.print(indented(facts(rows)))

    return common.face.give({"imported": done}, words)


def _bundle(content: bytes, file: Path) -> dict[str, Any]:
    from casekit.model.canonical import parse

    found = parse(content, str(file))
    if not isinstance(found, dict):
        raise BadInput.at(str(file), "this is no bundle", "name the file that casekit export has made")
    return found
