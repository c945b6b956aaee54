"""Entries of several legs, planned: one basket for each asset, whose instruments enter together and leave together.

Each leg has an entry plan of its own, as if it were an entry alone, so that sizes, words and explanations are those of any
order. They share condition, words and leaves, which are read at the instrument that the basket is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tb.dsl import checked
from tb.dsl.checked_legs import Basket, LegEnter

if TYPE_CHECKING:
    from tb.engine.plan import EnterPlan, ExitPlan


@dataclass(frozen=True, slots=True)
class LegPlan:
    """`same` says of what it has as much as the first leg: quantity or money; None where its entry has a size."""

    symbol: str
    same: str | None
    entry: EnterPlan

    @property
    def sign(self) -> int:
        return 1 if self.entry.direction == "long" else -1


@dataclass(frozen=True, slots=True)
class BasketPlan:
    """`entries` are the legs of each `enter when`, in order. `membership` is true where every leg is in the universe."""

    name: str
    symbols: tuple[str, ...]
    looked_at: str
    membership: int | None
    entries: tuple[tuple[LegPlan, ...], ...]
    exits: tuple[ExitPlan, ...]
    roots: tuple[int, ...] = field(default=(), repr=False)  # every node whose column is read where the basket is looked at

    def entries_of(self, symbol: str) -> tuple[EnterPlan, ...]:
        """The entry plans of one instrument, one for each `enter when`."""
        return tuple(leg.entry for legs in self.entries for leg in legs if leg.symbol == symbol)


def leg_entries(entry: LegEnter, basket: Basket) -> Iterator[tuple[str, str | None, checked.Enter]]:
    """Each leg as an entry of its own: its instrument, what it has the same of, and what would be written for it alone."""
    symbols = dict(basket.members)
    for leg in entry.legs:
        sizes = () if leg.share is None else (checked.SizeCase(leg.share, False, None, leg.span),)
        direction = "long" if leg.side == "buy" else "short"
        yield symbols[leg.word], leg.same, checked.Enter(direction, entry.when, sizes, None, None, entry.because, leg.span)


def in_universe(only_when: checked.Expr, basket: Basket) -> checked.Expr:
    """True where every leg of the basket is in its universe."""
    parts = tuple(checked.OfInstrument(only_when, symbol, only_when.unit, only_when.span) for _, symbol in basket.members)
    return checked.Logic("and", parts, only_when.unit, only_when.span)
