"""The points of the curve of a course: equity and exposure at each close while a trade is held."""

from __future__ import annotations

from typing import Any

import numpy as np

from tb.replay.course import paths
from tb.replay.course.passage import Passage
from tb.runtime.curve import Floats
from tb.vocabulary.kernels.compiled import compiled

FILLED, CLOSED = paths.FILLED, paths.CLOSED


@compiled
def _draw(
    trades: Any, cash: Any, quantity: Any, apart: Any, close: Any, instants: Any, times: Any, equity: Any, exposure: Any
) -> None:
    """From the place of each fill to that of its exit: equity and exposure in floats, after the exit the cash alone. `cash` is
    that after each entry and each exit; `quantity` is signed; without `apart` bars stand at their instants."""
    at, is_apart = 0, apart.shape[0] > 0
    for k in range(trades.shape[0]):
        if trades[k, CLOSED] < trades[k, FILLED]:
            continue  # it was refused
        held = cash[2 * k]
        for j in range(trades[k, FILLED], trades[k, CLOSED]):
            value = quantity[k] * close[j]
            first, last = (apart[j], apart[j + 1]) if is_apart else (j, j + 1)
            for here in range(first, last):
                times[at], equity[at], exposure[at] = instants[here], held + value, abs(value)
                at += 1
        j = trades[k, CLOSED]
        times[at], equity[at], exposure[at] = instants[apart[j] if is_apart else j], cash[2 * k + 1], 0.0
        at += 1


def drawn(passage: Passage, signs: Any) -> tuple[Any, Floats, Floats]:
    """Instants, equity and exposure; `signs` are 1 or -1 for each trade."""
    chained, prices, trades = passage.chain, passage.prices, passage.trades
    cash = np.empty(2 * len(passage))
    cash[::2], cash[1::2] = chained.held.floats, chained.after.floats
    size = int((passage.ends - prices.place(trades[:, FILLED]) + 1).sum())
    times, equity, exposure = np.empty(size, dtype=np.int64), np.empty(size), np.empty(size)
    quantity = signs * chained.quantity.floats
    _draw(trades, cash, quantity, prices.apart, prices.close, passage.instants, times, equity, exposure)
    return times, equity, exposure
