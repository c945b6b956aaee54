"""propose: what strategies ask for at one instant, before anybody has judged it.

1. Exits: held too long, then the first `exit when` that is true (`exits`).
2. Entries: the first whose condition holds, of strategies that are free in the instrument (`entries`).
3. The order in which the gate sees them: conviction, confidence, strategy, instrument (`in_order`).

Reads the market and what is open; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from tb.core.settings import Settings
from tb.engine.instant import EXACT
from tb.engine.plan import EnterPlan, Plan, StrategyPlan
from tb.engine.say import say
from tb.gate.conversion import ONE
from tb.gate.proposal import BY_ITSELF, FLATTEN, HELD_TOO_LONG, UNSAID, Proposal
from tb.gate.resting import asked_price, expected_of
from tb.gate.sizing import expected_price, size
from tb.runtime.drafts import Draft, Key, Ready
from tb.runtime.leg_drafts import LegProposer
from tb.runtime.ports import MarketView
from tb.runtime.positions import Position


class Proposer:
    """Turns columns and open positions into drafts, for one plan."""

    def __init__(self, plan: Plan, settings: Settings, view: MarketView) -> None:
        self.plan = plan
        self.settings = settings
        self.view = view
        self.strategies = {strategy.name: strategy for strategy in plan.strategies}
        self.legs = LegProposer(plan, settings, view)

    # --- exits -----------------------------------------------------------------------------------------------------

    def exits(self, positions: Iterable[Position], at: int) -> list[Draft]:
        """An order that closes it for each position whose time is over or whose exit condition holds."""
        drafts = []
        for position in positions:
            strategy = self.strategies[position.strategy]
            if position.exiting or strategy.baskets:
                continue  # legs leave together (`tb.runtime.legs`)
            row = self.view.row(position.instrument, strategy.period, at)
            if row is None:
                continue
            which = self._why_exit(strategy, position, row, at)
            if which is not None:
                drafts.append(self._exit_draft(strategy, position, which, row, at))
        return drafts

    def flattening(self, position: Position, at: int) -> Draft | None:
        """An order that closes it because the operator closes everything; None where no bar closed now."""
        strategy = self.strategies[position.strategy]
        row = self.view.row(position.instrument, strategy.period, at)
        return None if row is None else self._exit_draft(strategy, position, FLATTEN, row, at)

    def _why_exit(self, strategy: StrategyPlan, position: Position, row: int, at: int) -> int | None:
        longest = strategy.longest_hold(position.instrument, position.tier)
        if longest is not None and at - position.entry.at >= longest:
            return HELD_TOO_LONG
        for which, exit_ in enumerate(strategy.exits):
            if self.view.value(exit_.when, position.instrument, row) == 1.0:
                return which
        return None

    def _exit_draft(self, strategy: StrategyPlan, position: Position, which: int, row: int, at: int) -> Draft:
        symbol = position.instrument
        if which in BY_ITSELF:
            leaves: tuple[int, ...] = ()
            reason = BY_ITSELF[which]
        else:
            exit_ = strategy.exits[which]
            leaves = exit_.leaves
            reason = say(self.plan.graph, exit_.because, lambda node: self.view.value(node, symbol, row)) or UNSAID
        price = self._expected(-position.sign, symbol, strategy.period, row)
        tier = f"{strategy.universe}.{position.tier}"
        proposal = Proposal(
            strategy.name, symbol, -position.sign, position.remaining, price, None, None, None, None, tier, False
        )
        proposal = replace(proposal, rate=self.view.rate(symbol, at)) if self.settings.is_foreign(symbol) else proposal
        return Draft(proposal, strategy, "exit", which, row, leaves, reason, position)

    # --- entries ---------------------------------------------------------------------------------------------------

    def entries(
        self, ready: Sequence[Ready], is_busy: Callable[[Key], bool], equity_of: Callable[[str], Decimal | None], at: int
    ) -> tuple[list[Draft], tuple[Ready, ...]]:
        """A draft for each strategy and instrument that is free, and the entries that held but could not propose.

        `equity_of` tells the equity that a strategy's sizes are shares of.
        """
        drafts: list[Draft] = []
        silent: list[Ready] = []
        taken: set[Key] = set()
        for entry in ready:
            strategy = self.plan.strategies[entry.strategy]
            if strategy.quotes:
                continue  # they rest beside what is held (`tb.runtime.quotes`)
            key = (strategy.name, entry.symbol)
            if key in taken or any(is_busy((strategy.name, symbol)) for symbol in strategy.together(entry.symbol)):
                silent.append(entry)
                continue
            taken.add(key)
            equity = equity_of(strategy.name)
            if strategy.baskets:
                drafts.append(self.legs.entry(strategy, entry, at, equity))
            else:
                drafts.append(self._entry_draft(strategy, entry, equity, self._rate(entry.symbol, at)))
        return drafts, tuple(silent)

    def _rate(self, symbol: str, at: int) -> Decimal | None:
        return self.view.rate(symbol, at) if self.settings.is_foreign(symbol) else ONE

    def quote(self, strategy: StrategyPlan, entry: Ready, position: Position | None, equity: Decimal | None, at: int) -> Draft:
        """One side of a quote, its price moved against what is held."""
        rate = self._rate(entry.symbol, at)
        draft = self._entry_draft(strategy, entry, equity, rate)
        quantity = draft.proposal.quantity
        if position is None or not quantity or draft.proposal.order.skew is None:
            return draft
        held = EXACT.divide(position.sign * position.entry.quantity, quantity)
        return self._entry_draft(strategy, entry, equity, rate, min(Decimal(1), max(Decimal(-1), held)))

    def _entry_draft(
        self,
        strategy: StrategyPlan,
        entry: Ready,
        equity: Decimal | None,
        rate: Decimal | None,
        inventory: Decimal | None = None,
    ) -> Draft:
        enter, symbol, row = strategy.enters[entry.enter], entry.symbol, entry.row
        sign = 1 if enter.direction == "long" else -1

        def values(node: int) -> float | None:
            return self.view.value(node, symbol, row)

        spec = self.settings.instrument(symbol)
        price, asked, crossing = self._price_of(enter, sign, symbol, strategy.period, row, inventory)
        confidence = values(enter.confidence) if enter.confidence is not None else None
        conviction = values(enter.conviction) if enter.conviction is not None else None
        quantity, stop, target, intended = Decimal(0), None, None, None
        takes: tuple[Decimal, ...] = ()
        missing: tuple[str, ...] = ("instrument",) if spec is None else ("price",)
        if price is not None and spec is not None:
            sized = size(self.plan.graph, enter, price, equity, spec, values, rate)
            quantity, stop, target, intended, missing = sized.quantity, sized.stop, sized.target, sized.intended, sized.missing
            takes = sized.takes
        tier = f"{strategy.universe}.{strategy.tier_at(symbol, values)}"
        proposal = Proposal(
            strategy.name,
            symbol,
            sign,
            quantity,
            price,
            stop,
            target,
            intended,
            confidence,
            tier,
            True,
            ", ".join(missing) or None,
            conviction,
            enter.order,
            asked,
            takes,
            inventory=inventory,
            crossing=crossing,
            rate=rate,
        )
        reason = say(self.plan.graph, enter.because, values)
        kind = f"{'bid' if sign > 0 else 'ask'}" if enter.order.is_quote else "enter"
        return Draft(proposal, strategy, kind, entry.enter, row, enter.leaves, reason, None)

    def _price_of(
        self, enter: EnterPlan, sign: int, symbol: str, period: int, row: int, inventory: Decimal | None
    ) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """What an entry is expected to pay, the price it asks for where it rests, and the market's where that counts."""
        spec, market = self.settings.instrument(symbol), self._expected(sign, symbol, period, row)
        if enter.order.style == "market" or spec is None:
            return market, None, None
        slippage = self.settings.venue_for(symbol).slippage

        def values(node: int) -> float | None:
            return self.view.value(node, symbol, row)

        asked = asked_price(self.plan.graph, enter.order, sign, spec.tick, values, inventory or Decimal(0))
        if market is None:
            return None, asked, None  # whether it fills at once cannot be told
        own = expected_of(enter.order, asked, sign, slippage, spec.tick, None)
        price = expected_of(enter.order, asked, sign, slippage, spec.tick, market)
        return price, asked, None if price == own else market

    def _expected(self, sign: int, symbol: str, period: int, row: int) -> Decimal | None:
        quote, spec = self.view.quote(symbol, period, row), self.settings.instrument(symbol)
        if quote is None or spec is None:
            return None
        return expected_price(sign, quote, self.settings.venue_for(symbol).slippage, spec.tick)


def in_order(drafts: Iterable[Draft]) -> list[Draft]:
    """Most convinced first, then most confident, then by name of strategy and instrument, so that it is always the same.

    A proposal without conviction comes after all that have some; confidence likewise.
    """

    def rank(draft: Draft) -> tuple[float, float, str, str]:
        proposal = draft.proposal
        conviction, confidence = (0.0 if value is None else -value for value in (proposal.conviction, proposal.confidence))
        return conviction, confidence, proposal.strategy, proposal.instrument

    return sorted(drafts, key=rank)
