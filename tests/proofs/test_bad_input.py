"""P14: bad input is refused cleanly: in casekit's own words, at once, and nothing is written.

Valid inputs of every kind are damaged, a little or a lot, and given. What is refused must leave the store as it was, but for
the entry of a refusal; whatever is taken must leave it whole.
"""

from __future__ import annotations

import inspect
import json
import random
import resource
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

import tenancy
from casekit import CasekitError, Denied, Desk, Money, Refused, Seat
from casekit.builtin.xes import read_xes
from casekit.decisions.check import check
from casekit.decisions.compiled import compile_type
from casekit.decisions.conditions import Inputs, Scope, load
from casekit.decisions.scxml import read_scxml
from casekit.definition.calendars import read_calendar
from casekit.definition.casetype import CaseType
from casekit.definition.counts import read_counts
from casekit.definition.load import canonical, digest, structure
from casekit.definition.maps import read_map
from casekit.model.canonical import encode, parse, plain
from casekit.model.time import day, duration, effective, moment
from logs import ORDER
from servers import dsn

EXAMPLES = Path(__file__).parents[2] / "examples"

NASTY: list[Any] = [
    None, True, False, 0, -1, 2**53, -(2**63), 10**400, 1.5, float("nan"), float("inf"), "", " ", "x" * 10_000, "\0", "\ud800", "\U0001f600",
    "é", "../../etc/passwd", "'; DROP TABLE entries; --", "%s%n{0}{x}", "{", "}{", "0", "-0", "1e999", "NaN", "Infinity", "null", "true",
    "9" * 5000, "1.00 EUR", "-1.00 EUR", "0.00 XXX", "1.005 EUR", "99999999999999999.00 EUR", "2026-02-30", "2026-11-25", "0000-00-00",
    "9999-12-31", "2026-11-25T10:00:00Z", "2026-11-25T25:00:00Z", "P14D", "P-1D", "PT999999999999H", "P99999Y", "Europe/Berlin", "Mars/Olympus",
    "open", "always", "tenant", "casekit.x", [], {}, [[]], {"": ""}, {"a": {"b": {"c": []}}}, ["x"] * 1000, {"x": float("nan")}, b"\xff", (), object,
    Money("1.00", "EUR"), [None], {"\ud800": 1}, {1: 2}, set(), "at('open')", "known(", "(" * 300, "not " * 400 + "True", "a.b.c", "__import__('os')",
    "\n", "\u202e", "A" * 300 + ".", "01932f9a-7c00-7000-8000-000000000001", "T-2026-00001", "1.0", "1.99999",
]  # fmt: skip
"""Values that nobody wants."""

CHARTS = """<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="python" initial="a">
<datamodel><data id="n" expr="0"/></datamodel>
<state id="a"><onentry><raise event="go"/></onentry><transition event="go" cond="n == 0" target="b"/></state>
<parallel id="b"><state id="c"><history id="h" type="deep"><transition target="d"/></history><state id="d"/></state><state id="e"/></parallel>
<final id="f"/></scxml>"""

LOG = """<log xes.version="1.0"><extension name="Time" prefix="time" uri="http://x"/><global scope="event"><string key="concept:name" value="x"/></global>
<trace><string key="concept:name" value="1"/><event><string key="concept:name" value="A"/><date key="time:timestamp" value="2026-11-25T10:00:00+01:00"/>
<int key="n" value="3"/><float key="f" value="1.5"/><boolean key="b" value="true"/><list key="l"><values><id key="i" value="x"/></values></list></event></trace></log>"""

CONDITIONS = [
    "at('open') and balance <= 0 or not known(claimed)", "fact('rent') > money('1.00 EUR') * 3", "min(deposit, claimed) + deposit if rooms in (1, 2) else deposit",
    "today >= day('2026-11-24') and breached('answer')", "parties('tenant') > 0 and documents('letter') == 0", "event.amount <= balance",
]  # fmt: skip

CALENDAR = {
    "key": "a.office", "version": "1", "zone": "Europe/Rome", "hours": {"mon": ["09:00-12:30", "13:30-17:00"], "tue": ["00:00-24:00"]},
    "exceptions": {"2026-12-24": {"hours": ["09:00-12:30"], "name": "Eve"}},
}  # fmt: skip

COUNTS = [{"key": "a.answer", "version": "1", "amount": "P14D", "roll": "forward", "citation": "§ 1"}]


class Damage:
    """Damages values and texts."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def value(self, value: Any, chance: float = 0.15) -> Any:
        """A copy of a JSON value in which some parts are other values, some are gone, and some are doubled."""
        dice = self.dice
        if dice.random() < chance * 0.4:
            return dice.choice(NASTY)
        if isinstance(value, dict):
            found = {key: self.value(inner, chance) for key, inner in value.items() if dice.random() > chance * 0.2}
            if dice.random() < chance:
                found[dice.choice([*map(str, value), "", "x", "\0", "$schema"])] = dice.choice(NASTY)
            return found
        if isinstance(value, (list, tuple)):
            kept = [self.value(inner, chance) for inner in value if dice.random() > chance * 0.2]
            return kept + kept[:1] if dice.random() < chance * 0.3 else kept
        if isinstance(value, str) and dice.random() < chance:
            return self.text(value)
        return value

    def text(self, text: str, most: int = 3) -> str:
        """A copy of a text with some characters changed, lost, doubled or moved."""
        dice, found = self.dice, list(text)
        for _ in range(dice.randint(1, most)):
            at, to = (dice.randrange(len(found) + 1) for _ in range(2))
            kind = dice.randrange(5)
            if kind == 0:
                del found[at : at + dice.randint(1, 4)]
            elif kind == 1:
                found[at:at] = dice.choice("\0<>&'\"()[]{}.,:;-+*/ 0aé\ud800\U0001f600\n")
            elif kind == 2:
                found[at:at] = found[min(at, to) : max(at, to)][:50]
            elif kind == 3:
                found[at : at + 1] = dice.choice(["", "9", "(", "not ", "&x;", "<a>", "]]>"])
            else:
                found = found[:at]
        return "".join(found)


Try = tuple[str, Callable[[], Any]]


class Given:
    """All kinds of input, each damaged anew whenever it is asked for."""

    def __init__(self, desk: Desk, folder: Path, dice: random.Random) -> None:
        self.desk, self.folder, self.dice, self.damage = desk, folder, dice, Damage(dice)
        self.lee = desk.seat("user:lee", roles={"clerk"})
        self.eve = desk.seat("user:eve", roles={"reader"})
        self.people = [self.lee.party("person", name=name).id for name in ("Ada", "Bo")]
        self.case = self.lee.open("tenancy.dispute", data=self.data, parties=self.parties).id
        other = self.lee.open("tenancy.dispute", data=self.data, parties=self.parties).id
        self.bundle = parse(encode(plain(self.lee.export(other))), "bundle")
        self.lee.checkpoint()
        self.note = self.lee.checkpoints()[0]
        self.types = [
            plain(canonical(tenancy.DISPUTE)),
            ORDER,
            *(json.loads((EXAMPLES / name).read_text()) for name in ("traffic_fines/fine.json", "helpdesk/ticket.json")),
        ]
        self.maps = [(EXAMPLES / name / "map.toml").read_text() for name in ("traffic_fines", "helpdesk")]
        self.commands = self._commands()

    @property
    def data(self) -> dict[str, Any]:
        return {"deposit": "900.00 EUR", "story": "a stain"}

    @property
    def parties(self) -> dict[str, Any]:
        return {"tenant": self.people[0], "landlord": self.people[1]}

    def _commands(self) -> dict[str, dict[str, Any]]:
        """Command → arguments that it takes."""
        case = {"case": self.case}
        return {
            "party": {"kind": "person", "name": "Ada", "phone": "1", "zone": "Europe/Berlin", "language": "de", "born": "1990-01-01"},
            "change_party": {"party": self.people[0], "phone": "1", "reason": "x"},
            "open": {"case_type": "tenancy.dispute", "data": self.data, "parties": self.parties, "zone": "", "effective": None},
            "do": {**case, "event": "answer", "fields": {"tone": "calm"}, "reason": "x", "effective": None},
            "change": {**case, "data": {"rooms": 3, "story": "x", "moved_out": "2026-11-01"}, "unset": ["claimed"], "reason": "x"},
            "choose": {**case, "option": "two-halves", "reason": "x"},
            "close": {**case, "outcome": "decided", "fields": {}, "reason": "x"},
            "give_role": {**case, "role": "handler", "party": self.people[0]},
            "take_role": {**case, "role": "tenant", "party": self.people[0]},
            "note": {**case, "text": "x", "effective": None},
            "message": {
                **case,
                "direction": "in",
                "via": "phone",
                "outcome": "conversation",
                "to": "tenant",
                "text": "x",
                "effective": "2026-11-25",
            },
            "note_fact": {**case, "fact": "rent", "value": "250.00 EUR", "source": "x", "effective": "2026-11-01"},
            "document": {**case, "kind": "letter", "content": b"x", "name": "a.txt", "media": "text/plain"},
            "pay": {**case, "amount": "1.00 EUR", "note": "x", "effective": None},
            "charge": {**case, "component": "damage", "amount": "1.00 EUR"},
            "reverse": {**case, "posting": "1.1"},
            "item": {
                **case,
                "action": "add",
                "item": "ring",
                "own": {"kind": "task", "due": {"after": "P9D"}, "who": "clerk"},
                "title": "x",
            },
            "set_goal": {
                **case,
                "goal": "paid",
                "measure": "balance",
                "target": "0.00 EUR",
                "want": "at-most",
                "by": "2026-12-31",
                "owner": "clerk",
            },
            "drop_goal": {**case, "goal": "paid"},
            "review": {**case, "text": "x"},
            "adjust": {**case, "adjustment": "x.y"},
            "approve": {**case, "requirement": "tenancy.checked", "reason": "x"},
            "extend": {**case, "clock": "answer", "by": "P3D", "reason": "x"},
            "link": {**case, "relation": "related", "other": self.case},
            "unlink": {**case, "relation": "related", "other": self.case},
            "document_status": {**case, "document": "x", "status": "accepted"},
            "resume": {**case, "clocks": "keep"},
        }

    def command(self) -> Try:
        name = self.dice.choice(list(self.commands))
        said = self.commands[name]
        given = {key: self.damage.value(value, 0.5) if self.dice.random() < 0.5 else value for key, value in said.items()}
        if self.dice.random() < 0.2 and name not in ("change_party", "resume"):
            given["key"] = self.damage.value("a-key", 0.8)
        if self.dice.random() < 0.1:
            given[self.dice.choice(list(said))] = self.dice.choice(NASTY)
        seat = self.eve if self.dice.random() < 0.05 else self.lee
        return name, lambda: getattr(seat, name)(**given)

    def question(self) -> Try:
        nasty = self.damage.value
        ask: list[Callable[[], Any]] = [
            lambda: self.lee.case(nasty(self.case, 0.9), as_of=nasty("2026-11-25", 0.9)),
            lambda: self.lee.cases(
                types=(nasty("tenancy.dispute", 0.9),), state=nasty("open", 0.9), category=nasty("open", 0.9), size=nasty(5, 0.9)
            ),
            lambda: self.lee.check(self.case, nasty("contact", 0.9), to=nasty("tenant", 0.9), via=nasty("phone", 0.9)),
            lambda: self.lee.explain(self.case, nasty("decide", 0.9)),
            lambda: self.lee.explain_closing(self.case, nasty("decided", 0.9)),
            lambda: self.lee.find_parties(**{str(nasty("name", 0.5)): nasty("Ada", 0.9)}),
            lambda: self.lee.read_document(self.case, nasty("x", 0.9), nasty(1, 0.9)),
            lambda: self.desk.calculate(nasty("tenancy.half", 0.3), {"amount": nasty("1.00 EUR", 0.9)}),
        ]
        return "question", self.dice.choice(ask)

    def definition(self) -> Try:
        said = self.damage.value(self.dice.choice(self.types), self.dice.choice([0.01, 0.05, 0.2]))

        def read() -> None:
            made = structure(plain(said), CaseType, "type.json")
            check(made)
            compile_type(made, digest(made), {})

        return "definition", read

    def map(self) -> Try:
        path = self.folder / "map.toml"

        def read() -> None:
            path.write_bytes(self.damage.text(self.dice.choice(self.maps)).encode("utf-8", "surrogatepass"))
            read_map(path)

        return "map", read

    def condition(self) -> Try:
        text = self.damage.text(self.dice.choice(CONDITIONS))
        data = {"deposit": "money", "claimed": "money", "rooms": "integer"}
        scope = Scope(
            data,
            {"balance": "money"},
            {"rent": "money"},
            {"amount": "money"},
            frozenset({"open"}),
            frozenset({"answer"}),
            frozenset({"tenant"}),
        )
        known = Inputs(
            data={"deposit": "9.00 EUR", "rooms": 2}, totals={"balance": "1.00 USD"}, now="2026-11-25T10:00:00.000000Z", zone="UTC"
        )
        return "condition", lambda: load(text, scope, "when", "any").explain(known).lines()

    def log(self) -> Try:
        path = self.folder / "log.xes"

        def read() -> None:
            path.write_bytes(self.damage.text(LOG).encode("utf-8", "surrogatepass"))
            for _ in read_xes(path):
                pass

        return "log", read

    def a_bundle(self) -> Try:
        said = self.damage.value(self.bundle, 0.02) if self.dice.random() < 0.7 else self.damage.value(self.bundle, 0.3)
        return "bundle", lambda: self.lee.import_bundle(said)

    def checkpoint(self) -> Try:
        text = self.damage.text(self.note.note)
        return "checkpoint", lambda: self.lee.verify(against=text) and None

    def chart(self) -> Try:
        text = self.damage.text(CHARTS)
        return "scxml", lambda: read_scxml(text.encode("utf-8", "surrogatepass"), "chart.scxml")

    def calendar(self) -> Try:
        said = self.damage.value(CALENDAR, 0.2)
        return "calendar", lambda: read_calendar(plain(said))

    def counts(self) -> Try:
        said = self.damage.value(COUNTS, 0.3)
        return "counts", lambda: read_counts(plain(said))

    def words(self) -> Try:
        text = self.dice.choice(["1.00 EUR", "2026-11-25", "2026-11-25T10:00:00.000000Z", "P1Y2M3DT4H", '{"a": [1, {"b": null}]}'])
        text = self.damage.text(text)
        readers: list[Callable[[], Any]] = [
            lambda: Money.parse(text), lambda: day(text), lambda: moment(text), lambda: duration(text),
            lambda: effective(text, "Europe/Berlin"), lambda: parse(text, "json"),
        ]  # fmt: skip
        return "words", self.dice.choice(readers)

    def drawn(self) -> Iterator[Try]:
        kinds = [self.command] * 10 + [self.question] * 3 + [self.definition, self.map, self.condition, self.log] * 3
        kinds += [self.a_bundle, self.checkpoint, self.chart, self.calendar, self.counts, self.words] * 2
        while True:
            yield self.dice.choice(kinds)()


class Store:
    """What a store holds, seen from outside."""

    def __init__(self, engine: str, url: str, folder: Path) -> None:
        self.connection: Any
        if engine == "sqlite":
            self.connection = sqlite3.connect(folder / "store.db", isolation_level=None)
        else:
            self.connection = psycopg.connect(dsn(url), autocommit=True)
        # SQLite has another version of the data after whatever was committed; PostgreSQL is asked what there is.
        self.question = "PRAGMA data_version" if engine == "sqlite" else "SELECT count(*), sum(n) FROM streams"

    @property
    def version(self) -> Any:
        """Another one after whatever was written."""
        return self.connection.execute(self.question).fetchone()

    @property
    def entries(self) -> Counter[str]:
        return Counter(kind for (kind,) in self.connection.execute("SELECT kind FROM entries").fetchall())


ALLOWED = {"refused", "denied", "tick"}
"""Kinds of entry that a refusal may leave: its own, and those of clocks that spoke before it."""


def test_every_command_of_a_seat_is_tried(desk: Desk, tmp_path: Path) -> None:
    tried = set(Given(desk, tmp_path, random.Random(1)).commands)
    commands = {name for name, function in vars(Seat).items() if not name.startswith("_") and callable(function)}
    keyed = {name for name in commands if "key" in inspect.signature(getattr(Seat, name)).parameters}
    assert keyed - tried <= {"adopt_calendars", "confirm_clock", "keep_clock"}  # a case and words, as extend takes them


def test_bad_input_is_refused_cleanly(
    engine: str,
    store_url: str,
    open_store: Callable[..., Desk],
    tmp_path: Path,
    times: Callable[..., int],
    dice: random.Random,
    figure: Callable[[str], None],
) -> None:
    count = times(5_000, full=100_000) if engine == "sqlite" else times(1_000, full=20_000)
    desk = open_store(documents=tmp_path / "documents")
    inputs = Given(desk, tmp_path, dice)
    took, came, wrong = [], Counter[str](), dict[str, str]()
    slowest = (0.0, "")
    store = Store(engine, store_url, tmp_path)
    with closing(store.connection):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for i, (kind, give) in enumerate(inputs.drawn()):
            if i == count:
                break
            version, entries = store.version, store.entries if i % 50 == 0 else None
            began = time.perf_counter()
            failed = _given(kind, give, came, wrong)
            took.append(time.perf_counter() - began)
            if took[-1] == max(took[-1], slowest[0]):
                slowest = (took[-1], kind)
            if failed == "input" and store.version != version:
                wrong.setdefault(f"{kind} wrote", "something, and was refused")
            if failed == "refused" and entries is not None and set(store.entries - entries) - ALLOWED:
                wrong.setdefault(f"{kind} wrote", f"{store.entries - entries}, and was refused")
            if i == count // 5:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / before - 1
    assert desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []
    p99 = sorted(took)[int(len(took) * 0.99)] * 1000
    figure(
        f"P14 bad input ({engine}): {count} inputs of {len({k.split(':')[0] for k in came})} kinds, {sum(n for k, n in came.items() if ':' in k)} refused; "
        f"{len(wrong)} unhandled or partly written; p99 {p99:.1f} ms, longest {slowest[0] * 1000:.0f} ms ({slowest[1]}), memory +{grown:.0%}"
    )
    assert not wrong, "\n".join(f"{place}: {words}" for place, words in sorted(wrong.items()))
    assert p99 < 250


def _given(kind: str, give: Callable[[], Any], came: Counter[str], wrong: dict[str, str]) -> str:
    """Gives one input; what became of it: taken, refused, or no valid input."""
    try:
        give()
    except (Refused, Denied) as said:
        came[f"{kind}: {type(said).__name__}"] += 1
        return "refused"
    except CasekitError as said:
        came[f"{kind}: {type(said).__name__}"] += 1
        return "input"
    except Exception as unhandled:  # noqa: BLE001 - the very thing that must not be
        import traceback

        place = traceback.extract_tb(unhandled.__traceback__)[-1]
        wrong.setdefault(f"{kind} {type(unhandled).__name__} {Path(place.filename).name}:{place.lineno}", str(unhandled)[:200])
        return "unhandled"
    came[kind] += 1
    return "taken"
