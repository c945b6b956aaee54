"""An order of which something could not be computed: what it lacks comes first, before the rules that cannot judge it.

Such an order is one of 0 units, so that rules about lots and minimums fail too. They are no reason: what is missing is. The
verdict and the record stay as they are; only the order of telling is chosen here.
"""

from __future__ import annotations

from tb.core.records import Decision
from tb.engine.explain.clauses import unknown_leaves
from tb.engine.explain.words import describe
from tb.engine.graph import RuleGraph
from tb.engine.plan import EnterPlan
from tb.gate.explain.reproduce import Evaluated
from tb.gate.gate import Gate

MISSING = "order.missing"
NotComputed = dict[str, tuple[str, ...]]  # `size` and the like -> the inputs that were unknown for it
_WORDS = {"take": "level to take at"}


def not_computed(graph: RuleGraph, gate: Gate, evaluated: Evaluated) -> NotComputed:
    """What of the order could not be computed, each with the inputs that were unknown for it."""
    told = evaluated.inputs[gate.leaf(MISSING)] if gate.reads(MISSING) else None
    names = [name for name in str(told or "").split(", ") if name]
    return {
        name: tuple(describe(graph, leaf, expand=False) for leaf in _unknown_below(graph, name, evaluated)) for name in names
    }


def names_of(lacking: NotComputed) -> list[str]:
    """All that is missing, each thing before its inputs."""
    return [said for name, inputs in lacking.items() for said in (name, *inputs)]


def not_known(lacking: NotComputed) -> str:
    """``the size is not known: `fear_greed` is unknown``; empty where all is known."""
    return "; ".join(_said(name, tuple(dict.fromkeys(inputs))) for name, inputs in lacking.items())


def _said(name: str, inputs: tuple[str, ...]) -> str:
    why = f": {', '.join(f'`{told}`' for told in inputs)} {'is' if len(inputs) == 1 else 'are'} unknown" if inputs else ""
    return f"the {_WORDS.get(name, name)} is not known{why}"


def decided_by(graph: RuleGraph, gate: Gate, decision: Decision, lacking: NotComputed) -> tuple[str, ...]:
    """The rules that decided, those that ask for what is missing first."""
    if not lacking:
        return decision.deciding
    ask = {c.name for c in gate.policy.constraints if any(_is_missing(graph, node) for node in graph.reach((c.node,)))}
    return tuple(sorted(decision.deciding, key=lambda name: name not in ask))


def _is_missing(graph: RuleGraph, node: int) -> bool:
    return graph[node].op == "fact" and graph[node].consts[0] == MISSING


def _unknown_below(graph: RuleGraph, name: str, evaluated: Evaluated) -> list[int]:
    entry = evaluated.entry
    if not isinstance(entry, EnterPlan):
        return []
    nodes: list[int] = []
    match name:
        case "price":
            nodes = [entry.order.price] if entry.order.price is not None else []
        case "take":
            nodes = [take.level.node for take in entry.manage.takes]
        case "stop":
            nodes = [entry.stop.node] if entry.stop is not None else []
        case "target":
            nodes = [entry.target.node] if entry.target is not None else []
        case "conviction":
            nodes = [signal.node for signal in entry.signals]
        case "size":
            nodes = [node for case in entry.sizes for node in (case.condition, case.share) if node is not None]
    known = {node: value for node, value in evaluated.market.items() if node in set(graph.reach(tuple(nodes)))}
    return [leaf for node in nodes if node in known for leaf in unknown_leaves(graph, node, known)]
