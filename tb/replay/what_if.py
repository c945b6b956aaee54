"""What refused entries would have come to: each followed by itself through the bars after it, as the simulated venue does.

An entry at market fills at the next open, at the size that was proposed; then its stop, its target, its strategy's `exit when`
or the longest time it may be held end it, whichever comes first. Prices, slippage, fees and the order of events are those of
`tb.replay.venue`, without funding. Each is followed alone: what it would have changed for others, through capital, limits or a
position that stood already, is not asked. Left out are orders that rest, legs, quotes, entries whose stop moves or that
leave in parts, and those without a size or an open in time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.engine.columns import Columns, evaluate
from tb.engine.instant import EXACT, Exact, exact
from tb.engine.interpret import from_leaves
from tb.engine.management import UNMANAGED
from tb.engine.markets import Markets
from tb.engine.plan import EnterPlan, Plan, StrategyPlan
from tb.gate.explain.reproduce import reader
from tb.gate.explain.tiers import tier_of
from tb.gate.levels import levels, to_grid
from tb.replay.prices import Prices

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Followed:
    """One entry to its end. `profit` in the account's currency after fees, `r` over the loss at its stop; `cause` is `stop`,
    `target`, `exit when`, `hold`, or `end of data` where it was still open and is valued at the last close."""

    decision: Decision
    entry_at: int
    exit_at: int
    profit: Decimal
    r: Decimal | None
    cause: str


@dataclass(slots=True)
class WhatIf:
    """`left_out` counts, by reason, the entries that cannot be followed; `absent` says why none was, where none could be."""

    followed: list[Followed] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    absent: str = ""


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A way out: the row of the bar in which it happens, whether at its open, the price before slippage."""

    row: int
    at_open: bool
    start: Decimal
    cause: str

    @property
    def order(self) -> tuple[int, bool]:
        return self.row, not self.at_open  # what happens at an open comes before what happens inside the bar


def follow(decisions: Iterable[Decision], plan: Plan, settings: Settings, markets: Markets) -> WhatIf:
    """Every entry among the decisions that can be followed, at its proposed size, whatever its verdict was."""
    found, follower = WhatIf(), _Follower(plan, settings, markets)
    for decision in decisions:
        if decision.kind != "enter":
            continue
        one = follower.follow(decision)
        if isinstance(one, str):
            found.left_out[one] += 1
        else:
            found.followed.append(one)
    return found


@dataclass(slots=True)
class _Follower:
    plan: Plan
    settings: Settings
    markets: Markets
    _prices: dict[str, Prices] = field(default_factory=dict)
    _exits: dict[tuple[str, str], Columns] = field(default_factory=dict)

    def follow(self, decision: Decision) -> Followed | str:
        """The entry to its end, or why it cannot be followed."""
        strategy, symbol = self.plan.strategy(decision.strategy), decision.instrument
        enters = strategy.entries_of(symbol)
        enter = enters[decision.enter] if 0 <= decision.enter < len(enters) else None
        if enter is None or strategy.baskets or enter.order.is_quote:
            return "legs and quotes"
        if enter.order.style != "market":
            return "orders that rest"
        if enter.manage != UNMANAGED:
            return "stops that move, exits in parts"
        if not decision.proposed or symbol not in self.markets.base or self.settings.instrument(symbol) is None:
            return "no size or no data"
        prices = self._prices_of(symbol)
        row = self._entry_row(prices, decision.at, decision.at + strategy.period)
        if row is None:
            return "no open in time"
        return self._held(decision, strategy, enter, prices, row)

    def _prices_of(self, symbol: str) -> Prices:
        if symbol not in self._prices:
            self._prices[symbol] = Prices.of(self.markets.base[symbol])
        return self._prices[symbol]

    def _entry_row(self, prices: Prices, first: int, until: int) -> int | None:
        row = int(np.searchsorted(np.asarray(prices.time), first))
        while row < len(prices.time) and prices.time[row] < until:
            if prices.opens(row):
                return row
            row += 1
        return None

    def _held(self, decision: Decision, strategy: StrategyPlan, enter: EnterPlan, prices: Prices, row: int) -> Followed:
        sign = 1 if enter.direction == "long" else -1
        start = exact(prices.open[row])
        assert start is not None  # the row was chosen for it
        entry = self._filled(decision, start, sign)
        stop, target = self._levels(decision, strategy, enter, entry)
        at = prices.time[row]
        ways = [self._touch(prices, row, sign, level, what) for level, what in ((stop, "stop"), (target, "target"))]
        ways.append(self._order(decision, strategy, prices, at))
        # the stop stands first: where a bar touches both, it is taken
        end = min((way for way in ways if way is not None), key=lambda way: way.order, default=None)
        fees = self._fee(decision, entry)
        if end is None:
            price, closed, cause = self._last(prices), prices.time[-1] + prices.period, "end of data"
        else:
            price = self._filled(decision, end.start, -sign, at_price=end.cause == "target")
            closed, cause = prices.time[end.row] + (0 if end.at_open else prices.period), end.cause
            fees = EXACT.add(fees, self._fee(decision, price))
        moved = EXACT.multiply(sign * decision.proposed, EXACT.subtract(price, entry))
        profit = EXACT.subtract(moved, fees)
        risk = ZERO if stop is None else EXACT.multiply(decision.proposed, abs(EXACT.subtract(entry, stop)))
        return Followed(decision, at, closed, profit, EXACT.divide(profit, risk) if risk else None, cause)

    def _filled(self, decision: Decision, start: Decimal, sign: int, *, at_price: bool = False) -> Decimal:
        spec = self.settings.instrument(decision.instrument)
        assert spec is not None
        slippage = ZERO if at_price else self.settings.venue_for(decision.instrument).slippage
        return to_grid(EXACT.multiply(start, 1 + sign * slippage), spec.tick, up=sign > 0)

    def _fee(self, decision: Decision, price: Decimal) -> Decimal:
        return EXACT.multiply(EXACT.multiply(decision.proposed, price), self.settings.venue_for(decision.instrument).fee)

    def _levels(
        self, decision: Decision, strategy: StrategyPlan, enter: EnterPlan, entry: Decimal
    ) -> tuple[Decimal | None, Decimal | None]:
        """Stop and target measured from the price paid, as a position's are."""
        spec = self.settings.instrument(decision.instrument)
        assert spec is not None
        leaves: dict[int, Exact | float] = {
            leaf: float("nan") if value is None else value for leaf, value in zip(enter.leaves, decision.market, strict=True)
        }
        nodes = [level.node for level in (enter.stop, enter.target) if level is not None]
        values = reader(from_leaves(self.plan.graph, leaves, nodes))
        stop, target, _ = levels(self.plan.graph, enter, entry, spec.tick, values)
        return decision.stop if stop is None else stop, decision.target if target is None else target

    def _touch(self, prices: Prices, row: int, sign: int, level: Decimal | None, cause: str) -> _Leaving | None:
        """The first bar from `row` on that reaches a level; one that opens beyond it gives its open."""
        if level is None:
            return None
        price, falls = float(level), (sign > 0) == (cause == "stop")
        reached = prices.lows[row:] <= price if falls else prices.highs[row:] >= price
        if not reached.any():
            return None
        at = row + int(np.argmax(reached))
        opened = prices.open[at]
        start = exact(opened) if (opened <= price if falls else opened >= price) else None
        return _Leaving(at, start is not None, level if start is None else start, cause)

    def _order(self, decision: Decision, strategy: StrategyPlan, prices: Prices, entered: int) -> _Leaving | None:
        """The order that closes it: at the first open after the first close at which its time is over or an exit holds."""
        symbol, closes = decision.instrument, self.markets.bars(decision.instrument, strategy.period).closes
        first = int(closes.searchsorted(entered, side="right"))
        longest = strategy.longest_hold(symbol, tier_of(strategy, decision) or "")
        ways = []
        if longest is not None and (late := int(closes.searchsorted(entered + longest))) < len(closes):
            ways.append((max(late, first), "hold"))
        if strategy.exits:
            columns = self._exit_columns(strategy, symbol)
            holds = [np.flatnonzero(columns[exit_.when, symbol][first:] == 1.0) for exit_ in strategy.exits]
            ways += [(first + int(rows[0]), "exit when") for rows in holds if len(rows)]
        if not ways:
            return None
        place, cause = min(ways, key=lambda way: way[0])
        row = int(np.searchsorted(np.asarray(prices.time), closes[place]))
        while row < len(prices.time) and not prices.opens(row):
            row += 1
        start = exact(prices.open[row]) if row < len(prices.time) else None
        return None if start is None else _Leaving(row, True, start, cause)

    def _exit_columns(self, strategy: StrategyPlan, symbol: str) -> Columns:
        key = (strategy.name, symbol)
        if key not in self._exits:
            wanted: Mapping[str, Iterable[int]] = {symbol: [exit_.when for exit_ in strategy.exits]}
            self._exits[key] = evaluate(self.plan.graph, wanted, self.markets)
        return self._exits[key]

    def _last(self, prices: Prices) -> Decimal:
        """The last close that is known."""
        closes = np.asarray(prices.close)
        found = exact(float(closes[np.flatnonzero(~np.isnan(closes))[-1]]))
        assert found is not None
        return found
