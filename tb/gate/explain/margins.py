"""Margins of a decision: for each input, the nearest value at which the gate's verdict on the order is another.

The candidates are the flip points of single constraints; each is checked by judging at it, just inside and just outside. An
input may have to pass several of them before the verdict changes: the strictest constraint that is left still decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.core.units import Kind
from tb.engine.explain.flips import Flip
from tb.engine.explain.words import describe
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact, exact
from tb.gate.explain.model import RuleResult
from tb.gate.explain.text import flip_words
from tb.gate.gate import Gate

_NEAR = 0.9  # a limit used beyond this share is a near miss
_CLOSE = Decimal("0.01")  # an input this near to a flip point, as a share of it, is one of the others
_FEW = Decimal("1e-9")


def margins(
    graph: RuleGraph, gate: Gate, settings: Settings, decision: Decision, inputs: Sequence[Exact], rules: Sequence[RuleResult]
) -> tuple[Flip, ...]:
    """One flip of the verdict for each input that can change it alone, nearest first in relative terms; their answers are
    verdicts. Of a leg there are none: what is said to it is said to all of them."""
    if decision.together is not None:
        return ()
    spec = settings.instrument(decision.instrument)
    lot = None if spec is None else spec.lot
    places = {describe(graph, leaf, expand=False): place for place, leaf in enumerate(gate.policy.leaves)}
    points: dict[str, list[Flip]] = {}
    for flip in (flip for rule in rules for flip in rule.flips if flip.input in places):
        points.setdefault(flip.input, []).append(flip)

    def judged(place: int, is_quantity: bool) -> Callable[[Decimal], str]:
        def verdict(moved: Decimal) -> str:
            changed = [*inputs[:place], moved, *inputs[place + 1 :]]
            quantity = moved if is_quantity else decision.proposed
            return gate.decide(changed, decision.kind == "enter", quantity, lot).verdict

        return verdict

    found = []
    for name, flips in points.items():
        value = inputs[places[name]]
        if isinstance(value, Decimal):
            nearest = _nearest(value, flips, judged(places[name], name == "order.quantity"))
            if nearest is not None:
                found.append((abs(Decimal(nearest.exact) - value) / max(abs(value), _FEW), nearest))
    return tuple(flip for _, flip in sorted(found, key=lambda pair: pair[0]))


def _nearest(value: Decimal, flips: Iterable[Flip], verdict: Callable[[Decimal], str]) -> Flip | None:
    now = verdict(value)
    for flip in sorted(flips, key=lambda flip: abs(Decimal(flip.exact) - value)):
        point = Decimal(flip.exact)
        step = max(abs(point), abs(value), _FEW) * _FEW
        away = 1 if point > value or flip.change == "just above" else -1
        inside, at, outside = verdict(point - away * step), verdict(point), verdict(point + away * step)
        if inside == now and (at != now or outside != now):
            return msgspec.structs.replace(flip, inside=inside, at_point=at, outside=outside)
    return None


def near_misses(
    rules: Iterable[RuleResult], values: Mapping[str, Decimal], condition: Iterable[Flip], market: Mapping[str, Decimal]
) -> Iterator[str]:
    """What passed with little left: limits used to nine tenths, other constraints of which an input lies within a hundredth of
    its flip point, and inputs of the condition that do. `values` and `market` are the inputs of both (`by_name`)."""
    for rule in rules:
        if rule.status != "passed":
            continue
        if rule.used is not None:
            if _NEAR <= rule.used <= 1:
                yield _limit_near(rule)
            continue
        near = next((flip for flip in rule.flips if _is_close(flip, values)), None)
        if near is not None:
            yield f"{rule.name}: fails if {flip_words(near)}"
    yield from (f"the condition: fails if {flip_words(flip)}" for flip in condition if _is_close(flip, market))


def _is_close(flip: Flip, values: Mapping[str, Decimal]) -> bool:
    value, point = values.get(flip.input), Decimal(flip.exact)
    return value is not None and point != 0 and abs(point - value) <= abs(point) * _CLOSE


def _limit_near(rule: RuleResult) -> str:
    clause = rule.condition
    while clause.parts and not clause.value:  # a limit that exceptions loosen
        clause = clause.parts[0]
    return f"{rule.name}: {clause.value} of {clause.threshold} ({rule.used or 0:.0%} used, {clause.distance} left)"


def by_name(graph: RuleGraph, leaves: Iterable[int], values: Iterable[Exact | float]) -> dict[str, Decimal]:
    """Known numbers by the names that flips have, without prices: these are near to each other by nature."""
    found = {}
    for leaf, value in zip(leaves, values, strict=False):
        number = exact(value) if isinstance(value, float) else value
        if isinstance(number, Decimal) and graph[leaf].unit.kind is not Kind.PRICE:
            found[describe(graph, leaf, expand=False)] = number
    return found
