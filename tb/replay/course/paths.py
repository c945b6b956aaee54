"""The path of solo trades through the bars: where each is decided, filled and closed, and at which prices.

Prices are whole numbers of the last decimal of the instrument's tick. A price of the market that is not such a number, or has
more than 15 digits, ends the course before its trade; so does whatever else is not a solo trade (`tb.replay.course`).

What `walk` takes: `place`, `way` and `bar` of the entries whose conditions hold, in order of time; `apart`, the place of each
bar's close among the instants, empty where these are the closes, one for one; `period`, the length of a bar; `leaves`, at which
bars of a way's instrument a condition to leave holds, by way, empty where there is none; `refused`, which entries come to no
trade; `seen` for excursions, unless it is empty.

Rows of `trades`: the places in `ENTRY` to `RAW_GOT`. INVARIANT: no bar after that of the exit has any influence on a trade.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np import arrayobj

from tb.vocabulary.kernels.compiled import compiled, part

# columns of `trades`: entry, places of decision and bars, prices, how many decimals each is written with, what closed it
ENTRY, DECIDED, FILLED, CLOSED, BY_STOP, GAPPED = range(6)
PRICE, STOP, TARGET, PAID, HELD_STOP, HELD_TARGET, GOT, START, LAST = range(6, 15)
WRITTEN = 9  # from a price to its decimals
RAW_PAID, RAW_STOP, RAW_TARGET, RAW_GOT = range(24, 28)  # in the last decimal of the tick
WIDTH = 28
# columns of `terms`, the whole numbers of an entry (`tb.replay.course.terms`)
SIGN, TEN, MOST, LONGEST, FIRST, END, KEY, DECIMALS = range(8)
EXPECTED, EXPECTED_OF, EXPECTED_DECIMALS, SLIPPED, SLIPPED_OF, SLIPPED_DECIMALS, WORSE, WORSE_OF, WORSE_DECIMALS = range(8, 17)
# a level: whether there is one, (entry * a + risk * b) / of, whether it is measured in R, and the decimals of what it says
STOPS, TARGETS = 17, 23
HAS, A, B, OF, IN_R, SAID = range(6)
TERMS = 29
EXACTLY = 1 << 53  # whole numbers up to here are floats
AHEAD = 4  # entries whose bars are fetched before they are looked at
FETCHED, LINE = 32, 8  # of each so many bars, of which so many come at once
EVER = 1 << 62  # the longest time that a trade is held, where nothing limits it


_of: Any = arrayobj.make_array


def _reading(_typing: Any, array: Any, _place: Any) -> Any:
    """Has the processor fetch what lies at a place of an array, and does not wait for it; any place may be given."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        lying = _of(array)(context, builder, given[0])
        at = builder.bitcast(builder.gep(lying.data, [given[1]]), ir.PointerType(ir.IntType(8)))
        kinds = [ir.IntType(32)(each) for each in (0, 3, 1)]  # to be read, to be kept near, data
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch", [at.type], ir.FunctionType(ir.VoidType(), [at.type, *[ir.IntType(32)] * 3])
        )
        builder.call(prefetch, [at, *kinds])
        return context.get_dummy_value()

    return types.none(array, types.int64), generate


_will_read: Any = intrinsic(_reading)


@part
def _whole(price: float, ten: int) -> Any:
    """The price as a whole number of the last decimal; -1 where it is none that is surely exact."""
    count = np.rint(price * ten)
    if not (0.0 < count < 1e15) or count / ten != price:
        return -1
    return np.int64(count)


@part
def _on_grid(value: int, of: int, up: bool) -> int:
    """The whole number at or beyond value / of."""
    return -((-value) // of) if up else value // of


@part
def _written(count: int, decimals: int) -> int:
    """With how many decimals the shortest text of a price has it: at least one."""
    while decimals > 1 and count % 10 == 0:
        count //= 10
        decimals -= 1
    return decimals


@part
def _level(term: Any, at: int, entry: int, risk: int, up: bool) -> int:
    return _on_grid(entry * term[at + A] + risk * term[at + B], term[at + OF], up)


@part
def _said(term: Any, at: int, entry: int, stop: int) -> Any:
    """The decimals of a level before it is put on the grid, from those of entry and stop."""
    said = term[at + SAID]
    return max(entry, said + max(entry, stop)) if term[at + IN_R] else entry + said


@part
def _note(row: Any, which: int, count: int, said: int, decimals: int) -> None:
    """A price on the grid is written with the decimals that it had before, and never with more than the tick."""
    row[which + WRITTEN] = min(said, decimals)
    for _ in range(row[which + WRITTEN], decimals):
        count //= 10
    row[which] = count


@part
def _followed(at: int, until: int, key: int, place: Any, way: Any, terms: Any) -> int:
    """The number of the first entry after a place; -1 where one before it is of another strategy or instrument, and so free."""
    while at < place.shape[0] and place[at] <= until:
        if terms[way[at], KEY] != key:
            return -1
        at += 1
    return at


@part
def _levels(term: Any, row: Any, which: int, of: int, written: int) -> bool:
    """Stop and target of an entry at a price, which may be the one expected (0) or the one paid (1)."""
    sign, decimals = term[SIGN], term[DECIMALS]
    stop = target = risk = stop_written = 0
    if term[STOPS + HAS]:
        stop = _level(term, STOPS, of, 0, sign > 0)
        risk = abs(of - stop)
        if stop <= 0 or risk > term[MOST] or stop > EXACTLY:
            return False
        stop_written = min(_said(term, STOPS, written, 0), decimals)
    if term[TARGETS + HAS]:
        target = _level(term, TARGETS, of, risk, sign < 0)
        if target <= 0 or target > EXACTLY:
            return False
    _note(row, STOP + 3 * which, stop, stop_written, decimals)
    _note(row, TARGET + 3 * which, target, _said(term, TARGETS, written, stop_written), decimals)
    row[RAW_STOP], row[RAW_TARGET], row[RAW_PAID] = stop, target, of
    return True


@part
def _entered(term: Any, row: Any, close: float, open_: float) -> bool:
    """The prices of an entry that is decided at a close and fills at the open after it."""
    sign, bound, decimals = term[SIGN], term[MOST], term[DECIMALS]
    last, first = _whole(close, term[TEN]), _whole(open_, term[TEN])
    if last < 0 or first < 0 or last > bound or first > bound:
        return False
    price = _on_grid(last * term[EXPECTED], term[EXPECTED_OF], sign > 0)
    paid = _on_grid(first * term[SLIPPED], term[SLIPPED_OF], sign > 0)
    if price <= 0 or paid <= 0 or price > bound or paid > bound:
        return False
    written = _written(first, decimals)
    _note(row, START, first, written, decimals)
    _note(row, PRICE, price, _written(last, decimals) + term[EXPECTED_DECIMALS], decimals)
    _note(row, PAID, paid, written + term[SLIPPED_DECIMALS], decimals)
    if not _levels(term, row, 0, price, row[PRICE + WRITTEN]):
        return False
    return _levels(term, row, 1, paid, row[PAID + WRITTEN])


@part
def _left(term: Any, row: Any, open_: float, high: float, low: float) -> int:
    """Whether a bar ends the trade: 1 where its stop or target is touched, 0 where neither is, -1 where that is not certain."""
    sign, ten, decimals = term[SIGN], term[TEN], term[DECIMALS]
    if np.isnan(open_) or np.isnan(high) or np.isnan(low):
        return -1
    stop, target = row[RAW_STOP] / ten, row[RAW_TARGET] / ten
    by_stop = term[STOPS + HAS] != 0 and (low <= stop if sign > 0 else high >= stop)
    if not by_stop and not (term[TARGETS + HAS] != 0 and (high >= target if sign > 0 else low <= target)):
        return 0
    level, held = (stop, HELD_STOP) if by_stop else (target, HELD_TARGET)
    start, written = (row[RAW_STOP] if by_stop else row[RAW_TARGET]), row[held + WRITTEN]
    is_beyond_below = (sign > 0) == by_stop
    gapped = open_ <= level if is_beyond_below else open_ >= level
    if gapped:
        start = _whole(open_, ten)
        if start < 0 or start > term[MOST]:
            return -1
        written = _written(start, decimals)
    row[BY_STOP], row[GAPPED] = by_stop, gapped
    _note(row, LAST, start, written, decimals)
    if by_stop:
        start = _on_grid(start * term[WORSE], term[WORSE_OF], sign < 0)
        written += term[WORSE_DECIMALS]
    _note(row, GOT, start, written, decimals)
    row[RAW_GOT] = start
    return 1 if start > 0 else -1


@part
def _bounds(term: Any, row: Any) -> Any:
    """Between which prices a bar leaves a trade alone: strictly."""
    stop = row[RAW_STOP] / term[TEN] if term[STOPS + HAS] else np.nan
    target = row[RAW_TARGET] / term[TEN] if term[TARGETS + HAS] else np.nan
    below, above = (stop, target) if term[SIGN] > 0 else (target, stop)
    return (-np.inf if np.isnan(below) else below), (np.inf if np.isnan(above) else above)


@part
def _see(term: Any, row: Any, highest: float, lowest: float, seen: Any) -> None:
    """The best and the worst of a trade: the prices of its bars before the last, and the one at which it was closed."""
    entry, got = row[RAW_PAID] / term[TEN], row[RAW_GOT] / term[TEN]
    up, down = max(highest, got) / entry - 1.0, 1.0 - min(lowest, got) / entry
    best, worst = (up, down) if term[SIGN] > 0 else (down, up)
    seen[0], seen[1] = max(0.0, best), max(0.0, worst)


@part
def _fetch(bar: int, time: Any, open_: Any, high: Any, low: Any, close: Any) -> None:
    """Trades lie far from each other: each would wait for memory several times."""
    _will_read(time, bar)
    for ahead in range(0, FETCHED, LINE):
        _will_read(open_, bar + ahead)
        _will_read(high, bar + ahead)
        _will_read(low, bar + ahead)
        _will_read(close, bar + ahead)


@part
def _refuse(row: Any) -> int:
    """One order that comes to no trade: closed before it is filled, at what it would have paid."""
    row[CLOSED], row[BY_STOP], row[GAPPED] = row[FILLED] - 1, 0, 0
    row[GOT], row[LAST], row[RAW_GOT] = row[PAID], row[START], row[RAW_PAID]
    row[GOT + WRITTEN], row[LAST + WRITTEN] = row[PAID + WRITTEN], row[START + WRITTEN]
    return 1


@part
def _place(apart: Any, bar: int) -> Any:
    return apart[bar] if apart.shape[0] else bar


def leave_out(row: Any) -> None:
    """Makes an order of a trade that is refused: closed before it is filled."""
    row[CLOSED], row[BY_STOP], row[GAPPED] = row[FILLED] - 1, 0, 0


@compiled
def walk(
    at: int,
    most: int,
    place: Any,
    way: Any,
    bar: Any,
    terms: Any,
    instants: Any,
    time: Any,
    apart: Any,
    period: int,
    open_: Any,
    high: Any,
    low: Any,
    close: Any,
    leaves: Any,
    refused: Any,
    trades: Any,
    seen: Any,
) -> int:
    """Writes up to `most` trades from the entry number `at` on and returns how many; what it takes is told above."""
    count, sees = 0, seen.shape[0] > 0
    while count < most and at < place.shape[0]:
        here, w, b, row, term = place[at], way[at], bar[at], trades[count], terms[way[at]]
        _fetch(bar[min(at + AHEAD, place.shape[0] - 1)] + 1, time, open_, high, low, close)
        row[ENTRY], row[DECIDED], row[FILLED], is_refused = at, here, b + 1, refused[at] != 0
        at = _followed(at + 1, here, term[KEY], place, way, terms)
        if at < 0 or b < 0 or b + 1 >= term[END] or time[b + 1] != time[b] + period or _place(apart, b + 1) != here + 1:
            return count
        if not _entered(term, row, close[b], open_[b + 1]):
            return count
        if is_refused:
            count += _refuse(row)
            continue
        lower, upper = _bounds(term, row)
        j, ended, highest, lowest, longest = b + 1, 0, -np.inf, np.inf, term[LONGEST]
        while True:
            # the common case first: all of a bar is known and inside; everything else is looked at with care
            if not (low[j] > lower and high[j] < upper and open_[j] == open_[j]):
                ended = _left(term, row, open_[j], high[j], low[j])
                if ended != 0:
                    break
            if np.isnan(close[j]) or (leaves.shape[0] > 0 and leaves[w, j - term[FIRST]]):
                return count
            if at < place.shape[0] and place[at] <= _place(apart, j):
                at = _followed(at, _place(apart, j), term[KEY], place, way, terms)
                if at < 0:
                    return count
            highest, lowest = max(highest, high[j]), min(lowest, low[j])
            j += 1
            # held too long at an instant by the next bar's open, be it the close of another period or instrument
            if j == term[END] or (longest < EVER and instants[_place(apart, j) - 1] - instants[here] >= longest):
                return count
        at = _followed(at, _place(apart, j) - 1, term[KEY], place, way, terms)
        if ended < 0 or at < 0:
            return count
        if sees:
            _see(term, row, highest, lowest, seen[count])
        row[CLOSED], count = j, count + 1
    return count
