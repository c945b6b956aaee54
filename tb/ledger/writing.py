"""Extends the chain inside one transaction that already holds the write lock.

The head is read in that same transaction, so two processes can never put two entries on one place. A ledger whose last entry
is not the head it notes was tampered with, and is not extended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Transaction

from tb.core.encode import canonical
from tb.core.records import Record
from tb.ledger.chain import Head, entry_hash
from tb.ledger.checking import driven
from tb.ledger.findings import RESTORE, refused
from tb.ledger.place import Place
from tb.ledger.projection import INSERT_ENTRY, INSERT_ROW, MODELS, Row, shape_of
from tb.ledger.segments import SEGMENT, Group
from tb.ledger.tables import Entry, table_of

MOVED = "ledger_moved"  # under which a connection keeps the head that its last transaction wrote
TO_END_WITH = "ledger_to_end_with"  # and what is still to be sent, together with the end of the transaction
Prepared = tuple[str, bytes, Row | None]  # kind, payload, columns of its projection row


def prepare(records: Iterable[Record]) -> list[Prepared]:
    """Encodes each record once, outside of any lock. Raises `TypeError` for no record, `ValueError` for NaN in a trade."""
    prepared: list[Prepared] = []
    for record in records:
        shape = shape_of(record)
        prepared.append((shape.record.__name__, canonical(record), shape.columns(record)))
    return prepared


def prepare_segments(group: Group) -> list[Prepared]:
    """The entries of a group in columns, made outside of any lock. Raises as `tb.ledger.segments.segments_of`."""
    return [(SEGMENT, payload, index) for payload, index in group.entries]


def _said(connection: Connection, statement: str) -> str:
    """A statement with its parameters as the driver marks them."""
    return statement if connection.dialect.name == "sqlite" else statement.replace("?", "%s")


_HEAD = """
SELECT head_seq, head_hash, (SELECT max(seq) FROM entries), (SELECT hash FROM entries ORDER BY seq DESC LIMIT 1)
FROM meta WHERE id = 1
"""
_HEAD_AND_RUN = """
SELECT head_seq, head_hash, (SELECT max(seq) FROM entries), (SELECT hash FROM entries ORDER BY seq DESC LIMIT 1),
  (SELECT 1 FROM runs WHERE run = ? AND finish IS NULL), (SELECT max(last) FROM segments WHERE run = ?)
FROM meta WHERE id = 1
"""
_HEAD_AND_COLUMNS = """
SELECT head_seq, head_hash, (SELECT max(seq) FROM entries), (SELECT hash FROM entries ORDER BY seq DESC LIMIT 1),
  (SELECT entry FROM runs WHERE run = ? AND finish IS NULL), (SELECT max(last) FROM segments WHERE run = ?),
  (SELECT max(high) FROM segments WHERE run = ? AND kind = 'Decision')
FROM meta WHERE id = 1
"""
_MOVE = "UPDATE meta SET head_seq = ?, head_hash = ?"  # in a file
Link = tuple[int, bytes]  # number and hash of an entry


def head_for_rows(connection: Connection, path: Place, run: str) -> tuple[Link, bool]:
    """The last entry, and whether a run is there, is not finished and has nothing in columns: one question, since it is asked
    for each group. Raises as `head_of`."""
    row = driven(connection).execute(_said(connection, _HEAD_AND_RUN), (run, run)).fetchone()
    return _sound(path, row and row[:4]), row[4] is not None and not row[5]


def head_for_columns(connection: Connection, path: Place, run: str) -> tuple[Link, int | None, int, int]:
    """The last entry, the one that started a run which is not finished, and the last record and decision in columns: one
    question for the same reason. Raises as `head_of`."""
    row = driven(connection).execute(_said(connection, _HEAD_AND_COLUMNS), (run, run, run)).fetchone()
    return _sound(path, row and row[:4]), row[4], row[5] or 0, row[6] or 0


def head_of(connection: Connection, path: Place) -> Link:
    """The number and hash of the last entry; raises `Refused` TB711 where it is not the noted head."""
    return _sound(path, driven(connection).execute(_HEAD).fetchone())


def _sound(path: Place, row: Sequence[Any] | None) -> Link:
    if row is None:
        raise refused(path, "TB703", "the ledger's note of its own head is gone or altered", RESTORE)
    seq, link, last, last_link = row
    if (last or 0) != seq or (last is not None and last_link != link):
        ends = f"ends at entry {last}" if last is not None else "has no entry"
        message = f"the ledger {ends}, but its head says {seq}: nothing is added to it"
        raise refused(path, "TB711", message, f"see `tb ledger verify`, then {RESTORE}")
    return seq, link


def extend(
    connection: Connection,
    path: Place,
    run: str,
    group: Sequence[Prepared],
    last: Link | None = None,
    *,
    is_all: bool = False,
) -> int:
    """Adds the group to the chain with its projection rows and moves the head; returns the number of its first entry. `last` is
    the last entry, where it was asked for in this transaction. With `is_all` nothing follows but `end`, which may have to send
    it."""
    before, previous = head_of(connection, path) if last is None else last
    entries: list[Row] = []
    rows: dict[str, list[Row]] = {}
    for seq, (kind, payload, columns) in enumerate(group, before + 1):
        link = entry_hash(previous, kind, run, payload)
        entries.append((seq, run, kind, payload, previous, link))
        if columns is not None:
            rows.setdefault(kind, []).append((seq, run, *columns))
        previous = link
    after = before + len(entries), previous
    if connection.dialect.name == "sqlite":
        driver = driven(connection)
        driver.executemany(INSERT_ENTRY, entries)
        for kind, of_kind in rows.items():
            driver.executemany(INSERT_ROW[kind], of_kind)
        driver.execute(_MOVE, after)
    else:
        from tb.ledger.postgres import few_rows, write_rows

        tables = [(table_of(Entry), entries), *((table_of(MODELS[kind]), of_kind) for kind, of_kind in rows.items())]
        few = few_rows(tables, after)
        if few is not None and is_all:
            connection.info[TO_END_WITH] = few
        else:
            write_rows(connection, tables, after, few)
    connection.info[MOVED] = Head(after[0], previous.hex())
    return before + 1


def end(connection: Connection, transaction: Transaction) -> None:
    """Ends a transaction, together with what is still to be sent: one way to the server and back for both."""
    few = connection.info.pop(TO_END_WITH, None)
    if few is not None:
        from tb.ledger.postgres import send_and_commit

        send_and_commit(connection, *few)
    transaction.commit()


def head(connection: Connection, path: Place) -> Head:
    seq, link = head_of(connection, path)
    return Head(seq, link.hex())
