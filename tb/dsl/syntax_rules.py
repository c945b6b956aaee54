"""Declarations of the parsed tree that rule files hold, strategies excepted: names, markets, and what is seen in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tb.core.span import Span
from tb.dsl.syntax_expressions import Clock, Date, Expr, Number, Symbol, Text


@dataclass(frozen=True, slots=True)
class Use:
    """`use triggers`: the definitions of `rules/triggers.tb`; `use std.controls: position, collar`: these of the library.

    `picked` is empty where nothing is named: then everything is meant.
    """

    module: str
    picked: tuple[str, ...]
    span: Span = field(compare=False)
    places: tuple[Span, ...] = field(default=(), compare=False)  # of what is picked

    def place(self, name: str) -> Span:
        """Where that name stands; the whole line where it is not among those picked."""
        return self.places[self.picked.index(name)] if name in self.picked and self.places else self.span


@dataclass(frozen=True, slots=True)
class Param:
    """`param fast = 20 in 5..50 step 5 "doc"`."""

    name: str
    value: Expr
    low: Expr | None
    high: Expr | None
    step: Expr | None
    doc: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ParamRequire:
    """`require fast < slow`: a constraint between parameters (rule files only)."""

    condition: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """`group layer1: BTC-USD, ETH-USD`."""

    name: str
    members: tuple[Symbol, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Tier:
    """`tier core  BTC-USD, ETH-USD  weight 5%..40%, hold at most 72h`, or `tier liquid  where volume_usd(24h) >= 20M USD`.

    Either `members` are listed, or `where` says which instruments of the venue belong to it.
    """

    name: str
    members: tuple[Symbol, ...]
    where: Expr | None
    weight_low: Number | None
    weight_high: Number | None
    hold_at_most: Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Universe:
    """`universe majors on coinbase` and its tiers; `only_when` is the condition of membership."""

    name: str
    venue: str | None
    tiers: tuple[Tier, ...]
    only_when: Expr | None
    doc: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class RegimeCase:
    """One line of `regime`; `condition` is None for `otherwise`, which stands last."""

    name: str
    condition: Expr | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Regime:
    cases: tuple[RegimeCase, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Let:
    name: str
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Function:
    """`let above_mean(x, n) = x / mean(x, n) - 1`."""

    name: str
    parameters: tuple[str, ...]
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Confidence:
    """`confidence 0.5..0.9 as relative_volume goes 1.5..4`; without `as`, low and high are equal and `driver` is None."""

    low: Number
    high: Number
    driver: Expr | None
    start: Number | None
    end: Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    when: Expr
    confidence: Confidence | None
    because: Text | None
    doc: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class SignalCase:
    """`long when rsi(close, 14) < 30  conviction 7  because "oversold"`; `direction` is long or short."""

    direction: str
    when: Expr
    conviction: Expr
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Signal:
    """`signal NAME` and its cases, tried from the top: a direction, a conviction from 1 to 10, a reason."""

    name: str
    cases: tuple[SignalCase, ...]
    doc: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Points:
    """`+3 when bullish_fvg`, `-2 when spread > 10bps`; `sign` is `+` or `-`."""

    sign: str
    points: Number
    when: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Score:
    """`score confluence of 10` and its lines: the sum of the points whose condition holds."""

    name: str
    out_of: Number
    lines: tuple[Points, ...]
    doc: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Feed:
    """`feed headlines: number in -1..1 per instrument every 1h, stale after 6h "doc"`.

    `kind` is number, ratio, price, money, quantity, truth or text.
    """

    name: str
    kind: str
    low: Expr | None
    high: Expr | None
    per_instrument: bool
    every: Number | None
    stale_after: Number
    doc: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Session:
    """`session london: 08:00..16:30 Europe/London on weekdays except 2026-12-25`.

    `days` are `Mon` to `Sun` in order of the week, all seven where none are said; `closed` are the days left out. A session
    that ends before it starts crosses midnight, and belongs to the day on which it starts.
    """

    name: str
    start: Clock
    end: Clock
    zone: str
    days: tuple[str, ...]
    closed: tuple[Date, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class AnyCell:
    """`any`: the column does not matter to this row."""

    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class CompareCell:
    """`< 1%`, `>= 3`: the column compared with a value."""

    operator: str
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class RangeCell:
    """`1%..3%`: both ends belong to it."""

    low: Expr
    high: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class EqualCell:
    """`bull`, `not crash`, `yes`, `70`: what the column is, or is not."""

    value: Expr
    negated: bool
    span: Span = field(compare=False)


Cell = AnyCell | CompareCell | RangeCell | EqualCell


@dataclass(frozen=True, slots=True)
class TableRow:
    """`< 1% | bull | 5%`: one cell for each column, and the outcome. `otherwise | 1%` has no cells and stands last."""

    cells: tuple[Cell, ...]
    outcome: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """`table NAME`, a head `COLUMN | COLUMN | OUTCOME`, and rows: the first that fits gives the table its value."""

    name: str
    columns: tuple[Expr, ...]
    outcome: str
    rows: tuple[TableRow, ...]
    doc: str | None
    span: Span = field(compare=False)
