"""Which value can never lie above which other: what is true of every well-formed market.

A bar's low is its lowest price and its high its highest (data that says otherwise is refused); the highest of a window is at
least the present value, since windows include the present bar; `max` is at least each of its arguments.
"""

from __future__ import annotations

from tb.engine.graph import Node, RuleGraph

_BELOW = frozenset({("low", "open"), ("low", "close"), ("low", "high"), ("open", "high"), ("close", "high")})
_MOVED = frozenset({"shift", "of", "at"})


def never_above(graph: RuleGraph, lower: int, upper: int) -> bool:
    """Whether `lower <= upper` holds at every instant at which both are known."""
    if lower == upper:
        return True
    low, high = graph[lower], graph[upper]
    if low.op in _MOVED and high.op == low.op and (low.consts, low.period) == (high.consts, high.period):
        return never_above(graph, low.args[0], high.args[0])
    if any(never_above(graph, lower, part) for part in _at_least(high)):
        return True
    if any(never_above(graph, part, upper) for part in _at_most(low)):
        return True
    if low.op == high.op == "field" and low.period == high.period:
        return (low.consts[0], high.consts[0]) in _BELOW
    return False


def _at_least(node: Node) -> tuple[int, ...]:
    """Values that the node is never below."""
    if node.op == "max":
        return node.args
    match node.consts[:2] if node.op == "apply" else ():
        case ("highest", _):
            return node.args
        case ("donchian", 0):
            return node.args[:1]
        case _:
            return ()


def _at_most(node: Node) -> tuple[int, ...]:
    """Values that the node is never above."""
    if node.op == "min":
        return node.args
    match node.consts[:2] if node.op == "apply" else ():
        case ("lowest", _):
            return node.args
        case ("donchian", 1):
            return node.args[1:2]
        case _:
            return ()


def present_bar(node: Node) -> bool:
    """Whether the node looks over a window that ends with the present bar."""
    return node.op == "apply" and str(node.consts[0]) in {"highest", "lowest", "donchian"}
