"""The weights of tiers, as constraints: a tier's share of equity is a hard limit like any other."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tb.core.encode import plain
from tb.core.span import Span
from tb.core.units import RATIO, TEXT, TRUTH, money
from tb.dsl import checked


def constraints(
    universes: Iterable[checked.Universe], currency: str, *, of_book: bool = False
) -> tuple[checked.Constraint, ...]:
    """For each tier with a weight: what may be held at most (shrinks), and what a size rule must ask for at least.

    The first is a share of the whole account's equity. The second is one of the equity that sizes are shares of: the book's,
    where there are books.
    """
    found: list[checked.Constraint] = []
    for universe in universes:
        for tier in universe.tiers:
            if tier.weight_high is not None:
                held = checked.FactRef("after.exposure", "order.instrument", money(currency), tier.span)
                bound = _share(tier.weight_high, "equity", currency, tier.span)
                passes = checked.Comparison("le", held, bound, TRUTH, tier.span)
                found.append(_constraint(universe, tier, "weight", passes, "shrink"))
            if tier.weight_low is not None and tier.weight_low > 0:
                asked = checked.FactRef("order.intended", "", money(currency), tier.span)
                bound = _share(tier.weight_low, "equity of book" if of_book else "equity", currency, tier.span)
                passes = checked.Comparison("ge", asked, bound, TRUTH, tier.span)
                found.append(_constraint(universe, tier, "minimum weight", passes, "reject"))
    return tuple(found)


def _share(share: Decimal, of: str, currency: str, span: Span) -> checked.Expr:
    ratio = checked.Const(share, RATIO, f"{plain(share * 100)}%", None, span)
    equity = checked.FactRef(of, "", money(currency), span)
    return checked.Pointwise("mul", (ratio, equity), money(currency), span)


def _constraint(
    universe: checked.Universe, tier: checked.Tier, what: str, passes: checked.Comparison, verdict: str
) -> checked.Constraint:
    """Passes for orders of other tiers; the tier of an order is named `universe.tier`."""
    place = checked.FactRef("order.tier", "", TEXT, tier.span)
    name = checked.Const(f"{universe.name}.{tier.name}", TEXT, f"{universe.name}.{tier.name}", None, tier.span)
    elsewhere = checked.Comparison("ne", place, name, TRUTH, tier.span)
    condition = checked.Logic("or", (elsewhere, passes), TRUTH, tier.span)
    because = f"{what} of tier {tier.name}"
    title = f"{universe.name}.{tier.name} {what}"
    return checked.Constraint(title, "limit", condition, verdict, None, False, False, because, tier.span)
