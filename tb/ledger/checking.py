"""What must hold of a database before it is used as a ledger, whichever kind it is."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from sqlalchemy import Connection, Engine, select

from tb.ledger.findings import RESTORE, refused
from tb.ledger.place import Place
from tb.ledger.tables import SCHEMA, LedgerTable, Meta, table_of

# execution options of a connection whose transactions write
WRITING: dict[str, Any] = {"ledger_writing": True, "ledger_synchronous": "FULL"}
UNFLUSHED = WRITING | {"ledger_synchronous": "NORMAL"}  # whose transactions need not survive a power cut


def driven(connection: Connection) -> Any:
    """The driver's own connection, inside of the transaction: for what is asked so often that the time of each layer counts."""
    return connection.connection.driver_connection


def check(connection: Connection, place: Place, names: Set[str]) -> None:
    """Raises `Refused` TB702, TB703 or TB704 for a database with these tables that is no ledger of this tb."""
    if "meta" not in names or "entries" not in names:
        what = "file is a database" if not hasattr(place, "variable") else "database is one"
        raise refused(place, "TB702", f"the {what}, but not a ledger", "name another one for the ledger")
    noted = connection.execute(select(table_of(Meta).c.id, table_of(Meta).c.version)).all()
    if [row.id for row in noted] != [1]:
        raise refused(place, "TB703", "the ledger's note of its own head is gone or altered", RESTORE)
    version = noted[0].version
    if version != SCHEMA:
        raise refused(
            place,
            "TB704",
            f"the ledger has schema version {version}, this tb reads version {SCHEMA}",
            "use the tb that wrote it, or move the file away to start a new ledger",
        )
    missing = sorted(set(LedgerTable.metadata.tables) - names)
    if missing:
        raise refused(place, "TB703", f"the ledger has lost its table `{missing[0]}`", RESTORE)


def prove_writable(engine: Engine) -> None:
    """Takes the lock of a writer and gives it back."""
    with engine.connect().execution_options(**WRITING) as connection, connection.begin() as transaction:
        transaction.rollback()
