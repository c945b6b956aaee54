"""Between which two numbers a node of the rule graph lies, exactly, for reasoning about comparisons.

A market value x stands for the number its shortest text says, as it does when it enters a decision. That keeps the order of
floats, so one exact arithmetic serves both stages. Where a bound was reached by rounding it is widened: a range here is
never narrower than the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from tb.core.encode import plain
from tb.core.units import Kind, Unit
from tb.engine.bounds import Bounds, bounds_of
from tb.engine.graph import POINTWISE_OPS, Node, RuleGraph
from tb.engine.instant import decision_value, market_value

Range = tuple[Fraction | None, Fraction | None]
SLACK = Fraction(1, 10**9)  # relative; rounding of a few operations stays far below it
_WHOLE_FIELDS = frozenset({"hour", "weekday", "missing_bars"})
_WHOLE_FACTS = frozenset(
    {"entries", "orders", "losses_in_a_row", "open_positions", "book.open_positions", "after.open_positions"}
)
# of values that are not negative, these are not
_AVERAGES = frozenset({"sma", "ema", "wma", "rma", "mean", "median", "highest", "lowest", "total"})
_ZERO = Fraction(0)

# their constants say what they are, so arguments alone do not
_OF_CASES = frozenset(
    {"ramp", "best", "score", "regime", "regime_is", "first", "first_is", "pick"}
    | {"signal", "signal_is", "strength", "agree", "agrees", "conviction"}
)


class Ranges:
    """What is known of the values of one graph's nodes, each worked out once."""

    def __init__(self, graph: RuleGraph) -> None:
        self.graph = graph
        self._fixed: dict[int, Fraction | None] = {}
        self._settings: dict[int, bool] = {}

    def fixed(self, id_: int, stage: str) -> Fraction | None:
        """The number a node amounts to where it depends on constants alone, as it is computed in that stage."""
        node = self.graph[id_]
        if node.op == "const":
            constant = node.consts[0]
            if not isinstance(constant, Decimal):
                return None
            return of_float(float(constant)) if stage == "market" else Fraction(constant)
        if id_ not in self._fixed:
            self._fixed[id_] = self._computed(node)
        return self._fixed[id_]

    def _computed(self, node: Node) -> Fraction | None:
        if node.op not in POINTWISE_OPS or node.op in _OF_CASES:
            return None
        parts = [self.fixed(argument, node.stage) for argument in node.args]
        known = [part for part in parts if part is not None]
        if len(known) != len(parts):
            return None
        if node.stage == "market":
            value = market_value(node.op, (), [float(part) for part in known])
            return of_float(value) if math.isfinite(value) else None
        exact = decision_value(node.op, (), [Decimal(part.numerator) / Decimal(part.denominator) for part in known])
        return Fraction(exact) if isinstance(exact, Decimal) else None

    def range_of(self, id_: int) -> Range:
        """The range of a node's values, None where it is open."""
        node = self.graph[id_]
        value = self.fixed(id_, "decision" if node.stage == "decision" else "market")
        if value is not None:
            return value, value
        ends = (None if end is None or not math.isfinite(end) else of_float(float(end)) for end in (node.low, node.high))
        low, high = ends
        if low is None and node.op == "apply" and str(node.consts[0]) in _AVERAGES and node.args:
            inner = self.range_of(node.args[0])[0]
            low = _ZERO if inner is not None and inner >= 0 else None
        if node.stage == "decision" and node.op not in {"fact", "derived"}:
            # the graph's bounds are floats, this value is not
            low = None if low is None else low - _room(low)
            high = None if high is None else high + _room(high)
        return low, high

    def is_setting(self, id_: int) -> bool:
        """Whether a node depends on nothing but constants, at least one of which is a parameter or a limit."""
        if id_ not in self._settings:
            self._settings[id_] = self._is_setting(id_)
        return self._settings[id_]

    def _is_setting(self, id_: int) -> bool:
        leaves = [node for node in (self.graph[n] for n in self.graph.reach((id_,))) if not node.args]
        return all(node.op == "const" for node in leaves) and any(node.consts[-1] for node in leaves)


def of_float(value: float) -> Fraction:
    """The number that the shortest text of a float says."""
    return Fraction(repr(value))


def _room(bound: Fraction) -> Fraction:
    return abs(bound) * SLACK + Fraction(1, 10**12) if bound else Fraction(0)


def is_whole(node: Node) -> bool:
    """Whether a node counts something, so that there is nothing between two neighbouring whole numbers."""
    if node.op == "field":
        return str(node.consts[0]) in _WHOLE_FIELDS
    return node.op == "agree" or (node.op in {"fact", "derived"} and str(node.consts[0]) in _WHOLE_FACTS)


def widest(graph: RuleGraph, id_: int, of_param: Callable[[str], Bounds | None]) -> Bounds:
    """The range a node can have over the declared ranges of parameters, not only with the values they have now."""
    known: dict[int, Bounds] = {}
    for part in graph.reach((id_,)):  # arguments first
        node = graph[part]
        known[part] = node.low, node.high
        if node.op == "const":
            origin = str(node.consts[2])
            declared = of_param(origin.removeprefix("param ")) if origin.startswith("param ") else None
            known[part] = declared or known[part]
        elif node.op in POINTWISE_OPS and node.op != "score":
            known[part] = bounds_of(node.op, [known[argument] for argument in node.args])
    return known[id_]


def shown(value: Fraction | float, unit: Unit) -> str:
    """A number in the unit a trader would write it in, at most six digits."""
    number = Decimal(format(float(value), ".6g"))
    match unit.kind:
        case Kind.RATIO:
            return f"{plain(number * 100)}%"
        case Kind.MONEY:
            return f"{plain(number)} {unit.tag}"
        case Kind.DURATION:
            return f"{plain(number / 1000)}s"
        case _:
            return plain(number)
