"""The checked tree: every name resolved, every unit known, nothing left to refuse.

Expressions form a small core language; sugar is gone (`crosses above`, `in a..b`), names of definitions stay as `Ref` so that
explanations can use the trader's words. Declarations are records. No node refers to a syntax object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.records import Style
from tb.core.span import Span
from tb.core.units import Unit
from tb.dsl.checked_calendar import During, SessionTime
from tb.dsl.checked_capital import Capital
from tb.dsl.checked_cases import ConvictionSize, Producer, Table
from tb.dsl.checked_management import BreakEven, Take, Trailing

if TYPE_CHECKING:
    from tb.dsl.checked_legs import LegEnter


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

# --- declarations --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    value: Decimal
    unit: Unit
    low: Decimal | None
    high: Decimal | None
    step: Decimal | None
    doc: str
    text: str
    origin: str  # "rules/momentum.tb:6" or "tb.yaml"
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """`in_policy` says that a policy file defines it: constraints know no other groups."""

    name: str
    members: tuple[str, ...]
    in_policy: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Tier:
    name: str
    members: tuple[str, ...]
    weight_low: Decimal | None
    weight_high: Decimal | None
    hold_at_most: int | None  # ms
    span: Span
    where: Expr | None = None  # takes the instruments of the data for which it holds, in place of a list


@dataclass(frozen=True, slots=True)
class Universe:
    name: str
    venue: str | None
    tiers: tuple[Tier, ...]
    only_when: Expr | None
    span: Span

    def members(self) -> tuple[str, ...]:
        return tuple(symbol for tier in self.tiers for symbol in tier.members)

    @property
    def discovers(self) -> bool:
        """Whether a tier takes instruments by a condition, so that members are known only with the data."""
        return any(tier.where is not None for tier in self.tiers)

    def tier_of(self, symbol: str) -> Tier | None:
        return next((tier for tier in self.tiers if symbol in tier.members), None)


@dataclass(frozen=True, slots=True)
class RegimeCase:
    name: str
    condition: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    name: str
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Confidence:
    low: Decimal
    high: Decimal
    driver: Expr | None
    start: Decimal
    end: Decimal


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    when: Expr
    confidence: Confidence | None
    because: Template
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class SizeCase:
    """`share` is the ratio of equity spent, or risked where `risking`; `condition` None means always."""

    share: Expr
    risking: bool
    condition: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Level:
    """A stop or target. `kind`: `ratio` (of the entry price) or `distance` (a price distance) away from entry, `price`, `r`."""

    kind: str
    value: Expr
    side: str  # "below", "above", or "" for price and r
    span: Span


@dataclass(frozen=True, slots=True)
class EntryOrder:
    """How an entry asks to be filled. `price` is the limit or the trigger, None at market; `valid` ms or bars, None where the
    strategy says nothing."""

    style: Style
    price: Expr | None
    valid: Const | None
    post_only: bool
    span: Span
    skew: Expr | None = None  # how far a quote moves against what is held, in price
    is_quote: bool = False


@dataclass(frozen=True, slots=True)
class Enter:
    direction: str
    when: Expr
    sizes: tuple[SizeCase, ...]
    stop: Level | None
    target: Level | None
    because: Template
    span: Span
    by_conviction: ConvictionSize | None = None  # in place of `sizes`
    order: EntryOrder | None = None
    trailing: Trailing | None = None
    break_even: BreakEven | None = None
    takes: tuple[Take, ...] = ()


@dataclass(frozen=True, slots=True)
class ExitWhen:
    condition: Expr
    because: Template
    span: Span


@dataclass(frozen=True, slots=True)
class CoolDown:
    length: Const  # ms or bars
    after: str
    span: Span


@dataclass(frozen=True, slots=True)
class Strategy:
    name: str
    universe: str
    period: int  # ms
    enters: tuple[Enter, ...]
    exits: tuple[ExitWhen, ...]
    hold_at_most: Const | None
    cool_downs: tuple[CoolDown, ...]
    doc: str
    span: Span
    leg_enters: tuple[LegEnter, ...] = ()
    quotes: tuple[Enter, ...] = ()  # the bid and the ask, each as an entry


@dataclass(frozen=True, slots=True)
class Exemption:
    """What an `exception` says, for people and for the plan: `applies` is true while it holds, None where it always does.

    `passes` compares the measured side of the limit `limit` with the bound `bound` of the exception. `ends` is the instant, in
    ms, from which on it holds no longer, None where it has no end; `until` is its last day as written.
    """

    name: str
    limit: str
    loosens: bool
    applies: Expr | None
    passes: Comparison
    bound: str
    owner: str
    until: str
    ends: int | None
    because: str
    span: Span


@dataclass(frozen=True, slots=True)
class Constraint:
    """One hard rule. `passes` is true when the order may go; a `forbid` or `warn` or `pause` is turned into that form.

    `kind` is the word it was written with. `passes` is what the limit itself says, whatever exceptions loosen it.
    """

    name: str
    kind: str  # limit, forbid, require, pause, warn
    passes: Expr
    verdict: str  # of tb.core.records.LATTICE
    lasts: int | None  # ms of a pause; None otherwise
    until_tomorrow: bool
    every_order: bool
    because: str
    span: Span
    latches: bool = False  # failing starts a pause or halt that outlives the order
    level: str | None = None  # "warn": it warns in place of its verdict; "shadow": it is only recorded
    exemptions: tuple[Exemption, ...] = ()  # those that loosen it, or the one that it stands for and that tightens another


@dataclass(frozen=True, slots=True)
class Program:
    """Rules and policy of one project, checked together. Mappings keep the order of declaration (files by name)."""

    params: dict[str, Param]
    groups: dict[str, Group]
    universes: dict[str, Universe]
    regime: tuple[RegimeCase, ...]
    lets: dict[str, Let]
    triggers: dict[str, Trigger]
    strategies: dict[str, Strategy]
    constraints: tuple[Constraint, ...]
    currency: str
    limits_used: dict[str, str] = field(default_factory=dict)  # name of a limit -> how it is written
    limits_at: dict[str, str] = field(default_factory=dict)  # name of a limit -> where, as `policy/limits.yaml:3`
    signals: dict[str, Producer] = field(default_factory=dict)
    capital: Capital = field(default_factory=Capital)
    feeds: dict[str, Feed] = field(default_factory=dict)
    rates: tuple[str, ...] = ()  # other currencies whose worth in the account's is known
