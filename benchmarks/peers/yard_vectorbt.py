"""The yardstick in vectorbt: signals from TA-Lib, `Portfolio.from_signals`, the trades counted from its records.

In: {"market", "engine": "numba" | "rust", "fast", "slow", "runs"}. Each signal keeps its row and fills at the next open (see
`run_vectorbt`). The size is a share of cash at the price paid, fee included, which is how vectorbt says 5 %; `Percent` of
0.05 * 1.001 buys for 5 %."""

import json
import sys
import warnings

import numpy as np
import pandas as pd
import talib
import vectorbt as vbt
from signals import crosses_above, load
from timing import measure


def run(prices, fast, slow):
    closes = prices["close"].to_numpy()
    entries = crosses_above(talib.SMA(closes, fast), talib.SMA(closes, slow)) & (talib.RSI(closes, 14) < 70)
    made = vbt.Portfolio.from_signals(
        **prices,
        price=np.r_[prices["open"].to_numpy()[1:], np.nan],
        entries=entries,
        size=0.05 * 1.001,
        size_type="Percent",
        sl_stop=0.02,
        tp_stop=0.05,
        stop_entry_price="FillPrice",
        stop_exit_price="StopLimit",
        init_cash=100_000_000.0,
        fees=0.001,
    )
    return (made.trades.values["status"] == 1).sum(), made.final_value()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asked = json.load(sys.stdin)
    vbt.settings["engine"] = asked["engine"]
    prices = {name: pd.Series(values) for name, values in load(asked["market"]).items() if name != "time"}
    print(json.dumps(measure(lambda: run(prices, asked["fast"], asked["slow"]), asked["runs"])))
