"""What a position in a perpetual pays and gets at funding instants, exactly.

A long position pays its value times the rate, a short one gets it. The value is that at the last close known at the instant.
An instant whose rate, or whose price, is not known pays nothing and is counted, so that nobody takes the profit for complete.
"""

from __future__ import annotations

from decimal import Decimal

from tb.engine.instant import EXACT, exact
from tb.gate.conversion import converted
from tb.runtime.ports import MarketView
from tb.runtime.positions import Position

NOTHING = Decimal(0)


def fund(position: Position, view: MarketView, until: int) -> Decimal:
    """What the position got since it was last asked, and not later than an instant; negative where it paid."""
    got, due = NOTHING, view.payments(position.instrument, position.funded_until or position.entry.at, until)
    if not due and not position.funding:
        position.funded_until = max(until, position.entry.at, position.funded_until)
        return got
    for payment in due:
        rate, price = exact(payment.rate), view.close(position.instrument, payment.at)
        if rate is None or price is None:
            position.unfunded += 1
            continue
        price = converted(price, view.marking_rate(position.instrument, payment.at))
        if price is None:
            position.unfunded += 1
            continue
        value = EXACT.multiply(position.sign * position.remaining, price)
        got = EXACT.subtract(got, EXACT.multiply(value, rate))
    position.funded_until = max(until, position.entry.at, position.funded_until)
    position.funding = EXACT.add(position.funding, got)
    return got
