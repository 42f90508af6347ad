"""Case types drawn at random, their titles hostile; and what stands in a picture, read back by other people's parsers."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pygraphviz
from hypothesis import strategies as st

from casekit.decisions.compiled import Compiled, compile_type
from casekit.definition.casetype import CaseType, Clock, Requirement, State, Transition
from casekit.definition.plan import Due, Item, Sentry
from casekit.pictures.text import clean

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    '"><script>alert(1)</script>',
    "</title></svg><img src=x onerror=alert(1)>",
    "]]> <!-- & &amp; &#60; --> <?xml?>",
    '"]; n0 -> n9 [label="x',
    '\\N \\G \\" \\\\l \\l',
    "}\ndigraph { evil }\n/* ",
    'x\n    s9 --> s8 : y\nclick s1 href "javascript:alert(1)"',
    "%%{init: {'securityLevel': 'loose'}}%% ; # : -- --> *** ```",
    "section evil :crit, 2026-01-01, 1d",
    "\x00\x07\x1b[31m\u202e\u2066\ufeff\uffff",
    "日本語のタイトル, ελληνικά, עברית, e\u0301",
    "a" * 300,
    "",
    "   ",
    "---\ntitle: x\n---",
)
TITLES = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@st.composite
def case_types(draw: st.DrawFn) -> CaseType:
    """A case type whose states nest, run side by side, remember and end; every title may hold anything."""
    paths: list[str] = []
    states = {name: _state(draw, name, paths, 2) for name in ("a", "b", "c")[: draw(st.integers(1, 3))]}
    plain = [path for path in paths if not path.endswith("was")]
    transitions = {}
    for place in range(draw(st.integers(0, 7))):
        sources = tuple(draw(st.lists(st.sampled_from(plain), min_size=1, max_size=4, unique=True)))
        target = draw(st.none() | st.sampled_from(paths))
        when = draw(st.sampled_from(["", f"at('{plain[0]}')", "running('k0') and not paused('k0')"]))
        event = draw(st.sampled_from(["", "go", "always"])) if when else draw(st.sampled_from(["", "go"]))
        requires = draw(st.sampled_from([(), ("r.held",)]))
        transitions[f"t{place}"] = Transition(sources, target, on=event, when=when, requires=requires, title=draw(TITLES))
    clocks = {
        f"k{place}": Clock(
            draw(st.sampled_from(["P14D", "PT4H"])),
            start=draw(st.sampled_from(["", *(f"at('{path}')" for path in plain)])),
            stop=draw(st.sampled_from(["", *(f"at('{path}')" for path in plain)])),
            pause=draw(st.sampled_from(["", *(f"not at('{path}')" for path in plain)])),
            title=draw(TITLES),
        )
        for place in range(1 + draw(st.integers(0, 2)))
    }
    requirements = {"r.held": Requirement(f"at('{plain[0]}')", unmet=draw(TITLES))}
    first = next(iter(states))
    return CaseType("x.y", "1", draw(TITLES), first, states, transitions, clocks=clocks, requirements=requirements, plan=draw(plans()))


def _state(draw: st.DrawFn, path: str, paths: list[str], depth: int) -> State:
    paths.append(path)
    kind = draw(st.sampled_from(["leaf", "leaf", "final", "compound", "parallel"])) if depth else "leaf"
    if kind in ("leaf", "final"):
        final = kind == "final" and "." in path
        return State(draw(TITLES), category="" if "." in path else "open", final=final)
    inner = {name: _state(draw, f"{path}.{name}", paths, depth - 1) for name in ("u", "v")}
    if kind == "compound" and draw(st.booleans()):
        inner["was"] = State(draw(TITLES), history=draw(st.sampled_from(["shallow", "deep"])), initial="u")
        paths.append(f"{path}.was")
    category: Any = "" if "." in path else "open"
    return State(draw(TITLES), category=category, initial="" if kind == "parallel" else "u", states=inner, parallel=kind == "parallel")


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Item]:
    """A plan: stages in stages, and what opens and ends what."""
    found: dict[str, Item] = {}
    for place in range(draw(st.integers(0, 6))):
        stages = [""] + [key for key, item in found.items() if item.kind == "stage"]
        events = ["a.left", "payment", *(f"{key}.completed" for key in found)]
        sentries = st.lists(st.builds(Sentry, st.lists(st.sampled_from(events), min_size=1, max_size=2, unique=True)), max_size=2)
        kind = draw(st.sampled_from(["task", "stage", "milestone", "listener"]))
        due = draw(st.none() | st.just(Due("P7D")))
        found[f"i{place}"] = Item(
            kind,
            draw(TITLES),
            draw(st.sampled_from(stages)),
            tuple(draw(sentries)),
            tuple(draw(sentries)),
            required=draw(st.booleans()),
            due=due,
        )
    return found


def compiled(case_type: CaseType) -> Compiled:
    return compile_type(case_type, "0" * 64, rules=None)


def svg_texts(picture: str) -> str:
    """Every word that a reader of the SVG is shown or told."""
    return "\n".join("".join(found.itertext()) for found in ET.fromstring(picture).iter() if not len(found))


def svg_elements(picture: str) -> Iterator[ET.Element]:
    for found in ET.fromstring(picture).iter():
        found.tag = found.tag.removeprefix(SVG)
        yield found


def dot_texts(picture: str) -> str:
    """Every label and tooltip of a DOT text, its escapes undone."""
    read = json.loads(read_dot(picture).draw(format="dot_json", prog="dot"))
    things = [read, *read.get("objects", ()), *read.get("edges", ())]
    return "\n".join(_undone(thing[name]) for thing in things for name in ("label", "tooltip") if thing.get(name))


def read_dot(picture: str) -> Any:
    """A DOT text as Graphviz itself reads it."""
    return pygraphviz.AGraph(string=picture)


def _undone(value: str) -> str:
    return html.unescape(re.sub(r"\\(.)", lambda found: "\n" if found[1] == "l" else found[1], value))


LINES = (
    r"stateDiagram-v2",
    r"acc(Title|Descr): PLAIN",
    r'state "(?! *")PLAIN" as s\d+(about)?( \{)?',
    r"s\d+(about)? : PLAIN",
    r"\[\*\] --> s\d+",
    r"s\d+ --> s\d+( : PLAIN(<br/>PLAIN)*)?",
    r"--",
    r"\}",
    r"classDef now [a-z#0-9:,-]+",
    r"class s\d+ now",
    r"gantt",
    r"dateFormat YYYY-MM-DDTHH:mm:ss",
    r"axisFormat %Y-%m-%d %H:%M",
    r"todayMarker off",
    r"section (deadline PLAIN|asked about)",
    r"PLAIN :((active|done|crit|milestone), )*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d, (0d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)",
)
PLAIN = r"(?:[^\W_]|[ .,()/'=+!?-]|#\d+;)*"
LINE = re.compile("|".join(f"(?:{line.replace('PLAIN', PLAIN)})" for line in LINES))


def mermaid_texts(picture: str) -> str:
    """The words of a Mermaid text, which holds nothing but lines that we mean, and no sign of its language within words."""
    for line in picture.splitlines():
        found = LINE.fullmatch(line.strip())
        assert found, line
        assert "---" not in re.sub(r"^s\d+ --> |^\[\*\] --> |^--$", "", line.strip())
    told = [
        re.sub(r"^(s\d+(about)?|s\d+ --> s\d+) : |^section (deadline )?|^state |^acc(Title|Descr): ", "", line.strip())
        for line in picture.splitlines()
    ]
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), "\n".join(told).replace("<br/>", "\n"))


def squeezed(text: str) -> str:
    """Text without blanks: lines are broken where they are too long, words too."""
    return re.sub(r"\s", "", clean(text))
