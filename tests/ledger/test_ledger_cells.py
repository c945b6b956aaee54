"""Columns that are packed before they are a table: the bytes of the same cells in a list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_samples import closed, decision

from tb.core.records import Decision, Fill, Mark, Trade
from tb.ledger.cells import Choice, Counts, Every, Packed, Places, cut, maps, numbers, reals, texts
from tb.ledger.segments import Segment, index_of, schemas
from tb.ledger.sheets import Sheet

FILLS, MARKS, DECISIONS = (schemas()[name] for name in ("Fill", "Mark", "Decision"))
COUNTS = st.one_of(st.integers(0, 300), st.integers(0, 1 << 62), st.sampled_from([127, 128, 255, 256, 65535, 65536, 1 << 32]))
SHORT = st.text("abc123", max_size=31)
REALS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
CAUSES = ("entry", "stop", "target")


@st.composite
def columns(draw: st.DrawFn) -> tuple[list[Any], ...]:
    """Cells for fills: ids, instants, rows, causes, and quantities as texts."""
    size = draw(st.integers(1, 80))
    few = draw(st.booleans())

    def of(cells: st.SearchStrategy[Any]) -> list[Any]:
        if few:
            cells = st.sampled_from(draw(st.lists(cells, min_size=1, max_size=3)))
        return draw(st.lists(cells, min_size=size, max_size=size))

    amounts = st.decimals(0, 10**6, places=4).map(str)
    return of(SHORT), of(COUNTS), of(COUNTS), of(st.sampled_from(CAUSES)), of(amounts)


def fills(ids: Any, at: Any, rows: Any, causes: Any, quantities: Any) -> dict[str, Any]:
    return {
        "order": ids,
        "at": at,
        "row": rows,
        "instrument": Every("BTC-USD"),
        "side": Every("buy"),
        "quantity": quantities,
        "price": quantities,
        "fee": Every("0"),
        "slippage": Every("0"),
        "cause": causes,
    }


@given(columns(), st.data())
def test_packed_columns_become_the_bytes_of_lists(found: tuple[list[Any], ...], data: st.DataObject) -> None:
    ids, at, rows, causes, quantities = found
    chosen = Choice(CAUSES, bytes(map(CAUSES.index, causes)))
    arrays = numbers(np.array(at, dtype=np.int64)), numbers(np.array(rows, dtype=np.int64))
    packed = fills(texts(ids), *arrays, chosen, texts(quantities))
    plain = fills(ids, at, rows, causes, quantities)
    count = len(ids)
    records = [
        Fill(
            order=id_,
            at=when,
            row=row,
            instrument="BTC-USD",
            side="buy",
            quantity=Decimal(quantity),
            price=Decimal(quantity),
            fee=Decimal(0),
            slippage=Decimal(0),
            cause=cause,
        )
        for id_, when, row, cause, quantity in zip(ids, at, rows, causes, quantities, strict=True)
    ]
    table = FILLS.encode(records)
    sheet, places = Sheet(Fill, count, packed), np.arange(count) * 2 + 5
    assert sheet.table() == Sheet(Fill, count, plain).table() == table
    begin = data.draw(st.integers(0, count - 1))
    end = data.draw(st.integers(begin + 1, count))
    part = sheet.part(begin, end)
    assert part.table() == FILLS.encode(records[begin:end])
    assert index_of("Fill", (1, count), part) == index_of("Fill", (1, count), records[begin:end])
    inner = data.draw(st.integers(0, end - begin - 1))
    assert part.part(inner, end - begin).table() == FILLS.encode(records[begin + inner : end])
    assert sheet.table() == table
    assert index_of("Fill", (1, count), sheet) == index_of("Fill", (1, count), records)
    kept = Segment("Fill", places, sheet, table).payload(3), Segment("Fill", places.tolist(), records, table).payload(3)
    assert kept[0] == kept[1]


@given(columns(), st.data())
def test_a_part_of_a_packed_column_is_that_of_its_cells(found: tuple[list[Any], ...], data: st.DataObject) -> None:
    ids, at, _, causes, quantities = found
    begin = data.draw(st.integers(0, len(ids) - 1))
    end = data.draw(st.integers(begin + 1, len(ids)))
    chosen = Choice(CAUSES, bytes(map(CAUSES.index, causes)))
    for packed, cells in (
        (texts(ids), ids),
        (numbers(np.array(at, dtype=np.int64)), at),
        (texts(quantities), quantities),
        (chosen, causes),
    ):
        part = cut(packed, begin, end)
        assert isinstance(part, Packed | Choice)
        assert part.listed() == list(part) == cells[begin:end]
        assert len(part) == end - begin
        assert part.count(cells[begin]) == cells[begin:end].count(cells[begin])
        if isinstance(part, Counts):
            assert part.values.tolist() == cells[begin:end]


@given(st.lists(st.tuples(st.booleans(), REALS, REALS), min_size=1, max_size=60), st.integers(0, 2), st.data())
def test_mappings_in_columns_become_the_bytes_of_mappings(
    rows: list[tuple[bool, float | None, float | None]], wide: int, data: st.DataObject
) -> None:
    names = ("b", "a")[:wide]
    cells = [dict(zip(names, values, strict=False)) if has else {} for has, *values in rows]
    some = [values for has, *values in rows if has]
    arrays = {name: reals(np.array([of[place] for of in some], dtype=np.float64)) for place, name in enumerate(names)}
    whole = maps(names, bytes(has and bool(names) for has, *_ in rows), arrays)
    assert whole.listed() == cells
    begin = data.draw(st.integers(0, len(rows) - 1))
    end = data.draw(st.integers(begin + 1, len(rows)))
    records = [Mark(at=1, equity=Decimal(1), exposure=Decimal(0), usage=cell) for cell in cells[begin:end]]
    same = {"at": Every(1), "equity": Every("1"), "exposure": Every("0"), "usage": whole}
    assert Sheet(Mark, len(rows), same).part(begin, end).table() == MARKS.encode(records)


@given(
    st.lists(st.tuples(st.sampled_from((None, None, 1.5)), st.sampled_from((None, "9", "12"))), min_size=1, max_size=40),
    st.data(),
)
def test_what_has_its_default_throughout_a_stretch_is_left_out(
    rows: list[tuple[float | None, str | None]], data: st.DataObject
) -> None:
    records = [
        decision(100 + k, confidence=confidence, stop=None if stop is None else Decimal(stop))
        for k, (confidence, stop) in enumerate(rows)
    ]
    columns: dict[str, Any] = {name: [getattr(one, name) for one in records] for name in DECISIONS.fields}
    levels = [b"\xc0" if stop is None else msgspec.msgpack.encode(stop) for _, stop in rows]
    columns |= {
        "seq": range(100, 100 + len(rows)),
        "confidence": reals(np.array([np.nan if one is None else one for one, _ in rows], dtype=np.float64)),
        "stop": Packed(b"".join(levels), np.cumsum([0, *map(len, levels)])),
        "facts": Places(tuple(Every(fact) for fact in records[0].facts)),
    }
    columns["target"] = columns["stop"]
    for name in ("side", "strategy", "instrument", "kind", "verdict", "deciding"):
        columns[name] = Every(getattr(records[0], name))
    records = [msgspec.structs.replace(one, target=one.stop) for one in records]
    begin = data.draw(st.integers(0, len(rows) - 1))
    end = data.draw(st.integers(begin + 1, len(rows)))
    whole = Sheet(Decision, len(rows), columns)
    assert whole.part(begin, end).table() == DECISIONS.encode(records[begin:end])
    assert whole.table() == DECISIONS.encode(records)


def test_what_cannot_be_packed_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 is negative"):
        numbers(np.array([3, -1]))
    columns = {name: Every(value) for name, value in msgspec.structs.asdict(closed(1)).items()}
    with pytest.raises(ValueError, match="best must be finite"):
        Sheet(Trade, 2, columns | {"best": reals(np.array([1.0, np.nan]))}).table()
