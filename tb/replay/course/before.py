"""What an account had before a course, for the facts of its past: the account goes on meanwhile."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tb.gate.account import Account


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """What the account had before the first trade; its lists grow later on."""

    cash: Decimal
    day_starts: int
    reference: Decimal | None
    high_water: Decimal | None
    losses: int
    last_loss: int | None
    stops: int
    last_stop: int | None
    times: Mapping[str, tuple[Sequence[int], int]]  # by fact: instants, and how many of them

    @classmethod
    def of(cls, account: Account) -> Before:
        activity = account.activity
        lists = account.entry_times, account.order_times, activity.messages, activity.proposed
        return cls(
            account.cash,
            account.day_starts,
            account.equity_at_day_start,
            account.high_water,
            account.losses_in_a_row,
            account.last_loss,
            activity.stops_in_a_row,
            activity.last_stop,
            {
                name: (times, len(times))
                for name, times in zip(("entries", "orders", "messages", "proposals"), lists, strict=True)
            },
        )

    def since(self, name: str, first: int) -> Sequence[int]:
        """The instants of a fact's events from one on."""
        times, count = self.times[name]
        return times[bisect_left(times, first, 0, count) : count]
