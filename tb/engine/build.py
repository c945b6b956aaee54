"""build: the checked program becomes one rule graph and the plans that read it.

1. A strategy's expressions are built for its period and universe; durations become bars of that period.
2. Names (`let`, trigger) are expanded; nodes equal in meaning are shared across strategies and policy.
3. Policy is built once for each period in use. Its arithmetic belongs to the decision stage: exact, in Decimal. What it reads
   of the market (fields, indicators) are market nodes.
4. Derived facts become nodes over leaf facts, so that the quantity of the order is one leaf among others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from functools import singledispatchmethod

from tb.core.span import Span
from tb.core.units import BARS, NUMBER, PRICE, TRUTH, Kind, Unit
from tb.dsl import checked, checked_cases
from tb.dsl.checked_calendar import During, SessionTime
from tb.dsl.checked_legs import is_perpetual
from tb.engine.bounds import bounds_of
from tb.engine.graph import Constant, GraphBuilder, Stage
from tb.engine.tiers import constants_of
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.facts import FACTS, IN_MONEY, unit_of
from tb.vocabulary.fields import FIELDS
from tb.vocabulary.function import Parameter
from tb.vocabulary.std import TEXTS

SIGNS = {"long": 1, "short": -1, "neutral": 0}
_TURNED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression's meaning depends on besides its text: period in ms, universe of the strategy, rules or policy.

    `legs` says which instrument each leg of the strategy is, for the asset that is built for. `is_elsewhere` says that the
    expression is computed on another instrument already, whose own funding is meant.
    """

    period: int
    universe: str
    in_policy: bool
    legs: tuple[tuple[str, str], ...] = ()
    is_elsewhere: bool = False


class Builder:
    """Turns checked expressions into nodes. One for a program."""

    def __init__(self, program: checked.Program) -> None:
        self.program = program
        self.graph = GraphBuilder()
        self._named: dict[tuple[str, Context], int] = {}

    def expression(self, value: checked.Expr, context: Context) -> int:
        """The node that computes the expression in that context."""
        return self._build(value, context)

    # --- one method for each kind of expression --------------------------------------------------------------------

    @singledispatchmethod
    def _build(self, value: checked.Expr, context: Context) -> int:
        raise AssertionError(f"no way to build {type(value).__name__}")

    @_build.register
    def _const(self, value: checked.Const, context: Context) -> int:
        constant: Constant = value.value
        if value.unit == BARS and isinstance(constant, Decimal):
            # next to a duration a count of bars is a length of time
            constant = constant * context.period
        consts = (constant, value.text, value.origin or "")
        number = float(constant) if isinstance(constant, Decimal) else None
        node = self.graph.add(
            "const", (), consts, value.unit, period=0, stage="constant", span=value.span, bounds=(number, number)
        )
        if value.origin and value.origin.startswith("param "):
            self.graph.name(node, value.origin.removeprefix("param "))
        return node

    @_build.register
    def _pips(self, value: checked.Pips, context: Context) -> int:
        return self._market("pips", (), (value.count,), value.unit, context, value.span, low=0.0)

    @_build.register
    def _field(self, value: checked.Field, context: Context) -> int:
        payers = [symbol for _, symbol in context.legs if is_perpetual(symbol)]
        if value.name in {"funding_rate", "funding_paid", "funding_period"} and len(payers) == 1 and not context.is_elsewhere:
            return self._elsewhere(value, payers[0], value, context)
        low, high = FIELDS[value.name].output_range
        return self._market("field", (), (value.name,), value.unit, context, value.span, low=low, high=high)

    @_build.register
    def _depth(self, value: checked.Depth, context: Context) -> int:
        return self._market("depth", (), (value.distance,), value.unit, context, value.span, low=0.0)

    @_build.register
    def _apply(self, value: checked.Apply, context: Context) -> int:
        function = FUNCTIONS[value.function]
        implicit = [self._build(checked.Field(n, FIELDS[n].unit, value.span), context) for n in function.implicit]
        series = [self._build(argument, self._market_context(context)) for argument in value.series]
        args = (*implicit, *series)
        given = zip(function.constants, value.constants, strict=True)
        constants = tuple(self._constant(parameter, c, context.period) for parameter, c in given)
        floats = tuple(float(c) for c in constants)
        low, high = function.range_of(value.output)
        back = function.window(floats) - 1
        consts: tuple[Constant, ...] = (function.name, value.output, *constants)
        node = self._market(
            "apply", args, consts, value.unit, context, value.span, low=low, high=high, look_back=back + self._deepest(args)
        )
        return self._as_truth(node, value, context)

    @_build.register
    def _pointwise(self, value: checked.Pointwise, context: Context) -> int:
        args = tuple(self._build(argument, context) for argument in value.arguments)
        if value.name == "div" and context.in_policy:
            args = (args[0], self._divisor(args[1], value.arguments[1], context))
        return self._instant(value.name, args, (), value.unit, context, value.span)

    def _divisor(self, node: int, value: checked.Expr, context: Context) -> int:
        """In policy a share of what may be below 0, and is, has no value: as a number it would be below every limit."""
        low = self.graph[node].low
        if (low is not None and low >= 0.0) or not self._has_fact(node):
            return node
        zero = self._build(checked.Const(Decimal(0), value.unit, "0", None, value.span), context)
        return self._instant("max", (node, zero), (), value.unit, context, value.span)

    def _has_fact(self, node: int) -> bool:
        """Whether a value depends on what the account or the order says."""
        found = self.graph[node]
        return found.op == "fact" or any(self._has_fact(arg) for arg in found.args)

    @_build.register
    def _shift(self, value: checked.Shift, context: Context) -> int:
        if value.bars == 0:
            return self._build(value.value, context)
        arg = self._build(value.value, self._market_context(context))
        back = value.bars + self.graph[arg].look_back
        low, high = self.graph[arg].low, self.graph[arg].high
        node = self._market("shift", (arg,), (value.bars,), value.unit, context, value.span, low=low, high=high, look_back=back)
        return self._as_truth(node, value, context)

    @_build.register
    def _of_instrument(self, value: checked.OfInstrument, context: Context) -> int:
        return self._elsewhere(value.value, value.symbol, value, context)

    @_build.register
    def _of_leg(self, value: checked.OfLeg, context: Context) -> int:
        # without such a leg, which the checker refuses in strategies, there is no such market: the value stays unknown
        symbol = dict(context.legs).get(value.leg, f"leg {value.leg}")
        return self._elsewhere(value.value, symbol, value, context)

    def _elsewhere(self, inner: checked.Expr, symbol: str, value: checked.Expr, context: Context) -> int:
        """`value`: what `inner` is on another instrument's bars."""
        arg = self._build(inner, replace(self._market_context(context), is_elsewhere=True))
        if self.graph[arg].stage == "constant":
            return arg
        draft = self.graph[arg]
        node = self._market(
            "of",
            (arg,),
            (symbol,),
            value.unit,
            context,
            value.span,
            low=draft.low,
            high=draft.high,
            look_back=draft.look_back,
        )
        return self._as_truth(node, value, context)

    @_build.register
    def _on_period(self, value: checked.OnPeriod, context: Context) -> int:
        if value.period == context.period:
            return self._build(value.value, context)
        arg = self._build(value.value, replace(self._market_context(context), period=value.period))
        draft = self.graph[arg]
        if draft.stage == "constant":
            return arg
        bars = -(-(draft.look_back + 2) * value.period // context.period)
        node = self._market(
            "at", (arg,), (value.period,), value.unit, context, value.span, low=draft.low, high=draft.high, look_back=bars
        )
        return self._as_truth(node, value, context)

    @_build.register
    def _comparison(self, value: checked.Comparison, context: Context) -> int:
        args = (self._build(value.left, context), self._build(value.right, context))
        agreed = self._agreed(value.operator, args, context, value.span)
        return self._instant(value.operator, args, (), TRUTH, context, value.span) if agreed is None else agreed

    def _agreed(self, operator: str, args: tuple[int, int], context: Context, span: Span) -> int | None:
        """How many signals agree, compared with a bound: known once it is the same however the unknown ones would say."""
        for (count, bound), op in ((args, operator), (args[::-1], _TURNED.get(operator, operator))):
            if self.graph[count].op == "agree" and self.graph[bound].op != "agree":
                votes = self.graph[count].args
                return self._instant("agrees", (count, bound, *votes), (op,), TRUTH, context, span)
        return None

    @_build.register
    def _logic(self, value: checked.Logic, context: Context) -> int:
        args = tuple(self._build(item, context) for item in value.items)
        return self._instant(value.operator, args, (), TRUTH, context, value.span)

    @_build.register
    def _not(self, value: checked.Not, context: Context) -> int:
        return self._instant("not", (self._build(value.value, context),), (), TRUTH, context, value.span)

    @_build.register
    def _lasting(self, value: checked.Lasting, context: Context) -> int:
        bars = int(self._bars(value.length, context.period))
        if bars <= 1:
            return self._build(value.condition, context)
        arg = self._build(value.condition, self._market_context(context))
        op = "every" if value.every else "some"
        back = bars - 1 + self.graph[arg].look_back
        node = self._market(op, (arg,), (bars,), TRUTH, context, value.span, low=0.0, high=1.0, look_back=back)
        return self._as_truth(node, value, context)

    @_build.register
    def _tier_is(self, value: checked.TierIs, context: Context) -> int:
        consts = (context.universe, value.tier)
        universe = self.program.universes.get(context.universe)
        args = () if universe is None or not universe.discovers else (self.tier(universe, context),)
        back = self._deepest(args)
        return self._market("tier_is", args, consts, TRUTH, context, value.span, low=0.0, high=1.0, look_back=back)

    def tier(self, universe: checked.Universe, context: Context) -> int:
        """Which tier of a universe with discovery the instrument belongs to."""
        args = tuple(self._build(tier.where, context) for tier in universe.tiers if tier.where is not None)
        consts, high, back = constants_of(universe), float(len(universe.tiers) - 1), self._deepest(args)
        unit = Unit(Kind.TIER)
        return self._market("tier", args, consts, unit, context, universe.span, low=-1.0, high=high, look_back=back)

    def member(self, tier: int, context: Context, span: Span) -> int:
        """Whether the instrument is in a tier at all."""
        return self._instant("member", (tier,), (), TRUTH, context, span)

    def both(self, first: int, second: int, context: Context, span: Span) -> int:
        """Whether two conditions hold."""
        return self._instant("and", (first, second), (), TRUTH, context, span)

    @_build.register
    def _regime_is(self, value: checked.RegimeIs, context: Context) -> int:
        cases = [case for case in self.program.regime if case.condition is not None]
        args = tuple(self._build(case.condition, context) for case in cases if case.condition is not None)
        names = tuple(case.name for case in self.program.regime)
        regime = self._instant("regime", args, names, Unit(Kind.REGIME), context, self.program.regime[0].span)
        return self._instant("regime_is", (regime,), (names.index(value.case), value.case), TRUTH, context, value.span)

    @_build.register
    def _fact(self, value: checked.FactRef, context: Context) -> int:
        return self.fact(value.name, value.argument, value.span, context)

    def fact(self, name: str, argument: str, span: Span, context: Context) -> int:
        """A leaf fact, or a derived one over its leaves."""
        spec = FACTS[name]
        unit, bounds = unit_of(spec, self.program.currency), (spec.low, spec.high)
        period = context.period if name == "data_age" else 0
        if not spec.is_derived:
            return self.graph.add("fact", (), (name, argument), unit, period=period, stage="decision", span=span, bounds=bounds)
        leaves = tuple(self._need(name, need, argument, span, context) for need in spec.needs)
        return self.graph.add("derived", leaves, (name, argument), unit, period=0, stage="decision", span=span, bounds=bounds)

    def _need(self, name: str, need: str, argument: str, span: Span, context: Context) -> int:
        """What a derived fact is computed from. Prices that become money are converted where the project has rates."""
        leaf = self.fact(need, argument if FACTS[need].arguments else "", span, context)
        if not self.program.rates or name not in IN_MONEY or need not in {"order.price", "order.stop"}:
            return leaf
        rate = self.fact("order.rate", "", span, context)
        return self.graph.add("mul", (leaf, rate), (), PRICE, period=0, stage="decision", span=span, bounds=(0.0, None))

    @_build.register
    def _is_set(self, value: checked.IsSet, context: Context) -> int:
        arg = self._build(value.value, context)
        back = self._deepest((arg,))
        return self.graph.add(
            "is_set", (arg,), (), TRUTH, period=0, stage="decision", span=value.span, look_back=back, bounds=(0.0, 1.0)
        )

    @_build.register
    def _one_of(self, value: checked.OneOf, context: Context) -> int:
        args = [self._build(value.value, context)]
        if value.members is None:
            args.append(self.fact("restricted", "", value.span, context))
        consts = (value.list_name, *(value.members or ()))
        return self.graph.add(
            "one_of", tuple(args), consts, TRUTH, period=0, stage="decision", span=value.span, bounds=(0.0, 1.0)
        )

    @_build.register
    def _during(self, value: During, context: Context) -> int:
        hours = value.session
        consts = (hours.name, hours.start, hours.end, hours.zone, " ".join(hours.days), " ".join(hours.closed))
        node = self._market("during", (), consts, TRUTH, context, value.span, low=0.0, high=1.0)
        return self._as_truth(node, value, context)

    @_build.register
    def _session_time(self, value: SessionTime, context: Context) -> int:
        hours = value.session
        consts = (hours.name, hours.start, hours.end, hours.zone, " ".join(hours.days), " ".join(hours.closed))
        op = "since_open" if value.since else "to_close"
        return self._market(op, (), consts, value.unit, context, value.span, low=0.0)

    @_build.register
    def _feed(self, value: checked.FeedRead, context: Context) -> int:
        feed = value.feed
        consts = (feed.name, "each" if feed.per_instrument else "all", feed.stale_after, feed.every, feed.low, feed.high)
        is_value = value.part == "value"
        op = "feed" if is_value else "feed_age"
        low, high = (
            None if bound is None else float(bound) for bound in ((feed.low, feed.high) if is_value else (Decimal(0), None))
        )
        node = self._market(op, (), consts, value.unit, context, value.span, low=low, high=high)
        return self._as_truth(node, value, context)

    @_build.register
    def _score(self, value: checked.Score, context: Context) -> int:
        args = tuple(self._build(condition, context) for condition in value.conditions)
        high, back = float(value.out_of), self._deepest(args)
        return self._market("score", args, value.points, value.unit, context, value.span, low=0.0, high=high, look_back=back)

    @_build.register
    def _signal(self, value: checked.Signal, context: Context) -> int:
        conditions = tuple(self._build(condition, context) for condition in value.conditions)
        labels = (*value.directions, "neutral")
        chosen = self._instant("first", conditions, labels, Unit(Kind.REGIME), context, value.span)
        convictions = tuple(self._build(conviction, context) for conviction in value.convictions)
        signs = tuple(SIGNS[direction] for direction in value.directions)
        return self._instant("signal", (chosen, *convictions), signs, value.unit, context, value.span)

    @_build.register
    def _signal_is(self, value: checked.SignalIs, context: Context) -> int:
        signal = self._build(value.signal, context)
        consts = (SIGNS[value.direction], value.direction)
        return self._instant("signal_is", (signal,), consts, TRUTH, context, value.span)

    @_build.register
    def _strength(self, value: checked.Conviction, context: Context) -> int:
        return self._instant("strength", (self._build(value.signal, context),), (), value.unit, context, value.span)

    @_build.register
    def _agree(self, value: checked.Agree, context: Context) -> int:
        votes = tuple(self._signal_is(checked.SignalIs(s, value.direction, TRUTH, s.span), context) for s in value.signals)
        return self._instant("agree", votes, (value.direction,), value.unit, context, value.span)

    @_build.register
    def _table(self, value: checked_cases.Table, context: Context) -> int:
        always = next((at for at, row in enumerate(value.rows) if row.condition is None), None)
        rows = value.rows if always is None else value.rows[: always + 1]
        conditions = tuple(self._build(row.condition, context) for row in rows if row.condition is not None)
        labels = tuple(row.words for row in rows)
        chosen = self._instant("first", conditions, labels, Unit(Kind.REGIME), context, value.span)
        outcomes = tuple(self._build(row.outcome, context) for row in rows)
        node = self._instant("pick", (chosen, *outcomes), (value.name,), value.unit, context, value.span)
        return self._as_truth(node, value, context)

    @_build.register
    def _ref(self, value: checked.Ref, context: Context) -> int:
        known = self._named.get((value.name, context))
        if known is None:
            is_let = value.kind == "let"
            named = self.program.lets[value.name] if is_let else self.program.triggers[value.name]
            known = self._build(named.value if isinstance(named, checked.Let) else named.when, context)
            self.graph.name(known, value.name, of_library=named.span.file in TEXTS)
            self._named[(value.name, context)] = known
        return known

    # --- what the methods above share ------------------------------------------------------------------------------

    def _market(
        self,
        op: str,
        args: tuple[int, ...],
        consts: tuple[Constant, ...],
        unit: Unit,
        context: Context,
        span: Span,
        *,
        low: float | None = None,
        high: float | None = None,
        look_back: int = 0,
    ) -> int:
        return self.graph.add(
            op, args, consts, unit, period=context.period, stage="market", span=span, look_back=look_back, bounds=(low, high)
        )

    def _instant(
        self, op: str, args: tuple[int, ...], consts: tuple[Constant, ...], unit: Unit, context: Context, span: Span
    ) -> int:
        stage: Stage = "decision" if context.in_policy else "market"
        period = 0 if context.in_policy else context.period
        bounds = bounds_of(op, [(self.graph[a].low, self.graph[a].high) for a in args])
        return self.graph.add(
            op, args, consts, unit, period=period, stage=stage, span=span, look_back=self._deepest(args), bounds=bounds
        )

    def _as_truth(self, node: int, value: checked.Expr, context: Context) -> int:
        """In policy a condition on market data enters as a number, 1 or 0; this makes it true or false."""
        if not context.in_policy or value.unit != TRUTH:
            return node
        one = self._build(checked.Const(Decimal(1), NUMBER, "true", None, value.span), context)
        return self._instant("eq", (node, one), (), TRUTH, context, value.span)

    def _deepest(self, args: tuple[int, ...]) -> int:
        return max((self.graph[a].look_back for a in args), default=0)

    @staticmethod
    def _market_context(context: Context) -> Context:
        """Inside an indicator even policy computes on the market's side: columns, float64."""
        return replace(context, in_policy=False)

    @classmethod
    def _constant(cls, parameter: Parameter, constant: checked.Const, period: int) -> Decimal:
        """A constant of a function; a duration shorter than the window it needs becomes that window."""
        value = cls._bars(constant, period)
        return max(value, Decimal(str(parameter.low))) if parameter.is_window and parameter.low is not None else value

    @staticmethod
    def _bars(constant: checked.Const, period: int) -> Decimal:
        value = constant.value
        assert isinstance(value, Decimal)
        if constant.unit.kind is Kind.DURATION:
            return (value / period).to_integral_value(ROUND_CEILING)
        return value

    def ramp(self, confidence: checked.Confidence, context: Context, span: Span) -> int:
        """The confidence of a trigger: linear between two ends of its driver, level beyond them."""
        consts = (confidence.low, confidence.high, confidence.start, confidence.end)
        if confidence.driver is None:
            const = checked.Const(confidence.low, NUMBER, str(confidence.low), None, span)
            return self._build(const, context)
        return self._instant("ramp", (self._build(confidence.driver, context),), consts, NUMBER, context, span)

    def eased(self, passes: int, ways: list[tuple[int | None, int]], span: Span) -> int:
        """Whether a limit passes by itself or by one of the exceptions that loosen it: each applies, and passes."""
        context = Context(0, "", True)
        more = [b if a is None else self._instant("and", (a, b), (), TRUTH, context, span) for a, b in ways]
        return self._instant("or", (passes, *more), (), TRUTH, context, span) if more else passes

    def best(self, pairs: tuple[tuple[int, int], ...], context: Context, span: Span) -> int:
        """The highest confidence among triggers that fired: args are (when, confidence) pairs in a row."""
        args = tuple(node for pair in pairs for node in pair)
        return self._instant("best", args, (), NUMBER, context, span)

    def conviction(self, signals: tuple[int, ...], direction: str, context: Context, span: Span) -> int:
        """The conviction of an entry in that direction: the mean of the signals that say so."""
        return self._instant("conviction", signals, (SIGNS[direction],), NUMBER, context, span)

    def case_of(self, signal: int, case: int, context: Context, span: Span) -> int:
        """Whether a signal says what its case of that number says."""
        chosen = self.graph[signal].args[0]
        consts = (case, self.graph[chosen].consts[case])
        return self._instant("first_is", (chosen,), consts, TRUTH, context, span)
