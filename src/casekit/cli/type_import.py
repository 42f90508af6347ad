"""Case types from other tools' files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console


def scxml(
    file: Annotated[Path, Parameter(name="FILE", help="The SCXML document.")],
    /,
    *,
    key: Annotated[str, Parameter(name="--key", help="Key of the case type.")] = "scxml",
    version: Annotated[str, Parameter(name="--version", help="Its version.")] = "1",
    out: Annotated[Path | None, Parameter(name="--out", help="Write the case type to this file.")] = None,
    common: Everywhere = HERE,
) -> int:
    """Reads a lifecycle from SCXML: a case type that does the same, or a refusal that names element and line."""
    from casekit.decisions.scxml import read_scxml
    from casekit.definition.load import canonical

    read = read_scxml(_bytes(file), str(file), key=key, version=version, resources=lambda name: _beside(file, name))
    case_type = canonical(read.case_type)
    if out is not None:
        out.write_text(json.dumps(case_type, indent=2, ensure_ascii=False) + "\n")

    def words(console: Console) -> None:
        from casekit.cli.looks import facts, heading, indented

        said = [
            ("key", key),
            ("version", version),
            ("states", len(read.case_type.states)),
            ("transitions", len(read.case_type.transitions)),
        ]
        console.print(facts([*said, ("written to", str(out) if out else "nowhere: name a file with --out")]))
        if read.data:
            heading(console, "A case opens with")
            console.print(indented(facts(read.data.items())))
        if read.notes:
            heading(console, "Read otherwise than written")
            for note in read.notes:
                console.print(indented(note))

    return common.face.give({"type": case_type, "data": dict(read.data), "notes": list(read.notes)}, words)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise BadInput.at(str(path), f"can't be read: {wrong.strerror}", "check the path") from None


def _beside(file: Path, name: str) -> str:
    """A file that a document names: one beside it, nothing elsewhere."""
    plain = name.removeprefix("file:")
    if "/" in plain or "\\" in plain or plain in ("", ".", ".."):
        raise BadInput.at(str(file), f"src={name!r} is not a file beside the document", "put it there, and name it plainly")
    try:
        return _bytes(file.parent / plain).decode()
    except UnicodeDecodeError:
        raise BadInput.at(str(file.parent / plain), "is no UTF-8 text", "save it as UTF-8") from None
