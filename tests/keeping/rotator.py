"""A process that rotates the outer key again and again, says of each rotation that it was done, and is killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tenancy
from casekit import builtin, open_desk
from casekit.store import rewrapping


def main(folder: str, url: str) -> None:
    rewrapping.BATCH = 3  # many transactions, so that a kill falls between two of them
    desk = open_desk(store=url, keys=f"{folder}/keys", documents=f"{folder}/documents", plugins=[tenancy, builtin], installed=False)
    keeper = desk.keeper("user:ops", roles={"admin"})
    os.write(1, b"ready\n")
    while True:
        done = keeper.rotate()
        os.write(1, f"{done.current} {done.resumed}\n".encode())
        for key in done.older:
            keeper.destroy_key(key, at_once=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
