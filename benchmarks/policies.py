"""Policies of any number of constraints, of the kinds that real policies have, each with its own bound.

The number counts every constraint the gate asks, those that every project has included.
"""

from __future__ import annotations

from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.engine.plan import Plan
from tb.engine.planning import plan

INSTRUMENTS = ("BTC-USD", "ETH-USD", "SOL-USD", "LINK-USD", "BNB-USD", "DOGE-USD")

RULES = """universe majors
  tier core BTC-USD, ETH-USD, SOL-USD, LINK-USD, BNB-USD, DOGE-USD

trigger spike
  when volume > 1.5 * mean(volume, 24) and close > close[1]
  confidence 0.5..0.9 as volume / mean(volume, 24) goes 1.5..4
  because "volume {volume / mean(volume, 24):.1f}x its mean"

strategy buyer on majors every 1h
  enter long when spike and ema(close, 20) > ema(close, 50) and rsi(close, 14) < 70
    size 2% of equity if tier is core
      1% of equity otherwise
    stop 8% below entry
    target 15% above entry
    because "{spike.because}"
"""

GROUPS = "group layer1: BTC-USD, ETH-USD, SOL-USD, BNB-USD\ngroup payments: DOGE-USD, LINK-USD\n"

# one line for each kind; `{n}` makes the bound of the next constraint of that kind another one
KINDS = (
    "limit {name} after.exposure(order.instrument) <= {n}% of equity otherwise shrink",
    "limit {name} after.exposure(group of order.instrument) <= {n}% of equity otherwise shrink",
    "limit {name} after.gross <= {n}% of equity otherwise shrink",
    "limit {name} order.notional <= {n}00 USD otherwise shrink",
    "limit {name} entries(today) < {n}",
    "limit {name} entries({n}m) < 500",
    "limit {name} loss(today) <= {n}% of equity at day_start otherwise halt until tomorrow",
    "limit {name} drawdown <= {n}% otherwise halt",
    "limit {name} abs(order.price / mid - 1) <= {n}%",
    "limit {name} orders({n}s) < 500 on every order",
    "pause {name} for {n}m after 3 losses in a row",
    "require {name} order.stop is set and reward_risk >= 0.0{n}",
    "require {name} data_age <= {n}h",
    "forbid {name} when spread > {n}00bps",
    "forbid {name} when depth(10bps) < 0.0{n} * order.notional",
    "forbid {name} when order.instrument in restricted and equity > {n} USD",
    "limit {name} after.net <= {n}% of equity otherwise shrink",
    "limit {name} after.open_positions <= {n}",
    "limit {name} order.risk <= {n}% of equity otherwise shrink",
    "limit {name} after.exposure(layer1) <= {n}% of equity otherwise shrink",
    "forbid {name} when rsi(close, {n}) > 99.9",
    "forbid {name} when atr({n}) > 90% of close",
    "limit {name} loss({n}h) <= {n}% of equity otherwise pause for 30m",
    "warn {name} when entries(today) >= {n}",
)
STANDARD = 8  # what every project has


def policy(constraints: int) -> str:
    """The text of a policy that makes the gate ask that many constraints. All of them pass in `benchmarks.decisions`."""
    own = constraints - STANDARD
    lines = [KINDS[at % len(KINDS)].format(name=f"c{at}", n=50 + at // len(KINDS)) for at in range(own)]
    return GROUPS + "\n".join(lines) + "\n"


def plan_of(constraints: int) -> Plan:
    """A plan whose one policy has that many constraints."""
    texts = (("rules/buyer.tb", RULES, False), ("policy/limits.tb", policy(constraints), True))
    files = []
    for path, text, is_policy in texts:
        file, mistakes = parse(path, text, is_policy=is_policy)
        assert not mistakes, mistakes
        files.append(file)
    program, findings = check(files)
    assert program is not None, findings
    built = plan(program)
    assert all(len(policy_plan.constraints) == constraints for policy_plan in built.policies.values())
    return built
