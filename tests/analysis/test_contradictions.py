"""What is called impossible is never true, and what is called certain never false, at any value tried.

Comparisons without arithmetic are decided completely: where no point of a grid makes a condition true, it is called impossible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb.analysis.contradiction import Contradictions
from tb.analysis.relations import never_above
from tb.core.diagnostics import has_errors
from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.engine.bars import Bars
from tb.engine.interpret import Histories, from_leaves
from tb.engine.leaves import leaves_of
from tb.engine.markets import Assumptions, Markets
from tb.engine.plan import Plan
from tb.engine.planning import plan

UNIVERSE = "universe u\n  tier core BTC-USD, ETH-USD\n  tier rest DOGE-USD\n\n"
NAMES = ("rsi(close, 7)", "rsi(close, 14)", "rsi(close, 21)")  # each between 0 and 100
THRESHOLDS = (-20, 0, 20, 40, 60, 80, 100, 120)
OPERATORS = ("<", "<=", ">", ">=", "==", "!=")
# fine enough for three values in strict order between two thresholds
GRID = np.meshgrid(*[np.arange(0, 101, 5.0)] * len(NAMES))


def planned(condition: str, policy: str = "") -> Plan:
    """The plan of a strategy that enters on a condition."""
    rule = (
        f"{UNIVERSE}strategy s on u every 1h\n  enter long when {condition}\n    size 5% of equity\n    stop 8% below entry\n"
    )
    files = [parse("rules/r.tb", rule, is_policy=False), parse("policy/p.tb", policy, is_policy=True)]
    program, findings = check([file for file, _ in files])
    assert not has_errors([*files[0][1], *files[1][1], *findings]), (condition, policy, findings)
    assert program is not None
    return plan(program)


def contradictions(of: Plan) -> Contradictions:
    return Contradictions(of.graph, {"u": ("core", "rest")})


# --- complete without arithmetic -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tree:
    """A condition as text, and its truth over the grid."""

    text: str
    truth: np.ndarray


def compared(left: int, operator: str, right: int | None, threshold: int) -> Tree:
    one = GRID[left]
    other = np.full_like(one, threshold) if right is None else GRID[right]
    truth = {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other, "==": one == other, "!=": one != other}
    return Tree(f"{NAMES[left]} {operator} {threshold if right is None else NAMES[right]}", truth[operator])


def joined(word: str, parts: Sequence[Tree]) -> Tree:
    truth = np.logical_and.reduce([p.truth for p in parts]) if word == "and" else np.logical_or.reduce([p.truth for p in parts])
    return Tree("(" + f" {word} ".join(part.text for part in parts) + ")", truth)


PLACES = st.integers(0, len(NAMES) - 1)
LITERALS = st.builds(compared, PLACES, st.sampled_from(OPERATORS), st.none() | PLACES, st.sampled_from(THRESHOLDS))
TREES = st.recursive(
    LITERALS,
    lambda inner: (
        st.builds(joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4))
        | inner.map(lambda tree: Tree(f"not ({tree.text})", ~tree.truth))
    ),
    max_leaves=7,
)


@settings(max_examples=150)
@given(st.lists(LITERALS, min_size=2, max_size=6).map(lambda parts: joined("and", parts)) | TREES)
def test_comparisons_are_decided_exactly(tree: Tree) -> None:
    made = planned(tree.text)
    when = made.strategies[0].enters[0].when
    found = contradictions(made)
    assert found.never(when, True) == (not tree.truth.any())
    assert found.never(when, False) == bool(tree.truth.all())


@settings(max_examples=60)
@given(st.lists(LITERALS, min_size=2, max_size=5))
def test_culprits_are_as_few_as_possible(parts: list[Tree]) -> None:
    made = planned(joined("and", parts).text)
    found, when = contradictions(made), made.strategies[0].enters[0].when
    if not found.never(when, True):
        return
    clauses = found.culprits([(part, True) for part in made.graph[when].args])
    assert found.never_together(clauses)
    if len(clauses) > 2:
        assert all(not found.never_together([c for c in clauses if c != left]) for left in clauses)


# --- sound with arithmetic -------------------------------------------------------------------------------------------------

NUMBERS = ("0.1", "0.3", "1", "2.5", "3", "7", "10", "33.3", "50", "100")
FORMS = (
    "{k} * {x} + {c}",
    "{c} - {x}",
    "{x} / {k}",
    "({x} - {c}) * {k}",
    "-{x}",
    "{x} - {y}",
    "abs({x} - {c})",
    "max({x}, {y})",
)


@st.composite
def arithmetic(draw: st.DrawFn) -> str:
    number, name = st.sampled_from(NUMBERS), st.sampled_from(NAMES[:2])

    def side() -> str:
        return draw(st.sampled_from(FORMS)).format(k=draw(number), c=draw(number), x=draw(name), y=draw(name))

    left = side() if draw(st.booleans()) else draw(name)
    right = draw(st.sampled_from([draw(number), draw(name), side()]))
    return f"{left} {draw(st.sampled_from(OPERATORS[:4]))} {right}"


def near(values: Sequence[float]) -> list[float]:
    """Points at, just below and just above values that matter, within 0 and 100."""
    around = [v for value in values for v in (value, math.nextafter(value, -math.inf), math.nextafter(value, math.inf))]
    return sorted({v for v in [*around, 0.0, 1.7, 49.5, 100.0] if 0 <= v <= 100})


@settings(max_examples=150)
@given(st.lists(arithmetic(), min_size=1, max_size=3), st.sampled_from(["and", "or"]))
def test_arithmetic_is_never_judged_wrongly(parts: list[str], word: str) -> None:
    made = planned(f" {word} ".join(parts))
    graph, when = made.graph, made.strategies[0].enters[0].when
    found = contradictions(made)
    wanted = [answer for answer in (True, False) if found.never(when, answer)]
    if not wanted:
        return
    numbers = [float(n.consts[0]) for n in graph.nodes if n.op == "const" and isinstance(n.consts[0], Decimal)]
    ends = [f(a, b) for a in numbers for b in numbers for f in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b)]
    ends += [a / b for a in numbers for b in numbers if b]
    leaves = [leaf for leaf in leaves_of(graph, [when], in_policy=False) if graph[leaf].op == "apply"]
    points = near([*numbers, *ends])
    for values in product(points if len(leaves) == 1 else points[:: max(1, len(points) // 25)], repeat=len(leaves)):
        answer = from_leaves(graph, dict(zip(leaves, values, strict=True)), [when])[when]
        assert answer != (1.0 if wanted[0] else 0.0), (parts, values)


FACTS = ("entries(today)", "entries(1h)", "orders(1h)")  # whole numbers, never below 0


@st.composite
def counted(draw: st.DrawFn) -> str:
    left, operator = draw(st.sampled_from(FACTS)), draw(st.sampled_from(OPERATORS))
    return f"{left} {operator} {draw(st.sampled_from(['0', '1', '1.5', '2', '3', *FACTS]))}"


@settings(max_examples=150)
@given(st.lists(counted(), min_size=2, max_size=4), st.sampled_from(["and", "or"]))
def test_counts_are_whole_numbers(parts: list[str], word: str) -> None:
    made = planned("close > close[1]", f"require r  {f' {word} '.join(parts)}\n")
    graph, passes = made.graph, next(c.node for c in made.policies[3_600_000].constraints if c.name == "r")
    found = contradictions(made)
    leaves = leaves_of(graph, [passes], in_policy=True)
    answers = {
        from_leaves(graph, dict(zip(leaves, map(Decimal, values), strict=True)), [passes])[passes]
        for values in product(range(9), repeat=len(leaves))
    }
    assert found.never(passes, True) == (True not in answers)
    assert found.never(passes, False) == (False not in answers)


# --- names, what is missing, what lasts -------------------------------------------------------------------------------------

REGIME = "regime\n  bull when close > sma(close, 50)\n  bear when close < sma(close, 20)\n  flat otherwise\n\n"


@pytest.mark.parametrize(
    ("condition", "never_true", "never_false"),
    [
        ("tier is core and tier is rest", True, False),
        ("tier is core or tier is rest", False, True),
        ("tier is not core and tier is not rest", True, False),
        ("tier is core and not (tier is rest)", False, False),
        ("regime is bull and regime is bear", True, False),
        ("regime is not bull and regime is not bear and regime is not flat", True, False),
        ("regime is not bull and regime is not bear", False, False),
        ("(close > open for 3 bars) and close < open", True, False),
        ("(close > open for 3 bars) and close[1] < open[1]", False, False),
        ("(close > open within 3 bars) or close <= open", False, True),
        ("(close > open within 3 bars) and close < open", False, False),
        ("close > high", True, False),
        ("close > high[1]", False, False),
        ("close[2] > high[2]", True, False),
        ("close <= high", False, True),
        ("close > highest(high, 5)", True, False),
        ("close >= highest(close, 5)", False, False),
        ("close > highest(high, 5)[1]", False, False),
        ("close of ETH-USD > high of ETH-USD", True, False),
        ("close of ETH-USD > ema(close of ETH-USD, 5) and close < ema(close, 5)", False, False),
        ("close@4h > high@4h", True, False),
        ("close@4h > high", False, False),
        ("close < lowest(low, 5) or close < donchian(5).lower", True, False),
        ("max(open, close) < open", True, False),
        ("hour > 22 and hour < 23", True, False),
        ("rsi(close, 14) > 70 and rsi(close, 14)@4h < 30", False, False),
        ("1 > 2", True, False),
    ],
)
def test_what_words_and_bars_mean(condition: str, never_true: bool, never_false: bool) -> None:
    file, mistakes = parse(
        "rules/r.tb",
        f"{REGIME}{UNIVERSE}strategy s on u every 1h\n  enter long when {condition}\n    size 5% of equity\n",
        is_policy=False,
    )
    program, findings = check([file])
    assert program is not None, [*mistakes, *findings]
    made = plan(program)
    when = made.strategies[0].enters[0].when
    assert (contradictions(made).never(when, True), contradictions(made).never(when, False)) == (never_true, never_false)


@pytest.mark.parametrize(
    ("constraint", "never_passes", "always_passes"),
    [
        ("order.side is buy and order.side is sell", True, False),
        ("order.side is not buy and order.side is not sell", True, False),
        ("order.stop is not set and order.stop_gap > 0", True, False),
        ("order.stop is not set or order.stop_gap > 0", False, False),
        ("order.instrument in pair and order.instrument == DOGE-USD", True, False),
        ("order.instrument in pair and order.instrument == BTC-USD", False, False),
        ("order.instrument in pair and order.instrument not in pair", True, False),
        ("after.gross > equity + 100 USD and after.gross < equity", True, False),
        ("drawdown <= 100%", False, True),
        ("drawdown < 100%", False, False),
        ("order.notional < 0 USD", True, False),
    ],
)
def test_what_facts_mean(constraint: str, never_passes: bool, always_passes: bool) -> None:
    made = planned("close > close[1]", f"group pair: BTC-USD, ETH-USD\nrequire r  {constraint}\n")
    passes = next(c.node for c in made.policies[3_600_000].constraints if c.name == "r")
    found = contradictions(made)
    assert (found.never(passes, True), found.never(passes, False)) == (never_passes, always_passes)


def test_a_condition_with_too_many_cases_is_left_alone() -> None:
    parts = [f"(rsi(close, {n}) > 70 or rsi(close, {n}) < 30 or volume > {n} * volume[1])" for n in range(2, 12)]
    made = planned(" and ".join([*parts, "rsi(close, 2) > 60", "rsi(close, 2) < 50"]))
    when = made.strategies[0].enters[0].when
    assert contradictions(made).clauses.terms(when, True) is None
    assert not contradictions(made).never(when, True)


def test_a_switch_is_no_contradiction() -> None:
    when = "enabled > 0 and close > open"
    rule = f"param enabled = 0\n{UNIVERSE}strategy s on u every 1h\n  enter long when {when}\n    size 5% of equity\n"
    program, _ = check([parse("rules/r.tb", rule, is_policy=False)[0]])
    assert program is not None
    made = plan(program)
    assert not contradictions(made).never(made.strategies[0].enters[0].when, True)


# --- what is true of every market ------------------------------------------------------------------------------------------

SERIES = (
    "open high low close high[1] low[1] max(open,close) min(open,close) highest(high,3) highest(close,3) lowest(low,3) "
    "lowest(close,2) highest(high,3)[1] donchian(3).upper donchian(3).lower donchian(3).middle max(high,close[1]) ema(close,3)"
).split()


@settings(max_examples=25)
@given(st.lists(st.tuples(*[st.floats(1, 100, allow_nan=False)] * 4), min_size=4, max_size=12))
def test_relations_hold_in_every_market(rows: list[tuple[float, float, float, float]]) -> None:
    made = planned(" and ".join(f"{name} > 0 * close" for name in SERIES))
    nodes = [made.graph[part].args[0] for part in made.graph[made.strategies[0].enters[0].when].args]
    lows, inner = [min(row) for row in rows], [sorted(row)[1:3] for row in rows]
    columns = {"open": [i[0] for i in inner], "close": [i[1] for i in inner], "low": lows, "high": [max(row) for row in rows]}
    time = np.arange(len(rows), dtype=np.int64) * 3_600_000
    bars = Bars(
        "BTC-USD",
        3_600_000,
        time,
        *(np.array(columns[n]) for n in ("open", "high", "low", "close")),
        np.ones(len(rows)),
        None,
        None,
        "test",
        np.arange(len(rows), dtype=np.int64),
    )
    histories = Histories(made.graph, Markets({"BTC-USD": bars}, Assumptions(), made.tiers))
    values = {node: histories.history(node, "BTC-USD") for node in nodes}
    known = 0
    for lower, upper in product(nodes, repeat=2):
        if never_above(made.graph, lower, upper):
            known += 1
            assert all(not a > b for a, b in zip(values[lower], values[upper], strict=True))
    assert known > len(nodes) + 20
