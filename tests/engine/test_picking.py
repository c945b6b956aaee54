"""What is kept of columns that matter at few bars, and calls beside each other, give what whole columns have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_columns import market_nodes

import tb.engine.evaluator as evaluating
from tb.engine.columns import evaluate
from tb.engine.picking import Few, decoded
from tb.vocabulary.run import in_bytes

Tasks = Sequence[Callable[[], object]]


def at_once(tasks: Tasks) -> Callable[[], object]:
    """All is done before anything else goes on."""
    for task in reversed(tasks):
        task()
    return lambda: None


def at_the_end(tasks: Tasks) -> Callable[[], object]:
    """Nothing is done before it is waited for."""
    left = [*tasks]

    def finish() -> None:
        while left:
            left.pop()()

    return finish


def side_by_side(tasks: Tasks) -> Callable[[], object]:
    pool = ThreadPoolExecutor(2)
    done = [pool.submit(task) for task in tasks]
    pool.shutdown(wait=False)
    return lambda: [each.result() for each in done]


@given(st.data())
@programs.examples(80)
def test_few_of_a_column_are_those_of_the_whole(data: st.DataObject) -> None:
    text = data.draw(programs.rules())
    plan = programs.planned(text)
    markets = data.draw(programs.markets(plan))
    nodes = market_nodes(plan)
    wanted = dict.fromkeys(markets.base, nodes)
    truths = [node for node in nodes if plan.graph[node].unit.kind.name == "TRUTH"]
    few = {}
    for symbol in markets.base:
        if data.draw(st.booleans()):
            kept = data.draw(st.lists(st.sampled_from(truths), max_size=3, unique=True)) if truths else []
            few[symbol] = Few(tuple(kept), tuple(kept[: data.draw(st.integers(0, 3))]))
    whole = evaluate(plan.graph, wanted, markets, chunk=1000)
    found = evaluate(plan.graph, wanted, markets, chunk=data.draw(st.sampled_from([1, 2, 3, 7, 1000])), few=few)
    for symbol in markets.base:
        for node in nodes:
            pair, column = (node, symbol), whole[node, symbol]
            for rows in (np.flatnonzero(column > 0), np.arange(len(column)), np.empty(0, dtype=np.int64)):
                assert programs.same_bits(found.some(pair, rows), column[rows]), text
            for row in range(len(column)):
                assert found.at(node, symbol, row) == whole.at(node, symbol, row), text
            if node in truths:
                assert found.truth(pair).tolist() == whole.truth(pair).tolist(), text
            assert programs.same_bits(found[pair], column), text


@pytest.mark.parametrize("chunk", [3, 1000])
@pytest.mark.parametrize("beside", [at_once, at_the_end, side_by_side])
def test_calls_beside_each_other_give_the_same_columns(
    beside: evaluating.Beside, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "WORTH", 1)
    made: list[int] = []

    def counted(tasks: Tasks) -> Callable[[], object]:
        made.append(len(tasks))
        return beside(tasks)

    @given(st.data())
    @programs.examples(25)
    def compare(data: st.DataObject) -> None:
        text = data.draw(programs.rules())
        plan = programs.planned(text)
        markets = data.draw(programs.markets(plan))
        wanted = dict.fromkeys(markets.base, market_nodes(plan))
        one, other = (evaluate(plan.graph, wanted, markets, chunk=chunk, beside=each) for each in (None, counted))
        for pair, column in one.values.items():
            assert programs.same_bits(other[pair], column), text

    compare()
    assert max(made) > 1


def test_truths_in_bytes_are_the_truths() -> None:
    column = np.array([1.0, 0.0, np.nan, 0.0, 1.0])
    assert in_bytes(column).tolist() == [1, 0, 2, 0, 1]
    assert programs.same_bits(decoded(in_bytes(column)), column)
