"""Mutants: a module with one thing in it changed, as somebody might get it wrong.

Comparisons turned or moved by one, checks dropped or always met, `and` for `or`, a constant one off, a result that is
lost, a statement left out. Texts are left alone: what a message says in words is no check.
"""

from __future__ import annotations

import ast
import signal
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

from attrs import frozen

_TURNED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


WORDS = {"_short"}
"""Functions that make words, and nothing else."""


@frozen
class Mutant:
    """A module with one change.

    Attributes:
        module: Its name.
        where: The function that was changed.
        change: What was there, and what is there now.
        line: The line in which it was.
        tree: The whole.
    """

    module: str
    where: str
    change: str
    line: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return f"{self.module.removeprefix('casekit.')}.{self.where}: {self.change}  [{self.line}]"

    def made(self, **replaced: Any) -> types.ModuleType:
        """The module, run; with some of its names replaced."""
        return run(self.module, self.tree, **replaced)


def run(name: str, tree: ast.Module | None = None, **replaced: Any) -> types.ModuleType:
    """A module made anew beside the one that is imported."""
    real = import_module(name)
    path = str(real.__file__)
    made = types.ModuleType(name)
    made.__dict__.update(__file__=path, __package__=real.__package__)
    exec(compile(tree or ast.parse(Path(path).read_text("utf-8")), path, "exec"), made.__dict__)
    made.__dict__.update(replaced)
    return made


def mutants(name: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    text = Path(str(import_module(name).__file__)).read_text("utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    for holder, where in _functions(tree):
        for path, line, change, make in _changes(holder):
            copy = deepcopy(tree)
            target = next(node for node, at in _functions(copy) if at == where)
            make(_follow(target, path))
            yield Mutant(name, where, change, lines[line - 1].strip(), ast.fix_missing_locations(copy))


_Path = tuple[tuple[str, int | None], ...]
_Made = tuple[_Path, int, str, Callable[[Any], None]]


def _functions(tree: ast.Module) -> list[tuple[ast.AST, str]]:
    found: list[tuple[ast.AST, str]] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in WORDS:
            continue
        if isinstance(node, ast.FunctionDef):
            found.append((node, node.name))
        elif isinstance(node, ast.ClassDef):
            found += [(inner, f"{node.name}.{inner.name}") for inner in node.body if isinstance(inner, ast.FunctionDef)]
    return found


def _changes(function: ast.AST) -> Iterator[_Made]:
    for path, node in _walk(function, ()):
        line = getattr(node, "lineno", 1)
        yield from ((path, line, change, make) for change, make in _of(node))


def _walk(node: ast.AST, path: _Path) -> Iterator[tuple[_Path, ast.AST]]:
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "args"} and not isinstance(node, ast.Call):
            continue
        several = value if isinstance(value, list) else [value]
        for i, inner in enumerate(several):
            if isinstance(inner, ast.AST) and not isinstance(inner, ast.JoinedStr):
                step = (*path, (name, i if isinstance(value, list) else None))
                yield step, inner
                yield from _walk(inner, step)


def _follow(node: Any, path: _Path) -> Any:
    """The place of a node: its holder, the field, and where in it."""
    for name, i in path[:-1]:
        node = getattr(node, name) if i is None else getattr(node, name)[i]
    name, i = path[-1]
    return node, name, i


def _put(place: Any, new: ast.AST) -> None:
    node, name, i = place
    if i is None:
        setattr(node, name, new)
    else:
        getattr(node, name)[i] = new


def _of(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    for new in _instead(node):
        yield f"{_short(node)} -> {_short(new)}", lambda place, new=new: _put(place, deepcopy(new))  # type: ignore[misc]


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            for turned in _TURNED[type(operator)]:
                yield ast.Compare(node.left, [*node.ops[:i], turned(), *node.ops[i + 1 :]], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from (ast.BoolOp(node.op, node.values[:i] + node.values[i + 1 :]) for i in range(len(node.values)) if len(node.values) > 2)
        if len(node.values) == 2:
            yield from node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _OTHER and not _is_text(node):
        yield ast.BinOp(node.left, _OTHER[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
    else:
        yield from _statements(node)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.If, ast.IfExp)):
        for always in (True, False):
            body: Any = (ast.If if isinstance(node, ast.If) else ast.IfExp)(ast.Constant(always), node.body, node.orelse)  # type: ignore[arg-type]
            yield body
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, (ast.Continue, ast.Break, ast.Raise, ast.AugAssign, ast.Delete)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield, ast.YieldFrom))
    ):
        yield ast.Pass()


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str)) for side in ast.walk(node)
    )


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 120 and "\n" not in text else f"{text.splitlines()[0][:117]}…"


class TooLong(BaseException):
    """A mutant that does not come to an end."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Ends what takes more time of the processor than that."""

    def stop(_signal: int, _frame: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
