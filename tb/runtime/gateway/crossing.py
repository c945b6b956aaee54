"""Own orders that an order would trade with: those of the other side that rest at a price it would take."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.engine.instant import EXACT
from tb.runtime.gateway.passage import Passage
from tb.runtime.gateway.tracked import Tracked

if TYPE_CHECKING:
    from tb.runtime.gateway.gateway import Gateway


def crossing(gateway: Gateway, passage: Passage) -> Iterator[Tracked]:
    """In an order that adds risk: any that rests. In one that reduces it: entries, which give way."""
    request = passage.request
    if passage.purpose == "protection":
        return
    sign = 1 if request.side == "buy" else -1
    reach = request.price if request.form == "limit" else passage.price
    if reach is not None and request.form != "limit":
        reach = EXACT.multiply(reach, 1 + sign * gateway.terms.buffer)
    for one in list(gateway.orders.working(request.instrument)):
        if one.sign == sign or (not passage.adds_risk and one.purpose != "entry"):
            continue
        resting = _rests_at(one)
        if resting is not None and (reach is None or sign * (reach - resting) >= 0):
            yield one


def _rests_at(one: Tracked) -> Decimal | None:
    """The price at which an order takes part in the market now; None where it takes none."""
    match one.intent.wanted.form:
        case "limit":
            return one.price
        case "bracket":
            return one.intent.wanted.target
        case _:
            return None
