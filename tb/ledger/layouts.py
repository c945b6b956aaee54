"""Tables out of columns that are there for many records: what is the same in each stretch of them is made once.

Whoever cuts columns into tables says once how they stand in them (`Layout`), and asks for stretch after stretch: a column that
is the same throughout is bytes already, and one that stands in a table twice is looked at once.

INVARIANT: the table of a stretch is that of its records, byte for byte (`tb.ledger.columns`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tb.ledger.cells import Column, Every, Packed, Places, array_head, cut, numbers, pack, unpack
from tb.ledger.columns import Columns, Scalar, Schema, Wide, cells_of, is_all

LEFT_OUT = -2  # in place of a width: the field has its default in the whole stretch
Put = Callable[[int, int, Columns], int | None]  # writes the columns of a field for a stretch, and returns their width


class _Stretches:
    """A packed column, of which stretches are cut as arrays."""

    __slots__ = ("_at", "_column", "_data", "_ends", "_raw")

    def __init__(self, column: Packed) -> None:
        self._column, self._data, self._ends = column, column.data, column.ends
        self._at, self._raw = (-1, -1), b""

    def array(self, begin: int, end: int, scalar: Scalar) -> bytes:
        """As `Scalar` writes the cells of the stretch."""
        if scalar.is_text:
            return scalar.array_of(self._column.cut(begin, end))
        ends, count = self._ends, end - begin
        first, second, last = int(ends[begin]), int(ends[begin + 1]), int(ends[end])
        scalar.require_finite(last - first, count)
        if self._at != (begin, end):
            cell, body = self._data[first:second], self._data[first:last]
            is_one = body.endswith(cell) and len(body) == len(cell) * count and body == cell * count
            self._at, self._raw = (begin, end), b"\x91" + cell if is_one else array_head(count) + body
        return self._raw


class Layout:
    """How columns become tables of a kind. A field without a column has its default; Decimals may be texts.

    Raises `KeyError` where a field has neither column nor default.
    """

    def __init__(self, schema: Schema, columns: Mapping[str, Column]) -> None:
        self._name, self._fields = schema.name, list[tuple[str, Put]]()
        self._known = dict[int, tuple[Column, _Stretches]]()  # by identity
        for (name, field), default in zip(schema.fields.items(), schema.defaults, strict=True):
            column = columns[name] if name in columns or name in schema.required else schema.otherwise[name]
            has_default = default is not msgspec.NODEFAULT
            if isinstance(column, Every) and has_default and is_all(column, default, 0):
                continue
            self._fields.append((name, self._put(field, column, default)))

    def table(self, begin: int, end: int) -> bytes:
        """The table of the records from one place to before another. Raises as `Schema.encode`."""
        out, names, widths = Columns(), list[str](), list[int | None]()
        for name, put in self._fields:
            width = put(begin, end, out)
            if width != LEFT_OUT:
                names.append(name)
                widths.append(width)
        return pack((self._name, end - begin, names, widths, out.array()))

    def _put(self, field: Any, column: Column, default: object) -> Put:
        if isinstance(column, Every):
            return _always(field, column)
        if isinstance(column, range):
            column = _counted(column)
        if isinstance(column, Packed) and isinstance(field, Scalar):
            return _packed(self._stretches(column), field, default)
        if isinstance(column, Places) and isinstance(field, Wide):
            return _together([self._put(field.cell, one, msgspec.NODEFAULT) for one in column.columns])
        return _cut(field, column, default)

    def _stretches(self, column: Packed) -> _Stretches:
        """The same for the same column."""
        if id(column) not in self._known:
            self._known[id(column)] = column, _Stretches(column)
        return self._known[id(column)][1]


def table_of(schema: Schema, count: int, columns: Mapping[str, Column]) -> bytes:
    """The table of so many records, all at once; as `Layout` gives it of the whole stretch, and raises as it does."""
    out, names, widths = Columns(), list[str](), list[int | None]()
    for (name, field), default in zip(schema.fields.items(), schema.defaults, strict=True):
        column = columns[name] if name in columns or name in schema.required else schema.otherwise[name]
        if default is not msgspec.NODEFAULT and is_all(column, default, count):
            continue
        names.append(name)
        widths.append(field.put(cells_of(column), out))
    return pack((schema.name, count, names, widths, out.array()))


def _counted(column: range) -> Column:
    import numpy as np

    return numbers(np.array(column, dtype=np.int64)) if len(column) and min(column[0], column[-1]) >= 0 else column


def _always(field: Any, column: Every) -> Put:
    kept = Columns()
    width = field.put(cells_of(column), kept)
    raws = tuple(kept.raws)

    def put(begin: int, end: int, out: Columns) -> int | None:
        out.raws.extend(raws)
        return width  # type: ignore[no-any-return]

    return put


def _packed(stretches: _Stretches, scalar: Scalar, default: object) -> Put:
    has_default = default is not msgspec.NODEFAULT

    def put(begin: int, end: int, out: Columns) -> int | None:
        raw = stretches.array(begin, end, scalar)
        if has_default and raw[0] == 0x91 and unpack(raw) == [default]:
            return LEFT_OUT
        out.add(raw)
        return None

    return put


def _together(puts: Sequence[Put]) -> Put:
    def put(begin: int, end: int, out: Columns) -> int | None:
        for one in puts:
            one(begin, end, out)
        return len(puts)

    return put


def _cut(field: Any, column: Column, default: object) -> Put:
    has_default = default is not msgspec.NODEFAULT

    def put(begin: int, end: int, out: Columns) -> int | None:
        stretch = cut(column, begin, end)
        if has_default and is_all(stretch, default, end - begin):
            return LEFT_OUT
        return field.put(cells_of(stretch), out)  # type: ignore[no-any-return]

    return put
