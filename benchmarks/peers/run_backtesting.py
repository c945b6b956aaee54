"""Trades of backtesting.py: orders fill at the next open, stop and target go with the order.

In: {"jobs": [{"market", "signals", "stop", "target", "hold", "units", "share", "cash", "fee"}]}; out: for each the closed
trades as [entry bar, exit bar, sign, entry price, exit price, units, result after fees], and how many are open at the end.

backtesting.py takes stop and target as prices with the order, before it is filled. Levels that follow from the price paid are
said by giving it the next open, which a live strategy could not know: the comparison is about fills, not about foresight.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from signals import load, of


def strategy_of(market, job):
    signals = of(job["signals"], market)
    opens, closes = market["open"], market["close"]
    stop, target, hold = job["stop"], job["target"], job["hold"]

    class Compared(Strategy):
        def init(self):
            pass

        def units(self, at):
            if job["share"] is None:
                return job["units"]
            return int(job["share"] * self.equity // closes[at])

        def enter(self, at, sign):
            price = opens[at + 1]
            levels = {
                "sl": None if stop is None else price * (1 - sign * stop),
                "tp": None if target is None else price * (1 + sign * target),
            }
            try:
                (self.buy if sign > 0 else self.sell)(size=self.units(at), **levels)
            except ValueError as refused:  # the one refusal that is a convention: levels that do not lie around the last close
                if "orders require" not in str(refused):
                    raise

        def next(self):
            at = len(self.data) - 1
            if at + 1 >= len(opens):
                return
            leaving = False
            if self.position:
                trade = self.trades[-1]
                out = signals["long_out" if trade.is_long else "short_out"][at]
                if out or (hold is not None and at - trade.entry_bar + 1 >= hold):
                    self.position.close()
                    leaving = True
            for sign, name in ((1, "long_in"), (-1, "short_in")):
                free = not self.position or (leaving and self.position.is_long == (sign < 0))
                if signals[name][at] and free:
                    self.enter(at, sign)

    return Compared


def trades(market, job):
    names = {"open": "Open", "high": "High", "low": "Low", "close": "Close"}
    frame = pd.DataFrame({to: market[name] for name, to in names.items()}, index=pd.to_datetime(market["time"], unit="ms"))
    run = Backtest(frame, strategy_of(market, job), cash=job["cash"], commission=job["fee"], finalize_trades=False)
    stats = run.run()
    found = stats["_trades"]
    rows = zip(
        found["EntryBar"].tolist(),
        found["ExitBar"].tolist(),
        np.sign(found["Size"]).tolist(),
        found["EntryPrice"].tolist(),
        found["ExitPrice"].tolist(),
        found["Size"].abs().tolist(),
        found["PnL"].tolist(),
        strict=True,
    )
    return {"trades": sorted(list(row) for row in rows), "open": len(stats["_strategy"].trades)}


if __name__ == "__main__":
    import backtesting

    backtesting.backtesting._tqdm = lambda rows, **_: rows  # no progress bars
    warnings.simplefilter("ignore")
    print(json.dumps([trades(load(job["market"]), job) for job in json.load(sys.stdin)["jobs"]]))
