"""What the market stage reads: bars of each instrument in each period, and what stands in for data nobody recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import Bars, resample
from tb.engine.clock import calendar_field
from tb.engine.feeds import Feeds
from tb.engine.funding import Funding, paid_within, periods_at, rates_at

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Stated stand-ins of a simulation: the spread (ratio) where no quotes were recorded, the depth (money) at any distance,
    and what a pip of each instrument is worth. None and absence mean unknown. `own` holds the spread and depth of instruments
    that have their own."""

    spread: float | None = None
    depth: float | None = None
    pips: Mapping[str, float] = field(default_factory=dict)
    own: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)

    def spread_of(self, symbol: str) -> float | None:
        return self.own.get(symbol, (self.spread, self.depth))[0]

    def depth_of(self, symbol: str) -> float | None:
        return self.own.get(symbol, (self.spread, self.depth))[1]


@dataclass(slots=True)
class Markets:
    """Bars by instrument, all of one base period; coarser periods are made when first asked for. `until` is an instant that
    time has reached though no bar may have closed at it; None: the newest close."""

    base: Mapping[str, Bars]
    assumptions: Assumptions
    tiers: Mapping[tuple[str, str], tuple[str, ...]]  # (universe, tier) -> instruments
    feeds: Feeds = field(default_factory=dict)
    funding: Mapping[str, Funding] = field(default_factory=dict)
    until: int | None = None
    _coarse: dict[tuple[str, int], Bars] = field(default_factory=dict)
    _closes: dict[tuple[str, int], tuple[Bars, NDArray[np.int64]]] = field(default_factory=dict)

    def bars(self, symbol: str, period: int) -> Bars:
        """The instrument's bars of that period; a ValueError where the data is coarser."""
        base = self.base[symbol]
        if period == base.period:
            return base
        key = (symbol, period)
        if key not in self._coarse:
            # one clock for all: an instrument with a gap at the end of a coarse bar does not hold that bar back
            newest = max(int(other.closes[-1]) for other in self.base.values() if len(other)) if len(base) else 0
            self._coarse[key] = resample(base, period, max(newest, self.until or 0))
        return self._coarse[key]

    def closes(self, symbol: str, period: int) -> NDArray[np.int64]:
        """The instants at which these bars close; while they are the same bars, the same array."""
        bars, found = self.bars(symbol, period), self._closes.get((symbol, period))
        if found is None or found[0] is not bars:
            found = self._closes[symbol, period] = (bars, bars.closes)
        return found[1]

    def read(self, bars: Bars, name: str) -> Floats:
        """One market field over those bars, NaN where unknown."""
        match name:
            case "open":
                return bars.open
            case "high":
                return bars.high
            case "low":
                return bars.low
            case "close":
                return bars.close
            case "volume":
                return bars.volume
            case "bid" | "ask" | "mid" | "spread":
                return self._quoted(bars, name)
            case "funding_rate":
                return rates_at(self.funding.get(bars.symbol), bars.closes)
            case "funding_paid":
                return paid_within(self.funding.get(bars.symbol), bars.closes, bars.period)
            case "funding_period":
                return periods_at(self.funding.get(bars.symbol), bars.closes)
            case "missing_bars":
                return _missing(bars)
            case _:
                found = calendar_field(name, bars.closes)
                return np.full(len(bars), np.nan) if found is None else found

    def _quoted(self, bars: Bars, name: str) -> Floats:
        if bars.bid is None or bars.ask is None:
            spread = self.assumptions.spread_of(bars.symbol)
            if spread is None:
                return bars.close if name == "mid" else np.full(len(bars), np.nan)
            match name:
                case "mid":
                    return bars.close
                case "spread":
                    return np.where(np.isnan(bars.close), np.nan, spread)
                case "bid":
                    return bars.close * (1.0 - spread / 2.0)
                case _:
                    return bars.close * (1.0 + spread / 2.0)
        match name:
            case "bid":
                return bars.bid
            case "ask":
                return bars.ask
            case "mid":
                return (bars.bid + bars.ask) / 2.0
            case _:
                return (bars.ask - bars.bid) / ((bars.bid + bars.ask) / 2.0)


def _missing(bars: Bars) -> Floats:
    """How many bars of the period are missing before each."""
    found = np.full(len(bars), np.nan)
    found[1:] = np.diff(bars.time) // bars.period - 1
    if bars.before is not None:
        found[:1] = (bars.time[:1] - bars.before) // bars.period - 1
    return found
