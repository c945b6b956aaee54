"""Columns of cells before they are a table: the same throughout, MessagePack already, or one of few texts.

Whoever has many records by column packs a column once, and cuts from it what a group takes: bytes, and no cell is made.
INVARIANT: a column in any of these forms becomes the bytes that its cells as a list become (`tb.ledger.columns`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[Any]

pack = msgspec.msgpack.Encoder(decimal_format="string").encode
unpack = msgspec.msgpack.decode
Cells = Sequence[Any]
REAL = 9  # bytes of a float: one that is nothing is shorter
_BITS = ((7, 0), (8, 0xCC), (16, 0xCD), (32, 0xCE), (64, 0xCF))  # of what is not negative, and what stands before it


@dataclass(frozen=True, slots=True)
class Every:
    """A column with the same cell for every record."""

    value: Any


def array_head(count: int) -> bytes:
    """What MessagePack puts before so many cells."""
    if count < 16:
        return bytes((0x90 | count,))
    return b"\xdc" + count.to_bytes(2, "big") if count < 1 << 16 else b"\xdd" + count.to_bytes(4, "big")


class Packed:
    """Cells that are MessagePack, one after the other: cell k is `data[ends[k]:ends[k + 1]]`."""

    __slots__ = ("data", "ends")

    def __init__(self, data: bytes, ends: Any) -> None:
        self.data, self.ends = data, ends

    def __len__(self) -> int:
        return len(self.ends) - 1

    def cut(self, begin: int, end: int) -> Packed:
        return Packed(self.data, self.ends[begin : end + 1])

    def with_more(self, cells: Cells) -> Packed:
        """The cells with others after them."""
        import numpy as np

        more = [pack(cell) for cell in cells]
        ends = np.cumsum([int(self.ends[-1] - self.ends[0]), *map(len, more)])
        return Packed(self.body + b"".join(more), np.concatenate((self.ends - self.ends[0], ends[1:])))

    @property
    def body(self) -> bytes:
        return self.data[self.ends[0] : self.ends[-1]]

    def array(self) -> bytes:
        """The cells as an array: of one, where all have the same bytes."""
        body, size, count = self.body, int(self.ends[1] - self.ends[0]), len(self.ends) - 1
        if len(body) == size * count and body == body[:size] * count:
            return b"\x91" + body[:size]
        return array_head(count) + body

    def listed(self) -> list[Any]:
        found: list[Any] = unpack(array_head(len(self)) + self.body)
        return found

    def __iter__(self) -> Iterator[Any]:
        return iter(self.listed())

    def count(self, value: object) -> int:
        """How many cells are equal to a value; where all have the same bytes, one is looked at."""
        array = self.array()
        found = unpack(array)
        return (len(self) if found[0] == value else 0) if array[0] == 0x91 else found.count(value)


class Encoded:
    """A column as the bytes that it has in a table, of so many records."""

    __slots__ = ("raw", "size")

    def __init__(self, raw: bytes, size: int) -> None:
        self.raw, self.size = raw, size

    def __len__(self) -> int:
        return self.size

    def listed(self) -> list[Any]:
        found: Any = unpack(self.raw)
        if isinstance(found, dict):
            return list(map(found["of"].__getitem__, found["at"]))
        return found * self.size if len(found) == 1 else found  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.listed())

    def is_all(self, value: object) -> bool:
        """Whether all cells are equal to a value: then they have the same bytes, and there is one."""
        return self.raw[0] == 0x91 and unpack(self.raw) == [value]


class Counts(Packed):
    """Whole numbers that are packed, and as they are."""

    __slots__ = ("values",)

    def __init__(self, data: bytes, ends: Any, values: Ints) -> None:
        super().__init__(data, ends)
        self.values = values

    def with_more(self, cells: Cells) -> Counts:
        import numpy as np

        found = super().with_more(cells)
        return Counts(found.data, found.ends, np.concatenate((self.values, cells)))

    def cut(self, begin: int, end: int) -> Counts:
        return Counts(self.data, self.ends[begin : end + 1], self.values[begin:end])


class Choice:
    """Cells of which there are few: record k has `of[at[k]]`."""

    __slots__ = ("at", "of")

    def __init__(self, of: Sequence[Any], at: bytes) -> None:
        self.of, self.at = of, at

    def __len__(self) -> int:
        return len(self.at)

    def cut(self, begin: int, end: int) -> Choice:
        return Choice(self.of, self.at[begin:end])

    def listed(self) -> list[Any]:
        return list(map(self.of.__getitem__, self.at))

    def __iter__(self) -> Iterator[Any]:
        return map(self.of.__getitem__, self.at)

    def count(self, value: object) -> int:
        return sum(self.at.count(number) for number, one in enumerate(self.of) if one == value)

    def seen(self) -> list[int]:
        """The numbers of those that are there, by their first record."""
        return list(dict.fromkeys(self.at))


@dataclass(frozen=True, slots=True)
class Places:
    """A column of tuples that are equally wide in every record: a column for each place."""

    columns: Collection[Every | Cells | Packed | Choice | Encoded]


class Maps:
    """Mappings whose names are the same in each of those that have any: `has[k]` is 1 where record k is one of them.

    `values` has a column for each name, in the order of the names, with a cell for each of those; `flat` has these cells record
    by record.
    """

    __slots__ = ("flat", "has", "names", "values")

    def __init__(self, names: tuple[str, ...], has: bytes, values: tuple[Packed, ...], flat: Packed) -> None:
        self.names, self.has, self.values, self.flat = names, has, values, flat

    def __len__(self) -> int:
        return len(self.has)

    def cut(self, begin: int, end: int) -> Maps:
        first, has, wide = self.has.count(1, 0, begin), self.has[begin:end], len(self.names)
        last = first + has.count(1)
        values = tuple(column.cut(first, last) for column in self.values)
        return Maps(self.names, has, values, self.flat.cut(first * wide, last * wide))

    def with_more(self, cells: Sequence[Mapping[str, Any]]) -> Maps | None:
        """The cells with others after them; None where these are not empty."""
        return None if any(cells) else Maps(self.names, self.has + bytes(len(cells)), self.values, self.flat)

    def listed(self) -> list[dict[str, Any]]:
        rows = iter([*zip(*(column.listed() for column in self.values), strict=True)])
        return [dict(zip(self.names, next(rows), strict=True)) if has else {} for has in self.has]


class Shaped:
    """Mappings of few shapes: record k has the names of `shapes[at[k]]`, which are in their order, and `flat` has the cells of
    all, record by record."""

    __slots__ = ("at", "flat", "shapes")

    def __init__(self, shapes: Sequence[tuple[str, ...]], at: bytes, flat: Packed) -> None:
        self.shapes, self.at, self.flat = shapes, at, flat

    def __len__(self) -> int:
        return len(self.at)

    def widths(self) -> bytes:
        """How many cells each record has: at most 255."""
        return self.at.translate(bytes(len(one) for one in self.shapes).ljust(256, b"\0"))

    def cut(self, begin: int, end: int) -> Shaped:
        widths = self.widths()
        first = sum(widths[:begin])
        return Shaped(self.shapes, self.at[begin:end], self.flat.cut(first, first + sum(widths[begin:end])))

    def listed(self) -> list[dict[str, Any]]:
        cells = iter(self.flat.listed())
        return [{name: next(cells) for name in self.shapes[number]} for number in self.at]


Column = Every | Places | Packed | Choice | Maps | Shaped | Encoded | Cells
_Cut = Packed | Choice | Maps | Shaped


def cut(column: Column, begin: int, end: int) -> Column:
    """The cells from one place to before another."""
    if isinstance(column, Encoded):
        return column.listed()[begin:end]
    if isinstance(column, Every):
        return column
    if isinstance(column, Places):
        return Places(tuple(cut(one, begin, end) for one in column.columns))  # type: ignore[misc]
    return column.cut(begin, end) if isinstance(column, _Cut) else column[begin:end]


# --- packing -------------------------------------------------------------------------------------------------------------


def texts(cells: Sequence[str]) -> Packed:
    """Texts of at most 31 bytes each in ASCII."""
    import numpy as np

    ends = np.zeros(len(cells) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, cells), dtype=np.int64, count=len(cells)) + 1, out=ends[1:])
    return Packed(pack(cells)[len(array_head(len(cells))) :], ends)


def reals(values: NDArray[Any]) -> Packed:
    """Floats; NaN and the infinities are nothing."""
    import numpy as np

    count = len(values)
    rows = np.empty(count, dtype=[("head", "u1"), ("value", ">f8")])
    rows["head"], rows["value"] = 0xCB, values
    is_known = np.isfinite(values)
    if is_known.all():
        return Packed(rows.tobytes(), REAL * np.arange(count + 1))
    rows["head"][~is_known] = 0xC0
    return _joined(rows.view(np.uint8).reshape(count, REAL), np.where(is_known, REAL, 1))


def numbers(values: Ints) -> Counts:
    """Whole numbers that are not negative."""
    import numpy as np

    count = len(values)
    least, most = (int(values.min()), int(values.max())) if count else (0, 0)
    if least < 0:
        raise ValueError(f"{least} is negative")
    for (bits, _), (above, head) in pairwise(_BITS):
        if least >> bits and not most >> above:  # all are as wide
            rows = np.empty(count, dtype=[("head", "u1"), ("value", f">u{above // 8}")])
            rows["head"], rows["value"] = head, values
            return Counts(rows.tobytes(), (1 + above // 8) * np.arange(count + 1), values)
    if least == most or (count > 1 and not (values[1:] < values[:-1]).any()):
        return _ascending(values)
    shape = [("head", "u1"), ("value", ">u8")]
    rows = np.empty(count, dtype=shape)
    rows["value"] = values
    bytes_, cells = rows.view(np.uint8).reshape(count, REAL), np.zeros((count, REAL), dtype=np.uint8)
    sizes = np.ones(count, dtype=np.int64)
    cells[:, 0] = bytes_[:, -1]
    for (bits, _), (above, head) in pairwise(_BITS):
        which, wide = np.flatnonzero((values >> bits > 0) & ((values >> above == 0) if above < 64 else True)), above // 8
        cells[which, 0], cells[which, 1 : 1 + wide], sizes[which] = head, bytes_[which, REAL - wide :], 1 + wide
    found = _joined(cells, sizes)
    return Counts(found.data, found.ends, values)


def _ascending(values: Ints) -> Counts:
    """Whole numbers none of which is less than the one before: as wide as one another in stretches."""
    import numpy as np

    places = [0, *values.searchsorted([1 << bits for bits, _ in _BITS[:-1]]).tolist(), len(values)]
    parts, sizes = [values[: places[1]].astype(np.uint8).tobytes()], [np.ones(places[1], dtype=np.int64)]
    for begin, end, (bits, _) in zip(places[1:], places[2:], _BITS[1:], strict=False):
        if begin < end:
            found = numbers(values[begin:end])
            parts.append(found.data)
            sizes.append(np.full(end - begin, 1 + bits // 8))
    ends = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(np.concatenate(sizes), out=ends[1:])
    return Counts(b"".join(parts), ends, values)


def _joined(cells: NDArray[Any], sizes: Ints) -> Packed:
    """The first bytes of each row, as many as it has."""
    import numpy as np

    ends = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=ends[1:])
    return Packed(cells[np.arange(cells.shape[1]) < sizes[:, None]].tobytes(), ends)


def maps(names: Sequence[str], has: bytes, columns: Mapping[str, Packed]) -> Maps:
    """Mappings from their columns; all cells are as wide, or there is one name alone."""
    import numpy as np

    ordered = tuple(sorted(names))
    values = tuple(columns[name] for name in ordered)
    if len(values) < 2:
        return Maps(ordered, has, values, values[0] if values else Packed(b"", np.zeros(1, dtype=np.int64)))
    bodies, count = [column.body for column in values], len(values[0])
    if all(len(body) == REAL * count for body in bodies):  # none is nothing
        rows = np.stack([np.frombuffer(body, dtype=np.uint8).reshape(count, REAL) for body in bodies], axis=1)
        return Maps(ordered, has, values, Packed(rows.tobytes(), REAL * np.arange(count * len(values) + 1)))
    flat = [cell for row in zip(*(column.listed() for column in values), strict=True) for cell in row]
    return Maps(ordered, has, values, reals(np.array([np.nan if cell is None else cell for cell in flat])))
