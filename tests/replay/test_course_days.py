"""The days that begin in a course: found at a guess where no instant is missing, and as surely where some are."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from tb.core.time import DAY
from tb.replay.course.days import _first_at, _one_by_one, begun

HOUR = 3_600_000


@how(max_examples=200, deadline=None)
@given(st.data())
def test_days_are_those_found_one_by_one(data: st.DataObject) -> None:
    step = data.draw(st.sampled_from([HOUR, 5 * HOUR, 30 * HOUR]))
    places = range(data.draw(st.integers(2, 120)))
    kept = [place for place in places if not data.draw(st.integers(0, data.draw(st.sampled_from([0, 9]))))] or [0]
    first = data.draw(st.integers(0, 3 * DAY))
    instants = first + step * np.array([*kept, max(kept) + 1], dtype=np.int64)
    days = np.arange(first // DAY * DAY, int(instants[-1]) + 1, DAY)
    assert _first_at(instants, days).tolist() == instants.searchsorted(days).tolist()
    ends = data.draw(st.integers(0, 60)) * DAY
    cuts = data.draw(st.lists(st.integers(0, len(instants) - 1), min_size=2, unique=True).map(sorted))
    decided = np.array(cuts[: len(cuts) // 2 * 2 : 2], dtype=np.int64)
    out = np.array(cuts[1::2], dtype=np.int64)
    before = np.r_[-1, out[:-1]]
    seen = np.array([data.draw(st.integers(int(a), max(int(a), int(b) - 1))) for a, b in zip(before, decided, strict=True)])
    if seen[0] >= 0:
        ends = (int(instants[0]) // DAY + data.draw(st.integers(0, 2))) * DAY
    found, after = begun(instants, decided, out, seen, ends, ZoneInfo("UTC"))
    expected, expected_after = _one_by_one(instants, decided, out, seen, ends, ZoneInfo("UTC"))
    assert [list(each) for each in (found.trade, found.when, found.place)] == [
        list(each) for each in (expected.trade, expected.when, expected.place)
    ]
    assert after == expected_after
