"""The points of the curve of a course: equity and exposure at each close while a trade is held, by what is held."""

from __future__ import annotations

from typing import Any

import numpy as np

from tb.replay.course import paths
from tb.replay.course.passage import Passage
from tb.runtime.curve import Holdings
from tb.vocabulary.kernels.compiled import compiled

FILLED, CLOSED = paths.FILLED, paths.CLOSED
WHOLE = 2_000_000_000.0  # up to which a price fits 32 bits
EXACT = 22  # decimals up to which the float of a power of ten is exact


@compiled
def _draw(
    trades: Any, apart: Any, close: Any, instants: Any, power: float, times: Any, whole: Any, prices: Any, lengths: Any
) -> bool:
    """From the place of each fill to that of its exit the instants and prices, and how many they are; after the exit one with
    no price. Without `apart` bars stand at their instants. Prices go into `whole` as whole numbers, `power` times as high,
    where that is not empty: false then at the first that is no such number."""
    at, is_apart, is_whole, tick = 0, apart.shape[0] > 0, whole.shape[0] > 0, 0.0
    for k in range(trades.shape[0]):
        lengths[2 * k], lengths[2 * k + 1], begun = 0, 0, at
        if trades[k, CLOSED] < trades[k, FILLED]:
            continue  # it was refused
        for j in range(trades[k, FILLED], trades[k, CLOSED]):
            if is_whole:
                tick = np.rint(power * close[j])
                if not abs(tick) < WHOLE or tick / power != close[j]:
                    return False
            first, last = (apart[j], apart[j + 1]) if is_apart else (j, j + 1)
            for here in range(first, last):
                times[at] = instants[here]
                if is_whole:
                    whole[at] = np.int32(tick)
                else:
                    prices[at] = close[j]
                at += 1
        j = trades[k, CLOSED]
        times[at] = instants[apart[j] if is_apart else j]
        if is_whole:
            whole[at] = 0
        else:
            prices[at] = 0.0
        at += 1
        lengths[2 * k], lengths[2 * k + 1] = at - begun - 1, 1
    return True


def drawn(passage: Passage, signs: Any, decimals: int) -> Holdings:
    """`signs` are 1 or -1 for each trade, `decimals` those that prices have at most where they lie on ticks."""
    chained, prices, trades = passage.chain, passage.prices, passage.trades
    count = 2 * len(passage)
    cash, quantity, lengths = np.empty(count), np.zeros(count), np.empty(count, dtype=np.int64)
    cash[::2], cash[1::2] = chained.held.floats, chained.after.floats
    quantity[::2] = signs * chained.quantity.floats
    size = int((passage.ends - prices.place(trades[:, FILLED]) + 1).sum())
    times = np.empty(size, dtype=np.int64)
    for whole in (size, 0) if decimals <= EXACT else (0,):
        ticks, floats = np.empty(whole, dtype=np.int32), np.empty(0 if whole else size)
        if _draw(trades, prices.apart, prices.close, passage.instants, 10.0**decimals, times, ticks, floats, lengths):
            break
    found = ticks if whole else floats
    return Holdings(times, lengths, cash, quantity, found, decimals if whole else None)
