"""Columns that grow bar by bar equal those over the whole history, and refuse what they could not take back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.engine.bars import Bars
from tb.engine.columns import evaluate
from tb.engine.growing import GrowingColumns, NewBars
from tb.engine.markets import Assumptions, Markets
from tb.engine.plan import Plan

HOUR = 3_600_000
KEPT = 1_000


def nodes_of(plan: Plan) -> list[int]:
    return [node.id for node in plan.graph.nodes if node.stage == "market"]


def between(markets: Markets, after: int, until: int) -> list[NewBars]:
    """The bars that closed in a stretch of time; those with quotes, then those without."""
    found = []
    for quoted in (True, False):
        parts = []
        for bars in reversed(markets.base.values()):
            start, stop = (int(np.searchsorted(bars.closes, at, side="right")) for at in (after, until))
            if (bars.bid is not None) == quoted and stop > start:
                parts.append(bars.part(start, stop))
        symbols = [part.symbol for part in parts for _ in range(len(part))]
        columns = ("time", "open", "high", "low", "close", "volume", *(("bid", "ask") if quoted else ()))
        joined = {name: np.concatenate([getattr(part, name) for part in parts] or [np.empty(0)]) for name in columns}
        found.append(NewBars(symbols, **joined))
    return found


def all_quoted_or_none(markets: Markets, quoted: bool) -> Markets:
    """Bars that come together have quotes, or none has."""
    base = {s: b for s, b in markets.base.items() if (b.bid is not None) == quoted}
    return Markets(base, markets.assumptions, markets.tiers, markets.feeds)


@given(st.data())
@programs.examples(120)
def test_bar_by_bar_or_in_parts_the_values_are_those_of_the_whole_history(data: st.DataObject) -> None:
    text = data.draw(programs.rules())
    plan = programs.planned(text)
    quoted = data.draw(st.booleans())
    markets = all_quoted_or_none(data.draw(programs.markets(plan)), quoted)
    instants = sorted({int(at) for bars in markets.base.values() for at in bars.closes})
    if not instants:
        return
    stops = [at for at in instants if data.draw(st.integers(0, 4))] if data.draw(st.booleans()) else instants
    nodes = nodes_of(plan)
    whole = evaluate(plan.graph, dict.fromkeys(markets.base, nodes), markets)
    rest = Markets({}, markets.assumptions, markets.tiers, markets.feeds)
    growing = GrowingColumns(plan.graph, dict.fromkeys(markets.base, nodes), markets.base, HOUR, rest, keep=KEPT)
    for after, until in pairwise([-(2**60), *dict.fromkeys((*stops, instants[-1]))]):
        growing.advance(between(markets, after, until)[0 if quoted else 1], until)
    for symbol in markets.base:
        for id_ in nodes:
            expected = whole[id_, symbol]
            assert growing.rows(symbol, plan.graph[id_].period) == len(expected)
            found = [growing.at(id_, symbol, row) for row in range(len(expected))]
            assert programs.same_bits([np.nan if v is None else v for v in found], expected), (id_, symbol, text)
        for period in dict.fromkeys(plan.graph[id_].period for id_ in nodes):
            bars = markets.bars(symbol, period)
            for row in range(len(bars)):
                one = growing.bar(symbol, period, row)
                assert (one.time, one.row) == (bars.time[row], bars.rows[row])
                assert programs.same_bits([one.open, one.volume], [bars.open[row], bars.volume[row]])
                assert growing.row(symbol, period, int(bars.closes[row])) == row


TEXT = "strategy s on majors every 1h\n  enter long when close > sma(close, 3)\n    size 1% of equity\n"


def simple(keep: int = 5) -> tuple[GrowingColumns, int]:
    plan = programs.planned(programs.UNIVERSE + TEXT)
    node = plan.strategies[0].enters[0].when
    symbols = ("BTC-USD", "ETH-USD")
    rest = Markets({}, Assumptions(), plan.tiers)
    return GrowingColumns(plan.graph, {symbol: [node] for symbol in symbols}, symbols, HOUR, rest, keep=keep), node


def closing(symbols: list[str], hours: list[int], prices: list[float]) -> NewBars:
    """Bars that close at those hours."""
    price = np.array(prices)
    return NewBars(symbols, (np.array(hours, dtype=np.int64) - 1) * HOUR, price, price, price, price, price)


def test_the_condition_tells_for_which_instruments_it_holds_at_a_new_bar() -> None:
    growing, node = simple()
    for hour in (1, 2, 3):
        growing.advance(closing(["BTC-USD", "ETH-USD"], [hour, hour], [hour, 10 - hour]), hour * HOUR)
    assert growing.true(node) == ("BTC-USD",)
    growing.advance(closing(["ETH-USD"], [4], [20.0]), 4 * HOUR)
    assert growing.true(node) == ("ETH-USD",)
    growing.advance(closing([], [], []), 5 * HOUR)
    assert growing.true(node) == ()
    assert growing.row("BTC-USD", HOUR, 4 * HOUR) is None
    assert growing.newest("BTC-USD", HOUR, 4 * HOUR) == 2
    assert growing.at(node, "BTC-USD", 0) is None
    assert growing.at(node, "BTC-USD", 2) == 1.0


@pytest.mark.parametrize(
    ("symbols", "hours", "until"),
    [(["BTC-USD"], [2], 3), (["BTC-USD"], [4], 3), (["BTC-USD", "BTC-USD"], [4, 3], 4), (["SOL-USD"], [3], 3), ([], [], 2)],
    ids=["late", "not closed", "out of order", "unknown", "no step back"],
)
def test_what_cannot_be_taken_is_refused_and_changes_nothing(symbols: list[str], hours: list[int], until: int) -> None:
    growing, node = simple()
    growing.advance(closing(["BTC-USD", "BTC-USD"], [1, 2], [1.0, 2.0]), 2 * HOUR)
    with pytest.raises(ValueError, match=r"late|among|later"):
        growing.advance(closing(symbols, hours, [9.0] * len(symbols)), until * HOUR)
    growing.advance(closing(["BTC-USD"], [3], [3.0]), 3 * HOUR)
    assert growing.true(node) == ("BTC-USD",)


def test_rows_that_are_not_kept_any_more_are_refused_rather_than_unknown() -> None:
    growing, node = simple(keep=2)
    for hour in range(1, 6):
        growing.advance(closing(["BTC-USD"], [hour], [float(hour)]), hour * HOUR)
    assert growing.at(node, "BTC-USD", 3) == 1.0
    for row in (2, 5, -1):
        with pytest.raises(LookupError, match="not kept"):
            growing.at(node, "BTC-USD", row)
    assert growing.bar("BTC-USD", HOUR, 4).close == 5.0


def test_a_step_that_fails_half_way_is_not_gone_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    growing, _ = simple()
    monkeypatch.setattr("tb.engine.evaluator.Evaluator._judge", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        growing.advance(closing(["BTC-USD"], [1], [1.0]), HOUR)
    monkeypatch.undo()
    with pytest.raises(RuntimeError, match="begin anew"):
        growing.advance(closing(["BTC-USD"], [2], [1.0]), 2 * HOUR)


def test_a_long_history_is_taken_in_parts() -> None:
    plan = programs.planned(programs.UNIVERSE + TEXT)
    node = plan.strategies[0].enters[0].when
    price = 100.0 + np.cumsum(np.random.default_rng(1).normal(0, 1, 500))
    time = np.arange(500, dtype=np.int64) * HOUR
    bars = Bars("BTC-USD", HOUR, time, price, price, price, price, price, None, None, "made", np.arange(500))
    markets = Markets({"BTC-USD": bars}, Assumptions(), plan.tiers)
    whole = evaluate(plan.graph, {"BTC-USD": [node]}, markets)[node, "BTC-USD"]
    growing = GrowingColumns(plan.graph, {"BTC-USD": [node]}, ["BTC-USD"], HOUR, markets, keep=KEPT)
    growing.advance(NewBars(["BTC-USD"] * 500, time, price, price, price, price, price), int(time[-1]) + HOUR)
    assert programs.same_bits([growing.at(node, "BTC-USD", row) or 0.0 for row in range(2, 500)], whole[2:])
