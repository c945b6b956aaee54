"""The inputs of a decision by the names that its explanation shows, and what they may be changed to.

Leaves can be changed: facts, market values, and what the order says. What is computed from them cannot, since it would then
contradict them; which leaves to change instead is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tb.core.amount import Amount, parse_amount
from tb.core.diagnostics import did_you_mean
from tb.core.records import Decision
from tb.core.settings import Settings
from tb.core.time import parse_instant
from tb.core.units import Kind, Unit
from tb.engine.explain.words import describe, show_value
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import Exact
from tb.engine.plan import Plan
from tb.gate.explain.reproduce import reproduce
from tb.gate.explain.what_if import Change
from tb.gate.gate import Gate
from tb.vocabulary.facts import FACTS

# what an order is; another one would be another decision
_WHAT_IT_IS = frozenset(
    "order.instrument order.strategy order.side order.sign order.book order.kind order.valid order.opens order.legs "
    "order.missing order.intended instant scope.inside".split()
)
_TEXTS = frozenset({Kind.TEXT, Kind.INSTRUMENT, Kind.LIST, Kind.TIER})
_NUMBERS = {
    Kind.NUMBER: "a plain number, as `12`",
    Kind.QUOTIENT: "a ratio or a plain number, as `2%`",
    Kind.RATIO: "a ratio, as `90bps` or `2%`",
    Kind.BARS: "a count of bars, as `3 bars`",
    Kind.DURATION: "a length of time, as `90m`",
    Kind.R: "multiples of the risk, as `2R`",
    Kind.PRICE: "a price, as `64_210`",
    Kind.QUANTITY: "a quantity, as `0.5`",
}


class Unsettable(Exception):
    """An input that cannot be changed so; the text says why, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Input:
    """One leaf: its node, its value, and where it is read. `fact` is its place among the inputs of the decision function."""

    node: Node
    value: Exact | float
    is_market: bool
    fact: int | None


@dataclass(frozen=True, slots=True)
class Settable:
    """What can be changed, by name, and what follows from it: a name with the names of its leaves."""

    inputs: Mapping[str, Input]
    derived: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Changed:
    """One change, as people read it and by leaf."""

    said: Change
    market: Mapping[int, float | None]
    facts: Mapping[int, Exact]


def settable(plan: Plan, gate: Gate, settings: Settings, decision: Decision) -> Settable:
    """The inputs of a decision."""
    graph = plan.graph
    evaluated = reproduce(plan, gate, settings, decision)
    inputs: dict[str, Input] = {}
    for place, (leaf, value) in enumerate(zip(gate.policy.leaves, evaluated.inputs, strict=True)):
        node = graph[leaf]
        inputs[describe(graph, leaf, expand=node.stage == "market")] = Input(node, value, node.stage == "market", place)
    entry = evaluated.entry
    if entry is not None:
        for leaf in entry.leaves:
            name = describe(graph, leaf)
            known = inputs.get(name)
            inputs[name] = Input(graph[leaf], evaluated.market[leaf], True, None if known is None else known.fact)
    roots = [constraint.node for constraint in gate.policy.constraints]
    if entry is not None:
        roots.append(entry.when)
    leaves = {one.node.id: name for name, one in inputs.items()}
    return Settable(inputs, dict(_derived(graph, roots, leaves)))


def _derived(graph: RuleGraph, roots: list[int], leaves: Mapping[int, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Everything with a name above the leaves."""
    for id_ in graph.reach(tuple(roots)):
        node = graph[id_]
        if id_ in leaves or node.op == "const":
            continue
        names = set(node.names) | ({describe(graph, id_)} if node.op == "derived" else set())
        if names:
            below = tuple(dict.fromkeys(leaves[leaf] for leaf in _below(graph, id_, leaves)))
            yield from ((name, below) for name in sorted(names))


def _below(graph: RuleGraph, id_: int, leaves: Mapping[int, str]) -> Iterator[int]:
    for arg in graph[id_].args:
        if arg in leaves:
            yield arg
        else:
            yield from _below(graph, arg, leaves)


def change_of(able: Settable, name: str, text: str, currency: str) -> Changed:
    """What a name and a value say. Raises Unsettable with the nearest names, the unit asked for, or the leaves to change."""
    if name in able.derived and name not in able.inputs:
        raise Unsettable(f"`{name}` is computed; change what it is computed from: {_listed(able.derived[name])}")
    one = able.inputs.get(name)
    if one is None:
        near = did_you_mean(name, [*able.inputs, *able.derived])
        raise Unsettable(f"the decision read no `{name}`; {near or 'it read ' + _listed(able.inputs)}")
    if one.node.op == "fact" and str(one.node.consts[0]) in _WHAT_IT_IS:
        raise Unsettable(f"`{name}` is what the order is: with another it would be another decision")
    value = _value(name, one.node, text, currency)
    _check_range(name, one.node, value, text)
    said = Change(name=name, was=_shown(one.node, one.value), now=_shown_as(one.node, value, text))
    number = None if value is None or isinstance(value, str | bool) else float(value)
    return Changed(
        said,
        {one.node.id: number} if one.is_market else {},
        {one.fact: value} if one.fact is not None and not one.is_market else {},
    )


def _shown(node: Node, value: Exact | float) -> str:
    if value is None and node.op == "fact" and FACTS[str(node.consts[0])].optional:
        return "not set"
    return show_value(value, node.unit)


def _shown_as(node: Node, value: Exact, text: str) -> str:
    """A value that was written, as it is shown elsewhere; as it was written where that would round it."""
    shown = _shown(node, value)
    amount = parse_amount(shown.replace(",", ""))
    return text.strip() if isinstance(value, Decimal) and amount is not None and amount.value != value else shown


def _listed(names: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing that can be changed"


def _value(name: str, node: Node, text: str, currency: str) -> Exact:
    """A value in base units; None for `unknown`, which is `not set` of what may be so."""
    kind = node.unit.kind
    if text in {"unknown", "none", "not set"}:
        return None
    if kind is Kind.TRUTH:
        if text not in {"true", "false"}:
            raise Unsettable(f"`{name}` is true, false or unknown, not `{text}`")
        return Decimal(text == "true")
    if kind is Kind.TIME:
        at = parse_instant(text)
        if at is None:
            raise Unsettable(f"`{name}` is an instant, not `{text}`; write `2024-01-31T05:00`")
        return Decimal(at)
    if kind in _TEXTS:
        return text.strip('"')
    amount = parse_amount(text)
    wanted = f"money, as `10_000 {currency}`" if kind is Kind.MONEY else _NUMBERS.get(kind)
    if wanted is None:
        raise Unsettable(f"`{name}` is a {kind.value} and cannot be changed; change what its conditions read")
    if amount is None or not _fits(amount, node.unit, currency):
        raise Unsettable(f"`{name}` is {wanted}, not `{text}`")
    return amount.value


def _fits(amount: Amount, unit: Unit, currency: str) -> bool:
    given = amount.unit.kind
    match unit.kind:
        case Kind.MONEY:
            return given is Kind.MONEY and amount.unit.tag == (unit.tag or currency)
        case Kind.PRICE:
            return given is Kind.NUMBER or (given is Kind.MONEY and amount.unit.tag == currency)
        case Kind.QUANTITY:
            return given is Kind.NUMBER
        case Kind.QUOTIENT:
            return given in {Kind.NUMBER, Kind.RATIO}
        case kind:
            return given is kind


def _check_range(name: str, node: Node, value: Exact, text: str) -> None:
    if not isinstance(value, Decimal):
        return
    low, high = node.low, node.high
    if low is not None and value < Decimal(repr(low)):
        raise Unsettable(f"`{name}` is never below {show_value(low, node.unit)}, and `{text}` is")
    if high is not None and value > Decimal(repr(high)):
        raise Unsettable(f"`{name}` is never above {show_value(high, node.unit)}, and `{text}` is")
