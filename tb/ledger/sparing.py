"""Decisions read as far as a decision log and a query table need them, in half the time: verification reads a million.

Their Decimals stay the text that they are written as, and widths of numbers that are the same in many decisions (`ages`,
`rows`) are read once. The decision log has Decimals as their exact text: `are_exact` says whether all of some texts are what
the Decimals of them would be written as again. A decision with a field that is mostly left out is read whole.

INVARIANT: what is read here, or made whole by `whole`, is what the decoder of `Decision` reads, and the same bytes are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from tb.core.records import Decision
from tb.ledger.segments import Segment, schemas, segments_of

_FIELDS = [field for field in msgspec.structs.fields(Decision) if field.required]
_SHARED = ("ages", "rows")
_MANY = 4_096  # texts of these that are kept at most


def _kind(field: msgspec.structs.FieldInfo) -> Any:
    """What a field is read as."""
    if field.name in _SHARED:
        return msgspec.Raw
    return {Decimal: str, Decimal | None: str | None}.get(field.type, field.type)


# its fields are set again: there is no other
Sparing = msgspec.defstruct(
    "Sparing",
    [(field.name, _kind(field)) for field in _FIELDS],
    tag="Decision",
    forbid_unknown_fields=True,
    gc=False,
    module=__name__,
)
_DECIMALS = [field.name for field in _FIELDS if field.type in (Decimal, Decimal | None)]
_NAMES = [field.name for field in _FIELDS]
_decimals = attrgetter(*_DECIMALS)
_decode: Callable[[bytes], Any] = msgspec.json.Decoder(Sparing).decode
_whole = msgspec.json.Decoder(Decision).decode
_shape = attrgetter("strategy", "enter", "kind")


_decode_ages, _decode_rows = (
    msgspec.json.Decoder(field.type).decode for name in _SHARED for field in _FIELDS if field.name == name
)
_ages: dict[bytes, Any] = {}
_rows: dict[bytes, Any] = {}


def read(payloads: Iterable[bytes]) -> list[Any]:
    """Decisions, all of them `Sparing` or all of them whole. Raises as the decoder of `Decision`."""
    payloads = list(payloads)
    if len(_ages) + len(_rows) > _MANY:
        _ages.clear()
        _rows.clear()
    try:
        found = list(map(_decode, payloads))
        for one in found:
            ages, rows = bytes(one.ages), bytes(one.rows)
            if ages not in _ages:
                _ages[ages] = _decode_ages(ages)
            if rows not in _rows:
                _rows[rows] = _decode_rows(rows)
            one.ages, one.rows = _ages[ages], _rows[rows]
        if are_exact([text for text in chain.from_iterable(map(_decimals, found)) if text is not None]):
            return found
    except msgspec.MsgspecError:  # one has more fields, or does not read
        pass
    return list(map(_whole, payloads))


_NO_DIGITS, _ONE_DIGIT = b"0123456789-", bytes.maketrans(b"23456789", b"1" * 8)
_MISPLACED = (b";;", b";.", b".;", b"-.", b";-;", b";00", b";01", b";-00", b";-01", b"0.000000")


def are_exact(texts: Sequence[str]) -> bool:
    """Whether each text is digits with a sign and a point where they belong, and the Decimal of it is written the same.

    It says no of numbers with six zeros behind a zero and a point, of which only some are written with an exponent.
    """
    joined = (";" + ";".join(texts) + ";").encode()
    marks = joined.translate(None, _NO_DIGITS)
    if marks.translate(None, b".") != b";" * (len(texts) + 1) or b".." in marks:
        return not texts  # another character, or two points in one text
    if joined.count(b"-") != joined.count(b";-"):
        return False
    alike = joined.translate(_ONE_DIGIT)
    return not any(one in alike for one in _MISPLACED)


def is_nothing(one: Any) -> bool:
    """Whether nothing was approved."""
    return not one.approved.strip("-0.")


def row_of(one: Any) -> tuple[Any, ...]:
    """Its row of the query table, as `tb.ledger.projection` has that of a whole decision."""
    return (one.seq, one.at, one.kind, one.instrument, one.strategy, one.verdict, " ".join(one.deciding), is_nothing(one))


def whole(one: Any) -> Decision:
    """The decision."""
    values = {name: getattr(one, name) for name in _NAMES}
    texts = {name: None if values[name] is None else Decimal(values[name]) for name in _DECIMALS}
    return Decision(**values | texts)


def log_segments(records: Sequence[Any]) -> list[Segment]:
    """As `segments_of`, of records among which decisions may be `Sparing`: the same bytes."""
    kinds = set(map(type, records))
    if Sparing not in kinds:
        return segments_of(records)
    shapes: dict[Any, tuple[list[int], list[Any]]] = {}
    for place, record in enumerate(records):
        shape = _shape(record) if type(record) is Sparing or type(record) is Decision else type(record)
        if shape not in shapes:
            shapes[shape] = ([], [])
        places, found = shapes[shape]
        places.append(place)
        found.append(record)
    return [_segment(places, found) for places, found in shapes.values()]


def _segment(places: list[int], found: list[Any]) -> Segment:
    if set(map(type, found)) == {Sparing}:
        columns = zip(*map(msgspec.structs.astuple, found), strict=True)
        return Segment("Decision", places, found, schemas()["Decision"].encode_cells(len(found), columns))
    (only,) = segments_of([whole(one) if type(one) is Sparing else one for one in found])
    return Segment(only.kind, places, only.records, only.table)
