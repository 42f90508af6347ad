"""Joining a host's transaction: the six ways in which it can go wrong, on both engines, and what is refused in words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

import casekit
import tenancy
from casekit import BadInput, Conflict, Denied, Desk, Refused, Seat, StoreFailed
from casekit.sdk import Command, Need, Objection, Plugin, View, hookimpl
from casekit.store import lock as locks

CLERK = ("user:lee", {"clerk"})


@pytest.fixture
def host(store_url: str, desk: Desk) -> Iterator[Engine]:
    """A host with a table of its own in the store's database."""
    engine = casekit.prepare(create_engine(store_url))
    desk.ready()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY, case_id TEXT)"))
    yield engine
    engine.dispose()


def clerk(desk: Desk) -> Seat:
    return desk.seat("user:lee", roles={"clerk"})


def opened(seat: Seat, **more: object) -> str:
    ada = seat.party("person", name="Ada")
    return seat.open("tenancy.dispute", data={"deposit": "5.00 EUR"}, parties={"tenant": ada, "landlord": ada}, **more).id  # type: ignore[arg-type]


def order(connection: Connection, number: int, case: str = "") -> None:
    connection.execute(text("INSERT INTO orders VALUES (:id, :case)"), {"id": number, "case": case})


def orders(host: Engine) -> list[int]:
    with host.connect() as connection:
        return [row[0] for row in connection.execute(text("SELECT id FROM orders ORDER BY id"))]


def kinds(seat: Seat, case: str) -> list[str]:
    return [happening.kind for happening in seat.timeline(case)]


def test_the_host_wrote_first(host: Engine, desk: Desk, seat: Seat) -> None:
    with host.begin() as connection:
        order(connection, 1)
        with desk.join(connection) as joined:
            case = opened(clerk(joined))
            clerk(joined).note(case, "ordered")
        order(connection, 2, case)

    assert orders(host) == [1, 2]
    assert kinds(seat, case) == ["open", "note"]


def test_the_host_read_first_while_others_wrote(host: Engine, desk: Desk, seat: Seat) -> None:
    case = opened(seat)
    with host.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM orders")).scalar_one() == 0
        other = threading.Thread(target=lambda: clerk(desk).note(case, "from elsewhere"))
        other.start()
        time.sleep(0.1)
        with desk.join(connection) as joined:
            clerk(joined).pay(case, "5.00 EUR")
        order(connection, 1)
        connection.commit()
        other.join(20)

    assert orders(host) == [1]
    assert sorted(kinds(seat, case)) == ["note", "open", "pay"]


def test_a_refused_command_takes_only_itself_back(host: Engine, desk: Desk, seat: Seat) -> None:
    with host.begin() as connection:
        order(connection, 1)
        with desk.join(connection) as joined:
            case = opened(clerk(joined))
            with pytest.raises(Refused, match="More is paid"):
                clerk(joined).pay(case, "6.00 EUR")
            with pytest.raises(Denied):
                joined.seat("user:eve", roles={"reader"}).pay(case, "1.00 EUR")
            with pytest.raises(BadInput):
                clerk(joined).change(case, {"rooms": 0})
            clerk(joined).pay(case, "1.00 EUR")
        order(connection, 2)

    assert orders(host) == [1, 2]
    assert kinds(seat, case) == ["open", "refused", "pay"]
    assert [entry["kind"] for entry in seat.journal(case)] == ["open", "refused", "pay"]
    assert _logged(desk, seat, "denied") == 1


def _logged(desk: Desk, seat: Seat, kind: str) -> int:
    shelf = desk.shelf("main")
    found: int = shelf.connection.execute(
        f"SELECT count(*) FROM entries e JOIN streams s ON s.tenant = e.tenant AND s.sid = e.sid WHERE s.kind = 'log' AND e.kind = '{kind}'"
    ).fetchone()[0]
    return found


def test_a_refused_opening_and_its_log_are_the_hosts_too(host: Engine, open_store: Callable[..., Desk]) -> None:
    class Closed:
        PLUGIN = Plugin("closed", api=1, handles=("tenancy.dispute",), version="1.0")

        @staticmethod
        @hookimpl
        def casekit_before(view: View, command: Command) -> list[Objection]:
            return [Objection("closed.today", "Nothing is opened today.")] if command.name == "open" else []

    desk = open_store(plugins=[tenancy, Closed])
    with host.begin() as connection, desk.join(connection) as joined:
        with pytest.raises(Refused, match="Nothing is opened"):
            opened(clerk(joined))
        order(connection, 1)
    assert _logged(desk, clerk(desk), "refused") == 1

    with host.connect() as connection, desk.join(connection) as joined:
        with pytest.raises(Refused, match="Nothing is opened"):
            opened(clerk(joined))
        connection.rollback()
    assert _logged(desk, clerk(desk), "refused") == 1
    assert orders(host) == [1]


@pytest.mark.parametrize("first", [True, False])
def test_the_host_rolls_back(host: Engine, desk: Desk, seat: Seat, first: bool) -> None:
    if not first:  # so that the definitions are published, and known to be
        opened(seat)
    before = seat.verify().entries
    heard = len(tenancy.heard)
    with pytest.raises(ZeroDivisionError), host.begin() as connection:  # noqa: PT012
        order(connection, 1)
        with desk.join(connection) as joined:
            case = opened(clerk(joined), key="crm-1")
            with pytest.raises(Refused):
                clerk(joined).pay(case, "6.00 EUR")
            assert clerk(joined).case(case).n == 2
        _ = 1 / 0

    assert orders(host) == []
    assert seat.verify().entries == before
    seat.run_due()
    assert len(tenancy.heard) - heard == (0 if first else 1)
    again = opened(seat, key="crm-1")
    assert again != case, "the key was not used"
    assert seat.case(again).number == ("T-2026-00001" if first else "T-2026-00002"), "the number was not drawn"


def test_the_host_rolls_back_to_a_savepoint_of_its_own(host: Engine, desk: Desk, seat: Seat) -> None:
    with host.begin() as connection:
        with desk.join(connection) as joined:
            nested = connection.begin_nested()
            order(connection, 1)
            gone = opened(clerk(joined))
            nested.rollback()
            case = opened(clerk(joined))
        order(connection, 2)

    assert orders(host) == [2]
    assert [listed.id for listed in seat.cases().cases] == [case] != [gone]


def test_a_second_thread_waits_for_the_host(host: Engine, desk: Desk, seat: Seat) -> None:
    case = opened(seat)
    order_of: list[str] = []

    def write() -> None:
        clerk(desk).note(case, "from elsewhere")
        order_of.append("second thread")

    with host.begin() as connection:
        with desk.join(connection) as joined:
            clerk(joined).pay(case, "1.00 EUR")
        other = threading.Thread(target=write)
        other.start()
        time.sleep(0.2)
        assert order_of == []
        order_of.append("host")
    other.join(20)

    assert order_of == ["host", "second thread"]
    assert kinds(seat, case) == ["open", "pay", "note"]


def test_a_second_thread_is_not_let_into_what_another_has_joined(host: Engine, desk: Desk) -> None:
    told: list[str] = []

    def write(seat: Seat) -> None:
        with pytest.raises(StoreFailed) as wrong:
            seat.party("person", name="Ada")
        told.append(str(wrong.value))

    with host.begin() as connection, desk.join(connection) as joined:
        other = threading.Thread(target=write, args=(clerk(joined),))
        other.start()
        other.join(20)

    assert "join in the thread that gives the commands" in told[0]


def test_the_same_thread_through_another_door_is_told_and_does_not_hang(host: Engine, desk: Desk, seat: Seat) -> None:
    case = opened(seat)
    with host.begin() as connection:
        with desk.join(connection) as joined:
            clerk(joined).pay(case, "1.00 EUR")
            with pytest.raises(StoreFailed, match="joined a host's transaction"):
                seat.pay(case, "1.00 EUR")
        with pytest.raises(StoreFailed, match="joined a host's transaction"):
            seat.note(case, "the block is over, the transaction is not")
        assert kinds(seat, case) == ["open"], "reading through the other door shows what stands"
    seat.note(case, "now")

    assert kinds(seat, case) == ["open", "pay", "note"]


def test_the_same_thread_through_a_second_connection_is_told(host: Engine, desk: Desk, seat: Seat) -> None:
    case = opened(seat)
    with host.begin() as connection, desk.join(connection) as joined:
        clerk(joined).pay(case, "1.00 EUR")
        with pytest.raises(StoreFailed, match=r"already writing|another transaction"), host.begin() as second, desk.join(second) as twice:
            clerk(twice).pay(case, "1.00 EUR")

    assert kinds(seat, case) == ["open", "pay"]
    with host.begin() as connection, desk.join(connection) as joined:
        clerk(joined).pay(case, "1.00 EUR")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_same_thread_that_only_writes_for_the_host_is_told_too(host: Engine, seat: Seat) -> None:
    with host.begin() as connection:
        order(connection, 1)
        with pytest.raises(StoreFailed, match="already writing"):
            seat.party("person", name="Ada")

    assert seat.party("person", name="Ada").name == "Ada"


def test_what_was_joined_ends_with_the_transaction(host: Engine, desk: Desk, seat: Seat) -> None:
    with host.connect() as connection:
        with desk.join(connection) as joined:
            case = opened(clerk(joined))
            connection.commit()
            with pytest.raises(StoreFailed, match="is over"):
                clerk(joined).note(case, "too late")
        seat.note(case, "through the other door")
        with desk.join(connection) as joined:
            clerk(joined).note(case, "the next transaction")
        connection.rollback()
        with pytest.raises(StoreFailed, match="is over"):
            clerk(joined).note(case, "too late again")

    assert kinds(seat, case) == ["open", "note"]


def test_a_connection_that_is_given_back_lets_go(host: Engine, desk: Desk, seat: Seat) -> None:
    connection = host.connect()
    with desk.join(connection) as joined:
        opened(clerk(joined))
    connection.close()
    opened(seat)
    lost = host.connect()
    with desk.join(lost) as joined:
        opened(clerk(joined))
    lost.invalidate()
    opened(seat)

    assert len(seat.cases().cases) == 2


def test_a_session_is_joined_by_its_connection(host: Engine, desk: Desk, seat: Seat) -> None:
    with Session(host) as session, session.begin(), desk.join(session.connection()) as joined:
        case = opened(clerk(joined))
        session.execute(text("INSERT INTO orders VALUES (7, :case)"), {"case": case})

    assert orders(host) == [7]
    assert kinds(seat, case) == ["open"]


def test_a_batch_in_a_joined_desk_is_one_savepoint(host: Engine, desk: Desk, seat: Seat) -> None:
    with host.begin() as connection, desk.join(connection) as joined:
        with pytest.raises(ZeroDivisionError), clerk(joined).batch() as batch:  # noqa: PT012
            batch.party("person", name="Gone")
            _ = 1 / 0
        with clerk(joined).batch() as batch:
            opened(batch)
            opened(batch)

    assert seat.find_parties(name="Gone") == ()
    assert len(seat.cases().cases) == 2


def test_the_same_key_in_and_out_of_a_host_is_one_command(host: Engine, desk: Desk, seat: Seat) -> None:
    case = opened(seat)
    with host.begin() as connection, desk.join(connection) as joined:
        first = clerk(joined).pay(case, "1.00 EUR", key="bank-1")
        second = clerk(joined).pay(case, "1.00 EUR", key="bank-1")
    third = seat.pay(case, "1.00 EUR", key="bank-1")

    assert first.entries == second.entries == third.entries
    assert (first.again, second.again, third.again) == (False, True, True)


def test_what_belongs_outside_is_refused_inside(host: Engine, desk: Desk, seat: Seat, tmp_path: Path) -> None:
    case = opened(seat)
    with host.begin() as connection, desk.join(connection) as joined:
        inside = joined.seat("user:lee", roles={"clerk", "admin", "auditor"})
        for act in (
            inside.run_due,
            inside.verify,
            inside.checkpoint,
            inside.rotate_signing,
            lambda: inside.erase(inside.find_parties(name="Ada")[0]),
            lambda: inside.export(case),
        ):
            with pytest.raises(BadInput, match="once that is over"):
                act()
        with pytest.raises(BadInput, match="within a transaction already"), joined.join(connection):
            pass
        with pytest.raises(BadInput, match="joined for 'main'"):
            joined.seat("user:lee", tenant="other").case(case)

    assert kinds(seat, case) == ["open"]


def test_an_engine_that_was_not_prepared_is_refused(host: Engine, desk: Desk, store_url: str) -> None:
    plain = create_engine(store_url)
    try:
        with plain.connect() as connection:
            with pytest.raises(BadInput, match=r"casekit\.prepare\(engine\)"), desk.join(connection):
                pass
            casekit.prepare(plain)  # too late for a connection that is out
            with pytest.raises(BadInput, match=r"casekit\.prepare\(engine\)"), desk.join(connection):
                pass
            connection.invalidate()  # its pool is gone
        with plain.begin() as connection, desk.join(connection) as joined:
            clerk(joined).party("person", name="Ada")
    finally:
        plain.dispose()


def test_another_database_is_refused(desk: Desk, engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("server") if engine == "postgresql" else None
    url = server.create() if server else f"sqlite:///{tmp_path}/other.db"
    other = casekit.prepare(create_engine(url, poolclass=NullPool))
    with other.connect() as connection, pytest.raises(BadInput, match="not in this database"), desk.join(connection):
        pass
    if server:
        server.drop(url)


def test_another_engine_or_thing_is_refused(desk: Desk, engine: str, tmp_path: Path) -> None:
    other = casekit.prepare(create_engine(f"sqlite:///{tmp_path}/other.db"))
    if engine == "postgresql":
        with other.connect() as connection, pytest.raises(BadInput, match="not in this sqlite"), desk.join(connection):
            pass
    with pytest.raises(BadInput, match=r"session\.connection"), desk.join(Session(other)):  # type: ignore[arg-type]
        pass
    other.dispose()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_transaction_that_only_reads_is_refused(host: Engine, desk: Desk, seat: Seat) -> None:
    case = opened(seat)
    with host.connect().execution_options(casekit_reads=True) as connection:
        assert connection.execute(text("SELECT count(*) FROM orders")).scalar_one() == 0
        seat.note(case, "a reader is in nobody's way")
        with pytest.raises(BadInput, match="without casekit_reads"), desk.join(connection):
            pass
        assert connection.execute(text("SELECT count(*) FROM entries WHERE kind = 'note'")).scalar_one() == 0, "one moment"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_deferred_transaction_begun_by_hand_is_refused(host: Engine, desk: Desk, store_url: str) -> None:
    by_hand = host.execution_options(isolation_level="AUTOCOMMIT", casekit_reads=True)
    with by_hand.connect() as connection:
        connection.execute(text("SELECT count(*) FROM orders"))
        with pytest.raises(BadInput, match="without the write lock"), desk.join(connection):
            pass


@pytest.mark.parametrize("engine", ["postgresql"])
def test_autocommit_is_refused(host: Engine, desk: Desk) -> None:
    by_itself = host.execution_options(isolation_level="AUTOCOMMIT")
    with by_itself.connect() as connection, pytest.raises(BadInput, match="autocommit"), desk.join(connection):
        pass


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_store_that_is_not_there_yet_can_not_be_made_inside(open_store: Callable[..., Desk], store_url: str) -> None:
    desk = open_store()
    engine = casekit.prepare(create_engine(store_url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY, case_id TEXT)"))
        with pytest.raises(BadInput, match=r"desk\.ready\(\)"), desk.join(connection):
            pass
    with engine.connect() as connection, desk.join(connection) as joined:  # where nothing has begun, it can
        clerk(joined).party("person", name="Ada")
        connection.commit()
    engine.dispose()

    assert clerk(desk).find_party(name="Ada") is not None


def test_what_can_not_be_prepared_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match="names no file"):
        casekit.prepare(create_engine("sqlite://"))
    with pytest.raises(BadInput, match="str can't be joined"):
        casekit.prepare("sqlite:///file.db")  # type: ignore[arg-type]


def test_an_engine_is_prepared_once(host: Engine, desk: Desk) -> None:
    assert casekit.prepare(casekit.prepare(host)) is host
    with host.begin() as connection, desk.join(connection) as joined:
        clerk(joined).party("person", name="Ada")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_prepared_connection_is_as_safe_as_the_stores_own(host: Engine) -> None:
    with host.connect() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("synchronous", "foreign_keys", "secure_delete")
        }
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    assert said == {"synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_transaction_that_sqlite_has_ended_does_not_commit_in_silence(host: Engine, desk: Desk) -> None:
    with pytest.raises(Exception, match="has ended before"), host.begin() as connection:  # noqa: PT012
        with desk.join(connection) as joined:
            clerk(joined).party("person", name="Ada")
        connection.connection.driver_connection.execute("ROLLBACK")  # type: ignore[union-attr]

    assert clerk(desk).find_party(name="Ada") is None


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_thread_does_not_wait_for_ever(host: Engine, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.2)
    told: list[str] = []

    def write() -> None:
        with pytest.raises(StoreFailed) as wrong:
            clerk(desk).party("person", name="Ada")
        told.append(str(wrong.value))

    with host.begin() as connection:
        order(connection, 1)
        other = threading.Thread(target=write)
        other.start()
        other.join(20)

    assert "another thread has been writing" in told[0]
    assert clerk(desk).party("person", name="Ada").name == "Ada"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_transaction_may_be_handed_to_another_thread(host: Engine, desk: Desk, seat: Seat) -> None:
    """Web frameworks begin a session in one thread and use it in another."""
    connection = host.connect()
    order(connection, 1)
    told: list[str] = []

    def elsewhere() -> None:
        with desk.join(connection) as joined:
            told.append(clerk(joined).party("person", name="Ada").id)
        connection.commit()
        connection.close()

    other = threading.Thread(target=elsewhere)
    other.start()
    other.join(20)

    assert [person.id for person in seat.find_parties(name="Ada")] == told


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_conflict_is_told_and_not_tried_again(store_url: str, open_store: Callable[..., Desk], host: Engine) -> None:
    """A guard reads a party, which another changes before the host's command is written."""
    asked: list[str] = []

    class Slow:
        PLUGIN = Plugin("slow", api=1, handles=("tenancy.dispute",), version="1.0")

        @staticmethod
        @hookimpl(needs=(Need("parties"),))
        def casekit_before(view: View, command: Command) -> list[Objection]:
            person = view.party("tenant")
            if command.name == "note" and person is not None:
                asked.append(person.id)
                if len(asked) == 1:
                    other = threading.Thread(target=lambda: clerk(desk).change_party(person.id, phone="0401234"))
                    other.start()
                    other.join(20)
            return []

    desk = open_store(plugins=[tenancy, Slow])
    case = opened(clerk(desk))
    with host.connect() as connection:
        with desk.join(connection) as joined:
            order(connection, 1)
            with pytest.raises(Conflict, match="changed in between"):
                clerk(joined).note(case, "first try")
            assert len(asked) == 1
        connection.rollback()
        with desk.join(connection) as joined:
            clerk(joined).note(case, "second try")
        connection.commit()

    assert kinds(clerk(desk), case) == ["open", "note"]
    assert orders(host) == []


@pytest.mark.parametrize("engine", ["postgresql"])
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_snapshot_that_is_too_old_is_a_conflict(host: Engine, desk: Desk, seat: Seat, level: str) -> None:
    case = opened(seat)
    with host.connect().execution_options(isolation_level=level) as connection:
        connection.execute(text("SELECT count(*) FROM orders"))
        other = threading.Thread(target=lambda: clerk(desk).note(case, "from elsewhere"))
        other.start()
        other.join(20)
        with desk.join(connection) as joined, pytest.raises(Conflict, match="try again"):
            clerk(joined).pay(case, "1.00 EUR")

    assert kinds(seat, case) == ["open", "note"]
