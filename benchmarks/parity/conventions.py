"""What each simulator assumes where bars do not say, and a plain walk over bars that follows any of these assumptions.

The walk is the judge of the comparison: with tb's assumptions it has to make tb's trades, with a peer's the peer's trades,
each to the last. Then nothing but these assumptions is between the two, and their difference is explained. It is written
without regard to speed and shares no code with tb or the peers.

1. At each bar: what was ordered at the close before fills at the open, exits first.
2. Stop, then target, are looked for in the bar of the fill and every bar after it: at the level, or at an open beyond it.
3. At the close: an open position may be told to leave, by its exit signal or because its time is over; then entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from benchmarks.parity.ours import Trade, Trades
from benchmarks.parity.strategies import CASH, FEE


@dataclass(frozen=True)
class Conventions:
    """Each true or false; what it means, and who assumes it, stands in `REASONS`."""

    entries_expire: bool = False
    time_passes_in_gaps: bool = False
    exact_levels: bool = False
    exact_averages: bool = False
    one_order_a_bar: bool = False
    levels_around_close: bool = False


TB = Conventions(entries_expire=True, time_passes_in_gaps=True, exact_levels=True, exact_averages=True)
PEERS = {
    "backtesting.py": Conventions(levels_around_close=True),
    "vectorbt": Conventions(),
    "vectorbt, 1 row": Conventions(one_order_a_bar=True),
}
REASONS = {
    "entries_expire": "a market entry that found no open within one period (a gap in the data, a weekend) is cancelled by tb; "
    "the others fill it at the first open behind the gap",
    "time_passes_in_gaps": "`hold at most 24 bars` is that long a time in tb, and goes on over gaps; the others count bars",
    "exact_levels": "tb computes levels in decimal numbers: a price that touches one exactly touches it; in binary floats the "
    "level may lie one unit in the last place beyond",
    "exact_averages": "TA-Lib carries the sum of a window along, so that its average is off in its last bits: where a close is "
    "exactly its average, tb says so and TA-Lib does not",
    "one_order_a_bar": "a row of vectorbt holds one order: with a row for each bar, an entry decided at the close of a bar in "
    "which a stop or target closed a position is lost",
    "levels_around_close": "backtesting.py refuses an order whose stop and target do not lie around the last close, as when "
    "the next open gaps beyond one of them; tb and vectorbt measure them from the price paid",
}


@dataclass(frozen=True)
class Levels:
    """Stop and target as ratios of the price paid, from bps; `hold` in bars, `share` of equity or else fixed `units`."""

    stop: int | None
    target: int | None
    hold: int | None
    share: float | None
    units: int

    def price(self, paid: float, bps: int, exact: bool) -> float:
        """The level so far above the price, below where bps is negative."""
        if exact:
            return float(Decimal(repr(paid)) * (1 + Decimal(bps) / 10_000))
        return paid * (1 + bps / 10_000)


@dataclass
class _Held:
    entry: int
    sign: int
    paid: float
    units: float
    leaving: bool = False


def walk(
    market: Mapping[str, NDArray[np.float64]], signals: Mapping[str, NDArray[np.bool_]], levels: Levels, assumed: Conventions
) -> Trades:
    """The trades of a strategy over a market: arrays of time, open, high, low and close, and signals of both sides
    (`benchmarks/peers/run_signals.py`)."""
    bars = {name: values.tolist() for name, values in market.items()}
    prefix = "exact_" if assumed.exact_averages else ""
    told = {side: signals[prefix + side].tolist() for side in ("long_in", "long_out", "short_in", "short_out")}
    time, opens, highs, lows, closes = (bars[name] for name in ("time", "open", "high", "low", "close"))
    period = int(np.min(np.diff(market["time"])))
    entering = [at for at, either in enumerate(zip(told["long_in"], told["short_in"], strict=True)) if any(either)]
    held: list[_Held] = []
    ordered: list[tuple[int, float]] = []  # sign and units
    closed: list[Trade] = []
    cash, upcoming, at = float(CASH), 0, 1

    def leave(one: _Held, price: float) -> None:
        nonlocal cash
        result = one.sign * one.units * (price - one.paid) - FEE * one.units * (one.paid + price)
        cash += result
        held.remove(one)
        closed.append(Trade(one.entry, at, one.sign, one.paid, price, one.units, result))

    while at < len(opens):
        if not held and not ordered:  # nothing can happen before the next signal
            while upcoming < len(entering) and entering[upcoming] < at:
                upcoming += 1
            if upcoming == len(entering):
                break
            at = entering[upcoming]
        for one in [one for one in held if one.leaving]:
            leave(one, opens[at])
        for sign, units in ordered:
            if not (assumed.entries_expire and time[at] - time[at - 1] >= 2 * period):
                held.append(_Held(at, sign, opens[at], units))
        ordered = []
        stopped = False
        for one in held.copy():
            price = _touched(one, levels, assumed, opens[at], highs[at], lows[at])
            if price is not None:
                leave(one, price)
                stopped = True
        for one in held:
            out = told["long_out" if one.sign > 0 else "short_out"][at]
            lasted = (time[at] - time[one.entry]) // period + 1 if assumed.time_passes_in_gaps else at - one.entry + 1
            one.leaving = out or (levels.hold is not None and lasted >= levels.hold)
        for sign, name in ((1, "long_in"), (-1, "short_in")):
            free = all(one.leaving and one.sign != sign for one in held) and not (stopped and assumed.one_order_a_bar)
            if (
                told[name][at]
                and free
                and at + 1 < len(opens)
                and _acceptable(assumed, levels, sign, closes[at], opens[at + 1])
            ):
                ordered.append((sign, levels.units if levels.share is None else levels.share * cash // closes[at]))
        at += 1
    return Trades(tuple(sorted(closed)), len(held))


def _touched(one: _Held, levels: Levels, assumed: Conventions, open_: float, high: float, low: float) -> float | None:
    """Where stop or target takes a position in a bar: the stop first where it is both."""
    worst, best = (low, high) if one.sign > 0 else (high, low)
    if levels.stop is not None:
        stop = levels.price(one.paid, -one.sign * levels.stop, assumed.exact_levels)
        if one.sign * (worst - stop) <= 0:
            return open_ if one.sign * (open_ - stop) <= 0 else stop
    if levels.target is not None:
        target = levels.price(one.paid, one.sign * levels.target, assumed.exact_levels)
        if one.sign * (best - target) >= 0:
            return open_ if one.sign * (open_ - target) >= 0 else target
    return None


def _acceptable(assumed: Conventions, levels: Levels, sign: int, close: float, paid: float) -> bool:
    if not assumed.levels_around_close:
        return True
    stop = None if levels.stop is None else levels.price(paid, -sign * levels.stop, False)
    target = None if levels.target is None else levels.price(paid, sign * levels.target, False)
    return (stop is None or sign * (close - stop) > 0) and (target is None or sign * (target - close) > 0)


def apart(of: Conventions, to: Conventions) -> Sequence[str]:
    """The names of the conventions in which two differ."""
    return [each.name for each in fields(Conventions) if getattr(of, each.name) != getattr(to, each.name)]


def flipped(of: Conventions, name: str) -> Conventions:
    return replace(of, **{name: not getattr(of, name)})
