"""propose legs: one draft for each leg of an entry or an exit, made at one instant and judged together.

Conditions, sizes and words are read at the instrument that the basket is looked at, prices at each leg's own bar that closed at
the same instant. A leg whose instrument has no such bar has no price, and then all of them are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from tb.core.settings import Settings
from tb.engine.baskets import BasketPlan, LegPlan
from tb.engine.plan import Plan, StrategyPlan
from tb.engine.say import say
from tb.gate.legs import Amount, Place, asked, hedged, net_share
from tb.gate.proposal import GONE, HELD_TOO_LONG, LEG_GONE, TOO_LONG, UNSAID, Proposal
from tb.gate.sizing import Sized, expected_price
from tb.runtime.drafts import Draft, Ready
from tb.runtime.leg_groups import name_of
from tb.runtime.ports import MarketView
from tb.runtime.positions import Position


class LegProposer:
    """Turns baskets whose condition holds, and groups of legs that should end, into drafts."""

    def __init__(self, plan: Plan, settings: Settings, view: MarketView) -> None:
        self.plan = plan
        self.settings = settings
        self.view = view

    # --- entries ---------------------------------------------------------------------------------------------------

    def entry(self, strategy: StrategyPlan, ready: Ready, at: int, equity: Decimal | None) -> Draft:
        """The first leg's draft, with all legs."""
        basket = strategy.basket(ready.symbol)
        assert basket is not None  # only baskets are looked at
        legs = basket.entries[ready.enter]
        places = [self.place(leg.symbol, leg.sign, strategy, at) for leg in legs]

        def values(node: int) -> float | None:
            return self.view.value(node, ready.symbol, ready.row)

        sizes = asked(self.plan.graph, legs, places, equity, values)
        plan = legs[0].entry
        confidence = None if plan.confidence is None else values(plan.confidence)
        conviction = None if plan.conviction is None else values(plan.conviction)
        reason = say(self.plan.graph, plan.because, values)
        group = name_of(strategy, basket)
        proposals = [
            self._entry(strategy, leg, place, sized, confidence, conviction, group)
            for leg, place, sized in zip(legs, places, sizes, strict=True)
        ]
        drafts = tuple(
            Draft(proposal, strategy, f"enter leg {place}", ready.enter, ready.row, plan.leaves, reason, None)
            for place, proposal in enumerate(in_the_light(proposals))
        )
        return replace(drafts[0], legs=drafts)

    def place(self, symbol: str, sign: int, strategy: StrategyPlan, at: int) -> Place:
        """What an order in the instrument is expected to pay now."""
        spec, row = self.settings.instrument(symbol), self.view.row(symbol, strategy.period, at)
        quote = None if row is None else self.view.quote(symbol, strategy.period, row)
        rate = self.view.rate(symbol, at)
        if spec is None or quote is None:
            return Place(None, spec, rate)
        return Place(expected_price(sign, quote, self.settings.venue_for(symbol).slippage, spec.tick), spec, rate)

    @staticmethod
    def _entry(
        strategy: StrategyPlan,
        leg: LegPlan,
        place: Place,
        sized: Sized,
        confidence: float | None,
        conviction: float | None,
        group: str,
    ) -> Proposal:
        return Proposal(
            strategy.name,
            leg.symbol,
            leg.sign,
            sized.quantity,
            place.price,
            None,
            None,
            sized.intended,
            confidence,
            f"{strategy.universe}.{strategy.tiers[leg.symbol]}",
            True,
            ", ".join(sized.missing) or None,
            conviction,
            group=group,
            rate=place.rate,
        )

    # --- exits -----------------------------------------------------------------------------------------------------

    def exit(self, strategy: StrategyPlan, positions: Sequence[Position], at: int, is_whole: bool) -> Draft | None:
        """What closes the legs that are held, where their time is over, their exit condition holds, or one of them is gone."""
        basket = strategy.basket(positions[0].instrument)
        assert basket is not None
        row = self.view.row(basket.looked_at, strategy.period, at)
        which = self._why(strategy, basket, positions, row, at) if is_whole else LEG_GONE
        if which is None:
            return None
        leaves: tuple[int, ...] = ()
        reason = {HELD_TOO_LONG: TOO_LONG, LEG_GONE: GONE}.get(which, "")
        if not reason:
            exit_ = basket.exits[which]
            leaves = exit_.leaves
            reason = say(self.plan.graph, exit_.because, self._values(basket.looked_at, row)) or UNSAID
        group = name_of(strategy, basket)
        proposals = in_the_light([self._exit(strategy, position, at, group) for position in positions])
        drafts = tuple(
            Draft(proposal, strategy, f"exit leg {place}", which, -1 if row is None else row, leaves, reason, position)
            for place, (proposal, position) in enumerate(zip(proposals, positions, strict=True))
        )
        return replace(drafts[0], legs=drafts)

    def _why(
        self, strategy: StrategyPlan, basket: BasketPlan, positions: Sequence[Position], row: int | None, at: int
    ) -> int | None:
        if row is None:
            return None
        longest = [strategy.holds[symbol] for symbol in basket.symbols if symbol in strategy.holds]
        if longest and at - min(position.entry.at for position in positions) >= min(longest):
            return HELD_TOO_LONG
        for which, exit_ in enumerate(basket.exits):
            if self.view.value(exit_.when, basket.looked_at, row) == 1.0:
                return which
        return None

    def _values(self, symbol: str, row: int | None) -> Callable[[int], float | None]:
        return lambda node: None if row is None else self.view.value(node, symbol, row)

    def _exit(self, strategy: StrategyPlan, position: Position, at: int, group: str) -> Proposal:
        place = self.place(position.instrument, -position.sign, strategy, at)
        return Proposal(
            strategy.name,
            position.instrument,
            -position.sign,
            position.remaining,
            place.price,
            None,
            None,
            None,
            None,
            f"{strategy.universe}.{strategy.tiers[position.instrument]}",
            False,
            group=group,
            rate=place.rate,
        )


def in_the_light(proposals: Sequence[Proposal]) -> list[Proposal]:
    """The legs' proposals, each knowing of the others."""
    amounts = [Amount(p.instrument, p.sign, p.quantity, p.price, p.rate) for p in proposals]
    return [
        replace(proposal, legs=len(proposals), hedged=hedged(amounts, at), net_share=net_share(amounts, at))
        for at, proposal in enumerate(proposals)
    ]


def drafts_at(legs: Sequence[Draft], quantities: Sequence[Decimal]) -> tuple[Draft, ...]:
    """The drafts of legs at other sizes."""
    pairs = zip(legs, quantities, strict=True)
    changed = in_the_light([replace(leg.proposal, quantity=quantity) for leg, quantity in pairs])
    return tuple(replace(leg, proposal=proposal) for leg, proposal in zip(legs, changed, strict=True))
