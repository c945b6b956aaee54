"""An exchange with a truth of its own, and faults at the seam: what it answers, and what it did, are two things.

`Truth` is the venue; `call` is how it is reached, so that it may stand in another process. Faults are given beforehand, for
the next call of a method (`fault`), or for all calls during a time (`down_until`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tb.runtime.ports.exchange import (
    Balance,
    Candle,
    Event,
    Lost,
    NoAnswer,
    OrderState,
    Quoted,
    Refusal,
    Request,
    Rules,
    VenueFill,
)

D = Decimal
ZERO = D(0)
FEE = D("0.001")
SYMBOLS = ("BTC-USD", "ETH-USD", "SOL-USD")


def rules_for(symbol: str, **changed: Any) -> Rules:
    asset, currency = symbol.split("-")
    plain = Rules(symbol, asset, currency, D("0.01"), D("0.001"), D("0.001"), D(100000), D(1), None, "open")
    return replace(plain, **changed)


@dataclass
class Truth:
    """The venue. `arrived` is every request that reached it, `answers` how often each method was called."""

    time: int
    prices: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(SYMBOLS, D(100)))
    rules_: dict[str, Rules] = field(default_factory=lambda: {one: rules_for(one) for one in SYMBOLS})
    totals: dict[str, Decimal] = field(default_factory=lambda: {"USD": D(10000), "BTC": ZERO, "ETH": ZERO, "SOL": ZERO})
    fee: Decimal = FEE
    orders: dict[str, OrderState] = field(default_factory=dict)
    expires: dict[str, int] = field(default_factory=dict)
    executions: list[VenueFill] = field(default_factory=list)
    arrived: list[Request] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    shares: deque[Decimal] = field(default_factory=deque)  # how much of the next orders fills at once
    late: bool = False  # the next cancel is taken up, and the order fills all the same
    faults: dict[str, deque[str]] = field(default_factory=dict)
    delayed: list[tuple[int, Request]] = field(default_factory=list)
    down_until: int = 0
    failed_at: int = 0  # when it last did not do what it was asked, or did not say so
    told: list[Event] = field(default_factory=list)
    twice: bool = False
    is_deaf: bool = False  # tells nothing by itself
    calls: list[str] = field(default_factory=list)
    number: int = 0

    def fault(self, method: str, *kinds: str) -> None:
        """For the next calls of a method, in their order: `lost`, `dropped`, `refused`, `slow`, `late`, `busy`, or `fine`."""
        self.faults.setdefault(method, deque()).extend(kinds)

    def call(self, method: str, *args: Any) -> Any:
        self.calls.append(method)
        self.settle_delayed()
        if self.time < self.down_until and method != "events":
            return NoAnswer("not connected")
        queue = self.faults.get(method)
        kind = queue.popleft() if queue else "fine"
        if kind != "fine" and method in ("place", "cancel", "find"):
            self.failed_at = self.time
        match kind:
            case "lost":
                return NoAnswer("no answer in time")
            case "refused":
                return Refusal("REJECTED", "the venue says no")
            case "turned away":
                return NoAnswer("status 401", undone=True)
            case "unauthorised":
                return Refusal("401", "not authorised")
            case "busy":
                return NoAnswer("too many requests", wait=1000)
            case "delayed":  # a request that is on the wire and arrives later
                self.delayed.append((self.time + 2000, args[0]))
                return NoAnswer("no answer in time")
        answer = getattr(self, f"do_{method}")(*args)
        if kind == "slow":
            self.time += 4000
        return NoAnswer("no answer in time") if kind == "dropped" else answer

    def settle_delayed(self) -> None:
        due, self.delayed = (
            [one for one in self.delayed if one[0] <= self.time],
            [one for one in self.delayed if one[0] > self.time],
        )
        for _, request in due:
            self.do_place(request)

    # --- what the venue does -------------------------------------------------------------------------------------------

    def do_place(self, request: Request) -> OrderState | Refusal:
        self.arrived.append(request)
        if request.client_id in self.orders:
            self.duplicates.append(request.client_id)
            return Refusal("DUPLICATE", "the client id is known")
        known = self.rules_.get(request.instrument)
        if known is None:
            return Refusal("UNKNOWN", "no such product")
        price = request.price or request.target or self.prices[request.instrument]
        if request.side == "buy" and request.quantity * price > self.available(known.currency):
            return Refusal("FUNDS", "not enough money")
        if request.side == "sell" and request.quantity > self.available(known.asset):
            return Refusal("FUNDS", "not enough to sell")
        self.number += 1
        self.orders[request.client_id] = OrderState(
            request.client_id,
            f"v{self.number}",
            request.instrument,
            request.side,
            request.quantity,
            ZERO,
            None,
            ZERO,
            "open",
            self.time,
            form=request.form,
            price=request.price,
            stop=request.stop,
            target=request.target,
        )
        if request.expires is not None:
            self.expires[request.client_id] = request.expires
        self.touch(request.client_id, arriving=True)
        self.tell(request.client_id)
        return self.orders[request.client_id]

    def available(self, asset: str) -> Decimal:
        return self.totals.get(asset, ZERO) - self.held(asset)

    def held(self, asset: str) -> Decimal:
        total = ZERO
        for state in self.working():
            rules = self.rules_[state.instrument]
            rest = state.quantity - state.filled
            if state.side == "sell" and rules.asset == asset:
                total += rest
            elif state.side == "buy" and rules.currency == asset:
                total += rest * (state.price or self.prices[state.instrument])
        return total

    def working(self) -> list[OrderState]:
        return [state for state in self.orders.values() if not state.is_over]

    def touch(self, client: str, *, arriving: bool = False) -> None:
        """Fills what the price lets fill."""
        state, price = self.orders[client], self.prices[self.orders[client].instrument]
        if state.is_over:
            return
        at = _fills_at(state, price)
        if at is None:
            return
        share = self.shares.popleft() if arriving and self.shares else D(1)
        rest = state.quantity - state.filled
        quantity = (rest * share).quantize(self.rules_[state.instrument].lot) if share < 1 else rest
        if quantity:
            self.fill(client, quantity, at)

    def fill(self, client: str, quantity: Decimal, price: Decimal) -> None:
        state = self.orders[client]
        known, sign = self.rules_[state.instrument], 1 if state.side == "buy" else -1
        fee = quantity * price * self.fee
        filled = state.filled + quantity
        value = (state.average or ZERO) * state.filled + quantity * price
        self.totals[known.asset] = self.totals.get(known.asset, ZERO) + sign * quantity
        self.totals[known.currency] -= sign * quantity * price + fee
        status = "filled" if filled == state.quantity else state.status if state.is_over else "open"
        self.orders[client] = replace(
            state, filled=filled, average=value / filled, fees=state.fees + fee, status=status, at=self.time
        )
        self.executions.append(
            VenueFill(
                f"x{len(self.executions) + 1}",
                client,
                state.venue_id,
                state.instrument,
                state.side,
                quantity,
                price,
                fee,
                self.time,
            )
        )

    def move(self, symbol: str, price: Decimal | int | str) -> None:
        """The market moves: what rests and is reached fills."""
        self.prices[symbol] = D(price)
        for state in self.working():
            if state.instrument == symbol:
                self.touch(state.client_id)
                if self.orders[state.client_id] != state:
                    self.tell(state.client_id)

    def finish(self, client: str, quantity: Decimal | None = None) -> None:
        """What is left of an order fills, or some of it."""
        state = self.orders[client]
        self.fill(client, quantity or state.quantity - state.filled, state.price or self.prices[state.instrument])
        self.tell(client)

    def fill_up_to(self, side: str, share: Decimal) -> None:
        """So much of the order of a side that rests fills in all; told twice it fills once."""
        for state in self.working():
            if state.side == side and state.form == "limit":
                lot = self.rules_[state.instrument].lot
                wanted = (state.quantity * share).quantize(lot) - state.filled
                if wanted > 0:
                    assert state.price is not None
                    self.fill(state.client_id, wanted, state.price)
                    self.tell(state.client_id)

    def tell(self, client: str) -> None:
        if not self.is_deaf:
            self.told += [self.orders[client]] * (2 if self.twice else 1)

    def do_cancel(self, order: OrderState) -> Refusal | None:
        state = self.orders.get(order.client_id)
        if state is None or state.is_over:
            return Refusal("GONE", "no such order works")
        if self.late:
            self.late = False
            self.orders[order.client_id] = replace(state, status="cancelled")
            self.tell(order.client_id)
            self.fill(order.client_id, state.quantity - state.filled, state.price or self.prices[state.instrument])
            self.tell(order.client_id)
            return None
        self.orders[order.client_id] = replace(state, status="cancelled", at=self.time)
        self.tell(order.client_id)
        return None

    def do_amend(self, order: OrderState, quantity: Decimal, price: Decimal) -> OrderState | Refusal:
        state = self.orders.get(order.client_id)
        if state is None or state.is_over:
            return Refusal("GONE", "no such order works")
        self.orders[order.client_id] = replace(state, quantity=quantity, price=price)
        self.touch(order.client_id)
        self.tell(order.client_id)
        return self.orders[order.client_id]

    def do_find(self, client_id: str, instrument: str, since: int) -> OrderState | None:
        return self.orders.get(client_id)

    def do_open_orders(self) -> tuple[OrderState, ...]:
        return tuple(self.working())

    def do_fills(self, since: int) -> tuple[VenueFill, ...]:
        return tuple(fill for fill in self.executions if fill.at >= since)

    def do_balances(self) -> tuple[Balance, ...]:
        return tuple(Balance(asset, self.available(asset), self.held(asset)) for asset in self.totals)

    def do_clock(self) -> int:
        return self.time

    def do_rules(self, instruments: Sequence[str]) -> Mapping[str, Rules]:
        return {one: self.rules_[one] for one in instruments if one in self.rules_}

    def do_quotes(self, instruments: Sequence[str]) -> tuple[Quoted, ...]:
        return tuple(Quoted(one, self.prices[one], self.prices[one], self.time, self.time) for one in instruments)

    def do_events(self) -> tuple[Event, ...]:
        told, self.told = tuple(self.told), []
        return () if self.time < self.down_until else told

    def gap(self) -> None:
        """Everything told and not heard yet is lost."""
        self.told = [Lost("orders", "sequence gap", self.time)]

    # --- what tests ask ------------------------------------------------------------------------------------------------

    def holding(self, symbol: str) -> Decimal:
        return self.totals.get(self.rules_[symbol].asset, ZERO)

    def protected(self, symbol: str) -> Decimal:
        """How much of a holding has a stop or a target that works."""
        guards = [
            one for one in self.working() if one.instrument == symbol and one.form in ("stop", "bracket") and one.side == "sell"
        ]
        return sum((one.quantity - one.filled for one in guards), ZERO)

    def ids(self) -> list[str]:
        return [request.client_id for request in self.arrived]


def _fills_at(state: OrderState, price: Decimal) -> Decimal | None:
    """The price at which an order fills in a market at a price; None where it rests."""
    is_buy = state.side == "buy"
    match state.form:
        case "market":
            return price
        case "limit":
            assert state.price is not None
            return state.price if (price <= state.price if is_buy else price >= state.price) else None
        case "stop":
            assert state.price is not None
            return price if (price >= state.price if is_buy else price <= state.price) else None
        case _:
            if state.stop is not None and (price <= state.stop if not is_buy else price >= state.stop):
                return price
            if state.target is not None and (price >= state.target if not is_buy else price <= state.target):
                return state.target
            return None


class FakeExchange:
    """The seam: every method is a call of the truth, wherever it stands (`call`)."""

    name = "fake"

    def __init__(self, call: Any) -> None:
        self.call = call

    def rules(self, instruments: Sequence[str]) -> Any:
        return self.call("rules", instruments)

    def place(self, request: Request) -> Any:
        return self.call("place", request)

    def amend(self, order: OrderState, quantity: Decimal, price: Decimal) -> Any:
        return self.call("amend", order, quantity, price)

    def cancel(self, order: OrderState) -> Any:
        return self.call("cancel", order)

    def find(self, client_id: str, instrument: str, since: int) -> Any:
        return self.call("find", client_id, instrument, since)

    def open_orders(self) -> Any:
        return self.call("open_orders")

    def fills(self, since: int) -> Any:
        return self.call("fills", since)

    def balances(self) -> Any:
        return self.call("balances")

    def clock(self) -> Any:
        return self.call("clock")

    def candles(self, instrument: str, period: int, first: int, last: int) -> tuple[Candle, ...] | NoAnswer:
        return ()

    def quotes(self, instruments: Sequence[str]) -> Any:
        return self.call("quotes", instruments)

    def events(self) -> Any:
        return self.call("events")

    def close(self) -> None: ...
