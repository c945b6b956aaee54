"""Allocation by Kelly: how much of equity an order of a strategy may use, from what its own trades came to.

It becomes a constraint that shrinks: what the strategy holds of the order's instrument, and of those that count as one with it,
stays within the allocation.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tb.core.diagnostics import Label
from tb.core.units import RATIO, TRUTH, money
from tb.dsl import checked, syntax
from tb.dsl.check.scope import Scope
from tb.dsl.checked_capital import Allocation

_LONGEST = 10_000  # trades


def allocation(scope: Scope, nodes: Sequence[syntax.Allocate]) -> Allocation | None:
    """The allocation of a project, None where it has none."""
    if not nodes:
        return None
    node = nodes[0]
    for other in nodes[1:]:
        labels = (Label(node.span, "the first one"),)
        scope.report("TB075", "a project allocates once", other.span, "keep one of the two lines", labels)
    if not 0 < node.fraction.value <= 1:
        hint = "write a fraction above 0 and up to 1, such as `kelly fraction 0.25`"
        scope.report("TB075", f"`{node.fraction.text}` is no fraction of Kelly's share", node.fraction.span, hint)
    if not 2 <= node.trades.value <= _LONGEST:
        hint = f"write 2 to {_LONGEST} trades; 50 tell more than 10"
        scope.report("TB075", f"`{node.trades.text}` trades are no record to go by", node.trades.span, hint)
    most = _most(scope, node)
    if node.correlation is not None and not 0 <= node.correlation.value < 1:
        hint = "write a bound from 0 to below 1, such as `correlation above 0.8 counts as one`"
        scope.report("TB075", f"no correlation tells by `above {node.correlation.text}`", node.correlation.span, hint)
    for universe in scope.universes.values() if node.correlation is not None else ():
        if universe.discovers:
            message = f"how instruments correlate is known of those listed, and `{universe.name}` has a tier with a condition"
            hint = "list the instruments of each tier, or remove `correlation above ...`"
            scope.report("TB089", message, universe.span, hint)
    bound = None if node.correlation is None else node.correlation.value
    return Allocation(node.fraction.value, int(node.trades.value), most, bound, node.span)


def _most(scope: Scope, node: syntax.Allocate) -> Decimal:
    if node.most_each is None:
        return Decimal(1)
    most = node.most_each.value / 100 if node.most_each.unit == "%" else node.most_each.value / 10_000
    if not 0 < most <= 1:
        hint = "write a share above 0% and up to 100%, such as `at most 15% each`"
        scope.report("TB075", f"`{node.most_each.text}` is no share of equity", node.most_each.span, hint)
    return most


def constraints(found: Allocation | None, currency: str, *, of_book: bool) -> tuple[checked.Constraint, ...]:
    """The constraint that the allocation is."""
    if found is None:
        return ()
    span, unit = found.span, money(currency)
    used = checked.FactRef("after.allocated", "", unit, span)
    share = checked.FactRef("allocation", "", RATIO, span)
    equity = checked.FactRef("equity of book" if of_book else "equity", "", unit, span)
    passes = checked.Comparison("le", used, checked.Pointwise("mul", (share, equity), unit, span), TRUTH, span)
    because = "what the strategy's own trades allow"
    return (checked.Constraint("allocate", "limit", passes, "shrink", None, False, False, because, span),)
