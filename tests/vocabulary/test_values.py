"""What the functions say on small histories worked out by hand, and on markets that do not move."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.run import evaluate

NAN = math.nan


def values(name: str, constants: tuple[float, ...], *rows: list[float], output: str = "value") -> list[float]:
    function = FUNCTIONS[name]
    found, _ = evaluate(function, constants, np.array(rows, dtype=np.float64), None)
    return [float(x) for x in found[function.outputs.index(output)]]


@pytest.mark.parametrize(
    ("name", "constants", "rows", "expected"),
    [
        ("sma", (3,), [[1, 2, 6, 1]], [NAN, NAN, 3, 3]),
        ("ema", (3,), [[1, 2, 6, 1]], [NAN, NAN, 3, 2]),  # 3 + 1/2 (1 - 3)
        ("rma", (2,), [[1, 3, 6]], [NAN, 2, 4]),
        ("wma", (3,), [[1, 2, 6]], [NAN, NAN, 23 / 6]),  # (1 + 4 + 18) / 6
        ("hma", (4,), [[1, 2, 3, 4, 5]], [NAN, NAN, NAN, NAN, 5]),  # follows a straight line without delay
        ("vwap", (2,), [[3, 6], [3, 6], [3, 6], [1, 3]], [NAN, 5.25]),
        ("vwap", (1,), [[3], [3], [3], [0]], [NAN]),
        ("change", (2,), [[100, 50, 110]], [NAN, NAN, 0.1]),
        ("change", (1,), [[0, 5]], [NAN, NAN]),
        ("momentum", (1,), [[4, 7, 5]], [NAN, 3, -2]),
        ("williams_r", (2,), [[10, 12], [8, 9], [9, 11]], [NAN, -25]),  # (12 - 11) / (12 - 8)
        ("stdev", (4,), [[1, 1, 3, 3]], [NAN, NAN, NAN, 1]),
        ("true_range", (), [[10, 12, 8], [9, 11, 7], [9, 12, 7.5]], [NAN, 3, 5]),
        ("atr", (2,), [[10, 12, 8, 9], [9, 11, 7, 8], [9, 12, 7.5, 8]], [NAN, NAN, 4, 2.75]),  # ranges 3, 5, 1.5
        ("volatility", (2,), [[1, math.e, math.e]], [NAN, NAN, 0.5]),
        ("volatility", (2,), [[1, -1, 2]], [NAN, NAN, NAN]),
        ("median", (3,), [[5, 1, 3, 9]], [NAN, NAN, 3, 3]),
        ("median", (4,), [[5, 1, 3, 9]], [NAN, NAN, NAN, 4]),
        ("zscore", (4,), [[1, 1, 3, 3]], [NAN, NAN, NAN, 1]),
        ("percentile", (5,), [[1, 2, 3, 4, 3]], [NAN, NAN, NAN, NAN, 0.5]),  # 1 and 2 of 1, 2, 3, 4 lie below 3
        ("percentile", (3,), [[1, 2, 3]], [NAN, NAN, 1]),
        ("percentile", (3,), [[2, 2, 2]], [NAN, NAN, 0]),
        ("correlation", (3,), [[1, 2, 3], [2, 4, 6]], [NAN, NAN, 1]),
        ("correlation", (3,), [[1, 2, 3], [1, 0, 1]], [NAN, NAN, 0]),
        ("slope", (3,), [[1, 3, 5]], [NAN, NAN, 2]),
        ("highest", (2,), [[1, 3, 2, 1]], [NAN, 3, 3, 2]),
        ("lowest", (2,), [[1, 3, 2, 1]], [NAN, 1, 2, 1]),
        ("total", (2,), [[1, 3, 2]], [NAN, 4, 5]),
        ("count", (3,), [[1, 0, 1, 1]], [NAN, NAN, 2, 2]),
        ("bars_since", (3,), [[1, 0, 0, 0, 1, 1]], [NAN, NAN, 2, 3, 0, 0]),
        ("volume_usd", (2,), [[10, 20], [1, 2]], [NAN, 50]),
        ("obv", (), [[5, 6, 6, 4], [9, 1, 2, 3]], [0, 1, 1, -2]),
        ("mfi", (2,), [[1, 2, 1], [1, 2, 1], [1, 2, 1], [1, 3, 2]], [NAN, NAN, 75]),  # 6 rising, 2 falling
        ("cci", (2,), [[1, 3], [1, 3], [1, 3]], [NAN, 1 / 0.015]),
    ],
)
def test_by_hand(name: str, constants: tuple[float, ...], rows: list[list[float]], expected: list[float]) -> None:
    assert values(name, constants, *rows) == pytest.approx(expected, rel=1e-14, nan_ok=True)


def test_several_outputs_by_hand() -> None:
    prices = [1.0, 1.0, 3.0, 3.0]
    assert values("bollinger", (4, 2), prices, output="middle")[-1] == 2
    assert values("bollinger", (4, 2), prices, output="upper")[-1] == 4
    assert values("bollinger", (4, 2), prices, output="lower")[-1] == 0
    high, low, close = [10.0, 12.0, 11.0], [8.0, 9.0, 10.0], [9.0, 11.0, 10.5]
    assert values("donchian", (3,), high, low, output="middle")[-1] == 10
    assert values("stochastic", (2, 1, 2), high, low, close, output="k")[-1] == 50  # (10.5 - 9) / (12 - 9)
    assert values("stochastic", (2, 1, 2), high, low, close, output="d")[-1] == 62.5  # before it (11 - 8) / (12 - 8)


def test_rsi_of_a_published_example() -> None:
    """The fifteen closes with which the method is usually taught give 70.5."""
    closes = [44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28]
    found = values("rsi", (14,), closes)
    assert all(math.isnan(x) for x in found[:-1])
    assert found[-1] == pytest.approx(70.46, abs=0.01)


def test_macd_is_made_of_averages() -> None:
    closes = [float(x) for x in (3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8)]
    line = [a - b for a, b in zip(values("ema", (2,), closes), values("ema", (4,), closes), strict=True)]
    signal = values("ema", (3,), line)
    assert values("macd", (2, 4, 3), closes, output="signal") == pytest.approx(signal, nan_ok=True, abs=0)
    assert values("macd", (2, 4, 3), closes, output="line")[5:] == line[5:]
    histogram = [a - b for a, b in zip(line, signal, strict=True)]
    assert values("macd", (2, 4, 3), closes, output="histogram") == pytest.approx(histogram, nan_ok=True, abs=0)


def test_atr_is_the_average_of_true_range() -> None:
    rng = np.random.default_rng(3)
    low = list(100 + rng.normal(size=60))
    rows = ([x + 2 for x in low], low, [x + 1 for x in low])
    assert values("atr", (14,), *rows) == pytest.approx(
        values("rma", (14,), values("true_range", (), *rows)), nan_ok=True, abs=0
    )


@pytest.mark.parametrize("price", [0.1, 1 / 3, 100.0, 61234.56])
def test_a_market_that_does_not_move(price: float) -> None:
    """Averages are the price to the last bit, widths are zero, and what would divide by zero is unknown."""
    flat = [price] * 40
    for name in ("sma", "ema", "wma", "rma", "hma", "mean", "median", "highest", "lowest"):
        assert values(name, (7,), flat)[-1] == price, name
    assert values("stdev", (7,), flat)[-1] == 0
    assert values("slope", (7,), flat)[-1] == 0
    assert values("volatility", (7,), flat)[-1] == 0
    assert values("atr", (7,), flat, flat, flat)[-1] == 0
    assert values("macd", (3, 7, 4), flat, output="histogram")[-1] == 0
    assert values("bollinger", (7, 2), flat, output="upper")[-1] == price
    for name, rows in (("rsi", 1), ("zscore", 1), ("correlation", 2), ("cci", 3), ("williams_r", 3), ("mfi", 4)):
        assert all(math.isnan(x) for x in values(name, (7,), *[flat] * rows)), name
    assert all(math.isnan(x) for x in values("stochastic", (7, 3, 3), flat, flat, flat, output="k"))
    assert all(math.isnan(x) for x in values("adx", (7,), flat, flat, flat, output="adx"))


def test_a_market_that_only_rises() -> None:
    up = [float(x) for x in range(100, 160)]
    assert values("rsi", (14,), up)[-1] == 100
    assert values("adx", (14,), up, up, up, output="adx")[-1] == pytest.approx(100)
    assert values("adx", (14,), up, up, up, output="minus_di")[-1] == 0
    assert values("percentile", (14,), up)[-1] == 1
