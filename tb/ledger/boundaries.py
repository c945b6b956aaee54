"""Cuts the chain into stretches that can be checked side by side, and says how things stand at each cut.

What is said of a cut comes from the projections before it. The stretch before has those compared with its entries, so where
every stretch holds, all that was taken for granted at the cuts holds, too. Where it cannot be said, there is no cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from tb.ledger.log import BLOCK
from tb.ledger.queries import has_rows
from tb.ledger.segments import DECISIVE
from tb.ledger.tables import DecisionRow, Entry, LatchRow, QuietRow, RunRow, SegmentRow, table_of

_entries, _runs, _segments = table_of(Entry), table_of(RunRow), table_of(SegmentRow)
_DECISIVE = [table_of(model) for model in (DecisionRow, QuietRow, LatchRow)]
assert len(_DECISIVE) == len(DECISIVE)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand after an entry: its number and hash, the rows of `runs` so far, the runs that go on.

    `ahead` says of each of these how many decisive records complete the block of its decision log that is begun, `in_rows`
    which of them have recorded something in rows, `in_columns` the number of the next record of those in columns.
    """

    seq: int
    hash: bytes
    runs: dict[str, list[object]]
    ahead: dict[str, int]
    in_rows: frozenset[str]
    in_columns: dict[str, int]


def standing(connection: Connection, seq: int) -> Standing | None:
    """How things stand after an entry; None where no cut is possible there."""
    link = connection.execute(select(_entries.c.hash).where(_entries.c.seq == seq)).scalar()
    if not isinstance(link, bytes):
        return None
    started = connection.execute(select(_runs).where(_runs.c.entry <= seq).order_by(_runs.c.entry)).all()
    runs: dict[str, list[object]] = {}
    ahead: dict[str, int] = {}
    in_rows, in_columns = set(), {}
    for row in started:
        is_open = row.finish is None or row.finish > seq
        runs[row.run] = [row.entry, row.run, row.number, row.policy, None if is_open else row.finish]
        if not is_open:
            continue
        columns = _columns(connection, row.run, seq)
        if columns is not None:
            held, last, goes_on = columns
            if held != last or goes_on or row.finish is not None:
                return None  # in the middle of what is put into order only later
            in_columns[row.run] = last + 1
        elif _has_rows(connection, row.run, row.entry, seq):
            in_rows.add(row.run)
        ahead[row.run] = -_decisive(connection, row.run, seq) % BLOCK
    return Standing(seq, link, runs, ahead, frozenset(in_rows), in_columns)


def _columns(connection: Connection, run: str, seq: int) -> tuple[int, int, bool] | None:
    """Of a run in columns the records so far, the number of the last, and whether more follow; None for any other."""
    so_far = select(func.sum(_segments.c.records), func.max(_segments.c.last)).where(_segments.c.run == run)
    held, last = connection.execute(so_far.where(_segments.c.entry <= seq)).one()
    if last is None:
        return None
    later = select(_segments.c.entry).where(_segments.c.run == run, _segments.c.entry > seq).limit(1)
    return int(held), last, connection.execute(later).first() is not None


def _has_rows(connection: Connection, run: str, start: int, seq: int) -> bool:
    first = select(_entries.c.seq).where(_entries.c.seq > start, _entries.c.run == run).order_by(_entries.c.seq).limit(1)
    found = connection.execute(first).scalar()
    return found is not None and found <= seq and has_rows(connection, run, start)


def _decisive(connection: Connection, run: str, seq: int) -> int:
    counts = [select(func.count()).where(table.c.run == run, table.c.entry <= seq) for table in _DECISIVE]
    return sum(connection.execute(count).scalar() or 0 for count in counts)
