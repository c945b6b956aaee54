"""Checked expressions: a small core language in which every name is resolved and every unit known, and the texts of `because`.

`tb.dsl.checked` is where everyone reads them from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.span import Span
from tb.core.units import Unit
from tb.dsl.checked_calendar import During, SessionTime
from tb.dsl.checked_cases import Table


@dataclass(frozen=True, slots=True)
class Const:
    """A literal, or a parameter or limit by value. Durations in ms, ratios as fractions, money in currency units.

    `origin` names where a value comes from if not from the text itself: `param spike`, `limits.max_position_pct`; `of
    param spike` where it is computed from that, and the text is then the calculation.
    """

    value: Decimal | str
    unit: Unit
    text: str
    origin: str | None = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pips:
    """A price distance in pips; what a pip is worth is known for each instrument."""

    count: Decimal
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Field:
    """A market field of the instrument looked at: `close`, `spread`, `hour`."""

    name: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Depth:
    """`depth(10bps)`: money resting within that distance of the mid."""

    distance: Decimal
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Apply:
    """One output of a function of the vocabulary. Constants that are durations become bars when the period is known."""

    function: str
    constants: tuple[Const, ...]
    series: tuple[Expr, ...]
    output: int
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pointwise:
    """`abs`, `min`, `max`, `log`, ... and the arithmetic of one instant: `+ - * / neg`."""

    name: str
    arguments: tuple[Expr, ...]
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Shift:
    value: Expr
    bars: int
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class OfInstrument:
    value: Expr
    symbol: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class OfLeg:
    """`close of perp`: the value on the instrument of a strategy's leg; which that is is known for each of its assets."""

    value: Expr
    leg: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class OnPeriod:
    value: Expr
    period: int  # ms
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`lt le gt ge eq ne` of two values of meeting units."""

    operator: str
    left: Expr
    right: Expr
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` over two or more conditions."""

    operator: str
    items: tuple[Expr, ...]
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    value: Expr
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Lasting:
    """`for N bars` (`every` True) and `within N bars` (False); length in bars or as a duration."""

    condition: Expr
    length: Const
    every: bool
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class TierIs:
    tier: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class RegimeIs:
    case: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class FactRef:
    """A fact of order, account or book. `argument` is a scope (`BTC-USD`, a group's name, `order.instrument`, `group of
    order.instrument`), or a window (`today`, milliseconds), or empty."""

    name: str
    argument: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class IsSet:
    """Whether a fact is there; of a condition, which only exceptions ask, whether it is known."""

    value: Expr
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class OneOf:
    """An instrument (or name) is one of a list: a group's members, or the restricted list (`members` None)."""

    value: Expr
    members: tuple[str, ...] | None
    list_name: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of the points whose condition holds, from 0 to `out_of`; unknown where one condition is."""

    points: tuple[Decimal, ...]
    conditions: tuple[Expr, ...]
    out_of: Decimal
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Signal:
    """What a producer says: the direction and conviction of its first case that holds, neutral where none does.

    Unknown where a case before that one is unknown, and where the conviction is unknown or outside 1..10.
    """

    directions: tuple[str, ...]
    conditions: tuple[Expr, ...]
    convictions: tuple[Expr, ...]
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class SignalIs:
    """`rsi_reversion is long`: `direction` is long, short or neutral."""

    signal: Ref
    direction: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Conviction:
    """`rsi_reversion.conviction`: 0 where the signal is neutral."""

    signal: Ref
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Agree:
    """`agree(long, rsi_reversion, whale)`: how many of the signals say so."""

    direction: str
    signals: tuple[Ref, ...]
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Feed:
    """A series recorded beside the bars. `every` and `stale_after` are in ms; beyond `low` and `high` a value is unknown."""

    name: str
    unit: Unit
    low: Decimal | None
    high: Decimal | None
    per_instrument: bool
    every: int | None
    stale_after: int
    doc: str = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class FeedRead:
    """What a feed says as of the bar's close: its `value`, or its `age`, the time since its newest value became known."""

    feed: Feed
    part: str
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Ref:
    """A use of a `let`, a score, a signal, a table or a trigger by name. `kind` is `trigger`, or `let` for all others."""

    name: str
    kind: str
    unit: Unit
    span: Span = field(compare=False)


Expr = (
    Const
    | Pips
    | Field
    | Depth
    | Apply
    | Pointwise
    | Shift
    | OfInstrument
    | OfLeg
    | OnPeriod
    | Comparison
    | Logic
    | Not
    | Lasting
    | TierIs
    | RegimeIs
    | FactRef
    | IsSet
    | OneOf
    | Score
    | Signal
    | SignalIs
    | Conviction
    | Agree
    | Table
    | During
    | SessionTime
    | FeedRead
    | Ref
)

# --- templates -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hole:
    """`{trend:+.1%}`; `because_of` names a trigger or signal whose own text stands here instead of a value."""

    value: Expr | None
    because_of: str | None
    spec: str
    span: Span = field(compare=False)


Template = tuple[str | Hole, ...]
