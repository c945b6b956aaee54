"""What advice does to a proposal: numbers moved within their scale, and nothing else. Runs and explanations both come here."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tb.core.records import Advice
from tb.engine.instant import EXACT, exact
from tb.engine.plan import EnterPlan
from tb.gate.levels import Values

CONFIDENCE = (Decimal(0), Decimal(1))
CONVICTION = (Decimal(1), Decimal(10))


def advised(value: float | None, advice: Iterable[Advice], scale: tuple[Decimal, Decimal]) -> float | None:
    """A confidence or conviction after advice: each adjustment moves it by that part of its scale, and not beyond its ends."""
    low, high = scale
    for said in advice:
        known = exact(value)
        if known is None:
            return value
        if said.adjust:
            moved = EXACT.add(known, EXACT.multiply(said.adjust, high - low))
            value = float(min(high, max(low, moved)))
    return value


def with_conviction(enter: EnterPlan, conviction: float | None, values: Values) -> Values:
    """The values of an entry's rules, its conviction as advice left it."""

    def read(node: int) -> float | None:
        return conviction if node == enter.conviction else values(node)

    return read
