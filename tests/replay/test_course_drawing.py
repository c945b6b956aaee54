"""What is held at which prices, out of the trades of a course: on ticks or not, bars apart or not, some refused."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tb.replay.course import drawing, paths


@st.composite
def courses(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int, list[int]]:
    """Places of fill and exit of trades that follow one another (the exit is before where one was refused), how many bars
    there are, and where each stands."""
    steps = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(-1, 5)), min_size=1, max_size=6))
    trades, at = [], 0
    for wait, held in steps:
        trades.append((at + wait, at + wait + held))
        at += wait + held
    apart = draw(st.one_of(st.just([]), st.lists(st.integers(1, 3), min_size=at + 1, max_size=at + 1)))
    return trades, at + 1, apart


@given(courses(), st.data())
def test_points_are_those_of_a_plain_walk(course: tuple[list[tuple[int, int]], int, list[int]], data: st.DataObject) -> None:
    trades, bars, apart = course
    cents = data.draw(st.lists(st.integers(1, 200_000_000), min_size=bars, max_size=bars))
    close = np.array(cents) / 100.0
    off = data.draw(st.sets(st.integers(0, bars - 1), max_size=1))
    for place in off:
        close[place] = np.nextafter(close[place], np.inf)
    where = np.array([0, *np.cumsum(apart)] if apart else [], dtype=np.int64)
    instants = 1_000 * np.arange(int(where[-1]) + 1 if apart else bars)
    rows = np.zeros((len(trades), paths.CLOSED + paths.FILLED + 1), dtype=np.int64)
    rows[:, paths.FILLED], rows[:, paths.CLOSED] = np.array(trades).T

    expected, counts = [], []
    for filled, closed in trades:
        begun = len(expected)
        if closed < filled:
            counts += [0, 0]
            continue
        for bar in range(filled, closed):
            places = range(where[bar], where[bar + 1]) if apart else (bar,)
            expected += [(int(instants[place]), float(close[bar])) for place in places]
        counts += [len(expected) - begun, 1]
        expected.append((int(instants[where[closed] if apart else closed]), 0.0))

    times, lengths = np.empty(len(expected), dtype=np.int64), np.empty(2 * len(trades), dtype=np.int64)
    for count in (len(expected), 0):
        whole, floats = np.zeros(count, dtype=np.int32), np.zeros(0 if count else len(expected))
        fits = drawing._draw(rows, where, close, instants, 100.0, times, whole, floats, lengths)
        held = any(filled <= place < closed for place in off for filled, closed in trades)
        assert fits == (not count or not held)
        if fits:
            prices = (whole / 100.0 if count else floats).tolist()
            assert (list(zip(times.tolist(), prices, strict=True)), lengths.tolist()) == (expected, counts)


def test_what_is_no_number_of_32_bits_is_no_tick() -> None:
    rows = np.zeros((1, paths.CLOSED + paths.FILLED + 1), dtype=np.int64)
    rows[:, paths.CLOSED] = 1
    nothing, times, lengths = np.empty(0, dtype=np.int64), np.empty(2, dtype=np.int64), np.empty(2, dtype=np.int64)
    for price, fits in ((19_999_999.99, True), (20_000_000.0, False), (np.nan, False), (np.inf, False)):
        close, whole = np.array([price, 1.0]), np.empty(2, dtype=np.int32)
        found = drawing._draw(rows, nothing, close, np.arange(2), 100.0, times, whole, np.empty(0), lengths)
        assert found == fits
