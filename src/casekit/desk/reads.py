"""Reads of what is confidential: each is on record before its answer is given, and many share one commit.

Whoever comes while another writes waits with others, and the first of them writes for all. What can't be written is not
answered.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from casekit.desk.library import log
from casekit.desk.work import Work, new_uuid
from casekit.errors import BadInput
from casekit.model.actor import Actor
from casekit.model.canonical import Json
from casekit.store.shelf import Shelf, queued, writing

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


@define(eq=False)
class _Read:
    """A read that waits to be on record."""

    actor: Actor
    about: Json
    done: bool = False
    failed: BaseException | None = field(default=None)


class Reads:
    """The access stream of a desk's tenants: a desk log ``reads/DAY`` each."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._guard = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._waiting: dict[str, list[_Read]] = {}
        self._here = threading.local()

    def tell(self, actor: Actor, case: str, question: str, document: str = "", *, batch: bool = False) -> None:
        """Puts a read on record; once it comes back, that is durable.

        Args:
            actor: Who reads.
            case: UUID of the case.
            question: What is asked.
            document: UUID of the document, where its content is read.
            batch: Whether it is asked within a batch, or a host's transaction: then it can't be answered.

        Raises:
            BadInput: it can't be durable before it is answered.
            StoreFailed: it could not be written.
        """
        shelf = self._desk.shelf(actor.tenant)
        if batch or shelf.joined:
            what = "what is confidential is read only once the read is on record, and here it would be so too late"
            raise BadInput.at("read", what, "read it before, or once the transaction is over")
        read = _Read(actor, {"case": case, "question": question, **({"document": document} if document else {})})
        gathered: list[_Read] | None = getattr(self._here, "gathered", None)
        if gathered is not None:
            gathered.append(read)
            return
        self._record(shelf, [read])

    @contextmanager
    def together(self) -> Iterator[None]:
        """Within it, this thread's reads are put on record when it ends: nothing that was read may be given before."""
        if getattr(self._here, "gathered", None) is not None:
            yield
            return
        self._here.gathered = []
        try:
            yield
            gathered = self._here.gathered
        finally:
            self._here.gathered = None
        by_tenant: dict[str, list[_Read]] = {}
        for read in gathered:
            by_tenant.setdefault(read.actor.tenant, []).append(read)
        for tenant, several in by_tenant.items():
            self._record(self._desk.shelf(tenant), several)

    def _record(self, shelf: Shelf, reads: list[_Read]) -> None:
        with self._guard:
            self._waiting.setdefault(shelf.tenant, []).extend(reads)
            turn = self._turns.setdefault(shelf.tenant, threading.Lock())
        with turn:
            if not reads[-1].done:
                self._write_all(shelf)
        failed = next((read.failed for read in reads if read.failed is not None), None)
        if failed is not None:
            raise failed

    def _write_all(self, shelf: Shelf) -> None:
        """Writes for everybody who waits."""
        with self._guard:
            reads = self._waiting.pop(shelf.tenant, [])
        try:
            self._write(shelf, reads)
        except BaseException as wrong:  # whoever waits must learn that it is not on record
            for read in reads:
                read.failed = wrong
            if not isinstance(wrong, Exception):
                raise
        finally:
            for read in reads:
                read.done = True

    def _write(self, shelf: Shelf, reads: list[_Read]) -> None:
        shelf.demand_free()
        with queued(shelf, wanted=True), writing(shelf) as connection:
            work: Work = self._desk.work(shelf)
            for read in reads:
                recorded = work.now()
                log(work, f"reads/{recorded[:10]}", "read", read.about, actor=read.actor.name, recorded=recorded, command=new_uuid())
            work.flush(connection)
