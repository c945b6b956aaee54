"""How like instruments are: the correlation of their returns, as nodes of the rule graph.

Computed like any other value of the market, over closed bars of the strategy's period, so that it is the same in a replay and
live.
"""

from __future__ import annotations

from decimal import Decimal

from tb.core.span import Span
from tb.core.units import NUMBER, RATIO
from tb.dsl import checked
from tb.dsl.checked_capital import CORRELATION_BARS
from tb.engine.build import Builder, Context
from tb.vocabulary.fields import FIELDS


def correlations(builder: Builder, universe: checked.Universe, period: int) -> dict[str, int]:
    """For each instrument of a universe the node that tells, for an order's own, how their returns correlate.

    Empty where no allocation asks for it.
    """
    allocation = builder.program.capital.allocation
    if allocation is None or allocation.correlation is None:
        return {}
    context = Context(period, universe.name, False)
    return {symbol: builder.expression(_correlation(symbol, allocation.span), context) for symbol in universe.members()}


def _correlation(symbol: str, span: Span) -> checked.Expr:
    """`correlation(change(close), change(close) of SYMBOL, 100)`."""
    window = checked.Const(Decimal(CORRELATION_BARS), NUMBER, str(CORRELATION_BARS), None, span)
    one = checked.Const(Decimal(1), NUMBER, "1", None, span)
    own = checked.Apply("change", (one,), (checked.Field("close", FIELDS["close"].unit, span),), 0, RATIO, span)
    other = checked.OfInstrument(own, symbol, RATIO, span)
    return checked.Apply("correlation", (window,), (own, other), 0, NUMBER, span)
