"""Equity as an account noted it: looked up one by one and many at once, over single notes and whole stretches."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tb.gate.history import EquityHistory, HeldThrough, Stretch

D = Decimal
parts = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(-3, 3)), min_size=1, max_size=12)


@given(parts, st.lists(st.integers(-20, 120), min_size=1, max_size=15))
def test_many_instants_at_once_are_what_each_is_by_itself(noted: list[tuple[int, int, int]], asked: list[int]) -> None:
    """A part is a pause before it, and then one note, or with a quantity a stretch of so many instants."""
    history, at = EquityHistory.empty(), 0
    for pause, size, quantity in noted:
        at += pause
        if not quantity:
            history.note(at, D(1000 + at))
            continue
        times = np.arange(at, at + size, dtype=np.int64)
        stretch = Stretch(times, {"BTC-USD": 100.0 + times % 7})
        history.note_stretch(HeldThrough(stretch, D(at), (("BTC-USD", D(quantity)),)))
        at += size - 1
    times = np.array(sorted(asked), dtype=np.int64)
    found, error = history.floats_before(times)
    exactly = [history.before(time) for time in times.tolist()]
    assert all(one is not None and abs(D(near) - one) <= D(error) for near, one in zip(found.tolist(), exactly, strict=True))
