"""A disk as a power cut leaves it, replayed from what a process asked of it.

``strace`` writes down every write, sync and change of names. A :class:`Disk` plays that up to a moment; what was
synced is there then, of the rest any part may be, in any order, torn at sectors. Names (new files, renamed, taken
away) are durable once their folder was synced. This is stricter than most file systems are, and as strict as POSIX.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field, frozen

SYSCALLS = (
    "openat,mkdir,mkdirat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,truncate,fallocate,"
    "unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,copy_file_range,sendfile"
)
SECTOR = 512
_SIMPLE = {
    "fsync": "sync",
    "fdatasync": "sync",
    "mkdir": "make",
    "mkdirat": "make",
    "unlink": "unlink",
    "unlinkat": "unlink",
    "rename": "rename",
    "renameat": "rename",
    "renameat2": "rename",
    "link": "link",
    "linkat": "link",
}
_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")
_BYTES = re.compile(r"(?:\\x[0-9a-f]{2})+")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_HANDLE = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})*)>")


class Unknown(ValueError):
    """A call on the store's files that a disk does not know how to replay."""


@frozen
class Op:
    """One thing that a process asked for, and was told of.

    Attributes:
        kind: create, make, write, truncate, sync, unlink, rename, link, or said (a line on standard output).
        path: On what, relative to the store's folder; empty: the folder itself.
        data: What was written, or said.
        at: Where; of a truncation, to what size.
        other: The new name.
    """

    kind: str
    path: str
    data: bytes = b""
    at: int = 0
    other: str = ""


def recorded(log: Path, folder: Path) -> Iterator[Op]:
    """The operations of a recording on the files of a folder, and what was said.

    Raises:
        Unknown: a call that is not replayed.
    """
    root = str(folder)
    places: dict[str, int] = {}
    for line in log.read_text(encoding="ascii").splitlines():
        match = _LINE.match(line)
        if match is None or match[3].startswith("-"):
            continue
        call, said, came = match.groups()
        paths = [path for found in _names(said) if (path := _within(root, found)) is not None]
        if call == "write" and said.startswith("1<"):
            yield Op("said", "", _data(said)[: int(came)])
        elif paths and not paths[0].endswith("-shm"):  # shared memory: whoever opens the store next makes it anew
            yield from _op(call, said, int(came), paths, places)


def _op(call: str, said: str, came: int, paths: list[str], places: dict[str, int]) -> Iterator[Op]:
    path = paths[0]
    last = said.rsplit(", ", 1)[-1]
    if call == "openat":
        if "O_CREAT" in said:
            places[path] = 0
            yield Op("create", path)
        if "O_TRUNC" in said:
            yield Op("truncate", path, at=0)
    elif call == "write":
        yield Op("write", path, _data(said)[:came], places[path])
        places[path] += came
    elif call == "pwrite64":
        yield Op("write", path, _data(said)[:came], int(last))
    elif call == "ftruncate":
        yield Op("truncate", path, at=int(last, 0))
    elif call in _SIMPLE:
        yield Op(_SIMPLE[call], path, other="".join(paths[1:]))
    else:
        raise Unknown(f"{call} on {path}")


def _names(said: str) -> Iterator[str]:
    handle = _HANDLE.match(said)
    if handle is not None:
        yield _raw(handle[1]).decode(errors="replace")
        return
    for text in _TEXT.findall(said):
        yield _raw(text).decode(errors="replace")


def _within(root: str, path: str) -> str | None:
    return "" if path == root else path[len(root) + 1 :] if path.startswith(f"{root}/") else None


def _data(said: str) -> bytes:
    match = _TEXT.search(said)
    return b"" if match is None else _raw(match[1])


def _raw(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


@define(eq=False)
class File:
    """A file, whatever its names are.

    Attributes:
        durable: What is on the disk for certain.
        waiting: What was written since, in order: writes, truncations.
    """

    durable: bytearray = field(factory=bytearray)
    waiting: list[Op] = field(factory=list)

    def sync(self) -> None:
        for op in self.waiting:
            _apply(self.durable, op)
        self.waiting.clear()

    def after_cut(self, dice: random.Random) -> bytes:
        """What is found in it after the cut."""
        found = bytearray(self.durable)
        how = dice.random()
        if how < 0.4:
            kept = []
        elif how < 0.65:
            kept = self.waiting[: dice.randrange(len(self.waiting) + 1)]
        elif how < 0.9:
            kept = [op for op in self.waiting if dice.random() < 0.5]
        else:
            kept = self.waiting
        for op in kept:
            _apply(found, _torn(op, dice) if op.kind == "write" and dice.random() < 0.3 else op)
        return bytes(found)


def _torn(op: Op, dice: random.Random) -> Op:
    """A write of which only the first sectors arrived."""
    sectors = len(op.data) // SECTOR
    return Op("write", op.path, op.data[: dice.randrange(sectors + 1) * SECTOR], op.at)


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        del content[op.at :]
        content.extend(bytes(op.at - len(content)))
        return
    if len(content) < op.at:
        content.extend(bytes(op.at - len(content)))
    content[op.at : op.at + len(op.data)] = op.data


@frozen
class Name:
    """A change of the names in a folder: ``file`` None takes the name away; True is a folder."""

    path: str
    file: File | bool | None


class Disk:
    """The files of one folder."""

    def __init__(self) -> None:
        self.live: dict[str, File | bool] = {"": True}
        self.durable: dict[str, File | bool] = {"": True}
        self.waiting: dict[str, list[list[Name]]] = {}

    def play(self, op: Op) -> None:
        """Does what was asked for."""
        if op.kind == "create":
            if op.path not in self.live:
                self._rename([Name(op.path, File())])
        elif op.kind == "make":
            self._rename([Name(op.path, True)])
        elif op.kind == "unlink":
            self._rename([Name(op.path, None)])
        elif op.kind == "link":
            self._rename([Name(op.other, self.live[op.path])])
        elif op.kind == "rename":
            self._rename([Name(op.other, self.live[op.path]), Name(op.path, None)])
        elif op.kind == "sync":
            self._sync(op.path)
        elif op.kind in ("write", "truncate"):
            self._file(op.path).waiting.append(op)

    def cut(self, into: Path, dice: random.Random) -> None:
        """What is found when the power is back: written into an empty folder."""
        names = dict(self.durable)
        for changes in self.waiting.values():
            for step in changes[: dice.choice([0, len(changes), dice.randrange(len(changes) + 1)])]:
                _take(names, step)
        for path, file in sorted(names.items(), key=lambda pair: pair[0]):
            if not (into / path).parent.is_dir():
                continue  # its folder has no name
            if isinstance(file, File):
                (into / path).write_bytes(file.after_cut(dice))
            else:
                (into / path).mkdir(exist_ok=True)

    def _file(self, path: str) -> File:
        found = self.live[path]
        assert isinstance(found, File)
        return found

    def _rename(self, step: list[Name]) -> None:
        _take(self.live, step)
        self.waiting.setdefault(step[0].path.rpartition("/")[0], []).append(step)

    def _sync(self, path: str) -> None:
        found = self.live.get(path)
        if isinstance(found, File):
            found.sync()
        for step in self.waiting.pop(path, []):
            _take(self.durable, step)


def _take(names: dict[str, File | bool], step: list[Name]) -> None:
    for name in step:
        if name.file is None:
            names.pop(name.path, None)
        else:
            names[name.path] = name.file
