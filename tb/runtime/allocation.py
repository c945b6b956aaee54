"""What a strategy's own trades allow it to use, told of each proposal.

A trade's return is its profit after fees over the value of its entry, so that trades of different sizes count alike. Only
trades that this run closed count, the last N of each strategy, over all its instruments.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tb.core.records import Likeness
from tb.dsl.checked_capital import Allocation
from tb.engine.instant import EXACT
from tb.engine.plan import StrategyPlan
from tb.gate.account import Account
from tb.gate.proposal import Allotment

ZERO = Decimal(0)


def allot(
    allocation: Allocation, strategy: StrategyPlan, symbol: str, values: Callable[[int], float | None], account: Account
) -> tuple[Allotment, tuple[Likeness, ...]]:
    """What a proposal is judged by, and how like the strategy's other instruments are to its own: correlation of returns over
    closed bars, None where it is not known."""
    returns = account.returns.get(strategy.name, [])[-allocation.trades :]
    gains = [value for value in returns if value > 0]
    losses = [-value for value in returns if value < 0]
    likeness = tuple(
        Likeness(instrument=other, correlation=values(node)) for other, node in strategy.correlations.items() if other != symbol
    )
    allotment = Allotment(
        trades=len(returns),
        needed=allocation.trades,
        wins=len(gains),
        gain=_mean(gains),
        loss=_mean(losses),
        fraction=allocation.fraction,
        most=allocation.most_each,
        alike=tuple(like.instrument for like in likeness if allocation.is_one(like.correlation)),
    )
    return allotment, likeness


def _mean(values: list[Decimal]) -> Decimal:
    """0 where there are none."""
    total = ZERO
    for value in values:
        total = EXACT.add(total, value)
    return EXACT.divide(total, Decimal(len(values))) if values else ZERO
