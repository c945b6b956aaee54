"""Records of one kind as columns: the canonical bytes that the ledger chains and the decision log hashes.

1. A table is MessagePack: kind, number of records, names of the fields it holds, their widths, and the columns in the order of
   the names. A field that has its default in every record is left out, so a field added later changes no older bytes.
2. A scalar is one column. A tuple of scalars as wide in every record is one column for each place (its width), else (width -1)
   a column of lengths and one of all cells. A mapping is a column of its sorted keys and its values like a tuple. What is
   nested deeper is the canonical JSON of each value.
3. A column is its cells as an array. Where all cells are the same bytes, the array has one. Text with few distinct values is
   a map: `of` has them in the order of first appearance, `at` one byte for each record. A column with the bytes of an earlier
   one, where these are more than a few, is that one's number.

Decimals are their exact text, bitmasks decimal digits, floats 8 bytes; NaN and the infinities are nothing, as in a row, or
refused where a record must have a number. Which form a column takes follows from its cells alone: the same records give the
same bytes, on every machine and in every version of Python.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from tb.core.encode import canonical
from tb.ledger.cells import REAL, Cells, Choice, Column, Encoded, Every, Maps, Packed, Places, Shaped, array_head
from tb.ledger.cells import pack as _pack

LOOK, FEW, SHORT = 32, 8, 8  # text is looked at for distinct values this far, up to so many; columns this short are not shared
RAGGED = -1
FLOAT = b"\xcb"  # stands before one; a large whole number is as wide
NOTHING = b"\x91\xc0"  # one cell without a value


class Columns:
    """Columns on their way out."""

    __slots__ = ("add", "raws")

    def __init__(self) -> None:
        self.raws: list[bytes] = []
        self.add = self.raws.append

    def again(self) -> None:
        """The column that was added last, once more."""
        self.add(self.raws[-1])

    def array(self) -> msgspec.Raw:
        """All of them, those that were there already by number."""
        first, others = dict[bytes, int](), dict[bytes, list[int]]()  # by their ends, which tell nearly all apart
        told, raws = [array_head(len(self.raws))], self.raws
        for place, raw in enumerate(raws):
            if len(raw) > SHORT:
                number = first.setdefault(raw[-32:], place)
                if number != place and raws[number] != raw:
                    alike = others.setdefault(raw[-32:], [])
                    number = next((other for other in alike if raws[other] == raw), place)
                    if number == place:
                        alike.append(place)
                if number != place:
                    raw = _pack(number)
            told.append(raw)
        return msgspec.Raw(b"".join(told))


def _array(cells: Cells) -> bytes:
    """The cells as an array: of one, where all have the same bytes."""
    if len(cells) == 1:
        return _pack(cells)
    raw, one = _pack(cells), _pack(cells[:1])
    cell = one[1:]
    if not raw.endswith(cell):
        return raw
    head, count = len(array_head(len(cells))), len(cells)
    return one if len(raw) == head + count * len(cell) and raw[head:] == cell * count else raw


def text_of(cells: Cells) -> bytes:
    """Text, or nothing: few distinct values are told once."""
    if cells[-1] == cells[0] and cells.count(cells[0]) == len(cells):
        return _pack(cells[:1])
    if len(dict.fromkeys(cells[:LOOK])) > FEW:
        return _pack(cells)
    distinct = dict.fromkeys(cells)
    if len(distinct) == 1:
        return _pack(cells[:1])
    if len(distinct) > 255 or 2 * len(distinct) > len(cells):
        return _pack(cells)
    at = dict(zip(distinct, range(256), strict=False))
    return _pack({"of": list(distinct), "at": bytes(map(at.__getitem__, cells))})


def _real(cells: Cells) -> bytes:
    """Floats, or nothing. Their sum shows whether all are finite, their bytes whether all are floats; else each is read."""
    raw = _array(cells)
    if raw == NOTHING:
        return raw
    try:
        is_finite = math.isfinite(sum(cells, 0.0))
    except TypeError:  # some are nothing
        is_finite = False
    count = 1 if len(raw) == 1 + REAL else len(cells)
    head = len(array_head(count))
    if is_finite and len(raw) == head + REAL * count and raw[head::REAL] == FLOAT * count:
        return raw
    return _array([None if cell is None or not math.isfinite(cell) else float(cell) for cell in cells])


def _chosen(column: Choice) -> bytes:
    """As `text_of` of its cells; there are few to choose from."""
    seen, count = column.seen(), len(column)
    of = [column.of[number] for number in seen]
    if len(of) == 1:
        return _pack(of)
    if len(set(column.at[:LOOK])) > FEW or 2 * len(of) > count or len(of) > 255:
        return _pack(column.listed())
    at = column.at if seen == list(range(len(seen))) else column.at.translate(_ranks(seen))
    return _pack({"of": of, "at": at})


def _ranks(seen: Sequence[int]) -> bytes:
    table = bytearray(256)
    for rank, number in enumerate(seen):
        table[number] = rank
    return bytes(table)


class _Reading:
    """Columns on their way in, in order."""

    __slots__ = ("_at", "columns", "count")

    def __init__(self, columns: Sequence[msgspec.Raw], count: int, at: int) -> None:
        self.columns, self.count, self._at = columns, count, at

    def take(self, decode: Callable[[bytes], list[Any]], count: int | None = None) -> list[Any]:
        """The cells of the next column; raises `ValueError` where there are more or fewer than records."""
        raw = bytes(self.columns[self._at])
        self._at += 1
        if raw[0] < 0x80 or 0xCC <= raw[0] <= 0xCF:
            at = msgspec.msgpack.decode(raw)
            if at >= self._at - 1:
                raise ValueError("a column stands for one that comes later")
            raw = bytes(self.columns[at])
        expected = self.count if count is None else count
        if raw[0] & 0xF0 == 0x80:
            found = msgspec.msgpack.decode(raw, type=dict[str, msgspec.Raw])
            of = decode(bytes(found["of"]))
            cells = list(map(of.__getitem__, msgspec.msgpack.decode(found["at"], type=bytes)))
        else:
            cells = decode(raw)
            if len(cells) == 1:
                cells *= expected
        if len(cells) != expected:
            raise ValueError(f"a column has {len(cells)} cells for {expected} records")
        return cells


class Scalar:
    """A number, a text, a truth or bytes, or nothing where the record allows it."""

    def __init__(self, name: str, kind: Any) -> None:
        self.name = name
        kinds = _without_none(kind)
        self.is_optional = len(kinds) < len(typing.get_args(kind) or (kind,)) if _is_union(kind) else False
        self.decode: Callable[[bytes], list[Any]] = msgspec.msgpack.Decoder(list[kind]).decode
        plain = kinds[0] if len(kinds) == 1 else str
        self.is_text = plain is str or typing.get_origin(plain) is typing.Literal
        self.encode = text_of if self.is_text else _real if plain is float else _array
        self.must_be_finite = plain is float and not self.is_optional
        self.is_plain = self.is_text or plain is int  # equal ones are the same bytes

    def put(self, cells: Cells | Packed | Choice | Encoded, out: Columns) -> int | None:
        if isinstance(cells, Encoded):
            out.add(cells.raw)
        elif isinstance(cells, Packed):
            out.add(self.array_of(cells))
        elif isinstance(cells, Choice):
            out.add(_chosen(cells))
        else:
            if self.must_be_finite and not all(map(math.isfinite, cells)):
                raise ValueError(f"{self.name} must be finite")
            out.add(self.encode(cells))
        return None

    def require_finite(self, size: int, count: int) -> None:
        """Raises `ValueError` where so many packed cells do not take so many bytes: one that is nothing is shorter."""
        if self.must_be_finite and size != REAL * count:
            raise ValueError(f"{self.name} must be finite")

    def array_of(self, cells: Packed) -> bytes:
        self.require_finite(len(cells.body), len(cells))
        if self.is_text and len(dict.fromkeys(cells.cut(0, LOOK).listed())) <= FEW:
            return text_of(cells.listed())
        return cells.array()

    def columns(self, width: int | None) -> int:
        return 1

    def get(self, reading: _Reading, width: int | None) -> list[Any]:
        return reading.take(self.decode)


class _Mask:
    """A bitmask of any length, as decimal digits."""

    decode = staticmethod(msgspec.msgpack.Decoder(list[str]).decode)

    def put(self, cells: Cells | Choice, out: Columns) -> int | None:
        if isinstance(cells, Choice):
            out.add(_chosen(Choice(list(map(str, cells.of)), cells.at)))
            return None
        if cells.count(cells[0]) == len(cells):
            out.add(_pack([str(cells[0])]))
            return None
        digits = {cell: str(cell) for cell in dict.fromkeys(cells)}
        out.add(text_of(list(map(digits.__getitem__, cells))))
        return None

    def columns(self, width: int | None) -> int:
        return 1

    def get(self, reading: _Reading, width: int | None) -> list[Any]:
        return list(map(int, reading.take(self.decode)))


class _Nested:
    """Whatever has structure of its own, as canonical JSON."""

    decode = staticmethod(msgspec.msgpack.Decoder(list[str]).decode)

    def __init__(self, kind: Any) -> None:
        self.value = msgspec.json.Decoder(kind).decode

    def put(self, cells: Cells, out: Columns) -> int | None:
        texts = {id(cell): canonical(cell).decode() for cell in {id(cell): cell for cell in cells}.values()}
        out.add(text_of([texts[id(cell)] for cell in cells]))
        return None

    def columns(self, width: int | None) -> int:
        return 1

    def get(self, reading: _Reading, width: int | None) -> list[Any]:
        texts = reading.take(self.decode)
        values = {text: self.value(text) for text in dict.fromkeys(texts)}
        return list(map(values.__getitem__, texts))


class Wide:
    """Tuples of scalars."""

    lengths = staticmethod(msgspec.msgpack.Decoder(list[int]).decode)

    def __init__(self, cell: Scalar) -> None:
        self.cell = cell

    def put(self, cells: Cells | Places | Choice, out: Columns) -> int | None:
        if isinstance(cells, Choice):
            return self._put_choice(cells, out)
        if isinstance(cells, Places):
            for column in cells.columns:
                self.cell.put(cells_of(column), out)
            return len(cells.columns)
        if self.cell.is_plain and cells.count(cells[0]) == len(cells):
            for one in cells[0]:
                self.cell.put((one,), out)
            return len(cells[0])
        widths = list(map(len, cells))
        if widths.count(widths[0]) == len(widths):
            before: Cells = ()
            for place in zip(*cells, strict=True):
                if self.cell.is_plain and place == before:
                    out.again()
                else:
                    self.cell.put(place, out)
                before = place
            return widths[0]
        out.add(_array(widths))
        self.cell.put([cell for one in cells for cell in one], out)
        return RAGGED

    def _put_choice(self, cells: Choice, out: Columns) -> int | None:
        widths = {number: len(cells.of[number]) for number in cells.seen()}
        if len(set(widths.values())) == 1 or max(widths.values()) > 127:
            return self.put(cells.listed(), out)
        table = bytearray(256)
        for number, width in widths.items():
            table[number] = width
        out.add(array_head(len(cells)) + cells.at.translate(table))
        some = cells.at.translate(None, bytes(number for number, width in widths.items() if not width))
        self.cell.put([cell for number in some for cell in cells.of[number]], out)
        return RAGGED

    def columns(self, width: int | None) -> int:
        return 2 if width == RAGGED else width or 0

    def get(self, reading: _Reading, width: int | None) -> list[Any]:
        if width != RAGGED:
            places = [reading.take(self.cell.decode) for _ in range(width or 0)]
            return list(zip(*places, strict=True)) if places else [()] * reading.count
        widths = reading.take(self.lengths)
        flat = iter(reading.take(self.cell.decode, sum(widths)))
        return [tuple(next(flat) for _ in range(length)) for length in widths]


class _Mapped:
    """Mappings from text to a scalar."""

    def __init__(self, values: Scalar) -> None:
        self.names, self.values = _Nested(tuple[str, ...]), Wide(values)

    def put(self, cells: Cells | Maps | Shaped, out: Columns) -> int | None:
        if isinstance(cells, Maps):
            return self._put_maps(cells, out)
        if isinstance(cells, Shaped):
            return self._put_shaped(cells, out)
        names = [tuple(sorted(cell)) for cell in cells]
        texts = {of: canonical(of).decode() for of in dict.fromkeys(names)}
        out.add(text_of(list(map(texts.__getitem__, names))))
        return self.values.put([tuple(map(cell.__getitem__, of)) for cell, of in zip(cells, names, strict=True)], out)

    def _put_maps(self, maps: Maps, out: Columns) -> int:
        out.add(_chosen(Choice(("[]", canonical(maps.names).decode()), maps.has)))
        wide, some = len(maps.names), maps.has.count(1)
        if not wide or some in {0, len(maps)}:
            columns = maps.values if some else ()
            for column in columns:
                self.values.cell.put(column, out)
            return len(columns)
        out.add(_array(list(maps.has.translate(bytes((0, wide, *range(2, 256)))))))
        self.values.cell.put(maps.flat, out)
        return RAGGED

    def _put_shaped(self, maps: Shaped, out: Columns) -> int | None:
        widths = maps.widths()
        if widths.count(widths[0]) == len(widths):  # a column for each place
            return self.put(maps.listed(), out)
        out.add(_chosen(Choice([canonical(names).decode() for names in maps.shapes], maps.at)))
        out.add(_array([*widths]))
        self.values.cell.put(maps.flat, out)
        return RAGGED

    def columns(self, width: int | None) -> int:
        return 1 + self.values.columns(width)

    def get(self, reading: _Reading, width: int | None) -> list[Any]:
        names, values = self.names.get(reading, None), self.values.get(reading, width)
        return [dict(zip(of, cells, strict=True)) for of, cells in zip(names, values, strict=True)]


_Field = Scalar | _Mask | _Nested | Wide | _Mapped
MASKS = frozenset({"failed", "unknown"})  # fields that are bitmasks over constraints, of any length
_SCALARS = (bool, int, float, str, bytes, Decimal)


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _without_none(kind: Any) -> list[Any]:
    return [one for one in typing.get_args(kind) if one is not type(None)] if _is_union(kind) else [kind]


def _is_scalar(kind: Any) -> bool:
    kinds = _without_none(kind)
    return len(kinds) == 1 and (kinds[0] in _SCALARS or typing.get_origin(kinds[0]) is typing.Literal)


def _field(name: str, kind: Any) -> _Field:
    inner = typing.get_args(kind)
    if name in MASKS:
        return _Mask()
    if _is_scalar(kind):
        return Scalar(name, kind)
    if typing.get_origin(kind) is tuple and inner[1:] == (...,) and _is_scalar(inner[0]):
        return Wide(Scalar(name, inner[0]))
    if typing.get_origin(kind) is dict and inner[0] is str and _is_scalar(inner[1]):
        return _Mapped(Scalar(name, inner[1]))
    return _Nested(kind)


class Schema:
    """How records of one kind become columns, from their declaration."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self.kind, self.name = kind, kind.__name__
        declared = msgspec.structs.fields(kind)
        self.fields: dict[str, _Field] = {field.name: _field(field.name, field.type) for field in declared}
        # whether a column is all default is asked by equality, which tells no Decimal(0) from Decimal("0.00")
        self.defaults = [
            msgspec.NODEFAULT if isinstance(field.default, Decimal | float) else field.default for field in declared
        ]
        self.required = frozenset(field.name for field in declared if field.required)
        self.otherwise = {field.name: Every(field.default) for field in declared if not field.required}

    def encode(self, records: Sequence[msgspec.Struct]) -> bytes:
        """The table of one record or more, all of this kind.

        Raises `ValueError` where a number must be finite and is not, `OverflowError` for integers beyond 64 bits,
        `UnicodeEncodeError` for text that is none.
        """
        return self.encode_cells(len(records), zip(*map(msgspec.structs.astuple, records), strict=True))

    def encode_cells(self, count: int, columns: Iterable[Cells]) -> bytes:
        """The table of so many records from the columns of their first fields; in all that follow they have the default.

        Decimals may be their exact texts. Raises as `encode`.
        """
        out = Columns()
        names, widths = [], []
        for (name, field), default, cells in zip(self.fields.items(), self.defaults, columns, strict=False):
            if default is not msgspec.NODEFAULT and cells.count(default) == count:
                continue
            names.append(name)
            widths.append(field.put(cells, out))
        return _pack((self.name, count, names, widths, out.array()))


def cells_of(column: Column) -> Any:
    """What a field writes of a column. One cell stands for as many of the same bytes: columns are written that way."""
    if isinstance(column, Every):
        return [column.value]
    return list(column) if isinstance(column, range) else column


def is_all(column: Column, value: object, count: int) -> bool:
    """Whether a column has one value in all of so many records, as equality has it."""
    if isinstance(column, Every):
        return bool(column.value == value)
    if isinstance(column, Encoded):
        return column.is_all(value)
    return not isinstance(column, Places | Maps | Shaped) and column.count(value) == count


class _Body(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    kind: str
    count: int
    names: list[str]
    widths: list[int | None]
    columns: list[msgspec.Raw]


_body = msgspec.msgpack.Decoder(_Body).decode


class Table:
    """A table that was encoded. A column is read when it is asked for.

    Whatever is wrong with the bytes is a `ValueError` or a `msgspec.MsgspecError`, here or when a column is read.
    """

    def __init__(self, data: bytes, schemas: typing.Mapping[str, Schema]) -> None:
        body = _body(data)
        if body.kind not in schemas:
            raise ValueError(f"no records are of kind {body.kind}")
        self.schema, self.count = schemas[body.kind], body.count
        self._columns, self._cells = body.columns, dict[str, list[Any]]()
        self._places: dict[str, tuple[int, int | None]] = {}
        at = 0
        for name, width in zip(body.names, body.widths, strict=True):
            if name not in self.schema.fields:
                raise ValueError(f"{body.kind} has no field {name}")
            self._places[name] = (at, width)
            at += self.schema.fields[name].columns(width)
        if at != len(body.columns) or self.count < 1 or not self.schema.required <= self._places.keys():
            raise ValueError(f"columns of {body.kind} are missing")

    def cells(self, name: str) -> list[Any]:
        """A field of every record."""
        if name not in self._cells:
            if name not in self._places:
                default = next(f.default for f in msgspec.structs.fields(self.schema.kind) if f.name == name)
                self._cells[name] = [default] * self.count
            else:
                at, width = self._places[name]
                try:
                    self._cells[name] = self.schema.fields[name].get(_Reading(self._columns, self.count, at), width)
                except (IndexError, KeyError, StopIteration, RuntimeError) as problem:
                    raise ValueError(f"the columns of {name} do not fit together") from problem
        return self._cells[name]

    def records(self, at: Iterable[int] | None = None) -> list[Any]:
        """All records, or those at the places named, in that order."""
        names = list(self._places)
        columns = [self.cells(name) for name in names]
        if at is not None:
            places = list(at)
            columns = [list(map(cells.__getitem__, places)) for cells in columns]
        make = self.schema.kind
        return [make(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
