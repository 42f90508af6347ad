"""One command from its arguments to its exit code: parsing, and every error as words or as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError

from casekit.cli.commands import COMMANDS, GLOBALS, GROUPS
from casekit.cli.face import DONE, Face
from casekit.errors import BadInput, CasekitError, Problem, Refused, StoreFailed

INTERRUPTED = 130
BROKEN_PIPE = 141


def build() -> App:
    """The commands; the module of each is imported when it is run."""
    plain = Parameter(negative="", show_default=False)
    # --version is answered before; here it may name the version of a document.
    app = App(name="casekit", version_flags=(), default_parameter=plain, result_action="return_value")
    groups = {name: App(name=name, help=words, version_flags=()) for name, words in GROUPS.items()}
    for group in groups.values():
        app.command(group)
    for path, (target, words) in COMMANDS.items():
        first, _, second = path.partition(" ")
        owner, name = (groups[first], second) if second else (app, first)
        owner.command(f"casekit.cli.{target}", name=name, help=words)
    return app


def run(arguments: Sequence[str]) -> int:
    """Runs one command and gives its exit code; says on standard error, or as JSON, what went wrong."""
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _pipe_closed()
    else:
        return code


def _dispatch(arguments: Sequence[str]) -> int:
    face = Face(json=_wants_json(arguments))
    try:
        _complete(arguments)
        code = build()(list(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as wrong:
        return face.bad_input([_parsing(wrong)])
    except BadInput as wrong:
        return face.bad_input(wrong.problems)
    except StoreFailed as wrong:
        return face.bad_input([_store(str(wrong))])
    except Refused as wrong:
        return face.refused(wrong.objections)
    except CasekitError as wrong:
        return face.failed(wrong)
    return code if isinstance(code, int) else DONE


def _wants_json(arguments: Sequence[str]) -> bool:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:end]


def _complete(arguments: Sequence[str]) -> None:
    """Refuses a group without a command in it."""
    first, second = [*arguments, "", ""][:2]
    if first in GLOBALS:
        raise BadInput.at("casekit", "no command is given", "see casekit --help")
    if first in GROUPS and (not second or second.partition("=")[0] in GLOBALS):
        inner = ", ".join(path.split()[1] for path in COMMANDS if path.startswith(f"{first} "))
        raise BadInput.at(f"casekit {first}", "which command is not said", f"use one of {inner}")


def _parsing(wrong: CycloptsError) -> Problem:
    wrong.verbose = False
    command = " ".join(("casekit", *(wrong.command_chain or ())))
    words = str(wrong).strip()
    return Problem(command, words if words.endswith("...") else words.removesuffix("."), f"see {command} --help")


def _store(text: str) -> Problem:
    what, _, do = text.partition(" (")
    return Problem("store", what, do.removesuffix(")"))


def _pipe_closed() -> int:
    """What is left in the buffer goes nowhere: else Python complains when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE
