"""Opens and creates ledgers in files.

A ledger comes into being whole or not at all: it is made under a temporary name, flushed, and then linked into place. WAL
mode lets readers work beside the writer. synchronous=FULL makes the commit at the end of a group wait for the disk: a group is
on disk when `append` returns, at the price of one flush a group. Start and groups in columns are those of a replay, which can
be played again: they are handed to the system alone (NORMAL): a killed process loses none, a power cut the last ones, never the
order. The end of the run is flushed, and they with it. Where they are many, they go past the log (`tb.ledger.direct`). Each
writing transaction starts with BEGIN IMMEDIATE, so two writers queue before they read the head of the chain.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from tb.core.diagnostics import Refused
from tb.ledger.chain import GENESIS
from tb.ledger.checking import check, driven, prove_writable
from tb.ledger.direct import has_journal, require_log
from tb.ledger.findings import RESTORE, refused, refusing
from tb.ledger.tables import SCHEMA, LedgerTable

_SYNCHRONOUS = "ledger_synchronous"  # what was last said of it to the file's own connection
# of the log, after which they are folded into the file: soon for a replay, whose log is written beside it, so that few are left
_PAGES = {"FULL": 1_000, "NORMAL": 256}
AT_REST = "ro&immutable=1"  # how a file is opened that nobody writes
_COMPILED: dict[Any, Any] = {}  # statements as texts: they are those of all files


@cache
def _dialect() -> Any:
    """How SQLite is spoken to, as a first connection finds it; one for all files, since statements are kept by it."""
    engine = create_engine("sqlite://")
    with engine.connect():
        pass
    engine.dispose()
    return engine.dialect


def _engine(path: Path, mode: str, wait: float) -> Engine:
    address = path.absolute().as_uri() + f"?mode={mode}"

    def connect() -> Any:
        # isolation_level None: this module says BEGIN itself; sqlite3's own BEGIN would be deferred and too late
        return sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None, check_same_thread=False)

    dialect = _dialect()
    pool = QueuePool(connect, dialect=dialect)
    engine = Engine(pool, dialect, make_url("sqlite://"), execution_options={"compiled_cache": _COMPILED})
    event.listen(engine, "connect", partial(_configure, path, mode, wait))
    event.listen(engine, "begin", _begin)
    return engine


def _configure(path: Path, mode: str, wait: float, connection: Any, _record: Any) -> None:
    if mode != AT_REST:
        require_log(connection, path, wait, is_reader=mode != "rw")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA trusted_schema = OFF")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    writing = options.get("ledger_writing", False)
    driver = driven(connection)
    if writing:
        wanted = options["ledger_synchronous"]
        if connection.info.get(_SYNCHRONOUS) != wanted:
            driver.execute(f"PRAGMA synchronous = {wanted}")
            driver.execute(f"PRAGMA wal_autocheckpoint = {_PAGES[wanted]}")
            connection.info[_SYNCHRONOUS] = wanted
    driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")


@cache
def _script() -> str:
    """What makes the tables of an empty ledger. As long as it runs nobody knows the file, and nothing of it need be safe."""
    made: list[Any] = []
    for table in LedgerTable.metadata.sorted_tables:
        made += [CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))]
    dialect = sqlite.dialect()
    return "".join(f"{one.compile(dialect=dialect)};\n" for one in made)


def _create(path: Path) -> bool:
    """Makes an empty ledger at `path`, or leaves the one that another process made in the meantime and says false."""
    draft = path.with_name(f".{path.name}.new-{secrets.token_hex(4)}")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as bare:
            bare.execute(
                "PRAGMA page_size = 8192"
            )  # payloads of about 1 KB pack better than in 4096: a group takes 15% less time
            bare.execute("PRAGMA synchronous = OFF")  # it is flushed once, below
            bare.execute("PRAGMA journal_mode = MEMORY")
            bare.executescript(f"BEGIN;\n{_script()}")
            bare.execute("INSERT INTO meta (id, version, head_seq, head_hash) VALUES (1, ?, 0, ?)", (SCHEMA, GENESIS))
            bare.execute("COMMIT")
            bare.execute("PRAGMA journal_mode = WAL")  # the file keeps this; it cannot be said inside a transaction
        _flush(draft)
        return _place(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _place(draft: Path, path: Path) -> bool:
    """Whether it is there now under its name. That the folder lists it is on the disk with what is written into it first: a log
    or a journal is made for that, and the folder flushed with it."""
    try:
        os.link(draft, path)  # unlike a rename, never replaces what is there
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        draft.rename(path)
    return True


def _flush(path: Path) -> None:
    """Waits until a file is on the disk."""
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _check(engine: Engine, path: Path) -> None:
    with engine.connect() as connection:
        names = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
        check(connection, path, names)


def _make_sure_it_exists(path: Path, create: bool) -> bool:
    """Whether it was made just now."""
    if path.exists():
        if path.is_file() and path.stat().st_size == 0:
            raise refused(path, "TB703", "the ledger is empty: everything in it was cut off", RESTORE)
        return False
    if _has_log(path):  # a new file here would take in pages of the lost one
        beside = f"{path.name}-{'journal' if has_journal(path) else 'wal'}"
        hint = f"put the file back, or move `{beside}` away to start a new ledger"
        raise refused(path, "TB703", "the ledger is gone, only the log beside it is left", hint)
    if not create:
        raise refused(path, "TB701", "there is no ledger here yet", "run `tb replay` first, or name another project")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with refusing(path):
            return _create(path)
    except OSError as problem:
        hint = "check that the folder exists and that this user may write it"
        raise refused(path, "TB706", "the ledger cannot be created here", hint) from problem


def open_engine(path: Path, *, create: bool, read_only: bool, wait: float) -> Engine:
    """An engine on a checked ledger; see `tb.ledger.open_ledger` for the refusals."""
    is_new = _make_sure_it_exists(path, create and not read_only)
    engine = _engine(path, "ro" if read_only else "rw", wait)
    if is_new:  # it is what was made, and can be written
        return engine
    try:
        with refusing(path):
            _check(engine, path)
            if not read_only:
                prove_writable(engine)
    except Refused as problem:
        engine.dispose()
        if read_only and problem.findings[0].code == "TB706" and _is_at_rest(path):
            return _open_at_rest(path)
        raise
    return engine


def _has_log(path: Path) -> bool:
    """Whether a writer left groups in the log beside the file, or pages in a journal; readers leave an empty log, which means
    nothing."""
    log = path.with_name(path.name + "-wal")
    return (log.exists() and log.stat().st_size > 0) or has_journal(path)


def _is_at_rest(path: Path) -> bool:
    """True where the file alone is the whole ledger."""
    return path.is_file() and os.access(path, os.R_OK) and not _has_log(path)


def _open_at_rest(path: Path) -> Engine:
    """For a ledger on a read-only disk: WAL mode wants a file beside it, unless told that nobody writes."""
    engine = _engine(path, AT_REST, 0.0)
    try:
        with refusing(path):
            _check(engine, path)
    except Refused:
        engine.dispose()
        raise
    return engine
