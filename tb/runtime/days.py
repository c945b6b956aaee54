"""When the trading day begins, and from which equity its loss is measured.

The loss of a hole belongs to the day that begins after it: the reference of a day is equity as the day before left it, not as
the first bar of the new day finds it.

- A step later than midnight: equity as last noted, before this step's fills and closes. A gap over midnight or a weekend
  counts.
- A step exactly at midnight that follows a step inside the day that ends there, at most one bar of the quickest strategy
  before: its close belongs to that day, which was watched up to its last bar, and equity after it is the reference.
- Any other step exactly at midnight (bars of a day or longer, a hole that ends there): equity as last noted. Otherwise no day
  would ever see what its only bar lost.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from tb.core.time import day_start, next_day_start
from tb.gate.account import Account


def begin_day(account: Account, at: int, last: int | None, *, period: int, zone: ZoneInfo) -> None:
    """The first step of a trading day, its closes marked and not yet observed; `last` is the instant of the step before,
    `period` the shortest of the strategies', in ms."""
    starts = day_start(at, zone)
    was_seen_to_end = at == starts and last is not None and last > day_start(at - 1, zone) and last >= at - period
    account.begin_day(starts, next_day_start(at, zone), as_last_noted=not was_seen_to_end)
