"""Extends the chain inside one transaction that already holds the write lock.

The head is read in that same transaction, so two processes can never put two entries on one place. A ledger whose last entry
is not the head it notes was tampered with, and is not extended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from tb.core.encode import canonical
from tb.core.records import Record
from tb.ledger.chain import Head, entry_hash
from tb.ledger.checking import driven
from tb.ledger.findings import RESTORE, refused
from tb.ledger.place import Place
from tb.ledger.projection import INSERT_ENTRY, INSERT_ROW, MODELS, Row, shape_of
from tb.ledger.segments import SEGMENT, Group, index_of
from tb.ledger.tables import Entry, LedgerTable, table_of

MOVED = "ledger_moved"  # under which a connection keeps the head that its last transaction wrote
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
    prepared: list[Prepared] = []
    for segment in group.segments:
        numbers = group.first + int(segment.places[0]), group.first + int(segment.places[-1])
        prepared.append((SEGMENT, segment.payload(group.first), index_of(segment.kind, numbers, segment.records)))
    return prepared


def _said(connection: Connection, statement: str) -> str:
    """A statement with its parameters as the driver marks them."""
    return statement if connection.dialect.name == "sqlite" else statement.replace("?", "%s")


_HEAD = """
SELECT head_seq, head_hash, (SELECT max(seq) FROM entries), (SELECT hash FROM entries ORDER BY seq DESC LIMIT 1)
FROM meta WHERE id = 1
"""
_RUN = "SELECT finish, (SELECT max(last) FROM segments WHERE run = ?) FROM runs WHERE run = ?"
_MOVE = "UPDATE meta SET head_seq = ?, head_hash = ?"


def is_open_in_rows(connection: Connection, run: str) -> bool:
    """Whether a run is there, is not finished and has nothing in columns: one question, since it is asked for each group."""
    row = driven(connection).execute(_said(connection, _RUN), (run, run)).fetchone()
    return row is not None and row[0] is None and not row[1]


def head_of(connection: Connection, path: Place) -> tuple[int, bytes]:
    """The number and hash of the last entry; raises `Refused` TB711 where it is not the noted head."""
    seq, link, last, last_link = driven(connection).execute(_HEAD).fetchone()
    if (last or 0) != seq or (last is not None and last_link != link):
        ends = f"ends at entry {last}" if last is not None else "has no entry"
        message = f"the ledger {ends}, but its head says {seq}: nothing is added to it"
        raise refused(path, "TB711", message, f"see `tb ledger verify`, then {RESTORE}")
    return seq, link


def extend(connection: Connection, path: Place, run: str, group: Sequence[Prepared]) -> int:
    """Adds the group to the chain with its projection rows and moves the head; returns the number of its first entry."""
    before, previous = head_of(connection, path)
    entries: list[Row] = []
    rows: dict[str, list[Row]] = {}
    for seq, (kind, payload, columns) in enumerate(group, before + 1):
        link = entry_hash(previous, kind, run, payload)
        entries.append((seq, run, kind, payload, previous, link))
        if columns is not None:
            rows.setdefault(kind, []).append((seq, run, *columns))
        previous = link
    _add(connection, Entry, INSERT_ENTRY, entries)
    for kind, of_kind in rows.items():
        _add(connection, MODELS[kind], INSERT_ROW[kind], of_kind)
    driven(connection).execute(_said(connection, _MOVE), (before + len(entries), previous))
    connection.info[MOVED] = Head(before + len(entries), previous.hex())
    return before + 1


def _add(connection: Connection, model: type[LedgerTable], statement: str, rows: list[Row]) -> None:
    """Adds rows to a table, in the way that is quickest where it is."""
    if connection.dialect.name == "sqlite":
        driven(connection).executemany(statement, rows)
    else:
        from tb.ledger.postgres import copy_rows

        copy_rows(connection, table_of(model), rows)


def head(connection: Connection, path: Place) -> Head:
    seq, link = head_of(connection, path)
    return Head(seq, link.hex())
