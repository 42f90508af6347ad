"""The keeper: the desk as whoever keeps its store sees it. One class, so that there is one door."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from casekit.desk import backing, contents, custody, health, restoring
from casekit.desk.keeper import allowed, tenants_of
from casekit.desk.ledger import TELLING, ledger_lines, write_ledger
from casekit.errors import BadInput
from casekit.model.actor import Actor
from casekit.store.erasures import append
from casekit.store.escrow import Holder, Passphrase, Recipient
from casekit.store.rights import Granted, grant

if TYPE_CHECKING:
    from casekit.desk.desk import Desk


class Keeper:
    """Backups, keys, settings and files of a store, over all its tenants.

    Raises of everything here: ``Denied`` without the permission ``store.keep``; ``BadInput`` where something is not as
    it must be, and ``StoreFailed`` where a file or the database fails: what was there before is there still.
    """

    def __init__(self, desk: Desk, actor: Actor) -> None:
        self.desk = desk
        self.actor = actor

    def back_up(self, folder: str | Path, *, keys: bool = False, damaged: bool = False) -> backing.BackedUp:
        """Makes a backup in a folder that does not exist yet. Others go on working; the backup is of one moment, it
        has proved itself, and it is there whole or not at all.

        Args:
            folder: Where.
            keys: Whether the keyring goes with it: whoever gets hold of the backup then reads everything.
            damaged: Whether a record that is not whole is kept as it is.
        """
        return backing.back_up(self.desk, self.actor, folder, keys=keys, damaged=damaged)

    def restore(
        self,
        folder: str | Path,
        *,
        erasures: tuple[Path, ...] = (),
        keys: bool = False,
        locked: bool = False,
        damaged: bool = False,
        force: bool = False,
    ) -> restoring.Restored:
        """Makes a store of a backup, where the desk's store is to be.

        Args:
            folder: The backup.
            erasures: Ledgers of erasures, beside the one that lies with the keyring: whoever was erased after the
                backup is erased again.
            keys: Whether the keyring in the backup is put where the store expects its own.
            locked: Whether it is restored without the keys that open it.
            damaged: Whether a record that is not whole is restored all the same.
            force: Whether a store that is there already, and has no entry that the backup lacks, is replaced.
        """
        how = restoring.How(tuple(erasures), keys, locked, damaged, force)
        return restoring.restore(self.desk, self.actor, folder, how)

    def examine(self) -> tuple[health.Sign, ...]:
        """Whether the store is set so that what is promised about it holds; changes nothing."""
        return health.examine(self.desk, self.actor)

    def grant(self, role: str) -> Granted:
        """Lets a role of PostgreSQL work with the tables: desks then connect as it, and not as the tables' owner.

        Make the desk with the owner's URL. The tables are made, or brought up to date, before. The role can read and write
        rows, each tenant's by itself; it can't change what is recorded, make tables or take row-level security off.
        """
        allowed(self.desk, self.actor)
        return grant(self.desk.store.url, role)

    def check_contents(self, *, grace: float = contents.GRACE, remove: bool = False) -> contents.Contents:
        """Holds the contents of documents against the record.

        Args:
            grace: Hours for which a content may be named by nothing.
            remove: Whether older ones are taken away.
        """
        return contents.check_contents(self.desk, self.actor, grace=grace, remove=remove)

    def erasures(self, file: Path | None = None) -> tuple[Path, int]:
        """Brings the ledger of erasures up to date, the one beside the keyring or another; gives it and how many
        erasures, disposals and holds it tells of.
        """
        allowed(self.desk, self.actor)
        shelves = [self.desk.shelf(tenant) for tenant in tenants_of(self.desk)]
        lines = [line for shelf in shelves for line in ledger_lines(shelf)]
        count = sum(line.entry[7] in TELLING for line in lines)
        if file is not None:
            append(file, lines)
            return file, count
        if self.desk.store.keys is None:
            raise BadInput.at("keys", "the ledger lies beside the keyring, and nobody says where that is", "say where: --keys, or --out")
        for shelf in shelves:
            write_ledger(self.desk, shelf)
        return self.desk.store.keys.with_name(f"{self.desk.store.keys.name}.erasures"), count

    def keys(self) -> custody.Keys:
        """Which keys the keyring has, by id, and what they wrap."""
        return custody.show(self.desk, self.actor)

    def rotate(self) -> custody.Rotated:
        """Makes a new outer key and wraps every data key with it; cut off, the next rotation goes on."""
        return custody.rotate(self.desk, self.actor)

    def destroy_key(self, key: str, *, at_once: bool = False) -> None:
        """Destroys an older key: what it wraps in older backups is gone.

        Args:
            key: Its id.
            at_once: Whether nobody else is at work on the store; else it must have been out of use for ten minutes.
        """
        custody.destroy(self.desk, self.actor, key, at_once=at_once)

    def escrow(self, file: str | Path, by: Passphrase | Recipient) -> custody.Keys:
        """Writes the keyring, sealed, into a new file."""
        return custody.escrow(self.desk, self.actor, file, by)

    def recover(self, file: str | Path, by: Passphrase | Holder) -> Path:
        """Makes a keyring of an escrow, where the store expects it."""
        return custody.recover(self.desk, self.actor, file, by)

    def drill(self, file: str | Path, by: Passphrase | Holder) -> custody.Drilled:
        """Proves that an escrow opens this store, without the keyring and without changing anything."""
        return custody.drill(self.desk, self.actor, file, by)
