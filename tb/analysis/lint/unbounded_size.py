"""TB302: a size that can exceed the whole of equity, or that nothing bounds.

The bound is taken over the declared ranges of parameters and the known ranges of indicators. A size that risks a share of
equity grows as the stop comes nearer; it counts as bounded where the policy bounds an order or a position.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.bounded import bounding, order_value, tiers_bound_positions
from tb.analysis.ranges import shown, widest
from tb.analysis.subject import Rule, Subject, enters
from tb.core.diagnostics import Diagnostic, Severity, error
from tb.core.units import RATIO
from tb.dsl import checked
from tb.engine.bounds import Bounds
from tb.engine.plan import EnterPlan, SizePlan

CODE = "TB302"


def check(subject: Subject) -> Iterable[Diagnostic]:
    yield from _legs(subject)
    for strategy, at, enter in enters(subject):
        plan = subject.plan.strategy(strategy.name).enters[at]
        for size, sized in zip(enter.sizes, plan.sizes, strict=True):
            finding = _risked(subject, size, sized, plan) if size.risking else _spent(subject, size, sized)
            if finding is not None:
                yield finding


def _legs(subject: Subject) -> Iterable[Diagnostic]:
    """The legs that have a size of their own; one that is the same as the first is as large as that one."""
    for strategy in subject.program.strategies.values():
        if strategy.quotes:  # both sides have the same size
            sizes = subject.plan.strategy(strategy.name).enters[0].sizes
            spent = (_spent(subject, size, plan) for size, plan in zip(strategy.quotes[0].sizes, sizes, strict=True))
            yield from (finding for finding in spent if finding is not None)
        baskets = subject.plan.strategy(strategy.name).baskets
        for at, entry in enumerate(strategy.leg_enters):
            for leg, planned in zip(entry.legs, baskets[0].entries[at], strict=True):
                case = None if leg.share is None else checked.SizeCase(leg.share, False, None, leg.span)
                finding = None if case is None else _spent(subject, case, planned.entry.sizes[0])
                if finding is not None:
                    yield finding


def _most(subject: Subject, size: SizePlan) -> float | None:
    return _range(subject, size.share)[1]


def _range(subject: Subject, node: int) -> Bounds:
    return widest(subject.graph, node, lambda name: _declared(subject.program.params.get(name)))


def _declared(param: checked.Param | None) -> Bounds | None:
    if param is None or param.low is None or param.high is None:
        return None
    return float(param.low), float(param.high)


def _spent(subject: Subject, size: checked.SizeCase, plan: SizePlan) -> Diagnostic | None:
    most, words = _most(subject, plan), f"{_share(subject, size)} of equity"
    if most is None:
        hint = f"bound it: `min({_share(subject, size)}, 10%) of equity`"
        return error(CODE, f"nothing bounds the size `{words}`", size.span, hint)
    if most > 1:
        message = f"the size `{words}` can reach {shown(most, RATIO)} of equity"
        return error(CODE, message, size.span, "keep it at 100% of equity or less, and narrow the ranges of its parameters")
    return None


def _risked(subject: Subject, size: checked.SizeCase, plan: SizePlan, enter: EnterPlan) -> Diagnostic | None:
    risk, words = _most(subject, plan), f"risking {_share(subject, size)} of equity"
    if risk is None:
        hint = f"bound it: `risking min({_share(subject, size)}, 1%) of equity`"
        return error(CODE, f"nothing bounds the risk of `{words}`", size.span, hint)
    if risk > 1:
        message = f"`{words}` can risk {shown(risk, RATIO)} of equity on one position"
        return error(CODE, message, size.span, "risk 100% of equity at most, and rather 1%")
    if any(bounding(subject, order_value, by_market=False)) or tiers_bound_positions(subject):
        return None
    distance = _range(subject, enter.stop.node)[0] if enter.stop is not None and enter.stop.kind == "ratio" else None
    hint = "bound it in the policy: `limit order_value  order.notional <= 10% of equity`"
    if distance is None or distance <= 0:
        message = f"nothing bounds the size of `{words}`: it grows without end as the stop comes near the entry"
        return error(CODE, message, size.span, hint)
    if risk > distance:
        share = shown(risk / distance, RATIO)
        message = f"`{words}` can reach {share} of equity: the stop may be as near as {shown(distance, RATIO)}"
        return error(CODE, message, size.span, hint)
    return None


def _share(subject: Subject, size: checked.SizeCase) -> str:
    return subject.words(size.share.span) or "..."


RULE = Rule(CODE, "unbounded-size", "risk", "intervals", Severity.ERROR, check)
