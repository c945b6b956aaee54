"""Conditions judged together have the truths that their parts have one by one."""

from __future__ import annotations

import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_columns import market_nodes

from tb.engine.columns import evaluate
from tb.engine.conditions import conditions_of
from tb.engine.interpret import Histories
from tb.engine.picking import Few, decoded
from tb.engine.vector import CASES, pointwise
from tb.vocabulary import judging
from tb.vocabulary.judging import BLOCK, FALSE, TRUE, Given, Steps
from tb.vocabulary.kernels import truth
from tb.vocabulary.run import compare, in_bytes, join

ODD = [0.0, -0.0, 1.0, np.nan, np.inf, -np.inf, 5e-324]


@given(st.data())
@programs.examples(100)
def test_what_nobody_asks_for_changes_no_condition(data: st.DataObject) -> None:
    """Only conditions are wanted: what they are made of is steps of theirs, if nothing else reads it."""
    text = data.draw(programs.rules())
    plan = programs.planned(text)
    markets = data.draw(programs.markets(plan))
    truths = [node for node in market_nodes(plan) if plan.graph[node].unit.kind.name == "TRUTH"]
    truths = [node for node in truths if plan.graph[node].op != "const"]
    if not truths:
        return
    asked = data.draw(st.lists(st.sampled_from(truths), min_size=1, max_size=3, unique=True))
    few = dict.fromkeys(markets.base, Few(tuple(asked), tuple(asked)))
    reference = Histories(plan.graph, markets)
    for chunk in (1, data.draw(st.sampled_from([2, 3, 7])), 1000):
        wanted = dict.fromkeys(markets.base, asked)
        whole = evaluate(plan.graph, wanted, markets, chunk=chunk)
        part = evaluate(plan.graph, wanted, markets, chunk=chunk, few=few)
        for symbol in markets.base:
            for node in asked:
                expected = reference.history(node, symbol)
                assert programs.same_bits(whole[node, symbol], expected), f"node {node}, chunk {chunk}\n{text}"
                assert programs.same_bits(decoded(part.truth((node, symbol))), expected), f"node {node}, chunk {chunk}\n{text}"


def test_parts_of_a_condition_are_no_nodes_of_their_own() -> None:
    plan = programs.planned(
        "universe some\n  tier all A-USD\n\nstrategy one on some every 1h\n"
        "  enter long when close > open and not (high > low[1] or low > close[1])\n"
        "    size 1% of equity\n    stop 1% below entry\n"
    )
    nodes = [plan.graph[node] for node in market_nodes(plan)]
    (top,) = [node.id for node in nodes if node.op == "and"]
    found = conditions_of(plan.graph, nodes, {top})
    assert set(found.found) == {top}
    assert {plan.graph[node].op for node in found.inner} == {"gt", "or", "not"}
    assert sorted(plan.graph[node].op for node in found.found[top].values) == ["field"] * 4 + ["shift"] * 2


@pytest.mark.parametrize("size", [1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_steps_have_the_truths_of_columns(size: int) -> None:
    drawn = np.random.default_rng(size)
    values = [drawn.choice(np.array([*ODD, *drawn.normal(size=4)]), size=(1, size)) for _ in range(4)]
    wild, tame = values[:3], drawn.choice(np.array([0.0, 1.0, np.nan]), size=(1, size))
    for op, cases in CASES.items():
        for deciding in (FALSE, TRUE):
            steps = Steps()
            first = steps.compare(cases, Given(0, is_truths=False), Given(1, is_truths=False))
            second = steps.compare(cases, Given(2, is_truths=False), 1.0)
            both = steps.join(deciding, first, second)
            more = steps.join(deciding, steps.turn(both), Given(0, is_truths=True))
            steps.join(1 - deciding, more, steps.read(Given(3, is_truths=False)))
            bytes_, floats = np.empty((1, size), dtype=np.uint8), np.empty((1, size))
            steps.run([*wild, tame], [in_bytes(tame)], bytes_, floats)

            one, other = compare(cases, wild[0], wild[1]), compare(cases, wild[2], np.ones((1, size)))
            turned = pointwise("not", (), [join(float(deciding), [one, other])], (1, size))
            expected = join(1.0 - deciding, [join(float(deciding), [turned, tame]), tame])
            assert programs.same_bits(floats[0], expected[0]), op
            assert (bytes_ == in_bytes(expected)).all(), op


def test_steps_take_other_arrays_each_time_and_refuse_what_does_not_lie_in_a_row() -> None:
    steps = Steps()
    steps.compare(CASES["lt"], Given(0, is_truths=False), 2.0)
    found = np.empty((1, 3), dtype=np.uint8)
    for row in ([1.0, 2.0, np.nan], [3.0, 0.0, 0.0]):
        steps.run([np.array([row])], [], found)
        assert found[0].tolist() == [2 if x != x else int(x < 2.0) for x in row]  # noqa: PLR0124
    with pytest.raises(AssertionError, match="C order"):
        steps.run([np.zeros((1, 6))[:, ::2]], [], found)


def test_steps_take_no_arrays_that_their_kernel_would_misread() -> None:
    """It gets addresses: of numbers of another kind, or of fewer of them, it would read something else."""
    steps = Steps()
    steps.compare(CASES["lt"], Given(0, is_truths=False), 2.0)
    found = np.empty((1, 3), dtype=np.uint8)
    for wrong in (np.zeros((1, 3), dtype=np.float32), np.zeros((1, 3), dtype=np.int64), np.zeros((1, 2))):
        with pytest.raises(AssertionError, match=r"float64|as long"):
            steps.run([wrong], [], found)
    with pytest.raises(AssertionError, match="as long"):
        steps.run([np.zeros((1, 3))], [], found, np.empty((1, 2)))


def test_kernel_and_steps_mean_the_same_columns() -> None:
    names = ("READS", "COMPARES", "JOINS", "TURNS", "WRITES", "BLOCK", "WHAT", "LEFT", "RIGHT", "OUTPUT", "WIDTH")
    assert [getattr(truth, name) for name in names] == [getattr(judging, name) for name in names]
    assert (truth.FIRST, truth.LEFT_MOVES) == (judging.CASES, judging.LEFT + 1)
