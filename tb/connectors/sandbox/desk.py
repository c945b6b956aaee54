"""What the server's parts share: the matching, the faults, who may ask, what was asked, and what is shown of quotes and time.

Everything here is touched by one thread, the server's.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tb.connectors.sandbox.answers import fill_json, order_json, shown_time
from tb.connectors.sandbox.faults import Faults
from tb.connectors.sandbox.keys import Key
from tb.connectors.sandbox.matching import Matching
from tb.connectors.sandbox.pricing import Quote
from tb.core.encode import plain

KEPT = 20_000  # requests in the record


@dataclass(slots=True)
class Desk:
    """`speed` is simulated time per time on the wall, None where only commands move it. `wall` gives seconds for tokens.

    `rate` is how many requests a second are answered, None for any number. `offset` is by how much the shown clock is off.
    """

    matching: Matching
    faults: Faults
    keys: tuple[Key, ...]
    speed: float | None = None
    rate: int | None = None
    can_trade: bool = True
    can_transfer: bool = False
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    offset: int = 0
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    asked: int = 0
    _shown: dict[str, Quote] = field(default_factory=dict)
    _started: tuple[float, int] | None = None
    _second: tuple[int, int] = (0, 0)

    # time

    @property
    def now(self) -> int:
        """The venue's clock as it shows it."""
        return self.matching.now + self.offset

    def keep_time(self) -> None:
        """Lets the market go on to where it should be by now, where it goes on by itself."""
        if self.speed is None:
            return
        if self._started is None:
            self._started = (self.steady(), self.matching.now)
        began, first = self._started
        self.matching.advance(first + int((self.steady() - began) * 1_000 * self.speed))

    def move(self, until: int) -> None:
        """Lets the market go on to an instant, at once; from there it goes on as before."""
        self.matching.advance(until)
        self._started = None

    def set_speed(self, speed: float | None) -> None:
        self.keep_time()
        self.speed, self._started = speed, None

    def jumped(self, kind: str) -> None:
        fault = self.faults.take("clock-jump", kind, at=self.matching.now)
        if fault is not None:
            self.offset += int(fault.seconds * 1_000)

    def within_rate(self) -> bool:
        """Counts a request; whether it is still within its second's number."""
        second = int(self.steady())
        self._second = (second, self._second[1] + 1 if self._second[0] == second else 1)
        return self.rate is None or self.used <= self.rate

    @property
    def used(self) -> int:
        """Requests of this second so far."""
        return self._second[1]

    # market

    def quote(self, product: str) -> Quote | None:
        """The best bid and ask as they are shown: stale or crossed where a fault says so."""
        quote = self.matching.prices.quote(product, self.matching.now)
        if quote is None:
            return None
        quote = replace(quote, at=quote.at + self.offset)
        if self.faults.take("stale-quotes", product, at=self.matching.now):
            quote = self._shown.get(product, quote)
        self._shown[product] = quote
        if self.faults.take("crossed-quotes", product, at=self.matching.now):
            quote = replace(quote, bid=quote.ask, ask=quote.bid)
        return quote

    # told

    def state(self) -> dict[str, Any]:
        """Everything, for tests."""
        account = self.matching.account
        orders = list(self.matching.orders.values())
        fills = sorted(((fill.sequence, order, fill) for order in orders for fill in order.fills), key=lambda one: one[0])
        return {
            "now": self.matching.now,
            "time": shown_time(self.now),
            "speed": self.speed,
            "ended": all(self.matching.now >= series.end for series in self.matching.prices.series.values()),
            "orders": [order_json(order) for order in orders],
            "fills": [fill_json(order, fill) for _, order, fill in fills],
            "balances": {
                name: {"total": plain(account.total[name]), "available": plain(account.available(name))}
                for name in account.currencies
            },
            **self.matching.watch.told(),
            "faults": {"armed": self.faults.armed, "struck": self.faults.struck},
            "requests": self.asked,
        }
