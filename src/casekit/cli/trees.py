"""Why and why not as trees: drawn with lines on a terminal, indented elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from casekit.cli.looks import said, show_lines

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.decisions.explain import Explanation
    from casekit.model.judged import Judged

_STYLES = {True: "green", False: "red", None: "yellow"}


def show_explanation(out: Console, found: Explanation) -> None:
    """An explanation: on a terminal its tree, elsewhere one line to each part."""
    if not out.is_terminal or found.hidden:
        show_lines(out, found.lines())
        return
    lines = found.lines()
    out.print(Text(said(lines[0]), "bold"))
    out.print(tree_of(found.tree))
    if found.lacking:
        out.print(Text(said(lines[-1].strip()), "red"))


def tree_of(judged: Judged) -> Tree:
    """What something came to, with what it rests on and what would help."""
    label = Text(said(judged.said))
    label.append(f": {said(judged.standing)}", _STYLES[judged.met])
    if judged.citation:
        label.append(f" [{said(judged.citation)}]", "dim")
    built = Tree(label, guide_style="dim")
    for words in (*map(str, judged.remedies), *([judged.remedy] if judged.remedy and judged.met is not True else [])):
        built.add(Text(f"to do: {said(words)}", "bold"))
    for part in judged.parts:
        built.add(tree_of(part))
    return built
