"""What is held of a person, as a page that people read: one file, no script, nothing from elsewhere, every text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from casekit.desk.accessvalues import Access, CaseHeld, Item, Rule, Step, Words

_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 2.5rem; border-top: 1px solid #999; padding-top: 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem } caption { text-align: left; font-weight: 600; padding: .25rem 0 }
th, td { text-align: left; vertical-align: top; border: 1px solid #bbb; padding: .25rem .5rem } th { background: #f2f2f2 }
blockquote { margin: .25rem 0; white-space: pre-wrap } .withheld { font-style: italic; color: #555 } .wrong { color: #555 }
"""

_HEAD = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    '<meta name="viewport" content="width=device-width">\n<title>What is held about you</title>\n'
    f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
)

_KINDS = {
    "data": "Data",
    "fact": "Facts",
    "posting": "Ledger",
    "message": "Messages",
    "document": "Documents",
    "role": "Who takes part",
    "clock": "Deadlines",
    "task": "Plan",
    "goal": "Goals",
    "choice": "What was chosen",
}


def page(answer: Access) -> str:
    """The page."""
    return _HEAD + "\n".join(_body(answer)) + "\n</main>\n</body>\n</html>\n"


def _body(answer: Access) -> Iterator[str]:
    yield f"<h1>What is held about you</h1>\n<p>Put together at {_t(answer.made)}.</p>"
    if answer.erased:
        yield f"<p>You were erased on {_t(answer.erased)}. {_t(answer.withheld[0].why)}</p>"
    if not answer.complete:
        yield '<p class="withheld">This is a draft: texts that may tell of others wait for a person\'s look.</p>'
    yield "<h2>You</h2>"
    yield _table("Details", ("what", "is"), [(_t(name), _t(value)) for name, value in answer.details.items()])
    yield _table("How they came about", _STEP, [_step(step) for step in answer.history])
    for case in answer.cases:
        yield from _case(case)
    yield "<h2>Who has been told</h2>"
    yield _table(
        "Recipients", ("who", "what", "when", "case"), [tuple(map(_t, (r.who, r.what, r.when, r.case))) for r in answer.recipients]
    )
    yield "<h2>Where it comes from</h2>"
    yield _table(
        "Sources", ("what", "when", "from"), [(_t(s.what), _t(s.when), _words((s.where,) if s.where else ())) for s in answer.sources]
    )
    yield "<h2>What is withheld</h2>"
    yield _table("Withheld", ("what", "why"), [(_t(w.what), _t(w.why)) for w in answer.withheld])


def _case(case: CaseHeld) -> Iterator[str]:
    yield f"<h2>{_t(case.title)} {_t(case.number or case.id)}</h2>"
    known = {
        "case": case.id,
        "you are": ", ".join(case.roles),
        "others are": ", ".join(case.others),
        "purpose": case.purpose,
        "kept": case.retention,
        "state": f"{case.state} ({case.category})",
        "outcome": case.outcome,
        "opened": case.opened,
        "closed": case.closed,
    }
    yield _table("The case", ("what", "is"), [(_t(name), _value(value)) for name, value in known.items() if value])
    for kind, title in _KINDS.items():
        rows = [_item(item) for item in case.items if item.kind == kind]
        yield _table(title, ("entry", "what", "is", "since", "recorded", "words"), rows)
    yield _table("What happened", _STEP, [_step(step) for step in case.steps])


_STEP = ("entry", "since", "recorded", "who", "what", "words", "rules, and what they go by")


def _step(step: Step) -> tuple[str, ...]:
    what = f"<strong>{_t(step.what)}</strong> {_t(step.about)}" + "".join(f"<br>{_t(event)}" for event in step.events)
    rules = "".join(_rule(rule) for rule in step.rules)
    plugins = ", ".join(f"{name} {version}" for name, version in step.plugins.items())
    asked = f"<br>asked: {_t(plugins)}" if plugins else ""
    return str(step.n), _t(step.since), _t(step.recorded), _t(step.who), what, _words(step.words), rules + asked


def _rule(rule: Rule) -> str:
    signed = f"{rule.rule} ({rule.plugin} {rule.version})" if rule.plugin else rule.rule
    more = "".join(f"<br>{label}: {_t(text)}" for label, text in (("by", rule.citation), ("until", rule.until)) if text)
    return f"<p>{_t(signed)}{more}</p>{_words(tuple(w for w in (rule.says, rule.inputs) if w is not None))}"


def _item(item: Item) -> tuple[str, ...]:
    value = _value(item.value) if item.value is not None else ""
    if item.withheld:
        value += f'<span class="withheld">withheld: {_t(item.withheld)}</span>'
    if item.wrong:
        value = f'<span class="wrong">{value} (no longer so, or put right since)</span>'
    return _t(item.id), _t(item.name), value, _t(item.since), _t(item.recorded), _words(item.words)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "<br>".join(f"{_t(name)}: {_link(inner) if name == 'file' else _value(inner)}" for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return "<br>".join(map(_value, value))
    return _t(value)


def _link(name: str) -> str:
    return f'<a href="{escape(quote(name))}" download>{_t(name)}</a>'


def _words(words: Iterable[Words]) -> str:
    return "".join(
        f"<div>{_t(one.what)}: "
        + (
            f"<blockquote>{_t(one.text)}</blockquote>"
            if one.text is not None
            else f'<span class="withheld">withheld: {_t(one.withheld)}</span>'
        )
        + "</div>"
        for one in words
    )


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table of cells that are escaped already; nothing where there is nothing."""
    if not rows:
        return f"<p>{_t(title)}: nothing.</p>"
    head = "".join(f'<th scope="col">{_t(column)}</th>' for column in columns)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<caption>{_t(title)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _t(text: Any) -> str:
    """A text for a page: escaped, and nothing in it that turns the direction of what follows."""
    said = _INSTANT.sub(r"\1 \2 UTC", str(text))
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in said))


_INSTANT = re.compile(r"\b([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})\.[0-9]{6}Z")
"""An instant as the record has it; people need no millionths. The same as JSON has them."""
