"""Curves: packed and unpacked without loss."""

from __future__ import annotations

import struct
import zlib
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.curve import joined, unpack
from tb.core.records import Curve, Mark
from tb.runtime.curve import EquityCurve

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
    with pytest.raises(ValueError, match="form 2, this tb reads 0 and 1"):
        unpack(msgspec.structs.replace(again, points=again.points[:7] + b"\x02" + again.points[8:]))


def test_a_curve_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        EquityCurve().record()


def test_points_are_joined_in_order_of_time_marks_last() -> None:
    one, two = (Mark(at=at, equity=Decimal("100.0"), exposure=Decimal("0.0"), usage={}) for at in (1, 3))
    mark = Mark(at=3, equity=Decimal(99), exposure=Decimal(5), usage={"position": 0.5})
    early = Mark(at=2, equity=Decimal(98), exposure=Decimal(5), usage={})
    assert joined([curve_of([(1, 100.0, 0.0), (3, 100.0, 0.0)]).record()], [mark, early]) == [one, early, two, mark]
