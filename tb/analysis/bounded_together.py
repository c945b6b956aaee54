"""Limits on gross exposure that cannot bind because of several others together.

Worked out at one instant, for the order that is judged, so that what prices do between orders makes no difference:

1. Gross exposure is the sum of the larger sides of all instruments, so it is at most long and short side together, and a limit
   on `after.net` bounds each of these. Where no strategy sells short, the long side is all there is. Legs are left out: what
   nets out among them counts in gross alone.
2. It is at most what limits on `after.exposure(GROUP)` allow together, where their groups hold every instrument that is traded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tb.analysis.covered import stands_in
from tb.analysis.shares import share_limits
from tb.analysis.subject import Subject
from tb.engine.plan import ConstraintPlan

Limit = tuple[ConstraintPlan, Decimal]


@dataclass(frozen=True, slots=True)
class Bounded:
    """A limit on gross exposure with those that keep it from binding, and what they allow together, as a share of equity."""

    limit: ConstraintPlan
    by: tuple[ConstraintPlan, ...]
    together: Decimal
    sides: int  # that one limit bounds each; 0 where the limits are of groups


def bounded_together(subject: Subject) -> Iterator[Bounded]:
    """Each limit `after.gross <= SHARE of equity` that others together keep from binding, once."""
    for gross, most in share_limits(subject, "after.gross"):
        for by, together, sides in (*_net(subject, gross), *_groups(subject, gross)):
            if together < most or (together == most and subject.graph[gross.node].op == "le"):
                yield Bounded(gross, by, together, sides)
                break


def _net(subject: Subject, gross: ConstraintPlan) -> Iterator[tuple[tuple[ConstraintPlan, ...], Decimal, int]]:
    if any(strategy.baskets for strategy in subject.plan.strategies):
        return
    sides = 2 if any(enter.direction == "short" for strategy in subject.plan.strategies for enter in strategy.enters) else 1
    for net, share in share_limits(subject, "after.net"):
        if stands_in(net, gross):
            yield (net,), sides * share, sides


def _groups(subject: Subject, gross: ConstraintPlan) -> Iterator[tuple[tuple[ConstraintPlan, ...], Decimal, int]]:
    plan = subject.plan
    left = set(plan.instruments())
    if not left or any(strategy.tier is not None for strategy in plan.strategies):
        return  # by discovery any instrument may be traded
    by: list[Limit] = []
    for name, group in plan.program.groups.items():
        limits = [limit for limit in share_limits(subject, "after.exposure", name) if stands_in(limit[0], gross)]
        if limits and left & set(group.members):
            by.append(min(limits, key=_share))
            left -= set(group.members)
    if len(by) > 1 and not left:
        yield tuple(limit for limit, _ in by), sum((share for _, share in by), Decimal(0)), 0


def _share(limit: Limit) -> Decimal:
    return limit[1]


def names(constraints: Sequence[ConstraintPlan]) -> str:
    return " and ".join(f"`{constraint.name}`" for constraint in constraints)
