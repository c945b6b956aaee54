"""A policy of any number of constraints, each said twice: in tb's words, and as comparisons of whole numbers for the others.

Whole numbers, because Cedar has no others that multiply; money, prices and ratios are counted in millionths, times in ms.
What tb has of itself (`STANDARD`) the others are asked too, so that all judge the same number of constraints.
"""

from __future__ import annotations

from benchmarks.policies import GROUPS, INSTRUMENTS
from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.engine.plan import Plan
from tb.engine.planning import plan

# a comparison is `left operator right`; a constraint passes while all of its comparisons are true
STANDARD = (
    "halted == 0",
    "paused == 0",
    "quantity > 0",
    "notional >= minimum",
    "quantity <= maximum",
    "stop_gap > 0",
    "target_gap > 0",
    "missing == 0",
)
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("limit {name} after.exposure(order.instrument) <= {n}% of equity", ("exposure * 100 <= {n} * equity",)),
    ("limit {name} after.gross <= {n}% of equity", ("gross * 100 <= {n} * equity",)),
    ("limit {name} order.notional <= {n}00 USD", ("notional <= {n}00000000",)),
    ("limit {name} entries(today) < {n}", ("entries < {n}",)),
    ("limit {name} loss(today) <= {n}% of equity at day_start", ("loss * 100 <= {n} * day_start",)),
    ("limit {name} drawdown <= {n}%", ("fallen * 100 <= {n} * high_water",)),
    ("limit {name} abs(order.price / mid - 1) <= {n}%", ("above_mid * 100 <= {n} * mid", "below_mid * 100 <= {n} * mid")),
    ("require {name} reward_risk >= 0.0{n}", ("target_gap * 1000 >= {n} * stop_gap",)),
    ("require {name} data_age <= {n}h", ("data_age <= {n} * 3600000",)),
    ("forbid {name} when spread > {n}00bps", ("spread <= {n} * 10000",)),
    ("forbid {name} when depth(10bps) < 0.0{n} * order.notional", ("depth * 1000 >= {n} * notional",)),
    ("limit {name} order.risk <= {n}% of equity", ("risk * 100 <= {n} * equity",)),
    ("forbid {name} when rsi(close, 14) > {n}", ("rsi <= {n}000000",)),
)

RULES = f"""universe majors
  tier core {", ".join(INSTRUMENTS)}

strategy buyer on majors every 1h
  enter long when close > open
    size 2% of equity
    stop 8% below entry
    target 15% above entry
"""
LISTED = "forbid listed when order.instrument in restricted\n"


def own(constraints: int) -> list[tuple[str, tuple[str, ...]]]:
    """The constraints of the policy itself, as text and comparisons; bounds grow by one from line to line of a kind."""
    found = []
    for at in range(constraints - len(STANDARD) - 1):
        text, comparisons = KINDS[at % len(KINDS)]
        said = {"name": f"c{at}", "n": 50 + at // len(KINDS)}
        found.append((text.format(**said), tuple(one.format(**said) for one in comparisons)))
    return found


def comparisons(constraints: int) -> list[list[str]]:
    """What the others are asked: for each constraint its comparisons, `restricted` (an instrument in a list) as a word."""
    return [[one] for one in STANDARD] + [["restricted"]] + [list(each) for _, each in own(constraints)]


def plan_of(constraints: int) -> Plan:
    """tb's plan of the same policy."""
    policy = GROUPS + LISTED + "".join(f"{text}\n" for text, _ in own(constraints))
    files = []
    for path, text, is_policy in (("rules/buyer.tb", RULES, False), ("policy/limits.tb", policy, True)):
        file, mistakes = parse(path, text, is_policy=is_policy)
        assert not mistakes, mistakes
        files.append(file)
    program, findings = check(files)
    assert program is not None, findings
    built = plan(program)
    assert all(len(each.constraints) == constraints for each in built.policies.values())
    return built
