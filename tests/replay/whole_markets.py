"""Markets of whole projects: other scales, holes, late beginnings, changes of the clock, quotes, feeds, funding, no volume."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from random import Random

import numpy as np
from small_projects import NAN, bars, market
from whole_projects import Whole

from tb.core.time import HOUR, parse_instant
from tb.engine.bars import Bars
from tb.engine.feeds import FeedRows
from tb.engine.funding import Funding
from tb.replay.data import Market
from tb.runtime.ports import Answer, Question

BEGINS = (
    "2024-01-01",
    "2024-03-08 13:00",
    "2024-03-29 05:00",
    "2024-10-25 22:00",
    "2024-11-01 03:00",
    "2024-04-05",
    "2023-12-28",
)


def market_of(written: Whole, seed: int, hours: int) -> Market:
    """A market of so many bars that has all that the project reads."""
    source = Random(seed)
    period = PERIODS_MS[written.period]
    start = parse_instant(source.choice(BEGINS)) or 0
    holes, unknown = source.choice((0.0, 0.0, 0.02, 0.1)), source.choice((0.0, 0.0, 0.004, 0.03))
    series = []
    for number, (symbol, scale, tick) in enumerate(zip(written.symbols, written.scales, written.ticks, strict=True)):
        late = source.choice((0, 0, 0, 1, 7, 30)) if number else 0
        series.append(
            _series(
                source,
                symbol,
                scale,
                tick,
                hours - source.choice((0, 0, 3)) - late,
                start + late * period,
                period,
                holes,
                unknown,
                written.quoted,
            )
        )
    if len(series) > 1 and source.random() < 0.1:  # one that the rules name is not recorded
        del series[source.randrange(len(series))]
    if source.random() < 0.1:  # one is that the rules do not name
        series.append(_series(source, "XYZ-USD", 3.0, "0.001", hours // 2, start, period, holes, unknown, 0.0))
    if source.random() < 0.05:  # a column without a value
        series[0] = replace(series[0], **{source.choice(("open", "high", "volume")): np.full(len(series[0]), NAN)})
    made = market(*series)
    feeds = {key: _feed(source, key[0], start, hours * period) for key in written.feeds if source.random() < 0.9}
    funding = {"BTC-PERP": _funding(source, start, hours * period)} if "BTC-PERP" in written.symbols else {}
    return replace(made, feeds=feeds, funding=funding)


PERIODS_MS = {"1h": HOUR, "15m": HOUR // 4, "5m": HOUR // 12}


def _series(
    source: Random,
    symbol: str,
    scale: float,
    tick: str,
    count: int,
    start: int,
    period: int,
    holes: float,
    unknown: float,
    quoted: float,
) -> Bars:
    digits = source.choice((2, 3, 4, 6)) - math.floor(math.log10(scale))
    if source.random() < 0.7:  # on the grid, as most venues' are
        digits = len(tick.partition(".")[2])
    calm, jumps, still = source.choice((0.002, 0.006, 0.015)), source.choice((0.0, 0.05, 0.2)), source.choice((0.0, 0.0, 0.1))
    nothing = source.choice((0.0, 0.1, 0.5))
    has_quotes = source.random() < quoted
    price, rows, quotes, gone = round(scale * source.uniform(0.5, 2), digits), [], [], 0
    for _ in range(max(count, 2)):
        before = round(price * math.exp(source.gauss(0, 3 * calm)), digits) if source.random() < jumps else price
        after = before if source.random() < still else round(before * math.exp(source.gauss(0, calm)), digits)
        least = 10.0**-digits
        before, price = max(before, least), max(after, least)
        high = max(round(max(before, price) * (1 + abs(source.gauss(0, calm / 2))), digits), before, price)
        low = max(min(round(min(before, price) * (1 - abs(source.gauss(0, calm / 2))), digits), before, price), least)
        volume = 0.0 if source.random() < nothing else round(source.expovariate(1 / 20), source.choice((0, 2)))
        row = [before, high, low, price, volume]
        if source.random() < unknown:
            row[source.randrange(5)] = NAN
        gone = max(gone - 1, source.choice((1, 1, 1, 4, 30)) if source.random() < holes else 0)
        rows.append(None if gone and len(rows) > 0 else row)
        if rows[-1] is not None:
            half = source.choice((0.0, 0.0002, 0.001)) * price
            quotes.append(
                (NAN if source.random() < unknown else price - half, NAN if source.random() < unknown else price + half)
            )
    return bars(symbol, rows, start=start, period=period, quotes=quotes if has_quotes else None)


def _feed(source: Random, name: str, start: int, span: int) -> FeedRows:
    step = 2 * HOUR if name in {"mood", "fear"} else HOUR
    known = np.array([at for at in range(start, start + span, step) if source.random() < 0.9], dtype=np.int64)
    of = {
        "mood": (-2.0, 0.0, 1.0, 3.5, NAN),
        "alarm": (0.0, 0.0, 0.0, 1.0),
        "fear": (5.0, 40.0, 61.0, 90.0),
        "chatter": (-0.1, 0.0, 0.05, 0.2, NAN),
    }[name]
    values = np.array([source.choice(of) for _ in known], dtype=np.float64)
    return FeedRows(known, values, values.copy(), np.arange(len(known)), f"{name}.csv")


def _funding(source: Random, start: int, span: int) -> Funding:
    step = source.choice((HOUR, 8 * HOUR))
    known = np.array([at for at in range(start - start % step, start + span, step) if source.random() < 0.97], dtype=np.int64)
    values = np.array([source.choice((0.0001, -0.0002, 0.0005, 0.0, NAN)) for _ in known], dtype=np.float64)
    return Funding(FeedRows(known, values, values.copy(), np.arange(len(known)), "BTC-PERP.funding.csv"), step)


class Crowd:
    """Advisors whose answers follow from instant and instrument alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def cost(self, question: Question) -> Decimal | None:
        return Decimal(0)

    def ask(self, question: Question, within: int) -> Answer | None:
        drawn = Random(f"{self.seed} {question.at} {question.instrument} {question.strategy}")
        if drawn.random() < 0.1:
            return None
        adjust = Decimal(drawn.choice(("-0.3", "-0.1", "0", "0.1", "0.2")))
        return Answer(adjust, veto=drawn.random() < 0.2, note="", latency=drawn.choice((100, 4_900, 5_001, None)))
