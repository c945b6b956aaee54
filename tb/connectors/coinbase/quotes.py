"""Best bid and ask as Coinbase tells of them: passed on as they are, crossed and old ones too, with their times."""

from __future__ import annotations

from decimal import Decimal

from tb.connectors.coinbase.wire import Fields, instant, positive, rows, text
from tb.runtime.ports.exchange import Quoted


def quote_of(book: Fields, received: int) -> Quoted | None:
    """The best of a price book, None where a side is empty; raises Unreadable."""
    best: list[Decimal] = []
    for name, better in (("bids", max), ("asks", min)):
        prices = [positive(level, "price") for level in rows(book, name)]
        if not prices:
            return None
        best.append(better(prices))
    return Quoted(text(book, "product_id"), best[0], best[1], instant(book, "time"), received)
