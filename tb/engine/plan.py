"""The plans that read the rule graph: what each strategy looks at, and what judges its orders.

A plan holds node ids and plain values, in the order of the files; `tb.engine.planning` makes it. `leaves` of an entry are the
nodes at which its explanation stops: the values that a decision's snapshot stores, in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from tb.core.records import Style
from tb.core.span import Span
from tb.dsl import checked
from tb.engine.baskets import BasketPlan
from tb.engine.graph import RuleGraph
from tb.engine.leaves import enter_roots, word_nodes
from tb.engine.management import UNMANAGED, LevelPlan, ManagePlan
from tb.engine.signals import ConvictionSizePlan, SignalPlan


@dataclass(frozen=True, slots=True)
class HolePlan:
    """A value in a `because` text: `node` with its format, or a text that counts where `node` is true: that of a trigger, or of
    one case of a signal."""

    node: int
    spec: str
    inner: tuple[str | HolePlan, ...] | None  # that text; `node` is then a condition


Words = tuple[str | HolePlan, ...]


@dataclass(frozen=True, slots=True)
class SizePlan:
    share: int
    risking: bool
    condition: int | None


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """How an entry asks to be filled. `price` is the node of its limit or trigger; `valid` how long it rests, in ms; both are
    None at market."""

    style: Style
    price: int | None = None
    valid: int | None = None
    post_only: bool = False
    skew: int | None = None  # the node of how far a quote moves against what is held
    is_quote: bool = False


AT_MARKET = OrderPlan("market")


@dataclass(frozen=True, slots=True)
class EnterPlan:
    direction: str
    when: int
    sizes: tuple[SizePlan, ...]
    stop: LevelPlan | None
    target: LevelPlan | None
    confidence: int | None
    because: Words
    triggers: tuple[tuple[str, int], ...]  # named in the condition, with their nodes
    leaves: tuple[int, ...]
    span: Span
    signals: tuple[SignalPlan, ...] = ()  # named in the condition
    conviction: int | None = None  # of those signals
    by_conviction: ConvictionSizePlan | None = None  # in place of `sizes`
    order: OrderPlan = AT_MARKET
    manage: ManagePlan = UNMANAGED


@dataclass(frozen=True, slots=True)
class ExitPlan:
    when: int
    because: Words
    leaves: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class StrategyPlan:
    """`holds` gives the longest a position of each instrument may last, in ms; `cool_downs` lengths by cause.

    Where a tier takes instruments by a condition, `tier` is the node of the tier that an instrument has at a bar, `tier_names`
    what its values mean and `tier_holds` the longest a position of each tier may last. `members` and `tiers` then have those
    that are listed, until `bound` adds the instruments of the data.
    """

    name: str
    universe: str
    period: int
    members: tuple[str, ...]
    tiers: dict[str, str]
    membership: int | None
    enters: tuple[EnterPlan, ...]
    exits: tuple[ExitPlan, ...]
    holds: dict[str, int]
    cool_downs: dict[str, int]
    doc: str
    span: Span
    roots: tuple[int, ...] = field(repr=False)  # every node whose column a session reads
    baskets: tuple[BasketPlan, ...] = ()  # of a strategy whose entries have legs; it has no other entries then
    correlations: dict[str, int] = field(default_factory=dict)  # with each instrument, where one asks
    market: tuple[int, ...] = field(default=(), repr=False)  # what the policy reads of the market for each order
    tier: int | None = None
    tier_names: tuple[str, ...] = ()
    tier_holds: dict[str, int] = field(default_factory=dict)

    @property
    def quotes(self) -> bool:
        """Whether its two entries are the sides of a quote."""
        return any(enter.order.is_quote for enter in self.enters)

    def basket(self, symbol: str) -> BasketPlan | None:
        """The basket that an instrument is a leg of."""
        return next((basket for basket in self.baskets if symbol in basket.symbols), None)

    def looks(self) -> tuple[str, ...]:
        """The instruments at whose bars conditions are looked at."""
        return tuple(basket.looked_at for basket in self.baskets) if self.baskets else self.members

    def together(self, symbol: str) -> tuple[str, ...]:
        """The instruments that enter and leave together with this one, itself included."""
        basket = self.basket(symbol)
        return (symbol,) if basket is None else basket.symbols

    def looked_at(self, symbol: str) -> str:
        """The instrument at whose bars the conditions about this one are evaluated."""
        basket = self.basket(symbol)
        return symbol if basket is None else basket.looked_at

    def entries_of(self, symbol: str) -> tuple[EnterPlan, ...]:
        basket = self.basket(symbol)
        return self.enters if basket is None else basket.entries_of(symbol)

    def exits_of(self, symbol: str) -> tuple[ExitPlan, ...]:
        basket = self.basket(symbol)
        return self.exits if basket is None else basket.exits

    def membership_of(self, symbol: str) -> int | None:
        basket = self.basket(symbol)
        return self.membership if basket is None else basket.membership

    def reads(self, symbol: str) -> tuple[int, ...]:
        """Every node whose column is read of an instrument."""
        basket = self.basket(symbol)
        if basket is None:
            return self.roots
        return basket.roots if symbol == basket.looked_at else self.market

    def can_trade(self, symbols: Collection[str]) -> bool:
        """Whether the instruments are enough for an entry: one that it covers, or all legs of one of its baskets."""
        if self.baskets:
            return any(all(symbol in symbols for symbol in basket.symbols) for basket in self.baskets)
        return any(symbol in symbols for symbol in self.members)

    def covers(self, symbol: str) -> bool:
        """Whether the strategy may ever trade an instrument."""
        return self.tier is not None or symbol in self.tiers

    def tier_at(self, symbol: str, value: Callable[[int], float | None]) -> str | None:
        """The name of the tier that an instrument is in; `value` reads a node at the bar. None outside of the universe."""
        if self.tier is None:
            return self.tiers.get(symbol)
        found = value(self.tier)
        return self.tier_names[int(found)] if found is not None and found >= 0 else None

    def longest_hold(self, symbol: str, tier: str) -> int | None:
        """How long a position may last, in ms, that was entered while the instrument was in that tier; None without bound."""
        return self.holds.get(symbol) if self.tier is None else self.tier_holds.get(tier)


@dataclass(frozen=True, slots=True)
class ExemptionPlan:
    """One exception. `applies` is true while it holds (None: always), `passes` where the order keeps to its bound."""

    said: checked.Exemption
    applies: int | None
    passes: int


@dataclass(frozen=True, slots=True)
class ConstraintPlan:
    """One constraint for one period. `node` is true where the order may go; `level` as in `checked.Constraint`.

    `measure` is the comparison of an upper limit whose use is told, None where there is none. It does not know the exceptions
    that loosen the limit; `node` does.
    """

    name: str
    kind: str
    node: int
    verdict: str
    lasts: int | None
    until_tomorrow: bool
    every_order: bool
    latches: bool
    reads_order: bool
    because: str
    span: Span
    level: str | None = None
    measure: int | None = None
    exemptions: tuple[ExemptionPlan, ...] = ()
    reads_book: bool = False  # it is about the book of the order: what it sets holds for that book

    @property
    def loosened(self) -> tuple[ExemptionPlan, ...]:
        """The exceptions that may let an order pass which the limit itself would not."""
        return tuple(exemption for exemption in self.exemptions if exemption.said.loosens)

    @property
    def acts(self) -> str | None:
        """The verdict that failing has; None where it is recorded and nothing more."""
        return None if self.level == "shadow" else "warn" if self.level == "warn" else self.verdict


@dataclass(frozen=True, slots=True)
class PolicyPlan:
    """The constraints, built for one period. `leaves`: what the generated decision function reads, in its order."""

    period: int
    constraints: tuple[ConstraintPlan, ...]
    leaves: tuple[int, ...]
    market: tuple[int, ...]  # those leaves that are market nodes


@dataclass(frozen=True, slots=True)
class Plan:
    """A program ready to run."""

    program: checked.Program
    graph: RuleGraph
    strategies: tuple[StrategyPlan, ...]
    policies: dict[int, PolicyPlan]  # by period
    tiers: dict[tuple[str, str], tuple[str, ...]]

    def strategy(self, name: str) -> StrategyPlan:
        return next(s for s in self.strategies if s.name == name)

    def instruments(self) -> tuple[str, ...]:
        """Every instrument that a strategy covers, in order of first mention."""
        return tuple(dict.fromkeys(symbol for s in self.strategies for symbol in s.members))


def bound(found: Plan, symbols: Iterable[str]) -> Plan:
    """The plan for the instruments of some data: strategies of a universe with discovery may trade each of these."""
    here = tuple(symbols)
    if all(strategy.tier is None for strategy in found.strategies):
        return found
    strategies = (
        s if s.tier is None else replace(s, members=tuple(dict.fromkeys((*s.members, *here)))) for s in found.strategies
    )
    return replace(found, strategies=tuple(strategies))


def with_data(found: Plan, symbols: Iterable[str]) -> Plan:
    """The plan for the instruments of some data, `bound` to them, without the strategies that would trade none of these and the
    policies of periods that no other strategy has. Where nothing were left, everything is kept."""
    here, plan = frozenset(symbols), bound(found, symbols)
    strategies = tuple(s for s in plan.strategies if s.can_trade(here))
    if not strategies:
        return plan
    periods = dict.fromkeys(strategy.period for strategy in strategies)
    return replace(plan, strategies=strategies, policies={p: policy for p, policy in plan.policies.items() if p in periods})


def roots_of(entry: EnterPlan | ExitPlan) -> list[int]:
    """The nodes that an entry or exit reads: condition, words, size, levels."""
    return enter_roots(entry) if isinstance(entry, EnterPlan) else [entry.when, *word_nodes(entry.because)]
