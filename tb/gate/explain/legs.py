"""Legs in an explanation: what all of them came to, worked out again from the record of one, and shown side by side.

What this leg read stands in its record, round by round; what the others were told is compared with what follows from it, and is
worked out from their own records when these are explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tb.core.encode import plain
from tb.core.records import Decision, Fact, LegOrder, Round, Together
from tb.core.settings import Settings
from tb.engine.baskets import LegPlan
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.plan import StrategyPlan
from tb.engine.say import Values
from tb.gate.conversion import ONE
from tb.gate.explain.model import LegLine
from tb.gate.gate import Judgement
from tb.gate.legs import Amount, Place, asked, hedged, is_settled, net_share, outcome, refused_in, shrunk
from tb.gate.sizing import Sized


@dataclass(frozen=True, slots=True)
class LegsEvaluated:
    """The legs of one entry as its plan says; `sizes` is what the rules ask for."""

    legs: tuple[LegPlan, ...]
    places: tuple[Place, ...]
    sizes: tuple[Sized, ...]


def evaluate_legs(
    graph: RuleGraph,
    strategy: StrategyPlan,
    settings: Settings,
    decision: Decision,
    note: Together,
    equity: Decimal | None,
    values: Values,
) -> LegsEvaluated | None:
    """What the plan asks of all legs of an entry; None where the plan has no such entry, or other legs."""
    basket = strategy.basket(decision.instrument)
    if basket is None or not 0 <= decision.enter < len(basket.entries):
        return None
    legs = basket.entries[decision.enter]
    if tuple(leg.symbol for leg in legs) != tuple(leg.instrument for leg in note.legs):
        return None
    places = tuple(Place(leg.price, settings.instrument(leg.instrument), rate_of(leg, settings)) for leg in note.legs)
    return LegsEvaluated(legs, places, asked(graph, legs, places, equity, values))


def rate_of(leg: LegOrder, settings: Settings) -> Decimal | None:
    """What converts the price of a leg, as recorded; 1 where it is in the account's currency."""
    return leg.rate if settings.is_foreign(leg.instrument) else ONE


def facts_of_leg(note: Together, quantities: Sequence[Decimal], settings: Settings) -> dict[str, Exact]:
    """The facts that follow from what the legs are."""
    amounts = [
        Amount(leg.instrument, 1 if leg.side == "buy" else -1, quantity, leg.price, rate_of(leg, settings))
        for leg, quantity in zip(note.legs, quantities, strict=True)
    ]
    return {
        "order.legs": Decimal(len(amounts)),
        "order.hedged": hedged(amounts, note.place),
        "order.net_share": net_share(amounts, note.place),
    }


def fits_plan(strategy: StrategyPlan | None, decision: Decision) -> bool:
    """Whether the record says of legs what a decision of the strategy can say, and nothing where it has none."""
    note, basket = decision.together, None if strategy is None else strategy.basket(decision.instrument)
    if note is None or basket is None:
        return note is None and basket is None
    if (note.asset, note.looked_at) != (basket.name, basket.looked_at):
        return False
    count = len(note.legs)
    fits = all(len({count, len(r.quantities), len(r.verdicts), len(r.deciding), len(r.allowed)}) == 1 for r in note.rounds)
    return bool(note.rounds) and fits and 0 <= note.place < count and note.legs[note.place].instrument == decision.instrument


def compare_legs(
    decision: Decision,
    note: Together,
    again: Sequence[Judgement],
    evaluated: LegsEvaluated | None,
    differences: list[str],
) -> None:
    """`again` is what the gate says to this leg in each round, from the facts recorded."""
    place = note.place
    for number, (said, judgement) in enumerate(zip(note.rounds, again, strict=True), start=1):
        told = (said.verdicts[place], said.deciding[place], said.allowed[place])
        now = (judgement.verdict, judgement.deciding, judgement.quantity)
        if told != now:
            differences.append(f"round {number} of this leg: {now} now, {told} recorded")
    _compare_sizes(decision, note, evaluated, differences)
    if not is_settled(note.rounds) or any(is_settled(note.rounds[:end]) for end in range(1, len(note.rounds))):
        differences.append("the rounds of the legs end too early or too late")
    verdict, deciding, approved = outcome(note.rounds)
    if note.legs[place].rate != decision.rate:
        differences.append(f"rate of this leg: {note.legs[place].rate} beside the others, {decision.rate} recorded")
    pairs = (
        ("verdict on all legs", verdict, decision.verdict),
        ("rules that decided about all legs", deciding, decision.deciding),
        ("approved of all legs", approved, tuple(leg.approved for leg in note.legs)),
        ("approved quantity", approved[place], decision.approved),
    )
    differences += [f"{what}: {now} now, {then} recorded" for what, now, then in pairs if now != then]


def _compare_sizes(decision: Decision, note: Together, evaluated: LegsEvaluated | None, differences: list[str]) -> None:
    if decision.kind == "exit":
        return
    if evaluated is None:
        differences.append("the policy has other legs in this entry")
        return
    wanted = tuple(sized.quantity for sized in evaluated.sizes)
    for number, said in enumerate(note.rounds, start=1):
        if wanted != said.quantities:
            differences.append(f"quantities of round {number}: {wanted} now, {said.quantities} recorded")
            return
        if number < len(note.rounds):
            wanted = shrunk(evaluated.legs, evaluated.places, said.quantities, said.allowed)


def lines_of(note: Together) -> tuple[LegLine, ...]:
    """The legs side by side."""
    last, found = note.rounds[-1], []
    for at, leg in enumerate(note.legs):
        said = last if at in refused_in(last) else next((r for r in note.rounds if r.verdicts[at] == "shrink"), last)
        found.append(
            LegLine(
                side=leg.side,
                instrument=leg.instrument,
                asked=plain(note.rounds[0].quantities[at]),
                approved=plain(leg.approved),
                price="unknown" if leg.price is None else plain(leg.price),
                verdict=said.verdicts[at],
                decided_by=said.deciding[at],
                is_this=at == note.place,
            )
        )
    return tuple(found)


def facts_by_round(decision: Decision, rounds: Sequence[Round]) -> list[tuple[Fact, ...]]:
    """What the gate read for this leg in each round."""
    return [decision.facts, *(one.facts for one in rounds[1:])]
