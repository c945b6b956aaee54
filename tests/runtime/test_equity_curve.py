"""Curves: packed and unpacked without loss."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.curve import joined, unpack
from tb.core.records import Mark
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


def test_a_curve_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        EquityCurve().record()


def test_points_are_joined_in_order_of_time_marks_last() -> None:
    one, two = (Mark(at=at, equity=Decimal("100.0"), exposure=Decimal("0.0"), usage={}) for at in (1, 3))
    mark = Mark(at=3, equity=Decimal(99), exposure=Decimal(5), usage={"position": 0.5})
    early = Mark(at=2, equity=Decimal(98), exposure=Decimal(5), usage={})
    assert joined([curve_of([(1, 100.0, 0.0), (3, 100.0, 0.0)]).record()], [mark, early]) == [one, early, two, mark]
