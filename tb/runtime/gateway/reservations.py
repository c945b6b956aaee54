"""What orders on their way bind of the account: cash for what is bought, the asset for what is sold.

Free is what the venue said the account has, less what is bound, less what was spent since it said so. What came in since is not
counted until the venue says so.

INVARIANT: asking and binding is one step under a lock. What is bound is freed only for an order that is known to be over: a
time limit frees nothing."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from threading import Lock

from tb.core.encode import plain
from tb.engine.instant import EXACT
from tb.runtime.ports.exchange import Balance

ZERO = Decimal(0)


class Reservations:
    """Of one account."""

    def __init__(self) -> None:
        self.totals: dict[str, Decimal] | None = None  # by asset, as the venue said last
        self._bound: dict[str, tuple[str, Decimal]] = {}  # by client id
        self._spent: dict[str, Decimal] = {}
        self._lock = Lock()

    def see(self, balances: Iterable[Balance]) -> None:
        """The venue says what the account has, with all that is known to have filled."""
        with self._lock:
            self.totals = {one.asset: EXACT.add(one.available, one.held) for one in balances}
            self._spent.clear()

    def bind(self, client: str, asset: str, amount: Decimal, *, surely: bool = False) -> str:
        """Binds an amount for an order; returns why it cannot, in words, else nothing. `surely`: orders that reduce risk."""
        with self._lock:
            if not surely:
                if self.totals is None:
                    return "what the account has is not known"
                free = self._free(asset)
                if amount > free:
                    return f"{plain(amount)} {asset} are needed and {plain(max(ZERO, free))} are free"
            self._bound[client] = (asset, amount)
            return ""

    def _free(self, asset: str) -> Decimal:
        total = (self.totals or {}).get(asset, ZERO)
        total = EXACT.subtract(total, self._spent.get(asset, ZERO))
        for held, amount in self._bound.values():
            if held == asset:
                total = EXACT.subtract(total, amount)
        return total

    def free(self, asset: str) -> Decimal | None:
        """What may still be bound; None where it is not known."""
        with self._lock:
            return None if self.totals is None else self._free(asset)

    def spend(self, client: str, share: Decimal) -> None:
        """A part of an order filled: that share of what it still binds is gone from the account."""
        with self._lock:
            if client in self._bound:
                asset, amount = self._bound[client]
                gone = EXACT.multiply(amount, min(share, Decimal(1)))
                self._bound[client] = (asset, EXACT.subtract(amount, gone))
                self._spent[asset] = EXACT.add(self._spent.get(asset, ZERO), gone)

    def release(self, client: str) -> None:
        """An order is over: what it still bound is free."""
        with self._lock:
            self._bound.pop(client, None)

    def bound(self) -> dict[str, tuple[str, Decimal]]:
        with self._lock:
            return dict(self._bound)
