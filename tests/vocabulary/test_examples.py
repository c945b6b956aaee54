"""Every example of the tables is a rule that checks, is in the usual layout, and computes the same on both evaluators."""

from __future__ import annotations

import math

import numpy as np
import pytest
from vocabulary_samples import walk

from tb.core.time import HOUR
from tb.dsl.check import check
from tb.dsl.format import format_file
from tb.dsl.parse import parse
from tb.engine.bars import Bars
from tb.engine.columns import evaluate
from tb.engine.interpret import Histories
from tb.engine.markets import Assumptions, Markets
from tb.engine.plan import Plan
from tb.engine.planning import plan
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.pointwise import POINTWISE

EXAMPLES = {name: function.example for name, function in [*FUNCTIONS.items(), *POINTWISE.items()]}
PROGRAM = """universe majors on coinbase
  tier core  BTC-USD, ETH-USD

let x       = close / open
let example = {example}

strategy tried on majors every 1h
  enter long when {condition}
    size 1% of equity
    because "example"
"""


def planned(example: str) -> Plan:
    """The example as a value, or as a condition where it is one."""
    found = []
    for condition in ("example", "example > example[1]"):
        file, first = parse("rules/example.tb", PROGRAM.format(example=example, condition=condition), is_policy=False)
        program, second = check([file])
        found = [*first, *second]
        if not found:
            assert program is not None
            return plan(program)
    raise AssertionError(f"{example}: {[str(one) for one in found]}")


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_written_as_the_formatter_writes_it(name: str) -> None:
    text = f"let example = {EXAMPLES[name]}\n"
    file, problems = parse("rules/example.tb", text, is_policy=False)
    assert problems == []
    assert format_file(file) == text


def bars(symbol: str, length: int, seed: int) -> Bars:
    columns = walk(FUNCTIONS["heikin_ashi"], length, seed)  # open, high, low, close
    times = 1_577_836_800_000 + np.arange(length, dtype=np.int64) * HOUR
    volume = np.random.default_rng(seed).lognormal(3.0, 1.0, length)
    return Bars(symbol, HOUR, times, *columns, volume, None, None, f"{symbol}.csv", np.arange(length))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_computes_the_same_on_both_evaluators(name: str) -> None:
    built = planned(EXAMPLES[name])
    markets = Markets({"BTC-USD": bars("BTC-USD", 320, 1), "ETH-USD": bars("ETH-USD", 320, 2)}, Assumptions(), {})
    (strategy,) = built.strategies
    nodes = [node for node in strategy.reads("ETH-USD") if built.graph[node].stage == "market"]
    assert nodes
    columns = evaluate(built.graph, {"ETH-USD": nodes}, markets, chunk=100)
    reference = Histories(built.graph, markets)
    for node in nodes:
        if built.graph[node].op == "const":
            continue
        ours, theirs = columns[node, "ETH-USD"], np.array(reference.history(node, "ETH-USD"))
        assert np.array_equal(ours, theirs, equal_nan=True)
        longest = built.graph[node].look_back
        assert longest >= 300 or math.isfinite(ours[-1]) or "@1d" in EXAMPLES[name] or "funding" in name
