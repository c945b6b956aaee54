"""The reference interpreter: short, slow, obvious. The fast path must equal it.

`Histories` computes market nodes over whole histories as plain lists, by the definitions of `tb.vocabulary.reference`.
`from_leaves` computes one instant from the values of leaves; `judge` does so for a policy. Explanations are built from these.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from tb.engine.calendar import session_value
from tb.engine.derived import DERIVED
from tb.engine.feeds import value_at
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import Exact, decision_value, market_value
from tb.engine.markets import Markets
from tb.engine.plan import PolicyPlan
from tb.engine.tiers import tier_name, tier_value
from tb.vocabulary.catalogue import FUNCTIONS

NAN = math.nan


class Histories:
    """Values of market nodes for each instrument, over all of its bars."""

    def __init__(self, graph: RuleGraph, markets: Markets) -> None:
        self.graph = graph
        self.markets = markets
        self._known: dict[tuple[int, str, int], list[float]] = {}

    def history(self, id_: int, symbol: str, period: int | None = None) -> list[float]:
        """One value for each bar of the instrument in the node's period (a constant's: in the period given)."""
        node = self.graph[id_]
        period = node.period or period or self.markets.base[symbol].period
        key = (id_, symbol, period)
        if key not in self._known:
            self._known[key] = self._compute(node, symbol, period)
        return self._known[key]

    def _compute(self, node: Node, symbol: str, period: int) -> list[float]:
        bars = self.markets.bars(symbol, period)
        size, first = len(bars), node.consts[0] if node.consts else None
        match node.op:
            case "const":
                return [float(first) if isinstance(first, Decimal) else NAN] * size
            case "field":
                return [float(v) for v in self.markets.read(bars, str(first))]
            case "pips":
                pip = self.markets.assumptions.pips.get(symbol)
                return [NAN if pip is None or not isinstance(first, Decimal) else float(first) * pip] * size
            case "depth":
                depth = self.markets.assumptions.depth_of(symbol)
                return [NAN if depth is None else depth] * size
            case "tier":
                given = [self.history(a, symbol, period) for a in node.args]
                return [tier_value(node, symbol, [one[row] for one in given]) for row in range(size)]
            case "tier_is" if node.args:
                tier, wanted = self.graph[node.args[0]], node.consts[1]
                found = self.history(tier.id, symbol, period)
                return [NAN if v != v else float(tier_name(tier, v) == wanted) for v in found]  # noqa: PLR0124
            case "tier_is":
                members = self.markets.tiers.get((str(node.consts[0]), str(node.consts[1])), ())
                return [1.0 if symbol in members else 0.0] * size
            case "during" | "since_open" | "to_close" as op:
                return [session_value(op, node.consts, int(at)) for at in bars.closes]
            case "feed" | "feed_age":
                return [value_at(node, self.markets.feeds, symbol, int(at)) for at in bars.closes]
            case "of" | "at":
                return self._aligned(node, symbol, period)
            case _:
                return self._from_arguments(node, [self.history(a, symbol, period) for a in node.args], size)

    def _from_arguments(self, node: Node, inputs: list[list[float]], size: int) -> list[float]:
        match node.op:
            case "apply":
                constants = tuple(float(c) for c in node.consts[2:] if c is not None)
                return FUNCTIONS[str(node.consts[0])].reference(constants, inputs)[int(node.consts[1] or 0)]
            case "shift":
                back = int(node.consts[0] or 0)
                return [inputs[0][i - back] if i >= back else NAN for i in range(size)]
            case "every" | "some":
                length = int(node.consts[0] or 0)
                op = "and" if node.op == "every" else "or"
                windows = ([inputs[0][k] if k >= 0 else NAN for k in range(i - length + 1, i + 1)] for i in range(size))
                return [market_value(op, (), window) for window in windows]
            case _:
                return [market_value(node.op, node.consts, [history[i] for history in inputs]) for i in range(size)]

    def _aligned(self, node: Node, symbol: str, period: int) -> list[float]:
        mine = [int(t) for t in self.markets.bars(symbol, period).closes]
        if node.op == "of":
            other = str(node.consts[0])
            if other not in self.markets.base:
                return [NAN] * len(mine)
            closes = self.markets.bars(other, period).closes
            at = dict(zip((int(t) for t in closes), self.history(node.args[0], other, period), strict=True))
            return [at.get(instant, NAN) for instant in mine]
        inner = self.graph[node.args[0]].period
        visible = [int(t) for t in self.markets.bars(symbol, inner).closes]
        values = [NAN, *self.history(node.args[0], symbol)]
        return [values[bisect_right(visible, instant)] for instant in mine]


def from_leaves(graph: RuleGraph, leaves: Mapping[int, Exact | float], roots: Iterable[int]) -> dict[int, Exact | float]:
    """Every node that the roots depend on above the leaves, from the values of the leaves.

    Market nodes are computed in float64, decision nodes in Decimal, as everywhere.
    """
    values: dict[int, Exact | float] = dict(leaves)

    def value(id_: int) -> Exact | float:
        if id_ in values:
            return values[id_]
        node = graph[id_]
        if node.op == "const":
            constant = node.consts[0]
            values[id_] = constant if isinstance(constant, Decimal | str) else None
        elif node.stage == "market":
            arguments = [_as_float(value(a)) for a in node.args]
            values[id_] = market_value(node.op, node.consts, arguments)
        else:
            exact = [_as_exact(value(a)) for a in node.args]
            if node.op == "derived":
                known = all(e is not None for e in exact)
                values[id_] = DERIVED[str(node.consts[0])](*exact) if known else None
            else:
                values[id_] = decision_value(node.op, node.consts, exact)
        return values[id_]

    for root in roots:
        value(root)
    return values


def judge(graph: RuleGraph, policy: PolicyPlan, inputs: Sequence[Exact]) -> tuple[int, int]:
    """The two bitmasks of `tb.engine.decide`, by interpretation."""
    values = from_leaves(graph, dict(zip(policy.leaves, inputs, strict=True)), [c.node for c in policy.constraints])
    failed = unknown = 0
    for bit, constraint in enumerate(policy.constraints):
        passes = values[constraint.node]
        if passes is None:
            unknown |= 1 << bit
        elif passes is not True:
            failed |= 1 << bit
    return failed, unknown


def _as_float(value: Exact | float) -> float:
    if value is None or isinstance(value, str):
        return NAN
    return float(value)


def _as_exact(value: Exact | float) -> Exact:
    return None if isinstance(value, float) else value
