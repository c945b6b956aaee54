"""explain: from a decision's record to everything there is to say about it.

1. The decision is evaluated again (`reproduce`).
2. Every constraint becomes a result with its clause tree, its missing inputs and its flip points.
3. What would pass, what would decide next, and what nearly failed follow from these.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, repeat

from tb.core.encode import plain
from tb.core.records import Decision
from tb.core.settings import Settings
from tb.core.time import show_duration, show_instant
from tb.core.units import PRICE, QUANTITY
from tb.dsl.checked import Param
from tb.engine.explain.clauses import clause_tree, unknown_leaves
from tb.engine.explain.feeds import feed_source, feeds_of, why_unknown
from tb.engine.explain.flips import Flip, flips
from tb.engine.explain.words import describe, show_value
from tb.engine.feeds import is_feed
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import ConstraintPlan, EnterPlan, Plan
from tb.gate.explain.combined import combined
from tb.gate.explain.exceptions import exceptions, words_of
from tb.gate.explain.legs import lines_of
from tb.gate.explain.management import management_words, order_words
from tb.gate.explain.margins import by_name, margins, near_misses
from tb.gate.explain.model import Explanation, Origin, Reading, RuleResult, Size
from tb.gate.explain.reproduce import Evaluated, reader, reproduce
from tb.gate.explain.signals import conviction, signals
from tb.gate.explain.tables import tables
from tb.gate.explain.tiers import membership, membership_node
from tb.gate.explain.unknown_order import NotComputed, decided_by, names_of, not_computed, not_known
from tb.gate.gate import Gate
from tb.vocabulary.facts import FACTS

_UNIVERSE, _CONDITION = "the universe", "the condition"


def explain(
    plan: Plan, gate: Gate, settings: Settings, decision: Decision, *, policy_hash: str, run: str = "", deep: bool = True
) -> Explanation:
    """The explanation of one decision. Without `deep`, flip points are left out: it is then fast enough for a whole run."""
    evaluated = reproduce(plan, gate, settings, decision)
    return explain_evaluated(plan, gate, settings, decision, evaluated, policy_hash=policy_hash, run=run, deep=deep)


def explain_evaluated(
    plan: Plan,
    gate: Gate,
    settings: Settings,
    decision: Decision,
    evaluated: Evaluated,
    *,
    policy_hash: str,
    run: str = "",
    deep: bool = True,
) -> Explanation:
    """The explanation of a decision that was evaluated already, such as that of an order which no strategy proposed."""
    rules = _rules(plan.graph, gate, evaluated, decision, deep=deep)
    leaves = _market_leaves(evaluated, decision)
    lacking, entry, values = not_computed(plan.graph, gate, evaluated), evaluated.entry, reader(evaluated.market)
    inside = None if decision.kind == "exit" or entry is None else membership_node(evaluated.strategy, decision.instrument)
    conditions = {_UNIVERSE: inside, _CONDITION: None if entry is None else entry.when} if deep else {}
    flipping = {name: flips(plan.graph, root, leaves) for name, root in conditions.items() if root is not None}
    known, market = by_name(plan.graph, gate.policy.leaves, evaluated.inputs), by_name(plan.graph, leaves, leaves.values())
    return Explanation(
        id=f"{run}.d{decision.seq}" if run else f"d{decision.seq}",
        at=show_instant(decision.at),
        strategy=decision.strategy,
        place=_place(evaluated),
        instrument=decision.instrument,
        side=decision.side,
        kind=decision.kind,
        verdict=decision.verdict,
        headline=headline(decision),
        reason=decision.reason,
        price="unknown" if decision.price is None else plain(decision.price),
        stop="none" if decision.stop is None else plain(decision.stop),
        target="none" if decision.target is None else plain(decision.target),
        decided_by=decided_by(plan.graph, gate, decision, lacking),
        not_known=not_known(lacking),
        missing=_missing(lacking, rules),
        condition=None if entry is None else clause_tree(plan.graph, entry.when, evaluated.market),
        membership=membership(plan.graph, evaluated.strategy, decision, evaluated.market),
        membership_flips=flipping.get(_UNIVERSE, ()),
        condition_flips=flipping.get(_CONDITION, ()),
        size=_size(plan.graph, gate, settings, evaluated, decision, rules, deep=deep),
        rules=rules,
        near_misses=tuple(near_misses(rules, known, flipping, market)),
        margins=margins(plan.graph, gate, settings, decision, evaluated.inputs, rules) if deep else (),
        if_lifted=_if_lifted(gate, evaluated, decision),
        readings=_readings(plan.graph, gate, settings, evaluated, decision),
        origins=_origins(plan, gate, settings, evaluated),
        policy_hash=policy_hash,
        reproduced=not evaluated.differences,
        differences=evaluated.differences,
        combined=combined(plan, gate, decision, evaluated.inputs),
        conviction=conviction(plan.graph, entry, values) if isinstance(entry, EnterPlan) else "",
        signals=signals(plan.graph, entry, values) if isinstance(entry, EnterPlan) else (),
        order=order_words(plan.graph, settings, evaluated, decision),
        tables=() if entry is None else tables(plan.graph, entry, evaluated.market),
        legs=() if decision.together is None else lines_of(decision.together),
        management=management_words(plan.graph, evaluated, decision),
    )


def _missing(lacking: NotComputed, rules: tuple[RuleResult, ...]) -> tuple[str, ...]:
    """The inputs that were unknown, of the order first, each once."""
    of_rules = [name for rule in rules if rule.status == "unknown" for name in rule.missing]
    return tuple(dict.fromkeys([*names_of(lacking), *of_rules]))


def _place(evaluated: Evaluated) -> str:
    if evaluated.strategy is None:
        return "unknown"
    span = evaluated.strategy.span if evaluated.entry is None else evaluated.entry.span
    return f"{span.file}:{span.line}"


def headline(decision: Decision) -> str:
    """`buy 0.5 BTC-USD at 64,210 -> RESIZED to 0.37`."""
    what = f"{decision.side} {plain(decision.proposed)} {decision.instrument}"
    price = "" if decision.price is None else f" at {show_value(decision.price, PRICE)}"
    if decision.kind == "exit":
        return f"exit: {what}{price} -> {'APPROVED' if decision.approved else 'DENIED'}"
    match decision.verdict:
        case "approve":
            return f"{what}{price} -> APPROVED"
        case "warn":
            return f"{what}{price} -> APPROVED with a warning"
        case "shrink":
            return f"{what}{price} -> RESIZED to {plain(decision.approved)}"
        case "reject":
            return f"{what}{price} -> REJECTED"
        case verdict:
            return f"{what}{price} -> REJECTED ({verdict})"


def _market_leaves(evaluated: Evaluated, decision: Decision) -> dict[int, Exact | float]:
    if evaluated.entry is None:
        return {}
    pairs = zip(evaluated.entry.leaves, decision.market, strict=True)
    return {leaf: float("nan") if value is None else value for leaf, value in pairs}


def _rules(graph: RuleGraph, gate: Gate, evaluated: Evaluated, decision: Decision, *, deep: bool) -> tuple[RuleResult, ...]:
    leaves: dict[int, Exact | float] = dict(zip(gate.policy.leaves, evaluated.inputs, strict=True))
    values = from_leaves(graph, leaves, [c.node for c in gate.policy.constraints])
    applies = gate.applies(decision.kind == "enter")
    used = gate.usage(evaluated.inputs, decision.proposed)
    results, feeds = [], feeds_of(graph, gate.policy.leaves, decision.feeds)
    for bit, constraint in enumerate(gate.policy.constraints):
        status = "not asked"
        if applies >> bit & 1:
            failed, unknown = decision.failed >> bit & 1, decision.unknown >> bit & 1
            status = "failed" if failed else "unknown" if unknown else "passed"
        elif constraint.acts is None and (decision.kind == "enter" or constraint.every_order):
            passes = values[constraint.node]
            status = "unknown (shadow)" if passes is None else "passed" if passes is True else "failed (shadow)"
        missing = unknown_leaves(graph, constraint.node, values) if status.startswith("unknown") else ()
        results.append(
            RuleResult(
                name=constraint.name,
                kind=constraint.kind,
                otherwise=_otherwise(constraint),
                status=status,
                place=f"{constraint.span.file}:{constraint.span.line}",
                because=constraint.because,
                condition=clause_tree(graph, constraint.node, values),
                decides=constraint.name in decision.deciding and _is_own(decision, status),
                used=used.get(constraint.name),
                missing=tuple(describe(graph, leaf, expand=False) + feeds.get(leaf, "") for leaf in missing),
                exceptions=exceptions(graph, constraint, leaves),
                flips=flips(graph, constraint.node, leaves) if deep and status.startswith(("passed", "failed")) else (),
            )
        )
    return tuple(results)


def _is_own(decision: Decision, status: str) -> bool:
    """Whether a rule that decided did so here: what decided about legs may have decided about another of them."""
    return decision.together is None or not status.startswith("passed")


def _otherwise(constraint: ConstraintPlan) -> str:
    level = {"warn": ", level warn", "shadow": ", shadow"}.get(constraint.level or "", "")
    if constraint.verdict == "pause" and constraint.lasts is not None:
        return f"pause for {show_duration(constraint.lasts)}{level}"
    return f"{constraint.verdict}{' until tomorrow' if constraint.until_tomorrow else ''}{level}"


def _if_lifted(gate: Gate, evaluated: Evaluated, decision: Decision) -> str:
    if not decision.deciding or decision.together is not None:
        return ""
    verdict, names = gate.without(evaluated.judgement, frozenset(decision.deciding))
    if not decision.proposed and verdict in {"approve", "warn", "shrink"}:
        return ""  # nothing would be ordered, so nothing would go
    return f"{verdict} by {', '.join(names)}" if names else verdict


def _size(
    graph: RuleGraph,
    gate: Gate,
    settings: Settings,
    evaluated: Evaluated,
    decision: Decision,
    rules: tuple[RuleResult, ...],
    *,
    deep: bool,
) -> Size:
    limits = _quantity_limits(rules, decision.proposed)
    beyond = [(quantity, name) for quantity, name in limits if quantity > decision.approved and name not in decision.deciding]
    binding = min(beyond, default=None)
    return Size(
        words=_size_words(graph, gate, evaluated),
        proposed=plain(decision.proposed),
        approved=plain(decision.approved),
        largest=_largest(gate, settings, evaluated, decision, deep=deep),
        next_binding="" if binding is None else f"{binding[1]} (at {show_value(binding[0], QUANTITY)})",
    )


def _largest(gate: Gate, settings: Settings, evaluated: Evaluated, decision: Decision, *, deep: bool) -> str:
    """The largest quantity on the lot grid that passes everything, found by halving; `none` where none does."""
    if decision.verdict in {"approve", "warn"} or decision.together is not None:
        return ""
    if decision.approved:
        return plain(decision.approved)
    spec = settings.instrument(decision.instrument)
    if spec is None or decision.kind == "exit":
        return "none"
    if not deep:
        return ""
    judged = evaluated.judgement
    warns = sum(1 << bit for bit, constraint in enumerate(gate.policy.constraints) if constraint.acts == "warn")
    at_fault = (judged.failed | judged.unknown) & ~warns  # what only warns keeps no size from passing
    low, high = 0, int(decision.proposed / spec.lot)
    while high - low > 1:
        middle = (low + high) // 2
        then = gate.decide(gate.with_quantity(evaluated.inputs, spec.lot * middle), True, spec.lot * middle, None)
        low, high = (middle, high) if not (then.failed | then.unknown) & at_fault else (low, middle)
    found = spec.lot * low
    then = gate.decide(gate.with_quantity(evaluated.inputs, found), True, found, None)
    return plain(found) if then.approved is not None else "none"


def _quantity_limits(rules: tuple[RuleResult, ...], proposed: Decimal) -> list[tuple[Decimal, str]]:
    """At which quantity each constraint starts to fail, where the quantity alone decides it."""
    found = []
    for rule in rules:
        flip = _quantity_flip(rule.flips)
        if flip is None:
            continue
        point = Decimal(flip.exact)
        # a limit from above: passed and met by more, or failed and met by less
        if (rule.status == "passed" and point > proposed) or (rule.status == "failed" and point < proposed):
            found.append((point, rule.name))
    return found


def _quantity_flip(found: tuple[Flip, ...]) -> Flip | None:
    return next((flip for flip in found if flip.input == "order.quantity"), None)


def _size_words(graph: RuleGraph, gate: Gate, evaluated: Evaluated) -> str:
    entry = evaluated.entry
    if not isinstance(entry, EnterPlan):
        return ""
    if entry.by_conviction is not None:
        return entry.by_conviction.text
    if not entry.sizes:
        return "as much as the first leg"
    for case in entry.sizes:
        if case.condition is None or evaluated.market.get(case.condition) == 1.0:
            share = describe(graph, case.share, expand=False)
            why = "" if case.condition is None else f" because {describe(graph, case.condition)}"
            book = f" of book {evaluated.inputs[gate.leaf('order.book')]}" if gate.reads("order.book") else ""
            return f"{'risking ' if case.risking else ''}{share} of equity{book}{why}"
    return ""


def _readings(
    graph: RuleGraph, gate: Gate, settings: Settings, evaluated: Evaluated, decision: Decision
) -> tuple[Reading, ...]:
    readings = []
    looked_at = decision.instrument if decision.together is None else decision.together.looked_at
    if evaluated.entry is not None:
        for leaf, value, age, row in zip(evaluated.entry.leaves, decision.market, decision.ages, decision.rows, strict=True):
            readings.append(_market_reading(graph, leaf, value, age, row, looked_at))
    feeds: Iterator[tuple[int | None, int | None]] = chain(decision.feeds, repeat((None, None)))
    for leaf, exact_value in zip(gate.policy.leaves, evaluated.inputs, strict=True):
        node = graph[leaf]
        if node.stage == "market":
            value = float(exact_value) if isinstance(exact_value, Decimal) else None
            if is_feed(node):
                readings.append(_market_reading(graph, leaf, value, *next(feeds), decision.instrument))
                continue
            # a constraint's market values are recorded without age and row: what follows from the kind of value is said
            own = node.op in {"field", "apply"} and looked_at == decision.instrument
            place = decision.row if own else None
            readings.append(_market_reading(graph, leaf, value, 0 if own else None, place, decision.instrument))
            continue
        name = str(node.consts[0])
        readings.append(
            Reading(
                name=describe(graph, leaf, expand=False),
                value="not set" if exact_value is None and FACTS[name].optional else show_value(exact_value, node.unit),
                exact="" if exact_value is None else str(exact_value),
                unit=str(node.unit),
                source=_source(name, settings, decision),
            )
        )
    return tuple({(reading.name, reading.source): reading for reading in reversed(readings)}.values())[::-1]


def _source(fact: str, settings: Settings, decision: Decision) -> str:
    found = settings.conversion(decision.instrument) if fact == "order.rate" else None
    if found is not None:
        return f"order, by {found.instrument}"
    return "book" if fact.endswith(" of book") else "order" if fact.startswith("order.") else "account"


def _market_reading(graph: RuleGraph, leaf: int, value: float | None, age: int | None, row: int | None, symbol: str) -> Reading:
    node = graph[leaf]
    source = str(node.consts[0]) if node.op == "of" else symbol
    place = f"{source} bars of {show_duration(node.period)}" if node.period else source
    feed = feed_source(graph, leaf, symbol)
    return Reading(
        name=describe(graph, leaf),
        value=show_value(value, node.unit) + why_unknown(graph, leaf, value, age, row),
        exact="" if value is None else repr(value),
        unit=str(node.unit),
        source=feed or place,
        age="" if age is None or (feed and row is None) else show_duration(age) if age else "0s",
        row=row,
    )


def _origins(plan: Plan, gate: Gate, settings: Settings, evaluated: Evaluated) -> tuple[Origin, ...]:
    roots = [c.node for c in gate.policy.constraints]
    roots += [] if evaluated.entry is None else [evaluated.entry.when]
    found: dict[str, Origin] = {}
    for id_ in plan.graph.reach(tuple(roots)):
        node = plan.graph[id_]
        origin = str(node.consts[2] or "") if node.op == "const" else ""
        for name in origin.removeprefix("of ").split(", "):
            if name.startswith("limits."):
                written = plan.program.limits_used[name.removeprefix("limits.")]
                place = plan.program.limits_at.get(name.removeprefix("limits."), f"{settings.policy}/limits.yaml")
                found[name] = Origin(name=name, value=written, origin=place)
    for constraint in gate.policy.constraints:
        for said in (exemption.said for exemption in constraint.exemptions):
            place = f"{said.span.file}:{said.span.line}"
            found[f"exception {said.name}"] = Origin(name=f"exception {said.name}", value=words_of(said), origin=place)
    for name, param in plan.program.params.items():
        if param.low is None or param.high is None:
            allowed = ""
        else:
            allowed = f"{show_value(param.low, param.unit)}..{show_value(param.high, param.unit)}"
        found[name] = Origin(name=name, value=param.text, origin=_set_in(param, settings), allowed=allowed)
    return tuple(found.values())


def _set_in(param: Param, settings: Settings) -> str:
    """Where the value of a parameter comes from: its default in the rules, or the settings over it."""
    default, override = f"{param.span.file}:{param.span.line}", settings.parameters.get(param.name)
    if override is None:
        return f"default, {default}"
    return f"{override.span.file}:{override.span.line} over the default, {default}"
