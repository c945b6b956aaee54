"""Averages that are only compared are to each other as their columns are, and have the values of these where they are read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_columns import market_nodes
from test_picking import side_by_side

from tb.engine.averages import related_of
from tb.engine.columns import evaluate
from tb.engine.conditions import conditions_of
from tb.engine.interpret import Histories
from tb.engine.picking import Few, decoded
from tb.engine.plan import Plan
from tb.engine.vector import CASES
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.kernels import averages
from tb.vocabulary.run import average_at, compare, relation
from tb.vocabulary.run import evaluate as outputs_of

KINDS = ("calm", "wild", "flat", "stairs", "ties", "holes", "great", "tiny", "bits", "near", "sunk", "brink", "round", "mixed")


def drawn(kind: str, seed: int, size: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    calm = 30_000.0 * np.exp(np.cumsum(rng.normal(0, 0.003, size)))
    match kind:
        case "calm":
            return np.round(calm, 2)
        case "wild":
            return np.round(30_000.0 * np.exp(np.cumsum(rng.normal(0, 0.2, size))), 2)
        case "flat":
            return np.full(size, 1.1)
        case "stairs":
            return np.round(1.0 + 0.1 * np.repeat(rng.integers(0, 3, size // 40 + 1), 40)[:size], 2)
        case "ties":
            return rng.choice([0.1, 0.2, 0.3], size)
        case "holes":
            return np.where(rng.random(size) < 0.01, rng.choice([np.nan, np.inf, -np.inf], size), calm)
        case "great":
            return calm * rng.choice([1e290, 1e300, 1e303], size)
        case "tiny":
            return np.round(calm) * 5e-324
        case "bits":  # any float there is
            found = rng.integers(0, 2**64, size, dtype=np.uint64).view(np.float64)
            return np.where(np.isfinite(found) | (rng.random(size) < 0.002), found, -0.0)
        case "near":  # a few units of the last place apart
            return 10.0 ** rng.uniform(-300, 300) * (1.0 + rng.integers(-3, 4, size) * 2.0 ** -float(rng.integers(45, 53)))
        case "sunk":  # huge ones hide what little ones differ by
            return np.where(
                rng.random(size) < 0.003, rng.choice([1e8, 1e16, 1e149], size), 1.0 + rng.integers(0, 3, size) * 2.0**-50
            )
        case "brink":  # where sums are not trusted any more
            return rng.choice([9.9e149, 1e150, -1e150, 1.1e150], size) * (1.0 + rng.integers(0, 3, size) * 2.0**-52)
        case "round":  # the same sums again and again
            return np.resize(rng.normal(size=int(rng.integers(2, 60))), size)
        case _:
            parts = [drawn(one, seed + at, size // 8 + 1) for at, one in enumerate(KINDS[:-1])]
            return np.concatenate(parts)[:size]


def column(values: np.ndarray, window: int) -> np.ndarray:
    return outputs_of(FUNCTIONS["sma"], (float(window),), values.reshape(1, -1), None)[0][0]


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 10_000), st.sampled_from([(1, 2), (2, 3), (20, 50), (50, 20), (7, 7), (3, 1500), (1, 5)]))
@programs.examples(8)
def test_two_averages_are_to_each_other_as_their_columns_are(kind: str, seed: int, windows: tuple[int, int]) -> None:
    size, longest = 3_500, max(windows)
    values = np.concatenate([np.full(longest - 1, np.nan), drawn(kind, seed, size)])
    one, other = (column(values, window)[longest - 1 :] for window in windows)
    found = relation(values.reshape(1, -1), np.array([0]), np.array([len(values)]), windows, size)[0]
    for cases in CASES.values():
        mapped = np.array([cases[0], cases[1], np.nan, cases[2]])[found]
        assert programs.same_bits(mapped, compare(cases, one.reshape(1, -1), other.reshape(1, -1))[0])


@given(st.data())
@programs.examples(30)
def test_no_cut_changes_a_relation(data: st.DataObject) -> None:
    values = drawn(data.draw(st.sampled_from(KINDS)), data.draw(st.integers(0, 99)), 2_600)
    rows = np.vstack([values, values[::-1]]).copy()
    whole = relation(rows, np.array([0, 1]), np.array([2_600, 2_600]), (5, 9), 2_500)
    ends = sorted({100, 2_600, *data.draw(st.lists(st.integers(101, 2_599), max_size=4))})
    parts = [relation(rows, np.array([0, 1]), np.array([end, end]), (5, 9), end - begin) for begin, end in pairwise(ends)]
    assert (np.concatenate(parts, axis=1) == whole).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_average_made_alone_is_that_of_its_column(kind: str) -> None:
    values = drawn(kind, 3, 1_500)
    for window in (1, 2, 9, 10, 11, 50):
        assert programs.same_bits(average_at(values, np.arange(1, 1_501), window), column(values, window))


def test_the_bound_is_needed_and_wide_enough() -> None:
    """Means so near each other that sums do not tell them apart are made; those a little farther apart are not."""
    values = np.tile([100.0, 100.0 + 2.0**-40], 2_000)
    one, other = column(values, 20), column(values, 30)
    assert (one[30:] == other[30:]).any()
    found = relation(values.reshape(1, -1), np.array([0]), np.array([4_000]), (20, 30), 3_900)[0]
    expected = np.where(one < other, averages.BELOW, np.where(one == other, averages.EQUAL, averages.ABOVE))[100:]
    assert (found == expected).all()


RULES = """universe some
  tier all A-USD
  tier more B-USD, C-USD

strategy one on some every 1h
  enter long when sma(close, 3) crosses above sma(close, 5) and close > low
    size 1% of equity
    stop 1% below entry
  enter short when sma(close, 5)[2] > sma(close, 3)[2] or sma(open, 2) < sma(open, 3)
    size 1% of equity
    stop 1% above entry
"""


def entries(plan: Plan) -> list[int]:
    return [enter.when for strategy in plan.strategies for enter in strategy.enters]


@given(st.data())
@programs.examples(40)
def test_replays_find_the_same_without_columns_of_averages(data: st.DataObject) -> None:
    plan = programs.planned(RULES)
    markets = data.draw(programs.markets(plan))
    nodes, asked = market_nodes(plan), entries(plan)
    averages_ = [node for node in nodes if plan.graph[node].op in {"apply", "shift"}]
    wanted = dict.fromkeys(markets.base, (*asked, *averages_))
    few = dict.fromkeys(markets.base, Few(tuple(asked), tuple(asked)))
    reference = Histories(plan.graph, markets)
    for chunk in (1, data.draw(st.sampled_from([2, 3, 7])), 1000):
        beside = data.draw(st.sampled_from([None, side_by_side]))
        found = evaluate(plan.graph, wanted, markets, chunk=chunk, few=few, beside=beside)
        for symbol in markets.base:
            for node in asked:
                assert programs.same_bits(decoded(found.truth((node, symbol))), reference.history(node, symbol))
            for node in averages_:
                expected = reference.history(node, symbol)
                rows = np.arange(len(expected))
                assert programs.same_bits(found.some((node, symbol), rows), expected)
                for row in rows.tolist():
                    one = found.at(node, symbol, row)
                    assert one == expected[row] or (one is None and np.isnan(expected[row]))
                assert programs.same_bits(found[node, symbol], expected)


def test_averages_are_spared_unless_somebody_reads_them() -> None:
    plan = programs.planned(RULES)
    nodes = [plan.graph[node] for node in market_nodes(plan)]
    spared = {node.id for node in nodes if node.op in {"apply", "shift"}}
    found = conditions_of(plan.graph, nodes, set(entries(plan)))
    assert found.related.spared == spared
    assert set(found.related.deepest.values()) == {2, 1, 0}
    fast = next(node.id for node in nodes if node.op == "apply" and str(node.consts[2]) == "3")
    for wanted in ({*entries(plan), fast}, set(spared)):
        left = conditions_of(plan.graph, nodes, wanted).related
        assert not left.spared & wanted
        assert all(not {*plan.graph[node].args} & wanted for node in left.compared)


def test_an_average_that_another_condition_reads_is_not_spared() -> None:
    plan = programs.planned(RULES.replace("close > low", "close > sma(close, 5)"))
    nodes = [plan.graph[node] for node in market_nodes(plan)]
    readers = {node.id: [other for other in nodes if node.id in other.args] for node in nodes}
    found = related_of(plan.graph, [node for node in nodes if node.op in CASES], readers, entries(plan))
    assert {str(plan.graph[id_].consts[2]) for id_ in found.spared if plan.graph[id_].op == "apply"} == {"2", "3"}
