"""The process that forks workers: small, of one thread, and free of plugins.

It is started once by a process that has isolated plugins, and ends with it; then it ends its workers. It must stay clean,
for every worker begins as its copy.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import struct
import sys
from contextlib import suppress

from casekit.plugins.isolation import worker

ORDER = struct.Struct("!cq")
"""What is asked of a nursery: ``s`` with a pipe and the memory of a worker, answered by its process id; ``r`` with the
process id of a worker that was killed, answered when it is gone."""


def main(number: int) -> None:
    """Serves until the other side is gone."""
    control = socket.socket(fileno=number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the desk: it says what becomes of its workers
    children: set[int] = set()
    while True:
        order, pipes, _, _ = socket.recv_fds(control, ORDER.size, 1)
        if len(order) < ORDER.size:
            break
        what, value = ORDER.unpack(order)
        if what == b"s":
            value = _fork(control, pipes[0], value)
            children.add(value)
        else:
            children.discard(value)
            with suppress(ChildProcessError):
                os.waitpid(value, 0)
        control.sendall(ORDER.pack(what, value))
    for child in children:
        end(child)
    os._exit(0)


def end(pid: int) -> None:
    """Kills a worker and everything that it has started and that is still in its group."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _fork(control: socket.socket, pipe: int, memory: int) -> int:
    pid = os.fork()
    if pid:
        os.close(pipe)
        return pid
    try:
        control.close()
        _settle(memory)
        worker.serve(socket.socket(fileno=pipe))
    except BaseException:  # noqa: BLE001, S110 - it ends here, whatever it was: nothing of it may run on in the nursery
        pass
    os._exit(0)


def _settle(memory: int) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        _, hard = resource.getrlimit(what)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)  # noqa: PLW2901
        resource.setrlimit(what, (limit, limit))


if __name__ == "__main__":
    main(int(sys.argv[1]))
