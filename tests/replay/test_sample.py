"""The simulated market: the same everywhere, consistent, and lively enough to exercise rules and limits."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from statistics import median

import polars as pl
import pytest

from tb.core.time import HOUR
from tb.replay.sample import DAYS, LISTINGS, STAGES, START, sample_market, write_sample

SYMBOLS = ["BTC-USD", "ETH-USD", "SOL-USD", "DOGE-USD", "LINK-USD", "BNB-USD"]


@pytest.fixture(scope="module")
def market() -> dict[str, pl.DataFrame]:
    return sample_market()


def digest(market: dict[str, pl.DataFrame]) -> str:
    text = "\n".join(f"{symbol} {row!r}" for symbol, bars in market.items() for row in bars.drop("time").iter_rows())
    return hashlib.sha256(text.encode()).hexdigest()


def daily_usd(bars: pl.DataFrame) -> float:
    return float((bars["volume"] * bars["close"]).sum()) / DAYS


def test_the_seed_decides_everything(market: dict[str, pl.DataFrame]) -> None:
    assert digest(sample_market(7)) == digest(market) == "606f3fc3cc3d1dd325e9323a217b88b8d3518570f9690dd9c45a7b31b947f265"
    assert digest(sample_market(8)) != digest(market)


def test_the_shape(market: dict[str, pl.DataFrame]) -> None:
    assert list(market) == SYMBOLS
    assert sum(stage.days for stage in STAGES) == DAYS
    for bars in market.values():
        assert bars.columns == ["time", "open", "high", "low", "close", "volume"]
        assert bars["time"].dtype == pl.Datetime("ms", "UTC")
        assert bars["time"].dt.epoch("ms").to_list() == [START + n * HOUR for n in range(DAYS * 24)]


@pytest.mark.parametrize("seed", [0, 7, 1234])
def test_bars_are_consistent(seed: int) -> None:
    for listing in LISTINGS:
        bars = sample_market(seed)[listing.symbol]
        rows = bars.drop("time").rows()
        assert bars["open"][0] == listing.price
        for (_, _, _, before, _), (opened, *_) in pairwise(rows):
            assert opened == before
        for opened, high, low, close, volume in rows:
            assert 0 < low <= min(opened, close) <= max(opened, close) <= high
            assert volume > 0
            assert [round(price, listing.tick_digits) for price in (opened, high, low, close)] == [opened, high, low, close]
            assert round(volume, listing.lot_digits) == volume


def test_volumes_are_of_the_right_size(market: dict[str, pl.DataFrame]) -> None:
    usd = {symbol: daily_usd(bars) for symbol, bars in market.items()}
    assert sorted(usd, key=lambda symbol: -usd[symbol]) == ["BTC-USD", "ETH-USD", "SOL-USD", "BNB-USD", "DOGE-USD", "LINK-USD"]
    assert usd["BTC-USD"] > 1e9
    assert 2e7 < usd["DOGE-USD"] < 2e8
    assert 5e6 < usd["LINK-USD"] < 3e7


def test_volume_comes_with_moves(market: dict[str, pl.DataFrame]) -> None:
    for bars in market.values():
        moves = [(abs(close / opened - 1), volume) for _, opened, _, _, close, volume in bars.iter_rows()]
        largest = sorted(moves, reverse=True)[: len(moves) // 50]
        assert median(volume for _, volume in largest) > 2 * median(volume for _, volume in moves)


def test_there_is_a_crash_and_there_are_rises(market: dict[str, pl.DataFrame]) -> None:
    close = market["BTC-USD"]["close"]
    day = (close / close.shift(24) - 1).drop_nulls()
    assert day.min() < -0.08
    assert day.max() > 0.05
    assert (close / close.cum_max() - 1).min() < -0.15
    assert (day.abs() < 0.01).sum() > len(day) // 5


def test_instruments_move_together_but_not_as_one(market: dict[str, pl.DataFrame]) -> None:
    changes = {symbol: bars["close"].log().diff().drop_nulls() for symbol, bars in market.items()}
    frame = pl.DataFrame(changes)
    for symbol in SYMBOLS[1:]:
        together = frame.select(pl.corr("BTC-USD", symbol)).item()
        assert 0.5 < together < 0.97


def test_files_hold_the_same_bars(market: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    written = write_sample(tmp_path / "new" / "sample")
    assert [path.name for path in written] == [f"{symbol}.parquet" for symbol in SYMBOLS]
    for path in written:
        assert pl.read_parquet(path).equals(market[path.stem])
