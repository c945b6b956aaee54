"""The plans that read the rule graph: what each strategy looks at, and what judges its orders.

`plan` builds the whole graph once and freezes it. A plan holds node ids and plain values, in the order of the files. `leaves`
of an entry are the nodes at which its explanation stops: the values that a decision's snapshot stores, in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tb.core.records import Style
from tb.core.span import Span
from tb.core.units import Kind
from tb.dsl import checked
from tb.dsl.checked_legs import Basket, baskets
from tb.engine.baskets import BasketPlan, LegPlan, in_universe, leg_entries
from tb.engine.build import Builder, Context
from tb.engine.graph import RuleGraph
from tb.engine.leaves import columns_read, enter_roots, exit_with_leaves, finish_basket, leaves_of, with_leaves, word_nodes
from tb.engine.likeness import correlations
from tb.engine.management import UNMANAGED, LevelPlan, ManagePlan, level_plan, manage_plan
from tb.engine.signals import ConvictionSizePlan, SignalPlan, signal_plan, signals_in, size_of


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


# leaves every policy reads, so that sizing and shrinking can be computed again from the record
_ALWAYS = ("order.quantity", "order.price", "order.stop", "order.target", "equity", "order.instrument", "order.side")


_OF_BOOK = ("order.book", "equity of book")  # and where there are books


def plan(program: checked.Program, builder: Builder | None = None) -> Plan:
    """The rule graph of a program and its plans.

    A builder that is handed in can build more afterwards, such as what tests ask: its nodes come after those of the plan,
    which stay as they are.
    """
    builder = builder or Builder(program)
    drafts = [_Drafter(builder, strategy).draft() for strategy in program.strategies.values()]
    periods = sorted({draft.period for draft in drafts}) or [3_600_000]
    constraints = {period: _constraints(builder, program, period) for period in periods}
    named = (*_ALWAYS, *_OF_BOOK) if program.capital.books else _ALWAYS
    always = {
        period: [builder.fact(name, "", program_span(program), Context(period, "", True)) for name in named]
        for period in periods
    }
    graph = builder.graph.freeze()
    policies = {}
    for period in periods:
        leaves = leaves_of(graph, [*always[period], *(c.node for c in constraints[period])], in_policy=True)
        market = tuple(leaf for leaf in leaves if graph[leaf].stage == "market")
        finished = tuple(_mark_order(graph, c) for c in constraints[period])
        policies[period] = PolicyPlan(period, finished, leaves, market)
    strategies = tuple(_finish(graph, draft, policies[draft.period]) for draft in drafts)
    tiers = {(u.name, t.name): t.members for u in program.universes.values() for t in u.tiers}
    return Plan(program, graph, strategies, policies, tiers)


def bound(found: Plan, symbols: Iterable[str]) -> Plan:
    """The plan for the instruments of some data: strategies of a universe with discovery may trade each of these."""
    here = tuple(symbols)
    if all(strategy.tier is None for strategy in found.strategies):
        return found
    strategies = (
        s if s.tier is None else replace(s, members=tuple(dict.fromkeys((*s.members, *here)))) for s in found.strategies
    )
    return replace(found, strategies=tuple(strategies))


def program_span(program: checked.Program) -> Span:
    return program.constraints[0].span if program.constraints else Span("std/venue.tb", 1, 1, 1, 1)


def _constraints(builder: Builder, program: checked.Program, period: int) -> tuple[ConstraintPlan, ...]:
    return tuple(_constraint(builder, c, Context(period, "", True)) for c in program.constraints)


def _constraint(builder: Builder, c: checked.Constraint, context: Context) -> ConstraintPlan:
    passes = builder.expression(c.passes, context)
    exemptions = tuple(_exemption(builder, e, context) for e in c.exemptions)
    node = builder.eased(passes, [(e.applies, e.passes) for e in exemptions if e.said.loosens], c.span)
    is_upper = c.kind == "limit" and isinstance(c.passes, checked.Comparison) and c.passes.operator in {"lt", "le"}
    return ConstraintPlan(
        c.name,
        c.kind,
        node,
        c.verdict,
        c.lasts,
        c.until_tomorrow,
        c.every_order,
        c.latches,
        True,
        c.because,
        c.span,
        c.level,
        passes if is_upper else None,
        exemptions,
    )


def _exemption(builder: Builder, said: checked.Exemption, context: Context) -> ExemptionPlan:
    applies = None if said.applies is None else builder.expression(said.applies, context)
    return ExemptionPlan(said, applies, builder.expression(said.passes, context))


def _mark_order(graph: RuleGraph, constraint: ConstraintPlan) -> ConstraintPlan:
    """Whether a constraint reads the order or its instrument; one that does not can be watched without an order."""
    reads = reads_book = False
    for id_ in graph.reach((constraint.node,)):
        node = graph[id_]
        if node.stage == "market" or (node.op == "fact" and _is_of_order(str(node.consts[0]), str(node.consts[1]))):
            reads = True
        if node.op == "fact" and _is_of_book(str(node.consts[0])):
            reads_book = True
    fields = {name: getattr(constraint, name) for name in ConstraintPlan.__dataclass_fields__}
    return ConstraintPlan(**{**fields, "reads_order": reads, "reads_book": reads_book})


_OF_ORDER = ("order.", "scope.", "book.", "strategy.", "parent.", "venue.", "votes_for", "kelly.", "allocation.")


def _is_of_order(name: str, argument: str) -> bool:
    if name == "order.book":
        return False
    if name.startswith(_OF_ORDER) or name in {"data_age", "self_match"}:
        return True
    return "order.instrument" in argument


def _is_of_book(name: str) -> bool:
    return name == "order.book" or name.endswith(" of book")


@dataclass(slots=True)
class _Draft:
    strategy: checked.Strategy
    period: int
    universe: checked.Universe
    membership: int | None
    enters: list[EnterPlan]
    exits: list[ExitPlan]
    baskets: list[BasketPlan]
    tier: int | None
    correlations: dict[str, int] = field(default_factory=dict)


class _Drafter:
    """Builds one strategy's nodes; leaves are found once the graph is frozen."""

    def __init__(self, builder: Builder, strategy: checked.Strategy, legs: tuple[tuple[str, str], ...] = ()) -> None:
        self.builder = builder
        self.strategy = strategy
        self.universe = builder.program.universes[strategy.universe]
        self.context = Context(strategy.period, strategy.universe, False, legs)

    def draft(self) -> _Draft:
        found = baskets(self.strategy, self.universe)
        if found:
            planned = [_Drafter(self.builder, self.strategy, basket.members).basket(basket) for basket in found]
            return _Draft(self.strategy, self.strategy.period, self.universe, None, [], [], planned, None)
        membership = self._node(self.universe.only_when) if self.universe.only_when is not None else None
        tier = self.builder.tier(self.universe, self.context) if self.universe.discovers else None
        if tier is not None:
            inside = self.builder.member(tier, self.context, self.universe.span)
            membership = (
                inside if membership is None else self.builder.both(inside, membership, self.context, self.universe.span)
            )
        enters = [self._enter(enter) for enter in (*self.strategy.enters, *self.strategy.quotes)]
        alike = correlations(self.builder, self.universe, self.strategy.period)
        return _Draft(self.strategy, self.strategy.period, self.universe, membership, enters, self._exits(), [], tier, alike)

    def basket(self, basket: Basket) -> BasketPlan:
        """The plan of the legs of one asset, in whose context this drafter stands."""
        only_when = self.universe.only_when
        membership = None if only_when is None else self._node(in_universe(only_when, basket))
        entries = tuple(
            tuple(LegPlan(symbol, same, self._enter(enter)) for symbol, same, enter in leg_entries(entry, basket))
            for entry in self.strategy.leg_enters
        )
        symbols = tuple(symbol for _, symbol in basket.members)
        return BasketPlan(basket.name, symbols, basket.looked_at, membership, entries, tuple(self._exits()))

    def _exits(self) -> list[ExitPlan]:
        return [ExitPlan(self._node(e.condition), self._words(e.because), (), e.span) for e in self.strategy.exits]

    def _node(self, expression: checked.Expr) -> int:
        return self.builder.expression(expression, self.context)

    def _enter(self, enter: checked.Enter) -> EnterPlan:
        triggers = tuple((name, self._node(self._trigger_ref(name))) for name in triggers_in(self.builder.program, enter.when))
        sizes = tuple(
            SizePlan(self._node(s.share), s.risking, self._node(s.condition) if s.condition is not None else None)
            for s in enter.sizes
        )
        named = signals_in(self.builder.program, enter.when)
        signals = tuple(signal_plan(self.builder, name, self.context, self._words) for name in named)
        return EnterPlan(
            enter.direction,
            self._node(enter.when),
            sizes,
            self._level(enter.stop),
            self._level(enter.target),
            self._confidence(triggers, enter.span),
            self._words(enter.because),
            triggers,
            (),
            enter.span,
            signals,
            self._conviction(signals, enter),
            size_of(enter.by_conviction),
            self._order(enter.order),
            manage_plan(enter, self._node),
        )

    def _conviction(self, signals: tuple[SignalPlan, ...], enter: checked.Enter) -> int | None:
        nodes = tuple(signal.node for signal in signals)
        return self.builder.conviction(nodes, enter.direction, self.context, enter.span) if nodes else None

    def _order(self, order: checked.EntryOrder | None) -> OrderPlan:
        if order is None or order.price is None:
            return AT_MARKET
        period = self.strategy.period
        valid = period if order.valid is None else _length(order.valid, period)
        price, skew = self._node(order.price), None if order.skew is None else self._node(order.skew)
        return OrderPlan(order.style, price, None if order.is_quote else valid, order.post_only, skew, order.is_quote)

    def _trigger_ref(self, name: str) -> checked.Ref:
        trigger = self.builder.program.triggers[name]
        return checked.Ref(name, "trigger", trigger.when.unit, trigger.span)

    def _level(self, level: checked.Level | None) -> LevelPlan | None:
        return None if level is None else level_plan(level, self._node)

    def _confidence(self, triggers: tuple[tuple[str, int], ...], span: Span) -> int | None:
        pairs = []
        for name, when in triggers:
            confidence = self.builder.program.triggers[name].confidence
            if confidence is not None:
                pairs.append((when, self.builder.ramp(confidence, self.context, span)))
        return self.builder.best(tuple(pairs), self.context, span) if pairs else None

    def _words(self, template: checked.Template) -> Words:
        words: list[str | HolePlan] = []
        for piece in template:
            if isinstance(piece, str):
                words.append(piece)
            elif piece.because_of in self.builder.program.signals:
                signal = signal_plan(self.builder, str(piece.because_of), self.context, self._words)
                words += [HolePlan(case.node, "", case.because) for case in signal.cases]
            elif piece.because_of is not None:
                trigger = self.builder.program.triggers[piece.because_of]
                when = self._node(self._trigger_ref(piece.because_of))
                words.append(HolePlan(when, "", self._words(trigger.because)))
            elif piece.value is not None:
                words.append(HolePlan(self._node(piece.value), piece.spec, None))
        return tuple(words)


def triggers_in(program: checked.Program, value: object) -> tuple[str, ...]:
    """Names of the triggers an expression uses, through `let`s too, in order of appearance."""
    found: dict[str, None] = {}
    followed: set[str] = set()  # each `let` once, however often it is used

    def look(item: object) -> None:
        if isinstance(item, checked.Ref):
            if item.kind == "trigger":
                found[item.name] = None
            elif item.name not in followed:
                followed.add(item.name)
                look(program.lets[item.name].value)
            return
        if isinstance(item, tuple):
            for part in item:
                look(part)
            return
        for name in getattr(item, "__dataclass_fields__", {}):
            if name not in {"unit", "span"}:
                look(getattr(item, name))

    look(value)
    return tuple(found)


def _finish(graph: RuleGraph, draft: _Draft, policy: PolicyPlan) -> StrategyPlan:
    strategy, universe = draft.strategy, draft.universe
    enters = [with_leaves(graph, enter, draft.membership) for enter in draft.enters]
    exits = [exit_with_leaves(graph, exit_) for exit_ in draft.exits]
    found = tuple(finish_basket(graph, basket, policy) for basket in draft.baskets)
    return StrategyPlan(
        strategy.name,
        universe.name,
        strategy.period,
        universe.members(),
        {symbol: tier.name for tier in universe.tiers for symbol in tier.members},
        draft.membership,
        tuple(enters),
        tuple(exits),
        _holds(strategy, universe),
        {c.after: _length(c.length, strategy.period) for c in strategy.cool_downs},
        strategy.doc,
        strategy.span,
        columns_read(graph, draft.membership, enters, exits, policy, draft.correlations.values()),
        found,
        draft.correlations,
        policy.market,
        draft.tier,
        tuple(tier.name for tier in universe.tiers) if draft.tier is not None else (),
        _tier_holds(strategy, universe) if draft.tier is not None else {},
    )


def roots_of(entry: EnterPlan | ExitPlan) -> list[int]:
    """The nodes that an entry or exit reads: condition, words, size, levels."""
    return enter_roots(entry) if isinstance(entry, EnterPlan) else [entry.when, *word_nodes(entry.because)]


def _length(length: checked.Const, period: int) -> int:
    assert isinstance(length.value, Decimal)
    return int(length.value * period) if length.unit.kind is Kind.BARS else int(length.value)


def _tier_holds(strategy: checked.Strategy, universe: checked.Universe) -> dict[str, int]:
    """The longest a position of each tier may last, in ms: the shorter of the strategy's own and the tier's."""
    own = _length(strategy.hold_at_most, strategy.period) if strategy.hold_at_most is not None else None
    limits = {tier.name: [limit for limit in (own, tier.hold_at_most) if limit is not None] for tier in universe.tiers}
    return {name: min(found) for name, found in limits.items() if found}


def _holds(strategy: checked.Strategy, universe: checked.Universe) -> dict[str, int]:
    by_tier = _tier_holds(strategy, universe)
    return {symbol: by_tier[tier.name] for tier in universe.tiers if tier.name in by_tier for symbol in tier.members}
