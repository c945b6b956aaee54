"""The yardstick in backtesting.py: signals from TA-Lib, orders with stop and target in `next`, whole units.

In: {"market", "fast", "slow", "runs"}. Stop and target are those of the next open, as in `run_backtesting`.
"""

import json
import sys
import warnings

import backtesting
import pandas as pd
import talib
from backtesting import Backtest, Strategy
from signals import crosses_above, load
from timing import measure


def run(frame, fast, slow):
    closes, opens = frame["Close"].to_numpy(), frame["Open"].to_numpy()
    entries = crosses_above(talib.SMA(closes, fast), talib.SMA(closes, slow)) & (talib.RSI(closes, 14) < 70)

    class Yardstick(Strategy):
        def init(self):
            self.last = len(opens) - 1

        def next(self):
            at = len(self.data) - 1
            if entries[at] and at < self.last and not self.position:
                paid = opens[at + 1]
                self.buy(size=int(0.05 * self.equity // closes[at]), sl=paid * 0.98, tp=paid * 1.05)

    stats = Backtest(frame, Yardstick, cash=100_000_000, commission=0.001, finalize_trades=False).run()
    return len(stats["_trades"]), stats["Equity Final [$]"]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    backtesting.backtesting._tqdm = lambda rows, **_: rows  # no progress bars
    asked = json.load(sys.stdin)
    market = load(asked["market"])
    names = {"open": "Open", "high": "High", "low": "Low", "close": "Close"}
    frame = pd.DataFrame({to: market[name] for name, to in names.items()}, index=pd.to_datetime(market["time"], unit="ms"))
    print(json.dumps(measure(lambda: run(frame, asked["fast"], asked["slow"]), asked["runs"])))
