"""The yardstick as bare loops: one compiled by numba, one of NumPy and Python. They record nothing but how it ends.

In: {"market", "which": "numba" | "numpy", "fast", "slow", "runs"}. Both do what tb's strategy says: enter at the next open
where the fast average crosses above the slow one and RSI(14) is below 70, with 5 % of equity at the decision's close; leave 2
% below or 5 % above the price paid, stop first, at the level or the open beyond it; 0.1 % fee on either side."""

import json
import sys

import numba
import numpy as np
import talib
from signals import crosses_above, load
from timing import measure

CASH, SHARE, STOP, TARGET, FEE, MOST = 100_000_000.0, 0.05, 0.02, 0.05, 0.001, 70.0


@numba.njit(cache=False)
def loop(opens, highs, lows, closes, fast, slow):
    """One pass: averages as running sums, RSI as Wilder's recursion, orders and the position in local variables."""
    n, cash, trades = len(closes), CASH, 0
    sum_fast = sum_slow = gains = losses = 0.0
    above, held, ordered, paid, units = False, False, 0.0, 0.0, 0.0
    for i in range(n):
        if ordered > 0.0:
            held, paid, units, ordered = True, opens[i], ordered, 0.0
            stop, target = paid * (1 - STOP), paid * (1 + TARGET)
        if held:
            left = 0.0
            if lows[i] <= stop:
                left = min(opens[i], stop)
            elif highs[i] >= target:
                left = max(opens[i], target)
            if left > 0.0:
                cash += units * (left - paid) - FEE * units * (left + paid)
                trades += 1
                held = False
        sum_fast += closes[i] - (closes[i - fast] if i >= fast else 0.0)
        sum_slow += closes[i] - (closes[i - slow] if i >= slow else 0.0)
        if i > 0:
            change = closes[i] - closes[i - 1]
            gain, loss = max(change, 0.0), max(-change, 0.0)
            if i <= 14:
                gains += gain / 14
                losses += loss / 14
            else:
                gains += (gain - gains) / 14
                losses += (loss - losses) / 14
        if i >= slow - 1:
            over = sum_fast / fast > sum_slow / slow
            if over and not above and i >= slow and not held:
                total = gains + losses
                if total > 0.0 and 100.0 * gains / total < MOST:
                    ordered = SHARE * cash / closes[i]
            above = over
    return trades, cash + (units * (closes[-1] - paid) - FEE * units * paid if held else 0.0)


def plain(market, fast, slow):
    """Signals in NumPy and TA-Lib, then Python from one entry to the next."""
    closes = market["close"]
    signal = crosses_above(talib.SMA(closes, fast), talib.SMA(closes, slow)) & (talib.RSI(closes, 14) < MOST)
    opens, highs, lows, listed = (market[name].tolist() for name in ("open", "high", "low", "close"))
    cash, trades, free, last = CASH, 0, 0, len(listed) - 1
    for at in np.flatnonzero(signal).tolist():
        if at < free or at == last:
            continue
        bar, units = at + 1, SHARE * cash / listed[at]
        paid = opens[bar]
        stop, target = paid * (1 - STOP), paid * (1 + TARGET)
        while bar <= last and lows[bar] > stop and highs[bar] < target:
            bar += 1
        if bar > last:
            return trades, cash + units * (listed[-1] - paid) - FEE * units * paid
        left = min(opens[bar], stop) if lows[bar] <= stop else max(opens[bar], target)
        cash += units * (left - paid) - FEE * units * (left + paid)
        trades, free = trades + 1, bar
    return trades, cash


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    market = load(asked["market"])
    columns = [market[name] for name in ("open", "high", "low", "close")]
    windows = asked["fast"], asked["slow"]
    calls = {"numba": lambda: loop(*columns, *windows), "numpy": lambda: plain(market, *windows)}
    print(json.dumps(measure(calls[asked["which"]], asked["runs"])))
