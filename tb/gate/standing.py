"""How things stand with the venue and with the runtime that speaks to it, as whoever is connected states it.

INVARIANT: nothing is assumed. A part that nobody states is None, and a constraint that reads it denies.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """`status` of the instrument at the venue: `open`, `limit_only`, `post_only`, `cancel_only`, `halted`. `breaker` of the
    runtime: `active`, `reducing`, `draining`, `halted`. Ages are in ms: since the venue was last heard, since positions and
    balances were last found to agree with it. `unknown_orders` are those whose fate is not known, `clock_skew` is how far the
    venue's clock is from ours, in ms."""

    status: str | None = None
    breaker: str | None = None
    heartbeat_age: int | None = None
    reconciled_age: int | None = None
    unknown_orders: int | None = None
    clock_skew: int | None = None


NOTHING_SAID = Standing()
