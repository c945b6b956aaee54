"""The fast path equals the reference, for every node and chunk size, and nothing looks ahead."""

from __future__ import annotations

import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.engine.bars import Bars
from tb.engine.columns import Columns, evaluate
from tb.engine.interpret import Histories
from tb.engine.markets import Assumptions, Markets
from tb.engine.plan import Plan
from tb.engine.vector import lasting, not_yet


def market_nodes(plan: Plan) -> list[int]:
    return [node.id for node in plan.graph.nodes if node.stage == "market"]


def everything(plan: Plan, markets: Markets, chunk: int) -> Columns:
    nodes = market_nodes(plan)
    return evaluate(plan.graph, dict.fromkeys(markets.base, nodes), markets, chunk=chunk)


def told(plan: Plan, node: int, symbol: str, text: str) -> str:
    return f"node {node} {plan.graph[node].op} {plan.graph[node].consts} {symbol}\n{text}"


@given(st.data())
@programs.examples(150)
def test_columns_equal_the_reference_for_every_chunk_size(data: st.DataObject) -> None:
    text = data.draw(programs.rules())
    plan = programs.planned(text)
    markets = data.draw(programs.markets(plan))
    reference = Histories(plan.graph, markets)
    chunks = [1, 1000, data.draw(st.sampled_from([2, 3, 7]))]
    found = {chunk: everything(plan, markets, chunk) for chunk in chunks}
    for symbol in markets.base:
        for node in market_nodes(plan):
            expected = reference.history(node, symbol)
            for chunk, columns in found.items():
                assert programs.same_bits(columns[node, symbol], expected), told(plan, node, symbol, f"chunk {chunk}\n{text}")


@given(st.data())
@programs.examples(100)
def test_cutting_off_the_future_changes_no_earlier_value(data: st.DataObject) -> None:
    text = data.draw(programs.rules())
    plan = programs.planned(text)
    markets = data.draw(programs.markets(plan))
    instants = sorted({int(t) for bars in markets.base.values() for t in bars.closes}) or [0]
    early = programs.cut(markets, data.draw(st.sampled_from(instants)))
    before, after = everything(plan, early, 16), everything(plan, markets, 16)
    for symbol in markets.base:
        for node in market_nodes(plan):
            known = before[node, symbol]
            assert programs.same_bits(known, after[node, symbol][: len(known)]), told(plan, node, symbol, text)


@given(st.data())
@programs.examples(100)
def test_values_stay_inside_the_bounds_of_their_node(data: st.DataObject) -> None:
    text = data.draw(programs.rules())
    plan = programs.planned(text)
    markets = data.draw(programs.markets(plan))
    columns = everything(plan, markets, 1000)
    for symbol in markets.base:
        for node in market_nodes(plan):
            values = columns[node, symbol]
            known = values[~np.isnan(values)]
            low, high = plan.graph[node].low, plan.graph[node].high
            assert low is None or (known >= low).all(), told(plan, node, symbol, f"{low} {known.min()}\n{text}")
            assert high is None or (known <= high).all(), told(plan, node, symbol, f"{high} {known.max()}\n{text}")


@given(st.data())
@programs.examples(80)
def test_the_look_back_of_a_node_is_all_it_needs(data: st.DataObject) -> None:
    text = data.draw(programs.rules(recursive=False))
    plan = programs.planned(text)
    markets = data.draw(programs.markets(plan, clean=True, bars=96))
    whole = everything(plan, markets, 1000)
    symbol = programs.SYMBOLS[0]
    for node in plan.strategies[0].roots:
        bars = (plan.graph[node].look_back + 1) * (plan.graph[node].period // markets.base[symbol].period)
        reached = [plan.graph[id_] for id_ in plan.graph.reach((node,))]
        if any(inner.op == "at" for inner in reached):
            bars = -(-bars // 4) * 4  # no coarse bar is cut in two
        if bars > 96:
            continue
        last = programs.newest(markets, bars)
        column = evaluate(plan.graph, {symbol: [node]}, last, chunk=1000)[node, symbol]
        assert programs.same_bits(column[-1:], whole[node, symbol][-1:]), told(plan, node, symbol, text)


@given(st.lists(st.sampled_from([0.0, 1.0, np.nan]), max_size=30), st.integers(1, 8), st.integers(0, 30))
def test_for_and_within_follow_their_definition(values: list[float], length: int, cut: int) -> None:
    joined = [np.nan] * (length - 1) + values
    for op, deciding in (("every", 0.0), ("some", 1.0)):
        windows = [joined[i : i + length] for i in range(len(values))]
        expected = [
            deciding if deciding in window else np.nan if any(np.isnan(window)) else 1.0 - deciding for window in windows
        ]
        ago = not_yet(1)
        found = [lasting(op, np.array([part]), length, ago)[0] for part in (values[:cut], values[cut:])]
        assert programs.same_bits(np.concatenate(found), expected)


def test_an_instrument_without_data_has_empty_columns() -> None:
    plan = programs.planned(
        programs.UNIVERSE + "strategy s on majors every 1h\n  enter long when close > open\n    size 1% of equity\n"
    )
    node = plan.strategies[0].enters[0].when
    columns = evaluate(plan.graph, {"BTC-USD": [node]}, Markets({}, Assumptions(), plan.tiers))
    assert len(columns[node, "BTC-USD"]) == 0


@pytest.mark.parametrize("window", ["30m", "90m", "1h"])
def test_a_duration_that_is_no_whole_number_of_bars_is_rounded_up_to_what_the_function_needs(window: str) -> None:
    text = f"strategy s on majors every 1h\n  enter long when stdev(close, {window}) > 0 * close\n    size 1% of equity\n"
    plan = programs.planned(programs.UNIVERSE + text)
    [apply] = [node for node in plan.graph.nodes if node.op == "apply"]
    assert apply.consts[2:] == (2,)
    assert apply.look_back == 1


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_missing_bars_are_counted_across_chunks(chunk: int) -> None:
    plan = programs.planned(
        "universe majors on coinbase\n  tier core  BTC-USD\n\nstrategy s on majors every 1h\n"
        '  enter long when missing_bars == 0\n    size 1% of equity\n    because "none is missing"\n'
    )
    (node,) = (node for node in plan.graph.nodes if node.op == "field" and node.consts[0] == "missing_bars")
    times = np.array([0, 1, 2, 5, 6, 8, 9, 10, 13], dtype=np.int64) * 3_600_000
    flat = np.full(len(times), 100.0)
    bars = Bars("BTC-USD", 3_600_000, times, flat, flat, flat, flat, flat, None, None, "BTC-USD.csv", np.arange(len(times)))
    markets = Markets({"BTC-USD": bars}, Assumptions(), {})
    found = evaluate(plan.graph, {"BTC-USD": [node.id]}, markets, chunk=chunk)[node.id, "BTC-USD"]
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0, 0, 2, 0, 1, 0, 0, 2]
