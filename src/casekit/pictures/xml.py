"""SVG text: elements with escaped text and attributes, nothing that a page around it could trip over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

from casekit.pictures.text import clean

INK, QUIET, PAPER, RULE = "#1b1f24", "#57606a", "#ffffff", "#8c959f"
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
COLOURS: Mapping[str, tuple[str, str]] = {
    "": (INK, PAPER),
    "now": ("#0a3d91", "#dbe9ff"),
    "over": (QUIET, "#eef0f2"),
    "possible": ("#0f5f26", "#e3f6e6"),
    "blocked": ("#9b1c1c", "#fde8e8"),
    "unknown": ("#6b4700", "#fff3d6"),
    "running": ("#0a3d91", "#cfe2ff"),
    "paused": ("#6b4700", "#ffe9b8"),
    "breached": ("#9b1c1c", "#fbd9d9"),
}
"""Sign → colour of its words, colour behind them; at least 4.5 to 1 for either on white and on each other."""

Attributes = Mapping[str, str | float]


def element(name: str, attributes: Attributes, inner: str = "") -> str:
    """One element; ``inner`` is markup already."""
    said = "".join(f" {key}={quoteattr(number(value))}" for key, value in attributes.items())
    return f"<{name}{said}>{inner}</{name}>" if inner else f"<{name}{said}/>"


def number(value: str | float) -> str:
    """A number to one decimal, as short as it can be; text as it is."""
    return value if isinstance(value, str) else f"{round(value, 1) or 0.0:.1f}".removesuffix(".0")


def text(words: str, x: float, y: float, more: Attributes) -> str:
    """A line of text whose foot stands at a spot."""
    return element("text", {"x": x, "y": y, **more}, escape(clean(words)))


def titled(words: Iterable[str]) -> str:
    """What a pointer that rests here, or a reader of the screen, is told."""
    return element("title", {}, escape(clean("; ".join(words))))


def document(width: float, height: float, title: str, about: Iterable[str], inner: Iterable[str]) -> str:
    """A whole SVG document. It stands alone, and within a page beside others: nothing in it has a name that clashes."""
    told = [clean(line) for line in about]
    mark = "casekit-" + hashlib.sha256("\n".join((title, *told)).encode("utf-8", "replace")).hexdigest()[:12]
    head = element("title", {"id": f"{mark}-title"}, escape(clean(title))) + element(
        "desc", {"id": f"{mark}-desc"}, escape("\n".join(told))
    )
    paper = element("rect", {"width": width, "height": height, "fill": PAPER})
    attributes: Attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "width": width,
        "height": height,
        "viewBox": f"0 0 {number(width)} {number(height)}",
        "role": "img",
        "aria-labelledby": f"{mark}-title {mark}-desc",
        "font-family": FONT,
        "fill": INK,
    }
    return element("svg", attributes, "\n".join(["", head, paper, *inner, ""])) + "\n"
