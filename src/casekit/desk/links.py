"""Links between cases: a case says how it stands to another one; that one finds it by asking who stands to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casekit.definition.casetype import ENDED
from casekit.desk.linked import standing_to
from casekit.desk.turn import Spec, Turn
from casekit.desk.values import Link
from casekit.desk.work import Stream, Work
from casekit.errors import BadInput
from casekit.model.links import RELATIONS

LINK = Spec("link", "case.link")
LINKED = Spec("read-links", "case.read")

MOST = 50
"""Links that one case says of itself: its head carries them. Any number of cases may be linked to it."""


def link(turn: Turn, relation: str, other: str) -> None:
    """Decides on linking a case to another one.

    Raises:
        BadInput: no such relation, it is linked so already, it has a parent already, would be part of itself, or of a case
            that has ended.
        NotFound: there is no such case.
        Denied: the other case may not be read.
    """
    said = _said(turn, relation, other)
    if other in said.get(relation, ()):
        raise BadInput.at("link", f"this case {RELATIONS[relation][0]} {other} already", "nothing is to be done")
    if sum(map(len, said.values())) >= MOST:
        raise BadInput.at("link", f"a case says of itself at most {MOST} links", "take one away first")
    if relation == "parent":
        _check_parent(turn, said, other)
    turn.guard("link", {"relation": relation}, relation=relation, other=other, end=False)
    if turn.goes_on:
        turn.call.about |= {"relation": relation, "other": other, **_number(turn, other)}
        turn.change(c="head", set={"links": {**said, relation: [*said.get(relation, ()), other]}})
        turn.run.raise_(f"linked.{relation}")


def unlink(turn: Turn, relation: str, other: str) -> None:
    """Decides on taking a link away.

    Raises:
        BadInput: no such relation, or it is not linked so.
    """
    said = _said(turn, relation, other)
    if other not in said.get(relation, ()):
        raise BadInput.at("link", f"this case does not say that it {RELATIONS[relation][0]} {other}", "see its links")
    turn.guard("link", {"relation": relation}, relation=relation, other=other, end=True)
    if turn.goes_on:
        turn.call.about |= {"relation": relation, "other": other, "ended": True, **_number(turn, other)}
        left = {name: [one for one in others if (name, one) != (relation, other)] for name, others in said.items()}
        left = {name: others for name, others in left.items() if others}
        turn.change(c="head", **({"set": {"links": left}} if left else {"unset": ["links"]}))
        turn.run.raise_(f"unlinked.{relation}")


def links(work: Work, stream: Stream) -> Iterator[tuple[str, bool, Stream]]:
    """Every link of a case: relation, whether the other case says it, the other case. Its own first, then by age."""
    own = [(relation, other) for relation, others in stream.head.get("links", {}).items() for other in others]
    work.load([other for _, other in own])
    for relation, other in own:
        if other in work.streams:  # it may have been brought in without the other one
            yield relation, False, work.streams[other]
    for relation, other_stream in standing_to(work, stream.uuid):
        yield relation, True, other_stream


def as_link(relation: str, said_by_other: bool, other: Stream) -> Link:
    """A link as people read it."""
    head = other.head
    machine = head["machine"]
    words = RELATIONS[relation][said_by_other]
    where = (head["type"], head.get("number"), " ".join(machine["active"]), machine["category"])
    return Link(relation, said_by_other, words, other.uuid, *where)


def _said(turn: Turn, relation: str, other: str) -> Mapping[str, list[str]]:
    """The links of the case, once the relation and the other case are known to be."""
    if relation not in RELATIONS:
        raise BadInput.at("relation", f"{relation!r} is no relation between cases", "use one of " + ", ".join(RELATIONS))
    if other == turn.stream.uuid:
        raise BadInput.at("other", "a case can't be linked to itself", "name another case")
    turn.work.demand_wide()
    stream = turn.work.stream(other, "case")
    turn.desk.levels.demand(turn.call.actor, stream.head, other)
    turn.desk.bus.demand(turn.call.actor, "case.read", stream.head["type"])
    said: Mapping[str, list[str]] = turn.stream.head.get("links", {})
    return said


def _number(turn: Turn, other: str) -> dict[str, str]:
    """What people call the other case."""
    number = turn.work.stream(other, "case").head.get("number")
    return {"number": number} if number else {}


def _check_parent(turn: Turn, said: Mapping[str, list[str]], other: str) -> None:
    if said.get("parent"):
        raise BadInput.at("link", f"this case is part of {said['parent'][0]} already", "take that link away first")
    if turn.work.stream(other, "case").head["machine"]["category"] in ENDED:
        raise BadInput.at("link", "a case that has ended gets no more parts", "reopen it first, or use another relation")
    above = other
    while above:
        if above == turn.stream.uuid:
            raise BadInput.at("link", "it would be part of itself", "name a case that is not a part of this one")
        above = next(iter(turn.work.stream(above, "case").head.get("links", {}).get("parent", ())), "")
