"""Many entries at once: whether the chain holds along them and they read as their kinds, in a fraction of the time.

Each function says what it found where everything is as it should be, and nothing where it is not: then the walk takes the
entries one after the other, and says what is wrong (`tb.ledger.walk`). Nothing is changed by asking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tb.core.records import Decision
from tb.ledger import sparing
from tb.ledger.chain import named
from tb.ledger.projection import SHAPES, Row
from tb.ledger.streaming import Streams
from tb.ledger.tables import Entry

FEWEST, MOST = 16, 256  # entries in a batch
BYTES = 1 << 20  # payloads that are held for one: a segment may have a megabyte by itself

_DECISION = Decision.__name__
_COLUMNS = {kind: shape.columns for kind, shape in SHAPES.items()}
_DECODE = {kind: shape.decode for kind, shape in SHAPES.items()}


def batches(streams: Streams, *, after: int | None = None, until: int | None = None) -> Iterator[list[Row]]:
    """The entries in order, few at a time where they are long; those beyond `after` and not beyond `until` where these are
    given."""
    pages = streams.pages(Entry, after=after, until=until)
    size = FEWEST
    while batch := pages(size):
        yield batch
        held = sum(len(row[3]) for row in batch if isinstance(row[3], bytes))
        size = min(MOST, max(FEWEST, BYTES * len(batch) // (held + 1)))


def last_link(batch: Sequence[Row], seq: int, previous: bytes) -> bytes | None:
    """The hash of the last entry of a batch that follows entry `seq`; None where the chain does not hold along it."""
    sha256 = hashlib.sha256
    for number, run, kind, payload, before, link in batch:
        seq += 1
        if number != seq or before != previous or type(payload) is not bytes or type(run) is not str or type(kind) is not str:
            return None
        if sha256(previous + named(kind, run) + len(payload).to_bytes(8, "big") + payload).digest() != link:
            return None
        previous = link
    return previous


def records_in(batch: Sequence[Row]) -> tuple[list[Any], dict[str, list[Row]]] | None:
    """The records of a batch, and by kind the rows that their projections should have; None where an entry is no record.

    Decisions may be `Sparing`: all that a decision log and a projection need of them.
    """
    rows: dict[str, list[Row]] = {}
    try:
        decisions = iter(sparing.read([row[3] for row in batch if row[2] == _DECISION]))
        records = [next(decisions) if row[2] == _DECISION else _DECODE[row[2]](row[3]) for row in batch]
        for (seq, run, kind, *_), record in zip(batch, records, strict=True):
            columns = sparing.row_of if type(record) is sparing.Sparing else _COLUMNS[kind]
            row = (seq, run, *columns(record))
            if kind in rows:
                rows[kind].append(row)
            else:
                rows[kind] = [row]
    except (KeyError, msgspec.MsgspecError, ValueError, TypeError):
        return None
    return records, rows
