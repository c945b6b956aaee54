"""Curves: packed and unpacked without loss."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.curve import joined, pack, unpack
from tb.core.records import Mark

exact = st.decimals(allow_nan=False, allow_infinity=False)
points = st.lists(st.builds(Mark, at=st.integers(0, 10**13), equity=exact, exposure=exact, usage=st.just({})), min_size=1)


@given(points)
def test_what_is_packed_comes_back_exactly(marks: list[Mark]) -> None:
    assert repr(unpack(pack(marks))) == repr(marks)


def test_a_curve_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        pack([])


def test_points_are_joined_in_order_of_time_marks_last() -> None:
    one, two = (Mark(at=at, equity=Decimal(100), exposure=Decimal(0), usage={}) for at in (1, 3))
    mark = Mark(at=3, equity=Decimal(99), exposure=Decimal(5), usage={"position": 0.5})
    early = Mark(at=2, equity=Decimal(98), exposure=Decimal(5), usage={})
    assert joined([pack([one, two])], [mark, early]) == [one, early, two, mark]
