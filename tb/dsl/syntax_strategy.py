"""Strategies of the parsed tree: entries with size, levels and order, legs, quotes, and what ends a position."""

from __future__ import annotations

from dataclasses import dataclass, field

from tb.core.span import Span
from tb.dsl.syntax_expressions import Expr, Name, Number, Symbol, Text


@dataclass(frozen=True, slots=True)
class SizeCase:
    """`5% of equity if tier is core`, `risking 1% of equity`; `condition` is None for `otherwise` and for a lone size."""

    amount: Expr
    risking: bool
    condition: Expr | None
    otherwise: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ConvictionSize:
    """`size conviction 1..10 as 1%..5% of equity`: the size grows with conviction; `whole` is what it is a share of.

    Conviction below `low` has the size at `low`, above `high` that at `high`. `risking` as in `SizeCase`.
    """

    low: Number
    high: Number
    risking: bool
    share_low: Expr
    share_high: Expr
    whole: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Order:
    """`order limit at mid, valid 5m, post only`; `kind` is market, limit or stop, `price` is None for market alone."""

    kind: str
    price: Expr | None
    valid: Number | None
    post_only: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Distance:
    """`8% below entry`, `2 * atr(14) above entry`."""

    amount: Expr
    side: str  # "below" or "above"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class AtPrice:
    """`at low[1] - 2 pips`."""

    price: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class InR:
    """`2.5R` (a target only)."""

    multiple: Number
    span: Span = field(compare=False)


ExitLevel = Distance | AtPrice | InR


@dataclass(frozen=True, slots=True)
class Trailing:
    """`stop trailing 3%`, `stop trailing 2 * atr(14) after 1R`: `after` is the profit from which it trails."""

    distance: Expr
    after: Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class BreakEven:
    """`stop to entry after 1R`: with that profit the stop moves to the price of entry."""

    after: Number
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Take:
    """`take 50% at 1R`, `take 30% at 4% above entry`, `take 20% at high[1]`: part of the position leaves at that level.

    `share` is of the position as it was entered: a Number, or a Name of one.
    """

    share: Expr
    level: ExitLevel
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Enter:
    """`enter long when ...` with its lines. `by_conviction` stands in place of `sizes`."""

    direction: str  # "long" or "short"
    when: Expr
    sizes: tuple[SizeCase, ...]
    by_conviction: ConvictionSize | None
    order: Order | None
    stop: ExitLevel | None
    break_even: BreakEven | None
    trailing: Trailing | None
    takes: tuple[Take, ...]
    target: ExitLevel | None
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Leg:
    """`leg buy spot 10% of equity`, `leg sell perp same quantity`.

    `instrument` is a role (`spot`, `perp`) or an instrument; `same` is quantity or money, of the first leg, or None where
    `size` says how much.
    """

    side: str  # "buy" or "sell"
    instrument: Name | Symbol
    size: Expr | None
    same: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class LegEnter:
    """`enter when ...` with its legs: all of them or none."""

    when: Expr
    legs: tuple[Leg, ...]
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Skew:
    """`skew by position, at most 0.5 of half_spread`: quotes move against the position held."""

    at_most: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Quote:
    """`quote bid mid - half_spread, ask mid + half_spread` with its size, skew and condition."""

    bid: Expr
    ask: Expr
    sizes: tuple[SizeCase, ...]
    skew: Skew | None
    only_when: Expr | None
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ExitWhen:
    condition: Expr
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class CoolDown:
    """`cool down 4h after exit`, `cool down 12h after loss`, `cool down 3 bars after stop`; `after` is exit, loss or stop."""

    length: Number
    after: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Strategy:
    """`leg_enters` are entries of several legs that enter and leave together; `quotes` rest in the book on both sides."""

    name: str
    universe: str
    every: Number
    enters: tuple[Enter, ...]
    leg_enters: tuple[LegEnter, ...]
    quotes: tuple[Quote, ...]
    exits: tuple[ExitWhen, ...]
    hold_at_most: Number | None
    cool_downs: tuple[CoolDown, ...]
    doc: str | None
    span: Span = field(compare=False)
