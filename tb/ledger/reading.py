"""Reads runs that are recorded in columns: the index says which segments may hold what is wanted, the columns which records.

1. `segments_with` asks the index: kind, numbers, instants and names.
2. `_matching` looks at the columns that are asked about, and at no other.
3. The records that match are made and put into the order of their numbers. Segments of one group overlap; `swept` holds back
   no more records than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from tb.core.encode import canonical
from tb.ledger.place import Place
from tb.ledger.queries import payload_as_it_stands as _payload
from tb.ledger.queries import unreadable
from tb.ledger.segments import Stored
from tb.ledger.tables import Entry, SegmentRow, table_of

_segments, _entries = table_of(SegmentRow), table_of(Entry)
_LISTED = {"instrument": "instruments", "strategy": "strategies", "verdict": "verdicts"}
_NUMBERED = frozenset({"seq", "decision"})  # fields that `low` and `high` bound


@dataclass(frozen=True, slots=True)
class Wanted:
    """Records of one kind whose fields equal what is wanted (None: any), of decisions those with `since <= at < until`."""

    kind: str
    equal: Mapping[str, object] = field(default_factory=dict)
    since: int | None = None
    until: int | None = None
    refused_only: bool = False
    numbered: str = ""  # the field of `equal` that the index bounds

    def said(self) -> dict[str, Any]:
        return {name: value for name, value in self.equal.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A segment by its entry; its records have these numbers and, where `low` says so, decisions of these."""

    entry: int
    first: int
    low: int


def segments_with(connection: Connection, run: str, wanted: Wanted) -> list[Stretch]:
    """Segments that may hold what is wanted, by their first record."""
    statement = select(_segments.c.entry, _segments.c.first, _segments.c.low)
    statement = statement.where(_segments.c.run == run, _segments.c.kind == wanted.kind)
    for name, value in wanted.said().items():
        if name == wanted.numbered:
            statement = statement.where(_segments.c.low <= value, _segments.c.high >= value)
        elif name in _LISTED:
            listed = _segments.c[_LISTED[name]]
            statement = statement.where(listed.is_(None) | listed.contains(canonical(value).decode(), autoescape=True))
    if wanted.since is not None:
        statement = statement.where(_segments.c.ends >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(_segments.c.begins < wanted.until)
    return [Stretch(entry, first, low or 0) for entry, first, low in connection.execute(statement.order_by(_segments.c.first))]


def load(connection: Connection, path: Place, entry: int, wanted: Wanted | None = None) -> Stored | None:
    """The segment of an entry; None where it cannot hold what is wanted. Raises `Refused` TB710 for one that does not read."""
    payload = connection.execute(select(_payload).where(_entries.c.seq == entry)).scalar()
    if not isinstance(payload, bytes):
        raise unreadable(path, entry)
    texts = [value for value in wanted.said().values() if isinstance(value, str)] if wanted is not None else []
    if not all(text.encode() in payload for text in texts):
        return None  # text stands in columns as it is
    with reading(path, entry):
        return Stored(payload)


class reading:  # noqa: N801 -- reads as a statement: with reading(path, entry)
    """Turns what is wrong with the columns of an entry into `Refused` TB710."""

    def __init__(self, path: Place, entry: int) -> None:
        self.path, self.entry = path, entry

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, ValueError | TypeError | msgspec.MsgspecError):
            raise unreadable(self.path, self.entry) from problem


def _matching(stored: Stored, wanted: Wanted) -> Sequence[int]:
    """Places of the records that are wanted."""
    table = stored.table
    found: Sequence[int] = range(table.count)
    for name, value in wanted.said().items():
        cells = table.cells(name)
        found = [at for at in found if cells[at] == value]
    if wanted.since is not None or wanted.until is not None:
        instants, since = table.cells("at"), wanted.since
        found = [at for at in found if (since is None or instants[at] >= since)]
        found = [at for at in found if (wanted.until is None or instants[at] < wanted.until)]
    if wanted.refused_only:
        approved = table.cells("approved")
        found = [at for at in found if approved[at] == 0]
    return found


def records_of(connection: Connection, path: Place, entry: int, wanted: Wanted) -> list[tuple[int, Any]]:
    """The records of a segment that are wanted, each with its number in the run. Raises `Refused` TB710."""
    stored = load(connection, path, entry, wanted)
    if stored is None:
        return []
    with reading(path, entry):
        at = _matching(stored, wanted)
        if not at:
            return []
        whole = len(at) == stored.table.count
        return list(zip([stored.numbers[one] for one in at], stored.table.records(None if whole else at), strict=True))


def found(connection: Connection, path: Place, run: str, wanted: Wanted) -> list[Any]:
    """All records that are wanted, in the order of their numbers. Raises `Refused` TB710."""
    kept: list[tuple[int, Any]] = []
    for place in segments_with(connection, run, wanted):
        kept += records_of(connection, path, place.entry, wanted)
    return [record for _, record in sorted(kept, key=lambda one: one[0])]


def swept(places: Sequence[Stretch], read: Callable[[Stretch], list[tuple[int, Any]]]) -> Iterator[Any]:
    """The records of segments in the order of their numbers, holding back those that a later segment may come before."""
    held: list[tuple[int, Any]] = []
    for at, place in enumerate(places):
        held = sorted([*held, *read(place)], key=lambda one: one[0])
        if at + 1 < len(places):
            before = places[at + 1].first
            ready = sum(1 for number, _ in held if number < before)
        else:
            ready = len(held)
        yield from (record for _, record in held[:ready])
        held = held[ready:]


def all_segments(connection: Connection, run: str, kinds: Sequence[str]) -> list[tuple[Stretch, str]]:
    """The segments of these kinds by their first record."""
    statement = select(_segments.c.entry, _segments.c.first, _segments.c.low, _segments.c.kind)
    statement = statement.where(_segments.c.run == run, _segments.c.kind.in_(kinds)).order_by(_segments.c.first)
    return [(Stretch(entry, first, low or 0), kind) for entry, first, low, kind in connection.execute(statement)]
