"""Sheets: records of one kind and shape that are columns before they are records, and groups that are made of them.

Whoever passes over many events at once knows their records by column. A sheet becomes the table that its records would become,
without any of them being made; they are made when somebody asks for them.

INVARIANT: a group of sheets has the segments of the group of its records, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol

from tb.core.records import Decision, Record
from tb.ledger.cells import Choice, Column, Counts, Every, Maps, Packed, Shaped, cut
from tb.ledger.columns import Table
from tb.ledger.layouts import Layout, table_of
from tb.ledger.segments import DECISIVE, KINDS, Group, Segment, schemas


class Sheet:
    """`count` records of a kind. Decimals may stand as their texts. A field that is not named has its default throughout."""

    __slots__ = ("_begin", "_layout", "columns", "count", "kind")

    def __init__(self, kind: type, count: int, columns: dict[str, Column]) -> None:
        self.kind, self.count, self.columns = kind, count, columns
        self._layout: Layout | None = None  # of that from which parts are cut
        self._begin = 0

    def part(self, begin: int, end: int) -> Sheet:
        """The records from one place to before another."""
        self._layout = self._layout or Layout(schemas()[self.kind.__name__], self.columns)
        part = Sheet.__new__(Sheet)
        part.kind, part.count, part.columns, part._layout = self.kind, end - begin, self.columns, self._layout
        part._begin = self._begin + begin
        return part

    def __len__(self) -> int:
        return self.count

    def table(self) -> bytes:
        """As `tb.ledger.columns.Schema.encode` of the records, and raises as it does."""
        if self._layout is None:
            return table_of(schemas()[self.kind.__name__], self.count, self.columns)
        return self._layout.table(self._begin, self._begin + self.count)

    def records(self, at: Iterable[int] | None = None) -> list[Any]:
        """All of them as records, or those at the places named."""
        found: list[Any] = Table(self.table(), schemas()).records(at)
        return found

    def column(self, name: str) -> Column:
        """A field of the records as a column."""
        return cut(self.columns[name], self._begin, self._begin + self.count)

    def cells(self, name: str) -> Sequence[Any]:
        """A field of the records; one cell where it is the same in all of them."""
        found = self.column(name)
        if isinstance(found, Every):
            return [found.value]
        return found.listed() if isinstance(found, Packed | Choice | Maps | Shaped) else found  # type: ignore[return-value]

    def all_cells(self, name: str) -> Sequence[Any]:
        """A field of each of the records."""
        found = self.cells(name)
        return found if len(found) == self.count else [*found] * self.count

    def with_more(self, records: Sequence[Any]) -> Sheet | None:
        """The records with others of the kind after them; None where a column does not take them."""
        columns: dict[str, Column] = {}
        for name in self.columns:
            column, cells = self.column(name), [getattr(record, name) for record in records]
            if isinstance(column, Every) and all(cell == column.value for cell in cells) and not isinstance(column.value, str):
                columns[name] = column
            elif isinstance(column, Packed | Maps) and (found := column.with_more(cells)) is not None:
                columns[name] = found
            else:
                return None
        return Sheet(self.kind, self.count + len(records), columns)

    def span(self, name: str) -> tuple[int, int]:
        """The least and the most of a field of whole numbers."""
        found = self.column(name)
        if isinstance(found, Counts):
            return int(found.values.min()), int(found.values.max())
        cells = self.cells(name)
        return (cells[0], cells[-1]) if isinstance(cells, range) else (min(cells), max(cells))


class Stream(Protocol):
    """Consecutive records of a run, `count` of them; `decisive` are the places of those that belong to the decision log."""

    count: int

    @property
    def decisive(self) -> Sequence[int]: ...

    def records(self, begin: int, end: int) -> list[Record]:
        """Those from one place to before another."""
        ...

    def group(self, first: int, begin: int, end: int) -> Group:
        """The same as a group whose first record that is kept has the number `first`."""
        ...


class SheetGroup(Group):
    """A group whose records are on sheets, but for some `beside` them; each with its places among those that are kept: an array
    of NumPy, or a list."""

    def __init__(
        self,
        first: int,
        size: int,
        sheets: Sequence[tuple[Any, Sheet]],
        beside: Sequence[tuple[Sequence[int], Sequence[Record]]],
        made: Callable[[], list[Record]],
    ) -> None:
        self.first, self._size, self._sheets, self._beside, self._made = first, size, sheets, beside, made

    def with_more(self, records: Sequence[Record]) -> Group:
        """The group with records after it, none of which are of trades, orders or decisions."""
        sheets, beside = list(self._sheets), {type(of[0]): (list(places), list(of)) for places, of in self._beside}
        for kind in dict.fromkeys(map(type, records)):
            more = [(self._size + at, record) for at, record in enumerate(records) if type(record) is kind]
            which = [number for number, (_, sheet) in enumerate(sheets) if sheet.kind is kind]
            if which:
                places, sheet = sheets[which[0]]
                longer = sheet.with_more([record for _, record in more])
                if longer is None:
                    return Group(self.first, [*self.records, *records])
                sheets[which[0]] = [*map(int, places), *(at for at, _ in more)], longer
            else:
                at, found = beside.setdefault(kind, ([], []))
                at += [place for place, _ in more]
                found += [record for _, record in more]
        made = self._made
        return SheetGroup(self.first, self._size + len(records), sheets, list(beside.values()), lambda: [*made(), *records])

    @property
    def sheets(self) -> Sequence[Sheet]:
        return [sheet for _, sheet in self._sheets]

    @property
    def beside(self) -> Iterable[Record]:
        placed = [pair for places, records in self._beside for pair in zip(map(int, places), records, strict=True)]
        return [record for _, record in sorted(placed, key=lambda pair: pair[0])]

    @cached_property
    def records(self) -> Sequence[Record]:
        return self._made()

    @property
    def size(self) -> int:
        return self._size

    @property
    def decision_numbers(self) -> Sequence[int]:
        found = [sheet.cells("seq") for _, sheet in self._sheets if sheet.kind is Decision]
        return found[0] if len(found) == 1 else [seq for one in found for seq in one]

    def _of(self, decisive: bool) -> list[Segment]:
        found = [
            Segment(sheet.kind.__name__, places, sheet, sheet.table())
            for places, sheet in self._sheets
            if (sheet.kind in DECISIVE) == decisive
        ]
        for places, records in self._beside:
            name = type(records[0]).__name__
            if (KINDS[name] in DECISIVE) == decisive:
                found.append(Segment(name, places, records, schemas()[name].encode(records)))
        return sorted(found, key=lambda segment: segment.places[0])

    @cached_property
    def decisive(self) -> list[Segment]:
        return self._of(decisive=True)

    @cached_property
    def segments(self) -> list[Segment]:
        return sorted([*self.decisive, *self._of(decisive=False)], key=lambda segment: segment.places[0])
