"""The simulated venue: orders decided at a close arrive at the next open; stops and targets are watched inside each bar from
the entry on.

Conventions, stated so that a number can be checked by hand:
- A market order fills at the open of the next bar of its instrument, made worse by slippage and rounded to the worse tick.
- A limit or stop entry rests (`tb.replay.resting`): a limit fills at its price or a better open, without slippage; a stop entry
  at its price or the open beyond it, made worse by slippage.
- Where a bar touches both stop and target, the stop comes first. A bar that opens beyond a level fills at its open.
- A stop fills at its price, or at the open beyond it, made worse by slippage. A target is a limit order: it fills at its
  price, or at an open beyond it, without slippage. All prices are rounded to the worse tick.
- A take is a target for a part: takes and target fill nearest first, each for its part; the stop closes what is left.
- In the bar inside which an entry fills, its stop counts against the whole bar, takes and target not at all: whether the bar's
  best price came before the entry is not known, and the worse is assumed.
- What happens inside a bar is known at its close and carries that instant; what happens at the open carries the open's.
- The fee is a ratio of the fill's value. Where a bar's high or low is unknown, its open and close stand in for it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.records import Fill, Order
from tb.core.settings import Settings
from tb.engine.bars import Bars
from tb.engine.instant import EXACT, exact
from tb.gate.conversion import at_rate
from tb.gate.gate import Approved
from tb.gate.levels import to_grid
from tb.gate.standing import NOTHING_SAID, Standing
from tb.replay.prices import Prices
from tb.replay.resting import Resting
from tb.replay.together import LegOrders
from tb.runtime.positions import Position, Take
from tb.runtime.rates import Rates
from tb.runtime.session import Session
from tb.runtime.settling import REFUSED, Settling

ZERO = Decimal(0)
_OPEN = Standing("open", "active", heartbeat_age=0, reconciled_age=0, unknown_orders=0, clock_skew=0)


@dataclass(slots=True)
class SimulatedVenue:
    """Takes approved orders; `advance` lets one bar of an instrument happen. `orders` are those on their way, by instrument."""

    settings: Settings
    bars: dict[str, Bars]
    rates: Rates
    orders: dict[str, list[Resting]] = field(default_factory=dict)
    _prices: dict[str, Prices] = field(default_factory=dict)
    legs: LegOrders = field(init=False)

    def __post_init__(self) -> None:
        self.legs = LegOrders(self.bars)

    def submit(self, approved: Approved, order: Order) -> None:
        """Takes an order that the gate approved, for exactly the approved quantity."""
        _check(approved, order)
        self.orders.setdefault(order.instrument, []).append(Resting(order))

    def submit_together(self, legs: Sequence[tuple[Approved, Order]]) -> None:
        """Takes orders that fill at one instant, or none of them does."""
        for approved, order in legs:
            _check(approved, order)
        self.legs.waiting.append(tuple(order for _, order in legs))

    def cancel(self, order: str) -> bool:
        """Takes an order back at once, a leg with all others; one that is not there any more is none."""
        self.legs.cancel(order)
        for symbol, resting in list(self.orders.items()):
            self._keep(symbol, [one for one in resting if one.order.id != order])
        return True

    def standing(self, instrument: str, at: int) -> Standing:
        """Of an instrument with bars: open, in touch and in agreement at every instant; no order can be lost here, and there
        is one clock. Of another it has nothing to say."""
        if instrument and instrument not in self.bars:
            return NOTHING_SAID
        return _OPEN

    def _keep(self, symbol: str, resting: list[Resting]) -> None:
        if resting:
            self.orders[symbol] = resting
        else:
            self.orders.pop(symbol, None)

    def advance_legs(self, session: Session, rows: Mapping[str, int], at: int) -> None:
        """What happens to orders of legs at an instant; `rows` are the bars that closed at it."""
        settling = session.settling

        def fill(order: Order, row: int) -> None:
            prices = self.prices(order.instrument)
            start = exact(prices.open[row])
            assert start is not None  # legs wait for opens that are known
            self._fill_order(settling, Resting(order), prices, row, start, 0)

        self.legs.advance(settling, rows, at, fill)

    def forget_prices(self) -> None:
        """The bars have grown."""
        self._prices.clear()

    def prices(self, symbol: str) -> Prices:
        found = self._prices.get(symbol)
        if found is None:
            found = self._prices[symbol] = Prices.of(self.bars[symbol])
        return found

    def advance(self, session: Session, symbol: str, row: int) -> None:
        """Everything that happens to an instrument between the open and the close of one bar."""
        prices, settling = self.prices(symbol), session.settling
        if symbol in self.orders and prices.opens(row):
            self._keep(symbol, self._at_open(settling, self.orders[symbol], prices, row))
        for position in [p for p in settling.positions.values() if p.instrument == symbol]:
            self._watch(settling, position, prices, row)
        if symbol in self.orders:
            self._keep(symbol, self._inside(settling, self.orders[symbol], prices, row))

    def _at_open(self, settling: Settling, waiting: list[Resting], prices: Prices, row: int) -> list[Resting]:
        """What the open does to the orders of an instrument, exits first; returns those that still rest."""
        left = []
        for one in sorted(waiting, key=lambda one: one.order.kind != "exit"):
            if not one.is_open_at(prices.time[row]):
                left.append(one)  # over already: the session cancels it
            elif one.would_cross(prices.open[row]):
                settling.cancelled(one.order, prices.time[row], REFUSED)
            elif (start := one.at_open(prices.open[row])) is not None:
                self._fill_order(settling, one, prices, row, start, 0)
            else:
                one.arrived = True
                left.append(one)
        return left

    def _inside(self, settling: Settling, waiting: list[Resting], prices: Prices, row: int) -> list[Resting]:
        """What the rest of the bar does to the orders that rest; returns those that still do."""
        left = []
        for one in waiting:
            close = prices.time[row] + prices.period
            start = one.inside(prices.high[row], prices.low[row]) if one.arrived and one.lasts_until(close) else None
            if start is None:
                left.append(one)
                continue
            self._fill_order(settling, one, prices, row, start, prices.period)
            position = settling.positions.get((one.order.strategy, one.order.instrument))
            if position is not None:  # what a quote sells may leave nothing
                self._watch_after_entry(settling, position, prices, row)
        return left

    def _fill_order(self, settling: Settling, one: Resting, prices: Prices, row: int, start: Decimal, after: int) -> None:
        order = one.order
        position = settling.position_of(order) if order.kind == "exit" else None
        if order.kind == "exit" and position is None:
            settling.cancelled(order, prices.time[row], "position closed")  # its stop or target was faster
            return
        slippage = ZERO if order.style == "limit" else self.settings.venue_for(order.instrument).slippage
        cause = settling.cause_of(order)
        quantity = order.quantity if position is None else min(order.quantity, position.remaining)
        fill = self._fill(order.id, order.instrument, one.sign, quantity, start, slippage, prices, row, after, cause)
        if position is None:
            settling.entered(order, fill)
        else:
            settling.exited(position, fill)
            position.exiting = False  # of a part that the gate let leave alone: the rest may be asked for again

    # --- stops, takes and targets ------------------------------------------------------------------------------------

    def _watch(self, settling: Settling, position: Position, prices: Prices, row: int) -> None:
        if self._stopped(settling, position, prices, row):
            return
        sign, open_ = position.sign, prices.open[row]
        for price, take in position.ahead():
            level = float(price)
            if not ((prices.high[row] >= level) if sign > 0 else (prices.low[row] <= level)):
                break
            gapped = (open_ >= level) if sign > 0 else (open_ <= level)
            self._leave(settling, position, prices, row, "target" if take is None else "take", price, gapped, take)
            if not position.remaining:
                return
        position.see(prices.high[row], prices.low[row])

    def _watch_after_entry(self, settling: Settling, position: Position, prices: Prices, row: int) -> None:
        """The rest of the bar inside which an entry filled: its worst counts, its best only as far as the close."""
        if not self._stopped(settling, position, prices, row, may_gap=False):
            worst, close = (prices.low if position.sign > 0 else prices.high)[row], prices.close[row]
            position.see(*((close, worst) if position.sign > 0 else (worst, close)))

    def _stopped(self, settling: Settling, position: Position, prices: Prices, row: int, *, may_gap: bool = True) -> bool:
        stop, sign, open_ = position.stop, position.sign, prices.open[row]
        if stop is None:
            return False
        level = float(stop)
        if not ((prices.low[row] <= level) if sign > 0 else (prices.high[row] >= level)):
            return False
        gapped = may_gap and ((open_ <= level) if sign > 0 else (open_ >= level))
        self._leave(settling, position, prices, row, position.stop_cause, stop, gapped)
        return True

    def _leave(
        self,
        settling: Settling,
        position: Position,
        prices: Prices,
        row: int,
        cause: str,
        level: Decimal,
        gapped: bool,
        take: Take | None = None,
    ) -> None:
        """A level was touched: all that is left of the position goes, or the part of a take."""
        open_ = exact(prices.open[row]) if gapped else None
        start, after = (level, prices.period) if open_ is None else (open_, 0)
        slippage = ZERO if cause in {"target", "take"} else self.settings.venue_for(position.instrument).slippage
        quantity = position.remaining if take is None else min(take.quantity, position.remaining)
        name = f"{cause} of t{position.seq}" if take is None else f"take {take.number} of t{position.seq}"
        sign, symbol = -position.sign, position.instrument
        fill = self._fill(name, symbol, sign, quantity, start, slippage, prices, row, after, cause)
        if take is None:
            settling.exited(position, fill)
        else:
            settling.took(position, take, fill)

    def _fill(
        self,
        order: str,
        symbol: str,
        sign: int,
        quantity: Decimal,
        start: Decimal,
        slippage: Decimal,
        prices: Prices,
        row: int,
        after: int,
        cause: str,
    ) -> Fill:
        """A fill from an undisturbed price, so long after the open."""
        spec, venue = self.settings.instrument(symbol), self.settings.venue_for(symbol)
        assert spec is not None  # the gate lets no order of an unknown instrument pass
        price = to_grid(EXACT.multiply(start, 1 + sign * slippage), spec.tick, up=sign > 0)
        at = prices.time[row] + after
        rate = self.rates.paid(symbol, sign, at)
        assert rate is not None  # the gate lets no order pass whose money cannot be converted
        fee = at_rate(EXACT.multiply(EXACT.multiply(quantity, price), venue.fee), rate)
        return Fill(
            order=order,
            at=at,
            row=prices.rows[row],
            instrument=symbol,
            side="buy" if sign > 0 else "sell",
            quantity=quantity,
            price=price,
            fee=fee,
            slippage=EXACT.multiply(sign, EXACT.subtract(price, start)),
            cause=cause,
            rate=rate if self.settings.is_foreign(symbol) else None,
        )


def advance(
    session: Session,
    venue: SimulatedVenue,
    row_of: Callable[[str, int, int], int | None],
    at: int,
    period: int,
    quiet: Container[str] = (),
) -> None:
    """Everything that happens in the bars of this period that close at an instant; `row_of` finds them. To what is held of
    the `quiet` instruments nothing does."""
    if venue.legs.waiting:
        found = ((symbol, row_of(symbol, period, at)) for symbol in venue.bars)
        venue.advance_legs(session, {symbol: row for symbol, row in found if row is not None}, at)
    busy = {position.instrument for position in session.positions.values() if position.instrument not in quiet}
    busy.update(venue.orders)
    for symbol in sorted(busy):
        row = row_of(symbol, period, at)
        if row is not None:
            venue.advance(session, symbol, row)


def _check(approved: Approved, order: Order) -> None:
    if order.quantity != approved.quantity:
        raise ValueError(f"order {order.id} is for {order.quantity}, approved were {approved.quantity}")
