"""Segments: the records of one kind and shape among a group of consecutive records of a run, as one entry of the chain.

A run that is recorded in columns numbers its records from 1. A group is a stretch of these numbers; it is split into segments
by kind, decisions also by strategy, `enter` and kind, so that what a decision read has one width. The payload is MessagePack:
the number of the first record and the distances from each to the next, then the table of `tb.ledger.columns`. The numbers put
the records of all kinds back into their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, compress
from operator import attrgetter, sub
from typing import Any, get_args

import msgspec

from tb.core.encode import canonical
from tb.core.records import Decision, Latch, Quiet, Record, Trade
from tb.ledger.cells import array_head
from tb.ledger.columns import Schema, Table
from tb.ledger.promises import Kept, Promised, cut_from, is_one, made, numbers

SEGMENT = "segment"  # the kind of such an entry
KINDS: dict[str, type[msgspec.Struct]] = {kind.__name__: kind for kind in get_args(Record)}
DECISIVE = frozenset((Decision, Quiet, Latch))  # the kinds that make up a decision log
DECIDING = DECISIVE | {Promised}  # and what may stand in their place
MANY = 32  # distinct names up to which the index of a segment lists them

_pack = msgspec.msgpack.Encoder().encode
_payload = msgspec.msgpack.Decoder(tuple[list[int], bytes]).decode
_shape_of_decision = attrgetter("strategy", "enter", "kind")


@cache
def schemas() -> dict[str, Schema]:
    """How each kind of record becomes columns."""
    return {name: Schema(kind) for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Segment:
    """Records of one kind and shape; `places` are theirs in the group, from 0: a list, or an array of NumPy where the `records`
    are there as columns (`tb.ledger.sheets`)."""

    kind: str
    places: Sequence[int]
    records: Any
    table: bytes

    def payload(self, first: int) -> bytes:
        """The bytes of its entry in a group whose first record has that number."""
        return _pack((msgspec.Raw(_steps(first, self.places)), self.table))

    def index(self, first: int) -> tuple[Any, ...]:
        """What the index says of it there."""
        return index_of(self.kind, (first + int(self.places[0]), first + int(self.places[-1])), self.records)


def _steps(first: int, places: Any) -> bytes:
    """The first number and the distances from each to the next, as an array of MessagePack."""
    if isinstance(places, list | range):
        begin, end = places[0], places[-1]
        if end - begin == len(places) - 1:  # one after the other
            return array_head(len(places)) + _pack(first + begin) + b"\x01" * (end - begin)
        return _pack([first + begin, *map(sub, places[1:], places)])
    steps = places[1:] - places[:-1]
    if len(steps) and int(steps.max()) > 127:  # more than one byte each
        return _steps(first, places.tolist())
    rest: bytes = steps.astype("u1").tobytes()
    return array_head(len(places)) + _pack(first + int(places[0])) + rest


_Shapes = list[tuple[list[int], list[Any]]]  # places and records of each shape


def _shapes_of(records: Iterable[Any]) -> _Shapes:
    """By the first record of each; raises `TypeError` for what is no record."""
    records = list(records)
    if is_one(records) or (set(map(type, records)) == {Decision} and len(set(map(_shape_of_decision, records))) == 1):
        return [(list(range(len(records))), records)]
    shapes: dict[Any, tuple[list[int], list[Any]]] = {}
    for place, record in enumerate(records):
        kind = type(record)
        shape = _shape_of_decision(record) if kind is Decision else record.key if kind is Promised else kind
        if shape not in shapes:
            shapes[shape] = ([], [])
        places, found = shapes[shape]
        places.append(place)
        found.append(record)
    for _, found in shapes.values():
        if type(found[0]) is not Promised and KINDS.get(type(found[0]).__name__) is not type(found[0]):
            raise TypeError(f"not a record of the ledger: {type(found[0]).__name__}")
    return list(shapes.values())


def _encoded(shapes: _Shapes, told: Kept) -> list[Segment]:
    return [_segment(places, found, told) for places, found in shapes]


def _segment(places: list[int], found: list[Any], told: Kept) -> Segment:
    """Records of one kind and shape; some or all of them may be promised."""
    if is_one(found):
        sheet = told[found[0]].sheet()
        return Segment("Decision", places, sheet, sheet.table())
    if told and Promised in set(map(type, found)):
        found = list(made(found, told))
    name = type(found[0]).__name__
    return Segment(name, places, found, schemas()[name].encode(found))


def segments_of(records: Iterable[Any]) -> list[Segment]:
    """The segments of consecutive records, by the first record of each.

    Raises `TypeError` for what is no record, and what `Schema.encode` raises.
    """
    return _encoded(_shapes_of(records), {})


class Group:
    """Consecutive records of a run, the first that is kept with number `first`; some may be promised. Each segment is encoded
    once, when asked for.

    Its segments raise as `segments_of`.
    """

    def __init__(self, first: int, records: Sequence[Record | Promised]) -> None:
        self.first, self._given, self._told = first, records, cut_from(records)

    @property
    def sheets(self) -> Sequence[Any]:
        """What is kept of it and is there as columns (`tb.ledger.sheets.Sheet`)."""
        return ()

    @property
    def beside(self) -> Iterable[Record]:
        """The records that are on no sheet, in order."""
        return self.records

    @cached_property
    def records(self) -> Sequence[Record]:
        """All of them as records."""
        return list(made(self._given, self._told))

    @property
    def size(self) -> int:
        """How many records are kept."""
        return len(self.kept)

    @property
    def decision_numbers(self) -> Sequence[int]:
        """The numbers of its decisions, in the order of its records."""
        return numbers(self.kept, self._told)

    @cached_property
    def kept(self) -> Sequence[Record | Promised]:
        """What is written: of a trade that opened and closed within the group, the last record says all."""
        given = self._given
        if is_one(given) or Trade not in set(map(type, given)):
            return given
        trades = {place: record for place, record in enumerate(given) if isinstance(record, Trade)}
        last = {trade.seq: place for place, trade in trades.items()}
        if len(last) == len(trades):
            return given
        stays = bytearray(b"\x01") * len(given)
        for place in set(trades).difference(last.values()):
            stays[place] = 0
        return list(compress(given, stays))

    @cached_property
    def _shapes(self) -> _Shapes:
        return _shapes_of(self.kept)

    @cached_property
    def decisive(self) -> list[Segment]:
        """The segments that belong to the decision log."""
        return _encoded([shape for shape in self._shapes if type(shape[1][0]) in DECIDING], self._told)

    @cached_property
    def segments(self) -> list[Segment]:
        """All segments, by the first record of each."""
        others = _encoded([shape for shape in self._shapes if type(shape[1][0]) not in DECIDING], {})
        return sorted([*self.decisive, *others], key=lambda segment: segment.places[0])

    @cached_property
    def entries(self) -> list[tuple[bytes, tuple[Any, ...]]]:
        """The payload of each segment, and what the index says of it."""
        return [(segment.payload(self.first), segment.index(self.first)) for segment in self.segments]


class Stored:
    """A segment as it was stored. Raises `ValueError` or `msgspec.MsgspecError` for a payload that is none."""

    def __init__(self, payload: bytes) -> None:
        steps, table = _payload(payload)
        self.table = Table(table, schemas())
        self.kind = self.table.schema.name
        self.numbers = list(accumulate(steps))
        if len(steps) != self.table.count or min(steps) < 1:
            raise ValueError(f"{len(steps)} numbers for {self.table.count} records")


def _cells(records: Any, field: str) -> Sequence[Any]:
    """A field of records, which may be there as columns (`tb.ledger.sheets`)."""
    return records.cells(field) if hasattr(records, "cells") else list(map(attrgetter(field), records))


def _names(records: Any, field: str) -> str | None:
    found = set(_cells(records, field))
    return canonical(sorted(found)).decode() if len(found) <= MANY else None


def _span(records: Any, field: str) -> tuple[int, int]:
    """The least and the most of a field."""
    if hasattr(records, "span"):
        found: tuple[int, int] = records.span(field)
        return found
    cells = _cells(records, field)
    return min(cells), max(cells)


_INSTANTS = {"Quiet": ("first", "last"), "Curve": ("first", "last"), "Trade": ("entry_at", "entry_at")}
_COUNTED = {"Decision": "seq", "Trade": "seq", "Order": "decision"}


def index_of(kind: str, numbers: tuple[int, int], records: Sequence[Any]) -> tuple[Any, ...]:
    """What the index says of a segment, in the order of `tb.ledger.tables.SegmentRow`."""
    begins, ends = _INSTANTS.get(kind, ("at", "at"))
    first = _span(records, begins)
    last = first if begins == ends else _span(records, ends)
    counted = _span(records, _COUNTED[kind]) if kind in _COUNTED else (None, None)
    fields = KINDS[kind].__struct_fields__
    return (
        kind,
        len(records),
        *numbers,
        first[0],
        last[1],
        *counted,
        *(_names(records, field) if field in fields else None for field in ("instrument", "strategy", "verdict")),
    )
