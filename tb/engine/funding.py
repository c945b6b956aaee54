"""Funding of perpetuals: what longs pay shorts at each funding instant, and when that was known.

A rate is paid at its instant and known from then on; it is unknown again once a whole period has passed without a next one.

INVARIANT: nothing here reads a rate of an instant later than the one asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tb.engine.feeds import FeedRows, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Funding:
    """The rates of one instrument. `rows.known` are the funding instants in ms UTC, ascending, `rows.values` the rates for one
    period as ratios of the position's value, positive where longs pay, NaN where not recorded. `period` is in ms."""

    rows: FeedRows
    period: int


@dataclass(frozen=True, slots=True)
class Payment:
    """One funding instant. `rate` is a ratio of the position's value; None where it was not recorded."""

    at: int
    rate: float | None


def payments(funding: Funding, after: int, until: int) -> tuple[Payment, ...]:
    """The funding instants later than `after` and not later than `until`, in order.

    Whoever holds a long position of value V at such an instant pays V times the rate, a short one receives it.
    """
    start, stop = (int(funding.rows.known.searchsorted(at, side="right")) for at in (after, until))
    known, rates = funding.rows.known[start:stop].tolist(), funding.rows.values[start:stop].tolist()
    return tuple(Payment(at, None if rate != rate else rate) for at, rate in zip(known, rates, strict=True))  # noqa: PLR0124


def rates_at(funding: Funding | None, at: Ints) -> Floats:
    """The newest rate at each instant, unknown where none was paid within one period; instants ascend."""
    if funding is None or not len(funding.rows):
        return np.full(at.shape, np.nan)
    place = np.searchsorted(funding.rows.known, at, side="right") - 1
    is_fresh = (place >= 0) & (at - funding.rows.known[place] <= funding.period)
    return np.where(is_fresh, funding.rows.values[place], np.nan)


def periods_at(funding: Funding | None, at: Ints) -> Floats:
    """The length of a funding period in ms wherever a rate is known."""
    return np.where(np.isnan(rates_at(funding, at)), np.nan, 0.0 if funding is None else float(funding.period))


def paid_within(funding: Funding | None, closes: Ints, period: int) -> Floats:
    """The sum of the rates that fell due in each bar, after its open and not later than its close.

    0 where none did; unknown where one was not recorded, and where the newest rate is older than one period.
    """
    if funding is None or not len(funding.rows):
        return np.full(len(closes), np.nan)
    values = np.append(funding.rows.values, 0.0)
    start, stop = (np.searchsorted(funding.rows.known, at, side="right") for at in (closes - period, closes))
    found = np.zeros(len(closes))
    for back in range(int((stop - start).max(initial=0))):  # payments in one bar: few
        found += np.where(start + back < stop, values[np.minimum(start + back, stop)], 0.0)
    return np.where(np.isnan(rates_at(funding, closes)), np.nan, found)
