"""P12: one tenant never reads or changes another. Whatever belongs to B answers A as what does not exist.

B's record is full of canaries: a marker of its own in every field of every command. A then asks for, and acts on,
B's ids, through every door: a seat, a batch, a host's transaction, the command line. Each time the same is tried with
an id that nobody has, and the two answers must be the same once the ids are taken out. On PostgreSQL both tenants
work on one connection in turn, as a role that owns nothing.
"""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import create_engine, make_url, true

import casekit
import tenancy
from casekit import BadInput, Case, CasekitError, Desk, Money, Seat
from casekit.cli import main
from casekit.desk.work import new_uuid
from casekit.plugins.view import Person
from casekit.store import reading
from casekit.store.sql import Connection
from commandline import DISPUTE
from conftest import TestClock
from keeping.conftest import rows
from proofs.gossip import Gossip
from proofs.test_markers import Marks, plant
from servers import Server, dsn

APP = "casekit_test_app"


@pytest.fixture
def clock() -> TestClock:
    """It stands still: two answers that differ do so for a reason."""
    return TestClock()


@attrs.frozen
class In:
    """A desk all of whose seats are one tenant's."""

    desk: Desk
    tenant: str

    def seat(self, actor: str, *, roles: set[str]) -> Seat:
        return self.desk.seat(actor, roles=roles, tenant=self.tenant)


@attrs.frozen
class Ids:
    """What belongs to somebody: B, or nobody. Of both there is the same, in the same forms.

    Attributes:
        cases: Forms in which a case can be named: id, number, value.
        parties: The same of a party.
        document, posting, trace, mark: Of a document, a posting, an imported trace, a page.
        words: What stands for whom, so that two answers can be compared.
    """

    cases: tuple[Any, ...]
    parties: tuple[Any, ...]
    document: str
    posting: str
    trace: str
    mark: str
    words: Mapping[str, str]

    def case(self, dice: random.Random) -> Any:
        return dice.choice(self.cases)

    def party(self, dice: random.Random) -> Any:
        return dice.choice(self.parties)


@attrs.frozen
class Own:
    """What A has of its own."""

    case: str
    party: str


Act = Callable[[Seat, Ids, Own, random.Random], Any]


def _either(dice: random.Random, ids: Ids, own: Own) -> Any:
    """A case of A's own, or one that is not."""
    return own.case if dice.random() < 0.5 else ids.case(dice)


ACTS: dict[str, Act] = {
    "access_export": lambda s, i, _, d: s.access_export(i.party(d)),
    "adjust": lambda s, i, _, d: s.adjust(i.case(d), "x"),
    "adopt_calendars": lambda s, i, _, d: s.adopt_calendars(i.case(d)),
    "approve_disposal": lambda s, i, _, d: s.approve_disposal("D-1"),
    "approve": lambda s, i, _, d: s.approve(i.case(d), "tenancy.checked"),
    "assess": lambda s, i, _, d: s.assess(i.case(d)),
    "case": lambda s, i, _, d: s.case(i.case(d), **d.choice([{}, {"as_of": "2026-11-25"}, {"effective": "2026-11-25"}])),
    "cases": lambda s, i, _, d: s.cases(party=i.party(d), names=True) if d.random() < 0.5 else s.cases(after=i.mark, names=True),
    "change": lambda s, i, _, d: s.change(i.case(d), {"rooms": 2}, unset=["claimed"]),
    "change_party": lambda s, i, _, d: s.change_party(i.party(d), name="x"),
    "charge": lambda s, i, _, d: s.charge(i.case(d), "damage", "1.00 EUR"),
    "check": lambda s, i, o, d: (
        s.check(i.case(d), "answer") if d.random() < 0.5 else s.check(o.case, "contact", to="tenant", party=i.party(d))
    ),
    "checkpoint": lambda s, i, _, d: s.checkpoint(),
    "checkpoint_key": lambda s, i, _, d: s.checkpoint_key(),
    "checkpoints": lambda s, i, _, d: s.checkpoints(),
    "choose": lambda s, i, _, d: s.choose(i.case(d), "decision"),
    "classify": lambda s, i, _, d: s.classify(i.case(d), "confidential", reason="x"),
    "clocks": lambda s, i, _, d: s.clocks(i.case(d)),
    "close": lambda s, i, _, d: s.close(i.case(d), "decided"),
    "confirm_clock": lambda s, i, _, d: s.confirm_clock(i.case(d), "answer", reason="x"),
    "deadlines": lambda s, i, _, d: s.deadlines(i.case(d), texts=True),
    "disposal": lambda s, i, _, d: s.disposal("D-1"),
    "disposals": lambda s, i, _, d: s.disposals(),
    "due_for_disposal": lambda s, i, _, d: s.due_for_disposal(everything=True),
    "do": lambda s, i, _, d: s.do(i.case(d), "answer", observed=d.random() < 0.5, force=d.random() < 0.5),
    "document": lambda s, i, o, d: s.document(_either(d, i, o), "letter", b"x", document=i.document),
    "document_status": lambda s, i, o, d: s.document_status(_either(d, i, o), i.document, "accepted"),
    "drop_goal": lambda s, i, _, d: s.drop_goal(i.case(d), "paid"),
    "erase": lambda s, i, _, d: s.erase(i.party(d)),
    "explain": lambda s, i, _, d: s.explain(i.case(d), "decide"),
    "explain_clock": lambda s, i, _, d: s.explain_clock(i.case(d), "answer"),
    "explain_closing": lambda s, i, _, d: s.explain_closing(i.case(d)),
    "explain_item": lambda s, i, _, d: s.explain_item(i.case(d), "ring"),
    "explain_running": lambda s, i, _, d: s.explain_running(i.case(d), "answer"),
    "export": lambda s, i, _, d: s.export(i.case(d)),
    "export_deadlines": lambda s, i, _, d: s.export_deadlines(i.case(d), texts=True),
    "extend": lambda s, i, _, d: s.extend(i.case(d), "answer", by="P1D", reason="x"),
    "file": lambda s, i, _, d: s.file(i.case(d)),
    "find_parties": lambda s, i, _, d: s.find_parties(**d.choice(_DETAILS)),
    "find_party": lambda s, i, _, d: s.find_party(**d.choice(_DETAILS)),
    "get_party": lambda s, i, _, d: s.get_party(i.party(d)),
    "give_role": lambda s, i, o, d: s.give_role(_either(d, i, o), "handler", i.party(d)),
    "goals": lambda s, i, _, d: s.goals(i.case(d)),
    "holds": lambda s, i, _, d: s.holds(),
    "item": lambda s, i, _, d: s.item(i.case(d), d.choice(["complete", "skip", "add"]), "ring", reason="x"),
    "journal": lambda s, i, _, d: s.journal(i.case(d)),
    "keep_clock": lambda s, i, _, d: s.keep_clock(i.case(d), "answer", reason="x"),
    "link": lambda s, i, o, d: s.link(
        *d.choice([(o.case, "parent", i.case(d)), (i.case(d), "related", o.case), (i.case(d), "parent", i.case(d))])
    ),
    "links": lambda s, i, _, d: s.links(i.case(d)),
    "lift_hold": lambda s, i, _, d: s.lift_hold("flood", reason="x"),
    "look": lambda s, i, _, d: s.look(i.case(d)),
    "merge_parties": lambda s, i, o, d: s.merge_parties(
        *d.choice([(i.party(d), o.party), (o.party, i.party(d)), (i.party(d), i.party(d))])
    ),
    "message": lambda s, i, o, d: s.message(
        _either(d, i, o), direction="in", via="phone", outcome="conversation", to="tenant", party=i.party(d), observed=d.random() < 0.5
    ),
    "note": lambda s, i, _, d: s.note(i.case(d), "x"),
    "note_fact": lambda s, i, _, d: s.note_fact(i.case(d), "heating", "gas", observed=d.random() < 0.5),
    "open": lambda s, i, o, d: s.open(
        "tenancy.dispute",
        data={"deposit": "1.00 EUR"},
        parties=d.choice([{"tenant": i.party(d), "landlord": o.party}, {"tenant": [o.party, i.party(d)], "landlord": i.party(d)}]),
    ),
    "open_goals": lambda s, i, _, d: s.open_goals(after=_task_mark(i)),
    "options": lambda s, i, _, d: s.options(i.case(d)),
    "party": lambda s, i, _, d: s.party("person", ref=i.document),
    "pay": lambda s, i, _, d: s.pay(i.case(d), Money("1.00", "EUR"), observed=d.random() < 0.5),
    "picture": lambda s, i, _, d: s.picture(i.case(d), format="dot", texts=True),
    "place_hold": lambda s, i, _, d: s.place_hold(
        "flood",
        **d.choice([{"cases": [i.case(d)]}, {"parties": [i.party(d)]}, {"cases": [i.case(d)], "parties": [i.party(d)]}]),
        reason="x",
    ),
    "plan": lambda s, i, _, d: s.plan(i.case(d)),
    "propose_disposal": lambda s, i, _, d: s.propose_disposal([i.case(d)]),
    "recipients": lambda s, i, _, d: s.recipients(i.party(d)),
    "rectify": lambda s, i, o, d: s.rectify(_either(d, i, o), {"rooms": 3}, reason="x", asked_by=i.party(d)),
    "rectify_fact": lambda s, i, _, d: s.rectify_fact(i.case(d), "1.0", "gas", reason="x"),
    "rectify_party": lambda s, i, _, d: s.rectify_party(i.party(d), reason="x", name="x"),
    "retention": lambda s, i, _, d: s.retention(i.case(d)),
    "run_disposal": lambda s, i, _, d: s.run_disposal("D-1"),
    "tombstones": lambda s, i, _, d: s.tombstones(),
    "withdraw_disposal": lambda s, i, _, d: s.withdraw_disposal("D-1"),
    "read_document": lambda s, i, o, d: s.read_document(_either(d, i, o), i.document),
    "report_caseload": lambda s, i, _, d: s.report_caseload(),
    "report_clocks": lambda s, i, _, d: s.report_clocks(),
    "resume": lambda s, i, _, d: s.resume(i.case(d), "keep"),
    "reverse": lambda s, i, o, d: s.reverse(_either(d, i, o), i.posting),
    "review": lambda s, i, _, d: s.review(i.case(d), "x"),
    "rounds": lambda s, i, _, d: s.rounds(i.case(d)),
    "run_due": lambda s, i, _, d: s.run_due(),
    "set_goal": lambda s, i, _, d: s.set_goal(i.case(d), "more", "rooms", 2),
    "take_role": lambda s, i, o, d: s.take_role(_either(d, i, o), "handler", i.party(d)),
    "tasks": lambda s, i, _, d: s.tasks(after=_task_mark(i)),
    "timeline": lambda s, i, _, d: s.timeline(i.trace if d.random() < 0.1 else i.case(d)),
    "unlink": lambda s, i, o, d: s.unlink(*d.choice([(o.case, "parent", i.case(d)), (i.case(d), "related", o.case)])),
    "undelivered": lambda s, i, _, d: s.undelivered(),
}
"""Every command and question of a seat, with what belongs to somebody in every place where an id can stand."""

APART = {
    "batch": "a way of giving commands: it is one of the doors",
    "import_bundle": "what it is given, its caller holds already; that it is refused is proved by itself below",
    "import_log": "a file and a map: no id of a record goes in",
    "rotate_signing": "of the tenant's own log alone, and no id goes in: tried below, for it changes files",
    "verify": "no id goes in: that A's record is whole, and B's no part of it, is seen at the end",
}
"""Methods that random operations leave out, each with the reason."""

_DETAILS = [{"name": "Nobody"}, {"phone": "+49 30 7719 3551 88"}, {"phone": "+49 40 6618 2443 77"}, {"ref": "crm:1"}]
"""What B's people are found by, beside what nobody is."""

OF_ITS_OWN = {
    *("approve_disposal", "disposal", "disposals", "due_for_disposal", "holds", "lift_hold", "run_disposal", "tombstones"),
    "withdraw_disposal",
} | {"checkpoint", "checkpoint_key", "checkpoints", "party", "report_caseload", "report_clocks", "run_due", "undelivered"}
"""What no id goes into: it answers by what A has itself, and A's record grows from one call to the next."""

ALONE = {
    *("access_export", "approve_disposal", "lift_hold", "place_hold", "propose_disposal", "run_disposal", "withdraw_disposal"),
} | {"erase", "run_due", "export", "checkpoint", "checkpoint_key", "checkpoints", "export_deadlines"}
"""What belongs outside of batches and hosts' transactions."""


def _task_mark(ids: Ids) -> str:
    return f"2026-01-01T00:00:00.000000Z {ids.mark} x 1" if ids.mark else ""


def test_every_method_of_a_seat_is_thought_of() -> None:
    """A new command or question must be tried with another tenant's ids, or left out for a reason."""
    public = {name for name, _ in inspect.getmembers(Seat, inspect.isfunction) if not name.startswith("_")}
    assert public == set(ACTS) | set(APART)
    for name, act in ACTS.items():
        assert f"s.{name}(" in inspect.getsource(act), name


@attrs.define
class World:
    """Two tenants in one store, and what was seen so far.

    Attributes:
        desk: The desk, as an application opens it.
        url: The store, as the application opens it; ``owned``: as its owner does.
        folder: Where its files lie.
        own: What A has.
        theirs, nobodys: What B has, and what nobody has.
        canaries: Whatever of B's must never be seen.
        tried, seen, differing: Operations, canaries seen, pairs of answers that differ.
    """

    desk: Desk
    url: str
    owned: str
    folder: Path
    own: Own
    theirs: Ids
    nobodys: Ids
    canaries: tuple[str, ...]
    tried: int = 0
    seen: list[str] = attrs.field(factory=list)
    differing: list[str] = attrs.field(factory=list)

    def clerk(self, tenant: str) -> Seat:
        return self.desk.seat("user:lee", roles={"clerk", "keeper"}, tenant=tenant)

    def look(self, what: str, answer: str) -> None:
        self.seen += [f"{what}: {canary!r} in {answer[:2000]}" for canary in self.canaries if canary in answer]


class Keeping:
    """Roles that the tenancy plugin does not grant."""

    PLUGIN = casekit.sdk.Plugin("keeping", api=1, version="1.0")

    @staticmethod
    @casekit.sdk.hookimpl
    def casekit_roles() -> Mapping[str, list[str]]:
        return {"keeper": ["store.keep", "party.erase", "case.import", "case.resume"]}


@pytest.fixture
def world(engine: str, store_url: str, tmp_path: Path, clock: Any, request: pytest.FixtureRequest) -> Iterator[World]:
    mark = Marks()
    gossip = Gossip(mark)
    url, how = store_url, {"keys": tmp_path / "keys", "documents": tmp_path / "documents"}
    plugins = [tenancy, gossip, Keeping]
    if engine == "postgresql":
        server: Server = request.getfixturevalue("server")
        server.role(APP)
        with casekit.open_desk(store=store_url, plugins=plugins, installed=False, **how) as owner:
            owner.keeper("user:ops", roles={"keeper"}).grant(APP)
        url = make_url(store_url).set(username=APP).render_as_string(hide_password=False)
    with casekit.open_desk(store=url, plugins=plugins, installed=False, clock=clock, **how) as desk:
        yield _filled(desk, mark, gossip, clock, (url, store_url), tmp_path)


def _filled(desk: Desk, mark: Marks, gossip: Gossip, clock: Any, urls: tuple[str, str], folder: Path) -> World:
    if not desk.shelf("a").sqlite:
        _on_one_connection(desk)
    planted = plant(In(desk, "b"), mark, gossip, clock)  # type: ignore[arg-type]
    gossip.on = set()
    own = _own(desk)
    theirs, nobodys = _ids(desk, planted)
    words = [marker for markers in mark.planted.values() for marker in markers if len(marker) > 6]
    return World(desk, *urls, folder, own, theirs, nobodys, tuple({*words, "crm-2207-b"}))


def _on_one_connection(desk: Desk) -> None:
    """Lets both tenants work on the same connection in turn, as a pool would."""
    first, second = desk.shelf("a"), desk.shelf("b")
    shared = first.connection
    second._here.connection = Connection(shared.driver, shared.errors, "b")


def _own(desk: Desk) -> Own:
    lee = desk.seat("user:lee", roles={"clerk"}, tenant="a")
    ada = lee.party("person", name="Ada", ref="a-1")
    case = lee.open("tenancy.dispute", data={"deposit": "50.00 EUR"}, parties={"tenant": ada, "landlord": ada})
    return Own(case.id, ada.id)


def _ids(desk: Desk, planted: str) -> tuple[Ids, Ids]:
    """What B has, and what nobody has, in the same forms."""
    lee = desk.seat("user:lee", roles={"clerk"}, tenant="b")
    maria = lee.party("person", name="Mq00000Zü000000", ref="crm-2207-b")
    for _ in range(3):  # so that the last one's number is one that A does not have
        case = lee.open(
            "tenancy.dispute", data={"deposit": "5.00 EUR", "story": "Mq11111Zü111111"}, parties={"tenant": maria, "landlord": maria}
        )
    document = lee.document(case.id, "letter", b"Mq22222Z\xc3\xbc222222").id
    posting = lee.pay(case.id, "1.00 EUR").id
    case = lee.case(case.id)
    mark = str(desk.work(desk.shelf("b")).stream(planted, "case").sid)
    known = {"case": case.id, "number": str(case.number), "party": maria.id, "document": document, "posting": posting, "mark": mark}
    fresh = {
        **known,
        "case": new_uuid(),
        "number": "T-2026-99999",
        "party": new_uuid(),
        "document": _other(document),
        "posting": _other(posting),
    }
    fresh["mark"] = str(int(mark) - 1)
    return _forms(known, case, maria), _forms(fresh, case, maria)


def _other(text: str) -> str:
    """An id of the same form that nobody has."""
    return (
        re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", new_uuid(), text)
        if len(text) >= 36
        else f"{int(text.split('.', maxsplit=1)[0]) + 900}.{text.partition('.')[2]}"
    )


def _forms(one: Mapping[str, str], case: Case, party: Person) -> Ids:
    value = attrs.evolve(case, id=one["case"], number=one["number"])
    forms = (one["case"], one["number"], value)
    people = (one["party"], attrs.evolve(party, id=one["party"]))
    words = {value: f"<{name}>" for name, value in one.items()}
    return Ids(forms, people, one["document"], one["posting"], f"lab/{one['case']}", one["mark"], words)


def outcome(act: Callable[[], Any], ids: Ids) -> tuple[str, str]:
    """Type and words of an answer, ids taken out."""
    try:
        answer = act()
        kind, said = type(answer).__name__, spelled(answer)
    except CasekitError as wrong:
        kind, said = type(wrong).__name__, f"{wrong} {wrong.__notes__ if hasattr(wrong, '__notes__') else ''} {wrong.__cause__ or ''}"
    for word, stands in sorted(ids.words.items(), key=lambda pair: -len(pair[0])):
        said = said.replace(word, stands)
    return kind, said


def spelled(value: Any) -> str:
    """Everything that can be got out of an answer, as text; what a value shows of itself is less."""
    if isinstance(value, (str, int, float, type(None))):
        return str(value)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{spelled(key)}: {spelled(value[key])}" for key in value) + "}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "[" + ", ".join(map(spelled, value)) + "]"
    if attrs.has(type(value)):
        fields = [a.name for a in attrs.fields(type(value)) if not a.name.startswith("_")]
        return f"{type(value).__name__}({', '.join(f'{name}={spelled(getattr(value, name))}' for name in fields)})"
    return str(value)


def through(world: World, door: str, act: Callable[[Seat], Any]) -> Any:
    """Does something as A through one of the doors; what it has left in A's own record is taken back where the door can."""
    if door == "seat":
        return act(world.clerk("a"))
    if door == "batch":
        with world.clerk("a").batch() as batch:
            return act(batch)
    with hosting(world) as connection, world.desk.join(connection, tenant="a") as joined:
        try:
            return act(joined.seat("user:lee", roles={"clerk", "keeper"}))
        finally:
            connection.rollback()


@contextmanager
def hosting(world: World) -> Iterator[Any]:
    shelf = world.desk.shelf("a")
    engine = casekit.prepare(create_engine(str(shelf.url) if shelf.sqlite else world.url))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


VOLATILE = re.compile(
    r"<casekit[^>]*>|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}|T-2026-\d{5}|n=\d+|entries=\(\d+,\)|\bentry \d+|[0-9a-f]{64}"
)
"""What is new with every command: ids and numbers of A's own, and counts of its own entries."""


def test_what_is_anothers_answers_as_what_does_not_exist(
    world: World, engine: str, dice: random.Random, times: Callable[..., int], figure: Callable[[str], None]
) -> None:
    before = theirs(world)
    count = times(500)
    names = sorted(ACTS)
    doors = {"seat": 0, "batch": 0, "joined": 0}
    for k in range(count):
        name = names[k % len(names)] if k < len(names) else dice.choice(names)
        door = "seat" if name in ALONE or dice.random() < 0.7 else dice.choice(["batch", "joined"])
        try_both(world, name, door, dice.randrange(2**31))
        doors[door] += 1
        if k % 25 == 0:
            assert world.clerk("b").timeline(world.theirs.cases[0])[0].kind == "open"
            assert theirs(world) == before, f"{name} through a {door} has changed something of B's"
    assert theirs(world) == before
    for tenant in ("a", "b"):
        assert world.desk.seat("test:auditor", roles={"auditor"}, tenant=tenant).verify().wrong == []
    figure(
        f"P12 ({engine}): {world.tried} operations on another's ids and on nobody's, over {len(ACTS)} methods and {len(doors)} doors {doors}: "
        f"{len(world.seen)} of {len(world.canaries)} canaries seen, 0 effects, {len(world.differing)} answers that differ"
    )
    assert world.seen == []
    assert world.differing == [], "\n\n".join(world.differing[:5])


def try_both(world: World, name: str, door: str, seed: int) -> None:
    answers = []
    for ids in (world.theirs, world.nobodys):
        kind, said = outcome(lambda ids=ids: through(world, door, lambda s: ACTS[name](s, ids, world.own, random.Random(seed))), ids)  # type: ignore[misc]
        world.look(f"{name} through a {door}", said)
        answers.append((kind, VOLATILE.sub("…", said)))
        world.tried += 1
    if answers[0] != answers[1] and name not in OF_ITS_OWN:
        world.differing.append(f"{name} through a {door}, seed {seed}:\n  B's: {answers[0]}\n  nobody's: {answers[1]}")


def theirs(world: World) -> dict[str, Any]:
    """Every row of B's, and every file."""
    if world.url.startswith("sqlite"):
        path = Path(world.url.removeprefix("sqlite:///"))
        tables = rows(f"sqlite:///{path.with_name(f'{path.stem}.b{path.suffix}')}")
    else:
        tables = {name: [row for row in several if name == "meta" or row[0] == "b"] for name, several in rows(world.owned).items()}
    files = {str(path): path.read_bytes() for path in (world.folder / "documents" / "b").rglob("*") if path.is_file()}
    assert len(tables["entries"]) > 20
    assert files
    return {**tables, **files}


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("case", "show", "CASE"),
    ("case", "list", "--party", "PARTY"),
    ("case", "do", "CASE", "answer"),
    ("case", "change", "CASE", "--data", "rooms=2"),
    ("case", "role", "CASE", "handler", "PARTY"),
    ("case", "assess", "CASE"),
    ("case", "options", "CASE"),
    ("case", "explain", "CASE", "answer"),
    ("case", "clocks", "CASE"),
    ("case", "close", "CASE", "decided"),
    ("case", "plan", "CASE"),
    ("case", "deadlines", "CASE"),
    ("note", "CASE", "x"),
    ("pay", "CASE", "1.00 EUR"),
    ("charge", "CASE", "damage", "1.00 EUR"),
    ("reverse", "CASE", "POSTING"),
    ("fact", "CASE", "heating", "gas"),
    ("party", "show", "PARTY"),
    ("party", "change", "PARTY", "--name", "x"),
    ("party", "merge", "PARTY", "PARTY"),
    ("erase", "PARTY"),
    ("document", "get", "CASE", "DOCUMENT"),
    ("journal", "CASE"),
    ("export", "CASE"),
    ("task", "list"),
    ("goal", "show", "CASE"),
    ("case", "links", "CASE"),
    ("case", "link", "CASE", "related", "CASE"),
    ("document", "status", "CASE", "DOCUMENT", "accepted"),
    ("report", "caseload"),
    ("verify",),
)
"""What the command line is given, with what belongs to somebody in capitals."""


def test_the_command_line_says_no_more(
    world: World, engine: str, capsys: pytest.CaptureFixture[str], figure: Callable[[str], None]
) -> None:
    before = theirs(world)
    tried = 0
    for place, command in enumerate(COMMANDS):
        answers = []
        for ids in (world.theirs, world.nobodys):
            answers.append(_said(world, command, ids, place % 2, capsys))
            tried += 1
        if command[0] not in ("verify", "report"):
            assert answers[0] == answers[1], command
    assert theirs(world) == before
    assert world.seen == []
    figure(f"P12 ({engine}): {tried} commands of the command line, {len(COMMANDS)} kinds: 0 canaries, 0 effects, the same answers")


def _said(world: World, command: tuple[str, ...], ids: Ids, form: int, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    words = {"CASE": ids.cases[form], "PARTY": ids.parties[0], "DOCUMENT": ids.document, "POSTING": ids.posting}
    where = ["--store", world.url, "--keys", str(world.folder / "keys"), "--tenant", "a", "--type", str(DISPUTE), "--json"]
    capsys.readouterr()
    code = main([*(words.get(word, word) for word in command), *where])
    said = capsys.readouterr()
    text = said.out + said.err
    world.look(" ".join(command), text)
    for word, stands in sorted(ids.words.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(word, stands)
    return code, VOLATILE.sub("…", text)


def test_what_is_not_chance(world: World) -> None:
    """Searches by another's details, its keys, checkpoints and bundles; and that B itself sees what A must not."""
    b = world.clerk("b")
    said = spelled([b.cases(names=True), *(look(case) for case in world.theirs.cases[:1] for look in (b.file, b.export, b.timeline))])
    world.look("B itself", said)
    assert len(world.seen) >= 3, "the proof would find what it looks for"
    world.seen.clear()
    bundle = b.export(world.theirs.cases[0])  # which B's own desk log tells of
    before = theirs(world)
    _search(world)
    _bring(world, bundle)
    assert theirs(world) == before
    _beside(world)
    assert world.seen == []


def _search(world: World) -> None:
    for details in ({"name": "Mq00000Zü000000"}, {"ref": "crm-2207-b"}, {"phone": "+49 40 6618 2443 77"}):
        assert world.clerk("a").find_parties(**details) == ()
    assert world.clerk("b").find_parties(ref="crm-2207-b")


def _bring(world: World, bundle: Mapping[str, Any]) -> None:
    """A bundle is in its holder's hands, and is its tenant's all the same."""
    assert "Mq11111Zü111111" in spelled(bundle["readable"])
    for readable in ({}, bundle.get("readable")):
        with pytest.raises(BadInput, match="of the tenant 'b'"):
            world.clerk("a").import_bundle({**bundle, "readable": readable})


def _beside(world: World) -> None:
    """What lies beside the record is each tenant's own: checkpoints and the keys that sign them, idempotency keys."""
    a, b = world.clerk("a"), world.clerk("b")
    made = b.checkpoint()
    with pytest.raises(CasekitError) as refused:
        world.desk.seat("test:auditor", roles={"auditor"}, tenant="a").verify(against=made.note)
    world.look("verify", str(refused.value))
    assert a.party("person", key="one key", name="x").id != b.party("person", key="one key", name="x").id
    assert a.rotate_signing().origin != b.checkpoint().origin
    for tenant in ("a", "b"):
        assert world.desk.seat("test:auditor", roles={"auditor"}, tenant=tenant).verify().wrong == []


@pytest.mark.parametrize("engine", ["postgresql"])
@pytest.mark.parametrize("role", ["superuser", "application"])
def test_it_bites_and_the_second_wall_holds_alone(
    engine: str, role: str, server: Server, store_url: str, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch, figure: Any
) -> None:
    """With no condition on the tenant in any query of cases and parties: past row-level security A finds B's, behind it nothing."""
    monkeypatch.setattr(reading, "_tenant", lambda _: true())
    mark = Marks()
    gossip = Gossip(mark)
    server.role(APP)
    how: dict[str, Any] = {"plugins": [tenancy, gossip, Keeping], "installed": False, "keys": tmp_path / "keys"}
    with casekit.open_desk(store=store_url, **how) as owner:
        owner.keeper("user:ops", roles={"keeper"}).grant(APP)
    above = make_url(dsn(store_url)).set(drivername="postgresql+psycopg")
    url = (above if role == "superuser" else make_url(store_url).set(username=APP)).render_as_string(hide_password=False)
    with casekit.open_desk(store=url, clock=clock, documents=tmp_path / "documents", **how) as desk:
        world = _filled(desk, mark, gossip, clock, (url, store_url), tmp_path)
        for k, name in enumerate(sorted(set(ACTS) - ALONE)):
            with suppress(CasekitError, TypeError):
                try_both(world, name, "seat", k)
    figure(f"P12 bites ({role}): without a tenant in the queries, {len(world.differing)} answers differ, {len(world.seen)} canaries seen")
    assert bool(world.differing) == (role == "superuser"), "\n".join(world.differing)
    assert world.seen == [] or role == "superuser"
