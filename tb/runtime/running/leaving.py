"""Exits that the venue turned away are tried again before the next close, as soon as it may take them.

1. An exit at market that the venue refused, or turned away unread, has closed nothing: its position has stop and target again.
   After a moment it is closed at market, for the cause that the exit had; each further try waits twice as long, at most a
   minute.
2. What its strategy decides at its next close counts instead: a try that comes later than that is none.
3. Where a person or the breaker wants nothing sent, nothing is; what is denied on this side is not tried again.

INVARIANT: only what is held is closed, and never while another order that closes it is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tb.core.encode import plain
from tb.core.records import Order
from tb.gate.proposal import EXIT_CAUSES
from tb.runtime.drafts import Key
from tb.runtime.gateway.protecting import let_go

if TYPE_CHECKING:
    from tb.runtime.gateway.gateway import Gateway
    from tb.runtime.gateway.tracked import Tracked

FIRST, LONGEST = 1_000, 60_000  # ms before the first further try, and between two at most


@dataclass(slots=True)
class _Again:
    cause: str
    due: int
    wait: int
    is_out: bool = False

    def later(self, now: int) -> None:
        """It closed nothing: the next try waits longer."""
        self.is_out, self.wait = False, min(2 * self.wait, LONGEST)
        self.due = now + self.wait


class Leaving:
    """Follows the exits of one session; `attend` is called once a turn, `closed` before each step."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._sent: list[str] = []  # exits whose outcome is not known yet
        self._again: dict[Key, _Again] = {}

    def submitted(self, order: Order) -> None:
        """An order of the session was handed to the gateway."""
        if order.kind == "exit" and order.style == "market" and not order.is_quote:
            self._sent.append(order.id)

    def closed(self, at: int) -> None:
        """A bar closes: strategies for which it does decide anew."""
        for key in list(self._again):
            if at % self.gateway.settling.strategy(key[0]).period == 0:
                self._let_be(key)

    def attend(self) -> None:
        """Looks at what became of exits, and tries again what is due."""
        for name in list(self._sent):
            tracked = self.gateway.orders.of_session.get(name)
            if tracked is None or tracked.is_settled:
                self._sent.remove(name)
            if tracked is not None and tracked.is_settled and tracked.rest > 0 and not tracked.asked:
                self._turned_away(tracked)
        for key, again in list(self._again.items()):
            self._try(key, again)

    def _turned_away(self, tracked: Tracked) -> None:
        position = self.gateway.settling.positions.get(tracked.key)
        if position is None or position.exiting:
            return
        decided = tracked.intent.decided
        cause = EXIT_CAUSES.get(0 if decided is None else decided.which, "exit when")
        self._again[tracked.key] = _Again(cause, self.gateway.now() + FIRST, FIRST)
        held = f"{plain(position.remaining)} {position.instrument}"
        self.gateway.notice("order", f"the venue turned the exit of {held} away ({tracked.reason}): it is tried again")

    def _try(self, key: Key, again: _Again) -> None:
        gateway, position = self.gateway, self.gateway.settling.positions.get(key)
        if position is None:
            del self._again[key]
            return
        if gateway.orders.leaving(key):
            return
        if again.is_out:  # it closed nothing, or not all
            position.exiting = False
            again.later(gateway.now())
        if gateway.now() < again.due or gateway.patience.waits(key, "closing") or not self._may_send():
            return
        let_go(gateway, key, again.cause)
        gateway.flush()
        if gateway.orders.leaving(key):
            again.is_out = position.exiting = True
        else:
            again.later(gateway.now())

    def _may_send(self) -> bool:
        gateway = self.gateway
        return gateway.is_recovered and not gateway.kill_stands() and gateway.breaker.state != "open"

    def _let_be(self, key: Key) -> None:
        """Its strategy decides; an order that is out is followed to its end by the gateway, and counts as on its way."""
        if not self._again[key].is_out:
            del self._again[key]
