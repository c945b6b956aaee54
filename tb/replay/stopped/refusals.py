"""The constraints that kept proposals from becoming orders, counted over the decisions of a run as clauses are over bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.core.time import show_instant
from tb.engine.explain.clauses import Clause, clause_tree, sides
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import ConstraintPlan
from tb.gate.explain.reproduce import facts_of
from tb.gate.gate import Gate
from tb.replay.stopped.counts import Grid, Mask, Near, timeline
from tb.replay.stopped.model import Closest, Stopper, Streak

Values = Mapping[int, Exact | float]


@dataclass(slots=True)
class _Tally:
    constraint: ConstraintPlan
    without: Gate  # all other constraints
    alone: int = 0
    unknown: int = 0
    near: Near | None = None
    places: list[int] = field(default_factory=list)  # among the proposals


def refused_by(gate: Gate, settings: Settings | None, proposals: Sequence[Decision], grid: Grid) -> tuple[Stopper, ...]:
    """One row for each constraint that did not pass in those of the proposals of one entry of which nothing was approved, the
    most frequent first. It stopped one alone where without it some of it would have been approved, as judged by all others."""
    tallies: dict[str, _Tally] = {}
    for place, decision in enumerate(proposals):
        if decision.approved:
            continue
        inputs = facts_of(gate.graph, gate, decision)
        spec = None if settings is None else settings.instrument(decision.instrument)
        leaves: dict[int, Exact | float] = dict(zip(gate.policy.leaves, inputs, strict=True))
        for bit, constraint in enumerate(gate.policy.constraints):
            is_unknown = bool(decision.unknown >> bit & 1)
            if not (decision.failed >> bit & 1 or is_unknown) or constraint.acts in {None, "warn"}:
                continue
            tally = tallies.get(constraint.name) or _Tally(constraint, _without(gate, constraint))
            tallies[constraint.name] = tally
            tally.unknown += is_unknown
            tally.places.append(place)
            left = tally.without.decide(inputs, True, decision.proposed, None if spec is None else spec.lot)
            tally.alone += left.approved is not None and decision.together is None
            values = from_leaves(gate.graph, leaves, [constraint.node])
            _note_nearest(tally, gate.graph, clause_tree(gate.graph, constraint.node, values), values, decision)
    ordered = sorted(tallies.values(), key=lambda tally: (-len(tally.places), tally.constraint.name))
    return tuple(_stopper(tally, proposals, grid) for tally in ordered)


def _without(gate: Gate, constraint: ConstraintPlan) -> Gate:
    others = tuple(other for other in gate.policy.constraints if other is not constraint)
    return Gate(gate.graph, replace(gate.policy, constraints=others))


def _note_nearest(tally: _Tally, graph: RuleGraph, clause: Clause, values: Values, decision: Decision) -> None:
    """Keeps the decision at which the one comparison of a constraint lay nearest, in relation to its threshold."""
    while len(clause.parts) == 1 and not clause.value:
        clause = clause.parts[0]
    if not clause.distance:
        return
    measured, bound = (values[side] for side in sides(graph, graph[clause.at]))
    if not isinstance(measured, Decimal) or not isinstance(bound, Decimal):
        return
    distance = float(abs(measured - bound))
    near = distance / float(abs(bound)) if bound else distance
    if tally.near is None or near < tally.near[0]:
        at = show_instant(decision.at)
        shown = {"value": clause.value, "threshold": clause.threshold, "distance": clause.distance}
        tally.near = near, Closest(instrument=decision.instrument, at=at, **shown)


def _stopper(tally: _Tally, proposals: Sequence[Decision], grid: Grid) -> Stopper:
    constraint = tally.constraint
    struck: Mask = np.zeros(len(proposals), dtype=np.bool_)
    struck[tally.places] = True
    instants = np.array([decision.at for decision in proposals], dtype=np.int64)
    return Stopper(
        clause=f"{constraint.kind} {constraint.name}",
        name=constraint.name,
        place=f"{constraint.span.file}:{constraint.span.line}",
        wanted="true",
        times=len(tally.places),
        alone=tally.alone,
        unknown=tally.unknown,
        streak=_streak(tally.places, proposals),
        closest=None if tally.near is None else tally.near[1],
        timeline=timeline(grid.bars(instants), grid.counted(instants, struck)),
    )


def _streak(places: Sequence[int], proposals: Sequence[Decision]) -> Streak:
    """The first of the longest runs of proposals one after the other."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    run = max(runs, key=len)
    within = {proposals[place].instrument for place in run}
    return Streak(
        instrument=within.pop() if len(within) == 1 else "",
        length=len(run),
        first=show_instant(proposals[run[0]].at),
        last=show_instant(proposals[run[-1]].at),
    )
