"""The nodes of a strategy: its entries, exits and baskets, as far as they are known before the graph is frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.span import Span
from tb.core.units import Kind
from tb.dsl import checked
from tb.dsl.checked_legs import Basket, baskets
from tb.engine.baskets import BasketPlan, LegPlan, in_universe, leg_entries
from tb.engine.build import Builder, Context
from tb.engine.likeness import correlations
from tb.engine.management import LevelPlan, level_plan, manage_plan
from tb.engine.plan import AT_MARKET, EnterPlan, ExitPlan, HolePlan, OrderPlan, SizePlan, Words
from tb.engine.signals import SignalPlan, signal_plan, signals_in, size_of


@dataclass(slots=True)
class Draft:
    strategy: checked.Strategy
    period: int
    universe: checked.Universe
    membership: int | None
    enters: list[EnterPlan]
    exits: list[ExitPlan]
    baskets: list[BasketPlan]
    tier: int | None
    correlations: dict[str, int] = field(default_factory=dict)


class Drafter:
    """Builds one strategy's nodes; leaves are found once the graph is frozen."""

    def __init__(self, builder: Builder, strategy: checked.Strategy, legs: tuple[tuple[str, str], ...] = ()) -> None:
        self.builder = builder
        self.strategy = strategy
        self.universe = builder.program.universes[strategy.universe]
        self.context = Context(strategy.period, strategy.universe, False, legs)

    def draft(self) -> Draft:
        found = baskets(self.strategy, self.universe)
        if found:
            planned = [Drafter(self.builder, self.strategy, basket.members).basket(basket) for basket in found]
            return Draft(self.strategy, self.strategy.period, self.universe, None, [], [], planned, None)
        membership = self._node(self.universe.only_when) if self.universe.only_when is not None else None
        tier = self.builder.tier(self.universe, self.context) if self.universe.discovers else None
        if tier is not None:
            inside = self.builder.member(tier, self.context, self.universe.span)
            membership = (
                inside if membership is None else self.builder.both(inside, membership, self.context, self.universe.span)
            )
        enters = [self._enter(enter) for enter in (*self.strategy.enters, *self.strategy.quotes)]
        alike = correlations(self.builder, self.universe, self.strategy.period)
        return Draft(self.strategy, self.strategy.period, self.universe, membership, enters, self._exits(), [], tier, alike)

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
        valid = period if order.valid is None else length_of(order.valid, period)
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


def length_of(length: checked.Const, period: int) -> int:
    assert isinstance(length.value, Decimal)
    return int(length.value * period) if length.unit.kind is Kind.BARS else int(length.value)
