"""The wall between tenants on PostgreSQL, and every way around it that is known: each is tried, on a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import frozen
from psycopg.errors import FeatureNotSupported, ForeignKeyViolation, InsufficientPrivilege, UniqueViolation
from sqlalchemy import create_engine, make_url, text

import casekit
from casekit import BadInput, Desk, NotFound, Seat, StoreFailed
from casekit.store import engine as engines
from casekit.store.engine import HEAD
from casekit.store.fence import gated, telling
from casekit.store.tables import METADATA
from servers import OWNER, Server, dsn

pytestmark = pytest.mark.parametrize("engine", ["postgresql"])

APP, ABOVE, PAST = "casekit_test_app", "casekit_test_above", "casekit_test_past"
FENCED = sorted(table.name for table in METADATA.sorted_tables if "tenant" in table.c)


@frozen
class Two:
    """A store with two tenants, as an application opens it: as a role that owns nothing.

    Attributes:
        desk: The desk of that role.
        url, owned: The store, as that role and as its owner.
        cases: Tenant → a case of theirs.
    """

    desk: Desk
    url: str
    owned: str
    cases: dict[str, str]

    def seat(self, tenant: str) -> Seat:
        return self.desk.seat("user:lee", roles={"clerk"}, tenant=tenant)

    def driver(self) -> psycopg.Connection[Any]:
        """A bare connection, as the application's role."""
        return psycopg.connect(plain(self.url), autocommit=True)


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def as_role(url: str, role: str) -> str:
    return make_url(url).set(username=role).render_as_string(hide_password=False)


def opened(seat: Seat) -> str:
    ada = seat.party("person", name=f"Ada of {seat.actor.tenant}")
    return seat.open("tenancy.dispute", data={"deposit": "5.00 EUR"}, parties={"tenant": ada, "landlord": ada}).id


@pytest.fixture
def two(server: Server, store_url: str, open_store: Callable[..., Desk]) -> Iterator[Two]:
    server.role(APP)
    owner = open_store()
    assert len(owner.keeper("user:ops", roles={"clerk", "keeper"}).grant(APP).tables) == len(METADATA.tables)
    url = as_role(store_url, APP)
    desk = open_store(store=url)
    cases = {tenant: opened(desk.seat("user:lee", roles={"clerk"}, tenant=tenant)) for tenant in ("a", "b")}
    yield Two(desk, url, store_url, cases)
    for tenant in ("a", "b"):
        assert desk.seat("test:auditor", roles={"auditor"}, tenant=tenant).verify().wrong == []


@pytest.fixture(autouse=True)
def keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who keeps stores."""
    import tenancy

    roles = tenancy.casekit_roles
    monkeypatch.setattr(tenancy, "casekit_roles", casekit.sdk.hookimpl(lambda: {**roles(), "keeper": ["store.keep"]}))


def count(connection: psycopg.Connection[Any], table: str = "streams") -> int:
    found: int = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()[0]  # type: ignore[index]
    return found


def tell(connection: psycopg.Connection[Any], tenant: str) -> None:
    connection.execute(telling(tenant).encode())


def test_every_key_begins_with_the_tenant_and_every_table_is_fenced(two: Two) -> None:
    asked = """
    SELECT c.conrelid::regclass::text, c.conname, c.contype,
      (SELECT attname FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = c.conkey[1]),
      (SELECT attname FROM pg_attribute WHERE attrelid = c.confrelid AND attnum = c.confkey[1])
    FROM pg_constraint c WHERE c.contype IN ('p', 'u', 'f', 'x') AND c.connamespace = 'public'::regnamespace"""
    indexes = """
    SELECT indrelid::regclass::text, indexrelid::regclass::text, (SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = indkey[0])
    FROM pg_index WHERE indrelid::regclass::text = ANY(%s)"""
    fences = "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid WHERE relrowsecurity AND relforcerowsecurity AND polname = 'casekit_tenant'"
    with psycopg.connect(dsn(two.owned)) as above:
        keys = [row for row in above.execute(asked).fetchall() if row[0] in METADATA.tables]
        rows = above.execute(indexes, (FENCED,)).fetchall()
        fenced = sorted(row[0] for row in above.execute(fences).fetchall())

    assert len(keys) >= 2 * len(FENCED) - 6
    assert [key for key in keys if key[3] != "tenant" and key[0] != "meta"] == []
    assert [key for key in keys if key[2] == "f" and key[4] != "tenant"] == []
    assert len(rows) > len(FENCED)
    assert [row for row in rows if row[2] != "tenant"] == []
    assert fenced == FENCED


@pytest.mark.parametrize("role", [APP, OWNER])
def test_without_a_tenant_there_are_no_rows_and_none_can_be_written(two: Two, role: str) -> None:
    with psycopg.connect(plain(as_role(two.owned, role)), autocommit=True) as bare:
        for table in FENCED:
            assert count(bare, table) == 0, table
            assert bare.execute(f"DELETE FROM {table}".encode()).rowcount == 0, table
        assert bare.execute("UPDATE streams SET n = 0").rowcount == 0
        with pytest.raises(InsufficientPrivilege, match="row-level security"):
            bare.execute("INSERT INTO sequences VALUES ('a', 'x', 1)")
        assert bare.execute("SELECT * FROM streams WHERE tenant = 'a' OR true").fetchall() == []


def test_a_pooled_connection_forgets_whose_it_was(two: Two) -> None:
    with two.driver() as pooled:
        with pooled.transaction():
            tell(pooled, "b")
            theirs = count(pooled)
            assert theirs > 0
        assert count(pooled) == 0, "the setting has ended with its transaction"
        with pooled.transaction():
            tell(pooled, "a")
            assert {row[0] for row in pooled.execute("SELECT tenant FROM streams").fetchall()} == {"a"}
            assert pooled.execute("SELECT count(*) FROM streams WHERE tenant = 'b'").fetchone() == (0,)
        with pooled.transaction(force_rollback=True):
            tell(pooled, "b")
        assert count(pooled) == 0


def test_the_desk_leaves_nothing_on_its_connection(two: Two) -> None:
    """Whatever the desk has just done: the next statement on the same connection, by whoever gets it, sees nothing."""
    for tenant in ("a", "b"):
        driver = two.desk.shelf(tenant).connection.driver
        seat = two.seat(tenant)
        acts: list[Callable[[], Any]] = [
            lambda seat=seat, tenant=tenant: seat.note(two.cases[tenant], "seen"),
            lambda seat=seat: seat.cases(names=True),
            lambda seat=seat, tenant=tenant: seat.timeline(two.cases[tenant]),
            lambda tenant=tenant: two.desk.seat("test:auditor", roles={"auditor"}, tenant=tenant).verify(),
            lambda seat=seat: seat.report_caseload(),
            lambda seat=seat: opened(seat),
            lambda seat=seat: seat.run_due(),
            lambda seat=seat: seat.find_parties(name="nobody"),
        ]
        for act in acts:
            act()
            assert driver.execute("SELECT count(*) FROM entries").fetchone() == (0,)
            assert driver.execute("SELECT coalesce(current_setting('casekit.tenant', true), '')").fetchone() == ("",)


def test_a_statement_that_forgets_its_tenant_shows_nobody_elses(two: Two) -> None:
    """The wall is for the day on which a query lacks its condition."""
    shelf = two.desk.shelf("a")
    assert {row[0] for row in shelf.connection.execute("SELECT tenant FROM entries").fetchall()} == {"a"}
    assert {row[0] for row in shelf.connection.execute("WITH x AS (SELECT tenant FROM streams) SELECT * FROM x").fetchall()} == {"a"}
    with shelf.transaction() as connection:
        assert (
            connection.execute("UPDATE streams SET wake = wake").rowcount
            == shelf.connection.execute("SELECT count(*) FROM streams WHERE tenant = 'a'").fetchone()[0]
        )
    with pytest.raises(StoreFailed, match="row-level security"):
        shelf.connection.execute("INSERT INTO sequences VALUES ('b', 'x', 1)")
    with pytest.raises(StoreFailed, match="row-level security"):
        shelf.connection.executemany("INSERT INTO sequences VALUES (%s, %s, %s)", [("b", "x", 1), ("b", "y", 1)])


def test_the_owner_is_bound_only_by_force(two: Two) -> None:
    with psycopg.connect(plain(two.owned), autocommit=True) as owner:
        assert count(owner) == 0
        owner.execute("ALTER TABLE streams NO FORCE ROW LEVEL SECURITY")
        assert {row[0] for row in owner.execute("SELECT tenant FROM streams").fetchall()} == {"a", "b"}, "this is what FORCE is for"
        assert told(two) == {"postgresql role": "good", "postgresql row security": "wrong"}
        owner.execute("ALTER TABLE streams FORCE ROW LEVEL SECURITY")
    assert told(two) == {"postgresql role": "good", "postgresql row security": "good"}


def told(two: Two, url: str = "") -> dict[str, str]:
    """What the doctor says of the wall, to one who opens the store as the application, or as another role."""
    desk = casekit.open_desk(store=url or two.url, keys=two.desk.store.keys, plugins=[__import__("tenancy")], installed=False)
    with desk:
        found = desk.keeper("user:ops", roles={"keeper"}, tenant="a").examine()
    return {one.about: one.level for one in found if one.about in ("postgresql role", "postgresql row security")}


def test_whom_row_level_security_does_not_bind_is_refused_and_told(two: Two, server: Server) -> None:
    server.role(ABOVE, "SUPERUSER")
    server.role(PAST, "BYPASSRLS")
    owner = casekit.open_desk(store=two.owned, plugins=[__import__("tenancy")], installed=False)
    keeper = owner.keeper("user:ops", roles={"keeper"})
    with owner:
        for role, why in ((ABOVE, "BYPASSRLS"), (PAST, "BYPASSRLS"), (OWNER, "owns the tables"), ("nobody_at_all", "no role")):
            with pytest.raises(BadInput, match=why):
                keeper.grant(role)
        with pytest.raises(BadInput, match="no role"):
            keeper.grant('x"; DROP TABLE streams; --')
        with pytest.raises(casekit.Denied):
            owner.keeper("user:eve", roles={"clerk"}).grant(APP)
    assert told(two, as_role(two.owned, ABOVE))["postgresql role"] == "wrong"
    with psycopg.connect(dsn(two.owned), autocommit=True) as above:
        above.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {PAST}; GRANT EXECUTE ON FUNCTION casekit_tenants() TO {PAST}".encode())
    assert told(two, as_role(two.owned, PAST))["postgresql role"] == "wrong"
    assert told(two, two.owned) == {"postgresql role": "note", "postgresql row security": "good"}


def test_the_applications_role_can_neither_change_what_is_recorded_nor_take_the_wall_down(two: Two) -> None:
    forbidden = [
        "UPDATE entries SET actor = 'user:eve'",
        "UPDATE leaves SET n = 1",
        "UPDATE checkpoints SET note = ''",
        "UPDATE definitions SET body = ''",
        "ALTER TABLE streams NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE streams DISABLE ROW LEVEL SECURITY",
        "DROP POLICY casekit_tenant ON streams",
        "CREATE POLICY mine ON streams USING (true)",
        "TRUNCATE streams CASCADE",
        "DROP TABLE search",
        "UPDATE alembic_version SET version_num = '0001'",
        "SET session_replication_role = replica",
    ]
    with two.driver() as bare:
        for statement in forbidden:
            with pytest.raises(InsufficientPrivilege):
                bare.execute(statement.encode())
        bare.execute("SET row_security = off")  # it asks for an error instead of fewer rows, and gives no rows
        with pytest.raises(InsufficientPrivilege, match="row-level security"):
            bare.execute("SELECT * FROM streams")


def test_names_are_told_and_nothing_else(two: Two) -> None:
    with two.driver() as bare, bare.transaction():
        assert sorted(row[0] for row in bare.execute("SELECT casekit_tenants()").fetchall()) == ["a", "b"]
        assert count(bare) == 0, "the function's way in is the function's alone"
        bare.execute("SELECT set_config('casekit.names', 'yes', true)")
        assert count(bare) == 0
    assert two.desk.store.tenants() == ("a", "b")
    with psycopg.connect(dsn(two.owned)) as above:
        found = above.execute("SELECT has_function_privilege('public', 'casekit_tenants()', 'EXECUTE')").fetchone()
    assert found == (False,)


def test_rows_of_nobody_are_hidden_and_told_by_verify(two: Two) -> None:
    with psycopg.connect(dsn(two.owned), autocommit=True) as above:
        above.execute("SET session_replication_role = replica")
        above.execute("UPDATE search SET tenant = 'zz' WHERE tenant = 'b'")
        above.execute("INSERT INTO sequences VALUES ('yy', 'x', 1)")
        told = {(w.table, w.what) for w in two.desk.seat("test:auditor", roles={"auditor"}, tenant="a").verify().wrong}
        assert ("search", "1 rows of a tenant 'zz' who has no stream") in told
        assert ("sequences", "1 rows of a tenant 'yy' who has no stream") in told
        above.execute("UPDATE search SET tenant = 'b' WHERE tenant = 'zz'")
        above.execute("DELETE FROM sequences WHERE tenant = 'yy'")


def test_views_and_functions(two: Two) -> None:
    with psycopg.connect(dsn(two.owned), autocommit=True) as above:
        above.execute("CREATE VIEW everyone AS SELECT * FROM streams")
        above.execute("CREATE VIEW fenced WITH (security_invoker=true) AS SELECT * FROM streams")
        above.execute("CREATE FUNCTION mine() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM streams'")
        above.execute(f"GRANT SELECT ON everyone, fenced TO {APP}".encode())
    with two.driver() as bare, bare.transaction():
        assert bare.execute("SELECT mine()").fetchone() == (0,)
        assert count(bare, "fenced") == 0
        assert count(bare, "everyone") > 0, "a view of a superuser reads past the wall: that is why the doctor looks"
        tell(bare, "a")
        assert {row[0] for row in bare.execute("SELECT tenant FROM fenced").fetchall()} == {"a"}
    assert told(two)["postgresql row security"] == "wrong"
    with psycopg.connect(dsn(two.owned), autocommit=True) as above:
        above.execute("ALTER VIEW everyone SET (security_invoker = true)")
    assert told(two)["postgresql row security"] == "good"
    with two.driver() as bare:
        assert count(bare, "everyone") == 0


def test_keys_are_no_oracle(two: Two) -> None:
    """What is there of another tenant answers as what is not there."""
    other = _row(two, "b", "streams")
    fresh = {**other, "sid": 1, "uuid": "00000000-0000-7000-8000-000000000000", "number": "N-1"}
    assert _refused(two, "streams", other) == _refused(two, "streams", fresh), "written as b's, seen as a"
    mine = {**other, "tenant": "a"}
    _written(two, "streams", mine)  # the same sid, UUID, number and hash, and nobody is in its way
    entry = _row(two, "b", "entries")
    with pytest.raises(ForeignKeyViolation) as there:
        _written(two, "entries", {**entry, "tenant": "a", "sid": _row(two, "b", "streams", last=True)["sid"], "n": 7})
    with pytest.raises(ForeignKeyViolation) as nowhere:
        _written(two, "entries", {**entry, "tenant": "a", "sid": 12345, "n": 7})
    assert type(there.value) is type(nowhere.value)
    for sid in (entry["sid"], 12345):
        said = _refused(two, "outbox", {"tenant": "b", "sid": sid, "n": 1, "attempts": 0, "next_at": None, "done": "", "error": None})
        assert said == 'new row violates row-level security policy for table "outbox"'


def _row(two: Two, tenant: str, table: str, *, last: bool = False) -> dict[str, Any]:
    with psycopg.connect(dsn(two.owned), row_factory=psycopg.rows.dict_row) as above:
        order = "DESC" if last else "ASC"
        found = above.execute(f"SELECT * FROM {table} WHERE tenant = %s ORDER BY sid {order} LIMIT 1".encode(), (tenant,)).fetchone()
    assert found is not None
    return found


def _written(two: Two, table: str, row: dict[str, Any], tenant: str = "a") -> None:
    """Writes a row seen as a tenant, and takes it back."""
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    with two.driver() as bare, bare.transaction(force_rollback=True):
        tell(bare, tenant)
        bare.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})".encode(), list(row.values()))
        bare.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _refused(two: Two, table: str, row: dict[str, Any]) -> str:
    with pytest.raises((InsufficientPrivilege, UniqueViolation)) as refused:
        _written(two, table, row)
    return str(refused.value).splitlines()[0]


def test_copy_explain_returning_and_conflicts_see_no_more(two: Two) -> None:
    with two.driver() as bare, bare.transaction():
        tell(bare, "a")
        with bare.cursor().copy("COPY (SELECT tenant FROM streams) TO STDOUT") as copy:
            assert {bytes(line).strip() for line in copy} == {b"a"}
        with bare.cursor().copy("COPY streams (tenant) TO STDOUT") as copy:
            assert {bytes(line).strip() for line in copy} == {b"a"}
        with pytest.raises(FeatureNotSupported), bare.transaction(), bare.cursor().copy("COPY sequences FROM STDIN") as into:
            into.write_row(("b", "x", 1))
        mine = count(bare)
        plan = bare.execute("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM streams").fetchone()
        assert plan is not None
        said = plan[0] if isinstance(plan[0], list) else json.loads(plan[0])
        assert said[0]["Plan"]["Actual Rows"] == mine
        assert bare.execute("DELETE FROM search WHERE tenant = 'b' RETURNING *").fetchall() == []
        assert bare.execute("SELECT * FROM streams WHERE tenant = 'b' FOR UPDATE").fetchall() == []
        with pytest.raises(InsufficientPrivilege), bare.transaction():
            bare.execute("INSERT INTO sequences VALUES ('b', 'T-#', 9) ON CONFLICT (tenant, name) DO UPDATE SET value = 9")
        with pytest.raises(InsufficientPrivilege), bare.transaction():
            bare.execute("UPDATE sequences SET tenant = 'b'")


def test_a_leaking_function_in_a_condition_sees_no_row_of_others(two: Two) -> None:
    """A cheap function of one's own is asked only about rows that the wall has let through."""
    with psycopg.connect(dsn(two.owned), autocommit=True) as above:
        above.execute(f"GRANT CREATE ON SCHEMA public TO {APP}".encode())
    seen: list[str] = []
    with two.driver() as bare:
        bare.add_notice_handler(lambda notice: seen.append(str(notice.message_primary)))
        bare.execute(
            "CREATE FUNCTION leak(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE '%', t; RETURN true; END $$"
        )
        with bare.transaction():
            tell(bare, "a")
            bare.execute("SELECT count(*) FROM streams WHERE leak(tenant)")
    assert set(seen) == {"a"}


def test_in_a_hosts_transaction_the_setting_is_the_hosts_again_afterwards(two: Two) -> None:
    host = casekit.prepare(create_engine(two.url))
    asked = text("SELECT coalesce(current_setting('casekit.tenant', true), '')")
    with host.begin() as connection:
        with two.desk.join(connection, tenant="a") as joined:
            joined.seat("user:lee", roles={"clerk"}).note(two.cases["a"], "with the host")
            with two.desk.join(connection, tenant="b") as other:  # two tenants' doors, side by side
                other.seat("user:lee", roles={"clerk"}).note(two.cases["b"], "with the host")
                with pytest.raises(NotFound):
                    joined.seat("user:lee", roles={"clerk"}).note(two.cases["b"], "not theirs")
                joined.seat("user:lee", roles={"clerk"}).note(two.cases["a"], "once more")
                other.seat("user:lee", roles={"clerk"}).note(two.cases["b"], "once more")
        assert connection.execute(asked).scalar_one() == ""
        assert connection.execute(text("SELECT count(*) FROM streams")).scalar_one() == 0
    with host.begin() as connection:
        connection.execute(text(telling("b")))
        before = connection.execute(text("SELECT count(*) FROM streams")).scalar_one()
        with pytest.raises(NotFound), two.desk.join(connection, tenant="a") as joined:
            joined.seat("user:lee", roles={"clerk"}).note(two.cases["b"], "not theirs")
        assert connection.execute(asked).scalar_one() == "b", "it was the host's own"
        assert connection.execute(text("SELECT count(*) FROM streams")).scalar_one() == before > 0
    with host.connect() as connection:
        savepoint = connection.begin_nested()
        with two.desk.join(connection, tenant="a") as joined:
            savepoint.rollback()  # what was said within is forgotten with it, and said anew
            joined.seat("user:lee", roles={"clerk"}).note(two.cases["a"], "after the savepoint")
            connection.commit()
        assert connection.execute(asked).scalar_one() == ""
    host.dispose()
    assert [h.kind for h in two.seat("a").timeline(two.cases["a"])].count("note") == 3


def test_a_host_that_pools_gives_the_next_tenant_a_clean_connection(two: Two) -> None:
    host = casekit.prepare(create_engine(two.url, pool_size=1, max_overflow=0))
    for tenant, other in (("a", "b"), ("b", "a"), ("a", "b")):
        with host.begin() as connection, two.desk.join(connection, tenant=tenant) as joined:
            seat = joined.seat("user:lee", roles={"clerk"})
            assert seat.case(two.cases[tenant]).id == two.cases[tenant]
            with pytest.raises(NotFound):
                seat.case(two.cases[other])
            assert {case.id for case in seat.cases().cases} == {two.cases[tenant]}
    host.dispose()


def test_a_store_that_is_filled_already_is_fenced(two: Two, server: Server, open_store: Callable[..., Desk]) -> None:
    """The step runs as the owner on what the step before has left, with rows of both tenants in it."""
    with psycopg.connect(dsn(two.owned), autocommit=True) as above:
        for table in FENCED:
            above.execute(f"DROP POLICY casekit_tenant ON {table}; ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY".encode())
            above.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY".encode())
        for table in FENCED:
            above.execute(f"DROP POLICY casekit_names ON {table}".encode())
        above.execute("DROP FUNCTION casekit_nobodys()")
        above.execute("DROP FUNCTION casekit_tenants()")
        above.execute("UPDATE alembic_version SET version_num = '0005'")
        before = count(above), count(above, "entries")
    with pytest.raises(BadInput, match="casekit store grant ROLE"):
        open_store(store=two.url).ready()
    open_store(store=two.owned).ready()
    with psycopg.connect(dsn(two.owned)) as above:
        assert (count(above), count(above, "entries")) == before
        assert above.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    test_every_key_begins_with_the_tenant_and_every_table_is_fenced(two)
    assert told(two) == {"postgresql role": "good", "postgresql row security": "good"}
    assert two.seat("a").note(two.cases["a"], "still there").entries


def test_a_later_step_sees_all_rows_and_new_tables_are_granted(
    two: Two, monkeypatch: pytest.MonkeyPatch, open_store: Callable[..., Desk]
) -> None:
    """A step that fills a table from others would find none as an owner who is bound: it is not bound meanwhile."""
    from casekit.store import migrations

    seen: list[Any] = []
    step = lambda op: seen.extend(op.get_bind().exec_driver_sql("SELECT DISTINCT tenant FROM streams").all())  # noqa: E731
    monkeypatch.setattr(migrations, "STEPS", {**migrations.STEPS, "9000": step})
    monkeypatch.setattr(engines, "HEAD", "9000")
    with psycopg.connect(dsn(two.owned), autocommit=True) as above:
        above.execute(f"REVOKE ALL ON goals FROM {APP}".encode())
    open_store(store=two.owned).ready()
    assert sorted(row[0] for row in seen) == ["a", "b"]
    with psycopg.connect(plain(two.owned), autocommit=True) as owner:
        assert count(owner) == 0, "and bound again"
    with two.driver() as bare:
        assert count(bare, "goals") == 0, "granted again"


def test_backup_and_restore_as_the_applications_role(two: Two, server: Server, tmp_path: Path, open_store: Callable[..., Desk]) -> None:
    keeper = two.desk.keeper("user:ops", roles={"keeper"}, tenant="a")
    made = keeper.back_up(tmp_path / "backup")
    assert set(made.manifest.tenants) == {"a", "b"}
    owned = server.create()
    open_store(store=owned).keeper("user:ops", roles={"keeper"}).grant(APP)
    desk = open_store(store=as_role(owned, APP))
    desk.keeper("user:ops", roles={"keeper"}).restore(tmp_path / "backup")
    for tenant in ("a", "b"):
        assert desk.seat("user:lee", roles={"clerk"}, tenant=tenant).case(two.cases[tenant]).id == two.cases[tenant]
        assert desk.seat("test:auditor", roles={"auditor"}, tenant=tenant).verify().wrong == []
    with pytest.raises(NotFound):
        desk.seat("user:lee", roles={"clerk"}, tenant="a").case(two.cases["b"])
    with pytest.raises(BadInput, match="has not all of them"):  # what restore has written down stands in it
        desk.keeper("user:ops", roles={"keeper"}, tenant="a").restore(tmp_path / "backup", force=True)
    desk.close()
    server.drop(owned)


def test_the_command_line_grants(server: Server, store_url: str, tmp_path: Path) -> None:
    server.role(APP)
    said = [sys.executable, "-m", "casekit", "store", "grant", APP, "--store", store_url, "--keys", str(tmp_path / "keys"), "--json"]
    done = subprocess.run(said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["role"] == APP
    again = subprocess.run([*said[:4], "streams", *said[6:]], capture_output=True, text=True, check=False)
    assert again.returncode == 2


def test_statements_say_whose_rows_they_see(two: Two) -> None:
    """Nothing that the desk says needs a round trip of its own to say it, but what begins a transaction."""
    connection = two.desk.shelf("a").connection
    connection.tape = []
    seat = two.seat("a")
    case = opened(two.desk.seat("user:lee", roles={"clerk"}, tenant="a"))
    seat.note(case, "seen", key="k")
    seat.cases(names=True)
    seat.timeline(case)
    tape, connection.tape = connection.tape, None
    assert len(tape) > 10
    apart = [said for said, _, _ in tape if said.startswith("SELECT set_config")]
    assert apart == []
    assert sum("casekit.tenant" in said for said, _, _ in tape) >= len(tape) - sum(
        said.startswith(("COMMIT", "INSERT")) for said, _, _ in tape
    )


def test_the_gate_is_for_what_reads_rows_and_for_postgresql_alone(two: Two) -> None:
    from sqlalchemy import insert, select
    from sqlalchemy.dialects import postgresql, sqlite

    streams = METADATA.tables["streams"]
    there, here = postgresql.dialect(), sqlite.dialect()  # type: ignore[no-untyped-call]
    assert "casekit.tenant" in str(gated(select(streams.c.sid), "a", there))
    assert "casekit.tenant" not in str(gated(select(streams.c.sid), "a", here))
    assert gated(insert(streams), "a", there).is_insert
