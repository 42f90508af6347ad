"""A picture in one of the three forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casekit.errors import BadInput
from casekit.pictures.dot import dot
from casekit.pictures.graph import Graph
from casekit.pictures.mermaid import mermaid
from casekit.pictures.svg import svg
from casekit.pictures.timeline import Timeline
from casekit.pictures.timeline_svg import timeline_svg
from casekit.pictures.timeline_text import timeline_dot, timeline_mermaid

_GRAPHS: Mapping[str, Callable[[Graph], str]] = {"svg": svg, "mermaid": mermaid, "dot": dot}
_TIMELINES: Mapping[str, Callable[[Timeline], str]] = {"svg": timeline_svg, "mermaid": timeline_mermaid, "dot": timeline_dot}
FORMATS = tuple(_GRAPHS)


def written(picture: Graph | Timeline, form: str) -> str:
    """The picture as text; the same picture gives the same text.

    Raises:
        BadInput: no such form; of an SVG of a graph: as of :func:`casekit.pictures.placing.placed`.
    """
    writers: Mapping[str, Callable[[Any], str]] = _GRAPHS if isinstance(picture, Graph) else _TIMELINES
    if form not in writers:
        raise BadInput.at("format", f"{form!r} is no form of a picture", "take one of " + ", ".join(FORMATS))
    return writers[form](picture)
