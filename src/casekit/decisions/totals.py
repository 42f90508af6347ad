"""Declared totals, kept up with every posting: the head of a case knows its sums without its ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from casekit.decisions.compiled import Compiled
from casekit.decisions.conditions import Inputs
from casekit.definition.casetype import Total
from casekit.model.ledger import Posting, effective_postings
from casekit.model.money import parse, render


def nothing(definition: Compiled, currency: str) -> dict[str, str]:
    """Every total at zero."""
    known = definition.nothing.get(currency)
    if known is None:
        known = definition.nothing[currency] = derived(definition, {name: render(0, currency) for name in definition.totals})
    return dict(known)


def posted(definition: Compiled, totals: Mapping[str, str], posting: Posting, reversed_: Posting | None = None) -> dict[str, str]:
    """The totals after one more posting; ``reversed_`` is what a reversal takes back."""
    counted, sign = (posting, 1) if reversed_ is None else (reversed_, -1)
    new = dict(totals)
    for name, (says, of) in definition.totals.items():
        if of is None and _counts(says, counted):
            new[name] = render(parse(totals[name])[0] + sign * counted.amount.minor, counted.amount.currency)
    return derived(definition, new)


def at(definition: Compiled, postings: Iterable[Posting], currency: str, moment: str) -> dict[str, str]:
    """The totals as they stood at an effective instant, over all postings known."""
    sums = dict.fromkeys((n for n, (_, of) in definition.totals.items() if of is None), 0)
    for posting in effective_postings(postings, moment):
        for name in sums:
            if _counts(definition.totals[name][0], posting):
                sums[name] += posting.amount.minor
    known = {name: render(minor, currency) for name, minor in sums.items()}
    return derived(definition, nothing(definition, currency) | known)


def derived(definition: Compiled, totals: dict[str, str]) -> dict[str, str]:
    """The totals with those computed from others brought up to date."""
    inputs = Inputs(totals=totals)
    for name, (_, of) in definition.totals.items():
        if of is not None:
            totals[name] = of.canonical(inputs)
    return totals


def _counts(says: Total, posting: Posting) -> bool:
    # A payment has no component: a total that names components counts charges only.
    return posting.kind in says.kinds and (not says.components or posting.kind == "payment" or posting.component in says.components)
