"""Opens and creates ledgers on a PostgreSQL server.

The tables are those of a file, in the schema that the address leads to. A writing transaction locks `meta` before it reads the
head, so two writers queue as they do on a file. A group is on disk when `append` returns (`synchronous_commit`); groups in
columns are handed over without waiting for the disk, and the end of their run is waited for, as on a file. Reading transactions
see one state (repeatable read) and wait for nobody.

INVARIANT: no error that leaves here has words of the driver, which may hold the address.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, QueuePool, Table, create_engine, event, insert

from tb.core.diagnostics import Refused
from tb.ledger.chain import GENESIS
from tb.ledger.checking import check, driven, prove_writable
from tb.ledger.findings import refused, refusing
from tb.ledger.tables import SCHEMA, LedgerTable, Meta, table_of

if TYPE_CHECKING:
    from tb.ledger.place import Database

NO_LIBRARY, NOT_AN_ADDRESS = "TB885", "TB884"
FEW = 16  # rows up to which a statement is quicker than COPY
Rows = Sequence[Sequence[Any]]
MAKING = {"ledger_making": True}  # execution option of the connection that makes a ledger
_MADE_BY_ONE = 0x7462_6C65_6467  # the advisory lock under which one is made
# a server that is gone is noticed while somebody waits for it, not hours later
_ALIVE = {"keepalives_idle": "20", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "30000"}


def driver(database: Database) -> Any:
    """psycopg; raises Refused TB885 where it is not installed."""
    try:
        import psycopg
    except ImportError:
        hint = "install the extra `postgres`: `pip install 'tb[postgres]'`"
        raise refused(database, NO_LIBRARY, "a ledger on PostgreSQL needs a library that is not installed", hint) from None
    return psycopg


def connect(database: Database, wait: float, *, name: str = "tb", read_only: bool = False) -> Any:
    """A connection of its own. Raises Refused TB884 for what is no address, TB886 where the server does not answer."""
    psycopg = driver(database)
    try:
        given = psycopg.conninfo.conninfo_to_dict(database.address())
    except psycopg.Error:  # its words hold what it could not read
        hint = "write it as `postgresql://user:password@host:5432/database`"
        raise refused(database, NOT_AN_ADDRESS, f"what `{database}` holds is no address of a database", hint) from None
    options = {"connect_timeout": str(max(2, math.ceil(wait))), **_ALIVE, **given, "application_name": name}
    with refusing(database):
        made = psycopg.connect(**options, autocommit=True)  # this module says BEGIN itself
        if read_only:
            made.execute("SET default_transaction_read_only = on")
        return made


def _engine(database: Database, wait: float, read_only: bool) -> Engine:
    def open_one() -> Any:
        return connect(database, wait, read_only=read_only)

    engine = create_engine("postgresql+psycopg://", creator=open_one, poolclass=QueuePool)

    def begin(connection: Connection) -> None:
        start(connection, wait)

    event.listen(engine, "begin", begin)
    return engine


def start(connection: Connection, wait: float) -> None:
    """Begins a transaction; one that writes has the lock of the chain then, or is refused after `wait` seconds."""
    options = connection.get_execution_options()
    if options.get("ledger_making", False):
        _run(connection, f"BEGIN; SELECT pg_advisory_xact_lock({_MADE_BY_ONE})")
        return
    if not options.get("ledger_writing", False):
        _run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return
    flush = "on" if options.get("ledger_synchronous", "FULL") == "FULL" else "off"
    _run(
        connection,
        f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {max(1, round(wait * 1000))}; "
        f"SET LOCAL synchronous_commit = {flush}; LOCK TABLE meta IN EXCLUSIVE MODE",
    )


def _run(connection: Connection, statements: str) -> None:
    """Several statements in one message, as the driver sends them where there is nothing to prepare."""
    driven(connection).execute(statements, prepare=False)


_MOVE = "UPDATE meta SET head_seq = %s, head_hash = %s"
Tables = Sequence[tuple[Table, Rows]]
Statement = tuple[str, tuple[Any, ...]]  # with its values


def few_rows(tables: Tables, head: tuple[int, bytes]) -> Statement | None:
    """One statement that adds rows to tables and moves the head; None for more of them than are quick that way."""
    if sum(len(rows) for _, rows in tables) > FEW:
        return None
    parts = ", ".join(f"w{number} AS ({_insert(table, len(rows))})" for number, (table, rows) in enumerate(tables))
    return f"WITH {parts} {_MOVE}", (*(value for _, rows in tables for row in rows for value in row), *head)


def write_rows(connection: Connection, tables: Tables, head: tuple[int, bytes], few: Statement | None) -> None:
    """Adds rows to tables and moves the head, by one statement where `few_rows` made one of them."""
    if few is not None:
        driven(connection).execute(*few)
        return
    for table, rows in tables:
        copy_rows(connection, table, rows)
    driven(connection).execute(_MOVE, head)


def send_and_commit(connection: Connection, statement: str, values: tuple[Any, ...]) -> None:
    """A statement and the end of its transaction, without waiting for the answer to the one before the other is sent. Where the
    statement fails, the server does not take what follows it."""
    driver = driven(connection)
    with driver.pipeline():
        driver.execute(statement, values)
        driver.commit()


@cache
def _insert(table: Table, count: int) -> str:
    row = "(" + ", ".join(["%s"] * len(table.columns)) + ")"
    return f'INSERT INTO "{table.name}" ({_names(table)}) VALUES {", ".join([row] * count)}'


def copy_rows(connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Adds rows to a table by COPY, which takes a tenth of the time that statements do."""
    with driven(connection).cursor() as cursor, cursor.copy(_copy(table)) as out:
        for row in rows:
            out.write_row(row)


@cache
def _copy(table: Table) -> str:
    return f'COPY "{table.name}" ({_names(table)}) FROM STDIN'


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _tables(connection: Connection) -> set[str]:
    """Names of the tables that the address leads to."""
    return set(connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").scalars())


def _create(engine: Engine) -> None:
    """Makes an empty ledger, or leaves the one that another process made in the meantime."""
    with engine.connect().execution_options(**MAKING) as connection, connection.begin():
        if not _tables(connection) & set(LedgerTable.metadata.tables):
            LedgerTable.metadata.create_all(connection, checkfirst=False)
            connection.execute(insert(table_of(Meta)).values(id=1, version=SCHEMA, head_seq=0, head_hash=GENESIS))


def _is_there(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(_tables(connection) & set(LedgerTable.metadata.tables))


def open_database(database: Database, *, create: bool, read_only: bool, wait: float) -> Engine:
    """An engine on a checked ledger; see `tb.ledger.open_ledger` for the refusals."""
    driver(database)
    engine = _engine(database, wait, read_only)
    try:
        with refusing(database):
            if not _is_there(engine):
                if read_only or not create:
                    hint = "run `tb replay` first, or name another project"
                    raise refused(database, "TB701", "there is no ledger here yet", hint)
                _create(engine)
            with engine.connect() as connection:
                check(connection, database, _tables(connection))
            if not read_only:
                prove_writable(engine)
    except Refused:
        engine.dispose()
        raise
    return engine
