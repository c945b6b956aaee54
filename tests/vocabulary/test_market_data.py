"""The functions against independent formulas, vectorised or by another library, on recorded bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.run import evaluate

Array = NDArray[np.float64]
BARS = 12_000


@pytest.fixture(scope="module")
def market(recorded_data: Path) -> dict[str, Array]:
    files = sorted((recorded_data / "crypto_1h").glob("*.parquet"))
    frames = {
        file.stem.split("-")[0].upper()[:3]: pl.read_parquet(file).head(BARS) for file in files if file.stem.count(".") == 0
    }
    bitcoin, ether = frames["BTC"], frames["ETH"]
    columns = {name: bitcoin[name].cast(pl.Float64).to_numpy() for name in ("high", "low", "close", "volume")}
    return columns | {"ether": ether["close"].cast(pl.Float64).to_numpy()}


def found(name: str, constants: tuple[float, ...], *rows: Array, output: str = "value") -> Array:
    function = FUNCTIONS[name]
    return evaluate(function, constants, np.array(rows), None)[0][function.outputs.index(output)]


def windows(x: Array, n: int) -> Array:
    return sliding_window_view(x, n)


def smoothed(x: Array, n: int, weight: float) -> Array:
    """The mean of the first n values, then a recursive average, through polars; shorter than x by n - 1."""
    seeded = np.concatenate(([x[:n].mean()], x[n:]))
    return pl.Series(seeded).ewm_mean(alpha=weight, adjust=False).to_numpy()


def assert_near(result: Array, expected: Array) -> None:
    """Equal to 1e-9 relative once warm; `expected` holds the values after the warm-up."""
    lead = len(result) - len(expected)
    assert len(expected) > BARS / 2
    assert np.isnan(result[:lead]).all()
    np.testing.assert_allclose(result[lead:], expected, rtol=1e-9, atol=1e-9)


def test_windowed_averages(market: dict[str, Array]) -> None:
    close, n = market["close"], 20
    assert_near(found("sma", (n,), close), windows(close, n).mean(axis=1))
    weights = np.arange(1, n + 1)
    assert_near(found("wma", (n,), close), windows(close, n) @ weights / weights.sum())
    typical = (market["high"] + market["low"] + close) / 3
    traded = windows(market["volume"], n)
    expected = (windows(typical, n) * traded).sum(axis=1) / traded.sum(axis=1)
    assert_near(found("vwap", (n,), market["high"], market["low"], close, market["volume"]), expected)


def test_recursive_averages(market: dict[str, Array]) -> None:
    close = market["close"]
    assert_near(found("ema", (20,), close), smoothed(close, 20, 2 / 21))
    assert_near(found("rma", (14,), close), smoothed(close, 14, 1 / 14))
    line = smoothed(close, 12, 2 / 13)[14:] - smoothed(close, 26, 2 / 27)
    signal = smoothed(line, 9, 2 / 10)
    assert_near(found("macd", (12, 26, 9), close, output="line"), line[8:])
    assert_near(found("macd", (12, 26, 9), close, output="signal"), signal)
    assert_near(found("macd", (12, 26, 9), close, output="histogram"), line[8:] - signal)


def test_rsi(market: dict[str, Array]) -> None:
    moves = np.diff(market["close"])
    gain, loss = smoothed(np.maximum(moves, 0), 14, 1 / 14), smoothed(np.maximum(-moves, 0), 14, 1 / 14)
    assert_near(found("rsi", (14,), market["close"]), 100 - 100 / (1 + gain / loss))


def ranges(market: dict[str, Array]) -> Array:
    before = market["close"][:-1]
    return np.maximum(market["high"][1:], before) - np.minimum(market["low"][1:], before)


def test_atr(market: dict[str, Array]) -> None:
    bars = (market["high"], market["low"], market["close"])
    assert_near(found("true_range", (), *bars), ranges(market))
    assert_near(found("atr", (14,), *bars), smoothed(ranges(market), 14, 1 / 14))


def test_adx(market: dict[str, Array]) -> None:
    up, down = np.diff(market["high"]), -np.diff(market["low"])
    span = smoothed(ranges(market), 14, 1 / 14)
    plus = 100 * smoothed(np.where((up > down) & (up > 0), up, 0), 14, 1 / 14) / span
    minus = 100 * smoothed(np.where((down > up) & (down > 0), down, 0), 14, 1 / 14) / span
    strength = smoothed(100 * np.abs(plus - minus) / (plus + minus), 14, 1 / 14)
    bars = (market["high"], market["low"], market["close"])
    assert_near(found("adx", (14,), *bars, output="adx"), strength)
    assert_near(found("adx", (14,), *bars, output="plus_di"), plus[13:])
    assert_near(found("adx", (14,), *bars, output="minus_di"), minus[13:])


def test_dispersion(market: dict[str, Array]) -> None:
    close, n = market["close"], 20
    mean, width = windows(close, n).mean(axis=1), windows(close, n).std(axis=1)
    assert_near(found("stdev", (n,), close), width)
    assert_near(found("bollinger", (n, 2), close, output="upper"), mean + 2 * width)
    assert_near(found("bollinger", (n, 2), close, output="lower"), mean - 2 * width)
    assert_near(found("zscore", (n,), close), (close[n - 1 :] - mean) / width)
    assert_near(found("volatility", (n,), close), windows(np.diff(np.log(close)), n).std(axis=1))
    fits = np.polynomial.polynomial.polyfit(np.arange(n), windows(close, n).T, 1)
    assert_near(found("slope", (n,), close), fits[1])


def test_correlation(market: dict[str, Array]) -> None:
    x, y, n = market["close"], market["ether"], 100
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(windows(x, n), windows(y, n), strict=True)]
    assert_near(found("correlation", (n,), x, y), np.array(expected))


def test_order(market: dict[str, Array]) -> None:
    high, low, close, n = market["high"], market["low"], market["close"], 24
    top, bottom = windows(high, n).max(axis=1), windows(low, n).min(axis=1)
    assert_near(found("highest", (n,), high), top)
    assert_near(found("lowest", (n,), low), bottom)
    assert_near(found("median", (n,), close), np.median(windows(close, n), axis=1))
    assert_near(found("donchian", (n,), high, low, output="middle"), (top + bottom) / 2)
    assert_near(found("williams_r", (n,), high, low, close), -100 * (top - close[n - 1 :]) / (top - bottom))
    below = (windows(close, n) < close[n - 1 :, None]).sum(axis=1)
    assert_near(found("percentile", (n,), close), below / (n - 1))
    slow = windows(100 * (close[n - 1 :] - bottom) / (top - bottom), 3).mean(axis=1)
    assert_near(found("stochastic", (n, 3, 3), high, low, close, output="k"), slow[2:])
    assert_near(found("stochastic", (n, 3, 3), high, low, close, output="d"), windows(slow, 3).mean(axis=1))


def test_volume(market: dict[str, Array]) -> None:
    high, low, close, volume = (market[name] for name in ("high", "low", "close", "volume"))
    signed = np.concatenate(([0.0], np.sign(np.diff(close)) * volume[1:]))
    assert_near(found("obv", (), close, volume), np.cumsum(signed))
    assert_near(found("volume_usd", (24,), close, volume), windows(close * volume, 24).sum(axis=1))
    typical = (high + low + close) / 3
    flow = np.sign(np.diff(typical)) * (typical * volume)[1:]
    rising, moved = windows(np.maximum(flow, 0), 14).sum(axis=1), windows(np.abs(flow), 14).sum(axis=1)
    assert_near(found("mfi", (14,), high, low, close, volume), 100 * rising / moved)
