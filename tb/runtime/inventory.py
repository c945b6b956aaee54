"""What quotes have bought and sold: one position for each strategy and instrument, at its average cost.

- A fill on the side of the position, or the first one, makes it larger: the price of entry is then the average paid, and its
  rate the average at which that was paid.
- A fill against it closes that much of it, as a trade of its own, with its share of the fees paid at entry.
- A fill larger than what is held closes all of it and begins a position on the other side with the rest.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec

from tb.core.records import Fill
from tb.engine.instant import EXACT
from tb.gate.conversion import at_rate
from tb.runtime.positions import Position


def grown(entry: Fill, more: Fill) -> Fill:
    """The entry of a position that became larger: its average price and rate, all its quantity and fees."""
    quantity = EXACT.add(entry.quantity, more.quantity)
    before, then = EXACT.multiply(entry.quantity, entry.price), EXACT.multiply(more.quantity, more.price)
    paid, rate = EXACT.add(before, then), entry.rate
    if entry.rate != more.rate and paid:
        rate = EXACT.divide(EXACT.add(at_rate(before, entry.rate), at_rate(then, more.rate)), paid)
    return msgspec.structs.replace(
        entry, quantity=quantity, price=EXACT.divide(paid, quantity), fee=EXACT.add(entry.fee, more.fee), rate=rate
    )


def share_of(fill: Fill, quantity: Decimal) -> Fill:
    """The part of a fill that is about so much of its quantity."""
    fee = EXACT.divide(EXACT.multiply(fill.fee, quantity), fill.quantity)
    return msgspec.structs.replace(fill, quantity=quantity, fee=fee)


def rest_of(fill: Fill, part: Fill) -> Fill:
    """What a part leaves of a fill."""
    return msgspec.structs.replace(
        fill, quantity=EXACT.subtract(fill.quantity, part.quantity), fee=EXACT.subtract(fill.fee, part.fee)
    )


def split(position: Position, quantity: Decimal, seq: int) -> Position:
    """Takes so much out of a position, as one of its own that can be closed."""
    part = share_of(position.entry, quantity)
    funding = EXACT.divide(EXACT.multiply(position.funding, quantity), position.entry.quantity)
    position.funding = EXACT.subtract(position.funding, funding)
    position.entry = rest_of(position.entry, part)
    return replace(position, seq=seq, entry=part, funding=funding, takes=[], exits=[])
