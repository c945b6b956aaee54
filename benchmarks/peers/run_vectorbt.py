"""Trades of vectorbt's `Portfolio.from_signals`: a signal of bar i is an order at the open of bar i + 1.

In and out as in `run_backtesting`, with "rows" 1 or 2 beside it.

A signal keeps its own row and gets the next open as its price; so stops and targets are looked for from the bar after that
row on, which is the bar of the fill. (Signals moved one row on instead, with the open of that row, would leave the bar of the
entry unwatched: vectorbt looks for stops before it trades, once in each row.)

A row holds one order. With one row for each bar, as is usual, an entry decided at the close of a bar in which a stop or
target closed a position is therefore lost. With two, the first is the bar with its open, high, low and close, the second its
close alone: levels are met in the first, orders are decided in the second, and nothing is lost."""

import json
import sys
import warnings

import numpy as np
import pandas as pd
import vectorbt as vbt
from signals import load, of

PRICES = ("open", "high", "low", "close")


def spread(values, rows, *, inside):
    """The values of bars in rows: with two rows a bar, the first has what is `inside` of it, the second the value itself."""
    if rows == 1:
        return values
    return np.column_stack([inside, values]).ravel()


def portfolio(market, signals, job, size):
    rows, close = job["rows"], market["close"]
    never = np.zeros(len(close), dtype=bool)
    prices = {name: pd.Series(spread(close if rows == 2 else market[name], rows, inside=market[name])) for name in PRICES}
    told = {name: spread(values, rows, inside=never) for name, values in signals.items()}
    upcoming = np.r_[market["open"][1:], np.nan]
    return vbt.Portfolio.from_signals(
        **prices,
        price=spread(upcoming, rows, inside=close),
        entries=told["long_in"],
        exits=told["long_out"],
        short_entries=told["short_in"],
        short_exits=told["short_out"],
        size=spread(size, rows, inside=size),
        sl_stop=np.nan if job["stop"] is None else job["stop"],
        tp_stop=np.nan if job["target"] is None else job["target"],
        stop_entry_price="FillPrice",
        stop_exit_price="StopLimit",
        init_cash=job["cash"],
        fees=job["fee"],
    )


def held(signals, hold):
    """Exits that end a position after so many bars, for entries that find none: what `hold` means without stops."""
    out, free = signals["long_out"].copy(), 0
    entries = np.flatnonzero(signals["long_in"])
    for at in entries.tolist():
        if at >= free:
            end = at + hold
            if end < len(out):
                out[end] = True
            free = end + 1
    signals["long_in"][out] = False  # a row takes one order: the exit
    signals["long_out"] = out


def exit_bar(one, market, job):
    """The bar in which an exit filled: its own for a stop or target, the next for a signal."""
    bar = int(one.exit_idx) // job["rows"]
    if job["rows"] == 2:
        return bar + int(one.exit_idx) % 2
    sign = 1 if one.direction == 0 else -1
    worst, best = (market["low"], market["high"]) if sign > 0 else (market["high"], market["low"])
    paid = market["open"][int(one.entry_idx) + 1]  # the record's price went through a product, and is off in its last bit
    stopped = job["stop"] and sign * (worst[bar] - paid * (1 - sign * job["stop"])) <= 0
    reached = job["target"] and sign * (best[bar] - paid * (1 + sign * job["target"])) >= 0
    return bar if bar > one.entry_idx and (stopped or reached) else bar + 1


def read(made, market, job):
    """Closed trades, in bars of their fills."""
    found = made.trades.records
    rows = [
        [
            int(one.entry_idx) // job["rows"] + 1,
            exit_bar(one, market, job),
            1 if one.direction == 0 else -1,
            one.entry_price,
            one.exit_price,
            one.size,
            one.pnl,
        ]
        for one in found[found["status"] == 1].itertuples()
    ]
    return {"trades": sorted(rows), "open": int((found["status"] == 0).sum())}


def shares(market, job, found):
    """Units of each order where they follow from equity: a share of what the trades before have left, at the close."""
    size, equity = np.full(len(market["close"]), float(job["units"])), job["cash"]
    for entry, _, sign, bought, sold, _, _ in found["trades"]:
        units = job["share"] * equity // market["close"][entry - 1]
        size[entry - 1] = units
        equity += sign * units * (sold - bought) - job["fee"] * units * (bought + sold)
    return size


def trades(market, job):
    signals = of(job["signals"], market)
    if job["hold"] is not None:
        held(signals, job["hold"])
    made = portfolio(market, signals, job, np.full(len(market["close"]), float(job["units"])))
    found = read(made, market, job)
    if job["share"] is None:
        return found
    made = portfolio(market, signals, job, shares(market, job, found))
    found = read(made, market, job)
    equity = made.value().to_numpy()
    for entry, _, _, _, _, units, _ in found["trades"]:  # what vectorbt itself says the account was worth before the order
        row = job["rows"] * (entry - 1) - (2 - job["rows"])
        assert units == job["share"] * equity[row] // market["close"][entry - 1], (entry, units, equity[row])
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps([trades(load(job["market"]), job) for job in json.load(sys.stdin)["jobs"]]))
