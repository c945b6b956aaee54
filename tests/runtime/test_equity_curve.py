"""Curves: packed and unpacked without loss."""

from __future__ import annotations

import dataclasses
import struct
import zlib
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.curve import columns, joined, unpack
from tb.core.records import Curve, Mark
from tb.runtime.curve import EquityCurve, Holdings

floats = st.floats(allow_nan=False, allow_infinity=False)
times = st.lists(st.integers(0, 10**13), min_size=1, unique=True).map(sorted)


def curve_of(points: list[tuple[int, float, float]], *, at_once: int = 0) -> EquityCurve:
    """The points, the first ones as a stretch and the others one by one."""
    curve = EquityCurve()
    if at_once:
        whens, equity, exposure = (np.array(column) for column in zip(*points[:at_once], strict=True))
        curve.note_stretch(whens, equity, exposure)
    for at, equity, exposure in points[at_once:]:
        curve.note(at, Decimal(equity), Decimal(exposure))
    return curve


@given(times, st.data())
def test_what_is_packed_comes_back(times: list[int], data: st.DataObject) -> None:
    points = [(at, data.draw(floats), data.draw(floats)) for at in times]
    curve = curve_of(points, at_once=data.draw(st.integers(0, len(times))))
    found = unpack(curve.record())
    assert [(mark.at, float(mark.equity), float(mark.exposure)) for mark in found] == points


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.data())
def test_a_long_curve_is_handed_out_in_parts_of_one_size(stretches: list[int], data: st.DataObject) -> None:
    curve, points, parts = EquityCurve(), list[tuple[int, float, float]](), list[Curve]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tb.runtime.curve.POINTS", 5)
        for length in stretches:
            new = [(len(points) + i, float(len(points) + i), 0.5) for i in range(length)]
            points += new
            if data.draw(st.booleans()):
                whens, equity, exposure = (np.array(column) for column in zip(*new, strict=True))
                curve.note_stretch(whens, equity, exposure)
                parts += curve.full()
                continue
            for at, held, gross in new:
                curve.note(at, Decimal(held), Decimal(gross))
                parts += curve.full()
    assert [part.rows for part in parts] == [5] * (len(points) // 5)
    assert bool(curve) is bool(len(points) % 5)
    parts += [curve.record()] if curve else []
    assert [(mark.at, float(mark.equity), float(mark.exposure)) for part in parts for mark in unpack(part)] == points


@given(times)
def test_curves_with_a_step_for_each_point_are_read_as_ever(times: list[int]) -> None:
    steps = zlib.compress(b"".join(struct.pack("<q", step) for step in np.diff(times, prepend=0)), 1)
    floats = [struct.pack(f"<{len(times)}d", *(by * at for at in times)) for by in (0.5, 0.25)]
    points = struct.pack("<Q", len(steps)) + steps + b"".join(floats)
    found = unpack(Curve(first=times[0], last=times[-1], rows=len(times), points=points))
    assert [(mark.at, float(mark.equity), float(mark.exposure)) for mark in found] == [
        (at, 0.5 * at, 0.25 * at) for at in times
    ]
    again = curve_of([(at, 0.5 * at, 0.25 * at) for at in times], at_once=len(times)).record()
    assert unpack(again) == found
    with pytest.raises(ValueError, match="form 3, this tb reads 0 to 2"):
        unpack(msgspec.structs.replace(again, points=again.points[:7] + b"\x03" + again.points[8:]))


amounts = st.floats(-1e12, 1e12)


@st.composite
def holdings(draw: st.DrawFn, least: int = 1) -> Holdings:
    """Stretches, some of them without a point; prices on ticks or not."""
    lengths = draw(st.lists(st.integers(0, 7), min_size=1, max_size=8).filter(lambda found: sum(found) >= least))
    count, rows = len(lengths), sum(lengths)
    cash, quantity = (draw(st.lists(amounts, min_size=count, max_size=count)) for _ in range(2))
    decimals = draw(st.sampled_from([0, 2, 8, 22, None]))
    numbers = amounts if decimals is None else st.integers(-(2**31), 2**31 - 1)
    prices = np.array(draw(st.lists(numbers, min_size=rows, max_size=rows)), dtype=float if decimals is None else np.int32)
    first, steps = draw(st.integers(0, 10**12)), draw(st.lists(st.integers(1, 10**9), min_size=rows, max_size=rows))
    return Holdings(first + np.cumsum(steps), np.array(lengths), np.array(cash), np.array(quantity), prices, decimals)


def plainly(held: Holdings) -> list[tuple[int, float, float]]:
    """Point by point in floats of Python."""
    found, at = [], 0
    for length, cash, quantity in zip(held.lengths.tolist(), held.cash.tolist(), held.quantity.tolist(), strict=True):
        for _ in range(length):
            price = held.prices[at].item() if held.decimals is None else held.prices[at].item() / 10.0**held.decimals
            found.append((held.times[at].item(), cash + quantity * price, abs(quantity * price)))
            at += 1
    return found


def read(curve: Curve) -> list[tuple[int, float, float]]:
    return list(zip(*columns(curve), strict=True))


@given(holdings(), st.data())
def test_what_is_held_gives_the_points_again(held: Holdings, data: st.DataObject) -> None:
    curve = EquityCurve()
    curve.note_holdings(held)
    whole = curve.record()
    assert (read(whole), whole.points[7]) == (plainly(held), 2)
    assert (whole.first, whole.last, whole.rows) == (held.times[0], held.times[-1], len(held))
    assert list(zip(*held.columns(), strict=True)) == plainly(held)
    begin = data.draw(st.integers(0, len(held) - 1))
    end = data.draw(st.integers(begin + 1, len(held)))
    part = held.cut(begin, end)
    assert (plainly(part), int(part.lengths.sum())) == (plainly(held)[begin:end], end - begin)


@given(st.lists(holdings(), min_size=1, max_size=4), st.data())
def test_what_is_held_is_handed_out_in_parts_too(stretches: list[Holdings], data: st.DataObject) -> None:
    curve, points, parts, last = EquityCurve(), list[tuple[int, float, float]](), list[Curve](), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tb.runtime.curve.POINTS", 5)
        for one in stretches:
            held = dataclasses.replace(one, times=one.times + last)
            if data.draw(st.booleans()):
                curve.note_holdings(held)
            else:  # as they are noted one by one, or where prices alone moved
                curve.note_stretch(*held.columns())
            points, last = points + plainly(held), int(held.times[-1])
            parts += curve.full()
    parts += [curve.record()] if curve else []
    assert [point for part in parts for point in read(part)] == points


@given(holdings(), st.data())
def test_stretches_that_do_not_fit_the_points_are_refused(held: Holdings, data: st.DataObject) -> None:
    curve = EquityCurve()
    curve.note_holdings(held)
    whole = curve.record()
    cut = data.draw(st.integers(1, 4))
    for points in (whole.points[:-cut], whole.points + bytes(cut)):
        with pytest.raises(ValueError, match="do not fit together"):
            columns(msgspec.structs.replace(whole, points=points))
    with pytest.raises(ValueError, match="do not fit together"):
        columns(msgspec.structs.replace(whole, rows=whole.rows + 1))
    longer = held.lengths + np.r_[1, np.zeros(len(held.lengths) - 1, dtype=np.int64)]
    curve = EquityCurve()
    curve.note_holdings(dataclasses.replace(held, lengths=longer))
    with pytest.raises(ValueError, match="do not fit together"):
        columns(curve.record())


def test_a_curve_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        EquityCurve().record()


def test_points_are_joined_in_order_of_time_marks_last() -> None:
    one, two = (Mark(at=at, equity=Decimal("100.0"), exposure=Decimal("0.0"), usage={}) for at in (1, 3))
    mark = Mark(at=3, equity=Decimal(99), exposure=Decimal(5), usage={"position": 0.5})
    early = Mark(at=2, equity=Decimal(98), exposure=Decimal(5), usage={})
    assert joined([curve_of([(1, 100.0, 0.0), (3, 100.0, 0.0)]).record()], [mark, early]) == [one, early, two, mark]
