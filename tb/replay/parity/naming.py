"""A decision's record by the names of what it holds, so that decisions under different policies can be set side by side.

Facts stand in a record in the order of its policy, and constraints as bits: two policies that read the same in another order
write other bytes for the same decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from tb.core.records import Decision
from tb.engine.explain.words import describe
from tb.engine.plan import EnterPlan, ExitPlan, Plan
from tb.gate.gate import Gate
from tb.runtime.policy import gates_of

# what is told by name, or belongs to the place of the record and not to the decision
_APART = frozenset({"seq", "facts", "market", "ages", "rows", "row", "feeds", "failed", "unknown", "enter"})
_PLAIN = tuple(name for name in Decision.__struct_fields__ if name not in _APART)


@dataclass(slots=True)
class Names:
    """The names of what the decisions of one policy hold. Those of an entry are worked out once."""

    plan: Plan
    gates: Mapping[int, Gate] = field(init=False)
    _facts: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _market: dict[tuple[str, str, str, int], tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gates = gates_of(self.plan)

    def gate(self, decision: Decision) -> Gate:
        return self.gates[self.plan.strategy(decision.strategy).period]

    def values(self, decision: Decision, *, rows: bool) -> dict[str, object]:
        """Everything a decision says, by name; with `rows`, its rows in the data files too."""
        found: dict[str, object] = {name: getattr(decision, name) for name in _PLAIN}
        gate, names = self.gate(decision), self._market_names(decision)
        found |= dict(zip(self._fact_names(gate), decision.facts, strict=False))
        found |= dict(zip(names, decision.market, strict=False))
        found |= {f"age of {name}": age for name, age in zip(names, decision.ages, strict=False)}
        found["failed"] = _named(gate, decision.failed)
        found["unknown"] = _named(gate, decision.unknown)
        if rows:
            found["row"] = decision.row
            found |= {f"row of {name}": row for name, row in zip(names, decision.rows, strict=False)}
            found["feeds"] = decision.feeds
        return found

    def _fact_names(self, gate: Gate) -> tuple[str, ...]:
        period = gate.policy.period
        if period not in self._facts:
            self._facts[period] = _distinct("gate: ", (describe(gate.graph, leaf) for leaf in gate.policy.leaves))
        return self._facts[period]

    def _market_names(self, decision: Decision) -> tuple[str, ...]:
        key = (decision.strategy, decision.instrument, decision.kind, decision.enter)
        if key not in self._market:
            entry = self._entry(decision)
            leaves = () if entry is None else entry.leaves
            self._market[key] = _distinct("rule: ", (describe(self.plan.graph, leaf) for leaf in leaves))
        return self._market[key]

    def _entry(self, decision: Decision) -> EnterPlan | ExitPlan | None:
        strategy = self.plan.strategy(decision.strategy)
        ways: Sequence[EnterPlan | ExitPlan] = (
            strategy.entries_of(decision.instrument) if decision.kind == "enter" else strategy.exits_of(decision.instrument)
        )
        return ways[decision.enter] if 0 <= decision.enter < len(ways) else None


def _distinct(prefix: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names, those that stand several times counted."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{prefix}{name}" if seen[name] == 1 else f"{prefix}{name} ({seen[name]})")
    return tuple(found)


def _named(gate: Gate, mask: int) -> frozenset[str]:
    return frozenset(c.name for bit, c in enumerate(gate.policy.constraints) if mask >> bit & 1)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Whether two decisions say the same, and where not, by which names. `names` are None where one policy made both."""

    names: tuple[Names, Names] | None
    rows: bool  # both runs read the same files, so rows mean the same

    def differing(self, a: Decision, b: Decision) -> tuple[str, ...]:
        """The names of what is not the same, in the order of the record; what only one policy reads is no difference."""
        if self.names is None:
            one, other = msgspec.structs.astuple(a), msgspec.structs.astuple(b)
            pairs = zip(Decision.__struct_fields__, one, other, strict=True)
            return tuple(name for name, x, y in pairs if x != y and name != "seq" and (self.rows or name not in _OF_FILES))
        first, second = (names.values(decision, rows=self.rows) for names, decision in zip(self.names, (a, b), strict=True))
        shared = self._shared(a, b)
        return tuple(name for name in first if name in second and _kept(first[name], shared) != _kept(second[name], shared))

    def _shared(self, a: Decision, b: Decision) -> frozenset[str]:
        assert self.names is not None
        of = ({c.name for c in names.gate(d).policy.constraints} for names, d in zip(self.names, (a, b), strict=True))
        return frozenset(set.intersection(*of))


_OF_FILES = frozenset({"row", "rows", "feeds"})


def _kept(value: object, shared: frozenset[str]) -> object:
    """Of constraints that failed, those which both policies have."""
    return value & shared if isinstance(value, frozenset) else value
