"""The market of the yardstick: a seeded walk with bars of five minutes, whose prices have two decimals as real ones do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tb.engine.bars import Bars
from tb.replay.data import Market

SYMBOL = "BTC-USD"
PERIOD = 300_000
FIRST = 1_577_836_800_000  # 2020-01-01
STEPS = 4  # prices inside a bar
BLOCK = 10_000  # bars after which the price is back at its start, so that it goes neither to nothing nor to the sky


@dataclass(frozen=True)
class Case:
    """A market and a strategy on it. `volatility` is that of a bar; `fast` and `slow` are the windows of the averages."""

    bars: int
    volatility: float = 0.009
    fast: int = 20
    slow: int = 50
    seed: int = 7


def write(case: Case, path: Path) -> None:
    """Writes time, open, high, low, close and volume. Each bar opens where the last one closed."""
    draws = np.random.default_rng(case.seed)
    moves = draws.normal(0.0, case.volatility / np.sqrt(STEPS), (case.bars, STEPS))
    for begin in range(0, case.bars, BLOCK):  # without a drift in a block the price comes back to where it began
        moves[begin : begin + BLOCK] -= moves[begin : begin + BLOCK].mean()
    inside = 30_000.0 * np.exp(np.cumsum(moves.ravel())).reshape(case.bars, STEPS)
    inside = np.maximum(np.round(inside, 2), 0.01)
    close = inside[:, -1]
    opened = np.r_[30_000.0, close[:-1]]
    np.savez(
        path,
        time=FIRST + PERIOD * np.arange(case.bars, dtype=np.int64),
        open=opened,
        high=np.maximum(inside.max(axis=1), opened),
        low=np.minimum(inside.min(axis=1), opened),
        close=close,
        volume=np.round(draws.lognormal(2.0, 1.0, case.bars), 3),
    )


def read(path: Path) -> Market:
    """The same arrays as tb's market, without a file format between."""
    with np.load(path) as found:
        values = {name: np.ascontiguousarray(found[name]) for name in found.files}
    rows = np.arange(len(values["time"]), dtype=np.int64)
    bars = Bars(SYMBOL, PERIOD, **values, bid=None, ask=None, source=path.name, rows=rows)
    return Market(str(path), {SYMBOL: bars}, PERIOD, (), f"seeded {path.stem}")
