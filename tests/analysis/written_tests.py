"""A small project with tests in the language, compiled in memory and run."""

from __future__ import annotations

from pathlib import Path

from tb.analysis.testing import Bench, Report, run_tests
from tb.replay.testing import TestHistory
from tb.runtime.policy import Tested, compile_tests, project_of

SETTINGS = """
name: small
account: {currency: USD, equity: 10_000 USD}
instruments:
  default: {tick: 0.01, lot: 0.001, minimum: 1 USD}
venue: {fee: 0bps, slippage: 0bps, spread: 10bps, depth: 250k USD}
"""
RULES = """
universe majors
  tier core   BTC-USD, ETH-USD
  tier small  SOL-USD

let loudness = volume / mean(volume, 4)

trigger surge
  when loudness > 1.5 and close > close[1]
  confidence 0.5..0.9 as loudness goes 1.5..3

strategy momentum on majors every 1h
  enter long when surge
    size   5% of equity
    stop   8% below entry
    target 15% above entry
  exit when close < open because "down"

strategy fade on majors every 1h
  enter short when loudness < 0.1
    size 5% of equity
    stop 8% above entry
"""
POLICY = """
group layer1: BTC-USD, ETH-USD

limit   position    after.exposure(order.instrument) <= 10% of equity           otherwise shrink
limit   cluster     after.exposure(group of order.instrument) <= 15% of equity
limit   gross       after.gross <= 50% of equity                                otherwise shrink
limit   daily_loss  loss(today) <= 3% of equity at day_start                    otherwise halt until tomorrow
limit   per_day     entries(today) < 10                                         otherwise pause for 1h
limit   rate        orders(10s) < 20                                            on every order
limit   collar      abs(order.price / mid - 1) <= 2%
require fresh       data_age <= 2 bars
require sane        order.stop is not set or reward_risk >= 1.5
forbid  wide        when spread > 60bps or depth(10bps) < 2 * order.notional
forbid  heated      when rsi(close, 14) > 85 and order.side is buy
forbid  listed      when order.instrument in restricted
warn    busy        when entries(today) >= 8
"""
QUIET = "  given  rsi(close, 14) = 50\n"
ORDER = "  when   momentum proposes buy 1 BTC-USD at 500 USD stop 450 USD target 600 USD\n"


def compiled(tests: str, *, rules: str = RULES, policy: str = POLICY, settings: str = SETTINGS) -> Tested:
    texts = {"tb.yaml": settings, "rules/r.tb": rules, "policy/p.tb": policy}
    return compile_tests(project_of(texts, Path()), {"tests/t.tb": tests})


def bench_of(found: Tested, root: Path = Path()) -> Bench:
    plan = found.compiled.plan
    return Bench.of(found.builder, plan, found.compiled.settings, TestHistory(plan, found.compiled.settings, root), found.tests)


def run(tests: str, *, rules: str = RULES, policy: str = POLICY, settings: str = SETTINGS, root: Path = Path()) -> Report:
    found = compiled(tests, rules=rules, policy=policy, settings=settings)
    return run_tests(bench_of(found, root), found.tests)


def order(expect: str, given: str = "", when: str = ORDER) -> str:
    """A test of one order, in a market where nothing is unknown."""
    facts = f"  given  {given}\n" if given else ""
    calm = "" if "rsi(" in given else QUIET
    return f'test "one"\n{calm}{facts}{when}  expect {expect}\n'
