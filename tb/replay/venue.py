"""The simulated venue: orders decided at a close fill at the next open, with slippage and fee; stops and targets are watched
inside each bar from the entry on.

Conventions, stated so that a number can be checked by hand:
- A market order fills at the open of the next bar of its instrument, made worse by slippage and rounded to the worse tick.
- Where a bar touches both stop and target, the stop comes first. A bar that opens beyond a level fills at its open.
- A stop fills at its price, or at the open beyond it, made worse by slippage. A target is a limit order: it fills at its
  price, or at an open beyond it, without slippage. All prices are rounded to the worse tick.
- What happens inside a bar is known at its close and carries that instant; what happens at the open carries the open's.
- The fee is a ratio of the fill's value. Where a bar's high or low is unknown, its open and close stand in for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from tb.core.records import Fill, Order
from tb.core.settings import Settings
from tb.engine.bars import Bars
from tb.engine.instant import EXACT, exact
from tb.gate.gate import Approved
from tb.gate.sizing import to_grid
from tb.runtime.positions import Position
from tb.runtime.session import Session


@dataclass(slots=True)
class _Prices:
    """One instrument's bars as lists: single values are read from them fast."""

    time: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    rows: list[int]

    @classmethod
    def of(cls, bars: Bars) -> _Prices:
        # where an extreme is unknown, the prices that are known bound it: a bar that closed beyond a stop touched it
        high = np.where(np.isnan(bars.high), np.fmax(bars.open, bars.close), bars.high)
        low = np.where(np.isnan(bars.low), np.fmin(bars.open, bars.close), bars.low)
        return cls(bars.time.tolist(), bars.open.tolist(), high.tolist(), low.tolist(), bars.rows.tolist())


@dataclass(slots=True)
class SimulatedVenue:
    """Takes approved orders; `advance` lets one bar of an instrument happen."""

    settings: Settings
    bars: dict[str, Bars]
    orders: dict[str, list[Order]] = field(default_factory=dict)
    _prices: dict[str, _Prices] = field(default_factory=dict)

    def submit(self, approved: Approved, order: Order) -> None:
        """Takes an order that the gate approved, for exactly the approved quantity."""
        if order.quantity != approved.quantity:
            raise ValueError(f"order {order.id} is for {order.quantity}, approved were {approved.quantity}")
        self.orders.setdefault(order.instrument, []).append(order)

    def prices(self, symbol: str) -> _Prices:
        found = self._prices.get(symbol)
        if found is None:
            found = self._prices[symbol] = _Prices.of(self.bars[symbol])
        return found

    def advance(self, session: Session, symbol: str, row: int) -> None:
        """Everything that happens to an instrument between the open and the close of one bar."""
        prices = self.prices(symbol)
        waiting = self.orders.get(symbol)
        if waiting and prices.open[row] == prices.open[row]:
            del self.orders[symbol]
            for order in sorted(waiting, key=lambda order: order.kind != "exit"):
                self._fill_at_open(session, order, prices, row)
        for position in [p for p in session.positions.values() if p.instrument == symbol]:
            self._watch(session, position, prices, row)

    def _fill_at_open(self, session: Session, order: Order, prices: _Prices, row: int) -> None:
        position = session.positions.get((order.strategy, order.instrument))
        if order.kind == "exit" and (position is None or not position.exiting):
            return  # its stop or target was faster
        sign, cause = 1 if order.side == "buy" else -1, session.cause_of(order)
        fill = self._fill(order.id, order.instrument, sign, order.quantity, prices, row, cause)
        if order.kind == "entry":
            session.entered(order, fill)
        elif position is not None:
            session.exited(position, fill)

    def _watch(self, session: Session, position: Position, prices: _Prices, row: int) -> None:
        open_, high, low = prices.open[row], prices.high[row], prices.low[row]
        stop, target, sign = position.stop, position.target, position.sign
        if stop is not None:
            level = float(stop)
            if (low <= level) if sign > 0 else (high >= level):
                gapped = (open_ <= level) if sign > 0 else (open_ >= level)
                self._close(session, position, prices, row, "stop", stop, gapped)
                return
        if target is not None:
            level = float(target)
            if (high >= level) if sign > 0 else (low <= level):
                gapped = (open_ >= level) if sign > 0 else (open_ <= level)
                self._close(session, position, prices, row, "target", target, gapped)
                return
        position.see(high, low)

    def _close(
        self, session: Session, position: Position, prices: _Prices, row: int, cause: str, level: Decimal, gapped: bool
    ) -> None:
        open_ = exact(prices.open[row]) if gapped else None
        fill = self._fill(
            f"{cause} of t{position.seq}",
            position.instrument,
            -position.sign,
            position.entry.quantity,
            prices,
            row,
            cause,
            (level, self.bars[position.instrument].period) if open_ is None else (open_, 0),
        )
        session.exited(position, fill)

    def _fill(
        self,
        order: str,
        symbol: str,
        sign: int,
        quantity: Decimal,
        prices: _Prices,
        row: int,
        cause: str,
        touched: tuple[Decimal, int] | None = None,
    ) -> Fill:
        """A fill at the open, or at the price that was touched so long after the open."""
        spec, venue = self.settings.instrument(symbol), self.settings.venue_for(symbol)
        assert spec is not None  # the gate lets no order of an unknown instrument pass
        start, after = touched if touched is not None else (exact(prices.open[row]), 0)
        assert start is not None  # orders wait for an open that is known
        slippage = Decimal(0) if cause == "target" else venue.slippage
        price = to_grid(EXACT.multiply(start, 1 + sign * slippage), spec.tick, up=sign > 0)
        fee = EXACT.multiply(EXACT.multiply(quantity, price), venue.fee)
        return Fill(
            order=order,
            at=prices.time[row] + after,
            row=prices.rows[row],
            instrument=symbol,
            side="buy" if sign > 0 else "sell",
            quantity=quantity,
            price=price,
            fee=fee,
            slippage=EXACT.multiply(sign, EXACT.subtract(price, start)),
            cause=cause,
        )
