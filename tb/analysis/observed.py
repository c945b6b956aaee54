"""What one recorded run shows of a policy: how near each limit came, whom each constraint refused, how many trades there were.

`Observed` knows what each constraint computed then, so that nothing is said of one that reads differently today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tb.engine.graph import RuleGraph
from tb.engine.plan import ConstraintPlan

Keys = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Use:
    """The largest share of a limit that was used, at which instant (ms), and how often it was measured and known."""

    largest: float
    at: int
    measured: int


@dataclass(frozen=True, slots=True)
class Judged:
    """How many orders a constraint judged, and how many of them it refused."""

    orders: int
    refused: int


@dataclass(frozen=True, slots=True)
class Observed:
    """One run. `trades` counts the closed trades of each strategy. `keys` tells what each constraint computed; None where the
    run was decided by the very policy that is looked at."""

    run: str
    uses: Mapping[str, Use] = field(default_factory=dict)
    judged: Mapping[str, Judged] = field(default_factory=dict)
    trades: Mapping[str, int] = field(default_factory=dict)
    keys: Keys | None = None

    def is_about(self, graph: RuleGraph, constraint: ConstraintPlan) -> bool:
        """Whether a constraint computed the same in the run."""
        return self.keys is None or graph[constraint.node].key in self.keys.get(constraint.name, ())
