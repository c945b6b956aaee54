"""The venue's core, without I/O and without a clock of its own: `advance` moves its time, and everything else happens at it.

    1. `place`    refuses or takes an order; what can fill at once fills against the book
    2. `advance`  goes through what happens until an instant, in order    (tb.connectors.sandbox.due)
    3. `cancel`, `edit`   change what works

INVARIANT: advancing in many steps or in one gives the same fills at the same instants.
INVARIANT: the same client order id never makes a second order.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from tb.connectors.sandbox.account import Account
from tb.connectors.sandbox.checks import Rejection, crosses, refused
from tb.connectors.sandbox.due import Due, next_due
from tb.connectors.sandbox.editing import edited, not_editable
from tb.connectors.sandbox.faults import Faults
from tb.connectors.sandbox.order import Edited, Execution, Order, Status
from tb.connectors.sandbox.pricing import Prices
from tb.connectors.sandbox.product import Product
from tb.connectors.sandbox.shapes import Terms
from tb.connectors.sandbox.watching import Watch

ZERO = Decimal(0)
REST = 1_000  # ms until what was left of a fill may fill
Side = Literal["BUY", "SELL"]


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request for an order that could be read."""

    client_id: str
    product: Product
    side: Side
    terms: Terms
    configuration: Mapping[str, Any]
    attached: Terms | None = None
    attached_configuration: Mapping[str, Any] | None = None
    portfolio: str = ""


@dataclass(slots=True)
class Matching:
    """`taker` and `maker` are fees as parts of a fill's value. `changed` is told of an order after each change of it."""

    prices: Prices
    account: Account
    now: int
    taker: Decimal
    maker: Decimal
    faults: Faults
    seed: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    by_client: dict[str, Order] = field(default_factory=dict)
    active: dict[str, Order] = field(default_factory=dict)  # those that are not over
    changed: list[Callable[[Order], None]] = field(default_factory=list)
    watch: Watch = field(init=False)
    executions: int = 0
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.prices, self.account)
        self._dice = random.Random(f"ids {self.seed}")

    # placing

    def place(self, new: NewOrder) -> Order | Rejection:
        """Takes an order; the earlier one where the client order id is known."""
        self.watch.arrived(new.client_id)
        if new.client_id in self.by_client:
            return self.by_client[new.client_id]
        if self.faults.take("reject", new.product.id, at=self.now):
            return Rejection("COMMANDER_REJECTED_NEW_ORDER", "The order was rejected")
        order = self._draft(new)
        reason = self.judge(order)
        if reason is not None:
            return reason
        order.id, order.sequence = self.new_id(), len(self.orders) + 1
        self.orders[order.id] = self.active[order.id] = self.by_client[order.client_id] = order
        self.watch.made(order.client_id)
        self._hold(order)
        self._tell(order)
        if order.attached is not None:
            self._attach(order)
        if self.faults.take("fail-later", new.product.id, at=self.now):
            order.reason = "COMMANDER_REJECTED_NEW_ORDER"
            self._end(order, "FAILED")
        else:
            self._open(order)
        self._look()
        return order

    def preview(self, new: NewOrder) -> tuple[Order, Rejection | None]:
        """The order as it would be taken, and why it would not."""
        order = self._draft(new)
        return order, self.judge(order)

    def judge(self, order: Order) -> Rejection | None:
        """Why an order would not be taken now: its form, its prices, its money."""
        reason = refused(order, self.prices.quote(order.product.id, self.now), self.now)
        if reason is not None:
            return reason
        currency, amount = self._need(order)
        if amount > self.account.available(currency):
            return Rejection("INSUFFICIENT_FUND", f"Insufficient balance in {currency}", "PREVIEW_INSUFFICIENT_FUND")
        return None

    def _draft(self, new: NewOrder) -> Order:
        return Order(
            id="",
            client_id=new.client_id,
            sequence=0,
            product=new.product,
            side=new.side,
            terms=new.terms,
            configuration=new.configuration,
            created=self.now,
            size=new.terms.size or ZERO,
            attached=new.attached,
            attached_configuration=new.attached_configuration,
            portfolio=new.portfolio,
        )

    def _open(self, order: Order) -> None:
        """An order that was taken begins to work; what can fill fills."""
        order.status = "OPEN"
        self._tell(order)
        terms = order.terms
        if terms.type == "BRACKET" or order.waits:
            return
        quote = self.prices.quote(order.product.id, self.now)
        if terms.type == "MARKET" or (quote is not None and terms.limit is not None and crosses(order, terms.limit, quote)):
            if terms.force == "FILL_OR_KILL" and self._fillable(order) < order.size:
                self._end(order, "CANCELLED")
                return
            self._sweep(order)
        if terms.force in {"IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"} and not order.is_over:
            self._end(order, "CANCELLED")

    def _attach(self, parent: Order) -> None:
        """The bracket of an entry: it waits until the entry is over, then works for what was filled."""
        assert parent.attached is not None
        assert parent.attached_configuration is not None
        child = Order(
            id=self.new_id(),
            client_id=self.new_id(),
            sequence=len(self.orders) + 1,
            product=parent.product,
            side="SELL" if parent.is_buy else "BUY",
            terms=parent.attached,
            configuration=parent.attached_configuration,
            created=self.now,
            size=ZERO,
            parent=parent.id,
            portfolio=parent.portfolio,
        )
        parent.child = child.id
        self.orders[child.id] = self.active[child.id] = child

    # what happens

    def advance(self, until: int) -> None:
        """Lets everything happen that happens until an instant. An earlier one than now changes nothing."""
        while until > self.now:
            due = next_due(self.active.values(), self.prices, self.now, until)
            if due is None:
                self.now = until
                break
            self.now = due.at
            self._happens(due)
            self._look()

    def _happens(self, due: Due) -> None:
        order = due.order
        match due.what:
            case "expire":
                self._end(order, "EXPIRED")
            case "force":
                order.forced = None
                order.status = "OPEN"
                self._force(order)
            case "stop":
                order.is_triggered = True
                self._tell(order)
                self._sweep(order)
            case "limit":
                self._rest_fills(order)

    def _rest_fills(self, order: Order) -> None:
        """A resting order fills at its price, or a better one where the market jumped beyond it."""
        quote, limit = self.prices.quote(order.product.id, self.now), order.bound
        assert quote is not None
        assert limit is not None
        price = min(limit, quote.ask) if order.is_buy else max(limit, quote.bid)
        size = self._part(order)
        self._fill(order, price, size, is_taker=False)
        self._settle(order)

    def _force(self, order: Order) -> None:
        """Fills all that is left, whatever the market says: a cancel came too late."""
        quote = self.prices.quote(order.product.id, self.now)
        assert quote is not None
        market = quote.ask if order.is_buy else quote.bid
        self._fill(order, order.bound or market, order.remaining, is_taker=False)
        self._settle(order)

    def _sweep(self, order: Order) -> None:
        """Takes from the book until the order is filled, its bound is reached or the book ends."""
        quote = self.prices.quote(order.product.id, self.now)
        assert quote is not None
        most = self._part(order) if order.terms.funds is None else None
        share = self.faults.take("partial-fill", order.product.id, at=self.now) if most is None else None
        left = order.terms.funds or ZERO
        left *= Decimal(str(share.share or 0.5)) if share is not None else 1
        for price, there in self.prices.levels(quote, asks=order.is_buy):
            if self._is_worse(order, price):
                break
            size = (
                min(there, most) if most is not None else min(there, order.product.lots_below(left / (1 + self.taker) / price))
            )
            if size <= 0:
                break
            self._fill(order, price, size, is_taker=True)
            left -= price * size * (1 + self.taker)
            most = None if most is None else most - size
        if order.terms.funds is not None and order.fills:
            part = Decimal(1) if share is None else Decimal(str(share.share or 0.5))
            order.size = order.product.lots_below(order.filled / part)
        self._settle(order)

    def _is_worse(self, order: Order, price: Decimal) -> bool:
        bound = order.bound
        return bound is not None and (price > bound if order.is_buy else price < bound)

    def _fillable(self, order: Order) -> Decimal:
        quote = self.prices.quote(order.product.id, self.now)
        assert quote is not None
        levels = self.prices.levels(quote, asks=order.is_buy)
        return sum((size for price, size in levels if not self._is_worse(order, price)), ZERO)

    def _part(self, order: Order) -> Decimal:
        """How much of what is left fills now: all, but for a fault."""
        fault = self.faults.take("partial-fill", order.product.id, at=self.now)
        if fault is None:
            return order.remaining
        share = Decimal(str(fault.share)) if fault.share is not None else Decimal(self.faults.dice.randint(1, 9)) / 10
        return max(order.product.lots_below(order.remaining * share), order.product.lot)

    def _fill(self, order: Order, price: Decimal, size: Decimal, *, is_taker: bool) -> None:
        fee = price * size * (self.taker if is_taker else self.maker)
        self.executions += 1
        fill = Execution(self.new_id(), self.new_id(), self.executions, price, size, fee, is_taker, self.now)
        order.fills.append(fill)
        sign = 1 if order.is_buy else -1
        self.account.add(order.product.base, sign * size)
        self.account.add(order.product.quote, -sign * price * size - fee)

    def _settle(self, order: Order) -> None:
        """What an order is after fills: over, or working for the rest after a while."""
        order.not_before = self.now + REST
        done = order.remaining == 0 and bool(order.fills)
        if done:
            self._end(order, "FILLED")
        else:
            self._hold(order)
            if order.fills:
                self._tell(order)

    # ends, cancels, edits

    def _end(self, order: Order, status: Status) -> None:
        order.status = status
        self.active.pop(order.id, None)
        self.account.release(*order.hold)
        order.hold = ("", ZERO)
        self._tell(order)
        child = self.orders.get(order.child or "")
        if child is not None and child.status == "PENDING":
            self._protect(order, child)

    def _protect(self, parent: Order, child: Order) -> None:
        child.size = parent.filled
        child.created = self.now
        if not parent.fills:
            self._end(child, "CANCELLED")
        elif self.faults.take("reject-attached", child.product.id, at=self.now):
            child.reason = "COMMANDER_REJECTED_NEW_ORDER"
            self._end(child, "FAILED")
        else:
            self._hold(child)
            self._open(child)

    def cancel(self, order_id: str) -> str:
        """Cancels an order; the reason where it is not, empty where it is."""
        order = self.orders.get(order_id)
        if order is None:
            return "UNKNOWN_CANCEL_ORDER"
        if order.status == "CANCEL_QUEUED" or order.forced is not None:
            return "DUPLICATE_CANCEL_REQUEST"
        if order.is_over or self.faults.take("reject-cancel", order.product.id, at=self.now):
            return "INVALID_CANCEL_REQUEST" if order.is_over else "COMMANDER_REJECTED_CANCEL_ORDER"
        if order.is_working and order.size and self.faults.take("late-fill", order.product.id, at=self.now):
            order.status, order.forced = "CANCEL_QUEUED", self.now + 1
            self._tell(order)
        elif order.is_working and order.size and self.faults.take("fill-after-cancelled", order.product.id, at=self.now):
            order.status, order.forced = "CANCELLED", self.now + REST
            self._tell(order)
        else:
            order.reason = "User requested cancel"
            self._end(order, "CANCELLED")
        self._look()
        return ""

    def edit(self, order_id: str, size: Decimal, price: Decimal) -> str:
        """Changes a resting limit order; the reason where it is not changed, empty where it is."""
        order = self.orders.get(order_id)
        reason = "ORDER_NOT_FOUND" if order is None else not_editable(order, size, price)
        if order is None or reason:
            return reason
        held = order.hold
        self.account.release(*held)
        order.hold = ("", ZERO)
        drafted = edited(order, size, price)
        currency, amount = self._need(drafted)
        if amount > self.account.available(currency):
            self.account.holds(*held)
            order.hold = held
            return "COMMANDER_REJECTED_EDIT_ORDER"
        order.size, order.terms, order.configuration = drafted.size, drafted.terms, drafted.configuration
        order.edits.append(Edited(price, size, self.now))
        self._hold(order)
        self._tell(order)
        quote = self.prices.quote(order.product.id, self.now)
        if quote is not None and crosses(order, price, quote):
            self._sweep(order)
        self._look()
        return ""

    # money and words

    def _need(self, order: Order) -> tuple[str, Decimal]:
        """What an order binds: base where it sells, quote with the larger fee where it buys."""
        if not order.is_buy:
            return order.product.base, order.remaining
        if order.terms.funds is not None:
            return order.product.quote, max(order.terms.funds - order.value - order.fees, ZERO)
        bound = order.bound if order.terms.type != "BRACKET" else order.terms.stop
        if bound is not None:
            return order.product.quote, order.remaining * bound * (1 + self.taker)
        return order.product.quote, self._cost(order) * (1 + self.taker)

    def _cost(self, order: Order) -> Decimal:
        """What the rest of a market order costs in the book now; beyond its end at its last price."""
        quote = self.prices.quote(order.product.id, self.now)
        assert quote is not None
        left, cost, worst = order.remaining, ZERO, quote.ask
        for price, there in self.prices.levels(quote, asks=True):
            size, worst = min(left, there), price
            cost += size * price
            left -= size
        return cost + left * worst

    def _hold(self, order: Order) -> None:
        self.account.release(*order.hold)
        currency, amount = self._need(order)
        amount = min(amount, self.account.available(currency))
        self.account.holds(currency, amount)
        order.hold = (currency, amount)

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _tell(self, order: Order) -> None:
        for listener in self.changed:
            listener(order)

    def _look(self) -> None:
        self.watch.look(self.active.values(), self.now)
