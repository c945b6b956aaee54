"""what if: a decision judged again from its record with some inputs changed, by the evaluators that judged it.

1. What is changed are leaves: facts, market values, and the order itself. All else stays as it was recorded.
2. The order is asked for again: size, levels, confidence and words follow from the changed values, unless they are set.
3. The gate judges it, and the result is explained as any decision is. Both explanations are compared, clause by clause.

Nothing here is recorded. A policy with other parameters or limits is compiled by the caller; `carried` brings a record over to
it where the record holds all that it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.engine.explain.clauses import Clause
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact, exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import EnterPlan, Plan
from tb.engine.say import Values, say
from tb.gate.advice import CONFIDENCE, CONVICTION, advised, with_conviction
from tb.gate.explain.model import Explanation, RuleResult
from tb.gate.explain.reproduce import Evaluated, nodes_of, reader, reproduce
from tb.gate.gate import Gate
from tb.gate.resting import asked_price, expected_of
from tb.gate.sizing import Sized, size

ORDER = ("order.quantity", "order.price", "order.stop", "order.target", "order.confidence", "order.conviction")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is changed: market leaves by node, facts by their place among the inputs of the decision function."""

    market: Mapping[int, float | None]
    facts: Mapping[int, Exact]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One input that was changed, as people read it."""

    name: str
    was: str
    now: str


class ChangedClause(msgspec.Struct, frozen=True, kw_only=True):
    """A clause whose truth is another; `value` and `threshold` are those of then, empty where it compares nothing."""

    clause: str
    place: str
    was: str
    now: str
    value: str
    threshold: str


class ChangedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A constraint whose status or clauses are others."""

    name: str
    kind: str
    place: str
    was: str
    now: str
    clauses: tuple[ChangedClause, ...]


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """The recorded decision beside the one under the changed inputs. `holds` says whether its condition would have held: where
    it is false or unknown, nothing would have been proposed, and `then` judges the order all the same."""

    changes: tuple[Change, ...]
    recorded: Explanation
    then: Explanation
    holds: str
    condition: tuple[ChangedClause, ...]
    rules: tuple[ChangedRule, ...]
    notes: tuple[str, ...]


def judge_again(plan: Plan, gate: Gate, settings: Settings, decision: Decision, inputs: Inputs) -> tuple[Decision, Evaluated]:
    """The decision under changed inputs, as it would have been recorded, and its evaluation."""
    evaluated = reproduce(plan, gate, settings, decision)
    facts = list(evaluated.inputs)
    for place, value in inputs.facts.items():
        facts[place] = value
    for place, leaf in enumerate(gate.policy.leaves):
        if leaf in inputs.market:
            facts[place] = exact(inputs.market[leaf])
    entry = evaluated.entry
    leaves = () if entry is None else entry.leaves
    market = tuple(inputs.market.get(leaf, value) for leaf, value in zip(leaves, decision.market, strict=False))
    changed = msgspec.structs.replace(decision, market=market)
    if isinstance(entry, EnterPlan) and decision.together is None and decision.kind == "enter":
        changed = _asked_again(plan, gate, settings, changed, entry, facts, inputs)
    spec = settings.instrument(decision.instrument)
    judged = gate.decide(facts, decision.kind == "enter", changed.proposed, None if spec is None else spec.lot)
    changed = msgspec.structs.replace(
        changed,
        facts=tuple(None if value is None else str(value) for value in facts),
        verdict=judged.verdict,
        deciding=judged.deciding,
        approved=judged.quantity,
        failed=judged.failed,
        unknown=judged.unknown,
        shadowed=judged.shadowed,
    )
    return changed, reproduce(plan, gate, settings, changed)


def _asked_again(
    plan: Plan, gate: Gate, settings: Settings, decision: Decision, entry: EnterPlan, facts: list[Exact], inputs: Inputs
) -> Decision:
    """The order that the rules ask for on the changed values; `facts` are brought in line with it, all but those set."""
    graph = plan.graph
    pairs = zip(entry.leaves, decision.market, strict=False)
    leaves: dict[int, Exact | float] = {leaf: float("nan") if value is None else value for leaf, value in pairs}
    strategy = plan.strategy(decision.strategy)
    read = reader(from_leaves(graph, leaves, nodes_of(graph, strategy, entry, decision)))
    said = {name: facts[gate.leaf(name)] for name in ORDER if gate.reads(name) and gate.leaf(name) in inputs.facts}
    confidence, conviction = (
        None if node is None else advised(read(node), decision.advice, scale)
        for node, scale in ((entry.confidence, CONFIDENCE), (entry.conviction, CONVICTION))
    )
    confidence, conviction = _float(said, "order.confidence", confidence), _float(said, "order.conviction", conviction)
    price = _number(said, "order.price", _price(graph, settings, decision, entry, read))
    equity = facts[gate.leaf("equity of book" if gate.reads("equity of book") else "equity")]
    spec = settings.instrument(decision.instrument)
    sized = Sized(Decimal(0), None, None, None, ("instrument",) if spec is None else ("price",))
    if spec is not None and price is not None:
        known = equity if isinstance(equity, Decimal) else None
        sized = size(graph, entry, price, known, spec, with_conviction(entry, conviction, read))
    quantity = _number(said, "order.quantity", sized.quantity) or Decimal(0)
    stop, target = _number(said, "order.stop", sized.stop), _number(said, "order.target", sized.target)
    follows: dict[str, Exact] = {
        "order.quantity": quantity,
        "order.price": price,
        "order.stop": stop,
        "order.target": target,
        "order.confidence": exact(confidence),
        "order.conviction": exact(conviction),
        "order.intended": sized.intended,
        "order.missing": ", ".join(sized.missing) or None,
    }
    for name, value in follows.items():
        if gate.reads(name) and gate.leaf(name) not in inputs.facts:
            facts[gate.leaf(name)] = value
    return msgspec.structs.replace(
        decision,
        proposed=quantity,
        price=price,
        stop=stop,
        target=target,
        takes=sized.takes,
        confidence=confidence,
        conviction=conviction,
        reason=say(graph, entry.because, read),
    )


def _price(graph: RuleGraph, settings: Settings, decision: Decision, entry: EnterPlan, read: Values) -> Decimal | None:
    """What an order that rests asks for follows from the market; one at market has the price that was recorded."""
    spec = settings.instrument(decision.instrument)
    if entry.order.style == "market" or spec is None or decision.price is None:
        return decision.price
    sign = 1 if decision.side == "buy" else -1
    asked = asked_price(graph, entry.order, sign, spec.tick, read, decision.inventory or Decimal(0))
    slippage = settings.venue_for(decision.instrument).slippage
    return expected_of(entry.order, asked, sign, slippage, spec.tick, decision.crossing)


def _number(said: Mapping[str, Exact], name: str, otherwise: Decimal | None) -> Decimal | None:
    value = said.get(name, otherwise)
    return value if isinstance(value, Decimal) else None


def _float(said: Mapping[str, Exact], name: str, otherwise: float | None) -> float | None:
    value = said.get(name, exact(otherwise))
    return float(value) if isinstance(value, Decimal) else None


def carried(plan: Plan, gate: Gate, decision: Decision, to: Plan, new: Gate) -> Decision | tuple[int, ...]:
    """The record as a policy with other numbers reads it, or the nodes of that policy which the record does not hold."""
    old, graph = plan.graph, to.graph
    strategy, other = plan.strategy(decision.strategy), to.strategy(decision.strategy)
    exits = decision.kind == "exit"
    ways, others = (s.exits_of(decision.instrument) if exits else s.entries_of(decision.instrument) for s in (strategy, other))
    inputs = dict(zip((old[leaf].key for leaf in gate.policy.leaves), decision.facts, strict=False))
    lacking = [leaf for leaf in new.policy.leaves if graph[leaf].key not in inputs]
    market: tuple[float | None, ...] = decision.market
    ages, rows = decision.ages, decision.rows
    if 0 <= decision.enter < min(len(ways), len(others)):
        keys = [old[leaf].key for leaf in ways[decision.enter].leaves]
        leaves = others[decision.enter].leaves
        lacking += [leaf for leaf in leaves if graph[leaf].key not in keys]
        if not lacking:
            places = [keys.index(graph[leaf].key) for leaf in leaves]
            market = tuple(market[at] for at in places)
            ages, rows = tuple(ages[at] for at in places), tuple(rows[at] for at in places)
    if lacking:
        return tuple(dict.fromkeys(lacking))
    facts = tuple(inputs[graph[leaf].key] for leaf in new.policy.leaves)
    return msgspec.structs.replace(decision, facts=facts, market=market, ages=ages, rows=rows)


def compare(changes: Sequence[Change], recorded: Explanation, then: Explanation, notes: Sequence[str] = ()) -> WhatIf:
    """Both decisions side by side."""
    rules = []
    after = {rule.name: rule for rule in then.rules}
    for rule in recorded.rules:
        now = after.get(rule.name)
        if now is not None:
            clauses = tuple(_changed(rule.condition, now.condition))
            if clauses or rule.status != now.status:
                rules.append(_changed_rule(rule, now, clauses))
    condition: tuple[ChangedClause, ...] = ()
    truths = [c.truth for c in (then.condition, then.membership) if c is not None]
    for was, now_ in ((recorded.membership, then.membership), (recorded.condition, then.condition)):
        if was is not None and now_ is not None:
            condition += tuple(_changed(was, now_))
    holds = "false" if "false" in truths else "unknown" if "unknown" in truths else "true"
    return WhatIf(
        changes=tuple(changes),
        recorded=recorded,
        then=then,
        holds=holds,
        condition=condition,
        rules=tuple(rules),
        notes=tuple(notes),
    )


def _changed_rule(was: RuleResult, now: RuleResult, clauses: tuple[ChangedClause, ...]) -> ChangedRule:
    return ChangedRule(name=was.name, kind=was.kind, place=was.place, was=was.status, now=now.status, clauses=clauses)


def _changed(was: Clause, now: Clause) -> Iterator[ChangedClause]:
    """The clauses at the bottom whose truth is another, from left to right."""
    before = {(clause.place, clause.text): clause for clause in _bottom(was)}
    for clause in _bottom(now):
        then = before.get((clause.place, clause.text))
        if then is not None and then.truth != clause.truth:
            yield ChangedClause(
                clause=clause.text,
                place=clause.place,
                was=then.truth,
                now=clause.truth,
                value=clause.value,
                threshold=clause.threshold,
            )


def _bottom(clause: Clause) -> Iterator[Clause]:
    if not clause.parts or clause.node != -1:
        yield clause
        return
    for part in clause.parts:
        yield from _bottom(part)
