"""Every function against somebody else's formula on recorded bars, and on markets that stand still.

The tables are complete: a function without a row in `independent_*` fails here.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import independent_averages
import independent_first
import independent_momentum
import independent_patterns
import independent_statistics
import independent_trend
import independent_volatility
import independent_volume
import numpy as np
import polars as pl
import pytest
from independent_formulas import BARS, INDEPENDENT, PRICE, UNKNOWN, Array, Market
from vocabulary_samples import ALL, name_of

from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.function import Function
from tb.vocabulary.run import evaluate

TABLES = (
    independent_first,
    independent_averages,
    independent_momentum,
    independent_patterns,
    independent_statistics,
    independent_trend,
    independent_volatility,
    independent_volume,
)
DAY = 86_400_000


@pytest.fixture(scope="module")
def market(recorded_data: Path) -> Market:
    bitcoin, ether = (pl.read_parquet(recorded_data / "crypto_1h" / f"{name}-USD.parquet") for name in ("BTC", "ETH"))
    both = bitcoin.join(ether, on="time", suffix="_other").sort("time").head(BARS)
    columns = {name: both[name].cast(pl.Float64).to_numpy() for name in ("open", "high", "low", "close", "volume")}
    columns["other"] = both["close_other"].cast(pl.Float64).to_numpy()
    columns["rising"] = (columns["close"] > columns["open"]).astype(float)
    starts = both["time"].cast(pl.Int64).to_numpy()
    columns["day_number"] = (starts // (DAY * (1 if starts[0] < 1e14 else 1000))).astype(float)
    hours = np.arange(BARS)
    columns["funding_paid"] = np.where(hours % 8 == 7, np.sin(hours) * 1e-4, 0.0)
    return Market(**columns)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_every_function_is_compared(function: Function) -> None:
    assert function.name in INDEPENDENT, "enter a formula of somebody else's into an `independent_*` module"
    row = INDEPENDENT[function.name]
    assert len(row.constants) == len(function.constants)
    assert len(row.inputs) == len(function.series)
    assert len(row.flat) == len(function.outputs)
    assert row.settled < BARS / 2


def test_nothing_else_is_in_the_table() -> None:
    assert set(INDEPENDENT) <= set(FUNCTIONS)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_equals_an_independent_formula(name: str, market: Market) -> None:
    row, function = INDEPENDENT[name], FUNCTIONS[name]
    found, _ = evaluate(function, row.constants, row.rows(function, market), None)
    expected = row.columns(market)
    assert found.shape == expected.shape
    assert np.isfinite(found[:, BARS // 2 :]).mean() > 0.99
    for output, ours, theirs in zip(function.outputs, found, expected, strict=True):
        ours, theirs = ours[row.settled :], theirs[row.settled :]
        np.testing.assert_allclose(ours, theirs, rtol=row.rtol, atol=row.atol, err_msg=f"{output} by {row.by}")


def still(length: int, price: float) -> Market:
    """Bars that never move, of equal volume."""
    columns = {field.name: np.full(length, price) for field in fields(Market)}
    columns |= {name: np.full(length, value) for name, value in (("volume", 1000.0), ("rising", 1.0), ("funding_paid", 0.0))}
    return Market(**columns)


@pytest.mark.parametrize("price", [100.0, 0.1, 1 / 3, 61234.56])
@pytest.mark.parametrize("name", INDEPENDENT)
def test_a_market_that_does_not_move(name: str, price: float) -> None:
    """Averages are the price to the last bit, widths are zero, and what would divide by zero is unknown."""
    row, function = INDEPENDENT[name], FUNCTIONS[name]
    if price != 100.0 and any(not isinstance(flat, str) and flat > 1_000 for flat in row.flat):
        return  # sums of prices are stated for one price
    length = function.window(row.constants) + 150
    found, _ = evaluate(function, row.constants, row.rows(function, still(length, price)), None)
    for value, flat in zip(found[:, -1], row.flat, strict=True):
        if flat == UNKNOWN:
            assert np.isnan(value)
        else:
            assert value == (price if flat == PRICE else flat)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_large_values_leave_no_trace(name: str) -> None:
    """A stretch of huge values, then a market that stands still: windowed functions say what they say without the stretch."""
    row, function = INDEPENDENT[name], FUNCTIONS[name]
    if function.is_recursive:
        return
    window = function.window(row.constants)
    inputs = row.rows(function, still(window + 60, 100.0))
    alone, _ = evaluate(function, row.constants, inputs, None)
    shaken = inputs.copy()
    shaken[:, :50] = 1e9 + np.random.default_rng(5).normal(size=(len(inputs), 50)) * 1e8
    found, _ = evaluate(function, row.constants, shaken, None)
    last: Array = found[:, 50 + window - 1 :]
    np.testing.assert_array_equal(last, alone[:, 50 + window - 1 :])


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if function.family == "patterns"])
def test_patterns_come_about_where_another_library_sees_them(name: str) -> None:
    """On made-up bars on which each occurs; a tie of decimals may tip in its running sums, in one of a thousand at most."""
    row, function = INDEPENDENT[name], FUNCTIONS[name]
    market = independent_patterns.made_up()
    found, _ = evaluate(function, row.constants, row.rows(function, market), None)
    expected = row.columns(market)
    assert (np.nansum(found, axis=1) >= 3).all()
    assert np.isclose(found, expected, equal_nan=True).mean() > 0.999
