"""The parsed tree: what a file says, before anybody asks whether it makes sense.

Frozen, slotted, closed unions. Every node carries its span, which takes no part in equality, so two trees are equal when
they say the same. Numbers keep the text the user wrote, for the formatter. Comments are kept beside the tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.span import Span

# --- expressions ---------------------------------------------------------------------------------------------------


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
)

# --- declarations --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use:
    """`use triggers`: the definitions of `rules/triggers.tb`."""

    module: str
    span: Span = field(compare=False)


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
    """`tier core  BTC-USD, ETH-USD  weight 5%..40%, hold at most 72h`."""

    name: str
    members: tuple[Symbol, ...]
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
class SizeCase:
    """`5% of equity if tier is core`, `risking 1% of equity`; `condition` is None for `otherwise` and for a lone size."""

    amount: Expr
    risking: bool
    condition: Expr | None
    otherwise: bool
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
class Enter:
    """`enter long when ...` with its size, stop, target and because."""

    direction: str  # "long" or "short"
    when: Expr
    sizes: tuple[SizeCase, ...]
    stop: ExitLevel | None
    target: ExitLevel | None
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
    name: str
    universe: str
    every: Number
    enters: tuple[Enter, ...]
    exits: tuple[ExitWhen, ...]
    hold_at_most: Number | None
    cool_downs: tuple[CoolDown, ...]
    doc: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Otherwise:
    """`otherwise reject`, `otherwise shrink`, `otherwise pause for 60m`, `otherwise halt`, `otherwise halt until tomorrow`."""

    verdict: str  # "reject", "shrink", "pause", "halt"
    length: Number | None  # of a pause
    until_tomorrow: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Limit:
    """`limit position  after.exposure(order.instrument) <= 5% of equity  otherwise shrink  on every order  because "..."`."""

    name: str
    condition: Expr  # a Compare; anything else is for the checker to refuse
    otherwise: Otherwise | None
    every_order: bool
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Forbid:
    """`forbid thin when spread > 60bps`."""

    name: str
    when: Expr
    otherwise: Otherwise | None
    every_order: bool
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Require:
    """`require protected order.stop is set` (policy files only)."""

    name: str
    condition: Expr
    otherwise: Otherwise | None
    every_order: bool
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """`pause losing_streak for 60m after 3 losses in a row`, or `pause name for 60m when <condition>`."""

    name: str
    length: Number
    losses: int | None
    when: Expr | None
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Warn:
    """`warn big_day when entries(today) >= 8`."""

    name: str
    when: Expr
    because: Text | None
    span: Span = field(compare=False)


Constraint = Limit | Forbid | Require | Pause | Warn
Declaration = (
    Use | Param | ParamRequire | Group | Universe | Regime | Let | Trigger | Strategy | Limit | Forbid | Require | Pause | Warn
)

# --- a file --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comment:
    """`text` starts with `#`; `alone` says that nothing else stands on its line."""

    line: int
    column: int
    text: str
    alone: bool


@dataclass(frozen=True, slots=True)
class File:
    """One file of rules or policy. `is_policy` says which of the two grammars of `require` it was read with."""

    path: str
    is_policy: bool
    doc: str | None
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(compare=False)
    text: str = field(compare=False)
