"""Legs of the checked tree: orders of one strategy that enter together and leave together."""

from __future__ import annotations

from dataclasses import dataclass

from tb.core.settings import DERIVATIVES
from tb.core.span import Span
from tb.dsl.checked import Expr, Strategy, Template, Universe


@dataclass(frozen=True, slots=True)
class Leg:
    """`word` names a tier of the universe, or an instrument where `is_tier` is False.

    `share` is the ratio of equity spent; None where the leg is as large as the first one, by `same`: quantity or money.
    """

    side: str  # "buy" or "sell"
    word: str
    is_tier: bool
    share: Expr | None
    same: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class LegEnter:
    """All legs of one strategy name the same words in each of its entries; the first has a `share`."""

    when: Expr
    legs: tuple[Leg, ...]
    because: Template
    span: Span


@dataclass(frozen=True, slots=True)
class Basket:
    """The instruments that one entry is about: `members` are (word, instrument) in the order of the first entry's legs.

    `name` is the asset they share where words are tiers, else the instruments joined by ` + `.
    """

    name: str
    members: tuple[tuple[str, str], ...]

    @property
    def looked_at(self) -> str:
        """The instrument that conditions look at: that of the first leg."""
        return self.members[0][1]


def asset_of(symbol: str) -> str:
    """What an instrument is about: `BTC` of `BTC-USD`, `EUR` of `EUR_USD`."""
    return symbol.replace("_", "-").replace("/", "-").split("-")[0]


def is_perpetual(symbol: str) -> bool:
    """Whether an instrument's name says that it is one that pays funding: `BTC-PERP`, `ETH-USDT-SWAP`."""
    return not DERIVATIVES.isdisjoint(symbol.replace("_", "-").replace("/", "-").split("-")[1:])


def baskets(strategy: Strategy, universe: Universe) -> tuple[Basket, ...]:
    """One for each asset that has an instrument in every tier named, in the order of the first tier; of instruments, one."""
    if not strategy.leg_enters:
        return ()
    legs = strategy.leg_enters[0].legs
    if not legs[0].is_tier:
        return (Basket(" + ".join(leg.word for leg in legs), tuple((leg.word, leg.word) for leg in legs)),)
    tiers = {tier.name: {asset_of(member): member for member in tier.members} for tier in universe.tiers}
    return tuple(
        Basket(asset, tuple((leg.word, tiers[leg.word][asset]) for leg in legs))
        for asset in tiers.get(legs[0].word, {})
        if all(asset in tiers.get(leg.word, {}) for leg in legs)
    )
