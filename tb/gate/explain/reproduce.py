"""Re-evaluation: a decision's record put through the reference interpreter and the gate again, compared field by field.

1. The record must have the shape that the policy gives it (`_shape`).
2. What it says twice must agree: order, plan and settings against the facts (`_compare_facts`).
3. Condition, size, levels and words follow from the market values, the judgement from the facts; each is computed again.

What stands in the record once and changes no answer (the instant, ages, rows, an equity that gives the same size) cannot be
found here: that is what the hash chain of the ledger holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.core.records import Decision, Fact, Together
from tb.core.settings import Settings
from tb.core.units import Kind
from tb.engine import interpret
from tb.engine.explain.words import describe
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, Exact, exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import AT_MARKET, EnterPlan, ExitPlan, OrderPlan, Plan, StrategyPlan
from tb.engine.say import Values, say
from tb.gate.advice import CONFIDENCE, CONVICTION, advised, with_conviction
from tb.gate.conversion import ONE
from tb.gate.explain import combined
from tb.gate.explain.feeds import compare_feeds
from tb.gate.explain.legs import compare_legs, evaluate_legs, facts_by_round, facts_of_leg, fits_plan
from tb.gate.explain.tiers import compare_tier, tier_of
from tb.gate.gate import Gate, Judgement
from tb.gate.proposal import BY_ITSELF, EXIT_CAUSES, HELD_TOO_LONG, TOO_LONG, UNSAID
from tb.gate.resting import asked_price, expected_of
from tb.gate.sizing import Sized, size

_NAMES = frozenset({Kind.TEXT, Kind.INSTRUMENT, Kind.LIST})


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A decision evaluated again: every node above the leaves, the judgement, and where the record says otherwise."""

    strategy: StrategyPlan | None
    entry: EnterPlan | ExitPlan | None
    market: dict[int, Exact | float]
    inputs: tuple[Exact, ...]
    judgement: Judgement
    differences: tuple[str, ...]


def reproduce(plan: Plan, gate: Gate, settings: Settings, decision: Decision) -> Evaluated:
    """Evaluates a decision from its snapshot alone. Every difference from the record is named; none means reproduced."""
    strategy = next((s for s in plan.strategies if s.name == decision.strategy), None)
    differences: list[str] = []
    note = decision.together
    if not fits_plan(strategy, decision):
        differences.append("the record of its legs does not fit the strategy, or not together")
        note = None
    entry = _shape(gate, strategy, decision, differences)
    market = {} if strategy is None or entry is None else _market(plan.graph, strategy, entry, decision, differences)
    inputs = facts_of(plan.graph, gate, decision)
    spec = settings.instrument(decision.instrument)
    judgement = gate.decide(inputs, decision.kind == "enter", decision.proposed, None if spec is None else spec.lot)
    _compare(judgement, decision, differences, is_leg=note is not None)
    is_entry = decision.kind == "enter"
    masks = interpret.judge(plan.graph, gate.policy, inputs)
    again = (*(mask & gate.applies(is_entry) for mask in masks), gate.shadowed(masks, is_entry))
    said = (judgement.failed, judgement.unknown, judgement.shadowed)
    if again != said:
        differences.append(f"the interpreter says {again}, the generated function {said}")
    _compare_facts(plan, gate, settings, strategy, decision, inputs, differences)
    is_here = strategy is not None and strategy.looked_at(decision.instrument) == decision.instrument
    own = entry.leaves if entry is not None and is_here else ()
    compare_feeds(plan.graph, gate.policy.leaves, inputs, own, decision, differences)
    combined.compare(plan, gate, decision, inputs, differences)
    if note is not None and strategy is not None:
        _compare_as_leg(plan, gate, settings, strategy, entry, decision, note, market, inputs, differences)
    elif isinstance(entry, EnterPlan):
        _compare_entry(plan.graph, gate, entry, settings, decision, market, inputs, differences)
    if decision.rate is not None and not settings.is_foreign(decision.instrument):
        differences.append("a rate is recorded of an order in the account's currency")
    if decision.inventory is not None and (not isinstance(entry, EnterPlan) or entry.order.skew is None):
        differences.append("what is held is recorded of an order that does not depend on it")
    if not isinstance(entry, EnterPlan):
        _compare_exit(plan.graph, entry, decision, market, differences)
    return Evaluated(strategy, entry, market, inputs, judgement, tuple(differences))


def facts_of(graph: RuleGraph, gate: Gate, decision: Decision) -> tuple[Exact, ...]:
    """The inputs of the decision function, from the record's texts: names stay text, all else is a number; unknown where the
    record has something else."""
    return _facts(graph, gate, decision.facts)


def _facts(graph: RuleGraph, gate: Gate, recorded: tuple[Fact, ...]) -> tuple[Exact, ...]:
    leaves = gate.policy.leaves
    facts = recorded if len(recorded) == len(leaves) else (None,) * len(leaves)
    return tuple(_fact(text, graph[leaf].unit.kind in _NAMES) for leaf, text in zip(leaves, facts, strict=True))


def _fact(text: str | None, is_name: bool) -> Exact:
    if text is None or is_name:
        return text
    number = EXACT.create_decimal(text)
    return number if number.is_finite() else None


def _shape(
    gate: Gate, strategy: StrategyPlan | None, decision: Decision, differences: list[str]
) -> EnterPlan | ExitPlan | None:
    """The entry or exit that the record is of; None for a position held too long, and where the record does not fit."""
    if len(decision.facts) != len(gate.policy.leaves):
        differences.append(f"{len(decision.facts)} facts recorded, the policy reads {len(gate.policy.leaves)}")
    if strategy is None:
        differences.append(f"the policy has no strategy `{decision.strategy}`")
        return None
    of_kind: tuple[EnterPlan | ExitPlan, ...] = (
        strategy.entries_of(decision.instrument) if decision.kind == "enter" else strategy.exits_of(decision.instrument)
    )
    entry = of_kind[decision.enter] if 0 <= decision.enter < len(of_kind) else None
    if entry is None and (decision.kind == "enter" or decision.enter not in EXIT_CAUSES):
        differences.append(f"the strategy has no {decision.kind} number {decision.enter}")
        return None
    is_bounded = any(symbol in strategy.holds for symbol in strategy.together(decision.instrument))
    if entry is None and decision.enter == HELD_TOO_LONG and not (is_bounded or strategy.tier_holds):
        differences.append(f"`{strategy.name}` does not bound how long `{decision.instrument}` is held")
    count = 0 if entry is None else len(entry.leaves)
    if {len(decision.market), len(decision.ages), len(decision.rows)} != {count}:
        differences.append(f"{len(decision.market)} market values recorded, the rule reads {count}")
        return None
    return entry


def _market(
    graph: RuleGraph, strategy: StrategyPlan, entry: EnterPlan | ExitPlan, decision: Decision, differences: list[str]
) -> dict[int, Exact | float]:
    leaves: dict[int, Exact | float] = {
        leaf: float("nan") if value is None else value for leaf, value in zip(entry.leaves, decision.market, strict=True)
    }
    roots = _conditions(strategy, entry, decision)
    values = from_leaves(graph, leaves, nodes_of(graph, strategy, entry, decision))
    compare_tier(graph, strategy, decision.instrument, values, differences)
    if any(values[root] != 1.0 for root in roots):
        differences.append("the condition is not true on the recorded values")
    return values


def _conditions(strategy: StrategyPlan, entry: EnterPlan | ExitPlan, decision: Decision) -> list[int]:
    """What had to hold: the condition, and of an entry that the instrument belonged to the universe."""
    membership = strategy.membership_of(decision.instrument)
    return [entry.when, *([] if isinstance(entry, ExitPlan) or membership is None else [membership])]


def nodes_of(graph: RuleGraph, strategy: StrategyPlan, entry: EnterPlan | ExitPlan, decision: Decision) -> list[int]:
    """Every node that condition, size, levels and words of an entry or exit read."""
    asks = strategy.tier is not None and (isinstance(entry, EnterPlan) or strategy.tier in entry.leaves)
    tiers = graph[strategy.tier].args if strategy.tier is not None and asks else ()
    return [*_conditions(strategy, entry, decision), *_others(entry), *_sizes_of_legs(strategy, decision), *tiers]


def _sizes_of_legs(strategy: StrategyPlan, decision: Decision) -> list[int]:
    """What the sizes of all legs of an entry read: how large one is follows from the first."""
    basket = strategy.basket(decision.instrument)
    if basket is None or decision.kind == "exit":
        return []
    return [case.share for leg in basket.entries[decision.enter] for case in leg.entry.sizes]


def _others(entry: EnterPlan | ExitPlan) -> list[int]:
    """Nodes besides the condition that sizes, levels and words read."""
    found = [node for node in entry.leaves if node != entry.when]
    if isinstance(entry, EnterPlan):
        for case in entry.sizes:
            found += [case.share] if case.condition is None else [case.share, case.condition]
        found += [level.node for level in (entry.stop, entry.target) if level is not None]
        found += [
            node for node in (entry.confidence, entry.conviction, entry.order.price, entry.order.skew) if node is not None
        ]
        found += entry.manage.nodes()
        found += [case.node for signal in entry.signals for case in signal.cases]
    stack = list(entry.because)
    while stack:
        word = stack.pop()
        if not isinstance(word, str):
            found.append(word.node)
            stack.extend(word.inner or ())
    return found


def _compare(judgement: Judgement, decision: Decision, differences: list[str], *, is_leg: bool) -> None:
    """Of a leg, what all of them came to is compared in `tb.gate.explain.legs`."""
    own = (
        ("verdict", judgement.verdict, decision.verdict),
        ("deciding rules", judgement.deciding, decision.deciding),
        ("approved quantity", judgement.quantity, decision.approved),
    )
    pairs = (
        *(() if is_leg else own),
        ("failed constraints", judgement.failed, decision.failed),
        ("unknown constraints", judgement.unknown, decision.unknown),
        ("shadow constraints", judgement.shadowed, decision.shadowed),
    )
    differences += [f"{what}: {now} now, {then} recorded" for what, now, then in pairs if now != then]


def _compare_facts(
    plan: Plan,
    gate: Gate,
    settings: Settings,
    strategy: StrategyPlan | None,
    decision: Decision,
    inputs: tuple[Exact, ...],
    differences: list[str],
) -> None:
    """Facts that follow from the rest of the record, from the plan or from the settings."""
    symbol, spec = decision.instrument, settings.instrument(decision.instrument)
    tier = None if strategy is None else tier_of(strategy, decision)
    book = plan.program.capital.book_of(decision.strategy)
    how = _order_of(strategy, decision)
    known: dict[str, Exact] = {
        "instant": Decimal(decision.at),
        "order.instrument": symbol,
        "order.strategy": decision.strategy,
        "order.side": decision.side,
        "order.kind": how.style,
        "order.valid": Decimal(how.valid or 0),
        "order.sign": Decimal(1 if decision.side == "buy" else -1),
        "order.quantity": decision.proposed,
        "order.price": decision.price,
        "order.rate": decision.rate if settings.is_foreign(symbol) else ONE,
        "order.stop": decision.stop,
        "order.target": decision.target,
        "order.confidence": exact(decision.confidence),
        "order.conviction": exact(decision.conviction),
        "order.tier": f"{strategy.universe}.{tier}" if strategy is not None and tier is not None else None,
        "order.minimum": None if spec is None else spec.minimum_notional,
        "order.maximum": None if spec is None else spec.max_quantity,
        "order.tick": None if spec is None else spec.tick,
        "order.lot": None if spec is None else spec.lot,
        "order.margin_rate": None if spec is None else spec.margin,
        "order.fee_rate": settings.venue_for(symbol).fee,
        "restricted": ",".join(settings.restricted),
        "order.book": None if book is None else book.name,
    }
    if decision.together is None:
        known |= {"order.legs": Decimal(1), "order.hedged": Decimal(0), "order.net_share": Decimal(1)}
    elif fits_plan(strategy, decision):
        known |= facts_of_leg(decision.together, decision.together.rounds[0].quantities, settings)
    if tier is None and strategy is not None and strategy.tier is not None and decision.kind == "exit":
        del known["order.tier"]  # of when it was entered, which this record does not say
    elif tier is None:
        differences.append(f"no rule covers `{symbol}` in `{decision.strategy}`")
    for leaf, value in zip(gate.policy.leaves, inputs, strict=True):
        node = plan.graph[leaf]
        name = str(node.consts[0]) if node.op == "fact" else ""
        if name in known and known[name] != value:
            differences.append(f"{name}: {known[name]} by the rest of the record, {value} among its facts")
        if node.stage == "market" and decision.kind == "enter":
            _compare_reading(plan, strategy, leaf, value, decision, differences)


def _order_of(strategy: StrategyPlan | None, decision: Decision) -> OrderPlan:
    """How the order asked to be filled; exits are at market."""
    if strategy is None or decision.kind != "enter" or not 0 <= decision.enter < len(strategy.enters):
        return AT_MARKET
    return strategy.enters[decision.enter].order


def _compare_reading(
    plan: Plan, strategy: StrategyPlan | None, leaf: int, value: Exact, decision: Decision, differences: list[str]
) -> None:
    """A market value that rule and policy both read is one value."""
    if strategy is None or strategy.looked_at(decision.instrument) != decision.instrument:
        return
    entries = strategy.entries_of(decision.instrument)
    if not 0 <= decision.enter < len(entries):
        return
    leaves = entries[decision.enter].leaves
    if leaf in leaves and len(leaves) == len(decision.market):
        read = exact(decision.market[leaves.index(leaf)])
        if read != value:
            differences.append(f"{describe(plan.graph, leaf)}: {read} read by the rule, {value} by the policy")


def _compare_exit(
    graph: RuleGraph,
    exit_: ExitPlan | EnterPlan | None,
    decision: Decision,
    market: dict[int, Exact | float],
    differences: list[str],
) -> None:
    if decision.kind == "enter":
        return
    by_itself = BY_ITSELF.get(decision.enter, TOO_LONG)
    reason = by_itself if exit_ is None else say(graph, exit_.because, reader(market)) or UNSAID
    recorded = (decision.stop, decision.target, decision.confidence, decision.conviction, decision.crossing)
    if any(value is not None for value in recorded) or decision.takes:
        differences.append("an exit has neither stop nor target nor takes nor confidence nor conviction")
    if reason != decision.reason:
        differences.append(f"reason: `{reason}` now, `{decision.reason}` recorded")


def _compare_as_leg(
    plan: Plan,
    gate: Gate,
    settings: Settings,
    strategy: StrategyPlan,
    entry: EnterPlan | ExitPlan | None,
    decision: Decision,
    note: Together,
    market: dict[int, Exact | float],
    inputs: tuple[Exact, ...],
    differences: list[str],
) -> None:
    graph, values, evaluated = plan.graph, reader(market), None
    if isinstance(entry, EnterPlan):
        equity = inputs[gate.leaf("equity of book" if gate.reads("equity of book") else "equity")]
        known = equity if isinstance(equity, Decimal) else None
        evaluated = evaluate_legs(graph, strategy, settings, decision, note, known, values)
        sized = Sized(Decimal(0), None, None, None, ()) if evaluated is None else evaluated.sizes[note.place]
        _compare_order(graph, gate, entry, decision, sized, values, inputs, differences)
    spec = settings.instrument(decision.instrument)
    again = []
    for facts, said in zip(facts_by_round(decision, note.rounds), note.rounds, strict=True):
        read = _facts(graph, gate, facts)
        judged = gate.decide(read, decision.kind == "enter", said.quantities[note.place], None if spec is None else spec.lot)
        again.append(judged)
    compare_legs(decision, note, again, evaluated, differences)


def reader(market: dict[int, Exact | float]) -> Values:
    """Market values as sizes and words read them: None for unknown."""

    def values(node: int) -> float | None:
        value = market.get(node)
        if isinstance(value, Decimal):
            return float(value)
        return value if isinstance(value, float) and value == value else None  # noqa: PLR0124 - NaN differs from itself

    return values


def _price_again(
    graph: RuleGraph, entry: EnterPlan, settings: Settings, decision: Decision, values: Values
) -> list[tuple[str, object, object]]:
    """The price of an order that rests follows from the market values; one at market rests on the quote, recorded once. Without
    a quote there is no price, and the order was denied for it."""
    spec = settings.instrument(decision.instrument)
    if entry.order.style == "market" or spec is None or decision.price is None:
        return [("market's price", None, decision.crossing)]
    sign = 1 if decision.side == "buy" else -1
    asked = asked_price(graph, entry.order, sign, spec.tick, values, decision.inventory or Decimal(0))
    slippage = settings.venue_for(decision.instrument).slippage
    own, price = (expected_of(entry.order, asked, sign, slippage, spec.tick, market) for market in (None, decision.crossing))
    counts = None if own == price else decision.crossing
    return [("price", price, decision.price), ("market's price", counts, decision.crossing)]


def _compare_entry(
    graph: RuleGraph,
    gate: Gate,
    entry: EnterPlan,
    settings: Settings,
    decision: Decision,
    market: dict[int, Exact | float],
    inputs: tuple[Exact, ...],
    differences: list[str],
) -> None:
    read = reader(market)
    values = with_conviction(entry, _advised(entry.conviction, read, decision, CONVICTION), read)
    spec = settings.instrument(decision.instrument)
    sized = Sized(Decimal(0), None, None, None, ("instrument",) if spec is None else ("price",))
    if spec is not None and decision.price is not None:
        equity = inputs[gate.leaf("equity of book" if gate.reads("equity of book") else "equity")]
        rate = inputs[gate.leaf("order.rate")] if gate.reads("order.rate") else ONE
        known = [value if isinstance(value, Decimal) else None for value in (equity, rate)]
        sized = size(graph, entry, decision.price, known[0], spec, values, known[1])
    priced = _price_again(graph, entry, settings, decision, values)
    differences += [f"{what}: {now} now, {then} recorded" for what, now, then in priced if now != then]
    _compare_order(graph, gate, entry, decision, sized, read, inputs, differences)


def _advised(node: int | None, values: Values, decision: Decision, scale: tuple[Decimal, Decimal]) -> float | None:
    """A confidence or conviction of the rules as the recorded advice leaves it."""
    return None if node is None else advised(values(node), decision.advice, scale)


def _compare_order(
    graph: RuleGraph,
    gate: Gate,
    entry: EnterPlan,
    decision: Decision,
    sized: Sized,
    values: Values,
    inputs: tuple[Exact, ...],
    differences: list[str],
) -> None:
    """The order that the rules ask for, against the one recorded."""
    pairs: list[tuple[str, object, object]] = [
        ("side", "buy" if entry.direction == "long" else "sell", decision.side),
        ("confidence", _advised(entry.confidence, values, decision, CONFIDENCE), decision.confidence),
        ("conviction", _advised(entry.conviction, values, decision, CONVICTION), decision.conviction),
        ("proposed quantity", sized.quantity, decision.proposed),
        ("stop", sized.stop, decision.stop),
        ("target", sized.target, decision.target),
        ("takes", sized.takes, decision.takes),
    ]
    for what, now in (("order.intended", sized.intended), ("order.missing", ", ".join(sized.missing) or None)):
        pairs += [(what, now, inputs[gate.leaf(what)])] if gate.reads(what) else []
    differences += [f"{what}: {now} now, {then} recorded" for what, now, then in pairs if now != then]
    reason = say(graph, entry.because, values)
    if reason != decision.reason:
        differences.append(f"reason: `{reason}` now, `{decision.reason}` recorded")
