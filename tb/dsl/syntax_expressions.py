"""Expressions of the parsed tree, and the small literals beside them: days, times of day, instants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal

from tb.core.span import Span


@dataclass(frozen=True, slots=True)
class Number:
    """`5%`, `20bps`, `10k USD`, `60_000 USD/BTC`, `24h`, `3 bars`, `2.5R`, `2 pips`, `1.5`.

    `value` is the number before its unit and after its `k`, `M` or `B` (so `10k USD` has 10000); `unit` is the unit's
    text: `%`, `bps`, `s`, `m`, `h`, `d`, `w`, `bars`, `R`, `pips`, a currency (`USD`), `USD/BTC`, or None.
    """

    value: Decimal
    unit: str | None
    text: str = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text; `value` has no quotes. `{...}` inside a `because` is parsed by `tb.dsl.template`."""

    value: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """`close`, `order.stop`, `limits.max_position_pct`: one or more words joined by dots."""

    parts: tuple[str, ...]
    span: Span = field(compare=False)

    @property
    def text(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Symbol:
    """An instrument written out: `BTC-USD`, `EUR_USD`."""

    symbol: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`sma(close, 20)`, `after.exposure(order.instrument)`, `rsi(close, length: 14)`."""

    name: Name
    arguments: tuple[Expr, ...]
    named: tuple[tuple[str, Expr], ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One output of a call that has several: `macd(close).signal`."""

    value: Expr
    name: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Shift:
    """`close[1]`: the value that many closed bars ago."""

    value: Expr
    bars: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class AtPeriod:
    """`rsi(close, 14)@4h`: on closed bars of another period."""

    value: Expr
    period: Number
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Of:
    """`close of BTC-USD`, `5% of equity`, `group of order.instrument`: told apart by the checker."""

    value: Expr
    whole: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class AtMoment:
    """`equity at day_start`."""

    value: Expr
    moment: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `not x`."""

    operator: str
    operand: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`+ - * /`, `and`, `or`."""

    operator: str
    left: Expr
    right: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """`< <= > >= == !=`."""

    operator: str
    left: Expr
    right: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Between:
    """`x in 40..60`: both ends belong to it."""

    value: Expr
    low: Expr
    high: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """`order.instrument in restricted`, `order.instrument not in layer1`."""

    value: Expr
    of: Expr
    negated: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Is:
    """`tier is core`, `regime is not crash`, `order.stop is set`, `order.stop is not set`."""

    value: Expr
    word: str
    negated: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Crosses:
    """`ema(close, 20) crosses above ema(close, 50)`; `direction` is `above` or `below`."""

    left: Expr
    direction: str
    right: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ForBars:
    """`rsi(close, 14) > 80 for 3 bars`: at each of the last n bars. `length` is a Number in bars or a duration."""

    condition: Expr
    length: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class WithinBars:
    """`x crosses above y within 5 bars`: at one of the last n bars at least."""

    condition: Expr
    length: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class During:
    """`during london`: the bar closes inside that session."""

    session: str
    span: Span = field(compare=False)


Expr = (
    Number
    | Text
    | Name
    | Symbol
    | Call
    | Part
    | Shift
    | AtPeriod
    | Of
    | AtMoment
    | Unary
    | Binary
    | Compare
    | Between
    | Member
    | Is
    | Crosses
    | ForBars
    | WithinBars
    | During
)


@dataclass(frozen=True, slots=True)
class Date:
    """`2026-12-31`: a day of the calendar."""

    value: date
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Clock:
    """`08:00`: a time of day, of no zone yet."""

    value: time
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Instant:
    """`2026-12-31`, `2026-12-31 08:00`: in UTC, at the start of the day where no time is said."""

    day: Date
    clock: Clock | None
    span: Span = field(compare=False)
