"""The clauses at the bottom of an entry's conditions, and how the conditions are joined of them, without any values.

The clauses are those that `tb.engine.explain.clauses.blame` names: comparisons, regimes, tiers, stretches of bars. Truth values
of whole columns go through the joins here as single ones do there; float64, 1 for true, 0 for false, NaN for unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from tb.engine.explain.words import describe
from tb.engine.graph import RuleGraph
from tb.engine.tiers import tier_column, tier_names
from tb.engine.vector import pointwise

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Key = tuple[int, bool]  # a clause's node, and what it should be
Truth = Callable[[int], Floats]
_JOINS = frozenset({"and", "or", "not"})


def parts_of(graph: RuleGraph, id_: int) -> tuple[int, ...]:
    """The conditions that a condition is joined of; none where it is a clause itself."""
    node = graph[id_]
    if node.op in _JOINS:
        return node.args
    return graph[node.args[0]].args if node.op == "member" else ()


def keys(graph: RuleGraph, root: int, *, wanted: bool = True) -> Iterator[Key]:
    """The clauses from left to right, each as often as it stands there."""
    parts = parts_of(graph, root)
    if not parts:
        yield root, wanted
    for part in parts:
        yield from keys(graph, part, wanted=_wanted(graph, root, wanted=wanted))


def _wanted(graph: RuleGraph, id_: int, *, wanted: bool) -> bool:
    return (not wanted) if graph[id_].op == "not" else wanted


def words(graph: RuleGraph, root: int) -> dict[int, str]:
    """Each clause as its rule says it; the condition of a tier with the tier's name."""
    found: dict[int, str] = {}
    for id_ in graph.reach((root,)):
        if graph[id_].op == "member":
            tier = graph[graph[id_].args[0]]
            named = [name for name, const in zip(tier_names(tier), tier.consts[1:], strict=True) if ":" not in str(const)]
            for name, arg in zip(named, tier.args, strict=True):
                found[arg] = f"{name} where {describe(graph, arg)}"
    return {id_: found.get(id_) or describe(graph, id_) for id_, _ in keys(graph, root)}


def blamed(graph: RuleGraph, root: int, truth: Truth, found: dict[Key, Mask], symbol: str) -> None:
    """Adds to `found`, for each clause, the bars at which it is not as wanted while the whole is not either."""
    known: dict[int, Floats] = {}

    def walk(id_: int, wanted: bool, among: Mask) -> None:
        value = joined(graph, id_, truth, known, symbol)
        wrong = among & (value != (1.0 if wanted else 0.0))  # what is unknown differs from both
        if not wrong.any():
            return
        parts = parts_of(graph, id_)
        if not parts:
            found[id_, wanted] |= wrong
        for part in parts:
            walk(part, _wanted(graph, id_, wanted=wanted), wrong)

    walk(root, True, np.ones(len(joined(graph, root, truth, known, symbol)), dtype=np.bool_))


def joined(graph: RuleGraph, id_: int, truth: Truth, known: dict[int, Floats], symbol: str) -> Floats:
    """A condition from its clauses; `known` keeps what was computed, and fixes what stands in it already."""
    if id_ not in known:
        parts = parts_of(graph, id_)
        values = [joined(graph, part, truth, known, symbol) for part in parts]
        node = graph[id_]
        if not parts:
            known[id_] = truth(id_)
        elif node.op == "member":
            tier = tier_column(graph[node.args[0]], (symbol,), values, (1, len(values[0])))[0]
            known[id_] = pointwise("member", node.consts, [tier], len(tier))
        else:
            known[id_] = pointwise(node.op, node.consts, values, len(values[0]))
    return known[id_]


def would_hold(graph: RuleGraph, roots: tuple[int, ...], truth: Truth, fixed: Mapping[int, Floats], symbol: str) -> Mask:
    """The bars at which all conditions hold with some clauses fixed to other truths."""
    known = dict(fixed)
    values = [joined(graph, root, truth, known, symbol) for root in roots]
    holds: Mask = pointwise("and", (), values, len(values[0])) == 1.0
    return holds
