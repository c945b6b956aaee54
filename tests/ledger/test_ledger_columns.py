"""Columns: every record comes back as it went in, the same records give the same bytes, and damaged bytes are refused."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_records import anything, curves, fills, latches, marks, orders, quiets, rich_decisions, trades
from ledger_samples import decision, fill, order, trade

from tb.core.records import Decision, Fill, Likeness, Mark
from tb.ledger.columns import Schema, Table
from tb.ledger.segments import Group, Stored, schemas

D = Decimal


def table_of(records: list[Any]) -> bytes:
    return schemas()[type(records[0]).__name__].encode(records)


def read(data: bytes) -> list[Any]:
    return Table(data, schemas()).records()


def exactly(record: Any) -> str:
    """All of a record, to the last zero of its numbers. A mapping comes back in the order of its keys."""
    if isinstance(record, Mark):
        record = msgspec.structs.replace(record, usage=dict(sorted(record.usage.items())))
    return repr(record)


def raw_columns(records: list[Any]) -> dict[str, Any]:
    """The columns of scalar fields by name, as they stand in the bytes."""
    _, _, names, widths, columns = msgspec.msgpack.decode(table_of(records))
    assert all(width is None for width in widths)
    return dict(zip(names, columns, strict=True))


@settings(max_examples=25, deadline=None)
@given(
    st.one_of(
        *(
            st.lists(kind, min_size=1, max_size=40)
            for kind in (rich_decisions, quiets, orders, fills, trades, latches, marks, curves)
        )
    )
)
def test_records_come_back_exactly_and_give_the_same_bytes(records: list[Any]) -> None:
    data = table_of(records)
    back = read(data)
    assert back == records
    assert list(map(exactly, back)) == list(map(exactly, records))
    assert table_of(back) == data


def test_the_bytes_of_a_small_segment() -> None:
    """What is hashed does not change with a library or a version of Python: these bytes were recorded once."""
    records = [fill("a"), fill("b", price=D("60003.10")), fill("a", at=9, slippage=D("-0.00"))]
    group = Group(7, records)
    assert group.segments[0].payload(group.first).hex() == GOLDEN
    stored = Stored(bytes.fromhex(GOLDEN))
    assert (stored.kind, stored.numbers, stored.table.records()) == ("Fill", [7, 8, 9], records)


GOLDEN = (
    "9293070101c4b195a446696c6c039aa56f72646572a26174a3726f77aa696e737472756d656e74a473696465a87175616e74697479a57072696365a3"
    "666565a8736c697070616765a563617573659ac0c0c0c0c0c0c0c0c0c09a93a161a162a16193ce006ddd00ce006ddd0009910291a74254432d55534491"
    "a362757991a4302e303193a736303030332e31a836303030332e3130a736303030332e3191a3332e3693a3332e30a3332e30a52d302e303091a5656e74"
    "7279"
)


def test_a_column_of_one_value_has_one_cell() -> None:
    columns = raw_columns([order(str(i)) for i in range(40)])
    assert columns["instrument"] == ["BTC-USD"]
    assert columns["quantity"] == ["0.01"]
    assert columns["stop"] == [None]
    assert columns["decision"] == [1]
    assert len(columns["id"]) == 40
    assert "expires" not in columns  # what is default everywhere is left out


def test_text_with_few_values_tells_each_once() -> None:
    columns = raw_columns([order(str(i), side=("buy", "sell")[i % 2]) for i in range(5)])
    assert columns["side"] == {"of": ["buy", "sell"], "at": bytes([0, 1, 0, 1, 0])}


def test_a_column_with_the_bytes_of_another_is_told_once() -> None:
    made = [order(str(i), stop=D(i + 1000), target=D(i + 1000)) for i in range(30)]
    names = list(raw_columns(made))
    assert raw_columns(made)["target"] == names.index("stop")
    assert read(table_of(made)) == made


def test_numbers_that_are_equal_are_not_the_same_text() -> None:
    prices = [D("1.0"), D("1.00"), D("1"), D("10E-1"), D("0"), D("-0"), D("0E+3")]
    assert list(map(str, (one.price for one in read(table_of([fill("a", price=p) for p in prices]))))) == list(map(str, prices))
    zeros = [trade(1, best=0.0), trade(1, best=-0.0)]
    assert [math.copysign(1, one.best) for one in read(table_of(zeros))] == [1, -1]
    funded = [trade(1, funding=D("0.00"))] * 3  # equal to the default, but not its text
    assert [str(one.funding) for one in read(table_of(funded))] == ["0.00"] * 3


def test_what_is_no_number_is_nothing_or_refused() -> None:
    for strange in (math.nan, math.inf, -math.inf):
        made = [decision(1, market=(strange, 1.0)), decision(2, market=(None, 1.0)), decision(3, market=(2.0, 2))]
        assert [one.market for one in read(table_of(made))] == [(None, 1.0), (None, 1.0), (2.0, 2.0)]
        assert [type(value) for one in read(table_of(made)) for value in one.market[1:]] == [float] * 3
        alone = decision(1, confidence=strange, likeness=(Likeness(instrument="x", correlation=strange),))
        assert read(table_of([alone]))[0].likeness[0].correlation is None
        assert read(table_of([alone]))[0].confidence is None
        with pytest.raises(ValueError, match="best must be finite"):
            table_of([trade(1, best=strange)])


@pytest.mark.parametrize("large", [(2**40, 2**40), (2**40, 2**41), (-(2**40), 1.5), (2**63, 2**64 - 1)])
def test_large_whole_numbers_in_place_of_floats_have_the_bytes_of_floats(large: tuple[float, float]) -> None:
    """They take as many bytes."""
    for of in (large, large[:1]):
        made = [decision(at, market=(one,)) for at, one in enumerate(of, 1)]
        assert table_of(made) == table_of([decision(at, market=(float(one),)) for at, one in enumerate(of, 1)])


def test_large_floats_that_add_up_to_infinity_are_kept() -> None:
    made = [decision(i, market=(1.7e308,)) for i in (1, 2, 3)] + [decision(4, market=(5e-324,))]
    assert read(table_of(made)) == made


def test_masks_have_any_length() -> None:
    made = [decision(1, failed=1 << 200), decision(2), decision(3, unknown=(1 << 64) - 1)]
    assert read(table_of(made)) == made


def test_a_field_that_came_later_changes_no_bytes_before_it() -> None:
    class Early(msgspec.Struct, frozen=True, kw_only=True, tag="Decision"):
        seq: int
        price: Decimal

    class Late(Early, frozen=True, kw_only=True, tag="Decision"):
        moved: str = ""

    early, late = Schema(Early), Schema(Late)
    late.name = early.name
    data = early.encode([Early(seq=1, price=D("1.5"))])
    assert late.encode([Late(seq=1, price=D("1.5"))]) == data
    assert Table(data, {"Early": late}).records() == [Late(seq=1, price=D("1.5"))]


@settings(max_examples=30, deadline=None)
@given(st.lists(anything, min_size=1, max_size=12), st.data())
def test_damaged_columns_are_refused_or_read_as_records(records: list[Any], data: st.DataObject) -> None:
    segment = Group(1, records).segments[0]
    payload = bytearray(segment.payload(1))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        stored = Stored(bytes(payload))
        found = stored.table.records()
    except (ValueError, msgspec.MsgspecError):
        return
    assert len(found) == stored.table.count == len(stored.numbers)


@pytest.mark.parametrize("cut", [1, 2, 30])
def test_cut_columns_are_refused(cut: int) -> None:
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        Stored(Group(1, [decision(1), decision(2)]).segments[0].payload(1)[:-cut])


def bare(kind: str, count: int, names: list[str], widths: list[int | None], columns: list[object]) -> bytes:
    return msgspec.msgpack.encode([kind, count, names, widths, columns])


@pytest.mark.parametrize(
    "data",
    [
        bare("Gift", 1, [], [], []),
        bare("Fill", 1, [], [], []),
        bare("Fill", 0, [], [], []),
        bare("Fill", 1, ["strange"], [None], [[1]]),
    ],
)
def test_tables_of_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"kind|missing|no field"):
        Table(data, schemas())


def test_columns_of_other_lengths_are_refused() -> None:
    kind, count, names, widths, columns = msgspec.msgpack.decode(table_of([fill(str(i)) for i in range(3)]))
    columns[0] = ["a", "b"]
    table = Table(bare(kind, count, names, widths, columns), schemas())
    with pytest.raises(ValueError, match="2 cells for 3 records"):
        table.cells("order")
    columns[0] = 0  # itself
    with pytest.raises(ValueError, match="comes later"):
        Table(bare(kind, count, names, widths, columns), schemas()).records()
    columns[0] = {"of": ["a"], "at": bytes([0, 0, 1])}
    with pytest.raises(ValueError, match="do not fit together"):
        Table(bare(kind, count, names, widths, columns), schemas()).records()


def test_every_kind_of_field_has_its_columns() -> None:
    """A decision's fields as columns, so that a change of the declaration is seen here."""
    kinds = {name: type(field).__name__ for name, field in Schema(Decision).fields.items()}
    assert {name for name, kind in kinds.items() if kind == "_Nested"} == {"feeds", "votes", "together", "likeness", "advice"}
    assert {name for name, kind in kinds.items() if kind == "_Mask"} == {"failed", "unknown"}
    wide = {"deciding", "facts", "market", "ages", "rows", "shadowed", "takes"}
    assert {name for name, kind in kinds.items() if kind == "Wide"} == wide
    assert {type(field).__name__ for field in Schema(Fill).fields.values()} == {"Scalar"}
