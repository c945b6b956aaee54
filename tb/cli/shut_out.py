"""Strategies whose own trades leave them no allocation by Kelly, up to the end of a run.

Without an entry there is no trade, and without a trade the share stays what it is: such a strategy is out until a person
changes something. That is as meant, and has to be said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tb.core.records import Decision
from tb.engine.derived import allocation

BY = "allocate"
READ = ("kelly.trades", "kelly.needed", "kelly.wins", "kelly.gain", "kelly.loss", "kelly.fraction", "kelly.most")


@dataclass(frozen=True, slots=True)
class ShutOut:
    """Since when, after how many trades, and how many entries were refused by the allocation from then on."""

    since: int
    trades: int
    entries: int


@dataclass(slots=True)
class ShutOuts:
    """`places` says for each strategy where facts are among those of its decisions, by name."""

    places: Mapping[str, Mapping[str, int]]
    found: dict[str, ShutOut] = field(default_factory=dict)

    def see(self, decision: Decision) -> None:
        """An entry: one that is approved, or refused for another reason alone, ends it."""
        trades = None if decision.approved else self._trades_without_share(decision)
        if trades is None:
            self.found.pop(decision.strategy, None)
            return
        before = self.found.get(decision.strategy, ShutOut(decision.at, trades, 0))
        refused = BY in decision.deciding  # else a stricter rule decided
        self.found[decision.strategy] = replace(before, entries=before.entries + refused)

    def _trades_without_share(self, decision: Decision) -> int | None:
        """How many trades leave no share; None where there is one, or where there is no allocation."""
        places = self.places.get(decision.strategy, {})
        told = [decision.facts[places[name]] for name in READ if name in places]
        known = [Decimal(value) for value in told if isinstance(value, str)]
        if len(known) != len(READ) or allocation(*known):
            return None
        return int(known[0])
