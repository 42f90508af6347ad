"""The command line: thin over the desk, every answer as words or as one JSON document.

What costs time to import is imported by the command that needs it; the first page of help needs none of it.
Exit codes: 0 done, 1 refused or found wrong, 2 bad input.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from casekit.cli.commands import first_page, globals_last


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: As on the command line, without the program's name; None: those of this process.

    Returns:
        The exit code: 0 done, 1 refused or found wrong, 2 bad input; 130 and 141 after Ctrl-C and a broken pipe.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in ([], ["--help"], ["-h"]):
        sys.stdout.write(first_page())
        return 0
    if given == ["--version"]:
        from casekit.__about__ import __version__

        sys.stdout.write(f"{__version__}\n")
        return 0
    from casekit.cli.running import run

    return run(globals_last(given))


__all__ = ["main"]
