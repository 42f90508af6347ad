"""Checkpoints: make them, list them, take them out, and the key that signs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.options import Out
from casekit.errors import BadInput

if TYPE_CHECKING:
    from casekit.desk.checkpoints import Made

Origin = Annotated[str, Parameter(name="--origin", help="What the log is called from now on (example.com/casekit): nobody else's name.")]


def make(*, origin: Origin = "", out: Out = None, common: Everywhere = HERE) -> int:
    """Signs what the record is now; where nothing is new, gives the last checkpoint. Keep it where no one who can write the
    store can write.
    """
    with common.seat() as seat:
        return _give(common, seat.checkpoint(origin=origin), out)


def rotate(*, out: Out = None, common: Everywhere = HERE) -> int:
    """Lets a fresh key sign from now on; this checkpoint is signed by the old key too, whose secret half is gone then."""
    with common.seat() as seat:
        return _give(common, seat.rotate_signing(), out)


def get(
    size: Annotated[int, Parameter(name="SIZE", help="Which one: how many entries it tells of, as checkpoint list shows it.")],
    /,
    *,
    out: Out = None,
    common: Everywhere = HERE,
) -> int:
    """Gets a checkpoint that was made before."""
    with common.seat() as seat:
        for made in seat.checkpoints():
            if made.size == size:
                return _give(common, made, out)
    raise BadInput.at("SIZE", f"there is no checkpoint of {size} entries", "see casekit checkpoint list")


def list_checkpoints(*, common: Everywhere = HERE) -> int:
    """Shows the checkpoints, the latest first."""
    from casekit.cli.looks import table

    with common.seat() as seat:
        made = seat.checkpoints()
    columns = ("entries", "made", "root", "log")
    rows = [[one.size, one.made, f"{one.root[:12]}…", one.origin] for one in made]
    words = "There are no checkpoints." if not made else table(columns, rows, right=("entries",))
    return common.face.give({"checkpoints": made}, lambda face: face.print(words))


def key(*, out: Out = None, common: Everywhere = HERE) -> int:
    """Shows the public key with which others check the checkpoints; made where there is none yet."""
    with common.seat() as seat:
        said = seat.checkpoint_key()
    if out is not None:
        _write(out, f"{said}\n")
    return common.face.give({"key": said}, lambda face: face.print(said, soft_wrap=True))


def _give(common: Everywhere, made: Made, out: Path | None) -> int:
    """Says what was made. The note alone goes to a file, to the byte: its signatures are over the bytes."""
    from casekit.cli.looks import said

    if out is not None:
        _write(out, made.note)
        news = "" if made.fresh else "Nothing was recorded since. "
        words = f"{news}A checkpoint of {made.size} entries, written to {out}."
    else:
        words = made.note.removesuffix("\n")
    return common.face.give({"checkpoint": made}, lambda face: face.print(said(words), soft_wrap=True))


def _write(out: Path, text: str) -> None:
    from casekit.cli.values import write_bytes

    write_bytes(out, text.encode())


__all__ = ["get", "key", "list_checkpoints", "make", "rotate"]
