"""Import maps: read with every problem, held against a case type, and the values they make of a log's texts."""

from __future__ import annotations

import os
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit.builtin.xes import read_xes
from casekit.definition import maps
from casekit.definition.casetype import ALWAYS, Book, CaseType, State, Transition
from casekit.definition.fields import DECIMAL, Field, field
from casekit.definition.maps import ImportMap, actor_of, amount, check_map, read_map, value, when
from casekit.errors import BadInput
from casekit.model.actor import Actor
from casekit.model.log import LogAttribute, LogKind
from casekit.model.money import LARGEST, Money
from casekit.model.time import Effective

EXAMPLES = Path(__file__).parents[2] / "examples" / "traffic_fines"
LEAST = 'case_type = "a.json"\nsource = "s"\n[events.A]\nopen = true\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "map.toml"
    path.write_text(text, encoding="utf-8")
    return path


def rules(zone: str = "", precision: str = "auto", currency: str = "EUR") -> ImportMap:
    time = maps.TimeRule(zone=zone, precision=precision)  # type: ignore[arg-type]
    return ImportMap("a.json", "s", {"A": maps.EventRule(open=True)}, currency=currency, time=time)


def fines() -> CaseType:
    moves = ("send", "notify", "penalize", "collect", "appeal", "send-appeal", "receive-result", "notify-result")
    return CaseType(
        key="fine",
        version="1.0",
        title="Fine",
        initial="open",
        states={"open": State(category="open")},
        transitions={name: Transition("open") for name in moves},
        data={
            "article": field(int),
            "points": field(int),
            "dismissal": field(personal=False),
            "vehicle": field(personal=False),
        },
        facts={"notification.type": field(personal=False), "notification.last-sent": field(personal=False)},
        ledger=Book("EUR", ("fine", "expense")),
    )


def problems(read: ImportMap, case_type: CaseType) -> dict[str, str]:
    with pytest.raises(BadInput) as wrong:
        check_map(read, case_type, "m")
    assert all(p.do for p in wrong.value.problems)
    return {p.where: p.what for p in wrong.value.problems}


# reading


def test_the_example_is_read_and_fits_its_case_type() -> None:
    read = read_map(EXAMPLES / "map.toml")
    assert (read.source, read.currency, read.time.zone) == ("traffic-fines", "EUR", "Europe/Rome")
    assert read.events["Create Fine"].open
    assert read.events["Add penalty"].charges == (maps.ChargeRule("fine", "amount", replace=True),)
    assert read.events["Payment"].pay == maps.PayRule("paymentAmount")
    check_map(read, fines(), "map.toml")


def test_defaults() -> None:
    read = rules()
    assert (read.case.key, read.time.attribute, read.actor.attribute, read.actor.prefix) == ("", "time:timestamp", "org:resource", "log")
    assert (read.attributes.default, read.attributes.drop) == ("raw", ())


def test_the_least_map(tmp_path: Path) -> None:
    assert read_map(written(tmp_path, LEAST)) == ImportMap("a.json", "s", {"A": maps.EventRule(open=True)})


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (LEAST + "force = 1\n", "/events/A/force", "no true or false"),
        (LEAST + "opens = true\n", "/events/A/opens", "no such field"),
        (LEAST + "data = { x = 1.5 }\n", "/events/A/data/x", "1.5 is no text"),
        (LEAST + "data = { x = 2005-03-23 }\n", "/events/A/data/x", "is no text"),
        (LEAST + 'data = { x = "" }\n', "/events/A/data/x", "is empty"),
        (LEAST + 'pay = { amount = "" }\n', "/events/A/pay/amount", "is empty"),
        (LEAST + "pay = {}\n", "/events/A/pay/amount", "is missing"),
        (LEAST + 'charges = [{ component = "fine", amount = "" }]\n', "/events/A/charges/0/amount", "is empty"),
        (LEAST + "force = true\n", "/events/A/force", "no transition"),
        (LEAST + 'form = { x = "y" }\n', "/events/A/form", "no transition"),
        (LEAST + '[time]\nprecision = "hour"\n', "/time/precision", "not allowed"),
        (LEAST + '[time]\nzone = "Rome"\n', "/time/zone", "no IANA time zone"),
        (LEAST + '[time]\nattribute = ""\n', "/time/attribute", "is empty"),
        (LEAST + '[actor]\nprefix = "Log"\n', "/actor/prefix", "can't be a kind of actor"),
        (LEAST + '[attributes]\ndefault = "keep"\n', "/attributes/default", "not allowed"),
        (LEAST + '[case]\ndata = { x = "" }\n', "/case/data/x", "is empty"),
        ('currency = "LIRA"\n' + LEAST, "/currency", "no ISO 4217 code"),
        (LEAST.replace('"s"', '"a b"'), "/source", "can't name a source"),
        (LEAST.replace('"a.json"', '""'), "/case_type", "is empty"),
        (LEAST.replace("open = true", "open = false"), "/events", "no event opens the case"),
        ('source = "s"\n[events.A]\nopen = true\n', "/case_type", "is missing"),
    ],
)
def test_a_wrong_map_names_the_place(tmp_path: Path, text: str, where: str, what: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadInput) as wrong:
        read_map(path)
    [problem] = wrong.value.problems
    assert problem.where == f"{path}: {where}"
    assert what in problem.what
    assert problem.do


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, LEAST.replace('"s"', '""') + 'force = true\n[time]\nzone = "Rome"\n')
    with pytest.raises(BadInput) as wrong:
        read_map(path)
    assert len(wrong.value.problems) == 3


def test_what_is_no_toml(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"map\.toml: not TOML: .*line 1"):
        read_map(written(tmp_path, "case_type = \n"))
    (tmp_path / "map.toml").write_bytes(b'source = "\xff"')
    with pytest.raises(BadInput, match="not TOML"):
        read_map(tmp_path / "map.toml")
    with pytest.raises(BadInput, match="can't be read: No such file"):
        read_map(tmp_path / "none.toml")


# against the case type


def event(**parts: object) -> ImportMap:
    opening = maps.EventRule(open=True)
    return attrs.evolve(rules(), events={"Start": opening, "E": maps.EventRule(**parts)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("read", "where", "what"),
    [
        (event(do="seize"), "/events/E/do", "no transition 'seize'"),
        (event(do=ALWAYS), "/events/E/do", "no transition 'always'"),
        (event(do="send", form={"x": "y"}), "/events/E/form/x", "no field of that form 'x'"),
        (event(data={"plate": "p"}), "/events/E/data/plate", "no field 'plate'"),
        (event(facts={"weather": "w"}), "/events/E/facts/weather", "no fact 'weather'"),
        (event(charges=(maps.ChargeRule("toll", "a"),)), "/events/E/charges/0/component", "no component 'toll'"),
        (attrs.evolve(rules(), currency="USD"), "/currency", "kept in EUR"),
        (attrs.evolve(rules(), case=maps.CaseRule(data={"plate": "p"})), "/case/data/plate", "no field 'plate'"),
    ],
)
def test_what_the_case_type_does_not_know(read: ImportMap, where: str, what: str) -> None:
    [(place, said)] = problems(read, fines()).items()
    assert place == f"m: {where}"
    assert what in said


def test_every_problem_of_a_map_is_found_at_once() -> None:
    found = problems(event(do="seize", data={"plate": "p"}, charges=(maps.ChargeRule("toll", "a"),)), fines())
    assert set(found) == {"m: /events/E/do", "m: /events/E/data/plate", "m: /events/E/charges/0/component"}


def test_postings_need_a_ledger() -> None:
    bare = attrs.evolve(fines(), ledger=None)
    assert problems(event(pay=maps.PayRule("a")), bare) == {"m: /events/E/pay": "the case type has no ledger"}


def test_the_event_of_a_transition_may_differ_from_its_key() -> None:
    case_type = attrs.evolve(fines(), transitions={"first": Transition("open", on="go"), "later": Transition("open", on=ALWAYS)})
    check_map(event(do="go"), case_type, "m")
    assert set(problems(event(do="first"), case_type)) == {"m: /events/E/do"}


def test_a_form_needs_its_required_fields() -> None:
    form = {"office": field(personal=False, required=True), "weight": field(int)}
    case_type = attrs.evolve(fines(), transitions={"hand-over": Transition("open", form=form)})
    check_map(event(do="hand-over", form={"office": "o"}), case_type, "m")
    assert "needs 'office'" in problems(event(do="hand-over"), case_type)["m: /events/E/form"]


def test_a_case_needs_its_required_data_to_open() -> None:
    case_type = attrs.evolve(fines(), data={"article": field(int, required=True)})
    assert "does not open without 'article'" in problems(rules(), case_type)["m: /events/A/data"]
    check_map(attrs.evolve(rules(), case=maps.CaseRule(data={"article": "a"})), case_type, "m")


def test_what_the_case_type_charges_at_opening_is_not_charged_twice() -> None:
    case_type = attrs.evolve(fines(), ledger=Book("EUR", ("fine",), opening={"fine": "amount"}))
    twice = attrs.evolve(rules(), events={"A": maps.EventRule(open=True, charges=(maps.ChargeRule("fine", "a"),))})
    assert "by itself" in problems(twice, case_type)["m: /events/A/charges/0"]


def test_a_field_that_no_text_can_fill() -> None:
    case_type = attrs.evolve(fines(), data={"tags": field(list, personal=False)})
    assert problems(event(data={"tags": "t"}), case_type) == {"m: /events/E/data/tags": "no text of a log can fill it"}


def test_a_personal_field_of_a_party_is_refused() -> None:
    case_type = attrs.evolve(fines(), data={"phone": field(personal=True, owner="driver")})
    assert "a log brings no parties" in problems(event(data={"phone": "p"}), case_type)["m: /events/E/data/phone"]


@pytest.mark.parametrize(
    "read",
    [
        event(data={"name": "n", "vehicle": "n"}),
        event(data={"name": "n"}, facts={"notification.type": "n"}),
        event(data={"name": "org:resource"}),
        attrs.evolve(rules(), case=maps.CaseRule(key="driver", data={"name": "driver"})),
        attrs.evolve(rules(), case=maps.CaseRule(data={"name": "concept:name"})),
    ],
)
def test_a_personal_attribute_does_not_leak_elsewhere(read: ImportMap) -> None:
    case_type = attrs.evolve(fines(), data={"name": field(personal=True), "vehicle": field(personal=False)})
    [said] = problems(read, case_type).values()
    assert said.startswith("is personal, and its attribute")


# times


@pytest.mark.parametrize(
    ("zone", "precision", "text", "expected"),
    [
        ("Europe/Rome", "auto", "2005-03-23T00:00:00.000+01:00", ("2005-03-22T23:00:00.000000Z", "Europe/Rome", "2005-03-23")),
        ("Europe/Rome", "auto", "2005-07-22T00:00:00.000+02:00", ("2005-07-21T22:00:00.000000Z", "Europe/Rome", "2005-07-22")),
        ("Europe/Rome", "auto", "2005-03-22T23:00:00Z", ("2005-03-22T23:00:00.000000Z", "Europe/Rome", "2005-03-23")),
        ("Europe/Rome", "auto", "2005-03-23T00:00:00Z", ("2005-03-22T23:00:00.000000Z", "Europe/Rome", "2005-03-23")),
        ("Europe/Rome", "auto", "2005-03-23T00:00:00.001+01:00", ("2005-03-22T23:00:00.001000Z", "Europe/Rome", None)),
        ("Europe/Rome", "auto", "2005-03-23T09:30:00", ("2005-03-23T08:30:00.000000Z", "Europe/Rome", None)),
        ("Europe/Rome", "auto", "2005-03-23T00:00:00", ("2005-03-22T23:00:00.000000Z", "Europe/Rome", "2005-03-23")),
        ("Europe/Rome", "instant", "2005-03-23T00:00:00.000+01:00", ("2005-03-22T23:00:00.000000Z", "Europe/Rome", None)),
        ("Europe/Rome", "instant", "2005-03-23", ("2005-03-22T23:00:00.000000Z", "Europe/Rome", "2005-03-23")),
        ("Europe/Rome", "day", "2005-03-22T23:30:00Z", ("2005-03-22T23:00:00.000000Z", "Europe/Rome", "2005-03-23")),
        ("", "auto", "2005-03-23T00:00:00.000+01:00", ("2005-03-22T23:00:00.000000Z", "Etc/GMT-1", "2005-03-23")),
        ("", "auto", "2005-03-22T23:00:00-05:00", ("2005-03-23T04:00:00.000000Z", "Etc/GMT+5", None)),
        ("", "day", "2005-03-22T23:00:00-05:00", ("2005-03-22T05:00:00.000000Z", "Etc/GMT+5", "2005-03-22")),
        ("", "auto", "2012-10-09T14:50:17+00:00", ("2012-10-09T14:50:17.000000Z", "UTC", None)),
        ("", "auto", "2012-10-09T14:50:17Z", ("2012-10-09T14:50:17.000000Z", "UTC", None)),
    ],
)
def test_when(zone: str, precision: str, text: str, expected: tuple[str, str, str | None]) -> None:
    assert when(rules(zone, precision), text, "l") == Effective(*expected)


@pytest.mark.parametrize(
    ("zone", "text", "what"),
    [
        ("", "2005-03-23T09:30:00", "has no zone"),
        ("", "2005-03-23", "has no zone"),
        ("", "2005-03-23T09:30:00+05:30", "no zone is always at +05:30"),
        ("", "2005-03-23T09:30:00+15:00", "no zone is always at +15:00"),
        ("Europe/Rome", "2005-13-23T09:30:00", "is no time"),
        ("Europe/Rome", "0001-01-01T00:00:00", "outside the years"),
        ("Europe/Rome", "9999-12-31T23:59:59-11:00", "outside the years"),
        ("", "0001-01-01T03:00:00+14:00", "outside the years"),
    ],
)
def test_times_that_are_refused(zone: str, text: str, what: str) -> None:
    with pytest.raises(BadInput) as wrong:
        when(rules(zone), text, "log.xes:7")
    assert wrong.value.problems[0].where == "log.xes:7"
    assert what in wrong.value.problems[0].what


@given(st.dates(), st.integers(-12, 14), st.booleans())
def test_a_local_midnight_stays_its_day(day: date, hours: int, zoned: bool) -> None:
    text = f"{day}T00:00:00.000{hours:+03d}:00"
    try:
        held = when(rules("Europe/Rome" if zoned else ""), text, "l")
    except BadInput as wrong:
        assert "outside the years" in str(wrong)  # noqa: PT017  only at the ends of the calendar
        assert str(day) in ("0001-01-01", "9999-12-31")
    else:
        assert held.day == str(day)


# amounts


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("35.0", "EUR", "35.00 EUR"),
        ("35", "EUR", "35.00 EUR"),
        (" 1840.00 ", "EUR", "1840.00 EUR"),
        ("35.50", "EUR", "35.50 EUR"),
        ("35.5000", "EUR", "35.50 EUR"),
        ("0035.", "EUR", "35.00 EUR"),
        (".5", "EUR", "0.50 EUR"),
        ("+7", "EUR", "7.00 EUR"),
        ("-7.01", "EUR", "-7.01 EUR"),
        ("-0.0", "EUR", "0.00 EUR"),
        ("35.0", "JPY", "35 JPY"),
        ("35", "JPY", "35 JPY"),
        ("1.5", "TND", "1.500 TND"),
        ("35.0 USD", "EUR", "35.00 USD"),
        ("35.0 USD", "", "35.00 USD"),
    ],
)
def test_amounts(text: str, currency: str, expected: str) -> None:
    assert str(amount(text, currency, "l")) == expected


@pytest.mark.parametrize(
    ("text", "currency", "what"),
    [
        ("35.005", "EUR", "more decimals"),
        ("35.5", "JPY", "more decimals"),
        ("3.5e1", "EUR", "no plain number"),
        ("NaN", "EUR", "no plain number"),
        ("", "EUR", "no plain number"),
        (".", "EUR", "no plain number"),
        ("1,840.00", "EUR", "no plain number"),
        ("٣٥", "EUR", "no plain number"),
        ("35.0", "", "has no currency"),
        ("35.0 LIRA", "EUR", "no ISO 4217 code"),
        ("99999999999999999.00", "EUR", "can't be held exactly"),
        ("90071992547409.92", "EUR", "can't be held exactly"),
        ("0" * 200_000 + "x", "EUR", "no plain number"),
    ],
)
def test_amounts_that_are_refused(text: str, currency: str, what: str) -> None:
    with pytest.raises(BadInput) as wrong:
        amount(text, currency, "log.xes:7: attribute 'amount'")
    assert wrong.value.problems[0].where == "log.xes:7: attribute 'amount'"
    assert what in wrong.value.problems[0].what


@given(st.integers(-LARGEST, LARGEST), st.sampled_from(["EUR", "JPY", "TND", "CLF"]), st.text("0", max_size=4))
def test_every_amount_comes_back_to_the_cent(minor: int, currency: str, zeros: str) -> None:
    money = Money.of_minor(minor, currency)
    bare = str(money).partition(" ")[0]
    assert amount(bare + zeros if "." in bare else bare, currency, "l") == money


# actors and values


@pytest.mark.parametrize(
    ("text", "expected"),
    [("541", "log:541"), ("Value 1", "log:Value-1"), ("Jürgen/X", "log:J-rgen-X"), (" ", None), ("", None), (None, None)],
)
def test_actors(text: str | None, expected: str | None) -> None:
    assert actor_of(rules(), text) == expected


@given(st.text())
def test_every_name_becomes_an_actor_or_nobody(text: str) -> None:
    name = actor_of(rules(), text)
    assert name is None or Actor(name).name == name


PLAIN = {"type": "string"}


@pytest.mark.parametrize(
    ("text", "kind", "wanted", "expected"),
    [
        ("157", "int", field(int), 157),
        ("+0157", "int", field(int), 157),
        ("157.0", "float", field(int), 157),
        ("-3", "string", field(int), -3),
        ("157", "int", field(personal=False), "157"),
        (" as it is ", "string", field(personal=False), " as it is "),
        ("A", "string", Field({"enum": ["A", "B"]}), "A"),
        ("true", "boolean", field(bool), True),
        ("0", "int", field(bool), False),
        ("35.0", "float", field(Money), "35.00 EUR"),
        ("035.50", "float", field(Decimal), "35.50"),
        ("-0.0", "float", field(Decimal), "0.0"),
        ("7.", "float", field(Decimal), "7"),
    ],
)
def test_values(text: str, kind: LogKind, wanted: Field, expected: object) -> None:
    got = value(rules(), LogAttribute("a", kind, text), wanted.schema, "l")
    assert got == expected
    assert type(got) is type(expected)


def test_days_and_instants_as_values() -> None:
    rome = rules("Europe/Rome")
    night = LogAttribute("a", "date", "2005-03-22T23:30:00Z")
    assert value(rome, night, field(date).schema, "l") == "2005-03-23"
    assert value(rules(), night, field(date).schema, "l") == "2005-03-22"
    assert value(rome, LogAttribute("a", "date", "2005-03-23T00:00:00+01:00"), field(date).schema, "l") == "2005-03-23"
    assert value(rules(), LogAttribute("a", "string", "2005-03-23"), field(date).schema, "l") == "2005-03-23"
    assert value(rome, night, field(datetime).schema, "l") == "2005-03-22T23:30:00.000000Z"
    assert value(rome, LogAttribute("a", "date", "2005-03-23T09:00:00"), field(datetime).schema, "l") == "2005-03-23T08:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        ("15.5", "float", field(int)),
        ("many", "string", field(int)),
        ("9007199254740992", "int", field(int)),
        ("9" * 5000, "int", field(int)),
        ("yes", "string", field(bool)),
        ("1e3", "float", field(Decimal)),
        ("35.001", "float", field(Money)),
        ("soon", "string", Field({"type": "string", "format": "date"})),
        ("", "list", field(personal=False)),
        ("x", "string", field(list, personal=False)),
        ("1", "int", Field({"enum": [1, 2]})),
    ],
)
def test_values_that_are_refused_name_the_attribute(text: str, kind: LogKind, wanted: Field) -> None:
    with pytest.raises(BadInput) as wrong:
        value(rules(), LogAttribute("points", kind, text), wanted.schema, "log.xes:7")
    [problem] = wrong.value.problems
    assert problem.where == "log.xes:7: attribute 'points'"
    assert problem.do


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_decimals_keep_every_digit(number: Decimal) -> None:
    got = value(rules(), LogAttribute("a", "float", format(number, "f")), field(Decimal).schema, "l")
    assert Decimal(got) == number
    assert re.fullmatch(DECIMAL, got)


# the example, whole


def test_the_real_fines_under_the_example_map() -> None:
    folder = os.environ.get("CASEKIT_TEST_DATA")
    if not folder:
        pytest.skip("CASEKIT_TEST_DATA does not name a folder with logs/, so the real logs can't be read")
    read = read_map(EXAMPLES / "map.toml")
    charged = Money.zero("EUR")
    for trace in read_xes(Path(folder, "logs", "roadtraffic100traces.xes")):
        assert read.events[trace.events[0].name].open
        for event in trace.events:
            assert event.time is not None
            assert when(read, event.time, "l").day == event.time[:10]
            for charge in read.events[event.name].charges:
                charged += amount(event.attributes[charge.amount].value, read.currency, "l")
    assert str(charged) == "10267.78 EUR"  # the sum of all its amounts and expenses


def test_the_broken_log_breaks_what_it_says() -> None:
    read = read_map(EXAMPLES / "map.toml")
    log = {trace.id: [event.name for event in trace.events] for trace in read_xes(EXAMPLES / "broken.xes")}
    assert len(log) == 7
    unknown = {name for names in log.values() for name in names if name not in read.events}
    assert unknown == {"Appeal to Judge"}
    assert "Add penalty" not in log["E1002"]
    assert "Insert Fine Notification" not in log["E1007"]
    assert all(names[0] == "Create Fine" for names in log.values())


def test_the_broken_log_writes_local_midnights_in_order() -> None:
    read = read_map(EXAMPLES / "map.toml")
    for trace in read_xes(EXAMPLES / "broken.xes"):
        times = [event.time or "" for event in trace.events]
        held = [when(read, time, trace.id) for time in times]
        assert [h.day for h in held] == [t[:10] for t in times]
        assert [h.at for h in held] == sorted(h.at for h in held)
        exact = attrs.evolve(read, time=attrs.evolve(read.time, precision="instant"))
        assert [when(exact, time, trace.id).at for time in times] == [h.at for h in held]
