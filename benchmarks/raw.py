"""The bare driver: what the desk said to its database, said again without a desk."""

from __future__ import annotations

import sqlite3
from time import perf_counter
from typing import Any

from sqlalchemy.engine import URL

from casekit.store.engine import PRAGMAS, bring_up, open_engine
from casekit.store.fence import TELL

Tape = list[tuple[str, Any, bool]]
"""Statements in order: text, parameters, whether many."""

ONE, ASKING, MANY = range(3)


class Bare:
    """A bare connection to an empty store of its own.

    Args:
        url: Where; the tables are made, as a desk makes them.
    """

    def __init__(self, url: URL) -> None:
        engine = open_engine(url)
        bring_up(engine)
        engine.dispose()
        self._driver = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)

    def close(self) -> None:
        """Closes the connection."""
        self._driver.close()

    def play(self, tape: Tape) -> float:
        """Runs a tape; gives the seconds that it took."""
        driver = self._driver
        plan = [(text, values, MANY if many else ASKING if _asks(text) else ONE) for text, values, many in tape]
        begun = perf_counter()
        for text, values, kind in plan:
            if kind == ONE:
                driver.execute(text, values)
            elif kind == ASKING:
                driver.execute(text, values).fetchall()
            else:
                driver.cursor().executemany(text, values)
        return perf_counter() - begun

    def counts(self) -> list[Any]:
        """Rows of the main tables."""
        return Bare.counted(self._driver)

    @staticmethod
    def counted(driver: Any) -> list[Any]:
        """Rows of the main tables of a store: what must be as many on both sides."""
        tables = ("streams", "entries", "clocks", "postings", "search")
        if not isinstance(driver, sqlite3.Connection):
            driver.execute(TELL.replace("true", "false"), ("main",))
        return [driver.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


def _asks(text: str) -> bool:
    return text.startswith(("SELECT", "WITH")) or "RETURNING" in text


def _sqlite(url: URL) -> Any:
    driver = sqlite3.connect(str(url.database), isolation_level=None, cached_statements=512)
    for pragma in PRAGMAS:
        driver.execute(pragma)
    return driver


def _postgresql(url: URL) -> Any:
    import psycopg

    return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)
