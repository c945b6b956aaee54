"""Coarser bars, held against a definition in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.time import DAY, HOUR, MINUTE, WEEK, parse_instant
from tb.engine.bars import Bars, bucket_starts, resample

NAN = math.nan


def make(times: list[int], columns: list[list[float]], period: int = HOUR, *, quotes: bool = True) -> Bars:
    arrays = [np.array(column, dtype=np.float64) for column in columns]
    return Bars(
        symbol="BTC-USD",
        period=period,
        time=np.array(times, dtype=np.int64),
        open=arrays[0],
        high=arrays[1],
        low=arrays[2],
        close=arrays[3],
        volume=arrays[4],
        bid=arrays[5] if quotes else None,
        ask=arrays[6] if quotes else None,
        source="BTC-USD.csv",
        rows=np.arange(10, 10 + len(times), dtype=np.int64),
    )


def plainly(bars: Bars, period: int) -> list[tuple[object, ...]]:
    """The definition: one bucket after the other, one bar after the other."""
    last_close = int(bars.time[-1]) + bars.period if len(bars) else 0
    buckets: dict[int, list[int]] = {}
    for position, time in enumerate(bars.time.tolist()):
        shift = 4 * DAY if period % WEEK == 0 else 0
        buckets.setdefault((time - shift) // period * period + shift, []).append(position)
    result = []
    for start, inside in buckets.items():
        if start + period > last_close:
            continue
        highest, lowest, volume = -math.inf, math.inf, 0.0
        for position in inside:
            high, low = float(bars.high[position]), float(bars.low[position])
            highest = NAN if math.isnan(high) or math.isnan(highest) else max(highest, high)
            lowest = NAN if math.isnan(low) or math.isnan(lowest) else min(lowest, low)
            volume += float(bars.volume[position])
        first, last = inside[0], inside[-1]
        quote = (None, None) if bars.bid is None or bars.ask is None else (bars.bid[last], bars.ask[last])
        result.append((start, bars.open[first], highest, lowest, bars.close[last], volume, *quote, bars.rows[last]))
    return result


def rows_of(bars: Bars) -> list[tuple[object, ...]]:
    none = [None] * len(bars)
    bid, ask = (none if side is None else side.tolist() for side in (bars.bid, bars.ask))
    columns = (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return list(zip(*(column.tolist() for column in columns), bid, ask, bars.rows.tolist(), strict=True))


value = st.one_of(st.floats(0.01, 1e6), st.just(NAN))


@given(st.data(), st.sampled_from([2 * HOUR, 4 * HOUR, DAY, WEEK]), st.booleans())
def test_a_coarse_bar_is_what_the_definition_says(data: st.DataObject, period: int, quotes: bool) -> None:
    steps = data.draw(st.lists(st.one_of(st.just(1), st.integers(1, 60)), max_size=60))
    start = data.draw(st.integers(0, 400))
    times = [start * HOUR]
    for step in steps:
        times.append(times[-1] + step * HOUR)
    columns = [data.draw(st.lists(value, min_size=len(times), max_size=len(times))) for _ in range(7)]
    bars = make(times, columns, quotes=quotes)
    got = resample(bars, period)
    np.testing.assert_equal(rows_of(got), plainly(bars, period))
    assert (got.symbol, got.period, got.source) == ("BTC-USD", period, "BTC-USD.csv")


@given(st.lists(st.integers(1, 30), min_size=1, max_size=50), st.integers(0, 50), st.sampled_from([4 * HOUR, DAY]))
def test_cutting_off_the_future_changes_no_earlier_coarse_bar(steps: list[int], kept: int, period: int) -> None:
    times = [step * HOUR for step in np.cumsum(steps).tolist()]
    bars = make(times, [[float(position + 1) for position in range(len(times))]] * 7)
    kept = min(kept, len(times))
    early, late = rows_of(resample(bars.part(0, kept), period)), rows_of(resample(bars, period))
    assert early == late[: len(early)]


def test_the_last_coarse_bar_waits_for_its_end() -> None:
    times = [hour * HOUR for hour in range(5)]
    bars = make(times, [[1.0, 2.0, 3.0, 4.0, 5.0]] * 7)
    assert resample(bars.part(0, 3), 4 * HOUR).time.tolist() == []
    assert resample(bars.part(0, 4), 4 * HOUR).time.tolist() == [0]
    assert resample(bars, 4 * HOUR).close.tolist() == [4.0]


def test_weeks_start_on_monday_and_days_at_midnight() -> None:
    wednesday = parse_instant("2024-01-03T15:30")
    assert wednesday is not None
    starts = [int(bucket_starts(np.array([wednesday]), period)[0]) for period in (HOUR, DAY, WEEK)]
    assert starts == [parse_instant("2024-01-03T15:00"), parse_instant("2024-01-03"), parse_instant("2024-01-01")]


def test_the_same_period_gives_the_same_bars() -> None:
    bars = make([0, HOUR], [[1.0, 2.0]] * 7)
    assert resample(bars, HOUR) is bars
    assert len(resample(bars.part(0, 0), DAY)) == 0


@pytest.mark.parametrize("period", [30 * MINUTE, 90 * MINUTE])
def test_a_period_that_does_not_fit_is_a_mistake_of_the_caller(period: int) -> None:
    with pytest.raises(ValueError, match=f"{period} ms is not a multiple of 3600000 ms"):
        resample(make([0], [[1.0]] * 7), period)


def test_a_bar_closes_a_period_after_its_start() -> None:
    assert make([0, HOUR], [[1.0, 2.0]] * 7).closes.tolist() == [HOUR, 2 * HOUR]
