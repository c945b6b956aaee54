"""The triggers of the library: held to their tests in the language, silent in their warm-up, plausible on real bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tb.analysis.testing import Bench, run_tests
from tb.dsl import syntax
from tb.dsl.parse import parse
from tb.engine.columns import CHUNK
from tb.replay.data import load_market
from tb.replay.run import markets_of
from tb.replay.testing import TestHistory
from tb.runtime import policy as policies
from tb.runtime.view import columns_of
from tb.vocabulary.std import TRIGGERS

TESTS = Path(__file__).resolve().parent.parent / "language" / "triggers"
FILE, FINDINGS = parse(TRIGGERS.path, TRIGGERS.text, is_policy=False)
NAMES = [node.name for node in FILE.declarations if isinstance(node, syntax.Trigger)]
SETTINGS = """\
name: triggers
account: {currency: USD, equity: 10_000 USD}
instruments: {default: {tick: 0.01, lot: 0.001, minimum: 1 USD}}
venue: {fee: 10bps, slippage: 5bps, spread: 10bps, depth: 1M USD}
"""
# short windows, so that a table of bars shows the whole of a case
SHORT = """\
parameters:
  volume_bars: 5
  breakout_bars: 5
  reversal_bars: 5
  momentum_bars: 3
  min_momentum: 25%
  fast_bars: 2
  slow_bars: 5
  long_fast_bars: 5
  long_slow_bars: 10
  squeeze_bars: 5
  divergence_bars: 15
  gap_size: 12.5%
"""


def project(parameters: str, tests: dict[str, str], members: str = "BTC-USD") -> policies.Tested:
    """One strategy on each trigger."""
    strategies = "".join(
        f"\nstrategy on_{name} on u every 1h\n  enter long when {name}\n    size 1% of equity\n    stop 5% below entry\n"
        f'    because "{{{name}.because}}"\n'
        for name in NAMES
    )
    texts = {
        "tb.yaml": SETTINGS + parameters,
        "rules/rules.tb": f"use std.triggers\n\nuniverse u\n  tier t  {members}\n{strategies}",
        "policy/policy.tb": "limit gross  after.gross <= 1000% of equity\n",
    }
    return policies.compile_tests(policies.project_of(texts, Path()), tests)


@pytest.fixture(scope="module")
def tested() -> policies.Tested:
    texts = {f"tests/{path.name}": path.read_text(encoding="utf-8") for path in sorted(TESTS.glob("*.tb"))}
    assert [Path(name).stem for name in texts] == sorted(NAMES)
    return project(SHORT, texts)


@pytest.mark.parametrize("name", NAMES)
def test_a_trigger_holds_its_tests_in_the_language(tested: policies.Tested, name: str) -> None:
    plan, settings = tested.compiled.plan, tested.compiled.settings
    own = [test for test in tested.tests if Path(test.span.file).stem == name]
    bench = Bench.of(tested.builder, plan, settings, TestHistory(plan, settings, Path()), own)
    report = run_tests(bench, own)
    assert [f"{r.name}: {f.expected} / {f.actual} {f.hint}" for r in report.results for f in r.failures] == []
    assert report.passed
    assert len(own) == 4


def test_every_trigger_says_what_it_is_sure_of_and_why() -> None:
    assert FINDINGS == []
    triggers = [node for node in FILE.declarations if isinstance(node, syntax.Trigger)]
    assert len(triggers) >= 25
    assert [node.name for node in triggers if node.confidence is None or node.because is None] == []
    params = [node for node in FILE.declarations if isinstance(node, syntax.Param)]
    assert [node.name for node in params if node.low is None or node.step is None or not node.doc] == []


def test_triggers_fire_on_real_bars_now_and_then_and_never_in_their_warm_up(recorded_data: Path) -> None:
    compiled = project("", {}).compiled
    market = load_market(recorded_data / "crypto_1h", instruments=("BTC-USD",))
    columns = columns_of(compiled.plan, markets_of(compiled.plan, market, compiled.settings), chunk=CHUNK)
    bars = len(market.bars["BTC-USD"])
    for name in NAMES:
        node = compiled.plan.strategy(f"on_{name}").enters[0].when
        when = columns[node, "BTC-USD"]
        fired = int(np.count_nonzero(when == 1.0))
        assert not np.any(when[: compiled.plan.graph[node].look_back] == 1.0), name
        # a gap between bars of an exchange that never closes is the one thing that may not come
        assert fired <= bars // 3, name
        assert fired > 0 or name in {"gap_up", "gap_down"}, name
