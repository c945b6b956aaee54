"""A small simulated market to try tb on: six instruments, 120 days of hourly bars. None of it ever traded.

The prices are a SIMULATION: a common factor that passes through calm, rising, crashing, recovering and sliding stages, its
own noise for each instrument, volatility that comes in clusters, and bursts, in which a move and a multiple of the usual
volume come together. It is made to exercise rules and limits. What a strategy earns on it says nothing about any market.

Guarantees that the same seed gives the same bars on every machine and with every version of NumPy: it takes raw bits alone
from the generator, adds in a stated order, and rounds prices to ticks. It ships as code; no data file is kept.

1. `_factor` walks the common factor through `STAGES`, hour by hour.
2. `_walk` adds an instrument's own noise and bursts in six steps an hour, and takes open, high, low and close from the path.
3. `_volumes` follows the bursts, the size of the move and the hour of the day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tb.core.time import DAY, HOUR

if TYPE_CHECKING:
    import polars as pl

DAYS = 120
START = 19_723 * DAY  # 2024-01-01; a date only, the prices are not of that time
STEPS = 6  # inside an hour


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the common factor: drift of the logarithm and standard deviation, both for one hour."""

    days: int
    drift: float
    deviation: float
    upward: float  # share of bursts that go up


STAGES = (
    Stage(18, 0.00000, 0.0032, 0.50),
    Stage(30, 0.00030, 0.0040, 0.70),
    Stage(3, -0.00380, 0.0110, 0.15),
    Stage(9, 0.00070, 0.0075, 0.55),
    Stage(20, -0.00005, 0.0038, 0.50),
    Stage(24, 0.00030, 0.0042, 0.65),
    Stage(16, -0.00080, 0.0055, 0.30),
)


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument: first price, decimals of its tick and lot, its share in the common factor, the deviation of its own
    noise for one hour, and its usual volume in USD a day."""

    symbol: str
    price: float
    tick_digits: int
    lot_digits: int
    beta: float
    noise: float
    usd_a_day: float


LISTINGS = (
    Listing("BTC-USD", 42_000.0, 1, 5, 1.0, 0.0012, 9.0e9),
    Listing("ETH-USD", 2_300.0, 2, 4, 1.1, 0.0022, 4.5e9),
    Listing("SOL-USD", 100.0, 3, 3, 1.3, 0.0045, 8.0e8),
    Listing("DOGE-USD", 0.08, 5, 0, 1.2, 0.0050, 7.0e7),
    Listing("LINK-USD", 15.0, 3, 2, 1.1, 0.0048, 1.6e7),
    Listing("BNB-USD", 310.0, 2, 3, 0.8, 0.0025, 1.8e8),
)

# share of an hour in the volume of its day, against the mean: quiet nights, busy afternoons (UTC)
HOURS = (
    0.8,
    0.75,
    0.7,
    0.7,
    0.7,
    0.75,
    0.8,
    0.9,
    1.0,
    1.0,
    1.0,
    1.05,
    1.1,
    1.3,
    1.5,
    1.5,
    1.4,
    1.25,
    1.15,
    1.1,
    1.0,
    0.95,
    0.85,
    0.75,
)

BURSTS_A_DAY = 0.22
BURST_SIZE = (2.2, 4.5)  # in hourly deviations
BURST_VOLUME = (2.5, 6.0)  # against the usual volume
AFTERGLOW = 10  # hours in which a burst's direction goes on, weakly


class _Draws:
    """Random numbers from raw bits. The bit stream of PCG64 is fixed for good; NumPy's distributions may change."""

    def __init__(self, seed: int, stream: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, stream]))

    def uniforms(self, count: int) -> list[float]:
        """Evenly spread over 0 (included) to 1."""
        values: list[float] = ((self._bits.random_raw(count) >> np.uint64(11)) * 2.0**-53).tolist()
        return values

    def normals(self, count: int) -> list[float]:
        """Nearly standard normal: twelve uniforms added, less six (Irwin-Hall), which every machine rounds alike."""
        draws = self.uniforms(12 * count)
        values = []
        for start in range(0, 12 * count, 12):
            total = -6.0
            for place in range(start, start + 12):
                total += draws[place]
            values.append(total)
        return values


@dataclass(frozen=True, slots=True)
class _Hour:
    """The common factor in one hour."""

    steps: tuple[float, ...]  # changes of the logarithm
    deviation: float
    upward: float


@dataclass(frozen=True, slots=True)
class _Bar:
    open: float
    high: float
    low: float
    close: float
    push: float  # volume against the usual one


def sample_market(seed: int = 7) -> dict[str, pl.DataFrame]:
    """The simulated market, by symbol: `time` (start of the bar, UTC, ms), open, high, low, close in USD, volume in units of
    the instrument. 2,880 rows each, no gaps. Another seed gives another market of the same kind."""
    import polars as pl

    hours = _factor(seed)
    times = [START + number * HOUR for number in range(len(hours))]
    market = {}
    for stream, listing in enumerate(LISTINGS, start=1):
        draws = _Draws(seed, stream)
        bars = _walk(listing, hours, draws)
        columns = {
            "time": pl.Series(times).cast(pl.Datetime("ms", "UTC")),
            "open": [bar.open for bar in bars],
            "high": [bar.high for bar in bars],
            "low": [bar.low for bar in bars],
            "close": [bar.close for bar in bars],
            "volume": _volumes(listing, bars, draws),
        }
        market[listing.symbol] = pl.DataFrame(columns)
    return market


def write_sample(folder: Path, seed: int = 7) -> list[Path]:
    """Writes the simulated market as `SYMBOL.parquet` files into the folder, which is made if need be; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for symbol, bars in sample_market(seed).items():
        path = folder / f"{symbol}.parquet"
        bars.write_parquet(path)
        written.append(path)
    return written


def _factor(seed: int) -> list[_Hour]:
    draws = _Draws(seed, 0)
    count = DAYS * 24
    noise, clusters = draws.normals(count * STEPS), draws.normals(count)
    stages = [stage for stage in STAGES for _ in range(stage.days * 24)]
    hours = []
    heat = 0.0  # logarithm of the volatility against its stage's: an autoregression, so that wild hours come together
    for number, stage in enumerate(stages):
        heat = 0.97 * heat + 0.085 * clusters[number]
        deviation = stage.deviation * math.exp(heat)
        steps = tuple(
            stage.drift / STEPS + deviation * z / math.sqrt(STEPS) for z in noise[number * STEPS : (number + 1) * STEPS]
        )
        hours.append(_Hour(steps, deviation, stage.upward))
    return hours


def _walk(listing: Listing, hours: Sequence[_Hour], draws: _Draws) -> list[_Bar]:
    noise = draws.normals(len(hours) * STEPS)
    chances, sizes, pushes, signs = (draws.uniforms(len(hours)) for _ in range(4))
    level = math.log(listing.price)
    close = round(listing.price, listing.tick_digits)
    direction, glow, push = 0.0, 0, 1.0
    bars = []
    for number, hour in enumerate(hours):
        deviation = hour.deviation * listing.beta + listing.noise
        lean = direction * 0.12 * deviation if glow > 0 else 0.0
        glow -= 1
        push = 1.0 + (push - 1.0) * 0.45
        if chances[number] < BURSTS_A_DAY / 24:
            direction = 1.0 if signs[number] < hour.upward else -1.0
            lean = direction * deviation * _between(BURST_SIZE, sizes[number])
            glow, push = AFTERGLOW, _between(BURST_VOLUME, pushes[number])
        path = [close]
        for step in range(STEPS):
            level += listing.beta * hour.steps[step] + lean / STEPS
            level += listing.noise * noise[number * STEPS + step] / math.sqrt(STEPS)
            path.append(round(math.exp(level), listing.tick_digits))
        bars.append(_Bar(path[0], max(path), min(path), path[-1], push))
        close = path[-1]
    return bars


def _volumes(listing: Listing, bars: Sequence[_Bar], draws: _Draws) -> list[float]:
    noise = draws.normals(len(bars))
    volumes = []
    mood = 0.0
    for number, bar in enumerate(bars):
        mood = 0.9 * mood + 0.12 * noise[number]
        moved = abs(bar.close / bar.open - 1.0) / (0.004 * listing.beta + listing.noise)
        usd = listing.usd_a_day / 24 * HOURS[number % 24] * math.exp(mood) * bar.push * (0.75 + 0.35 * min(moved, 4.0))
        volumes.append(round(usd / bar.close, listing.lot_digits))
    return volumes


def _between(bounds: tuple[float, float], share: float) -> float:
    low, high = bounds
    return low + (high - low) * share
